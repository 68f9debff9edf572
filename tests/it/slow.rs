//! Who sends slowly, on a real socket: what is cut off and what is not. The test holds the server's clock and sees what
//! the server has read, so that minutes pass in no time and nothing depends on how fast anything runs.

use crate::{
    both,
    repairs::{MORNING, goods, multipart, png, slot, workshop},
    training::School,
    world::{Signed, World},
};
use aftercare::server::clock::{Hands, real_now};
use axum::{
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
};
use chrono::TimeDelta;
use futures::StreamExt;
use std::{net::SocketAddr, task::Poll};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// How far the server has read the body of a request, and whether it waits for more.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Read {
    bytes: usize,
    waits: bool,
}

/// A portal that listens.
struct Served {
    address: SocketAddr,
    hands: Hands,
    read: watch::Receiver<Read>,
}

async fn serve(world: &World) -> Served {
    let hands = Hands::at(real_now());
    let (tell, read) = watch::channel(Read::default());
    let clock = hands.clone();
    let router = world.router.clone().layer(from_fn(move |request: Request, next: Next| {
        let (clock, tell) = (clock.clone(), tell.clone());
        async move {
            let request = request.map(|body| {
                let mut pieces = body.into_data_stream();
                Body::from_stream(futures::stream::poll_fn(move |cx| {
                    let piece = pieces.poll_next_unpin(cx);
                    tell.send_modify(|read| match &piece {
                        Poll::Ready(Some(Ok(piece))) => {
                            *read = Read { bytes: read.bytes + piece.len(), waits: false };
                        }
                        Poll::Ready(_) => read.waits = false,
                        Poll::Pending => read.waits = true,
                    });
                    piece
                }))
            });
            clock.hold(next.run(request)).await
        }
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router.into_make_service()).await });
    Served { address, hands, read }
}

impl Served {
    /// Posts a form in pieces: each once the server has read all before it and waits for more, and `every` later. With
    /// `silent` it sends only so many, and nothing in the time after them. Gives the answer, and how long it all took.
    async fn post(
        mut self,
        who: &Signed,
        path: &str,
        form: &Form,
        every: TimeDelta,
        silent: Option<(usize, TimeDelta)>,
    ) -> (String, TimeDelta) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: portal.test\r\nOrigin: http://portal.test\r\nCookie: {}\r\n\
             Content-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            who.cookie,
            form.kind,
            form.body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut sent, mut took) = (0, TimeDelta::zero());
        let most = silent.map_or(usize::MAX, |(most, _)| most);
        let mut turns = form.body.chunks(PIECE).take(most).map(|piece| (every, piece)).collect::<Vec<_>>();
        turns.extend(silent.map(|(_, time)| (time, &[][..])));
        for (time, piece) in turns {
            let mut early = [0];
            tokio::select! {
                biased;
                waits = self.read.wait_for(|read| *read == Read { bytes: sent, waits: true }) => drop(waits.unwrap()),
                _ = stream.peek(&mut early) => break,
            }
            self.hands.turn(time);
            took += time;
            stream.write_all(piece).await.unwrap();
            sent += piece.len();
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        (String::from_utf8_lossy(&answer).into_owned(), took)
    }
}

struct Form {
    kind: &'static str,
    body: Vec<u8>,
}

/// Less than what stands at the head of a part: pieces end in the middle of everything.
const PIECE: usize = 40;
const PDF: &[u8] = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF";
const ALMOST: TimeDelta = TimeDelta::seconds(29);
const TOO_LONG: TimeDelta = TimeDelta::seconds(31);

/// A repair of somebody's piece, with a picture, as the form sends it.
async fn repair(world: &World, who: &Signed) -> Form {
    let place = workshop(world, 2).await;
    let (item, slot) = (goods(world, who).await.to_string(), slot(place, MORNING));
    let fields =
        [("item", item.as_str()), ("mode", "bring_in"), ("fault", "It smokes"), ("slot", &slot), ("fee", "2900")];
    Form { kind: "multipart/form-data; boundary=XX", body: multipart(&fields, &[("a.png", &png(20, 10))]) }
}

both! {
    async fn a_slow_phone_is_not_cut_off_however_long_its_picture_takes(world: World) {
        let ann = world.customer("ann@example.com").await;
        let form = repair(&world, &ann).await;
        let (answer, took) = serve(&world).await.post(&ann, "/repairs/new", &form, ALMOST, None).await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
        assert!(took > TimeDelta::minutes(5), "{took}");
        assert_eq!(world.count("select count(*) from photo where repair_id is not null").await, 1);
    }
}

both! {
    async fn whoever_falls_silent_in_the_middle_of_a_picture_gets_back_what_came(world: World) {
        let ann = world.customer("ann@example.com").await;
        let form = repair(&world, &ann).await;
        let silent = Some((form.body.len() / PIECE - 1, TOO_LONG));
        let (answer, _) = serve(&world).await.post(&ann, "/repairs/new", &form, ALMOST, silent).await;
        assert!(answer.starts_with("HTTP/1.1 422") && answer.contains("It smokes"), "{answer}");
        assert_eq!(world.count("select count(*) from photo").await, 0);
        assert_eq!(world.count("select count(*) from repair").await, 0);
    }
}

both! {
    async fn a_form_without_pictures_has_half_a_minute_in_all(world: World) {
        let ann = world.customer("ann@example.com").await;
        let body = b"email=ann.of.the.mill.by.the.river@example.com&next=/purchases/register".to_vec();
        assert!(body.len() < 2 * PIECE);
        let form = Form { kind: "application/x-www-form-urlencoded", body };
        let (ten, cut) = (TimeDelta::seconds(10), Some((2, TimeDelta::seconds(10))));
        let (answer, took) = serve(&world).await.post(&ann, "/sign-in", &form, ten, None).await;
        assert!(answer.starts_with("HTTP/1.1 303") && took == ten * 2, "{answer}");
        let longer = Form { body: form.body.iter().chain(b"&more=of+this").copied().collect(), ..form };
        let (answer, took) = serve(&world).await.post(&ann, "/sign-in", &longer, ten, cut).await;
        assert!(answer.starts_with("HTTP/1.1 408") && took == ten * 3, "{answer}");
    }
}

both! {
    async fn a_slow_trainer_is_not_cut_off_either(world: World) {
        let school = School::of(&world, vec![]).await;
        let form = Form {
            kind: "multipart/form-data; boundary=XX",
            body: multipart(&[("title", "Notes"), ("audience", "enrolled"), ("link", "")], &[("a.pdf", PDF)]),
        };
        let path = format!("/desk/courses/{}/materials", school.course);
        let (answer, took) = serve(&world).await.post(&school.trainer, &path, &form, ALMOST, None).await;
        assert!(answer.starts_with("HTTP/1.1 303") && took > TimeDelta::minutes(1), "{answer}");
    }
}

//! The enrolment rush: thousands want a seat in one class at the same moment. Over HTTP on loopback, against the whole
//! product, on the engine that the environment names; counts what was sold as well as how fast.
//!
//!   cargo bench --bench rush                                         SQLite
//!   DURABLE=1 tests/with-postgres.sh cargo bench --bench rush        both
//!
//! `ATTEMPTS`, `SEATS` and `CONNECTIONS` change the size.

#[path = "../tests/it/world.rs"]
#[allow(dead_code, unused_macros, reason = "the tests use all of it")]
mod world;

use aftercare::{
    access::{Act, Role, Subject},
    calendar::domain::Span,
    server::fresh,
    training::server::{
        plan::{self, Draft},
        store::{self, CourseRow},
    },
    values::{ClassId, CourseId, Currency, Money},
};
use chrono::Duration;
use futures::StreamExt;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use world::{Engine, Signed, World};

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(rush(Engine::Sqlite, "SQLite", 1_500));
    if std::env::var_os("AFTERCARE_TEST_POSTGRES").is_some() {
        runtime.block_on(rush(Engine::Postgres, "PostgreSQL", 2_000));
    }
}

fn size(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

async fn rush(engine: Engine, name: &str, goal: usize) {
    let (attempts, seats, connections) = (size("ATTEMPTS", 10_000), size("SEATS", 200), size("CONNECTIONS", 64));
    let world = World::new(engine).await;
    let class = open_class(&world, i64::try_from(seats).unwrap()).await;
    let learners: Vec<Signed> = futures::stream::iter(0..attempts)
        .map(|n| {
            let world = &world;
            async move { world.customer(&format!("learner{n}@bench.example")).await }
        })
        .buffer_unordered(128)
        .collect()
        .await;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = world.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream: &mut TcpStream| {
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });

    let (learners, next) = (Arc::new(learners), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..connections {
        clients.spawn(client(address, class, Arc::clone(&learners), Arc::clone(&next)));
    }
    let mut answers: Vec<Answer> = clients.join_all().await.into_iter().flatten().collect();
    let seconds = began.elapsed().as_secs_f64();

    answers.sort_by(|a, b| a.waited.total_cmp(&b.waited));
    let at = |share: f64| answers[((answers.len() - 1) as f64 * share) as usize].waited * 1000.0;
    let count = |notice: &str| answers.iter().filter(|answer| answer.notice == notice).count();
    let row = store::class(&mut world.db().read().await.unwrap(), class).await.unwrap();
    let rate = answers.len() as f64 / seconds;
    let ratio = at(1.0) / at(0.5);
    println!("{name}: {attempts} attempts on {seats} seats over {connections} connections");
    line("decisions a second", &format!("{rate:.0}"), &format!("{goal}"), rate >= goal as f64);
    let sold = (row.taken, row.waiting, row.held);
    let right = (seats as i64, (attempts - seats) as i64, 0);
    line("seated, waiting, on offer", &format!("{sold:?}"), &format!("{right:?}"), sold == right);
    let told = (count("enrolled"), count("waitlisted"), answers.len());
    let truth = (seats, attempts - seats, attempts);
    line("told so, told to wait, answered", &format!("{told:?}"), &format!("{truth:?}"), told == truth);
    line("longest wait", &format!("{:.0} ms", at(1.0)), "10,000 ms", at(1.0) <= 10_000.0);
    line(
        "longest wait over the median",
        &format!("{ratio:.1} ({:.0} ms, p99 {:.0} ms)", at(0.5), at(0.99)),
        "5",
        ratio <= 5.0,
    );
    let broken = world.broken().await;
    line("aftercare check", &format!("{} clauses broken", broken.len()), "0", broken.is_empty());
}

fn line(what: &str, value: &str, goal: &str, met: bool) {
    println!("{} {what}: {value} (goal: {goal})", if met { "✓" } else { "✗" });
}

async fn open_class(world: &World, seats: i64) -> ClassId {
    let permit = world.operator().may(Act::CreateCourse, &Subject::nobody()).unwrap();
    let trainer = world.staff(Role::Trainer).await;
    let now = world.app.clock.now();
    let course: CourseId = fresh();
    world
        .db()
        .write(move |tx| {
            let row = CourseRow {
                id: course,
                title: "Rush".into(),
                summary: "Everybody wants it.".into(),
                language: "en".into(),
                pass_percent: 80,
            };
            Box::pin(async move { store::insert_course(tx, &permit, &row, &[], now).await })
        })
        .await
        .unwrap();
    let from = now + Duration::days(20);
    let draft = Draft {
        course,
        trainer: trainer.id,
        title: "Rush".into(),
        language: "en".into(),
        zone: chrono_tz::Europe::Madrid,
        sessions: vec![Span { from, until: from + Duration::hours(2) }],
        room: None,
        link: Some("https://meet.example.com/rush".into()),
        capacity: seats,
        price: Money::new(0, Currency::EUR),
        cut_off_hours: 48,
    };
    let cx = world.cx_of(&trainer).await;
    let class = plan::create(&cx, draft, None).await.unwrap();
    plan::publish(&cx, class).await.unwrap();
    class
}

struct Answer {
    notice: String,
    /// Seconds from the first byte sent to the last one read.
    waited: f64,
}

/// One connection: takes the next learner, posts, reads the whole answer, and again.
async fn client(
    address: SocketAddr,
    class: ClassId,
    learners: Arc<Vec<Signed>>,
    next: Arc<AtomicUsize>,
) -> Vec<Answer> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = Vec::new();
    while let Some(learner) = learners.get(next.fetch_add(1, Ordering::Relaxed)) {
        let body = format!("act=enrol&key={}", uuid::Uuid::now_v7());
        let request = format!(
            "POST /training/{class} HTTP/1.1\r\nhost: portal.test\r\norigin: http://portal.test\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            learner.cookie,
            body.len()
        );
        let began = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = answer(&mut stream).await;
        let waited = began.elapsed().as_secs_f64();
        let notice = head.split("notice=").nth(1).and_then(|rest| rest.split('.').next()).unwrap_or(&head).to_owned();
        answers.push(Answer { notice, waited });
    }
    answers
}

/// Reads one answer to its end; gives its head. A redirect has no body; any other answer names its length.
async fn answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        let more = stream.read(&mut chunk).await.unwrap();
        assert!(more > 0, "the server hung up: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&chunk[..more]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
        let body = &read[end + 4..];
        let whole = match head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()) {
            Some(length) => body.len() >= length.parse().unwrap_or(0),
            None => !head.contains("transfer-encoding: chunked") || body.ends_with(b"0\r\n\r\n"),
        };
        if whole {
            return head;
        }
    }
}

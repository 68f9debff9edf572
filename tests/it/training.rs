//! Seats, the line, offers, the trainer's desk: on both databases, through services and through the router.

use crate::{
    both, sold,
    world::{NOW, Signed, World},
};
use aftercare::{
    access::Role,
    calendar::domain::Span,
    error::{AppError, Refusal as AnyRefusal},
    fetch_scalar,
    server::{Cx, fresh},
    training::{
        domain::{EnrolmentState, Policy, Refusal, Window, book::Book},
        server::{
            attend, change,
            plan::{self, Draft, Extras},
            seats::{self, Consent},
            store::{self, CourseRow, RoomRow},
        },
    },
    values::{BenefitId, ClassId, CourseId, Currency, Money, PAGE, ProductId, RoomId},
};
use axum::http::StatusCode;
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeSet;

/// A trainer, a course and rooms, ready for classes.
pub struct School {
    pub trainer: Signed,
    pub cx: Cx,
    pub course: CourseId,
    pub room: RoomId,
}

pub fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

impl School {
    pub async fn of(world: &World, products: Vec<ProductId>) -> Self {
        let trainer = world.staff(Role::Trainer).await;
        let course = Self::course(world, "Printers", products).await;
        let room: RoomId = fresh();
        let permit =
            world.operator().may(aftercare::access::Act::CreateCourse, &aftercare::access::Subject::nobody()).unwrap();
        world
            .db()
            .write(move |tx| {
                Box::pin(async move {
                    let row = RoomRow {
                        id: room,
                        name: "Blue room".into(),
                        place: "Madrid".into(),
                        address: "Calle Mayor 1".into(),
                        zone: "Europe/Madrid".into(),
                        capacity: 60,
                        version: 1,
                        retired_at: None,
                    };
                    store::insert_room(tx, &permit, &row).await
                })
            })
            .await
            .unwrap();
        let cx = world.cx_of(&trainer).await;
        Self { trainer, cx, course, room }
    }

    pub async fn course(world: &World, title: &str, products: Vec<ProductId>) -> CourseId {
        let permit =
            world.operator().may(aftercare::access::Act::CreateCourse, &aftercare::access::Subject::nobody()).unwrap();
        let course = CourseRow {
            id: fresh(),
            title: title.into(),
            summary: "All about it.".into(),
            language: "en".into(),
            pass_percent: 80,
        };
        let id = course.id;
        world
            .db()
            .write(move |tx| {
                let (course, products) = (course.clone(), products.clone());
                Box::pin(async move { store::insert_course(tx, &permit, &course, &products, now()).await })
            })
            .await
            .unwrap();
        id
    }

    /// A class of so many seats that starts in so many hours, for two hours.
    pub fn draft(&self, title: &str, capacity: i64, hours: i64, price: i64) -> Draft {
        let from = now() + Duration::hours(hours);
        Draft {
            course: self.course,
            trainer: self.trainer.id,
            title: title.into(),
            language: "en".into(),
            zone: chrono_tz::Europe::Madrid,
            sessions: vec![Span { from, until: from + Duration::hours(2) }],
            room: None,
            link: Some("https://meet.example.com/x".into()),
            capacity,
            price: Money::new(price, Currency::EUR),
            cut_off_hours: 48,
        }
    }

    pub async fn open(&self, draft: Draft) -> ClassId {
        let id = plan::create(&self.cx, draft, None).await.unwrap();
        plan::publish(&self.cx, id).await.unwrap();
        id
    }

    /// The trainer's context at the world's time.
    pub async fn now(&self, world: &World) -> Cx {
        world.cx_of(&self.trainer).await
    }
}

async fn enrol(world: &World, who: &Signed, class: ClassId) -> seats::Place {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap()
}

async fn cancel(world: &World, who: &Signed, class: ClassId) -> seats::Place {
    seats::cancel(&world.cx_of(who).await, class, Consent::default()).await.unwrap()
}

async fn state(world: &World, who: &Signed, class: ClassId) -> Option<EnrolmentState> {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap().map(|row| row.state)
}

async fn class(world: &World, id: ClassId) -> store::ClassRow {
    store::class(&mut world.db().read().await.unwrap(), id).await.unwrap()
}

async fn customers(world: &World, many: usize) -> Vec<Signed> {
    let mut all = Vec::new();
    for n in 0..many {
        all.push(world.customer(&format!("learner{n:03}@example.com")).await);
    }
    all
}

fn path(class: ClassId) -> String {
    format!("/training/{class}")
}

/// Sells a printer with three class seats until 14 May, as an import does; gives the product and the benefit.
async fn sell_seats(world: &World, email: &str) -> (ProductId, BenefitId) {
    const SOLD: &str = "select i.product_id, b.id from benefit b join item i on i.id = b.item_id \
        join person p on p.id = b.person_id where p.email = $1 and b.allowance = 'training_seat'";
    sold::sell(world, &[&sold::printer(&format!("A-{email}"), email, "ES", &format!("S-{email}"))]).await;
    aftercare::fetch_one!(world.db().read().await.unwrap(), (ProductId, BenefitId), SOLD, email).unwrap()
}

/// Available, reserved, used.
async fn units(world: &World, benefit: BenefitId) -> (i64, i64, i64) {
    const UNITS: &str = "select available, reserved, used from benefit where id = $1";
    aftercare::fetch_one!(world.db().read().await.unwrap(), (i64, i64, i64), UNITS, benefit).unwrap()
}

/// One request over a socket, as a browser sends it; gives the status line with the headers, and the body.
async fn over_http(port: u16, request: String) -> (String, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    let reply = String::from_utf8_lossy(&reply).into_owned();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

both! {
    async fn two_hundred_learners_race_for_fifty_seats(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Rush", 50, 24 * 20, 0)).await;
        let learners = customers(&world, 200).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = world.router.clone().into_make_service_with_connect_info::<std::net::SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).await });
        let mut posts = tokio::task::JoinSet::new();
        let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(64));
        for learner in learners.clone() {
            let gate = gate.clone();
            posts.spawn(async move {
                let _turn = gate.acquire_owned().await.unwrap();
                let common = format!(
                    "Host: portal.test\r\nCookie: {}\r\nOrigin: http://portal.test\r\nConnection: close\r\n",
                    learner.cookie
                );
                let post = format!(
                    "POST {} HTTP/1.1\r\n{common}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nact=enrol",
                    path(id)
                );
                let (head, body) = over_http(port, post).await;
                assert!(head.starts_with("HTTP/1.1 303"), "{head} {body}");
                let notice = head.lines().find_map(|line| line.split_once("notice=")).unwrap().1.to_owned();
                // The page that the reply leads to, as this person reads it.
                let get = format!("GET {} HTTP/1.1\r\n{common}\r\n", path(id));
                let (head, page) = over_http(port, get).await;
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                (learner, notice, page)
            });
        }
        let answers = posts.join_all().await;
        serving.abort();
        let row = class(&world, id).await;
        assert_eq!((row.taken, row.held, row.waiting), (50, 0, 150));
        let mut tx = world.db().read().await.unwrap();
        let mut positions = BTreeSet::new();
        for (learner, notice, page) in answers {
            let place = store::active(&mut tx, id, learner.id).await.unwrap().unwrap();
            // What each was answered is what they read afterwards, and what is stored.
            match place.state {
                EnrolmentState::Booked => {
                    assert!(notice.starts_with("enrolled."), "{notice}");
                    assert!(page.contains("You have a seat"), "{page}");
                }
                EnrolmentState::Waitlisted => {
                    assert!(notice.starts_with("waitlisted."), "{notice}");
                    let position = store::position(&mut tx, id, place.queue_number.unwrap()).await.unwrap();
                    assert!(page.contains(&format!("number {position} ")) || page.contains(&format!("{position} in line")), "{position}: {page}");
                    positions.insert(position);
                }
                other => panic!("{other:?}"),
            }
        }
        drop(tx);
        assert_eq!(positions, (1..=150).collect::<BTreeSet<i64>>());
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_freed_seat_is_offered_to_the_first_in_line_and_passes_on(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Small", 1, 24 * 20, 0)).await;
        let all = customers(&world, 4).await;
        for who in &all {
            enrol(&world, who, id).await;
        }
        assert_eq!(cancel(&world, &all[0], id).await.state, EnrolmentState::Cancelled);
        assert_eq!(state(&world, &all[1], id).await, Some(EnrolmentState::Offered));
        let page = world.get(&all[1], &path(id)).await;
        assert!(page.body.contains("id=\"accept-offer\"") && page.body.contains("id=\"decline-offer\""), "{}", page.body);
        let (subject, _, link) = world.letter("learner001@example.com").await.unwrap();
        assert!(subject.contains("Small") && link.unwrap().ends_with(&path(id)));
        // Nobody else can take the seat meanwhile.
        let late = world.customer("late@example.com").await;
        assert_eq!(enrol(&world, &late, id).await.state, EnrolmentState::Waitlisted);
        let reply = world.post(&all[1], &path(id), &[("act", "decline")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        assert_eq!(state(&world, &all[2], id).await, Some(EnrolmentState::Offered));
        // Its time runs out: the job passes it on.
        world.advance(Duration::hours(25));
        world.drain().await;
        assert_eq!(state(&world, &all[2], id).await, None);
        assert_eq!(state(&world, &all[3], id).await, Some(EnrolmentState::Offered));
        let reply = world.post(&all[3], &path(id), &[("act", "accept")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        assert_eq!(state(&world, &all[3], id).await, Some(EnrolmentState::Booked));
        // Too late for whoever let it pass.
        let reply = world.post(&all[2], &path(id), &[("act", "accept")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn after_the_waitlist_closed_no_seat_is_offered_and_whoever_comes_first_takes_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Small", 1, 24 * 3, 0)).await;
        let all = customers(&world, 2).await;
        for who in &all {
            enrol(&world, who, id).await;
        }
        world.advance(Duration::hours(24 * 3 - 1));
        assert_eq!(cancel(&world, &all[0], id).await.state, EnrolmentState::CancelledLate);
        assert_eq!(state(&world, &all[1], id).await, Some(EnrolmentState::Waitlisted));
        assert!(world.get(&all[1], &path(id)).await.body.contains("id=\"enrol\""));
        assert_eq!(enrol(&world, &all[1], id).await.state, EnrolmentState::Booked);
        let row = class(&world, id).await;
        assert_eq!((row.taken, row.held, row.waiting), (1, 0, 0));
        world.advance(Duration::hours(24 * 3));
        let error = seats::enrol(&world.cx_of(&all[0]).await, id, Consent::default()).await.unwrap_err();
        assert!(matches!(error, aftercare::error::AppError::Refused(_)), "{error:?}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn overlapping_classes_are_refused_with_both_named(world: World) {
        let school = School::of(&world, vec![]).await;
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let first = school.open(school.draft("Morning printers", 5, 100, 0)).await;
        let draft = Draft { trainer: other.id, ..school.draft("Late breakfast", 5, 101, 0) };
        let cx = world.cx_of(&other).await;
        let second = plan::create(&cx, draft, None).await.unwrap();
        plan::publish(&cx, second).await.unwrap();
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, first).await;
        let reply = world.post(&ann, &path(second), &[("act", "enrol")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("Morning printers") && reply.body.contains("Late breakfast"), "{}", reply.body);
        cancel(&world, &ann, first).await;
        assert_eq!(enrol(&world, &ann, second).await.state, EnrolmentState::Booked);
        // A trainer who learns elsewhere is busy.
        let draft = Draft { trainer: ann.id, ..school.draft("Hers", 5, 101, 0) };
        let error = plan::create(&world.operator(), draft, None).await.unwrap_err();
        assert!(matches!(
            error,
            aftercare::error::AppError::Refused(aftercare::error::Refusal::Training(Refusal::Taken { .. }))
        ));
    }
}

both! {
    async fn a_double_tap_and_an_equal_key_have_one_effect(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Once", 5, 24 * 9, 0)).await;
        let ann = world.customer("ann@example.com").await;
        let key = "0190b5a0-0000-7000-8000-000000000001";
        for _ in 0..3 {
            let reply = world.post(&ann, &path(id), &[("act", "enrol"), ("key", key)]).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER);
            assert!(reply.cookie("notice").unwrap().starts_with("enrolled."));
        }
        world.post(&ann, &path(id), &[("act", "enrol")]).await;
        assert_eq!(class(&world, id).await.taken, 1);
        let cancelled = world.post(&ann, &path(id), &[("act", "cancel")]).await;
        assert_eq!(cancelled.status, StatusCode::SEE_OTHER);
        let again = world.post(&ann, &path(id), &[("act", "cancel")]).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER);
        // The first form sent once more out of the browser's history books nothing.
        world.post(&ann, &path(id), &[("act", "enrol"), ("key", key)]).await;
        assert_eq!(class(&world, id).await.taken, 0);
        assert_eq!(world.count("select count(*) from enrolment").await, 1);
        assert_eq!(world.count("select count(*) from history where entity = 'enrolment'").await, 2);
        assert_eq!(world.count("select count(*) from message where letter = 'enrolment_booked'").await, 1);
    }
}

both! {
    async fn the_price_is_said_before_and_kept(world: World) {
        let ann = world.customer("ann@example.com").await;
        let (product, benefit) = sell_seats(&world, "ann@example.com").await;
        let school = School::of(&world, vec![product]).await;
        let covered = school.open(school.draft("Covered", 5, 24 * 9, 9000)).await;
        let page = world.get(&ann, &path(covered)).await;
        assert!(page.body.contains("Covered by “Care”, because 3 of its 3 class seats are left"), "{}", page.body);
        let list = world.get(&ann, "/training").await;
        assert!(list.body.contains("For what you own"), "{}", list.body);
        enrol(&world, &ann, covered).await;
        assert_eq!(units(&world, benefit).await, (2, 1, 0));
        for day in [20, 21] {
            enrol(&world, &ann, school.open(school.draft("More", 5, 24 * day, 9000)).await).await;
        }
        assert_eq!(world.count("select count(*) from charge").await, 0);
        // The next one costs: who agreed to less is asked again.
        let paid = school.open(school.draft("Paid", 5, 24 * 10, 9000)).await;
        let page = world.get(&ann, &path(paid)).await;
        assert!(page.body.contains("All class seats of “Care” are used or reserved."), "{}", page.body);
        for silent in [&[("act", "enrol")][..], &[], &[("act", "enrol"), ("agreed", "0")]] {
            let reply = world.post(&ann, &path(paid), silent).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{silent:?}");
            assert!(reply.body.contains("The seat now costs €90.00"), "{silent:?}: {}", reply.body);
        }
        assert_eq!(class(&world, paid).await.taken, 0);
        assert_eq!(world.count("select count(*) from charge").await, 0);
        let reply = world.post(&ann, &path(paid), &[("act", "enrol"), ("agreed", "9000")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select amount_minor from charge where state = 'due'").await, 9000);
        cancel(&world, &ann, paid).await;
        assert_eq!(world.count("select count(*) from charge where state = 'due'").await, 0);
        cancel(&world, &ann, covered).await;
        assert_eq!(units(&world, benefit).await, (1, 2, 0));
        // After the cut-off the allowance is spent.
        let soon = school.open(school.draft("Soon", 5, 47, 9000)).await;
        enrol(&world, &ann, soon).await;
        assert_eq!(cancel(&world, &ann, soon).await.state, EnrolmentState::CancelledLate);
        assert_eq!(units(&world, benefit).await, (0, 2, 1));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_offer_of_a_seat_that_costs_is_taken_by_who_agrees_to_the_price(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Paid", 1, 24 * 9, 9000)).await;
        let [ann, ben] = customers(&world, 2).await.try_into().unwrap();
        for who in [&ann, &ben] {
            let reply = world.post(who, &path(id), &[("act", "enrol"), ("agreed", "9000")]).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        }
        cancel(&world, &ann, id).await;
        assert_eq!(state(&world, &ben, id).await, Some(EnrolmentState::Offered));
        let silent = world.post(&ben, &path(id), &[("act", "accept")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(silent.body.contains("€90.00"), "{}", silent.body);
        assert_eq!(state(&world, &ben, id).await, Some(EnrolmentState::Offered));
        let agreed = world.post(&ben, &path(id), &[("act", "accept"), ("agreed", "9000")]).await;
        assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.body);
        assert_eq!(world.count("select amount_minor from charge where state = 'due'").await, 9000);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// Staff write down that everything that is due was paid.
async fn all_paid(world: &World, agent: &Signed) {
    let mut tx = world.db().read().await.unwrap();
    let due = aftercare::fetch_all!(tx, (uuid::Uuid,), "select id from charge where state = 'due'").unwrap();
    drop(tx);
    for (id,) in due {
        let id = id.to_string();
        let paid = [("charge", id.as_str()), ("outcome", "paid")];
        assert_eq!(world.post(agent, "/desk/charges", &paid).await.status, StatusCode::SEE_OTHER);
    }
}

both! {
    async fn what_was_paid_for_a_seat_that_ends_in_time_is_paid_back_once(world: World) {
        let (ann, ben, agent) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await, world.staff(Role::Agent).await);
        let school = School::of(&world, vec![]).await;
        let (mine, off, late) = (
            school.open(school.draft("Mine", 5, 24 * 9, 9000)).await,
            school.open(school.draft("Off", 5, 24 * 10, 5000)).await,
            school.open(school.draft("Late", 5, 47, 7000)).await,
        );
        for (who, class, price) in [(&ann, mine, "9000"), (&ben, off, "5000"), (&ben, late, "7000")] {
            let reply = world.post(who, &path(class), &[("act", "enrol"), ("agreed", price)]).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        }
        all_paid(&world, &agent).await;
        assert_eq!(world.count("select count(*) from charge where state = 'paid'").await, 3);
        cancel(&world, &ann, mine).await;
        let reply = world.post(&school.trainer, &format!("/desk/classes/{off}"), &[("act", "cancel"), ("why", "I am ill.")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        // Too late: what was paid stays paid.
        assert_eq!(cancel(&world, &ben, late).await.state, EnrolmentState::CancelledLate);
        assert_eq!(world.count("select count(*) from refund where paid_at is null").await, 2);
        let page = world.get(&ann, "/account/charges").await.body;
        assert!(page.contains("To be paid back") && page.contains("90.00") && page.contains("15 Dec"), "{page}");
        assert!(page.contains("Class · Mine"), "{page}");
        let page = world.get(&agent, "/desk/charges?state=refund").await.body;
        assert!(page.contains("90.00") && page.contains("50.00") && !page.contains("70.00"), "{page}");
        let mut tx = world.db().read().await.unwrap();
        let id = fetch_scalar!(tx, uuid::Uuid, "select c.id from charge c where c.amount_minor = 9000").unwrap().unwrap().to_string();
        let kept = fetch_scalar!(tx, uuid::Uuid, "select c.id from charge c where c.amount_minor = 7000").unwrap().unwrap().to_string();
        drop(tx);
        let back = |id| [("charge", id), ("outcome", "paid_back")];
        assert_eq!(world.post(&ann, "/desk/charges", &back(&*id)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.post(&school.trainer, "/desk/charges", &back(&*id)).await.status, StatusCode::FORBIDDEN);
        // Two who note it at once note it once.
        let fields = back(&*id);
        let (one, two) = tokio::join!(world.post(&agent, "/desk/charges", &fields), world.post(&agent, "/desk/charges", &fields));
        let mut answers = [one.status.as_u16(), two.status.as_u16()];
        answers.sort_unstable();
        assert_eq!(answers, [303, 422]);
        assert_eq!(world.post(&agent, "/desk/charges", &back(&*kept)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from history where entity = 'charge' and act = 'pay_back' and to_state = 'paid_back'").await, 1);
        assert_eq!(world.count("select count(*) from message where letter = 'paid_back' and body like '%Class · Mine%'").await, 1);
        assert!(world.get(&ann, "/account/charges").await.body.contains("Paid back"));
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.corrupt("update charge set state = 'waived' where amount_minor = 9000").await;
        assert_eq!(world.broken().await, ["refund_of_what_nobody_paid"]);
        world.corrupt("update charge set state = 'paid' where amount_minor = 9000").await;
        world.corrupt("update history set act = 'settle_charge' where act = 'pay_back'").await;
        assert_eq!(world.broken().await, ["refund_paid_without_history"]);
    }
}

both! {
    async fn money_that_is_not_back_by_the_promised_day_stands_on_the_list(world: World) {
        let (ann, agent, manager) = (world.customer("ann@example.com").await, world.staff(Role::Agent).await, world.staff(Role::Manager).await);
        let school = School::of(&world, vec![]).await;
        let class = school.open(school.draft("Mine", 5, 24 * 9, 9000)).await;
        let reply = world.post(&ann, &path(class), &[("act", "enrol"), ("agreed", "9000")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        all_paid(&world, &agent).await;
        cancel(&world, &ann, class).await;
        assert!(world.get(&ann, "/account/charges").await.body.contains("15 Dec"), "promised");
        let list = async || world.get(&manager, "/desk/neglected").await.body;
        world.advance(Duration::days(14));
        assert!(list().await.contains("Nobody is neglected"), "the day is not over");
        world.advance(Duration::days(1));
        let stands = async || {
            let page = list().await;
            assert!(page.contains("href=\"/desk/charges?state=refund\">Mine</a>") && page.contains("Nobody owns it"), "{page}");
        };
        stands().await;
        let mut tx = world.db().read().await.unwrap();
        let id = fetch_scalar!(tx, uuid::Uuid, "select id from charge").unwrap().unwrap().to_string();
        drop(tx);
        let take = [("do", "take"), ("entity", "refund"), ("id", id.as_str())];
        assert_eq!(world.post(&manager, "/desk/neglected", &take).await.status, StatusCode::SEE_OTHER);
        assert!(list().await.contains("Nobody is neglected"));
        assert!(world.get(&manager, "/desk").await.body.contains("Pay the money back"));
        // Whoever took it and did not do it stands there instead; and who says it is done has not paid yet.
        world.advance(Duration::days(2));
        let page = list().await;
        assert!(page.contains("Late since") && page.contains("Pay the money back") && !page.contains("state=refund"), "{page}");
        let mut tx = world.db().read().await.unwrap();
        let contact = fetch_scalar!(tx, uuid::Uuid, "select id from follow_up").unwrap().unwrap();
        drop(tx);
        let done = world.post(&manager, &format!("/desk/follow-ups/{contact}"), &[("outcome", "reached")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        stands().await;
        assert_eq!(world.post(&manager, "/desk/neglected", &take).await.status, StatusCode::SEE_OTHER);
        let back = [("charge", id.as_str()), ("outcome", "paid_back")];
        assert_eq!(world.post(&agent, "/desk/charges", &back).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from follow_up where done_at is null").await, 0);
        assert!(list().await.contains("Nobody is neglected"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn cancelling_a_class_gives_back_tells_everyone_and_offers_the_next(world: World) {
        let all = customers(&world, 4).await;
        let (product, benefit) = sell_seats(&world, "learner000@example.com").await;
        let school = School::of(&world, vec![product]).await;
        let id = school.open(school.draft("Off", 2, 24 * 9, 5000)).await;
        let next = school.open(school.draft("On", 2, 24 * 12, 5000)).await;
        for who in &all {
            enrol(&world, who, id).await;
        }
        let reply = world.post(&school.trainer, &format!("/desk/classes/{id}"), &[("act", "cancel"), ("why", "")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is needed");
        let reply = world.post(&school.trainer, &format!("/desk/classes/{id}"), &[("act", "cancel"), ("why", "I am ill.")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(units(&world, benefit).await, (3, 0, 0));
        assert_eq!(world.count("select count(*) from charge where state = 'due'").await, 0);
        let row = class(&world, id).await;
        assert_eq!((row.taken, row.held, row.waiting), (0, 0, 0));
        assert_eq!(class(&world, next).await.held, 2);
        for who in &all[..2] {
            assert_eq!(state(&world, who, next).await, Some(EnrolmentState::Offered));
        }
        assert_eq!(world.count("select count(*) from message where letter = 'class_cancelled'").await, 4);
        let (_, body, link) = world.letter("learner003@example.com").await.unwrap();
        assert!(body.contains("I am ill.") && link.unwrap().ends_with("/training"), "{body}");
        let page = world.get(&all[0], &path(id)).await;
        assert!(page.body.contains("does not take place") && page.body.contains("I am ill."));
        seats::accept(&world.cx_of(&all[0]).await, next, Consent::default()).await.unwrap();
        assert_eq!(units(&world, benefit).await, (2, 1, 0));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_trainer_marks_closes_and_gives_certificates(world: World) {
        let all = customers(&world, 3).await;
        let mut products = Vec::new();
        let mut benefits = Vec::new();
        for n in 0..all.len() {
            let (product, benefit) = sell_seats(&world, &format!("learner{n:03}@example.com")).await;
            products.push(product);
            benefits.push(benefit);
        }
        let school = School::of(&world, products).await;
        let id = school.open(school.draft("Marked", 5, 30, 5000)).await;
        for who in &all {
            enrol(&world, who, id).await;
        }
        let desk = format!("/desk/classes/{id}");
        let session = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap()[0].id;
        let enrolments = store::of_class(&mut world.db().read().await.unwrap(), id).await.unwrap();
        let (session_field, first) = (session.to_string(), enrolments[0].id.to_string());
        let mark = |mark: &'static str| [("act", "mark"), ("session", session_field.as_str()), ("enrolment", first.as_str()), ("mark", mark)];
        let early = world.post(&school.trainer, &desk, &mark("present")).await;
        assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
        world.advance(Duration::hours(31));
        world.drain().await;
        let page = world.get(&school.trainer, &desk).await;
        assert!(page.body.contains("Has: Printer") && page.body.contains("value=\"excused\""), "{}", page.body);
        assert_eq!(class(&world, id).await.state, aftercare::training::domain::ClassState::Running);
        assert_eq!(world.post(&school.trainer, &desk, &mark("absent")).await.status, StatusCode::SEE_OTHER);
        // Seen as unmarked by somebody else: not overwritten unseen.
        let mut stale = mark("present").to_vec();
        stale.push(("was", "none"));
        assert_eq!(world.post(&school.trainer, &desk, &stale).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.post(&school.trainer, &desk, &mark("excused")).await.status, StatusCode::SEE_OTHER);
        // Over, whether or not its trainer has closed it: nobody's place is still to come.
        let mine = async || world.get(&all[0], "/training/mine").await.body;
        assert!(mine().await.contains("Booked"));
        world.advance(Duration::hours(10));
        let page = mine().await;
        assert!(page.contains("Took place") && !page.contains("Booked") && !page.contains("Upcoming"), "{page}");
        let unmarked = world.post(&school.trainer, &desk, &[("act", "close")]).await;
        assert_eq!(unmarked.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(unmarked.body.contains("2 people have a session without a mark"), "{}", unmarked.body);
        world.post(&school.trainer, &desk, &[("act", "mark_rest"), ("session", &session_field)]).await;
        let closed = world.post(&school.trainer, &desk, &[("act", "close")]).await;
        assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.body);
        assert_eq!(world.count("select count(*) from certificate").await, 2);
        assert_eq!(world.count("select count(*) from job where kind = 'ask_feedback'").await, 2);
        // Excused from all of it: the allowance came back; the others' are used.
        let excused = all.iter().position(|who| who.id == enrolments[0].person_id).unwrap();
        for (place, benefit) in benefits.iter().enumerate() {
            let expected = if place == excused { (3, 0, 0) } else { (2, 0, 1) };
            assert_eq!(units(&world, *benefit).await, expected);
        }
        let code = fetch_scalar!(world.db().read().await.unwrap(), String, "select code from certificate order by code limit 1").unwrap().unwrap();
        let public = world.get(None, &format!("/certificates/{code}")).await;
        assert_eq!(public.status, StatusCode::OK);
        assert!(public.body.contains("genuine") && public.body.contains("Marked"), "{}", public.body);
        assert_eq!(world.get(None, "/certificates/AAAA-AAAA").await.status, StatusCode::NOT_FOUND);
        assert!(world.get(&all[(excused + 1) % 3], "/training/mine").await.body.contains("/certificates/"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_trainer_and_a_room_are_in_one_place_only(world: World) {
        let school = School::of(&world, vec![]).await;
        let first = Draft { room: Some(school.room), ..school.draft("First", 5, 100, 0) };
        plan::create(&school.cx, first, None).await.unwrap();
        let date = (now() + Duration::hours(101)).with_timezone(&chrono_tz::Europe::Madrid);
        let (course, room) = (school.course.to_string(), school.room.to_string());
        let (day, starts, ends) = (date.format("%Y-%m-%d").to_string(), date.format("%H:%M").to_string(), "23:00");
        let fields = |room: &'static str| {
            vec![
                ("course", course.clone()), ("title", "Second".into()), ("language", "en".into()), ("zone", "Europe/Madrid".into()),
                ("date_1", day.clone()), ("starts_1", starts.clone()), ("ends_1", ends.into()), ("room", room.to_owned()),
                ("link", "https://meet.example.com/y".into()), ("capacity", "5".into()), ("price", "12,50".into()), ("cut_off_hours", "48".into()),
            ]
        };
        let post = async |who: &Signed, fields: Vec<(&str, String)>| {
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.post(who, "/desk/classes/new", &pairs).await
        };
        let busy = post(&school.trainer, fields("")).await;
        assert_eq!(busy.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(busy.body.contains("The trainer is busy") && busy.body.contains("First") && busy.body.contains("value=\"Second\""), "{}", busy.body);
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let mut with_room = fields("");
        with_room[7].1 = room;
        let busy = post(&other, with_room).await;
        assert!(busy.body.contains("“Blue room” is taken"), "{}", busy.body);
        let free = post(&other, fields("")).await;
        assert_eq!(free.status, StatusCode::SEE_OTHER, "{}", free.body);
        assert_eq!(world.count("select price_minor from class where title = 'Second'").await, 1250);
        // Every field says its own fault, and what was typed is still there.
        let mut bad = fields("");
        bad[1].1 = String::new();
        bad[4].1 = "2026-02-30".into();
        bad[9].1 = "none".into();
        let bad = post(&other, bad).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        for id in ["title-fault", "date_1-fault", "capacity-fault"] {
            assert!(bad.body.contains(&format!("id=\"{id}\"")), "{id} {}", bad.body);
        }
        assert!(bad.body.contains("value=\"12,50\""));
    }
}

both! {
    async fn a_session_keeps_its_wall_clock_and_a_skipped_time_is_refused(world: World) {
        let school = School::of(&world, vec![]).await;
        let course = school.course.to_string();
        let fields = |starts: &'static str| {
            [
                ("course", course.as_str()), ("title", "Spring"), ("language", "en"), ("zone", "Europe/Madrid"), ("link", "https://x.example.com/"),
                ("date_1", "2027-03-21"), ("starts_1", "09:00"), ("ends_1", "11:00"), ("date_2", "2027-03-28"), ("starts_2", starts), ("ends_2", "11:00"),
                ("capacity", "5"), ("price", "0"), ("cut_off_hours", "48"),
            ]
        };
        let skipped = world.post(&school.trainer, "/desk/classes/new", &fields("02:30")).await;
        assert_eq!(skipped.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(skipped.body.contains("skip"), "{}", skipped.body);
        let made = world.post(&school.trainer, "/desk/classes/new", &fields("09:00")).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
        let id: ClassId = made.location().rsplit('/').next().unwrap().parse().unwrap();
        let sessions = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap();
        let times: Vec<String> = sessions.iter().map(|s| s.starts_at.to_rfc3339()).collect();
        assert_eq!(times, ["2027-03-21T08:00:00+00:00", "2027-03-28T07:00:00+00:00"]);
    }
}

both! {
    async fn the_second_editor_sees_the_firsts_change(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Draft", 5, 24 * 9, 0)).await;
        let edit = format!("/desk/classes/{id}/edit");
        let version = class(&world, id).await.version.to_string();
        let fields = |title: &'static str, capacity: &'static str| {
            [("version", version.as_str()), ("title", title), ("room", ""), ("link", "https://meet.example.com/x"),
             ("capacity", capacity), ("price", "0"), ("cut_off_hours", "48")]
        };
        assert_eq!(world.post(&school.trainer, &edit, &fields("Better", "6")).await.status, StatusCode::SEE_OTHER);
        let second = world.post(&school.trainer, &edit, &fields("Other", "5")).await;
        assert_eq!(second.status, StatusCode::UNPROCESSABLE_ENTITY);
        for text in ["Better", "Other", "Stored now", "value=\"Other\""] {
            assert!(second.body.contains(text), "{text}: {}", second.body);
        }
        assert_eq!(class(&world, id).await.title, "Better");
        // Having seen it, they may store their own.
        let seen = class(&world, id).await.version.to_string();
        assert!(second.body.contains(&format!("name=\"version\" value=\"{seen}\"")), "{}", second.body);
    }
}

both! {
    async fn more_seats_go_to_the_line_first_and_fewer_than_taken_are_refused(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Room to grow", 2, 24 * 9, 0)).await;
        let all = customers(&world, 4).await;
        for who in &all {
            enrol(&world, who, id).await;
        }
        let resize = async |capacity: i64| {
            let row = class(&world, id).await;
            let edit = change::Edit {
                version: row.version, title: row.title, room: row.room_id, link: row.link, capacity,
                price: Money::new(row.price_minor, row.price_currency), cut_off_hours: row.cut_off_hours,
            };
            change::edit(&school.cx, id, edit, change::Rest::default()).await
        };
        assert!(resize(1).await.is_err());
        resize(3).await.unwrap();
        assert_eq!(state(&world, &all[2], id).await, Some(EnrolmentState::Offered));
        assert_eq!(state(&world, &all[3], id).await, Some(EnrolmentState::Waitlisted));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn of_a_class_of_many_weeks_everybody_reads_the_session_that_comes_next(world: World) {
        let school = School::of(&world, vec![]).await;
        let first = now() + Duration::hours(49);
        let span = |from: DateTime<Utc>| Span { from, until: from + Duration::hours(2) };
        // Thursdays; on the second one in the afternoon, too.
        let second = first + Duration::weeks(1);
        let sessions = vec![span(first), span(second), span(second + Duration::hours(4)), span(first + Duration::weeks(2))];
        let id = school.open(Draft { sessions, ..school.draft("Weekly", 5, 49, 0) }).await;
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        let go_to = async |at: DateTime<Utc>| {
            world.advance(at - world.app.clock.now());
            world.drain().await;
        };
        let reminders = async || world.count("select count(*) from message where letter = 'class_reminder'").await;
        let home = async || world.get(&ann, "/").await.body.matches("“Weekly” is soon").count();
        let today = async || world.get(&school.trainer, "/desk/classes").await.body.contains("Weekly");
        let mine = async |day: &str| world.get(&ann, "/training/mine").await.body.contains(day);
        go_to(first - Duration::hours(23)).await;
        assert_eq!((reminders().await, home().await, today().await), (1, 1, false));
        assert!(mine("3 December").await);
        go_to(first + Duration::minutes(30)).await;
        assert_eq!((reminders().await, home().await, today().await), (1, 1, true));
        // Between two Thursdays nothing needs anybody.
        go_to(first + Duration::days(2)).await;
        assert_eq!((reminders().await, home().await, today().await), (1, 0, false));
        assert!(mine("10 December").await && !mine("3 December").await);
        let coming = world.get(&school.trainer, "/desk/classes?view=coming").await.body;
        assert!(coming.contains("Weekly") && coming.contains("10 December"), "{coming}");
        // One reminder for the day, however often the class meets on it.
        go_to(second - Duration::hours(23)).await;
        assert_eq!((reminders().await, home().await), (2, 1));
        assert!(world.letter("ann@example.com").await.unwrap().1.contains("10 December"));
        go_to(second + Duration::hours(1)).await;
        assert_eq!((reminders().await, home().await, today().await), (2, 1, true));
        // The last one is a day later: the reminder is too.
        let row = class(&world, id).await;
        let all = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap();
        let mut wanted: Vec<_> = all.iter().map(|row| (Some(row.id), row.span())).collect();
        wanted[3].1 = span(first + Duration::days(15));
        let edit = change::Edit {
            version: row.version, title: row.title, room: row.room_id, link: row.link, capacity: row.capacity,
            price: Money::new(row.price_minor, row.price_currency), cut_off_hours: row.cut_off_hours,
        };
        let rest = change::Rest { sessions: Some(wanted), ..change::Rest::default() };
        change::edit(&school.now(&world).await, id, edit, rest).await.unwrap();
        go_to(first + Duration::days(14) - Duration::hours(1)).await;
        assert_eq!(reminders().await, 2);
        go_to(first + Duration::days(15) - Duration::hours(1)).await;
        assert_eq!(reminders().await, 3);
        assert!(world.letter("ann@example.com").await.unwrap().1.contains("18 December"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn once_the_line_is_closed_nobody_joins_it_and_a_free_seat_is_for_whoever_takes_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Full house", 1, 24, 0)).await;
        let all = customers(&world, 3).await;
        enrol(&world, &all[0], id).await;
        assert_eq!(enrol(&world, &all[1], id).await.position, Some(1));
        world.advance(Duration::hours(23));
        let path = format!("/training/{id}");
        let at = class(&world, id).await.policy().freezes_at();
        let late = seats::enrol(&world.cx_of(&all[2]).await, id, Consent::default()).await;
        assert!(
            matches!(&late, Err(AppError::Refused(AnyRefusal::Training(Refusal::LineClosed { at: closed }))) if *closed == at),
            "{late:?}"
        );
        // Who waits and who comes now read the same, and neither has a button that does nothing.
        for who in &all[1..] {
            let page = world.get(who, &path).await.body;
            assert!(page.contains("The waitlist closed on") && !page.contains("id=\"enrol\""), "{page}");
        }
        let posted = world.post(&all[2], &path, &[("act", "enrol"), ("agreed", "0")]).await;
        assert_eq!(posted.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(posted.body.contains("look again"), "{}", posted.body);
        assert_eq!(world.count("select count(*) from message where letter = 'enrolment_waitlisted'").await, 1);
        assert_eq!(state(&world, &all[2], id).await, None);
        cancel(&world, &all[0], id).await;
        assert_eq!(enrol(&world, &all[2], id).await.state, EnrolmentState::Booked);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_waits_takes_a_free_seat_though_enrolment_is_closed_for_newcomers(world: World) {
        let school = School::of(&world, vec![]).await;
        let draft = school.draft("Closes early", 1, 48, 0);
        let closes = now() + Duration::hours(12);
        let extras = Extras { window: Window { opens: None, closes: Some(closes) }, ..Extras::default() };
        let id = plan::create_series(&school.cx, vec![draft], extras, true, None).await.unwrap();
        let all = customers(&world, 3).await;
        enrol(&world, &all[0], id).await;
        assert_eq!(enrol(&world, &all[1], id).await.position, Some(1));
        world.advance(Duration::hours(47));
        cancel(&world, &all[0], id).await;
        let path = format!("/training/{id}");
        assert!(world.get(&all[1], &path).await.body.contains("id=\"enrol\""));
        let form = [("act", "enrol"), ("agreed", "0")];
        // Who did not come in time is not let in.
        assert_eq!(world.post(&all[2], &path, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.post(&all[1], &path, &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(state(&world, &all[1], id).await, Some(EnrolmentState::Booked));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn learners_are_reminded_the_day_before_and_the_class_starts_by_itself(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Tomorrow", 1, 49, 0)).await;
        let all = customers(&world, 2).await;
        for who in &all {
            enrol(&world, who, id).await;
        }
        world.advance(Duration::hours(26));
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'class_reminder'").await, 1);
        let home = aftercare::training::server::needs(&mut world.db().read().await.unwrap(), &world.cx_of(&all[0]).await).await.unwrap();
        assert_eq!(home.len(), 1);
        world.advance(Duration::hours(50));
        world.drain().await;
        let row = class(&world, id).await;
        assert_eq!(row.state, aftercare::training::domain::ClassState::Running);
        assert_eq!((row.taken, row.waiting), (1, 0));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn everyone_sees_what_is_theirs_and_nothing_else(world: World) {
        let school = School::of(&world, vec![]).await;
        let draft = plan::create(&school.cx, school.draft("Secret plan", 5, 24 * 9, 0), None).await.unwrap();
        let open = school.open(school.draft("Open plan", 5, 24 * 10, 0)).await;
        let ann = world.customer("ann@example.com").await;
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        assert_eq!(world.get(&ann, &path(draft)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.post(&ann, &path(draft), &[("act", "enrol")]).await.status, StatusCode::NOT_FOUND);
        let list = world.get(&ann, "/training").await;
        assert!(list.body.contains("Open plan") && !list.body.contains("Secret plan"));
        for query in ["?q=OPEN", "?language=en", "?place=online"] {
            assert!(world.get(&ann, &format!("/training{query}")).await.body.contains("Open plan"), "{query}");
        }
        for query in ["?q=%25", "?language=lt", "?place=Madrid"] {
            assert!(!world.get(&ann, &format!("/training{query}")).await.body.contains("Open plan"), "{query}");
        }
        // The link is for those with a seat.
        assert!(!world.get(&ann, &path(open)).await.body.contains("meet.example.com"));
        enrol(&world, &ann, open).await;
        assert!(world.get(&ann, &path(open)).await.body.contains("meet.example.com"));
        for address in [path(open), "/training".to_owned(), "/training/mine".to_owned(), "/desk/classes".to_owned()] {
            assert_eq!(world.get(None, &address).await.status, StatusCode::SEE_OTHER, "{address}");
        }
        let desk = format!("/desk/classes/{open}");
        assert_eq!(world.get(&ann, &desk).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&ann, "/desk/classes").await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&other, &desk).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.post(&other, &desk, &[("act", "cancel"), ("why", "Mine now")]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.get(&school.trainer, &desk).await.status, StatusCode::OK);
        for view in ["today", "coming", "drafts", "past"] {
            assert_eq!(world.get(&school.trainer, &format!("/desk/classes?view={view}")).await.status, StatusCode::OK);
        }
        let manager = world.staff(Role::Manager).await;
        assert!(world.get(&manager, "/desk/classes?view=coming").await.body.contains("Open plan"));
        for bad in ["/training/nonsense", "/desk/classes/0000"] {
            assert_eq!(world.get(&manager, bad).await.status, StatusCode::NOT_FOUND);
        }
    }
}

both! {
    async fn every_act_leaves_exactly_one_line_of_history(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Told", 1, 30, 0)).await;
        let all = customers(&world, 3).await;
        for who in &all {
            enrol(&world, who, id).await;
        }
        let count = async |act: &'static str| {
            fetch_scalar!(world.db().read().await.unwrap(), i64, "select count(*) from history where act = $1", act).unwrap().unwrap()
        };
        assert_eq!((count("create_class").await, count("publish_class").await, count("enrol").await), (1, 1, 3));
        cancel(&world, &all[0], id).await;
        assert_eq!((count("cancel_enrolment").await, count("offer_seat").await), (1, 1));
        seats::decline(&world.cx_of(&all[1]).await, id, Consent::default()).await.unwrap();
        assert_eq!((count("decline_offer").await, count("offer_seat").await), (1, 2));
        seats::accept(&world.cx_of(&all[2]).await, id, Consent::default()).await.unwrap();
        assert_eq!(count("accept_offer").await, 1);
        world.advance(Duration::hours(31));
        world.drain().await;
        assert_eq!(count("start_class").await, 1);
        let session = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap()[0].id;
        attend::mark_rest(&school.now(&world).await, id, session).await.unwrap();
        assert_eq!(count("mark_attendance").await, 1);
        plan::close(&school.now(&world).await, id).await.unwrap();
        assert_eq!(count("close_class").await, 1);
    }
}

both! {
    async fn check_names_what_breaks_a_promise(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Broken", 1, 24 * 9, 0)).await;
        let all = customers(&world, 3).await;
        for who in &all {
            enrol(&world, who, id).await;
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
        let finds = async |name: &str, corruption: &'static str, repair: &'static str| {
            world.corrupt(corruption).await;
            let broken = world.broken().await;
            assert!(broken.contains(&name.to_owned()), "{name}: {broken:?}");
            world.corrupt(repair).await;
            assert_eq!(world.broken().await, Vec::<String>::new(), "after {name}");
        };
        finds("class_waiting_miscounted", "update class set waiting = 3", "update class set waiting = 2").await;
        finds("class_taken_miscounted", "update class set taken = 0", "update class set taken = 1").await;
        finds("class_held_miscounted", "update class set capacity = 2, held = 1", "update class set held = 0, capacity = 1").await;
        finds(
            "class_over_capacity",
            "update enrolment set state = 'booked' where queue_number = 1",
            "update enrolment set state = 'waitlisted' where queue_number = 1",
        ).await;
        finds(
            "line_number_drawn_twice",
            "update enrolment set queue_number = 1 where queue_number = 2",
            "update enrolment set queue_number = 2 where id = (select id from enrolment where queue_number = 1 order by id desc limit 1)",
        ).await;
        finds(
            "seat_without_its_time",
            "update busy set entity = 'lost' where entity = 'enrolment'",
            "update busy set entity = 'enrolment' where entity = 'lost'",
        ).await;
        finds(
            "class_without_its_time",
            "update busy set entity = 'lost' where entity = 'class'",
            "update busy set entity = 'class' where entity = 'lost'",
        ).await;
        finds(
            "enrolment_without_history",
            "update history set entity = 'lost' where entity = 'enrolment'",
            "update history set entity = 'enrolment' where entity = 'lost'",
        ).await;
        finds(
            "class_without_history",
            "update history set to_state = 'lost' where to_state = 'open'",
            "update history set to_state = 'open' where to_state = 'lost'",
        ).await;
        finds(
            "seat_in_a_cancelled_class",
            "update class set state = 'cancelled'",
            "update class set state = 'open'",
        ).await;
        finds("line_after_the_class", "update class set state = 'completed'", "update class set state = 'open'").await;
        finds(
            "double_booking",
            "update busy set resource_id = (select resource_id from busy where entity = 'class' limit 1) where entity = 'enrolment'",
            "update busy set resource_id = (select person_id from enrolment e where e.id = busy.entity_id) where entity = 'enrolment'",
        ).await;
        cancel(&world, &all[0], id).await;
        finds(
            "offer_without_expiry",
            "update job set kind = 'lost' where kind = 'expire_offer'",
            "update job set kind = 'expire_offer' where kind = 'lost'",
        ).await;
    }
}

both! {
    async fn the_database_does_what_the_book_says(world: World) {
        let school = School::of(&world, vec![]).await;
        let people = customers(&world, 7).await;
        let contexts = {
            let mut all = Vec::new();
            for who in &people {
                all.push(world.cx_of(who).await);
            }
            all
        };
        // A small generator of our own: the same walk on both engines, every time.
        let mut seed = 20_261_201_u64;
        let mut draw = move |most: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % most
        };
        for round in 0..3 {
            let starts = now() + Duration::days(40 + round);
            let draft = school.draft("Model", 2, (starts - now()).num_hours(), 0);
            let id = school.open(draft).await;
            let mut at = starts - Duration::hours(60);
            let mut book = Book::open(2, Policy::new(starts, 48));
            for step in 0..60 {
                let n = draw(7) as usize;
                let cx = Cx { now: at, ..contexts[n].clone() };
                let consent = Consent::default;
                let (said, expected) = match draw(7) {
                    0..=2 => (seats::enrol(&cx, id, consent()).await.is_ok(), book.enrol(people[n].id, at).is_ok()),
                    3 => (seats::accept(&cx, id, consent()).await.is_ok(), book.accept(people[n].id, at).is_ok()),
                    4 => (seats::decline(&cx, id, consent()).await.is_ok(), book.decline(people[n].id, at).is_ok()),
                    5 => (seats::cancel(&cx, id, consent()).await.is_ok(), book.cancel(people[n].id, at).is_ok()),
                    _ => {
                        at += Duration::minutes(30 + draw(200) as i64);
                        let rows = store::of_class(&mut world.db().read().await.unwrap(), id).await.unwrap();
                        for row in rows {
                            seats::expire(&Cx { now: at, ..world.operator() }, row.id).await.unwrap();
                        }
                        book.expire(at);
                        (true, true)
                    }
                };
                // A repeated act is answered like the first by the service, and refused by the book.
                assert!(said || !expected, "round {round}, step {step}");
                let rows = store::of_class(&mut world.db().read().await.unwrap(), id).await.unwrap();
                for who in &people {
                    let there = rows.iter().find(|row| row.person_id == who.id).map(|row| (row.state, row.offered_until));
                    let model = book.line(who.id).map(|line| (line.state, line.offered_until));
                    assert_eq!(there, model, "round {round}, step {step}");
                }
                assert_eq!(class(&world, id).await.seats(), book.seats());
            }
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn the_demo_company_has_classes_in_every_state_and_keeps_its_promises(world: World) {
        let demo = World::demo(world.engine).await;
        for (state, least) in [("draft", 2), ("open", 12), ("running", 1), ("completed", 4), ("cancelled", 1)] {
            let many = fetch_scalar!(demo.db().read().await.unwrap(), i64, "select count(*) from class where state = $1", state).unwrap().unwrap();
            assert!(many >= least, "{state}: {many}");
        }
        assert!(demo.count("select count(*) from enrolment where state = 'offered'").await >= 1);
        assert!(demo.count("select count(*) from certificate").await >= 4);
        demo.drain().await;
        assert_eq!(demo.broken().await, Vec::<String>::new());
    }
}

#[test]
fn letters_are_written_in_every_language() {
    use aftercare::{
        i18n::{Fmt, Locale},
        training::{
            domain::{Cancelling, Cost},
            server::letters::{About, Next, TrainingLetter, Waited},
        },
    };
    let about = || About {
        title: "Printers".into(),
        starts: now(),
        zone: chrono_tz::Europe::Madrid,
        place: String::new(),
        link: "https://portal.test/training/1".into(),
    };
    for locale in [Locale::en, Locale::es, Locale::it, Locale::hi, Locale::lt] {
        let letters = [
            TrainingLetter::Booked { about: about(), cost: Cost::Free, cancelling: Cancelling::Over },
            TrainingLetter::Waitlisted { about: about(), position: 3 },
            TrainingLetter::Offered { about: about(), until: now() },
            TrainingLetter::WaitOver { about: about(), why: Waited::Expired },
            TrainingLetter::WaitOver { about: about(), why: Waited::Begun },
            TrainingLetter::ClassCancelled { about: about(), why: "Ill.".into(), next: None },
            TrainingLetter::ClassCancelled {
                about: about(),
                why: "Ill.".into(),
                next: Some(Next { starts: now(), zone: chrono_tz::Asia::Kolkata, until: now(), differs: None }),
            },
            TrainingLetter::LateForgiven { about: about(), why: "Ill.".into() },
            TrainingLetter::Reminder { about: about() },
            TrainingLetter::Renamed { about: about(), was: "Before".into() },
        ];
        for letter in letters {
            let written = letter.write(Fmt::new(locale));
            assert!(written.subject.contains("Printers") && written.body.contains("Printers"), "{written:?}");
            assert!(!written.body.contains("{{") && !written.body.contains("https://"), "{written:?}");
        }
    }
}

both! {
    async fn every_class_of_the_desk_is_reached_page_by_page(world: World) {
        let school = School::of(&world, vec![]).await;
        // Three on the first day, then one every three hours.
        let drafts = |name: &str, hours: i64, many: i64| -> Vec<Draft> {
            (0..many).map(|n| school.draft(&format!("{name} {n:03}."), 5, hours + 3 * n, 0)).collect()
        };
        let opened = [drafts("Today", 1, 3), drafts("Class", 24, 45)].concat();
        plan::create_series(&school.cx, opened, Extras::default(), true, None).await.unwrap();
        plan::create_series(&school.cx, drafts("Draft", 24 * 20, 45), Extras::default(), false, None).await.unwrap();
        let manager = world.staff(Role::Manager).await;
        let titles = |page: &str, name: &str, most: usize| -> Vec<String> {
            (0..most).map(|n| format!("{name} {n:03}.")).filter(|title| page.contains(title)).collect()
        };
        for (who, view, name) in [
            (&school.trainer, "coming", "Class"),
            (&manager, "coming", "Class"),
            (&school.trainer, "drafts", "Draft"),
            (&manager, "drafts", "Draft"),
        ] {
            let (mut path, mut seen, mut pages) = (format!("/desk/classes?view={view}"), Vec::new(), 0);
            loop {
                let page = world.get(who, &path).await;
                assert_eq!(page.status, StatusCode::OK, "{path}");
                assert!(titles(&page.body, "Today", 3).is_empty(), "{path}: {}", page.body);
                let here = titles(&page.body, name, 45);
                assert!((1..=PAGE).contains(&here.len()), "{path}: {here:?}");
                seen.extend(here);
                pages += 1;
                let Some((_, pager)) = page.body.split_once("rel=\"next\"") else { break };
                let after = pager.split_once("after=").unwrap().1.split('"').next().unwrap();
                path = format!("/desk/classes?view={view}&after={after}");
            }
            assert_eq!(pages, 3, "{view}");
            assert_eq!(seen, titles(&seen.concat(), name, 45), "each once, in their order");
            assert_eq!(seen.len(), 45, "{view}");
        }
        let today = world.get(&manager, "/desk/classes").await.body;
        assert_eq!((titles(&today, "Today", 3).len(), titles(&today, "Class", 45).len()), (3, 0), "{today}");
    }
}

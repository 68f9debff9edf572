//! The learner's side: the catalogue and its filters, courses and what they need, materials, what is said in advance,
//! make-up sessions, certificates. On both databases, through services and through the router.

use crate::{
    both,
    groups::Firm,
    sold,
    training::{School, now},
    world::{Reply, Signed, World},
};
use aftercare::{
    access::{Role, Viewer},
    calendar::domain::Span,
    fetch_all, fetch_scalar,
    training::{
        domain::{Announced, ClassState, EnrolmentState, Level, Mark, NeedsRule, Refusal},
        server::{
            announce, attend, change, check_in,
            courses::{self, Edit},
            groups, make_ups, materials, plan,
            plan::Draft,
            seats::{self, Consent},
            staff_seats::{self, WalkIn},
            store::{self, SessionRow},
        },
    },
    values::{ClassId, CourseId, EnrolmentId, MakeUpId, ProductId},
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use serde_json::Value;

async fn enrol(world: &World, who: &Signed, class: ClassId) -> EnrolmentId {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap().enrolment
}

async fn sessions(world: &World, class: ClassId) -> Vec<SessionRow> {
    store::sessions(&mut world.db().read().await.unwrap(), class).await.unwrap()
}

async fn class(world: &World, id: ClassId) -> store::ClassRow {
    store::class(&mut world.db().read().await.unwrap(), id).await.unwrap()
}

/// A course as it is stored, with something changed.
async fn change(world: &World, school: &School, id: CourseId, change: impl Fn(&mut Edit)) {
    let course = store::course_detail(&mut world.db().read().await.unwrap(), id).await.unwrap();
    let mut edit = Edit { course, units: Vec::new(), needs: Vec::new() };
    change(&mut edit);
    courses::edit(&school.now(world).await, edit).await.unwrap();
}

/// Two sessions of two hours, a day apart.
fn twice(school: &School, title: &str, capacity: i64, hours: i64) -> Draft {
    let first = now() + Duration::hours(hours);
    let span = |from| Span { from, until: from + Duration::hours(2) };
    Draft { sessions: vec![span(first), span(first + Duration::days(1))], ..school.draft(title, capacity, hours, 0) }
}

/// The mark of everybody in the first session, and of one of them in the second.
async fn hold(world: &World, school: &School, id: ClassId, away: EnrolmentId, mark: Mark) {
    let cx = school.now(world).await;
    for (number, session) in sessions(world, id).await.iter().enumerate() {
        if number == 1 {
            attend::mark(&cx, id, session.id, away, None, Some(mark)).await.unwrap();
        }
        attend::mark_rest(&cx, id, session.id).await.unwrap();
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, aftercare::error::AppError>) -> Refusal {
    match result {
        Err(aftercare::error::AppError::Refused(aftercare::error::Refusal::Training(refusal))) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

both! {
    async fn the_catalogue_narrows_by_everything_and_says_what_is_on(world: World) {
        let school = School::of(&world, vec![]).await;
        let hard = School::course(&world, "Priežiūra: saugos taisyklės", vec![]).await;
        change(&world, &school, hard, |edit| edit.course.level = Level::Advanced).await;
        let online = school.open(school.draft("Easy online", 2, 24 * 10, 0)).await;
        let room = Draft { course: hard, room: Some(school.room), link: None, language: "lt".into(), ..school.draft("Sunkūs darbai", 1, 24 * 40, 0) };
        let room = school.open(room).await;
        let ann = world.customer("ann@example.com").await;
        let seen = async |query: &str| {
            let page = world.get(&ann, &format!("/training{query}")).await;
            assert_eq!(page.status, StatusCode::OK, "{query}");
            (page.body.contains("Easy online"), page.body.contains("Sunkūs darbai"), page)
        };
        let only = async |query: &str| {
            let (easy, hard, _) = seen(query).await;
            (easy, hard)
        };
        let day = |hours: i64| (now() + Duration::hours(hours)).date_naive();
        assert_eq!(only("").await, (true, true));
        for query in ["?level=beginner", "?how=online", "?language=en", "?place=online", "?q=EASY"] {
            assert_eq!(only(query).await, (true, false), "{query}");
        }
        // By the town, by the subject without accents, and by a title without them.
        for query in ["?level=advanced", "?how=in_person", "?place=Madrid", "?language=lt", "?q=prieziura", "?q=sunkus", "?q=SAUGOS"] {
            assert_eq!(only(query).await, (false, true), "{query}");
        }
        assert_eq!(only(&format!("?from={}", day(24 * 20))).await, (false, true));
        assert_eq!(only(&format!("?until={}", day(24 * 20))).await, (true, false));
        assert_eq!(only(&format!("?from={0}&until={0}", day(24 * 10))).await, (true, false));
        assert_eq!(only("?level=advanced&how=online").await, (false, false));
        for query in ["?level=nonsense", "?from=nonsense", "?from=-262143-01-01", "?until=262142-12-31", "?how=x", "?q=%20"] {
            assert_eq!(only(query).await, (true, true), "{query}");
        }
        enrol(&world, &ann, room).await;
        assert_eq!(only("?free=yes").await, (true, false));
        // What is on stands there, and each goes off alone.
        let (_, _, page) = seen("?level=advanced&language=lt&q=darb").await;
        for off in ["/training?q=darb&#38;language=lt", "/training?q=darb&amp;language=lt"] {
            if page.body.contains(off) {
                assert_eq!(page.body.matches("class=\"chip\"").count(), 3);
                return;
            }
        }
        panic!("{online}: {}", page.body);
    }
}

both! {
    async fn once_the_waitlist_is_closed_a_free_seat_reads_as_one(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Short notice", 1, 30, 0)).await;
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, id).await;
        enrol(&world, &world.customer("bob@example.com").await, id).await;
        let cid = world.customer("cid@example.com").await;
        let free = async || world.get(&cid, "/training?free=1").await.body;
        assert!(!free().await.contains("Short notice"));
        // An hour and a half before the start it is offered to nobody any more.
        world.advance(Duration::minutes(28 * 60 + 30));
        seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        assert_eq!(class(&world, id).await.waiting, 1);
        let list = free().await;
        assert!(list.contains("Short notice") && list.contains("1 seat left"), "{list}");
        let page = world.get(&cid, &format!("/training/{id}")).await.body;
        assert!(page.contains("1 seat left"), "{page}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_course_page_tells_everything_and_a_second_editor_sees_the_firsts_change(world: World) {
        let school = School::of(&world, vec![]).await;
        let basics = School::course(&world, "Basics first", vec![]).await;
        let path = format!("/desk/courses/{}", school.course);
        let form = |version: &'static str, need: String| {
            vec![
                ("version", version.to_owned()),
                ("title", "Printers in depth".to_owned()),
                ("summary", "Deep.".to_owned()),
                ("language", "en".to_owned()),
                ("level", "intermediate".to_owned()),
                ("pass_percent", "70".to_owned()),
                ("needs_rule", "require".to_owned()),
                ("needs", need),
                ("unit_1", "Heads".to_owned()),
                ("minutes_1", "90".to_owned()),
                ("about_1", "How they work.".to_owned()),
                ("unit_3", "Colours".to_owned()),
                ("minutes_3", "45".to_owned()),
            ]
        };
        let post = async |fields: Vec<(&'static str, String)>| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.post(&school.trainer, &path, &fields).await
        };
        assert_eq!(post(form("1", basics.to_string())).await.status, StatusCode::SEE_OTHER);
        let stale = post(form("1", basics.to_string())).await;
        assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
        let wrong: Vec<_> = form("2", String::new()).into_iter().map(|(name, value)| (name, if name == "minutes_1" { "many".to_owned() } else { value })).collect();
        let again = post(wrong).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.body.contains("Heads") && again.body.contains("Colours"), "what was typed is kept");
        let ann = world.customer("ann@example.com").await;
        let id = school.open(school.draft("Depth", 5, 24 * 9, 0)).await;
        let page = world.get(&ann, &format!("/training/courses/{}", school.course)).await;
        for words in ["Printers in depth", "Intermediate", "Heads", "How they work.", "2 hours", "15 minutes", "Basics first", "Not taken yet", &format!("/training/{id}")] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        assert_eq!(world.get(&ann, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&ann, "/desk/courses").await.status, StatusCode::NOT_FOUND);
        assert!(world.get(&school.trainer, "/desk/courses").await.body.contains("Printers in depth"));
        assert_eq!(world.count("select count(*) from history where act = 'edit_course'").await, 1);
    }
}

both! {
    async fn who_lacks_what_a_course_needs_is_warned_or_refused_and_staff_never(world: World) {
        let school = School::of(&world, vec![]).await;
        let basics = School::course(&world, "Basics first", vec![]).await;
        change(&world, &school, school.course, |edit| {
            edit.needs = vec![basics, school.course];
            edit.course.needs_rule = NeedsRule::Require;
        }).await;
        let later = school.open(school.draft("The hard one", 5, 24 * 20, 0)).await;
        let before = Draft { course: basics, ..school.draft("The easy one", 5, 24 * 10, 0) };
        let before = school.open(before).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let cx = world.cx_of(&ann).await;
        let refusal = refused(seats::enrol(&cx, later, Consent::default()).await);
        assert_eq!(refusal, Refusal::NeedsBefore { courses: vec!["Basics first".to_owned()] });
        let page = world.get(&ann, &format!("/training/{later}")).await;
        assert!(page.body.contains("This course requires Basics first first."), "{}", page.body);
        let again = world.post(&ann, &format!("/training/{later}"), &[("act", "enrol"), ("agreed", "0")]).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Whoever takes it before may take this after it.
        enrol(&world, &ann, before).await;
        enrol(&world, &ann, later).await;
        // A colleague of the trainer's may at once.
        let colleague = world.staff_named(Role::Trainer, "second@staff.example").await;
        enrol(&world, &colleague, later).await;
        // Where the course only warns, one reads it and enrols.
        change(&world, &school, school.course, |edit| {
            edit.needs = vec![basics];
            edit.course.needs_rule = NeedsRule::Warn;
        }).await;
        let page = world.get(&bob, &format!("/training/{later}")).await;
        assert!(page.body.contains("builds on Basics first"), "{}", page.body);
        enrol(&world, &bob, later).await;
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

const BOUNDARY: &str = "the-boundary-of-a-material";

fn upload(trainer: &Signed, course: CourseId, audience: &str, name: &str, bytes: &[u8]) -> Request<Body> {
    let mut body = Vec::new();
    for (field, value) in [("title", "Notes"), ("audience", audience), ("link", "")] {
        let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    Request::post(format!("/desk/courses/{course}/materials"))
        .header(header::COOKIE, &trainer.cookie)
        .header(header::ORIGIN, "http://portal.test")
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(Body::from(body))
        .unwrap()
}

both! {
    async fn a_material_reaches_whom_the_trainer_chose_as_a_download_and_nobody_else(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("With notes", 5, 24 * 9, 0)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        enrol(&world, &ann, id).await;
        let pdf = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF";
        assert_eq!(world.send(upload(&school.trainer, school.course, "enrolled", "Užrašai.pdf", pdf)).await.status, StatusCode::SEE_OTHER);
        let material = async |n: i64| {
            let ids: Vec<(aftercare::values::MaterialId,)> = aftercare::fetch_all!(
                world.db().read().await.unwrap(), (aftercare::values::MaterialId,), "select id from material order by created_at, id"
            ).unwrap();
            format!("/materials/{}", ids[n as usize].0)
        };
        let notes = material(0).await;
        let mine = world.get(&ann, &notes).await;
        assert_eq!((mine.status, mine.body.as_bytes()), (StatusCode::OK, &pdf[..]));
        let header = |reply: &Reply, name: &str| reply.headers.get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header(&mine, "content-type"), "application/pdf");
        assert_eq!(header(&mine, "x-content-type-options"), "nosniff");
        assert!(header(&mine, "content-disposition").starts_with("attachment; filename=\"U_ra_ai.pdf\"; filename*=UTF-8''U%C5%BEra%C5%A1ai.pdf"));
        assert!(header(&mine, "content-security-policy").contains("sandbox"));
        assert_eq!(world.get(&bob, &notes).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(None, &notes).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.get(&school.trainer, &notes).await.status, StatusCode::OK);
        let course = format!("/training/courses/{}", school.course);
        assert!(world.get(&ann, &course).await.body.contains(&notes) && !world.get(&bob, &course).await.body.contains(&notes));
        assert!(world.get(&ann, &format!("/training/{id}")).await.body.contains(&notes));
        // A picture is drawn anew; what is neither is refused, whatever it calls itself.
        let mut png = std::io::Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(8, 8).write_to(&mut png, image::ImageFormat::Png).unwrap();
        assert_eq!(world.send(upload(&school.trainer, school.course, "everyone", "a.png", png.get_ref())).await.status, StatusCode::SEE_OTHER);
        let picture = world.get(&bob, &material(1).await).await;
        assert_eq!(header(&picture, "content-type"), "image/jpeg");
        for bad in [&b"<html><script>alert(1)</script>"[..], b"MZ\x90", b"\x89PNG\r\n\x1a\nbroken"] {
            let reply = world.send(upload(&school.trainer, school.course, "everyone", "a.pdf", bad)).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(reply.body.contains("Only PDF files") && reply.body.contains("value=\"Notes\""), "{}", reply.body);
        }
        let huge = world.send(upload(&school.trainer, school.course, "everyone", "a.pdf", &vec![b'a'; 21 * 1024 * 1024])).await;
        assert_eq!(huge.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(huge.body.contains("at most 20 megabytes"), "{}", huge.body);
        assert_eq!(world.send(upload(&bob, school.course, "everyone", "a.pdf", pdf)).await.status, StatusCode::NOT_FOUND);
        // An address instead of a file, and only a safe one.
        let add = format!("{}/materials", course.replace("/training/", "/desk/"));
        for (link, status) in [("https://example.com/x", StatusCode::SEE_OTHER), ("javascript:alert(1)", StatusCode::UNPROCESSABLE_ENTITY)] {
            let form = [("title", "Elsewhere"), ("audience", "everyone"), ("link", link)];
            assert_eq!(world.post(&school.trainer, &add, &form).await.status, status, "{link}");
        }
        // Taken away, it is gone from the disk too.
        let gone = notes.trim_start_matches("/materials/").to_owned();
        let form = [("act", "remove"), ("material", gone.as_str())];
        assert_eq!(world.post(&school.trainer, &add.replace("/materials", ""), &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.get(&ann, &notes).await.status, StatusCode::NOT_FOUND);
        let left = std::fs::read_dir(world.app.config.data_dir.join("materials")).unwrap()
            .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap()).count();
        assert_eq!(left, 1);
    }
}

both! {
    async fn what_is_said_in_advance_stands_on_the_roster_and_can_be_taken_back(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(twice(&school, "Said", 5, 30)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        enrol(&world, &ann, id).await;
        let all = sessions(&world, id).await;
        let (path, session) = (format!("/training/{id}"), all[1].id.to_string());
        let say = [("act", "announce"), ("session", session.as_str()), ("kind", "late"), ("words", "My train is late.")];
        assert_eq!(world.post(&ann, &path, &say).await.status, StatusCode::SEE_OTHER);
        let absent = [("act", "announce"), ("session", session.as_str()), ("kind", "absent"), ("words", "")];
        assert_eq!(world.post(&bob, &path, &absent).await.status, StatusCode::UNPROCESSABLE_ENTITY, "no seat");
        let roster = async |session: &str| world.get(&school.trainer, &format!("/desk/classes/{id}?session={session}")).await.body;
        assert!(roster(&session).await.contains("I will be late: My train is late."));
        assert!(!roster(&all[0].id.to_string()).await.contains("My train"));
        // Said again it is replaced, and without a kind refused with what was typed.
        assert_eq!(world.post(&ann, &path, &absent).await.status, StatusCode::SEE_OTHER);
        assert!(!roster(&session).await.contains("My train"));
        let wrong = world.post(&ann, &path, &[("act", "announce"), ("session", &session), ("words", "Half a thought")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains("Half a thought"), "{}", wrong.body);
        for _ in 0..2 {
            assert_eq!(world.post(&ann, &path, &[("act", "withdraw"), ("session", &session)]).await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(world.count("select count(*) from announcement").await, 0);
        assert_eq!(world.count("select count(*) from history where act = 'withdraw_announcement'").await, 1);
        world.advance(Duration::days(9));
        let cx = world.cx_of(&ann).await;
        let over = refused(announce::say(&cx, id, all[1].id, Announced::Late, String::new()).await);
        assert_eq!(over, Refusal::SessionOver { at: all[1].ends_at });
    }
}

/// A class whose second session somebody missed, closed without a certificate; and another one to make it up in.
struct Missed {
    school: School,
    home: ClassId,
    host: ClassId,
    learner: Signed,
    seat: EnrolmentId,
}

impl Missed {
    async fn of(world: &World, capacity: i64, mark: Mark) -> Self {
        let school = School::of(world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 30)).await;
        let host = school.open(twice(&school, "Host", capacity, 24 * 12)).await;
        let (learner, other) = (world.customer("ann@example.com").await, world.customer("other@example.com").await);
        let seat = enrol(world, &learner, home).await;
        enrol(world, &other, home).await;
        world.advance(Duration::hours(60));
        hold(world, &school, home, seat, mark).await;
        plan::close(&school.now(world).await, home).await.unwrap();
        Self { school, home, host, learner, seat }
    }

    async fn book(&self, world: &World) -> Result<MakeUpId, aftercare::error::AppError> {
        let (missed, equal) = (sessions(world, self.home).await[1].id, sessions(world, self.host).await[1].id);
        make_ups::book(&world.cx_of(&self.learner).await, self.home, missed, equal, None).await
    }

    async fn certificates(&self, world: &World) -> i64 {
        fetch_scalar!(
            world.db().read().await.unwrap(),
            i64,
            "select count(*) from certificate where enrolment_id = $1",
            self.seat
        )
        .unwrap()
        .unwrap()
    }
}

both! {
    async fn a_session_that_is_made_up_is_told_by_the_clock_of_its_place(world: World) {
        let missed = Missed::of(&world, 2, Mark::Absent).await;
        missed.book(&world).await.unwrap();
        let made_up = async || {
            let page = world.get(&missed.learner, "/training/mine").await.body;
            page.split("Sessions made up").nth(1).unwrap().split("</section>").next().unwrap().to_owned()
        };
        assert!(!made_up().await.contains("(Madrid)"));
        world.corrupt("update person set zone = 'Asia/Kolkata' where email = 'ann@example.com'").await;
        assert!(made_up().await.contains("(Madrid)"), "{}", made_up().await);
    }
}

both! {
    async fn a_missed_session_is_made_up_elsewhere_at_no_cost_and_earns_the_certificate(world: World) {
        let missed = Missed::of(&world, 2, Mark::Absent).await;
        assert_eq!(missed.certificates(&world).await, 0);
        let charges = world.count("select count(*) from charge").await;
        let page = world.get(&missed.learner, &format!("/training/{}", missed.home)).await;
        assert!(page.body.contains("Missed: session 2."), "{}", page.body);
        let path = format!("/training/{}/make-up", missed.home);
        let (all, equal) = (sessions(&world, missed.home).await, sessions(&world, missed.host).await);
        let shown = world.get(&missed.learner, &path).await;
        assert!(shown.body.contains(&equal[1].id.to_string()) && !shown.body.contains(&equal[0].id.to_string()), "{}", shown.body);
        // The other session, the same class, a session that was not missed.
        let cx = world.cx_of(&missed.learner).await;
        let book = async |lost: &SessionRow, into: &SessionRow| make_ups::book(&cx, missed.home, lost.id, into.id, None).await;
        assert_eq!(refused(book(&all[1], &equal[0]).await), Refusal::NotEqual);
        assert_eq!(refused(book(&all[1], &all[1]).await), Refusal::NotEqual);
        assert_eq!(refused(book(&all[0], &equal[0]).await), Refusal::NotMissed);
        let (lost, into) = (all[1].id.to_string(), equal[1].id.to_string());
        let key = uuid::Uuid::now_v7().to_string();
        let form = [("missed", lost.as_str()), ("session", into.as_str()), ("key", key.as_str())];
        for _ in 0..2 {
            assert_eq!(world.post(&missed.learner, &path, &form).await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(world.count("select count(*) from make_up").await, 1, "a double tap has one effect");
        assert_eq!(refused(missed.book(&world).await), Refusal::AlreadyMadeUp);
        assert_eq!(world.count("select count(*) from charge").await, charges);
        let (_, body, link) = world.letter("ann@example.com").await.unwrap();
        assert!(body.contains("Host") && link.unwrap().ends_with("/make-up"), "{body}");
        assert!(world.get(&missed.learner, "/training/mine").await.body.contains("Host"));
        assert_eq!(world.broken().await, Vec::<String>::new());
        // The trainer of the other class sees the guest and marks them.
        let id = fetch_scalar!(world.db().read().await.unwrap(), MakeUpId, "select id from make_up").unwrap().unwrap();
        let door = format!("/desk/make-ups/{id}");
        let trainer = &missed.school.trainer;
        assert_eq!(world.post(trainer, &door, &[("mark", "present")]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "too early");
        world.advance(Duration::days(11));
        let roster = world.get(trainer, &format!("/desk/classes/{}?session={}", missed.host, equal[1].id)).await;
        assert!(roster.body.contains(&door) && roster.body.contains("Makes up a session of “Home”"), "{}", roster.body);
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        assert_eq!(world.post(&second, &door, &[("mark", "present")]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.post(&missed.learner, &door, &[("mark", "present")]).await.status, StatusCode::NOT_FOUND);
        // Absent once more: nothing. Present: the certificate, after the class was closed. A mistake: taken back.
        for (mark, certificates) in [("absent", 0), ("present", 1), ("absent", 0), ("late", 1)] {
            assert_eq!(world.post(trainer, &door, &[("mark", mark)]).await.status, StatusCode::SEE_OTHER, "{mark}");
            assert_eq!(missed.certificates(&world).await, certificates, "{mark}");
        }
        // Each has a code of its own, so each is told, and so is what was taken back: a copy of it holds no longer.
        assert_eq!(world.count("select count(*) from message where letter = 'certified' and email = 'ann@example.com'").await, 2);
        assert_eq!(world.count("select count(*) from message where letter = 'certificate_withdrawn' and email = 'ann@example.com'").await, 1);
        assert!(world.get(&missed.learner, "/training/mine").await.body.contains("/certificates/"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_guest_is_checked_in_like_everybody_else(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap();
        let (trainer, learner) = (&missed.school.trainer, &missed.learner);
        let mine = world.get(learner, &format!("/training/{}/make-up", missed.home)).await.body;
        assert!(mine.contains(&format!("/training/{}/ticket.svg", missed.home)), "{mine}");
        let all = sessions(&world, missed.host).await;
        let room = format!("/desk/classes/{}/room", missed.host);
        let (first, here) = (format!("{room}?session={}", all[0].id), format!("{room}?session={}", all[1].id));
        assert!(!world.get(trainer, &first).await.body.contains("Makes up a session"), "a guest of the other session");
        assert!(world.get(trainer, &here).await.body.contains("Makes up a session of “Home”"));
        let sheet = world.get(trainer, &format!("/desk/classes/{}/sheet", missed.host)).await.body;
        assert!(sheet.contains("Guest"), "{sheet}");
        // Today in their class there is nothing, but there is here: by the camera, by a tap, by the code.
        world.advance(Duration::days(11));
        let door = check_in::path(&world.app, missed.seat);
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        assert_eq!(world.get(&second, &door).await.status, StatusCode::FORBIDDEN);
        let scanned = world.get(trainer, &door).await.body;
        assert!(scanned.contains("Guest") && scanned.contains("id=\"check-in\""), "{scanned}");
        let done = world.post(trainer, &door, &[("was", "none")]).await;
        assert!(done.location().ends_with(&format!("#g-{id}")), "{}", done.body);
        assert_eq!(missed.certificates(&world).await, 1);
        assert!(world.get(trainer, &here).await.body.contains("1 of 1"), "the guest counts");
        let (session, guest) = (all[1].id.to_string(), id.to_string());
        let tap = async |was: &str, mark: &str| {
            let form = [("act", "mark"), ("session", session.as_str()), ("guest", guest.as_str()), ("was", was), ("mark", mark)];
            world.post(trainer, &room, &form).await
        };
        assert_eq!(tap("none", "absent").await.status, StatusCode::UNPROCESSABLE_ENTITY, "somebody else has marked");
        assert_eq!(tap("present", "").await.status, StatusCode::SEE_OTHER);
        assert_eq!(missed.certificates(&world).await, 0);
        let code = check_in::code(&world.app, missed.seat);
        let typed = world.post(trainer, &room, &[("act", "code"), ("session", &session), ("code", &code)]).await;
        assert!(typed.location().ends_with(&format!("#g-{id}")), "{}", typed.body);
        // A slip of the thumb is taken back, the certificate with it, and only by who saw what stands now.
        assert_eq!(tap("present", "absent").await.status, StatusCode::SEE_OTHER);
        assert_eq!(missed.certificates(&world).await, 0);
        assert!(world.get(trainer, &here).await.body.contains("id=\"undo\""));
        let back = async |saw: &str| {
            let form = [("act", "undo"), ("session", session.as_str()), ("guest", guest.as_str()), ("saw", saw)];
            world.post(trainer, &room, &form).await
        };
        assert_eq!(back("present").await.status, StatusCode::UNPROCESSABLE_ENTITY, "not what stands now");
        let done = back("absent").await;
        assert!(done.location().ends_with(&format!("#g-{id}")), "{}", done.body);
        assert_eq!(missed.certificates(&world).await, 1);
        assert_eq!(back("present").await.status, StatusCode::SEE_OTHER);
        assert_eq!(missed.certificates(&world).await, 0, "there was no mark before");
        let other = world.post(trainer, &room, &[("act", "code"), ("session", &all[0].id.to_string()), ("code", &code)]).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "no guest of that session");
        let file = world.get(trainer, &format!("/desk/classes/{}/roster.csv", missed.host)).await.body;
        assert!(file.contains("ann (guest),ann@example.com"), "{file}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_else_is_present_may_be_a_guest_and_no_class_closes_before_its_guests_are_marked(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap();
        let bob = world.customer("bob@example.com").await;
        let seat = enrol(&world, &bob, missed.host).await;
        // In the second session of that class, of which the first begins twelve days after the beginning of all.
        world.advance(Duration::hours(24 * 13 - 60 + 1));
        let cx = missed.school.now(&world).await;
        let all = sessions(&world, missed.host).await;
        for session in &all {
            attend::mark(&cx, missed.host, session.id, seat, None, Some(Mark::Present)).await.unwrap();
        }
        assert_eq!(refused(plan::close(&cx, missed.host).await), Refusal::Unmarked { people: 1 });
        let (desk, session) = (format!("/desk/classes/{}", missed.host), all[1].id.to_string());
        let page = world.get(&missed.school.trainer, &format!("{desk}?session={session}")).await.body;
        assert!(page.contains("id=\"mark-rest\"") && page.contains("1 not marked yet"), "{page}");
        let rest = [("act", "mark_rest"), ("session", session.as_str())];
        for _ in 0..2 {
            assert_eq!(world.post(&missed.school.trainer, &desk, &rest).await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(missed.certificates(&world).await, 1);
        assert_eq!(world.count("select count(*) from history where act = 'mark_make_up'").await, 1);
        plan::close(&cx, missed.host).await.unwrap();
        // Of a class that is closed a mark can be another one, and not none.
        let cleared = refused(make_ups::mark(&cx, id, None, None).await);
        assert_eq!(cleared, Refusal::WrongState { state: ClassState::Completed });
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.corrupt("update make_up set mark = null").await;
        assert_eq!(world.broken().await, ["guest_unmarked_in_a_closed_class"]);
    }
}

both! {
    async fn a_guest_of_whom_a_closed_class_says_nothing_can_still_be_marked(world: World) {
        let ann = world.customer("ann@example.com").await;
        sold::sell(&world, &[&sold::printer("A-1", "ann@example.com", "ES", "S-1")]).await;
        let product = fetch_scalar!(world.db().read().await.unwrap(), ProductId, "select id from product").unwrap().unwrap();
        let school = School::of(&world, vec![product]).await;
        let home = school.open(school.draft("Home", 5, 30, 9000)).await;
        let host = school.open(school.draft("Host", 5, 24 * 12, 9000)).await;
        let seat = enrol(&world, &ann, home).await;
        let (lost, equal) = (sessions(&world, home).await[0].id, sessions(&world, host).await[0].id);
        world.advance(Duration::hours(33));
        let trainer = school.now(&world).await;
        attend::mark(&trainer, home, lost, seat, None, Some(Mark::Excused)).await.unwrap();
        let id = make_ups::book(&world.cx_of(&ann).await, home, lost, equal, None).await.unwrap();
        plan::close(&trainer, home).await.unwrap();
        let used = async || world.count("select count(*) from benefit_entry where kind = 'use'").await;
        assert_eq!(used().await, 0, "until it is made up");
        // As it was closed before guests had to be marked.
        world.advance(Duration::days(11));
        world.corrupt_of("update class set state = 'completed' where title = 'Host'", "select id from enrolment").await;
        assert!(world.broken().await.contains(&"guest_unmarked_in_a_closed_class".to_owned()));
        let (desk, door) = (format!("/desk/classes/{host}"), format!("/desk/make-ups/{id}"));
        assert!(world.get(&school.trainer, &desk).await.body.contains(&door));
        let tap = async |mark: &str| world.post(&school.trainer, &door, &[("was", "none"), ("mark", mark)]).await.status;
        assert_eq!(tap("present").await, StatusCode::SEE_OTHER);
        assert_eq!(used().await, 1);
        assert_eq!(world.count("select count(*) from certificate").await, 1);
        // It says something now, and that stands.
        assert!(!world.get(&school.trainer, &desk).await.body.contains(&door));
        let other = refused(make_ups::mark(&school.now(&world).await, id, None, Some(Mark::Absent)).await);
        assert_eq!(other, Refusal::WrongState { state: ClassState::Completed });
        world.corrupt_of("update class set state = 'open' where title = 'Host'", "select id from enrolment").await;
        assert!(!world.broken().await.contains(&"guest_unmarked_in_a_closed_class".to_owned()));
    }
}

both! {
    async fn whoever_cannot_come_makes_the_session_up_beforehand_unless_they_come_after_all(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 24 * 10)).await;
        let host = school.open(twice(&school, "Host", 2, 24 * 5)).await;
        let ann = world.customer("ann@example.com").await;
        let seat = enrol(&world, &ann, home).await;
        let (own, equal) = (sessions(&world, home).await, sessions(&world, host).await);
        let cx = world.cx_of(&ann).await;
        let book = async || make_ups::book(&cx, home, own[1].id, equal[1].id, None).await;
        let say = async |kind| announce::say(&cx, home, own[1].id, kind, String::new()).await.unwrap();
        assert_eq!(refused(book().await), Refusal::NotMissed);
        say(Announced::Late).await;
        assert_eq!(refused(book().await), Refusal::NotMissed);
        say(Announced::Absent).await;
        let page = world.get(&ann, &format!("/training/{home}")).await.body;
        assert!(page.contains("You cannot come to session 2."), "{page}");
        let page = world.get(&ann, &format!("/training/{home}/make-up")).await.body;
        assert!(page.contains(&equal[1].id.to_string()), "{page}");
        let booked = async || world.count("select count(*) from make_up where state = 'booked'").await;
        for kind in [None, Some(Announced::Late)] {
            say(Announced::Absent).await;
            book().await.unwrap();
            assert_eq!(class(&world, host).await.guests, 1);
            match kind {
                None => announce::withdraw(&cx, home, own[1].id).await.unwrap(),
                Some(kind) => say(kind).await,
            }
            assert_eq!((booked().await, class(&world, host).await.guests), (0, 0));
        }
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_given_back'").await, 2);
        say(Announced::Absent).await;
        let id = book().await.unwrap();
        assert_eq!(world.broken().await, Vec::<String>::new());
        // Made up before the own session is held, it counts for that.
        world.advance(Duration::hours(24 * 6 + 1));
        make_ups::mark(&school.now(&world).await, id, None, Some(Mark::Present)).await.unwrap();
        world.advance(Duration::days(5));
        let trainer = school.now(&world).await;
        for (session, mark) in own.iter().zip([Mark::Present, Mark::Absent]) {
            attend::mark(&trainer, home, session.id, seat, None, Some(mark)).await.unwrap();
        }
        plan::close(&trainer, home).await.unwrap();
        assert_eq!(world.count("select count(*) from certificate").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_is_said_in_advance_is_read_in_the_room_and_guests_say_it_too(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap().to_string();
        let bob = world.customer("bob@example.com").await;
        enrol(&world, &bob, missed.host).await;
        let session = sessions(&world, missed.host).await[1].id;
        announce::say(&world.cx_of(&bob).await, missed.host, session, Announced::Absent, "At the doctor's.".into()).await.unwrap();
        let path = format!("/training/{}/make-up", missed.home);
        let say = [("act", "announce"), ("make_up", id.as_str()), ("kind", "late"), ("words", "My train is late.")];
        assert_eq!(world.post(&bob, &path, &say).await.status, StatusCode::NOT_FOUND, "not his");
        for _ in 0..2 {
            assert_eq!(world.post(&missed.learner, &path, &say).await.status, StatusCode::SEE_OTHER);
        }
        let mine = world.get(&missed.learner, &path).await.body;
        assert!(mine.contains("I will be late") && mine.contains("My train is late."), "{mine}");
        let trainer = &missed.school.trainer;
        let room = format!("/desk/classes/{}/room?session={session}", missed.host);
        let seen = world.get(trainer, &room).await.body;
        for words in ["I cannot come", "At the doctor", "I will be late", "My train is late."] {
            assert!(seen.contains(words), "{words}: {seen}");
        }
        let roster = world.get(trainer, &format!("/desk/classes/{}?session={session}", missed.host)).await.body;
        assert!(roster.contains("I will be late: My train is late."), "{roster}");
        // Without a kind it is refused, with what was typed; taken back it is gone.
        let form = [("act", "announce"), ("make_up", id.as_str()), ("words", "Half a thought")];
        let wrong = world.post(&missed.learner, &path, &form).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains("Half a thought"), "{}", wrong.body);
        let back = [("act", "withdraw"), ("make_up", id.as_str())];
        assert_eq!(world.post(&missed.learner, &path, &back).await.status, StatusCode::SEE_OTHER);
        assert!(!world.get(trainer, &room).await.body.contains("I will be late"));
        // What was said of a make-up ends with it.
        assert_eq!(world.post(&missed.learner, &path, &say).await.status, StatusCode::SEE_OTHER);
        make_ups::cancel(&world.cx_of(&missed.learner).await, id.parse().unwrap()).await.unwrap();
        missed.book(&world).await.unwrap();
        assert!(!world.get(&missed.learner, &path).await.body.contains("My train is late."));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn guests_take_seats_that_nobody_else_gets(world: World) {
        let missed = Missed::of(&world, 2, Mark::Absent).await;
        missed.book(&world).await.unwrap();
        let (bob, cid) = (world.customer("bob@example.com").await, world.customer("cid@example.com").await);
        enrol(&world, &bob, missed.host).await;
        let place = seats::enrol(&world.cx_of(&cid).await, missed.host, Consent::default()).await.unwrap();
        assert_eq!(place.position, Some(1), "the guest's seat is not free in that session");
        let edit = |capacity| change::Edit {
            version: 0, title: "Host".into(), room: None, link: Some("https://meet.example.com/x".into()), capacity,
            price: aftercare::values::Money::new(0, aftercare::values::Currency::EUR), cut_off_hours: 48,
        };
        let version = class(&world, missed.host).await.version;
        let cx = missed.school.now(&world).await;
        let smaller = refused(change::edit(&cx, missed.host, change::Edit { version, ..edit(1) }, change::Rest::default()).await);
        assert!(matches!(smaller, Refusal::MustMove { over: 1, .. }), "{smaller:?}");
        // Given back, the seat goes to who waits.
        let id = fetch_scalar!(world.db().read().await.unwrap(), MakeUpId, "select id from make_up").unwrap().unwrap();
        let other = world.cx_of(&bob).await;
        assert!(matches!(make_ups::cancel(&other, id).await, Err(aftercare::error::AppError::NotFound)));
        make_ups::cancel(&world.cx_of(&missed.learner).await, id).await.unwrap();
        let row = store::active(&mut world.db().read().await.unwrap(), missed.host, cid.id).await.unwrap().unwrap();
        assert_eq!(row.state, aftercare::training::domain::EnrolmentState::Offered);
        // Now nobody passes the line.
        assert_eq!(refused(missed.book(&world).await), Refusal::SessionFull);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_guest_of_a_session_that_is_moved_or_taken_out_is_told_and_chooses_again(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        for out in [false, true] {
            missed.book(&world).await.unwrap();
            let row = class(&world, missed.host).await;
            let mut wanted: Vec<_> = sessions(&world, missed.host).await.iter().map(|row| (Some(row.id), row.span())).collect();
            let last = wanted.len() - 1;
            let other = Span { from: wanted[last].1.from + Duration::hours(24), until: wanted[last].1.until + Duration::hours(24) };
            wanted[last] = (Some(wanted[last].0.unwrap()).filter(|_| !out), other);
            let edit = change::Edit {
                version: row.version, title: row.title.clone(), room: row.room_id, link: row.link.clone(),
                capacity: row.capacity, price: row.price(), cut_off_hours: row.cut_off_hours,
            };
            let rest = change::Rest { sessions: Some(wanted), ..change::Rest::default() };
            change::edit(&missed.school.now(&world).await, missed.host, edit, rest).await.unwrap();
            assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0);
            assert_eq!(world.broken().await, Vec::<String>::new());
        }
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_cancelled'").await, 2);
        missed.book(&world).await.unwrap();
    }
}

both! {
    async fn who_missed_a_session_that_is_moved_or_taken_out_makes_nothing_up(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 24 * 10)).await;
        let host = school.open(twice(&school, "Host", 5, 24 * 20)).await;
        let ann = world.customer("ann@example.com").await;
        enrol(&world, &ann, home).await;
        let equal = sessions(&world, host).await[1].id;
        for out in [false, true] {
            let cx = world.cx_of(&ann).await;
            let own = sessions(&world, home).await;
            announce::say(&cx, home, own[1].id, Announced::Absent, String::new()).await.unwrap();
            let id = make_ups::book(&cx, home, own[1].id, equal, None).await.unwrap();
            let row = class(&world, home).await;
            let mut wanted: Vec<_> = own.iter().map(|row| (Some(row.id), row.span())).collect();
            let later = own[1].starts_at + Duration::hours(3);
            wanted[1].1 = Span { from: later, until: later + Duration::hours(2) };
            wanted.truncate(if out { 1 } else { 2 });
            let edit = change::Edit {
                version: row.version, title: row.title.clone(), room: row.room_id, link: row.link.clone(),
                capacity: row.capacity, price: row.price(), cut_off_hours: row.cut_off_hours,
            };
            let rest = change::Rest { sessions: Some(wanted), ..change::Rest::default() };
            change::edit(&school.now(&world).await, home, edit, rest).await.unwrap();
            assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0, "{out}");
            assert_eq!(class(&world, host).await.guests, 0);
            assert_eq!(told(&world, id).await.last().unwrap().0, "cancel");
            assert_eq!(world.broken().await, Vec::<String>::new());
        }
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_void'").await, 2);
    }
}

/// Moves sessions of a class to other spans.
async fn move_to(world: &World, school: &School, id: ClassId, spans: &[Span], known: &[&Signed]) {
    let row = class(world, id).await;
    let all = sessions(world, id).await;
    let edit = change::Edit {
        version: row.version,
        title: row.title.clone(),
        room: row.room_id,
        link: row.link.clone(),
        capacity: row.capacity,
        price: row.price(),
        cut_off_hours: row.cut_off_hours,
    };
    let wanted = all.iter().zip(spans).map(|(row, span)| (Some(row.id), *span)).collect();
    let known_clashes = known.iter().map(|who| who.id).collect();
    let rest = change::Rest { sessions: Some(wanted), known_clashes, ..change::Rest::default() };
    change::edit(&school.now(world).await, id, edit, rest).await.unwrap();
}

fn later(row: &SessionRow, hours: i64) -> Span {
    Span { from: row.starts_at + Duration::hours(hours), until: row.ends_at + Duration::hours(hours) }
}

both! {
    async fn whoever_cannot_keep_a_seat_when_the_class_moves_makes_nothing_up_for_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 24 * 10)).await;
        let host = school.open(twice(&school, "Host", 5, 24 * 20)).await;
        let ann = world.customer("ann@example.com").await;
        let seat = enrol(&world, &ann, home).await;
        let cx = world.cx_of(&ann).await;
        let (own, equal) = (sessions(&world, home).await, sessions(&world, host).await[0].id);
        announce::say(&cx, home, own[0].id, Announced::Absent, String::new()).await.unwrap();
        make_ups::book(&cx, home, own[0].id, equal, None).await.unwrap();
        // The other session goes to when she is elsewhere.
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let away = later(&own[1], 50);
        let hours = (away.from - now()).num_hours();
        let other = Draft { trainer: second.id, ..school.draft("Elsewhere", 5, hours, 0) };
        let other = plan::create(&world.operator(), other, None).await.unwrap();
        plan::publish(&world.operator(), other).await.unwrap();
        enrol(&world, &ann, other).await;
        move_to(&world, &school, home, &[own[0].span(), away], &[&ann]).await;
        let row = store::enrolment(&mut world.db().read().await.unwrap(), seat).await.unwrap();
        assert_eq!(row.state, aftercare::training::domain::EnrolmentState::Offered);
        assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0);
        assert_eq!(class(&world, host).await.guests, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_make_up_that_stands_in_the_way_is_named_to_its_learner_alone(world: World) {
        let missed = Missed::of(&world, 2, Mark::Absent).await;
        let make_up = missed.book(&world).await.unwrap();
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let cx = world.cx_of(&second).await;
        let at = sessions(&world, missed.host).await[1].span();
        let other = Draft { trainer: second.id, sessions: vec![at], ..missed.school.draft("Other", 5, 0, 0) };
        let other = plan::create(&cx, other, None).await.unwrap();
        plan::publish(&cx, other).await.unwrap();
        let own = seats::enrol(&world.cx_of(&missed.learner).await, other, Consent::default()).await;
        assert_eq!(refused(own), Refusal::Clash { mine: "Other".into(), with: "Host".into() });
        // Whoever teaches the other class learns no more than that she is elsewhere then.
        let door = WalkIn { email: "ann@example.com".parse().unwrap(), name: String::new(), agreed: None };
        let theirs = staff_seats::walk_in(&cx, other, door, None).await;
        let Refusal::LearnerElsewhere { with, from, .. } = refused(theirs) else { panic!("another refusal") };
        assert_eq!((with, from), (String::new(), at.from));
        assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 1, "{make_up}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_make_up_that_a_move_ends_stands_in_nobodys_way(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 24 * 10)).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let host = Draft { trainer: second.id, ..twice(&school, "Host", 5, 24 * 20) };
        let host = plan::create(&world.operator(), host, None).await.unwrap();
        plan::publish(&world.operator(), host).await.unwrap();
        let ann = world.customer("ann@example.com").await;
        let seat = enrol(&world, &ann, home).await;
        let cx = world.cx_of(&ann).await;
        let (own, equal) = (sessions(&world, home).await, sessions(&world, host).await);
        announce::say(&cx, home, own[1].id, Announced::Absent, String::new()).await.unwrap();
        make_ups::book(&cx, home, own[1].id, equal[1].id, None).await.unwrap();
        // To the very time of the make-up: nobody need say that they know of a clash.
        move_to(&world, &school, home, &[own[0].span(), equal[1].span()], &[]).await;
        let row = store::enrolment(&mut world.db().read().await.unwrap(), seat).await.unwrap();
        assert_eq!(row.state, aftercare::training::domain::EnrolmentState::Booked);
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_void'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_was_made_up_before_the_session_moved_still_counts_for_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 24 * 10)).await;
        let host = school.open(twice(&school, "Host", 5, 24 * 5)).await;
        let mut seats = Vec::new();
        let mut guests = Vec::new();
        let (own, equal) = (sessions(&world, home).await, sessions(&world, host).await[1].id);
        for email in ["ann@example.com", "bob@example.com"] {
            let who = world.customer(email).await;
            seats.push(enrol(&world, &who, home).await);
            let cx = world.cx_of(&who).await;
            announce::say(&cx, home, own[1].id, Announced::Absent, String::new()).await.unwrap();
            guests.push(make_ups::book(&cx, home, own[1].id, equal, None).await.unwrap());
        }
        world.advance(Duration::hours(24 * 6 + 1));
        let trainer = school.now(&world).await;
        for (id, mark) in guests.iter().zip([Mark::Present, Mark::Absent]) {
            make_ups::mark(&trainer, *id, None, Some(mark)).await.unwrap();
        }
        move_to(&world, &school, home, &[own[0].span(), later(&own[1], 24)], &[]).await;
        // Ann was there; Bob was not, and has missed nothing yet.
        assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 1);
        assert_eq!(world.count("select count(*) from make_up where state = 'booked' and mark = 'present'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.advance(Duration::days(6));
        let trainer = school.now(&world).await;
        for seat in &seats {
            for (session, mark) in own.iter().zip([Mark::Present, Mark::Absent]) {
                attend::mark(&trainer, home, session.id, *seat, None, Some(mark)).await.unwrap();
            }
        }
        plan::close(&trainer, home).await.unwrap();
        assert_eq!(world.count("select count(*) from certificate").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_is_marked_as_being_there_makes_nothing_up_for_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(school.draft("Home", 5, 30, 0)).await;
        let host = school.open(school.draft("Host", 5, 24 * 12, 0)).await;
        let (own, equal) = (sessions(&world, home).await[0].id, sessions(&world, host).await[0].id);
        let mut seats = Vec::new();
        for email in ["ann@example.com", "bob@example.com", "cid@example.com", "dee@example.com"] {
            let who = world.customer(email).await;
            seats.push(enrol(&world, &who, home).await);
            let cx = world.cx_of(&who).await;
            announce::say(&cx, home, own, Announced::Absent, String::new()).await.unwrap();
            make_ups::book(&cx, home, own, equal, None).await.unwrap();
        }
        world.advance(Duration::hours(31));
        let trainer = school.now(&world).await;
        let guests = async || class(&world, host).await.guests;
        assert_eq!(guests().await, 4);
        // Late is there; a slip is taken back to late. Whoever said that they cannot come is not there with the rest.
        attend::mark(&trainer, home, own, seats[0], None, Some(Mark::Late)).await.unwrap();
        assert_eq!(guests().await, 3);
        for mark in [Mark::Absent, Mark::Excused] {
            attend::mark(&trainer, home, own, seats[1], None, Some(mark)).await.unwrap();
        }
        assert_eq!(guests().await, 3);
        attend::mark(&trainer, home, own, seats[2], None, Some(Mark::Absent)).await.unwrap();
        attend::mark_rest(&trainer, home, own).await.unwrap();
        assert_eq!(guests().await, 3);
        assert_eq!(world.count("select count(*) from attendance").await, 3);
        attend::mark(&trainer, home, own, seats[2], None, Some(Mark::Partial)).await.unwrap();
        assert_eq!(guests().await, 2);
        attend::mark(&trainer, home, own, seats[3], None, Some(Mark::Present)).await.unwrap();
        assert_eq!(guests().await, 1);
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_given_back'").await, 3);
        assert_eq!(world.count("select count(*) from busy where entity = 'make_up'").await, 1);
        plan::close(&trainer, home).await.unwrap();
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_cancelled_class_tells_its_guests_and_who_has_their_seat_back_makes_nothing_up(world: World) {
        let missed = Missed::of(&world, 5, Mark::Excused).await;
        missed.book(&world).await.unwrap();
        plan::cancel(&missed.school.now(&world).await, missed.host, "Rain.".into()).await.unwrap();
        assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0);
        assert_eq!(world.count("select count(*) from busy where entity = 'make_up'").await, 0);
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_cancelled'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
        let page = world.get(&missed.learner, &format!("/training/{}/make-up", missed.home)).await;
        assert!(page.body.contains("No equal session"), "{}", page.body);
    }
}

both! {
    async fn who_gives_the_seat_back_on_which_something_was_missed_makes_nothing_up_for_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(school.draft("Home", 5, 30, 0)).await;
        let host = school.open(school.draft("Host", 5, 24 * 12, 0)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let (lost, equal) = (sessions(&world, home).await[0].id, sessions(&world, host).await[0].id);
        let mut seats = Vec::new();
        for who in [&ann, &bob] {
            seats.push(enrol(&world, who, home).await);
        }
        // Both are excused shortly before, and look for another day at once.
        world.advance(Duration::minutes(29 * 60 + 30));
        let trainer = school.now(&world).await;
        for (who, seat) in [&ann, &bob].into_iter().zip(&seats) {
            attend::mark(&trainer, home, lost, *seat, None, Some(Mark::Excused)).await.unwrap();
            make_ups::book(&world.cx_of(who).await, home, lost, equal, None).await.unwrap();
        }
        assert_eq!(class(&world, host).await.guests, 2);
        staff_seats::give_back(&trainer, home, seats[0], "Ill.".into()).await.unwrap();
        assert_eq!(class(&world, host).await.guests, 1);
        seats::cancel(&world.cx_of(&bob).await, home, Consent::default()).await.unwrap();
        assert_eq!(class(&world, host).await.guests, 0);
        assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0);
        assert_eq!(world.count("select count(*) from busy where entity = 'make_up'").await, 0);
        const IN_CALENDARS: &str = "select count(*) from message_calendar c where c.method = 'request' \
            and not exists (select 1 from message_calendar n where n.thread = c.thread and n.number > c.number)";
        assert_eq!(world.count(IN_CALENDARS).await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_was_away_from_a_session_that_is_moved_or_taken_out_has_missed_nothing(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 30)).await;
        let host = school.open(twice(&school, "Host", 5, 24 * 12)).await;
        let ann = world.customer("ann@example.com").await;
        let seat = enrol(&world, &ann, home).await;
        world.advance(Duration::minutes(29 * 60 + 30));
        let (cx, equal) = (school.now(&world).await, sessions(&world, host).await[0].id);
        for out in [false, true] {
            // Excused half an hour before, then it is another hour's, or none at all.
            let all = sessions(&world, home).await;
            attend::mark(&cx, home, all[0].id, seat, None, Some(Mark::Excused)).await.unwrap();
            make_ups::book(&world.cx_of(&ann).await, home, all[0].id, equal, None).await.unwrap();
            let row = class(&world, home).await;
            let edit = change::Edit {
                version: row.version, title: row.title.clone(), room: row.room_id, link: row.link.clone(),
                capacity: row.capacity, price: row.price(), cut_off_hours: row.cut_off_hours,
            };
            let first = Span { from: all[0].starts_at + Duration::minutes(10), until: all[0].ends_at };
            let mut wanted = vec![(Some(all[0].id), first), (Some(all[1].id), all[1].span())];
            if out {
                wanted.remove(0);
            }
            let rest = change::Rest { sessions: Some(wanted), ..change::Rest::default() };
            change::edit(&cx, home, edit, rest).await.unwrap();
            assert_eq!(class(&world, host).await.guests, 0);
            assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0);
            assert_eq!(world.broken().await, Vec::<String>::new());
        }
    }
}

both! {
    async fn a_mark_from_before_a_session_that_the_guest_does_not_come_to_gives_no_certificate(world: World) {
        let missed = Missed::of(&world, 2, Mark::Absent).await;
        // Half an hour before the session that makes it up.
        world.advance(Duration::minutes((24 * 13 - 60) * 60 - 30));
        let trainer = missed.school.now(&world).await;
        let present = async |id| {
            make_ups::mark(&trainer, id, None, Some(Mark::Present)).await.unwrap();
            assert_eq!(missed.certificates(&world).await, 1);
        };
        let id = missed.book(&world).await.unwrap();
        present(id).await;
        make_ups::cancel(&world.cx_of(&missed.learner).await, id).await.unwrap();
        assert_eq!(missed.certificates(&world).await, 0, "they do not come");
        // History says that the certificate went with it.
        const WITHDRAWN: &str = "select count(*) from history where act = 'cancel_make_up' and detail like '%withdrawn%'";
        assert_eq!(world.count(WITHDRAWN).await, 1);
        present(missed.book(&world).await.unwrap()).await;
        plan::cancel(&trainer, missed.host, "Rain.".into()).await.unwrap();
        assert_eq!(missed.certificates(&world).await, 0, "it does not take place");
        assert_eq!(world.count(WITHDRAWN).await, 2);
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_cancelled'").await, 1);
        assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// What the calendar of a guest was told, one line for each letter: method, sequence, place.
async fn told(world: &World, make_up: MakeUpId) -> Vec<(String, i64, String)> {
    const TOLD: &str =
        "select method, sequence, body from message_calendar where thread like $1 order by thread, number";
    let rows =
        fetch_all!(world.db().read().await.unwrap(), (String, i64, String), TOLD, format!("{make_up}-%")).unwrap();
    let place = |body: String| {
        let flat = body.replace("\r\n ", "");
        flat.lines().find_map(|line| line.strip_prefix("LOCATION:")).unwrap_or_default().to_owned()
    };
    rows.into_iter().map(|(method, sequence, body)| (method, sequence, place(body))).collect()
}

both! {
    async fn a_make_up_is_an_appointment_that_moves_along_and_ends(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap();
        let first = told(&world, id).await;
        assert_eq!((first.len(), first[0].0.as_str(), first[0].1), (1, "request", 0));
        // In the feed it is the same appointment, and leads to the page of the make-up.
        world.post(&missed.learner, "/training/mine", &[("act", "renew")]).await;
        let page = world.get(&missed.learner, "/training/mine").await.body;
        let start = page.find("http://portal.test/calendar/").unwrap() + "http://portal.test".len();
        let feed = world.get(None, &page[start..start + page[start..].find('"').unwrap()]).await.body.replace("\r\n ", "");
        assert!(feed.contains(&format!("UID:{id}-")) && feed.contains(&format!("/training/{}/make-up", missed.home)), "{feed}");
        // The class meets elsewhere: the guest is told like everybody who has a seat.
        let row = class(&world, missed.host).await;
        let edit = change::Edit {
            version: row.version, title: row.title.clone(), room: row.room_id, link: Some("https://meet.example.com/other".into()),
            capacity: row.capacity, price: row.price(), cut_off_hours: row.cut_off_hours,
        };
        change::edit(&missed.school.now(&world).await, missed.host, edit, change::Rest::default()).await.unwrap();
        let moved = told(&world, id).await;
        assert_eq!((moved.len(), moved[1].0.as_str(), moved[1].1), (2, "request", 1));
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_changed'").await, 1);
        // Given back: out of the calendar, with a letter that answers at once.
        make_ups::cancel(&world.cx_of(&missed.learner).await, id).await.unwrap();
        let ended = told(&world, id).await;
        assert_eq!((ended.len(), ended[2].0.as_str()), (3, "cancel"));
        assert!(ended[2].1 > moved[1].1);
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_given_back'").await, 1);
        // Another try is another appointment, and ends with the class that it is in.
        let again = missed.book(&world).await.unwrap();
        plan::cancel(&missed.school.now(&world).await, missed.host, "Rain.".into()).await.unwrap();
        assert_eq!(told(&world, again).await.last().unwrap().0, "cancel");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// Somebody's calendar feed, its lines unfolded.
async fn feed(world: &World, who: &Signed) -> String {
    assert_eq!(world.post(who, "/training/mine", &[("act", "renew")]).await.status, StatusCode::SEE_OTHER);
    let page = world.get(who, "/training/mine").await.body;
    let address = page.split_once("http://portal.test/calendar/").unwrap().1.split_once('"').unwrap().0.to_owned();
    world.get(None, &format!("/calendar/{address}")).await.body.replace("\r\n ", "")
}

both! {
    async fn the_way_into_a_class_on_line_is_shown_to_everybody_who_is_in_it_and_to_nobody_else(world: World) {
        let missed = Missed::of(&world, 2, Mark::Absent).await;
        let (trainer, guest) = (&missed.school.trainer, &missed.learner);
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        let row = class(&world, missed.host).await;
        let edit = change::Edit {
            version: row.version, title: row.title.clone(), room: None, link: Some("https://meet.example.com/host".into()),
            capacity: row.capacity, price: row.price(), cut_off_hours: row.cut_off_hours,
        };
        let rest = change::Rest { assistants: Some(vec![helper.id]), ..change::Rest::default() };
        change::edit(&missed.school.now(&world).await, missed.host, edit, rest).await.unwrap();
        missed.book(&world).await.unwrap();
        let (bob, cid) = (world.customer("bob@example.com").await, world.customer("cid@example.com").await);
        enrol(&world, &bob, missed.host).await;
        enrol(&world, &cid, missed.host).await;
        let (page, make_up) = (format!("/training/{}", missed.host), format!("/training/{}/make-up", missed.home));
        let desk = format!("/desk/classes/{}", missed.host);
        let room = format!("{desk}/room");
        for (who, path) in [(guest, &make_up), (&bob, &page), (trainer, &desk), (trainer, &room), (&helper, &room)] {
            let body = world.get(who, path).await.body;
            assert!(body.contains("href=\"https://meet.example.com/host\""), "{path}: {body}");
        }
        for who in [guest, &bob, trainer, &helper] {
            let feed = feed(&world, who).await;
            assert!(feed.contains("LOCATION:https://meet.example.com/host"), "{feed}");
        }
        // Not in line, and not while a seat is on offer.
        for state in [EnrolmentState::Waitlisted, EnrolmentState::Offered] {
            let place = store::active(&mut world.db().read().await.unwrap(), missed.host, cid.id).await.unwrap().unwrap();
            assert_eq!(place.state, state);
            for path in [page.as_str(), "/training/mine", "/"] {
                let body = world.get(&cid, path).await.body;
                // Home tells of what needs one now: waiting does not.
                let told = path != "/" || state == EnrolmentState::Offered;
                assert_eq!(body.contains("Host"), told, "{state:?} {path}: {body}");
                assert!(!body.contains("meet.example.com"), "{state:?} {path}: {body}");
            }
            let theirs = feed(&world, &cid).await;
            assert!(theirs.contains("STATUS:TENTATIVE") && !theirs.contains("meet.example.com"), "{state:?}: {theirs}");
            if state == EnrolmentState::Waitlisted {
                seats::cancel(&world.cx_of(&bob).await, missed.host, Consent::default()).await.unwrap();
            }
        }
        // Nor with a seat that was given back.
        let gone = feed(&world, &bob).await;
        assert!(gone.contains("STATUS:CANCELLED") && !gone.contains("meet.example.com"), "{gone}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_class_is_called_otherwise_in_every_calendar(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap();
        let (bob, cid) = (world.customer("bob@example.com").await, world.customer("cid@example.com").await);
        enrol(&world, &bob, missed.host).await;
        let rename = async |title: &str, hours: i64| {
            let row = class(&world, missed.host).await;
            let edit = change::Edit {
                version: row.version, title: title.to_owned(), room: row.room_id, link: row.link.clone(),
                capacity: row.capacity, price: row.price(), cut_off_hours: row.cut_off_hours,
            };
            let mut wanted: Vec<_> = sessions(&world, missed.host).await.iter().map(|row| (Some(row.id), row.span())).collect();
            let first = wanted[0].1;
            wanted[0].1 = Span { from: first.from + Duration::hours(hours), until: first.until + Duration::hours(hours) };
            let rest = change::Rest { sessions: Some(wanted), ..change::Rest::default() };
            change::edit(&missed.school.now(&world).await, missed.host, edit, rest).await.unwrap();
        };
        let letters = async || world.count("select count(*) from message where letter = 'class_renamed'").await;
        rename("Host", 0).await;
        assert_eq!(letters().await, 0, "nothing has changed");
        rename("Welcome", 0).await;
        // One letter for each, and a short one for the second session of who has a seat.
        assert_eq!(letters().await, 2);
        const CALLED: &str = "select count(*) from message_calendar where number = 2 and method = 'request' \
            and sequence = 0 and body like '%SUMMARY:Welcome%'";
        assert_eq!(world.count(CALLED).await, 3, "two sessions of Bob's, one that Ann makes up");
        assert_eq!(told(&world, id).await.len(), 2);
        assert!(world.letter("ann@example.com").await.unwrap().0.contains("“Host” is called “Welcome” now"));
        assert_eq!(world.letter("cid@example.com").await, None, "{}", cid.id);
        // With another change that the guest does not hear of, she hears of this.
        rename("Host again", 1).await;
        assert_eq!(letters().await, 3);
        assert_eq!(told(&world, id).await.len(), 3);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_teaches_or_helps_hears_that_a_class_is_called_otherwise(world: World) {
        let school = School::of(&world, vec![]).await;
        let helper = world.staff_named(Role::Technician, "helper@staff.example").await;
        let extras = plan::Extras { assistants: vec![helper.id], ..plan::Extras::default() };
        let id = plan::create_series(&school.cx, vec![school.draft("Host", 5, 60, 0)], extras, true, None).await.unwrap();
        let row = class(&world, id).await;
        let edit = change::Edit {
            version: row.version, title: "Welcome".to_owned(), room: row.room_id, link: row.link.clone(),
            capacity: row.capacity, price: row.price(), cut_off_hours: row.cut_off_hours,
        };
        let manager = world.cx_of(&world.staff(Role::Manager).await).await;
        change::edit(&manager, id, edit, change::Rest::default()).await.unwrap();
        for email in ["trainer@staff.example", "helper@staff.example"] {
            let (subject, body, _) = world.letter(email).await.unwrap();
            assert!(subject.contains("Welcome") && body.contains("before, it was “Host”"), "{subject}: {body}");
        }
        assert_eq!(world.count("select count(*) from message where letter = 'crew_changed'").await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_make_up_leaves_the_calendar_when_the_class_that_was_missed_is_cancelled(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 30)).await;
        let host = school.open(twice(&school, "Host", 5, 40)).await;
        let ann = world.customer("ann@example.com").await;
        let seat = enrol(&world, &ann, home).await;
        world.advance(Duration::hours(33));
        let (lost, equal) = (sessions(&world, home).await[0].id, sessions(&world, host).await[0].id);
        attend::mark(&school.now(&world).await, home, lost, seat, None, Some(Mark::Absent)).await.unwrap();
        let id = make_ups::book(&world.cx_of(&ann).await, home, lost, equal, None).await.unwrap();
        plan::cancel(&school.now(&world).await, home, "Ill.".into()).await.unwrap();
        assert_eq!(told(&world, id).await.last().unwrap().0, "cancel");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn guests_hear_what_the_class_hears_and_what_they_made_up_counts_in_the_file(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap();
        let trainer = &missed.school.trainer;
        let desk = format!("/desk/classes/{}", missed.host);
        // Nobody but the guest is in that class yet.
        let page = world.get(trainer, &desk).await.body;
        assert!(page.contains("id=\"write-to-all\""), "{page}");
        let form = [("act", "write"), ("subject", "Bring your printer"), ("words", "And its cable.")];
        assert_eq!(world.post(trainer, &desk, &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.letter("ann@example.com").await.unwrap().0, "Bring your printer");
        // The day before the session that is made up, not before the first one of that class.
        let session = sessions(&world, missed.host).await[1].clone();
        let go_to = |at: chrono::DateTime<chrono::Utc>| world.advance(at - world.app.clock.now());
        go_to(session.starts_at - Duration::hours(25));
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_reminder'").await, 0);
        go_to(session.starts_at - Duration::hours(23));
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_reminder'").await, 1);
        assert!(world.letter("ann@example.com").await.unwrap().1.contains("You make up a session of “Home” in “Host”"));
        // Two trainers mark the guest: the second sees what the first did.
        go_to(session.starts_at);
        let roster = world.get(trainer, &format!("{desk}?session={}", session.id)).await.body;
        assert!(roster.contains("name=\"was\" value=\"none\""), "{roster}");
        let door = format!("/desk/make-ups/{id}");
        let at = session.id.to_string();
        let tap = |mark: &'static str, was: &'static str| [("mark", mark), ("was", was), ("session", at.as_str())];
        assert_eq!(world.post(trainer, &door, &tap("present", "none")).await.status, StatusCode::SEE_OTHER);
        let stale = world.post(trainer, &door, &tap("absent", "none")).await;
        assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(stale.body.contains("Makes up a session of “Home”"), "the roster again: {}", stale.body);
        assert_eq!(missed.certificates(&world).await, 1);
        // The file says what the certificate says.
        let file = world.get(trainer, &format!("/desk/classes/{}/roster.csv", missed.home)).await.body;
        let line = file.lines().find(|line| line.starts_with("ann,")).unwrap();
        assert!(line.contains("Absent → Present") && line.contains("100 %"), "{file}");
        // Once their session is over the class is no longer theirs.
        go_to(session.ends_at + Duration::minutes(1));
        assert!(!world.get(trainer, &desk).await.body.contains("id=\"write-to-all\""), "there is nobody to write to");
        assert_eq!(world.post(trainer, &desk, &form).await.status, StatusCode::SEE_OTHER);
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'from_trainer'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn only_sessions_that_would_be_taken_are_offered_to_make_one_up(world: World) {
        let missed = Missed::of(&world, 2, Mark::Absent).await;
        let page = format!("/training/{}/make-up", missed.home);
        let offered = async || {
            let body = world.get(&missed.learner, &page).await.body;
            (body.contains("name=\"session\""), body)
        };
        assert!(offered().await.0);
        // She is elsewhere then.
        let session = sessions(&world, missed.host).await[1].clone();
        let other = world.staff_named(Role::Trainer, "second@staff.example").await;
        let course = School::course(&world, "Another course", vec![]).await;
        let sessions = vec![session.span()];
        let draft = Draft { course, trainer: other.id, sessions, ..missed.school.draft("Elsewhere", 5, 1, 0) };
        let cx = world.cx_of(&other).await;
        let elsewhere = plan::create(&cx, draft, None).await.unwrap();
        plan::publish(&cx, elsewhere).await.unwrap();
        enrol(&world, &missed.learner, elsewhere).await;
        assert!(!offered().await.0, "{}", offered().await.1);
        seats::cancel(&world.cx_of(&missed.learner).await, elsewhere, Consent::default()).await.unwrap();
        assert!(offered().await.0);
        // A seat is free, but others wait in line for it: somebody's group that does not fit.
        world.corrupt("update class set waiting = 1 where title = 'Host'").await;
        assert!(!offered().await.0, "{}", offered().await.1);
        world.corrupt("update class set waiting = 0 where title = 'Host'").await;
        assert!(offered().await.0);
    }
}

both! {
    async fn who_was_excused_from_everything_has_nothing_to_make_up(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(school.draft("Home", 5, 30, 0)).await;
        let host = school.open(school.draft("Host", 5, 24 * 12, 0)).await;
        let ann = world.customer("ann@example.com").await;
        let seat = enrol(&world, &ann, home).await;
        world.advance(Duration::hours(40));
        let cx = school.now(&world).await;
        let (lost, equal) = (sessions(&world, home).await[0].id, sessions(&world, host).await[0].id);
        attend::mark(&cx, home, lost, seat, None, Some(Mark::Excused)).await.unwrap();
        plan::close(&cx, home).await.unwrap();
        let learner = world.cx_of(&ann).await;
        assert_eq!(refused(make_ups::book(&learner, home, lost, equal, None).await), Refusal::NotMissed);
        assert_eq!(class(&world, home).await.state, ClassState::Completed);
    }
}

both! {
    async fn guests_and_learners_race_for_the_last_seat_and_one_gets_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 20, 30)).await;
        let host = school.open(twice(&school, "Host", 3, 24 * 12)).await;
        let (mut guests, mut learners) = (Vec::new(), Vec::new());
        for n in 0..6 {
            let who = world.customer(&format!("guest{n}@example.com")).await;
            enrol(&world, &who, home).await;
            guests.push(who);
            learners.push(world.customer(&format!("learner{n}@example.com")).await);
        }
        world.advance(Duration::hours(60));
        let cx = school.now(&world).await;
        let (lost, equal) = (sessions(&world, home).await, sessions(&world, host).await);
        for row in store::of_class(&mut world.db().read().await.unwrap(), home).await.unwrap() {
            attend::mark(&cx, home, lost[1].id, row.id, None, Some(Mark::Absent)).await.unwrap();
        }
        let mut tasks = Vec::new();
        for who in &guests {
            let (cx, missed, into) = (world.cx_of(who).await, lost[1].id, equal[1].id);
            tasks.push(tokio::spawn(async move { make_ups::book(&cx, home, missed, into, None).await.is_ok() }));
        }
        for who in &learners {
            let cx = world.cx_of(who).await;
            tasks.push(tokio::spawn(async move {
                seats::enrol(&cx, host, Consent::default()).await.is_ok_and(|place| place.position.is_none())
            }));
        }
        let mut seated = 0;
        for task in tasks {
            seated += i64::from(task.await.unwrap());
        }
        assert_eq!(seated, 3);
        let row = class(&world, host).await;
        assert_eq!(row.taken + row.guests, 3);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn check_names_a_session_that_is_too_full(world: World) {
        let missed = Missed::of(&world, 1, Mark::Absent).await;
        missed.book(&world).await.unwrap();
        assert_eq!(world.broken().await, Vec::<String>::new());
        let finds = async |name: &str, corruption: &'static str, repair: &'static str| {
            world.corrupt(corruption).await;
            let broken = world.broken().await;
            assert!(broken.contains(&name.to_owned()), "{name}: {broken:?}");
            world.corrupt(repair).await;
            assert_eq!(world.broken().await, Vec::<String>::new(), "after {name}");
        };
        finds("session_guests_miscounted", "update class_session set guests = 2 where guests = 1", "update class_session set guests = 1 where guests = 2").await;
        finds("class_guests_miscounted", "update class set guests = 0 where title = 'Host'", "update class set guests = 1 where title = 'Host'").await;
        finds("make_up_without_its_time", "update busy set entity = 'lost' where entity = 'make_up'", "update busy set entity = 'make_up' where entity = 'lost'").await;
        finds(
            "make_up_without_its_seat",
            "update enrolment set state = 'cancelled' where id in (select enrolment_id from make_up)",
            "update enrolment set state = 'booked' where id in (select enrolment_id from make_up)",
        ).await;
        finds("make_up_without_history", "update history set entity = 'lost' where entity = 'make_up'", "update history set entity = 'make_up' where entity = 'lost'").await;
        finds(
            "make_up_of_another_course",
            "update make_up set missed_id = (select s.id from class_session s join class c on c.id = s.class_id where c.title = 'Host' order by s.starts_at limit 1)",
            "update make_up set missed_id = (select s.id from class_session s join class c on c.id = s.class_id where c.title = 'Home' order by s.starts_at desc limit 1)",
        ).await;
        finds(
            "session_over_capacity",
            "update enrolment set class_id = (select id from class where title = 'Host') \
             where person_id = (select id from person where email = 'other@example.com')",
            "update enrolment set class_id = (select id from class where title = 'Home') \
             where person_id = (select id from person where email = 'other@example.com')",
        ).await;
        finds("guest_of_a_cancelled_class", "update class set state = 'cancelled' where title = 'Host'", "update class set state = 'open' where title = 'Host'").await;
    }
}

both! {
    async fn a_certificate_is_a_page_a_pdf_and_a_badge_that_anyone_can_verify(world: World) {
        let missed = Missed::of(&world, 5, Mark::Late).await;
        let code = fetch_scalar!(world.db().read().await.unwrap(), String, "select code from certificate where enrolment_id = $1", missed.seat).unwrap().unwrap();
        let path = format!("/certificates/{code}");
        let page = world.get(None, &path).await;
        assert_eq!(page.status, StatusCode::OK);
        for words in ["Test Works", "Home", "class=\"qr\"", "genuine", "certificate.pdf", &format!("{}-{}", &code[..4], &code[4..])] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        assert!(!page.body.contains("style="));
        let pdf = world.get(None, &format!("{path}/certificate.pdf")).await;
        assert_eq!((pdf.status, pdf.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "application/pdf"));
        assert!(pdf.body.starts_with("%PDF-"));
        // The badge, checked with a library that is not the one that signed it.
        let token = world.get(None, &format!("{path}/badge")).await;
        assert_eq!(token.status, StatusCode::OK);
        let parts: Vec<&str> = token.body.split('.').collect();
        let json = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        let (head, payload) = (json(parts[0]), json(parts[1]));
        assert_eq!((head["alg"].as_str(), head["typ"].as_str()), (Some("EdDSA"), Some("JWT")));
        let local = |address: &Value| address.as_str().unwrap().strip_prefix("http://portal.test").unwrap().to_owned();
        let key: Value = serde_json::from_str(&world.get(None, &local(&head["kid"])).await.body).unwrap();
        assert_eq!(key, head["jwk"], "the key is where the badge says");
        let public: [u8; 32] = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap().try_into().unwrap();
        let public = ed25519_dalek::VerifyingKey::from_bytes(&public).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
        public.verify_strict(format!("{}.{}", parts[0], parts[1]).as_bytes(), &signature).unwrap();
        let forged = format!("{}.{}", parts[0], URL_SAFE_NO_PAD.encode(payload.to_string().replace("Home", "Rome")));
        assert!(public.verify_strict(forged.as_bytes(), &signature).is_err());
        assert_eq!(payload["type"][1], "OpenBadgeCredential");
        assert_eq!(payload["issuer"]["name"], "Test Works");
        let since = payload["nbf"].as_i64().unwrap() - now().timestamp() - 60 * 3600;
        assert!((0..600).contains(&since), "{since}");
        assert_eq!((&payload["jti"], &payload["iss"]), (&payload["id"], &payload["issuer"]["id"]));
        let issuer: Value = serde_json::from_str(&world.get(None, &local(&payload["issuer"]["id"])).await.body).unwrap();
        assert_eq!(issuer["id"], payload["issuer"]["id"]);
        let achievement = &payload["credentialSubject"]["achievement"];
        let described = world.get(None, &local(&achievement["id"])).await;
        assert_eq!(described.headers["access-control-allow-origin"], "*");
        assert_eq!(serde_json::from_str::<Value>(&described.body).unwrap()["name"], achievement["name"]);
        // What nobody has achieved is nobody's business, nor is a code that was never given.
        let secret = School::course(&world, "Secret plans", vec![]).await;
        assert_eq!(world.get(None, &format!("/badges/achievements/{secret}")).await.status, StatusCode::NOT_FOUND);
        for nothing in ["/certificates/AAAA-AAAA/certificate.pdf", "/certificates/AAAA-AAAA/badge", "/certificates/x/badge"] {
            assert_eq!(world.get(None, nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
        }
    }
}

both! {
    async fn a_certificate_in_a_script_that_our_fonts_lack_has_a_page_to_print_and_no_pdf(world: World) {
        let missed = Missed::of(&world, 5, Mark::Late).await;
        let code = fetch_scalar!(world.db().read().await.unwrap(), String, "select code from certificate where enrolment_id = $1", missed.seat).unwrap().unwrap();
        let path = format!("/certificates/{code}");
        let back = format!("href=\"/certificates/{}-{}\"", &code[..4], &code[4..]);
        let read = async |path: &str, language: &str| {
            let request = Request::get(path).header(header::ACCEPT_LANGUAGE, language);
            world.send(request.body(Body::empty()).unwrap()).await
        };
        for (name, has_pdf) in [
            ("Žydrūnė Ünal", true),
            ("प्रिया क्षेत्रज्ञ", true),
            ("Ελένη Київ", true),
            ("李小龙", false),
            ("김민수 (Minsu)", false),
            ("محمد", false),
        ] {
            world.corrupt(format!("update person set name = '{name}' where email = 'ann@example.com'").leak()).await;
            for language in ["en", "es", "it", "hi", "lt"] {
                let page = read(&path, language).await;
                assert_eq!(page.status, StatusCode::OK, "{name}");
                assert!(page.body.contains(name) && page.body.contains("class=\"qr\""), "{name}: {}", page.body);
                assert_eq!(page.body.contains("certificate.pdf"), has_pdf, "{name} {language}");
                let pdf = read(&format!("{path}/certificate.pdf"), language).await;
                let (status, kind) = if has_pdf { (StatusCode::OK, "application/pdf") } else { (StatusCode::NOT_FOUND, "text/html") };
                assert_eq!(pdf.status, status, "{name} {language}");
                assert!(pdf.headers["content-type"].to_str().unwrap().starts_with(kind), "{name} {language}");
                assert!(has_pdf || pdf.body.contains(&back), "{name}: {}", pdf.body);
            }
        }
        let none = read(&format!("{path}/certificate.pdf"), "en").await.body;
        assert!(none.contains("There is no PDF of this certificate") && none.contains("Print the page"), "{none}");
    }
}

both! {
    async fn a_certificate_that_is_taken_back_is_on_the_list_that_every_badge_names(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap();
        let session = sessions(&world, missed.host).await[1].clone();
        world.advance(session.starts_at - world.app.clock.now() - Duration::minutes(30));
        let trainer = &missed.school.trainer;
        let mark = async |mark: &str| {
            let reply = world.post(trainer, &format!("/desk/make-ups/{id}"), &[("mark", mark)]).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        };
        let code = async || {
            fetch_scalar!(world.db().read().await.unwrap(), String, "select code from certificate where enrolment_id = $1", missed.seat)
                .unwrap()
                .map(|code| format!("/certificates/{code}"))
        };
        let badge = async |path: &str| {
            let token = world.get(None, &format!("{path}/badge")).await.body;
            let payload = token.split('.').nth(1).unwrap().to_owned();
            serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
        };
        mark("present").await;
        let first = code().await.unwrap();
        let credential = badge(&first).await;
        let status = &credential["credentialStatus"];
        assert_eq!(status["type"], "1EdTechRevocationList");
        assert!(credential["@context"].to_string().contains("extensions.json"));
        let address = status["id"].as_str().unwrap().strip_prefix("http://portal.test").unwrap().to_owned();
        let list = async || {
            let reply = world.get(None, &address).await;
            assert_eq!((reply.status, reply.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "application/json"));
            assert_eq!(reply.headers["access-control-allow-origin"], "*");
            serde_json::from_str::<Value>(&reply.body).unwrap()
        };
        let listed = list().await;
        assert_eq!((&listed["id"], &listed["issuer"]), (&status["id"], &credential["issuer"]["id"]));
        assert_eq!(listed["revokedCredential"], Value::Array(vec![]));
        // It was a mistake: the copy still verifies, and the list names it.
        mark("absent").await;
        let taken_back = serde_json::json!([{ "id": credential["id"], "revoked": true }]);
        let listed = list().await;
        assert_eq!((&listed["revokedCredential"], &listed["revokedCredentials"]), (&taken_back, &taken_back));
        let page = world.get(None, &first).await;
        assert_eq!(page.status, StatusCode::GONE);
        assert!(page.body.contains("This certificate was withdrawn") && !page.body.contains("class=\"certificate"), "{}", page.body);
        for nothing in ["badge", "certificate.pdf"] {
            assert_eq!(world.get(None, &format!("{first}/{nothing}")).await.status, StatusCode::NOT_FOUND);
        }
        // A new one is another credential, that is not on the list.
        mark("late").await;
        let second = code().await.unwrap();
        assert_ne!(first, second);
        assert_eq!(list().await["revokedCredential"], taken_back);
        assert_eq!(world.get(None, &second).await.status, StatusCode::OK);
        // Its holder hears of each.
        let told = async || {
            const GIVEN: &str = "select count(*) from message where letter = 'certified' and email = 'ann@example.com'";
            const TAKEN: &str = "select count(*) from message where letter = 'certificate_withdrawn' and email = 'ann@example.com'";
            (world.count(GIVEN).await, world.count(TAKEN).await)
        };
        assert_eq!(told().await, (2, 1));
        const SAID: &str = "select subject, body, link from message where letter = 'certificate_withdrawn'";
        let said = fetch_all!(world.db().read().await.unwrap(), (String, String, Option<String>), SAID).unwrap();
        assert!(said[0].0.contains("no longer holds") && said[0].1.contains("please ask us"), "{said:?}");
        assert!(said[0].2.as_deref().is_some_and(|link| link.ends_with("/help")), "{said:?}");
        // Marked in the hour before, the learner gives the seat back: what it had satisfied is missed again.
        make_ups::cancel(&world.cx_of(&missed.learner).await, id).await.unwrap();
        assert_eq!((code().await, missed.certificates(&world).await), (None, 0));
        assert_eq!(list().await["revokedCredential"].as_array().unwrap().len(), 2);
        assert_eq!(told().await, (2, 2));
        let page = world.get(&missed.learner, &format!("/training/{}", missed.home)).await;
        assert!(page.body.contains("Missed: session 2."), "{}", page.body);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_was_marked_for_a_session_that_does_not_come_has_made_nothing_up(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap();
        let session = sessions(&world, missed.host).await[1].clone();
        world.advance(session.starts_at - world.app.clock.now() - Duration::minutes(30));
        let door = format!("/desk/make-ups/{id}");
        assert_eq!(world.post(&missed.school.trainer, &door, &[("mark", "present")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(missed.certificates(&world).await, 1);
        plan::cancel(&missed.school.now(&world).await, missed.host, "Fire.".into()).await.unwrap();
        assert_eq!(missed.certificates(&world).await, 0);
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_cancelled'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn reminders_of_make_ups_that_were_booked_before_there_were_any_are_planned_once(world: World) {
        let missed = Missed::of(&world, 5, Mark::Absent).await;
        let id = missed.book(&world).await.unwrap();
        world.corrupt("delete from job where kind = 'remind_guest'").await;
        const JOBS: &str = "select count(*) from job where kind = 'remind_guest'";
        let session = sessions(&world, missed.host).await[1].clone();
        // The worker starts, is started again, and once more after it was done.
        for hours in [200, 100, 23] {
            world.advance(session.starts_at - world.app.clock.now() - Duration::hours(hours));
            make_ups::plan_reminders(&world.cx(Viewer::System)).await.unwrap();
            assert_eq!(world.count(JOBS).await, 1);
            world.drain().await;
        }
        assert_eq!(world.count("select count(*) from message where letter = 'make_up_reminder'").await, 1);
        // Who books in the last day is told then, and is not reminded.
        make_ups::cancel(&world.cx_of(&missed.learner).await, id).await.unwrap();
        missed.book(&world).await.unwrap();
        make_ups::plan_reminders(&world.cx(Viewer::System)).await.unwrap();
        assert_eq!(world.count(JOBS).await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_a_class_lacks_that_began_before_there_was_any_of_it_is_planned_once(world: World) {
        let school = School::of(&world, vec![]).await;
        let (first, then) = (now() + Duration::hours(30), now() + Duration::hours(102));
        let span = |from| Span { from, until: from + Duration::hours(2) };
        let id = school.open(Draft { sessions: vec![span(first), span(then)], ..school.draft("Runs", 5, 30, 0) }).await;
        enrol(&world, &world.customer("ann@example.com").await, id).await;
        world.advance(Duration::hours(31));
        world.drain().await;
        assert_eq!(class(&world, id).await.state, ClassState::Running);
        world.corrupt("delete from job where kind in ('remind_class', 'remind_to_close')").await;
        // The worker starts, and is started again.
        for _ in 0..2 {
            plan::catch_up(&world.cx(Viewer::System)).await.unwrap();
            assert_eq!(world.count("select count(*) from job where kind = 'remind_class'").await, 1);
            assert_eq!(world.count("select count(*) from job where kind = 'remind_to_close'").await, 1);
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.advance(Duration::hours(48));
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'class_reminder'").await, 1);
        world.advance(Duration::hours(50));
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'crew_not_closed'").await, 1);
        plan::catch_up(&world.cx(Viewer::System)).await.unwrap();
        assert_eq!(world.count("select count(*) from job where kind = 'remind_to_close'").await, 1);
    }
}

both! {
    async fn the_mail_of_an_offer_leads_a_signed_out_reader_through_sign_in_and_back_to_one_tap(world: World) {
        let school = School::of(&world, vec![]).await;
        let id = school.open(school.draft("Offered", 1, 24 * 9, 0)).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        enrol(&world, &ann, id).await;
        enrol(&world, &bob, id).await;
        seats::cancel(&world.cx_of(&ann).await, id, Consent::default()).await.unwrap();
        world.drain().await;
        let (_, _, link) = world.letter("bob@example.com").await.unwrap();
        let path = link.unwrap().replace("http://portal.test", "");
        let sent = world.get(None, &path).await;
        assert_eq!((sent.status, sent.location()), (StatusCode::SEE_OTHER, format!("/sign-in?next={}", path.replace('/', "%2F")).as_str()));
        world.post(None, "/sign-in", &[("email", "bob@example.com"), ("next", &path)]).await;
        let (_, _, door) = world.letter("bob@example.com").await.unwrap();
        let door = door.unwrap().replace("http://portal.test", "");
        let back = world.post_with("", &door, &[]).await;
        assert_eq!((back.status, back.location()), (StatusCode::SEE_OTHER, path.as_str()));
        let page = world.get(&bob, &path).await;
        assert!(page.body.contains("id=\"accept-offer\"") && page.body.contains("id=\"decline-offer\""));
        assert_eq!(world.post(&bob, &path, &[("act", "accept"), ("agreed", "0")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_was_asked_how_it_was_finds_the_way_on_the_page_of_the_class(world: World) {
        let missed = Missed::of(&world, 5, Mark::Late).await;
        world.drain().await;
        let page = world.get(&missed.learner, &format!("/training/{}", missed.home)).await;
        assert!(page.body.contains("href=\"/rate/") && page.body.contains("Rate the class"), "{}", page.body);
    }
}

#[test]
fn letters_are_written_in_every_language() {
    use aftercare::{
        i18n::{Fmt, Locale},
        training::server::learning_letters::{Earned, LearningLetter, Says, Session},
    };
    let about = || Session {
        home: "Home".into(),
        title: "Host".into(),
        starts: now(),
        zone: chrono_tz::Europe::Vilnius,
        link: "https://portal.test/x".into(),
    };
    for locale in [Locale::en, Locale::es, Locale::it, Locale::hi, Locale::lt] {
        for letter in [
            LearningLetter::MakeUp { about: about(), says: Says::Booked { place: String::new() } },
            LearningLetter::MakeUp {
                about: about(),
                says: Says::Changed { place: "Room 2".into(), language: Some("es".into()) },
            },
            LearningLetter::MakeUp { about: about(), says: Says::Reminder { place: "Room 2".into() } },
            LearningLetter::MakeUp { about: about(), says: Says::Language { language: "es".into() } },
            LearningLetter::MakeUp { about: about(), says: Says::GivenBack { forgiven: false } },
            LearningLetter::MakeUp { about: about(), says: Says::GivenBack { forgiven: true } },
            LearningLetter::MakeUp { about: about(), says: Says::Cancelled { forgiven: false } },
            LearningLetter::MakeUp { about: about(), says: Says::Cancelled { forgiven: true } },
            LearningLetter::MakeUp { about: about(), says: Says::Void },
            LearningLetter::Certified {
                title: "Home".into(),
                earned: Earned::MadeUp,
                link: "https://portal.test/y".into(),
            },
            LearningLetter::CertificateWithdrawn { title: "Home".into(), link: "https://portal.test/z".into() },
        ] {
            let written = letter.write(Fmt::new(locale));
            // A reminder names the class that one goes to.
            let named = written.subject.contains("Home") || written.subject.contains("Host");
            assert!(named && written.body.contains("Home"), "{written:?}");
            assert!(!written.body.contains("{{"), "{written:?}");
        }
    }
}

both! {
    async fn one_can_ask_only_for_what_one_owns_and_for_a_class_where_there_is_none(world: World) {
        let firm = Firm::of(&world, 1, 1).await;
        let school = &firm.school;
        let other = School::course(&world, "Something else", vec![]).await;
        // Where no class is, there is a way to ask for one.
        let team = world.get(&firm.owner, "/training/team").await.body;
        assert!(team.contains(&format!("/training/ask/{}", school.course)), "{team}");
        for n in 0..8 {
            school.open(school.draft(&format!("Mine {n}"), 5, 24 * (9 + n), 0)).await;
        }
        school.open(Draft { course: other, ..school.draft("Not mine", 5, 24 * 30, 0) }).await;
        let all = world.get(&firm.owner, "/training").await.body;
        assert!(all.contains("Not mine") && all.contains("/training?owned=1"), "{all}");
        let owned = world.get(&firm.owner, "/training?owned=1").await.body;
        assert!(!owned.contains("Not mine") && owned.contains("Mine 0") && owned.contains("Mine 7"), "{owned}");
        let stranger = world.customer("ann@example.com").await;
        assert!(!world.get(&stranger, "/training?owned=1").await.body.contains("Mine 0"));
        let team = world.get(&firm.owner, "/training/team").await.body;
        assert!(!team.contains("/training/ask/"), "{team}");
    }
}

both! {
    async fn of_everyone_else_who_said_that_they_cannot_come_stays_unmarked(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(school.draft("Home", 5, 30, 0)).await;
        let host = school.open(school.draft("Host", 5, 24 * 12, 0)).await;
        let (own, equal) = (sessions(&world, home).await[0].id, sessions(&world, host).await[0].id);
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let (away, here) = (enrol(&world, &ann, home).await, enrol(&world, &bob, home).await);
        let cx = world.cx_of(&ann).await;
        announce::say(&cx, home, own, Announced::Absent, String::new()).await.unwrap();
        let guest = make_ups::book(&cx, home, own, equal, None).await.unwrap();
        world.advance(Duration::hours(31));
        let desk = format!("/desk/classes/{home}");
        let page = world.get(&school.trainer, &desk).await.body;
        assert!(page.contains("1 not marked yet") && page.contains("cannot come stays unmarked"), "{page}");
        let own_text = own.to_string();
        world.post(&school.trainer, &desk, &[("act", "mark_rest"), ("session", &own_text)]).await;
        let marked = async |seat| store::mark(&mut world.db().read().await.unwrap(), seat, own).await.unwrap();
        assert_eq!((marked(away).await, marked(here).await), (None, Some(Mark::Present)));
        assert_eq!(class(&world, host).await.guests, 1);
        // Nobody is left for that tap.
        assert!(!world.get(&school.trainer, &desk).await.body.contains("mark-rest"));
        // A guest who said so is spared as well.
        attend::mark(&school.now(&world).await, home, own, away, None, Some(Mark::Absent)).await.unwrap();
        plan::close(&school.now(&world).await, home).await.unwrap();
        let of = announce::Of::Guest(guest);
        announce::tell(&world.cx_of(&ann).await, of, Announced::Absent, String::new()).await.unwrap();
        world.advance(Duration::hours(24 * 11));
        attend::mark_rest(&school.now(&world).await, host, equal).await.unwrap();
        assert_eq!(world.count("select count(*) from make_up where mark is not null").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_seat_on_which_a_session_was_made_up_has_been_used(world: World) {
        let firm = Firm::of(&world, 2, 0).await;
        let school = &firm.school;
        let home = school.open(twice(school, "Home", 5, 24 * 20)).await;
        let host = school.open(twice(school, "Host", 5, 24 * 5)).await;
        let ann = world.customer("ann@example.com").await;
        let own_seat = enrol(&world, &ann, home).await;
        firm.enrol(&world, home, firm.group(&[0], 0, aftercare::training::domain::Wish::Together)).await.unwrap();
        let eva = &firm.people[0];
        let firms_seat = store::active(&mut world.db().read().await.unwrap(), home, eva.id).await.unwrap().unwrap().id;
        let (own, equal) = (sessions(&world, home).await, sessions(&world, host).await);
        let mut made_up = Vec::new();
        for who in [&ann, eva] {
            let cx = world.cx_of(who).await;
            announce::say(&cx, home, own[0].id, Announced::Absent, String::new()).await.unwrap();
            let page = world.get(who, &format!("/training/{home}/make-up")).await.body;
            assert!(page.contains("can no longer be given back"), "{page}");
            made_up.push(make_ups::book(&cx, home, own[0].id, equal[0].id, None).await.unwrap());
        }
        world.advance(Duration::hours(24 * 5 + 1));
        for id in made_up {
            make_ups::mark(&school.now(&world).await, id, None, Some(Mark::Present)).await.unwrap();
        }
        // Neither the learner nor the firm gives back what taught already, nor does a second one learn on it.
        let page = world.post(&ann, &format!("/training/{home}"), &[("act", "cancel")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("has been made up already"), "{}", page.body);
        let owner = world.cx_of(&firm.owner).await;
        assert_eq!(refused(groups::swap(&owner, firms_seat, firm.people[1].id).await), Refusal::MadeUp);
        assert_eq!(refused(groups::give_back(&owner, firms_seat).await), Refusal::MadeUp);
        assert_eq!(class(&world, home).await.taken, 2);
        // Staff may do what is fair.
        staff_seats::give_back(&school.now(&world).await, home, own_seat, "Ill for weeks.".into()).await.unwrap();
        assert_eq!(class(&world, home).await.taken, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn whoever_makes_a_session_up_in_a_class_can_be_moved_into_it(world: World) {
        let school = School::of(&world, vec![]).await;
        let home = school.open(twice(&school, "Home", 5, 24 * 20)).await;
        // There is one chair, which the guest has.
        let host = school.open(twice(&school, "Host", 1, 24 * 10)).await;
        let ann = world.customer("ann@example.com").await;
        let seat = enrol(&world, &ann, home).await;
        let (own, equal) = (sessions(&world, home).await, sessions(&world, host).await);
        let cx = world.cx_of(&ann).await;
        announce::say(&cx, home, own[1].id, Announced::Absent, String::new()).await.unwrap();
        make_ups::book(&cx, home, own[1].id, equal[1].id, None).await.unwrap();
        staff_seats::carry(&school.now(&world).await, home, seat, host, "All of it there.".into()).await.unwrap();
        let row = class(&world, host).await;
        assert_eq!((row.taken, row.guests), (1, 0));
        assert_eq!(world.count("select count(*) from make_up where state = 'booked'").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_owner_sees_who_still_makes_a_session_up_and_does_not_enrol_them_again(world: World) {
        let firm = Firm::of(&world, 1, 1).await;
        let school = &firm.school;
        let home = school.open(twice(school, "Home", 5, 30)).await;
        let host = school.open(twice(school, "Host", 5, 24 * 12)).await;
        let eva = &firm.people[0];
        firm.enrol(&world, home, firm.group(&[0], 0, aftercare::training::domain::Wish::Together)).await.unwrap();
        let seat = store::active(&mut world.db().read().await.unwrap(), home, eva.id).await.unwrap().unwrap().id;
        world.advance(Duration::hours(60));
        hold(&world, school, home, seat, Mark::Absent).await;
        let (own, equal) = (sessions(&world, home).await, sessions(&world, host).await);
        make_ups::book(&world.cx_of(eva).await, home, own[1].id, equal[1].id, None).await.unwrap();
        plan::close(&school.now(&world).await, home).await.unwrap();
        let page = world.get(&firm.owner, "/training/team").await.body;
        assert!(page.contains("Makes up a session"), "{page}");
        let hers = format!("value=\"{}", eva.id);
        assert!(!page.contains(&hers), "{page}");
    }
}

both! {
    async fn what_another_installation_keeps_in_the_data_folder_is_left_there(world: World) {
        let data = &world.app.config.data_dir;
        let folder = data.join("materials/00");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("unknown");
        std::fs::write(&file, b"x").unwrap();
        let days_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 24 * 3600);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(days_ago).unwrap();
        let mark = data.join("installation");
        std::fs::write(&mark, "another's").unwrap();
        materials::sweep(&world.app).await.unwrap();
        assert!(file.exists());
        // In its own folder, which the first to come marks, nobody knows of it.
        std::fs::remove_file(&mark).unwrap();
        materials::sweep(&world.app).await.unwrap();
        assert!(!file.exists() && mark.exists());
    }
}

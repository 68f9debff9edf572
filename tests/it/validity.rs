//! Certificates that lapse: on the certificate, at home, in a firm's matrix, for what a course needs before. On both
//! databases, through services and through the router.

use crate::{
    both,
    groups::Firm,
    training::{School, now},
    world::{Signed, World},
};
use aftercare::{
    access::Role,
    calendar::domain::Span,
    error::{AppError, Refusal as AnyRefusal},
    fetch_scalar,
    training::{
        domain::{Mark, NeedsRule, Refusal},
        server::{
            attend,
            courses::{self, Edit},
            plan::{self, Draft},
            seats::{self, Consent},
            store,
        },
    },
    values::{ClassId, CourseId},
};
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

async fn change(world: &World, school: &School, id: CourseId, change: impl Fn(&mut Edit)) {
    let mut tx = world.db().read().await.unwrap();
    let course = store::course_detail(&mut tx, id).await.unwrap();
    let needs = store::needs_of(&mut tx, id).await.unwrap().into_iter().map(|(id, _)| id).collect();
    drop(tx);
    let mut edit = Edit { course, units: Vec::new(), needs };
    change(&mut edit);
    courses::edit(&school.now(world).await, edit).await.unwrap();
}

async fn enrol(world: &World, who: &Signed, class: ClassId) {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap();
}

/// Everybody attends all of a class, which is closed; a day later.
async fn hold(world: &World, school: &School, id: ClassId) {
    let mut tx = world.db().read().await.unwrap();
    let sessions = store::sessions(&mut tx, id).await.unwrap();
    drop(tx);
    go_to(world, sessions.last().unwrap().ends_at + Duration::minutes(5));
    let cx = school.now(world).await;
    for session in sessions {
        attend::mark_rest(&cx, id, session.id).await.unwrap();
    }
    plan::close(&cx, id).await.unwrap();
}

fn go_to(world: &World, at: DateTime<Utc>) {
    world.advance(at - world.app.clock.now());
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn code(world: &World, who: &Signed) -> String {
    const CODE: &str = "select code from certificate where person_id = $1 order by given_at desc limit 1";
    fetch_scalar!(world.db().read().await.unwrap(), String, CODE, who.id).unwrap().unwrap()
}

/// What of home says that something lapses.
async fn needs(world: &World, who: &Signed) -> usize {
    let page = world.get(who, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    page.body.matches("Your certificate lapses soon").count()
}

both! {
    async fn a_certificate_lapses_after_its_months_and_its_holder_is_told_once(world: World) {
        let school = School::of(&world, vec![]).await;
        change(&world, &school, school.course, |edit| edit.course.valid_months = Some(6)).await;
        let ann = world.customer("ann@example.com").await;
        let id = school.open(school.draft("Printers I", 5, 30, 0)).await;
        enrol(&world, &ann, id).await;
        hold(&world, &school, id).await;
        // Given on the second of December in Madrid: its last day is the second of June, whatever the course says later.
        change(&world, &school, school.course, |edit| edit.course.valid_months = None).await;
        let path = format!("/certificates/{}", code(&world, &ann).await);
        let page = world.get(None, &path).await;
        assert!(page.body.contains("Valid until") && page.body.contains("genuine"), "{}", page.body);
        assert!(page.body.contains(&world.operator().fmt().date("2027-06-02".parse().unwrap())), "{}", page.body);
        assert_eq!(world.get(None, &format!("{path}/certificate.pdf")).await.status, StatusCode::OK);
        let token = world.get(None, &format!("{path}/badge")).await.body;
        let payload = token.split('.').nth(1).unwrap();
        let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        assert_eq!(payload["validUntil"], "2027-06-02T22:00:00Z");
        assert_eq!(payload["exp"], at("2027-06-02T22:00:00Z").timestamp());
        assert_eq!(world.broken().await, Vec::<String>::new());
        // 61 days before nothing is said, 60 days before one letter is written, and no second one.
        go_to(&world, at("2027-04-02T12:00:00Z"));
        world.drain().await;
        assert_eq!((needs(&world, &ann).await, world.count("select count(*) from message where letter = 'certificate_lapses'").await), (0, 0));
        for day in 3..6 {
            go_to(&world, at(&format!("2027-04-0{day}T12:00:00Z")));
            world.drain().await;
            assert_eq!(world.count("select count(*) from message where letter = 'certificate_lapses'").await, 1);
        }
        let (subject, body, link) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("Printers") && body.contains("valid until"), "{subject}: {body}");
        assert!(link.unwrap().ends_with(&format!("/training/courses/{}", school.course)));
        assert_eq!(needs(&world, &ann).await, 1);
        assert!(world.get(&ann, "/training/mine").await.body.contains("Lapses on"));
        // A seat in the same course, and nothing needs doing; once it is lapsed home is silent too.
        let hours = (at("2027-06-10T09:00:00Z") - now()).num_hours();
        let again = school.open(school.draft("Printers again", 5, hours, 0)).await;
        enrol(&world, &ann, again).await;
        assert_eq!(needs(&world, &ann).await, 0);
        seats::cancel(&world.cx_of(&ann).await, again, Consent::default()).await.unwrap();
        assert_eq!(needs(&world, &ann).await, 1);
        go_to(&world, at("2027-06-02T21:59:00Z"));
        assert!(world.get(None, &path).await.body.contains("Lapses on"));
        go_to(&world, at("2027-06-02T22:01:00Z"));
        let page = world.get(None, &path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("it has lapsed") && page.body.contains("Lapsed on"), "{}", page.body);
        assert_eq!(needs(&world, &ann).await, 0);
        // Who has lapsed learns again, and gets a certificate of their own.
        enrol(&world, &ann, again).await;
        hold(&world, &school, again).await;
        assert_eq!(world.count("select count(*) from certificate").await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_learned_it_again_in_time_is_not_told(world: World) {
        let school = School::of(&world, vec![]).await;
        change(&world, &school, school.course, |edit| edit.course.valid_months = Some(6)).await;
        let ann = world.customer("ann@example.com").await;
        for (title, hours) in [("First", 30), ("Second", 24 * 100)] {
            let id = school.open(school.draft(title, 5, hours, 0)).await;
            enrol(&world, &ann, id).await;
            hold(&world, &school, id).await;
        }
        go_to(&world, at("2027-04-10T12:00:00Z"));
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where letter = 'certificate_lapses'").await, 0);
        assert_eq!(needs(&world, &ann).await, 0);
    }
}

both! {
    async fn what_a_course_needs_before_is_met_by_a_certificate_that_is_valid_on_its_first_day(world: World) {
        let school = School::of(&world, vec![]).await;
        change(&world, &school, school.course, |edit| edit.course.valid_months = Some(6)).await;
        let ann = world.customer("ann@example.com").await;
        let id = school.open(school.draft("Basics", 5, 30, 0)).await;
        enrol(&world, &ann, id).await;
        hold(&world, &school, id).await;
        let basics = school.course;
        let course = School::course(&world, "Advanced", vec![]).await;
        change(&world, &school, course, |edit| {
            edit.course.needs_rule = NeedsRule::Require;
            edit.needs = vec![basics];
        })
        .await;
        let on = async |text: &str, title: &str| {
            let hours = (at(text) - now()).num_hours();
            let draft = Draft { course, ..school.draft(title, 5, hours, 0) };
            school.open(draft).await
        };
        // The last valid day is the second of June, by the clock of the class.
        let (last, after) = (on("2027-06-02T20:00:00Z", "On the last day").await, on("2027-06-02T23:00:00Z", "After it").await);
        enrol(&world, &ann, last).await;
        match seats::enrol(&world.cx_of(&ann).await, after, Consent::default()).await {
            Err(AppError::Refused(AnyRefusal::Training(Refusal::NeedsBefore { courses }))) => assert_eq!(courses, ["Printers"]),
            other => panic!("{other:?}"),
        }
        let page = world.get(&ann, &format!("/training/{after}")).await;
        assert!(page.body.contains("Printers"), "{}", page.body);
    }
}

both! {
    async fn the_matrix_says_what_lapses_and_offers_to_enrol_again(world: World) {
        let firm = Firm::of(&world, 2, 2).await;
        let school = &firm.school;
        change(&world, school, school.course, |edit| edit.course.valid_months = Some(3)).await;
        let id = school.open(school.draft("Printers I", 5, 30, 0)).await;
        enrol(&world, &firm.people[0], id).await;
        hold(&world, school, id).await;
        let page = world.get(&firm.owner, "/training/team").await;
        assert!(page.body.contains("Passed") && page.body.contains("Valid until"), "{}", page.body);
        assert!(page.body.contains("2 certificates are missing") && page.body.contains("2 × Printer"), "{}", page.body);
        go_to(&world, at("2027-01-10T12:00:00Z"));
        world.drain().await;
        for (letter, many) in [("certificate_lapses", 1), ("employee_lapses", 1)] {
            let sql = format!("select count(*) from message where letter = '{letter}'");
            assert_eq!(world.count(sql.leak()).await, many, "{letter}");
        }
        let (_, body, link) = world.letter("owner@firm.example").await.unwrap();
        assert!(body.contains("employee0 (Acme Works)"), "{body}");
        assert!(link.unwrap().ends_with(&format!("/training/team?firm={}", firm.id)));
        let hours = (at("2027-04-01T09:00:00Z") - now()).num_hours();
        let next = school.open(school.draft("Printers II", 5, hours, 0)).await;
        let tick = format!("value=\"{}\" form=\"course-{}\"", firm.people[0].id, school.course);
        for (day, word, sum) in [("2027-02-01", "Lapses on", "1 lapses soon"), ("2027-03-10", "Lapsed on", "1 has lapsed")] {
            go_to(&world, at(&format!("{day}T12:00:00Z")));
            let page = world.get(&firm.owner, "/training/team").await;
            assert!(page.body.contains(word) && page.body.contains(sum) && page.body.contains(&tick), "{day}: {}", page.body);
        }
        firm.enrol(&world, next, firm.group(&[0, 1], 0, aftercare::training::domain::Wish::Together)).await.unwrap();
        let page = world.get(&firm.owner, "/training/team").await;
        assert!(page.body.contains("1 certificate is missing") && !page.body.contains("has lapsed"), "{}", page.body);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn staff_say_how_long_a_certificate_is_valid_and_wrong_months_come_back(world: World) {
        let school = School::of(&world, vec![]).await;
        let path = format!("/desk/courses/{}", school.course);
        for (months, status) in [("0", 422), ("601", 422), ("soon", 422), ("24", 303), ("", 303)] {
            let version = store::course_detail(&mut world.db().read().await.unwrap(), school.course).await.unwrap().version;
            let form = [
                ("version", version.to_string()),
                ("title", "Printers".to_owned()),
                ("summary", "All about it.".to_owned()),
                ("language", "en".to_owned()),
                ("level", "beginner".to_owned()),
                ("needs_rule", "warn".to_owned()),
                ("pass_percent", "80".to_owned()),
                ("valid_months", months.to_owned()),
            ];
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let reply = world.post(&school.trainer, &path, &form).await;
            assert_eq!(reply.status.as_u16(), status, "{months}: {}", reply.body);
            if status == 422 {
                assert!(reply.body.contains(&format!("value=\"{months}\"")) && reply.body.contains("href=\"#valid_months\""), "{}", reply.body);
            }
            let stored = store::course_detail(&mut world.db().read().await.unwrap(), school.course).await.unwrap().valid_months;
            assert_eq!(stored, (status == 303).then(|| months.parse().ok()).flatten());
        }
        change(&world, &school, school.course, |edit| edit.course.valid_months = Some(24)).await;
        let ann = world.customer("ann@example.com").await;
        let page = world.get(&ann, &format!("/training/courses/{}", school.course)).await;
        assert!(page.body.contains("24 months"), "{}", page.body);
    }
}

both! {
    async fn staff_read_the_matrix_of_a_firm_and_change_nothing_there(world: World) {
        let firm = Firm::of(&world, 2, 1).await;
        let id = firm.school.open(firm.school.draft("Printers I", 5, 24 * 9, 0)).await;
        enrol(&world, &firm.people[0], id).await;
        let path = format!("/desk/organisations/{}/team", firm.id);
        let agent = world.staff(Role::Agent).await;
        for who in [&agent, &firm.school.trainer, &world.staff(Role::Manager).await] {
            let page = world.get(who, &path).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.body.contains("employee1") && page.body.contains("Missing") && page.body.contains("Booked"), "{}", page.body);
            assert!(!page.body.contains("type=\"checkbox\"") && !page.body.contains("/group\""), "{}", page.body);
        }
        assert_eq!(world.get(&world.staff(Role::Technician).await, &path).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.get(&firm.owner, &path).await.status, StatusCode::NOT_FOUND);
        // The way there: from the customer, and from the roster.
        let customer = world.get(&agent, &format!("/desk/customers/{}", firm.owner.id)).await;
        assert!(customer.body.contains(&format!("href=\"{path}\"")), "{}", customer.body);
        firm.enrol(&world, id, firm.group(&[1], 0, aftercare::training::domain::Wish::Together)).await.unwrap();
        let roster = world.get(&firm.school.trainer, &format!("/desk/classes/{id}")).await;
        assert!(roster.body.contains(&format!("href=\"{path}\"")), "{}", roster.body);
    }
}

both! {
    async fn check_names_a_certificate_that_nobody_will_hear_of(world: World) {
        let school = School::of(&world, vec![]).await;
        change(&world, &school, school.course, |edit| edit.course.valid_months = Some(6)).await;
        let ann = world.customer("ann@example.com").await;
        let id = school.open(school.draft("Printers I", 5, 30, 0)).await;
        enrol(&world, &ann, id).await;
        hold(&world, &school, id).await;
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.corrupt("update job set kind = 'lost' where kind = 'tell_lapse'").await;
        assert_eq!(world.broken().await, ["lapse_without_a_letter"]);
    }
}

#[test]
fn letters_about_what_lapses_are_written_in_every_language() {
    use aftercare::{
        i18n::{Fmt, Locale},
        training::server::learning_letters::LearningLetter,
    };
    let last = "2027-06-02".parse().unwrap();
    for locale in [Locale::en, Locale::es, Locale::it, Locale::hi, Locale::lt] {
        let link = "https://portal.test/x".to_owned();
        for letter in [
            LearningLetter::Lapses { title: "Printers".into(), last, link: link.clone() },
            LearningLetter::EmployeeLapses {
                name: "Ann".into(),
                firm: "Acme".into(),
                title: "Printers".into(),
                last,
                link: link.clone(),
            },
        ] {
            let written = letter.write(Fmt::new(locale));
            assert!(written.subject.contains("Printers") && written.body.contains("Printers"), "{written:?}");
            assert!(written.body.contains("2027") && !written.body.contains("{{"), "{written:?}");
        }
    }
}

both! {
    async fn what_a_class_asks_for_a_certificate_is_what_it_asked_when_it_was_published(world: World) {
        let school = School::of(&world, vec![]).await;
        change(&world, &school, school.course, |edit| edit.course.pass_percent = 50).await;
        let twice = |title: &str, hours: i64| {
            let draft = school.draft(title, 5, hours, 0);
            let second = Span { from: draft.sessions[0].from + Duration::days(1), until: draft.sessions[0].until + Duration::days(1) };
            Draft { sessions: vec![draft.sessions[0], second], ..draft }
        };
        let ann = world.customer("ann@example.com").await;
        let before = school.open(twice("Before", 30)).await;
        let drafted = plan::create(&school.cx, twice("Drafted", 24 * 5), None).await.unwrap();
        enrol(&world, &ann, before).await;
        change(&world, &school, school.course, |edit| edit.course.pass_percent = 80).await;
        plan::publish(&school.cx, drafted).await.unwrap();
        enrol(&world, &ann, drafted).await;
        let asks = async |id: ClassId| store::class(&mut world.db().read().await.unwrap(), id).await.unwrap().pass_percent;
        assert_eq!((asks(before).await, asks(drafted).await), (50, 80));
        assert!(world.get(&ann, &format!("/training/{before}")).await.body.contains("50%"));
        // Half of each: enough for the one that she was promised it for.
        for id in [before, drafted] {
            let all = store::sessions(&mut world.db().read().await.unwrap(), id).await.unwrap();
            let seat = store::active(&mut world.db().read().await.unwrap(), id, ann.id).await.unwrap().unwrap().id;
            go_to(&world, all[1].ends_at + Duration::minutes(5));
            let cx = school.now(&world).await;
            attend::mark_rest(&cx, id, all[0].id).await.unwrap();
            attend::mark(&cx, id, all[1].id, seat, None, Some(Mark::Absent)).await.unwrap();
            plan::close(&cx, id).await.unwrap();
            assert_eq!(world.count("select count(*) from certificate").await, 1);
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

//! What readers are shown: the demo company with its bar, faults in their language, times in their zone.

use crate::{
    both, sold,
    training::School,
    world::{Engine, Signed, World},
};
use aftercare::{
    access::Role,
    calendar::domain::Span,
    repairs::domain::{Mode, State},
    server::demo::ACCOUNTS,
    training::server::{
        plan::Draft,
        seats::{self, Consent},
    },
};
use axum::http::{StatusCode, header};
use chrono::{DateTime, Duration, Utc};

/// What every story of the demo company left behind, and how much of it there is at least.
const STORIES: &[(&str, i64, &str)] = &[
    ("people and things", 40, "select count(*) from person where not staff"),
    ("people and things", 30, "select count(*) from repair"),
    ("people and things", 10, "select count(*) from product"),
    (
        "a printer with six months of training and maintenance",
        3,
        "select count(distinct b.allowance) from benefit b join item i on i.id = b.item_id join purchase p on p.id = i.purchase_id \
         join person q on q.id = i.owner_id where q.email = 'customer@example.com' and p.product_name = 'Aurora 540 printer'",
    ),
    ("the same, with others", 10, "select count(*) from coverage where kind = 'service_plan'"),
    (
        "software for a firm",
        5,
        "select count(*) from item i join purchase p on p.id = i.purchase_id where p.kind = 'software' and i.organisation_id is not null",
    ),
    ("a firm's employees in classes", 3, "select count(*) from party"),
    ("a seat that still needs its name", 1, "select count(*) from unnamed_seat where state = 'booked'"),
    ("a group that gathers seats", 1, "select count(*) from party where gathered > 0"),
    ("a group with an offer", 2, "select count(*) from enrolment where party_id is not null and state = 'offered'"),
    ("somebody who is asked to join a firm", 1, "select count(*) from team_invitation where state = 'open'"),
    (
        "installations and machinery",
        3,
        "select count(*) from item i join purchase p on p.id = i.purchase_id where p.kind = 'installation'",
    ),
    ("a technician who comes", 3, "select count(*) from repair where mode = 'on_site'"),
    ("journeys", 10, "select count(*) from purchase where kind = 'journey'"),
    ("incidents of travellers", 1, "select count(*) from care_case where kind = 'incident'"),
    ("complaints of travellers", 1, "select count(*) from care_case where kind = 'complaint'"),
    ("claims of travellers", 1, "select count(*) from care_case where kind = 'claim'"),
    ("somebody upset, with somebody senior", 1, "select count(*) from care_case where priority <> 'normal'"),
    ("a follow-up to come", 1, "select count(*) from follow_up where done_at is null and due_at > '2026-12-01T09:00'"),
    (
        "a follow-up that is late",
        1,
        "select count(*) from follow_up where done_at is null and due_at < '2026-12-01T09:00'",
    ),
    ("a follow-up that was made", 1, "select count(*) from follow_up where outcome = 'reached'"),
    ("answers after every moment", 4, "select count(distinct moment) from feedback where answered_at is not null"),
    ("prices that wait for an answer", 1, "select count(*) from quote where state = 'sent'"),
    ("prices that were accepted", 1, "select count(*) from quote where state = 'accepted'"),
    ("prices that were declined", 1, "select count(*) from quote where state = 'declined'"),
    ("a guarantee on a repair", 1, "select count(*) from coverage where kind = 'repair_warranty'"),
    ("money that is owed", 1, "select count(*) from charge where state = 'due'"),
    ("money that is to be paid back", 1, "select count(*) from refund where paid_at is null"),
    (
        "two who ask for one thing",
        2,
        "select count(distinct person_id) from registration where serial_key = 'FILO77301'",
    ),
    (
        "a thing that is offered to the customer",
        1,
        "select count(*) from hand_over where state = 'open' and to_email = 'customer@example.com'",
    ),
    (
        "a right that ends soon",
        1,
        "select count(*) from coverage where ends_on > '2026-12-01' and ends_on <= '2026-12-31'",
    ),
    ("people in line", 1, "select count(*) from enrolment where state = 'waitlisted'"),
    ("a seat that was given out of turn", 1, "select count(*) from seat_skip"),
    ("what learners want to learn", 3, "select count(*) from wish"),
    ("a learner who comes later", 1, "select count(*) from announcement where kind = 'late'"),
    ("a missed session that is made up", 1, "select count(*) from make_up where state = 'booked'"),
    ("people who ask for a class", 7, "select count(*) from class_wish where state = 'open'"),
    ("every mark", 4, "select count(distinct mark) from attendance"),
    ("certificates that run out", 2, "select count(*) from certificate where last_valid_on is not null"),
    ("a syllabus for each course", 4, "select count(distinct course_id) from course_unit"),
    ("a course before another", 1, "select count(*) from course_need"),
    ("something to read for a course", 1, "select count(*) from material"),
    ("what a class needs", 3, "select count(*) from equipment"),
    ("a trainer's hours", 5, "select count(*) from working_hours"),
    ("a trainer's absence", 1, "select count(*) from absence"),
    ("letters about all of it", 100, "select count(*) from message"),
    (
        "firms that are likely one",
        2,
        "select count(*) from organisation o where exists (select 1 from organisation p where p.likeness = o.likeness and p.id <> o.id)",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_company_tells_every_story() {
    let world = World::demo(Engine::Sqlite).await;
    let mut missing = Vec::new();
    for (story, least, sql) in STORIES {
        let there = world.count(sql).await;
        if there < *least {
            missing.push(format!("{story}: {there} instead of {least}"));
        }
    }
    let mut tx = world.db().read().await.unwrap();
    for (column, values) in [
        (
            "select count(*) from repair where state = $1",
            State::ALL.iter().map(|state| state.as_str()).collect::<Vec<_>>(),
        ),
        ("select count(*) from repair where mode = $1", Mode::ALL.iter().map(|mode| mode.as_str()).collect()),
        ("select count(*) from person where language = $1", LANGUAGES.iter().map(|(language, _)| *language).collect()),
    ] {
        for value in values {
            if aftercare::fetch_scalar!(tx, i64, column, value).unwrap() == Some(0) {
                missing.push(format!("{column}: {value}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demos_customer_finds_every_kind_of_need_at_home() {
    let world = World::demo(Engine::Sqlite).await;
    let page = world.get(&world.signed("customer@example.com").await, "/").await.body;
    for need in [
        "A price waits for your answer",
        "Your item is ready",
        "A seat in “Your printer, every day: small group” is kept for you",
        "“Your printer, every day” is soon",
        "Coverage ends soon",
    ] {
        assert!(page.contains(need), "{need}: {page}");
    }
}

/// Pages for whoever is there, and those of the desk.
const PORTAL: [&str; 9] =
    ["/", "/purchases", "/repairs", "/repairs/new", "/training", "/help", "/cases", "/account", "/nowhere"];
const DESK: [&str; 7] =
    ["/desk", "/desk/classes", "/desk/repairs", "/desk/cases", "/desk/customers", "/desk/neglected", "/desk/settings"];

/// The roles of the bar, as what they post and whether one is in it now.
fn bar(page: &str) -> Vec<(String, bool)> {
    let posts = |form: &&str| form.contains("action=\"/demo/sign-in\"") && form.contains("method=\"post\"");
    let Some(form) = page.split("<form").find(posts) else { return Vec::new() };
    let buttons = form.split("</form>").next().unwrap().split("<button").skip(1);
    let role = |button: &str| {
        assert!(button.contains("type=\"submit\"") && button.contains("name=\"as\""), "{button}");
        let value = button.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        (value, button.contains("aria-pressed=\"true\""))
    };
    buttons.map(role).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_the_demo_has_a_door_into_each_role() {
    let world = World::demo(Engine::Sqlite).await;
    let all: Vec<&str> = ACCOUNTS.iter().map(|(account, _, _)| *account).collect();
    let expect = |page: &str, current: &str, path: &str| {
        let roles: Vec<(String, bool)> = all.iter().map(|role| ((*role).to_owned(), *role == current)).collect();
        assert_eq!(bar(page), roles, "{path} as {current}");
    };
    for path in ["/", "/sign-in", "/nowhere"] {
        expect(&world.get(None, path).await.body, "nobody", path);
    }
    for role in &all {
        let reply = world.post(None, "/demo/sign-in", &[("as", role)]).await;
        let staff = !["customer", "owner", "member"].contains(role);
        assert_eq!(
            (reply.status, reply.location()),
            (StatusCode::SEE_OTHER, if staff { "/desk" } else { "/" }),
            "{role}"
        );
        let cookie = format!("aftercare={}", reply.cookie("aftercare").unwrap());
        let signed = Signed { id: world.person(&format!("{role}@example.com")).await, cookie };
        let pages: &[&str] = if staff { &DESK } else { &PORTAL };
        for path in pages {
            expect(&world.get(&signed, path).await.body, role, path);
        }
    }
    let nobody = world.post(None, "/demo/sign-in", &[("as", "owner@example.com")]).await;
    assert!(nobody.cookie("aftercare").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_demo_no_page_has_its_bar() {
    let world = World::new(Engine::Sqlite).await;
    let (ann, manager) = (world.customer("ann@example.com").await, world.staff(Role::Manager).await);
    for path in ["/", "/sign-in"] {
        assert!(!world.get(None, path).await.body.contains("/demo/"), "{path}");
    }
    for (who, pages) in [(&ann, &PORTAL[..]), (&manager, &DESK[..])] {
        for path in pages {
            let page = world.get(who, path).await.body;
            assert!(page.contains("</html>") && !page.contains("demo"), "{path}: {page}");
        }
    }
    assert_eq!(world.post(None, "/demo/sign-in", &[("as", "admin")]).await.status, StatusCode::NOT_FOUND);
}

both! {
    async fn sessions_stand_in_the_zone_of_their_class_and_in_the_readers(world: World) {
        let school = School::of(&world, vec![]).await;
        let ann = world.customer("ann@example.com").await;
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        // Ten o'clock in Vilnius on both days; between them Europe's clocks go forward.
        let span = |text| Span { from: at(text), until: at(text) + Duration::hours(2) };
        let sessions = vec![span("2027-03-27T08:00:00Z"), span("2027-03-29T07:00:00Z")];
        let draft = Draft { sessions, zone: chrono_tz::Europe::Vilnius, ..school.draft("Two mornings", 5, 0, 0) };
        let class = school.open(draft).await;
        seats::enrol(&world.cx_of(&ann).await, class, Consent::default()).await.unwrap();
        let there = ["10:00 – 12:00 (Vilnius)", "10:00 – 12:00 (Vilnius)"];
        // The company's zone is that of whoever has not said anything; Riga's clocks show what those of Vilnius do.
        for (version, zone, here) in [
            ("1", "", &["09:00 – 11:00", "09:00 – 11:00"][..]),
            ("1", "Asia/Kolkata", &["13:30 – 15:30", "12:30 – 14:30"]),
            ("2", "America/New_York", &["04:00 – 06:00", "03:00 – 05:00"]),
            ("3", "Europe/Riga", &[]),
        ] {
            if !zone.is_empty() {
                let account = [("name", "Ann"), ("zone", zone), ("version", version)];
                let saved = world.post(&ann, "/account", &account).await;
                assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
            }
            let page = world.get(&ann, &format!("/training/{class}")).await.body;
            let lines = |marked: &dyn Fn(&str) -> bool| {
                let lines = page.split("<p").filter(|line| line.contains(" – ") && marked(line));
                lines.map(|line| line.split("</p>").next().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let own = lines(&|line| line.contains("(Vilnius)"));
            let readers = lines(&|line| line.contains("Where you are: "));
            let all = |lines: &[String], times: &[&str]| {
                lines.len() == times.len() && lines.iter().zip(times).all(|(line, time)| line.contains(time))
            };
            assert!(all(&own, &there), "{zone}: {own:?}");
            assert!(all(&readers, here), "{zone}: {readers:?}");
            assert!(own[0].contains("27 March") && own[1].contains("29 March"), "{own:?}");
        }
    }
}

both! {
    async fn an_appointment_is_told_by_the_clock_of_its_place_and_names_it_to_readers_elsewhere(world: World) {
        let school = School::of(&world, vec![]).await;
        let place = crate::repairs::workshop(&world, 2).await;
        let ann = world.customer("ann@example.com").await;
        let item = crate::repairs::goods(&world, &ann).await;
        // Six in the evening in Kolkata is half past one in Madrid.
        let from = "2026-12-02T12:30:00Z".parse::<DateTime<Utc>>().unwrap();
        let sessions = vec![Span { from, until: from + Duration::hours(2) }];
        let draft = Draft { sessions, zone: chrono_tz::Asia::Kolkata, ..school.draft("From afar", 5, 0, 0) };
        let class = school.open(draft).await;
        seats::enrol(&world.cx_of(&ann).await, class, Consent::default()).await.unwrap();
        for path in ["/", "/training/mine"] {
            let page = world.get(&ann, path).await.body;
            assert!(page.contains("18:00 (Kolkata)"), "{path}: {page}");
        }
        let (item, slot) = (item.to_string(), crate::repairs::slot(place, crate::repairs::MORNING));
        let booking = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "It jams"), ("slot", &slot), ("fee", "2900")];
        let at_home = world.post(&ann, "/repairs/new", &booking).await.location().to_owned();
        for path in ["/repairs", &at_home] {
            let page = world.get(&ann, path).await.body;
            assert!(page.contains("10:00") && !page.contains("(Madrid)"), "{path}: {page}");
        }
        let account = [("name", "Ann"), ("zone", "Asia/Kolkata"), ("version", "1")];
        assert_eq!(world.post(&ann, "/account", &account).await.status, StatusCode::SEE_OTHER);
        for path in ["/", "/training/mine"] {
            let page = world.get(&ann, path).await.body;
            assert!(page.contains("18:00") && !page.contains("(Kolkata)"), "{path}: {page}");
        }
        for path in ["/repairs", &at_home] {
            let page = world.get(&ann, path).await.body;
            assert!(page.contains("10:00 (Madrid)") && !page.contains("14:30"), "{path}: {page}");
        }
        let move_it = [("do", "move"), ("slot", &crate::repairs::slot(place, "2026-12-03T11:00:00Z"))];
        assert_eq!(world.post(&ann, &at_home, &move_it).await.status, StatusCode::SEE_OTHER);
        let said = async |letter: &str| {
            let mut tx = world.db().read().await.unwrap();
            aftercare::fetch_scalar!(&mut tx, String, "select body from message where letter = $1", letter).unwrap().unwrap()
        };
        let (booked, moved) = (said("repair_booked").await, said("repair_moved").await);
        assert!(booked.contains("10:00") && !booked.contains("(Madrid)"), "{booked}");
        assert!(moved.contains("12:00 (Madrid)"), "{moved}");
    }
}

/// The general words of each language, as translators wrote them.
const LANGUAGES: [(&str, &str); 5] = [
    ("en", include_str!("../../locales/en/shell.json")),
    ("es", include_str!("../../locales/es/shell.json")),
    ("it", include_str!("../../locales/it/shell.json")),
    ("hi", include_str!("../../locales/hi/shell.json")),
    ("lt", include_str!("../../locales/lt/shell.json")),
];

both! {
    async fn faults_are_said_in_the_readers_language(world: World) {
        sold::sell(&world, &[&sold::printer("A1", "ann@example.com", "LT", "S-1")]).await;
        crate::repairs::workshop(&world, 2).await;
        let ann = world.signed("ann@example.com").await;
        let english: serde_json::Value = serde_json::from_str(LANGUAGES[0].1).unwrap();
        for (language, words) in &LANGUAGES[1..] {
            let words: serde_json::Value = serde_json::from_str(words).unwrap();
            let word = |key: &str| words[key].as_str().unwrap_or_else(|| panic!("{language} {key}"));
            // Lithuanian counts three as few.
            let three = word(if *language == "lt" { "faults_title_few" } else { "faults_title_other" });
            let three = three.replace("{{ count }}", "3");
            let cookie = format!("language={language}");
            let hers = format!("{}; {cookie}", ann.cookie);
            let bring_in = [("mode", "bring_in"), ("item", "x")];
            let posts: [(&str, &str, &[(&str, &str)], &[(&str, &str)]); 4] = [
                (&cookie, "/sign-in", &[], &[("email", "fault_required")]),
                (&cookie, "/sign-in", &[("email", "ann")], &[("email", "fault_not_an_email")]),
                (&hers, "/repairs/new", &[], &[("item", "fault_required"), ("mode", "fault_required")]),
                (&hers, "/repairs/new", &bring_in, &[("item", "fault_not_a_choice"), ("fault", "fault_required"), ("slot", "fault_required")]),
            ];
            for (cookie, path, fields, faults) in posts {
                let reply = world.post_with(cookie, path, fields).await;
                assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{language} {path}");
                assert!(reply.headers.get(header::CONTENT_TYPE).unwrap().to_str().unwrap().starts_with("text/html"));
                for (field, fault) in faults {
                    let line = reply.body.split(&format!("id=\"{field}-fault\"")).nth(1).map(|rest| rest.split("</p>").next().unwrap());
                    let line = line.unwrap_or_else(|| panic!("{language} {path} {field}: {}", reply.body));
                    assert!(line.contains(word(fault)), "{language} {path} {field}: {line}");
                    assert!(!reply.body.contains(english[*fault].as_str().unwrap()), "{language} {path}");
                }
                assert_eq!(reply.body.contains(&three), path != "/sign-in", "{language} {path}: {}", reply.body);
            }
        }
    }
}

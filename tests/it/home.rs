//! Home: what needs the customer now, else the four doors; help leads to a person.

use crate::{
    both, repairs, sold,
    training::School,
    world::{Engine, Signed, World},
};
use aftercare::{
    access::Role,
    import::server::Kind,
    training::server::seats::{self, Consent},
    values::ClassId,
};
use axum::http::StatusCode;
use chrono::TimeDelta;

both! {
    async fn a_guest_finds_the_way_in(world: World) {
        let page = world.get(None, "/").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("/sign-in"));
    }
}

both! {
    async fn who_needs_nothing_finds_the_four_doors(world: World) {
        let ann = world.customer("ann@example.com").await;
        let page = world.get(&ann, "/").await.body;
        assert!(page.contains("Nothing needs you right now."));
        for door in ["/purchases", "/repairs", "/training", "/help"] {
            assert!(page.contains(&format!("href=\"{door}\"")), "{door}");
        }
    }
}

both! {
    async fn the_newest_need_comes_first(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        for subject in ["The older matter", "The newer matter"] {
            let opened = world.post(&ann, "/cases/new", &[("kind", "question"), ("subject", subject), ("words", "…")]).await;
            let path = format!("/desk{}", opened.location());
            world.post(&agent, &path, &[("do", "ask"), ("words", "Which one?")]).await;
            world.advance(TimeDelta::minutes(5));
        }
        let page = world.get(&ann, "/").await.body;
        let (newer, older) = (page.find("The newer matter").unwrap(), page.find("The older matter").unwrap());
        assert!(newer < older);
        let bob = world.customer("bob@example.com").await;
        assert!(!world.get(&bob, "/").await.body.contains("matter"));
    }
}

both! {
    async fn what_runs_out_does_not_vanish_behind_newer_needs(world: World) {
        let agent = world.staff(Role::Agent).await;
        sold::sell(&world, &["A1,1,2026-11-10,2026-12-02,ann@example.com,LT,,P1,Printer,goods,,1,199.00,EUR,12,"]).await;
        world.advance(TimeDelta::days(9));
        world.drain().await;
        let ann = world.signed("ann@example.com").await;
        assert!(world.get(&ann, "/").await.body.contains("How happy are you with Printer?"));
        let ask = async |subject: String| {
            let opened = world.post(&ann, "/cases/new", &[("kind", "question"), ("subject", subject.as_str()), ("words", "…")]).await;
            assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
            world.post(&agent, &format!("/desk{}", opened.location()), &[("do", "ask"), ("words", "Which one?")]).await;
            world.advance(TimeDelta::minutes(5));
        };
        for n in 1..=7 {
            ask(format!("Matter {n}.")).await;
        }
        let page = world.get(&ann, "/").await.body;
        assert!(page.contains("Matter 1.") && !page.contains("/?all=1"), "all eight: {page}");
        for n in 8..=9 {
            ask(format!("Matter {n}.")).await;
        }
        let page = world.get(&ann, "/").await.body;
        assert!(page.contains("How happy are you with Printer?") && page.contains("href=\"/?all=1\""), "{page}");
        assert!(page.contains("Matter 3.") && !page.contains("Matter 2."), "the others are the newest");
        assert!(page.find("Matter 9.") < page.find("Matter 3.") && page.find("Matter 3.") < page.find("How happy"), "newest first");
        let all = world.get(&ann, "/?all=1").await.body;
        assert!((1..=9).all(|n| all.contains(&format!("Matter {n}."))) && all.contains("How happy are you with Printer?"), "{all}");
        assert!(!all.contains("href=\"/?all=1\""), "the way to all of them is not shown on the page of all");
    }
}

/// What home says first: the titles of the needs, in their order.
async fn needs(world: &World, who: &Signed) -> Vec<String> {
    let page = world.get(who, "/").await.body;
    let Some(section) = page.split("This needs you now").nth(1) else { return Vec::new() };
    let section = section.split("</section>").next().unwrap();
    section.split("class=\"card-name\">").skip(1).map(|card| card.split('<').next().unwrap().to_owned()).collect()
}

/// The card of a need, by its title.
async fn need(world: &World, who: &Signed, title: &str) -> String {
    let page = world.get(who, "/").await.body;
    let card = page.split("<a ").find(|card| card.contains(title));
    card.unwrap_or_else(|| panic!("{title}: {page}")).split("</a>").next().unwrap().to_owned()
}

async fn enrol(world: &World, who: &Signed, class: ClassId) {
    seats::enrol(&world.cx_of(who).await, class, Consent::default()).await.unwrap();
}

/// A seat that somebody else gave back goes to the first in line.
async fn seat_offered(world: &World, school: &School, who: &Signed, title: &str) -> ClassId {
    let class = school.open(school.draft(title, 1, 24 * 20, 0)).await;
    let other = world.customer("other@example.com").await;
    enrol(world, &other, class).await;
    enrol(world, who, class).await;
    seats::cancel(&world.cx_of(&other).await, class, Consent::default()).await.unwrap();
    class
}

/// A thing whose last right ends on 14 December, and one whose rights go on.
async fn sell_with_an_end(world: &World, email: &str) {
    sold::sell(
        world,
        &[
            &format!("E1,1,2024-12-10,2024-12-14,{email},LT,,K1,Kettle,goods,K-1,1,49.00,EUR,12,"),
            &format!("E2,1,2026-11-10,2026-11-14,{email},LT,,T1,Toaster,goods,T-1,1,39.00,EUR,12,"),
        ],
    )
    .await;
}

const PRICE: &str = "A price waits for your answer";
const READY: &str = "Your item is ready";
const ENDS: &str = "Coverage ends soon";

both! {
    async fn a_price_to_answer_stands_at_home_until_it_is_answered(world: World) {
        let (ann, technician) = (world.customer("ann@example.com").await, world.staff(Role::Technician).await);
        repairs::workshop(&world, 2).await;
        let address = repairs::priced(&world, &ann, &technician).await;
        assert_eq!(needs(&world, &ann).await, [PRICE]);
        let card = need(&world, &ann, PRICE).await;
        for part in [&address, "Printer P-20", "89.90", "20 December 2026", "Look at the price"] {
            assert!(card.contains(part), "{part}: {card}");
        }
        let page = world.get(&ann, &address).await.body;
        let quote = page.split("name=\"quote\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(world.post(&ann, &address, &[("do", "accept"), ("quote", quote)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(needs(&world, &ann).await, Vec::<String>::new());
    }
}

both! {
    async fn a_repair_that_is_ready_stands_at_home_until_it_is_handed_back(world: World) {
        let (ann, technician) = (world.customer("ann@example.com").await, world.staff(Role::Technician).await);
        let bob = world.customer("bob@example.com").await;
        repairs::workshop(&world, 2).await;
        let address = repairs::mended(&world, &ann, &technician).await;
        assert_eq!((needs(&world, &ann).await, needs(&world, &bob).await), (vec![READY.to_owned()], Vec::new()));
        let card = need(&world, &ann, READY).await;
        for part in [&address, "Printer P-20", "Central workshop", "See the repair"] {
            assert!(card.contains(part), "{part}: {card}");
        }
        repairs::handed_back(&world, &technician, &address).await;
        assert_eq!(needs(&world, &ann).await, Vec::<String>::new());
    }
}

both! {
    async fn a_seat_that_is_offered_stands_at_home_until_it_is_taken(world: World) {
        let school = School::of(&world, vec![]).await;
        let ann = world.customer("ann@example.com").await;
        let class = seat_offered(&world, &school, &ann, "Full house").await;
        let title = "A seat in “Full house” is kept for you";
        assert_eq!(needs(&world, &ann).await, [title]);
        let card = need(&world, &ann, title).await;
        for part in [&format!("/training/{class}"), "2 December", "Decide"] {
            assert!(card.contains(part), "{part}: {card}");
        }
        let taken = world.post(&ann, &format!("/training/{class}"), &[("act", "accept"), ("agreed", "0")]).await;
        assert_eq!(taken.status, StatusCode::SEE_OTHER);
        assert_eq!(needs(&world, &ann).await, Vec::<String>::new());
    }
}

both! {
    async fn a_class_stands_at_home_from_the_day_before_until_it_is_over(world: World) {
        let school = School::of(&world, vec![]).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let class = school.open(school.draft("First steps", 5, 48, 0)).await;
        enrol(&world, &ann, class).await;
        assert_eq!(needs(&world, &ann).await, Vec::<String>::new(), "two days before");
        world.advance(TimeDelta::hours(24));
        let title = "“First steps” is soon";
        assert_eq!((needs(&world, &ann).await, needs(&world, &bob).await), (vec![title.to_owned()], Vec::new()));
        let card = need(&world, &ann, title).await;
        for part in [&format!("/training/{class}"), "3 December", "10:00", "See the class"] {
            assert!(card.contains(part), "{part}: {card}");
        }
        world.advance(TimeDelta::hours(27));
        assert_eq!(needs(&world, &ann).await, Vec::<String>::new(), "it is over");
    }
}

both! {
    async fn coverage_that_ends_soon_stands_at_home_until_it_has_ended(world: World) {
        sell_with_an_end(&world, "ann@example.com").await;
        let ann = world.signed("ann@example.com").await;
        assert_eq!(needs(&world, &ann).await, [ENDS]);
        let card = need(&world, &ann, ENDS).await;
        for part in ["/purchases/", "Kettle", "14 December 2026", "See what is covered"] {
            assert!(card.contains(part), "{part}: {card}");
        }
        world.advance(TimeDelta::days(14));
        assert_eq!(needs(&world, &ann).await, Vec::<String>::new());
    }
}

both! {
    async fn a_plan_that_repairs_nothing_does_not_hide_that_coverage_ends(world: World) {
        let plans = [
            "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind",
            "seats-36,Seats,36,3,0,0,goods",
        ];
        sold::import(&world, &sold::options(Kind::Plans, sold::file(&plans).0.clone())).await;
        let kettle = "E1,1,2024-12-10,2024-12-14,ann@example.com,LT,,K1,Kettle,goods,K-1,1,49.00,EUR,12,seats-36";
        sold::sell(&world, &[kettle]).await;
        let ann = world.signed("ann@example.com").await;
        assert_eq!(needs(&world, &ann).await, [ENDS]);
        assert!(need(&world, &ann, ENDS).await.contains("14 December 2026"));
    }
}

both! {
    async fn needs_of_every_kind_stand_newest_first(world: World) {
        let school = School::of(&world, vec![]).await;
        let technician = world.staff(Role::Technician).await;
        repairs::workshop(&world, 2).await;
        let hour = || world.advance(TimeDelta::hours(1));
        sell_with_an_end(&world, "ann@example.com").await;
        let ann = world.signed("ann@example.com").await;
        // A day and a half before it begins, which is in three hours, a class becomes news.
        let class = school.open(school.draft("First steps", 5, 39, 0)).await;
        enrol(&world, &ann, class).await;
        hour();
        repairs::priced(&world, &ann, &technician).await;
        hour();
        seat_offered(&world, &school, &ann, "Full house").await;
        hour();
        hour();
        repairs::mended(&world, &ann, &technician).await;
        hour();
        let newest_first = [READY, "“First steps” is soon", "A seat in “Full house” is kept for you", PRICE, ENDS];
        assert_eq!(needs(&world, &ann).await, newest_first);
        let other = world.customer("somebody@example.com").await;
        assert_eq!(needs(&world, &other).await, Vec::<String>::new());
    }
}

both! {
    async fn help_leads_to_a_person_by_every_kind_of_case(world: World) {
        let ann = world.customer("ann@example.com").await;
        let page = world.get(&ann, "/help").await.body;
        for kind in ["question", "incident", "complaint", "claim"] {
            assert!(page.contains(&format!("/cases/new?kind={kind}")), "{kind}");
            let form = world.get(&ann, &format!("/cases/new?kind={kind}")).await;
            assert_eq!(form.status, StatusCode::OK);
            assert!(form.body.contains(r#"id="new-case""#));
        }
    }
}

both! {
    async fn every_page_of_care_speaks_five_languages(world: World) {
        let ann = world.customer("ann@example.com").await;
        for (language, help) in [("en", "Help"), ("es", "Ayuda"), ("it", "Aiuto"), ("hi", "सहायता"), ("lt", "Pagalba")] {
            world.post(&ann, "/language", &[("language", language), ("back", "/")]).await;
            let signed = crate::world::Signed { cookie: format!("{}; language={language}", ann.cookie), ..ann.clone() };
            for path in ["/", "/help", "/cases", "/cases/new"] {
                let page = world.get(&signed, path).await;
                assert_eq!(page.status, StatusCode::OK, "{language} {path}");
                assert!(page.body.contains(&format!("lang=\"{language}\"")), "{language} {path}");
                assert!(page.body.contains(help), "{language} {path}");
            }
        }
    }
}

/// Most statements that a page may take, the look for the session included.
const STATEMENTS: u32 = 6;

/// Everybody with a place in a class, of every kind: the state of the place, whether of a group, the state of the class.
const READERS: &str = "select class_id, email from (select e.class_id, p.email, row_number() over ( \
    partition by e.state, c.state, e.party_id is null, p.email = 'owner@example.com' order by e.id) as place from enrolment e \
    join class c on c.id = e.class_id join person p on p.id = e.person_id where e.state in ('waitlisted', 'offered', 'booked') \
    and c.state <> 'draft' and p.email is not null) as readers where place <= 4";

/// Pages cost what they show, not what there is: with several repairs, cases and classes waiting for one customer, and an
/// owner of several firms who sits in classes of her own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_customers_take_few_statements() {
    let world = World::demo(Engine::Sqlite).await;
    // Everything at once for one customer: prices to answer, things to collect.
    world
        .corrupt("update repair set person_id = (select id from person where email = 'customer@example.com') where state in ('quoted', 'ready')")
        .await;
    let waiting = "select count(*) from repair r join person p on p.id = r.person_id \
        where p.email = 'customer@example.com' and r.state in ('quoted', 'ready')";
    assert!(world.count(waiting).await >= 3, "several repairs wait");
    world
        .corrupt(
            "insert into membership (organisation_id, person_id, role, created_at) select o.id, p.id, 'owner', p.created_at from organisation o, person p \
             where p.email = 'owner@example.com' on conflict (organisation_id, person_id) do nothing",
        )
        .await;
    world
        .corrupt(
            "update enrolment set person_id = (select id from person where email = 'owner@example.com') where id in ( \
             select seat from (select seat, row_number() over (partition by class_state, state, alone order by seat) as place from ( \
             select e.id as seat, c.state as class_state, e.state, e.party_id is null as alone, \
             row_number() over (partition by c.id order by e.id) as nth from enrolment e join class c on c.id = e.class_id \
             where e.state in ('waitlisted', 'offered', 'booked') and not exists (select 1 from enrolment o \
             join person p on p.id = o.person_id where o.class_id = c.id and p.email = 'owner@example.com')) as seats \
             where nth = 1) as kinds where place = 1)",
        )
        .await;
    let mut visits: Vec<(String, String)> = Vec::new();
    let readers = {
        let mut tx = world.db().read().await.unwrap();
        aftercare::fetch_all!(tx, (aftercare::values::ClassId, String), READERS).unwrap()
    };
    for kind in ["customer", "owner", "member"] {
        let email = format!("{kind}@example.com");
        visits.extend(PAGES.iter().map(|page| (email.clone(), (*page).to_owned())));
        let signed = world.signed(&email).await;
        for (list, prefix) in [
            ("/training", "/training/"),
            ("/purchases", "/purchases/"),
            ("/repairs", "/repairs/"),
            ("/cases", "/cases/"),
        ] {
            let body = world.get(&signed, list).await.body;
            let details = body
                .split("href=\"")
                .filter_map(|part| part.split('"').next())
                .filter(|href| href.starts_with(prefix) && !href.ends_with("/new") && href.len() > prefix.len() + 8);
            visits.extend(details.take(8).map(|href| (email.clone(), href.to_owned())));
        }
    }
    visits.extend(readers.iter().map(|(class, email)| (email.clone(), format!("/training/{class}"))));
    visits.extend(readers.iter().map(|(_, email)| (email.clone(), "/".to_owned())));
    let classes: Vec<String> =
        visits.iter().filter(|(_, page)| page.starts_with("/training/0")).map(|(_, page)| page.clone()).collect();
    for class in classes.iter().take(6) {
        let body = world.get(&world.signed("customer@example.com").await, class).await.body;
        let course = body.split("href=\"").find_map(|part| part.strip_prefix("/training/courses/")?.split('"').next());
        let course = format!("/training/courses/{}", course.expect("the page of a class leads to its course"));
        visits.push(("customer@example.com".to_owned(), course.clone()));
        visits.push(("owner@example.com".to_owned(), course));
    }
    visits.sort();
    visits.dedup();
    let of_classes = |email: &str| visits.iter().filter(|(who, page)| who == email && page.len() > 40).count();
    assert!(of_classes("owner@example.com") > 6 && readers.len() > 12, "{} readers", readers.len());
    let mut too_many = Vec::new();
    for (email, page) in &visits {
        let signed = world.signed(email).await;
        let (reply, statements) = aftercare::db::counted(world.get(&signed, page)).await;
        assert_eq!(reply.status, StatusCode::OK, "{page} as {email}");
        let statements = statements.read;
        assert!(statements >= 1, "{page} is watched");
        if statements > STATEMENTS {
            too_many.push(format!("{page} as {email}: {statements} statements"));
        }
    }
    assert!(too_many.is_empty(), "{} of {} pages\n{}", too_many.len(), visits.len(), too_many.join("\n"));
}

/// The pages whose address is always the same.
const PAGES: [&str; 16] = [
    "/",
    "/purchases",
    "/purchases?covered=yes",
    "/purchases?q=printer",
    "/training",
    "/training?level=basics&language=en&q=printer&free=1",
    "/training?how=online&place=&from=2026-12-05",
    "/training/mine",
    "/training/team",
    "/training/ask",
    "/repairs",
    "/repairs/new",
    "/cases",
    "/inbox",
    "/account",
    "/help",
];

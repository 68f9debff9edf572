//! Home: what needs the customer now, else the four doors; help leads to a person.

use crate::{
    both,
    world::{Engine, World},
};
use aftercare::access::Role;
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

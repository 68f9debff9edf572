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
/// Of home, which asks every slice, and of the page of one class, which says besides what it needs before, what one may
/// read, where one's group stands.
const GATHERING_STATEMENTS: u32 = 9;

/// Pages cost what they show, not what there is: with several repairs, cases and classes waiting for one customer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_that_people_open_most_take_few_statements() {
    let world = World::demo(Engine::Sqlite).await;
    // Everything at once for one customer: prices to answer, things to collect.
    world
        .corrupt("update repair set person_id = (select id from person where email = 'customer@example.com') where state in ('quoted', 'ready')")
        .await;
    let waiting = "select count(*) from repair r join person p on p.id = r.person_id \
        where p.email = 'customer@example.com' and r.state in ('quoted', 'ready')";
    assert!(world.count(waiting).await >= 3, "several repairs wait");
    for email in ["customer@example.com", "owner@example.com"] {
        let signed = world.signed(email).await;
        let list = world.get(&signed, "/training").await.body;
        let mut pages: Vec<&str> = list
            .split("href=\"")
            .filter_map(|part| part.split('"').next())
            .filter(|href| href.starts_with("/training/") && href.len() > 40)
            .collect();
        pages.extend(["/", "/purchases", "/purchases?covered=yes", "/training", "/repairs"]);
        for page in pages {
            let (reply, statements) = aftercare::db::counted(world.get(&signed, page)).await;
            assert_eq!(reply.status, StatusCode::OK, "{page}");
            let most = if page == "/" || page.len() > 40 { GATHERING_STATEMENTS } else { STATEMENTS };
            assert!((1..=most).contains(&statements), "{page} as {email}: {statements} statements");
        }
    }
}

//! The desk: where roles start, finding a customer, one customer on one screen, and the list that is to be empty.

use crate::{
    both, repairs, sold,
    training::School,
    world::{Engine, Signed, World},
};
use aftercare::{
    access::Role,
    training::server::seats::{self, Consent},
};
use axum::http::StatusCode;
use chrono::TimeDelta;

const CASE: [(&str, &str); 3] =
    [("kind", "question"), ("subject", "The display stays dark"), ("words", "Since this morning.")];

both! {
    async fn each_role_has_its_starting_page_and_customers_none(world: World) {
        for role in Role::ALL {
            let staff = world.staff(role).await;
            assert_eq!(world.get(&staff, "/desk").await.status, StatusCode::OK, "{role:?}");
        }
        let ann = world.customer("ann@example.com").await;
        assert_eq!(world.get(&ann, "/desk").await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(None, "/desk").await.status, StatusCode::SEE_OTHER);
    }
}

both! {
    async fn customers_are_found_by_the_beginning_of_a_name_or_an_address(world: World) {
        let agent = world.staff(Role::Agent).await;
        for email in ["zoe.first@example.com", "zoltan@example.com", "ann@example.com", "Žydrė@example.com"] {
            if email.is_ascii() {
                world.person(email).await;
            }
        }
        let found = async |q: &str| world.get(&agent, &format!("/desk/customers?q={q}")).await.body;
        let page = found("zo").await;
        assert!(page.contains("zoe.first") && page.contains("zoltan") && !page.contains("ann@example.com"));
        assert!(found("ZOE").await.contains("zoe.first"));
        assert!(found("ann%40ex").await.contains("ann@example.com"));
        assert!(found("nobody").await.contains("Nobody found"));
        assert!(found("%25").await.contains("Nobody found"), "a percent sign is no pattern");
        assert!(!found("zo").await.contains("agent@staff.example"));
    }
}

both! {
    async fn a_long_list_of_customers_is_read_page_by_page(world: World) {
        let agent = world.staff(Role::Agent).await;
        for n in 0..45 {
            world.person(&format!("person{n:02}@example.com")).await;
        }
        let (mut path, mut seen, mut pages) = ("/desk/customers?q=person".to_owned(), std::collections::BTreeSet::new(), 0);
        loop {
            let body = world.get(&agent, &path).await.body;
            pages += 1;
            seen.extend((0..45).filter(|n| body.contains(&format!("person{n:02}@example.com"))));
            let Some(next) = body.split("rel=\"next\"").nth(1).and_then(|rest| rest.split("href=\"").nth(1)) else { break };
            path = next.split('"').next().unwrap().replace("&amp;", "&");
        }
        assert_eq!((seen.len(), pages), (45, 3));
    }
}

both! {
    async fn staff_see_one_customer_on_one_screen_and_the_look_is_kept(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        world.post(&ann, "/cases/new", &CASE).await;
        let (hers, his) = (sold::printer("A1", "ann@example.com", "LT", "S-1"), sold::printer("A2", "bob@example.com", "LT", "S-2"));
        sold::sell(&world, &[&hers, &his.replace("Printer", "Kettle")]).await;
        repairs::workshop(&world, 2).await;
        let page = world.get(&ann, "/repairs/new?mode=send_in").await.body;
        let item = page.split("<option").find(|option| option.contains("S-1")).unwrap().split('"').nth(1).unwrap().to_owned();
        let parcel = [("item", item.as_str()), ("mode", "send_in"), ("fault", "It jams"), ("fee", "0")];
        let repair = world.post(&ann, "/repairs/new", &parcel).await;
        assert_eq!(repair.status, StatusCode::SEE_OTHER, "{}", repair.body);
        let school = School::of(&world, vec![]).await;
        let class = school.open(school.draft("First steps", 5, 24 * 9, 0)).await;
        seats::enrol(&world.cx_of(&ann).await, class, Consent::default()).await.unwrap();
        let path = format!("/desk/customers/{}", ann.id);
        let page = world.get(&agent, &path).await;
        assert_eq!(page.status, StatusCode::OK);
        for part in ["The display stays dark", "ann@example.com", "Ratings", "Follow-ups", "History", "We have your message"] {
            assert!(page.body.contains(part), "{part}");
        }
        // What they bought, what is being repaired, what they learn: each in a card of its own.
        let card = |title: &str| {
            let card = page.body.split("class=\"card-title\">").find(|card| card.starts_with(title));
            card.unwrap_or_else(|| panic!("{title}: {}", page.body)).split("class=\"card\"").next().unwrap().to_owned()
        };
        for (title, parts) in [
            ("Purchases", ["Printer", "A1", "10 November 2026", "Covered until"]),
            ("Repairs", ["Printer", repair.location(), "Requested", "The parcel is to arrive"]),
            ("Classes", ["First steps", "10 December", "10:00", "Booked"]),
        ] {
            let card = card(title);
            assert!(parts.iter().all(|part| card.contains(*part)), "{title} {parts:?}: {card}");
            for link in card.split("href=\"").skip(1).map(|link| link.split('"').next().unwrap()) {
                assert_eq!(world.get(&agent, link).await.status, StatusCode::OK, "{link}");
            }
        }
        assert!(!page.body.contains("Kettle"), "{}", page.body);
        assert_eq!(world.count("select count(*) from history where act = 'read_customer'").await, 1);
        for role in [Role::Trainer, Role::Technician] {
            let staff = world.staff(role).await;
            assert_eq!(world.get(&staff, &path).await.status, StatusCode::FORBIDDEN);
        }
        let bob = world.customer("bob@example.com").await;
        assert_eq!(world.get(&bob, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.count("select count(*) from history where act = 'read_customer'").await, 1);
    }
}

both! {
    async fn staff_open_a_case_for_who_calls(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.person("ann@example.com").await;
        let path = format!("/desk/customers/{ann}/case");
        assert_eq!(world.get(&agent, &path).await.status, StatusCode::OK);
        let reply = world.post(&agent, &path, &CASE).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert!(world.get(&agent, reply.location()).await.body.contains("The display stays dark"));
        assert_eq!(world.post(&agent, &path, &[("kind", "question")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

/// The identity of the first thing on the list, from its form.
fn first(body: &str, entity: &str) -> Option<String> {
    let rest = body.split(&format!("name=\"entity\" value=\"{entity}\"")).nth(1)?;
    Some(rest.split("name=\"id\" value=\"").nth(1)?.split('"').next()?.to_owned())
}

async fn list(world: &World, manager: &Signed) -> String {
    world.get(manager, "/desk/neglected").await.body
}

both! {
    async fn what_is_forgotten_stands_on_the_list_and_one_tap_takes_it_off(world: World) {
        let agent = world.staff(Role::Agent).await;
        let manager = world.staff(Role::Manager).await;
        let ann = world.customer("ann@example.com").await;
        world.post(&ann, "/cases/new", &CASE).await;
        assert!(list(&world, &manager).await.contains("Nobody is neglected"));
        world.advance(TimeDelta::days(5));
        let page = list(&world, &manager).await;
        assert!(page.contains("The display stays dark") && page.contains("Late since"), "{page}");
        let id = first(&page, "case").unwrap();
        let reply = world.post(&manager, "/desk/neglected", &[("do", "take"), ("entity", "case"), ("id", &id)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert!(list(&world, &manager).await.contains("Nobody is neglected"));
        assert!(world.get(&manager, "/desk").await.body.contains("Get in touch with the customer"));
        world.advance(TimeDelta::days(3));
        assert!(!list(&world, &manager).await.contains("Nobody is neglected"), "a follow-up that nobody made is on the list too");
        assert_eq!(world.get(&agent, "/desk/neglected").await.status, StatusCode::FORBIDDEN);
    }
}

both! {
    async fn who_signs_in_does_so_by_the_code_or_link_and_not_the_portal(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.person("ann@example.com").await;
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        let printed = aftercare::accounts::server::service::link_for(&world.operator(), "ann@example.com".parse().unwrap()).await.unwrap();
        let signed_in = world.post(None, &printed.replace("http://portal.test", ""), &[]).await;
        assert!(signed_in.cookie("aftercare").is_some());
        assert_eq!(world.count("select count(*) from history where act = 'sign_in' and actor_kind = 'guest'").await, 1);
        let page = world.get(&agent, &format!("/desk/customers/{ann}")).await.body;
        assert!(page.contains("with a code or link · ") && !page.contains("<p class=\"soft small\">Aftercare · "), "{page}");
    }
}

both! {
    async fn the_list_can_always_be_emptied(world: World) {
        let manager = world.staff(Role::Manager).await;
        let ann = world.customer("ann@example.com").await;
        for _ in 0..4 {
            world.post(&ann, "/cases/new", &CASE).await;
        }
        let path = format!("/desk/customers/{}", ann.id);
        world.post(&manager, &path, &[("what", "Call"), ("due", "1")]).await;
        world.corrupt("update care_case set owner_id = null, next_step = null, next_due_at = null").await;
        world.advance(TimeDelta::days(9));
        for turn in 0..20 {
            let page = list(&world, &manager).await;
            if page.contains("Nobody is neglected") {
                assert!(turn >= 5);
                assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
                return;
            }
            let (entity, id) = first(&page, "case").map(|id| ("case", id)).or_else(|| first(&page, "follow_up").map(|id| ("follow_up", id))).unwrap();
            let reply = if turn % 2 == 0 {
                world.post(&manager, "/desk/neglected", &[("do", "plan"), ("entity", entity), ("id", &id), ("due", "3"), ("what", "")]).await
            } else {
                world.post(&manager, "/desk/neglected", &[("do", "take"), ("entity", entity), ("id", &id)]).await
            };
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        }
        panic!("the list does not get empty");
    }
}

both! {
    /// Promise 2: whoever has no owner is on the top of the list, however much else is late.
    async fn what_nobody_owns_stands_above_all_that_is_late(world: World) {
        let manager = world.staff(Role::Manager).await;
        let ann = world.customer("ann@example.com").await;
        let customer = format!("/desk/customers/{}", ann.id);
        world.post(&ann, "/cases/new", &CASE).await;
        world.post(&manager, &customer, &[("what", "Call"), ("due", "1")]).await;
        // More of each than the list shows.
        let copies = match world.engine {
            Engine::Sqlite => [
                "with recursive n(k) as (select 1 union all select k + 1 from n where k < 110) \
                    insert into care_case (id, kind, state, priority, customer_id, owner_id, subject, opened_at, solve_due_at, \
                    reopened, answered_late, solved_late, next_step, next_due_at, touched_at) select randomblob(16), kind, state, \
                    priority, customer_id, owner_id, subject, opened_at, solve_due_at, reopened, answered_late, solved_late, \
                    next_step, next_due_at, touched_at from care_case, n",
                "with recursive n(k) as (select 1 union all select k + 1 from n where k < 110) \
                    insert into follow_up (id, customer_id, owner_id, what, due_at, planned_by, planned_at) \
                    select randomblob(16), customer_id, owner_id, what, due_at, planned_by, planned_at from follow_up, n",
            ],
            Engine::Postgres => [
                "insert into care_case (id, kind, state, priority, customer_id, owner_id, subject, opened_at, solve_due_at, \
                    reopened, answered_late, solved_late, next_step, next_due_at, touched_at) select gen_random_uuid(), kind, state, \
                    priority, customer_id, owner_id, subject, opened_at, solve_due_at, reopened, answered_late, solved_late, \
                    next_step, next_due_at, touched_at from care_case, generate_series(1, 110)",
                "insert into follow_up (id, customer_id, owner_id, what, due_at, planned_by, planned_at) \
                    select gen_random_uuid(), customer_id, owner_id, what, due_at, planned_by, planned_at \
                    from follow_up, generate_series(1, 110)",
            ],
        };
        for copy in copies {
            world.corrupt(copy).await;
        }
        world.advance(TimeDelta::days(9));
        assert_eq!(list(&world, &manager).await.matches("Late since").count(), 100);
        let mut case = CASE;
        case[1].1 = "Nobody answers";
        world.post(&ann, "/cases/new", &case).await;
        case[1].1 = "Nothing comes next";
        world.post(&ann, "/cases/new", &case).await;
        world.post(&manager, &customer, &[("what", "Nobody calls"), ("due", "7")]).await;
        world.corrupt("update care_case set owner_id = null where subject = 'Nobody answers'").await;
        world.corrupt("update care_case set next_step = null where subject = 'Nothing comes next'").await;
        world.corrupt("update follow_up set owner_id = null where what = 'Nobody calls'").await;
        let page = list(&world, &manager).await;
        let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"));
        let (late, step) = (at("Late since"), at("Nothing comes next"));
        assert!(at("Nobody answers") < step && at("Nobody calls") < step && step < late);
        assert_eq!((page.matches("Nobody owns it").count(), page.matches("Late since").count()), (2, 97));
    }
}

/// The key of the form that begins after these words.
fn key_after(body: &str, words: &str) -> String {
    let rest = body.split_once(words).unwrap_or_else(|| panic!("{words}: {body}")).1;
    rest.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

both! {
    async fn a_double_tap_plans_one_contact(world: World) {
        let manager = world.staff(Role::Manager).await;
        let ann = world.customer("ann@example.com").await;
        let path = format!("/desk/customers/{}", ann.id);
        const PLANNED: &str = "select count(*) from follow_up";
        let twice = async |path: &str, form: &[(&str, &str)]| {
            for _ in 0..2 {
                let reply = world.post(&manager, path, form).await;
                assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
            }
        };
        let page = world.get(&manager, &path).await.body;
        let key = key_after(&page, "id=\"plan-follow-up\"");
        twice(&path, &[("what", "Call"), ("due", "1"), ("key", &key)]).await;
        assert_eq!(world.count(PLANNED).await, 1);
        let again = key_after(&world.get(&manager, &path).await.body, "id=\"plan-follow-up\"");
        assert_ne!(again, key);
        twice(&path, &[("what", "Call"), ("due", "1"), ("key", &again)]).await;
        assert_eq!(world.count(PLANNED).await, 2, "another form is another contact");
        // Both forms of a line on the list, of a case that is late.
        for (at, act) in ["take", "plan"].into_iter().enumerate() {
            world.post(&ann, "/cases/new", &CASE).await;
            world.advance(TimeDelta::days(9));
            let page = list(&world, &manager).await;
            let id = first(&page, "case").unwrap();
            let form = page.split(&format!("name=\"id\" value=\"{id}\"")).nth(at + 1).unwrap();
            let key = key_after(form, "");
            twice("/desk/neglected", &[("do", act), ("entity", "case"), ("id", &id), ("due", "1"), ("what", ""), ("key", &key)]).await;
            assert_eq!(world.count("select count(*) from follow_up where entity = 'case'").await, 1 + at as i64, "{act}");
        }
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
    }
}

both! {
    async fn a_follow_up_is_planned_and_done_once(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = format!("/desk/customers/{}", ann.id);
        assert_eq!(world.post(&agent, &path, &[("what", "Call"), ("due", "365")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.post(&agent, &path, &[("what", "Ask about the filter"), ("due", "3")]).await.status, StatusCode::SEE_OTHER);
        let desk = world.get(&agent, "/desk").await.body;
        assert!(desk.contains("Ask about the filter"));
        let done = desk.split("action=\"/desk/follow-ups/").nth(1).unwrap().split('"').next().unwrap();
        let done = format!("/desk/follow-ups/{done}");
        assert_eq!(world.post(&agent, &done, &[("outcome", "reached")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.post(&agent, &done, &[("outcome", "reached")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from history where entity = 'follow_up'").await, 2);
        assert_eq!(world.post(&ann, &done, &[("outcome", "reached")]).await.status, StatusCode::NOT_FOUND);
    }
}

both! {
    async fn a_case_that_gets_its_owner_by_planning_a_contact_says_so_once(world: World) {
        let manager = world.staff(Role::Manager).await;
        let ann = world.customer("ann@example.com").await;
        world.post(&ann, "/cases/new", &CASE).await;
        world.corrupt("update care_case set owner_id = null").await;
        let id = first(&list(&world, &manager).await, "case").unwrap();
        const TOLD: &str = "select count(*) from history where entity = 'case' and act = 'plan_follow_up'";
        for _ in 0..2 {
            let plan = [("do", "plan"), ("entity", "case"), ("id", &id), ("due", "3"), ("what", "Call")];
            let reply = world.post(&manager, "/desk/neglected", &plan).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
            assert_eq!(world.count(TOLD).await, 1, "whose it is was decided once");
            assert_eq!(world.count("select count(*) from care_case where owner_id is null").await, 0);
        }
        assert_eq!(world.count("select count(*) from history where entity = 'follow_up'").await, 2);
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
    }
}

both! {
    async fn check_names_a_follow_up_that_nobody_owns(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        world.post(&agent, &format!("/desk/customers/{}", ann.id), &[("what", "Call"), ("due", "1")]).await;
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
        world.corrupt("update follow_up set due_at = null").await;
        assert_eq!(world.broken().await, ["open_follow_up_without_owner_or_time"]);
    }
}

both! {
    async fn the_reports_are_for_managers(world: World) {
        let manager = world.staff(Role::Manager).await;
        assert_eq!(world.get(&manager, "/desk/reports").await.status, StatusCode::OK);
        let agent = world.staff(Role::Agent).await;
        assert_eq!(world.get(&agent, "/desk/reports").await.status, StatusCode::FORBIDDEN);
    }
}

/// The demo company holds every promise, and shows what it is for.
mod the_demo_company {
    use crate::world::{Engine, World};
    use axum::http::StatusCode;

    async fn shows_cases_ratings_and_follow_ups(world: World) {
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
        for state in ["open", "waiting_for_you", "resolved", "closed"] {
            let mut tx = world.db().read().await.unwrap();
            const CASES: &str = "select count(*) from care_case where state = $1";
            assert!(aftercare::fetch_scalar!(tx, i64, CASES, state).unwrap().unwrap() > 0, "{state}");
        }
        assert!(world.count("select count(*) from feedback where recovery_id is not null").await > 0);
        assert!(world.count("select count(*) from feedback where answered_at is null").await > 0);
        for (account, path) in [
            ("customer", "/"),
            ("customer", "/cases"),
            ("agent", "/desk"),
            ("agent", "/desk/cases"),
            ("manager", "/desk"),
            ("manager", "/desk/neglected"),
            ("manager", "/desk/feedback"),
            ("manager", "/desk/customers"),
            ("admin", "/desk/reports"),
        ] {
            let reply = world.post(None, "/demo/sign-in", &[("as", account)]).await;
            let signed = crate::world::Signed {
                id: world.person(&format!("{account}@example.com")).await,
                cookie: format!("aftercare={}", reply.cookie("aftercare").unwrap()),
            };
            let page = world.get(&signed, path).await;
            assert_eq!(page.status, StatusCode::OK, "{account} {path}");
            assert!(!page.body.contains(" style="), "{path}");
        }
        a_manager_empties_the_list(&world).await;
    }

    /// Whatever kind of thing was forgotten, one tap takes it off.
    async fn a_manager_empties_the_list(world: &World) {
        let manager = world.staff_named(aftercare::access::Role::Manager, "manager@example.com").await;
        for _ in 0..60 {
            let page = super::list(world, &manager).await;
            let Some((entity, rest)) =
                page.split("name=\"entity\" value=\"").nth(1).and_then(|rest| rest.split_once('"'))
            else {
                assert!(page.contains("Nobody is neglected"));
                assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
                return;
            };
            let id = rest.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
            let fields = [("do", "take"), ("entity", entity), ("id", id)];
            let reply = world.post(&manager, "/desk/neglected", &fields).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{entity} {}", reply.body);
        }
        panic!("the list does not get empty");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        shows_cases_ratings_and_follow_ups(World::demo(Engine::Sqlite).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        shows_cases_ratings_and_follow_ups(World::demo(Engine::Postgres).await).await;
    }
}

both! {
    async fn what_found_its_end_needs_no_follow_up(world: World) {
        let manager = world.staff(Role::Manager).await;
        let ann = world.customer("ann@example.com").await;
        let case = world.post(&ann, "/cases/new", &CASE).await.location().to_owned();
        world.advance(TimeDelta::days(5));
        let id = first(&list(&world, &manager).await, "case").unwrap();
        world.post(&manager, "/desk/neglected", &[("do", "take"), ("entity", "case"), ("id", &id)]).await;
        assert_eq!(world.count("select count(*) from follow_up where done_at is null").await, 1);
        world.post(&manager, &format!("/desk{case}"), &[("do", "answer_solve"), ("words", "Sorted.")]).await;
        assert_eq!(world.count("select count(*) from follow_up where done_at is null").await, 0);
        // A repair as well, once the customer has the item again.
        let technician = world.staff(Role::Technician).await;
        crate::repairs::workshop(&world, 2).await;
        let repair = crate::repairs::mended(&world, &ann, &technician).await;
        world.advance(TimeDelta::days(30));
        let id = first(&list(&world, &manager).await, "repair").unwrap();
        let planned = world.post(&manager, "/desk/neglected", &[("do", "plan"), ("entity", "repair"), ("id", &id), ("due", "3"), ("what", "")]).await;
        assert_eq!(planned.status, StatusCode::SEE_OTHER, "{}", planned.body);
        assert_eq!(world.count("select count(*) from follow_up where done_at is null").await, 1);
        crate::repairs::handed_back(&world, &technician, &repair).await;
        assert_eq!(world.count("select count(*) from follow_up where done_at is null").await, 0);
    }
}

both! {
    async fn firms_with_names_that_are_alike_are_listed_and_never_merged(world: World) {
        let (agent, technician) = (world.staff(Role::Agent).await, world.staff(Role::Technician).await);
        for name in ["UAB „Žalgirio spaustuvė“", "Zalgirio spaustuve UAB", "Vilnius Taxi", "Officine Rossi S.r.l."] {
            world.organisation(name).await;
        }
        assert_eq!(world.get(&technician, "/desk/organisations").await.status, StatusCode::FORBIDDEN);
        let page = world.get(&agent, "/desk/organisations").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("Žalgirio spaustuvė") && page.body.contains("Zalgirio spaustuve UAB"), "{}", page.body);
        assert!(!page.body.contains("Vilnius Taxi") && !page.body.contains("Rossi"));
        // What an import brings is compared as well, and so is what was there before names were.
        crate::sold::sell(&world, &[&crate::sold::printer("A1", "ann@example.com", "IT", "S-1").replace("IT,,", "IT,OFFICINE ROSSI SRL,")]).await;
        assert!(world.get(&agent, "/desk/organisations").await.body.contains("OFFICINE ROSSI SRL"));
        world.corrupt("update organisation set likeness = null").await;
        assert!(!world.get(&agent, "/desk/organisations").await.body.contains("ROSSI"));
        let filled = world.db().write(|tx| Box::pin(aftercare::people::server::store::fill_likeness(tx))).await.unwrap();
        assert_eq!(filled, 5);
        let page = world.get(&agent, "/desk/organisations").await.body;
        assert!(page.contains("OFFICINE ROSSI SRL") && page.contains("Officine Rossi S.r.l."), "{page}");
        assert_eq!(world.count("select count(*) from organisation").await, 5);
        assert!(world.get(&agent, "/desk/customers").await.body.contains("/desk/organisations"));
    }
}

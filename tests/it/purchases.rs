//! What customers see of what they bought, and how somebody makes a purchase theirs.

use crate::{
    both,
    sold::{printer, sell},
    world::{Signed, World},
};
use aftercare::{
    access::{Membership, Role, Viewer},
    benefits::{
        domain::{Allowance, Balance, Reference, Refusal as NothingLeft},
        server::ledger,
    },
    charges::{domain::NewCharge, server as charges},
    coverage::{
        domain::{Because, CoverageKind, Decision},
        server::service as coverage,
    },
    error::{AppError, Refusal},
    purchases::server as purchases,
    server::clock::Hands,
    values::{Currency, ItemId, Money, PersonId},
};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

async fn id_of(world: &World, sql: &'static str) -> Uuid {
    let mut tx = world.db().read().await.unwrap();
    aftercare::fetch_scalar!(tx, Uuid, sql).unwrap().unwrap()
}

async fn the_purchase(world: &World) -> String {
    format!("/purchases/{}", id_of(world, "select id from purchase").await.simple())
}

both! {
    async fn a_customer_sees_what_covers_a_thing_because_of_what_until_when(world: World) {
        let ann = world.customer("ann@example.com").await;
        let empty = world.get(&ann, "/purchases").await;
        assert!(empty.body.contains("No purchases yet"), "{}", empty.body);
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let list = world.get(&ann, "/purchases").await;
        assert!(list.body.contains("Printer") && list.body.contains("Covered until"), "{}", list.body);
        let page = world.get(&ann, &the_purchase(&world).await).await;
        assert_eq!(page.status, StatusCode::OK);
        for words in [
            "A repair is covered by the legal guarantee until",
            "because the law grants 24 months from",
            "eu-legal-guarantee",
            "Serial number S-1",
            "3 of 3 class seats left, until",
            "1 of 1 repair left, until",
            "/repairs/new?item=",
            "199",
        ] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        // Staff look at it too: what they find there leads to where they act for a customer.
        let agent = world.staff(Role::Agent).await;
        let seen = world.get(&agent, &the_purchase(&world).await).await.body;
        assert!(!seen.contains("/repairs/new?item=") && !seen.contains("/cases/new?about="), "{seen}");
        let case = format!("/desk/customers/{}/case", ann.id);
        assert!(seen.contains(&case), "{seen}");
        assert_eq!(world.get(&agent, &case).await.status, StatusCode::OK);
        assert!(!page.body.contains(" style="), "an inline style would be blocked");
    }
}

both! {
    async fn somebody_elses_purchase_is_not_found(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        let path = the_purchase(&world).await;
        assert_eq!(world.get(&ann, &path).await.status, StatusCode::OK);
        for path in [path.as_str(), "/purchases/1", "/purchases/00000000000000000000000000000000"] {
            assert_eq!(world.get(&ben, path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert!(!world.get(&ben, "/purchases").await.body.contains("Printer"));
        assert_eq!(world.get(None, &path).await.status, StatusCode::SEE_OTHER);
        let agent = world.staff(Role::Agent).await;
        assert_eq!(world.get(&agent, &path).await.status, StatusCode::OK);
        let trainer = world.staff(Role::Trainer).await;
        assert_eq!(world.get(&trainer, &path).await.status, StatusCode::NOT_FOUND);
    }
}

both! {
    async fn one_piece_of_many_that_became_mine_is_seen(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "").replace(",1,199", ",30,199")]).await;
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        world.corrupt("update item set owner_id = (select id from person where email = 'ben@example.com'), transferred_at = created_at where position = 25").await;
        world.corrupt("update benefit set person_id = (select id from person where email = 'ben@example.com') where item_id in (select id from item where position = 25)").await;
        let path = the_purchase(&world).await;
        let mine = world.get(&ben, &path).await;
        assert_eq!(mine.status, StatusCode::OK);
        assert_eq!(mine.body.matches("3 of 3 class seats left").count(), 1, "{}", mine.body);
        assert!(!mine.body.contains("after="), "there is no more of it");
        // Its former owner leafs through the others, and none is missing.
        let pages = [world.get(&ann, &path).await.body, world.get(&ann, &format!("{path}?after=20")).await.body];
        assert!(pages[0].contains("after=20"), "{}", pages[0]);
        assert_eq!(pages.map(|page| page.matches("3 of 3 class seats left").count()), [20, 9]);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_owner_sees_all_of_the_firm_and_a_member_what_is_theirs(world: World) {
        let row = |order: &str, email: &str, name: &str| {
            format!("{order},1,2026-11-10,2026-11-14,{email},LT,Petrauskas,,{name},goods,,1,199.00,EUR,12,")
        };
        sell(&world, &[
            &row("A1", "ann@example.com", "Printer"),
            &row("A2", "ben@example.com", "Scanner"),
            &row("A3", "ben@example.com", "Private lamp").replace("Petrauskas", ""),
        ]).await;
        let owner = world.customer("owner@example.com").await;
        let firm = aftercare::values::OrganisationId(id_of(&world, "select id from organisation").await);
        world.join(firm, owner.id, Membership::Owner).await;
        let ben = world.customer("ben@example.com").await;
        let (all, theirs) = (world.get(&owner, "/purchases").await.body, world.get(&ben, "/purchases").await.body);
        assert!(all.contains("Printer") && all.contains("Scanner") && !all.contains("Private lamp"));
        assert!(!theirs.contains("Printer") && theirs.contains("Scanner") && theirs.contains("Private lamp"));
    }
}

both! {
    async fn the_list_is_searched_filtered_and_paged(world: World) {
        let rows: Vec<String> = (0..45)
            .map(|n| {
                let (bought, name) = if n % 2 == 0 { ("2024-01-10", "Žiūronai 100%") } else { ("2026-11-10", "Kettle") };
                format!("B{n:02},1,{bought},{bought},ann@example.com,GB,,,{name} {n:02},goods,,1,19.00,EUR,12,")
            })
            .collect();
        sell(&world, &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let ann = world.customer("ann@example.com").await;
        let mut path = "/purchases?covered=yes".to_owned();
        let mut seen = 0;
        loop {
            let page = world.get(&ann, &path).await.body;
            assert!(!page.contains("Žiūronai"));
            seen += page.matches("card-link").count();
            let Some(at) = page.find("rel=\"next\"") else { break };
            let link = &page[at..];
            let start = link.find("href=\"").unwrap() + 6;
            path = link[start..].split('"').next().unwrap().replace("&amp;", "&");
        }
        assert_eq!(seen, 22);
        let found = world.get(&ann, "/purchases?q=%C5%BDI%C5%AARONAI+100%25+4").await.body;
        assert!(found.contains("Žiūronai 100% 44") && !found.contains("Kettle"), "{found}");
        let none = world.get(&ann, "/purchases?covered=no&q=kettle").await.body;
        assert!(none.contains("Nothing found"));
        assert!(world.get(&ann, "/purchases?q=b07").await.body.contains("Kettle 07"));
    }
}

both! {
    /// The list, the staff's page of a customer and the page of the purchase say the same: covered or not.
    async fn a_plan_covers_in_the_list_as_long_as_a_repair_is_left(world: World) {
        // Nothing but the plan covers it.
        let row = printer("A1", "ann@example.com", "GB", "S-1").replace(",12,care-6", ",,care-6");
        // Nobody repairs a journey, whatever its warranty.
        let tour = "A2,1,2026-11-10,2026-11-14,ann@example.com,GB,,P9,Tour,journey,,1,199.00,EUR,12,";
        sell(&world, &[&row]).await;
        let ann = world.customer("ann@example.com").await;
        let agent = world.staff(Role::Agent).await;
        let page = the_purchase(&world).await;
        let said = async || {
            let list = world.get(&ann, "/purchases").await.body;
            let desk = world.get(&agent, &format!("/desk/customers/{}", ann.id)).await.body;
            let only = world.get(&ann, "/purchases?covered=yes").await.body;
            let detail = world.get(&ann, &page).await.body;
            [list.contains("Covered until"), desk.contains("Covered until"), only.contains("Printer"), detail.contains("A repair is covered by")]
        };
        assert_eq!(said().await, [true; 4]);
        let repair = async |kind: &'static str| {
            let now = world.app.clock.now();
            let mut tx = world.db().read().await.unwrap();
            let left = ledger::balances(&mut tx, ann.id, Allowance::Repair, now.date_naive()).await.unwrap().remove(0);
            drop(tx);
            let reference = Reference { entity: "repair", id: Uuid::from_u128(7) };
            world.db().write(move |tx| Box::pin(async move {
                match kind {
                    "reserve" => ledger::reserve(tx, left.benefit, 1, reference, now).await,
                    _ => ledger::release(tx, reference, now).await,
                }
            })).await.unwrap();
        };
        repair("reserve").await;
        assert_eq!(said().await, [false; 4]);
        repair("release").await;
        assert_eq!(said().await, [true; 4]);
        sell(&world, &[tour]).await;
        let list = world.get(&ann, "/purchases?covered=yes").await.body;
        assert!(!list.contains("Tour"), "{list}");
    }
}

both! {
    async fn the_same_decision_everywhere(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1"), &printer("A2", "bob@example.com", "GB", "S-2")]).await;
        let item = async |serial: &str| {
            let mut tx = world.db().read().await.unwrap();
            const ITEM: &str = "select id from item where serial_number = $1";
            ItemId(aftercare::fetch_scalar!(tx, Uuid, ITEM, serial).unwrap().unwrap())
        };
        let decide = async |serial: &str, day: &str| {
            let mut tx = world.db().read().await.unwrap();
            coverage::decide_repair(&mut tx, item(serial).await, day.parse().unwrap()).await.unwrap()
        };
        let by = |decision: Decision| match decision {
            Decision::Covered { by, .. } => Some(by),
            Decision::NotCovered { .. } => None,
        };
        assert_eq!(by(decide("S-1", "2026-12-01").await), Some(CoverageKind::LegalGuarantee));
        assert_eq!(by(decide("S-2", "2026-12-01").await), Some(CoverageKind::Warranty));
        let late = decide("S-2", "2028-12-01").await;
        assert!(matches!(late.because(), Because::Ended { .. }), "{late:?}");
        let nothing = coverage::decide_repair(&mut world.db().read().await.unwrap(), ItemId(Uuid::nil()), "2026-12-01".parse().unwrap()).await;
        assert_eq!(nothing, Err(AppError::NotFound));
    }
}

both! {
    async fn a_repair_under_the_law_prolongs_it_once_and_carries_its_own_warranty(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let item = ItemId(id_of(&world, "select id from item").await);
        for repair in [Uuid::now_v7(), Uuid::now_v7()] {
            world.db().write(move |tx| Box::pin(async move {
                let day = "2026-12-01".parse().unwrap();
                let now = "2026-12-01T09:00:00Z".parse().unwrap();
                coverage::after_repair(tx, item, aftercare::values::RepairId(repair), day, 90, Some(day), now).await
            })).await.unwrap();
        }
        assert_eq!(world.count("select count(*) from coverage where kind = 'legal_guarantee' and ends_on = '2029-11-15'").await, 1);
        assert_eq!(world.count("select count(*) from coverage where kind = 'repair_warranty'").await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

async fn seats(world: &World, person: PersonId) -> Vec<Balance> {
    let mut tx = world.db().read().await.unwrap();
    ledger::balances(&mut tx, person, Allowance::TrainingSeat, "2026-12-01".parse().unwrap()).await.unwrap()
}

async fn reserve(world: &World, balance: &Balance, id: Uuid) -> Result<(), AppError> {
    let (benefit, now) = (balance.benefit, world.app.clock.now());
    world
        .db()
        .write(move |tx| {
            let reference = Reference { entity: "enrolment", id };
            Box::pin(async move { ledger::reserve(tx, benefit, 1, reference, now).await })
        })
        .await
}

both! {
    async fn forty_who_want_three_seats_get_three(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let ann = world.customer("ann@example.com").await;
        let balance = seats(&world, ann.id).await.remove(0);
        assert_eq!((balance.left, balance.until), (3, "2027-05-14".parse().unwrap()));
        let world = std::sync::Arc::new(world);
        let tries = (0..40).map(|_| {
            let (world, balance) = (world.clone(), balance.clone());
            tokio::spawn(async move { reserve(&world, &balance, Uuid::now_v7()).await })
        });
        let mut given = 0;
        for outcome in futures::future::join_all(tries).await {
            match outcome.unwrap() {
                Ok(()) => given += 1,
                Err(no) => assert_eq!(no, AppError::Refused(Refusal::Benefits(NothingLeft::NothingLeft))),
            }
        }
        assert_eq!(given, 3);
        assert_eq!(seats(&world, ann.id).await[0].left, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_is_released_can_be_used_again_and_is_settled_once(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let ann = world.customer("ann@example.com").await;
        let balance = seats(&world, ann.id).await.remove(0);
        let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
        reserve(&world, &balance, one).await.unwrap();
        reserve(&world, &balance, two).await.unwrap();
        world.db().write(move |tx| Box::pin(async move {
            let now = "2026-12-01T09:00:00Z".parse().unwrap();
            let (one, two) = (Reference { entity: "enrolment", id: one }, Reference { entity: "enrolment", id: two });
            ledger::release(tx, one, now).await?;
            ledger::release(tx, one, now).await?;
            ledger::spend(tx, one, now).await?;
            ledger::spend(tx, two, now).await
        })).await.unwrap();
        assert_eq!(seats(&world, ann.id).await[0].left, 2);
        assert_eq!(world.count("select used from benefit where allowance = 'training_seat'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_is_not_used_in_its_period_expires(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let ann = world.customer("ann@example.com").await;
        world.advance(chrono::TimeDelta::days(166));
        let cx = world.cx(Viewer::System);
        aftercare::benefits::server::jobs::expire(&cx).await.unwrap();
        assert_eq!(world.count("select cast(sum(expired) as bigint) from benefit").await, 6);
        assert_eq!(world.broken().await, Vec::<String>::new());
        let page = world.get(&ann, &the_purchase(&world).await).await.body;
        assert!(page.contains("0 of 3 class seats left") && page.contains("3 expired"), "{page}");
    }
}

/// The code that was sent to an address.
pub async fn code_for(world: &World, email: &str) -> String {
    world.letter(email).await.unwrap().0.split(' ').next().unwrap().to_owned()
}

/// Asks for an order; gives where that leads.
pub async fn ask_by_order(world: &World, signed: &Signed, order: &str, email: &str) -> String {
    let reply = world.post(signed, "/purchases/register", &[("order_number", order), ("email", email)]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    reply.location().to_owned()
}

both! {
    async fn an_order_comes_over_once_its_address_is_proven(world: World) {
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "S-1")]).await;
        let ann = world.customer("ann@example.com").await;
        let path = ask_by_order(&world, &ann, "A1", "shop@example.com").await;
        assert!(!world.get(&ann, "/purchases").await.body.contains("Printer"), "not before it is proven");
        let code = code_for(&world, "shop@example.com").await;
        let ben = world.customer("ben@example.com").await;
        assert_eq!(world.post(&ben, &path, &[("code", &code)]).await.status, StatusCode::NOT_FOUND);
        let wrong = if code == "000000" { "111111" } else { "000000" };
        let reply = world.post(&ann, &path, &[("code", wrong)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        let reply = world.post(&ann, &path, &[("code", &code)]).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/purchases"));
        assert!(world.get(&ann, "/purchases").await.body.contains("Printer"));
        assert_eq!(seats(&world, ann.id).await.len(), 1, "its benefits came along");
        assert_eq!(world.broken().await, Vec::<String>::new());
        let again = sell(&world, &[&printer("A1", "shop@example.com", "LT", "S-1").replace("199.00", "189.00")]).await;
        assert_eq!(again.changed, 1);
        assert!(world.get(&ann, "/purchases").await.body.contains("Printer"), "an import does not take it back");
    }
}

both! {
    async fn the_answer_does_not_tell_whether_an_order_exists(world: World) {
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "S-1")]).await;
        let ann = world.customer("ann@example.com").await;
        let mut answers = Vec::new();
        for order in ["A1", "NO-SUCH-ORDER"] {
            let path = ask_by_order(&world, &ann, order, "shop@example.com").await;
            let page = world.get(&ann, &path).await;
            assert_eq!(page.status, StatusCode::OK);
            let code = code_for(&world, "shop@example.com").await;
            let reply = world.post(&ann, &path, &[("code", &code)]).await;
            answers.push((reply.status, reply.location().to_owned(), reply.cookie("notice")));
        }
        assert_eq!(answers[0], answers[1]);
        let own = ask_by_order(&world, &ann, "A1", "ann@example.com").await;
        assert_eq!(own, "/purchases");
    }
}

/// The next time that a day begins, on the real clock.
fn midnight() -> DateTime<Utc> {
    let tomorrow = Utc::now().date_naive().succ_opt().unwrap();
    tomorrow.and_time(chrono::NaiveTime::MIN).and_utc()
}

const INSTANT: TimeDelta = TimeDelta::microseconds(1);

both! {
    /// That nobody learns by the time of an answer whether an order, an address or a piece is known.
    async fn a_registration_takes_the_same_way_whether_there_is_such_an_order_or_piece_or_not(world: World) {
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "S-1"), &printer("A2", "other@example.com", "LT", "S-2")]).await;
        world.person("third@example.com").await;
        world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let hands = Hands::at(midnight());
        let register = async |fields: &[(&str, &str)]| {
            let (reply, rows, statements) = hands.hold(world.cost(world.post(&ann, "/purchases/register", fields))).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{fields:?}: {}", reply.body);
            let asked = reply.location().rsplit('/').next().unwrap_or_default().to_owned();
            let (page, _, shown) = hands.hold(world.cost(world.get(&ann, reply.location()))).await;
            assert_eq!(page.status, StatusCode::OK);
            (reply.location().replace(&asked, ""), rows, statements, shown)
        };
        let order = async |number: &str, email: &str| register(&[("order_number", number), ("email", email)]).await;
        // The first of all opens the day in which her registrations are counted.
        order("FIRST", "first@example.com").await;
        let known = order("A1", "shop@example.com").await;
        assert_eq!((known.1.get("message"), known.1.get("job"), known.1.get("registration")), (Some(&1), Some(&1), Some(&1)));
        assert!(known.2.written >= 6, "its writes are watched: {:?}", known.2);
        for (number, email) in [("A1", "other@example.com"), ("NONE", "third@example.com"), ("NONE", "nobody@example.com")] {
            assert_eq!(order(number, email).await, known, "{number} {email}");
        }
        let serial = async |number: &str| register(&[("serial_number", number), ("proof", "the receipt")]).await;
        let known = serial("S-1").await;
        assert_eq!(known.1.get("registration"), Some(&1));
        let (unknown, another) = (serial("NONE").await, serial("S-2").await);
        // The list of what she asked for is longer each time; what it shows is her own.
        assert_eq!((unknown.0, unknown.1, unknown.2), (known.0.clone(), known.1.clone(), known.2));
        assert_eq!((another.0, another.1, another.2), (known.0, known.1, known.2));
    }
}

both! {
    async fn a_code_for_an_order_is_good_until_the_very_end_of_its_ten_minutes(world: World) {
        let ann = world.customer("ann@example.com").await;
        let begins = midnight();
        let hands = Hands::at(begins);
        let asked = hands.hold(ask_by_order(&world, &ann, "A1", "shop@example.com")).await;
        let code = code_for(&world, "shop@example.com").await;
        let again = hands.hold(ask_by_order(&world, &ann, "A1", "shop@example.com")).await;
        let other = code_for(&world, "shop@example.com").await;
        hands.set(begins + TimeDelta::minutes(10) - INSTANT);
        let reply = hands.hold(world.post(&ann, &asked, &[("code", &code)])).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/purchases"));
        hands.turn(INSTANT);
        let reply = hands.hold(world.post(&ann, &again, &[("code", &other)])).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

both! {
    async fn registrations_are_limited_by_address_and_by_day_to_the_last_moment_of_each(world: World) {
        let ann = world.customer("ann@example.com").await;
        let begins = midnight();
        let (quarter, day) = (TimeDelta::minutes(15), TimeDelta::days(1));
        let hands = Hands::at(begins);
        let asked = async |at: DateTime<Utc>, email: &str| {
            hands.set(at);
            let fields = [("order_number", "A1"), ("email", email)];
            let reply = hands.hold(world.post(&ann, "/purchases/register", &fields)).await;
            reply.status.as_u16()
        };
        for _ in 0..3 {
            assert_eq!(asked(begins, "shop@example.com").await, 303);
        }
        assert_eq!(asked(begins + quarter - INSTANT, "shop@example.com").await, 429);
        assert_eq!(asked(begins + quarter, "shop@example.com").await, 303);
        for n in 4..20 {
            assert_eq!(asked(begins + day - INSTANT, &format!("shop{n}@example.com")).await, 303, "{n}");
        }
        assert_eq!(asked(begins + day - INSTANT, "shop20@example.com").await, 429);
        assert_eq!(asked(begins + day, "shop20@example.com").await, 303);
    }
}

both! {
    async fn a_code_is_over_after_five_wrong_tries(world: World) {
        let ann = world.customer("ann@example.com").await;
        let path = ask_by_order(&world, &ann, "A1", "shop@example.com").await;
        let code = code_for(&world, "shop@example.com").await;
        let wrong = if code == "000000" { "111111" } else { "000000" };
        for _ in 0..5 {
            assert_eq!(world.post(&ann, &path, &[("code", wrong)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        assert_eq!(world.post(&ann, &path, &[("code", &code)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

both! {
    async fn an_empty_form_comes_back_with_its_faults_and_what_was_typed(world: World) {
        let ann = world.customer("ann@example.com").await;
        let reply = world.post(&ann, "/purchases/register", &[("order_number", ""), ("email", "not an address")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("order_number-fault") && reply.body.contains("email-fault"), "{}", reply.body);
        assert!(reply.body.contains("not an address"));
    }
}

async fn ask_by_serial(world: &World, signed: &Signed, serial: &str) {
    let fields = [("serial_number", serial), ("email", ""), ("proof", "the receipt")];
    let reply = world.post(signed, "/purchases/register", &fields).await;
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/purchases/register"), "{}", reply.body);
}

both! {
    async fn each_button_goes_its_own_way_and_without_one_nothing_of_both_ways_is_lost(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        world.staff(Role::Agent).await;
        let bea = world.customer("bea@example.com").await;
        let page = world.get(&bea, "/purchases/register").await.body;
        assert!(page.contains("name=\"way\" value=\"order\"") && page.contains("name=\"way\" value=\"serial\""), "{page}");
        let both = [("order_number", "A1"), ("email", "ann@example.com"), ("serial_number", "XX-1"), ("proof", "the receipt")];
        let asked = async || (
            world.count("select count(*) from registration where way = 'order'").await,
            world.count("select count(*) from registration where way = 'serial'").await,
        );
        let reply = world.post(&bea, "/purchases/register", &both).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("id=\"serial_number-fault\"") && reply.body.contains("Press the button"), "{}", reply.body);
        for typed in ["value=\"A1\"", "value=\"ann@example.com\"", "value=\"XX-1\"", "the receipt"] {
            assert!(reply.body.contains(typed), "{typed}: {}", reply.body);
        }
        assert_eq!(asked().await, (0, 0));
        let by = async |way: &str, fields: &[(&str, &str)]| {
            let mut fields = fields.to_vec();
            fields.push(("way", way));
            world.post(&bea, "/purchases/register", &fields).await
        };
        let order = by("order", &both).await;
        assert!(order.status == StatusCode::SEE_OTHER && order.location().starts_with("/purchases/register/"), "{}", order.body);
        assert_eq!(asked().await, (1, 0));
        let serial = by("serial", &both).await;
        assert_eq!((serial.status, serial.location()), (StatusCode::SEE_OTHER, "/purchases/register"), "{}", serial.body);
        assert_eq!(asked().await, (1, 1));
        assert_eq!(world.count("select count(*) from registration where serial_number = 'XX-1' and proof = 'the receipt'").await, 1);
        // A button whose own field is empty says so, and keeps what stands in the other.
        for (way, fields, missing, kept) in [
            ("order", [("serial_number", "XX-2"), ("email", "ann@example.com")], "order_number", "XX-2"),
            ("serial", [("order_number", "A2"), ("email", "ann@example.com")], "serial_number", "A2"),
        ] {
            let reply = by(way, &fields).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{way}");
            assert!(reply.body.contains(&format!("id=\"{missing}-fault\"")) && reply.body.contains(kept), "{}", reply.body);
        }
        assert_eq!(asked().await, (1, 1));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn strangers_who_ask_about_an_address_keep_its_owner_from_nothing(world: World) {
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "S-1")]).await;
        let ask = [("order_number", "A1"), ("email", "ann@example.com")];
        let hands = Hands::at(midnight());
        for n in 0..4 {
            let stranger = world.customer(&format!("stranger{n}@example.com")).await;
            let reply = hands.hold(world.post(&stranger, "/purchases/register", &ask)).await;
            let limited = if n < 3 { StatusCode::SEE_OTHER } else { StatusCode::TOO_MANY_REQUESTS };
            assert_eq!(reply.status, limited, "three codes to one address");
        }
        let ann = world.customer("ann@example.com").await;
        assert_eq!(hands.hold(ask_by_order(&world, &ann, "A1", "ann@example.com")).await, "/purchases");
    }
}

both! {
    async fn a_code_for_an_order_is_read_in_the_digits_of_the_readers_phone(world: World) {
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "S-1")]).await;
        let ann = world.customer("ann@example.com").await;
        let path = ask_by_order(&world, &ann, "A1", "shop@example.com").await;
        let code = code_for(&world, "shop@example.com").await;
        let typed: String = code.chars().map(|c| char::from_u32(u32::from('०') + c.to_digit(10).unwrap()).unwrap()).collect();
        assert_eq!(world.post(&ann, &path, &[("code", &typed)]).await.status, StatusCode::SEE_OTHER, "{typed}");
        assert!(world.get(&ann, "/purchases").await.body.contains("Printer"));
    }
}

both! {
    async fn a_race_for_a_serial_number_gives_it_to_one_and_disputes_to_the_others(world: World) {
        let world = std::sync::Arc::new(world);
        world.staff(Role::Agent).await;
        let mut people = Vec::new();
        for n in 0..12 {
            people.push(world.customer(&format!("p{n}@example.com")).await);
        }
        let asks = people.iter().cloned().map(|signed| {
            let world = world.clone();
            tokio::spawn(async move { ask_by_serial(&world, &signed, "sn 77-1").await })
        });
        for outcome in futures::future::join_all(asks).await {
            outcome.unwrap();
        }
        assert_eq!(world.count("select count(*) from registration where state = 'open'").await, 1);
        assert_eq!(world.count("select count(*) from registration where state = 'disputed'").await, 11);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn staff_accept_one_and_refuse_the_other(world: World) {
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "SN-77")]).await;
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        let agent = world.staff(Role::Agent).await;
        ask_by_serial(&world, &ann, "sn77").await;
        ask_by_serial(&world, &ann, "SN 77").await;
        ask_by_serial(&world, &ben, "SN-77").await;
        assert_eq!(world.get(&ann, "/desk/registrations").await.status, StatusCode::NOT_FOUND);
        let desk = world.get(&agent, "/desk/registrations").await.body;
        assert!(desk.contains("Disputed") && desk.contains("the receipt"), "{desk}");
        let of = async |state: &'static str| {
            let mut tx = world.db().read().await.unwrap();
            const ONE: &str = "select id from registration where state = $1";
            aftercare::fetch_scalar!(tx, Uuid, ONE, state).unwrap().unwrap().to_string()
        };
        let (open, disputed) = (of("open").await, of("disputed").await);
        let accept = |id: &str| vec![("registration".to_owned(), id.to_owned()), ("decision".to_owned(), "accept".to_owned())];
        let post = async |fields: Vec<(String, String)>| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            world.post(&agent, "/desk/registrations", &fields).await
        };
        assert_eq!(post(accept(&open)).await.status, StatusCode::SEE_OTHER);
        assert!(world.get(&ann, "/purchases").await.body.contains("Printer"));
        let shown = world.get(&ann, &the_purchase(&world).await).await.body;
        assert!(!shown.contains("199.00") && !shown.contains("A1<"), "what the first buyer paid is not hers to see");
        let taken = post(accept(&disputed)).await;
        assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(taken.body.contains("given to somebody else"), "{}", taken.body);
        assert_eq!(post(accept(&open)).await.status, StatusCode::UNPROCESSABLE_ENTITY, "it is decided once");
        let no_reason = vec![("registration".to_owned(), disputed.clone()), ("decision".to_owned(), "refuse".to_owned())];
        assert_eq!(post(no_reason.clone()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let mut refuse = no_reason;
        refuse.push(("why".to_owned(), "It is registered to its owner.".to_owned()));
        assert_eq!(post(refuse).await.status, StatusCode::SEE_OTHER);
        assert!(world.letter("ben@example.com").await.unwrap().1.contains("It is registered to its owner."));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    /// Two makers number alike: the number alone says neither whose nor which thing it is.
    async fn of_several_things_with_one_number_staff_say_which_it_is(world: World) {
        let lamp = "A2,1,2026-11-10,2026-11-14,bob@example.com,GB,,P2,Lamp,goods,SN77,1,19.00,EUR,12,";
        let radio = "A3,1,2026-11-10,2026-11-14,cleo@example.com,GB,,P3,Radio,goods,,1,19.00,EUR,12,";
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "SN-77"), lamp, radio]).await;
        let (ann, ben, dan) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await, world.customer("dan@example.com").await);
        let agent = world.staff(Role::Agent).await;
        ask_by_serial(&world, &ann, "sn77").await;
        ask_by_serial(&world, &ben, "sn77").await;
        ask_by_serial(&world, &dan, "sn77").await;
        let claim = async |person: PersonId| {
            let mut tx = world.db().read().await.unwrap();
            aftercare::fetch_scalar!(tx, Uuid, "select id from registration where person_id = $1", person).unwrap().unwrap().simple().to_string()
        };
        let item = id_of(&world, "select i.id from item i join purchase p on p.id = i.purchase_id where p.product_name = 'Lamp'").await.simple().to_string();
        let other = id_of(&world, "select i.id from item i join purchase p on p.id = i.purchase_id where p.product_name = 'Radio'").await.simple().to_string();
        let desk = world.get(&agent, "/desk/registrations").await.body;
        assert!(desk.contains("Several things that we sold have this number."), "{desk}");
        assert!(desk.contains("Printer, with shop") && desk.contains("Lamp, with bob") && !desk.contains("Radio"), "{desk}");
        let accept = async |claim: &str, item: &str, more: &[(&str, &str)]| {
            let mut fields = vec![("registration", claim), ("decision", "accept"), ("item", item)];
            fields.extend(more);
            world.post(&agent, "/desk/registrations", &fields).await
        };
        let (first, second, third) = (claim(ann.id).await, claim(ben.id).await, claim(dan.id).await);
        for nothing in ["", "x", other.as_str()] {
            let reply = accept(&first, nothing, &[]).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{nothing}");
            assert!(reply.body.contains("id=\"item-fault\""), "{nothing}: {}", reply.body);
        }
        assert_eq!(accept(&first, &item, &[]).await.status, StatusCode::SEE_OTHER);
        let hers = world.get(&ann, "/purchases").await.body;
        assert!(hers.contains("Lamp") && !hers.contains("Printer"), "{hers}");
        let taken = accept(&second, &item, &[]).await;
        assert!(taken.status == StatusCode::UNPROCESSABLE_ENTITY && taken.body.contains("given to somebody else"), "{}", taken.body);
        let unsold = accept(&second, "another", &[("sku", ""), ("purchased_on", "2026-11-01")]).await;
        assert!(unsold.status == StatusCode::UNPROCESSABLE_ENTITY && unsold.body.contains("id=\"sku-fault\""), "{}", unsold.body);
        let sold = [("sku", "P3"), ("purchased_on", "2026-11-01"), ("country", "GB")];
        assert_eq!(accept(&second, "another", &sold).await.status, StatusCode::SEE_OTHER);
        assert!(world.get(&ben, "/purchases").await.body.contains("Radio"));
        let printer = id_of(&world, "select id from item where serial_number = 'SN-77'").await.simple().to_string();
        assert_eq!(accept(&third, &printer, &[]).await.status, StatusCode::SEE_OTHER);
        assert!(world.get(&dan, "/purchases").await.body.contains("Printer"));
        assert_eq!(world.count("select count(*) from registration where state = 'accepted'").await, 3);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // Whoever asks for the number now disputes it.
        let eve = world.customer("eve@example.com").await;
        ask_by_serial(&world, &eve, "SN 77").await;
        assert_eq!(world.count("select count(*) from registration where state = 'disputed'").await, 1);
        world.corrupt("drop index registration_item_once").await;
        let sql = "update registration set item_id = (select id from item where serial_number = 'SN-77') where state = 'accepted'";
        world.corrupt_of(sql, "select id from registration").await;
        assert_eq!(world.broken().await, ["serial_number_given_twice"; 3]);
    }
}

both! {
    async fn a_registration_has_an_agent_and_a_time_until_it_is_decided(world: World) {
        let ann = world.customer("ann@example.com").await;
        let manager = world.staff(Role::Manager).await;
        let neglected = async || world.get(&manager, "/desk/neglected").await.body;
        let agent = world.staff(Role::Agent).await;
        ask_by_serial(&world, &ann, "XX-1").await;
        let today = world.get(&agent, "/desk").await.body;
        assert!(today.contains("Decide whether XX-1 is theirs"), "{today}");
        assert!(!neglected().await.contains("XX-1"));
        // Nobody ends the contact without having decided: only it keeps the registration from being forgotten.
        let contact = format!("/desk/follow-ups/{}", id_of(&world, "select id from follow_up").await);
        assert!(today.contains("href=\"/desk/registrations\"") && !today.contains("/desk/follow-ups/"), "{today}");
        for outcome in ["reached", "not_reached", "not_needed"] {
            let reply = world.post(&agent, &contact, &[("outcome", outcome)]).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{outcome}");
            assert!(reply.body.contains("Decide on the registration first"), "{}", reply.body);
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.advance(chrono::Duration::days(7));
        assert_eq!(neglected().await.matches("Decide whether XX-1 is theirs").count(), 1, "late, and once");
        let id = id_of(&world, "select id from registration").await.to_string();
        let refuse = [("registration", id.as_str()), ("decision", "refuse"), ("why", "It is not known.")];
        assert_eq!(world.post(&agent, "/desk/registrations", &refuse).await.status, StatusCode::SEE_OTHER);
        assert!(!neglected().await.contains("XX-1"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_thing_that_nobody_knew_of_is_written_down_when_it_is_accepted(world: World) {
        crate::sold::catalogue(&world).await;
        let ann = world.customer("ann@example.com").await;
        let agent = world.staff(Role::Agent).await;
        ask_by_serial(&world, &ann, "XX-1").await;
        let id = id_of(&world, "select id from registration").await.simple().to_string();
        let base = [("registration", id.as_str()), ("decision", "accept")];
        let reply = world.post(&agent, "/desk/registrations", &base).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        let unknown = [base[0], base[1], ("sku", "NOPE"), ("purchased_on", "2026-11-01")];
        assert!(world.post(&agent, "/desk/registrations", &unknown).await.body.contains("no such article"));
        // Nobody knows where she lives, and without a country no law grants her anything.
        for country in ["", "XX", "Lithuania"] {
            let form = [base[0], base[1], ("sku", "LEDGER-PRO"), ("purchased_on", "2026-11-01"), ("country", country)];
            let page = world.post(&agent, "/desk/registrations", &form).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{country}");
            assert!(page.body.contains("id=\"country-fault\"") && page.body.contains("value=\"LEDGER-PRO\""), "{}", page.body);
            assert!(country.is_empty() || page.body.contains(&format!("value=\"{country}\"")), "{}", page.body);
        }
        let good = [base[0], base[1], ("sku", "LEDGER-PRO"), ("purchased_on", "2026-11-01"), ("country", "lt")];
        assert_eq!(world.post(&agent, "/desk/registrations", &good).await.status, StatusCode::SEE_OTHER);
        assert!(world.get(&ann, "/purchases").await.body.contains("Ledger Pro"));
        let page = world.get(&ann, &the_purchase(&world).await).await.body;
        assert!(page.contains("A repair is covered by the legal guarantee until") && page.contains("eu-legal-guarantee"), "{page}");
        // From now on it is known, and stands there already; what no law guarantees needs none.
        ask_by_serial(&world, &ann, "XX-2").await;
        assert!(world.get(&agent, "/desk/registrations").await.body.contains("value=\"LT\""));
        let id = id_of(&world, "select id from registration where state = 'open'").await.to_string();
        let form = [("registration", id.as_str()), base[1], ("sku", "DYSO-VACU-001"), ("purchased_on", "2026-11-01"), ("country", "LT")];
        assert_eq!(world.post(&agent, "/desk/registrations", &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from coverage where kind = 'legal_guarantee' and months = 24").await, 2);
        let ben = world.customer("ben@example.com").await;
        ask_by_serial(&world, &ben, "XX-3").await;
        let id = id_of(&world, "select id from registration where state = 'open'").await.to_string();
        let form = [("registration", id.as_str()), base[1], ("sku", "LATHE-400"), ("purchased_on", "2026-11-01")];
        assert_eq!(world.post(&agent, "/desk/registrations", &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

async fn owe(world: &World, person: PersonId) -> Uuid {
    let now = world.app.clock.now();
    let entity_id = Uuid::now_v7();
    world
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let charge = NewCharge {
                    person,
                    organisation: None,
                    amount: Money::new(4500, Currency::EUR),
                    reason: "repair",
                    entity: "repair",
                    entity_id,
                    consent_at: now,
                };
                let first = charges::open(tx, charge.clone(), now).await?;
                assert_eq!(charges::open(tx, charge, now).await?, first, "one thing is charged once");
                Ok(first.0)
            })
        })
        .await
        .unwrap()
}

both! {
    async fn a_charge_is_seen_by_its_customer_and_settled_once_by_staff(world: World) {
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        let id = owe(&world, ann.id).await.to_string();
        assert!(world.get(&ann, "/account/charges").await.body.contains("45.00"));
        assert!(world.get(&ben, "/account/charges").await.body.contains("Nothing to pay"));
        let agent = world.staff(Role::Agent).await;
        assert!(world.get(&agent, "/desk/charges").await.body.contains("45.00"));
        let paid = [("charge", id.as_str()), ("outcome", "paid")];
        assert_eq!(world.post(&ann, "/desk/charges", &paid).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.post(&agent, "/desk/charges", &paid).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.post(&agent, "/desk/charges", &paid).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from history where entity = 'charge'").await, 1);
        assert!(world.get(&agent, "/desk/charges?state=settled").await.body.contains("45.00"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn coverage_that_ends_soon_needs_its_owner(world: World) {
        let row = "A1,1,2025-12-10,2025-12-14,ann@example.com,GB,,P1,Printer,goods,S-1,1,199.00,EUR,12,";
        sell(&world, &[row, &printer("A2", "ann@example.com", "LT", "S-2")]).await;
        let ann = world.customer("ann@example.com").await;
        let cx = world.cx_of(&ann).await;
        let mut tx = world.db().read().await.unwrap();
        let needs = purchases::needs(&mut tx, &cx).await.unwrap();
        assert_eq!(needs.len(), 1);
        assert!(needs[0].text.contains("Printer"), "{}", needs[0].text);
        let panel = purchases::panel(&mut tx, &cx, ann.id).await.unwrap();
        assert_eq!(panel.rows.len(), 2);
    }
}

both! {
    async fn check_names_what_was_corrupted(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let ann = world.customer("ann@example.com").await;
        let ben = world.customer("ben@example.com").await;
        let agent = world.staff(Role::Agent).await;
        ask_by_serial(&world, &ann, "XX-1").await;
        let id = owe(&world, ann.id).await.to_string();
        world.post(&agent, "/desk/charges", &[("charge", id.as_str()), ("outcome", "paid")]).await;
        let _ = ben;
        assert_eq!(world.broken().await, Vec::<String>::new());
        for (name, corrupt, mend) in [
            ("purchase_without_items", "update purchase set quantity = 2", "update purchase set quantity = 1"),
            ("coverage_period_not_sane", "update coverage set starts_on = '2026-01-01' where kind = 'warranty'",
             "update coverage set starts_on = '2026-11-14' where kind = 'warranty'"),
            ("benefit_differs_from_its_entries", "update benefit set available = available - 1, used = used + 1 where allowance = 'repair'",
             "update benefit set available = available + 1, used = used - 1 where allowance = 'repair'"),
            ("registration_without_history", "update history set entity = 'nothing' where entity = 'registration'",
             "update history set entity = 'registration' where entity = 'nothing'"),
            ("charge_settled_without_history", "update history set entity = 'nothing' where entity = 'charge'",
             "update history set entity = 'charge' where entity = 'nothing'"),
            ("open_registration_without_owner", "update follow_up set done_at = planned_at, outcome = 'reached'",
             "update follow_up set done_at = null, outcome = null"),
            ("registration_accepted_without_item",
             "update registration set state = 'accepted', decided_at = created_at where way = 'serial'",
             "update registration set state = 'open', decided_at = null where way = 'serial'"),
        ] {
            world.corrupt(corrupt).await;
            assert_eq!(world.broken().await, [name]);
            world.corrupt(mend).await;
            assert_eq!(world.broken().await, Vec::<String>::new());
        }
        world.corrupt("update coverage set kind = 'repair_warranty', plan_code = null where kind = 'service_plan'").await;
        assert_eq!(world.broken().await, ["plan_without_its_coverage"]);
    }
}

both! {
    async fn check_names_an_item_of_another_product_and_a_firms_legal_guarantee(world: World) {
        sell(&world, &[
            &printer("A1", "ann@example.com", "LT", "S-1"),
            "A2,1,2026-11-10,2026-11-14,ben@example.com,LT,Petrauskas,P2,Scanner,goods,,1,199.00,EUR,12,",
        ]).await;
        world.corrupt("update item set product_id = (select id from product where sku = 'P2')").await;
        assert_eq!(world.broken().await, ["item_of_another_product"]);
        world.corrupt("update item set product_id = (select p.product_id from purchase p where p.id = item.purchase_id)").await;
        let guarantee = "select c.id from coverage c join item i on i.id = c.item_id join purchase p on p.id = i.purchase_id \
            where c.kind = 'legal_guarantee' and p.order_number = 'A1'";
        world.corrupt_of("update purchase set organisation_id = (select id from organisation)", guarantee).await;
        assert_eq!(world.broken().await, ["legal_guarantee_without_consumer"]);
    }
}

both! {
    async fn check_names_a_benefit_without_entries_and_a_serial_number_given_twice(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        world.corrupt("delete from benefit_entry where benefit_id = (select id from benefit where allowance = 'repair')").await;
        assert_eq!(world.broken().await, ["benefit_without_entries"]);
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        ask_by_serial(&world, &ann, "XX-1").await;
        ask_by_serial(&world, &ben, "XX-1").await;
        world.corrupt("drop index registration_once").await;
        world.corrupt_of("update registration set state = 'open'", "select id from registration").await;
        let twice = world.broken().await;
        assert_eq!(twice.iter().filter(|name| *name == "serial_number_given_twice").count(), 2, "{twice:?}");
    }
}

both! {
    async fn managers_set_how_long_the_legal_guarantee_of_a_country_lasts_for_what_is_sold_from_then_on(world: World) {
        let path = "/desk/settings/guarantees";
        let (agent, manager) = (world.staff(Role::Agent).await, world.staff(Role::Manager).await);
        assert_eq!(world.get(&agent, path).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.post(&agent, path, &[("months_SE", "36")]).await.status, StatusCode::FORBIDDEN);
        assert!(world.get(&manager, "/desk/settings").await.body.contains(path));
        let page = world.get(&manager, path).await;
        assert_eq!(page.status, StatusCode::OK);
        for words in ["Sweden", "name=\"months_SE\"", "value=\"24\"", "The law grants 24 months.", "The law grants 36 months.", "from now on"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        let before = printer("A1", "ann@example.com", "SE", "S-1");
        sell(&world, &[&before]).await;
        let set = async |country: &str, months: &str| {
            let field = format!("months_{country}");
            let reply = world.post(&manager, path, &[(field.as_str(), months)]).await;
            (reply.status, reply.body)
        };
        for _ in 0..2 {
            assert_eq!(set("SE", "36").await.0, StatusCode::SEE_OTHER);
        }
        const LINES: &str = "select count(*) from history where act = 'set_guarantee' and from_state = 'SE 24' and to_state = 'SE 36'";
        assert_eq!(world.count(LINES).await, 1, "the same again changes nothing");
        // What was sold before keeps what it had, also where its row is mended.
        sell(&world, &[&printer("B1", "ben@example.com", "SE", "S-2"), &before.replace("199.00", "189.00"), &printer("C1", "cleo@example.com", "LT", "S-3")]).await;
        let ends = async || {
            const ENDS: &str = "select p.order_number, c.months from coverage c join item i on i.id = c.item_id \
                join purchase p on p.id = i.purchase_id where c.kind = 'legal_guarantee' \
                and ((c.months = 36 and c.ends_on = '2029-11-15') or (c.months = 24 and c.ends_on = '2028-11-15')) order by p.order_number";
            let mut tx = world.db().read().await.unwrap();
            aftercare::fetch_all!(tx, (String, i64), ENDS).unwrap()
        };
        let sold = [("A1".to_owned(), 24), ("B1".to_owned(), 36), ("C1".to_owned(), 24)];
        assert_eq!(ends().await, sold);
        let ben = world.signed("ben@example.com").await;
        let hers = id_of(&world, "select id from purchase where order_number = 'B1'").await;
        let page = world.get(&ben, &format!("/purchases/{}", hers.simple())).await.body;
        let says = "by the legal guarantee until 14 November 2029, because we grant 36 months from 14 November 2026, more than the law asks";
        assert!(page.contains(says), "{page}");
        // Less than the law is refused where it was typed.
        for (country, months, reason) in [("SE", "12", "At least 24"), ("ES", "24", "At least 36"), ("SE", "long", "write a number"), ("SE", "5000", "At most 1,200")] {
            let (status, body) = set(country, months).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{country} {months}");
            assert!(body.contains(&format!("id=\"months_{country}-fault\"")) && body.contains(reason), "{body}");
            assert!(body.contains(&format!("value=\"{months}\"")), "{body}");
        }
        const KEPT: &str = "select count(*) from setting where key = 'coverage.legal_months.SE' and value = '36'";
        assert_eq!(world.count(KEPT).await, 1);
        assert_eq!(set("SE", "").await.0, StatusCode::SEE_OTHER, "the law's own length");
        assert_eq!(world.count(KEPT).await, 0);
        assert_eq!(ends().await, sold);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn staff_give_more_of_a_benefit_and_extend_it_and_the_ledger_stays_whole(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let (ann, agent) = (world.customer("ann@example.com").await, world.staff(Role::Agent).await);
        let technician = world.staff(Role::Technician).await;
        let item = id_of(&world, "select id from item").await.simple().to_string();
        let seat = id_of(&world, "select id from benefit where allowance = 'training_seat'").await.simple().to_string();
        let path = format!("/desk/benefits/{item}");
        assert_eq!(world.get(&ann, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&technician, &path).await.status, StatusCode::FORBIDDEN);
        let page = world.get(&agent, &path).await;
        assert!(page.status == StatusCode::OK && page.body.contains("3 of 3 class seats left"), "{}", page.body);
        assert!(world.get(&agent, &the_purchase(&world).await).await.body.contains(&path), "the page leads there");
        let key = Uuid::now_v7().to_string();
        let more = [("key", key.as_str()), ("do", "more"), ("benefit", &seat), ("units", "2"), ("why", "The trainer was ill.")];
        for _ in 0..2 {
            assert_eq!(world.post(&agent, &path, &more).await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(world.count("select granted from benefit where allowance = 'training_seat'").await, 5);
        assert_eq!(seats(&world, ann.id).await[0].left, 5);
        assert_eq!(world.count("select count(*) from message where letter = 'benefit_given'").await, 1, "told once");
        world.corrupt("update person set language = 'lt' where email = 'ann@example.com'").await;
        // What expired comes back with a longer period, and an import leaves both alone.
        world.advance(chrono::TimeDelta::days(166));
        aftercare::benefits::server::jobs::expire(&world.cx(Viewer::System)).await.unwrap();
        let late = [("do", "more"), ("benefit", &*seat), ("units", "1"), ("why", "Late")];
        assert_eq!(world.post(&agent, &path, &late).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let longer = |until| [("do", "longer"), ("benefit", &*seat), ("until", until), ("why", "A long winter.")];
        for until in ["2027-05-13", "2027-05-14", "", "x", "2099-01-01"] {
            assert_eq!(world.post(&agent, &path, &longer(until)).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{until}");
        }
        assert_eq!(world.post(&agent, &path, &longer("2027-08-31")).await.status, StatusCode::SEE_OTHER);
        assert_eq!(seats(&world, ann.id).await[0].left, 5);
        assert_eq!(world.count("select available from benefit where allowance = 'training_seat' and ends_on = '2027-09-01'").await, 5);
        let again = sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1").replace("199.00", "189.00")]).await;
        assert_eq!(again.changed, 1);
        assert_eq!(world.count("select available from benefit where allowance = 'training_seat' and ends_on = '2027-09-01'").await, 5);
        assert_eq!(world.count("select count(*) from history where entity = 'benefit' and why is not null").await, 2);
        // In the reader's language, with why and until when.
        let (subject, body, link) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("galite naudotis iki") && subject.contains("Printer"), "{subject}");
        assert!(body.contains("A long winter.") && body.contains("2027") && body.contains("Liko 5 iš 5 mokymų vietų"), "{body}");
        assert!(link.is_some_and(|link| link.contains("/purchases/")));
        assert_eq!(world.broken().await, Vec::<String>::new());
        // A piece with two plans names both.
        world.corrupt("update benefit set plan_name = 'Gold' where allowance = 'maintenance_visit'").await;
        let page = world.get(&ann, &the_purchase(&world).await).await.body;
        assert!(page.contains("Pagal planą „Gold“") && page.matches("Pagal planą").count() == 2, "{page}");
        world.corrupt("delete from history where act = 'extend_benefit'").await;
        assert_eq!(world.broken().await, ["benefit_given_without_history"]);
    }
}

both! {
    async fn staff_give_a_benefit_to_an_item_that_had_none(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1").replace(",care-6", ",")]).await;
        let (ann, agent) = (world.customer("ann@example.com").await, world.staff(Role::Agent).await);
        let path = format!("/desk/benefits/{}", id_of(&world, "select id from item").await.simple());
        let new = [("do", "new"), ("plan", "care-6"), ("allowance", "training_seat"), ("units", "2"), ("until", "2026-12-31"), ("why", "As promised on the phone.")];
        assert_eq!(world.post(&agent, &path, &new).await.status, StatusCode::SEE_OTHER);
        assert_eq!(seats(&world, ann.id).await[0].left, 2);
        let twice = world.post(&agent, &path, &new).await;
        assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(twice.body.contains("give more of it above") && twice.body.contains("As promised on the phone."), "{}", twice.body);
        for (place, wrong) in [(1, ("plan", "none")), (2, ("allowance", "gold")), (3, ("units", "0")), (3, ("units", "101")), (4, ("until", "2026-11-30")), (5, ("why", ""))] {
            let mut form = new;
            form[place] = wrong;
            let page = world.post(&agent, &path, &form).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
            assert!(page.body.contains(&format!("id=\"{}-fault\"", wrong.0)), "{wrong:?}: {}", page.body);
        }
        // A plan that the sales system adds later stands beside it.
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1").replace("care-6", "").replace("199.00", "189.00")]).await;
        assert_eq!(seats(&world, ann.id).await[0].left, 2, "an import takes away nothing that staff gave");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// The page on which the only offer is answered.
async fn the_offer(world: &World) -> String {
    format!("/purchases/take-over/{}", id_of(world, "select id from hand_over where state = 'open'").await.simple())
}

both! {
    async fn a_piece_goes_to_somebody_else_with_all_that_covers_it(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let (ann, ben, cleo) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await, world.customer("cleo@example.com").await);
        let agent = world.staff(Role::Agent).await;
        let item = id_of(&world, "select id from item").await.simple().to_string();
        let path = format!("/purchases/give/{item}");
        let purchase = the_purchase(&world).await;
        assert!(world.get(&ann, &purchase).await.body.contains(&path), "the page leads there");
        for other in [&ben, &agent] {
            assert_eq!(world.get(other, &path).await.status, StatusCode::NOT_FOUND);
            assert_eq!(world.post(other, &path, &[("email", "x@example.com")]).await.status, StatusCode::NOT_FOUND);
        }
        for wrong in ["", "nobody", "ann@example.com"] {
            let page = world.post(&ann, &path, &[("email", wrong)]).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            assert!(page.body.contains(wrong), "{}", page.body);
        }
        // What is booked with it stands in the way.
        world.corrupt("update benefit set available = available - 1, reserved = 1 where allowance = 'training_seat'").await;
        assert!(world.get(&ann, &path).await.body.contains("A seat or a visit is booked"));
        assert_eq!(world.post(&ann, &path, &[("email", "ben@example.com")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        world.corrupt("update benefit set available = available + 1, reserved = 0 where allowance = 'training_seat'").await;
        let form = [("email", "ben@example.com")];
        assert_eq!(world.post(&ann, &path, &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.post(&ann, &path, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY, "one offer at a time");
        let (subject, _, link) = world.letter("ben@example.com").await.unwrap();
        let offer = the_offer(&world).await;
        assert!(subject.contains("gives you Printer") && link.unwrap().replace('-', "").ends_with(offer.rsplit('/').next().unwrap()), "{subject}");
        for other in [&ann, &cleo, &agent] {
            assert_eq!(world.get(other, &offer).await.status, StatusCode::NOT_FOUND);
            assert_eq!(world.post(other, &offer, &[("do", "take")]).await.status, StatusCode::NOT_FOUND);
        }
        let home = world.get(&ben, "/").await.body;
        assert!(home.contains("Printer for you") && home.contains(&format!("href=\"{offer}\"")), "{home}");
        assert!(!world.get(&cleo, "/").await.body.contains("Printer for you"));
        // Opening the link changes nothing.
        assert!(world.get(&ben, &offer).await.body.contains("id=\"take-item\""));
        assert_eq!(seats(&world, ann.id).await[0].left, 3);
        // A repair that was booked meanwhile stands in the way of taking it.
        world.corrupt("update benefit set available = available - 1, reserved = 1 where allowance = 'training_seat'").await;
        assert_eq!(world.post(&ben, &offer, &[("do", "take")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        world.corrupt("update benefit set available = available + 1, reserved = 0 where allowance = 'training_seat'").await;
        let take = [("do", "take")];
        let (one, two) = tokio::join!(world.post(&ben, &offer, &take), world.post(&ben, &offer, &take));
        assert_eq!([one.status, two.status], [StatusCode::SEE_OTHER; 2], "the same answer twice");
        assert_eq!(world.count("select count(*) from history where entity = 'item' and act = 'take_item'").await, 1);
        assert_eq!(world.count("select count(*) from message where letter = 'item_taken'").await, 1);
        assert_eq!((seats(&world, ann.id).await.len(), seats(&world, ben.id).await[0].left), (0, 3));
        assert!(!world.get(&ben, "/").await.body.contains("Printer for you"));
        // The old owner's view ends, and with it the right to give it away.
        assert_eq!(world.get(&ann, &purchase).await.status, StatusCode::NOT_FOUND);
        assert!(!world.get(&ann, "/purchases").await.body.contains("Printer"));
        assert_eq!(world.post(&ann, &path, &[("do", "keep")]).await.status, StatusCode::NOT_FOUND);
        let page = world.get(&ben, &purchase).await;
        assert!(page.status == StatusCode::OK && page.body.contains("3 of 3 class seats left") && !page.body.contains("199.00"), "{}", page.body);
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.corrupt("update benefit set person_id = (select person_id from purchase)").await;
        let broken = world.broken().await;
        assert!(!broken.is_empty() && broken.iter().all(|name| name == "benefit_of_a_former_owner"), "{broken:?}");
        world.corrupt("update benefit set person_id = (select owner_id from item)").await;
        let sql = "update history set act = 'read_purchase' where act = 'take_item'";
        world.corrupt_of(sql, "select id from hand_over").await;
        assert_eq!(world.broken().await, ["hand_over_without_history"]);
    }
}

both! {
    async fn who_takes_and_who_keeps_at_once_agree_in_the_end(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        let path = format!("/purchases/give/{}", id_of(&world, "select id from item").await.simple());
        // Kept, declined, and then both at once.
        for (who, form) in [(&ann, ("do", "keep")), (&ben, ("do", "decline"))] {
            assert_eq!(world.post(&ann, &path, &[("email", "ben@example.com")]).await.status, StatusCode::SEE_OTHER);
            let offer = the_offer(&world).await;
            let address = if form.1 == "keep" { &path } else { &offer };
            assert_eq!(world.post(who, address, &[form]).await.status, StatusCode::SEE_OTHER);
            assert_eq!(world.post(&ben, &offer, &[("do", "take")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(!world.get(&ben, &offer).await.body.contains("id=\"take-item\""));
        }
        assert_eq!(world.post(&ann, &path, &[("email", "ben@example.com")]).await.status, StatusCode::SEE_OTHER);
        let offer = the_offer(&world).await;
        let (keep, take) = ([("do", "keep")], [("do", "take")]);
        let (kept, taken) = tokio::join!(world.post(&ann, &path, &keep), world.post(&ben, &offer, &take));
        let theirs = world.count("select count(*) from item i join person p on p.id = i.owner_id where p.email = 'ben@example.com'").await;
        assert_eq!((kept.status == StatusCode::SEE_OTHER, taken.status == StatusCode::SEE_OTHER), (theirs == 0, theirs == 1));
        assert_eq!(world.count("select count(*) from hand_over where state = 'open'").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

async fn owned_by(world: &World, email: &str) -> i64 {
    let mut tx = world.db().read().await.unwrap();
    const OWNED: &str = "select count(*) from item i join person p on p.id = i.owner_id where p.email = $1";
    aftercare::fetch_scalar!(tx, i64, OWNED, email).unwrap().unwrap()
}

/// Staff decide the only registration that is open.
async fn accept(world: &World, agent: &Signed) -> crate::world::Reply {
    let id = id_of(world, "select id from registration where state = 'open'").await.to_string();
    world.post(agent, "/desk/registrations", &[("registration", id.as_str()), ("decision", "accept")]).await
}

both! {
    async fn an_offer_ends_when_the_piece_is_given_to_who_proved_that_it_is_theirs(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let (ann, ben, cleo) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await, world.customer("cleo@example.com").await);
        let agent = world.staff(Role::Agent).await;
        let give = format!("/purchases/give/{}", id_of(&world, "select id from item").await.simple());
        assert_eq!(world.post(&ann, &give, &[("email", "cleo@example.com")]).await.status, StatusCode::SEE_OTHER);
        let offer = the_offer(&world).await;
        ask_by_serial(&world, &ben, "S-1").await;
        assert_eq!(accept(&world, &agent).await.status, StatusCode::SEE_OTHER);
        assert!(!world.get(&cleo, "/").await.body.contains("Printer for you"));
        assert!(world.get(&cleo, &offer).await.body.contains("The offer was withdrawn"));
        let take = [("do", "take")];
        assert_eq!(world.post(&cleo, &offer, &take).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(owned_by(&world, "ben@example.com").await, 1);
        let (subject, body, link) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("Printer is registered to somebody else") && body.contains("S-1") && !body.contains("ben"), "{subject} {body}");
        assert!(link.unwrap().ends_with("/help"));
        assert_eq!(world.count("select count(*) from message where letter = 'registered_to_another'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // Were it open still, it would not count either.
        world.corrupt("update hand_over set state = 'open', answered_at = null").await;
        assert_eq!(world.broken().await, ["offer_of_a_former_owner"]);
        assert_eq!(world.post(&cleo, &offer, &take).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(owned_by(&world, "ben@example.com").await, 1);
    }
}

both! {
    async fn who_takes_and_who_is_given_a_piece_at_once_agree_in_the_end(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let (ann, ben, cleo) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await, world.customer("cleo@example.com").await);
        let agent = world.staff(Role::Agent).await;
        let give = format!("/purchases/give/{}", id_of(&world, "select id from item").await.simple());
        assert_eq!(world.post(&ann, &give, &[("email", "cleo@example.com")]).await.status, StatusCode::SEE_OTHER);
        let offer = the_offer(&world).await;
        ask_by_serial(&world, &ben, "S-1").await;
        let take = [("do", "take")];
        let (taken, accepted) = tokio::join!(world.post(&cleo, &offer, &take), accept(&world, &agent));
        // Whichever came first, the proof counts in the end, and whoever had it before is told.
        assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.body);
        let former = if taken.status == StatusCode::SEE_OTHER { "cleo@example.com" } else { "ann@example.com" };
        assert_eq!(owned_by(&world, "ben@example.com").await, 1);
        assert!(world.letter(former).await.unwrap().0.contains("registered to somebody else"), "{former}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_piece_with_something_under_way_is_not_given_to_who_registers_it(world: World) {
        crate::repairs::workshop(&world, 2).await;
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        let agent = world.staff(Role::Agent).await;
        ask_by_serial(&world, &ben, "S-1").await;
        let item = id_of(&world, "select id from item").await.to_string();
        let form = [("item", item.as_str()), ("mode", "send_in"), ("fault", "It smokes.")];
        let booked = world.post(&ann, "/repairs/new", &form).await;
        assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
        let refused = accept(&world, &agent).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("A repair of it is not over yet"), "{}", refused.body);
        let path = booked.location().split('?').next().unwrap().to_owned();
        let cancelled = world.post(&ann, &path, &[("do", "cancel")]).await;
        assert_eq!(cancelled.status, StatusCode::SEE_OTHER, "{}", cancelled.body);
        world.corrupt("update benefit set available = available - 1, reserved = 1 where allowance = 'training_seat'").await;
        let refused = accept(&world, &agent).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("A seat or a visit is booked"), "{}", refused.body);
        assert_eq!((owned_by(&world, "ann@example.com").await, owned_by(&world, "ben@example.com").await), (1, 0));
        assert_eq!(world.count("select count(*) from registration where state = 'open'").await, 1, "it waits for staff still");
        world.corrupt("update benefit set available = available + 1, reserved = 0 where allowance = 'training_seat'").await;
        assert_eq!(accept(&world, &agent).await.status, StatusCode::SEE_OTHER);
        assert_eq!(owned_by(&world, "ben@example.com").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    /// What is under way with a piece stays with whoever sees it through.
    async fn an_order_does_not_come_over_while_something_is_under_way_with_a_piece_of_it(world: World) {
        crate::repairs::workshop(&world, 2).await;
        let second = printer("A1", "work@example.com", "LT", "S-2").replace("A1,1", "A1,2");
        sell(&world, &[&printer("A1", "work@example.com", "LT", "S-1"), &second]).await;
        let (work, home) = (world.customer("work@example.com").await, world.customer("home@example.com").await);
        let item = id_of(&world, "select id from item where serial_number = 'S-2'").await.to_string();
        let form = [("item", item.as_str()), ("mode", "send_in"), ("fault", "It smokes.")];
        let booked = world.post(&work, "/repairs/new", &form).await;
        assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
        let path = ask_by_order(&world, &home, "A1", "work@example.com").await;
        let code = code_for(&world, "work@example.com").await;
        const PURCHASES: &str = "select count(*) from purchase p join person o on o.id = p.person_id where o.email = 'work@example.com'";
        let refused = async |words: &str| {
            let reply = world.post(&home, &path, &[("code", &code)]).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(reply.body.contains(words) && reply.body.contains(&code), "{}", reply.body);
            assert_eq!((owned_by(&world, "work@example.com").await, owned_by(&world, "home@example.com").await), (2, 0));
            assert_eq!(world.count(PURCHASES).await, 2);
            assert_eq!(seats(&world, home.id).await.len(), 0);
            assert_eq!(world.count("select count(*) from registration where state = 'unproven' and tries = 0").await, 1);
        };
        refused("A repair of it is not over yet").await;
        let repair = booked.location().split('?').next().unwrap().to_owned();
        assert_eq!(world.post(&work, &repair, &[("do", "cancel")]).await.status, StatusCode::SEE_OTHER);
        world.corrupt("update benefit set available = available - 1, reserved = 1 where allowance = 'training_seat'").await;
        refused("A seat or a visit is booked").await;
        world.corrupt("update benefit set available = available + 1, reserved = 0 where allowance = 'training_seat'").await;
        assert_eq!(world.post(&home, &path, &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!((owned_by(&world, "work@example.com").await, owned_by(&world, "home@example.com").await), (0, 2));
        assert_eq!(world.broken().await, Vec::<String>::new());
        // What is under way with one's own keeps nobody from registering it once more.
        let form = [("item", item.as_str()), ("mode", "send_in"), ("fault", "It smokes.")];
        assert_eq!(world.post(&home, "/repairs/new", &form).await.status, StatusCode::SEE_OTHER);
        world.corrupt("update purchase set buyer_email = 'home@example.com'").await;
        assert_eq!(ask_by_order(&world, &home, "A1", "home@example.com").await, "/purchases");
    }
}

/// Gives the only item to an address, whose owner takes it.
async fn hand_over(world: &World, from: &Signed, to: &Signed, email: &str) {
    let give = format!("/purchases/give/{}", id_of(world, "select id from item").await.simple());
    assert_eq!(world.post(from, &give, &[("email", email)]).await.status, StatusCode::SEE_OTHER);
    let offer = the_offer(world).await;
    assert_eq!(world.post(to, &offer, &[("do", "take")]).await.status, StatusCode::SEE_OTHER);
}

both! {
    async fn who_gave_a_piece_away_and_registers_its_number_again_waits_for_staff_again(world: World) {
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "S-1")]).await;
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        let agent = world.staff(Role::Agent).await;
        ask_by_serial(&world, &ann, "S-1").await;
        assert_eq!(accept(&world, &agent).await.status, StatusCode::SEE_OTHER);
        ask_by_serial(&world, &ann, "S 1").await;
        const ASKED: &str = "select count(*) from registration";
        assert_eq!(world.count(ASKED).await, 1, "she has it");
        hand_over(&world, &ann, &ben, "ben@example.com").await;
        ask_by_serial(&world, &ann, "S-1").await;
        ask_by_serial(&world, &ann, "S-1").await;
        assert_eq!(world.count(ASKED).await, 2, "she asks for what she has no more");
        assert_eq!(world.count("select count(*) from registration where state = 'disputed'").await, 1);
        assert_eq!(world.count("select count(*) from follow_up where entity = 'registration' and done_at is null").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // Staff find that it came back to her.
        let decide = async |who: PersonId| {
            let mut tx = world.db().read().await.unwrap();
            const WAITS: &str = "select id from registration where person_id = $1 and state in ('open', 'disputed')";
            let id = aftercare::fetch_scalar!(tx, Uuid, WAITS, who).unwrap().unwrap().to_string();
            drop(tx);
            world.post(&agent, "/desk/registrations", &[("registration", id.as_str()), ("decision", "accept")]).await
        };
        let back = decide(ann.id).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
        assert_eq!((owned_by(&world, "ann@example.com").await, owned_by(&world, "ben@example.com").await), (1, 0));
        assert_eq!(world.broken().await, Vec::<String>::new());
        // Who has it by its number keeps it, until they give it on; then it goes to one of those who ask at once.
        let (cleo, dan) = (world.customer("cleo@example.com").await, world.customer("dan@example.com").await);
        ask_by_serial(&world, &cleo, "S-1").await;
        ask_by_serial(&world, &dan, "S-1").await;
        let taken = decide(cleo.id).await;
        assert!(taken.status == StatusCode::UNPROCESSABLE_ENTITY && taken.body.contains("given to somebody else"), "{}", taken.body);
        hand_over(&world, &ann, &ben, "ben@example.com").await;
        let (one, two) = tokio::join!(decide(cleo.id), decide(dan.id));
        let mut answers = [one.status, two.status];
        answers.sort();
        assert_eq!(answers, [StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY], "{} {}", one.body, two.body);
        let theirs = (owned_by(&world, "cleo@example.com").await, owned_by(&world, "dan@example.com").await);
        assert_eq!(theirs, if one.status == StatusCode::SEE_OTHER { (1, 0) } else { (0, 1) });
        const HOLDS: &str = "select count(*) from registration where state = 'accepted' and ended_at is null";
        assert_eq!(world.count(HOLDS).await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // The same of what was accepted before the portal noted it.
        let migration = match world.engine {
            crate::world::Engine::Sqlite => include_str!("../../migrations/sqlite/0034_ended_registrations.sql"),
            crate::world::Engine::Postgres => include_str!("../../migrations/postgres/0034_ended_registrations.sql"),
        };
        world.corrupt("drop index registration_item_once").await;
        world.corrupt("create index registration_item_once on registration (item_id)").await;
        world.corrupt("update registration set ended_at = null, tries = tries + 1").await;
        assert_eq!(world.broken().await, ["serial_number_given_twice"; 3]);
        for statement in migration.split(';').skip(1).filter(|statement| !statement.trim().is_empty()) {
            world.corrupt(statement).await;
        }
        assert_eq!(world.count(HOLDS).await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_plan_that_an_import_brings_later_is_for_whoever_has_the_piece_now(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1").replace("LT,,P1", "LT,Petrauskas,P1");
        let longer = row.replace("care-6", "care-12");
        sell(&world, &[&row.replace("care-6", "")]).await;
        let plans = crate::sold::file(&[
            "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind",
            "care-12,Care,12,5,2,1,goods",
        ]);
        let plans = crate::sold::options(aftercare::import::server::Kind::Plans, plans.0.clone());
        crate::sold::import(&world, &plans).await;
        let (ann, ben, cleo) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await, world.customer("cleo@example.com").await);
        let agent = world.staff(Role::Agent).await;
        let theirs = async |who: &Signed, left: &[i64]| {
            assert_eq!(world.broken().await, Vec::<String>::new());
            let found: Vec<i64> = seats(&world, who.id).await.iter().map(|balance| balance.left).collect();
            assert_eq!(found, left);
            assert_eq!(world.count("select count(*) from benefit where organisation_id is not null").await, 0);
            assert_eq!(seats(&world, ann.id).await.len(), 0);
        };
        let firm = aftercare::values::OrganisationId(id_of(&world, "select id from organisation").await);
        world.join(firm, ann.id, Membership::Owner).await;
        hand_over(&world, &ann, &ben, "ben@example.com").await;
        theirs(&ben, &[]).await;
        assert_eq!(sell(&world, &[&row]).await.changed, 1);
        theirs(&ben, &[3]).await;
        assert_eq!(sell(&world, &[&longer]).await.changed, 1, "nothing of it is used");
        theirs(&ben, &[5]).await;
        ask_by_serial(&world, &cleo, "S-1").await;
        assert_eq!(accept(&world, &agent).await.status, StatusCode::SEE_OTHER);
        assert_eq!(sell(&world, &[&row]).await.changed, 1);
        theirs(&cleo, &[3]).await;
        theirs(&ben, &[]).await;
    }
}

both! {
    async fn an_offer_ends_when_the_order_comes_over_to_another_address(world: World) {
        sell(&world, &[&printer("A1", "shop@example.com", "LT", "S-1")]).await;
        let (shop, ann, cleo) = (world.customer("shop@example.com").await, world.customer("ann@example.com").await, world.customer("cleo@example.com").await);
        let give = format!("/purchases/give/{}", id_of(&world, "select id from item").await.simple());
        assert_eq!(world.post(&shop, &give, &[("email", "cleo@example.com")]).await.status, StatusCode::SEE_OTHER);
        let offer = the_offer(&world).await;
        // Who has it already may register it again: nothing changes, and the offer stands.
        assert_eq!(ask_by_order(&world, &shop, "A1", "shop@example.com").await, "/purchases");
        assert_eq!(world.count("select count(*) from hand_over where state = 'open'").await, 1);
        let path = ask_by_order(&world, &ann, "A1", "shop@example.com").await;
        let code = code_for(&world, "shop@example.com").await;
        assert_eq!(world.post(&ann, &path, &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from hand_over where state = 'withdrawn'").await, 1);
        assert_eq!(world.post(&cleo, &offer, &[("do", "take")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(owned_by(&world, "ann@example.com").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_offer_ends_when_an_import_corrects_the_buyer_or_takes_the_piece_away(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1|S-2").replace(",1,199", ",2,199");
        sell(&world, &[&row]).await;
        let (ann, cleo) = (world.customer("ann@example.com").await, world.customer("cleo@example.com").await);
        let offers = async |whose: &Signed, serial: &str| {
            let mut tx = world.db().read().await.unwrap();
            const ITEM: &str = "select id from item where serial_number = $1";
            let item = aftercare::fetch_scalar!(tx, Uuid, ITEM, serial).unwrap().unwrap();
            drop(tx);
            let give = format!("/purchases/give/{}", item.simple());
            assert_eq!(world.post(whose, &give, &[("email", "cleo@example.com")]).await.status, StatusCode::SEE_OTHER);
        };
        offers(&ann, "S-1").await;
        let offer = the_offer(&world).await;
        assert_eq!(sell(&world, &[&row.replace("199.00", "189.00")]).await.changed, 1);
        assert_eq!(world.count("select count(*) from hand_over where state = 'open'").await, 1, "a price ends nothing");
        let row = row.replace("ann@", "bea@");
        assert_eq!(sell(&world, &[&row]).await.changed, 1);
        assert_eq!(world.count("select count(*) from hand_over where state = 'withdrawn'").await, 1);
        assert_eq!(world.post(&cleo, &offer, &[("do", "take")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(owned_by(&world, "bea@example.com").await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
        let bea = world.customer("bea@example.com").await;
        offers(&bea, "S-1").await;
        let offer = the_offer(&world).await;
        assert_eq!(sell(&world, &[&row.replace("S-1|S-2", "S-2").replace(",2,199", ",1,199")]).await.changed, 1);
        assert_eq!(world.get(&cleo, &offer).await.status, StatusCode::NOT_FOUND);
        assert_eq!(owned_by(&world, "bea@example.com").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn check_names_a_benefit_that_lost_a_unit(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        match world.engine {
            crate::world::Engine::Sqlite => world.corrupt("pragma ignore_check_constraints = on").await,
            crate::world::Engine::Postgres => world.corrupt("alter table benefit drop constraint benefit_check").await,
        }
        world.corrupt("update benefit set available = available - 1 where allowance = 'repair'").await;
        assert_eq!(world.broken().await, ["benefit_not_conserved"]);
    }
}

#[tokio::test]
async fn the_demo_company_has_something_for_everybody() {
    let world = World::demo(crate::world::Engine::Sqlite).await;
    assert!(world.count("select count(*) from purchase").await >= 70);
    assert_eq!(world.count("select count(*) from registration where state = 'disputed'").await, 1);
    assert_eq!(world.broken().await, Vec::<String>::new());
}

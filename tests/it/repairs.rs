//! Repairs: booking with its slot, pictures, the path over the counter, prices, and what must never happen.

use crate::{
    both, sold,
    world::{Engine, Reply, Signed, World},
};
use aftercare::{
    access::{Act, Membership, Role, Subject, Viewer},
    calendar::{
        domain::{Resource, Span},
        hours::{Opening, Service},
        server::{
            busy,
            hours::{self, NewWorkshop},
        },
    },
    error::AppError,
    execute, fetch_all, fetch_one, fetch_scalar,
    repairs::{domain::SlotId, server::CLAUSES},
    server::fresh,
    values::{Currency, ItemId, Money, OrganisationId, PersonId, WorkshopId},
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use image::{DynamicImage, ImageFormat};
use std::io::Cursor;
use uuid::Uuid;

/// A workshop in Madrid: weekdays from nine to one and two to six, a technician who visits one at a time.
pub async fn workshop(world: &World, capacity: i64) -> WorkshopId {
    workshop_named(world, "Central workshop", capacity, 2900, 24).await
}

/// The same by another name, with its own price for looking at an item and its own notice.
async fn workshop_named(world: &World, name: &str, capacity: i64, fee: i64, notice_hours: i64) -> WorkshopId {
    let id: WorkshopId = fresh();
    let week = |opens, closes| (1..=5).filter_map(move |day| Opening::new(day, opens, closes));
    let new = NewWorkshop {
        id,
        name: name.into(),
        address: "Calle del Taller 12".into(),
        zone: chrono_tz::Europe::Madrid,
        slot_minutes: 60,
        lead_minutes: 120,
        horizon_days: 14,
        desk_capacity: capacity,
        visit_capacity: 2,
        notice_hours,
        quote_days: 14,
        warranty_days: 30,
        diagnosis_fee: Money::new(fee, Currency::EUR),
        visit_fee: Money::new(5900, Currency::EUR),
        desk: week(540, 780).chain(week(840, 1080)).collect(),
        visits: week(540, 780).collect(),
        closed: vec![("2026-12-08".parse().unwrap(), "Holiday".into())],
    };
    let now = world.app.clock.now();
    let permit = Viewer::Operator.may(Act::SetHours, &Subject::nobody()).unwrap();
    world
        .db()
        .write(move |tx| {
            let new = new.clone();
            Box::pin(async move { hours::set_workshop(tx, &permit, &new, now, now.date_naive()).await })
        })
        .await
        .unwrap();
    id
}

const PRODUCT: &str =
    "insert into product (id, key, name, search, kind, created_at, updated_at) values ($1, $2, $3, $2, $4, $5, $5)";
const PURCHASE: &str = "insert into purchase (id, order_number, order_line, person_id, buyer_email, organisation_id, \
    product_id, product_name, kind, purchased_on, delivered_on, quantity, search, digest, source, created_at, updated_at) \
    values ($1, $2, 1, $3, 'a@example.com', $4, $5, $6, $7, $8, $8, 1, '', '', 'demo', $9, $9)";
const ITEM: &str = "insert into item (id, purchase_id, position, product_id, serial_number, owner_id, organisation_id, created_at) \
    values ($1, $2, 1, $3, 'SN-1', $4, $5, $6)";
const WARRANTY: &str = "insert into coverage (id, item_id, kind, starts_on, ends_on, months, created_at) \
    values ($1, $2, 'warranty', $3, $4, 24, $5)";

/// A thing that somebody bought; with a maker's warranty or without.
async fn item_of(
    world: &World,
    owner: PersonId,
    firm: Option<OrganisationId>,
    kind: &'static str,
    warranty: bool,
) -> ItemId {
    let (id, product, purchase): (ItemId, Uuid, Uuid) = (fresh(), Uuid::now_v7(), Uuid::now_v7());
    let now = world.app.clock.now();
    let bought: chrono::NaiveDate = "2026-06-01".parse().unwrap();
    let until: chrono::NaiveDate = "2028-06-02".parse().unwrap();
    world
        .db()
        .write(move |tx| {
            Box::pin(async move {
                execute!(tx, PRODUCT, product, product.to_string(), "Printer P-20", kind, now)?;
                execute!(
                    tx,
                    PURCHASE,
                    purchase,
                    purchase.to_string(),
                    owner,
                    firm,
                    product,
                    "Printer P-20",
                    kind,
                    bought,
                    now
                )?;
                execute!(tx, ITEM, id, purchase, product, owner, firm, now)?;
                if warranty {
                    execute!(tx, WARRANTY, Uuid::now_v7(), id, bought, until, now)?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    id
}

pub async fn goods(world: &World, owner: &Signed) -> ItemId {
    item_of(world, owner.id, None, "goods", false).await
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The slot of a workshop at an instant, as the form carries it.
pub fn slot(workshop: WorkshopId, at: &str) -> String {
    SlotId { workshop, starts_at: instant(at) }.to_string()
}

pub const MORNING: &str = "2026-12-03T09:00:00Z";
const LATER: &str = "2026-12-03T11:00:00Z";

async fn book(world: &World, who: &Signed, item: ItemId, slot: &str) -> Reply {
    let item = item.to_string();
    let fields = [
        ("item", item.as_str()),
        ("mode", "bring_in"),
        ("fault", "It jams <b>often</b>"),
        ("slot", slot),
        ("fee", "2900"),
    ];
    world.post(who, "/repairs/new", &fields).await
}

/// Books and gives the repair's address.
async fn booked(world: &World, who: &Signed, item: ItemId, slot: &str) -> String {
    let reply = book(world, who, item, slot).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    reply.location().to_owned()
}

const VERSION: &str = "select version from repair where rma = $1";

async fn version(world: &World, address: &str) -> String {
    let rma: aftercare::repairs::domain::Rma = address.rsplit('/').next().unwrap().parse().unwrap();
    let mut tx = world.db().read().await.unwrap();
    fetch_scalar!(tx, i64, VERSION, rma.0.as_str()).unwrap().unwrap().to_string()
}

/// Books a visit at somebody's place; gives the repair's address.
async fn visited(world: &World, who: &Signed, slot: &str) -> String {
    let item = goods(world, who).await.to_string();
    let wish = [
        ("item", item.as_str()),
        ("mode", "on_site"),
        ("fault", "It jams"),
        ("slot", slot),
        ("fee", "5900"),
        ("place", "Mill Lane 3"),
    ];
    let reply = world.post(who, "/repairs/new", &wish).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    reply.location().to_owned()
}

/// One move of the technician on a job.
async fn desk(world: &World, technician: &Signed, address: &str, verb: &str, more: &[(&str, &str)]) -> Reply {
    let version = version(world, address).await;
    let mut fields = vec![("do", verb), ("version", version.as_str())];
    fields.extend_from_slice(more);
    world.post(technician, &format!("/desk{address}"), &fields).await
}

async fn moved(world: &World, technician: &Signed, address: &str, verb: &str, more: &[(&str, &str)]) {
    let reply = desk(world, technician, address, verb, more).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{verb}: {}", reply.body);
}

const STATE: &str = "select state from repair order by created_at desc limit 1";

async fn state(world: &World) -> String {
    let mut tx = world.db().read().await.unwrap();
    fetch_scalar!(tx, String, STATE).unwrap().unwrap()
}

const LINES: [(&str, &str); 4] =
    [("label_1", "Fuser"), ("quantity_1", "1"), ("unit_price_1", "89,90"), ("valid_until", "2026-12-20")];

async fn quote_id(world: &World) -> String {
    let mut tx = world.db().read().await.unwrap();
    fetch_scalar!(tx, Uuid, "select id from quote where state = 'sent'").unwrap().unwrap().to_string()
}

/// A repair of somebody's that waits for their answer to a price; gives its address.
pub async fn priced(world: &World, who: &Signed, technician: &Signed) -> String {
    let item = goods(world, who).await;
    let address = sent_in(world, who, technician, item, "2900").await;
    moved(world, technician, &address, "diagnose", &[("words", "The fuser is worn")]).await;
    moved(world, technician, &address, "quote", &LINES).await;
    address
}

/// A repair of somebody's that costs nothing and waits to be collected; gives its address.
pub async fn mended(world: &World, who: &Signed, technician: &Signed) -> String {
    let item = item_of(world, who.id, None, "goods", true).await.to_string();
    let page = world.get(who, &format!("/repairs/new?item={item}&mode=bring_in")).await.body;
    let slot = page.split("name=\"slot\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let wish = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "It jams"), ("slot", slot), ("fee", "0")];
    let reply = world.post(who, "/repairs/new", &wish).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    let address = reply.location().to_owned();
    moved(world, technician, &address, "receive", &[]).await;
    moved(world, technician, &address, "diagnose", &[("words", "The fuser is worn")]).await;
    for verb in ["start", "finish", "make_ready"] {
        moved(world, technician, &address, verb, &[]).await;
    }
    address
}

/// Hands a repair over that is ready.
pub async fn handed_back(world: &World, technician: &Signed, address: &str) {
    moved(world, technician, address, "hand_back", &[]).await;
}

/// A parcel that has reached us.
pub async fn sent_in(world: &World, who: &Signed, technician: &Signed, item: ItemId, fee: &str) -> String {
    let item = item.to_string();
    let wish = [("item", item.as_str()), ("mode", "send_in"), ("fault", "It jams"), ("fee", fee)];
    let reply = world.post(who, "/repairs/new", &wish).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    moved(world, technician, reply.location(), "receive", &[]).await;
    reply.location().to_owned()
}

both! {
    async fn choosing_an_item_and_a_mode_lists_the_free_times_and_the_price(world: World) {
        let ann = world.customer("ann@example.com").await;
        workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let page = world.get(&ann, "/repairs/new").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("book-repair") && page.body.contains("Printer P-20"));
        let page = world.get(&ann, &format!("/repairs/new?item={item}&mode=bring_in")).await;
        assert!(page.body.contains("name=\"slot\"") && page.body.contains("29.00"), "{}", page.body);
        // It is just past ten in Madrid: with two hours of notice and lunch, the first time is at two.
        assert!(page.body.contains(&instant("2026-12-01T13:00:00Z").timestamp().to_string()));
        assert!(!page.body.contains(&instant("2026-12-01T11:00:00Z").timestamp().to_string()));
        let page = world.get(&ann, &format!("/repairs/new?item={item}&mode=bring_in&from=2026-12-07")).await;
        assert!(!page.body.contains(&instant("2026-12-08T09:00:00Z").timestamp().to_string()));
        let page = world.get(&ann, &format!("/repairs/new?item={item}&mode=send_in")).await;
        assert!(!page.body.contains("name=\"slot\"") && page.body.contains("Calle del Taller 12"));
    }
}

both! {
    async fn a_booked_repair_has_a_number_a_time_a_next_step_and_a_letter(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        assert!(address.starts_with("/repairs/RMA-"), "{address}");
        let page = world.get(&ann, &address).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("Bring the item to us") && page.body.contains("&lt;b&gt;often"), "{}", page.body);
        let (subject, body, link) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("RMA-") && body.contains("10:00") && link.unwrap().ends_with(&address), "{subject} {body}");
        assert_eq!(world.count("select count(*) from history where entity = 'repair'").await, 1);
        assert_eq!(world.count("select booked from slot_load").await, 1);
        let mut tx = world.db().read().await.unwrap();
        let owner: Option<PersonId> = fetch_scalar!(tx, PersonId, "select technician_id from repair").unwrap();
        assert_eq!(owner, Some(technician.id));
        drop(tx);
        assert!(world.broken().await.is_empty());
        let list = world.get(&ann, "/repairs").await;
        assert!(list.body.contains("RMA-") && list.body.contains("Requested"));
    }
}

both! {
    async fn what_is_missing_stands_at_its_field_and_what_was_typed_is_still_there(world: World) {
        let ann = world.customer("ann@example.com").await;
        workshop(&world, 2).await;
        let item = goods(&world, &ann).await.to_string();
        let fields = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "</textarea><script>x")];
        let page = world.post(&ann, "/repairs/new", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("slot-fault") && page.body.contains("&lt;/textarea&gt;&lt;script&gt;x"), "{}", page.body);
        let page = world.post(&ann, "/repairs/new", &[("item", "nonsense"), ("mode", "teleport"), ("fault", "")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["item", "mode"] {
            assert!(page.body.contains(&format!("{field}-fault")), "{field}");
        }
    }
}

both! {
    async fn a_technician_is_asked_to_come_somewhere(world: World) {
        world.staff(Role::Technician).await;
        let ann = world.customer("ann@example.com").await;
        let slot = slot(workshop(&world, 2).await, MORNING);
        let item = goods(&world, &ann).await.to_string();
        let wish = |place| {
            let about = [("item", item.as_str()), ("mode", "on_site"), ("fault", "It leaks"), ("slot", slot.as_str())];
            [&about[..], &[("fee", "5900"), ("place", place)]].concat()
        };
        for nowhere in ["", "  "] {
            let page = world.post(&ann, "/repairs/new", &wish(nowhere)).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.body.contains("place-fault") && page.body.contains("It leaks"), "{}", page.body);
            let time = page.body.split(&format!("value=\"{slot}\"")).nth(1).unwrap().split('>').next().unwrap();
            assert!(time.contains("checked"), "{time}");
        }
        assert_eq!(world.count("select count(*) from repair").await, 0);
        let form = world.get(&ann, &format!("/repairs/new?item={item}&mode=on_site")).await.body;
        let field = form.split("<textarea").find(|field| field.contains("name=\"place\"")).unwrap();
        assert!(field.split('>').next().unwrap().contains("required"), "{field}");
        assert_eq!(world.post(&ann, "/repairs/new", &wish("Mill Lane 3")).await.status, StatusCode::SEE_OTHER);
    }
}

both! {
    async fn slots_of_another_length_take_no_more_than_there_is_room_for_at_any_moment(world: World) {
        let place = workshop(&world, 1).await;
        let mut people = Vec::new();
        for email in ["ann@example.com", "ben@example.com", "cleo@example.com"] {
            let who = world.customer(email).await;
            let item = goods(&world, &who).await;
            people.push((who, item));
        }
        let [(ann, hers), (ben, his), (cleo, third)] = &people[..] else { panic!("three") };
        // Half past nine to ten in Madrid, in short slots; later nine to ten is one of the long ones.
        world.corrupt("update workshop set slot_minutes = 30").await;
        booked(&world, ann, *hers, &slot(place, "2026-12-03T08:30:00Z")).await;
        world.corrupt("update workshop set slot_minutes = 60").await;
        let long = slot(place, "2026-12-03T08:00:00Z");
        let page = world.get(ben, &format!("/repairs/new?item={his}&mode=bring_in")).await.body;
        assert!(!page.contains(&long) && page.contains(&slot(place, MORNING)), "{page}");
        let reply = book(&world, ben, *his, &long).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("Somebody was quicker"), "{}", reply.body);
        // What touches does not overlap; and with room for two there is a place beside her.
        booked(&world, ben, *his, &slot(place, MORNING)).await;
        world.corrupt("update workshop set desk_capacity = 2").await;
        booked(&world, cleo, *third, &long).await;
        assert_eq!(book(&world, ben, *his, &long).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Room for less from now on breaks nothing that was promised before.
        world.corrupt("update workshop set desk_capacity = 1").await;
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_asks_for_long_and_for_short_slots_at_once_gets_no_more_than_there_is_room_for(world: World) {
        let place = workshop(&world, 2).await;
        let mut wishes = Vec::new();
        for n in 0..24 {
            let who = world.customer(&format!("c{n}@example.com")).await;
            let item = goods(&world, &who).await;
            wishes.push((who, item, slot(place, ["2026-12-03T08:00:00Z", "2026-12-03T08:30:00Z"][n % 2])));
        }
        // Between two posts the manager changes the slots, again and again.
        let change = async |minutes: &'static str| {
            for _ in 0..6 {
                world.corrupt(minutes).await;
                tokio::task::yield_now().await;
            }
        };
        let asked = futures::future::join_all(wishes.iter().map(|(who, item, slot)| book(&world, who, *item, slot)));
        let (replies, (), ()) = tokio::join!(
            asked,
            change("update workshop set slot_minutes = 30"),
            change("update workshop set slot_minutes = 60")
        );
        let won = replies.iter().filter(|reply| reply.status == StatusCode::SEE_OTHER).count();
        assert!(replies.iter().all(|reply| [303, 422].contains(&reply.status.as_u16())));
        assert!(won >= 2, "{won}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_waits_for_a_first_technician_is_theirs_when_they_come(world: World) {
        let place = workshop(&world, 2).await;
        let mut booked = Vec::new();
        for (email, mode) in [("ann@example.com", "bring_in"), ("ben@example.com", "on_site"), ("cleo@example.com", "on_site")] {
            let who = world.customer(email).await;
            let (item, slot) = (goods(&world, &who).await.to_string(), slot(place, MORNING));
            let wish = [("item", item.as_str()), ("mode", mode), ("fault", "It jams"), ("slot", &slot), ("fee", "5900"), ("place", "Mill Lane 3")];
            let reply = world.post(&who, "/repairs/new", &wish).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
            booked.push((who, reply.location().to_owned()));
        }
        world.post(&booked[0].0, &booked[0].1, &[("do", "cancel")]).await;
        assert_eq!(world.broken().await, Vec::<String>::new());
        let other = world.customer("dora@example.com").await;
        let item = goods(&world, &other).await.to_string();
        let parcel = [("item", item.as_str()), ("mode", "send_in"), ("fault", "It jams"), ("fee", "2900")];
        assert_eq!(world.post(&other, "/repairs/new", &parcel).await.status, StatusCode::SEE_OTHER);
        world.staff(Role::Agent).await;
        assert_eq!(world.count("select count(*) from repair where technician_id is not null").await, 0);
        world.staff(Role::Technician).await;
        assert_eq!(world.broken().await, Vec::<String>::new());
        assert_eq!(world.count("select count(*) from repair where technician_id is not null and state <> 'cancelled'").await, 3);
        assert_eq!(world.count("select count(*) from repair where technician_id is not null and state = 'cancelled'").await, 0);
        // Of two visits at one time they make one; the other is theirs to put right.
        assert_eq!(world.count("select count(*) from busy where entity = 'repair'").await, 1);
        assert_eq!(world.count("select count(*) from appointment where technician_id is not null").await, 1);
        const SAID: &str = "select count(*) from history where act = 'add_staff' and entity = 'repair'";
        assert_eq!(world.count(SAID).await, 3);
        world.staff_named(Role::Technician, "second@staff.example").await;
        assert_eq!(world.count(SAID).await, 3, "there was nothing left to give");
    }
}

both! {
    async fn two_hundred_who_ask_at_once_get_exactly_as_many_places_as_there_are(world: World) {
        let place = workshop(&world, 3).await;
        let mut people = Vec::new();
        for n in 0..200 {
            let who = world.customer(&format!("c{n}@example.com")).await;
            let item = goods(&world, &who).await;
            people.push((who, item));
        }
        let slot = slot(place, MORNING);
        // As many at a time as connections serve in time on a machine that does other things besides.
        let gate = tokio::sync::Semaphore::new(64);
        let asked = people.iter().map(async |(who, item)| {
            let _turn = gate.acquire().await.unwrap();
            book(&world, who, *item, &slot).await
        });
        let replies = futures::future::join_all(asked).await;
        let won = replies.iter().filter(|r| r.status == StatusCode::SEE_OTHER).count();
        let lost: Vec<&Reply> = replies.iter().filter(|r| r.status == StatusCode::UNPROCESSABLE_ENTITY).collect();
        let other: Vec<_> = replies.iter().map(|r| r.status).filter(|s| *s != 303 && *s != 422).collect();
        assert_eq!((won, lost.len()), (3, 197), "{other:?}");
        assert_eq!(world.count("select booked from slot_load").await, 3);
        assert_eq!(world.count("select count(*) from appointment").await, 3);
        assert_eq!(world.count("select count(*) from repair").await, 3);
        let page = &lost[0].body;
        // Who loses has the free times and every word again.
        assert!(page.contains("Somebody was quicker") && page.contains("It jams &lt;b&gt;often"), "{page}");
        assert!(page.contains(&instant("2026-12-03T10:00:00Z").timestamp().to_string()));
        assert!(!page.contains(&format!("value=\"{slot}\"")));
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn who_loses_a_time_keeps_item_way_words_and_pictures(world: World) {
        let place = workshop(&world, 1).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let (mine, his) = (goods(&world, &ann).await, goods(&world, &bob).await);
        let slot = slot(place, MORNING);
        booked(&world, &bob, his, &slot).await;
        let item = mine.to_string();
        let fields = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "It hums at night"), ("slot", &slot), ("fee", "2900")];
        let reply = upload(&world, &ann, multipart(&fields, &[("a.png", &png(64, 48))])).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        let photo = world.count("select count(*) from photo where repair_id is null").await;
        assert_eq!(photo, 1, "it is kept for the next try");
        assert!(reply.body.contains("name=\"photo\"") && reply.body.contains("It hums at night"), "{}", reply.body);
        for kept in [format!("value=\"{item}\" selected"), "name=\"mode\" value=\"bring_in\" checked".to_owned()] {
            assert!(reply.body.contains(&kept), "{kept} in {}", reply.body);
        }
        assert!(!reply.body.contains(&format!("value=\"{slot}\"")));
    }
}

both! {
    async fn the_same_post_twice_is_one_repair_and_one_answer(world: World) {
        let ann = world.customer("ann@example.com").await;
        let place = workshop(&world, 9).await;
        let item = goods(&world, &ann).await.to_string();
        let (slot, key) = (slot(place, MORNING), Uuid::now_v7().to_string());
        let fields = [("key", key.as_str()), ("item", &item), ("mode", "bring_in"), ("fault", "Jams"), ("slot", &slot), ("fee", "2900")];
        let asked = (0..20).map(|_| world.post(&ann, "/repairs/new", &fields));
        let replies = futures::future::join_all(asked).await;
        assert!(replies.iter().all(|r| r.status == StatusCode::SEE_OTHER && r.location() == replies[0].location()));
        assert_eq!(world.count("select count(*) from repair").await, 1);
        let other = [("key", key.as_str()), ("item", &item), ("mode", "bring_in"), ("fault", "Other"), ("slot", &slot)];
        assert_eq!(world.post(&ann, "/repairs/new", &other).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Without a key the wish itself tells that it is the same.
        let bare = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "Jams"), ("slot", &slot)];
        assert_eq!(world.post(&ann, "/repairs/new", &bare).await.location(), replies[0].location());
        assert_eq!(world.count("select count(*) from repair").await, 1);
    }
}

both! {
    async fn somebody_elses_repair_item_and_picture_do_not_exist(world: World) {
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        assert_eq!(world.get(&bob, &address).await.status, StatusCode::NOT_FOUND);
        for verb in ["cancel", "accept", "decline"] {
            let fields = [("do", verb), ("quote", "0190f0d0-0000-7000-8000-000000000000")];
            assert_eq!(world.post(&bob, &address, &fields).await.status, StatusCode::NOT_FOUND, "{verb}");
        }
        assert_eq!(world.get(&bob, "/repairs/RMA-0000-0000").await.status, StatusCode::NOT_FOUND);
        assert_eq!(book(&world, &bob, item, &slot(place, MORNING)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.get(None, &address).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.get(&bob, &format!("/desk{address}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&bob, "/desk/repairs").await.status, StatusCode::NOT_FOUND);
        assert!(!world.get(&bob, "/repairs").await.body.contains("RMA-"));
        let trainer = world.staff(Role::Trainer).await;
        assert_eq!(world.get(&trainer, &format!("/desk{address}")).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.post(&trainer, &format!("/desk{address}"), &[("do", "receive"), ("version", "1")]).await.status, StatusCode::FORBIDDEN);
    }
}

both! {
    async fn an_owner_sees_the_firms_repairs_and_a_member_only_their_own(world: World) {
        let (owner, member) = (world.customer("owner@firm.example").await, world.customer("member@firm.example").await);
        let firm = world.organisation("Firm").await;
        world.join(firm, owner.id, Membership::Owner).await;
        world.join(firm, member.id, Membership::Member).await;
        let place = workshop(&world, 5).await;
        let hers = item_of(&world, owner.id, Some(firm), "goods", false).await;
        let his = item_of(&world, member.id, Some(firm), "goods", false).await;
        let first = booked(&world, &owner, hers, &slot(place, MORNING)).await;
        let second = booked(&world, &member, his, &slot(place, MORNING)).await;
        assert_eq!(world.get(&owner, &second).await.status, StatusCode::OK);
        assert_eq!(world.get(&member, &first).await.status, StatusCode::NOT_FOUND);
        assert!(world.get(&owner, "/repairs").await.body.matches("RMA-").count() > world.get(&member, "/repairs").await.body.matches("RMA-").count());
    }
}

both! {
    async fn of_a_firms_repair_its_contact_and_the_owners_read_and_whoever_booked_it_is_asked(world: World) {
        let [ada, owl, member] = [
            world.customer("ada@firm.example").await,
            world.customer("owl@firm.example").await,
            world.customer("member@firm.example").await,
        ];
        let firm = world.organisation("Firm").await;
        for (who, membership) in [(&ada, Membership::Owner), (&owl, Membership::Owner), (&member, Membership::Member)] {
            world.join(firm, who.id, membership).await;
        }
        let technician = world.staff(Role::Technician).await;
        workshop(&world, 5).await;
        const LETTERS: &str = "select m.letter, p.email from message m join person p on p.id = m.person_id \
            where m.letter like 'repair_%' order by p.email, m.letter";
        const ASKED: &str = "select p.email from feedback f join person p on p.id = f.person_id where f.moment = 'repair' \
            order by f.asked_at, p.email";
        let three = ["repair_booked", "repair_handed_back", "repair_ready"];
        for (n, (booker, asked)) in [(&ada, "ada@firm.example"), (&member, "member@firm.example")].into_iter().enumerate() {
            let item = item_of(&world, member.id, Some(firm), "goods", true).await;
            let address = sent_in(&world, booker, &technician, item, "0").await;
            moved(&world, &technician, &address, "diagnose", &[("words", "The fuser is worn")]).await;
            for verb in ["start", "finish", "make_ready", "hand_back"] {
                moved(&world, &technician, &address, verb, &[]).await;
            }
            let letters = aftercare::fetch_all!(world.db().read().await.unwrap(), (String, String), LETTERS).unwrap();
            for reader in [&ada, &owl, &member] {
                let page = world.get(reader, &address).await;
                assert_eq!(page.status, StatusCode::OK);
            }
            for email in ["ada@firm.example", "member@firm.example", "owl@firm.example"] {
                let mut got: Vec<&str> =
                    letters.iter().filter(|(_, to)| to == email).map(|(letter, _)| letter.as_str()).collect();
                got.dedup();
                assert_eq!(got, three, "{email}");
            }
            assert_eq!(letters.len(), 9 * (n + 1));
            world.advance(TimeDelta::days(2));
            world.drain().await;
            let people = aftercare::fetch_all!(world.db().read().await.unwrap(), (String,), ASKED).unwrap();
            assert_eq!(people.iter().map(|(email,)| email.as_str()).nth(n), Some(asked), "{people:?}");
            assert_eq!(people.len(), n + 1);
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_appointment_moves_and_gives_its_old_time_back_until_the_notice_ends(world: World) {
        let ann = world.customer("ann@example.com").await;
        let place = workshop(&world, 1).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        assert!(world.get(&ann, &format!("{address}?move=1")).await.body.contains("move-repair"));
        let friday = slot(place, "2026-12-04T09:00:00Z");
        assert_eq!(world.post(&ann, &address, &[("do", "move"), ("slot", &friday)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from appointment where state = 'moved'").await, 1);
        assert_eq!(world.count("select cast(sum(booked) as bigint) from slot_load").await, 1);
        let bob = world.customer("bob@example.com").await;
        let other = goods(&world, &bob).await;
        booked(&world, &bob, other, &slot(place, MORNING)).await;
        // What is taken cannot be moved to, and the old time is kept.
        let reply = world.post(&ann, &address, &[("do", "move"), ("slot", &slot(place, MORNING))]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(world.broken().await.is_empty());
        world.advance(TimeDelta::hours(49));
        let late = world.post(&ann, &address, &[("do", "cancel")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.body.contains("too late"), "{}", late.body);
        assert_eq!(world.count("select count(*) from repair where state = 'booked'").await, 2);
    }
}

both! {
    async fn once_the_notice_has_ended_an_appointment_is_not_moved_and_the_reason_is_said(world: World) {
        let ann = world.customer("ann@example.com").await;
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        let friday = slot(place, "2026-12-04T09:00:00Z");
        world.advance(TimeDelta::hours(25));
        let late = world.post(&ann, &address, &[("do", "move"), ("slot", &friday)]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.body.contains("It is too late to move or cancel online. Please get in touch with us."), "{}", late.body);
        // The page says so before anybody tries.
        let page = world.get(&ann, &format!("{address}?move=1")).await.body;
        assert!(page.contains("too late to move") && !page.contains("move-repair") && !page.contains("cancel-repair"), "{page}");
        // How to get in touch stands beside it, and works.
        let help = page.split('"').find(|part| part.starts_with("/cases/new?about=repair:")).expect("a way to write to us");
        assert_eq!(world.get(&ann, help).await.status, StatusCode::OK);
        let mut tx = world.db().read().await.unwrap();
        let at = fetch_scalar!(tx, DateTime<Utc>, "select appointment_at from repair").unwrap();
        drop(tx);
        assert_eq!(at, Some(instant(MORNING)));
        assert_eq!(world.count("select cast(sum(booked) as bigint) from slot_load").await, 1);
        assert_eq!(world.count("select count(*) from appointment").await, 1);
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn each_workshop_has_its_price_and_its_notice(world: World) {
        let ann = world.customer("ann@example.com").await;
        let near = workshop_named(&world, "At the harbour", 2, 2900, 24).await;
        let far = workshop_named(&world, "By the station", 2, 4500, 48).await;
        let item = goods(&world, &ann).await;
        let page = world.get(&ann, &format!("/repairs/new?item={item}&mode=bring_in")).await.body;
        for text in [
            "At the harbour · €29.00",
            "By the station · €45.00",
            "At the harbour: Looking at it costs €29.00.",
            "By the station: Looking at it costs €45.00.",
            "At the harbour: You can move or cancel until 24 hours before.",
            "By the station: You can move or cancel until 48 hours before.",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        // What the page carries along is sent back as it is.
        let fees: Vec<(String, String)> = page
            .split("name=\"fee")
            .skip(1)
            .map(|rest| {
                let (name, rest) = rest.split_once('"').unwrap();
                let value = rest.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
                (format!("fee{name}"), value.to_owned())
            })
            .collect();
        assert_eq!(fees.len(), 2);
        let id = item.to_string();
        for (place, fee, at) in [(far, 4500, MORNING), (near, 2900, LATER)] {
            let slot = slot(place, at);
            let mut fields = vec![("item", id.as_str()), ("mode", "bring_in"), ("fault", "It jams"), ("slot", slot.as_str())];
            fields.extend(fees.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let reply = world.post(&ann, "/repairs/new", &fields).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
            let agreed = world.count("select fee_minor from repair order by created_at desc, id desc limit 1").await;
            assert_eq!(agreed, fee);
        }
        // The price of one is no yes to that of the other.
        let (slot, cheap) = (slot(far, LATER), format!("fee-{near}"));
        let fields = [("item", id.as_str()), ("mode", "bring_in"), ("fault", "Again"), ("slot", slot.as_str()), (cheap.as_str(), "2900")];
        let reply = world.post(&ann, "/repairs/new", &fields).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("€45.00") && reply.body.contains("Again"), "{}", reply.body);
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn an_appointment_moves_to_any_day_that_is_offered(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 1).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        let far = slot(place, "2026-12-14T09:00:00Z");
        for (who, address) in [(&ann, address.clone()), (&technician, format!("/desk{address}"))] {
            let mut page = world.get(who, &format!("{address}?move=1")).await.body;
            assert!(page.contains("move-repair") && !page.contains(&far), "{page}");
            let mut pages = 0;
            while !page.contains(&far) {
                let next = page.split("rel=\"next\"").nth(1).unwrap_or_else(|| panic!("no later days: {page}"));
                let next = next.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
                page = world.get(who, &next).await.body;
                pages += 1;
                assert!(pages < 9);
            }
        }
        assert_eq!(world.post(&ann, &address, &[("do", "move"), ("slot", &far)]).await.status, StatusCode::SEE_OTHER);
        // Whoever loses a time of a later day stays at that day.
        let bob = world.customer("bob@example.com").await;
        let other = goods(&world, &bob).await;
        let second = booked(&world, &bob, other, &slot(place, MORNING)).await;
        let reply = world.post(&bob, &second, &[("do", "move"), ("slot", &far)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains(&slot(place, "2026-12-14T10:00:00Z")), "{}", reply.body);
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn a_cancelled_repair_frees_its_time_and_costs_nothing(world: World) {
        let ann = world.customer("ann@example.com").await;
        let place = workshop(&world, 1).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        assert_eq!(world.post(&ann, &address, &[("do", "cancel")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select booked from slot_load").await, 0);
        assert_eq!(world.count("select count(*) from charge").await, 0);
        assert_eq!(world.post(&ann, &address, &[("do", "cancel")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(world.broken().await.is_empty());
        let again = goods(&world, &ann).await;
        booked(&world, &ann, again, &slot(place, MORNING)).await;
    }
}

both! {
    async fn a_job_goes_over_the_counter_with_a_price_that_the_customer_accepted(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        let t = &technician;
        moved(&world, t, &address, "receive", &[]).await;
        moved(&world, t, &address, "diagnose", &[("words", "The fuser is worn")]).await;
        assert_eq!(world.count("select amount_minor from charge where reason = 'diagnosis'").await, 2900);
        // Not covered: no work without a yes.
        let early = desk(&world, t, &address, "start", &[]).await;
        assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
        moved(&world, t, &address, "quote", &LINES).await;
        let page = world.get(&ann, &address).await.body;
        assert!(page.contains("89.90") && page.contains("Accept for") && page.contains("The fuser is worn"), "{page}");
        let quote = quote_id(&world).await;
        let accept = [("do", "accept"), ("quote", quote.as_str())];
        assert_eq!(world.post(t, &address, &accept).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.post(&ann, &address, &accept).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select amount_minor from charge where entity = 'quote' and state = 'due'").await, 8990);
        moved(&world, t, &address, "start", &[]).await;
        let part = [("do", "work"), ("kind", "part"), ("label", "Fuser F-1"), ("quantity", "1"), ("part_number", "F-1")];
        assert_eq!(world.post(t, &format!("/desk{address}"), &part).await.status, StatusCode::SEE_OTHER);
        moved(&world, t, &address, "wait_for_parts", &[("parts_due", "2026-12-09"), ("words", "Coming from Italy")]).await;
        for verb in ["resume", "finish", "make_ready", "hand_back"] {
            moved(&world, t, &address, verb, &[]).await;
        }
        assert_eq!(state(&world).await, "handed_back");
        assert_eq!(world.count("select count(*) from coverage where kind = 'repair_warranty'").await, 1);
        assert_eq!(world.count("select count(*) from job where kind = 'ask_feedback'").await, 1);
        for kind in ["repair_booked", "repair_quoted", "repair_ready", "repair_handed_back"] {
            let mut tx = world.db().read().await.unwrap();
            let sent = fetch_all!(tx, (String,), "select subject from message where letter = $1", kind).unwrap();
            assert_eq!(sent.len(), 1, "{kind}");
        }
        let page = world.get(t, &format!("/desk{address}")).await.body;
        assert!(page.contains("Fuser F-1") && page.contains("Coming from Italy"));
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
        world.advance(TimeDelta::days(16));
        world.drain().await;
        assert_eq!(state(&world).await, "closed");
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn a_covered_job_needs_no_price_and_costs_nothing(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let item = item_of(&world, ann.id, None, "goods", true).await;
        let page = world.get(&ann, &format!("/repairs/new?item={item}&mode=bring_in")).await.body;
        assert!(page.contains("You pay nothing for this repair"), "{page}");
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        moved(&world, &technician, &address, "receive", &[]).await;
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        for verb in ["start", "finish", "make_ready", "hand_back"] {
            moved(&world, &technician, &address, verb, &[]).await;
        }
        assert_eq!(world.count("select count(*) from charge").await, 0);
        assert!(world.broken().await.is_empty());
    }
}

/// What staff say of a repair allowance of an item, posted to its page.
async fn by_hand(world: &World, agent: &Signed, form: &[(&str, &str)]) -> Reply {
    let item = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from item").unwrap().unwrap();
    let why = [("why", "As promised on the phone.")];
    world.post(agent, &format!("/desk/benefits/{}", item.simple()), &[form, &why].concat()).await
}

/// Whether all that speaks of it says that a repair is covered until a day, or that none is: the list and its filter, the
/// staff's page of the customer, the page of the purchase, the form of a repair with its price. Gives the page of the
/// purchase.
async fn covered(world: &World, ann: &Signed, agent: &Signed, until: Option<&str>) -> String {
    let mut tx = world.db().read().await.unwrap();
    let (purchase, item) = fetch_one!(tx, (Uuid, Uuid), "select purchase_id, id from item").unwrap();
    drop(tx);
    let page = world.get(ann, &format!("/purchases/{}", purchase.simple())).await.body;
    let short = until.map(|day| format!("Covered until {}", day.rsplit_once(' ').unwrap().0.get(..6).unwrap()));
    for path in ["/purchases".to_owned(), format!("/desk/customers/{}", ann.id)] {
        let list = world.get(if path.starts_with("/desk") { agent } else { ann }, &path).await.body;
        match &short {
            Some(short) => assert!(list.contains(short.as_str()), "{path}, {short}: {list}"),
            None => assert!(!list.contains("Covered until"), "{path}: {list}"),
        }
    }
    assert_eq!(world.get(ann, "/purchases?covered=yes").await.body.contains("Printer"), until.is_some());
    let form = world.get(ann, &format!("/repairs/new?item={}&mode=send_in", item.simple())).await.body;
    for text in [&page, &form] {
        match until {
            Some(day) => {
                assert!(text.contains(&format!("A repair is covered by the plan “Care” until {day}")), "{day}: {text}")
            }
            None => assert!(text.contains("A repair is not covered"), "{text}"),
        }
    }
    assert_eq!(form.contains("You pay nothing for this repair"), until.is_some(), "{form}");
    assert_eq!(form.contains("€29.00"), until.is_none(), "{form}");
    page
}

/// A printer that nothing but its plan covers, if that.
fn under_a_plan(plan: &str) -> String {
    format!("A1,1,2026-11-10,2026-11-14,ann@example.com,GB,,P1,Printer,goods,S-1,1,199.00,EUR,,{plan}")
}

both! {
    async fn a_repair_allowance_that_staff_extended_pays_until_its_new_end(world: World) {
        sold::sell(&world, &[&under_a_plan("care-6")]).await;
        workshop(&world, 2).await;
        let (ann, agent) = (world.customer("ann@example.com").await, world.staff(Role::Agent).await);
        let ends_soon = async |day: &str| {
            let home = world.get(&ann, "/").await.body;
            assert_eq!(home.contains("Coverage ends soon"), !day.is_empty(), "{day}: {home}");
            assert!(day.is_empty() || home.contains(&format!("Service plan for Printer ends on {day}")), "{day}: {home}");
        };
        let page = covered(&world, &ann, &agent, Some("14 May 2027")).await;
        assert!(!page.contains("Repairs: Care"), "its plan says as much: {page}");
        world.advance(TimeDelta::days(151));
        ends_soon("14 May 2027").await;
        // It has expired, too, before it is extended.
        world.advance(TimeDelta::days(16));
        covered(&world, &ann, &agent, None).await;
        aftercare::benefits::server::jobs::expire(&world.cx(Viewer::System)).await.unwrap();
        covered(&world, &ann, &agent, None).await;
        let id = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from benefit where allowance = 'repair'").unwrap().unwrap();
        let longer = [("do", "longer"), ("benefit", &*id.simple().to_string()), ("until", "2027-12-31")];
        assert_eq!(by_hand(&world, &agent, &longer).await.status, StatusCode::SEE_OTHER);
        let page = covered(&world, &ann, &agent, Some("31 December 2027")).await;
        for text in ["1 of 1 repair left, until 31 December 2027", "Repairs: Care", "until 31 December 2027"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        ends_soon("").await;
        world.advance(TimeDelta::days(209));
        covered(&world, &ann, &agent, Some("31 December 2027")).await;
        ends_soon("31 December 2027").await;
        // On the first day after it nothing is covered, whether the clock has expired it yet or not.
        world.advance(TimeDelta::days(20));
        for _ in 0..2 {
            covered(&world, &ann, &agent, None).await;
            ends_soon("").await;
            aftercare::benefits::server::jobs::expire(&world.cx(Viewer::System)).await.unwrap();
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn staff_extend_a_repair_allowance_before_its_plan_ends_and_nothing_is_said_to_end(world: World) {
        sold::sell(&world, &[&under_a_plan("care-6")]).await;
        workshop(&world, 2).await;
        let (ann, agent) = (world.customer("ann@example.com").await, world.staff(Role::Agent).await);
        let technician = world.staff(Role::Technician).await;
        world.advance(TimeDelta::days(151));
        assert!(world.get(&ann, "/").await.body.contains("Coverage ends soon"));
        let id = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from benefit where allowance = 'repair'").unwrap().unwrap();
        let longer = [("do", "longer"), ("benefit", &*id.simple().to_string()), ("until", "2027-12-31")];
        assert_eq!(by_hand(&world, &agent, &longer).await.status, StatusCode::SEE_OTHER);
        assert!(!world.get(&ann, "/").await.body.contains("Coverage ends soon"));
        covered(&world, &ann, &agent, Some("31 December 2027")).await;
        world.advance(TimeDelta::days(61));
        let item = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from item").unwrap().unwrap();
        let address = sent_in(&world, &ann, &technician, ItemId(item), "0").await;
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        assert_eq!(world.count("select count(*) from charge").await, 0);
        assert_eq!(world.count("select reserved from benefit where allowance = 'repair'").await, 1);
        covered(&world, &ann, &agent, None).await;
        for verb in ["start", "finish", "make_ready", "hand_back"] {
            moved(&world, &technician, &address, verb, &[]).await;
        }
        assert_eq!(world.count("select used from benefit where allowance = 'repair'").await, 1);
        assert_eq!(world.count("select count(*) from charge").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_repair_that_staff_gave_to_an_item_without_a_plan_is_paid_for(world: World) {
        sold::sell(&world, &[&under_a_plan("")]).await;
        workshop(&world, 2).await;
        let (ann, agent) = (world.customer("ann@example.com").await, world.staff(Role::Agent).await);
        let technician = world.staff(Role::Technician).await;
        let item = ItemId(fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from item").unwrap().unwrap());
        covered(&world, &ann, &agent, None).await;
        let new = [("do", "new"), ("plan", "care-6"), ("allowance", "repair"), ("units", "1"), ("until", "2027-01-31")];
        assert_eq!(by_hand(&world, &agent, &new).await.status, StatusCode::SEE_OTHER);
        let page = covered(&world, &ann, &agent, Some("31 January 2027")).await;
        assert!(page.contains("1 of 1 repair left, until 31 January 2027") && page.contains("Repairs: Care"), "{page}");
        let address = sent_in(&world, &ann, &technician, item, "0").await;
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        assert_eq!(world.count("select reserved from benefit").await, 1);
        let page = covered(&world, &ann, &agent, None).await;
        assert!(page.contains("all are used or booked") && !page.contains("Repairs: Care"), "{page}");
        for verb in ["start", "finish", "make_ready", "hand_back"] {
            moved(&world, &technician, &address, verb, &[]).await;
        }
        assert_eq!(world.count("select used from benefit").await, 1);
        assert_eq!(world.count("select count(*) from charge").await, 0);
        // One more is given, and not used in time: then looking at it has its price again.
        let id = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from benefit").unwrap().unwrap();
        let more = [("do", "more"), ("benefit", &*id.simple().to_string()), ("units", "1")];
        assert_eq!(by_hand(&world, &agent, &more).await.status, StatusCode::SEE_OTHER);
        // The warranty on the first repair is over by then, too.
        world.advance(TimeDelta::days(60));
        covered(&world, &ann, &agent, Some("31 January 2027")).await;
        world.advance(TimeDelta::days(2));
        covered(&world, &ann, &agent, None).await;
        let late = [("item", &*item.to_string()), ("mode", "send_in"), ("fault", "It jams"), ("fee", "0")];
        assert_eq!(world.post(&ann, "/repairs/new", &late).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let address = sent_in(&world, &ann, &technician, item, "2900").await;
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        assert_eq!(world.count("select count(*) from charge where reason = 'diagnosis' and amount_minor = 2900").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_repair_is_not_given_to_what_nobody_repairs(world: World) {
        sold::sell(&world, &["A1,1,2026-11-10,2026-11-14,ann@example.com,GB,,P9,Tour,journey,,1,199.00,EUR,,"]).await;
        let agent = world.staff(Role::Agent).await;
        let new = |allowance| [("do", "new"), ("plan", "care-6"), ("allowance", allowance), ("units", "1"), ("until", "2027-01-31")];
        let refused = by_hand(&world, &agent, &new("repair")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("id=\"allowance-fault\"") && !refused.body.contains("value=\"repair\""), "{}", refused.body);
        assert_eq!(by_hand(&world, &agent, &new("training_seat")).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from benefit").await, 1);
    }
}

both! {
    async fn whoever_has_nothing_to_collect_is_not_asked_to_come(world: World) {
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let visit = slot(place, MORNING);
        for (email, mode, step, letter, said) in [
            ("ann@example.com", "on_site", "We hand it over at your place", "You need not go anywhere", false),
            ("bob@example.com", "send_in", "We send it back to you", "on its way back to you", false),
            ("cleo@example.com", "bring_in", "Collect it from us", "Collect it at Central workshop", true),
        ] {
            let who = world.customer(email).await;
            let item = item_of(&world, who.id, None, "goods", true).await.to_string();
            let wish = [
                ("item", item.as_str()), ("mode", mode), ("fault", "It jams"), ("slot", visit.as_str()), ("fee", "0"),
                ("place", "Gran Vía 1, Madrid"),
            ];
            let reply = world.post(&who, "/repairs/new", &wish).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{mode}: {}", reply.body);
            let address = reply.location().to_owned();
            moved(&world, &technician, &address, "receive", &[]).await;
            moved(&world, &technician, &address, "diagnose", &[("words", "The fuser is worn")]).await;
            for verb in ["start", "finish", "make_ready"] {
                moved(&world, &technician, &address, verb, &[]).await;
            }
            let page = world.get(&who, &address).await.body;
            assert!(page.contains(step), "{mode}: {page}");
            let (_, body, _) = world.letter(email).await.unwrap();
            assert!(body.contains(letter), "{mode}: {body}");
            let home = world.get(&who, "/").await.body;
            assert_eq!(home.contains("Your item is ready"), said, "{mode}: {home}");
            handed_back(&world, &technician, &address).await;
        }
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn a_declined_price_brings_the_item_back_and_an_unanswered_one_lapses(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        moved(&world, &technician, &address, "receive", &[]).await;
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        moved(&world, &technician, &address, "quote", &LINES).await;
        let old = quote_id(&world).await;
        world.advance(TimeDelta::days(20));
        world.drain().await;
        assert_eq!(state(&world).await, "diagnosed");
        let late = world.post(&ann, &address, &[("do", "accept"), ("quote", &old)]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        let mut lines = LINES;
        lines[3] = ("valid_until", "2026-12-30");
        moved(&world, &technician, &address, "quote", &lines).await;
        let quote = quote_id(&world).await;
        // The price of before is not the price that stands.
        assert_eq!(world.post(&ann, &address, &[("do", "accept"), ("quote", &old)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.post(&ann, &address, &[("do", "decline"), ("quote", &quote)]).await.status, StatusCode::SEE_OTHER);
        moved(&world, &technician, &address, "make_ready", &[]).await;
        moved(&world, &technician, &address, "hand_back", &[]).await;
        assert_eq!(world.count("select count(*) from charge where entity = 'quote'").await, 0);
        assert_eq!(world.count("select count(*) from coverage where kind = 'repair_warranty'").await, 0);
        // Nothing was done, so nothing is warranted.
        assert_eq!(world.count("select count(*) from message where letter = 'repair_handed_back'").await, 1);
        assert_eq!(world.count("select count(*) from message where body like '%stand by our work%'").await, 0);
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn letters_offer_and_tell_only_what_is_so(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let said = async || world.letter("ann@example.com").await.unwrap().1;
        let item = goods(&world, &ann).await;
        // In four hours: the notice is over before it has begun.
        booked(&world, &ann, item, &slot(place, "2026-12-01T13:00:00Z")).await;
        let letter = said().await;
        assert!(letter.contains("You can follow it here:") && !letter.contains("cancel"), "{letter}");
        let address = visited(&world, &ann, &slot(place, LATER)).await;
        assert!(said().await.contains("move it or cancel it here:"));
        moved(&world, &technician, &address, "receive", &[]).await;
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        moved(&world, &technician, &address, "quote", &LINES).await;
        let quote = quote_id(&world).await;
        assert_eq!(world.post(&ann, &address, &[("do", "decline"), ("quote", &quote)]).await.status, StatusCode::SEE_OTHER);
        moved(&world, &technician, &address, "make_ready", &[]).await;
        let letter = said().await;
        assert!(letter.contains("comes back to you as it is") && !letter.contains("is done"), "{letter}");
    }
}

both! {
    async fn who_declines_what_comes_on_top_of_what_is_covered_gets_the_rest_for_nothing(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        workshop(&world, 2).await;
        world.corrupt("update workshop set warranty_days = 0").await;
        let item = item_of(&world, ann.id, None, "goods", true).await;
        let address = sent_in(&world, &ann, &technician, item, "0").await;
        moved(&world, &technician, &address, "diagnose", &[("words", "A worn fuser, and the casing is broken")]).await;
        moved(&world, &technician, &address, "quote", &LINES).await;
        let page = world.get(&ann, &address).await.body;
        assert!(page.contains("Then we do what is covered, and nothing more."), "{page}");
        let quote = quote_id(&world).await;
        assert_eq!(world.post(&ann, &address, &[("do", "decline"), ("quote", &quote)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(state(&world).await, "diagnosed");
        for verb in ["start", "finish", "make_ready", "hand_back"] {
            moved(&world, &technician, &address, verb, &[]).await;
        }
        assert_eq!(world.count("select count(*) from charge").await, 0);
        // A workshop that promises nothing for its work says nothing of it.
        assert_eq!(world.count("select count(*) from message where letter = 'repair_handed_back'").await, 1);
        assert_eq!(world.count("select count(*) from message where body like '%stand by our work%'").await, 0);
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn of_two_technicians_who_edit_at_once_the_second_sees_what_the_first_wrote(world: World) {
        let ann = world.customer("ann@example.com").await;
        let (one, two) = (world.staff_named(Role::Technician, "one@staff.example").await, world.staff_named(Role::Technician, "two@staff.example").await);
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        moved(&world, &one, &address, "receive", &[]).await;
        let seen = version(&world, &address).await;
        let write = |words: &'static str| vec![("do", "diagnose"), ("version", seen.as_str()), ("words", words)];
        let path = format!("/desk{address}");
        assert_eq!(world.post(&one, &path, &write("The fuser is worn")).await.status, StatusCode::SEE_OTHER);
        let second = world.post(&two, &path, &write("The roller is broken")).await;
        assert_eq!(second.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(second.body.contains("The fuser is worn") && second.body.contains("The roller is broken"), "{}", second.body);
        assert_eq!(world.count("select count(*) from repair where diagnosis = 'The fuser is worn'").await, 1);
    }
}

both! {
    async fn what_was_typed_for_a_job_that_somebody_else_moved_on_is_still_there(world: World) {
        let ann = world.customer("ann@example.com").await;
        let (one, two) = (world.staff_named(Role::Technician, "one@staff.example").await, world.staff_named(Role::Technician, "two@staff.example").await);
        workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = sent_in(&world, &ann, &one, item, "2900").await;
        moved(&world, &one, &address, "diagnose", &[("words", "The fuser is worn")]).await;
        let seen = version(&world, &address).await;
        moved(&world, &one, &address, "give_up", &[("words", "No parts are made any more")]).await;
        let lines = [
            ("do", "quote"), ("version", seen.as_str()), ("label_1", "Fuser unit"), ("quantity_1", "2"), ("unit_price_1", "44,95"),
            ("label_2", "An hour of work"), ("unit_price_2", "60"), ("valid_until", "2026-12-20"), ("words", "With a used part"),
        ];
        let reply = world.post(&two, &format!("/desk{address}"), &lines).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!reply.body.contains("id=\"do-quote\""));
        for typed in ["What you had written", "Fuser unit · 2 · 44,95", "An hour of work · 60", "2026-12-20", "With a used part"] {
            assert!(reply.body.contains(typed), "{typed}: {}", reply.body);
        }
        let work = [("do", "work"), ("kind", "part"), ("label", "A used fuser"), ("quantity", "1"), ("part_number", "F-77")];
        let reply = world.post(&two, &format!("/desk{address}"), &work).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("A used fuser") && reply.body.contains("F-77"), "{}", reply.body);
        // Where the form is still there, what was typed stands in it and nowhere else.
        let other = goods(&world, &ann).await;
        let address = sent_in(&world, &ann, &one, other, "2900").await;
        let reply = desk(&world, &one, &address, "diagnose", &[("words", "")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!reply.body.contains("What you had written"), "{}", reply.body);
    }
}

both! {
    async fn a_visit_takes_a_technician_who_is_free_and_no_second_one_at_that_time(world: World) {
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let slot = slot(place, MORNING);
        let mut statuses = Vec::new();
        for name in ["ann", "bob"] {
            let who = world.customer(&format!("{name}@example.com")).await;
            let item = item_of(&world, who.id, None, "installation", false).await.to_string();
            let fields = [("item", item.as_str()), ("mode", "on_site"), ("fault", "Leaks"), ("slot", &slot), ("place", "Mill Lane 3"), ("fee", "5900")];
            statuses.push(world.post(&who, "/repairs/new", &fields).await.status);
        }
        // Two places in the slot, but only one technician.
        assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY]);
        assert_eq!(world.count("select count(*) from busy where entity = 'repair'").await, 1);
        let day = world.get(&technician, "/desk/repairs?queue=mine").await.body;
        assert!(day.contains("Printer P-20"), "{day}");
        assert!(world.broken().await.is_empty());
    }
}

both! {
    async fn a_visit_is_offered_only_when_a_technician_is_free(world: World) {
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let (taken, free) = (slot(place, MORNING), slot(place, LATER));
        let ann = world.customer("ann@example.com").await;
        let item = item_of(&world, ann.id, None, "installation", false).await.to_string();
        let page = async || world.get(&ann, &format!("/repairs/new?item={item}&mode=on_site")).await.body;
        assert!(page().await.contains(&taken));
        // Busy with something that is no repair at all, half of that hour.
        let from = instant(MORNING) + TimeDelta::minutes(30);
        let span = Span { from, until: from + TimeDelta::hours(1) };
        world
            .db()
            .write(move |tx| {
                Box::pin(async move {
                    busy::occupy(tx, Resource::Person(technician.id), span, "absence", uuid::Uuid::now_v7()).await
                })
            })
            .await
            .unwrap();
        let shown = page().await;
        assert!(!shown.contains(&taken) && shown.contains(&free), "{shown}");
        // Another technician, another pair of hands.
        world.staff_named(Role::Technician, "second@staff.example").await;
        assert!(page().await.contains(&taken));
    }
}

both! {
    async fn the_time_of_a_visit_that_is_moved_does_not_stand_in_its_own_way(world: World) {
        world.staff(Role::Technician).await;
        let place = workshop(&world, 1).await;
        let ann = world.customer("ann@example.com").await;
        let item = item_of(&world, ann.id, None, "installation", false).await;
        let (first, id) = (slot(place, MORNING), item.to_string());
        let fields = [("item", id.as_str()), ("mode", "on_site"), ("fault", "Leaks"), ("slot", &first), ("place", "Mill Lane 3"), ("fee", "5900")];
        let reply = world.post(&ann, "/repairs/new", &fields).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        let moving = world.get(&ann, &format!("{}?move=1", reply.location())).await.body;
        assert!(moving.contains(&first), "{moving}");
        let bob = world.customer("bob@example.com").await;
        let other = item_of(&world, bob.id, None, "installation", false).await;
        let page = world.get(&bob, &format!("/repairs/new?item={other}&mode=on_site")).await.body;
        assert!(!page.contains(&first) && page.contains(&slot(place, LATER)), "{page}");
    }
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::new_rgb8(width, height).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

/// A form with files, as browsers send it.
pub fn multipart(fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    for (name, bytes) in files {
        let head = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"{name}\"\r\nContent-Type: image/jpeg\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--XX--\r\n");
    body
}

async fn upload(world: &World, who: &Signed, body: Vec<u8>) -> Reply {
    let request = Request::post("/repairs/new")
        .header(header::COOKIE, &who.cookie)
        .header(header::ORIGIN, "http://portal.test")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX")
        .body(Body::from(body))
        .unwrap();
    world.send(request).await
}

fn files_in(world: &World) -> usize {
    let folder = world.app.config.data_dir.join("photos");
    let Ok(folders) = std::fs::read_dir(folder) else { return 0 };
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

both! {
    async fn pictures_survive_a_form_that_comes_back_and_go_to_the_repair(world: World) {
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await.to_string();
        let picture = png(300, 200);
        let fields = [("item", item.as_str()), ("mode", "bring_in"), ("fault", ""), ("slot", "")];
        let page = upload(&world, &ann, multipart(&fields, &[("a.jpg", &picture), ("", b"")])).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        let mut tx = world.db().read().await.unwrap();
        let id = fetch_scalar!(tx, aftercare::values::PhotoId, "select id from photo").unwrap().unwrap();
        drop(tx);
        assert!(page.body.contains(&format!("name=\"photo\" value=\"{id}\"")), "{}", page.body);
        let shown = world.get(&ann, &format!("/photos/{id}")).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.headers.get(header::CONTENT_TYPE).unwrap(), "image/jpeg");
        assert_eq!(shown.headers.get(header::X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
        assert!(shown.headers.get(header::CACHE_CONTROL).unwrap().to_str().unwrap().contains("private"));
        // A draft is its sender's alone.
        for other in [&bob, &technician] {
            assert_eq!(world.get(other, &format!("/photos/{id}")).await.status, StatusCode::NOT_FOUND);
        }
        let (slot, photo) = (slot(place, MORNING), id.to_string());
        let fields = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "Jams"), ("slot", &slot), ("photo", &photo), ("fee", "2900")];
        let reply = upload(&world, &ann, multipart(&fields, &[("b.png", &picture)])).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(world.count("select count(*) from photo where repair_id is not null").await, 2);
        assert_eq!(world.get(&technician, &format!("/photos/{id}")).await.status, StatusCode::OK);
        assert_eq!(world.get(&bob, &format!("/photos/{id}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(files_in(&world), 2);
        // A picture that has its repair is not forgotten with the drafts.
        world.advance(TimeDelta::hours(30));
        world.drain().await;
        assert_eq!(world.count("select count(*) from photo").await, 2);
    }
}

/// While it lives, whatever is written finds the database busy.
struct BusyWriter {
    release: Option<tokio::sync::watch::Sender<bool>>,
}

impl BusyWriter {
    /// On SQLite one write does not end and its queue is full; on PostgreSQL pictures always lose a race.
    async fn of(world: &World) -> Self {
        if world.engine == Engine::Postgres {
            world
                .corrupt("create function loses() returns trigger language plpgsql as $$ begin raise exception using errcode = '40001'; end $$")
                .await;
            world.corrupt("create trigger loses before insert on photo for each row execute function loses()").await;
            return Self { release: None };
        }
        let (release, released) = tokio::sync::watch::channel(false);
        // More than one group and the queue behind it take.
        let mut writes = tokio::task::JoinSet::new();
        for _ in 0..1300 {
            let (db, released) = (world.db().clone(), released.clone());
            writes.spawn(async move {
                db.write(move |_| {
                    let mut released = released.clone();
                    Box::pin(async move {
                        let _ = released.wait_for(|free| *free).await;
                        Ok(())
                    })
                })
                .await
            });
        }
        // A write that finds no place in the queue is answered at once; no other can be.
        assert!(matches!(writes.join_next().await, Some(Ok(Err(AppError::Busy)))));
        writes.detach_all();
        Self { release: Some(release) }
    }

    async fn end(self, world: &World) {
        match self.release {
            Some(release) => {
                release.send(true).unwrap();
                // Until those that waited have had their turn.
                while world.db().write(|_| Box::pin(async { Ok(()) })).await.is_err() {
                    tokio::task::yield_now().await;
                }
            }
            None => world.corrupt("drop trigger loses on photo").await,
        }
    }
}

both! {
    async fn a_picture_that_a_busy_database_does_not_take_costs_nobody_their_words(world: World) {
        let ann = world.customer("ann@example.com").await;
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await.to_string();
        let (fields, time) = ([("item", item.as_str()), ("mode", "bring_in"), ("fee", "2900"), ("fault", "It jams on Mondays")], slot(place, MORNING));
        // As browsers send it: what stands behind the pictures on the page comes behind them.
        let mut body = multipart(&fields, &[("a.png", &png(8, 8))]);
        body.truncate(body.len() - "--XX--\r\n".len());
        body.extend(multipart(&[("slot", &time)], &[]));
        let busy = BusyWriter::of(&world).await;
        let reply = upload(&world, &ann, body.clone()).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.body);
        assert!(reply.headers.contains_key("retry-after"));
        assert!(reply.body.contains("It jams on Mondays") && reply.body.contains("book-repair"), "{}", reply.body);
        let chosen = reply.body.split("<input").filter(|tag| tag.contains("checked")).collect::<String>();
        assert!(chosen.contains(&time), "{chosen}");
        assert_eq!(files_in(&world), 0);
        busy.end(&world).await;
        let reply = upload(&world, &ann, body).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(world.count("select count(*) from photo where repair_id is not null").await, 1);
    }
}

both! {
    async fn a_picture_that_nobody_used_is_forgotten_after_a_day(world: World) {
        let ann = world.customer("ann@example.com").await;
        workshop(&world, 2).await;
        let item = goods(&world, &ann).await.to_string();
        let picture = png(30, 20);
        let fields = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "Half a sent"), ("do", "photos")];
        let reply = upload(&world, &ann, multipart(&fields, &[("a.jpg", &picture)])).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        // The words that were there are there again.
        assert!(world.get(&ann, reply.location()).await.body.contains("Half a sent"));
        assert_eq!(files_in(&world), 1);
        world.advance(TimeDelta::hours(25));
        world.drain().await;
        assert_eq!((world.count("select count(*) from photo").await, files_in(&world)), (0, 0));
    }
}

both! {
    async fn what_is_no_picture_too_heavy_or_too_many_is_refused_with_the_reason(world: World) {
        let ann = world.customer("ann@example.com").await;
        workshop(&world, 2).await;
        let item = goods(&world, &ann).await.to_string();
        let fields = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "Jams"), ("do", "photos")];
        let mut heic = b"\0\0\0\x18ftypheic".to_vec();
        heic.resize(200, 0);
        let heavy = vec![0xFF; 15 * 1024 * 1024 + 1];
        let cases: [(&[u8], &str); 4] =
            [(&heic, "HEIC"), (b"<svg onload=alert(1)>", "JPEG"), (&heavy, "15"), (b"\x89PNG\r\n\x1a\ncut", "JPEG")];
        for (bytes, words) in cases {
            let page = upload(&world, &ann, multipart(&fields, &[("a.jpg", bytes)])).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
            assert!(page.body.contains("photos-fault") && page.body.contains(words), "{words}: {}", page.body);
        }
        assert_eq!(world.count("select count(*) from photo").await, 0);
        assert_eq!(files_in(&world), 0);
        let small = png(8, 8);
        let many: Vec<(&str, &[u8])> = (0..11).map(|_| ("a.png", small.as_slice())).collect();
        let page = upload(&world, &ann, multipart(&fields, &many)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from photo").await, 10);
        // A post that breaks off in the middle leaves what was whole.
        let mut cut = multipart(&fields, &[("a.png", &small)]);
        cut.truncate(cut.len() - 40);
        assert_eq!(upload(&world, &ann, cut).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from photo").await, 10);
    }
}

/// A good picture as heavy as one may be: what follows a JPEG's end is no part of it.
fn heavy_jpeg() -> Bytes {
    let mut bytes = Vec::new();
    DynamicImage::new_rgb8(8, 8).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg).unwrap();
    bytes.resize(14 << 20, 0);
    bytes.into()
}

/// Posts the same file many times in one form, without ever holding the whole post.
async fn upload_often(world: &World, who: &Signed, fields: &[(&str, &str)], file: &Bytes, times: usize) -> Reply {
    const PART: &str = "--XX\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"a.jpg\"\r\n\r\n";
    const END: &str = "--XX--\r\n";
    let mut head = multipart(fields, &[]);
    head.truncate(head.len() - END.len());
    let mut pieces = vec![Bytes::from(head)];
    for _ in 0..times {
        pieces.extend([PART.into(), file.clone(), "\r\n".into()]);
    }
    pieces.push(END.into());
    let request = Request::post("/repairs/new")
        .header(header::COOKIE, &who.cookie)
        .header(header::ORIGIN, "http://portal.test")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX")
        .body(Body::from_stream(futures::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>))))
        .unwrap();
    world.send(request).await
}

both! {
    async fn pictures_that_are_too_heavy_together_are_refused_and_nothing_is_booked_or_left_over(world: World) {
        let ann = world.customer("ann@example.com").await;
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await.to_string();
        let slot = slot(place, MORNING);
        let wish = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "It jams on Mondays"), ("slot", &slot), ("fee", "2900")];
        let picture = heavy_jpeg();
        // 42 megabytes: each picture is light enough, the third is too much.
        let page = upload_often(&world, &ann, &wish, &picture, 3).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("photos-fault") && page.body.contains("at most 40 megabytes"), "{}", page.body);
        // What came before is still there, as after every fault; what was too much is nowhere.
        assert!(page.body.contains("It jams on Mondays"));
        let kept = async || (world.count("select count(*) from photo where repair_id is null").await, files_in(&world));
        assert_eq!((page.body.matches("name=\"photo\" value=").count(), kept().await), (2, (2, 2)));
        // 126 megabytes: nobody reads to the end of that, but who sends it hears why.
        let page = upload_often(&world, &ann, &wish, &picture, 9).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("at most 40 megabytes"), "{}", page.body);
        assert_eq!(kept().await, (4, 4));
        assert_eq!(world.count("select count(*) from repair").await, 0);
        assert_eq!(world.count("select count(*) from slot_load where booked > 0").await, 0);
        world.advance(TimeDelta::hours(25));
        world.drain().await;
        assert_eq!(kept().await, (0, 0));
    }
}

/// A lossless WebP of 40 by 20 pixels whose camera noted that it is to be turned by a quarter, and where it was taken.
fn webp_of_a_camera() -> Vec<u8> {
    let mut plain = Vec::new();
    DynamicImage::new_rgb8(40, 20).write_to(&mut Cursor::new(&mut plain), ImageFormat::WebP).unwrap();
    let mut exif = b"MM\0*\0\0\0\x08".to_vec();
    exif.extend([0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
    exif.extend(b"Exif GPSSECRETPLACE.");
    let mut chunks = b"WEBPVP8X\x0A\0\0\0\x08\0\0\0\x27\0\0\x13\0\0".to_vec();
    chunks.extend(&plain[12..]);
    chunks.extend(b"EXIF");
    chunks.extend(u32::try_from(exif.len()).unwrap().to_le_bytes());
    chunks.extend(exif);
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(u32::try_from(chunks.len()).unwrap().to_le_bytes());
    bytes.extend(chunks);
    bytes
}

both! {
    async fn a_webp_is_taken_in_and_served_anew_without_what_the_camera_noted(world: World) {
        let ann = world.customer("ann@example.com").await;
        workshop(&world, 2).await;
        let item = goods(&world, &ann).await.to_string();
        let sent = webp_of_a_camera();
        let holds = |bytes: &[u8], noted: &[u8]| bytes.windows(noted.len()).any(|window| window == noted);
        let noted = ["Exif", "EXIF", "GPSSECRETPLACE", "WEBP"];
        assert!(noted.iter().all(|noted| holds(&sent, noted.as_bytes())));
        let fields = [("item", item.as_str()), ("mode", "bring_in"), ("do", "photos")];
        let reply = upload(&world, &ann, multipart(&fields, &[("a.webp", &sent)])).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        let mut tx = world.db().read().await.unwrap();
        let (id, width, height) =
            fetch_one!(tx, (aftercare::values::PhotoId, i64, i64), "select id, width, height from photo").unwrap();
        drop(tx);
        assert_eq!((width, height), (20, 40), "what the camera noted was understood");
        let shown = world.get(&ann, &format!("/photos/{id}")).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert_eq!(shown.headers.get(header::CONTENT_TYPE).unwrap(), "image/jpeg");
        assert!(shown.body.contains("JFIF"));
        for noted in noted {
            assert!(!shown.body.contains(noted), "{noted}");
        }
    }
}

both! {
    async fn the_ledgers_of_slots_agree_with_the_calendar(world: World) {
        let place = workshop(&world, 2).await;
        let mut tx = world.db().read().await.unwrap();
        let shop = hours::workshop(&mut tx, place).await.unwrap().unwrap();
        let now = world.app.clock.now();
        let (free, later) = hours::free(&mut tx, &shop, Service::Desk, now, None, 3, None).await.unwrap();
        assert_eq!(free.first().map(|slot| slot.starts_at), Some(instant("2026-12-01T13:00:00Z")));
        assert_eq!(later, "2026-12-04".parse().ok());
        assert!(free.iter().all(|slot| slot.left == 2));
        drop(tx);
        // A time that is not offered cannot be had by knowing its name.
        let ann = world.customer("ann@example.com").await;
        let item = goods(&world, &ann).await;
        for at in ["2026-12-01T10:00:00Z", "2026-12-05T09:00:00Z", "2026-12-08T09:00:00Z", "2026-12-03T12:00:00Z", "2026-12-03T09:30:00Z", "2027-03-01T09:00:00Z"] {
            let reply = book(&world, &ann, item, &slot(place, at)).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{at}");
        }
        assert_eq!(world.count("select count(*) from slot_load").await, 0);
    }
}

both! {
    async fn a_manager_sets_the_hours_and_customers_are_offered_what_follows(world: World) {
        let (ann, manager) = (world.customer("ann@example.com").await, world.staff(Role::Manager).await);
        let technician = world.staff(Role::Technician).await;
        let item = goods(&world, &ann).await.to_string();
        // Without a workshop there is nothing to book, and the page says so.
        let bare = [("item", item.as_str()), ("mode", "send_in"), ("fault", "Jams")];
        assert_eq!(world.post(&ann, "/repairs/new", &bare).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let path = "/desk/settings/workshops";
        assert_eq!(world.get(&technician, path).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.get(&ann, path).await.status, StatusCode::NOT_FOUND);
        let form = [
            ("name", "North"), ("address", "Mill Lane 3"), ("zone", "Europe/Madrid"), ("slot_minutes", "60"), ("lead_hours", "2"),
            ("horizon_days", "10"), ("desk_capacity", "1"), ("visit_capacity", "0"), ("notice_hours", "24"), ("quote_days", "7"),
            ("warranty_days", "180"), ("diagnosis_fee", "19,50"), ("visit_fee", "0"), ("desk_3", "10:00-12:00"), ("closed", "2026-12-09 Inventory"),
        ];
        let reply = world.post(&manager, path, &form).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        let page = world.get(&manager, reply.location()).await.body;
        assert!(page.contains("10:00-12:00") && page.contains("19.50") && page.contains("2026-12-09 Inventory"), "{page}");
        let offered = world.get(&ann, &format!("/repairs/new?item={item}&mode=bring_in")).await.body;
        // Wednesdays only, and not on the one that is closed.
        assert!(offered.contains(&instant("2026-12-02T09:00:00Z").timestamp().to_string()), "{offered}");
        assert!(!offered.contains(&instant("2026-12-09T09:00:00Z").timestamp().to_string()));
        let mut wrong = form;
        wrong[13] = ("desk_3", "noon");
        wrong[3] = ("slot_minutes", "0");
        let page = world.post(&manager, path, &wrong).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("desk_3-fault") && page.body.contains("slot_minutes-fault") && page.body.contains("noon"));
        assert_eq!(world.count("select count(*) from history where act = 'set_hours'").await, 1);
    }
}

both! {
    async fn nobody_pays_a_price_that_they_have_not_said_yes_to(world: World) {
        let ann = world.customer("ann@example.com").await;
        let place = workshop(&world, 9).await;
        let (bare, covered) = (goods(&world, &ann).await.to_string(), item_of(&world, ann.id, None, "goods", true).await.to_string());
        let slot = slot(place, MORNING);
        let wish = |item, fee: Option<&'static str>| {
            let mut form = vec![("item", item), ("mode", "bring_in"), ("fault", "Jams"), ("slot", slot.as_str())];
            form.extend(fee.map(|fee| ("fee", fee)));
            form
        };
        // Covered: there is nothing to agree to.
        assert_eq!(world.post(&ann, "/repairs/new", &wish(&covered, None)).await.status, StatusCode::SEE_OTHER);
        for (fee, said) in [(None, "agree to that price"), (Some(""), "agree to that price"), (Some("x"), "agree to that price"), (Some("2899"), "price has changed")] {
            let page = world.post(&ann, "/repairs/new", &wish(&bare, fee)).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{fee:?}");
            assert!(page.body.contains(said) && page.body.contains("29.00"), "{fee:?}: {}", page.body);
            assert!(page.body.contains("name=\"fee\" value=\"2900\"") && page.body.contains("Jams"), "{}", page.body);
        }
        assert_eq!(world.count("select count(*) from repair").await, 1);
        assert_eq!(world.post(&ann, "/repairs/new", &wish(&bare, Some("2900"))).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select fee_minor from repair where not covered").await, 2900);
    }
}

both! {
    async fn whoever_is_asked_for_a_yes_finds_all_that_was_entered(world: World) {
        let ann = world.customer("ann@example.com").await;
        let place = workshop(&world, 9).await;
        let item = goods(&world, &ann).await.to_string();
        // A time of a later page than the first.
        let time = slot(place, "2026-12-14T09:00:00Z");
        assert!(!world.get(&ann, &format!("/repairs/new?item={item}&mode=bring_in")).await.body.contains(&time));
        let fields = [("item", item.as_str()), ("mode", "bring_in"), ("fault", "It jams on Mondays"), ("slot", &time)];
        let page = upload(&world, &ann, multipart(&fields, &[("a.png", &png(8, 8))])).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("agree to that price") && page.body.contains("29.00"), "{}", page.body);
        let fields = page.body.split("<input").filter(|tag| tag.contains("checked")).collect::<String>();
        assert!(fields.contains(&format!("value=\"{time}\"")) && fields.contains("value=\"bring_in\""), "{}", page.body);
        assert!(page.body.contains("It jams on Mondays") && page.body.contains("name=\"photo\""), "{}", page.body);
        // The page as it stands books.
        let photo = page.body.split("name=\"photo\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let key = page.body.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let form = [("key", key.as_str()), ("fee", "2900"), ("item", &item), ("mode", "bring_in"), ("fault", "It jams on Mondays"), ("slot", &time), ("photo", &photo)];
        for _ in 0..2 {
            assert_eq!(world.post(&ann, "/repairs/new", &form).await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(world.count("select count(*) from repair where fee_minor = 2900").await, 1);
        assert_eq!(world.count("select count(*) from photo where repair_id is not null").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_repair_given_up_is_paid_back(world: World) {
        let ann = world.customer("ann@example.com").await;
        let (technician, agent) = (world.staff(Role::Technician).await, world.staff(Role::Agent).await);
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        let t = &technician;
        moved(&world, t, &address, "receive", &[]).await;
        moved(&world, t, &address, "diagnose", &[("words", "The fuser is worn")]).await;
        moved(&world, t, &address, "quote", &LINES).await;
        let quote = quote_id(&world).await;
        assert_eq!(world.post(&ann, &address, &[("do", "accept"), ("quote", &quote)]).await.status, StatusCode::SEE_OTHER);
        let mut tx = world.db().read().await.unwrap();
        let charges = fetch_all!(tx, (uuid::Uuid, String), "select id, entity from charge").unwrap();
        drop(tx);
        for (id, _) in &charges {
            let paid = [("charge", id.to_string()), ("outcome", "paid".to_owned())];
            let paid: Vec<(&str, &str)> = paid.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(world.post(&agent, "/desk/charges", &paid).await.status, StatusCode::SEE_OTHER);
        }
        moved(&world, t, &address, "start", &[]).await;
        moved(&world, t, &address, "give_up", &[("words", "The board broke")]).await;
        // The look at it was done; the work was not.
        assert_eq!(world.count("select count(*) from refund").await, 1);
        assert_eq!(world.count("select amount_minor from charge c join refund b on b.charge_id = c.id").await, 8990);
        let page = world.get(&ann, "/account/charges").await.body;
        let rma = address.rsplit('/').next().unwrap();
        assert!(page.contains("To be paid back") && page.matches(rma).count() == 2, "{page}");
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.corrupt("delete from refund").await;
        assert_eq!(world.broken().await, ["paid_for_what_does_not_happen"]);
    }
}

both! {
    async fn the_warranty_on_a_repair_is_as_long_as_the_workshop_says(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let item = item_of(&world, ann.id, None, "goods", true).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        moved(&world, &technician, &address, "receive", &[]).await;
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        for verb in ["start", "finish", "make_ready", "hand_back"] {
            moved(&world, &technician, &address, verb, &[]).await;
        }
        // Thirty days: the first of December is handed back, the thirty-first is the last that is covered.
        assert_eq!(world.count("select count(*) from coverage where kind = 'repair_warranty' and starts_on = '2026-12-01' and ends_on = '2027-01-01'").await, 1);
    }
}

both! {
    /// The last day of the guarantee is 15 January: what counts is when the repair was chosen, not when it was done.
    async fn a_repair_that_was_chosen_in_time_prolongs_the_guarantee_however_long_it_takes(world: World) {
        let technician = world.staff(Role::Technician).await;
        workshop(&world, 2).await;
        sold::sell(&world, &["A1,1,2025-01-10,2025-01-15,ann@example.com,LT,,P1,Printer,goods,S-1,1,199.00,EUR,,"]).await;
        let ann = world.customer("ann@example.com").await;
        world.advance(TimeDelta::days(40));
        let item = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from item").unwrap().unwrap();
        let address = sent_in(&world, &ann, &technician, ItemId(item), "0").await;
        assert_eq!(world.count("select count(*) from coverage where kind = 'legal_guarantee' and ends_on = '2027-01-16'").await, 1);
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        world.advance(TimeDelta::days(18));
        for verb in ["start", "finish", "make_ready", "hand_back"] {
            moved(&world, &technician, &address, verb, &[]).await;
        }
        assert_eq!(
            world.count("select count(*) from coverage where kind = 'legal_guarantee' and ends_on = '2028-01-16' and prolonged_on = '2027-01-28'").await,
            1
        );
        let page = world.get(&ann, &format!("/repairs/new?item={item}&mode=send_in")).await.body;
        assert!(page.contains("until 15 January 2028") && page.contains("12 months more because it was repaired under it"), "{page}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_fault_that_comes_back_while_the_work_is_warranted_costs_nothing(world: World) {
        let ann = world.customer("ann@example.com").await;
        let t = &world.staff(Role::Technician).await;
        workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let mended = sent_in(&world, &ann, t, item, "2900").await;
        moved(&world, t, &mended, "diagnose", &[("words", "The fuser is worn")]).await;
        moved(&world, t, &mended, "quote", &LINES).await;
        let quote = quote_id(&world).await;
        assert_eq!(world.post(&ann, &mended, &[("do", "accept"), ("quote", &quote)]).await.status, StatusCode::SEE_OTHER);
        for verb in ["start", "finish", "make_ready", "hand_back"] {
            moved(&world, t, &mended, verb, &[]).await;
        }
        let rma = mended.rsplit('/').next().unwrap();
        world.advance(TimeDelta::days(10));
        let id = item.to_string();
        let first = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from repair").unwrap().unwrap();
        let (yes, no) = (first.simple().to_string(), format!("no~{id}"));
        let address = format!("/repairs/new?item={id}&mode=send_in");
        let page = world.get(&ann, &address).await.body;
        for text in ["Has the same fault come back?", &format!("Yes, as in repair {rma}"), "until 31 December 2026", "€29.00"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        // Saying so changes the price, and is not forgotten on the way.
        let page = world.get(&ann, &format!("{address}&same_fault={yes}")).await.body;
        assert!(page.contains("You pay nothing for this repair") && !page.contains("€29.00"), "{page}");
        let base = [("item", id.as_str()), ("mode", "send_in"), ("fault", "It jams again")];
        let aside = world.post(&ann, "/repairs/new", &[&base[..], &[("same_fault", &yes), ("do", "times")]].concat()).await;
        assert!(aside.location().contains(&format!("same_fault={yes}")), "{}", aside.location());
        let form = async |more: &[(&str, &str)]| world.post(&ann, "/repairs/new", &[&base[..], more].concat()).await;
        let silent = form(&[("fee", "2900")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(silent.body.contains("href=\"#same_fault\"") && silent.body.contains("It jams again"), "{}", silent.body);
        let nonsense = form(&[("fee", "2900"), ("same_fault", "perhaps")]).await;
        assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Another fault has its price.
        let another = form(&[("fee", "0"), ("same_fault", &no)]).await;
        assert_eq!(another.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(another.body.contains("€29.00"), "{}", another.body);
        assert_eq!(form(&[("fee", "2900"), ("same_fault", &no)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from repair where not covered and fee_minor = 2900 and same_as is null").await, 2);
        let same = form(&[("fee", "0"), ("same_fault", &yes)]).await;
        assert_eq!(same.status, StatusCode::SEE_OTHER, "{}", same.body);
        let again = same.location().to_owned();
        assert_eq!(world.count("select count(*) from repair where covered and fee_minor = 0 and same_as is not null").await, 1);
        assert!(world.get(t, &format!("/desk{again}")).await.body.contains(&format!("/desk/repairs/{rma}")));
        moved(&world, t, &again, "receive", &[]).await;
        moved(&world, t, &again, "diagnose", &[("words", "It is the display this time")]).await;
        assert_eq!(world.count("select count(*) from charge where reason = 'diagnosis'").await, 1, "of the first repair");
        // The diagnosis may be that it is another fault: then it has a price, which is accepted or not.
        moved(&world, t, &again, "quote", &LINES).await;
        let quote = quote_id(&world).await;
        assert_eq!(world.post(&ann, &again, &[("do", "accept"), ("quote", &quote)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from charge where reason = 'repair' and state = 'due'").await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // On the first day after the warranty nothing is asked, and what was said pays for nothing.
        world.advance(TimeDelta::days(21));
        let page = world.get(&ann, &format!("{address}&same_fault={yes}")).await.body;
        assert!(!page.contains("Has the same fault come back?") && page.contains("€29.00"), "{page}");
        let late = form(&[("fee", "0"), ("same_fault", &yes)]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

both! {
    async fn who_has_a_thing_from_somebody_else_does_not_read_the_numbers_of_their_repairs(world: World) {
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        let technician = world.staff(Role::Technician).await;
        workshop(&world, 2).await;
        let address = priced(&world, &ann, &technician).await;
        let quote = quote_id(&world).await;
        assert_eq!(world.post(&ann, &address, &[("do", "accept"), ("quote", &quote)]).await.status, StatusCode::SEE_OTHER);
        for verb in ["start", "finish", "make_ready", "hand_back"] {
            moved(&world, &technician, &address, verb, &[]).await;
        }
        let rma = address.rsplit('/').next().unwrap();
        let item = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select item_id from repair").unwrap().unwrap();
        let page = async |who: &Signed| world.get(who, &format!("/repairs/new?item={item}&mode=send_in")).await.body;
        assert!(page(&ann).await.contains(&format!("Yes, as in repair {rma}")));
        world.corrupt("update item set owner_id = (select id from person where email = 'ben@example.com')").await;
        let his = page(&ben).await;
        assert!(his.contains("Yes, as in the repair finished on 1 December 2026") && !his.contains("RMA-"), "{his}");
    }
}

both! {
    async fn what_the_makers_warranty_covers_is_not_asked_about(world: World) {
        let (ann, technician) = (world.customer("ann@example.com").await, world.staff(Role::Technician).await);
        workshop(&world, 2).await;
        let address = mended(&world, &ann, &technician).await;
        handed_back(&world, &technician, &address).await;
        let item = fetch_scalar!(world.db().read().await.unwrap(), Uuid, "select id from item").unwrap().unwrap();
        let page = world.get(&ann, &format!("/repairs/new?item={item}&mode=send_in")).await.body;
        assert!(page.contains("You pay nothing") && !page.contains("Has the same fault come back?"), "{page}");
    }
}

both! {
    async fn of_two_who_set_the_hours_the_second_sees_what_the_first_did(world: World) {
        let manager = world.staff(Role::Manager).await;
        let place = workshop(&world, 2).await;
        let path = "/desk/settings/workshops";
        let page = world.get(&manager, &format!("{path}?id={place}")).await.body;
        let version = page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let id = place.to_string();
        let form = |version, name, desk| {
            [
                ("id", id.as_str()), ("version", version), ("name", name), ("address", "Mill Lane 3"), ("zone", "Europe/Madrid"),
                ("slot_minutes", "60"), ("lead_hours", "2"), ("horizon_days", "10"), ("desk_capacity", "1"), ("visit_capacity", "0"),
                ("notice_hours", "24"), ("quote_days", "7"), ("warranty_days", "45"), ("diagnosis_fee", "1 019,50"), ("visit_fee", "0"), ("desk_3", desk),
            ]
        };
        let first = world.post(&manager, path, &form(version.as_str(), "North", "10:00-12:00")).await;
        assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.body);
        for stale in [version.as_str(), "", "x"] {
            let second = world.post(&manager, path, &form(stale, "South", "08:00-12:00")).await;
            assert_eq!(second.status, StatusCode::UNPROCESSABLE_ENTITY);
            for seen in ["Somebody changed this", "South", "Now saved: North", "08:00-12:00", "Now saved: 10:00-12:00"] {
                assert!(second.body.contains(seen), "{seen}: {}", second.body);
            }
            assert!(!second.body.contains("Now saved: Mill Lane 3"), "what is alike needs no word");
        }
        assert_eq!(world.count("select count(*) from workshop where name = 'North' and warranty_days = 45 and diagnosis_fee_minor = 101950").await, 1);
        // Knowing of it, the second may save over it.
        let page = world.post(&manager, path, &form(version.as_str(), "South", "")).await.body;
        let told = page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(world.post(&manager, path, &form(told.as_str(), "South", "08:00-12:00")).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from history where act = 'set_hours'").await, 2);
    }
}

/// A statement that no rule would allow, and the clause that names what it did.
const CORRUPTIONS: &[(&str, &str)] = &[
    ("slot_load_differs_from_appointments", "update slot_load set booked = 0"),
    ("slot_over_capacity", "update slot_load set booked = 0, capacity = 0"),
    ("workshop_over_capacity", "update appointment set ends_at = (select max(ends_at) from appointment)"),
    ("appointment_without_slot", "delete from slot_load"),
    ("repair_without_next_step", "update repair set next_due = null"),
    ("repair_without_owner", "update repair set technician_id = null"),
    ("ended_repair_with_next_step", "update repair set state = 'closed'"),
    ("repair_begun_without_coverage_or_accepted_quote", "update repair set state = 'in_repair'"),
    ("impossible_transition", "update history set from_state = 'closed' where entity = 'repair'"),
    ("repair_state_unexplained", "update repair set state = 'received'"),
    ("quote_without_end", "delete from job where kind = 'lapse_quote'"),
    ("quote_total_differs_from_lines", "update quote set total_minor = 1"),
    ("charge_above_accepted_quote", "update charge set amount_minor = 999999 where entity = 'quote'"),
    ("charge_above_diagnosis_fee", "update charge set amount_minor = 999999 where entity = 'repair'"),
    ("photo_without_size", "update photo set sha256 = 'x'"),
    (
        "technician_at_two_visits",
        "update appointment set service = 'visit', technician_id = (select id from person where staff limit 1), ends_at = (select max(ends_at) from appointment), state = 'booked'",
    ),
    ("booked_repair_without_its_appointment", "update repair set appointment_at = created_at"),
    ("appointment_of_no_booked_repair", "update repair set state = 'cancelled'"),
    ("accepted_quote_without_charge", "delete from charge where entity = 'quote'"),
    ("repair_history_with_a_gap", "update history set from_state = 'requested' where entity = 'repair'"),
    ("visit_without_its_time", "delete from busy where entity = 'repair'"),
    ("repair_without_its_reservation", "update benefit_entry set settled_as = 'used' where kind = 'reserve'"),
];

both! {
    async fn check_names_whatever_breaks_a_promise_about_repairs(world: World) {
        assert_eq!(CORRUPTIONS.len(), CLAUSES.len());
        let name_of = |clause: &aftercare::cli::Clause| CORRUPTIONS.iter().any(|(name, _)| *name == clause.name);
        assert!(CLAUSES.iter().all(name_of));
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        for (n, (name, sql)) in CORRUPTIONS.iter().enumerate() {
            let ann = world.customer(&format!("c{n}@example.com")).await;
            let quoted = name.contains("quote") || name.contains("charge");
            let item = goods(&world, &ann).await;
            let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
            if *name == "visit_without_its_time" {
                visited(&world, &ann, &slot(place, LATER)).await;
            }
            if *name == "repair_without_its_reservation" {
                sold::sell(&world, &[&under_a_plan("care-6").replace("ann@example.com", &format!("c{n}@example.com"))]).await;
                let mut tx = world.db().read().await.unwrap();
                let item = fetch_scalar!(tx, ItemId, "select item_id from benefit where allowance = 'repair'").unwrap().unwrap();
                drop(tx);
                sent_in(&world, &ann, &technician, item, "0").await;
            }
            if *name == "photo_without_size" {
                let fields = [("do", "photos")];
                upload(&world, &ann, multipart(&fields, &[("a.png", &png(8, 8))])).await;
            }
            if *name == "workshop_over_capacity" {
                for at in [MORNING, LATER] {
                    let other = goods(&world, &ann).await;
                    booked(&world, &ann, other, &slot(place, at)).await;
                }
            }
            if *name == "technician_at_two_visits" {
                let other = goods(&world, &ann).await;
                booked(&world, &ann, other, &slot(place, MORNING)).await;
            }
            if quoted && *name != "repair_begun_without_coverage_or_accepted_quote" {
                moved(&world, &technician, &address, "receive", &[]).await;
                moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
                moved(&world, &technician, &address, "quote", &LINES).await;
                if *name != "quote_without_end" {
                    let quote = quote_id(&world).await;
                    world.post(&ann, &address, &[("do", "accept"), ("quote", &quote)]).await;
                }
            }
            assert!(world.broken().await.is_empty(), "{name}: {:?}", world.broken().await);
            world.corrupt(sql).await;
            assert!(world.broken().await.iter().any(|broken| broken == name), "{name}");
            // The next one starts from nothing.
            for table in ["delete from repair_event", "delete from repair_work", "delete from quote_line", "delete from refund", "delete from charge", "delete from quote", "delete from appointment", "delete from photo", "delete from history where entity <> 'person'", "delete from repair", "delete from slot_load", "delete from job", "update message set sent_at = created_at"] {
                world.corrupt(table).await;
            }
        }
    }
}

both! {
    async fn a_quote_is_tied_to_the_job_that_ends_it(world: World) {
        let technician = world.staff(Role::Technician).await;
        workshop(&world, 2).await;
        for name in ["ann", "ben"] {
            let who = world.customer(&format!("{name}@example.com")).await;
            priced(&world, &who, &technician).await;
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
        assert_eq!(world.count("select count(distinct run_at) from job where kind = 'lapse_quote'").await, 1, "both end at once");
        let mut tx = world.db().read().await.unwrap();
        let (job, payload) = fetch_one!(tx, (Uuid, String), "select id, payload from job where kind = 'lapse_quote' limit 1").unwrap();
        drop(tx);
        let named = async || {
            let broken = aftercare::cli::check(&world.app).await.unwrap();
            broken.into_iter().map(|row| (row.name, row.id)).collect::<Vec<_>>()
        };
        let quote: Uuid = serde_json::from_str::<serde_json::Value>(&payload).unwrap()["quote"].as_str().unwrap().parse().unwrap();
        for sql in ["update job set done_at = created_at where id = $1", "delete from job where id = $1"] {
            world.db().write(move |tx| Box::pin(async move { Ok(execute!(tx, sql, job)?) })).await.unwrap();
            assert_eq!(named().await, [("quote_without_end", quote)], "the other's job does not end this one");
        }
    }
}

both! {
    async fn every_act_on_a_repair_has_one_line_of_history(world: World) {
        let ann = world.customer("ann@example.com").await;
        let technician = world.staff(Role::Technician).await;
        let place = workshop(&world, 2).await;
        let item = goods(&world, &ann).await;
        let address = booked(&world, &ann, item, &slot(place, MORNING)).await;
        let acts = async || {
            let mut tx = world.db().read().await.unwrap();
            let rows = fetch_all!(tx, (String,), "select act from history where entity = 'repair' order by at, id").unwrap();
            rows.into_iter().map(|(act,)| act).collect::<Vec<_>>()
        };
        assert_eq!(acts().await, ["book_repair"]);
        let friday = slot(place, "2026-12-04T09:00:00Z");
        world.post(&ann, &address, &[("do", "move"), ("slot", &friday)]).await;
        moved(&world, &technician, &address, "receive", &[]).await;
        moved(&world, &technician, &address, "diagnose", &[("words", "Worn")]).await;
        moved(&world, &technician, &address, "give_up", &[("words", "No parts any more")]).await;
        assert_eq!(acts().await, ["book_repair", "move_repair", "receive_repair", "diagnose_repair", "give_up_repair"]);
        assert_eq!(state(&world).await, "not_repairable");
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
    }
}

#[test]
fn a_stranger_may_do_nothing_to_a_repair() {
    let viewer = Viewer::Link { act: Act::Rate, person: PersonId(Uuid::from_u128(1)) };
    let subject = Subject::of(PersonId(Uuid::from_u128(2)));
    assert!(!viewer.can(Act::ReadRepair, &subject) && !Viewer::Guest.can(Act::BookRepair, &subject));
}

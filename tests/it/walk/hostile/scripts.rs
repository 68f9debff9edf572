//! Scripts in whatever can be typed: answered and shown as text.

use super::{
    super::{
        Who, demo,
        table::{DOORS, Rule},
        text,
        things::Things,
    },
    posts, welcome,
};
use crate::world::Reply;
use aftercare::access::Role;
use axum::http::StatusCode;

const SCRIPT: &str = "\"'></textarea><script>alert(1)</script>";

fn runs(reply: &Reply) -> bool {
    let html = reply.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    html && reply.body.contains("<script>alert(1)")
}

/// Every field that any form of the portal has.
const FIELDS: [&str; 49] = [
    "about",
    "advance",
    "as",
    "back",
    "charge",
    "code",
    "decision",
    "do",
    "due",
    "email",
    "entity",
    "fault",
    "from",
    "id",
    "item",
    "key",
    "kind",
    "label",
    "label_1",
    "language",
    "mode",
    "name",
    "next",
    "order_number",
    "outcome",
    "owner",
    "phone",
    "photo",
    "place",
    "proof",
    "purchased_on",
    "quantity",
    "quote",
    "registration",
    "score",
    "serial_number",
    "words",
    "zone",
    "act",
    "title",
    "summary",
    "why",
    "session",
    "enrolment",
    "mark",
    "date_1",
    "link",
    "products",
    "version",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_in_every_field_comes_back_as_text() {
    let world = demo().await;
    let things = Things::of(&world).await;
    for door in posts() {
        let signed = welcome(door.post).enter(&world).await;
        let (address, form) = (things.address(door.path), things.form(door.path));
        let all: Vec<(&str, &str)> = FIELDS.iter().map(|field| (*field, SCRIPT)).collect();
        let reply = world.post(&signed, &address, &all).await;
        assert!(!runs(&reply) && !reply.status.is_server_error(), "POST {address}: {}", reply.status);
        for (field, _) in &form {
            let one: Vec<(&str, &str)> =
                form.iter().map(|(name, value)| (*name, if name == field { SCRIPT } else { *value })).collect();
            let reply = world.post(&signed, &address, &one).await;
            assert!(!runs(&reply) && !reply.status.is_server_error(), "POST {address} {field}: {}", reply.status);
        }
    }
    for door in DOORS.iter().filter(|door| door.get != Rule::None) {
        let address = things.address(door.path);
        for (who, field) in [(Who::Customer, "q"), (Who::Staff(Role::Manager), "from"), (Who::Guest, "next")] {
            let signed = who.enter(&world).await;
            let script: String = url::form_urlencoded::byte_serialize(SCRIPT.as_bytes()).collect();
            let query = ["after", "queue", "state", "covered", "about", "kind", "score", "item", "mode", "move", field]
                .map(|name| format!("{name}={script}"))
                .join("&");
            let reply = world.get(&signed, &format!("{address}?{query}")).await;
            assert!(!runs(&reply) && !reply.status.is_server_error(), "GET {address} as {who:?}: {}", reply.status);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_that_was_kept_is_shown_as_text_to_everybody_who_reads_it() {
    let world = demo().await;
    let things = Things::of(&world).await;
    let item = "select lower(hex(i.id)) from item i join purchase p on p.id = i.purchase_id join person o on o.id = i.owner_id \
        where o.email = 'customer@example.com' and p.kind = 'goods' and p.delivered_on < '2026-11-01'";
    let item = text(&world, item).await;
    let version =
        text(&world, "select cast(version as text) from repair where state = 'diagnosed' order by id limit 1").await;
    let rma = text(&world, "select 'RMA-' || rma from repair where state = 'diagnosed' order by id limit 1").await;
    let rate = "select link from message where link like '%/rate/%' and email = 'customer@example.com'";
    let rate = text(&world, rate).await.replace("http://portal.test", "");
    let account = text(&world, "select cast(version as text) from person where email = 'customer@example.com'").await;
    let class =
        text(&world, "select cast(version as text) from class where state = 'open' order by starts_at limit 1").await;
    let (customer, manager) = (Who::Customer, Who::Staff(Role::Manager));
    let case = things.address("/cases/{id}");
    for (who, path, form) in [
        (customer, "/account", vec![("name", SCRIPT), ("phone", "<script>alert(1)</script>"), ("version", &account)]),
        (customer, "/purchases/register", vec![("serial_number", SCRIPT), ("proof", SCRIPT)]),
        (customer, "/cases/new", vec![("kind", "claim"), ("subject", SCRIPT), ("words", SCRIPT)]),
        (customer, &case, vec![("words", SCRIPT)]),
        (customer, "/repairs/new", vec![("item", &item), ("mode", "send_in"), ("fault", SCRIPT)]),
        (Who::Guest, &rate, vec![("score", "1"), ("words", SCRIPT)]),
        (manager, &format!("/desk{case}"), vec![("do", "ask"), ("words", SCRIPT)]),
        (manager, &things.address("/desk/customers/{id}"), vec![("due", "1"), ("what", SCRIPT)]),
        (
            manager,
            "/desk/courses/new",
            vec![("title", SCRIPT), ("summary", SCRIPT), ("language", "en"), ("pass_percent", "1")],
        ),
        (
            manager,
            &things.address("/desk/classes/{class}/edit"),
            vec![
                ("version", &class),
                ("title", SCRIPT),
                ("link", "https://meet.example.com/<script>alert(1)</script>"),
                ("capacity", "12"),
                ("price", "1"),
                ("cut_off_hours", "48"),
            ],
        ),
        (
            manager,
            &format!("/desk/repairs/{rma}"),
            vec![
                ("do", "quote"),
                ("version", &version),
                ("label_1", SCRIPT),
                ("quantity_1", "1"),
                ("unit_price_1", "1.00"),
                ("words", SCRIPT),
            ],
        ),
    ] {
        let signed = who.enter(&world).await;
        let reply = world.post(&signed, path, &form).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{path} {form:?}: {}", reply.body);
    }
    let booked =
        text(&world, "select '/repairs/RMA-' || rma from repair order by created_at desc, id desc limit 1").await;
    let opened =
        text(&world, "select lower(hex(id)) from care_case where kind = 'claim' order by opened_at desc limit 1").await;
    let more = [
        booked.clone(),
        format!("/desk{booked}"),
        format!("/cases/{opened}"),
        format!("/desk/cases/{opened}"),
        format!("/desk/repairs/{rma}"),
        rate,
    ];
    let mut shown = 0;
    for who in [customer, manager] {
        let signed = who.enter(&world).await;
        let doors = DOORS.iter().filter(|door| door.get != Rule::None).map(|door| things.address(door.path));
        for address in doors.chain(more.iter().cloned()) {
            let reply = world.get(&signed, &address).await;
            assert!(!runs(&reply) && !reply.status.is_server_error(), "{address} as {who:?}");
            shown += usize::from(reply.body.contains("&lt;script&gt;alert(1)"));
        }
    }
    assert!(shown >= 15, "the walk saw only {shown} pages with what was kept");
}

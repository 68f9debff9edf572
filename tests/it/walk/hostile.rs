//! What hostile people send: scripts, floods, forged fields, broken encodings. Nothing of it may run, stay, or hurt.

use super::{
    Who, demo, found,
    table::{DOORS, Door, Rule},
    text,
    things::{Things, multipart},
};
use crate::{
    both,
    world::{Reply, Signed, World},
};
use aftercare::access::Role;
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};

const SCRIPT: &str = "\"'></textarea><script>alert(1)</script>";

fn runs(reply: &Reply) -> bool {
    reply.body.contains("<script>alert(1)")
}

/// Somebody for whom the door opens.
fn welcome(rule: Rule) -> Who {
    match rule {
        Rule::Desk(_) => Who::Staff(Role::Manager),
        Rule::Public | Rule::Secret => Who::Guest,
        _ => Who::Customer,
    }
}

fn posts() -> impl Iterator<Item = &'static Door> {
    DOORS.iter().filter(|door| door.post != Rule::None)
}

async fn post_raw(world: &World, signed: &Option<Signed>, path: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(path)
        .header(header::COOKIE, signed.as_ref().map(|signed| signed.cookie.as_str()).unwrap_or_default())
        .header(header::ORIGIN, "http://portal.test")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.into())
        .unwrap();
    world.send(request).await
}

/// Every field that any form of the portal has.
const FIELDS: [&str; 38] = [
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

/// These doors read nothing of what is posted.
const WITHOUT_A_FORM: [&str; 3] = ["/sign-out", "/sign-in/link/{token}", "/account/sessions/{id}/end"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_a_megabyte_is_refused() {
    let world = demo().await;
    let things = Things::of(&world).await;
    for door in posts().filter(|door| !WITHOUT_A_FORM.contains(&door.path) && door.path != "/rpc/{*name}") {
        let signed = welcome(door.post).enter(&world).await;
        let address = things.address(door.path);
        for name in ["words", "do", "fault"] {
            let reply = post_raw(&world, &signed, &address, format!("{name}={}", "a".repeat(1 << 20))).await;
            assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "POST {address}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_of_very_many_small_parts_is_refused() {
    let world = demo().await;
    let customer = Who::Customer.enter(&world).await.unwrap();
    let part = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n";
    let body = format!("{}--b--\r\n", part.repeat(5000));
    let reply = world.send(multipart(&customer.cookie, "multipart/form-data; boundary=b", body.into())).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_post_of_pictures_is_the_senders_fault() {
    let world = demo().await;
    let customer = Who::Customer.enter(&world).await.unwrap();
    let part = "Content-Disposition: form-data; name=\"photos\"; filename=\"a.png\"\r\n\r\n";
    for (kind, body) in [
        ("multipart/form-data", String::new()),
        ("multipart/form-data; boundary=", "--\r\n".to_owned()),
        ("multipart/form-data; boundary=b", String::new()),
        ("multipart/form-data; boundary=b", "no boundary at all".to_owned()),
        ("multipart/form-data; boundary=b", "--b\r\n".to_owned()),
        ("multipart/form-data; boundary=b", format!("--b\r\n{part}cut off")),
        ("multipart/form-data; boundary=b", format!("--b\r\n{part}no picture\r\n--b--\r\n")),
        ("multipart/form-data; boundary=b", format!("--b\r\n{}\r\n\r\n\r\n--b--\r\n", "X: y\r\n".repeat(500))),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n".to_owned()),
    ] {
        let reply = world.send(multipart(&customer.cookie, kind, body.clone().into())).await;
        assert!(reply.status.is_client_error(), "{kind} {body:?}: {}", reply.status);
    }
    assert_eq!(found(&world, "select lower(hex(id)) from photo").await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_that_a_form_does_not_have_change_nothing() {
    let world = demo().await;
    let customer = Who::Customer.enter(&world).await.unwrap();
    let other = text(&world, "select lower(hex(id)) from person where email = 'amelia.hughes@example.org'").await;
    let row = "select name || email || staff || coalesce((select group_concat(role) from person_role where person_id = id), '') \
        from person where email = 'customer@example.com'";
    let version = text(&world, "select cast(version as text) from person where email = 'customer@example.com'").await;
    let forged = [
        ("id", other.as_str()),
        ("person", &other),
        ("person_id", &other),
        ("customer", &other),
        ("customer_id", &other),
        ("owner", &other),
        ("role", "admin"),
        ("roles", "admin"),
        ("staff", "true"),
        ("email", "mallory@example.com"),
        ("state", "paid"),
        ("amount", "1"),
        ("price", "1"),
        ("total_minor", "1"),
        ("priority", "urgent"),
    ];
    let post = async |path: &str, form: &[(&str, &str)]| {
        let form: Vec<(&str, &str)> = form.iter().chain(&forged).copied().collect();
        world.post(&customer, path, &form).await
    };
    // Who one is.
    assert_eq!(post("/account", &[("name", "Carla"), ("version", &version)]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(text(&world, row).await, "Carlacustomer@example.com0");
    // An old version, or none, is refused.
    for version in [version.as_str(), "", "-1", "99999999999999999999"] {
        let reply = post("/account", &[("name", "Twice"), ("version", version)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{version}");
    }
    // Whose case it is.
    let reply = post("/cases/new", &[("kind", "question"), ("subject", "Mine"), ("words", "Whose?")]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let case =
        "select p.email || c.priority from care_case c join person p on p.id = c.customer_id where c.subject = 'Mine'";
    assert_eq!(text(&world, case).await, "customer@example.comnormal");
    // What a repair costs and whose it is: what is not covered any more costs the fee, whatever the form says.
    let item = "select lower(hex(i.id)) from item i join purchase p on p.id = i.purchase_id join person o on o.id = i.owner_id \
        where o.email = 'customer@example.com' and p.kind = 'goods' order by p.purchased_on limit 1";
    let item = text(&world, item).await;
    let mut closed = super::digest::connect(&world).await;
    sqlx::query("update coverage set starts_on = '2020-01-01', ends_on = '2020-02-01'")
        .execute(&mut closed)
        .await
        .unwrap();
    let wish = [("item", item.as_str()), ("mode", "send_in"), ("fault", "It smokes.")];
    let cheap = post("/repairs/new", &[&wish[..], &[("fee", "-1")]].concat()).await;
    let fee = "select cast(fee_minor as text) || p.email from repair r join person p on p.id = r.person_id where fault = 'It smokes.'";
    let real = text(&world, "select cast(diagnosis_fee_minor as text) from workshop").await;
    if cheap.status == StatusCode::SEE_OTHER {
        assert_eq!(text(&world, fee).await, "0customer@example.com", "who sends it in pays nothing for looking");
    } else {
        assert_eq!(cheap.status, StatusCode::UNPROCESSABLE_ENTITY);
        let dear = post("/repairs/new", &[&wish[..], &[("fee", "999999")]].concat()).await;
        assert_eq!(dear.status, StatusCode::SEE_OTHER);
        assert_eq!(text(&world, fee).await, format!("{real}customer@example.com"));
    }
    // What is owed by a quote is its total.
    let quoted = "select 'RMA-' || r.rma from repair r join person p on p.id = r.person_id where r.state = 'quoted' \
        and p.email = 'customer@example.com'";
    let quoted = text(&world, quoted).await;
    let quote = format!(
        "select lower(hex(q.id)) from quote q join repair r on r.id = q.repair_id where q.state = 'sent' and 'RMA-' || r.rma = '{quoted}'"
    );
    let quote = text(&world, &quote).await;
    let accepted = post(&format!("/repairs/{quoted}"), &[("do", "accept"), ("quote", &quote)]).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER);
    let owed = format!(
        "select cast(c.amount_minor = q.total_minor as text) from charge c join quote q on q.id = c.entity_id where hex(q.id) = upper('{quote}')"
    );
    assert_eq!(text(&world, &owed).await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_and_days_beyond_all_measure_are_faults_of_their_field() {
    let world = demo().await;
    let (technician, agent) = (world.signed("technician@example.com").await, world.signed("agent@example.com").await);
    let customer = world.signed("customer@example.com").await;
    let item = "select lower(hex(i.id)) from item i join purchase p on p.id = i.purchase_id join person o on o.id = i.owner_id \
        where o.email = 'customer@example.com' and p.kind = 'goods' and p.delivered_on < '2026-11-01'";
    let item = text(&world, item).await;
    let job = async |state: &str| {
        let rma =
            text(&world, &format!("select 'RMA-' || rma from repair where state = '{state}' order by id limit 1"))
                .await;
        let version = text(
            &world,
            &format!("select cast(version as text) from repair where state = '{state}' order by id limit 1"),
        )
        .await;
        (format!("/desk/repairs/{rma}"), version)
    };
    let workshop = text(&world, "select lower(hex(id)) from workshop").await;
    let claim = text(&world, "select lower(hex(id)) from registration where state = 'open'").await;
    let ((diagnosed, v1), (mending, v2), (booked, v3)) =
        (job("diagnosed").await, job("in_repair").await, job("booked").await);
    for day in
        ["+262142-12-31", "-262143-01-01", "-0001-01-01", "99999-01-01", "9999-12-31", "0000-00-00", "2026-12-32"]
    {
        let encoded = day.replace('+', "%2B");
        let page = world.get(&customer, &format!("/repairs/new?item={item}&mode=bring_in&from={encoded}")).await;
        assert_eq!(page.status, StatusCode::OK, "from {day}");
        for (who, path, form) in [
            (
                &technician,
                &diagnosed,
                vec![("do", "quote"), ("version", &*v1), ("label_1", "x"), ("unit_price_1", "1"), ("valid_until", day)],
            ),
            (&technician, &mending, vec![("do", "wait_for_parts"), ("version", &v2), ("parts_due", day)]),
            (
                &agent,
                &"/desk/registrations".to_owned(),
                vec![("registration", &claim), ("decision", "accept"), ("sku", "SEWING-21"), ("purchased_on", day)],
            ),
        ] {
            let reply = world.post(who, path, &form).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {day}: {}", reply.location());
        }
    }
    for seconds in ["9223372036854775807", "-9223372036854775808", "8210266876799", "-8334601228800", "0", "1e9"] {
        let slot = format!("{workshop}~{seconds}");
        let form = [("do", "move"), ("version", &*v3), ("slot", &slot)];
        assert_eq!(world.post(&technician, &booked, &form).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{slot}");
        let form = [("item", &*item), ("mode", "bring_in"), ("fault", "x"), ("slot", &slot)];
        assert_eq!(
            world.post(&customer, "/repairs/new", &form).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{slot}"
        );
    }
    for (quantity, price) in
        [("9223372036854775807", "1"), ("9999", "92233720368547758.07"), ("-1", "1"), ("1", "-1"), ("1", "1e400")]
    {
        let form =
            [("do", "quote"), ("version", &*v1), ("label_1", "x"), ("quantity_1", quantity), ("unit_price_1", price)];
        assert_eq!(
            world.post(&technician, &diagnosed, &form).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{quantity} {price}"
        );
    }
    // The demo's clock stays within what a calendar holds.
    for _ in 0..40 {
        let reply = world.post(None, "/demo/clock", &[("advance", "P3660D")]).await;
        assert!(!reply.status.is_server_error(), "{}", reply.body);
    }
    assert_eq!(world.get(&customer, "/repairs").await.status, StatusCode::OK);
}

/// Lists, with the names of their cursors.
const LISTS: [&str; 13] = [
    "/purchases?after=",
    "/cases?from=",
    "/repairs?after=",
    "/inbox?after=",
    "/account/charges?after=",
    "/demo/mail?after=",
    "/desk/cases?queue=all&from=",
    "/desk/repairs?after=",
    "/desk/repairs?queue=closed&after=",
    "/desk/customers?from=",
    "/desk/registrations?after=",
    "/desk/charges?state=settled&after=",
    "/desk/feedback?from=",
];

both! {
    async fn a_cursor_that_is_none_is_the_beginning_or_the_end(world: World) {
        let signed = [world.customer("ann@example.com").await, world.staff(Role::Manager).await];
        let id = "0190f0d0000070008000000000000000";
        let keys = [
            "", "x", "%00", "%ff%fe", "~~~", "0", "-1", "9223372036854775807", "-9223372036854775808", "8210266876799999999",
            "-8334601228800000000", "99999999999999999999999999", "2026-12-01", "%2B262142-12-31T23:59:59Z",
            "-262143-01-01T00:00:00Z", "NaN", "'%20or%201=1--",
        ];
        for list in LISTS {
            for key in keys {
                for cursor in [key.to_owned(), format!("{key}~{id}"), format!("{key}~ffffffffffffffffffffffffffffffff"), format!("{key}~zz")] {
                    for who in &signed {
                        let reply = world.get(who, &format!("{list}{cursor}")).await;
                        assert!(!reply.status.is_server_error(), "{list}{cursor}: {}", reply.status);
                    }
                }
            }
        }
    }
}

both! {
    async fn a_nul_or_broken_text_is_no_failure_of_ours(world: World) {
        let (ann, manager) = (world.customer("ann@example.com").await, world.staff(Role::Manager).await);
        let ann_at = format!("/desk/customers/{}", ann.id);
        let nothing = format!("/desk/follow-ups/{}", ann.id);
        for broken in ["a%00b", "%00", "%ff%fe", "a%c3", "%ed%a0%80", "%", "%zz", "\u{feff}", "%E2%80%AE%E2%80%8B"] {
            for (who, path, form) in [
                (None, "/sign-in", "email=X%40example.com&next=X"),
                (None, "/sign-in", "email=annX@example.com"),
                (None, "/sign-in/code", "code=X"),
                (None, "/language", "language=X&back=X"),
                (None, "/rate/X", "score=1&words=X"),
                (Some(&ann), "/account", "name=X&phone=X&language=X&zone=X&version=1"),
                (Some(&ann), "/account", "name=X&version=1"),
                (Some(&ann), "/purchases/register", "order_number=X&email=bob%40example.com&key=X"),
                (Some(&ann), "/purchases/register", "serial_number=aX&proof=X"),
                (Some(&ann), "/cases/new", "kind=question&subject=X&words=X&about=X"),
                (Some(&ann), "/repairs/new", "item=X&mode=send_in&fault=X&place=X&do=X"),
                (Some(&ann), "/repairs/new", "fault=X&place=X&remove=X"),
                (Some(&ann), "/repairs/X", "do=cancel"),
                (Some(&manager), &ann_at, "due=1&what=X&entity=X&id=X"),
                (Some(&manager), &nothing, "outcome=X"),
                (Some(&manager), "/desk/registrations", "registration=X&decision=refuse&why=X"),
                (Some(&manager), "/desk/charges", "charge=X&outcome=X"),
                (Some(&manager), "/desk/neglected", "do=plan&entity=X&id=X&due=1"),
            ] {
                let (path, form) = (path.replace('X', broken), form.replace('X', broken));
                if path.parse::<axum::http::Uri>().is_err() {
                    continue;
                }
                let reply = post_raw(&world, &who.cloned(), &path, form.clone()).await;
                assert!(!reply.status.is_server_error(), "POST {path} {form}: {}", reply.status);
            }
            for path in [
                "/purchases?q=X", "/purchases?covered=X", "/purchases/X", "/repairs/X", "/repairs/new?item=X&mode=X&from=X",
                "/cases/X", "/cases/new?kind=X&about=X", "/inbox/X", "/photos/X", "/rate/X", "/rate/X?score=X", "/sign-in?next=X",
                "/sign-in/link/X", "/desk/customers?q=X", "/desk/customers/X", "/desk/cases?queue=X", "/desk/repairs?queue=X",
                "/desk/cases/X", "/assets/X/X", "/rpc/X", "/X",
            ] {
                let path = path.replace('X', broken);
                if path.parse::<axum::http::Uri>().is_err() {
                    continue;
                }
                for who in [&ann, &manager] {
                    let reply = world.get(who, &path).await;
                    assert!(!reply.status.is_server_error(), "GET {path}: {}", reply.status);
                }
            }
        }
        // Bytes that were never encoded.
        for path in ["/cases/new", "/account", "/purchases/register", "/repairs/new"] {
            let reply = post_raw(&world, &Some(ann.clone()), path, vec![0, 255, 254, b'=', 0, b'&', b'x', b'=', 200]).await;
            assert!(!reply.status.is_server_error(), "{path}: {}", reply.status);
        }
    }
}

both! {
    async fn a_very_long_address_is_no_failure_of_ours(world: World) {
        let signed = [world.customer("ann@example.com").await, world.staff(Role::Manager).await];
        let long = "a".repeat(60_000);
        let words = "a%20".repeat(15_000);
        for who in &signed {
            for path in ["/purchases?q=", "/desk/customers?q=", "/repairs/new?item=", "/cases?from=", "/sign-in?next=/", "/cases/new?about=", "/purchases/", "/repairs/", "/rate/", "/nowhere/"] {
                for tail in [&long, &words] {
                    let reply = world.get(who, &format!("{path}{tail}")).await;
                    assert!(!reply.status.is_server_error(), "{path}…: {}", reply.status);
                }
            }
        }
    }
}

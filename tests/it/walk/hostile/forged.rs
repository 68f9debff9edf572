//! What no form of ours sends: fields that are not its own, numbers and days beyond all measure.

use super::super::{Who, demo, digest::connect, text, things::WORKSHOP};
use axum::http::StatusCode;

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
    let mut closed = connect(&world).await;
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
    let trainer = world.signed("trainer@example.com").await;
    let course = text(&world, "select lower(hex(id)) from course").await;
    for day in ["+262142-12-31", "-262143-01-01", "9999-12-31", "2026-12-32", "1970-01-01"] {
        let form = [
            ("course", &*course),
            ("title", "Far"),
            ("language", "en"),
            ("zone", "Pacific/Kiritimati"),
            ("date_1", day),
            ("starts_1", "00:00"),
            ("ends_1", "23:59"),
            ("link", "https://meet.example.com/far"),
            ("capacity", "1"),
            ("price", "0"),
            ("cut_off_hours", "0"),
        ];
        let reply = world.post(&trainer, "/desk/classes/new", &form).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{day}: {}", reply.location());
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
    // Days on which a workshop is closed: each once, and within reach.
    let manager = world.signed("manager@example.com").await;
    for (closed, status) in [
        ("2026-12-24 a\n2026-12-24 b", StatusCode::SEE_OTHER),
        ("-262143-01-01 x", StatusCode::UNPROCESSABLE_ENTITY),
        ("+262142-12-31 x", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let mut form = WORKSHOP.to_vec();
        form.retain(|(name, _)| *name != "closed");
        form.push(("closed", closed));
        let reply = world.post(&manager, "/desk/settings/workshops", &form).await;
        assert_eq!(reply.status, status, "{closed}");
    }
    // The demo's clock stays within what a calendar holds.
    for _ in 0..40 {
        let reply = world.post(None, "/demo/clock", &[("advance", "P3660D")]).await;
        assert!(!reply.status.is_server_error(), "{}", reply.body);
    }
    assert_eq!(world.get(&customer, "/repairs").await.status, StatusCode::OK);
}

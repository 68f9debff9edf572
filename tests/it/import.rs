//! Importing what was sold.

use crate::{
    both,
    purchases::{ask_by_order, code_for},
    sold::{HEADER, catalogue, data, file, import, options, printer, sell, tempfile::Temporary},
    training::School,
    world::{Engine, World},
};
use aftercare::{
    benefits::{
        domain::{Allowance, Reference},
        server::ledger,
    },
    import::server::{
        Format, Kind, Options, Report, Told,
        command::{Import, command},
        run,
    },
    training::server::seats::{self, Consent},
};
use axum::http::StatusCode;
use futures::FutureExt;
use uuid::Uuid;

const ROWS: &str = "select count(*) from purchase";

both! {
    async fn nine_faults_are_reported_as_expected_and_nothing_is_imported(world: World) {
        catalogue(&world).await;
        let (report, faults) = import(&world, &options(Kind::Purchases, data("purchases-with-faults.csv"))).await;
        let expected = std::fs::read_to_string(data("purchases-with-faults.expected.csv")).unwrap().replace('"', "");
        assert_eq!(faults, expected.lines().skip(1).collect::<Vec<_>>());
        assert_eq!((report.rows, report.bad, report.applied), (400, 9, false));
        assert_eq!(world.count(ROWS).await, 0);
        assert_eq!(world.count("select count(*) from import_row").await, 0);
        assert_eq!(world.count("select count(*) from person").await, 0);
    }
}

both! {
    async fn bad_rows_are_put_aside_and_come_back_with_their_reason(world: World) {
        catalogue(&world).await;
        let rejects = file(&[]);
        let aside = Options { rejects: Some(rejects.0.clone()), ..options(Kind::Purchases, data("purchases-with-faults.csv")) };
        let (report, _) = import(&world, &aside).await;
        assert_eq!((report.added, report.bad, report.applied), (391, 9, true));
        assert_eq!(world.count(ROWS).await, 391);
        assert_eq!(world.broken().await, Vec::<String>::new());
        let text = std::fs::read_to_string(&rejects.0).unwrap();
        assert_eq!(text.lines().count(), 10);
        assert!(text.lines().next().unwrap().ends_with(",reason"));
        assert!(text.contains("plan: unknown plan") && text.contains("currency: not an ISO 4217 code"), "{text}");
        let (again, _) = import(&world, &options(Kind::Purchases, rejects.0.clone())).await;
        assert_eq!((again.rows, again.bad), (9, 9));
        let mended = text.replace("no-at-sign.example.com", "mended@example.com");
        let mended = file(&mended.lines().filter(|line| line.starts_with("order_number") || line.contains("mended@")).collect::<Vec<_>>());
        let (report, faults) = import(&world, &options(Kind::Purchases, mended.0.clone())).await;
        assert_eq!((report.added, faults.len()), (1, 0));
    }
}

both! {
    async fn importing_again_changes_nothing(world: World) {
        let rows = [printer("A1", "ann@example.com", "LT", "S-1"), printer("A2", "ben@example.com", "GB", "S-2|S-3").replace(",1,199", ",2,199")];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let first = sell(&world, &rows).await;
        assert_eq!((first.added, first.changed, first.unchanged), (2, 0, 0));
        let counts = async || (
            world.count("select count(*) from item").await,
            world.count("select count(*) from coverage").await,
            world.count("select count(*) from benefit").await,
            world.count("select count(*) from benefit_entry").await,
        );
        let before = counts().await;
        assert_eq!(before, (3, 3 + 3 + 1, 9, 9), "three pieces with warranty and plan, one with the legal guarantee");
        let again = sell(&world, &rows).await;
        assert_eq!((again.added, again.changed, again.unchanged), (0, 0, 2));
        assert_eq!(counts().await, before);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_dry_run_looks_and_changes_nothing(world: World) {
        let file = file(&[HEADER, &printer("A1", "ann@example.com", "LT", "S-1").replace(",care-6", ",")]);
        let dry = Options { dry_run: true, ..options(Kind::Purchases, file.0.clone()) };
        let (report, _) = import(&world, &dry).await;
        assert_eq!((report.rows, report.bad, report.applied), (1, 0, false));
        for table in [ROWS, "select count(*) from person", "select count(*) from import_row", "select count(*) from import_run"] {
            assert_eq!(world.count(table).await, 0, "{table}");
        }
    }
}

both! {
    async fn lines_without_numbers_are_numbered_in_their_order_and_keep_their_place(world: World) {
        let header = "order_number;customer_email;purchased_on;product_name;quantity";
        let file = file(&[
            header,
            "A1;ann@example.com;2026-11-01;Kettle;1",
            "A1;ann@example.com;2026-11-01;Toaster;0",
            "A2;ben@example.com;2026-11-01;Lamp;1",
            "A1;ann@example.com;2026-11-01;Radio;1",
        ]);
        let rejects = crate::sold::file(&[]);
        let aside = Options { rejects: Some(rejects.0.clone()), ..options(Kind::Purchases, file.0.clone()) };
        let (report, faults) = import(&world, &aside).await;
        assert_eq!(faults, ["3,quantity,0,quantity below 1"]);
        assert_eq!(report.added, 3);
        const RADIO: &str = "select order_line from purchase where product_name = 'Radio'";
        assert_eq!(world.count(RADIO).await, 3, "a bad row keeps its place");
        let text = std::fs::read_to_string(&rejects.0).unwrap();
        assert!(text.starts_with(&format!("{header};order_line;reason")), "{text}");
        let mended = crate::sold::file(&text.replace("Toaster;0", "Toaster;1").lines().collect::<Vec<_>>());
        let (report, faults) = import(&world, &options(Kind::Purchases, mended.0.clone())).await;
        assert_eq!((report.added, faults.len()), (1, 0));
        assert_eq!(world.count("select order_line from purchase where product_name = 'Toaster'").await, 2);
    }
}

both! {
    async fn the_same_order_line_twice_is_a_fault_of_the_second(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1").replace(",care-6", ",");
        let file = file(&[HEADER, &row, &row.replace("S-1", "S-2")]);
        let (_, faults) = import(&world, &options(Kind::Purchases, file.0.clone())).await;
        assert_eq!(faults, ["3,order_line,1,the same order line as in line 2"]);
    }
}

both! {
    async fn a_changed_row_updates_its_purchase_and_keeps_its_pieces(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let mut tx = world.db().read().await.unwrap();
        const ITEM: &str = "select id from item where serial_number = 'S-1'";
        let before = aftercare::fetch_scalar!(tx, Uuid, ITEM).unwrap().unwrap();
        let later = printer("A1", "ann@example.com", "LT", "S-1|S-9").replace("2026-11-14", "2026-11-20").replace(",1,199", ",2,209");
        let report = sell(&world, &[&later]).await;
        assert_eq!((report.added, report.changed), (0, 1));
        assert_eq!(aftercare::fetch_scalar!(tx, Uuid, ITEM).unwrap().unwrap(), before);
        assert_eq!(world.count("select count(*) from item").await, 2);
        assert_eq!(world.count("select count(*) from coverage where starts_on = '2026-11-20'").await, 6);
        assert_eq!(world.count("select count(*) from benefit where starts_on = '2026-11-20'").await, 6);
        assert_eq!(world.broken().await, Vec::<String>::new());
        let other = sell(&world, &[&later.replace("ann@", "bea@")]).await;
        assert_eq!(other.changed, 1, "nobody relies on it, so another buyer may have it");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_somebody_relies_on_is_never_taken_away(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1");
        sell(&world, &[&row]).await;
        let ann = world.customer("ann@example.com").await;
        use_one(&world, ann.id).await;
        for (changed, reason) in [
            (row.replace("ann@", "bea@"), "a benefit of it was used"),
            (row.replace(",care-6", ","), "a benefit of it was used"),
            (row.replace("S-1", "S-2"), "a benefit of it was used"),
        ] {
            let file = file(&[HEADER, &changed]);
            let (report, faults) = import(&world, &options(Kind::Purchases, file.0.clone())).await;
            assert_eq!(faults, [format!("2,order_line,1,conflict: {reason}")], "{changed}");
            assert!(!report.applied);
        }
        assert_eq!(sell(&world, &[&row.replace("199.00", "189.00")]).await.changed, 1, "a price may change");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// What binds a piece: how it comes about, and what the report says then.
async fn bind(world: &World, how: &str) {
    let ann = world.signed("ann@example.com").await;
    match how {
        "a repair" => {
            crate::repairs::workshop(world, 2).await;
            let mut tx = world.db().read().await.unwrap();
            let item =
                aftercare::fetch_scalar!(tx, Uuid, "select id from item where serial_number = 'S-1'").unwrap().unwrap();
            drop(tx);
            let item = item.to_string();
            let form = [("item", item.as_str()), ("mode", "send_in"), ("fault", "It smokes.")];
            let reply = world.post(&ann, "/repairs/new", &form).await;
            assert_eq!(reply.status, 303, "{}", reply.body);
        }
        "a claim that waits" | "a claim" => {
            let ben = world.customer("ben@example.com").await;
            let form = [("serial_number", "S-1"), ("proof", "the receipt")];
            assert_eq!(world.post(&ben, "/purchases/register", &form).await.status, 303);
            if how == "a claim" {
                let agent = world.staff(aftercare::access::Role::Agent).await;
                let mut tx = world.db().read().await.unwrap();
                let id =
                    aftercare::fetch_scalar!(tx, Uuid, "select id from registration").unwrap().unwrap().to_string();
                drop(tx);
                let form = [("registration", id.as_str()), ("decision", "accept")];
                assert_eq!(world.post(&agent, "/desk/registrations", &form).await.status, 303);
            }
        }
        "a claim by order number" => {
            let ben = world.customer("ben@example.com").await;
            let path = ask_by_order(world, &ben, "#A1", "ann@example.com").await;
            let code = code_for(world, "ann@example.com").await;
            assert_eq!(world.post(&ben, &path, &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        }
        "a claim of one's own order" => {
            assert_eq!(ask_by_order(world, &ann, "A1", "ann@example.com").await, "/purchases");
        }
        "a transfer" => {
            world.corrupt("update item set transferred_at = created_at where serial_number = 'S-1'").await;
        }
        "a used benefit" => use_one(world, ann.id).await,
        "a benefit extended by staff" => {
            let agent = world.staff(aftercare::access::Role::Agent).await;
            let mut tx = world.db().read().await.unwrap();
            const BENEFIT: &str = "select b.id from benefit b join item i on i.id = b.item_id where i.serial_number = 'S-1' and b.allowance = 'repair'";
            let benefit = aftercare::fetch_scalar!(tx, Uuid, BENEFIT).unwrap().unwrap().to_string();
            let item =
                aftercare::fetch_scalar!(tx, Uuid, "select id from item where serial_number = 'S-1'").unwrap().unwrap();
            drop(tx);
            let form =
                [("do", "longer"), ("benefit", benefit.as_str()), ("until", "2027-12-31"), ("why", "As agreed.")];
            assert_eq!(world.post(&agent, &format!("/desk/benefits/{item}"), &form).await.status, 303);
        }
        other => panic!("{other}"),
    }
}

both! {
    /// Contract: an item that has a repair, a claim, a transfer or a used benefit is never deleted or given to another.
    async fn what_binds_a_piece_makes_a_row_that_would_take_it_a_conflict(world: World) {
        let engine = world.engine;
        for (how, reason) in [
            ("a repair", "an item of it has a repair"),
            ("a claim that waits", "an item of it was registered by a customer"),
 ("a claim", "an item of it was registered by a customer"),
            ("a claim by order number", "an item of it was registered by a customer"),
            ("a claim of one's own order", "an item of it was registered by a customer"),
            ("a transfer", "an item of it was handed on"),
            ("a used benefit", "a benefit of it was used"),
            ("a benefit extended by staff", "a benefit of it was used"),
        ] {
            // A world of its own for each: they would bind each other.
            let world = World::new(engine).await;
            let row = printer("A1", "ann@example.com", "LT", "S-1|S-2").replace(",1,199", ",2,199");
            sell(&world, &[&row]).await;
            world.customer("ann@example.com").await;
            world.staff_named(aftercare::access::Role::Agent, "desk@staff.example").await;
            bind(&world, how).await;
            const WHOSE: &str = "select count(*) from item i join person p on p.id = i.owner_id where i.serial_number = 'S-1'";
            let before = world.count(WHOSE).await;
            for taken in [
                row.replace("S-1|S-2", "S-2").replace(",2,199", ",1,199"),
                row.replace("ann@", "bea@"),
                row.replace("LT,,P1", "LT,Petrauskas,P1"),
                row.replace("S-1|S-2", "S-7|S-2"),
            ] {
                let file = file(&[HEADER, &taken]);
                let (report, faults) = import(&world, &options(Kind::Purchases, file.0.clone())).await;
                assert_eq!(faults, [format!("2,order_line,1,conflict: {reason}")], "{how}: {taken}");
                assert!(!report.applied);
            }
            assert_eq!(world.count(WHOSE).await, before);
            assert_eq!(world.count("select count(*) from item").await, 2, "{how}");
            assert_eq!(sell(&world, &[&row]).await.unchanged, 1, "{how}: the same row again is no conflict");
            assert_eq!(sell(&world, &[&row.replace("199.00", "189.00")]).await.changed, 1, "{how}: a price may change");
            assert_eq!(world.broken().await, Vec::<String>::new(), "{how}");
        }
    }
}

both! {
    /// Who proved the address of an order has what came over by it, whatever the sales system says of its buyer later.
    async fn what_came_over_by_its_order_number_is_not_given_to_another(world: World) {
        let row = printer("A1", "shop@example.com", "LT", "S-1");
        sell(&world, &[&row, &printer("A2", "shop@example.com", "LT", "S-2")]).await;
        let ann = world.customer("ann@example.com").await;
        let path = ask_by_order(&world, &ann, "A1", "shop@example.com").await;
        let code = code_for(&world, "shop@example.com").await;
        assert_eq!(world.post(&ann, &path, &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        let hers = async || {
            const ITEM: &str = "select count(*) from item i join person p on p.id = i.owner_id where p.email = 'ann@example.com' \
                and i.serial_number = 'S-1' and i.organisation_id is null";
            const PLAN: &str = "select count(*) from benefit b join person p on p.id = b.person_id where p.email = 'ann@example.com'";
            const GUARANTEE: &str = "select count(*) from coverage c join item i on i.id = c.item_id where i.serial_number = 'S-1'";
            (world.count(ITEM).await, world.count(PLAN).await, world.count(GUARANTEE).await)
        };
        assert_eq!(hers().await, (1, 3, 3));
        for taken in [row.replace("shop@", "bea@"), row.replace("LT,,P1", "LT,Petrauskas,P1")] {
            let file = file(&[HEADER, &taken]);
            let (report, faults) = import(&world, &options(Kind::Purchases, file.0.clone())).await;
            assert_eq!(faults, ["2,order_line,1,conflict: an item of it was registered by a customer"], "{taken}");
            assert!(!report.applied);
            assert_eq!(hers().await, (1, 3, 3));
        }
        // Another order of the same address is nobody's yet.
        assert_eq!(sell(&world, &[&printer("A2", "bea@example.com", "LT", "S-2")]).await.changed, 1);
        assert_eq!(sell(&world, &[&row.replace("199.00", "189.00")]).await.changed, 1, "a price may change");
        assert_eq!(hers().await, (1, 3, 3));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

const PLANS: &str = "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind";
const PRODUCTS: &str = "sku,name,brand,category,kind,unit_price,currency,warranty_months";

both! {
    async fn a_purchase_keeps_what_it_was_sold_with_whatever_its_product_and_plan_say_by_now(world: World) {
        let catalogue = async |product: &str, plan: &str| {
            for (kind, head, line) in [(Kind::Products, PRODUCTS, product), (Kind::Plans, PLANS, plan)] {
                let (_, faults) = import(&world, &options(kind, file(&[head, line]).0.clone())).await;
                assert_eq!(faults, Vec::<String>::new());
            }
        };
        let sell = async |rows: &[&str]| {
            let mut lines = vec!["order_number,order_line,purchased_on,delivered_on,customer_email,customer_country,sku,unit_price,currency,plan"];
            lines.extend(rows);
            let (report, faults) = import(&world, &options(Kind::Purchases, file(&lines).0.clone())).await;
            assert_eq!(faults, Vec::<String>::new());
            (report.added, report.changed)
        };
        let has = async |sql: &'static str| assert_eq!(world.count(sql).await, 1, "{sql}");
        catalogue("P1,Printer,Aurora,Printers,goods,49.00,EUR,24", "care-6,Care,6,3,2,1,").await;
        assert_eq!(sell(&["A1,1,2026-11-10,,ann@example.com,LT,P1,,,care-6"]).await, (1, 0));
        catalogue("P1,Plotter,Borealis,Plotters,installation,59.00,EUR,12", "care-6,Care and more,12,5,2,1,").await;
        assert_eq!(sell(&["A1,1,2026-11-10,2026-11-14,ann@example.com,LT,P1,,,care-6"]).await, (0, 1));
        has("select count(*) from purchase where product_name = 'Printer' and brand = 'Aurora' and category = 'Printers' \
            and kind = 'goods' and unit_price_minor = 4900 and unit_price_currency = 'EUR' and warranty_months = 24 \
            and delivered_on = '2026-11-14'").await;
        has("select count(*) from coverage where kind = 'warranty' and months = 24 and ends_on = '2028-11-15'").await;
        has("select count(*) from coverage where kind = 'legal_guarantee' and months = 24 and ends_on = '2028-11-15'").await;
        has("select count(*) from coverage where kind = 'service_plan' and plan_name = 'Care' and months = 6 and ends_on = '2027-05-15'").await;
        assert_eq!(world.count("select count(*) from benefit where ends_on = '2027-05-15'").await, 3);
        // What the row says itself wins still, and what is sold from now on is as the product says now.
        let both = ["A1,1,2026-11-10,2026-11-14,ann@example.com,LT,P1,55.00,EUR,care-6", "B1,1,2026-11-10,,ben@example.com,LT,P1,,,"];
        assert_eq!(sell(&both).await, (1, 1));
        has("select count(*) from purchase where order_number = 'A1' and unit_price_minor = 5500 and warranty_months = 24").await;
        has("select count(*) from purchase where order_number = 'B1' and unit_price_minor = 5900 and warranty_months = 12 and kind = 'installation'").await;
        // A row that was about another article is as that one says.
        catalogue("P2,Scanner,Cirrus,Scanners,goods,19.00,EUR,6", "care-6,Care,6,3,2,1,").await;
        assert_eq!(sell(&["A1,1,2026-11-10,2026-11-14,ann@example.com,LT,P2,,,care-6"]).await, (0, 1));
        has("select count(*) from purchase where order_number = 'A1' and product_name = 'Scanner' and unit_price_minor = 1900 and warranty_months = 6").await;
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    /// What counts is the plan that the row leaves a piece: none, where it is not for the article that it is about now.
    async fn a_plan_that_no_longer_fits_is_a_conflict_where_it_is_used_or_booked_by(world: World) {
        let engine = world.engine;
        let article = [PRODUCTS, "P2,Lift,,,installation,199.00,EUR,12"];
        let plan = [PLANS, "care-6,Care,6,3,2,1,installation"];
        for (kind, lines, sku) in [(Kind::Products, article, "P2"), (Kind::Plans, plan, "P1")] {
            for spent in [true, false] {
                let world = World::new(engine).await;
                // What kind of thing it is, its article tells.
                let row = printer("A1", "ann@example.com", "LT", "S-1").replace(",goods,", ",,");
                sell(&world, &[&row]).await;
                book_one(&world, world.signed("ann@example.com").await.id, spent).await;
                let (report, faults) = import(&world, &options(kind, file(&lines).0.clone())).await;
                assert_eq!((report.added + report.changed, faults.len()), (1, 0), "{faults:?}");
                let cheaper = file(&[HEADER, &row.replace("199.00", "189.00").replace("P1,", &format!("{sku},"))]);
                let (report, faults) = import(&world, &options(Kind::Purchases, cheaper.0.clone())).await;
                assert_eq!(faults, ["2,order_line,1,conflict: a benefit of it was used"], "{spent}");
                assert!(!report.applied);
                assert_eq!(world.count("select count(*) from coverage where kind = 'service_plan'").await, 1);
                assert_eq!(world.count("select cast(sum(available + reserved + used) as bigint) from benefit where expired = 0").await, 6);
                assert_eq!(world.count("select count(*) from import_run where state <> 'done'").await, 0);
            }
        }
    }
}

both! {
    async fn a_plan_that_no_longer_fits_ends_where_nobody_relies_on_it(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1").replace(",goods,", ",,");
        sell(&world, &[&row]).await;
        let plans = file(&[PLANS, "care-6,Care,6,3,2,1,installation"]);
        import(&world, &options(Kind::Plans, plans.0.clone())).await;
        let cheaper = file(&[HEADER, &row.replace("199.00", "189.00")]);
        let (report, faults) = import(&world, &options(Kind::Purchases, cheaper.0.clone())).await;
        assert_eq!((report.changed, faults.len()), (1, 0), "{faults:?}");
        assert_eq!(world.count("select count(*) from benefit").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    /// Whatever the purchase says of its plan: an import does not try for ever to end what is booked by.
    async fn what_is_booked_by_another_plan_than_the_purchase_tells_of_is_a_conflict(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1");
        sell(&world, &[&row]).await;
        book_one(&world, world.signed("ann@example.com").await.id, false).await;
        world.corrupt("update purchase set plan_code = null").await;
        let cheaper = file(&[HEADER, &row.replace(",care-6", ",").replace("199.00", "189.00")]);
        let (_, faults) = import(&world, &options(Kind::Purchases, cheaper.0.clone())).await;
        assert_eq!(faults, ["2,order_line,1,conflict: a benefit of it was used"]);
        assert_eq!(world.count("select count(*) from benefit where reserved = 1").await, 1);
    }
}

both! {
    async fn what_staff_prolong_after_its_plan_has_ended_is_none_of_the_imports_business(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1");
        sell(&world, &[&row]).await;
        let ann = world.signed("ann@example.com").await;
        book_and_give_back(&world, ann.id).await;
        let without = row.replace(",care-6", ",");
        assert_eq!(sell(&world, &[&without]).await.changed, 1);
        const LEFT: &str = "select available from benefit where allowance = 'repair'";
        assert_eq!(world.count(LEFT).await, 0);
        world.staff_named(aftercare::access::Role::Agent, "desk@staff.example").await;
        bind(&world, "a benefit extended by staff").await;
        assert_eq!(world.count(LEFT).await, 1);
        for price in ["189.00", "179.00"] {
            assert_eq!(sell(&world, &[&without.replace("199.00", price)]).await.changed, 1);
            assert_eq!(world.count(LEFT).await, 1);
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    /// What was booked by a benefit and given back still names it, so that it can end, but not vanish.
    async fn a_benefit_that_was_booked_by_and_given_back_ends_with_its_plan_and_comes_back_with_it(world: World) {
        // Two pieces without numbers, so that any of them may go.
        let row = printer("A1", "ann@example.com", "LT", "").replace(",1,199", ",2,199");
        sell(&world, &[&row]).await;
        let ann = world.customer("ann@example.com").await;
        let mut tx = world.db().read().await.unwrap();
        let product = aftercare::fetch_scalar!(tx, aftercare::values::ProductId, "select product_id from item").unwrap().unwrap();
        drop(tx);
        let school = School::of(&world, vec![product]).await;
        let class = school.open(school.draft("Cleaning", 4, 240, 8000)).await;
        let cx = world.cx_of(&ann).await;
        seats::enrol(&cx, class, Consent::default()).await.unwrap();
        seats::cancel(&cx, class, Consent::default()).await.unwrap();
        const TOLD_OF: &str = "select count(*) from benefit b join enrolment e on e.benefit_id = b.id where b.allowance = 'training_seat'";
        const LEFT: &str = "select cast(sum(available) as bigint) from benefit where allowance = 'training_seat'";
        assert_eq!((world.count(TOLD_OF).await, world.count(LEFT).await), (1, 6));
        // Its buyer, and the ledger that tells what the buyer did, stay together.
        let other = file(&[HEADER, &row.replace("ann@", "bea@")]);
        let (_, faults) = import(&world, &options(Kind::Purchases, other.0.clone())).await;
        assert_eq!(faults, ["2,order_line,1,conflict: a benefit of it was used"]);
        // Fewer pieces: the one goes that nothing tells of.
        let one = row.replace(",2,199", ",1,199");
        assert_eq!(sell(&world, &[&one]).await.changed, 1);
        assert_eq!((world.count(TOLD_OF).await, world.count(LEFT).await), (1, 3));
        // Without the plan it ends, and rows after it come in.
        let without = one.replace(",care-6", ",");
        let report = sell(&world, &[&without, &printer("A2", "ben@example.com", "LT", "S-2")]).await;
        assert_eq!((report.changed, report.added), (1, 1));
        const ENDED: &str = "select count(*) from benefit where available = 0 and expired = 3 and ends_on = '2026-12-01'";
        assert_eq!((world.count(TOLD_OF).await, world.count(ENDED).await), (1, 1));
        assert_eq!(world.count("select count(*) from import_run where state <> 'done'").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // With it again, it is there again.
        assert_eq!(sell(&world, &[&one]).await.changed, 1);
        assert_eq!((world.count(TOLD_OF).await, world.count(LEFT).await), (1, 6));
        assert_eq!(world.count("select count(*) from benefit where available > 0").await, 6, "all that the plan grants");
        // Another plan is no conflict either: what it grants comes beside what has ended.
        let plans = file(&[
            "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind",
            "care-12,Care,12,5,2,1,goods",
        ]);
        import(&world, &options(Kind::Plans, plans.0.clone())).await;
        assert_eq!(sell(&world, &[&one.replace("care-6", "care-12")]).await.changed, 1);
        assert_eq!((world.count(TOLD_OF).await, world.count(ENDED).await, world.count(LEFT).await), (1, 1, 8));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

async fn use_one(world: &World, person: aftercare::values::PersonId) {
    book_one(world, person, true).await;
}

/// Reserves one class seat, and gives it back.
async fn book_and_give_back(world: &World, person: aftercare::values::PersonId) {
    let now = world.app.clock.now();
    world
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let seats = ledger::balances(tx, person, Allowance::TrainingSeat, now.date_naive()).await?;
                let reference = Reference { entity: "enrolment", id: Uuid::now_v7() };
                ledger::reserve(tx, seats[0].benefit, 1, reference, now).await?;
                ledger::release(tx, reference, now).await
            })
        })
        .await
        .unwrap();
}

/// Reserves one class seat, and uses it where it is `spent`.
async fn book_one(world: &World, person: aftercare::values::PersonId, spent: bool) {
    let now = world.app.clock.now();
    world
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let seats = ledger::balances(tx, person, Allowance::TrainingSeat, now.date_naive()).await?;
                let reference = Reference { entity: "enrolment", id: Uuid::now_v7() };
                ledger::reserve(tx, seats[0].benefit, 1, reference, now).await?;
                if spent { ledger::spend(tx, reference, now).await } else { Ok(()) }
            })
        })
        .await
        .unwrap();
}

/// Begins to import the file with faults, bad rows aside, and is cut off before the run is closed.
async fn cut_off(world: &World) -> (Options, Temporary) {
    catalogue(world).await;
    let rejects = file(&[]);
    let aside =
        Options { rejects: Some(rejects.0.clone()), ..options(Kind::Purchases, data("purchases-with-faults.csv")) };
    let mut tell = |what| assert!(!matches!(what, Told::Applied { .. }), "cut off after its only batch");
    let cut = std::panic::AssertUnwindSafe(run(&world.operator(), &aside, &mut tell)).catch_unwind().await;
    assert!(cut.is_err());
    assert_eq!(world.count("select count(*) from import_run where state = 'applying'").await, 1);
    (aside, rejects)
}

both! {
    async fn an_import_that_was_cut_off_goes_on_where_it_stopped(world: World) {
        let (aside, _rejects) = cut_off(&world).await;
        let cx = world.operator();
        // Its bad rows were to be put aside: without a place for them it does not go on.
        let refused = run(&cx, &Options { rejects: None, ..aside.clone() }, &mut |_: Told| {}).await;
        assert!(refused.unwrap_err().to_string().contains("go on with --skip-bad-rows"));
        let other = file(&[]);
        let (mut resumed, mut faults) = (false, 0);
        let mut tell = |what| match what {
            Told::Resumed { .. } => resumed = true,
            Told::Fault { .. } => faults += 1,
            _ => {}
        };
        let report = run(&cx, &Options { rejects: Some(other.0.clone()), ..aside }, &mut tell).await.unwrap();
        assert!(resumed);
        assert_eq!((report.rows, report.before, report.added, report.bad, report.applied), (400, 391, 0, 9, true));
        assert_eq!(faults, 9, "they are told again");
        assert_eq!(std::fs::read_to_string(&other.0).unwrap().lines().count(), 10, "wherever they are to lie now");
        assert_eq!(world.count(ROWS).await, 391);
        assert_eq!(world.count("select count(*) from import_row").await, 0);
        assert_eq!(world.count("select count(*) from import_run where state <> 'done'").await, 0);
        assert_eq!(world.count("select count(*) from history where act = 'import' and entity = 'import_run'").await, 3);
    }
}

both! {
    async fn an_import_that_went_on_ends_as_if_it_had_never_been_cut_off(world: World) {
        let (Options { file, rejects, .. }, _rejects) = cut_off(&world).await;
        let again = Import { kind: Kind::Purchases, format: Format::Aftercare, file, dry_run: false, skip_bad_rows: rejects, notify: false };
        assert_eq!(command(&world.operator(), again).await, Ok(true));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_somebody_comes_to_rely_on_while_it_is_imported_is_put_aside_too(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1");
        sell(&world, &[&row]).await;
        let bad = printer("A2", "no address", "LT", "S-2");
        let file_ = file(&[HEADER, &row.replace("ann@", "bea@"), &bad, &printer("A3", "cleo@example.com", "LT", "S-3")]);
        let rejects = file(&[]);
        let aside = Options { rejects: Some(rejects.0.clone()), ..options(Kind::Purchases, file_.0.clone()) };
        let mut faults = Vec::new();
        let mut tell = |what| {
            if let Told::Fault { line, fault } = what {
                if faults.is_empty() {
                    // After the whole file was looked at, and before any of it is applied.
                    let taken = world.corrupt("update item set transferred_at = created_at where serial_number = 'S-1'");
                    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(taken));
                }
                faults.push(format!("{line},{}", fault.fault));
            }
        };
        let report = run(&world.operator(), &aside, &mut tell).await.unwrap();
        assert_eq!(faults, ["3,not an e-mail address", "2,conflict: an item of it was handed on"]);
        assert_eq!((report.rows, report.added, report.changed, report.bad), (3, 1, 0, 2));
        let text = std::fs::read_to_string(&rejects.0).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("bea@") && text.contains("order_line: conflict: an item of it was handed on"), "{text}");
        assert_eq!(world.count("select count(*) from item i join person p on p.id = i.owner_id where p.email = 'ann@example.com'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

/// Imports; between the look at the whole file and the first row that goes in, `meanwhile` happens.
async fn import_while(world: &World, options: &Options, meanwhile: &'static str) -> (Report, Vec<String>) {
    let mut faults = Vec::new();
    let mut tell = |what| match what {
        Told::Checked { .. } => {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(world.corrupt(meanwhile)));
        }
        Told::Fault { line, fault } => faults.push(format!("{line},{},{},{}", fault.column, fault.value, fault.fault)),
        _ => {}
    };
    let report = run(&world.operator(), options, &mut tell).await.unwrap();
    (report, faults)
}

/// A file of which two batches only add, and whose last rows take pieces away and change a price.
fn long(sold: &[String; 3]) -> Temporary {
    let [taken, cheaper, given] = sold;
    let mut rows: Vec<String> = vec![HEADER.to_owned()];
    rows.extend((0..2100).map(|n| printer(&format!("N{n}"), "new@example.com", "LT", &format!("N-{n}"))));
    rows.extend([taken.replace("S-1", "S-9"), cheaper.replace("199.00", "189.00"), given.replace("cleo@", "dot@")]);
    file(&rows.iter().map(String::as_str).collect::<Vec<_>>())
}

fn three() -> [String; 3] {
    [("A1", "ann@", "S-1"), ("A2", "ben@", "S-2"), ("A3", "cleo@", "S-3")]
        .map(|(order, who, serial)| printer(order, &format!("{who}example.com"), "LT", serial))
}

both! {
    /// Contract: by default nothing at all is imported; of a row that turns bad after the file was looked at too.
    async fn a_row_that_turns_bad_while_others_wait_to_go_in_keeps_all_of_them_out(world: World) {
        let sold = three();
        sell(&world, &sold.each_ref().map(String::as_str)).await;
        let rows = async || {
            let mut rows = Vec::new();
            for sql in [
                ROWS,
                "select count(*) from item",
                "select count(*) from person",
                "select count(*) from history",
                "select count(*) from purchase where unit_price_minor = 19900",
                "select count(*) from item i join person p on p.id = i.owner_id where p.email = 'cleo@example.com'",
            ] {
                rows.push(world.count(sql).await);
            }
            rows
        };
        let before = rows().await;
        let file = long(&sold);
        let options = options(Kind::Purchases, file.0.clone());
        let handed_on = "update item set transferred_at = created_at where serial_number = 'S-1'";
        let (report, faults) = import_while(&world, &options, handed_on).await;
        assert_eq!(faults, ["2102,order_line,1,conflict: an item of it was handed on"]);
        assert_eq!(report, Report { rows: 2103, bad: 1, ..Report::default() });
        assert_eq!(rows().await, before);
        assert_eq!(world.count("select count(*) from import_row").await, 0);
        assert_eq!(world.count("select count(*) from import_run where state <> 'done'").await, 0);
        // The same file again finds the conflict when it is looked at; without what it takes away it goes in.
        let (report, again) = import(&world, &options).await;
        assert_eq!((again, report.applied), (faults, false));
        world.corrupt("update item set transferred_at = null").await;
        let (report, faults) = import(&world, &options).await;
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!((report.rows, report.added, report.changed, report.unchanged, report.before), (2103, 2100, 3, 0, 0));
        let (report, _) = import(&world, &options).await;
        assert_eq!((report.added, report.changed, report.unchanged), (0, 0, 2103));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_import_without_bad_rows_that_was_cut_off_counts_every_row_once(world: World) {
        let sold = three();
        sell(&world, &sold.each_ref().map(String::as_str)).await;
        let file = long(&sold);
        let options = options(Kind::Purchases, file.0.clone());
        let mut tell = |what| assert!(!matches!(what, Told::Applied { .. }), "cut off after the first batch");
        let cut = std::panic::AssertUnwindSafe(run(&world.operator(), &options, &mut tell)).catch_unwind().await;
        assert!(cut.is_err());
        assert_eq!(world.count("select count(*) from purchase where order_number like 'N%'").await, 2000);
        assert_eq!(world.count("select count(*) from item where serial_number in ('S-1', 'S-9')").await, 1);
        assert_eq!(world.count("select count(*) from item where serial_number = 'S-9'").await, 1, "what takes away went first");
        let (report, faults) = import(&world, &options).await;
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!((report.rows, report.before, report.added, report.changed, report.unchanged), (2103, 2002, 100, 1, 0));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    /// Contract: an import is applied in short transactions, so that a portal that runs beside it goes on.
    async fn very_many_rows_that_take_something_away_go_in_bit_by_bit(world: World) {
        let row = |n: i32, serial: char| printer(&format!("A{n}"), "ann@example.com", "GB", &format!("{serial}-{n}")).replace(",care-6", ",");
        let rows = |serial: char| (0..2100).map(|n| row(n, serial)).collect::<Vec<_>>();
        let refs = |rows: &[String]| file(&std::iter::once(HEADER).chain(rows.iter().map(String::as_str)).collect::<Vec<_>>());
        sell(&world, &rows('S').iter().map(String::as_str).collect::<Vec<_>>()).await;
        let taken = refs(&rows('T'));
        let options = options(Kind::Purchases, taken.0.clone());
        const NEW: &str = "select count(*) from item where serial_number like 'T-%'";
        // What is known to be bad before the first of them goes in keeps all of them out.
        let handed_on = "update item set transferred_at = created_at where serial_number in ('S-1', 'S-2050')";
        let (report, faults) = import_while(&world, &options, handed_on).await;
        let conflict = |line: i32| format!("{line},order_line,1,conflict: an item of it was handed on");
        assert_eq!(faults, [conflict(3), conflict(2052)]);
        assert_eq!(report, Report { rows: 2100, bad: 2, ..Report::default() });
        assert_eq!((world.count(NEW).await, world.count("select count(*) from import_row").await), (0, 0));
        world.corrupt("update item set transferred_at = null").await;
        // Of what turns bad while others are in already, it is told, and it stays as it is.
        let (mut faults, mut some) = (Vec::new(), 0);
        let mut tell = |what| match what {
            Told::Applied { .. } if some == 0 => {
                let handed_on = async {
                    world.corrupt("update item set transferred_at = created_at where serial_number = 'S-2040'").await;
                    world.count(NEW).await
                };
                some = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(handed_on));
            }
            Told::Fault { line, fault } => faults.push(format!("{line},{},{},{}", fault.column, fault.value, fault.fault)),
            _ => {}
        };
        let report = run(&world.operator(), &options, &mut tell).await.unwrap();
        assert_eq!(faults, [conflict(2042)]);
        assert!(0 < some && some < 1000, "{some}");
        assert_eq!((report.applied, report.rows, report.bad, report.changed, report.unchanged), (true, 2100, 1, 2099, 0));
        assert_eq!(world.count(NEW).await, 2099);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn an_import_that_is_cut_off_before_its_end_is_noted_still_knows_its_rows(world: World) {
        let rows = three();
        sell(&world, &[&rows[0]]).await;
        let file = file(&[HEADER, &rows[0], &rows[1], &rows[2]]);
        let options = options(Kind::Purchases, file.0.clone());
        let (refuse, again) = match world.engine {
            Engine::Sqlite => (
                vec!["create trigger cut before insert on history when new.entity = 'import_run' begin select raise(abort, 'cut off'); end"],
                "drop trigger cut",
            ),
            Engine::Postgres => (
                vec![
                    "create function cut() returns trigger language plpgsql as 'begin raise exception ''cut off''; end'",
                    "create trigger cut before insert on history for each row when (new.entity = 'import_run') execute function cut()",
                ],
                "drop trigger cut on history",
            ),
        };
        for statement in refuse {
            world.corrupt(statement).await;
        }
        run(&world.operator(), &options, &mut |_: Told| {}).await.unwrap_err();
        world.corrupt(again).await;
        assert_eq!(world.count(ROWS).await, 3);
        let (report, faults) = import(&world, &options).await;
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!((report.rows, report.before, report.added, report.unchanged, report.bad), (3, 3, 0, 0, 0));
        assert_eq!(world.count("select count(*) from import_row").await, 0);
        assert_eq!(world.count("select count(*) from import_run where state <> 'done'").await, 0);
        assert_eq!(world.count("select count(*) from history where entity = 'import_run' and detail like '%\"rows\":3%'").await, 1);
        // What was cut off once its end was noted leaves nothing for long.
        world.corrupt("insert into import_row (run_id, line, identity, digest) select id, 1, 'A1', '' from import_run").await;
        let (report, _) = import(&world, &options).await;
        assert_eq!((report.rows, report.unchanged), (3, 3));
        assert_eq!(world.count("select count(*) from import_row").await, 0);
    }
}

both! {
    async fn a_conflict_that_comes_late_is_told_as_if_it_had_been_there_at_first(world: World) {
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let ann = world.customer("ann@example.com").await;
        // Every way to rely on a piece, as it comes about while the file waits.
        for (meanwhile, back, reason) in [
            (
                "update item set transferred_at = created_at",
                "update item set transferred_at = null",
                "an item of it was handed on",
            ),
            (
                "update benefit set available = available - 1, reserved = reserved + 1 where allowance = 'repair'",
                "update benefit set available = available + reserved, reserved = 0",
                "a benefit of it was used",
            ),
            (
                "insert into registration (id, person_id, way, serial_number, serial_key, tries, state, created_at) \
                 select id, owner_id, 'serial', 'S-1', serial_key, 0, 'open', created_at from item",
                "delete from registration",
                "an item of it was registered by a customer",
            ),
        ] {
            for taken in ["bea@", "S-2"] {
                let row = match taken {
                    "bea@" => printer("A1", "bea@example.com", "LT", "S-1"),
                    serial => printer("A1", "ann@example.com", "LT", serial),
                };
                let file = file(&[HEADER, &row, &printer("B1", "dot@example.com", "LT", "T-1")]);
                let (report, faults) = import_while(&world, &options(Kind::Purchases, file.0.clone()), meanwhile).await;
                assert_eq!(faults, [format!("2,order_line,1,conflict: {reason}")]);
                assert!(!report.applied);
                world.corrupt(back).await;
            }
        }
        assert_eq!(world.count(ROWS).await, 1);
        let whose = world.count("select count(*) from item i join person p on p.id = i.owner_id where p.email = 'ann@example.com' and i.serial_number = 'S-1'").await;
        assert_eq!(whose, 1, "{}", ann.id);
    }
}

both! {
    async fn places_and_repeats_are_found_through_the_whole_of_a_long_file(world: World) {
        let header = "order_number,order_line,customer_email,purchased_on,product_name";
        let row = |order: &str, line: &str| format!("{order},{line},ann@example.com,2026-11-01,Kettle");
        let mut rows = vec![header.to_owned(), row("A1", "")];
        rows.extend((0..5200).map(|n| row(&format!("B{n}"), "")));
        rows.extend([row("A1", ""), row("A1", "1"), row("A1", "")]);
        let file = file(&rows.iter().map(String::as_str).collect::<Vec<_>>());
        let dry = Options { dry_run: true, ..options(Kind::Purchases, file.0.clone()) };
        let (report, faults) = import(&world, &dry).await;
        assert_eq!(faults, ["5204,order_line,1,the same order line as in line 2"]);
        assert_eq!((report.rows, report.bad), (5204, 1));
    }
}

both! {
    async fn a_changed_purchase_leaves_a_line_for_whom_it_concerns(world: World) {
        let row = printer("A1", "ann@example.com", "LT", "S-1");
        sell(&world, &[&row]).await;
        let agent = world.staff(aftercare::access::Role::Agent).await;
        let row = row.replace("2026-11-14", "2026-11-20").replace("199.00", "189.00");
        sell(&world, &[&row]).await;
        sell(&world, &[&row]).await;
        const LINES: &str = "select count(*) from history where entity = 'purchase' and act = 'import'";
        assert_eq!(world.count(LINES).await, 1, "the same row again changes nothing");
        let (before, after) = ("unit_price 199.00 EUR, delivered_on 2026-11-14", "unit_price 189.00 EUR, delivered_on 2026-11-20");
        let ann = world.customer("ann@example.com").await;
        let page = world.get(&agent, &format!("/desk/customers/{}", ann.id)).await.body;
        assert!(page.contains(&format!("{before} → {after}")), "{page}");
        // What goes to another buyer concerns both.
        sell(&world, &[&row.replace("ann@", "bea@").replace("S-1", "S-2").replace(",12,care-6", ",24,care-6")]).await;
        assert_eq!(world.count(LINES).await, 3);
        let bea = world.customer("bea@example.com").await;
        for whose in [ann.id, bea.id] {
            let page = world.get(&agent, &format!("/desk/customers/{whose}")).await.body;
            let line = "customer_email ann@example.com, serial_number S-1, warranty_months 12 → customer_email bea@example.com, serial_number S-2, warranty_months 24";
            assert!(page.contains(line), "{page}");
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_was_taken_out_of_a_firm_does_not_come_back_by_a_row_that_is_mended(world: World) {
        let row = |email: &str, price: &str| {
            format!("A-{email},1,2026-11-10,2026-11-14,{email},LT,Petrauskas,P1,Printer,goods,,1,{price},EUR,12,")
        };
        sell(&world, &[&row("ann@example.com", "199.00"), &row("ben@example.com", "199.00")]).await;
        let mut tx = world.db().read().await.unwrap();
        let firm = aftercare::fetch_scalar!(tx, Uuid, "select id from organisation").unwrap().unwrap();
        drop(tx);
        let firm = aftercare::values::OrganisationId(firm);
        let owner = world.customer("owner@example.com").await;
        world.join(firm, owner.id, aftercare::access::Membership::Owner).await;
        let (cx, ann) = (world.cx_of(&owner).await, world.person("ann@example.com").await);
        aftercare::training::server::members::end_membership(&cx, firm, ann).await.unwrap();
        let report = sell(&world, &[&row("ann@example.com", "189.00"), &row("ben@example.com", "189.00")]).await;
        assert_eq!(report.changed, 2);
        const MEMBERS: &str = "select count(*) from membership m join person p on p.id = m.person_id where m.role = 'member' and p.email = 'ann@example.com'";
        assert_eq!(world.count(MEMBERS).await, 0);
        assert_eq!(world.count("select count(*) from membership where role = 'member'").await, 1);
    }
}

const FIRMS: &str = "order_number,customer_email,customer_name,purchased_on,product_name,organisation,organisation_id";

both! {
    /// Names are not unique: where a name means several firms, nobody guesses which.
    async fn a_name_that_several_firms_have_is_refused_and_says_which_numbers_there_are(world: World) {
        let row = |order: &str, name: &str, number: &str| format!("{order},{order}@example.com,,2026-11-10,Kettle,{name},{number}");
        let sell = async |rows: &[String]| {
            let mut lines = vec![FIRMS];
            lines.extend(rows.iter().map(String::as_str));
            import(&world, &options(Kind::Purchases, file(&lines).0.clone())).await
        };
        let firm_of = async |order: &'static str| {
            const FIRM: &str = "select o.external_id from purchase p join organisation o on o.id = p.organisation_id where p.order_number = $1";
            aftercare::fetch_one!(world.db().read().await.unwrap(), (Option<String>,), FIRM, order).unwrap().0
        };
        let (report, faults) = sell(&[row("A1", "Petrauskas", "8"), row("A2", "Petrauskas", "7"), row("A3", "Costa", "9")]).await;
        assert_eq!((report.added, faults.len()), (3, 0));
        // The only one with its name is meant; of two nobody knows.
        let (report, faults) = sell(&[row("A4", "Costa", ""), row("A5", "Petrauskas", "")]).await;
        let said = "several organisations have this name, organisation_id tells them apart: 7, 8";
        assert_eq!(faults, [format!("3,organisation,Petrauskas,{said}")]);
        assert!(!report.applied);
        // What is there already stays where it is, with whatever else changes.
        let kettle = row("A2", "Petrauskas", "").replace("Kettle", "Kettle 2");
        let (report, faults) = sell(&[row("A4", "Costa", ""), kettle]).await;
        assert_eq!((report.added, report.changed, faults.len()), (1, 1, 0), "{faults:?}");
        assert_eq!((firm_of("A2").await.as_deref(), firm_of("A4").await.as_deref()), (Some("7"), Some("9")));
        // The one without a number is meant by its name alone.
        world.organisation("Petrauskas").await;
        let (report, _) = sell(&[row("A5", "Petrauskas", ""), row("A6", "Petrauskas", "8")]).await;
        assert_eq!(report.added, 2);
        assert_eq!((firm_of("A5").await, firm_of("A6").await.as_deref()), (None, Some("8")));
        // A second one without a number, though, can be told from it by nothing.
        world.organisation("Petrauskas").await;
        let (_, faults) = sell(&[row("A7", "Petrauskas", "")]).await;
        assert_eq!(faults, [format!("2,organisation,Petrauskas,{said}")]);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn firms_that_one_file_brings_under_one_name_are_told_apart_before_anything_goes_in(world: World) {
        let row = |order: &str, kettle: &str, number: &str| format!("{order},{order}@example.com,,2026-11-10,{kettle},Petrauskas,{number}");
        let sell = async |rows: &[String], rejects: Option<std::path::PathBuf>| {
            let lines: Vec<&str> = std::iter::once(FIRMS).chain(rows.iter().map(String::as_str)).collect();
            let file = file(&lines);
            import(&world, &Options { rejects, ..options(Kind::Purchases, file.0.clone()) }).await
        };
        const THERE: &str = "select count(*) from organisation";
        let said = |line: i32, numbers: &str| {
            format!("{line},organisation,Petrauskas,several organisations have this name, organisation_id tells them apart: {numbers}")
        };
        // Wherever it stands: of all three one transaction would make three firms.
        let rows = [row("A1", "Kettle", ""), row("A2", "Kettle", "7"), row("A3", "Kettle", "8")];
        let (report, faults) = sell(&rows, None).await;
        assert_eq!(faults, [said(2, "7, 8")]);
        assert_eq!((report.applied, world.count(ROWS).await, world.count(THERE).await), (false, 0, 0));
        let (report, faults) = sell(&[row("B1", "Kettle", "7")], None).await;
        assert_eq!((report.added, faults.len()), (1, 0));
        // Of what is there already its firm is known; a number that is known makes no other firm.
        let rows = [row("B1", "Urn", ""), row("B2", "Kettle", "8"), row("B3", "Kettle", "7"), row("B4", "Kettle", "")];
        let (report, faults) = sell(&rows, None).await;
        assert_eq!(faults, [said(5, "7, 8")]);
        assert!(!report.applied);
        let (report, faults) = sell(&[row("B1", "Urn", ""), row("B3", "Kettle", "7"), row("B4", "Kettle", "")], None).await;
        assert_eq!((report.added, report.changed, faults.len()), (2, 1, 0), "{faults:?}");
        assert_eq!(world.count(THERE).await, 1);
        let rejects = crate::sold::file(&[]);
        let rows = [row("B1", "Pot", ""), row("B5", "Kettle", ""), row("B2", "Kettle", "8")];
        let (report, faults) = sell(&rows, Some(rejects.0.clone())).await;
        assert_eq!(faults, [said(3, "7, 8")]);
        assert_eq!((report.added, report.changed, report.bad, world.count(THERE).await), (1, 1, 1, 2));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn what_an_import_learns_of_somebody_is_a_line_in_their_history(world: World) {
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        let form = [("name", "ben"), ("version", "1")];
        assert_eq!(world.post(&ben, "/account", &form).await.status, StatusCode::SEE_OTHER);
        let header = "order_number,customer_email,customer_name,customer_phone,customer_country,purchased_on,product_name";
        let rows = |phone: &str| [
            header.to_owned(),
            format!("A1,ann@example.com,Ann JONAITĖ,{phone},LT,2026-11-10,Kettle"),
            format!("A2,ben@example.com,Ben King,{phone},,2026-11-10,Kettle"),
            format!("A3,new@example.com,New One,{phone},,2026-11-10,Kettle"),
        ];
        let sell = async |rows: &[String]| {
            let file = file(&rows.iter().map(String::as_str).collect::<Vec<_>>());
            let (_, faults) = import(&world, &options(Kind::Purchases, file.0.clone())).await;
            assert_eq!(faults, Vec::<String>::new());
        };
        let lines = async || {
            const LINES: &str = "select p.email, h.from_state, h.to_state from history h join person p on p.id = h.entity_id \
                where h.entity = 'person' and h.act = 'import' and h.customer_id = p.id order by h.at, p.email, h.id";
            let mut tx = world.db().read().await.unwrap();
            aftercare::fetch_all!(tx, (String, String, String), LINES).unwrap()
        };
        let line = |who: &str, from: &str, to: &str| (format!("{who}@example.com"), from.to_owned(), to.to_owned());
        sell(&rows("")).await;
        let hers = line("ann", "customer_country –, customer_name ann", "customer_country LT, customer_name Ann JONAITĖ");
        assert_eq!(lines().await, std::slice::from_ref(&hers), "who chose a name, and who is new, learn nothing");
        sell(&rows("")).await;
        assert_eq!(lines().await.len(), 1, "the same again changes nothing");
        world.advance(chrono::TimeDelta::days(1));
        sell(&rows("+370 600 00000")).await;
        let phone = |who: &str| line(who, "customer_phone –", "customer_phone +370 600 00000");
        assert_eq!(lines().await, [hers, phone("ann"), phone("ben"), phone("new")]);
        let agent = world.staff(aftercare::access::Role::Agent).await;
        let page = world.get(&agent, &format!("/desk/customers/{}", ann.id)).await.body;
        assert!(page.contains("customer_name ann → customer_country LT, customer_name Ann JONAITĖ"), "{page}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_sale_without_a_country_was_sold_where_its_buyer_lives(world: World) {
        let sale = |order: &str, email: &str, country: &str| printer(order, email, country, "").replace(",12,care-6", ",,");
        sell(&world, &[&sale("A1", "ann@example.com", "LT"), &sale("A9", "gus@example.com", "GB")]).await;
        // Of a buyer that the portal knows, of one whom the same file tells of, and of one of whom nobody knows.
        sell(&world, &[
            &sale("A2", "ann@example.com", ""),
            &sale("B1", "ben@example.com", "ES"),
            &sale("B2", "ben@example.com", ""),
            &sale("C1", "cleo@example.com", ""),
            &sale("A3", "ann@example.com", "GB"),
        ]).await;
        let guarantees = async || {
            const GUARANTEES: &str = "select p.order_number, p.country, c.months from purchase p join item i on i.purchase_id = p.id \
                join coverage c on c.item_id = i.id where c.kind = 'legal_guarantee' order by p.order_number";
            let mut tx = world.db().read().await.unwrap();
            aftercare::fetch_all!(tx, (String, String, i64), GUARANTEES).unwrap()
        };
        let of = |order: &str, country: &str, months: i64| (order.to_owned(), country.to_owned(), months);
        let expected = [of("A1", "LT", 24), of("A2", "LT", 24), of("B1", "ES", 36), of("B2", "ES", 36)];
        assert_eq!(guarantees().await, expected, "where the row names a country, that one counts");
        let ann = world.signed("ann@example.com").await;
        let mut tx = world.db().read().await.unwrap();
        let sold = aftercare::fetch_scalar!(tx, Uuid, "select id from purchase where order_number = 'A2'").unwrap().unwrap();
        drop(tx);
        let page = world.get(&ann, &format!("/purchases/{}", sold.simple())).await.body;
        assert!(page.contains("A repair is covered by the legal guarantee until"), "{page}");
        // It stays where it was sold, wherever its buyer lives by now.
        world.corrupt("update person set country = 'ES'").await;
        assert_eq!(sell(&world, &[&sale("A2", "ann@example.com", "").replace("199.00", "189.00")]).await.changed, 1);
        assert_eq!(guarantees().await, expected);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_signed_in_first_gets_their_name_from_the_sale_unless_they_chose_one(world: World) {
        let (ann, ben) = (world.customer("ann@example.com").await, world.customer("ben@example.com").await);
        world.customer("cleo@example.com").await;
        let form = [("name", "ben"), ("version", "1")];
        assert_eq!(world.post(&ben, "/account", &form).await.status, 303);
        // Another language is no other name.
        assert_eq!(world.post(&ann, "/language", &[("language", "lt")]).await.status, 303);
        world.corrupt("update person set name = 'Cleopatra', name_lower = 'cleopatra' where email = 'cleo@example.com'").await;
        let rows = ["A1,ann@example.com,Ann JONAITĖ,2026-11-10,Kettle,,", "A2,ben@example.com,Ben King,2026-11-10,Kettle,,", "A3,cleo@example.com,Cleo,2026-11-10,Kettle,,"];
        let (report, faults) = import(&world, &options(Kind::Purchases, file(&[FIRMS, rows[0], rows[1], rows[2]]).0.clone())).await;
        assert_eq!((report.added, faults.len()), (3, 0));
        let mut tx = world.db().read().await.unwrap();
        let names = aftercare::fetch_all!(tx, (String, String), "select name, name_lower from person order by email").unwrap();
        let names: Vec<(&str, &str)> = names.iter().map(|(name, lower)| (name.as_str(), lower.as_str())).collect();
        assert_eq!(names, [("Ann JONAITĖ", "ann jonaitė"), ("ben", "ben"), ("Cleopatra", "cleopatra")]);
        drop(tx);
        assert!(world.get(&ann, "/account").await.body.contains("Ann JONAITĖ"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_firm_is_matched_by_its_name_and_its_buyers_become_members(world: World) {
        let row = |order: &str, email: &str| {
            format!("{order},1,2026-11-10,2026-11-14,{email},LT, Petrauskas ,P1,Printer,goods,,1,199.00,EUR,12,")
        };
        sell(&world, &[&row("A1", "ann@example.com"), &row("A2", "ben@example.com")]).await;
        assert_eq!(world.count("select count(*) from organisation where name = 'Petrauskas'").await, 1);
        assert_eq!(world.count("select count(*) from membership where role = 'member'").await, 2);
        assert_eq!(world.count("select count(*) from membership where role = 'owner'").await, 0);
        assert_eq!(world.count("select count(*) from coverage where kind = 'legal_guarantee'").await, 0);
    }
}

both! {
    async fn an_import_writes_to_nobody_and_asks_only_about_what_is_still_to_come(world: World) {
        let row = |order: &str, delivered: &str| {
            format!("{order},1,2026-11-10,{delivered},ann@example.com,LT,,P1,Printer,goods,,1,199.00,EUR,12,")
        };
        sell(&world, &[&row("A1", "2026-11-20"), &row("A2", "2026-12-20"), &row("A3", "")]).await;
        assert_eq!(world.count("select count(*) from message").await, 0);
        assert_eq!(world.count("select count(*) from job where kind = 'ask_feedback'").await, 1);
    }
}

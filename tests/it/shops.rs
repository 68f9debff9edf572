//! Importing what web shops export: the same purchases as from our own columns, by the same rules.

use crate::{
    both,
    sold::{data, file, import, options, tempfile::Temporary},
    world::World,
};
use aftercare::import::{
    domain::LeftOut,
    server::{Format, Kind, Options, Report, Told, run},
};
use serde_json::Value;
use std::path::PathBuf;

const PURCHASES: &str = "select count(*) from purchase";

fn from(format: Format, file: PathBuf) -> Options {
    Options { format, ..options(Kind::Purchases, file) }
}

fn shopify(name: &str) -> Options {
    from(Format::Shopify, data(name))
}

fn woocommerce(name: &str) -> Options {
    from(Format::WooCommerce, data(name))
}

/// The orders of a file of WooCommerce.
fn orders(name: &str) -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(data(name)).unwrap()).unwrap()
}

/// A file with an order a line.
fn by_line(orders: &[Value]) -> Temporary {
    let lines: Vec<String> = orders.iter().map(Value::to_string).collect();
    file(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Everything that is told besides progress.
async fn told(world: &World, options: &Options) -> (Report, Vec<Told>) {
    let mut all = Vec::new();
    let mut tell = |what| {
        if !matches!(what, Told::Read { .. } | Told::Checked { .. } | Told::Applied { .. }) {
            all.push(what);
        }
    };
    let report = run(&world.operator(), options, &mut tell).await.unwrap();
    (report, all)
}

async fn failure(world: &World, options: &Options) -> String {
    run(&world.operator(), options, &mut |_| {}).await.unwrap_err().to_string()
}

fn left_out(why: LeftOut, rows: u64) -> Told {
    Told::LeftOut { why, rows }
}

both! {
    async fn an_export_of_shopify_is_the_same_as_its_purchases_in_our_columns(world: World) {
        let (first, all) = told(&world, &shopify("shopify-orders.csv")).await;
        assert_eq!((first.rows, first.added, first.bad, first.left_out), (7, 7, 0, 4));
        assert_eq!(all, [left_out(LeftOut::Cancelled, 2), left_out(LeftOut::Refunded, 1), left_out(LeftOut::Unpaid, 1)]);
        let ours = options(Kind::Purchases, data("shopify-orders.expected.csv"));
        for again in [ours, shopify("shopify-orders.csv")] {
            let (report, faults) = import(&world, &again).await;
            assert_eq!((report.rows, report.unchanged, faults), (7, 7, vec![]), "{:?}", again.format);
        }
        assert_eq!(world.count("select count(*) from item").await, 11);
        assert_eq!(world.count("select count(*) from organisation").await, 1);
        assert_eq!(world.count("select count(*) from membership where role = 'member'").await, 1);
        assert_eq!(world.count("select count(*) from coverage where kind = 'legal_guarantee'").await, 7, "of people in the Union");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn orders_of_woocommerce_are_the_same_as_their_purchases_in_our_columns(world: World) {
        let (first, all) = told(&world, &woocommerce("woocommerce-orders.json")).await;
        assert_eq!((first.rows, first.added, first.bad, first.left_out), (6, 6, 0, 6));
        let expected = [
            left_out(LeftOut::Cancelled, 2),
            left_out(LeftOut::Refunded, 1),
            left_out(LeftOut::Unpaid, 1),
            left_out(LeftOut::Draft, 1),
            left_out(LeftOut::NoPieces, 1),
        ];
        assert_eq!(all, expected);
        let a_line_each = by_line(&orders("woocommerce-orders.json"));
        let ours = options(Kind::Purchases, data("woocommerce-orders.expected.csv"));
        for again in [ours, woocommerce("woocommerce-orders.json"), from(Format::WooCommerce, a_line_each.0.clone())] {
            let (report, faults) = import(&world, &again).await;
            assert_eq!((report.rows, report.unchanged, faults), (6, 6, vec![]), "{:?}", again.file);
        }
        assert_eq!(world.count("select count(*) from organisation").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn our_columns_first_and_the_shop_after_is_the_same_too(world: World) {
        for (ours, shops) in [
            ("shopify-orders.expected.csv", shopify("shopify-orders.csv")),
            ("woocommerce-orders.expected.csv", woocommerce("woocommerce-orders.json")),
        ] {
            let (report, faults) = import(&world, &options(Kind::Purchases, data(ours))).await;
            assert_eq!((report.added, faults), (report.rows, vec![]));
            assert_eq!(import(&world, &shops).await.0.unchanged, report.rows);
        }
    }
}

const SHOPIFY_FAULTS: [&str; 11] = [
    "2,Email,,required",
    "3,Email,,required",
    "4,Lineitem quantity,two,not a whole number",
    "7,Created at,2026-02-30 10:14:00 +0200,no such date",
    "7,Email,ben.example.com,not an e-mail address",
    "7,Billing Phone,11111111111111111111111111111111111111111,longer than 40 characters",
    "7,Shipping Country,XX,not an ISO 3166-1 country",
    "8,Fulfilled at,2026-11-01T10:00:00+02:00,delivered before it was purchased",
    "8,Lineitem price,12,5.0,not a decimal",
    "9,Lineitem sku,,required",
    "9,Currency,EURO,not an ISO 4217 code",
];

both! {
    async fn faults_of_an_export_of_shopify_are_told_by_its_lines_and_columns(world: World) {
        let (report, faults) = import(&world, &shopify("shopify-orders-with-faults.csv")).await;
        assert_eq!(faults, SHOPIFY_FAULTS);
        assert_eq!((report.rows, report.bad, report.applied), (8, 6, false));
        assert_eq!(world.count(PURCHASES).await, 0);
    }
}

/// The line of the file on which the order with this number has this text.
fn line_of(number: u64, text: &str) -> usize {
    let file = std::fs::read_to_string(data("woocommerce-orders-with-faults.json")).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    let begins = lines.iter().position(|line| line.trim() == format!("\"id\": {number},")).unwrap();
    begins + lines[begins..].iter().position(|line| line.contains(text)).unwrap() + 1
}

both! {
    async fn faults_of_woocommerce_are_told_by_line_and_path(world: World) {
        let (report, faults) = import(&world, &woocommerce("woocommerce-orders-with-faults.json")).await;
        let file = std::fs::read_to_string(data("woocommerce-orders-with-faults.json")).unwrap();
        let again = file.lines().enumerate().filter(|(_, line)| line.trim() == "\"id\": 407,").last().unwrap().0 + 1;
        let expected = [
            format!("{},billing.email,,required", line_of(801, "\"email\"")),
            format!("{},line_items[1].quantity,1.5,not a whole number", line_of(403, "\"quantity\"")),
            format!("{},date_created_gmt,2026-02-30T08:14:00,no such date", line_of(803, "date_created_gmt")),
            format!("{},billing.email,ben.example.com,not an e-mail address", line_of(803, "\"email\"")),
            format!("{},billing.country,XX,not an ISO 3166-1 country", line_of(803, "\"country\"")),
            format!("{},date_completed_gmt,2026-11-01T08:00:00Z,delivered before it was purchased", line_of(804, "date_completed_gmt")),
            format!("{},line_items[0].total,12,5.0,not a decimal", line_of(405, "\"total\"")),
            format!("{},line_items[0].sku,,required", line_of(406, "\"sku\"")),
            format!("{},currency,EURO,not an ISO 4217 code", line_of(805, "\"currency\"")),
            format!("{again},line_items[0].id,407,the same order line as in line {}", line_of(407, "407")),
        ];
        assert_eq!(faults, expected);
        assert_eq!((report.rows, report.bad, report.applied), (8, 6, false));
        assert_eq!(world.count(PURCHASES).await, 0);
    }
}

both! {
    async fn bad_rows_of_a_shop_lie_aside_in_our_columns_and_come_back_mended(world: World) {
        for (mut aside, good) in [
            (shopify("shopify-orders-with-faults.csv"), 2),
            (woocommerce("woocommerce-orders-with-faults.json"), 2),
        ] {
            let rejects = file(&[]);
            aside.rejects = Some(rejects.0.clone());
            let (report, _) = import(&world, &aside).await;
            assert_eq!((report.added, report.bad, report.applied), (good, 6, true));
            let text = std::fs::read_to_string(&rejects.0).unwrap();
            assert!(text.starts_with("order_number,order_line,purchased_on,"), "{text}");
            assert!(text.contains(",customer_email: required") && text.contains(",quantity: not a whole number"), "{text}");
            let mended = text.replace(",two,", ",2,").replace(",1.5,", ",2,");
            let mended = file(&mended.lines().filter(|line| line.starts_with("order_number") || line.contains("ann@")).collect::<Vec<_>>());
            let (report, faults) = import(&world, &options(Kind::Purchases, mended.0.clone())).await;
            assert_eq!((report.added, faults), (1, vec![]));
        }
        // Its place in its order is what it was.
        assert_eq!(world.count("select order_line from purchase where order_number = '#2002' and quantity = 2").await, 1);
        assert_eq!(world.count("select order_line from purchase where order_number = '802' and quantity = 2").await, 403);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_dry_run_of_a_shops_file_changes_nothing(world: World) {
        for shop in [shopify("shopify-orders.csv"), woocommerce("woocommerce-orders.json")] {
            let (report, faults) = import(&world, &Options { dry_run: true, ..shop }).await;
            assert!(report.rows > 5 && report.left_out > 3 && !report.applied);
            assert_eq!(faults, Vec::<String>::new());
        }
        for table in [PURCHASES, "select count(*) from person", "select count(*) from import_row", "select count(*) from import_run"] {
            assert_eq!(world.count(table).await, 0, "{table}");
        }
    }
}

both! {
    async fn an_import_of_orders_that_was_cut_off_goes_on(world: World) {
        let whole = by_line(&[Value::Array(orders("woocommerce-orders.json"))]);
        let options = from(Format::WooCommerce, whole.0.clone());
        let mut tell = |what| assert!(!matches!(what, Told::Applied { .. }), "cut off here");
        let cx = world.operator();
        let cut_off = std::panic::AssertUnwindSafe(run(&cx, &options, &mut tell));
        assert!(futures::FutureExt::catch_unwind(cut_off).await.is_err(), "it came to its end");
        let (report, all) = told(&world, &options).await;
        assert_eq!(all, [Told::Resumed { line: 1 }], "the whole file is one line");
        assert_eq!((report.rows, report.before, report.added, report.bad), (6, 6, 0, 0));
        assert_eq!(world.count(PURCHASES).await, 6);
        assert_eq!(world.count("select count(*) from import_run where state <> 'done'").await, 0);
    }
}

both! {
    async fn what_was_cancelled_after_it_was_imported_is_named_and_stays(world: World) {
        let mut orders = orders("woocommerce-orders.json");
        import(&world, &from(Format::WooCommerce, by_line(&orders).0.clone())).await;
        orders[7]["status"] = "refunded".into();
        let file = by_line(&orders);
        let (report, all) = told(&world, &from(Format::WooCommerce, file.0.clone())).await;
        assert_eq!((report.rows, report.unchanged), (4, 4));
        let stays = |told: &&Told| matches!(told, Told::Stays { .. });
        let named = Told::Stays { line: 8, order: "734".into(), why: LeftOut::Refunded };
        assert_eq!(all.iter().filter(stays).collect::<Vec<_>>(), [&named, &named], "both of its lines, and no other order");
        assert_eq!(world.count(PURCHASES).await, 6);
    }
}

both! {
    async fn a_conflict_is_told_by_line_and_path(world: World) {
        let mut orders = orders("woocommerce-orders.json");
        import(&world, &woocommerce("woocommerce-orders.json")).await;
        world.corrupt("update item set transferred_at = created_at").await;
        orders[7]["billing"]["email"] = "other@example.com".into();
        orders[7]["line_items"][1]["id"] = 999.into();
        let (report, faults) = import(&world, &from(Format::WooCommerce, by_line(&orders).0.clone())).await;
        assert_eq!(faults, ["8,line_items[0].id,324,conflict: an item of it was handed on"]);
        assert!(!report.applied);
    }
}

both! {
    async fn a_file_of_json_that_is_none_of_orders_is_refused_with_its_line(world: World) {
        let order = orders("woocommerce-orders.json").remove(0).to_string();
        for (lines, expected) in [
            (vec!["[", order.as_str(), ","], "line 4: the file ends within a list of orders"),
            (vec!["[", order.as_str(), ",{\"id\": 7,"], "line 3: the file ends within the order that begins here"),
            (vec!["", "{\"code\": \"cannot_view\", \"message\": \"Sorry, you cannot list resources.\"}"],
                "line 2: not an order of WooCommerce, but a message: Sorry, you cannot list resources."),
            (vec!["{\"id\": 7}"], "line 1: not an order of WooCommerce: it has no line_items"),
            (vec!["{", "\"id\": 7,,", "}"], "line 2: column 9: key must be a string"),
            (vec!["order_number,sku"], "line 1: an order is expected, not 'o'"),
        ] {
            let file = file(&lines);
            let said = failure(&world, &from(Format::WooCommerce, file.0.clone())).await;
            assert!(said.ends_with(expected), "{said}");
        }
        let said = failure(&world, &from(Format::Shopify, data("shopify-orders.expected.csv"))).await;
        assert!(said.ends_with("the header has no column name"), "{said}");
        let products = Options { kind: Kind::Products, ..shopify("shopify-orders.csv") };
        assert_eq!(failure(&world, &products).await, "shopify files hold purchases, no products");
        assert_eq!(world.count(PURCHASES).await, 0);
    }
}

both! {
    async fn what_the_shop_does_not_know_comes_from_the_products(world: World) {
        let products = file(&["sku,name,brand,kind,unit_price,currency,warranty_months", "LMP,A lamp,Old,goods,99.00,EUR,36"]);
        import(&world, &options(Kind::Products, products.0.clone())).await;
        import(&world, &woocommerce("woocommerce-orders.json")).await;
        const LAMP: &str = "select warranty_months from purchase where product_name = 'Lamp' and brand = 'Old' and unit_price_minor = 8000";
        assert_eq!(world.count(LAMP).await, 36);
        assert_eq!(world.count("select count(*) from product where sku = 'KET-R17' and name = 'Kettle – red'").await, 1, "an unknown one is added");
        assert_eq!(world.count("select count(*) from product where sku is null and name = 'मसाला डिब्बा'").await, 1);
    }
}

both! {
    async fn an_order_is_registered_with_the_shops_mark_before_its_number_and_without(world: World) {
        import(&world, &shopify("shopify-orders.csv")).await;
        import(&world, &woocommerce("woocommerce-orders.json")).await;
        let ann = world.customer("ann@example.com").await;
        for (number, email, product) in [("1002", "sekretore@example.org", "Office printer"), ("#733", "meera@example.com", "मसाला")] {
            let form = [("order_number", number), ("email", email)];
            let reply = world.post(&ann, "/purchases/register", &form).await;
            assert_eq!(reply.status, 303, "{}", reply.body);
            let letter = world.letter(email).await.unwrap().0;
            let code = letter.split(' ').next().unwrap();
            let reply = world.post(&ann, reply.location(), &[("code", code)]).await;
            assert_eq!((reply.status.as_u16(), reply.location()), (303, "/purchases"));
            assert!(world.get(&ann, "/purchases").await.body.contains(product), "{number}");
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

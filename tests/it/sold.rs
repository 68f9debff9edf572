//! Files to import, and what tests sell by them.

use crate::world::World;
use aftercare::import::server::{Format, Kind, Options, Report, Told, run};
use std::{io::Write, path::PathBuf};

/// A file of these lines.
pub fn file(lines: &[&str]) -> tempfile::Temporary {
    tempfile::Temporary::new(&(lines.join("\n") + "\n"))
}

/// A file that is gone when it is dropped.
pub mod tempfile {
    use super::{PathBuf, Write};

    pub struct Temporary(pub PathBuf);

    impl Temporary {
        pub fn new(text: &str) -> Self {
            let path = std::env::temp_dir().join(format!("aftercare-{}.csv", uuid::Uuid::now_v7().simple()));
            std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
            Self(path)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

pub fn data(name: &str) -> PathBuf {
    PathBuf::from("tests/data").join(name)
}

pub fn options(kind: Kind, file: PathBuf) -> Options {
    Options { kind, format: Format::Aftercare, file, dry_run: false, rejects: None, notify: false }
}

/// Imports; gives the report and the faults as `line,column,value,fault`.
pub async fn import(world: &World, options: &Options) -> (Report, Vec<String>) {
    let mut faults = Vec::new();
    let mut tell = |told| {
        if let Told::Fault { line, fault } = told {
            faults.push(format!("{line},{},{},{}", fault.name(), fault.value, fault.fault));
        }
    };
    let report = run(&world.operator(), options, &mut tell).await.unwrap();
    (report, faults)
}

/// The plan and the products that the other files name.
pub async fn catalogue(world: &World) {
    let (plans, faults) = import(world, &options(Kind::Plans, data("plans.csv"))).await;
    assert_eq!((plans.added, faults.len()), (1, 0));
    let (products, faults) = import(world, &options(Kind::Products, data("products.csv"))).await;
    assert_eq!((products.added, faults.len()), (405, 0));
}

pub const HEADER: &str = "order_number,order_line,purchased_on,delivered_on,customer_email,customer_country,organisation,\
    sku,product_name,kind,serial_number,quantity,unit_price,currency,warranty_months,plan";

/// Imports these rows below [`HEADER`]; every one must be good.
pub async fn sell(world: &World, rows: &[&str]) -> Report {
    let plans = [
        "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind",
        "care-6,Care,6,3,2,1,goods",
    ];
    import(world, &options(Kind::Plans, file(&plans).0.clone())).await;
    let mut lines = vec![HEADER];
    lines.extend(rows);
    let file = file(&lines);
    let (report, faults) = import(world, &options(Kind::Purchases, file.0.clone())).await;
    assert_eq!(faults, Vec::<String>::new());
    report
}

/// A printer with the plan, delivered on 2026-11-14, bought by a consumer.
pub fn printer(order: &str, email: &str, country: &str, serial: &str) -> String {
    format!("{order},1,2026-11-10,2026-11-14,{email},{country},,P1,Printer,goods,{serial},1,199.00,EUR,12,care-6")
}

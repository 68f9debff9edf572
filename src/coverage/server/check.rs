//! The promises about rights.

use crate::cli::Clause;

/// Rows that break a promise.
pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 4,
        name: "coverage_period_not_sane",
        sql: "select c.id, c.kind as detail from coverage c join item i on i.id = c.item_id \
            join purchase p on p.id = i.purchase_id \
            where c.ends_on <= c.starts_on or c.starts_on < p.purchased_on",
    },
    Clause {
        promise: 4,
        name: "legal_guarantee_without_consumer",
        sql: "select c.id, p.order_number as detail from coverage c join item i on i.id = c.item_id \
            join purchase p on p.id = i.purchase_id \
            where c.kind = 'legal_guarantee' and p.organisation_id is not null",
    },
    Clause {
        promise: 4,
        name: "plan_without_its_coverage",
        sql: "select i.id, p.order_number as detail from purchase p join item i on i.purchase_id = p.id \
            where p.plan_code is not null and not exists \
            (select 1 from coverage c where c.item_id = i.id and c.kind = 'service_plan')",
    },
];

//! The promises of the ledger.

use crate::cli::Clause;

/// Rows that break a promise.
pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 4,
        name: "benefit_not_conserved",
        sql: "select id, plan_code as detail from benefit \
            where granted <> available + reserved + used + expired \
            or available < 0 or reserved < 0 or used < 0 or expired < 0",
    },
    Clause {
        promise: 4,
        name: "benefit_differs_from_its_entries",
        sql: "select b.id, b.plan_code as detail from benefit b join (select benefit_id, \
            cast(sum(case when kind = 'grant' then units else 0 end) as bigint) as granted, \
            cast(sum(case when kind = 'reserve' and settled_as is null then units else 0 end) as bigint) as reserved, \
            cast(sum(case when kind = 'use' then units when kind = 'restore' then -units else 0 end) as bigint) as used, \
            cast(sum(case when kind = 'expire' then units when kind = 'extend' then -units else 0 end) as bigint) as expired \
            from benefit_entry group by benefit_id) e on e.benefit_id = b.id \
            where e.granted <> b.granted or e.reserved <> b.reserved or e.used <> b.used or e.expired <> b.expired",
    },
    Clause {
        promise: 6,
        name: "benefit_given_without_history",
        sql: "select b.id, b.plan_code as detail from benefit b \
            where (b.granted_at is not null and not exists (select 1 from history h where h.entity = 'benefit' \
                and h.entity_id = b.id and h.act = 'grant_benefit')) \
            or (b.extended_at is not null and not exists (select 1 from history h where h.entity = 'benefit' \
                and h.entity_id = b.id and h.act = 'extend_benefit'))",
    },
    Clause {
        promise: 4,
        name: "benefit_without_entries",
        sql: "select b.id, b.plan_code as detail from benefit b \
            where not exists (select 1 from benefit_entry e where e.benefit_id = b.id)",
    },
];

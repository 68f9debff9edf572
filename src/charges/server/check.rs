//! The promises about charges.

use crate::cli::Clause;

/// Rows that break a promise.
pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 6,
        name: "charge_settled_without_history",
        sql: "select c.id, c.state as detail from charge c where c.settled_by is not null \
        and not exists (select 1 from history h where h.entity = 'charge' and h.entity_id = c.id)",
    },
    Clause {
        promise: 3,
        name: "paid_for_what_does_not_happen",
        sql: "select c.id, c.entity as detail from charge c where c.state = 'paid' \
        and not exists (select 1 from refund b where b.charge_id = c.id) \
        and ((c.entity = 'enrolment' and exists (select 1 from enrolment e where e.id = c.entity_id and e.state = 'cancelled')) \
        or (c.entity = 'quote' and exists (select 1 from quote q join repair r on r.id = q.repair_id \
        where q.id = c.entity_id and (q.state = 'superseded' or r.state = 'not_repairable'))))",
    },
    Clause {
        promise: 3,
        name: "refund_of_what_nobody_paid",
        sql: "select c.id, c.state as detail from refund b join charge c on c.id = b.charge_id where c.state <> 'paid'",
    },
    Clause {
        promise: 6,
        name: "refund_paid_without_history",
        sql: "select b.charge_id as id, 'nothing says who paid it back' as detail from refund b where b.paid_at is not null \
        and not exists (select 1 from history h where h.entity = 'charge' and h.entity_id = b.charge_id and h.act = 'pay_back')",
    },
];

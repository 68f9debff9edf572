//! The promises about charges.

use crate::cli::Clause;

/// Rows that break a promise.
pub const CLAUSES: &[Clause] = &[Clause {
    promise: 6,
    name: "charge_settled_without_history",
    sql: "select c.id, c.state as detail from charge c where c.settled_by is not null \
        and not exists (select 1 from history h where h.entity = 'charge' and h.entity_id = c.id)",
}];

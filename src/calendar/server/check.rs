//! What `aftercare check` verifies of the calendar.

use crate::cli::Clause;

/// Nobody and no room is in two places at once. Workshops work on several things at a time and are counted elsewhere.
pub const CLAUSES: &[Clause] = &[Clause {
    promise: 1,
    name: "double_booking",
    sql: "select b.id, a.resource_kind || ' is taken twice: ' || a.entity || ' and ' || b.entity as detail \
        from busy a join busy b on b.resource_kind = a.resource_kind and b.resource_id = a.resource_id \
        and b.starts_at < a.ends_at and a.starts_at < b.ends_at \
        and (a.starts_at < b.starts_at or (a.starts_at = b.starts_at and a.id < b.id)) \
        where a.resource_kind in ('person', 'room')",
}];

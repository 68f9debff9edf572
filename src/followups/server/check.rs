//! What must hold of follow-ups.

use crate::cli::Clause;

pub const CLAUSES: &[Clause] = &[Clause {
    promise: 2,
    name: "open_follow_up_without_owner_or_time",
    sql: "select f.id, f.what as detail from follow_up f where f.done_at is null and (f.due_at is null \
        or not exists (select 1 from person_role r where r.person_id = f.owner_id))",
}];

//! What must hold of cases.

use crate::cli::Clause;

pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 2,
        name: "open_case_without_owner",
        sql: "select c.id, c.subject as detail from care_case c where c.state in ('open', 'waiting_for_you') \
            and not exists (select 1 from person_role r where r.person_id = c.owner_id)",
    },
    Clause {
        promise: 2,
        name: "open_case_without_next_step",
        sql: "select id, subject as detail from care_case where state <> 'closed' and (next_step is null or next_due_at is null)",
    },
    Clause {
        promise: 4,
        name: "case_without_words",
        sql: "select c.id, c.subject as detail from care_case c where not exists (select 1 from case_message m where m.case_id = c.id)",
    },
    Clause {
        promise: 6,
        name: "case_without_history",
        sql: "select c.id, c.subject as detail from care_case c where not exists \
            (select 1 from history h where h.entity = 'case' and h.entity_id = c.id and h.act = 'open_case')",
    },
    Clause {
        promise: 6,
        name: "case_stands_where_history_does_not",
        sql: "select c.id, c.state as detail from care_case c where c.state <> (select h.to_state from history h \
            where h.entity = 'case' and h.entity_id = c.id order by h.at desc, h.id desc limit 1)",
    },
];

//! What must hold of letters and the calendars that they keep.

use crate::cli::Clause;

pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 4,
        name: "letter_that_nobody_sends",
        sql: "select m.id, m.letter || ' was never handed to anybody who sends it' as detail from message m \
            where m.sent_at is null and m.email <> '' and not exists (select 1 from job j where j.kind = 'deliver' \
            and j.run_at = m.send_after)",
    },
    Clause {
        promise: 7,
        name: "calendar_letter_overtook",
        sql: "select c.message_id as id, 'left before an older letter about the same appointment' as detail \
            from message_calendar c join message m on m.id = c.message_id \
            join message_calendar o on o.thread = c.thread and o.number < c.number \
            join message n on n.id = o.message_id \
            where m.sent_at is not null and (n.sent_at is null or n.sent_at > m.sent_at)",
    },
    Clause {
        promise: 7,
        name: "calendar_change_not_newer",
        sql: "select c.message_id as id, 'programs would take it for older than what they have' as detail \
            from message_calendar c join message_calendar o on o.thread = c.thread and o.number < c.number \
            where c.sequence < o.sequence or (c.sequence = o.sequence and c.method <> o.method)",
    },
];

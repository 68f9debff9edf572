//! What must hold of letters and the calendars that they keep.

use crate::cli::Clause;

pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 4,
        name: "letter_that_nobody_sends",
        // Its own job, by its payload. What was given up is named by `job_given_up`.
        sql: "select m.id, m.letter || ' has no job that sends it' as detail from message m \
            where m.sent_at is null and m.email <> '' and written(m.id) not in \
            (select named(j.payload, message) from job j where j.kind = 'deliver' and j.done_at is null)",
    },
    Clause {
        promise: 7,
        name: "letter_with_two_jobs",
        // One with an appointment waits for older ones of its thread by another job, and is sent under a lease.
        sql: "select m.id, m.letter || ' may be sent by two at once' as detail from message m \
            where not exists (select 1 from message_calendar c where c.message_id = m.id) and written(m.id) in \
            (select named(j.payload, message) from job j where j.kind = 'deliver' and j.done_at is null \
            group by named(j.payload, message) having count(*) > 1)",
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

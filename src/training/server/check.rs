//! What `aftercare check` verifies of training.

use crate::cli::Clause;

/// Each names the rows that break a promise.
pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 1,
        name: "class_over_capacity",
        sql: "select c.id, 'the class has ' || cast(c.capacity as text) || ' seats and more people in them' as detail from class c \
            where (select count(*) from enrolment e where e.class_id = c.id and e.state in ('booked', 'offered')) \
            + (select count(*) from unnamed_seat u where u.class_id = c.id and u.state in ('booked', 'offered')) > c.capacity",
    },
    Clause {
        promise: 1,
        name: "class_taken_miscounted",
        sql: "select c.id, 'taken says ' || cast(c.taken as text) as detail from class c \
            where c.taken <> (select count(*) from enrolment e where e.class_id = c.id and e.state = 'booked') \
            + (select count(*) from unnamed_seat u where u.class_id = c.id and u.state = 'booked')",
    },
    Clause {
        promise: 1,
        name: "class_held_miscounted",
        sql: "select c.id, 'held says ' || cast(c.held as text) as detail from class c \
            where c.held <> (select count(*) from enrolment e where e.class_id = c.id and e.state = 'offered') \
            + (select count(*) from unnamed_seat u where u.class_id = c.id and u.state = 'offered') \
            + (select coalesce(cast(sum(y.gathered) as bigint), 0) from party y where y.class_id = c.id)",
    },
    Clause {
        promise: 1,
        name: "class_waiting_miscounted",
        sql: "select c.id, 'waiting says ' || cast(c.waiting as text) as detail from class c \
            where c.waiting <> (select count(*) from enrolment e where e.class_id = c.id and e.state = 'waitlisted') \
            + (select count(*) from unnamed_seat u where u.class_id = c.id and u.state = 'waitlisted')",
    },
    Clause {
        promise: 1,
        name: "line_number_drawn_twice",
        sql: "select e.id, 'two people have number ' || cast(e.queue_number as text) as detail from enrolment e \
            join enrolment o on o.class_id = e.class_id and o.queue_number = e.queue_number and o.id <> e.id \
            where e.state = 'waitlisted' and o.state = 'waitlisted'",
    },
    Clause {
        promise: 1,
        name: "seat_without_its_time",
        sql: "select e.id, 'a booked seat does not take its learner''s time' as detail from enrolment e \
            join class c on c.id = e.class_id where e.state = 'booked' and c.state in ('open', 'running') \
            and not exists (select 1 from busy b where b.entity = 'enrolment' and b.entity_id = e.id)",
    },
    Clause {
        promise: 1,
        name: "class_without_its_time",
        sql: "select c.id, 'the class does not take its trainer''s time' as detail from class c \
            where c.state in ('draft', 'open', 'running') \
            and not exists (select 1 from busy b where b.entity = 'class' and b.entity_id = c.id and b.resource_kind = 'person')",
    },
    Clause {
        promise: 2,
        name: "offer_without_expiry",
        sql: "select e.id, 'nothing will end this offer' as detail from enrolment e where e.state = 'offered' \
            and not exists (select 1 from job j where j.kind = 'expire_offer' and j.done_at is null and j.failed_at is null \
            and j.run_at = e.offered_until)",
    },
    Clause {
        promise: 2,
        name: "seat_in_a_cancelled_class",
        sql: "select e.id, 'somebody still has a place in a class that does not take place' as detail from enrolment e \
            join class c on c.id = e.class_id where c.state = 'cancelled' and e.state in ('booked', 'offered', 'waitlisted')",
    },
    Clause {
        promise: 2,
        name: "line_after_the_class",
        sql: "select e.id, 'somebody still waits for a class that is over' as detail from enrolment e \
            join class c on c.id = e.class_id where c.state = 'completed' and e.state in ('offered', 'waitlisted')",
    },
    Clause {
        promise: 6,
        name: "enrolment_without_history",
        sql: "select e.id, 'nothing says how this enrolment came to be ' || e.state as detail from enrolment e \
            where not exists (select 1 from history h where h.entity = 'enrolment' and h.entity_id = e.id and h.to_state = e.state)",
    },
    Clause {
        promise: 6,
        name: "class_without_history",
        sql: "select c.id, 'nothing says how this class came to be ' || c.state as detail from class c \
            where not exists (select 1 from history h where h.entity = 'class' and h.entity_id = c.id and h.to_state = c.state)",
    },
    Clause {
        promise: 1,
        name: "session_without_its_time",
        sql: "select s.id, 'nobody''s time is taken for this session' as detail from class_session s \
            join class c on c.id = s.class_id where c.state in ('draft', 'open', 'running') \
            and not exists (select 1 from busy b where b.entity = 'class' and b.entity_id = c.id \
            and b.resource_kind = 'person' and b.starts_at = s.starts_at and b.ends_at = s.ends_at \
            and (b.resource_id = c.trainer_id or c.state = 'running'))",
    },
    Clause {
        promise: 1,
        name: "seat_without_its_sessions",
        sql: "select e.id, 'a booked seat does not take its learner''s time for every session' as detail from enrolment e \
            join class c on c.id = e.class_id join class_session s on s.class_id = c.id \
            where e.state = 'booked' and c.state in ('open', 'running') and s.ends_at > e.created_at \
            and not exists (select 1 from busy b where b.entity = 'enrolment' and b.entity_id = e.id \
            and b.starts_at = s.starts_at and b.ends_at = s.ends_at)",
    },
    Clause {
        promise: 1,
        name: "assistant_without_their_time",
        sql: "select c.id, 'the class does not take the time of one who helps' as detail from class_assistant a \
            join class c on c.id = a.class_id where c.state in ('draft', 'open') \
            and not exists (select 1 from busy b where b.entity = 'class' and b.entity_id = c.id \
            and b.resource_kind = 'person' and b.resource_id = a.person_id)",
    },
    Clause {
        promise: 1,
        name: "equipment_without_its_time",
        sql: "select c.id, 'the class does not take the time of what it uses' as detail from class_equipment q \
            join class c on c.id = q.class_id where c.state in ('draft', 'open') \
            and not exists (select 1 from busy b where b.entity = 'class' and b.entity_id = c.id \
            and b.resource_id = q.equipment_id)",
    },
    Clause {
        promise: 1,
        name: "absence_without_its_time",
        sql: "select a.id, 'an absence does not take its time' as detail from absence a \
            where not exists (select 1 from busy b where b.entity = 'absence' and b.entity_id = a.id)",
    },
    Clause {
        promise: 1,
        name: "offer_after_the_freeze",
        sql: "select e.id, 'the offer ends after the waitlist that it was made under' as detail from enrolment e \
            where e.state = 'offered' and e.offered_until > e.offer_freezes_at union all \
            select u.id, 'the offer of a seat without a name ends after the waitlist that it was made under' from unnamed_seat u \
            where u.state = 'offered' and u.offered_until > u.offer_freezes_at",
    },
    Clause {
        promise: 2,
        name: "offer_longer_than_the_rules",
        sql: "select h.id, 'the seat is kept for one person longer than ' || cast(c.offer_minutes as text) || ' minutes' as detail \
            from (select id, class_id, changed_at, offered_until from enrolment where state = 'offered' \
            union all select id, class_id, changed_at, offered_until from unnamed_seat where state = 'offered') h \
            join class c on c.id = h.class_id where minutes(h.changed_at, h.offered_until) > c.offer_minutes + 1",
    },
    Clause {
        promise: 3,
        name: "free_cancel_that_costs",
        sql: "select e.id, 'the place was given back in time, and still it costs' as detail from enrolment e \
            where e.state = 'cancelled' and (exists (select 1 from benefit_entry b where b.entity = 'enrolment' \
            and b.entity_id = e.id and b.kind = 'use') or exists (select 1 from charge g where g.entity = 'enrolment' \
            and g.entity_id = e.id and g.state = 'due'))",
    },
    Clause {
        promise: 3,
        name: "late_cancel_against_the_rules",
        sql: "select e.id, 'by the rules of the class what a late cancel cost is ' || c.late_cancel as detail \
            from enrolment e join class c on c.id = e.class_id where e.state = 'cancelled_late' and c.state <> 'cancelled' \
            and (exists (select 1 from benefit_entry b where b.entity = 'enrolment' and b.entity_id = e.id \
            and b.kind = case c.late_cancel when 'spent' then 'release' else 'use' end \
            and not exists (select 1 from benefit_entry o where o.entity = b.entity and o.entity_id = b.entity_id \
            and o.kind = 'reserve' and o.id > b.id)) or (c.late_cancel = 'returned' and exists (select 1 from charge g \
            where g.entity = 'enrolment' and g.entity_id = e.id and g.state = 'due')) \
            or (c.late_cancel = 'spent' and e.price_minor > 0 and not exists (select 1 from charge g \
            where g.entity = 'enrolment' and g.entity_id = e.id and (g.state <> 'void' or g.settled_by is not null))))",
    },
    Clause {
        promise: 3,
        name: "cancelled_class_that_costs",
        sql: "select e.id, 'the class does not take place, and still its seat costs' as detail from \
            (select id, class_id from enrolment union all select id, class_id from unnamed_seat) e \
            join class c on c.id = e.class_id where c.state = 'cancelled' \
            and (exists (select 1 from benefit_entry b where b.entity = 'enrolment' and b.entity_id = e.id \
            and b.kind = 'reserve' and b.settled_as = 'used') or exists (select 1 from charge g \
            where g.entity = 'enrolment' and g.entity_id = e.id and (g.state = 'due' or (g.state = 'paid' \
            and not exists (select 1 from refund r where r.charge_id = g.id)))))",
    },
    Clause {
        promise: 3,
        name: "seat_for_nothing",
        sql: "select e.id, 'what was charged for the seat was reversed, and nothing took its place' as detail from \
            (select id, class_id, price_minor, benefit_id from enrolment where state = 'booked' \
            union all select id, class_id, price_minor, benefit_id from unnamed_seat where state = 'booked') e \
            join class c on c.id = e.class_id where c.state in ('open', 'running') and e.price_minor > 0 \
            and e.benefit_id is null and exists (select 1 from charge g where g.entity = 'enrolment' \
            and g.entity_id = e.id and g.reversed_at is not null) and not exists (select 1 from charge g \
            where g.entity = 'enrolment' and g.entity_id = e.id and g.reversed_at is null \
            and (g.state <> 'void' or g.settled_by is not null))",
    },
    Clause {
        promise: 3,
        name: "seat_of_a_closed_class_unsettled",
        sql: "select e.id, 'the class is over, and what paid for the seat is still held' as detail from enrolment e \
            join class c on c.id = e.class_id where c.state in ('completed', 'cancelled') and exists (select 1 from benefit_entry b \
            where b.entity = 'enrolment' and b.entity_id = e.id and b.kind = 'reserve' and b.settled_as is null) \
            and not exists (select 1 from make_up m join class h on h.id = m.class_id where c.state = 'completed' \
            and m.enrolment_id = e.id and m.state = 'booked' and h.state in ('open', 'running'))",
    },
    Clause {
        promise: 3,
        name: "ended_seat_unsettled",
        sql: "select e.id, 'the place has ended, and what paid for it is still held' as detail from enrolment e \
            where e.state in ('cancelled', 'cancelled_late') and exists (select 1 from benefit_entry b \
            where b.entity = 'enrolment' and b.entity_id = e.id and b.kind = 'reserve' and b.settled_as is null)",
    },
    Clause {
        promise: 3,
        name: "excused_seat_that_costs",
        sql: "select e.id, 'its learner was excused from all of the class, and still it costs' as detail \
            from enrolment e join class c on c.id = e.class_id where e.state = 'booked' and c.state = 'completed' \
            and not exists (select 1 from make_up m where m.enrolment_id = e.id) \
            and not exists (select 1 from class_session s where s.class_id = c.id and not exists (select 1 from attendance a \
            where a.session_id = s.id and a.enrolment_id = e.id and a.mark = 'excused')) \
            and (exists (select 1 from benefit_entry b where b.entity = 'enrolment' and b.entity_id = e.id and b.kind = 'use') \
            or exists (select 1 from charge g where g.entity = 'enrolment' and g.entity_id = e.id and g.state = 'due'))",
    },
    Clause {
        promise: 3,
        name: "no_show_against_the_rules",
        sql: "select e.id, 'by the rules of the class what a seat cost that nobody came to is ' || c.no_show as detail \
            from enrolment e join class c on c.id = e.class_id where e.state = 'booked' and c.state = 'completed' \
            and not exists (select 1 from make_up m where m.enrolment_id = e.id) \
            and not exists (select 1 from attendance a where a.enrolment_id = e.id and a.mark in ('present', 'late', 'partial')) \
            and exists (select 1 from attendance a where a.enrolment_id = e.id and a.mark = 'absent') \
            and (exists (select 1 from benefit_entry b where b.entity = 'enrolment' and b.entity_id = e.id \
            and b.kind = case c.no_show when 'spent' then 'release' else 'use' end \
            and not exists (select 1 from benefit_entry o where o.entity = b.entity and o.entity_id = b.entity_id \
            and o.kind = 'reserve' and o.id > b.id)) or (c.no_show = 'returned' and exists (select 1 from charge g \
            where g.entity = 'enrolment' and g.entity_id = e.id and g.state = 'due')) \
            or (c.no_show = 'spent' and e.price_minor > 0 and not exists (select 1 from charge g \
            where g.entity = 'enrolment' and g.entity_id = e.id and (g.state <> 'void' or g.settled_by is not null))))",
    },
    Clause {
        promise: 2,
        name: "start_without_a_job",
        sql: "select c.id, 'nothing will begin this class' as detail from class c where c.state = 'open' \
            and not exists (select 1 from job j where j.kind = 'start_class' and j.failed_at is null and j.run_at = c.starts_at)",
    },
    Clause {
        promise: 1,
        name: "session_over_capacity",
        sql: "select s.id, 'learners and guests are more than ' || cast(c.capacity as text) as detail from class_session s \
            join class c on c.id = s.class_id where (select count(*) from make_up m where m.session_id = s.id and m.state = 'booked') > 0 \
            and (select count(*) from make_up m where m.session_id = s.id and m.state = 'booked') \
            + (select count(*) from enrolment e where e.class_id = c.id and e.state in ('booked', 'offered')) > c.capacity",
    },
    Clause {
        promise: 1,
        name: "session_guests_miscounted",
        sql: "select s.id, 'guests says ' || cast(s.guests as text) as detail from class_session s \
            where s.guests <> (select count(*) from make_up m where m.session_id = s.id and m.state = 'booked')",
    },
    Clause {
        promise: 1,
        name: "class_guests_miscounted",
        sql: "select c.id, 'guests says ' || cast(c.guests as text) as detail from class c \
            where c.guests <> coalesce((select max(s.guests) from class_session s where s.class_id = c.id), 0)",
    },
    Clause {
        promise: 1,
        name: "make_up_without_its_time",
        sql: "select m.id, 'a make-up does not take its learner''s time' as detail from make_up m \
            join class c on c.id = m.class_id where m.state = 'booked' and m.mark is null and c.state in ('open', 'running') \
            and not exists (select 1 from busy b where b.entity = 'make_up' and b.entity_id = m.id)",
    },
    Clause {
        promise: 1,
        name: "make_up_of_another_course",
        sql: "select m.id, 'the session made up is of another course, or of the same class' as detail from make_up m \
            join class_session h on h.id = m.missed_id join class k on k.id = h.class_id join class c on c.id = m.class_id \
            where m.state = 'booked' and (k.course_id <> c.course_id or k.id = c.id)",
    },
    Clause {
        promise: 1,
        name: "make_up_without_its_seat",
        sql: "select m.id, 'what is made up was missed on a seat that was given back' as detail from make_up m \
            join enrolment e on e.id = m.enrolment_id where m.state = 'booked' and m.mark is null and e.state <> 'booked'",
    },
    Clause {
        promise: 2,
        name: "guest_of_a_cancelled_class",
        sql: "select m.id, 'a session is made up in a class that does not take place' as detail from make_up m \
            join class c on c.id = m.class_id where c.state = 'cancelled' and m.state = 'booked' and m.mark is null",
    },
    Clause {
        promise: 2,
        name: "guest_unmarked_in_a_closed_class",
        sql: "select m.id, 'the class is over, and nobody said whether its guest was there' as detail from make_up m \
            join class c on c.id = m.class_id where c.state = 'completed' and m.state = 'booked' and m.mark is null",
    },
    Clause {
        promise: 6,
        name: "make_up_without_history",
        sql: "select m.id, 'nothing says how this make-up came to be' as detail from make_up m \
            where not exists (select 1 from history h where h.entity = 'make_up' and h.entity_id = m.id)",
    },
    Clause {
        promise: 6,
        name: "skip_without_reason",
        sql: "select id, 'somebody in line was passed over and cannot read why' as detail from seat_skip where trim(why) = ''",
    },
    Clause {
        promise: 1,
        name: "group_gathers_too_much",
        sql: "select y.id, 'more is held than waits: ' || cast(y.gathered as text) as detail from party y where y.gathered > 0 \
            and y.gathered >= (select count(*) from enrolment e where e.party_id = y.id and e.state = 'waitlisted') \
            + (select count(*) from unnamed_seat u where u.party_id = y.id and u.state = 'waitlisted')",
    },
    Clause {
        promise: 1,
        name: "group_torn_apart",
        sql: "select y.id, 'some of a group that stays together have a seat, others wait' as detail from party y where y.together \
            and (exists (select 1 from enrolment e where e.party_id = y.id and e.state in ('booked', 'offered')) \
            or exists (select 1 from unnamed_seat u where u.party_id = y.id and u.state in ('booked', 'offered'))) \
            and (exists (select 1 from enrolment e where e.party_id = y.id and e.state = 'waitlisted') \
            or exists (select 1 from unnamed_seat u where u.party_id = y.id and u.state = 'waitlisted'))",
    },
    Clause {
        promise: 1,
        name: "group_with_two_deadlines",
        sql: "select y.id, 'an offer to a group has one deadline' as detail from party y join (select party_id, \
            min(offered_until) as first, max(offered_until) as last from (select party_id, offered_until from enrolment \
            where state = 'offered' and party_id is not null union all select party_id, offered_until from unnamed_seat \
            where state = 'offered') as held group by party_id) d on d.party_id = y.id where d.first <> d.last",
    },
    Clause {
        promise: 2,
        name: "gathering_without_end",
        sql: "select y.id, 'nothing will free what is held for this group' as detail from party y where y.gathered > 0 \
            and written(y.class_id) not in (select named(j.payload, class) from job j where j.kind = 'open_line' \
            and j.done_at is null and j.failed_at is null)",
    },
    Clause {
        promise: 2,
        name: "unnamed_seat_without_end",
        sql: "select u.id, 'nothing will give this seat back' as detail from unnamed_seat u \
            where u.state in ('waitlisted', 'offered', 'booked') \
            and written(u.class_id) not in (select named(j.payload, class) from job j where j.kind = 'return_seats' \
            and j.done_at is null and j.failed_at is null)",
    },
    Clause {
        promise: 2,
        name: "unnamed_seat_after_the_class",
        sql: "select u.id, 'a seat without a name is left in a class that is over' as detail from unnamed_seat u \
            join class c on c.id = u.class_id where c.state in ('completed', 'cancelled') \
            and u.state in ('waitlisted', 'offered', 'booked')",
    },
    Clause {
        promise: 6,
        name: "group_without_history",
        sql: "select y.id, 'nothing says how this group came to be' as detail from party y where not exists \
            (select 1 from history h where h.entity = 'party' and h.entity_id = y.id)",
    },
    Clause {
        promise: 1,
        name: "retired_equipment_planned",
        sql: "select u.class_id as id, 'the class counts on ' || q.name || ', which is out of use' as detail from equipment q \
            join class_equipment u on u.equipment_id = q.id join class c on c.id = u.class_id \
            where q.retired_at is not null and c.state in ('draft', 'open', 'running') and c.ends_at > q.retired_at",
    },
    Clause {
        promise: 2,
        name: "lapse_without_a_letter",
        sql: "select f.id, 'nothing will tell that this certificate lapses' as detail from certificate f \
            where f.last_valid_on is not null and not exists (select 1 from job j where j.kind = 'tell_lapse' \
            and j.failed_at is null and j.run_at = f.lapse_told_at)",
    },
    Clause {
        promise: 6,
        name: "invitation_without_history",
        sql: "select i.id, 'nothing says who invited to this firm, or how it ended' as detail from team_invitation i \
            where not exists (select 1 from history h where h.entity = 'team_invitation' and h.entity_id = i.id \
            and h.to_state = i.state)",
    },
];

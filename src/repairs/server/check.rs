//! What always holds for repairs, as statements that find what breaks it.

use crate::cli::Clause;

/// The promises about repairs.
pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 1,
        name: "slot_over_capacity",
        sql: "select a.workshop_id as id, a.service || ' ' || cast(a.starts_at as text) || ': ' || cast(count(*) as text) \
              || ' appointments for ' || cast(l.capacity as text) as detail \
              from appointment a join slot_load l on l.workshop_id = a.workshop_id and l.service = a.service \
              and l.starts_at = a.starts_at where a.state in ('booked', 'kept') \
              group by a.workshop_id, a.service, a.starts_at, l.capacity having count(*) > l.capacity",
    },
    // Slots that were of another length, or began elsewhere, when somebody booked overlap those of today.
    Clause {
        promise: 1,
        name: "workshop_over_capacity",
        sql: "select l.workshop_id as id, l.service || ' ' || cast(l.at as text) || ': ' || cast(l.level as text) || ' at once' \
              as detail from (select m.workshop_id, m.service, m.at, m.change, sum(m.change) over \
              (partition by m.workshop_id, m.service order by m.at, m.change rows unbounded preceding) as level from \
              (select workshop_id, service, starts_at as at, 1 as change from appointment where state in ('booked', 'kept') \
              union all select workshop_id, service, ends_at, -1 from appointment where state in ('booked', 'kept')) m) l \
              join workshop w on w.id = l.workshop_id where l.change = 1 \
              and l.level > case when l.service = 'desk' then w.desk_capacity else w.visit_capacity end \
              and l.level > (select max(s.capacity) from appointment a join slot_load s on s.workshop_id = a.workshop_id \
              and s.service = a.service and s.starts_at = a.starts_at where a.workshop_id = l.workshop_id \
              and a.service = l.service and a.state in ('booked', 'kept') and a.starts_at <= l.at and a.ends_at > l.at)",
    },
    Clause {
        promise: 1,
        name: "slot_load_differs_from_appointments",
        sql: "select l.workshop_id as id, l.service || ' ' || cast(l.starts_at as text) || ': ' || cast(l.booked as text) \
              || ' counted, ' || cast(count(a.id) as text) || ' appointments' as detail \
              from slot_load l left join appointment a on a.workshop_id = l.workshop_id and a.service = l.service \
              and a.starts_at = l.starts_at and a.state in ('booked', 'kept') \
              group by l.workshop_id, l.service, l.starts_at, l.booked having count(a.id) <> l.booked",
    },
    Clause {
        promise: 1,
        name: "appointment_without_slot",
        sql: "select a.id, a.service || ' ' || cast(a.starts_at as text) as detail from appointment a \
              left join slot_load l on l.workshop_id = a.workshop_id and l.service = a.service and l.starts_at = a.starts_at \
              where a.state in ('booked', 'kept') and l.workshop_id is null",
    },
    Clause {
        promise: 1,
        name: "technician_at_two_visits",
        sql: "select a.id, cast(a.starts_at as text) as detail from appointment a join appointment b \
              on b.technician_id = a.technician_id and b.id <> a.id and b.state = 'booked' \
              and a.starts_at < b.ends_at and b.starts_at < a.ends_at \
              where a.state = 'booked' and a.service = 'visit' and b.service = 'visit'",
    },
    Clause {
        promise: 1,
        name: "visit_without_its_time",
        sql: "select a.id, 'the visit does not take its technician''s time' as detail from appointment a \
              where a.state = 'booked' and a.service = 'visit' and a.technician_id is not null \
              and not exists (select 1 from busy b where b.entity = 'repair' and b.entity_id = a.repair_id \
              and b.resource_kind = 'person' and b.resource_id = a.technician_id \
              and b.starts_at = a.starts_at and b.ends_at = a.ends_at)",
    },
    Clause {
        promise: 1,
        name: "booked_repair_without_its_appointment",
        sql: "select r.id, r.rma || ' at ' || coalesce(cast(r.appointment_at as text), '-') as detail from repair r \
              where r.state = 'booked' and not exists (select 1 from appointment a where a.repair_id = r.id \
              and a.state = 'booked' and a.starts_at = r.appointment_at and a.workshop_id = r.workshop_id)",
    },
    Clause {
        promise: 1,
        name: "appointment_of_no_booked_repair",
        sql: "select a.id, r.rma || ' is ' || r.state as detail from appointment a join repair r on r.id = a.repair_id \
              where a.state = 'booked' and r.state <> 'booked'",
    },
    Clause {
        promise: 1,
        name: "repair_without_its_reservation",
        sql: "select r.id, r.rma || ' is ' || r.state as detail from repair r where r.benefit_id is not null \
              and r.state not in ('handed_back', 'closed', 'cancelled', 'not_repairable') \
              and not exists (select 1 from benefit_entry e where e.kind = 'reserve' and e.settled_as is null \
              and e.entity = 'repair' and e.entity_id = r.id and e.benefit_id = r.benefit_id)",
    },
    Clause {
        promise: 2,
        name: "repair_without_next_step",
        sql: "select id, rma || ' is ' || state as detail from repair \
              where state not in ('closed', 'cancelled', 'not_repairable') \
              and (next_step is null or next_by is null or next_due is null)",
    },
    Clause {
        promise: 2,
        name: "repair_without_owner",
        sql: "select r.id, r.rma || ' is ' || r.state as detail from repair r \
              where r.state not in ('handed_back', 'closed', 'cancelled', 'not_repairable') and r.technician_id is null \
              and exists (select 1 from person_role pr join person p on p.id = pr.person_id \
              where pr.role = 'technician' and p.erased_at is null)",
    },
    Clause {
        promise: 2,
        name: "ended_repair_with_next_step",
        sql: "select id, rma || ' is ' || state as detail from repair \
              where state in ('closed', 'cancelled', 'not_repairable') and (next_due is not null or ended_at is null)",
    },
    Clause {
        promise: 2,
        name: "quote_without_end",
        sql: "select q.id, 'nothing will end this quote, valid until ' || cast(q.valid_until as text) as detail from quote q \
              where q.state = 'sent' and written(q.id) not in (select named(j.payload, quote) from job j \
              where j.kind = 'lapse_quote' and j.done_at is null and j.failed_at is null)",
    },
    Clause {
        promise: 3,
        name: "repair_begun_without_coverage_or_accepted_quote",
        sql: "select r.id, r.rma || ' is ' || r.state as detail from repair r \
              where not r.covered and r.state in ('approved', 'in_repair', 'waiting_for_parts', 'repaired') \
              and not exists (select 1 from quote q where q.repair_id = r.id and q.answered_at is not null \
              and q.state in ('accepted', 'superseded'))",
    },
    Clause {
        promise: 3,
        name: "quote_total_differs_from_lines",
        sql: "select q.id, cast(q.total_minor as text) || ' of ' || \
              cast(coalesce(sum(l.quantity * l.unit_minor), 0) as text) as detail \
              from quote q left join quote_line l on l.quote_id = q.id \
              group by q.id, q.total_minor having q.total_minor <> coalesce(sum(l.quantity * l.unit_minor), 0)",
    },
    Clause {
        promise: 3,
        name: "accepted_quote_without_charge",
        sql: "select q.id, cast(q.total_minor as text) || ' is charged nowhere' as detail from quote q \
              where q.state = 'accepted' and q.total_minor > 0 \
              and not exists (select 1 from charge c where c.entity = 'quote' and c.entity_id = q.id)",
    },
    Clause {
        promise: 3,
        name: "charge_above_accepted_quote",
        sql: "select c.id, cast(c.amount_minor as text) || ' for a quote of ' || cast(q.total_minor as text) as detail \
              from charge c join quote q on q.id = c.entity_id where c.entity = 'quote' and c.state <> 'void' \
              and (c.amount_minor > q.total_minor or c.amount_currency <> q.total_currency \
              or q.state not in ('accepted', 'superseded'))",
    },
    Clause {
        promise: 3,
        name: "charge_above_diagnosis_fee",
        sql: "select c.id, cast(c.amount_minor as text) || ' for a fee of ' || cast(r.fee_minor as text) as detail \
              from charge c join repair r on r.id = c.entity_id where c.entity = 'repair' and c.state <> 'void' \
              and c.amount_minor > r.fee_minor",
    },
    Clause {
        promise: 4,
        name: "photo_without_size",
        sql: "select id, file as detail from photo where length(sha256) <> 64 or length(file) <> 36",
    },
    Clause {
        promise: 6,
        name: "impossible_transition",
        sql: "select h.entity_id as id, coalesce(h.from_state, '-') || ' to ' || coalesce(h.to_state, '-') as detail \
              from history h where h.entity = 'repair' and h.to_state is not null \
              and coalesce(h.from_state, '') || '>' || h.to_state not in ('>requested', '>booked', \
              'requested>booked', 'requested>cancelled', 'requested>received', 'booked>booked', 'booked>cancelled', \
              'booked>received', 'received>diagnosed', 'received>not_repairable', 'diagnosed>quoted', \
              'diagnosed>in_repair', 'diagnosed>not_repairable', 'quoted>quoted', 'quoted>approved', 'quoted>declined', \
              'quoted>diagnosed', 'approved>in_repair', 'approved>waiting_for_parts', 'declined>quoted', \
              'declined>ready', 'in_repair>waiting_for_parts', 'in_repair>quoted', 'in_repair>repaired', \
              'in_repair>not_repairable', 'waiting_for_parts>in_repair', 'waiting_for_parts>waiting_for_parts', \
              'waiting_for_parts>not_repairable', 'repaired>ready', 'repaired>in_repair', 'ready>handed_back', \
              'handed_back>closed')",
    },
    // Each line begins where the one before it ended.
    Clause {
        promise: 6,
        name: "repair_history_with_a_gap",
        sql: "select l.id, coalesce(l.before, '-') || ', then from ' || coalesce(l.from_state, '-') as detail from \
              (select h.entity_id as id, h.from_state, \
              lag(h.to_state) over (partition by h.entity_id order by h.at, h.id) as before \
              from history h where h.entity = 'repair' and h.to_state is not null) l \
              where coalesce(l.before, '') <> coalesce(l.from_state, '')",
    },
    Clause {
        promise: 6,
        name: "repair_state_unexplained",
        sql: "select r.id, r.rma || ' is ' || r.state as detail from repair r \
              where not exists (select 1 from history h where h.entity = 'repair' and h.entity_id = r.id \
              and h.to_state = r.state)",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repairs::domain::TRANSITIONS;

    #[test]
    fn the_statement_about_transitions_lists_exactly_those_of_the_rules() {
        let sql = CLAUSES.iter().find(|clause| clause.name == "impossible_transition").unwrap().sql;
        let listed: Vec<&str> = sql.split('\'').filter(|text| text.contains('>') && text.len() > 1).collect();
        for t in TRANSITIONS {
            assert!(listed.contains(&format!("{}>{}", t.from, t.to).as_str()), "{t:?}");
        }
        let known = |pair: &str| {
            let (from, to) = pair.split_once('>').unwrap();
            from.is_empty() || TRANSITIONS.iter().any(|t| (t.from.as_str(), t.to.as_str()) == (from, to))
        };
        assert!(listed.iter().all(|pair| known(pair)), "{listed:?}");
    }
}

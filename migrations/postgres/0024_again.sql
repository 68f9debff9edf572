-- A charge that was reversed stands for nothing any more: what is agreed to again is charged again.
alter table charge add column reversed_at timestamptz check (reversed_at is null or state in ('paid', 'waived'));
update charge set reversed_at = (select b.created_at from refund b where b.charge_id = charge.id)
where state = 'paid';
update charge set reversed_at = settled_at
where state = 'waived' and entity = 'enrolment'
and exists (select 1 from enrolment e where e.id = charge.entity_id and e.state in ('offered', 'cancelled'));
drop index charge_once;
create unique index charge_once on charge (entity, entity_id, reason) where state <> 'void' and reversed_at is null;

-- What was repaired at the customer's is handed over there: nobody has to come for it.
update repair set next_step = 'hand_over_there', next_by = 'technician' where state = 'ready' and mode = 'on_site';

-- The earlier repair whose fault has come back, as the customer says: the warranty on that work pays.
alter table repair add column same_as uuid references repair (id);

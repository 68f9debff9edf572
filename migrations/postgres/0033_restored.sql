-- What a seat used that was given up too late comes back where its class does not take place.
alter table benefit_entry drop constraint benefit_entry_kind_check;
alter table benefit_entry add constraint benefit_entry_kind_check
    check (kind in ('grant', 'reserve', 'use', 'release', 'restore', 'expire', 'extend'));
-- So it does of what was cancelled before.
insert into benefit_entry (id, benefit_id, at, kind, units, entity, entity_id)
select gen_random_uuid(), r.benefit_id, c.changed_at, 'restore', r.units, r.entity, r.entity_id from benefit_entry r
join (select id, class_id from enrolment union all select id, class_id from unnamed_seat) e on e.id = r.entity_id
join class c on c.id = e.class_id
where r.entity = 'enrolment' and r.kind = 'reserve' and r.settled_as = 'used' and c.state = 'cancelled';
update benefit set used = used - (select sum(n.units) from benefit_entry n where n.benefit_id = benefit.id and n.kind = 'restore'),
    available = available + (select sum(n.units) from benefit_entry n where n.benefit_id = benefit.id and n.kind = 'restore')
where id in (select benefit_id from benefit_entry where kind = 'restore');
update benefit_entry set settled_as = 'released'
where kind = 'reserve' and settled_as = 'used' and exists (select 1 from benefit_entry n where n.benefit_id = benefit_entry.benefit_id
    and n.entity = benefit_entry.entity and n.entity_id = benefit_entry.entity_id and n.kind = 'restore');
insert into refund (charge_id, created_at) select g.id, c.changed_at from charge g
join (select id, class_id from enrolment union all select id, class_id from unnamed_seat) e on e.id = g.entity_id
join class c on c.id = e.class_id
where g.entity = 'enrolment' and g.state = 'paid' and c.state = 'cancelled'
and not exists (select 1 from refund r where r.charge_id = g.id);
update charge set reversed_at = (select r.created_at from refund r where r.charge_id = charge.id)
where entity = 'enrolment' and state = 'paid' and reversed_at is null
and exists (select 1 from refund r where r.charge_id = charge.id)
and entity_id in (select e.id from (select id, class_id from enrolment union all select id, class_id from unnamed_seat) e
    join class c on c.id = e.class_id where c.state = 'cancelled');
update charge set state = 'void', settled_at = created_at
where entity = 'enrolment' and state = 'due'
and entity_id in (select e.id from (select id, class_id from enrolment union all select id, class_id from unnamed_seat) e
    join class c on c.id = e.class_id where c.state = 'cancelled');

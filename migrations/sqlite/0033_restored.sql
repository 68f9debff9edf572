-- What a seat used that was given up too late comes back where its class does not take place.
create table benefit_entry_new (
    id blob primary key,
    benefit_id blob not null references benefit (id),
    at text not null,
    kind text not null check (kind in ('grant', 'reserve', 'use', 'release', 'restore', 'expire', 'extend')),
    units integer not null check (units >= 0),
    -- what it was reserved for
    entity text,
    entity_id blob,
    -- a reservation is settled as used or released, and what was used can be released after all by an entry of its own
    settled_as text check (settled_as in ('used', 'released')),
    check ((entity is null) = (entity_id is null)),
    check (settled_as is null or kind = 'reserve')
) strict;
insert into benefit_entry_new select id, benefit_id, at, kind, units, entity, entity_id, settled_as from benefit_entry;
drop table benefit_entry;
alter table benefit_entry_new rename to benefit_entry;
create index benefit_entry_by_benefit on benefit_entry (benefit_id, at, id);
create index benefit_entry_open on benefit_entry (entity_id, entity) where kind = 'reserve' and settled_as is null;
-- So it does of what was cancelled before.
insert into benefit_entry (id, benefit_id, at, kind, units, entity, entity_id)
select randomblob(16), r.benefit_id, c.changed_at, 'restore', r.units, r.entity, r.entity_id from benefit_entry r
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

-- A seat that was paid for, given back and booked again while its refund was still open: until 0024 the payment counted
-- again and the refund stayed by mistake. It pays for the seat, as it would for one that is booked again today.
update charge set reversed_at = null
where state = 'paid' and entity = 'enrolment' and reversed_at is not null
and exists (select 1 from refund b where b.charge_id = charge.id and b.paid_at is null)
and exists (select 1 from (select id, class_id, price_minor, price_currency from enrolment
    where state = 'booked' and benefit_id is null
    union all select id, class_id, price_minor, price_currency from unnamed_seat
    where state = 'booked' and benefit_id is null) e
    join class c on c.id = e.class_id where e.id = charge.entity_id and c.state in ('open', 'running')
    and e.price_minor = charge.amount_minor and e.price_currency = charge.amount_currency)
-- Not where something else is owed or was paid for it since, nor twice.
and not exists (select 1 from charge o where o.entity = charge.entity and o.entity_id = charge.entity_id
    and o.id <> charge.id and ((o.reversed_at is null and (o.state <> 'void' or o.settled_by is not null))
    or (o.state = 'paid' and o.reversed_at is not null and o.id > charge.id)));
delete from refund where paid_at is null and exists (select 1 from charge c where c.id = refund.charge_id
    and c.entity = 'enrolment' and c.state = 'paid' and c.reversed_at is null);

-- What was paid for something that does not happen is paid back: one reversal, of the whole charge.

create table refund (
    charge_id uuid primary key references charge (id),
    created_at timestamptz not null,
    paid_at timestamptz,
    paid_by uuid references person (id),
    check ((paid_at is null) = (paid_by is null))
);
create index refund_open on refund (created_at, charge_id) where paid_at is null;

-- A piece that its owner gives to somebody else, who takes it over or does not.
create table hand_over (
    id uuid primary key,
    item_id uuid not null references item (id),
    from_id uuid not null references person (id),
    to_email text not null,
    state text not null check (state in ('open', 'taken', 'declined', 'withdrawn')),
    created_at timestamptz not null,
    answered_at timestamptz,
    check ((state = 'open') = (answered_at is null))
);
create unique index hand_over_open on hand_over (item_id) where state = 'open';
create index hand_over_by_item on hand_over (item_id, created_at);

-- What was cancelled before there were refunds: a seat given back, a job given up, a quote that another one replaced.
insert into refund (charge_id, created_at)
select c.id, c.settled_at from charge c
where c.state = 'paid' and (
    (c.entity = 'enrolment' and exists (select 1 from enrolment e where e.id = c.entity_id and e.state = 'cancelled'))
    or (c.entity = 'quote' and exists (select 1 from quote q join repair r on r.id = q.repair_id
        where q.id = c.entity_id and (q.state = 'superseded' or r.state = 'not_repairable'))));

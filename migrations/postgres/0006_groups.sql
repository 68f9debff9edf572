-- Groups: people of a firm who enrol together, seats that are named later, and the line that they wait in.

create table party (
    id uuid primary key,
    class_id uuid not null references class (id),
    organisation_id uuid not null references organisation (id),
    -- Who enrolled them and answers for them.
    owner_id uuid not null references person (id),
    -- All or nobody: while such a group is first in line, freed seats are gathered for it.
    together boolean not null,
    gathered bigint not null check (gathered >= 0),
    size bigint not null check (size > 0),
    created_at timestamptz not null,
    check (together or gathered = 0)
);
create index party_by_class on party (class_id, created_at);
create index party_by_organisation on party (organisation_id, created_at);

alter table enrolment add column party_id uuid references party (id);
create index enrolment_by_party on enrolment (party_id);

-- A seat or a place in line without a name yet. Once it is named it becomes the enrolment with the same id.
create table unnamed_seat (
    id uuid primary key,
    party_id uuid not null references party (id),
    class_id uuid not null references class (id),
    state text not null check (state in ('waitlisted', 'offered', 'booked', 'cancelled')),
    queue_number bigint,
    offered_until timestamptz,
    benefit_id uuid references benefit (id),
    price_minor bigint not null check (price_minor >= 0),
    price_currency text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    check (state <> 'offered' or offered_until is not null)
);
create index unnamed_seat_by_class on unnamed_seat (class_id, state, queue_number);
create index unnamed_seat_by_party on unnamed_seat (party_id);

-- Whenever the line was not served strictly in its order: who was passed over, why, and for whom.
create table line_skip (
    id uuid primary key,
    class_id uuid not null references class (id),
    party_id uuid not null references party (id),
    reason text not null check (reason in ('does_not_fit', 'larger_than_class', 'gathering_ended')),
    -- How many seats the group needed, and how many there were.
    needed bigint not null,
    free bigint not null,
    -- The place that was served instead, where one was.
    served_id uuid,
    at timestamptz not null
);
create index line_skip_by_class on line_skip (class_id, at);
create index line_skip_by_party on line_skip (party_id, at);

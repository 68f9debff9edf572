-- Planning: the rules that a class was published under, who and what it needs besides its trainer and room, absences
-- and hours of trainers, and what learners ask for.

alter table class add column opens_at timestamptz;
alter table class add column closes_at timestamptz;
-- After the class was moved, cancelling is free until then for everybody.
alter table class add column grace_until timestamptz;
alter table class add column freeze_minutes bigint not null default 120 check (freeze_minutes >= 0);
alter table class add column offer_minutes bigint not null default 1440 check (offer_minutes > 0);
alter table class add column late_cancel text not null default 'spent' check (late_cancel in ('spent', 'returned'));
alter table class add column no_show text not null default 'spent' check (no_show in ('spent', 'returned'));

-- When the waitlist was to close as the offer was made: what applied then.
alter table enrolment add column offer_freezes_at timestamptz;

-- A thing that classes use and that one class can have at a time. Its time is kept like a room's.
create table equipment (
    id uuid primary key,
    name text not null,
    place text not null,
    created_at timestamptz not null
);

create table class_equipment (
    class_id uuid not null references class (id),
    equipment_id uuid not null references equipment (id),
    primary key (class_id, equipment_id)
);
create index class_equipment_by_equipment on class_equipment (equipment_id);

create table class_assistant (
    class_id uuid not null references class (id),
    person_id uuid not null references person (id),
    primary key (class_id, person_id)
);
create index class_assistant_by_person on class_assistant (person_id);

create table absence (
    id uuid primary key,
    person_id uuid not null references person (id),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    why text not null,
    created_at timestamptz not null,
    check (starts_at < ends_at)
);
create index absence_by_person on absence (person_id, ends_at);

-- When somebody works, in minutes of the company's day. Who has no line works whenever it is proposed.
create table working_hours (
    person_id uuid not null references person (id),
    weekday bigint not null check (weekday between 1 and 7),
    opens bigint not null check (opens >= 0),
    closes bigint not null check (closes <= 1440),
    primary key (person_id, weekday, opens),
    check (opens < closes)
);

-- That somebody wants a course at times that suit them.
create table class_wish (
    id uuid primary key,
    course_id uuid not null references course (id),
    person_id uuid not null references person (id),
    language text not null,
    -- Empty for anywhere, on line, or a town.
    place text not null,
    times text not null,
    state text not null check (state in ('open', 'answered', 'withdrawn')),
    -- The class that answered it.
    class_id uuid references class (id),
    created_at timestamptz not null,
    changed_at timestamptz not null,
    check (state <> 'answered' or class_id is not null)
);
create unique index class_wish_open on class_wish (course_id, person_id) where state = 'open';
create index class_wish_by_state on class_wish (state, course_id, created_at);
create index class_wish_by_person on class_wish (person_id, state);

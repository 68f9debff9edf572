-- Planning: the rules that a class was published under, who and what it needs besides its trainer and room, absences
-- and hours of trainers, and what learners ask for.

alter table class add column opens_at text;
alter table class add column closes_at text;
-- After the class was moved, cancelling is free until then for everybody.
alter table class add column grace_until text;
alter table class add column freeze_minutes integer not null default 120 check (freeze_minutes >= 0);
alter table class add column offer_minutes integer not null default 1440 check (offer_minutes > 0);
alter table class add column late_cancel text not null default 'spent' check (late_cancel in ('spent', 'returned'));
alter table class add column no_show text not null default 'spent' check (no_show in ('spent', 'returned'));

-- When the waitlist was to close as the offer was made: what applied then.
alter table enrolment add column offer_freezes_at text;

-- A thing that classes use and that one class can have at a time. Its time is kept like a room's.
create table equipment (
    id blob primary key,
    name text not null,
    place text not null,
    created_at text not null
) strict;

create table class_equipment (
    class_id blob not null references class (id),
    equipment_id blob not null references equipment (id),
    primary key (class_id, equipment_id)
) strict;
create index class_equipment_by_equipment on class_equipment (equipment_id);

create table class_assistant (
    class_id blob not null references class (id),
    person_id blob not null references person (id),
    primary key (class_id, person_id)
) strict;
create index class_assistant_by_person on class_assistant (person_id);

create table absence (
    id blob primary key,
    person_id blob not null references person (id),
    starts_at text not null,
    ends_at text not null,
    why text not null,
    created_at text not null,
    check (starts_at < ends_at)
) strict;
create index absence_by_person on absence (person_id, ends_at);

-- When somebody works, in minutes of the company's day. Who has no line works whenever it is proposed.
create table working_hours (
    person_id blob not null references person (id),
    weekday integer not null check (weekday between 1 and 7),
    opens integer not null check (opens >= 0),
    closes integer not null check (closes <= 1440),
    primary key (person_id, weekday, opens),
    check (opens < closes)
) strict;

-- That somebody wants a course at times that suit them.
create table class_wish (
    id blob primary key,
    course_id blob not null references course (id),
    person_id blob not null references person (id),
    language text not null,
    -- Empty for anywhere, on line, or a town.
    place text not null,
    times text not null,
    state text not null check (state in ('open', 'answered', 'withdrawn')),
    -- The class that answered it.
    class_id blob references class (id),
    created_at text not null,
    changed_at text not null,
    check (state <> 'answered' or class_id is not null)
) strict;
create unique index class_wish_open on class_wish (course_id, person_id) where state = 'open';
create index class_wish_by_state on class_wish (state, course_id, created_at);
create index class_wish_by_person on class_wish (person_id, state);

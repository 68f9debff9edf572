-- Training: courses, classes, seats, attendance, certificates; the calendar that every booking shares.

create table room (
    id uuid primary key,
    name text not null,
    place text not null,
    address text not null,
    zone text not null,
    capacity bigint not null check (capacity > 0)
);

create table course (
    id uuid primary key,
    title text not null,
    summary text not null,
    language text not null,
    pass_percent bigint not null check (pass_percent between 0 and 100),
    created_at timestamptz not null
);

-- A course without products is general: every plan with class seats covers it.
create table course_product (
    course_id uuid not null references course (id),
    product_id uuid not null references product (id),
    primary key (course_id, product_id)
);
create index course_product_by_product on course_product (product_id);

create table class (
    id uuid primary key,
    course_id uuid not null references course (id),
    title text not null,
    title_folded text not null,
    language text not null,
    -- The zone of the place: its wall clock is what was promised.
    zone text not null,
    room_id uuid references room (id),
    -- Where people look for it: the room's town, or empty where it is on line.
    place text not null,
    link text,
    trainer_id uuid not null references person (id),
    state text not null check (state in ('draft', 'open', 'running', 'completed', 'cancelled')),
    capacity bigint not null check (capacity > 0),
    taken bigint not null check (taken >= 0),
    held bigint not null check (held >= 0),
    waiting bigint not null check (waiting >= 0),
    -- The last number drawn by somebody in line.
    queue bigint not null check (queue >= 0),
    price_minor bigint not null check (price_minor >= 0),
    price_currency text not null,
    cut_off_hours bigint not null check (cut_off_hours >= 0),
    -- Of the first and the last session, for listings.
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    version bigint not null,
    -- Rises with changes of time or place, for calendar programs.
    sequence bigint not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    why_cancelled text,
    check (taken + held <= capacity),
    check (room_id is not null or link is not null)
);
create index class_by_start on class (state, starts_at, id);
create index class_by_language on class (state, language, starts_at, id);
create index class_by_place on class (state, place, starts_at, id);
create index class_by_course on class (course_id, state, starts_at);
create index class_by_trainer on class (trainer_id, state, starts_at);

create table class_session (
    id uuid primary key,
    class_id uuid not null references class (id),
    -- The wall clock in the class's zone, and the instants that it means.
    held_on date not null,
    starts text not null,
    ends text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    check (starts_at < ends_at)
);
create index class_session_by_class on class_session (class_id, starts_at);

create table enrolment (
    id uuid primary key,
    class_id uuid not null references class (id),
    person_id uuid not null references person (id),
    organisation_id uuid references organisation (id),
    state text not null check (state in ('waitlisted', 'offered', 'booked', 'cancelled', 'cancelled_late')),
    -- The number drawn when joining the line.
    queue_number bigint,
    offered_until timestamptz,
    benefit_id uuid references benefit (id),
    -- What was agreed to: nothing where a benefit pays.
    price_minor bigint not null check (price_minor >= 0),
    price_currency text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    ended_because text check (ended_because in ('cancelled', 'declined', 'expired', 'class_cancelled')),
    check (state <> 'offered' or offered_until is not null)
);
-- One person has one place in a class.
create unique index enrolment_active on enrolment (class_id, person_id)
    where state in ('waitlisted', 'offered', 'booked');
create index enrolment_by_class on enrolment (class_id, state, queue_number);
create index enrolment_by_person on enrolment (person_id, state, created_at);
create index enrolment_by_organisation on enrolment (organisation_id, created_at);

create table attendance (
    enrolment_id uuid not null references enrolment (id),
    session_id uuid not null references class_session (id),
    mark text not null check (mark in ('present', 'late', 'partial', 'absent', 'excused')),
    marked_by uuid not null references person (id),
    marked_at timestamptz not null,
    primary key (enrolment_id, session_id)
);
create index attendance_by_session on attendance (session_id);

create table certificate (
    id uuid primary key,
    code text not null unique,
    enrolment_id uuid not null unique references enrolment (id),
    person_id uuid not null references person (id),
    class_id uuid not null references class (id),
    title text not null,
    percent bigint not null check (percent between 0 and 100),
    given_at timestamptz not null
);
create index certificate_by_person on certificate (person_id, given_at);

-- Whose time is taken, from when until when, by what.
create table busy (
    id uuid primary key,
    resource_kind text not null check (resource_kind in ('person', 'room', 'workshop')),
    resource_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    entity text not null,
    entity_id uuid not null,
    check (starts_at < ends_at)
);
create index busy_by_resource on busy (resource_kind, resource_id, starts_at);
create index busy_by_entity on busy (entity, entity_id);

-- The secret address of a person's own calendar: made from the installation's key and a serial, found by its hash.
create table calendar_feed (
    person_id uuid primary key references person (id),
    serial text not null,
    token_hash text not null unique,
    created_at timestamptz not null
);

-- The learner's side of training: what a course teaches and asks for, its materials, what learners say in advance,
-- and sessions that are made up elsewhere.

alter table course add column level text not null default 'beginner' check (level in ('beginner', 'intermediate', 'advanced'));
-- Whether who lacks what a course needs before is warned or refused.
alter table course add column needs_rule text not null default 'warn' check (needs_rule in ('warn', 'require'));
-- Title and summary without case and accents, for the search.
alter table course add column search text not null default '';
alter table course add column version bigint not null default 1;
update course set search = lower(title || ' ' || summary);
create index course_by_level on course (level);

create table course_unit (
    course_id uuid not null references course (id),
    number bigint not null check (number > 0),
    title text not null,
    summary text not null,
    minutes bigint not null check (minutes >= 0),
    primary key (course_id, number)
);

create table course_need (
    course_id uuid not null references course (id),
    -- The course to have taken before.
    needs_id uuid not null references course (id),
    primary key (course_id, needs_id),
    check (course_id <> needs_id)
);
create index course_need_by_needed on course_need (needs_id);

create table material (
    id uuid primary key,
    course_id uuid not null references course (id),
    title text not null,
    audience text not null check (audience in ('enrolled', 'everyone')),
    -- Either an address elsewhere, or a file of ours with its name, its media type and its size.
    link text,
    file text unique,
    name text,
    media_type text,
    bytes bigint,
    sha256 text,
    added_by uuid not null references person (id),
    created_at timestamptz not null,
    check ((link is null) <> (file is null)),
    check (file is null or (name is not null and media_type is not null and bytes is not null and sha256 is not null))
);
create index material_by_course on material (course_id, created_at, id);

-- What a learner says before a session.
create table announcement (
    enrolment_id uuid not null references enrolment (id),
    session_id uuid not null references class_session (id),
    kind text not null check (kind in ('late', 'absent')),
    words text not null,
    announced_at timestamptz not null,
    primary key (enrolment_id, session_id)
);
create index announcement_by_session on announcement (session_id);

-- A missed session that is made up in another class of the course.
create table make_up (
    id uuid primary key,
    enrolment_id uuid not null references enrolment (id),
    person_id uuid not null references person (id),
    missed_id uuid not null references class_session (id),
    session_id uuid not null references class_session (id),
    -- The class of that session: where the learner is a guest.
    class_id uuid not null references class (id),
    state text not null check (state in ('booked', 'cancelled')),
    mark text check (mark in ('present', 'late', 'partial', 'absent', 'excused')),
    marked_by uuid references person (id),
    marked_at timestamptz,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    check (missed_id <> session_id)
);
-- One session is made up in one place; who misses that one too may try again.
create unique index make_up_active on make_up (enrolment_id, missed_id)
    where state = 'booked' and (mark is null or mark in ('present', 'late', 'partial'));
create index make_up_by_session on make_up (session_id, state);
create index make_up_by_class on make_up (class_id, state);
create index make_up_by_person on make_up (person_id, created_at);

-- Guests of a session, and of the fullest session of a class: their seats are nobody else's.
alter table class_session add column guests bigint not null default 0 check (guests >= 0);
alter table class add column guests bigint not null default 0 check (guests >= 0 and taken + held + guests <= capacity);

-- The trainer before, in and after the room: invitations for calendar programs, wishes, check-in, seats that staff give.

-- The calendar part of a letter, kept so that a second try sends the same. What belongs to one appointment of one
-- person is a thread: its letters leave in the order of their numbers.
create table message_calendar (
    message_id uuid primary key references message (id),
    thread text not null,
    number bigint not null,
    method text not null check (method in ('request', 'cancel')),
    sequence bigint not null,
    body text not null,
    leased_until timestamptz,
    unique (thread, number)
);

-- What a learner wants to learn, in their own words.
create table wish (
    enrolment_id uuid primary key references enrolment (id),
    words text not null,
    said_at timestamptz not null
);

-- What a mark was before it was set, so that the last one can be taken back.
alter table attendance add column was text;

-- Who was passed over in the line when staff seated somebody behind them, and why.
create table seat_skip (
    id uuid primary key,
    class_id uuid not null references class (id),
    enrolment_id uuid not null references enrolment (id),
    seated_id uuid not null references enrolment (id),
    why text not null,
    by_id uuid not null references person (id),
    at timestamptz not null
);
create index seat_skip_by_class on seat_skip (class_id, at);
create index seat_skip_by_enrolment on seat_skip (enrolment_id, at);

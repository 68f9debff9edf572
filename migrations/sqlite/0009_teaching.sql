-- The trainer before, in and after the room: invitations for calendar programs, wishes, check-in, seats that staff give.

-- The calendar part of a letter, kept so that a second try sends the same. What belongs to one appointment of one
-- person is a thread: its letters leave in the order of their numbers.
create table message_calendar (
    message_id blob primary key references message (id),
    thread text not null,
    number integer not null,
    method text not null check (method in ('request', 'cancel')),
    sequence integer not null,
    body text not null,
    leased_until text,
    unique (thread, number)
) strict;

-- What a learner wants to learn, in their own words.
create table wish (
    enrolment_id blob primary key references enrolment (id),
    words text not null,
    said_at text not null
) strict;

-- What a mark was before it was set, so that the last one can be taken back.
alter table attendance add column was text;

-- Who was passed over in the line when staff seated somebody behind them, and why.
create table seat_skip (
    id blob primary key,
    class_id blob not null references class (id),
    enrolment_id blob not null references enrolment (id),
    seated_id blob not null references enrolment (id),
    why text not null,
    by_id blob not null references person (id),
    at text not null
) strict;
create index seat_skip_by_class on seat_skip (class_id, at);
create index seat_skip_by_enrolment on seat_skip (enrolment_id, at);

-- Cases, feedback and follow-ups: what a customer has open with the people of the company.

create table care_case (
    id blob primary key,
    kind text not null check (kind in ('question', 'incident', 'complaint', 'claim')),
    state text not null check (state in ('open', 'waiting_for_you', 'resolved', 'closed')),
    priority text not null check (priority in ('normal', 'high', 'urgent')),
    customer_id blob not null references person (id),
    owner_id blob references person (id),
    subject text not null,
    -- What it is about: a repair, an item, a class, a feedback request.
    entity text,
    entity_id blob,
    opened_at text not null,
    answer_due_at text,
    first_answered_at text,
    solve_due_at text not null,
    waiting_since text,
    resolved_at text,
    closed_at text,
    reopened integer not null,
    answered_late integer not null,
    solved_late integer not null,
    -- Promise 2: what happens next and by when. Both are there while the case lives; `aftercare check` looks.
    next_step text check (next_step in ('answer', 'solve', 'hear_back', 'close')),
    next_due_at text,
    -- The last word on it, for lists.
    touched_at text not null
) strict;

create index care_case_of_customer on care_case (customer_id, touched_at, id);
create index care_case_of_owner on care_case (owner_id, state, next_due_at, id);
create index care_case_due on care_case (state, next_due_at, id);
create index care_case_about on care_case (entity, entity_id);

create table case_message (
    id blob primary key,
    case_id blob not null references care_case (id),
    at text not null,
    side text not null check (side in ('customer', 'staff')),
    form text not null check (form in ('message', 'question', 'note')),
    author_id blob references person (id),
    words text not null
) strict;

create index case_message_in_order on case_message (case_id, at, id);

-- One question put to one person about one moment.
create table feedback (
    id blob primary key,
    person_id blob not null references person (id),
    moment text not null check (moment in ('delivery', 'repair', 'class', 'case', 'relation')),
    measure text not null check (measure in ('csat', 'nps', 'ces')),
    subject_id blob not null,
    -- What it is about, in words, as it was called when it was asked.
    about text not null,
    asked_at text not null,
    expires_at text not null,
    reminded_at text,
    answered_at text,
    changed_at text,
    score integer check (score between 0 and 10),
    words text,
    recovery_id blob references care_case (id),
    unique (moment, subject_id, person_id)
) strict;

create index feedback_of_person on feedback (person_id, measure, asked_at);
create index feedback_answered on feedback (answered_at, id);
create index feedback_by_moment on feedback (moment, measure, score);

-- The secret links to a question: only their hashes are kept.
create table feedback_link (
    hash text primary key,
    feedback_id blob not null references feedback (id),
    created_at text not null
) strict;

create index feedback_link_of on feedback_link (feedback_id);

-- The next planned contact with a customer.
create table follow_up (
    id blob primary key,
    customer_id blob not null references person (id),
    owner_id blob references person (id),
    what text not null,
    entity text,
    entity_id blob,
    due_at text,
    planned_by blob references person (id),
    planned_at text not null,
    done_at text,
    outcome text check (outcome in ('reached', 'not_reached', 'not_needed')),
    check ((done_at is null) = (outcome is null))
) strict;

create index follow_up_of_customer on follow_up (customer_id, planned_at, id);
create index follow_up_of_owner on follow_up (owner_id, done_at, due_at);
create index follow_up_due on follow_up (done_at, due_at, id);
create index follow_up_about on follow_up (entity, entity_id);

-- Cases, feedback and follow-ups: what a customer has open with the people of the company.

create table care_case (
    id uuid primary key,
    kind text not null check (kind in ('question', 'incident', 'complaint', 'claim')),
    state text not null check (state in ('open', 'waiting_for_you', 'resolved', 'closed')),
    priority text not null check (priority in ('normal', 'high', 'urgent')),
    customer_id uuid not null references person (id),
    owner_id uuid references person (id),
    subject text not null,
    -- What it is about: a repair, an item, a class, a feedback request.
    entity text,
    entity_id uuid,
    opened_at timestamptz not null,
    answer_due_at timestamptz,
    first_answered_at timestamptz,
    solve_due_at timestamptz not null,
    waiting_since timestamptz,
    resolved_at timestamptz,
    closed_at timestamptz,
    reopened integer not null,
    answered_late boolean not null,
    solved_late boolean not null,
    -- Promise 2: what happens next and by when. Both are there while the case lives; `aftercare check` looks.
    next_step text check (next_step in ('answer', 'solve', 'hear_back', 'close')),
    next_due_at timestamptz,
    -- The last word on it, for lists.
    touched_at timestamptz not null
);

create index care_case_of_customer on care_case (customer_id, touched_at, id);
create index care_case_of_owner on care_case (owner_id, state, next_due_at, id);
create index care_case_due on care_case (state, next_due_at, id);
create index care_case_about on care_case (entity, entity_id);

create table case_message (
    id uuid primary key,
    case_id uuid not null references care_case (id),
    at timestamptz not null,
    side text not null check (side in ('customer', 'staff')),
    form text not null check (form in ('message', 'question', 'note')),
    author_id uuid references person (id),
    words text not null
);

create index case_message_in_order on case_message (case_id, at, id);

-- One question put to one person about one moment.
create table feedback (
    id uuid primary key,
    person_id uuid not null references person (id),
    moment text not null check (moment in ('delivery', 'repair', 'class', 'case', 'relation')),
    measure text not null check (measure in ('csat', 'nps', 'ces')),
    subject_id uuid not null,
    -- What it is about, in words, as it was called when it was asked.
    about text not null,
    asked_at timestamptz not null,
    expires_at timestamptz not null,
    reminded_at timestamptz,
    answered_at timestamptz,
    changed_at timestamptz,
    score integer check (score between 0 and 10),
    words text,
    recovery_id uuid references care_case (id),
    unique (moment, subject_id, person_id)
);

create index feedback_of_person on feedback (person_id, measure, asked_at);
create index feedback_answered on feedback (answered_at, id);
create index feedback_by_moment on feedback (moment, measure, score);

-- The secret links to a question: only their hashes are kept.
create table feedback_link (
    hash text primary key,
    feedback_id uuid not null references feedback (id),
    created_at timestamptz not null
);

create index feedback_link_of on feedback_link (feedback_id);

-- The next planned contact with a customer.
create table follow_up (
    id uuid primary key,
    customer_id uuid not null references person (id),
    owner_id uuid references person (id),
    what text not null,
    entity text,
    entity_id uuid,
    due_at timestamptz,
    planned_by uuid references person (id),
    planned_at timestamptz not null,
    done_at timestamptz,
    outcome text check (outcome in ('reached', 'not_reached', 'not_needed')),
    check ((done_at is null) = (outcome is null))
);

create index follow_up_of_customer on follow_up (customer_id, planned_at, id);
create index follow_up_of_owner on follow_up (owner_id, done_at, due_at);
create index follow_up_due on follow_up (done_at, due_at, id);
create index follow_up_about on follow_up (entity, entity_id);

-- People are searched by the beginning of a name or an address: compared byte by byte, so that the index serves it.
alter table person alter column name_lower type text collate "C";
alter table person alter column email type text collate "C";

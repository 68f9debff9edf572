-- People, who may sign in and how, what happened, what waits to be done and what was sent.

create table setting (
    key text primary key,
    value text not null
);

create table person (
    id uuid primary key,
    email text unique,
    name text not null,
    name_lower text not null,
    phone text,
    language text,
    country text,
    zone text,
    staff boolean not null,
    -- What the person chose: null until the account is opened by its owner for the first time.
    first_signed_in_at timestamptz,
    created_at timestamptz not null,
    erased_at timestamptz,
    version bigint not null
);
create index person_by_name on person (name_lower, id);

create table person_role (
    person_id uuid not null references person (id),
    role text not null check (role in ('trainer', 'technician', 'agent', 'manager', 'admin')),
    primary key (person_id, role)
);

create table organisation (
    id uuid primary key,
    name text not null,
    external_id text unique,
    created_at timestamptz not null
);
create index organisation_by_name on organisation (name, id);

create table membership (
    organisation_id uuid not null references organisation (id),
    person_id uuid not null references person (id),
    role text not null check (role in ('owner', 'member')),
    created_at timestamptz not null,
    primary key (organisation_id, person_id)
);
create index membership_by_person on membership (person_id);

create table session (
    id uuid primary key,
    token_hash text not null unique,
    person_id uuid not null references person (id),
    device text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    ends_at timestamptz not null
);
create index session_by_person on session (person_id, created_at);

create table sign_in_challenge (
    id uuid primary key,
    email text not null,
    -- Hashes of the browser's cookie, the six digits and the link; the clear texts are nowhere.
    browser_hash text not null,
    code_hash text not null,
    link_hash text not null unique,
    next_path text not null,
    tries bigint not null,
    created_at timestamptz not null,
    ends_at timestamptz not null,
    used_at timestamptz
);
create index sign_in_challenge_by_email on sign_in_challenge (email, created_at);

-- Counts what is limited: a key, the start of its window, how often. On the real clock.
create table rate (
    key text not null,
    window_start timestamptz not null,
    count bigint not null,
    primary key (key, window_start)
);

create table history (
    id uuid primary key,
    at timestamptz not null,
    actor_kind text not null check (actor_kind in ('guest', 'person', 'link', 'operator', 'system')),
    actor_id uuid,
    act text not null,
    entity text not null,
    entity_id uuid not null,
    customer_id uuid,
    from_state text,
    to_state text,
    why text,
    detail text
);
create index history_by_entity on history (entity, entity_id, at);
create index history_by_customer on history (customer_id, at);

create table job (
    id uuid primary key,
    kind text not null,
    payload text not null,
    run_at timestamptz not null,
    attempts bigint not null,
    -- On the real clock: how long a worker has it, and when it may be tried again.
    leased_until timestamptz,
    done_at timestamptz,
    failed_at timestamptz,
    last_error text,
    created_at timestamptz not null
);
create index job_due on job (run_at, id) where done_at is null and failed_at is null;

create table message (
    id uuid primary key,
    person_id uuid references person (id),
    email text not null,
    channel text not null check (channel in ('email', 'inbox')),
    letter text not null,
    language text not null,
    subject text not null,
    body text not null,
    link text,
    dedupe_key text not null unique,
    created_at timestamptz not null,
    send_after timestamptz not null,
    sent_at timestamptz,
    failed_at timestamptz,
    read_at timestamptz
);
create index message_by_person on message (person_id, created_at, id);
create index message_by_time on message (created_at, id);

-- What a form with a key was answered, so that the same key again is answered the same.
create table answered_key (
    scope text not null,
    key uuid not null,
    digest text not null,
    answer text not null,
    created_at timestamptz not null,
    primary key (scope, key)
);

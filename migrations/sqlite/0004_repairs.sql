-- Repairs: workshops with their hours, slots and how full they are, jobs, photos, quotes, work, the customer's timeline.

create table workshop (
    id blob primary key,
    name text not null,
    address text not null,
    zone text not null,
    slot_minutes integer not null check (slot_minutes between 5 and 1440),
    lead_minutes integer not null check (lead_minutes >= 0),
    horizon_days integer not null check (horizon_days between 0 and 366),
    desk_capacity integer not null check (desk_capacity >= 0),
    visit_capacity integer not null check (visit_capacity >= 0),
    notice_hours integer not null check (notice_hours >= 0),
    quote_days integer not null check (quote_days > 0),
    warranty_days integer not null check (warranty_days >= 0),
    diagnosis_fee_minor integer not null check (diagnosis_fee_minor >= 0),
    visit_fee_minor integer not null check (visit_fee_minor >= 0),
    fee_currency text not null,
    active integer not null,
    created_at text not null
) strict;

-- A break is the gap between two rows of one weekday. Weekday 1 is Monday; minutes after local midnight.
create table opening_hours (
    id blob primary key,
    workshop_id blob not null references workshop (id),
    service text not null check (service in ('desk', 'visit')),
    weekday integer not null check (weekday between 1 and 7),
    opens integer not null check (opens >= 0),
    closes integer not null check (closes <= 1440),
    check (opens < closes)
) strict;
create index opening_hours_workshop on opening_hours (workshop_id, service, weekday, opens);

create table closed_day (
    workshop_id blob not null references workshop (id),
    day text not null,
    label text not null,
    primary key (workshop_id, day)
) strict;

-- The truth about how full a slot is: only conditional updates change it.
create table slot_load (
    workshop_id blob not null references workshop (id),
    service text not null check (service in ('desk', 'visit')),
    starts_at text not null,
    booked integer not null check (booked >= 0),
    capacity integer not null check (capacity >= 0),
    primary key (workshop_id, service, starts_at),
    check (booked <= capacity)
) strict;

create table repair (
    id blob primary key,
    rma text not null unique,
    item_id blob not null references item (id),
    -- what it was called when the repair was asked for
    item_name text not null,
    serial_number text,
    person_id blob not null references person (id),
    organisation_id blob references organisation (id),
    workshop_id blob not null references workshop (id),
    mode text not null check (mode in ('bring_in', 'send_in', 'on_site')),
    fault text not null,
    place text,
    state text not null check (state in ('requested', 'booked', 'received', 'diagnosed', 'quoted', 'approved', 'declined',
        'in_repair', 'waiting_for_parts', 'repaired', 'ready', 'handed_back', 'closed', 'cancelled', 'not_repairable')),
    version integer not null,
    covered integer not null,
    decision text not null,
    benefit_id blob,
    fee_minor integer not null check (fee_minor >= 0),
    fee_currency text not null,
    consent_at text not null,
    technician_id blob references person (id),
    diagnosis text,
    appointment_at text,
    parts_due text,
    next_step text,
    next_by text check (next_by in ('customer', 'technician', 'system')),
    next_due text,
    created_at text not null,
    updated_at text not null,
    ended_at text
) strict;
create index repair_person on repair (person_id, created_at, id);
create index repair_organisation on repair (organisation_id, created_at, id);
create index repair_item on repair (item_id, created_at);
create index repair_queue on repair (state, next_due, id);
create index repair_technician on repair (technician_id, state, next_due);
create index repair_due on repair (next_due, id);

create table appointment (
    id blob primary key,
    repair_id blob not null references repair (id),
    workshop_id blob not null references workshop (id),
    service text not null check (service in ('desk', 'visit')),
    starts_at text not null,
    ends_at text not null,
    zone text not null,
    technician_id blob references person (id),
    state text not null check (state in ('booked', 'kept', 'moved', 'cancelled')),
    created_at text not null
) strict;
create unique index appointment_live on appointment (repair_id) where state in ('booked', 'kept');
create index appointment_slot on appointment (workshop_id, service, starts_at);
create index appointment_day on appointment (state, starts_at, id);

-- A picture without a repair is a draft of its viewer, for 24 hours. The row comes after the file.
create table photo (
    id blob primary key,
    viewer_id blob not null references person (id),
    repair_id blob references repair (id),
    file text not null unique,
    sha256 text not null,
    bytes integer not null check (bytes > 0),
    width integer not null check (width > 0),
    height integer not null check (height > 0),
    created_at text not null
) strict;
create index photo_viewer on photo (viewer_id, created_at, id);
create index photo_repair on photo (repair_id, created_at, id);
create index photo_age on photo (created_at, id);

create table repair_draft (
    person_id blob primary key references person (id),
    fault text not null,
    place text not null,
    updated_at text not null
) strict;

create table quote (
    id blob primary key,
    repair_id blob not null references repair (id),
    state text not null check (state in ('sent', 'accepted', 'declined', 'expired', 'superseded')),
    total_minor integer not null check (total_minor >= 0),
    total_currency text not null,
    valid_until text not null,
    words text,
    sent_at text not null,
    sent_by blob references person (id),
    answered_at text,
    answered_by blob references person (id)
) strict;
create unique index quote_open on quote (repair_id) where state = 'sent';
create index quote_repair on quote (repair_id, sent_at, id);
create index quote_expiry on quote (state, valid_until);

create table quote_line (
    id blob primary key,
    quote_id blob not null references quote (id),
    place integer not null,
    label text not null,
    quantity integer not null check (quantity > 0),
    unit_minor integer not null check (unit_minor >= 0),
    unit_currency text not null
) strict;
create unique index quote_line_place on quote_line (quote_id, place);

create table repair_work (
    id blob primary key,
    repair_id blob not null references repair (id),
    kind text not null check (kind in ('work', 'part')),
    label text not null,
    quantity integer not null check (quantity > 0),
    part_number text,
    done_by blob references person (id),
    at text not null
) strict;
create index repair_work_repair on repair_work (repair_id, at, id);

-- What the customer sees of the job's past.
create table repair_event (
    id blob primary key,
    repair_id blob not null references repair (id),
    at text not null,
    actor text not null check (actor in ('customer', 'technician', 'system')),
    verb text not null,
    from_state text,
    to_state text not null,
    note text
) strict;
create index repair_event_repair on repair_event (repair_id, at, id);

-- What was sold: products, plans, purchases, items; the rights they carry; what is owed; and how it comes in.

create table product (
    id blob primary key,
    -- 'sku:' and the article number, or 'name:' and the name where there is none
    key text not null unique,
    sku text,
    name text not null,
    -- name, brand, category and sku in lower case, to search in
    search text not null,
    brand text,
    category text,
    kind text not null check (kind in ('goods', 'software', 'journey', 'installation')),
    unit_price_minor integer check (unit_price_minor >= 0),
    unit_price_currency text,
    warranty_months integer check (warranty_months >= 0),
    created_at text not null,
    updated_at text not null,
    check ((unit_price_minor is null) = (unit_price_currency is null))
) strict;
create index product_by_name on product (name, id);

create table plan (
    code text primary key,
    name text not null,
    period_months integer not null check (period_months > 0),
    training_seats integer not null check (training_seats >= 0),
    maintenance_visits integer not null check (maintenance_visits >= 0),
    repairs integer not null check (repairs >= 0),
    applies_to_kind text check (applies_to_kind in ('goods', 'software', 'journey', 'installation')),
    updated_at text not null
) strict;

create table purchase (
    id blob primary key,
    order_number text not null,
    order_line integer not null,
    -- who bought it; the address as it stood in the order, to know the buyer again
    person_id blob not null references person (id),
    buyer_email text not null,
    organisation_id blob references organisation (id),
    product_id blob not null references product (id),
    -- frozen when it was sold, whatever becomes of the product
    product_name text not null,
    brand text,
    category text,
    kind text not null check (kind in ('goods', 'software', 'journey', 'installation')),
    purchased_on text not null,
    delivered_on text,
    country text,
    quantity integer not null check (quantity > 0),
    unit_price_minor integer check (unit_price_minor >= 0),
    unit_price_currency text,
    warranty_months integer check (warranty_months >= 0),
    plan_code text references plan (code),
    -- what a reader may search for, in lower case: product, brand, category, order number, serial numbers
    search text not null,
    -- fingerprint of the imported row, to know an unchanged one
    digest text not null,
    source text not null check (source in ('import', 'registration', 'demo')),
    created_at text not null,
    updated_at text not null,
    unique (order_number, order_line),
    check ((unit_price_minor is null) = (unit_price_currency is null)),
    check (delivered_on is null or delivered_on >= purchased_on)
) strict;
create index purchase_by_person on purchase (person_id, purchased_on desc, id desc);
create index purchase_by_organisation on purchase (organisation_id, purchased_on desc, id desc);
create index purchase_by_date on purchase (purchased_on desc, id desc);
create index purchase_by_product on purchase (product_id);

create table item (
    id blob primary key,
    purchase_id blob not null references purchase (id),
    position integer not null check (position > 0),
    product_id blob not null references product (id),
    serial_number text,
    -- the serial number in capitals without spaces and hyphens, to find it as people type it
    serial_key text,
    owner_id blob not null references person (id),
    organisation_id blob references organisation (id),
    -- when it went from its buyer to somebody else
    transferred_at text,
    created_at text not null,
    unique (purchase_id, position)
) strict;
create index item_by_owner on item (owner_id, purchase_id);
create index item_by_organisation on item (organisation_id, purchase_id);
create index item_by_serial on item (serial_key);
create index item_by_product on item (product_id);

create table coverage (
    id blob primary key,
    item_id blob not null references item (id),
    kind text not null check (kind in ('legal_guarantee', 'warranty', 'service_plan', 'repair_warranty')),
    starts_on text not null,
    -- the first day that is not covered any more
    ends_on text not null,
    months integer check (months > 0),
    rule_id text,
    rule_version integer,
    plan_code text references plan (code),
    plan_name text,
    -- the repair that it came from, or that prolonged it
    repair_id blob,
    prolonged_on text,
    void_reason text check (void_reason in ('returned', 'replaced', 'altered')),
    created_at text not null,
    check (ends_on > starts_on),
    check ((rule_id is null) = (rule_version is null)),
    check (kind <> 'service_plan' or plan_code is not null)
) strict;
create index coverage_by_item on coverage (item_id, kind);
create unique index coverage_once on coverage (item_id, kind) where kind <> 'repair_warranty';
create unique index coverage_by_repair on coverage (repair_id) where kind = 'repair_warranty';
create index coverage_by_end on coverage (ends_on, item_id);

create table benefit (
    id blob primary key,
    item_id blob not null references item (id),
    person_id blob not null references person (id),
    organisation_id blob references organisation (id),
    allowance text not null check (allowance in ('training_seat', 'maintenance_visit', 'repair')),
    plan_code text not null references plan (code),
    plan_name text not null,
    starts_on text not null,
    -- the first day on which it cannot be used any more
    ends_on text not null,
    granted integer not null,
    available integer not null check (available >= 0),
    reserved integer not null check (reserved >= 0),
    used integer not null check (used >= 0),
    expired integer not null check (expired >= 0),
    created_at text not null,
    check (granted = available + reserved + used + expired),
    check (ends_on > starts_on)
) strict;
create unique index benefit_once on benefit (item_id, allowance, plan_code);
create index benefit_by_person on benefit (person_id, allowance, ends_on);
create index benefit_by_organisation on benefit (organisation_id, allowance, ends_on);
create index benefit_to_expire on benefit (ends_on) where available > 0;

create table benefit_entry (
    id blob primary key,
    benefit_id blob not null references benefit (id),
    at text not null,
    kind text not null check (kind in ('grant', 'reserve', 'use', 'release', 'expire', 'extend')),
    units integer not null check (units >= 0),
    -- what it was reserved for
    entity text,
    entity_id blob,
    -- a reservation is settled once: used or released
    settled_as text check (settled_as in ('used', 'released')),
    check ((entity is null) = (entity_id is null)),
    check (settled_as is null or kind = 'reserve')
) strict;
create index benefit_entry_by_benefit on benefit_entry (benefit_id, at, id);
create index benefit_entry_open on benefit_entry (entity_id, entity) where kind = 'reserve' and settled_as is null;

create table charge (
    id blob primary key,
    person_id blob not null references person (id),
    organisation_id blob references organisation (id),
    amount_minor integer not null check (amount_minor > 0),
    amount_currency text not null,
    reason text not null,
    entity text not null,
    entity_id blob not null,
    consent_at text not null,
    state text not null check (state in ('due', 'paid', 'waived', 'void')),
    created_at text not null,
    settled_at text,
    settled_by blob references person (id),
    check ((state = 'due') = (settled_at is null))
) strict;
create unique index charge_once on charge (entity, entity_id, reason) where state <> 'void';
create index charge_by_person on charge (person_id, created_at desc, id desc);
create index charge_by_organisation on charge (organisation_id, created_at desc, id desc);
create index charge_by_state on charge (state, created_at desc, id desc);
create index charge_by_time on charge (created_at desc, id desc);

create table registration (
    id blob primary key,
    person_id blob not null references person (id),
    way text not null check (way in ('order', 'serial')),
    order_number text,
    email text,
    -- the code that proves the address, hashed, and how often it was tried
    code_hash text,
    code_until text,
    tries integer not null,
    serial_number text,
    serial_key text,
    proof text,
    state text not null check (state in ('unproven', 'proven', 'expired', 'open', 'disputed', 'accepted', 'refused')),
    item_id blob references item (id),
    decided_by blob references person (id),
    decided_at text,
    why text,
    created_at text not null,
    check (way <> 'order' or (order_number is not null and email is not null)),
    check (way <> 'serial' or serial_key is not null),
    check ((state in ('accepted', 'refused')) = (decided_at is not null))
) strict;
-- a serial number is asked for by one at a time; who comes later disputes it
create unique index registration_once on registration (serial_key) where state in ('open', 'accepted');
create index registration_by_person on registration (person_id, created_at desc, id desc);
create index registration_by_state on registration (state, created_at, id);
create index registration_by_serial on registration (serial_key, created_at);

create table import_run (
    id blob primary key,
    kind text not null check (kind in ('products', 'plans', 'purchases')),
    -- of the whole file, to know one that was cut off
    digest text not null,
    state text not null check (state in ('staging', 'applying', 'done')),
    -- up to which line it was applied
    applied_line integer not null,
    started_at text not null,
    finished_at text,
    check ((state = 'done') = (finished_at is not null))
) strict;
create index import_run_by_digest on import_run (digest, state);

create table import_row (
    run_id blob not null references import_run (id),
    line integer not null,
    -- what tells the row from others: order number and line, an article number, a plan
    identity text not null,
    place integer,
    digest text not null,
    -- the row as it was read and checked
    parsed text,
    -- what is wrong with it
    faults text,
    primary key (run_id, line)
) strict;
create index import_row_by_identity on import_row (run_id, identity, place);
create index import_row_bad on import_row (run_id, line) where faults is not null;

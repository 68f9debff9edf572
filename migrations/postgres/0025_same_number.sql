-- Two makers may give one number: what is given to somebody is the piece, not its number. A number is still asked for by
-- one at a time.
drop index registration_once;
create unique index registration_once on registration (serial_key) where state = 'open';
create unique index registration_item_once on registration (item_id) where state = 'accepted';

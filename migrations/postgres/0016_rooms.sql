-- Staff keep the rooms: two of them at once, and what is out of use stays with the classes that have it.
alter table room add column version bigint not null default 1;
alter table room add column retired_at timestamptz;
-- What is to come in a room, before it is made smaller.
create index class_by_room on class (room_id, ends_at);

-- Whoever was given a piece by its number may give it on: when they had it no more. From then on somebody else may be given
-- it by its number.
alter table registration add column ended_at text;
update registration set ended_at = coalesce((select i.transferred_at from item i where i.id = registration.item_id), decided_at)
where state = 'accepted'
and exists (select 1 from item i where i.id = registration.item_id and i.owner_id <> registration.person_id);
drop index registration_item_once;
create unique index registration_item_once on registration (item_id) where state = 'accepted' and ended_at is null;

-- Whoever is passed over may be a group's seat without a name: then the skip is the group's, whose owner reads it.
alter table seat_skip alter column enrolment_id drop not null;
alter table seat_skip add column party_id uuid references party (id);
update seat_skip set party_id = (select e.party_id from enrolment e where e.id = seat_skip.enrolment_id);
create index seat_skip_by_party on seat_skip (party_id, at);

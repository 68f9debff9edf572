-- Whoever is passed over may be a group's seat without a name: then the skip is the group's, whose owner reads it.
create table seat_skip_new (
    id blob primary key,
    class_id blob not null references class (id),
    enrolment_id blob references enrolment (id),
    seated_id blob not null references enrolment (id),
    why text not null,
    by_id blob not null references person (id),
    at text not null,
    party_id blob references party (id)
) strict;
insert into seat_skip_new select s.id, s.class_id, s.enrolment_id, s.seated_id, s.why, s.by_id, s.at, e.party_id
    from seat_skip s join enrolment e on e.id = s.enrolment_id;
drop table seat_skip;
alter table seat_skip_new rename to seat_skip;
create index seat_skip_by_class on seat_skip (class_id, at);
create index seat_skip_by_enrolment on seat_skip (enrolment_id, at);
create index seat_skip_by_party on seat_skip (party_id, at);

-- Certificates that lapse, and people whom a firm's owner asks to join it.

-- For how many calendar months a certificate of the course is valid; none: for ever.
alter table course add column valid_months integer check (valid_months between 1 and 600);

-- The last day on which a certificate is valid, in the zone of its class, and when its holder hears that it comes.
-- Both are kept as they were when it was given.
alter table certificate add column last_valid_on text;
alter table certificate add column lapse_told_at text;

-- Somebody whom the owner of a firm asks to join it, by an address that may be nobody's yet.
create table team_invitation (
    id blob primary key,
    organisation_id blob not null references organisation (id),
    email text not null,
    name text not null,
    invited_by blob not null references person (id),
    state text not null check (state in ('open', 'accepted', 'declined', 'withdrawn')),
    created_at text not null,
    changed_at text not null
) strict;
-- An address is asked once at a time.
create unique index team_invitation_open on team_invitation (organisation_id, email) where state = 'open';
create index team_invitation_by_organisation on team_invitation (organisation_id, state, created_at);
create index team_invitation_by_email on team_invitation (email, state);

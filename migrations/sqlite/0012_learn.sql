-- Equipment can be renamed by two people at once, and taken out of use: what is planned with it stays as it is.
alter table equipment add column version integer not null default 1;
alter table equipment add column retired_at text;

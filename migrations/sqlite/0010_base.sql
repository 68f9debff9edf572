-- Of two editors of a workshop the second is told of the change of the first.

alter table workshop add column version integer not null default 1;

-- When staff gave a benefit by hand, and when they extended one: an import leaves that alone.
alter table benefit add column granted_at text;
alter table benefit add column extended_at text;

-- What remains of a firm's name when one leaves out how it may be written; filled in by the program.
alter table organisation add column likeness text;
create index organisation_alike on organisation (likeness);

-- Of two editors of a workshop the second is told of the change of the first.

alter table workshop add column version bigint not null default 1;

-- When staff gave a benefit by hand, and when they extended one: an import leaves that alone.
alter table benefit add column granted_at timestamptz;
alter table benefit add column extended_at timestamptz;

-- What remains of a firm's name when one leaves out how it may be written; filled in by the program.
alter table organisation add column likeness text collate "C";
create index organisation_alike on organisation (likeness);

-- Rows of an import that take something away from a purchase: they are applied first, all at once or not at all.
alter table import_row add column takes integer not null default 0;
create index import_row_taking on import_row (run_id, line) where takes;

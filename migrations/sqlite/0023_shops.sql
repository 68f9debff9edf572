-- Where a row stands in a file whose rows have no lines of their own, and what its place in its order is called there.
alter table import_row add column file_line integer;
alter table import_row add column field text;

-- Whether a letter may only arrive by day, however late it leaves. Letters that are on their way leave as they would have.
alter table message add column by_day boolean not null default false;

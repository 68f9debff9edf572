-- Under which freeze a seat without a name was offered, as the same is kept of everybody's.
alter table unnamed_seat add column offer_freezes_at text;

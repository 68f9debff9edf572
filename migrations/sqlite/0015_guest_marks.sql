-- What a guest's mark was before, so that a slip of the thumb can be taken back.
alter table make_up add column was text;

-- Home asks what is offered to its reader's address.
create index hand_over_by_email on hand_over (to_email, state);

-- An offer ends when its giver no longer has the piece: what was left open before this is withdrawn.
update hand_over set state = 'withdrawn',
    answered_at = coalesce((select i.transferred_at from item i where i.id = hand_over.item_id), created_at)
where state = 'open' and not exists (select 1 from item i where i.id = hand_over.item_id
    and (i.owner_id = hand_over.from_id or exists (select 1 from membership m
        where m.organisation_id = i.organisation_id and m.person_id = hand_over.from_id and m.role = 'owner')));

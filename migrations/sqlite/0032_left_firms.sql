-- What is a firm's stays the firm's: whoever was taken out of it before held what they had bought for it. It goes to the
-- firm's first owner, and where it has none, to nobody.
update item set owner_id = (select m.person_id from membership m where m.organisation_id = item.organisation_id
    and m.role = 'owner' order by m.created_at, m.person_id limit 1)
where organisation_id is not null
and exists (select 1 from history h where h.entity = 'organisation' and h.entity_id = item.organisation_id
    and h.act = 'end_membership' and h.customer_id = item.owner_id)
and not exists (select 1 from membership m where m.organisation_id = item.organisation_id and m.person_id = item.owner_id)
and exists (select 1 from membership m where m.organisation_id = item.organisation_id and m.role = 'owner');
update benefit set person_id = (select m.person_id from membership m where m.organisation_id = benefit.organisation_id
    and m.role = 'owner' order by m.created_at, m.person_id limit 1)
where organisation_id is not null
and exists (select 1 from history h where h.entity = 'organisation' and h.entity_id = benefit.organisation_id
    and h.act = 'end_membership' and h.customer_id = benefit.person_id)
and not exists (select 1 from membership m where m.organisation_id = benefit.organisation_id and m.person_id = benefit.person_id)
and exists (select 1 from membership m where m.organisation_id = benefit.organisation_id and m.role = 'owner');
update purchase set person_id = (select m.person_id from membership m where m.organisation_id = purchase.organisation_id
    and m.role = 'owner' order by m.created_at, m.person_id limit 1)
where organisation_id is not null
and exists (select 1 from history h where h.entity = 'organisation' and h.entity_id = purchase.organisation_id
    and h.act = 'end_membership' and h.customer_id = purchase.person_id)
and not exists (select 1 from membership m where m.organisation_id = purchase.organisation_id and m.person_id = purchase.person_id)
and exists (select 1 from membership m where m.organisation_id = purchase.organisation_id and m.role = 'owner');
update repair set person_id = (select m.person_id from membership m where m.organisation_id = repair.organisation_id
    and m.role = 'owner' order by m.created_at, m.person_id limit 1)
where organisation_id is not null
and state not in ('closed', 'cancelled', 'not_repairable')
and exists (select 1 from history h where h.entity = 'organisation' and h.entity_id = repair.organisation_id
    and h.act = 'end_membership' and h.customer_id = repair.person_id)
and not exists (select 1 from membership m where m.organisation_id = repair.organisation_id and m.person_id = repair.person_id)
and exists (select 1 from membership m where m.organisation_id = repair.organisation_id and m.role = 'owner');
-- Only an owner gives away what is the firm's.
update hand_over set state = 'withdrawn', answered_at = created_at
where state = 'open' and not exists (select 1 from item i where i.id = hand_over.item_id
    and ((i.owner_id = hand_over.from_id and i.organisation_id is null) or exists (select 1 from membership m
        where m.organisation_id = i.organisation_id and m.person_id = hand_over.from_id and m.role = 'owner')));

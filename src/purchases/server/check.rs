//! The promises about purchases, their pieces and registrations.

use super::hand_over::giver_has_it;
use crate::cli::Clause;

/// Rows that break a promise.
pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 2,
        name: "open_registration_without_owner",
        sql: "select r.id, r.serial_key as detail from registration r where r.state in ('open', 'disputed') and not exists \
            (select 1 from follow_up f join person_role o on o.person_id = f.owner_id \
            where f.entity = 'registration' and f.entity_id = r.id and f.done_at is null)",
    },
    Clause {
        promise: 4,
        name: "purchase_without_items",
        sql: "select p.id, p.order_number as detail from purchase p \
            where p.quantity <> (select count(*) from item i where i.purchase_id = p.id)",
    },
    Clause {
        promise: 4,
        name: "item_of_another_product",
        sql: "select i.id, p.order_number as detail from item i join purchase p on p.id = i.purchase_id \
            where i.product_id <> p.product_id",
    },
    Clause {
        promise: 6,
        name: "registration_without_history",
        sql: "select r.id, r.state as detail from registration r where not exists \
            (select 1 from history h where h.entity = 'registration' and h.entity_id = r.id)",
    },
    Clause {
        promise: 4,
        name: "serial_number_given_twice",
        sql: "select r.id, r.serial_key as detail from registration r where (r.state = 'open' and exists \
            (select 1 from registration o where o.serial_key = r.serial_key and o.id <> r.id \
            and o.state in ('open', 'accepted'))) or (r.state = 'accepted' and r.ended_at is null and exists \
            (select 1 from registration o where o.item_id = r.item_id and o.id <> r.id and o.state = 'accepted' \
            and o.ended_at is null))",
    },
    Clause {
        promise: 4,
        name: "registration_accepted_without_item",
        sql: "select r.id, r.serial_key as detail from registration r where r.state = 'accepted' and r.item_id is null",
    },
    Clause {
        promise: 6,
        name: "hand_over_without_history",
        sql: "select h.id, h.state as detail from hand_over h where not exists \
            (select 1 from history y where y.entity = 'item' and y.entity_id = h.item_id and y.act = 'give_item') \
            or (h.state = 'taken' and not exists \
            (select 1 from history y where y.entity = 'item' and y.entity_id = h.item_id and y.act = 'take_item'))",
    },
    Clause {
        promise: 5,
        name: "offer_of_a_former_owner",
        sql: concat!(
            "select hand_over.id, hand_over.to_email as detail from hand_over where hand_over.state = 'open' and not ",
            giver_has_it!()
        ),
    },
    Clause {
        promise: 5,
        name: "benefit_of_a_former_owner",
        sql: "select b.id, b.allowance as detail from benefit b join item i on i.id = b.item_id \
            where i.transferred_at is not null and b.person_id <> i.owner_id",
    },
];

//! The acts of training.

use super::{CUSTOMER, Walk, connect, job};
use aftercare::{access::Act, jobs::Job};
use chrono::TimeDelta;

const TRAINER: &str = "trainer@example.com";
const MANAGER: &str = "manager@example.com";

async fn class(walk: &Walk, condition: &str) -> String {
    walk.text(&format!("select lower(hex(c.id)) from class c where {condition} order by c.starts_at limit 1")).await
}

/// The class in which the customer has a place of this kind.
async fn mine(walk: &Walk, state: &str) -> String {
    let place = format!(
        "c.state = 'open' and c.id in (select e.class_id from enrolment e join person p on p.id = e.person_id \
         where e.state = '{state}' and p.email = 'customer@example.com')"
    );
    class(walk, &place).await
}

async fn by_customer(walk: &mut Walk, class: &str, act: &str) {
    walk.post(CUSTOMER, &format!("/training/{class}"), &[("act", act), ("agreed", "100000")]).await;
}

async fn by_trainer(walk: &mut Walk, class: &str, fields: &[(&str, &str)]) {
    walk.post(TRAINER, &format!("/desk/classes/{class}"), fields).await;
}

async fn forget_jobs(walk: &Walk, kind: &str) {
    sqlx::query("delete from job where kind = $1").bind(kind).execute(&mut connect(&walk.world).await).await.unwrap();
}

/// An offer of a class in whose line somebody waits comes to its end.
async fn expire(walk: &mut Walk) {
    forget_jobs(walk, "expire_offer").await;
    let offer = "update enrolment set offered_until = '2026-12-01T00:00:00.000000Z' where state = 'offered' \
        and class_id in (select class_id from enrolment where state = 'waitlisted') returning lower(hex(id))";
    let enrolment = walk.text(offer).await.parse().unwrap();
    job(walk, Job::ExpireOffer { enrolment }).await;
}

pub async fn perform(walk: &mut Walk, act: Act) {
    match act {
        Act::Enrol => {
            let id = class(walk, "c.state = 'open' and c.language = 'it' and c.waiting = 0").await;
            by_customer(walk, &id, "enrol").await;
        }
        Act::CancelEnrolment => {
            let id = mine(walk, "booked").await;
            by_customer(walk, &id, "cancel").await;
        }
        Act::AcceptOffer | Act::DeclineOffer => {
            let id = mine(walk, "offered").await;
            by_customer(walk, &id, if act == Act::AcceptOffer { "accept" } else { "decline" }).await;
        }
        Act::OfferSeat | Act::ExpireOffer => expire(walk).await,
        Act::CreateCourse => {
            let form =
                [("title", "Toner"), ("summary", ""), ("language", "en"), ("pass_percent", "80"), ("products", "")];
            walk.post(TRAINER, "/desk/courses/new", &form).await;
        }
        Act::CreateClass => {
            let course = walk.text("select lower(hex(id)) from course").await;
            let form = [
                ("course", course.as_str()),
                ("title", "Evening class"),
                ("language", "en"),
                ("zone", "Europe/Madrid"),
                ("date_1", "2027-01-20"),
                ("starts_1", "19:00"),
                ("ends_1", "21:00"),
                ("link", "https://meet.example.com/evening"),
                ("capacity", "5"),
                ("price", "12,50"),
                ("cut_off_hours", "48"),
            ];
            walk.post(TRAINER, "/desk/classes/new", &form).await;
        }
        Act::EditClass => {
            // One in whose line somebody waits: more seats become offers, which are the portal's own act.
            let id = class(walk, "c.state = 'open' and c.waiting > 0").await;
            let cell =
                async |cell: &str| walk.text(&format!("select {cell} from class where hex(id) = upper('{id}')")).await;
            let (version, room) =
                (cell("cast(version as text)").await, cell("coalesce(lower(hex(room_id)), '')").await);
            let (link, capacity) = (cell("coalesce(link, '')").await, cell("cast(capacity + 1 as text)").await);
            let form = [
                ("version", version.as_str()),
                ("title", "A new title"),
                ("room", &room),
                ("link", &link),
                ("capacity", &capacity),
                ("price", "49.00"),
                ("cut_off_hours", "48"),
            ];
            walk.post(TRAINER, &format!("/desk/classes/{id}/edit"), &form).await;
        }
        Act::PublishClass => {
            let id = class(walk, "c.state = 'draft'").await;
            by_trainer(walk, &id, &[("act", "publish")]).await;
        }
        Act::StartClass => {
            let id = class(walk, "c.state = 'open'").await;
            forget_jobs(walk, "start_class").await;
            walk.world.advance(TimeDelta::days(2));
            job(walk, Job::StartClass { class: id.parse().unwrap() }).await;
        }
        Act::CancelClass => {
            // With people in their seats and in line: what becomes of them is the portal's own act.
            let id = class(walk, "c.state = 'open' and c.waiting > 0").await;
            by_trainer(walk, &id, &[("act", "cancel"), ("why", "The trainer is ill.")]).await;
        }
        Act::CloseClass => {
            let id = class(walk, "c.state = 'open'").await;
            walk.world.advance(TimeDelta::days(2));
            let session = format!("select lower(hex(id)) from class_session where hex(class_id) = upper('{id}')");
            let session = walk.text(&session).await;
            let trainer = walk.world.signed(TRAINER).await;
            let form = [("act", "mark_rest"), ("session", session.as_str())];
            walk.world.post(&trainer, &format!("/desk/classes/{id}"), &form).await;
            by_trainer(walk, &id, &[("act", "close")]).await;
        }
        Act::MarkAttendance => {
            let id = class(walk, "c.state = 'running'").await;
            let session = format!(
                "select lower(hex(id)) from class_session where hex(class_id) = upper('{id}') order by starts_at limit 1"
            );
            let enrolment = format!(
                "select lower(hex(e.id)) from enrolment e left join attendance a on a.enrolment_id = e.id \
                 where hex(e.class_id) = upper('{id}') and e.state = 'booked' and coalesce(a.mark, '') <> 'excused' limit 1"
            );
            let (session, enrolment) = (walk.text(&session).await, walk.text(&enrolment).await);
            let form = [("act", "mark"), ("session", &*session), ("enrolment", &enrolment), ("mark", "excused")];
            by_trainer(walk, &id, &form).await;
        }
        Act::SayWish => {
            let id = mine(walk, "booked").await;
            walk.post(CUSTOMER, &format!("/training/{id}"), &[("act", "wish"), ("wish", "Everything")]).await;
        }
        Act::MessageClass => {
            let id = class(walk, "c.state = 'open' and c.taken > 0").await;
            by_trainer(walk, &id, &[("act", "write"), ("subject", "Hello"), ("words", "Until soon.")]).await;
        }
        Act::AddWalkIn => {
            let id = class(walk, "c.state = 'open' and c.waiting = 0 and c.taken + c.held < c.capacity").await;
            let form = [("act", "walk_in"), ("email", "door@example.com"), ("name", "Dora Door"), ("agreed", "100000")];
            by_trainer(walk, &id, &form).await;
        }
        Act::MoveSeat => {
            let seat = "select lower(hex(e.id)) || lower(hex(e.class_id)) || lower(hex(d.id)) from enrolment e \
                join class c on c.id = e.class_id join class d on d.course_id = c.course_id and d.id <> c.id \
                where e.state = 'booked' and c.state = 'open' and d.state = 'open' and d.waiting = 0 and c.waiting = 0 \
                and d.taken + d.held < d.capacity and d.starts_at > c.starts_at and not exists (select 1 from enrolment o \
                where o.person_id = e.person_id and o.class_id <> e.class_id) order by d.starts_at desc limit 1";
            let found = walk.text(seat).await;
            let (seat, from, to) = (&found[..32], &found[32..64], &found[64..]);
            let form = [("act", "move"), ("enrolment", seat), ("to", to), ("why_move", "Too far.")];
            by_trainer(walk, from, &form).await;
        }
        Act::PromoteSeat => {
            let id = class(walk, "c.state = 'open' and c.waiting > 1").await;
            let seat = format!(
                "select lower(hex(id)) from enrolment where hex(class_id) = upper('{id}') and state = 'waitlisted' \
                 order by queue_number desc limit 1"
            );
            let seat = walk.text(&seat).await;
            let form = [
                ("act", "promote"),
                ("enrolment", &*seat),
                ("why", "She came from afar."),
                ("one_more", "yes"),
                ("agreed", "100000"),
            ];
            by_trainer(walk, &id, &form).await;
        }
        Act::ChangeFeed => {
            walk.post(CUSTOMER, "/training/mine", &[("act", "renew")]).await;
        }
        Act::AskForClass | Act::WithdrawWish => {
            let course = walk.text("select lower(hex(id)) from course order by id limit 1").await;
            let path = format!("/training/ask/{course}");
            let ask = [("act", "ask"), ("time", "2-morning"), ("day_1", "2027-01-14"), ("language", ""), ("place", "")];
            if act == Act::WithdrawWish {
                let customer = walk.world.signed(CUSTOMER).await;
                walk.world.post(&customer, &path, &ask).await;
                walk.post(CUSTOMER, &path, &[("act", "withdraw")]).await;
            } else {
                walk.post(CUSTOMER, &path, &ask).await;
            }
        }
        Act::SetAvailability => {
            let form =
                [("act", "absence"), ("from", "2027-06-01T08:00"), ("until", "2027-06-02T08:00"), ("why", "Away.")];
            walk.post(TRAINER, "/desk/availability", &form).await;
        }
        Act::SetClassRules => {
            let form = [
                ("act", "rules"),
                ("cut_off_hours", "24"),
                ("offer_hours", "12"),
                ("freeze_hours", "3"),
                ("late_cancel", "returned"),
                ("no_show", "spent"),
            ];
            walk.post(MANAGER, "/desk/settings/training", &form).await;
        }
        Act::AddEquipment => {
            let form = [("act", "equipment"), ("name", "Projector"), ("at_place", "Madrid")];
            walk.post(MANAGER, "/desk/settings/training", &form).await;
        }
        Act::EditEquipment | Act::RetireEquipment => {
            let id = walk
                .text("select lower(hex(q.id)) from equipment q where not exists (select 1 from class_equipment u where u.equipment_id = q.id)")
                .await;
            let does = if act == Act::EditEquipment { "rename_equipment" } else { "retire_equipment" };
            let form = [
                ("act", does),
                ("equipment", id.as_str()),
                ("version", "1"),
                ("name", "Beamer"),
                ("at_place", "Madrid"),
            ];
            walk.post(MANAGER, "/desk/settings/training", &form).await;
        }
        Act::AddRoom | Act::EditRoom | Act::RetireRoom => {
            let id = walk.text("select lower(hex(id)) from room order by name").await;
            let does = match act {
                Act::AddRoom => "add",
                Act::EditRoom => "change",
                _ => "retire",
            };
            let form = [
                ("act", does),
                ("room", id.as_str()),
                ("version", "1"),
                ("name", "Attic"),
                ("address", "Calle Alta 7"),
                ("place", "Madrid"),
                ("capacity", "500"),
                ("zone", "Europe/Madrid"),
            ];
            walk.post(MANAGER, "/desk/settings/rooms", &form).await;
        }
        other => panic!("{other:?} is no act of training"),
    }
}

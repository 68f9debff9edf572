//! The acts of repairs.

use super::{CUSTOMER, Walk, job};
use crate::walk::things::WORKSHOP;
use aftercare::{access::Act, jobs::Job};
use chrono::TimeDelta;

const TECHNICIAN: &str = "technician@example.com";

/// A repair in a state: its id, its number, its version, its customer's address.
struct Found {
    id: String,
    rma: String,
    version: String,
    email: String,
}

async fn find(walk: &Walk, condition: &str) -> Found {
    let cell = async |cell: &str| {
        let sql = format!(
            "select {cell} from repair r join person p on p.id = r.person_id where {condition} order by r.id limit 1"
        );
        walk.text(&sql).await
    };
    Found {
        id: cell("lower(hex(r.id))").await,
        rma: cell("'RMA-' || r.rma").await,
        version: cell("cast(r.version as text)").await,
        email: cell("p.email").await,
    }
}

/// A move of the technician on a job in a state.
async fn desk(walk: &mut Walk, state: &str, verb: &str, more: &[(&str, &str)]) {
    let found = find(walk, &format!("r.state = '{state}'")).await;
    let mut fields = vec![("do", verb), ("version", found.version.as_str())];
    fields.extend_from_slice(more);
    walk.post(TECHNICIAN, &format!("/desk/repairs/{}", found.rma), &fields).await;
}

async fn answer(walk: &mut Walk, verb: &str) {
    let found = find(walk, "r.state = 'quoted'").await;
    let of =
        format!("select lower(hex(id)) from quote where state = 'sent' and hex(repair_id) = upper('{}')", found.id);
    let quote = walk.text(&of).await;
    walk.post(&found.email, &format!("/repairs/{}", found.rma), &[("do", verb), ("quote", &quote)]).await;
}

/// A free time, as the page offers it.
async fn free_time(walk: &Walk, rma: &str) -> String {
    let technician = walk.world.signed(TECHNICIAN).await;
    let page = walk.world.get(&technician, &format!("/desk/repairs/{rma}?move=1")).await.body;
    let times = page.split("value=\"").filter_map(|rest| rest.split('"').next()).filter(|value| value.contains('~'));
    times.last().expect("a free time").to_owned()
}

pub async fn perform(walk: &mut Walk, act: Act) {
    match act {
        Act::BookRepair => {
            let item = "select lower(hex(i.id)) from item i join purchase p on p.id = i.purchase_id join person o on o.id = i.owner_id \
                where o.email = 'customer@example.com' and p.kind = 'goods' and p.delivered_on < '2026-11-01'";
            let item = walk.text(item).await;
            let another = format!("no~{item}");
            let form = [
                ("item", item.as_str()),
                ("mode", "send_in"),
                ("fault", "It smokes."),
                ("same_fault", &another),
                ("fee", "2900"),
            ];
            walk.post(CUSTOMER, "/repairs/new", &form).await;
        }
        Act::MoveRepair => {
            let rma = find(walk, "r.state = 'booked'").await.rma;
            let slot = free_time(walk, &rma).await;
            desk(walk, "booked", "move", &[("slot", &slot)]).await;
        }
        Act::CancelRepair => {
            let found = find(walk, "r.state = 'requested'").await;
            walk.post(&found.email, &format!("/repairs/{}", found.rma), &[("do", "cancel")]).await;
        }
        Act::AcceptQuote => answer(walk, "accept").await,
        Act::DeclineQuote => answer(walk, "decline").await,
        Act::LapseQuote => {
            let found = find(walk, "r.state = 'quoted'").await;
            walk.world.advance(TimeDelta::days(40));
            // Whatever is due by itself is done before; this quote's own job was, too, so it is put again.
            let again = format!(
                "update quote set valid_until = '2026-12-02' where state = 'sent' and hex(repair_id) = upper('{}') \
                 returning lower(hex(id))",
                found.id
            );
            sqlx::query("delete from job where kind = 'lapse_quote'")
                .execute(&mut super::connect(&walk.world).await)
                .await
                .unwrap();
            let quote = walk.text(&again).await.parse().unwrap();
            job(walk, Job::LapseQuote { repair: found.id.parse().unwrap(), quote }).await;
        }
        Act::ReceiveRepair => desk(walk, "booked", "receive", &[]).await,
        Act::DiagnoseRepair => desk(walk, "received", "diagnose", &[("words", "A loose wire.")]).await,
        Act::SendQuote => {
            let lines = [("label_1", "Wire"), ("quantity_1", "1"), ("unit_price_1", "19.90")];
            desk(walk, "diagnosed", "quote", &lines).await;
        }
        Act::StartRepair => desk(walk, "approved", "start", &[]).await,
        Act::RecordWork => {
            desk(walk, "in_repair", "work", &[("kind", "work"), ("label", "Soldering"), ("quantity", "1")]).await;
        }
        Act::WaitForParts => desk(walk, "in_repair", "wait_for_parts", &[("parts_due", "2026-12-20")]).await,
        Act::FinishRepair => desk(walk, "in_repair", "finish", &[]).await,
        Act::MarkReady => desk(walk, "repaired", "make_ready", &[]).await,
        Act::HandBack => desk(walk, "ready", "hand_back", &[]).await,
        Act::CloseRepair => desk(walk, "handed_back", "close", &[]).await,
        Act::GiveUpRepair => desk(walk, "received", "give_up", &[("words", "Beyond repair.")]).await,
        Act::SetHours => {
            walk.post("manager@example.com", "/desk/settings/workshops", &WORKSHOP).await;
        }
        other => panic!("{other:?} is no act of repairs"),
    }
}

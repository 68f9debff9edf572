//! The acts of a firm's owner on the groups of the demo.

use super::{Walk, connect, job};
use aftercare::{access::Act, jobs::Job};
use chrono::TimeDelta;

const OWNER: &str = "owner@example.com";

async fn post(walk: &mut Walk, class: &str, fields: &[(&str, &str)]) {
    walk.post(OWNER, &format!("/training/{class}/group"), fields).await;
}

/// Somebody of the firm who is in none of its groups.
async fn somebody(walk: &Walk) -> String {
    walk.text("select lower(hex(id)) from person where email = 'mantas.zukauskas@example.org'").await
}

pub async fn perform(walk: &mut Walk, act: Act) {
    let unnamed = "select lower(hex(id)) from unnamed_seat where state = 'booked'";
    let class_of_unnamed = "select lower(hex(class_id)) from unnamed_seat where state = 'booked'";
    match act {
        Act::EnrolGroup => {
            let class = "select lower(hex(id)) from class where state = 'open' and language = 'it' and waiting = 0";
            let (class, person) = (walk.text(class).await, somebody(walk).await);
            let form = [("act", "enrol"), ("person", person.as_str()), ("unnamed", "1"), ("agreed", "100000")];
            post(walk, &class, &form).await;
        }
        Act::AcceptGroup | Act::DeclineGroup => {
            let offered = "from enrolment where state = 'offered' and party_id is not null";
            let class = walk.text(&format!("select lower(hex(class_id)) {offered}")).await;
            let party = walk.text(&format!("select lower(hex(party_id)) {offered}")).await;
            let act = if act == Act::AcceptGroup { "accept" } else { "decline" };
            post(walk, &class, &[("act", act), ("party", &party), ("agreed", "100000")]).await;
        }
        Act::NameSeat => {
            let (class, seat) = (walk.text(class_of_unnamed).await, walk.text(unnamed).await);
            let person = somebody(walk).await;
            post(walk, &class, &[("act", "name"), ("seat", &seat), ("person", &person)]).await;
        }
        Act::SwapSeat => {
            let class = walk.text(class_of_unnamed).await;
            let seat = format!(
                "select lower(hex(id)) from enrolment where hex(class_id) = upper('{class}') and state = 'booked' and party_id is not null"
            );
            let (seat, person) = (walk.text(&seat).await, somebody(walk).await);
            post(walk, &class, &[("act", "swap"), ("seat", &seat), ("person", &person)]).await;
        }
        Act::ReturnSeat => {
            let class = walk.text(class_of_unnamed).await.parse().unwrap();
            sqlx::query("delete from job where kind = 'return_seats'")
                .execute(&mut connect(&walk.world).await)
                .await
                .unwrap();
            walk.world.advance(TimeDelta::days(24));
            job(walk, Job::ReturnSeats { class }).await;
        }
        other => panic!("{other:?} is no act on groups"),
    }
}

//! Every address as everybody: guests are sent to sign in, other people's things are not found, staff without the role
//! are refused, and whoever is refused has changed nothing.

use super::{
    Digest, Who, demo, digest,
    table::{DOORS, Rule},
    text,
    things::Things,
};
use crate::world::{Reply, Signed, World};
use aftercare::access::Role;
use axum::http::StatusCode;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Open,
    SignIn,
    NotFound,
    /// Staff learn that it is not for them, or not that it is there.
    Refused,
    /// Nobody can tell what a secret opens.
    Closed,
}

impl Rule {
    fn answer(self, who: Who) -> Answer {
        let role = match who {
            Who::Staff(role) => Some(role),
            _ => None,
        };
        let has = |roles: &[Role]| role.is_some_and(|role| roles.contains(&role) || role >= Role::Manager);
        match (self, who) {
            (Self::Public, _) => Answer::Open,
            (Self::Secret | Self::None, _) => Answer::Closed,
            (_, Who::Guest) => Answer::SignIn,
            (Self::Signed, _) | (Self::Theirs(_) | Self::Alone, Who::Customer) => Answer::Open,
            (Self::Theirs(roles) | Self::Desk(roles), _) if has(roles) => Answer::Open,
            (Self::Theirs(_) | Self::Alone, _) if role.is_some() => Answer::Refused,
            (Self::Desk(_), _) if role.is_some() => Answer::Refused,
            _ => Answer::NotFound,
        }
    }
}

fn is(reply: &Reply, answer: Answer) -> bool {
    match answer {
        Answer::Open => reply.status == StatusCode::OK,
        Answer::SignIn => reply.status == StatusCode::SEE_OTHER && reply.location().starts_with("/sign-in?next="),
        Answer::NotFound => reply.status == StatusCode::NOT_FOUND,
        Answer::Refused => matches!(reply.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND),
        Answer::Closed => {
            reply.status.is_client_error() || (reply.status == StatusCode::OK && !reply.body.contains("<form id="))
        }
    }
}

async fn enter(world: &World) -> Vec<(Who, Option<Signed>)> {
    let mut all = Vec::new();
    for who in Who::ALL {
        all.push((who, who.enter(world).await));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_opens_to_whom_the_table_says_and_to_nobody_else() {
    let world = demo().await;
    let things = Things::of(&world).await;
    let mut wrong = Vec::new();
    for (who, signed) in enter(&world).await {
        for door in DOORS.iter().filter(|door| door.get != Rule::None) {
            let address = things.address(door.path);
            let reply = world.get(&signed, &address).await;
            // Who is signed in already is led on from the sign-in page, and from beside their account to their people.
            let start = if matches!(who, Who::Staff(_)) { "/desk" } else { "/" };
            let onward = [("/sign-in", start), ("/account/team", "/training/team")];
            let led_on = who != Who::Guest && onward.contains(&(address.as_str(), reply.location()));
            let expected = door.get.answer(who);
            if !is(&reply, expected) && !led_on {
                wrong.push(format!(
                    "GET {address} as {who:?}: {} {}, not {expected:?}",
                    reply.status,
                    reply.location()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What guests can cause by intent: a letter with a code, and the levers of the demo.
const FOR_GUESTS: [&str; 3] = ["/sign-in", "/demo/sign-in", "/demo/clock"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_a_door_is_closed_to_is_told_so_and_changes_nothing() {
    let world = demo().await;
    let things = Things::of(&world).await;
    let everybody = enter(&world).await;
    let mut wrong = Vec::new();
    let mut watch = digest::Watch::begin(&world, &[]).await;
    for door in DOORS.iter().filter(|door| door.post != Rule::None && !FOR_GUESTS.contains(&door.path)) {
        let address = things.address(door.path);
        for (who, signed) in &everybody {
            let expected = door.post.answer(*who);
            if expected == Answer::Open && *who != Who::Guest {
                continue;
            }
            // A stranger's form as it would be well filled in, and one that says nothing.
            for form in [things.form(door.path), Vec::new()] {
                let reply = world.post(signed, &address, &form).await;
                let fine = match expected {
                    Answer::Open => !reply.status.is_server_error(),
                    expected => is(&reply, expected) || (expected == Answer::Closed && reply.status == 422),
                };
                if !fine {
                    wrong.push(format!(
                        "POST {address} {form:?} as {who:?}: {} {}, not {expected:?}",
                        reply.status,
                        reply.location()
                    ));
                }
                let changes = watch.changes(&world).await;
                if !changes.is_empty() {
                    wrong.push(format!("POST {address} as {who:?} changed {changes:#?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_asks_for_a_code_causes_a_letter_and_nothing_else() {
    let world = demo().await;
    for email in ["customer@example.com", "nobody.knows@example.com"] {
        let before = Digest::of(&world, &[]).await;
        assert_eq!(world.post(None, "/sign-in", &[("email", email)]).await.status, StatusCode::SEE_OTHER);
        let after = Digest::of(&world, &[]).await;
        let changes = before.until(&after);
        let tables = digest::tables(&changes).into_iter().collect::<Vec<_>>();
        assert_eq!(tables, ["job", "message", "sign_in_challenge"], "{email}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_islands_door_tells_guests_nothing_and_says_why_by_its_status() {
    let world = demo().await;
    let class = async |state: &str| {
        text(&world, &format!("select lower(hex(id)) from class where state = '{state}' limit 1")).await
    };
    let (open, draft, none) = (class("open").await, class("draft").await, uuid::Uuid::now_v7().to_string());
    for (who, class, status, body) in [
        (Who::Guest, open.as_str(), 401, "\"SignIn\""),
        (Who::Guest, &none, 401, "\"SignIn\""),
        (Who::Stranger, &open, 200, "\"seats\""),
        (Who::Stranger, &draft, 404, "\"NotFound\""),
        (Who::Stranger, &none, 404, "\"NotFound\""),
        (Who::Staff(Role::Trainer), &draft, 404, "\"NotFound\""),
        (Who::Stranger, "no id at all", 422, "\"No\""),
        (Who::Stranger, "", 422, "\"No\""),
    ] {
        let signed = who.enter(&world).await;
        let reply = world.post(&signed, "/rpc/training/seats", &[("class", class)]).await;
        assert_eq!(reply.status.as_u16(), status, "{who:?} {class}: {}", reply.body);
        assert!(reply.body.contains(body), "{who:?} {class}: {}", reply.body);
    }
    let nothing = world.post(&Who::Stranger.enter(&world).await, "/rpc/training/seats", &[]).await;
    assert_eq!(nothing.status.as_u16(), 422, "{}", nothing.body);
}

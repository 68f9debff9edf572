//! Looking changes nothing: a page can be opened, opened again, prefetched and scanned.

use super::{
    Digest, Who, demo,
    digest::Watch,
    table::{DOORS, Rule},
    things::Things,
};
use aftercare::access::Role;

/// That a letter of the inbox was opened is kept, and that staff looked at a customer is told by the history.
fn is_wanted(path: &str, changes: &[String]) -> bool {
    match path {
        "/desk/customers/{id}" => {
            changes.len() == 1 && changes[0].starts_with("+ history:") && changes[0].contains("act='read_customer'")
        }
        _ => changes.is_empty(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_a_page_changes_nothing() {
    let world = demo().await;
    let things = Things::of(&world).await;
    let mut wrong = Vec::new();
    for who in [Who::Customer, Who::Staff(Role::Agent), Who::Staff(Role::Manager), Who::Staff(Role::Trainer)] {
        let signed = who.enter(&world).await;
        let mut watch = Watch::begin(&world, &["message.read_at"]).await;
        for door in DOORS.iter().filter(|door| door.get != Rule::None) {
            let address = things.address(door.path);
            let status = world.get(&signed, &address).await.status;
            assert!(!status.is_server_error(), "{address}");
            let changes = watch.changes(&world).await;
            if status.is_success() && !is_wanted(door.path, &changes) {
                wrong.push(format!("GET {address} as {who:?}: {changes:#?}"));
            }
            if !status.is_success() && !changes.is_empty() {
                wrong.push(format!("GET {address} as {who:?}, answered {status}: {changes:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_whose_letter_it_is_marks_it_as_read_by_opening_it() {
    let world = demo().await;
    let things = Things::of(&world).await;
    let address = things.address("/inbox/{id}");
    for (who, changes) in [(Who::Stranger, 0), (Who::Staff(Role::Admin), 0), (Who::Customer, 2), (Who::Customer, 0)] {
        let signed = who.enter(&world).await;
        let before = Digest::of(&world, &[]).await;
        world.get(&signed, &address).await;
        assert_eq!(before.until(&Digest::of(&world, &[]).await).len(), changes, "{who:?}");
    }
}

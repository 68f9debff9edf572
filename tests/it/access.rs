//! The permission table: who may do what, printed for people to read in the review.

use crate::both;
use aftercare::{
    access::{Act, Membership, Person, Role, Subject, Viewer, allows},
    values::{OrganisationId, PersonId},
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use std::{collections::BTreeSet, fmt::Write};
use uuid::Uuid;

fn person(id: u128, roles: &[Role], memberships: &[(OrganisationId, Membership)]) -> Viewer {
    Viewer::Person(Box::new(Person {
        id: PersonId(Uuid::from_u128(id)),
        name: String::new(),
        email: "a@example.com".parse().unwrap(),
        language: None,
        zone: None,
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        memberships: memberships.to_vec(),
    }))
}

/// A line an act, a column a viewer; in each cell what they may do it to: `o` their own, `f` their firm's, `a` what
/// is given to them, `e` everybody's, `-` nothing.
fn matrix() -> String {
    let (me, other) = (PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
    let (firm, other_firm) = (OrganisationId(Uuid::from_u128(10)), OrganisationId(Uuid::from_u128(11)));
    let viewers = [
        ("guest", Viewer::Guest),
        ("customer", person(1, &[], &[])),
        ("member", person(1, &[], &[(firm, Membership::Member)])),
        ("owner", person(1, &[], &[(firm, Membership::Owner)])),
        ("trainer", person(1, &[Role::Trainer], &[])),
        ("technician", person(1, &[Role::Technician], &[])),
        ("agent", person(1, &[Role::Agent], &[])),
        ("manager", person(1, &[Role::Manager], &[])),
        ("admin", person(1, &[Role::Admin], &[])),
    ];
    let mut table = format!("{:<22}", "act");
    for (name, _) in &viewers {
        write!(table, "{name:<12}").unwrap();
    }
    for act in Act::ALL {
        write!(table, "\n{:<22}", act.as_str()).unwrap();
        for (_, viewer) in &viewers {
            let strangers = Subject::of(other).within(Some(other_firm));
            let cells = [
                ('o', Subject::of(me)),
                ('f', Subject::of(other).within(Some(firm))),
                ('a', strangers.assigned_to(Some(me))),
                ('e', strangers),
            ];
            let may: String =
                cells.iter().filter(|(_, subject)| allows(viewer, *act, subject)).map(|(mark, _)| *mark).collect();
            write!(table, "{:<12}", if may.is_empty() { "-" } else { &may }).unwrap();
        }
    }
    table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn the_matrix_is_what_was_reviewed() {
    let path = "tests/it/access.matrix";
    let now = matrix();
    if std::env::var_os("UPDATE_MATRIX").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(now, reviewed, "the permission table changed: read it, then UPDATE_MATRIX=1 cargo test the_matrix");
}

#[test]
fn what_is_a_firms_only_its_owner_gives_away() {
    let (me, firm) = (PersonId(Uuid::from_u128(1)), OrganisationId(Uuid::from_u128(10)));
    let viewer = |membership: Option<Membership>| {
        person(1, &[], &membership.map(|membership| (firm, membership)).into_iter().collect::<Vec<_>>())
    };
    for act in [Act::GiveItem, Act::KeepItem] {
        for (membership, may) in [(None, false), (Some(Membership::Member), false), (Some(Membership::Owner), true)] {
            assert_eq!(
                allows(&viewer(membership), act, &Subject::of(me).within(Some(firm))),
                may,
                "{act:?} {membership:?}"
            );
            assert!(allows(&viewer(membership), act, &Subject::of(me)));
        }
    }
}

#[test]
fn a_guest_may_only_sign_in() {
    for act in Act::ALL {
        assert_eq!(allows(&Viewer::Guest, *act, &Subject::nobody()), *act == Act::SignIn, "{act:?}");
    }
}

both! {
    async fn a_write_from_another_site_is_refused(world: World) {
        let ann = world.customer("ann@example.com").await;
        for (site, origin, passes) in [
            (Some("cross-site"), None, false),
            (Some("same-site"), Some("http://evil.test"), false),
            (None, None, false),
            (None, Some("null"), false),
            (None, Some("http://portal.test.evil.test"), false),
            (Some("same-origin"), None, true),
            (Some("none"), None, true),
            (None, Some("http://portal.test"), true),
        ] {
            let mut request = Request::post("/language").header(header::COOKIE, &ann.cookie).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            if let Some(site) = site {
                request = request.header("sec-fetch-site", site);
            }
            if let Some(origin) = origin {
                request = request.header(header::ORIGIN, origin);
            }
            let reply = world.send(request.body(Body::from("language=lt&back=/")).unwrap()).await;
            assert_eq!(reply.status == StatusCode::SEE_OTHER, passes, "{site:?} {origin:?} {}", reply.status);
        }
    }
}

both! {
    async fn every_page_carries_the_security_headers_and_a_fresh_nonce(world: World) {
        let (one, two) = (world.get(None, "/").await, world.get(None, "/nowhere").await);
        let policy = |reply: &crate::world::Reply| reply.headers["content-security-policy"].to_str().unwrap().to_owned();
        assert_ne!(policy(&one), policy(&two));
        assert_eq!(two.status, StatusCode::NOT_FOUND);
        for reply in [&one, &two] {
            assert!(policy(reply).starts_with("default-src 'none'; script-src 'nonce-"));
            assert_eq!(reply.headers["x-content-type-options"], "nosniff");
            assert!(!reply.body.contains(" style="), "an inline style would be blocked");
        }
    }
}

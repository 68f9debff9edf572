//! Every address of the portal with who may open it, in one table; and the test that none is missing.

use aftercare::access::Role::{self, Agent, Technician, Trainer};
use std::{collections::BTreeMap, path::Path};

/// Who may come in by a door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Anybody.
    Public,
    /// Whoever is signed in, and sees what is their own.
    Signed,
    /// Of one customer: they themselves, and staff with one of these roles, a manager or an administrator.
    Theirs(&'static [Role]),
    /// Of one person alone, whatever the roles of the others.
    Alone,
    /// Staff with one of these roles, a manager or an administrator.
    Desk(&'static [Role]),
    /// Whoever knows the secret in the address. What is walked is one that nobody knows.
    Secret,
    /// Nobody, by this method.
    None,
}

pub struct Door {
    pub path: &'static str,
    pub get: Rule,
    pub post: Rule,
}

const fn door(path: &'static str, get: Rule, post: Rule) -> Door {
    Door { path, get, post }
}

const ALL_STAFF: &[Role] = &Role::ALL;
const DESK: &[Role] = &[Agent];
const WORKSHOP: &[Role] = &[Agent, Technician];
const NO_OTHER: &[Role] = &[];

use Rule::{Alone, Desk, None, Public, Secret, Signed, Theirs};

pub const DOORS: &[Door] = &[
    // server
    door("/healthz", Public, None),
    door("/readyz", Public, None),
    door("/assets/{build}/{*path}", Secret, None),
    door("/rpc/{*name}", Secret, Secret),
    // demo
    door("/demo/sign-in", None, Public),
    door("/demo/clock", None, Public),
    door("/demo/mail", Public, None),
    door("/demo/mail/{id}", Public, None),
    // accounts
    door("/sign-in", Public, Public),
    door("/sign-in/code", Public, Secret),
    door("/sign-in/link/{token}", Secret, Secret),
    door("/sign-out", None, Public),
    door("/language", None, Public),
    door("/account", Signed, Signed),
    door("/account/sessions/{id}/end", None, Alone),
    // portal
    door("/", Public, None),
    door("/help", Public, None),
    // notices
    door("/inbox", Signed, None),
    door("/inbox/{id}", Alone, None),
    // purchases
    door("/purchases", Signed, None),
    door("/purchases/register", Signed, Signed),
    door("/purchases/register/{id}", Alone, Alone),
    door("/purchases/{id}", Theirs(WORKSHOP), None),
    door("/purchases/give/{item}", Alone, Alone),
    door("/purchases/take-over/{id}", Alone, Alone),
    door("/desk/registrations", Desk(DESK), Desk(DESK)),
    // coverage
    door("/desk/settings/guarantees", Desk(NO_OTHER), Desk(NO_OTHER)),
    // benefits
    door("/desk/benefits/{item}", Desk(DESK), Desk(DESK)),
    // charges
    door("/account/charges", Signed, None),
    door("/desk/charges", Desk(DESK), Desk(DESK)),
    // repairs
    door("/repairs", Signed, None),
    door("/repairs/new", Signed, Signed),
    door("/repairs/{rma}", Theirs(WORKSHOP), Theirs(WORKSHOP)),
    door("/photos/{id}", Theirs(WORKSHOP), None),
    door("/desk/settings/workshops", Desk(NO_OTHER), Desk(NO_OTHER)),
    door("/desk/repairs", Desk(WORKSHOP), None),
    door("/desk/repairs/{rma}", Desk(WORKSHOP), Desk(&[Technician])),
    // training
    door("/training", Signed, None),
    door("/training/mine", Signed, Signed),
    door("/training/{class}", Signed, Signed),
    door("/training/{class}/calendar.ics", Signed, None),
    door("/training/{class}/ticket.svg", Alone, None),
    door("/certificates/{code}", Secret, None),
    door("/calendar/{file}", Secret, None),
    door("/desk/classes", Desk(&[Trainer]), None),
    door("/desk/classes/new", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/desk/courses/new", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/desk/classes/{class}", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/desk/classes/{class}/edit", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/desk/classes/{class}/room", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/desk/classes/{class}/sheet", Desk(&[Trainer]), None),
    door("/desk/classes/{class}/roster.csv", Desk(&[Trainer]), None),
    door("/desk/check-in/{token}", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/training/ask", Signed, None),
    door("/training/ask/{course}", Signed, Signed),
    door("/desk/seats/{enrolment}", Desk(&[Trainer, Agent]), Desk(&[Trainer, Agent])),
    door("/desk/availability", Desk(&[Trainer, Technician]), Desk(&[Trainer, Technician])),
    door("/desk/demand", Desk(&[Trainer]), None),
    door("/desk/demand/{course}", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/desk/settings/training", Desk(NO_OTHER), Desk(NO_OTHER)),
    door("/desk/settings/rooms", Desk(NO_OTHER), Desk(NO_OTHER)),
    door("/training/courses/{course}", Signed, None),
    door("/training/{class}/make-up", Alone, Alone),
    door("/materials/{id}", Theirs(&[Trainer]), None),
    door("/certificates/{code}/certificate.pdf", Secret, None),
    door("/certificates/{code}/badge", Secret, None),
    door("/badges/issuer", Public, None),
    door("/badges/key", Public, None),
    door("/badges/revocations", Public, None),
    door("/badges/achievements/{course}", Public, None),
    door("/desk/courses", Desk(&[Trainer]), None),
    door("/desk/courses/{course}", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/desk/courses/{course}/materials", Desk(&[Trainer]), Desk(&[Trainer])),
    door("/desk/make-ups/{id}", None, Desk(&[Trainer])),
    // groups
    door("/training/{class}/group", Signed, Signed),
    door("/training/team", Signed, Signed),
    door("/account/team", Signed, None),
    door("/invitations/{id}", Alone, Alone),
    door("/desk/organisations/{organisation}/team", Desk(&[Agent, Trainer]), None),
    // cases
    door("/cases", Signed, None),
    door("/cases/new", Signed, Signed),
    door("/cases/{id}", Theirs(DESK), Theirs(NO_OTHER)),
    door("/desk/cases", Desk(DESK), None),
    door("/desk/cases/{id}", Desk(DESK), Desk(DESK)),
    door("/desk/settings/hours", Desk(NO_OTHER), Desk(NO_OTHER)),
    // ratings
    door("/rate/{token}", Secret, Secret),
    door("/desk/feedback", Desk(NO_OTHER), None),
    // follow-ups
    door("/desk/neglected", Desk(NO_OTHER), Desk(DESK)),
    door("/desk/follow-ups/{id}", None, Desk(DESK)),
    // desk
    door("/desk", Desk(ALL_STAFF), None),
    door("/desk/customers", Desk(DESK), None),
    door("/desk/customers/{id}", Desk(DESK), Desk(DESK)),
    door("/desk/customers/{id}/case", Desk(DESK), Desk(DESK)),
    door("/desk/organisations", Desk(DESK), None),
    door("/desk/reports", Desk(NO_OTHER), None),
    door("/desk/settings", Desk(NO_OTHER), None),
];

/// The methods that the source gives each address: (GET, POST).
fn routes(folder: &Path, found: &mut BTreeMap<String, (bool, bool)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for call in source.split(".route(").skip(1).map(str::trim_start) {
                // `.route(&path, …)`: the files at the root, each of which is public.
                let Some((address, rest)) = call.strip_prefix('"').and_then(|call| call.split_once('"')) else {
                    assert!(call.starts_with("&path"), "{}: an address that is no literal", path.display());
                    continue;
                };
                let handlers = &rest[..end_of_call(rest)];
                let methods = found.entry(address.to_owned()).or_default();
                methods.0 |= handlers.contains("get(");
                methods.1 |= handlers.contains("post(");
                for other in ["put(", "patch(", "delete(", "any(", "on("] {
                    assert!(!handlers.contains(other), "{address}: the walk knows nothing of {other}…)");
                }
            }
        }
    }
}

fn end_of_call(text: &str) -> usize {
    let mut depth = 1;
    for (place, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place;
        }
    }
    panic!("a call without an end: {text}")
}

#[test]
fn every_address_of_the_source_has_a_row_in_the_table() {
    let mut source = BTreeMap::new();
    routes(Path::new("src"), &mut source);
    let table: BTreeMap<String, (bool, bool)> =
        DOORS.iter().map(|door| (door.path.to_owned(), (door.get != Rule::None, door.post != Rule::None))).collect();
    assert_eq!(table.len(), DOORS.len(), "an address has two rows");
    assert_eq!(source, table, "left: the source, right: tests/it/walk/table.rs, as (GET, POST)");
}

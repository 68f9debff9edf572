//! What belongs to the customer of the demo, found in the database or made through the portal, and the addresses and
//! forms that are about it.

use super::{Who, digest::connect, found, text};
use crate::world::World;
use axum::{
    body::Body,
    http::{Request, header},
};

/// The parameters of the customer's addresses, and what forms name.
pub struct Things {
    pub customer: String,
    pub rma: String,
    purchase: String,
    registration: String,
    item: String,
    benefit: String,
    photo: String,
    case: String,
    message: String,
    session: String,
    charge: String,
    hand_over: String,
    claim: String,
    follow_up: String,
    class: String,
    /// One in which the customer has a seat.
    seat: String,
    /// That one's place in a class that has not begun.
    place: String,
    check_in: String,
    course: String,
    missed: String,
    make_up: String,
    material: String,
    invitation: String,
    organisation: String,
}

const MINE: &str = "(select id from person where email = 'customer@example.com')";

/// What the portal is told by forms whose fields matter in a walk.
const CHARGE: &str = "insert into charge (id, person_id, amount_minor, amount_currency, reason, entity, entity_id, \
    consent_at, state, created_at) select randomblob(16), id, 2900, 'EUR', 'diagnosis', 'repair', randomblob(16), \
    '2026-12-01T08:00:00+00:00', 'due', '2026-12-01T08:00:00+00:00' from person where email = 'customer@example.com'";

/// A firm asks the customer to join it.
const INVITATION: &str = "insert into team_invitation (id, organisation_id, email, name, invited_by, state, created_at, \
    changed_at) select randomblob(16), organisation_id, 'customer@example.com', 'Carla', person_id, 'open', \
    '2026-12-01T08:00:00+00:00', '2026-12-01T08:00:00+00:00' from membership where role = 'owner' limit 1";

impl Things {
    pub async fn of(world: &World) -> Self {
        let mine = |table: &str, column: &str, more: &str| {
            format!("select lower(hex(id)) from {table} where {column} = {MINE} {more} order by id limit 1")
        };
        sqlx::query(CHARGE).execute(&mut connect(world).await).await.unwrap();
        let with_benefit = |column: &str| {
            format!(
                "select lower(hex({column})) from benefit where person_id = {MINE} and ends_on > '2026-12-01' order by id limit 1"
            )
        };
        // A second browser, whose session is to be left alone.
        world.signed("customer@example.com").await;
        Self {
            customer: text(world, "select lower(hex(id)) from person where email = 'customer@example.com'").await,
            rma: text(
                world,
                &format!("select 'RMA-' || rma from repair where person_id = {MINE} and state = 'booked'"),
            )
            .await,
            purchase: text(world, &mine("purchase", "person_id", "")).await,
            item: text(world, &with_benefit("item_id")).await,
            benefit: text(world, &with_benefit("id")).await,
            registration: register(world).await,
            photo: photo(world).await,
            case: text(world, &mine("care_case", "customer_id", "and state <> 'closed'")).await,
            message: text(world, &mine("message", "person_id", "and letter <> 'sign_in'")).await,
            session: text(world, &mine("session", "person_id", "")).await,
            hand_over: offer(world).await,
            charge: text(world, &mine("charge", "person_id", "and state = 'due'")).await,
            claim: text(world, "select lower(hex(id)) from registration where state in ('open', 'disputed')").await,
            follow_up: match found(world, CONTACT).await {
                Some(id) => id,
                None => plan(world).await,
            },
            seat: text(
                world,
                &format!(
                    "select lower(hex(e.class_id)) from enrolment e where e.person_id = {MINE} and e.state = 'booked' \
                     and not exists (select 1 from enrolment o join person p on p.id = o.person_id \
                     where o.class_id = e.class_id and p.email = 'amelia.hughes@example.org') order by e.id limit 1"
                ),
            )
            .await,
            place: text(
                world,
                &format!(
                    "select lower(hex(e.id)) from enrolment e join class c on c.id = e.class_id where e.person_id = {MINE} \
                     and e.state = 'booked' and c.state = 'open' and c.starts_at > '2026-12-02' order by e.id limit 1"
                ),
            )
            .await,
            class: text(world, "select lower(hex(id)) from class where state = 'open' order by starts_at limit 1")
                .await,
            course: text(
                world,
                "select lower(hex(c.course_id)) from class c join certificate f on f.class_id = c.id order by f.id limit 1",
            )
            .await,
            missed: text(
                world,
                &format!(
                    "select lower(hex(e.class_id)) from enrolment e join attendance a on a.enrolment_id = e.id \
                     where e.person_id = {MINE} and a.mark = 'absent' limit 1"
                ),
            )
            .await,
            make_up: text(world, "select lower(hex(id)) from make_up where state = 'booked'").await,
            material: material(world).await,
            invitation: {
                sqlx::query(INVITATION).execute(&mut connect(world).await).await.unwrap();
                text(world, "select lower(hex(id)) from team_invitation where email = 'customer@example.com'").await
            },
            organisation: text(world, "select lower(hex(organisation_id)) from membership where role = 'owner' limit 1")
                .await,
            check_in: {
                let seat = "select lower(hex(e.id)) from enrolment e join class c on c.id = e.class_id \
                    where e.state = 'booked' and c.state = 'open' order by c.starts_at, e.id limit 1";
                aftercare::training::server::check_in::path(&world.app, text(world, seat).await.parse().unwrap())
            },
        }
    }

    /// The address of a row of the table, about the customer's things.
    pub fn address(&self, path: &str) -> String {
        let parameter = match path {
            "/account/sessions/{id}/end" => &self.session,
            "/inbox/{id}" | "/demo/mail/{id}" => &self.message,
            "/purchases/register/{id}" => &self.registration,
            "/purchases/{id}" => &self.purchase,
            "/photos/{id}" => &self.photo,
            "/desk/benefits/{item}" | "/purchases/give/{item}" => &self.item,
            "/purchases/take-over/{id}" => &self.hand_over,
            "/repairs/{rma}" | "/desk/repairs/{rma}" => &self.rma,
            "/cases/{id}" | "/desk/cases/{id}" => &self.case,
            "/desk/follow-ups/{id}" => &self.follow_up,
            "/desk/customers/{id}" | "/desk/customers/{id}/case" => &self.customer,
            "/training/{class}"
            | "/training/{class}/calendar.ics"
            | "/training/{class}/group"
            | "/desk/classes/{class}"
            | "/desk/classes/{class}/edit"
            | "/desk/classes/{class}/room"
            | "/desk/classes/{class}/sheet"
            | "/desk/classes/{class}/roster.csv" => &self.class,
            "/training/{class}/ticket.svg" => &self.seat,
            "/desk/check-in/{token}" => return self.check_in.clone(),
            "/training/{class}/make-up" => &self.missed,
            "/training/courses/{course}"
            | "/training/ask/{course}"
            | "/desk/demand/{course}"
            | "/desk/courses/{course}"
            | "/desk/courses/{course}/materials"
            | "/badges/achievements/{course}" => &self.course,
            "/materials/{id}" => &self.material,
            "/desk/make-ups/{id}" => &self.make_up,
            "/desk/seats/{enrolment}" => &self.place,
            "/invitations/{id}" => &self.invitation,
            "/desk/organisations/{organisation}/team" => &self.organisation,
            "/certificates/{code}/certificate.pdf" | "/certificates/{code}/badge" => {
                return path.replace("{code}", "AAAA-AAAA");
            }
            "/certificates/{code}" => return "/certificates/AAAA-AAAA".to_owned(),
            "/calendar/{file}" => return "/calendar/nobody-knows-this.ics".to_owned(),
            "/rate/{token}" | "/sign-in/link/{token}" => return path.replace("{token}", "nobody-knows-this"),
            "/assets/{build}/{*path}" => return "/assets/none/none.js".to_owned(),
            "/rpc/{*name}" => return "/rpc/nothing/here".to_owned(),
            plain if !plain.contains('{') => return plain.to_owned(),
            unknown => panic!("{unknown}: say in tests/it/walk/things.rs what its parameter is"),
        };
        let (head, rest) = path.split_once('{').unwrap();
        format!("{head}{parameter}{}", rest.split_once('}').unwrap().1)
    }

    /// A well-formed form for a door: what would change something if the door were open.
    pub fn form(&self, path: &str) -> Vec<(&str, &str)> {
        match path {
            "/account" => vec![("name", "Mallory"), ("version", "1")],
            "/purchases/register" => vec![("serial_number", "WALK-1"), ("proof", "Mine.")],
            "/purchases/register/{id}" | "/sign-in/code" => vec![("code", "123456")],
            "/desk/registrations" => vec![("registration", &self.claim), ("decision", "refuse"), ("why", "No.")],
            "/desk/benefits/{item}" => {
                vec![("do", "more"), ("benefit", &self.benefit), ("units", "1"), ("why", "Sorry.")]
            }
            "/purchases/give/{item}" => vec![("email", "mallory@example.com")],
            "/purchases/take-over/{id}" => vec![("do", "take")],
            "/desk/charges" => vec![("charge", &self.charge), ("outcome", "waived")],
            "/repairs/{rma}" => vec![("do", "cancel")],
            "/desk/repairs/{rma}" => vec![("do", "receive")],
            "/repairs/new" => vec![("item", &self.purchase), ("mode", "send_in"), ("fault", "It smokes.")],
            "/cases/new" | "/desk/customers/{id}/case" => {
                vec![("kind", "question"), ("subject", "Walking"), ("words", "Is this open?")]
            }
            "/cases/{id}" => vec![("words", "Let me in.")],
            "/desk/cases/{id}" => vec![("do", "answer"), ("words", "Yes.")],
            "/rate/{token}" => vec![("score", "1"), ("words", "Bad.")],
            "/desk/neglected" => {
                vec![("do", "plan"), ("entity", "case"), ("id", &self.case), ("due", "1"), ("what", "Call.")]
            }
            "/desk/customers/{id}" => vec![("due", "1"), ("what", "Call.")],
            "/desk/follow-ups/{id}" => vec![("outcome", "reached")],
            "/desk/settings/guarantees" => vec![("months_SE", "36")],
            "/desk/settings/workshops" => WORKSHOP.to_vec(),
            "/desk/settings/hours" => vec![("version", "0"), ("day_1", "09:00-12:00")],
            "/training/mine" => vec![("act", "renew")],
            "/training/{class}" => vec![("act", "cancel")],
            "/training/{class}/group" => vec![("act", "enrol"), ("unnamed", "1"), ("agreed", "100000")],
            "/desk/courses/new" => vec![("title", "A course"), ("language", "en"), ("pass_percent", "80")],
            "/desk/classes/{class}" => vec![("act", "cancel"), ("why", "Rain.")],
            "/desk/classes/{class}/room" => {
                vec![("act", "code"), ("session", "00000000000070008000000000000000"), ("code", "AAAAAA")]
            }
            "/desk/classes/{class}/edit" => vec![
                ("version", "1"),
                ("title", "Edited"),
                ("link", "https://meet.example.com/x"),
                ("capacity", "12"),
                ("price", "1"),
                ("cut_off_hours", "48"),
            ],
            "/training/ask/{course}" => vec![("act", "ask"), ("time", "2-morning"), ("language", ""), ("place", "")],
            "/desk/availability" => {
                vec![("act", "absence"), ("from", "2027-06-01T08:00"), ("until", "2027-06-02T08:00"), ("why", "Away.")]
            }
            "/desk/settings/training" => vec![("act", "equipment"), ("name", "Projector"), ("at_place", "Madrid")],
            "/desk/settings/rooms" => vec![
                ("act", "add"),
                ("name", "Attic"),
                ("address", "Calle Alta 7"),
                ("place", "Madrid"),
                ("capacity", "8"),
                ("zone", "Europe/Madrid"),
            ],
            "/desk/courses/{course}" => vec![
                ("version", "2"),
                ("title", "Renamed"),
                ("language", "en"),
                ("level", "advanced"),
                ("needs_rule", "require"),
                ("pass_percent", "10"),
            ],
            "/desk/courses/{course}/materials" => {
                vec![("title", "Notes"), ("link", "https://www.example.com/notes"), ("audience", "everyone")]
            }
            "/desk/make-ups/{id}" => vec![("mark", "present")],
            "/desk/seats/{enrolment}" => vec![("why_give_back", "She called.")],
            "/training/{class}/make-up" => vec![("act", "cancel"), ("make_up", &self.make_up)],
            "/invitations/{id}" => vec![("act", "accept")],
            "/training/team" => vec![("act", "invite"), ("name", "Eve"), ("email", "eve@example.com")],
            "/language" => vec![("language", "lt"), ("back", "/")],
            _ => Vec::new(),
        }
    }
}

/// A workshop as its form sends it.
pub const WORKSHOP: [(&str, &str); 15] = [
    ("name", "Second workshop"),
    ("address", "Calle Nueva 1"),
    ("zone", "Europe/Madrid"),
    ("slot_minutes", "30"),
    ("lead_hours", "2"),
    ("horizon_days", "30"),
    ("desk_capacity", "1"),
    ("visit_capacity", "1"),
    ("notice_hours", "24"),
    ("quote_days", "14"),
    ("warranty_days", "90"),
    ("diagnosis_fee", "29"),
    ("visit_fee", "59"),
    ("desk_1", "09:00-13:00"),
    ("closed", "2026-12-24 Christmas Eve"),
];

/// A registration that waits for a code.
async fn register(world: &World) -> String {
    let customer = Who::Customer.enter(world).await.unwrap();
    let form = [("order_number", "A-1"), ("email", "someone.else@example.com")];
    let reply = world.post(&customer, "/purchases/register", &form).await;
    reply.location().strip_prefix("/purchases/register/").expect("a page for the code").to_owned()
}

/// A picture that belongs to the customer's repair.
async fn photo(world: &World) -> String {
    let customer = Who::Customer.enter(world).await.unwrap();
    let reply = world.send(photo_post(&customer.cookie, &[("do", "photos")])).await;
    assert!(reply.location().starts_with("/repairs/new"), "{}", reply.body);
    let attach = format!(
        "update photo set repair_id = (select id from repair where person_id = {MINE} order by id limit 1) \
         where repair_id is null returning lower(hex(id))"
    );
    text(world, &attach).await
}

/// A picture of a course in which the customer has a seat and no stranger has, for its learners alone.
async fn material(world: &World) -> String {
    let trainer = world.signed("trainer@example.com").await;
    let mine = format!(
        "select lower(hex(c.course_id)) from enrolment e join class c on c.id = e.class_id \
         where e.person_id = {MINE} and e.state = 'booked' and not exists (select 1 from enrolment o \
         join class k on k.id = o.class_id join person p on p.id = o.person_id where k.course_id = c.course_id \
         and o.state = 'booked' and p.email in ('amelia.hughes@example.org', 'lucia.fernandez@example.org')) limit 1"
    );
    let course = text(world, &mine).await;
    let mut request = photo_post(&trainer.cookie, &[("title", "Notes"), ("audience", "enrolled")]);
    *request.uri_mut() = format!("/desk/courses/{course}/materials").parse().unwrap();
    let reply = world.send(request).await;
    assert_eq!(reply.location(), format!("/desk/courses/{course}"), "{}", reply.body);
    text(world, "select lower(hex(id)) from material where file is not null").await
}

async fn plan(world: &World) -> String {
    let agent = world.signed("agent@example.com").await;
    let customer = text(world, "select lower(hex(id)) from person where email = 'customer@example.com'").await;
    world.post(&agent, &format!("/desk/customers/{customer}"), &[("due", "1")]).await;
    text(world, CONTACT).await
}

/// A contact that is ended by making it: one about a registration ends with the decision.
const CONTACT: &str =
    "select lower(hex(id)) from follow_up where done_at is null and (entity is null or entity <> 'registration')";

const BOUNDARY: &str = "the-boundary-of-the-walk";

/// The form of a new repair with one small picture.
pub fn photo_post(cookie: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(8, 8).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"a.png\"\r\n\
         Content-Type: image/png\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(png.get_ref());
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    multipart(cookie, &format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

/// A post to the door that takes pictures, with whatever it says of itself.
pub fn multipart(cookie: &str, kind: &str, body: Vec<u8>) -> Request<Body> {
    Request::post("/repairs/new")
        .header(header::COOKIE, cookie)
        .header(header::ORIGIN, "http://portal.test")
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body))
        .unwrap()
}

/// Somebody else offers a piece of theirs to the customer.
async fn offer(world: &World) -> String {
    const OFFER: &str = "insert into hand_over (id, item_id, from_id, to_email, state, created_at) \
        select i.id, i.id, i.owner_id, 'customer@example.com', 'open', i.created_at from item i \
        join purchase p on p.id = i.purchase_id where p.kind = 'goods' \
        and i.owner_id <> (select id from person where email = 'customer@example.com') and i.organisation_id is null \
        and not exists (select 1 from benefit b where b.item_id = i.id and b.reserved > 0) \
        and not exists (select 1 from repair r where r.item_id = i.id and r.state not in ('handed_back', 'closed', 'cancelled', 'not_repairable')) \
        order by i.id limit 1 on conflict do nothing";
    sqlx::query(OFFER).execute(&mut connect(world).await).await.unwrap();
    text(world, "select lower(hex(id)) from hand_over where to_email = 'customer@example.com' and state = 'open'").await
}

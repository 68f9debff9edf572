//! A long random walk through everything that can happen to the seats of a class, by the real services on both
//! databases, step by step against the book in memory. `AFTERCARE_STEPS` makes it longer; see CONTRIBUTING.md.

use crate::{
    both, sold,
    training::{School, now},
    world::{Signed, World},
};
use aftercare::{
    access::Membership,
    calendar::domain::Span,
    fetch_one, fetch_scalar,
    server::Cx,
    training::{
        domain::{EnrolmentState, Policy, Terms, Wish, book::Book},
        server::{
            change,
            groups::{self, Group},
            plan,
            rules::{self, Rules},
            seats::{self, Consent},
            store::{self, parties},
        },
    },
    values::{ClassId, Money, OrganisationId, PartyId, PersonId},
};
use chrono::{DateTime, Duration, Utc};

/// A small generator of our own: the same walk on both engines, every time.
struct Dice(u64);

impl Dice {
    fn draw(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn yes(&mut self) -> bool {
        self.draw(2) == 0
    }
}

/// How many steps each database walks.
fn steps() -> u64 {
    std::env::var("AFTERCARE_STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(2_000)
}

/// Where the walk begins; another number is another walk.
fn first_seed() -> u64 {
    std::env::var("AFTERCARE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_201)
}

/// How many of them in one world, so that its tables stay as small as a firm's.
const IN_ONE_WORLD: u64 = 1_000;
/// How many on one class.
const IN_ONE_CLASS: u64 = 80;

/// The people of one world: the firm's first, its owner at their head, then others.
struct Walkers {
    firm: OrganisationId,
    people: Vec<(Signed, Cx)>,
    /// How many of them belong to the firm.
    employees: usize,
}

impl Walkers {
    async fn of(world: &World) -> (Self, School) {
        let owner = world.customer("owner@firm.example").await;
        let firm = world.organisation("Acme Works").await;
        world.join(firm, owner.id, Membership::Owner).await;
        let rows: Vec<String> = (0..4)
            .map(|n| {
                format!(
                    "F-{n},1,2026-11-10,2026-11-14,owner@firm.example,ES,Acme Works,P1,Printer,goods,F{n},1,199.00,EUR,12,care-6"
                )
            })
            .collect();
        sold::sell(world, &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let product =
            fetch_one!(world.db().read().await.unwrap(), (aftercare::values::ProductId,), "select id from product")
                .unwrap()
                .0;
        let school = School::of(world, vec![product]).await;
        let mut people = vec![(owner.clone(), world.cx_of(&owner).await)];
        for n in 1..11 {
            let who = world.customer(&format!("walker{n:02}@example.com")).await;
            if n < 8 {
                world.join(firm, who.id, Membership::Member).await;
            }
            people.push((who.clone(), world.cx_of(&who).await));
        }
        (Self { firm, people, employees: 8 }, school)
    }

    fn id(&self, n: usize) -> PersonId {
        self.people[n].0.id
    }

    fn cx(&self, n: usize, now: DateTime<Utc>) -> Cx {
        Cx { now, ..self.people[n].1.clone() }
    }
}

/// One class, in the database and in the book.
struct Walk<'a> {
    world: &'a World,
    school: &'a School,
    walkers: &'a Walkers,
    class: ClassId,
    book: Book,
    parties: Vec<PartyId>,
    at: DateTime<Utc>,
    /// When it was to begin at first, and the how manyth of its world it is.
    planned: DateTime<Utc>,
    number: i64,
}

impl Walk<'_> {
    /// One step in both; gives what was done, for the message of a failure.
    async fn step(&mut self, dice: &mut Dice) -> String {
        let (n, m) = (dice.draw(11) as usize, dice.draw(self.walkers.employees as u64) as usize);
        let (cx, owner) = (self.walkers.cx(n, self.at), self.walkers.cx(0, self.at));
        let (who, member) = (self.walkers.id(n), self.walkers.id(m));
        let (id, at) = (self.class, self.at);
        let party = if self.parties.is_empty() { None } else { Some(dice.draw(self.parties.len() as u64) as usize) };
        let consent = Consent::default;
        match (dice.draw(26), party) {
            (0..=4, _) => {
                let said = seats::enrol(&cx, id, consent()).await.is_ok();
                let expected = self.book.enrol(who, at).is_ok();
                // Whoever has a place already is answered with it by the service.
                assert!(said || !expected, "enrol {n}");
                format!("enrol {n}")
            }
            (5..=6, _) => {
                let said = seats::accept(&cx, id, consent()).await.is_ok();
                let expected = self.book.accept(who, at).is_ok();
                assert!(said || !expected, "accept {n}");
                format!("accept {n}")
            }
            (7, _) => {
                let said = seats::decline(&cx, id, consent()).await.is_ok();
                let expected = self.book.decline(who, at).is_ok();
                assert!(said || !expected, "decline {n}");
                format!("decline {n}")
            }
            (8..=10, _) => {
                let said = seats::cancel(&cx, id, consent()).await.is_ok();
                let expected = self.book.cancel(who, at).is_ok();
                assert!(said || !expected, "cancel {n}");
                format!("cancel {n}")
            }
            (11..=14, _) => {
                let mut people: Vec<PersonId> = Vec::new();
                for _ in 0..dice.draw(4) {
                    let person = self.walkers.id(dice.draw(self.walkers.employees as u64) as usize);
                    if !people.contains(&person) {
                        people.push(person);
                    }
                }
                let unnamed = dice.draw(3);
                let (wish, wait) = (if dice.yes() { Wish::Together } else { Wish::AsManyAsFit }, dice.draw(4) > 0);
                let named = people.iter().copied().map(Some);
                let lines: Vec<_> = named.chain(std::iter::repeat_n(None, unnamed as usize)).collect();
                let group = Group { people, unnamed: unnamed as i64, wish, wait };
                let said = groups::enrol(&owner, id, self.walkers.firm, group.clone(), consent()).await;
                let expected = if lines.is_empty() { None } else { self.book.enrol_group(&lines, wish, wait, at).ok() };
                assert_eq!(said.as_ref().ok().map(|done| done.seated), expected, "{group:?}: {said:?}");
                self.parties.extend(said.ok().map(|done| done.party));
                format!("{group:?}")
            }
            (15..=16, Some(party)) => {
                let said = groups::accept(&owner, self.parties[party], consent()).await;
                assert_eq!(said.is_ok(), self.book.accept_group(party, at).is_ok(), "accept group {party}: {said:?}");
                format!("accept group {party}")
            }
            (17, Some(party)) => {
                let said = groups::decline(&owner, self.parties[party], consent()).await;
                assert_eq!(said.is_ok(), self.book.decline_group(party, at).is_ok(), "decline group {party}: {said:?}");
                format!("decline group {party}")
            }
            (18, Some(party)) => {
                let places = parties::places(&mut self.tx().await, self.parties[party]).await.unwrap();
                let said = match places.iter().find(|place| place.person_id.is_none()) {
                    Some(seat) => groups::name(&owner, seat.id, member).await.is_ok(),
                    None => false,
                };
                assert_eq!(said, self.book.name(party, member, at).is_ok(), "name {m} in {party}");
                format!("name {m} in {party}")
            }
            (19..=20, _) => {
                let from = store::active(&mut self.tx().await, id, who).await.unwrap();
                let said = match from.filter(|_| who != member) {
                    Some(row) => groups::swap(&owner, row.id, member).await.is_ok(),
                    None => false,
                };
                assert_eq!(said, self.book.swap(who, member, at).is_ok(), "swap {n} for {m}");
                format!("swap {n} for {m}")
            }
            (21, _) => self.resize(1 + dice.draw(7) as i64).await,
            (22, _) if dice.draw(12) == 0 => {
                let cx = Cx { now: at, ..self.school.cx.clone() };
                let said = plan::cancel(&cx, id, "Rain.".to_owned()).await;
                assert_eq!(said.is_ok(), self.book.cancel_class().is_ok(), "cancel the class: {said:?}");
                "cancel the class".to_owned()
            }
            (23, Some(party)) => {
                // The owner gives a seat back that has a name.
                let places = parties::places(&mut self.tx().await, self.parties[party]).await.unwrap();
                let Some((seat, person)) = places.iter().find_map(|place| Some((place.id, place.person_id?))) else {
                    return "nothing to give back".to_owned();
                };
                let said = groups::give_back(&owner, seat).await.is_ok();
                assert_eq!(said, self.book.cancel(person, at).is_ok(), "give back");
                "give back".to_owned()
            }
            (24, _) => self.move_class(dice.draw(4) as i64).await,
            _ => self.wait(10 + dice.draw(400) as i64).await,
        }
    }

    async fn tx(&self) -> aftercare::db::Tx {
        self.world.db().read().await.unwrap()
    }

    /// Nearer by some days, or back: everybody moves along, and offers end sooner where the waitlist closes sooner.
    async fn move_class(&mut self, days: i64) -> String {
        let (row, sessions) = {
            let mut tx = self.tx().await;
            let row = store::class(&mut tx, self.class).await.unwrap();
            (row, store::sessions(&mut tx, self.class).await.unwrap())
        };
        // Each class has an hour of its own, so that no two of a few days meet.
        let starts = self.planned - Duration::days(days) + Duration::hours(2 + 2 * (self.number % 6));
        let was = self.book.policy.starts;
        if starts == was || starts.min(was) <= self.at || !row.state.is_editable() {
            return "nothing to move".to_owned();
        }
        let capacity = row.capacity;
        let span = Span { from: starts, until: starts + Duration::hours(2) };
        let rest = change::Rest { sessions: Some(vec![(Some(sessions[0].id), span)]), ..change::Rest::default() };
        let cx = Cx { now: self.at, ..self.school.cx.clone() };
        let said = change::edit(&cx, self.class, as_it_is(row, capacity), rest).await;
        assert!(said.is_ok(), "move to {starts}: {said:?}");
        let policy = Policy { starts, grace: Some(self.at + Duration::hours(72)), ..self.book.policy };
        self.book.move_to(policy, self.at);
        format!("move to {starts}")
    }

    async fn resize(&mut self, capacity: i64) -> String {
        let row = store::class(&mut self.tx().await, self.class).await.unwrap();
        let open = row.state.is_editable();
        let edit = as_it_is(row, capacity);
        let cx = Cx { now: self.at, ..self.school.cx.clone() };
        let said = change::edit(&cx, self.class, edit, change::Rest::default()).await.is_ok();
        assert_eq!(said, open && self.book.resize(capacity, self.at).is_ok(), "resize to {capacity}");
        format!("resize to {capacity}")
    }

    /// Time goes by; what happens by itself happens, as the jobs do it.
    async fn wait(&mut self, minutes: i64) -> String {
        self.at += Duration::minutes(minutes);
        let system = Cx { now: self.at, ..self.world.operator() };
        groups::return_seats(&system, self.class).await.unwrap();
        const OFFERED: &str = "select id from enrolment where class_id = $1 and state = 'offered' \
            union all select id from unnamed_seat where class_id = $1 and state = 'offered'";
        let offered = fetch_scalar!(self.tx().await, aftercare::values::EnrolmentId, OFFERED, self.class).unwrap();
        if let Some(id) = offered {
            seats::expire(&system, id).await.unwrap();
        }
        groups::open_line(&system, self.class).await.unwrap();
        self.book.return_unnamed(self.at);
        self.book.expire(self.at);
        format!("wait {minutes} minutes")
    }

    /// The database says what the book says.
    async fn compare(&self, before: &Book, said: &str) {
        let mut tx = self.tx().await;
        let row = store::class(&mut tx, self.class).await.unwrap();
        let (seats, policy) = (row.seats(), self.book.policy);
        assert_eq!((row.state, seats), (self.book.state, self.book.seats()), "{said}");
        assert!(seats.taken + seats.held <= seats.capacity, "{said}");
        let rows = store::of_class(&mut tx, self.class).await.unwrap();
        for (who, _) in &self.walkers.people {
            let there = rows.iter().find(|row| row.person_id == who.id).map(|row| (row.state, row.offered_until));
            let model = self.book.line(who.id).map(|line| (line.state, line.offered_until));
            assert_eq!(there, model, "{said}");
        }
        // The line is in the order of the book.
        let line = rows.iter().filter(|row| row.state == EnrolmentState::Waitlisted).map(|row| row.person_id);
        let waits = self.book.lines.iter().filter(|line| line.state == EnrolmentState::Waitlisted);
        assert!(line.eq(waits.filter_map(|line| line.person)), "{said}: the order of the line");
        for (n, id) in self.parties.iter().enumerate() {
            let party = parties::party(&mut tx, *id).await.unwrap();
            assert_eq!(party.gathered, self.book.parties[n].gathered, "{said}: what is held for {n}");
            let places = parties::places(&mut tx, *id).await.unwrap();
            let key = |state: EnrolmentState, until: Option<DateTime<Utc>>| (state, until);
            let mut there: Vec<_> =
                places.iter().filter(|p| p.person_id.is_none()).map(|p| key(p.state, p.offered_until)).collect();
            let mut model: Vec<_> = self
                .book
                .of_party(n)
                .filter(|line| line.person.is_none())
                .map(|line| key(line.state, line.offered_until))
                .collect();
            there.sort();
            model.sort();
            assert_eq!(there, model, "{said}: the seats of {n} without a name");
        }
        // No offer after the freeze, and none that outlives it.
        for (n, line) in self.book.lines.iter().enumerate() {
            let was = before.lines.get(n).map(|line| line.state);
            if line.state == EnrolmentState::Offered && was != Some(EnrolmentState::Offered) {
                assert!(!policy.is_frozen(self.at), "{said}: offered after the freeze");
                assert!(line.offered_until.is_some_and(|until| until <= policy.freezes_at()), "{said}");
            }
        }
        let wrong = fetch_scalar!(tx, i64, WRONG).unwrap().unwrap();
        assert_eq!(wrong, 0, "{said}: benefits");
    }
}

/// The class as it is stored, with so many seats.
fn as_it_is(row: store::ClassRow, capacity: i64) -> change::Edit {
    change::Edit {
        version: row.version,
        title: row.title,
        room: row.room_id,
        link: row.link,
        capacity,
        price: Money::new(row.price_minor, row.price_currency),
        cut_off_hours: row.cut_off_hours,
    }
}

/// Benefits that are not conserved, or hold something for nobody's seat.
const WRONG: &str = "select count(*) from benefit b where b.granted <> b.available + b.reserved + b.used + b.expired \
    or b.available < 0 or b.reserved < 0 or b.used < 0 or b.expired < 0 or (b.allowance = 'training_seat' and b.reserved <> \
    (select count(*) from enrolment e where e.benefit_id = b.id and e.state = 'booked') \
    + (select count(*) from unnamed_seat u where u.benefit_id = b.id and u.state = 'booked'))";

/// Letters of a kind against the acts that cause them: each once, none more.
const LETTERS: [(&str, &str); 6] = [
    (
        "seat_offered",
        "act = 'offer_seat' and from_state = 'waitlisted' and entity = 'enrolment' and entity_id in (select id from enrolment where party_id is null)",
    ),
    ("enrolment_booked", "to_state = 'booked' and actor_kind = 'person' and act in ('enrol', 'accept_offer')"),
    (
        "enrolled_by_firm",
        "to_state = 'booked' and entity = 'enrolment' and (act in ('name_seat', 'swap_seat') or (actor_kind = 'system' and act in ('enrol', 'accept_offer')))",
    ),
    ("group_named", "act in ('name_seat', 'swap_seat')"),
    ("group_returned", "act = 'return_seat'"),
    (
        "group_place_left",
        "act = 'cancel_enrolment' and actor_kind = 'person' and actor_id = customer_id and entity_id in (select e.id from enrolment e join party y on y.id = e.party_id where y.owner_id <> e.person_id)",
    ),
];

async fn each_letter_once(world: &World) {
    for (letter, cause) in LETTERS {
        let count = async |sql: String| -> i64 {
            let sql: &'static str = sql.leak();
            world.count(sql).await
        };
        let sent = count(format!("select count(*) from message where letter = '{letter}'")).await;
        let causes = count(format!("select count(*) from history where {cause}")).await;
        assert_eq!(sent, causes, "{letter}");
    }
    let twice =
        "select count(*) from (select dedupe_key from message group by dedupe_key having count(*) > 1) as twice";
    assert_eq!(world.count(twice).await, 0);
}

async fn walk(world: &World, seed: u64, steps: u64) {
    let (walkers, school) = Walkers::of(world).await;
    let mut dice = Dice(seed);
    let mut taken = 0;
    let mut day = 0;
    while taken < steps {
        day += 1;
        let starts = now() + Duration::days(20 + day);
        let capacity = 1 + dice.draw(6) as i64;
        // The waitlist of every third class closes before gathering would end.
        let terms = Terms { freeze_minutes: if day % 3 == 0 { 100 * 60 } else { 120 }, ..Terms::default() };
        let manager = Cx { now: starts - Duration::hours(200), ..world.operator() };
        rules::set(&manager, Rules { terms, ..Rules::default() }).await.unwrap();
        let class = school.open(school.draft("Model", capacity, (starts - now()).num_hours(), 9000)).await;
        let policy = Policy { terms, ..Policy::new(starts, 48) };
        let book = Book::open(capacity, policy);
        let at = starts - Duration::hours(60 + dice.draw(100) as i64);
        let (world, school, walkers) = (world, &school, &walkers);
        let mut walk =
            Walk { world, school, walkers, class, book, parties: Vec::new(), at, planned: starts, number: day };
        for step in 0..IN_ONE_CLASS.min(steps - taken) {
            let before = walk.book.clone();
            let done = walk.step(&mut dice).await;
            let said = format!("seed {seed}, class {day}, step {step}: {done}");
            walk.compare(&before, &said).await;
            taken += 1;
        }
        assert_eq!(world.broken().await, Vec::<String>::new(), "seed {seed}, class {day}");
    }
    each_letter_once(world).await;
}

both! {
    async fn whatever_happens_to_the_seats_the_database_does_what_the_book_says(world: World) {
        let mut left = steps();
        let mut seed = first_seed();
        let mut fresh = Some(world);
        let mut engine = None;
        while left > 0 {
            let world = match (fresh.take(), engine) {
                (Some(world), _) => world,
                (None, Some(engine)) => World::new(engine).await,
                (None, None) => unreachable!(),
            };
            engine = Some(world.engine);
            let now = left.min(IN_ONE_WORLD);
            walk(&world, seed, now).await;
            left -= now;
            seed += 1;
        }
    }
}

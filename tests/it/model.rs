//! A long random walk through everything that can happen to the seats of classes, by the real services on both
//! databases, step by step against models in memory: the book of each class, the purse that pays for seats, and the post.
//! `AFTERCARE_STEPS` makes it longer; see CONTRIBUTING.md.

mod post;
mod purse;

use crate::{
    both,
    sold::{self, file, import},
    training::{School, now},
    world::{Signed, World},
};
use aftercare::{
    access::{Membership, Role},
    benefits::server::ledger,
    calendar::domain::Span,
    charges::{self, domain::ChargeState},
    fetch_scalar,
    import::server::Kind,
    server::Cx,
    training::{
        domain::{
            ClassState, Effect, EnrolmentState, Mark, Policy, Refusal, Terms, Wish,
            book::{Book, Line},
        },
        server::{
            attend, change,
            groups::{self, Group},
            make_ups, plan,
            rules::{self, Rules},
            seats::{self, Consent},
            staff_seats::{self, Promotion, WalkIn},
            store::{self, parties},
        },
    },
    values::{ChargeId, ClassId, ClassSessionId, MakeUpId, Money, OrganisationId, PartyId, PersonId},
};
use chrono::{DateTime, Duration, Utc};
use purse::{Price, Purse};
use std::collections::BTreeSet;

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

    /// One of several, if there are any.
    fn one<T>(&mut self, of: Vec<T>) -> Option<T> {
        if of.is_empty() {
            None
        } else {
            let n = self.draw(of.len() as u64);
            of.into_iter().nth(n as usize)
        }
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
/// How many before the next class is the one that most happens to.
const IN_ONE_CLASS: u64 = 80;
/// From the start of a class to that of the next.
const APART: Duration = Duration::days(7);

/// The people of one world: the firm's first, its owner at their head, then others.
struct Walkers {
    firm: OrganisationId,
    people: Vec<(Signed, Cx)>,
    /// How many of them belong to the firm.
    employees: usize,
}

/// What the walkers bring along: order, buyer, firm, article, plan and the day from which it runs. Some of it ends while
/// they walk, and no two of a holder end on one day.
const SOLD: [(&str, &str, &str, &str, &str, &str); 10] = [
    ("F-0", "owner@firm.example", "Acme Works", "P1,Printer", "seats-1", "2026-11-25"),
    ("F-1", "owner@firm.example", "Acme Works", "P1,Printer", "seats-2", "2026-11-20"),
    ("F-2", "owner@firm.example", "Acme Works", "P1,Printer", "seats-3", "2026-11-12"),
    ("F-3", "owner@firm.example", "Acme Works", "P1,Printer", "seats-6", "2026-11-14"),
    ("F-4", "owner@firm.example", "Acme Works", "P2,Scanner", "seats-6", "2026-11-13"),
    ("O-0", "owner@firm.example", "", "P1,Printer", "seats-2", "2026-11-15"),
    ("W-1", "walker01@example.com", "", "P1,Printer", "seats-3", "2026-11-05"),
    ("W-8", "walker08@example.com", "", "P1,Printer", "seats-6", "2026-11-06"),
    ("W-9", "walker09@example.com", "", "P1,Printer", "seats-1", "2026-11-27"),
    ("W-A", "walker09@example.com", "", "P1,Printer", "seats-3", "2026-11-28"),
];
/// Class seats for so many months.
const PLANS: [&str; 5] = [
    "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind",
    "seats-1,Short,1,3,0,0,goods",
    "seats-2,Two months,2,3,0,0,goods",
    "seats-3,Three months,3,5,1,0,goods",
    "seats-6,Half a year,6,14,2,1,goods",
];

impl Walkers {
    async fn of(world: &World) -> (Self, School, Purse) {
        let owner = world.customer("owner@firm.example").await;
        let firm = world.organisation("Acme Works").await;
        world.join(firm, owner.id, Membership::Owner).await;
        let mut signed = vec![owner.clone()];
        for n in 1..11 {
            let who = world.customer(&format!("walker{n:02}@example.com")).await;
            if n < 8 {
                world.join(firm, who.id, Membership::Member).await;
            }
            signed.push(who);
        }
        import(world, &sold::options(Kind::Plans, file(&PLANS).0.clone())).await;
        let row = |(order, email, firm, article, plan, day): (&str, &str, &str, &str, &str, &str)| {
            format!("{order},1,2026-11-01,{day},{email},ES,{firm},{article},goods,S-{order},1,199.00,EUR,12,{plan}")
        };
        let rows: Vec<String> = SOLD.into_iter().map(row).collect();
        sold::sell(world, &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let sku = "select id from product where sku = 'P1'";
        let product =
            fetch_scalar!(world.db().read().await.unwrap(), aftercare::values::ProductId, sku).unwrap().unwrap();
        let school = School::of(world, vec![product]).await;
        let purse = Purse::of(world, (firm, owner.id), product).await;
        let mut people = Vec::new();
        for who in signed {
            let cx = world.cx_of(&who).await;
            people.push((who, cx));
        }
        (Self { firm, people, employees: 8 }, school, purse)
    }

    fn id(&self, n: usize) -> PersonId {
        self.people[n].0.id
    }

    fn owner(&self) -> PersonId {
        self.id(0)
    }

    fn cx(&self, n: usize, now: DateTime<Utc>) -> Cx {
        Cx { now, ..self.people[n].1.clone() }
    }

    fn number(&self, who: PersonId) -> usize {
        self.people.iter().position(|(signed, _)| signed.id == who).unwrap()
    }

    fn email(&self, n: usize) -> String {
        if n == 0 { "owner@firm.example".to_owned() } else { format!("walker{n:02}@example.com") }
    }
}

/// One class, in the database and in the book.
struct Run {
    id: ClassId,
    session: ClassSessionId,
    book: Book,
    /// Its groups in the order in which they came.
    parties: Vec<PartyId>,
    price: i64,
    /// When it was to begin at first, and the how manyth of its world it is.
    planned: DateTime<Utc>,
    number: i64,
    /// Whether everybody was reminded of its start, or it was too late for that.
    reminded: bool,
    /// Whether a letter put it into its trainer's calendar, which then follows what she does herself, too.
    in_calendar: bool,
}

impl Run {
    fn price(&self) -> Price {
        let day = self.book.policy.starts.with_timezone(&chrono_tz::Europe::Madrid).date_naive();
        Price { minor: self.price, day, late: self.book.policy.terms.late_cancel }
    }
}

/// A missed session that is made up.
struct MakeUp {
    id: MakeUpId,
    person: PersonId,
    /// Whose seat, in which class, missed it.
    home: purse::Seat,
    /// The class in which it is made up.
    host: usize,
    mark: Option<Mark>,
    was: Option<Mark>,
    stands: bool,
    /// Whether they are still to be reminded.
    remind: bool,
}

/// A mark that says that a session was missed.
fn missed(mark: Option<Mark>) -> bool {
    matches!(mark, Some(Mark::Absent | Mark::Excused))
}

/// All classes of one world, one after the other.
struct Walk<'a> {
    world: &'a World,
    school: &'a School,
    /// They teach in turn, so that two classes can be at one time.
    trainers: [(PersonId, Cx); 2],
    manager: Cx,
    walkers: &'a Walkers,
    runs: Vec<Run>,
    /// The class that most happens to; the next is planned already.
    current: usize,
    make_ups: Vec<MakeUp>,
    purse: Purse,
    /// Whose seats have a certificate.
    certified: BTreeSet<purse::Seat>,
    at: DateTime<Utc>,
    /// Whether the last act was to wait.
    slept: bool,
    /// The letters that this step sends.
    post: post::Post,
}

impl<'a> Walk<'a> {
    async fn begin(world: &'a World, school: &'a School, walkers: &'a Walkers, purse: Purse) -> Self {
        let manager = world.cx_of(&world.staff(Role::Manager).await).await;
        let second = world.staff_named(Role::Trainer, "second@staff.example").await;
        let second = (second.id, world.cx_of(&second).await);
        Walk {
            world,
            school,
            trainers: [(school.trainer.id, school.cx.clone()), second],
            manager,
            walkers,
            runs: Vec::new(),
            current: 0,
            make_ups: Vec::new(),
            purse,
            certified: BTreeSet::new(),
            at: now() + Duration::days(10),
            slept: false,
            post: post::Post::default(),
        }
    }

    /// Plans one more class, by rules of its own.
    async fn open(&mut self, dice: &mut Dice) {
        let number = self.runs.len() as i64;
        let starts = now() + Duration::days(21) + APART * number as i32;
        let effect = |dice: &mut Dice| if dice.yes() { Effect::Spent } else { Effect::Returned };
        // The waitlist of some classes closes before gathering would end.
        let terms = Terms {
            freeze_minutes: [120, 100 * 60, 0, 24 * 60][dice.draw(4) as usize],
            offer_minutes: [24 * 60, 60, 6 * 60, 72 * 60][dice.draw(4) as usize],
            late_cancel: effect(dice),
            no_show: effect(dice),
        };
        let manager = Cx { now: now(), ..self.world.operator() };
        rules::set(&manager, Rules { terms, ..Rules::default() }).await.unwrap();
        let (capacity, price) = (1 + dice.draw(6) as i64, if dice.draw(6) == 0 { 0 } else { 9000 });
        let cut_off_hours = [48, 48, 24, 96, 0][dice.draw(5) as usize];
        let draft = self.school.draft("Model", capacity, (starts - now()).num_hours(), price);
        let (trainer, cx) = &self.trainers[self.runs.len() % 2];
        let id = plan::create(cx, plan::Draft { cut_off_hours, trainer: *trainer, ..draft }, None).await.unwrap();
        plan::publish(cx, id).await.unwrap();
        let session = store::sessions(&mut self.tx().await, id).await.unwrap()[0].id;
        let policy = Policy { terms, ..Policy::new(starts, cut_off_hours) };
        let book = Book::open(capacity, policy);
        let (parties, reminded, in_calendar) = (Vec::new(), false, false);
        self.runs.push(Run { id, session, book, parties, price, planned: starts, number, reminded, in_calendar });
    }

    async fn tx(&self) -> aftercare::db::Tx {
        self.world.db().read().await.unwrap()
    }

    fn book(&mut self, k: usize) -> &mut Book {
        &mut self.runs[k].book
    }

    fn state(&self, k: usize, who: PersonId) -> Option<EnrolmentState> {
        self.runs[k].book.line(who).map(|line| line.state)
    }

    /// The trainer of a class, or a manager who does it for them.
    fn staff(&self, k: usize, dice: &mut Dice) -> (Cx, bool) {
        let manager = dice.draw(3) == 0;
        (if manager { Cx { now: self.at, ..self.manager.clone() } } else { self.trainer(k) }, manager)
    }

    fn trainer(&self, k: usize) -> Cx {
        Cx { now: self.at, ..self.trainers[k % 2].1.clone() }
    }

    /// Who sits in another class at some time, or is a guest there; apart from one class.
    fn elsewhere(&self, starts: DateTime<Utc>, k: usize, except: usize) -> Vec<PersonId> {
        let mut people = Vec::new();
        for (j, Run { book, .. }) in self.runs.iter().enumerate() {
            if j != k && j != except && (book.policy.starts - starts).abs() < Duration::hours(2) {
                let seated = book.lines.iter().filter(|line| line.state == EnrolmentState::Booked);
                people.extend(seated.filter_map(|line| line.person).chain(book.guests.iter().copied()));
            }
        }
        people
    }

    /// Everybody's time, as it is before an act.
    fn look_at_the_time(&mut self) {
        for k in 0..self.runs.len() {
            self.runs[k].book.elsewhere = self.elsewhere(self.runs[k].book.policy.starts, k, k);
        }
    }

    /// One step everywhere; a failure says at which, and what was done.
    async fn step(&mut self, dice: &mut Dice, said: &str) {
        let far = if self.runs[self.current].book.policy.has_started(self.at) { 3 } else { 1 };
        let k = if dice.draw(5) < far { self.current + 1 } else { self.current };
        let before = self.books();
        self.at += Duration::seconds(1);
        let done = self.act(k, dice).await;
        self.follow(&before, &format!("{said}, in class {k}: {done}")).await;
    }

    fn books(&mut self) -> Vec<Book> {
        self.look_at_the_time();
        self.runs.iter().map(|run| run.book.clone()).collect()
    }

    /// After an act: whoever's turn it is in line was written to, whoever booked has paid, and the database says the same.
    async fn follow(&mut self, before: &[Book], said: &str) {
        self.end_make_ups();
        let mut tx = self.tx().await;
        for (k, before) in before.iter().enumerate() {
            if self.runs[k].book == *before {
                continue;
            }
            // Of a wait each job has served the line on its own.
            if !self.slept {
                self.serve(k, before);
            }
            let rows = parties::parties(&mut tx, self.runs[k].id).await.unwrap();
            self.runs[k].parties = rows.into_iter().map(|row| row.id).collect();
            let found = self.found(&mut tx, k, before).await;
            let run = &self.runs[k];
            self.purse.follow(k, before, &run.book, run.price(), &found);
        }
        drop(tx);
        // What came back while time went by has had its day, too.
        if std::mem::take(&mut self.slept) {
            self.purse.expire(Cx { now: self.at, ..self.world.operator() }.today());
        }
        self.compare(before, said).await;
    }

    /// What the database says pays for the seats of groups that were booked just now.
    async fn found(
        &self,
        tx: &mut aftercare::db::Tx,
        k: usize,
        before: &Book,
    ) -> Vec<(usize, Option<aftercare::values::BenefitId>)> {
        let book = &self.runs[k].book;
        let booked = |n: &usize| {
            let was = before.lines.get(*n).map(|line| line.state);
            let line = &book.lines[*n];
            line.party.is_some() && line.state == EnrolmentState::Booked && was != Some(EnrolmentState::Booked)
        };
        let new: Vec<usize> = (0..book.lines.len()).filter(booked).collect();
        if new.is_empty() {
            return Vec::new();
        }
        let named = store::of_class(tx, self.runs[k].id).await.unwrap();
        let unnamed = parties::unnamed(tx, self.runs[k].id).await.unwrap();
        let paid = |n: usize| match (book.lines[n].person, book.lines[n].party) {
            (Some(person), _) => named.iter().find(|row| row.person_id == person).unwrap().benefit_id,
            (None, party) => {
                let mine = |line: &&Line| line.party == party && line.person.is_none() && line.state.is_active();
                let place = book.lines[..n].iter().filter(mine).count();
                let id = self.runs[k].parties[party.unwrap()];
                unnamed.iter().filter(|row| row.party_id == Some(id)).nth(place).unwrap().benefit_id
            }
        };
        new.into_iter().map(|n| (n, paid(n))).collect()
    }

    async fn act(&mut self, k: usize, dice: &mut Dice) -> String {
        let (n, m) = (dice.draw(11) as usize, dice.draw(self.walkers.employees as u64) as usize);
        let party = dice.one((0..self.runs[k].parties.len()).collect());
        match (dice.draw(65), party) {
            (0..=8, _) => self.enrol(k, n).await,
            (9..=11, _) => self.accept(k, n).await,
            (12, _) => self.decline(k, n).await,
            (13..=16, _) => self.cancel(k, n).await,
            (17..=20, _) => self.enrol_group(k, dice).await,
            (21..=23, Some(party)) => self.accept_group(k, party).await,
            (24, Some(party)) => self.decline_group(k, party).await,
            (25, Some(party)) => self.name(k, party, m).await,
            (26..=27, _) => self.swap(k, n, m).await,
            (28..=29, Some(party)) => self.owner_gives_back(k, party, dice.yes()).await,
            (30, _) => self.resize(k, 1 + dice.draw(7) as i64).await,
            // Rarely; sooner where a late cancel cost something, which then comes back.
            (31, _) if self.purse.has_late(k) || dice.draw(8) == 0 => self.cancel_class(k, dice).await,
            (32, _) => self.move_class(k, dice).await,
            (33, _) => self.cut_off(k, dice).await,
            (34, _) => self.readdress(k, dice).await,
            (35..=36, _) => self.staff_give_back(k, n, dice).await,
            (37..=38, _) => self.walk_in(k, n, dice).await,
            (39..=40, _) => self.promote(k, dice).await,
            (41..=42, _) => self.carry(k, dice).await,
            (43..=46, _) => self.make_up(k, dice).await,
            (47, _) => self.give_make_up_back(dice).await,
            (48..=49, _) => self.mark_guest(dice).await,
            (50..=52, _) => self.mark(k, dice).await,
            (53, _) => self.undo(k, dice).await,
            (54, _) => self.mark_rest(k).await,
            (55, _) => self.close(k).await,
            (56, _) => self.settle_charge(k, dice).await,
            _ => self.wait(10 + dice.draw(600) as i64).await,
        }
    }

    async fn enrol(&mut self, k: usize, n: usize) -> String {
        let (cx, who, at) = (self.walkers.cx(n, self.at), self.walkers.id(n), self.at);
        let (was, party) = (self.state(k, who), self.book(k).line(who).and_then(|line| line.party));
        let said = seats::enrol(&cx, self.runs[k].id, Consent::default()).await;
        let expected = self.book(k).enrol(who, at);
        assert_eq!(said.is_ok(), expected.is_ok(), "enrol {n}: {said:?} {expected:?}");
        match (was, self.state(k, who)) {
            (None | Some(EnrolmentState::Waitlisted), Some(EnrolmentState::Booked)) => {
                self.post.to(who, "enrolment_booked");
                if party.is_some() && who != self.walkers.owner() {
                    self.post.to(self.walkers.owner(), "group_went_alone");
                }
            }
            (None, Some(EnrolmentState::Waitlisted)) => self.post.to(who, "enrolment_waitlisted"),
            _ => {}
        }
        format!("enrol {n}")
    }

    async fn accept(&mut self, k: usize, n: usize) -> String {
        let (cx, who, at) = (self.walkers.cx(n, self.at), self.walkers.id(n), self.at);
        let was = self.state(k, who);
        let said = seats::accept(&cx, self.runs[k].id, Consent::default()).await;
        let expected = self.book(k).accept(who, at);
        assert_eq!(said.is_ok(), expected.is_ok(), "accept {n}: {said:?} {expected:?}");
        if was != self.state(k, who) {
            self.post.to(who, "enrolment_booked");
        }
        format!("accept {n}")
    }

    async fn decline(&mut self, k: usize, n: usize) -> String {
        let (cx, who, at) = (self.walkers.cx(n, self.at), self.walkers.id(n), self.at);
        let said = seats::decline(&cx, self.runs[k].id, Consent::default()).await;
        let expected = self.book(k).decline(who, at);
        assert_eq!(said.is_ok(), expected.is_ok(), "decline {n}: {said:?} {expected:?}");
        format!("decline {n}")
    }

    async fn cancel(&mut self, k: usize, n: usize) -> String {
        let (cx, who, at) = (self.walkers.cx(n, self.at), self.walkers.id(n), self.at);
        let before = self.book(k).line(who).cloned();
        let said = seats::cancel(&cx, self.runs[k].id, Consent::default()).await;
        let expected = if self.is_used(k, who) { Err(Refusal::MadeUp) } else { self.book(k).cancel(who, at) };
        assert_eq!(said.is_ok(), expected.is_ok(), "cancel {n}: {said:?} {expected:?}");
        if let Some(line) = before.filter(|_| expected.is_ok()) {
            if line.state == EnrolmentState::Booked {
                self.post.to(who, "seat_cancelled");
            }
            // Whoever answers for the group hears of it, unless they did it.
            if line.party.is_some() && who != self.walkers.owner() {
                self.post.to(self.walkers.owner(), "group_place_left");
            }
        }
        format!("cancel {n}")
    }

    async fn enrol_group(&mut self, k: usize, dice: &mut Dice) -> String {
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
        let (owner, at) = (self.walkers.cx(0, self.at), self.at);
        let said = groups::enrol(&owner, self.runs[k].id, self.walkers.firm, group.clone(), Consent::default()).await;
        let expected = if lines.is_empty() { None } else { self.book(k).enrol_group(&lines, wish, wait, at).ok() };
        assert_eq!(said.as_ref().ok().map(|done| done.seated), expected, "{group:?}: {said:?}");
        if let Some(seated) = expected {
            self.post.to(self.walkers.owner(), "group_enrolled");
            for (n, person) in (0..seated.booked + seated.waiting).zip(&lines) {
                let letter = if n < seated.booked { "enrolled_by_firm" } else { "waitlisted_by_firm" };
                person.iter().for_each(|person| self.post.to(*person, letter));
            }
        }
        let who: Vec<_> = group.people.iter().map(|person| self.walkers.number(*person)).collect();
        format!("enrol {who:?} and {unnamed} more, {wish:?}, {wait}")
    }

    async fn accept_group(&mut self, k: usize, party: usize) -> String {
        let (owner, at) = (self.walkers.cx(0, self.at), self.at);
        let offered = self.book(k).of_party(party).filter(|line| line.state == EnrolmentState::Offered);
        let offered: Vec<PersonId> = offered.filter_map(|line| line.person).collect();
        let said = groups::accept(&owner, self.runs[k].parties[party], Consent::default()).await;
        let expected = self.book(k).accept_group(party, at);
        assert_eq!(said.is_ok(), expected.is_ok(), "accept group {party}: {said:?} {expected:?}");
        if expected.is_ok() {
            self.post.to(self.walkers.owner(), "group_enrolled");
            offered.iter().for_each(|person| self.post.to(*person, "enrolled_by_firm"));
        }
        format!("accept group {party}")
    }

    async fn decline_group(&mut self, k: usize, party: usize) -> String {
        let (owner, at) = (self.walkers.cx(0, self.at), self.at);
        let before = self.book(k).clone();
        let said = groups::decline(&owner, self.runs[k].parties[party], Consent::default()).await;
        let expected = self.book(k).decline_group(party, at);
        assert_eq!(said.is_ok(), expected.is_ok(), "decline group {party}: {said:?} {expected:?}");
        if expected.is_ok() {
            let out = before.of_party(party).filter(|line| line.state != EnrolmentState::Booked);
            self.waits_no_more(out.filter_map(|line| line.person));
        }
        format!("decline group {party}")
    }

    async fn name(&mut self, k: usize, party: usize, m: usize) -> String {
        let (owner, member, at) = (self.walkers.cx(0, self.at), self.walkers.id(m), self.at);
        let places = parties::places(&mut self.tx().await, self.runs[k].parties[party]).await.unwrap();
        let said = match places.iter().find(|place| place.person_id.is_none()) {
            Some(seat) => groups::name(&owner, seat.id, member).await.is_ok(),
            None => false,
        };
        let expected = self.book(k).name(party, member, at);
        assert_eq!(said, expected.is_ok(), "name {m} in {party}: {expected:?}");
        if expected.is_ok() {
            self.named(k, member);
        }
        format!("name {m} in {party}")
    }

    async fn swap(&mut self, k: usize, n: usize, m: usize) -> String {
        let (owner, who, member, at) = (self.walkers.cx(0, self.at), self.walkers.id(n), self.walkers.id(m), self.at);
        let from = store::active(&mut self.tx().await, self.runs[k].id, who).await.unwrap();
        let said = match from.filter(|_| who != member) {
            Some(row) => groups::swap(&owner, row.id, member).await.is_ok(),
            None => false,
        };
        let expected = if self.is_used(k, who) { Err(Refusal::MadeUp) } else { self.book(k).swap(who, member, at) };
        assert_eq!(said, expected.is_ok(), "swap {n} for {m}: {expected:?}");
        if expected.is_ok() {
            self.post.to(who, "seat_taken_back");
            self.named(k, member);
        }
        format!("swap {n} for {m}")
    }

    /// The seat that somebody has in a class, by its line in the book.
    fn seat(&self, k: usize, who: PersonId) -> Option<usize> {
        let lines = &self.runs[k].book.lines;
        lines.iter().position(|line| line.person == Some(who) && line.state == EnrolmentState::Booked)
    }

    /// Whether a session was made up on somebody's seat, which nobody gives back any more.
    fn is_used(&self, k: usize, who: PersonId) -> bool {
        let seat = self.seat(k, who);
        let here = |make_up: &MakeUp| make_up.stands && make_up.mark.is_some_and(Mark::is_here);
        self.make_ups.iter().any(|make_up| here(make_up) && seat.is_some_and(|seat| make_up.home == (k, seat)))
    }

    /// Somebody has a place of the firm's now.
    fn named(&mut self, k: usize, who: PersonId) {
        let letter = match self.state(k, who) {
            Some(EnrolmentState::Booked) => "enrolled_by_firm",
            Some(EnrolmentState::Offered) => "held_by_firm",
            _ => "waitlisted_by_firm",
        };
        self.post.to(who, letter);
        self.post.to(self.walkers.owner(), "group_named");
    }

    async fn owner_gives_back(&mut self, k: usize, party: usize, named: bool) -> String {
        let (owner, at) = (self.walkers.cx(0, self.at), self.at);
        let places = parties::places(&mut self.tx().await, self.runs[k].parties[party]).await.unwrap();
        let Some(place) = places.iter().find(|place| place.person_id.is_some() == named) else {
            return "nothing to give back".to_owned();
        };
        let said = groups::give_back(&owner, place.id).await;
        let expected = match place.person_id {
            Some(person) if self.is_used(k, person) => Err(Refusal::MadeUp),
            Some(person) => self.book(k).cancel(person, at),
            None => self.book(k).cancel_unnamed(party, at),
        };
        assert_eq!(said.as_ref().ok(), expected.as_ref().ok(), "give back: {said:?} {expected:?}");
        if let (Some(person), Ok(_)) = (place.person_id, expected) {
            self.post.to(person, "seat_taken_back");
        }
        format!("the owner gives back in {party}")
    }

    async fn resize(&mut self, k: usize, capacity: i64) -> String {
        let row = store::class(&mut self.tx().await, self.runs[k].id).await.unwrap();
        let (open, at) = (row.state.is_editable(), self.at);
        let cx = self.trainer(k);
        let said = change::edit(&cx, self.runs[k].id, as_it_is(row, capacity), change::Rest::default()).await;
        let expected = open && self.book(k).resize(capacity, at).is_ok();
        assert_eq!(said.is_ok(), expected, "resize to {capacity}: {said:?}");
        format!("resize to {capacity}")
    }

    /// Nearer by some days, or back: everybody moves along, and offers end sooner where the waitlist closes sooner.
    async fn move_class(&mut self, k: usize, dice: &mut Dice) -> String {
        let row = store::class(&mut self.tx().await, self.runs[k].id).await.unwrap();
        let (number, planned, at) = (self.runs[k].number, self.runs[k].planned, self.at);
        let other = if k == self.current { k + 1 } else { self.current };
        let starts = match dice.draw(3) {
            0 => self.runs[other].book.policy.starts,
            _ => planned - Duration::days(dice.draw(4) as i64) + Duration::hours(2 + 2 * (number % 6)),
        };
        let was = self.runs[k].book.policy.starts;
        if starts == was || starts.min(was) <= at || !row.state.is_editable() {
            return "nothing to move".to_owned();
        }
        let capacity = row.capacity;
        let span = Span { from: starts, until: starts + Duration::hours(2) };
        let known_clashes = self.walkers.people.iter().map(|(who, _)| who.id).collect();
        let sessions = Some(vec![(Some(self.runs[k].session), span)]);
        let rest = change::Rest { sessions, known_clashes, ..change::Rest::default() };
        let (cx, manager) = self.staff(k, dice);
        let said = change::edit(&cx, self.runs[k].id, as_it_is(row, capacity), rest).await;
        assert!(said.is_ok(), "move to {starts}: {said:?}");
        let before = self.runs[k].book.clone();
        self.everybody(&before, "class_moved", "group_class_moved");
        if self.tells_crew(k, manager) {
            self.post.to(self.trainers[k % 2].0, "crew_moved");
        }
        // Who was away at the old time has missed nothing at the new one, unless they have made it up already; what they
        // make up no more takes nobody's time.
        let made_up = |make_up: &MakeUp| {
            make_up.mark.is_some_and(|mark| !missed(Some(mark))) && self.runs[make_up.host].book.policy.starts <= at
        };
        let away: Vec<usize> = (0..self.make_ups.len())
            .filter(|&n| {
                let make_up = &self.make_ups[n];
                make_up.stands && make_up.home.0 == k && !made_up(make_up)
            })
            .collect();
        let mut elsewhere = self.elsewhere(starts, k, k);
        for &n in &away {
            let MakeUp { person, host, .. } = self.make_ups[n];
            if (self.runs[host].book.policy.starts - starts).abs() < Duration::hours(2)
                && let Some(place) = elsewhere.iter().position(|who| *who == person)
            {
                elsewhere.remove(place);
            }
        }
        self.book(k).move_to(starts, elsewhere, at);
        self.runs[k].reminded = starts - plan::REMIND <= at;
        for n in 0..self.make_ups.len() {
            let MakeUp { person, host, stands, .. } = self.make_ups[n];
            if stands && host == k {
                self.post.to(person, "make_up_cancelled");
                self.ended(n);
            }
        }
        for n in away {
            let MakeUp { person, host, mark, .. } = self.make_ups[n];
            if mark.is_none() && at < self.runs[host].book.policy.starts {
                self.ended(n);
                self.book(host).guest_leaves(person, at);
                self.post.to(person, "make_up_void");
            } else {
                self.end_needless(n);
            }
        }
        format!("move to {starts}")
    }

    /// Whether the trainer of a class is told what was done to it, by a manager or by herself.
    fn tells_crew(&mut self, k: usize, manager: bool) -> bool {
        let (at, run) = (self.at, &mut self.runs[k]);
        let follows = run.in_calendar && at < run.book.policy.starts + Duration::hours(2);
        run.in_calendar |= manager;
        manager || follows
    }

    /// Cancelling is free until another time.
    async fn cut_off(&mut self, k: usize, dice: &mut Dice) -> String {
        let hours = [0, 24, 48, 96][dice.draw(4) as usize];
        let row = store::class(&mut self.tx().await, self.runs[k].id).await.unwrap();
        if !row.state.is_editable() {
            return "no cut-off to change".to_owned();
        }
        let ((cx, _), at, capacity) = (self.staff(k, dice), self.at, row.capacity);
        let edit = change::Edit { cut_off_hours: hours, ..as_it_is(row, capacity) };
        let said = change::edit(&cx, self.runs[k].id, edit, change::Rest::default()).await;
        assert!(said.is_ok(), "cut-off {hours}: {said:?}");
        let before = self.runs[k].book.clone();
        self.book(k).cut_off(hours, at);
        if before.policy.grace != self.runs[k].book.policy.grace {
            // It is less than was agreed to: whoever has a seat hears it.
            let seated = |line: &&Line| line.state == EnrolmentState::Booked;
            let booked: Vec<_> = before.lines.iter().filter(seated).collect();
            booked.iter().filter_map(|line| line.person).for_each(|person| self.post.to(person, "class_terms"));
            let groups: BTreeSet<usize> = booked.iter().filter_map(|line| line.party).collect();
            groups.iter().for_each(|_| self.post.to(self.walkers.owner(), "group_class_terms"));
        }
        format!("cut-off {hours} hours")
    }

    /// The class is at another address on line.
    async fn readdress(&mut self, k: usize, dice: &mut Dice) -> String {
        let row = store::class(&mut self.tx().await, self.runs[k].id).await.unwrap();
        if !row.state.is_editable() {
            return "no address to change".to_owned();
        }
        let ((cx, manager), at, capacity) = (self.staff(k, dice), self.at, row.capacity);
        let link = Some(format!("https://meet.example.com/{}", at.timestamp()));
        let edit = change::Edit { link, ..as_it_is(row, capacity) };
        let said = change::edit(&cx, self.runs[k].id, edit, change::Rest::default()).await;
        assert!(said.is_ok(), "another address: {said:?}");
        let starts = self.runs[k].book.policy.starts;
        for line in self.runs[k].book.lines.iter().filter(|line| line.state == EnrolmentState::Booked) {
            line.person.into_iter().for_each(|person| self.post.to(person, "class_changed"));
        }
        let guests = self.make_ups.iter().filter(|make_up| make_up.stands && make_up.host == k);
        for guest in guests.filter(|guest| guest.mark.is_none() && at < starts) {
            self.post.to(guest.person, "make_up_changed");
        }
        if self.tells_crew(k, manager) {
            self.post.to(self.trainers[k % 2].0, "crew_changed");
        }
        "another address".to_owned()
    }

    /// The class does not take place: whoever had a seat, then the line in its order, is offered one in the first of the
    /// others that they can come to; each group as a whole.
    async fn cancel_class(&mut self, k: usize, dice: &mut Dice) -> String {
        let ((cx, manager), at) = (self.staff(k, dice), self.at);
        let said = plan::cancel(&cx, self.runs[k].id, "Rain.".to_owned()).await;
        let before = self.runs[k].book.clone();
        let expected = self.book(k).cancel_class();
        assert_eq!(said.is_ok(), expected.is_ok(), "cancel the class: {said:?}");
        if expected.is_err() {
            return "a class that is over is not cancelled".to_owned();
        }
        for payer in self.purse.class_cancelled(k, &before) {
            self.post.to(payer, "late_cancel_forgiven");
        }
        self.everybody(&before, "class_cancelled", "group_class_cancelled");
        if self.tells_crew(k, manager) {
            self.post.to(self.trainers[k % 2].0, "crew_cancelled");
        }
        // Which of the others can be offered at all: what opens up through this comes too late for it.
        let may = |run: &Run| {
            let (policy, seats) = (run.book.policy, run.book.seats());
            run.book.state == ClassState::Open && !policy.has_started(at) && seats.waiting == 0 && seats.free() > 0
        };
        let mut later: Vec<usize> = (0..self.runs.len()).filter(|&j| j != k && may(&self.runs[j])).collect();
        later.sort_by_key(|&j| self.runs[j].book.policy.starts);
        // Whoever was marked before the session was marked for a time that does not come.
        let early = at < before.policy.starts;
        for n in 0..self.make_ups.len() {
            let MakeUp { person, host, mark, stands, .. } = self.make_ups[n];
            if stands && host == k && (mark.is_none() || early) {
                self.runs[k].book.guests.retain(|guest| *guest != person);
                self.post.to(person, "make_up_cancelled");
                self.ended(n);
            }
        }
        self.end_make_ups();
        // Nobody is in the cancelled class any more.
        self.look_at_the_time();
        for turn in before.turns() {
            let people: Vec<_> = turn.iter().map(|line| line.person).collect();
            let together = turn[0].party.map(|party| before.parties[party].together);
            later.iter().any(|&j| self.runs[j].book.hold(&people, together, at));
        }
        "cancel the class".to_owned()
    }

    async fn staff_give_back(&mut self, k: usize, n: usize, dice: &mut Dice) -> String {
        let (who, at, (cx, _)) = (self.walkers.id(n), self.at, self.staff(k, dice));
        let Some(row) = store::active(&mut self.tx().await, self.runs[k].id, who).await.unwrap() else {
            return "nothing for staff to give back".to_owned();
        };
        let why = if dice.yes() { "Ill.".to_owned() } else { String::new() };
        let said = staff_seats::give_back(&cx, self.runs[k].id, row.id, why).await;
        let expected = self.book(k).give_back(who, at);
        assert_eq!(said.is_ok(), expected.is_ok(), "staff give {n} back: {said:?} {expected:?}");
        if expected.is_ok() {
            self.post.to(who, "seat_given_back");
            if row.party_id.is_some() {
                self.post.to(self.walkers.owner(), "group_given_back");
            }
        }
        format!("staff give {n} back")
    }

    async fn walk_in(&mut self, k: usize, n: usize, dice: &mut Dice) -> String {
        let (who, at, (cx, _)) = (self.walkers.id(n), self.at, self.staff(k, dice));
        let walk_in =
            WalkIn { email: self.walkers.email(n).parse().unwrap(), name: String::new(), agreed: Some(i64::MAX) };
        let said = staff_seats::walk_in(&cx, self.runs[k].id, walk_in, None).await;
        let ends = self.runs[k].book.policy.starts + Duration::hours(2);
        let expected = self.book(k).walk_in(who, ends, at);
        assert_eq!(said.is_ok(), expected.is_ok(), "walk-in {n}: {said:?} {expected:?}");
        if expected.is_ok() {
            self.post.to(who, "enrolment_booked");
        }
        format!("walk-in {n}")
    }

    async fn promote(&mut self, k: usize, dice: &mut Dice) -> String {
        let (at, (cx, _)) = (self.at, self.staff(k, dice));
        let rows = store::of_class(&mut self.tx().await, self.runs[k].id).await.unwrap();
        let waits = rows.into_iter().filter(|row| row.state == EnrolmentState::Waitlisted).collect();
        let Some(row) = dice.one::<store::EnrolmentRow>(waits) else { return "nobody to promote".to_owned() };
        let (why, one_more) = (if dice.draw(4) > 0 { "Needed." } else { "" }.to_owned(), dice.yes());
        let how = Promotion { why: why.clone(), one_more, agreed: Some(i64::MAX) };
        let said = staff_seats::promote(&cx, self.runs[k].id, row.id, how).await;
        let expected = self.book(k).promote(row.person_id, one_more, !why.is_empty(), at);
        let n = self.walkers.number(row.person_id);
        assert_eq!(said.is_ok(), expected.is_ok(), "promote {n}: {said:?} {expected:?}");
        match (expected.is_ok(), row.party_id) {
            (true, Some(_)) => {
                self.post.to(row.person_id, "enrolled_by_firm");
                self.post.to(self.walkers.owner(), "group_promoted");
            }
            (true, None) => self.post.to(row.person_id, "enrolment_booked"),
            _ => {}
        }
        format!("promote {n}")
    }

    /// Into the other class that is walked on.
    async fn carry(&mut self, k: usize, dice: &mut Dice) -> String {
        let to = if k == self.current { k + 1 } else { self.current };
        let (at, (cx, _)) = (self.at, self.staff(k, dice));
        let rows = store::of_class(&mut self.tx().await, self.runs[k].id).await.unwrap();
        let booked = rows.into_iter().filter(|row| row.state == EnrolmentState::Booked).collect();
        let Some(row) = dice.one::<store::EnrolmentRow>(booked) else { return "nobody to carry".to_owned() };
        let said = staff_seats::carry(&cx, self.runs[k].id, row.id, self.runs[to].id, "Better.".to_owned()).await;
        let line = self.seat(k, row.person_id);
        let mut other = self.runs[to].book.clone();
        other.elsewhere = self.elsewhere(other.policy.starts, to, k);
        // What is to be made up of the seat ends with the move, and hinders nothing.
        if let Some(MakeUp { host, .. }) = self.make_ups.iter().find(|make_up| {
            make_up.stands && make_up.mark.is_none() && line.is_some_and(|line| make_up.home == (k, line))
        }) {
            match *host == to {
                true => other.guest_leaves(row.person_id, at),
                false => other.elsewhere.retain(|person| *person != row.person_id),
            }
        }
        let expected = self.book(k).carry(row.person_id, &mut other, at);
        let n = self.walkers.number(row.person_id);
        assert_eq!(said.is_ok(), expected.is_ok(), "carry {n} to {to}: {said:?} {expected:?}");
        if expected.is_ok() {
            self.purse.carry((k, line.unwrap()), (to, other.lines.len() - 1));
            self.runs[to].book = other;
            // The other class comes into their calendar, and this one leaves it.
            self.post.to(row.person_id, "seat_moved");
            self.post.to(row.person_id, "class_session");
            if row.party_id.is_some() {
                self.post.to(self.walkers.owner(), "group_seat_moved");
            }
            // The other class has another trainer.
            self.post.to(self.trainers[to % 2].0, "moved_in");
        }
        format!("carry {n} to {to}")
    }

    /// Somebody with a mark in one class wants to be a guest of this one.
    async fn make_up(&mut self, k: usize, dice: &mut Dice) -> String {
        let mut marked = Vec::new();
        for (h, run) in self.runs.iter().enumerate() {
            for (i, line) in run.book.lines.iter().enumerate() {
                let seated = line.state == EnrolmentState::Booked;
                if seated && line.mark.is_some() && (missed(line.mark) || dice.draw(8) == 0) {
                    marked.push((h, i));
                }
            }
        }
        let Some(home) = dice.one(marked) else { return "nothing to make up".to_owned() };
        let line = self.runs[home.0].book.lines[home.1].clone();
        let (who, at) = (line.person.unwrap(), self.at);
        let cx = self.walkers.cx(self.walkers.number(who), at);
        let (at_home, here) = (&self.runs[home.0], &self.runs[k]);
        let said = make_ups::book(&cx, at_home.id, at_home.session, here.session, None).await;
        // Whoever has back what the seat cost has nothing left to make up.
        let counts = |make_up: &MakeUp| {
            make_up.home == home && make_up.stands && make_up.mark.is_some_and(|mark| !missed(Some(mark)))
        };
        let forgiven = at_home.book.state == ClassState::Completed
            && !self.is_pending(home)
            && !self.make_ups.iter().any(counts)
            && self.costs_nothing(home, line.mark);
        let tries = |make_up: &MakeUp| make_up.home == home && make_up.stands && !missed(make_up.mark);
        let may = missed(line.mark) && !forgiven && !self.make_ups.iter().any(tries) && home.0 != k;
        let expected = may && self.book(k).seat_guest(who, at).is_ok();
        let n = self.walkers.number(who);
        assert_eq!(said.is_ok(), expected, "{n} makes {home:?} up: {said:?}");
        if let Ok(id) = said {
            self.post.to(who, "make_up_booked");
            let remind = at < self.runs[k].book.policy.starts - plan::REMIND;
            let (mark, was, stands) = (None, None, true);
            self.make_ups.push(MakeUp { id, person: who, home, host: k, mark, was, stands, remind });
        }
        format!("{n} makes {home:?} up")
    }

    async fn give_make_up_back(&mut self, dice: &mut Dice) -> String {
        let Some(n) = dice.one((0..self.make_ups.len()).collect()) else { return "no make-up".to_owned() };
        let MakeUp { id, person, host, stands, .. } = self.make_ups[n];
        let at = self.at;
        let cx = self.walkers.cx(self.walkers.number(person), at);
        let said = make_ups::cancel(&cx, id).await;
        let expected = stands && !self.runs[host].book.policy.has_started(at);
        assert_eq!(said.is_ok(), expected, "give make-up {n} back: {said:?}");
        if expected {
            self.ended(n);
            self.book(host).guest_leaves(person, at);
            self.post.to(person, "make_up_given_back");
        }
        format!("give make-up {n} back")
    }

    /// The trainer marks a guest, or takes the mark back.
    async fn mark_guest(&mut self, dice: &mut Dice) -> String {
        let standing = (0..self.make_ups.len()).filter(|&n| self.make_ups[n].stands).collect();
        let Some(n) = dice.one::<usize>(standing) else { return "no guest".to_owned() };
        let MakeUp { id, home, host, mark, was, .. } = self.make_ups[n];
        let cx = self.trainer(host);
        let undo = mark.is_some() && dice.draw(3) == 0;
        let new = if undo {
            was
        } else {
            dice.one([&[None][..], &Mark::ALL.iter().copied().map(Some).collect::<Vec<_>>()].concat()).flatten()
        };
        let said = match (undo, mark) {
            (true, Some(saw)) => make_ups::undo(&cx, id, saw).await,
            _ => make_ups::mark(&cx, id, None, new).await,
        };
        let early = self.at < self.runs[host].book.policy.starts - Duration::hours(1);
        let tries = |other: &MakeUp| other.id != id && other.home == home && other.stands && !missed(other.mark);
        let over = self.runs[host].book.state.is_over();
        let expected = new == mark || (!early && !over && (missed(new) || !self.make_ups.iter().any(tries)));
        assert_eq!(said.is_ok(), expected, "mark guest {n} {new:?}: {said:?}");
        if expected && new != mark {
            let make_up = &mut self.make_ups[n];
            (make_up.mark, make_up.was) = (new, if undo { None } else { mark });
            self.certify(home);
        }
        format!("mark guest {n} {new:?}, undo: {undo}")
    }

    async fn mark(&mut self, k: usize, dice: &mut Dice) -> String {
        let rows = store::of_class(&mut self.tx().await, self.runs[k].id).await.unwrap();
        let booked = rows.into_iter().filter(|row| row.state == EnrolmentState::Booked).collect();
        let Some(row) = dice.one::<store::EnrolmentRow>(booked) else { return "nobody to mark".to_owned() };
        let mark = dice.one(Mark::ALL.to_vec()).filter(|_| dice.draw(8) > 0);
        let (cx, at) = (self.trainer(k), self.at);
        let said = attend::mark(&cx, self.runs[k].id, self.runs[k].session, row.id, None, mark).await;
        let expected = self.book(k).mark(row.person_id, mark, at);
        let n = self.walkers.number(row.person_id);
        assert_eq!(said.is_ok(), expected.is_ok(), "mark {n} {mark:?}: {said:?} {expected:?}");
        self.came_after_all(k);
        format!("mark {n} {mark:?}")
    }

    async fn undo(&mut self, k: usize, dice: &mut Dice) -> String {
        let marked = self.runs[k].book.lines.iter().filter(|line| line.state == EnrolmentState::Booked);
        let marked = marked.filter_map(|line| Some((line.person?, line.mark?))).collect();
        let Some((who, saw)) = dice.one::<(PersonId, Mark)>(marked) else { return "no mark to undo".to_owned() };
        let row = store::active(&mut self.tx().await, self.runs[k].id, who).await.unwrap().unwrap();
        let (cx, at) = (self.trainer(k), self.at);
        let said = attend::undo(&cx, self.runs[k].id, self.runs[k].session, row.id, saw).await;
        let expected = self.book(k).undo(who, at);
        let n = self.walkers.number(who);
        assert_eq!(said.is_ok(), expected.is_ok(), "undo the mark of {n}: {said:?} {expected:?}");
        self.came_after_all(k);
        format!("undo the mark of {n}")
    }

    async fn mark_rest(&mut self, k: usize) -> String {
        let (cx, at) = (self.trainer(k), self.at);
        let said = attend::mark_rest(&cx, self.runs[k].id, self.runs[k].session).await;
        let expected = self.book(k).mark_rest(at);
        assert_eq!(said.is_ok(), expected.is_ok(), "mark the rest: {said:?} {expected:?}");
        if expected.is_ok() {
            for n in 0..self.make_ups.len() {
                let MakeUp { home, host, mark, stands, .. } = self.make_ups[n];
                if stands && host == k && mark.is_none() {
                    (self.make_ups[n].mark, self.make_ups[n].was) = (Some(Mark::Present), None);
                    self.certify(home);
                }
            }
            self.came_after_all(k);
        }
        "mark the rest".to_owned()
    }

    /// The end of a class: whoever was there has used what paid, and so has whoever did not come, unless they were
    /// excused or the class forgives it, and make nothing up.
    async fn close(&mut self, k: usize) -> String {
        let guests = |make_up: &&MakeUp| make_up.stands && make_up.host == k;
        let unmarked = self.make_ups.iter().filter(guests).any(|make_up| make_up.mark.is_none());
        let (cx, at) = (self.trainer(k), self.at);
        let said = plan::close(&cx, self.runs[k].id).await;
        let mut closed = self.runs[k].book.clone();
        let expected = closed.close(at).is_ok() && !unmarked;
        assert_eq!(said.is_ok(), expected, "close: {said:?}");
        if !expected {
            return "close too early".to_owned();
        }
        let before = std::mem::replace(&mut self.runs[k].book, closed);
        // Who still waits, where nobody began the class before it was over.
        self.over(k, &before);
        for i in 0..self.runs[k].book.lines.len() {
            let line = &self.runs[k].book.lines[i];
            if line.state != EnrolmentState::Booked {
                continue;
            }
            // Whoever came to some of it has used it, whatever they make up.
            if !self.costs_nothing((k, i), line.mark) {
                self.purse.spend((k, i));
            }
            self.settle((k, i));
            self.certify((k, i));
        }
        let homes: Vec<_> = self.make_ups.iter().filter(guests).map(|make_up| make_up.home).collect();
        homes.into_iter().for_each(|home| self.settle(home));
        "close".to_owned()
    }

    /// Staff write down that somebody paid for their seat, or need not.
    async fn settle_charge(&mut self, k: usize, dice: &mut Dice) -> String {
        let rows = store::of_class(&mut self.tx().await, self.runs[k].id).await.unwrap();
        let booked = rows.into_iter().filter(|row| row.state == EnrolmentState::Booked).collect();
        let Some(row) = dice.one::<store::EnrolmentRow>(booked) else { return "nobody who owes".to_owned() };
        const DUE: &str = "select id from charge where entity = 'enrolment' and entity_id = $1 and state = 'due'";
        let due = fetch_scalar!(self.tx().await, ChargeId, DUE, row.id).unwrap();
        if self.runs[k].book.state == ClassState::Completed {
            // What its seats cost is nobody's question here any more.
            return "nothing to settle".to_owned();
        }
        let outcome = if dice.draw(4) > 0 { ChargeState::Paid } else { ChargeState::Waived };
        if let Some(id) = due {
            let cx = Cx { now: self.at, ..self.manager.clone() };
            charges::server::service::settle(&cx, id, outcome).await.unwrap();
        }
        let line = |line: &Line| line.person == Some(row.person_id) && line.state.is_active();
        let line = self.runs[k].book.lines.iter().position(line).unwrap();
        assert_eq!(due.is_some(), self.purse.settle((k, line), outcome), "who owes");
        format!("settle the charge of {}", self.walkers.number(row.person_id))
    }

    /// The mark of a seat that counts: where the session was missed and made up, that of the make-up.
    fn counted(&self, seat: purse::Seat) -> Option<Mark> {
        let own = self.runs[seat.0].book.lines[seat.1].mark;
        let made = self.make_ups.iter().filter(|make_up| make_up.home == seat && make_up.stands);
        let made = made.filter_map(|make_up| make_up.mark).find(|mark| !missed(Some(*mark)));
        made.filter(|_| missed(own)).or(own)
    }

    /// Once a class is closed, what is made up later gives the certificate, and a slip that is taken back takes it.
    fn certify(&mut self, seat: purse::Seat) {
        if self.runs[seat.0].book.state != ClassState::Completed {
            return;
        }
        let passed = matches!(self.counted(seat), Some(Mark::Present | Mark::Late));
        let changed = if passed { self.certified.insert(seat) } else { self.certified.remove(&seat) };
        if changed {
            let person = self.runs[seat.0].book.lines[seat.1].person.unwrap();
            self.post.to(person, if passed { "certified" } else { "certificate_withdrawn" });
        }
    }

    /// Whoever has no seat any more makes nothing up for it.
    fn end_make_ups(&mut self) {
        for n in 0..self.make_ups.len() {
            let MakeUp { person, home, mark, stands, .. } = self.make_ups[n];
            let line = &self.runs[home.0].book.lines[home.1];
            let theirs = line.state == EnrolmentState::Booked && line.person == Some(person);
            if stands && mark.is_none() && !theirs {
                self.end_needless(n);
            }
        }
    }

    /// Whoever is marked as having been there makes nothing up for it.
    fn came_after_all(&mut self, k: usize) {
        let at = self.at;
        for n in 0..self.make_ups.len() {
            let MakeUp { person, home, host, mark, stands, .. } = self.make_ups[n];
            let own = self.runs[home.0].book.lines[home.1].mark;
            let here = matches!(own, Some(Mark::Present | Mark::Late | Mark::Partial));
            if stands && home.0 == k && mark.is_none() && here && at < self.runs[host].book.policy.starts {
                self.ended(n);
                self.book(host).guest_leaves(person, at);
                self.post.to(person, "make_up_given_back");
            }
        }
    }

    /// A make-up is none any more: its mark counts no longer, and what it was for may be settled.
    fn ended(&mut self, n: usize) {
        self.make_ups[n].stands = false;
        let home = self.make_ups[n].home;
        self.certify(home);
        self.settle(home);
    }

    /// Whether something of a seat is to be made up in a class that is not closed yet.
    fn is_pending(&self, home: purse::Seat) -> bool {
        self.make_ups
            .iter()
            .any(|make_up| make_up.home == home && make_up.stands && !self.runs[make_up.host].book.state.is_over())
    }

    /// What a seat of a closed class cost comes back to whoever never came, where that is excused or forgiven; else it is
    /// used. It stays open while something of it is to be made up.
    fn settle(&mut self, home: purse::Seat) {
        if self.runs[home.0].book.state != ClassState::Completed || self.is_pending(home) {
            return;
        }
        if self.costs_nothing(home, self.counted(home)) {
            self.purse.give_back(home);
        } else {
            self.purse.spend(home);
        }
    }

    fn costs_nothing(&self, home: purse::Seat, mark: Option<Mark>) -> bool {
        let forgives = self.runs[home.0].book.policy.terms.no_show == Effect::Returned;
        mark == Some(Mark::Excused) || (mark == Some(Mark::Absent) && forgives)
    }

    /// There is nothing left to make up, of which only a calendar need know.
    fn end_needless(&mut self, n: usize) {
        let MakeUp { person, host, .. } = self.make_ups[n];
        let at = self.at;
        self.ended(n);
        self.book(host).guest_leaves(person, at);
        if at < self.runs[host].book.policy.starts + Duration::hours(2) {
            self.post.to(person, "class_session");
        }
    }

    /// Time goes by; what happens by itself happens, as the jobs do it.
    async fn wait(&mut self, minutes: i64) -> String {
        self.at += Duration::minutes(minutes);
        let (at, system) = (self.at, Cx { now: self.at, ..self.world.operator() });
        for k in self.current..self.runs.len() {
            let id = self.runs[k].id;
            let before = self.runs[k].book.clone();
            groups::return_seats(&system, id).await.unwrap();
            self.book(k).return_unnamed(at);
            self.returned(k, &before);
            self.serve(k, &before);
            let before = self.runs[k].book.clone();
            const OFFERED: &str = "select id from enrolment where class_id = $1 and state = 'offered' \
                union all select id from unnamed_seat where class_id = $1 and state = 'offered'";
            let offered = fetch_scalar!(self.tx().await, aftercare::values::EnrolmentId, OFFERED, id).unwrap();
            if let Some(id) = offered {
                seats::expire(&system, id).await.unwrap();
            }
            self.book(k).expire(at);
            self.over(k, &before);
            self.serve(k, &before);
            groups::open_line(&system, id).await.unwrap();
            let starts = self.runs[k].book.policy.starts;
            if !self.runs[k].reminded && at >= starts - plan::REMIND {
                plan::remind(&system, id).await.unwrap();
                self.runs[k].reminded = true;
                let book = &self.runs[k].book;
                let seated = book.lines.iter().filter(|line| line.state == EnrolmentState::Booked);
                if book.state == ClassState::Open && at < starts {
                    seated.filter_map(|line| line.person).for_each(|person| self.post.to(person, "class_reminder"));
                }
            }
            let before = self.runs[k].book.clone();
            plan::start(&system, id).await.unwrap();
            self.book(k).start(at);
            self.over(k, &before);
            self.serve(k, &before);
        }
        for n in 0..self.make_ups.len() {
            let MakeUp { id, person, host, mark, stands, remind, .. } = self.make_ups[n];
            let starts = self.runs[host].book.policy.starts;
            if remind && at >= starts - plan::REMIND {
                make_ups::remind(&system, id).await.unwrap();
                self.make_ups[n].remind = false;
                if stands && mark.is_none() && at < starts {
                    self.post.to(person, "make_up_reminder");
                }
            }
        }
        let today = system.today();
        self.world.db().write(move |tx| Box::pin(async move { ledger::expire(tx, today, at).await })).await.unwrap();
        self.slept = true;
        format!("wait {minutes} minutes")
    }

    /// The database says what the models say.
    async fn compare(&mut self, before: &[Book], said: &str) {
        let mut tx = self.tx().await;
        let tx = &mut tx;
        for k in self.current..self.runs.len() {
            let Run { id, session, book, parties, .. } = &self.runs[k];
            let row = store::class(tx, *id).await.unwrap();
            let (seats, policy) = (row.seats(), book.policy);
            let counted = (row.state, seats, row.policy(), row.guests);
            assert_eq!(counted, (book.state, book.seats(), policy, book.guests.len() as i64), "{said}, in {k}");
            assert!(seats.taken + seats.held <= seats.capacity, "{said}");
            let rows = store::of_class(tx, *id).await.unwrap();
            let marks = store::marks(tx, *id).await.unwrap();
            for (n, (who, _)) in self.walkers.people.iter().enumerate() {
                let there = rows.iter().find(|row| row.person_id == who.id);
                let mark = |row: &store::EnrolmentRow| marks.iter().find(|mark| mark.enrolment_id == row.id);
                let place = there.map(|row| (row.state, row.offered_until, mark(row).map(|mark| mark.mark)));
                let line = book.lines.iter().position(|line| line.person == Some(who.id) && line.state.is_active());
                let model = line.map(|i| &book.lines[i]).map(|line| (line.state, line.offered_until, line.mark));
                assert_eq!(place, model, "{said}: the place of {n} in {k}");
                if let (Some(row), Some(by)) = (there, line.and_then(|i| self.purse.paid((k, i)))) {
                    let benefit = match by {
                        purse::By::Benefit(id) => Some(id),
                        purse::By::Money(_) | purse::By::Nothing => None,
                    };
                    assert_eq!(row.benefit_id, benefit, "{said}: what pays for {n} in {k}");
                }
                assert!(mark_is_of(&marks, *session), "{said}");
            }
            // The line is in the order of the book.
            let line = rows.iter().filter(|row| row.state == EnrolmentState::Waitlisted).map(|row| row.person_id);
            let waits = book.lines.iter().filter(|line| line.state == EnrolmentState::Waitlisted);
            assert!(line.eq(waits.filter_map(|line| line.person)), "{said}: the order of the line");
            let gathered: Vec<_> =
                parties::parties(tx, *id).await.unwrap().iter().map(|row| (row.id, row.gathered)).collect();
            let model: Vec<_> = parties.iter().copied().zip(book.parties.iter().map(|party| party.gathered)).collect();
            assert_eq!(gathered, model, "{said}: what is held for groups");
            assert_eq!(parties.len(), book.parties.len(), "{said}: groups");
            let mut there: Vec<_> = parties::unnamed(tx, *id)
                .await
                .unwrap()
                .iter()
                .map(|place| {
                    (parties.iter().position(|id| Some(*id) == place.party_id), place.state, place.offered_until)
                })
                .collect();
            let unnamed = book.lines.iter().filter(|line| line.person.is_none() && line.state.is_active());
            let mut model: Vec<_> = unnamed.map(|line| (line.party, line.state, line.offered_until)).collect();
            there.sort();
            model.sort();
            assert_eq!(there, model, "{said}: the seats without a name");
            // No offer after the freeze, and none that outlives it.
            for (n, line) in book.lines.iter().enumerate() {
                let was = before.get(k).and_then(|before| before.lines.get(n)).map(|line| line.state);
                if line.state == EnrolmentState::Offered && was != Some(EnrolmentState::Offered) {
                    assert!(!policy.is_frozen(self.at), "{said}: offered after the freeze");
                    assert!(line.offered_until.is_some_and(|until| until <= policy.freezes_at()), "{said}");
                }
            }
        }
        self.purse.compare(tx, said).await;
        let certificates = fetch_scalar!(tx, i64, "select count(*) from certificate").unwrap().unwrap();
        assert_eq!(certificates, self.certified.len() as i64, "{said}: certificates");
        self.post.compare(tx, self.at, self.walkers, said).await;
    }

    /// The last half hour before the class that is walked on begins, in which people rush in, are marked, give back and
    /// make up; then everybody is marked, and it is closed.
    async fn finish(&mut self, dice: &mut Dice, said: &str) {
        let k = self.current;
        let starts = self.runs[k].book.policy.starts;
        if self.at < starts - Duration::minutes(30) {
            self.wait_until(starts - Duration::minutes(30), said).await;
            for _ in 0..16 {
                let before = self.books();
                self.at += Duration::seconds(1);
                let n = dice.draw(11) as usize;
                let done = match dice.draw(12) {
                    0..=5 => self.enrol(k, n).await,
                    6..=7 => self.mark(k, dice).await,
                    8 => self.make_up(k + 1, dice).await,
                    9 => self.cancel(k, n).await,
                    10 => self.carry(k, dice).await,
                    _ => self.walk_in(k, n, dice).await,
                };
                self.follow(&before, &format!("{said}: at last {done}")).await;
            }
        }
        if self.at < starts {
            self.wait_until(starts, said).await;
        }
        for _ in 0..4 {
            let before = self.books();
            self.at += Duration::seconds(1);
            let done = self.mark(k, dice).await;
            self.follow(&before, &format!("{said}: at the end {done}")).await;
        }
        for last in [false, true] {
            let before = self.books();
            self.at += Duration::seconds(1);
            let done = if last { self.close(k).await } else { self.mark_rest_at_the_end(k).await };
            self.follow(&before, &format!("{said}: at the end {done}")).await;
        }
        assert!(self.runs[k].book.state.is_over(), "{said}");
    }

    async fn mark_rest_at_the_end(&mut self, k: usize) -> String {
        if self.runs[k].book.state.is_over() { "nothing".to_owned() } else { self.mark_rest(k).await }
    }

    async fn wait_until(&mut self, then: DateTime<Utc>, said: &str) {
        let minutes = (then - self.at).num_minutes() + 1;
        let before = self.books();
        let done = self.wait(minutes).await;
        self.follow(&before, &format!("{said}: {done}")).await;
    }
}

fn mark_is_of(marks: &[store::MarkRow], session: ClassSessionId) -> bool {
    marks.iter().all(|mark| mark.session_id == session)
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

async fn walk(world: &World, seed: u64, steps: u64) {
    let (walkers, school, purse) = Walkers::of(world).await;
    let mut dice = Dice(seed);
    let mut walk = Walk::begin(world, &school, &walkers, purse).await;
    walk.open(&mut dice).await;
    let mut taken = 0;
    while taken < steps {
        walk.open(&mut dice).await;
        let said = format!("seed {seed}, class {}", walk.current);
        let from = walk.runs[walk.current].book.policy.starts - Duration::hours(50 + dice.draw(110) as i64);
        if walk.at < from {
            walk.wait_until(from, &said).await;
        }
        for step in 0..IN_ONE_CLASS.min(steps - taken) {
            walk.step(&mut dice, &format!("seed {seed}, step {} of its world", taken + step)).await;
        }
        taken += IN_ONE_CLASS.min(steps - taken);
        walk.finish(&mut dice, &said).await;
        assert_eq!(world.broken().await, Vec::<String>::new(), "{said}");
        walk.current += 1;
    }
    let [used, expired, charged, voided, back, forgiven] = walk.purse.seen();
    println!(
        "seed {seed}: {used} seats used, {expired} expired, {charged} charged, {voided} void, {back} to be paid back, \
         {forgiven} forgiven"
    );
    assert!(steps < IN_ONE_WORLD || (used > 0 && expired > 0 && charged > 0), "seed {seed} paid for nothing");
    post::each_letter_once(world).await;
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

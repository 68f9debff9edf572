//! Which letters each step sends, in memory: to whom, and of what kind, each once. And at the end once more from the
//! history: each letter has the act that caused it, and each act its letter.

use super::{Walk, Walkers};
use crate::world::World;
use aftercare::{
    fetch_all,
    training::domain::{Ending, EnrolmentState, book::Book},
    values::PersonId,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What one step sends.
#[derive(Default)]
pub struct Post {
    letters: Vec<(PersonId, &'static str)>,
}

/// A step has a time of its own, so what was written then was written because of it.
const SENT: &str = "select person_id, letter from message where created_at = $1";

impl Post {
    pub fn to(&mut self, person: PersonId, letter: &'static str) {
        self.letters.push((person, letter));
    }

    /// Exactly these letters were written, none twice.
    pub async fn compare(&mut self, tx: &mut aftercare::db::Tx, at: DateTime<Utc>, walkers: &Walkers, said: &str) {
        let name = |person: PersonId| walkers.people.iter().position(|(who, _)| who.id == person);
        let mut there: Vec<_> = fetch_all!(tx, (PersonId, String), SENT, at)
            .unwrap()
            .into_iter()
            .map(|(person, letter)| (letter, name(person)))
            .collect();
        let mut model: Vec<_> =
            self.letters.drain(..).map(|(person, letter)| (letter.to_owned(), name(person))).collect();
        there.sort();
        model.sort();
        assert_eq!(there, model, "{said}: letters");
    }
}

impl Walk<'_> {
    /// Everybody with a place in a class hears something of it, and of each group its owner.
    pub(super) fn everybody(&mut self, before: &Book, letter: &'static str, of_group: &'static str) {
        for line in before.lines.iter().filter(|line| line.state.is_active()) {
            line.person.into_iter().for_each(|person| self.post.to(person, letter));
        }
        for party in 0..before.parties.len() {
            if before.of_party(party).next().is_some() {
                self.post.to(self.walkers.owner(), of_group);
            }
        }
    }

    /// The firm waits no more for its employees; its owner knows.
    pub(super) fn waits_no_more(&mut self, people: impl Iterator<Item = PersonId>) {
        let owner = self.walkers.owner();
        people.filter(|person| *person != owner).for_each(|person| self.post.to(person, "firm_waits_no_more"));
    }

    /// Whoever was served from the line is told of it: each person, and of each group the owner once.
    pub(super) fn serve(&mut self, k: usize, before: &Book) {
        let mut groups = BTreeSet::new();
        for (n, line) in self.runs[k].book.lines.iter().enumerate() {
            let was = before.lines.get(n).map(|line| line.state);
            // Of a seat that is held instead of one in a cancelled class, or after a move, the letter of that tells.
            let waited = matches!(was, None | Some(EnrolmentState::Waitlisted));
            let served = line.state == EnrolmentState::Offered && waited && line.number.is_some();
            match (line.party, line.person) {
                (Some(party), _) if served => {
                    groups.insert(party);
                }
                (None, Some(person)) if served => self.post.to(person, "seat_offered"),
                _ => {}
            }
        }
        groups.iter().for_each(|_| self.post.to(self.walkers.owner(), "group_offered"));
    }

    /// Seats without a name were given back: of each group its owner hears it.
    pub(super) fn returned(&mut self, k: usize, before: &Book) {
        let book = &self.runs[k].book;
        let back = |n: &usize| before.lines[*n].state.is_active() && book.lines[*n].ended == Some(Ending::Expired);
        let groups: BTreeSet<_> = (0..before.lines.len()).filter(back).map(|n| before.lines[n].party).collect();
        groups.iter().for_each(|_| self.post.to(self.walkers.owner(), "group_returned"));
    }

    /// Waiting is over, or an offer: each person hears it, of each group its owner, and whoever the firm waited for.
    pub(super) fn over(&mut self, k: usize, before: &Book) {
        let book = &self.runs[k].book;
        let ended = |n: &usize| before.lines[*n].state.is_active() && book.lines[*n].ended == Some(Ending::Expired);
        let ended: Vec<_> = (0..before.lines.len()).filter(ended).map(|n| before.lines[n].clone()).collect();
        let groups: BTreeSet<usize> = ended.iter().filter_map(|line| line.party).collect();
        groups.iter().for_each(|_| self.post.to(self.walkers.owner(), "group_wait_over"));
        self.waits_no_more(ended.iter().filter(|line| line.party.is_some()).filter_map(|line| line.person));
        for line in ended.iter().filter(|line| line.party.is_none()) {
            line.person.into_iter().for_each(|person| self.post.to(person, "wait_over"));
        }
    }
}

/// Letters of a kind, and the acts that cause them as history tells: who is written to, and when. `e` is the place, named
/// or not, `y` its group; `owner` answers for it. What history tells of in the same way is left out on both sides:
/// whether the owner gave a seat of their own back as its learner or as the firm.
const LETTERS: [(&str, &str); 26] = [
    (
        "enrolment_booked",
        "select h.customer_id, h.at from acts h where h.to_state = 'booked' and (h.act = 'add_walk_in' \
         or (h.act = 'promote_seat' and h.party_id is null) \
         or (h.act in ('enrol', 'accept_offer') and h.actor_kind = 'person'))",
    ),
    (
        "seat_offered",
        "select h.customer_id, h.at from acts h where h.act = 'offer_seat' and h.from_state = 'waitlisted' \
         and h.party_id is null",
    ),
    (
        "wait_over",
        "select h.customer_id, h.at from acts h where h.act = 'expire_offer' and h.party_id is null and h.edited is null",
    ),
    (
        "class_cancelled",
        "select h.customer_id, h.at from acts h where h.act = 'cancel_enrolment' and h.why = 'class_cancelled' \
         and h.entity = 'enrolment' and h.edited is null",
    ),
    ("seat_moved", "select h.customer_id, h.at from acts h where h.act = 'move_seat'"),
    (
        "seat_cancelled",
        "select h.customer_id, h.at from acts h where h.act = 'cancel_enrolment' and h.from_state = 'booked' \
         and h.actor_id = h.customer_id and h.customer_id <> $1",
    ),
    (
        "seat_taken_back",
        "select h.customer_id, h.at from acts h where h.act = 'cancel_enrolment' and h.customer_id <> $1 \
         and (h.actor_id = $1 or (h.actor_kind = 'system' and h.why = 'cancelled'))",
    ),
    (
        "seat_given_back",
        "select h.customer_id, h.at from acts h join person_role r on r.person_id = h.actor_id \
         where h.act = 'cancel_enrolment'",
    ),
    (
        "enrolled_by_firm",
        "select h.customer_id, h.at from acts h where h.to_state = 'booked' and h.entity = 'enrolment' \
         and (h.act in ('name_seat', 'swap_seat') or (h.act = 'promote_seat' and h.party_id is not null) \
         or (h.actor_kind = 'system' and h.act in ('enrol', 'accept_offer')))",
    ),
    (
        "waitlisted_by_firm",
        "select h.customer_id, h.at from acts h where h.entity = 'enrolment' \
         and ((h.act in ('name_seat', 'swap_seat') and h.to_state = 'waitlisted') \
         or (h.act = 'enrol' and h.actor_kind = 'system' and h.to_state = 'waitlisted'))",
    ),
    (
        "held_by_firm",
        "select h.customer_id, h.at from acts h where h.entity = 'enrolment' \
         and h.act in ('name_seat', 'swap_seat') and h.to_state = 'offered'",
    ),
    (
        "firm_waits_no_more",
        "select h.customer_id, h.at from acts h where h.act in ('expire_offer', 'decline_offer') and h.entity = 'enrolment' \
         and h.party_id is not null and h.customer_id <> $1 and h.edited is null",
    ),
    ("group_named", "select h.actor_id, h.at from acts h where h.act in ('name_seat', 'swap_seat')"),
    ("group_enrolled", "select h.customer_id, h.at from history h where h.act in ('enrol_group', 'accept_group')"),
    ("group_returned", "select h.customer_id, h.at from history h where h.act = 'return_seat'"),
    (
        "group_offered",
        "select o.owner_id, o.at from (select distinct h.party_id, h.owner_id, h.at from acts h where h.act = 'offer_seat' \
         and h.from_state = 'waitlisted' and h.party_id is not null) o",
    ),
    (
        "group_wait_over",
        "select o.owner_id, o.at from (select distinct h.party_id, h.owner_id, h.at from acts h where h.act = 'expire_offer' \
         and h.party_id is not null and h.edited is null) o",
    ),
    (
        "group_place_left",
        "select h.owner_id, h.at from acts h where h.act = 'cancel_enrolment' and h.actor_id = h.customer_id \
         and h.party_id is not null and h.customer_id <> h.owner_id",
    ),
    (
        "group_given_back",
        "select h.owner_id, h.at from acts h join person_role r on r.person_id = h.actor_id \
         where h.act = 'cancel_enrolment' and h.party_id is not null",
    ),
    ("group_promoted", "select h.owner_id, h.at from acts h where h.act = 'promote_seat' and h.party_id is not null"),
    ("group_seat_moved", "select h.owner_id, h.at from acts h where h.act = 'move_seat' and h.party_id is not null"),
    ("moved_in", "select h.customer_id, h.at from acts h where h.act = 'move_seat'"),
    (
        "crew_cancelled",
        "select c.trainer_id, h.at from history h join class c on c.id = h.entity_id where h.entity = 'class' \
         and h.act = 'cancel_class' and h.actor_id <> c.trainer_id",
    ),
    ("make_up_booked", "select h.customer_id, h.at from history h where h.act = 'book_make_up'"),
    (
        "make_up_given_back",
        "select h.customer_id, h.at from history h where h.act = 'cancel_make_up' and (h.actor_kind = 'person' \
         or exists (select 1 from history a where a.act = 'mark_attendance' and a.at = h.at))",
    ),
    (
        "make_up_cancelled",
        "select h.customer_id, h.at from history h join make_up m on m.id = h.entity_id \
         join history c on c.entity = 'class' and c.entity_id = m.class_id and c.at = h.at \
         where h.entity = 'make_up' and h.act = 'cancel_make_up' and h.actor_kind = 'system'",
    ),
];
/// What happened to places, with their groups, and whether that was because the class was changed.
const ACTS: &str = "with acts as (select h.at, h.actor_kind, h.actor_id, h.act, h.entity, h.customer_id, h.from_state, h.to_state, \
    h.why, e.class_id, y.id as party_id, y.owner_id, (select max(c.act) from history c where c.entity = 'class' \
    and c.entity_id = e.class_id and c.act = 'edit_class' and c.at = h.at) as edited from history h \
    join (select id, class_id, party_id from enrolment union all select id, class_id, party_id from unnamed_seat) e \
    on e.id = h.entity_id left join party y on y.id = e.party_id where h.entity in ('enrolment', 'unnamed_seat'))";

/// The same letter to the same person because of the same act is there once; and none without an act.
pub async fn each_letter_once(world: &World) {
    let mut tx = world.db().read().await.unwrap();
    let owner = aftercare::fetch_scalar!(tx, PersonId, "select person_id from membership where role = 'owner'");
    let owner = owner.unwrap().unwrap();
    let mut unseen = Vec::new();
    for (letter, cause) in LETTERS {
        const SENT: &str = "select person_id, created_at from message where letter = $1";
        let causes = sqlx::AssertSqlSafe(format!("{ACTS} {cause}"));
        let mut causes = match cause.contains("$1") {
            true => fetch_all!(tx, (PersonId, DateTime<Utc>), causes, owner).unwrap(),
            false => fetch_all!(tx, (PersonId, DateTime<Utc>), causes).unwrap(),
        };
        let mut sent = fetch_all!(tx, (PersonId, DateTime<Utc>), SENT, letter).unwrap();
        if ["seat_cancelled", "seat_taken_back"].contains(&letter) {
            sent.retain(|(person, _)| *person != owner);
        }
        if letter == "crew_cancelled" {
            // What she does herself is told to a trainer in whose calendar the class stands, of which history says nothing.
            const HERS: &str = "select c.trainer_id, h.at from history h join class c on c.id = h.entity_id \
                where h.entity = 'class' and h.act = 'cancel_class' and h.actor_id = c.trainer_id";
            let hers = fetch_all!(tx, (PersonId, DateTime<Utc>), HERS).unwrap();
            sent.retain(|letter| !hers.contains(letter));
        }
        if letter == "moved_in" {
            // Of a seat that was carried twice nothing says any more whose the first class was: when it was is enough.
            causes.iter_mut().chain(&mut sent).for_each(|(person, _)| *person = owner);
        }
        causes.sort();
        sent.sort();
        if letter == "group_offered" {
            // A place that was carried away since belongs to another group now.
            sent.dedup();
            causes.dedup();
        }
        assert_eq!(sent, causes, "{letter}");
        if sent.is_empty() {
            unseen.push(letter);
        }
    }
    println!("letters that nothing caused: {unseen:?}");
}

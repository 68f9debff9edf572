//! What training writes about groups: to the owner who enrolled them, and to each employee in their language.

use super::{
    group_words,
    groups::Kept,
    invitations::{self, Seat},
    letters::{About, Also, Next, Waited},
    store::{
        self, ClassRow, EnrolmentRow,
        parties::{self, PartyRow, PlaceRow},
    },
    words,
};
use crate::{
    db::Tx,
    error::AppError,
    i18n::Fmt,
    notices::server::{Letter, To, Urgency, Written, service},
    server::Cx,
    training::domain::{Cancelling, Cost, Effect, EnrolmentState, Seated},
    values::{EnrolmentId, OrganisationId, PersonId},
    w,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// A letter about a group with what it needs to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupLetter {
    pub about: About,
    pub says: Says,
}

/// What it says.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// To the owner: how the group was seated, and what it costs.
    Enrolled { seated: Seated, costs: Vec<Cost> },
    /// To the owner who enrolled the group: another owner of the firm has taken what was offered to it.
    Accepted { by: String, seated: Seated, costs: Vec<Cost> },
    /// To the owner: seats are held for the group.
    Offered { seats: u64, until: DateTime<Utc> },
    /// To the owner: a seat has a name, perhaps instead of another.
    Named { name: String, instead: Option<String> },
    /// To the owner: seats without a name were given back at the cut-off.
    Returned { seats: u64 },
    /// To the owner: staff gave somebody's place back. Why is between them and the learner.
    GivenBack { name: String },
    /// To the owner: staff gave somebody who waited a seat, and what it costs.
    Promoted { name: String, cost: Cost },
    /// To the owner: somebody gave their place back. Of a seat, whether the firm pays for it all the same.
    Left { name: String, late: Option<bool> },
    /// To the owner: somebody who waited took a free seat without the group, and pays for it.
    WentAlone { name: String },
    /// To the owner: staff moved somebody's seat to this class, from the one that began then.
    Carried { name: String, before: (DateTime<Utc>, Tz) },
    /// To the owner: somebody who waited no longer belongs to the firm.
    MemberLeft { name: String, firm: String },
    /// To the owner: whoever of the group waited, or had an offer, does so no more.
    WaitOver { why: Waited },
    /// To the owner: the class does not take place.
    ClassCancelled {
        why: String,
        next: Option<Next>,
        /// Who no longer belongs to the firm, so that nothing is held for them.
        gone: Vec<String>,
    },
    /// To the owner: the class is at another time or in another room.
    ClassMoved {
        kept: Kept,
        /// Who is elsewhere then, and whose seat is held.
        elsewhere: Vec<String>,
        /// Whose seat could not be held.
        lost: Vec<String>,
        also: Vec<Also>,
    },
    /// To the owner: the language of the class, or until when cancelling is free, is other than before.
    ClassTerms { also: Vec<Also>, cancelling: Cancelling },
    /// To an employee: the firm has a seat for them.
    YouAreIn { firm: String },
    /// To an employee: the firm waits for a seat for them.
    YouWait { firm: String },
    /// To an employee: a seat is held for them, and the firm answers.
    YouAreHeld { firm: String },
    /// To an employee: their seat is no longer theirs.
    YouAreOut { firm: String },
    /// To an employee: the firm waits for no seat for them any more.
    YouWaitNoMore { firm: String },
    /// To somebody who no longer belongs to the firm: it waits for no seat for them any more.
    YouLeft { firm: String },
}

impl GroupLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self.says {
            Says::Enrolled { .. } => "group_enrolled",
            Says::Accepted { .. } => "group_accepted",
            Says::Offered { .. } => "group_offered",
            Says::Named { .. } => "group_named",
            Says::Returned { .. } => "group_returned",
            Says::GivenBack { .. } => "group_given_back",
            Says::Promoted { .. } => "group_promoted",
            Says::Left { .. } => "group_place_left",
            Says::WentAlone { .. } => "group_went_alone",
            Says::Carried { .. } => "group_seat_moved",
            Says::MemberLeft { .. } => "group_member_left",
            Says::WaitOver { .. } => "group_wait_over",
            Says::ClassCancelled { .. } => "group_class_cancelled",
            Says::ClassMoved { .. } => "group_class_moved",
            Says::ClassTerms { .. } => "group_class_terms",
            Says::YouAreIn { .. } => "enrolled_by_firm",
            Says::YouWait { .. } => "waitlisted_by_firm",
            Says::YouAreHeld { .. } => "held_by_firm",
            Says::YouAreOut { .. } => "seat_taken_back",
            Says::YouLeft { .. } | Says::YouWaitNoMore { .. } => "firm_waits_no_more",
        }
    }

    /// Only the answers to the reader's own act come at night, and seats that are held for their group and would be
    /// others' by the morning.
    pub fn urgency(&self) -> Urgency {
        match self.says {
            Says::Enrolled { .. } | Says::Named { .. } => Urgency::AtOnce,
            Says::Offered { until, .. }
            | Says::ClassCancelled { next: Some(Next { until, .. }), .. }
            | Says::ClassMoved { kept: Kept::Offers(_, until), .. } => Urgency::Until(until),
            _ => Urgency::ByDay,
        }
    }

    /// In the reader's language, on the wall clock of the place.
    pub fn write(&self, fmt: Fmt) -> Written {
        let About { title, starts, zone, link, .. } = self.about.clone();
        let time = w!(fmt, training.time_in_zone, time = fmt.date_time(starts, zone), zone = words::zone(zone));
        let until = |at: DateTime<Utc>, tz: Tz| {
            w!(fmt, training.time_in_zone, time = fmt.date_time(at, tz), zone = words::zone(tz))
        };
        let mut lines = vec![w!(fmt, groups.letter_class, title = title.clone(), time = time)];
        let subject = match &self.says {
            Says::Enrolled { seated, costs } => {
                lines.push(group_words::seated(fmt, seated));
                lines.extend(group_words::costs(fmt, costs));
                w!(fmt, groups.letter_enrolled_subject, title = title)
            }
            Says::Accepted { by, seated, costs } => {
                lines.push(w!(fmt, groups.letter_accepted_body, name = by.clone()));
                lines.push(group_words::seated(fmt, seated));
                lines.extend(group_words::costs(fmt, costs));
                w!(fmt, groups.letter_enrolled_subject, title = title)
            }
            Says::Offered { seats, until: at } => {
                lines.push(w!(fmt, groups.letter_offered_body, count = *seats, until = until(*at, zone)));
                w!(fmt, groups.letter_offered_subject, count = *seats, title = title)
            }
            Says::Named { name, instead } => {
                lines.push(match instead {
                    Some(other) => w!(fmt, groups.letter_swapped_body, name = name.clone(), other = other.clone()),
                    None => w!(fmt, groups.letter_named_body, name = name.clone()),
                });
                w!(fmt, groups.letter_named_subject, name = name.clone(), title = title)
            }
            Says::Returned { seats } => {
                lines.push(w!(fmt, groups.letter_returned_body, count = *seats));
                w!(fmt, groups.letter_returned_subject, count = *seats, title = title)
            }
            Says::GivenBack { name } => {
                lines.push(w!(fmt, groups.letter_given_back_body, name = name.clone()));
                w!(fmt, groups.letter_given_back_subject, title = title)
            }
            Says::Promoted { name, cost } => {
                lines.push(w!(fmt, groups.letter_promoted_body, name = name.clone()));
                lines.extend(group_words::costs(fmt, std::slice::from_ref(cost)));
                w!(fmt, groups.letter_promoted_subject, name = name.clone(), title = title)
            }
            Says::Left { name, late } => {
                lines.push(match late {
                    Some(true) => w!(fmt, groups.letter_left_late, name = name.clone()),
                    Some(false) => w!(fmt, groups.letter_left_free, name = name.clone()),
                    None => w!(fmt, groups.letter_left_line, name = name.clone()),
                });
                w!(fmt, groups.letter_left_subject, name = name.clone(), title = title)
            }
            Says::WentAlone { name } => {
                lines.push(w!(fmt, groups.letter_alone_body, name = name.clone()));
                w!(fmt, groups.letter_alone_subject, name = name.clone(), title = title)
            }
            Says::Carried { name, before } => {
                let before = until(before.0, before.1);
                lines.push(w!(fmt, groups.letter_carried_body, name = name.clone(), before = before));
                w!(fmt, groups.letter_carried_subject, title = title)
            }
            Says::MemberLeft { name, firm } => {
                lines.push(w!(fmt, groups.letter_member_left_body, name = name.clone(), firm = firm.clone()));
                w!(fmt, groups.letter_member_left_subject, name = name.clone(), title = title)
            }
            Says::WaitOver { why } => {
                lines.push(match why {
                    Waited::Expired => w!(fmt, groups.letter_over_expired),
                    Waited::Begun => w!(fmt, groups.letter_over_begun),
                });
                w!(fmt, groups.letter_over_subject, title = title)
            }
            Says::ClassCancelled { why, next, gone } => {
                lines.push(w!(fmt, groups.letter_cancelled_body, why = why.clone()));
                if let Some(held) = next {
                    let (next, until) = (until(held.starts, held.zone), until(held.until, held.zone));
                    lines.push(w!(fmt, groups.letter_moved_body, next = next, until = until));
                    lines.extend(held.differences(fmt));
                }
                if !gone.is_empty() {
                    lines.push(w!(fmt, groups.letter_next_without, names = gone.join(", ")));
                }
                w!(fmt, training.letter_cancelled_subject, title = title)
            }
            Says::ClassMoved { kept, elsewhere, lost, also } => {
                if !self.about.place.is_empty() {
                    lines.push(self.about.place.clone());
                }
                lines.push(w!(fmt, team.letter_moved_body));
                if !elsewhere.is_empty() {
                    lines.push(w!(fmt, team.letter_moved_elsewhere, names = elsewhere.join(", ")));
                }
                match kept {
                    Kept::Nothing => {}
                    Kept::Offers(seats, at) => {
                        let until = until(*at, zone);
                        lines.push(w!(fmt, team.letter_moved_held, count = *seats as u64, until = until));
                    }
                    Kept::Over => lines.push(w!(fmt, team.letter_moved_over)),
                }
                if !lost.is_empty() {
                    lines.push(w!(fmt, team.letter_moved_lost, names = lost.join(", ")));
                }
                lines.extend(also.iter().map(|one| one.write(fmt)));
                w!(fmt, team.letter_moved_subject, title = title)
            }
            Says::ClassTerms { also, cancelling } => {
                lines.extend(also.iter().map(|one| one.write(fmt)));
                let free = match cancelling {
                    Cancelling::Free(at) => w!(fmt, planning.group_free, free_until = until(*at, zone)),
                    Cancelling::Late => w!(fmt, training.late_warning),
                    Cancelling::Over => String::new(),
                };
                lines.push(words::and(w!(fmt, planning.group_kept), free));
                w!(fmt, planning.letter_terms_subject, title = title)
            }
            Says::YouAreIn { firm } => {
                if !self.about.place.is_empty() {
                    lines.push(self.about.place.clone());
                }
                lines.push(w!(fmt, groups.letter_in_body, firm = firm.clone()));
                w!(fmt, groups.letter_in_subject, firm = firm.clone(), title = title)
            }
            Says::YouWait { firm } => {
                lines.push(w!(fmt, groups.letter_wait_body, firm = firm.clone()));
                w!(fmt, groups.letter_wait_subject, title = title)
            }
            Says::YouAreHeld { firm } => {
                lines.push(w!(fmt, groups.letter_held_body, firm = firm.clone()));
                w!(fmt, groups.letter_held_subject, title = title)
            }
            Says::YouAreOut { firm } => {
                lines.push(w!(fmt, groups.letter_out_body, firm = firm.clone()));
                w!(fmt, groups.letter_out_subject, title = title)
            }
            Says::YouWaitNoMore { firm } => {
                lines.push(w!(fmt, groups.letter_out_line_body, firm = firm.clone()));
                w!(fmt, groups.letter_out_subject, title = title)
            }
            Says::YouLeft { firm } => {
                lines.push(w!(fmt, groups.letter_out_left_body, firm = firm.clone()));
                w!(fmt, groups.letter_out_subject, title = title)
            }
        };
        Written { subject, body: lines.join("\n"), link: Some(link) }
    }
}

/// The owner hears how the group was seated.
pub async fn told_owner(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    seated: Seated,
    costs: &[Cost],
) -> Result<(), AppError> {
    let says = Says::Enrolled { seated, costs: costs.to_vec() };
    to_owner(tx, cx, class, party, says, &format!("group_enrolled:{}", party.id)).await
}

/// Whoever took what was offered hears it, as an answer to that; so does the owner who enrolled the group, if that is
/// somebody else.
pub async fn accepted(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    first: EnrolmentId,
    seated: Seated,
    costs: &[Cost],
) -> Result<(), AppError> {
    let by = cx.person()?;
    let (once, costs) = (format!("group_accepted:{first}:{}:{}", class.id, class.sequence), costs.to_vec());
    if by.id != party.owner_id {
        let says = Says::Accepted { by: by.name.clone(), seated, costs: costs.clone() };
        to_owner(tx, cx, class, party, says, &format!("{once}:owner")).await?;
    }
    let about = About { link: door(cx, class, party), ..About::of(cx, class) };
    send(tx, cx, by.id, GroupLetter { about, says: Says::Enrolled { seated, costs } }, &once).await
}

/// Seats are held for the group.
pub async fn offered(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    first: EnrolmentId,
    seats: usize,
    until: DateTime<Utc>,
) -> Result<(), AppError> {
    let says = Says::Offered { seats: seats as u64, until };
    to_owner(tx, cx, class, party, says, &format!("group_offered:{first}:{}", class.sequence)).await
}

/// A seat has a name now, or another one.
pub async fn named(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    id: EnrolmentId,
    name: &str,
    instead: Option<&str>,
) -> Result<(), AppError> {
    let says = Says::Named { name: name.to_owned(), instead: instead.map(str::to_owned) };
    to_owner(tx, cx, class, party, says, &format!("group_named:{id}")).await
}

/// Seats without a name were given back.
pub async fn returned(tx: &mut Tx, cx: &Cx, class: &ClassRow, party: &PartyRow, seats: usize) -> Result<(), AppError> {
    let says = Says::Returned { seats: seats as u64 };
    to_owner(tx, cx, class, party, says, &format!("group_returned:{}", party.id)).await
}

/// Staff gave the place of one of the group back.
pub async fn staff_gave_back(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    row: &EnrolmentRow,
) -> Result<(), AppError> {
    let says = Says::GivenBack { name: row.person_name.clone() };
    to_owner(tx, cx, class, party, says, &format!("group_given_back:{}", row.id)).await
}

/// Staff gave one of the group a seat from the line.
pub async fn promoted(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    row: &EnrolmentRow,
    cost: &Cost,
) -> Result<(), AppError> {
    let says = Says::Promoted { name: row.person_name.clone(), cost: cost.clone() };
    to_owner(tx, cx, class, party, says, &format!("group_promoted:{}", row.id)).await
}

/// One of the group gave their place back themselves.
pub async fn left(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    row: &EnrolmentRow,
    to: EnrolmentState,
) -> Result<(), AppError> {
    // Whoever does it knows of it.
    if party.owner_id == row.person_id {
        return Ok(());
    }
    let spent = class.policy().terms.late_cancel == Effect::Spent;
    let late = (row.state == EnrolmentState::Booked).then_some(to == EnrolmentState::CancelledLate && spent);
    let says = Says::Left { name: row.person_name.clone(), late };
    to_owner(tx, cx, class, party, says, &format!("group_place_left:{}", row.id)).await
}

/// One of the group took a seat without it.
pub async fn went_alone(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    row: &EnrolmentRow,
) -> Result<(), AppError> {
    // Whoever does it knows of it.
    if party.owner_id == row.person_id {
        return Ok(());
    }
    let says = Says::WentAlone { name: row.person_name.clone() };
    to_owner(tx, cx, class, party, says, &format!("group_went_alone:{}", row.id)).await
}

/// Staff moved the seat of one of the firm to this class, where it is a group of its own.
pub async fn carried(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    name: &str,
    before: (DateTime<Utc>, Tz),
) -> Result<(), AppError> {
    let says = Says::Carried { name: name.to_owned(), before };
    to_owner(tx, cx, class, party, says, &format!("group_seat_moved:{}", party.id)).await
}

/// One of the group no longer belongs to the firm, and waits no more.
pub async fn member_left(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    place: &PlaceRow,
) -> Result<(), AppError> {
    let name = place.person_name.clone().unwrap_or_default();
    let says = Says::MemberLeft { name, firm: party.organisation_name.clone() };
    to_owner(tx, cx, class, party, says, &format!("group_member_left:{}", place.id)).await
}

/// Somebody who no longer belongs to the firm hears that it does not wait for them any more.
pub async fn no_longer_waits(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    firm: OrganisationId,
    id: EnrolmentId,
    person: PersonId,
) -> Result<(), AppError> {
    let says = Says::YouLeft { firm: parties::firm_name(tx, firm).await? };
    let letter = GroupLetter { about: About::of(cx, class), says };
    send(tx, cx, person, letter, &format!("firm_waits_no_more:{id}")).await
}

/// The group, or what of it still waited, has left the line with `ended`: its owner hears why, unless they did it
/// themselves, and each employee that the firm waits no more.
pub async fn wait_over(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    ended: &[PlaceRow],
    why: Option<Waited>,
) -> Result<(), AppError> {
    let Some(first) = ended.first() else { return Ok(()) };
    if let Some(why) = why {
        let once = format!("group_wait_over:{}:{}", party.id, first.id);
        to_owner(tx, cx, class, party, Says::WaitOver { why }, &once).await?;
    }
    for place in ended {
        if let Some(person) = place.person_id.filter(|person| *person != party.owner_id) {
            let says = Says::YouWaitNoMore { firm: party.organisation_name.clone() };
            let letter = GroupLetter { about: About::of(cx, class), says };
            send(tx, cx, person, letter, &format!("firm_waits_no_more:{}", place.id)).await?;
        }
    }
    Ok(())
}

/// The class does not take place; perhaps seats are held in the next one.
pub async fn class_cancelled(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    why: &str,
    offer: Option<(&ClassRow, DateTime<Utc>)>,
    gone: Vec<String>,
) -> Result<(), AppError> {
    let next = offer.map(|(next, until)| Next::of(class, next, until));
    let gone = if next.is_some() { gone } else { Vec::new() };
    let mut about = About::of(cx, class);
    about.link = match offer {
        Some((next, _)) => door(cx, next, party),
        None => cx.app.config.address("/training"),
    };
    let letter = GroupLetter { about, says: Says::ClassCancelled { why: why.to_owned(), next, gone } };
    send(tx, cx, party.owner_id, letter, &format!("group_class_cancelled:{}", party.id)).await
}

/// The owner hears that the class was moved, and what they have to answer.
pub async fn moved(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    kept: Kept,
    (elsewhere, lost): (Vec<String>, Vec<String>),
    also: Vec<Also>,
) -> Result<(), AppError> {
    let says = Says::ClassMoved { kept, elsewhere, lost, also };
    to_owner(tx, cx, class, party, says, &format!("group_class_moved:{}:{}", party.id, class.sequence)).await
}

/// The owner hears that the class is not what was agreed to, and until when its seats can be given back.
pub async fn terms(tx: &mut Tx, cx: &Cx, class: &ClassRow, party: &PartyRow, also: Vec<Also>) -> Result<(), AppError> {
    let says = Says::ClassTerms { also, cancelling: class.policy().cancelling(cx.now) };
    to_owner(tx, cx, class, party, says, &format!("group_class_terms:{}:{}", party.id, class.version)).await
}

/// An employee hears that the firm has a seat for them, or an offer of one, or waits for it.
pub async fn enrolled_by_firm(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    firm: OrganisationId,
    id: EnrolmentId,
    person: PersonId,
    state: EnrolmentState,
) -> Result<(), AppError> {
    let firm = parties::firm_name(tx, firm).await?;
    let booked = state == EnrolmentState::Booked;
    let says = match state {
        EnrolmentState::Booked => Says::YouAreIn { firm },
        EnrolmentState::Offered => Says::YouAreHeld { firm },
        _ => Says::YouWait { firm },
    };
    let letter = GroupLetter { about: About::of(cx, class), says };
    if !booked {
        let once = format!("{}:{id}", letter.kind());
        return send(tx, cx, person, letter, &once).await;
    }
    // A seat that was only held after the class was moved can be booked a second time.
    let once = format!("{}:{id}:{}:{}", letter.kind(), class.id, class.sequence);
    let sessions = store::sessions(tx, class.id).await?;
    invitations::request(tx, cx, Seat { class, id, person }, &sessions, letter, &once).await
}

/// An employee hears that their place is no longer theirs.
pub async fn given_back(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    firm: OrganisationId,
    id: EnrolmentId,
    person: PersonId,
) -> Result<(), AppError> {
    let firm = parties::firm_name(tx, firm).await?;
    let letter = GroupLetter { about: About::of(cx, class), says: Says::YouAreOut { firm } };
    let sessions = store::sessions(tx, class.id).await?;
    let once = format!("seat_taken_back:{id}");
    invitations::cancel(tx, cx, Seat { class, id, person }, &sessions, Some(letter.into()), &once).await
}

impl From<GroupLetter> for Letter {
    fn from(letter: GroupLetter) -> Self {
        Self::Group(Box::new(letter))
    }
}

async fn to_owner(
    tx: &mut Tx,
    cx: &Cx,
    class: &ClassRow,
    party: &PartyRow,
    says: Says,
    once: &str,
) -> Result<(), AppError> {
    let about = About { link: door(cx, class, party), ..About::of(cx, class) };
    send(tx, cx, party.owner_id, GroupLetter { about, says }, once).await
}

/// Where the owner answers for the group: of several firms, the page is about this one.
fn door(cx: &Cx, class: &ClassRow, party: &PartyRow) -> String {
    cx.app.config.address(&format!("{}/group?firm={}", class.path(), party.organisation_id))
}

async fn send(tx: &mut Tx, cx: &Cx, person: PersonId, letter: GroupLetter, once: &str) -> Result<(), AppError> {
    service::send(tx, cx, To::Person(person), Letter::Group(Box::new(letter)), once).await
}

//! The letters about a repair, in the reader's language and zone.

use super::{service::LetterKind, store};
use crate::{
    calendar::server::{hours::Workshop, zone},
    i18n::Fmt,
    notices::server::{Letter, Urgency, Written},
    repairs::domain::Mode,
    values::Money,
    w,
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;

/// What a letter about a repair says.
#[derive(Clone, Debug, PartialEq)]
pub struct RepairLetter {
    pub kind: LetterKind,
    pub rma: String,
    pub item: String,
    pub mode: Mode,
    pub appointment: Option<DateTime<Utc>>,
    pub zone: Tz,
    pub workshop: String,
    pub address: String,
    pub total: Option<Money>,
    /// Until when a price or the warranty on the work holds.
    pub until: Option<NaiveDate>,
    pub why: String,
    /// The item comes back as it came: its price was declined.
    pub unrepaired: bool,
    /// The reader may still move or cancel by themselves.
    pub can_change: bool,
    /// It answers what the reader did just now.
    pub own_act: bool,
    pub link: String,
}

/// The letter of a move.
pub fn letter(
    kind: LetterKind,
    row: &store::RepairRow,
    workshop: &Workshop,
    quote: Option<&store::QuoteRow>,
    now: DateTime<Utc>,
    own_act: bool,
    link: String,
) -> Letter {
    let warranty = Days::new(workshop.warranty_days.unsigned_abs());
    let unrepaired = row.is_unrepaired(quote);
    Letter::Repair(Box::new(RepairLetter {
        kind,
        rma: row.number().to_string(),
        item: row.item_name.clone(),
        mode: row.mode,
        appointment: row.appointment_at,
        zone: workshop.zone(),
        workshop: workshop.name.clone(),
        address: workshop.address.clone(),
        total: quote.map(store::QuoteRow::total),
        until: match kind {
            LetterKind::HandedBack if unrepaired || workshop.warranty_days < 1 => None,
            LetterKind::HandedBack => workshop.day(now).checked_add_days(warranty),
            _ => quote.map(|quote| quote.valid_until),
        },
        why: row.diagnosis.clone().unwrap_or_default(),
        unrepaired,
        can_change: row.appointment_at.is_none_or(|at| now <= super::service::policy(workshop).notice_ends(at)),
        own_act,
        link,
    }))
}

impl RepairLetter {
    /// As tables write it.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            LetterKind::Booked => "repair_booked",
            LetterKind::Moved => "repair_moved",
            LetterKind::Cancelled => "repair_cancelled",
            LetterKind::Quoted => "repair_quoted",
            LetterKind::Ready => "repair_ready",
            LetterKind::HandedBack => "repair_handed_back",
            LetterKind::GivenUp => "repair_given_up",
        }
    }

    /// An answer to one's own act comes at once; what the workshop did waits for the morning.
    pub fn urgency(&self) -> Urgency {
        if self.own_act { Urgency::AtOnce } else { Urgency::ByDay }
    }

    /// In words. An appointment stands in the workshop's zone: that is where one goes.
    pub fn write(&self, fmt: Fmt, reader: Tz) -> Written {
        let (rma, item) = (self.rma.clone(), self.item.clone());
        let total = self.total.map(|total| fmt.money(total)).unwrap_or_default();
        let until = self.until.map(|day| fmt.date(day)).unwrap_or_default();
        let place = format!("{}, {}", self.workshop, self.address);
        let (subject, body) = match self.kind {
            LetterKind::Booked if !self.can_change => (
                w!(fmt, repairs.letter_booked_subject, rma = rma),
                w!(fmt, repairs.letter_booked_late_body, item = item, when = self.when(fmt, reader)),
            ),
            LetterKind::Booked => (
                w!(fmt, repairs.letter_booked_subject, rma = rma),
                w!(fmt, repairs.letter_booked_body, item = item, when = self.when(fmt, reader)),
            ),
            LetterKind::Moved => (
                w!(fmt, repairs.letter_moved_subject, rma = rma),
                w!(fmt, repairs.letter_moved_body, item = item, when = self.when(fmt, reader)),
            ),
            LetterKind::Cancelled => (
                w!(fmt, repairs.letter_cancelled_subject, rma = rma),
                w!(fmt, repairs.letter_cancelled_body, item = item),
            ),
            LetterKind::Quoted => (
                w!(fmt, repairs.letter_quote_subject, rma = rma, total = total.clone()),
                w!(fmt, repairs.letter_quote_body, item = item, total = total, date = until),
            ),
            LetterKind::Ready if self.mode == Mode::SendIn => (
                w!(fmt, repairs.letter_ready_subject, item = item.clone()),
                w!(fmt, repairs.letter_ready_send_body, item = item, rma = rma),
            ),
            LetterKind::Ready if self.mode == Mode::OnSite && self.unrepaired => (
                w!(fmt, repairs.letter_ready_subject, item = item.clone()),
                w!(fmt, repairs.letter_unrepaired_there_body, item = item, rma = rma),
            ),
            LetterKind::Ready if self.mode == Mode::OnSite => (
                w!(fmt, repairs.letter_ready_subject, item = item.clone()),
                w!(fmt, repairs.letter_ready_there_body, item = item, rma = rma),
            ),
            LetterKind::Ready => (
                w!(fmt, repairs.letter_ready_subject, item = item.clone()),
                w!(fmt, repairs.letter_ready_body, item = item, place = place, rma = rma),
            ),
            LetterKind::HandedBack if self.until.is_none() => (
                w!(fmt, repairs.letter_handed_back_subject, item = item.clone()),
                w!(fmt, repairs.letter_handed_back_plain_body, item = item),
            ),
            LetterKind::HandedBack => (
                w!(fmt, repairs.letter_handed_back_subject, item = item.clone()),
                w!(fmt, repairs.letter_handed_back_body, item = item, date = until),
            ),
            LetterKind::GivenUp => (
                w!(fmt, repairs.letter_given_up_subject, rma = rma),
                w!(fmt, repairs.letter_given_up_body, item = item, why = self.why.clone()),
            ),
        };
        Written { subject, body, link: Some(self.link.clone()) }
    }

    fn when(&self, fmt: Fmt, reader: Tz) -> String {
        match (self.mode, self.appointment) {
            (Mode::SendIn, _) => w!(fmt, repairs.letter_send, address = self.address.clone()),
            (_, Some(at)) => {
                let place = match self.mode {
                    Mode::OnSite => w!(fmt, repairs.mode_on_site),
                    _ => format!("{}, {}", self.workshop, self.address),
                };
                w!(fmt, repairs.letter_when, date = zone::when(fmt, at, self.zone, reader), place = place)
            }
            _ => String::new(),
        }
    }
}

//! What training hands to the rest of the portal: what needs a customer, what staff see of one, live seats.

use super::{
    desk::seat,
    store::{self, ClassRow, Waiting, WaitingRow},
    views, words,
};
use crate::{
    access::{Act, Subject},
    db::Tx,
    error::AppError,
    i18n::InWords,
    portal::server::{Need, Panel, PanelRow},
    server::Cx,
    training::{
        domain::{ClassState, Policy, Seats, Stage},
        rpc::SeatsNow,
    },
    ui::{Icon, Tone},
    values::{ClassId, PersonId},
    w,
};
use chrono::{DateTime, Duration, NaiveTime, Utc};
use uuid::Uuid;

/// To whom a class is given when it comes to who is in the room: to its trainer, and to whoever helps in it.
pub async fn in_the_room(tx: &mut Tx, cx: &Cx, class: &ClassRow) -> Result<Subject, AppError> {
    let helper = match cx.viewer.person() {
        Some(person) if person.is_staff() && person.id != class.trainer_id => {
            store::assists(tx, class.id, person.id).await?.then_some(person.id)
        }
        _ => None,
    };
    Ok(Subject::nobody().assigned_to(Some(helper.unwrap_or(class.trainer_id))))
}

/// How long before it begins a session is worth a word at home.
const SOON: Duration = Duration::hours(36);

/// A seat that is offered, to them or to their firm, a session that begins within the next day and a half, a certificate
/// that lapses.
pub async fn needs(tx: &mut Tx, cx: &Cx) -> Result<Vec<Need>, AppError> {
    let person = cx.person()?;
    let rows = store::waiting(tx, (person.id, &person.email), cx.now, cx.now + SOON).await?;
    Ok(rows.into_iter().map(|row| need(cx, row)).collect())
}

fn need(cx: &Cx, row: WaitingRow) -> Need {
    let path = format!("/training/{}", row.class);
    let offer = |since, until, icon, title, href| Need {
        since,
        until: Some(until),
        icon,
        title,
        text: w!(cx, training.need_offer_text, until = cx.fmt().date_time(until, cx.zone)),
        href,
        action: w!(cx, training.need_offer_action),
    };
    let href = match row.what {
        Waiting::Offer { until, since } => {
            let title = w!(cx, training.need_offer_title, title = row.title);
            return offer(since, until, Icon::Cap, title, path);
        }
        Waiting::FirmOffer { firm, until, since } => {
            let title = w!(cx, groups.need_offer_title, title = row.title);
            return offer(since, until, Icon::Users, title, format!("{path}/group?firm={firm}"));
        }
        Waiting::Lapses { course, on, since } => {
            return Need {
                since,
                until: Some(on.and_time(NaiveTime::MIN).and_utc()),
                icon: Icon::Document,
                title: w!(cx, validity.need_title, title = row.title),
                text: w!(cx, validity.need_text, date = cx.fmt().date(on)),
                href: format!("/training/courses/{course}"),
                action: w!(cx, validity.need_action),
            };
        }
        Waiting::Invited { invitation, owner, since } => {
            return Need {
                since,
                until: None,
                icon: Icon::Users,
                title: w!(cx, team.page_head, firm = row.title),
                text: w!(cx, team.need_text, owner = owner),
                href: format!("/invitations/{invitation}"),
                action: w!(cx, team.need_action),
            };
        }
        Waiting::Begins => path,
        Waiting::MakeUp => format!("{path}/make-up"),
    };
    let time = views::when(cx, row.starts_at, row.tz());
    let place = if row.place.is_empty() { w!(cx, training.online) } else { row.place };
    Need {
        since: row.starts_at - SOON,
        until: Some(row.starts_at),
        icon: Icon::Calendar,
        title: w!(cx, training.need_soon_title, title = row.title),
        text: w!(cx, training.need_soon_text, time = time, place = place),
        href,
        action: w!(cx, training.need_soon_action),
    }
}

/// The classes of one person, for the page on which staff see a customer.
pub async fn panel(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Panel, AppError> {
    let coming = store::mine_coming(tx, person, cx.now).await?;
    let past = store::mine_past(tx, person, cx.now, (far(), Uuid::max()), 10).await?;
    // Agents see that there is a class, not its roster; a place to come they may give back.
    let may_open = cx.viewer.can(Act::ReadRoster, &Subject::nobody());
    let may_end = cx.viewer.can(Act::CancelEnrolment, &Subject::nobody());
    let line = |row: store::MineRow, ends: bool| PanelRow {
        title: row.title.clone(),
        text: views::when(cx, row.next(), row.tz()),
        badge: Some(words::place_badge(cx.fmt(), &row, cx.now)),
        href: match may_open {
            true => Some(format!("/desk/classes/{}", row.class_id)),
            false => ends.then(|| seat::path(row.enrolment_id)),
        },
    };
    let coming = coming.into_iter().map(|row| line(row, may_end));
    let rows = coming.collect::<Vec<_>>().into_iter().chain(past.into_iter().map(|row| line(row, false))).collect();
    Ok(Panel { title: w!(cx, training.panel_title), rows })
}

/// Where lists that run backwards begin.
pub fn far() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default()
}

/// The seats of a class at this moment, in words.
pub async fn seats_now(cx: &Cx, class: ClassId) -> Result<SeatsNow, AppError> {
    cx.person()?;
    let (seats, state, policy) = store::live(&mut cx.db().read().await?, class).await?;
    Ok(seats_in_words(cx, state, seats, &policy))
}

/// The same for a class that is loaded already.
pub fn seats_in_words(cx: &Cx, state: ClassState, seats: Seats, policy: &Policy) -> SeatsNow {
    let (tone, text) = seats_left(cx, Stage::of(state, seats, policy, cx.now), seats);
    let waiting = match seats.waiting {
        n if n > 0 && state == ClassState::Open => w!(cx, training.waiting, count = count(n)),
        _ => String::new(),
    };
    SeatsNow { seats: text, waiting, tone: tone.as_str().to_owned() }
}

/// How many seats are left, or what else became of the class.
pub fn seats_left(cx: &Cx, stage: Stage, seats: Seats) -> (Tone, String) {
    let text = match stage {
        Stage::Open => w!(cx, training.seats_left, count = count(seats.free())),
        other => other.in_words(cx.fmt()),
    };
    (words::stage_tone(stage), text)
}

/// A count as plural rules want it.
pub fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

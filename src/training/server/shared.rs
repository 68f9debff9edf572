//! What training hands to the rest of the portal: what needs a customer, what staff see of one, live seats.

use super::{store, words};
use crate::{
    access::{Act, Subject},
    db::Tx,
    error::AppError,
    i18n::InWords,
    portal::server::{Need, Panel, PanelRow},
    server::Cx,
    training::{
        domain::{ClassState, EnrolmentState, Policy, Seats, Stage},
        rpc::SeatsNow,
    },
    ui::Icon,
    values::{ClassId, PersonId},
    w,
};
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// A seat that is offered, a class that begins within the next day and a half, a certificate that lapses.
pub async fn needs(tx: &mut Tx, cx: &Cx) -> Result<Vec<Need>, AppError> {
    let person = cx.person()?.id;
    let mut needs = Vec::new();
    for row in store::mine_coming(tx, person).await? {
        match (row.state, row.offered_until) {
            // For a group its owner answers.
            (EnrolmentState::Offered, Some(until)) if cx.now < until && row.party_id.is_none() => needs.push(Need {
                since: row.since,
                icon: Icon::Cap,
                title: w!(cx, training.need_offer_title, title = row.title.clone()),
                text: w!(cx, training.need_offer_text, until = cx.fmt().date_time(until, cx.zone)),
                href: row.path(),
                action: w!(cx, training.need_offer_action),
            }),
            (EnrolmentState::Booked, _) if cx.now < row.ends_at && row.starts_at < cx.now + Duration::hours(36) => {
                let place = if row.place.is_empty() { w!(cx, training.online) } else { row.place.clone() };
                needs.push(Need {
                    since: row.starts_at - Duration::hours(36),
                    icon: Icon::Calendar,
                    title: w!(cx, training.need_soon_title, title = row.title.clone()),
                    text: w!(
                        cx,
                        training.need_soon_text,
                        time = cx.fmt().date_time(row.starts_at, row.tz()),
                        place = place
                    ),
                    href: row.path(),
                    action: w!(cx, training.need_soon_action),
                });
            }
            _ => {}
        }
    }
    for row in store::make_ups_coming(tx, person, cx.now).await? {
        if row.starts_at < cx.now + Duration::hours(36) {
            let place = if row.place.is_empty() { w!(cx, training.online) } else { row.place.clone() };
            let time = cx.fmt().date_time(row.starts_at, row.tz());
            needs.push(Need {
                since: row.starts_at - Duration::hours(36),
                icon: Icon::Calendar,
                title: w!(cx, training.need_soon_title, title = row.title.clone()),
                text: w!(cx, training.need_soon_text, time = time, place = place),
                href: row.path(),
                action: w!(cx, training.need_soon_action),
            });
        }
    }
    for row in store::lapsing(tx, person, cx.now).await? {
        needs.push(Need {
            since: row.since,
            icon: Icon::Document,
            title: w!(cx, validity.need_title, title = row.title),
            text: w!(cx, validity.need_text, date = cx.fmt().date(row.last_valid_on)),
            href: format!("/training/courses/{}", row.course_id),
            action: w!(cx, validity.need_action),
        });
    }
    needs.extend(super::groups::needs(tx, cx).await?);
    Ok(needs)
}

/// The classes of one person, for the page on which staff see a customer.
pub async fn panel(tx: &mut Tx, cx: &Cx, person: PersonId) -> Result<Panel, AppError> {
    let mut rows = store::mine_coming(tx, person).await?;
    rows.extend(store::mine_past(tx, person, (far(), Uuid::max()), 10).await?);
    // Agents see that there is a class, not its roster.
    let may_open = cx.viewer.can(Act::ReadRoster, &Subject::nobody());
    let rows = rows
        .into_iter()
        .map(|row| PanelRow {
            title: row.title.clone(),
            text: cx.fmt().date_time(row.starts_at, row.tz()),
            badge: Some((words::state_tone(row.state), row.state.in_words(cx.fmt()))),
            href: may_open.then(|| format!("/desk/classes/{}", row.class_id)),
        })
        .collect();
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
    let stage = Stage::of(state, seats, policy.starts, cx.now);
    let text = match stage {
        Stage::Open => w!(cx, training.seats_left, count = count(seats.free())),
        other => other.in_words(cx.fmt()),
    };
    let waiting = match seats.waiting {
        n if n > 0 && state == ClassState::Open => w!(cx, training.waiting, count = count(n)),
        _ => String::new(),
    };
    SeatsNow { seats: text, waiting, tone: words::stage_tone(stage).as_str().to_owned() }
}

/// A count as plural rules want it.
pub fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

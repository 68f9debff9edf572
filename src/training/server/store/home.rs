//! What training has for a customer's home: their own seats and offers, make-ups, what their firms are offered, and
//! which firms ask for them.

use super::validity::newest;
use crate::{
    db::Tx,
    error::AppError,
    fetch_all,
    training::domain::Validity,
    values::{ClassId, CourseId, EmailAddress, InvitationId, OrganisationId, PersonId},
};
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// What needs a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A seat is held for them.
    Offer { until: DateTime<Utc>, since: DateTime<Utc> },
    /// Seats are held for a group of a firm that they own.
    FirmOffer { firm: OrganisationId, until: DateTime<Utc>, since: DateTime<Utc> },
    /// The next session of a class in which they have a seat begins.
    Begins,
    /// A session in which they are a guest begins.
    MakeUp,
    /// A certificate of theirs lapses, and they do not learn for it again yet.
    Lapses { course: CourseId, on: NaiveDate, since: DateTime<Utc> },
    /// The owner of a firm asks them to join it.
    Invited { invitation: InvitationId, owner: String, since: DateTime<Utc> },
}

/// It with its class; of a make-up, the class that was missed; of an invitation, the firm as the title.
#[derive(Clone, Debug)]
pub struct WaitingRow {
    pub what: Waiting,
    pub class: ClassId,
    pub title: String,
    pub place: String,
    pub starts_at: DateTime<Utc>,
    zone: String,
}

impl WaitingRow {
    pub fn tz(&self) -> Tz {
        crate::calendar::server::zone::named(&self.zone)
    }
}

const WAITING: &str = concat!(
    "select 'offer' as kind, c.id as class_id, cast(null as uuid) as firm, c.title, c.zone, c.place, c.starts_at, \
    e.offered_until as until, e.changed_at as since, cast(null as date) as last_valid_on from enrolment e join class c on c.id = e.class_id \
    where e.person_id = $1 and e.state = 'offered' and e.party_id is null and e.offered_until > $2 and c.state = 'open' \
    union all select 'begins', c.id, null, c.title, c.zone, c.place, min(s.starts_at), null, null, null \
    from enrolment e join class c on c.id = e.class_id join class_session s on s.class_id = c.id \
    where e.person_id = $1 and e.state = 'booked' \
    and c.state in ('open', 'running') and s.ends_at > $2 and s.starts_at < $3 group by c.id, c.title, c.zone, c.place \
    union all select 'make_up', h.class_id, null, c.title, c.zone, c.place, s.starts_at, null, null, null \
    from make_up m join class_session s on s.id = m.session_id join class c on c.id = m.class_id \
    join class_session h on h.id = m.missed_id \
    where m.person_id = $1 and m.state = 'booked' and m.mark is null and s.ends_at > $2 and s.starts_at < $3 \
    union all select 'firm_offer', c.id, y.organisation_id, c.title, c.zone, c.place, c.starts_at, x.offered_until, x.changed_at, null \
    from membership b join party y on y.organisation_id = b.organisation_id join class c on c.id = y.class_id \
    join enrolment x on x.party_id = y.id \
    where b.person_id = $1 and b.role = 'owner' and c.state = 'open' and x.state = 'offered' and x.offered_until > $2 \
    union all select 'firm_offer', c.id, y.organisation_id, c.title, c.zone, c.place, c.starts_at, x.offered_until, x.changed_at, null \
    from membership b join party y on y.organisation_id = b.organisation_id join class c on c.id = y.class_id \
    join unnamed_seat x on x.party_id = y.id \
    where b.person_id = $1 and b.role = 'owner' and c.state = 'open' and x.state = 'offered' and x.offered_until > $2 \
    union all select 'lapses', c.course_id, null, k.title, c.zone, '', c.starts_at, null, f.lapse_told_at, f.last_valid_on \
    from certificate f join class c on c.id = f.class_id join course k on k.id = c.course_id \
    where f.person_id = $1 and f.last_valid_on >= $4 and f.lapse_told_at <= $2 and ",
    newest!(),
    " and not exists (select 1 from enrolment e join class d on d.id = e.class_id where e.person_id = f.person_id \
    and d.course_id = c.course_id and e.state in ('offered', 'booked') and d.state in ('open', 'running')) \
    union all select 'invited', t.id, null, o.name, '', p.name, t.created_at, null, t.created_at, null \
    from team_invitation t join organisation o on o.id = t.organisation_id join person p on p.id = t.invited_by \
    where t.email = $5 and t.state = 'open' \
    order by 7, 2 limit 500"
);

fn lapses(on: NaiveDate, zone: &str, now: DateTime<Utc>) -> bool {
    let today = now.with_timezone(&crate::calendar::server::zone::named(zone)).date_naive();
    matches!(Validity::of(Some(on), today), Validity::Lapses(_))
}

/// What waits for a person, or begins before `soon`; the offers of one group as one.
pub async fn waiting(
    tx: &mut Tx,
    (person, email): (PersonId, &EmailAddress),
    now: DateTime<Utc>,
    soon: DateTime<Utc>,
) -> Result<Vec<WaitingRow>, AppError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        kind: String,
        /// Of what lapses, the course; of who is asked to join a firm, the invitation.
        class_id: Uuid,
        firm: Option<OrganisationId>,
        title: String,
        zone: String,
        /// Of an invitation, who sent it.
        place: String,
        starts_at: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
        since: Option<DateTime<Utc>>,
        last_valid_on: Option<NaiveDate>,
    }
    // Somewhere it is still yesterday; which day it is where the class was held is asked of each row.
    let yesterday = now.date_naive().checked_sub_days(Days::new(1)).unwrap_or_default();
    let mut waiting: Vec<WaitingRow> = Vec::new();
    for row in fetch_all!(tx, Row, WAITING, person, now, soon, yesterday, email)? {
        let what = match (row.kind.as_str(), row.firm, row.until.zip(row.since)) {
            ("offer", _, Some((until, since))) => Waiting::Offer { until, since },
            ("firm_offer", Some(firm), Some((until, since))) => Waiting::FirmOffer { firm, until, since },
            ("begins", ..) => Waiting::Begins,
            ("lapses", ..) => match row.last_valid_on.zip(row.since) {
                Some((on, since)) if lapses(on, &row.zone, now) => {
                    Waiting::Lapses { course: CourseId(row.class_id), on, since }
                }
                _ => continue,
            },
            ("invited", ..) => Waiting::Invited {
                invitation: InvitationId(row.class_id),
                owner: row.place.clone(),
                since: row.starts_at,
            },
            _ => Waiting::MakeUp,
        };
        // All seats that are held for a group have one deadline.
        let is_known = |known: &WaitingRow| match (&known.what, &what) {
            (Waiting::FirmOffer { firm, until, .. }, Waiting::FirmOffer { firm: other, until: same, .. }) => {
                known.class.0 == row.class_id && firm == other && until == same
            }
            _ => false,
        };
        if waiting.iter().any(is_known) {
            continue;
        }
        let Row { class_id, title, place, starts_at, zone, .. } = row;
        waiting.push(WaitingRow { what, class: ClassId(class_id), title, place, starts_at, zone });
    }
    Ok(waiting)
}

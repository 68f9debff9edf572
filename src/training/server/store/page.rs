//! What the page of a class reads: few statements whoever looks, so each fetches what belongs together.

use super::{
    ClassRow, EnrolmentRow, SessionRow, learning::taken, make_ups::kept, parties::Skip, seats::enrolment_columns,
};
use crate::{
    db::Tx,
    error::AppError,
    fetch_all, fetch_optional,
    training::domain::{Announced, Audience, EnrolmentState, Mark},
    values::{ClassId, ClassSessionId, EnrolmentId, FeedbackId, MaterialId, PartyId, PersonId, ProductId},
};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// The reader's place, and what the page says of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PlaceHere {
    #[sqlx(flatten)]
    pub seat: EnrolmentRow,
    /// The place in line, from 1, of who waits.
    pub position: Option<i64>,
    pub wish: Option<String>,
    /// The question about the class that waits for an answer.
    pub feedback: Option<FeedbackId>,
    /// Whether a make-up was ever booked for the seat.
    pub has_made_up: bool,
    /// Whether the seat is kept although nobody came to its class.
    pub is_kept: bool,
    pub firm: Option<String>,
    pub together: Option<bool>,
    pub gathered: Option<i64>,
    /// How many of the firm's group wait.
    pub group_waiting: i64,
    /// Whether a group that stays together waits before them, or their own does.
    pub behind_group: bool,
}

const PLACE: &str = concat!(
    "select ",
    enrolment_columns!(),
    ", case when e.state = 'waitlisted' then \
     (select count(*) from enrolment l where l.class_id = e.class_id and l.state = 'waitlisted' and l.queue_number <= e.queue_number) \
     + (select count(*) from unnamed_seat l where l.class_id = e.class_id and l.state = 'waitlisted' and l.queue_number <= e.queue_number) \
     end as position, \
     (select w.words from wish w where w.enrolment_id = e.id) as wish, \
     (select f.id from feedback f where f.person_id = e.person_id and f.moment = 'class' and f.subject_id = e.class_id \
     and f.answered_at is null and f.expires_at > $3 order by f.asked_at desc limit 1) as feedback, \
     exists (select 1 from make_up m where m.enrolment_id = e.id) as has_made_up, ",
    kept!(),
    " as is_kept, o.name as firm, y.together, y.gathered, \
     (select count(*) from enrolment x where x.party_id = y.id and x.state = 'waitlisted') \
     + (select count(*) from unnamed_seat x where x.party_id = y.id and x.state = 'waitlisted') as group_waiting, \
     e.state = 'waitlisted' and exists (select 1 from party g where g.class_id = e.class_id and g.together and ( \
     exists (select 1 from enrolment x where x.party_id = g.id and x.state = 'waitlisted' and x.queue_number <= e.queue_number) or \
     exists (select 1 from unnamed_seat x where x.party_id = g.id and x.state = 'waitlisted' and x.queue_number <= e.queue_number))) \
     as behind_group \
     from enrolment e join person p on p.id = e.person_id left join party y on y.id = e.party_id \
     left join organisation o on o.id = y.organisation_id \
     where e.class_id = $1 and e.person_id = $2 and e.state in ('waitlisted', 'offered', 'booked')"
);

/// The place that a person has in a class now, for its page.
pub async fn place_here(
    tx: &mut Tx,
    class: ClassId,
    person: PersonId,
    now: DateTime<Utc>,
) -> Result<Option<PlaceHere>, AppError> {
    Ok(fetch_optional!(tx, PlaceHere, PLACE, class, person, now)?)
}

/// What somebody said in advance of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub kind: Announced,
    pub words: String,
}

/// The sessions of a class as one learner sees them.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub sessions: Vec<SessionRow>,
    pub said: HashMap<ClassSessionId, Said>,
    pub marks: HashMap<ClassSessionId, Mark>,
}

const SESSIONS: &str = "select s.id, s.class_id, s.starts_at, s.ends_at, a.kind, a.words, t.mark from class_session s \
    left join announcement a on a.session_id = s.id and a.enrolment_id = $2 \
    left join attendance t on t.session_id = s.id and t.enrolment_id = $2 where s.class_id = $1 order by s.starts_at";

/// The sessions with what was said in advance by a seat, and how it was marked.
pub async fn sessions_seen(tx: &mut Tx, class: ClassId, seat: Option<EnrolmentId>) -> Result<Seen, AppError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        session: SessionRow,
        kind: Option<String>,
        words: Option<String>,
        mark: Option<String>,
    }
    let mut seen = Seen::default();
    for row in fetch_all!(tx, Row, SESSIONS, class, seat)? {
        let id = row.session.id;
        if let Some(kind) = row.kind.and_then(|word| word.parse().ok()) {
            seen.said.insert(id, Said { kind, words: row.words.unwrap_or_default() });
        }
        if let Some(mark) = row.mark.and_then(|word| word.parse().ok()) {
            seen.marks.insert(id, mark);
        }
        seen.sessions.push(row.session);
    }
    Ok(seen)
}

/// A material as its readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterialLine {
    pub id: MaterialId,
    pub title: String,
    pub audience: Audience,
    pub link: Option<String>,
    pub media_type: Option<String>,
    pub bytes: Option<i64>,
}

impl From<super::MaterialRow> for MaterialLine {
    fn from(row: super::MaterialRow) -> Self {
        let super::MaterialRow { id, title, audience, link, media_type, bytes, .. } = row;
        Self { id, title, audience, link, media_type, bytes }
    }
}

/// What stands around the seat: of the course, of the reader's firm, and who was seated before them.
#[derive(Clone, Debug, Default)]
pub struct Around {
    pub materials: Vec<MaterialLine>,
    /// The products of the course, for what a seat costs.
    pub products: Vec<ProductId>,
    /// What the course needs before and the reader lacks.
    pub missing: Vec<String>,
    /// How many places the reader's firms have of each kind.
    pub places: Vec<(EnrolmentState, i64)>,
    /// When and why the reader's group was passed over, latest first.
    pub group_skips: Vec<Skip>,
    /// Why the reader was passed over, latest first.
    pub skips: Vec<(String, DateTime<Utc>)>,
    /// Whether a group that stays together waits, behind which whoever comes now would stand.
    pub group_waits: bool,
}

/// Whose page it is. What is not asked for is not looked for.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    pub person: PersonId,
    /// Whether they could take a seat, so that they are told what it costs and needs.
    pub may_enrol: bool,
    /// They themselves, where they own firms.
    pub owner: Option<PersonId>,
    /// Their place in line, or offer, and its group.
    pub waits: Option<(EnrolmentId, Option<PartyId>)>,
}

const AROUND: &str = concat!(
    "select 'material' as kind, id, title, audience as word, link, media_type, bytes as number, \
     cast(null as bigint) as other, created_at as at from material where course_id = $1 \
     union all select 'product', cp.product_id, '', '', null, null, null, null, null from course_product cp where cp.course_id = $2 \
     union all select 'need', k.id, k.title, '', null, null, null, null, null \
     from course_need n join course k on k.id = n.needs_id where n.course_id = $2 and not ",
    taken!("n.needs_id", "$3", "$4", "$9"),
    " union all select 'place', null, '', x.state, null, null, count(*), null, null from party y \
     join enrolment x on x.party_id = y.id where y.class_id = $5 and y.organisation_id in ( \
     select b.organisation_id from membership b where b.person_id = $6 and b.role = 'owner') and x.state in ('waitlisted', 'offered', 'booked') group by x.state \
     union all select 'place', null, '', x.state, null, null, count(*), null, null from party y \
     join unnamed_seat x on x.party_id = y.id where y.class_id = $5 and y.organisation_id in ( \
     select b.organisation_id from membership b where b.person_id = $6 and b.role = 'owner') and x.state in ('waitlisted', 'offered', 'booked') group by x.state \
     union all select 'group_skip', k.id, '', k.reason, null, null, k.needed, k.free, k.at from line_skip k where k.party_id = $7 \
     union all select 'group', y.id, '', '', null, null, null, null, null from party y where y.class_id = $5 and y.together \
     and (exists (select 1 from enrolment x where x.party_id = y.id and x.state = 'waitlisted') \
     or exists (select 1 from unnamed_seat x where x.party_id = y.id and x.state = 'waitlisted')) \
     union all select 'skip', k.id, k.why, '', null, null, null, null, k.at from seat_skip k where k.enrolment_id = $8 \
     order by 1, 9, 2, 3"
);

/// Everything around a seat in one statement.
pub async fn around(tx: &mut Tx, class: &ClassRow, reader: Reader) -> Result<Around, AppError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        kind: String,
        id: Option<Uuid>,
        title: String,
        word: String,
        link: Option<String>,
        media_type: Option<String>,
        number: Option<i64>,
        other: Option<i64>,
        at: Option<DateTime<Utc>>,
    }
    let course = reader.may_enrol.then_some(class.course_id);
    let (seat, party) = reader.waits.map_or((None, None), |(seat, party)| (Some(seat), party));
    let rows = fetch_all!(
        tx,
        Row,
        AROUND,
        class.course_id,
        course,
        reader.person,
        class.starts_at,
        class.id,
        reader.owner,
        party,
        seat,
        class.first_day()
    )?;
    let mut around = Around::default();
    for row in rows {
        match (row.kind.as_str(), row.id, row.at) {
            ("material", Some(id), _) => around.materials.push(MaterialLine {
                id: MaterialId(id),
                title: row.title,
                audience: row.word.parse().unwrap_or(Audience::Enrolled),
                link: row.link,
                media_type: row.media_type,
                bytes: row.number,
            }),
            ("product", Some(id), _) => around.products.push(ProductId(id)),
            ("group", ..) => around.group_waits = true,
            ("need", ..) => around.missing.push(row.title),
            ("place", ..) => around.places.extend(row.word.parse().ok().zip(row.number)),
            ("group_skip", _, Some(at)) => around.group_skips.extend(row.word.parse().ok().map(|reason| Skip {
                reason,
                needed: row.number.unwrap_or(0),
                free: row.other.unwrap_or(0),
                at,
            })),
            ("skip", _, Some(at)) => around.skips.push((row.title, at)),
            _ => {}
        }
    }
    around.missing.sort();
    around.group_skips.reverse();
    around.skips.reverse();
    around.group_skips.truncate(50);
    around.skips.truncate(10);
    Ok(around)
}

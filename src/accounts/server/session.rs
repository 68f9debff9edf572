//! Signed-in browsers: random tokens, stored as hashes, on the real clock.

use crate::{
    access::{Act, Membership, Person, Subject},
    accounts::domain::{Lifetime, start},
    db::{Db, Tx},
    error::AppError,
    execute, fetch_all, fetch_one,
    people::server::store as people,
    server::{Cx, clock::real_now, fresh, history, notice::Notice, secret},
    values::{EmailAddress, OrganisationId, PersonId, SessionId},
};
use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};

/// How stale `seen_at` may be before a request writes it anew.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(10);

#[derive(sqlx::FromRow)]
struct Resolved {
    id: SessionId,
    created_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
    person_id: PersonId,
    email: Option<EmailAddress>,
    name: String,
    language: Option<String>,
    zone: Option<String>,
    staff: bool,
    roles: Option<String>,
    organisation_id: Option<OrganisationId>,
    membership: Option<String>,
}

const RESOLVE: &str = "select s.id, s.created_at, s.seen_at, p.id as person_id, p.email, p.name, p.language, p.zone, p.staff, \
    (select string_agg(r.role, ' ') from person_role r where r.person_id = p.id) as roles, \
    m.organisation_id, m.role as membership \
    from session s join person p on p.id = s.person_id left join membership m on m.person_id = p.id \
    where s.token_hash = $1 and s.ends_at > $2 and p.erased_at is null order by m.organisation_id";
const INSERT: &str = "insert into session (id, token_hash, person_id, device, created_at, seen_at, ends_at) \
    values ($1, $2, $3, $4, $5, $5, $6)";
const SEEN: &str = "update session set seen_at = $2, ends_at = $3 where id = $1";
const OF_PERSON: &str = "select id, device, created_at, seen_at from session where person_id = $1 and ends_at > $2 order by seen_at desc, id";
const END: &str = "delete from session where id = $1 and person_id = $2";
const STAFF: &str = "select staff from person where id = $1";
const FIRST: &str = "update person set first_signed_in_at = $2 where id = $1 and first_signed_in_at is null";

/// The session and person behind a cookie, if it is good. Keeps a used session alive.
pub async fn resolve(db: &Db, token: &str, now: DateTime<Utc>) -> Result<Option<(SessionId, Person)>, AppError> {
    let rows = fetch_all!(db.read().await?, Resolved, RESOLVE, secret::hash(token), now)?;
    let Some(first) = rows.first() else { return Ok(None) };
    let (id, lifetime) = (first.id, Lifetime::of(first.staff));
    if first.seen_at + SEEN_EVERY < now {
        let ends = lifetime.ends(first.created_at, now);
        // Where nothing can be written (a full disk, a database that is locked) people read on all the same.
        let kept = db.write(move |tx| Box::pin(async move { Ok(execute!(tx, SEEN, id, now, ends)?) })).await;
        if let Err(error) = kept {
            tracing::warn!(?error, "when a session was seen last could not be kept");
        }
    }
    let Some(email) = first.email.clone() else { return Ok(None) };
    let person = Person {
        id: first.person_id,
        name: first.name.clone(),
        email,
        language: first.language.clone(),
        zone: first.zone.clone(),
        roles: first.roles.iter().flat_map(|roles| roles.split(' ')).filter_map(|role| role.parse().ok()).collect(),
        memberships: rows
            .iter()
            .filter_map(|row| {
                let membership =
                    if row.membership.as_deref() == Some("owner") { Membership::Owner } else { Membership::Member };
                Some((row.organisation_id?, membership))
            })
            .collect(),
    };
    Ok(Some((id, person)))
}

/// Stores a new session; gives its token, which is nowhere else.
pub async fn insert(tx: &mut Tx, person: PersonId, device: &str) -> Result<String, AppError> {
    let now = real_now();
    let (staff,) = fetch_one!(tx, (bool,), STAFF, person)?;
    let token = secret::token();
    let id: SessionId = fresh();
    execute!(tx, INSERT, id, secret::hash(&token), person, device, now, Lifetime::of(staff).ends(now, now))?;
    execute!(tx, FIRST, person, now)?;
    Ok(token)
}

/// Signs somebody in on this browser: a new session in place of the one it had, one line of history, and on to `next`, or
/// to where they start.
pub async fn begin(cx: &Cx, person: PersonId, next: &str, notice: Option<Notice>) -> Result<Response, AppError> {
    let permit = cx.may(Act::SignIn, &Subject::of(person))?;
    let context = cx.clone();
    let (token, staff) = cx
        .db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let token = insert(tx, person, &cx.request.device).await?;
                people::set_reads(tx, &permit, person, cx.locale).await?;
                if let (Some(old), Some(before)) = (cx.request.session, cx.viewer.person()) {
                    execute!(tx, END, old, before.id)?;
                }
                let change =
                    history::Change { entity: "person", id: person.0, customer: Some(person), ..Default::default() };
                history::record(tx, &cx, &permit, change).await?;
                let (staff,) = fetch_one!(tx, (bool,), STAFF, person)?;
                Ok((token, staff))
            })
        })
        .await?;
    let mut response = cx.redirect(start(next, staff), notice);
    set(cx, &mut response, &token, CUSTOMER_COOKIE_SECONDS);
    Ok(response)
}

/// The cookie may live as long as the longest session; what counts is the row.
const CUSTOMER_COOKIE_SECONDS: i64 = 90 * 86_400;

fn set(cx: &Cx, response: &mut Response, token: &str, seconds: i64) {
    let config = &cx.app.config;
    let cookie = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{}",
        config.session_cookie(),
        config.secure_suffix()
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Takes the cookie away, and with it what the browser kept of pages.
pub fn clear(cx: &Cx, response: &mut Response) {
    set(cx, response, "", 0);
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
}

/// A signed-in browser, as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRow {
    pub id: SessionId,
    pub device: String,
    pub created_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
}

pub async fn of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<SessionRow>, AppError> {
    Ok(fetch_all!(tx, SessionRow, OF_PERSON, person, real_now())?)
}

/// Ends one of the viewer's own sessions.
pub async fn end(cx: &Cx, act: Act, id: SessionId) -> Result<(), AppError> {
    let person = cx.person()?.id;
    let permit = cx.may(act, &Subject::of(person))?;
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                if execute!(tx, END, id, person)? == 0 {
                    return Err(AppError::NotFound);
                }
                let change =
                    history::Change { entity: "session", id: id.0, customer: Some(person), ..Default::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

//! Signing in without a password: a challenge that is answered by six digits in the browser that asked, or by a
//! link in any browser. An unknown address gets a letter too, so that nobody learns who is a customer.

use crate::{
    access::{Act, Subject, Viewer},
    accounts::domain::{
        CHALLENGE_MINUTES, CODE_TRIES, LETTER_WINDOW, LETTERS_FROM_SENDER, LETTERS_TO_ADDRESS, Refusal,
        WRONG_CODES_A_DAY, safe_next,
    },
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    execute, fetch_optional,
    notices::server::{Letter, To, service as notices},
    people::server::store::{self as people, NewPerson},
    server::{
        Cx,
        clock::real_now,
        form::Form,
        fresh,
        history::{self, Change},
        rate, secret,
    },
    values::{ChallengeId, EmailAddress, PersonId, digits},
};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Challenge {
    id: ChallengeId,
    email: EmailAddress,
    code_hash: String,
    next_path: String,
    tries: i64,
    ends_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
}

const INSERT: &str = "insert into sign_in_challenge (id, email, browser_hash, code_hash, link_hash, next_path, tries, created_at, ends_at) \
    values ($1, $2, $3, $4, $5, $6, 0, $7, $8)";
const RETIRE: &str = "update sign_in_challenge set used_at = $2 where email = $1 and used_at is null";
const BY_BROWSER: &str = "select id, email, code_hash, next_path, tries, ends_at, used_at from sign_in_challenge where browser_hash = $1 \
    order by created_at desc limit 1";
const BY_LINK: &str =
    "select id, email, code_hash, next_path, tries, ends_at, used_at from sign_in_challenge where link_hash = $1";
const TRIED: &str = "update sign_in_challenge set tries = tries + 1 where id = $1";
const USE_UP: &str = "update sign_in_challenge set used_at = $2 where id = $1 and used_at is null";

/// What the browser keeps while it waits for the code.
pub struct Asked {
    /// The value of its challenge cookie.
    pub browser: String,
}

/// Sends a code and a link to the address that was typed. Known or not, the same happens and the same is answered.
pub async fn ask(cx: &Cx, form: &Form) -> Result<Asked, AppError> {
    let mut faults = Faults::default();
    let email = form.parse::<EmailAddress>("email", &mut faults, Fault::NotAnEmail);
    faults.check()?;
    let email = email.ok_or(AppError::NotFound)?;
    let next = safe_next(form.text("next")).to_owned();
    let browser = secret::token();
    send(cx, email, &browser, next).await?;
    Ok(Asked { browser })
}

async fn send(cx: &Cx, email: EmailAddress, browser: &str, next: String) -> Result<(), AppError> {
    let (code, link) = (secret::six_digits(), secret::token());
    let browser_hash = secret::hash(browser);
    let sender = secret::hash(&cx.request.sender);
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, email, code, link) = (context.clone(), email.clone(), code.clone(), link.clone());
            let (browser_hash, next, sender) = (browser_hash.clone(), next.clone(), sender.clone());
            Box::pin(async move {
                tx.lock(&[address_key(&email)]).await?;
                rate::take(tx, &format!("letter-to:{email}"), LETTERS_TO_ADDRESS, LETTER_WINDOW).await?;
                rate::take(tx, &format!("letter-from:{sender}"), LETTERS_FROM_SENDER, LETTER_WINDOW).await?;
                let now = real_now();
                let id: ChallengeId = fresh();
                execute!(tx, RETIRE, &email, now)?;
                execute!(
                    tx,
                    INSERT,
                    id,
                    &email,
                    browser_hash,
                    code_hash(id, &code),
                    secret::hash(&link),
                    next,
                    now,
                    now + TimeDelta::minutes(CHALLENGE_MINUTES)
                )?;
                let person = people::by_email(tx, &email).await?;
                if person.is_none() {
                    // As much work as for somebody who is known, whose name and language are read now.
                    people::by_id(tx, PersonId(id.0)).await?;
                }
                let to = To::Address { email, person: person.map(|person| person.id) };
                let link = cx.app.config.address(&format!("/sign-in/link/{link}"));
                notices::send(tx, &cx, to, Letter::SignIn { code, link }, &format!("sign-in:{id}")).await
            })
        })
        .await?;
    cx.app.wake.notify_one();
    Ok(())
}

fn address_key(email: &EmailAddress) -> Key {
    let digest = Sha256::digest(email.as_str());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Key::of("address", Uuid::from_bytes(bytes))
}

/// A code is bound to its challenge, so that equal codes have different hashes.
fn code_hash(id: ChallengeId, code: &str) -> String {
    secret::hash(&format!("{id}:{code}"))
}

/// How a try with a code ended; wrong ones are counted, so it is not an error that undoes the count.
enum Tried {
    In { person: PersonId, next: String },
    Wrong { left: u32 },
    No(Refusal),
}

/// Signs in by the code that was typed, in the browser that asked for it.
pub async fn by_code(cx: &Cx, browser: Option<&str>, form: &Form) -> Result<(PersonId, String), AppError> {
    let code = digits(form.text("code"));
    if form.text("code").is_empty() {
        return Err(Faults::only("code", Fault::Required));
    }
    let browser_hash = secret::hash(browser.ok_or(AppError::from(Refusal::NotValidAnyMore))?);
    let context = cx.clone();
    let tried = cx
        .db()
        .write(move |tx| {
            let (cx, code, browser_hash) = (context.clone(), code.clone(), browser_hash.clone());
            Box::pin(async move { try_code(tx, &cx, &browser_hash, &code).await })
        })
        .await?;
    match tried {
        Tried::In { person, next } => Ok((person, next)),
        Tried::Wrong { left } => Err(Faults::only("code", Fault::WrongCode { left })),
        Tried::No(refusal) => Err(refusal.into()),
    }
}

async fn try_code(tx: &mut Tx, cx: &Cx, browser_hash: &str, code: &str) -> Result<Tried, AppError> {
    let Some(seen) = fetch_optional!(tx, Challenge, BY_BROWSER, browser_hash)? else {
        return Ok(Tried::No(Refusal::NotValidAnyMore));
    };
    tx.lock(&[address_key(&seen.email)]).await?;
    // Read again under the lock: two tabs may try at once.
    let Some(challenge) = fetch_optional!(tx, Challenge, BY_BROWSER, browser_hash)? else {
        return Ok(Tried::No(Refusal::NotValidAnyMore));
    };
    if challenge.used_at.is_some() || challenge.ends_at <= real_now() {
        return Ok(Tried::No(Refusal::NotValidAnyMore));
    }
    let day = TimeDelta::days(1);
    let wrong_key = format!("wrong-code:{}", challenge.email);
    if rate::so_far(tx, &wrong_key, day).await? >= WRONG_CODES_A_DAY {
        return Ok(Tried::No(Refusal::OnlyTheLink));
    }
    if challenge.tries >= CODE_TRIES {
        return Ok(Tried::No(Refusal::TooManyTries));
    }
    execute!(tx, TRIED, challenge.id)?;
    if !secret::same(&challenge.code_hash, &code_hash(challenge.id, code)) {
        rate::count(tx, &wrong_key, day).await?;
        let left = u32::try_from(CODE_TRIES - challenge.tries - 1).unwrap_or(0);
        return Ok(if left == 0 { Tried::No(Refusal::TooManyTries) } else { Tried::Wrong { left } });
    }
    accept(tx, cx, challenge).await
}

async fn accept(tx: &mut Tx, cx: &Cx, challenge: Challenge) -> Result<Tried, AppError> {
    if execute!(tx, USE_UP, challenge.id, real_now())? == 0 {
        return Ok(Tried::No(Refusal::NotValidAnyMore));
    }
    let person = match people::by_email(tx, &challenge.email).await? {
        Some(person) => person.id,
        None => open_account(tx, cx, challenge.email).await?,
    };
    Ok(Tried::In { person, next: challenge.next_path })
}

/// A proven address that nobody has yet becomes an account without purchases.
async fn open_account(tx: &mut Tx, cx: &Cx, email: EmailAddress) -> Result<PersonId, AppError> {
    let permit = Viewer::System.may(Act::SignIn, &Subject::nobody())?;
    let name = email.as_str().split('@').next().unwrap_or_default().to_owned();
    people::insert(tx, &permit, &NewPerson { email: Some(email), name, ..NewPerson::default() }, cx.now).await
}

/// Whether the link of a letter could still sign in. Looking does not use it up.
pub async fn link_is_good(cx: &Cx, token: &str) -> Result<bool, AppError> {
    let challenge = fetch_optional!(cx.db().read().await?, Challenge, BY_LINK, secret::hash(token))?;
    Ok(challenge.is_some_and(|challenge| challenge.used_at.is_none() && challenge.ends_at > real_now()))
}

/// Signs in by the link of a letter, in whichever browser.
pub async fn by_link(cx: &Cx, token: &str) -> Result<(PersonId, String), AppError> {
    let hash = secret::hash(token);
    let context = cx.clone();
    let tried = cx
        .db()
        .write(move |tx| {
            let (cx, hash) = (context.clone(), hash.clone());
            Box::pin(async move {
                match fetch_optional!(tx, Challenge, BY_LINK, hash)? {
                    Some(challenge) if challenge.ends_at > real_now() => accept(tx, &cx, challenge).await,
                    _ => Ok(Tried::No(Refusal::NotValidAnyMore)),
                }
            })
        })
        .await?;
    match tried {
        Tried::In { person, next } => Ok((person, next)),
        Tried::Wrong { .. } | Tried::No(_) => Err(Refusal::NotValidAnyMore.into()),
    }
}

/// A link for an operator to hand over: as if the letter had been sent, so that what was asked for before is over.
pub async fn link_for(cx: &Cx, email: EmailAddress) -> Result<String, AppError> {
    let link = secret::token();
    let (token, context) = (link.clone(), cx.clone());
    cx.db()
        .write(move |tx| {
            let (cx, email, link) = (context.clone(), email.clone(), link.clone());
            Box::pin(async move {
                let permit = cx.may(Act::PrintSignInLink, &Subject::nobody())?;
                let person = people::by_email(tx, &email).await?.ok_or(AppError::NotFound)?;
                let change =
                    Change { entity: "person", id: person.id.0, customer: Some(person.id), ..Change::default() };
                history::record(tx, &cx, &permit, change).await?;
                tx.lock(&[address_key(&email)]).await?;
                let now = real_now();
                let id: ChallengeId = fresh();
                execute!(tx, RETIRE, &email, now)?;
                execute!(
                    tx,
                    INSERT,
                    id,
                    &email,
                    secret::hash(&secret::token()),
                    code_hash(id, &secret::token()),
                    secret::hash(&link),
                    "/",
                    now,
                    now + TimeDelta::minutes(CHALLENGE_MINUTES)
                )?;
                Ok(())
            })
        })
        .await?;
    Ok(cx.app.config.address(&format!("/sign-in/link/{token}")))
}

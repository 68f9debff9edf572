//! Making a purchase one's own.
//!
//! By order number: the same answer and the same work whether the order exists or not; it comes over once the order's
//! address is proven. By serial number: staff decide.

pub(super) mod store;

pub use store::{OpenRow, PieceRow, RegistrationRow};

use super::hand_over;
use crate::{
    access::{Act, Permit, Subject},
    cases::{
        domain::{Kind, Priority, promise},
        server::{hours::working_time, service as cases},
    },
    catalog::server::store as catalog,
    coverage::domain::guaranteed_by_law,
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    followups::server::store as follow_ups,
    i18n::{self, Fmt},
    import::{
        domain::{PurchaseRow, serial_key},
        server::sold,
    },
    notices::server::{Letter, To, service as notices},
    people::server::store as people,
    purchases::domain::{
        CODE_MINUTES, CODE_WINDOW, CODES_TO_ADDRESS, Proof, REGISTRATIONS_A_DAY, Refusal, RegistrationState,
        nothing_under_way, prove,
    },
    server::{
        Cx,
        clock::real_now,
        form::Form,
        fresh,
        history::{self, Change},
        keys, rate, secret,
    },
    values::{ClaimId, CountryCode, Cursor, EmailAddress, ItemId, PersonId, PublicNumber, Rows, digits},
    w,
};
use chrono::{Duration, NaiveDate};
use std::str::FromStr;
use uuid::Uuid;

/// What somebody asks for.
#[derive(Clone, Debug)]
enum Asked {
    Order { number: String, email: EmailAddress },
    Serial { number: String, proof: Option<String> },
}

/// Where a registration goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// The address is the viewer's own: what belongs to it has come over.
    Done,
    /// A code was sent to the address; the registration waits for it.
    Code(ClaimId),
    /// Staff decide.
    Checked,
}

impl Next {
    fn answer(self) -> String {
        match self {
            Self::Done => "done".to_owned(),
            Self::Code(id) => id.to_string(),
            Self::Checked => "checked".to_owned(),
        }
    }

    fn read(answer: &str) -> Self {
        match answer {
            "done" => Self::Done,
            "checked" => Self::Checked,
            id => ClaimId::from_str(id).map_or(Self::Checked, Self::Code),
        }
    }
}

fn asked(form: &Form) -> Result<Asked, AppError> {
    let mut faults = Faults::default();
    let asked = match way(form)? {
        Way::Order => {
            let number = form.words("order_number", 200, &mut faults);
            let email = form.parse::<EmailAddress>("email", &mut faults, Fault::NotAnEmail);
            email.map(|email| Asked::Order { number, email })
        }
        Way::Serial => {
            let number = form.words("serial_number", 100, &mut faults);
            if !number.is_empty() && serial_key(&number).is_empty() {
                faults.add("serial_number", Fault::NotAChoice);
            }
            let proof = Some(form.text("proof")).filter(|proof| !proof.is_empty());
            let proof = proof.map(|_| form.words("proof", 2000, &mut faults));
            Some(Asked::Serial { number, proof })
        }
    };
    faults.check()?;
    asked.ok_or_else(|| Faults::only("order_number", Fault::Required))
}

/// Which of the two ways somebody goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Order,
    Serial,
}

/// The way of the button that was pressed; of a form without one, the way that is filled in.
///
/// # Errors
/// [`Fault::BothWays`] where both are: nobody is to lose what they typed for the other.
fn way(form: &Form) -> Result<Way, AppError> {
    let filled = |name: &str| !form.text(name).is_empty();
    match (form.text("way"), filled("order_number"), filled("serial_number")) {
        ("order", ..) => Ok(Way::Order),
        ("serial", ..) => Ok(Way::Serial),
        (_, true, true) => Err(Faults::only("serial_number", Fault::BothWays)),
        (_, false, true) => Ok(Way::Serial),
        _ => Ok(Way::Order),
    }
}

/// Asks for a purchase.
///
/// # Errors
/// Faults of the form, or [`AppError::TooMany`].
pub async fn register(cx: &Cx, form: &Form) -> Result<Next, AppError> {
    let viewer = cx.person()?;
    let person = viewer.id;
    let permit = cx.may(Act::RegisterPurchase, &Subject::of(person))?;
    let asked = asked(form)?;
    let (scope, key, body) = (format!("register:{person}"), form.key(), form.body());
    // What strangers ask for about an address keeps nobody from their own, to which no code has to be sent.
    let code_to = match &asked {
        Asked::Order { email, .. } if *email != viewer.email => Some(email.clone()),
        Asked::Order { .. } | Asked::Serial { .. } => None,
    };
    limit(cx, person, code_to).await?;
    let code = secret::six_digits();
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, asked, scope, body, code) =
                (context.clone(), asked.clone(), scope.clone(), body.clone(), code.clone());
            Box::pin(async move {
                if let Some(answer) = keys::seen(tx, &scope, key, &body).await? {
                    return Ok(Next::read(&answer));
                }
                let next = match &asked {
                    Asked::Order { number, email } => by_order(tx, &cx, &permit, number, email, &code).await?,
                    Asked::Serial { number, proof } => {
                        by_serial(tx, &cx, &permit, person, number, proof.as_deref()).await?
                    }
                };
                keys::remember(tx, &scope, key, &body, &next.answer()).await?;
                Ok(next)
            })
        })
        .await
}

/// Counted apart from the registration, so that refused tries count as well.
async fn limit(cx: &Cx, person: PersonId, code_to: Option<EmailAddress>) -> Result<(), AppError> {
    cx.db()
        .write(move |tx| {
            let code_to = code_to.clone();
            Box::pin(async move {
                rate::take(tx, &format!("register:{person}"), REGISTRATIONS_A_DAY, Duration::days(1)).await?;
                if let Some(email) = code_to {
                    rate::take(tx, &format!("register:{email}"), CODES_TO_ADDRESS, CODE_WINDOW).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn by_order(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    number: &str,
    email: &EmailAddress,
    code: &str,
) -> Result<Next, AppError> {
    let person = cx.person()?;
    let id: ClaimId = fresh();
    let own = person.email == *email;
    let state = if own { RegistrationState::Proven } else { RegistrationState::Unproven };
    let hash = cx.app.secret.tag("registration", &format!("{id}:{code}"));
    let until = real_now() + Duration::minutes(CODE_MINUTES);
    let order = store::Order { number, email, code_hash: &hash, code_until: until };
    store::add_order(tx, permit, id, person.id, order, state, cx.now).await?;
    record(tx, cx, permit, id, None, state, None).await?;
    if own {
        store::move_order(tx, permit, number, email, person.id, cx.now).await?;
        return Ok(Next::Done);
    }
    let to = To::Address { email: email.clone(), person: None };
    notices::send(tx, cx, to, Letter::RegistrationCode { code: code.to_owned() }, &format!("registration:{id}"))
        .await?;
    Ok(Next::Code(id))
}

/// Asks for a piece by its serial number. The first to ask has the number until staff decide; who comes later disputes.
pub async fn by_serial(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    person: PersonId,
    number: &str,
    proof: Option<&str>,
) -> Result<Next, AppError> {
    let key = serial_key(number);
    tx.lock(&[lock(&key)]).await?;
    if store::waits_already(tx, person, &key).await? {
        return Ok(Next::Checked);
    }
    let id: ClaimId = fresh();
    let serial = store::Serial { number, key: &key, proof };
    // The number is one's to ask for; whoever comes second disputes it.
    let asked_for = store::asked_for(tx, &key).await?;
    let state = if asked_for { RegistrationState::Disputed } else { RegistrationState::Open };
    if !store::add_serial(tx, permit, id, person, serial, state, cx.now).await? {
        return Err(AppError::Busy);
    }
    record(tx, cx, permit, id, None, state, None).await?;
    entrust(tx, cx, permit, (id, person), number).await?;
    Ok(Next::Checked)
}

/// Staff decide: one of them has it from the first moment, and by when they decide is promised like an answer.
async fn entrust(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    (id, person): (ClaimId, PersonId),
    serial: &str,
) -> Result<(), AppError> {
    // Before there are any staff it stands on the list of what is neglected.
    let Some(owner) = cases::owner_for(tx, person, Priority::Normal).await? else { return Ok(()) };
    let hours = working_time(tx, cx, cx.now).await?;
    let language = people::by_id(tx, owner).await?.and_then(|row| row.language);
    let fmt = Fmt::new(language.as_deref().and_then(i18n::locale).unwrap_or_default());
    let new = follow_ups::NewFollowUp {
        id: fresh(),
        customer: person,
        owner,
        what: w!(fmt, followups.what_registration, serial = serial),
        about: Some(("registration", id.0)),
        due: hours.after(cx.now, promise(Kind::Question, Priority::Normal).solution),
    };
    follow_ups::insert(tx, permit, &new, None, cx.now).await
}

/// What everybody holds who asks for a serial number, or takes it away.
pub fn lock(serial_key: &str) -> Key {
    Key::of("serial_number", Uuid::new_v5(&Uuid::NAMESPACE_OID, serial_key.as_bytes()))
}

async fn record(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    id: ClaimId,
    from: Option<RegistrationState>,
    to: RegistrationState,
    why: Option<&str>,
) -> Result<(), AppError> {
    let change = Change {
        entity: "registration",
        id: id.0,
        customer: permit.subject().person,
        from: from.map(RegistrationState::as_str),
        to: Some(to.as_str()),
        why,
        detail: None,
    };
    history::record(tx, cx, permit, change).await
}

/// The viewer's registration that waits for a code.
///
/// # Errors
/// [`AppError::NotFound`] where it is not theirs or does not wait.
pub async fn waiting(cx: &Cx, id: ClaimId) -> Result<RegistrationRow, AppError> {
    let person = cx.person()?.id;
    let row = store::registration(&mut cx.db().read().await?, id).await?;
    row.filter(|row| row.person_id == person && row.state() == RegistrationState::Unproven).ok_or(AppError::NotFound)
}

/// Enters the code that was sent to the address of the order.
///
/// # Errors
/// A fault at `code` where it is wrong or too old.
pub async fn enter_code(cx: &Cx, id: ClaimId, form: &Form) -> Result<(), AppError> {
    let person = cx.person()?.id;
    let code = digits(form.text("code"));
    if form.text("code").is_empty() {
        return Err(Faults::only("code", Fault::Required));
    }
    let context = cx.clone();
    let fault = cx
        .db()
        .write(move |tx| {
            let (cx, code) = (context.clone(), code.clone());
            Box::pin(async move {
                tx.lock(&[Key::of("registration", id.0)]).await?;
                let row = store::registration(tx, id).await?.filter(|row| row.person_id == person);
                let row = row.filter(|row| row.state() == RegistrationState::Unproven).ok_or(AppError::NotFound)?;
                let permit = cx.may(Act::RegisterPurchase, &Subject::of(row.person_id))?;
                let right = row.code_hash.as_deref().is_some_and(|tag| {
                    let value = format!("{id}:{code}");
                    secret::same(&cx.app.secret.tag("registration", &value), tag)
                });
                let until = row.code_until.unwrap_or_default();
                match prove(right, row.tries, until, real_now()) {
                    Proof::Proven => {
                        store::set_state(tx, &permit, id, RegistrationState::Proven).await?;
                        if let (Some(number), Some(email)) = (&row.order_number, &row.email) {
                            store::move_order(tx, &permit, number, email, row.person_id, cx.now).await?;
                        }
                        let (from, to) = (RegistrationState::Unproven, RegistrationState::Proven);
                        record(tx, &cx, &permit, id, Some(from), to, None).await?;
                        Ok(None)
                    }
                    // A wrong code must be counted: the write goes through, and the fault is given back as its value.
                    Proof::Wrong { left } => {
                        store::count_try(tx, id).await?;
                        Ok(Some(Fault::WrongCode { left }))
                    }
                    Proof::Over => {
                        store::count_try(tx, id).await?;
                        Ok(Some(Fault::Expired))
                    }
                }
            })
        })
        .await?;
    fault.map_or(Ok(()), |fault| Err(Faults::only("code", fault)))
}

/// What the viewer asked for lately.
pub async fn mine(cx: &Cx) -> Result<Vec<RegistrationRow>, AppError> {
    let person = cx.person()?.id;
    store::of_person(&mut cx.db().read().await?, person).await
}

/// What staff have to decide, the longest waiting first.
pub async fn open(cx: &Cx, cursor: Option<&Cursor>) -> Result<Rows<OpenRow>, AppError> {
    let permit = cx.may(Act::DecideRegistration, &Subject::nobody())?;
    store::open(&mut cx.db().read().await?, &permit, cursor).await
}

/// What staff say to a registration.
#[derive(Clone, Debug)]
enum Verdict {
    Accept { which: Which, sale: UnknownSale },
    Refuse { why: String },
}

/// What staff know of a sale that the portal does not.
#[derive(Clone, Debug)]
struct UnknownSale {
    sku: Option<String>,
    purchased_on: Option<NaiveDate>,
    /// Whose law counts.
    country: Option<CountryCode>,
}

/// Which of the things that have the number it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    /// Nobody said; where there is one, it is that.
    Only,
    This(ItemId),
    /// None that was sold as far as the portal knows.
    Another,
}

/// What the form sends for [`Which::Another`].
pub const ANOTHER: &str = "another";

/// Decides a registration by serial number. True where it was accepted.
///
/// # Errors
/// Faults of the form, or a [`Refusal`].
pub async fn decide(cx: &Cx, form: &Form) -> Result<bool, AppError> {
    cx.may(Act::DecideRegistration, &Subject::nobody())?;
    let mut faults = Faults::default();
    let id = form.parse::<ClaimId>("registration", &mut faults, Fault::NotAChoice);
    let verdict = match form.text("decision") {
        "accept" => Verdict::Accept {
            which: match form.text("item") {
                "" => Which::Only,
                ANOTHER => Which::Another,
                _ => form.parse("item", &mut faults, Fault::NotAChoice).map_or(Which::Only, Which::This),
            },
            sale: UnknownSale {
                sku: Some(form.text("sku")).filter(|sku| !sku.is_empty()).map(str::to_owned),
                purchased_on: form.optional("purchased_on", &mut faults, Fault::NotADate),
                country: country(form, &mut faults),
            },
        },
        "refuse" => Verdict::Refuse { why: form.words("why", 1000, &mut faults) },
        _ => {
            faults.add("decision", Fault::NotAChoice);
            Verdict::Refuse { why: String::new() }
        }
    };
    faults.check()?;
    let Some(id) = id else { return Err(AppError::NotFound) };
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, verdict) = (context.clone(), verdict.clone());
            Box::pin(async move { decide_in(tx, &cx, id, &verdict).await })
        })
        .await
}

/// A code as people type it: in small letters too.
fn country(form: &Form, faults: &mut Faults) -> Option<CountryCode> {
    let code = form.text("country").to_ascii_uppercase();
    let country = code.parse().ok();
    if country.is_none() && !code.is_empty() {
        faults.add("country", Fault::NotACountry);
    }
    country
}

async fn decide_in(tx: &mut Tx, cx: &Cx, id: ClaimId, verdict: &Verdict) -> Result<bool, AppError> {
    let before = store::registration(tx, id).await?.ok_or(AppError::NotFound)?;
    let permit = cx.may(Act::DecideRegistration, &Subject::of(before.person_id))?;
    let key = before.serial_key.clone().ok_or(AppError::NotFound)?;
    tx.lock(&[lock(&key)]).await?;
    let row = store::registration(tx, id).await?.ok_or(AppError::NotFound)?;
    let state = row.state().decide(matches!(verdict, Verdict::Accept { .. }))?;
    let serial = row.serial_number.clone().unwrap_or_default();
    let by = cx.viewer.person().map(|person| person.id);
    let link = |path: &str| format!("{}{path}", cx.app.config.origin());
    follow_ups::done_about(tx, &permit, "registration", id.0, cx.now).await?;
    match verdict {
        Verdict::Refuse { why } => {
            store::decide(tx, &permit, id, state, None, by, Some(why), cx.now).await?;
            record(tx, cx, &permit, id, Some(row.state()), state, Some(why)).await?;
            let letter = Letter::RegistrationRefused { serial, why: why.clone(), link: link("/help") };
            notices::send(tx, cx, To::Person(row.person_id), letter, &format!("registration-decided:{id}")).await?;
        }
        Verdict::Accept { which, sale } => {
            let pieces = store::items_with(tx, &key).await?;
            let known = match (which, pieces.as_slice()) {
                (Which::Only, [only]) => Some(*only),
                (Which::This(item), pieces) if pieces.contains(item) => Some(*item),
                (Which::Only, []) | (Which::Another, _) => None,
                (Which::Only, _) => return Err(Faults::only("item", Fault::Required)),
                (Which::This(_), _) => return Err(Faults::only("item", Fault::NotAChoice)),
            };
            if let Some(item) = known
                && store::taken(tx, item, id).await?
            {
                return Err(Refusal::SerialTaken.into());
            }
            store::dispute_others(tx, &permit, &key, id).await?;
            let item = match known {
                Some(item) => {
                    bring(tx, cx, &permit, item, &row).await?;
                    item
                }
                None => sell(tx, (cx, &permit), &row, sale).await?,
            };
            store::decide(tx, &permit, id, state, Some(item), by, None, cx.now).await?;
            record(tx, cx, &permit, id, Some(row.state()), state, None).await?;
            let letter = Letter::RegistrationAccepted { serial, link: link("/purchases") };
            notices::send(tx, cx, To::Person(row.person_id), letter, &format!("registration-decided:{id}")).await?;
        }
    }
    Ok(state == RegistrationState::Accepted)
}

/// Brings a piece from whoever has it to whoever proved that it is theirs, and tells the former owner.
async fn bring(
    tx: &mut Tx,
    cx: &Cx,
    permit: &Permit,
    item: ItemId,
    registration: &RegistrationRow,
) -> Result<(), AppError> {
    let before = super::store::item(tx, item).await?.ok_or(AppError::NotFound)?;
    // The former owner books nothing more with it meanwhile, nor gives it away.
    tx.lock(&[Key::of("item", item.0), Key::of("person", before.owner_person.0)]).await?;
    let piece = super::store::item(tx, item).await?.ok_or(AppError::NotFound)?;
    if piece.owner_person == registration.person_id {
        return Ok(());
    }
    store::hand_on(tx, permit, item, registration.person_id, cx.now).await?;
    // After its benefits are held by this: what is booked with them in the same moment is seen.
    let (repairs, booked) = hand_over::under_way(tx, item).await?;
    nothing_under_way(repairs, booked)?;
    hand_over::end_old(tx, item, cx.now).await?;
    let letter = Letter::RegisteredToAnother {
        product: piece.product_name,
        serial: registration.serial_number.clone().unwrap_or_default(),
        link: cx.app.config.address("/help"),
    };
    let once = format!("registered-to-another:{}", registration.id);
    notices::send(tx, cx, To::Person(piece.owner_person), letter, &once).await
}

/// Writes down a sale that the portal did not know: what staff accept by a proof.
async fn sell(
    tx: &mut Tx,
    (cx, permit): (&Cx, &Permit),
    row: &RegistrationRow,
    sale: &UnknownSale,
) -> Result<ItemId, AppError> {
    let UnknownSale { sku, purchased_on, country } = sale;
    let buyer = store::buyer(tx, row.person_id).await?.ok_or(AppError::NotFound)?;
    let product = match sku {
        Some(sku) => catalog::by_sku(tx, sku).await?,
        None => None,
    };
    // Without a country no law grants anything.
    let country = country.or_else(|| buyer.country.as_deref().and_then(|code| code.parse().ok()));
    let mut faults = Faults::default();
    if sku.is_none() {
        faults.add("sku", Fault::Required);
    }
    if purchased_on.is_none() {
        faults.add("purchased_on", Fault::Required);
    }
    let longest_ago = NaiveDate::from_ymd_opt(1950, 1, 1);
    if purchased_on.is_some_and(|day| day > cx.today() || Some(day) < longest_ago) {
        faults.add("purchased_on", Fault::NotADate);
    }
    if country.is_none() && product.as_ref().is_some_and(|product| guaranteed_by_law(product.kind())) {
        faults.add("country", Fault::Required);
    }
    faults.check()?;
    let product = product.ok_or(Refusal::UnknownArticle)?;
    let purchase = PurchaseRow {
        order_number: format!("R-{}", PublicNumber::from_seed(rand::random())),
        order_line: None,
        purchased_on: purchased_on.unwrap_or_default(),
        delivered_on: None,
        customer_email: buyer.email,
        customer_name: None,
        customer_phone: None,
        customer_language: None,
        customer_country: country,
        organisation: None,
        organisation_id: None,
        sku: sku.clone(),
        product_name: Some(product.name),
        brand: None,
        category: None,
        kind: None,
        serial_numbers: row.serial_number.iter().cloned().collect(),
        quantity: 1,
        unit_price: None,
        warranty_months: None,
        plan: None,
    };
    let sold = sold(tx, (cx, permit), &purchase, "registration").await?;
    sold.items.first().copied().ok_or(AppError::NotFound)
}

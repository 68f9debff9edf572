//! What people set for themselves: name, language, time zone; and the browsers in which they are signed in.

use super::session;
use crate::{
    access::{Act, Subject},
    db::Tx,
    error::{AppError, Fault, Faults, Refusal},
    execute,
    i18n::{LANGUAGES, locale},
    people::server::store as people,
    server::{
        Cx,
        cx::At,
        form::{Form, Sheet},
        history,
        notice::Notice,
        page::{Frame, PortalTab},
    },
    ui::*,
    values::{PersonId, SessionId},
    w,
};
use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use leptos::prelude::*;
use leptos_i18n::Locale as _;

pub async fn show(cx: Cx) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let row = people::by_id(&mut cx.db().read().await?, person).await?.ok_or(AppError::NotFound)?;
    let sheet = Sheet::filled(&[
        ("name", &row.name),
        ("phone", row.phone.as_deref().unwrap_or_default()),
        ("language", shown(row.language.as_deref())),
        ("zone", row.zone.as_deref().unwrap_or_default()),
        ("version", &row.version.to_string()),
    ]);
    account_page(&cx, &sheet, None).await
}

/// What the menu shows of a language as it is kept: an import brings `es-MX`, and others that we do not speak.
fn shown(language: Option<&str>) -> &'static str {
    language.and_then(locale).map_or("", |locale| locale.as_str())
}

/// `theirs`: what was saved elsewhere while this was written; each field that differs says so.
async fn account_page(cx: &Cx, sheet: &Sheet, theirs: Option<people::PersonRow>) -> Result<Response, AppError> {
    let person = cx.person()?.clone();
    let sessions = session::of_person(&mut cx.db().read().await?, person.id).await?;
    let title = w!(cx, shell.account);
    Ok(cx.sheet_page(sheet, Frame::Portal(PortalTab::None), title.clone(), || {
        let t = cx.fmt();
        let sessions: Vec<AnyView> = sessions.into_iter().map(|row| session_row(cx, row)).collect();
        let now = |name: &str, value: Option<String>| {
            let value = value.filter(|value| value.as_str() != sheet.value(name))?;
            Some(w!(cx, repairs.settings_now, value = value))
        };
        let stored = |of: fn(&people::PersonRow) -> Option<&str>| {
            theirs.as_ref().map(|row| of(row).unwrap_or_default().to_owned())
        };
        let hints = [
            now("name", stored(|row| Some(row.name.as_str()))),
            now("phone", stored(|row| row.phone.as_deref())),
            now("language", stored(|row| Some(shown(row.language.as_deref())))),
            now("zone", stored(|row| row.zone.as_deref())),
        ];
        let [name_now, phone_now, language_now, zone_now] = hints;
        // Whoever was told of the other change may save over it.
        let version = theirs.as_ref().map_or(sheet.value("version").to_owned(), |row| row.version.to_string());
        let mut languages = vec![(String::new(), w!(cx, shell.as_browser))];
        languages.extend(LANGUAGES.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())));
        let mut zones = vec![(String::new(), w!(cx, shell.company_zone, zone = cx.company_zone().name().to_owned()))];
        zones.extend(chrono_tz::TZ_VARIANTS.iter().map(|zone| (zone.name().to_owned(), zone.name().replace('_', " "))));
        view! {
            <PageHead title=title lead=Some(person.email.to_string())/>
            <form id="account" class="form" method="post" action="/account">
                {cx.faults(sheet)}
                <input type="hidden" name="version" value=version/>
                <Field name="name" label=w!(cx, shell.name) value=sheet.value("name") fault=cx.fault(sheet, "name") hint=name_now
                    autocomplete="name" required=true/>
                <Field name="phone" label=w!(cx, shell.phone) kind="tel" value=sheet.value("phone") fault=cx.fault(sheet, "phone")
                    hint=phone_now autocomplete="tel" inputmode="tel" optional=Some(w!(cx, shell.optional))/>
                <Select name="language" id=Some("account-language".to_owned()) label=w!(cx, shell.language) options=languages value=sheet.value("language") fault=cx.fault(sheet, "language") hint=language_now/>
                <Select name="zone" label=w!(cx, shell.zone) options=zones value=sheet.value("zone") fault=cx.fault(sheet, "zone") hint=zone_now/>
                <Actions><Button>{w!(t, shell.save)}</Button></Actions>
            </form>
            <CardLink href="/account/charges" icon=Some(Icon::Coin) title=w!(cx, charges.title) text=w!(cx, charges.lead)/>
            <Section title=w!(cx, shell.sessions)>
                <ul class="rows" role="list">{sessions}</ul>
            </Section>
            <form method="post" action="/sign-out">
                <Actions><Button tone=ButtonTone::Quiet icon=Some(Icon::Logout)>{w!(t, shell.sign_out)}</Button></Actions>
            </form>
        }
    }))
}

fn session_row(cx: &Cx, row: session::SessionRow) -> AnyView {
    let t = cx.fmt();
    let this = cx.request.session == Some(row.id);
    let seen = cx.fmt().date_time(row.seen_at, cx.zone);
    let device = if row.device.is_empty() { w!(cx, shell.unknown_device) } else { device_name(&row.device) };
    let end = if this {
        view! { <Badge tone=Tone::Good text=w!(cx, shell.this_browser)/> }.into_any()
    } else {
        view! {
            <form method="post" action=format!("/account/sessions/{}/end", row.id)>
                <Button tone=ButtonTone::Quiet>{w!(t, shell.end_session)}</Button>
            </form>
        }
        .into_any()
    };
    view! { <li class="row"><span class="row-words"><strong>{device}</strong><span>{w!(cx, shell.last_seen, time = seen)}</span></span>{end}</li> }
        .into_any()
}

/// `Firefox · Linux` of what a browser calls itself; enough to recognise one's own.
fn device_name(agent: &str) -> String {
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

pub async fn save(cx: Cx, form: Form) -> Result<Response, AppError> {
    match store_account(&cx, &form).await {
        Ok(()) => Ok(cx.redirect("/account", Some(Notice::AccountSaved))),
        Err(error) => {
            let theirs = match error {
                AppError::Refused(Refusal::ChangedMeanwhile) => {
                    people::by_id(&mut cx.db().read().await?, cx.person()?.id).await?
                }
                _ => None,
            };
            account_page(&cx, &Sheet::again(form, error)?, theirs).await
        }
    }
}

#[derive(Clone)]
struct Account {
    name: String,
    phone: Option<String>,
    language: Option<String>,
    zone: Option<String>,
    version: i64,
}

async fn store_account(cx: &Cx, form: &Form) -> Result<(), AppError> {
    let person = cx.person()?.id;
    let permit = cx.may(Act::EditAccount, &Subject::of(person))?;
    let mut faults = Faults::default();
    let name = form.words("name", 200, &mut faults);
    let phone = Some(form.text("phone").to_owned()).filter(|phone| !phone.is_empty());
    if phone.as_ref().is_some_and(|phone| phone.chars().count() > 40) {
        faults.add("phone", Fault::TooLong { max: 40 });
    }
    let language = Some(form.text("language").to_owned()).filter(|language| !language.is_empty());
    if language.as_ref().is_some_and(|language| !LANGUAGES.iter().any(|(code, _)| code == language)) {
        faults.add("language", Fault::NotAChoice);
    }
    let zone =
        form.optional::<chrono_tz::Tz>("zone", &mut faults, Fault::NotAChoice).map(|zone| zone.name().to_owned());
    let version = form.text("version").parse().unwrap_or(0);
    faults.check()?;
    let account = Account { name, phone, language, zone, version };
    let context = cx.clone();
    cx.db()
        .write(move |tx| {
            let (cx, account) = (context.clone(), account.clone());
            Box::pin(async move {
                if !update(tx, person, &account).await? {
                    return Ok(());
                }
                let change =
                    history::Change { entity: "person", id: person.0, customer: Some(person), ..Default::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

const UPDATE: &str = "update person set name = $2, name_lower = $3, phone = $4, language = $5, zone = $6, version = version + 1 \
    where id = $1 and version = $7";

/// False where it stands so already: a second tap is answered like the first.
async fn update(tx: &mut Tx, person: PersonId, account: &Account) -> Result<bool, AppError> {
    let row = people::by_id(tx, person).await?.ok_or(AppError::NotFound)?;
    // What the menu cannot show is kept as it is until another language is chosen.
    let same = account.language.as_deref().unwrap_or_default() == shown(row.language.as_deref());
    let language = if same { row.language.clone() } else { account.language.clone() };
    if row.version != account.version
        && (&row.name, &row.phone, &row.language, &row.zone)
            == (&account.name, &account.phone, &language, &account.zone)
    {
        return Ok(false);
    }
    let changed = execute!(
        tx,
        UPDATE,
        person,
        &account.name,
        account.name.to_lowercase(),
        &account.phone,
        &language,
        &account.zone,
        account.version
    )?;
    if changed == 0 { Err(Refusal::ChangedMeanwhile.into()) } else { Ok(true) }
}

pub async fn end_session(cx: Cx, At(id): At<SessionId>) -> Result<Response, AppError> {
    session::end(&cx, Act::EndSession, id).await?;
    Ok(cx.redirect("/account", Some(Notice::SessionEnded)))
}

const SET_LANGUAGE: &str = "update person set language = $2, version = version + 1 where id = $1";

/// The language menu: kept in the account where there is one, in a cookie otherwise.
pub async fn language(cx: Cx, form: Form) -> Result<Response, AppError> {
    let language = form.text("language").to_owned();
    if !LANGUAGES.iter().any(|(code, _)| *code == language) {
        return Err(Faults::only("language", Fault::NotAChoice));
    }
    if let Some(person) = cx.viewer.person() {
        let (id, permit) = (person.id, cx.may(Act::EditAccount, &Subject::of(person.id))?);
        let (context, language) = (cx.clone(), language.clone());
        cx.db()
            .write(move |tx| {
                let (cx, language) = (context.clone(), language.clone());
                Box::pin(async move {
                    execute!(tx, SET_LANGUAGE, id, &language)?;
                    let change = history::Change {
                        entity: "person",
                        id: id.0,
                        customer: Some(id),
                        to: Some(&language),
                        ..Default::default()
                    };
                    history::record(tx, &cx, &permit, change).await
                })
            })
            .await?;
    }
    let mut response = cx.redirect(crate::accounts::domain::safe_next(form.text("back")), None);
    let cookie = format!(
        "language={language}; Path=/; SameSite=Lax; HttpOnly; Max-Age=31536000{}",
        cx.app.config.secure_suffix()
    );
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

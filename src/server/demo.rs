//! The demo company: a mark in the database, a bar on every page, doors into each role, its mail and its clock.

use super::{App, Cx, form::Form, notice::Notice, settings};
use crate::{
    access::{Act, Viewer},
    error::{AppError, Fault, Faults},
    ui::*,
    values::PersonId,
    w,
};
use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use chrono::TimeDelta;
use leptos::prelude::*;

/// The accounts of the demo: the value of `as`, the address, the name.
pub const ACCOUNTS: [(&str, &str, &str); 8] = [
    ("customer", "customer@example.com", "Carla Moreno"),
    ("owner", "owner@example.com", "Rasa Petrauskienė"),
    ("member", "member@example.com", "Matteo Greco"),
    ("trainer", "trainer@example.com", "Tomás Vidal"),
    ("technician", "technician@example.com", "Priya Nair"),
    ("agent", "agent@example.com", "Lina Kazlauskaitė"),
    ("manager", "manager@example.com", "Marta Ferri"),
    ("admin", "admin@example.com", "Adam Novak"),
];

pub fn routes() -> Router<App> {
    Router::new()
        .route("/demo/sign-in", post(sign_in))
        .route("/demo/clock", post(clock))
        .route("/demo/mail", get(crate::notices::server::demo_mail::list))
        .route("/demo/mail/{id}", get(crate::notices::server::demo_mail::show))
}

async fn sign_in(cx: Cx, form: Form) -> Result<Response, AppError> {
    let role = form.text("as").to_owned();
    let account = ACCOUNTS.iter().find(|(name, _, _)| *name == role);
    let (_, email, _) = account.ok_or_else(|| Faults::only("as", Fault::NotAChoice))?;
    let person = crate::people::server::store::by_email(
        &mut cx.db().read().await?,
        &email.parse().map_err(|_| AppError::NotFound)?,
    )
    .await?
    .ok_or(AppError::NotFound)?;
    crate::accounts::server::session::begin(&cx, person.id, "/", None).await
}

/// The demo's clock stays within a lifetime, where every calendar can follow.
const MOST_SECONDS_AHEAD: i64 = 100 * 366 * 86_400;

/// Moves business time forward and works off what became due.
async fn clock(cx: Cx, form: Form) -> Result<Response, AppError> {
    let advance = parse_duration(form.text("advance")).ok_or_else(|| Faults::only("advance", Fault::NotATime))?;
    let offset = cx
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let offset =
                    settings::read(tx, "clock_offset").await?.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
                let offset = offset.saturating_add(advance.num_seconds());
                if offset > MOST_SECONDS_AHEAD {
                    return Err(Faults::only("advance", Fault::NotATime));
                }
                settings::write(tx, "clock_offset", &offset.to_string()).await?;
                Ok(offset)
            })
        })
        .await?;
    cx.app.clock.set_offset(offset);
    crate::jobs::drain(&Cx::without_request(&cx.app, Viewer::System)).await?;
    Ok(cx.redirect("/", Some(Notice::ClockMoved)))
}

/// An ISO 8601 duration of days, hours, minutes and seconds, up to ten years: `PT24H`, `P7D`, `P1DT12H`.
pub fn parse_duration(text: &str) -> Option<TimeDelta> {
    let rest = text.strip_prefix('P')?;
    let (days, time) = rest.split_once('T').map_or((rest, ""), |(days, time)| (days, time));
    if rest.is_empty() || rest.ends_with('T') {
        return None;
    }
    let mut seconds = 0_i64;
    for (part, units) in
        [(days, &[('D', 86_400), ('W', 604_800)][..]), (time, &[('H', 3_600), ('M', 60), ('S', 1)][..])]
    {
        let mut number = String::new();
        for c in part.chars() {
            if c.is_ascii_digit() {
                number.push(c);
                continue;
            }
            let unit = units.iter().find(|(letter, _)| *letter == c)?.1;
            seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
            number.clear();
        }
        if !number.is_empty() {
            return None;
        }
    }
    (seconds <= 10 * 366 * 86_400).then(|| TimeDelta::seconds(seconds))
}

/// The bar on top of every page of the demo; nothing elsewhere.
pub fn bar(cx: &Cx) -> AnyView {
    if !cx.app.demo {
        return ().into_any();
    }
    let t = cx.fmt();
    let current = cx.viewer.person().map(|person| person.email.as_str().to_owned());
    let label = |name: &str| match name {
        "customer" => w!(cx, shell.role_customer),
        "owner" => w!(cx, shell.role_owner),
        "member" => w!(cx, shell.role_member),
        "trainer" => w!(cx, shell.role_trainer),
        "technician" => w!(cx, shell.role_technician),
        "agent" => w!(cx, shell.role_agent),
        "manager" => w!(cx, shell.role_manager),
        _ => w!(cx, shell.role_admin),
    };
    let roles = ACCOUNTS
        .iter()
        .map(|(name, email, _)| ((*name).to_owned(), label(name), current.as_deref() == Some(*email)))
        .collect();
    view! {
        <DemoBar text=w!(cx, shell.demo_bar) choose=w!(cx, shell.demo_choose) roles>
            <a href="/demo/mail">{w!(t, shell.demo_mail)}</a>
            <form method="post" action="/demo/clock">
                <input type="hidden" name="advance" value="PT24H"/>
                <button class="demo-role" type="submit">{w!(t, shell.demo_day)}</button>
            </form>
        </DemoBar>
    }
    .into_any()
}

/// The people whom every slice's demo part is about.
pub struct Cast {
    accounts: Vec<(&'static str, PersonId)>,
    /// Forty customers of five languages, none of them an account of the bar.
    pub customers: Vec<PersonId>,
    /// The owner's and the member's firm first.
    pub organisations: Vec<crate::values::OrganisationId>,
}

impl Cast {
    /// An account of the bar by its name (`customer`, `owner`, …).
    pub fn person(&self, account: &str) -> Result<PersonId, AppError> {
        self.accounts.iter().find(|(name, _)| *name == account).map(|(_, id)| *id).ok_or(AppError::NotFound)
    }

    pub fn organisation(&self, place: usize) -> Result<crate::values::OrganisationId, AppError> {
        self.organisations.get(place).copied().ok_or(AppError::NotFound)
    }

    /// The customers around and around.
    pub fn customer(&self, n: usize) -> Result<PersonId, AppError> {
        self.customers.get(n % self.customers.len().max(1)).copied().ok_or(AppError::NotFound)
    }
}

/// Fills an empty database with the demo company and marks it.
pub async fn seed(app: &App) -> Result<(), AppError> {
    let cx = Cx::without_request(app, Viewer::Operator);
    cx.may(Act::Import, &crate::access::Subject::nobody())?;
    let cast = crate::people::server::demo::seed(&cx).await?;
    seed_slices(&cx, &cast).await
}

/// Each slice's part, those first that others build on.
async fn seed_slices(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    crate::purchases::server::demo::seed(cx, cast).await?;
    crate::training::server::demo::seed(cx, cast).await?;
    crate::repairs::server::seed(cx, cast).await?;
    crate::cases::server::demo::seed(cx, cast).await?;
    crate::ratings::server::demo::seed(cx, cast).await?;
    crate::followups::server::demo::seed(cx, cast).await?;
    crate::charges::server::demo::seed(cx, cast).await?;
    crate::purchases::server::demo::offer(cx, cast).await?;
    Ok(())
}

impl Cast {
    pub fn new(
        accounts: Vec<(&'static str, PersonId)>,
        customers: Vec<PersonId>,
        organisations: Vec<crate::values::OrganisationId>,
    ) -> Self {
        Self { accounts, customers, organisations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_or_refused() {
        assert_eq!(parse_duration("PT24H"), Some(TimeDelta::hours(24)));
        assert_eq!(parse_duration("P1DT12H30M"), Some(TimeDelta::minutes(36 * 60 + 30)));
        for text in ["", "P", "PT", "24H", "P1H", "PT1D", "P-1D", "PT99999999999999999H", "P1", "PTH"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}

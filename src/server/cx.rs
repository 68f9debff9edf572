//! The one context of a request, a command or a job: who asks, when, in which language and zone.

use super::{App, clock::real_now, notice::Notice};
use crate::{
    access::{Act, Permit, Person, Subject, Viewer},
    db::Db,
    error::AppError,
    i18n::{Fmt, Locale},
};
use axum::{
    extract::{FromRequestParts, Path},
    http::{HeaderMap, header, request::Parts},
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::sync::Arc;

#[derive(Clone)]
pub struct Cx {
    pub viewer: Viewer,
    /// Business time, to the microsecond.
    pub now: DateTime<Utc>,
    pub locale: Locale,
    /// The reader's time zone.
    pub zone: Tz,
    pub app: App,
    pub request: Arc<RequestInfo>,
}

/// What is known of the request itself. Empty outside of one.
#[derive(Clone, Debug, Default)]
pub struct RequestInfo {
    pub id: String,
    /// Path and query, as asked.
    pub path: String,
    /// The script nonce of this answer.
    pub nonce: String,
    /// The session that the browser holds.
    pub session: Option<crate::values::SessionId>,
    /// What a redirect left to be said.
    pub notice: Option<Notice>,
    /// The sender's network address.
    pub sender: String,
    /// What the browser calls itself.
    pub device: String,
}

impl Cx {
    /// A context without a request: for commands, jobs and tests.
    pub fn without_request(app: &App, viewer: Viewer) -> Self {
        Self {
            viewer,
            now: app.clock.now(),
            locale: Locale::default(),
            zone: app.company.zone,
            app: app.clone(),
            request: Arc::default(),
        }
    }

    /// The same context for somebody else: for what the portal does by itself in the course of a request.
    pub fn as_viewer(&self, viewer: Viewer) -> Self {
        Self { viewer, ..self.clone() }
    }

    pub fn db(&self) -> &Db {
        &self.app.db
    }

    /// The day at the company.
    pub fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.company_zone()).date_naive()
    }

    pub fn company_zone(&self) -> Tz {
        self.app.company.zone
    }

    /// # Errors
    /// [`AppError::SignIn`] where nobody is signed in.
    pub fn person(&self) -> Result<&Person, AppError> {
        self.viewer.person().ok_or(AppError::SignIn)
    }

    /// # Errors
    /// As [`Viewer::may`].
    pub fn may(&self, act: Act, subject: &Subject) -> Result<Permit, AppError> {
        self.viewer.may(act, subject)
    }

    pub fn fmt(&self) -> Fmt {
        Fmt::new(self.locale)
    }
}

/// Set by the guard in front of every page.
impl<S: Send + Sync> FromRequestParts<S> for Cx {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        parts.extensions.get::<Cx>().cloned().ok_or_else(|| super::internal("a page without its guard", &parts.uri))
    }
}

/// The one parameter of an address. What is none of its kind leads nowhere, like everything that is not there.
pub struct At<T>(pub T);

impl<S: Send + Sync, T: std::str::FromStr> FromRequestParts<S> for At<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| AppError::NotFound)?;
        text.parse().map(Self).map_err(|_| AppError::NotFound)
    }
}

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Builds the context of a request: one statement where a session cookie came along, none else.
pub async fn of_request(app: &App, parts: &Parts) -> Result<Cx, AppError> {
    let headers = &parts.headers;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed_in = match cookie(headers, app.config.session_cookie()) {
        Some(token) => crate::accounts::server::session::resolve(&app.db, token, real_now()).await?,
        None => None,
    };
    let (viewer, session) = match signed_in {
        Some((session, person)) => (Viewer::Person(Box::new(person)), Some(session)),
        None => (Viewer::Guest, None),
    };
    let person = viewer.person();
    let locale = person
        .and_then(|person| person.language.as_deref())
        .or_else(|| cookie(headers, "language"))
        .and_then(crate::i18n::locale)
        .unwrap_or_else(|| crate::i18n::negotiate(text(header::ACCEPT_LANGUAGE)));
    let zone = person.and_then(|person| person.zone.as_deref()).and_then(|zone| zone.parse().ok());
    let sender =
        parts.extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>().map_or_else(String::new, |info| {
            let forwarded = headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok());
            let forwarded: Vec<&str> = forwarded.collect();
            app.config.sender(info.0.ip(), forwarded.into_iter())
        });
    let request = RequestInfo {
        id: parts.extensions.get::<super::guard::RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        nonce: super::guard::nonce(),
        session,
        notice: cookie(headers, super::notice::COOKIE).and_then(|value| Notice::read(&app.secret, value)),
        sender,
        device: text(header::USER_AGENT).chars().take(200).collect(),
    };
    Ok(Cx {
        viewer,
        now: app.clock.now(),
        locale,
        zone: zone.unwrap_or(app.company.zone),
        app: app.clone(),
        request: Arc::new(request),
    })
}

//! What a form posted, and the sheet that is given back with its faults and everything that was typed.

use crate::error::{AppError, Fault, Faults, Refusal};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use std::str::FromStr;
use uuid::Uuid;

/// The fields of a plain form post, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Without the character NUL, which no text has and not every database takes.
    pub fn new(fields: Vec<(String, String)>) -> Self {
        let clean = |text: String| if text.contains('\0') { text.replace('\0', "") } else { text };
        Self { fields: fields.into_iter().map(|(name, value)| (clean(name), clean(value))).collect() }
    }

    /// From pairs, as tests and commands write them.
    pub fn of(fields: &[(&str, &str)]) -> Self {
        Self::new(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The field's text without space around it; nothing where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The field as a value; notes `fault` where it is there but not one, [`Fault::Required`] where it is not there.
    pub fn parse<T: FromStr>(&self, name: &str, faults: &mut Faults, fault: Fault) -> Option<T> {
        let text = self.text(name);
        if text.is_empty() {
            faults.add(name, Fault::Required);
            return None;
        }
        let value = text.parse().ok();
        if value.is_none() {
            faults.add(name, fault);
        }
        value
    }

    /// The field as a value where it is filled in; notes `fault` where it is not one.
    pub fn optional<T: FromStr>(&self, name: &str, faults: &mut Faults, fault: Fault) -> Option<T> {
        if self.text(name).is_empty() { None } else { self.parse(name, faults, fault) }
    }

    /// The field's words: noted as required, too long (in characters), or given.
    pub fn words(&self, name: &str, most: u32, faults: &mut Faults) -> String {
        let text = self.text(name).replace("\r\n", "\n");
        if text.is_empty() {
            faults.add(name, Fault::Required);
        } else if text.chars().count() > most as usize {
            faults.add(name, Fault::TooLong { max: most });
        }
        text
    }

    /// The hidden key that makes a second post of the same form harmless.
    pub fn key(&self) -> Option<Uuid> {
        Uuid::try_parse(self.text("key")).ok()
    }

    /// Everything that was sent, without the key: what a key is bound to.
    pub fn body(&self) -> String {
        let mut body = String::new();
        for (name, value) in self.fields.iter().filter(|(name, _)| name != "key") {
            body.push_str(name);
            body.push('\u{1f}');
            body.push_str(value);
            body.push('\u{1e}');
        }
        body
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE { AppError::TooLarge } else { AppError::Busy }
        })?;
        Ok(Self::new(url::form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

/// A form as it is shown: empty at first; after a refusal with what was typed and what is wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    form: Form,
    faults: Faults,
    refusal: Option<Refusal>,
    /// It could not be taken now, but the same again will be.
    later: Option<AppError>,
}

impl Sheet {
    /// A sheet that is filled in already.
    pub fn filled(fields: &[(&str, &str)]) -> Self {
        Self { form: Form::of(fields), ..Self::default() }
    }

    /// The same form again because of `error`.
    ///
    /// # Errors
    /// Passes on what no sheet can mend: not found, not signed in, our own failures.
    pub fn again(form: Form, error: AppError) -> Result<Self, AppError> {
        match error {
            AppError::Invalid(faults) => Ok(Self { form, faults, ..Self::default() }),
            AppError::Refused(refusal) => Ok(Self { form, refusal: Some(refusal), ..Self::default() }),
            AppError::Busy | AppError::TooMany { .. } => Ok(Self { form, later: Some(error), ..Self::default() }),
            other => Err(other),
        }
    }

    pub fn value(&self, name: &str) -> &str {
        self.form.text(name)
    }

    pub fn values(&self, name: &str) -> Vec<&str> {
        self.form.all(name)
    }

    /// The form's key: the one that came back after a fault, else a new one. One that was sent with other words before, as
    /// the back button brings it, can be sent no more.
    pub fn key(&self) -> String {
        match self.value("key") {
            known if !known.is_empty() && self.fault("key").is_none() => known.to_owned(),
            _ => uuid::Uuid::now_v7().to_string(),
        }
    }

    pub fn fault(&self, name: &str) -> Option<&Fault> {
        self.faults.of(name)
    }

    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// Why the same form has to be sent again later: too much at once.
    pub fn later(&self) -> Option<&AppError> {
        self.later.as_ref()
    }

    /// Whether this is a second try.
    pub fn is_again(&self) -> bool {
        self.refusal.is_some() || self.later.is_some() || !self.faults.0.is_empty()
    }
}

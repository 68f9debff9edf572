//! The door for forms that carry pictures: read as they come, within bounds, and kept at once as drafts, so that a form
//! that comes back has lost nothing.

use super::{photos, pictures::Failed};
use crate::{
    error::{AppError, Fault, Faults},
    repairs::photos::{self as policy, FILE_BYTES, FILE_MEGABYTES, FILES, POST_BYTES, POST_MEGABYTES},
    server::{Cx, body::patient, clock, form::Form},
};
use axum::{
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::header,
};
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// How long the next piece of a post may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest text field, in bytes.
const TEXT_BYTES: usize = 64 * 1024;
/// What is read and thrown away after a post grew too large, so that its sender still hears why.
const DRAIN_BYTES: usize = 120 * 1024 * 1024;

/// How many parts one post may have; the page itself makes some twenty.
const PARTS: usize = 100;

/// What came: the fields, with a `photo` for each picture that was kept, and what was wrong with the files.
#[derive(Debug, Default)]
pub struct Posted {
    pub form: Form,
    pub faults: Faults,
    /// Why a picture could not be kept now, although the same again will be.
    pub later: Option<AppError>,
}

/// Reads a post of either kind, with pictures or without.
///
/// What came before a post broke off is in the answer with the fault, so that its words are not lost.
///
/// # Errors
/// Only ours, and the sender's requests that are no form at all.
pub async fn read(cx: &Cx, request: Request) -> Result<Posted, AppError> {
    let multipart = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("multipart/form-data"));
    if !multipart {
        let body = clock::within(PATIENCE, axum::body::to_bytes(request.into_body(), TEXT_BYTES)).await;
        let body = body.ok_or_else(broken)?.map_err(|_| AppError::TooLarge)?;
        let fields = url::form_urlencoded::parse(&body).into_owned().collect();
        return Ok(Posted { form: Form::new(fields), ..Posted::default() });
    }
    let request = request.map(|body| patient(body, PATIENCE));
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let (fields, faults) = (Vec::new(), Faults::default());
    let mut reading = Reading { cx, fields, faults, later: None, total: 0, pictures: 0, full: false };
    let mut taken = 0;
    loop {
        let read = match parts.next_field().await.map_err(|_| broken()) {
            Ok(Some(_)) if taken == PARTS => return Err(AppError::TooLarge),
            Ok(Some(field)) => reading.field(field).await,
            Ok(None) => break,
            Err(error) => Err(error),
        };
        taken += 1;
        match read {
            Ok(()) => {}
            // A post that is too large or ends in the middle: the words so far are kept.
            Err(AppError::Invalid(faults)) => {
                reading.faults.0.extend(faults.0);
                break;
            }
            Err(AppError::TooMany { seconds }) => {
                // No more pictures within the hour; the words behind them are read on.
                reading.fault(Fault::LaterAgain { minutes: seconds.div_ceil(60) });
                reading.full = true;
            }
            Err(AppError::Busy) => {
                reading.later = Some(AppError::Busy);
                reading.full = true;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Posted { form: Form::new(reading.fields), faults: reading.faults, later: reading.later })
}

/// A post that ends in the middle or is no form: whoever sent it is not there to read more than this.
fn broken() -> AppError {
    Faults::only("photos", Fault::NotAnImage)
}

struct Reading<'a> {
    cx: &'a Cx,
    fields: Vec<(String, String)>,
    faults: Faults,
    later: Option<AppError>,
    total: usize,
    pictures: u32,
    /// No picture is taken any more, whatever else comes.
    full: bool,
}

impl Reading<'_> {
    async fn field(&mut self, field: Field<'_>) -> Result<(), AppError> {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_none() {
            if let Some(text) = self.bytes(field, TEXT_BYTES).await? {
                self.fields.push((name, String::from_utf8_lossy(&text).into_owned()));
            }
            return Ok(());
        }
        let Some(bytes) = self.bytes(field, FILE_BYTES).await? else {
            let megabytes = if self.total > POST_BYTES { POST_MEGABYTES } else { FILE_MEGABYTES };
            self.fault(Fault::FileTooLarge { megabytes });
            return Ok(());
        };
        // A browser sends an empty file where none was chosen.
        if bytes.is_empty() {
            return Ok(());
        }
        self.picture(bytes).await
    }

    async fn picture(&mut self, bytes: Bytes) -> Result<(), AppError> {
        if self.full {
            return Ok(());
        }
        let person = self.cx.person()?.id;
        let kept = photos::drafts(&mut self.cx.db().read().await?, person, self.cx.now).await?.len();
        if kept >= FILES as usize || self.pictures >= FILES {
            self.fault(Fault::TooManyFiles { max: FILES });
            return Ok(());
        }
        self.pictures += 1;
        match photos::add(self.cx, bytes).await {
            Ok(id) => self.fields.push(("photo".to_owned(), id.to_string())),
            Err(Failed::Refused(fault)) => self.fault(in_form(fault)),
            Err(Failed::Ours(error)) => return Err(error),
        }
        Ok(())
    }

    /// The field's bytes; nothing where they are more than `most` or the whole post is more than it may be.
    async fn bytes(&mut self, mut field: Field<'_>, most: usize) -> Result<Option<Bytes>, AppError> {
        let mut bytes = BytesMut::new();
        let mut size = 0_usize;
        while let Some(chunk) = field.chunk().await.map_err(|_| broken())? {
            self.total += chunk.len();
            size += chunk.len();
            if self.total > DRAIN_BYTES {
                return Err(Faults::only("photos", Fault::FileTooLarge { megabytes: POST_MEGABYTES }));
            }
            if size <= most && self.total <= POST_BYTES {
                bytes.extend_from_slice(&chunk);
            }
        }
        Ok((size <= most && self.total <= POST_BYTES).then(|| bytes.freeze()))
    }

    /// One fault of a kind is enough.
    fn fault(&mut self, fault: Fault) {
        if !self.faults.0.iter().any(|(_, known)| *known == fault) {
            self.faults.add("photos", fault);
        }
    }
}

fn in_form(fault: policy::Fault) -> Fault {
    match fault {
        policy::Fault::Heic => Fault::Heic,
        policy::Fault::NotAPicture => Fault::NotAnImage,
        policy::Fault::TooHeavy => Fault::FileTooLarge { megabytes: FILE_MEGABYTES },
        policy::Fault::TooManyPixels => Fault::TooManyPixels,
    }
}

//! Reads a form that carries one file, within bounds: whoever sends too much still hears so on the page.

use crate::{
    error::{AppError, Fault, Faults},
    server::{body::patient, clock, form::Form},
    training::domain::learning::{FILE_BYTES, FILE_MEGABYTES},
};
use axum::{
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::header,
};
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// How long the next piece of a post may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest text field, in bytes, and most parts of a post.
const TEXT_BYTES: usize = 64 * 1024;
const PARTS: usize = 20;
/// What is read and thrown away after a post grew too large.
const DRAIN_BYTES: usize = 60 * 1024 * 1024;

/// What came: the fields, the file with the name that it had, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Posted {
    pub form: Form,
    pub file: Option<(Bytes, String)>,
    pub faults: Faults,
}

/// Reads a post of either kind, with a file or without.
///
/// # Errors
/// Only the sender's broken requests; faults of the file are in the answer.
pub async fn read(request: Request) -> Result<Posted, AppError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let body = clock::within(PATIENCE, axum::body::to_bytes(request.into_body(), TEXT_BYTES)).await;
        let body = body.ok_or_else(broken)?.map_err(|_| AppError::TooLarge)?;
        let form = Form::new(url::form_urlencoded::parse(&body).into_owned().collect());
        return Ok(Posted { form, ..Posted::default() });
    }
    let request = request.map(|body| patient(body, PATIENCE));
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let (mut fields, mut posted, mut total) = (Vec::new(), Posted::default(), 0_usize);
    for _ in 0..PARTS {
        let Some(field) = parts.next_field().await.map_err(|_| broken())? else {
            posted.form = Form::new(fields);
            return Ok(posted);
        };
        let name = field.name().unwrap_or_default().to_owned();
        match field.file_name().map(str::to_owned) {
            None => {
                let text = bytes(field, TEXT_BYTES, &mut total).await?.ok_or(AppError::TooLarge)?;
                fields.push((name, String::from_utf8_lossy(&text).into_owned()));
            }
            Some(file_name) => match bytes(field, FILE_BYTES, &mut total).await? {
                // A browser sends an empty file where none was chosen.
                Some(bytes) if bytes.is_empty() => {}
                Some(bytes) => posted.file = Some((bytes, file_name)),
                None => posted.faults.add("file", Fault::FileTooLarge { megabytes: FILE_MEGABYTES }),
            },
        }
    }
    Err(AppError::TooLarge)
}

/// A post that ends in the middle or is no form: whoever sent it is not there to read more than this.
fn broken() -> AppError {
    Faults::only("file", Fault::NotAMaterial)
}

/// The field's bytes; nothing where they are more than `most`.
async fn bytes(mut field: Field<'_>, most: usize, total: &mut usize) -> Result<Option<Bytes>, AppError> {
    let mut bytes = BytesMut::new();
    let mut size = 0_usize;
    while let Some(chunk) = field.chunk().await.map_err(|_| broken())? {
        size += chunk.len();
        *total += chunk.len();
        if *total > DRAIN_BYTES {
            return Err(AppError::TooLarge);
        }
        if size <= most {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok((size <= most).then(|| bytes.freeze()))
}

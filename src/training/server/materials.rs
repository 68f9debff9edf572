//! Materials of a course: addresses elsewhere, PDFs and pictures of ours. A file is on disk before its row, is what its
//! first bytes say, and leaves as a download that no browser runs.

use super::store::{self, MaterialRow};
use crate::{
    access::{Act, Subject},
    error::{AppError, Fault, Faults},
    repairs::server::pictures::{self, Failed},
    server::{
        App, Cx,
        cx::At,
        fresh,
        history::{self, Change},
        internal, settings,
    },
    training::domain::{
        Audience,
        learning::{FILE_BYTES, FILE_MEGABYTES, FileKind, sniff},
    },
    values::{CourseId, MaterialId},
};
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Where a material is.
#[derive(Clone, Debug)]
pub enum Source {
    Link(String),
    /// A file, and the name that it had where it came from.
    File(Bytes, String),
}

/// A material as a trainer adds it.
#[derive(Clone, Debug)]
pub struct New {
    pub title: String,
    pub audience: Audience,
    pub source: Source,
}

/// Adds a material to a course.
pub async fn add(cx: &Cx, course: CourseId, new: New) -> Result<MaterialId, AppError> {
    // Before the file is worked on: the disk is for trainers.
    cx.may(Act::AddMaterial, &Subject::nobody())?;
    let id: MaterialId = fresh();
    let data_dir = cx.app.config.data_dir.clone();
    let row = match new.source {
        Source::Link(link) => row(id, course, new.title, new.audience, Some(link)),
        Source::File(bytes, name) => {
            kept(&data_dir, bytes, &name, row(id, course, new.title, new.audience, None)).await?
        }
    };
    let (context, file) = (cx.clone(), row.file.clone());
    let added = cx
        .db()
        .write(move |tx| {
            let (cx, row) = (context.clone(), row.clone());
            Box::pin(async move {
                let permit = cx.may(Act::AddMaterial, &Subject::nobody())?;
                store::course_detail(tx, course).await?;
                let by = cx.person()?.id;
                store::insert_material(tx, &permit, &row, by, cx.now).await?;
                let change = Change {
                    entity: "material",
                    id: id.0,
                    to: Some(row.audience.as_str()),
                    why: Some(&row.title),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await;
    match (added, file) {
        (Ok(()), _) => {
            sweep(&cx.app).await?;
            Ok(id)
        }
        (Err(error), file) => {
            if let Some(file) = file {
                remove_file(&data_dir, &file).await;
            }
            Err(error)
        }
    }
}

fn row(id: MaterialId, course: CourseId, title: String, audience: Audience, link: Option<String>) -> MaterialRow {
    MaterialRow {
        id,
        course_id: course,
        title,
        audience,
        link,
        file: None,
        name: None,
        media_type: None,
        bytes: None,
        sha256: None,
    }
}

/// The row of a file that is on disk now.
async fn kept(data_dir: &Path, bytes: Bytes, name: &str, row: MaterialRow) -> Result<MaterialRow, AppError> {
    if bytes.len() > FILE_BYTES {
        return Err(Faults::only("file", Fault::FileTooLarge { megabytes: FILE_MEGABYTES }));
    }
    let kind = sniff(&bytes).ok_or_else(|| Faults::only("file", Fault::NotAMaterial))?;
    let (bytes, ending, media_type) = match kind {
        FileKind::Pdf => (bytes.to_vec(), "pdf", "application/pdf"),
        // New pixels: nothing that the camera noted, nothing that was hidden in the file.
        FileKind::Picture => (redrawn(bytes).await?, "jpg", "image/jpeg"),
    };
    let chance: [u8; 16] = rand::random();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let file = format!("{}.{ending}", hex(&chance));
    let place = path(data_dir, &file).ok_or_else(|| internal("a material without a name", &file))?;
    let row = MaterialRow {
        file: Some(file),
        name: Some(file_name(name, &row.title, ending)),
        media_type: Some(media_type.to_owned()),
        bytes: i64::try_from(bytes.len()).ok(),
        sha256: Some(hex(&Sha256::digest(&bytes))),
        ..row
    };
    tokio::task::spawn_blocking(move || pictures::write(&place, &bytes))
        .await
        .map_err(|e| internal("writing a material panicked", &e))?
        .map_err(|e| internal("a material could not be written", &e))?;
    Ok(row)
}

async fn redrawn(bytes: Bytes) -> Result<Vec<u8>, AppError> {
    match pictures::develop(bytes).await {
        Ok(picture) => Ok(picture.jpeg),
        Err(Failed::Refused(_)) => Err(Faults::only("file", Fault::NotAMaterial)),
        Err(Failed::Ours(error)) => Err(error),
    }
}

/// The name under which the file is offered: what it was called, with the ending of what it is.
fn file_name(name: &str, title: &str, ending: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let stem = if stem.trim().is_empty() { title } else { stem };
    let clean: String = stem.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '/' | '\\')).take(80).collect();
    format!("{}.{ending}", clean.trim())
}

/// Takes a material away, and its file.
pub async fn remove(cx: &Cx, course: CourseId, id: MaterialId) -> Result<(), AppError> {
    let context = cx.clone();
    let file = cx
        .db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let permit = cx.may(Act::RemoveMaterial, &Subject::nobody())?;
                let row = store::material(tx, id).await?;
                if !store::drop_material(tx, &permit, course, id).await? {
                    return Err(AppError::NotFound);
                }
                let change = Change {
                    entity: "material",
                    id: id.0,
                    from: Some(row.audience.as_str()),
                    to: Some("removed"),
                    why: Some(&row.title),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                Ok(row.file)
            })
        })
        .await?;
    if let Some(file) = file {
        remove_file(&cx.app.config.data_dir, &file).await;
    }
    Ok(())
}

/// `GET /materials/{id}`: the file, to whoever may see it.
pub async fn download(cx: Cx, At(id): At<MaterialId>) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let row = store::material(&mut tx, id).await?;
    let learns = row.audience == Audience::Everyone || store::learns(&mut tx, person, row.course_id).await?;
    drop(tx);
    let subject = if learns { Subject::of(person) } else { Subject::nobody() };
    cx.may(Act::ReadMaterial, &subject).map_err(|_| AppError::NotFound)?;
    let (Some(file), Some(media_type), Some(name)) = (row.file, row.media_type, row.name) else {
        return Err(AppError::NotFound);
    };
    let path = path(&cx.app.config.data_dir, &file).ok_or(AppError::NotFound)?;
    let bytes = tokio::fs::read(path).await.map_err(|_| AppError::NotFound)?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).map_err(|e| internal("a material without a header", &e));
    headers.insert(header::CONTENT_TYPE, value(&media_type)?);
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition(&name))?);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    Ok(response)
}

/// RFC 6266: a name for old programs, and the real one for all others.
pub fn disposition(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' }).collect();
    let mut full = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => full.push(char::from(byte)),
            _ => full.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("materials")
}

/// Where a file is; nothing for a name that is not one of ours.
fn path(data_dir: &Path, file: &str) -> Option<PathBuf> {
    let stem = file.strip_suffix(".pdf").or_else(|| file.strip_suffix(".jpg"))?;
    let ours = stem.len() == 32 && stem.bytes().all(|b| b.is_ascii_hexdigit());
    ours.then(|| folder(data_dir).join(&stem[..2]).join(file))
}

async fn remove_file(data_dir: &Path, file: &str) {
    if let Some(path) = path(data_dir, file) {
        let _ = tokio::fs::remove_file(path).await;
    }
}

/// A day: no upload takes longer.
const OLD: u64 = 24 * 3600;

/// Removes old files that no row knows: what a crash left between the file and its row.
pub async fn sweep(app: &App) -> Result<(), AppError> {
    if !settings::owns_folder(app).await {
        return Ok(());
    }
    let Ok(mut folders) = tokio::fs::read_dir(folder(&app.config.data_dir)).await else { return Ok(()) };
    while let Ok(Some(folder)) = folders.next_entry().await {
        let Ok(mut files) = tokio::fs::read_dir(folder.path()).await else { continue };
        while let Ok(Some(entry)) = files.next_entry().await {
            let age = entry.metadata().await.ok().and_then(|m| m.modified().ok()).and_then(|m| m.elapsed().ok());
            let name = entry.file_name().to_string_lossy().into_owned();
            if age.is_some_and(|age| age.as_secs() > OLD)
                && !store::knows_file(&mut app.db.read().await?, &name).await?
            {
                let _ = tokio::fs::remove_file(entry.path()).await;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_keeps_its_name_in_every_script_and_breaks_no_header() {
        assert_eq!(file_name("../x/Manual \"A\".PDF.exe", "T", "pdf"), "Manual A.PDF.pdf");
        assert_eq!(file_name("", "पुस्तिका", "pdf"), "पुस्तिका.pdf");
        let line = disposition("Vadovas ąžuolas.pdf");
        assert!(line.starts_with("attachment; filename=\"Vadovas __uolas.pdf\"") && line.is_ascii(), "{line}");
        assert!(line.contains("filename*=UTF-8''Vadovas%20%C4%85%C5%BEuolas.pdf"));
    }

    #[test]
    fn only_our_own_names_lead_to_files() {
        let data = Path::new("/data");
        assert!(path(data, "0123456789abcdef0123456789abcdef.pdf").unwrap().starts_with("/data/materials/01"));
        for name in ["../../etc/passwd.pdf", "x.pdf", "", "0123456789abcdef0123456789abcdef.exe"] {
            assert!(path(data, name).is_none(), "{name}");
        }
    }
}

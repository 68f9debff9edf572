//! Pictures of what is wrong: taken in as drafts of their viewer, given to a repair, shown to those who may see it.

use super::pictures::{self, Failed};
use crate::{
    access::{Act, Permit, Subject},
    db::Tx,
    error::AppError,
    execute, fetch_all, fetch_optional,
    jobs::{self, Job},
    repairs::photos::{DRAFT_HOURS, FILES},
    server::{
        App, Cx,
        cx::At,
        fresh,
        history::{self, Change},
        rate, settings,
    },
    values::{OrganisationId, PersonId, PhotoId, RepairId},
};
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

/// How many pictures one person can send in an hour.
const HOURLY: i64 = 60;

const ADD: &str = "insert into photo (id, viewer_id, file, sha256, bytes, width, height, created_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $8)";
const DRAFTS: &str = "select id from photo where viewer_id = $1 and repair_id is null and created_at > $2 \
    order by created_at, id limit 20";
const ATTACH: &str = "update photo set repair_id = $1 where id = $2 and viewer_id = $3 and repair_id is null";
const OF_REPAIR: &str = "select id from photo where repair_id = $1 order by created_at, id";
const DROP: &str = "delete from photo where id = $1 and viewer_id = $2 and repair_id is null returning file";
const FORGET: &str = "delete from photo where id = $1 and repair_id is null returning file";
const READ: &str = "select f.file, f.viewer_id, r.person_id, r.organisation_id, r.technician_id \
    from photo f left join repair r on r.id = f.repair_id where f.id = $1";
const KNOWN: &str = "select id from photo where file = $1";

/// Takes a picture in as a draft: the file first, then its row.
///
/// # Errors
/// The fault of the file, or ours.
pub async fn add(cx: &Cx, bytes: Bytes) -> Result<PhotoId, Failed> {
    let picture = pictures::develop(bytes).await?;
    let data_dir = &cx.app.config.data_dir;
    let file = pictures::file_name();
    let (width, height, sha256) = (i64::from(picture.width), i64::from(picture.height), picture.sha256);
    let bytes = i64::try_from(picture.jpeg.len()).unwrap_or(i64::MAX);
    pictures::keep(data_dir, &file, picture.jpeg).await.map_err(Failed::Ours)?;
    let id: PhotoId = fresh();
    let (context, name) = (cx.clone(), file.clone());
    let kept = cx
        .db()
        .write(move |tx| {
            let (cx, name, sha256) = (context.clone(), name.clone(), sha256.clone());
            Box::pin(async move {
                let person = cx.person()?.id;
                let permit = cx.may(Act::AddPhoto, &Subject::of(person))?;
                rate::take(tx, &format!("photo:{person}"), HOURLY, TimeDelta::hours(1)).await?;
                insert(tx, &permit, id, person, &name, &sha256, (bytes, width, height), cx.now).await?;
                let change = Change {
                    entity: "photo",
                    id: id.0,
                    customer: Some(person),
                    to: Some("draft"),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await?;
                jobs::enqueue(tx, Job::ForgetPhoto { photo: id }, cx.now + TimeDelta::hours(DRAFT_HOURS)).await
            })
        })
        .await;
    if let Err(error) = kept {
        pictures::remove(data_dir, &file).await;
        return Err(Failed::Ours(error));
    }
    Ok(id)
}

#[allow(clippy::too_many_arguments, reason = "the columns of one row")]
async fn insert(
    tx: &mut Tx,
    _permit: &Permit,
    id: PhotoId,
    viewer: PersonId,
    file: &str,
    sha256: &str,
    size: (i64, i64, i64),
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    execute!(tx, ADD, id, viewer, file, sha256, size.0, size.1, size.2, now)?;
    Ok(())
}

/// The viewer's drafts, oldest first.
pub async fn drafts(tx: &mut Tx, viewer: PersonId, now: DateTime<Utc>) -> Result<Vec<PhotoId>, AppError> {
    let since = now - TimeDelta::hours(DRAFT_HOURS);
    let ids: Vec<(PhotoId,)> = fetch_all!(tx, (PhotoId,), DRAFTS, viewer, since)?;
    Ok(ids.into_iter().map(|(id,)| id).take(FILES as usize).collect())
}

/// Gives drafts of this viewer to their repair; what is not theirs, or gone, is left out.
pub async fn attach(
    tx: &mut Tx,
    _permit: &Permit,
    repair: RepairId,
    photos: &[PhotoId],
    viewer: PersonId,
) -> Result<(), AppError> {
    for photo in photos.iter().take(FILES as usize) {
        execute!(tx, ATTACH, repair, *photo, viewer)?;
    }
    Ok(())
}

/// The pictures of a repair, in the order in which they came.
pub async fn of_repair(tx: &mut Tx, repair: RepairId) -> Result<Vec<PhotoId>, AppError> {
    Ok(fetch_all!(tx, (PhotoId,), OF_REPAIR, repair)?.into_iter().map(|(id,)| id).collect())
}

/// Removes a draft of the viewer's.
pub async fn remove(cx: &Cx, id: PhotoId) -> Result<(), AppError> {
    let context = cx.clone();
    let file = cx
        .db()
        .write(move |tx| {
            let cx = context.clone();
            Box::pin(async move {
                let person = cx.person()?.id;
                let permit = cx.may(Act::AddPhoto, &Subject::of(person))?;
                let file = fetch_optional!(tx, (String,), DROP, id, person)?;
                if file.is_some() {
                    let change = Change {
                        entity: "photo",
                        id: id.0,
                        customer: Some(person),
                        from: Some("draft"),
                        to: Some("removed"),
                        ..Change::default()
                    };
                    history::record(tx, &cx, &permit, change).await?;
                }
                Ok(file)
            })
        })
        .await?;
    if let Some((file,)) = file {
        pictures::remove(&cx.app.config.data_dir, &file).await;
    }
    Ok(())
}

/// Forgets a draft whose day is over.
pub async fn forget(cx: &Cx, id: PhotoId) -> Result<(), AppError> {
    let file =
        cx.db().write(move |tx| Box::pin(async move { Ok(fetch_optional!(tx, (String,), FORGET, id)?) })).await?;
    if let Some((file,)) = file {
        pictures::remove(&cx.app.config.data_dir, &file).await;
    }
    Ok(())
}

/// Removes files older than a draft lives that no row knows: what a crash left between the file and its row.
pub async fn sweep(app: &App) -> Result<u64, AppError> {
    let root = pictures::folder(&app.config.data_dir);
    let mut swept = 0;
    if !settings::owns_folder(app).await {
        return Ok(0);
    }
    let Ok(mut folders) = tokio::fs::read_dir(&root).await else { return Ok(0) };
    while let Ok(Some(folder)) = folders.next_entry().await {
        let Ok(mut files) = tokio::fs::read_dir(folder.path()).await else { continue };
        while let Ok(Some(entry)) = files.next_entry().await {
            let old = entry.metadata().await.ok().and_then(|m| m.modified().ok()).and_then(|m| m.elapsed().ok());
            if old.is_none_or(|age| age.as_secs() < DRAFT_HOURS.unsigned_abs() * 3600) {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let mut tx = app.db.read().await?;
            if fetch_optional!(tx, (PhotoId,), KNOWN, name.as_str())?.is_none()
                && tokio::fs::remove_file(entry.path()).await.is_ok()
            {
                swept += 1;
            }
        }
    }
    Ok(swept)
}

#[derive(sqlx::FromRow)]
struct Shown {
    file: String,
    viewer_id: PersonId,
    person_id: Option<PersonId>,
    organisation_id: Option<OrganisationId>,
    technician_id: Option<PersonId>,
}

/// `GET /photos/{id}`: the picture, to whoever sent it and whoever may see its repair.
pub async fn show(cx: Cx, At(id): At<PhotoId>) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let mut tx = cx.db().read().await?;
    let photo = fetch_optional!(tx, Shown, READ, id)?.ok_or(AppError::NotFound)?;
    drop(tx);
    let subject = match photo.person_id {
        Some(owner) => Subject::of(owner).within(photo.organisation_id).assigned_to(photo.technician_id),
        // A draft is its sender's alone, whatever the role of the others.
        None if photo.viewer_id == person => Subject::of(person),
        None => return Err(AppError::NotFound),
    };
    cx.may(Act::ReadPhoto, &subject).map_err(|_| AppError::NotFound)?;
    let path = pictures::path(&cx.app.config.data_dir, &photo.file).ok_or(AppError::NotFound)?;
    let bytes = tokio::fs::read(path).await.map_err(|_| AppError::NotFound)?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"photo.jpg\""));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600, immutable"));
    Ok(response)
}

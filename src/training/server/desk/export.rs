//! The roster as a file for spreadsheets: who came to which session, what they passed. No cell becomes a formula.

use crate::{
    access::{Act, Subject},
    error::AppError,
    i18n::InWords,
    server::Cx,
    training::{
        domain::{Mark, Share, teaching::cell},
        server::{check_in::int, make_ups, portal::parse, store},
    },
    values::{ClassId, ClassSessionId, EnrolmentId},
    w,
};
use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use std::collections::HashMap;

pub async fn csv(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let id: ClassId = parse(&id)?;
    let mut tx = cx.db().read().await?;
    let class = store::class(&mut tx, id).await?;
    cx.may(Act::ReadRoster, &Subject::nobody().assigned_to(Some(class.trainer_id)))?;
    let sessions = store::sessions(&mut tx, id).await?;
    let people = store::contacts(&mut tx, id).await?;
    // Each with the mark that counts for the certificate: a make-up's, where one made it up.
    let counted = make_ups::Counted::load(&mut tx, id).await?;
    let marks: HashMap<(EnrolmentId, ClassSessionId), (Mark, Mark)> = store::marks(&mut tx, id)
        .await?
        .into_iter()
        .map(|row| ((row.enrolment_id, row.session_id), (row.mark, counted.mark(&row))))
        .collect();
    let said = |(own, counts): (Mark, Mark)| match own == counts {
        true => own.in_words(cx.fmt()),
        false => format!("{} → {}", own.in_words(cx.fmt()), counts.in_words(cx.fmt())),
    };
    let given = store::given(&mut tx, id).await?;
    let guests = store::guests(&mut tx, id).await?;
    drop(tx);

    let fmt = cx.fmt();
    let mut file = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| crate::server::internal("a file cannot be written", &error);
    let mut head = vec![w!(fmt, teaching.name), w!(fmt, teaching.email), w!(fmt, teaching.firm)];
    head.extend(sessions.iter().map(|session| fmt.date_time(session.starts_at, class.tz())));
    head.extend([w!(fmt, training.certificate_attended), w!(fmt, training.certificate_code)]);
    file.write_record(head.iter().map(|text| cell(text))).map_err(failed)?;
    for row in people {
        let own: Vec<Option<(Mark, Mark)>> = sessions.iter().map(|s| marks.get(&(row.id, s.id)).copied()).collect();
        let share = Share::of(own.iter().flatten().map(|(_, counts)| *counts), int(sessions.len()));
        let mut line = vec![row.name, row.email.unwrap_or_default(), row.organisation.unwrap_or_default()];
        line.extend(own.iter().map(|mark| mark.map(said).unwrap_or_default()));
        line.push(format!("{} %", share.percent()));
        line.push(given.get(&row.id).map(ToString::to_string).unwrap_or_default());
        file.write_record(line.iter().map(|text| cell(text))).map_err(failed)?;
    }
    // What a guest makes up counts in the class where it was missed: no share, no certificate here.
    for row in guests {
        let mark = row.mark().map(|mark| mark.in_words(fmt)).unwrap_or_default();
        let name = w!(fmt, teaching.guest_named, name = row.person_name);
        let mut line = vec![name, row.person_email.unwrap_or_default(), String::new()];
        line.extend(
            sessions.iter().map(|session| if session.id == row.session_id { mark.clone() } else { String::new() }),
        );
        line.extend([String::new(), String::new()]);
        file.write_record(line.iter().map(|text| cell(text))).map_err(failed)?;
    }
    let bytes =
        file.into_inner().map_err(|error| crate::server::internal("a file cannot be written", &error.error()))?;
    // The mark by which spreadsheets know the encoding.
    let body = [b"\xef\xbb\xbf".to_vec(), bytes].concat();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"class-{id}.csv\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, body).into_response())
}

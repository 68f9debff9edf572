//! What a class's page shows to whoever has a seat in it, beside the seat: the code to check in with, and what they want
//! to learn. Who waits is told when somebody was seated before them, and why.

use super::{
    check_in,
    portal::{key, parse},
    seats::lock_of,
    store::{self, ClassRow, PlaceHere},
};
use crate::{
    access::{Act, Subject},
    error::{AppError, Fault, Faults},
    server::{
        App, Cx,
        form::{Form, Sheet},
        history::{self, Change},
    },
    training::domain::{EnrolmentState, Refusal},
    ui::*,
    values::{ClassId, EnrolmentId},
    w,
};
use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, Duration, Utc};
use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// The picture of the code has an address of its own: to compute it takes longer than the whole page, and most readers
/// never unfold it.
pub fn routes() -> Router<App> {
    Router::new().route("/training/{class}/ticket.svg", get(picture))
}

/// `GET /training/{class}/ticket.svg`: the reader's own code.
async fn picture(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let seat = store::active(&mut cx.db().read().await?, parse(&id)?, person).await?;
    let seat = seat.filter(|row| row.state == EnrolmentState::Booked).ok_or(AppError::NotFound)?;
    let svg = qr(&cx.app.config.address(&check_in::path(&cx.app, seat.id))).ok_or(AppError::NotFound)?;
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "private, max-age=3600")];
    Ok((headers, svg).into_response())
}

/// The longest wish.
const WISH: u32 = 500;

/// Keeps what the reader wants to learn.
pub async fn say(cx: &Cx, class: ClassId, form: &Form) -> Result<(), AppError> {
    let wish = form.text("wish").replace("\r\n", "\n");
    if wish.chars().count() > WISH as usize {
        return Err(Faults::only("wish", Fault::TooLong { max: WISH }));
    }
    let cx = cx.clone();
    cx.app
        .db
        .clone()
        .write(move |tx| {
            let (cx, wish) = (cx.clone(), wish.clone());
            Box::pin(async move {
                tx.lock(&[lock_of(class)]).await?;
                let person = cx.person()?.id;
                let row = store::active(tx, class, person).await?.ok_or(Refusal::NotEnrolled)?;
                if row.state != EnrolmentState::Booked {
                    return Err(Refusal::NotEnrolled.into());
                }
                let permit = cx.may(Act::SayWish, &Subject::of(person))?;
                store::say_wish(tx, &permit, row.id, &wish, cx.now).await?;
                let change = Change { entity: "enrolment", id: row.id.0, customer: Some(person), ..Change::default() };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

/// The reader's ticket and wish; or for who waits, who was seated before them.
pub fn card(
    cx: &Cx,
    class: &ClassRow,
    mine: Option<&PlaceHere>,
    skips: &[(String, DateTime<Utc>)],
    sheet: &Sheet,
) -> Option<AnyView> {
    let place = mine.filter(|_| !class.state.is_over())?;
    let row = &place.seat;
    if row.state != EnrolmentState::Booked {
        return skipped(cx, class, skips);
    }
    let fmt = cx.fmt();
    let code = to_show(cx, &class.path(), row.id, class.starts_at);
    let wish = match sheet.value("act") {
        "wish" => sheet.value("wish").to_owned(),
        _ => place.wish.clone().unwrap_or_default(),
    };
    let (fault, form_key) = (cx.fault(sheet, "wish"), key());
    let said = place.wish.is_some();
    let asks = !said || fault.is_some();
    Some(
        view! {
            {code}
            <Fold title=w!(fmt, teaching.wish_title) open=asks>
                <form id="wish" class="form" method="post">
                    <input type="hidden" name="act" value="wish"/>
                    <HiddenKey value=form_key/>
                    <TextArea name="wish" label=w!(fmt, teaching.wish_label) value=wish fault hint=Some(w!(fmt, teaching.wish_hint))
                        optional=Some(w!(fmt, shell.optional)) rows=2 maxlength=Some(WISH)/>
                    <Actions><Button tone=ButtonTone::Quiet>{w!(fmt, teaching.wish_save)}</Button></Actions>
                </form>
            </Fold>
        }
        .into_any(),
    )
}

/// The code of a seat in the class at `path`, for the trainer's camera; open when it is needed.
pub fn to_show(cx: &Cx, path: &str, seat: EnrolmentId, starts: DateTime<Utc>) -> AnyView {
    let fmt = cx.fmt();
    // Browsers keep the picture: whoever gave a seat up and has another one has another picture.
    let (picture, label) = (format!("{path}/ticket.svg?seat={seat}"), w!(fmt, teaching.qr_label));
    let code = check_in::code(&cx.app, seat);
    let soon = cx.now > starts - Duration::hours(12);
    let text = w!(fmt, teaching.ticket_text);
    let or_say = w!(fmt, teaching.ticket_code);
    view! {
        <Fold title=w!(fmt, teaching.ticket) open=soon>
            <div class="stack">
                <p>{text}</p>
                <img class="ticket" src=picture alt=label width="256" height="256" loading="lazy"/>
                <p>{or_say}" "<strong class="code">{code}</strong></p>
            </div>
        </Fold>
    }
    .into_any()
}

fn skipped(cx: &Cx, class: &ClassRow, skips: &[(String, DateTime<Utc>)]) -> Option<AnyView> {
    if skips.is_empty() {
        return None;
    }
    let fmt = cx.fmt();
    let rows = skips
        .iter()
        .map(|(why, at)| view! { <li>{fmt.date_time(*at, class.tz())}": "<span class="pre">{why.clone()}</span></li> })
        .collect_view();
    Some(view! { <Alert tone=Tone::Info><p>{w!(fmt, teaching.skipped_text)}</p><ul>{rows}</ul></Alert> }.into_any())
}

/// A QR code as a picture that needs no style: dark squares on white, with the quiet zone that cameras want.
fn qr(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (place, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        // Writing into a string cannot fail.
        let _ = write!(path, "M{} {}h1v1h-1z", place % width + 4, place / width + 4);
    }
    let side = width + 8;
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>"##
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_its_quiet_zone_and_no_style() {
        let svg = qr("https://portal.example.com/desk/check-in/x").unwrap();
        assert!(svg.contains("viewBox=\"0 0 37 37\"") || svg.contains("viewBox=\"0 0 41 41\""), "{}", &svg[..200]);
        assert!(!svg.contains("style"));
        // The first finder's corner.
        assert!(svg.contains("M4 4h1v1h-1z") && !svg.contains("M3 "));
    }
}

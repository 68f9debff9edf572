//! `/purchases/give/{item}` for whoever gives a piece away, `/purchases/take-over/{id}` for whoever gets it.

use super::{hand_over, words};
use crate::{
    coverage::server::{service::decide_repair, words as coverage_words},
    error::AppError,
    purchases::domain::{HandOverState, Refusal},
    server::{
        Cx,
        cx::At,
        form::{Form, Sheet},
        notice::Notice,
        page::{Frame, PortalTab},
    },
    ui::*,
    values::{HandOverId, ItemId},
    w,
};
use axum::response::Response;
use leptos::prelude::*;

const FRAME: Frame = Frame::Portal(PortalTab::Purchases);

/// `GET /purchases/give/{item}`
pub async fn give_form(cx: Cx, At(id): At<ItemId>) -> Result<Response, AppError> {
    give_page(cx, id, Sheet::default()).await
}

/// `POST /purchases/give/{item}`: offers it, or keeps it after all.
pub async fn give(cx: Cx, At(id): At<ItemId>, form: Form) -> Result<Response, AppError> {
    let (done, notice) = match form.text("do") {
        "keep" => (hand_over::keep(&cx, id).await, Notice::ItemKept),
        _ => (hand_over::give(&cx, id, &form).await, Notice::ItemOffered),
    };
    match done {
        Ok(()) => Ok(cx.redirect(&format!("/purchases/give/{id}"), Some(notice))),
        Err(error) => give_page(cx, id, Sheet::again(form, error)?).await,
    }
}

async fn give_page(cx: Cx, id: ItemId, sheet: Sheet) -> Result<Response, AppError> {
    let (item, open, stop) = hand_over::giving(&cx, id).await?;
    let t = cx.fmt();
    let title = w!(t, handover.give_title);
    Ok(cx.sheet_page(&sheet, FRAME, title.clone(), || {
        let lead = match &item.serial_number {
            Some(serial) => format!("{} · {serial}", item.product_name),
            None => item.product_name.clone(),
        };
        let action = format!("/purchases/give/{id}");
        let body = match (open, stop) {
            (Some(open), _) => {
                let date = t.date(open.created_at.with_timezone(&cx.zone).date_naive());
                view! {
                    <Card tone=Some(Tone::Info)>
                        <p><strong>{w!(t, handover.offered_to, email = open.to_email.to_string(), date = date)}</strong></p>
                        <p>{w!(t, handover.still_yours)}</p>
                        <form method="post" action=action id="keep-item">
                            <Actions><Button name="do" value="keep".to_owned() tone=ButtonTone::Quiet>{w!(t, handover.keep)}</Button></Actions>
                        </form>
                    </Card>
                }
                .into_any()
            }
            (None, Some(stop)) => {
                let door = match stop {
                    Refusal::RepairOpen => Some(("/repairs", w!(t, repairs.title))),
                    Refusal::BenefitBooked => Some(("/training/mine", w!(t, training.mine_title))),
                    _ => None,
                };
                let door = door.map(|(href, words)| {
                    view! { <Actions><ButtonLink href=href tone=ButtonTone::Quiet>{words}</ButtonLink></Actions> }
                });
                view! { <Alert tone=Tone::Warn><p>{words::refusal(t, &stop)}</p></Alert> {door} }.into_any()
            }
            (None, None) => {
                let (value, fault) = (sheet.value("email").to_owned(), cx.fault(&sheet, "email"));
                let key = match sheet.value("key") {
                    "" => uuid::Uuid::now_v7().to_string(),
                    key => key.to_owned(),
                };
                view! {
                    <form method="post" action=action id="give-item" class="form">
                        <HiddenKey value=key/>
                        <ul>
                            <li>{w!(t, handover.goes_along)}</li>
                            <li>{w!(t, handover.stays)}</li>
                            <li>{w!(t, handover.until_taken)}</li>
                        </ul>
                        <Field name="email" label=w!(t, handover.email) hint=w!(t, handover.email_hint) kind="email"
                            autocomplete="off" value=value fault=fault maxlength=Some(254) required=true/>
                        <Actions><Button>{w!(t, handover.give)}</Button></Actions>
                    </form>
                }
                .into_any()
            }
        };
        let back = Some((format!("/purchases/{}", item.purchase_id), item.product_name.clone()));
        view! {
            <PageHead title=title lead=lead back=back/>
            {cx.faults(&sheet)}
            {body}
        }
    }))
}

/// `GET /purchases/take-over/{id}`
pub async fn offer(cx: Cx, At(id): At<HandOverId>) -> Result<Response, AppError> {
    offer_page(cx, id, Sheet::default()).await
}

/// `POST /purchases/take-over/{id}`
pub async fn answer(cx: Cx, At(id): At<HandOverId>, form: Form) -> Result<Response, AppError> {
    let take = match form.text("do") {
        "take" => true,
        "decline" => false,
        _ => return offer_page(cx, id, Sheet::default()).await,
    };
    match hand_over::answer(&cx, id, take).await {
        Ok(purchase) if take => Ok(cx.redirect(&format!("/purchases/{purchase}"), Some(Notice::ItemTaken))),
        Ok(_) => Ok(cx.redirect("/purchases", Some(Notice::ItemDeclined))),
        Err(error) => offer_page(cx, id, Sheet::again(form, error)?).await,
    }
}

async fn offer_page(cx: Cx, id: HandOverId, sheet: Sheet) -> Result<Response, AppError> {
    let (offer, item) = hand_over::offer(&cx, id).await?;
    let decision = decide_repair(&mut cx.db().read().await?, item.id, cx.today()).await?;
    let t = cx.fmt();
    let title = w!(t, handover.offer_title, product = item.product_name.clone());
    Ok(cx.sheet_page(&sheet, FRAME, title.clone(), || {
        let open = offer.state() == HandOverState::Open;
        let body = if open {
            let tone = if decision.is_covered() { Tone::Good } else { Tone::Plain };
            let covered = coverage_words::decision(&cx, &decision);
            let serial = item.serial_number.clone().map(|serial| {
                view! { <p class="soft">{w!(t, purchases.serial, serial = serial)}</p> }
            });
            view! {
                {serial}
                <Alert tone=tone><p>{covered}</p></Alert>
                <p>{w!(t, handover.offer_text)}</p>
                <form method="post" action=format!("/purchases/take-over/{id}") id="take-item">
                    <Actions>
                        <Button name="do" value="take".to_owned()>{w!(t, handover.take)}</Button>
                        <Button name="do" value="decline".to_owned() tone=ButtonTone::Quiet>{w!(t, handover.decline)}</Button>
                    </Actions>
                </form>
            }
            .into_any()
        } else {
            let words = match offer.state() {
                HandOverState::Taken => w!(t, handover.over_taken),
                HandOverState::Declined => w!(t, handover.over_declined),
                _ => w!(t, handover.over_withdrawn),
            };
            view! { <Alert tone=Tone::Info><p>{words}</p></Alert> }.into_any()
        };
        let lead = w!(t, handover.offer_lead, name = offer.from_name.clone());
        view! {
            <PageHead title=title lead=lead back=Some(("/purchases".to_owned(), w!(t, purchases.back)))/>
            {cx.faults(&sheet)}
            {body}
        }
    }))
}

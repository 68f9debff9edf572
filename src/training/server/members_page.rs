//! The people of a firm as its owner keeps them, a part of `/training/team`; and `/invitations/{id}`, where whoever was
//! asked to join answers.

use super::{
    matrix::Matrix,
    members,
    portal::{key, parse},
    store::members::{InvitationRow, TeamMemberRow},
};
use crate::{
    error::{AppError, Fault, Faults},
    server::{
        App, Cx,
        form::{Form, Sheet},
        notice::Notice,
        page::Frame,
    },
    training::domain::team::{InvitationState, Standing},
    ui::*,
    values::{EmailAddress, InvitationId, OrganisationId, PersonId},
    w,
};
use axum::{Router, extract::Path, response::Response, routing::get};
use leptos::prelude::*;

pub fn routes() -> Router<App> {
    Router::new().route("/invitations/{id}", get(show).post(answer))
}

/// The longest name.
const NAME: u32 = 120;

/// What the owner posts to the page of the team.
pub async fn run(cx: &Cx, firm: OrganisationId, form: &Form) -> Result<Notice, AppError> {
    let mut faults = Faults::default();
    match form.text("act") {
        "invite" => {
            let name = form.words("name", NAME, &mut faults);
            let email = form.parse::<EmailAddress>("email", &mut faults, Fault::NotAnEmail);
            faults.check()?;
            members::invite(cx, firm, email.ok_or(AppError::NotFound)?, name, form.key()).await?;
            Ok(Notice::MemberInvited)
        }
        "withdraw" => {
            let id = form.parse::<InvitationId>("invitation", &mut faults, Fault::NotAChoice);
            faults.check()?;
            members::withdraw(cx, id.ok_or(AppError::NotFound)?).await?;
            Ok(Notice::InvitationWithdrawn)
        }
        "end" => {
            let person = form.parse::<PersonId>("person", &mut faults, Fault::NotAChoice);
            faults.check()?;
            members::end_membership(cx, firm, person.ok_or(AppError::NotFound)?).await?;
            Ok(Notice::MembershipEnded)
        }
        _ => Err(Faults::only("act", Fault::NotAChoice)),
    }
}

/// Who belongs to the firm, who is asked, and a form for one more.
pub fn people(cx: &Cx, matrix: &Matrix, sheet: &Sheet) -> AnyView {
    let rows: Vec<AnyView> = matrix.members.iter().map(|member| person(cx, matrix, member)).collect();
    let add = add(cx, matrix, sheet);
    view! {
        <Section title=w!(cx, team.people) id=Some("people".to_owned())>
            <ul class="rows" role="list">{rows}</ul>
        </Section>
        {add}
    }
    .into_any()
}

fn person(cx: &Cx, matrix: &Matrix, member: &TeamMemberRow) -> AnyView {
    let firm = matrix.firm.to_string();
    let (tone, text) = match member.standing {
        Standing::Owner => (Tone::Good, w!(cx, team.owner)),
        Standing::Member => (Tone::Plain, w!(cx, team.member)),
        Standing::Invited => (Tone::Info, w!(cx, team.invited)),
    };
    let note = (member.standing == Standing::Invited).then(|| {
        let day = cx.fmt().date(member.since.with_timezone(&cx.zone).date_naive());
        let since = w!(cx, team.invited_on, date = day);
        view! { <p class="soft small">{format!("{} · {since}", member.email)}</p> }
    });
    let act = match member.standing {
        Standing::Owner => None,
        Standing::Member => {
            let (words, label) = (w!(cx, team.end), w!(cx, team.end_named, name = member.name.clone()));
            let href = format!("/training/team?firm={firm}&end={}#end-membership", member.id.simple());
            Some(
                view! { <a class="button" data-tone="quiet" href=href aria-label=label><span>{words}</span></a> }
                    .into_any(),
            )
        }
        Standing::Invited => {
            let (words, label) = (w!(cx, team.withdraw), w!(cx, team.withdraw_named, name = member.name.clone()));
            let id = member.id.simple().to_string();
            Some(
                view! {
                    <form method="post" action="/training/team" aria-label=label>
                        <input type="hidden" name="act" value="withdraw"/>
                        <input type="hidden" name="firm" value=firm/>
                        <input type="hidden" name="invitation" value=id/>
                        <Button tone=ButtonTone::Quiet>{words}</Button>
                    </form>
                }
                .into_any(),
            )
        }
    };
    view! {
        <li class="row split">
            <div><p><strong>{member.name.clone()}</strong>" "<Badge tone text/></p>{note}</div>
            {act}
        </li>
    }
    .into_any()
}

fn add(cx: &Cx, matrix: &Matrix, sheet: &Sheet) -> AnyView {
    let inviting = sheet.value("act") == "invite";
    let value = |name: &str| if inviting { sheet.value(name).to_owned() } else { String::new() };
    let fault = |name: &str| if inviting { cx.fault(sheet, name) } else { None };
    let (firm, button) = (matrix.firm.to_string(), w!(cx, team.add));
    let hidden = if inviting { sheet.key() } else { key() };
    let form = view! {
        <form id="add-employee" class="form" method="post" action="/training/team">
            <p class="soft">{w!(cx, team.add_lead)}</p>
            <HiddenKey value=hidden/>
            <input type="hidden" name="act" value="invite"/>
            <input type="hidden" name="firm" value=firm/>
            <div class="fields">
                <Field name="name" label=w!(cx, team.name) value=value("name") fault=fault("name") maxlength=Some(NAME) required=true/>
                <Field name="email" label=w!(cx, team.email) kind="email" value=value("email") fault=fault("email")
                    inputmode="email" required=true/>
            </div>
            <Actions><Button>{button}</Button></Actions>
        </form>
    };
    view! { <Section title=w!(cx, team.add_title)>{form}</Section> }.into_any()
}

/// What it means that somebody no longer belongs to the firm, before it is done.
pub fn confirm_end(cx: &Cx, matrix: &Matrix, member: &TeamMemberRow) -> AnyView {
    let name = member.name.clone();
    let text = w!(cx, team.end_text, name = name.clone(), firm = matrix.name.clone());
    let title = Some(w!(cx, team.end_title, name = name));
    let (end, keep) = (w!(cx, team.end), w!(cx, team.keep));
    let (firm, person) = (matrix.firm.to_string(), member.id.simple().to_string());
    let back = format!("/training/team?firm={firm}#people");
    let card = view! {
        <Card title tone=Some(Tone::Warn)>
            <p>{text}</p>
            <form class="form" method="post" action="/training/team">
                <input type="hidden" name="act" value="end"/>
                <input type="hidden" name="firm" value=firm/>
                <input type="hidden" name="person" value=person/>
                <Actions>
                    <Button tone=ButtonTone::Danger>{end}</Button>
                    <ButtonLink href=back tone=ButtonTone::Quiet>{keep}</ButtonLink>
                </Actions>
            </form>
        </Card>
    };
    view! { <div id="end-membership">{card}</div> }.into_any()
}

/// An invitation, for whom it is meant.
async fn show(cx: Cx, Path(id): Path<String>) -> Result<Response, AppError> {
    cx.person()?;
    let row = members::mine(&mut cx.db().read().await?, &cx, parse(&id)?).await?;
    Ok(page(&cx, &row, &Sheet::default()))
}

async fn answer(cx: Cx, Path(id): Path<String>, form: Form) -> Result<Response, AppError> {
    cx.person()?;
    let id: InvitationId = parse(&id)?;
    let row = members::mine(&mut cx.db().read().await?, &cx, id).await?;
    let done = match form.text("act") {
        "accept" => members::accept(&cx, id).await.map(|()| Notice::InvitationAccepted),
        "decline" => members::decline(&cx, id).await.map(|()| Notice::InvitationDeclined),
        _ => Err(Faults::only("act", Fault::NotAChoice)),
    };
    match done {
        Ok(notice) => Ok(cx.redirect("/training/mine", Some(notice))),
        Err(error) => Ok(page(&cx, &row, &Sheet::again(form, error)?)),
    }
}

fn page(cx: &Cx, row: &InvitationRow, sheet: &Sheet) -> Response {
    let firm = row.organisation_name.clone();
    cx.sheet_page(sheet, Frame::Plain, w!(cx, team.page_title), || {
        if row.state != InvitationState::Open {
            let (title, text) = (w!(cx, team.over_title), w!(cx, team.over_text, firm = firm));
            let home = w!(cx, shell.home);
            return view! {
                <PageHead title=w!(cx, team.page_title)/>
                {cx.faults(sheet)}
                <Empty icon=Icon::Users title text=Some(text)><ButtonLink href="/">{home}</ButtonLink></Empty>
            }
            .into_any();
        }
        let lead = w!(cx, team.page_text, owner = row.owner_name.clone(), firm = firm.clone(), name = row.name.clone());
        let sees = w!(cx, team.page_sees, firm = firm.clone());
        let (accept, decline) = (w!(cx, team.accept), w!(cx, team.decline));
        view! {
            <PageHead title=w!(cx, team.page_head, firm = firm) lead=Some(lead)/>
            <form id="answer-invitation" class="form" method="post">
                {cx.faults(sheet)}
                <p>{sees}</p>
                <Actions>
                    <Button name="act" value="accept".to_owned()>{accept}</Button>
                    <Button tone=ButtonTone::Quiet name="act" value="decline".to_owned()>{decline}</Button>
                </Actions>
            </form>
        }
        .into_any()
    })
}

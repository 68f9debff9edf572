//! A firm's people against the courses that belong to what the firm has: who has learned what, what lapses, who is
//! missing. Its owner ticks people here and enrols them (`/training/team`); staff read it.

use super::{
    members_page,
    shared::seats_in_words,
    store::{
        ClassRow,
        members::{self, TeamMemberRow},
        team::{self, ComingRow, PassedRow, TeamCourseRow},
    },
    validity, views, words,
};
use crate::{
    access::{Act, Subject},
    calendar::server::zone,
    db::Tx,
    error::AppError,
    i18n::InWords,
    server::{
        App, Cx,
        form::{Form, Sheet},
        page::{Frame, PortalTab},
        query::Query,
    },
    training::domain::{Validity, Wish, team::Standing},
    ui::*,
    values::{CourseId, OrganisationId, PersonId},
    w,
};
use axum::{Router, extract::RawQuery, response::Response, routing::get};
use leptos::prelude::*;
use serde::Deserialize;
use std::collections::HashMap;
use uuid::Uuid;

pub fn routes() -> Router<App> {
    Router::new().route("/training/team", get(show).post(act)).route("/account/team", get(from_account))
}

const FRAME: Frame = Frame::Portal(PortalTab::Training);

/// Which of the reader's firms is meant, and whose membership is to be ended.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    firm: String,
    #[serde(default)]
    end: String,
}

/// Whose cell of the table, in which course.
type Cell = (Uuid, CourseId);

/// A firm's people and where they stand.
pub struct Matrix {
    pub firm: OrganisationId,
    pub name: String,
    /// By name, the one of the matrix first: all that its owner owns.
    firms: Vec<(OrganisationId, String)>,
    pub members: Vec<TeamMemberRow>,
    courses: Vec<TeamCourseRow>,
    /// What the firm has for which there is no course, and how many of each.
    without_course: Vec<(String, i64)>,
    passed: HashMap<Cell, PassedRow>,
    coming: HashMap<Cell, ComingRow>,
    /// Into which class of each course people are enrolled; none for who only reads.
    next: Option<Vec<ClassRow>>,
}

impl Matrix {
    /// As its `owner` sees it, who enrols people from it; or as staff read it.
    pub async fn load(tx: &mut Tx, cx: &Cx, firm: OrganisationId, owner: Option<PersonId>) -> Result<Self, AppError> {
        let (firms, members) = members::team(tx, firm, owner).await?;
        let name = firms.first().filter(|(id, _)| *id == firm).map(|(_, name)| name.clone());
        let (courses, without_course) = team::courses_of_firm(tx, firm).await?;
        let passed = team::passed(tx, firm).await?.into_iter().map(|row| ((row.person_id.0, row.course_id), row));
        let mut coming = HashMap::new();
        for row in team::coming(tx, firm).await? {
            // Of several the first counts.
            coming.entry((row.person_id.0, row.course_id)).or_insert(row);
        }
        Ok(Self {
            firm,
            name: name.ok_or(AppError::NotFound)?,
            firms,
            members,
            courses,
            without_course,
            passed: passed.collect(),
            coming,
            next: if owner.is_some() { Some(team::next_classes(tx, firm, cx.now).await?) } else { None },
        })
    }

    fn next_of(&self, course: &TeamCourseRow) -> Option<&ClassRow> {
        self.next.as_ref()?.iter().find(|class| class.course_id == course.id)
    }

    fn coming(&self, member: &TeamMemberRow, course: &TeamCourseRow) -> Option<&ComingRow> {
        self.coming.get(&(member.id, course.id))
    }

    fn passed(&self, member: &TeamMemberRow, course: &TeamCourseRow) -> Option<&PassedRow> {
        self.passed.get(&(member.id, course.id))
    }

    /// How many certificates are missing, lapse soon, have lapsed, where nobody is on the way to them.
    fn lacks(&self, cx: &Cx) -> (u64, u64, u64) {
        let mut lacks = (0, 0, 0);
        for member in self.members.iter().filter(|member| member.standing != Standing::Invited) {
            for course in self.courses.iter().filter(|course| self.coming(member, course).is_none()) {
                match self.passed(member, course).map(|passed| passed.validity(cx.now)) {
                    None => lacks.0 += 1,
                    Some(Validity::Lapses(_)) => lacks.1 += 1,
                    Some(Validity::Lapsed(_)) => lacks.2 += 1,
                    Some(Validity::ForEver | Validity::Until(_)) => {}
                }
            }
        }
        lacks
    }
}

async fn load(cx: &Cx, asked: &str) -> Result<Option<Matrix>, AppError> {
    let person = cx.person()?;
    let mut owned = person.owned_organisations();
    owned.sort_by_key(|firm| firm.to_string() != asked);
    let Some(&firm) = owned.first() else { return Ok(None) };
    cx.may(Act::ReadTeam, &Subject::nobody().within(Some(firm)))?;
    let mut tx = cx.db().read().await?;
    Matrix::load(&mut tx, cx, firm, Some(person.id)).await.map(Some)
}

async fn show(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let team = load(&cx, &asked.firm).await?;
    respond(&cx, team.as_ref(), &asked.end, &Sheet::default())
}

/// Who looks for their people beside their account is led to them.
async fn from_account(cx: Cx, RawQuery(asked): RawQuery) -> Result<Response, AppError> {
    cx.person()?;
    let asked = asked.map(|asked| format!("?{asked}")).unwrap_or_default();
    Ok(cx.redirect(&format!("/training/team{asked}"), None))
}

/// The owner asks somebody to join, takes that back, ends a membership.
async fn act(cx: Cx, form: Form) -> Result<Response, AppError> {
    let Some(team) = load(&cx, form.text("firm")).await? else { return Err(AppError::NotFound) };
    // Nothing is done for another firm than the one that was meant.
    if form.text("firm") != team.firm.to_string() {
        return Err(AppError::NotFound);
    }
    match members_page::run(&cx, team.firm, &form).await {
        Ok(notice) => Ok(cx.redirect(&format!("/training/team?firm={}", team.firm), Some(notice))),
        Err(error) => {
            let ending = if form.text("act") == "end" { form.text("person").to_owned() } else { String::new() };
            respond(&cx, Some(&team), &ending, &Sheet::again(form, error)?)
        }
    }
}

fn respond(cx: &Cx, team: Option<&Matrix>, ending: &str, sheet: &Sheet) -> Result<Response, AppError> {
    Ok(cx.sheet_page(sheet, FRAME, w!(cx, groups.team_title), || match team {
        Some(team) => team_view(cx, team, ending, sheet),
        None => view! {
            <PageHead title=w!(cx, groups.team_title) back=Some(("/training".to_owned(), w!(cx, training.title)))/>
            <Empty icon=Icon::Users title=w!(cx, groups.no_firm_title) text=Some(w!(cx, groups.no_firm_text))/>
        }
        .into_any(),
    }))
}

fn team_view(cx: &Cx, matrix: &Matrix, ending: &str, sheet: &Sheet) -> AnyView {
    let tabs = (matrix.firms.len() > 1).then(|| {
        let tabs = matrix.firms.iter().enumerate().map(|(at, (id, name))| Tab {
            href: format!("/training/team?firm={id}"),
            label: name.clone(),
            current: at == 0,
        });
        let tabs: Vec<Tab> = tabs.collect();
        view! { <Tabs label=w!(cx, groups.firms) tabs/> }
    });
    let end = matrix
        .members
        .iter()
        .find(|member| member.standing == Standing::Member && member.id.simple().to_string() == ending);
    let end = end.map(|member| members_page::confirm_end(cx, matrix, member));
    let people = members_page::people(cx, matrix, sheet);
    view! {
        <PageHead title=w!(cx, groups.team_of, firm = matrix.name.clone()) lead=Some(w!(cx, groups.team_lead))
            back=Some(("/training".to_owned(), w!(cx, training.title)))/>
        {tabs}
        {cx.faults(sheet)}
        {end}
        {table(cx, matrix)}
        {people}
    }
    .into_any()
}

/// Who stands where; and for who enrols, the classes into which the ticked ones go.
pub fn table(cx: &Cx, matrix: &Matrix) -> AnyView {
    if matrix.courses.is_empty() {
        let (title, text) = (w!(cx, groups.team_none_title), w!(cx, groups.team_none_text));
        let machines = without_course(cx, matrix);
        return view! {
            <Empty icon=Icon::Cap title text=Some(text)/>
            {machines}
        }
        .into_any();
    }
    let columns = std::iter::once(w!(cx, groups.team_person))
        .chain(matrix.courses.iter().map(|course| course.title.clone()))
        .map(Column::from)
        .collect();
    let rows = matrix.members.iter().map(|member| row(cx, matrix, member)).collect();
    let mut courses: Vec<AnyView> = matrix.courses.iter().map(|course| course_card(cx, matrix, course)).collect();
    courses.extend(without_course(cx, matrix));
    let title = match matrix.next {
        Some(_) => w!(cx, groups.team_enrol),
        None => w!(cx, learning.courses),
    };
    view! {
        {summary(cx, matrix)}
        <div class="scroller" tabindex="0" role="region" aria-label=w!(cx, groups.team_title)>
            <Table caption=w!(cx, groups.team_title) columns rows/>
        </div>
        <Section title>
            <Cards wide=true>{courses}</Cards>
        </Section>
    }
    .into_any()
}

/// What is to be done, in a line.
fn summary(cx: &Cx, matrix: &Matrix) -> AnyView {
    let (missing, lapsing, lapsed) = matrix.lacks(cx);
    let parts = [
        (missing > 0).then(|| (Tone::Warn, w!(cx, validity.sum_missing, count = missing))),
        (lapsing > 0).then(|| (Tone::Warn, w!(cx, validity.sum_lapsing, count = lapsing))),
        (lapsed > 0).then(|| (Tone::Bad, w!(cx, validity.sum_lapsed, count = lapsed))),
    ];
    let mut parts: Vec<(Tone, String)> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        parts.push((Tone::Good, w!(cx, validity.sum_none)));
    }
    let parts = parts.into_iter().map(|(tone, text)| view! { <Badge tone text/>" " }).collect_view();
    view! { <p id="team-summary">{parts}</p> }.into_any()
}

fn row(cx: &Cx, matrix: &Matrix, member: &TeamMemberRow) -> TableRow {
    let name = view! { <strong>{member.name.clone()}</strong> };
    if member.standing == Standing::Invited {
        let text = w!(cx, team.invited);
        let mut cells = vec![view! { <span>{name}" "<Badge tone=Tone::Info text/></span> }.into_any()];
        cells.extend(matrix.courses.iter().map(|_| view! { <span class="soft">"–"</span> }.into_any()));
        return TableRow { href: None, cells };
    }
    let mut cells = vec![name.into_any()];
    cells.extend(matrix.courses.iter().map(|course| cell(cx, matrix, member, course)));
    TableRow { href: None, cells }
}

/// Where somebody stands in a course: coming, waiting, passed; and a box to tick for whom it is missing or lapses.
fn cell(cx: &Cx, matrix: &Matrix, member: &TeamMemberRow, course: &TeamCourseRow) -> AnyView {
    if let Some(coming) = matrix.coming(member, course) {
        let text = if coming.makes_up { w!(cx, groups.team_makes_up) } else { coming.state.in_words(cx.fmt()) };
        let day = cx.fmt().date(coming.starts_at.with_timezone(&zone::named(&coming.zone)).date_naive());
        let tone = words::state_tone(coming.state);
        // Staff find the class among their own.
        let day = match matrix.next {
            Some(_) => view! { <a href=format!("/training/{}", coming.class_id)>{day}</a> }.into_any(),
            None => day.into_any(),
        };
        return view! { <span><Badge tone text/>" "{day}</span> }.into_any();
    }
    let Some(passed) = matrix.passed(member, course) else {
        return lacking(cx, matrix, member, course, Tone::Warn, w!(cx, groups.team_missing), None);
    };
    let stands = passed.validity(cx.now);
    let href = format!("/certificates/{}", passed.code);
    match validity::said(cx.fmt(), stands) {
        Some((tone, text)) if stands.asks() => lacking(cx, matrix, member, course, tone, text, Some(href)),
        until => {
            let day = cx.fmt().date(passed.given_at.with_timezone(&cx.zone).date_naive());
            let text = w!(cx, groups.team_passed);
            let until = until.map(|(_, text)| view! { " "<span class="soft small">{text}</span> });
            view! { <span><Badge tone=Tone::Good text/>" "<a href=href>{day}</a>{until}</span> }.into_any()
        }
    }
}

/// What somebody lacks or is about to; with a box to tick, where there is a class to go to.
fn lacking(
    cx: &Cx,
    matrix: &Matrix,
    member: &TeamMemberRow,
    course: &TeamCourseRow,
    tone: Tone,
    text: String,
    certificate: Option<String>,
) -> AnyView {
    let certificate = certificate.map(|href| {
        let words = w!(cx, training.certificate);
        view! { " "<a href=href>{words}</a> }
    });
    if matrix.next_of(course).is_none() {
        return view! { <span><Badge tone text/>{certificate}</span> }.into_any();
    }
    let label = format!("{text}, {}: {}", member.name, course.title);
    let words = match certificate {
        Some(_) => view! { <Badge tone text/> }.into_any(),
        None => text.into_any(),
    };
    view! {
        <span>
            <label class="checkbox">
                <input type="checkbox" name="person" value=member.id.simple().to_string() form=form_id(course) aria-label=label/>
                <span>{words}</span>
            </label>
            {certificate}
        </span>
    }
    .into_any()
}

fn form_id(course: &TeamCourseRow) -> String {
    format!("course-{}", course.id)
}

/// What of the firm a course belongs to, and its next class, into which the ticked ones go.
fn course_card(cx: &Cx, matrix: &Matrix, course: &TeamCourseRow) -> AnyView {
    let belongs = vec![(w!(cx, learning.belongs_to), machines(cx, &course.machines))];
    let title = Some(course.title.clone());
    let next = matrix.next.as_ref().map(|_| match matrix.next_of(course) {
        None => no_class(cx, course),
        Some(class) => next_class(cx, matrix, course, class),
    });
    view! { <Card title><DefinitionList rows=belongs/>{next}</Card> }.into_any()
}

fn machines(cx: &Cx, machines: &[(String, i64)]) -> AnyView {
    let lines = machines
        .iter()
        .map(|(name, many)| view! { <li>{format!("{} × {name}", cx.fmt().number(*many))}</li> })
        .collect_view();
    view! { <ul class="plain-list" role="list">{lines}</ul> }.into_any()
}

/// What nobody can learn yet.
fn without_course(cx: &Cx, matrix: &Matrix) -> Option<AnyView> {
    (!matrix.without_course.is_empty()).then(|| {
        let (title, text) = (Some(w!(cx, groups.team_without_course)), w!(cx, groups.team_none_text));
        let machines = machines(cx, &matrix.without_course);
        view! { <Card title>{machines}<p class="soft small">{text}</p></Card> }.into_any()
    })
}

/// The way to ask for one.
fn no_class(cx: &Cx, course: &TeamCourseRow) -> AnyView {
    let (text, ask) = (w!(cx, groups.team_no_class), w!(cx, planning.ask_title));
    let href = format!("/training/ask/{}", course.id);
    view! {
        <p class="soft">{text}</p>
        <Actions><ButtonLink href tone=ButtonTone::Quiet icon=Some(Icon::Chat)>{ask}</ButtonLink></Actions>
    }
    .into_any()
}

fn next_class(cx: &Cx, matrix: &Matrix, course: &TeamCourseRow, class: &ClassRow) -> AnyView {
    let seats = seats_in_words(cx, class.state, class.seats(), &class.policy()).seats;
    let (href, name, note) =
        (class.path(), class.title.clone(), format!("{} · {seats}", views::when(cx, class.starts_at, class.tz())));
    let button = w!(cx, groups.team_ticked);
    let (id, action, firm) = (form_id(course), format!("{}/group", class.path()), matrix.firm.to_string());
    view! {
        <p><a href=href>{name}</a></p>
        <p class="soft small">{note}</p>
        <form id=id class="form" method="get" action=action>
            <input type="hidden" name="firm" value=firm/>
            <input type="hidden" name="review" value="1"/>
            <input type="hidden" name="wish" value=Wish::AsManyAsFit.as_str()/>
            <input type="hidden" name="wait" value="yes"/>
            <Actions><Button tone=ButtonTone::Quiet>{button}</Button></Actions>
        </form>
    }
    .into_any()
}

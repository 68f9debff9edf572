//! `/training/team`: a firm's people against the courses that belong to what the firm has. Who misses one is ticked and
//! enrolled from here.

use super::{
    shared::seats_in_words,
    store::{
        ClassRow, parties,
        team::{self, ComingRow, PassedRow, TeamCourseRow},
    },
    views, words,
};
use crate::{
    access::{Act, Subject},
    calendar::server::zone,
    error::AppError,
    i18n::InWords,
    server::{
        App, Cx,
        page::{Frame, PortalTab},
        query::Query,
    },
    training::domain::Wish,
    ui::*,
    values::{OrganisationId, PersonId},
    w,
};
use axum::{Router, response::Response, routing::get};
use leptos::prelude::*;
use serde::Deserialize;

pub fn routes() -> Router<App> {
    Router::new().route("/training/team", get(show))
}

/// Which of the reader's firms is meant.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    firm: String,
}

struct Team {
    firms: Vec<(OrganisationId, String)>,
    members: Vec<(PersonId, String)>,
    /// Each with its next class.
    courses: Vec<(TeamCourseRow, Option<ClassRow>)>,
    passed: Vec<PassedRow>,
    coming: Vec<ComingRow>,
}

async fn load(cx: &Cx, asked: &str) -> Result<Option<Team>, AppError> {
    let person = cx.person()?;
    let mut owned = person.owned_organisations();
    owned.sort_by_key(|firm| firm.to_string() != asked);
    let Some(&firm) = owned.first() else { return Ok(None) };
    cx.may(Act::ReadTeam, &Subject::nobody().within(Some(firm)))?;
    let mut tx = cx.db().read().await?;
    let (firms, members) = parties::firms_and_members(&mut tx, person.id, firm).await?;
    let mut next = team::next_classes(&mut tx, firm, cx.now).await?;
    let courses = team::courses_of_firm(&mut tx, firm).await?.into_iter();
    let courses =
        courses.map(|course| (next.remove(&course.id), course)).map(|(class, course)| (course, class)).collect();
    Ok(Some(Team {
        firms,
        members,
        courses,
        passed: team::passed(&mut tx, firm).await?,
        coming: team::coming(&mut tx, firm).await?,
    }))
}

async fn show(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let team = load(&cx, &asked.firm).await?;
    let frame = Frame::Portal(PortalTab::Training);
    Ok(cx.page(frame, w!(cx, groups.team_title), || match &team {
        Some(team) => team_view(&cx, team),
        None => view! {
            <PageHead title=w!(cx, groups.team_title) back=Some(("/training".to_owned(), w!(cx, training.title)))/>
            <Empty icon=Icon::Users title=w!(cx, groups.no_firm_title) text=Some(w!(cx, groups.no_firm_text))/>
        }
        .into_any(),
    }))
}

fn team_view(cx: &Cx, team: &Team) -> AnyView {
    let (firm, name) = team.firms.first().map(|(id, name)| (id.to_string(), name.clone())).unwrap_or_default();
    let tabs = (team.firms.len() > 1).then(|| {
        let tabs = team.firms.iter().enumerate().map(|(at, (id, name))| Tab {
            href: format!("/training/team?firm={id}"),
            label: name.clone(),
            current: at == 0,
        });
        let tabs: Vec<Tab> = tabs.collect();
        view! { <Tabs label=w!(cx, groups.firms) tabs/> }
    });
    let body = if team.courses.is_empty() {
        let (title, text) = (w!(cx, groups.team_none_title), w!(cx, groups.team_none_text));
        view! { <Empty icon=Icon::Cap title text=Some(text)/> }.into_any()
    } else {
        let columns = std::iter::once(w!(cx, groups.team_person))
            .chain(team.courses.iter().map(|(course, _)| course.title.clone()))
            .map(Column::from)
            .collect();
        let rows = team.members.iter().map(|member| row(cx, team, member)).collect();
        let courses = team.courses.iter().map(|(course, next)| course_card(cx, course, next.as_ref(), &firm));
        let courses: Vec<AnyView> = courses.collect();
        view! {
            <div class="scroller" tabindex="0" role="region" aria-label=w!(cx, groups.team_title)>
                <Table caption=w!(cx, groups.team_title) columns rows/>
            </div>
            <Section title=w!(cx, groups.team_enrol)>
                <Cards wide=true>{courses}</Cards>
            </Section>
        }
        .into_any()
    };
    view! {
        <PageHead title=w!(cx, groups.team_of, firm = name) lead=Some(w!(cx, groups.team_lead))
            back=Some(("/training".to_owned(), w!(cx, training.title)))/>
        {tabs}
        {body}
    }
    .into_any()
}

fn row(cx: &Cx, team: &Team, (person, name): &(PersonId, String)) -> TableRow {
    let mut cells = vec![view! { <strong>{name.clone()}</strong> }.into_any()];
    cells.extend(team.courses.iter().map(|(course, next)| cell(cx, team, *person, name, course, next.is_some())));
    TableRow { href: None, cells }
}

/// Where somebody stands in a course: passed, coming, waiting; or a box to tick.
fn cell(cx: &Cx, team: &Team, person: PersonId, name: &str, course: &TeamCourseRow, can_enrol: bool) -> AnyView {
    let here = |row: &&ComingRow| row.course_id == course.id && row.person_id == person;
    if let Some(coming) = team.coming.iter().find(here) {
        let text = coming.state.in_words(cx.fmt());
        let day = cx.fmt().date(coming.starts_at.with_timezone(&zone::named(&coming.zone)).date_naive());
        let href = format!("/training/{}", coming.class_id);
        let tone = words::state_tone(coming.state);
        return view! { <span><Badge tone text/>" "<a href=href>{day}</a></span> }.into_any();
    }
    let passed = team.passed.iter().find(|row| row.course_id == course.id && row.person_id == person);
    if let Some(passed) = passed {
        let day = cx.fmt().date(passed.given_at.with_timezone(&cx.zone).date_naive());
        let href = format!("/certificates/{}", passed.code);
        let text = w!(cx, groups.team_passed);
        return view! { <span><Badge tone=Tone::Good text/>" "<a href=href>{day}</a></span> }.into_any();
    }
    let missing = w!(cx, groups.team_missing);
    if !can_enrol {
        return view! { <Badge tone=Tone::Warn text=missing/> }.into_any();
    }
    let label = format!("{name}: {}", course.title);
    view! {
        <label class="checkbox">
            <input type="checkbox" name="person" value=person.to_string() form=form_id(course) aria-label=format!("{missing}, {label}")/>
            <span>{missing}</span>
        </label>
    }
    .into_any()
}

fn form_id(course: &TeamCourseRow) -> String {
    format!("course-{}", course.id)
}

/// The next class of a course, into which the ticked ones go.
fn course_card(cx: &Cx, course: &TeamCourseRow, next: Option<&ClassRow>, firm: &str) -> AnyView {
    let title = course.title.clone();
    let Some(class) = next else {
        let text = w!(cx, groups.team_no_class);
        return view! { <Card title=Some(title)><p class="soft">{text}</p></Card> }.into_any();
    };
    let seats = seats_in_words(cx, class.state, class.seats(), &class.policy()).seats;
    let (href, name, note) = (class.path(), class.title.clone(), format!("{} · {seats}", views::when(cx, class)));
    let button = w!(cx, groups.team_ticked);
    let (id, action, firm) = (form_id(course), format!("{}/group", class.path()), firm.to_owned());
    view! {
        <Card title=Some(title)>
            <p><a href=href>{name}</a></p>
            <p class="soft small">{note}</p>
            <form id=id class="form" method="get" action=action>
                <input type="hidden" name="firm" value=firm/>
                <input type="hidden" name="review" value="1"/>
                <input type="hidden" name="wish" value=Wish::AsManyAsFit.as_str()/>
                <input type="hidden" name="wait" value="yes"/>
                <Actions><Button tone=ButtonTone::Quiet>{button}</Button></Actions>
            </form>
        </Card>
    }
    .into_any()
}

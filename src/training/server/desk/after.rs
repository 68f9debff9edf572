//! After a class: who has a certificate, and what its learners say, beside the last classes of the course.

use crate::{
    calendar::server::zone,
    db::Tx,
    error::AppError,
    i18n::Fmt,
    ratings::domain::{Figure, Share, csat},
    server::Cx,
    training::{
        domain::ClassState,
        server::{
            check_in::int,
            store::{self, Answered, ClassRow, EnrolmentRow},
        },
    },
    ui::*,
    values::{EnrolmentId, PublicNumber},
    w,
};
use leptos::prelude::*;
use std::collections::HashMap;

/// What is loaded for it.
#[derive(Default)]
pub struct After {
    trend: Vec<Answered>,
    words: Vec<String>,
    given: HashMap<EnrolmentId, PublicNumber>,
}

pub async fn load(tx: &mut Tx, class: &ClassRow) -> Result<After, AppError> {
    if class.state != ClassState::Completed {
        return Ok(After::default());
    }
    Ok(After {
        trend: store::answers_of_course(tx, class.course_id, class.starts_at).await?,
        words: store::words_about(tx, class.id).await?,
        given: store::given(tx, class.id).await?,
    })
}

pub fn cards(cx: &Cx, class: &ClassRow, people: &[EnrolmentRow], after: &After) -> Option<AnyView> {
    (class.state == ClassState::Completed).then(|| {
        let (certificates, feedback) = (certificates(cx, people, after), feedback(cx, class, after));
        view! { {certificates} {feedback} }.into_any()
    })
}

fn certificates(cx: &Cx, people: &[EnrolmentRow], after: &After) -> AnyView {
    let fmt = cx.fmt();
    let rows: Vec<AnyView> = people
        .iter()
        .filter_map(|row| {
            let code = after.given.get(&row.id)?;
            Some(
                view! { <li class="row split"><a href=format!("/certificates/{code}")>{row.person_name.clone()}</a><span class="soft small number">{code.to_string()}</span></li> }
                    .into_any(),
            )
        })
        .collect();
    let none = rows.is_empty().then(|| view! { <p class="soft">{w!(fmt, teaching.no_certificates)}</p> });
    let title = format!("{} · {}", w!(fmt, teaching.certificates), fmt.number(int(rows.len())));
    view! { <Section title id=Some("certificates".to_owned())>{none}<ul class="rows" role="list">{rows}</ul></Section> }
        .into_any()
}

/// The share, its interval and the number of answers; without a share where they are too few.
fn figure(fmt: Fmt, tally: &[(i32, u64)]) -> (String, String, u64) {
    match csat(tally) {
        Figure::Known(Share { answers, share, low, high }) => {
            let interval = w!(fmt, ratings.interval, low = fmt.percent(low), high = fmt.percent(high));
            (fmt.percent(share), interval, answers)
        }
        Figure::TooFew { answers } => (w!(fmt, ratings.not_enough), "–".to_owned(), answers),
    }
}

fn feedback(cx: &Cx, class: &ClassRow, after: &After) -> AnyView {
    let fmt = cx.fmt();
    let columns = vec![
        Column::from(w!(fmt, training.when)),
        Column { title: w!(fmt, ratings.satisfied), number: true },
        Column { title: w!(fmt, ratings.interval_title), number: true },
        Column { title: w!(fmt, ratings.answers), number: true },
    ];
    let rows = after
        .trend
        .iter()
        .map(|row| {
            let (share, interval, answers) = figure(fmt, &row.tally);
            let day = fmt.date(row.starts_at.with_timezone(&zone::named(&row.zone)).date_naive());
            let this = row.id == class.id;
            let name = if this { format!("{day} · {}", w!(fmt, teaching.this_class)) } else { day };
            let answers = fmt.number(i64::try_from(answers).unwrap_or(i64::MAX));
            TableRow {
                href: None,
                cells: [name, share, interval, answers].into_iter().map(IntoAny::into_any).collect(),
            }
        })
        .collect();
    let words: Vec<AnyView> = after
        .words
        .iter()
        .map(|words| view! { <li class="card"><p class="pre">{words.clone()}</p></li> }.into_any())
        .collect();
    let said = (!words.is_empty()).then(|| view! { <ul class="plain-list stack" role="list">{words}</ul> });
    view! {
        <Section title=w!(fmt, teaching.feedback) id=Some("feedback".to_owned())>
            <p class="soft small">{w!(fmt, teaching.feedback_text)}</p>
            <Table caption=w!(fmt, teaching.feedback) columns rows/>
            {said}
        </Section>
    }
    .into_any()
}

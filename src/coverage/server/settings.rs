//! `/desk/settings/guarantees`: how long the legal guarantee lasts in each country whose law the portal knows, where the
//! company grants more.

use super::store;
use crate::{
    access::{Act, Subject},
    coverage::rules,
    db::{Key, Tx},
    error::{AppError, Fault, Faults},
    server::{
        Cx,
        form::{Form, Sheet},
        history::{self, Change},
        notice::Notice,
        page::{DeskTab, Frame},
    },
    ui::*,
    values::CountryCode,
    w,
};
use axum::response::Response;
use leptos::prelude::*;
use uuid::Uuid;

const PATH: &str = "/desk/settings/guarantees";
/// A hundred years, as of warranties.
const MOST_MONTHS: i64 = 1200;

/// What is granted in one country: the months of its law, and those of the company where they are more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Granted {
    country: CountryCode,
    law: u32,
    longer: Option<u32>,
}

impl Granted {
    fn field(self) -> String {
        format!("months_{}", self.country.code())
    }

    fn months(self) -> u32 {
        self.longer.unwrap_or(self.law)
    }

    /// As the history says it: `SE 36`.
    fn said(self) -> String {
        format!("{} {}", self.country.code(), self.months())
    }
}

async fn granted(tx: &mut Tx, cx: &Cx) -> Result<Vec<Granted>, AppError> {
    let longer = store::longer_guarantees(tx).await?;
    let granted = rules::countries(cx.today()).into_iter().map(|(country, law)| {
        let longer = longer.get(country.code()).copied().filter(|months| *months > law);
        Granted { country, law, longer }
    });
    Ok(granted.collect())
}

/// `GET /desk/settings/guarantees`
pub async fn show(cx: Cx) -> Result<Response, AppError> {
    cx.may(Act::SetGuarantee, &Subject::nobody())?;
    page(&cx, &Sheet::default()).await
}

/// `POST /desk/settings/guarantees`
pub async fn save(cx: Cx, form: Form) -> Result<Response, AppError> {
    cx.may(Act::SetGuarantee, &Subject::nobody())?;
    match keep(&cx, &form).await {
        Ok(()) => Ok(cx.redirect(PATH, Some(Notice::GuaranteesSaved))),
        Err(error) => page(&cx, &Sheet::again(form, error)?).await,
    }
}

async fn keep(cx: &Cx, form: &Form) -> Result<(), AppError> {
    let (context, form) = (cx.clone(), form.clone());
    cx.db()
        .write(move |tx| {
            let (cx, form) = (context.clone(), form.clone());
            Box::pin(async move {
                let permit = cx.may(Act::SetGuarantee, &Subject::nobody())?;
                tx.lock(&[Key::of("guarantees", Uuid::nil())]).await?;
                let now = granted(tx, &cx).await?;
                let (mut from, mut to) = (Vec::new(), Vec::new());
                for (was, is) in read(&form, &now)? {
                    store::set_longer_guarantee(tx, &permit, is.country, is.longer).await?;
                    from.push(was.said());
                    to.push(is.said());
                }
                if to.is_empty() {
                    return Ok(());
                }
                let (from, to) = (from.join(", "), to.join(", "));
                let change = Change {
                    entity: "legal_guarantee",
                    id: Uuid::nil(),
                    from: Some(&from),
                    to: Some(&to),
                    ..Change::default()
                };
                history::record(tx, &cx, &permit, change).await
            })
        })
        .await
}

/// What is another now, before and after. A field that is empty is the law's own length, one that was not sent stays.
fn read(form: &Form, granted: &[Granted]) -> Result<Vec<(Granted, Granted)>, AppError> {
    let mut faults = Faults::default();
    let mut changed = Vec::new();
    for was in granted {
        let field = was.field();
        if form.all(&field).is_empty() {
            continue;
        }
        let law = i64::from(was.law);
        let months = match form.optional::<i64>(&field, &mut faults, Fault::NotANumber) {
            Some(months) if months < law => {
                faults.add(&field, Fault::TooSmall { min: law });
                None
            }
            Some(months) if months > MOST_MONTHS => {
                faults.add(&field, Fault::TooLarge { max: MOST_MONTHS });
                None
            }
            months => months,
        };
        let longer = months.filter(|months| *months > law).and_then(|months| u32::try_from(months).ok());
        if longer != was.longer {
            changed.push((*was, Granted { longer, ..*was }));
        }
    }
    faults.check()?;
    Ok(changed)
}

async fn page(cx: &Cx, sheet: &Sheet) -> Result<Response, AppError> {
    let t = cx.fmt();
    let granted = granted(&mut cx.db().read().await?, cx).await?;
    let mut granted: Vec<(String, Granted)> = granted.into_iter().map(|one| (t.country(one.country), one)).collect();
    granted.sort_by_cached_key(|(name, _)| crate::i18n::fold(name));
    let title = w!(t, coverage.guarantees_title);
    Ok(cx.sheet_page(sheet, Frame::Desk(DeskTab::Settings), title.clone(), || {
        let fields = granted
            .into_iter()
            .map(|(label, one)| {
                let name = one.field();
                let value = match sheet.values(&name).first() {
                    Some(typed) => (*typed).to_owned(),
                    None => one.months().to_string(),
                };
                let fault = cx.fault(sheet, &name);
                let hint = w!(t, coverage.guarantee_law, months = w!(t, coverage.months, count = i64::from(one.law)));
                view! {
                    <Field name label kind="number" inputmode="numeric" value fault hint
                        min=Some(one.law.to_string()) max=Some(MOST_MONTHS.to_string())/>
                }
            })
            .collect_view();
        view! {
            <PageHead title=title lead=w!(t, coverage.guarantees_lead)
                back=Some(("/desk/settings".to_owned(), w!(t, shell.settings)))/>
            {cx.faults(sheet)}
            <form class="form" method="post" action=PATH id="guarantees">
                <p class="hint">{w!(t, coverage.guarantees_hint)}</p>
                <div class="fields">{fields}</div>
                <Actions><Button>{w!(t, shell.save)}</Button></Actions>
            </form>
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_another_now_is_a_change_and_nothing_is_less_than_the_law() {
        let of = |country: &str, law, longer| Granted { country: country.parse().unwrap(), law, longer };
        let granted = [of("ES", 36, None), of("LT", 24, Some(30)), of("SE", 24, None)];
        let read = |fields: &[(&str, &str)]| read(&Form::of(fields), &granted);
        assert_eq!(read(&[]), Ok(vec![]));
        assert_eq!(read(&[("months_ES", "36"), ("months_LT", "30"), ("months_SE", "24")]), Ok(vec![]));
        let changed = vec![(granted[1], of("LT", 24, None)), (granted[2], of("SE", 24, Some(36)))];
        assert_eq!(read(&[("months_LT", ""), ("months_SE", "36")]), Ok(changed));
        for (text, fault) in [
            ("23", Fault::TooSmall { min: 24 }),
            ("1201", Fault::TooLarge { max: 1200 }),
            ("two years", Fault::NotANumber),
        ] {
            assert_eq!(read(&[("months_SE", text)]), Err(Faults::only("months_SE", fault)), "{text}");
        }
    }
}

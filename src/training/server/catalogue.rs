//! The catalogue: classes for what one owns first, then all, narrowed by a form that needs no script. What is on stands
//! above the list and can be taken off one by one.

use super::{
    portal::{FRAME, cursor, position},
    shared::count,
    store::{self, Filter, Held, ListedClass},
    views, words,
};
use crate::{
    error::AppError,
    i18n::InWords,
    server::{App, Cx, query::Query},
    training::domain::Level,
    ui::*,
    values::{Cursor, PAGE_ROWS, Rows},
    w,
};
use axum::{Router, response::Response, routing::get};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use leptos::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

pub fn routes() -> Router<App> {
    Router::new().route("/training", get(show))
}

/// How many classes for what one owns stand above all others.
const FOR_MINE: i64 = 6;

/// What the catalogue is asked for, as its address says it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    level: String,
    language: String,
    place: String,
    how: String,
    from: String,
    until: String,
    free: String,
    owned: String,
    q: String,
    after: String,
}

impl Asked {
    /// What is no choice of ours narrows nothing.
    fn filter(&self, cx: &Cx) -> Filter {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        // The place "online" is how older addresses ask for classes on line.
        let online = self.place == Held::Online.as_str();
        let held = Held::ALL.into_iter().find(|held| held.as_str() == self.how).or(online.then_some(Held::Online));
        Filter {
            level: self.level.parse().ok(),
            language: some(&self.language),
            place: some(&self.place).filter(|_| !online),
            held,
            from: self.from.parse().ok().and_then(|day| midnight(cx, day)),
            until: self
                .until
                .parse::<NaiveDate>()
                .ok()
                .and_then(|day| midnight(cx, day.checked_add_days(Days::new(1))?)),
            free: !self.free.is_empty(),
            owned: !self.owned.is_empty(),
            search: some(&self.q).map(|q| q.chars().take(100).collect()),
        }
    }

    fn pairs(&self) -> [(&'static str, &str); 9] {
        [
            ("q", &self.q),
            ("level", &self.level),
            ("language", &self.language),
            ("how", &self.how),
            ("place", &self.place),
            ("from", &self.from),
            ("until", &self.until),
            ("free", &self.free),
            ("owned", &self.owned),
        ]
    }

    /// The same question without one field, or with the place in the list.
    fn address(&self, without: Option<&str>, after: Option<&Cursor>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.pairs() {
            if !value.is_empty() && without != Some(name) {
                query.append_pair(name, value);
            }
        }
        if let Some(after) = after {
            query.append_pair("after", &after.encode());
        }
        let query = query.finish();
        if query.is_empty() { "/training".to_owned() } else { format!("/training?{query}") }
    }
}

/// The beginning of a day at the company.
fn midnight(cx: &Cx, day: NaiveDate) -> Option<DateTime<Utc>> {
    // Days beyond all plans narrow nothing.
    let planned = (2000..3000).contains(&day.year());
    planned.then(|| crate::calendar::server::zone::instant(cx.company_zone(), day, NaiveTime::MIN)).flatten()
}

async fn show(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let person = cx.person()?.id;
    let filter = asked.filter(&cx);
    let mut tx = cx.db().read().await?;
    let after = position(&asked.after);
    let (first, from) = ((cx.now, Uuid::max()), after.unwrap_or((cx.now, Uuid::max())));
    let rows = match filter.owned {
        true => store::for_owned(&mut tx, &filter, person, from, PAGE_ROWS, cx.now).await?,
        false => store::coming(&mut tx, &filter, from, PAGE_ROWS, cx.now).await?,
    };
    let all = Rows::cut(rows, |class| cursor(class.starts_at, class.id.0));
    let owned = match after {
        None if !filter.owned => store::for_owned(&mut tx, &filter, person, first, FOR_MINE, cx.now).await?,
        _ => Vec::new(),
    };
    let choices = store::choices(&mut tx, cx.now).await?;
    drop(tx);
    Ok(cx.page(FRAME, w!(cx, training.title), || view_of(&cx, &asked, &filter, &owned, &all, choices)))
}

fn view_of(
    cx: &Cx,
    asked: &Asked,
    filter: &Filter,
    owned: &[ListedClass],
    all: &Rows<ListedClass>,
    choices: (Vec<String>, Vec<String>),
) -> AnyView {
    let cards = |classes: &[ListedClass]| {
        let cards = classes.iter().map(|class| views::class_card(cx, class, class.path())).collect_view();
        view! { <Cards wide=true>{cards}</Cards> }
    };
    let mine = (!owned.is_empty()).then(|| {
        let (list, all) = (cards(owned), w!(cx, learning.owned_all));
        let href = Asked { owned: "1".to_owned(), ..asked.clone() }.address(None, None);
        view! {
            <Section title=w!(cx, training.for_mine)>
                {list}
                <Actions><ButtonLink href tone=ButtonTone::Quiet>{all}</ButtonLink></Actions>
            </Section>
        }
    });
    let list = match (all.rows.is_empty(), filter.is_empty()) {
        (false, _) => cards(&all.rows).into_any(),
        (true, true) => view! {
            <Empty icon=Icon::Cap title=w!(cx, training.none_title) text=Some(w!(cx, training.none_text))/>
        }
        .into_any(),
        (true, false) => nothing(cx),
    };
    let next =
        all.next.as_ref().map(|next| view! { <Pager href=asked.address(None, Some(next)) label=w!(cx, shell.more)/> });
    let mine_title = w!(cx, training.mine_title);
    let chips = chips(cx, asked, filter);
    let form = form(cx, asked, filter, choices);
    let ask_title = w!(cx, planning.ask_title);
    let team_title = w!(cx, groups.team_title);
    let team = cx.viewer.person().is_some_and(|person| !person.owned_organisations().is_empty()).then(|| {
        view! { <ButtonLink href="/training/team" tone=ButtonTone::Quiet icon=Some(Icon::Users)>{team_title}</ButtonLink> }
    });
    view! {
        <PageHead title=w!(cx, training.title) lead=Some(w!(cx, training.lead))>
            <ButtonLink href="/training/mine" tone=ButtonTone::Quiet icon=Some(Icon::Calendar)>{mine_title}</ButtonLink>
            {team}
            <ButtonLink href="/training/ask" tone=ButtonTone::Quiet icon=Some(Icon::Chat)>{ask_title}</ButtonLink>
        </PageHead>
        {form}
        {chips}
        {mine}
        <Section title=w!(cx, training.all_classes)>
            {list}
            {next}
        </Section>
    }
    .into_any()
}

/// Nothing matches: what one can do about it.
fn nothing(cx: &Cx) -> AnyView {
    let clear = w!(cx, training.filter_clear);
    view! {
        <Empty icon=Icon::Search title=w!(cx, training.nothing_found_title) text=Some(w!(cx, learning.nothing_found_text))>
            <ButtonLink href="/training" tone=ButtonTone::Quiet>{clear}</ButtonLink>
        </Empty>
    }
    .into_any()
}

/// What is on, each with the way to take it off.
fn chips(cx: &Cx, asked: &Asked, filter: &Filter) -> Option<AnyView> {
    let day = |text: &str| text.parse::<NaiveDate>().ok().map(|day| cx.fmt().date(day));
    let mut on: Vec<(&str, String)> = Vec::new();
    on.extend(filter.search.clone().map(|q| ("q", format!("“{q}”"))));
    on.extend(filter.level.map(|level| ("level", level.in_words(cx.fmt()))));
    on.extend(filter.language.as_ref().map(|code| ("language", words::language(code))));
    let how = if asked.how.is_empty() { "place" } else { "how" };
    on.extend(filter.held.map(|held| (how, held_in_words(cx, held))));
    on.extend(filter.place.clone().map(|place| ("place", place)));
    on.extend(filter.from.and(day(&asked.from)).map(|day| ("from", w!(cx, learning.chip_from, date = day))));
    on.extend(filter.until.and(day(&asked.until)).map(|day| ("until", w!(cx, learning.chip_until, date = day))));
    on.extend(filter.free.then(|| ("free", w!(cx, learning.free_only))));
    on.extend(filter.owned.then(|| ("owned", w!(cx, learning.owned_only))));
    if on.is_empty() {
        return None;
    }
    let several = on.len() > 1;
    let chips = on
        .into_iter()
        .map(|(name, text)| {
            let label = w!(cx, learning.chip_off, filter = text.clone());
            view! {
                <li><a class="chip" href=asked.address(Some(name), None) aria-label=label><span>{text}</span><Icon name=Icon::Cross/></a></li>
            }
        })
        .collect_view();
    let clear = several.then(|| {
        view! { <li><a class="button-link" href="/training">{w!(cx, training.filter_clear)}</a></li> }
    });
    Some(view! { <ul class="chips" role="list" aria-label=w!(cx, learning.chips)>{chips}{clear}</ul> }.into_any())
}

fn held_in_words(cx: &Cx, held: Held) -> String {
    match held {
        Held::Online => w!(cx, training.online),
        Held::InPerson => w!(cx, learning.in_person),
    }
}

fn form(cx: &Cx, asked: &Asked, filter: &Filter, (places, languages): (Vec<String>, Vec<String>)) -> AnyView {
    let any = |label: String| vec![(String::new(), label)];
    let mut levels = any(w!(cx, learning.any_level));
    levels.extend(Level::ALL.iter().map(|level| (level.as_str().to_owned(), level.in_words(cx.fmt()))));
    let mut held = any(w!(cx, learning.any_way));
    held.extend(Held::ALL.into_iter().map(|way| (way.as_str().to_owned(), held_in_words(cx, way))));
    let mut towns = any(w!(cx, training.any_place));
    towns.extend(places.into_iter().map(|place| (place.clone(), place)));
    let mut tongues = any(w!(cx, training.any_language));
    tongues.extend(languages.into_iter().map(|code| (code.clone(), words::language(&code))));
    let more = match asked.pairs().iter().filter(|(name, value)| *name != "q" && !value.is_empty()).count() {
        0 => w!(cx, learning.more_filters),
        many => w!(cx, learning.more_filters_on, count = count(i64::try_from(many).unwrap_or(0))),
    };
    let (show, owned_words, owned) = (w!(cx, training.filter), w!(cx, learning.owned_only), filter.owned);
    let value = |text: &str| text.to_owned();
    let (how, place) = (filter.held.map(Held::as_str).unwrap_or_default(), filter.place.clone().unwrap_or_default());
    let (level, free) = (filter.level.map(Level::as_str).unwrap_or_default(), filter.free);
    let (from, until, language) = (value(&asked.from), value(&asked.until), value(&asked.language));
    let words_of = [
        w!(cx, learning.level),
        w!(cx, training.language),
        w!(cx, learning.how),
        w!(cx, training.place),
        w!(cx, learning.from),
        w!(cx, learning.until),
        w!(cx, learning.free_only),
    ];
    let [level_words, language_words, how_words, place_words, from_words, until_words, free_words] = words_of;
    view! {
        <form class="form filters" method="get" action="/training" role="search">
            <div class="filters-first">
                <Field name="q" label=w!(cx, training.search) kind="search" value=value(&asked.q) hint=Some(w!(cx, learning.search_hint))
                    enterkeyhint="search"/>
                <Button tone=ButtonTone::Quiet icon=Some(Icon::Search)>{show}</Button>
            </div>
            <Fold title=more>
                <div class="fields">
                    <Select name="level" label=level_words options=levels value=level/>
                    <Select name="language" label=language_words options=tongues value=language/>
                    <Select name="how" label=how_words options=held value=how/>
                    <Select name="place" label=place_words options=towns value=place/>
                    <Field name="from" label=from_words kind="date" value=from/>
                    <Field name="until" label=until_words kind="date" value=until/>
                </div>
                <Checkbox name="free" label=free_words checked=free/>
                <Checkbox name="owned" label=owned_words checked=owned/>
            </Fold>
        </form>
    }
    .into_any()
}

//! The customer's pages: the list of what was bought, and one purchase with everything that it carries.

use super::{
    service::{self, Shown, ShownItem, covered_badge},
    store::{Covered, ListRow},
};
use crate::{
    access::Act,
    benefits::{
        domain::Allowance,
        server::{
            ledger::{BenefitRow, EntryRow},
            words as benefit_words,
        },
    },
    catalog::{domain::ProductKind, server::words as catalog_words},
    coverage::server::{store::CoverageRow, words as coverage_words},
    error::AppError,
    server::{
        Cx,
        page::{Frame, PortalTab},
        query::Query,
    },
    ui::*,
    values::{Cursor, PurchaseId},
    w,
};
use axum::{extract::Path, response::Response};
use chrono::{Days, NaiveDate};
use leptos::prelude::*;
use serde::Deserialize;

const FRAME: Frame = Frame::Portal(PortalTab::Purchases);

/// What the address of the list says.
#[derive(Deserialize, Default)]
pub struct Asked {
    #[serde(default, rename = "q")]
    search: String,
    #[serde(default)]
    covered: String,
    #[serde(default)]
    after: String,
}

impl Asked {
    fn address(&self, covered: Covered, after: Option<&Cursor>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if !self.search.trim().is_empty() {
            query.append_pair("q", self.search.trim());
        }
        if covered != Covered::All {
            query.append_pair("covered", covered.as_str());
        }
        if let Some(after) = after {
            query.append_pair("after", &after.encode());
        }
        match query.finish() {
            query if query.is_empty() => "/purchases".to_owned(),
            query => format!("/purchases?{query}"),
        }
    }
}

/// `GET /purchases`
pub async fn list(cx: Cx, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let covered = Covered::read(&asked.covered);
    let purchases = service::list(&cx, &asked.search, covered, Cursor::decode(&asked.after).as_ref()).await?;
    let t = cx.fmt();
    let title = w!(t, purchases.title);
    Ok(cx.page(FRAME, title.clone(), || {
        let tab = |this: Covered, label| Tab { href: asked.address(this, None), label, current: covered == this };
        let tabs = vec![
            tab(Covered::All, w!(t, purchases.filter_all)),
            tab(Covered::Yes, w!(t, purchases.filter_covered)),
            tab(Covered::No, w!(t, purchases.filter_uncovered)),
        ];
        let keep: Vec<(String, String)> = match covered {
            Covered::All => Vec::new(),
            chosen => vec![("covered".to_owned(), chosen.as_str().to_owned())],
        };
        let looked = !asked.search.trim().is_empty() || covered != Covered::All || !asked.after.is_empty();
        let empty = purchases.rows.is_empty();
        let next = purchases.next.as_ref().map(|next| {
            view! { <Pager href=asked.address(covered, Some(next)) label=w!(t, shell.more)/> }
        });
        let body = match (empty, looked) {
            (true, false) => view! {
                <Empty icon=Icon::Box title=w!(t, purchases.empty_title) text=w!(t, purchases.empty_text)>
                    <ButtonLink href="/purchases/register" icon=Some(Icon::Plus)>{w!(t, purchases.register)}</ButtonLink>
                </Empty>
            }
            .into_any(),
            (true, true) => view! {
                <Empty icon=Icon::Search title=w!(t, purchases.none_found_title) text=w!(t, purchases.none_found_text)>
                    <ButtonLink href="/purchases" tone=ButtonTone::Quiet>{w!(t, purchases.show_all)}</ButtonLink>
                </Empty>
            }
            .into_any(),
            _ => {
                let cards = purchases.rows.into_iter().map(|row| card(&cx, row)).collect_view();
                view! { <Cards>{cards}</Cards> }.into_any()
            }
        };
        let tools = (!empty || looked).then(|| {
            view! {
                <SearchForm action="/purchases" label=w!(t, purchases.search_hint)
                    button=w!(t, purchases.search) value=asked.search.clone() keep=keep/>
                <Tabs label=w!(t, purchases.filter) tabs/>
            }
        });
        let add = (!empty || looked).then(|| {
            view! {
                <Actions>
                    <ButtonLink href="/purchases/register" tone=ButtonTone::Quiet icon=Some(Icon::Plus)>{w!(t, purchases.register)}</ButtonLink>
                </Actions>
            }
        });
        view! {
            <PageHead title=title lead=w!(t, purchases.lead)/>
            {tools}
            {body}
            {next}
            {add}
        }
    }))
}

fn card(cx: &Cx, row: ListRow) -> impl IntoView + use<> {
    let mut text = w!(cx, purchases.bought_on, date = cx.fmt().date(row.purchased_on));
    if row.pieces > 1 {
        text = format!("{} · {text}", w!(cx, purchases.pieces, count = row.pieces));
    }
    let coming = row.delivered_on.filter(|day| *day > cx.today());
    let badge = match coming {
        Some(day) => (Tone::Info, w!(cx, purchases.coming, date = cx.fmt().short_date(day))),
        None => covered_badge(cx, row.covered_until),
    };
    let note = row.organisation_name.map(|organisation| w!(cx, purchases.for_firm, organisation = organisation));
    let icon = icon_of(row.kind.parse().unwrap_or(ProductKind::Goods));
    view! {
        <CardLink href=format!("/purchases/{}", row.id) title=row.product_name icon=Some(icon) text=text note=note badge=Some(badge)/>
    }
}

fn icon_of(kind: ProductKind) -> Icon {
    match kind {
        ProductKind::Goods => Icon::Box,
        ProductKind::Software => Icon::Document,
        ProductKind::Journey => Icon::Truck,
        ProductKind::Installation => Icon::Gear,
    }
}

/// What the address of a purchase says.
#[derive(Deserialize, Default)]
pub struct Pieces {
    #[serde(default)]
    after: i64,
}

/// `GET /purchases/{id}`
pub async fn show(cx: Cx, Path(id): Path<String>, Query(pieces): Query<Pieces>) -> Result<Response, AppError> {
    let id: PurchaseId = id.parse().map_err(|_| AppError::NotFound)?;
    let shown = service::show(&cx, id, pieces.after.max(0)).await?;
    let t = cx.fmt();
    let title = shown.purchase.product_name.clone();
    Ok(cx.page(FRAME, title.clone(), || {
        let next = shown.more_after.map(|after| {
            view! { <Pager href=format!("/purchases/{id}?after={after}") label=w!(t, shell.more)/> }
        });
        let facts = facts(&cx, &shown);
        let several = shown.purchase.quantity > 1;
        let kind = shown.purchase.kind();
        let lead = catalog_words::kind(&cx, kind);
        let items = shown.items.into_iter().map(|item| piece(&cx, item, several)).collect_view();
        view! {
            <PageHead title=title lead=lead back=Some(("/purchases".to_owned(), w!(t, purchases.back)))/>
            {items}
            {next}
            {facts}
        }
    }))
}

fn facts(cx: &Cx, shown: &Shown) -> impl IntoView + use<> {
    let purchase = &shown.purchase;
    let fmt = cx.fmt();
    let mut rows: Vec<(String, AnyView)> = Vec::new();
    let mut fact = |name: String, what: Option<String>| rows.extend(what.map(|what| (name, what.into_any())));
    fact(w!(cx, purchases.fact_bought), Some(fmt.date(purchase.purchased_on)));
    let delivered = purchase.delivered_on.map_or_else(|| w!(cx, purchases.fact_delivery_unknown), |day| fmt.date(day));
    let coming = purchase.delivered_on.is_some_and(|day| day > cx.today());
    let name = if coming { w!(cx, purchases.fact_expected) } else { w!(cx, purchases.fact_delivered) };
    fact(name, Some(delivered));
    if shown.whole {
        fact(w!(cx, purchases.fact_order), Some(purchase.order_number.clone()));
        fact(w!(cx, purchases.fact_price), purchase.unit_price().map(|price| fmt.money(price)));
        if purchase.quantity > 1 {
            fact(w!(cx, purchases.fact_quantity), Some(fmt.number(purchase.quantity)));
            let total = purchase.unit_price().and_then(|price| price.times(purchase.quantity));
            fact(w!(cx, purchases.fact_total), total.map(|total| fmt.money(total)));
        }
        fact(w!(cx, purchases.fact_buyer), Some(purchase.person_name.clone()));
        fact(w!(cx, purchases.fact_firm), purchase.organisation_name.clone());
    }
    fact(w!(cx, purchases.fact_brand), purchase.brand.clone());
    fact(w!(cx, purchases.fact_category), purchase.category.clone());
    view! { <Section title=w!(cx, purchases.facts)><Card><DefinitionList rows/></Card></Section> }
}

/// One piece: what covers it, what its plan still holds, what one can do with it now.
fn piece(cx: &Cx, shown: ShownItem, several: bool) -> impl IntoView + use<> {
    let item = &shown.item;
    let serial = match &item.serial_number {
        Some(serial) => w!(cx, purchases.serial, serial = serial.clone()),
        None if several => w!(cx, purchases.no_serial),
        None => String::new(),
    };
    let title =
        if several { w!(cx, purchases.piece, n = cx.fmt().number(item.position)) } else { w!(cx, coverage.title) };
    let (sentence, rule) = (coverage_words::decision(cx, &shown.decision), coverage_words::rule(cx, &shown.decision));
    let tone = if shown.decision.is_covered() { Tone::Good } else { Tone::Plain };
    let line = coverage_line(cx, &shown.coverages);
    let doors = doors(cx, &shown);
    let benefits = benefits(cx, shown.benefits);
    let rule = rule.map(|rule| view! { <p class="soft small">{rule}</p> });
    let serial = (!serial.is_empty()).then(|| view! { <p class="soft">{serial}</p> });
    view! {
        <Section title=title>
            {serial}
            <Alert tone=tone><p>{sentence}</p>{rule}</Alert>
            {line}
            {doors}
            {benefits}
        </Section>
    }
}

/// The rights of a piece on one line from today to the last of their ends.
fn coverage_line(cx: &Cx, coverages: &[CoverageRow]) -> AnyView {
    let today = cx.today();
    let (live, over): (Vec<&CoverageRow>, Vec<&CoverageRow>) =
        coverages.iter().filter(|row| row.apart).partition(|row| row.ends_on > today);
    let name = |row: &CoverageRow| {
        let kind = match row.benefit_id {
            Some(_) => benefit_words::allowance(cx.fmt(), Allowance::Repair),
            None => coverage_words::kind(cx, row.layer().kind),
        };
        row.plan_name.as_ref().map_or(kind.clone(), |plan| format!("{kind}: {plan}"))
    };
    let last_day = |row: &CoverageRow| cx.fmt().date(row.ends_on.pred_opt().unwrap_or(row.ends_on));
    let ended = over.iter().map(|row| (name(row), w!(cx, coverage.ended_on, date = last_day(row))));
    let ended: Vec<(String, AnyView)> = ended.map(|(name, text)| (name, text.into_any())).collect();
    let ended = (!ended.is_empty()).then(|| view! { <DefinitionList rows=ended/> });
    let Some(end) = live.iter().map(|row| row.ends_on).max() else {
        return view! { <div class="stack">{ended}</div> }.into_any();
    };
    let length = days(today, end).max(1.0);
    let periods = live
        .iter()
        .map(|row| {
            let mut text = w!(cx, coverage.until, date = last_day(row));
            if row.starts_on > today {
                text = format!("{}, {text}", w!(cx, coverage.starts_on, date = cx.fmt().date(row.starts_on)));
            }
            if let Some(on) = row.prolonged_on {
                text = format!("{text}, {}", w!(cx, coverage.prolonged, date = cx.fmt().date(on)));
            }
            let void = row.layer().void;
            if let Some(reason) = void {
                text = coverage_words::void(cx, reason);
            }
            Period {
                tone: if void.is_some() { Tone::Plain } else { Tone::Good },
                label: name(row),
                text,
                from: days(today, row.starts_on).max(0.0) / length,
                to: days(today, row.ends_on) / length,
            }
        })
        .collect::<Vec<_>>();
    let ends = cx.fmt().date(end.checked_sub_days(Days::new(1)).unwrap_or(end));
    view! {
        <div class="stack">
            <Periods periods starts=w!(cx, coverage.today) ends/>
            {ended}
        </div>
    }
    .into_any()
}

fn days(from: NaiveDate, to: NaiveDate) -> f64 {
    i32::try_from((to - from).num_days()).map_or(0.0, f64::from)
}

/// What one can do with a piece now.
fn doors(cx: &Cx, shown: &ShownItem) -> impl IntoView + use<> {
    let (item, t) = (&shown.item, cx.fmt());
    // Staff book and ask for somebody at the desk: these doors open for whoever's piece it is.
    let owner = item.subject().person;
    let theirs = !cx.viewer.is_staff() || cx.viewer.person().is_some_and(|person| owner == Some(person.id));
    let help = match (theirs, owner) {
        (true, _) => Some((format!("/cases/new?about=item:{}", item.id), w!(t, purchases.get_help))),
        (false, Some(owner)) if cx.viewer.can(Act::OpenCase, &item.subject()) => {
            Some((format!("/desk/customers/{owner}/case"), w!(t, desk.new_case)))
        }
        (false, _) => None,
    };
    let help = help.map(|(href, label)| {
        view! { <ButtonLink href tone=ButtonTone::Quiet icon=Some(Icon::Help)>{label}</ButtonLink> }
    });
    let here = item.delivered_on.is_none_or(|day| day <= cx.today());
    let repair = (theirs && item.kind().can_be_repaired() && here).then(|| {
        view! {
            <ButtonLink href=format!("/repairs/new?item={}", item.id) icon=Some(Icon::Wrench)>{w!(t, purchases.book_repair)}</ButtonLink>
        }
    });
    let classes = matches!(item.kind(), ProductKind::Goods | ProductKind::Software | ProductKind::Installation).then(|| {
        view! { <ButtonLink href="/training" tone=ButtonTone::Quiet icon=Some(Icon::Cap)>{w!(t, purchases.see_classes)}</ButtonLink> }
    });
    let give = cx.viewer.can(Act::GrantBenefit, &item.subject()).then(|| {
        view! {
            <ButtonLink href=format!("/desk/benefits/{}", item.id) tone=ButtonTone::Quiet icon=Some(Icon::Plus)>{w!(t, benefits.by_hand_link)}</ButtonLink>
        }
    });
    let give_away = (item.kind() != ProductKind::Journey && here && cx.viewer.can(Act::GiveItem, &item.subject())).then(|| {
        view! { <ButtonLink href=format!("/purchases/give/{}", item.id) tone=ButtonTone::Quiet icon=Some(Icon::Users)>{w!(t, handover.door)}</ButtonLink> }
    });
    view! {
        <Actions>
            {repair}
            {classes}
            {help}
            {give}
            {give_away}
        </Actions>
    }
}

/// The ledger of a piece: what is left, and every entry that led there.
fn benefits(cx: &Cx, benefits: Vec<(BenefitRow, Vec<EntryRow>)>) -> AnyView {
    if benefits.is_empty() {
        return ().into_any();
    }
    let t = cx.fmt();
    // A piece can have several plans: what each grants stands together, that which ends first before others.
    let mut plans: Vec<(String, Vec<(BenefitRow, Vec<EntryRow>)>)> = Vec::new();
    for one in benefits {
        match plans.iter_mut().find(|(plan, _)| *plan == one.0.plan_name) {
            Some((_, of_plan)) => of_plan.push(one),
            None => plans.push((one.0.plan_name.clone(), vec![one])),
        }
    }
    let meter = |(benefit, entries): (BenefitRow, Vec<EntryRow>)| {
        let until = benefit.ends_on.pred_opt().unwrap_or(benefit.ends_on);
        let text = benefit_words::left(cx.fmt(), benefit.allowance(), benefit.available, benefit.granted, until);
        let tone = if benefit.available > 0 { Tone::Good } else { Tone::Plain };
        let lines = entries
            .iter()
            .map(|entry| {
                let at = cx.fmt().date_time(entry.at, cx.zone);
                (at, benefit_words::entry(cx, entry).into_any())
            })
            .collect::<Vec<(String, AnyView)>>();
        view! {
            <Meter label=benefit_words::allowance(cx.fmt(), benefit.allowance()) text=text value=benefit.available max=benefit.granted tone=tone/>
            <Fold title=w!(cx, benefits.entries)><DefinitionList rows=lines/></Fold>
        }
    };
    let plans = plans
        .into_iter()
        .map(|(plan, of_plan)| {
            view! {
                <p class="soft">{w!(t, benefits.from_plan, plan = plan)}</p>
                {of_plan.into_iter().map(meter).collect_view()}
            }
        })
        .collect_view();
    view! { <Card title=w!(cx, benefits.title)>{plans}</Card> }.into_any()
}

//! What a page consists of: its head, sections, cards, and the state of having nothing to show.

use super::{
    icon::Icon,
    status::{Badge, Tone},
};
use leptos::prelude::*;

/// A page's one heading, what it is about in a sentence, and the way back up.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    #[prop(optional_no_strip, into)] lead: Option<String>,
    /// Address and words of the page above.
    #[prop(optional_no_strip)]
    back: Option<(String, String)>,
    /// Badges and buttons that belong to the whole page.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="page-head">
            {back.map(|(href, label)| view! { <a class="back" href=href><Icon name=Icon::Back/><span>{label}</span></a> })}
            <h1>{title}</h1>
            {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
            {children.map(|children| view! { <div class="page-head-more">{children()}</div> })}
        </header>
    }
}

/// A part of a page with a heading of its own; `more` leads to all of it.
#[component]
pub fn Section(
    #[prop(into)] title: String,
    #[prop(optional_no_strip, into)] id: Option<String>,
    #[prop(optional_no_strip)] more: Option<(String, String)>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="section" id=id>
            <div class="section-head">
                <h2>{title}</h2>
                {more.map(|(href, label)| view! { <a class="more" href=href>{label}<Icon name=Icon::Chevron/></a> })}
            </div>
            {children()}
        </section>
    }
}

#[component]
pub fn Card(
    #[prop(optional_no_strip, into)] title: Option<String>,
    /// Colours the card's edge, for what asks for attention.
    #[prop(optional_no_strip)]
    tone: Option<Tone>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="card" data-tone=tone.map(Tone::as_str)>
            {title.map(|title| view! { <h2 class="card-title">{title}</h2> })}
            {children()}
        </div>
    }
}

/// A card that is one link: a row of a list that one taps with the thumb.
#[component]
pub fn CardLink(
    #[prop(into)] href: String,
    #[prop(into)] title: String,
    #[prop(optional_no_strip)] icon: Option<Icon>,
    #[prop(optional_no_strip, into)] text: Option<String>,
    /// A quieter line below: a date, a number.
    #[prop(optional_no_strip, into)]
    note: Option<String>,
    #[prop(optional_no_strip)] badge: Option<(Tone, String)>,
    #[prop(optional_no_strip)] tone: Option<Tone>,
) -> impl IntoView {
    view! {
        <a class="card card-link" href=href data-tone=tone.map(Tone::as_str)>
            {icon.map(|name| view! { <span class="card-icon"><Icon name/></span> })}
            <span class="card-words">
                <strong class="card-name">{title}</strong>
                {text.map(|text| view! { <span class="card-text">{text}</span> })}
                {note.map(|note| view! { <span class="card-note">{note}</span> })}
                {badge.map(|(tone, text)| view! { <Badge tone text/> })}
            </span>
            <span class="card-go"><Icon name=Icon::Chevron/></span>
        </a>
    }
}

/// Cards below each other, or beside each other where there is room (`wide`).
#[component]
pub fn Cards(#[prop(optional)] wide: bool, children: Children) -> impl IntoView {
    view! { <div class="cards" data-wide=wide.then_some("")>{children()}</div> }
}

/// Nothing here yet: says so kindly and offers what one can do instead.
#[component]
pub fn Empty(
    icon: Icon,
    #[prop(into)] title: String,
    #[prop(optional_no_strip, into)] text: Option<String>,
    /// Usually one `ButtonLink`.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-icon"><Icon name=icon/></span>
            <p class="empty-title">{title}</p>
            {text.map(|text| view! { <p class="empty-text">{text}</p> })}
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}

/// The page's main column and, on wide screens, a second one beside it.
#[component]
pub fn Columns(children: Children) -> impl IntoView {
    view! { <div class="columns">{children()}</div> }
}

/// What most readers may skip: folded away, without a script.
#[component]
pub fn Fold(#[prop(into)] title: String, #[prop(optional)] open: bool, children: Children) -> impl IntoView {
    view! {
        <details class="fold" open=open>
            <summary>{title}<Icon name=Icon::Chevron/></summary>
            <div class="fold-body">{children()}</div>
        </details>
    }
}

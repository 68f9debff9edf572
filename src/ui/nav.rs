//! Ways around: the customer's bar, the staff's rail, tabs, pager, the choice of language.

use super::icon::Icon;
use leptos::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavItem {
    pub href: String,
    pub label: String,
    pub icon: Icon,
    pub current: bool,
    /// How many wait there; nothing is shown for none.
    pub count: Option<String>,
}

impl NavItem {
    pub fn new(href: impl Into<String>, label: impl Into<String>, icon: Icon, current: bool) -> NavItem {
        NavItem { href: href.into(), label: label.into(), icon, current, count: None }
    }
}

fn entries(items: Vec<NavItem>) -> impl IntoView {
    items
        .into_iter()
        .map(|item| {
            view! {
                <li>
                    <a href=item.href aria-current=item.current.then_some("page")>
                        <Icon name=item.icon/>
                        <span class="nav-label">{item.label}</span>
                        {item.count.map(|count| view! { <span class="nav-count">{count}</span> })}
                    </a>
                </li>
            }
        })
        .collect_view()
}

/// The customer's five doors: at the thumb on a phone, in the top bar on a desk.
#[component]
pub fn BottomBar(#[prop(into)] label: String, items: Vec<NavItem>) -> impl IntoView {
    view! { <nav class="bottom-bar" aria-label=label><ul role="list">{entries(items)}</ul></nav> }
}

/// The staff's ways: a rail on a desk, behind `RailButton` on a phone (a popover: no script is needed).
#[component]
pub fn Rail(#[prop(into)] label: String, items: Vec<NavItem>) -> impl IntoView {
    view! { <nav class="rail" id="rail" popover="auto" aria-label=label><ul role="list">{entries(items)}</ul></nav> }
}

#[component]
pub fn RailButton(#[prop(into)] label: String) -> impl IntoView {
    view! { <button class="rail-button" type="button" popovertarget="rail" aria-label=label><Icon name=Icon::Menu/></button> }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub href: String,
    pub label: String,
    pub current: bool,
}

/// Views of one list, each with an address.
#[component]
pub fn Tabs(#[prop(into)] label: String, tabs: Vec<Tab>) -> impl IntoView {
    let tabs = tabs
        .into_iter()
        .map(|tab| view! { <li><a href=tab.href aria-current=tab.current.then_some("page")>{tab.label}</a></li> })
        .collect_view();
    view! { <nav class="tabs" aria-label=label><ul role="list">{tabs}</ul></nav> }
}

/// On to the next rows.
#[component]
pub fn Pager(#[prop(into)] href: String, #[prop(into)] label: String) -> impl IntoView {
    view! {
        <p class="pager"><a class="button" data-tone="quiet" rel="next" href=href><span>{label}</span><Icon name=Icon::Chevron/></a></p>
    }
}

/// Every language by its own name. A plain form: it works without scripts.
#[component]
pub fn LanguageMenu(
    #[prop(into)] action: String,
    /// Where the reader is, to come back to.
    #[prop(into)]
    back: String,
    #[prop(into)] label: String,
    #[prop(into)] button: String,
    #[prop(into)] current: String,
    languages: Vec<(String, String)>,
) -> impl IntoView {
    let options = languages
        .into_iter()
        .map(|(code, name)| {
            let chosen = code == current;
            view! { <option value=code.clone() lang=code selected=chosen>{name}</option> }
        })
        .collect_view();
    view! {
        <form class="language-menu" method="post" action=action>
            <input type="hidden" name="back" value=back/>
            <label for="language"><Icon name=Icon::Globe/><span class="visually-hidden">{label}</span></label>
            <select id="language" name="language" autocomplete="off">{options}</select>
            <button class="button" data-tone="quiet" type="submit">{button}</button>
        </form>
    }
}

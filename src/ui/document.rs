//! The HTML document around every page, with its bars.

use super::{icon::Icon, status::Tone};
use leptos::prelude::*;

/// How the page is laid out; the style sheet does the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// Customers: a column, a bar at the bottom on phones.
    Portal,
    /// Staff: a rail and the whole width.
    Desk,
    /// Before signing in, and pages behind a secret link: nothing but the page.
    Plain,
}

impl FrameKind {
    fn as_str(self) -> &'static str {
        match self {
            FrameKind::Portal => "portal",
            FrameKind::Desk => "desk",
            FrameKind::Plain => "plain",
        }
    }
}

pub struct Document {
    /// BCP 47, and the direction in which that language is written (`ltr`, `rtl`).
    pub lang: String,
    pub direction: &'static str,
    pub title: String,
    pub frame: FrameKind,
    /// The words of the skip link.
    pub skip: String,
    /// The style sheet's address.
    pub style: String,
    /// Manifest, icons, scripts.
    pub head: AnyView,
    /// The bar of the demo; empty outside of it.
    pub demo_bar: AnyView,
    /// `TopBar`, and with it the frame's `BottomBar` or `Rail`.
    pub bars: AnyView,
    /// What was done just now: `NoticeLine`.
    pub notice: AnyView,
    pub body: AnyView,
    /// The language menu and the small print.
    pub foot: AnyView,
}

pub fn html_document(page: Document) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=page.lang dir=page.direction>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f8f6f2"/>
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#10161a"/>
                <meta name="format-detection" content="telephone=no"/>
                <title>{page.title}</title>
                <link rel="stylesheet" href=page.style/>
                {page.head}
            </head>
            <body data-frame=page.frame.as_str()>
                <a class="skip-link" href="#main">{page.skip}</a>
                {page.demo_bar}
                {page.bars}
                <main id="main" tabindex="-1">
                    {page.notice}
                    {page.body}
                </main>
                <footer class="foot">{page.foot}</footer>
            </body>
        </html>
    }
}

/// The company's name, the way around, and the reader's own corner (inbox, account).
#[component]
pub fn TopBar(
    #[prop(into)] brand: String,
    #[prop(into)] home: String,
    /// `RailButton` for staff.
    #[prop(optional)]
    before: Option<AnyView>,
    /// `BottomBar` or `Rail`.
    #[prop(optional)]
    nav: Option<AnyView>,
    /// `BarLink`s.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="top-bar">
            {before}
            <a class="brand" href=home><span class="brand-mark" aria-hidden="true"><Icon name=Icon::Heart/></span><span class="brand-name">{brand}</span></a>
            {nav}
            {children.map(|children| view! { <div class="bar-tools">{children()}</div> })}
        </header>
    }
}

/// An icon in the top bar that leads somewhere; its words show where there is room.
#[component]
pub fn BarLink(
    #[prop(into)] href: String,
    icon: Icon,
    #[prop(into)] label: String,
    #[prop(optional_no_strip, into)] count: Option<String>,
    #[prop(optional)] current: bool,
) -> impl IntoView {
    view! {
        <a class="bar-link" href=href aria-current=current.then_some("page")>
            <Icon name=icon/>
            <span class="bar-label">{label}</span>
            {count.map(|count| view! { <span class="nav-count">{count}</span> })}
        </a>
    }
}

/// The answer to what one just did, said once on the page where one lands.
#[component]
pub fn NoticeLine(#[prop(optional)] tone: Tone, #[prop(into)] text: String) -> impl IntoView {
    let icon = if matches!(tone, Tone::Warn | Tone::Bad) { Icon::Alert } else { Icon::Check };
    view! { <p class="notice-line" role="status" data-tone=tone.as_str()><Icon name=icon/><span>{text}</span></p> }
}

/// Says that this is a demo and lets one step into each role.
#[component]
pub fn DemoBar(
    #[prop(into)] text: String,
    /// The words on the fold: "Step into a role".
    #[prop(into)]
    choose: String,
    /// Value of `as`, the role's name, and whether one is in it now.
    roles: Vec<(String, String, bool)>,
    /// Further ways: the demo's mail, its clock.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let roles = roles
        .into_iter()
        .map(|(value, label, current)| {
            view! { <button class="demo-role" type="submit" name="as" value=value aria-pressed=if current { "true" } else { "false" }>{label}</button> }
        })
        .collect_view();
    let label = text.clone();
    view! {
        <aside class="demo-bar" aria-label=label>
            <details>
                <summary><span class="demo-text">{text}</span><span class="demo-choose">{choose}<Icon name=Icon::Chevron/></span></summary>
                <div class="demo-body">
                    <form class="demo-roles" method="post" action="/demo/sign-in">{roles}</form>
                    {children.map(|children| view! { <div class="demo-more">{children()}</div> })}
                </div>
            </details>
        </aside>
    }
}

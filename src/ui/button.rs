//! Buttons post, links go. Both are 44 px tall at least; a screen has one primary one.

use super::icon::Icon;
use leptos::prelude::*;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonTone {
    /// What this screen is for. One a screen.
    #[default]
    Primary,
    /// Everything else.
    Quiet,
    /// What cannot be taken back.
    Danger,
}

impl ButtonTone {
    fn as_str(self) -> &'static str {
        match self {
            ButtonTone::Primary => "primary",
            ButtonTone::Quiet => "quiet",
            ButtonTone::Danger => "danger",
        }
    }
}

/// Sends the form it stands in; `name` and `value` say which of several buttons was pressed.
#[component]
pub fn Button(
    #[prop(optional)] tone: ButtonTone,
    #[prop(optional, into)] name: Option<&'static str>,
    #[prop(optional_no_strip, into)] value: Option<String>,
    #[prop(optional_no_strip)] icon: Option<Icon>,
    #[prop(optional)] disabled: bool,
    /// The form's id, for a button that stands outside of it.
    #[prop(optional_no_strip, into)]
    form: Option<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <button class="button" type="submit" data-tone=tone.as_str() name=name value=value form=form disabled=disabled>
            {icon.map(|name| view! { <Icon name/> })}
            <span>{children()}</span>
        </button>
    }
}

#[component]
pub fn ButtonLink(
    #[prop(into)] href: String,
    #[prop(optional)] tone: ButtonTone,
    #[prop(optional_no_strip)] icon: Option<Icon>,
    /// For files: offered to be saved instead of opened.
    #[prop(optional)]
    download: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <a class="button" data-tone=tone.as_str() href=href download=download.then_some("")>
            {icon.map(|name| view! { <Icon name/> })}
            <span>{children()}</span>
        </a>
    }
}

/// Puts a screen's buttons beside each other, or below each other on a phone.
#[component]
pub fn Actions(children: Children) -> impl IntoView {
    view! { <div class="actions">{children()}</div> }
}

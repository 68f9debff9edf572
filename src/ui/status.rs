//! How things stand: badges, alerts, meters, periods on a line, timelines. Colour never says it alone.

use super::icon::Icon;
use leptos::prelude::*;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Info,
    Warn,
    Bad,
}

impl Tone {
    pub fn as_str(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Info => "info",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Tone::Plain | Tone::Info => Icon::Info,
            Tone::Good => Icon::Check,
            Tone::Warn | Tone::Bad => Icon::Alert,
        }
    }
}

/// A state in one or two words.
#[component]
pub fn Badge(#[prop(optional)] tone: Tone, #[prop(into)] text: String) -> impl IntoView {
    view! { <span class="badge" data-tone=tone.as_str()>{text}</span> }
}

/// Something the reader should know before going on.
#[component]
pub fn Alert(
    #[prop(optional)] tone: Tone,
    #[prop(optional_no_strip, into)] title: Option<String>,
    /// Spoken at once by screen readers: for what went wrong just now.
    #[prop(optional)]
    urgent: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="alert" data-tone=tone.as_str() role=urgent.then_some("alert")>
            <Icon name=tone.icon()/>
            <div class="alert-words">
                {title.map(|title| view! { <p class="alert-title">{title}</p> })}
                {children()}
            </div>
        </div>
    }
}

/// How much of something is used: `value` of `max`, with the words that say it.
#[component]
pub fn Meter(
    #[prop(into)] label: String,
    #[prop(into)] text: String,
    value: i64,
    max: i64,
    #[prop(optional)] tone: Tone,
) -> impl IntoView {
    view! {
        <div class="meter" data-tone=tone.as_str()>
            <span class="meter-label">{label.clone()}</span>
            <span class="meter-text">{text}</span>
            <progress value=value.clamp(0, max.max(1)).to_string() max=max.max(1).to_string() aria-label=label></progress>
        </div>
    }
}

/// One period on the common line of `Periods`: where it begins and ends, as shares of the line's length.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    pub tone: Tone,
    pub label: String,
    /// Until when, in words: the line itself is not read out.
    pub text: String,
    pub from: f64,
    pub to: f64,
}

/// Periods above each other on one line of time, with a mark for today.
#[component]
pub fn Periods(
    periods: Vec<Period>,
    /// The words at the beginning and at the end of the line.
    #[prop(into)]
    starts: String,
    #[prop(into)] ends: String,
    /// Where today is, and what it is called.
    #[prop(optional_no_strip)]
    today: Option<(f64, String)>,
) -> impl IntoView {
    let percent = |share: f64| format!("{:.2}%", share.clamp(0.0, 1.0) * 100.0);
    let rows = periods
        .into_iter()
        .map(|period| {
            let (from, to) = (period.from.clamp(0.0, 1.0), period.to.clamp(0.0, 1.0));
            let mark = today.as_ref().map(|(at, _)| {
                let at = percent(*at);
                view! { <line class="period-today" x1=at.clone() x2=at y1="0" y2="16"></line> }
            });
            view! {
                <li class="period" data-tone=period.tone.as_str()>
                    <span class="period-label">{period.label}</span>
                    <span class="period-text">{period.text}</span>
                    <svg class="period-line" aria-hidden="true">
                        <rect class="period-track" x="0" y="4" width="100%" height="8" rx="4"></rect>
                        <rect class="period-span" x=percent(from) y="4" width=percent((to - from).max(0.01)) height="8" rx="4"></rect>
                        {mark}
                    </svg>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="periods">
            <ul class="plain-list" role="list">{rows}</ul>
            <p class="periods-scale">
                <span>{starts}</span>
                {today.map(|(_, label)| view! { <span class="periods-today">{label}</span> })}
                <span>{ends}</span>
            </p>
        </div>
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    Done,
    Current,
    Next,
    /// Where it stopped: cancelled, declined, not repairable.
    Stopped,
}

impl StepState {
    fn as_str(self) -> &'static str {
        match self {
            StepState::Done => "done",
            StepState::Current => "current",
            StepState::Next => "next",
            StepState::Stopped => "stopped",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub state: StepState,
    pub title: String,
    pub text: Option<String>,
    pub time: Option<String>,
}

/// What happened, where it stands, what comes next.
#[component]
pub fn Timeline(steps: Vec<Step>) -> impl IntoView {
    let steps = steps
        .into_iter()
        .map(|step| {
            let mark = match step.state {
                StepState::Done => Some(Icon::Check),
                StepState::Stopped => Some(Icon::Cross),
                StepState::Current | StepState::Next => None,
            };
            view! {
                <li class="step" data-state=step.state.as_str() aria-current=(step.state == StepState::Current).then_some("step")>
                    <span class="step-mark">{mark.map(|name| view! { <Icon name/> })}</span>
                    <div class="step-words">
                        <p class="step-title">{step.title}</p>
                        {step.time.map(|time| view! { <p class="step-time">{time}</p> })}
                        {step.text.map(|text| view! { <p class="step-text">{text}</p> })}
                    </div>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="timeline" role="list">{steps}</ol> }
}

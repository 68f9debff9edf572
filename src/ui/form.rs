//! Forms: every field has a label, says its fault right below itself, and keeps what was typed.

use super::{button::*, icon::Icon};
use leptos::prelude::*;

/// Tells what belongs to a field, for `aria-describedby`: its fault first, then its hint.
fn described(id: &str, fault: bool, hint: bool) -> Option<String> {
    let ids: Vec<String> =
        [fault.then(|| format!("{id}-fault")), hint.then(|| format!("{id}-hint"))].into_iter().flatten().collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

#[component]
fn FaultLine(#[prop(into)] id: String, fault: Option<String>) -> impl IntoView {
    fault.map(
        |fault| view! { <p class="fault" id=format!("{id}-fault")><Icon name=Icon::Alert/><span>{fault}</span></p> },
    )
}

#[component]
fn HintLine(#[prop(into)] id: String, hint: Option<String>) -> impl IntoView {
    hint.map(|hint| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> })
}

/// The label and, for what may be left out, the word that says so.
#[component]
fn LabelWords(label: String, optional: Option<String>) -> impl IntoView {
    view! { {label} {optional.map(|word| view! { <span class="optional">{word}</span> })} }
}

/// One line of input. `id` is `name` unless said otherwise.
#[component]
pub fn Field(
    #[prop(into)] name: String,
    #[prop(optional_no_strip, into)] id: Option<String>,
    #[prop(into)] label: String,
    /// `text`, `email`, `tel`, `number`, `date`, `time`, `datetime-local`, `search`, `url`.
    #[prop(optional, into)]
    kind: Option<&'static str>,
    #[prop(optional, into)] value: String,
    #[prop(optional_no_strip)] fault: Option<String>,
    #[prop(optional_no_strip, into)] hint: Option<String>,
    /// The word for "optional", shown after the label.
    #[prop(optional_no_strip, into)]
    optional: Option<String>,
    #[prop(optional, into)] autocomplete: Option<&'static str>,
    #[prop(optional, into)] inputmode: Option<&'static str>,
    #[prop(optional, into)] enterkeyhint: Option<&'static str>,
    #[prop(optional_no_strip, into)] placeholder: Option<String>,
    #[prop(optional_no_strip, into)] min: Option<String>,
    #[prop(optional_no_strip, into)] max: Option<String>,
    #[prop(optional_no_strip, into)] step: Option<String>,
    #[prop(optional_no_strip)] maxlength: Option<u32>,
    #[prop(optional)] required: bool,
    #[prop(optional)] readonly: bool,
    /// Takes the focus when the page opens: for pages that are one field.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let described = described(&id, fault.is_some(), hint.is_some());
    let invalid = fault.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=id.clone()><LabelWords label optional/></label>
            <HintLine id=id.clone() hint/>
            <input class="input" id=id.clone() name=name type=kind.unwrap_or("text") value=value
                aria-describedby=described aria-invalid=invalid
                autocomplete=autocomplete.unwrap_or("off") inputmode=inputmode enterkeyhint=enterkeyhint placeholder=placeholder
                min=min max=max step=step maxlength=maxlength.map(|n| n.to_string())
                required=required readonly=readonly autofocus=autofocus/>
            <FaultLine id fault/>
        </div>
    }
}

/// Several lines of input; grows with what is typed.
#[component]
pub fn TextArea(
    #[prop(into)] name: String,
    #[prop(optional_no_strip, into)] id: Option<String>,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional_no_strip)] fault: Option<String>,
    #[prop(optional_no_strip, into)] hint: Option<String>,
    #[prop(optional_no_strip, into)] optional: Option<String>,
    #[prop(default = 4)] rows: u32,
    #[prop(optional_no_strip)] maxlength: Option<u32>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let described = described(&id, fault.is_some(), hint.is_some());
    let invalid = fault.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=id.clone()><LabelWords label optional/></label>
            <HintLine id=id.clone() hint/>
            <textarea class="input" id=id.clone() name=name rows=rows.to_string() maxlength=maxlength.map(|n| n.to_string())
                aria-describedby=described aria-invalid=invalid required=required autocomplete="off">
                {textarea_text(&value)}
            </textarea>
            <FaultLine id fault/>
        </div>
    }
}

/// Leptos writes a textarea's children as they are. Whoever typed `</textarea><script>` would otherwise get it run.
/// The first line break after the tag is swallowed by browsers, so we give one away.
fn textarea_text(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 8);
    text.push('\n');
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            c => text.push(c),
        }
    }
    text
}

#[component]
pub fn Select(
    #[prop(into)] name: String,
    #[prop(optional_no_strip, into)] id: Option<String>,
    #[prop(into)] label: String,
    /// Value and words. An empty value first stands for "please choose".
    options: Vec<(String, String)>,
    #[prop(optional, into)] value: String,
    #[prop(optional_no_strip)] fault: Option<String>,
    #[prop(optional_no_strip, into)] hint: Option<String>,
    #[prop(optional_no_strip, into)] optional: Option<String>,
    #[prop(optional, into)] autocomplete: Option<&'static str>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let described = described(&id, fault.is_some(), hint.is_some());
    let invalid = fault.is_some().then_some("true");
    let options = options
        .into_iter()
        .map(|(code, words)| {
            let selected = code == value;
            view! { <option value=code selected=selected>{words}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id.clone()><LabelWords label optional/></label>
            <HintLine id=id.clone() hint/>
            <select class="input" id=id.clone() name=name aria-describedby=described aria-invalid=invalid
                autocomplete=autocomplete.unwrap_or("off") required=required>{options}</select>
            <FaultLine id fault/>
        </div>
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub title: String,
    pub text: Option<String>,
    /// What stands at the end of the card: a price, "covered", "2 left".
    pub note: Option<String>,
    pub disabled: bool,
}

impl Choice {
    pub fn new(value: impl Into<String>, title: impl Into<String>) -> Choice {
        Choice { value: value.into(), title: title.into(), ..Choice::default() }
    }
}

/// One of several, each a card that one can tap anywhere. `compact` lays short ones (times) beside each other.
#[component]
pub fn ChoiceList(
    #[prop(into)] name: String,
    #[prop(optional_no_strip, into)] id: Option<String>,
    #[prop(into)] legend: String,
    choices: Vec<Choice>,
    #[prop(optional, into)] value: String,
    #[prop(optional_no_strip)] fault: Option<String>,
    #[prop(optional_no_strip, into)] hint: Option<String>,
    #[prop(optional)] required: bool,
    #[prop(optional)] compact: bool,
    /// Several may be chosen.
    #[prop(optional)]
    several: bool,
    /// Those chosen, where several may be.
    #[prop(optional)]
    values: Vec<String>,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let described = described(&id, fault.is_some(), hint.is_some());
    let (own_id, invalid) = (id.clone(), fault.is_some().then_some(""));
    let kind = if several { "checkbox" } else { "radio" };
    let choices = choices
        .into_iter()
        .map(|choice| {
            let checked = choice.value == value || values.contains(&choice.value);
            view! {
                <label class="choice">
                    <input type=kind name=name.clone() value=choice.value checked=checked disabled=choice.disabled required=required && !several/>
                    <span class="choice-words">
                        <span class="choice-title">{choice.title}</span>
                        {choice.text.map(|text| view! { <span class="choice-text">{text}</span> })}
                    </span>
                    {choice.note.map(|note| view! { <span class="choice-note">{note}</span> })}
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field choices" id=own_id data-compact=compact.then_some("") data-invalid=invalid
            aria-describedby=described tabindex="-1">
            <legend>{legend}</legend>
            <HintLine id=id.clone() hint/>
            <FaultLine id fault/>
            <div class="choice-list">{choices}</div>
        </fieldset>
    }
}

#[component]
pub fn Checkbox(
    #[prop(into)] name: String,
    #[prop(optional_no_strip, into)] id: Option<String>,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional)] checked: bool,
    #[prop(optional)] required: bool,
    #[prop(optional_no_strip)] fault: Option<String>,
    #[prop(optional_no_strip, into)] hint: Option<String>,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let described = described(&id, fault.is_some(), hint.is_some());
    let invalid = fault.is_some().then_some("true");
    view! {
        <div class="field">
            <label class="checkbox">
                <input type="checkbox" id=id.clone() name=name value=value.unwrap_or_else(|| "yes".to_owned()) checked=checked required=required
                    aria-describedby=described aria-invalid=invalid/>
                <span>{label}</span>
            </label>
            <HintLine id=id.clone() hint/>
            <FaultLine id fault/>
        </div>
    }
}

/// Files; with `capture` a phone opens its camera.
#[component]
pub fn FileInput(
    #[prop(into)] name: String,
    #[prop(optional_no_strip, into)] id: Option<String>,
    #[prop(into)] label: String,
    #[prop(optional, into)] accept: Option<&'static str>,
    #[prop(optional)] capture: bool,
    #[prop(optional)] multiple: bool,
    #[prop(optional)] required: bool,
    #[prop(optional_no_strip)] fault: Option<String>,
    #[prop(optional_no_strip, into)] hint: Option<String>,
    #[prop(optional_no_strip, into)] optional: Option<String>,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let described = described(&id, fault.is_some(), hint.is_some());
    let invalid = fault.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=id.clone()><LabelWords label optional/></label>
            <HintLine id=id.clone() hint/>
            <div class="file">
                <Icon name=Icon::Camera/>
                <input type="file" id=id.clone() name=name accept=accept capture=capture.then_some("environment")
                    multiple=multiple required=required aria-describedby=described aria-invalid=invalid/>
            </div>
            <FaultLine id fault/>
        </div>
    }
}

/// One to five stars. `words` are what each of them means, from worst to best.
#[component]
pub fn Stars(
    #[prop(into)] name: String,
    #[prop(into)] legend: String,
    words: [String; 5],
    #[prop(optional_no_strip)] value: Option<u8>,
    #[prop(optional_no_strip)] fault: Option<String>,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let id = name.clone();
    let described = described(&id, fault.is_some(), false);
    let (own_id, invalid) = (id.clone(), fault.is_some().then_some(""));
    let stars = words
        .into_iter()
        .zip(1u8..)
        .map(|(word, score)| {
            view! {
                <label class="star">
                    <input type="radio" name=name.clone() value=score.to_string() checked=value == Some(score) required=required/>
                    <Icon name=Icon::Star/>
                    <span class="star-word">{word}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field stars" id=own_id aria-describedby=described data-invalid=invalid tabindex="-1">
            <legend>{legend}</legend>
            <FaultLine id fault/>
            <div class="star-row">{stars}</div>
        </fieldset>
    }
}

/// All that is wrong with a form, on top of it, each leading to its field. Takes the focus, so that it is read first.
#[component]
pub fn FormErrors(
    #[prop(into)] title: String,
    /// The field's id (empty for what concerns no single field) and the fault in words.
    faults: Vec<(String, String)>,
) -> impl IntoView {
    (!faults.is_empty()).then(|| {
        let faults = faults
            .into_iter()
            .map(|(id, words)| {
                if id.is_empty() {
                    view! { <li>{words}</li> }.into_any()
                } else {
                    view! { <li><a href=format!("#{id}")>{words}</a></li> }.into_any()
                }
            })
            .collect_view();
        view! {
            <div class="alert form-errors" id="form-errors" data-tone="bad" role="alert" tabindex="-1" autofocus=true>
                <Icon name=Icon::Alert/>
                <div class="alert-words"><p class="alert-title">{title}</p><ul role="list">{faults}</ul></div>
            </div>
        }
    })
}

/// The key that makes a double tap one act.
#[component]
pub fn HiddenKey(#[prop(into)] value: String) -> impl IntoView {
    view! { <input type="hidden" name="key" value=value/> }
}

/// Search in a list: one field, one button, an address of its own.
#[component]
pub fn SearchForm(
    #[prop(into)] action: String,
    #[prop(into)] label: String,
    #[prop(into)] button: String,
    #[prop(optional, into)] value: String,
    /// Further choices of the list that stay as they are.
    #[prop(optional)]
    keep: Vec<(String, String)>,
) -> impl IntoView {
    let keep =
        keep.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <form class="search-form" role="search" method="get" action=action>
            {keep}
            <label class="visually-hidden" for="q">{label.clone()}</label>
            <input class="input" id="q" name="q" type="search" value=value placeholder=label enterkeyhint="search" autocomplete="off"/>
            <Button tone=ButtonTone::Quiet icon=Some(Icon::Search)>{button}</Button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(view: impl IntoView + 'static) -> String {
        let owner = Owner::new();
        owner.with(|| view.into_any().to_html())
    }

    #[test]
    fn what_was_typed_into_a_textarea_stays_text() {
        let page =
            html(view! { <TextArea name="words" label="Words" value="</textarea><script>alert(1)</script> & more"/> });
        assert!(page.contains("&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"), "{page}");
        assert_eq!(page.matches("</textarea>").count(), 1);
    }

    #[test]
    fn a_fault_stands_at_its_field_and_is_tied_to_it() {
        let page = html(view! {
            <Field name="email" label="E-mail" kind="email" value="ann@" fault=Some("Not an address".to_owned()) hint="As on the bill".to_owned()/>
        });
        assert!(page.contains(r#"id="email-fault""#) && page.contains("Not an address"), "{page}");
        assert!(page.contains(r#"aria-describedby="email-fault email-hint""#), "{page}");
        assert!(page.contains(r#"aria-invalid="true""#) && page.contains(r#"value="ann@""#), "{page}");
    }

    #[test]
    fn a_field_without_a_fault_says_nothing_about_one() {
        let page = html(view! { <Field name="email" label="E-mail" value="\"><script>"/> });
        assert!(
            !page.contains("aria-invalid") && !page.contains("aria-describedby") && !page.contains("<script>"),
            "{page}"
        );
    }
}

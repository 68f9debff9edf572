//! Facts in pairs and rows.

use leptos::prelude::*;

/// Names and what they stand for.
#[component]
pub fn DefinitionList(rows: Vec<(String, AnyView)>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|(name, what)| view! { <div class="definition"><dt>{name}</dt><dd>{what}</dd></div> })
        .collect_view();
    view! { <dl class="definitions">{rows}</dl> }
}

/// A row's link, where it has one, lies on its first cell and covers the whole row.
pub struct TableRow {
    pub href: Option<String>,
    pub cells: Vec<AnyView>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    pub title: String,
    /// Figures stand at the end of their column.
    pub number: bool,
}

impl From<String> for Column {
    fn from(title: String) -> Column {
        Column { title, number: false }
    }
}

/// Rows and columns; on a phone each row becomes a card and each cell says what it is.
#[component]
pub fn Table(#[prop(into)] caption: String, columns: Vec<Column>, rows: Vec<TableRow>) -> impl IntoView {
    let heads = columns
        .iter()
        .map(|column| view! { <th role="columnheader" scope="col" data-number=column.number.then_some("")>{column.title.clone()}</th> })
        .collect_view();
    let rows = rows
        .into_iter()
        .map(|row| {
            let mut href = row.href;
            let cells = row
                .cells
                .into_iter()
                .enumerate()
                .map(|(at, cell)| {
                    let column = columns.get(at).cloned().unwrap_or_default();
                    let cell = match href.take() {
                        Some(href) => view! { <a class="row-link" href=href>{cell}</a> }.into_any(),
                        None => cell,
                    };
                    view! { <td role="cell" data-label=column.title data-number=column.number.then_some("")><div class="cell">{cell}</div></td> }
                })
                .collect_view();
            view! { <tr role="row">{cells}</tr> }
        })
        .collect_view();
    view! {
        <table class="table" role="table">
            <caption class="visually-hidden">{caption}</caption>
            <thead role="rowgroup"><tr role="row">{heads}</tr></thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
}

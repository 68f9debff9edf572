//! Lists are read a page at a time from where the last page ended, never by counting rows off.

use serde::{Deserialize, Serialize};

/// How many rows a page of a list shows.
pub const PAGE: usize = 20;

/// Where the next page begins: the sort key and id of the last row shown, opaque to the reader.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cursor {
    pub key: String,
    pub id: uuid::Uuid,
}

impl Cursor {
    /// As it stands in an address: `key~id`.
    pub fn encode(&self) -> String {
        format!("{}~{}", self.key, self.id.simple())
    }

    /// Reads it back; whatever is not a cursor is simply the beginning.
    pub fn decode(text: &str) -> Option<Self> {
        let (key, id) = text.rsplit_once('~')?;
        Some(Self { key: key.to_owned(), id: uuid::Uuid::try_parse(id).ok()? })
    }
}

/// One page of rows, and where the next begins if there is one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rows<T> {
    pub rows: Vec<T>,
    pub next: Option<Cursor>,
}

impl<T> Rows<T> {
    /// Of up to `PAGE + 1` rows read, keeps a page and says where the next begins.
    pub fn cut(mut rows: Vec<T>, cursor: impl Fn(&T) -> Cursor) -> Self {
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { rows, next }
    }
}

/// What a listing asks for: a page, and one row more that tells whether there is a next.
pub const PAGE_ROWS: i64 = PAGE as i64 + 1;

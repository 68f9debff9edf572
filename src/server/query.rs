//! What the address of a page asks for. A filter that is none, or that stands there twice, is no reason for a page of
//! errors: it counts as not asked.

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use serde::de::DeserializeOwned;
use std::convert::Infallible;

/// The fields of an address as a value; every field has to have a default. Never refuses.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequestParts<S> for Query<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let asked = parts.uri.query().unwrap_or_default();
        Ok(Self(read(asked).unwrap_or_else(|| readable(asked))))
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Option<T> {
    let uri = Uri::builder().path_and_query(format!("/?{query}")).build().ok()?;
    axum::extract::Query::try_from_uri(&uri).ok().map(|axum::extract::Query(value)| value)
}

/// More fields than any page has.
const FIELDS: usize = 32;

/// As much of it as can be read: each field joins those before it where it goes with them.
fn readable<T: DeserializeOwned + Default>(query: &str) -> T {
    let mut value = T::default();
    let mut kept = Vec::new();
    for field in url::form_urlencoded::parse(query.as_bytes()).take(FIELDS) {
        kept.push(field);
        let longer = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&kept).finish();
        if let Some(read) = read(&longer) {
            value = read;
        } else {
            kept.pop();
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Asked {
        #[serde(default)]
        q: String,
        #[serde(default)]
        after: i64,
    }

    fn asked(query: &str) -> (String, i64) {
        let Asked { q, after } = read(query).unwrap_or_else(|| readable(query));
        (q, after)
    }

    #[test]
    fn what_can_be_read_is_read_and_the_rest_is_not_asked() {
        assert_eq!(asked(""), (String::new(), 0));
        assert_eq!(asked("q=a%20b&after=7&unknown=1"), ("a b".to_owned(), 7));
        assert_eq!(asked("q=a&after=x"), ("a".to_owned(), 0));
        assert_eq!(asked("after=x&q=a"), ("a".to_owned(), 0));
        assert_eq!(asked("q=first&q=second&after=3"), ("first".to_owned(), 3));
        assert_eq!(asked("after=&q=%FF&after=5").1, 5);
    }
}

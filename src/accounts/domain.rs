//! The rules of signing in: how long, how often, and when a code stops to be enough.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

/// A code and its link live this long.
pub const CHALLENGE_MINUTES: i64 = 10;
/// A code may be tried this often.
pub const CODE_TRIES: i64 = 5;
/// After so many wrong codes a day for one address, only links sign in: a stranger cannot lock anybody out.
pub const WRONG_CODES_A_DAY: i64 = 30;
/// Letters with a code to one address in [`LETTER_WINDOW`].
pub const LETTERS_TO_ADDRESS: i64 = 3;
/// Letters asked for from one network address in [`LETTER_WINDOW`].
pub const LETTERS_FROM_SENDER: i64 = 20;
/// No longer than a link lives: whoever has used somebody else's letters up has not shut them out, since the last one
/// still signs in until there are new ones.
pub const LETTER_WINDOW: Duration = Duration::minutes(CHALLENGE_MINUTES);

/// How long a session lasts: when it ends if unused, and when it ends whatever happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub idle: Duration,
    pub absolute: Duration,
}

pub const CUSTOMER: Lifetime = Lifetime { idle: Duration::days(30), absolute: Duration::days(90) };
pub const STAFF: Lifetime = Lifetime { idle: Duration::hours(12), absolute: Duration::hours(12) };

impl Lifetime {
    pub fn of(staff: bool) -> Self {
        if staff { STAFF } else { CUSTOMER }
    }

    /// Until when a session that began and was last seen then is good.
    pub fn ends(self, began: DateTime<Utc>, seen: DateTime<Utc>) -> DateTime<Utc> {
        (seen + self.idle).min(began + self.absolute)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The code or link is too old, used, or was never one. Which of them is not said.
    NotValidAnyMore,
    /// Wrong too often: a new one is needed.
    TooManyTries,
    /// Codes rest for this address today; the link in the letter works.
    OnlyTheLink,
}

/// Where one lands who wanted nothing in particular: staff at their own starting page.
pub fn start(next: &str, staff: bool) -> &str {
    if staff && next == "/" { "/desk" } else { next }
}

/// Where to go after signing in: only a path of this site. `//host`, `/\host` and schemes lead home.
pub fn safe_next(path: &str) -> &str {
    let plain = path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/\\")
        && !path.contains('\\')
        && !path.chars().any(char::is_control)
        && path.len() <= 500;
    let sign_in = path == "/sign-in" || path.starts_with("/sign-in?") || path.starts_with("/sign-in/");
    if plain && !sign_in { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_never_lands_elsewhere() {
        for path in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "",
            "/\n/evil",
            "/a\\b",
            "javascript:alert(1)",
            "/sign-in?next=/x",
        ] {
            assert_eq!(safe_next(path), "/", "{path:?}");
        }
        for path in ["/", "/purchases?covered=yes", "/repairs/new?item=1&mode=bring_in"] {
            assert_eq!(safe_next(path), path);
        }
    }

    #[test]
    fn a_session_ends_when_idle_or_old() {
        let began = DateTime::<Utc>::UNIX_EPOCH;
        assert_eq!(CUSTOMER.ends(began, began), began + Duration::days(30));
        assert_eq!(CUSTOMER.ends(began, began + Duration::days(80)), began + Duration::days(90));
        assert_eq!(STAFF.ends(began, began), began + Duration::hours(12));
    }
}

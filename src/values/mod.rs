//! Pure words that every slice shares: identities, money, periods, addresses, pages of rows.
//!
//! Nothing in here knows of storage, screens, the clock, chance or a language.

pub mod contact;
pub mod digits;
pub mod id;
pub mod money;
pub mod number;
pub mod page;
pub mod time;

pub use contact::{CountryCode, EmailAddress, LanguageTag};
pub use digits::digits;
pub use id::*;
pub use money::{Currency, Money};
pub use number::PublicNumber;
pub use page::{Cursor, PAGE, PAGE_ROWS, Rows};
pub use time::{DateRange, add_months};

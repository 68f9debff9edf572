//! The one error of the whole crate: what a door answers when the answer is no.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// Why something could not be done. Holds no prose: [`crate::i18n`] turns it into words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AppError {
    /// Nobody is signed in, and somebody must be.
    SignIn,
    /// The viewer may know of the thing but not do this to it.
    Forbidden,
    /// It does not exist, or this viewer may not know that it does.
    NotFound,
    /// What was typed has faults, each at its field.
    Invalid(Faults),
    /// The rules say no.
    Refused(Refusal),
    /// More was sent than this door takes.
    TooLarge,
    /// Too many at once; again in a moment.
    Busy,
    /// Asked too often; again after so many seconds.
    TooMany { seconds: u32 },
    /// A failure of ours, logged under this reference.
    Internal(String),
}

/// The business "no" of each slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Refusal {
    Accounts(crate::accounts::domain::Refusal),
    Cases(crate::cases::domain::Refusal),
    Ratings(crate::ratings::domain::Refusal),
    FollowUps(crate::followups::domain::Refusal),
    Benefits(crate::benefits::domain::Refusal),
    Charges(crate::charges::domain::Refusal),
    Purchases(crate::purchases::domain::Refusal),
    Repairs(crate::repairs::domain::Refusal),
    Training(crate::training::domain::Refusal),
    /// Somebody else changed it since it was read.
    ChangedMeanwhile,
}

macro_rules! slices {
    ($($variant:ident = $slice:ident),+ $(,)?) => {$(
        impl From<crate::$slice::domain::Refusal> for Refusal {
            fn from(refusal: crate::$slice::domain::Refusal) -> Self {
                Self::$variant(refusal)
            }
        }
    )+};
}

slices! {
    Accounts = accounts,
    Benefits = benefits,
    Cases = cases,
    Charges = charges,
    FollowUps = followups,
    Purchases = purchases,
    Ratings = ratings,
    Repairs = repairs,
    Training = training,
}

impl<R: Into<Refusal>> From<R> for AppError {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal.into())
    }
}

/// Faults by the name of their field, in the order of the form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Faults(pub Vec<(String, Fault)>);

impl Faults {
    pub fn add(&mut self, field: &str, fault: Fault) {
        self.0.push((field.to_owned(), fault));
    }

    pub fn of(&self, field: &str) -> Option<&Fault> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, fault)| fault)
    }

    /// # Errors
    /// [`AppError::Invalid`] where there is any.
    pub fn check(self) -> Result<(), AppError> {
        if self.0.is_empty() { Ok(()) } else { Err(AppError::Invalid(self)) }
    }

    /// One fault alone, as an error.
    pub fn only(field: &str, fault: Fault) -> AppError {
        AppError::Invalid(Self(vec![(field.to_owned(), fault)]))
    }
}

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    Required,
    NotAnEmail,
    NotANumber,
    NotAnAmount,
    NotADate,
    NotATime,
    NotALink,
    NotAChoice,
    TooLong {
        max: u32,
    },
    TooShort {
        min: u32,
    },
    TooSmall {
        min: i64,
    },
    TooLarge {
        max: i64,
    },
    WrongCode {
        left: u32,
    },
    Expired,
    InThePast,
    EndsBeforeStart,
    AlreadyUsed,
    NotAnImage,
    /// An iPhone's own picture format.
    Heic,
    /// A picture of more megapixels than are decoded.
    TooManyPixels,
    FileTooLarge {
        megabytes: u32,
    },
    /// As much as can be taken for now; again after so many minutes.
    LaterAgain {
        minutes: u32,
    },
    TooManyFiles {
        max: u32,
    },
    /// Neither a PDF nor a picture.
    NotAMaterial,
    /// Belongs to the firm already.
    AlreadyMember,
    /// Another room in use has this name.
    NameInUse,
    /// No code of a country.
    NotACountry,
    /// The order number and the serial number, each of which is a way of its own.
    BothWays,
}

/// What an island is told when its door says no: only what it can act on, so that the browser need not load the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failed {
    SignIn,
    Forbidden,
    NotFound,
    /// What was sent is wrong, or the rules say no.
    No,
    /// Again in a moment.
    Busy,
    /// A failure of ours.
    Broken,
}

impl From<AppError> for Failed {
    fn from(error: AppError) -> Self {
        match error {
            AppError::SignIn => Self::SignIn,
            AppError::Forbidden => Self::Forbidden,
            AppError::NotFound => Self::NotFound,
            AppError::Invalid(_) | AppError::Refused(_) | AppError::TooLarge => Self::No,
            AppError::Busy | AppError::TooMany { .. } => Self::Busy,
            AppError::Internal(_) => Self::Broken,
        }
    }
}

impl FromServerFnError for Failed {
    type Encoder = JsonEncoding;

    /// Transport faults are not told in detail to anybody outside.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Busy,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::No
            }
            _ => Self::Broken,
        }
    }
}

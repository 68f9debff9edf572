use crate::{
    accounts::domain::Refusal,
    i18n::{Fmt, InWords},
    w,
};

impl InWords for Refusal {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::NotValidAnyMore => w!(fmt, shell.sign_in_not_valid),
            Self::TooManyTries => w!(fmt, shell.sign_in_too_many_tries),
            Self::OnlyTheLink => w!(fmt, shell.sign_in_only_link),
        }
    }
}

//! Faults at fields, and the general refusals, in words.

use super::{Fmt, InWords};
use crate::{
    error::{Fault, Refusal},
    w,
};

impl InWords for Fault {
    fn in_words(&self, fmt: Fmt) -> String {
        match *self {
            Self::Required => w!(fmt, shell.fault_required),
            Self::NotAnEmail => w!(fmt, shell.fault_not_an_email),
            Self::NotANumber => w!(fmt, shell.fault_not_a_number),
            Self::NotAnAmount => w!(fmt, shell.fault_not_an_amount),
            Self::NotADate => w!(fmt, shell.fault_not_a_date),
            Self::NotATime => w!(fmt, shell.fault_not_a_time),
            Self::NotALink => w!(fmt, shell.fault_not_a_link),
            Self::NotAChoice => w!(fmt, shell.fault_not_a_choice),
            Self::TooLong { max } => w!(fmt, shell.fault_too_long, count = u64::from(max)),
            Self::TooShort { min } => w!(fmt, shell.fault_too_short, count = u64::from(min)),
            Self::TooSmall { min } => w!(fmt, shell.fault_too_small, least = fmt.number(min)),
            Self::TooLarge { max } => w!(fmt, shell.fault_too_large, most = fmt.number(max)),
            Self::WrongCode { left } => w!(fmt, shell.fault_wrong_code, count = u64::from(left)),
            Self::Expired => w!(fmt, shell.fault_expired),
            Self::InThePast => w!(fmt, shell.fault_in_the_past),
            Self::EndsBeforeStart => w!(fmt, shell.fault_ends_before_start),
            Self::AlreadyUsed => w!(fmt, shell.fault_already_used),
            Self::NotAnImage => w!(fmt, shell.fault_not_an_image),
            Self::Heic => w!(fmt, repairs.photo_heic),
            Self::TooManyPixels => w!(fmt, repairs.photo_huge),
            Self::FileTooLarge { megabytes } => w!(fmt, shell.fault_file_too_large, count = u64::from(megabytes)),
            Self::LaterAgain { minutes } => w!(fmt, shell.too_many_text, count = u64::from(minutes)),
            Self::TooManyFiles { max } => w!(fmt, shell.fault_too_many_files, count = u64::from(max)),
            Self::NotAMaterial => w!(fmt, learning.fault_not_a_material),
            Self::AlreadyMember => w!(fmt, team.fault_already_member),
            Self::NameInUse => w!(fmt, rooms.fault_name_in_use),
            Self::NotACountry => w!(fmt, purchases.fault_not_a_country),
            Self::BothWays => w!(fmt, purchases.fault_both_ways),
        }
    }
}

impl InWords for Refusal {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Accounts(refusal) => refusal.in_words(fmt),
            Self::Cases(refusal) => refusal.in_words(fmt),
            Self::Ratings(refusal) => refusal.in_words(fmt),
            Self::FollowUps(refusal) => refusal.in_words(fmt),
            Self::Benefits(refusal) => crate::benefits::server::words::refusal(fmt, refusal),
            Self::Charges(refusal) => crate::charges::server::words::refusal(fmt, refusal),
            Self::Purchases(refusal) => crate::purchases::server::words::refusal(fmt, refusal),
            Self::Repairs(refusal) => refusal.in_words(fmt),
            Self::Training(refusal) => refusal.in_words(fmt),
            Self::ChangedMeanwhile => w!(fmt, shell.changed_meanwhile),
        }
    }
}

//! Identities: UUIDv7 in newtypes, so that a repair's id cannot stand where an item's belongs.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.simple().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )+

        /// Calls `$callback!` with the name of every identity, so that storage can teach its engines all of them.
        #[allow(unused_macros)]
        macro_rules! for_every_id {
            ($callback:ident) => {
                $($callback!($crate::values::id::$name);)+
            };
        }

        #[allow(unused_imports)]
        pub(crate) use for_every_id;
    };
}

ids! {
    /// A person: customer or staff.
    PersonId,
    /// A business customer.
    OrganisationId,
    /// A thing that the company sells.
    ProductId,
    /// One line of an order.
    PurchaseId,
    /// One physical or licensed thing that a purchase gave.
    ItemId,
    /// A right that an item carries for a period.
    CoverageId,
    /// A counted right in the benefit ledger.
    BenefitId,
    /// One entry of the benefit ledger.
    BenefitEntryId,
    /// A registration of a purchase by a customer.
    ClaimId,
    /// What can be taught.
    CourseId,
    /// A scheduled run of a course.
    ClassId,
    /// One meeting of a class.
    ClassSessionId,
    /// One person's place in a class.
    EnrolmentId,
    /// A certificate of one learner.
    CertificateId,
    /// A room in which classes meet.
    RoomId,
    /// A place that repairs things.
    WorkshopId,
    /// One job on one item.
    RepairId,
    /// A priced offer for a repair.
    QuoteId,
    /// A picture that a customer took.
    PhotoId,
    /// One booked time of a repair.
    AppointmentId,
    /// A conversation that needs an answer.
    CaseId,
    /// A question put to a customer about one moment.
    FeedbackId,
    /// The next planned contact with a customer.
    FollowUpId,
    /// An amount that a customer owes, with its consent.
    ChargeId,
    /// A note that somebody in line was passed over.
    SeatSkipId,
    /// Anything sent to a person.
    MessageId,
    /// A signed-in browser.
    SessionId,
    /// One attempt to sign in.
    ChallengeId,
    /// A piece of work for later.
    JobId,
    /// One line of the history.
    HistoryId,
    /// A thing that classes use, one at a time.
    EquipmentId,
    /// A time at which somebody does not work.
    AbsenceId,
    /// That somebody wants a course at times that suit them.
    WishId,
    /// A file or an address that belongs to a course.
    MaterialId,
    /// A missed session that is made up in another class.
    MakeUpId,
    /// People of a firm who enrol together.
    PartyId,
    /// Somebody whom a firm asks to join it.
    InvitationId,
    /// A group that was passed over in a line.
    SkipId,
    /// A piece on its way from its owner to somebody else.
    HandOverId,
}

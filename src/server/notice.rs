//! The line that a page shows once after a redirect. It travels as a closed code in a signed cookie, never in the
//! address, so that nobody can make the portal say something by a link.

use super::{App, secret};

macro_rules! notices {
    ($($notice:ident = $code:literal),+ $(,)?) => {
        /// What was just done.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Notice { $($notice),+ }

        impl Notice {
            pub const ALL: &'static [Self] = &[$(Self::$notice),+];

            pub fn code(self) -> &'static str {
                match self { $(Self::$notice => $code),+ }
            }
        }
    };
}

notices! {
    SignedIn = "signed_in",
    SignedOut = "signed_out",
    SessionEnded = "session_ended",
    AccountSaved = "account_saved",
    LanguageChanged = "language_changed",
    ClockMoved = "clock_moved",
    CaseOpened = "case_opened",
    CaseReplied = "case_replied",
    CaseClosed = "case_closed",
    CaseReopened = "case_reopened",
    CaseTaken = "case_taken",
    CaseAssigned = "case_assigned",
    CaseNoted = "case_noted",
    CasePrioritised = "case_prioritised",
    DeskHoursSaved = "desk_hours_saved",
    CaseResolved = "case_resolved",
    Rated = "rated",
    FollowUpPlanned = "follow_up_planned",
    FollowUpDone = "follow_up_done",
    PurchaseRegistered = "purchase_registered",
    RegistrationReceived = "registration_received",
    RegistrationAccepted = "registration_accepted",
    RegistrationRefused = "registration_refused",
    BenefitGiven = "benefit_given",
    BenefitExtended = "benefit_extended",
    ChargeSettled = "charge_settled",
    RepairBooked = "repair_booked",
    RepairMoved = "repair_moved",
    RepairCancelled = "repair_cancelled",
    QuoteAccepted = "quote_accepted",
    QuoteDeclined = "quote_declined",
    RepairSaved = "repair_saved",
    Enrolled = "enrolled",
    Waitlisted = "waitlisted",
    EnrolmentCancelled = "enrolment_cancelled",
    EnrolmentCancelledLate = "enrolment_cancelled_late",
    OfferDeclined = "offer_declined",
    CalendarChanged = "calendar_changed",
    CourseCreated = "course_created",
    ClassDrafted = "class_drafted",
    ClassPublished = "class_published",
    ClassSaved = "class_saved",
    ClassClosed = "class_closed",
    ClassCancelled = "class_cancelled",
    CheckedIn = "checked_in",
    MarkTakenBack = "mark_taken_back",
    ClassWritten = "class_written",
    WalkInSeated = "walk_in_seated",
    SeatMoved = "seat_moved",
    SeatGiven = "seat_given",
    WishSaid = "wish_said",
    SeriesDrafted = "series_drafted",
    WishKept = "wish_kept",
    WishWithdrawn = "wish_withdrawn",
    ClassOpenedForAskers = "class_opened_for_askers",
    AvailabilitySaved = "availability_saved",
    ClassRulesSaved = "class_rules_saved",
    EquipmentAdded = "equipment_added",
    CourseSaved = "course_saved",
    MaterialAdded = "material_added",
    MaterialRemoved = "material_removed",
    Announced = "announced",
    AnnouncementWithdrawn = "announcement_withdrawn",
    MakeUpBooked = "make_up_booked",
    MakeUpCancelled = "make_up_cancelled",
    GroupEnrolled = "group_enrolled",
    GroupWaits = "group_waits",
    GroupPartly = "group_partly",
    GroupDeclined = "group_declined",
    SeatNamed = "seat_named",
    SeatSwapped = "seat_swapped",
    SeatGivenBack = "seat_given_back",
    SeatHeld = "seat_held",
    EquipmentChanged = "equipment_changed",
    EquipmentRetired = "equipment_retired",
    RoomAdded = "room_added",
    RoomChanged = "room_changed",
    RoomRetired = "room_retired",
    MemberInvited = "member_invited",
    InvitationWithdrawn = "invitation_withdrawn",
    InvitationAccepted = "invitation_accepted",
    InvitationDeclined = "invitation_declined",
    MembershipEnded = "membership_ended",
    ChargePaidBack = "charge_paid_back",
    ItemOffered = "item_offered",
    ItemKept = "item_kept",
    ItemTaken = "item_taken",
    ItemDeclined = "item_declined",
    GuaranteesSaved = "guarantees_saved",
}

pub const COOKIE: &str = "notice";

impl Notice {
    /// The cookie that carries it to the next page.
    pub fn cookie(self, app: &App) -> String {
        let tag = app.secret.tag("notice", self.code());
        format!(
            "{COOKIE}={}.{tag}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60{}",
            self.code(),
            app.config.secure_suffix()
        )
    }

    /// Reads the cookie's value; whatever was not signed here is nothing.
    pub fn read(key: &secret::Key, value: &str) -> Option<Self> {
        let (code, tag) = value.split_once('.')?;
        let notice = Self::ALL.iter().copied().find(|notice| notice.code() == code)?;
        key.verify("notice", code, tag).then_some(notice)
    }
}

//! The table of who may do what, in one exhaustive function. The test `the_matrix` prints it for the review.

use super::{Person, Role, Subject, Viewer};

macro_rules! acts {
    ($($(#[$doc:meta])* $act:ident = $name:literal),+ $(,)?) => {
        /// Everything that somebody can do or see here.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Act { $($(#[$doc])* $act),+ }

        impl Act {
            pub const ALL: &'static [Self] = &[$(Self::$act),+];

            /// As history and tables write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$act => $name),+ }
            }
        }
    };
}

acts! {
    // accounts
    SignIn = "sign_in",
    SignOut = "sign_out",
    EndSession = "end_session",
    EditAccount = "edit_account",
    ReadInbox = "read_inbox",
    // people
    AddStaff = "add_staff",
    PrintSignInLink = "print_sign_in_link",
    NameOwner = "name_owner",
    ReadCustomer = "read_customer",
    OpenDesk = "open_desk",
    // import
    Import = "import",
    // purchases
    ReadPurchase = "read_purchase",
    RegisterPurchase = "register_purchase",
    DecideRegistration = "decide_registration",
    // coverage
    SetGuarantee = "set_guarantee",
    // benefits
    GrantBenefit = "grant_benefit",
    ExtendBenefit = "extend_benefit",
    // charges
    ReadCharge = "read_charge",
    SettleCharge = "settle_charge",
    // repairs
    ReadRepair = "read_repair",
    BookRepair = "book_repair",
    MoveRepair = "move_repair",
    CancelRepair = "cancel_repair",
    AcceptQuote = "accept_quote",
    DeclineQuote = "decline_quote",
    LapseQuote = "lapse_quote",
    ReceiveRepair = "receive_repair",
    DiagnoseRepair = "diagnose_repair",
    SendQuote = "send_quote",
    StartRepair = "start_repair",
    RecordWork = "record_work",
    WaitForParts = "wait_for_parts",
    FinishRepair = "finish_repair",
    MarkReady = "mark_ready",
    HandBack = "hand_back",
    CloseRepair = "close_repair",
    GiveUpRepair = "give_up_repair",
    AddPhoto = "add_photo",
    ReadPhoto = "read_photo",
    ListRepairs = "list_repairs",
    SetHours = "set_hours",
    // training
    Enrol = "enrol",
    CancelEnrolment = "cancel_enrolment",
    AcceptOffer = "accept_offer",
    DeclineOffer = "decline_offer",
    OfferSeat = "offer_seat",
    ExpireOffer = "expire_offer",
    CreateCourse = "create_course",
    CreateClass = "create_class",
    EditClass = "edit_class",
    PublishClass = "publish_class",
    StartClass = "start_class",
    CancelClass = "cancel_class",
    CloseClass = "close_class",
    ReadRoster = "read_roster",
    MarkAttendance = "mark_attendance",
    ChangeFeed = "change_feed",
    SayWish = "say_wish",
    MessageClass = "message_class",
    AddWalkIn = "add_walk_in",
    MoveSeat = "move_seat",
    PromoteSeat = "promote_seat",
    AskForClass = "ask_for_class",
    WithdrawWish = "withdraw_wish",
    ReadDemand = "read_demand",
    SetAvailability = "set_availability",
    SetClassRules = "set_class_rules",
    AddEquipment = "add_equipment",
    EditCourse = "edit_course",
    AddMaterial = "add_material",
    RemoveMaterial = "remove_material",
    ReadMaterial = "read_material",
    Announce = "announce",
    WithdrawAnnouncement = "withdraw_announcement",
    BookMakeUp = "book_make_up",
    CancelMakeUp = "cancel_make_up",
    MarkMakeUp = "mark_make_up",
    // cases
    ReadCase = "read_case",
    OpenCase = "open_case",
    ReplyToCase = "reply_to_case",
    ReopenCase = "reopen_case",
    ConfirmCase = "confirm_case",
    ListCases = "list_cases",
    AnswerCase = "answer_case",
    AskCustomer = "ask_customer",
    NoteCase = "note_case",
    AssignCase = "assign_case",
    SetCasePriority = "set_case_priority",
    ResolveCase = "resolve_case",
    CloseCase = "close_case",
    // ratings
    AskFeedback = "ask_feedback",
    RemindFeedback = "remind_feedback",
    Rate = "rate",
    ReadFeedback = "read_feedback",
    // follow-ups
    PlanFollowUp = "plan_follow_up",
    DoneFollowUp = "done_follow_up",
    ReadNeglected = "read_neglected",
    // groups
    EnrolGroup = "enrol_group",
    AcceptGroup = "accept_group",
    DeclineGroup = "decline_group",
    NameSeat = "name_seat",
    SwapSeat = "swap_seat",
    ReturnSeat = "return_seat",
    ReadTeam = "read_team",
    EditEquipment = "edit_equipment",
    RetireEquipment = "retire_equipment",
    AddRoom = "add_room",
    EditRoom = "edit_room",
    RetireRoom = "retire_room",
    InviteMember = "invite_member",
    WithdrawInvitation = "withdraw_invitation",
    AcceptInvitation = "accept_invitation",
    DeclineInvitation = "decline_invitation",
    EndMembership = "end_membership",
    ReadFirmTraining = "read_firm_training",
    PayBack = "pay_back",
    GiveItem = "give_item",
    KeepItem = "keep_item",
    TakeItem = "take_item",
    DeclineItem = "decline_item",
}

/// May this viewer do this to that? Pure, so that screens ask it too.
pub fn allows(viewer: &Viewer, act: Act, subject: &Subject) -> bool {
    match viewer {
        Viewer::Operator | Viewer::System => true,
        Viewer::Guest => matches!(act, Act::SignIn),
        Viewer::Link { act: granted, person } => *granted == act && subject.person == Some(*person),
        Viewer::Person(person) => person_may(person, act, subject),
    }
}

fn person_may(person: &Person, act: Act, subject: &Subject) -> bool {
    let mine = subject.person == Some(person.id);
    let my_firms = subject.organisation.is_some_and(|firm| person.owned_organisations().contains(&firm));
    let theirs = mine || my_firms;
    let has = |roles: &[Role]| roles.iter().any(|role| person.is(*role));
    // A manager or administrator may do whatever the staff may.
    let staff = |roles: &[Role]| has(roles) || has(&[Role::Manager, Role::Admin]);
    let any_staff = person.is_staff();
    match act {
        Act::SignIn => true,
        Act::SignOut | Act::EndSession | Act::EditAccount | Act::ReadInbox => mine,
        Act::AddStaff | Act::NameOwner | Act::PrintSignInLink => has(&[Role::Admin]),
        Act::Import => has(&[Role::Admin]),
        Act::OpenDesk => any_staff,
        Act::ReadCustomer => staff(&[Role::Agent]),

        Act::ReadPurchase => theirs || staff(&[Role::Agent, Role::Technician]),
        Act::RegisterPurchase => mine,
        Act::DecideRegistration | Act::GrantBenefit | Act::ExtendBenefit => staff(&[Role::Agent]),
        Act::SetGuarantee => staff(&[]),
        Act::ReadCharge => theirs || staff(&[Role::Agent]),
        Act::SettleCharge => staff(&[Role::Agent]),

        Act::ReadRepair | Act::ReadPhoto => theirs || staff(&[Role::Agent, Role::Technician]),
        Act::BookRepair | Act::MoveRepair | Act::CancelRepair => theirs || staff(&[Role::Agent, Role::Technician]),
        // Only whoever pays says yes to a price.
        Act::AcceptQuote | Act::DeclineQuote => theirs,
        Act::AddPhoto => mine || staff(&[Role::Agent, Role::Technician]),
        Act::ReceiveRepair
        | Act::DiagnoseRepair
        | Act::SendQuote
        | Act::StartRepair
        | Act::RecordWork
        | Act::WaitForParts
        | Act::FinishRepair
        | Act::MarkReady
        | Act::HandBack
        | Act::CloseRepair
        | Act::LapseQuote
        | Act::GiveUpRepair => staff(&[Role::Technician]),
        Act::ListRepairs => staff(&[Role::Technician, Role::Agent]),
        Act::SetHours => staff(&[]),

        Act::Enrol => theirs || staff(&[Role::Trainer, Role::Agent]),
        // Whoever answers people gives back any seat for them, a trainer those of their own classes.
        Act::CancelEnrolment => {
            theirs || staff(&[Role::Agent]) || (has(&[Role::Trainer]) && subject.assigned == Some(person.id))
        }
        Act::AcceptOffer | Act::DeclineOffer => theirs,
        Act::OfferSeat | Act::ExpireOffer => staff(&[Role::Trainer]),
        Act::ChangeFeed | Act::SayWish => mine,
        Act::AskForClass | Act::WithdrawWish => mine,
        Act::ReadDemand => staff(&[Role::Trainer]),
        // Visits are offered while a technician is there, classes planned while a trainer is.
        Act::SetAvailability => {
            (has(&[Role::Trainer, Role::Technician]) && subject.assigned == Some(person.id)) || staff(&[])
        }
        Act::SetClassRules | Act::AddEquipment => staff(&[]),
        Act::CreateCourse | Act::CreateClass => staff(&[Role::Trainer]),
        Act::EditCourse | Act::AddMaterial | Act::RemoveMaterial => staff(&[Role::Trainer]),
        Act::ReadMaterial => mine || staff(&[Role::Trainer]),
        Act::Announce | Act::WithdrawAnnouncement | Act::BookMakeUp | Act::CancelMakeUp => mine,
        // A trainer runs their own classes; a manager all.
        Act::EditClass
        | Act::PublishClass
        | Act::StartClass
        | Act::CancelClass
        | Act::CloseClass
        | Act::ReadRoster
        | Act::MessageClass
        | Act::AddWalkIn
        | Act::MoveSeat
        | Act::PromoteSeat => (has(&[Role::Trainer]) && subject.assigned == Some(person.id)) || staff(&[]),
        // Whoever helps in a class may be anybody of the staff.
        Act::MarkAttendance | Act::MarkMakeUp => (any_staff && subject.assigned == Some(person.id)) || staff(&[]),

        Act::ReadCase => theirs || staff(&[Role::Agent]),
        Act::OpenCase => mine || staff(&[Role::Agent]),
        Act::ReplyToCase | Act::ReopenCase | Act::ConfirmCase => theirs,
        Act::ListCases
        | Act::AnswerCase
        | Act::AskCustomer
        | Act::NoteCase
        | Act::AssignCase
        | Act::SetCasePriority
        | Act::ResolveCase
        | Act::CloseCase => staff(&[Role::Agent]),

        Act::AskFeedback | Act::RemindFeedback => staff(&[]),
        Act::Rate => mine,
        Act::ReadFeedback => staff(&[]),

        Act::PlanFollowUp | Act::DoneFollowUp => staff(&[Role::Agent]),
        Act::ReadNeglected => staff(&[]),

        // Only whoever pays says yes to a price, and disposes of the seats.
        Act::EnrolGroup | Act::AcceptGroup | Act::DeclineGroup | Act::NameSeat | Act::SwapSeat | Act::ReadTeam => {
            my_firms
        }
        Act::ReturnSeat => staff(&[]),
        Act::EditEquipment | Act::RetireEquipment => staff(&[]),
        Act::AddRoom | Act::EditRoom | Act::RetireRoom => staff(&[]),
        Act::InviteMember | Act::WithdrawInvitation | Act::EndMembership => my_firms,
        // Nobody joins a firm but by their own consent.
        Act::AcceptInvitation | Act::DeclineInvitation => mine,
        Act::ReadFirmTraining => staff(&[Role::Agent, Role::Trainer]),
        Act::PayBack => staff(&[Role::Agent]),
        // Only an owner gives away what is theirs: what was bought for a firm is the firm's, whoever of it has it. Only
        // whoever it is offered to takes it.
        Act::GiveItem | Act::KeepItem => my_firms || (mine && subject.organisation.is_none()),
        Act::TakeItem | Act::DeclineItem => mine,
    }
}

//! The states, steps and refusals of repairs in the reader's language.

use crate::{
    i18n::{Fmt, InWords},
    repairs::domain::{Actor, Mode, QuoteState, Refusal, Stage, State, Step, Verb},
    ui::Tone,
    w,
};

impl InWords for State {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Requested => w!(fmt, repairs.state_requested),
            Self::Booked => w!(fmt, repairs.state_booked),
            Self::Received => w!(fmt, repairs.state_received),
            Self::Diagnosed => w!(fmt, repairs.state_diagnosed),
            Self::Quoted => w!(fmt, repairs.state_quoted),
            Self::Approved => w!(fmt, repairs.state_approved),
            Self::Declined => w!(fmt, repairs.state_declined),
            Self::InRepair => w!(fmt, repairs.state_in_repair),
            Self::WaitingForParts => w!(fmt, repairs.state_waiting_for_parts),
            Self::Repaired => w!(fmt, repairs.state_repaired),
            Self::Ready => w!(fmt, repairs.state_ready),
            Self::HandedBack => w!(fmt, repairs.state_handed_back),
            Self::Closed => w!(fmt, repairs.state_closed),
            Self::Cancelled => w!(fmt, repairs.state_cancelled),
            Self::NotRepairable => w!(fmt, repairs.state_not_repairable),
        }
    }
}

impl InWords for Stage {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Requested => w!(fmt, repairs.stage_requested),
            Self::WeHaveIt => w!(fmt, repairs.stage_we_have_it),
            Self::WeNeedYou => w!(fmt, repairs.stage_we_need_you),
            Self::BeingFixed => w!(fmt, repairs.stage_being_fixed),
            Self::Ready => w!(fmt, repairs.stage_ready),
            Self::Done => w!(fmt, repairs.stage_done),
        }
    }
}

impl InWords for Step {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::SendItem => w!(fmt, repairs.step_send_item),
            Self::AgreeTime => w!(fmt, repairs.step_agree_time),
            Self::BringItem => w!(fmt, repairs.step_bring_item),
            Self::VisitYou => w!(fmt, repairs.step_visit_you),
            Self::Diagnose => w!(fmt, repairs.step_diagnose),
            Self::SendQuote => w!(fmt, repairs.step_send_quote),
            Self::AnswerQuote => w!(fmt, repairs.step_answer_quote),
            Self::StartWork => w!(fmt, repairs.step_start_work),
            Self::FinishWork => w!(fmt, repairs.step_finish_work),
            Self::PartsArrive => w!(fmt, repairs.step_parts_arrive),
            Self::PrepareReturn => w!(fmt, repairs.step_prepare_return),
            Self::TestAndPack => w!(fmt, repairs.step_test_and_pack),
            Self::SendBack => w!(fmt, repairs.step_send_back),
            Self::Collect => w!(fmt, repairs.step_collect),
            Self::HandOverThere => w!(fmt, repairs.step_hand_over_there),
            Self::SettleDown => w!(fmt, repairs.step_settle_down),
        }
    }
}

impl InWords for Verb {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Move => w!(fmt, repairs.do_move),
            Self::Cancel => w!(fmt, repairs.do_cancel),
            Self::Receive => w!(fmt, repairs.do_receive),
            Self::Diagnose => w!(fmt, repairs.do_diagnose),
            Self::Quote => w!(fmt, repairs.do_quote),
            Self::Accept => w!(fmt, repairs.do_accept),
            Self::Decline => w!(fmt, repairs.do_decline),
            Self::Lapse => w!(fmt, repairs.do_lapse),
            Self::Start => w!(fmt, repairs.do_start),
            Self::WaitForParts => w!(fmt, repairs.do_wait_for_parts),
            Self::Resume => w!(fmt, repairs.do_resume),
            Self::Finish => w!(fmt, repairs.do_finish),
            Self::Reopen => w!(fmt, repairs.do_reopen),
            Self::MakeReady => w!(fmt, repairs.do_make_ready),
            Self::HandBack => w!(fmt, repairs.do_hand_back),
            Self::Close => w!(fmt, repairs.do_close),
            Self::GiveUp => w!(fmt, repairs.do_give_up),
        }
    }
}

impl InWords for Actor {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Customer => w!(fmt, repairs.actor_customer),
            Self::Technician => w!(fmt, repairs.actor_technician),
            Self::System => w!(fmt, repairs.actor_system),
        }
    }
}

impl InWords for Mode {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::BringIn => w!(fmt, repairs.mode_bring_in),
            Self::SendIn => w!(fmt, repairs.mode_send_in),
            Self::OnSite => w!(fmt, repairs.mode_on_site),
        }
    }
}

impl InWords for QuoteState {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::Sent => w!(fmt, repairs.quote_state_sent),
            Self::Accepted => w!(fmt, repairs.quote_state_accepted),
            Self::Declined => w!(fmt, repairs.quote_state_declined),
            Self::Expired => w!(fmt, repairs.quote_state_expired),
            Self::Superseded => w!(fmt, repairs.quote_state_superseded),
        }
    }
}

/// The next step as the staff say it.
pub fn desk_step(fmt: Fmt, step: Step) -> String {
    match step {
        Step::SendItem => w!(fmt, repairs.desk_step_send_item),
        Step::AgreeTime => w!(fmt, repairs.desk_step_agree_time),
        Step::BringItem => w!(fmt, repairs.desk_step_bring_item),
        Step::VisitYou => w!(fmt, repairs.desk_step_visit_you),
        Step::Diagnose => w!(fmt, repairs.desk_step_diagnose),
        Step::SendQuote => w!(fmt, repairs.desk_step_send_quote),
        Step::AnswerQuote => w!(fmt, repairs.desk_step_answer_quote),
        Step::StartWork => w!(fmt, repairs.desk_step_start_work),
        Step::FinishWork => w!(fmt, repairs.desk_step_finish_work),
        Step::PartsArrive => w!(fmt, repairs.desk_step_parts_arrive),
        Step::PrepareReturn => w!(fmt, repairs.desk_step_prepare_return),
        Step::TestAndPack => w!(fmt, repairs.desk_step_test_and_pack),
        Step::SendBack => w!(fmt, repairs.desk_step_send_back),
        Step::Collect => w!(fmt, repairs.desk_step_collect),
        Step::HandOverThere => w!(fmt, repairs.desk_step_hand_over_there),
        Step::SettleDown => w!(fmt, repairs.desk_step_settle_down),
    }
}

/// How the item comes, as the staff say it.
pub fn desk_mode(fmt: Fmt, mode: Mode) -> String {
    match mode {
        Mode::BringIn => w!(fmt, repairs.desk_mode_bring_in),
        Mode::SendIn => w!(fmt, repairs.desk_mode_send_in),
        Mode::OnSite => w!(fmt, repairs.desk_mode_on_site),
    }
}

/// What a line of the timeline says; `verb` as it is stored.
pub fn event(fmt: Fmt, verb: &str) -> String {
    match verb.parse::<Verb>() {
        Ok(Verb::Move) => w!(fmt, repairs.event_move),
        Ok(Verb::Cancel) => w!(fmt, repairs.event_cancel),
        Ok(Verb::Receive) => w!(fmt, repairs.event_receive),
        Ok(Verb::Diagnose) => w!(fmt, repairs.event_diagnose),
        Ok(Verb::Quote) => w!(fmt, repairs.event_quote),
        Ok(Verb::Accept) => w!(fmt, repairs.event_accept),
        Ok(Verb::Decline) => w!(fmt, repairs.event_decline),
        Ok(Verb::Lapse) => w!(fmt, repairs.event_lapse),
        Ok(Verb::Start) => w!(fmt, repairs.event_start),
        Ok(Verb::WaitForParts) => w!(fmt, repairs.event_wait_for_parts),
        Ok(Verb::Resume) => w!(fmt, repairs.event_resume),
        Ok(Verb::Finish) => w!(fmt, repairs.event_finish),
        Ok(Verb::Reopen) => w!(fmt, repairs.event_reopen),
        Ok(Verb::MakeReady) => w!(fmt, repairs.event_make_ready),
        Ok(Verb::HandBack) => w!(fmt, repairs.event_hand_back),
        Ok(Verb::Close) => w!(fmt, repairs.event_close),
        Ok(Verb::GiveUp) => w!(fmt, repairs.event_give_up),
        Err(_) if verb == "request" => w!(fmt, repairs.event_request),
        Err(_) => w!(fmt, repairs.event_book),
    }
}

/// How a state feels to the customer.
pub fn tone(state: State) -> Tone {
    match state.stage() {
        Stage::WeNeedYou => Tone::Warn,
        Stage::Ready => Tone::Good,
        Stage::Done if matches!(state, State::Cancelled | State::NotRepairable) => Tone::Plain,
        Stage::Done => Tone::Good,
        Stage::Requested | Stage::WeHaveIt | Stage::BeingFixed => Tone::Info,
    }
}

/// What the customer reads of a state: the stage, or how it ended.
pub fn customer_state(fmt: Fmt, state: State) -> String {
    match state {
        State::Cancelled | State::NotRepairable => state.in_words(fmt),
        _ => state.stage().in_words(fmt),
    }
}

/// How a quote stands.
pub fn quote_tone(state: QuoteState) -> Tone {
    match state {
        QuoteState::Sent => Tone::Warn,
        QuoteState::Accepted => Tone::Good,
        QuoteState::Declined | QuoteState::Expired | QuoteState::Superseded => Tone::Plain,
    }
}

impl InWords for Refusal {
    fn in_words(&self, fmt: Fmt) -> String {
        match self {
            Self::NotNow { state, .. } => w!(fmt, repairs.refuse_not_now, state = state.in_words(fmt)),
            Self::SlotTaken => w!(fmt, repairs.refuse_slot_taken),
            Self::SlotGone => w!(fmt, repairs.refuse_slot_gone),
            Self::NoticeOver { .. } => w!(fmt, repairs.notice_over),
            Self::NeedsAcceptedQuote => w!(fmt, repairs.refuse_needs_quote),
            Self::QuoteExpired { on } => w!(fmt, repairs.refuse_quote_expired, date = fmt.date(*on)),
            Self::QuoteReplaced => w!(fmt, repairs.refuse_quote_replaced),
            Self::QuoteEmpty => w!(fmt, repairs.refuse_quote_empty),
            Self::ChangedMeanwhile { state, theirs, yours } => {
                let mut text = w!(fmt, repairs.refuse_changed, state = state.in_words(fmt));
                if !theirs.is_empty() {
                    text.push(' ');
                    text.push_str(&w!(fmt, repairs.refuse_changed_theirs, words = theirs.clone()));
                }
                if !yours.is_empty() {
                    text.push(' ');
                    text.push_str(&w!(fmt, repairs.refuse_changed_yours, words = yours.clone()));
                }
                text
            }
            Self::NothingToRepair => w!(fmt, repairs.refuse_nothing),
            Self::NoWorkshop => w!(fmt, repairs.refuse_no_workshop),
            Self::PriceToAgree { fee } => w!(fmt, repairs.refuse_price_to_agree, fee = fmt.money(*fee)),
            Self::PriceChanged { fee } => w!(fmt, repairs.refuse_price_changed, fee = fmt.money(*fee)),
        }
    }
}

//! From a view to an answer: the document with its bars around it, in the reader's language.

use super::{Cx, demo, form::Sheet, notice::Notice};
use crate::{
    access::{Act, Role, Subject},
    error::AppError,
    i18n::{InWords, LANGUAGES},
    ui::*,
    w,
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use leptos::prelude::*;
use leptos_i18n::Locale as _;

/// In which frame a page stands, and which of its doors is the current one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame {
    Portal(PortalTab),
    Desk(DeskTab),
    /// Nothing but the page: before signing in, and behind secret links.
    Plain,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortalTab {
    Home,
    Purchases,
    Repairs,
    Training,
    Help,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeskTab {
    Today,
    Classes,
    Repairs,
    Cases,
    Customers,
    Registrations,
    Charges,
    Feedback,
    Neglected,
    Settings,
    None,
}

impl Cx {
    /// A page with status 200. `body` is built where signals and islands have an owner.
    pub fn page<V: IntoView + 'static>(
        &self,
        frame: Frame,
        title: impl Into<String>,
        body: impl FnOnce() -> V,
    ) -> Response {
        self.page_with(StatusCode::OK, frame, title, body)
    }

    pub fn page_with<V: IntoView + 'static>(
        &self,
        status: StatusCode,
        frame: Frame,
        title: impl Into<String>,
        body: impl FnOnce() -> V,
    ) -> Response {
        let owner = Owner::new();
        let html = owner.with(|| {
            let body = body().into_any();
            html_document(self.document(frame, title.into(), body)).to_html()
        });
        owner.cleanup();
        // Islands are the only thing that needs the wasm; a page without one loads none.
        let boot = if html.contains("<leptos-island") { self.boot() } else { String::new() };
        let html = html.replacen(BOOT_MARK, &boot, 1);
        (status, Html(html)).into_response()
    }

    /// 200 for a fresh sheet, 422 for one that came back.
    pub fn sheet_page<V: IntoView + 'static>(
        &self,
        sheet: &Sheet,
        frame: Frame,
        title: impl Into<String>,
        body: impl FnOnce() -> V,
    ) -> Response {
        let status = match sheet.later() {
            Some(error) => super::guard::status(error),
            None if sheet.is_again() => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let mut response = self.page_with(status, frame, title, body);
        retry_after(&mut response, sheet.later());
        response
    }

    /// On to another page by 303, with something to say there.
    pub fn redirect(&self, path: &str, notice: Option<Notice>) -> Response {
        // What no header can hold is no address of ours.
        let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
        let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response();
        if let Some(cookie) = notice.and_then(|notice| notice.cookie(&self.app).parse().ok()) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// What is wrong with a field of the sheet, in words.
    pub fn fault(&self, sheet: &Sheet, field: &str) -> Option<String> {
        sheet.fault(field).map(|fault| fault.in_words(self.fmt()))
    }

    /// The summary above a form that came back: every fault with a link to its field, or the refusal.
    pub fn faults(&self, sheet: &Sheet) -> AnyView {
        if let Some(refusal) = sheet.refusal() {
            let text = refusal.in_words(self.fmt());
            return view! { <Alert tone=Tone::Bad urgent=true><p>{text}</p></Alert> }.into_any();
        }
        if let Some(error) = sheet.later() {
            let (title, text) = error_words(self, error);
            return view! {
                <Alert tone=Tone::Bad urgent=true><p><strong>{title}</strong></p><p>{text}</p></Alert>
            }
            .into_any();
        }
        let faults: Vec<(String, String)> =
            sheet.faults().0.iter().map(|(field, fault)| (field.clone(), fault.in_words(self.fmt()))).collect();
        if faults.is_empty() {
            return ().into_any();
        }
        view! { <FormErrors title=w!(self, shell.faults_title, count = faults.len() as u64) faults/> }.into_any()
    }

    /// What was typed into a form that is offered no more, each under its label, to be copied.
    pub fn kept(&self, typed: Vec<(String, String)>) -> Option<AnyView> {
        let typed: Vec<(String, String)> = typed.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        if typed.is_empty() {
            return None;
        }
        let rows = typed.into_iter().map(|(label, text)| (label, view! { <span class="pre">{text}</span> }.into_any()));
        let rows: Vec<(String, AnyView)> = rows.collect();
        let t = self.fmt();
        let view = view! {
            <Card title=w!(t, shell.kept_title) tone=Some(Tone::Warn)>
                <p class="hint">{w!(t, shell.kept_text)}</p>
                <DefinitionList rows/>
            </Card>
        };
        Some(view.into_any())
    }

    /// The tag that loads the wasm and wakes the islands.
    fn boot(&self) -> String {
        let assets = &self.app.assets;
        format!(
            r#"<script type="module" nonce="{}" src="{}" data-module="{}" data-wasm="{}"></script>"#,
            self.request.nonce,
            assets.address("boot.js"),
            assets.address("pkg/aftercare.js"),
            assets.address("pkg/aftercare_bg.wasm"),
        )
    }

    fn document(&self, frame: Frame, title: String, body: AnyView) -> Document {
        let company = self.app.company.name.clone();
        let assets = &self.app.assets;
        let icon = assets.has("icon.svg").then(|| view! { <link rel="icon" type="image/svg+xml" href="/icon.svg"/> });
        let manifest =
            assets.has("manifest.webmanifest").then(|| view! { <link rel="manifest" href="/manifest.webmanifest"/> });
        let boot = view! { <meta name="boot"/> };
        let back = self.request.path.clone();
        let languages = LANGUAGES.iter().map(|(code, name)| ((*code).to_owned(), (*name).to_owned())).collect();
        Document {
            lang: self.locale.as_str().to_owned(),
            direction: "ltr",
            title: format!("{title} · {company}"),
            frame: match frame {
                Frame::Portal(_) => FrameKind::Portal,
                Frame::Desk(_) => FrameKind::Desk,
                Frame::Plain => FrameKind::Plain,
            },
            skip: w!(self, shell.skip_to_content),
            style: assets.address("main.css"),
            head: view! { {icon} {manifest} {boot} }.into_any(),
            demo_bar: demo::bar(self),
            bars: self.bars(frame),
            notice: self
                .request
                .notice
                .map(|notice| view! { <NoticeLine tone=Tone::Good text=notice.in_words(self.fmt())/> })
                .into_any(),
            body,
            foot: view! {
                <LanguageMenu action="/language" back label=w!(self, shell.language) button=w!(self, shell.change)
                    current=self.locale.as_str() languages/>
            }
            .into_any(),
        }
    }

    fn bars(&self, frame: Frame) -> AnyView {
        let brand = self.app.company.name.clone();
        let tools = self.tools();
        match frame {
            Frame::Plain => view! { <TopBar brand home="/"/> }.into_any(),
            Frame::Portal(tab) => {
                let item = |href: &str, label: String, icon, current| NavItem::new(href, label, icon, current);
                let items = vec![
                    item("/", w!(self, shell.home), Icon::Home, tab == PortalTab::Home),
                    item("/purchases", w!(self, shell.purchases), Icon::Box, tab == PortalTab::Purchases),
                    item("/repairs", w!(self, shell.repairs), Icon::Wrench, tab == PortalTab::Repairs),
                    item("/training", w!(self, shell.training), Icon::Cap, tab == PortalTab::Training),
                    item("/help", w!(self, shell.help), Icon::Help, tab == PortalTab::Help),
                ];
                let nav = view! { <BottomBar label=w!(self, shell.main_navigation) items/> }.into_any();
                view! { <TopBar brand home="/" nav>{tools}</TopBar> }.into_any()
            }
            Frame::Desk(tab) => {
                let nav = view! { <Rail label=w!(self, shell.desk_navigation) items=self.desk_doors(tab)/> }.into_any();
                let before = view! { <RailButton label=w!(self, shell.menu)/> }.into_any();
                view! { <TopBar brand home="/desk" before>{tools}</TopBar> {nav} }.into_any()
            }
        }
    }

    fn tools(&self) -> AnyView {
        if self.viewer.person().is_none() {
            return view! { <BarLink href="/sign-in" icon=Icon::User label=w!(self, shell.sign_in)/> }.into_any();
        }
        let desk = self
            .viewer
            .is_staff()
            .then(|| view! { <BarLink href="/desk" icon=Icon::List label=w!(self, shell.desk)/> });
        view! {
            {desk}
            <BarLink href="/inbox" icon=Icon::Inbox label=w!(self, shell.inbox)/>
            <BarLink href="/account" icon=Icon::User label=w!(self, shell.account)/>
        }
        .into_any()
    }

    /// The rail shows the doors that this viewer may open.
    fn desk_doors(&self, tab: DeskTab) -> Vec<NavItem> {
        let may = |act| self.viewer.can(act, &Subject::nobody());
        let trainer =
            self.viewer.person().is_some_and(|p| p.is(Role::Trainer) || p.is(Role::Manager) || p.is(Role::Admin));
        let mut doors = vec![NavItem::new("/desk", w!(self, shell.today), Icon::Home, tab == DeskTab::Today)];
        let mut door = |open: bool, href: &str, label: String, icon, this| {
            if open {
                doors.push(NavItem::new(href, label, icon, tab == this));
            }
        };
        door(may(Act::ReadNeglected), "/desk/neglected", w!(self, shell.neglected), Icon::Alert, DeskTab::Neglected);
        door(trainer, "/desk/classes", w!(self, shell.classes), Icon::Cap, DeskTab::Classes);
        door(may(Act::ListRepairs), "/desk/repairs", w!(self, shell.repairs), Icon::Wrench, DeskTab::Repairs);
        door(may(Act::ListCases), "/desk/cases", w!(self, shell.cases), Icon::Chat, DeskTab::Cases);
        door(may(Act::ReadCustomer), "/desk/customers", w!(self, shell.customers), Icon::Users, DeskTab::Customers);
        door(
            may(Act::DecideRegistration),
            "/desk/registrations",
            w!(self, shell.registrations),
            Icon::Box,
            DeskTab::Registrations,
        );
        door(may(Act::SettleCharge), "/desk/charges", w!(self, shell.charges), Icon::Coin, DeskTab::Charges);
        door(may(Act::ReadFeedback), "/desk/feedback", w!(self, shell.feedback), Icon::Star, DeskTab::Feedback);
        door(may(Act::SetHours), "/desk/settings", w!(self, shell.settings), Icon::Gear, DeskTab::Settings);
        doors
    }
}

/// Where the tag stands that wakes the islands, on pages that have any.
const BOOT_MARK: &str = r#"<meta name="boot">"#;

impl InWords for Notice {
    fn in_words(&self, fmt: crate::i18n::Fmt) -> String {
        match self {
            Self::SignedIn => w!(fmt, shell.notice_signed_in),
            Self::SignedOut => w!(fmt, shell.notice_signed_out),
            Self::SessionEnded => w!(fmt, shell.notice_session_ended),
            Self::AccountSaved => w!(fmt, shell.notice_account_saved),
            Self::LanguageChanged => w!(fmt, shell.notice_language_changed),
            Self::ClockMoved => w!(fmt, shell.notice_clock_moved),
            Self::CaseOpened => w!(fmt, cases.notice_opened),
            Self::CaseReplied => w!(fmt, cases.notice_replied),
            Self::CaseClosed => w!(fmt, cases.notice_closed),
            Self::CaseReopened => w!(fmt, cases.notice_reopened),
            Self::CaseTaken => w!(fmt, cases.notice_taken),
            Self::CaseAssigned => w!(fmt, cases.notice_assigned),
            Self::CasePrioritised => w!(fmt, cases.notice_prioritised),
            Self::DeskHoursSaved => w!(fmt, cases.notice_hours),
            Self::CaseNoted => w!(fmt, cases.notice_noted),
            Self::CaseResolved => w!(fmt, cases.notice_resolved),
            Self::Rated => w!(fmt, ratings.notice_rated),
            Self::FollowUpPlanned => w!(fmt, followups.notice_planned),
            Self::FollowUpDone => w!(fmt, followups.notice_done),
            Self::PurchaseRegistered => w!(fmt, purchases.notice_order),
            Self::RegistrationReceived => w!(fmt, purchases.notice_serial),
            Self::RegistrationAccepted => w!(fmt, purchases.notice_accepted),
            Self::RegistrationRefused => w!(fmt, purchases.notice_refused),
            Self::BenefitGiven => w!(fmt, benefits.notice_given),
            Self::BenefitExtended => w!(fmt, benefits.notice_extended),
            Self::ChargeSettled => w!(fmt, charges.notice_settled),
            Self::ItemOffered => w!(fmt, handover.notice_offered),
            Self::ItemKept => w!(fmt, handover.notice_kept),
            Self::ItemTaken => w!(fmt, handover.notice_taken),
            Self::ItemDeclined => w!(fmt, handover.notice_declined),
            Self::ChargePaidBack => w!(fmt, charges.notice_paid_back),
            Self::RepairBooked => w!(fmt, repairs.notice_booked),
            Self::RepairMoved => w!(fmt, repairs.notice_moved),
            Self::RepairCancelled => w!(fmt, repairs.notice_cancelled),
            Self::QuoteAccepted => w!(fmt, repairs.notice_accepted),
            Self::QuoteDeclined => w!(fmt, repairs.notice_declined),
            Self::RepairSaved => w!(fmt, repairs.notice_saved),
            Self::Enrolled => w!(fmt, training.notice_booked),
            Self::Waitlisted => w!(fmt, training.notice_waitlisted),
            Self::EnrolmentCancelled => w!(fmt, training.notice_cancelled),
            Self::EnrolmentCancelledLate => w!(fmt, training.notice_cancelled_late),
            Self::OfferDeclined => w!(fmt, training.notice_declined),
            Self::CalendarChanged => w!(fmt, training.notice_calendar),
            Self::CourseCreated => w!(fmt, training.notice_course),
            Self::ClassDrafted => w!(fmt, training.notice_draft),
            Self::ClassPublished => w!(fmt, training.notice_published),
            Self::ClassSaved => w!(fmt, training.notice_saved),
            Self::ClassClosed => w!(fmt, training.notice_closed),
            Self::ClassCancelled => w!(fmt, training.notice_class_cancelled),
            Self::CheckedIn => w!(fmt, teaching.notice_checked_in),
            Self::MarkTakenBack => w!(fmt, teaching.notice_taken_back),
            Self::ClassWritten => w!(fmt, teaching.notice_written),
            Self::WalkInSeated => w!(fmt, teaching.notice_walk_in),
            Self::SeatMoved => w!(fmt, teaching.notice_moved),
            Self::SeatGiven => w!(fmt, teaching.notice_given),
            Self::WishSaid => w!(fmt, teaching.notice_wish),
            Self::SeriesDrafted => w!(fmt, planning.notice_series),
            Self::WishKept => w!(fmt, planning.notice_wish),
            Self::WishWithdrawn => w!(fmt, planning.notice_withdrawn),
            Self::ClassOpenedForAskers => w!(fmt, planning.notice_opened),
            Self::AvailabilitySaved => w!(fmt, planning.notice_availability),
            Self::ClassRulesSaved => w!(fmt, planning.notice_rules),
            Self::GuaranteesSaved => w!(fmt, coverage.notice_guarantees),
            Self::EquipmentAdded => w!(fmt, planning.notice_equipment),
            Self::EquipmentChanged => w!(fmt, learning.notice_equipment_changed),
            Self::EquipmentRetired => w!(fmt, learning.notice_equipment_retired),
            Self::RoomAdded => w!(fmt, rooms.notice_added),
            Self::RoomChanged => w!(fmt, rooms.notice_changed),
            Self::RoomRetired => w!(fmt, rooms.notice_retired),
            Self::CourseSaved => w!(fmt, learning.notice_course_saved),
            Self::MaterialAdded => w!(fmt, learning.notice_material_added),
            Self::MaterialRemoved => w!(fmt, learning.notice_material_removed),
            Self::Announced => w!(fmt, learning.notice_announced),
            Self::AnnouncementWithdrawn => w!(fmt, learning.notice_announcement_withdrawn),
            Self::MakeUpBooked => w!(fmt, learning.notice_make_up_booked),
            Self::MakeUpCancelled => w!(fmt, learning.notice_make_up_cancelled),
            Self::GroupEnrolled => w!(fmt, groups.notice_enrolled),
            Self::GroupWaits => w!(fmt, groups.notice_waits),
            Self::GroupPartly => w!(fmt, groups.notice_partly),
            Self::GroupDeclined => w!(fmt, groups.notice_declined),
            Self::SeatNamed => w!(fmt, groups.notice_named),
            Self::SeatSwapped => w!(fmt, groups.notice_swapped),
            Self::SeatGivenBack => w!(fmt, groups.notice_given_back),
            Self::SeatHeld => w!(fmt, groups.notice_held),
            Self::MemberInvited => w!(fmt, team.notice_invited),
            Self::InvitationWithdrawn => w!(fmt, team.notice_withdrawn),
            Self::InvitationAccepted => w!(fmt, team.notice_accepted),
            Self::InvitationDeclined => w!(fmt, team.notice_declined),
            Self::MembershipEnded => w!(fmt, team.notice_ended),
        }
    }
}

/// To the sign-in, and from there on to `next`.
pub fn sign_in_first(cx: &Cx, next: &str) -> Response {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    cx.redirect(&format!("/sign-in?next={next}"), None)
}

/// The page of an error: what happened and what one can do, with the error's own status.
pub fn error(cx: &Cx, error: AppError) -> Response {
    let (title, text) = error_words(cx, &error);
    let mut response = helpful(cx, super::guard::status(&error), title, text);
    retry_after(&mut response, Some(&error));
    response
}

/// A page that says why there is nothing to see, and leads to where there is.
fn helpful(cx: &Cx, status: StatusCode, title: String, text: String) -> Response {
    let t = cx.fmt();
    let frame = if cx.request.path.starts_with("/desk") && cx.viewer.is_staff() {
        Frame::Desk(DeskTab::None)
    } else {
        Frame::Portal(PortalTab::None)
    };
    cx.page_with(status, frame, title.clone(), || {
        view! {
            <PageHead title=title lead=Some(text)/>
            <Actions><ButtonLink href="/" icon=Some(Icon::Home)>{w!(t, shell.go_home)}</ButtonLink></Actions>
        }
    })
}

/// What an error is called, and what one can do.
fn error_words(cx: &Cx, error: &AppError) -> (String, String) {
    match error {
        AppError::Forbidden => (w!(cx, shell.forbidden_title), w!(cx, shell.forbidden_text)),
        AppError::NotFound | AppError::SignIn => (w!(cx, shell.not_found_title), w!(cx, shell.not_found_text)),
        AppError::TooLarge => (w!(cx, shell.too_large_title), w!(cx, shell.too_large_text)),
        AppError::Busy => (w!(cx, shell.busy_title), w!(cx, shell.busy_text)),
        AppError::TooMany { seconds } => {
            (w!(cx, shell.too_many_title), w!(cx, shell.too_many_text, count = u64::from(seconds.div_ceil(60))))
        }
        AppError::Refused(refusal) => (w!(cx, shell.refused_title), refusal.in_words(cx.fmt())),
        AppError::Invalid(faults) => (
            w!(cx, shell.refused_title),
            faults.0.first().map_or_else(String::new, |(_, fault)| fault.in_words(cx.fmt())),
        ),
        AppError::Internal(reference) => {
            (w!(cx, shell.internal_title), w!(cx, shell.internal_text, reference = reference.clone()))
        }
    }
}

/// Says to programs when the same may be tried again.
fn retry_after(response: &mut Response, error: Option<&AppError>) {
    let wait = match error {
        Some(AppError::TooMany { seconds }) => *seconds,
        Some(AppError::Busy) => 2,
        _ => return,
    };
    response.headers_mut().insert(header::RETRY_AFTER, wait.into());
}

/// Every address that is nothing.
pub async fn nowhere(cx: Cx) -> Response {
    error(&cx, AppError::NotFound)
}

/// An address to which forms are sent was opened, or the other way round. The router adds what it does take (`Allow`).
pub async fn wrong_method(cx: Cx) -> Response {
    let (title, text) = (w!(cx, shell.wrong_method_title), w!(cx, shell.wrong_method_text));
    helpful(&cx, StatusCode::METHOD_NOT_ALLOWED, title, text)
}

//! One act, one line of history: every act that changes something is done once, in a demo world of its own, by the door
//! that people use; the portal's and the operator's own acts by their service.

use super::{
    Who, demo,
    digest::connect,
    text,
    things::{Things, photo_post},
};
use crate::{
    sold::{file, import, options},
    world::{Reply, World},
};
use aftercare::{
    access::{Act, Role, Viewer},
    import::server::Kind,
    jobs::{self, Job},
};
use axum::http::StatusCode;
use std::{collections::BTreeMap, sync::Arc};

mod care;
mod groups;
mod learning;
mod repairs;
mod team;
mod training;

/// Whether an act leaves a line. The others only ask whether somebody may look.
fn changes(act: Act) -> bool {
    match act {
        Act::SignIn
        | Act::SignOut
        | Act::EndSession
        | Act::EditAccount
        | Act::AddStaff
        | Act::PrintSignInLink
        | Act::NameOwner
        | Act::Import
        | Act::RegisterPurchase
        | Act::DecideRegistration
        | Act::SetGuarantee
        | Act::GrantBenefit
        | Act::ExtendBenefit
        | Act::SettleCharge
        | Act::BookRepair
        | Act::MoveRepair
        | Act::CancelRepair
        | Act::AcceptQuote
        | Act::DeclineQuote
        | Act::LapseQuote
        | Act::ReceiveRepair
        | Act::DiagnoseRepair
        | Act::SendQuote
        | Act::StartRepair
        | Act::RecordWork
        | Act::WaitForParts
        | Act::FinishRepair
        | Act::MarkReady
        | Act::HandBack
        | Act::CloseRepair
        | Act::GiveUpRepair
        | Act::AddPhoto
        | Act::SetHours
        | Act::OpenCase
        | Act::ReplyToCase
        | Act::ReopenCase
        | Act::ConfirmCase
        | Act::AnswerCase
        | Act::AskCustomer
        | Act::NoteCase
        | Act::AssignCase
        | Act::SetCasePriority
        | Act::ResolveCase
        | Act::CloseCase
        | Act::AskFeedback
        | Act::RemindFeedback
        | Act::Rate
        | Act::PlanFollowUp
        | Act::DoneFollowUp
        | Act::Enrol
        | Act::CancelEnrolment
        | Act::AcceptOffer
        | Act::DeclineOffer
        | Act::OfferSeat
        | Act::ExpireOffer
        | Act::CreateCourse
        | Act::CreateClass
        | Act::EditClass
        | Act::PublishClass
        | Act::StartClass
        | Act::CancelClass
        | Act::CloseClass
        | Act::MarkAttendance
        | Act::ChangeFeed
        | Act::SayWish
        | Act::MessageClass
        | Act::AddWalkIn
        | Act::MoveSeat
        | Act::PromoteSeat
        | Act::AskForClass
        | Act::WithdrawWish
        | Act::SetAvailability
        | Act::SetClassRules
        | Act::AddEquipment
        | Act::EditCourse
        | Act::AddMaterial
        | Act::RemoveMaterial
        | Act::Announce
        | Act::WithdrawAnnouncement
        | Act::BookMakeUp
        | Act::CancelMakeUp
        | Act::MarkMakeUp
        | Act::EnrolGroup
        | Act::AcceptGroup
        | Act::DeclineGroup
        | Act::NameSeat
        | Act::SwapSeat
        | Act::ReturnSeat
        | Act::EditEquipment
        | Act::RetireEquipment
        | Act::AddRoom
        | Act::EditRoom
        | Act::RetireRoom
        | Act::InviteMember
        | Act::WithdrawInvitation
        | Act::AcceptInvitation
        | Act::DeclineInvitation
        | Act::EndMembership
        | Act::PayBack
        | Act::GiveItem
        | Act::KeepItem
        | Act::TakeItem
        | Act::DeclineItem
        // That staff looked at all that somebody has is worth a line as well.
        | Act::ReadCustomer => true,
        Act::ReadInbox
        | Act::OpenDesk
        | Act::ReadPurchase
        | Act::ReadCharge
        | Act::ReadRepair
        | Act::ReadPhoto
        | Act::ListRepairs
        | Act::ReadCase
        | Act::ListCases
        | Act::ReadFeedback
        | Act::ReadRoster
        | Act::ReadDemand
        | Act::ReadMaterial
        | Act::ReadNeglected
        | Act::ReadTeam
        | Act::ReadFirmTraining => false,
    }
}

/// A line of the history: its act and who did it.
type Line = (String, String);

/// A world in which one thing is done.
struct Walk {
    world: Arc<World>,
    done: Option<Vec<Line>>,
}

impl Walk {
    async fn lines(&self) -> BTreeMap<String, Line> {
        let rows: Vec<(String, String, String)> = sqlx::query_as("select hex(id), act, actor_kind from history")
            .fetch_all(&mut connect(&self.world).await)
            .await
            .unwrap();
        rows.into_iter().map(|(id, act, kind)| (id, (act, kind))).collect()
    }

    /// Does it, and keeps the lines that came by it.
    async fn once<T>(&mut self, work: impl Future<Output = T>) -> T {
        assert!(self.done.is_none(), "only one thing is done");
        let before = self.lines().await;
        let done = work.await;
        let after = self.lines().await;
        self.done = Some(after.into_iter().filter(|(id, _)| !before.contains_key(id)).map(|(_, line)| line).collect());
        done
    }

    /// Posts as somebody who is signed in, and is led on.
    async fn post(&mut self, email: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let world = self.world.clone();
        let signed = self.world.signed(email).await;
        let reply = self.once(async { world.post_with(&signed.cookie, path, fields).await }).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{path} {fields:?}: {}", reply.body);
        reply
    }

    async fn text(&self, sql: &str) -> String {
        text(&self.world, sql).await
    }
}

const CUSTOMER: &str = "customer@example.com";
const AGENT: &str = "agent@example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_act_that_changes_something_leaves_exactly_one_line() {
    let mut wrong = Vec::new();
    for act in Act::ALL.iter().copied().filter(|act| changes(*act)) {
        let mut walk = Walk { world: Arc::new(demo().await), done: None };
        perform(&mut walk, act).await;
        let lines = walk.done.unwrap_or_else(|| panic!("{act:?}: nothing was done"));
        let own = lines.iter().filter(|(name, _)| name == act.as_str()).count();
        let others = lines.iter().filter(|(name, kind)| name != act.as_str() && kind == "person").count();
        if own != 1 || others != 0 {
            wrong.push(format!("{act:?}: {lines:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn perform(walk: &mut Walk, act: Act) {
    match act {
        Act::SignIn | Act::SignOut | Act::EndSession | Act::EditAccount => accounts(walk, act).await,
        Act::AddStaff | Act::PrintSignInLink | Act::NameOwner | Act::Import => operator(walk, act).await,
        Act::RegisterPurchase => {
            let form = [("serial_number", "WALK-1"), ("proof", "A receipt.")];
            walk.post(CUSTOMER, "/purchases/register", &form).await;
        }
        Act::DecideRegistration => {
            let id = walk.text("select lower(hex(id)) from registration where state = 'open'").await;
            let form = [("registration", id.as_str()), ("decision", "refuse"), ("why", "It is not yours.")];
            walk.post(AGENT, "/desk/registrations", &form).await;
        }
        Act::SetGuarantee => {
            walk.post("manager@example.com", "/desk/settings/guarantees", &[("months_SE", "36")]).await;
        }
        Act::GrantBenefit | Act::ExtendBenefit => {
            let things = Things::of(&walk.world).await;
            let mut form = things.form("/desk/benefits/{item}");
            if act == Act::ExtendBenefit {
                form = vec![("do", "longer"), form[1], ("until", "2031-01-31"), form[3]];
            }
            walk.post(AGENT, &things.address("/desk/benefits/{item}"), &form).await;
        }
        Act::SettleCharge => {
            Things::of(&walk.world).await;
            let id = walk.text("select lower(hex(id)) from charge where state = 'due'").await;
            walk.post(AGENT, "/desk/charges", &[("charge", &id), ("outcome", "paid")]).await;
        }
        Act::GiveItem | Act::KeepItem => {
            let free = "select lower(hex(i.id)) from item i join purchase p on p.id = i.purchase_id where p.kind = 'goods' \
                and i.owner_id = (select id from person where email = 'customer@example.com') \
                and not exists (select 1 from benefit b where b.item_id = i.id and b.reserved > 0) \
                and not exists (select 1 from repair r where r.item_id = i.id) order by i.id limit 1";
            let path = format!("/purchases/give/{}", walk.text(free).await);
            let form: &[(&str, &str)] =
                if act == Act::KeepItem { &[("do", "keep")] } else { &[("email", "new@example.com")] };
            if act == Act::KeepItem {
                let customer = walk.world.signed(CUSTOMER).await;
                let reply = walk.world.post(&customer, &path, &[("email", "new@example.com")]).await;
                assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
            }
            walk.post(CUSTOMER, &path, form).await;
        }
        Act::TakeItem | Act::DeclineItem => {
            let things = Things::of(&walk.world).await;
            let how = if act == Act::TakeItem { "take" } else { "decline" };
            walk.post(CUSTOMER, &things.address("/purchases/take-over/{id}"), &[("do", how)]).await;
        }
        Act::PayBack => {
            let id = walk.text("select lower(hex(charge_id)) from refund where paid_at is null").await;
            walk.post(AGENT, "/desk/charges", &[("charge", &id), ("outcome", "paid_back")]).await;
        }
        Act::ReadCustomer => {
            let id = walk.text("select lower(hex(id)) from person where email = 'customer@example.com'").await;
            let (world, agent) = (walk.world.clone(), walk.world.signed(AGENT).await);
            let reply = walk.once(async { world.get(&agent, &format!("/desk/customers/{id}")).await }).await;
            assert_eq!(reply.status, StatusCode::OK);
        }
        Act::AddPhoto => {
            let customer = Who::Customer.enter(&walk.world).await.unwrap();
            let world = walk.world.clone();
            let reply = walk.once(async { world.send(photo_post(&customer.cookie, &[("do", "photos")])).await }).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER);
        }
        Act::BookRepair
        | Act::MoveRepair
        | Act::CancelRepair
        | Act::AcceptQuote
        | Act::DeclineQuote
        | Act::LapseQuote
        | Act::ReceiveRepair
        | Act::DiagnoseRepair
        | Act::SendQuote
        | Act::StartRepair
        | Act::RecordWork
        | Act::WaitForParts
        | Act::FinishRepair
        | Act::MarkReady
        | Act::HandBack
        | Act::CloseRepair
        | Act::GiveUpRepair
        | Act::SetHours => repairs::perform(walk, act).await,
        Act::Enrol
        | Act::CancelEnrolment
        | Act::AcceptOffer
        | Act::DeclineOffer
        | Act::OfferSeat
        | Act::ExpireOffer
        | Act::CreateCourse
        | Act::CreateClass
        | Act::EditClass
        | Act::PublishClass
        | Act::StartClass
        | Act::CancelClass
        | Act::CloseClass
        | Act::MarkAttendance
        | Act::SayWish
        | Act::MessageClass
        | Act::AddWalkIn
        | Act::MoveSeat
        | Act::PromoteSeat
        | Act::ChangeFeed
        | Act::AskForClass
        | Act::WithdrawWish
        | Act::SetAvailability
        | Act::SetClassRules
        | Act::AddEquipment
        | Act::EditEquipment
        | Act::RetireEquipment
        | Act::AddRoom
        | Act::EditRoom
        | Act::RetireRoom => training::perform(walk, act).await,
        Act::EditCourse
        | Act::AddMaterial
        | Act::RemoveMaterial
        | Act::Announce
        | Act::WithdrawAnnouncement
        | Act::BookMakeUp
        | Act::CancelMakeUp
        | Act::MarkMakeUp => learning::perform(walk, act).await,
        Act::EnrolGroup | Act::AcceptGroup | Act::DeclineGroup | Act::NameSeat | Act::SwapSeat | Act::ReturnSeat => {
            groups::perform(walk, act).await
        }
        Act::InviteMember
        | Act::WithdrawInvitation
        | Act::AcceptInvitation
        | Act::DeclineInvitation
        | Act::EndMembership => team::perform(walk, act).await,
        _ => care::perform(walk, act).await,
    }
}

async fn accounts(walk: &mut Walk, act: Act) {
    match act {
        Act::SignIn => {
            walk.world.post(None, "/sign-in", &[("email", CUSTOMER)]).await;
            let (_, _, link) = walk.world.letter(CUSTOMER).await.unwrap();
            let link = link.unwrap().replace("http://portal.test", "");
            let world = walk.world.clone();
            let reply = walk.once(async { world.post_with("", &link, &[]).await }).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER);
        }
        Act::SignOut => {
            walk.post(CUSTOMER, "/sign-out", &[]).await;
        }
        Act::EndSession => {
            walk.world.signed(CUSTOMER).await;
            let other = walk.text("select lower(hex(id)) from session order by created_at desc").await;
            walk.post(CUSTOMER, &format!("/account/sessions/{other}/end"), &[]).await;
        }
        _ => {
            let version =
                walk.text("select cast(version as text) from person where email = 'customer@example.com'").await;
            walk.world.signed(CUSTOMER).await;
            walk.post(CUSTOMER, "/account", &[("name", "Carla M."), ("version", &version)]).await;
        }
    }
}

async fn operator(walk: &mut Walk, act: Act) {
    let cx = walk.world.operator();
    let email = "new@example.com".parse().unwrap();
    match act {
        Act::AddStaff => {
            let add = aftercare::people::server::service::add_staff(&cx, email, "New".into(), Role::Trainer);
            walk.once(add).await.unwrap();
        }
        Act::PrintSignInLink => {
            let link = aftercare::accounts::server::service::link_for(&cx, CUSTOMER.parse().unwrap());
            walk.once(link).await.unwrap();
        }
        Act::NameOwner => {
            let firms = aftercare::people::server::service::firms_called(&cx, "Costa Verde Hotels").await.unwrap();
            walk.once(aftercare::people::server::service::name_owner(&cx, firms[0].id, email)).await.unwrap();
        }
        _ => {
            let plans = [
                "plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind",
                "care-12,Care,12,3,2,1,goods",
            ];
            let file = file(&plans);
            let options = options(Kind::Plans, file.0.clone());
            let world = walk.world.clone();
            let (report, faults) = walk.once(async { import(&world, &options).await }).await;
            assert_eq!((report.added, faults.len()), (1, 0));
        }
    }
}

/// Everything that is due is done; then one job more.
async fn job(walk: &mut Walk, job: Job) {
    walk.world.drain().await;
    let (cx, now) = (walk.world.cx(Viewer::System), walk.world.app.clock.now());
    walk.once(async {
        let put = cx.db().write(move |tx| {
            let job = job.clone();
            Box::pin(async move { jobs::enqueue(tx, job, now).await })
        });
        put.await.unwrap();
        jobs::drain(&cx).await.unwrap();
    })
    .await;
}

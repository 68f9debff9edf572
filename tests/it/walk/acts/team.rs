//! The acts by which people come to belong to a firm, and no longer do.

use super::{CUSTOMER, Walk};
use aftercare::access::Act;

const OWNER: &str = "owner@example.com";
const FIRM: &str = "select lower(hex(m.organisation_id)) from membership m join person p on p.id = m.person_id \
    where p.email = 'owner@example.com'";

pub async fn perform(walk: &mut Walk, act: Act) {
    let firm = walk.text(FIRM).await;
    let invite = [("act", "invite"), ("firm", firm.as_str()), ("name", "Carla"), ("email", CUSTOMER)];
    match act {
        Act::InviteMember => {
            walk.post(OWNER, "/training/team", &invite).await;
        }
        Act::WithdrawInvitation => {
            let open = walk.text("select lower(hex(id)) from team_invitation where state = 'open'").await;
            let form = [("act", "withdraw"), ("firm", firm.as_str()), ("invitation", open.as_str())];
            walk.post(OWNER, "/training/team", &form).await;
        }
        Act::AcceptInvitation | Act::DeclineInvitation => {
            let owner = walk.world.signed(OWNER).await;
            walk.world.post(&owner, "/training/team", &invite).await;
            let mine = "select lower(hex(id)) from team_invitation where email = 'customer@example.com'";
            let path = format!("/invitations/{}", walk.text(mine).await);
            let answer = if act == Act::AcceptInvitation { "accept" } else { "decline" };
            walk.post(CUSTOMER, &path, &[("act", answer)]).await;
        }
        Act::EndMembership => {
            let member = walk.text("select lower(hex(id)) from person where email = 'member@example.com'").await;
            let form = [("act", "end"), ("firm", firm.as_str()), ("person", member.as_str())];
            walk.post(OWNER, "/training/team", &form).await;
        }
        other => panic!("{other:?} is no act on who belongs to a firm"),
    }
}

//! Who belongs to a firm: its owner asks people to join it, they answer, and the owner ends memberships.

use super::{Refusal, words};
use crate::values::PersonId;

/// So many invitations of a firm are open at once.
pub const MOST_OPEN: i64 = 200;

words! {
    /// What somebody is to a firm.
    Standing { Owner = "owner", Member = "member", Invited = "invited" }
}

words! {
    /// What became of an invitation.
    InvitationState { Open = "open", Accepted = "accepted", Declined = "declined", Withdrawn = "withdrawn" }
}

impl InvitationState {
    /// Ends an invitation; nothing where it ended that way already, so that a second tap is answered like the first.
    pub fn end(self, to: Self) -> Result<Option<Self>, Refusal> {
        match self {
            Self::Open => Ok(Some(to)),
            same if same == to => Ok(None),
            _ => Err(Refusal::InvitationOver),
        }
    }
}

/// Whether one more may be asked while so many invitations are open.
pub fn invite(open: i64) -> Result<(), Refusal> {
    if open < MOST_OPEN { Ok(()) } else { Err(Refusal::TooManyInvitations { most: MOST_OPEN }) }
}

/// An owner ends the membership of a member: nobody's own, and no other owner's.
pub fn end_membership(by: PersonId, whose: PersonId, standing: Standing) -> Result<(), Refusal> {
    match standing {
        _ if by == whose => Err(Refusal::OwnMembership),
        Standing::Owner => Err(Refusal::OwnersMembership),
        Standing::Member | Standing::Invited => Ok(()),
    }
}

/// The company ends the membership of an owner, as long as the firm has others: without an owner nobody speaks for it.
pub fn end_ownership(others: usize) -> Result<(), Refusal> {
    if others > 0 { Ok(()) } else { Err(Refusal::LastOwner) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_invitation_ends_once() {
        use InvitationState::*;
        for to in [Accepted, Declined, Withdrawn] {
            assert_eq!(Open.end(to), Ok(Some(to)));
            assert_eq!(to.end(to), Ok(None));
            for other in [Accepted, Declined, Withdrawn].into_iter().filter(|other| *other != to) {
                assert_eq!(to.end(other), Err(Refusal::InvitationOver));
            }
        }
    }

    #[test]
    fn a_firm_has_so_many_open_invitations_and_no_more() {
        assert_eq!(invite(MOST_OPEN - 1), Ok(()));
        assert_eq!(invite(MOST_OPEN), Err(Refusal::TooManyInvitations { most: MOST_OPEN }));
    }

    #[test]
    fn a_firm_keeps_an_owner() {
        assert_eq!(end_ownership(1), Ok(()));
        assert_eq!(end_ownership(0), Err(Refusal::LastOwner));
    }

    #[test]
    fn owners_end_memberships_of_members_alone() {
        let (me, other) = (PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
        assert_eq!(end_membership(me, other, Standing::Member), Ok(()));
        assert_eq!(end_membership(me, other, Standing::Owner), Err(Refusal::OwnersMembership));
        assert_eq!(end_membership(me, me, Standing::Owner), Err(Refusal::OwnMembership));
        assert_eq!(end_membership(me, me, Standing::Member), Err(Refusal::OwnMembership));
    }
}

//! Who belongs to a firm: its owner asks people by their address, they answer, memberships end. On both databases,
//! through the router.

use crate::{
    both,
    groups::Firm,
    repairs, sold,
    training::School,
    world::{Engine, Reply, Signed, World},
};
use aftercare::{
    access::{Act, Membership, Role, Subject},
    benefits::{domain::Allowance, server::ledger},
    error::{AppError, Refusal as AnyRefusal},
    server::{
        clock::{self, Hands},
        fresh,
    },
    training::{
        domain::{EnrolmentState, Refusal, Wish},
        server::{
            groups, members as service, plan,
            seats::{self, Consent},
            store::{self, members, parties},
        },
    },
    values::{
        CertificateId, ClassId, EmailAddress, EnrolmentId, InvitationId, ItemId, OrganisationId, PersonId,
        PublicNumber, PurchaseId,
    },
};
use axum::http::StatusCode;
use std::sync::Arc;

struct Team {
    id: OrganisationId,
    owner: Signed,
}

impl Team {
    async fn of(world: &World) -> Self {
        let owner = world.customer("owner@firm.example").await;
        let id = world.organisation("Acme Works").await;
        world.join(id, owner.id, Membership::Owner).await;
        Self { id, owner }
    }

    async fn post(&self, world: &World, fields: &[(&str, &str)]) -> Reply {
        let firm = self.id.to_string();
        let mut form = vec![("firm", firm.as_str())];
        form.extend(fields);
        world.post(&self.owner, "/training/team", &form).await
    }

    async fn invite(&self, world: &World, name: &str, email: &str) -> Reply {
        self.post(world, &[("act", "invite"), ("name", name), ("email", email)]).await
    }

    async fn page(&self, world: &World) -> String {
        let page = world.get(&self.owner, "/training/team").await;
        assert_eq!(page.status, StatusCode::OK);
        page.body
    }
}

/// Where the newest letter to an address leads.
async fn door(world: &World, email: &str) -> String {
    let (_, _, link) = world.letter(email).await.unwrap();
    link.unwrap().replace("http://portal.test", "")
}

fn id_of(door: &str) -> InvitationId {
    door.strip_prefix("/invitations/").unwrap().parse().unwrap()
}

both! {
    async fn whoever_is_asked_belongs_to_the_firm_once_they_accepted_and_not_before(world: World) {
        let team = Team::of(&world).await;
        let known = world.customer("known@example.com").await;
        // The owner cannot tell the two apart.
        let replies = [
            team.invite(&world, "Known Person", "known@example.com").await,
            team.invite(&world, "New Person", "new@example.com").await,
        ];
        for reply in &replies {
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
            assert_eq!(reply.location(), replies[0].location());
            assert!(reply.cookie("notice").unwrap().starts_with("member_invited."));
        }
        for email in ["known@example.com", "new@example.com"] {
            let (subject, body, _) = world.letter(email).await.unwrap();
            assert!(subject.contains("Acme Works") && body.contains("no password") && body.contains("Test Works"), "{body}");
        }
        let page = team.page(&world).await;
        assert!(page.contains("Known Person") && page.contains("New Person") && page.contains("Invited"), "{page}");
        assert_eq!(world.count("select count(*) from membership").await, 1);
        assert_eq!(world.count("select count(*) from person where email = 'new@example.com'").await, 0);
        // Asking again is no second letter.
        assert_eq!(team.invite(&world, "Known Person", "KNOWN@example.com").await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from message where letter = 'team_invitation'").await, 2);
        assert_eq!(world.count("select count(*) from history where act = 'invite_member'").await, 2);
        // Whom it is not meant for does not find it; who is signed out is led through sign-in.
        let path = door(&world, "known@example.com").await;
        assert_eq!(world.get(&team.owner, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.post(&team.owner, &path, &[("act", "accept")]).await.status, StatusCode::NOT_FOUND);
        assert!(world.get(None, &path).await.location().starts_with("/sign-in?next="));
        let page = world.get(&known, &path).await;
        assert!(page.body.contains("Acme Works invites you") && page.body.contains("id=\"answer-invitation\""), "{}", page.body);
        for _ in 0..2 {
            let done = world.post(&known, &path, &[("act", "accept")]).await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        }
        assert_eq!(world.count("select count(*) from membership where role = 'member'").await, 1);
        assert_eq!(world.count("select count(*) from history where act = 'accept_invitation'").await, 1);
        // Who had no name but their address is called as they were invited.
        assert_eq!(world.count("select count(*) from person where name = 'Known Person'").await, 1);
        assert!(world.get(&known, &path).await.body.contains("no longer open"));
        // A new address signs in by the letter's link, and accepts.
        let path = door(&world, "new@example.com").await;
        world.post(None, "/sign-in", &[("email", "new@example.com"), ("next", &path)]).await;
        let back = world.post_with("", &door(&world, "new@example.com").await, &[]).await;
        assert_eq!((back.status, back.location()), (StatusCode::SEE_OTHER, path.as_str()));
        let new = world.signed("new@example.com").await;
        assert_eq!(world.post(&new, &path, &[("act", "accept")]).await.status, StatusCode::SEE_OTHER);
        let page = team.page(&world).await;
        assert!(page.contains("New Person") && !page.contains("Invited"), "{page}");
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_looks_for_their_people_beside_their_account_is_led_to_them(world: World) {
        let team = Team::of(&world).await;
        let asked = format!("firm={}&end=x", team.id);
        for (query, to) in [(String::new(), "/training/team".to_owned()), (format!("?{asked}"), format!("/training/team?{asked}"))] {
            let reply = world.get(&team.owner, &format!("/account/team{query}")).await;
            assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, to.as_str()));
            assert_eq!(world.get(&team.owner, reply.location()).await.status, StatusCode::OK);
        }
        // Whoever is signed out signs in first, as everywhere.
        let reply = world.get(None, "/account/team").await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/sign-in?next=%2Faccount%2Fteam"));
    }
}

both! {
    async fn an_invitation_is_declined_or_withdrawn_and_then_over(world: World) {
        let team = Team::of(&world).await;
        let ann = world.customer("ann@example.com").await;
        team.invite(&world, "Ann", "ann@example.com").await;
        let path = door(&world, "ann@example.com").await;
        let home = world.get(&ann, "/").await.body;
        assert!(home.contains("Acme Works invites you") && home.contains(&format!("href=\"{path}\"")), "{home}");
        assert!(!world.get(&team.owner, "/").await.body.contains("invites you"));
        assert_eq!(world.post(&ann, &path, &[("act", "decline")]).await.status, StatusCode::SEE_OTHER);
        assert!(!world.get(&ann, "/").await.body.contains("invites you"));
        let late = world.post(&ann, &path, &[("act", "accept")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.body.contains("no longer open"), "{}", late.body);
        team.invite(&world, "Ann", "ann@example.com").await;
        let path = door(&world, "ann@example.com").await;
        let id = id_of(&path).to_string();
        for _ in 0..2 {
            let done = team.post(&world, &[("act", "withdraw"), ("invitation", &id)]).await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        }
        assert_eq!(world.post(&ann, &path, &[("act", "accept")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from membership").await, 1);
        assert_eq!(world.count("select count(*) from history where act = 'withdraw_invitation'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
        world.corrupt("update team_invitation set state = 'accepted' where state = 'withdrawn'").await;
        assert_eq!(world.broken().await, ["invitation_without_history"]);
    }
}

both! {
    async fn what_is_wrong_stands_at_its_field_and_what_was_typed_is_still_there(world: World) {
        let team = Team::of(&world).await;
        for (name, email, field) in [("", "new@example.com", "name"), ("New Person", "nonsense", "email"), ("New Person", "", "email"), ("The boss", "owner@firm.example", "email")] {
            let reply = team.invite(&world, name, email).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {email}");
            assert!(reply.body.contains(&format!("href=\"#{field}\"")), "{}", reply.body);
            assert!(reply.body.contains(&format!("value=\"{name}\"")) && reply.body.contains(&format!("value=\"{email}\"")), "{}", reply.body);
        }
        assert_eq!(world.count("select count(*) from team_invitation").await, 0);
        assert_eq!(world.count("select count(*) from history where act = 'invite_member'").await, 0);
    }
}

both! {
    async fn invitations_are_limited_by_the_hour_and_in_all(world: World) {
        let team = Team::of(&world).await;
        let hands = Hands::at(clock::real_now());
        for n in 0..60 {
            let reply = hands.hold(team.invite(&world, "Somebody", &format!("somebody{n}@example.com"))).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{n}");
        }
        let more = hands.hold(team.invite(&world, "Somebody", "one.more@example.com")).await;
        assert_eq!(more.status, StatusCode::TOO_MANY_REQUESTS);
        let cx = world.cx_of(&team.owner).await;
        let permit = cx.may(Act::InviteMember, &Subject::nobody().within(Some(team.id))).unwrap();
        let (firm, by, now) = (team.id, team.owner.id, cx.now);
        world
            .db()
            .write(move |tx| {
                Box::pin(async move {
                    for n in 60..200 {
                        let email = format!("somebody{n}@example.com").parse().unwrap();
                        let new = members::NewInvitation { id: fresh(), firm, email, name: "Somebody".into(), by };
                        members::insert_invitation(tx, &permit, &new, now).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        let full = team.invite(&world, "Somebody", "one.more@example.com").await;
        assert_eq!(full.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(full.body.contains("200 invitations are open"), "{}", full.body);
    }
}

both! {
    async fn an_owner_has_no_say_in_somebody_elses_firm(world: World) {
        let team = Team::of(&world).await;
        let (other, member) = (world.customer("other@example.com").await, world.customer("member@example.com").await);
        let theirs = world.organisation("Other Works").await;
        world.join(theirs, other.id, Membership::Owner).await;
        world.join(team.id, member.id, Membership::Member).await;
        team.invite(&world, "Ann", "ann@example.com").await;
        let id = id_of(&door(&world, "ann@example.com").await).to_string();
        let person = member.id.to_string();
        for (who, firm) in [(&other, team.id), (&other, theirs), (&member, team.id)] {
            let firm = firm.to_string();
            for form in [
                vec![("act", "withdraw"), ("invitation", id.as_str())],
                vec![("act", "end"), ("person", person.as_str())],
            ] {
                let mut form = form.clone();
                form.push(("firm", &firm));
                assert_eq!(world.post(who, "/training/team", &form).await.status, StatusCode::NOT_FOUND);
            }
        }
        let firm = team.id.to_string();
        let invite = [("act", "invite"), ("firm", firm.as_str()), ("name", "Eve"), ("email", "eve@example.com")];
        assert_eq!(world.post(&other, "/training/team", &invite).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.count("select count(*) from team_invitation where state = 'open'").await, 1);
        assert_eq!(world.count("select count(*) from membership").await, 3);
        assert!(!world.get(&other, &format!("/training/team?firm={firm}")).await.body.contains("Ann"));
    }
}

both! {
    async fn an_owner_ends_a_membership_and_what_was_booked_stays(world: World) {
        let firm = Firm::of(&world, 2, 1).await;
        let id = firm.school.open(firm.school.draft("Printers I", 5, 24 * 9, 0)).await;
        firm.enrol(&world, id, firm.group(&[0], 0, Wish::Together)).await.unwrap();
        let team = Team { id: firm.id, owner: firm.owner.clone() };
        let person = firm.people[0].id.to_string();
        let asked = world.get(&firm.owner, &format!("/training/team?firm={}&end={person}", firm.id)).await;
        assert!(asked.body.contains("End the membership of employee0?") && asked.body.contains("stay booked and paid"), "{}", asked.body);
        let done = team.post(&world, &[("act", "end"), ("person", &person)]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        assert_eq!(team.post(&world, &[("act", "end"), ("person", &person)]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.count("select count(*) from history where act = 'end_membership'").await, 1);
        assert_eq!(world.count("select count(*) from enrolment where state = 'booked'").await, 1);
        assert!(world.letter("employee0@firm.example").await.unwrap().0.contains("no longer belong"));
        // The owner no longer sees them, nor can enrol them; what is booked they still swap or give back.
        assert!(!team.page(&world).await.contains("employee0"));
        assert!(world.get(&firm.owner, &format!("/training/{id}/group")).await.body.contains("employee0"));
        // Nobody ends their own, and no other owner's.
        let own = team.post(&world, &[("act", "end"), ("person", &firm.owner.id.to_string())]).await;
        assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY);
        let second = world.customer("second@firm.example").await;
        world.join(firm.id, second.id, Membership::Owner).await;
        let other = team.post(&world, &[("act", "end"), ("person", &second.id.to_string())]).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

const PRINTER: &str =
    "A1,1,2026-11-10,2026-11-14,ann@example.com,LT,Petrauskas,P1,Printer,goods,S-1,1,199.00,EUR,12,care-6";
const LAMP: &str = "A2,1,2026-11-10,2026-11-14,ann@example.com,LT,,P2,Lamp,goods,,1,9.00,EUR,12,";

/// A firm whose member Ann bought a printer with a plan for it, and a lamp for herself; the printer's purchase and piece.
async fn bought(world: &World) -> (Team, Signed, PurchaseId, ItemId) {
    sold::sell(world, &[PRINTER, LAMP]).await;
    let ann = world.customer("ann@example.com").await;
    let owner = world.customer("owner@firm.example").await;
    let mut tx = world.db().read().await.unwrap();
    const PIECE: &str = "select organisation_id, purchase_id, id from item where organisation_id is not null";
    let (id, purchase, item) = aftercare::fetch_one!(tx, (OrganisationId, PurchaseId, ItemId), PIECE).unwrap();
    drop(tx);
    world.join(id, owner.id, Membership::Owner).await;
    (Team { id, owner }, ann, purchase, item)
}

/// Who has what is the firm's: pieces, benefits, purchases, repairs that are open.
async fn holders(world: &World) -> Vec<PersonId> {
    const HOLDERS: &str = "select owner_id from item where organisation_id is not null \
        union select person_id from benefit where organisation_id is not null \
        union select person_id from purchase where organisation_id is not null \
        union select person_id from repair where organisation_id is not null and state <> 'closed'";
    let rows = aftercare::fetch_all!(world.db().read().await.unwrap(), (PersonId,), HOLDERS).unwrap();
    rows.into_iter().map(|(id,)| id).collect()
}

async fn seats_of(world: &World, who: &Signed) -> usize {
    let mut tx = world.db().read().await.unwrap();
    let today = world.app.clock.now().date_naive();
    ledger::balances(&mut tx, who.id, Allowance::TrainingSeat, today).await.unwrap().len()
}

both! {
    async fn only_an_owner_gives_away_what_is_the_firms(world: World) {
        let (team, ann, purchase, item) = bought(&world).await;
        let (page, give) = (format!("/purchases/{purchase}"), format!("/purchases/give/{item}"));
        let door = format!("/purchases/give/{}", item);
        let hers = world.get(&ann, &page).await;
        assert_eq!((hers.status, hers.body.contains(&door)), (StatusCode::OK, false), "{}", hers.body);
        assert_eq!(world.get(&ann, &give).await.status, StatusCode::NOT_FOUND);
        let to = [("email", "ben@example.com")];
        assert_eq!(world.post(&ann, &give, &to).await.status, StatusCode::NOT_FOUND);
        assert!(world.get(&team.owner, &page).await.body.contains(&door));
        assert_eq!(world.post(&team.owner, &give, &to).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.post(&ann, &give, &[("do", "keep")]).await.status, StatusCode::NOT_FOUND);
        // What a member offered before counts no more.
        world.corrupt("update hand_over set from_id = (select owner_id from item where organisation_id is not null)").await;
        assert_eq!(world.broken().await, ["offer_of_a_former_owner"]);
        let ben = world.customer("ben@example.com").await;
        let mut tx = world.db().read().await.unwrap();
        let offer = aftercare::fetch_scalar!(tx, aftercare::values::HandOverId, "select id from hand_over").unwrap().unwrap();
        drop(tx);
        let taken = world.post(&ben, &format!("/purchases/take-over/{offer}"), &[("do", "take")]).await;
        assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.post(&team.owner, &give, &[("do", "keep")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    /// Migration 0032 does the same for whoever left before.
    async fn what_somebody_bought_for_the_firm_stays_with_it_when_they_leave(world: World) {
        let (team, ann, purchase, item) = bought(&world).await;
        let technician = world.staff(Role::Technician).await;
        repairs::workshop(&world, 2).await;
        let give = format!("/purchases/give/{item}");
        assert_eq!(world.post(&team.owner, &give, &[("email", "ben@example.com")]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.post(&team.owner, &give, &[("do", "keep")]).await.status, StatusCode::SEE_OTHER);
        let repair = repairs::sent_in(&world, &ann, &technician, item, "0").await;
        assert_eq!(holders(&world).await, [ann.id]);
        assert_eq!((seats_of(&world, &ann).await, seats_of(&world, &team.owner).await), (1, 1));
        let asked = world.get(&team.owner, &format!("/training/team?firm={}&end={}", team.id, ann.id)).await;
        assert!(asked.body.contains("with its plans and open repairs, goes to you"), "{}", asked.body);
        let done = team.post(&world, &[("act", "end"), ("person", &ann.id.to_string())]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        assert_eq!(holders(&world).await, [team.owner.id]);
        let (_, letter, _) = world.letter("ann@example.com").await.unwrap();
        assert!(letter.contains("What you bought for Petrauskas"), "{letter}");
        const LINE: &str = "select count(*) from history where act = 'end_membership' and detail like '%\"items\":1%' \
            and detail like '%\"purchases\":1%' and detail like '%\"repairs\":1%'";
        assert_eq!(world.count(LINE).await, 1);
        // Ann keeps what is her own, and has no way to what is the firm's.
        let page = format!("/purchases/{purchase}");
        for path in [page.as_str(), repair.as_str(), give.as_str()] {
            assert_eq!(world.get(&ann, path).await.status, StatusCode::NOT_FOUND, "{path}");
            let status = world.get(&team.owner, path).await.status;
            assert_eq!(status, StatusCode::OK, "{path}");
        }
        let list = world.get(&ann, "/purchases").await.body;
        assert!(list.contains("Lamp") && !list.contains("Printer"), "{list}");
        assert_eq!((seats_of(&world, &ann).await, seats_of(&world, &team.owner).await), (0, 1));
        let id = item.to_string();
        let wish = [("item", id.as_str()), ("mode", "send_in"), ("fault", "It jams again"), ("fee", "0")];
        assert_eq!(world.post(&ann, "/repairs/new", &wish).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from repair").await, 1);
        // A row that is mended does not give it back.
        assert_eq!(sold::sell(&world, &[&PRINTER.replace("199.00", "189.00"), LAMP]).await.changed, 1);
        assert_eq!(holders(&world).await, [team.owner.id]);
        assert_eq!(world.broken().await, Vec::<String>::new());
        for sql in [
            "update item set owner_id = (select id from person where email = 'ann@example.com') where organisation_id is not null",
            "update benefit set person_id = (select id from person where email = 'ann@example.com')",
            "update purchase set person_id = (select id from person where email = 'ann@example.com')",
            "update repair set person_id = (select id from person where email = 'ann@example.com')",
            "update hand_over set state = 'open', answered_at = null, from_id = (select id from person where email = 'ann@example.com')",
        ] {
            world.corrupt(sql).await;
        }
        assert_eq!(holders(&world).await, [ann.id]);
        let migration = match world.engine {
            Engine::Sqlite => include_str!("../../migrations/sqlite/0032_left_firms.sql"),
            Engine::Postgres => include_str!("../../migrations/postgres/0032_left_firms.sql"),
        };
        for _ in 0..2 {
            for statement in migration.split(';').filter(|statement| !statement.trim().is_empty()) {
                world.corrupt(statement).await;
            }
            assert_eq!(holders(&world).await, [team.owner.id]);
            assert_eq!(world.count("select count(*) from item i join person p on p.id = i.owner_id where p.email = 'ann@example.com'").await, 1);
            assert_eq!(world.broken().await, Vec::<String>::new());
        }
    }
}

both! {
    async fn an_owner_whom_the_company_removes_speaks_for_the_firm_no_more_and_another_one_has_what_was_theirs(world: World) {
        let (team, ann, purchase, item) = bought(&world).await;
        world.join(team.id, ann.id, Membership::Owner).await;
        let school = School::of(&world, vec![]).await;
        let class = school.open(school.draft("Printers I", 5, 24 * 9, 0)).await;
        let seats = groups::Group { people: vec![], unnamed: 2, wish: Wish::Together, wait: true };
        let party = groups::enrol(&world.cx_of(&ann).await, class, team.id, seats, Consent::default()).await.unwrap().party;
        let give = format!("/purchases/give/{item}");
        assert_eq!(world.post(&ann, &give, &[("email", "ben@example.com")]).await.status, StatusCode::SEE_OTHER);
        let group = format!("/training/{class}/group");
        assert!(world.get(&ann, "/training/team").await.body.contains("Petrauskas"));
        let email = |text: &str| -> EmailAddress { text.parse().unwrap() };
        // No owner does this, and nobody is removed who is none.
        for (cx, who) in [(world.cx_of(&team.owner).await, "ann@example.com"), (world.operator(), "ben@example.com")] {
            let refused = service::end_ownership(&cx, team.id, email(who)).await;
            assert!(matches!(refused, Err(AppError::NotFound)), "{refused:?}");
        }
        let operator = world.operator();
        service::end_ownership(&operator, team.id, email("ann@example.com")).await.unwrap();
        let page = world.get(&ann, "/training/team").await.body;
        assert!(page.contains("You speak for no firm here") && !page.contains("Petrauskas"), "{page}");
        assert!(world.get(&ann, &group).await.body.contains("You speak for no firm here"));
        let firm = team.id.to_string();
        let enrols = [("act", "enrol"), ("firm", firm.as_str()), ("unnamed", "1"), ("wish", "together"), ("agreed", "0")];
        assert_eq!(world.post(&ann, &group, &enrols).await.status, StatusCode::NOT_FOUND);
        for path in [format!("/purchases/{purchase}"), give] {
            assert_eq!(world.get(&ann, &path).await.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(world.get(&team.owner, &path).await.status, StatusCode::OK, "{path}");
        }
        assert_eq!(holders(&world).await, [team.owner.id]);
        let answers = parties::party(&mut world.db().read().await.unwrap(), party).await.unwrap().owner_id;
        assert_eq!(answers, team.owner.id);
        assert!(world.get(&team.owner, &group).await.body.contains("Printers I"));
        assert_eq!(world.count("select count(*) from hand_over where state = 'withdrawn'").await, 1);
        const LINE: &str = "select count(*) from history where act = 'end_membership' and actor_kind = 'operator' \
            and from_state = 'owner' and detail like '%\"items\":1%' and detail like '%\"groups\":1%'";
        assert_eq!(world.count(LINE).await, 1);
        let (subject, body, _) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("Petrauskas") && body.contains("of which you were an owner"), "{subject}: {body}");
        // Without an owner nobody would speak for it.
        let last = service::end_ownership(&operator, team.id, email("owner@firm.example")).await;
        assert!(matches!(last, Err(AppError::Refused(AnyRefusal::Training(Refusal::LastOwner)))), "{last:?}");
        assert!(team.page(&world).await.contains("Petrauskas"));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn who_has_passed_is_seen_however_many_certificates_the_firm_has(world: World) {
        const MANY: u64 = 2000;
        let firm = Firm::of(&world, 2, 1).await;
        let class = firm.school.open(firm.school.draft("Long ago", 5, 24 * 9, 0)).await;
        let now = world.app.clock.now();
        let (first, other) = (firm.people[0].id, firm.people[1].id);
        world
            .db()
            .write(move |tx| {
                Box::pin(async move {
                    const SEAT: &str = "insert into enrolment (id, class_id, person_id, state, price_minor, price_currency, \
                        created_at, changed_at) values ($1, $2, $3, 'cancelled', 0, 'EUR', $4, $4)";
                    const CERTIFICATE: &str = "insert into certificate (id, code, enrolment_id, person_id, class_id, title, \
                        percent, given_at) values ($1, $2, $3, $4, $5, 'Long ago', 100, $6)";
                    for n in 0..=MANY {
                        // Hers is older than all of those of her colleague.
                        let (person, given) = if n == 0 { (first, now - chrono::TimeDelta::days(9)) } else { (other, now) };
                        let (seat, id): (EnrolmentId, CertificateId) = (fresh(), fresh());
                        let code = PublicNumber::from_seed(n);
                        aftercare::execute!(tx, SEAT, seat, class, person, given)?;
                        aftercare::execute!(tx, CERTIFICATE, id, code.as_str(), seat, person, class, given)?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        let page = world.get(&firm.owner, "/training/team").await.body;
        assert_eq!(page.matches("/certificates/").count(), 2, "{page}");
        assert!(page.contains("1 certificate is missing"), "only the owner's: {page}");
    }
}

async fn state(world: &World, who: &Signed, class: ClassId) -> Option<EnrolmentState> {
    store::active(&mut world.db().read().await.unwrap(), class, who.id).await.unwrap().map(|row| row.state)
}

both! {
    async fn a_firm_waits_no_longer_for_whoever_left_it_and_both_are_told(world: World) {
        let firm = Firm::of(&world, 3, 1).await;
        let id = firm.school.open(firm.school.draft("Waits", 2, 24 * 9, 9000)).await;
        let mut others = Vec::new();
        for n in 0..2 {
            let who = world.customer(&format!("other{n}@example.com")).await;
            seats::enrol(&world.cx_of(&who).await, id, Consent::default()).await.unwrap();
            others.push(who);
        }
        let party = firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap().party;
        seats::cancel(&world.cx_of(&others[0]).await, id, Consent::default()).await.unwrap();
        let team = Team { id: firm.id, owner: firm.owner.clone() };
        let person = firm.people[0].id.to_string();
        let asked = world.get(&firm.owner, &format!("/training/team?firm={}&end={person}", firm.id)).await;
        assert!(asked.body.contains("it waits no longer"), "{}", asked.body);
        let done = team.post(&world, &[("act", "end"), ("person", &person)]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        // The one who is left is offered the seat that was gathered.
        assert_eq!(state(&world, &firm.people[0], id).await, None);
        assert_eq!(state(&world, &firm.people[1], id).await, Some(EnrolmentState::Offered));
        for (letter, email) in [("group_member_left", "owner@firm.example"), ("firm_waits_no_more", "employee0@firm.example")] {
            let sql = format!("select count(*) from message where letter = '{letter}' and email = '{email}'");
            assert_eq!(world.count(sql.leak()).await, 1, "{letter}");
        }
        assert_eq!(world.broken().await, Vec::<String>::new());
        groups::accept(&world.cx_of(&firm.owner).await, party, Consent::default()).await.unwrap();
        assert_eq!(state(&world, &firm.people[1], id).await, Some(EnrolmentState::Booked));
        assert_eq!(world.count("select count(*) from enrolment where state = 'booked' and organisation_id is not null").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn nothing_is_held_or_taken_for_whoever_left_the_firm(world: World) {
        let firm = Firm::of(&world, 3, 1).await;
        let id = firm.school.open(firm.school.draft("Off", 4, 24 * 9, 9000)).await;
        let next = firm.school.open(firm.school.draft("Next", 4, 24 * 15, 9000)).await;
        firm.enrol(&world, id, firm.group(&[0, 1], 0, Wish::Together)).await.unwrap();
        let team = Team { id: firm.id, owner: firm.owner.clone() };
        let first = firm.people[0].id.to_string();
        assert_eq!(team.post(&world, &[("act", "end"), ("person", &first)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(state(&world, &firm.people[0], id).await, Some(EnrolmentState::Booked), "what is booked stays");
        plan::cancel(&firm.school.now(&world).await, id, "Ill.".into()).await.unwrap();
        assert_eq!(state(&world, &firm.people[0], next).await, None);
        assert_eq!(state(&world, &firm.people[1], next).await, Some(EnrolmentState::Offered));
        const LETTER: &str = "select body from message where letter = 'group_class_cancelled'";
        let body = aftercare::fetch_one!(world.db().read().await.unwrap(), (String,), LETTER).unwrap().0;
        assert!(body.contains("whoever no longer belongs to your firm: employee0."), "{body}");
        // Should a seat be on offer all the same, it is for somebody of the firm, or for nobody of it.
        let party = parties::parties(&mut world.db().read().await.unwrap(), next).await.unwrap()[0].id;
        world.corrupt("delete from membership where person_id in (select id from person where email = 'employee1@firm.example')").await;
        let owner = world.cx_of(&firm.owner).await;
        let page = format!("/training/{next}/group?firm={}", firm.id);
        let refused = world.post(&firm.owner, &page, &[("act", "accept"), ("party", &party.to_string()), ("agreed", "0")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("employee1: no longer belongs to your firm"), "{}", refused.body);
        let seat = store::active(&mut world.db().read().await.unwrap(), next, firm.people[1].id).await.unwrap().unwrap().id;
        groups::swap(&owner, seat, firm.people[2].id).await.unwrap();
        groups::accept(&owner, party, Consent::default()).await.unwrap();
        assert_eq!(state(&world, &firm.people[2], next).await, Some(EnrolmentState::Booked));
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn accepting_and_withdrawing_at_once_ends_in_one_truth(world: World) {
        let team = Team::of(&world).await;
        let ann = world.customer("ann@example.com").await;
        School::of(&world, vec![]).await;
        let world = Arc::new(world);
        for _ in 0..4 {
            team.invite(&world, "Ann", "ann@example.com").await;
            let id = id_of(&door(&world, "ann@example.com").await);
            let mut race = tokio::task::JoinSet::new();
            for n in 0..4 {
                let (world, owner, ann) = (world.clone(), team.owner.clone(), ann.clone());
                race.spawn(async move {
                    match n {
                        0 => service::withdraw(&world.cx_of(&owner).await, id).await.is_ok(),
                        _ => service::accept(&world.cx_of(&ann).await, id).await.is_ok(),
                    }
                });
            }
            race.join_all().await;
            let accepted = world.count("select count(*) from team_invitation where state = 'accepted'").await;
            assert_eq!(world.count("select count(*) from membership where role = 'member'").await, accepted);
            assert_eq!(world.broken().await, Vec::<String>::new());
            world.corrupt("delete from membership where role = 'member'").await;
            world.corrupt("delete from team_invitation").await;
        }
    }
}

#[test]
fn letters_about_belonging_to_a_firm_are_written_in_every_language() {
    use aftercare::{
        i18n::{Fmt, Locale},
        training::server::team_letters::TeamLetter,
    };
    for locale in [Locale::en, Locale::es, Locale::it, Locale::hi, Locale::lt] {
        let (owner, firm, link) = ("Rasa".to_owned(), "Acme".to_owned(), "https://portal.test/x".to_owned());
        for letter in [
            TeamLetter::Invited { owner: owner.clone(), firm: firm.clone(), link: link.clone() },
            TeamLetter::Ended { owner: owner.clone(), firm: firm.clone(), link: link.clone() },
            TeamLetter::OwnerEnded { owner: owner.clone(), firm: firm.clone(), link: link.clone() },
        ] {
            let written = letter.write(Fmt::new(locale), "Test Works");
            assert!(written.subject.contains("Acme") && written.body.contains("Rasa"), "{written:?}");
            assert!(!written.body.contains("{{"), "{written:?}");
        }
    }
}

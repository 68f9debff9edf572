//! Cases: opened with a promise, answered, asked, solved, opened again, and never anybody else's.

use crate::{
    both,
    sold::{printer, sell},
    world::{Signed, World},
};
use aftercare::{access::Role, fetch_one, fetch_scalar, values::CaseId};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const WORDS: [(&str, &str); 3] =
    [("kind", "question"), ("subject", "The display stays dark"), ("words", "Since this morning.")];

/// Opens a case; gives its address.
async fn open(world: &World, customer: &Signed) -> String {
    let reply = world.post(customer, "/cases/new", &WORDS).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    reply.location().to_owned()
}

fn at_desk(path: &str) -> String {
    format!("/desk{path}")
}

#[derive(sqlx::FromRow)]
struct Row {
    state: String,
    owner_id: Option<aftercare::values::PersonId>,
    next_step: Option<String>,
    next_due_at: Option<DateTime<Utc>>,
    solve_due_at: DateTime<Utc>,
}

async fn row(world: &World, path: &str) -> Row {
    let id: CaseId = path.rsplit('/').next().unwrap().parse().unwrap();
    let mut tx = world.db().read().await.unwrap();
    const ROW: &str = "select state, owner_id, next_step, next_due_at, solve_due_at from care_case where id = $1";
    fetch_one!(tx, Row, ROW, id).unwrap()
}

both! {
    async fn a_new_case_has_an_owner_a_next_step_and_a_due_time_and_says_so(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        let case = row(&world, &path).await;
        assert_eq!((case.state.as_str(), case.owner_id), ("open", Some(agent.id)));
        assert_eq!(case.next_step.as_deref(), Some("answer"));
        assert!(case.next_due_at.unwrap() > world.app.clock.now());
        let page = world.get(&ann, &path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("We answer by"), "{}", page.body);
        let (subject, _, link) = world.letter("ann@example.com").await.unwrap();
        assert!(subject.contains("The display stays dark"));
        assert_eq!(link.unwrap(), format!("http://portal.test{path}"));
        assert!(world.get(&ann, "/cases").await.body.contains("The display stays dark"));
    }
}

both! {
    async fn cases_go_to_whoever_has_the_fewest(world: World) {
        let one = world.staff_named(Role::Agent, "one@staff.example").await;
        let two = world.staff_named(Role::Agent, "two@staff.example").await;
        let ann = world.customer("ann@example.com").await;
        let mut owners = std::collections::BTreeMap::new();
        for _ in 0..6 {
            let path = open(&world, &ann).await;
            *owners.entry(row(&world, &path).await.owner_id.unwrap()).or_insert(0) += 1;
        }
        assert_eq!(owners, [(one.id, 3), (two.id, 3)].into());
    }
}

both! {
    async fn what_is_missing_comes_back_with_what_was_typed(world: World) {
        let ann = world.customer("ann@example.com").await;
        let reply = world.post(&ann, "/cases/new", &[("kind", "gossip"), ("subject", ""), ("words", "My words <b>stay</b>")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("My words &lt;b&gt;stay&lt;/b&gt;"), "{}", reply.body);
        assert!(reply.body.contains("subject-fault") && reply.body.contains("kind-fault"));
        assert_eq!(world.count("select count(*) from care_case").await, 0);
    }
}

both! {
    async fn a_double_tap_opens_one_case(world: World) {
        let ann = world.customer("ann@example.com").await;
        let key = uuid::Uuid::now_v7().to_string();
        let mut fields = WORDS.to_vec();
        fields.push(("key", &key));
        let first = world.post(&ann, "/cases/new", &fields).await;
        let second = world.post(&ann, "/cases/new", &fields).await;
        assert_eq!((second.status, second.location()), (StatusCode::SEE_OTHER, first.location()));
        assert_eq!(world.count("select count(*) from care_case").await, 1);
    }
}

both! {
    async fn nobody_reads_a_case_of_somebody_else(world: World) {
        let ann = world.customer("ann@example.com").await;
        let bob = world.customer("bob@example.com").await;
        let path = open(&world, &ann).await;
        assert_eq!(world.get(&bob, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.post(&bob, &path, &[("words", "let me in")]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&bob, &at_desk(&path)).await.status, StatusCode::NOT_FOUND);
        let trainer = world.staff(Role::Trainer).await;
        assert_eq!(world.get(&trainer, &at_desk(&path)).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.get(None, &path).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.get(&ann, "/cases/not-an-id").await.status, StatusCode::NOT_FOUND);
    }
}

both! {
    async fn asking_the_customer_stops_the_clock_and_their_answer_starts_it_again(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        let before = row(&world, &path).await.solve_due_at;
        let reply = world.post(&agent, &at_desk(&path), &[("do", "ask"), ("words", "Which model is it?")]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(row(&world, &path).await.state, "waiting_for_you");
        assert!(world.get(&ann, "/").await.body.contains("We have a question for you"));
        world.advance(TimeDelta::days(1));
        let page = world.get(&ann, &path).await.body;
        assert!(page.contains("Which model is it?") && page.contains("As soon as you answer"), "{page}");
        world.post(&ann, &path, &[("words", "The LX 200.")]).await;
        let after = row(&world, &path).await;
        assert_eq!(after.state, "open");
        // From Friday morning to Monday morning: a working day was given back.
        assert_eq!((after.solve_due_at - before).num_hours(), 72);
    }
}

both! {
    async fn a_note_is_read_by_colleagues_only(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        world.post(&agent, &at_desk(&path), &[("do", "note"), ("words", "She called twice.")]).await;
        assert!(world.get(&agent, &at_desk(&path)).await.body.contains("She called twice."));
        assert!(!world.get(&ann, &path).await.body.contains("She called twice."));
        assert!(!world.letter("ann@example.com").await.unwrap().1.contains("She called twice."));
    }
}

both! {
    async fn a_solved_case_opens_again_within_fourteen_days_and_closes_by_itself_after(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        world.post(&agent, &at_desk(&path), &[("do", "answer_solve"), ("words", "Press the left button.")]).await;
        assert_eq!(row(&world, &path).await.state, "resolved");
        assert!(world.get(&ann, "/").await.body.contains("Is this solved?"));
        world.advance(TimeDelta::days(13));
        world.drain().await;
        world.post(&ann, &path, &[("words", "Still dark.")]).await;
        assert_eq!(row(&world, &path).await.state, "open");
        world.advance(TimeDelta::days(3));
        world.drain().await;
        assert_eq!(row(&world, &path).await.state, "open", "the old plan to close it does not close the new one");
        world.post(&agent, &at_desk(&path), &[("do", "resolve")]).await;
        world.advance(TimeDelta::days(14) + TimeDelta::minutes(1));
        world.drain().await;
        assert_eq!(row(&world, &path).await.state, "closed");
        let late = world.post(&ann, &path, &[("words", "Dark again.")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
    }
}

both! {
    async fn a_case_that_opens_again_goes_to_somebody_senior(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        let solve = [("do", "answer_solve"), ("words", "Press the left button.")];
        world.post(&agent, &at_desk(&path), &solve).await;
        world.post(&ann, &path, &[("words", "Still dark.")]).await;
        assert_eq!(row(&world, &path).await.owner_id, Some(agent.id), "there is nobody senior");
        let manager = world.staff(Role::Manager).await;
        world.post(&agent, &at_desk(&path), &solve).await;
        world.post(&ann, &path, &[("words", "Dark again.")]).await;
        assert_eq!(row(&world, &path).await.owner_id, Some(manager.id));
        // Whoever is senior keeps it.
        world.staff_named(Role::Manager, "idle@staff.example").await;
        world.post(&manager, &at_desk(&path), &solve).await;
        world.post(&ann, &path, &[("words", "And again.")]).await;
        assert_eq!(row(&world, &path).await.owner_id, Some(manager.id));
    }
}

both! {
    async fn the_customer_says_that_it_is_solved(world: World) {
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        // A second tap is answered like the first.
        for _ in 0..2 {
            assert_eq!(world.post(&ann, &path, &[("do", "confirm")]).await.status, StatusCode::SEE_OTHER);
        }
        assert_eq!(row(&world, &path).await.state, "closed");
        assert_eq!(world.count("select count(*) from history where act = 'confirm_case'").await, 1);
    }
}

both! {
    async fn nobody_answers_past_what_the_customer_wrote_meanwhile(world: World) {
        let (agent, ann) = (world.staff(Role::Agent).await, world.customer("ann@example.com").await);
        let path = open(&world, &ann).await;
        let seen = async || {
            let page = world.get(&agent, &at_desk(&path)).await.body;
            page.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let before = seen().await;
        world.post(&ann, &path, &[("words", "It also smokes.")]).await;
        for fields in [vec![("do", "resolve")], vec![("do", "answer"), ("words", "Switch it off and on.")]] {
            let fields: Vec<_> = fields.into_iter().chain([("seen", before.as_str())]).collect();
            let late = world.post(&agent, &at_desk(&path), &fields).await;
            assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
            for part in ["has written something new", "It also smokes.", fields[1].1] {
                assert!(late.body.contains(part), "{part}: {}", late.body);
            }
        }
        assert_eq!(row(&world, &path).await.state, "open");
        let now = seen().await;
        let answer = [("do", "answer_solve"), ("words", "Unplug it; we come."), ("seen", now.as_str())];
        assert_eq!(world.post(&agent, &at_desk(&path), &answer).await.status, StatusCode::SEE_OTHER);
        assert_eq!(row(&world, &path).await.state, "resolved");
    }
}

both! {
    async fn a_form_that_the_back_button_brings_can_be_sent_with_other_words(world: World) {
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        let key = uuid::Uuid::now_v7().to_string();
        let reply = async |key: &str, words: &str| world.post(&ann, &path, &[("key", key), ("words", words)]).await;
        assert_eq!(reply(&key, "The left lamp.").await.status, StatusCode::SEE_OTHER);
        let again = reply(&key, "And the right one.").await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.body.contains("You have sent this form before") && again.body.contains("And the right one."), "{}", again.body);
        let other = again.body.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_ne!(other, key);
        assert_eq!(reply(&other, "And the right one.").await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from case_message where side = 'customer'").await, 3);
    }
}

both! {
    async fn what_was_written_to_a_case_that_is_closed_meanwhile_is_still_there(world: World) {
        let (agent, ann) = (world.staff(Role::Agent).await, world.customer("ann@example.com").await);
        let path = open(&world, &ann).await;
        world.post(&ann, &path, &[("do", "confirm")]).await;
        let late = world.post(&ann, &path, &[("words", "A long story <b>about</b> the display.")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        for part in ["This was closed on", "What you had written", "A long story &lt;b>about", "href=\"/cases/new?kind=question\""] {
            assert!(late.body.replace("&gt;", ">").contains(part), "{part}: {}", late.body);
        }
        for deed in ["answer", "answer_solve", "ask", "assign", "prioritise"] {
            let form = [("do", deed), ("words", "Press the left button."), ("owner", &*agent.id.to_string()), ("priority", "high")];
            let late = world.post(&agent, &at_desk(&path), &form).await;
            assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "{deed}");
            assert!(late.body.contains("role=\"alert\""), "{deed} says why: {}", late.body);
            assert!(late.body.contains("Press the left button."), "{deed}: {}", late.body);
        }
        assert!(!world.get(&ann, &path).await.body.contains("What you had written"));
    }
}

both! {
    async fn a_case_is_handed_over_to_somebody_of_the_desk_only(world: World) {
        let agent = world.staff(Role::Agent).await;
        let manager = world.staff(Role::Manager).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        let (to_manager, to_ann) = (manager.id.to_string(), ann.id.to_string());
        let wrong = world.post(&agent, &at_desk(&path), &[("do", "assign"), ("owner", &to_ann)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        world.post(&agent, &at_desk(&path), &[("do", "assign"), ("owner", &to_manager)]).await;
        assert_eq!(row(&world, &path).await.owner_id, Some(manager.id));
        world.post(&agent, &at_desk(&path), &[("do", "take")]).await;
        assert_eq!(row(&world, &path).await.owner_id, Some(agent.id));
        for queue in ["mine", "unassigned", "overdue", "all"] {
            let page = world.get(&agent, &format!("/desk/cases?queue={queue}")).await;
            assert_eq!(page.status, StatusCode::OK);
            assert_eq!(page.body.contains("The display stays dark"), matches!(queue, "mine" | "all"), "{queue}");
        }
    }
}

both! {
    async fn each_act_leaves_exactly_one_line_of_history(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        let mut lines = world.count("select count(*) from history where entity = 'case'").await;
        assert_eq!(lines, 1);
        let me = agent.id.to_string();
        for (who, path, fields) in [
            (&ann, path.clone(), vec![("words", "One more thing.")]),
            (&agent, at_desk(&path), vec![("do", "answer"), ("words", "Noted.")]),
            (&agent, at_desk(&path), vec![("do", "note"), ("words", "Friendly.")]),
            (&agent, at_desk(&path), vec![("do", "ask"), ("words", "Which one?")]),
            (&agent, at_desk(&path), vec![("do", "assign"), ("owner", me.as_str())]),
            (&agent, at_desk(&path), vec![("do", "resolve")]),
            (&ann, path.clone(), vec![("words", "Not solved.")]),
            (&agent, at_desk(&path), vec![("do", "answer_solve"), ("words", "Now it is.")]),
            (&agent, at_desk(&path), vec![("do", "close")]),
        ] {
            let reply = world.post(who, &path, &fields).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{fields:?} {}", reply.body);
            let now = world.count("select count(*) from history where entity = 'case'").await;
            assert_eq!(now, lines + 1, "{fields:?}");
            lines = now;
        }
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
    }
}

both! {
    async fn a_refused_act_leaves_nothing(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        let lines = world.count("select count(*) from history").await;
        let reply = world.post(&agent, &at_desk(&path), &[("do", "close")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        let reply = world.post(&agent, &at_desk(&path), &[("do", "answer"), ("words", "  ")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from history").await, lines);
        assert_eq!(world.count("select count(*) from case_message").await, 1);
    }
}

both! {
    async fn ten_cases_an_hour_are_enough(world: World) {
        let ann = world.customer("ann@example.com").await;
        for _ in 0..10 {
            open(&world, &ann).await;
        }
        assert_eq!(world.post(&ann, "/cases/new", &WORDS).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        world.advance(TimeDelta::minutes(61));
        open(&world, &ann).await;
    }
}

both! {
    async fn two_who_solve_at_once_solve_it_once(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = at_desk(&open(&world, &ann).await);
        let fields = [("do", "answer_solve"), ("words", "Done.")];
        let replies = futures::future::join_all((0..8).map(|_| world.post(&agent, &path, &fields))).await;
        assert_eq!(replies.iter().filter(|reply| reply.status == StatusCode::SEE_OTHER).count(), 1);
        assert_eq!(world.count("select count(*) from history where act = 'resolve_case'").await, 1);
    }
}

both! {
    async fn check_names_what_breaks_a_promise_about_cases(world: World) {
        world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        open(&world, &ann).await;
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
        for (sql, clause) in [
            ("update care_case set owner_id = null", "open_case_without_owner"),
            ("update care_case set next_step = null", "open_case_without_next_step"),
            ("delete from case_message", "case_without_words"),
            ("update care_case set state = 'resolved'", "case_stands_where_history_does_not"),
            ("delete from history where entity = 'case'", "case_without_history"),
        ] {
            world.corrupt(sql).await;
            assert!(world.broken().await.contains(&clause.to_owned()), "{clause}: {:?}", world.broken().await);
        }
    }
}

both! {
    async fn a_case_is_about_ones_own_things_only(world: World) {
        let agent = world.staff(Role::Agent).await;
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        sell(&world, &[&printer("A1", "ann@example.com", "LT", "S-1")]).await;
        let mut tx = world.db().read().await.unwrap();
        let item = fetch_scalar!(tx, Uuid, "select id from item").unwrap().unwrap();
        let purchase = fetch_scalar!(tx, Uuid, "select id from purchase").unwrap().unwrap();
        drop(tx);
        let open = async |who: &Signed, path: &str, about: &str| {
            let form = [&WORDS[..], &[("about", about)]].concat();
            world.post(who, path, &form).await.status
        };
        for about in [format!("item:{item}"), format!("purchase:{purchase}")] {
            assert_eq!(open(&ann, "/cases/new", &about).await, StatusCode::SEE_OTHER, "{about}");
            assert_eq!(open(&bob, "/cases/new", &about).await, StatusCode::NOT_FOUND, "{about}");
            // Staff open it for whose thing it is, and for nobody else.
            assert_eq!(open(&agent, &format!("/desk/customers/{}/case", ann.id), &about).await, StatusCode::SEE_OTHER);
            assert_eq!(open(&agent, &format!("/desk/customers/{}/case", bob.id), &about).await, StatusCode::NOT_FOUND);
        }
        for kind in ["item", "purchase", "repair", "class"] {
            assert_eq!(open(&ann, "/cases/new", &format!("{kind}:{}", Uuid::now_v7())).await, StatusCode::NOT_FOUND, "{kind}");
        }
        assert_eq!(world.count("select count(*) from care_case").await, 4);
    }
}

both! {
    async fn the_desk_answers_in_the_hours_that_the_manager_sets(world: World) {
        let (agent, manager) = (world.staff(Role::Agent).await, world.staff(Role::Manager).await);
        let ann = world.customer("ann@example.com").await;
        let path = "/desk/settings/hours";
        assert_eq!(world.get(&agent, path).await.status, StatusCode::FORBIDDEN);
        let page = world.get(&manager, path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("09:00-17:00"), "{}", page.body);
        let before = open(&world, &ann).await;
        // Tuesday, 9:00: eight hours of work are that day.
        let due = row(&world, &before).await.next_due_at.unwrap();
        let form = [("version", "0"), ("day_2", "09:00-11:00, 13:00-15:00"), ("day_5", "09:00-17:00"), ("closed", "2026-12-04 Holiday")];
        assert_eq!(world.post(&manager, path, &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(row(&world, &before).await.next_due_at.unwrap(), due, "what was promised stays promised");
        let after = open(&world, &ann).await;
        let next = row(&world, &after).await.next_due_at.unwrap();
        // Eight hours of work: three on Tuesday from ten on, none on the closed Friday, four on the next Tuesday, one on Friday.
        assert_eq!(next.date_naive(), "2026-12-11".parse().unwrap(), "{next}");
        // The second editor is told, wrong hours stand at their field, and a desk without any hour is none.
        let stale = world.post(&manager, path, &[("version", "0"), ("day_1", "10:00-12:00")]).await;
        assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(stale.body.contains("Now saved: 09:00-11:00, 13:00-15:00"), "{}", stale.body);
        let wrong = world.post(&manager, path, &[("version", "1"), ("day_1", "noon"), ("closed", "soon")]).await;
        assert!(wrong.body.contains("day_1-fault") && wrong.body.contains("closed-fault"), "{}", wrong.body);
        assert_eq!(world.post(&manager, path, &[("version", "1")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.count("select count(*) from history where entity = 'desk_hours'").await, 1);
    }
}

both! {
    async fn an_agent_changes_the_priority_and_the_promises_move_with_it(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let path = open(&world, &ann).await;
        // Asked on Tuesday, heard on Thursday: the pause is given back.
        world.post(&agent, &at_desk(&path), &[("do", "ask"), ("words", "Which one?")]).await;
        world.advance(TimeDelta::days(2));
        world.post(&ann, &path, &[("words", "The big one.")]).await;
        let before = row(&world, &path).await;
        let change = |priority| [("do", "prioritise"), ("priority", priority)];
        assert_eq!(world.post(&ann, &at_desk(&path), &change("urgent")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.post(&agent, &at_desk(&path), &change("soon")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(world.post(&agent, &at_desk(&path), &change("urgent")).await.status, StatusCode::SEE_OTHER);
        let urgent = row(&world, &path).await;
        assert!(urgent.next_due_at < before.next_due_at && urgent.solve_due_at < before.solve_due_at);
        assert!(world.get(&agent, &at_desk(&path)).await.body.contains("Urgent"));
        assert_eq!(world.post(&agent, &at_desk(&path), &change("normal")).await.status, StatusCode::SEE_OTHER);
        let again = row(&world, &path).await;
        assert_eq!((again.next_due_at, again.solve_due_at), (before.next_due_at, before.solve_due_at));
        assert_eq!(world.count("select count(*) from history where act = 'set_case_priority' and why = 'urgent'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

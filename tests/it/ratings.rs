//! Ratings: asked once, answered by one tap without a sign-in, and made good where somebody is unhappy.

use crate::{
    both,
    sold::{HEADER, file, import, options, sell},
    world::{Signed, World},
};
use aftercare::{
    access::{Role, Viewer},
    import::server::{Kind, Options},
    ratings::{
        domain::Moment,
        server::service::{self, Question},
    },
    values::{FeedbackId, PersonId},
};
use axum::http::StatusCode;
use chrono::TimeDelta;
use uuid::Uuid;

/// Puts a question; gives its identity, if it was put.
async fn ask(world: &World, person: PersonId, moment: Moment, worker: Option<PersonId>) -> Option<FeedbackId> {
    let cx = world.cx(Viewer::System);
    let question = Question {
        person,
        moment,
        subject: Uuid::now_v7(),
        about: "Laser printer".to_owned(),
        did_the_work: worker.into_iter().collect(),
    };
    world
        .db()
        .write(move |tx| {
            let (cx, question) = (cx.clone(), question.clone());
            Box::pin(async move { service::ask(tx, &cx, &question).await })
        })
        .await
        .unwrap()
}

/// The secret path in the newest letter.
async fn link(world: &World, email: &str) -> String {
    world.letter(email).await.unwrap().2.unwrap().replace("http://portal.test", "")
}

async fn asked(world: &World, email: &str) -> (Signed, String) {
    let signed = world.customer(email).await;
    ask(world, signed.id, Moment::Repair, None).await.unwrap();
    let link = link(world, email).await;
    (signed, link)
}

both! {
    async fn the_link_shows_the_choice_and_changes_nothing(world: World) {
        let (_, link) = asked(&world, "ann@example.com").await;
        for _ in 0..3 {
            let page = world.get(None, &format!("{link}?score=4")).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.body.contains(r#"id="rate""#) && page.body.contains("Laser printer"));
            assert!(page.body.split("value=\"4\"").nth(1).unwrap().split('>').next().unwrap().contains("checked"), "{}", page.body);
        }
        assert_eq!(world.count("select count(*) from feedback where score is not null").await, 0);
    }
}

/// What the browser of somebody who presses nothing but the button would post.
fn untouched_form(page: &str) -> Vec<(String, String)> {
    let form = page.split("id=\"rate\"").nth(1).unwrap().split("</form>").next().unwrap();
    assert_eq!(form.matches("<button").count(), 1, "one button: {form}");
    let value = |tag: &str, name: &str| Some(tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?.to_owned());
    let chosen = form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()).filter(|tag| {
        assert!(tag.contains("type=\"radio\""), "{tag}");
        tag.contains("checked")
    });
    let mut fields: Vec<_> = chosen.map(|tag| (value(tag, "name").unwrap(), value(tag, "value").unwrap())).collect();
    fields.push(("words".to_owned(), String::new()));
    fields
}

both! {
    async fn each_link_of_the_letter_needs_only_the_button(world: World) {
        let (_, link) = asked(&world, "ann@example.com").await;
        let (_, body, _) = world.letter("ann@example.com").await.unwrap();
        let links: Vec<(&str, &str)> = body.lines().filter_map(|line| line.split_once(": ")).filter(|(_, link)| link.starts_with("http://portal.test/rate/")).collect();
        let words = ["1 · Very unhappy", "2 · Unhappy", "3 · So so", "4 · Happy", "5 · Very happy"];
        assert_eq!(links.iter().map(|(words, _)| *words).collect::<Vec<_>>(), words, "{body}");
        for (score, (_, address)) in (1..).zip(links) {
            let path = address.replace("http://portal.test", "");
            assert_eq!(path, format!("{link}?score={score}"));
            const ANSWERS: &str = "select count(*) from feedback where score is not null";
            let before = world.count(ANSWERS).await;
            let page = world.get(None, &path).await;
            assert_eq!((page.status, world.count(ANSWERS).await), (StatusCode::OK, before), "opening it changes nothing");
            let fields = untouched_form(&page.body);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(world.post(None, &link, &fields).await.status, StatusCode::SEE_OTHER);
            let mut tx = world.db().read().await.unwrap();
            assert_eq!(aftercare::fetch_scalar!(tx, i32, "select score from feedback").unwrap(), Some(score));
        }
        // Where the choice is none, none is made, and the button alone answers nothing.
        let (_, bobs) = asked(&world, "bob@example.com").await;
        let fields = untouched_form(&world.get(None, &format!("{bobs}?score=9")).await.body);
        assert_eq!(fields, [("words".to_owned(), String::new())]);
    }
}

both! {
    async fn every_answer_of_a_longer_scale_has_its_link(world: World) {
        let ann = world.person("ann@example.com").await;
        ask(&world, ann, Moment::Relation, None).await.unwrap();
        let (_, body, _) = world.letter("ann@example.com").await.unwrap();
        for line in ["0 · Not at all likely: http", "7: http", "10 · Very likely: http"] {
            assert!(body.lines().any(|text| text.starts_with(line)), "{line}: {body}");
        }
        assert_eq!(body.matches("?score=").count(), 11);
        let link = link(&world, "ann@example.com").await;
        let page = world.get(None, &format!("{link}?score=10")).await.body;
        let fields = untouched_form(&page);
        assert_eq!(fields[0], ("score".to_owned(), "10".to_owned()));
    }
}

both! {
    async fn one_tap_answers_without_a_sign_in_and_words_follow(world: World) {
        let (ann, link) = asked(&world, "ann@example.com").await;
        assert!(world.get(&ann, "/").await.body.contains("Answer with one tap"));
        let reply = world.post(None, &link, &[("score", "5")]).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, link.as_str()));
        assert!(world.get(None, &link).await.body.contains("Thank you"));
        world.post(None, &link, &[("score", "4"), ("words", "Friendly people.")]).await;
        assert_eq!(world.count("select count(*) from feedback where score = 4 and words = 'Friendly people.'").await, 1);
        assert_eq!(world.count("select count(*) from care_case").await, 0);
        assert!(!world.get(&ann, "/").await.body.contains("Answer with one tap"));
        world.advance(TimeDelta::days(7) + TimeDelta::minutes(1));
        assert!(world.get(None, &link).await.body.contains("This question is closed"));
        assert_eq!(world.post(None, &link, &[("score", "1")]).await.status, StatusCode::OK);
        assert_eq!(world.count("select count(*) from feedback where score = 4").await, 1);
    }
}

both! {
    async fn a_score_that_is_none_comes_back(world: World) {
        let (_, link) = asked(&world, "ann@example.com").await;
        for score in ["", "6", "0", "-1", "99999999999999999999", "x"] {
            let reply = world.post(None, &link, &[("score", score), ("words", "keep me")]).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{score}");
            assert!(reply.body.contains("keep me"));
        }
    }
}

both! {
    async fn an_unknown_or_expired_link_gets_a_helpful_page(world: World) {
        let (_, link) = asked(&world, "ann@example.com").await;
        let unknown = world.get(None, "/rate/not-a-token").await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
        assert!(unknown.body.contains("/cases/new"));
        assert_eq!(world.post(None, "/rate/not-a-token", &[("score", "5")]).await.status, StatusCode::NOT_FOUND);
        world.advance(TimeDelta::days(31));
        let expired = world.get(None, &link).await;
        assert_eq!(expired.status, StatusCode::GONE);
        assert!(expired.body.contains("/cases/new"));
    }
}

both! {
    async fn the_token_is_nowhere_in_the_tables_of_ratings(world: World) {
        let (ann, link) = asked(&world, "ann@example.com").await;
        let token = link.strip_prefix("/rate/").unwrap();
        assert!(token.len() >= 40, "unguessable");
        let mut tx = world.db().read().await.unwrap();
        const HASH: &str = "select hash from feedback_link";
        assert_ne!(aftercare::fetch_scalar!(tx, String, HASH).unwrap().unwrap(), token);
        // The identity alone opens nothing for others; for its person it does.
        const ID: &str = "select id from feedback";
        let id = aftercare::fetch_scalar!(tx, FeedbackId, ID).unwrap().unwrap();
        drop(tx);
        let bob = world.customer("bob@example.com").await;
        let path = format!("/rate/{id}");
        assert_eq!(world.get(None, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&bob, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.get(&ann, &path).await.status, StatusCode::OK);
    }
}

both! {
    async fn an_unhappy_customer_gets_a_case_with_an_owner_and_a_due_time_once(world: World) {
        world.staff(Role::Agent).await;
        let manager = world.staff(Role::Manager).await;
        let (_, link) = asked(&world, "ann@example.com").await;
        let replies = futures::future::join_all((0..6).map(|_| world.post(None, &link, &[("score", "1"), ("words", "It broke again.")]))).await;
        assert!(replies.iter().all(|reply| reply.status == StatusCode::SEE_OTHER));
        assert_eq!(world.count("select count(*) from care_case").await, 1);
        assert_eq!(world.count("select count(*) from care_case where priority = 'high' and kind = 'complaint' and next_due_at is not null").await, 1);
        let mut tx = world.db().read().await.unwrap();
        const OWNER: &str = "select owner_id from care_case";
        assert_eq!(aftercare::fetch_scalar!(tx, PersonId, OWNER).unwrap(), Some(manager.id), "it goes to somebody senior");
        drop(tx);
        assert!(world.get(None, &link).await.body.contains("We are sorry that it was not better"));
        world.post(None, &link, &[("score", "5")]).await;
        world.post(None, &link, &[("score", "2")]).await;
        assert_eq!(world.count("select count(*) from care_case").await, 1, "one question opens one case");
        let page = world.get(&manager, "/desk/feedback").await.body;
        assert!(page.contains("It broke again.") && page.contains("Unhappy customers"), "{page}");
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
    }
}

both! {
    async fn who_is_unhappy_again_after_all_was_made_good_is_heard_again(world: World) {
        let manager = world.staff(Role::Manager).await;
        let (ann, link) = asked(&world, "ann@example.com").await;
        world.post(None, &link, &[("score", "1"), ("words", "It broke.")]).await;
        let mut tx = world.db().read().await.unwrap();
        let case = aftercare::fetch_scalar!(tx, uuid::Uuid, "select id from care_case").unwrap().unwrap();
        drop(tx);
        let path = format!("/cases/{}", case.simple());
        world.post(&manager, &format!("/desk{path}"), &[("do", "answer_solve"), ("words", "A new one is on its way.")]).await;
        assert_eq!(world.post(&ann, &path, &[("do", "confirm")]).await.status, StatusCode::SEE_OTHER);
        world.post(None, &link, &[("score", "5")]).await;
        let again = [("score", "1"), ("words", "The new one broke too.")];
        world.post(None, &link, &again).await;
        // Twice is once.
        world.post(None, &link, &again).await;
        const OPEN: &str = "select count(*) from care_case where state = 'open' and owner_id is not null and next_due_at is not null";
        assert_eq!((world.count("select count(*) from care_case").await, world.count(OPEN).await), (2, 1));
        assert_eq!(world.count("select count(*) from case_message where words like '%The new one broke too.%'").await, 1);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn nobody_is_asked_twice_in_fourteen_days_nor_about_their_own_work(world: World) {
        let ann = world.person("ann@example.com").await;
        assert!(ask(&world, ann, Moment::Repair, None).await.is_some());
        assert!(ask(&world, ann, Moment::Class, None).await.is_none(), "the same kind of question");
        assert!(ask(&world, ann, Moment::Relation, None).await.is_some(), "another kind has its own time");
        world.advance(TimeDelta::days(14));
        assert!(ask(&world, ann, Moment::Class, Some(ann)).await.is_none(), "who did the work does not judge it");
        assert!(ask(&world, ann, Moment::Class, None).await.is_some());
    }
}

both! {
    async fn two_jobs_at_once_ask_once(world: World) {
        let ann = world.person("ann@example.com").await;
        let asked = futures::future::join_all((0..8).map(|_| ask(&world, ann, Moment::Repair, None))).await;
        assert_eq!(asked.into_iter().flatten().count(), 1);
    }
}

both! {
    async fn there_is_one_reminder_and_none_after_an_answer(world: World) {
        let (_, first) = asked(&world, "ann@example.com").await;
        let (_, bobs) = asked(&world, "bob@example.com").await;
        world.post(None, &bobs, &[("score", "5")]).await;
        for _ in 0..3 {
            world.advance(TimeDelta::days(5));
            world.drain().await;
        }
        assert_eq!(world.count("select count(*) from message where letter = 'feedback_reminder'").await, 1);
        let second = link(&world, "ann@example.com").await;
        assert_ne!(first, second);
        world.post(None, &first, &[("score", "3")]).await;
        assert!(world.get(None, &second).await.body.contains("Thank you"), "both links lead to the one question");
    }
}

both! {
    async fn figures_come_with_their_number_and_interval_and_not_below_five(world: World) {
        let manager = world.staff(Role::Manager).await;
        for n in 0..5 {
            let (_, link) = asked(&world, &format!("c{n}@example.com")).await;
            if n == 4 {
                assert!(world.get(&manager, "/desk/feedback").await.body.contains("A figure from five answers on"));
            }
            world.post(None, &link, &[("score", if n == 0 { "3" } else { "5" })]).await;
        }
        let page = world.get(&manager, "/desk/feedback").await.body;
        assert!(page.contains("80%") && page.contains("between 38% and 96%"), "{page}");
        let agent = world.staff(Role::Agent).await;
        assert_eq!(world.get(&agent, "/desk/feedback").await.status, StatusCode::FORBIDDEN);
    }
}

both! {
    async fn each_act_about_feedback_leaves_one_line_of_history(world: World) {
        let (_, link) = asked(&world, "ann@example.com").await;
        assert_eq!(world.count("select count(*) from history where entity = 'feedback' and act = 'ask_feedback'").await, 1);
        world.post(None, &link, &[("score", "4")]).await;
        assert_eq!(world.count("select count(*) from history where entity = 'feedback' and act = 'rate' and actor_kind = 'link'").await, 1);
        world.post(None, &link, &[("score", "3")]).await;
        assert_eq!(world.count("select count(*) from history where entity = 'feedback' and from_state = '4' and to_state = '3'").await, 1);
    }
}

both! {
    async fn check_names_what_breaks_a_promise_about_ratings(world: World) {
        let (_, link) = asked(&world, "ann@example.com").await;
        world.post(None, &link, &[("score", "4")]).await;
        assert!(world.broken().await.is_empty(), "{:?}", world.broken().await);
        for (sql, clause) in [
            ("update feedback set score = 2", "low_score_without_recovery"),
            ("update feedback set score = 9", "score_off_its_scale"),
            ("delete from history where entity = 'feedback' and act = 'rate'", "answer_without_history"),
        ] {
            world.corrupt(sql).await;
            assert!(world.broken().await.contains(&clause.to_owned()), "{clause}");
        }
    }
}

both! {
    async fn a_solved_case_is_asked_about_the_next_day(world: World) {
        let agent = world.staff(Role::Agent).await;
        let ann = world.customer("ann@example.com").await;
        let case = world.post(&ann, "/cases/new", &[("kind", "question"), ("subject", "Dark"), ("words", "Help")]).await;
        let path = format!("/desk{}", case.location());
        world.post(&agent, &path, &[("do", "answer_solve"), ("words", "There.")]).await;
        world.advance(TimeDelta::days(1));
        world.drain().await;
        assert_eq!(world.count("select count(*) from feedback where moment = 'case' and about = 'Dark'").await, 1);
    }
}

/// A printer that was delivered on a day, or is on its way.
fn order(number: &str, email: &str, delivered: &str) -> String {
    format!("{number},1,2026-11-10,{delivered},{email},LT,,P1,Printer,goods,,1,199.00,EUR,12,")
}

const ASKED: &str = "select count(*) from feedback where moment = 'delivery'";

both! {
    /// Now is 2026-12-01.
    async fn an_order_that_gets_its_date_later_is_asked_about(world: World) {
        sell(&world, &[&order("A1", "ann@example.com", ""), &order("A2", "ben@example.com", ""), &order("A3", "cleo@example.com", "")]).await;
        world.advance(TimeDelta::days(3));
        // Delivered since it came in; still to be delivered; delivered before it came in at all.
        sell(&world, &[
            &order("A1", "ann@example.com", "2026-12-03"),
            &order("A2", "ben@example.com", "2026-12-08"),
            &order("A3", "cleo@example.com", "2026-11-20"),
        ]).await;
        world.advance(TimeDelta::days(5));
        world.drain().await;
        assert_eq!(world.count(ASKED).await, 0, "they have had nothing for a week yet");
        world.advance(TimeDelta::days(2));
        world.drain().await;
        assert_eq!(world.count(ASKED).await, 1);
        assert!(world.letter("ann@example.com").await.unwrap().0.contains("Printer"));
        world.advance(TimeDelta::days(30));
        world.drain().await;
        assert_eq!(world.count(ASKED).await, 2);
        assert!(world.letter("ben@example.com").await.is_some() && world.letter("cleo@example.com").await.is_none());
    }
}

both! {
    async fn a_delivery_that_is_put_off_is_asked_about_after_it_came_and_once(world: World) {
        sell(&world, &[&order("A1", "ann@example.com", "2026-12-05")]).await;
        sell(&world, &[&order("A1", "ann@example.com", "2026-12-20")]).await;
        world.advance(TimeDelta::days(18));
        world.drain().await;
        assert_eq!(world.count(ASKED).await, 0, "it has not come yet");
        // Brought forward again, unknown, and known again.
        for (date, days) in [("2026-12-19", 5), ("", 3), ("2026-12-24", 1)] {
            sell(&world, &[&order("A1", "ann@example.com", date)]).await;
            world.advance(TimeDelta::days(days));
            world.drain().await;
            assert_eq!(world.count(ASKED).await, 0, "{date}");
        }
        for days in [4, 30] {
            world.advance(TimeDelta::days(days));
            world.drain().await;
            assert_eq!(world.count(ASKED).await, 1);
        }
    }
}

both! {
    async fn whoever_has_it_now_is_asked_about_a_delivery(world: World) {
        sell(&world, &[&order("A1", "shop@example.com", "2026-12-05")]).await;
        let ann = world.customer("ann@example.com").await;
        let asks = world.post(&ann, "/purchases/register", &[("order_number", "A1"), ("email", "shop@example.com")]).await;
        let code = world.letter("shop@example.com").await.unwrap().0.split(' ').next().unwrap().to_owned();
        assert_eq!(world.post(&ann, asks.location(), &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        world.advance(TimeDelta::days(12));
        world.drain().await;
        let mut tx = world.db().read().await.unwrap();
        assert_eq!(aftercare::fetch_scalar!(tx, PersonId, "select person_id from feedback").unwrap(), Some(ann.id));
    }
}

both! {
    async fn an_operator_may_have_asked_about_what_was_delivered_lately(world: World) {
        const ASKS: &str = "select count(*) from job where kind = 'ask_feedback'";
        let orders = file(&[
            HEADER,
            &order("A1", "ann@example.com", "2026-11-20"),
            &order("A2", "ben@example.com", "2026-11-01").replace("2026-11-10,", "2026-10-01,").replace("2026-11-01", "2026-10-20"),
            &order("A3", "cleo@example.com", ""),
        ]);
        let quiet = options(Kind::Purchases, orders.0.clone());
        let (report, _) = import(&world, &Options { notify: true, ..quiet.clone() }).await;
        assert_eq!((report.added, world.count(ASKS).await), (3, 1), "of the last thirty days only");
        world.drain().await;
        assert!(world.letter("ann@example.com").await.is_some() && world.letter("ben@example.com").await.is_none());
        assert_eq!(import(&world, &Options { notify: true, ..quiet }).await.0.unchanged, 3);
        assert_eq!(world.count(ASKS).await, 1, "the same file again asks nothing");
    }
}

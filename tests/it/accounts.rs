//! Signing in: by code, by link, not by anything else.

use crate::{
    both,
    world::{Engine, Reply, World},
};
use aftercare::{
    access::Role,
    accounts::server::service,
    server::{
        clock::{self, Hands},
        rate,
    },
};
use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode, header},
};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::SocketAddr;
use uuid::Uuid;

/// Asks for a letter; gives the challenge cookie and what the letter holds.
async fn ask(world: &World, email: &str, next: &str) -> (String, String, String) {
    let reply = world.post(None, "/sign-in", &[("email", email), ("next", next)]).await;
    assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/sign-in/code"), "{}", reply.body);
    let cookie = format!("challenge={}", reply.cookie("challenge").unwrap());
    let (subject, _, link) = world.letter(email).await.unwrap();
    let code = subject.split(' ').next().unwrap().to_owned();
    let path = link.unwrap().replace("http://portal.test", "");
    (cookie, code, path)
}

/// Lets a code and link grow old. They live by the real clock, which no test moves.
async fn age(world: &World, by: TimeDelta) {
    const ALL: &str = "select id, created_at, ends_at from sign_in_challenge";
    const OLDER: &str = "update sign_in_challenge set created_at = $2, ends_at = $3 where id = $1";
    world
        .db()
        .write(move |tx| {
            Box::pin(async move {
                for (id, asked, ends) in aftercare::fetch_all!(tx, (Uuid, DateTime<Utc>, DateTime<Utc>), ALL)? {
                    aftercare::execute!(tx, OLDER, id, asked - by, ends - by)?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// Asks for a letter from somewhere on the network.
async fn ask_from(world: &World, peer: SocketAddr, email: &str) -> Reply {
    let mut request = Request::post("/sign-in")
        .header(header::ORIGIN, "http://portal.test")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-forwarded-for", format!("192.0.2.{}", peer.port()))
        .body(Body::from(format!("email={email}")))
        .unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    world.send(request).await
}

const TOO_OLD: &str = "too old or was used already";

fn wrong(code: &str) -> &'static str {
    if code == "000000" { "111111" } else { "000000" }
}

both! {
    async fn the_code_signs_in_the_browser_that_asked_and_leads_back(world: World) {
        world.person("ann@example.com").await;
        let (cookie, code, _) = ask(&world, "ann@example.com", "/account").await;
        let elsewhere = world.post_with("challenge=another", "/sign-in/code", &[("code", &code)]).await;
        assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY);
        let reply = world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/account"));
        let session = format!("aftercare={}", reply.cookie("aftercare").unwrap());
        let signed = crate::world::Signed { id: world.person("ann@example.com").await, cookie: session };
        assert_eq!(world.get(&signed, "/account").await.status, StatusCode::OK);
        let again = world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "a code works once");
    }
}

both! {
    async fn five_wrong_codes_and_the_challenge_is_over(world: World) {
        let (cookie, code, _) = ask(&world, "ann@example.com", "/").await;
        for _ in 0..5 {
            let reply = world.post_with(&cookie, "/sign-in/code", &[("code", wrong(&code))]).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let reply = world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "the right one comes too late");
    }
}

both! {
    async fn only_the_newest_challenge_lives(world: World) {
        let (cookie, code, link) = ask(&world, "ann@example.com", "/").await;
        ask(&world, "ann@example.com", "/").await;
        assert_eq!(world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!world.post(None, &link, &[]).await.headers.contains_key("set-cookie"));
    }
}

both! {
    async fn a_link_that_an_operator_prints_ends_what_was_asked_for_before(world: World) {
        world.person("ann@example.com").await;
        let (cookie, code, letter) = ask(&world, "ann@example.com", "/").await;
        let print = async || {
            let printed = service::link_for(&world.operator(), "ann@example.com".parse().unwrap()).await.unwrap();
            printed.replace("http://portal.test", "")
        };
        let (first, second) = (print().await, print().await);
        assert_eq!(world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        for old in [&letter, &first] {
            assert!(world.post(None, old, &[]).await.cookie("aftercare").is_none(), "{old}");
        }
        assert!(world.post(None, &second, &[]).await.cookie("aftercare").is_some(), "only the newest lives");
    }
}

both! {
    async fn a_code_is_read_in_the_digits_of_every_script(world: World) {
        for zero in ['०', '٠', '０'] {
            let (cookie, code, _) = ask(&world, &format!("ann{}@example.com", u32::from(zero)), "/account").await;
            let typed: String = code.chars().map(|c| char::from_u32(u32::from(zero) + c.to_digit(10).unwrap()).unwrap()).collect();
            let reply = world.post_with(&cookie, "/sign-in/code", &[("code", &typed)]).await;
            assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/account"), "{typed}");
        }
    }
}

both! {
    async fn a_link_is_not_used_up_by_looking_and_works_in_any_browser_once(world: World) {
        let (_, _, link) = ask(&world, "ann@example.com", "/purchases").await;
        for _ in 0..3 {
            let look = world.get(None, &link).await;
            assert_eq!(look.status, StatusCode::OK);
            assert!(look.cookie("aftercare").is_none() && look.body.contains("method=\"post\""));
        }
        let reply = world.post(None, &link, &[]).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/purchases"));
        assert!(world.post(None, &link, &[]).await.cookie("aftercare").is_none(), "a link works once");
    }
}

both! {
    async fn after_thirty_wrong_codes_a_day_only_the_link_works(world: World) {
        // All on one day of the real clock.
        Hands::at(midnight()).hold(async {
            world
                .db()
                .write(|tx| Box::pin(async move {
                    for _ in 0..30 {
                        aftercare::server::rate::count(tx, "wrong-code:ann@example.com", chrono::TimeDelta::days(1)).await?;
                    }
                    Ok(())
                }))
                .await
                .unwrap();
            let (cookie, code, link) = ask(&world, "ann@example.com", "/").await;
            assert_eq!(world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(world.post(None, &link, &[]).await.status, StatusCode::SEE_OTHER);
        })
        .await;
    }
}

both! {
    async fn a_code_and_a_link_die_ten_minutes_after_they_were_asked_for(world: World) {
        let (cookie, code, link) = ask(&world, "ann@example.com", "/").await;
        world.advance(TimeDelta::days(1));
        age(&world, TimeDelta::minutes(9)).await;
        let look = world.get(None, &link).await.body;
        assert!(!look.contains(TOO_OLD), "neither nine minutes nor the demo's clock end it");
        age(&world, TimeDelta::minutes(1)).await;
        let late = world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        let (look, use_it) = (world.get(None, &link).await, world.post(None, &link, &[]).await);
        assert_eq!((look.status, use_it.status), (StatusCode::GONE, StatusCode::UNPROCESSABLE_ENTITY));
        for reply in [late, look, use_it] {
            assert!(reply.body.contains(TOO_OLD) && reply.cookie("aftercare").is_none(), "{}", reply.body);
        }
        let (cookie, code, _) = ask(&world, "ann@example.com", "/").await;
        assert_eq!(world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        let (_, _, link) = ask(&world, "ann@example.com", "/").await;
        assert_eq!(world.post(None, &link, &[]).await.status, StatusCode::SEE_OTHER);
    }
}

both! {
    async fn of_two_uses_at_once_one_signs_in(world: World) {
        let once = |one: Reply, two: Reply| {
            let signed_in = [&one, &two].into_iter().filter(|reply| reply.cookie("aftercare").is_some()).count();
            assert_eq!(signed_in, 1, "{one:?}\n{two:?}");
            assert!(one.body.contains(TOO_OLD) || two.body.contains(TOO_OLD), "{one:?}\n{two:?}");
        };
        for email in ["ann@example.com", "ben@example.com", "cy@example.com", "dot@example.com"] {
            let (cookie, code, _) = ask(&world, email, "/").await;
            let form = [("code", code.as_str())];
            let use_code = || world.post_with(&cookie, "/sign-in/code", &form);
            let (one, two) = tokio::join!(use_code(), use_code());
            once(one, two);
            let (_, _, link) = ask(&world, email, "/").await;
            let (one, two) = tokio::join!(world.post(None, &link, &[]), world.post(None, &link, &[]));
            once(one, two);
            let (cookie, code, link) = ask(&world, email, "/").await;
            let form = [("code", code.as_str())];
            let (one, two) = tokio::join!(world.post_with(&cookie, "/sign-in/code", &form), world.post(None, &link, &[]));
            once(one, two);
        }
        assert_eq!(world.count("select count(*) from session").await, 12);
        assert_eq!(world.count("select count(*) from history where act = 'sign_in'").await, 12);
        assert_eq!(world.count("select count(*) from person").await, 4);
    }
}

both! {
    async fn wrong_codes_add_up_over_challenges_until_codes_stop_for_that_address(world: World) {
        // All on one day of the real clock.
        Hands::at(midnight()).hold(async {
            for _ in 0..6 {
                let (cookie, code, _) = ask(&world, "ann@example.com", "/").await;
                for _ in 0..5 {
                    let reply = world.post_with(&cookie, "/sign-in/code", &[("code", wrong(&code))]).await;
                    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
                    assert!(!reply.body.contains("Codes are switched off"), "there are thirty tries a day");
                }
                // As if a quarter of an hour had gone by on the real clock: more letters may be asked for.
                world.corrupt("delete from rate where key like 'letter-to:%'").await;
            }
            let (cookie, code, link) = ask(&world, "ann@example.com", "/").await;
            let right = world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await;
            assert_eq!(right.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(right.cookie("aftercare").is_none() && right.body.contains("Codes are switched off"), "{}", right.body);
            assert!(world.post(None, &link, &[]).await.cookie("aftercare").is_some(), "a stranger locks nobody out");
            let (cookie, code, _) = ask(&world, "ben@example.com", "/").await;
            let other = world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await;
            assert!(other.cookie("aftercare").is_some(), "another address has its own thirty");
        })
        .await;
    }
}

both! {
    async fn known_and_unknown_addresses_are_answered_alike(world: World) {
        world.person("known@example.com").await;
        let known = world.post(None, "/sign-in", &[("email", "known@example.com")]).await;
        let unknown = world.post(None, "/sign-in", &[("email", "unknown@example.com")]).await;
        assert_eq!((known.status, known.location(), &known.body), (unknown.status, unknown.location(), &unknown.body));
        assert!(world.letter("unknown@example.com").await.is_some());
        assert_eq!(world.count("select count(*) from person where email = 'unknown@example.com'").await, 0);
    }
}

both! {
    /// That nobody learns by the time of an answer who is a customer: the same statements, the same rows, the same job for
    /// later, whoever it is.
    async fn a_known_and_an_unknown_address_take_the_same_way(world: World) {
        world.person("known@example.com").await;
        world.person("erased@example.com").await;
        world.corrupt("update person set erased_at = created_at where email like 'erased%'").await;
        world.staff_named(aftercare::access::Role::Agent, "staff@example.com").await;
        let firm = world.organisation("Petrauskas").await;
        let member = world.person("member@example.com").await;
        world.join(firm, member, aftercare::access::Membership::Owner).await;
        world.corrupt("update person set language = 'lt', zone = 'Europe/Vilnius' where email like 'member%'").await;
        // At one moment, and the first one of all opens the sender's window.
        let hands = Hands::at(midnight());
        hands.hold(ask(&world, "first@example.com", "/")).await;
        let mut ways = Vec::new();
        for email in ["known", "unknown", "staff", "member", "erased", "unknown too"] {
            let email = format!("{}@example.com", email.replace(' ', "."));
            let form = [("email", email.as_str()), ("next", "/purchases")];
            let (reply, rows, statements) = hands.hold(world.cost(world.post(None, "/sign-in", &form))).await;
            assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/sign-in/code"), "{email}");
            let mut names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
            names.sort();
            // What proves a code, a link and a browser is hashed for everybody, and only the job sends.
            const HASHED: &str = "select cast(length(browser_hash) as bigint), cast(length(code_hash) as bigint), \
                cast(length(link_hash) as bigint) from sign_in_challenge where email = $1";
            const WAITS: &str = "select m.sent_at is null and j.attempts = 0 and j.done_at is null from message m \
                join job j on j.kind = 'deliver' and j.run_at = m.send_after where m.email = $1";
            let mut tx = world.db().read().await.unwrap();
            let hashed = aftercare::fetch_one!(tx, (i64, i64, i64), HASHED, &email).unwrap();
            assert!(aftercare::fetch_one!(tx, (bool,), WAITS, &email).unwrap().0, "{email}");
            ways.push((names, reply.body, rows, statements, hashed));
        }
        let (_, _, rows, statements, hashed) = &ways[0];
        let rows: Vec<_> = rows.iter().map(|(table, rows)| (table.as_str(), *rows)).collect();
        assert_eq!(rows, [("job", 1), ("message", 1), ("rate", 1), ("sign_in_challenge", 1)]);
        assert!(statements.written >= 8, "its writes are watched: {statements:?}");
        assert_eq!(*hashed, (43, 43, 43));
        for way in &ways {
            assert_eq!(way, &ways[0]);
        }
        world.drain().await;
        assert_eq!(world.count("select count(*) from message where sent_at is null").await, 0);
    }
}

both! {
    async fn a_wrong_code_is_answered_alike_whoever_was_asked_for(world: World) {
        world.person("known@example.com").await;
        let mut ways = Vec::new();
        for email in ["known@example.com", "unknown@example.com"] {
            let (cookie, code, link) = ask(&world, email, "/").await;
            let form = [("code", wrong(&code))];
            let (reply, rows, statements) = world.cost(world.post_with(&cookie, "/sign-in/code", &form)).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
            let (look, _, looked) = world.cost(world.get(None, &link)).await;
            let look = without_nonces(&look.body).replace(&link, "");
            ways.push((without_nonces(&reply.body), rows, statements, look, looked));
        }
        assert_eq!(ways[0], ways[1]);
    }
}

/// A page without what is drawn anew for each.
fn without_nonces(page: &str) -> String {
    let mut pieces = page.split("nonce=\"");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |page, piece| page + piece.split_once('"').map_or(piece, |(_, rest)| rest))
}

/// The next time that a day begins, on the real clock: what is counted by quarters of an hour begins anew then as well.
fn midnight() -> DateTime<Utc> {
    let tomorrow = Utc::now().date_naive().succ_opt().unwrap();
    tomorrow.and_time(chrono::NaiveTime::MIN).and_utc()
}

const INSTANT: TimeDelta = TimeDelta::microseconds(1);

both! {
    async fn a_code_and_a_link_are_good_until_the_very_end_of_their_ten_minutes(world: World) {
        let begins = midnight();
        let ends = begins + TimeDelta::minutes(10);
        let hands = Hands::at(begins);
        for (at, good) in [(ends - INSTANT, true), (ends, false)] {
            // A quarter of an hour later more letters may be asked for.
            let later = if good { TimeDelta::zero() } else { TimeDelta::hours(1) };
            hands.set(begins + later);
            let (cookie, code, _) = hands.hold(ask(&world, "ann@example.com", "/")).await;
            hands.set(at + later);
            let reply = hands.hold(world.post_with(&cookie, "/sign-in/code", &[("code", &code)])).await;
            assert_eq!(reply.cookie("aftercare").is_some(), good, "{}", reply.body);
            assert_eq!(reply.body.contains(TOO_OLD), !good);
            hands.set(begins + later);
            let (_, _, link) = hands.hold(ask(&world, "ann@example.com", "/")).await;
            hands.set(at + later);
            let look = hands.hold(world.get(None, &link)).await;
            assert_eq!(look.status, if good { StatusCode::OK } else { StatusCode::GONE });
            assert_eq!(hands.hold(world.post(None, &link, &[])).await.cookie("aftercare").is_some(), good);
        }
    }
}

both! {
    async fn the_fifth_try_may_be_the_right_one_and_the_sixth_comes_too_late(world: World) {
        for (wrong_ones, good) in [(4, true), (5, false)] {
            let (cookie, code, _) = ask(&world, "ann@example.com", "/").await;
            for left in (0..5).rev().take(wrong_ones) {
                let reply = world.post_with(&cookie, "/sign-in/code", &[("code", wrong(&code))]).await;
                assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
                assert_eq!(reply.body.contains("Too many wrong tries"), left == 0, "{left} left: {}", reply.body);
            }
            let reply = world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await;
            assert_eq!(reply.cookie("aftercare").is_some(), good, "{}", reply.body);
        }
    }
}

/// Asks for a letter; gives the status, and the seconds to wait where there are any.
async fn asked(world: &World, email: &str) -> (u16, Option<i64>) {
    let reply = world.post(None, "/sign-in", &[("email", email)]).await;
    let wait = reply.headers.get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().parse().unwrap());
    (reply.status.as_u16(), wait)
}

both! {
    async fn the_letters_to_an_address_begin_anew_after_exactly_ten_minutes(world: World) {
        let begins = midnight();
        let ends = begins + TimeDelta::minutes(10);
        let hands = Hands::at(begins);
        for at in [begins, begins + TimeDelta::minutes(7), ends - INSTANT] {
            hands.set(at);
            assert_eq!(hands.hold(asked(&world, "ann@example.com")).await, (303, None));
        }
        for (at, seconds) in [(begins, 600), (ends - TimeDelta::minutes(1), 60), (ends - INSTANT, 1)] {
            hands.set(at);
            assert_eq!(hands.hold(asked(&world, "ann@example.com")).await, (429, Some(seconds)), "{at}");
            assert_eq!(hands.hold(asked(&world, &format!("b{seconds}@example.com"))).await, (303, None), "another address");
        }
        hands.set(ends);
        for answer in [(303, None), (303, None), (303, None), (429, Some(600))] {
            assert_eq!(hands.hold(asked(&world, "ann@example.com")).await, answer);
        }
    }
}

both! {
    async fn the_letters_from_a_sender_begin_anew_after_exactly_ten_minutes(world: World) {
        let begins = midnight();
        let ends = begins + TimeDelta::minutes(10);
        let hands = Hands::at(begins);
        let sender = SocketAddr::from(([203, 0, 113, 7], 100));
        let ask = async |n: usize| hands.hold(ask_from(&world, sender, &format!("person{n}@example.com"))).await.status;
        for n in 0..20 {
            assert_eq!(ask(n).await, StatusCode::SEE_OTHER, "{n}");
        }
        hands.set(ends - INSTANT);
        assert_eq!(ask(20).await, StatusCode::TOO_MANY_REQUESTS);
        let other = SocketAddr::from(([203, 0, 113, 8], 100));
        let neighbour = hands.hold(ask_from(&world, other, "neighbour@example.com")).await;
        assert_eq!(neighbour.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from message").await, 21, "whom it refuses it writes nothing");
        hands.set(ends);
        for n in 20..40 {
            assert_eq!(ask(n).await, StatusCode::SEE_OTHER, "{n}");
        }
        assert_eq!(ask(40).await, StatusCode::TOO_MANY_REQUESTS);
    }
}

both! {
    async fn whoever_uses_somebodys_letters_up_leaves_them_a_link_until_there_are_new_ones(world: World) {
        let begins = midnight();
        let hands = Hands::at(begins);
        // A stranger asks as early as can be, and once more when there is nothing left.
        let mut link = String::new();
        for _ in 0..3 {
            link = hands.hold(ask(&world, "ann@example.com", "/")).await.2;
        }
        let (status, wait) = hands.hold(asked(&world, "ann@example.com")).await;
        assert_eq!(status, 429);
        let over = begins + TimeDelta::seconds(wait.unwrap());
        hands.set(over - INSTANT);
        assert_eq!(hands.hold(world.get(None, &link)).await.status, StatusCode::OK, "the last link still signs in");
        hands.set(over);
        assert_eq!(hands.hold(asked(&world, "ann@example.com")).await, (303, None));
    }
}

both! {
    async fn staff_start_at_their_desk_and_customers_at_home(world: World) {
        world.staff_named(Role::Trainer, "tina@example.com").await;
        for (email, next, start) in
            [("tina@example.com", "", "/desk"), ("ann@example.com", "", "/"), ("ben@example.com", "/account", "/account")]
        {
            let (cookie, code, _) = ask(&world, email, next).await;
            let by_code = world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await;
            assert_eq!(by_code.location(), start, "{email}");
            let (_, _, link) = ask(&world, email, next).await;
            assert_eq!(world.post(None, &link, &[]).await.location(), start, "{email}");
            let signed = world.signed(email).await;
            if next.is_empty() {
                assert_eq!(world.get(&signed, "/sign-in").await.location(), start, "{email}, signed in already");
            }
        }
        let (cookie, code, _) = ask(&world, "tina@example.com", "/account").await;
        assert_eq!(world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await.location(), "/account");
    }
}

both! {
    async fn codes_come_back_for_an_address_when_the_day_of_its_thirty_wrong_ones_ends(world: World) {
        let ends = midnight();
        let hands = Hands::at(ends - TimeDelta::hours(3));
        let code_is_good = async |at: DateTime<Utc>| {
            // Within its own ten minutes, so that only the day ends.
            hands.set(at - TimeDelta::minutes(9));
            let (cookie, code, link) = hands.hold(ask(&world, "ann@example.com", "/")).await;
            hands.set(at);
            let reply = hands.hold(world.post_with(&cookie, "/sign-in/code", &[("code", &code)])).await;
            let good = reply.cookie("aftercare").is_some();
            assert_eq!(reply.body.contains("Codes are switched off"), !good, "{}", reply.body);
            if !good {
                let by_link = hands.hold(world.post(None, &link, &[])).await;
                assert!(by_link.cookie("aftercare").is_some(), "links go on");
            }
            good
        };
        let wrong_once = async |cookie: &str, code: &str| {
            let reply = hands.hold(world.post_with(cookie, "/sign-in/code", &[("code", wrong(code))])).await;
            assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        };
        for n in 0..6 {
            hands.turn(TimeDelta::minutes(15));
            let (cookie, code, _) = hands.hold(ask(&world, "ann@example.com", "/")).await;
            for _ in 0..if n == 5 { 4 } else { 5 } {
                wrong_once(&cookie, &code).await;
            }
        }
        assert!(code_is_good(ends - TimeDelta::hours(1)).await, "after 29");
        hands.set(ends - TimeDelta::minutes(40));
        let (cookie, code, _) = hands.hold(ask(&world, "ann@example.com", "/")).await;
        wrong_once(&cookie, &code).await;
        assert_eq!(world.count("select count from rate where key like 'wrong-code:%'").await, 30);
        assert!(!code_is_good(ends - INSTANT).await, "after 30, to the last moment of the day");
        assert!(code_is_good(ends + INSTANT).await && code_is_good(ends + TimeDelta::minutes(20)).await);
        // The midnight between counts them apart.
        assert_eq!(world.count("select count(*) from rate where key like 'wrong-code:%'").await, 1);
        hands.set(ends + TimeDelta::hours(2));
        let (cookie, code, _) = hands.hold(ask(&world, "ann@example.com", "/")).await;
        wrong_once(&cookie, &code).await;
        assert_eq!(world.count("select count(*) from rate where key like 'wrong-code:%'").await, 2);
    }
}

both! {
    async fn what_is_counted_is_not_forgotten_before_its_time_is_over(world: World) {
        let (begins, day) = (midnight(), TimeDelta::days(1));
        let hands = Hands::at(begins);
        let count = || world.db().write(move |tx| Box::pin(async move { rate::count(tx, "tries", day).await }));
        let forget = || world.db().write(|tx| Box::pin(rate::forget(tx)));
        assert_eq!(hands.hold(count()).await, Ok((1, 86_400)));
        hands.set(begins + day - INSTANT);
        hands.hold(forget()).await.unwrap();
        assert_eq!(hands.hold(count()).await, Ok((2, 1)));
        hands.set(begins + day);
        assert_eq!(hands.hold(count()).await, Ok((1, 86_400)));
        hands.set(begins + day * 3);
        hands.hold(forget()).await.unwrap();
        assert_eq!(world.count("select count(*) from rate where key = 'tries'").await, 1, "the first day is long over");
    }
}

both! {
    async fn an_unknown_address_opens_an_account_when_it_is_proven(world: World) {
        let (cookie, code, _) = ask(&world, "new@example.com", "/").await;
        assert_eq!(world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from person where email = 'new@example.com'").await, 1);
    }
}

both! {
    async fn letters_are_in_the_language_in_which_somebody_read_when_they_signed_in(world: World) {
        let agent = world.staff(Role::Agent).await;
        let (cookie, code, _) = ask(&world, "ann@example.com", "/").await;
        let italian = format!("{cookie}; language=it");
        assert_eq!(world.post_with(&italian, "/sign-in/code", &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        let ann = world.signed("ann@example.com").await;
        let case = [("kind", "question"), ("subject", "A dark display"), ("words", "Since this morning.")];
        let path = world.post(&ann, "/cases/new", &case).await.location().to_owned();
        let answered = async || {
            world.post(&agent, &format!("/desk{path}"), &[("do", "answer"), ("words", "Press the left button.")]).await;
            let mut tx = world.db().read().await.unwrap();
            const LANGUAGE: &str = "select language from message where letter = 'case_answered' order by created_at desc, id desc limit 1";
            aftercare::fetch_scalar!(tx, String, LANGUAGE).unwrap().unwrap()
        };
        assert_eq!(answered().await, "it");
        // What they chose themselves goes first.
        world.post(&ann, "/language", &[("language", "lt"), ("back", "/")]).await;
        assert_eq!(answered().await, "lt");
    }
}

both! {
    async fn an_account_that_is_saved_keeps_a_language_that_its_menu_does_not_show(world: World) {
        let ann = world.customer("ann@example.com").await;
        for (tag, code) in [("es-MX", "es"), ("de", "")] {
            match tag {
                "de" => world.corrupt("update person set language = 'de' where email = 'ann@example.com'").await,
                _ => world.corrupt("update person set language = 'es-MX' where email = 'ann@example.com'").await,
            }
            let page = world.get(&ann, "/account").await.body;
            let menu = page.split("id=\"account-language\"").nth(1).unwrap().split("</select>").next().unwrap().to_owned();
            assert!(menu.contains(&format!("value=\"{code}\" selected")), "{tag}: {menu}");
            let version = page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            let form = [("name", "Ann"), ("phone", tag), ("language", code), ("zone", ""), ("version", &version)];
            // A second tap is answered like the first.
            for _ in 0..2 {
                assert_eq!(world.post(&ann, "/account", &form).await.status, StatusCode::SEE_OTHER, "{tag}");
            }
            let mut tx = world.db().read().await.unwrap();
            let kept = aftercare::fetch_scalar!(tx, String, "select language from person where email = 'ann@example.com'").unwrap();
            assert_eq!(kept.as_deref(), Some(tag));
        }
        assert_eq!(world.count("select count(*) from history where act = 'edit_account'").await, 2);
        let page = world.get(&ann, "/account").await.body;
        let version = page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let form = [("name", "Ann"), ("phone", ""), ("language", "it"), ("zone", ""), ("version", &version)];
        assert_eq!(world.post(&ann, "/account", &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from person where language = 'it'").await, 1);
    }
}

both! {
    async fn people_read_on_where_nothing_can_be_written(world: World) {
        let ann = world.customer("ann@example.com").await;
        let agent = world.staff(Role::Agent).await;
        let case = [("kind", "question"), ("subject", "A dark display"), ("words", "Since this morning.")];
        assert_eq!(world.post(&ann, "/cases/new", &case).await.status, StatusCode::SEE_OTHER);
        let inbox = world.get(&ann, "/inbox").await.body;
        let letter = inbox.split('"').find(|part| part.starts_with("/inbox/")).unwrap().to_owned();
        match world.engine {
            Engine::Sqlite => {
                world.corrupt("create trigger full_session before update on session begin select raise(abort, 'full'); end").await;
                world.corrupt("create trigger full_message before update on message begin select raise(abort, 'full'); end").await;
            }
            Engine::Postgres => {
                world.corrupt("create function full() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$").await;
                world.corrupt("create trigger full_session before update on session for each row execute function full()").await;
                world.corrupt("create trigger full_message before update on message for each row execute function full()").await;
            }
        }
        let later = Hands::at(clock::real_now() + TimeDelta::minutes(11));
        for (who, path) in [(&ann, "/purchases"), (&ann, letter.as_str()), (&agent, "/desk/cases")] {
            assert_eq!(later.hold(world.get(who, path)).await.status, StatusCode::OK, "{path}");
        }
    }
}

both! {
    async fn letters_to_one_address_are_limited(world: World) {
        let hands = Hands::at(midnight());
        for _ in 0..3 {
            hands.hold(ask(&world, "ann@example.com", "/")).await;
        }
        let reply = hands.hold(world.post(None, "/sign-in", &[("email", "ann@example.com")])).await;
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(reply.headers.contains_key("retry-after"));
    }
}

both! {
    async fn letters_are_limited_by_where_they_are_asked_from_too(world: World) {
        let mut sent = 0;
        let refused = loop {
            // Neither another port nor a made-up way through proxies makes another sender.
            let peer = SocketAddr::from(([203, 0, 113, 7], 100 + sent));
            let reply = ask_from(&world, peer, &format!("person{sent}@example.com")).await;
            if reply.status != StatusCode::SEE_OTHER {
                break reply;
            }
            sent += 1;
            assert!(sent <= 40, "not even where a window ends meanwhile");
        };
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(sent >= 20 && refused.headers.contains_key("retry-after"), "after {sent}");
        assert_eq!(world.count("select max(count) from rate where key like 'letter-from:%'").await, 20);
        assert!(world.letter(&format!("person{sent}@example.com")).await.is_none());
        let other = ask_from(&world, SocketAddr::from(([203, 0, 113, 8], 100)), "ann@example.com").await;
        assert_eq!(other.status, StatusCode::SEE_OTHER);
    }
}

/// The pages on which staff could come across what was written to somebody.
const DESK: [&str; 14] = [
    "/desk",
    "/desk/customers",
    "/desk/customers?q=ann",
    "/desk/organisations",
    "/desk/registrations",
    "/desk/charges",
    "/desk/repairs",
    "/desk/cases",
    "/desk/classes",
    "/desk/neglected",
    "/desk/feedback",
    "/desk/reports",
    "/desk/settings",
    "/inbox",
];

/// Whether a text tells a secret; not where its digits happen to stand within an identity.
fn tells(body: &str, secret: &str) -> bool {
    let hex = |c: Option<char>| c.is_some_and(|c| c.is_ascii_hexdigit());
    let alone = |at: usize| !hex(body[..at].chars().next_back()) && !hex(body[at + secret.len()..].chars().next());
    body.match_indices(secret).any(|(at, _)| alone(at))
}

both! {
    async fn no_page_of_any_role_tells_the_code_of_somebody_else(world: World) {
        let ann = world.customer("ann@example.com").await;
        let admin = world.staff(Role::Admin).await;
        let mut secrets = Vec::new();
        for email in ["ann@example.com", "admin@staff.example"] {
            let (_, code, link) = ask(&world, email, "/").await;
            secrets.extend([code, link]);
        }
        let bob = world.customer("bob@example.com").await;
        let claim = [("order_number", "A-1"), ("email", "ann@example.com")];
        assert_eq!(world.post(&bob, "/purchases/register", &claim).await.status, StatusCode::SEE_OTHER);
        secrets.push(world.letter("ann@example.com").await.unwrap().0.split(' ').next().unwrap().to_owned());
        let case = [("kind", "question"), ("subject", "A dark display"), ("words", "Since this morning.")];
        assert_eq!(world.post(&ann, "/cases/new", &case).await.status, StatusCode::SEE_OTHER);
        let people = [format!("/desk/customers/{}", ann.id), format!("/desk/customers/{}", admin.id)];
        for role in Role::ALL {
            let staff = world.staff(role).await;
            for path in DESK.iter().map(|path| (*path).to_owned()).chain(people.clone()) {
                let body = world.get(&staff, &path).await.body;
                for secret in &secrets {
                    assert!(!tells(&body, secret), "{role:?} reads {secret} at {path}");
                }
            }
        }
        // What is no secret is seen.
        let agent = world.staff(Role::Agent).await;
        assert!(world.get(&agent, &people[0]).await.body.contains("We have your message: A dark display"));
        assert!(!tells(&world.get(&ann, "/inbox").await.body, &secrets[0]));
        assert!(tells(&format!("<b>{}</b>", secrets[0]), &secrets[0]));
    }
}

both! {
    async fn a_code_is_forgotten_once_its_letter_has_left(world: World) {
        world.staff(Role::Agent).await;
        ask(&world, "ann@example.com", "/").await;
        let bob = world.customer("bob@example.com").await;
        let claim = [("order_number", "A-1"), ("email", "ann@example.com")];
        assert_eq!(world.post(&bob, "/purchases/register", &claim).await.status, StatusCode::SEE_OTHER);
        let case = [("kind", "question"), ("subject", "A dark display"), ("words", "Since this morning.")];
        assert_eq!(world.post(&bob, "/cases/new", &case).await.status, StatusCode::SEE_OTHER);
        let kept = async || world.count("select count(*) from message where subject || body <> ''").await;
        assert_eq!(kept().await, 3, "it is to be sent yet");
        world.drain().await;
        assert_eq!(kept().await, 1, "what is no secret stays");
        assert_eq!(world.count("select count(*) from message where subject || body = '' and link is null").await, 2);
        assert_eq!(world.broken().await, Vec::<String>::new());
    }
}

both! {
    async fn a_mistyped_address_comes_back_with_its_fault(world: World) {
        let reply = world.post(None, "/sign-in", &[("email", "ann at example"), ("next", "/purchases")]).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(reply.body.contains("value=\"ann at example\"") && reply.body.contains("aria-invalid=\"true\""));
        assert!(reply.body.contains("value=\"/purchases\""), "where one wanted to go is kept");
    }
}

both! {
    async fn a_page_that_needs_a_sign_in_sends_there_and_back(world: World) {
        let reply = world.get(None, "/account?x=1").await;
        assert_eq!((reply.status, reply.location()), (StatusCode::SEE_OTHER, "/sign-in?next=%2Faccount%3Fx%3D1"));
    }
}

both! {
    /// Some forms are sent to an address that is none to open: it is the page of the form that one comes back to.
    async fn whose_form_comes_too_late_goes_on_where_the_form_stood(world: World) {
        let sent = async |path: &str, referer: &str| {
            let request = Request::post(path)
                .header(header::ORIGIN, "http://portal.test")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::REFERER, referer);
            let reply = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{path}");
            reply.location().to_owned()
        };
        let (done, end) = (format!("/desk/follow-ups/{}", Uuid::now_v7()), format!("/account/sessions/{}/end", Uuid::now_v7()));
        assert_eq!(sent(&done, "http://portal.test/desk/neglected").await, "/sign-in?next=%2Fdesk%2Fneglected");
        assert_eq!(sent(&end, "http://portal.test/account?x=1").await, "/sign-in?next=%2Faccount%3Fx%3D1");
        // It stood elsewhere, or nobody says where: then it is where it was sent to.
        for elsewhere in ["http://elsewhere.test/account", "http://portal.test.elsewhere.test/account", "nonsense", ""] {
            assert_eq!(sent("/account", elsewhere).await, "/sign-in?next=%2Faccount", "{elsewhere}");
        }
        assert_eq!(sent("/account", "http://portal.test/account").await, "/sign-in?next=%2Faccount");
    }
}

both! {
    async fn an_address_that_takes_forms_only_says_so_on_a_page(world: World) {
        let agent = world.staff(aftercare::access::Role::Agent).await;
        for (path, takes) in [(format!("/desk/follow-ups/{}", Uuid::now_v7()), "POST"), ("/sign-out".to_owned(), "POST")] {
            for who in [Some(&agent), None] {
                let cookie = who.map(|who| who.cookie.clone()).unwrap_or_default();
                let request = Request::get(&path).header(header::COOKIE, cookie).header(header::ACCEPT_LANGUAGE, "lt");
                let reply = world.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
                assert_eq!(reply.headers[header::ALLOW], takes, "{path}");
                assert!(reply.body.contains("Šio adreso atverti negalima") && reply.body.contains("href=\"/\""), "{}", reply.body);
            }
        }
        let put = Request::put("/account").header(header::ORIGIN, "http://portal.test").body(Body::empty()).unwrap();
        let reply = world.send(put).await;
        assert_eq!((reply.status, &reply.headers[header::ALLOW]), (StatusCode::METHOD_NOT_ALLOWED, &header::HeaderValue::from_static("GET,HEAD,POST")));
    }
}

both! {
    async fn a_session_can_be_ended_from_another_browser_but_not_by_another_person(world: World) {
        let (ann, bob) = (world.customer("ann@example.com").await, world.customer("bob@example.com").await);
        let phone = world.customer("ann@example.com").await;
        let page = world.get(&ann, "/account").await.body;
        let path = page.split("action=\"/account/sessions/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let path = format!("/account/sessions/{path}");
        assert_eq!(world.post(&bob, &path, &[]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.post(&ann, &path, &[]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.get(&phone, "/account").await.location(), "/sign-in?next=%2Faccount");
    }
}

both! {
    async fn the_second_of_two_editors_is_told(world: World) {
        let ann = world.customer("ann@example.com").await;
        let fields = [("name", "Ann One"), ("version", "1")];
        assert_eq!(world.post(&ann, "/account", &fields).await.status, StatusCode::SEE_OTHER);
        let second = world.post(&ann, "/account", &[("name", "Ann Two"), ("version", "1")]).await;
        assert_eq!(second.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(second.body.contains("Ann Two"), "what was typed is kept");
        assert!(second.body.contains("Now saved: Ann One"), "{}", second.body);
        // The page as it stands saves: whoever saw the other change may.
        let version = second.body.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let third = world.post(&ann, "/account", &[("name", "Ann Two"), ("version", version)]).await;
        assert_eq!(third.status, StatusCode::SEE_OTHER, "{}", third.body);
        assert_eq!(world.count("select count(*) from person where name = 'Ann Two'").await, 1);
    }
}

both! {
    async fn pages_speak_the_readers_language(world: World) {
        let request = axum::http::Request::get("/sign-in").header("accept-language", "lt,en;q=0.5").body(axum::body::Body::empty()).unwrap();
        let reply = world.send(request).await;
        assert!(reply.body.contains("lang=\"lt\"") && reply.body.contains("Prisijungti"));
    }
}

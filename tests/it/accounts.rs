//! Signing in: by code, by link, not by anything else.

use crate::{both, world::World};
use axum::http::StatusCode;

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
    async fn an_unknown_address_opens_an_account_when_it_is_proven(world: World) {
        let (cookie, code, _) = ask(&world, "new@example.com", "/").await;
        assert_eq!(world.post_with(&cookie, "/sign-in/code", &[("code", &code)]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(world.count("select count(*) from person where email = 'new@example.com'").await, 1);
    }
}

both! {
    async fn letters_to_one_address_are_limited(world: World) {
        for _ in 0..3 {
            ask(&world, "ann@example.com", "/").await;
        }
        let reply = world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(reply.headers.contains_key("retry-after"));
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
    }
}

both! {
    async fn pages_speak_the_readers_language(world: World) {
        let request = axum::http::Request::get("/sign-in").header("accept-language", "lt,en;q=0.5").body(axum::body::Body::empty()).unwrap();
        let reply = world.send(request).await;
        assert!(reply.body.contains("lang=\"lt\"") && reply.body.contains("Prisijungti"));
    }
}

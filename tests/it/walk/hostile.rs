//! What hostile people send: scripts, floods, forged fields, broken encodings. Nothing of it may run, stay, or hurt.

mod forged;
mod scripts;

use super::{
    Who, demo, found,
    table::{DOORS, Door, Rule},
    things::{Things, multipart},
};
use crate::{
    both,
    world::{Reply, Signed, World},
};
use aftercare::access::Role;
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};

/// Somebody for whom the door opens.
fn welcome(rule: Rule) -> Who {
    match rule {
        Rule::Desk(_) => Who::Staff(Role::Manager),
        Rule::Public | Rule::Secret => Who::Guest,
        _ => Who::Customer,
    }
}

fn posts() -> impl Iterator<Item = &'static Door> {
    DOORS.iter().filter(|door| door.post != Rule::None)
}

async fn post_raw(world: &World, signed: &Option<Signed>, path: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(path)
        .header(header::COOKIE, signed.as_ref().map(|signed| signed.cookie.as_str()).unwrap_or_default())
        .header(header::ORIGIN, "http://portal.test")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.into())
        .unwrap();
    world.send(request).await
}

/// These doors read nothing of what is posted.
const WITHOUT_A_FORM: [&str; 3] = ["/sign-out", "/sign-in/link/{token}", "/account/sessions/{id}/end"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_a_megabyte_is_refused() {
    let world = demo().await;
    let things = Things::of(&world).await;
    for door in posts().filter(|door| !WITHOUT_A_FORM.contains(&door.path) && door.path != "/rpc/{*name}") {
        let signed = welcome(door.post).enter(&world).await;
        let address = things.address(door.path);
        for name in ["words", "do", "fault"] {
            let reply = post_raw(&world, &signed, &address, format!("{name}={}", "a".repeat(1 << 20))).await;
            assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "POST {address}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_of_very_many_small_parts_is_refused() {
    let world = demo().await;
    let customer = Who::Customer.enter(&world).await.unwrap();
    let part = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n";
    let body = format!("{}--b--\r\n", part.repeat(5000));
    let reply = world.send(multipart(&customer.cookie, "multipart/form-data; boundary=b", body.into())).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_post_of_pictures_is_the_senders_fault() {
    let world = demo().await;
    let customer = Who::Customer.enter(&world).await.unwrap();
    let part = "Content-Disposition: form-data; name=\"photos\"; filename=\"a.png\"\r\n\r\n";
    for (kind, body) in [
        ("multipart/form-data", String::new()),
        ("multipart/form-data; boundary=", "--\r\n".to_owned()),
        ("multipart/form-data; boundary=b", String::new()),
        ("multipart/form-data; boundary=b", "no boundary at all".to_owned()),
        ("multipart/form-data; boundary=b", "--b\r\n".to_owned()),
        ("multipart/form-data; boundary=b", format!("--b\r\n{part}cut off")),
        ("multipart/form-data; boundary=b", format!("--b\r\n{part}no picture\r\n--b--\r\n")),
        ("multipart/form-data; boundary=b", format!("--b\r\n{}\r\n\r\n\r\n--b--\r\n", "X: y\r\n".repeat(500))),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n".to_owned()),
    ] {
        let reply = world.send(multipart(&customer.cookie, kind, body.clone().into())).await;
        assert!(reply.status.is_client_error(), "{kind} {body:?}: {}", reply.status);
    }
    assert_eq!(found(&world, "select lower(hex(id)) from photo").await, None);
}

/// Lists, with the names of their cursors.
const LISTS: [&str; 16] = [
    "/purchases?after=",
    "/cases?from=",
    "/repairs?after=",
    "/inbox?after=",
    "/account/charges?after=",
    "/demo/mail?after=",
    "/desk/cases?queue=all&from=",
    "/desk/repairs?after=",
    "/desk/repairs?queue=closed&after=",
    "/desk/customers?from=",
    "/desk/registrations?after=",
    "/desk/charges?state=settled&after=",
    "/desk/feedback?from=",
    "/training?after=",
    "/training/mine?after=",
    "/desk/classes?view=past&after=",
];

both! {
    async fn a_cursor_that_is_none_is_the_beginning_or_the_end(world: World) {
        let signed = [world.customer("ann@example.com").await, world.staff(Role::Manager).await];
        let id = "0190f0d0000070008000000000000000";
        let keys = [
            "", "x", "%00", "%ff%fe", "~~~", "0", "-1", "9223372036854775807", "-9223372036854775808", "8210266876799999999",
            "-8334601228800000000", "99999999999999999999999999", "2026-12-01", "%2B262142-12-31T23:59:59Z",
            "-262143-01-01T00:00:00Z", "NaN", "'%20or%201=1--",
        ];
        for list in LISTS {
            for key in keys {
                for cursor in [key.to_owned(), format!("{key}~{id}"), format!("{key}~ffffffffffffffffffffffffffffffff"), format!("{key}~zz")] {
                    for who in &signed {
                        let reply = world.get(who, &format!("{list}{cursor}")).await;
                        assert!(!reply.status.is_server_error(), "{list}{cursor}: {}", reply.status);
                    }
                }
            }
        }
    }
}

both! {
    async fn a_nul_or_broken_text_is_no_failure_of_ours(world: World) {
        let (ann, manager) = (world.customer("ann@example.com").await, world.staff(Role::Manager).await);
        let ann_at = format!("/desk/customers/{}", ann.id);
        let nothing = format!("/desk/follow-ups/{}", ann.id);
        for broken in ["a%00b", "%00", "%ff%fe", "a%c3", "%ed%a0%80", "%", "%zz", "\u{feff}", "%E2%80%AE%E2%80%8B", "a%0Ab", "a%0D%0AX-Evil:%201"] {
            for (who, path, form) in [
                (None, "/sign-in", "email=X%40example.com&next=X"),
                (None, "/sign-in", "email=annX@example.com"),
                (None, "/sign-in/code", "code=X"),
                (None, "/language", "language=X&back=X"),
                (None, "/rate/X", "score=1&words=X"),
                (Some(&ann), "/account", "name=X&phone=X&language=X&zone=X&version=1"),
                (Some(&ann), "/account", "name=X&version=1"),
                (Some(&ann), "/purchases/register", "order_number=X&email=bob%40example.com&key=X"),
                (Some(&ann), "/purchases/register", "serial_number=aX&proof=X"),
                (Some(&ann), "/cases/new", "kind=question&subject=X&words=X&about=X"),
                (Some(&ann), "/repairs/new", "item=X&mode=send_in&fault=X&place=X&do=X"),
                (Some(&ann), "/repairs/new", "fault=X&place=X&remove=X"),
                (Some(&ann), "/repairs/X", "do=cancel"),
                (Some(&manager), &ann_at, "due=1&what=X&entity=X&id=X"),
                (Some(&manager), &nothing, "outcome=X"),
                (Some(&manager), "/desk/registrations", "registration=X&decision=refuse&why=X"),
                (Some(&manager), "/desk/charges", "charge=X&outcome=X"),
                (Some(&manager), "/desk/neglected", "do=plan&entity=X&id=X&due=1"),
                (Some(&manager), "/desk/courses/new", "title=X&summary=X&language=en&pass_percent=1&products=X"),
                (Some(&manager), "/desk/classes/new", "course=X&title=X&zone=X&date_1=X&starts_1=X&ends_1=X&link=X"),
                (Some(&ann), "/training/mine", "act=X"),
            ] {
                let (path, form) = (path.replace('X', broken), form.replace('X', broken));
                if path.parse::<axum::http::Uri>().is_err() {
                    continue;
                }
                let reply = post_raw(&world, &who.cloned(), &path, form.clone()).await;
                assert!(!reply.status.is_server_error(), "POST {path} {form}: {}", reply.status);
            }
            for path in [
                "/purchases?q=X", "/purchases?covered=X", "/purchases/X", "/repairs/X", "/repairs/new?item=X&mode=X&from=X",
                "/cases/X", "/cases/new?kind=X&about=X", "/inbox/X", "/photos/X", "/rate/X", "/rate/X?score=X", "/sign-in?next=X",
                "/sign-in/link/X", "/desk/customers?q=X", "/desk/customers/X", "/desk/cases?queue=X", "/desk/repairs?queue=X",
                "/desk/cases/X", "/assets/X/X", "/rpc/X", "/training?q=X&place=X&language=X", "/training/X", "/certificates/X",
                "/calendar/X.ics", "/desk/classes?view=X", "/X",
            ] {
                let path = path.replace('X', broken);
                if path.parse::<axum::http::Uri>().is_err() {
                    continue;
                }
                for who in [&ann, &manager] {
                    let reply = world.get(who, &path).await;
                    assert!(!reply.status.is_server_error(), "GET {path}: {}", reply.status);
                }
            }
        }
        // Bytes that were never encoded.
        for path in ["/cases/new", "/account", "/purchases/register", "/repairs/new"] {
            let reply = post_raw(&world, &Some(ann.clone()), path, vec![0, 255, 254, b'=', 0, b'&', b'x', b'=', 200]).await;
            assert!(!reply.status.is_server_error(), "{path}: {}", reply.status);
        }
    }
}

/// What an address can be asked with that no page asks for itself: twice, of the wrong kind, broken.
const ODD: [&str; 6] = [
    "q=a&q=b&after=0&after=2&from=x&from=y&queue=a&queue=b&view=a&view=b&covered=x&covered=yes&next=/&next=/account",
    "after=x&from=x&item=x&mode=x&session=x&score=x&language=x&place=x&kind=x&about=x&state=x&queue=x&view=x&covered=x",
    "after=%FF&q=%FF&from=%C3&item=%80&session=%FF",
    "after=-9223372036854775809&from=99999999999999999999&score=1e9",
    "&&&=&=x&%00",
    "after[]=1&after[a]=2&q[]=3&id=new&id=new",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_that_is_none_or_stands_there_twice_is_not_asked() {
    let world = demo().await;
    let things = Things::of(&world).await;
    let mut wrong = Vec::new();
    for door in DOORS.iter().filter(|door| !matches!(door.get, Rule::None | Rule::Secret)) {
        let signed = welcome(door.get).enter(&world).await;
        let address = things.address(door.path);
        let plain = world.get(&signed, &address).await.status;
        for odd in ODD {
            let reply = world.get(&signed, &format!("{address}?{odd}")).await;
            // The character NUL is in no address of ours.
            let fine = reply.status == plain || (odd.contains("%00") && reply.status == StatusCode::NOT_FOUND);
            if !fine {
                wrong.push(format!("{address}?{odd}: {} instead of {plain}", reply.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_no_text_is_a_page_that_helps() {
    let world = demo().await;
    let manager = Who::Staff(Role::Manager).enter(&world).await;
    for door in DOORS.iter().filter(|door| door.path.contains('{') && !door.path.contains("{*")) {
        let (head, rest) = door.path.split_once('{').unwrap();
        for odd in ["%FF", "%C3", "a%80b", "%"] {
            let address = format!("{head}{odd}{}", rest.split_once('}').unwrap().1);
            let reply = world.get(&manager, &address).await;
            // Where there is only a form to post to, there is nothing to see either.
            let nothing = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::GONE, StatusCode::OK];
            assert!(nothing.contains(&reply.status), "{address}: {}", reply.status);
            let helps = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&reply.status);
            assert!(!helps || reply.body.contains("</html>"), "{address}");
        }
    }
}

both! {
    async fn a_very_long_address_is_no_failure_of_ours(world: World) {
        let signed = [world.customer("ann@example.com").await, world.staff(Role::Manager).await];
        let long = "a".repeat(60_000);
        let words = "a%20".repeat(15_000);
        for who in &signed {
            for path in ["/purchases?q=", "/desk/customers?q=", "/repairs/new?item=", "/cases?from=", "/sign-in?next=/", "/cases/new?about=", "/purchases/", "/repairs/", "/rate/", "/nowhere/"] {
                for tail in [&long, &words] {
                    let reply = world.get(who, &format!("{path}{tail}")).await;
                    assert!(!reply.status.is_server_error(), "{path}…: {}", reply.status);
                }
            }
        }
    }
}

//! Does the name and password of a small host keep others out? The right one comes in, a guesser waits longer and
//! longer, and nobody else waits with them.

use actix_payments::{Admin, basic_auth, hash_password};
use actix_web::http::Method;
use actix_web::{App as ActixApp, HttpRequest, test};

use crate::app::{App, Kind, on_both_databases, staff};

const PAGE: &str = "/payments/admin/payments";
/// `admin:guess`, `somebody:secret` and `admin:secret` in base64.
const WRONG: &str = "Basic YWRtaW46Z3Vlc3M=";
const WRONG_NAME: &str = "Basic c29tZWJvZHk6c2VjcmV0";
const RIGHT: &str = "Basic YWRtaW46c2VjcmV0";

/// Asks for a page as if from this address; answers the status and how long to wait.
macro_rules! ask {
    ($service:expr, $from:expr, $who:expr) => {{
        let request = test::TestRequest::default().method(Method::GET).uri(PAGE).insert_header(("x-client", $from));
        let request = request.insert_header(("authorization", $who)).to_request();
        let response = test::call_service(&$service, request).await;
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse::<i64>().unwrap());
        (response.status().as_u16(), wait)
    }};
}

macro_rules! serving {
    ($app:expr) => {{
        let client = |req: &HttpRequest| Some(req.headers().get("x-client")?.to_str().ok()?.to_owned());
        let admin = Admin::new(staff()).client_address(client);
        test::init_service(ActixApp::new().service($app.payments.mount("/payments").admin(admin))).await
    }};
}

on_both_databases! {
    async fn the_right_name_and_password_come_in_and_no_others(kind) {
        let app = App::new(kind).await;
        let service = serving!(app);
        for who in [WRONG, WRONG_NAME, "Basic", "Basic !!!", "Bearer YWRtaW46c2VjcmV0", "Basic YWRtaW4="] {
            assert_eq!(ask!(service, "192.0.2.1", who), (401, None), "{who}");
        }
        // The second is remembered, and a wrong one after it is wrong all the same.
        for (who, status) in [(RIGHT, 200), (RIGHT, 200), (WRONG, 401), (WRONG_NAME, 401), (RIGHT, 200)] {
            assert_eq!(ask!(service, "192.0.2.1", who), (status, None), "{who}");
        }
    }

    async fn who_guesses_waits_longer_each_time_and_nobody_else_does(kind) {
        let app = App::new(kind).await;
        let service = serving!(app);
        for _ in 0..5 {
            assert_eq!(ask!(service, "192.0.2.1", WRONG), (401, None));
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(ask!(service, "192.0.2.1", WRONG), (429, Some(wait)));
            // Not even the right one is told that it is right.
            assert_eq!(ask!(service, "192.0.2.1", RIGHT), (429, Some(wait)));
            assert_eq!(ask!(service, "192.0.2.2", RIGHT), (200, None), "another address");
            app.pass(wait);
            assert_eq!(ask!(service, "192.0.2.1", WRONG), (401, None), "the wait of {wait} s is over");
        }
        app.pass(300);
        assert_eq!(ask!(service, "192.0.2.1", RIGHT), (200, None));
        assert_eq!(ask!(service, "192.0.2.1", WRONG), (401, None));
        assert_eq!(ask!(service, "192.0.2.1", WRONG), (429, Some(300)), "a right one forgives no wrong ones");
    }
}

/// Asks as a browser with these cookies; answers the status and the cookie that was set.
macro_rules! browse {
    ($service:expr, $from:expr, $who:expr, $cookie:expr) => {{
        let request = test::TestRequest::default().method(Method::GET).uri(PAGE).insert_header(("x-client", $from));
        let request = request.insert_header(("authorization", $who)).insert_header(("cookie", $cookie)).to_request();
        let response = test::call_service(&$service, request).await;
        let set = response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), set)
    }};
}

#[actix_web::test]
async fn right_ones_in_between_are_no_way_to_go_on_guessing() {
    let app = App::new(Kind::Sqlite).await;
    let service = serving!(app);
    let mut refused = 0;
    for _ in 0..10 {
        for who in [WRONG, WRONG, WRONG, WRONG, RIGHT] {
            refused += usize::from(ask!(service, "192.0.2.1", who).0 == 429);
        }
    }
    assert!(refused >= 44, "{refused} of 50 had to wait");
}

#[actix_web::test]
async fn others_behind_the_same_proxy_do_not_lock_out_who_is_logged_in() {
    let app = App::new(Kind::Sqlite).await;
    let service = serving!(app);
    let (status, cookie) = browse!(service, "proxy", RIGHT, "");
    let cookie = cookie.expect("a cookie for the browser");
    assert_eq!(status, 200);
    for word in ["payments-device=", "Path=/payments/admin;", "HttpOnly", "SameSite=Strict", "Max-Age=15552000"] {
        assert!(cookie.contains(word), "{word}: {cookie}");
    }
    let known = cookie.split(';').next().unwrap().to_owned();
    for _ in 0..20 {
        ask!(service, "proxy", WRONG);
    }
    assert_eq!(ask!(service, "proxy", RIGHT).0, 429);
    assert_eq!(browse!(service, "proxy", RIGHT, format!("a=b; {known}; c=d")), (200, None));
    // The cookie opens nothing by itself, nobody can make one up, and its own wrong tries count.
    assert_eq!(browse!(service, "proxy", "Basic", known.clone()).0, 401);
    let last = if known.ends_with('0') { '1' } else { '0' };
    let made_up = format!("{}{last}", &known[..known.len() - 1]);
    assert_eq!(browse!(service, "proxy", RIGHT, made_up).0, 429);
    for _ in 0..5 {
        assert_eq!(browse!(service, "elsewhere", WRONG, known.clone()).0, 401);
    }
    assert_eq!(browse!(service, "elsewhere", RIGHT, known.clone()).0, 429);
    assert_eq!(browse!(service, "elsewhere", RIGHT, "").0, 200);
}

#[actix_web::test]
async fn guesses_from_many_addresses_are_counted_for_the_account() {
    let app = App::new(Kind::Sqlite).await;
    let service = serving!(app);
    let known = browse!(service, "192.0.2.1", RIGHT, "").1.unwrap();
    let known = known.split(';').next().unwrap();
    for host in 0..50 {
        assert_eq!(ask!(service, format!("198.51.100.{host}"), WRONG), (401, None), "{host}");
        assert_eq!(ask!(service, format!("198.51.100.{host}"), WRONG_NAME), (401, None), "no account of this name");
    }
    assert_eq!(ask!(service, "203.0.113.1", WRONG), (429, Some(1)));
    assert_eq!(browse!(service, "203.0.113.2", RIGHT, known).0, 200, "who is known comes in");
    app.pass(1);
    assert_eq!(ask!(service, "203.0.113.3", RIGHT).0, 200, "and who is right does after a while");
}

#[actix_web::test]
async fn a_network_of_ipv6_addresses_guesses_as_one() {
    let app = App::new(Kind::Sqlite).await;
    let service = serving!(app);
    for host in 1..=5 {
        assert_eq!(ask!(service, format!("2001:db8::{host}"), WRONG), (401, None));
    }
    assert_eq!(ask!(service, "2001:db8::6", RIGHT).0, 429);
    assert_eq!(ask!(service, "2001:db8:0:1::6", RIGHT).0, 200);
}

#[actix_web::test]
async fn many_guesses_at_once_are_not_many_free_ones() {
    let app = App::new(Kind::Sqlite).await;
    let service = serving!(app);
    let ask = || async { ask!(service, "192.0.2.1", WRONG).0 };
    let mut all: Vec<std::pin::Pin<Box<dyn Future<Output = u16>>>> = Vec::new();
    (0..40).for_each(|_| all.push(Box::pin(ask())));
    let mut answers = Vec::new();
    std::future::poll_fn(|cx| {
        all.retain_mut(|one| match one.as_mut().poll(cx) {
            std::task::Poll::Ready(status) => {
                answers.push(status);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    let checked = answers.iter().filter(|status| **status == 401).count();
    // Two are checked at a time, so one more can be under way when the fifth turns out wrong.
    assert!((5..=6).contains(&checked), "{checked} of {answers:?}");
    assert_eq!(answers.len(), 40);
}

#[std::prelude::v1::test]
fn what_is_no_hash_is_refused_and_not_repeated() {
    for text in
        ["", "hunter2", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv", "$scrypt$ln=1$c2FsdHk$aGFzaA"]
    {
        let refused = basic_auth("admin", text).expect_err(text).to_string();
        assert!(refused.contains("hash_password"), "{refused}");
        assert!(text.is_empty() || !refused.contains(text), "{refused}");
    }
    assert!(basic_auth("", hash_password("hunter2").unwrap()).is_err());
    assert!(hash_password("").is_err());
}

#[actix_web::test]
async fn a_hash_made_here_is_salted_and_lets_its_password_in() {
    let (hash, other) = (hash_password("secret").unwrap(), hash_password("secret").unwrap());
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_ne!(hash, other);
    let app = App::new(Kind::Sqlite).await;
    let mount = app.payments.mount("/payments").admin(basic_auth("admin", format!("{hash}\n")).unwrap());
    let service = test::init_service(ActixApp::new().service(mount)).await;
    assert_eq!(ask!(service, "", RIGHT).0, 200);
    assert_eq!(ask!(service, "", WRONG).0, 401);
}

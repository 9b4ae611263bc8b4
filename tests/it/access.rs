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
        assert_eq!(ask!(service, "192.0.2.1", WRONG), (401, None), "who came in begins anew");
        assert_eq!(ask!(service, "192.0.2.1", WRONG), (401, None));
    }
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
        let refused = basic_auth("admin", text).err().expect(text).to_string();
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

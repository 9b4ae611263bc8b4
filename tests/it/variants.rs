//! Does a variant's page say whether it is set up, and what to do where it is not? And is a test event one that no
//! payment can feel?

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Recorded, Verified};
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::gateways::{Gateway, TEST_KIND, Verification};
use actix_payments::{Access, AnyConnection, Builder};
use actix_web::http::Method;
use actix_web::{App as ActixApp, HttpRequest, test};

use crate::app::{ADMIN, App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::completed_as;

fn gateways() -> Vec<Box<dyn Gateway>> {
    vec![Box::new(Stripe::new("whsec_new").secret("old", "whsec_old")), Box::new(Dummy::new("a secret of our own"))]
}

fn now() -> Timestamp {
    Timestamp::from_unix_timestamp(NOW).unwrap()
}

fn verify(gateway: &dyn Gateway, delivery: &Delivery) -> Result<Verified, Rejection> {
    match gateway.verify(delivery, now()) {
        Verification::Ready(answer) => answer,
        _ => panic!("these need nobody else"),
    }
}

#[std::prelude::v1::test]
fn a_test_delivery_is_genuine_and_no_payment_can_feel_it() {
    for gateway in gateways() {
        let delivery = gateway.test_delivery("evt_test_1", now()).unwrap();
        let verified = verify(&*gateway, &delivery).unwrap();
        let [event] = &verified.events[..] else { panic!("not one event") };
        assert_eq!((event.id.as_str(), event.kind.as_str(), event.livemode), ("evt_test_1", TEST_KIND, Some(false)));
        let recorded = Recorded::new(&event.id, &event.kind, now(), &event.body);
        let said = gateway.interpret(&recorded).unwrap();
        assert_eq!(said.facts, []);
        assert_eq!(said.references, Default::default());
        assert!(said.summary.contains("test event"), "{}", said.summary);
        assert!(!gateway.setup().kinds.contains(&TEST_KIND));
    }
}

#[std::prelude::v1::test]
fn what_a_gateway_signs_is_genuine_and_tells_no_secret() {
    for gateway in gateways() {
        let body = gateway.test_delivery("evt_1", now()).unwrap().body;
        let fields = gateway.sign(&body, now()).unwrap();
        assert!(!format!("{fields:?}{:?}", gateway.setup()).contains("secret of our own"));
        assert!(!format!("{fields:?}{:?}", gateway.setup()).contains("whsec_new"));
        let headers: Vec<_> = fields.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let signed = |body| Delivery::new(body).with_headers(headers.clone());
        assert!(verify(&*gateway, &signed(body.clone())).is_ok());
        let other = [&body[..], b" "].concat().into();
        assert_eq!(verify(&*gateway, &signed(other)).unwrap_err(), Rejection::SignatureMismatch);
    }
}

#[std::prelude::v1::test]
fn every_rejection_has_a_cause_and_a_next_step() {
    for rejection in Rejection::ALL {
        assert_eq!(Rejection::parse(rejection.code()), Some(rejection));
        for words in [rejection.likely_cause(), rejection.next_step()] {
            assert!(words.len() > 20 && !words.ends_with('.'), "{rejection}: {words}");
        }
    }
    assert_eq!(Rejection::parse("<script>"), None);
}

fn both(builder: Builder<AnyConnection>) -> Builder<AnyConnection> {
    let stripe = Stripe::new(SECRET).secret("old", "whsec_old_one").secret("older", "whsec_older_one");
    builder.variant("stripe", stripe).variant("dummy", Dummy::new("the secret of the demo"))
}

async fn signed_with(app: &App, secret: &str, number: usize) -> u16 {
    let body = completed_as(number, "nobody");
    let signature = sign_delivery(secret, app.now(), body.as_bytes());
    let headers = [("stripe-signature", signature.as_str())];
    app.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes()).await.status
}

on_both_databases! {
    async fn the_pages_say_how_to_set_a_variant_up_and_never_a_secret(kind) {
        let app = App::bare(kind, both).await;
        let list = app.get("/payments/admin/variants").await;
        assert_eq!(list.status, 200);
        for part in ["Stripe", "Dummy", "/payments/stripe/", "no events yet", "never", "href=\"/payments/admin/variants/dummy\""] {
            assert!(list.body.contains(part), "{part:?} in {}", list.body);
        }
        let page = app.get("/payments/admin/variants/stripe").await;
        let parts = [
            "http://localhost:8080/payments/stripe/", "no gateway can reach", "add an endpoint", "Copy all",
            "charge.dispute.funds_withdrawn", "primary", "older", "None were refused", "Send a signed test event",
        ];
        for part in parts {
            assert!(page.body.contains(part), "{part:?} in {}", page.body);
        }
        for secret in [SECRET, "whsec_old_one", "the secret of the demo"] {
            assert!(!list.body.contains(secret) && !page.body.contains(secret));
        }
        assert_eq!(app.get("/payments/admin/variants/nothing").await.status, 404);
    }

    async fn a_wrong_secret_is_told_with_its_cause_and_what_to_do(kind) {
        let app = App::bare(kind, both).await;
        assert_eq!(signed_with(&app, "whsec_of_another_endpoint", 1).await, 400);
        assert_eq!(signed_with(&app, "whsec_of_another_endpoint", 2).await, 400);
        assert_eq!(app.request(Method::POST, "/payments/strip/", &[], b"{}").await.status, 404);
        app.counted("rejected:signature_mismatch", 2);
        app.counted("rejected:unknown_variant", 1);
        let page = app.get("/payments/admin/variants/stripe").await.body;
        for part in ["rejecting all deliveries", "2 ×", "signature_mismatch", "the signing secret belongs to another endpoint", "compare the secret"] {
            assert!(page.contains(part), "{part:?} in {page}");
        }
        let list = app.get("/payments/admin/variants").await.body;
        assert!(list.contains("1 delivery went to an address of no variant"), "{list}");
        assert_eq!(signed_with(&app, SECRET, 3).await, 200);
        let page = app.get("/payments/admin/variants/stripe").await.body;
        assert!(page.contains("some rejected"), "{page}");
        app.pass(31 * 86_400);
        let page = app.get("/payments/admin/variants/stripe").await.body;
        assert!(page.contains("None were refused") && page.contains("takes events"), "{page}");
    }

    async fn an_old_secret_is_said_to_be_droppable_when_it_has_long_been_silent(kind) {
        let app = App::bare(kind, both).await;
        assert_eq!(signed_with(&app, "whsec_old_one", 1).await, 200);
        let page = app.get("/payments/admin/variants/stripe").await.body;
        assert!(page.contains("the gateway signs with old"), "{page}");
        app.pass(86_400);
        assert_eq!(signed_with(&app, SECRET, 2).await, 200);
        let page = app.get("/payments/admin/variants/stripe").await.body;
        assert!(page.contains("keep it until it falls silent"), "{page}");
        assert!(page.contains("It signed the newest event: it is in use."), "{page}");
        app.pass(2 * 86_400);
        let page = app.get("/payments/admin/variants/stripe").await.body;
        assert!(page.contains("It last matched 3 days ago; primary signed what came since. It can be dropped."), "{page}");
        assert!(page.contains("It matched none of all events so far. It can be dropped."), "{page}");
    }

    async fn who_may_only_look_sends_nothing(kind) {
        let app = App::bare(kind, both).await;
        let looking = |_: HttpRequest| async { Ok(Access::ReadOnly("watcher".to_owned())) };
        let mount = app.payments.mount("/payments").admin(looking);
        let service = test::init_service(ActixApp::new().service(mount)).await;
        let page = test::TestRequest::get().uri("/payments/admin/variants/stripe").to_request();
        let page = test::call_and_read_body(&service, page).await;
        assert!(!String::from_utf8_lossy(&page).contains("Send a signed test event"));
        let post = test::TestRequest::post().uri("/payments/admin/variants/stripe/test").to_request();
        assert_eq!(test::call_service(&service, post).await.status(), 403);
        assert_eq!(app.number("SELECT count(*) FROM pay_audit"), 0);
    }
}

#[actix_web::test]
async fn a_test_event_is_not_sent_from_pages_without_endpoints() {
    let app = App::bare(Kind::Sqlite, both).await;
    // The endpoints are on another port.
    drop(app.payments.mount("/payments"));
    let mount = app.payments.mount("/office").without_webhooks().admin(crate::app::staff());
    let service = test::init_service(ActixApp::new().service(mount)).await;
    let page = test::TestRequest::get().uri("/office/admin/variants/stripe").insert_header(ADMIN).to_request();
    let page = test::call_and_read_body(&service, page).await;
    let page = String::from_utf8_lossy(&page);
    assert!(page.contains("not mounted beside these pages") && page.contains("/payments/stripe/"), "{page}");
    let post = test::TestRequest::post().uri("/office/admin/variants/stripe/test").insert_header(ADMIN).to_request();
    assert_eq!(test::call_service(&service, post).await.status(), 409);
    assert_eq!(app.number("SELECT count(*) FROM pay_audit"), 0);
}

#[actix_web::test]
async fn what_became_of_a_test_is_told_in_words_of_ours_alone() {
    let app = App::bare(Kind::Sqlite, both).await;
    let told = async |query: &str| app.get(&format!("/payments/admin/variants/stripe?{query}")).await.body;
    for (query, words) in [
        ("test=x&answer=none", "could not reach its own endpoint"),
        ("test=x&answer=200", "not among those of this database"),
        ("test=x&answer=404", "No endpoint of this app answers"),
        ("test=x&answer=302", "A middleware around the mount"),
        ("test=x&answer=400&reason=signature_stale", "machine&#39;s clock"),
        ("test=x&answer=400&reason=%3Cscript%3E", "Answered with 400"),
        ("test=%3Cscript%3E&answer=%3Cscript%3E", "No answer"),
    ] {
        let page = told(query).await;
        assert!(page.contains(words), "{query}: {words:?} in {page}");
        assert!(!page.contains("<script>") && !page.contains("&#60;script"), "{query}");
    }
}

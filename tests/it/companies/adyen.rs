//! Is Adyen read as Adyen's own libraries read it, and asked as they ask?

use std::collections::BTreeMap;

use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::fact::Aspect;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::adyen::Adyen;
use actix_payments::gateways::conformance::Conformance;
use actix_payments::gateways::{Call, CaptureMethod, Gateway, GatewayError, PaymentRequest, Started, Verb};
use actix_web::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Company, Stands, assert_as_recorded, base64, call, ends, events, hmac_sha256, ok, order, story, told};
use crate::app::{App, NOW, on_both_databases};
use crate::companies;
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

const KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

/// An account that captures at once.
pub struct Of;
/// An account that captures by a request.
pub struct Manual;

/// A notification as Adyen delivers it, signed by what Adyen documents.
pub fn notification(body: &str) -> Value {
    let mut item: Value = serde_json::from_str(body).unwrap();
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let signed = [
        text("pspReference"),
        text("originalReference"),
        text("merchantAccountCode"),
        text("merchantReference"),
        item["amount"]["value"].to_string(),
        item["amount"]["currency"].as_str().unwrap().to_owned(),
        text("eventCode"),
        text("success"),
    ];
    let key: Vec<u8> = (0..KEY.len()).step_by(2).map(|at| u8::from_str_radix(&KEY[at..at + 2], 16).unwrap()).collect();
    item["additionalData"]["hmacSignature"] = base64(&hmac_sha256(&key, signed.join(":").as_bytes())).into();
    json!({"NotificationRequestItem": item})
}

pub fn delivered(items: &[Value]) -> String {
    json!({"live": "false", "notificationItems": items}).to_string()
}

impl Company for Of {
    type Gateway = Adyen;
    const NAME: &'static str = "adyen";
    const SECRET: &'static str = KEY;

    fn gateway() -> Adyen {
        Adyen::new(KEY)
    }

    fn signed(body: &str, _: &str) -> (Vec<(&'static str, String)>, String) {
        (Vec::new(), delivered(&[notification(body)]))
    }

    fn of(body: &str, token: &str) -> String {
        body.replace("order-10042", token)
    }
}

impl Company for Manual {
    type Gateway = Adyen;
    const NAME: &'static str = "adyen";
    const SECRET: &'static str = KEY;

    fn gateway() -> Adyen {
        Adyen::new(KEY).manual_capture()
    }

    fn signed(body: &str, id: &str) -> (Vec<(&'static str, String)>, String) {
        Of::signed(body, id)
    }

    fn of(body: &str, token: &str) -> String {
        Of::of(body, token)
    }
}

#[test]
fn every_recorded_delivery_is_answered_as_it_should_be() {
    companies::answers_as_recorded("adyen", 29, &[], |vector| {
        Adyen::new(vector["config"]["hmac_key"].as_str().unwrap())
    });
}

#[test]
fn every_fixture_states_its_facts() {
    companies::every_fixture_states_its_facts::<Of>();
}

#[test]
fn the_kinds_to_tick_are_those_that_state_facts() {
    companies::the_kinds_to_tick_state_facts::<Of>(&[]);
}

#[actix_web::test]
async fn it_keeps_the_promises() {
    let (gateway, deliveries) = (Of::gateway(), events::<Of>());
    let suite = Conformance::new(&gateway).secret(KEY).signs_some_fields();
    let all = deliveries.values().map(|body| companies::delivery::<Of>(body, ""));
    all.fold(suite, |suite, delivery| suite.delivery(delivery, companies::at(NOW))).check().await.unwrap();
    companies::a_test_event_is_genuine::<Of>();
}

proptest! {
    #[test]
    fn no_order_makes_another_ledger(by: u64) {
        companies::no_order_makes_another_ledger::<Of>(by);
        companies::no_order_makes_another_ledger::<Manual>(by);
    }

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, cut in 0..600usize, seed in 0..4096usize) {
        companies::no_bytes_make_it_panic::<Of>(&body, cut, seed);
    }
}

#[test]
fn what_cannot_work_is_refused_in_words_and_never_shown() {
    let refused = |adyen: Adyen| adyen.check().unwrap_err();
    assert!(refused(Adyen::new("not hexadecimal")).contains("(Hex)"));
    assert!(refused(Of::gateway().basic_auth("adyen", "")).contains("basic authentication"));
    assert!(refused(Of::gateway().api_key("k", " ")).contains("merchant account"));
    assert!(refused(Of::gateway().live().api_key("k", "ShopECOM")).contains("URL prefix"));
    assert!(!format!("{:?}", Of::gateway().api_key("hidden", "ShopECOM").basic_auth("a", "hidden")).contains("hidden"));
    assert!(!format!("{:?}", Of::gateway()).contains(KEY));
    let live = Of::gateway().live().api_key("k", "ShopECOM").live_url_prefix("1797a841fbb37ca7-ShopECOM");
    assert_eq!(live.check(), Ok(()));
}

#[test]
fn all_notifications_of_a_delivery_are_verified_and_kept() {
    let item = |name: &str| notification(&events::<Of>()[name]);
    let verify = |items: &[Value]| {
        let delivery = Delivery::new(delivered(items));
        companies::verify(&Of::gateway(), &delivery, NOW)
    };
    let both = verify(&[item("AUTHORISATION"), item("CAPTURE")]).unwrap();
    let ids: Vec<_> = both.events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["QFQTPCQ8HXSKGK82:AUTHORISATION:true", "CPTR6HT9CRT65Z82:QFQTPCQ8HXSKGK82:CAPTURE:true"]);
    // Adyen's own library for Python looks at the first one only.
    let mut forged = item("CAPTURE");
    forged["NotificationRequestItem"]["amount"]["value"] = 1.into();
    assert_eq!(verify(&[item("AUTHORISATION"), forged]), Err(Rejection::SignatureMismatch));
    assert_eq!(verify(&[]), Err(Rejection::SignatureMissing));
}

#[test]
fn basic_authentication_is_asked_for_where_it_is_configured() {
    let guarded = Of::gateway().basic_auth("adyen", "s3cret");
    let verify = |value: Option<&str>| {
        let mut delivery = companies::delivery::<Of>(&events::<Of>()["AUTHORISATION"], "");
        delivery.headers.extend(value.map(|value| ("authorization".to_owned(), value.as_bytes().to_vec())));
        companies::verify(&guarded, &delivery, NOW).err()
    };
    assert_eq!(verify(None), Some(Rejection::SignatureMissing));
    assert_eq!(verify(Some("Basic YWR5ZW46d3Jvbmc=")), Some(Rejection::SignatureMismatch));
    assert_eq!(verify(Some("Basic YWR5ZW46czNjcmV0")), None);
    let test = guarded.test_delivery("evt_1", companies::at(NOW)).unwrap();
    assert!(companies::verify(&guarded, &test, NOW).is_ok());
}

const PAID: Stands = (Status::Paid, 4999, 0, false);

on_both_databases! {
    async fn a_payment_is_captured_at_once_or_by_a_request_in_any_order(kind) {
        let eur = money(4999, "EUR");
        let tried = ["PENDING", "AUTHORISATION.refused", "AUTHORISATION"];
        ends::<Of>(kind, eur, story::<Of>(&tried), PAID).await;
        ends::<Of>(kind, eur, story::<Of>(&["AUTHORISATION", "CAPTURE"]), PAID).await;
        ends::<Of>(kind, eur, story::<Of>(&["AUTHORISATION.refused"]), (Status::Failed, 0, 0, false)).await;
        ends::<Of>(kind, eur, story::<Of>(&["OFFER_CLOSED"]), (Status::Expired, 0, 0, false)).await;
        ends::<Manual>(kind, eur, story::<Of>(&["AUTHORISATION"]), (Status::Authorized, 0, 0, false)).await;
        ends::<Manual>(kind, eur, story::<Of>(&["AUTHORISATION", "CAPTURE"]), PAID).await;
        let part = story::<Of>(&["AUTHORISATION", "CAPTURE.partial"]);
        ends::<Manual>(kind, eur, part, (Status::Paid, 3000, 0, false)).await;
        ends::<Manual>(kind, eur, story::<Of>(&["AUTHORISATION", "EXPIRE"]), (Status::Expired, 0, 0, false)).await;
    }

    async fn a_cancellation_releases_the_money_or_gives_it_back(kind) {
        let eur = money(4999, "EUR");
        for name in ["CANCELLATION", "TECHNICAL_CANCEL", "CANCEL_OR_REFUND"] {
            ends::<Manual>(kind, eur, story::<Of>(&["AUTHORISATION", name]), (Status::Canceled, 0, 0, false)).await;
        }
        let all = story::<Of>(&["AUTHORISATION", "CANCEL_OR_REFUND"]);
        ends::<Of>(kind, eur, all, (Status::Refunded, 4999, 4999, false)).await;
        ends::<Of>(kind, eur, story::<Of>(&["AUTHORISATION", "CANCELLATION.refused"]), PAID).await;
    }

    async fn a_cancellation_that_does_not_say_what_was_captured_is_no_refund_and_is_to_be_reviewed(kind) {
        let app = App::bare(kind, |builder| builder.variant("adyen", Of::gateway())).await;
        let token = app.payments.create(actix_payments::NewPayment::new("adyen", money(4999, "EUR"))).await.unwrap().payment.token;
        let held = events::<Of>()["AUTHORISATION"].replace("order-10042", &format!("{token}-manual-capture"));
        companies::tell::<Of>(&app, "AUTHORISATION", &held).await;
        for name in ["CAPTURE.partial", "CANCELLATION"] {
            companies::tell::<Of>(&app, name, &Of::of(&events::<Of>()[name], &token)).await;
        }
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.captured.minor, payment.refunded.minor, payment.needs_review()), (3000, 0, true));
    }

    async fn two_chargebacks_of_a_payment_are_counted_both(kind) {
        let one = |reference: &str, minor: &str| {
            let body = events::<Of>()["CHARGEBACK"].replace("DSP26HT9CRT65Z82", reference).replace("4999", minor);
            (format!("CHARGEBACK.{minor}"), body)
        };
        let mut all = story::<Of>(&["AUTHORISATION"]);
        all.extend([one("DSP26HT9CRT65Z82", "2000"), one("DSP56HT9CRT65Z82", "1500")]);
        let (_, payment) = told::<Of>(kind, money(4999, "EUR"), &all).await;
        assert_eq!((payment.lost.minor, payment.disputed), (3500, true));
    }

    async fn a_refund_is_made_fails_or_comes_back(kind) {
        let eur = money(4999, "EUR");
        let part = ["AUTHORISATION", "REFUND"];
        ends::<Of>(kind, eur, story::<Of>(&part), (Status::PartiallyRefunded, 4999, 1999, false)).await;
        ends::<Manual>(kind, eur, story::<Of>(&["AUTHORISATION", "CAPTURE", "REFUND.full"]), (Status::Refunded, 4999, 4999, false)).await;
        ends::<Of>(kind, eur, story::<Of>(&["AUTHORISATION", "REFUND.refused"]), PAID).await;
        ends::<Of>(kind, eur, story::<Of>(&["AUTHORISATION", "REFUND", "REFUND_FAILED"]), PAID).await;
        ends::<Of>(kind, eur, story::<Of>(&["AUTHORISATION", "REFUND.full", "REFUNDED_REVERSED"]), PAID).await;
    }

    async fn a_chargeback_is_followed_to_its_end(kind) {
        let eur = money(4999, "EUR");
        let mut all = story::<Of>(&["AUTHORISATION"]);
        let steps = [
            ("REQUEST_FOR_INFORMATION", false, 0),
            ("NOTIFICATION_OF_CHARGEBACK", true, 0),
            ("CHARGEBACK", true, 4999),
            ("CHARGEBACK_REVERSED", false, 0),
            ("SECOND_CHARGEBACK", true, 4999),
            ("PREARBITRATION_WON", false, 0),
            ("PREARBITRATION_LOST", true, 4999),
        ];
        for (name, disputed, lost) in steps {
            // The fixtures have a reference for each step. Adyen gives all steps of a dispute the same one.
            let one = |body: String| [1, 3, 4].iter().fold(body, |body, n| body.replace(&format!("DSP{n}6"), "DSP26"));
            all.extend(story::<Of>(&[name]).into_iter().map(|(name, body)| (name, one(body))));
            let (_, payment) = told::<Of>(kind, eur, &all).await;
            assert_eq!((payment.status, payment.disputed, payment.lost.minor), (Status::Paid, disputed, lost), "{name}");
        }
        ends::<Of>(kind, eur, all, (Status::Paid, 4999, 0, true)).await;
    }

    async fn a_capture_that_fails_afterwards_is_to_be_reviewed(kind) {
        let manual = App::bare(kind, |builder| builder.variant("adyen", Manual::gateway())).await;
        let automatic = App::bare(kind, |builder| builder.variant("adyen", Of::gateway())).await;
        let told = ["AUTHORISATION", "CAPTURE", "CAPTURE_FAILED"];
        for (app, names) in [(manual, &told[..]), (automatic, &[told[0], told[2]])] {
            let order = actix_payments::NewPayment::new("adyen", money(4999, "EUR"));
            let token = app.payments.create(order).await.unwrap().payment.token;
            for name in names {
                companies::tell::<Of>(&app, name, &Of::of(&events::<Of>()[*name], &token)).await;
            }
            assert!(app.payments.payment(&token).await.unwrap().unwrap().needs_review());
        }
    }

    async fn a_payment_that_was_started_for_a_later_capture_is_only_authorized(kind) {
        let app = App::bare(kind, |builder| builder.variant("adyen", Of::gateway())).await;
        let token = app.payments.create(actix_payments::NewPayment::new("adyen", money(4999, "EUR"))).await.unwrap().payment.token;
        let body = events::<Of>()["AUTHORISATION"].replace("order-10042", &format!("{token}-manual-capture"));
        companies::tell::<Of>(&app, "AUTHORISATION", &body).await;
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Authorized);
    }

    async fn adyen_hears_that_it_was_accepted(kind) {
        let app = App::bare(kind, |builder| builder.variant("adyen", Of::gateway())).await;
        let (_, body) = Of::signed(&events::<Of>()["REPORT_AVAILABLE"], "");
        let answer = app.request(Method::POST, "/payments/adyen/", &[], body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "[accepted]"));
    }

    async fn the_reports_of_two_accounts_are_two_events_although_their_files_have_one_name(kind) {
        let app = App::bare(kind, |builder| builder.variant("adyen", Of::gateway())).await;
        let report = &events::<Of>()["REPORT_AVAILABLE"];
        for (account, stored) in [("ShopECOM", 1), ("ShopPOS", 2), ("ShopECOM", 2)] {
            let (_, body) = Of::signed(&report.replace("ShopECOM", account), "");
            assert_eq!(app.request(Method::POST, "/payments/adyen/", &[], body.as_bytes()).await.status, 200);
            assert_eq!(app.number("SELECT count(*) FROM pay_events"), stored, "{account}");
        }
    }
}

fn asked(listener: &Listener) -> Adyen {
    Of::gateway().api_key("key_1", "ShopECOM").api_base(&listener.address)
}

fn known(verb: Verb, minor: Option<i64>) -> Call {
    let call = call(verb, &["PL0000000000000001", "PSP1"], minor.map(|minor| money(minor, "EUR")));
    with(call, |it| it.aspects = BTreeMap::from([("PSP1".into(), Aspect::Authorization)]))
}

#[actix_web::test]
async fn every_call_is_made_as_adyens_library_makes_it() {
    let link = ok(r#"{"id":"PL1","url":"https://test.adyen.link/PL1","status":"active"}"#);
    let start = async |request: PaymentRequest| {
        let listener = Listener::saying([link.clone()]);
        let started = asked(&listener).start(&request).await.unwrap();
        let url = "https://test.adyen.link/PL1".to_owned();
        assert_eq!(started, Started::Redirect { url, gateway_refs: vec!["PL1".into()] });
        listener.heard().remove(0)
    };
    let full = with(order("EUR"), |it| {
        it.customer = Some("mia@shop.example".to_owned());
        it.locale = Some("de-DE".to_owned());
    });
    assert_as_recorded("adyen", "checkout", &start(full).await);
    let manual = with(order("EUR"), |it| {
        it.capture = CaptureMethod::Manual;
        it.return_url = None;
    });
    assert_as_recorded("adyen", "checkout_manual", &start(manual).await);
    let received = ok(r#"{"pspReference":"PSP2","paymentPspReference":"PSP1","status":"received"}"#);
    let cases = [
        (known(Verb::Capture, Some(3000)), "capture", "capture received by Adyen: 30.00 EUR"),
        (known(Verb::Cancel, None), "cancel", "received by Adyen; the result comes as an event: 49.98 EUR"),
        (known(Verb::Refund, Some(1999)), "refund", "refund received by Adyen: 19.99 EUR"),
    ];
    for (call, name, words) in cases {
        let listener = Listener::saying([received.clone()]);
        let events = asked(&listener).call(&call).await.unwrap();
        assert_eq!(companies::interpret(&Of::gateway(), &events[0]).summary, words);
        assert_eq!(events[0].id, "op_1");
        assert_as_recorded("adyen", name, &listener.heard()[0]);
    }
    let listener = Listener::saying([link]);
    asked(&listener).call(&call(Verb::Cancel, &["PL1"], None)).await.unwrap();
    assert_as_recorded("adyen", "cancel_link", &listener.heard()[0]);
}

#[actix_web::test]
async fn a_refusal_is_told_in_adyens_words() {
    let said = r#"{"status":422,"errorCode":"137","message":"Invalid amount specified","errorType":"validation"}"#;
    let listener = Listener::saying([Say::Answer(422, vec![], said.to_owned())]);
    let refused = asked(&listener).call(&known(Verb::Refund, Some(1))).await;
    assert_eq!(refused, Err(GatewayError::Declined("422 137: Invalid amount specified".to_owned())));
    // It may be under way under the same key.
    let busy = Say::Answer(422, vec![("transient-error", "true".to_owned())], said.to_owned());
    let refused = asked(&Listener::saying([busy])).call(&known(Verb::Refund, Some(1))).await;
    assert!(matches!(refused, Err(GatewayError::OutcomeUnknown(_))), "{refused:?}");
    assert!(asked(&listener).supports(Verb::Refresh).is_err());
}

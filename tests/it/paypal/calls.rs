//! Does PayPal do what is asked exactly once, and does it go on once the customer has approved?

use actix_payments::domain::Timestamp;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::Gateway;
use actix_payments::{CaptureMethod, ErrorKind, NewPayment, Next, Outcome, Payment, Refund, Token};
use actix_web::http::Method;
use serde_json::{Value, json};

use super::events::signed;
use super::fake::{Fake, Fault};
use crate::app::{App, Kind, NOW, on_both_databases};
use crate::scenes::money;

/// An app whose PayPal is a fake.
pub(super) async fn app(kind: Kind) -> (App, Fake) {
    let fake = Fake::new(NOW);
    let gateway = fake.gateway();
    (App::bare(kind, |builder| builder.variant("paypal", gateway)).await, fake)
}

pub(super) fn order(minor: i64, code: &str) -> NewPayment {
    NewPayment::new("paypal", money(minor, code)).return_url("https://shop.example/thanks/{token}")
}

pub(super) async fn begun(app: &App, capture: CaptureMethod) -> Token {
    app.payments.create(order(5000, "EUR").capture(capture)).await.unwrap().payment.token
}

/// One event of PayPal's, as PayPal delivers it.
pub(super) async fn tell(app: &App, event: &str) {
    let headers = signed(event);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = app.request(Method::POST, "/payments/paypal/", &headers, event.as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{event}");
}

/// Delivers all that PayPal has to tell, as PayPal does.
pub(super) async fn told(app: &App, fake: &Fake) {
    for event in fake.told() {
        tell(app, &event).await;
    }
    app.drain().await;
}

pub(super) async fn stands(app: &App, token: &str) -> Payment {
    app.payments.payment(&token.into()).await.unwrap().unwrap()
}

pub(super) fn operations(app: &App) -> Vec<String> {
    app.texts("SELECT verb || ' ' || state AS t FROM pay_operations WHERE verb <> 'refresh' ORDER BY id")
}

pub(super) async fn same(app: &App, token: &str) {
    assert!(app.payments.rebuild(&token.into()).await.unwrap().same);
}

on_both_databases! {
    async fn an_order_is_captured_as_soon_as_its_customer_approved(kind) {
        let (app, fake) = app(kind).await;
        let new = order(4998, "EUR").item("Tea", 2, 2000).item("Post", 1, 998).reference("10042").customer("jenny@example.com");
        let created = app.payments.create(new.locale("de-DE")).await.unwrap();
        let token = created.payment.token;
        let Next::Redirect(url) = created.next else { panic!("no address") };
        assert!(url.starts_with("https://www.sandbox.paypal.com/checkoutnow?token="), "{url}");
        let asked = fake.listener.heard().pop().unwrap();
        assert_eq!(asked.header("paypal-request-id"), Some(format!("{token}-checkout").as_str()));
        let euro = |value: &str| json!({"currency_code": "EUR", "value": value});
        let item = |name: &str, quantity: &str, value: &str| json!({"name": name, "quantity": quantity, "unit_amount": euro(value)});
        let amount = json!({"currency_code": "EUR", "value": "49.98", "breakdown": {"item_total": euro("49.98")}});
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), json!({
            "intent": "CAPTURE",
            "purchase_units": [{"custom_id": token, "description": "10042", "amount": amount,
                "items": [item("Tea", "2", "20.00"), item("Post", "1", "9.98")]}],
            "payment_source": {"paypal": {"email_address": "jenny@example.com", "experience_context": {
                "return_url": format!("https://shop.example/thanks/{token}"),
                "cancel_url": format!("https://shop.example/thanks/{token}"),
                "user_action": "PAY_NOW", "locale": "de-DE"}}},
        }));
        fake.approve(&token);
        told(&app, &fake).await;
        let payment = stands(&app, &token).await;
        assert_eq!((payment.status, payment.captured.minor, payment.needs_review()), (Status::Paid, 4998, false));
        assert_eq!(operations(&app), ["complete done"]);
        // What PayPal tells of it afterwards, and the approval told again, change nothing more.
        told(&app, &fake).await;
        assert_eq!((stands(&app, &token).await.captured.minor, operations(&app)), (4998, vec!["complete done".to_owned()]));
        assert_eq!(fake.state().effects.len(), 2, "{:?}", fake.state().effects);
        same(&app, &token).await;
    }

    async fn a_customer_who_is_back_before_the_event_has_paid(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Pending);
        app.pass(5);
        fake.approve(&token);
        let payment = app.payments.catch_up(&token).await.unwrap();
        assert_eq!((payment.status, payment.captured.minor), (Status::Paid, 5000));
        told(&app, &fake).await;
        assert_eq!((operations(&app), fake.state().effects.len()), (vec!["complete done".to_owned()], 2));
        same(&app, &token).await;
    }

    async fn an_authorization_is_captured_in_part_and_refunded_in_parts(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Manual).await;
        fake.approve(&token);
        told(&app, &fake).await;
        assert_eq!(stands(&app, &token).await.status, Status::Authorized);
        assert_eq!(app.payments.capture(&token, Some(money(3000, "EUR"))).await.unwrap(), Outcome::Done);
        let payment = stands(&app, &token).await;
        assert_eq!((payment.status, payment.captured.minor), (Status::Paid, 3000), "{payment:?}");
        assert!(!payment.needs_review(), "{payment:?}");
        assert_eq!(app.payments.refund(&token, Refund::part(money(1000, "EUR"))).await.unwrap(), Outcome::Done);
        assert_eq!(stands(&app, &token).await.status, Status::PartiallyRefunded);
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Done);
        let payment = stands(&app, &token).await;
        assert_eq!((payment.status, payment.refunded.minor), (Status::Refunded, 3000));
        told(&app, &fake).await;
        assert_eq!(app.payments.refresh(&token).await.unwrap(), Outcome::Done);
        assert_eq!(stands(&app, &token).await.refunded.minor, 3000);
        let effects = fake.state().effects.clone();
        let verbs: Vec<_> = effects.iter().map(|effect| effect.rsplit_once(" of ").map_or("order", |it| it.0)).collect();
        assert_eq!(verbs, ["order", "authorize 50.00", "capture 30.00", "refund 10.00", "refund 20.00"]);
        same(&app, &token).await;
    }

    async fn a_part_that_was_captured_in_paypals_dashboard_closes_the_authorization(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Manual).await;
        fake.approve(&token);
        told(&app, &fake).await;
        fake.capture(3000);
        told(&app, &fake).await;
        // Its last capture says that the rest was left on purpose.
        let closed = stands(&app, &token).await;
        assert_eq!((closed.status, closed.captured.minor, closed.needs_review()), (Status::Paid, 3000, false));
        app.payments.refresh(&token).await.unwrap();
        let payment = stands(&app, &token).await;
        assert_eq!((payment.status, payment.captured.minor, payment.needs_review()), (Status::Paid, 3000, false));
        same(&app, &token).await;
    }

    async fn an_authorization_is_voided_and_an_open_order_is_left_to_end(kind) {
        let (app, fake) = app(kind).await;
        let (held, open) = (begun(&app, CaptureMethod::Manual).await, begun(&app, CaptureMethod::Immediate).await);
        fake.approve(&held);
        told(&app, &fake).await;
        assert_eq!(app.payments.cancel(&held).await.unwrap(), Outcome::Done);
        assert_eq!(stands(&app, &held).await.status, Status::Canceled);
        let refused = app.payments.cancel(&open).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Gateway);
        assert!(refused.to_string().contains("expires by itself"), "{refused}");
        told(&app, &fake).await;
        assert_eq!(stands(&app, &held).await.status, Status::Canceled);
    }

    async fn a_decline_leaves_it_pending_until_the_customer_approves_anew(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        // The order is looked at, and then its capture is declined.
        fake.state().faults = [None, Some(Fault::Issue("INSTRUMENT_DECLINED"))].into();
        told(&app, &fake).await;
        assert_eq!((stands(&app, &token).await.status, operations(&app)), (Status::Pending, vec!["complete declined".to_owned()]));
        let why = app.texts("SELECT outcome AS t FROM pay_operations");
        assert!(why[0].contains("INSTRUMENT_DECLINED") && why[0].contains("debug id d1"), "{why:?}");
        // Asking over and over makes nothing due again, the customer does.
        for _ in 0..3 {
            app.pass(10);
            app.payments.catch_up(&token).await.unwrap();
        }
        assert_eq!(operations(&app).len(), 1);
        fake.approve(&token);
        told(&app, &fake).await;
        assert_eq!((stands(&app, &token).await.status, operations(&app).len()), (Status::Paid, 2));
    }

    async fn what_was_not_created_here_is_never_completed(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        // The same account sells elsewhere, too.
        fake.state().events[0]["resource"]["purchase_units"][0]["custom_id"] = json!("another-shop");
        fake.state().events[0]["resource"]["id"] = json!("0000000000OTHERS1");
        told(&app, &fake).await;
        app.pass(3600);
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE adopted"), 1);
        assert_eq!((operations(&app).len(), fake.state().effects.len()), (0, 1));
    }

    async fn a_lost_answer_is_asked_for_again_and_nothing_happens_twice(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        fake.state().faults = [None, Some(Fault::CutAfter)].into();
        told(&app, &fake).await;
        assert_eq!(operations(&app), ["complete underway"]);
        app.pass(60);
        app.drain().await;
        assert_eq!((stands(&app, &token).await.status, operations(&app)), (Status::Paid, vec!["complete done".to_owned()]));
        fake.state().faults = [Some(Fault::CutAfter)].into();
        assert_eq!(app.payments.refund(&token, Refund::part(money(2000, "EUR"))).await.unwrap(), Outcome::Underway);
        for fault in [Fault::CutBefore, Fault::Trouble, Fault::RateLimit] {
            fake.state().faults = [Some(fault)].into();
            app.pass(600);
            app.drain().await;
        }
        app.pass(3600);
        app.drain().await;
        assert_eq!(stands(&app, &token).await.refunded.minor, 2000);
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 1);
        assert_eq!(operations(&app), ["complete done", "refund done"]);
    }

    async fn what_was_missed_is_listed_page_by_page_and_one_is_sent_again(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        let approved = fake.state().events[0].clone();
        for at in 1..250 {
            let mut other = approved.clone();
            other["id"] = json!(format!("WH-OTHER-{at}"));
            other["event_type"] = json!("CUSTOMER.MERCHANT-INTEGRATION.SELLER-ALREADY-INTEGRATED");
            other["create_time"] = json!(time_of(NOW + at));
            fake.state().events.push(other);
        }
        let compared = app.payments.reconcile("paypal").await.unwrap();
        assert_eq!((compared.listed, compared.found), (250, 1));
        app.drain().await;
        assert_eq!(stands(&app, &token).await.status, Status::Paid);
        app.payments.resend("paypal", "WH-OTHER-7").await.unwrap();
        let last = fake.state().effects.last().cloned();
        assert_eq!(last.as_deref(), Some("resend WH-OTHER-7 to \"1JE4291016473214C\""));
        let wrong = app.payments.resend("paypal", "../../x").await.unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Gateway);
    }
}

fn time_of(at: i64) -> String {
    let at = Timestamp::from_unix_timestamp(at).unwrap();
    at.format(&time::format_description::well_known::Rfc3339).unwrap()
}

#[actix_web::test]
async fn one_token_serves_all_calls_until_it_is_no_longer_taken() {
    let (app, fake) = app(Kind::Sqlite).await;
    let (first, _) = (begun(&app, CaptureMethod::Immediate).await, begun(&app, CaptureMethod::Immediate).await);
    assert_eq!(fake.state().tokens, 1);
    fake.state().faults = [Some(Fault::Expired)].into();
    begun(&app, CaptureMethod::Immediate).await;
    let (tokens, orders) = {
        let state = fake.state();
        (state.tokens, state.orders.len())
    };
    assert_eq!((tokens, orders), (2, 3));
    // Where there is none, nothing was done, and no secret is told.
    fake.state().faults = [Some(Fault::Expired), Some(Fault::Trouble)].into();
    let refused = app.payments.refresh(&first).await.unwrap_err();
    let told = format!("{refused} {refused:?}");
    assert!(told.contains("no access token") && !told.contains("very-secret") && !told.contains("token-2"), "{told}");
}

#[actix_web::test]
async fn amounts_are_written_as_paypal_takes_them() {
    let (app, fake) = app(Kind::Sqlite).await;
    for (minor, code, value) in
        [(4999, "EUR", "49.99"), (4999, "JPY", "4999"), (499_900, "HUF", "4999"), (5000, "TWD", "50")]
    {
        app.payments.create(order(minor, code)).await.unwrap();
        let body: Value = serde_json::from_str(&fake.listener.heard().pop().unwrap().body).unwrap();
        assert_eq!(body["purchase_units"][0]["amount"]["value"], value, "{code}");
    }
    let refused = app.payments.create(order(499_950, "HUF")).await.unwrap_err();
    assert!(
        refused.to_string().contains("not started") && format!("{refused:?}").contains("whole units"),
        "{refused:?}"
    );
    let nowhere = app.payments.create(NewPayment::new("paypal", money(100, "EUR"))).await.unwrap_err();
    assert!(format!("{nowhere:?}").contains("return_url"), "{nowhere:?}");
}

#[test]
fn a_client_that_can_not_work_is_refused_at_build() {
    let paypal = super::events::paypal;
    let check = |id: &str, secret: &str| paypal().client(id, secret).check();
    assert_eq!(check("AeA1QIZXiflr1", "ECYYrrSHdKfk"), Ok(()));
    for (id, secret, words) in
        [("", "x", "client ID"), ("a:b", "x", "client ID"), ("a", " ", "client secret"), ("a", "", "client secret")]
    {
        let why = check(id, secret).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
    for base in [
        "http://api.paypal.com",
        "ftp://x",
        "https://",
        "https://user@host",
        "http://127.0.0.1.evil.example",
        "http://localhost:80@evil.example",
    ] {
        assert!(paypal().client("a", "b").api_base(base).check().is_err(), "{base}");
    }
    assert!(paypal().verify_online().check().unwrap_err().contains("asking PayPal"));
    assert_eq!(paypal().client("a", "b").verify_online().check(), Ok(()));
}

//! Money that the companies never held or took twice, discounts that nobody gave, and answers that were lost.

use std::collections::BTreeMap;

use actix_payments::domain::fact::Aspect;
use actix_payments::domain::money::Money;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::mercado_pago::MercadoPago;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::gateways::subscriptions::SubscriptionVerb;
use actix_payments::gateways::{Call, Gateway, GatewayError, Verb};
use actix_payments::{NewPayment, Payment};
use serde_json::{Value, json};

use super::whole::app_with;
use super::{
    Company, events, lemon_squeezy, ok, paddle, polar, razorpay, square, story, tell, told, understand, variant,
};
use crate::app::{App, Kind, on_both_databases};
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

/// A fixture with other values in the object at `path`.
pub fn changed<C: Company>(name: &str, path: &str, values: Value) -> String {
    let mut event: Value = serde_json::from_str(&events::<C>()[name]).unwrap();
    let object = event.pointer_mut(path).unwrap();
    for (field, value) in values.as_object().unwrap() {
        object[field] = value.clone();
    }
    event.to_string()
}

/// A payment of whose one event `body` is.
async fn stands<C: Company>(kind: Kind, gateway: C::Gateway, due: Money, body: &str) -> Payment {
    let app = App::bare(kind, |builder| builder.variant(variant::<C>(0), gateway)).await;
    let token = app.payments.create(NewPayment::new(variant::<C>(0), due)).await.unwrap().payment.token;
    tell::<C>(&app, "event", &C::of(body, &token)).await;
    assert!(app.payments.rebuild(&token).await.unwrap().same);
    app.payments.payment(&token).await.unwrap().unwrap()
}

const EUR: fn(i64) -> Money = |minor| money(minor, "EUR");

/// An adjustment of Paddle's.
pub fn one(id: &str, action: &str, total: &str, at: &str) -> (String, String) {
    let values = json!({"id": id, "action": action, "created_at": at, "updated_at": at, "totals": {"total": total}});
    let body = changed::<paddle::Of>("adjustment.created.chargeback", "/data", values);
    let mut event: Value = serde_json::from_str(&body).unwrap();
    (event["event_id"], event["occurred_at"]) = (json!(format!("evt_{id}")), json!(at));
    (id.to_owned(), event.to_string())
}

on_both_databases! {
    async fn money_that_square_only_records_does_not_pay_and_is_to_be_reviewed(kind) {
        for source in ["CASH", "EXTERNAL"] {
            let body = changed::<square::Of>("payment.updated", "/data/object/payment", json!({"source_type": source}));
            let payment = stands::<square::Of>(kind, square::Of::gateway(), EUR(4999), &body).await;
            assert_eq!((payment.status, payment.captured.minor), (Status::Pending, 0));
            assert_eq!(payment.concerns, ["Square records a payment in cash or by other means, and never held that money"]);
        }
        let body = changed::<square::Of>("payment.updated", "/data/object/payment", json!({"source_type": "WALLET"}));
        assert_eq!(stands::<square::Of>(kind, square::Of::gateway(), EUR(4999), &body).await.status, Status::Paid);
    }

    async fn a_sale_at_the_till_that_names_no_payment_of_ours_is_none(kind) {
        let app = App::bare(kind, |builder| builder.variant(variant::<square::Of>(0), square::Of::gateway())).await;
        for (source, reference) in [("CASH", "order-10042"), ("EXTERNAL", ""), ("CASH", "pay_later")] {
            let values = json!({"source_type": source, "reference_id": reference, "note": "Two cups"});
            let body = changed::<square::Of>("payment.updated", "/data/object/payment", values);
            let said = understand::<square::Of>("payment.updated", &body);
            assert_eq!(said.facts, []);
            let mut event: Value = serde_json::from_str(&body).unwrap();
            event["event_id"] = json!(format!("{source}-{reference}"));
            tell::<square::Of>(&app, "event", &event.to_string()).await;
        }
        app.pass(3600);
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 0);
        assert_eq!(app.texts("SELECT state AS t FROM pay_events"), ["ignored", "ignored", "ignored"]);
    }

    async fn a_reversal_of_another_amount_than_was_lost_gives_nothing_back_and_is_to_be_reviewed(kind) {
        let mut all = story::<paddle::Of>(&["transaction.completed"]);
        all.push(one("adj_1", "chargeback", "1999", "2026-10-20T08:00:00Z"));
        all.push(one("adj_2", "chargeback_reverse", "1000", "2026-11-01T08:00:00Z"));
        let stands = async |story: &[(String, String)]| {
            let (app, token) = app_with::<paddle::Of>(kind, paddle::Of::gateway(), EUR(4999), story).await;
            let payment = app.payments.payment(&token).await.unwrap().unwrap();
            let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
            assert!(payment.concerns.iter().all(|concern| page.contains(concern)), "{page}");
            (payment.lost.minor, payment.concerns)
        };
        let why = "10.00 EUR came back from a dispute, and no lost one of that amount is known: not counted".to_owned();
        assert_eq!(stands(&all).await, (1999, vec![why.clone()]));
        all.reverse();
        assert_eq!(stands(&all).await, (1999, vec![why]));
        // Once it is known what came back, nobody has to decide.
        all.push(one("adj_3", "chargeback", "1000", "2026-10-21T08:00:00Z"));
        assert_eq!(stands(&all).await, (1999, vec![]));
    }

    async fn two_chargebacks_of_a_transaction_take_both_and_a_reversal_gives_one_back(kind) {
        let mut all = story::<paddle::Of>(&["transaction.completed"]);
        all.push(one("adj_1", "chargeback", "1999", "2026-10-20T08:00:00Z"));
        all.push(one("adj_2", "chargeback", "1000", "2026-10-21T08:00:00Z"));
        let lost = async |story: &[(String, String)]| {
            let (_, payment) = told::<paddle::Of>(kind, EUR(4999), story).await;
            (payment.lost.minor, payment.disputed)
        };
        assert_eq!(lost(&all).await, (2999, true));
        // Of two alike, a reversal gives one back.
        all.push(one("adj_3", "chargeback", "1000", "2026-10-22T08:00:00Z"));
        all.push(one("adj_4", "chargeback_reverse", "1000", "2026-11-01T08:00:00Z"));
        assert_eq!(lost(&all).await, (2999, true));
        all.push(one("adj_5", "chargeback_reverse", "1000", "2026-11-02T08:00:00Z"));
        all.push(one("adj_6", "chargeback_reverse", "1999", "2026-11-03T08:00:00Z"));
        assert_eq!(lost(&all).await, (0, false));
        all.reverse();
        assert_eq!(lost(&all).await, (0, false));
        // What was lost later is not what came back before.
        let mut all = story::<paddle::Of>(&["transaction.completed"]);
        all.push(one("adj_7", "chargeback_reverse", "1000", "2026-10-20T08:00:00Z"));
        all.push(one("adj_8", "chargeback", "1000", "2026-10-21T08:00:00Z"));
        all.push(one("adj_9", "chargeback", "1000", "2026-10-20T08:00:00Z"));
        assert_eq!(lost(&all).await, (1000, true));
    }

    async fn a_discount_that_nobody_gave_does_not_pay(kind) {
        let totals = json!({"subtotal": "4201", "discount": "4999", "tax": "798", "total": "0", "credit": "0", "grand_total": "0"});
        let browser = changed::<paddle::Of>("transaction.completed", "/data/details", json!({"totals": totals}));
        let of_key = browser.replace("\"origin\":\"web\"", "\"origin\":\"api\"");
        assert_ne!(browser, of_key);
        let free = |gateway, body: String| async move {
            let payment = stands::<paddle::Of>(kind, gateway, EUR(4201), &body).await;
            (payment.status, payment.needs_review())
        };
        assert_eq!(free(paddle::Of::gateway(), browser.clone()).await, (Status::Pending, true));
        assert_eq!(free(paddle::Of::gateway(), of_key).await, (Status::Paid, false));
        assert_eq!(free(paddle::Of::gateway().discounts(), browser).await, (Status::Paid, false));

        let nothing = json!({"total": 0, "tax": 0, "discount_total": 4201});
        let nearly = json!({"total": 1, "tax": 0, "discount_total": 4200});
        for values in [nothing, nearly] {
            let body = changed::<lemon_squeezy::Of>("order_created", "/data/attributes", values);
            let payment = stands::<lemon_squeezy::Of>(kind, lemon_squeezy::Of::gateway(), EUR(4999), &body).await;
            assert_eq!((payment.status, payment.needs_review()), (Status::Pending, true));
            let payment = stands::<lemon_squeezy::Of>(kind, lemon_squeezy::Of::gateway().discounts(), EUR(4999), &body).await;
            assert_eq!((payment.status, payment.needs_review()), (Status::Paid, false));
        }

        let nothing = json!({"total_amount": 0, "tax_amount": 0, "net_amount": 0, "discount_amount": 4201});
        let body = changed::<polar::Of>("order.paid", "/data", nothing);
        let payment = stands::<polar::Of>(kind, polar::Of::gateway(), EUR(4201), &body).await;
        assert_eq!((payment.status, payment.needs_review()), (Status::Pending, true));
        let payment = stands::<polar::Of>(kind, polar::Of::gateway().discounts(), EUR(4201), &body).await;
        assert_eq!((payment.status, payment.needs_review()), (Status::Paid, false));
    }
}

/// Asserts that a call whose first request is a look has sent nothing more where that fails, and says so: of a first
/// try nothing can have been done, and a later one does not take the refusal of a look for one of the call.
async fn is_known_to_be_unsent<G: Gateway>(asked: impl Fn(&Listener) -> G, call: Call) {
    let refused = || Say::Answer(404, vec![], "{}".to_owned());
    for (tries, look) in [(1, Say::Nothing), (1, ok("{")), (2, Say::Nothing), (2, ok("{")), (2, refused())] {
        let listener = Listener::saying([look.clone()]);
        let said = asked(&listener).call(&with(call.clone(), |it| it.tries = tries)).await;
        assert!(matches!(said, Err(GatewayError::Unavailable(_))), "{:?} {tries} {look:?}: {said:?}", call.verb);
        assert!(listener.heard().iter().all(|heard| heard.method == "GET"));
    }
}

#[actix_web::test]
async fn a_look_that_fails_before_the_call_has_done_nothing() {
    use Verb::{Cancel, Capture, Refund};
    let known = |verb, id: &str, aspect, amount| {
        let aspects = BTreeMap::from([(id.into(), aspect)]);
        with(super::call(verb, &[id], amount), |it| it.aspects = aspects)
    };
    let whole = Some(money(4998, "EUR"));
    let square = |at: &Listener| square::Of::gateway().access_token("sq", "L1").api_base(&at.address).api_retries(0);
    is_known_to_be_unsent(square, known(Refund, "pay_1", Aspect::Capture, None)).await;
    let mercado_pago = |at: &Listener| {
        let gateway = MercadoPago::new("secret").access_token("APP_USR-1").api_base(&at.address).api_retries(0);
        gateway.notification_url("https://shop.example/payments/mercado-pago/")
    };
    is_known_to_be_unsent(mercado_pago, known(Capture, "payment_1", Aspect::Authorization, whole)).await;
    is_known_to_be_unsent(mercado_pago, known(Cancel, "payment_1", Aspect::Authorization, None)).await;
    let stripe = |at: &Listener| Stripe::new("whsec_1").api_key("sk_test_1").api_base(&at.address).api_retries(0);
    for verb in [Capture, Refund] {
        is_known_to_be_unsent(stripe, known(verb, "cs_1", Aspect::Checkout, None)).await;
    }
    let paddle = |at: &Listener| paddle::Of::gateway().api_key("k").api_base(&at.address).api_retries(0);
    is_known_to_be_unsent(paddle, known(Refund, "txn_1", Aspect::Capture, None)).await;
    let lemon = |at: &Listener| lemon_squeezy::Of::gateway().api_key("k", "11").api_base(&at.address).api_retries(0);
    is_known_to_be_unsent(lemon, known(Refund, "order_1", Aspect::Capture, None)).await;
}

/// Asserts that a change of a subscription, refused because an earlier try whose answer was lost has made it, is taken
/// for made where the company shows that, for declined where it shows the opposite, and for unknown where it does not
/// show anything.
async fn is_taken_for_what_it_is<G: Gateway>(
    asked: impl Fn(&Listener) -> G,
    verb: SubscriptionVerb,
    so: &str,
    not_so: &str,
) {
    let refused = || Say::Answer(422, vec![], r#"{"error":{"code":"refused"}}"#.to_owned());
    let call = super::subscription_call(verb, "sub_1");
    let said = async |look: Say| {
        let listener = Listener::saying([refused(), look]);
        let gateway = asked(&listener);
        let said = gateway.subscriptions().unwrap().call(&call).await;
        assert_eq!(listener.heard()[1].method, "GET");
        said
    };
    assert!(said(ok(so)).await.is_ok(), "{verb:?}");
    assert!(matches!(said(ok(not_so)).await, Err(GatewayError::Declined(_))), "{verb:?}");
    assert!(matches!(said(Say::Nothing).await, Err(GatewayError::OutcomeUnknown(_))), "{verb:?}");
    assert!(matches!(said(ok("{}")).await, Err(GatewayError::OutcomeUnknown(_))), "{verb:?}");
}

#[actix_web::test]
async fn a_subscriptions_lost_change_is_not_taken_for_declined() {
    use SubscriptionVerb::{Cancel, CancelAtEnd, Resume};
    let paddle = |at: &Listener| paddle::Of::gateway().api_key("k").api_base(&at.address).api_retries(0);
    let [active, ending, over] = [
        r#"{"data":{"id":"sub_1","status":"active","items":[],"scheduled_change":null}}"#,
        r#"{"data":{"id":"sub_1","status":"active","items":[],"scheduled_change":{"action":"cancel"}}}"#,
        r#"{"data":{"id":"sub_1","status":"canceled","items":[]}}"#,
    ];
    is_taken_for_what_it_is(paddle, Cancel, over, ending).await;
    is_taken_for_what_it_is(paddle, CancelAtEnd, ending, active).await;
    is_taken_for_what_it_is(paddle, Resume, active, ending).await;

    let polar = |at: &Listener| polar::Of::gateway().access_token("t").api_base(&at.address).api_retries(0);
    let [active, ending, over] = [
        r#"{"id":"sub_1","status":"active","cancel_at_period_end":false,"ended_at":null}"#,
        r#"{"id":"sub_1","status":"active","cancel_at_period_end":true,"ended_at":null}"#,
        r#"{"id":"sub_1","status":"canceled","cancel_at_period_end":false,"ended_at":"2026-10-12T08:53:20Z"}"#,
    ];
    is_taken_for_what_it_is(polar, Cancel, over, ending).await;
    is_taken_for_what_it_is(polar, CancelAtEnd, ending, active).await;
    is_taken_for_what_it_is(polar, Resume, active, ending).await;

    let lemon = |at: &Listener| lemon_squeezy::Of::gateway().api_key("k", "11").api_base(&at.address).api_retries(0);
    let shown = |cancelled: bool, status: &str| {
        let attributes = json!({"status": status, "cancelled": cancelled});
        json!({"data": {"type": "subscriptions", "id": "1", "attributes": attributes}}).to_string()
    };
    let (active, ending) = (shown(false, "active"), shown(true, "cancelled"));
    is_taken_for_what_it_is(lemon, CancelAtEnd, &ending, &active).await;
    is_taken_for_what_it_is(lemon, Resume, &active, &ending).await;

    let razorpay =
        |at: &Listener| razorpay::Of::gateway().api_key("rzp_test_1", "s").api_base(&at.address).api_retries(0);
    let [active, over] = ["active", "cancelled"].map(|status| format!(r#"{{"id":"sub_1","status":"{status}"}}"#));
    is_taken_for_what_it_is(razorpay, Cancel, &over, &active).await;
    is_taken_for_what_it_is(razorpay, CancelAtEnd, &over, &active).await;
    // That it will end with its cycle is not shown: after a lost answer, a refusal says nothing.
    let listener = Listener::saying([Say::Answer(400, vec![], "{}".to_owned()), ok(active)]);
    let mut again = super::subscription_call(CancelAtEnd, "sub_1");
    again.tries = 2;
    let said = razorpay(&listener).subscriptions().unwrap().call(&again).await;
    assert!(matches!(said, Err(GatewayError::OutcomeUnknown(_))), "{said:?}");
}

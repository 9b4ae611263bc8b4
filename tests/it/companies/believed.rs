//! Whose events change a payment, where one webhook hears of several merchants, and what tells one event from another
//! where the company signs no id.

use actix_payments::NewPayment;
use actix_payments::domain::money::Money;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::{Gateway, Verb};
use actix_web::http::Method;
use serde_json::{Value, json};

use super::{Company, adyen, call, events, lemon_squeezy, ok, razorpay, square, tell, variant};
use crate::app::{App, Kind, on_both_databases};
use crate::companies;
use crate::scenes::money;
use crate::stripe::listener::Listener;

/// What a gateway makes of an event that pays: the payment's status, and the event's page.
async fn hears<C: Company>(kind: Kind, gateway: C::Gateway, name: &str, due: Money) -> (Status, String) {
    let app = App::bare(kind, |builder| builder.variant(variant::<C>(0), gateway)).await;
    let token =
        app.payments.create(NewPayment::new(variant::<C>(0), due).without_checkout()).await.unwrap().payment.token;
    tell::<C>(&app, name, &C::of(&events::<C>()[name], &token)).await;
    app.pass(3600);
    app.drain().await;
    assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 1, "none is adopted");
    let page =
        app.get(&format!("/payments/admin/events/{}", app.number("SELECT max(id) FROM pay_events"))).await.text();
    (app.payments.payment(&token).await.unwrap().unwrap().status, page)
}

/// Asserts that an event of `account` pays where that is named, and that where others are it says whose it is.
async fn believes_only_the_named<C: Company>(
    kind: Kind,
    named: impl Fn(&str) -> C::Gateway,
    (name, due): (&str, Money),
    (word, account): (&str, &str),
) {
    let (status, page) = hears::<C>(kind, named(account), name, due).await;
    assert_eq!(status, Status::Paid, "{page}");
    assert!(page.contains(account), "{page}");
    let (status, page) = hears::<C>(kind, named("another"), name, due).await;
    assert_eq!(status, Status::Pending);
    let words = format!("of the {word} {account}, which this variant does not name: nothing in it is believed");
    assert!(page.contains(&words), "{page}");
    assert!(named(" ").check().is_err() && named("").check().is_err());
}

on_both_databases! {
    async fn squares_events_of_another_merchant_are_not_believed(kind) {
        let named = |merchant: &str| square::Of::gateway().merchants([merchant]);
        let paid = ("payment.updated", money(4999, "EUR"));
        believes_only_the_named::<square::Of>(kind, named, paid, ("merchant", "6SSW7HV8K2ST5")).await;
    }

    async fn razorpays_events_of_another_account_are_not_believed(kind) {
        let named = |account: &str| razorpay::Of::gateway().accounts([account]);
        let paid = ("payment.captured", money(4999, "INR"));
        believes_only_the_named::<razorpay::Of>(kind, named, paid, ("account", "acc_BFQ7uQEaa7j2z7")).await;
    }

    async fn adyens_notifications_of_another_merchant_account_are_not_believed(kind) {
        let paid = ("AUTHORISATION", money(4999, "EUR"));
        let named = |account: &str| adyen::Of::gateway().merchant_accounts([account]);
        believes_only_the_named::<adyen::Of>(kind, named, paid, ("merchant account", "ShopECOM")).await;
        // The account that is asked is the one that is believed.
        let named = |account: &str| adyen::Of::gateway().api_key("k", account);
        believes_only_the_named::<adyen::Of>(kind, named, paid, ("merchant account", "ShopECOM")).await;
    }

    async fn lemon_squeezys_events_of_another_store_are_not_believed(kind) {
        let paid = ("order_created", money(4999, "EUR"));
        let named = |store: &str| lemon_squeezy::Of::gateway().stores([store]);
        believes_only_the_named::<lemon_squeezy::Of>(kind, named, paid, ("store", "1")).await;
        let (status, _) = hears::<lemon_squeezy::Of>(kind, lemon_squeezy::Of::gateway().api_key("k", "11"), paid.0, paid.1).await;
        assert_eq!(status, Status::Pending);
    }

    async fn a_payment_of_one_account_is_not_paid_by_another(kind) {
        let gateway = razorpay::Of::gateway().accounts(["acc_BFQ7uQEaa7j2z7", "acc_other"]);
        let app = App::bare(kind, |builder| builder.variant(variant::<razorpay::Of>(0), gateway)).await;
        let new = NewPayment::new(variant::<razorpay::Of>(0), money(4999, "INR")).without_checkout();
        let token = app.payments.create(new).await.unwrap().payment.token;
        let paid = razorpay::Of::of(&events::<razorpay::Of>()["payment.captured"], &token);
        // The first account that is believed has it.
        tell::<razorpay::Of>(&app, "payment.captured", &paid).await;
        let theirs = paid.replace("acc_BFQ7uQEaa7j2z7", "acc_other").replace("pay_DES", "pay_OTH").replace("order_DES", "order_OTH");
        tell::<razorpay::Of>(&app, "payment.captured", &theirs).await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.captured.minor), (Status::Paid, 4999));
        assert_eq!((payment.account.as_deref(), payment.concerns.len()), (Some("acc_BFQ7uQEaa7j2z7"), 0));
        assert!(app.outcomes()[1].ends_with("which is of another account"), "{:?}", app.outcomes());
    }

    async fn what_razorpay_signed_is_one_event_under_whatever_id_it_comes(kind) {
        let app = App::bare(kind, |builder| builder.variant("razorpay", razorpay::Of::gateway())).await;
        let body = events::<razorpay::Of>()["payment.captured"].clone();
        let (mut headers, _) = razorpay::Of::signed(&body, "evt_1");
        for id in [Some("evt_1"), Some("evt_2"), Some(""), None] {
            headers.truncate(1);
            headers.extend(id.map(|id| ("x-razorpay-event-id", id.to_owned())));
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(app.request(Method::POST, "/payments/razorpay/", &headers, body.as_bytes()).await.status, 200);
        }
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 1);
        assert_eq!(app.number("SELECT deliveries FROM pay_events"), 4);
    }

    async fn two_changes_of_one_second_are_two_events_and_a_repeated_one_is_one(kind) {
        let app = App::bare(kind, |builder| builder.variant("lemon-squeezy", lemon_squeezy::Of::gateway())).await;
        let mut event: Value = serde_json::from_str(&events::<lemon_squeezy::Of>()["subscription_updated"]).unwrap();
        for (variant_id, link) in [(1, "a"), (2, "a"), (2, "b")] {
            event["data"]["attributes"]["variant_id"] = json!(variant_id);
            // Links are signed anew whenever they are shown.
            event["data"]["attributes"]["urls"] = json!({"customer_portal": format!("https://shop.example/?signature={link}")});
            tell::<lemon_squeezy::Of>(&app, "subscription_updated", &event.to_string()).await;
        }
        assert_eq!(app.texts("SELECT state AS t FROM pay_events"), ["completed", "completed"]);
        assert_eq!(app.number("SELECT max(deliveries) FROM pay_events"), 4);
    }
}

#[actix_web::test]
async fn an_answer_to_a_call_is_believed_whoever_is_named() {
    let shown = r#"{"payment":{"id":"pay_1","status":"COMPLETED","total_money":{"amount":4998,"currency":"EUR"}}}"#;
    let listener = Listener::answering(move |heard| match heard.path.as_str() {
        "/v2/payments/pay_1" => ok(shown),
        _ => ok(r#"{"order":{"id":"ord_1","tenders":[{"payment_id":"pay_1"}]}}"#),
    });
    let square = square::Of::gateway().merchants(["mine"]).access_token("sq_1", "L1").api_base(&listener.address);
    let events = square.call(&call(Verb::Refresh, &["ord_1"], None)).await.unwrap();
    assert_eq!(companies::interpret(&square, &events[0]).facts.len(), 1);
}

//! Whose events change a payment: of this mode, of this account, of an object that is no other payment's.

use actix_payments::NewPayment;
use actix_payments::domain::event::Recorded;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::stripe::Stripe;
use serde_json::{Value, json};

use super::{charge, event, intent, session, sums};
use crate::app::{App, SECRET, on_both_databases};
use crate::braintree::braintree;
use crate::scenes::money;

/// The event of a connected account, or of the other mode.
fn told(event: String, changes: Value) -> String {
    super::with(serde_json::from_str(&event).unwrap(), changes).to_string()
}

fn paid(token: &str, n: &str) -> String {
    event(
        "checkout.session.completed",
        5,
        session(&format!("cs_{n}"), token, json!({"payment_intent": format!("pi_{n}")})),
    )
}

on_both_databases! {
    async fn a_test_event_on_a_live_payment_asks_for_a_review(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            let open = json!({"status": "requires_payment_method", "amount_received": 0, "metadata": {"payment_token": token}});
            let live = told(event("payment_intent.created", 0, intent(&format!("pi_{n}"), open)), json!({"livemode": true}));
            vec![live, paid(token, n)]
        }).await;
        assert_eq!(payment.concerns, ["a test event reached a live payment, or the other way round"]);
        let live = app.made_of(|token, n| {
            let n = &format!("l{n}");
            let all = [paid(token, n), event("charge.succeeded", 6, charge(&format!("ch_{n}"), &format!("pi_{n}"), json!({})))];
            all.map(|event| told(event, json!({"livemode": true}))).to_vec()
        }).await;
        assert_eq!((live.concerns, live.livemode), (vec![], Some(true)));
    }

    async fn an_event_of_an_account_that_is_not_named_is_not_believed(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        for (number, account) in [json!("acct_stranger"), json!(""), json!(7)].into_iter().enumerate() {
            app.deliver(&[&told(paid(&token, &number.to_string()), json!({"account": account}))]).await;
        }
        assert_eq!(app.codes(), ["nothing_to_do"; 3]);
        assert!(app.outcomes()[0].contains("the connected account acct_stranger, which this variant does not name"));
        app.pass(3600);
        app.drain().await;
        assert_eq!(sums(&app.payment(&token).await), (Status::Pending, [0, 0, 0]));
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 1, "none is adopted");
        app.deliver(&[&told(paid(&token, "own"), json!({"account": null}))]).await;
        assert_eq!(app.status(&token).await, Status::Paid);
        app.same(&token).await;
    }

    async fn a_variant_believes_the_accounts_that_it_names(kind) {
        let stripe = Stripe::new(SECRET).accounts(["acct_1", "acct_2"]);
        let app = App::bare(kind, |builder| builder.variant("stripe", stripe)).await;
        let new = NewPayment::new("stripe", money(4999, "EUR")).account("acct_2");
        let token = app.payments.create(new).await.unwrap().payment.token;
        app.deliver(&[&told(paid(&token, "a"), json!({"account": "acct_3"}))]).await;
        assert_eq!(app.status(&token).await, Status::Pending);
        app.deliver(&[&told(paid(&token, "b"), json!({"account": "acct_2"}))]).await;
        assert_eq!(app.status(&token).await, Status::Paid);
    }

    async fn one_session_pays_one_payment_whatever_tokens_it_bears(kind) {
        let app = App::new(kind).await;
        let (first, second) = (app.order().await.token, app.order().await.token);
        app.deliver(&[&paid(&first, "1"), &paid(&second, "1")]).await;
        assert_eq!(sums(&app.payment(&first).await), (Status::Paid, [4999, 0, 0]));
        let other = app.payment(&second).await;
        assert_eq!((sums(&other), other.concerns), ((Status::Pending, [0, 0, 0]), vec!["an event names more than one payment".to_owned()]));
        app.same(&first).await;
        app.same(&second).await;
        // A session of its own pays it.
        app.deliver(&[&paid(&second, "2")]).await;
        assert_eq!(app.status(&second).await, Status::Paid);
        app.same(&second).await;
    }
}

#[test]
fn a_notification_of_a_merchant_that_is_not_named_is_not_believed() {
    let path = "tests/fixtures/events/braintree/subscription_charged_successfully.source_merchant_id.xml";
    let body = std::fs::read(path).unwrap();
    let kind = "subscription_charged_successfully";
    let at = actix_payments::domain::Timestamp::UNIX_EPOCH;
    let read = |braintree: Braintree| braintree.interpret(&Recorded::new("evt_1", kind, at, &body)).unwrap();
    let stranger = read(braintree());
    assert_eq!((stranger.facts, stranger.references), (vec![], Default::default()));
    assert!(stranger.summary.contains("which this variant does not name"), "{}", stranger.summary);
    let text = String::from_utf8(body.clone()).unwrap();
    let merchant = text.split("<source-merchant-id>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(read(braintree().accounts([merchant])).facts.len(), 1);
}

#[test]
fn what_is_no_account_is_refused() {
    assert_eq!(Stripe::new(SECRET).accounts(["acct_1"]).check(), Ok(()));
    for wrong in ["", "acct_", "sk_live_1", " acct_1", "acct_1 ", "acct_1\r\nx: y", "acct_ä"] {
        assert!(Stripe::new(SECRET).accounts([wrong]).check().unwrap_err().contains("acct_"), "{wrong}");
    }
}

//! Is what is done about a payment of a connected account done there, and does no other account pay it?

use actix_payments::domain::payment::Status;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::{
    CaptureMethod, Created, DriftQuery, Error, ErrorKind, EventQuery, NewPayment, NewSubscription, Outcome, Payment,
    PaymentQuery, Refund, Token, Unmatched, Variant,
};
use serde_json::{Value, json};

use super::fake::{Fake, Fault};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::events::changed;
use crate::scenes::{PRICE, completed, completed_as, money};

/// An app whose Stripe is a fake, and that believes two connected accounts.
async fn app(kind: Kind) -> (App, Fake) {
    let fake = Fake::new(NOW);
    let variant = Variant::new(fake.gateway(SECRET).accounts(["acct_a", "acct_b"])).unmatched(Unmatched::Adopt);
    let app =
        App::bare(kind, |builder| builder.variant("stripe", variant).variant("dummy", Dummy::new("secret"))).await;
    (app, fake)
}

async fn created(app: &App, account: Option<&str>, capture: CaptureMethod) -> Result<Created, Error> {
    let new = NewPayment::new("stripe", money(PRICE, "EUR")).return_url("https://shop.example/thanks").capture(capture);
    app.payments.create(account.into_iter().fold(new, |new, account| new.account(account))).await
}

async fn begun(app: &App, account: Option<&str>) -> Token {
    created(app, account, CaptureMethod::Immediate).await.unwrap().payment.token
}

/// All that the fake tells, its own events included.
async fn told(app: &App, fake: &Fake) {
    let told: Vec<String> = fake.state().events.iter().map(ToString::to_string).collect();
    app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

/// An event as it comes from this account.
fn from(account: &str, event: &str) -> String {
    let mut event: Value = serde_json::from_str(event).unwrap();
    event["account"] = json!(account);
    event.to_string()
}

async fn done(app: &App, outcome: impl Future<Output = Result<Outcome, Error>>, token: &str) -> Payment {
    assert_eq!(outcome.await.unwrap(), Outcome::Done);
    app.drain().await;
    app.payment(token).await
}

/// The accounts in whose name Stripe was asked, each once.
fn asked_for(fake: &Fake) -> Vec<Option<String>> {
    let mut all: Vec<_> =
        fake.listener.heard().iter().map(|heard| heard.header("stripe-account").map(str::to_owned)).collect();
    all.dedup();
    all
}

on_both_databases! {
    async fn a_payment_of_a_connected_account_is_begun_captured_and_refunded_there(kind) {
        let (app, fake) = app(kind).await;
        let made = created(&app, Some("acct_a"), CaptureMethod::Manual).await.unwrap().payment;
        let token = made.token.clone();
        assert_eq!(made.account.as_deref(), Some("acct_a"));
        fake.pay(&token);
        told(&app, &fake).await;
        assert_eq!(app.status(&token).await, Status::Authorized);
        let payment = done(&app, app.payments.capture(&token, Some(money(3000, "EUR"))), &token).await;
        assert_eq!((payment.status, payment.captured.minor), (Status::Paid, 3000));
        let payment = done(&app, app.payments.refund(&token, Refund::part(money(1000, "EUR"))), &token).await;
        assert_eq!((payment.status, payment.refunded.minor), (Status::PartiallyRefunded, 1000));
        fake.refund("pi_2", 2000);
        let payment = done(&app, app.payments.refresh(&token), &token).await;
        assert_eq!((payment.status, payment.account.as_deref()), (Status::Refunded, Some("acct_a")));
        assert_eq!(asked_for(&fake), [Some("acct_a".to_owned())]);
        assert_eq!(app.texts("SELECT DISTINCT account AS t FROM pay_events"), ["acct_a"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 1);
        told(&app, &fake).await;
        app.same(&token).await;
    }

    async fn a_checkout_of_a_connected_account_is_canceled_there(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, Some("acct_b")).await;
        let payment = done(&app, app.payments.cancel(&token), &token).await;
        assert_eq!((payment.status, fake.state().effects[1].as_str()), (Status::Expired, "expire cs_1"));
        assert_eq!(asked_for(&fake), [Some("acct_b".to_owned())]);
        // The platform's own is as before.
        let own = begun(&app, None).await;
        assert_eq!(app.payment(&own).await.account, None);
        done(&app, app.payments.cancel(&own), &own).await;
        assert_eq!(asked_for(&fake), [Some("acct_b".to_owned()), None]);
    }

    async fn an_account_that_the_variant_does_not_name_is_refused(kind) {
        let (app, fake) = app(kind).await;
        for wrong in ["acct_c", "", "acct_a ", "acct_a\r\nx: y"] {
            let error = created(&app, Some(wrong), CaptureMethod::Immediate).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{wrong}");
            let expected = format!("expected one of the connected accounts that this variant names (Stripe::accounts), got {wrong:?}");
            assert_eq!(error.to_string(), expected);
        }
        let error = app.payments.create(NewPayment::new("dummy", money(PRICE, "EUR")).account("acct_a")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 0);
        assert_eq!(fake.listener.heard().len(), 0);
    }

    async fn a_key_makes_one_payment_of_one_account(kind) {
        let (app, fake) = app(kind).await;
        let new = || NewPayment::new("stripe", money(PRICE, "EUR")).return_url("https://shop.example/").key("order-1");
        fake.state().faults.push_back(Some(Fault::Trouble));
        assert_eq!(app.payments.create(new().account("acct_a")).await.unwrap_err().kind(), ErrorKind::Gateway);
        let other = app.payments.create(new().account("acct_b")).await.unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Refused);
        // It goes on where it was begun, also where that is not said again.
        let token = app.payments.create(new()).await.unwrap().payment.token;
        assert_eq!((app.payment(&token).await.account.as_deref(), asked_for(&fake)), (Some("acct_a"), vec![Some("acct_a".to_owned())]));
    }

    async fn an_event_of_another_account_pays_nothing(kind) {
        let (app, _fake) = app(kind).await;
        let (own, theirs) = (begun(&app, None).await, begun(&app, Some("acct_a")).await);
        for (number, event) in [
            from("acct_b", &completed_as(11, &theirs)),
            completed_as(12, &theirs),
            from("acct_a", &completed_as(13, &own)),
        ].iter().enumerate() {
            app.deliver(&[event]).await;
            let outcome = app.outcomes().pop().unwrap();
            let named = if number == 2 { &own } else { &theirs };
            assert!(outcome.ends_with(&format!("; not of the payment {named}, which is of another account")), "{outcome}");
        }
        let both = [app.payment(&own).await, app.payment(&theirs).await];
        assert!(both.iter().all(|payment| payment.status == Status::Pending && payment.concerns.is_empty()), "{both:?}");
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 2);
        // It is money of that account's all the same, so it becomes a payment of its own.
        app.pass(3600);
        app.drain().await;
        let adopted = app.texts("SELECT account || ' ' || status AS t FROM pay_payments WHERE adopted ORDER BY id");
        assert_eq!(adopted, ["acct_b paid", " paid", "acct_a paid"]);
        assert_eq!([app.status(&own).await, app.status(&theirs).await], [Status::Pending; 2]);
        app.deliver(&[&completed_as(14, &own), &from("acct_a", &completed_as(15, &theirs))]).await;
        assert_eq!([app.status(&own).await, app.status(&theirs).await], [Status::Paid; 2]);
        app.same(&own).await;
        app.same(&theirs).await;
    }

    async fn the_first_account_that_is_believed_has_a_payment_from_before(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, Some("acct_a")).await;
        // An older release writes no account.
        app.run("UPDATE pay_payments SET account = NULL");
        assert_eq!(app.payment(&token).await.account, None);
        app.deliver(&[&from("acct_stranger", &completed_as(11, &token)), &from("acct_a", &completed_as(12, &token))]).await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.account.as_deref()), (Status::Paid, Some("acct_a")));
        app.deliver(&[&from("acct_b", &completed_as(13, &token)), &completed_as(14, &token)]).await;
        let payment = app.payment(&token).await;
        assert_eq!((payment.captured.minor, payment.account.as_deref()), (PRICE, Some("acct_a")));
        app.same(&token).await;
        assert_eq!(asked_for(&fake), [Some("acct_a".to_owned())]);
    }

    async fn a_comparison_asks_about_it_at_its_account(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, Some("acct_a")).await;
        let intent = fake.pay(&token);
        told(&app, &fake).await;
        let compared = async || app.payments.drift(DriftQuery::new("stripe").per_second(10_000)).await.unwrap();
        let drift = compared().await;
        assert!(drift.differences.is_empty() && drift.unanswered.is_empty(), "{drift:?}");
        fake.refund(&intent, 1000);
        let drift = compared().await;
        assert_eq!((drift.differences.len(), drift.unanswered.len()), (1, 0), "{drift:?}");
        assert_eq!(app.payment(&token).await.refunded.minor, 0);
        app.payments.repair_drift(DriftQuery::new("stripe").per_second(10_000)).await.unwrap();
        app.drain().await;
        assert_eq!(app.payment(&token).await.refunded.minor, 1000);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 1);
    }

    async fn a_direct_charge_that_was_adopted_is_refunded_at_its_account(kind) {
        let (app, fake) = app(kind).await;
        // Somebody begins it at Stripe for the account, without a word to this app.
        let form = [
            ("line_items[0][price_data][unit_amount]", PRICE.to_string()),
            ("line_items[0][quantity]", "1".to_owned()),
            ("line_items[0][price_data][currency]", "eur".to_owned()),
            ("client_reference_id", "of-their-own".to_owned()),
        ];
        fake.state().acts_for("acct_b").open(&form.map(|(name, value)| (name.to_owned(), value)).into());
        fake.pay("of-their-own");
        told(&app, &fake).await;
        app.pass(3600);
        app.drain().await;
        let token = app.texts("SELECT token AS t FROM pay_payments").pop().unwrap();
        let payment = app.payment(&token).await;
        assert_eq!((payment.status, payment.account.as_deref(), payment.adopted), (Status::Paid, Some("acct_b"), true));
        let payment = done(&app, app.payments.refund(&token.as_str().into(), Refund::all()), &token).await;
        assert_eq!((payment.status, payment.refunded.minor), (Status::Refunded, PRICE));
        assert_eq!(asked_for(&fake), [Some("acct_b".to_owned())]);
        app.same(&token).await;
    }

    async fn a_subscription_of_a_connected_account_is_begun_there_and_is_no_others(kind) {
        let (app, fake) = app(kind).await;
        let mut tokens = Vec::new();
        for account in [Some("acct_a"), None] {
            let new = NewSubscription::new("stripe", "price_1").return_url("https://shop.example/");
            let new = account.into_iter().fold(new, |new, account| new.account(account));
            // The fake sells no prices, so the call fails after it was heard.
            let _ = app.payments.subscribe(new).await;
            tokens = app.texts("SELECT token AS t FROM pay_subscriptions ORDER BY id");
        }
        assert_eq!(asked_for(&fake), [Some("acct_a".to_owned()), None]);
        let wrong = NewSubscription::new("stripe", "price_1").return_url("https://shop.example/").account("acct_c");
        assert_eq!(app.payments.subscribe(wrong).await.unwrap_err().kind(), ErrorKind::Refused);
        let begun = |number: usize, token: &str| changed("customer.subscription.created", &[
            ("/id", format!("evt_sub_{number}").into()),
            ("/data/object/id", format!("sub_{number}").into()),
            ("/data/object/metadata", json!({"subscription_token": token})),
        ]);
        let told = [
            from("acct_b", &begun(1, &tokens[0])), begun(2, &tokens[0]), from("acct_a", &begun(3, &tokens[1])),
            from("acct_a", &begun(4, &tokens[0])), begun(5, &tokens[1]),
        ];
        app.deliver(&told.each_ref().map(String::as_str)).await;
        let mut known = Vec::new();
        for token in &tokens {
            let subscription = app.payments.subscription(&token.into()).await.unwrap().unwrap();
            known.push((subscription.gateway_ref.unwrap(), subscription.account));
        }
        assert_eq!(known, [("sub_4".into(), Some("acct_a".to_owned())), ("sub_5".into(), None)]);
        let page = app.get(&format!("/payments/admin/subscriptions/{}", tokens[0])).await.text();
        assert!(page.contains("Account acct_a"), "{page}");
        let file = app.get("/payments/admin/subscriptions.csv").await.body;
        assert!(file.lines().next().unwrap().ends_with(",account"), "{file}");
        assert_eq!(file.lines().filter(|line| line.ends_with(",acct_a")).count(), 2, "{file}");
        // The list and the search go by the account.
        for (asked, refs) in [
            ("account=acct_a", &["sub_4", "sub_3"][..]),
            ("account=acct_b", &["sub_1"]),
            ("account=acct_a&mode=test", &["sub_4", "sub_3"]),
            ("account=acct_c", &[]),
            ("q=acct_b", &["sub_1"]),
        ] {
            let file = app.get(&format!("/payments/admin/subscriptions.csv?{asked}")).await.body;
            assert_eq!(file.lines().count(), refs.len() + 1, "{asked}: {file}");
            assert!(refs.iter().all(|id| file.contains(id)), "{asked}: {file}");
        }
        let page = app.get("/payments/admin/subscriptions?account=acct_b").await.text();
        assert!(page.contains("sub_1") && !page.contains("sub_4") && page.contains("Connected account"), "{page}");
        let found = app.get("/payments/admin/search?for=acct_b").await;
        assert!(found.header("location").is_some_and(|to| to.contains("/subscriptions/psub_")), "{}", found.text());
    }

    async fn pages_lists_and_files_say_whose_a_payment_is(kind) {
        let (app, fake) = app(kind).await;
        let [own, first, second] = [begun(&app, None).await, begun(&app, Some("acct_a")).await, begun(&app, Some("acct_b")).await];
        for token in [&own, &first, &second] {
            fake.pay(token);
        }
        told(&app, &fake).await;
        let dispute = changed("charge.dispute.created", &[
            ("/data/object/payment_intent", app.texts(&format!(
                "SELECT gateway_ref AS t FROM pay_references AS r JOIN pay_payments AS p ON p.id = r.payment_id \
                 WHERE p.token = '{first}' AND gateway_ref LIKE 'pi%'"
            ))[0].as_str().into()),
        ]);
        app.deliver(&[&from("acct_a", &dispute)]).await;
        let page = app.get(&format!("/payments/admin/payments/{first}")).await.text();
        assert!(page.contains("Account acct_a"), "{page}");
        assert!(!app.get(&format!("/payments/admin/payments/{own}")).await.text().contains("Account acct"));
        let has = async |path: &str, tokens: [bool; 3]| {
            let text = app.get(&format!("/payments/admin/{path}")).await.text();
            assert_eq!([&own, &first, &second].map(|token| text.contains(token.as_str())), tokens, "{path}: {text}");
        };
        has("payments", [true; 3]).await;
        has("payments?account=acct_a", [false, true, false]).await;
        has("payments?account=acct_a&sort=amount&status=paid", [false, true, false]).await;
        has("payments?account=acct_none", [false; 3]).await;
        has("payments?q=acct_b", [false, false, true]).await;
        // What is found alone is shown at once.
        let answer = app.get("/payments/admin/search?for=acct_b").await;
        assert_eq!(answer.header("location"), Some(format!("/payments/admin/payments/{second}").as_str()));
        has("payments.csv?account=acct_b", [false, false, true]).await;
        has("events.csv?account=acct_a", [false, true, false]).await;
        for (file, count) in [("payments", 1), ("books", 1), ("disputes", 1)] {
            let text = app.get(&format!("/payments/admin/{file}.csv?month=2026-10&mode=test")).await.body;
            assert!(text.lines().next().unwrap().ends_with(",account"), "{text}");
            assert_eq!(text.lines().filter(|line| line.ends_with(",acct_a")).count(), count, "{file}: {text}");
        }
        let list = app.payments.list(PaymentQuery::new().account("acct_a")).await.unwrap();
        assert_eq!(list.payments.iter().map(|payment| payment.token.as_str()).collect::<Vec<_>>(), [first.as_str()]);
        assert_eq!(serde_json::to_value(&list.payments[0]).unwrap()["account"], "acct_a");
        let events = app.payments.events(EventQuery::new().account("acct_b")).await.unwrap().events;
        assert!(!events.is_empty() && events.iter().all(|event| event.account.as_deref() == Some("acct_b")), "{events:?}");
    }

    async fn a_variant_without_accounts_goes_on_as_before(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&from("acct_a", &completed(&token))]).await;
        assert_eq!(app.status(&token).await, Status::Pending);
        app.deliver(&[&completed_as(2, &token)]).await;
        assert_eq!((app.status(&token).await, app.payment(&token).await.account), (Status::Paid, None));
    }
}

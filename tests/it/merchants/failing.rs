//! What becomes of a merchant whose configuration fails to load, or stops loading.

use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::dummy::{Dummy, DummyEvent, DummySubscription, Kind as DummyKind};
use actix_payments::{NewPayment, Outcome, Refund};

use super::directory::{Directory, market, secret_of};
use super::event;
use crate::app::{App, on_both_databases};
use crate::scenes::money;

/// Whose deliveries were sent away, one line each.
fn sent_away(app: &App) -> Vec<String> {
    let of =
        "SELECT variant || ' ' || CAST(sum(count) AS TEXT) AS t FROM pay_hours WHERE outcome = 'rejected:unavailable'";
    app.counted("rejected:unavailable", 2);
    app.texts(&format!("{of} GROUP BY variant ORDER BY variant"))
}

on_both_databases! {
    async fn a_delivery_to_a_merchant_that_was_loaded_before_is_counted_as_its_own_while_loading_fails(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        app.payments.create(NewPayment::new("anna", money(4999, "EUR"))).await.unwrap();
        directory.fail(&["anna", "made-up"]);
        app.pass(60);
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 503);
        assert_eq!(app.signed_with("any", "made-up", &event("evt_1")).await, 503);
        assert_eq!(sent_away(&app), [" 1", "anna 1"]);
    }

    async fn a_merchant_that_had_events_is_known_after_a_restart_although_loading_fails(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        directory.fail(&["anna", "made-up"]);
        let again = App::at(app.url.clone(), None, |builder| directory.source(builder)).await;
        assert_eq!(again.signed_with(&secret_of("anna"), "anna", &event("evt_2")).await, 503);
        assert_eq!(again.signed_with("any", "made-up", &event("evt_1")).await, 503);
        assert_eq!(sent_away(&again), [" 1", "anna 1"]);
    }

    async fn deliveries_to_a_merchant_that_is_no_more_count_as_its_own_and_the_doctor_says_that_they_are_refused(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        directory.remove("anna");
        app.pass(61);
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_2")).await, 404);
        assert_eq!(app.signed_with("any", "made-up", &event("evt_1")).await, 404);
        app.counted("rejected:unknown_variant", 2);
        let of = "SELECT variant AS t FROM pay_hours WHERE outcome = 'rejected:unknown_variant' ORDER BY variant";
        assert_eq!(app.texts(of), ["", "anna"]);
        let found = app.json("doctor").await.to_string();
        assert!(found.contains("answered 404") && !found.contains("sent away"), "{found}");
    }

    async fn a_refund_whose_configuration_is_gone_when_it_is_to_be_sent_is_made_as_soon_as_it_is_back(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        let token = app.payments.create(NewPayment::new("anna", money(4999, "EUR"))).await.unwrap().payment.token;
        let paid = DummyEvent::new("evt_1", DummyKind::Paid, &token, money(4999, "EUR"));
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &paid).await, 200);
        app.drain().await;
        stops_meanwhile(&app, &directory);
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Underway);
        assert_eq!(directory.called(), [], "nothing went out");
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        let cause = "not done yet: the configuration of variant \"anna\" could not be loaded";
        assert!(page.contains(cause), "{page}");
        // Whoever looks for work meanwhile finds none, and the refund is not given up.
        app.pass(6);
        app.drain().await;
        directory.fail(&[]);
        app.pass(6);
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Refunded);
        assert_eq!(directory.called().len(), 1);
    }

    async fn a_change_of_a_subscription_whose_configuration_is_gone_is_made_as_soon_as_it_is_back(kind) {
        let directory = Directory::of(["anna".to_owned()]);
        let app = App::bare(kind, |builder| directory.source(builder)).await;
        let dummy = Dummy::new(secret_of("anna"));
        let now = actix_payments::domain::Timestamp::from_unix_timestamp(app.now()).unwrap();
        let active = DummySubscription::new("de_1", "ds_1", SubscriptionStatus::Active).owner("user-42").price("tea");
        let active = active.amount(money(1250, "EUR"), "month");
        app.payments.receive("anna", dummy.subscription_delivery(&active, now)).await.unwrap();
        app.drain().await;
        let token = app.payments.subscription_at("anna", "ds_1").await.unwrap().unwrap().token;
        stops_meanwhile(&app, &directory);
        assert_eq!(app.payments.cancel_subscription(&token).await.unwrap(), Outcome::Underway);
        let page = app.get(&format!("/payments/admin/subscriptions/{token}")).await.text();
        assert!(page.contains("not done yet: the configuration of variant \"anna\""), "{page}");
        directory.fail(&[]);
        app.pass(6);
        app.drain().await;
        let canceled = app.payments.subscription(&token).await.unwrap().unwrap();
        assert_eq!(canceled.state.status, SubscriptionStatus::Canceled);
    }
}

/// While the gateway is asked what it can do, its configuration's time ends, and the next can't be had.
fn stops_meanwhile(app: &App, directory: &Directory) {
    let (failing, pass) = (directory.clone(), app.passing());
    directory.meanwhile(move || {
        failing.fail(&["anna"]);
        pass(61);
    });
}

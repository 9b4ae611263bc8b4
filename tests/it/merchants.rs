//! Does a marketplace serve its merchants, each under keys that the host's function gives at run time?

mod alarms;
mod directory;
mod failing;
mod made_up;
mod many;
mod pages;
mod thousands;

use std::time::Duration;

use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::payment::Status;
use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind as DummyKind};
use actix_payments::{ErrorKind, NewPayment, Payments};
use actix_web::rt::spawn;

use crate::app::{App, on_both_databases};
use crate::faults::log;
use crate::scenes::{money, until};
use directory::{Directory, market, secret_of};

/// An event that no payment waits for.
fn event(id: &str) -> DummyEvent {
    DummyEvent::new(id, DummyKind::Paid, "pay_of_nobody", money(4999, "EUR"))
}

async fn to_nobody(payments: &Payments, name: &str) -> Rejection {
    payments.receive(name, Delivery::new("{}")).await.unwrap_err()
}

on_both_databases! {
    async fn an_event_of_a_merchant_goes_from_its_address_to_the_page(kind) {
        let (app, _) = market(kind, &["anna", "bert"]).await;
        let token = app.payments.create(NewPayment::new("anna", money(4999, "EUR"))).await.unwrap().payment.token;
        let paid = DummyEvent::new("evt_1", DummyKind::Paid, &token, money(4999, "EUR"));
        assert_eq!(app.signed_with(&secret_of("bert"), "anna", &paid).await, 400, "another merchant's secret");
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &paid).await, 200);
        assert_eq!(app.drain().await, 1);
        assert_eq!(app.status(&token).await, Status::Paid);
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("anna") && page.contains("Refund"), "{page}");
    }

    async fn a_changed_secret_is_believed_once_the_time_is_over_and_the_old_one_refused(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        let (old, new) = (secret_of("anna"), "another secret of the merchant");
        assert_eq!(app.signed_with(&old, "anna", &event("evt_1")).await, 200);
        directory.set("anna", new);
        app.pass(59);
        assert_eq!(app.signed_with(&old, "anna", &event("evt_2")).await, 200, "for a minute");
        assert_eq!(directory.asked(), 1);
        app.pass(1);
        assert_eq!(app.signed_with(&old, "anna", &event("evt_3")).await, 400);
        assert_eq!(app.signed_with(new, "anna", &event("evt_3")).await, 200);
        assert_eq!(directory.asked(), 2);
    }

    async fn while_the_function_fails_a_delivery_is_sent_away_and_taken_when_it_comes_again(kind) {
        let (app, directory) = market(kind, &["anna", "bert"]).await;
        directory.fail(&["anna"]);
        let secret = secret_of("anna");
        assert_eq!(app.signed_with(&secret, "anna", &event("evt_1")).await, 503);
        assert_eq!(app.signed_with(&secret, "anna", &event("evt_1")).await, 503);
        assert_eq!(directory.asked(), 1, "it is not stormed");
        assert_eq!(app.signed_with(&secret_of("bert"), "bert", &event("evt_1")).await, 200, "another merchant's");
        directory.fail(&[]);
        app.pass(5);
        assert_eq!(app.signed_with(&secret, "anna", &event("evt_1")).await, 200);
        assert_eq!(app.drain().await, 2);
    }

    async fn a_function_that_never_answers_keeps_a_gateway_waiting_for_the_time_out_only(kind) {
        let app = App::bare(kind, |builder| {
            builder.variants_timeout(Duration::from_millis(50)).variants_from(|_| std::future::pending())
        })
        .await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 503);
        let refused = app.payments.create(NewPayment::new("anna", money(4999, "EUR"))).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
    }

    async fn a_configuration_that_cannot_work_is_in_the_log_without_a_secret(kind) {
        let directory = Directory::default();
        directory.set("anna", " a blank before the secret");
        let app = App::bare(kind, |builder| directory.source(builder)).await;
        log::listen();
        assert_eq!(app.signed_with("any", "anna", &event("evt_1")).await, 503);
        let lines = log::lines("").join("\n");
        assert!(lines.contains("variant=anna") && lines.contains("expected a signing secret"), "{lines}");
        assert!(!lines.contains("before the secret"), "{lines}");
    }

    async fn names_that_nobody_has_are_not_found_and_take_a_bounded_room(kind) {
        let directory = Directory::of(["anna".to_owned()]);
        let app = App::bare(kind, |builder| directory.source(builder).variants_never_seen(5_000)).await;
        assert_eq!(app.signed_with("any", "nobody", &event("evt_1")).await, 404);
        assert_eq!(to_nobody(&app.payments, "nobody").await, Rejection::UnknownVariant);
        assert_eq!(directory.asked(), 1, "it is remembered");
        for number in 0..2_000 {
            assert_eq!(to_nobody(&app.payments, &format!("made-up-{number}")).await, Rejection::UnknownVariant);
        }
        let asked = directory.asked();
        to_nobody(&app.payments, "made-up-1999").await;
        assert_eq!(directory.asked(), asked, "the last ones are remembered");
        to_nobody(&app.payments, "made-up-0").await;
        assert_eq!(directory.asked(), asked + 1, "the first ones are forgotten");
        directory.set("nobody", &secret_of("nobody"));
        app.pass(60);
        assert_eq!(app.signed_with(&secret_of("nobody"), "nobody", &event("evt_1")).await, 200, "a new merchant's");
        // However many were made up, they are counted under one name.
        app.drain().await;
        let page = app.get("/payments/admin/variants").await.text();
        assert!(page.contains("2004 deliveries went to an address of no variant"), "{page}");
    }

    async fn the_function_is_asked_for_names_only_that_can_be_a_variants_and_not_for_the_builders(kind) {
        let directory = Directory::of(["own", "admin"].map(str::to_owned));
        let app = App::bare(kind, |builder| directory.source(builder.variant("own", Dummy::new("secret")))).await;
        for name in ["admin", "process", "static", "Anna", "-anna", "an na", "", &"a".repeat(65)] {
            assert_eq!(to_nobody(&app.payments, name).await, Rejection::UnknownVariant, "{name}");
        }
        assert_eq!(app.signed_with("secret", "own", &event("evt_1")).await, 200);
        assert_eq!(app.signed_with(&secret_of("own"), "own", &event("evt_2")).await, 400);
        assert_eq!(directory.asked(), 0);
    }

    async fn those_who_wait_for_one_name_ask_the_function_once(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        let unsigned = |payments: Payments| async move { to_nobody(&payments, "anna").await };
        let together: Vec<_> = (0..20).map(|_| spawn(unsigned(app.payments.clone()))).collect();
        for refused in together {
            assert_ne!(refused.await.unwrap(), Rejection::UnknownVariant);
        }
        assert_eq!(directory.asked(), 1);
    }

    async fn a_configuration_is_dropped_at_its_end_although_nobody_asks(kind) {
        let directory = Directory::of(["anna".to_owned()]);
        let app = App::bare(kind, |builder| directory.source(builder).variants_cache(Duration::from_secs(1), 10)).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        assert_eq!(directory.alive(), 1);
        until(|| directory.alive() == 0).await;
    }

    async fn a_configuration_is_dropped_with_the_payments(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        assert_eq!(directory.alive(), 1);
        drop(app);
        until(|| directory.alive() == 0).await;
    }

    async fn no_more_configurations_are_kept_than_there_is_room_for(kind) {
        let names = ["anna", "bert", "carl"].map(str::to_owned);
        let directory = Directory::of(names.clone());
        let app = App::bare(kind, |builder| directory.source(builder).variants_cache(Duration::from_secs(60), 2)).await;
        for name in &names {
            assert_eq!(app.signed_with(&secret_of(name), name, &event("evt_1")).await, 200);
        }
        assert_eq!(directory.alive(), 2);
        // Three variants in one batch, where there is room for two.
        assert_eq!(app.drain().await, 3);
    }
}

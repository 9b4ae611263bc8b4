//! Thousands of merchants, and workers that look after all of them.

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::gateways::Verb;
use actix_payments::gateways::dummy::{DummyEvent, Kind as DummyKind};
use actix_payments::{ErrorKind, NewPayment, Outcome, Refund};

use super::directory::{Directory, market, secret_of};
use super::event;
use crate::app::{App, on_both_databases};
use crate::scenes::{money, until};

const MERCHANTS: usize = 2_000;

on_both_databases! {
    async fn two_thousand_merchants_are_served_by_one_worker_and_refund_through_their_own_gateways(kind) {
        let names: Vec<String> = (0..MERCHANTS).map(|number| format!("merchant-{number}")).collect();
        let directory = Directory::of(names.clone());
        let app = App::bare(kind, |builder| directory.source(builder)).await;
        let mut tokens = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let created = app.payments.create(NewPayment::new(name, money(4999, "EUR"))).await.unwrap();
            // Under one id: each merchant's ids are its own.
            let paid = DummyEvent::new("evt_1", DummyKind::Paid, &created.payment.token, money(4999, "EUR"));
            assert_eq!(app.signed_with(&secret_of(name), name, &paid).await, 200, "{number}");
            tokens.push(created.payment.token);
        }
        // Nothing of what was kept meanwhile is of use to the worker, and some can't be had.
        app.pass(60);
        directory.fail(&["merchant-0", "merchant-1"]);
        directory.remove("merchant-2");
        assert_eq!(app.drain().await, MERCHANTS - 3);
        for (number, token) in tokens.iter().enumerate().step_by(97).chain([(1, &tokens[1]), (2, &tokens[2])]) {
            let expected = if number < 3 { Status::Pending } else { Status::Paid };
            assert_eq!(app.status(token).await, expected, "{number}");
        }
        directory.fail(&[]);
        directory.set("merchant-2", &secret_of("merchant-2"));
        app.pass(60);
        assert_eq!(app.drain().await, 3, "what waited is taken");
        for number in [0, 7, MERCHANTS - 1] {
            assert_eq!(app.payments.refund(&tokens[number], Refund::all()).await.unwrap(), Outcome::Done);
            assert_eq!(app.status(&tokens[number]).await, Status::Refunded);
            let called = directory.called().pop().unwrap();
            assert_eq!(called, (names[number].clone(), Verb::Refund, tokens[number].to_string()));
        }
    }

    async fn a_worker_that_heard_no_delivery_loads_what_it_needs(kind) {
        let (app, _) = market(kind, &["anna", "bert"]).await;
        let token = app.payments.create(NewPayment::new("anna", money(4999, "EUR"))).await.unwrap().payment.token;
        let paid = DummyEvent::new("evt_1", DummyKind::Paid, &token, money(4999, "EUR"));
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &paid).await, 200);
        let elsewhere = Directory::of(["anna", "bert"].map(str::to_owned));
        let worker = App::at(app.url.clone(), None, |builder| elsewhere.source(builder)).await;
        assert_eq!(worker.drain().await, 1);
        assert_eq!(app.status(&token).await, Status::Paid);
        assert!(elsewhere.was_asked_for("anna") && !elsewhere.was_asked_for("bert"));
    }

    async fn while_a_configuration_cannot_be_had_nothing_is_begun_and_what_waits_is_not_given_up(kind) {
        let (app, directory) = market(kind, &["anna"]).await;
        let token = app.payments.create(NewPayment::new("anna", money(4999, "EUR"))).await.unwrap().payment.token;
        let paid = DummyEvent::new("evt_1", DummyKind::Paid, &token, money(4999, "EUR"));
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &paid).await, 200);
        app.drain().await;
        directory.fail(&["anna"]);
        app.pass(60);
        let refused = app.payments.refund(&token, Refund::all()).await.unwrap_err();
        assert!(refused.to_string().contains("could not be loaded"), "{refused}");
        let refused = app.payments.create(NewPayment::new("anna", money(4999, "EUR"))).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        let unknown = app.payments.create(NewPayment::new("nobody", money(4999, "EUR"))).await.unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::NotFound);
        assert_eq!(directory.called(), [], "nothing went out");
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("could not be loaded"), "{page}");
        directory.fail(&[]);
        app.pass(60);
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Done);
    }

    async fn a_worker_asks_the_gateways_of_merchants_that_had_events_for_what_was_missed(kind) {
        let (app, directory) = market(kind, &["anna", "bert"]).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| directory.has_listed("anna")).await;
        worker.stop().await;
        assert!(!directory.has_listed("bert"));
    }
}

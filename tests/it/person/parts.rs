//! Is somebody with many payments erased a few at a time, and to the end whatever ends meanwhile?

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{NewPayment, Person};

use super::{EMAIL, naming, telling, with_key};
use crate::app::{App, SECRET, on_both_databases};
use crate::scenes::{completed_as, money, until};

const NAMED: &str = "SELECT count(*) FROM pay_payments WHERE customer IS NOT NULL";

on_both_databases! {
    async fn deliveries_are_taken_in_while_many_payments_are_erased(kind) {
        let app = App::with(kind, with_key).await;
        for number in 0..35 {
            app.paid_by_mia(number).await;
        }
        assert_eq!(app.number(NAMED), 35);
        let payments = app.payments.clone();
        let erased = actix_web::rt::spawn(async move { payments.erase(&Person::email(EMAIL)).await });
        let mut taken = 0;
        while !erased.is_finished() {
            if (1..35).contains(&app.number(NAMED)) {
                assert_eq!(app.stripe(&completed_as(100 + taken, "")).await.status, 200);
                taken += 1;
            }
            actix_web::rt::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(erased.await.unwrap().unwrap().payments, 35);
        assert!(taken > 0, "it is one transaction");
        app.drain().await;
        let stored = app.number("SELECT count(*) FROM pay_events");
        assert_eq!((app.found(), stored), (Vec::new(), 35 + taken as i64));
    }

    async fn what_an_erasure_left_whole_is_forgotten_by_a_worker(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.paid_by_mia(1).await;
        app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        // As if it had ended before it came to this payment, and a process without the key had taken another in.
        app.run("UPDATE pay_payments SET customer = 'mia.kowalska@shop.example', metadata = '{\"note\":\"likes tea\"}'");
        let without = App::at(app.url.clone(), None, |it| it.variant("stripe", Stripe::new(SECRET))).await;
        let new = NewPayment::new("stripe", money(4999, "EUR")).customer(EMAIL);
        without.payments.create(new).await.unwrap();
        // One that was sold elsewhere is theirs by its events alone.
        without.deliver(&[&telling(2, ""), &naming("evt_late"), &completed_as(5, "")]).await;
        without.pass(120);
        without.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payers WHERE name = 'Mia Kowalska'"), 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE lower(customer) LIKE 'mia%'"), 3);
        app.pass(61);
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| app.found().is_empty()).await;
        app.until("SELECT count(*) FROM pay_chores WHERE name LIKE 'erasure%' AND note LIKE '%all were looked through'", 3).await;
        worker.stop().await;
        let said = app.texts("SELECT note AS t FROM pay_chores WHERE name = 'erasure:payments'");
        assert!(said[0].starts_with("3 payments of erased persons"), "{said:?}");
        assert_eq!(app.status(&token).await, Status::Paid);
    }

    async fn what_a_process_without_the_key_fills_again_is_forgotten_within_a_day(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.paid_by_mia(1).await;
        app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        let sweep = async || {
            let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
            app.until("SELECT count(*) FROM pay_chores WHERE name LIKE 'erasure%' AND note LIKE '%all were looked through'", 3).await;
            until(|| app.found().is_empty()).await;
            worker.stop().await;
        };
        app.pass(6);
        sweep().await;
        let without = App::at(app.url.clone(), None, |it| it.variant("stripe", Stripe::new(SECRET))).await;
        without.deliver(&[&telling(9, &token)]).await;
        assert_eq!(app.number(NAMED), 1);
        app.pass(86_401);
        sweep().await;
        assert_eq!((app.number(NAMED), app.status(&token).await), (0, Status::Paid));
    }
}

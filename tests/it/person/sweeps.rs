//! Is everybody found who was erased, whoever else is erased while the bodies are looked through?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use actix_payments::domain::Timestamp;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, Database};
use actix_web::rt::{System, time::sleep};

use super::{naming, with_key};
use crate::app::{App, NOW, SECRET, number, on_both_databases};

/// An event that names somebody else and is of no payment.
fn naming_anna(id: &str) -> String {
    naming(id)
        .replace("Mia.Kowalska", "Anna.Schmidt")
        .replace("Mia Kowalska", "Anna Schmidt")
        .replace("MiaK7", "AnnaS7")
}

/// Erases a person in a process of its own, as an operator does: the bodies are left to a worker.
fn erase_elsewhere(url: String, now: i64, email: &'static str) {
    let erased = move || {
        System::new().block_on(async {
            let app = App::at(url, None, |it| with_key(it.variant("stripe", Stripe::new(SECRET)))).await;
            app.pass(now - NOW);
            let form = format!("by=email&who={email}");
            assert_eq!(app.post("/payments/admin/data/person/erase", &form).await.status, 200);
        });
    };
    std::thread::spawn(erased).join().unwrap();
}

impl App {
    /// How many bodies have this word.
    fn bodies_with(&self, word: &str) -> usize {
        let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
        let bodies = self.dump().into_iter().filter(|row| row.starts_with("pay_event_bodies "));
        bodies.filter(|row| row.to_lowercase().contains(&hex)).count()
    }

    /// Waits until no body has this word.
    async fn has_lost(&self, word: &str) -> bool {
        for _ in 0..250 {
            if self.bodies_with(word) == 0 {
                return true;
            }
            sleep(Duration::from_millis(20)).await;
        }
        false
    }
}

on_both_databases! {
    async fn who_is_erased_while_another_is_looked_for_is_looked_for_from_the_beginning(kind) {
        let app = App::with(kind, with_key).await;
        let body = naming("evt_mia");
        app.deliver(&[&body, &naming_anna("evt_anna")]).await;
        erase_elsewhere(app.url.clone(), NOW, "mia.kowalska%40shop.example");
        let clock = Arc::new(AtomicI64::new(NOW + 6));
        let (ticks, url, is_done) = (clock.clone(), app.url.clone(), AtomicBool::new(false));
        let database = Database::<AnyConnection>::from_url(&url).unwrap();
        // Mia's body is reduced, and the turn has not ended yet.
        let between = format!(
            "SELECT count(*) FROM pay_chores, pay_event_bodies WHERE name = 'erasure' AND note LIKE 'somebody was erased%' \
             AND event_id = 1 AND length(body) < {}",
            body.len()
        );
        let now = move || {
            let now = ticks.load(Ordering::SeqCst);
            if !is_done.load(Ordering::SeqCst) && number(&database, &between) == 1 && !is_done.swap(true, Ordering::SeqCst) {
                erase_elsewhere(url.clone(), now, "anna.schmidt%40shop.example");
            }
            Timestamp::from_unix_timestamp(now).unwrap()
        };
        let sweeping = |it: actix_payments::Builder<AnyConnection>| with_key(it.variant("stripe", Stripe::new(SECRET))).clock(now);
        let sweeper = App::at(app.url.clone(), None, sweeping).await;
        let worker = sweeper.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        assert!(app.has_lost("Kowalska").await);
        let acts = "SELECT count(*) FROM pay_audit WHERE act = 'erase'";
        for _ in 0..250 {
            if app.number(acts) == 2 {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((app.number(acts), app.bodies_with("Schmidt")), (2, 1));
        clock.store(NOW + 12, Ordering::SeqCst);
        assert!(app.has_lost("Schmidt").await);
        let ended = "SELECT count(*) FROM pay_chores WHERE name = 'erasure' AND place = 2 AND note LIKE '%looked through'";
        for _ in 0..250 {
            if app.number(ended) == 1 {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        worker.stop().await;
        assert_eq!(app.number(ended), 1, "and it does not begin again and again");
    }
}

//! Does a gateway that does not answer hold up only its own variant?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{AnyConnection, Builder, Chores};
use actix_web::http::Method;

use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::{until, with};
use crate::stripe::fake::Fake;
use crate::stripe::listener::{Listener, Say};
use crate::subscriptions::billing::Billing;

/// A gateway that takes every request and answers none until it is let go.
struct Hanging {
    listener: Listener,
    hangs: Arc<AtomicBool>,
    begun: Arc<AtomicUsize>,
}

impl Hanging {
    fn new() -> Self {
        let (hangs, begun) = (Arc::new(AtomicBool::new(true)), Arc::<AtomicUsize>::default());
        let (held, count) = (hangs.clone(), begun.clone());
        let listener = Listener::answering(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            while held.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            Say::Nothing
        });
        Self { listener, hangs, begun }
    }

    fn gateway(&self) -> Stripe {
        Stripe::new(SECRET).api_key("sk_test_1").api_base(&self.listener.address).api_retries(0)
    }

    fn is_asked(&self) -> bool {
        self.begun.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.hangs.store(false, Ordering::SeqCst);
    }
}

/// An app with a gateway that hangs, as the variant `alpha`, and another as `beta`.
async fn app(kind: Kind, hanging: &Hanging, beta: Stripe, chores: Chores) -> App {
    let alpha = hanging.gateway();
    let both = |builder: Builder<AnyConnection>| builder.variant("alpha", alpha).variant("beta", beta).chores(chores);
    App::bare(kind, both).await
}

/// Runs a worker until the first gateway hangs and the query gives 1.
async fn work_until(app: &App, hanging: Hanging, sql: &str) {
    let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
    until(|| hanging.is_asked() && app.number(sql) == 1).await;
    drop(hanging);
    worker.stop().await;
}

const NOTHING: Chores =
    Chores::new().reconcile_every(None).refresh_after(None).notice_authorized_after(None).compare_every(None);

on_both_databases! {
    async fn what_another_variant_missed_is_fetched_meanwhile(kind) {
        let (hanging, fake) = (Hanging::new(), Fake::new(NOW));
        let chores = with(NOTHING, |it| it.reconcile_every = Some(Duration::from_secs(900)));
        let app = app(kind, &hanging, fake.gateway(SECRET), chores).await;
        let done = "SELECT count(*) FROM pay_chores WHERE name = 'reconcile:beta' AND done_to IS NOT NULL";
        work_until(&app, hanging, done).await;
    }

    async fn what_else_is_due_of_the_same_variant_is_done_meanwhile(kind) {
        let (hanging, fake) = (Hanging::new(), Fake::new(NOW));
        let (often, stale) = (Some(Duration::from_secs(900)), Some(Duration::from_secs(3600)));
        let chores = with(NOTHING, |it| { it.reconcile_every = often; it.refresh_after = stale; });
        let app = app(kind, &hanging, fake.gateway(SECRET), chores).await;
        let done = "SELECT count(*) FROM pay_chores WHERE name = 'refresh:alpha' AND ran_at IS NOT NULL";
        work_until(&app, hanging, done).await;
    }

    async fn operations_on_subscriptions_of_another_variant_are_done_meanwhile(kind) {
        let (hanging, billing) = (Hanging::new(), Billing::new(NOW));
        let app = app(kind, &hanging, billing.gateway(SECRET), NOTHING).await;
        billing.state().subscribe("user-1", false);
        let events = billing.state().events.clone();
        for variant in ["alpha", "beta"] {
            for event in &events {
                let body = event.to_string();
                let signature = sign_delivery(SECRET, app.now(), body.as_bytes());
                let headers = [("stripe-signature", signature.as_str())];
                let path = format!("/payments/{variant}/");
                assert_eq!(app.request(Method::POST, &path, &headers, body.as_bytes()).await.status, 200);
            }
        }
        app.drain().await;
        // Both were asked for, and nobody knows what came of it.
        for variant in ["alpha", "beta"] {
            app.run(&format!(
                "INSERT INTO pay_subscription_operations (subscription_id, variant, verb, gateway_ref, \
                 idempotency_key, actor, state, attempts, due_at, created_at) SELECT id, variant, 'refresh', gateway_ref, \
                 'op_' || variant, 'the app', 'underway', 1, created_at, created_at FROM pay_subscriptions \
                 WHERE variant = '{variant}'"
            ));
        }
        app.run("UPDATE pay_subscription_operations SET outcome = 'not known yet'");
        let done = "SELECT count(*) FROM pay_subscription_operations WHERE variant = 'beta' AND state = 'done' \
                    AND EXISTS (SELECT 1 FROM pay_subscription_operations WHERE outcome = 'not known yet')";
        work_until(&app, hanging, done).await;
    }
}

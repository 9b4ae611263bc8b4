//! Does a worker compare from time to time, go on where it stopped, and tell what it found, without repairing it?

use std::time::{Duration, Instant};

use actix_payments::{CaptureMethod, Chores};

use super::world::{DAY, World};
use crate::app::{Kind, on_both_databases};
use crate::stripe::fake::Fault;

/// A worker of this app asks gateways only to compare, so often if at all.
pub async fn comparing(kind: Kind, every: Option<Duration>) -> World {
    let chores = Chores::new().reconcile_every(None).refresh_after(None).compare_every(every);
    World::with(kind, |builder| builder.chores(chores)).await
}

const DAILY: Option<Duration> = Some(Duration::from_secs(86_400));

/// Lets a worker run until the query gives the number.
pub async fn work_until(world: &World, sql: &str, number: i64) {
    let worker = world.app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
    let begun = Instant::now();
    while world.app.number(sql) != number {
        let chores = world.app.texts("SELECT name || ': ' || coalesce(note, '') AS t FROM pay_chores");
        assert!(begun.elapsed() < Duration::from_secs(60), "{sql} is {}, {chores:?}", world.app.number(sql));
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    worker.stop().await;
}

pub const COMPARED: &str = "SELECT count(*) FROM pay_drift WHERE place IS NULL AND ended_at IS NOT NULL";

fn listings(world: &World, folder: &str) -> usize {
    let begins = format!("/v1/{folder}?limit");
    world.fake.listener.heard().iter().filter(|heard| heard.path.starts_with(&begins)).count()
}

on_both_databases! {
    async fn a_worker_notes_what_differs_and_repairs_nothing(kind) {
        let mut world = comparing(kind, DAILY).await;
        let token = world.checkout(CaptureMethod::Immediate).await;
        world.fake.pay(&token);
        let stray = world.stray(1);
        world.pass(DAY);
        world.lose_all();
        work_until(&world, COMPARED, 2).await;
        let noted = "SELECT subject || ' ' || name AS t FROM pay_differences ORDER BY subject DESC";
        assert_eq!(world.app.texts(noted), [format!("payment {token}"), format!("object {stray}")]);
        assert_eq!(world.app.status(&token).await.as_str(), "pending");
        assert_eq!(world.app.number("SELECT count(*) FROM pay_operations"), 0);
        let overview = world.app.get("/payments/admin").await.text();
        assert!(overview.contains("stripe: 2 objects differ from the gateway"), "{overview}");
        // A day later it agrees, so nothing is known to differ any more.
        world.repair().await;
        world.app.drain().await;
        assert_eq!(world.app.number("SELECT count(*) FROM pay_differences"), 0);
        let before = listings(&world, "payment_intents");
        world.pass(DAY + 1);
        world.app.run("DELETE FROM pay_drift");
        work_until(&world, COMPARED, 2).await;
        assert!(listings(&world, "payment_intents") > before);
        assert_eq!(world.app.number("SELECT count(*) FROM pay_differences"), 0);
    }

    async fn a_comparison_goes_on_where_the_gateway_did_not_answer(kind) {
        let mut world = comparing(kind, DAILY).await;
        for _ in 0..12 {
            let token = world.checkout(CaptureMethod::Immediate).await;
            world.fake.pay(&token);
        }
        world.pass(DAY);
        world.lose_all();
        // A page of intents is there, and the next is not.
        world.fake.state().faults = [None, Some(Fault::RateLimit)].into();
        // The other variant is compared meanwhile, and has come to its end.
        let failing = "SELECT count(*) FROM pay_chores WHERE name = 'drift:stripe' AND failing_since IS NOT NULL \
                       AND EXISTS (SELECT 1 FROM pay_drift WHERE variant = 'plans' AND ended_at IS NOT NULL)";
        work_until(&world, failing, 1).await;
        let place = world.app.texts("SELECT place AS t FROM pay_drift WHERE variant = 'stripe'");
        assert!(place[0].starts_with("objects payment_intents pi_"), "{place:?}");
        assert_eq!(world.app.number("SELECT compared FROM pay_drift WHERE variant = 'stripe'"), 10);
        world.pass(61);
        work_until(&world, COMPARED, 2).await;
        assert_eq!(listings(&world, "payment_intents"), 3, "the first page is not asked for again");
        assert_eq!(world.app.number(failing), 0);
        assert_eq!(world.app.number("SELECT count(*) FROM pay_differences"), 12);
    }

    async fn by_default_no_worker_compares(kind) {
        let world = World::new(kind).await;
        work_until(&world, "SELECT count(*) FROM pay_chores WHERE name = 'authorized'", 1).await;
        assert_eq!(world.app.number("SELECT count(*) FROM pay_drift"), 0);
    }
}

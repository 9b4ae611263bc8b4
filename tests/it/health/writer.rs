//! Is it said what is the matter when the thread that writes the inbox dies, or hangs? Here the host's own recorder of
//! metrics, which that thread calls after each write, brings it about.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use actix_payments::ReadyChecks;
use actix_payments::gateways::stripe::Stripe;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::{Value, json};

use crate::app::{App, SECRET, on_both_databases};
use crate::faults::ping;
use crate::scenes::until;

const SOUND: u8 = 0;
const PANICS: u8 = 1;
const HANGS: u8 = 2;

/// How the recorder of this process fares.
static STATE: AtomicU8 = AtomicU8::new(SOUND);

struct Faulty;

impl Recorder for Faulty {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let is_of_the_writer = key.name() == "pay_commit_seconds";
        assert!(!is_of_the_writer || STATE.load(Ordering::SeqCst) != PANICS, "the recorder panics");
        while is_of_the_writer && STATE.load(Ordering::SeqCst) == HANGS {
            std::thread::sleep(Duration::from_millis(5));
        }
        Histogram::noop()
    }
}

fn install() {
    metrics::set_global_recorder(Faulty).expect("a process of its own, as nextest gives each test");
}

impl App {
    /// Waits until it is ready, or not; answers with what is said of each part.
    async fn until_ready(&self, wanted: bool, checks: &ReadyChecks) -> Value {
        let begun = Instant::now();
        loop {
            let (status, body) = self.ready(checks.clone()).await;
            if (status == 200) == wanted {
                return body["parts"].clone();
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{body}");
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

on_both_databases! {
    async fn a_writer_whose_thread_has_died_is_named_and_the_process_is_to_be_started_anew(kind) {
        install();
        let app = App::new(kind).await;
        assert_eq!(app.stripe(&ping(0)).await.status, 200);
        assert_eq!((app.until_ready(true, &ReadyChecks::new()).await["writer"].as_str(), app.live().await), (Some("ok"), 200));
        STATE.store(PANICS, Ordering::SeqCst);
        assert_eq!(app.stripe(&ping(1)).await.status, 200, "it was stored before");
        until(|| !app.payments.live()).await;
        STATE.store(SOUND, Ordering::SeqCst);
        let parts = app.until_ready(false, &ReadyChecks::new()).await;
        let dead = "its thread has ended; only a restart of the process brings it back";
        assert_eq!(parts, json!({ "writer": dead, "database": "ok", "migrations": "ok" }));
        assert_eq!(app.live().await, 503);
        let refused = app.stripe(&ping(2)).await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{refused:?}");
        // Started anew, it has all that was acknowledged, and takes what comes again.
        let again = App::at(app.url.clone(), None, |builder| builder.variant("stripe", Stripe::new(SECRET))).await;
        assert_eq!((again.live().await, again.stripe(&ping(2)).await.status), (200, 200));
        assert_eq!(again.number("SELECT count(*) FROM pay_events"), 3);
    }

    async fn a_writer_that_hangs_is_named_and_goes_on_when_it_can(kind) {
        install();
        let app = App::new(kind).await;
        let checks = ReadyChecks::new().patience(Duration::from_millis(500));
        app.until_ready(true, &checks).await;
        STATE.store(HANGS, Ordering::SeqCst);
        assert_eq!(app.stripe(&ping(1)).await.status, 200, "it was stored before");
        let parts = app.until_ready(false, &checks).await;
        assert_eq!((&parts["writer"], &parts["database"]), (&json!("it has not finished a write within 500 ms"), &json!("ok")));
        assert_eq!(app.live().await, 200, "it may yet go on by itself");
        STATE.store(SOUND, Ordering::SeqCst);
        app.until_ready(true, &checks).await;
        assert_eq!(app.stripe(&ping(2)).await.status, 200);
    }
}

//! What a delivery costs with measuring and tracing: nobody listens, a recorder does, and a subscriber besides, in turn
//! and in one run. Features are compiled in or not, so what they cost while nobody listens takes a second run without
//! them; both print the same ratio over an endpoint that verifies only, which has neither.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;

use super::{Figures, load, requests, serve, setting};

const CONNECTIONS: usize = 64;
/// The features that this bench was built with.
const FEATURES: &str = match (cfg!(feature = "metrics"), cfg!(feature = "tracing")) {
    (false, false) => "neither feature",
    (true, false) => "the feature metrics",
    (false, true) => "the feature tracing",
    (true, true) => "the features metrics and tracing",
};
/// Who listens.
const STATES: [&str; 3] = ["nobody", "a recorder", "a recorder and a subscriber"];
static STATE: AtomicU8 = AtomicU8::new(0);

fn listens(who: u8) -> bool {
    STATE.load(Ordering::Relaxed) >= who
}

/// A Prometheus recorder that can be turned off.
struct Switched(PrometheusRecorder);

impl Recorder for Switched {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        if listens(1) { self.0.register_counter(key, metadata) } else { Counter::noop() }
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        if listens(1) { self.0.register_gauge(key, metadata) } else { Gauge::noop() }
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        if listens(1) { self.0.register_histogram(key, metadata) } else { Histogram::noop() }
    }
}

/// Counts spans, and nothing else: what a subscriber does with them is its own cost.
struct Counting(AtomicU64);

impl Subscriber for Counting {
    fn register_callsite(&self, _: &'static tracing::Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        listens(2) && metadata.is_span()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1 + self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Installs both, turned off.
pub(super) fn install() {
    metrics::set_global_recorder(Switched(PrometheusBuilder::new().build_recorder())).expect("no other recorder");
    tracing::subscriber::set_global_default(Counting(AtomicU64::new(0))).expect("no other subscriber");
}

/// All states on one database.
pub(super) fn measure(name: &str, url: &str) {
    let (port, server) = serve(url);
    let (rounds, seconds) = (setting("BENCH_ROUNDS", 3).max(1), setting("BENCH_SECONDS", 2).max(1));
    let mut of_state = STATES.map(|_| [Figures::default(), Figures::default()]);
    for _ in 0..rounds {
        for (state, figures) in of_state.iter_mut().enumerate() {
            STATE.store(u8::try_from(state).unwrap_or_default(), Ordering::Relaxed);
            for (path, figures) in ["/verify", "/payments/stripe/"].into_iter().zip(figures) {
                let load = load::run(port, requests(path, seconds), CONNECTIONS, Duration::from_secs(seconds));
                assert_eq!(load.refused, 0, "nothing but intake is to do");
                figures.rates.push(load.rate());
                figures.waited.extend(load.waited().map(load::millis));
            }
        }
    }
    println!("\n{name}, {CONNECTIONS} connections, built with {FEATURES}: median of {rounds} (least to most)\n");
    println!("| who listens | deliveries a second | p50, ms | p99 | over verify only |");
    println!("|---|---|---|---|---|");
    for (state, [verified, taken]) in STATES.iter().zip(&mut of_state) {
        for figures in [&mut *verified, &mut *taken] {
            figures.rates.sort_by(f64::total_cmp);
            figures.waited.sort_by(f64::total_cmp);
        }
        let at = |of: &[f64], share| load::percentile(of, share);
        let (median, least, most) = (at(&taken.rates, 0.5), at(&taken.rates, 0.0), at(&taken.rates, 1.0));
        let (p50, p99) = (at(&taken.waited, 0.5), at(&taken.waited, 0.99));
        let over = median / at(&verified.rates, 0.5);
        println!("| {state} | {median:.0} ({least:.0} to {most:.0}) | {p50:.2} | {p99:.2} | {over:.2} |");
    }
    load::block_on(server.stop(false));
}

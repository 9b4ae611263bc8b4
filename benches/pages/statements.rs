//! Which statements did a page run, and how long did each take?

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use diesel::connection::{InstrumentationEvent, set_default_instrumentation};

static WRITING: AtomicBool = AtomicBool::new(false);
static WRITTEN: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

fn wanted() -> bool {
    std::env::var_os("BENCH_STATEMENTS").is_some()
}

/// Connections that are opened from now on can be listened to.
pub(crate) fn listen() {
    if !wanted() {
        return;
    }
    let instrumentation = || {
        let mut begun = Instant::now();
        Some(Box::new(move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::StartQuery { .. } => begun = Instant::now(),
            InstrumentationEvent::FinishQuery { query, .. } if WRITING.load(Relaxed) => {
                WRITTEN.lock().expect("a list").push((query.to_string(), begun.elapsed()));
            }
            _ => {}
        }) as Box<_>)
    };
    set_default_instrumentation(instrumentation).expect("no connection is being opened");
}

/// Whether what runs now is told of.
pub(crate) fn write_down(writing: bool) {
    WRITING.store(writing, Relaxed);
}

/// Prints what was written down.
pub(crate) fn tell(page: &str) {
    let written = std::mem::take(&mut *WRITTEN.lock().expect("a list"));
    if wanted() {
        let all: Duration = written.iter().map(|(_, took)| *took).sum();
        eprintln!("\n{page}: {} statements, {:.2} ms", written.len(), all.as_secs_f64() * 1_000.0);
    }
    for (sql, took) in written {
        eprintln!("{:8.3} ms  {sql}", took.as_secs_f64() * 1_000.0);
    }
}

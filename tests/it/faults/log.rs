//! What was logged, line by line. There is one log in a process, so a test looks for words that only it can have caused,
//! or runs in a process of its own, as nextest has it.

use std::sync::{Mutex, Once};

use log::{LevelFilter, Log, Metadata, Record};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Lines;

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.target().starts_with("actix_payments") {
            LINES.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// Begins to listen.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Lines).unwrap();
        log::set_max_level(LevelFilter::Info);
    });
}

/// The lines with these words.
pub fn lines(words: &str) -> Vec<String> {
    LINES.lock().unwrap().iter().filter(|line| line.contains(words)).cloned().collect()
}

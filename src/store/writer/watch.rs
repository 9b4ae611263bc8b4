//! Looks after the writer's thread: one that waits for an answer that does not come is left to itself, and another
//! takes its place on a connection of its own.

use std::io;
use std::sync::{Arc, Weak};
use std::thread;

use crate::error::repeated;
use crate::store::pulse::{LOOK, Pulse};

/// Work that threads do in turns: one at a time, each until the next takes over.
pub(super) trait Relay: Send + Sync + 'static {
    /// Works until there is nothing more to do for good, or until it is another one's turn.
    fn run(&self, turn: usize);
    /// Says that it is the turn of this number now.
    fn pass_on(&self, turn: usize);
    /// Whether there is nothing more to do for good.
    fn has_ended(&self) -> bool;
    /// What watches a thread at its work.
    fn pulse(&self) -> Arc<Pulse>;
}

/// Starts the thread, and another one whenever the present one is stuck.
pub(super) fn start(relay: Arc<impl Relay>) -> io::Result<()> {
    let (watched, pulse) = (Arc::downgrade(&relay), spawn(relay, 0)?);
    thread::Builder::new().name("payments-watch".into()).spawn(move || watch(&watched, pulse))?;
    Ok(())
}

fn watch(relay: &Weak<impl Relay>, mut pulse: Arc<Pulse>) {
    for turn in 1.. {
        while !pulse.is_silent() {
            thread::sleep(LOOK);
            if relay.upgrade().is_none_or(|relay| relay.has_ended()) {
                return;
            }
        }
        let Some(relay) = relay.upgrade() else { return };
        relay.pass_on(turn);
        pulse = another(&relay, turn);
    }
}

/// Another thread for this turn, as soon as the system gives one. The one before may be back by then and find that its
/// turn is over, so there has to be another.
fn another(relay: &Arc<impl Relay>, turn: usize) -> Arc<Pulse> {
    loop {
        match spawn(relay.clone(), turn) {
            Ok(pulse) => return pulse,
            Err(error) => {
                let line = format_args!("the writer is stuck, and the system gives no other thread: {error}");
                repeated::log(log::Level::Error, "no thread for the writer", line);
                thread::sleep(LOOK);
            }
        }
    }
}

fn spawn(relay: Arc<impl Relay>, turn: usize) -> io::Result<Arc<Pulse>> {
    let pulse = relay.pulse();
    let beating = pulse.clone();
    thread::Builder::new().name("payments-writer".into()).spawn(move || beating.during(|| relay.run(turn)))?;
    Ok(pulse)
}

//! What if senders are slow or endless, and the database is silent, read-only, replaced, or without its tables?

mod files;
pub mod log;
mod migrating;
mod network;
mod pooler;
mod read_only;
mod replica;
mod senders;

use std::time::{Duration, Instant};

use crate::app::App;

/// How long after a fault has ended everything may take to work again.
const RECOVERY: Duration = Duration::from_secs(10);

pub fn ping(number: usize) -> String {
    format!(r#"{{"id":"evt_ping_{number}","type":"ping"}}"#)
}

impl App {
    /// Sends pings, numbered from `first`, until one is taken. Asserts that the others were told to come again, and that
    /// nothing took longer than `limit`. Answers how many were sent.
    async fn taken_again_within(&self, first: usize, limit: Duration) -> usize {
        let begun = Instant::now();
        for number in first.. {
            let answer = self.stripe(&ping(number)).await;
            if answer.status == 200 {
                let stored = format!("SELECT count(*) FROM pay_events WHERE gateway_event_id = 'evt_ping_{number}'");
                assert_eq!(self.number(&stored), 1, "what is acknowledged is stored");
                return number + 1 - first;
            }
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{answer:?}");
            assert!(begun.elapsed() < limit, "not one is taken after {:?}", begun.elapsed());
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
        unreachable!()
    }
}

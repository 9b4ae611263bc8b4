//! What the writer is asked for.

use tokio::sync::oneshot;

use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::rows::{Appended, Claim, NewAttempt, NewEvent};
use crate::store::sets::Settled;

pub(super) type Answer<T> = oneshot::Sender<Result<T, Error>>;

pub(super) enum Message {
    Store(Vec<NewEvent>, Answer<Vec<Appended>>),
    /// What a handler did, and where its event stands after it; answers whether the event was still held.
    Record(Option<NewAttempt>, Option<Settled>, Answer<bool>),
    Renew(Claim, Timestamp, Answer<bool>),
    /// There is something to count.
    Count,
    /// Count now, and say when it is done.
    Flush(oneshot::Sender<()>),
}

/// How many bytes the events of a delivery take that differ from event to event.
pub(super) fn bytes_of(events: &[NewEvent]) -> usize {
    events.iter().map(|event| event.body.len() + event.headers.len()).sum()
}

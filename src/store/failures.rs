//! Groups of events that failed alike: who failed and why, without numbers and ids.

use crate::domain::id::EventId;
use crate::error::Error;

/// Groups of failures.
pub(crate) trait Failures {
    /// The groups that begin so, in the order of their words.
    fn failure_groups(&mut self, beginning: &str, cap: i64) -> Result<Vec<String>, Error>;
    /// The next discarded events after this one that are in no group, with code and outcome: an older release wrote
    /// them, or an operator gave them up.
    fn ungrouped(&mut self, after: EventId, limit: i64) -> Result<Vec<(EventId, String, String)>, Error>;
    /// Puts an event into a group.
    fn put_into_group(&mut self, event: EventId, group: &str) -> Result<(), Error>;
}

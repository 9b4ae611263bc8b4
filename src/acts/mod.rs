//! What operators do to events, each act with its row in the audit.

mod bulk;
mod discard;
mod note;
mod rebuild;
mod requeue;
mod retire;
mod test_event;

pub(crate) use bulk::{Bulk, Chosen, LIMIT as BULK_LIMIT, Sample, Tally};
pub(crate) use discard::why_no_discard;
pub(crate) use requeue::{PRUNED, why_no_requeue};

//! What follows from a payment's terms and its ledger: its status, how much of it moved, and what a person should
//! review. A pure function; nothing else decides a status.

mod captures;
mod case;
pub(super) mod concerns;
mod disputes;
mod families;
mod refunds;
pub(super) mod rules;
mod state;

pub(crate) use captures::capture_of;
pub use captures::{Captured, captures};
pub use rules::derive;
pub use state::{PaymentState, Status, Terms};

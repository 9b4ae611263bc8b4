//! Which status has a payment, how much of it moved, and what should a person look at? A pure function of the
//! payment's terms and its ledger; nothing else decides a status.

mod refunds;
pub(super) mod rules;
mod state;

pub use rules::derive;
pub use state::{PaymentState, Status, Terms};

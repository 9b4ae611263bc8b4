//! What follows from a payment's terms and its ledger: its status, how much of it moved, and what a person should
//! review. A pure function; nothing else decides a status.

mod captures;
mod case;
mod concern;
pub(super) mod concerns;
mod disputes;
mod families;
mod invoices;
mod movements;
mod refunds;
mod reviews;
pub(super) mod rules;
mod state;

pub(crate) use captures::capture_of;
pub use captures::{Captured, captures};
pub(crate) use concerns::register_words;
pub(crate) use invoices::{invoiced, is_invoiced};
pub use movements::{Movement, MovementKind, movements};
pub(crate) use reviews::{accepted, dismissed};
pub use rules::derive;
pub(crate) use rules::open_concerns;
pub use state::{PaymentState, Status, Terms};

//! Drift: how payments and subscriptions stand here is compared with how they stand at the gateway, which finds what
//! neither deliveries nor the gateway's list of events can tell any more. What differs is repaired by a refresh, so
//! the ledger is still made of events only.

mod ask;
mod background;
mod foresee;
mod place;
mod repair;
mod run;
mod walk;

pub use run::{Difference, Drift, DriftQuery};

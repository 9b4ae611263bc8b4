//! The way of an event, top to bottom: a delivery is received, a batch of events is interpreted, stepped through in a
//! working set and written, and then its handlers run.

mod batch;
pub(crate) mod books;
mod completion;
mod dues;
mod failure;
mod fetching;
mod handlers;
mod held;
mod hint;
mod interpret;
mod invoices;
mod isolate;
mod linking;
pub(crate) mod order;
mod process;
pub(crate) mod rebuild;
mod receive;
mod repeats;
mod report;
mod step;
mod stepped;
mod subscription_change;
mod subscriptions;
mod working_set;
mod write;

pub(crate) use batch::{remade, step_of};
pub(crate) use dues::Dues;
pub(crate) use failure::Failure;
pub(crate) use fetching::FetchSet;
pub(crate) use handlers::Pending;
pub(crate) use interpret::{Understood, interpret};
pub use receive::Received;
pub(crate) use receive::{claimed, row};
pub(crate) use stepped::{Change, Stepped};
pub(crate) use subscription_change::SubscriptionChange;
pub(crate) use subscriptions::SubscriptionSet;
pub(crate) use working_set::{WorkingSet, all};

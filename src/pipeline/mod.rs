//! The way of an event, from the delivery to the ledger and the handlers.

pub(crate) mod adopt;
pub(crate) mod apply;
pub(crate) mod batch;
pub(crate) mod conclude;
pub(crate) mod matching;
pub(crate) mod reading;
pub(crate) mod rebuild;
pub(crate) mod receive;
pub(crate) mod settle;

pub use receive::Received;

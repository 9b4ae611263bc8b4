//! Subscriptions: does no order of events get them wrong, does the host's code run once for each step, and is whoever
//! paid let in?

mod active;
mod asking;
pub(crate) mod billing;
mod bugs;
mod changing;
pub(crate) mod facts;
mod gateways;
mod handlers;
mod hosts;
mod invoices;
mod lost;
mod others;
mod pages;
mod parked;
mod renewals;
pub mod repairing;
mod shown;
mod started;
mod stories;
mod storm;
pub(crate) mod story;

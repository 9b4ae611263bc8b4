//! Subscriptions: does no order of events get them wrong, does the host's code run once for each step, and is whoever
//! paid let in?

mod active;
mod asking;
mod bugs;
mod facts;
mod gateways;
mod handlers;
mod hosts;
mod pages;
mod parked;
mod stories;
mod story;

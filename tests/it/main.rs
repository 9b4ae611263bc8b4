//! Does the crate keep its promises, seen from outside? One binary, so that it links once; a file a subject.

// A test that can't go on should stop where it stands.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod app;
mod browser;
mod dummy;
mod events;
mod house;
mod ledger;
mod story;
mod stripe;
mod tools;
mod worker;

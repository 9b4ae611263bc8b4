//! Does the crate keep its promises, seen from outside? One binary, so that it links once; a file a subject.

// A test that can't go on should stop where it stands.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod access;
mod app;
mod audit;
mod browser;
mod configuration;
mod dummy;
mod durability;
mod events;
mod handlers;
mod host;
mod house;
mod intake;
mod ledger;
mod matching;
mod routes;
mod scenes;
mod shop;
mod story;
mod stripe;
mod theirs;
mod tools;
mod transaction;
mod variants;
mod wishes;
mod worker;
mod workers;

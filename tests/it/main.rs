//! Does the crate keep its promises, seen from outside? One binary, so that it links once; a file a subject.

// A test that can't go on should stop where it stands.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod access;
mod acme;
mod acts;
mod app;
mod asking;
mod audit;
mod braintree;
mod browser;
mod configuration;
mod conformance;
mod dry_run;
mod dummy;
mod durability;
mod events;
mod export;
mod handlers;
mod hints;
mod hmac_webhooks;
mod host;
mod house;
mod intake;
mod ledger;
mod lists;
mod matching;
mod older;
mod overview;
mod paypal;
mod rebuild;
mod routes;
mod scenes;
mod shop;
mod standard_webhooks;
mod statements;
mod story;
mod strangers;
mod stripe;
mod theirs;
mod tools;
mod transaction;
mod variants;
mod wishes;
mod worker;
mod workers;

//! Does the crate keep its promises, seen from outside? One binary, so that it links once.

// A test that can't go on should stop where it stands.
#![allow(clippy::unwrap_used)]

mod house;
mod stripe;
mod tools;

//! Does the crate keep its promises to those who use it from outside? One test binary, one file per subject.
#![allow(clippy::unwrap_used)]

mod ledger;

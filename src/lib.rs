//! Take payments seriously in an Actix app.

pub mod domain;
pub mod error;
pub mod gateways;
mod store;

//! Take payments seriously in an Actix app.

pub mod domain;
pub mod gateways;

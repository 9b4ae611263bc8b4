//! Take payments seriously in an Actix app.

#[allow(dead_code)]
mod admin;
pub mod domain;
pub mod gateways;

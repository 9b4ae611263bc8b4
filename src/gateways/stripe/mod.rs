//! How does one talk to Stripe?

mod interpret;
mod json;
pub mod money;

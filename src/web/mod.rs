//! The HTTP side of a mount: the webhook endpoint, the gateways' own pages, the static files, and what all responses
//! have in common. The operators' pages are in `admin`.

pub(crate) mod active;
pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod health;
pub(crate) mod links;
pub(crate) mod page;
pub(crate) mod respond;
pub(crate) mod statics;
pub(crate) mod webhook;

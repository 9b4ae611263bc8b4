//! How do gateways and browsers reach payments over HTTP? The webhook endpoint, the gateways' own pages, static
//! files, and what all answers have in common. The operators' pages are the admin's.

pub(crate) mod links;
pub(crate) mod page;
pub(crate) mod respond;
pub(crate) mod statics;
pub(crate) mod webhook;

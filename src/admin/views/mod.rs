//! What does each admin page say? One struct per page, in final strings, with the template that lays it out.
//! Nothing here asks a database or a clock: `now` is passed in, and links come as strings from the caller.

pub(crate) mod audit;
pub(crate) mod badge;
pub(crate) mod books;
pub(crate) mod chart;
pub(crate) mod closed;
pub(crate) mod compare;
pub(crate) mod confirm;
pub(crate) mod curl;
pub(crate) mod customer;
pub(crate) mod data;
pub(crate) mod disputes;
pub(crate) mod drift;
pub(crate) mod dry_run;
pub(crate) mod event;
pub(crate) mod events;
pub(crate) mod failures;
pub(crate) mod handlers;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod note;
pub(crate) mod notice;
pub(crate) mod operation;
pub(crate) mod overview;
pub(crate) mod page;
pub(crate) mod parts;
pub(crate) mod payment;
pub(crate) mod payments;
pub(crate) mod rebuild;
pub(crate) mod review;
pub(crate) mod search;
pub(crate) mod subscription;
pub(crate) mod subscriptions;
pub(crate) mod variants;
pub(crate) mod words;

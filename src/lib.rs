//! Take payments seriously in an Actix app.

mod admin;
pub mod domain;
mod error;
pub mod gateways;
mod mount;
mod payments;
mod store;
mod web;
mod worker;

pub use admin::{Access, BasicAuth, Policy, basic_auth};
pub use error::{Error, ErrorKind};
pub use mount::Mount;
pub use payments::{
    Builder, Created, Event, HandlerError, ModePolicy, NewPayment, Next, Payment, Payments, Rebuilt, Received,
    Transition, Unmatched, Variant,
};
pub use store::any::{AnyConnection, AnyRef};
pub use store::database::{Database, HostConnection, PooledConnection};
pub use worker::{RunningWorker, Worker};

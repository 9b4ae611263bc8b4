//! Take payments seriously in an Actix app.

pub mod domain;
mod error;
pub mod gateways;
mod payments;
mod store;

pub use error::{Error, ErrorKind};
pub use payments::*;
pub use store::any::{AnyConnection, AnyRef};
pub use store::database::{Database, HostConnection, PooledConnection};

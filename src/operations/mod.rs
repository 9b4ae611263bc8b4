//! What gateways are asked to do, exactly once, and what they are asked to tell.

pub(crate) mod allowed;
pub(crate) mod catch_up;
pub(crate) mod chores;
pub(crate) mod complete;
pub(crate) mod create;
pub(crate) mod operate;
pub(crate) mod reconcile;
pub(crate) mod refund;
pub(crate) mod resend;
pub(crate) mod tries;

pub(crate) use allowed::{Ask, Asks};
pub use create::{Created, NewPayment, Next};
pub use operate::Outcome;
pub(crate) use operate::{OperatorsOrder, Wanted, idempotency_key};
pub use reconcile::Reconciled;
pub(crate) use reconcile::chore;
pub use refund::Refund;
pub(crate) use resend::resend;

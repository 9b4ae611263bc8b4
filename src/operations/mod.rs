//! What gateways are asked to do, exactly once, and what they are asked to tell.

mod catch_up;
mod chores;
mod complete;
mod create;
mod fetch;
mod give_owner;
mod observed;
mod operate;
mod operate_subscription;
mod portal;
mod reconcile;
mod refund;
mod resend;
mod retention;
mod subscribe;
mod tries;

pub use create::{Created, NewPayment, Next};
pub(crate) use operate::OperatorsOrder;
pub(crate) use operate_subscription::SubscriptionOrder;
pub use reconcile::Reconciled;
pub use refund::Refund;
pub(crate) use resend::resend;
pub use subscribe::{NewSubscription, Subscribed};
pub use tries::Outcome;

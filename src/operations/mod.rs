//! What gateways are asked to do, exactly once, and what they are asked to tell; and what people decide besides.

mod books;
mod catch_up;
mod chores;
mod create;
mod drift;
mod erase;
mod fetch;
mod forget;
mod give_owner;
mod growth;
mod index_words;
mod observed;
mod operate;
mod operate_subscription;
mod overtaken;
mod portal;
mod reconcile;
mod refund;
mod resend;
mod resolve_review;
mod retention;
mod side_by_side;
mod subscribe;
mod sweep;
mod tries;

pub use create::{Created, NewPayment, Next};
pub use drift::{Difference, Drift, DriftQuery};
pub use erase::Erased;
pub(crate) use operate::OperatorsOrder;
pub(crate) use operate_subscription::SubscriptionOrder;
pub use reconcile::Reconciled;
pub use refund::Refund;
pub(crate) use resend::resend;
pub use resolve_review::Resolution;
pub use subscribe::{NewSubscription, Subscribed};
pub use tries::Outcome;

//! Subscriptions: what events state of one, and the state that follows from the set of their statements.
//!
//! See [`SubscriptionFacts`] for an example.

mod active;
mod arrears;
mod change;
mod content;
mod explain;
mod facts;
mod invoice;
mod kept;
mod revenue;
mod snapshot;
mod state;
mod status;
mod ties;

pub use change::{PlanChange, Proration};
pub use content::{BillingPeriod, CollectionPause, SubscriptionContent, SubscriptionItem};
pub use explain::why;
pub use facts::{OwnerClaim, OwnerSource, SubscriptionEffect, SubscriptionFact, SubscriptionFacts};
pub use invoice::SubscriptionInvoice;
pub use snapshot::SubscriptionSnapshot;
pub use state::SubscriptionState;
pub use status::SubscriptionStatus;

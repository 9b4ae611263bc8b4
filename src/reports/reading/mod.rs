//! What a host reads: lists of payments and events, and all that is known of one.

mod events;
mod history;
mod part;
mod payments;
mod walk;

pub use events::{EventList, EventQuery, StoredEvent};
pub use history::{PastDispute, PastRefund, PastTransition, PaymentHistory};
pub use payments::{PaymentList, PaymentQuery};
pub use walk::Walk;

//! The numbers of our own rows, a type for each table, so that one is never taken for another.

use std::fmt;

/// Row numbers that compare and print as the bare number.
macro_rules! ids {
    ($($(#[$meta:meta])* $id:ident)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $id(pub(crate) i64);

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$id> for i64 {
            fn from(id: $id) -> i64 {
                id.0
            }
        }
    )+};
}

ids! {
    /// An event's.
    EventId
    /// A payment's.
    PaymentId
    /// A transition's.
    TransitionId
    /// An operation's.
    OperationId
    /// A subscription's.
    SubscriptionId
    /// A transition's of a subscription.
    SubscriptionTransitionId
    /// An operation's on a subscription.
    SubscriptionOperationId
    /// A question's to a gateway, about an object that events name.
    FetchId
}

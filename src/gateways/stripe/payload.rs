//! How much of an object the events of an endpoint show (<https://docs.stripe.com/event-destinations>).

/// What the destinations that send to one address show of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    /// All of it.
    Snapshots,
    /// Their names.
    Thin,
    /// One shows all, another the names.
    Both,
}

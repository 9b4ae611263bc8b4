//! What a fact does to a ledger.

use super::fact::State;

/// The effect of a fact on a ledger.
///
/// See the [ledger](crate::domain::ledger) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The fact is the first of its register.
    New,
    /// The fact replaced one with this state.
    Replaced(State),
    /// The ledger contains exactly this fact already.
    Known,
    /// The register keeps its fact, which has this state and is newer.
    Older(State),
    /// The register keeps its fact, which has this state and outranks the new one, whatever their times are.
    Outranked(State),
}

impl Effect {
    /// The state of the fact that was replaced.
    pub fn before(self) -> Option<State> {
        match self {
            Self::Replaced(state) => Some(state),
            _ => None,
        }
    }

    /// Whether the ledger changed.
    pub fn changed(self) -> bool {
        matches!(self, Self::New | Self::Replaced(_))
    }
}

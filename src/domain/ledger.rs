//! How do facts come together? A ledger keeps for each register the fact that outranks all others, whatever
//! the order and however often they come. What they amount to is the payment's answer.

use std::collections::BTreeMap;

use super::fact::{Aspect, Fact};

/// A payment's facts, one for each register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    registers: BTreeMap<(Aspect, String), Fact>,
}

//! Whether real money moves.
//!
//! See [`Variant`](crate::Variant) for an example.

/// The mode of a gateway's object or of a variant. It is never non-exhaustive: there is no third one.
///
/// See [`Variant`](crate::Variant) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Real money.
    Live,
    /// A company's sandbox or test mode.
    Test,
}

impl Mode {
    /// The mode of what a gateway says of an object; an object of which it says nothing is shown as a test.
    pub(crate) fn of(livemode: Option<bool>) -> Self {
        if livemode == Some(true) { Self::Live } else { Self::Test }
    }
}

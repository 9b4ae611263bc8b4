//! How each company writes its events.

pub(super) mod dummy;
pub(super) mod paddle;
pub(super) mod razorpay;
pub(super) mod square;
pub(super) mod stripe;

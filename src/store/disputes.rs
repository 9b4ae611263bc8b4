//! What the list of disputes asks.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::fact::State;
use crate::domain::id::PaymentId;
use crate::domain::scope::Scope;
use crate::error::Error;

/// A dispute, and the payment that it is about.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct DisputeRow {
    pub payment_id: PaymentId,
    /// The gateway's id of it.
    pub gateway_ref: String,
    /// The gateway's id of what is disputed.
    pub parent: Option<String>,
    /// Minor units.
    pub amount: Option<i64>,
    pub currency: Option<String>,
    /// The gateway's word for why the customer disputes it.
    pub reason: Option<String>,
    /// By when it has to be answered.
    pub until: Option<Timestamp>,
    pub occurred_at: Timestamp,
    pub token: String,
    pub reference: Option<String>,
    pub customer: Option<String>,
    pub variant: String,
    pub livemode: Option<bool>,
    /// The payment's account at the gateway; empty for the merchant's own.
    pub account: Option<String>,
}

/// Beside which payment a page of disputes begins, and which way it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DisputePlace {
    pub payment: PaymentId,
    /// Towards newer payments.
    pub back: bool,
    /// The payment's own disputes are part of the page.
    pub with: bool,
}

/// The disputes of all payments.
pub(crate) trait Disputes {
    /// The disputes in this state, by their payments: the newest first, or the oldest where the place says back.
    fn browse_disputes(
        &mut self,
        state: State,
        place: Option<DisputePlace>,
        limit: i64,
    ) -> Result<Vec<DisputeRow>, Error>;
    /// The open disputes of these variants, those that are to be answered first, and then those without a deadline.
    fn disputes_by_deadline(
        &mut self,
        scope: &Scope,
        livemode: Option<bool>,
        limit: i64,
    ) -> Result<Vec<DisputeRow>, Error>;
    /// How many disputes are in each of these states, counted up to `cap`.
    fn count_disputes(&mut self, states: &[State], cap: i64) -> Result<Vec<i64>, Error>;
}

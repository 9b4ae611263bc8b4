//! What does the host see of a payment?

use std::collections::BTreeMap;

use crate::domain::Timestamp;
use crate::domain::identifier::{Reference, Token, VariantName};
use crate::domain::money::{Money, with_grouped_amounts};
use crate::domain::payment::{PaymentState, Status, Terms};
use crate::store::rows::PaymentRow;

/// A payment as it stands. As JSON its times are of RFC 3339 and its amounts are in minor units.
///
/// ```
/// use actix_payments::Payment;
///
/// fn line(payment: &Payment) -> String {
///     let flag = if payment.needs_review() { ", please look" } else { "" };
///     format!("{}: {} of {} is left{flag}", payment.status, payment.remaining(), payment.amount)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Payment {
    /// Our public id of it, which is sent to the gateway.
    pub token: Token,
    /// The host's own id, its order number.
    pub reference: Option<Reference>,
    /// The variant that it goes through.
    pub variant: VariantName,
    /// The account at the gateway that gets the money. At Stripe, a connected account, or `None` for the merchant's
    /// own. For variants that name the accounts that they trust, as with `Square::merchants`: the account in the
    /// payment's events, even if it is the merchant's own.
    pub account: Option<String>,
    /// Its status.
    pub status: Status,
    /// The amount to pay.
    pub amount: Money,
    /// The captured amount, in the same currency.
    pub captured: Money,
    /// The refunded amount, in the same currency.
    pub refunded: Money,
    /// The amount lost to disputes, in the same currency. It is part of the captured amount, but not of the refunded or
    /// the remaining one.
    pub lost: Money,
    /// A dispute is open or was lost.
    pub disputed: bool,
    /// The reasons why a person should look at it, each a sentence; empty if there are none.
    pub concerns: Vec<String>,
    /// The customer's email address, if the host or the gateway said it.
    pub customer: Option<String>,
    /// Real money (`true`) or a test, once an event said so.
    pub livemode: Option<bool>,
    /// What the host attached.
    pub metadata: BTreeMap<String, String>,
    /// Whether it was adopted: made from an event, not created by the host.
    pub adopted: bool,
    /// When it was created.
    #[serde(serialize_with = "crate::domain::serialize_time")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(serialize_with = "crate::domain::serialize_time")]
    pub updated_at: Timestamp,
}

impl Payment {
    /// Whether a person should look at it.
    pub fn needs_review(&self) -> bool {
        !self.concerns.is_empty()
    }

    /// Whether a person has something to decide about it: also where a review was dismissed, and the money that came
    /// pays nothing.
    pub(crate) fn awaits_decision(&self) -> bool {
        self.needs_review() || (!self.status.was_paid() && self.remaining().minor > 0)
    }

    /// The amount that the merchant still has: captured, and neither refunded nor lost.
    pub fn remaining(&self) -> Money {
        let left = self.captured.minor.saturating_sub(self.refunded.minor).saturating_sub(self.lost.minor);
        Money::new(left.max(0), self.amount.currency)
    }

    pub(crate) fn of(row: &PaymentRow) -> Self {
        let state = state(row);
        Self {
            token: Token::from(&row.token),
            reference: row.reference.as_ref().map(Reference::from),
            variant: VariantName::from(&row.variant),
            account: named_account(row.account.as_ref()),
            status: state.status,
            amount: state.amount,
            captured: Money::new(state.captured, state.amount.currency),
            refunded: Money::new(state.refunded, state.amount.currency),
            lost: Money::new(state.lost, state.amount.currency),
            disputed: state.disputed,
            concerns: state.concerns,
            customer: row.customer.clone(),
            livemode: row.livemode,
            metadata: row.metadata.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default(),
            adopted: row.adopted,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The account that a row names. The merchant's own is the empty text there.
pub(crate) fn named_account(account: Option<&String>) -> Option<String> {
    account.filter(|account| !account.is_empty()).cloned()
}

/// The state that is stored.
pub(crate) fn state(row: &PaymentRow) -> PaymentState {
    PaymentState {
        status: row.status,
        amount: Money::new(row.amount, row.currency),
        captured: row.captured_amount,
        refunded: row.refunded_amount,
        lost: row.lost_amount,
        disputed: row.disputed,
        // Those of an earlier state of this crate had no separators, which is no difference.
        concerns: row.concerns.lines().map(with_grouped_amounts).collect(),
    }
}

/// Puts a derived state into the row.
pub(crate) fn put(row: &mut PaymentRow, state: &PaymentState) {
    row.status = state.status;
    row.amount = state.amount.minor;
    row.currency = state.amount.currency;
    row.captured_amount = state.captured;
    row.refunded_amount = state.refunded;
    row.lost_amount = state.lost;
    row.disputed = state.disputed;
    row.needs_review = state.needs_review();
    row.concerns = state.concerns.join("\n");
}

/// What was agreed for the payment of this row.
pub(crate) fn terms(row: &PaymentRow) -> Terms {
    if row.adopted { Terms::Adopted } else { Terms::Agreed(Money::new(row.amount, row.currency)) }
}

//! What may a gateway be asked to do with a payment? What the ledger does not allow is refused before any call, with words
//! that a page can show beside a disabled button.

use super::payment::Payment;
use super::{Inner, Payments, find};
use crate::domain::money::Money;
use crate::domain::payment::Status;
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::calls::OperationRow;

/// Whether a payment's gateway may be asked for something now.
pub(crate) struct Ask {
    pub verb: Verb,
    /// The most that can be asked for, where there is an amount to choose; or why it can't be asked for, in words.
    pub may: Result<Option<Money>, String>,
}

/// A payment, and what may be asked for about it.
pub(crate) struct Asks {
    pub payment: Payment,
    pub gateway: &'static str,
    /// The gateway's words for why money goes back.
    pub refund_reasons: Vec<&'static str>,
    pub asks: Vec<Ask>,
}

impl Payments {
    /// What may be asked for about the payment with this token; `None` when there is no such payment.
    pub(crate) async fn asks(&self, token: &str) -> Result<Option<Asks>, Error> {
        let token = token.to_owned();
        self.blocking(move |inner| {
            inner.store.ask(|tx| {
                let Some(row) = find::by_token(tx, &token)? else { return Ok(None) };
                let payment = Payment::of(&row)?;
                let gateway = inner.variants.get(&row.variant).map(|variant| &variant.gateway);
                Ok(Some(Asks {
                    gateway: gateway.map_or("the gateway", |gateway| gateway.name()),
                    refund_reasons: gateway.map(|gateway| gateway.setup().refund_reasons).unwrap_or_default(),
                    asks: asks(inner, &payment, &tx.operations_of(row.id)?),
                    payment,
                }))
            })
        })
        .await
    }
}

/// What may be asked for, verb by verb.
pub(super) fn asks(inner: &Inner, payment: &Payment, operations: &[OperationRow]) -> Vec<Ask> {
    let underway: Vec<OperationRow> =
        operations.iter().filter(|operation| operation.state == "underway").cloned().collect();
    let of = |minor| Some(Money::new(minor, payment.amount.currency));
    let ask = |verb| {
        let most = match verb {
            Verb::Capture => of(payment.amount.minor),
            Verb::Refund => of(refundable(payment, &underway)),
            Verb::Cancel | Verb::Refresh => None,
        };
        let may = can(inner, &payment.variant, verb).and_then(|()| allowed(payment, verb, None, &underway));
        Ask { verb, may: may.map(|()| most) }
    };
    Verb::ALL.into_iter().map(ask).collect()
}

/// Whether the variant's gateway can be asked for this; if not, why not.
pub(super) fn can(inner: &Inner, variant: &str, verb: Verb) -> Result<(), String> {
    let none = || format!("no variant {variant:?} is configured here");
    inner.variants.get(variant).ok_or_else(none)?.gateway.supports(verb)
}

/// What is left to be refunded while these operations are underway, in minor units.
pub(super) fn refundable(payment: &Payment, underway: &[OperationRow]) -> i64 {
    let left = payment.captured.minor.saturating_sub(payment.refunded.minor);
    let refunds = underway.iter().filter(|operation| operation.verb == Verb::Refund.as_str());
    refunds.fold(left, |left, refund| left.saturating_sub(refund.amount.unwrap_or(left)))
}

/// Whether the ledger allows it; if not, why not, in words for people.
pub(super) fn allowed(
    payment: &Payment,
    verb: Verb,
    amount: Option<Money>,
    underway: &[OperationRow],
) -> Result<(), String> {
    let currency = payment.amount.currency;
    if let Some(amount) = amount.filter(|amount| amount.currency != currency || amount.minor <= 0) {
        return Err(format!("expected an amount above 0 in {currency}, got {amount}"));
    }
    let status = payment.status;
    let (may, most) = match verb {
        Verb::Capture => (status == Status::Authorized, payment.amount.minor),
        Verb::Cancel => (matches!(status, Status::Pending | Status::Authorized | Status::Failed), 0),
        Verb::Refund => {
            let may = matches!(status, Status::Paid | Status::PartiallyRefunded);
            (may, refundable(payment, underway))
        }
        Verb::Refresh => return Ok(()),
    };
    if !may {
        let word = status.as_str().replace('_', " ");
        return Err(format!("the payment is {word}, so there is nothing to {}", verb.as_str()));
    }
    let same = |operation: &&OperationRow| operation.verb == verb.as_str();
    if verb != Verb::Refund && underway.iter().any(|operation| same(&operation)) {
        return Err(format!("a {} of this payment is underway already", verb.as_str()));
    }
    if verb == Verb::Refund && most <= 0 {
        return Err("all of it is refunded, or about to be".to_owned());
    }
    match amount.filter(|amount| amount.minor > most) {
        Some(amount) => Err(format!("expected at most {}, got {amount}", Money::new(most, currency))),
        None => Ok(()),
    }
}

/// The amount that is written down: what is left, where all is asked for and a part went back already.
pub(super) fn amount(payment: &Payment, verb: Verb, amount: Option<Money>) -> Option<i64> {
    match (verb, amount) {
        (_, Some(amount)) => Some(amount.minor),
        (Verb::Refund, None) => Some(payment.captured.minor.saturating_sub(payment.refunded.minor)),
        _ => None,
    }
}

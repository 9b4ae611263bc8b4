//! What invoices ask for that a payment pays, where it was made from events and nobody agreed on an amount.

use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::Ledger;
use crate::domain::money::{Currency, Money};

/// How the registers of invoices begin.
const INVOICE: &str = "invoice ";

/// That an invoice, made at that time, asks for this amount. It raises no concern by itself.
pub(crate) fn invoiced(invoice: &str, due: Money, made_at: Timestamp) -> Fact {
    let fact = Fact::new(Aspect::Concern, format!("{INVOICE}{invoice}"), State::Pending, made_at, invoice);
    fact.with_amount(due.minor, due.currency)
}

/// Whether this says what an invoice asks for.
pub(crate) fn is_invoiced(fact: &Fact) -> bool {
    invoice_of(fact).is_some()
}

/// The gateway's id of the invoice, if this says what one asks for.
pub(super) fn invoice_of(fact: &Fact) -> Option<&str> {
    let is_of_invoice = fact.aspect == Aspect::Concern && fact.state == State::Pending;
    fact.gateway_ref.strip_prefix(INVOICE).filter(|_| is_of_invoice)
}

/// What the invoices ask for in all, in minor units of `currency`; `None` if there are none in it.
pub(super) fn asked_for(ledger: &Ledger, currency: Currency) -> Option<i64> {
    let asked = ledger.facts_of(Aspect::Concern).filter(|fact| is_invoiced(fact) && fact.currency == Some(currency));
    asked.filter_map(|fact| fact.amount).reduce(i64::saturating_add)
}

//! What one text finds, whatever it is of: payments, subscriptions, events and customers, a few of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::browse::{SEARCH_CAP, by_amount, by_words, found_of, own_events, own_payments, own_subscriptions};
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::money::{Currency, Decimal};
use crate::domain::scope::Scope;
use crate::domain::typed_amount::typed_amount;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{EventRow, PaymentRow};
use crate::store::subscriptions::{SubscriptionFilter, SubscriptionRow};

/// How many of each kind are shown.
const FEW: usize = 5;

/// A few of what was found of one kind, the newest first, and how many there are.
pub(crate) struct FewOf<T> {
    pub rows: Vec<T>,
    pub count: usize,
    /// Whether there are more than were counted.
    pub is_more: bool,
}

/// All that a text finds.
pub(crate) struct SearchFindings {
    pub payments: FewOf<PaymentRow>,
    /// Those of an amount, the numbers that it may be, and its currency if that was named.
    pub of_amount: FewOf<PaymentRow>,
    pub numbers: Vec<Decimal>,
    pub currency: Option<Currency>,
    pub subscriptions: FewOf<SubscriptionRow>,
    pub events: FewOf<EventRow>,
    /// The customers among the rows whose addresses bear the text.
    pub customers: Vec<FoundCustomer>,
    /// The payment whose own id the text is: it is what is meant, whatever else was found.
    pub named: Option<String>,
}

/// A customer of payments that were found.
pub(crate) struct FoundCustomer {
    /// The email address, in small letters.
    pub address: String,
    /// How many of the payments looked at are of this customer.
    pub payments: usize,
    /// The token of one of them.
    pub token: String,
}

impl SearchFindings {
    /// How many rows were found in all.
    pub(crate) fn count(&self) -> usize {
        self.payments.count + self.of_amount.count + self.subscriptions.count + self.events.count
    }
}

impl Engine {
    /// Looks for a text in all that has an index for it.
    pub(crate) async fn search_all(self: &Arc<Self>, text: &str, scope: Scope) -> Result<SearchFindings, Error> {
        let variants = if scope.is_all() { self.names_of_rows().await? } else { self.names_seen(&scope) };
        let text = text.trim().trim_start_matches('#').trim().to_owned();
        self.look(move |tx| search(tx, &text, &variants, &scope)).await
    }
}

fn search(tx: &mut dyn Tx, text: &str, variants: &[String], scope: &Scope) -> Result<SearchFindings, Error> {
    let cap = found_of(scope);
    let exact = tx.find_payments(text, true, variants, cap)?;
    let exact = own_payments(tx, exact, scope)?;
    let words = by_words(tx, text, scope)?;
    let exact_subscriptions = tx.find_subscriptions(text, cap)?;
    let exact_subscriptions = own_subscriptions(tx, exact_subscriptions, scope)?;
    let has_exact = !exact.is_empty() || !exact_subscriptions.is_empty();
    let payments = exact.iter().copied().chain(words.payments).collect();
    let payments = few_payments(tx, payments, words.is_more)?;
    let (numbers, currency) = typed_amount(text);
    let (of_amount, is_more) = by_amount(tx, &numbers, currency, FEW as i64 * 4, scope)?;
    let of_amount = few_payments(tx, of_amount.into_iter().collect(), is_more)?;
    let subscriptions = exact_subscriptions.into_iter().chain(words.subscriptions).collect();
    let events = if has_exact { FewOf::none() } else { few_events(tx, text, variants, scope)? };
    Ok(SearchFindings {
        named: named(&payments.rows, text, exact.len()),
        customers: customers(&payments.rows, text),
        subscriptions: few_subscriptions(tx, subscriptions, words.is_more)?,
        payments,
        of_amount,
        numbers,
        currency,
        events,
    })
}

/// The token of the one payment whose own id, or whose gateway's, the text is. An order number may be another text's
/// part, so it is not meant for sure.
fn named(rows: &[PaymentRow], text: &str, exact: usize) -> Option<String> {
    let row = rows.iter().find(|row| {
        let address = row.customer.as_deref().unwrap_or_default();
        let is_other = [&row.reference, &row.account].into_iter().all(|its| its.as_deref() != Some(text));
        is_other && !address.eq_ignore_ascii_case(text)
    });
    row.filter(|_| exact == 1 && rows.len() == 1).map(|row| row.token.clone())
}

/// The addresses that bear the text.
fn customers(rows: &[PaymentRow], text: &str) -> Vec<FoundCustomer> {
    let text = text.to_lowercase();
    let mut found: BTreeMap<String, FoundCustomer> = BTreeMap::new();
    for row in rows {
        let address = row.customer.as_deref().unwrap_or_default().to_lowercase();
        if !address.is_empty() && address.contains(&text) {
            let new = || FoundCustomer { address: address.clone(), payments: 0, token: row.token.clone() };
            found.entry(address.clone()).or_insert_with(new).payments += 1;
        }
    }
    found.into_values().collect()
}

fn few_payments(tx: &mut dyn Tx, ids: BTreeSet<PaymentId>, is_more: bool) -> Result<FewOf<PaymentRow>, Error> {
    let newest: Vec<PaymentId> = ids.iter().rev().copied().take(FEW * 2).collect();
    let mut rows = tx.payments_of(&newest)?;
    let hidden = rows.iter().filter(|row| row.absorbed_by.is_some()).count();
    rows.retain(|row| row.absorbed_by.is_none());
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    rows.truncate(FEW);
    Ok(FewOf { rows, count: ids.len() - hidden, is_more })
}

fn few_subscriptions(
    tx: &mut dyn Tx,
    ids: BTreeSet<SubscriptionId>,
    is_more: bool,
) -> Result<FewOf<SubscriptionRow>, Error> {
    let count = ids.len();
    if count == 0 {
        return Ok(FewOf::none());
    }
    let newest = ids.into_iter().rev().take(FEW).collect();
    let filter = SubscriptionFilter { among: Some(newest), ..SubscriptionFilter::default() };
    Ok(FewOf { rows: tx.list_subscriptions(&filter, None, FEW as i64)?, count, is_more })
}

fn few_events(tx: &mut dyn Tx, text: &str, variants: &[String], scope: &Scope) -> Result<FewOf<EventRow>, Error> {
    let ids = tx.find_events(text, variants, found_of(scope))?;
    let ids = own_events(tx, ids, scope)?;
    let newest: Vec<EventId> = ids.iter().rev().copied().take(FEW).collect();
    let mut rows = tx.events_with(&newest)?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    Ok(FewOf { rows, count: ids.len(), is_more: ids.len() > SEARCH_CAP })
}

impl<T> FewOf<T> {
    fn none() -> Self {
        Self { rows: Vec::new(), count: 0, is_more: false }
    }
}

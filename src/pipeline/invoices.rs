//! The invoices that the events of a batch tell of: the greatest word of each is kept and written.

use std::collections::BTreeMap;

use crate::domain::event::storable;
use crate::domain::id::SubscriptionId;
use crate::domain::subscription::SubscriptionInvoice;
use crate::engine::subscription::json;
use crate::error::Error;
use crate::store::Tx;
use crate::store::sets::Key;
use crate::store::subscriptions::InvoiceRow;

/// Keeps what outranks what is kept of the same invoice.
pub(super) fn keep(
    kept: &mut BTreeMap<Key, (SubscriptionId, SubscriptionInvoice)>,
    variant: &str,
    of: SubscriptionId,
    invoice: &SubscriptionInvoice,
) {
    // What can't be looked up can't be linked to a payment either.
    if !storable(&invoice.gateway_ref) {
        return;
    }
    let key = (variant.to_owned(), invoice.gateway_ref.to_string());
    match kept.get(&key) {
        Some((_, known)) if !invoice.outranks(known) => {}
        _ => drop(kept.insert(key, (of, invoice.clone()))),
    }
}

/// Writes those invoices that outrank the stored ones. Their subscriptions are held, so nobody else writes them.
pub(super) fn save(tx: &mut dyn Tx, invoices: Vec<(Key, SubscriptionId, SubscriptionInvoice)>) -> Result<(), Error> {
    let keys: Vec<Key> = invoices.iter().map(|(key, ..)| key.clone()).collect();
    let known = tx.invoices_of(&keys)?;
    let mut rows = Vec::new();
    for ((variant, gateway_ref), subscription_id, invoice) in invoices {
        let before = known.iter().find(|row| (&row.variant, &row.gateway_ref) == (&variant, &gateway_ref));
        let before: Option<SubscriptionInvoice> = before.and_then(|row| serde_json::from_str(&row.fact).ok());
        if before.is_none_or(|before| invoice.outranks(&before)) {
            rows.push(InvoiceRow {
                id: 0,
                subscription_id,
                variant,
                gateway_ref,
                status: invoice.status.clone(),
                paid: invoice.paid,
                invoiced_at: invoice.created_at,
                fact: json(&invoice),
            });
        }
    }
    tx.save_invoices(&rows)
}

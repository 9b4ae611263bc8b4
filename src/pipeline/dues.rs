//! What the invoices ask for that events name, so that a payment that bears one is compared with that, whichever came
//! first.

use std::collections::HashMap;

use crate::domain::event::{Interpretation, References};
use crate::domain::fact::Fact;
use crate::domain::identifier::GatewayRef;
use crate::domain::payment::invoiced;
use crate::domain::subscription::{SubscriptionFact, SubscriptionInvoice};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::sets::Key;

/// The invoices that are known, the greatest word of each.
#[derive(Default)]
pub(crate) struct Dues(HashMap<Key, SubscriptionInvoice>);

impl Dues {
    /// Reads the invoices that these name, of gateways whose invoices are recognized by their ids.
    pub(crate) fn read(engine: &Engine, tx: &mut dyn Tx, named: &[(&str, &References)]) -> Result<Self, Error> {
        let mut keys = Vec::new();
        for (variant, references) in named {
            let Some(known) = engine.variant(variant) else { continue };
            let refs = references.gateway_refs.iter().filter(|text| known.gateway.is_invoice(text));
            keys.extend(refs.map(|text| ((*variant).to_owned(), text.into())));
        }
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let rows = tx.invoices_of(&keys)?.into_iter();
        let invoice = |fact: &str| serde_json::from_str(fact).ok();
        Ok(Self(rows.filter_map(|row| Some(((row.variant, row.gateway_ref), invoice(&row.fact)?))).collect()))
    }

    /// Takes over what an event says of invoices.
    pub(super) fn take(&mut self, variant: &str, read: &Interpretation) {
        for fact in read.subscription.iter().flat_map(|statement| &statement.facts) {
            let SubscriptionFact::Invoice(invoice) = fact else { continue };
            let key = (variant.to_owned(), String::from(&invoice.gateway_ref));
            if self.0.get(&key).is_none_or(|known| invoice.outranks(known)) {
                self.0.insert(key, (**invoice).clone());
            }
        }
    }

    /// What the invoices ask for that these name, as facts of their payment. The greatest word of an invoice counts,
    /// and takes the place of lesser ones: a credit note lowers what an open invoice asks for.
    pub(super) fn facts(&self, variant: &str, references: &References) -> Vec<Fact> {
        let known = |text: &GatewayRef| self.0.get(&(variant.to_owned(), text.into()));
        let due =
            |invoice: &SubscriptionInvoice| Some(invoiced(&invoice.gateway_ref, invoice.due?, invoice.created_at));
        references.gateway_refs.iter().filter_map(known).filter_map(due).collect()
    }
}

//! How is a list read whole, however long it is? In chunks by key, newest first, one after the other as they are
//! asked for.

use std::collections::HashMap;

use super::Payments;
use crate::error::Error;
use crate::store::rows::{EventFilter, EventRow, Page, PaymentFilter, PaymentRow};

/// How many rows a chunk has: some hundred kilobytes.
const CHUNK: i64 = 1_000;

impl Payments {
    /// The next payments of the filter, older than `before`; none at the end.
    pub(crate) async fn export_payments(
        &self,
        mut filter: PaymentFilter,
        before: Option<i64>,
    ) -> Result<Vec<PaymentRow>, Error> {
        filter.variants = self.variants().map(str::to_owned).collect();
        self.read(move |tx| tx.browse_payments(&filter, chunk(before))).await
    }

    /// The next events of the filter, older than `before`, each with the token of its payment; none at the end.
    pub(crate) async fn export_events(
        &self,
        mut filter: EventFilter,
        before: Option<i64>,
    ) -> Result<Vec<(EventRow, Option<String>)>, Error> {
        filter.variants = self.variants().map(str::to_owned).collect();
        self.read(move |tx| {
            let mut tokens: HashMap<i64, Option<String>> = HashMap::new();
            let mut rows = Vec::new();
            for row in tx.browse_events(&filter, chunk(before))? {
                let token = match row.payment_id {
                    None => None,
                    Some(id) if tokens.contains_key(&id) => tokens.get(&id).cloned().flatten(),
                    Some(id) => {
                        let token = tx.payment(id)?.map(|payment| payment.token);
                        tokens.insert(id, token.clone());
                        token
                    }
                };
                rows.push((row, token));
            }
            Ok(rows)
        })
        .await
    }
}

fn chunk(before: Option<i64>) -> Page {
    Page { before, after: None, limit: CHUNK }
}

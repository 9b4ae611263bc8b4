//! Who did what? The acts of operators, with what each was done to.

use std::collections::BTreeSet;

use super::Payments;
use super::browse::{Place, cut, page};
use crate::error::Error;
use crate::store::rows::{ActFilter, ActRow};

/// How many acts are asked which kinds there are to filter by.
const OFFERS_OF: i64 = 500;

/// A page of the audit.
pub(crate) struct Audit {
    /// The acts, with the token of the payment and the kind of the event that each was done to.
    pub rows: Vec<(ActRow, Option<String>, Option<String>)>,
    pub older: bool,
    pub newer: bool,
    /// The kinds of acts of late, in alphabetical order.
    pub acts: Vec<String>,
}

impl Payments {
    pub(crate) async fn audit(&self, filter: ActFilter, place: Place) -> Result<Audit, Error> {
        self.read(move |tx| {
            let (found, older, newer) = cut(place, tx.browse_acts(&filter, page(place))?);
            let mut rows = Vec::with_capacity(found.len());
            for row in found {
                let token = match row.payment_id {
                    Some(id) => tx.payment(id)?.map(|payment| payment.token),
                    None => None,
                };
                let kind = match row.event_id {
                    Some(id) => tx.event(id)?.map(|event| event.kind),
                    None => None,
                };
                rows.push((row, token, kind));
            }
            let acts: BTreeSet<String> = tx.recent_acts(OFFERS_OF)?.into_iter().collect();
            Ok(Audit { rows, older, newer, acts: acts.into_iter().collect() })
        })
        .await
    }
}

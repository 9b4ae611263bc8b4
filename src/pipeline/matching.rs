//! Which payment is an event about? Its references lead to payments; a token of ours outweighs the gateway's ids,
//! and payments that were adopted meanwhile turn out to be the same one.

use crate::domain::event::{References, storable};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::PaymentRow;

/// What an event's references lead to.
pub(crate) struct Match {
    /// The payment that the event is about.
    pub payment: PaymentRow,
    /// The reference that decided it.
    pub matched_by: String,
    /// Adopted payments that are the same one.
    pub same: Vec<PaymentRow>,
    /// Whether the references also lead to another payment that the host created.
    pub ambiguous: bool,
}

/// All ids by which an event names its payment, tokens first, each once, without those that can't be stored.
pub(crate) fn all(references: &References) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in references.tokens.iter().chain(&references.gateway_refs) {
        if storable(text) && !all.contains(text) {
            all.push(text.clone());
        }
    }
    all
}

/// The ids that may be linked to a payment: the gateway's own, never what only may be a token.
pub(crate) fn linkable(references: &References) -> Vec<String> {
    all(&References { tokens: Vec::new(), gateway_refs: references.gateway_refs.clone() })
}

/// The payments that the references lead to, each with the one that did, in the order of their weight. A token is
/// looked for among tokens only: what a customer may choose must not pass for an id of the gateway's.
pub(crate) fn led_to(
    tx: &mut dyn Tx,
    variant: &str,
    references: &References,
) -> Result<Vec<(String, PaymentRow)>, Error> {
    let mut found: Vec<(String, PaymentRow)> = Vec::new();
    for text in references.tokens.iter().filter(|text| storable(text)) {
        let row = crate::engine::find::by_token(tx, text)?.filter(|row| row.variant == variant);
        found.extend(row.map(|row| (text.clone(), row)));
    }
    let refs = linkable(references);
    let links = tx.find_references(variant, &refs)?;
    for (text, id) in refs.iter().filter_map(|text| links.iter().find(|(found, _)| found == text)) {
        found.extend(tx.payment(*id)?.map(|row| (text.clone(), row)));
    }
    let mut seen = Vec::new();
    found.retain(|(_, row)| {
        !seen.contains(&row.id) && {
            seen.push(row.id);
            true
        }
    });
    Ok(found)
}

/// Follows the references.
pub(crate) fn find(tx: &mut dyn Tx, variant: &str, references: &References) -> Result<Option<Match>, Error> {
    let mut found = led_to(tx, variant, references)?;
    let Some(first) = found.iter().position(|(_, row)| !row.adopted).or(found.first().map(|_| 0)) else {
        return Ok(None);
    };
    let (matched_by, payment) = found.swap_remove(first);
    let (same, others): (Vec<_>, Vec<_>) = found.into_iter().map(|(_, row)| row).partition(|row| row.adopted);
    Ok(Some(Match { payment, matched_by, same, ambiguous: !others.is_empty() }))
}

//! Who paid, with which card, and why a bank declined it, as the gateway reports it. It is for people to read and to
//! search; no decision depends on it.
//!
//! See [`Payer`] for an example.

use std::collections::BTreeSet;

use super::identifier::GatewayRef;
use super::search::{self, Piece};

/// What events say about the payer. A field is `None` if they don't say it.
///
/// ```
/// use actix_payments::PaymentHistory;
///
/// fn card(history: &PaymentHistory) -> Option<String> {
///     let payer = &history.payer;
///     Some(format!("{} ending in {}", payer.card_brand.as_ref()?, payer.card_last_four.as_ref()?))
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Payer {
    /// The customer's name, or the name on the card.
    pub name: Option<String>,
    /// The gateway's id of the customer, such as `cus_1`.
    pub gateway_ref: Option<GatewayRef>,
    /// The card's brand, in the gateway's own word: `visa`.
    pub card_brand: Option<String>,
    /// The last four digits of the card.
    pub card_last_four: Option<String>,
    /// Why a try was declined, in the gateway's own words.
    pub decline: Option<String>,
}

impl Payer {
    /// Takes over what another event tells, which is older, newer or of the same time: of what both tell, the newer
    /// stays. Answers whether anything changed.
    pub(crate) fn learn(&mut self, other: &Self, order: std::cmp::Ordering) -> bool {
        let before = self.clone();
        let is_older = order.is_lt();
        take(&mut self.name, &other.name, is_older);
        take(&mut self.gateway_ref, &other.gateway_ref, is_older);
        take(&mut self.card_brand, &other.card_brand, is_older);
        take(&mut self.card_last_four, &other.card_last_four, is_older);
        take(&mut self.decline, &other.decline, is_older);
        *self != before
    }

    /// Leaves out what can't be kept.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let Self { name, gateway_ref, card_brand, card_last_four, decline } = self;
        for field in [name, card_brand, card_last_four, decline] {
            field.take_if(|text| !keep(text));
        }
        gateway_ref.take_if(|id| !keep(id));
    }

    /// What a search finds it by.
    pub(crate) fn pieces(&self) -> BTreeSet<Piece> {
        let mut pieces = self.name.as_deref().map(search::of_name).unwrap_or_default();
        pieces.extend(
            [self.gateway_ref.as_deref(), self.card_last_four.as_deref()].into_iter().flatten().map(search::of_whole),
        );
        pieces
    }

    /// Whether nothing is told.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Takes over what another event tells, unless that is older than what is known.
fn take<T: Clone>(own: &mut Option<T>, told: &Option<T>, is_older: bool) {
    if told.is_some() && (own.is_none() || !is_older) {
        own.clone_from(told);
    }
}

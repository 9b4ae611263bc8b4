//! The single captures of a payment, and what is left to refund of each: a gateway refunds one capture at a time.

use super::case::{WAYS, captured, failed_later, sum};
use super::families::Families;
use super::{disputes, refunds};
use crate::domain::fact::Fact;
use crate::domain::identifier::GatewayRef;
use crate::domain::ledger::{Ledger, moved};
use crate::domain::money::Currency;

/// One capture of a payment, in minor units of the payment's currency.
///
/// See the [module](crate::domain::payment) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Captured {
    /// The gateway's id of the capture, or of the object that reports it.
    pub gateway_ref: GatewayRef,
    /// The gateway's id of the object that it belongs to: of a charge its intent.
    pub parent: Option<GatewayRef>,
    /// The captured amount.
    pub amount: i64,
    /// The amount that can still be refunded: without what was refunded, is being refunded, or was lost to a dispute.
    pub remaining: i64,
    /// Whether the gateway reported it as failed after the money had come. A bank may have returned the money, so that
    /// there is nothing to refund.
    pub returned: bool,
}

/// The captures, in the order of their ids, in minor units of `currency`. Their amounts add up to what was captured.
///
/// See the [module](crate::domain::payment) for an example.
pub fn captures(ledger: &Ledger, currency: Currency) -> Vec<Captured> {
    let all = captured(ledger, currency);
    // The finest of the views that know of all the money.
    let way = WAYS.into_iter().rev().find(|way| all > 0 && sum(ledger, *way, currency) == all);
    let facts = way.into_iter().flat_map(|way| ledger.facts_of(way));
    let facts = facts.filter(|f| moved(f).is_some_and(|(_, its)| its == currency));
    let of = |f: &Fact| {
        let (amount, returned) = (f.amount.unwrap_or(0), failed_later(ledger, f));
        Captured { gateway_ref: f.gateway_ref.clone(), parent: f.parent.clone(), amount, remaining: amount, returned }
    };
    let mut captures: Vec<Captured> = facts.map(of).collect();
    let taken = refunds::taken(ledger, currency);
    let families = Families::of(ledger);
    let mut left = all;
    for (named, minor) in taken.into_iter().chain(disputes::losses(ledger, currency)) {
        left = left.saturating_sub(minor);
        if let Some(at) = named.and_then(|id| the_one(&families, &captures, id)) {
            captures[at].remaining = captures[at].remaining.saturating_sub(minor).max(0);
        }
    }
    for capture in &mut captures {
        capture.remaining = capture.remaining.min(left.max(0));
    }
    captures
}

/// The capture that the first of these ids is about that is about one.
pub(crate) fn capture_of(ledger: &Ledger, captures: &[Captured], ids: &[GatewayRef]) -> Option<usize> {
    let families = Families::of(ledger);
    ids.iter().find_map(|id| the_one(&families, captures, id))
}

/// The capture that this id is about: its own, or the only one of that object, or the only one of its family.
fn the_one(families: &Families<'_>, captures: &[Captured], id: &str) -> Option<usize> {
    let only = |is_it: &dyn Fn(&Captured) -> bool| {
        let mut all = (0..captures.len()).filter(|at| is_it(&captures[*at]));
        all.next().filter(|_| all.next().is_none())
    };
    let root = families.root(id);
    only(&|capture| capture.gateway_ref == id)
        .or_else(|| only(&|capture| families.is_within(&capture.gateway_ref, id)))
        .or_else(|| only(&|capture| families.root(&capture.gateway_ref) == root))
}

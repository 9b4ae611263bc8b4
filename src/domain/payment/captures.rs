//! The single captures of a payment, and what is left to refund of each: a gateway refunds one capture at a time.

use super::case::{WAYS, captured, sum};
use super::families::Families;
use super::{disputes, refunds};
use crate::domain::fact::Fact;
use crate::domain::ledger::{Ledger, moved};
use crate::domain::money::Currency;

/// One capture of a payment, in minor units of the payment's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Captured {
    /// The gateway's id of the capture, or of the object that reports it.
    pub gateway_ref: String,
    /// The gateway's id of the object that it belongs to: of a charge its intent.
    pub parent: Option<String>,
    /// The captured amount.
    pub amount: i64,
    /// The amount that can still be refunded: not what was refunded, is about to be, or was lost to a dispute.
    pub remaining: i64,
}

/// The captures, in the order of their ids, in minor units of `currency`. Their amounts add up to what was captured.
pub fn captures(ledger: &Ledger, currency: Currency) -> Vec<Captured> {
    let all = captured(ledger, currency);
    // The finest of the views that know of all the money.
    let way = WAYS.into_iter().rev().find(|way| all > 0 && sum(ledger, *way, currency) == all);
    let facts = way.into_iter().flat_map(|way| ledger.facts_of(way));
    let facts = facts.filter(|f| moved(f).is_some_and(|(_, its)| its == currency));
    let of = |f: &Fact| {
        let amount = f.amount.unwrap_or(0);
        Captured { gateway_ref: f.gateway_ref.clone(), parent: f.parent.clone(), amount, remaining: amount }
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
pub(crate) fn capture_of(ledger: &Ledger, captures: &[Captured], ids: &[String]) -> Option<usize> {
    let families = Families::of(ledger);
    ids.iter().find_map(|id| the_one(&families, captures, id))
}

/// The capture that this id is about: its own, or that of an object of its family where no other capture has the same.
fn the_one(families: &Families<'_>, captures: &[Captured], id: &str) -> Option<usize> {
    let own = captures.iter().position(|capture| capture.gateway_ref == id);
    let root = families.root(id);
    let related = |capture: &Captured| families.root(&capture.gateway_ref) == root;
    own.or_else(|| {
        let mut related = (0..captures.len()).filter(|at| related(&captures[*at]));
        related.next().filter(|_| related.next().is_none())
    })
}

//! Which of the variants that a function of the host's configures are looked at one by one: those that had something
//! lately, a bounded number.

use std::collections::{BTreeMap, BTreeSet};

use super::anomalies;
use super::anomaly::Anomaly;
use crate::engine::Engine;
#[cfg(feature = "cli")]
use crate::engine::tally::{DUPLICATE, RECEIVED};
use crate::engine::tally::{MISSED, REJECTED};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::Sum;

/// How many variants with refused or missed deliveries are looked at, those with the most of them.
const REFUSED: usize = 200;
/// Of how many payments that were created last the variants are looked at for silence, and how many variants.
const CREATED: i64 = 5_000;
const SILENT: usize = 200;
/// How many variants are diagnosed, those with the most deliveries.
#[cfg(feature = "cli")]
const BUSIEST: usize = 50;

/// How the deliveries of these variants fare.
pub(super) fn deliveries(engine: &Engine, tx: &mut dyn Tx, sums: &[Sum]) -> Result<Vec<Anomaly>, Error> {
    let mut found = Vec::new();
    if !engine.has_source() {
        return Ok(found);
    }
    let is_trouble = |outcome: &str| outcome == MISSED || outcome.starts_with(REJECTED);
    let mut names: BTreeSet<String> = most(engine, sums, is_trouble, REFUSED).into_iter().collect();
    let created = tx.creating_variants(CREATED, i64::from(engine.thresholds.silent_payments).max(1))?;
    names.extend(created.into_iter().filter(|name| !engine.is_fixed(name)).take(SILENT));
    let mut its: BTreeMap<&str, Vec<Sum>> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    for sum in sums {
        its.entry(&sum.variant).and_modify(|its| its.push(sum.clone()));
    }
    for (name, sums) in its {
        let last = tx.last_event_of(name)?;
        found.extend(anomalies::deliveries(engine, tx, name, last.as_ref(), &sums)?);
    }
    Ok(found)
}

/// The busiest of them in these sums.
#[cfg(feature = "cli")]
pub(super) fn busiest(engine: &Engine, sums: &[Sum]) -> Vec<String> {
    let is_delivery = |outcome: &str| [RECEIVED, DUPLICATE].contains(&outcome) || outcome.starts_with(REJECTED);
    if engine.has_source() { most(engine, sums, is_delivery, BUSIEST) } else { Vec::new() }
}

/// Those with the most of some outcomes.
fn most(engine: &Engine, sums: &[Sum], counts: impl Fn(&str) -> bool, limit: usize) -> Vec<String> {
    let mut by_name: BTreeMap<&str, i64> = BTreeMap::new();
    let is_of_one = |sum: &&Sum| !sum.variant.is_empty() && !engine.is_fixed(&sum.variant);
    for sum in sums.iter().filter(|sum| counts(&sum.outcome)).filter(is_of_one) {
        *by_name.entry(&sum.variant).or_default() += sum.count;
    }
    let mut names: Vec<(&str, i64)> = by_name.into_iter().collect();
    names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    names.into_iter().take(limit).map(|(name, _)| name.to_owned()).collect()
}

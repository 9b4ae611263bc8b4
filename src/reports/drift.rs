//! How comparisons with gateways stand, and what they found.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::difference::{DifferingValue, DriftSubject};
use crate::domain::mode::Mode;
use crate::domain::scope::Scope;
use crate::engine::drift::Comparable;
use crate::engine::due::AT_LEISURE;
use crate::engine::{Engine, Variant};
use crate::error::Error;
use crate::store::Tx;
use crate::store::drift::{DifferenceRow, DriftRow};

/// How many differences a page shows.
pub(crate) const DIFFERENCES: usize = 50;

/// How many variants it shows.
const COMPARED: usize = 200;

/// What the page of differences shows.
pub(crate) struct DriftReport {
    /// Each variant, by name.
    pub variants: Vec<ComparedVariant>,
    /// The differences that were found first.
    pub differences: Vec<NotedDifference>,
    /// Whether there are more.
    pub more: bool,
}

/// A variant and its last comparison.
pub(crate) struct ComparedVariant {
    pub name: String,
    pub gateway: &'static str,
    /// Why it can't be compared.
    pub cannot: Option<String>,
    pub last: Option<DriftRow>,
}

/// A difference that was noted.
#[derive(Debug, Clone)]
pub(crate) struct NotedDifference {
    pub id: i64,
    pub variant: String,
    pub subject: DriftSubject,
    pub name: String,
    pub values: Vec<DifferingValue>,
    pub found_at: Timestamp,
}

impl Engine {
    /// The address of what differs: its page here, which `here` makes of the path below the admin's, or the gateway's of
    /// an object that is not known here.
    pub(crate) fn link_of_difference(
        &self,
        variant: &str,
        subject: DriftSubject,
        name: &str,
        here: impl FnOnce(&str) -> String,
    ) -> Option<String> {
        match subject {
            DriftSubject::Payment => Some(here(&format!("payments/{name}"))),
            DriftSubject::Subscription => Some(here(&format!("subscriptions/{name}"))),
            DriftSubject::Object => {
                let variant = self.variant(variant)?;
                variant.gateway.dashboard_url(&name.into(), Mode::of(Some(variant.live.unwrap_or(true))))
            }
        }
    }

    /// How comparisons of these variants stand.
    pub(crate) async fn drift_report(self: &Arc<Self>, scope: Scope) -> Result<DriftReport, Error> {
        let hidden = scope.clone();
        let (mut known, mut rows) = self.look(move |tx| Ok((tx.comparisons()?, differences(tx, &hidden)?))).await?;
        let more = rows.len() > DIFFERENCES;
        rows.truncate(DIFFERENCES);
        let mut names: BTreeSet<String> = self.names_seen(&scope).into_iter().collect();
        names.extend(known.iter().map(|row| row.variant.clone()).chain(rows.iter().map(|row| row.variant.clone())));
        names.retain(|name| scope.allows(name));
        let mut held = self.load_all(&names.into_iter().take(COMPARED).collect::<Vec<_>>(), AT_LEISURE).await;
        held.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let compared = |(name, variant): &(String, Arc<Variant>)| ComparedVariant {
            name: name.clone(),
            gateway: variant.gateway.name(),
            cannot: Comparable::of(variant).err(),
            last: known.iter().position(|row| row.variant == *name).map(|at| known.swap_remove(at)),
        };
        let variants = held.iter().map(compared).collect();
        Ok(DriftReport { variants, differences: rows.into_iter().map(noted).collect(), more })
    }

    /// The difference with this number, if it is of these variants.
    pub(crate) async fn noted_difference(
        self: &Arc<Self>,
        id: i64,
        scope: Scope,
    ) -> Result<Option<NotedDifference>, Error> {
        let is_shown = move |row: &DifferenceRow| scope.allows(&row.variant);
        self.read(move |tx: &mut dyn Tx| Ok(tx.difference(id)?.filter(&is_shown).map(noted))).await
    }
}

/// The first differences, and one more than are shown.
fn differences(tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<DifferenceRow>, Error> {
    let limit = DIFFERENCES as i64 + 1;
    let Some(names) = scope.names() else { return tx.differences(None, 0, limit) };
    let mut rows = Vec::new();
    for name in names {
        rows.extend(tx.differences(Some(name), 0, limit)?);
    }
    rows.sort_by_key(|row| row.id);
    rows.truncate(DIFFERENCES + 1);
    Ok(rows)
}

fn noted(row: DifferenceRow) -> NotedDifference {
    NotedDifference {
        id: row.id,
        variant: row.variant,
        subject: DriftSubject::parse(&row.subject).unwrap_or(DriftSubject::Object),
        name: row.name,
        values: serde_json::from_str(&row.fields).unwrap_or_default(),
        found_at: row.found_at,
    }
}

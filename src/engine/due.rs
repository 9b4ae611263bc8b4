//! Which variants have something due, and can be had now: what workers take.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::configured::Moment;
use super::{Engine, Variant};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Tx;

/// How long a worker waits for configurations: what is slow goes on loading, and keeps no other waiting.
pub(crate) const SOON: Duration = Duration::from_millis(100);
/// How long everybody else does, who ends without: longer than the function may take.
pub(crate) const AT_LEISURE: Duration = Duration::from_secs(3600);
/// How often other names are looked for where none of those that have something due can be had.
const LOOKS: usize = 4;

/// Variants that are held, by name.
pub(crate) type Held = Vec<(String, Arc<Variant>)>;

/// Says which variants have something due at a moment, besides some.
type Look = fn(&mut dyn Tx, Timestamp, &[String]) -> Result<Vec<String>, Error>;

/// Their names.
pub(crate) fn names(held: &Held) -> Vec<String> {
    held.iter().map(|(name, _)| name.clone()).collect()
}

/// Of how many rows that are due first the variants are looked at.
pub(crate) const LOOKED_AT: i64 = 200;

impl Engine {
    /// Loads these; answers those that could be, within this time. Whatever else is under way then goes on.
    pub(crate) async fn load_all(self: &Arc<Self>, names: &[String], patience: Duration) -> Held {
        let (mut held, mut loading) = (Held::new(), JoinSet::new());
        for name in names {
            if let Some(variant) = self.at_hand(name) {
                held.push((name.clone(), variant));
                continue;
            }
            let (engine, name) = (self.clone(), name.clone());
            loading.spawn(async move {
                let variant = engine.load(&name).await.ok().flatten()?;
                // A worker may have given up waiting for it.
                engine.notify();
                Some((name, variant))
            });
        }
        let until = Instant::now() + patience;
        while let Ok(Some(loaded)) = timeout_at(until, loading.join_next()).await {
            held.extend(loaded.ok().flatten());
        }
        loading.detach_all();
        held
    }

    /// Whether an event is due of a variant that this process may have.
    pub(crate) fn is_one_due(&self, tx: &mut dyn Tx, now: Timestamp) -> Result<bool, Error> {
        if self.has_source() {
            return Ok(!tx.waiting_variants(now, 1, &self.lacking_names())?.is_empty());
        }
        tx.is_due(now, &self.fixed_names())
    }

    /// The variants that have something due, can be had now and are able to do it. `look` says which have, besides some
    /// that can't be had, at most so many; `full` are those that have no room now.
    pub(crate) async fn due_variants(
        self: &Arc<Self>,
        patience: Duration,
        full: &[String],
        look: Look,
        is_able: impl Fn(&Variant) -> bool,
    ) -> Result<Held, Error> {
        let Some(source) = &self.configured.source else {
            let fixed = self.configured.fixed.iter();
            let free = fixed.filter(|(name, variant)| !full.iter().any(|other| *name == other) && is_able(variant));
            return Ok(free.map(|(name, variant)| (name.to_string(), variant.clone())).collect());
        };
        let mut except = full.to_vec();
        for _ in 0..LOOKS {
            let now = self.now();
            except.extend(source.lacking(Moment::now(now)));
            let others = except.clone();
            let names = self.read(move |tx| look(tx, now, &others)).await?;
            if names.is_empty() {
                break;
            }
            let mut held = self.load_all(&names, patience).await;
            let is_held = |name: &String| held.iter().any(|(other, _)| other == name);
            let now = Moment::now(self.now());
            names.iter().filter(|name| !is_held(name)).for_each(|name| source.lack(name, now));
            held.retain(|(_, variant)| is_able(variant));
            if !held.is_empty() {
                return Ok(held);
            }
            except.extend(names);
        }
        Ok(Held::new())
    }
}

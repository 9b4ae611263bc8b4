//! What no worker that runs can do: handlers and variants that none has, and handlers in the transaction of which each
//! lacks one.

use std::collections::BTreeSet;

use super::Engine;
use super::heartbeat::SEEN;
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Tx;
use crate::store::registry::{Registered, Stage, WorkerRow};

/// Stands among a worker's variants for all that a function of the host's configures; no variant has this name.
const ANY: &str = "*";
/// How many of those are named that it can't have after all.
const BUT: usize = 100;

/// What stands among a worker's variants for one that it can't have.
fn but(name: &str) -> String {
    format!("!{name}")
}

impl Engine {
    /// The variants that a worker of this process has.
    pub(super) fn served_names(&self) -> Vec<String> {
        let mut names = self.fixed_names();
        if self.has_source() {
            names.push(ANY.to_owned());
            names.extend(self.unserved_names().iter().take(BUT).map(|name| but(name)));
        }
        names
    }
}

/// What the workers have that were seen lately.
pub(crate) struct Served {
    workers: Vec<BTreeSet<String>>,
    variants: Vec<BTreeSet<String>>,
    registered: Vec<Registered>,
}

impl Served {
    /// `None` where no worker is known: then somebody drains, or nobody works at all.
    pub(crate) fn read(tx: &mut dyn Tx, now: Timestamp) -> Result<Option<Self>, Error> {
        let workers = tx.workers(now - SEEN)?;
        if workers.is_empty() {
            return Ok(None);
        }
        let names = |list: &str| serde_json::from_str::<BTreeSet<String>>(list).unwrap_or_default();
        let variants = workers.iter().map(|worker| names(&worker.variants)).collect();
        let workers = workers.iter().map(|worker: &WorkerRow| names(&worker.handlers)).collect();
        Ok(Some(Self { workers, variants, registered: tx.registered()? }))
    }

    pub(crate) fn has_variant(&self, name: &str) -> bool {
        self.variants.iter().any(|has| has.contains(name) || (has.contains(ANY) && !has.contains(&but(name))))
    }

    /// How many workers have this handler.
    pub(crate) fn workers_with(&self, handler: &str) -> usize {
        self.workers.iter().filter(|has| has.contains(handler)).count()
    }

    /// The registered handlers, by name.
    pub(crate) fn registered(&self) -> &[Registered] {
        &self.registered
    }

    /// The handlers that are owed their runs and that no worker has.
    pub(crate) fn without_worker(&self) -> Vec<String> {
        let owed = self.registered.iter().filter(|it| self.workers_with(&it.name) == 0);
        owed.map(|it| it.name.clone()).collect()
    }

    /// Where no worker can process an event, because each lacks a handler in the transaction: the ones that are lacked.
    pub(crate) fn deadlocked(&self) -> Vec<String> {
        let inside = |it: &&Registered| matches!(it.stage, Stage::Transaction | Stage::SubscriptionTransaction);
        let inside: Vec<&str> = self.registered.iter().filter(inside).map(|it| it.name.as_str()).collect();
        let lacked = |has: &BTreeSet<String>| -> Vec<&str> {
            inside.iter().filter(|name| !has.contains(**name)).copied().collect()
        };
        let lacked: Vec<Vec<&str>> = self.workers.iter().map(lacked).collect();
        if lacked.iter().any(Vec::is_empty) {
            return Vec::new();
        }
        lacked.concat().into_iter().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_with_a_hosts_function_has_all_variants_but_those_that_it_cannot_load() {
        let has = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let served = |workers: &[&[&str]]| {
            let variants = workers.iter().map(|names| has(names)).collect();
            Served { workers: Vec::new(), variants, registered: Vec::new() }
        };
        let one = served(&[&["own", ANY, "!gone"]]);
        assert!(one.has_variant("own") && one.has_variant("anna") && !one.has_variant("gone"));
        assert!(served(&[&["own", ANY, "!gone"], &[ANY]]).has_variant("gone"), "another worker can");
        assert!(!served(&[&["own"]]).has_variant("anna"));
    }
}

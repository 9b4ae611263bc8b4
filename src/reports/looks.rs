//! The looks in which alarms are looked for, each by itself, so that one that fails silences no other.

use std::sync::Arc;

use super::anomalies::{self, in_span};
use super::anomaly::Anomaly;
use super::at_run_time;
use crate::domain::scope::Scope;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{EventRow, Sum};

/// How many looks that fail one after the other mean that the database is away.
const AWAY: usize = 3;

/// One of the looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    Due,
    Failing,
    Unserved,
    /// How the deliveries of this variant fare.
    Deliveries(String),
    /// The same of the variants that a function of the host's configures.
    AtRunTime,
    Unshown,
    NotShown,
    Discarded,
    Differing,
    Chores,
    Operations,
    Drift,
    Disputes,
    Parked,
    Authorized,
    Review,
    UnknownStatus,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub found: Vec<Anomaly>,
    /// The looks that failed.
    pub failed: Vec<Look>,
}

impl Engine {
    /// Looks for everything. A look that fails is an anomaly of its own.
    ///
    /// # Errors
    /// Where the database is away.
    pub(crate) async fn look_for_anomalies(self: &Arc<Self>) -> Result<Looked, Error> {
        let (mut looked, mut in_a_row, mut last) = (Looked::default(), 0, None);
        for look in Look::all(self.fixed_names()) {
            let one = look.clone();
            let error =
                match self.blocking(move |engine| engine.store.ask(|tx| one.find(engine, tx, &Scope::All))).await {
                    Ok(found) => {
                        in_a_row = 0;
                        looked.found.extend(found);
                        continue;
                    }
                    Err(error) => error,
                };
            // Those of deliveries ask the same of the database for each variant.
            let is_same = last.replace(look.kinds()) == Some(look.kinds()) && in_a_row > 0;
            in_a_row += usize::from(!is_same);
            if in_a_row == AWAY && error.is_retryable() {
                return Err(error);
            }
            error.report(format_args!("nobody can tell whether there are alarms about {}", look.about()));
            looked.found.push(Anomaly::LookFails { key: look.key(), about: look.about(), why: error.to_string() });
            looked.failed.push(look);
        }
        Ok(looked)
    }
}

impl Look {
    /// All of them, in the order in which their anomalies are shown.
    pub(super) fn all(variants: Vec<String>) -> Vec<Self> {
        let deliveries = variants.into_iter().map(Self::Deliveries);
        let rest = [
            Self::AtRunTime,
            Self::Unshown,
            Self::NotShown,
            Self::Discarded,
            Self::Differing,
            Self::Chores,
            Self::Operations,
            Self::Drift,
            Self::Disputes,
            Self::Parked,
            Self::Authorized,
            Self::Review,
            Self::UnknownStatus,
        ];
        [Self::Due, Self::Failing, Self::Unserved].into_iter().chain(deliveries).chain(rest).collect()
    }

    /// What it finds.
    pub(super) fn find(&self, engine: &Engine, tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<Anomaly>, Error> {
        match self {
            Self::Due => anomalies::due(engine, tx),
            Self::Failing => anomalies::failing(engine, tx),
            Self::Unserved => anomalies::unserved(tx, engine.now()),
            Self::Deliveries(variant) => {
                let (sums, last) = (in_span(engine, tx)?, tx.last_event_of(variant)?);
                anomalies::deliveries(engine, tx, variant, last.as_ref(), &sums)
            }
            Self::AtRunTime => {
                let sums = in_span(engine, tx)?;
                at_run_time::deliveries(engine, tx, &sums)
            }
            Self::Unshown => anomalies::unshown(engine, tx, scope),
            Self::NotShown => anomalies::not_shown(tx, scope),
            Self::Discarded => anomalies::discarded(tx, scope),
            Self::Differing => anomalies::differing(tx, engine.now(), scope),
            Self::Chores => anomalies::chores(engine, tx),
            Self::Operations => anomalies::operations(engine, tx),
            Self::Drift => anomalies::drift(engine, tx, scope),
            Self::Disputes => anomalies::disputes(tx),
            Self::Parked => anomalies::parked(engine, tx),
            Self::Authorized => anomalies::authorized(engine, tx),
            Self::Review => anomalies::review(tx),
            Self::UnknownStatus => anomalies::unknown_status(tx),
        }
    }

    /// What the keys of its anomalies begin with, and how it is called in its own.
    fn kinds(&self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Due => (&["overdue"], "events that are due"),
            Self::Failing => (&["failing"], "events that keep failing"),
            Self::Unserved => (&["no-variant", "deadlock", "no-handler"], "what no worker can do"),
            Self::Deliveries(_) | Self::AtRunTime => (&["refused", "sent-away", "silence", "missed"], "deliveries"),
            Self::Unshown => (&["unshown"], "questions that wait"),
            Self::NotShown => (&["not-shown"], "what gateways did not show"),
            Self::Discarded => (&["discarded"], "events that were given up"),
            Self::Differing => (&["differing"], "deliveries with another body"),
            Self::Chores => (&["chore"], "chores"),
            Self::Operations => (&["operations"], "operations"),
            Self::Drift => (&["drift"], "what differs at gateways"),
            Self::Disputes => (&["dispute", "disputes", "test-disputes"], "disputes"),
            Self::Parked => (&["parked"], "parked events"),
            Self::Authorized => (&["authorized"], "authorizations"),
            Self::Review => (&["review"], "payments to review"),
            Self::UnknownStatus => (&["unknown-status"], "subscriptions of an unknown status"),
        }
    }

    /// Whether the anomaly with this key is one of its.
    pub(crate) fn is_of(&self, key: &str) -> bool {
        let (kind, rest) = key.split_once(':').unwrap_or((key, ""));
        let is_its = |variant: &String| rest == variant.as_str();
        self.kinds().0.contains(&kind) && self.variant().is_none_or(is_its)
    }

    /// Whether each of its anomalies says which variant it is of, where some are hidden; those of a hidden one are not
    /// looked for.
    fn is_of_variants(&self, scope: &Scope) -> bool {
        let each = matches!(self, Self::Unshown | Self::NotShown | Self::Discarded | Self::Differing | Self::Drift);
        scope.is_all() || each || self.variant().is_some_and(|variant| scope.allows(variant))
    }

    fn variant(&self) -> Option<&String> {
        match self {
            Self::Deliveries(variant) => Some(variant),
            _ => None,
        }
    }

    fn key(&self) -> String {
        match self.variant() {
            _ if *self == Self::AtRunTime => "deliveries".to_owned(),
            Some(variant) => format!("deliveries:{variant}"),
            None => self.kinds().0[0].to_owned(),
        }
    }

    fn about(&self) -> String {
        let about = if *self == Self::AtRunTime { "deliveries of other variants" } else { self.kinds().1 };
        self.variant().map_or_else(|| about.to_owned(), |variant| format!("{about} of {variant}"))
    }
}

/// Everything that somebody may see, the most urgent first: `sums` are those of the last day, `last` the last event of each variant.
pub(super) fn find(
    engine: &Engine,
    tx: &mut dyn Tx,
    sums: &[Sum],
    last: &[(String, Option<EventRow>)],
    scope: &Scope,
) -> Result<Vec<Anomaly>, Error> {
    let mut found = Vec::new();
    for look in Look::all(engine.names_seen(scope)).into_iter().filter(|look| look.is_of_variants(scope)) {
        found.extend(match &look {
            Look::Deliveries(variant) => {
                let last = last.iter().find(|(name, _)| name == variant).and_then(|(_, event)| event.as_ref());
                anomalies::deliveries(engine, tx, variant, last, sums)?
            }
            Look::AtRunTime => at_run_time::deliveries(engine, tx, sums)?,
            look => look.find(engine, tx, scope)?,
        });
    }
    if !scope.is_all() {
        found.retain(|anomaly| anomaly.variant().is_some_and(|variant| scope.allows(variant)));
        found.extend(anomalies::disputes_in(tx, scope)?);
        let all = engine.names_to_list(tx, (scope, None), None)?;
        found.extend(anomalies::review_in(tx, scope, &all)?);
    }
    Ok(found)
}

//! A whole comparison, for a host's own code or a command.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::foresee::Found;
use super::repair::Repair;
use super::walk::{Compared, Piece, first_place};
use crate::domain::Timestamp;
use crate::domain::difference::{DifferingValue, DriftSubject};
use crate::domain::identifier::VariantName;
use crate::engine::request::Requester;
use crate::engine::{Engine, drift};
use crate::error::{Error, ErrorKind};
use crate::operations::tries::Outcome;

/// What is to be compared with a gateway; for [`Payments::drift`](crate::Payments::drift).
///
/// See [`Payments::drift`](crate::Payments::drift) for an example.
#[derive(Debug, Clone)]
#[must_use = "a query is answered by `Payments::drift`"]
pub struct DriftQuery {
    variant: VariantName,
    since: Option<Timestamp>,
    each: bool,
    per_second: u32,
}

/// The result of comparing payments and subscriptions with the gateway.
///
/// See [`Payments::drift`](crate::Payments::drift) for an example.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// How many of the gateway's objects, and of ours, were compared. An object that was both listed and asked about
    /// counts twice.
    pub compared: usize,
    /// The differences, including those that were repaired.
    pub differences: Vec<Difference>,
    /// Why some objects could not be compared, each a sentence: the gateway does not know them, or did not answer.
    pub unanswered: Vec<String>,
}

/// A payment, a subscription or an object at the gateway that differs between here and there.
///
/// See [`Payments::drift`](crate::Payments::drift) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Which of these it is.
    pub subject: DriftSubject,
    /// Our token, or the gateway's id of an object that is not known here.
    pub name: String,
    /// What differs.
    pub values: Vec<DifferingValue>,
    /// The result of repairing it, if that was requested; an error is a sentence.
    pub repaired: Option<Result<Outcome, String>>,
}

impl DriftQuery {
    /// What is to be compared with the gateway of `variant`.
    pub fn new(variant: impl Into<VariantName>) -> Self {
        Self { variant: variant.into(), since: None, each: false, per_second: drift::PER_SECOND }
    }

    /// Compares what was created at this moment or later, here and at the gateway. Default: the last 90 days, three
    /// times as long as Stripe lists its events. Pending or authorized payments, and subscriptions that have not ended,
    /// are compared whatever their age.
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Asks about all our payments of that span one by one, even if the gateway lists its own. That also finds payments
    /// that the gateway does not know, and takes a request for each. Default: if the gateway has a list, it is asked
    /// only about open payments and subscriptions.
    pub fn each(mut self) -> Self {
        self.each = true;
        self
    }

    /// How many requests are made a second, at most. Default 10: gateways allow 25 and more (Stripe 100, and 25 in test
    /// mode), and customers' payments need some of that. 0 counts as 1.
    pub fn per_second(mut self, requests: u32) -> Self {
        self.per_second = requests.max(1);
        self
    }
}

impl Engine {
    /// Compares, and repairs what differs where somebody asks for that.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` where its gateway can't be asked, `Gateway` when it does not answer,
    /// and what the database says.
    pub(crate) async fn drift(
        self: &Arc<Self>,
        query: DriftQuery,
        repairer: Option<Requester>,
    ) -> Result<Drift, Error> {
        let now = self.now();
        let variant = self.known_variant(&query.variant).await?;
        let mut next = Some(first_place(&variant).map_err(|why| Error::new(ErrorKind::Refused, why))?);
        let scope = Compared {
            since: query.since.unwrap_or(now - drift::SPAN),
            until: now - drift::UNDER_WAY,
            each: query.each,
            pace: Duration::from_secs(1) / query.per_second.max(1),
            variant: query.variant.into(),
        };
        let (mut drift, mut named) = (Drift::default(), HashSet::new());
        while let Some(place) = next {
            let Piece { foreseen, unanswered, next: then } = self.compare_piece(&scope, place).await?;
            drift.compared += foreseen.compared;
            drift.unanswered.extend(foreseen.unreadable.into_iter().chain(unanswered));
            for found in foreseen.differing {
                if is_named_before(&mut named, &found) {
                    continue;
                }
                let repaired = match &repairer {
                    Some(requester) => Some(self.repair_found(&scope, &found, requester.clone()).await?),
                    None => None,
                };
                let Found { subject, name, values, .. } = found;
                drift.differences.push(Difference { subject, name, values, repaired });
            }
            next = then;
        }
        Ok(drift)
    }

    /// A gateway that does not answer about one does not keep the others from being repaired.
    async fn repair_found(
        self: &Arc<Self>,
        scope: &Compared,
        found: &Found,
        requester: Requester,
    ) -> Result<Result<Outcome, String>, Error> {
        let (variant, object_type) = (scope.variant.clone(), found.object.object_type.clone());
        let repair = Repair { variant, subject: found.subject, name: found.name.clone(), object_type };
        tokio::time::sleep(scope.pace).await;
        match self.repair(&repair, requester).await {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(error) if matches!(error.kind(), ErrorKind::Gateway | ErrorKind::Refused | ErrorKind::NotFound) => {
                Ok(Err(error.to_string()))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether the same was found before: a payment through two lists, or an unknown one through another of its objects.
fn is_named_before(named: &mut HashSet<(DriftSubject, String)>, found: &Found) -> bool {
    let names = [&found.name].into_iter().chain(&found.refs);
    let names: Vec<_> = names.map(|name| (found.subject, name.clone())).collect();
    let is_known = names.iter().any(|name| named.contains(name));
    named.extend(names);
    is_known
}

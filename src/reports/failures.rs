//! Failures by what they have in common: how many, and since when.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::browse::{COUNT_CAP, EventView, SEARCH_CAP, events_in};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::failure_group::handler_of;
use crate::domain::scope::Scope;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{EventFilter, EventStream, Window};

/// How many groups are shown.
const GROUPS: i64 = 50;

/// Events that failed alike.
pub(crate) struct FailureGroup {
    /// What they have in common, in words.
    pub cause: String,
    /// The handler that failed; `None` where the event itself could not be processed.
    pub handler: Option<String>,
    /// How many, counted up to [`COUNT_CAP`].
    pub count: i64,
    /// When the first and the last of them were received.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

impl Engine {
    /// The groups of events that failed and were not requeued or given up since, the largest first; and whether there
    /// are more than are shown. Of some variants the newest failures are looked at.
    pub(crate) async fn failures(self: &Arc<Self>, scope: Scope) -> Result<(Vec<FailureGroup>, bool), Error> {
        let engine = self.clone();
        self.look(move |tx| {
            if !scope.is_all() {
                let variants = engine.names_to_list(tx, (&scope, None), None)?;
                return newest(tx, &scope, &variants);
            }
            let mut causes = tx.failure_groups("", GROUPS + 1)?;
            let is_more = causes.len() as i64 > GROUPS;
            causes.truncate(GROUPS as usize);
            if causes.is_empty() {
                return Ok((Vec::new(), false));
            }
            let streams: Vec<EventStream> = causes.iter().cloned().map(EventStream::Failure).collect();
            let counts = tx.count_events(&streams, COUNT_CAP)?;
            let [first, last] = [true, false].map(|rising| ends(tx, &streams, rising));
            let (first, last) = (first?, last?);
            let group = |(at, cause): (usize, String)| FailureGroup {
                handler: handler_of(&cause).map(str::to_owned),
                count: counts.get(at).copied().unwrap_or_default(),
                first: first.get(at).copied().flatten(),
                last: last.get(at).copied().flatten(),
                cause,
            };
            let mut groups: Vec<FailureGroup> = causes.into_iter().enumerate().map(group).collect();
            groups.sort_by_key(|group| std::cmp::Reverse(group.count));
            Ok((groups, is_more))
        })
        .await
    }
}

/// The groups among the newest failures of some variants: the index of groups has everybody's.
fn newest(tx: &mut dyn Tx, scope: &Scope, variants: &[String]) -> Result<(Vec<FailureGroup>, bool), Error> {
    let (mut groups, mut is_more) = (BTreeMap::<String, FailureGroup>::new(), false);
    for state in [EventState::Retryable, EventState::Discarded] {
        let filter = EventFilter { scope: scope.clone(), state: Some(state), ..EventFilter::default() };
        let found = events_in(tx, &EventView { filter, search: None }, variants, None, SEARCH_CAP)?;
        is_more |= found.further.is_some();
        let failed = found.rows.into_iter().filter(|row| row.outcome_code.as_deref() != Some("discarded"));
        for (cause, at) in failed.filter_map(|row| Some((row.failure?, row.received_at))) {
            let handler = handler_of(&cause).map(str::to_owned);
            let new = FailureGroup { cause: cause.clone(), handler, count: 0, first: Some(at), last: Some(at) };
            let group = groups.entry(cause).or_insert(new);
            group.count += 1;
            group.first = group.first.min(Some(at));
            group.last = group.last.max(Some(at));
        }
    }
    let mut groups: Vec<FailureGroup> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    is_more |= groups.len() > GROUPS as usize;
    groups.truncate(GROUPS as usize);
    Ok((groups, is_more))
}

/// When the first or the last event of each stream was received.
fn ends(tx: &mut dyn Tx, streams: &[EventStream], rising: bool) -> Result<Vec<Option<Timestamp>>, Error> {
    let window = Window { rising, ..Window::whole(1) };
    let ids = tx.event_ids(streams, &EventFilter::default(), &window, 1)?;
    let found: Vec<_> = ids.iter().flatten().copied().collect();
    let rows = tx.events_with(&found)?;
    let received = |id| rows.iter().find(|row| row.id == id).map(|row| row.received_at);
    Ok(ids.iter().map(|ids| ids.first().copied().and_then(received)).collect())
}

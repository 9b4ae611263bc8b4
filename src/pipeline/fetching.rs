//! Events that name an object without showing it: the gateway is asked, and each waits until the answer is in the
//! ledger. Here is what is asked for and what that came to; how the gateway is asked is said in `operations`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use crate::domain::event::{EventState, Source};
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::named::{NOT_SHOWN, NamedObject};
use crate::domain::operation::OperationState;
use crate::domain::{Timestamp, later};
use crate::engine::request::{fetch_key, new_fetch_key};
use crate::error::Error;
use crate::gateways::HINT_KIND;
use crate::store::Tx;
use crate::store::fetches::{AnswerRow, FetchRow, NewFetch};
use crate::store::rows::EventRow;

/// How soon an event is looked at again whose answer is not in the ledger yet.
const LOOK: Duration = Duration::from_secs(10);

/// What is known of the questions that events of a batch have begun.
#[derive(Default)]
pub(crate) struct FetchSet {
    asked: HashMap<EventId, Asked>,
    /// The events that show what others name, by variant and id of the gateway's, as far as they are stored.
    stored: HashSet<(String, String)>,
    /// What is to be asked.
    new: Vec<NewFetch>,
}

/// A question that an event began or joined, with the events of its answer as far as they are stored.
struct Asked {
    fetch: FetchRow,
    answers: Vec<AnswerRow>,
}

/// How it stands with what an event names.
enum Standing<'a> {
    /// Nobody has asked for it yet, on behalf of this event.
    New,
    /// It is not shown yet.
    Open,
    /// It is shown by this event, which is not in the ledger yet.
    Answered(&'a str),
    /// It is shown, and what was shown is in the ledger: by these events.
    Shown(&'a [AnswerRow]),
    /// What the gateway answered is of no use: this event of the answer was given up.
    Unusable(&'a str),
    /// The gateway says that there is no such object, or not for this configuration, for this reason.
    Refused(&'a str),
    /// The gateway was asked for long enough, for nothing.
    GivenUp(&'a str),
}

impl FetchSet {
    /// Reads what these events have asked for.
    pub(crate) fn read(tx: &mut dyn Tx, named: &[(&EventRow, &NamedObject)]) -> Result<Self, Error> {
        let mut set = Self::default();
        let events: Vec<EventId> = named.iter().map(|(row, _)| row.id).collect();
        let asked = tx.asked_by(&events)?;
        // Events by their ids: the answers, and those that show what others name.
        let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (_, fetch) in &asked {
            ids.entry(&fetch.variant).or_default().extend(fetch.answers());
        }
        for (row, object) in named {
            ids.entry(&row.variant).or_default().extend(object.shown_by.clone());
        }
        let mut found = HashMap::new();
        for (variant, ids) in ids.into_iter().filter(|(_, ids)| !ids.is_empty()) {
            let rows = tx.answers_of(variant, &ids)?;
            found.extend(rows.into_iter().map(|row| ((variant.to_owned(), row.gateway_event_id.clone()), row)));
        }
        for (event, fetch) in asked {
            let answer = |id: String| found.get(&(fetch.variant.clone(), id)).cloned();
            let answers = fetch.answers().into_iter().filter_map(answer).collect();
            set.asked.insert(event, Asked { fetch, answers });
        }
        // One that was given up shows nothing.
        let is_kept = |(key, row): (_, AnswerRow)| (row.state != EventState::Discarded).then_some(key);
        set.stored = found.into_iter().filter_map(is_kept).collect();
        Ok(set)
    }

    /// Begins the questions.
    pub(super) fn write(&mut self, tx: &mut dyn Tx) -> Result<(), Error> {
        tx.ask(&std::mem::take(&mut self.new))
    }

    fn standing(&self, event: &EventRow) -> Standing<'_> {
        let Some(Asked { fetch, answers }) = self.asked.get(&event.id) else { return Standing::New };
        let Some(finished_at) = fetch.finished_at else { return Standing::Open };
        // An operator who requeues it wants to know anew.
        if event.requeued_at > Some(finished_at) {
            return Standing::New;
        }
        let outcome = fetch.outcome.as_deref().unwrap_or_default();
        match fetch.state {
            OperationState::Done => {}
            OperationState::Declined => return Standing::Refused(outcome),
            _ => return Standing::GivenUp(outcome),
        }
        if let Some(answer) = answers.iter().find(|answer| answer.state == EventState::Discarded) {
            return Standing::Unusable(&answer.gateway_event_id);
        }
        match answers.iter().find(|answer| !is_in_ledger(answer.state)) {
            Some(answer) => Standing::Answered(&answer.gateway_event_id),
            None => Standing::Shown(answers),
        }
    }
}

/// What becomes of an event that names an object.
pub(super) struct Fetching {
    pub(super) state: EventState,
    pub(super) code: &'static str,
    pub(super) outcome: String,
    /// When it is looked at again, if nothing wakes it.
    pub(super) due_at: Option<Timestamp>,
    /// What the answer turned out to be about, with the answer's id.
    pub(super) payment: Option<(PaymentId, String)>,
    pub(super) subscription: Option<SubscriptionId>,
}

impl FetchSet {
    /// What becomes of the event now. `can_fetch`: why its gateway can't be asked, if it can't; `is_known`: whether a
    /// payment here bears the object's id.
    pub(super) fn step(
        &mut self,
        event: &EventRow,
        object: &NamedObject,
        can_fetch: Result<(), String>,
        is_known: bool,
        now: Timestamp,
    ) -> Result<Fetching, Error> {
        let what = format!("names {} {} without showing it", object.object_type, object.gateway_ref);
        let ended = |state, code, outcome: String| {
            let outcome = format!("{what}; {outcome}");
            Ok(Fetching { state, code, outcome, due_at: None, payment: None, subscription: None })
        };
        let twin = object.shown_by.clone().map(|id| (event.variant.clone(), id));
        if let Some((_, id)) = twin.filter(|twin| self.stored.contains(twin)) {
            return ended(EventState::Ignored, "shown_before", format!("event {id} shows it, which is here"));
        }
        match self.standing(event) {
            // One that is open is joined once more, under its lock: it may have been answered since it was read.
            Standing::New | Standing::Open => {}
            Standing::Answered(id) => {
                // What wakes it may have passed while it was taken up, so it looks again by itself.
                let waits = ended(EventState::Parked, "fetching", format!("waits until event {id} is in the ledger"))?;
                return Ok(Fetching { due_at: Some(later(now, LOOK)), ..waits });
            }
            Standing::Shown(answers) => {
                let ids: Vec<&str> = answers.iter().map(|answer| answer.gateway_event_id.as_str()).collect();
                let by_payment = |answer: &AnswerRow| Some((answer.payment_id?, answer.gateway_event_id.clone()));
                let shown = ended(EventState::Completed, "fetched", format!("event {} shows it", ids.join(", ")))?;
                return Ok(Fetching {
                    payment: answers.iter().find_map(by_payment),
                    subscription: answers.iter().find_map(|answer| answer.subscription_id),
                    ..shown
                });
            }
            Standing::Unusable(id) => {
                let why = format!("what the gateway answered can't be used: event {id} was discarded");
                return ended(EventState::Discarded, NOT_SHOWN, why);
            }
            // Anybody can name anything in an unsigned hint, so that it leads to nothing is no alarm; but that the gateway
            // does not know an object of ours is one.
            Standing::Refused(why) if event.kind == HINT_KIND && !is_known => {
                return ended(EventState::Ignored, NOT_SHOWN, why.to_owned());
            }
            Standing::Refused(why) | Standing::GivenUp(why) => {
                return ended(EventState::Discarded, NOT_SHOWN, why.to_owned());
            }
        }
        self.new.push(NewFetch {
            event: event.id,
            variant: event.variant.clone(),
            object_type: object.object_type.clone(),
            gateway_ref: object.gateway_ref.to_string(),
            account: object.account.clone().unwrap_or_default(),
            idempotency_key: new_fetch_key()?,
            created_at: now,
        });
        match can_fetch {
            Ok(()) => ended(EventState::Parked, "fetching", "waits until the gateway has been asked for it".to_owned()),
            Err(why) => {
                ended(EventState::Parked, "needs_api_key", format!("waits until the gateway can be asked: {why}"))
            }
        }
    }
}

/// Whether an event in this state has done what it does to the ledger.
fn is_in_ledger(state: EventState) -> bool {
    matches!(state, EventState::Completed | EventState::Ignored | EventState::Running)
}

/// Wakes the events that wait for the answers among these that have come to their end.
pub(super) fn wake(tx: &mut dyn Tx, ends: &[(&EventRow, EventState)], now: Timestamp) -> Result<usize, Error> {
    let is_over = |state: EventState| is_in_ledger(state) || state == EventState::Discarded;
    let answers = ends.iter().filter(|(row, state)| row.source == Source::Answer && is_over(*state));
    let mut keys: Vec<String> = answers.filter_map(|(row, _)| fetch_key(&row.gateway_event_id)).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() { Ok(0) } else { tx.wake_fetching(&keys, now) }
}

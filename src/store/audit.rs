//! The rows of the audit and of what pages ask about a variant, and how an act is added.

use std::collections::BTreeMap;
use std::ops::Range;

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::scope::Scope;
use crate::error::Error;

/// An operator's act to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewAct {
    pub actor: String,
    pub act: &'static str,
    pub event_id: Option<EventId>,
    pub payment_id: Option<PaymentId>,
    pub subscription_id: Option<SubscriptionId>,
    pub variant: Option<String>,
    pub address: Option<String>,
    /// What else there is to say of it, in words.
    pub detail: Option<String>,
    pub created_at: Timestamp,
}

/// Acts of operators.
pub(crate) trait Attempts {
    /// Adds an operator's act; answers its number.
    fn begin_act(&mut self, act: &NewAct) -> Result<i64, Error>;
    /// Adds an operator's act.
    fn add_act(&mut self, act: &NewAct) -> Result<(), Error> {
        self.begin_act(act).map(drop)
    }
    /// Notes further events that an act changed, the first of them at `place`, and what there is to say of the act now.
    fn extend_act(&mut self, act: i64, place: usize, events: &[EventId], detail: &str) -> Result<(), Error>;
}

/// What operators did.
pub(crate) trait Acts {
    /// One page of acts, newest first.
    fn browse_acts(&mut self, filter: &ActFilter, from: Option<ActPlace>, limit: i64) -> Result<Vec<ActRow>, Error>;
    /// What the newest `window` acts were.
    fn recent_acts(&mut self, window: i64) -> Result<Vec<String>, Error>;
    /// The first `cap` events of each of these acts on many, in the order in which they were changed.
    fn events_acted_on(&mut self, acts: &[i64], cap: i64) -> Result<Vec<(i64, EventId)>, Error>;
    /// What these acts on many changed of these variants; those that changed nothing of them are left out.
    fn acts_on_variants(&mut self, acts: &[i64], variants: &[String]) -> Result<BTreeMap<i64, OnVariants>, Error>;
    /// The first events of an act on many that are of these variants, in the order in which they were changed, of
    /// those that stand at these places.
    fn own_events_of_act(
        &mut self,
        act: i64,
        variants: &[String],
        places: Range<i64>,
        limit: i64,
    ) -> Result<Vec<EventId>, Error>;
    /// The events of an act on many from this place on, in the order in which they were changed.
    fn events_of_act(&mut self, act: i64, from: i64, limit: i64) -> Result<Vec<EventId>, Error>;
    /// The acts on many that changed these events, newest first, once for each event and with it.
    fn acts_on_many(&mut self, events: &[EventId]) -> Result<Vec<ActRow>, Error>;
}

/// What an act on many changed of some variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OnVariants {
    /// The place of their first event among all that it changed.
    pub first: i64,
    /// How many of their events it changed.
    pub events: i64,
}

/// A stored act.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct ActRow {
    pub id: i64,
    pub actor: String,
    pub act: String,
    pub event_id: Option<EventId>,
    pub payment_id: Option<PaymentId>,
    pub address: Option<String>,
    pub created_at: Timestamp,
    pub variant: Option<String>,
    pub detail: Option<String>,
    pub subscription_id: Option<SubscriptionId>,
}

/// Beside which act a page of the audit begins, and which way it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActPlace {
    pub id: i64,
    /// Towards newer acts.
    pub back: bool,
    /// The act itself is part of the page.
    pub with: bool,
}

/// Which acts a list shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActFilter {
    /// Whose acts may be seen: by what they were done to.
    pub scope: Scope,
    pub actor: Option<String>,
    pub act: Option<String>,
}

/// What a secret signed recently; none: events that bear no signature.
#[derive(Debug)]
pub(crate) struct Matched {
    /// Its label.
    pub secret: Option<String>,
    pub events: i64,
    pub last: Timestamp,
}

/// How often deliveries of a variant were refused for one reason.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// Empty for addresses of no variant.
    pub variant: String,
    /// The reason code.
    pub code: String,
    pub count: i64,
    pub last: Timestamp,
}

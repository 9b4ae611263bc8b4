//! What does the host see of a subscription?

use crate::domain::Timestamp;
use crate::domain::identifier::{GatewayRef, Token, VariantName};
use crate::domain::subscription::{SubscriptionFacts, SubscriptionState, SubscriptionStatus};
use crate::engine::payment::named_account;
use crate::error::{Error, ErrorKind};
use crate::store::subscriptions::SubscriptionRow;

/// A subscription in its current state.
///
/// See [`Payments::subscriptions`](crate::Payments::subscriptions) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// Our public id of it.
    pub token: Token,
    /// The variant that it goes through.
    pub variant: VariantName,
    /// The account at the gateway to which it belongs, if that is not the merchant's own: at Stripe, a connected one.
    pub account: Option<String>,
    /// The gateway's id of it; `None` until the gateway has made it.
    pub gateway_ref: Option<GatewayRef>,
    /// Its state.
    pub state: SubscriptionState,
    /// Real money (`true`) or a test, once an event said so.
    pub livemode: Option<bool>,
    /// Whether it was adopted: made from an event, not started by the host.
    pub adopted: bool,
    /// When it was created here.
    pub created_at: Timestamp,
    /// When it last changed here.
    pub updated_at: Timestamp,
}

impl Subscription {
    /// The status.
    pub fn status(&self) -> SubscriptionStatus {
        self.state.status
    }

    /// The host's own id of the owner.
    pub fn owner(&self) -> Option<&str> {
        self.state.owner.as_deref()
    }

    pub(crate) fn of(row: &SubscriptionRow) -> Result<Self, Error> {
        let facts = facts(row)?;
        Ok(Self {
            token: Token::from(&row.token),
            variant: VariantName::from(&row.variant),
            account: named_account(facts.account.as_ref()),
            gateway_ref: row.gateway_ref.as_ref().map(GatewayRef::from),
            state: facts.state(),
            livemode: row.livemode,
            adopted: row.adopted,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The facts that are stored.
pub(crate) fn facts(row: &SubscriptionRow) -> Result<SubscriptionFacts, Error> {
    serde_json::from_str(&row.facts).map_err(|error| {
        let why = format!("the facts of subscription {} can't be read by this release", row.token);
        Error::new(ErrorKind::Storage, why).with_source(error)
    })
}

/// Puts facts and the state that follows from them into the row.
pub(crate) fn put(row: &mut SubscriptionRow, facts: &SubscriptionFacts, state: &SubscriptionState) {
    row.status = state.status;
    row.gateway_status.clone_from(&state.gateway_status);
    row.owner.clone_from(&state.owner);
    row.customer.clone_from(&state.customer);
    row.customer_ref = state.customer_ref.as_ref().map(String::from);
    row.items = json(&state.items);
    row.period_start = state.period.map(|period| period.start);
    row.period_end = state.period.map(|period| period.end).or(state.renews_at);
    row.trial_end = state.trial_end;
    row.cancel_at = state.cancel_at;
    row.cancel_at_period_end = state.cancel_at_period_end;
    row.canceled_at = state.canceled_at;
    row.ended_at = state.ended_at;
    row.pause = state.pause.as_ref().map(json);
    row.latest_invoice = state.latest_invoice.as_ref().map(String::from);
    row.invoice = state.last_invoice.as_ref().map(json);
    row.due_since = state.due_since().filter(|_| state.status == SubscriptionStatus::PastDue);
    row.certain = state.doubt.is_none();
    row.as_of = state.as_of;
    row.as_of_event.clone_from(&state.as_of_event);
    put_monthly(row, state);
    row.facts = json(facts);
}

/// Puts what it comes to in a month into the row.
pub(crate) fn put_monthly(row: &mut SubscriptionRow, state: &SubscriptionState) {
    let monthly = state.monthly().filter(|_| state.pause.is_none());
    row.monthly_amount = monthly.map(|money| money.minor);
    row.monthly_currency = monthly.map(|money| money.currency.to_string());
}

/// A row of a subscription of which nothing is known yet.
pub(crate) fn new_row(token: String, variant: &str, gateway_ref: Option<&str>, now: Timestamp) -> SubscriptionRow {
    let facts = SubscriptionFacts::default();
    let mut row = SubscriptionRow {
        id: crate::domain::id::SubscriptionId(0),
        token,
        variant: variant.to_owned(),
        gateway_ref: gateway_ref.map(str::to_owned),
        status: SubscriptionStatus::Incomplete,
        gateway_status: None,
        owner: None,
        customer: None,
        customer_ref: None,
        items: String::new(),
        period_start: None,
        period_end: None,
        trial_end: None,
        cancel_at: None,
        cancel_at_period_end: false,
        canceled_at: None,
        ended_at: None,
        pause: None,
        latest_invoice: None,
        invoice: None,
        due_since: None,
        certain: false,
        as_of: None,
        as_of_event: None,
        livemode: None,
        adopted: true,
        facts: String::new(),
        version: 0,
        created_at: now,
        updated_at: now,
        monthly_amount: None,
        monthly_currency: None,
    };
    put(&mut row, &facts, &facts.state());
    row
}

/// What a column of JSON holds. None of our own types fails to become JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

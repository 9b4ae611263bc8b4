//! A subscription as the page and the calls of the dummy gateway move it on: its clock goes where they say, and each
//! step is an event. It keeps no state: what it needs is in a signed link, or comes with the call.

use time::Duration;

use super::checkout::value;
use super::subscription::{DummyInvoice, DummySubscription};
use crate::domain::money::{Currency, Money};
use crate::domain::subscription::{SubscriptionState, SubscriptionStatus};
use crate::domain::{Timestamp, from_unix_seconds};

/// After how many attempts an invoice is given up.
const ATTEMPTS: u32 = 3;
/// How long the gateway waits before it tries an invoice again.
const WAIT: Duration = Duration::days(2);

/// A subscription at a moment of its own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) id: String,
    pub(super) token: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) price: String,
    pub(super) quantity: u32,
    pub(super) amount: Money,
    pub(super) interval: String,
    pub(super) trial_days: u32,
    pub(super) status: SubscriptionStatus,
    /// Where the clock stands: at the last event, or at the moment of the request.
    pub(super) clock: Timestamp,
    pub(super) period: Option<(Timestamp, Timestamp)>,
    pub(super) trial_end: Option<Timestamp>,
    pub(super) cancel_at: Option<Timestamp>,
    /// How often the invoice of the period was tried.
    pub(super) attempts: u32,
    pub(super) return_url: Option<String>,
    pub(super) cancel_url: Option<String>,
}

/// What can be chosen on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The customer agrees, and the first payment succeeds or a trial begins.
    Subscribe,
    /// The clock moves to the next renewal, or the next try of an unpaid one, which is paid.
    Renew,
    /// The same, and it is not paid.
    Fail,
    /// The clock moves to the end of the period, with which it ends.
    End,
}

impl Choice {
    const ALL: [Choice; 4] = [Self::Subscribe, Self::Renew, Self::Fail, Self::End];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Renew => "renew",
            Self::Fail => "fail",
            Self::End => "end",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == word)
    }
}

impl Plan {
    /// The subscription with this id as it is known elsewhere; `None` without a price that has an amount.
    pub(super) fn of(id: &str, state: &SubscriptionState, now: Timestamp) -> Option<Self> {
        let item = state.items.first()?;
        let last = state.last_invoice.as_ref().filter(|invoice| invoice.is_open());
        Some(Self {
            id: id.to_owned(),
            token: None,
            owner: state.owner.clone(),
            customer: state.customer.clone(),
            price: item.price.clone(),
            quantity: item.quantity.and_then(|quantity| u32::try_from(quantity).ok()).unwrap_or(1),
            amount: item.amount?,
            interval: item.interval.clone()?,
            trial_days: 0,
            status: state.status,
            clock: state.as_of.map_or(now, |as_of| as_of.max(now)),
            period: state.period.map(|period| (period.start, period.end)),
            trial_end: state.trial_end,
            cancel_at: state.cancel_at,
            attempts: last.and_then(|invoice| u32::try_from(invoice.attempts).ok()).unwrap_or(0),
            return_url: None,
            cancel_url: None,
        })
    }

    /// The choices that its page offers.
    pub(super) fn choices(&self) -> Vec<Choice> {
        match self.status {
            SubscriptionStatus::Incomplete => vec![Choice::Subscribe, Choice::Fail],
            SubscriptionStatus::Trialing | SubscriptionStatus::Active => {
                // What is to end with the period does not renew.
                if self.cancel_at.is_some() {
                    vec![Choice::End]
                } else {
                    vec![Choice::Renew, Choice::Fail, Choice::End]
                }
            }
            SubscriptionStatus::PastDue => vec![Choice::Renew, Choice::Fail, Choice::End],
            SubscriptionStatus::Unpaid => vec![Choice::Renew, Choice::End],
            SubscriptionStatus::Paused => vec![Choice::End],
            _ => Vec::new(),
        }
    }

    /// What a choice makes of it, with the event that says so.
    pub(super) fn moved(mut self, choice: Choice, event: String) -> (Self, DummySubscription) {
        let is_due = matches!(self.status, SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid);
        // A first payment that failed is tried again for the same period.
        let is_retried = self.status == SubscriptionStatus::Incomplete && self.period.is_some();
        let next = match choice {
            Choice::Subscribe => self.clock,
            Choice::Fail if self.status == SubscriptionStatus::Incomplete => self.clock,
            Choice::Renew | Choice::Fail if is_due => self.clock + WAIT,
            Choice::End if self.status == SubscriptionStatus::Paused || is_due => self.clock,
            _ => self.period.map_or(self.clock, |(_, end)| end),
        };
        // Each event is later than the one before.
        self.clock = next.max(self.clock + Duration::SECOND);
        let mut invoice = None;
        match choice {
            Choice::Subscribe if self.trial_days > 0 => {
                let end = self.clock + Duration::days(i64::from(self.trial_days));
                self.status = SubscriptionStatus::Trialing;
                (self.period, self.trial_end) = (Some((self.clock, end)), Some(end));
            }
            Choice::Subscribe | Choice::Renew => {
                if !is_due && !is_retried {
                    self.begin_period();
                }
                self.attempts += 1;
                invoice = Some(DummyInvoice::paid(self.invoice_id(), self.due(), self.attempts));
                (self.status, self.attempts) = (SubscriptionStatus::Active, 0);
            }
            Choice::Fail => {
                if !is_due && !is_retried {
                    self.begin_period();
                }
                self.attempts += 1;
                let is_over = self.attempts >= ATTEMPTS;
                let unpaid = DummyInvoice::unpaid(self.invoice_id(), self.due(), self.attempts);
                invoice = Some(if is_over { unpaid } else { unpaid.next_attempt(self.clock + WAIT) });
                self.status = match self.status {
                    SubscriptionStatus::Incomplete => SubscriptionStatus::Incomplete,
                    _ if is_over => SubscriptionStatus::Unpaid,
                    _ => SubscriptionStatus::PastDue,
                };
            }
            Choice::End => self.status = SubscriptionStatus::Canceled,
        }
        let event = self.event(event);
        let event = match invoice {
            Some(invoice) => event.invoice(invoice),
            None => event,
        };
        (self, event)
    }

    /// The event that shows it.
    pub(super) fn event(&self, id: String) -> DummySubscription {
        let mut event = DummySubscription::new(id, &self.id, self.status)
            .price(&self.price)
            .quantity(self.quantity)
            .amount(self.amount, &self.interval);
        if let Some(token) = &self.token {
            event = event.token(token);
        }
        if let Some(owner) = &self.owner {
            event = event.owner(owner);
        }
        if let Some(customer) = &self.customer {
            event = event.customer(customer);
        }
        if let Some((start, end)) = self.period {
            event = event.period(start, end);
        }
        if let Some(end) = self.trial_end {
            event = event.trial_end(end);
        }
        match self.cancel_at {
            Some(end) => event.cancel_at(end),
            None => event,
        }
    }

    /// A period that begins now, one interval long.
    fn begin_period(&mut self) {
        self.period = Some((self.clock, self.clock + length(&self.interval)));
        self.attempts = 0;
    }

    /// One invoice a period, however often it is tried.
    fn invoice_id(&self) -> String {
        let start = self.period.map_or(0, |(start, _)| start.unix_timestamp());
        format!("di_{}_{start}", self.id)
    }

    /// What an invoice comes to.
    pub(super) fn due(&self) -> Money {
        Money::new(self.amount.minor.saturating_mul(i64::from(self.quantity)), self.amount.currency)
    }

    /// The fields of a link that carry it; their names are [`NAMES`].
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let seconds = |at: Timestamp| at.unix_timestamp().to_string();
        let values = [
            Some(self.id.clone()),
            self.token.clone(),
            self.owner.clone(),
            self.customer.clone(),
            Some(self.price.clone()),
            Some(self.quantity.to_string()),
            Some(self.amount.minor.to_string()),
            Some(self.amount.currency.to_string()),
            Some(self.interval.clone()),
            Some(self.trial_days.to_string()),
            Some(self.status.as_str().to_owned()),
            Some(seconds(self.clock)),
            self.period.map(|(start, _)| seconds(start)),
            self.period.map(|(_, end)| seconds(end)),
            self.trial_end.map(seconds),
            self.cancel_at.map(seconds),
            Some(self.attempts.to_string()),
            self.return_url.clone(),
            self.cancel_url.clone(),
        ];
        NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// The reverse of [`Plan::fields`].
    pub(super) fn read(fields: &[(String, String)]) -> Option<Self> {
        let text = |name| value(fields, name).map(str::to_owned);
        let number = |name| value(fields, name)?.parse().ok();
        let time = |name| from_unix_seconds(value(fields, name)?.parse().ok()?);
        Some(Self {
            id: text("subscription")?,
            token: text("token"),
            owner: text("owner"),
            customer: text("customer"),
            price: text("price")?,
            quantity: number("quantity")?,
            amount: Money::new(value(fields, "amount")?.parse().ok()?, Currency::parse(&text("currency")?).ok()?),
            interval: text("interval")?,
            trial_days: number("trial_days")?,
            status: SubscriptionStatus::parse(value(fields, "status")?)?,
            clock: time("clock")?,
            period: time("start").zip(time("end")),
            trial_end: time("trial_end"),
            cancel_at: time("cancel_at"),
            attempts: number("attempts")?,
            return_url: text("return"),
            cancel_url: text("cancel"),
        })
    }
}

/// The names of a plan's fields in a link.
pub(super) const NAMES: [&str; 19] = [
    "subscription",
    "token",
    "owner",
    "customer",
    "price",
    "quantity",
    "amount",
    "currency",
    "interval",
    "trial_days",
    "status",
    "clock",
    "start",
    "end",
    "trial_end",
    "cancel_at",
    "attempts",
    "return",
    "cancel",
];

/// How long an interval is; months and years are simple here.
pub(super) fn length(interval: &str) -> Duration {
    match interval {
        "day" => Duration::days(1),
        "week" => Duration::days(7),
        "year" => Duration::days(365),
        _ => Duration::days(30),
    }
}

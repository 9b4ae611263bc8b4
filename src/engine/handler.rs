//! The host's handlers, by name: which of them run for a transition or an event, and what they may answer. What each
//! did is an attempt in the database, so that a retry runs only what is not done.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::notice::{EventNotice, SubscriptionNotice, TransitionNotice};
use crate::domain::event::AttemptOutcome;
use crate::store::Tx;
use crate::store::rows::Step;
use crate::telemetry::{self, Span, Stopwatch};

/// A handler's error. `?` on a value of any error type makes a `Retry`. A `Box<dyn Error + Send + Sync>` is no such
/// type: write `.map_err(HandlerError::Retry)?`.
///
/// ```
/// use std::time::Duration;
///
/// use actix_payments::{HandlerError, Transition};
///
/// async fn book(step: Transition) -> Result<(), HandlerError> {
///     let Some(reference) = &step.payment.reference else {
///         return Err(HandlerError::Discard("a payment without an order can't be booked".to_owned()));
///     };
///     let number: u64 = reference.parse()?; // Any error type means: try again, with the usual backoff.
///     check(number).map_err(HandlerError::Retry)?; // So does a boxed error.
///     if is_night() {
///         return Err(HandlerError::RetryAfter(Duration::from_secs(3600), "the books are closed".to_owned()));
///     }
///     println!("book order {number}");
///     Ok(())
/// }
/// # fn is_night() -> bool { false }
/// # fn check(_: u64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> { Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum HandlerError {
    /// Try again, with the usual backoff.
    Retry(Box<dyn std::error::Error + Send + Sync>),
    /// Try again after this time, for this reason.
    RetryAfter(Duration, String),
    /// Never try again, for this reason. The event is discarded, and an alarm reports it.
    Discard(String),
}

impl HandlerError {
    /// Try again, for this reason.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry(why.into().into())
    }

    /// What a handler's panic with these words counts as.
    pub(crate) fn panicked(words: &str) -> Self {
        Self::retry(format!("the handler panicked: {words}"))
    }

    pub(crate) fn outcome(&self) -> AttemptOutcome {
        match self {
            Self::Retry(_) => AttemptOutcome::Error,
            Self::RetryAfter(..) => AttemptOutcome::RetryAfter,
            Self::Discard(_) => AttemptOutcome::Discard,
        }
    }

    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Retry(error) => error.to_string(),
            Self::RetryAfter(_, why) | Self::Discard(why) => why.clone(),
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::Retry(Box::new(error))
    }
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread runs a handler in a transaction, which must not wait for another transaction: that one
/// would wait for it.
pub(crate) struct Inside;

impl Inside {
    pub(crate) fn enter() -> Self {
        INSIDE.set(true);
        Self
    }

    /// Whether this thread is in a transaction of a handler's.
    pub(crate) fn is_entered() -> bool {
        INSIDE.get()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}

pub(crate) type Run = Pin<Box<dyn Future<Output = Result<(), HandlerError>>>>;
type OnTransition = Box<dyn Fn(TransitionNotice) -> Run + Send + Sync>;
type OnSubscription = Box<dyn Fn(SubscriptionNotice) -> Run + Send + Sync>;
type OnEvent = Box<dyn Fn(EventNotice) -> Run + Send + Sync>;
/// Runs in the transaction, on its connection, for a step of type `T`.
pub(crate) type InTransaction<T> = Box<dyn Fn(&mut dyn Any, &T) -> Result<(), HandlerError> + Send + Sync>;

/// All handlers, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Handlers {
    pub(super) on_transition: Vec<(String, OnTransition)>,
    pub(super) on_subscription: Vec<(String, OnSubscription)>,
    on_event: Vec<(String, String, OnEvent)>,
    pub(super) in_transaction: Vec<(String, InTransaction<TransitionNotice>)>,
    pub(super) in_transaction_of_subscription: Vec<(String, InTransaction<SubscriptionNotice>)>,
}

impl Handlers {
    pub(crate) fn add_transition<F, R>(&mut self, name: String, run: F)
    where
        F: Fn(TransitionNotice) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        let run = Arc::new(run);
        self.on_transition.push((name, Box::new(move |transition| later(&run, transition))));
    }

    pub(crate) fn add_subscription<F, R>(&mut self, name: String, run: F)
    where
        F: Fn(SubscriptionNotice) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        let run = Arc::new(run);
        self.on_subscription.push((name, Box::new(move |transition| later(&run, transition))));
    }

    pub(crate) fn add_event<F, R>(&mut self, name: String, kind: String, run: F)
    where
        F: Fn(EventNotice) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        let run = Arc::new(run);
        self.on_event.push((name, kind, Box::new(move |event| later(&run, event))));
    }

    pub(crate) fn add_in_transaction(&mut self, name: String, run: InTransaction<TransitionNotice>) {
        self.in_transaction.push((name, run));
    }

    pub(crate) fn add_in_transaction_of_subscription(&mut self, name: String, run: InTransaction<SubscriptionNotice>) {
        self.in_transaction_of_subscription.push((name, run));
    }

    /// The names of all handlers, in the order in which they were added to each list.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        let names = self.on_transition.iter().map(|(name, _)| name);
        let names = names.chain(self.on_subscription.iter().map(|(name, _)| name));
        let names = names.chain(self.on_event.iter().map(|(name, _, _)| name));
        let names = names.chain(self.in_transaction.iter().map(|(name, _)| name));
        names.chain(self.in_transaction_of_subscription.iter().map(|(name, _)| name))
    }

    /// The name and the kind of each handler of events.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&String, &String)> {
        self.on_event.iter().map(|(name, kind, _)| (name, kind))
    }

    /// The names of the handlers in the transaction for steps of payments.
    pub(crate) fn in_transaction(&self) -> impl Iterator<Item = &String> {
        self.in_transaction.iter().map(|(name, _)| name)
    }

    /// The names of the handlers in the transaction for steps of subscriptions.
    pub(crate) fn in_transaction_of_subscription(&self) -> impl Iterator<Item = &String> {
        self.in_transaction_of_subscription.iter().map(|(name, _)| name)
    }

    /// The runs that this event is due: each handler of transitions for each of them, those of subscriptions for each
    /// of theirs, then those for its kind.
    pub(crate) fn runs<'a>(
        &'a self,
        transitions: &'a [TransitionNotice],
        subscriptions: &'a [SubscriptionNotice],
        event: &'a EventNotice,
    ) -> Vec<Call<'a>> {
        let mut calls: Vec<Call<'a>> = Vec::new();
        for step in transitions {
            let transition = Some(Step::Payment(step.id));
            calls.extend(self.on_transition.iter().map(|(name, run)| -> Call<'a> {
                Call { handler: name, transition, begin: Box::new(move || run(step.clone())) }
            }));
        }
        for step in subscriptions {
            let transition = Some(Step::Subscription(step.id));
            calls.extend(self.on_subscription.iter().map(|(name, run)| -> Call<'a> {
                Call { handler: name, transition, begin: Box::new(move || run(step.clone())) }
            }));
        }
        let wanted = self.on_event.iter().filter(|(_, kind, _)| matches(kind, &event.kind));
        calls.extend(wanted.map(|(name, _, run)| -> Call<'a> {
            Call { handler: name, transition: None, begin: Box::new(move || run(event.clone())) }
        }));
        calls
    }

    /// The names of those that [`Handlers::runs`] would run for an event of this kind with these transitions, each
    /// with the transition that it is for.
    pub(crate) fn due<'a>(
        &'a self,
        transitions: &'a [Step],
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a str, Option<Step>)> {
        let for_steps = transitions.iter().flat_map(|step| {
            let of_payment = self.on_transition.iter().map(|(name, _)| name);
            let of_subscription = self.on_subscription.iter().map(|(name, _)| name);
            let (is_payment, is_subscription) = match step {
                Step::Payment(_) => (true, false),
                Step::Subscription(_) => (false, true),
            };
            let names = of_payment.filter(move |_| is_payment).chain(of_subscription.filter(move |_| is_subscription));
            names.map(|name| (name.as_str(), Some(*step)))
        });
        let wanted = self.on_event.iter().filter(move |(_, pattern, _)| matches(pattern, kind));
        for_steps.chain(wanted.map(|(name, ..)| (name.as_str(), None)))
    }

    /// Runs the handlers in the transaction for a transition; the name of one that refused, and why.
    pub(crate) fn run_in_transaction(
        &self,
        tx: &mut dyn Tx,
        step: &TransitionNotice,
    ) -> Result<(), (String, HandlerError)> {
        run_all(&self.in_transaction, tx, step, &step.event_id)
    }

    /// The same for a subscription's transition.
    pub(crate) fn run_in_transaction_of_subscription(
        &self,
        tx: &mut dyn Tx,
        step: &SubscriptionNotice,
    ) -> Result<(), (String, HandlerError)> {
        run_all(&self.in_transaction_of_subscription, tx, step, &step.event_id)
    }

    /// Whether any handler runs in the transaction.
    pub(crate) fn any_in_transaction(&self) -> bool {
        !self.in_transaction.is_empty() || !self.in_transaction_of_subscription.is_empty()
    }

    /// Whether any handler is for events of this kind.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.on_event.iter().any(|(_, pattern, _)| matches(pattern, kind))
    }

    pub(crate) fn wants_transitions(&self) -> bool {
        !self.on_transition.is_empty()
    }

    pub(crate) fn wants_subscriptions(&self) -> bool {
        !self.on_subscription.is_empty()
    }
}

fn run_all<T>(
    handlers: &[(String, InTransaction<T>)],
    tx: &mut dyn Tx,
    step: &T,
    event: &str,
) -> Result<(), (String, HandlerError)> {
    for (name, run) in handlers {
        let mut ran = Ok(());
        let watch = Stopwatch::start();
        let lent = Span::handler(name, event).within(|| {
            tx.lend(&mut |conn| {
                let _inside = Inside::enter();
                ran = run(conn, step);
            })
        });
        let ran = lent.map_err(|why| HandlerError::panicked(&why)).and(ran);
        telemetry::handled(name, outcome_of(&ran).as_str(), watch);
        ran.map_err(|error| (name.clone(), error))?;
    }
    Ok(())
}

/// The word for what came of a run.
pub(crate) fn outcome_of(ran: &Result<(), HandlerError>) -> AttemptOutcome {
    ran.as_ref().map_or_else(HandlerError::outcome, |()| AttemptOutcome::Ok)
}

/// Calls the host's function when its future is first polled, so that a panic in either is caught in one place.
fn later<T, F, R>(run: &Arc<F>, with: T) -> Run
where
    T: 'static,
    F: Fn(T) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), HandlerError>> + 'static,
{
    let run = run.clone();
    Box::pin(async move { run(with).await })
}

/// One handler's run that is due.
pub(crate) struct Call<'a> {
    pub(crate) handler: &'a str,
    /// The transition that it is for, if it is for one.
    pub(crate) transition: Option<Step>,
    pub(crate) begin: Box<dyn Fn() -> Run + 'a>,
}

/// The name under which the reading of the event itself is kept among the attempts.
pub(crate) const PROCESS: &str = "process";

pub(super) fn matches(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => pattern == kind,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_kind_matches_itself_and_every_beginning_with_a_star() {
        assert!(matches("charge.refunded", "charge.refunded"));
        assert!(matches("charge.*", "charge.refunded") && matches("*", "charge.refunded"));
        assert!(!matches("charge.*", "charges") && !matches("charge", "charge.refunded"));
    }
}

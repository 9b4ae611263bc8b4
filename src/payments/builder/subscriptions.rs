//! What is configured of subscriptions: their handlers, and who counts as active.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::Builder;
use crate::engine::{HandlerError, SubscriptionNotice};
use crate::payments::handed::SubscriptionTransition;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// Adds an async handler that runs after a subscription's transition was committed. Same promises as
    /// [`Builder::handler`]. A transition is a change of its status, owner, items, period, trial, end or pause.
    pub fn subscription_handler<F, R>(mut self, name: impl Into<String>, run: F) -> Self
    where
        F: Fn(SubscriptionTransition) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        let (handle, run) = (self.handle.clone(), Arc::new(run));
        self.handlers.add_subscription(name.into(), move |notice| {
            let (payments, run) = (handle.payments(), run.clone());
            async move { run(SubscriptionTransition::new(notice, payments?)).await }
        });
        self
    }

    /// Adds a handler that runs inside the transaction that stores a subscription's transition, on the same connection.
    /// Same promises and duties as [`Builder::handler_in_transaction`].
    pub fn subscription_handler_in_transaction<F>(mut self, name: impl Into<String>, run: F) -> Self
    where
        F: for<'a> Fn(C::Lent<'a>, &SubscriptionTransition) -> Result<(), HandlerError> + Send + Sync + 'static,
    {
        let handle = self.handle.clone();
        let erased = move |conn: &mut dyn std::any::Any, notice: &SubscriptionNotice| match C::lend(conn) {
            Some(conn) => run(conn, &SubscriptionTransition::new(notice.clone(), handle.payments()?)),
            None => Err(HandlerError::Discard("the connection is of another type than the builder's".into())),
        };
        self.handlers.add_in_transaction_of_subscription(name.into(), Box::new(erased));
        self
    }

    /// How long an owner whose subscription is past due stays active, from when the money was due. Default 3 days: time
    /// to enter a new card. Zero: not at all.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long [`RequireActive`](crate::RequireActive) and [`ActiveSubscription`](crate::ActiveSubscription) may
    /// remember whether an owner is active. A change that this process makes clears the remembered answer at once, so
    /// this is only how late a change by another process may be seen. Default 5 seconds, 60 at most. Zero: they ask the
    /// database each time.
    pub fn active_cache(mut self, span: Duration) -> Self {
        self.active_for = span;
        self
    }
}

//! How the host's code for payments and events is added.

use std::sync::Arc;

use super::Builder;
use crate::engine::{HandlerError, TransitionNotice};
use crate::payments::handed::{Event, Transition};
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// Adds an async handler that runs after a payment's transition was committed: at least once, and retried with
    /// backoff. Its success is stored under `name`. A transition is a change of status, of a flag or of a concern.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// use actix_payments::{Database, HandlerError, Payments, Transition};
    ///
    /// async fn ship(step: Transition) -> Result<(), HandlerError> {
    ///     if let Some(dispute) = step.dispute_change() {
    ///         println!("{} is {}, answer it by {:?}", dispute.id, dispute.to, dispute.until);
    ///     }
    ///     // It happens once, whatever becomes of the payment later.
    ///     if step.first_paid() {
    ///         println!("ship {:?}", step.payment.reference);
    ///     }
    ///     Ok(())
    /// }
    /// # #[cfg(feature = "sqlite")] {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("shop.db").display().to_string();
    /// let builder = Payments::builder(Database::sqlite(path)?).variant("dummy", dummy());
    /// let payments = builder.handler("ship", ship).build()?;
    /// # drop(payments); }
    /// # Ok(()) }) }
    /// ```
    pub fn handler<F, R>(mut self, name: impl Into<String>, run: F) -> Self
    where
        F: Fn(Transition) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        let (handle, run) = (self.handle.clone(), Arc::new(run));
        self.handlers.add_transition(name.into(), move |notice| {
            let (payments, run) = (handle.payments(), run.clone());
            async move { run(Transition::new(notice, payments?)).await }
        });
        self
    }

    /// Adds an async handler for events of a kind, whether or not they are about a payment. `kind` is the gateway's own
    /// name, or the beginning of one followed by `*`. Same promises as [`Builder::handler`].
    pub fn on_event<F, R>(mut self, kind: impl Into<String>, name: impl Into<String>, run: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        let (handle, run) = (self.handle.clone(), Arc::new(run));
        self.handlers.add_event(name.into(), kind.into(), move |notice| {
            let (payments, run) = (handle.payments(), run.clone());
            async move { run(Event::new(notice, payments?)).await }
        });
        self
    }

    /// Adds a handler that runs inside the transaction that stores a payment's transition, on the same connection: its
    /// writes and the transition are committed together or not at all. It must be quick and must not wait for anything
    /// else, since the payment is locked meanwhile. The methods of [`Payments`](crate::Payments) that use the database
    /// fail when called from it.
    ///
    /// If it fails, its event changes nothing: the payment keeps its status, the event is retried with backoff and
    /// discarded after the last attempt, or at once for [`HandlerError::Discard`]. So a customer may have paid at the
    /// gateway while the payment is pending here. The payment's page and the overview say so. Once the handler is
    /// mended, requeue the event there.
    ///
    /// A transaction processes many events. If one of them fails, the writes for the others are rolled back with it,
    /// and their handlers are called again in another transaction. So whatever this handler does outside of the
    /// connection may happen more than once. On Postgres its statements are planned with `enable_seqscan` off, and each
    /// may take 5 seconds.
    ///
    /// An order may have several payments with its reference; the late expiry of one must not overwrite what another
    /// paid. So let the order keep the token of the payment that paid it. Where `step.to.was_paid()`, run
    /// `UPDATE orders SET status = $1, paid_by = $2 WHERE number = $3 AND (paid_by IS NULL OR paid_by = $2)`, and for
    /// other steps nothing. If a payment that is paid for the first time changes no row, another one paid the order.
    ///
    /// ```no_run
    /// use actix_payments::{AnyConnection, AnyRef, Builder, HandlerError, Transition};
    ///
    /// # #[cfg(feature = "sqlite")]
    /// fn credit(conn: AnyRef<'_>, step: &Transition) -> Result<(), HandlerError> {
    ///     if step.first_paid() {
    ///         match conn {
    ///             AnyRef::Sqlite(conn) => add_credits(conn, &step.payment.reference),
    ///             _ => return Err(HandlerError::Discard("the shop is on SQLite".to_owned())),
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// # fn add_credits<C>(_: &mut C, _: &Option<actix_payments::Reference>) {}
    /// # #[cfg(feature = "sqlite")]
    /// fn configured(builder: Builder<AnyConnection>) -> Builder<AnyConnection> {
    ///     builder.handler_in_transaction("credit", credit)
    /// }
    /// ```
    pub fn handler_in_transaction<F>(mut self, name: impl Into<String>, run: F) -> Self
    where
        F: for<'a> Fn(C::Lent<'a>, &Transition) -> Result<(), HandlerError> + Send + Sync + 'static,
    {
        let handle = self.handle.clone();
        let erased = move |conn: &mut dyn std::any::Any, notice: &TransitionNotice| match C::lend(conn) {
            Some(conn) => run(conn, &Transition::new(notice.clone(), handle.payments()?)),
            None => Err(HandlerError::Discard("the connection is of another type than the builder's".into())),
        };
        self.handlers.add_in_transaction(name.into(), Box::new(erased));
        self
    }

    /// Retires a handler that an earlier release of the host had, by name. Until then, the runs of every handler that
    /// any process registered are owed, so that none is lost while builds with different handlers run side by side. A
    /// process that lacks a handler after the commit leaves its runs to a process that has it; a process that lacks a
    /// handler in the transaction processes no events. The overview and the log show which runs are owed.
    pub fn retire_handler(mut self, name: impl Into<String>) -> Self {
        self.retired.push(name.into());
        self
    }
}

//! The spans: delivery, event, handler and gateway call, each with the event's id where there is one. They bear no
//! body, no secret and no address of a person.

use crate::domain::id::{FetchId, OperationId, SubscriptionOperationId};

/// What is stored of a call to a gateway before it is made.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "only spans bear it"))]
pub(crate) enum MadeFor {
    /// Nothing: it is not made again by itself.
    Nothing,
    Operation(OperationId),
    SubscriptionOperation(SubscriptionOperationId),
    Question(FetchId),
}

/// A span, where spans are made.
#[derive(Clone)]
pub(crate) struct Span(#[cfg(feature = "tracing")] tracing::Span);

impl Span {
    /// A delivery, until it is answered.
    #[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
    pub(crate) fn delivery(variant: &str) -> Self {
        Self(
            #[cfg(feature = "tracing")]
            tracing::debug_span!(target: "payments", "delivery", variant, event = tracing::field::Empty),
        )
    }

    /// Says which event the delivery brought.
    #[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
    pub(crate) fn event_is(&self, event: &str) {
        #[cfg(feature = "tracing")]
        self.0.record("event", event);
    }

    /// An event's way through its handlers.
    #[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
    pub(crate) fn event(variant: &str, event: &str, kind: &str) -> Self {
        Self(
            #[cfg(feature = "tracing")]
            tracing::debug_span!(target: "payments", "event", variant, event, kind),
        )
    }

    /// One run of one handler.
    #[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
    pub(crate) fn handler(handler: &str, event: &str) -> Self {
        Self(
            #[cfg(feature = "tracing")]
            tracing::debug_span!(target: "payments", "handler", handler, event),
        )
    }

    /// A call to a gateway.
    #[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
    pub(crate) fn call(variant: &str, verb: &str, made_for: MadeFor) -> Self {
        #[cfg(feature = "tracing")]
        {
            use tracing::field::Empty;
            let span = tracing::debug_span!(
                target: "payments", "gateway_call",
                variant, verb, operation = Empty, subscription_operation = Empty, question = Empty
            );
            match made_for {
                MadeFor::Nothing => {}
                MadeFor::Operation(id) => _ = span.record("operation", id.0),
                MadeFor::SubscriptionOperation(id) => _ = span.record("subscription_operation", id.0),
                MadeFor::Question(id) => _ = span.record("question", id.0),
            }
            Self(span)
        }
        #[cfg(not(feature = "tracing"))]
        Self()
    }

    /// Runs a future inside of it.
    #[cfg(feature = "tracing")]
    pub(crate) fn around<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        tracing::Instrument::instrument(future, self.0.clone())
    }

    /// Runs a future inside of it.
    #[cfg(not(feature = "tracing"))]
    pub(crate) fn around<F: Future>(&self, future: F) -> F {
        future
    }

    /// Runs a function inside of it.
    pub(crate) fn within<T>(&self, run: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let _entered = self.0.enter();
        run()
    }
}

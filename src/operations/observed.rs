//! A call to a gateway, with its span and its time, and with an end whatever its code does.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::gateways::GatewayError;
use crate::telemetry::{self, Span, Stopwatch};

/// How long a gateway may take to answer. Shorter than an operation is kept from being tried again.
const ANSWER: Duration = Duration::from_secs(240);

/// Makes the call; `verb` is a word of this crate's. One that takes too long or panics has an unknown outcome.
pub(super) async fn observed<T>(
    variant: &str,
    verb: &'static str,
    call: impl Future<Output = Result<T, GatewayError>>,
) -> Result<T, GatewayError> {
    let watch = Stopwatch::start();
    let answer = Span::call(variant, verb).around(ended(call)).await;
    telemetry::called(variant, verb, outcome(&answer), watch);
    answer
}

async fn ended<T>(call: impl Future<Output = Result<T, GatewayError>>) -> Result<T, GatewayError> {
    let unknown = |why: String| Err(GatewayError::OutcomeUnknown(why));
    let mut call = pin!(call);
    let guarded = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(unknown("the gateway's code panicked; the log has where".to_owned())))
    });
    let late = |_| unknown(format!("no answer within {} seconds", ANSWER.as_secs()));
    tokio::time::timeout(ANSWER, guarded).await.unwrap_or_else(late)
}

fn outcome<T>(answer: &Result<T, GatewayError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(GatewayError::Declined(_)) => "declined",
        Err(GatewayError::Unavailable(_)) => "unavailable",
        Err(GatewayError::OutcomeUnknown(_)) => "unknown",
        Err(GatewayError::Unsupported(_)) => "unsupported",
        Err(GatewayError::Malformed(_)) => "malformed",
    }
}

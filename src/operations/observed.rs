//! A call to a gateway, with its span and its time, and with an end whatever its code does.

use std::time::Duration;

use crate::engine::Engine;
use crate::engine::guarded::guarded;
use crate::gateways::GatewayError;
use crate::telemetry::{self, MadeFor, Span, Stopwatch};

/// How long a gateway may take to answer. Shorter than an operation is kept from being tried again.
const ANSWER: Duration = Duration::from_secs(240);

/// Makes a call of which nothing is stored; `verb` is a word of this crate's. One that takes too long or panics has an
/// unknown outcome.
pub(super) async fn observed<T>(
    engine: &Engine,
    variant: &str,
    verb: &'static str,
    call: impl Future<Output = Result<T, GatewayError>>,
) -> Result<T, GatewayError> {
    observed_for(engine, MadeFor::Nothing, variant, verb, call).await
}

/// The same with a call that is made for what is stored, by which its span is found.
pub(super) async fn observed_for<T>(
    engine: &Engine,
    made_for: MadeFor,
    variant: &str,
    verb: &'static str,
    call: impl Future<Output = Result<T, GatewayError>>,
) -> Result<T, GatewayError> {
    let watch = Stopwatch::start();
    let answer = Span::call(variant, verb, made_for).around(ended(call)).await;
    telemetry::called(engine.label(variant), verb, outcome(&answer), watch);
    answer
}

async fn ended<T>(call: impl Future<Output = Result<T, GatewayError>>) -> Result<T, GatewayError> {
    let unknown = |why: String| Err(GatewayError::OutcomeUnknown(why));
    match tokio::time::timeout(ANSWER, guarded(call)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => unknown("the gateway's code panicked; the log has where".to_owned()),
        Err(_) => unknown(format!("no answer within {} seconds", ANSWER.as_secs())),
    }
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

//! A call to a gateway, with its span and its time.

use crate::gateways::GatewayError;
use crate::telemetry::{self, Span, Stopwatch};

/// Makes the call; `verb` is a word of this crate's.
pub(super) async fn observed<T>(
    variant: &str,
    verb: &'static str,
    call: impl Future<Output = Result<T, GatewayError>>,
) -> Result<T, GatewayError> {
    let watch = Stopwatch::start();
    let answer = Span::call(variant, verb).around(call).await;
    telemetry::called(variant, verb, outcome(&answer), watch);
    answer
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

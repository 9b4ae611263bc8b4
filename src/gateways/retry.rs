//! Sends a request again when that is worth it, and turns the last answer into a result. All gateways' clients share
//! which statuses mean that nothing happened, how long to wait, and that a lost answer may have been a yes.

use std::time::Duration;

use super::GatewayError;
use super::http::{Client, Request, Response, SendError};

/// Sends the request until an answer is final or `retries` are used up. `is_retryable` decides whether an answer is
/// worth another try, `refusal` what an answer without success means.
pub(super) async fn send(
    client: &Client,
    retries: u32,
    request: Request,
    is_retryable: fn(&Response) -> bool,
    refusal: fn(&Response) -> GatewayError,
) -> Result<Response, GatewayError> {
    tried(client, retries, request, is_retryable, refusal).await.0
}

/// The same, and whether a try before the last one may have acted.
pub(super) async fn tried(
    client: &Client,
    retries: u32,
    request: Request,
    is_retryable: fn(&Response) -> bool,
    refusal: fn(&Response) -> GatewayError,
) -> (Result<Response, GatewayError>, bool) {
    let (mut retried, mut may_have_acted) = (0, false);
    loop {
        let answer = client.send(request.clone()).await;
        if retried >= retries || !answer.as_ref().map_or(true, is_retryable) {
            let result = result(answer, refusal).map_err(|error| match error {
                // The last try did nothing, but an earlier one may have.
                GatewayError::Unavailable(why) if may_have_acted => GatewayError::OutcomeUnknown(why),
                error => error,
            });
            return (result, may_have_acted);
        }
        may_have_acted |= !matches!(answer, Err(SendError::NotSent(_)));
        tokio::time::sleep(pause(retried)).await;
        retried += 1;
    }
}

/// What a status without success means. `message` is the gateway's own.
pub(super) fn refusal(status: u16, message: String) -> GatewayError {
    match status {
        // Refused before it was processed; an earlier try may have got further.
        401 | 403 | 408 | 429 => GatewayError::Unavailable(message),
        409 | 500.. => GatewayError::OutcomeUnknown(message),
        _ => GatewayError::Declined(message),
    }
}

/// What a call means that was refused, where the question how the object stands has failed: a refusal, too, says that
/// there is no such object; else an earlier try of the call may have done what is refused now.
pub(super) fn unseen(declined: GatewayError, unread: GatewayError) -> GatewayError {
    match unread {
        GatewayError::Declined(_) => declined,
        unread => GatewayError::OutcomeUnknown(format!("{declined}; how it stands is not known: {unread}")),
    }
}

/// The error of a look that failed before the call that acts was sent. Of a first try nothing can have been done; of a
/// later one the refusal says nothing about the tries before.
pub(super) fn unsent(tries: u32, why: GatewayError) -> GatewayError {
    match why {
        GatewayError::Declined(why) if tries > 1 => GatewayError::Unavailable(why),
        GatewayError::OutcomeUnknown(why) | GatewayError::Malformed(why) => GatewayError::Unavailable(why),
        why => why,
    }
}

/// The pause before a retry: half a second, doubled each time up to five, less a random part of up to a half so that
/// clients do not retry in step, but never less than half a second.
fn pause(retried: u32) -> Duration {
    let full: u64 = 500_u64.saturating_mul(1 << retried.min(8)).min(5_000);
    let mut random = [0_u8; 8];
    let jitter = match getrandom::fill(&mut random) {
        Ok(()) => u64::from_le_bytes(random) % (full / 2 + 1),
        Err(_) => 0,
    };
    Duration::from_millis((full - jitter).max(500))
}

fn result(
    answer: Result<Response, SendError>,
    refusal: fn(&Response) -> GatewayError,
) -> Result<Response, GatewayError> {
    let answer = answer.map_err(|error| match error {
        SendError::NotSent(why) => GatewayError::Unavailable(why),
        SendError::AnswerLost(why) => GatewayError::OutcomeUnknown(why),
    })?;
    match answer.status {
        200..=299 => Ok(answer),
        _ => Err(refusal(&answer)),
    }
}

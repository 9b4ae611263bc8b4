//! When is a request sent again, and what has it come to at last? What all gateways' clients share: which statuses say
//! that nothing happened, how long to wait, and that an answer that was lost may have been a yes.

use std::time::Duration;

use super::GatewayError;
use super::http::{Client, NoAnswer, Request, Response};

/// Sends until there is an answer that stands, or no further try is left. `again` says of an answer whether another try is
/// worth it, `refusal` what an answer that is no success means.
pub(super) async fn send(
    client: &Client,
    retries: u32,
    request: Request,
    again: fn(&Response) -> bool,
    refusal: fn(&Response) -> GatewayError,
) -> Result<Response, GatewayError> {
    let (mut tries, mut may_have_acted) = (0, false);
    loop {
        let answer = client.send(request.clone()).await;
        if tries >= retries || !answer.as_ref().map_or(true, again) {
            return settled(answer, refusal).map_err(|error| match error {
                // What the last try did not reach, an earlier one may have done.
                GatewayError::Unavailable(why) if may_have_acted => GatewayError::OutcomeUnknown(why),
                error => error,
            });
        }
        may_have_acted |= !matches!(answer, Err(NoAnswer::NotSent(_)));
        tokio::time::sleep(pause(tries)).await;
        tries += 1;
    }
}

/// What a status that is no success means, in the words of every gateway.
pub(super) fn refusal(status: u16, said: String) -> GatewayError {
    match status {
        // Refused before it was looked at; an earlier try may have got further.
        401 | 403 | 408 | 429 => GatewayError::Unavailable(said),
        409 | 500.. => GatewayError::OutcomeUnknown(said),
        _ => GatewayError::Declined(said),
    }
}

/// Half a second, doubled each time up to five, with up to a half taken off so that not all come back at once, but
/// never less than the half second.
fn pause(tries: u32) -> Duration {
    let full: u64 = 500_u64.saturating_mul(1 << tries.min(8)).min(5_000);
    let mut dice = [0_u8; 8];
    let off = match getrandom::fill(&mut dice) {
        Ok(()) => u64::from_le_bytes(dice) % (full / 2 + 1),
        Err(_) => 0,
    };
    Duration::from_millis((full - off).max(500))
}

fn settled(
    answer: Result<Response, NoAnswer>,
    refusal: fn(&Response) -> GatewayError,
) -> Result<Response, GatewayError> {
    let answer = answer.map_err(|none| match none {
        NoAnswer::NotSent(why) => GatewayError::Unavailable(why),
        NoAnswer::Lost(why) => GatewayError::OutcomeUnknown(why),
    })?;
    match answer.status {
        200..=299 => Ok(answer),
        _ => Err(refusal(&answer)),
    }
}

//! What happens to an unsigned hint before it is answered. It is stored as an event, unless a question about its object
//! is to be put anyway; how many are stored is bounded, since anybody can send them.

use std::sync::Arc;
use std::time::Duration;

use super::receive::{PATIENCE, Received, row};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Source, storable};
use crate::domain::network::client_network;
use crate::engine::tally::{DUPLICATE, RECEIVED};
use crate::engine::{Engine, random_word};
use crate::gateways::Hint;

/// For how long nobody is asked again for an object that the gateway does not know, and no payment here either.
const REFUSED_FOR: Duration = Duration::from_secs(600);

impl Engine {
    /// Takes a hint for `variant` in that came from the address `client`.
    pub(super) async fn take_hint(
        self: &Arc<Self>,
        variant: &str,
        hint: &Hint,
        delivery: &Delivery,
        client: Option<&str>,
        now: Timestamp,
    ) -> Result<Received, Rejection> {
        if !storable(&hint.gateway_ref) {
            return Err(Rejection::BodyMalformed);
        }
        let unavailable = |error: crate::error::Error| {
            error.report(format_args!("a hint could not be looked up: variant={variant}"));
            Rejection::Unavailable
        };
        let (name, object, lately) = (variant.to_owned(), hint.gateway_ref.to_string(), now - REFUSED_FOR);
        let standing = self.read(move |tx| tx.hint_standing(&name, &object, lately)).await.map_err(unavailable)?;
        let covered = Received { events: 1, duplicates: 1 };
        if standing.is_covered || (standing.was_refused && !standing.is_known) {
            self.count(variant, DUPLICATE, 1);
            return Ok(covered);
        }
        let is_allowed = if standing.is_known {
            self.hints.allow_known(variant, now)
        } else {
            self.hints.allow_unknown(variant, &client_network(client.unwrap_or_default()), now)
        };
        if !is_allowed {
            return Err(Rejection::TooManyHints);
        }
        let nonce = random_word(16).map_err(unavailable)?;
        // Nothing but the body: the rest is whatever a stranger sends.
        let event = row(variant, hint.event(delivery, &nonce), Source::Delivery, now)?;
        let events = self.reduce(vec![event]).await.map_err(unavailable)?;
        self.writer.append(events, self.register(), PATIENCE).await.map_err(|error| {
            error.report(format_args!("a hint could not be stored: variant={variant}"));
            Rejection::Unavailable
        })?;
        self.count(variant, RECEIVED, 1);
        self.notify();
        Ok(Received { events: 1, duplicates: 0 })
    }
}

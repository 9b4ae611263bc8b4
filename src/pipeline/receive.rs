//! What happens to a delivery before it is answered: it is verified, cut into events, and committed. Nothing is
//! interpreted here.

use std::sync::Arc;

use std::time::Duration;

use bytes::Bytes;
use log::Level;

use crate::domain::delivery::{Delivery, Rejection, is_secret_header};
use crate::domain::event::{Envelope, EventState, Source, Verified, storable};
use crate::domain::id::EventId;
use crate::domain::{Timestamp, storable_time};
use crate::engine::Engine;
use crate::engine::tally::{DUPLICATE, RECEIVED, REJECTED};
use crate::error::{Error, repeated};
use crate::gateways::{Gateway, TEST_KIND, Verification};
use crate::store::rows::{Claimed, EventRow, NewEvent};
use crate::telemetry::{self, IS_MEASURED, Span};

/// A delivery that is safe now.
///
/// [`Payments::receive`](crate::Payments::receive) returns it and has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// How many events it carried.
    pub events: usize,
    /// How many of them were in the inbox already.
    pub duplicates: usize,
}

/// The counters' name for deliveries to variants that don't exist; their own names would be anybody's choice.
const NOBODY: &str = "";
/// How many characters are logged of a variant's name that somebody made up.
const LONGEST_SHOWN: usize = 64;
/// Header fields that are stored; and those whose names speak of a signature or a webhook, unless they also speak of a
/// secret. A proxy may add fields with tokens of its own, so what is not known to be harmless is left out.
const KEPT: [&str; 7] = ["accept", "content-encoding", "content-length", "content-type", "date", "host", "user-agent"];
/// How long a delivery waits for the database. What is stored after that is a duplicate when it comes again.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// How many bytes of header fields are stored at the most.
const HEADERS: usize = 16 * 1024;

impl Engine {
    /// Takes a delivery for `variant` in. Once this returns `Ok`, its events are committed and will be processed,
    /// whatever happens to this process. `client` is the address that it came from, if that is known.
    ///
    /// # Errors
    /// The rejection that the gateway is to be told; it is counted here.
    pub(crate) async fn receive(
        self: &Arc<Self>,
        variant: &str,
        delivery: Delivery,
        client: Option<&str>,
    ) -> Result<Received, Rejection> {
        let now = self.now();
        let configured = self.addressed(variant, client).await;
        let span = Span::delivery(configured.as_ref().map_or(NOBODY, |_| variant));
        let received = match configured {
            Ok(known) => {
                span.around(self.take_in((variant, &*known.gateway), delivery, client, now, span.clone())).await
            }
            Err(rejection) => Err(rejection),
        };
        match received {
            Ok(Received { events, duplicates }) => {
                telemetry::delivered(
                    self.label(variant),
                    if events > 0 && events == duplicates { "duplicate" } else { "stored" },
                );
            }
            Err(rejection) => self.reject(variant, rejection).await,
        }
        received
    }

    /// Counts a delivery that was refused before it could be received: as its variant's, also where that can't be loaded
    /// now or is no more.
    pub(crate) async fn reject(self: &Arc<Self>, variant: &str, rejection: Rejection) {
        let is_named = rejection != Rejection::TooManyNames && self.is_known_name(variant).await;
        let known = if is_named { variant } else { NOBODY };
        let label = if known.is_empty() { NOBODY } else { self.label(variant) };
        // Anybody may send what is refused, and the log is not theirs to fill.
        let shown: String = variant.chars().take(LONGEST_SHOWN).collect();
        let line = format_args!("rejected a delivery: variant={shown:?} reason={rejection}");
        repeated::log(Level::Warn, &format!("rejected {label} {rejection}"), line);
        telemetry::rejected(label, rejection.code(), rejection.may_come_again());
        self.count(known, &format!("{REJECTED}{rejection}"), 1);
    }

    async fn take_in(
        self: &Arc<Self>,
        (variant, gateway): (&str, &dyn Gateway),
        delivery: Delivery,
        client: Option<&str>,
        now: Timestamp,
        span: Span,
    ) -> Result<Received, Rejection> {
        let verified = match gateway.verify(&delivery, now) {
            Verification::Ready(verified) => verified?,
            Verification::Later(verified) => verified.await?,
            Verification::Hint(hint) => return self.take_hint(variant, &hint?, &delivery, client, now).await,
        };
        let events = rows(variant, verified, headers(&delivery), now)?;
        let (count, writer) = (events.len(), &self.writer);
        // An operator's test shows that the endpoint works, not that the gateway delivers.
        let is_test = events.iter().all(|event| event.kind == TEST_KIND);
        if events.is_empty() {
            return Ok(Received { events: 0, duplicates: 0 });
        }
        events.iter().for_each(|event| span.event_is(&event.gateway_event_id));
        let happened: Vec<_> = events.iter().filter(|_| IS_MEASURED).map(|event| event.occurred_at).collect();
        let unavailable = |error: Error| {
            error.report(format_args!("a delivery could not be stored: variant={variant}"));
            Rejection::Unavailable
        };
        let events = self.reduce(events).await.map_err(unavailable)?;
        let bodies: Vec<Bytes> = events.iter().map(|event| event.body.clone()).collect();
        let stored = writer.append(events, self.register(), PATIENCE).await.map_err(unavailable)?;
        let duplicates = stored.iter().filter(|event| event.duplicate).count();
        for (_, at) in stored.iter().zip(happened).filter(|(event, _)| !event.duplicate) {
            telemetry::received(self.label(variant), at, now);
        }
        if !is_test {
            self.count(variant, RECEIVED, count);
            self.count(variant, DUPLICATE, duplicates);
        }
        if duplicates < count {
            self.notify();
        }
        let repeated = stored.iter().zip(bodies).filter(|(event, _)| event.duplicate);
        self.compare_repeated(variant, repeated.map(|(event, body)| (event.id, body)).collect()).await;
        Ok(Received { events: count, duplicates })
    }
}

fn rows(variant: &str, verified: Verified, headers: String, now: Timestamp) -> Result<Vec<NewEvent>, Rejection> {
    let Verified { events, secret, skew_seconds } = verified;
    let events = events.into_iter().map(|event| {
        let event = row(variant, event, Source::Delivery, now)?;
        Ok(NewEvent { secret: secret.clone(), skew_seconds, headers: headers.clone(), ..event })
    });
    events.collect()
}

/// The row of an event, however it came here. A database may refuse what a gateway's JSON allows (Postgres: NUL), and
/// one such event must not hold up those that are stored with it.
pub(crate) fn row(variant: &str, event: Envelope, source: Source, now: Timestamp) -> Result<NewEvent, Rejection> {
    if ![&event.id, &event.kind].into_iter().all(|text| storable(text)) {
        return Err(Rejection::BodyMalformed);
    }
    Ok(NewEvent {
        variant: variant.to_owned(),
        gateway_event_id: event.id,
        source,
        kind: event.kind,
        livemode: event.livemode,
        api_version: event.api_version.filter(|text| storable(text)),
        account: event.account.filter(|text| storable(text)),
        secret: None,
        skew_seconds: None,
        occurred_at: event.occurred_at.and_then(storable_time),
        received_at: now,
        headers: "{}".to_owned(),
        body: event.body,
    })
}

/// An event that is not stored, as if a worker had claimed it at the end of its grace: to see what it would do.
pub(crate) fn claimed(event: NewEvent, id: EventId) -> Claimed {
    let NewEvent { variant, gateway_event_id, source, kind, livemode, api_version, account, .. } = event;
    let row = EventRow {
        id,
        variant,
        gateway_event_id,
        source,
        kind,
        state: EventState::Running,
        outcome_code: None,
        outcome: None,
        payment_id: None,
        matched_by: None,
        livemode,
        api_version,
        account,
        secret: event.secret,
        skew_seconds: event.skew_seconds,
        occurred_at: event.occurred_at,
        received_at: event.received_at,
        last_delivered_at: event.received_at,
        finished_at: None,
        deliveries: 1,
        attempts: 1,
        claims: 1,
        due_at: None,
        requeued_at: None,
        failure: None,
        subscription_id: None,
    };
    Claimed { row, was_parked: true, body: event.body }
}

/// The header fields that are kept, as a JSON object.
fn headers(delivery: &Delivery) -> String {
    let mut left = HEADERS;
    let mut kept = serde_json::Map::new();
    let is_webhooks = |name: &str| ["signature", "webhook"].iter().any(|word| name.contains(word));
    let keep = |name: &str| KEPT.contains(&name) || is_webhooks(name) && !is_secret_header(name);
    for (name, value) in delivery.headers.iter().filter(|(name, _)| keep(name)) {
        let size = name.len() + value.len();
        if size <= left {
            left -= size;
            let value = String::from_utf8_lossy(value).replace('\0', "\u{FFFD}");
            kept.entry(name.clone()).or_insert(value.into());
        }
    }
    serde_json::Value::Object(kept).to_string()
}

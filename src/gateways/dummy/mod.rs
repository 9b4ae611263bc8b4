//! How does one try everything without a payment company? [`Dummy`] is a gateway that asks nobody.
//!
//! It is also the template for a gateway of your own, one question a file:
//!
//! | file | its question |
//! |---|---|
//! | `event.rs` | What does the gateway send? |
//! | `verify.rs` | Is a delivery genuine, and which event does it carry? |
//! | `interpret.rs` | What does an event say of a payment? |
//!
//! The format is this gateway's own and tidy, so any JSON parser reads it. A real company's events are less so:
//! before you refuse an odd one, know that the company will send the same bytes again until it gives up. See what
//! `stripe/json.rs` says of that.

mod event;
mod interpret;
mod verify;

pub use self::event::{Event, Kind};
use super::signature::Secret;
use super::{Gateway, Verification};
use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::event::{Interpretation, Malformed, Recorded};

/// A gateway for demonstrations and tests. **Everybody can pay with it without paying**, so a host that sells
/// anything leaves it out of what it deploys; its events say so too, their `livemode` is always false.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::domain::money::{Currency, Money};
/// use actix_payments::gateways::dummy::{Dummy, Event, Kind};
/// use actix_payments::gateways::{Gateway, Verification};
///
/// let dummy = Dummy::new("a secret of your own");
/// assert_eq!(dummy.check(), Ok(()));
///
/// let price = Money::new(4999, Currency::parse("EUR")?);
/// let delivery = dummy.delivery(&Event::new("de_1", Kind::Paid, "tok_1", price), Timestamp::UNIX_EPOCH);
/// let Verification::Ready(Ok(verified)) = dummy.verify(&delivery, Timestamp::UNIX_EPOCH) else { panic!() };
/// assert_eq!(verified.events[0].kind, "payment.paid");
/// # Ok::<(), actix_payments::domain::money::BadCurrency>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dummy {
    secret: Secret,
}

impl Dummy {
    /// A dummy gateway that signs its events with `secret`. The text is the key as it
    /// stands, white space included.
    pub fn new(secret: impl Into<String>) -> Self {
        Self { secret: Secret::new(secret) }
    }

    /// `event` as this gateway would deliver it at `now`: signed, with the headers that go along. For tests and
    /// demonstrations of what a host makes of an event.
    pub fn delivery(&self, event: &Event, now: Timestamp) -> Delivery {
        let body = event.body(now);
        let signature = verify::header(&self.secret, now.unix_timestamp(), &body);
        let headers = [("content-type", "application/json".to_owned()), (verify::HEADER, signature)];
        Delivery {
            headers: headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).into(),
            query: String::new(),
            body: body.into(),
        }
    }
}

impl Gateway for Dummy {
    fn name(&self) -> &'static str {
        "Dummy"
    }

    fn check(&self) -> Result<(), String> {
        match self.secret.is_blank() {
            true => Err("expected a signing secret for the dummy gateway, got a blank text".to_owned()),
            false => Ok(()),
        }
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(verify::verify(&self.secret, delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        interpret::interpret(event)
    }
}

/// The `Dummy-Signature` header of `body` at `timestamp` (Unix seconds), for tests that send a body of their own;
/// [`Dummy::delivery`] signs a whole event.
pub fn sign_delivery(secret: &str, timestamp: i64, body: &[u8]) -> String {
    verify::header(&Secret::new(secret), timestamp, body)
}

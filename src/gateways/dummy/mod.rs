//! How does one try everything without a payment company? [`Dummy`] is a gateway that asks nobody: its checkout
//! page lets the customer choose the ending and sends the signed event itself.
//!
//! It is also the template for a gateway of your own, one question a file. A gateway without a checkout page of its
//! own needs the first three, and the few lines of [`Gateway`] that call them:
//!
//! | file | its question |
//! |---|---|
//! | `event.rs` | What does the gateway send? |
//! | `verify.rs` | Is a delivery genuine, and which event does it carry? |
//! | `interpret.rs` | What does an event say of a payment? |
//! | `checkout.rs` | What does a link to the checkout page carry, and is it unaltered? |
//! | `calls.rs` | What does the company do when it is asked to capture, cancel or refund? |
//! | `visit.rs` | What is a customer on that page answered? |
//! | `page.rs`, `ending.rs` | What does the customer see, and where does the customer go afterwards? |
//!
//! The format is this gateway's own and tidy, so any JSON parser reads it. A real company's events are less so:
//! before you refuse an odd one, know that the company will send the same bytes again until it gives up. See what
//! `stripe/json.rs` says of that.

mod calls;
mod checkout;
mod ending;
mod event;
mod interpret;
pub(crate) mod page;
mod verify;
mod visit;

use serde_json::json;

use self::checkout::Checkout;
pub use self::event::{Event, Kind};
use super::signature::Secret;
use super::{
    BoxFuture, Call, Gateway, GatewayError, Listing, Order, PageRequest, PageResponse, SecretStatus, Setup, Started,
    TEST_KIND, Verb, Verification,
};
use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded};

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
    /// A dummy gateway that signs its events and its checkout links with `secret`. The text is the key as it
    /// stands, white space included.
    pub fn new(secret: impl Into<String>) -> Self {
        Self { secret: Secret::new(secret) }
    }

    /// `event` as this gateway would deliver it at `now`: signed, with the headers that go along. For tests and
    /// demonstrations of what a host makes of an event.
    pub fn delivery(&self, event: &Event, now: Timestamp) -> Delivery {
        verify::signed(&self.secret, event.body(now), now)
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

    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Started, GatewayError>> {
        // Nobody has to be asked, so the answer is ready. A real gateway would call its API here.
        Box::pin(std::future::ready(self.started(order)))
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err(calls::COMPLETE.to_owned()),
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(std::future::ready(calls::answer(call)))
    }

    fn list<'a>(&'a self, _: Timestamp, _: Option<&'a Envelope>) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        // Its events are sent by the checkout page, which says so when one does not arrive: none is ever missed.
        Box::pin(std::future::ready(Ok(Listing::default())))
    }

    fn setup(&self) -> Setup {
        let steps = [
            "Nothing has to be set up anywhere: this gateway's checkout page sends its signed events to {address} itself.",
            "Leave it out of what you deploy: everybody can pay with it without paying.",
        ];
        Setup {
            steps: steps.map(str::to_owned).into(),
            kinds: Kind::ALL.map(Kind::as_str).into(),
            secrets: vec![SecretStatus { label: verify::LABEL.to_owned(), is_set: !self.secret.is_blank() }],
            ..Setup::default()
        }
    }

    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        (!self.secret.is_blank()).then(|| verify::headers(&self.secret, body, now))
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        let event = json!({"id": id, "kind": TEST_KIND, "created": now.unix_timestamp(), "object": null});
        Some(verify::signed(&self.secret, event.to_string().into_bytes(), now))
    }

    fn page<'a>(&'a self, request: &'a PageRequest) -> BoxFuture<'a, Option<PageResponse>> {
        Box::pin(visit::answer(&self.secret, request))
    }
}

impl Dummy {
    /// The link to the checkout page: all that the page needs is in it, so nothing has to be remembered.
    fn started(&self, order: &Order) -> Result<Started, GatewayError> {
        let Some(address) = &order.address else {
            let why = "the dummy gateway has a checkout page only where its variant is mounted, and it is not";
            return Err(GatewayError::Unsupported(why.to_owned()));
        };
        if order.amount.minor <= 0 {
            let why = format!("expected an amount above zero, got {}", order.amount);
            return Err(GatewayError::Declined(why));
        }
        let fields = Checkout::of(order).signed_fields(&self.secret);
        Ok(Started::Redirect {
            url: format!("{address}/{}?{}", visit::PATH, checkout::encode(&fields)),
            gateway_refs: vec![event::object_id(&order.token)],
        })
    }
}

/// The `Dummy-Signature` header of `body` at `timestamp` (Unix seconds), for tests that send a body of their own;
/// [`Dummy::delivery`] signs a whole event.
pub fn sign_delivery(secret: &str, timestamp: i64, body: &[u8]) -> String {
    verify::header(&Secret::new(secret), timestamp, body)
}

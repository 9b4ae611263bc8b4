//! A gateway without a payment company, for demonstrations and tests. On the checkout page of [`Dummy`] the customer
//! chooses how the payment ends, and the page sends the signed event itself.
//!
//! It is also the template for a gateway of your own. A gateway without a checkout page needs only the first three
//! files and the few lines of [`Gateway`] that call them:
//!
//! | file | what it does |
//! |---|---|
//! | `event.rs` | writes the gateway's events |
//! | `verify.rs` | signs and verifies deliveries, and reads which event one carries |
//! | `interpret.rs` | reads the facts of an event |
//! | `checkout.rs` | signs and checks the links to the checkout page |
//! | `calls.rs` | answers captures, cancels and refunds |
//! | `visit.rs` | answers requests to the checkout page |
//! | `page.rs`, `ending.rs` | the checkout page, and where the customer goes afterwards |
//! | `subscription.rs`, `shown.rs` | writes and reads events that show a subscription |
//! | `subscriptions.rs`, `plan.rs` | begins subscriptions and answers calls about them |
//! | `manage.rs` | a subscription's page, which moves its clock |
//!
//! The format is this gateway's own and strict, so any JSON parser can read it. A real company's events are less tidy.
//! Before you refuse an odd one, consider that the company will send the same bytes again until it gives up;
//! `gateways/json.rs` says more about that.
//!
//! See [`Dummy`] for an example.

mod calls;
mod checkout;
mod ending;
mod event;
mod interpret;
mod manage;
pub(crate) mod page;
mod plan;
mod shown;
mod subscription;
mod subscriptions;
mod verify;
mod visit;

use std::collections::BTreeMap;

use serde_json::json;

use self::checkout::Checkout;
pub use self::event::{DummyEvent, Kind};
pub use self::subscription::{DummyInvoice, DummySubscription};
use super::signature::Secret;
use super::subscriptions::SubscriptionGateway;
use super::{
    BoxFuture, Call, Gateway, GatewayError, Listing, PageRequest, PageResponse, PaymentRequest, SecretStatus, Setup,
    Started, TEST_KIND, Verb, Verification,
};
use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, storable};
use crate::domain::money::Money;

/// A gateway for demonstrations and tests. **Anybody can pay with it without paying**, so do not deploy it in a shop
/// that sells anything. The `livemode` of its events is always false.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::domain::money::{Currency, Money};
/// use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind};
/// use actix_payments::gateways::{Gateway, Verification};
///
/// let dummy = Dummy::new("a secret of your own").in_production();
/// assert_eq!(dummy.check(), Ok(()));
///
/// let price = Money::new(4999, Currency::EUR);
/// let delivery = dummy.delivery(&DummyEvent::new("de_1", Kind::Paid, "tok_1", price), Timestamp::UNIX_EPOCH);
/// let Verification::Ready(Ok(verified)) = dummy.verify(&delivery, Timestamp::UNIX_EPOCH) else { panic!() };
/// assert_eq!(verified.events[0].kind, "payment.paid");
/// # Ok::<(), actix_payments::domain::money::ParseCurrencyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dummy {
    secret: Secret,
    in_production: bool,
    /// What can be subscribed to: what one costs, for each interval.
    prices: BTreeMap<String, (Money, String)>,
}

impl Dummy {
    /// A dummy gateway that signs its events and its checkout links with `secret`. The text is the key exactly as
    /// given, including white space.
    pub fn new(secret: impl Into<String>) -> Self {
        Self { secret: Secret::new(secret), in_production: false, prices: BTreeMap::new() }
    }

    /// Adds a price that can be subscribed to: its id, and what one costs for each interval (`day`, `week`, `month` or
    /// `year`). Default: none, and nothing can be subscribed to.
    pub fn price(mut self, id: impl Into<String>, amount: Money, interval: impl Into<String>) -> Self {
        self.prices.insert(id.into(), (amount, interval.into()));
        self
    }

    /// Lets a release build have this gateway, for a demonstration that sells nothing. Default: a release build is
    /// refused, so that no shop deploys it by accident.
    pub fn in_production(mut self) -> Self {
        self.in_production = true;
        self
    }

    /// The delivery of `event` that this gateway would send at `now`, signed and with its headers. For tests and
    /// demonstrations.
    pub fn delivery(&self, event: &DummyEvent, now: Timestamp) -> Delivery {
        verify::delivery(&self.secret, event.body(now), now)
    }

    /// The delivery of an event that shows a subscription; see [`Dummy::delivery`].
    pub fn subscription_delivery(&self, event: &DummySubscription, now: Timestamp) -> Delivery {
        verify::delivery(&self.secret, event.body(now), now)
    }
}

impl Gateway for Dummy {
    fn name(&self) -> &'static str {
        "Dummy"
    }

    fn check(&self) -> Result<(), String> {
        if self.secret.is_blank() {
            return Err("expected a signing secret for the dummy gateway, got a blank text".to_owned());
        }
        if let Some(where_blank) = self.secret.surrounding_blank() {
            return Err(format!("expected a signing secret for the dummy gateway, got one that {where_blank}"));
        }
        for (id, (amount, interval)) in &self.prices {
            if !storable(id) || amount.minor <= 0 || !["day", "week", "month", "year"].contains(&interval.as_str()) {
                let expected =
                    "expected a price with an id, an amount above zero and an interval of day, week, month or year";
                return Err(format!("{expected}, got {id:?} of {amount} every {interval:?}"));
            }
        }
        self.check_build(!cfg!(debug_assertions))
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(verify::verify(&self.secret, delivery, now))
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        interpret::references(event)
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.kind == subscription::KIND { shown::interpret(event) } else { interpret::interpret(event) }
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        // The answer is ready at once. A real gateway would call its API here.
        Box::pin(std::future::ready(self.redirect_to_checkout(payment)))
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err(calls::COMPLETES_BY_ITSELF.to_owned()),
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        Box::pin(std::future::ready(calls::answer(call)))
    }

    fn supports_list(&self) -> Result<(), String> {
        Ok(())
    }

    fn list<'a>(&'a self, _: Timestamp, _: Option<&'a Envelope>) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        // No event is ever missed: the checkout page sends them, and reports when one does not arrive.
        Box::pin(std::future::ready(Ok(Listing::default())))
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        Some(self)
    }

    fn setup(&self) -> Setup {
        let steps = [
            "Nothing has to be set up: this gateway's checkout page sends its signed events to {address} itself.",
            "Do not deploy this variant in a real shop: anybody can pay with it without paying.",
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
        Some(verify::delivery(&self.secret, event.to_string().into_bytes(), now))
    }

    fn page<'a>(&'a self, request: &'a PageRequest) -> BoxFuture<'a, Option<PageResponse>> {
        if request.path == manage::PATH {
            return Box::pin(async { Some(manage::answer(&self.secret, request).await) });
        }
        Box::pin(visit::answer(&self.secret, request))
    }
}

impl Dummy {
    /// Whether this kind of build may have it.
    fn check_build(&self, is_release: bool) -> Result<(), String> {
        if is_release && !self.in_production {
            let why =
                "expected Dummy::in_production in a release build, got a gateway with which anybody pays for free";
            return Err(why.to_owned());
        }
        if is_release {
            log::warn!("payments: the dummy gateway is configured: anybody can pay with it without paying");
        }
        Ok(())
    }

    /// The link to the checkout page. It contains everything that the page needs, so no state has to be kept.
    fn redirect_to_checkout(&self, payment: &PaymentRequest) -> Result<Started, GatewayError> {
        let Some(address) = &payment.address else {
            let why = "the dummy gateway has a checkout page only where its variant is mounted, and it is not";
            return Err(GatewayError::Unsupported(why.to_owned()));
        };
        if payment.amount.minor <= 0 {
            let why = format!("expected an amount above zero, got {}", payment.amount);
            return Err(GatewayError::Declined(why));
        }
        let fields = Checkout::new(payment).signed_fields(&self.secret);
        Ok(Started::Redirect {
            url: format!("{address}/{}?{}", visit::PATH, checkout::encode(&fields)),
            gateway_refs: vec![event::object_id(&payment.token).into()],
        })
    }
}

/// The `Dummy-Signature` header for `body` at `timestamp` (Unix seconds), for tests with a body of their own.
/// [`Dummy::delivery`] signs a whole event.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::domain::delivery::Delivery;
/// use actix_payments::gateways::dummy::{Dummy, sign_delivery};
/// use actix_payments::gateways::{Gateway, Verification};
///
/// let body = br#"{"id": "de_1", "kind": "payment.unheard_of", "created": 0, "object": null}"#;
/// let delivery = Delivery::new(&body[..]).with_header("dummy-signature", sign_delivery("secret", 0, body));
/// let dummy = Dummy::new("secret");
/// let Verification::Ready(Ok(_)) = dummy.verify(&delivery, Timestamp::UNIX_EPOCH) else { panic!() };
/// ```
pub fn sign_delivery(secret: &str, timestamp: i64, body: &[u8]) -> String {
    verify::header(&Secret::new(secret), timestamp, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_build_has_it_on_purpose_only() {
        let dummy = Dummy::new("secret");
        assert!(dummy.check_build(false).is_ok() && dummy.check_build(true).is_err());
        assert!(dummy.in_production().check_build(true).is_ok());
    }
}

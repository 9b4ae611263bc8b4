//! The [`Gateway`] trait, and the gateways that come with the crate. Apart from its outgoing calls a gateway is pure:
//! it never sees the database, the web server or the clock.
//!
//! See [`Gateway`] for an example of your own, and [`stripe::Stripe`] for one that comes with the crate.

pub mod adyen;
mod believed;
#[cfg(feature = "braintree")]
pub mod braintree;
mod call;
pub(crate) mod compared;
pub mod conformance;
mod described;
pub mod dummy;
mod hint;
pub mod hmac_webhooks;
pub(crate) mod http;
pub(crate) mod json;
mod json_api;
pub mod lemon_squeezy;
pub mod mercado_pago;
pub mod mollie;
pub mod objects;
pub mod paddle;
mod page;
#[cfg(feature = "paypal")]
pub mod paypal;
pub mod polar;
pub mod razorpay;
mod reading;
mod request;
pub(crate) mod retry;
pub(crate) mod send;
mod setup;
pub(crate) mod signature;
pub mod square;
pub mod standard_webhooks;
pub mod stripe;
pub mod subscriptions;
mod verification;

use std::borrow::Cow;

use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References};
use crate::domain::identifier::GatewayRef;
pub use crate::domain::mode::Mode;
pub use crate::domain::named::NamedObject;
pub use call::{BoxFuture, Call, Fetch, GatewayError, Listing, Started, Verb};
pub use page::{PageRequest, PageResponse};
pub use request::{CaptureMethod, LineItem, PaymentRequest};
pub use setup::{SecretStatus, Setup};
pub use verification::{HINT_KIND, Hint, Reply, Verification};

/// The adapter for one payment company. An instance is one configured variant of it.
///
/// [`Gateway::name`], [`check`](Gateway::check), [`verify`](Gateway::verify) and [`interpret`](Gateway::interpret) are
/// required; with them a gateway receives events. The other methods add further abilities.
///
/// A gateway of your own begins with these. This company sends a mere word. A MAC is compared in constant time, as
/// `examples/acme`, a whole gateway, and [`HmacWebhooks`](hmac_webhooks::HmacWebhooks) do.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::domain::delivery::{Delivery, Rejection};
/// use actix_payments::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
/// use actix_payments::domain::fact::{Aspect, Fact, State};
/// use actix_payments::gateways::{Gateway, Verification};
///
/// struct Acme;
///
/// impl Gateway for Acme {
///     fn name(&self) -> &'static str { "Acme" }
///
///     fn check(&self) -> Result<(), String> { Ok(()) }
///
///     fn verify<'a>(&'a self, delivery: &'a Delivery, _: Timestamp) -> Verification<'a> {
///         Verification::Ready(match delivery.header("acme-word").as_deref() {
///             None => Err(Rejection::SignatureMissing),
///             Some("sesame") => Ok(Verified::new(vec![Envelope::new("evt_1", "order.paid", delivery.body.clone())])),
///             Some(_) => Err(Rejection::SignatureMismatch),
///         })
///     }
///
///     fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
///         let token = str::from_utf8(event.body).map_err(|error| Malformed(error.to_string()))?;
///         let id = format!("acme_{token}");
///         let mut found = Interpretation::new("paid");
///         found.references = References::new([token], [id.clone()]);
///         found.facts = vec![Fact::new(Aspect::Capture, id, State::Succeeded, event.occurred_at, event.id)];
///         Ok(found)
///     }
/// }
///
/// let Verification::Ready(Ok(verified)) = Acme.verify(
///     &Delivery::new("tok_1").with_header("acme-word", "sesame"),
///     Timestamp::UNIX_EPOCH,
/// ) else { panic!() };
/// let event = &verified.events[0];
/// let found = Acme.interpret(&Recorded::new(&event.id, &event.kind, Timestamp::UNIX_EPOCH, &event.body))?;
/// assert_eq!(found.references.tokens[0], "tok_1");
/// # Ok::<(), Malformed>(())
/// ```
pub trait Gateway: Send + Sync + 'static {
    /// The company's name as people write it: `Stripe`.
    fn name(&self) -> &'static str;

    /// Whether the company sells in its own name and pays the tax on what it sells (a merchant of record). That tax is
    /// no fee, so net amounts in the books still include it, and the books say so. Default: the host sells.
    fn is_merchant_of_record(&self) -> bool {
        false
    }

    /// Checks the configuration, when the host builds its [`Payments`](crate::Payments).
    ///
    /// # Errors
    /// What was expected and what was given, for a developer. Never contains a secret.
    fn check(&self) -> Result<(), String>;

    /// Verifies that a delivery is genuine, and reads which events it carries. Runs before anything is stored, so it
    /// should do no more than that. `now` is the time at which the delivery was received.
    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a>;

    /// The answer to a delivery, for companies that expect an answer of their own, such as `[accepted]`, or 498 for a
    /// wrong signature. `outcome` is `Ok` once the events are stored.
    ///
    /// Default: `None`, which means 200 and `ok`, or the rejection's usual status and its reason code. A reply is used
    /// only for a final outcome and only with a matching status: 2xx for `Ok`, 4xx for a rejection. Otherwise the usual
    /// answer is given.
    fn reply(&self, outcome: Result<(), Rejection>) -> Option<Reply> {
        let _ = outcome;
        None
    }

    /// Interprets an event: which payment it is about, and which facts it states. Pure and total: the same bytes always
    /// give the same facts, an unknown kind gives none and a summary that says so, and no input causes a panic.
    ///
    /// # Errors
    /// [`Malformed`] when the event is of a known kind but its body cannot be read.
    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed>;

    /// The part of an event's body that is the same in each of its deliveries. The first body is kept; if a later one
    /// under the same id differs in this part, that is recorded with the event. Pure and total. Default: the whole
    /// body.
    fn unchanging<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(body)
    }

    /// The ids by which an event names its payment, as far as they can be read. Called for an event that
    /// [`Gateway::interpret`] can't read, so that the event is found by its ids and shown on its payment's page. Pure
    /// and total. Default: none.
    fn references(&self, event: &Recorded<'_>) -> References {
        let _ = event;
        References::default()
    }

    /// Starts a payment at the gateway. Default: [`Started::Done`], which leaves that to the host.
    ///
    /// # Errors
    /// See [`GatewayError`].
    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        let _ = payment;
        Box::pin(async { Ok(Started::Done) })
    }

    /// Whether payments and subscriptions can be started for this account at the gateway, named as in its events.
    /// Default: they can't.
    ///
    /// # Errors
    /// Why not, as a sentence for a developer.
    fn supports_account(&self, account: &str) -> Result<(), String> {
        let _ = account;
        Err(format!("{} starts payments for the merchant's own account only", self.name()))
    }

    /// The account of payments that are started without a named account, in the form of [`Interpretation::account`]:
    /// the empty text if events distinguish the merchant's own account from others. Default: `None`, and the first
    /// trusted event decides.
    fn own_account(&self) -> Option<String> {
        None
    }

    /// Whether the gateway supports this verb in its current configuration. Supports nothing by default.
    ///
    /// # Errors
    /// Why not, as a sentence for an operator.
    fn supports(&self, verb: Verb) -> Result<(), String> {
        let _ = verb;
        Err(format!("{} can't be asked for anything from here.", self.name()))
    }

    /// Does something with a payment at the gateway, or asks for its current state. Returns the resulting state as
    /// events, which are stored and processed like all others. Supports nothing by default.
    ///
    /// The ids of the events are the call's idempotency key, so that a repeated answer is a duplicate; those of a refresh
    /// are `<key>-1`, `<key>-2` and so on.
    ///
    /// # Errors
    /// See [`GatewayError`]. A refresh that cannot report the payment's whole state, except for what
    /// [`Gateway::refresh_leaves_out`] names, must return an error.
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        let verb = call.verb;
        Box::pin(async move { Err(GatewayError::Unsupported(self.supports(verb).err().unwrap_or_default())) })
    }

    /// What a refresh leaves out, because the company can't list it for a single payment, as a noun:
    /// `disputes of which no event has come`. The page that asks for confirmation and the timeline say so. Default:
    /// nothing.
    fn refresh_leaves_out(&self) -> Option<&'static str> {
        None
    }

    /// Whether the gateway, in its current configuration, can be asked for an object that an event only names. Default:
    /// it can't. Such events wait until it can, so the reason should say what is missing.
    ///
    /// # Errors
    /// Why not, as a sentence for an operator.
    fn supports_fetch(&self) -> Result<(), String> {
        Err(format!("{} can't be asked for an object from here.", self.name()))
    }

    /// Asks for an object as it is now. Returns it as events, which are stored and processed like all others. It
    /// changes nothing at the gateway, so it is repeated until there is an answer. Default: unsupported.
    ///
    /// The ids of the events are `<key>-1`, `<key>-2` and so on, of the idempotency key.
    ///
    /// # Errors
    /// See [`GatewayError`]; [`GatewayError::Declined`] if there is no such object, or not for this configuration.
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        let _ = fetch;
        Box::pin(async move { Err(GatewayError::Unsupported(self.supports_fetch().err().unwrap_or_default())) })
    }

    /// Whether the gateway, in its current configuration, can list its events, so that missed ones can be fetched.
    /// Default: it can't, and the worker does not ask for a list.
    ///
    /// # Errors
    /// Why not, as a sentence for an operator.
    fn supports_list(&self) -> Result<(), String> {
        Err(format!("{} has no list of events.", self.name()))
    }

    /// Whether an id of the gateway's has the form of an invoice's. An event that names an invoice may turn out to
    /// belong to a subscription that was started here, once an event about the invoice says so. Default: no id has.
    fn is_invoice(&self, gateway_ref: &GatewayRef) -> bool {
        let _ = gateway_ref;
        false
    }

    /// Lists a page of the gateway's events since `since`, newest first. `before` is the last event of the previous
    /// page. Default: unsupported.
    ///
    /// # Errors
    /// See [`GatewayError`].
    fn list<'a>(
        &'a self,
        since: Timestamp,
        before: Option<&'a Envelope>,
    ) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        let _ = (since, before);
        Box::pin(async move { Err(GatewayError::Unsupported(self.supports_list().err().unwrap_or_default())) })
    }

    /// Asks the gateway to send the event with this id again, signed, to the variant's address. Default: unsupported.
    ///
    /// # Errors
    /// See [`GatewayError`].
    fn resend<'a>(&'a self, event_id: &'a str) -> BoxFuture<'a, Result<(), GatewayError>> {
        let _ = event_id;
        Box::pin(async {
            Err(GatewayError::Unsupported(format!("{} can't be asked to send an event again.", self.name())))
        })
    }

    /// The gateway's calls about subscriptions. Default: `None`, for a gateway without subscriptions.
    fn subscriptions(&self) -> Option<&dyn subscriptions::SubscriptionGateway> {
        None
    }

    /// The gateway's lists of objects, by which payments and subscriptions are found that no event reported. Default:
    /// `None`, for a gateway without such lists, or if it can't be asked in its current configuration.
    fn objects(&self) -> Option<&dyn objects::ObjectSource> {
        None
    }

    /// Answers other requests to the variant's address: for a page of the gateway's own, or a challenge. Default:
    /// `None`, which means not found.
    fn page<'a>(&'a self, request: &'a PageRequest) -> BoxFuture<'a, Option<PageResponse>> {
        let _ = request;
        Box::pin(async { None })
    }

    /// What has to be set up at the company, for the variant's admin page. Default: only the variant's address.
    fn setup(&self) -> Setup {
        Setup::default()
    }

    /// The header fields that make `body` a genuine delivery at `now`, signed with the current secret. The admin pages
    /// show them in a command that a developer can copy. Default: `None`, because only the company can sign.
    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        let _ = (body, now);
        None
    }

    /// A genuine delivery of `event` at `now`, signed with the current secret: of what the company writes before it signs.
    /// `id` names the delivery, for companies that name it beside the event. The test kit delivers with this. Default:
    /// `event` with the header fields of [`Gateway::sign`].
    fn signed_delivery(&self, id: &str, event: &[u8], now: Timestamp) -> Option<Delivery> {
        let _ = id;
        let headers = self.sign(event, now)?.into_iter().map(|(name, value)| (name, value.into_bytes()));
        Some(Delivery { headers: headers.collect(), query: String::new(), body: event.to_vec().into() })
    }

    /// A genuine delivery of a test event, with which an operator can check the variant's endpoint. The event has the
    /// id `id` and the kind [`TEST_KIND`], [`Gateway::verify`] accepts it at `now`, and [`Gateway::interpret`] finds
    /// neither facts nor references in it. Default: `None`, which offers no test.
    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        let _ = (id, now);
        None
    }

    /// The address of this object's page in the company's own dashboard. Default: `None`.
    fn dashboard_url(&self, gateway_ref: &GatewayRef, mode: Mode) -> Option<String> {
        let _ = (gateway_ref, mode);
        None
    }
}

/// The kind of the events that [`Gateway::test_delivery`] makes. No company sends it.
///
/// ```
/// use actix_payments::gateways::TEST_KIND;
/// use actix_payments::{Event, HandlerError};
///
/// /// A handler of every kind, for `Builder::on_event("*", …)`.
/// async fn forward(event: Event) -> Result<(), HandlerError> {
///     if event.kind != TEST_KIND {
///         println!("forward {}", event.id);
///     }
///     Ok(())
/// }
/// ```
pub const TEST_KIND: &str = "actix_payments.test";

/// The interpretation of a test event.
pub(crate) fn test_interpretation() -> Interpretation {
    let summary = "a test event sent from the admin; nothing to do".to_owned();
    Interpretation { summary, ..Interpretation::default() }
}

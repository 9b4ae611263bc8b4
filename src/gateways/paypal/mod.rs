//! The gateway for PayPal. [`PayPal`] is one webhook of a REST app. It verifies deliveries offline, except that it
//! fetches PayPal's certificate once a day. With the app's client ID and secret it also starts payments and acts on
//! them.
//!
//! See [`PayPal`] for an example of a variant's configuration.

mod answered;
mod api;
mod certificate;
mod certificate_store;
mod envelope;
mod interpret;
mod resource;
mod subscription;
mod subscriptions;
mod verify;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use rustls_pki_types::TrustAnchor;

use super::subscriptions::SubscriptionGateway;
use super::{
    BoxFuture, Call, Gateway, GatewayError, Listing, Mode, PaymentRequest, SecretStatus, Setup, Started, Verb,
    Verification, compared,
};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use crate::domain::identifier::GatewayRef;
use api::Api;
use certificate_store::{CertificateStore, Chain};
use verify::ClaimedSignature;

/// The label that events carry in place of a signing secret's.
const LABEL: &str = "webhook id";

/// One webhook of a PayPal REST app, in the sandbox or live.
///
/// Events find their payment by the payment's token. A host that creates orders itself passes the token to PayPal as
/// the purchase unit's `custom_id`.
///
/// ```
/// use actix_payments::gateways::{Gateway, paypal::PayPal};
///
/// let paypal = PayPal::new("1JE4291016473214C").live();
/// assert_eq!(paypal.name(), "PayPal");
/// ```
#[derive(Debug, Clone)]
pub struct PayPal {
    webhook_id: String,
    live: bool,
    /// The roots from [`PayPal::roots`]; if there are none, the system's count.
    own_roots: Vec<TrustAnchor<'static>>,
    system_roots: Arc<OnceLock<Vec<TrustAnchor<'static>>>>,
    /// Whether the configuration contains certificates or addresses that can't be read.
    has_unreadable: bool,
    certificates: Arc<CertificateStore>,
    api: Option<Api>,
    online: bool,
}

impl PayPal {
    /// The webhook with this id, which the app's page in PayPal's dashboard shows. It is a sandbox webhook unless
    /// [`PayPal::live`] says otherwise.
    pub fn new(webhook_id: impl Into<String>) -> Self {
        Self {
            webhook_id: webhook_id.into(),
            live: false,
            own_roots: Vec::new(),
            system_roots: Arc::default(),
            has_unreadable: false,
            certificates: Arc::default(),
            api: None,
            online: false,
        }
    }

    /// Declares the webhook a live one. Default: the sandbox. PayPal's events do not say which they are of.
    pub fn live(mut self) -> Self {
        self.live = true;
        if let Some(api) = &mut self.api {
            api.live = true;
        }
        self
    }

    /// Sets the REST app's client ID and secret, with which the crate calls PayPal's API. Default: none, and the host
    /// makes all calls itself.
    ///
    /// [`Payments::create`](crate::Payments::create) then creates an order and returns the address where the customer
    /// approves it. Once approved, the order is captured or authorized; so is an order that the host created with a
    /// payment's token as its `custom_id`. Captures, voids, refunds and refreshes go through PayPal as well. PayPal
    /// accepts neither metadata nor an expiry for an order, and amounts in HUF, JPY and TWD only in whole units.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.api = Some(Api::new(id, secret, self.live));
        self
    }

    /// Sets the address of PayPal's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// PayPal's own address, of the sandbox or live. Has an effect only after [`PayPal::client`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.base = Some(base.into());
        }
        self
    }

    /// Sets how often a call is retried when PayPal can't be reached or reports an error of its own. Default: 2. Every
    /// try has the same `PayPal-Request-Id`, so PayPal acts once. Has an effect only after [`PayPal::client`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.retries = retries;
        }
        self
    }

    /// Has PayPal itself verify every delivery, in place of checking its signature here. Default: off. Needs
    /// [`PayPal::client`]. For hosts that cannot decide which certificates to trust.
    ///
    /// Each delivery then waits for PayPal. It is refused with 503, so that PayPal sends it again, when there is no
    /// answer within 10 seconds. Anybody can cause such a request by posting something that looks like a delivery, so
    /// their number is limited: 8 run at a time, 56 more wait up to 3 seconds, and all others are refused with 503. All
    /// deliveries are refused for 5 seconds after PayPal took long and did not answer.
    pub fn verify_online(mut self) -> Self {
        self.online = true;
        self
    }

    /// Adds trusted root certificates (PEM). Default: the system's, which are no longer trusted once any are added
    /// here.
    pub fn roots(mut self, pem: impl AsRef<[u8]>) -> Self {
        let anchors = certificate::anchors(&certificate::read(pem.as_ref()));
        self.has_unreadable |= anchors.is_empty();
        self.own_roots.extend(anchors);
        self
    }

    /// Adds the certificates (PEM, the signer's first) that PayPal serves at `address`, so that they are not fetched.
    /// Default: none. For machines that cannot reach PayPal.
    pub fn certificate(mut self, address: impl AsRef<str>, pem: impl AsRef<[u8]>) -> Self {
        let chain: Chain = certificate::read(pem.as_ref()).into();
        match certificate::address(address.as_ref()) {
            Some(address) if !chain.is_empty() => self.certificates.add(address, chain),
            _ => self.has_unreadable = true,
        }
        self
    }

    fn roots_in_use(&self) -> &[TrustAnchor<'static>] {
        if !self.own_roots.is_empty() {
            return &self.own_roots;
        }
        self.system_roots.get_or_init(|| certificate::anchors(&rustls_native_certs::load_native_certs().certs))
    }

    fn is_signed(&self, chain: &Chain, claimed: &ClaimedSignature, now: Timestamp) -> bool {
        certificate::signed(chain, self.roots_in_use(), now, claimed.message.as_bytes(), &claimed.signature)
    }

    fn verified(&self, is_genuine: bool, delivery: &Delivery) -> Result<Verified, Rejection> {
        if !is_genuine {
            return Err(Rejection::SignatureMismatch);
        }
        let events = vec![envelope::read(&delivery.body, self.live)?];
        Ok(Verified { events, secret: Some(LABEL.to_owned()), skew_seconds: None })
    }

    /// Has PayPal verify the delivery.
    async fn verify_by_asking(&self, delivery: &Delivery) -> Result<Verified, Rejection> {
        let api = self.api.as_ref().ok_or(Rejection::Unverifiable)?;
        // PayPal is not asked about a delivery whose headers can't be PayPal's.
        verify::claimed_signature(delivery, &self.webhook_id)?;
        api.verify_online(delivery, &self.webhook_id).await?;
        self.verified(true, delivery)
    }

    /// Fetches the certificate, then checks the signature. [`Rejection::Unverifiable`] if it can't be fetched, so that
    /// PayPal sends the delivery again.
    async fn verify_by_fetching(
        &self,
        claimed: ClaimedSignature,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Verified, Rejection> {
        let is_valid = |chain: &Chain| self.is_signed(chain, &claimed, now);
        let chain = self.certificates.fetch(&claimed.address, now, is_valid).await.ok_or(Rejection::Unverifiable)?;
        self.verified(self.is_signed(&chain, &claimed, now), delivery)
    }
}

impl Gateway for PayPal {
    fn name(&self) -> &'static str {
        "PayPal"
    }

    fn check(&self) -> Result<(), String> {
        let id = &self.webhook_id;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(format!("expected the id of PayPal's webhook, got {id:?}"));
        }
        if id.starts_with("WH-") {
            return Err(format!("expected the id of PayPal's webhook, got the id of an event, {id:?}"));
        }
        if self.has_unreadable {
            return Err(
                "expected certificates as PEM, and addresses as PayPal sends them, got something else".to_owned()
            );
        }
        if self.online && self.api.is_none() {
            return Err(
                "expected PayPal's client ID and secret for asking PayPal about deliveries, got none".to_owned()
            );
        }
        self.api.as_ref().map_or(Ok(()), Api::check)?;
        if self.roots_in_use().is_empty() && !self.online {
            return Err("expected root certificates of the system, got none: add some with `roots`".to_owned());
        }
        Ok(())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        if self.online {
            return Verification::Later(Box::pin(self.verify_by_asking(delivery)));
        }
        let claimed = match verify::claimed_signature(delivery, &self.webhook_id) {
            Ok(claimed) => claimed,
            Err(rejection) => return Verification::Ready(Err(rejection)),
        };
        match self.certificates.get(&claimed.address, now) {
            Some(chain) => Verification::Ready(self.verified(self.is_signed(&chain, &claimed, now), delivery)),
            None => Verification::Later(Box::pin(self.verify_by_fetching(claimed, delivery, now))),
        }
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        resource::references(event)
    }

    fn unchanging<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        compared::members(body, &["event_type", "resource"])
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        interpret::interpret(event)
    }

    fn supports(&self, _: Verb) -> Result<(), String> {
        let why = "This variant has no client ID and secret of PayPal's, so PayPal can't be asked for anything from \
                   here.";
        self.api.as_ref().map(|_| ()).ok_or_else(|| why.to_owned())
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(payment)),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.call(call)),
            None => Box::pin(std::future::ready(Err(no_client()))),
        }
    }

    fn supports_list(&self) -> Result<(), String> {
        Gateway::supports(self, Verb::Refresh)
    }

    fn list<'a>(
        &'a self,
        since: Timestamp,
        before: Option<&'a Envelope>,
    ) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.list(since, before)),
            None => Box::pin(std::future::ready(Err(no_client()))),
        }
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        Some(self)
    }

    fn resend<'a>(&'a self, event_id: &'a str) -> BoxFuture<'a, Result<(), GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.resend(event_id, &self.webhook_id)),
            None => Box::pin(std::future::ready(Err(no_client()))),
        }
    }

    fn setup(&self) -> Setup {
        let steps = [
            "In PayPal's developer dashboard, open your REST app and add a webhook. Sandbox and live have separate apps.",
            "Paste {address} as its URL. A live webhook requires https on port 443.",
            "Select the events below. Others do no harm: they are kept for handlers and change no payment.",
            "Copy the webhook's id, give it to this variant and restart the app. Ids that start with WH- are of events.",
            "The simulator's mock events can't be verified and are refused.",
        ];
        Setup {
            steps: steps.map(str::to_owned).into(),
            kinds: interpret::KINDS.into(),
            secrets: vec![SecretStatus { label: LABEL.to_owned(), is_set: !self.webhook_id.is_empty() }],
            api_key: Some(self.api.is_some()),
            docs: vec![("PayPal on webhooks", "https://developer.paypal.com/api/rest/webhooks/rest/")],
            ..Setup::default()
        }
    }

    fn dashboard_url(&self, gateway_ref: &GatewayRef, mode: Mode) -> Option<String> {
        let host = if mode == Mode::Live { "www.paypal.com" } else { "www.sandbox.paypal.com" };
        let plain = gateway_ref.len() == 17 && gateway_ref.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then(|| format!("https://{host}/activity/payment/{gateway_ref}"))
    }
}

fn no_client() -> GatewayError {
    GatewayError::Unsupported("this variant has no client ID and secret of PayPal's".to_owned())
}

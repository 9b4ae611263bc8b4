//! How does one talk to PayPal? [`PayPal`] is one webhook of a REST app: it verifies what comes in without asking
//! PayPal, but for a certificate once a day, reads facts, and with the app's client it starts payments and acts on them.

mod answered;
mod api;
mod certificate;
mod envelope;
mod interpret;
mod store;
mod verify;

use std::sync::{Arc, OnceLock};

use rustls_pki_types::TrustAnchor;

use super::{BoxFuture, Call, Gateway, GatewayError, Listing, Order, SecretStatus, Setup, Started, Verb, Verification};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, Verified};
use api::Api;
use store::{Chain, Store};
use verify::Claim;

/// What the one webhook is called on events.
const LABEL: &str = "webhook id";

/// One webhook of a PayPal REST app, in the sandbox or live.
///
/// An event finds its payment by the payment's token: hand it to PayPal as the purchase unit's `custom_id`.
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
    given: Vec<TrustAnchor<'static>>,
    trusted: Arc<OnceLock<Vec<TrustAnchor<'static>>>>,
    unreadable: bool,
    store: Arc<Store>,
    api: Option<Api>,
    online: bool,
}

impl PayPal {
    /// The webhook of this id, as the app's page in PayPal's dashboard shows it. Default the sandbox.
    pub fn new(webhook_id: impl Into<String>) -> Self {
        Self {
            webhook_id: webhook_id.into(),
            live: false,
            given: Vec::new(),
            trusted: Arc::default(),
            unreadable: false,
            store: Arc::default(),
            api: None,
            online: false,
        }
    }

    /// Says that the webhook is of a live app: events don't tell.
    pub fn live(mut self) -> Self {
        self.live = true;
        if let Some(api) = &mut self.api {
            api.live = true;
        }
        self
    }

    /// The REST app's client ID and secret, with which orders are created, completed, captured, voided, refunded and asked
    /// about here: [`Payments::create`](crate::Payments::create) then answers the address where the customer approves,
    /// and as soon as that is done the order is captured or authorized, one that the host opened with a payment's token as its
    /// `custom_id` too. PayPal takes no metadata, no time at which the order ends, and amounts of HUF, JPY and TWD in whole
    /// units only. Default none: the host does all of it itself.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.api = Some(Api::new(id, secret, self.live));
        self
    }

    /// Where PayPal's API is. Default PayPal's own address, of the sandbox or live; for tests, a fake on this machine by
    /// plain `http://`. Call it after [`PayPal::client`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.base = Some(base.into());
        }
        self
    }

    /// How often a call is tried again when PayPal can't be reached or has trouble of its own. Default 2; each try bears
    /// the same `PayPal-Request-Id`. Call it after [`PayPal::client`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.retries = retries;
        }
        self
    }

    /// Asks PayPal about every delivery whether it is genuine, in place of checking its signature here: for those who
    /// can't say which certificates to trust. Each delivery then waits for PayPal, and is refused for now (503, so that it
    /// is sent again) when PayPal does not answer within 10 seconds. Whoever posts what looks like a delivery makes this
    /// process ask, so it asks about 8 at a time; 56 more wait up to 3 seconds, and all others are refused for now, as are
    /// those of the 5 seconds after PayPal was slow and gave no answer. Needs [`PayPal::client`]. Default off.
    pub fn verify_online(mut self) -> Self {
        self.online = true;
        self
    }

    /// Trusts these root certificates (PEM) in place of the system's. Default the system's.
    pub fn roots(mut self, pem: impl AsRef<[u8]>) -> Self {
        let anchors = certificate::anchors(&certificate::read(pem.as_ref()));
        self.unreadable |= anchors.is_empty();
        self.given.extend(anchors);
        self
    }

    /// Gives the certificates (PEM, the signer's first) that PayPal serves at `address`, for a machine that may not
    /// reach PayPal: then nothing is fetched for that address.
    pub fn certificate(mut self, address: impl AsRef<str>, pem: impl AsRef<[u8]>) -> Self {
        let chain: Chain = certificate::read(pem.as_ref()).into();
        match certificate::address(address.as_ref()) {
            Some(address) if !chain.is_empty() => self.store.give(address, chain),
            _ => self.unreadable = true,
        }
        self
    }

    fn anchors(&self) -> &[TrustAnchor<'static>] {
        match self.given.is_empty() {
            false => &self.given,
            true => self.trusted.get_or_init(|| certificate::anchors(&rustls_native_certs::load_native_certs().certs)),
        }
    }

    fn signed(&self, chain: &Chain, claim: &Claim, now: Timestamp) -> bool {
        certificate::signed(chain, self.anchors(), now, claim.message.as_bytes(), &claim.signature)
    }

    fn judged(&self, genuine: bool, delivery: &Delivery) -> Result<Verified, Rejection> {
        if !genuine {
            return Err(Rejection::SignatureMismatch);
        }
        let events = vec![envelope::read(&delivery.body, self.live)?];
        Ok(Verified { events, secret: Some(LABEL.to_owned()), skew_seconds: None })
    }

    /// Asks PayPal itself.
    async fn ask_online(&self, delivery: &Delivery) -> Result<Verified, Rejection> {
        let api = self.api.as_ref().ok_or(Rejection::Unverifiable)?;
        // What can't be PayPal's is not worth a question.
        verify::claim(delivery, &self.webhook_id)?;
        api.vouches(delivery, &self.webhook_id).await?;
        self.judged(true, delivery)
    }

    /// Fetches the certificate. As long as there is none, nothing is known: PayPal is to send again.
    async fn ask(&self, claim: Claim, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let believe = |chain: &Chain| self.signed(chain, &claim, now);
        let chain = self.store.fetch(&claim.address, now, believe).await.ok_or(Rejection::Unverifiable)?;
        self.judged(self.signed(&chain, &claim, now), delivery)
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
        if self.unreadable {
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
        match self.anchors().is_empty() && !self.online {
            true => Err("expected root certificates of the system, got none: give some by `roots`".to_owned()),
            false => Ok(()),
        }
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        if self.online {
            return Verification::Later(Box::pin(self.ask_online(delivery)));
        }
        let claim = match verify::claim(delivery, &self.webhook_id) {
            Ok(claim) => claim,
            Err(rejection) => return Verification::Ready(Err(rejection)),
        };
        match self.store.get(&claim.address, now) {
            Some(chain) => Verification::Ready(self.judged(self.signed(&chain, &claim, now), delivery)),
            None => Verification::Later(Box::pin(self.ask(claim, delivery, now))),
        }
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        interpret::interpret(event)
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        let verb = verb.as_str();
        let without =
            || format!("This variant has no client of PayPal's, so PayPal can't be asked to {verb} from here.");
        self.api.as_ref().map(drop).ok_or_else(without)
    }

    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(order)),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.call(call)),
            None => Box::pin(std::future::ready(Err(no_client()))),
        }
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

    fn resend<'a>(&'a self, event_id: &'a str) -> BoxFuture<'a, Result<(), GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.resend(event_id, &self.webhook_id)),
            None => Box::pin(std::future::ready(Err(no_client()))),
        }
    }

    fn setup(&self) -> Setup {
        let steps = [
            "In PayPal's developer dashboard, open your REST app and add a webhook. Sandbox and live are apart.",
            "Paste {address} as its URL; live, it has to be https on port 443.",
            "Select the events below. Further ones do no harm: they are kept for handlers and change no payment.",
            "Copy the webhook's id, give it to this variant and restart the app. The ids of events (WH-…) are others.",
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

    fn dashboard_url(&self, gateway_ref: &str, livemode: bool) -> Option<String> {
        let host = if livemode { "www.paypal.com" } else { "www.sandbox.paypal.com" };
        let plain = gateway_ref.len() == 17 && gateway_ref.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then(|| format!("https://{host}/activity/payment/{gateway_ref}"))
    }
}

fn no_client() -> GatewayError {
    GatewayError::Unsupported("this variant has no client of PayPal's".to_owned())
}

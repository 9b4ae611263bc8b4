//! How does one talk to a payment company? The [`Gateway`] trait and the gateways that come with the crate. A
//! gateway is pure but for its outgoing calls: it never sees the database, the web server or the clock.

#[cfg(feature = "braintree")]
pub mod braintree;
mod call;
pub mod conformance;
pub mod dummy;
pub mod hmac_webhooks;
pub(crate) mod http;
pub(crate) mod json;
#[cfg(feature = "paypal")]
pub mod paypal;
pub(crate) mod send;
pub(crate) mod signature;
pub mod standard_webhooks;
pub mod stripe;
pub(crate) mod tries;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

pub use call::{Call, GatewayError, Listing, Verb};

use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, Verified};
use crate::domain::money::Money;

/// A future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The code for one payment company. An instance is one configured variant of it.
pub trait Gateway: Send + Sync + 'static {
    /// The company's name as people write it: `Stripe`.
    fn name(&self) -> &'static str;

    /// Whether the configuration can work. Says what was expected and what was given, never a secret.
    fn check(&self) -> Result<(), String>;

    /// Is the delivery genuine, and which events does it carry? Runs before anything is stored, so it does no
    /// more than that. `now` is the moment the delivery came.
    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a>;

    /// What the company is told at the end of a delivery, where it wants to hear something of its own: `[accepted]`, or
    /// 498 for a signature that is wrong. Only what is final can be told in other words, and only as what it is: a status
    /// of 2xx for what is safe here, of 4xx for what is refused; else the usual answer is given. The default is `None`: 200
    /// and `ok`, or 400 and the reason's code.
    fn reply(&self, end: Result<(), Rejection>) -> Option<Reply> {
        let _ = end;
        None
    }

    /// What does the event say? Pure and total: the same bytes give the same facts for ever, unknown kinds give
    /// no facts and a summary that says so, unreadable ones an error and never a panic.
    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed>;

    /// Starts a payment at the gateway. The default leaves that to the host: [`Started::Done`].
    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Started, GatewayError>> {
        let _ = order;
        Box::pin(async { Ok(Started::Done) })
    }

    /// Whether the gateway can be asked for this as it is configured; if not, why not, in words for an operator. The
    /// default can nothing.
    fn supports(&self, verb: Verb) -> Result<(), String> {
        Err(format!("{} can't be asked to {} from here.", self.name(), verb.as_str()))
    }

    /// Does something with a payment at the gateway, or asks how it stands. The answer is what is true then, as
    /// events, which go the way of all events. They have ids made of the call's idempotency key, so that the same
    /// answer is the same event however often it comes: the answer to what acts has the key itself, those of a refresh the
    /// key, a `-` and their number from 1 on. A refresh that can't tell all that became of the payment is an error.
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        let verb = call.verb;
        Box::pin(async move { Err(GatewayError::Unsupported(self.supports(verb).err().unwrap_or_default())) })
    }

    /// A page of the events that the gateway has since `since`, newest first; `before` is the last event of the page
    /// before. The default has no such list.
    fn list<'a>(
        &'a self,
        since: Timestamp,
        before: Option<&'a Envelope>,
    ) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        let _ = (since, before);
        Box::pin(async { Err(GatewayError::Unsupported(format!("{} has no list of events here.", self.name()))) })
    }

    /// Has the gateway send an event again, by its id, as a signed delivery to the variant's address. The default can't.
    fn resend<'a>(&'a self, event_id: &'a str) -> BoxFuture<'a, Result<(), GatewayError>> {
        let _ = event_id;
        Box::pin(async {
            Err(GatewayError::Unsupported(format!("{} can't be asked to send an event again.", self.name())))
        })
    }

    /// Answers what else comes to the variant's address: a page of its own, or a challenge. `None` is not found.
    fn page<'a>(&'a self, request: &'a PageRequest) -> BoxFuture<'a, Option<PageResponse>> {
        let _ = request;
        Box::pin(async { None })
    }

    /// What there is to set up at the company, and what of it is known here to be done. The default says nothing, and
    /// the variant's page then shows its address alone.
    fn setup(&self) -> Setup {
        Setup::default()
    }

    /// The header fields that make `body` a genuine delivery at `now`, signed with the current secret: for a command
    /// that a developer copies. The default is `None`: only the company can sign.
    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        let _ = (body, now);
        None
    }

    /// A genuine delivery of an event that says nothing of any payment, for an operator who wants to see the way in
    /// work: its id is `id`, its kind [`TEST_KIND`], [`Gateway::verify`] accepts it at `now`, and
    /// [`Gateway::interpret`] reads no facts and no references in it. The default is `None`: there is no such thing.
    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        let _ = (id, now);
        None
    }

    /// Where the gateway's own dashboard shows the object, if it has such a page.
    fn dashboard_url(&self, gateway_ref: &str, livemode: bool) -> Option<String> {
        let _ = (gateway_ref, livemode);
        None
    }
}

/// The kind of the events that [`Gateway::test_delivery`] makes; no company sends it.
pub const TEST_KIND: &str = "actix_payments.test";

/// What a test event says, on its page.
pub(crate) fn test_interpretation() -> Interpretation {
    let summary = "a test event sent from the admin; nothing to do".to_owned();
    Interpretation { summary, ..Interpretation::default() }
}

/// What is to be set up at the company, for the variant's page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// What to do there, in order, in plain sentences. `{address}` stands for the variant's address.
    pub steps: Vec<String>,
    /// The kinds to tick: those that [`Gateway::interpret`] reads facts in.
    pub kinds: Vec<&'static str>,
    /// The signing secrets, never their values.
    pub secrets: Vec<SecretStatus>,
    /// Whether there is an API key for outgoing calls; `None` where the gateway makes none.
    pub api_key: Option<bool>,
    /// The words by which a refund's reason can be given, for a list to choose from.
    pub refund_reasons: Vec<&'static str>,
    /// Where the company says more: a title and an `https://` address.
    pub docs: Vec<(&'static str, &'static str)>,
}

/// A signing secret, as far as anybody may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretStatus {
    /// Its label, as events bear it.
    pub label: String,
    /// Whether there is anything in it.
    pub is_set: bool,
}

/// The answer to "is it genuine?", now for most gateways, later for those that must ask somebody.
pub enum Verification<'a> {
    /// Decided from the delivery alone.
    Ready(Result<Verified, Rejection>),
    /// Needs to wait for something: a certificate, or the company's answer to the question whether what an unsigned hint
    /// names is true. What can't be known now is [`Rejection::Unverifiable`], and comes again. The company waits for
    /// its answer meanwhile, so this takes seconds at the most.
    Later(BoxFuture<'a, Result<Verified, Rejection>>),
}

/// An answer to a delivery, in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status: 2xx or 4xx.
    pub status: u16,
    /// The whole body.
    pub body: String,
}

/// A payment that is to be started.
#[derive(Debug, Clone)]
pub struct Order {
    /// Our public id of the payment; the gateway must hand it back in its events.
    pub token: String,
    /// The host's own id, its order number.
    pub reference: Option<String>,
    /// How much.
    pub amount: Money,
    /// What is paid for; together they cost the amount.
    pub items: Vec<Item>,
    /// When the money is to be taken.
    pub capture: Capture,
    /// The customer's email address.
    pub customer: Option<String>,
    /// The language of the checkout, an IETF tag: `de`, `pt-BR`.
    pub locale: Option<String>,
    /// When the checkout is to close.
    pub expires_at: Option<Timestamp>,
    /// What the host attached.
    pub metadata: BTreeMap<String, String>,
    /// Where the variant is mounted, from the host's root and without the trailing slash: `/payments/dummy`.
    pub address: Option<String>,
    /// Where the customer goes afterwards.
    pub return_url: Option<String>,
    /// Where the customer goes after giving up.
    pub cancel_url: Option<String>,
}

/// One thing that is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What the customer reads.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// What one costs, in minor units of the payment's currency.
    pub unit_amount: i64,
}

/// When the money of a payment is to be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Capture {
    /// As soon as the customer agrees.
    #[default]
    Immediate,
    /// Later, by a capture of its own; until then it is authorized.
    Manual,
}

impl Order {
    /// An order of nothing but its amount.
    pub fn new(token: impl Into<String>, amount: Money) -> Self {
        Self {
            token: token.into(),
            reference: None,
            amount,
            items: Vec::new(),
            capture: Capture::Immediate,
            customer: None,
            locale: None,
            expires_at: None,
            metadata: BTreeMap::new(),
            address: None,
            return_url: None,
            cancel_url: None,
        }
    }
}

/// What came of starting a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// Send the customer to this address. The gateway's ids of what it made come with it.
    Redirect {
        /// The address.
        url: String,
        /// The gateway's ids of the objects that it made for this payment.
        gateway_refs: Vec<String>,
    },
    /// Nothing more to do on the customer's way.
    Done,
}

/// A request to one of a gateway's own pages.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Whether it is a POST, else a GET.
    pub post: bool,
    /// The path below the variant's address; empty for the address itself.
    pub path: String,
    /// The variant's own address from the browser's root, without the trailing slash.
    pub address: String,
    /// Where this process itself can reach the variant's webhook endpoint: `http://127.0.0.1:8080/payments/dummy/`.
    pub endpoint: String,
    /// The query's fields, decoded.
    pub query: Vec<(String, String)>,
    /// The form's fields, decoded.
    pub form: Vec<(String, String)>,
    /// When it came.
    pub now: Timestamp,
}

/// What to answer on a gateway's own page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageResponse {
    /// An HTML page; it is served under the same strict policy as the admin pages.
    Html(String),
    /// Plain text, for challenges.
    Text(String),
    /// Go there instead.
    See(String),
    /// Something went wrong: status and plain words.
    Trouble(u16, String),
}

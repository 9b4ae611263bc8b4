//! Captures, cancels, refunds and refreshes a payment. The payment's known ids decide which object a call is about.

use super::answer::event_of;
use super::form::Form;
use super::{Api, Response, is_forbidden};
use crate::domain::event::Envelope;
use crate::domain::identifier::GatewayRef;
use crate::gateways::json::Object;
use crate::gateways::stripe::money;
use crate::gateways::{Call, GatewayError, Verb, retry};

type Events = Result<Vec<Envelope>, GatewayError>;

/// How many objects of one type are looked up at most. A payment has a session for each of its customer's attempts.
const LOOKUPS: usize = 10;

/// The objects that a refresh asks for: the prefix of their ids, their folder, and the objects that they contain.
const OBJECTS: [(&str, &str, &[&str]); 3] = [
    ("cs_", "checkout/sessions", &["payment_intent", "latest_charge"]),
    ("pi_", "payment_intents", &["latest_charge"]),
    ("ch_", "charges", &[]),
];

/// The part of a charge that states its fee. It is asked for in the same call, and no event contains it.
const FEE: &str = "balance_transaction";

/// What a refresh was told so far.
struct Told<'a> {
    key: &'a str,
    account: Option<&'a str>,
    events: Vec<Envelope>,
    /// The ids of the objects.
    ids: Vec<String>,
}

impl Told<'_> {
    /// Takes an answer's object and those within it, each of which is an event.
    fn add(&mut self, answer: &Response, nested: &[&str]) -> Result<(), GatewayError> {
        let (mut object, at) = (answer.text()?, answer.answered_at());
        let mut names = nested.iter();
        loop {
            let read = Object::read(object, "an answer").map_err(|error| GatewayError::Malformed(error.to_string()))?;
            self.ids.extend(read.link("id"));
            let id = format!("{}-{}", self.key, self.events.len() + 1);
            self.events.push(event_of(id, object, at, self.account)?);
            match names.next().and_then(|name| read.raw(name)) {
                Some(inner) if inner.starts_with('{') => object = inner,
                _ => return Ok(()),
            }
        }
    }
}

impl Api {
    /// Carries out the call on behalf of the payment's account, and returns the resulting state as events.
    pub(in crate::gateways::stripe) async fn call(&self, call: &Call) -> Events {
        let api = self.of_account(call.account.as_deref());
        match call.verb {
            Verb::Capture => api.capture(call).await,
            Verb::Cancel => api.cancel(call).await,
            Verb::Refund => api.refund(call).await,
            Verb::Refresh => api.refresh(call).await,
            Verb::Complete => Err(GatewayError::Unsupported("Stripe completes a payment by itself".to_owned())),
        }
    }

    /// Captures the payment intent.
    async fn capture(&self, call: &Call) -> Events {
        let intent = self.intent(call).await?;
        let mut form = Form::default();
        form.add_optional("amount_to_capture", amount(call)?);
        self.act(call, &format!("/v1/payment_intents/{intent}/capture"), form).await
    }

    /// Expires an open session, which cancels its intent as well: Stripe refuses to cancel the intent of an open
    /// session. Without an open session, cancels the intent.
    async fn cancel(&self, call: &Call) -> Events {
        let expired = match pick(call, "cs_") {
            None => Err(no_object()),
            Some(session) => self.act(call, &format!("/v1/checkout/sessions/{session}/expire"), Form::default()).await,
        };
        let Err(GatewayError::Declined(_)) = expired else { return expired };
        let intent = self.intent(call).await?;
        let mut form = Form::default();
        form.add("cancellation_reason", "requested_by_customer");
        // After a call about the session the intent needs another key: under the first, Stripe repeats its first
        // answer.
        let key = match pick(call, "cs_") {
            Some(_) => format!("{}-intent", call.idempotency_key),
            None => call.idempotency_key.clone(),
        };
        self.act_with_key(&key, call, &format!("/v1/payment_intents/{intent}/cancel"), form).await
    }

    /// Refunds what the call is about first: a payment intent, a charge, or the intent of a session.
    async fn refund(&self, call: &Call) -> Events {
        let mut form = Form::default();
        let prefixes = ["pi_", "ch_", "py_", "cs_"];
        let is_of = |id: &&GatewayRef| is_plain(id) && prefixes.iter().any(|prefix| id.starts_with(prefix));
        match call.gateway_refs.iter().find(is_of).ok_or_else(no_object)? {
            session if session.starts_with("cs_") => {
                form.add("payment_intent", self.intent_of(call, session).await?);
            }
            intent if intent.starts_with("pi_") => form.add("payment_intent", intent),
            charge => form.add("charge", charge),
        }
        form.add_optional("amount", amount(call)?);
        form.add_optional("reason", call.reason.as_deref());
        form.add("metadata[payment_token]", &call.token);
        self.act(call, "/v1/refunds", form).await
    }

    /// Asks for the payment's sessions with their intents and charges, for the intents that none of them shows, and for
    /// the charge if there is neither.
    async fn refresh(&self, call: &Call) -> Events {
        let (key, account) = (call.idempotency_key.as_str(), call.account.as_deref());
        let mut told = Told { key, account, events: Vec::new(), ids: Vec::new() };
        for (prefix, folder, nested) in OBJECTS {
            let ids = call.gateway_refs.iter().filter(|id| id.starts_with(prefix) && is_plain(id));
            for id in ids.take(LOOKUPS) {
                if told.ids.iter().any(|known| id == known) || (prefix == "ch_" && !told.events.is_empty()) {
                    continue;
                }
                match self.object(&format!("/v1/{folder}/{id}"), nested).await {
                    Ok(answer) => told.add(&answer, nested)?,
                    // Of several, one may be gone.
                    Err(GatewayError::Declined(_)) if !told.events.is_empty() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        if told.events.is_empty() { Err(no_object()) } else { Ok(told.events) }
    }

    /// An object with those within it and, where the key may see it, the charge's fee, on which nothing else depends.
    async fn object(&self, path: &str, nested: &[&str]) -> Result<Response, GatewayError> {
        let expanded = |names: &[&str]| {
            let mut query = Form::default();
            if !names.is_empty() {
                query.add("expand[0]", names.join("."));
            }
            query
        };
        match self.get(path, expanded(&[nested, &[FEE]].concat())).await {
            Err(error) if is_forbidden(&error) => self.get(path, expanded(nested)).await,
            answer => answer,
        }
    }

    /// Sends a POST under the call's idempotency key, and turns the answer into an event.
    async fn act(&self, call: &Call, path: &str, form: Form) -> Events {
        self.act_with_key(&call.idempotency_key, call, path, form).await
    }

    /// Like [`Api::act`], under another idempotency key. The event's id is the call's key all the same.
    async fn act_with_key(&self, key: &str, call: &Call, path: &str, form: Form) -> Events {
        let answer: Response = self.post(path, form, key).await?;
        let (id, account) = (call.idempotency_key.clone(), call.account.as_deref());
        Ok(vec![event_of(id, answer.text()?, answer.answered_at(), account)?])
    }

    /// The id of the payment's intent: a known one, otherwise the session's.
    async fn intent(&self, call: &Call) -> Result<String, GatewayError> {
        if let Some(intent) = pick(call, "pi_") {
            return Ok(intent.to_string());
        }
        self.intent_of(call, pick(call, "cs_").ok_or_else(no_object)?).await
    }

    /// The id of a session's intent. The call that acts was not sent yet, so an error says that nothing was done.
    async fn intent_of(&self, call: &Call, session: &str) -> Result<String, GatewayError> {
        let answer = self.get(&format!("/v1/checkout/sessions/{session}"), Form::default()).await;
        let answer = answer.map_err(|why| retry::unsent(call.tries, why))?;
        let unreadable =
            |error: String| GatewayError::Unavailable(format!("the session's answer is not understood: {error}"));
        let body = answer.text().map_err(|error| unreadable(error.to_string()))?;
        let read = Object::read(body, "a checkout session").map_err(|error| unreadable(error.to_string()))?;
        read.link("payment_intent").filter(|id| is_plain(id)).ok_or_else(no_object)
    }
}

/// The error for a call about a payment that Stripe has no suitable object of.
fn no_object() -> GatewayError {
    GatewayError::Declined("Stripe has no object of this payment yet that this could be done with".to_owned())
}

/// The first known id with this prefix.
fn pick<'a>(call: &'a Call, prefix: &str) -> Option<&'a GatewayRef> {
    call.gateway_refs.iter().find(|id| id.starts_with(prefix) && is_plain(id))
}

/// Whether an id is safe to insert into a path.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The call's amount in Stripe's units; `None` for everything that is left.
fn amount(call: &Call) -> Result<Option<String>, GatewayError> {
    let amount = call.amount.map(money::from_minor).transpose();
    let amount = amount.map_err(|error| GatewayError::Declined(error.to_string()))?;
    Ok(amount.map(|amount| amount.to_string()))
}

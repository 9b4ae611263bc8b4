//! Captures, cancels, refunds and refreshes a payment. The payment's known ids decide which object a call is about.

use super::answer::event;
use super::form::Form;
use super::{Api, Response};
use crate::domain::event::Envelope;
use crate::gateways::json::Object;
use crate::gateways::stripe::money;
use crate::gateways::{Call, GatewayError, Verb};

type Events = Result<Vec<Envelope>, GatewayError>;

impl Api {
    /// Carries out the call, and returns the resulting state as events.
    pub(in crate::gateways::stripe) async fn call(&self, call: &Call) -> Events {
        match call.verb {
            Verb::Capture => self.capture(call).await,
            Verb::Cancel => self.cancel(call).await,
            Verb::Refund => self.refund(call).await,
            Verb::Refresh => self.refresh(call).await,
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

    /// Refunds the payment intent, or the charge if no intent is known.
    async fn refund(&self, call: &Call) -> Events {
        let mut form = Form::default();
        match self.intent(call).await {
            Ok(intent) => form.add("payment_intent", intent),
            Err(error) => form.add("charge", pick(call, "ch_").ok_or(error)?),
        }
        form.add_optional("amount", amount(call)?);
        form.add_optional("reason", call.reason.as_deref());
        form.add("metadata[payment_token]", &call.token);
        self.act(call, "/v1/refunds", form).await
    }

    /// Asks for the session, the intent and the charge, as far as they are known.
    async fn refresh(&self, call: &Call) -> Events {
        let mut query = Form::default();
        let (path, nested) = match (pick(call, "cs_"), pick(call, "pi_")) {
            (Some(session), _) => {
                query.add("expand[0]", "payment_intent.latest_charge");
                (format!("/v1/checkout/sessions/{session}"), &["payment_intent", "latest_charge"][..])
            }
            (None, Some(intent)) => {
                query.add("expand[0]", "latest_charge");
                (format!("/v1/payment_intents/{intent}"), &["latest_charge"][..])
            }
            (None, None) => {
                let charge = pick(call, "ch_").ok_or_else(no_object)?;
                (format!("/v1/charges/{charge}"), &[][..])
            }
        };
        let answer = self.get(&path, query).await?;
        let (mut object, at) = (answer.text()?, answer.answered_at());
        let mut events = vec![event(format!("{}-1", call.idempotency_key), object, at)?];
        for (name, number) in nested.iter().zip(2..) {
            let read = Object::read(object, "an answer").map_err(|error| GatewayError::Malformed(error.to_string()))?;
            match read.raw(name) {
                Some(inner) if inner.starts_with('{') => object = inner,
                _ => break,
            }
            events.push(event(format!("{}-{number}", call.idempotency_key), object, at)?);
        }
        Ok(events)
    }

    /// Sends a POST under the call's idempotency key, and turns the answer into an event.
    async fn act(&self, call: &Call, path: &str, form: Form) -> Events {
        self.act_with_key(&call.idempotency_key, call, path, form).await
    }

    /// Like [`Api::act`], under another idempotency key. The event's id is the call's key all the same.
    async fn act_with_key(&self, key: &str, call: &Call, path: &str, form: Form) -> Events {
        let answer: Response = self.post(path, form, key).await?;
        Ok(vec![event(call.idempotency_key.clone(), answer.text()?, answer.answered_at())?])
    }

    /// The id of the payment's intent: a known one, otherwise the session's.
    async fn intent(&self, call: &Call) -> Result<String, GatewayError> {
        if let Some(intent) = pick(call, "pi_") {
            return Ok(intent);
        }
        let session = pick(call, "cs_").ok_or_else(no_object)?;
        let answer = self.get(&format!("/v1/checkout/sessions/{session}"), Form::default()).await?;
        // The call that acts was not sent yet, so nothing was done.
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
fn pick(call: &Call, prefix: &str) -> Option<String> {
    call.gateway_refs.iter().find(|id| id.starts_with(prefix) && is_plain(id)).cloned()
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

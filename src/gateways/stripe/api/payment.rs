//! How is a payment captured, canceled, refunded, or asked about? Which object a call goes to follows from the ids
//! and facts that are known of the payment.

use super::answer::event;
use super::form::Form;
use super::{Api, Response};
use crate::domain::event::Envelope;
use crate::gateways::json::Object;
use crate::gateways::stripe::money;
use crate::gateways::{Call, GatewayError, Verb};

type Answer = Result<Vec<Envelope>, GatewayError>;

impl Api {
    /// Does what the call says, and answers what is true then.
    pub(in crate::gateways::stripe) async fn call(&self, call: &Call) -> Answer {
        match call.verb {
            Verb::Capture => self.capture(call).await,
            Verb::Cancel => self.cancel(call).await,
            Verb::Refund => self.refund(call).await,
            Verb::Refresh => self.refresh(call).await,
            Verb::Complete => Err(GatewayError::Unsupported("Stripe completes a payment by itself".to_owned())),
        }
    }

    async fn capture(&self, call: &Call) -> Answer {
        let intent = self.intent(call).await?;
        let mut form = Form::default();
        form.maybe("amount_to_capture", amount(call)?);
        self.done(call, &format!("/v1/payment_intents/{intent}/capture"), form).await
    }

    /// A session that is open is closed, and its intent with it: Stripe refuses to cancel that one by itself. Where no
    /// session is open, the intent gives up.
    async fn cancel(&self, call: &Call) -> Answer {
        let expired = match pick(call, "cs_") {
            None => Err(unknown()),
            Some(session) => self.done(call, &format!("/v1/checkout/sessions/{session}/expire"), Form::default()).await,
        };
        let Err(GatewayError::Declined(_)) = expired else { return expired };
        let intent = self.intent(call).await?;
        let mut form = Form::default();
        form.add("cancellation_reason", "requested_by_customer");
        // A key of its own where a session was asked for: under the first one Stripe remembers what it said of that.
        let key = match pick(call, "cs_") {
            Some(_) => format!("{}-intent", call.idempotency_key),
            None => call.idempotency_key.clone(),
        };
        self.done_under(&key, call, &format!("/v1/payment_intents/{intent}/cancel"), form).await
    }

    async fn refund(&self, call: &Call) -> Answer {
        let mut form = Form::default();
        match self.intent(call).await {
            Ok(intent) => form.add("payment_intent", intent),
            Err(unknown) => form.add("charge", pick(call, "ch_").ok_or(unknown)?),
        }
        form.maybe("amount", amount(call)?);
        form.maybe("reason", call.reason.as_deref());
        form.add("metadata[payment_token]", &call.token);
        self.done(call, "/v1/refunds", form).await
    }

    /// Asks for session, intent and charge, whichever are known.
    async fn refresh(&self, call: &Call) -> Answer {
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
                let charge = pick(call, "ch_").ok_or_else(unknown)?;
                (format!("/v1/charges/{charge}"), &[][..])
            }
        };
        let answer = self.ask(&path, query).await?;
        let (mut object, at) = (answer.text()?, answer.answered_at());
        let mut events = vec![event(format!("{}-1", call.idempotency_key), object, at)?];
        for (name, number) in nested.iter().zip(2..) {
            let read = Object::read(object, "an answer").map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
            match read.raw(name) {
                Some(inner) if inner.starts_with('{') => object = inner,
                _ => break,
            }
            events.push(event(format!("{}-{number}", call.idempotency_key), object, at)?);
        }
        Ok(events)
    }

    /// Sends a call that acts, and makes its answer an event.
    async fn done(&self, call: &Call, path: &str, form: Form) -> Answer {
        self.done_under(&call.idempotency_key, call, path, form).await
    }

    /// The same under a key for this request alone; the event bears the call's.
    async fn done_under(&self, key: &str, call: &Call, path: &str, form: Form) -> Answer {
        let answer: Response = self.act(path, form, key).await?;
        Ok(vec![event(call.idempotency_key.clone(), answer.text()?, answer.answered_at())?])
    }

    /// The intent of the payment: one that is known, else the session's.
    async fn intent(&self, call: &Call) -> Result<String, GatewayError> {
        if let Some(intent) = pick(call, "pi_") {
            return Ok(intent);
        }
        let session = pick(call, "cs_").ok_or_else(unknown)?;
        let answer = self.ask(&format!("/v1/checkout/sessions/{session}"), Form::default()).await?;
        // Nothing has been asked for yet, so nothing was done.
        let unread = |bad: String| GatewayError::Unavailable(format!("the session's answer is not understood: {bad}"));
        let body = answer.text().map_err(|bad| unread(bad.to_string()))?;
        let read = Object::read(body, "a checkout session").map_err(|bad| unread(bad.to_string()))?;
        read.link("payment_intent").filter(|id| plain(id)).ok_or_else(unknown)
    }
}

fn unknown() -> GatewayError {
    GatewayError::Declined("Stripe has nothing of this payment yet that this could be done with".to_owned())
}

/// The first known id of this kind.
fn pick(call: &Call, prefix: &str) -> Option<String> {
    call.gateway_refs.iter().find(|id| id.starts_with(prefix) && plain(id)).cloned()
}

/// Whether an id can stand in a path.
fn plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The amount in Stripe's units, where the call is for a part.
fn amount(call: &Call) -> Result<Option<String>, GatewayError> {
    let stripes = call.amount.map(money::from_minor).transpose();
    let stripes = stripes.map_err(|bad| GatewayError::Declined(bad.to_string()))?;
    Ok(stripes.map(|units| units.to_string()))
}

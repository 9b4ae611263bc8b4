//! Shows, captures, cancels and refunds a payment (<https://docs.mollie.com/reference/payments-api>). Mollie forgets an
//! idempotency key after an hour, so a later try looks first whether an earlier one was carried out: what it makes
//! bears the key in its metadata.

use serde_json::json;

use super::{Api, answer};
use crate::domain::event::{Envelope, Malformed};
use crate::domain::identifier::GatewayRef;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, short};
use crate::gateways::mollie::hint::is_payment;
use crate::gateways::mollie::interpret::{PAYMENT, REFUND, TOKEN, unlisted};
use crate::gateways::mollie::money;
use crate::gateways::{Call, Fetch, GatewayError, Verb};

type Events = Result<Vec<Envelope>, GatewayError>;

/// What a payment is to contain when it is shown.
const EMBED: &str = "embed=refunds%2Cchargebacks%2Ccaptures";
/// Where what a call makes bears the call's idempotency key.
const OPERATION: &str = "operation";
/// How many payments of Mollie's a refresh asks for at most. A payment that was created here is one.
const LOOKUPS: usize = 10;

impl Api {
    /// The payment that a hint names, as it is now.
    pub(in crate::gateways::mollie) async fn fetch(&self, fetch: &Fetch) -> Events {
        let id = Some(&fetch.object.gateway_ref).filter(|id| is_payment(id)).ok_or_else(no_payment)?;
        let answer = self.show(id).await?;
        Ok(vec![answer::event(format!("{}-1", fetch.idempotency_key), PAYMENT, &answer)?])
    }

    /// Carries out the call, and returns the resulting state as events.
    pub(in crate::gateways::mollie) async fn call(&self, call: &Call) -> Events {
        match call.verb {
            Verb::Refresh => self.refresh(call).await,
            Verb::Cancel => self.cancel(call).await,
            Verb::Capture => self.capture(call).await,
            Verb::Refund => self.refund(call).await,
            Verb::Complete => Err(GatewayError::Unsupported("Mollie completes a payment by itself".to_owned())),
        }
    }

    async fn show(&self, id: &str) -> Result<Response, GatewayError> {
        self.get(&format!("/v2/payments/{id}?{EMBED}")).await
    }

    async fn refresh(&self, call: &Call) -> Events {
        let ids: Vec<_> = call.gateway_refs.iter().filter(|id| is_payment(id)).take(LOOKUPS).collect();
        let mut events = Vec::new();
        for id in ids {
            let answer = self.show(id).await?;
            events.push(answer::event(format!("{}-{}", call.idempotency_key, events.len() + 1), PAYMENT, &answer)?);
        }
        if events.is_empty() { Err(no_payment()) } else { Ok(events) }
    }

    /// Cancels a payment that is open or authorized. Mollie says no to those that can't be canceled any more.
    async fn cancel(&self, call: &Call) -> Events {
        let id = payment(call)?;
        if let Some(shown) = self.shown_before(call, id).await? {
            let read = answer::read(&shown).map_err(nothing_sent)?;
            if short(&read, "status").is_some_and(|status| status == "canceled") {
                return done(call, PAYMENT, &shown);
            }
        }
        let answer = self.delete(&format!("/v2/payments/{id}"), &call.idempotency_key).await?;
        done(call, PAYMENT, &answer)
    }

    /// Captures an authorized payment, all of it or a part.
    async fn capture(&self, call: &Call) -> Events {
        let id = payment(call)?;
        if let Some(shown) = self.shown_before(call, id).await?
            && made_by(call, &shown, "captures")?.is_some()
        {
            return done(call, PAYMENT, &shown);
        }
        let mut body = json!({"description": call.token, "metadata": metadata(call)});
        if let Some(amount) = call.amount {
            body["amount"] = money::write(amount);
        }
        self.post(&format!("/v2/payments/{id}/captures"), &body, &call.idempotency_key).await?;
        // How much was captured in all, the payment says.
        let shown = self.show(id).await.map_err(|error| GatewayError::Malformed(error.to_string()))?;
        done(call, PAYMENT, &shown)
    }

    async fn refund(&self, call: &Call) -> Events {
        let id = payment(call)?;
        if let Some(shown) = self.shown_before(call, id).await? {
            if made_by(call, &shown, "refunds")?.is_some() {
                return done(call, PAYMENT, &shown);
            }
            let read = answer::read(&shown).map_err(nothing_sent)?;
            // It may be among those that are not listed.
            if let Some(rest) = unlisted(&read, "amountRefunded", "refunds").map_err(unreadable)? {
                let why = format!("Mollie does not list {rest} of what it refunded, so this may have been done");
                return Err(GatewayError::Unavailable(why));
            }
        }
        let body = json!({
            "amount": money::write(call.amount.unwrap_or(call.total)),
            "description": call.token,
            "metadata": metadata(call),
        });
        let path = format!("/v2/payments/{id}/refunds");
        let answer = self.post(&path, &body, &call.idempotency_key).await?;
        done(call, REFUND, &answer)
    }

    /// The payment as it is before another try.
    async fn shown_before(&self, call: &Call, id: &str) -> Result<Option<Response>, GatewayError> {
        if call.tries <= 1 {
            return Ok(None);
        }
        self.show(id).await.map(Some).map_err(nothing_sent)
    }
}

fn metadata(call: &Call) -> serde_json::Value {
    json!({TOKEN: call.token, OPERATION: call.idempotency_key})
}

/// What an earlier try of this call made, among these objects of the payment.
fn made_by<'a>(call: &Call, shown: &'a Response, name: &str) -> Result<Option<Object<'a>>, GatewayError> {
    let read = answer::read(shown).map_err(nothing_sent)?;
    let Some(within) = read.object("_embedded", "what it contains").map_err(unreadable)? else { return Ok(None) };
    if within.raw(name).is_none() {
        return Ok(None);
    }
    let is_own = |object: &Object<'_>| {
        let metadata = object.object("metadata", "the metadata").ok().flatten();
        metadata.and_then(|metadata| short(&metadata, OPERATION)).as_deref() == Some(&call.idempotency_key)
    };
    Ok(within.objects(name, "an object within it").map_err(unreadable)?.into_iter().find(is_own))
}

fn unreadable(error: Malformed) -> GatewayError {
    nothing_sent(GatewayError::Malformed(error.to_string()))
}

/// The error before the call that acts is sent: nothing was done.
fn nothing_sent(error: GatewayError) -> GatewayError {
    match error {
        GatewayError::Malformed(why) | GatewayError::OutcomeUnknown(why) => GatewayError::Unavailable(why),
        error => error,
    }
}

fn done(call: &Call, kind: &str, answer: &Response) -> Events {
    Ok(vec![answer::event(call.idempotency_key.clone(), kind, answer)?])
}

/// The payment that the call is about.
fn payment(call: &Call) -> Result<&str, GatewayError> {
    call.gateway_refs.iter().map(GatewayRef::as_str).find(|id| is_payment(id)).ok_or_else(no_payment)
}

fn no_payment() -> GatewayError {
    GatewayError::Declined("Mollie has no payment with which this could be done".to_owned())
}

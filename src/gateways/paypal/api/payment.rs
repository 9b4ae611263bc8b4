//! Captures, cancels, refunds and refreshes a payment (<https://developer.paypal.com/docs/api/payments/v2/>). The known
//! ids and facts of the payment decide which object a call is about.

use std::borrow::Cow;

use serde_json::json;

use super::{Api, ApiRequest, answer, money, order};
use crate::domain::event::Envelope;
use crate::domain::fact::Aspect;
use crate::domain::identifier::GatewayRef;
use crate::gateways::http::Response;
use crate::gateways::paypal::answered::ObjectType;
use crate::gateways::{Call, GatewayError, Verb};

type Events = Result<Vec<Envelope>, GatewayError>;

impl Api {
    /// Carries out the call, and returns the resulting state as events.
    pub(in crate::gateways::paypal) async fn call(&self, call: &Call) -> Events {
        let events = match call.verb {
            Verb::Complete => self.complete(call).await,
            Verb::Capture => self.capture(call).await,
            Verb::Cancel => self.void(call).await,
            Verb::Refund => self.refund(call).await,
            Verb::Refresh => self.refresh(call).await,
        };
        events.map(|events| events.into_iter().map(|event| Envelope { livemode: Some(self.live), ..event }).collect())
    }

    /// Captures an authorization. What is left of it is released.
    async fn capture(&self, call: &Call) -> Events {
        let mut body = json!({"final_capture": true});
        let mut whole = None;
        if let Some(amount) = call.amount {
            body["amount"] = money::write(amount)?;
            whole = Some(money::write(call.total)?);
        }
        let id = first_id(call, Aspect::Authorization)?;
        let path = format!("/v2/payments/authorizations/{id}/capture");
        let answer = self.send(ApiRequest::post(path, &body, &call.idempotency_key)).await?;
        Ok(vec![answer::part_event(call.idempotency_key.clone(), ObjectType::Capture, &answer, whole.as_ref())?])
    }

    /// Voids an authorization. PayPal cannot cancel an order that is not approved: it expires by itself.
    async fn void(&self, call: &Call) -> Events {
        let Ok(id) = first_id(call, Aspect::Authorization) else {
            let message = "PayPal has no call for that: an order that is not approved expires by itself within hours";
            return Err(GatewayError::Declined(message.to_owned()));
        };
        let path = format!("/v2/payments/authorizations/{id}/void");
        let void = ApiRequest { body: String::new(), ..ApiRequest::post(path, &json!({}), &call.idempotency_key) };
        let mut answer = self.send(void).await?;
        if answer.body.is_empty() {
            let path = format!("/v2/payments/authorizations/{id}");
            let found = self.find(&path).await.map_err(|error| GatewayError::Malformed(error.to_string()))?;
            answer =
                found.ok_or_else(|| GatewayError::Malformed("it was voided, and is not found any more".to_owned()))?;
        }
        Ok(vec![answer::event(call.idempotency_key.clone(), ObjectType::Authorization, &answer)?])
    }

    /// Refunds a capture.
    async fn refund(&self, call: &Call) -> Events {
        let mut body = json!({"custom_id": call.token});
        if let Some(amount) = call.amount {
            body["amount"] = money::write(amount)?;
        }
        let id = first_id(call, Aspect::Capture)?;
        let path = format!("/v2/payments/captures/{id}/refund");
        let answer = self.send(ApiRequest::post(path, &body, &call.idempotency_key)).await?;
        Ok(vec![answer::event(call.idempotency_key.clone(), ObjectType::Refund, &answer)?])
    }

    /// Asks for the payment's orders, which contain their payments, and for the known objects that no order contains.
    async fn refresh(&self, call: &Call) -> Events {
        let mut orders = self.orders(call).await?;
        // An order that waits for us comes last: only then is it known whether another one was paid.
        orders.sort_by_key(|(_, order)| order::is_approved(order));
        let mut found: Vec<(ObjectType, Response)> =
            orders.into_iter().map(|(_, order)| (ObjectType::Order, order)).collect();
        let parts = [
            (Aspect::Authorization, ObjectType::Authorization, "authorizations"),
            (Aspect::Capture, ObjectType::Capture, "captures"),
            (Aspect::Refund, ObjectType::Refund, "refunds"),
        ];
        for (aspect, object_type, folder) in parts {
            for part in call.ids(Some(aspect)).filter(|part| answer::is_plain(part)) {
                if found.iter().any(|(_, answer)| contains(answer, part)) {
                    continue;
                }
                let Some(answer) = self.find(&format!("/v2/payments/{folder}/{part}")).await? else { continue };
                if aspect == Aspect::Capture && answer::read(&answer)?.text("status").is_ok_and(hides_refunds) {
                    return Err(refunds_hidden());
                }
                found.push((object_type, answer));
            }
        }
        if found.is_empty() {
            return Err(answer::no_object());
        }
        let id = |number: usize| format!("{}-{number}", call.idempotency_key);
        found
            .iter()
            .zip(1..)
            .map(|((object_type, answer), number)| answer::event(id(number), *object_type, answer))
            .collect()
    }
}

/// Whether the answer contains an object with this id.
fn contains(answer: &Response, id: &str) -> bool {
    answer.text().is_ok_and(|text| text.contains(&format!("\"{id}\"")))
}

/// Whether a capture with this status has refunds. The capture does not contain them, and half of the state is not
/// reported.
fn hides_refunds(status: Option<Cow<'_, str>>) -> bool {
    status.is_some_and(|status| status.ends_with("REFUNDED"))
}

fn refunds_hidden() -> GatewayError {
    let message = "PayPal shows no order of this refunded capture, and the capture alone does not show its refunds";
    GatewayError::Declined(message.to_owned())
}

/// The first id of which a fact of this aspect is known.
fn first_id(call: &Call, aspect: Aspect) -> Result<&GatewayRef, GatewayError> {
    call.ids(Some(aspect)).find(|id| answer::is_plain(id)).ok_or_else(answer::no_object)
}

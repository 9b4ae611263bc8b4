//! How is a payment captured, canceled, refunded, or asked about? Which object a call goes to follows from the ids and
//! facts that are known of the payment (<https://developer.paypal.com/docs/api/payments/v2/>).

use std::borrow::Cow;

use serde_json::json;

use super::{Api, Ask, answer, money, order};
use crate::domain::event::Envelope;
use crate::domain::fact::Aspect;
use crate::gateways::http::Response;
use crate::gateways::paypal::answered::Named;
use crate::gateways::{Call, GatewayError, Verb};

type Answer = Result<Vec<Envelope>, GatewayError>;

impl Api {
    /// Does what the call says, and answers what is true then.
    pub(in crate::gateways::paypal) async fn call(&self, call: &Call) -> Answer {
        let answered = match call.verb {
            Verb::Complete => self.complete(call).await,
            Verb::Capture => self.capture(call).await,
            Verb::Cancel => self.void(call).await,
            Verb::Refund => self.refund(call).await,
            Verb::Refresh => self.refresh(call).await,
        };
        answered.map(|events| events.into_iter().map(|event| Envelope { livemode: Some(self.live), ..event }).collect())
    }

    /// Captures an authorization; what is left of it is released.
    async fn capture(&self, call: &Call) -> Answer {
        let mut body = json!({"final_capture": true});
        let mut whole = None;
        if let Some(amount) = call.amount {
            body["amount"] = money::write(amount)?;
            whole = Some(money::write(call.total)?);
        }
        let id = known(call, Aspect::Authorization)?;
        let path = format!("/v2/payments/authorizations/{id}/capture");
        let answer = self.send(Ask::act(path, &body, &call.idempotency_key)).await?;
        Ok(vec![answer::part(call.idempotency_key.clone(), Named::Capture, &answer, whole.as_ref())?])
    }

    /// Releases an authorization. An order that nobody approved can't be given up: it ends by itself.
    async fn void(&self, call: &Call) -> Answer {
        let Ok(id) = known(call, Aspect::Authorization) else {
            let message = "PayPal has no call for that: an order that is not approved within hours ends by itself";
            return Err(GatewayError::Declined(message.to_owned()));
        };
        let path = format!("/v2/payments/authorizations/{id}/void");
        let mut answer = self.send(Ask::act(path, &json!({}), &call.idempotency_key)).await?;
        if answer.body.is_empty() {
            let path = format!("/v2/payments/authorizations/{id}");
            let found = self.find(&path).await.map_err(|error| GatewayError::Malformed(error.to_string()))?;
            answer = found.ok_or_else(|| GatewayError::Malformed("it was voided, and is not found".to_owned()))?;
        }
        Ok(vec![answer::event(call.idempotency_key.clone(), Named::Authorization, &answer)?])
    }

    async fn refund(&self, call: &Call) -> Answer {
        let mut body = json!({"custom_id": call.token});
        if let Some(amount) = call.amount {
            body["amount"] = money::write(amount)?;
        }
        let id = known(call, Aspect::Capture)?;
        let path = format!("/v2/payments/captures/{id}/refund");
        let answer = self.send(Ask::act(path, &body, &call.idempotency_key)).await?;
        Ok(vec![answer::event(call.idempotency_key.clone(), Named::Refund, &answer)?])
    }

    /// Asks for the payment's orders, which show all that became of them, and for what is known of the payment beside them.
    async fn refresh(&self, call: &Call) -> Answer {
        let mut orders = self.orders(call).await?;
        // What waits is told last, once it is known what has become of the others.
        orders.sort_by_key(|(_, order)| order::is_approved(order));
        let mut found: Vec<(Named, Response)> = orders.into_iter().map(|(_, order)| (Named::Order, order)).collect();
        let parts = [
            (Aspect::Authorization, Named::Authorization, "authorizations"),
            (Aspect::Capture, Named::Capture, "captures"),
            (Aspect::Refund, Named::Refund, "refunds"),
        ];
        for (aspect, named, folder) in parts {
            for part in call.ids(Some(aspect)).filter(|part| answer::plain(part)) {
                if found.iter().any(|(_, answer)| shows(answer, part)) {
                    continue;
                }
                let Some(answer) = self.find(&format!("/v2/payments/{folder}/{part}")).await? else { continue };
                if aspect == Aspect::Capture && answer::read(&answer)?.text("status").is_ok_and(hides_refunds) {
                    return Err(hidden());
                }
                found.push((named, answer));
            }
        }
        if found.is_empty() {
            return Err(answer::unknown());
        }
        let id = |number: usize| format!("{}-{number}", call.idempotency_key);
        found.iter().zip(1..).map(|((named, answer), number)| answer::event(id(number), *named, answer)).collect()
    }
}

/// Whether an answer has something of this id in it.
fn shows(answer: &Response, id: &str) -> bool {
    answer.text().is_ok_and(|text| text.contains(&format!("\"{id}\"")))
}

/// Whether a capture of this status has refunds, which it does not show: then nothing is said rather than half of it.
fn hides_refunds(status: Option<Cow<'_, str>>) -> bool {
    status.is_some_and(|status| status.ends_with("REFUNDED"))
}

fn hidden() -> GatewayError {
    let message = "PayPal shows no order of a capture that was refunded, and a capture does not show its refunds";
    GatewayError::Declined(message.to_owned())
}

/// The first id that is known to be one of these.
fn known(call: &Call, aspect: Aspect) -> Result<&str, GatewayError> {
    call.ids(Some(aspect)).find(|id| answer::plain(id)).ok_or_else(answer::unknown)
}

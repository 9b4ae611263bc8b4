//! The calls of Adyen's Checkout API (<https://docs.adyen.com/api-explorer/Checkout/latest/overview>): makes payment
//! links, captures, cancels and refunds. Adyen answers a modification that it received it; the result comes as an
//! event.

use bytes::Bytes;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::interpret::{CANCEL_ASKED, CAPTURE_ASKED, LINK_EXPIRED, MANUAL, REFUND_ASKED};
use super::money;
use crate::domain::event::{Envelope, Malformed};
use crate::domain::fact::Aspect;
use crate::domain::money::Money;
use crate::gateways::json::Object;
use crate::gateways::json_api::{ApiCall, Credentials, JsonApi, is_plain, no_object};
use crate::gateways::signature::Secret;
use crate::gateways::{Call, CaptureMethod, GatewayError, PaymentRequest, Started, Verb};

const TEST: &str = "https://checkout-test.adyen.com";
/// The version of the Checkout API.
const VERSION: &str = "v72";
const KEY: &str = "idempotency-key";

type Events = Result<Vec<Envelope>, GatewayError>;

/// The API, with the key of one merchant account.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) json: JsonApi,
    account: String,
}

fn malformed(Malformed(why): Malformed) -> GatewayError {
    GatewayError::Malformed(why)
}

impl Api {
    pub(super) fn new(key: impl Into<String>, account: impl Into<String>) -> Self {
        let credentials = Credentials::Header("x-api-key", Secret::new(key));
        Self { json: JsonApi::new("Adyen", credentials, TEST, []), account: account.into() }
    }

    /// Checks that key, account and address are usable.
    pub(super) fn check(&self, live: bool) -> Result<(), String> {
        if self.account.trim().is_empty() {
            return Err("expected the merchant account at Adyen, got a blank text".to_owned());
        }
        if live && self.json.base == TEST {
            return Err("expected the URL prefix of the live account at Adyen, got none".to_owned());
        }
        self.json.check()
    }

    /// Makes a payment link. The reference is the payment's token, with an ending where it is to be captured later.
    pub(super) async fn checkout(&self, payment: &PaymentRequest) -> Result<Started, GatewayError> {
        let is_manual = payment.capture == CaptureMethod::Manual;
        let mut body = json!({
            "merchantAccount": self.account,
            "amount": in_words(payment.amount)?,
            "reference": format!("{}{}", payment.token, if is_manual { MANUAL } else { "" }),
        });
        if is_manual {
            body["manualCapture"] = json!(true);
        }
        let texts = [
            ("returnUrl", payment.return_url.clone()),
            ("shopperEmail", payment.customer.clone()),
            ("shopperLocale", payment.locale.clone()),
            ("expiresAt", payment.expires_at.and_then(|at| at.format(&Rfc3339).ok())),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                body[name] = json!(text);
            }
        }
        if !payment.metadata.is_empty() {
            body["metadata"] = json!(payment.metadata);
        }
        let request = ApiCall::post(format!("/{VERSION}/paymentLinks"), body);
        let answer = self.json.send(request.idempotent(KEY, format!("{}-checkout", payment.token))).await?;
        let link = Object::read(answer.text()?, "a payment link").map_err(malformed)?;
        let url = link.need_text("url").map_err(malformed)?.into_owned();
        Ok(Started::Redirect { url, gateway_refs: vec![link.need_id("id").map_err(malformed)?.into()] })
    }

    /// Carries out a call.
    pub(super) async fn call(&self, call: &Call) -> Events {
        let known = [Aspect::Authorization, Aspect::CaptureTotal].map(Some);
        let mut payments = known.into_iter().flat_map(|aspect| call.ids(aspect)).filter(|id| is_plain(id));
        let payment = payments.next();
        let mut body = json!({"merchantAccount": self.account, "reference": call.token});
        let (folder, kind, amount) = match (call.verb, payment) {
            (Verb::Capture, Some(_)) => ("captures", CAPTURE_ASKED, Some(call.amount.unwrap_or(call.total))),
            (Verb::Refund, Some(_)) => ("refunds", REFUND_ASKED, Some(call.amount.unwrap_or(call.total))),
            (Verb::Cancel, Some(_)) => ("cancels", CANCEL_ASKED, None),
            (Verb::Cancel, None) => return self.end_link(call).await,
            _ => return Err(no_object("Adyen")),
        };
        if call.verb == Verb::Cancel {
            // The event bears it, and so shows that nothing of the payment was captured at once.
            body["reference"] = json!(format!("{}{MANUAL}", call.token));
        }
        if let Some(amount) = amount {
            body["amount"] = in_words(amount)?;
        }
        let payment = payment.map_or("", |id| id.as_str());
        let request = ApiCall::post(format!("/{VERSION}/payments/{payment}/{folder}"), body);
        let answer = self.json.send(request.idempotent(KEY, &call.idempotency_key)).await?;
        let received = Object::read(answer.text()?, "an answer").map_err(malformed)?;
        let psp = received.need_id("pspReference").map_err(malformed)?;
        Ok(vec![self.event(call, kind, &psp, payment, answer.answered_at(), amount.unwrap_or(call.total))?])
    }

    /// Ends a link that nobody has paid.
    async fn end_link(&self, call: &Call) -> Events {
        let link = call.gateway_refs.iter().find(|id| id.starts_with("PL") && is_plain(id));
        let link = link.ok_or_else(|| no_object("Adyen"))?;
        let request = ApiCall::patch(format!("/{VERSION}/paymentLinks/{link}"), json!({"status": "expired"}));
        let answer = self.json.send(request.idempotent(KEY, &call.idempotency_key)).await?;
        Ok(vec![self.event(call, LINK_EXPIRED, link, "", answer.answered_at(), call.total)?])
    }

    /// The event that reports what Adyen received, in the format of its notifications.
    fn event(
        &self,
        call: &Call,
        kind: &str,
        psp: &str,
        payment: &str,
        at: crate::domain::Timestamp,
        amount: Money,
    ) -> Result<Envelope, GatewayError> {
        let body = json!({
            "pspReference": psp,
            "originalReference": payment,
            "merchantAccountCode": self.account,
            "merchantReference": call.token,
            "amount": in_words(amount)?,
            "eventCode": kind,
            "eventDate": at.format(&Rfc3339).map_err(|bad| GatewayError::Malformed(bad.to_string()))?,
            "success": "true",
        });
        let (livemode, account, api_version) = (None, None, Some(VERSION.to_owned()));
        Ok(Envelope {
            id: call.idempotency_key.clone(),
            kind: kind.to_owned(),
            occurred_at: Some(at),
            livemode,
            account,
            api_version,
            body: Bytes::from(body.to_string()),
        })
    }
}

/// An amount as Adyen writes it.
fn in_words(amount: Money) -> Result<Value, GatewayError> {
    let value = money::from_minor(amount).map_err(|bad| GatewayError::Declined(bad.to_string()))?;
    Ok(json!({"value": value, "currency": amount.currency.as_str()}))
}

//! Creates payments (<https://docs.mollie.com/reference/create-payment>): the customer pays on a page of Mollie's.

use serde_json::{Value, json};

use super::{Api, answer};
use crate::domain::money::Money;
use crate::gateways::mollie::hint::is_payment;
use crate::gateways::mollie::interpret::TOKEN;
use crate::gateways::mollie::money;
use crate::gateways::{CaptureMethod, GatewayError, PaymentRequest, Started};

/// The longest description, in characters.
const DESCRIPTION: usize = 255;
/// The languages of Mollie's pages.
const LOCALES: [&str; 21] = [
    "en_US", "nl_NL", "nl_BE", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_BE", "es_ES", "ca_ES", "pt_PT", "it_IT",
    "nb_NO", "sv_SE", "fi_FI", "da_DK", "is_IS", "hu_HU", "pl_PL", "lv_LV", "lt_LT",
];

impl Api {
    /// Creates a payment. The idempotency key is made of the payment's token.
    pub(in crate::gateways::mollie) async fn checkout(
        &self,
        payment: &PaymentRequest,
        webhook_url: &str,
    ) -> Result<Started, GatewayError> {
        let key = format!("{}-checkout", payment.token);
        let answer = self.post("/v2/payments", &body(payment, webhook_url)?, &key).await?;
        let read = answer::read(&answer)?;
        let malformed = |what: &str| GatewayError::Malformed(format!("expected {what} of Mollie's payment, got none"));
        let id = read.link("id").filter(|id| is_payment(id)).ok_or_else(|| malformed("the id"))?;
        let links = read.object("_links", "its links").ok().flatten();
        let link = links.and_then(|links| links.object("checkout", "a link").ok().flatten());
        let url = link.and_then(|link| link.text("href").ok().flatten()).map(|href| href.into_owned());
        Ok(Started::Redirect {
            url: url.ok_or_else(|| malformed("the customer's address"))?,
            gateway_refs: vec![id.into()],
        })
    }
}

fn body(payment: &PaymentRequest, webhook_url: &str) -> Result<Value, GatewayError> {
    let Some(return_url) = &payment.return_url else {
        return Err(GatewayError::Declined("Mollie needs a return_url, where the customer goes afterwards".to_owned()));
    };
    let description: String =
        payment.reference.as_deref().unwrap_or(&payment.token).chars().take(DESCRIPTION).collect();
    let mut metadata = json!(payment.metadata);
    metadata[TOKEN] = json!(payment.token);
    let mut body = json!({
        "amount": money::write(payment.amount),
        "description": description,
        "redirectUrl": return_url,
        "webhookUrl": webhook_url,
        "metadata": metadata,
    });
    if let Some(cancel_url) = &payment.cancel_url {
        body["cancelUrl"] = json!(cancel_url);
    }
    if let Some(locale) = payment.locale.as_deref().and_then(locale) {
        body["locale"] = json!(locale);
    }
    if payment.capture == CaptureMethod::Manual {
        body["captureMode"] = json!("manual");
    }
    if !payment.items.is_empty() {
        body["lines"] = lines(payment)?;
    }
    Ok(body)
}

fn lines(payment: &PaymentRequest) -> Result<Value, GatewayError> {
    let amount = |minor: i64| money::write(Money::new(minor, payment.amount.currency));
    let too_much = || GatewayError::Declined("an item's price is out of range".to_owned());
    let line = |item: &crate::gateways::LineItem| {
        let total = item.unit_amount.checked_mul(i64::from(item.quantity)).ok_or_else(too_much)?;
        Ok(json!({
            "description": item.name,
            "quantity": item.quantity,
            "unitPrice": amount(item.unit_amount),
            "totalAmount": amount(total),
        }))
    };
    payment.items.iter().map(line).collect::<Result<Vec<Value>, GatewayError>>().map(Value::Array)
}

/// The language of Mollie's that serves this one best: with the same country, else the first of the language.
fn locale(tag: &str) -> Option<&'static str> {
    let tag = tag.replace('-', "_");
    let language = tag.split('_').next().unwrap_or_default();
    let exact = LOCALES.into_iter().find(|known| known.eq_ignore_ascii_case(&tag));
    exact.or_else(|| LOCALES.into_iter().find(|known| known[..2].eq_ignore_ascii_case(language)))
}

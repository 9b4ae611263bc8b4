//! Starts a payment on Stripe's hosted checkout, as a session of one payment
//! (<https://docs.stripe.com/api/checkout/sessions/create>). Our token goes wherever an event may show it.

use serde::Deserialize;

use super::Api;
use super::form::Form;
use crate::domain::money::Money;
use crate::gateways::stripe::money;
use crate::gateways::{CaptureMethod, GatewayError, PaymentRequest, Started};

/// The fields of a session that are used here.
#[derive(Deserialize)]
struct Session {
    id: String,
    url: Option<String>,
    payment_intent: Option<serde_json::Value>,
}

impl Api {
    /// Creates a session. The idempotency key is made of the payment's token, so one payment never gets two sessions.
    pub(in crate::gateways::stripe) async fn checkout(
        &self,
        payment: &PaymentRequest,
    ) -> Result<Started, GatewayError> {
        let key = format!("{}-checkout", payment.token);
        let api = self.of_account(payment.account.as_deref());
        let answer = api.post("/v1/checkout/sessions", form(payment)?, &key).await?;
        let session: Session =
            serde_json::from_slice(&answer.body).map_err(|error| GatewayError::Malformed(error.to_string()))?;
        let url = session.url.ok_or_else(|| GatewayError::Malformed("the session has no address".to_owned()))?;
        let intent = session.payment_intent.as_ref().and_then(|intent| intent.as_str()).map(str::to_owned);
        Ok(Started::Redirect {
            url,
            gateway_refs: [Some(session.id), intent].into_iter().flatten().map(Into::into).collect(),
        })
    }
}

fn form(payment: &PaymentRequest) -> Result<Form, GatewayError> {
    let mut form = Form::default();
    form.add("mode", "payment");
    let Some(return_url) = &payment.return_url else {
        return Err(GatewayError::Declined("Stripe needs a return_url, where the customer goes afterwards".to_owned()));
    };
    form.add("success_url", return_url);
    form.add_optional("cancel_url", payment.cancel_url.as_ref());
    form.add("client_reference_id", &payment.token);
    add_metadata(&mut form, "metadata", payment);
    add_items(&mut form, payment)?;
    if payment.capture == CaptureMethod::Manual {
        form.add("payment_intent_data[capture_method]", "manual");
    }
    // Stripe does not copy the session's metadata to the intent, whose events contain nothing else of ours.
    add_metadata(&mut form, "payment_intent_data[metadata]", payment);
    form.add_optional("customer_email", payment.customer.as_ref());
    form.add_optional("locale", payment.locale.as_ref());
    form.add_optional("expires_at", payment.expires_at.map(|at| at.unix_timestamp().to_string()));
    Ok(form)
}

fn add_metadata(form: &mut Form, name: &str, payment: &PaymentRequest) {
    for (key, value) in &payment.metadata {
        form.add(&format!("{name}[{key}]"), value);
    }
    form.add(&format!("{name}[payment_token]"), &payment.token);
}

fn add_items(form: &mut Form, payment: &PaymentRequest) -> Result<(), GatewayError> {
    let currency = payment.amount.currency;
    for (at, item) in payment.items.iter().enumerate() {
        let field = |name: &str| format!("line_items[{at}]{name}");
        let unit = Money::new(item.unit_amount, currency);
        let unit = money::from_minor(unit).map_err(|error| GatewayError::Declined(error.to_string()))?;
        form.add(&field("[quantity]"), item.quantity.to_string());
        form.add(&field("[price_data][currency]"), currency.as_str().to_ascii_lowercase());
        form.add(&field("[price_data][unit_amount]"), unit.to_string());
        form.add(&field("[price_data][product_data][name]"), &item.name);
    }
    Ok(())
}

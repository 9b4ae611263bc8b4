//! How does a hosted checkout begin? As a session of one payment
//! (<https://docs.stripe.com/api/checkout/sessions/create>), which bears our token wherever an event may show it.

use serde::Deserialize;

use super::Api;
use super::form::Form;
use crate::domain::money::Money;
use crate::gateways::stripe::money;
use crate::gateways::{Capture, GatewayError, Order, Started};

/// What is needed of the session.
#[derive(Deserialize)]
struct Session {
    id: String,
    url: Option<String>,
    payment_intent: Option<serde_json::Value>,
}

impl Api {
    /// Creates a session for the order. The same order is the same session, however often it is asked for.
    pub(in crate::gateways::stripe) async fn checkout(&self, order: &Order) -> Result<Started, GatewayError> {
        let answer = self.act("/v1/checkout/sessions", form(order)?, &format!("{}-checkout", order.token)).await?;
        let session: Session =
            serde_json::from_slice(&answer.body).map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
        let url = session.url.ok_or_else(|| GatewayError::Malformed("the session has no address".to_owned()))?;
        let intent = session.payment_intent.as_ref().and_then(|intent| intent.as_str()).map(str::to_owned);
        Ok(Started::Redirect { url, gateway_refs: [Some(session.id), intent].into_iter().flatten().collect() })
    }
}

fn form(order: &Order) -> Result<Form, GatewayError> {
    let mut form = Form::default();
    form.add("mode", "payment");
    let Some(back) = &order.return_url else {
        return Err(GatewayError::Declined("Stripe needs a return_url, where the customer goes afterwards".to_owned()));
    };
    form.add("success_url", back);
    form.maybe("cancel_url", order.cancel_url.as_ref());
    form.add("client_reference_id", &order.token);
    metadata(&mut form, "metadata", order);
    items(&mut form, order)?;
    if order.capture == Capture::Manual {
        form.add("payment_intent_data[capture_method]", "manual");
    }
    // The session's metadata does not reach the intent, and the intent's events show nothing else of ours.
    metadata(&mut form, "payment_intent_data[metadata]", order);
    form.maybe("customer_email", order.customer.as_ref());
    form.maybe("locale", order.locale.as_ref());
    form.maybe("expires_at", order.expires_at.map(|at| at.unix_timestamp().to_string()));
    Ok(form)
}

fn metadata(form: &mut Form, name: &str, order: &Order) {
    for (key, value) in &order.metadata {
        form.add(&format!("{name}[{key}]"), value);
    }
    form.add(&format!("{name}[payment_token]"), &order.token);
}

fn items(form: &mut Form, order: &Order) -> Result<(), GatewayError> {
    for (at, item) in order.items.iter().enumerate() {
        let of = |name: &str| format!("line_items[{at}]{name}");
        let unit = Money::new(item.unit_amount, order.amount.currency);
        let unit = money::from_minor(unit).map_err(|bad| GatewayError::Declined(bad.to_string()))?;
        form.add(&of("[quantity]"), item.quantity.to_string());
        form.add(&of("[price_data][currency]"), order.amount.currency.as_str().to_ascii_lowercase());
        form.add(&of("[price_data][unit_amount]"), unit.to_string());
        form.add(&of("[price_data][product_data][name]"), &item.name);
    }
    Ok(())
}

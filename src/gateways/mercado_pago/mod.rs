//! The gateway for Mercado Pago. [`MercadoPago`] is the webhook of one application. Its notifications name an object
//! without showing it, so an access token is needed to fetch the object. With the token the crate also makes checkouts
//! and acts on payments.
//!
//! See [`MercadoPago`] for an example of a variant's configuration.

mod api;
mod interpret;
mod money;
mod notification;
mod setup;
mod verify;

use std::borrow::Cow;
use std::time::Duration;

use super::believed::Believed;
use super::http::is_base;
use super::json_api::call_supported;
use super::signature::Secret;
use super::{
    BoxFuture, Call, Fetch, Gateway, GatewayError, Mode, PaymentRequest, SecretStatus, Setup, Started, TEST_KIND, Verb,
    Verification, test_interpretation,
};
use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References};
use crate::domain::identifier::GatewayRef;
use api::Api;

/// The webhook of one Mercado Pago application.
///
/// Mercado Pago signs only the id of the object that a notification names. So nothing else in it is trusted: the object
/// is fetched with the access token, and only Mercado Pago's answer changes payments.
///
/// Events find their payment by the payment's token. A host that creates preferences or payments itself passes the
/// token to Mercado Pago as their `external_reference`. Ids are numbers that payments, refunds and orders share, so they
/// are known here as `payment_1`, `refund_1`, `merchant_order_1`, `chargeback_1` and `preference_1`.
///
/// ```
/// use actix_payments::gateways::{Gateway, mercado_pago::MercadoPago};
///
/// let mercado_pago = MercadoPago::new("the webhook's secret").access_token("APP_USR-1");
/// # #[cfg(feature = "https")]
/// assert_eq!(mercado_pago.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct MercadoPago {
    secrets: Vec<(String, Secret)>,
    sellers: Believed,
    tolerance: Option<Duration>,
    notification_url: Option<String>,
    api: Option<Api>,
}

impl MercadoPago {
    /// A webhook with its secret, as the application's settings show it. The secret gets the label `primary`.
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secrets: vec![("primary".to_owned(), Secret::new(secret))],
            sellers: Believed::all("seller", &["seller"]),
            tolerance: None,
            notification_url: None,
            api: None,
        }
    }

    /// Adds another secret, such as the next one while it is changed, or that of the test mode. The label shows which
    /// one matched. Default: none.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets.push((label.into(), Secret::new(secret)));
        self
    }

    /// Sets how far a signature's time, read as seconds, may be from our clock in either direction. Default: any time,
    /// as in Mercado Pago's own libraries: its deliveries have been seen with milliseconds, which this would refuse.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Names the sellers (`collector_id`) whose payments, orders and chargebacks are believed. Default: all that the
    /// access token shows, which is right for an application with a single seller. If others are connected to it, name
    /// your own.
    pub fn sellers(mut self, sellers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.sellers.name(sellers);
        self
    }

    /// Sets the access token (`APP_USR-…` or `TEST-…`) with which the crate calls Mercado Pago's API. Default: none, and
    /// notifications wait until there is one.
    ///
    /// [`Payments::create`](crate::Payments::create) then makes a preference and returns the address of its checkout.
    /// Captures, cancels, refunds and refreshes use the token as well.
    pub fn access_token(mut self, token: impl Into<String>) -> Self {
        self.api = Some(Api::new(token));
        self
    }

    /// Sets the public address of this variant's webhook endpoint, which is sent to Mercado Pago with every checkout
    /// that is made here. Default: none, and Mercado Pago sends to the address in the application's settings.
    pub fn notification_url(mut self, url: impl Into<String>) -> Self {
        self.notification_url = Some(url.into());
        self
    }

    /// Sets the address of Mercado Pago's API, for tests with a fake: `https://`, or `http://` to this machine.
    /// Default: `https://api.mercadopago.com`. Has an effect only after [`MercadoPago::access_token`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.json.base = base.into();
        }
        self
    }

    /// Sets how often a call is retried when Mercado Pago can't be reached or reports an error of its own. Default: 2.
    /// Every try has the same idempotency key. Has an effect only after [`MercadoPago::access_token`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.json.retries = retries;
        }
        self
    }
}

impl Gateway for MercadoPago {
    fn name(&self) -> &'static str {
        "Mercado Pago"
    }

    fn check(&self) -> Result<(), String> {
        for (label, secret) in &self.secrets {
            if secret.is_blank() {
                return Err(format!("expected Mercado Pago's signing secret as {label:?}, got a blank text"));
            }
            if let Some(where_blank) = secret.surrounding_blank() {
                return Err(format!("expected Mercado Pago's signing secret as {label:?}, got one that {where_blank}"));
            }
        }
        self.sellers.check("Mercado Pago")?;
        if let Some(url) = self.notification_url.as_ref().filter(|url| !is_base(url)) {
            return Err(format!("expected an https:// address as Mercado Pago's notification_url, got {url:?}"));
        }
        self.api.as_ref().map_or(Ok(()), |api| api.json.check())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(verify::verified(&self.secrets, delivery, self.tolerance.map(|tolerance| (tolerance, now))))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        match event.kind {
            TEST_KIND => Ok(test_interpretation()),
            interpret::PAYMENT | interpret::MERCHANT_ORDER | interpret::CHARGEBACK => {
                self.sellers.heard_of(event, || interpret::interpret(event))
            }
            _ if interpret::is_answer(event) => interpret::interpret(event),
            _ => Ok(notification::interpret(event)),
        }
    }

    /// Nothing of a notification's body is signed, and nothing of it is read.
    fn unchanging<'a>(&self, _: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(&[])
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        interpret::references(event)
    }

    fn setup(&self) -> Setup {
        let secrets = self.secrets.iter();
        let secrets =
            secrets.map(|(label, secret)| SecretStatus { label: label.clone(), is_set: !secret.is_blank() }).collect();
        setup::setup(secrets, self.api.is_some())
    }

    /// The object and the topic, which stand in the address too, are read from the notification.
    fn signed_delivery(&self, id: &str, event: &[u8], now: Timestamp) -> Option<Delivery> {
        verify::signed(&self.secrets.first()?.1, (id, now), event)
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.signed_delivery(id, setup::test_notification(id).as_bytes(), now)
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(payment, self.notification_url.as_deref())),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err("Mercado Pago completes a payment by itself.".to_owned()),
            _ if self.api.is_none() => {
                Err("This variant has no access token, so Mercado Pago can't be asked for anything from here."
                    .to_owned())
            }
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        call_supported(self.api.as_ref(), self.supports(call.verb), |api| Box::pin(api.call(call)))
    }

    fn supports_fetch(&self) -> Result<(), String> {
        match &self.api {
            Some(_) => Ok(()),
            None => Err("this variant has no access token, with which Mercado Pago shows what its notifications name"
                .to_owned()),
        }
    }

    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        call_supported(self.api.as_ref(), self.supports_fetch(), |api| Box::pin(api.fetch(fetch)))
    }

    fn dashboard_url(&self, gateway_ref: &GatewayRef, _: Mode) -> Option<String> {
        let number = gateway_ref.strip_prefix("payment_").filter(|id| verify::is_number(id))?;
        Some(format!("https://www.mercadopago.com/activities?q={number}"))
    }
}

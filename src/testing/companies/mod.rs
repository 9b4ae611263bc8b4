//! The companies of the test kit: what each sends, and how it writes its events.

pub(super) mod adyen;
#[cfg(feature = "braintree")]
pub(super) mod braintree;
pub(super) mod dummy;
pub(super) mod lemon_squeezy;
pub(super) mod mercado_pago;
pub(super) mod mollie;
pub(super) mod paddle;
#[cfg(feature = "paypal")]
pub(super) mod paypal;
#[cfg(feature = "paypal")]
mod paypal_certificate;
pub(super) mod polar;
pub(super) mod razorpay;
pub(super) mod square;
pub(super) mod stripe;

use std::sync::Arc;

use crate::domain::identifier::VariantName;
use crate::gateways::adyen::Adyen;
use crate::gateways::dummy::Dummy;
use crate::gateways::lemon_squeezy::LemonSqueezy;
use crate::gateways::paddle::Paddle;
use crate::gateways::polar::Polar;
use crate::gateways::razorpay::Razorpay;
use crate::gateways::square::Square;
use crate::gateways::stripe::Stripe;
use crate::payments::Payments;
use crate::testing::company::Company;
use crate::testing::served::ObjectServer;
use crate::testing::stand_in::StandIn;

impl Company {
    /// Stripe, for a variant of [`Stripe`](crate::gateways::stripe::Stripe).
    pub fn stripe(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(stripe::Stripe))
    }

    /// For a variant of [`Dummy`](crate::gateways::dummy::Dummy).
    pub fn dummy(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(dummy::Dummy))
    }

    /// For a variant of [`Paddle`](crate::gateways::paddle::Paddle). It has no payment that is authorized only, and
    /// none that expires; a lost dispute is the chargeback itself.
    pub fn paddle(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(paddle::Paddle))
    }

    /// For a variant of [`Razorpay`](crate::gateways::razorpay::Razorpay). Its payments are captured whole, and neither
    /// canceled nor expired. Its events don't show that a subscription is to end with its period.
    pub fn razorpay(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(razorpay::Razorpay))
    }

    /// For a variant of [`Square`](crate::gateways::square::Square). Its payments are captured whole, and don't expire.
    pub fn square(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(square::Square))
    }

    /// For a variant of [`LemonSqueezy`](crate::gateways::lemon_squeezy::LemonSqueezy). It sends nothing of an order
    /// that is not paid, of a refund that failed, and of disputes.
    pub fn lemon_squeezy(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(lemon_squeezy::LemonSqueezy))
    }

    /// For a variant of [`Polar`](crate::gateways::polar::Polar). It takes the money at once, and sends nothing of
    /// disputes.
    pub fn polar(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(polar::Polar))
    }

    /// For a variant of [`Adyen`](crate::gateways::adyen::Adyen). What is authorized, captured and canceled was
    /// started to be captured later. A dispute is announced first; a lost one is the chargeback itself.
    pub fn adyen(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(adyen::Adyen))
    }

    /// For a variant of [`Mollie`](crate::gateways::mollie::Mollie), whose `api_base` is the address of `server`: a
    /// hint names a payment, and `server` shows it. A chargeback takes the money at once. There is no secret, and
    /// nothing is signed.
    pub fn mollie(payments: &Payments, variant: impl Into<VariantName>, server: &ObjectServer) -> Self {
        Self::new(payments, variant.into(), Arc::new(mollie::Mollie(server.objects())))
    }

    /// For a variant of [`MercadoPago`](crate::gateways::mercado_pago::MercadoPago), whose `api_base` is the address of
    /// `server`: a notification names a payment or a chargeback, and `server` shows it.
    pub fn mercado_pago(payments: &Payments, variant: impl Into<VariantName>, server: &ObjectServer) -> Self {
        Self::new(payments, variant.into(), Arc::new(mercado_pago::MercadoPago(server.objects())))
    }

    /// For a variant of [`Braintree`](crate::gateways::braintree::Braintree). It sends nothing of a payment that is
    /// authorized only, captured in part, canceled or expired, and its subscriptions end at once.
    #[cfg(feature = "braintree")]
    pub fn braintree(payments: &Payments, variant: impl Into<VariantName>) -> Self {
        Self::new(payments, variant.into(), Arc::new(braintree::Braintree))
    }

    /// For a variant of [`testing::paypal`](super::paypal) with the same id of a webhook. It sends nothing of a payment
    /// that expired, and its subscriptions end at once. Of a renewal that is paid after failed attempts it sends the
    /// payment alone, so that the subscription stays past due until PayPal is asked how it stands.
    #[cfg(feature = "paypal")]
    pub fn paypal(payments: &Payments, variant: impl Into<VariantName>, webhook_id: impl Into<String>) -> Self {
        Self::new(payments, variant.into(), Arc::new(paypal::PayPal { webhook_id: webhook_id.into() }))
    }
}

impl StandIn {
    /// In place of Stripe; calls need no API key.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_payments::domain::money::{Currency, Money};
    /// use actix_payments::gateways::stripe::Stripe;
    /// use actix_payments::testing::{Answer, Company, StandIn, TestDatabase, settle};
    /// use actix_payments::{Database, ErrorKind, NewPayment, Payments, Refund};
    ///
    /// let test = TestDatabase::sqlite()?;
    /// let stand_in = StandIn::stripe(Stripe::new("whsec_test"));
    /// let builder = Payments::builder(Database::sqlite(test.path())?);
    /// let payments = builder.variant("stripe", stand_in.clone()).build()?;
    /// payments.migrate().await?;
    /// let order = NewPayment::new("stripe", Money::new(49_99, Currency::EUR)).return_url("https://shop.example/");
    /// let payment = payments.create(order).await?.payment;
    /// Company::stripe(&payments, "stripe").paid(&payment).deliver().await?;
    /// settle(&payments).await?;
    ///
    /// stand_in.answer(Answer::Declined("the balance is too low".to_owned()));
    /// let error = payments.refund(&payment.token, Refund::all()).await.unwrap_err();
    /// assert_eq!((error.kind(), stand_in.refunded(&payment.token)), (ErrorKind::Gateway, 0));
    ///
    /// payments.refund(&payment.token, Refund::all()).await?;
    /// assert_eq!(stand_in.refunded(&payment.token), 49_99);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    pub fn stripe(gateway: Stripe) -> Self {
        Self::new(Arc::new(gateway), Arc::new(stripe::Stripe))
    }

    /// In place of the dummy gateway.
    pub fn dummy(gateway: Dummy) -> Self {
        Self::new(Arc::new(gateway), Arc::new(dummy::Dummy))
    }

    /// In place of Paddle; calls need no API key.
    pub fn paddle(gateway: Paddle) -> Self {
        Self::new(Arc::new(gateway), Arc::new(paddle::Paddle))
    }

    /// In place of Razorpay; calls need no API key. Its subscriptions are ended at once or not at all.
    pub fn razorpay(gateway: Razorpay) -> Self {
        Self::new(Arc::new(gateway), Arc::new(razorpay::Razorpay))
    }

    /// In place of Square; calls need no access token.
    pub fn square(gateway: Square) -> Self {
        Self::new(Arc::new(gateway), Arc::new(square::Square))
    }

    /// In place of Lemon Squeezy; calls need no API key.
    pub fn lemon_squeezy(gateway: LemonSqueezy) -> Self {
        Self::new(Arc::new(gateway), Arc::new(lemon_squeezy::LemonSqueezy))
    }

    /// In place of Polar; calls need no access token.
    pub fn polar(gateway: Polar) -> Self {
        Self::new(Arc::new(gateway), Arc::new(polar::Polar))
    }

    /// In place of Adyen; calls need no API key. They are answered with the notifications that Adyen would send later.
    pub fn adyen(gateway: Adyen) -> Self {
        Self::new(Arc::new(gateway), Arc::new(adyen::Adyen))
    }
}

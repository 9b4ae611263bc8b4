//! How does a payment begin? Its row is committed before the gateway hears of it, so that no event can come
//! before there is something to match.

use std::sync::Arc;

use std::time::Duration;

use crate::domain::event::storable;
use crate::domain::id::PaymentId;
use crate::domain::later;
use crate::domain::money::Money;
use crate::domain::payment::Status;
use crate::engine::payment::Payment;
use crate::engine::{Engine, payment_token};
use crate::error::{Error, ErrorKind};
use crate::gateways::{CaptureMethod, LineItem, PaymentRequest, Started};
use crate::store::rows::PaymentDraft;

/// A payment to be created.
#[derive(Debug, Clone)]
pub struct NewPayment {
    variant: String,
    order: PaymentRequest,
    expires_in: Option<Duration>,
    checkout: bool,
}

/// What is to be done next on the customer's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send the customer to this address.
    Redirect(String),
    /// Nothing: the gateway reports by itself, or the host starts the gateway's checkout with the token.
    Done,
}

/// A payment that was created.
#[derive(Debug, Clone)]
pub struct Created {
    /// The payment; give its `token` to the gateway where the host starts the checkout itself.
    pub payment: Payment,
    /// What is to be done next.
    pub next: Next,
}

impl NewPayment {
    /// A payment of `amount` through `variant`.
    pub fn new(variant: impl Into<String>, amount: Money) -> Self {
        Self { variant: variant.into(), order: PaymentRequest::new("", amount), expires_in: None, checkout: true }
    }

    /// The host's own id of what is paid for, its order number. Default none.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.order.reference = Some(reference.into());
        self
    }

    /// Adds one thing that is paid for, for the gateway's page: its name, how many, and what one costs in minor units
    /// of the payment's currency. Together they must cost the amount. Default: one item named after the reference.
    pub fn item(mut self, name: impl Into<String>, quantity: u32, unit_amount: i64) -> Self {
        self.order.items.push(LineItem { name: name.into(), quantity, unit_amount });
        self
    }

    /// When the money is to be taken. Default [`CaptureMethod::Immediate`].
    pub fn capture(mut self, capture: CaptureMethod) -> Self {
        self.order.capture = capture;
        self
    }

    /// The customer's email address. Default none; the gateway's events may bring it.
    pub fn customer(mut self, email: impl Into<String>) -> Self {
        self.order.customer = Some(email.into());
        self
    }

    /// The language of the gateway's page, an IETF tag: `de`, `pt-BR`. Default: the gateway's choice.
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.order.locale = Some(locale.into());
        self
    }

    /// How long the customer may take. Default: the gateway's choice, a day at Stripe, which allows half an hour to a
    /// day.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    /// The host starts the gateway's checkout itself and hands over the payment's token there: a form in its own pages,
    /// an intent of its own. Default: the gateway's hosted checkout is started, where there is one.
    pub fn without_checkout(mut self) -> Self {
        self.checkout = false;
        self
    }

    /// Attaches a text of the host's; the gateway gets it as well, so no personal data. Default none.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.order.metadata.insert(name.into(), value.into());
        self
    }

    /// Where the customer goes afterwards; `{token}` in it becomes the payment's token. Ask [`Payments::catch_up`](crate::Payments::catch_up)
    /// there. Default: the gateway's own last page; Stripe has none and wants an address.
    pub fn return_url(mut self, url: impl Into<String>) -> Self {
        self.order.return_url = Some(url.into());
        self
    }

    /// Where the customer goes after giving up; `{token}` as above. Default: the same as afterwards.
    pub fn cancel_url(mut self, url: impl Into<String>) -> Self {
        self.order.cancel_url = Some(url.into());
        self
    }
}

impl Engine {
    /// Creates a payment and starts it at its gateway.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` for an amount below zero or a text that can't be stored,
    /// `Gateway` when the gateway did not start it (the payment stays, pending), and what the database says.
    pub(crate) async fn create(self: &Arc<Self>, new: NewPayment) -> Result<Created, Error> {
        let variant = self.variant(&new.variant).ok_or_else(|| unknown_variant(self, &new.variant))?;
        let NewPayment { variant: name, mut order, expires_in, checkout } = new;
        complete(self, &name, &mut order, expires_in)?;
        let draft = draft(self, &name, &order)?;
        let row = self.write(move |tx| tx.insert_payment(&draft)).await?;
        let failed = |error| {
            Error::new(ErrorKind::Gateway, format!("payment {} was not started", order.token)).with_source(error)
        };
        let started = if checkout { variant.gateway.start(&order).await.map_err(failed)? } else { Started::Done };
        let next = match started {
            Started::Done => Next::Done,
            Started::Redirect { url, gateway_refs } => {
                self.link(row.id, name, gateway_refs).await?;
                Next::Redirect(url)
            }
        };
        Ok(Created { payment: Payment::of(&row), next })
    }

    /// Links the gateway's ids to a payment and wakes the events that waited for one of them.
    async fn link(
        self: &Arc<Self>,
        payment: PaymentId,
        variant: String,
        gateway_refs: Vec<String>,
    ) -> Result<(), Error> {
        let now = self.now();
        let linked = move |tx: &mut dyn crate::store::Tx| {
            let keys: Vec<_> = gateway_refs.iter().map(|text| (variant.clone(), text.clone())).collect();
            tx.lock_references(&keys)?;
            let links: Vec<_> = keys.iter().map(|key| (key.clone(), payment)).collect();
            tx.link(&links)?;
            tx.wake(&keys, now)
        };
        self.write(linked).await?;
        self.notify();
        Ok(())
    }
}

/// Fills in what the host did not say, and refuses what can't work before anything is stored or sent.
fn complete(
    engine: &Arc<Engine>,
    variant: &str,
    order: &mut PaymentRequest,
    expires_in: Option<Duration>,
) -> Result<(), Error> {
    let refused = |message: String| Err(Error::new(ErrorKind::Refused, message));
    if order.amount.minor < 0 {
        return refused(format!("expected an amount of at least 0, got {}", order.amount));
    }
    for text in [&order.reference, &order.customer].into_iter().flatten() {
        if !storable(text) {
            let message = "expected a reference and a customer of 1 to 255 characters without control characters";
            return refused(message.to_owned());
        }
    }
    if order.items.is_empty() {
        let name = order.reference.clone().unwrap_or_else(|| "Payment".to_owned());
        order.items.push(LineItem { name, quantity: 1, unit_amount: order.amount.minor });
    }
    let cost = |item: &LineItem| item.unit_amount.checked_mul(i64::from(item.quantity));
    let sum = order.items.iter().try_fold(0_i64, |sum, item| sum.checked_add(cost(item)?));
    if sum != Some(order.amount.minor) {
        let sum = sum.map_or_else(
            || "more than can be said".to_owned(),
            |minor| Money::new(minor, order.amount.currency).to_string(),
        );
        return refused(format!("expected items that cost {} together, got {sum}", order.amount));
    }
    order.token = payment_token()?;
    for url in [&mut order.return_url, &mut order.cancel_url].into_iter().flatten() {
        *url = url.replace("{token}", &order.token);
    }
    order.address = Some(engine.address_of(variant).trim_end_matches('/').to_owned());
    order.expires_at = expires_in.map(|time| later(engine.now(), time));
    order.cancel_url = order.cancel_url.take().or_else(|| order.return_url.clone());
    Ok(())
}

fn draft(engine: &Arc<Engine>, variant: &str, order: &PaymentRequest) -> Result<PaymentDraft, Error> {
    let metadata = if order.metadata.is_empty() {
        None
    } else {
        let unkept = |e| Error::new(ErrorKind::Refused, "the metadata can't be kept as JSON").with_source(e);
        Some(serde_json::to_string(&order.metadata).map_err(unkept)?)
    };
    Ok(PaymentDraft {
        token: order.token.clone(),
        reference: order.reference.clone(),
        variant: variant.to_owned(),
        status: Status::Pending,
        amount: order.amount.minor,
        currency: order.amount.currency,
        customer: order.customer.clone(),
        livemode: None,
        metadata,
        adopted: false,
        created_at: engine.now(),
    })
}

fn unknown_variant(engine: &Arc<Engine>, got: &str) -> Error {
    let known = engine.variant_names();
    Error::new(ErrorKind::NotFound, format!("expected one of the variants {}, got {got:?}", known.join(", ")))
}

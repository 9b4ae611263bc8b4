//! Creating a payment: its row is committed before the gateway is called, so that every event finds its payment.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::event::storable;
use crate::domain::id::PaymentId;
use crate::domain::identifier::{GatewayRef, Reference, VariantName};
use crate::domain::money::Money;
use crate::domain::payment::Status;
use crate::domain::{Timestamp, later};
use crate::engine::payment::{Payment, named_account};
use crate::engine::{Engine, payment_token};
use crate::error::{Error, ErrorKind};
use crate::gateways::{CaptureMethod, LineItem, PaymentRequest, Started};
use crate::operations::index_words::insert;
use crate::operations::next::{Next, checked_address};
use crate::operations::observed::observed;
use crate::store::Tx;
use crate::store::rows::{PaymentDraft, PaymentRow};

/// A payment to be created.
///
/// See [`Payments::create`](crate::Payments::create) for an example.
#[derive(Debug, Clone)]
#[must_use = "it becomes a payment by `Payments::create`"]
pub struct NewPayment {
    variant: VariantName,
    order: PaymentRequest,
    key: Option<String>,
    expires_in: Option<Duration>,
    checkout: bool,
}

/// A created payment, and what to do next.
///
/// [`Payments::create`](crate::Payments::create) returns it and has an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Created {
    /// The payment. If the host starts the checkout itself, it passes the `token` to the gateway.
    pub payment: Payment,
    /// What is to be done next.
    pub next: Next,
}

impl NewPayment {
    /// A payment of `amount` through `variant`.
    pub fn new(variant: impl Into<VariantName>, amount: Money) -> Self {
        let order = PaymentRequest::new("", amount);
        Self { variant: variant.into(), order, key: None, expires_in: None, checkout: true }
    }

    /// The host's own key for this payment, unique among all its payments: `order-10042-1`. A second call with the same
    /// key returns the same payment: a double click, a retried request or a second process make only one, and the
    /// customer is sent to the same page. If the payment is no longer pending, such as paid, declined or expired, it is
    /// returned with [`Next::Done`], so give the next attempt a key of its own: `order-10042-2`. With another variant,
    /// amount, currency or reference than the first call's, or for an account that is not the payment's, the second
    /// call is `Refused`. Default: none, and every call makes a payment.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The account at the gateway for which the payment is made: at Stripe a connected one (`acct_…`) that the variant
    /// names with [`Stripe::accounts`](crate::gateways::stripe::Stripe::accounts), for a direct charge. The checkout
    /// and all later calls are made on this account, and only its events find the payment by its token. Set it, too, if
    /// the host starts the checkout itself. Default: the merchant's own account.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.order.account = Some(account.into());
        self
    }

    /// The host's own id, such as its order number; all payments of an order may share it. Default: none.
    pub fn reference(mut self, reference: impl Into<Reference>) -> Self {
        self.order.reference = Some(reference.into());
        self
    }

    /// Adds a line item to the gateway's page: its name, its quantity, and the price of one in minor units of the
    /// payment's currency. All items together must cost the payment's amount. Default: one item named after the
    /// reference.
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

    /// The host starts the gateway's checkout itself, for example with a form in its own pages or an intent of its own,
    /// and passes the payment's token to it. Default: the gateway's hosted checkout is started, if it has one.
    pub fn without_checkout(mut self) -> Self {
        self.checkout = false;
        self
    }

    /// Attaches a text. The gateway gets it as well, so don't put personal data into it. Default: none.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.order.metadata.insert(name.into(), value.into());
        self
    }

    /// Where the customer goes afterwards; `{token}` in it becomes the payment's token. Call
    /// [`Payments::catch_up`](crate::Payments::catch_up) on that page. Default: the gateway's own last page. Stripe has
    /// no such page and requires an address.
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
    /// `NotFound` for an unknown variant, `Refused` for an amount below zero, a text that can't be stored or an account
    /// that the gateway does not act for,
    /// `Gateway` when the gateway did not start it (the payment stays, pending), and what the database says.
    pub(crate) async fn create(self: &Arc<Self>, new: NewPayment) -> Result<Created, Error> {
        let variant = self.load(&new.variant).await?.ok_or_else(|| unknown_variant(self, &new.variant))?;
        let NewPayment { variant: name, mut order, key, expires_in, checkout } = new;
        if let Some(account) = &order.account {
            variant.gateway.supports_account(account).map_err(|why| Error::new(ErrorKind::Refused, why))?;
        }
        let asked = order.clone();
        let now = self.now();
        complete(self, &name, &mut order, key.as_deref(), expires_in, now)?;
        let account = order.account.clone().or_else(|| variant.gateway.own_account());
        let draft = PaymentDraft { account, ..draft(&name, &order, now)? };
        let (row, sent_to, is_new) = self.once(key.clone(), draft).await?;
        // The address of a checkout may bear the customer's own.
        let key = key.filter(|_| row.customer.is_some() || asked.customer.is_none());
        if !is_new {
            same(&row, &name, &asked)?;
            if let Some(next) = next_of(&row, sent_to) {
                return Ok(Created { payment: Payment::of(&row), next });
            }
            // Not known to be started, so it is started now, as the same payment.
            let account = named_account(row.account.as_ref());
            order = PaymentRequest { token: row.token.clone().into(), account, ..asked };
            // By its own time, so that the gateway is asked for the very same as before.
            fill(self, &name, &mut order, expires_in, row.created_at);
        }
        let failed = |error| {
            Error::new(ErrorKind::Gateway, format!("payment {} was not started", order.token)).with_source(error)
        };
        let started = if checkout {
            observed(self, &name, "create", variant.gateway.start(&order)).await.map_err(failed)?
        } else {
            Started::Done
        };
        let next = match started {
            Started::Done => Next::Done,
            Started::Redirect { url, gateway_refs } => {
                checked_address(&url)?;
                self.link(row.id, name.into(), gateway_refs, key.map(|key| (key, url.clone()))).await?;
                Next::Redirect(url)
            }
        };
        Ok(Created { payment: Payment::of(&row), next })
    }

    /// The payment under this key: the one that was created under it before, with where its customer was sent, or a new
    /// one.
    async fn once(
        self: &Arc<Self>,
        key: Option<String>,
        draft: PaymentDraft,
    ) -> Result<(PaymentRow, Option<String>, bool), Error> {
        let engine = self.clone();
        self.write(move |tx| {
            let (mut draft, mut key) = (draft.clone(), key.clone());
            let marks = if draft.customer.is_some() { engine.marks(tx)? } else { Arc::default() };
            if let Some(email) = draft.customer.clone().filter(|email| engine.is_erased(&marks, None, Some(email))) {
                engine.unname(&mut draft, &mut key, &email)?;
            }
            let Some(key) = &key else { return Ok((insert(tx, &draft)?, None, true)) };
            if let Some((row, address)) = tx.created_under(key)? {
                return Ok((row, address, false));
            }
            let row = insert(tx, &draft)?;
            tx.keep_creation(key, row.id)?;
            Ok((row, None, true))
        })
        .await
    }

    /// Links the gateway's ids to a payment and wakes the events that waited for one of them.
    async fn link(
        self: &Arc<Self>,
        payment: PaymentId,
        variant: String,
        gateway_refs: Vec<GatewayRef>,
        started: Option<(String, String)>,
    ) -> Result<(), Error> {
        let now = self.now();
        let linked = move |tx: &mut dyn Tx| {
            let keys: Vec<_> = gateway_refs.iter().map(|text| (variant.clone(), text.to_string())).collect();
            tx.lock_references(&keys)?;
            let links: Vec<_> = keys.iter().map(|key| (key.clone(), payment)).collect();
            tx.link(&links)?;
            if let Some((key, address)) = &started {
                tx.creation_started(key, address)?;
            }
            tx.wake(&keys, now)
        };
        self.write(linked).await?;
        self.notify();
        Ok(())
    }
}

/// Refuses what can't work before anything is stored or sent, and fills in what the host did not say.
fn complete(
    engine: &Arc<Engine>,
    variant: &str,
    order: &mut PaymentRequest,
    key: Option<&str>,
    expires_in: Option<Duration>,
    now: Timestamp,
) -> Result<(), Error> {
    let refused = |message: String| Err(Error::new(ErrorKind::Refused, message));
    if order.amount.minor < 0 {
        return refused(format!("expected an amount of at least 0, got {}", order.amount));
    }
    for text in [order.reference.as_deref(), order.customer.as_deref()].into_iter().flatten() {
        if !storable(text) {
            let message = "expected a reference and a customer of 1 to 255 characters without control characters";
            return refused(message.to_owned());
        }
    }
    if key.is_some_and(|key| !storable(key)) {
        return refused("expected a key of 1 to 255 characters without control characters".to_owned());
    }
    order.token = payment_token()?.into();
    fill(engine, variant, order, expires_in, now);
    let cost = |item: &LineItem| item.unit_amount.checked_mul(i64::from(item.quantity));
    let sum = order.items.iter().try_fold(0_i64, |sum, item| sum.checked_add(cost(item)?));
    if sum != Some(order.amount.minor) {
        let sum = sum.map_or_else(
            || "more than can be said".to_owned(),
            |minor| Money::new(minor, order.amount.currency).to_string(),
        );
        return refused(format!("expected items that cost {} together, got {sum}", order.amount));
    }
    Ok(())
}

/// What is next for a payment that was created before, unless it is not known to be started.
fn next_of(row: &PaymentRow, sent_to: Option<String>) -> Option<Next> {
    if row.status == Status::Pending { sent_to.map(Next::Redirect) } else { Some(Next::Done) }
}

/// Whether a key is used for the same payment again.
fn same(row: &PaymentRow, variant: &str, asked: &PaymentRequest) -> Result<(), Error> {
    let amount = Money::new(row.amount, row.currency);
    // What was erased of it can't be compared.
    let is_erased = row.reference.as_ref().is_some_and(|reference| reference.contains("(erased)"));
    let is_of_account = asked.account.is_none() || row.account == asked.account;
    let is_named_alike = is_erased || row.reference.as_deref() == asked.reference.as_deref();
    if row.variant == variant && amount == asked.amount && is_named_alike && is_of_account {
        return Ok(());
    }
    let message = format!(
        "expected a key of its own for each payment, got one that created a payment of {amount} through {}{}",
        row.variant,
        row.reference.as_ref().map(|reference| format!(" for {reference:?}")).unwrap_or_default()
    );
    Err(Error::new(ErrorKind::Refused, message))
}

/// Fills in what the host did not say. The token is set.
fn fill(
    engine: &Arc<Engine>,
    variant: &str,
    order: &mut PaymentRequest,
    expires_in: Option<Duration>,
    begun: Timestamp,
) {
    if order.items.is_empty() {
        let name = order.reference.as_deref().unwrap_or("Payment").to_owned();
        order.items.push(LineItem { name, quantity: 1, unit_amount: order.amount.minor });
    }
    for url in [&mut order.return_url, &mut order.cancel_url].into_iter().flatten() {
        *url = url.replace("{token}", &order.token);
    }
    order.address = Some(engine.address_of(variant).trim_end_matches('/').to_owned());
    order.expires_at = expires_in.map(|time| later(begun, time));
    order.cancel_url = order.cancel_url.take().or_else(|| order.return_url.clone());
}

fn draft(variant: &str, order: &PaymentRequest, now: Timestamp) -> Result<PaymentDraft, Error> {
    let metadata = if order.metadata.is_empty() {
        None
    } else {
        let unkept = |e| Error::new(ErrorKind::Refused, "the metadata can't be kept as JSON").with_source(e);
        Some(serde_json::to_string(&order.metadata).map_err(unkept)?)
    };
    Ok(PaymentDraft {
        token: order.token.to_string(),
        reference: order.reference.as_ref().map(String::from),
        variant: variant.to_owned(),
        status: Status::Pending,
        amount: order.amount.minor,
        currency: order.amount.currency,
        customer: order.customer.clone(),
        livemode: None,
        metadata,
        adopted: false,
        account: None,
        created_at: now,
    })
}

fn unknown_variant(engine: &Arc<Engine>, got: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("expected {}, got {got:?}", engine.expected_variants()))
}

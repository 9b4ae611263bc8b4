//! How does a payment begin? Its row is committed before the gateway hears of it, so that no event can come
//! before there is something to match.

use std::collections::BTreeMap;

use super::payment::Payment;
use super::{Payments, adopt};
use crate::domain::money::Money;
use crate::domain::payment::Status;
use crate::error::{Error, ErrorKind};
use crate::gateways::{Order, Started};
use crate::store::rows::PaymentDraft;

/// A payment to be created.
#[derive(Debug, Clone)]
pub struct NewPayment {
    variant: String,
    amount: Money,
    reference: Option<String>,
    customer: Option<String>,
    metadata: BTreeMap<String, String>,
    return_url: Option<String>,
    cancel_url: Option<String>,
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
        Self {
            variant: variant.into(),
            amount,
            reference: None,
            customer: None,
            metadata: BTreeMap::new(),
            return_url: None,
            cancel_url: None,
        }
    }

    /// The host's own id of what is paid for, its order number. Default none.
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// The customer's email address. Default none; the gateway's events may bring it.
    pub fn customer(mut self, email: impl Into<String>) -> Self {
        self.customer = Some(email.into());
        self
    }

    /// Attaches a text of the host's. Default none.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Where the customer goes afterwards. Default: the gateway's own last page.
    pub fn return_url(mut self, url: impl Into<String>) -> Self {
        self.return_url = Some(url.into());
        self
    }

    /// Where the customer goes after giving up. Default: the same as afterwards.
    pub fn cancel_url(mut self, url: impl Into<String>) -> Self {
        self.cancel_url = Some(url.into());
        self
    }
}

impl Payments {
    /// Creates a payment and starts it at its gateway.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` for an amount below zero or a text that can't be stored,
    /// `Gateway` when the gateway did not start it (the payment stays, pending), and what the database says.
    pub async fn create(&self, new: NewPayment) -> Result<Created, Error> {
        let variant = self.variant(&new.variant).ok_or_else(|| unknown_variant(self, &new.variant))?;
        let draft = draft(self, &new)?;
        let order = Order {
            token: draft.token.clone(),
            reference: new.reference.clone(),
            amount: new.amount,
            address: Some(format!("{}/{}", self.inner().address, new.variant)),
            return_url: new.return_url.clone(),
            cancel_url: new.cancel_url.or(new.return_url),
        };
        let row = self.blocking(move |inner| inner.store.transaction(|tx| tx.insert_payment(&draft))).await?;
        let started = variant.gateway.start(&order).await.map_err(|error| {
            Error::new(ErrorKind::Gateway, format!("payment {} was not started", order.token)).with_source(error)
        })?;
        let next = match started {
            Started::Done => Next::Done,
            Started::Redirect { url, gateway_refs } => {
                self.link(row.id, new.variant, gateway_refs).await?;
                Next::Redirect(url)
            }
        };
        Ok(Created { payment: Payment::of(&row)?, next })
    }

    /// Links the gateway's ids to a payment and wakes the events that waited for one of them.
    async fn link(&self, payment: i64, variant: String, gateway_refs: Vec<String>) -> Result<(), Error> {
        let now = self.now();
        let linked = move |tx: &mut dyn crate::store::Tx| {
            let keys: Vec<_> = gateway_refs.iter().map(|text| (variant.clone(), text.clone())).collect();
            tx.lock_references(&keys)?;
            tx.link(&variant, &gateway_refs, payment)?;
            tx.wake(&variant, &gateway_refs, now)
        };
        self.blocking(move |inner| inner.store.transaction(linked)).await?;
        self.inner().ring();
        Ok(())
    }
}

fn draft(payments: &Payments, new: &NewPayment) -> Result<PaymentDraft, Error> {
    if new.amount.minor < 0 {
        let message = format!("expected an amount of at least 0, got {}", new.amount);
        return Err(Error::new(ErrorKind::Refused, message));
    }
    for text in [&new.reference, &new.customer].into_iter().flatten() {
        if !super::naming::storable(text) {
            let message = "expected a reference and a customer of 1 to 255 characters without control characters";
            return Err(Error::new(ErrorKind::Refused, message));
        }
    }
    let metadata = match new.metadata.is_empty() {
        true => None,
        false => Some(
            serde_json::to_string(&new.metadata)
                .map_err(|e| Error::new(ErrorKind::Refused, "the metadata can't be kept as JSON").with_source(e))?,
        ),
    };
    Ok(PaymentDraft {
        token: adopt::token()?,
        reference: new.reference.clone(),
        variant: new.variant.clone(),
        status: Status::Pending.as_str(),
        amount: new.amount.minor,
        currency: new.amount.currency.as_str().to_owned(),
        customer: new.customer.clone(),
        livemode: None,
        metadata,
        adopted: false,
        created_at: payments.now(),
    })
}

fn unknown_variant(payments: &Payments, got: &str) -> Error {
    let known: Vec<&str> = payments.variants().collect();
    Error::new(ErrorKind::NotFound, format!("expected one of the variants {}, got {got:?}", known.join(", ")))
}

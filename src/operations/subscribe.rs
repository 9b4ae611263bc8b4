//! Starting a subscription: as with a payment, its row is committed before the gateway is called, so that every event
//! finds it.

use std::sync::Arc;

use super::next::{Next, checked_address};
use super::observed::observed;
use crate::domain::event::storable;
use crate::domain::identifier::VariantName;
use crate::domain::subscription::{OwnerClaim, OwnerSource, SubscriptionFact, SubscriptionFacts};
use crate::engine::subscription::{new_row, put};
use crate::engine::{Engine, Subscription, subscription_token};
use crate::error::{Error, ErrorKind};
use crate::gateways::Started;
use crate::gateways::subscriptions::SubscriptionRequest;
use crate::store::Tx;
use crate::store::subscriptions::SubscriptionRow;

/// A subscription to be started.
///
/// See [`Payments::subscribe`](crate::Payments::subscribe) for an example.
#[derive(Debug, Clone)]
#[must_use = "it becomes a subscription by `Payments::subscribe`"]
pub struct NewSubscription {
    variant: VariantName,
    request: SubscriptionRequest,
}

/// A subscription that was started.
///
/// [`Payments::subscribe`](crate::Payments::subscribe) returns it and has an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Subscribed {
    /// The subscription; incomplete until the gateway reports more.
    pub subscription: Subscription,
    /// What is to be done next.
    pub next: Next,
}

impl NewSubscription {
    /// A subscription to `price`, the gateway's id of it (PayPal: of the plan), through `variant`.
    pub fn new(variant: impl Into<VariantName>, price: impl Into<String>) -> Self {
        let request = SubscriptionRequest {
            token: "".into(),
            account: None,
            price: price.into(),
            quantity: 1,
            owner: None,
            customer: None,
            trial_days: None,
            locale: None,
            address: None,
            return_url: None,
            cancel_url: None,
        };
        Self { variant: variant.into(), request }
    }

    /// The account at the gateway for which it is started, as with [`NewPayment::account`](crate::NewPayment::account).
    /// Default: the merchant's own.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.request.account = Some(account.into());
        self
    }

    /// The host's own id of the owner. Default: none; it can be set later.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.request.owner = Some(owner.into());
        self
    }

    /// How many. Default 1.
    pub fn quantity(mut self, quantity: u32) -> Self {
        self.request.quantity = quantity;
        self
    }

    /// The customer's email address. Default none; the gateway's events may bring it.
    pub fn customer(mut self, email: impl Into<String>) -> Self {
        self.request.customer = Some(email.into());
        self
    }

    /// How many days are free at the beginning. Default: as the price says.
    pub fn trial_days(mut self, days: u32) -> Self {
        self.request.trial_days = Some(days);
        self
    }

    /// The language of the gateway's page, an IETF tag: `de`, `pt-BR`. Default: the gateway's choice.
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.request.locale = Some(locale.into());
        self
    }

    /// Where the customer goes afterwards; `{token}` in it becomes the subscription's token. Default: the gateway's own
    /// last page. Stripe has no such page and requires an address.
    pub fn return_url(mut self, url: impl Into<String>) -> Self {
        self.request.return_url = Some(url.into());
        self
    }

    /// Where the customer goes after giving up; `{token}` as above. Default: the same as afterwards.
    pub fn cancel_url(mut self, url: impl Into<String>) -> Self {
        self.request.cancel_url = Some(url.into());
        self
    }
}

impl Engine {
    /// Starts a subscription at its gateway.
    pub(crate) async fn subscribe(self: &Arc<Self>, new: NewSubscription) -> Result<Subscribed, Error> {
        let NewSubscription { variant, mut request } = new;
        let refused = |why: String| Error::new(ErrorKind::Refused, why);
        let unknown =
            || Error::new(ErrorKind::NotFound, format!("expected {}, got {variant:?}", self.expected_variants()));
        let known = self.load(&variant).await?.ok_or_else(unknown)?;
        let name = known.gateway.name();
        let gateway = known.gateway.subscriptions();
        let gateway = gateway.ok_or_else(|| refused(format!("{name} has no subscriptions here")))?;
        gateway.can_subscribe().map_err(refused)?;
        let supported = request.account.as_deref().map(|account| known.gateway.supports_account(account));
        supported.transpose().map_err(refused)?;
        for text in [Some(&request.price), request.owner.as_ref(), request.customer.as_ref()].into_iter().flatten() {
            if !storable(text) {
                let why = "expected a price, an owner and a customer of 1 to 255 characters without control characters";
                return Err(refused(why.to_owned()));
            }
        }
        if request.quantity == 0 {
            return Err(refused("expected a quantity of at least 1, got 0".to_owned()));
        }
        request.token = subscription_token()?.into();
        for url in [&mut request.return_url, &mut request.cancel_url].into_iter().flatten() {
            *url = url.replace("{token}", &request.token);
        }
        request.cancel_url = request.cancel_url.take().or_else(|| request.return_url.clone());
        request.address = Some(self.address_of(&variant).trim_end_matches('/').to_owned());
        // Whoever was erased and subscribes again stays unnamed here.
        let (engine, email) = (self.clone(), request.customer.clone());
        let is_erased = move |tx: &mut dyn Tx| {
            let marks = engine.marks(tx)?;
            Ok(engine.is_erased(&marks, None, email.as_deref()))
        };
        let kept = if self.read(is_erased).await? { None } else { request.customer.clone() };
        let account = request.account.clone().or_else(|| known.gateway.own_account());
        let row = draft(self, &variant, &SubscriptionRequest { customer: kept, account, ..request.clone() });
        let subscription = Subscription::of(&row)?;
        self.write(move |tx| tx.save_subscriptions(std::slice::from_ref(&row)).map(drop)).await?;
        let failed = |error| {
            let why = format!("subscription {} was not started", request.token);
            Error::new(ErrorKind::Gateway, why).with_source(error)
        };
        let next = match observed(self, &variant, "subscribe", gateway.subscribe(&request)).await.map_err(failed)? {
            Started::Redirect { url, .. } => {
                checked_address(&url)?;
                Next::Redirect(url)
            }
            Started::Done => Next::Done,
        };
        Ok(Subscribed { subscription, next })
    }
}

fn draft(engine: &Engine, variant: &str, request: &SubscriptionRequest) -> SubscriptionRow {
    let now = engine.now();
    let mut row = new_row(request.token.to_string(), variant, None, now);
    row.adopted = false;
    let claim = |owner| OwnerClaim { occurred_at: now, event_id: String::new(), owner };
    let owner = request.owner.clone().map(|owner| SubscriptionFact::Owner(OwnerSource::Host, claim(owner)));
    let customer = request.customer.clone().map(|email| SubscriptionFact::Customer {
        email,
        occurred_at: now,
        event_id: String::new(),
    });
    let mut facts = SubscriptionFacts::of(owner.into_iter().chain(customer));
    facts.account.clone_from(&request.account);
    put(&mut row, &facts, &facts.state());
    row
}

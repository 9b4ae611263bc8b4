//! Starts, changes, pauses, ends and refreshes subscriptions
//! (<https://docs.stripe.com/api/checkout/sessions/create>, <https://docs.stripe.com/api/subscriptions>).

use serde::Deserialize;

use super::answer::event_of;
use super::form::Form;
use super::{Api, Response};
use crate::domain::event::Envelope;
use crate::domain::subscription::SubscriptionStatus;
use crate::error::loggable;
use crate::gateways::http::{Method, Request};
use crate::gateways::stripe::interpret::subscription::TOKEN;
use crate::gateways::subscriptions::{
    PortalRequest, Proration, SubscriptionCall, SubscriptionRequest, SubscriptionVerb,
};
use crate::gateways::{GatewayError, Started, retry};

/// The fields of a session that are used here.
#[derive(Deserialize)]
struct Session {
    url: Option<String>,
}

/// The fields of a subscription that are used here.
#[derive(Deserialize)]
struct Shown {
    status: String,
    #[serde(default)]
    items: Items,
    /// When it ends, in whichever way that was decided.
    #[serde(default)]
    cancel_at: Option<i64>,
    /// Whether it was decided as the end of the period, which is taken back by the same parameter.
    #[serde(default)]
    cancel_at_period_end: bool,
}

#[derive(Default, Deserialize)]
struct Items {
    #[serde(default)]
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    price: Price,
    #[serde(default)]
    quantity: Option<u64>,
}

#[derive(Deserialize)]
struct Price {
    id: String,
}

/// The field of a session of the billing portal that is used here.
#[derive(Deserialize)]
struct Portal {
    url: String,
}

impl Api {
    /// Creates a checkout session of mode subscription. The idempotency key is made of the subscription's token.
    pub(in crate::gateways::stripe) async fn subscribe(
        &self,
        request: &SubscriptionRequest,
        owner_key: &str,
    ) -> Result<Started, GatewayError> {
        let key = format!("{}-checkout", request.token);
        let api = self.of_account(request.account.as_deref());
        let answer = api.post("/v1/checkout/sessions", form(request, owner_key)?, &key).await?;
        let session: Session =
            serde_json::from_slice(&answer.body).map_err(|error| GatewayError::Malformed(error.to_string()))?;
        let url = session.url.ok_or_else(|| GatewayError::Malformed("the session has no address".to_owned()))?;
        // The session is one of the payment that it takes, which its events make.
        Ok(Started::Redirect { url, gateway_refs: Vec::new() })
    }

    /// Carries out the call, and returns the resulting state as an event.
    pub(in crate::gateways::stripe) async fn call_subscription(
        &self,
        call: &SubscriptionCall,
    ) -> Result<Vec<Envelope>, GatewayError> {
        let id = &call.gateway_ref;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(GatewayError::Declined("Stripe has no subscription of this id".to_owned()));
        }
        let (path, account) = (format!("/v1/subscriptions/{id}"), call.account.as_deref());
        let api = self.of_account(account);
        // Stripe answers a repeated call with its first answer, which may be old, and a repeated end with a refusal.
        let answer = match (api.act_on_subscription(call, &path).await, call.verb) {
            (Ok(Some(unchanged)), _) => unchanged,
            (Ok(None), SubscriptionVerb::Refresh) => api.get(&path, Form::default()).await?,
            (Ok(None), _) => {
                let read = api.get(&path, Form::default()).await;
                read.map_err(|error| GatewayError::Malformed(error.to_string()))?
            }
            (Err(declined @ GatewayError::Declined(_)), SubscriptionVerb::Cancel) => {
                match api.get(&path, Form::default()).await {
                    Ok(answer) => match shown(&answer.body).map(|shown| shown.has_ended()) {
                        Ok(true) => answer,
                        Ok(false) => return Err(declined),
                        Err(unread) => return Err(retry::unseen(declined, unread)),
                    },
                    Err(unread) => return Err(retry::unseen(declined, unread)),
                }
            }
            (Err(error), _) => return Err(error),
        };
        if call.verb == SubscriptionVerb::Resume && shown(&answer.body)?.is_ending() {
            let why =
                "Stripe took the call, and the subscription is to end all the same: look for its end in the Dashboard";
            return Err(GatewayError::Declined(why.to_owned()));
        }
        let mut events = vec![event_of(call.idempotency_key.clone(), answer.text()?, answer.answered_at(), account)?];
        if call.verb == SubscriptionVerb::Refresh {
            // What is known of the subscription counts, whatever became of the second question.
            match api.invoices_of(id, &call.idempotency_key, account).await {
                Ok(invoices) => events.extend(invoices),
                Err(error) => {
                    log::warn!("payments: a subscription's invoices are not read: {}", loggable(&error.to_string()))
                }
            }
        }
        Ok(events)
    }

    /// Does what the call is for; its answer is not looked at. Where nothing was to be done, answers how it stands.
    async fn act_on_subscription(&self, call: &SubscriptionCall, path: &str) -> Result<Option<Response>, GatewayError> {
        let key = &call.idempotency_key;
        let done = |_: Response| None;
        match call.verb {
            SubscriptionVerb::Refresh => Ok(None),
            SubscriptionVerb::Cancel => self.delete(path, key).await.map(done),
            SubscriptionVerb::CancelAtEnd => self.post(path, one("cancel_at_period_end", "true"), key).await.map(done),
            SubscriptionVerb::Resume => self.take_back_end(call, path).await,
            SubscriptionVerb::Pause => self.post(path, one("pause_collection[behavior]", "void"), key).await.map(done),
            // A trial that ended without a payment method has paused it as a whole, which is another call
            // (<https://docs.stripe.com/api/subscriptions/resume>). `now` begins a period and charges for it at once,
            // which it must not while a period runs.
            SubscriptionVerb::Unpause if call.state.status == SubscriptionStatus::Paused => {
                let is_running = call.state.period.is_some_and(|period| call.requested_at < period.end);
                let form = one("billing_cycle_anchor", if is_running { "unchanged" } else { "now" });
                self.post(&format!("{path}/resume"), form, &format!("{key}_resume")).await.map(done)
            }
            SubscriptionVerb::Unpause => self.post(path, one("pause_collection", ""), key).await.map(done),
            SubscriptionVerb::Change => self.change(call, path).await,
        }
    }

    /// Reads the subscription before something is done that depends on how it stands.
    async fn shown(&self, call: &SubscriptionCall, path: &str) -> Result<(Shown, Response), GatewayError> {
        // A question that fails has changed nothing, but an earlier try may have.
        let unread = |why: String| {
            if call.tries > 1 { GatewayError::OutcomeUnknown(why) } else { GatewayError::Unavailable(why) }
        };
        let answer = match self.get(path, Form::default()).await {
            Err(GatewayError::OutcomeUnknown(why)) => return Err(unread(why)),
            answer => answer?,
        };
        Ok((shown(&answer.body).map_err(|error| unread(error.to_string()))?, answer))
    }

    /// Takes the end back that was decided. One that was decided as the end of the period is taken back by that
    /// parameter, and a date, which the billing portal sets, by the date; Stripe refuses both in one call
    /// (<https://docs.stripe.com/api/subscriptions/update#update_subscription-cancel_at>).
    async fn take_back_end(&self, call: &SubscriptionCall, path: &str) -> Result<Option<Response>, GatewayError> {
        let ((shown, answer), key) = (self.shown(call, path).await?, &call.idempotency_key);
        if shown.has_ended() {
            return Err(GatewayError::Declined("it has ended at Stripe, and what ended does not come back".to_owned()));
        }
        // Another form needs another key, since which of them it is may change between two tries.
        if shown.cancel_at_period_end {
            self.post(path, one("cancel_at_period_end", "false"), key).await.map(|_| None)
        } else if shown.is_ending() {
            self.post(path, one("cancel_at", ""), &format!("{key}_date")).await.map(|_| None)
        } else {
            Ok(Some(answer))
        }
    }

    /// Changes one item, which Stripe wants to be named by an id of its own.
    async fn change(&self, call: &SubscriptionCall, path: &str) -> Result<Option<Response>, GatewayError> {
        let Some(change) = &call.change else {
            return Err(GatewayError::Declined("nothing was said of what to change".to_owned()));
        };
        let (shown, answer) = self.shown(call, path).await?;
        let items = &shown.items.data;
        let is_as_wanted = |item: &&Item| {
            change.price.as_ref().is_none_or(|price| *price == item.price.id)
                && change.quantity.is_none_or(|quantity| item.quantity == Some(u64::from(quantity)))
        };
        let item = match &change.of {
            Some(price) => items.iter().find(|item| item.price.id == *price),
            None => Some(items).filter(|items| items.len() == 1).and_then(|items| items.first()),
        };
        let Some(item) = item else {
            // An earlier try whose answer was lost may have taken the price away.
            if call.tries > 1 && items.iter().any(|item| is_as_wanted(&item)) {
                return Ok(Some(answer));
            }
            let prices: Vec<&str> = items.iter().map(|item| item.price.id.as_str()).collect();
            let why = format!("expected the price to be changed to be one of {}", prices.join(", "));
            return Err(GatewayError::Declined(why));
        };
        if is_as_wanted(&item) {
            return Ok(Some(answer));
        }
        let mut form = one("items[0][id]", &item.id);
        form.add_optional("items[0][price]", change.price.as_ref());
        form.add_optional("items[0][quantity]", change.quantity.map(|quantity| quantity.to_string()));
        form.add_optional("proration_behavior", change.proration.map(proration));
        self.post(path, form, &call.idempotency_key).await.map(|_| None)
    }

    /// Makes a session of the billing portal (<https://docs.stripe.com/api/customer_portal/sessions/create>).
    pub(in crate::gateways::stripe) async fn portal(&self, request: &PortalRequest) -> Result<String, GatewayError> {
        let Some(customer) = &request.customer_ref else {
            return Err(GatewayError::Declined("no event has said yet whose subscription it is at Stripe".to_owned()));
        };
        let mut form = one("customer", customer);
        form.add("return_url", &request.return_url);
        // Each session is a new one, whose address lives for minutes; a lost one does no harm.
        let url = format!("{}/v1/billing_portal/sessions", self.base.trim_end_matches('/'));
        let api = self.of_account(request.account.as_deref());
        let request = Request { method: Method::Post, url, headers: api.headers(), body: form.text() };
        let answer = api.send(request).await?;
        let portal: Portal =
            serde_json::from_slice(&answer.body).map_err(|error| GatewayError::Malformed(error.to_string()))?;
        Ok(portal.url)
    }
}

fn one(name: &str, value: &str) -> Form {
    let mut form = Form::default();
    form.add(name, value);
    form
}

/// Stripe's word (<https://docs.stripe.com/api/subscriptions/update#update_subscription-proration_behavior>).
fn proration(proration: Proration) -> &'static str {
    match proration {
        Proration::NextInvoice => "create_prorations",
        Proration::InvoiceNow => "always_invoice",
        Proration::None => "none",
    }
}

fn shown(body: &[u8]) -> Result<Shown, GatewayError> {
    serde_json::from_slice(body).map_err(|unread| GatewayError::Malformed(unread.to_string()))
}

impl Shown {
    fn is_ending(&self) -> bool {
        self.cancel_at_period_end || self.cancel_at.is_some()
    }

    fn has_ended(&self) -> bool {
        ["canceled", "incomplete_expired"].contains(&self.status.as_str())
    }
}

fn form(request: &SubscriptionRequest, owner_key: &str) -> Result<Form, GatewayError> {
    let mut form = Form::default();
    form.add("mode", "subscription");
    let Some(return_url) = &request.return_url else {
        return Err(GatewayError::Declined("Stripe needs a return_url, where the customer goes afterwards".to_owned()));
    };
    form.add("success_url", return_url);
    form.add_optional("cancel_url", request.cancel_url.as_ref());
    form.add("line_items[0][price]", &request.price);
    form.add("line_items[0][quantity]", request.quantity.to_string());
    form.add_optional("client_reference_id", request.owner.as_ref());
    // Stripe does not copy the session's metadata to the subscription, whose events contain nothing else of ours.
    for name in ["metadata", "subscription_data[metadata]"] {
        form.add(&format!("{name}[{TOKEN}]"), &request.token);
        form.add_optional(&format!("{name}[{owner_key}]"), request.owner.as_ref());
    }
    form.add_optional("subscription_data[trial_period_days]", request.trial_days.map(|days| days.to_string()));
    form.add_optional("customer_email", request.customer.as_ref());
    form.add_optional("locale", request.locale.as_ref());
    Ok(form)
}

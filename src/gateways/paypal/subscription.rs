//! Reads billing subscriptions (<https://developer.paypal.com/docs/api/subscriptions/v1/#subscriptions_get>): every
//! event about one shows it whole. A sale that names one says that it was charged, and nothing of how it stands: a sale
//! may come after the subscription was cancelled. PayPal has no status for one whose renewal was not paid: it stays
//! `ACTIVE`, with an outstanding balance.

use std::collections::BTreeMap;

use super::answered::ObjectType;
use super::resource::{Resource, parse_amount};
use crate::domain::Timestamp;
use crate::domain::event::{Interpretation, Malformed, SubscriptionStatement, distinct};
use crate::domain::parse_rfc3339;
use crate::domain::subscription::{
    BillingPeriod, SubscriptionContent, SubscriptionFact, SubscriptionInvoice, SubscriptionItem, SubscriptionSnapshot,
    SubscriptionStatus,
};
use crate::gateways::json::{Object, short};

impl Resource<'_> {
    /// Reads a subscription.
    pub(super) fn subscription(&self) -> Result<Interpretation, Malformed> {
        let gateway_ref = self.object.need_id("id")?;
        let content = self.content()?;
        // A failed payment changes the one time, a status the other; and it shows what was paid or not paid by then.
        let [paid, failed] = self.last_payments()?;
        // An answer to a question shows it as of then, however long ago it changed.
        let is_answer = ObjectType::of(self.event.kind) == Some(ObjectType::Subscription);
        let answered = Some(self.event.occurred_at).filter(|_| is_answer);
        let times = [self.time("update_time"), self.time("status_update_time"), paid, failed, answered];
        let occurred_at = times.into_iter().flatten().max().unwrap_or(self.event.occurred_at);
        let event_id = self.event.id.to_owned();
        let summary = format!("subscription {}", content.gateway_status.to_ascii_lowercase().replace('_', " "));
        let tokens = distinct([short(&self.object, "custom_id")]);
        let subscriber = self.object.object("subscriber", "a subscriber")?;
        let email = subscriber.and_then(|subscriber| short(&subscriber, "email_address"));
        let snapshot = SubscriptionSnapshot {
            is_end: content.ended_at.is_some(),
            is_first: self.event.kind == "BILLING.SUBSCRIPTION.CREATED",
            values: BTreeMap::new(),
            previous: BTreeMap::new(),
            progress: None,
            is_answer,
            content,
            occurred_at,
            event_id: event_id.clone(),
        };
        let mut facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
        facts.extend(email.clone().map(|email| SubscriptionFact::Customer { email, occurred_at, event_id }));
        let subscription = Some(SubscriptionStatement { gateway_ref: gateway_ref.into(), tokens, facts });
        Ok(Interpretation { summary, customer: email, subscription, ..Interpretation::default() })
    }

    fn content(&self) -> Result<SubscriptionContent, Malformed> {
        let gateway_status = self.object.need_id("status")?;
        let status = match gateway_status.as_str() {
            "APPROVAL_PENDING" | "APPROVED" => SubscriptionStatus::Incomplete,
            "ACTIVE" if self.is_due()? => SubscriptionStatus::PastDue,
            "ACTIVE" => SubscriptionStatus::Active,
            "SUSPENDED" => SubscriptionStatus::Paused,
            "CANCELLED" => SubscriptionStatus::Canceled,
            "EXPIRED" => SubscriptionStatus::Expired,
            _ => SubscriptionStatus::Unknown,
        };
        let is_over = matches!(status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired);
        let changed = self.time("status_update_time").unwrap_or(self.event.occurred_at);
        let subscriber = self.object.object("subscriber", "a subscriber")?;
        Ok(SubscriptionContent {
            status,
            gateway_status,
            // A subscription that was started here bears our token there, and its row has the owner.
            owner: short(&self.object, "custom_id").filter(|text| !text.starts_with("psub_")),
            customer_ref: subscriber.and_then(|subscriber| short(&subscriber, "payer_id")).map(Into::into),
            items: self.item().into_iter().collect(),
            started_at: self.time("start_time"),
            period: self.period(status)?,
            renews_at: None,
            trial_end: None,
            cancel_at: None,
            cancel_at_period_end: false,
            canceled_at: (status == SubscriptionStatus::Canceled).then_some(changed),
            ended_at: is_over.then_some(changed),
            pause: None,
            latest_invoice: None,
            schedule: None,
        })
    }

    fn item(&self) -> Option<SubscriptionItem> {
        let quantity = short(&self.object, "quantity").and_then(|quantity| quantity.parse().ok());
        let price = short(&self.object, "plan_id")?;
        Some(SubscriptionItem { price, product: None, quantity, amount: None, interval: None, interval_count: None })
    }

    /// Whether money is outstanding.
    fn is_due(&self) -> Result<bool, Malformed> {
        let info = self.object.object("billing_info", "billing info")?;
        let balance = info.map(|info| info.object("outstanding_balance", "a balance")).transpose()?.flatten();
        Ok(balance.map(|balance| parse_amount(&balance)).transpose()?.is_some_and(|balance| balance.minor > 0))
    }

    /// When it was last paid, and when a payment last failed.
    fn last_payments(&self) -> Result<[Option<Timestamp>; 2], Malformed> {
        let Some(info) = self.object.object("billing_info", "billing info")? else { return Ok([None; 2]) };
        let at = |name| Ok(info.object(name, "a payment")?.and_then(|payment| time(&payment, "time")));
        Ok([at("last_payment")?, at("last_failed_payment")?])
    }

    /// From the last payment, or the start, to the next one. What is due is due since the payment that failed.
    fn period(&self, status: SubscriptionStatus) -> Result<Option<BillingPeriod>, Malformed> {
        let Some(info) = self.object.object("billing_info", "billing info")? else { return Ok(None) };
        let [paid, failed] = self.last_payments()?;
        let start = paid.max(failed.filter(|_| status == SubscriptionStatus::PastDue));
        let start = start.or_else(|| self.time("start_time"));
        let end = time(&info, "next_billing_time");
        Ok(start.zip(end).map(|(start, end)| BillingPeriod { start, end }))
    }

    /// What a sale says of the subscription that it is charged to; `None` if it is charged to none.
    pub(super) fn of_sale(&self) -> Option<SubscriptionStatement> {
        let gateway_ref = short(&self.object, "billing_agreement_id")?;
        let amount = self.object.object("amount", "an amount").ok()??;
        let status = short(&self.object, "state").unwrap_or_default();
        let invoice = SubscriptionInvoice {
            gateway_ref: short(&self.object, "id")?.into(),
            paid: self.event.kind == "PAYMENT.SALE.COMPLETED",
            paid_at: None,
            closed: false,
            status,
            due: parse_amount(&amount).ok(),
            attempts: 1,
            next_attempt: None,
            due_at: None,
            created_at: self.time("create_time").unwrap_or(self.event.occurred_at),
            occurred_at: self.time("update_time").unwrap_or(self.event.occurred_at),
            event_id: self.event.id.to_owned(),
        };
        let facts = vec![SubscriptionFact::Invoice(Box::new(invoice))];
        Some(SubscriptionStatement {
            gateway_ref: gateway_ref.into(),
            tokens: distinct([short(&self.object, "custom")]),
            facts,
        })
    }
}

fn time(object: &Object<'_>, name: &str) -> Option<Timestamp> {
    parse_rfc3339(&short(object, name)?)
}

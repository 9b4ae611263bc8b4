//! Reads an event that shows a subscription: how it stands, the invoice that it came with, and that invoice's money.

use std::collections::BTreeMap;

use serde_json::Value;

use super::event::object_id;
use crate::domain::event::{
    Interpretation, Malformed, Recorded, References, SubscriptionStatement, distinct, storable,
};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::from_unix_seconds;
use crate::domain::money::{Currency, Money};
use crate::domain::subscription::{
    BillingPeriod, SubscriptionContent, SubscriptionFact, SubscriptionInvoice, SubscriptionItem, SubscriptionSnapshot,
    SubscriptionStatus,
};

/// Reads the event. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    let body: Value =
        serde_json::from_slice(event.body).map_err(|error| Malformed(format!("expected an event as JSON: {error}")))?;
    let object = &body["object"];
    let need =
        |name: &str| text(object, name).ok_or_else(|| Malformed(format!("expected `{name}` of `object`, got none")));
    let time = |name: &str| object[name].as_i64().and_then(from_unix_seconds);
    let (gateway_ref, gateway_status) = (need("id")?, need("status")?);
    let status = SubscriptionStatus::parse(&gateway_status).unwrap_or(SubscriptionStatus::Unknown);
    let is_end = matches!(status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired);
    let mut summary = format!("subscription {}", gateway_status.replace('_', " "));
    let invoice = invoice(event, object);
    let content = SubscriptionContent {
        status,
        gateway_status,
        owner: text(object, "owner"),
        customer_ref: None,
        items: item(object).into_iter().collect(),
        started_at: None,
        period: time("period_start").zip(time("period_end")).map(|(start, end)| BillingPeriod { start, end }),
        renews_at: None,
        trial_end: time("trial_end"),
        cancel_at: time("cancel_at"),
        cancel_at_period_end: false,
        canceled_at: None,
        ended_at: is_end.then_some(event.occurred_at),
        pause: None,
        latest_invoice: invoice.as_ref().map(|invoice| invoice.gateway_ref.clone()),
        schedule: None,
    };
    let snapshot = snapshot(event, content, is_end);
    let email = text(object, "customer");
    let mut facts = vec![SubscriptionFact::Snapshot(Box::new(snapshot))];
    facts.extend(email.clone().map(|email| SubscriptionFact::Customer {
        email,
        occurred_at: event.occurred_at,
        event_id: event.id.to_owned(),
    }));
    let money = invoice.as_ref().and_then(|invoice| money_of(event, invoice));
    let references = References {
        tokens: Vec::new(),
        gateway_refs: invoice
            .iter()
            .flat_map(|one| [object_id(&one.gateway_ref).into(), one.gateway_ref.clone()])
            .collect(),
    };
    if let Some(invoice) = &invoice {
        let due = invoice.due.map(|due| format!(" of {due}")).unwrap_or_default();
        summary = format!("{summary}, its invoice{due} {}", if invoice.paid { "paid" } else { "not paid" });
    }
    facts.extend(invoice.map(Box::new).map(SubscriptionFact::Invoice));
    let subscription = Some(SubscriptionStatement {
        gateway_ref: gateway_ref.into(),
        tokens: distinct([text(object, "token")]),
        facts,
    });
    let facts = money.into_iter().collect();
    Ok(Interpretation { references, facts, summary, customer: email, subscription, ..Interpretation::default() })
}

fn snapshot(event: &Recorded<'_>, content: SubscriptionContent, is_end: bool) -> SubscriptionSnapshot {
    SubscriptionSnapshot {
        content,
        is_end,
        is_first: false,
        values: BTreeMap::new(),
        previous: BTreeMap::new(),
        progress: None,
        is_answer: false,
        occurred_at: event.occurred_at,
        event_id: event.id.to_owned(),
    }
}

fn text(object: &Value, name: &str) -> Option<String> {
    object[name].as_str().filter(|text| storable(text)).map(str::to_owned)
}

fn money(object: &Value) -> Option<Money> {
    let currency = Currency::parse(object["currency"].as_str()?).ok()?;
    object["amount"].as_i64().filter(|minor| *minor >= 0).map(|minor| Money::new(minor, currency))
}

fn item(object: &Value) -> Option<SubscriptionItem> {
    let interval = text(object, "interval");
    Some(SubscriptionItem {
        price: text(object, "price")?,
        product: None,
        quantity: Some(object["quantity"].as_i64().unwrap_or(1)),
        amount: money(object),
        interval_count: interval.as_ref().map(|_| 1),
        interval,
    })
}

fn invoice(event: &Recorded<'_>, object: &Value) -> Option<SubscriptionInvoice> {
    let invoice = &object["invoice"];
    let paid = invoice["paid"].as_bool().unwrap_or(false);
    Some(SubscriptionInvoice {
        gateway_ref: text(invoice, "id")?.into(),
        status: if paid { "paid" } else { "open" }.to_owned(),
        paid,
        paid_at: None,
        closed: false,
        due: money(invoice),
        attempts: invoice["attempts"].as_i64().unwrap_or(0),
        next_attempt: invoice["next_attempt"].as_i64().and_then(from_unix_seconds),
        due_at: None,
        // An invoice is made with its period.
        created_at: object["period_start"].as_i64().and_then(from_unix_seconds).unwrap_or(event.occurred_at),
        occurred_at: event.occurred_at,
        event_id: event.id.to_owned(),
    })
}

/// The invoice's money: captured, or an attempt that failed.
fn money_of(event: &Recorded<'_>, invoice: &SubscriptionInvoice) -> Option<Fact> {
    let due = invoice.due?;
    let (aspect, state) =
        if invoice.paid { (Aspect::Capture, State::Succeeded) } else { (Aspect::Authorization, State::Failed) };
    let id = object_id(&invoice.gateway_ref);
    let fact = Fact::new(aspect, id, state, event.occurred_at, event.id).with_amount(due.minor, due.currency);
    Some(fact.with_parent(Some(invoice.gateway_ref.as_str())))
}

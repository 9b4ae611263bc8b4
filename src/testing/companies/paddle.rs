//! The events of Paddle Billing: of a transaction and its adjustments, and of a subscription with its transactions
//! (<https://developer.paddle.com/webhooks/overview>).

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::domain::money::Money;
use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, event_id, rfc3339, written};

pub(in crate::testing) struct Paddle;

impl Format for Paddle {
    fn name(&self) -> &'static str {
        "Paddle"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let event = |kind: &str, data| event(&deal.token, deal.at, kind, data);
        let shown = |kind: &str, status: &str, attempt| event(kind, transaction(deal, status, attempt));
        let adjusted =
            |kind: &str, id: String, action: &str, status: &str| event(kind, adjustment(deal, &id, action, status));
        let refund = deal.refund_id("adj_");
        Some(match step {
            Step::Paid => {
                vec![
                    shown("transaction.paid", "paid", "captured"),
                    shown("transaction.completed", "completed", "captured"),
                ]
            }
            Step::Failed => vec![shown("transaction.payment_failed", "ready", "error")],
            Step::Canceled => vec![shown("transaction.canceled", "canceled", "canceled")],
            Step::Refunded => vec![
                adjusted("adjustment.created", refund.clone(), "refund", "pending_approval"),
                adjusted("adjustment.updated", refund, "refund", "approved"),
            ],
            Step::RefundFailed => vec![adjusted("adjustment.updated", refund, "refund", "rejected")],
            Step::Disputed | Step::DisputeLost => {
                vec![adjusted("adjustment.created", deal.id("adj_c"), "chargeback", "approved")]
            }
            Step::DisputeWon => {
                vec![adjusted("adjustment.created", deal.id("adj_r"), "chargeback_reverse", "approved")]
            }
            Step::Authorized | Step::Captured | Step::Expired => return None,
        })
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let event = |kind: &str, data| event(&plan.id, plan.at, kind, data);
        let shown = |kind: &str, status: &str| event(kind, subscription(turn, plan, status));
        let billed = |kind: &str, status: &str, attempt| event(kind, transaction_of(plan, status, attempt));
        Some(match turn {
            Turn::Started => vec![
                shown("subscription.created", "active"),
                shown("subscription.activated", "active"),
                billed("transaction.completed", "completed", "captured"),
            ],
            Turn::Renewed => {
                vec![shown("subscription.updated", "active"), billed("transaction.completed", "completed", "captured")]
            }
            Turn::RenewalFailed => vec![
                shown("subscription.past_due", "past_due"),
                billed("transaction.payment_failed", "past_due", "error"),
            ],
            Turn::CancelScheduled | Turn::Resumed | Turn::Changed => vec![shown("subscription.updated", "active")],
            Turn::Ended => vec![shown("subscription.canceled", "canceled")],
        })
    }

    fn subscription_ref(&self, id: &str) -> Option<String> {
        Some(subscription_ref(id))
    }
}

fn subscription_ref(id: &str) -> String {
    format!("sub_{id}")
}

fn event(about: &str, at: Timestamp, kind: &str, data: Value) -> Written {
    let id = event_id("evt_", about);
    let body = json!({
        "event_id": id,
        "event_type": kind,
        "occurred_at": rfc3339(at),
        "notification_id": event_id("ntf_", about),
        "data": data,
    });
    written(kind, at, &body)
}

fn transaction(deal: &Deal, status: &str, attempt: &str) -> Value {
    json!({
        "id": deal.id("txn_"),
        "collection_mode": "automatic",
        "created_at": rfc3339(deal.at),
        "updated_at": rfc3339(deal.at),
        "currency_code": deal.amount.currency.as_str(),
        "custom_data": { "payment_token": deal.token },
        "customer_id": deal.id("ctm_"),
        "details": totals(deal.amount),
        "items": [],
        "origin": "api",
        "payments": [tried(deal.amount, attempt, deal.at)],
        "status": status,
        "subscription_id": null,
    })
}

/// The transaction of a period, which is its invoice.
fn transaction_of(plan: &Plan, status: &str, attempt: &str) -> Value {
    let tries = (0..plan.attempts).map(|_| tried(plan.cost(), attempt, plan.at));
    json!({
        "id": plan.of_period("txn_"),
        "collection_mode": "automatic",
        "created_at": rfc3339(plan.period.0),
        "updated_at": rfc3339(plan.at),
        "currency_code": plan.price.currency.as_str(),
        "custom_data": plan.metadata(),
        "customer_id": customer(plan),
        "details": totals(plan.cost()),
        "items": items(plan),
        "origin": if plan.number == 1 { "web" } else { "subscription_recurring" },
        "payments": tries.collect::<Vec<_>>(),
        "status": status,
        "subscription_id": subscription_ref(&plan.id),
    })
}

fn totals(amount: Money) -> Value {
    let total = amount.minor.to_string();
    json!({ "totals": {
        "subtotal": total, "discount": "0", "tax": "0", "total": total, "credit": "0", "grand_total": total,
        "currency_code": amount.currency.as_str(),
    } })
}

/// An attempt at a payment.
fn tried(amount: Money, status: &str, at: Timestamp) -> Value {
    json!({
        "amount": amount.minor.to_string(),
        "captured_at": (status == "captured").then(|| rfc3339(at)),
        "error_code": (status == "error").then_some("declined"),
        "method_details": { "type": "card", "card": { "type": "visa", "last4": "4242" } },
        "status": status,
    })
}

fn customer(plan: &Plan) -> String {
    format!("ctm_{}", plan.id)
}

fn items(plan: &Plan) -> Value {
    let unit = json!({ "amount": plan.price.minor.to_string(), "currency_code": plan.price.currency.as_str() });
    let price = json!({
        "id": plan.price_id,
        "billing_cycle": { "interval": "month", "frequency": 1 },
        "unit_price": unit,
    });
    json!([{ "price": price, "quantity": plan.quantity, "status": "active" }])
}

fn subscription(turn: Turn, plan: &Plan, status: &str) -> Value {
    let ended = (turn == Turn::Ended).then(|| rfc3339(plan.at));
    let period = json!({ "starts_at": rfc3339(plan.period.0), "ends_at": rfc3339(plan.period.1) });
    let end = json!({ "action": "cancel", "effective_at": rfc3339(plan.period.1), "resume_at": null });
    json!({
        "id": subscription_ref(&plan.id),
        "billing_cycle": { "interval": "month", "frequency": 1 },
        "canceled_at": ended,
        "collection_mode": "automatic",
        "created_at": rfc3339(plan.started),
        "updated_at": rfc3339(plan.at),
        "currency_code": plan.price.currency.as_str(),
        "current_billing_period": ended.is_none().then_some(period),
        "custom_data": plan.metadata(),
        "customer_id": customer(plan),
        "items": items(plan),
        "next_billed_at": ended.is_none().then(|| rfc3339(plan.period.1)),
        "paused_at": null,
        "scheduled_change": (turn == Turn::CancelScheduled).then_some(end),
        "started_at": rfc3339(plan.started),
        "status": status,
    })
}

fn adjustment(deal: &Deal, id: &str, action: &str, status: &str) -> Value {
    let part = if action == "refund" { deal.part } else { deal.amount };
    let total = part.minor.to_string();
    let totals = json!({
        "subtotal": total, "tax": "0", "total": total, "currency_code": part.currency.as_str(),
    });
    json!({
        "id": id,
        "action": action,
        "created_at": rfc3339(if action == "refund" { deal.refunded_at } else { deal.at }),
        "updated_at": rfc3339(deal.at),
        "currency_code": part.currency.as_str(),
        "reason": "requested",
        "status": status,
        "subscription_id": null,
        "totals": totals,
        "transaction_id": deal.id("txn_"),
        "type": if part == deal.amount { "full" } else { "partial" },
    })
}

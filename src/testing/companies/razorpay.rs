//! The events of Razorpay: of a payment, its refunds and its dispute, and of a subscription with its payments
//! (<https://razorpay.com/docs/webhooks/payloads/>).

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, written};

pub(in crate::testing) struct Razorpay;

impl Format for Razorpay {
    fn name(&self) -> &'static str {
        "Razorpay"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let event = |kind: &str, payload| event(deal.account.as_deref(), deal.at, kind, payload);
        let shown = |kind: &str, status: &str| event(kind, json!({"payment": entity(payment(deal, status))}));
        let refunded = |kind: &str, status: &str| {
            let payload = json!({
                "refund": entity(refund(deal, status)),
                "payment": entity(payment(deal, "captured")),
            });
            event(kind, payload)
        };
        let disputed = |kind: &str, status: &str| {
            let payload = json!({
                "payment": entity(payment(deal, "captured")),
                "dispute": entity(dispute(deal, status)),
            });
            event(kind, payload)
        };
        Some(match step {
            Step::Authorized => vec![shown("payment.authorized", "authorized")],
            Step::Paid => vec![shown("payment.authorized", "authorized"), shown("payment.captured", "captured")],
            // A payment is captured whole.
            Step::Captured if deal.part == deal.amount => vec![shown("payment.captured", "captured")],
            Step::Failed => vec![shown("payment.failed", "failed")],
            Step::Refunded => {
                vec![refunded("refund.created", "pending"), refunded("refund.processed", "processed")]
            }
            Step::RefundFailed => vec![refunded("refund.failed", "failed")],
            Step::Disputed => vec![disputed("payment.dispute.created", "open")],
            Step::DisputeWon => vec![disputed("payment.dispute.won", "won")],
            Step::DisputeLost => vec![disputed("payment.dispute.lost", "lost")],
            Step::Captured | Step::Canceled | Step::Expired => return None,
        })
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let event = |kind: &str, payload| event(plan.account.as_deref(), plan.at, kind, payload);
        let shown =
            |kind: &str, status: &str| event(kind, json!({"subscription": entity(subscription(turn, plan, status))}));
        let billed = |kind: &str, status: &str, payment: &str| {
            let payload = json!({
                "subscription": entity(subscription(turn, plan, status)),
                "payment": entity(payment_of(plan, payment)),
            });
            event(kind, payload)
        };
        Some(match turn {
            Turn::Started => {
                vec![shown("subscription.activated", "active"), billed("subscription.charged", "active", "captured")]
            }
            Turn::Renewed => vec![billed("subscription.charged", "active", "captured")],
            Turn::RenewalFailed => vec![billed("subscription.pending", "pending", "failed")],
            Turn::Ended => vec![shown("subscription.cancelled", "cancelled")],
            // Nothing shows that an end was decided for the end of a period.
            Turn::CancelScheduled | Turn::Resumed | Turn::Changed => return None,
        })
    }

    fn subscription_ref(&self, id: &str) -> Option<String> {
        Some(subscription_ref(id))
    }
}

fn subscription_ref(id: &str) -> String {
    format!("sub_{id}")
}

fn entity(of: Value) -> Value {
    json!({ "entity": of })
}

fn event(account: Option<&str>, at: Timestamp, kind: &str, payload: Value) -> Written {
    let contains: Vec<&String> = payload.as_object().map(|parts| parts.keys().collect()).unwrap_or_default();
    let body = json!({
        "entity": "event",
        "account_id": account.unwrap_or("acc_test"),
        "event": kind,
        "contains": contains,
        "payload": payload,
        "created_at": at.unix_timestamp(),
    });
    written(kind, at, &body)
}

fn subscription(turn: Turn, plan: &Plan, status: &str) -> Value {
    json!({
        "id": subscription_ref(&plan.id),
        "entity": "subscription",
        "charge_at": plan.period.1.unix_timestamp(),
        "created_at": plan.started.unix_timestamp(),
        "current_start": plan.period.0.unix_timestamp(),
        "current_end": plan.period.1.unix_timestamp(),
        "customer_id": format!("cust_{}", plan.id),
        "ended_at": (turn == Turn::Ended).then(|| plan.at.unix_timestamp()),
        "notes": plan.metadata(),
        "paid_count": plan.number,
        "plan_id": plan.price_id,
        "quantity": plan.quantity,
        "start_at": plan.started.unix_timestamp(),
        "status": status,
    })
}

/// The payment of a period: each attempt is one of its own, and all are of one invoice.
fn payment_of(plan: &Plan, status: &str) -> Value {
    let attempt = if status == "failed" { format!("_{}", plan.attempts) } else { String::new() };
    json!({
        "id": format!("{}{attempt}", plan.of_period("pay_")),
        "entity": "payment",
        "amount": plan.cost().minor,
        "amount_refunded": 0,
        "captured": status == "captured",
        "created_at": plan.at.unix_timestamp(),
        "currency": plan.price.currency.as_str(),
        "email": null,
        "error_code": (status == "failed").then_some("BAD_REQUEST_ERROR"),
        "error_reason": (status == "failed").then_some("payment_failed"),
        "invoice_id": plan.of_period("inv_"),
        "method": "card",
        "notes": plan.metadata(),
        "order_id": plan.of_period("order_"),
        "status": status,
    })
}

fn payment(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.id("pay_"),
        "entity": "payment",
        "amount": deal.amount.minor,
        "amount_refunded": deal.refunded.minor,
        "captured": status == "captured",
        "created_at": deal.seconds(),
        "currency": deal.amount.currency.as_str(),
        "email": deal.customer,
        "error_code": (status == "failed").then_some("BAD_REQUEST_ERROR"),
        "error_reason": (status == "failed").then_some("payment_failed"),
        "method": "card",
        "notes": { "payment_token": deal.token },
        "order_id": deal.id("order_"),
        "status": status,
    })
}

fn refund(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.refund_id("rfnd_"),
        "entity": "refund",
        "amount": deal.part.minor,
        "created_at": deal.refunded_at.unix_timestamp(),
        "currency": deal.part.currency.as_str(),
        "notes": {},
        "payment_id": deal.id("pay_"),
        "status": status,
    })
}

fn dispute(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.id("disp_"),
        "entity": "dispute",
        "amount": deal.amount.minor,
        "created_at": deal.seconds(),
        "currency": deal.amount.currency.as_str(),
        "payment_id": deal.id("pay_"),
        "phase": "chargeback",
        "reason_code": "goods_or_services_not_received",
        "status": status,
    })
}

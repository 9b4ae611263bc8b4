//! The events of Polar: of a checkout, an order and its refunds, and of a subscription with its orders
//! (<https://polar.sh/docs/integrate/webhooks/events>).

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, rfc3339, written};

pub(in crate::testing) struct Polar;

impl Format for Polar {
    fn name(&self) -> &'static str {
        "Polar"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let event = |kind: &str, data: Value| event(kind, deal.at, data);
        let status = match deal.refunded.minor {
            0 => "paid",
            _ if deal.is_refunded() => "refunded",
            _ => "partially_refunded",
        };
        Some(match step {
            Step::Paid => {
                vec![event("order.created", order(deal, "pending")), event("order.paid", order(deal, "paid"))]
            }
            Step::Failed => vec![event("checkout.updated", checkout(deal, "failed"))],
            Step::Expired => vec![event("checkout.expired", checkout(deal, "expired"))],
            Step::Refunded => vec![
                event("refund.created", refund(deal, "pending")),
                event("refund.updated", refund(deal, "succeeded")),
                event("order.refunded", order(deal, status)),
            ],
            Step::RefundFailed => {
                vec![event("refund.updated", refund(deal, "failed")), event("order.updated", order(deal, status))]
            }
            _ => return None,
        })
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let event = |kind: &str, data: Value| event(kind, plan.at, data);
        let shown = |status: &str| subscription(turn, plan, status);
        Some(match turn {
            Turn::Started => vec![
                event("subscription.created", shown("active")),
                event("subscription.active", shown("active")),
                event("order.paid", order_of(plan, "paid")),
            ],
            Turn::Renewed => {
                vec![event("subscription.updated", shown("active")), event("order.paid", order_of(plan, "paid"))]
            }
            Turn::RenewalFailed => {
                vec![
                    event("subscription.past_due", shown("past_due")),
                    event("order.updated", order_of(plan, "pending")),
                ]
            }
            Turn::CancelScheduled => {
                vec![event("subscription.canceled", shown("active")), event("subscription.updated", shown("active"))]
            }
            Turn::Resumed => {
                vec![event("subscription.uncanceled", shown("active")), event("subscription.updated", shown("active"))]
            }
            Turn::Changed => vec![event("subscription.updated", shown("active"))],
            Turn::Ended => vec![event("subscription.revoked", shown("canceled"))],
        })
    }

    fn subscription_ref(&self, id: &str) -> Option<String> {
        Some(subscription_ref(id))
    }
}

fn subscription_ref(id: &str) -> String {
    format!("subscription-{id}")
}

fn event(kind: &str, at: Timestamp, data: Value) -> Written {
    written(kind, at, &json!({"type": kind, "timestamp": rfc3339(at), "data": data}))
}

fn currency(money: crate::domain::money::Money) -> String {
    money.currency.as_str().to_ascii_lowercase()
}

fn customer(id: String, email: Option<&String>, external_id: Option<&String>) -> Value {
    json!({"id": id, "external_id": external_id, "email": email, "metadata": {}})
}

fn order(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.id("order-"),
        "created_at": rfc3339(deal.at),
        "modified_at": if status == "pending" { Value::Null } else { json!(rfc3339(deal.at)) },
        "status": status,
        "paid": status != "pending",
        "subtotal_amount": deal.amount.minor,
        "discount_amount": 0,
        "net_amount": deal.amount.minor,
        "tax_amount": 0,
        "total_amount": deal.amount.minor,
        "applied_balance_amount": 0,
        "due_amount": if status == "pending" { deal.amount.minor } else { 0 },
        "refunded_amount": deal.refunded.minor,
        "refunded_tax_amount": 0,
        "refundable_amount": deal.amount.minor - deal.refunded.minor,
        "refundable_tax_amount": 0,
        "currency": currency(deal.amount),
        "billing_reason": "purchase",
        "customer_id": deal.id("customer-"),
        "product_id": "product-1",
        "subscription_id": null,
        "checkout_id": deal.id("checkout-"),
        "next_payment_attempt_at": null,
        "metadata": { "payment_token": deal.token },
        "platform_fee_amount": 0,
        "platform_fee_currency": currency(deal.amount),
        "customer": customer(deal.id("customer-"), deal.customer.as_ref(), None),
        "items": [],
    })
}

fn checkout(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.id("checkout-"),
        "created_at": rfc3339(deal.at),
        "modified_at": rfc3339(deal.at),
        "payment_processor": "stripe",
        "status": status,
        "expires_at": rfc3339(deal.at),
        "amount": deal.amount.minor,
        "discount_amount": 0,
        "net_amount": deal.amount.minor,
        "tax_amount": 0,
        "total_amount": deal.amount.minor,
        "currency": currency(deal.amount),
        "product_id": "product-1",
        "customer_id": null,
        "customer_email": deal.customer,
        "metadata": { "payment_token": deal.token },
        "subscription_id": null,
    })
}

fn refund(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.refund_id("refund-"),
        "created_at": rfc3339(deal.refunded_at),
        "modified_at": (status != "pending").then(|| rfc3339(deal.at)),
        "metadata": {},
        "status": status,
        "reason": "customer_request",
        "amount": deal.part.minor,
        "tax_amount": 0,
        "currency": currency(deal.part),
        "order_id": deal.id("order-"),
        "subscription_id": null,
        "customer_id": deal.id("customer-"),
        "revoke_benefits": false,
        "dispute": null,
    })
}

fn subscription(turn: Turn, plan: &Plan, status: &str) -> Value {
    let ends = match turn {
        Turn::CancelScheduled => Some(plan.period.1),
        Turn::Ended => Some(plan.at),
        _ => None,
    };
    let customer_id = format!("customer-{}", plan.id);
    json!({
        "id": subscription_ref(&plan.id),
        "created_at": rfc3339(plan.started),
        "modified_at": rfc3339(plan.at),
        "amount": plan.cost().minor,
        "currency": currency(plan.price),
        "recurring_interval": "month",
        "recurring_interval_count": 1,
        "status": status,
        "current_period_start": rfc3339(plan.period.0),
        "current_period_end": rfc3339(plan.period.1),
        "trial_start": null,
        "trial_end": null,
        "cancel_at_period_end": turn == Turn::CancelScheduled,
        "canceled_at": ends.map(|_| rfc3339(plan.at)),
        "started_at": rfc3339(plan.started),
        "ends_at": ends.map(rfc3339),
        "ended_at": (turn == Turn::Ended).then(|| rfc3339(plan.at)),
        "past_due_at": (status == "past_due").then(|| rfc3339(plan.at)),
        "customer_id": customer_id,
        "product_id": plan.price_id,
        "checkout_id": null,
        "metadata": plan.metadata(),
        "customer": customer(customer_id, None, plan.owner.as_ref()),
    })
}

/// The order of a period.
fn order_of(plan: &Plan, status: &str) -> Value {
    let customer_id = format!("customer-{}", plan.id);
    json!({
        "id": plan.of_period("order-"),
        "created_at": rfc3339(plan.period.0),
        "modified_at": rfc3339(plan.at),
        "status": status,
        "paid": status == "paid",
        "subtotal_amount": plan.cost().minor,
        "discount_amount": 0,
        "net_amount": plan.cost().minor,
        "tax_amount": 0,
        "total_amount": plan.cost().minor,
        "applied_balance_amount": 0,
        "due_amount": if status == "paid" { 0 } else { plan.cost().minor },
        "refunded_amount": 0,
        "refunded_tax_amount": 0,
        "refundable_amount": if status == "paid" { plan.cost().minor } else { 0 },
        "refundable_tax_amount": 0,
        "currency": currency(plan.price),
        "billing_reason": if plan.number == 1 { "subscription_create" } else { "subscription_cycle" },
        "customer_id": customer_id,
        "product_id": plan.price_id,
        "subscription_id": subscription_ref(&plan.id),
        "checkout_id": null,
        "next_payment_attempt_at": (status == "pending").then(|| rfc3339(plan.period.1)),
        "metadata": plan.metadata(),
        "customer": customer(customer_id.clone(), None, plan.owner.as_ref()),
        "items": [],
    })
}

//! The events of Lemon Squeezy: of an order, and of a subscription with its invoices
//! (<https://docs.lemonsqueezy.com/help/webhooks/webhook-requests>).

use serde_json::{Value, json};

use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, number, rfc3339, written};

/// The store of events that are of no other.
const STORE: &str = "1";

pub(in crate::testing) struct LemonSqueezy;

impl Format for LemonSqueezy {
    fn name(&self) -> &'static str {
        "Lemon Squeezy"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let kind = match step {
            Step::Paid => "order_created",
            Step::Refunded => "order_refunded",
            _ => return None,
        };
        let order = order(deal);
        Some(vec![event(kind, &json!({"payment_token": deal.token}), "orders", deal.id("order"), (deal.at, order))])
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let custom = json!({"owner": plan.owner, "subscription_token": plan.token});
        let of_it = |kind: &str, status: &str| {
            let shown = subscription(turn, plan, status);
            event(kind, &custom, "subscriptions", plan.id.clone(), (plan.at, shown))
        };
        let of_invoice = |kind: &str, status: &str| {
            let shown = invoice(plan, status);
            event(kind, &custom, "subscription-invoices", plan.of_period("invoice"), (plan.at, shown))
        };
        Some(match turn {
            Turn::Started => vec![
                event("order_created", &custom, "orders", first_order(plan), (plan.at, order_of(plan))),
                of_it("subscription_created", "active"),
                of_invoice("subscription_payment_success", "paid"),
            ],
            Turn::Renewed if plan.has_failed => vec![
                of_invoice("subscription_payment_success", "paid"),
                of_invoice("subscription_payment_recovered", "paid"),
                of_it("subscription_updated", "active"),
            ],
            Turn::Renewed => {
                vec![of_invoice("subscription_payment_success", "paid"), of_it("subscription_updated", "active")]
            }
            Turn::RenewalFailed => {
                vec![of_invoice("subscription_payment_failed", "pending"), of_it("subscription_updated", "past_due")]
            }
            Turn::CancelScheduled => {
                vec![of_it("subscription_cancelled", "cancelled"), of_it("subscription_updated", "cancelled")]
            }
            Turn::Resumed => vec![of_it("subscription_resumed", "active"), of_it("subscription_updated", "active")],
            Turn::Changed => vec![of_it("subscription_updated", "active")],
            Turn::Ended => vec![of_it("subscription_expired", "expired"), of_it("subscription_updated", "expired")],
        })
    }

    fn subscription_ref(&self, id: &str) -> Option<String> {
        Some(number(id).to_string())
    }
}

type Shown = (crate::domain::Timestamp, Value);

/// An event with an object of this type. Objects have numbers, which are made of `id`.
fn event(kind: &str, custom: &Value, object_type: &str, id: String, (at, attributes): Shown) -> Written {
    let body = json!({
        "meta": { "test_mode": true, "event_name": kind, "custom_data": custom },
        "data": { "type": object_type, "id": number(&id).to_string(), "attributes": attributes },
    });
    written(kind, at, &body)
}

fn store(account: Option<&String>) -> Value {
    let store = account.map_or(STORE, String::as_str);
    store.parse::<u64>().map_or_else(|_| json!(store), |number| json!(number))
}

fn order(deal: &Deal) -> Value {
    let status = match deal.refunded.minor {
        0 => "paid",
        _ if deal.is_refunded() => "refunded",
        _ => "partial_refund",
    };
    json!({
        "store_id": store(deal.account.as_ref()),
        "customer_id": number(&deal.id("customer")),
        "identifier": deal.id("order-"),
        "order_number": number(&deal.id("order")),
        "user_email": deal.customer,
        "currency": deal.amount.currency.as_str(),
        "subtotal": deal.amount.minor,
        "discount_total": 0,
        "tax": 0,
        "total": deal.amount.minor,
        "refunded_amount": deal.refunded.minor,
        "status": status,
        "refunded": deal.is_refunded(),
        "refunded_at": (deal.refunded.minor > 0).then(|| rfc3339(deal.at)),
        "first_order_item": { "price": deal.amount.minor, "quantity": 1 },
        "created_at": rfc3339(deal.at),
        "updated_at": rfc3339(deal.at),
        "test_mode": true,
    })
}

fn first_order(plan: &Plan) -> String {
    format!("order{}", plan.id)
}

/// The order with which a subscription begins.
fn order_of(plan: &Plan) -> Value {
    json!({
        "store_id": store(plan.account.as_ref()),
        "customer_id": number(&format!("customer{}", plan.id)),
        "identifier": format!("order-{}", plan.id),
        "currency": plan.price.currency.as_str(),
        "subtotal": plan.cost().minor,
        "discount_total": 0,
        "tax": 0,
        "total": plan.cost().minor,
        "refunded_amount": 0,
        "status": "paid",
        "refunded": false,
        "refunded_at": null,
        "first_order_item": { "price": plan.price.minor, "quantity": plan.quantity },
        "created_at": rfc3339(plan.started),
        "updated_at": rfc3339(plan.started),
        "test_mode": true,
    })
}

fn subscription(turn: Turn, plan: &Plan, status: &str) -> Value {
    let ends = match turn {
        Turn::CancelScheduled => Some(plan.period.1),
        Turn::Ended => Some(plan.at),
        _ => None,
    };
    json!({
        "store_id": store(plan.account.as_ref()),
        "customer_id": number(&format!("customer{}", plan.id)),
        "order_id": number(&first_order(plan)),
        "product_id": 1,
        "variant_id": plan.price_id,
        "status": status,
        "card_brand": "visa",
        "card_last_four": "4242",
        "pause": null,
        "cancelled": ends.is_some(),
        "trial_ends_at": null,
        "first_subscription_item": { "subscription_id": number(&plan.id), "price_id": 1, "quantity": plan.quantity },
        "urls": {},
        "renews_at": rfc3339(plan.period.1),
        "ends_at": ends.map(rfc3339),
        "created_at": rfc3339(plan.started),
        "updated_at": rfc3339(plan.at),
        "test_mode": true,
    })
}

fn invoice(plan: &Plan, status: &str) -> Value {
    json!({
        "store_id": store(plan.account.as_ref()),
        "subscription_id": number(&plan.id),
        "customer_id": number(&format!("customer{}", plan.id)),
        "billing_reason": if plan.number == 1 { "initial" } else { "renewal" },
        "card_brand": "visa",
        "card_last_four": "4242",
        "currency": plan.price.currency.as_str(),
        "status": status,
        "refunded": false,
        "refunded_at": null,
        "subtotal": plan.cost().minor,
        "discount_total": 0,
        "tax": 0,
        "total": plan.cost().minor,
        "refunded_amount": 0,
        "urls": {},
        "created_at": rfc3339(plan.period.0),
        "updated_at": rfc3339(plan.at),
        "test_mode": true,
    })
}

//! The events of Stripe: of a hosted checkout and its payment, and of a subscription with its invoices. The fields that
//! a receiver reads are there, in the form of <https://docs.stripe.com/api/events>.

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::domain::money::Money;
use crate::gateways::stripe::money::from_minor;
use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, event_id, written};

/// The version of the API in which the events are written.
const VERSION: &str = "2026-10-28.endive";

pub(in crate::testing) struct Stripe;

impl Format for Stripe {
    fn name(&self) -> &'static str {
        "Stripe"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let event = |kind, object| event(&deal.token, deal.account.as_ref(), kind, deal.at, object);
        Some(match step {
            Step::Paid => vec![
                event("checkout.session.completed", session(deal, "complete", "paid")),
                event("payment_intent.succeeded", intent(deal, "succeeded", deal.amount)),
                event("charge.succeeded", charge(deal, "succeeded", deal.amount)),
            ],
            Step::Authorized => vec![
                event("checkout.session.completed", session(deal, "complete", "unpaid")),
                event("payment_intent.amount_capturable_updated", intent(deal, "requires_capture", nothing(deal))),
                event("charge.succeeded", charge(deal, "succeeded", nothing(deal))),
            ],
            Step::Captured => vec![
                event("charge.captured", charge(deal, "succeeded", deal.part)),
                event("payment_intent.succeeded", intent(deal, "succeeded", deal.part)),
            ],
            Step::Failed => vec![
                event("payment_intent.payment_failed", intent(deal, "requires_payment_method", nothing(deal))),
                event("charge.failed", charge(deal, "failed", nothing(deal))),
            ],
            Step::Expired => vec![event("checkout.session.expired", session(deal, "expired", "unpaid"))],
            Step::Canceled => vec![event("payment_intent.canceled", intent(deal, "canceled", nothing(deal)))],
            Step::Refunded => vec![
                event("refund.created", refund(deal, "succeeded")),
                event("charge.refunded", charge(deal, "succeeded", deal.captured)),
            ],
            Step::RefundFailed => vec![event("refund.failed", refund(deal, "failed"))],
            Step::Disputed => vec![
                event("charge.dispute.created", dispute(deal, "needs_response")),
                event("charge.dispute.funds_withdrawn", dispute(deal, "needs_response")),
            ],
            Step::DisputeWon => vec![
                event("charge.dispute.funds_reinstated", dispute(deal, "won")),
                event("charge.dispute.closed", dispute(deal, "won")),
            ],
            Step::DisputeLost => vec![event("charge.dispute.closed", dispute(deal, "lost"))],
        })
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let event = |kind, object| event(&plan.id, plan.account.as_ref(), kind, plan.at, object);
        let shown = |status| subscription(turn, plan, status);
        Some(match turn {
            Turn::Started | Turn::Renewed => {
                let kind = if turn == Turn::Started { "created" } else { "updated" };
                vec![
                    event(&format!("customer.subscription.{kind}"), shown("active")),
                    event("payment_intent.succeeded", renewal(plan)),
                    event("invoice_payment.paid", invoice_payment(plan)),
                    event("invoice.paid", invoice(plan, true)),
                ]
            }
            Turn::RenewalFailed => vec![
                event("customer.subscription.updated", shown("past_due")),
                event("invoice.payment_failed", invoice(plan, false)),
            ],
            Turn::CancelScheduled | Turn::Resumed | Turn::Changed => {
                vec![event("customer.subscription.updated", shown("active"))]
            }
            Turn::Ended => vec![event("customer.subscription.deleted", shown("canceled"))],
        })
    }

    fn subscription_ref(&self, id: &str) -> Option<String> {
        Some(subscription_ref(id))
    }
}

fn subscription_ref(id: &str) -> String {
    format!("sub_{id}")
}

fn event(about: &str, account: Option<&String>, kind: &str, at: Timestamp, object: Value) -> Written {
    let mut body = json!({
        "id": event_id("evt_", about),
        "object": "event",
        "api_version": VERSION,
        "created": at.unix_timestamp(),
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": kind,
    });
    if let Some(account) = account {
        body["account"] = json!(account);
    }
    Written { account: account.cloned(), ..written(kind, at, &body) }
}

/// In Stripe's units. What Stripe can't express is not paid through it, so a test of it is wrong.
fn units(money: Money) -> i64 {
    from_minor(money).unwrap_or_else(|error| panic!("{error}"))
}

fn nothing(deal: &Deal) -> Money {
    Money::new(0, deal.amount.currency)
}

fn currency(money: Money) -> String {
    money.currency.as_str().to_ascii_lowercase()
}

fn session(deal: &Deal, status: &str, payment_status: &str) -> Value {
    let intent = (status == "complete").then(|| deal.id("pi_"));
    json!({
        "id": deal.id("cs_test_"),
        "object": "checkout.session",
        "amount_subtotal": units(deal.amount),
        "amount_total": units(deal.amount),
        "client_reference_id": deal.token,
        "created": deal.seconds(),
        "currency": currency(deal.amount),
        "customer": null,
        "customer_details": { "email": deal.customer },
        "livemode": false,
        "metadata": {},
        "mode": "payment",
        "payment_intent": intent,
        "payment_link": null,
        "payment_status": payment_status,
        "status": status,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
    })
}

fn intent(deal: &Deal, status: &str, received: Money) -> Value {
    let capturable = if status == "requires_capture" { units(deal.amount) } else { 0 };
    let declined = json!({"code": "card_declined", "decline_code": "insufficient_funds", "type": "card_error"});
    json!({
        "id": deal.id("pi_"),
        "object": "payment_intent",
        "amount": units(deal.amount),
        "amount_capturable": capturable,
        "amount_received": units(received),
        "cancellation_reason": if status == "canceled" { json!("requested_by_customer") } else { Value::Null },
        "created": deal.seconds(),
        "currency": currency(deal.amount),
        "customer": null,
        "last_payment_error": if status == "requires_payment_method" { declined } else { Value::Null },
        "latest_charge": if status == "canceled" { Value::Null } else { json!(deal.id("ch_")) },
        "livemode": false,
        "metadata": { "payment_token": deal.token },
        "status": status,
    })
}

fn charge(deal: &Deal, status: &str, captured: Money) -> Value {
    json!({
        "id": deal.id("ch_"),
        "object": "charge",
        "amount": units(deal.amount),
        "amount_captured": units(captured),
        "amount_refunded": units(deal.refunded),
        "billing_details": { "email": deal.customer },
        "captured": captured.minor > 0,
        "created": deal.seconds(),
        "currency": currency(deal.amount),
        "failure_code": if status == "failed" { json!("card_declined") } else { Value::Null },
        "livemode": false,
        "metadata": { "payment_token": deal.token },
        "paid": status == "succeeded",
        "payment_intent": deal.id("pi_"),
        "payment_method_details": {
            "type": "card",
            "card": { "brand": "visa", "exp_month": 8, "exp_year": 2034, "last4": "4242" },
        },
        "refunded": captured.minor > 0 && deal.refunded.minor >= captured.minor,
        "status": status,
    })
}

fn refund(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.refund_id("re_"),
        "object": "refund",
        "amount": units(deal.part),
        "charge": deal.id("ch_"),
        "created": deal.refunded_at.unix_timestamp(),
        "currency": currency(deal.part),
        "metadata": {},
        "payment_intent": deal.id("pi_"),
        "reason": "requested_by_customer",
        "status": status,
    })
}

fn dispute(deal: &Deal, status: &str) -> Value {
    const WEEK: i64 = 7 * 24 * 60 * 60;
    json!({
        "id": deal.id("du_"),
        "object": "dispute",
        "amount": units(deal.amount),
        "charge": deal.id("ch_"),
        "created": deal.seconds(),
        "currency": currency(deal.amount),
        "evidence_details": { "due_by": deal.seconds() + WEEK, "has_evidence": false, "past_due": false },
        "livemode": false,
        "metadata": {},
        "payment_intent": deal.id("pi_"),
        "reason": "fraudulent",
        "status": status,
    })
}

fn subscription(turn: Turn, plan: &Plan, status: &str) -> Value {
    let ends = (turn == Turn::CancelScheduled).then(|| plan.period.1.unix_timestamp());
    let ended = (turn == Turn::Ended).then(|| plan.at.unix_timestamp());
    let price = json!({
        "id": plan.price_id,
        "object": "price",
        "currency": currency(plan.price),
        "recurring": { "interval": "month", "interval_count": 1, "usage_type": "licensed" },
        "type": "recurring",
        "unit_amount": units(plan.price),
    });
    json!({
        "id": subscription_ref(&plan.id),
        "object": "subscription",
        "cancel_at": ends,
        "cancel_at_period_end": ends.is_some(),
        "canceled_at": ends.map(|_| plan.at.unix_timestamp()).or(ended),
        "collection_method": "charge_automatically",
        "created": plan.started.unix_timestamp(),
        "currency": currency(plan.price),
        "customer": format!("cus_{}", plan.id),
        "ended_at": ended,
        "items": { "object": "list", "has_more": false, "data": [{
            "id": format!("si_{}", plan.id),
            "object": "subscription_item",
            "current_period_start": plan.period.0.unix_timestamp(),
            "current_period_end": plan.period.1.unix_timestamp(),
            "price": price,
            "quantity": plan.quantity,
        }] },
        "latest_invoice": plan.of_period("in_"),
        "livemode": false,
        "metadata": plan.metadata(),
        "pause_collection": null,
        "schedule": null,
        "start_date": plan.started.unix_timestamp(),
        "status": status,
        "trial_end": null,
    })
}

fn renewal(plan: &Plan) -> Value {
    json!({
        "id": plan.of_period("pi_"),
        "object": "payment_intent",
        "amount": units(plan.cost()),
        "amount_capturable": 0,
        "amount_received": units(plan.cost()),
        "created": plan.at.unix_timestamp(),
        "currency": currency(plan.price),
        "customer": format!("cus_{}", plan.id),
        "latest_charge": plan.of_period("ch_"),
        "livemode": false,
        "metadata": {},
        "status": "succeeded",
    })
}

fn invoice_payment(plan: &Plan) -> Value {
    json!({
        "id": plan.of_period("inpay_"),
        "object": "invoice_payment",
        "amount_paid": units(plan.cost()),
        "amount_requested": units(plan.cost()),
        "created": plan.at.unix_timestamp(),
        "currency": currency(plan.price),
        "invoice": plan.of_period("in_"),
        "is_default": true,
        "livemode": false,
        "payment": { "payment_intent": plan.of_period("pi_"), "type": "payment_intent" },
        "status": "paid",
        "status_transitions": { "canceled_at": null, "paid_at": plan.at.unix_timestamp() },
    })
}

fn invoice(plan: &Plan, is_paid: bool) -> Value {
    let paid = if is_paid { units(plan.cost()) } else { 0 };
    let details = json!({"metadata": plan.metadata(), "subscription": subscription_ref(&plan.id)});
    json!({
        "id": plan.of_period("in_"),
        "object": "invoice",
        "amount_due": units(plan.cost()),
        "amount_paid": paid,
        "amount_remaining": units(plan.cost()) - paid,
        "attempt_count": plan.attempts,
        "attempted": true,
        "billing_reason": if plan.number == 1 { "subscription_create" } else { "subscription_cycle" },
        "collection_method": "charge_automatically",
        "created": plan.period.0.unix_timestamp(),
        "currency": currency(plan.price),
        "customer": format!("cus_{}", plan.id),
        "livemode": false,
        "metadata": {},
        "parent": { "subscription_details": details, "type": "subscription_details" },
        "status": if is_paid { "paid" } else { "open" },
        "status_transitions": { "paid_at": is_paid.then(|| plan.at.unix_timestamp()) },
        "total": units(plan.cost()),
    })
}

//! The events of Razorpay: of a payment, its refunds and its dispute (<https://razorpay.com/docs/webhooks/payloads/>).

use serde_json::{Value, json};

use crate::testing::happening::{Deal, Format, Step, Written, written};

pub(in crate::testing) struct Razorpay;

impl Format for Razorpay {
    fn name(&self) -> &'static str {
        "Razorpay"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let shown = |kind: &str, status: &str| event(deal, kind, json!({"payment": entity(payment(deal, status))}));
        let refunded = |kind: &str, status: &str| {
            let payload = json!({
                "refund": entity(refund(deal, status)),
                "payment": entity(payment(deal, "captured")),
            });
            event(deal, kind, payload)
        };
        let disputed = |kind: &str, status: &str| {
            let payload = json!({
                "payment": entity(payment(deal, "captured")),
                "dispute": entity(dispute(deal, status)),
            });
            event(deal, kind, payload)
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
}

fn entity(of: Value) -> Value {
    json!({ "entity": of })
}

fn event(deal: &Deal, kind: &str, payload: Value) -> Written {
    let contains: Vec<&String> = payload.as_object().map(|parts| parts.keys().collect()).unwrap_or_default();
    let body = json!({
        "entity": "event",
        "account_id": deal.account.as_deref().unwrap_or("acc_test"),
        "event": kind,
        "contains": contains,
        "payload": payload,
        "created_at": deal.seconds(),
    });
    written(kind, deal.at, &body)
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

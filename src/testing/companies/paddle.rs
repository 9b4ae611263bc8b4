//! The events of Paddle Billing: of a transaction and its adjustments (<https://developer.paddle.com/webhooks/overview>).

use serde_json::{Value, json};

use crate::testing::happening::{Deal, Format, Step, Written, event_id, rfc3339, written};

pub(in crate::testing) struct Paddle;

impl Format for Paddle {
    fn name(&self) -> &'static str {
        "Paddle"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let shown = |kind: &str, status: &str, attempt| event(deal, kind, transaction(deal, status, attempt));
        let adjusted = |kind: &str, id: String, action: &str, status: &str| {
            event(deal, kind, adjustment(deal, &id, action, status))
        };
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
}

fn event(deal: &Deal, kind: &str, data: Value) -> Written {
    let id = event_id("evt_", &deal.token);
    let body = json!({
        "event_id": id,
        "event_type": kind,
        "occurred_at": rfc3339(deal.at),
        "notification_id": event_id("ntf_", &deal.token),
        "data": data,
    });
    written(kind, deal.at, &body)
}

fn transaction(deal: &Deal, status: &str, attempt: &str) -> Value {
    let total = deal.amount.minor.to_string();
    json!({
        "id": deal.id("txn_"),
        "collection_mode": "automatic",
        "created_at": rfc3339(deal.at),
        "updated_at": rfc3339(deal.at),
        "currency_code": deal.amount.currency.as_str(),
        "custom_data": { "payment_token": deal.token },
        "customer_id": deal.id("ctm_"),
        "details": { "totals": {
            "subtotal": total, "discount": "0", "tax": "0", "total": total, "credit": "0", "grand_total": total,
            "currency_code": deal.amount.currency.as_str(),
        } },
        "items": [],
        "origin": "api",
        "payments": [{
            "amount": total,
            "error_code": (attempt == "error").then_some("declined"),
            "method_details": { "type": "card", "card": { "type": "visa", "last4": "4242" } },
            "status": attempt,
        }],
        "status": status,
        "subscription_id": null,
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

//! The events of Square: of a payment, its refunds and its dispute
//! (<https://developer.squareup.com/reference/square/webhooks>).

use serde_json::{Value, json};

use crate::domain::money::Money;
use crate::testing::happening::{Deal, Format, Step, Written, event_id, rfc3339, written};

pub(in crate::testing) struct Square;

impl Format for Square {
    fn name(&self) -> &'static str {
        "Square"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let shown = |kind: &str, status: &str| event(deal, kind, "payment", &deal.id("pay"), payment(deal, status));
        let disputed =
            |kind: &str, state: &str| event(deal, kind, "dispute", &deal.id("dispute"), dispute(deal, state));
        let refunded =
            |kind: &str, status: &str| event(deal, kind, "refund", &deal.refund_id("refund"), refund(deal, status));
        Some(vec![match step {
            Step::Authorized => shown("payment.created", "APPROVED"),
            Step::Paid => shown("payment.updated", "COMPLETED"),
            // A payment is completed whole.
            Step::Captured if deal.part == deal.amount => shown("payment.updated", "COMPLETED"),
            Step::Captured => return None,
            Step::Failed => shown("payment.updated", "FAILED"),
            Step::Canceled => shown("payment.updated", "CANCELED"),
            Step::Expired => return None,
            Step::Refunded => refunded("refund.updated", "COMPLETED"),
            Step::RefundFailed => refunded("refund.updated", "FAILED"),
            Step::Disputed => disputed("dispute.created", "EVIDENCE_REQUIRED"),
            Step::DisputeWon => disputed("dispute.state.updated", "WON"),
            Step::DisputeLost => disputed("dispute.state.updated", "LOST"),
        }])
    }
}

fn event(deal: &Deal, kind: &str, name: &str, id: &str, object: Value) -> Written {
    let body = json!({
        "merchant_id": deal.account.as_deref().unwrap_or("TESTMERCHANT"),
        "type": kind,
        "event_id": event_id("", &deal.token),
        "created_at": rfc3339(deal.at),
        "data": { "type": name, "id": id, "object": { name: object } },
    });
    written(kind, deal.at, &body)
}

/// In the smallest unit of the currency, as ISO 4217 says it.
fn money(money: Money) -> Value {
    json!({"amount": money.minor, "currency": money.currency.as_str()})
}

fn payment(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.id("pay"),
        "amount_money": money(deal.amount),
        "total_money": money(deal.amount),
        "buyer_email_address": deal.customer,
        "card_details": { "card": { "card_brand": "VISA", "last_4": "4242" } },
        "created_at": rfc3339(deal.at),
        "updated_at": rfc3339(deal.at),
        "order_id": deal.id("order"),
        "reference_id": deal.token,
        "source_type": "CARD",
        "status": status,
        "version": 1,
    })
}

fn refund(deal: &Deal, status: &str) -> Value {
    json!({
        "id": deal.refund_id("refund"),
        "amount_money": money(deal.part),
        "created_at": rfc3339(deal.refunded_at),
        "updated_at": rfc3339(deal.at),
        "order_id": deal.id("order"),
        "payment_id": deal.id("pay"),
        "status": status,
        "version": 1,
    })
}

fn dispute(deal: &Deal, state: &str) -> Value {
    json!({
        "id": deal.id("dispute"),
        "dispute_id": deal.id("dispute"),
        "amount_money": money(deal.amount),
        "created_at": rfc3339(deal.at),
        "updated_at": rfc3339(deal.at),
        "disputed_payment": { "payment_id": deal.id("pay") },
        "reason": "NO_KNOWLEDGE",
        "state": state,
        "version": 1,
    })
}

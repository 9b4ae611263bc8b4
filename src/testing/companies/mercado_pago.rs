//! The notifications of Mercado Pago, and the objects that it shows when it is asked: payments with their refunds
//! (<https://www.mercadopago.com.br/developers/en/reference/payments/_payments_id/get>) and chargebacks
//! (<https://www.mercadopago.com.br/developers/en/reference/chargebacks/_chargebacks_id/get>).

use serde_json::{Value, json};

use crate::domain::money::Money;
use crate::testing::happening::{Deal, Format, Step, Written, number, rfc3339, written};
use crate::testing::served::Objects;

/// The seller of payments that are of no other.
const SELLER: &str = "724484980";

pub(in crate::testing) struct MercadoPago(pub(in crate::testing) Objects);

impl Format for MercadoPago {
    fn name(&self) -> &'static str {
        "Mercado Pago"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let id = payment_id(deal);
        let shown = self.0.change(&format!("/v1/payments/{id}"), deal.at, |payment| {
            if payment.is_null() {
                *payment = opened(deal);
            }
            change(step, deal, payment);
        });
        self.0.change(&format!("/v1/payments/search?external_reference={}", deal.token), deal.at, |found| {
            *found = json!({"paging": {"total": 1}, "results": [shown]});
        });
        let changed = notification(deal, "payment", "payment.updated", id);
        let covered = match step {
            Step::Disputed => Value::Null,
            Step::DisputeWon => json!(true),
            Step::DisputeLost => json!(false),
            _ => return Some(vec![changed]),
        };
        let dispute = number(&deal.id("chargeback"));
        self.0.change(&format!("/v1/chargebacks/{dispute}"), deal.at, |chargeback| {
            *chargeback = self::chargeback(deal, dispute, &covered);
        });
        let name = if step == Step::Disputed { "chargebacks.created" } else { "chargebacks.updated" };
        Some(vec![notification(deal, "topic_chargebacks_wh", name, dispute), changed])
    }
}

fn payment_id(deal: &Deal) -> u64 {
    number(&deal.id("payment"))
}

fn seller(deal: &Deal) -> Value {
    let seller = deal.account.as_deref().unwrap_or(SELLER);
    seller.parse::<u64>().map_or_else(|_| json!(seller), |number| json!(number))
}

/// An amount is a number in the currency's main unit.
fn amount(money: Money) -> Value {
    serde_json::from_str(&money.decimal()).unwrap_or_default()
}

/// A notification of this topic, which names an object and shows nothing of it.
fn notification(deal: &Deal, topic: &str, action: &str, object: u64) -> Written {
    let body = json!({
        "action": action,
        "api_version": "v1",
        "data": { "id": object.to_string() },
        "date_created": rfc3339(deal.at),
        "id": number(&format!("{action}{object}{}", deal.seconds())),
        "live_mode": false,
        "type": topic,
        "user_id": seller(deal).to_string(),
    });
    written(topic, deal.at, &body)
}

fn opened(deal: &Deal) -> Value {
    json!({
        "id": payment_id(deal),
        "date_created": rfc3339(deal.at),
        "date_approved": null,
        "operation_type": "regular_payment",
        "payment_method_id": "visa",
        "payment_type_id": "credit_card",
        "status": "pending",
        "status_detail": "pending_waiting_payment",
        "currency_id": deal.amount.currency.as_str(),
        "live_mode": false,
        "collector_id": seller(deal),
        "external_reference": deal.token,
        "transaction_amount": amount(deal.amount),
        "transaction_amount_refunded": 0,
        "captured": false,
        "payer": { "email": deal.customer },
        "metadata": {},
        "refunds": [],
    })
}

fn change(step: Step, deal: &Deal, payment: &mut Value) {
    let at = rfc3339(deal.at);
    payment["date_last_updated"] = json!(at);
    let mut becomes = |status: &str, detail: &str| {
        payment["status"] = json!(status);
        payment["status_detail"] = json!(detail);
    };
    match step {
        Step::Authorized => becomes("authorized", "pending_capture"),
        Step::Failed => becomes("rejected", "cc_rejected_insufficient_amount"),
        Step::Expired => becomes("cancelled", "expired"),
        Step::Canceled => becomes("cancelled", "by_collector"),
        Step::Disputed => becomes("charged_back", "in_process"),
        Step::DisputeWon => becomes("charged_back", "reimbursed"),
        Step::DisputeLost => becomes("charged_back", "settled"),
        Step::Paid | Step::Captured => {
            becomes("approved", "accredited");
            payment["date_approved"] = json!(at);
            payment["captured"] = json!(true);
            payment["transaction_amount"] = amount(deal.part);
        }
        Step::Refunded | Step::RefundFailed => {
            let is_whole = deal.is_refunded();
            let detail = if is_whole || deal.refunded.minor == 0 { "accredited" } else { "partially_refunded" };
            becomes(if is_whole { "refunded" } else { "approved" }, detail);
            refund(step, deal, payment);
        }
    }
}

fn refund(step: Step, deal: &Deal, payment: &mut Value) {
    let id = number(&deal.refund_id("refund"));
    let status = if step == Step::Refunded { "approved" } else { "rejected" };
    let made = json!({
        "id": id,
        "payment_id": payment_id(deal),
        "amount": amount(deal.part),
        "status": status,
        "date_created": rfc3339(deal.refunded_at),
    });
    if let Some(refunds) = payment["refunds"].as_array_mut() {
        refunds.retain(|refund| refund["id"] != id);
        refunds.push(made);
    }
    payment["transaction_amount_refunded"] = amount(deal.refunded);
}

fn chargeback(deal: &Deal, id: u64, covered: &Value) -> Value {
    json!({
        "id": id.to_string(),
        "payments": [payment_id(deal)],
        "currency_id": deal.amount.currency.as_str(),
        "amount": amount(deal.amount),
        "coverage_applied": covered,
        "coverage_elegible": true,
        "date_created": rfc3339(deal.at),
        "date_last_updated": rfc3339(deal.at),
        "live_mode": false,
    })
}

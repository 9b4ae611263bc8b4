//! The hints of Mollie, and the payments that it shows when it is asked: with their refunds and chargebacks
//! (<https://docs.mollie.com/reference/get-payment>).

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::money::Money;
use crate::gateways::HINT_KIND;
use crate::testing::happening::{Deal, Format, Step, Written, of_bytes, rfc3339};
use crate::testing::served::Objects;

pub(in crate::testing) struct Mollie(pub(in crate::testing) Objects);

impl Format for Mollie {
    fn name(&self) -> &'static str {
        "Mollie"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let id = id(deal);
        self.0.change(&format!("/v2/payments/{id}"), deal.at, |payment| {
            if payment.is_null() {
                *payment = opened(deal, &id);
            }
            change(step, deal, payment);
        });
        Some(vec![of_bytes(HINT_KIND, deal.at, format!("id={id}").into_bytes())])
    }

    /// Its webhooks are not signed.
    fn delivery(&self, event: &Written, _: Timestamp) -> Option<Delivery> {
        let form = ("content-type".to_owned(), b"application/x-www-form-urlencoded".to_vec());
        Some(Delivery::new(event.body.clone()).with_headers(vec![form]))
    }
}

/// Its ids have letters and digits only.
fn id(deal: &Deal) -> String {
    format!("tr_{}", deal.token.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
}

fn money(money: Money) -> Value {
    json!({"currency": money.currency.as_str(), "value": money.decimal()})
}

fn opened(deal: &Deal, id: &str) -> Value {
    json!({
        "resource": "payment",
        "id": id,
        "mode": "test",
        "createdAt": rfc3339(deal.at),
        "amount": money(deal.amount),
        "description": deal.token,
        "method": "creditcard",
        "metadata": { "payment_token": deal.token },
        "status": "open",
        "billingAddress": { "email": deal.customer },
        "profileId": "pfl_test",
        "sequenceType": "oneoff",
        "_embedded": { "refunds": [], "chargebacks": [] },
        "_links": {},
    })
}

fn change(step: Step, deal: &Deal, payment: &mut Value) {
    let at = json!(rfc3339(deal.at));
    let mut becomes = |status: &str| {
        payment["status"] = json!(status);
        payment[format!("{status}At")] = at.clone();
    };
    match step {
        Step::Paid => becomes("paid"),
        Step::Authorized => becomes("authorized"),
        Step::Failed => becomes("failed"),
        Step::Expired => becomes("expired"),
        Step::Canceled => becomes("canceled"),
        Step::Captured => {
            becomes("paid");
            payment["amountCaptured"] = money(deal.part);
        }
        Step::Refunded => {
            list(payment, "refunds").push(json!({
                "resource": "refund",
                "id": refund_id(deal),
                "mode": "test",
                "amount": money(deal.part),
                "status": "refunded",
                "createdAt": rfc3339(deal.refunded_at),
                "paymentId": id(deal),
                "metadata": null,
            }));
            payment["amountRefunded"] = money(deal.refunded);
        }
        Step::RefundFailed => {
            let id = refund_id(deal);
            list(payment, "refunds").iter_mut().filter(|refund| refund["id"] == id.as_str()).for_each(|refund| {
                refund["status"] = json!("failed");
            });
            payment["amountRefunded"] = money(deal.refunded);
        }
        Step::Disputed | Step::DisputeLost => {
            let chargebacks = list(payment, "chargebacks");
            if chargebacks.is_empty() {
                chargebacks.push(json!({
                    "resource": "chargeback",
                    "id": deal.id("chb_"),
                    "amount": money(deal.amount),
                    "createdAt": at,
                    "reason": { "code": "AC01", "description": "Account identifier incorrect" },
                    "paymentId": id(deal),
                    "reversedAt": null,
                }));
            }
            payment["amountChargedBack"] = money(deal.amount);
        }
        Step::DisputeWon => {
            list(payment, "chargebacks").iter_mut().for_each(|chargeback| chargeback["reversedAt"] = at.clone());
        }
    }
}

fn refund_id(deal: &Deal) -> String {
    deal.refund_id("re_")
}

/// What the payment contains of a kind.
fn list<'a>(payment: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    let list = &mut payment["_embedded"][name];
    if !list.is_array() {
        *list = json!([]);
    }
    list.as_array_mut().unwrap_or_else(|| unreachable!("it was made a list"))
}

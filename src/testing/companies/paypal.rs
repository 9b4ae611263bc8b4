//! The events of PayPal: of authorizations, captures, refunds, disputes and subscriptions
//! (<https://developer.paypal.com/api/rest/webhooks/event-names/>), signed with a certificate of the test kit's own
//! authority (<https://developer.paypal.com/api/rest/webhooks/rest/>, "Self verification method").

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::hex::hex;
use crate::domain::money::Money;
use crate::gateways::paypal;
use crate::testing::companies::paypal_certificate::{KEY, LEAF, ROOT};
use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, event_id, rfc3339, written};

/// Where PayPal would serve the certificate.
const ADDRESS: &str = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-test";
/// How long PayPal's ids of payments are.
const ID_LENGTH: usize = 17;

/// The gateway for PayPal of a webhook with this id, which believes the certificate that
/// [`Company::paypal`](crate::testing::Company::paypal) signs with, and PayPal's own no longer. Nothing is fetched.
/// Never use it outside tests: the key of that certificate stands in this crate.
///
/// ```
/// use actix_payments::gateways::Gateway;
///
/// let paypal = actix_payments::testing::paypal("1JE4291016473214C");
/// assert_eq!(paypal.check(), Ok(()));
/// ```
pub fn paypal(webhook_id: impl Into<String>) -> paypal::PayPal {
    paypal::PayPal::new(webhook_id).roots(ROOT).certificate(ADDRESS, LEAF)
}

pub(in crate::testing) struct PayPal {
    pub(in crate::testing) webhook_id: String,
}

impl Format for PayPal {
    fn name(&self) -> &'static str {
        "PayPal"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let event = |kind: &str, resource: &str, object: Value| event(kind, resource, deal.at, object);
        Some(vec![match step {
            Step::Paid => event("PAYMENT.CAPTURE.COMPLETED", "capture", capture(step, deal, "COMPLETED")),
            Step::Captured => event("PAYMENT.CAPTURE.COMPLETED", "capture", capture(step, deal, "COMPLETED")),
            Step::Failed => event("PAYMENT.CAPTURE.DENIED", "capture", capture(step, deal, "DECLINED")),
            Step::Authorized => event("PAYMENT.AUTHORIZATION.CREATED", "authorization", authorization(deal, "CREATED")),
            Step::Canceled => event("PAYMENT.AUTHORIZATION.VOIDED", "authorization", authorization(deal, "VOIDED")),
            Step::Refunded => event("PAYMENT.CAPTURE.REFUNDED", "refund", refund(deal, "COMPLETED")),
            Step::RefundFailed => event("PAYMENT.REFUND.FAILED", "refund", refund(deal, "FAILED")),
            Step::Disputed => event("CUSTOMER.DISPUTE.CREATED", "dispute", dispute(deal, None)),
            Step::DisputeWon => {
                event("CUSTOMER.DISPUTE.RESOLVED", "dispute", dispute(deal, Some("RESOLVED_SELLER_FAVOUR")))
            }
            Step::DisputeLost => {
                event("CUSTOMER.DISPUTE.RESOLVED", "dispute", dispute(deal, Some("RESOLVED_BUYER_FAVOUR")))
            }
            Step::Expired => return None,
        }])
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let of_it = |kind: &str, status: &str| event(kind, "subscription", plan.at, subscription(turn, plan, status));
        let paid = || event("PAYMENT.SALE.COMPLETED", "sale", plan.at, sale(plan));
        Some(match turn {
            Turn::Started => vec![of_it("BILLING.SUBSCRIPTION.ACTIVATED", "ACTIVE"), paid()],
            Turn::Renewed => vec![paid()],
            Turn::RenewalFailed => vec![of_it("BILLING.SUBSCRIPTION.PAYMENT.FAILED", "ACTIVE")],
            Turn::Ended => vec![of_it("BILLING.SUBSCRIPTION.CANCELLED", "CANCELLED")],
            Turn::CancelScheduled | Turn::Resumed | Turn::Changed => return None,
        })
    }

    fn subscription_ref(&self, id: &str) -> Option<String> {
        Some(agreement_id(id))
    }

    fn delivery(&self, event: &Written, now: Timestamp) -> Option<Delivery> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).ok()?;
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?;
        let (id, time) = (event.id.as_str(), rfc3339(now));
        let message = format!("{id}|{time}|{}|{}", self.webhook_id, crc32fast::hash(&event.body));
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).ok()?;
        let fields = [
            ("content-type", "application/json"),
            ("paypal-transmission-id", id),
            ("paypal-transmission-time", &time),
            ("paypal-transmission-sig", &BASE64.encode(signature)),
            ("paypal-cert-url", ADDRESS),
            ("paypal-auth-algo", "SHA256withRSA"),
        ];
        let headers = fields.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        Some(Delivery::new(event.body.clone()).with_headers(headers.into()))
    }
}

fn event(kind: &str, resource_type: &str, at: Timestamp, resource: Value) -> Written {
    let body = json!({
        "id": event_id("WH-", ""),
        "event_version": "1.0",
        "create_time": rfc3339(at),
        "resource_type": resource_type,
        "resource_version": "2.0",
        "event_type": kind,
        "summary": kind,
        "resource": resource,
    });
    written(kind, at, &body)
}

/// Its ids are all as long and in capital letters.
fn id(of: &str) -> String {
    let mut id = hex(&Sha256::digest(of)).to_uppercase();
    id.truncate(ID_LENGTH);
    id
}

fn capture_id(deal: &Deal) -> String {
    id(&deal.id("capture"))
}

fn authorization_id(deal: &Deal) -> String {
    id(&deal.id("authorization"))
}

fn money(money: Money) -> Value {
    json!({"currency_code": money.currency.as_str(), "value": money.decimal()})
}

fn link(rel: &str, path: &str) -> Value {
    json!({"href": format!("https://api.paypal.com/v2/{path}"), "rel": rel, "method": "GET"})
}

fn capture(step: Step, deal: &Deal, status: &str) -> Value {
    let amount = if step == Step::Captured { deal.part } else { deal.amount };
    let mut related = json!({"order_id": id(&deal.id("order"))});
    if step == Step::Captured {
        related["authorization_id"] = json!(authorization_id(deal));
    }
    json!({
        "id": capture_id(deal),
        "amount": money(amount),
        "final_capture": true,
        "custom_id": deal.token,
        "status": status,
        "supplementary_data": { "related_ids": related },
        "create_time": rfc3339(deal.at),
        "update_time": rfc3339(deal.at),
        "links": [
            link("self", &format!("payments/captures/{}", capture_id(deal))),
            link("up", &format!("checkout/orders/{}", id(&deal.id("order")))),
        ],
    })
}

fn authorization(deal: &Deal, status: &str) -> Value {
    json!({
        "id": authorization_id(deal),
        "amount": money(deal.amount),
        "status": status,
        "custom_id": deal.token,
        "supplementary_data": { "related_ids": { "order_id": id(&deal.id("order")) } },
        "create_time": rfc3339(deal.at),
        "update_time": rfc3339(deal.at),
        "links": [
            link("self", &format!("payments/authorizations/{}", authorization_id(deal))),
            link("up", &format!("checkout/orders/{}", id(&deal.id("order")))),
        ],
    })
}

fn refund(deal: &Deal, status: &str) -> Value {
    let refund_id = id(&deal.refund_id("refund"));
    json!({
        "id": refund_id,
        "amount": money(deal.part),
        "status": status,
        "custom_id": deal.token,
        "seller_payable_breakdown": {
            "gross_amount": money(deal.part),
            "net_amount": money(deal.part),
            "total_refunded_amount": money(deal.refunded),
        },
        "create_time": rfc3339(deal.refunded_at),
        "update_time": rfc3339(deal.at),
        "links": [
            link("self", &format!("payments/refunds/{refund_id}")),
            link("up", &format!("payments/captures/{}", capture_id(deal))),
        ],
    })
}

fn dispute(deal: &Deal, outcome: Option<&str>) -> Value {
    let back = if outcome == Some("RESOLVED_BUYER_FAVOUR") { deal.amount.minor } else { 0 };
    let mut dispute = json!({
        "dispute_id": deal.id("PP-D-"),
        "create_time": rfc3339(deal.at),
        "update_time": rfc3339(deal.at),
        "disputed_transactions": [{
            "seller_transaction_id": capture_id(deal),
            "create_time": rfc3339(deal.at),
            "transaction_status": "COMPLETED",
            "gross_amount": money(deal.amount),
            "custom": deal.token,
        }],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": if outcome.is_some() { "RESOLVED" } else { "OPEN" },
        "dispute_amount": money(deal.amount),
        "dispute_life_cycle_stage": "INQUIRY",
        "dispute_channel": "INTERNAL",
    });
    if let Some(code) = outcome {
        let refunded = money(Money::new(back, deal.amount.currency));
        dispute["dispute_outcome"] = json!({"outcome_code": code, "amount_refunded": refunded});
    }
    dispute
}

fn agreement_id(of: &str) -> String {
    format!("I-{}", id(of))
}

fn subscription(turn: Turn, plan: &Plan, status: &str) -> Value {
    let has_failed = turn == Turn::RenewalFailed;
    let due = if has_failed { plan.cost() } else { Money::new(0, plan.price.currency) };
    // The payment of a period comes with it, unless that is the one that failed.
    let paid_at = if turn == Turn::Started { plan.at } else { plan.period.0 };
    let mut billing = json!({
        "outstanding_balance": money(due),
        "failed_payments_count": if has_failed { plan.attempts } else { 0 },
        "next_billing_time": rfc3339(plan.period.1),
    });
    let payment = json!({"amount": money(plan.cost()), "time": rfc3339(if has_failed { plan.at } else { paid_at })});
    billing[if has_failed { "last_failed_payment" } else { "last_payment" }] = payment;
    json!({
        "id": agreement_id(&plan.id),
        "plan_id": plan.price_id,
        "status": status,
        "status_update_time": rfc3339(plan.at),
        "quantity": plan.quantity.to_string(),
        "start_time": rfc3339(plan.started),
        "custom_id": plan.token.as_ref().or(plan.owner.as_ref()),
        "plan_overridden": false,
        "subscriber": { "payer_id": id(&format!("payer{}", plan.id)) },
        "billing_info": billing,
        "create_time": rfc3339(plan.started),
        "update_time": rfc3339(plan.at),
    })
}

/// The payment of a period.
fn sale(plan: &Plan) -> Value {
    json!({
        "id": id(&plan.of_period("sale")),
        "state": "completed",
        "amount": { "total": plan.cost().decimal(), "currency": plan.price.currency.as_str() },
        "payment_mode": "INSTANT_TRANSFER",
        "billing_agreement_id": agreement_id(&plan.id),
        "custom": plan.token.as_ref().or(plan.owner.as_ref()),
        "create_time": rfc3339(plan.at),
        "update_time": rfc3339(plan.at),
    })
}

//! Reads the facts of a Razorpay event. The kind says which of the entities in the payload it is about
//! (<https://razorpay.com/docs/webhooks/payments/>, and the pages beside it for refunds, disputes and payment links).
//!
//! Amounts are integers in the currency's smallest unit by ISO 4217.

use super::payload::Payload;
use super::subscription;
use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Currency, Money};
use crate::domain::payer::Payer;
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{because, fact, money, nested, sentence, since, time, with_money};

/// Reads the event's facts. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>, owner_key: &str) -> Result<Interpretation, Malformed> {
    let (family, verb) = event.kind.split_once('.').unwrap_or_default();
    let is_dispute = family == "payment" && verb.starts_with("dispute.");
    if !is_dispute && (verb.is_empty() || verb.contains('.')) {
        return Ok(nothing());
    }
    let (facts, summary) = match family {
        "payment" | "order" | "payment_link" | "refund" => {
            let payload = Payload::read(event)?;
            match family {
                "payment" if is_dispute => dispute(&payload)?,
                "payment" => payment(&payload, &payload.need("payment")?)?,
                "order" => order(&payload)?,
                "refund" => refund(&payload)?,
                _ => link(&payload)?,
            }
        }
        "subscription" => {
            let payload = Payload::read(event)?;
            let read = subscription::read(&payload, owner_key)?;
            let paid = payload.entity("payment")?.map(|entity| payment(&payload, &entity)).transpose()?;
            let facts = paid.map(|(facts, _)| facts).unwrap_or_default();
            return Ok(Interpretation { references: named(&payload, false), facts, ..read });
        }
        _ => return Ok(nothing()),
    };
    let payload = Payload::read(event)?;
    let customer = payload.entity("payment")?.and_then(|payment| short(&payment, "email"));
    let payer = payload.entity("payment")?.map(|payment| payer(&payment)).unwrap_or_default();
    let references = named(&payload, true);
    Ok(Interpretation { references, facts, summary, customer, payer, ..Interpretation::default() })
}

/// Who paid, with which card (<https://razorpay.com/docs/api/payments/entity/>).
fn payer(payment: &Object<'_>) -> Payer {
    let card = payment.object("card", "a card").ok().flatten();
    let told = |name: &str| card.as_ref().and_then(|card| short(card, name));
    Payer {
        name: told("name"),
        gateway_ref: payment.link("customer_id").map(Into::into),
        card_brand: told("network"),
        card_last_four: told("last4"),
        decline: short(payment, "error_description"),
    }
}

fn nothing() -> Interpretation {
    let summary = "nothing about a payment: kept for handlers".to_owned();
    Interpretation { summary, ..Interpretation::default() }
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    Payload::read(event).map(|payload| named(&payload, true)).unwrap_or_default()
}

/// `has_token` is false where the notes are those of a subscription, which all of its payments share.
fn named(payload: &Payload<'_>, has_token: bool) -> References {
    let entity = |name: &str| payload.entity(name).ok().flatten();
    let (payment, order, link) = (entity("payment"), entity("order"), entity("payment_link"));
    let (refund, dispute) = (entity("refund"), entity("dispute"));
    let text = |of: &Option<Object<'_>>, name: &str| of.as_ref().and_then(|of| short(of, name));
    let note = |of: &Option<Object<'_>>| of.as_ref().and_then(|of| nested(of, "notes", "payment_token"));
    let tokens = [
        // The merchant writes these. The notes of a payment can be written in the customer's browser.
        note(&order),
        note(&link),
        text(&order, "receipt"),
        text(&link, "reference_id"),
        note(&refund),
        note(&payment),
    ];
    let refs = [
        text(&payment, "id"),
        text(&refund, "payment_id"),
        text(&dispute, "payment_id"),
        text(&payment, "order_id"),
        text(&order, "id"),
        text(&link, "id"),
        text(&link, "order_id"),
        text(&refund, "id"),
        text(&payment, "invoice_id"),
    ];
    References { tokens: if has_token { distinct(tokens) } else { Vec::new() }, gateway_refs: distinct(refs) }
}

type Statement = (Vec<Fact>, String);

fn amount(entity: &Object<'_>, name: &str) -> Result<Money, Malformed> {
    money(entity.need_integer(name)?, &entity.need_text("currency")?)
}

/// A payment is one attempt. Its status is that of the moment of the event, and not of the delivery.
fn payment(payload: &Payload<'_>, entity: &Object<'_>) -> Result<Statement, Malformed> {
    let event = payload.event;
    let id = entity.need_id("id")?;
    let amount = amount(entity, "amount")?;
    let is_captured = entity.bool_or_false("captured").unwrap_or(false);
    let status = entity.need_text("status")?;
    let (aspect, state, words) = match status.as_ref() {
        "captured" => (Aspect::Capture, State::Succeeded, "payment captured"),
        "refunded" if is_captured => (Aspect::Capture, State::Succeeded, "payment captured, and refunded since"),
        "refunded" => (Aspect::Authorization, State::Canceled, "payment released without a capture"),
        "authorized" => (Aspect::Authorization, State::Authorized, "payment authorized, to be captured"),
        "failed" => (Aspect::Authorization, State::Failed, "payment failed"),
        _ => (Aspect::Authorization, State::Pending, "payment begun"),
    };
    let mut stated = with_money(fact(event, aspect, &id, state), Some(amount));
    stated.occurred_at = since(event, state == State::Pending, time(entity, "created_at"));
    let code = short(entity, "error_reason").or_else(|| short(entity, "error_code"));
    let why = because(code.filter(|_| state == State::Failed));
    let stated = stated.with_parent(short(entity, "order_id"));
    let fee = fee(entity, &stated, amount);
    let facts = [Some(stated), fee].into_iter().flatten().collect();
    Ok((facts, sentence(format_args!("{words}{why}"), Some(amount))))
}

/// What Razorpay keeps of a captured payment, its tax included. It is in the currency of the shop's account, which a payment
/// names as its `base_currency` where its own is another.
fn fee(entity: &Object<'_>, moved: &Fact, amount: Money) -> Option<Fact> {
    let minor = entity.integer("fee").ok()??;
    let currency = match short(entity, "base_currency") {
        Some(of_account) => Currency::parse(&of_account).ok()?,
        None => amount.currency,
    };
    (moved.aspect == Aspect::Capture && minor > 0).then(|| moved.fee(minor, currency))
}

/// An order is paid by one of its payments.
fn order(payload: &Payload<'_>) -> Result<Statement, Malformed> {
    let order = payload.need("order")?;
    let id = order.need_id("id")?;
    let (asked, paid) = (amount(&order, "amount")?, amount(&order, "amount_paid")?);
    let is_paid = short(&order, "status").as_deref() == Some("paid");
    let (state, moved, words) =
        if is_paid { (State::Succeeded, paid, "order paid") } else { (State::Pending, asked, "order open") };
    let checkout = with_money(fact(payload.event, Aspect::Checkout, &id, state), Some(moved)).with_face(asked.minor);
    let mut facts = vec![checkout];
    if let Some(entity) = payload.entity("payment")? {
        facts.extend(payment(payload, &entity)?.0);
    }
    Ok((facts, sentence(words, Some(moved))))
}

/// A payment link is a page with an order behind it.
fn link(payload: &Payload<'_>) -> Result<Statement, Malformed> {
    let link = payload.need("payment_link")?;
    let id = link.need_id("id")?;
    let asked = amount(&link, "amount")?;
    let status = link.need_text("status")?;
    let (state, words) = match status.as_ref() {
        "paid" => (State::Succeeded, "payment link paid"),
        "expired" => (State::Expired, "payment link expired"),
        "cancelled" => (State::Canceled, "payment link cancelled"),
        "partially_paid" => (State::Pending, "payment link paid in part"),
        _ => (State::Pending, "payment link open"),
    };
    let moved = if state == State::Succeeded { amount(&link, "amount_paid")? } else { asked };
    // Its order states the same money when it is paid: one register, or it would count twice.
    let order = short(&link, "order_id");
    let register = order.clone().filter(|_| state == State::Succeeded).unwrap_or(id);
    let parent = order.filter(|order| *order != register);
    let mut checkout = with_money(fact(payload.event, Aspect::Checkout, &register, state), Some(moved));
    checkout.occurred_at = since(payload.event, state == State::Pending, time(&link, "updated_at"));
    let mut facts = vec![checkout.with_face(asked.minor).with_parent(parent)];
    if let Some(entity) = payload.entity("payment")? {
        facts.extend(payment(payload, &entity)?.0);
    }
    Ok((facts, sentence(words, Some(moved))))
}

fn refund(payload: &Payload<'_>) -> Result<Statement, Malformed> {
    let refund = payload.need("refund")?;
    let id = refund.need_id("id")?;
    let amount = amount(&refund, "amount")?;
    let never_captured = match payload.entity("payment")? {
        Some(payment) => !payment.bool("captured")?.unwrap_or(true),
        None => false,
    };
    if never_captured {
        return Ok((Vec::new(), "refund that only releases an authorization: no money had moved".to_owned()));
    }
    let status = short(&refund, "status");
    let (state, words) = match status.as_deref() {
        Some("processed") => (State::Succeeded, "refund processed"),
        Some("failed") => (State::Failed, "refund failed, the money stays"),
        _ => (State::Pending, "refund pending"),
    };
    let made = time(&refund, "created_at");
    let mut stated = with_money(fact(payload.event, Aspect::Refund, &id, state), Some(amount));
    stated.occurred_at = since(payload.event, state == State::Pending, made);
    Ok((vec![stated.with_parent(short(&refund, "payment_id")).with_since(made)], sentence(words, Some(amount))))
}

/// A dispute in one of its phases: a bank asks (`retrieval`, `fraud`), takes the money back (`chargeback`), or once
/// more.
fn dispute(payload: &Payload<'_>) -> Result<Statement, Malformed> {
    let dispute = payload.need("dispute")?;
    let id = dispute.need_id("id")?;
    let amount = amount(&dispute, "amount")?;
    let phase = short(&dispute, "phase").unwrap_or_default();
    let is_inquiry = matches!(phase.as_str(), "retrieval" | "fraud");
    let status = dispute.need_text("status")?;
    let (state, words) = match status.as_ref() {
        "won" => (State::Won, "was won"),
        "lost" => (State::Lost, "was lost"),
        "closed" => (State::Closed, "ended without a decision against anyone"),
        "under_review" if is_inquiry => (State::Inquiry, "is an inquiry so far, under review"),
        _ if is_inquiry => (State::Inquiry, "is an inquiry so far, and needs a response"),
        "under_review" => (State::Open, "is under review"),
        "open" => (State::Open, "needs a response"),
        _ => (State::Open, "is open, with an unknown status"),
    };
    let reason = short(&dispute, "reason_code");
    let (made, is_undecided) = (time(&dispute, "created_at"), matches!(state, State::Open | State::Inquiry));
    let mut stated = with_money(fact(payload.event, Aspect::Dispute, &id, state), Some(amount));
    stated.occurred_at = since(payload.event, is_undecided, made);
    let stated = stated
        .with_reason(reason.clone())
        .with_parent(short(&dispute, "payment_id"))
        .with_since(made)
        .with_until(time(&dispute, "respond_by"));
    let why = because(reason);
    Ok((vec![stated], sentence(format_args!("dispute{why} {words}"), Some(amount))))
}

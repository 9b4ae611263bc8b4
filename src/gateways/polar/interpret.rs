//! Reads the facts of a Polar event: of orders, refunds and checkouts
//! (<https://polar.sh/docs/integrate/webhooks/events>, and the models of Polar's SDK).
//!
//! Amounts are integers in the currency's smallest unit by ISO 4217. A refund states its tax apart from its amount.

use super::subscription;
use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::domain::payer::Payer;
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{because, fact, money, nested, sentence, since, time, whole, with_money};

/// Reads the event's facts. `discounts` says whether one explains a lower price. Pure, and never panics, whatever the
/// bytes.
pub(super) fn interpret(event: &Recorded<'_>, owner_key: &str, discounts: bool) -> Result<Interpretation, Malformed> {
    let (family, verb) = event.kind.split_once('.').unwrap_or_default();
    let is_known = !verb.is_empty() && !verb.contains('.');
    let what = match family {
        "order" => "an order",
        "refund" => "a refund",
        "checkout" => "a checkout",
        "subscription" => "a subscription",
        "customer" if verb == "state_changed" => "a customer",
        _ => "",
    };
    if !is_known || what.is_empty() {
        let summary = "nothing about a payment: kept for handlers".to_owned();
        return Ok(Interpretation { summary, ..Interpretation::default() });
    }
    let whole = whole(event)?;
    let data = whole.need_object("data", what)?;
    match family {
        "order" => order(event, &data, discounts),
        "refund" => refund(event, &data),
        "checkout" => checkout(event, &data, discounts),
        "subscription" => subscription::read(event, verb, &data, owner_key),
        _ => subscription::of_customer(&data),
    }
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let family = event.kind.split('.').next().unwrap_or_default();
    let read = || Some(named(family, &whole(event).ok()?.object("data", "the event's data").ok()??));
    read().unwrap_or_default()
}

/// A subscription passes its metadata on to the orders of its renewals, which are payments of their own.
fn named(family: &str, data: &Object<'_>) -> References {
    let reason = short(data, "billing_reason").unwrap_or_default();
    let is_own = matches!(reason.as_str(), "" | "purchase" | "subscription_create");
    let token = nested(data, "metadata", "payment_token").filter(|_| is_own);
    let names: &[&str] = match family {
        "order" if is_own => &["id", "checkout_id"],
        "order" | "checkout" => &["id"],
        "refund" => &["order_id", "id"],
        _ => &[],
    };
    let tokens = if matches!(family, "order" | "checkout") { distinct([token]) } else { Vec::new() };
    References { tokens, gateway_refs: distinct(names.iter().map(|name| short(data, name))) }
}

fn amount(data: &Object<'_>, name: &str) -> Result<Money, Malformed> {
    money(data.need_integer(name)?, &data.need_text("currency")?)
}

/// The sum of an amount and its tax.
fn with_tax(data: &Object<'_>, name: &str, tax: &str) -> Result<Money, Malformed> {
    let net = amount(data, name)?;
    let sum = net.minor.checked_add(data.integer(tax)?.unwrap_or(0));
    let minor = sum.ok_or_else(|| Malformed("expected an amount with tax within 64 bits, got more".to_owned()))?;
    Ok(Money::new(minor, net.currency))
}

/// An order is paid as a whole, and may be refunded since.
fn order(event: &Recorded<'_>, data: &Object<'_>, discounts: bool) -> Result<Interpretation, Malformed> {
    let id = data.need_id("id")?;
    let total = amount(data, "total_amount")?;
    // What the customer's balance pays of it is below zero, and what is charged of a debt above.
    let balance = data.integer("applied_balance_amount")?.unwrap_or(0);
    let charged = Money::new(total.minor.saturating_add(balance).max(0), total.currency);
    let status = data.need_text("status")?;
    let is_paid = matches!(status.as_ref(), "paid" | "refunded" | "partially_refunded");
    let (state, words) = match status.as_ref() {
        _ if is_paid && charged.minor == 0 => (State::Free, "order completed, nothing was to be paid"),
        "paid" => (State::Succeeded, "order paid"),
        "refunded" => (State::Succeeded, "order refunded"),
        "partially_refunded" => (State::Succeeded, "order refunded in part"),
        "void" => (State::Canceled, "order voided"),
        "draft" | "pending" => (State::Pending, "order open"),
        _ => (State::Pending, "order with an unknown status, treated as open"),
    };
    let changed = time(data, "modified_at").or_else(|| time(data, "created_at"));
    let mut checkout = with_money(fact(event, Aspect::Checkout, &id, state), Some(charged));
    checkout.occurred_at = since(event, state == State::Pending, changed);
    // What was asked for, before discount and tax.
    let asked = data.integer("subtotal_amount")?.filter(|asked| *asked > 0).unwrap_or(total.minor);
    // A trial costs nothing either, but pays for nothing: only a discount or the balance explains it.
    let discount = data.integer("discount_amount")?.unwrap_or(0);
    let is_covered = discount >= asked || balance < 0;
    let is_explained = (discounts || discount == 0) && (state != State::Free || is_covered);
    let asked = if is_explained { asked } else { total.minor };
    let mut facts = vec![checkout.with_face(asked).with_parent(short(data, "checkout_id"))];
    if state == State::Succeeded {
        let capture = with_money(fact(event, Aspect::Capture, &id, State::Succeeded), Some(charged));
        let fee = fee(data, &capture);
        facts.extend([Some(capture), fee].into_iter().flatten());
        // Nothing, too: a refund that failed is taken off again.
        if data.integer("refunded_amount")?.is_some() {
            let refunded = with_tax(data, "refunded_amount", "refunded_tax_amount")?;
            let stated = with_money(fact(event, Aspect::RefundTotal, &id, State::Succeeded), Some(refunded));
            facts.push(Fact { face: None, ..stated });
        }
    }
    Ok(Interpretation {
        payer: Payer { name: nested(data, "customer", "name"), ..Payer::default() },
        is_link: false,
        object_to_fetch: None,
        account: None,
        references: named("order", data),
        facts,
        summary: sentence(words, Some(charged)),
        customer: nested(data, "customer", "email"),
        awaits_completion: None,
        subscription: subscription::of_order(event, data, charged),
    })
}

/// What Polar keeps of an order, if it is told. Nothing else depends on it, so what can't be read is left out.
fn fee(data: &Object<'_>, capture: &Fact) -> Option<Fact> {
    let minor = data.integer("platform_fee_amount").ok()??;
    let currency = short(data, "platform_fee_currency").or_else(|| short(data, "currency"))?;
    let fee = money(minor, &currency).ok().filter(|fee| fee.minor > 0)?;
    Some(capture.fee(fee.minor, fee.currency))
}

/// A refund, and the dispute that it answers, if there is one.
fn refund(event: &Recorded<'_>, data: &Object<'_>) -> Result<Interpretation, Malformed> {
    let id = data.need_id("id")?;
    let order = data.need_id("order_id")?;
    let amount = with_tax(data, "amount", "tax_amount")?;
    let (state, words) = match data.need_text("status")?.as_ref() {
        "succeeded" => (State::Succeeded, "refund succeeded"),
        "failed" => (State::Failed, "refund failed, the money stays"),
        "canceled" => (State::Canceled, "refund canceled, the money stays"),
        _ => (State::Pending, "refund pending"),
    };
    let made = time(data, "created_at");
    let mut stated = with_money(fact(event, Aspect::Refund, &id, state), Some(amount));
    stated.occurred_at = since(event, state == State::Pending, time(data, "modified_at").or(made));
    let reason = short(data, "reason");
    let mut facts = vec![stated.with_parent(Some(&order)).with_since(made).with_reason(reason.clone())];
    let mut summary = sentence(format_args!("{words}{}", because(reason)), Some(amount));
    if let Some(dispute) = data.object("dispute", "a dispute")? {
        let (stated, words) = self::dispute(event, &dispute, &order)?;
        facts.push(stated);
        summary = format!("{summary}; {words}");
    }
    Ok(Interpretation { references: named("refund", data), facts, summary, ..Interpretation::default() })
}

/// A dispute in one of Polar's states. One that is prevented ends before there is a chargeback: the bank takes nothing, and
/// what goes back to the customer does so by the refund.
fn dispute(event: &Recorded<'_>, dispute: &Object<'_>, order: &str) -> Result<(Fact, String), Malformed> {
    let (state, words) = match dispute.need_text("status")?.as_ref() {
        "prevented" => (State::Closed, "was prevented: no chargeback happened"),
        "early_warning" => (State::Inquiry, "is a warning so far"),
        "won" => (State::Won, "was won"),
        "lost" => (State::Lost, "was lost"),
        "needs_response" => (State::Open, "needs a response"),
        "under_review" => (State::Open, "is under review"),
        _ => (State::Open, "is open, in an unknown state"),
    };
    let stated = fact(event, Aspect::Dispute, &dispute.need_id("id")?, state);
    let amount = with_tax(dispute, "amount", "tax_amount")?;
    let stated = with_money(stated, Some(amount)).with_parent(Some(order)).with_since(time(dispute, "created_at"));
    Ok((stated, sentence(format_args!("dispute {words}"), Some(amount))))
}

/// A checkout is open, or it ended without an order. What came of one that succeeded is told by its order.
fn checkout(event: &Recorded<'_>, data: &Object<'_>, discounts: bool) -> Result<Interpretation, Malformed> {
    let id = data.need_id("id")?;
    let total = data.integer("total_amount")?.zip(short(data, "currency"));
    let total = total.map(|(minor, code)| money(minor, &code)).transpose()?;
    let (state, words) = match data.need_text("status")?.as_ref() {
        "expired" => (State::Expired, "checkout expired"),
        "failed" => (State::Failed, "checkout failed"),
        "succeeded" => (State::Pending, "checkout completed; its order reports the money"),
        "confirmed" => (State::Pending, "checkout confirmed by the customer"),
        _ => (State::Pending, "checkout open"),
    };
    let mut stated = with_money(fact(event, Aspect::Checkout, &id, state), total);
    let is_explained = discounts || data.integer("discount_amount")?.unwrap_or(0) == 0;
    if let Some(asked) = data.integer("amount")?.filter(|_| total.is_some() && is_explained) {
        stated = stated.with_face(asked);
    }
    stated.occurred_at = since(event, state == State::Pending, time(data, "modified_at"));
    Ok(Interpretation {
        references: named("checkout", data),
        facts: vec![stated],
        summary: sentence(words, total),
        customer: short(data, "customer_email"),
        ..Interpretation::default()
    })
}

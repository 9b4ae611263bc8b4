//! Reads the facts of a Lemon Squeezy event: of orders (<https://docs.lemonsqueezy.com/api/orders/the-order-object>)
//! and of the invoices of subscriptions
//! (<https://docs.lemonsqueezy.com/api/subscription-invoices/the-subscription-invoice-object>).
//!
//! Amounts are integers, by its documentation in cents; its package for Laravel shows them with the decimals of ISO 4217
//! (<https://github.com/lmsqueezy/laravel>), and so they are read. What was refunded is a running total.

use super::resource::{Resource, first_invoice_ref, invoice_ref, order_ref};
use super::subscription::{self, TOKEN};
use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Decimal, Money};
use crate::domain::payer::Payer;
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{id_text, sentence};

/// Reads the event's facts. `discounts` says whether one explains a lower price. Pure, and never panics, whatever the
/// bytes.
pub(super) fn interpret(event: &Recorded<'_>, owner_key: &str, discounts: bool) -> Result<Interpretation, Malformed> {
    let kind = event.kind;
    if kind.starts_with("order_") || kind == "order.answered" {
        order(&Resource::read(event)?, discounts)
    } else if kind.starts_with("subscription_payment_") || kind == "invoice.answered" {
        invoice(&Resource::read(event)?, discounts)
    } else if kind.starts_with("subscription_") || kind == "subscription.answered" {
        subscription::read(&Resource::read(event)?, owner_key)
    } else {
        let summary = "nothing about a payment: kept for handlers".to_owned();
        Ok(Interpretation { summary, ..Interpretation::default() })
    }
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let Ok(resource) = Resource::read(event) else { return References::default() };
    if event.kind.starts_with("order") {
        named_order(&resource)
    } else if event.kind.starts_with("subscription_payment_") || event.kind.starts_with("invoice") {
        named_invoice(&resource)
    } else if event.kind.starts_with("subscription") {
        subscription::named(&resource)
    } else {
        References::default()
    }
}

fn named_order(order: &Resource<'_>) -> References {
    let refs = [Some(order_ref(&order.id)), short(&order.of, "identifier")];
    // The first payment of a subscription bears the token of that.
    let tokens = distinct([order.custom("payment_token"), order.custom(TOKEN)]);
    References { tokens, gateway_refs: distinct(refs) }
}

/// The first invoice bears the custom data of its order, and is known by the subscription, whose events name the order.
fn named_invoice(invoice: &Resource<'_>) -> References {
    if !is_initial(invoice) {
        return References { tokens: Vec::new(), gateway_refs: vec![invoice_ref(&invoice.id).into()] };
    }
    let first = id_text(&invoice.of, "subscription_id").map(|subscription| first_invoice_ref(&subscription));
    let refs = distinct([Some(invoice_ref(&invoice.id)), first]);
    References { tokens: named_order(invoice).tokens, gateway_refs: refs }
}

/// The first invoice of a subscription is paid by its order: both tell of the same money.
fn is_initial(invoice: &Resource<'_>) -> bool {
    short(&invoice.of, "billing_reason").as_deref() == Some("initial")
}

/// An order is paid as a whole, and may be refunded since.
fn order(order: &Resource<'_>, discounts: bool) -> Result<Interpretation, Malformed> {
    let id = order_ref(&order.id);
    let total = order.amount("total")?;
    let status = order.of.need_text("status")?;
    let mut facts = money_facts(order, &id, (status.as_ref(), total), discounts)?;
    let words = match status.as_ref() {
        "paid" => "order paid",
        "refunded" => "order refunded",
        "partial_refund" => "order refunded in part",
        "fraudulent" => {
            facts.push(concern(order, "Lemon Squeezy marked the order as fraudulent", total));
            "order marked as fraudulent"
        }
        "failed" => "order failed",
        "pending" => "order pending",
        _ => "order with an unknown status, treated as pending",
    };
    Ok(Interpretation {
        references: named_order(order),
        facts,
        summary: summary(order, words, total)?,
        customer: short(&order.of, "user_email"),
        payer: Payer { name: short(&order.of, "user_name"), ..Payer::default() },
        ..Interpretation::default()
    })
}

/// Something that a person should review, about the whole amount. Every event that shows the object repeats it.
fn concern(of: &Resource<'_>, reason: &str, total: Money) -> Fact {
    of.fact(Aspect::Concern, reason, State::Raised, total)
}

/// Why a payment is to be reviewed whose amount may be counted in another unit than it is read in.
const OTHER_AMOUNT: &str = "Lemon Squeezy shows the customer another amount than its number is in this currency";

/// Whether the amount that Lemon Squeezy shows people is another one, in a currency in which the unit of its numbers is in
/// doubt: one without decimals, or with three. What can't be read says nothing.
fn shows_another(of: &Resource<'_>, total: Money) -> bool {
    let shown = short(&of.of, "total_formatted");
    total.currency.exponent() != 2 && shown.is_some_and(|text| may_mean(&text, total) == Some(false))
}

/// Whether people may read a text as this amount; `None` where nobody can read it. What follows its last point or comma is
/// a group of three digits, or decimals: as many as the currency has, or two.
fn may_mean(text: &str, amount: Money) -> Option<bool> {
    let is_digit = |char: char| char.is_ascii_digit();
    let number = &text[text.find(is_digit)?..=text.rfind(is_digit)?];
    let is_it = |whole: &str, decimals: &str| {
        let whole = whole.replace([',', '.', '\'', '\u{2019}', ' ', '\u{a0}', '\u{202f}'], "");
        let shown = Decimal::parse(&format!("{whole}.{decimals}")).ok()?;
        Some(shown.exact(amount.currency) == Some(amount.minor))
    };
    let exponent = usize::try_from(amount.currency.exponent()).ok()?;
    match number.rsplit_once([',', '.']) {
        None => is_it(number, ""),
        Some((whole, last)) if last.len() == 3 && exponent == 3 => Some(is_it(number, "")? || is_it(whole, last)?),
        Some((_, last)) if last.len() == 3 => is_it(number, ""),
        Some((whole, last)) if last.len() == exponent || last.len() == 2 => is_it(whole, last),
        Some(_) => None,
    }
}

/// An invoice of a subscription is a payment of its own, except for the first one, which is that of its order.
fn invoice(invoice: &Resource<'_>, discounts: bool) -> Result<Interpretation, Malformed> {
    let total = invoice.amount("total")?;
    let status = invoice.of.need_text("status")?;
    let has_failed = invoice.event.kind == "subscription_payment_failed";
    let words = match status.as_ref() {
        "paid" => "invoice paid",
        "refunded" => "invoice refunded",
        "partial_refund" => "invoice refunded in part",
        "void" => "invoice voided",
        _ if has_failed => "an attempt to pay the invoice failed",
        _ => "invoice open",
    };
    let id = invoice_ref(&invoice.id);
    let mut facts = if is_initial(invoice) {
        initial_facts(invoice, &id, (status.as_ref(), total))?
    } else {
        money_facts(invoice, &id, (status.as_ref(), total), discounts)?
    };
    if has_failed && status == "pending" && !is_initial(invoice) {
        facts.push(invoice.fact(Aspect::Authorization, &id, State::Failed, total));
    }
    Ok(Interpretation {
        payer: Payer { name: short(&invoice.of, "user_name"), ..Payer::default() },
        is_link: false,
        object_to_fetch: None,
        account: None,
        references: named_invoice(invoice),
        facts,
        summary: summary(invoice, words, total)?,
        customer: short(&invoice.of, "user_email"),
        awaits_completion: None,
        subscription: subscription::of_invoice(invoice, total),
    })
}

/// The money of the first invoice, seen from the invoice. A running total and a single refund are other views of what
/// the order states, so that the two are counted once, and each counts where the other was lost.
fn initial_facts(of: &Resource<'_>, id: &str, (status, total): (&str, Money)) -> Result<Vec<Fact>, Malformed> {
    let mut facts = Vec::new();
    if matches!(status, "paid" | "refunded" | "partial_refund") && total.minor > 0 {
        facts.push(of.fact(Aspect::CaptureTotal, id, State::Succeeded, total));
        let refunded = of.of.integer("refunded_amount")?.unwrap_or(0);
        if refunded > 0 {
            let refunded = Money::new(refunded, total.currency);
            facts.push(Fact { face: None, ..of.fact(Aspect::Refund, id, State::Succeeded, refunded) });
        }
    }
    Ok(facts)
}

fn money_facts(
    of: &Resource<'_>,
    id: &str,
    (status, total): (&str, Money),
    discounts: bool,
) -> Result<Vec<Fact>, Malformed> {
    let moved = matches!(status, "paid" | "refunded" | "partial_refund");
    let state = match status {
        _ if moved && total.minor == 0 => State::Free,
        _ if moved => State::Succeeded,
        "failed" => State::Failed,
        "void" => State::Canceled,
        _ => State::Pending,
    };
    let mut checkout = of.fact(Aspect::Checkout, id, state, total);
    // A trial costs nothing either, but pays for nothing: only a discount explains it.
    let price = of.of.integer("subtotal")?.unwrap_or(0);
    let discount = of.of.integer("discount_total")?.unwrap_or(0);
    let is_covered = price > 0 && discount >= price;
    let is_explained = (discounts || discount == 0) && (state != State::Free || is_covered);
    if let Some(face) = stated_price(&of.of).filter(|_| is_explained) {
        checkout = checkout.with_face(face);
    }
    let mut facts = vec![checkout];
    if state == State::Succeeded {
        facts.push(of.fact(Aspect::Capture, id, State::Succeeded, total));
        facts.extend(shows_another(of, total).then(|| concern(of, OTHER_AMOUNT, total)));
        // Nothing, too: a refund that failed is taken off again.
        if let Some(refunded) = of.of.integer("refunded_amount")? {
            let refunded = Money::new(refunded, total.currency);
            facts.push(Fact { face: None, ..of.fact(Aspect::RefundTotal, id, State::Succeeded, refunded) });
        }
    }
    Ok(facts)
}

/// The price that was asked for, before a discount and tax.
fn stated_price(order: &Object<'_>) -> Option<i64> {
    let item = order.object("first_order_item", "an item").ok().flatten();
    let price = item.and_then(|item| {
        item.integer("price").ok()??.checked_mul(item.integer("quantity").ok().flatten().unwrap_or(1))
    });
    price.or_else(|| order.integer("subtotal").ok().flatten()).filter(|price| *price > 0)
}

fn summary(of: &Resource<'_>, words: &str, total: Money) -> Result<String, Malformed> {
    let refunded = of.of.integer("refunded_amount")?.unwrap_or(0);
    let refunded = match refunded {
        0 => String::new(),
        minor => format!(", {} of it refunded", Money::new(minor, total.currency)),
    };
    Ok(sentence(words, Some(total)) + &refunded)
}

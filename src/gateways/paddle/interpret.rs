//! Reads the facts of a Paddle event: of transactions
//! (<https://developer.paddle.com/api-reference/transactions/overview>), and of what follows them.
//!
//! Amounts are minor units as text, in ISO 4217's decimals. A transaction is a checkout and a capture in one: it is
//! paid as a whole, and `paid` and `completed` say the same of the money.

use super::{adjustment, subscription};
use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, State};
use crate::domain::money::Money;
use crate::domain::payer::Payer;
use crate::gateways::json::{Object, short};
use crate::gateways::reading::{because, fact, money, nested, number_text, sentence, since, time, whole, with_money};

/// Reads the event's facts. `discounts` says whether one explains a lower price in every checkout. Pure, and never
/// panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>, owner_key: &str, discounts: bool) -> Result<Interpretation, Malformed> {
    let (family, verb) = event.kind.split_once('.').unwrap_or_default();
    let what = match family {
        "transaction" => "a transaction",
        "adjustment" => "an adjustment",
        "subscription" => "a subscription",
        _ => return Ok(nothing("nothing about a payment: kept for handlers")),
    };
    if verb.is_empty() || verb.contains('.') {
        return Ok(nothing("an event of another kind: kept for handlers"));
    }
    let whole = whole(event)?;
    let data = whole.need_object("data", what)?;
    match family {
        "transaction" => transaction(event, verb, &data, discounts),
        "adjustment" => {
            let (facts, summary) = adjustment::read(event, &data)?;
            Ok(Interpretation { references: named(&data), facts, summary, ..Interpretation::default() })
        }
        _ => subscription::read(event, verb, &data, owner_key),
    }
}

fn nothing(summary: &str) -> Interpretation {
    Interpretation { summary: summary.to_owned(), ..Interpretation::default() }
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let read = || Some(named(&whole(event).ok()?.object("data", "the event's data").ok()??));
    read().unwrap_or_default()
}

/// A subscription passes its `custom_data` on to the transactions of its renewals, which are payments of their own:
/// only in what a customer or the host began it is this payment's.
fn named(data: &Object<'_>) -> References {
    let origin = short(data, "origin").unwrap_or_default();
    let token = nested(data, "custom_data", "payment_token").filter(|_| !origin.starts_with("subscription_"));
    let ids = ["transaction_id", "id"].map(|name| short(data, name));
    let is_of_payment = |id: &String| id.starts_with("txn_") || id.starts_with("adj_");
    References { tokens: distinct([token]), gateway_refs: distinct(ids.into_iter().map(|id| id.filter(is_of_payment))) }
}

/// What a transaction's status says of it, and of its newest payment.
fn stands(status: &str, newest: &str, total: Option<Money>) -> (State, &'static str) {
    match status {
        "paid" | "completed" if total.is_some_and(|total| total.minor == 0) => {
            (State::Free, "completed, nothing was to be paid")
        }
        "paid" => (State::Succeeded, "paid"),
        "completed" => (State::Succeeded, "completed"),
        "canceled" => (State::Canceled, "canceled"),
        "past_due" => (State::Pending, "past due"),
        _ if newest == "action_required" => (State::ActionRequired, "waits for the customer"),
        "billed" => (State::Pending, "billed, to be paid"),
        "draft" | "ready" => (State::Pending, "open"),
        _ => (State::Pending, "with an unknown status, treated as open"),
    }
}

fn transaction(
    event: &Recorded<'_>,
    verb: &str,
    data: &Object<'_>,
    discounts: bool,
) -> Result<Interpretation, Malformed> {
    let id = data.need_id("id")?;
    let status = data.need_text("status")?;
    let total = total(data)?;
    let payments = data.objects("payments", "a payment of a transaction")?;
    let newest = payments.first().and_then(|payment| short(payment, "status")).unwrap_or_default();
    let (state, words) = stands(&status, &newest, total);
    let is_undecided = matches!(state, State::Pending | State::ActionRequired);
    let mut checkout = with_money(fact(event, Aspect::Checkout, &id, state), total);
    checkout.occurred_at = since(event, is_undecided, time(data, "updated_at"));
    // A trial costs nothing either, but pays for nothing.
    let is_explained = discounts || !is_discounted_in_browser(data)?;
    let has_face = is_explained && (state != State::Free || is_covered(data)?);
    if let Some(face) = total.filter(|_| has_face).and_then(|total| stated_price(data, total)) {
        checkout = checkout.with_face(face.minor);
    }
    let mut facts = vec![checkout];
    if state == State::Succeeded {
        if total.is_none() {
            return Err(Malformed("expected `grand_total` of a paid transaction, got nothing".to_owned()));
        }
        let capture = with_money(fact(event, Aspect::Capture, &id, State::Succeeded), total);
        // Nothing else depends on the fee, so one that can't be read is left out.
        let fee = totals(data, ["fee"]).ok().zip(total).filter(|([fee], _)| *fee > 0);
        let fee = fee.map(|([fee], total)| capture.fee(fee, total.currency));
        facts.extend([Some(capture), fee].into_iter().flatten());
    }
    let mut summary = sentence(format_args!("transaction {words}"), total);
    let has_failed = newest == "error" && is_undecided;
    if verb == "payment_failed" || has_failed {
        let mut failed = with_money(fact(event, Aspect::Authorization, &id, State::Failed), total);
        failed.occurred_at = since(event, is_undecided, time(data, "updated_at"));
        facts.push(failed);
        let code = payments.first().and_then(|payment| short(payment, "error_code"));
        summary = sentence(format_args!("a payment attempt failed{}", because(code)), total);
    }
    Ok(Interpretation {
        is_link: false,
        object_to_fetch: None,
        account: None,
        references: named(data),
        facts,
        summary,
        customer: nested(data, "customer", "email"),
        payer: payments.first().map(|payment| payer(data, payment)).unwrap_or_default(),
        awaits_completion: None,
        subscription: subscription::of_transaction(event, data, total, &payments),
    })
}

/// Who paid, with which card (<https://developer.paddle.com/api-reference/transactions/overview>).
fn payer(data: &Object<'_>, payment: &Object<'_>) -> Payer {
    let method = payment.object("method_details", "the method").ok().flatten();
    let card = method.and_then(|method| method.object("card", "a card").ok().flatten());
    let told = |name: &str| card.as_ref().and_then(|card| short(card, name));
    Payer {
        name: nested(data, "customer", "name").or_else(|| told("cardholder_name")),
        gateway_ref: data.link("customer_id").map(Into::into),
        card_brand: told("type"),
        card_last_four: told("last4"),
        decline: None,
    }
}

/// What the customer pays: the total with tax, less what a credit of theirs covers.
fn total(data: &Object<'_>) -> Result<Option<Money>, Malformed> {
    let Some(details) = data.object("details", "a transaction's details")? else { return Ok(None) };
    let Some(totals) = details.object("totals", "a transaction's totals")? else { return Ok(None) };
    let Some(minor) = number_text(&totals, "grand_total")? else { return Ok(None) };
    money(minor, &data.need_text("currency_code")?).map(Some)
}

/// Whether discount and credit explain why nothing was to be paid.
fn is_covered(data: &Object<'_>) -> Result<bool, Malformed> {
    let [price, tax, discount, credit] = totals(data, ["subtotal", "tax", "discount", "credit"])?;
    Ok(price > 0 && discount.saturating_add(credit) >= price.saturating_add(tax))
}

/// Whether a checkout that the browser opened has a discount: who opened it chose that, and the items.
fn is_discounted_in_browser(data: &Object<'_>) -> Result<bool, Malformed> {
    let [discount] = totals(data, ["discount"])?;
    Ok(discount != 0 && short(data, "origin").as_deref() == Some("web"))
}

/// These of a transaction's totals, in minor units; zero for those that it does not state.
fn totals<const N: usize>(data: &Object<'_>, names: [&str; N]) -> Result<[i64; N], Malformed> {
    let details = data.object("details", "a transaction's details")?;
    let totals = details.map(|of| of.object("totals", "a transaction's totals")).transpose()?.flatten();
    let mut read = [0; N];
    if let Some(totals) = totals {
        for (name, place) in names.into_iter().zip(&mut read) {
            *place = number_text(&totals, name)?.unwrap_or(0);
        }
    }
    Ok(read)
}

/// The price that was asked for, before discount and tax: that of all items, as far as they are in the currency.
fn stated_price(data: &Object<'_>, total: Money) -> Option<Money> {
    let items = data.objects("items", "an item").ok()?;
    let price = |item: &Object<'_>| {
        let price = item.object("price", "a price").ok()??;
        let unit = price.object("unit_price", "a price").ok()??;
        let is_same = short(&unit, "currency_code").as_deref() == Some(total.currency.as_str());
        let amount = number_text(&unit, "amount").ok()?.filter(|_| is_same)?;
        amount.checked_mul(item.integer("quantity").ok()?.unwrap_or(1))
    };
    let sum = items.iter().try_fold(0_i64, |sum, item| sum.checked_add(price(item)?));
    sum.filter(|sum| *sum > 0).map(|sum| Money::new(sum, total.currency))
}

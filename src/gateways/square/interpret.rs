//! Reads the facts of a Square event: of payments (<https://developer.squareup.com/reference/square/objects/Payment>),
//! refunds and disputes. Every event about an object shows it whole, with the time of its last change.
//!
//! Amounts are integers in the currency's smallest unit by ISO 4217.

use std::borrow::Cow;

use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct, storable};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::later;
use crate::domain::money::Money;
use crate::domain::payer::Payer;
use crate::gateways::json::{Object, elements, short, text};
use crate::gateways::reading::{because, fact, is_token, money, nested, sentence, time, whole, with_money};

/// Reads the event's facts. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    let (family, verb) = event.kind.split_once('.').unwrap_or_default();
    let name = match (family, verb) {
        ("payment", "created" | "updated" | "answered") => "payment",
        ("refund", "created" | "updated" | "answered") => "refund",
        // `dispute.state.changed` is what it was called before.
        ("dispute", "created" | "state.updated" | "state.changed" | "answered") => "dispute",
        _ => {
            let summary = "nothing about a payment: kept for handlers".to_owned();
            return Ok(Interpretation { summary, ..Interpretation::default() });
        }
    };
    let whole = whole(event)?;
    let data = whole.need_object("data", "an event's data")?;
    let object = data.need_object("object", "an event's object")?.need_object(name, "the object of an event")?;
    let (facts, summary) = match name {
        "payment" => payment(event, &object)?,
        "refund" => refund(event, &object)?,
        _ => dispute(event, &object)?,
    };
    let customer = short(&object, "buyer_email_address").filter(|_| name == "payment");
    let payer = if name == "payment" { payer(&object) } else { Payer::default() };
    Ok(Interpretation {
        references: named(name, &object),
        facts,
        summary,
        customer,
        payer,
        ..Interpretation::default()
    })
}

/// Who paid, with which card (<https://developer.squareup.com/reference/square/objects/CardPaymentDetails>).
fn payer(payment: &Object<'_>) -> Payer {
    let details = payment.object("card_details", "card details").ok().flatten();
    let card = details.as_ref().and_then(|details| details.object("card", "a card").ok().flatten());
    let told = |name: &str| card.as_ref().and_then(|card| short(card, name));
    let errors = details.and_then(|details| details.objects("errors", "an error").ok()).unwrap_or_default();
    Payer {
        name: told("cardholder_name"),
        gateway_ref: payment.link("customer_id").map(Into::into),
        card_brand: told("card_brand"),
        card_last_four: told("last_4"),
        decline: errors.first().and_then(|error| short(error, "detail")),
    }
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let read = || {
        let object = whole(event).ok()?.object("data", "data").ok()??.object("object", "an object").ok()??;
        ["payment", "refund", "dispute"].into_iter().find_map(|name| {
            let object = object.object(name, "the object of an event").ok()??;
            Some(named(name, &object))
        })
    };
    read().unwrap_or_default()
}

/// A refund has an order of its own, which is not the payment's.
fn named(name: &str, object: &Object<'_>) -> References {
    let (tokens, refs) = match name {
        "payment" => {
            // A note is anybody's free text, but for our own token.
            let note = short(object, "note").filter(|text| is_token(text));
            (vec![short(object, "reference_id"), note], ["id", "order_id"])
        }
        "refund" => (Vec::new(), ["payment_id", "id"]),
        _ => (Vec::new(), ["payment_id", ""]),
    };
    let disputed = nested(object, "disputed_payment", "payment_id");
    let refs = refs.map(|name| short(object, name)).into_iter().chain([disputed]);
    References { tokens: distinct(tokens), gateway_refs: distinct(refs) }
}

type Statement = (Vec<Fact>, String);

/// The amount in the field `name`.
fn amount(object: &Object<'_>, name: &str) -> Result<Option<Money>, Malformed> {
    let Some(amount) = object.object(name, "an amount")? else { return Ok(None) };
    money(amount.integer("amount")?.unwrap_or(0), &amount.need_text("currency")?).map(Some)
}

/// A fact as of the object's last change. Events come in no order, but their objects have a time, and a version that
/// tells apart what changed within one of its moments: a payment may be approved and fail at once.
fn as_of(event: &Recorded<'_>, object: &Object<'_>, aspect: Aspect, id: &str, state: State) -> Fact {
    let mut fact = fact(event, aspect, id, state);
    let version = object.integer("version").ok().flatten().unwrap_or(0).clamp(0, 999);
    let changed =
        time(object, "updated_at").map(|at| later(at, std::time::Duration::from_micros(version.unsigned_abs())));
    fact.occurred_at = changed.unwrap_or(event.occurred_at);
    fact
}

/// Why a payment is to be reviewed that a seller only recorded at Square.
const ELSEWHERE: &str = "Square records a payment in cash or by other means, and never held that money";

/// Whether somebody recorded a payment that Square did not take
/// (<https://developer.squareup.com/docs/payments-api/take-payments/cash-payments>).
fn is_elsewhere(payment: &Object<'_>) -> bool {
    short(payment, "source_type").is_some_and(|source| matches!(source.as_str(), "CASH" | "EXTERNAL"))
}

/// What a payment's status says of it.
fn stands(status: &str) -> (Aspect, State, &'static str) {
    match status {
        "COMPLETED" => (Aspect::Capture, State::Succeeded, "payment completed"),
        "APPROVED" => (Aspect::Authorization, State::Authorized, "payment approved, to be completed"),
        "CANCELED" => (Aspect::Authorization, State::Canceled, "payment canceled"),
        "FAILED" => (Aspect::Authorization, State::Failed, "payment failed"),
        "PENDING" => (Aspect::Authorization, State::Pending, "payment pending"),
        _ => (Aspect::Authorization, State::Pending, "payment with an unknown status, treated as pending"),
    }
}

/// A payment is approved and completed, mostly in one step.
fn payment(event: &Recorded<'_>, object: &Object<'_>) -> Result<Statement, Malformed> {
    let id = object.need_id("id")?;
    let asked = amount(object, "amount_money")?;
    let total = amount(object, "total_money")?.or(asked);
    let (aspect, state, words) = stands(&object.need_text("status")?);
    if aspect == Aspect::Capture && is_elsewhere(object) {
        return Ok(elsewhere(event, object, total));
    }
    let mut stated = with_money(as_of(event, object, aspect, &id, state), total);
    // A tip comes on top of what was asked for.
    if let (Some(asked), Some(total)) = (asked, total)
        && asked != total
    {
        stated = stated.with_face(asked.minor.max(total.minor));
    }
    let mut facts = vec![stated.with_parent(short(object, "order_id"))];
    let mut words = words.to_owned();
    if aspect == Aspect::Capture {
        facts.extend(fee(object, &facts[0]));
        facts.extend(tipped(event, object, &id, asked, total));
        let ids = refund_ids(object);
        if let Some(refunded) = refunded(object, total, ids.as_deref()) {
            let stated = as_of(event, object, Aspect::RefundTotal, &id, State::Open)
                .including(ids.filter(|ids| !ids.is_empty() || refunded.minor == 0));
            facts.push(Fact { face: None, ..with_money(stated, Some(refunded)) });
            words += &if refunded.minor > 0 { format!(", {refunded} refunded so far") } else { String::new() };
        }
    }
    let errors = object.object("card_details", "card details")?;
    let errors = errors.map(|details| details.objects("errors", "an error")).transpose()?.unwrap_or_default();
    let code = errors.first().and_then(|error| short(error, "code")).filter(|_| state == State::Failed);
    Ok((facts, sentence(format_args!("{words}{}", because(code)), total)))
}

/// A sale at the till. One that names no payment of the host's is none of its payments.
fn elsewhere(event: &Recorded<'_>, object: &Object<'_>, total: Option<Money>) -> Statement {
    let is_of_host = named("payment", object).tokens.iter().any(|token| is_token(token));
    let concern = || with_money(as_of(event, object, Aspect::Concern, ELSEWHERE, State::Raised), total);
    let concern = is_of_host.then(concern);
    let words = "payment recorded as taken in cash or elsewhere, and not by Square";
    (concern.into_iter().collect(), sentence(words, total))
}

/// The checkout that explains why more came than was asked for.
fn tipped(
    event: &Recorded<'_>,
    object: &Object<'_>,
    id: &str,
    asked: Option<Money>,
    total: Option<Money>,
) -> Option<Fact> {
    let (asked, total) = asked.zip(total).filter(|(asked, total)| asked.minor < total.minor)?;
    let order = short(object, "order_id").unwrap_or_else(|| id.to_owned());
    let checkout = as_of(event, object, Aspect::Checkout, &order, State::Succeeded);
    Some(with_money(checkout, Some(total)).with_face(asked.minor))
}

/// What was refunded of a payment so far, where it says anything of refunds. Each refund has events of its own, and Square
/// does not say how their times go with those of the payment, nor whether a refund counts here while it is pending. The
/// payment does not depend on it, so what can't be read is left out.
fn refunded(payment: &Object<'_>, total: Option<Money>, ids: Option<&[String]>) -> Option<Money> {
    match amount(payment, "refunded_money").ok()? {
        // Left out where it is nothing.
        None if ids.is_some_and(|ids| !ids.is_empty()) => total.map(|total| Money::new(0, total.currency)),
        refunded => refunded,
    }
}

/// The refunds of a payment, whatever became of them; `None` where it does not say.
fn refund_ids(payment: &Object<'_>) -> Option<Vec<String>> {
    let id = |raw: &str| text(raw).filter(|id| storable(id)).map(Cow::into_owned);
    elements(payment.raw("refund_ids")?)?.into_iter().map(id).collect()
}

/// What Square keeps of a completed payment, or gives back with a completed refund: then it is negative. It is told some
/// time after the completion, and may be adjusted; nothing else depends on it, so what can't be read is left out.
fn fee(object: &Object<'_>, moved: &Fact) -> Option<Fact> {
    let told = object.objects("processing_fee", "a fee").ok().filter(|_| moved.state == State::Succeeded)?;
    let parts: Vec<Money> = told.iter().map(|fee| amount(fee, "amount_money").ok()?).collect::<Option<_>>()?;
    let currency = parts.first()?.currency;
    let minor =
        parts.iter().filter(|part| part.currency == currency).fold(0_i64, |sum, part| sum.saturating_add(part.minor));
    let taken = told.iter().filter_map(|fee| time(fee, "effective_at")).min();
    Some(moved.fee(minor, currency).with_since(taken))
}

fn refund(event: &Recorded<'_>, object: &Object<'_>) -> Result<Statement, Malformed> {
    let id = object.need_id("id")?;
    let amount = amount(object, "amount_money")?;
    let status = short(object, "status");
    let (state, words) = match status.as_deref() {
        Some("COMPLETED") => (State::Succeeded, "refund completed"),
        Some("REJECTED") => (State::Failed, "refund rejected by Square, the money stays"),
        Some("FAILED") => (State::Failed, "refund failed, the money stays"),
        _ => (State::Pending, "refund pending"),
    };
    let stated = with_money(as_of(event, object, Aspect::Refund, &id, state), amount)
        .with_parent(short(object, "payment_id"))
        .with_since(time(object, "created_at"));
    let fee = fee(object, &stated);
    Ok((std::iter::once(stated).chain(fee).collect(), sentence(words, amount)))
}

/// A dispute in one of Square's states (<https://developer.squareup.com/reference/square/enums/DisputeState>).
fn dispute(event: &Recorded<'_>, object: &Object<'_>) -> Result<Statement, Malformed> {
    let id = match object.text("id")? {
        Some(_) => object.need_id("id")?,
        None => object.need_id("dispute_id")?,
    };
    let amount = amount(object, "amount_money")?;
    let word = object.need_text("state")?;
    let (state, words) = match word.as_ref() {
        "INQUIRY_EVIDENCE_REQUIRED" => (State::Inquiry, "is an inquiry so far, and needs a response"),
        "INQUIRY_PROCESSING" => (State::Inquiry, "is an inquiry so far, under review"),
        "INQUIRY_CLOSED" => (State::Closed, "ended as an inquiry"),
        "EVIDENCE_REQUIRED" => (State::Open, "needs a response"),
        "PROCESSING" => (State::Open, "is under review"),
        "WON" => (State::Won, "was won"),
        "LOST" => (State::Lost, "was lost"),
        "ACCEPTED" => (State::Lost, "was accepted, and so lost"),
        _ => (State::Open, "is open, in an unknown state"),
    };
    let payment = nested(object, "disputed_payment", "payment_id").or_else(|| short(object, "payment_id"));
    let reason = short(object, "reason");
    let stated = with_money(as_of(event, object, Aspect::Dispute, &id, state), amount)
        .with_reason(reason.clone())
        .with_parent(payment)
        .with_since(time(object, "created_at"))
        .with_until(time(object, "due_at"));
    let why = because(reason);
    Ok((vec![stated], sentence(format_args!("dispute{why} {words}"), amount)))
}

//! Reads Mollie's payments (<https://docs.mollie.com/reference/get-payment>), with the refunds and chargebacks that
//! they contain, and single refunds (<https://docs.mollie.com/reference/get-refund>). Each shows its whole state, so
//! the facts bear the times of Mollie's own fields wherever there is one.

use super::money;
use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::domain::payer::Payer;
use crate::domain::{Timestamp, parse_rfc3339};
use crate::gateways::json::{Object, short};

/// The kinds of the events that answers are.
pub(super) const PAYMENT: &str = "payment.answered";
pub(super) const REFUND: &str = "refund.answered";

/// Where our token is in the metadata of Mollie's objects.
pub(super) const TOKEN: &str = "payment_token";

/// Reads the event's facts. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    if event.kind != PAYMENT && event.kind != REFUND {
        let summary = "no kind of event that Mollie's objects make: kept for handlers".to_owned();
        return Ok(Interpretation { summary, ..Interpretation::default() });
    }
    let object = whole(event)?;
    let (facts, summary) = if event.kind == PAYMENT { payment(event, &object)? } else { lone_refund(event, &object)? };
    let address = object.object("billingAddress", "an address").ok().flatten();
    Ok(Interpretation {
        references: named(event.kind, &object),
        facts,
        summary,
        customer: address.as_ref().and_then(|address| short(address, "email")),
        payer: payer(&object, address.as_ref()),
        ..Interpretation::default()
    })
}

/// Who paid, as far as the payment's details and the address say
/// (<https://docs.mollie.com/reference/get-payment>).
fn payer(object: &Object<'_>, address: Option<&Object<'_>>) -> Payer {
    let details = object.object("details", "the details").ok().flatten();
    let told = |name: &str| details.as_ref().and_then(|details| short(details, name));
    let named = || {
        let address = address?;
        let names = [short(address, "givenName"), short(address, "familyName")];
        Some(names.into_iter().flatten().collect::<Vec<_>>().join(" ")).filter(|name| !name.is_empty())
    };
    Payer {
        name: told("cardHolder").or_else(|| told("consumerName")).or_else(named),
        gateway_ref: object.link("customerId").map(Into::into),
        card_brand: told("cardLabel"),
        card_last_four: told("cardNumber"),
        decline: told("failureMessage").or_else(|| told("failureReason")),
    }
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    whole(event).map(|object| named(event.kind, &object)).unwrap_or_default()
}

fn whole<'a>(event: &Recorded<'a>) -> Result<Object<'a>, Malformed> {
    let text = std::str::from_utf8(event.body);
    let text = text.map_err(|at| Malformed(format!("expected UTF-8, got other bytes after {}", at.valid_up_to())))?;
    Object::read(text, "an object of Mollie's")
}

fn named(kind: &str, object: &Object<'_>) -> References {
    let metadata = object.object("metadata", "the metadata").ok().flatten();
    let refunds = embedded(object, "refunds").unwrap_or_default();
    let refunds = refunds.iter().map(|refund| refund.link("id"));
    let payment = if kind == REFUND { object.link("paymentId") } else { None };
    References {
        tokens: distinct([metadata.and_then(|metadata| short(&metadata, TOKEN))]),
        gateway_refs: distinct([payment, object.link("id")].into_iter().chain(refunds)),
    }
}

/// The objects of one kind that an answer contains.
fn embedded<'a>(object: &Object<'a>, name: &str) -> Result<Vec<Object<'a>>, Malformed> {
    match object.object("_embedded", "what it contains")? {
        Some(within) if within.raw(name).is_some() => within.objects(name, "an object within it"),
        _ => Ok(Vec::new()),
    }
}

/// What Mollie's `total` has beyond the objects that it lists as `list`, whatever became of them: then the list is not
/// whole.
pub(super) fn unlisted(object: &Object<'_>, total: &str, list: &str) -> Result<Option<Money>, Malformed> {
    let Some(total) = money::read(object, total)? else { return Ok(None) };
    let mut rest = total.minor;
    for one in embedded(object, list)? {
        let amount = money::need(&one, "amount")?;
        if amount.currency == total.currency {
            rest = rest.saturating_sub(amount.minor);
        }
    }
    Ok((rest > 0).then(|| Money::new(rest, total.currency)))
}

type Statement = (Vec<Fact>, String);

fn payment(event: &Recorded<'_>, object: &Object<'_>) -> Result<Statement, Malformed> {
    let id = object.need_id("id")?;
    let amount = money::need(object, "amount")?;
    let status = object.need_text("status")?;
    let at = |name: &str| time(object, name).unwrap_or(event.occurred_at);
    let fact = |aspect, state, at: Timestamp| {
        Fact::new(aspect, &id, state, at, event.id).with_amount(amount.minor, amount.currency)
    };
    let mut facts = Vec::new();
    let words = match status.as_ref() {
        "open" => {
            facts.push(fact(Aspect::Checkout, State::Pending, at("createdAt")));
            "waits for the customer"
        }
        "pending" => {
            facts.push(fact(Aspect::Checkout, State::Pending, at("createdAt")));
            "is on its way"
        }
        "authorized" => {
            facts.push(fact(Aspect::Authorization, State::Authorized, at("authorizedAt")));
            "is authorized"
        }
        "paid" => {
            // Of an authorized payment, a part may have been captured so far.
            let moved = money::read(object, "amountCaptured")?.filter(|moved| moved.currency == amount.currency);
            let moved = moved.map_or(amount.minor, |moved| moved.minor.min(amount.minor));
            let taken = Fact::new(Aspect::Capture, &id, State::Succeeded, at("paidAt"), event.id);
            let taken = taken.with_amount(moved, amount.currency).with_face(amount.minor);
            let fee = fee(object, &taken);
            facts.extend([Some(taken), fee].into_iter().flatten());
            "is paid"
        }
        "failed" => ended(object, &mut facts, &fact, (State::Failed, at("failedAt"))),
        "canceled" => ended(object, &mut facts, &fact, (State::Canceled, at("canceledAt"))),
        "expired" => ended(object, &mut facts, &fact, (State::Expired, at("expiredAt"))),
        // Mollie may add one. Nothing is known to be decided.
        _ => {
            facts.push(fact(Aspect::Checkout, State::Pending, at("createdAt")));
            "has an unknown status, treated as open"
        }
    };
    let (returned, words_of_these) = returned(event, object, &id, amount)?;
    facts.extend(returned);
    Ok((facts, [vec![format!("payment {words}: {amount}")], words_of_these].concat().join("; ")))
}

/// What PayPal keeps of a payment that was made with it. Mollie's own fee stands in its invoices and balances alone. Nothing
/// else depends on it, so what can't be read is left out.
fn fee(object: &Object<'_>, taken: &Fact) -> Option<Fact> {
    let details = object.object("details", "the details").ok()??;
    let fee = money::read(&details, "paypalFee").ok()?.filter(|fee| fee.minor > 0)?;
    Some(taken.fee(fee.minor, fee.currency))
}

/// What went back of a payment, and what Mollie does not list of that.
fn returned(
    event: &Recorded<'_>,
    object: &Object<'_>,
    payment: &str,
    amount: Money,
) -> Result<(Vec<Fact>, Vec<String>), Malformed> {
    let (mut facts, mut summary, mut back) = (Vec::new(), Vec::new(), 0_i64);
    for refund in embedded(object, "refunds")? {
        let (refund, words) = self::refund(event, &refund, Some(payment))?;
        let has_arrived = refund.state == State::Succeeded && refund.currency == Some(amount.currency);
        back = back.saturating_add(refund.amount.filter(|_| has_arrived).unwrap_or(0));
        facts.push(refund);
        summary.push(words);
    }
    if let Some(rest) = unlisted(object, "amountRefunded", "refunds")?.filter(|rest| rest.currency == amount.currency) {
        // The least that is certain, as a total that is pending.
        let total = Fact::new(Aspect::RefundTotal, payment, State::Pending, event.occurred_at, event.id);
        let total = total.with_amount(back.saturating_add(rest.minor), rest.currency);
        facts.push(Fact { face: None, ..total });
        summary.push(format!("{rest} refunded that Mollie does not list"));
    }
    let chargebacks = embedded(object, "chargebacks")?;
    for chargeback in &chargebacks {
        let (chargeback, words) = self::chargeback(event, chargeback, payment)?;
        facts.push(chargeback);
        summary.push(words);
    }
    let concern = |state| Fact::new(Aspect::Concern, "chargebacks_not_listed", state, event.occurred_at, event.id);
    if let Some(rest) = unlisted(object, "amountChargedBack", "chargebacks")? {
        facts.push(concern(State::Raised));
        summary.push(format!("{rest} charged back that Mollie does not list"));
    } else if !chargebacks.is_empty() {
        // An earlier list may not have been whole, and this one is.
        facts.push(concern(State::Canceled));
    }
    Ok((facts, summary))
}

/// A payment that ended without money, with its authorization if it had one.
fn ended(
    object: &Object<'_>,
    facts: &mut Vec<Fact>,
    fact: &impl Fn(Aspect, State, Timestamp) -> Fact,
    (state, at): (State, Timestamp),
) -> &'static str {
    facts.push(fact(Aspect::Checkout, state, at));
    if object.raw("authorizedAt").is_some() {
        facts.push(fact(Aspect::Authorization, state, at));
    }
    match state {
        State::Canceled => "was canceled",
        State::Failed => "failed",
        _ => "expired",
    }
}

fn lone_refund(event: &Recorded<'_>, object: &Object<'_>) -> Result<Statement, Malformed> {
    let (fact, words) = refund(event, object, object.link("paymentId").as_deref())?;
    Ok((vec![fact], words))
}

/// A refund (statuses: <https://docs.mollie.com/docs/refunds>). Until it is refunded it may still fail.
fn refund(event: &Recorded<'_>, refund: &Object<'_>, payment: Option<&str>) -> Result<(Fact, String), Malformed> {
    let amount = money::need(refund, "amount")?;
    let made = time(refund, "createdAt");
    let (state, words) = match refund.need_text("status")?.as_ref() {
        "refunded" => (State::Succeeded, "arrived"),
        "failed" => (State::Failed, "failed, the money came back"),
        "canceled" => (State::Canceled, "was canceled"),
        _ => (State::Pending, "is on its way"),
    };
    let is_undecided = state == State::Pending;
    let at = made.filter(|_| is_undecided).unwrap_or(event.occurred_at);
    let fact = Fact::new(Aspect::Refund, refund.need_id("id")?, state, at, event.id);
    let fact = fact.with_amount(amount.minor, amount.currency).with_parent(payment).with_since(made);
    Ok((fact, format!("refund {words}: {amount}")))
}

/// A chargeback takes the money at once (<https://docs.mollie.com/docs/chargebacks>); reversed, it gives it back.
fn chargeback(event: &Recorded<'_>, object: &Object<'_>, payment: &str) -> Result<(Fact, String), Malformed> {
    let amount: Money = money::need(object, "amount")?;
    let made = time(object, "createdAt");
    let reversed = time(object, "reversedAt");
    let (state, words) = match reversed {
        Some(_) => (State::Won, "was reversed"),
        None => (State::Lost, "took the money back"),
    };
    let at = reversed.or(made).unwrap_or(event.occurred_at);
    let fact = Fact::new(Aspect::Dispute, object.need_id("id")?, state, at, event.id);
    // Without the time at which it was made: a refund that follows is money of its own, and not how it was settled.
    let fact = fact.with_amount(amount.minor, amount.currency).with_parent(Some(payment));
    Ok((fact, format!("chargeback {words}: {amount}")))
}

fn time(object: &Object<'_>, name: &str) -> Option<Timestamp> {
    object.text(name).ok().flatten().and_then(|text| parse_rfc3339(&text))
}

//! Reads what Mercado Pago answers: payments with their refunds
//! (<https://www.mercadopago.com.br/developers/en/reference/payments/_payments_id/get>), chargebacks
//! (<https://www.mercadopago.com.br/developers/en/reference/chargebacks/_chargebacks_id/get>), merchant orders
//! (<https://www.mercadopago.com.br/developers/en/reference/merchant_orders/_merchant_orders_id/get>) and preferences.
//! Each shows its whole state, so the facts bear the times of its own fields wherever there is one.

use super::money;
use super::verify::is_number;
use crate::domain::Timestamp;
use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::explain::spaced;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Currency, Money};
use crate::gateways::json::{Object, elements, short};
use crate::gateways::json_api::is_plain;
use crate::gateways::reading::{ANSWERED, because, id_text, nested, sentence, since, time, whole, with_money};

/// The kinds of the events that answers are.
pub(super) const PAYMENT: &str = "payment.answered";
pub(super) const REFUND: &str = "refund.answered";
pub(super) const CHARGEBACK: &str = "chargeback.answered";
pub(super) const MERCHANT_ORDER: &str = "merchant_order.answered";
pub(super) const PREFERENCE: &str = "preference.answered";
/// A preference that was ended on our request.
pub(super) const ENDED: &str = "ended_preference.answered";

/// The families of Mercado Pago's objects, each with numbers of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Payment,
    Refund,
    Chargeback,
    MerchantOrder,
    Preference,
}

impl Family {
    /// The word before its ids.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::MerchantOrder => "merchant_order",
            Self::Preference => "preference",
        }
    }
}

/// The id of an object as it is known here.
pub(super) fn reference(family: Family, id: &str) -> String {
    format!("{}_{id}", family.word())
}

/// Whether an event is an answer of Mercado Pago's to a call of ours. No notification has such a kind.
pub(super) fn is_answer(event: &Recorded<'_>) -> bool {
    event.kind.ends_with(ANSWERED)
}

/// An answer with what its facts share.
struct Answer<'a> {
    event: &'a Recorded<'a>,
    /// The object's own id as it is known here.
    id: String,
    object: Object<'a>,
}

/// Reads the facts of an answer. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    let Some(family) = family(event.kind) else {
        let summary = "no kind of event that Mercado Pago's objects make: kept for handlers".to_owned();
        return Ok(Interpretation { summary, ..Interpretation::default() });
    };
    let whole = whole(event)?;
    let object = whole.need_object("data", "an answer of Mercado Pago's")?;
    let id = own_id(family, &object).ok_or_else(|| Malformed("expected the `id` of an object, got none".to_owned()))?;
    let references = named(family, &object);
    let customer = nested(&object, "payer", "email").filter(|_| family == Family::Payment);
    let answer = Answer { event, id: reference(family, &id), object };
    let (facts, summary) = match family {
        Family::Payment => answer.payment()?,
        Family::Refund => {
            let code = whole.need_text("currency_id")?;
            let currency = Currency::parse(&code).map_err(|bad| Malformed(bad.to_string()))?;
            let (fact, words) = answer.refund(&answer.object, currency, payment_of(&answer.object))?;
            (vec![fact], words)
        }
        Family::Chargeback => answer.chargeback()?,
        Family::MerchantOrder => answer.merchant_order()?,
        Family::Preference => answer.preference(),
    };
    Ok(Interpretation { references, facts, summary, customer, ..Interpretation::default() })
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let read = || Some(named(family(event.kind)?, &whole(event).ok()?.object("data", "an answer").ok()??));
    read().unwrap_or_default()
}

fn family(kind: &str) -> Option<Family> {
    Some(match kind {
        PAYMENT => Family::Payment,
        REFUND => Family::Refund,
        CHARGEBACK => Family::Chargeback,
        MERCHANT_ORDER => Family::MerchantOrder,
        PREFERENCE | ENDED => Family::Preference,
        _ => return None,
    })
}

fn named(family: Family, object: &Object<'_>) -> References {
    let has_token = !matches!(family, Family::Refund | Family::Chargeback);
    let tokens = [short(object, "external_reference"), nested(object, "metadata", "payment_token")];
    let own = own_id(family, object).map(|id| reference(family, &id));
    let order = order_of(object).filter(|_| family == Family::Payment);
    let preference = preference_of(object);
    let payments = if family == Family::Chargeback { payments_of(object) } else { Vec::new() };
    let payment = payment_of(object).filter(|_| matches!(family, Family::Refund | Family::Chargeback));
    let refs = payments.into_iter().map(Some).chain([payment, own, order, preference]);
    References { tokens: if has_token { distinct(tokens) } else { Vec::new() }, gateway_refs: distinct(refs) }
}

/// The preference that a merchant order came of.
fn preference_of(order: &Object<'_>) -> Option<String> {
    short(order, "preference_id").filter(|id| is_preference(id)).map(|id| reference(Family::Preference, &id))
}

/// The payment that a refund or a chargeback is of.
fn payment_of(object: &Object<'_>) -> Option<String> {
    number(object, "payment_id").map(|id| reference(Family::Payment, &id))
}

/// The payments in the list of a chargeback.
fn payments_of(chargeback: &Object<'_>) -> Vec<String> {
    numbers(chargeback, "payments").into_iter().map(|id| reference(Family::Payment, &id)).collect()
}

/// The number in the field `name`, as a number or a text.
pub(super) fn number(object: &Object<'_>, name: &str) -> Option<String> {
    id_text(object, name).filter(|id| is_number(id))
}

/// The object's own id: of a preference a text, of all else a number.
fn own_id(family: Family, object: &Object<'_>) -> Option<String> {
    match family {
        Family::Preference => short(object, "id").filter(|id| is_preference(id)),
        _ => number(object, "id"),
    }
}

/// Whether a text is plainly the id of a preference, so that it may be part of an address.
pub(super) fn is_preference(id: &str) -> bool {
    is_plain(id) && id.len() <= 100
}

/// The numbers in a list: bare ones, in quotes, or each the id of an object.
pub(super) fn numbers(object: &Object<'_>, name: &str) -> Vec<String> {
    let elements = object.raw(name).and_then(elements).unwrap_or_default();
    let read = |raw: &str| {
        if raw.starts_with('{') {
            return number(&Object::read(raw, "an object of a list").ok()?, "id");
        }
        Some(raw.trim_matches('"').to_owned()).filter(|text| is_number(text))
    };
    elements.into_iter().filter_map(read).collect()
}

/// The merchant order that a payment is of.
fn order_of(payment: &Object<'_>) -> Option<String> {
    let order = payment.object("order", "an order").ok()??;
    let is_merchant_order = short(&order, "type").is_none_or(|kind| kind == "mercadopago");
    number(&order, "id").filter(|_| is_merchant_order).map(|id| reference(Family::MerchantOrder, &id))
}

type Statement = (Vec<Fact>, String);

impl Answer<'_> {
    fn fact(&self, aspect: Aspect, state: State, at: Timestamp, amount: Option<Money>) -> Fact {
        with_money(Fact::new(aspect, &self.id, state, at, self.event.id), amount)
    }

    /// The time in the field `name`; the answer's where there is none.
    fn at(&self, name: &str) -> Timestamp {
        time(&self.object, name).unwrap_or(self.event.occurred_at)
    }

    /// What Mercado Pago keeps of a payment, as far as the shop pays it. It does so when the payment is approved: its
    /// settlement report has the fee and the net amount in that day's row, and `money_release_date` only says from when the
    /// net amount can be withdrawn. Nothing else depends on it, so what can't be read is left out.
    fn fee(&self, moved: &Fact, changed: Timestamp, currency: Currency) -> Option<Fact> {
        let told = self.object.objects("fee_details", "a fee").ok()?;
        let of_shop = told.iter().filter(|fee| short(fee, "fee_payer").as_deref() == Some("collector"));
        let parts: Vec<Money> = of_shop.map(|fee| money::read(fee, "amount", currency).ok()?).collect::<Option<_>>()?;
        let minor = parts.iter().fold(0_i64, |sum, part| sum.saturating_add(part.minor));
        let fee = Fact { occurred_at: changed, ..moved.fee(minor, currency) };
        (minor > 0).then(|| fee.with_since(Some(moved.occurred_at)))
    }

    /// A payment is one attempt, with its refunds and what came of a claim or a chargeback.
    fn payment(&self) -> Result<Statement, Malformed> {
        let currency = money::currency(&self.object)?;
        let amount = money::need(&self.object, "transaction_amount", currency)?;
        let status = self.object.need_text("status")?;
        let detail = short(&self.object, "status_detail").unwrap_or_default();
        let changed = self.at("date_last_updated");
        let has_moved = matches!(status.as_ref(), "approved" | "refunded" | "charged_back" | "in_mediation");
        let (state, words) = match status.as_ref() {
            "approved" => (State::Succeeded, "payment approved"),
            "refunded" => (State::Succeeded, "payment refunded"),
            "charged_back" => (State::Succeeded, "payment charged back"),
            "in_mediation" => (State::Succeeded, "payment in mediation: the customer opened a claim"),
            "authorized" => (State::Authorized, "payment authorized, to be captured"),
            "rejected" => (State::Failed, "payment rejected"),
            "cancelled" if detail == "expired" => (State::Expired, "payment expired"),
            "cancelled" => (State::Canceled, "payment cancelled"),
            "pending" => (State::Pending, "payment waits for the customer"),
            "in_process" => (State::Pending, "payment under review"),
            _ => (State::Pending, "payment with an unknown status, treated as pending"),
        };
        let parent = order_of(&self.object);
        let mut facts = vec![if has_moved {
            self.fact(Aspect::Capture, state, self.at("date_approved"), Some(amount)).with_parent(parent)
        } else {
            self.fact(Aspect::Authorization, state, changed, Some(amount)).with_parent(parent)
        }];
        let why = because(Some(detail.clone()).filter(|_| state == State::Failed));
        let mut summary = sentence(format_args!("{words}{why}"), Some(amount));
        if has_moved {
            if self.object.raw("captured") == Some("true") {
                // A payment is captured once. Where that took a part, the rest was left on purpose.
                let at = self.at("date_approved");
                facts.push(self.fact(Aspect::CaptureTotal, State::Closed, at, None));
            }
            facts.extend(self.fee(&facts[0], changed, currency));
            facts.push(self.dispute(&status, &detail, changed, amount));
            let (refunds, said) = self.refunds(currency)?;
            facts.extend(refunds);
            summary += &said;
        }
        Ok((facts, summary))
    }

    /// How a payment stands whose money came: in dispute, decided, or neither. Nothing shows that a claim is over but
    /// that the payment is approved or refunded again.
    fn dispute(&self, status: &str, detail: &str, changed: Timestamp, amount: Money) -> Fact {
        let (state, amount) = match (status, detail) {
            ("in_mediation", _) => (State::Open, Some(amount)),
            ("charged_back", "settled") => (State::Lost, Some(amount)),
            ("charged_back", "reimbursed") => (State::Won, Some(amount)),
            ("charged_back", _) => (State::Open, Some(amount)),
            _ => (State::Closed, None),
        };
        self.fact(Aspect::Dispute, state, changed, amount).with_parent(Some(&self.id))
    }

    /// The refunds that a payment shows, and their sum where it is more than they come to.
    fn refunds(&self, currency: Currency) -> Result<Statement, Malformed> {
        let (mut facts, mut summary) = (Vec::new(), String::new());
        for refund in self.object.objects("refunds", "a refund")? {
            let (fact, words) = self.refund(&refund, currency, Some(self.id.clone()))?;
            facts.push(fact);
            summary = format!("{summary}; {words}");
        }
        let total = money::read(&self.object, "transaction_amount_refunded", currency)?;
        let made = facts.iter().filter(|fact: &&Fact| fact.state == State::Succeeded).filter_map(|fact| fact.amount);
        let made = made.fold(0, i64::saturating_add);
        if let Some(total) = total.filter(|total| total.minor > made) {
            let stated = self.fact(Aspect::RefundTotal, State::Succeeded, self.event.occurred_at, Some(total));
            facts.push(Fact { face: None, ..stated });
        }
        Ok((facts, summary))
    }

    fn refund(
        &self,
        refund: &Object<'_>,
        currency: Currency,
        payment: Option<String>,
    ) -> Result<(Fact, String), Malformed> {
        let id = number(refund, "id").ok_or_else(|| Malformed("expected the `id` of a refund, got none".to_owned()))?;
        let amount = money::need(refund, "amount", currency)?;
        let (state, words) = match short(refund, "status").as_deref() {
            // Older answers have no status: what is shown was made.
            None | Some("approved") => (State::Succeeded, "refund made"),
            Some("rejected") => (State::Failed, "refund rejected, the money stays"),
            Some("cancelled") => (State::Canceled, "refund cancelled, the money stays"),
            Some(_) => (State::Pending, "refund on its way"),
        };
        let made = time(refund, "date_created");
        let at = since(self.event, state == State::Pending, made);
        let id = reference(Family::Refund, &id);
        let fact = with_money(Fact::new(Aspect::Refund, id, state, at, self.event.id), Some(amount));
        Ok((fact.with_parent(payment).with_since(made), sentence(words, Some(amount))))
    }

    /// A chargeback tells of a dispute until when it can be answered. Whether it was lost says its payment, so both are
    /// one register.
    fn chargeback(&self) -> Result<Statement, Malformed> {
        let currency = self.object.raw("currency_id").map(|_| money::currency(&self.object)).transpose()?;
        let amount = currency.map(|currency| money::read(&self.object, "amount", currency)).transpose()?.flatten();
        let (state, words) = match self.object.raw("coverage_applied") {
            Some("true") => (State::Won, "chargeback covered: the money stays"),
            Some("false") => (State::Lost, "chargeback lost: the bank took the money back"),
            _ => (State::Open, "chargeback to be answered"),
        };
        let payment = payments_of(&self.object).into_iter().next().or_else(|| payment_of(&self.object));
        let payment = payment.ok_or_else(|| Malformed("expected the payment of a chargeback, got none".to_owned()))?;
        let begun = time(&self.object, "date_created");
        let changed = ["date_last_updated", "last_modified"].into_iter().find_map(|name| time(&self.object, name));
        let at = changed.or(begun).unwrap_or(self.event.occurred_at);
        let fact = with_money(Fact::new(Aspect::Dispute, &payment, state, at, self.event.id), amount);
        let until = time(&self.object, "date_documentation_deadline").filter(|_| state == State::Open);
        Ok((vec![fact.with_parent(Some(&payment)).with_since(begun).with_until(until)], sentence(words, amount)))
    }

    /// A merchant order is a checkout with its payments, which tell of the money themselves.
    fn merchant_order(&self) -> Result<Statement, Malformed> {
        let status = short(&self.object, "order_status").or_else(|| short(&self.object, "status")).unwrap_or_default();
        let state = match status.as_str() {
            "expired" => State::Expired,
            _ => State::Pending,
        };
        let at = match state {
            State::Pending => since(self.event, true, time(&self.object, "date_created")),
            _ => self.at("last_updated"),
        };
        let count = numbers(&self.object, "payments").len();
        let words = format!("merchant order {}, with {count} payments", spaced(&status));
        // Once its preference is ended, nobody comes to it.
        let preference = preference_of(&self.object);
        Ok((vec![self.fact(Aspect::Checkout, state, at, None).with_parent(preference)], words))
    }

    /// A preference is a checkout that nobody has to come to.
    fn preference(&self) -> Statement {
        let ends = time(&self.object, "expiration_date_to").filter(|_| self.object.raw("expires") == Some("true"));
        let (state, words) = match ends {
            _ if self.event.kind == ENDED => (State::Canceled, "checkout ended"),
            Some(at) if at <= self.event.occurred_at => (State::Expired, "checkout expired"),
            _ => (State::Pending, "checkout open"),
        };
        let made = time(&self.object, "date_created");
        let at = since(self.event, state == State::Pending, made);
        (vec![self.fact(Aspect::Checkout, state, at, None)], words.to_owned())
    }
}

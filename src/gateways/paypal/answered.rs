//! What does PayPal's answer to a question or a call of ours say? An object as it stands: its own status counts, and an
//! order shows all that became of it.

use super::interpret::{Reading, read, sentence, with_money};
use crate::domain::Timestamp;
use crate::domain::event::{Awaited, Interpretation, Malformed, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::gateways::json::{Object, short};

/// The objects that PayPal answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Order,
    Authorization,
    Capture,
    Refund,
}

impl Named {
    /// The kind that an answer of it has, which no event of PayPal's has.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Order => "ORDER.ANSWERED",
            Self::Authorization => "AUTHORIZATION.ANSWERED",
            Self::Capture => "CAPTURE.ANSWERED",
            Self::Refund => "REFUND.ANSWERED",
        }
    }

    /// What an answer of this kind is of.
    pub(super) fn of(kind: &str) -> Option<Self> {
        [Self::Order, Self::Authorization, Self::Capture, Self::Refund].into_iter().find(|named| named.kind() == kind)
    }

    /// The name of the object's type.
    pub(super) fn resource_type(self) -> &'static str {
        match self {
            Self::Order => "checkout-order",
            Self::Authorization => "authorization",
            Self::Capture => "capture",
            Self::Refund => "refund",
        }
    }
}

/// What one object of money says.
struct Movement {
    facts: Vec<Fact>,
    refs: Vec<String>,
    words: String,
    amount: Option<Money>,
}

impl Reading<'_> {
    /// An object as it stands, and what it is a part of where that was our choice.
    pub(super) fn answered(&self, named: Named, part_of: Option<Object<'_>>) -> Result<Interpretation, Malformed> {
        let aspect = match named {
            Named::Order => return self.whole_order(),
            Named::Authorization => Aspect::Authorization,
            Named::Capture => Aspect::Capture,
            Named::Refund => Aspect::Refund,
        };
        let Movement { mut facts, refs, words, amount } = self.movement(aspect)?;
        let [_, authorization] = self.related()?;
        if let (Some(whole), Some(authorization)) = (part_of, authorization) {
            facts.extend(self.total(&authorization, &facts, read(&whole)?));
        }
        Ok(self.said(facts, refs, &words, amount))
    }

    /// All that was taken of an authorization, once nothing more will be: the rest of it was left on purpose.
    fn total(&self, authorization: &str, facts: &[Fact], whole: Money) -> Option<Fact> {
        let taken = |fact: &&Fact| {
            let of_it = fact.parent.as_deref() == Some(authorization) && fact.currency == Some(whole.currency);
            of_it && (fact.aspect, fact.state) == (Aspect::Capture, State::Succeeded)
        };
        let taken = facts.iter().filter(taken).filter_map(|fact| fact.amount).reduce(i64::saturating_add)?;
        let total = self.fact(Aspect::CaptureTotal, authorization, State::Succeeded);
        Some(total.with_amount(taken, whole.currency).with_face(whole.minor))
    }

    /// An order with its payments. With several purchase units, what each is of doesn't say what the payment is of.
    fn whole_order(&self) -> Result<Interpretation, Malformed> {
        let id = self.resource.need_id("id")?;
        let units = self.resource.objects("purchase_units", "a purchase unit")?;
        let amount = match &units[..] {
            [unit] => unit.object("amount", "an amount")?.map(|amount| read(&amount)).transpose()?,
            _ => None,
        };
        let status = short(&self.resource, "status").unwrap_or_default();
        let (state, words) = match status.as_str() {
            "APPROVED" => (Some(State::Pending), "order approved by the customer, to be completed"),
            "COMPLETED" => (None, "order completed"),
            "VOIDED" => (Some(State::Canceled), "order voided"),
            _ => (Some(State::Pending), "order open, not approved by the customer yet"),
        };
        let mut facts: Vec<Fact> =
            state.map(|state| with_money(self.stated(Aspect::Checkout, &id, state), amount)).into_iter().collect();
        let parts = self.parts(&units)?;
        facts.extend(parts.facts);
        let payer = self.resource.object("payer", "a payer")?;
        let source = self.resource.object("payment_source", "a source")?;
        let source = source.map(|source| source.object("paypal", "an account")).transpose()?.flatten();
        let email = |of: Option<Object<'_>>| of.and_then(|of| short(&of, "email_address"));
        Ok(Interpretation {
            references: References {
                tokens: distinct(units.iter().flat_map(|unit| [short(unit, "custom_id"), short(unit, "invoice_id")])),
                gateway_refs: distinct([id.clone()].into_iter().chain(parts.refs).map(Some)),
            },
            facts,
            summary: [sentence(words, amount), parts.words].join(""),
            customer: email(payer).or_else(|| email(source)),
            awaits_completion: (status == "APPROVED")
                .then(|| Awaited { gateway_ref: id, since: self.moment("update_time") }),
        })
    }

    /// All movements of money that an order shows, in one.
    fn parts(&self, units: &[Object<'_>]) -> Result<Movement, Malformed> {
        let mut all = Movement { facts: Vec::new(), refs: Vec::new(), words: String::new(), amount: None };
        let (mut held, mut closed) = (Vec::new(), Vec::new());
        for (aspect, object) in movements(units)? {
            let reading = Reading { event: self.event, resource: object };
            let part = reading.movement(aspect)?;
            if let (Aspect::Authorization, [fact], Some(whole)) = (aspect, &part.facts[..], part.amount) {
                held.push((fact.gateway_ref.clone(), whole));
            }
            // One that was declined, or is not decided yet, closes nothing.
            if aspect == Aspect::Capture && reading.resource.flag("final_capture").unwrap_or(false) {
                let taken = part.facts.iter().filter(|fact| fact.state == State::Succeeded);
                closed.extend(taken.filter_map(|fact| fact.parent.clone()));
            }
            all.words.push_str("; ");
            all.words.push_str(&sentence(&part.words, part.amount));
            all.facts.extend(part.facts);
            all.refs.extend(part.refs);
        }
        held.retain(|(authorization, _)| closed.contains(authorization));
        let totals = held.iter().filter_map(|(authorization, whole)| self.total(authorization, &all.facts, *whole));
        let totals: Vec<Fact> = totals.collect();
        all.facts.extend(totals);
        Ok(all)
    }

    /// An authorization, a capture or a refund, by its own status. One that is not known states nothing.
    fn movement(&self, aspect: Aspect) -> Result<Movement, Malformed> {
        let id = self.resource.need_id("id")?;
        let amount = self.amount()?;
        let status = short(&self.resource, "status").unwrap_or_default();
        let (state, words) = match (aspect, status.as_str()) {
            (Aspect::Authorization, "CREATED") => (State::Authorized, "authorized"),
            (Aspect::Authorization, "CAPTURED" | "PARTIALLY_CAPTURED") => (State::Authorized, "authorization captured"),
            (Aspect::Authorization, "VOIDED") => (State::Canceled, "authorization voided"),
            (Aspect::Authorization, "EXPIRED") => (State::Expired, "authorization expired"),
            (Aspect::Authorization, "DENIED") => (State::Failed, "authorization denied"),
            (Aspect::Authorization, "PENDING") => (State::Pending, "authorization pending"),
            (Aspect::Capture, "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED") => (State::Succeeded, "captured"),
            (Aspect::Capture, "DECLINED" | "FAILED") => (State::Failed, "capture declined"),
            (Aspect::Capture, "PENDING") => (State::Pending, "capture pending"),
            (Aspect::Refund, "COMPLETED") => (State::Succeeded, "refunded"),
            (Aspect::Refund, "PENDING") => (State::Pending, "refund pending"),
            (Aspect::Refund, "FAILED") => (State::Failed, "refund failed, the money came back"),
            (Aspect::Refund, "CANCELLED") => (State::Canceled, "refund canceled"),
            _ => {
                let words = format!("an object of a status that is not known, {status:?}");
                return Ok(Movement { facts: Vec::new(), refs: vec![id], words, amount: None });
            }
        };
        let fact = with_money(self.stated(aspect, &id, state), amount);
        let [order, authorization] = self.related()?;
        let above = self.above()?;
        let (fact, refs) = match aspect {
            Aspect::Capture => {
                let parent = authorization.clone().or(order.clone()).or(above);
                (fact.with_parent(parent), [authorization, order])
            }
            Aspect::Refund => (fact.with_parent(above.clone()).with_since(self.moment("create_time")), [above, None]),
            _ => (fact, [order, None]),
        };
        let refs = distinct([Some(id)].into_iter().chain(refs));
        let why = self.resource.object("status_details", "details")?;
        let why = why.and_then(|why| short(&why, "reason")).map(|why| format!(" ({why})")).unwrap_or_default();
        Ok(Movement { facts: vec![fact], refs, words: format!("{words}{why}"), amount })
    }

    /// A fact of the object. That something is not decided is no news when it is asked for: it says so since it last
    /// changed, and must not outrank what was decided meanwhile.
    fn stated(&self, aspect: Aspect, id: &str, state: State) -> Fact {
        let mut fact = self.fact(aspect, id, state);
        if state == State::Pending {
            fact.occurred_at = self.changed();
        }
        fact
    }

    /// When the object last changed, as far as it says.
    fn changed(&self) -> Timestamp {
        let changed = self.moment("update_time").or_else(|| self.moment("create_time"));
        changed.unwrap_or(self.event.occurred_at).min(self.event.occurred_at)
    }
}

/// All movements of money that an order shows.
pub(super) fn movements<'a>(units: &[Object<'a>]) -> Result<Vec<(Aspect, Object<'a>)>, Malformed> {
    let mut found = Vec::new();
    for unit in units {
        let Some(payments) = unit.object("payments", "the payments of an order")? else { continue };
        let lists =
            [(Aspect::Authorization, "authorizations"), (Aspect::Capture, "captures"), (Aspect::Refund, "refunds")];
        for (aspect, name) in lists {
            let parts = payments.objects(name, "a payment of an order")?;
            found.extend(parts.into_iter().map(|part| (aspect, part)));
        }
    }
    Ok(found)
}

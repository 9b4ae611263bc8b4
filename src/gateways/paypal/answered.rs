//! Reads the facts of PayPal's answers to our own calls. An answer is an object in its current state: its status
//! decides, and an order contains all of its payments.

use super::resource::{Resource, parse_amount, payer_of, sentence, with_money};
use crate::domain::Timestamp;
use crate::domain::event::{Awaited, Interpretation, Malformed, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;
use crate::gateways::json::{Object, short};

/// The types of objects that PayPal answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectType {
    Order,
    Authorization,
    Capture,
    Refund,
    Subscription,
}

impl ObjectType {
    /// The kind of the event that is made of the answer. PayPal itself sends no such kind.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Order => "ORDER.ANSWERED",
            Self::Authorization => "AUTHORIZATION.ANSWERED",
            Self::Capture => "CAPTURE.ANSWERED",
            Self::Refund => "REFUND.ANSWERED",
            Self::Subscription => "SUBSCRIPTION.ANSWERED",
        }
    }

    /// The object type of an answer's kind.
    pub(super) fn of(kind: &str) -> Option<Self> {
        [Self::Order, Self::Authorization, Self::Capture, Self::Refund, Self::Subscription]
            .into_iter()
            .find(|object_type| object_type.kind() == kind)
    }

    /// PayPal's name of the type, as events have it in `resource_type`.
    pub(super) fn resource_type(self) -> &'static str {
        match self {
            Self::Order => "checkout-order",
            Self::Authorization => "authorization",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Subscription => "subscription",
        }
    }
}

/// What one or several objects say about money.
struct Movement {
    facts: Vec<Fact>,
    refs: Vec<GatewayRef>,
    words: String,
    amount: Option<Money>,
}

impl Resource<'_> {
    /// Reads an answer. `part_of` is the authorized amount when we asked to capture only a part of it.
    pub(super) fn answered(
        &self,
        object_type: ObjectType,
        part_of: Option<Object<'_>>,
    ) -> Result<Interpretation, Malformed> {
        let aspect = match object_type {
            ObjectType::Order => return self.whole_order(),
            ObjectType::Subscription => return self.subscription(),
            ObjectType::Authorization => Aspect::Authorization,
            ObjectType::Capture => Aspect::Capture,
            ObjectType::Refund => Aspect::Refund,
        };
        let Movement { mut facts, refs, words, amount } = self.movement(aspect)?;
        let authorization = self.authorization()?;
        if let (Some(whole), Some(authorization)) = (part_of, authorization) {
            facts.extend(self.capture_total(&authorization, &facts, parse_amount(&whole)?));
        }
        Ok(self.interpretation(facts, refs, &words, amount))
    }

    /// The total that was captured of an authorization, once nothing more will be: the rest was left on purpose.
    fn capture_total(&self, authorization: &str, facts: &[Fact], whole: Money) -> Option<Fact> {
        let is_captured = |fact: &&Fact| {
            let of_it = fact.parent.as_deref() == Some(authorization) && fact.currency == Some(whole.currency);
            of_it && (fact.aspect, fact.state) == (Aspect::Capture, State::Succeeded)
        };
        let taken = facts.iter().filter(is_captured).filter_map(|fact| fact.amount).reduce(i64::saturating_add)?;
        let total = self.fact(Aspect::CaptureTotal, authorization, State::Succeeded);
        Some(total.with_amount(taken, whole.currency).with_face(whole.minor))
    }

    /// Reads an order with its payments. The amount is known only when it has a single purchase unit.
    fn whole_order(&self) -> Result<Interpretation, Malformed> {
        let id = self.object.need_id("id")?;
        let units = self.object.objects("purchase_units", "a purchase unit")?;
        let amount = match &units[..] {
            [unit] => unit.object("amount", "an amount")?.map(|amount| parse_amount(&amount)).transpose()?,
            _ => None,
        };
        let status = short(&self.object, "status").unwrap_or_default();
        let (state, words) = match status.as_str() {
            "APPROVED" => (Some(State::Pending), "order approved by the customer, to be completed"),
            "COMPLETED" => (None, "order completed"),
            "VOIDED" => (Some(State::Canceled), "order voided"),
            _ => (Some(State::Pending), "order open, not approved by the customer yet"),
        };
        let mut facts: Vec<Fact> =
            state.map(|state| with_money(self.status_fact(Aspect::Checkout, &id, state), amount)).into_iter().collect();
        let parts = self.parts(&units)?;
        facts.extend(parts.facts);
        let payer = self.object.object("payer", "a payer")?;
        let paid_by = payer.as_ref().map(payer_of).unwrap_or_default();
        let source = self.object.object("payment_source", "a source")?;
        let source = source.map(|source| source.object("paypal", "an account")).transpose()?.flatten();
        let email = |object: Option<Object<'_>>| object.and_then(|object| short(&object, "email_address"));
        Ok(Interpretation {
            subscription: None,
            is_link: false,
            object_to_fetch: None,
            account: None,
            references: References {
                tokens: distinct(units.iter().flat_map(|unit| [short(unit, "custom_id"), short(unit, "invoice_id")])),
                gateway_refs: distinct([GatewayRef::from(&id)].into_iter().chain(parts.refs).map(Some)),
            },
            facts,
            summary: [sentence(words, amount), parts.words].join(""),
            customer: email(payer).or_else(|| email(source)),
            payer: paid_by,
            awaits_completion: (status == "APPROVED")
                .then(|| Awaited { gateway_ref: id.into(), since: self.time("update_time") }),
        })
    }

    /// Combines all movements of money that an order contains.
    fn parts(&self, units: &[Object<'_>]) -> Result<Movement, Malformed> {
        let mut all = Movement { facts: Vec::new(), refs: Vec::new(), words: String::new(), amount: None };
        let (mut held, mut closed) = (Vec::new(), Vec::new());
        for (aspect, object) in movements(units)? {
            let resource = Resource { event: self.event, object };
            let part = resource.movement(aspect)?;
            if let (Aspect::Authorization, [fact], Some(whole)) = (aspect, &part.facts[..], part.amount) {
                held.push((fact.gateway_ref.clone(), whole));
            }
            // A declined or pending capture does not close the authorization.
            if aspect == Aspect::Capture && resource.is_final() {
                let taken = part.facts.iter().filter(|fact| fact.state == State::Succeeded);
                closed.extend(taken.filter_map(|fact| fact.parent.clone()));
            }
            all.words.push_str("; ");
            all.words.push_str(&sentence(&part.words, part.amount));
            all.facts.extend(part.facts);
            all.refs.extend(part.refs);
        }
        held.retain(|(authorization, _)| closed.contains(authorization));
        let totals =
            held.iter().filter_map(|(authorization, whole)| self.capture_total(authorization, &all.facts, *whole));
        let totals: Vec<Fact> = totals.collect();
        all.facts.extend(totals);
        Ok(all)
    }

    /// Reads an authorization, a capture or a refund by its status. An unknown status states no fact.
    fn movement(&self, aspect: Aspect) -> Result<Movement, Malformed> {
        let id = self.object.need_id("id")?;
        let amount = self.amount()?;
        let status = short(&self.object, "status").unwrap_or_default();
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
                let words = format!("an object with the unknown status {status:?}");
                return Ok(Movement { facts: Vec::new(), refs: vec![id.into()], words, amount: None });
            }
        };
        let fact = with_money(self.status_fact(aspect, &id, state), amount);
        let [order, _] = self.related()?;
        let (authorization, parent) = (self.authorization()?, self.parent_link()?);
        let (fact, refs) = match aspect {
            Aspect::Capture => {
                let parent = authorization.clone().or(order.clone()).or(parent);
                (fact.with_parent(parent.clone()), [authorization, order, parent])
            }
            Aspect::Refund => {
                (fact.with_parent(parent.clone()).with_since(self.time("create_time")), [parent, None, None])
            }
            // Of an authorization, the order.
            _ => (fact.with_parent(order.clone().or(parent.clone())), [order, parent, None]),
        };
        let refs = distinct([Some(id)].into_iter().chain(refs));
        let why = self.object.object("status_details", "details")?;
        let why = why.and_then(|why| short(&why, "reason")).map(|why| format!(" ({why})")).unwrap_or_default();
        let fee = self.fee(&fact);
        let facts = [Some(fact), fee].into_iter().flatten().collect();
        Ok(Movement { facts, refs, words: format!("{words}{why}"), amount })
    }

    /// A fact of the object's current state. A pending object has been pending since it last changed, so its fact has
    /// that time: the time of the answer would let it outrank what was decided in between.
    fn status_fact(&self, aspect: Aspect, id: &str, state: State) -> Fact {
        let mut fact = self.fact(aspect, id, state);
        if state == State::Pending {
            fact.occurred_at = self.changed_at();
        }
        fact
    }

    /// When the object last changed, or the time of the answer if the object does not say.
    fn changed_at(&self) -> Timestamp {
        let changed = self.time("update_time").or_else(|| self.time("create_time"));
        changed.unwrap_or(self.event.occurred_at).min(self.event.occurred_at)
    }
}

/// All authorizations, captures and refunds that an order's purchase units contain.
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

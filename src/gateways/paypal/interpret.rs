//! Reads the facts of a PayPal event. The kind tells which object the event's resource is and what became of it
//! (kinds: <https://developer.paypal.com/api/rest/webhooks/event-names/>).

use super::answered::ObjectType;
use super::resource::{Resource, parse_amount, payer_of, sentence, with_money};
use crate::domain::event::{Awaited, Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::gateways::json::{Object, short};

/// The kinds to subscribe to: those that state facts. A test compares them with [`meaning`].
pub(super) const KINDS: [&str; 28] = [
    "CHECKOUT.ORDER.APPROVED",
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
    "PAYMENT.AUTHORIZATION.CREATED",
    "PAYMENT.AUTHORIZATION.VOIDED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.PENDING",
    "PAYMENT.CAPTURE.DECLINED",
    "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REVERSED",
    "PAYMENT.REFUND.PENDING",
    "PAYMENT.REFUND.FAILED",
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.UPDATED",
    "CUSTOMER.DISPUTE.RESOLVED",
    "PAYMENT.SALE.COMPLETED",
    "PAYMENT.SALE.PENDING",
    "PAYMENT.SALE.DENIED",
    "PAYMENT.SALE.REFUNDED",
    "PAYMENT.SALE.REVERSED",
    "BILLING.SUBSCRIPTION.CREATED",
    "BILLING.SUBSCRIPTION.ACTIVATED",
    "BILLING.SUBSCRIPTION.UPDATED",
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED",
    "BILLING.SUBSCRIPTION.SUSPENDED",
    "BILLING.SUBSCRIPTION.RE-ACTIVATED",
    "BILLING.SUBSCRIPTION.CANCELLED",
    "BILLING.SUBSCRIPTION.EXPIRED",
];

/// The kind after which PayPal waits for the shop to capture or authorize the order.
const APPROVED: &str = "CHECKOUT.ORDER.APPROVED";

/// What a kind means for its resource, with the words for the summary.
#[derive(Clone, Copy)]
enum Meaning {
    /// The customer approved an order, or the approval was reversed.
    Order(State, &'static str),
    /// An order was completed. Its captures report the money.
    OrderCompleted,
    /// An authorization, a capture or a sale changed.
    Money(Aspect, State, &'static str),
    /// Money was returned. The resource is the refund.
    Refund(State, &'static str),
    /// PayPal itself took the money back. The resource is as a refund's.
    Reversal,
    /// A dispute was opened, changed or resolved.
    Dispute,
    /// A subscription, whole.
    Subscription,
    /// The current state of an object, from an answer to our own call.
    Answered(ObjectType),
    /// Nothing that changes a payment.
    Nothing(&'static str),
}

/// Reads the event's facts. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    let meaning = meaning(event.kind);
    if let Meaning::Nothing(summary) = meaning {
        return Ok(Interpretation { summary: summary.to_owned(), ..Interpretation::default() });
    }
    let text = std::str::from_utf8(event.body);
    let text = text.map_err(|at| Malformed(format!("expected UTF-8, got other bytes after {}", at.valid_up_to())))?;
    let whole = Object::read(text, "an event")?;
    let resource = Resource { event, object: whole.need_object("resource", "the event's resource")? };
    match meaning {
        Meaning::Order(state, words) => resource.order(Some(state), words),
        Meaning::OrderCompleted => resource.order(None, "order completed; its captures report the money"),
        Meaning::Money(aspect, state, words) => {
            let subscription = resource.of_sale();
            Ok(Interpretation { subscription, ..resource.money(aspect, state, words)? })
        }
        Meaning::Subscription => resource.subscription(),
        Meaning::Refund(state, words) => resource.refund(state, words),
        Meaning::Reversal => {
            let mut reversal = resource.refund(State::Succeeded, "reversed by PayPal")?;
            reversal.facts = reversal.facts.into_iter().map(|fact| fact.with_face(0)).collect();
            Ok(reversal)
        }
        Meaning::Dispute => resource.dispute(),
        Meaning::Answered(object_type) => resource.answered(object_type, whole.object("part_of", "an amount")?),
        Meaning::Nothing(_) => Ok(Interpretation::default()),
    }
}

fn meaning(kind: &str) -> Meaning {
    use Aspect::{Authorization, Capture};
    match kind {
        APPROVED => Meaning::Order(State::Pending, "order approved by the customer, to be captured"),
        "CHECKOUT.PAYMENT-APPROVAL.REVERSED" => {
            Meaning::Order(State::Canceled, "approval reversed: not captured in time")
        }
        "CHECKOUT.ORDER.COMPLETED" => Meaning::OrderCompleted,
        "PAYMENT.AUTHORIZATION.CREATED" => Meaning::Money(Authorization, State::Authorized, "authorized"),
        "PAYMENT.AUTHORIZATION.VOIDED" => Meaning::Money(Authorization, State::Canceled, "authorization voided"),
        "PAYMENT.CAPTURE.COMPLETED" => Meaning::Money(Capture, State::Succeeded, "captured"),
        "PAYMENT.CAPTURE.PENDING" => Meaning::Money(Capture, State::Pending, "capture pending"),
        "PAYMENT.CAPTURE.DECLINED" | "PAYMENT.CAPTURE.DENIED" => {
            Meaning::Money(Capture, State::Failed, "capture declined")
        }
        "PAYMENT.SALE.COMPLETED" => Meaning::Money(Capture, State::Succeeded, "sale completed"),
        "PAYMENT.SALE.PENDING" => Meaning::Money(Capture, State::Pending, "sale pending"),
        "PAYMENT.SALE.DENIED" => Meaning::Money(Capture, State::Failed, "sale denied"),
        "PAYMENT.CAPTURE.REFUNDED" | "PAYMENT.SALE.REFUNDED" => Meaning::Refund(State::Succeeded, "refunded"),
        "PAYMENT.CAPTURE.REVERSED" | "PAYMENT.SALE.REVERSED" => Meaning::Reversal,
        "PAYMENT.REFUND.PENDING" => Meaning::Refund(State::Pending, "refund pending"),
        "PAYMENT.REFUND.FAILED" => Meaning::Refund(State::Failed, "refund failed, the money came back"),
        "CUSTOMER.DISPUTE.CREATED" | "CUSTOMER.DISPUTE.UPDATED" | "CUSTOMER.DISPUTE.RESOLVED" => Meaning::Dispute,
        _ if let Some(object_type) = ObjectType::of(kind) => Meaning::Answered(object_type),
        _ if kind.starts_with("BILLING.SUBSCRIPTION.") => Meaning::Subscription,
        _ if kind.starts_with("BILLING.") => Meaning::Nothing("a subscription changed: kept for handlers"),
        _ if kind.starts_with("PAYMENT.PAYOUT") => Meaning::Nothing("a payout: kept for handlers"),
        _ => Meaning::Nothing("nothing about a payment: kept for handlers"),
    }
}

impl Resource<'_> {
    /// Reads an order. The amount is known only when it has a single purchase unit: with several, no single amount is
    /// the payment's.
    fn order(&self, state: Option<State>, words: &str) -> Result<Interpretation, Malformed> {
        let id = match self.object.text("id")? {
            Some(_) => self.object.need_id("id")?,
            None => self.object.need_id("order_id")?,
        };
        let units = self.object.objects("purchase_units", "a purchase unit")?;
        let amount = match &units[..] {
            [unit] => unit.object("amount", "an amount")?.map(|amount| parse_amount(&amount)).transpose()?,
            _ => None,
        };
        let facts = state.map(|state| with_money(self.fact(Aspect::Checkout, &id, state), amount));
        let payer = self.object.object("payer", "a payer")?;
        Ok(Interpretation {
            subscription: None,
            is_link: false,
            object_to_fetch: None,
            account: None,
            references: References {
                tokens: distinct(units.iter().flat_map(|unit| [short(unit, "custom_id"), short(unit, "invoice_id")])),
                gateway_refs: vec![(&id).into()],
            },
            facts: facts.into_iter().collect(),
            summary: sentence(words, amount),
            customer: payer.as_ref().and_then(|payer| short(payer, "email_address")),
            payer: payer.as_ref().map(payer_of).unwrap_or_default(),
            awaits_completion: (self.event.kind == APPROVED)
                .then_some(Awaited { gateway_ref: id.into(), since: Some(self.event.occurred_at) }),
        })
    }

    /// Reads an authorization, a capture, or a sale of PayPal's v1 API.
    fn money(&self, aspect: Aspect, state: State, words: &str) -> Result<Interpretation, Malformed> {
        let id = self.object.need_id("id")?;
        let amount = self.amount()?;
        // A pending authorization does not guarantee the money yet.
        let pending = aspect == Aspect::Authorization && self.status().as_deref() == Some("PENDING");
        let state = if pending { State::Pending } else { state };
        let [order, _] = self.related()?;
        let (authorization, up) = (self.authorization()?, self.parent_link()?);
        let authorization = authorization.filter(|_| aspect == Aspect::Capture);
        let parent = authorization.clone().or_else(|| order.clone()).or_else(|| up.clone());
        let mut facts = vec![with_money(self.fact(aspect, &id, state), amount).with_parent(parent)];
        if state == State::Failed {
            // A register of its own: a capture that was completed before stays so, and it must not pass unseen.
            facts.push(with_money(self.fact(Aspect::Authorization, &id, State::Failed), amount));
        }
        facts.extend(self.closed(&facts, authorization.as_deref()));
        facts.extend(self.fee(&facts[0]));
        let status = self.object.object("status_details", "details")?;
        let why = status.and_then(|status| short(&status, "reason")).map(|why| format!(" ({why})"));
        let parent_payment = short(&self.object, "parent_payment");
        let refs = distinct([Some(id), authorization, order, up, parent_payment]);
        Ok(self.interpretation(facts, refs, &format!("{words}{}", why.unwrap_or_default()), amount))
    }

    /// The fact that nothing more will be captured of an authorization, where this was the last capture. It may have
    /// taken a part, and the event does not say of how much.
    fn closed(&self, facts: &[Fact], authorization: Option<&str>) -> Option<Fact> {
        let taken = facts.iter().any(|fact| (fact.aspect, fact.state) == (Aspect::Capture, State::Succeeded));
        let authorization = authorization.filter(|_| taken && self.is_final())?;
        Some(self.fact(Aspect::CaptureTotal, authorization, State::Closed))
    }

    /// Reads a refund, or money that PayPal took back. Only its links name the capture that it belongs to; in PayPal's
    /// v1 API it is a field, beside the payment that the capture belongs to. The running total beside it is ignored,
    /// because it still includes refunds that failed.
    fn refund(&self, state: State, words: &str) -> Result<Interpretation, Malformed> {
        let id = self.object.need_id("id")?;
        let named = short(&self.object, "sale_id").or_else(|| short(&self.object, "capture_id"));
        let linked = || ["up", "capture", "sale"].into_iter().find_map(|rel| self.linked(rel).transpose());
        let capture = match named {
            Some(capture) => Some(capture),
            None => linked().transpose()?.map(|(_, id)| id),
        };
        let state = match self.status().as_deref() {
            Some("PENDING") if state == State::Succeeded => State::Pending,
            Some("FAILED") => State::Failed,
            Some("CANCELLED") => State::Canceled,
            _ => state,
        };
        let amount = self.amount()?;
        let made = self.time("create_time");
        let fact = self.fact(Aspect::Refund, &id, state).with_parent(capture.clone()).with_since(made);
        let refs = distinct([capture, Some(id), short(&self.object, "parent_payment")]);
        let refund = with_money(fact, amount);
        let fee = self.fee(&refund);
        let facts = [Some(refund), fee].into_iter().flatten().collect();
        Ok(self.interpretation(facts, refs, words, amount))
    }

    /// Reads a dispute.
    fn dispute(&self) -> Result<Interpretation, Malformed> {
        let id = self.object.need_id("dispute_id")?;
        let outcome = self.object.object("dispute_outcome", "an outcome")?;
        let code = outcome.as_ref().and_then(|outcome| short(outcome, "outcome_code"));
        let resolved =
            self.event.kind.ends_with(".RESOLVED") || short(&self.object, "status").as_deref() == Some("RESOLVED");
        let (state, words) = match code.as_deref() {
            _ if !resolved => (State::Open, "is open"),
            Some("RESOLVED_BUYER_FAVOUR" | "ACCEPTED") => (State::Lost, "was decided for the customer"),
            Some("RESOLVED_SELLER_FAVOUR") => (State::Won, "was decided for the merchant"),
            _ => (State::Closed, "ended without a decision against anyone"),
        };
        // Of what was disputed, the customer may get a part.
        let decided = outcome.filter(|_| state == State::Lost);
        let decided = decided.map(|outcome| outcome.object("amount_refunded", "an amount")).transpose()?.flatten();
        let amount = match decided {
            Some(amount) => Some(amount),
            None => self.object.object("dispute_amount", "an amount")?,
        };
        let amount = amount.map(|amount| parse_amount(&amount)).transpose()?;
        let about = self.object.objects("disputed_transactions", "a disputed transaction")?;
        let captures = distinct(about.iter().map(|of| short(of, "seller_transaction_id")));
        let mut fact =
            with_money(self.fact(Aspect::Dispute, &id, state), amount).with_parent(captures.first().cloned());
        fact = fact.with_since(self.time("create_time")).with_until(self.time("seller_response_due_date"));
        // Disputes carry the time of their last change; their events are created later and not always in order.
        fact.occurred_at = self.time("update_time").unwrap_or(fact.occurred_at);
        fact.reason = short(&self.object, "reason");
        let reason = fact.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let mut interpretation = self.interpretation(vec![fact], captures, &format!("dispute{reason} {words}"), amount);
        interpretation.references.tokens =
            distinct(about.iter().flat_map(|of| [short(of, "custom"), short(of, "invoice_number")]));
        Ok(interpretation)
    }
}

//! What does a PayPal event say of a payment? The kind says which object its resource is, and what became of it
//! (kinds: <https://developer.paypal.com/api/rest/webhooks/event-names/>).

use super::answered::Named;
use crate::domain::event::{Awaited, Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Currency, Decimal, Money};
use crate::domain::{Timestamp, moment_of};
use crate::gateways::json::{Object, short};

/// The kinds to tick: those that state facts. A test holds them and [`says`] together.
pub(super) const KINDS: [&str; 20] = [
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
];

/// The kind after which PayPal waits for us.
const APPROVED: &str = "CHECKOUT.ORDER.APPROVED";

/// What a kind says of its resource.
#[derive(Clone, Copy)]
enum Says {
    /// Of an order: what the customer agreed to pay.
    Order(State, &'static str),
    /// Of an order whose captures tell the rest.
    Settled,
    /// Of an authorization, a capture or a sale.
    Money(Aspect, State, &'static str),
    /// Of money that went back; the resource is the refund.
    Back(State, &'static str),
    Dispute,
    /// Of an object as it stands, which we asked for.
    Answered(Named),
    /// Nothing that changes a payment.
    Nothing(&'static str),
}

/// Reads the event's facts. The same bytes give the same answer; nothing in them can make this panic.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    let says = says(event.kind);
    if let Says::Nothing(summary) = says {
        return Ok(Interpretation { summary: summary.to_owned(), ..Interpretation::default() });
    }
    let text = std::str::from_utf8(event.body);
    let text = text.map_err(|at| Malformed(format!("expected UTF-8, got other bytes after {}", at.valid_up_to())))?;
    let whole = Object::read(text, "an event")?;
    let reading = Reading { event, resource: whole.need_object("resource", "the event's resource")? };
    match says {
        Says::Order(state, words) => reading.order(Some(state), words),
        Says::Settled => reading.order(None, "order completed; its captures tell of the money"),
        Says::Money(aspect, state, words) => reading.money(aspect, state, words),
        Says::Back(state, words) => reading.back(state, words),
        Says::Dispute => reading.dispute(),
        Says::Answered(named) => reading.answered(named, whole.object("part_of", "an amount")?),
        Says::Nothing(_) => Ok(Interpretation::default()),
    }
}

fn says(kind: &str) -> Says {
    use Aspect::{Authorization, Capture};
    match kind {
        APPROVED => Says::Order(State::Pending, "order approved by the customer, to be captured"),
        "CHECKOUT.PAYMENT-APPROVAL.REVERSED" => Says::Order(State::Canceled, "approval reversed: not captured in time"),
        "CHECKOUT.ORDER.COMPLETED" => Says::Settled,
        "PAYMENT.AUTHORIZATION.CREATED" => Says::Money(Authorization, State::Authorized, "authorized"),
        "PAYMENT.AUTHORIZATION.VOIDED" => Says::Money(Authorization, State::Canceled, "authorization voided"),
        "PAYMENT.CAPTURE.COMPLETED" => Says::Money(Capture, State::Succeeded, "captured"),
        "PAYMENT.CAPTURE.PENDING" => Says::Money(Capture, State::Pending, "capture pending"),
        "PAYMENT.CAPTURE.DECLINED" | "PAYMENT.CAPTURE.DENIED" => {
            Says::Money(Capture, State::Failed, "capture declined")
        }
        "PAYMENT.SALE.COMPLETED" => Says::Money(Capture, State::Succeeded, "sale completed"),
        "PAYMENT.SALE.PENDING" => Says::Money(Capture, State::Pending, "sale pending"),
        "PAYMENT.SALE.DENIED" => Says::Money(Capture, State::Failed, "sale denied"),
        "PAYMENT.CAPTURE.REFUNDED" | "PAYMENT.SALE.REFUNDED" => Says::Back(State::Succeeded, "refunded"),
        "PAYMENT.CAPTURE.REVERSED" | "PAYMENT.SALE.REVERSED" => Says::Back(State::Succeeded, "reversed by PayPal"),
        "PAYMENT.REFUND.PENDING" => Says::Back(State::Pending, "refund pending"),
        "PAYMENT.REFUND.FAILED" => Says::Back(State::Failed, "refund failed, the money came back"),
        "CUSTOMER.DISPUTE.CREATED" | "CUSTOMER.DISPUTE.UPDATED" | "CUSTOMER.DISPUTE.RESOLVED" => Says::Dispute,
        _ if let Some(named) = Named::of(kind) => Says::Answered(named),
        _ if kind.starts_with("BILLING.") => Says::Nothing("a subscription changed: kept for handlers"),
        _ if kind.starts_with("PAYMENT.PAYOUT") => Says::Nothing("a payout: kept for handlers"),
        _ => Says::Nothing("nothing about a payment: kept for handlers"),
    }
}

/// An event's resource.
pub(super) struct Reading<'a> {
    pub(super) event: &'a Recorded<'a>,
    pub(super) resource: Object<'a>,
}

impl Reading<'_> {
    /// An order; with several purchase units, what each is of doesn't say what the payment is of.
    fn order(&self, state: Option<State>, words: &str) -> Result<Interpretation, Malformed> {
        let id = match self.resource.text("id")? {
            Some(_) => self.resource.need_id("id")?,
            None => self.resource.need_id("order_id")?,
        };
        let units = self.resource.objects("purchase_units", "a purchase unit")?;
        let amount = match &units[..] {
            [unit] => unit.object("amount", "an amount")?.map(|amount| read(&amount)).transpose()?,
            _ => None,
        };
        let facts = state.map(|state| with_money(self.fact(Aspect::Checkout, &id, state), amount));
        let payer = self.resource.object("payer", "a payer")?;
        Ok(Interpretation {
            references: References {
                tokens: distinct(units.iter().flat_map(|unit| [short(unit, "custom_id"), short(unit, "invoice_id")])),
                gateway_refs: vec![id.clone()],
            },
            facts: facts.into_iter().collect(),
            summary: sentence(words, amount),
            customer: payer.and_then(|payer| short(&payer, "email_address")),
            awaits_completion: (self.event.kind == APPROVED)
                .then_some(Awaited { gateway_ref: id, since: Some(self.event.occurred_at) }),
        })
    }

    /// An authorization, a capture, or a sale of PayPal's first API.
    fn money(&self, aspect: Aspect, state: State, words: &str) -> Result<Interpretation, Malformed> {
        let id = self.resource.need_id("id")?;
        let amount = self.amount()?;
        // An authorization may come pending, and is no promise before it is created.
        let pending = aspect == Aspect::Authorization && self.resource.text("status")?.as_deref() == Some("PENDING");
        let state = if pending { State::Pending } else { state };
        let [order, authorization] = self.related()?;
        let parent = authorization.clone().or_else(|| order.clone()).filter(|_| aspect == Aspect::Capture);
        let fact = with_money(self.fact(aspect, &id, state), amount).with_parent(parent);
        let status = self.resource.object("status_details", "details")?;
        let why = status.and_then(|status| short(&status, "reason")).map(|why| format!(" ({why})"));
        let parent_payment = short(&self.resource, "parent_payment");
        let refs = distinct([Some(id), authorization, order, parent_payment]);
        Ok(self.said(vec![fact], refs, &format!("{words}{}", why.unwrap_or_default()), amount))
    }

    /// A refund, or money that PayPal took back. Which capture it is of stands in its links alone; in PayPal's first API
    /// it says so. The running total beside it is left alone: it still counts what has failed.
    fn back(&self, state: State, words: &str) -> Result<Interpretation, Malformed> {
        let id = self.resource.need_id("id")?;
        let capture = match short(&self.resource, "sale_id") {
            Some(sale) => Some(sale),
            None => self.above()?,
        };
        let state = match self.resource.text("status")?.as_deref() {
            Some("PENDING") if state == State::Succeeded => State::Pending,
            Some("CANCELLED") => State::Canceled,
            _ => state,
        };
        let amount = self.amount()?;
        let made = self.moment("create_time");
        let fact = self.fact(Aspect::Refund, &id, state).with_parent(capture.clone()).with_since(made);
        Ok(self.said(vec![with_money(fact, amount)], distinct([capture, Some(id)]), words, amount))
    }

    fn dispute(&self) -> Result<Interpretation, Malformed> {
        let id = self.resource.need_id("dispute_id")?;
        let outcome = self.resource.object("dispute_outcome", "an outcome")?;
        let code = outcome.and_then(|outcome| short(&outcome, "outcome_code"));
        let resolved =
            self.event.kind.ends_with(".RESOLVED") || short(&self.resource, "status").as_deref() == Some("RESOLVED");
        let (state, words) = match code.as_deref() {
            _ if !resolved => (State::Open, "is open"),
            Some("RESOLVED_BUYER_FAVOUR" | "ACCEPTED") => (State::Lost, "was decided for the customer"),
            Some("RESOLVED_SELLER_FAVOUR") => (State::Won, "was decided for the merchant"),
            _ => (State::Closed, "ended without a decision against anyone"),
        };
        let amount = self.resource.object("dispute_amount", "an amount")?.map(|amount| read(&amount)).transpose()?;
        let about = self.resource.objects("disputed_transactions", "a disputed transaction")?;
        let captures = distinct(about.iter().map(|of| short(of, "seller_transaction_id")));
        let mut fact =
            with_money(self.fact(Aspect::Dispute, &id, state), amount).with_parent(captures.first().cloned());
        // A dispute says itself when it changed; its events are made later, and not always in that order.
        fact.occurred_at = self.moment("update_time").unwrap_or(fact.occurred_at);
        let reason = short(&self.resource, "reason").map(|reason| format!(" ({reason})")).unwrap_or_default();
        let mut said = self.said(vec![fact], captures, &format!("dispute{reason} {words}"), amount);
        said.references.tokens =
            distinct(about.iter().flat_map(|of| [short(of, "custom"), short(of, "invoice_number")]));
        Ok(said)
    }

    pub(super) fn said(
        &self,
        facts: Vec<Fact>,
        gateway_refs: Vec<String>,
        words: &str,
        amount: Option<Money>,
    ) -> Interpretation {
        let tokens = ["custom_id", "invoice_id", "custom", "invoice_number"].map(|name| short(&self.resource, name));
        Interpretation {
            references: References { tokens: distinct(tokens), gateway_refs },
            facts,
            summary: sentence(words, amount),
            customer: None,
            awaits_completion: None,
        }
    }

    pub(super) fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        Fact::new(aspect, gateway_ref, state, self.event.occurred_at, self.event.id)
    }

    pub(super) fn moment(&self, name: &str) -> Option<Timestamp> {
        moment_of(&short(&self.resource, name)?)
    }

    pub(super) fn amount(&self) -> Result<Option<Money>, Malformed> {
        self.resource.object("amount", "an amount")?.map(|amount| read(&amount)).transpose()
    }

    /// The ids of the order and of the authorization that this belongs to.
    pub(super) fn related(&self) -> Result<[Option<String>; 2], Malformed> {
        let data = self.resource.object("supplementary_data", "supplementary data")?;
        let ids = data.map(|data| data.object("related_ids", "related ids")).transpose()?.flatten();
        Ok(["order_id", "authorization_id"].map(|name| ids.as_ref().and_then(|ids| short(ids, name))))
    }

    /// The id at the end of the link `up`.
    pub(super) fn above(&self) -> Result<Option<String>, Malformed> {
        let links = self.resource.objects("links", "a link")?;
        let up = links.iter().find(|link| short(link, "rel").as_deref() == Some("up"));
        let href = up.and_then(|link| short(link, "href"));
        let id = href.and_then(|href| href.rsplit('/').next().map(str::to_owned));
        Ok(id.filter(|id| {
            !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        }))
    }
}

/// An amount of PayPal's second API, or of its first: a decimal number as text. Refunds of sales may bear a minus.
pub(super) fn read(amount: &Object<'_>) -> Result<Money, Malformed> {
    let (code, value) = match amount.text("currency_code")? {
        Some(code) => (code, amount.need_text("value")?),
        None => match amount.text("total")? {
            Some(total) => (amount.need_text("currency")?, total),
            None => (amount.need_text("currency")?, amount.need_text("value")?),
        },
    };
    let currency = Currency::parse(&code).map_err(|bad| Malformed(bad.to_string()))?;
    let size = value.strip_prefix('-').unwrap_or(&value);
    let decimal = Decimal::parse(size).map_err(|bad| Malformed(bad.to_string()))?;
    let exact = decimal.exact(currency).filter(|_| !size.contains(','));
    let minor = exact.ok_or_else(|| Malformed(format!("expected an amount of {currency}, got {value:?}")))?;
    Ok(Money::new(minor, currency))
}

pub(super) fn with_money(fact: Fact, amount: Option<Money>) -> Fact {
    match amount {
        Some(amount) => fact.with_amount(amount.minor, amount.currency),
        None => fact,
    }
}

pub(super) fn sentence(what: &str, amount: Option<Money>) -> String {
    match amount {
        Some(amount) => format!("{what}: {amount}"),
        None => what.to_owned(),
    }
}

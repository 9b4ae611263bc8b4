//! Reads the facts of an event: one fact and one sentence for each kind.

use serde_json::Value;

use super::event::Kind;
use crate::domain::event::{Interpretation, Malformed, Recorded, References, storable};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Currency, Money};
use crate::gateways::{TEST_KIND, test_interpretation};

/// Reads the event's fact. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    if event.kind == TEST_KIND {
        return Ok(test_interpretation());
    }
    // An unknown kind is no error: a later version may send more. The event is kept, and its page says that it did
    // nothing.
    let Some(kind) = Kind::parse(event.kind) else { return Ok(unknown_kind()) };
    let body: Value =
        serde_json::from_slice(event.body).map_err(|error| Malformed(format!("expected an event as JSON: {error}")))?;
    let object = EventObject::new(&body, "object");
    let (id, token) = (object.id("id")?, object.id("payment")?);
    let amount = Money::new(object.amount()?, object.currency()?);

    let fact = |aspect, state| {
        Fact::new(aspect, id.as_str(), state, event.occurred_at, event.id).with_amount(amount.minor, amount.currency)
    };
    let (fact, summary) = match kind {
        Kind::Paid => (fact(Aspect::Capture, State::Succeeded), format!("the customer paid {amount}")),
        Kind::Failed => (fact(Aspect::Authorization, State::Failed), format!("the payment of {amount} failed")),
        Kind::Authorized => (
            fact(Aspect::Authorization, State::Authorized),
            format!("the customer authorized {amount}, to be captured"),
        ),
        Kind::Captured => {
            let part = object.optional("captured")?.map_or(amount, |minor| Money::new(minor, amount.currency));
            let fact = fact(Aspect::Capture, State::Succeeded).with_face(amount.minor);
            let fact = fact.with_amount(part.minor, part.currency);
            let summary = if part == amount {
                format!("the authorized {amount} were captured")
            } else {
                format!("{part} of the authorized {amount} were captured")
            };
            (fact, summary)
        }
        Kind::Canceled => {
            (fact(Aspect::Authorization, State::Canceled), format!("the payment of {amount} was canceled"))
        }
        Kind::Expired => (fact(Aspect::Authorization, State::Expired), format!("the payment of {amount} expired")),
        Kind::Refunded => {
            let refund = EventObject::new(object.value, "refund");
            let refunded = Money::new(refund.amount()?, amount.currency);
            let fact = Fact::new(Aspect::Refund, refund.id("id")?, State::Succeeded, event.occurred_at, event.id)
                .with_amount(refunded.minor, refunded.currency)
                .with_parent(Some(id.as_str()))
                .with_since(Some(event.occurred_at));
            (fact, format!("{refunded} of {amount} went back to the customer"))
        }
    };
    Ok(Interpretation {
        references: References { tokens: vec![token.into()], gateway_refs: vec![id.into()] },
        facts: vec![fact],
        summary,
        ..Interpretation::default()
    })
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let body: Value = serde_json::from_slice(event.body).unwrap_or_default();
    let object = EventObject::new(&body, "object");
    References {
        tokens: object.id("payment").into_iter().map(Into::into).collect(),
        gateway_refs: object.id("id").into_iter().map(Into::into).collect(),
    }
}

fn unknown_kind() -> Interpretation {
    let summary = "an event of another kind: kept for handlers, it states nothing of a payment";
    Interpretation { summary: summary.to_owned(), ..Interpretation::default() }
}

/// One object of the body. Its errors name the object and the field.
struct EventObject<'a> {
    value: &'a Value,
    name: &'static str,
}

impl<'a> EventObject<'a> {
    /// The member `name` of `outer`. If it is absent or not an object it has no fields, and reading the first required
    /// one is the error.
    fn new(outer: &'a Value, name: &'static str) -> Self {
        Self { value: outer.get(name).unwrap_or(&Value::Null), name }
    }

    fn id(&self, field: &str) -> Result<String, Malformed> {
        let text = self.value.get(field).and_then(Value::as_str).filter(|text| storable(text));
        text.map(str::to_owned).ok_or_else(|| self.wrong(field, "an id of 1 to 255 printable characters"))
    }

    fn amount(&self) -> Result<i64, Malformed> {
        self.minor("amount")
    }

    /// An amount in minor units, never negative: refunds have a kind of their own.
    fn minor(&self, field: &str) -> Result<i64, Malformed> {
        let amount = self.value.get(field).and_then(Value::as_i64).filter(|minor| *minor >= 0);
        amount.ok_or_else(|| self.wrong(field, "a whole number of minor units, zero or more"))
    }

    fn optional(&self, field: &str) -> Result<Option<i64>, Malformed> {
        let given = self.value.get(field).is_some_and(|value| !value.is_null());
        given.then(|| self.minor(field)).transpose()
    }

    fn currency(&self) -> Result<Currency, Malformed> {
        let code = self.value.get("currency").and_then(Value::as_str).and_then(|code| Currency::parse(code).ok());
        code.ok_or_else(|| self.wrong("currency", "an ISO 4217 code"))
    }

    /// The error for a wrong field: what was expected, and the type of what was given. Never the value, which may be
    /// the customer's personal data.
    fn wrong(&self, field: &str, expected: &str) -> Malformed {
        let given = match self.value.get(field) {
            None => "nothing",
            Some(Value::Null) => "null",
            Some(Value::Bool(_)) => "true or false",
            Some(Value::Number(_)) => "another number",
            Some(Value::String(_)) => "another text",
            Some(Value::Array(_)) => "a list",
            Some(Value::Object(_)) => "an object",
        };
        Malformed(format!("expected `{field}` of `{}` to be {expected}, got {given}", self.name))
    }
}

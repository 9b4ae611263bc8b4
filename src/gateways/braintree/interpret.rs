//! What does a notification say of a payment? Each kind has an object, and the object's transaction is the payment's
//! (kinds and fields: Braintree's libraries and <https://developer.paypal.com/braintree/docs/reference/general/webhooks>).

use roxmltree::Node;

use super::notification::{child, first_transaction, parse, subject, text};
use crate::domain::event::{Interpretation, Malformed, Recorded, References};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::{Currency, Decimal, Money};

/// What a kind says of its object.
#[derive(Clone, Copy)]
enum Says {
    /// Of a transaction, or of the newest of a subscription: a sale is a capture, a credit a refund.
    Transaction(State, &'static str),
    /// Of a dispute about a transaction.
    Dispute(State, &'static str),
    /// Of a local payment, whose transaction says how it stands.
    Local,
    /// Of a local payment that ended without money.
    LocalEnded(State, &'static str),
    /// Nothing that changes a payment.
    Nothing(&'static str),
}

/// Reads the event's facts. The same bytes give the same answer; nothing in them can make this panic.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    let xml = std::str::from_utf8(event.body);
    let xml = xml.map_err(|at| Malformed(format!("expected UTF-8, got other bytes after {}", at.valid_up_to())))?;
    let document = parse(xml)?;
    let says = says(event.kind);
    if let Says::Nothing(summary) = says {
        return Ok(Interpretation { summary: summary.to_owned(), ..Interpretation::default() });
    }
    let missing = || Malformed(format!("expected a subject in {}, got none", event.kind));
    let object = subject(document.root_element()).ok_or_else(missing)?;
    let transaction = match object.has_tag_name("transaction") {
        true => Some(object),
        false => first_transaction(object),
    };
    let reading = Reading { event, object, transaction };
    let (facts, summary) = match says {
        Says::Transaction(state, words) => reading.moved(state, words)?,
        Says::Dispute(state, words) => reading.dispute(state, words)?,
        Says::Local => reading.local()?,
        Says::LocalEnded(state, words) => reading.ended(state, words)?,
        Says::Nothing(summary) => (Vec::new(), summary.to_owned()),
    };
    Ok(Interpretation {
        references: reading.references(),
        facts,
        summary,
        customer: reading.customer(),
        awaits_completion: None,
    })
}

fn says(kind: &str) -> Says {
    match kind {
        "transaction_settled" => Says::Transaction(State::Succeeded, "settled"),
        "subscription_charged_successfully" => Says::Transaction(State::Succeeded, "charged to a subscription"),
        "transaction_settlement_declined" => Says::Transaction(State::Failed, "declined at settlement"),
        "subscription_charged_unsuccessfully" => Says::Transaction(State::Failed, "failed"),
        "refund_failed" => Says::Transaction(State::Failed, "failed, the money came back"),
        "transaction_retried" => Says::Transaction(State::Pending, "tried again"),
        "dispute_opened" => Says::Dispute(State::Open, "was opened"),
        "dispute_under_review" => Says::Dispute(State::Open, "is under review"),
        "dispute_disputed" => Says::Dispute(State::Open, "was answered with evidence"),
        "dispute_won" => Says::Dispute(State::Won, "was won"),
        "dispute_lost" => Says::Dispute(State::Lost, "was lost"),
        "dispute_accepted" => Says::Dispute(State::Lost, "was accepted"),
        "dispute_auto_accepted" => Says::Dispute(State::Lost, "was accepted by itself"),
        "dispute_expired" => Says::Dispute(State::Lost, "ran out of time"),
        "local_payment_completed" | "local_payment_funded" => Says::Local,
        "local_payment_expired" => Says::LocalEnded(State::Expired, "expired"),
        "local_payment_reversed" => Says::LocalEnded(State::Canceled, "was reversed"),
        "check" => Says::Nothing("a test notification sent from Braintree's Control Panel; nothing to do"),
        "transaction_disbursed" => Says::Nothing("a transaction was paid out to the merchant; nothing to do"),
        "transaction_reviewed" => Says::Nothing("a person reviewed a transaction; the transaction tells what follows"),
        _ if kind.starts_with("subscription_") => Says::Nothing("a subscription changed: kept for handlers"),
        _ => Says::Nothing("nothing about a payment: kept for handlers"),
    }
}

/// A notification's object, and the transaction that it is or has.
struct Reading<'a, 'i> {
    event: &'a Recorded<'a>,
    object: Node<'a, 'i>,
    transaction: Option<Node<'a, 'i>>,
}

type Statement = (Vec<Fact>, String);

impl<'a> Reading<'a, '_> {
    /// A transaction that ended so, or is on its way.
    fn moved(&self, state: State, words: &str) -> Result<Statement, Malformed> {
        let transaction = self.need_transaction()?;
        let id = need(transaction, "id")?;
        let (aspect, parent, what) = match text(transaction, "type") {
            Some("credit") => (Aspect::Refund, text(transaction, "refunded-transaction-id"), "refund"),
            _ if self.event.kind == "refund_failed" => (Aspect::Refund, None, "refund"),
            _ => (Aspect::Capture, None, "payment"),
        };
        let amount = money(transaction, "amount")?;
        let fact = with_money(self.fact(aspect, id, state), amount).with_parent(parent);
        Ok((vec![fact], sentence(format!("{what} {words}"), amount)))
    }

    fn dispute(&self, state: State, words: &str) -> Result<Statement, Malformed> {
        let id = need(self.object, "id")?;
        let amount = match money(self.object, "amount-disputed")? {
            Some(amount) => Some(amount),
            None => money(self.object, "amount")?,
        };
        let parent = self.transaction.and_then(|transaction| text(transaction, "id"));
        let fact = with_money(self.fact(Aspect::Dispute, id, state), amount).with_parent(parent);
        let reason = text(self.object, "reason").map(|reason| format!(" ({reason})")).unwrap_or_default();
        Ok((vec![fact], sentence(format!("dispute{reason} {words}"), amount)))
    }

    /// A local payment, by the status of its transaction.
    fn local(&self) -> Result<Statement, Malformed> {
        let Some(transaction) = self.transaction else {
            let payment = need(self.object, "payment-id")?;
            let fact = self.fact(Aspect::Checkout, payment, State::Pending);
            return Ok((vec![fact], "local payment completed by the customer, no transaction yet".to_owned()));
        };
        let (state, words) = match text(transaction, "status") {
            Some("settled" | "settlement_confirmed") => (State::Succeeded, "settled"),
            Some("failed" | "gateway_rejected" | "processor_declined" | "settlement_declined") => {
                (State::Failed, "failed")
            }
            Some("voided") => (State::Canceled, "was voided"),
            Some("authorization_expired") => (State::Expired, "expired"),
            _ => (State::Pending, "is on its way"),
        };
        let amount = money(transaction, "amount")?;
        let fact = with_money(self.fact(Aspect::Capture, need(transaction, "id")?, state), amount);
        Ok((vec![fact], sentence(format!("local payment {words}"), amount)))
    }

    /// A local payment that brought nothing, or whose money went back: then a person has to see how much.
    fn ended(&self, state: State, words: &str) -> Result<Statement, Malformed> {
        let mut facts = vec![self.fact(Aspect::Checkout, need(self.object, "payment-id")?, state)];
        if state == State::Canceled {
            facts.push(self.fact(Aspect::Concern, "money_reversed", State::Raised));
        }
        Ok((facts, format!("local payment {words}")))
    }

    fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        Fact::new(aspect, gateway_ref, state, self.event.occurred_at, self.event.id)
    }

    fn need_transaction(&self) -> Result<Node<'a, '_>, Malformed> {
        self.transaction.ok_or_else(|| Malformed(format!("expected a transaction in {}, got none", self.event.kind)))
    }

    /// A subscription's id is none of them: its payments share it.
    fn references(&self) -> References {
        let own = self.transaction.into_iter().flat_map(|transaction| {
            ["id", "refunded-transaction-id", "retried-transaction-id"]
                .into_iter()
                .filter_map(move |name| text(transaction, name))
        });
        let local = text(self.object, "payment-id");
        let tokens = self.transaction.and_then(|transaction| text(transaction, "order-id"));
        References {
            tokens: tokens.map(str::to_owned).into_iter().collect(),
            gateway_refs: own.chain(local).map(str::to_owned).collect(),
        }
    }

    fn customer(&self) -> Option<String> {
        text(child(self.transaction?, "customer")?, "email").map(str::to_owned)
    }
}

fn need<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, Malformed> {
    let what = node.tag_name().name();
    text(node, name).ok_or_else(|| Malformed(format!("expected `{name}` of a {what} to be an id, got none")))
}

/// The amount, a decimal number, with the object's currency; `None` where there is either missing, as in some of the
/// local payments' notifications.
fn money(node: Node<'_, '_>, name: &str) -> Result<Option<Money>, Malformed> {
    let (Some(amount), Some(code)) = (text(node, name), text(node, "currency-iso-code")) else { return Ok(None) };
    let currency = Currency::parse(code).map_err(|bad| Malformed(bad.to_string()))?;
    let decimal = Decimal::parse(amount).map_err(|bad| Malformed(bad.to_string()))?;
    let exact = decimal.exact(currency).filter(|_| !amount.contains(','));
    let minor = exact.ok_or_else(|| Malformed(format!("expected an amount of {currency}, got {amount:?}")))?;
    Ok(Some(Money::new(minor, currency)))
}

fn with_money(fact: Fact, amount: Option<Money>) -> Fact {
    match amount {
        Some(amount) => fact.with_amount(amount.minor, amount.currency),
        None => fact,
    }
}

fn sentence(what: String, amount: Option<Money>) -> String {
    match amount {
        Some(amount) => format!("{what}: {amount}"),
        None => what,
    }
}

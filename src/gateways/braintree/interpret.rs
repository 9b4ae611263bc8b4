//! Reads the facts of a notification. Each kind has an object, and the object's transaction belongs to the payment
//! (kinds and fields: Braintree's libraries and
//! <https://developer.paypal.com/braintree/docs/reference/general/webhooks>).

use roxmltree::Node;

use super::notification::{child, first_transaction, money, money_in, parse, subject, text};
use super::subscription;
use crate::domain::event::{Interpretation, Malformed, Recorded, References};
use crate::domain::explain::spaced;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::{GatewayRef, Token};
use crate::domain::money::Money;
use crate::domain::payer::Payer;
use crate::domain::{Timestamp, parse_rfc3339};
use crate::gateways::believed::unbelieved;

/// What a kind means for its object, with the words for the summary.
#[derive(Clone, Copy)]
enum Meaning {
    /// The state of a transaction, or of a subscription's newest one. A sale is a capture, a credit a refund.
    Transaction(State, &'static str),
    /// The state of a dispute about a transaction.
    Dispute(State, &'static str),
    /// A local payment, whose transaction has the state.
    LocalPayment,
    /// A local payment that ended without money.
    LocalPaymentEnded(State, &'static str),
    /// Nothing that changes a payment.
    Nothing(&'static str),
}

/// Reads the event's facts. `is_ours` says which merchants are believed. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(event: &Recorded<'_>, is_ours: impl Fn(&str) -> bool) -> Result<Interpretation, Malformed> {
    let xml = std::str::from_utf8(event.body);
    let xml = xml.map_err(|at| Malformed(format!("expected UTF-8, got other bytes after {}", at.valid_up_to())))?;
    let document = parse(xml)?;
    let meaning = meaning(event.kind);
    if let Meaning::Nothing(summary) = meaning
        && !event.kind.starts_with("subscription_")
    {
        return Ok(Interpretation { summary: summary.to_owned(), ..Interpretation::default() });
    }
    if let Some(stranger) = text(document.root_element(), "source-merchant-id").filter(|account| !is_ours(account)) {
        return Ok(unbelieved(format_args!("the merchant {stranger}")));
    }
    let missing = || Malformed(format!("expected a subject in {}, got none", event.kind));
    let object = subject(document.root_element()).ok_or_else(missing)?;
    let transaction = if object.has_tag_name("transaction") { Some(object) } else { first_transaction(object) };
    let notification = Notification { event, object, transaction };
    let of_subscription = object.has_tag_name("subscription");
    let subscription = of_subscription.then(|| subscription::read(event, object)).transpose()?.flatten();
    let (facts, summary) = match meaning {
        Meaning::Transaction(state, words) => notification.transaction(state, words)?,
        Meaning::Dispute(state, words) => notification.dispute(state, words)?,
        Meaning::LocalPayment => notification.local_payment()?,
        Meaning::LocalPaymentEnded(state, words) => notification.local_payment_ended(state, words)?,
        // A subscription's notification about none of its transactions.
        Meaning::Nothing(_) => {
            let status = text(object, "status").map(|status| format!("subscription {}", status.to_lowercase()));
            (Vec::new(), status.unwrap_or_else(|| spaced(event.kind)))
        }
    };
    Ok(Interpretation {
        references: if facts.is_empty() { References::default() } else { notification.references() },
        facts,
        summary,
        customer: notification.customer(),
        payer: Payer::default(),
        awaits_completion: None,
        is_link: false,
        object_to_fetch: None,
        account: None,
        subscription,
    })
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let read = || {
        let document = parse(std::str::from_utf8(event.body).ok()?).ok()?;
        let object = subject(document.root_element())?;
        let transaction = if object.has_tag_name("transaction") { Some(object) } else { first_transaction(object) };
        Some(Notification { event, object, transaction }.references())
    };
    read().unwrap_or_default()
}

fn meaning(kind: &str) -> Meaning {
    match kind {
        "transaction_settled" => Meaning::Transaction(State::Succeeded, "settled"),
        "subscription_charged_successfully" => Meaning::Transaction(State::Succeeded, "charged to a subscription"),
        "transaction_settlement_declined" => Meaning::Transaction(State::Failed, "declined at settlement"),
        "subscription_charged_unsuccessfully" => Meaning::Transaction(State::Failed, "failed"),
        "refund_failed" => Meaning::Transaction(State::Failed, "failed, the money came back"),
        "transaction_retried" => Meaning::Transaction(State::Pending, "tried again"),
        "dispute_opened" => Meaning::Dispute(State::Open, "was opened"),
        "dispute_under_review" => Meaning::Dispute(State::Open, "is under review"),
        "dispute_disputed" => Meaning::Dispute(State::Open, "was answered with evidence"),
        "dispute_won" => Meaning::Dispute(State::Won, "was won"),
        "dispute_lost" => Meaning::Dispute(State::Lost, "was lost"),
        "dispute_accepted" => Meaning::Dispute(State::Lost, "was accepted"),
        "dispute_auto_accepted" => Meaning::Dispute(State::Lost, "was accepted by itself"),
        "dispute_expired" => Meaning::Dispute(State::Lost, "ran out of time"),
        "local_payment_completed" | "local_payment_funded" => Meaning::LocalPayment,
        "local_payment_expired" => Meaning::LocalPaymentEnded(State::Expired, "expired"),
        "local_payment_reversed" => Meaning::LocalPaymentEnded(State::Canceled, "was reversed"),
        "check" => Meaning::Nothing("a test notification sent from Braintree's Control Panel; nothing to do"),
        "transaction_disbursed" => Meaning::Nothing("a transaction was paid out to the merchant; nothing to do"),
        "transaction_reviewed" => {
            Meaning::Nothing("a person reviewed a transaction; its own notifications report the result")
        }
        _ if kind.starts_with("subscription_") => Meaning::Nothing("a subscription changed"),
        _ => Meaning::Nothing("nothing about a payment: kept for handlers"),
    }
}

/// A notification's object, and the transaction that it is or contains.
struct Notification<'a, 'i> {
    event: &'a Recorded<'a>,
    object: Node<'a, 'i>,
    transaction: Option<Node<'a, 'i>>,
}

type Statement = (Vec<Fact>, String);

impl<'a> Notification<'a, '_> {
    /// Reads a transaction.
    fn transaction(&self, state: State, words: &str) -> Result<Statement, Malformed> {
        let transaction = self.need_transaction()?;
        let id = need(transaction, "id")?;
        let (aspect, parent, what) = match text(transaction, "type") {
            Some("credit") => (Aspect::Refund, text(transaction, "refunded-transaction-id"), "refund"),
            _ if self.event.kind == "refund_failed" => (Aspect::Refund, None, "refund"),
            _ => (Aspect::Capture, None, "payment"),
        };
        let amount = money(transaction, "amount")?;
        let mut facts = vec![with_money(self.fact(aspect, id, state), amount).with_parent(parent)];
        facts.extend(self.failed_attempt(&facts[0]));
        facts.extend(fee(transaction, &facts[0]));
        Ok((facts, sentence(format!("{what} {words}"), amount)))
    }

    /// Reads a dispute.
    fn dispute(&self, state: State, words: &str) -> Result<Statement, Malformed> {
        let id = need(self.object, "id")?;
        // A retrieval asks for documents and takes no money, also when nobody answers.
        let is_question = text(self.object, "kind").is_some_and(|kind| kind.eq_ignore_ascii_case("retrieval"));
        let state = if is_question && state == State::Lost { State::Closed } else { state };
        let amount = match money(self.object, "amount-disputed")? {
            Some(amount) => Some(amount),
            None => money(self.object, "amount")?,
        };
        let parent = self.transaction.and_then(|transaction| text(transaction, "id"));
        let fact = with_money(self.fact(Aspect::Dispute, id, state), amount).with_parent(parent);
        let fact = fact.with_until(text(self.object, "reply-by-date").and_then(end_of_day));
        let reason = text(self.object, "reason").map(str::to_owned);
        let why = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        Ok((vec![fact.with_reason(reason)], sentence(format!("dispute{why} {words}"), amount)))
    }

    /// Reads a local payment, by the status of its transaction.
    fn local_payment(&self) -> Result<Statement, Malformed> {
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
        let mut facts = vec![with_money(self.fact(Aspect::Capture, need(transaction, "id")?, state), amount)];
        facts.extend(self.failed_attempt(&facts[0]));
        facts.extend(fee(transaction, &facts[0]));
        Ok((facts, sentence(format!("local payment {words}"), amount)))
    }

    /// Reads a local payment that expired or was reversed. A reversal does not say how much money went back, so it also
    /// raises a concern.
    fn local_payment_ended(&self, state: State, words: &str) -> Result<Statement, Malformed> {
        let mut facts = vec![self.fact(Aspect::Checkout, need(self.object, "payment-id")?, state)];
        if state == State::Canceled {
            facts.push(self.fact(Aspect::Concern, "money_reversed", State::Raised));
        }
        Ok((facts, format!("local payment {words}")))
    }

    /// A failed capture is a failed attempt too, a register of its own: a transaction that had settled stays captured,
    /// and it must not pass unseen.
    fn failed_attempt(&self, fact: &Fact) -> Option<Fact> {
        let is_failed = (fact.aspect, fact.state) == (Aspect::Capture, State::Failed);
        is_failed.then(|| Fact { aspect: Aspect::Authorization, ..fact.clone() })
    }

    fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        Fact::new(aspect, gateway_ref, state, self.event.occurred_at, self.event.id)
    }

    fn need_transaction(&self) -> Result<Node<'a, '_>, Malformed> {
        self.transaction.ok_or_else(|| Malformed(format!("expected a transaction in {}, got none", self.event.kind)))
    }

    /// The ids of the payment. A subscription's id is not one of them, because its payments share it.
    fn references(&self) -> References {
        let transaction_ids = self.transaction.into_iter().flat_map(|transaction| {
            ["id", "refunded-transaction-id", "retried-transaction-id"]
                .into_iter()
                .filter_map(move |name| text(transaction, name))
        });
        let local_payment_id = text(self.object, "payment-id");
        let tokens = self.transaction.and_then(|transaction| text(transaction, "order-id"));
        References {
            tokens: tokens.map(Token::from).into_iter().collect(),
            gateway_refs: transaction_ids.chain(local_payment_id).map(GatewayRef::from).collect(),
        }
    }

    fn customer(&self) -> Option<String> {
        text(child(self.transaction?, "customer")?, "email").map(str::to_owned)
    }
}

/// What PayPal keeps of a transaction that was made with it, or gives back with a refund: the details of such a payment say
/// so. What Braintree itself keeps is in its reports alone. Nothing else depends on it, so what can't be read is left out.
fn fee(transaction: Node<'_, '_>, moved: &Fact) -> Option<Fact> {
    let (name, sign) = match (moved.aspect, moved.state) {
        (Aspect::Capture, State::Succeeded) => ("transaction-fee", 1),
        (Aspect::Refund, State::Succeeded) => ("refund-from-transaction-fee", -1),
        _ => return None,
    };
    let (amount, currency) = (format!("{name}-amount"), format!("{name}-currency-iso-code"));
    let fee = transaction.children().find_map(|details| money_in(details, &amount, &currency).ok()?)?;
    (fee.minor > 0).then(|| moved.fee(sign * fee.minor, fee.currency))
}

fn need<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, Malformed> {
    let what = node.tag_name().name();
    text(node, name).ok_or_else(|| Malformed(format!("expected `{name}` of a {what} to be an id, got none")))
}

/// The end of a day, which Braintree gives as a date.
fn end_of_day(text: &str) -> Option<Timestamp> {
    parse_rfc3339(&format!("{text}T23:59:59Z"))
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

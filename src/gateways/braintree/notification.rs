//! Reads the XML of a notification. Braintree gives its notifications no id, so one is made of what stays the same when
//! a notification is sent again: the kind, the time, and the object's id and status.

use roxmltree::{Document, Node, ParsingOptions};
use sha2::{Digest, Sha256};

use crate::domain::delivery::Rejection;
use crate::domain::event::{Envelope, Malformed, Verified, storable};
use crate::domain::hex::hex;
use crate::domain::money::{Currency, Decimal, Money};
use crate::domain::parse_rfc3339;
use crate::gateways::TEST_KIND;

/// The most XML nodes that are read. A report of many subscriptions has some thousands.
const NODE_LIMIT: u32 = 100_000;
/// The label of the only pair of keys.
pub(super) const LABEL: &str = "primary";

/// The kind of answers to our own questions about a subscription. Braintree sends no such kind.
pub(super) const ANSWERED: &str = "subscription_answered";

/// Parses the XML text. A document type, and with it custom entities, is refused.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Malformed> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODE_LIMIT, ..ParsingOptions::default() };
    let read = Document::parse_with_options(text, options);
    let document = read.map_err(|bad| Malformed(format!("expected a notification as XML: {bad}")))?;
    if !document.root_element().has_tag_name("notification") {
        return Err(Malformed("expected a notification as XML, got another element".to_owned()));
    }
    Ok(document)
}

/// The child element with this name. Names have hyphens, in some of Braintree's samples underscores.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.is_element() && child.tag_name().name().replace('_', "-") == name)
}

/// The text of the child element with this name, if it is [`storable`].
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| storable(text))
}

/// The object that the notification is about. Braintree wraps it in another element when it reports an error.
pub(super) fn subject<'a, 'i>(notification: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let subject = child(notification, "subject")?;
    child(subject, "api-error-response").unwrap_or(subject).first_element_child()
}

/// The event in a genuine notification.
pub(super) fn envelope(xml: Vec<u8>, live: bool) -> Result<Verified, Rejection> {
    let event = read(xml, live).ok_or(Rejection::BodyMalformed)?;
    Ok(Verified { events: vec![event], secret: Some(LABEL.to_owned()), skew_seconds: None })
}

fn read(xml: Vec<u8>, live: bool) -> Option<Envelope> {
    let document = parse(std::str::from_utf8(&xml).ok()?).ok()?;
    let notification = document.root_element();
    let kind = text(notification, "kind")?.to_owned();
    let time = text(notification, "timestamp");
    let occurred_at = time.and_then(parse_rfc3339);
    let account = text(notification, "source-merchant-id").map(str::to_owned);
    let id = id(notification, &kind, time).unwrap_or_else(|| digest(&xml));
    drop(document);
    Some(Envelope { id, kind, occurred_at, livemode: Some(live), account, api_version: None, body: xml.into() })
}

fn id(notification: Node<'_, '_>, kind: &str, time: Option<&str>) -> Option<String> {
    let subject = subject(notification)?;
    let object = ["id", "transaction-id", "payment-id"].iter().find_map(|name| text(subject, name))?;
    if kind == TEST_KIND {
        return Some(object.to_owned());
    }
    let status = text(subject, "status").unwrap_or("-");
    // A subscription's own id and status do not change from one of its transactions to the next.
    let part = first_transaction(subject).and_then(|transaction| text(transaction, "id")).unwrap_or("-");
    let id = format!("{kind}:{}:{object}:{part}:{status}", time?);
    storable(&id).then_some(id)
}

/// The subject's transaction. A subscription has several; the newest comes first.
pub(super) fn first_transaction<'a, 'i>(subject: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let list = child(subject, "transactions").and_then(|list| child(list, "transaction"));
    list.or_else(|| child(subject, "transaction"))
}

/// The amount in the element `name`, with the node's currency; `None` if either is missing, as in some notifications
/// about local payments.
pub(super) fn money(node: Node<'_, '_>, name: &str) -> Result<Option<Money>, Malformed> {
    money_in(node, name, "currency-iso-code")
}

/// The amount in the field `name`, whose currency is in the field `currency`.
pub(super) fn money_in(node: Node<'_, '_>, name: &str, currency: &str) -> Result<Option<Money>, Malformed> {
    let (Some(amount), Some(code)) = (text(node, name), text(node, currency)) else { return Ok(None) };
    let currency = Currency::parse(code).map_err(|bad| Malformed(bad.to_string()))?;
    let decimal = Decimal::parse(amount).map_err(|bad| Malformed(bad.to_string()))?;
    let exact = decimal.exact(currency).filter(|_| !amount.contains(','));
    let minor = exact.ok_or_else(|| Malformed(format!("expected an amount of {currency}, got {amount:?}")))?;
    Ok(Some(Money::new(minor, currency)))
}

fn digest(xml: &[u8]) -> String {
    hex(&Sha256::digest(xml))
}

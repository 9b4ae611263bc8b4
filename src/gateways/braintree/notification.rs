//! What stands in a notification's XML, and which event is it? Braintree gives its notifications no id, so one is
//! made of what stays the same when it sends one again: kind, time, the object's id and status.

use roxmltree::{Document, Node, ParsingOptions};
use sha2::{Digest, Sha256};

use crate::domain::delivery::Rejection;
use crate::domain::event::{Envelope, Malformed, Verified, storable};
use crate::domain::moment_of;
use crate::gateways::TEST_KIND;

/// The most elements and texts that are read; a report of many subscriptions has some thousands.
const NODES: u32 = 100_000;
/// What the one pair of keys is called on events.
pub(super) const LABEL: &str = "primary";

/// Reads the XML text; a document type, and with it every entity of its own, is refused.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Malformed> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..ParsingOptions::default() };
    let read = Document::parse_with_options(text, options);
    let document = read.map_err(|bad| Malformed(format!("expected a notification as XML: {bad}")))?;
    match document.root_element().has_tag_name("notification") {
        true => Ok(document),
        false => Err(Malformed("expected a notification as XML, got another element".to_owned())),
    }
}

/// The element of this name directly below; names are written with hyphens, in some samples with underscores.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.is_element() && child.tag_name().name().replace('_', "-") == name)
}

/// The text of that element, if it is short and there is any.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| storable(text))
}

/// What the notification is about. Braintree wraps it once more when it tells of an error.
pub(super) fn subject<'a, 'i>(notification: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let subject = child(notification, "subject")?;
    child(subject, "api-error-response").unwrap_or(subject).first_element_child()
}

/// The one event of a genuine notification.
pub(super) fn envelope(xml: Vec<u8>, live: bool) -> Result<Verified, Rejection> {
    let event = read(xml, live).ok_or(Rejection::BodyMalformed)?;
    Ok(Verified { events: vec![event], secret: Some(LABEL.to_owned()), skew_seconds: None })
}

fn read(xml: Vec<u8>, live: bool) -> Option<Envelope> {
    let document = parse(std::str::from_utf8(&xml).ok()?).ok()?;
    let notification = document.root_element();
    let kind = text(notification, "kind")?.to_owned();
    let time = text(notification, "timestamp");
    let occurred_at = time.and_then(moment_of);
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
    // A subscription's own id and status are the same for each of its transactions.
    let part = first_transaction(subject).and_then(|transaction| text(transaction, "id")).unwrap_or("-");
    let id = format!("{kind}:{}:{object}:{part}:{status}", time?);
    storable(&id).then_some(id)
}

/// The subject's transaction; of a subscription's, the newest, which comes first.
pub(super) fn first_transaction<'a, 'i>(subject: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let list = child(subject, "transactions").and_then(|list| child(list, "transaction"));
    list.or_else(|| child(subject, "transaction"))
}

fn digest(xml: &[u8]) -> String {
    Sha256::digest(xml).iter().map(|byte| format!("{byte:02x}")).collect()
}

//! The signed fields of a link to the checkout page. The page keeps no state, so the link contains everything; without
//! the signature, a customer could change the price.

use crate::domain::money::{Currency, Money};
use crate::gateways::signature::{self, Secret};
use crate::gateways::{CaptureMethod, PaymentRequest};

/// The names of the signed fields, in the order in which they are signed.
const NAMES: [&str; 7] = ["payment", "reference", "amount", "currency", "return", "cancel", "capture"];

/// The value of `capture` when the money is only authorized.
const MANUAL: &str = "manual";

/// The name of the field that contains the signature.
const SIGNATURE: &str = "signature";

/// What is signed in the place where an event's signature has its time. A time consists of digits, so the signature of
/// a link is never valid for an event, nor the other way round.
const PURPOSE: &str = "checkout";

/// A payment on the checkout page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkout {
    pub(super) token: String,
    pub(super) reference: Option<String>,
    pub(super) amount: Money,
    pub(super) return_url: Option<String>,
    pub(super) cancel_url: Option<String>,
    pub(super) capture: CaptureMethod,
}

impl Checkout {
    pub(super) fn new(payment: &PaymentRequest) -> Self {
        Self {
            token: payment.token.to_string(),
            reference: payment.reference.as_ref().map(String::from),
            amount: payment.amount,
            return_url: payment.return_url.clone(),
            cancel_url: payment.cancel_url.clone(),
            capture: payment.capture,
        }
    }

    /// The fields of a link or a form, with their signature as the last.
    pub(super) fn signed_fields(&self, secret: &Secret) -> Vec<(String, String)> {
        let values = [
            Some(self.token.clone()),
            self.reference.clone(),
            Some(self.amount.minor.to_string()),
            Some(self.amount.currency.to_string()),
            self.return_url.clone(),
            self.cancel_url.clone(),
            (self.capture == CaptureMethod::Manual).then(|| MANUAL.to_owned()),
        ];
        let fields = NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name.to_owned(), value?)));
        signed(secret, PURPOSE, fields.collect())
    }

    /// Reads the fields that the browser sent back; `None` if [`Checkout::signed_fields`] did not make them.
    pub(super) fn read(secret: &Secret, fields: &[(String, String)]) -> Option<Self> {
        let known = genuine(secret, PURPOSE, &NAMES, fields)?;
        let field = |name| value(&known, name).map(str::to_owned);
        let is_manual = field("capture").as_deref() == Some(MANUAL);
        let currency = Currency::parse(&field("currency")?).ok()?;
        Some(Self {
            token: field("payment")?,
            reference: field("reference"),
            amount: Money::new(field("amount")?.parse().ok()?, currency),
            return_url: field("return"),
            cancel_url: field("cancel"),
            capture: if is_manual { CaptureMethod::Manual } else { CaptureMethod::Immediate },
        })
    }
}

/// The first value with this name.
pub(super) fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

/// The fields with their signature as the last. The purpose keeps the fields of one page from being another's.
pub(super) fn signed(secret: &Secret, purpose: &str, mut fields: Vec<(String, String)>) -> Vec<(String, String)> {
    fields.push((SIGNATURE.to_owned(), sign(secret, purpose, &fields)));
    fields
}

/// The fields with these names, if [`signed`] signed them.
pub(super) fn genuine(
    secret: &Secret,
    purpose: &str,
    names: &[&str],
    fields: &[(String, String)],
) -> Option<Vec<(String, String)>> {
    let known: Vec<_> =
        names.iter().filter_map(|name| Some(((*name).to_owned(), value(fields, name)?.to_owned()))).collect();
    let given = value(fields, SIGNATURE)?;
    // Anybody could sign with a blank secret.
    let is_genuine =
        !secret.is_blank() && signature::constant_time_eq(&sign(secret, purpose, &known), given.as_bytes());
    is_genuine.then_some(known)
}

/// Signs the encoded fields, so that no value can be read as part of the next field.
fn sign(secret: &Secret, purpose: &str, fields: &[(String, String)]) -> String {
    signature::sign(secret, purpose, encode(fields).as_bytes())
}

/// The fields as a query string.
pub(super) fn encode(fields: &[(String, String)]) -> String {
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

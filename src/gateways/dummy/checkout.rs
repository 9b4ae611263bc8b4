//! What does a link to the checkout page carry, and is it unaltered? The page remembers nothing, so the link
//! holds all of it under a signature; without one, a customer could set the price.

use crate::domain::money::{Currency, Money};
use crate::gateways::signature::{self, Secret};
use crate::gateways::{Capture, Order};

/// The names of the fields under the signature, in the order in which they are signed.
const NAMES: [&str; 7] = ["payment", "reference", "amount", "currency", "return", "cancel", "capture"];

/// The value of the last of them where the money is only authorized.
const MANUAL: &str = "manual";

/// The name of the field that holds the signature.
const SIGNATURE: &str = "signature";

/// What stands where an event's signature has its time. A time is all digits, so a signed link can never be
/// passed off as a signed event, nor the other way round.
const PURPOSE: &str = "checkout";

/// One payment on its way through the checkout page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkout {
    pub(super) token: String,
    pub(super) reference: Option<String>,
    pub(super) amount: Money,
    pub(super) return_url: Option<String>,
    pub(super) cancel_url: Option<String>,
    pub(super) capture: Capture,
}

impl Checkout {
    pub(super) fn of(order: &Order) -> Self {
        Self {
            token: order.token.clone(),
            reference: order.reference.clone(),
            amount: order.amount,
            return_url: order.return_url.clone(),
            cancel_url: order.cancel_url.clone(),
            capture: order.capture,
        }
    }

    /// The fields as a link or a form carries them, their signature last.
    pub(super) fn signed_fields(&self, secret: &Secret) -> Vec<(String, String)> {
        let values = [
            Some(self.token.clone()),
            self.reference.clone(),
            Some(self.amount.minor.to_string()),
            Some(self.amount.currency.to_string()),
            self.return_url.clone(),
            self.cancel_url.clone(),
            (self.capture == Capture::Manual).then(|| MANUAL.to_owned()),
        ];
        let mut fields: Vec<_> =
            NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        fields.push((SIGNATURE.to_owned(), sign(secret, &fields)));
        fields
    }

    /// Reads what came back from the browser; `None` when it is not what [`Checkout::signed_fields`] gave out.
    pub(super) fn read(secret: &Secret, fields: &[(String, String)]) -> Option<Self> {
        let known: Vec<_> =
            NAMES.into_iter().filter_map(|name| Some((name.to_owned(), value(fields, name)?.to_owned()))).collect();
        // Anybody could sign with a blank secret.
        let given = value(fields, SIGNATURE)?;
        if secret.is_blank() || !signature::same(&sign(secret, &known), given.as_bytes()) {
            return None;
        }
        let field = |name| value(&known, name).map(str::to_owned);
        let currency = Currency::parse(&field("currency")?).ok()?;
        Some(Self {
            token: field("payment")?,
            reference: field("reference"),
            amount: Money::new(field("amount")?.parse().ok()?, currency),
            return_url: field("return"),
            cancel_url: field("cancel"),
            capture: if field("capture").as_deref() == Some(MANUAL) { Capture::Manual } else { Capture::Immediate },
        })
    }
}

/// The first value of this name.
pub(super) fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

/// The signature is made over the encoded fields, in which no value can look like the next field.
fn sign(secret: &Secret, fields: &[(String, String)]) -> String {
    signature::sign(secret, PURPOSE, encode(fields).as_bytes())
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

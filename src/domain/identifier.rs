//! The texts by which payments, variants and gateways' objects are known: a type each, so that none is taken for
//! another.
//!
//! ```
//! use actix_payments::{GatewayRef, Reference, Token, VariantName};
//!
//! let (token, order) = (Token::from("pay_1"), Reference::from("order-10042"));
//! let intent = GatewayRef::from("pi_3Pb");
//! assert_eq!(format!("{order} is {token}, here {intent}"), "order-10042 is pay_1, here pi_3Pb");
//! // Reading text from strangers:
//! assert!("stripe-eu".parse::<VariantName>().is_ok());
//! let error = "Stripe EU".parse::<VariantName>().unwrap_err();
//! assert!(error.to_string().starts_with("expected a variant name"));
//! ```

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest id, kind or other short text, in characters. Longer ones do not fit their columns.
const MAX_CHARS: usize = 255;
/// The longest name of a variant or handler.
const NAME_LENGTH: usize = 64;
/// Names that the routes need for themselves.
const RESERVED: [&str; 3] = ["admin", "process", "static"];

/// Whether a text can be stored as an id, kind or reference: 1 to 255 characters and no control characters. (Postgres
/// does not accept NUL.)
pub(crate) fn storable(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_CHARS && !text.chars().any(char::is_control)
}

/// Whether a database can be asked for a text, whoever it comes from. One with a NUL is in no row, and Postgres refuses
/// the question.
pub(crate) fn searchable(text: &str) -> bool {
    !text.contains('\0')
}

/// A stranger's text as a database can be asked for it. What NULs become is in no row either, as no control character is.
pub(crate) fn asked(text: impl Into<String>) -> String {
    text.into().replace('\0', "\u{1}")
}

/// Whether a text can be a name that a host gives a variant or handler, which ends up in addresses, rows and logs.
pub(crate) fn slug(what: &str, name: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edges = name.starts_with('-') || name.ends_with('-');
    if name.is_empty() || name.len() > NAME_LENGTH || edges || !name.chars().all(good) {
        return Err(format!(
            "expected a {what} name of 1 to {NAME_LENGTH} lower-case letters, digits and inner hyphens, got {name:?}"
        ));
    }
    Ok(())
}

fn short(what: &str, text: &str) -> Result<(), String> {
    if storable(text) {
        return Ok(());
    }
    let got: String = text.chars().take(40).collect();
    Err(format!("expected {what} of 1 to {MAX_CHARS} characters without control characters, got {got:?}"))
}

/// The error for a text that can't be what it was parsed as; it says what was expected.
///
/// See the [module](self) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdentifierError(String);

impl fmt::Display for ParseIdentifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseIdentifierError {}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident: $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Checks a text that was taken unseen.
            pub(crate) fn check(&self) -> Result<(), String> {
                ($check)(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdentifierError;

            fn from_str(text: &str) -> Result<Self, ParseIdentifierError> {
                let parsed = Self(text.to_owned());
                parsed.check().map_err(ParseIdentifierError)?;
                Ok(parsed)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                Self(text.clone())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<&Self> for $name {
            fn from(other: &Self) -> Self {
                other.clone()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl From<&$name> for String {
            fn from(name: &$name) -> Self {
                name.0.clone()
            }
        }

        equal!($name: str, &str, String);
    )*};
}

macro_rules! equal {
    ($name:ident: $($text:ty),*) => {$(
        impl PartialEq<$text> for $name {
            fn eq(&self, text: &$text) -> bool {
                let text: &str = text.as_ref();
                self.as_str() == text
            }
        }

        impl PartialEq<$name> for $text {
            fn eq(&self, name: &$name) -> bool {
                name == self
            }
        }
    )*};
}

identifiers! {
    /// Our public id of a payment or subscription, which its gateway is sent. `From` takes any text, as reading does: one
    /// that is nobody's finds nothing. [`Payments::payment`](crate::Payments::payment) has an example that reads one
    /// from an address.
    Token: |text| short("a token", text);
    /// The host's own id of what is paid for: its order number. `From` takes any text;
    /// [`Payments::create`](crate::Payments::create) refuses one that can't be stored, as `FromStr` does. See the
    /// [module](self) for an example.
    Reference: |text| short("a reference", text);
    /// A gateway's id of one of its objects: a payment's `pi_3Pb…`, a customer's `cus_N…`. `From` takes any text, since
    /// gateways make them: one that no object has finds nothing, and by one that `FromStr` refuses no event finds its
    /// payment or subscription. See the [module](self) for an example.
    GatewayRef: |text| short("a gateway's id", text);
    /// The name of a variant, a part of its address: `stripe-eu`. `From` takes any text;
    /// [`Builder::build`](crate::Builder::build) refuses one that can't be a name, as `FromStr` does, and no variant is
    /// found under it. See the [module](self) for an example.
    VariantName: variant_name;
}

fn variant_name(name: &str) -> Result<(), String> {
    slug("variant", name)?;
    if RESERVED.contains(&name) {
        return Err(format!("expected a variant name other than the reserved {}, got {name:?}", RESERVED.join(", ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn an_identifier_is_written_as_the_text_it_was_read_from() {
        let token: Token = "pay_1".parse().expect("a token");
        assert_eq!(
            (token.to_string(), format!("{token:?}"), format!("{token:>7}")),
            ("pay_1".into(), "\"pay_1\"".into(), "  pay_1".into())
        );
        assert_eq!(serde_json::to_string(&token).expect("JSON"), "\"pay_1\"");
        assert_eq!(serde_json::from_str::<Token>("\"pay_1\"").expect("a token"), token);
    }

    #[test]
    fn a_text_that_can_not_be_stored_is_refused_with_what_was_expected() {
        let message = |text: &str| text.parse::<Reference>().expect_err("refused").to_string();
        let expected = "expected a reference of 1 to 255 characters without control characters, got ";
        assert_eq!(message(""), format!("{expected}\"\""));
        assert_eq!(message("a\0b"), format!("{expected}\"a\\0b\""));
        assert_eq!(message(&"x".repeat(256)), format!("{expected}{:?}", "x".repeat(40)));
        assert!("ö".repeat(255).parse::<Reference>().is_ok());
        assert!("".parse::<Token>().is_err());
        let error = "pi_\n".parse::<GatewayRef>().expect_err("refused").to_string();
        assert!(error.starts_with("expected a gateway's id of 1 to 255 characters"), "{error}");
    }

    #[test]
    fn the_name_of_a_variant_is_a_part_of_addresses() {
        assert_eq!("stripe-eu".parse::<VariantName>().expect("a name"), "stripe-eu");
        for bad in ["", "Stripe", "-eu", "a/b", "admin", &"x".repeat(65)] {
            let error = bad.parse::<VariantName>().expect_err("refused").to_string();
            assert!(error.starts_with("expected a variant name o"), "{error}");
        }
    }

    #[test]
    fn reading_never_validates() {
        assert_eq!(Token::from("").as_str(), "");
        assert_eq!(serde_json::from_str::<VariantName>("\"Old Name\"").expect("a text"), "Old Name");
    }

    #[test]
    fn a_map_by_identifiers_is_asked_with_a_text() {
        let map = HashMap::from([(Token::from("pay_1"), 1)]);
        assert_eq!(map.get("pay_1"), Some(&1));
    }
}

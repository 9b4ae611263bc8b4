//! The words by which values are known in tables, pages and programs: written by `Display`, read by `FromStr`.
//!
//! ```
//! use actix_payments::domain::payment::Status;
//!
//! assert_eq!(Status::Paid.to_string(), "paid");
//! assert_eq!("paid".parse(), Ok(Status::Paid));
//! let error = "settled".parse::<Status>().unwrap_err();
//! assert!(error.to_string().ends_with("got \"settled\""));
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::difference::DriftSubject;
use super::event::{EventState, Source};
use super::fact::{Aspect, State};
use super::money::{Currency, ParseCurrencyError};
use super::operation::{SubscriptionVerb, Verb};
use super::payment::{MovementKind, Status};
use super::subscription::SubscriptionStatus;

/// The error for a text that is none of the words of its kind.
///
/// See the [module](self) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseWordError {
    kind: &'static str,
    words: String,
    got: String,
}

impl fmt::Display for ParseWordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, one of {}; got {:?}", self.kind, self.words, self.got)
    }
}

impl std::error::Error for ParseWordError {}

macro_rules! read {
    ($($words:ty: $kind:literal,)*) => {$(
        impl FromStr for $words {
            type Err = ParseWordError;

            fn from_str(text: &str) -> Result<Self, ParseWordError> {
                Self::parse(text).ok_or_else(|| {
                    let words = Self::ALL.map(Self::as_str).join(", ");
                    ParseWordError { kind: $kind, words, got: text.chars().take(40).collect() }
                })
            }
        }
    )*};
}

read! {
    Aspect: "what a fact is about",
    DriftSubject: "what can differ",
    EventState: "the state of an event",
    MovementKind: "a kind of movement",
    Source: "where an event came from",
    State: "the state of a fact",
    Status: "the status of a payment",
    SubscriptionStatus: "the status of a subscription",
    SubscriptionVerb: "what can be done with a subscription",
    Verb: "what can be done with a payment",
}

macro_rules! written {
    ($($words:ty,)*) => {$(
        impl fmt::Display for $words {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )*};
}

written! { Aspect, DriftSubject, EventState, MovementKind, Source, State, SubscriptionVerb, Verb, }

macro_rules! serialized {
    ($($words:ty,)*) => {$(
        impl Serialize for $words {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )*};
}

serialized! { Currency, EventState, MovementKind, Source, State, Status, }

impl FromStr for Currency {
    type Err = ParseCurrencyError;

    fn from_str(code: &str) -> Result<Self, ParseCurrencyError> {
        Self::parse(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_it_is_written() {
        for status in Status::ALL {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        for verb in Verb::ALL {
            assert_eq!(verb.to_string().parse(), Ok(verb));
        }
        assert_eq!("eur".parse(), Ok(Currency::EUR));
    }

    #[test]
    fn an_unknown_word_is_an_error_that_names_the_known_ones() {
        let error = "gone".parse::<Source>().expect_err("no source");
        let said = "expected where an event came from, one of delivery, operator, answer, listing; got \"gone\"";
        assert_eq!(error.to_string(), said);
    }
}

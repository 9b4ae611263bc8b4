//! A person whose data is exported or erased: how a host names one, and by what somebody is recognised.
//!
//! See [`Person`] for an example.

mod body;
mod leaf;
mod names;
mod recognition;
mod scrub;

use super::identifier::{Token, asked};
pub use body::reduced;
pub(crate) use body::{customers, is_reduced, personal_texts, recognised};
pub(crate) use names::Names;
pub(crate) use recognition::Trait;
pub(crate) use scrub::{Words, scrubbed};

/// A person, by one thing that names them; for [`Payments::export`](crate::Payments::export) and
/// [`Payments::erase`](crate::Payments::erase).
///
/// ```
/// use actix_payments::Person;
///
/// let mia = Person::email("mia@shop.example");
/// let customer = Person::customer("cus_1");
/// let buyer = Person::payment("pay_1");
/// # drop((mia, customer, buyer));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub(crate) by: NamedBy,
    pub(crate) text: String,
}

/// What kind of thing names a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedBy {
    Email,
    Customer,
    Payment,
}

impl NamedBy {
    pub(crate) const ALL: [Self; 3] = [Self::Email, Self::Customer, Self::Payment];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Customer => "customer",
            Self::Payment => "payment",
        }
    }
}

impl Person {
    /// The person with this email address. The case of A to Z makes no difference.
    pub fn email(address: impl Into<String>) -> Self {
        Self::named(NamedBy::Email, address)
    }

    /// The person with this customer id: the gateway's id of the customer, or the host's own id of a subscription's
    /// owner.
    pub fn customer(id: impl Into<String>) -> Self {
        Self::named(NamedBy::Customer, id)
    }

    /// The person who paid the payment with this token, with all their other payments and subscriptions, if the payment
    /// says who paid.
    pub fn payment(token: impl Into<Token>) -> Self {
        Self::named(NamedBy::Payment, token.into())
    }

    pub(crate) fn named(by: NamedBy, text: impl Into<String>) -> Self {
        let text = asked(text);
        Self { by, text: text.trim().to_owned() }
    }
}

//! What a host can do for a person who asks what is known of them, or to be forgotten.

use super::Payments;
use crate::domain::person::Person;
use crate::engine::request::Requester;
use crate::error::Error;
use crate::operations::Erased;

/// Persons.
impl Payments {
    /// Everything that is stored about a person, as one JSON document: `person`, `exported_at`, and a list for each
    /// table, under the table's name without `pay_`. Amounts are in minor units of their currency, times are UTC. It
    /// reads every stored body, which takes a minute or so for each million.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::gateways::dummy::Kind;
    /// use actix_payments::Person;
    ///
    /// # order(&payments, Kind::Paid).await?;
    /// let person = Person::email("mia@shop.example");
    /// let document = payments.export(&person).await?;
    /// assert!(document.contains("order-10042"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `Refused` for an empty name, `NotFound` for an unknown payment, and what the database says.
    pub async fn export(&self, person: &Person) -> Result<String, Error> {
        self.0.export(person.clone()).await
    }

    /// Erases a person: names, addresses, free texts, and the bodies of their events are deleted. Amounts, times,
    /// states and ids stay, so that the books still add up, and a row of the audit records the erasure. Personal data
    /// that comes later is recognised by [`Builder::erasure_key`](crate::Builder::erasure_key) and removed before it is
    /// stored, even if the person buys again. Bodies of unfinished events, and of other people's events that name the
    /// person, stay without the personal data.
    ///
    /// It reads every stored body, which takes about a minute for each million. Other writers wait during its first
    /// moment, and on SQLite for some seconds at its end. It can't be undone. The data in the app's own tables, backups
    /// and logs and at the gateway is not touched.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::gateways::dummy::Kind;
    /// use actix_payments::Person;
    ///
    /// # let payment = order(&payments, Kind::Paid).await?;
    /// let erased = payments.erase(&Person::email("mia@shop.example")).await?;
    /// assert_eq!((erased.payments, erased.left), (1, None));
    /// assert_eq!(payments.payment(&payment.token).await?.unwrap().customer, None);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `Refused` without a key or a name, `NotFound` for an unknown payment, and what the database says; what was erased
    /// before stays erased, and a worker does the rest.
    pub async fn erase(&self, person: &Person) -> Result<Erased, Error> {
        self.0.erase(person.clone(), Requester::Host).await
    }
}

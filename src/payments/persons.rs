//! What a host can do for a person who asks what is known of them, or to be forgotten.

use super::Payments;
use crate::domain::person::Person;
use crate::engine::request::Requester;
use crate::error::Error;
use crate::operations::Erased;

/// Persons.
impl Payments {
    /// All that is held of a person, one JSON document: `person`, `exported_at`, and for each kind of row a list, named as
    /// its table without `pay_`. Amounts are in minor units of their currency, times are UTC. It reads every stored body,
    /// which takes a minute or so for each million.
    ///
    /// # Errors
    /// `Refused` for an empty name, `NotFound` for an unknown payment, and what the database says.
    pub async fn export(&self, person: &Person) -> Result<String, Error> {
        self.0.export(person.clone()).await
    }

    /// Erases a person: names, addresses, free texts, and the bodies of their events go; amounts, times, states and ids
    /// stay, so that the books still add up, and a row of the audit says so. What comes of the person later is recognised
    /// by [`Builder::erasure_key`](crate::Builder::erasure_key) and reduced alike before it is stored, also where they buy
    /// again. Bodies of events that are not done yet, and of others' events that name the person, are reduced and stay.
    ///
    /// It reads every stored body, which takes a minute or so for each million, holds up other writers for the first
    /// moment of it, and on SQLite for some seconds at its end. It can't be taken back. What the app, its backups, its logs
    /// and the gateway keep is not its business.
    ///
    /// # Errors
    /// `Refused` without a key or a name, `NotFound` for an unknown payment, and what the database says; what was erased
    /// before stays erased, and a worker does the rest.
    pub async fn erase(&self, person: &Person) -> Result<Erased, Error> {
        self.0.erase(person.clone(), Requester::Host).await
    }
}

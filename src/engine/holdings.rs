//! What is held of a person: their payments and subscriptions, found from one thing that names them by what those say
//! besides, and the events of both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Engine;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::person::{NamedBy, Names, Person, customers, recognised};
use crate::engine::find;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::persons::Whose;
use crate::store::rows::PaymentRow;
use crate::store::subscriptions::SubscriptionRow;
use crate::store::words::Subject;

/// How many payments and subscriptions one name finds at the most.
const MOST: i64 = 10_000;
/// How many bodies are read at a time.
const BODIES: i64 = 200;

/// What is held of a person.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    pub names: Names,
    pub payments: Vec<PaymentRow>,
    pub subscriptions: Vec<SubscriptionRow>,
    /// The events of both, and others that name the person, in the order of their ids.
    pub events: Vec<EventId>,
    /// The questions to gateways that the events began or joined.
    pub fetches: Vec<i64>,
    /// What of both stands otherwise at the gateway.
    pub differences: Vec<i64>,
}

impl Holdings {
    /// The numbers of the rows that are of one kind.
    pub(crate) fn ids(&self, whose: Whose) -> Vec<i64> {
        match whose {
            Whose::Payments => self.payments.iter().map(|row| row.id.0).collect(),
            Whose::Subscriptions => self.subscriptions.iter().map(|row| row.id.0).collect(),
            Whose::Events => self.events.iter().map(|id| id.0).collect(),
            Whose::Fetches => self.fetches.clone(),
            Whose::Differences => self.differences.clone(),
        }
    }

    /// The payments by whose words these are found: their own, and those that absorbed them, which have their notes.
    pub(crate) fn searched(&self) -> Vec<i64> {
        let own = self.payments.iter().map(|row| row.id.0);
        own.chain(self.payments.iter().filter_map(|row| Some(row.absorbed_by?.0))).collect()
    }

    /// `2 payments, no subscriptions and 7 events`
    pub(crate) fn sentence(&self) -> String {
        let of = |count: usize, one: &str| match count {
            0 => format!("no {one}s"),
            1 => format!("1 {one}"),
            count => format!("{count} {one}s"),
        };
        let [payments, subscriptions, events] = [self.payments.len(), self.subscriptions.len(), self.events.len()];
        let (payments, subscriptions) = (of(payments, "payment"), of(subscriptions, "subscription"));
        format!("{payments}, {subscriptions} and {}", of(events, "event"))
    }

    /// Takes further events in, with the questions that they began.
    pub(crate) fn add_events(&mut self, tx: &mut dyn Tx, events: &[EventId]) -> Result<(), Error> {
        self.events.extend(events);
        self.events.sort_unstable_by_key(|id| id.0);
        self.events.dedup();
        self.fetches = tx.fetches_of(&self.events)?;
        Ok(())
    }

    /// What is found of a person by indexes, and by what these payments say, which are known to be theirs.
    ///
    /// # Errors
    /// `Refused` without a name, `NotFound` for an unknown payment, and what the database says.
    pub(crate) fn find(tx: &mut dyn Tx, person: &Person, known: &[PaymentId]) -> Result<Self, Error> {
        let mut search = Search::default();
        if person.text.is_empty() {
            return Err(Error::new(ErrorKind::Refused, "say whom: an email address, a customer or a payment"));
        }
        match person.by {
            NamedBy::Email => search.names.add_email(&person.text),
            NamedBy::Customer => {
                search.names.customers.insert(person.text.clone());
                search.names.owners.insert(person.text.clone());
            }
            NamedBy::Payment => {
                let unknown = || Error::new(ErrorKind::NotFound, format!("there is no payment {:?}", person.text));
                let row = find::by_token(tx, &person.text)?.ok_or_else(unknown)?;
                search.take_payment(tx, row)?;
            }
        }
        for row in tx.payments_of(known)? {
            search.take_payment(tx, row)?;
        }
        search.go_on(tx)
    }

    /// These payments and subscriptions with their events, held until the transaction ends and as they are now.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) fn hold(
        tx: &mut dyn Tx,
        payments: &[PaymentId],
        subscriptions: &[SubscriptionId],
    ) -> Result<Self, Error> {
        let events = tx.all_events_of(payments, subscriptions)?;
        // In the order in which most batches take them. One that goes on from a payment to other events of it may wait
        // for this while this waits for it: who calls tries again.
        tx.wait_for_events(&events)?;
        // Only to know which others to hold: until they are held, any of them may still change, so they are read once
        // more.
        let rows = tx.payments_of(payments)?;
        let subjects = payments.iter().copied().chain(rows.iter().filter_map(|row| row.absorbed_by));
        let subjects = subjects.map(Subject::Payment);
        tx.hold_subjects(
            &subjects.chain(subscriptions.iter().copied().map(Subject::Subscription)).collect::<Vec<_>>(),
        )?;
        let mut search = Search::default();
        for row in tx.payments_of(payments)? {
            search.add_payment(tx, row)?;
        }
        for id in subscriptions {
            if let Some(row) = tx.subscription(*id)? {
                search.add_subscription(tx, row)?;
            }
        }
        search.events = events.iter().map(|event| event.0).collect();
        search.end(tx)
    }
}

/// Events that say something of a person.
#[derive(Default)]
struct Naming {
    /// Those whose bodies name the person.
    events: Vec<EventId>,
    /// The payments of those whose bodies bear a gateway's id of the customer: no index finds these by it.
    payments: BTreeSet<PaymentId>,
}

impl Naming {
    /// Looks through the next bodies after this event; answers where it ended, if there may be more.
    fn look(&mut self, tx: &mut dyn Tx, names: &Names, after: EventId) -> Result<Option<EventId>, Error> {
        let traits = names.traits();
        let bodies = tx.bodies_after(after, BODIES)?;
        let naming: Vec<_> = bodies.iter().filter(|(_, body)| recognised(body, |one| traits.contains(one))).collect();
        let bearing = naming.iter().filter(|(_, body)| !customers(body).is_disjoint(&names.customers));
        let bearing: Vec<EventId> = bearing.map(|(event, _)| *event).collect();
        self.payments.extend(tx.events_with(&bearing)?.into_iter().filter_map(|row| row.payment_id));
        self.events.extend(naming.iter().map(|(event, _)| *event));
        Ok(bodies.last().map(|(event, _)| *event).filter(|_| bodies.len() as i64 == BODIES))
    }
}

/// A search that goes from names to rows and from rows to names, until there is nothing new.
#[derive(Default)]
struct Search {
    names: Names,
    payments: BTreeMap<i64, PaymentRow>,
    subscriptions: BTreeMap<i64, SubscriptionRow>,
    /// The events of both.
    events: BTreeSet<i64>,
}

impl Search {
    fn go_on(mut self, tx: &mut dyn Tx) -> Result<Holdings, Error> {
        loop {
            let before = self.names.clone();
            for email in &before.emails {
                let ids = tx.find_payments(email, true, &[], MOST)?;
                for row in tx.payments_of(&ids)? {
                    if row.customer.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(email)) {
                        self.take_payment(tx, row)?;
                    }
                }
            }
            for name in before.emails.iter().chain(&before.customers).chain(&before.owners) {
                for id in tx.find_subscriptions(name, MOST)? {
                    if let Some(row) = tx.subscription(id)?.filter(|row| self.is_theirs(row)) {
                        self.take_subscription(tx, row)?;
                    }
                }
            }
            self.take_events(tx)?;
            if self.names == before {
                break;
            }
        }
        self.end(tx)
    }

    fn end(self, tx: &mut dyn Tx) -> Result<Holdings, Error> {
        let (payments, subscriptions): (Vec<_>, Vec<_>) =
            (self.payments.into_values().collect(), self.subscriptions.into_values().collect());
        let objects: Vec<String> = self.names.objects.iter().cloned().collect();
        let differences = tx.differences_of(&objects)?;
        let mut held = Holdings { names: self.names, payments, subscriptions, differences, ..Holdings::default() };
        let events: Vec<EventId> = self.events.into_iter().map(EventId).collect();
        held.add_events(tx, &events)?;
        Ok(held)
    }

    /// Takes in the events of what was found, and which customer of the gateway's they name.
    fn take_events(&mut self, tx: &mut dyn Tx) -> Result<(), Error> {
        let payments: Vec<PaymentId> = self.payments.keys().copied().map(PaymentId).collect();
        let subscriptions: Vec<SubscriptionId> = self.subscriptions.keys().copied().map(SubscriptionId).collect();
        let mut new = tx.all_events_of(&payments, &subscriptions)?;
        new.retain(|event| self.events.insert(event.0));
        for (_, _, body) in tx.bodies_of(&new)? {
            self.names.customers.extend(customers(&body));
        }
        Ok(())
    }

    fn is_theirs(&self, row: &SubscriptionRow) -> bool {
        let is_in =
            |set: &BTreeSet<String>, text: &Option<String>| text.as_ref().is_some_and(|text| set.contains(text));
        let email = row.customer.as_ref().map(|email| email.to_ascii_lowercase());
        is_in(&self.names.emails, &email)
            || is_in(&self.names.customers, &row.customer_ref)
            || is_in(&self.names.owners, &row.owner)
    }

    fn take_payment(&mut self, tx: &mut dyn Tx, row: PaymentRow) -> Result<(), Error> {
        let mut rows = vec![row];
        while let Some(row) = rows.pop() {
            if self.payments.contains_key(&row.id.0) {
                continue;
            }
            rows.extend(tx.absorbed_by(row.id)?);
            self.add_payment(tx, row)?;
        }
        Ok(())
    }

    fn add_payment(&mut self, tx: &mut dyn Tx, row: PaymentRow) -> Result<(), Error> {
        row.customer.iter().for_each(|email| self.names.add_email(email));
        self.names.objects.insert(row.token.clone());
        self.names.objects.extend(tx.references_of(row.id)?);
        self.payments.insert(row.id.0, row);
        Ok(())
    }

    fn take_subscription(&mut self, tx: &mut dyn Tx, row: SubscriptionRow) -> Result<(), Error> {
        if self.subscriptions.contains_key(&row.id.0) {
            return Ok(());
        }
        // An invoice and the payment that pays it bear the same id of the gateway's.
        for invoice in tx.invoices_of_subscription(row.id, MOST)? {
            let variants = std::slice::from_ref(&row.variant);
            for id in tx.find_payments(&invoice.gateway_ref, true, variants, MOST)? {
                let Some(payment) = tx.payment(id)? else { continue };
                if tx.references_of(id)?.contains(&invoice.gateway_ref) {
                    self.take_payment(tx, payment)?;
                }
            }
        }
        self.add_subscription(tx, row)
    }

    fn add_subscription(&mut self, tx: &mut dyn Tx, row: SubscriptionRow) -> Result<(), Error> {
        row.customer.iter().for_each(|email| self.names.add_email(email));
        self.names.customers.extend(row.customer_ref.clone());
        self.names.owners.extend(row.owner.clone());
        self.names.objects.insert(row.token.clone());
        self.names.objects.extend(row.gateway_ref.clone());
        let invoices = tx.invoices_of_subscription(row.id, MOST)?;
        self.names.objects.extend(invoices.into_iter().map(|invoice| invoice.gateway_ref));
        self.subscriptions.insert(row.id.0, row);
        Ok(())
    }
}

impl Engine {
    /// All that is held of a person: what indexes find, the events whose bodies name them and the payments whose events
    /// bear their ids at the gateways, which takes reading all bodies until there is nothing new.
    pub(crate) async fn holdings(self: &Arc<Self>, person: Person) -> Result<Holdings, Error> {
        let found = move |engine: &Arc<Engine>| {
            let mut known = Vec::new();
            loop {
                let mut held = engine.store.ask(|tx| Holdings::find(tx, &person, &known))?;
                let (mut naming, mut after) = (Naming::default(), Some(EventId(0)));
                while let Some(place) = after {
                    after = engine.store.ask(|tx| naming.look(tx, &held.names, place))?;
                }
                held.payments.iter().for_each(|row| _ = naming.payments.remove(&row.id));
                if naming.payments.is_empty() {
                    engine.store.ask(|tx| held.add_events(tx, &naming.events))?;
                    return Ok(held);
                }
                known.extend(naming.payments);
            }
        };
        self.patiently(found).await
    }
}

//! Repairing what differs: a refresh of what is known here, and the gateway's answer about an object that is not, from
//! which it is adopted. Both are events like all others.

use std::sync::Arc;

use crate::domain::difference::DriftSubject;
use crate::domain::event::Source;
use crate::domain::named::NamedObject;
use crate::domain::operation::SubscriptionVerb;
use crate::engine::request::{Requester, Wanted, new_adoption_key};
use crate::engine::{Engine, act};
use crate::error::{Error, ErrorKind};
use crate::gateways::{Fetch, Verb};
use crate::operations::observed::observed;
use crate::operations::operate_subscription::SubscriptionOrder;
use crate::operations::tries::Outcome;
use crate::pipeline::row;
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::drift::DifferenceRow;

/// What is to be repaired.
#[derive(Debug, Clone)]
pub(super) struct Repair {
    pub variant: String,
    pub subject: DriftSubject,
    /// Our token; of an unknown object the gateway's id of it.
    pub name: String,
    /// The gateway's word for the type of an unknown object.
    pub object_type: String,
}

impl Repair {
    /// The repair of a difference that was noted.
    pub(super) fn of(row: &DifferenceRow) -> Self {
        Self {
            variant: row.variant.clone(),
            subject: DriftSubject::parse(&row.subject).unwrap_or(DriftSubject::Object),
            name: row.name.clone(),
            object_type: row.object_type.clone().unwrap_or_default(),
        }
    }
}

impl Engine {
    /// Repairs the difference with this number for an operator.
    ///
    /// # Errors
    /// `NotFound` where it is repaired already; and as those of a refresh.
    pub(crate) async fn repair_difference(self: &Arc<Self>, id: i64, requester: Requester) -> Result<Outcome, Error> {
        let row = self.read(move |tx| tx.difference(id)).await?;
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such difference any more"))?;
        self.repair(&Repair::of(&row), requester).await
    }

    /// Asks the gateway, and has its answer processed.
    ///
    /// # Errors
    /// As those of a refresh.
    pub(super) async fn repair(self: &Arc<Self>, it: &Repair, requester: Requester) -> Result<Outcome, Error> {
        let outcome = match it.subject {
            DriftSubject::Payment => {
                self.operate(&it.name, Wanted { requester, ..Wanted::by_host(Verb::Refresh) }).await?
            }
            DriftSubject::Subscription => {
                let order = SubscriptionOrder { requester, ..SubscriptionOrder::by_host(SubscriptionVerb::Refresh) };
                self.operate_subscription(&it.name, order).await?
            }
            DriftSubject::Object => self.adopt(it, requester).await?,
        };
        if outcome == Outcome::Done {
            let (variant, about) = (it.variant.clone(), vec![(it.subject.as_str().to_owned(), it.name.clone())]);
            self.write(move |tx| tx.forget_differences(&variant, &about)).await?;
        }
        Ok(outcome)
    }

    /// Takes an object in that nothing here is about, and then asks about all of its payment.
    async fn adopt(self: &Arc<Self>, it: &Repair, requester: Requester) -> Result<Outcome, Error> {
        let unknown = || Error::new(ErrorKind::NotFound, format!("there is no variant {:?}", it.variant));
        let gateway = &self.load(&it.variant).await?.ok_or_else(unknown)?.gateway;
        let key = new_adoption_key()?;
        let object = NamedObject::new(it.object_type.as_str(), it.name.as_str());
        let fetch = Fetch { object, idempotency_key: key, tries: 1 };
        if let Requester::Operator(actor) = &requester {
            let (variant, detail) = (Some(it.variant.clone()), Some(it.name.clone()));
            let act = NewAct { variant, detail, ..act("adopt", actor, None, None, self.now()) };
            self.write(move |tx| tx.add_act(&act)).await?;
        }
        let told = |error| {
            let why = format!("{} was not shown by the gateway of {}", it.name, it.variant);
            Error::new(ErrorKind::Gateway, why).with_source(error)
        };
        let events = observed(self, &it.variant, "fetch", gateway.fetch(&fetch)).await.map_err(told)?;
        let now = self.now();
        let rows = events.into_iter().filter_map(|event| row(&it.variant, event, Source::Answer, now).ok());
        let rows: Vec<_> = rows.collect();
        let named: Vec<String> = rows.iter().map(|row| row.gateway_event_id.clone()).collect();
        let engine = self.clone();
        self.write(move |tx| engine.append_reduced(tx, &rows)).await?;
        self.process_now(it.variant.clone(), named).await;
        let key = (it.variant.clone(), it.name.clone());
        let token = move |tx: &mut dyn Tx| {
            let ids = tx.payments_by_references(std::slice::from_ref(&key))?;
            let row = ids.first().map(|(_, id)| tx.payment(*id)).transpose()?.flatten();
            Ok(row.map(|row| row.token))
        };
        match self.read(token).await? {
            Some(token) => self.operate(&token, Wanted { requester, ..Wanted::by_host(Verb::Refresh) }).await,
            None => Ok(Outcome::Done),
        }
    }
}

//! What is owed to handlers that another process has registered and this one lacks: a newer or older build in a rolling
//! deploy, a worker with another builder, a process that only receives. Such runs are left to a process that has them.

use std::sync::{Arc, PoisonError};

use super::Engine;
use super::handler::{Handlers, matches};
use crate::error::Error;
use crate::store::Tx;
use crate::store::registry::{Registered, Stage};
use crate::store::rows::Step;

/// The registered handlers that this process lacks.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Lacking(Vec<Registered>);

impl Lacking {
    /// Those that run in the transaction, by name. A process that lacks one can't process an event: the transition
    /// would be committed without it.
    pub(crate) fn in_transaction(&self) -> impl Iterator<Item = &str> {
        let inside = [Stage::Transaction, Stage::SubscriptionTransaction];
        self.0.iter().filter(move |it| inside.contains(&it.stage)).map(|it| it.name.as_str())
    }

    /// Whether one of them is to run after the commit for an event of this kind, with or without transitions of a
    /// payment and of a subscription.
    pub(crate) fn wants(&self, of_payment: bool, of_subscription: bool, kind: &str) -> bool {
        self.0.iter().any(|it| match &it.stage {
            Stage::Transaction | Stage::SubscriptionTransaction => false,
            Stage::Transition => of_payment,
            Stage::SubscriptionTransition => of_subscription,
            Stage::Event(pattern) => matches(pattern, kind),
        })
    }

    /// The runs after the commit that they are owed: each with the transition that it is for, if it is for one.
    pub(crate) fn runs(&self, steps: &[Step], kind: &str) -> Vec<(String, Option<Step>)> {
        let of = |name: &str, is_of: fn(&&Step) -> bool| {
            steps.iter().filter(is_of).map(|step| (name.to_owned(), Some(*step))).collect()
        };
        let runs = self.0.iter().flat_map(|it| match &it.stage {
            Stage::Transition => of(&it.name, |step| matches!(step, Step::Payment(_))),
            Stage::SubscriptionTransition => of(&it.name, |step| matches!(step, Step::Subscription(_))),
            Stage::Event(pattern) if matches(pattern, kind) => vec![(it.name.clone(), None)],
            _ => Vec::new(),
        });
        runs.collect()
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|it| it.name.clone()).collect()
    }
}

impl Handlers {
    /// All handlers in the form in which they are registered.
    pub(crate) fn registrations(&self) -> Vec<Registered> {
        let registered = |name: &String, stage| Registered { name: name.clone(), stage };
        let transaction = self.in_transaction.iter().map(|(name, _)| registered(name, Stage::Transaction));
        let transition = self.on_transition.iter().map(|(name, _)| registered(name, Stage::Transition));
        let event = self.kinds().map(|(name, kind)| registered(name, Stage::Event(kind.clone())));
        let inside = self.in_transaction_of_subscription.iter();
        let inside = inside.map(|(name, _)| registered(name, Stage::SubscriptionTransaction));
        let of_subscription = self.on_subscription.iter();
        let of_subscription = of_subscription.map(|(name, _)| registered(name, Stage::SubscriptionTransition));
        transaction.chain(transition).chain(event).chain(inside).chain(of_subscription).collect()
    }
}

impl Engine {
    /// Registers the handlers of this process, once; retires those that its builder retires.
    pub(crate) async fn register(self: &Arc<Self>) -> Result<(), Error> {
        self.is_registered
            .get_or_try_init(|| async {
                let (handlers, retired, now) = (self.handlers.registrations(), self.retired.clone(), self.now());
                let registered = move |tx: &mut dyn Tx| {
                    tx.register(&handlers, now)?;
                    tx.retire(&retired, now)
                };
                self.write(registered).await
            })
            .await
            .copied()
    }

    /// Registers again what another build has registered under the same name in another way.
    pub(crate) fn register_changed(&self, tx: &mut dyn Tx) -> Result<(), Error> {
        let (registered, mut own) = (tx.registered()?, self.handlers.registrations());
        own.retain(|it| registered.iter().any(|other| other.name == it.name && other.stage != it.stage));
        tx.register(&own, self.now())
    }

    /// The registered handlers that this process lacks. Logged when they change.
    pub(crate) fn lacking(&self, tx: &mut dyn Tx) -> Result<Lacking, Error> {
        let own = self.handlers.registrations();
        let lacking = Lacking(tx.registered()?.into_iter().filter(|it| !has(&own, it)).collect());
        let names = lacking.names();
        let mut reported = self.reported_lacking.lock().unwrap_or_else(PoisonError::into_inner);
        if *reported != names {
            report(&lacking);
            *reported = names;
        }
        Ok(lacking)
    }
}

/// Whether a handler is among these. Under its name another build may have one for other kinds, or at another stage;
/// one that runs in the transaction has done its work when the commit is made.
fn has(own: &[Registered], wanted: &Registered) -> bool {
    let inside = [Stage::Transaction, Stage::SubscriptionTransaction];
    own.iter().any(|it| it.name == wanted.name && (it.stage == wanted.stage || inside.contains(&it.stage)))
}

fn report(lacking: &Lacking) {
    let in_transaction: Vec<&str> = lacking.in_transaction().collect();
    if !in_transaction.is_empty() {
        log::warn!(
            "payments: this process processes no events: it lacks the handler in the transaction {}, which another process \
             has registered. If it is gone for good, say Builder::retire_handler",
            in_transaction.join(", ")
        );
    } else if !lacking.0.is_empty() {
        log::warn!(
            "payments: this process lacks the handler {}, which another process has registered; its runs are left to \
             that one. If it is gone for good, say Builder::retire_handler",
            lacking.names().join(", ")
        );
    }
}

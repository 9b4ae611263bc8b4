//! A host's directory of merchants: their secrets, how often it was asked, and what is left of what it gave.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::domain::event::{Envelope, Interpretation, Malformed, Recorded};
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::subscriptions::SubscriptionGateway;
use actix_payments::gateways::{
    BoxFuture, Call, Gateway, GatewayError, Listing, PaymentRequest, Setup, Started, Verb, Verification,
};
use actix_payments::{AnyConnection, Builder, Variant};

use crate::app::{App, Kind};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone, Default)]
pub struct Directory {
    secrets: Arc<Mutex<BTreeMap<String, String>>>,
    failing: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
    alive: Arc<AtomicUsize>,
    called: Arc<Mutex<Vec<(String, Verb, String)>>>,
    listed: Arc<Mutex<Vec<String>>>,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

/// What happens while a gateway is asked what it can do.
type Meanwhile = Box<dyn FnOnce() + Send>;

impl Directory {
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        let directory = Self::default();
        for name in names {
            directory.set(&name, &secret_of(&name));
        }
        directory
    }

    pub fn set(&self, name: &str, secret: &str) {
        self.secrets.lock().unwrap().insert(name.to_owned(), secret.to_owned());
    }

    pub fn remove(&self, name: &str) {
        self.secrets.lock().unwrap().remove(name);
    }

    /// Fails for these and no others from now on.
    pub fn fail(&self, names: &[&str]) {
        *self.failing.lock().unwrap() = names.iter().map(|name| (*name).to_owned()).collect();
    }

    pub fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub fn was_asked_for(&self, name: &str) -> bool {
        self.asked.lock().unwrap().iter().any(|asked| asked == name)
    }

    /// How many gateways that it gave are still there.
    pub fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    /// What gateways were called for: of which merchant, what, and for which payment.
    pub fn called(&self) -> Vec<(String, Verb, String)> {
        self.called.lock().unwrap().clone()
    }

    /// Whether the merchant's gateway was asked for its list of events.
    pub fn has_listed(&self, name: &str) -> bool {
        self.listed.lock().unwrap().iter().any(|listed| listed == name)
    }

    /// Does this once, as soon as a gateway is asked what it can do.
    pub fn meanwhile(&self, happens: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(happens));
    }

    fn is_asked(&self) {
        let happens = self.meanwhile.lock().unwrap().take();
        happens.into_iter().for_each(|happens| happens());
    }

    /// What the function gives for this name.
    pub async fn given(&self, name: String) -> Result<Option<Variant>, Failure> {
        self.clone().variant(name).await
    }

    async fn variant(self, name: String) -> Result<Option<Variant>, Failure> {
        self.asked.lock().unwrap().push(name.clone());
        actix_web::rt::task::yield_now().await;
        if self.failing.lock().unwrap().contains(&name) {
            return Err("the vault does not answer".into());
        }
        let secret = self.secrets.lock().unwrap().get(&name).cloned();
        Ok(secret.map(|secret| Variant::new(Merchant::new(&self, name, secret))))
    }

    pub fn source(&self, builder: Builder<AnyConnection>) -> Builder<AnyConnection> {
        let directory = self.clone();
        builder.variants_from(move |name| directory.clone().variant(name.to_string()))
    }
}

pub fn secret_of(name: &str) -> String {
    format!("the secret of {name}, a long one")
}

pub async fn market(kind: Kind, names: &[&str]) -> (App, Directory) {
    let directory = Directory::of(names.iter().map(|name| (*name).to_owned()));
    let app = App::bare(kind, |builder| directory.source(builder)).await;
    (app, directory)
}

/// The dummy gateway of one merchant, which is counted as long as it is there and says what it was called for.
struct Merchant {
    name: String,
    dummy: Dummy,
    directory: Directory,
}

impl Merchant {
    fn new(directory: &Directory, name: String, secret: String) -> Self {
        directory.alive.fetch_add(1, Ordering::SeqCst);
        Self { name, dummy: Dummy::new(secret), directory: directory.clone() }
    }
}

impl Drop for Merchant {
    fn drop(&mut self) {
        self.directory.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gateway for Merchant {
    fn name(&self) -> &'static str {
        self.dummy.name()
    }

    fn check(&self) -> Result<(), String> {
        self.dummy.check()
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        self.dummy.verify(delivery, now)
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        self.dummy.interpret(event)
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        self.dummy.start(payment)
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        self.directory.is_asked();
        Gateway::supports(&self.dummy, verb)
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        self.directory.called.lock().unwrap().push((self.name.clone(), call.verb, call.token.to_string()));
        Gateway::call(&self.dummy, call)
    }

    fn supports_list(&self) -> Result<(), String> {
        self.dummy.supports_list()
    }

    fn list<'a>(
        &'a self,
        since: Timestamp,
        before: Option<&'a Envelope>,
    ) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        self.directory.listed.lock().unwrap().push(self.name.clone());
        self.dummy.list(since, before)
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        self.directory.is_asked();
        self.dummy.subscriptions()
    }

    fn setup(&self) -> Setup {
        self.dummy.setup()
    }
}

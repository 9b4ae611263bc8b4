//! Does a marketplace serve its merchants, each under keys that the host's function gives at run time?

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_payments::domain::payment::Status;
use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind as DummyKind};
use actix_payments::{AnyConnection, Builder, NewPayment, Variant};

use crate::app::{App, Kind, on_both_databases};
use crate::scenes::money;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the host knows of its merchants, and how often it was asked.
#[derive(Clone, Default)]
struct Directory {
    secrets: Arc<Mutex<BTreeMap<String, String>>>,
    failing: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Directory {
    fn of(names: impl IntoIterator<Item = String>) -> Self {
        let directory = Self::default();
        for name in names {
            directory.set(&name, &secret_of(&name));
        }
        directory
    }

    fn set(&self, name: &str, secret: &str) {
        self.secrets.lock().unwrap().insert(name.to_owned(), secret.to_owned());
    }

    fn fail(&self, names: &[&str]) {
        *self.failing.lock().unwrap() = names.iter().map(|name| (*name).to_owned()).collect();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn variant(self, name: String) -> Result<Option<Variant>, Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        actix_web::rt::task::yield_now().await;
        if self.failing.lock().unwrap().contains(&name) {
            return Err("the vault does not answer".into());
        }
        let secret = self.secrets.lock().unwrap().get(&name).cloned();
        Ok(secret.map(|secret| Variant::new(Dummy::new(secret))))
    }

    fn source(&self, builder: Builder<AnyConnection>) -> Builder<AnyConnection> {
        let directory = self.clone();
        builder.variants_from(move |name| directory.clone().variant(name))
    }
}

fn secret_of(name: &str) -> String {
    format!("the secret of {name}, a long one")
}

async fn market(kind: Kind, names: &[&str]) -> (App, Directory) {
    let directory = Directory::of(names.iter().map(|name| (*name).to_owned()));
    let app = App::bare(kind, |builder| directory.source(builder)).await;
    (app, directory)
}

on_both_databases! {
    async fn an_event_of_a_merchant_goes_from_its_address_to_the_page(kind) {
        let (app, _) = market(kind, &["anna", "bert"]).await;
        let created = app.payments.create(NewPayment::new("anna", money(4999, "EUR"))).await.unwrap();
        let token = created.payment.token;
        let paid = DummyEvent::new("evt_1", DummyKind::Paid, &token, money(4999, "EUR"));
        assert_eq!(app.signed_with(&secret_of("bert"), "anna", &paid).await, 400, "another merchant's secret");
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &paid).await, 200);
        assert_eq!(app.drain().await, 1);
        assert_eq!(app.status(&token).await, Status::Paid);
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.body;
        assert!(page.contains("anna") && page.contains("Refund"), "{page}");
    }
}

//! Is everything of a person found by the gateway's id of the customer, which no row of ours has: only their events do?

use std::time::Duration;

use actix_payments::Person;
use serde_json::Value;

use super::{EMAIL, later, naming, telling, with_key};
use crate::app::{App, Kind, on_both_databases};
use crate::scenes::{completed_as, until};

const ID: &str = "cus_MiaK7";

/// A payment of the person's, one that was begun without their address, an event that names them, and another's payment.
async fn held(kind: Kind) -> (App, [String; 2], String) {
    let app = App::with(kind, with_key).await;
    let (named, nameless, other) = (app.paid_by_mia(1).await, app.order().await.token, app.order().await.token);
    app.deliver(&[&telling(2, &nameless), &naming("evt_named"), &completed_as(3, &other)]).await;
    (app, [named.to_string(), nameless.to_string()], other.to_string())
}

on_both_databases! {
    async fn who_is_a_customer_of_the_gateways_is_exported_and_erased_by_that_id(kind) {
        let (app, theirs, other) = held(kind).await;
        let document = app.payments.export(&Person::customer(ID)).await.unwrap();
        let held: Value = serde_json::from_str(&document).unwrap();
        let tokens: Vec<&str> = held["payments"].as_array().unwrap().iter().map(|it| it["token"].as_str().unwrap()).collect();
        assert_eq!(tokens, theirs.each_ref().map(String::as_str));
        assert_eq!((held["person"]["customer"].as_str(), held["events"].as_array().unwrap().len()), (Some(ID), 3));
        assert!(document.contains("Torstr. 1") && !document.contains(&other));

        let dry = app.cli(&format!("erase --customer {ID} --dry-run")).await;
        assert_eq!(dry.text, "would erase the person in 2 payments, no subscriptions and 3 events\n");
        let done = app.cli(&format!("erase --customer {ID} --actor anna")).await;
        assert_eq!((done.code, done.text.as_str()), (0, "erased in 2 payments, 0 subscriptions and 3 events\n"));
        assert_eq!(app.found(), Vec::<String>::new());
        assert_eq!(app.number("SELECT count(*) FROM pay_audit WHERE act = 'erase'"), 1);
        app.same(&other).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_event_bodies"), 2, "the other's, and what was nobody's, reduced");

        // What comes later names them by their address alone, or by the id alone.
        app.deliver(&[&later(1), &telling(4, "")]).await;
        app.paid_by_mia(5).await;
        assert_eq!(app.found(), Vec::<String>::new());
        let document = app.payments.export(&Person::email(EMAIL)).await.unwrap();
        assert!(!document.contains(&theirs[0]) && !document.contains("Torstr. 1"), "{document}");
    }

    async fn a_payment_that_bears_the_id_is_found_by_the_address_of_another(kind) {
        let (app, theirs, _) = held(kind).await;
        app.run(&format!("UPDATE pay_payments SET customer = 'm.k@elsewhere.example' WHERE token = '{}'", theirs[1]));
        let erased = app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        assert_eq!((erased.payments, erased.events), (2, 3));
        assert_eq!(app.payment(&theirs[1]).await.customer, None);
    }

    async fn what_the_page_leaves_of_them_a_worker_forgets(kind) {
        let (app, theirs, other) = held(kind).await;
        let done = app.post("/payments/admin/data/person/erase", &format!("by=customer&who={ID}")).await;
        assert!(done.status == 200 && done.text().contains("A worker looks through all other stored bodies"), "{}", done.text());
        app.pass(6);
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| app.found().is_empty()).await;
        worker.stop().await;
        for token in &theirs {
            assert_eq!(app.payment(token).await.customer, None);
        }
        app.same(&other).await;
    }
}

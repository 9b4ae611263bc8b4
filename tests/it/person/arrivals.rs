//! Is what comes of the erased reduced on the ways that are no signed delivery: a comparison, its repair, and a hint?

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::{NewPayment, Person};
use actix_web::rt::spawn;
use actix_web::rt::time::sleep;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;

use super::{EMAIL, telling, with_key};
use crate::app::{App, Kind, NOW, on_both_databases};
use crate::drift::world::{DAY, World};
use crate::mollie::fake::Fake;
use crate::scenes::money;

on_both_databases! {
    async fn what_a_comparison_finds_and_its_repair_takes_in_is_reduced(kind) {
        let mut world = World::with(kind, with_key).await;
        let new = NewPayment::new("stripe", money(5000, "EUR")).customer(EMAIL).return_url("https://shop.example/");
        let token = world.app.payments.create(new).await.unwrap().payment.token;
        assert_eq!(world.app.payments.erase(&Person::email(EMAIL)).await.unwrap().payments, 1);
        // They pay it, and something else that is not known here, and nothing of both arrives.
        let paid = world.fake.pay(&token);
        let stray = world.stray(1);
        for intent in [&paid, &stray] {
            let mut state = world.fake.state();
            let object = state.intents.get_mut(intent).unwrap();
            object["receipt_email"] = json!(EMAIL);
            object["description"] = json!("Mia Kowalska likes tea");
        }
        world.pass(DAY);
        world.lose_all();
        let [found, _] = world.drift().await;
        assert_eq!(found.differences.len(), 2, "{found:?}");
        assert_eq!(world.app.found(), Vec::<String>::new());
        world.repair().await;
        world.app.drain().await;
        assert_eq!(world.app.status(&token).await, Status::Paid);
        assert_eq!(world.app.payments.payment_at("stripe", &stray).await.unwrap().unwrap().status, Status::Paid);
        assert_eq!(world.app.found(), Vec::<String>::new());
        let [left, plans] = world.drift().await;
        assert!(left.differences.is_empty() && plans.differences.is_empty(), "{left:?} {plans:?}");
    }

    async fn what_waited_when_they_were_erased_tells_nothing_of_them(kind) {
        let app = App::with(kind, with_key).await;
        let new = NewPayment::new("stripe", money(4999, "EUR")).customer(EMAIL);
        let token = app.payments.create(new).await.unwrap().payment.token;
        // It has come, and is processed only when they are erased.
        assert_eq!(app.stripe(&telling(1, &token)).await.status, 200);
        app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Paid);
        assert_eq!(app.texts("SELECT coalesce(customer, 'nobody') AS t FROM pay_payments"), ["nobody"]);
        app.write_owed_words().await;
        let theirs = "SELECT word AS t FROM pay_words WHERE word LIKE '%kowalska%' OR word LIKE '%mia.%'";
        assert_eq!(app.texts(theirs), Vec::<String>::new());
        let names = "SELECT count(*) FROM pay_payers WHERE name IS NOT NULL";
        assert_eq!(app.number(names), 0);
    }

    async fn a_hint_that_names_them_is_reduced(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway();
        let app = App::bare(kind, |builder| with_key(builder.variant("mollie", gateway))).await;
        let new = NewPayment::new("mollie", money(5000, "EUR")).customer(EMAIL).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        let id = app.texts("SELECT gateway_ref AS t FROM pay_references WHERE gateway_ref LIKE 'tr%'").remove(0);
        app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        fake.becomes(&id, "paid");
        fake.state().payments.get_mut(&id).unwrap()["description"] = json!("Mia Kowalska likes tea");
        let body = format!("id={id}&email=mia.kowalska%40shop.example&name=Kowalska");
        let kind_of = [("content-type", "application/x-www-form-urlencoded")];
        let answer = app.request(actix_web::http::Method::POST, "/payments/mollie/", &kind_of, body.as_bytes()).await;
        assert_eq!((answer.status, app.found()), (200, Vec::new()));
        app.drain().await;
        assert_eq!((app.status(&token).await, app.found()), (Status::Paid, Vec::new()));
        assert!(app.number("SELECT count(*) FROM pay_events") >= 2);
    }
}

/// On SQLite there is one writer.
#[actix_web::test]
async fn what_a_worker_is_writing_of_them_is_forgotten_as_well() {
    let app = App::with(Kind::Postgres, with_key).await;
    let new = NewPayment::new("stripe", money(4999, "EUR")).customer(EMAIL);
    app.payments.create(new).await.unwrap();
    let mut worker = PgConnection::establish(&app.url).unwrap();
    worker.batch_execute("BEGIN; SELECT 1 FROM pay_payments FOR NO KEY UPDATE").unwrap();
    worker.batch_execute("INSERT INTO pay_words (payment_id, word) SELECT id, 'kowalska' FROM pay_payments").unwrap();
    let payments = app.payments.clone();
    let erasing = spawn(async move { payments.erase(&Person::email(EMAIL)).await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while app.number(waits) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    worker.batch_execute("COMMIT").unwrap();
    erasing.await.unwrap().unwrap();
    assert_eq!(app.texts("SELECT word AS t FROM pay_words"), Vec::<String>::new());
}

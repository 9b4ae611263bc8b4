//! Is what was known of a person gone when they ask for it, everywhere, and does it stay gone when more of them comes?

mod arrivals;
mod customers;
mod growth;
mod pages;
mod parts;
mod sweeps;
mod traces;

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, Builder, ErrorKind, NewPayment, Person, Refund, Token};
use serde_json::Value;

use crate::app::{App, NOW, SECRET, on_both_databases};
use crate::events::fixture;
use crate::scenes::{completed_as, money, of_story};
use crate::stripe::fake::Fake;

pub const KEY: &str = "a key that nobody can guess";
pub const EMAIL: &str = "Mia.Kowalska@Shop.Example";
/// Every word that must not be found once its person was erased.
pub const WORDS: [&str; 5] = ["mia.kowalska", "Kowalska", "+49 30 901820", "Torstr. 1", "likes tea"];

pub fn with_key(builder: Builder<AnyConnection>) -> Builder<AnyConnection> {
    builder.erasure_key(KEY)
}

/// An event that tells who somebody is in every way that Stripe has.
pub fn telling(number: usize, token: &str) -> String {
    let mut event: Value = serde_json::from_str(&completed_as(number, token)).unwrap();
    let object = &mut event["data"]["object"];
    let address =
        serde_json::json!({ "line1": "Torstr. 1", "city": "Berlin", "country": "DE", "postal_code": "10119" });
    object["customer_details"] = serde_json::json!({
        "email": EMAIL, "name": "Mia Kowalska", "phone": "+49 30 901820", "address": address,
    });
    object["customer"] = "cus_MiaK7".into();
    object["customer_email"] = EMAIL.into();
    object["metadata"]["note"] = "likes tea".into();
    event.to_string()
}

/// A refund of the same charge that only bears ids and a name.
pub fn later(number: usize) -> String {
    let mut event: Value = serde_json::from_str(&of_story("charge.refunded.full", number, "")).unwrap();
    event["data"]["object"]["payment_intent"] = format!("pi_{number}").into();
    event["data"]["object"]["billing_details"]["name"] = "Mia Kowalska".into();
    event["data"]["object"]["receipt_email"] = EMAIL.to_uppercase().into();
    event.to_string()
}

/// An event that names the person and is of no payment.
pub fn naming(id: &str) -> String {
    let customer =
        serde_json::json!({ "id": "cus_MiaK7", "object": "customer", "email": EMAIL, "name": "Mia Kowalska" });
    let mut event = fixture("payout.paid");
    event["id"] = id.into();
    event["type"] = "customer.updated".into();
    event["data"]["object"] = customer;
    event.to_string()
}

impl App {
    /// A payment of the person's and the event that it is paid.
    pub(crate) async fn paid_by_mia(&self, number: usize) -> Token {
        let new = NewPayment::new("stripe", money(4999, "EUR")).customer(EMAIL).reference(format!("order-{number}"));
        let token = self.payments.create(new).await.unwrap().payment.token;
        self.deliver(&[&telling(number, &token)]).await;
        assert_eq!(self.status(&token).await, Status::Paid);
        token
    }

    /// Where the words stand in the tables: rows as they are dumped, bodies as text too.
    pub(crate) fn found(&self) -> Vec<String> {
        let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let names = |row: &str| {
            let row = row.to_lowercase();
            let is_in = |word: &str| row.contains(&word.to_lowercase()) || row.contains(&hex(word));
            WORDS.iter().any(|word| is_in(word) || is_in(&word.to_lowercase()) || is_in(&word.to_uppercase()))
        };
        self.dump().into_iter().filter(|row| names(row)).collect()
    }
}

on_both_databases! {
    async fn a_customer_asks_to_be_forgotten_and_later_pays_again(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.paid_by_mia(1).await;
        let other = app.order().await.token;
        app.deliver(&[&completed_as(2, &other)]).await;
        assert!(!app.found().is_empty());
        let before = app.payment(&token).await;
        let erased = app.payments.erase(&Person::email("mia.kowalska@shop.example")).await.unwrap();
        assert_eq!((erased.payments, erased.subscriptions, erased.events), (1, 0, 1));
        assert_eq!(app.found(), Vec::<String>::new());
        let after = app.payment(&token).await;
        assert_eq!((after.customer.as_deref(), after.reference.as_deref()), (None, Some("order-1")));
        assert_eq!((after.status, after.captured, after.amount), (before.status, before.captured, before.amount));
        assert_eq!(app.number("SELECT count(*) FROM pay_audit WHERE act = 'erase' AND payment_id IS NULL"), 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_event_bodies"), 1, "the other's body stays");
        app.same(&other).await;
        let rebuilt = app.payments.rebuild(&token).await.unwrap();
        assert!(rebuilt.refusal.unwrap_or_default().contains("the bodies of 1 of its events were pruned or erased"));
        let page = app.get("/payments/admin/events/1").await.text();
        assert!(page.contains("their person was erased"), "{page}");

        // A webhook that was late, and one that comes again.
        app.deliver(&[&telling(1, &token), &later(1)]).await;
        assert_eq!(app.found(), Vec::<String>::new());
        assert_eq!(app.status(&token).await, Status::Refunded);

        // They buy again: it is paid, and they stay unnamed, also where the app wrote down who they are.
        let order = || {
            let new = NewPayment::new("stripe", money(4999, "EUR")).customer("Mia.Kowalska@shop.example");
            new.key("cart of mia.kowalska@shop.example").reference("for mia.kowalska@shop.example").metadata("name", "Mia Kowalska")
        };
        let [first, second] = [app.payments.create(order()).await.unwrap(), app.payments.create(order()).await.unwrap()];
        assert_eq!(first.payment.token, second.payment.token, "the key is still the same payment");
        assert_eq!((app.found(), second.payment.reference.as_deref()), (Vec::new(), Some("for (erased)")));
        let again = app.paid_by_mia(3).await;
        assert_eq!((app.found(), app.payment(&again).await.customer), (Vec::new(), None));
        app.same(&again).await;
    }

    async fn another_process_learns_of_it(kind) {
        let app = App::with(kind, with_key).await;
        let elsewhere = App::at(app.url.clone(), None, |it| with_key(it.variant("stripe", Stripe::new(SECRET)))).await;
        let token = app.paid_by_mia(1).await;
        assert_eq!(elsewhere.stripe(&completed_as(9, "")).await.status, 200);
        app.payments.erase(&Person::payment(&token)).await.unwrap();
        // It asks the database once a second.
        actix_web::rt::time::sleep(std::time::Duration::from_millis(1_100)).await;
        elsewhere.deliver(&[&later(1)]).await;
        assert_eq!(app.found(), Vec::<String>::new());
    }

    async fn what_is_not_done_is_reduced_and_still_does_its_work(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.paid_by_mia(1).await;
        // One waits for a worker, one for a payment, one was given up, and one is nobody's.
        assert_eq!(app.stripe(&later(1)).await.status, 200);
        assert_eq!(app.stripe(&naming("evt_named")).await.status, 200);
        let erased = app.payments.erase(&Person::payment(&token)).await.unwrap();
        assert_eq!((erased.payments, erased.events), (1, 3));
        assert_eq!((app.found(), app.events("available")), (Vec::new(), 2));
        app.drain().await;
        assert_eq!((app.status(&token).await, app.events("ignored")), (Status::Refunded, 1));
    }

    async fn what_gateways_answer_and_list_is_reduced_as_well(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| with_key(builder.variant("stripe", gateway))).await;
        let new = || NewPayment::new("stripe", money(5000, "EUR")).customer(EMAIL).return_url("https://shop.example/");
        let first = app.payments.create(new()).await.unwrap().payment.token;
        app.payments.erase(&Person::payment(&first)).await.unwrap();
        let token = app.payments.create(new()).await.unwrap().payment.token;
        fake.pay(&token);
        for event in fake.state().events.iter_mut() {
            event["data"]["object"]["customer_email"] = EMAIL.into();
        }
        app.payments.reconcile("stripe").await.unwrap();
        app.drain().await;
        assert_eq!((app.status(&token).await, app.found()), (Status::Paid, Vec::new()));
        let refund = Refund::part(money(1000, "EUR"));
        app.payments.refund(&token, refund).await.unwrap();
        app.drain().await;
        assert_eq!(app.found(), Vec::<String>::new());
    }

    async fn an_export_has_all_that_is_held_and_nobody_elses(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.paid_by_mia(1).await;
        let other = app.order().await.token;
        app.deliver(&[&completed_as(2, &other), &naming("evt_named")]).await;
        let document = app.payments.export(&Person::email(EMAIL)).await.unwrap();
        let held: Value = serde_json::from_str(&document).unwrap();
        assert_eq!((held["payments"][0]["token"].as_str(), held["person"]["email"].as_str()), (Some(&*token), Some(EMAIL)));
        assert_eq!((held["payments"].as_array().unwrap().len(), held["events"].as_array().unwrap().len()), (1, 2));
        assert!(held["event_bodies"][0]["body"].as_str().unwrap().contains("Torstr. 1"));
        assert!(held["transitions"][0]["to_status"] == "paid" && !document.contains(other.as_str()));
        app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        let document = app.payments.export(&Person::email(EMAIL)).await.unwrap();
        let held: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(held["payments"].as_array().unwrap().len(), 0);
    }

    async fn nobody_is_erased_without_a_key_or_a_name(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let refused = app.payments.erase(&Person::payment(&token)).await.unwrap_err();
        assert!(refused.kind() == ErrorKind::Refused && refused.to_string().contains("erasure_key"), "{refused}");
        assert_eq!(app.number("SELECT count(*) FROM pay_audit"), 0);
        let app = App::with(kind, with_key).await;
        assert_eq!(app.payments.erase(&Person::email(" ")).await.unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(app.payments.erase(&Person::payment("pay_x")).await.unwrap_err().kind(), ErrorKind::NotFound);
        let nobody = app.payments.erase(&Person::email("nobody@shop.example")).await.unwrap();
        assert_eq!((nobody.payments, nobody.events), (0, 0));
    }

    async fn the_command_line_says_before_what_it_would_do(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.paid_by_mia(1).await;
        let dry = app.cli(&format!("erase --email {EMAIL} --dry-run")).await;
        assert_eq!((dry.code, dry.text.as_str()), (0, "would erase the person in 1 payment, no subscriptions and 1 event\n"));
        let dry: Value = serde_json::from_str(&app.cli(&format!("erase --email {EMAIL} --dry-run --json")).await.text).unwrap();
        assert_eq!(dry["payments"][0], token.as_str());
        let export = app.cli(&format!("export --payment {token} --actor anna")).await;
        assert!(export.code == 0 && export.text.contains("Torstr. 1"), "{export:?}");
        let done = app.cli(&format!("erase --customer {EMAIL} --email {EMAIL}")).await;
        assert!(done.code == 1 && done.problem.unwrap().contains("--payment"), "two names");
        let done = app.cli(&format!("erase --email {EMAIL} --actor anna")).await;
        assert_eq!((done.code, done.text.as_str()), (0, "erased in 1 payment, 0 subscriptions and 1 event\n"));
        let acts = app.texts("SELECT act || ' by ' || actor || ': ' || coalesce(detail, '') AS t FROM pay_audit ORDER BY id");
        let erased = "erase by anna: 1 payment, no subscriptions and 1 event of one person";
        assert_eq!((acts, app.found()), (vec!["export by anna: ".to_owned(), erased.to_owned()], Vec::new()));
    }

    async fn a_process_without_the_key_is_a_fault_where_somebody_was_erased(kind) {
        let app = App::with(kind, with_key).await;
        app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        assert!(!app.cli("doctor").await.text.contains("erasure-key"));
        let without = App::at(app.url.clone(), None, |it| it.variant("stripe", Stripe::new(SECRET))).await;
        let found = without.cli("doctor").await;
        assert!(found.text.contains("FAULT\terasure-key\t"), "{found:?}");
    }
}

#[test]
fn a_key_that_can_be_tried_out_is_refused() {
    for key in ["", "short", "0123456789abcde", " a key that nobody can guess"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db").display().to_string();
        let database = actix_payments::Database::<AnyConnection>::from_url(&format!("sqlite://{path}")).unwrap();
        let builder = actix_payments::Payments::builder(database).variant("stripe", Stripe::new(SECRET));
        let refused = builder.erasure_key(key).build().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("erasure key"), "{key:?}: {refused}");
    }
}

//! Does the doctor find each fault, by name?

use std::time::{Duration, Instant};

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Interpretation, Malformed, Recorded};
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::gateways::{Gateway, SecretStatus, Setup, Verification};
use actix_payments::{AnyConnection, Builder, Chores, NewPayment, Refund};
use actix_web::http::Method;

use super::broken;
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::events::fixture;
use crate::scenes::{completed_as, execute, money, with};
use crate::stripe::fake::{Fake, Fault};

impl App {
    /// What the doctor finds fault with or warns of.
    async fn diagnosed(&self) -> Vec<String> {
        let found = self.json("doctor").await;
        let bad = found["checks"].as_array().unwrap().iter().filter(|it| it["state"] != "ok");
        bad.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Says that a worker runs here which has these handlers and variants.
    fn works(&self, ahead: i64) {
        let at = time::OffsetDateTime::from_unix_timestamp(self.now() + ahead).unwrap();
        let at =
            at.format(&time::format_description::well_known::Rfc3339).unwrap().replace('T', " ").replace('Z', "+00:00");
        self.run("DELETE FROM pay_workers");
        self.run(&format!(
            "INSERT INTO pay_workers (name, handlers, variants, started_at, seen_at) \
             VALUES ('host:1:a', '[]', '[\"stripe\"]', '{at}', '{at}')"
        ));
    }

    async fn forge(&self) {
        let body = r#"{"id":"evt_forged","type":"ping"}"#;
        let signature = sign_delivery("whsec_other", self.now(), body.as_bytes());
        let headers = [("stripe-signature", signature.as_str())];
        assert_eq!(self.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes()).await.status, 400);
        self.counted("rejected:signature_mismatch", 1);
    }
}

/// A gateway of the host's that starts without the secret that verifies its deliveries.
struct Unset;

impl Gateway for Unset {
    fn name(&self) -> &'static str {
        "Unset Pay"
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    fn verify<'a>(&'a self, _: &'a Delivery, _: Timestamp) -> Verification<'a> {
        Verification::Ready(Err(Rejection::SignatureMissing))
    }

    fn interpret(&self, _: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        Ok(Interpretation::default())
    }

    fn setup(&self) -> Setup {
        with(Setup::default(), |it| it.secrets = vec![SecretStatus::of("old", "x"), SecretStatus::of("new", " ")])
    }
}

/// A builder of the same variant with something of its own.
async fn beside(app: &App, configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>) -> App {
    let other =
        App::at(app.url.clone(), None, |builder| configure(builder.variant("stripe", Stripe::new(SECRET)))).await;
    other.pass(app.now() - other.now());
    other
}

on_both_databases! {
    async fn a_sound_host_passes_and_each_fault_is_found_by_its_name(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let chores = Chores::new().refresh_after(None);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway).chores(chores)).await;
        assert_eq!(app.diagnosed().await, ["worker"]);
        app.works(0);
        let sound = app.cli("doctor").await;
        assert!(sound.code == 0 && app.diagnosed().await.is_empty(), "{sound:?}");

        app.works(90);
        assert_eq!(app.diagnosed().await, ["clock"]);
        app.works(0);
        // A delivery that was signed a while ago by its clock.
        let body = r#"{"id":"evt_late","type":"ping"}"#;
        let signature = sign_delivery(SECRET, app.now() - 200, body.as_bytes());
        app.request(Method::POST, "/payments/stripe/", &[("stripe-signature", &signature)], body.as_bytes()).await;
        app.drain().await;
        assert_eq!(app.diagnosed().await, ["clock:stripe"]);
        app.deliver(&[r#"{"id":"evt_good","type":"ping"}"#]).await;
        assert!(app.diagnosed().await.is_empty());

        app.pass(1);
        app.works(0);
        app.forge().await;
        assert_eq!(app.diagnosed().await, ["refused:stripe"]);
        assert_eq!(app.cli("doctor").await.code, 1);
        app.pass(1);
        app.deliver(&[r#"{"id":"evt_good_2","type":"ping"}"#]).await;
        app.pass(3_700);
        app.works(0);
        assert!(app.diagnosed().await.is_empty());

        app.stripe(&broken("evt_broken")).await;
        app.pass(301);
        app.works(0);
        assert_eq!(app.diagnosed().await, ["overdue"]);
        app.drain().await;
        assert_eq!(app.diagnosed().await, ["discarded:stripe:charge.succeeded"]);
        app.pass(25 * 3_600);
        app.works(0);
        assert_eq!(app.diagnosed().await, ["discarded:stripe:charge.succeeded"], "it still lies there");
        assert_eq!(app.cli("discard --state discarded").await.code, 0);

        let other = beside(&app, |builder| builder.handler("gone", |_| async { Ok(()) })).await;
        other.drain().await;
        app.works(0);
        assert_eq!(app.diagnosed().await, ["no-handler"]);
        app.run("DELETE FROM pay_handlers");
        assert!(app.diagnosed().await.is_empty());

        for _ in 0..3 {
            let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
            app.payments.create(new).await.unwrap();
        }
        app.pass(7_300);
        app.works(0);
        assert_eq!(app.diagnosed().await, ["silence:stripe"]);
        app.deliver(&[r#"{"id":"evt_good_3","type":"ping"}"#]).await;
        assert!(app.diagnosed().await.is_empty());
    }

    async fn what_waits_for_a_person_is_found_by_its_name(kind) {
        let app = App::new(kind).await;
        app.works(0);
        assert_eq!(app.diagnosed().await, ["api-key:stripe"]);
        assert_eq!((app.cli("doctor").await.code, app.cli("doctor --strict").await.code), (0, 1));
        let token = app.order_of(money(100, "EUR")).await.token;
        app.deliver(&[&completed_as(1, &token)]).await;
        assert_eq!(app.diagnosed().await, ["api-key:stripe", "review"]);
        app.deliver(&[&fixture("charge.succeeded").to_string(), &fixture("charge.dispute.created").to_string()]).await;
        app.pass(61);
        app.drain().await;
        app.works(0);
        let found = app.diagnosed().await;
        assert!(found.iter().any(|name| name == "test-disputes"), "{found:?}");
    }

    async fn a_gateway_that_does_not_answer_is_found_by_what_it_holds_up(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.pay(&token);
        app.payments.reconcile("stripe").await.unwrap();
        app.drain().await;
        fake.state().faults = vec![Some(Fault::CutBefore); 1_000].into();
        let _ = app.payments.refund(&token, Refund::all()).await;
        for _ in 0..2 {
            assert!(app.payments.reconcile("stripe").await.is_err());
            app.pass(1_900);
        }
        app.works(0);
        assert_eq!(app.diagnosed().await, ["chore:reconcile:stripe", "operations"]);
    }

    async fn a_step_that_was_not_taken_is_found_and_nothing_that_needs_it_is_looked_at(kind) {
        let app = App::new(kind).await;
        app.run("DELETE FROM pay_migrations WHERE name = '0021_alarms'");
        let found = app.diagnosed().await;
        assert_eq!(found, ["api-key:stripe", "migrations"]);
        let said = app.cli("doctor").await;
        assert_eq!(said.code, 1);
        assert!(said.text.contains("FAULT\tmigrations\tNot run yet: 0021_alarms. Run `migrate`"), "{said:?}");
    }

    async fn a_table_that_is_gone_is_found(kind) {
        let app = App::new(kind).await;
        app.works(0);
        app.run("DROP TABLE pay_workers");
        let found = app.diagnosed().await;
        assert_eq!(found[..2], ["api-key:stripe", "tables"]);
        assert!(found[2..].iter().all(|name| name.starts_with("look:")) && found.len() > 2, "{found:?}");
        let said = app.cli("doctor").await;
        assert!(said.code == 1 && said.text.contains("FAULT\ttables\tThey can't be read: "), "{said:?}");
    }

    async fn a_database_that_takes_no_writes_is_found(kind) {
        let app = App::new(kind).await;
        app.works(0);
        app.can_only_read();
        let said = app.cli("doctor").await;
        assert!(said.code == 1 && said.text.contains("FAULT\twriting\tThe database takes no writes: "), "{said:?}");
        assert!(said.text.contains("ok\tdatabase\tIt answers."), "{said:?}");
        // Each connection that refuses is replaced by one that can.
        let mut looks = 0;
        while app.diagnosed().await != ["api-key:stripe"] {
            looks += 1;
            assert!(looks < 10, "there are ten connections");
        }
    }

    async fn a_database_that_gives_no_connection_is_all_that_is_found_and_ends_with_3(kind) {
        let app = App::new(kind).await;
        let held: Vec<_> = (0..10).map(|_| app.database.connection().unwrap()).collect();
        let said = app.cli("doctor").await;
        assert_eq!(said.code, 3, "{said:?}");
        assert!(said.text.starts_with("FAULT\tdatabase\tIt does not answer: "), "{said:?}");
        assert!(said.text.contains("api-key:stripe") && !said.text.contains("worker"), "{said:?}");
        let list = app.cli("events").await;
        assert!(list.code == 3 && list.text.is_empty() && list.problem.is_some(), "{list:?}");
        drop(held);
        assert!(app.diagnosed().await.iter().all(|name| name != "database"));
    }

    async fn a_signing_secret_that_is_not_set_is_found_by_its_variant_and_label(kind) {
        let app = App::with(kind, |builder| builder.variant("unset", Unset)).await;
        app.works(0);
        assert_eq!(app.diagnosed().await[..2], ["api-key:stripe", "secret:unset"]);
        let said = app.cli("doctor").await;
        assert!(said.code == 1 && said.text.contains("FAULT\tsecret:unset\tNot set: new. Deliveries that they"), "{said:?}");
        assert!(said.text.contains("ok\tsecret:stripe\tEvery signing secret is set."), "{said:?}");
    }
}

/// Elsewhere reading waits for nobody.
#[actix_web::test]
async fn a_database_that_goes_silent_while_alarms_are_looked_for_is_found() {
    let app = App::new(Kind::Postgres).await;
    app.works(0);
    let mut holder = app.database.connection().unwrap();
    for sql in ["BEGIN", "LOCK TABLE pay_operations, pay_differences, pay_ledger IN ACCESS EXCLUSIVE MODE"] {
        execute(holder.lent(), sql).unwrap();
    }
    let begun = Instant::now();
    assert_eq!(app.diagnosed().await, ["api-key:stripe", "alarms"]);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    execute(holder.lent(), "ROLLBACK").unwrap();
    assert_eq!(app.diagnosed().await, ["api-key:stripe"]);
}

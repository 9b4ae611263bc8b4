//! Is nothing of a person left, not even where tables don't show it: in a database's file, in texts of our own, and in
//! what subscriptions, operations and handlers wrote down?

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, Database, HandlerError, Person, Resolution, SubscriptionQuery, Transition};

use super::{EMAIL, KEY, WORDS, naming, telling, with_key};
use crate::app::{App, Kind, SECRET, on_both_databases};
use crate::events::fixture;
use crate::scenes::{completed_as, money, until};

/// An event of a subscription of the person's.
fn subscribed(name: &str, number: usize) -> String {
    let mut event = fixture(name);
    event["id"] = format!("evt_s{number}").into();
    let object = &mut event["data"]["object"];
    if object["object"] == "checkout.session" {
        object["customer_details"]["email"] = EMAIL.into();
        object["customer_details"]["name"] = "Mia Kowalska".into();
    } else if object.get("customer_email").is_some() {
        object["customer_email"] = EMAIL.into();
        object["customer_name"] = "Mia Kowalska".into();
    } else {
        object["description"] = "Mia Kowalska likes tea".into();
    }
    event.to_string()
}

const STORY: [&str; 3] = ["checkout.session.completed.subscription", "customer.subscription.created", "invoice.paid"];

/// Every byte of the database's file and of what stands beside it.
fn bytes(app: &App) -> Vec<u8> {
    let path = app.url.trim_start_matches("sqlite://");
    let files = ["", "-wal", "-shm"].map(|end| std::fs::read(format!("{path}{end}")).unwrap_or_default());
    files.concat()
}

fn is_in(word: &str, bytes: &[u8]) -> bool {
    let word = word.to_lowercase();
    bytes.to_ascii_lowercase().windows(word.len()).any(|some| some == word.as_bytes())
}

on_both_databases! {
    async fn no_table_and_no_file_has_a_word_of_them(kind) {
        let failing = |_: Transition| async { Err::<(), _>(HandlerError::Discard("Mia Kowalska of Torstr. 1 was not written to".to_owned())) };
        let app = App::with(kind, |builder| with_key(builder.handler("send-letter", failing))).await;
        let token = app.paid_by_mia(1).await;
        for (number, name) in STORY.iter().enumerate() {
            app.deliver(&[&subscribed(name, number)]).await;
        }
        app.deliver(&[&naming("evt_named")]).await;
        // What operators and the app wrote freely.
        for sql in [
            "INSERT INTO pay_operations (payment_id, variant, verb, reason, gateway_refs, idempotency_key, actor, state, \
             outcome, attempts, created_at) SELECT id, 'stripe', 'refund', 'Mia likes tea', '[]', 'op_1', \
             'Mia.Kowalska@shop.example', 'declined', 'card of Mia Kowalska', 1, created_at FROM pay_payments WHERE id = 1",
            "INSERT INTO pay_audit (actor, act, payment_id, detail, created_at) \
             SELECT 'anna', 'refund', id, 'Mia Kowalska likes tea', created_at FROM pay_payments WHERE id = 1",
            "INSERT INTO pay_audit (actor, act, detail, created_at) \
             SELECT 'anna', 'requeue_many', 'search mia.kowalska@shop.example', created_at FROM pay_payments WHERE id = 1",
            "INSERT INTO pay_alarms (name, sentence, path, begun_at, seen_at) SELECT 'x', \
             'mia.kowalska@shop.example waits', '/', created_at, created_at FROM pay_payments WHERE id = 1",
            "INSERT INTO pay_creations (host_key, payment_id, address) VALUES ('cart of mia.kowalska@shop.example', 1, \
             'https://pay.example/?email=mia.kowalska@shop.example')",
            "INSERT INTO pay_differences (variant, subject, name, fields, found_at, seen_at) SELECT variant, 'payment', token, \
             '[{\"field\":\"needs review\",\"ours\":\"none\",\"theirs\":\"paid by Mia Kowalska\"}]', created_at, created_at \
             FROM pay_payments WHERE id = 1",
            "INSERT INTO pay_drift (variant, since, until, compared, unanswered, why, begun_at) SELECT variant, created_at, \
             created_at, 1, 1, token || ': not shown to mia.kowalska@shop.example', created_at FROM pay_payments WHERE id = 1",
            "UPDATE pay_payments SET metadata = '{\"note\":\"likes tea\"}', concerns = 'paid by Mia Kowalska' WHERE id = 1",
        ] {
            app.run(sql);
        }
        let held = app.found();
        for table in ["pay_payments", "pay_event_bodies", "pay_attempts", "pay_subscriptions", "pay_creations", "pay_differences", "pay_drift"] {
            assert!(held.iter().any(|row| row.starts_with(&format!("{table} "))), "{table} has nothing to erase: {held:#?}");
        }
        let owner = app.texts("SELECT coalesce(owner, '') AS t FROM pay_subscriptions");
        let erased = app.payments.erase(&Person::payment(&token)).await.unwrap();
        assert_eq!((erased.payments >= 1, erased.subscriptions, erased.left), (true, 1, None));
        assert_eq!(app.found(), Vec::<String>::new());
        assert_eq!(app.texts("SELECT coalesce(owner, '') AS t FROM pay_subscriptions"), owner, "an id of the host's stays");
        let subscription = app.texts("SELECT token AS t FROM pay_subscriptions").remove(0);
        let page = app.get(&format!("/payments/admin/subscriptions/{subscription}")).await;
        assert_eq!(page.status, 200, "its facts can still be read");
        app.deliver(&[&subscribed("customer.subscription.deleted", 9), &subscribed("invoice.paid.renewal", 10)]).await;
        assert_eq!(app.found(), Vec::<String>::new());
        if kind == Kind::Sqlite {
            app.run("PRAGMA wal_checkpoint(TRUNCATE)");
            let (bytes, url) = (bytes(&app), app.url.clone());
            assert!(is_in("order-1", &bytes) && bytes.len() > 50_000, "{url}");
            for word in WORDS {
                assert!(!is_in(word, &bytes), "{word} in {url}");
            }
        }
    }

    async fn what_the_page_erases_leaves_the_file_once_a_worker_is_through(kind) {
        let app = App::with(kind, with_key).await;
        app.paid_by_mia(1).await;
        app.deliver(&[&naming("evt_named")]).await;
        if kind == Kind::Sqlite {
            assert!(is_in("kowalska", &bytes(&app)));
        }
        let form = "by=email&who=mia.kowalska%40shop.example";
        assert_eq!(app.post("/payments/admin/data/person/erase", form).await.status, 200);
        app.pass(6);
        let worker = app.payments.worker().poll(std::time::Duration::from_millis(10)).start().unwrap();
        let made = "SELECT count(*) FROM pay_chores WHERE name = 'erasure:file' AND note NOT LIKE 'somebody%'";
        until(|| app.number(made) == 1).await;
        worker.stop().await;
        assert_eq!(app.found(), Vec::<String>::new());
        if kind == Kind::Sqlite {
            let bytes = bytes(&app);
            assert!(!WORDS.iter().any(|word| is_in(word, &bytes)), "the file has a word of them");
        }
    }

    async fn what_operators_noted_of_them_goes_and_what_they_decided_stays(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.order_of(money(4000, "EUR")).await.token;
        app.deliver(&[&telling(1, &token)]).await;
        assert!(app.payment(&token).await.needs_review());
        let note = format!("{} likes tea, see https://crm.example/mia.kowalska", "Mia Kowalska".repeat(20));
        app.payments.resolve_review(&token, Resolution::accept(note).by("anna")).await.unwrap();
        let before = app.payment(&token).await;
        assert_eq!(before.status, Status::Paid);
        app.payments.erase(&Person::payment(&token)).await.unwrap();
        assert_eq!(app.found(), Vec::<String>::new());
        let after = app.payment(&token).await;
        assert_eq!((after.status, after.captured), (before.status, before.captured));
        let said = app.texts("SELECT summary AS t FROM pay_event_facts WHERE summary LIKE 'anna%'");
        assert_eq!(said, ["anna accepted 49.99 EUR: “(erased)”"]);
    }

    async fn an_owner_that_is_an_address_goes_as_well(kind) {
        let app = App::with(kind, with_key).await;
        for (number, name) in STORY.iter().enumerate() {
            app.deliver(&[&subscribed(name, number)]).await;
        }
        let token = app.texts("SELECT token AS t FROM pay_subscriptions").remove(0);
        app.payments.give_owner(&token.as_str().into(), EMAIL).await.unwrap();
        assert_eq!(app.payments.erase(&Person::customer(EMAIL)).await.unwrap().subscriptions, 1);
        assert_eq!(app.found(), Vec::<String>::new());
        assert_eq!(app.get(&format!("/payments/admin/subscriptions/{token}")).await.status, 200);
    }

    async fn a_subscription_is_found_by_its_address_however_that_is_written(kind) {
        let app = App::with(kind, with_key).await;
        for (number, name) in STORY.iter().enumerate().take(2) {
            app.deliver(&[&subscribed(name, number)]).await;
        }
        // No payment leads to it.
        app.run("UPDATE pay_payments SET customer = NULL");
        assert_eq!(app.texts("SELECT coalesce(customer, '') AS t FROM pay_subscriptions"), [EMAIL]);
        let address = "mia.KOWALSKA@shop.example";
        let listed = app.payments.subscriptions(SubscriptionQuery::new().customer(address)).await.unwrap();
        assert_eq!(listed.subscriptions.len(), 1);
        let held: serde_json::Value = serde_json::from_str(&app.payments.export(&Person::email(address)).await.unwrap()).unwrap();
        assert_eq!(held["subscriptions"].as_array().unwrap().len(), 1);
        assert_eq!(app.payments.erase(&Person::email(address)).await.unwrap().subscriptions, 1);
        assert_eq!(app.texts("SELECT coalesce(customer, '') AS t FROM pay_subscriptions"), [""]);
    }

    async fn a_worker_looks_through_what_came_while_nobody_knew(kind) {
        let app = App::with(kind, with_key).await;
        // A process of an older configuration has no key, and stores what comes.
        let older = App::at(app.url.clone(), None, |it| it.variant("stripe", Stripe::new(SECRET))).await;
        app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        older.deliver(&[&naming("evt_late"), &completed_as(5, "nobody")]).await;
        assert_eq!(app.found().len(), 1);
        app.pass(6);
        let worker = app.payments.worker().poll(std::time::Duration::from_millis(10)).start().unwrap();
        for _ in 0..500 {
            if app.found().is_empty() {
                break;
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(app.found(), Vec::<String>::new());
        worker.stop().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_event_bodies"), 2, "no body went that may be another's");
    }

    async fn what_is_kept_to_recognise_them_is_of_no_use_to_who_reads_it(kind) {
        let app = App::with(kind, with_key).await;
        app.paid_by_mia(1).await;
        app.payments.erase(&Person::email(EMAIL)).await.unwrap();
        let marks = app.texts("SELECT mark AS t FROM pay_erased ORDER BY 1");
        assert!(marks.len() >= 3 && marks.iter().all(|mark| mark.len() == 32), "{marks:?}");
        let other = App::with(kind, |it| it.erasure_key(format!("{KEY}!"))).await;
        other.paid_by_mia(1).await;
        other.payments.erase(&Person::email(EMAIL)).await.unwrap();
        let others = other.texts("SELECT mark AS t FROM pay_erased ORDER BY 1");
        assert!(others.iter().all(|mark| !marks.contains(mark)), "another key, other marks");
    }
}

/// A table that nobody thought of would keep what it has.
#[actix_web::test]
async fn every_table_is_of_persons_or_known_not_to_be() {
    let app = App::new(Kind::Sqlite).await;
    let database: &Database<AnyConnection> = &app.database;
    let tables = crate::app::texts(
        database,
        "SELECT name AS t FROM sqlite_master WHERE type = 'table' AND name LIKE 'pay!_%' ESCAPE '!' ORDER BY 1",
    );
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/persons.rs")).unwrap();
    let impersonal = [
        "pay_audit_variants",
        "pay_counters",
        "pay_erased",
        "pay_event_bodies",
        "pay_growth",
        "pay_handlers",
        "pay_hours",
        "pay_migrations",
        "pay_movement_months",
        "pay_movements",
        "pay_subscription_accounts",
        "pay_subscription_prices",
        "pay_words_owed",
        "pay_workers",
    ];
    let is_known = |table: &&String| source.contains(&format!("\"{table}\"")) || impersonal.contains(&table.as_str());
    let unknown: Vec<_> = tables.iter().filter(|table| !is_known(table)).collect();
    assert_eq!(unknown, Vec::<&String>::new());
}

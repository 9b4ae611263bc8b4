//! Does what can't be looked for silence nothing else, and is it told itself?

use std::sync::Arc;

use super::stories::worker;
use super::{a_while, telling};
use crate::app::{App, on_both_databases};
use crate::scenes::{Notes, until};

/// Whether the host was told something that begins so.
fn heard(notes: &Notes, what: &str) -> bool {
    notes.all().iter().any(|note| note.starts_with(what))
}

on_both_databases! {
    async fn what_cannot_be_looked_for_is_an_alarm_and_silences_no_other(kind) {
        let notes = Notes::default();
        let app = App::with(kind, |builder| telling(builder, &notes, &Arc::default())).await;
        app.stripe(r#"{"id":"evt_0","type":"ping"}"#).await;
        app.run(
            "INSERT INTO pay_differences (variant, subject, name, fields, found_at, seen_at) \
             SELECT 'stripe', 'payment', 'pay_1', '[]', received_at, received_at FROM pay_events",
        );
        let running = worker(&app);
        until(|| heard(&notes, "drift:stripe begins")).await;
        until(|| app.number("SELECT count(*) FROM pay_alarms WHERE told") == 1).await;
        app.run("ALTER TABLE pay_differences RENAME TO away");
        app.give_up_as("evt_1").await;
        until(|| app.events("discarded") == 1).await;
        app.pass_until(31, || heard(&notes, "discarded:stripe:charge.succeeded begins")).await;
        until(|| heard(&notes, "look:drift begins: Nobody can tell")).await;
        for _ in 0..3 {
            app.pass(331);
            a_while().await;
        }
        // Nothing is known of it, so it is not over.
        assert_eq!(notes.count(), 3, "{:?}", notes.all());
        app.run("DELETE FROM away");
        app.run("ALTER TABLE away RENAME TO pay_differences");
        app.pass(31);
        a_while().await;
        app.pass_until(331, || heard(&notes, "look:drift over") && heard(&notes, "drift:stripe over")).await;
        running.stop().await;
    }

    async fn a_variant_of_which_nothing_can_be_read_silences_no_other(kind) {
        let notes = Notes::default();
        let app = App::with(kind, |builder| {
            let dummy = actix_payments::gateways::dummy::Dummy::new("secret");
            telling(builder.variant("dummy", dummy), &notes, &Arc::default())
        });
        let app = app.await;
        app.stripe(r#"{"id":"evt_0","type":"ping"}"#).await;
        app.run(
            "INSERT INTO pay_events (variant, gateway_event_id, source, kind, received_at, deliveries, state, \
             last_delivered_at, attempts) SELECT 'dummy', 'de_1', 'nonsense', 'ping', received_at, 1, 'completed', \
             received_at, 0 FROM pay_events",
        );
        app.give_up_as("evt_1").await;
        let running = worker(&app);
        until(|| heard(&notes, "discarded:stripe:charge.succeeded begins")).await;
        until(|| heard(&notes, "look:deliveries:dummy begins")).await;
        running.stop().await;
        assert_eq!(notes.count(), 2, "{:?}", notes.all());
        // `doctor` says the same, and all else.
        let doctor = app.cli("doctor").await.text;
        for found in ["\tdelivery:dummy\t", "\tlook:deliveries:dummy\t", "\tdiscarded:stripe:", "\tworker\t"] {
            assert!(doctor.contains(found), "{found}: {doctor}");
        }
    }
}

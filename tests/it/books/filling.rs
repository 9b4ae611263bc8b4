//! Do the books stay as the events say when a worker compares all of them, and does one bad row hold up no other?

use std::time::Duration;

use actix_payments::NewPayment;
use actix_web::rt::time::sleep;

use super::{autumn, deliver, in_november};
use crate::app::{App, on_both_databases};
use crate::scenes::money;

impl App {
    /// Lets a worker run until this is so, for some seconds at the most.
    async fn worked_until(&self, condition: &str) {
        let worker = self.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        for _ in 0..250 {
            if self.number(&format!("SELECT count(*) FROM pay_chores WHERE {condition}")) == 1 {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        worker.stop().await;
    }

    /// Why a chore fails, if it does.
    fn failure_of(&self, chore: &str) -> Option<String> {
        let failing =
            format!("SELECT failure AS t FROM pay_chores WHERE name = '{chore}' AND failing_since IS NOT NULL");
        self.texts(&failing).pop()
    }
}

on_both_databases! {
    async fn what_a_rebuild_threw_out_does_not_come_back(kind) {
        let (app, tokens) = in_november(kind).await;
        deliver(&app, &autumn(&tokens).concat()).await;
        let expected = app.movements();
        // An earlier release took another amount for that of the first capture.
        app.run("UPDATE pay_event_facts SET facts = replace(facts, '4999', '3999') WHERE event_id = 1");
        app.run("UPDATE pay_payments SET status = 'pending', captured_amount = 0 WHERE id = 1");
        app.post(&format!("/payments/admin/payments/{}/rebuild", tokens[0]), "").await;
        app.drain().await;
        assert_eq!(app.movements(), expected);
        app.worked_until("name = 'books' AND note IS NOT NULL").await;
        assert_eq!(app.movements(), expected);
        app.months_agree();
        let said = app.texts("SELECT facts AS t FROM pay_event_facts WHERE event_id = 1").remove(0);
        assert!(said.contains("4999") && !said.contains("3999"), "{said}");
    }

    async fn a_payment_that_cannot_be_read_holds_up_no_others_books(kind) {
        let (app, tokens) = in_november(kind).await;
        deliver(&app, &autumn(&tokens).concat()).await;
        let expected = app.movements();
        for sql in ["DELETE FROM pay_movements", "DELETE FROM pay_movement_months", "UPDATE pay_ledger SET earlier = NULL"] {
            app.run(sql);
        }
        let status = app.texts("SELECT status AS t FROM pay_payments WHERE id = 2").remove(0);
        app.run("UPDATE pay_payments SET status = 'dreaming' WHERE id = 2");
        app.worked_until("name = 'books' AND note IS NOT NULL").await;
        let others: Vec<String> = expected.iter().filter(|row| !row.starts_with("2 ")).cloned().collect();
        assert_eq!(app.movements(), others);
        let why = app.failure_of("books").unwrap_or_default();
        assert!(why.contains("payment 2") && why.contains("dreaming"), "{why:?}");
        app.run(&format!("UPDATE pay_payments SET status = '{status}' WHERE id = 2"));
        app.pass(86_401);
        app.worked_until("name = 'books' AND failing_since IS NULL AND note LIKE '%each week'").await;
        assert_eq!((app.movements(), app.failure_of("books")), (expected, None));
        app.months_agree();
    }

    async fn words_that_could_not_be_written_are_a_failure_until_they_can(kind) {
        let app = App::new(kind).await;
        let new = NewPayment::new("stripe", money(4999, "EUR")).customer("mia@shop.example");
        app.payments.create(new).await.unwrap();
        app.run("DELETE FROM pay_words_owed");
        app.run("ALTER TABLE pay_words RENAME TO pay_words_away");
        app.worked_until("name = 'words:payments:absorbed' AND failing_since IS NOT NULL").await;
        let why = app.failure_of("words:payments:absorbed").unwrap_or_default();
        assert!(!why.is_empty());
        app.run("ALTER TABLE pay_words_away RENAME TO pay_words");
        app.pass(61);
        app.worked_until("name = 'words:payments:absorbed' AND failing_since IS NULL").await;
        assert_eq!(app.failure_of("words:payments:absorbed"), None);
    }
}

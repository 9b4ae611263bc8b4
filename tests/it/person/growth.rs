//! Is it seen how the tables grow and when they meet a bound, without a page that counts?

use std::time::Duration;

use actix_web::rt::time::sleep;

use crate::app::{App, on_both_databases};
use crate::scenes::completed_as;

impl App {
    /// Lets a worker measure the tables once more.
    async fn measured(&self) {
        let times = "SELECT count(DISTINCT measured_at) FROM pay_growth";
        let before = self.number(times);
        let worker = self.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        for _ in 0..500 {
            if self.number(times) > before {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        worker.stop().await;
        assert_eq!(self.number(times), before + 1, "once a day");
    }
}

on_both_databases! {
    async fn pace_and_bound_are_said_from_what_a_worker_measured(kind) {
        let app = App::with(kind, |builder| builder.growth_bound(20_000_000_000)).await;
        let page = app.get("/payments/admin/data").await.text();
        assert!(page.contains("it has not done so yet"), "{page}");
        app.measured().await;
        let page = app.get("/payments/admin/data").await.text();
        assert!(page.contains("pay_events") && page.contains("not known"), "{page}");
        for number in 0..5 {
            app.deliver(&[&completed_as(number, "nobody")]).await;
        }
        app.pass(86_400);
        // As much more as a busy shop would have: a gigabyte a day.
        app.measured().await;
        app.run("UPDATE pay_growth SET bytes = 4000000000 WHERE name = '' AND measured_at = (SELECT min(measured_at) FROM pay_growth)");
        app.run("UPDATE pay_growth SET bytes = 5000000000 WHERE name = '' AND measured_at = (SELECT max(measured_at) FROM pay_growth)");
        let said = "5.0 GB, 1.0 GB more a day; the bound of 20.0 GB is met in 15 days at this pace.";
        let page = app.get("/payments/admin/data").await.text();
        assert!(page.contains(said), "{page}");
        let doctor = app.cli("doctor").await.text;
        assert!(doctor.contains(&format!("WARNING\tgrowth\t{said}")), "{doctor}");
        app.run("UPDATE pay_growth SET bytes = 1000000000 WHERE name = ''");
        let doctor = app.cli("doctor").await.text;
        let said = "ok\tgrowth\t1.0 GB, and no more each day; the bound of 20.0 GB is not in sight.";
        assert!(doctor.contains(said), "{doctor}");
    }

    async fn tables_have_rows_and_bytes(kind) {
        let app = App::new(kind).await;
        for number in 0..20 {
            app.deliver(&[&completed_as(number, "nobody")]).await;
        }
        if kind == crate::app::Kind::Postgres {
            app.run("ANALYZE");
        }
        app.measured().await;
        // Postgres estimates, and counts rows that were written anew until it has tidied up.
        let rows = app.number("SELECT coalesce(row_count, 0) FROM pay_growth WHERE name = 'pay_events'");
        assert!((20..=40).contains(&rows), "{rows}");
        assert!(app.number("SELECT coalesce(bytes, 0) FROM pay_growth WHERE name = ''") > 100_000);
        let bodies = app.number("SELECT coalesce(bytes, 0) FROM pay_growth WHERE name = 'pay_event_bodies'");
        assert!(bodies > 20_000, "{bodies}");
    }
}

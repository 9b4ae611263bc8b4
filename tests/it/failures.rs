//! Are failures told apart by who failed and why, and is all of one cause requeued by one act?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_payments::HandlerError;

use crate::acts::form;
use crate::app::{App, Kind, on_both_databases};
use crate::events::changed;

const FAILURES: &str = "/payments/admin/failures";
const BULK: &str = "/payments/admin/events/bulk";

/// Fourteen receipts that were not sent, each with a sentence of its own, two that were refused, and one event that
/// can't be read. A receipt is sent once `is_up`.
pub(crate) async fn failed(kind: Kind, is_up: Arc<AtomicBool>) -> App {
    let app = App::with(kind, |builder| {
        builder
            .on_event("payout.paid", "send-receipt", move |event| {
                let (is_up, why) = (is_up.clone(), format!("SMTP time-out after 30 s for {}", event.id));
                async move { if is_up.load(Ordering::SeqCst) { Ok(()) } else { Err(HandlerError::Discard(why)) } }
            })
            .on_event("payout.failed", "book", |_| async {
                Err::<(), _>(HandlerError::Retry("no such account".into()))
            })
    })
    .await;
    for number in 0..14 {
        app.stripe(&changed("payout.paid", &[("/id", format!("evt_a{number}").into())])).await;
        app.pass(60);
    }
    for number in 0..2 {
        app.stripe(&changed("payout.failed", &[("/id", format!("evt_b{number}").into())])).await;
    }
    let unreadable = [("/id", "evt_c".into()), ("/data/object/amount", "49.99".into())];
    app.stripe(&changed("charge.succeeded", &unreadable)).await;
    app.drain().await;
    app
}

/// The part of the page that is about this cause.
fn row<'a>(page: &'a str, cause: &str) -> &'a str {
    page.split("<tr>").find(|row| row.contains(cause)).unwrap_or_else(|| panic!("no {cause} in {page}"))
}

on_both_databases! {
    async fn failures_are_counted_by_who_failed_and_why(kind) {
        let app = failed(kind, Arc::default()).await;
        let page = app.get(FAILURES).await;
        let text = page.text();
        assert!(text.contains("handler send-receipt failed: SMTP time-out after … s for … send-receipt 14"), "{text}");
        assert!(text.contains("handler book failed: no such account book 2"), "{text}");
        assert!(text.contains("could not be read:"), "{text}");
        let receipts = row(&page.body, "SMTP time-out");
        assert_eq!(receipts.matches("<time").count(), 2, "first and last: {receipts}");
        let list = receipts.split_once("<a href=\"").unwrap().1.split_once('"').unwrap().0.replace("&#38;", "&");
        let list = app.get(&list).await;
        assert_eq!(list.body.matches("<tr data-id").count(), 14, "{}", list.text());
    }

    async fn one_act_requeues_all_of_a_cause_and_nothing_else(kind) {
        let is_up = Arc::new(AtomicBool::new(false));
        let app = failed(kind, is_up.clone()).await;
        let page = app.get(FAILURES).await.body;
        let receipts = row(&page, "SMTP time-out");
        let view = receipts.split_once("name=\"view\" value=\"").unwrap().1.split_once('"').unwrap().0;
        let view = view.replace("&#38;", "&").replace('%', "%25").replace('&', "%26").replace('=', "%3D");
        let asked = app.post(BULK, &format!("act=requeue-all&view={view}")).await;
        assert!(asked.text().contains("Requeue 14 events?"), "{}", asked.text());
        assert_eq!(app.events("available"), 0, "asking changes nothing");
        is_up.store(true, Ordering::SeqCst);
        let done = app.post(BULK, &form(&asked.body)).await.text();
        assert!(done.contains("14 events were requeued"), "{done}");
        assert_eq!(app.events("available"), 14);
        let page = app.get(FAILURES).await.text();
        assert!(!page.contains("SMTP") && page.contains("no such account"), "{page}");
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE failure IS NOT NULL"), 3);
    }

    async fn events_are_filtered_by_the_handler_that_failed_and_by_code(kind) {
        let app = failed(kind, Arc::default()).await;
        let count = async |query: &str| {
            app.get(&format!("/payments/admin/events?{query}")).await.body.matches("<tr data-id").count()
        };
        for (query, rows) in [
            ("handler=send-receipt", 14), ("handler=book", 2), ("handler=nobody", 0), ("code=malformed", 1),
            ("code=handler_failed", 2), ("handler=send-receipt&code=handler_failed", 0),
            ("handler=send-receipt&q=evt_a3", 1), ("handler=book&q=evt_a3", 0), ("state=discarded&handler=book", 0),
        ] {
            assert_eq!(count(query).await, rows, "{query}");
        }
    }

    async fn what_succeeds_or_is_given_up_leaves_its_group(kind) {
        let app = failed(kind, Arc::default()).await;
        let of_book = "SELECT id AS n FROM pay_events WHERE gateway_event_id = 'evt_b0'";
        let id = app.number(of_book);
        app.post(&format!("/payments/admin/events/{id}/discard"), "").await;
        assert!(app.get(FAILURES).await.text().contains("no such account book 1"));
        app.run("UPDATE pay_events SET failure = NULL");
        assert!(app.get(FAILURES).await.text().contains("No event has failed"));
    }

    async fn failures_of_a_handler_that_another_process_has_can_be_chosen(kind) {
        let app = failed(kind, Arc::default()).await;
        app.run("INSERT INTO pay_handlers (name, stage, registered_at) VALUES ('ship', 'transition', '2026-10-12 10:00:00+00:00')");
        let page = app.get("/payments/admin/events").await.body;
        for name in ["book", "send-receipt", "ship"] {
            assert!(page.contains(&format!("<option value=\"{name}\"")), "{name}: {page}");
        }
    }
}

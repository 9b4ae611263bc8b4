//! How long did deliveries take, and which came late? Both are read off the events, whenever those came.

use crate::app::{App, NOW, on_both_databases};
use crate::events::changed;

/// An event that happened so many seconds ago.
async fn deliver(app: &App, number: i64, seconds: i64) {
    let id = format!("evt_{number}");
    app.deliver(&[&changed("payout.paid", &[("/id", id.into()), ("/created", (app.now() - seconds).into())])]).await;
}

on_both_databases! {
    async fn late_deliveries_are_listed_from_ten_minutes_on(kind) {
        let app = App::new(kind).await;
        for (number, seconds) in [(1, 2), (2, 599), (3, 600), (4, 2 * 86_400)] {
            deliver(&app, number, seconds).await;
        }
        let list = app.list("events?seen=late").await;
        assert_eq!(list.ids, [4, 3]);
        assert!(list.html.contains("arrived 2 days late") && list.html.contains("arrived 10 min late"));
        assert_eq!(app.list("events?seen=late&kind=charge.*").await.ids, [0; 0]);
        assert_eq!(app.list("events?seen=late&kind=payout.*&state=ignored&variant=stripe").await.ids.len()
            + app.list("events?seen=late&kind=payout.*&state=completed&variant=stripe").await.ids.len(), 2);
        let all = app.get("/payments/admin/events").await.body;
        assert_eq!(all.matches(" late\"").count(), 2, "the list of all marks them: {all}");
        let csv = app.get("/payments/admin/events.csv?seen=late").await.body;
        assert_eq!(csv.trim().lines().count(), 3, "{csv}");
    }

    async fn what_was_asked_for_is_never_late(kind) {
        let app = App::new(kind).await;
        deliver(&app, 1, 86_400).await;
        app.run("UPDATE pay_events SET source = 'answer'");
        assert_eq!(app.list("events?seen=late").await.ids, [0; 0]);
        assert!(app.get("/payments/admin/").await.text().contains("None have come yet"));
    }

    async fn the_overview_says_within_which_time_deliveries_are_received_and_processed(kind) {
        let app = App::new(kind).await;
        for number in 1..=20 {
            deliver(&app, number, if number == 20 { 7_200 } else { number }).await;
        }
        assert_eq!(app.stripe(&changed("payout.paid", &[("/id", "evt_21".into()), ("/created", (NOW - 5).into())])).await.status, 200);
        app.pass(120);
        app.drain().await;
        let text = app.get("/payments/admin/").await.text();
        assert!(text.contains("received 10 s 19 s 2 hours"), "{text}");
        assert!(text.contains("processed, from there 0 ms 0 ms 2 min Of the newest 21. Late ones"), "{text}");
    }
}

//! Do bodies go when they are old enough, and nothing else, and nothing that may still be needed?

use std::rc::Rc;
use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::{AnyConnection, Builder, Retention, Variant};
use actix_web::http::Method;
use actix_web::rt::time::sleep;

use crate::app::{App, Kind, NOW, on_both_databases};
use crate::events::{changed, fixture};
use crate::lists::rows;
use crate::mollie::fake::Fake;
use crate::scenes::{completed, completed_as, of_story, until};

const DAY: i64 = 86_400;

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

fn after(count: u64) -> impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection> {
    move |builder| builder.retention(Retention::after(days(count)))
}

impl App {
    async fn prune(&self) -> u64 {
        self.payments.prune().await.unwrap()
    }

    /// The gateway's ids of the events whose bodies are stored.
    fn kept(&self) -> Vec<String> {
        self.texts(
            "SELECT gateway_event_id AS t FROM pay_events WHERE id IN (SELECT event_id FROM pay_event_bodies) ORDER BY id",
        )
    }

    fn bodies(&self) -> i64 {
        self.number("SELECT count(*) FROM pay_event_bodies")
    }

    /// So many events with bodies; every 300th was discarded.
    fn fill(&self, kind: Kind, events: i64) {
        for sql in rows(kind, 10, events) {
            self.run(&sql);
        }
        self.run("INSERT INTO pay_event_bodies (event_id, headers, body) SELECT id, '{}', '' FROM pay_events");
    }

    /// So many events with bodies that are younger than all.
    fn fill_beside(&self, events: i64) {
        let now = "2030-01-01 00:00:00+00:00";
        self.run(&format!(
            "INSERT INTO pay_events (variant, gateway_event_id, source, kind, state, outcome, received_at, \
             last_delivered_at, deliveries) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE \
             i < {events}) SELECT 'stripe', 'new-' || i, 'delivery', 'payout.paid', 'ignored', 'done', '{now}', '{now}', 1 \
             FROM n"
        ));
        self.run(
            "INSERT INTO pay_event_bodies (event_id, headers, body) SELECT id, '{}', '' FROM pay_events \
             WHERE gateway_event_id LIKE 'new-%'",
        );
    }

    /// All that is stored but for the bodies themselves.
    fn books(&self) -> Vec<String> {
        let mut rows = self.dump();
        rows.retain(|row| !row.starts_with("pay_event_bodies ") && !row.starts_with("pay_pruned "));
        rows
    }
}

on_both_databases! {
    async fn the_overview_speaks_of_old_bodies_only_where_they_are_pruned(kind) {
        for (app, says) in [(App::new(kind).await, false), (App::with(kind, after(30)).await, true)] {
            assert_eq!(app.overview().await.contains("Old bodies"), says);
        }
    }

    async fn old_bodies_go_and_the_books_stay(kind) {
        let app = App::with(kind, after(30)).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token), &fixture("payment_intent.succeeded").to_string()]).await;
        app.pass(30 * DAY - 1);
        assert_eq!((app.prune().await, app.bodies()), (0, 2), "not a second too early");
        app.pass(1);
        let before = app.books();
        assert_eq!((app.prune().await, app.bodies()), (2, 0));
        assert_eq!(app.books(), before);
        assert_eq!(app.number("SELECT count(*) FROM pay_pruned WHERE kept_seconds = 2592000"), 2);
        assert_eq!((app.prune().await, app.status(&token).await), (0, Status::Paid));

        let page = app.get("/payments/admin/events/1").await.text();
        assert!(page.contains("Body and headers were pruned") && page.contains("kept for 30 days"), "{page}");
        let payment = app.get(&format!("/payments/admin/payments/{token}")).await;
        assert!(payment.status == 200 && payment.body.contains("checkout.session.completed"), "{}", payment.body);
        let rebuilt = app.payments.rebuild(&token).await.unwrap();
        let refusal = rebuilt.refusal.unwrap_or_default();
        assert!(refusal.contains("the bodies of 2 of its events were pruned or erased"), "{refusal}");

        // Sent again, it is a duplicate, and neither its body nor its facts come a second time.
        app.deliver(&[&completed(&token)]).await;
        assert_eq!((app.bodies(), app.number("SELECT deliveries FROM pay_events WHERE id = 1")), (0, 2));
        assert_eq!(app.status(&token).await, Status::Paid);
    }

    async fn what_was_pruned_can_not_be_requeued(kind) {
        let app = App::with(kind, after(1)).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        app.pass(DAY);
        assert_eq!(app.prune().await, 1);
        let answer = app.post("/payments/admin/events/1/requeue", "").await;
        assert!(answer.status == 409 && answer.text().contains("was pruned"), "{} {}", answer.status, answer.text());
        assert_eq!((app.events("completed"), app.number("SELECT count(*) FROM pay_audit")), (1, 0));
    }

    async fn what_may_still_be_needed_stays(kind) {
        let app = App::with(kind, after(30)).await;
        let mut tokens = Vec::new();
        for number in 1..=4 {
            let token = app.order().await.token;
            app.deliver(&[&completed_as(number, &token)]).await;
            tokens.push(token);
        }
        app.run(&format!("UPDATE pay_payments SET disputed = TRUE WHERE token = '{}'", tokens[0]));
        app.run(&format!("UPDATE pay_payments SET needs_review = TRUE WHERE token = '{}'", tokens[1]));
        let unreadable = [("/id", "evt_6".into()), ("/data/object/amount", "?".into())];
        app.deliver(&[&of_story("charge.succeeded", 5, "none"), &changed("charge.succeeded", &unreadable)]).await;
        assert_eq!(app.stripe(&completed_as(7, &tokens[2])).await.status, 200);
        assert_eq!((app.events("parked"), app.events("discarded"), app.events("available")), (1, 1, 1));
        app.pass(31 * DAY);
        let left = app.kept();
        assert_eq!(app.prune().await, 2);
        let expected: Vec<_> = left.into_iter().filter(|id| !["evt_3", "evt_4"].contains(&id.as_str())).collect();
        assert_eq!(app.kept(), expected);
        app.run("UPDATE pay_payments SET disputed = FALSE, needs_review = FALSE");
        assert_eq!(app.prune().await, 2, "once all is settled");
        app.drain().await;
        assert_eq!(app.prune().await, 0, "what ended late counts from its end");
        app.pass(30 * DAY);
        assert!(app.prune().await >= 1);
    }

    async fn kinds_have_ages_of_their_own(kind) {
        let retention = Retention::after(days(30)).keep("checkout.*").kind("payment_intent.*", days(2));
        let app = App::with(kind, |builder| builder.retention(retention)).await;
        let token = app.order().await.token;
        let names = ["payment_intent.succeeded", "charge.succeeded"];
        app.deliver(&[&completed(&token)]).await;
        app.deliver(&names.map(|name| fixture(name).to_string()).each_ref().map(String::as_str)).await;
        app.pass(3 * DAY);
        assert_eq!(app.prune().await, 1);
        app.pass(300 * DAY);
        assert_eq!(app.prune().await, 1);
        let kinds = app.texts("SELECT kind AS t FROM pay_events WHERE id IN (SELECT event_id FROM pay_event_bodies)");
        assert_eq!(kinds, ["checkout.session.completed"]);
    }

    async fn nothing_is_pruned_unless_the_host_says_so(kind) {
        let app = App::new(kind).await;
        app.deliver(&[&completed(&app.order().await.token)]).await;
        app.pass(3_000 * DAY);
        assert_eq!((app.prune().await, app.bodies()), (0, 1));
    }

    async fn workers_prune_in_turns_and_go_on_where_one_stopped(kind) {
        let app = App::with(kind, after(1)).await;
        app.fill(kind, 1_000);
        app.run("INSERT INTO pay_chores (name, due_at, place) SELECT 'retention', received_at, 600 FROM pay_events WHERE id = 1");
        app.run("INSERT INTO pay_chores (name, due_at) VALUES ('retention_again', '2030-01-01 00:00:00+00:00')");
        assert!(app.overview().await.contains("No worker has pruned yet."));
        app.pass(2 * DAY);
        let workers = [&app, &app].map(|app| app.payments.worker().poll(Duration::from_millis(10)).start().unwrap());
        let ended = "SELECT count(*) FROM pay_chores WHERE name = 'retention' AND place = 1000";
        until(|| app.number(ended) == 1).await;
        until(|| app.texts("SELECT coalesce(note, '') AS t FROM pay_chores WHERE name = 'retention'")[0].contains("nothing else")).await;
        let overview = app.overview().await;
        assert!(overview.contains("<h2>Old bodies</h2>") && overview.contains("bodies were pruned just then"), "{overview}");
        // The 900th was discarded; what lies before the place was looked at before.
        assert_eq!((app.bodies(), app.number("SELECT count(*) FROM pay_pruned WHERE event_id <= 600")), (601, 0));
        app.pass(3_601);
        sleep(Duration::from_millis(300)).await;
        assert_eq!((app.bodies(), app.number(ended)), (601, 1), "an hour later it goes on from there");
        app.run("UPDATE pay_chores SET due_at = (SELECT received_at FROM pay_events WHERE id = 1) WHERE name = 'retention_again'");
        until(|| app.bodies() == 3).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_pruned"), 997, "once a day all is looked at");
        until(|| app.texts("SELECT coalesce(note, '') AS t FROM pay_chores WHERE name = 'retention_again'")[0].contains("nothing else")).await;
        for worker in workers {
            worker.stop().await;
        }
    }

    async fn what_is_kept_is_looked_at_again_once_a_day(kind) {
        let app = App::with(kind, after(1)).await;
        app.deliver(&[&completed(&app.order().await.token)]).await;
        app.run("UPDATE pay_payments SET disputed = TRUE");
        app.pass(2 * DAY);
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        let passed = "SELECT count(*) FROM pay_chores WHERE name = 'retention' AND place = 1";
        until(|| app.number(passed) == 1).await;
        app.run("UPDATE pay_payments SET disputed = FALSE");
        app.pass(3_601);
        sleep(Duration::from_millis(300)).await;
        assert_eq!((app.bodies(), app.number(passed)), (1, 1), "what was passed is not looked at each hour");
        app.pass(DAY);
        until(|| app.bodies() == 0).await;
        worker.stop().await;
    }

    async fn answered_questions_go_after_a_week_and_those_that_failed_stay(kind) {
        // Whatever the host keeps bodies for.
        let fake = Fake::new(NOW);
        let gateway = Variant::from(fake.gateway()).grace(Duration::ZERO);
        let app = App::bare(kind, |builder| builder.variant("mollie", gateway)).await;
        let tell = async |id: &str| {
            let answer = app.request(Method::POST, "/payments/mollie/", &[], format!("id={id}").as_bytes()).await;
            assert_eq!(answer.status, 200);
            app.drain().await;
        };
        let ids = [fake.made_elsewhere(1000), fake.made_elsewhere(2000), fake.made_elsewhere(3000)];
        for id in &ids {
            fake.becomes(id, "paid");
            tell(id).await;
        }
        tell("tr_nobodyknows").await;
        fake.state().is_down = true;
        tell(&ids[0]).await;
        // Its event is to be taken up once more, for a handler.
        app.run("UPDATE pay_events SET state = 'retryable', due_at = '2030-01-01 00:00:00+00:00' WHERE id = \
                 (SELECT min(event_id) FROM pay_fetch_events WHERE fetch_id = 2)");
        let states = || app.texts("SELECT id || ' ' || state AS t FROM pay_fetches ORDER BY id");
        let all = ["1 done", "2 done", "3 done", "4 declined", "5 underway"];
        assert_eq!(states(), all);
        let looked = |note: &str| {
            format!("SELECT count(*) FROM pay_chores WHERE name = 'retention_questions' AND note LIKE '{note}%'")
        };
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| app.number(&looked("0 answered questions")) == 1).await;
        app.pass(7 * DAY + 1);
        until(|| app.number(&looked("2 answered questions")) == 1).await;
        worker.stop().await;
        assert_eq!(states()[..2], ["2 done", "4 declined"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_fetch_events WHERE fetch_id IN (1, 3)"), 0);
        // The page of the event still says by which event it was shown.
        let page = app.get("/payments/admin/events/1").await.text();
        assert!(page.contains("shows it"), "{page}");
    }

    async fn sixty_four_connections_deliver_and_lists_open_while_half_of_the_bodies_go(kind) {
        let app = Rc::new(App::with(kind, after(1)).await);
        let token = app.order().await.token;
        app.fill(kind, 3_000);
        app.pass(9 * DAY);
        app.fill_beside(3_000);
        let payments = app.payments.clone();
        let pruning = actix_web::rt::spawn(async move { payments.prune().await.unwrap() });
        let senders = (0..64).map(|sender| {
            let (app, token) = (app.clone(), token.clone());
            actix_web::rt::spawn(async move {
                for number in 0..3 {
                    let event = completed_as(10_000 + sender * 3 + number, &token);
                    assert_eq!(app.stripe(&event).await.status, 200);
                }
            })
        });
        let senders: Vec<_> = senders.collect();
        for list in ["payments", "events", "events?state=discarded", ""] {
            assert_eq!(app.get(&format!("/payments/admin/{list}")).await.status, 200, "{list}");
        }
        for sender in senders {
            sender.await.unwrap();
        }
        assert_eq!(pruning.await.unwrap(), 2_990);
        assert_eq!(app.bodies(), 3_000 + 10 + 64 * 3);
    }
}

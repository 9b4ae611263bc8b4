//! An older database goes on: the one that an earlier release left behind is migrated and loses nothing, repeats
//! nothing and leaves nothing undone. `older::making` says what happened in it and how its files are made.

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::sign_delivery;
use actix_payments::{AnyConnection, Database, NewPayment};
use actix_web::http::Method;
use actix_web::{App as ActixApp, test};

use crate::app::{ADMIN, App, Kind, SECRET, on_both_databases, staff, texts};
use crate::scenes::{Notes, PRICE, money, of_story};
use crate::stripe::fake::Fake;
use database::{END, Left, columns, left, stored};
use host::{Day, KIOSK, host};

mod database;
mod host;
mod making;

/// The host of then with this release: the database is migrated, the handlers do their work, and Stripe remembers
/// what it was asked.
struct Today {
    app: App,
    fake: Fake,
    notes: Notes,
}

impl Left {
    async fn opened(self) -> Today {
        let fake = Fake::remembering(serde_json::from_str(&self.stripe).unwrap());
        let (notes, gateway) = (Notes::default(), fake.gateway(SECRET));
        let app = App::at(self.url, self.folder, |builder| host(builder, gateway, &notes, Day::Good)).await;
        app.pass(END);
        Today { app, fake, notes }
    }
}

impl Today {
    async fn new(kind: Kind) -> Self {
        left(kind).opened().await
    }

    /// An hour later all that was open is due.
    async fn after_an_hour(kind: Kind) -> Self {
        let today = Self::new(kind).await;
        today.app.drain().await;
        today.app.pass(3600);
        today.fake.state().now = today.app.now();
        today.app.drain().await;
        today
    }

    /// The payments in this status by their references, those that nobody here asked for without one.
    fn in_status(&self, status: &str) -> String {
        let adopted = "CASE WHEN absorbed_by IS NULL THEN '(adopted)' ELSE '(absorbed)' END";
        let sql = format!("SELECT coalesce(reference, {adopted}) AS t FROM pay_payments WHERE status = '{status}'");
        sorted(self.app.texts(&sql)).join(" ")
    }

    /// What this handler was run for today, in one order.
    fn runs(&self, handler: &str) -> String {
        let notes = self.notes.all();
        let runs = notes.iter().filter_map(|note| note.strip_prefix(handler)?.strip_prefix(' ')).map(str::to_owned);
        sorted(runs.collect()).join(" ")
    }

    /// The references of the payments that are not what their events make of them.
    async fn differing(&self) -> Vec<String> {
        let compared = self.app.payments.differing(None).await.unwrap();
        let all = self.app.number("SELECT count(*) FROM pay_payments WHERE absorbed_by IS NULL");
        assert_eq!((compared.compared as i64, compared.next), (all, None));
        compared.found.into_iter().map(|rebuilt| format!("{:?}", rebuilt.stored.reference)).collect()
    }

    /// Asserts that the host's table has a row for each step of a payment, and no more.
    fn all_booked(&self) {
        let steps = "SELECT token || ' ' || to_status AS t FROM pay_transitions s \
                     JOIN pay_payments p ON p.id = s.payment_id ORDER BY s.id";
        let booked = self.app.texts("SELECT token || ' ' || word AS t FROM shop_steps");
        assert_eq!(sorted(booked), sorted(self.app.texts(steps)));
    }
}

/// In one order, whatever a database's own is.
fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Asserts that there is an event, an operation and a payment in every state that a release leaves behind.
fn holds_all(database: &Database<AnyConnection>) {
    let all = |sql: &str| sorted(texts(database, &format!("SELECT DISTINCT {sql}")));
    let events = ["available", "completed", "discarded", "ignored", "parked", "retryable", "running"];
    assert_eq!(all("state AS t FROM pay_events"), events);
    assert_eq!(all("source AS t FROM pay_events"), ["answer", "delivery", "listing"]);
    assert_eq!(all("state AS t FROM pay_operations"), ["declined", "done", "underway", "unknown"]);
    let underway = all("verb AS t FROM pay_operations WHERE state = 'underway' AND due_at IS NOT NULL");
    assert_eq!(underway, ["refresh", "refund"]);
    let mut statuses = Status::ALL.map(Status::as_str);
    statuses.sort_unstable();
    assert_eq!(all("status AS t FROM pay_payments"), statuses);
    let flags = "CASE WHEN adopted AND absorbed_by IS NULL THEN 'adopted' WHEN adopted THEN 'absorbed' \
                 WHEN disputed THEN 'disputed' WHEN needs_review THEN 'review' ELSE '-' END";
    assert_eq!(all(&format!("{flags} AS t FROM pay_payments")), ["-", "absorbed", "adopted", "disputed", "review"]);
    assert_eq!(all("outcome AS t FROM pay_attempts"), ["discard", "error", "ok"]);
    assert_eq!(all("act AS t FROM pay_audit"), ["discard", "reconcile", "refund", "requeue", "requeue_many"]);
    let parked = all("variant AS t FROM pay_events WHERE state = 'parked'");
    assert_eq!(parked, ["kiosk", "stripe"]);
    // Releases after the first one have more of them.
    let chores = all("name AS t FROM pay_chores");
    let first = ["authorized", "reconcile:dummy", "reconcile:stripe", "refresh:dummy", "refresh:stripe"];
    assert!(first.iter().all(|name| chores.iter().any(|chore| chore == name)), "{chores:?}");
}

on_both_databases! {
    async fn the_files_hold_events_and_operations_in_every_state(kind) {
        holds_all(&left(kind).database);
    }

    async fn migrating_changes_nothing_that_was_stored(kind) {
        let left = left(kind);
        let database = left.database.clone();
        let columns = columns(&database);
        let before = stored(&database, &columns);
        assert!(columns.len() >= 13 && before.len() > 300, "{} rows of {:?}", before.len(), columns.keys());
        let today = left.opened().await;
        assert_eq!(stored(&database, &columns), before);
        today.app.payments.migrate().await.unwrap();
        assert_eq!(stored(&database, &columns), before, "nor does migrating again");
        assert_eq!(today.differing().await, ["Some(\"unbooked\")"], "its event is to be tried again");
        today.all_booked();
    }

    async fn what_was_available_is_processed_and_wakes_what_was_parked(kind) {
        let today = Today::new(kind).await;
        let app = &today.app;
        let parked = "SELECT gateway_event_id AS t FROM pay_events WHERE state = 'parked' ORDER BY id";
        assert_eq!(app.texts(parked).len(), 3);
        app.drain().await;
        assert_eq!(app.texts(parked).len(), 2, "its payment is known now, so nothing is adopted");
        let rejoined = "SELECT e.state || ' ' || e.kind AS t FROM pay_events e \
                        JOIN pay_payments p ON p.id = e.payment_id WHERE p.reference = 'rejoined' ORDER BY e.id";
        let completed = ["completed payment_intent.succeeded", "completed checkout.session.completed"];
        assert_eq!(app.texts(rejoined), completed);
        assert_eq!((app.events("available"), app.events("running")), (0, 2), "no lease has run out yet");
        assert_eq!(today.runs("mail"), "answered open rejoined");
        assert_eq!(today.runs("ship"), "answered open rejoined requeued requeued-too");
    }

    async fn all_that_was_open_comes_to_its_right_end(kind) {
        let today = Today::after_an_hour(kind).await;
        assert_eq!(
            today.in_status("paid"),
            "(absorbed) (adopted) (adopted) absorbing asked captured declined disputed dummy fetched given-up \
             interrupted not-begun open paid printing rejoined requeued requeued-too torn torn-again unbooked"
        );
        assert_eq!(
            today.in_status("partially_refunded"),
            "answered cut-after cut-before partially-refunded unknown"
        );
        assert_eq!(today.in_status("refunded"), "died refunded");
        assert_eq!(today.in_status("pending"), "other-amount pending");
        for status in ["authorized", "canceled", "expired", "failed"] {
            assert_eq!(today.in_status(status), status);
        }
        for state in ["available", "retryable", "running"] {
            assert_eq!(today.app.events(state), 0, "{state}");
        }
        let discarded = "SELECT coalesce(p.reference, e.kind) || ' ' || outcome AS t FROM pay_events e \
                         LEFT JOIN pay_payments p ON p.id = e.payment_id WHERE e.state = 'discarded'";
        assert_eq!(sorted(today.app.texts(discarded)), [
            "given-up discarded: handler ship failed: nobody drives there",
            "payment_intent.succeeded discarded by admin",
            "torn discarded: handler mail failed: no such address",
            "torn-again discarded: handler mail failed: no such address",
        ]);
        assert_eq!(today.app.texts("SELECT variant AS t FROM pay_events WHERE state = 'parked'"), ["kiosk"]);
        assert_eq!(today.differing().await, [""; 0]);
        today.all_booked();
    }

    async fn handlers_that_were_done_stay_done_and_the_others_run_once(kind) {
        let today = Today::after_an_hour(kind).await;
        assert_eq!(
            today.runs("mail"),
            "answered cut-after cut-before died nobody's not-begun open rejoined unbooked"
        );
        assert_eq!(
            today.runs("ship"),
            "answered cut-after cut-before died interrupted nobody's not-begun open printing rejoined requeued \
             requeued-too torn torn-again unbooked"
        );
        assert_eq!(today.runs("account"), "payout.failed payout.paid");
        // The same by what is stored, the day before included.
        let twice = "SELECT count(*) FROM (SELECT event_id FROM pay_attempts WHERE outcome = 'ok' \
                     GROUP BY event_id, transition_id, handler HAVING count(*) > 1) AS twice";
        assert_eq!(today.app.number(twice), 0);
        let undone = "SELECT count(*) FROM pay_transitions s JOIN pay_events e ON e.id = s.event_id \
                      WHERE e.state = 'completed' AND 2 <> (SELECT count(*) FROM pay_attempts a \
                      WHERE a.transition_id = s.id AND a.event_id = e.id AND a.outcome = 'ok')";
        assert_eq!(today.app.number(undone), 0, "two handlers are told of every step");
    }

    async fn operations_underway_are_done_once_under_their_old_keys(kind) {
        let left = left(kind);
        let keys = "SELECT verb || ' ' || idempotency_key AS t FROM pay_operations WHERE state = 'underway'";
        let underway = texts(&left.database, keys);
        let refunds: Vec<String> = underway.iter().filter(|key| key.starts_with("refund")).cloned().collect();
        assert_eq!((underway.len(), refunds.len()), (4, 3), "{underway:?}");
        let Today { app, fake, .. } = &left.opened().await;
        let before = fake.state().effects.len();
        app.pass(3600);
        app.drain().await;
        assert!(app.texts(keys).is_empty(), "{:?}", app.texts(keys));
        let done = app.texts(&keys.replace("underway", "done"));
        assert!(underway.iter().all(|key| done.contains(key)), "{underway:?} {done:?}");
        let heard = fake.listener.heard();
        let posted = heard.iter().filter_map(|heard| heard.header("idempotency-key"));
        assert_eq!(sorted(posted.map(|key| format!("refund {key}")).collect()), sorted(refunds));
        let effects = fake.state().effects[before..].to_vec();
        assert_eq!(effects.len(), 1, "Stripe had done the others before: {effects:?}");
    }

    async fn what_the_gateway_told_meanwhile_is_fetched(kind) {
        let today = Today::after_an_hour(kind).await;
        let (paid, steps) = (today.in_status("paid"), today.app.transitions());
        let fetched = today.app.payments.reconcile("stripe").await.unwrap();
        assert!(fetched.found > 20 && fetched.listed > fetched.found, "{fetched:?}");
        today.app.drain().await;
        assert_eq!((today.in_status("paid"), today.app.transitions()), (paid, steps), "other events had said it all");
        assert_eq!(today.differing().await, [""; 0]);
    }

    async fn what_waits_for_ever_is_still_woken_by_its_payment(kind) {
        let Today { app, .. } = &Today::after_an_hour(kind).await;
        let new = NewPayment::new("kiosk", money(PRICE, "EUR"));
        let token = app.payments.create(new).await.unwrap().payment.token;
        let body = of_story("checkout.session.completed", 6, &token);
        let signature = sign_delivery(KIOSK, app.now(), body.as_bytes());
        let headers = [("stripe-signature", signature.as_str())];
        assert_eq!(app.request(Method::POST, "/payments/kiosk/", &headers, body.as_bytes()).await.status, 200);
        app.drain().await;
        assert_eq!((app.status(&token).await, app.events("parked")), (Status::Paid, 0));
        app.same(&token).await;
    }

    async fn pages_show_all_of_it_before_and_after(kind) {
        let today = Today::new(kind).await;
        shows_all(&today.app).await;
        today.app.pass(3600);
        today.app.drain().await;
        shows_all(&today.app).await;
    }
}

/// Asserts that every page answers.
async fn shows_all(app: &App) {
    let mount = app.payments.mount("/payments").admin(staff());
    let service = test::init_service(ActixApp::new().app_data(app.payments.clone()).service(mount)).await;
    for page in pages(app) {
        let path = format!("/payments/admin/{page}");
        let request = test::TestRequest::get().uri(&path).append_header(ADMIN).to_request();
        let response = test::call_service(&service, request).await;
        let status = response.status();
        let body = test::read_body(response).await;
        assert!(status == 200 && !body.is_empty(), "{path}: {status} {}", String::from_utf8_lossy(&body));
    }
}

/// Every page of the admin that says something of what is stored, below `/admin/`.
fn pages(app: &App) -> Vec<String> {
    let lists = ["", "payments", "events", "variants", "audit", "payments.csv", "events.csv"];
    let variants = ["variants/stripe", "variants/kiosk", "variants/dummy"];
    let mut pages: Vec<String> = lists.into_iter().chain(variants).map(str::to_owned).collect();
    pages.extend(app.texts("SELECT DISTINCT 'events?state=' || state AS t FROM pay_events"));
    pages.extend(app.texts("SELECT DISTINCT 'payments?status=' || status AS t FROM pay_payments"));
    pages.extend(app.texts("SELECT 'payments/' || token AS t FROM pay_payments"));
    pages.extend(app.texts("SELECT 'events/' || id AS t FROM pay_events"));
    pages.extend(
        app.texts("SELECT 'payments/' || token || '/rebuild' AS t FROM pay_payments WHERE reference = 'unbooked'"),
    );
    pages.extend(app.texts("SELECT 'events/' || id || '/dry-run' AS t FROM pay_events WHERE state = 'retryable'"));
    pages
}

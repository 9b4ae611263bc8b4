//! How the files of an older database are made: a day of the host on which much went wrong, told through the public
//! API. Every run tells it anew and shows that a release can leave a database so; to keep what it leaves as a
//! release's files, say so at that release's commit, with `sqlite3` and `pg_dump` installed:
//!
//! `KEEP_OLDER=1 scripts/postgres run cargo nextest run --all-features older::making`

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use actix_payments::gateways::dummy::{self, Dummy};
use actix_payments::gateways::stripe::sign_delivery;
use actix_payments::{CaptureMethod, NewPayment, Outcome, Refund, Token};
use actix_web::http::Method;
use actix_web::rt::time::sleep;

use super::database::{END, folder};
use super::holds_all;
use super::host::{DUMMY, Day, KIOSK, TABLE, host};
use crate::acts::form;
use crate::app::{App, Kind, NOW, SECRET, fresh_database, on_both_databases};
use crate::events::{changed, fixture};
use crate::scenes::{Notes, PRICE, money, of_story};
use crate::stripe::fake::{Fake, Fault};

struct Story {
    app: App,
    fake: Fake,
    notes: Notes,
}

/// How long Stripe takes to answer a call whose process ends meanwhile, in milliseconds.
const SLOW: u64 = 600;

impl Story {
    async fn begin(kind: Kind) -> Self {
        let (fake, notes) = (Fake::new(NOW), Notes::default());
        let gateway = fake.gateway(SECRET);
        let (url, folder) = fresh_database(kind);
        let app = App::at(url, folder, |builder| host(builder, gateway, &notes, Day::Bad)).await;
        app.run(TABLE);
        Self { app, fake, notes }
    }

    fn pass(&self, seconds: i64) {
        self.app.pass(seconds);
        self.fake.state().now = self.app.now();
    }

    /// A payment that is begun at Stripe.
    async fn begun(&self, reference: &str, capture: CaptureMethod) -> Token {
        let new = NewPayment::new("stripe", money(PRICE, "EUR")).reference(reference).capture(capture);
        let new = new.customer(format!("{reference}@shop.example")).return_url("https://shop.example/{token}");
        self.app.payments.create(new).await.unwrap().payment.token
    }

    /// A payment whose customer has agreed, and what Stripe tells of it.
    async fn agreed(&self, reference: &str, capture: CaptureMethod) -> (String, Vec<String>) {
        let token = self.begun(reference, capture).await;
        let told = self.fake.state().events.len();
        self.fake.pay(&token);
        let told = self.fake.state().events[told..].iter().map(ToString::to_string).collect();
        (token.to_string(), told)
    }

    /// A payment that is paid, or authorized, by all that Stripe tells of it.
    async fn taken(&self, reference: &str, capture: CaptureMethod) -> String {
        let (token, told) = self.agreed(reference, capture).await;
        self.app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
        token
    }

    async fn paid(&self, reference: &str) -> String {
        self.taken(reference, CaptureMethod::Immediate).await
    }

    /// A payment of which only the last of Stripe's events has come, which pays it as soon as it is processed. The
    /// others are still to be fetched.
    async fn told_of(&self, reference: &str) -> String {
        let (token, told) = self.agreed(reference, CaptureMethod::Immediate).await;
        self.take_in(told.last().unwrap()).await;
        token
    }

    /// Takes an event in and leaves it there.
    async fn take_in(&self, event: &str) {
        assert_eq!(self.app.stripe(event).await.status, 200, "of {event}");
    }

    async fn drain(&self) {
        self.app.drain().await;
    }

    /// A payment of the fixtures' price that the host starts by itself, with the fixture's checkout paid.
    async fn of_fixture(&self, reference: &str, story: usize, minor: i64) -> Token {
        let new = NewPayment::new("stripe", money(minor, "EUR")).reference(reference).without_checkout();
        let token = self.app.payments.create(new).await.unwrap().payment.token;
        self.app.deliver(&[&of_story("checkout.session.completed", story, &token)]).await;
        token
    }

    /// The number of the payment's event that waits in this state.
    fn waiting(&self, reference: &str, state: &str) -> i64 {
        self.app.number(&format!(
            "SELECT e.id FROM pay_events e JOIN pay_payments p ON p.id = e.payment_id \
             WHERE p.reference = '{reference}' AND e.state = '{state}'"
        ))
    }

    async fn act(&self, path: &str) {
        assert_eq!(self.app.post(&format!("/payments/admin/{path}"), "").await.status, 303, "{path}");
    }

    /// A page asks, and the operator confirms.
    async fn confirm(&self, path: &str) {
        let path = format!("/payments/admin/{path}");
        let page = self.app.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(self.app.post(path.split('?').next().unwrap(), &form(&page.body)).await.status, 303);
    }

    async fn until(&self, mut done: impl FnMut() -> bool) {
        for _ in 0..500 {
            if done() {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("it does not come to its end: {:?}", self.notes.all());
    }

    /// Asks Stripe for something, and the process ends before the answer comes.
    async fn dies_asking(&self, asks: impl Future<Output = Result<Outcome, actix_payments::Error>> + 'static) {
        let before = self.fake.listener.heard().len();
        self.fake.state().faults.push_back(Some(Fault::SlowAfter(SLOW)));
        let asking = actix_web::rt::spawn(asks);
        self.until(|| self.fake.listener.heard().len() > before).await;
        asking.abort();
        sleep(Duration::from_millis(SLOW)).await;
        assert!(asking.await.is_err(), "it had no answer yet");
    }
}

/// What is over and done with at the end of the day.
async fn history(story: &Story) {
    let Story { app, fake, .. } = story;
    let worker = app.payments.worker().start().unwrap();
    // The last of the chores; what comes before it is done by then.
    let chores = "SELECT count(*) FROM pay_chores WHERE name = 'authorized'";
    story.until(|| app.number(chores) == 1).await;
    worker.stop().await;

    // Nobody came back to this one for so long that Stripe's memory of the key was over.
    let token = story.paid("unknown").await;
    fake.state().faults.push_back(Some(Fault::CutAfter));
    let refund = Refund::part(money(2000, "EUR"));
    assert_eq!(app.payments.refund(&token.as_str().into(), refund).await.unwrap(), Outcome::Underway);
    story.pass(21 * 3600);
    story.drain().await;

    story.begun("pending", CaptureMethod::Immediate).await;
    story.taken("authorized", CaptureMethod::Manual).await;
    story.paid("paid").await;
    let token = story.begun("failed", CaptureMethod::Immediate).await;
    let told = fake.state().events.len();
    fake.decline(&token);
    let declined = fake.state().events[told].to_string();
    app.deliver(&[&declined]).await;
    let token = story.begun("expired", CaptureMethod::Immediate).await;
    app.payments.cancel(&token).await.unwrap();
    let token = story.taken("canceled", CaptureMethod::Manual).await;
    app.payments.cancel(&token.as_str().into()).await.unwrap();
    let token = story.taken("captured", CaptureMethod::Manual).await;
    app.payments.capture(&token.as_str().into(), Some(money(3000, "EUR"))).await.unwrap();
    story.pass(60);
    let token = story.paid("partially-refunded").await;
    app.payments.refund(&token.as_str().into(), Refund::part(money(1000, "EUR")).key("sold-out")).await.unwrap();
    let token = story.paid("refunded").await;
    story.confirm(&format!("payments/{token}/refund?amount=49.99")).await;
    let token = story.paid("declined").await;
    fake.state().faults.push_back(Some(Fault::Decline));
    app.payments.refund(&token.as_str().into(), Refund::all()).await.unwrap_err();
    story.drain().await;

    let token = story.of_fixture("disputed", 1, PRICE).await;
    app.deliver(&[&of_story("charge.dispute.created", 1, &token)]).await;
    story.of_fixture("other-amount", 2, PRICE + 1).await;
    let price = money(1200, "USD");
    let token = app.payments.create(NewPayment::new("dummy", price).reference("dummy")).await.unwrap().payment.token;
    let now = actix_payments::domain::Timestamp::from_unix_timestamp(app.now()).unwrap();
    let delivery = Dummy::new(DUMMY).delivery(&dummy::DummyEvent::new("de_1", dummy::Kind::Paid, token, price), now);
    app.payments.receive("dummy", delivery).await.unwrap();

    // Stories 3 and 4 begin without us; the second turns out to be ours.
    for (name, number) in [("payment_intent.succeeded", 3), ("charge.succeeded", 3), ("payment_intent.succeeded", 4)] {
        story.take_in(&of_story(name, number, "nobody")).await;
    }
    story.drain().await;
    story.pass(60);
    story.drain().await;
    story.of_fixture("absorbing", 4, PRICE).await;

    let (paid_out, unread) = (fixture("payout.paid").to_string(), fixture("setup_intent.succeeded").to_string());
    app.deliver(&[&paid_out, &unread, &paid_out]).await;
    let forged = app.request(Method::POST, "/payments/stripe/", &[("stripe-signature", "t=1,v1=00")], b"{}").await;
    assert_eq!(forged.status, 400);
    app.deliver(&[&of_story("payment_intent.succeeded", 5, "nobody")]).await;
    story.act(&format!("events/{}/discard", app.number("SELECT id FROM pay_events WHERE state = 'parked'"))).await;
    story.told_of("fetched").await;
    story.act("variants/stripe/reconcile").await;
    story.drain().await;
}

/// What is open at the end of the day.
async fn evening(story: &Story) {
    let Story { app, fake, notes } = story;
    story.pass(NOW + END - 2 - app.now());
    // Handlers that gave up, before and after an operator wanted them to try again.
    for reference in ["given-up", "requeued", "requeued-too", "torn-again"] {
        story.told_of(reference).await;
    }
    story.drain().await;
    story.act(&format!("events/{}/requeue", story.waiting("torn-again", "retryable"))).await;
    story.pass(1);
    let refundable = [story.paid("cut-before").await, story.paid("cut-after").await];
    let (dies, asks, answers) = (story.paid("died").await, story.paid("asked").await, story.paid("answered").await);
    story.pass(1);
    for reference in ["printing", "torn", "unbooked"] {
        story.told_of(reference).await;
    }
    story.take_in(&fixture("payout.failed").to_string()).await;
    story.drain().await;

    // Parked: for ever, until it is adopted, and until the rest of its story comes.
    let body = of_story("payment_intent.succeeded", 6, "nobody");
    let signature = sign_delivery(KIOSK, app.now(), body.as_bytes());
    let headers = [("stripe-signature", signature.as_str())];
    assert_eq!(app.request(Method::POST, "/payments/kiosk/", &headers, body.as_bytes()).await.status, 200);
    story.take_in(&of_story("payment_intent.succeeded", 7, "nobody")).await;
    story.take_in(&of_story("payment_intent.succeeded", 8, "nobody")).await;
    story.drain().await;

    // A process ends in the midst of its handlers: one of two is done with the first event, none with the second.
    story.told_of("interrupted").await;
    story.told_of("not-begun").await;
    let payments = app.payments.clone();
    let draining = actix_web::rt::spawn(async move { payments.worker().drain().await });
    story.until(|| notes.all().iter().any(|note| note.starts_with("ship interrupted"))).await;
    draining.abort();
    assert!(draining.await.is_err(), "it was not done yet");

    story.act(&format!("events/{}/requeue", story.waiting("requeued", "discarded"))).await;
    let ticked = format!("act=requeue&id={}", story.waiting("requeued-too", "discarded"));
    let page = app.post("/payments/admin/events/bulk", &ticked).await;
    let done = app.post("/payments/admin/events/bulk", &form(&page.body)).await;
    assert!(done.text().contains("1 event was requeued"), "{}", done.text());

    for (token, fault) in refundable.iter().zip([Fault::CutBefore, Fault::CutAfter]) {
        fake.state().faults.push_back(Some(fault));
        let refund = Refund::part(money(1500, "EUR")).reason("requested_by_customer");
        assert_eq!(app.payments.refund(&token.into(), refund).await.unwrap(), Outcome::Underway);
    }
    let payments = app.payments.clone();
    story.dies_asking(async move { payments.refund(&dies.as_str().into(), Refund::all()).await }).await;
    let payments = app.payments.clone();
    story.dies_asking(async move { payments.refresh(&asks.as_str().into()).await }).await;
    assert_eq!(
        app.payments.refund(&answers.as_str().into(), Refund::part(money(999, "EUR"))).await.unwrap(),
        Outcome::Done
    );

    story.told_of("open").await;
    let new = NewPayment::new("stripe", money(PRICE, "EUR")).reference("rejoined").without_checkout();
    let token = app.payments.create(new).await.unwrap().payment.token;
    story.take_in(&of_story("checkout.session.completed", 8, &token)).await;
    story.take_in(&changed("payout.paid", &[("/id", "evt_payout_open".into())])).await;
    assert_eq!(app.now(), NOW + END);
}

on_both_databases! {
    async fn a_day_leaves_events_and_operations_in_every_state(kind) {
        let story = Story::begin(kind).await;
        history(&story).await;
        evening(&story).await;
        let app = &story.app;
        let received = "SELECT CAST(sum(deliveries) AS BIGINT) FROM pay_events WHERE source = 'delivery'";
        app.counted("received", app.number(received));
        holds_all(&app.database);
        if std::env::var_os("KEEP_OLDER").is_some() {
            keep(kind, &story);
        }
    }
}

/// Writes the release's files.
fn keep(kind: Kind, story: &Story) {
    let url = &story.app.url;
    let (name, dump) = match kind {
        Kind::Sqlite => {
            ("sqlite", said_by(Command::new("sqlite3").args([url.trim_start_matches("sqlite://"), ".dump"])))
        }
        Kind::Postgres => {
            let options = ["--inserts", "--no-owner", "--no-privileges", "--no-comments"];
            ("postgres", plain(&said_by(Command::new("pg_dump").args(options).arg(url))))
        }
    };
    let folder = PathBuf::from(folder(env!("CARGO_PKG_VERSION")));
    fs::create_dir_all(&folder).unwrap();
    let stripe = serde_json::to_string(&*story.fake.state()).unwrap();
    for (file, text) in [(format!("{name}.sql"), dump), (format!("{name}.stripe.json"), stripe + "\n")] {
        let path = folder.join(file);
        assert!(!path.exists(), "{} is there already; a release's files are never changed", path.display());
        fs::write(path, text).unwrap();
    }
}

fn said_by(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A dump as any client and any later server can run it: without comments, settings and commands for `psql`.
fn plain(dump: &str) -> String {
    let for_psql =
        |line: &&str| ["--", "SET ", "\\", "SELECT pg_catalog.set_config("].iter().any(|it| line.starts_with(it));
    let kept = dump.lines().filter(|line| !line.is_empty() && !for_psql(line));
    kept.map(|line| format!("{line}\n")).collect()
}

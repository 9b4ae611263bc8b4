//! What do tests begin with and look at? A payment like the fixtures', and what is stored of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_payments::domain::Timestamp;
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::payment::Status;
use actix_payments::gateways::dummy::{Dummy, DummyEvent};
use actix_payments::{AnyRef, NewPayment, Payment};
use actix_web::http::Method;
use diesel::prelude::*;
use serde_json::Value;

use crate::app::App;
use crate::events::{changed, checkout, fixture};

/// A value with some fields changed: of a type that may grow, none is made by naming all of its fields.
pub fn with<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}

/// The price in the fixtures.
pub const PRICE: i64 = 4999;

pub fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, Currency::parse(currency).unwrap())
}

/// The event that pays the payment with this token, as the fixture has it.
pub fn completed(token: &str) -> String {
    checkout("checkout.session.completed", token)
}

/// A fixture as an event of the story with this number: ids of its own, and `token` wherever it names ours.
pub fn of_story(name: &str, number: usize, token: &str) -> String {
    let mut event = fixture(name);
    rename(&mut event, number, token);
    event.to_string()
}

fn rename(value: &mut Value, number: usize, token: &str) {
    match value {
        Value::String(text) if text == "order-10042" => *text = token.to_owned(),
        Value::String(text) if IDS.iter().any(|prefix| text.starts_with(prefix)) => *text = format!("{text}_{number}"),
        Value::Array(all) => all.iter_mut().for_each(|one| rename(one, number, token)),
        Value::Object(all) => all.values_mut().for_each(|one| rename(one, number, token)),
        _ => {}
    }
}

/// How the ids begin that belong to one story.
const IDS: [&str; 8] = ["evt_", "cs_", "pi_", "ch_", "re_", "pyr_", "du_", "dp_"];

/// The same under another event id, of a session and an intent of its own.
pub fn completed_as(number: usize, token: &str) -> String {
    changed(
        "checkout.session.completed",
        &[
            ("/id", format!("evt_{number}").into()),
            ("/data/object/id", format!("cs_{number}").into()),
            ("/data/object/payment_intent", format!("pi_{number}").into()),
            ("/data/object/client_reference_id", token.into()),
        ],
    )
}

impl App {
    /// A payment of the fixtures' price.
    pub async fn order(&self) -> Payment {
        self.order_of(money(PRICE, "EUR")).await
    }

    pub async fn order_of(&self, amount: Money) -> Payment {
        self.payments.create(NewPayment::new("stripe", amount)).await.unwrap().payment
    }

    /// The dummy gateway, whose secret is `secret`, sends this.
    pub async fn dummy_says(&self, event: &DummyEvent) {
        assert_eq!(self.signed_with("secret", "dummy", event).await, 200);
        self.drain().await;
    }

    /// A dummy gateway sends this to the variant, signed with this secret; answers the status.
    pub async fn signed_with(&self, secret: &str, variant: &str, event: &DummyEvent) -> u16 {
        let now = Timestamp::from_unix_timestamp(self.now()).unwrap();
        let delivery = Dummy::new(secret).delivery(event, now);
        let headers: Vec<(&str, &str)> =
            delivery.headers.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect();
        self.request(Method::POST, &format!("/payments/{variant}/"), &headers, &delivery.body).await.status
    }

    /// The payment as it stands.
    pub async fn payment(&self, token: &str) -> Payment {
        self.payments.payment(&token.into()).await.unwrap().unwrap()
    }

    pub async fn status(&self, token: &str) -> Status {
        self.payment(token).await.status
    }

    /// Asserts that the events make what is stored.
    pub async fn same(&self, token: &str) {
        let rebuilt = self.payments.rebuild(&token.into()).await.unwrap();
        assert!(rebuilt.same, "{rebuilt:?}");
    }

    /// How many events are in this state.
    pub fn events(&self, state: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM pay_events WHERE state = '{state}'"))
    }

    pub fn transitions(&self) -> Vec<String> {
        self.texts("SELECT from_status || ' → ' || to_status AS t FROM pay_transitions ORDER BY id")
    }

    /// What became of the events, in the order in which they came.
    pub fn outcomes(&self) -> Vec<String> {
        self.texts("SELECT state || ': ' || coalesce(outcome, '') AS t FROM pay_events ORDER BY id")
    }

    /// The outcome codes of the events, in the order in which they came.
    pub fn codes(&self) -> Vec<String> {
        self.texts("SELECT coalesce(outcome_code, '') AS t FROM pay_events ORDER BY id")
    }

    /// What an operator's requeue does to the events.
    pub fn make_available(&self) {
        self.run("UPDATE pay_events SET state = 'available', attempts = 0, due_at = received_at, finished_at = NULL");
    }

    /// Waits until the query gives the number, a minute at most.
    pub async fn until(&self, sql: &str, number: i64) {
        let begun = Instant::now();
        while self.number(sql) != number {
            let found = self.texts("SELECT status AS t FROM pay_payments");
            assert!(begun.elapsed() < Duration::from_secs(60), "{sql} is {}, {found:?}", self.number(sql));
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets so many seconds pass, again and again, until it is so.
    pub async fn pass_until(&self, seconds: i64, is_so: impl Fn() -> bool) {
        passing_until(|| self.pass(seconds), is_so).await;
    }

    /// Runs a statement of the host's own.
    pub fn run(&self, sql: &str) {
        execute(self.database.connection().unwrap().lent(), sql).unwrap();
    }

    /// Every counter but those of money, as `variant outcome count`.
    pub fn counters(&self) -> Vec<String> {
        let count = "cast(sum(count) AS text)";
        self.texts(&format!(
            "SELECT variant || ' ' || outcome || ' ' || {count} AS t FROM pay_hours WHERE currency = '' \
             GROUP BY variant, outcome ORDER BY 1"
        ))
    }
}

/// Waits until it is so, half a minute at most.
pub async fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not come to its end");
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Lets time pass until it is so, half a minute of ours at most: whoever had begun to look before sets the time of the
/// next look when it ends, which may be after the first step.
pub async fn passing_until(pass: impl Fn(), is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not come to its end");
        pass();
        for _ in 0..20 {
            if is_so() {
                return;
            }
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Runs a statement on whichever connection it is.
pub fn execute(conn: AnyRef<'_>, sql: &str) -> QueryResult<usize> {
    match conn {
        AnyRef::Sqlite(conn) => diesel::sql_query(sql).execute(conn),
        AnyRef::Postgres(conn) => diesel::sql_query(sql).execute(conn),
        _ => unreachable!(),
    }
}

/// What handlers wrote down, in order.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub fn add(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

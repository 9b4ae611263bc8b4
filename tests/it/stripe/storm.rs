//! Whatever is asked and whatever goes wrong, is the truth here the truth there in the end, and was each thing done
//! once? Random verbs, faults, crashes and lost events against the fake.

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::{CaptureMethod, NewPayment, Refund, Token};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::fake::{Fake, Fault};
use crate::app::{App, Kind, NOW, SECRET};
use crate::scenes::money;

#[derive(Debug, Clone)]
enum Step {
    Pay,
    Capture(Option<i64>),
    Cancel,
    Refund(Option<i64>),
    /// Two people at once.
    Both(i64, i64),
    Refresh,
    /// The process ends while the gateway acts.
    Crash(i64),
    /// Stripe delivers what it has to tell, once or twice, or the deliveries are lost.
    Deliver(bool, bool),
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<(Step, Option<Fault>)>> {
    let part = || prop_oneof![Just(None), (1..6000_i64).prop_map(Some)];
    let step = prop_oneof![
        3 => Just(Step::Pay),
        2 => part().prop_map(Step::Capture),
        1 => Just(Step::Cancel),
        4 => part().prop_map(Step::Refund),
        1 => (1..6000_i64, 1..6000_i64).prop_map(|(one, other)| Step::Both(one, other)),
        2 => Just(Step::Refresh),
        1 => (1..3000_i64).prop_map(Step::Crash),
        3 => any::<(bool, bool)>().prop_map(|(arrives, twice)| Step::Deliver(arrives, twice)),
        2 => (1..400_i64).prop_map(Step::Pass),
    ];
    let fault = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Fault::CutBefore)),
        2 => Just(Some(Fault::CutAfter)),
        1 => Just(Some(Fault::Twice)),
        1 => Just(Some(Fault::Trouble)),
        1 => Just(Some(Fault::RateLimit)),
        1 => Just(Some(Fault::Decline)),
    ];
    proptest::collection::vec((step, fault), 1..14)
}

struct Story {
    app: App,
    fake: Fake,
    token: Token,
    paid: bool,
    told: usize,
}

impl Story {
    async fn begin(kind: Kind, capture: CaptureMethod) -> Self {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/").capture(capture);
        let token = app.payments.create(new).await.unwrap().payment.token;
        Self { app, fake, token, paid: false, told: 0 }
    }

    fn pass(&self, seconds: i64) {
        self.app.pass(seconds);
        self.fake.state().now += seconds;
    }

    async fn step(&mut self, step: Step, fault: Option<Fault>) {
        self.pass(1);
        let (app, token) = (&self.app, &self.token);
        let part = |minor: Option<i64>| minor.map(|minor| money(minor, "EUR"));
        let refund = |minor: Option<i64>| part(minor).map_or_else(Refund::all, Refund::part);
        self.fake.state().faults = [fault].into();
        match step {
            Step::Pay if !self.paid && !self.fake.state().effects.iter().any(|effect| effect.starts_with("expire")) => {
                self.fake.pay(token);
                self.paid = true;
            }
            Step::Pay => {}
            Step::Capture(minor) => drop(app.payments.capture(token, part(minor)).await),
            Step::Cancel => drop(app.payments.cancel(token).await),
            Step::Refund(minor) => drop(app.payments.refund(token, refund(minor)).await),
            Step::Both(one, other) => {
                let (one, other) = (refund(Some(one)), refund(Some(other)));
                drop(tokio::join!(app.payments.refund(token, one), app.payments.refund(token, other)));
            }
            Step::Refresh => drop(app.payments.refresh(token).await),
            Step::Crash(minor) => {
                self.fake.state().faults = [Some(Fault::SlowAfter(60))].into();
                let call = app.payments.refund(token, refund(Some(minor)));
                drop(tokio::time::timeout(Duration::from_millis(25), call).await);
            }
            Step::Deliver(arrives, twice) => {
                let events: Vec<String> =
                    self.fake.state().events[self.told..].iter().map(ToString::to_string).collect();
                self.told += events.len();
                let events: Vec<&str> = events.iter().map(String::as_str).collect();
                for _ in 0..if arrives { 1 + usize::from(twice) } else { 0 } {
                    app.deliver(&events).await;
                }
            }
            Step::Pass(seconds) => self.pass(seconds),
        }
        self.fake.state().faults.clear();
        self.app.drain().await;
    }

    /// All that is underway comes to its end, and then Stripe is asked.
    async fn end(&self) {
        for _ in 0..20 {
            self.pass(4000);
            self.app.drain().await;
        }
        assert_eq!(self.app.number("SELECT count(*) FROM pay_operations WHERE state = 'underway'"), 0);
        self.app.payments.refresh(&self.token).await.unwrap();
        self.app.drain().await;
    }

    async fn check(&self) -> Result<(), TestCaseError> {
        let payment = self.app.payment(&self.token).await;
        let state = self.fake.state();
        let sum = |verb: &str| -> i64 {
            let done = state
                .effects
                .iter()
                .filter_map(|effect| effect.strip_prefix(verb)?.trim().split(' ').next()?.parse::<i64>().ok());
            done.sum()
        };
        let count = |verb: &str| state.effects.iter().filter(|effect| effect.starts_with(verb)).count() as i64;
        let received = state.intents.values().map(|intent| intent["amount_received"].as_i64().unwrap()).sum::<i64>();
        prop_assert_eq!(payment.captured.minor, received, "{:?}", payment);
        prop_assert_eq!(payment.refunded.minor, sum("refund"), "{:?}", payment);
        let expected = match state.intents.values().next() {
            None if count("expire") > 0 => Status::Expired,
            None => Status::Pending,
            Some(intent) => match intent["status"].as_str().unwrap() {
                "requires_capture" => Status::Authorized,
                "canceled" => Status::Canceled,
                _ if sum("refund") == 0 => Status::Paid,
                _ if sum("refund") == received => Status::Refunded,
                _ => Status::PartiallyRefunded,
            },
        };
        prop_assert_eq!(payment.status, expected);
        // What was done was asked for once, and what is said to be done was done once.
        for verb in ["refund", "capture"] {
            let done = format!("SELECT count(*) FROM pay_operations WHERE verb = '{verb}' AND state = 'done'");
            prop_assert_eq!(self.app.number(&done), count(verb), "{}", verb);
        }
        Ok(())
    }
}

fn every_story_ends_in_the_truth(kind: Kind, cases: u32) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let stories = (any::<bool>(), steps());
    let ran = runner.run(&stories, |(manual, steps)| {
        actix_web::rt::System::new().block_on(async {
            let capture = if manual { CaptureMethod::Manual } else { CaptureMethod::Immediate };
            let mut story = Story::begin(kind, capture).await;
            for (step, fault) in steps {
                story.step(step, fault).await;
            }
            story.end().await;
            story.check().await
        })
    });
    ran.unwrap();
}

#[test]
fn every_story_of_calls_ends_in_the_truth_sqlite() {
    every_story_ends_in_the_truth(Kind::Sqlite, 60);
}

#[test]
fn every_story_of_calls_ends_in_the_truth_postgres() {
    every_story_ends_in_the_truth(Kind::Postgres, 20);
}

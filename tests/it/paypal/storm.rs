//! Whatever is asked and whatever goes wrong, is the truth here the truth at PayPal in the end, and was each thing done
//! once? Random verbs, approvals, faults and lost events against the fake; `STORIES` says how many stories.

use actix_payments::domain::payment::Status;
use actix_payments::{CaptureMethod, NewPayment, Refund, Token};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::calls::tell;
use super::fake::{Fake, Fault};
use crate::app::{App, Kind, NOW};
use crate::scenes::money;

#[derive(Debug, Clone)]
enum Step {
    Approve,
    CatchUp,
    Capture(Option<i64>),
    Cancel,
    Refund(Option<i64>),
    Refresh,
    /// PayPal delivers what it has to tell, once or twice, or the deliveries are lost.
    Deliver(bool, bool),
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<(Step, Vec<Option<Fault>>)>> {
    let part = || prop_oneof![Just(None), (1..6000_i64).prop_map(Some)];
    let step = prop_oneof![
        3 => Just(Step::Approve),
        2 => Just(Step::CatchUp),
        2 => part().prop_map(Step::Capture),
        1 => Just(Step::Cancel),
        6 => part().prop_map(Step::Refund),
        2 => Just(Step::Refresh),
        3 => any::<(bool, bool)>().prop_map(|(arrives, twice)| Step::Deliver(arrives, twice)),
        2 => (1..400_i64).prop_map(Step::Pass),
    ];
    let fault = prop_oneof![
        3 => Just(None),
        1 => Just(Some(Fault::CutBefore)),
        3 => Just(Some(Fault::CutAfter)),
        1 => Just(Some(Fault::Garbled)),
        1 => Just(Some(Fault::Trouble)),
        1 => Just(Some(Fault::RateLimit)),
        1 => Just(Some(Fault::Expired)),
        1 => Just(Some(Fault::Issue("INSTRUMENT_DECLINED"))),
        1 => Just(Some(Fault::Issue("ORDER_COMPLETION_IN_PROGRESS"))),
    ];
    let faults = proptest::collection::vec(fault, 0..4);
    proptest::collection::vec((step, faults), 1..14)
}

struct Story {
    app: App,
    fake: Fake,
    token: Token,
    told: usize,
}

impl Story {
    async fn begin(kind: Kind, capture: CaptureMethod) -> Self {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway();
        let app = App::bare(kind, |builder| builder.variant("paypal", gateway)).await;
        let new = NewPayment::new("paypal", money(5000, "EUR")).return_url("https://shop.example/").capture(capture);
        let token = app.payments.create(new).await.unwrap().payment.token;
        Self { app, fake, token, told: 0 }
    }

    fn pass(&self, seconds: i64) {
        self.app.pass(seconds);
        self.fake.state().now += seconds;
    }

    async fn step(&mut self, step: Step, faults: Vec<Option<Fault>>) {
        self.pass(1);
        self.fake.state().faults = faults.into();
        let (app, token) = (&self.app, &self.token);
        let part = |minor: Option<i64>| minor.map(|minor| money(minor, "EUR"));
        let refund = |minor: Option<i64>| part(minor).map_or_else(Refund::all, Refund::part);
        match step {
            Step::Approve if self.fake.is_open() => self.fake.approve(token),
            Step::Approve => {}
            // Half a second of waiting for nobody is not for hundreds of stories.
            Step::CatchUp => {
                drop(tokio::time::timeout(std::time::Duration::from_millis(60), app.payments.catch_up(token)).await)
            }
            Step::Capture(minor) => drop(app.payments.capture(token, part(minor)).await),
            Step::Cancel => drop(app.payments.cancel(token).await),
            Step::Refund(minor) => drop(app.payments.refund(token, refund(minor)).await),
            Step::Refresh => drop(app.payments.refresh(token).await),
            Step::Deliver(arrives, twice) => {
                let events = self.fake.told().split_off(self.told);
                self.told += events.len();
                for event in events.iter().filter(|_| arrives) {
                    for _ in 0..=usize::from(twice) {
                        tell(app, event).await;
                    }
                }
            }
            Step::Pass(seconds) => self.pass(seconds),
        }
        self.app.drain().await;
        self.fake.state().faults.clear();
    }

    /// All that is underway comes to its end, and then PayPal is asked.
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
        let payment = self.app.payments.payment(&self.token).await.unwrap().unwrap();
        let state = self.fake.state();
        let cents = |text: &str| text.replace('.', "").parse::<i64>().ok();
        let done = |verb: &str| -> Vec<i64> {
            let effects = state.effects.iter();
            effects.filter_map(|effect| cents(effect.strip_prefix(verb)?.trim().split(' ').next()?)).collect()
        };
        let (captured, refunded) = (done("capture").iter().sum::<i64>(), done("refund").iter().sum::<i64>());
        prop_assert_eq!(payment.captured.minor, captured, "{:?}", payment);
        prop_assert_eq!(payment.refunded.minor, refunded, "{:?}", payment);
        prop_assert!(done("capture").len() <= 1 && done("authorize").len() <= 1, "{:?}", state.effects);
        let held = state.parts.values().find(|part| part["status"] == "CREATED" || part["status"] == "VOIDED");
        let expected = match held.map(|part| part["status"] == "CREATED") {
            Some(true) => Status::Authorized,
            Some(false) => Status::Canceled,
            None if captured == 0 => Status::Pending,
            None if refunded == 0 => Status::Paid,
            None if refunded == captured => Status::Refunded,
            None => Status::PartiallyRefunded,
        };
        prop_assert_eq!(payment.status, expected, "{:?} {:?}", payment, state.effects);
        prop_assert!(!payment.needs_review(), "{:?}", payment);
        // What is said to be done was done once.
        let said = "SELECT count(*) FROM pay_operations WHERE verb = 'refund' AND state = 'done'";
        prop_assert_eq!(self.app.number(said), done("refund").len() as i64);
        Ok(())
    }
}

fn every_story_ends_in_the_truth(kind: Kind, cases: u32) {
    let cases = std::env::var("STORIES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    // Most stories begin with an order that is completed: money is where things can go wrong.
    let stories = (any::<bool>(), prop::bool::weighted(0.75), steps());
    let ran = runner.run(&stories, |(manual, completed, steps)| {
        actix_web::rt::System::new().block_on(async {
            let capture = if manual { CaptureMethod::Manual } else { CaptureMethod::Immediate };
            let mut story = Story::begin(kind, capture).await;
            let begin = if completed { vec![Step::Approve, Step::Deliver(true, false)] } else { Vec::new() };
            for (step, faults) in begin.into_iter().map(|step| (step, Vec::new())).chain(steps) {
                story.step(step, faults).await;
            }
            story.end().await;
            story.check().await
        })
    });
    ran.unwrap();
}

#[test]
fn every_story_ends_in_the_truth_sqlite() {
    every_story_ends_in_the_truth(Kind::Sqlite, 40);
}

#[test]
fn every_story_ends_in_the_truth_postgres() {
    every_story_ends_in_the_truth(Kind::Postgres, 15);
}

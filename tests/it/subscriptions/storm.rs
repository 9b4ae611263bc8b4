//! Whatever happens at Stripe and on the way here, do we know in the end what Stripe knows, and was each handler told of
//! each step once? Random lives of subscriptions, lost, repeated and shuffled events that show them or only name them,
//! failed calls, questions whose answers are lost, and crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use actix_payments::domain::subscription::SubscriptionInvoice;
use actix_payments::gateways::stripe::sign_delivery;
use actix_payments::{AnyConnection, Builder, HandlerError, SubscriptionTransition};
use actix_web::http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use super::billing::{Billing, Fault, Style, THIN_SECRET};
use super::story::DAY;
use crate::app::{App, Kind, NOW, SECRET};
use crate::scenes::{Notes, execute};

/// What happens, to the subscription with this number modulo how many there are.
#[derive(Debug, Clone)]
enum Step {
    Subscribe(bool),
    Renew(usize),
    Pay(usize),
    Fail(usize),
    GiveUp(usize),
    End(usize),
    /// Somebody changes fields in Stripe's dashboard.
    Edit(usize, u8),
    /// This host asks for something.
    Ask(usize, u8, Option<Fault>),
    /// Stripe delivers what it has to tell: how many of ten arrive, whether twice, and a seed for their order.
    Deliver(u8, bool, u64),
    /// The next calls go wrong, whatever they ask for.
    Trouble(Vec<Fault>),
    /// The process ends while it processes, and another takes over.
    Crash,
    Pass(i64),
}

fn styles() -> impl Strategy<Value = Style> {
    prop_oneof![Just(Style::Snapshots), Just(Style::Thin), Just(Style::Both)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = || 0..8_usize;
    let faults = || prop_oneof![1 => Just(Fault::CutBefore), 2 => Just(Fault::CutAfter), 1 => Just(Fault::Trouble)];
    let fault = proptest::option::of(faults());
    let step = prop_oneof![
        3 => any::<bool>().prop_map(Step::Subscribe),
        3 => one().prop_map(Step::Renew),
        3 => one().prop_map(Step::Pay),
        3 => one().prop_map(Step::Fail),
        1 => one().prop_map(Step::GiveUp),
        1 => one().prop_map(Step::End),
        3 => (one(), 0..6_u8).prop_map(|(one, what)| Step::Edit(one, what)),
        3 => (one(), 0..7_u8, fault).prop_map(|(one, what, fault)| Step::Ask(one, what, fault)),
        4 => (0..=10_u8, any::<bool>(), any::<u64>()).prop_map(|(share, twice, seed)| Step::Deliver(share, twice, seed)),
        2 => proptest::collection::vec(faults(), 1..6).prop_map(Step::Trouble),
        1 => Just(Step::Crash),
        4 => prop_oneof![Just(0_i64), Just(1), 1..DAY / 4].prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 4..40)
}

struct Storm {
    app: App,
    billing: Billing,
    notes: Notes,
    ids: Vec<String>,
    /// How many snapshots and thin events Stripe has sent, or lost.
    told: [usize; 2],
    /// Whether the process ended while it worked.
    crashed: bool,
}

fn configured(billing: &Billing, notes: &Notes) -> impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection> {
    let (gateway, told, letters) = (billing.gateway(SECRET), notes.clone(), Mutex::new(BTreeSet::new()));
    move |builder| {
        builder
            .variant("stripe", gateway)
            .subscription_handler("access", move |step: SubscriptionTransition| {
                told.add(format!("{} {}", step.subscription.token, step.event_id));
                std::future::ready(Ok(()))
            })
            .subscription_handler("letter", move |step: SubscriptionTransition| {
                // Every other step is told of at the second attempt, in which the other handlers are done.
                let is_odd = step.event_id.bytes().map(u32::from).sum::<u32>() % 2 == 1;
                let is_new = letters.lock().unwrap().insert(format!("{} {}", step.subscription.token, step.event_id));
                std::future::ready(if is_odd && is_new { Err(HandlerError::retry("no paper")) } else { Ok(()) })
            })
            .subscription_handler_in_transaction("seat", |conn, step| {
                let (token, event) = (&step.subscription.token, &step.event_id);
                execute(conn, &format!("INSERT INTO seats VALUES ('{token} {event}')"))?;
                Ok(())
            })
    }
}

impl Storm {
    async fn begin(kind: Kind, style: Style) -> Self {
        let (billing, notes) = (Billing::of_style(NOW, style), Notes::default());
        let app = App::bare(kind, configured(&billing, &notes)).await;
        app.run("CREATE TABLE seats (step TEXT NOT NULL)");
        // From here on the list of events is compared, as far back as it goes.
        app.payments.reconcile("stripe").await.unwrap();
        Self { app, billing, notes, ids: Vec::new(), told: [0, 0], crashed: false }
    }

    fn pass(&self, seconds: i64) {
        self.app.pass(seconds);
        self.billing.state().now += seconds;
    }

    /// One that has not ended, if there is any.
    fn pick(&self, number: usize) -> Option<String> {
        let state = self.billing.state();
        let open: Vec<&String> = self.ids.iter().filter(|id| !state.is_over(id)).collect();
        open.get(number % open.len().max(1)).map(|id| (*id).clone())
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Subscribe(is_trial) => {
                let owner = format!("user-{}", self.ids.len());
                let id = self.billing.state().subscribe(&owner, is_trial);
                self.ids.push(id);
            }
            Step::Renew(one) => self.at(one, |state, id| {
                if state.open_invoice(id).is_none() && state.subscriptions[id]["status"] != "paused" {
                    state.renew(id)
                }
            }),
            Step::Pay(one) => self.at(one, super::billing::State::pay),
            Step::Fail(one) => self.at(one, super::billing::State::fail),
            Step::GiveUp(one) => self.at(one, super::billing::State::give_up),
            Step::End(one) => self.at(one, super::billing::State::end),
            Step::Edit(one, what) => self.at(one, |state, id| edit(state, id, what)),
            Step::Ask(one, what, fault) => self.ask(one, what, fault).await,
            Step::Deliver(share, twice, seed) => self.deliver(share, twice, seed).await,
            Step::Trouble(faults) => self.billing.state().faults = faults.into_iter().map(Some).collect(),
            Step::Crash => {
                // What was begun stands in the database; the work is lost where it was.
                let drain = self.app.drain();
                self.crashed |= tokio::time::timeout(Duration::from_millis(3), drain).await.is_err();
                self.pass(120);
            }
            Step::Pass(seconds) => self.pass(seconds),
        }
    }

    fn at(&self, one: usize, act: impl FnOnce(&mut super::billing::State, &str)) {
        if let Some(id) = self.pick(one) {
            act(&mut self.billing.state(), &id);
        }
    }

    async fn ask(&self, one: usize, what: u8, fault: Option<Fault>) {
        let Some(id) = self.pick(one) else { return };
        let Some(known) = self.app.payments.subscription_at("stripe", &id).await.unwrap() else { return };
        let (payments, token) = (&self.app.payments, known.token.as_str());
        self.billing.state().faults = [fault].into();
        // Whether it may be asked for is another test's.
        let _ = match what {
            0 => payments.cancel_subscription(&token.into()).await,
            1 => payments.cancel_subscription_at_end(&token.into()).await,
            2 => payments.resume_subscription(&token.into()).await,
            3 => payments.pause_subscription(&token.into()).await,
            4 => payments.unpause_subscription(&token.into()).await,
            5 => payments.change_subscription(&token.into(), actix_payments::PlanChange::new().quantity(5)).await,
            _ => payments.refresh_subscription(&token.into()).await,
        };
        self.billing.state().faults.clear();
    }

    /// The events that Stripe has to tell since the last time, each with the secret of its destination.
    fn news(&mut self) -> Vec<(&'static str, String)> {
        let state = self.billing.state();
        let mut events = Vec::new();
        if state.style != Style::Thin {
            events.extend(state.events[self.told[0]..].iter().map(|event| (SECRET, event.to_string())));
        }
        if state.style != Style::Snapshots {
            events.extend(state.thin_events[self.told[1]..].iter().map(|event| (THIN_SECRET, event.to_string())));
        }
        self.told = [state.events.len(), state.thin_events.len()];
        events
    }

    /// Delivers what Stripe has to tell since the last time, some of it, in any order.
    async fn deliver(&mut self, share: u8, twice: bool, mut seed: u64) {
        let mut events = self.news();
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        for at in (1..events.len()).rev() {
            events.swap(at, usize::try_from(next()).unwrap() % (at + 1));
        }
        for event in events {
            if next() % 10 < u64::from(share) {
                let (secret, body) = &event;
                for _ in 0..=u8::from(twice) {
                    let signature = sign_delivery(secret, self.app.now(), body.as_bytes());
                    let headers = [("stripe-signature", signature.as_str())];
                    let answer = self.app.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes());
                    assert_eq!(answer.await.status, 200);
                }
            }
            if next() % 3 == 0 {
                self.app.drain().await;
            }
        }
        self.app.drain().await;
    }

    /// What was lost is fetched, what is underway comes to its end, and what is not certain is asked for.
    async fn end(&self) {
        self.billing.state().faults.clear();
        for _ in 0..12 {
            self.pass(6_000);
            self.app.drain().await;
        }
        self.app.payments.reconcile("stripe").await.unwrap();
        self.app.drain().await;
        for subscription in self.known().await.into_values().filter(|one| one.state.doubt.is_some()) {
            self.app.payments.refresh_subscription(&subscription.token).await.unwrap();
        }
        // An answer may be asked for once more, and a handler may fail at it first.
        for _ in 0..3 {
            self.pass(3_600);
            self.app.drain().await;
        }
    }

    async fn known(&self) -> BTreeMap<String, actix_payments::Subscription> {
        let all = actix_payments::SubscriptionQuery::new().limit(1_000);
        let all = self.app.payments.subscriptions(all).await.unwrap().subscriptions;
        all.into_iter().map(|one| (one.gateway_ref.clone().unwrap().into(), one)).collect()
    }

    async fn check(&self) -> Result<(), TestCaseError> {
        self.check_sums().await?;
        let known = self.known().await;
        let state = self.billing.state();
        prop_assert_eq!(known.len(), state.subscriptions.len());
        for (id, theirs) in &state.subscriptions {
            let ours = &known[id].state;
            let seconds = |at: Option<actix_payments::domain::Timestamp>| json!(at.map(|at| at.unix_timestamp()));
            let item = &theirs["items"]["data"][0];
            let shown = |name: &str| theirs[name].clone();
            prop_assert_eq!(json!(ours.status.as_str()), shown("status"), "{}", id);
            prop_assert_eq!(json!(ours.latest_invoice), shown("latest_invoice"), "{}", id);
            prop_assert_eq!(json!(ours.cancel_at_period_end), shown("cancel_at_period_end"), "{}", id);
            prop_assert_eq!(seconds(ours.cancel_at), shown("cancel_at"), "{}", id);
            prop_assert_eq!(seconds(ours.ended_at), shown("ended_at"), "{}", id);
            prop_assert_eq!(ours.pause.is_some(), !theirs["pause_collection"].is_null(), "{}", id);
            prop_assert_eq!(json!(ours.items[0].price), item["price"]["id"].clone(), "{}", id);
            prop_assert_eq!(json!(ours.items[0].quantity), item["quantity"].clone(), "{}", id);
            let period =
                |of: fn(actix_payments::domain::subscription::BillingPeriod) -> _| seconds(ours.period.map(of));
            prop_assert_eq!(period(|period| period.start), item["current_period_start"].clone(), "{}", id);
            prop_assert_eq!(period(|period| period.end), item["current_period_end"].clone(), "{}", id);
            prop_assert_eq!(seconds(ours.trial_end), shown("trial_end"), "{}", id);
            prop_assert_eq!(json!(ours.owner), theirs["metadata"]["owner"].clone(), "{}", id);
            prop_assert_eq!(&ours.doubt, &None, "{}", id);
        }
        self.check_invoices(&state.invoices)?;
        drop(state);
        self.check_handlers()
    }

    /// What recurs in a month, as the overview says, is what Stripe's own subscriptions come to.
    async fn check_sums(&self) -> Result<(), TestCaseError> {
        let (minor, count) = {
            let state = self.billing.state();
            let goes_on = |one: &&Value| {
                matches!(one["status"].as_str(), Some("active" | "past_due")) && one["pause_collection"].is_null()
            };
            let running: Vec<&Value> = state.subscriptions.values().filter(goes_on).collect();
            let item = |one: &Value| one["items"]["data"][0].clone();
            let monthly = |one: &&Value| {
                item(one)["quantity"].as_i64().unwrap() * item(one)["price"]["unit_amount"].as_i64().unwrap()
            };
            (running.iter().map(monthly).sum::<i64>(), running.len())
        };
        let overview = self.app.get("/payments/admin/").await.text();
        let (whole, part) = (minor / 100, minor % 100);
        let whole = if whole < 1_000 { whole.to_string() } else { format!("{},{:03}", whole / 1_000, whole % 1_000) };
        let row = format!("A month Subscriptions {whole}.{part:02} USD test {count} ");
        let is_said = if count > 0 { overview.contains(&row) } else { !overview.contains("A month Subscriptions") };
        prop_assert!(is_said, "no {row:?} in {overview}");
        Ok(())
    }

    /// Each invoice as Stripe has it, and of each paid one one payment of its amount.
    fn check_invoices(&self, theirs: &BTreeMap<String, Value>) -> Result<(), TestCaseError> {
        let ours = self.app.texts("SELECT fact AS t FROM pay_subscription_invoices ORDER BY gateway_ref");
        let ours = ours.iter().map(|fact| {
            let it: SubscriptionInvoice = serde_json::from_str(fact).unwrap();
            let next = it.next_attempt.map(|at| at.unix_timestamp());
            json!([it.gateway_ref, it.status, it.due.map(|due| due.minor), it.attempts, next])
        });
        let all = theirs.iter().map(|(id, one)| {
            json!([id, one["status"], one["amount_due"], one["attempt_count"], one["next_payment_attempt"]])
        });
        prop_assert_eq!(ours.collect::<Vec<_>>(), all.collect::<Vec<_>>());
        let paid = self.app.texts(
            "SELECT r.gateway_ref AS t FROM pay_payments p JOIN pay_references r ON r.payment_id = p.id \
             WHERE p.status = 'paid' AND p.captured_amount = 2000 AND p.absorbed_by IS NULL \
             AND r.gateway_ref LIKE 'in!_%' ESCAPE '!' ORDER BY 1",
        );
        let all: Vec<String> =
            theirs.iter().filter(|(_, one)| one["status"] == "paid").map(|(id, _)| id.clone()).collect();
        prop_assert_eq!(paid, all);
        Ok(())
    }

    /// One run of each handler for each transition. What runs after the commit may run again where the process ended
    /// before that was written down.
    fn check_handlers(&self) -> Result<(), TestCaseError> {
        let transitions = self.app.texts(
            "SELECT s.token || ' ' || e.gateway_event_id AS t FROM pay_subscription_transitions t \
             JOIN pay_subscriptions s ON s.id = t.subscription_id JOIN pay_events e ON e.id = t.event_id ORDER BY 1",
        );
        prop_assert_eq!(&self.app.texts("SELECT step AS t FROM seats ORDER BY 1"), &transitions);
        let mut runs = self.notes.all();
        runs.sort();
        if self.crashed {
            runs.dedup();
        }
        prop_assert_eq!(&runs, &transitions);
        let empty = "SELECT count(*) FROM pay_subscription_transitions WHERE state_before = state_after";
        prop_assert_eq!(self.app.number(empty), 0);
        let left = "SELECT kind || ' ' || source || ' ' || state || ': ' || coalesce(outcome, '') AS t FROM pay_events \
                    WHERE state NOT IN ('completed', 'ignored')";
        prop_assert_eq!(self.app.texts(left), [""; 0]);
        prop_assert_eq!(self.app.number("SELECT count(*) FROM pay_fetches WHERE finished_at IS NULL"), 0);
        prop_assert_eq!(
            self.app.number("SELECT count(*) FROM pay_subscription_operations WHERE state = 'underway'"),
            0
        );
        Ok(())
    }
}

fn edit(state: &mut super::billing::State, id: &str, what: u8) {
    let end = state.subscriptions[id]["items"]["data"][0]["current_period_end"].clone();
    let changes = match what {
        0 => json!({"cancel_at_period_end": true, "cancel_at": end, "canceled_at": state.now}),
        1 => json!({"cancel_at_period_end": false, "cancel_at": null, "canceled_at": null}),
        2 => json!({"pause_collection": {"behavior": "void", "resumes_at": null}}),
        3 => json!({"pause_collection": null}),
        // As a trial that ends without a card does.
        4 if state.open_invoice(id).is_none() => json!({"status": "paused"}),
        4 => return,
        _ => {
            let mut items = state.subscriptions[id]["items"].clone();
            let quantity = items["data"][0]["quantity"].as_i64().unwrap();
            items["data"][0]["quantity"] = json!(quantity % 4 + 1);
            json!({"items": items})
        }
    };
    state.change(id, changes);
}

/// What changes the sums of what recurs: events of which many are lost, and answers of nearly the same second.
fn steps_of_sums() -> impl Strategy<Value = Vec<Step>> {
    let one = || 0..3_usize;
    let step = prop_oneof![
        4 => (one(), 2..6_u8).prop_map(|(one, what)| Step::Edit(one, what)),
        1 => one().prop_map(Step::Renew),
        1 => one().prop_map(Step::Fail),
        1 => one().prop_map(Step::End),
        4 => one().prop_map(|one| Step::Ask(one, 6, None)),
        3 => (0..=6_u8, any::<bool>(), any::<u64>()).prop_map(|(share, twice, seed)| Step::Deliver(share, twice, seed)),
        3 => (0..=1_i64).prop_map(Step::Pass),
    ];
    let begun = [Step::Subscribe(false), Step::Subscribe(true), Step::Subscribe(false), Step::Deliver(10, false, 1)];
    proptest::collection::vec(step, 4..24).prop_map(move |steps| begun.iter().cloned().chain(steps).collect())
}

fn every_storm_ends_in_the_truth(kind: Kind, cases: u32, steps: impl Strategy<Value = Vec<Step>>) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&(styles(), steps), |(style, steps)| {
        actix_web::rt::System::new().block_on(async {
            let mut storm = Storm::begin(kind, style).await;
            for step in steps {
                storm.step(step).await;
            }
            storm.end().await;
            storm.check().await
        })
    });
    ran.unwrap();
}

#[test]
fn every_storm_of_subscriptions_ends_in_the_truth_sqlite() {
    every_storm_ends_in_the_truth(Kind::Sqlite, 24, steps());
}

#[test]
fn every_storm_of_subscriptions_ends_in_the_truth_postgres() {
    every_storm_ends_in_the_truth(Kind::Postgres, 8, steps());
}

#[test]
fn what_recurs_in_a_month_is_so_at_stripe_whatever_is_lost_sqlite() {
    every_storm_ends_in_the_truth(Kind::Sqlite, 16, steps_of_sums());
}

#[test]
fn what_recurs_in_a_month_is_so_at_stripe_whatever_is_lost_postgres() {
    every_storm_ends_in_the_truth(Kind::Postgres, 6, steps_of_sums());
}

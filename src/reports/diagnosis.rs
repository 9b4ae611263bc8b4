//! What is wrong, part by part: the database, the configuration, and everything that a person should look at.

use std::sync::Arc;

use super::anomalies::in_span;
use super::anomaly::Anomaly;
use super::at_run_time::busiest;
use super::growth::growth;
use super::wording::Wording;
use crate::domain::Timestamp;
use crate::domain::event::Source;
use crate::engine::due::AT_LEISURE;
use crate::engine::heartbeat::SEEN;
use crate::engine::{Engine, Variant};
use crate::error::Error;
use crate::gateways::TEST_KIND;
use crate::store::Tx;

/// How far a gateway's clock and this machine's may differ: more is half of what most signatures tolerate.
const SKEW: i64 = 120;
/// How far another machine's clock may be ahead.
const AHEAD: time::Duration = time::Duration::seconds(60);

/// How many days before the bound of growth is met that is worth a warning.
const SOON: i64 = 30;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Fine,
    Warning,
    Fault,
}

/// What came of looking at one part.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// The part, and what it is about where there are several: `database`, `secret:stripe`; of alarms, their key.
    pub name: String,
    pub severity: Severity,
    /// One sentence.
    pub text: String,
    /// Where it stands in the admin pages, below them.
    pub path: Option<String>,
}

impl Finding {
    fn new(name: impl Into<String>, severity: Severity, text: impl Into<String>) -> Self {
        Self { name: name.into(), severity, text: text.into(), path: None }
    }

    /// The database does not answer.
    pub(crate) fn no_answer(error: &Error) -> Self {
        Self::new("database", Severity::Fault, format!("It does not answer: {}.", error.to_string().trim_end()))
    }
}

impl Engine {
    /// Looks at everything. What can't be looked at for want of something before it is left out.
    pub(crate) async fn diagnose(self: &Arc<Self>) -> Vec<Finding> {
        let mut found: Vec<Finding> = self.fixed().flat_map(|(name, variant)| configuration(name, variant)).collect();
        let migrations = match self.blocking(|engine| engine.store.migrations()).await {
            Ok(steps) => steps,
            Err(error) => {
                found.insert(0, Finding::no_answer(&error));
                return found;
            }
        };
        found.insert(0, Finding::new("database", Severity::Fine, "It answers."));
        let missing: Vec<&str> = migrations.iter().filter(|step| step.is_pending).map(|step| step.name).collect();
        if !missing.is_empty() {
            let text = format!("Not run yet: {}. Run `migrate`, or start the app.", missing.join(", "));
            found.push(Finding::new("migrations", Severity::Fault, text));
            return found;
        }
        found.push(Finding::new("migrations", Severity::Fine, "All have been run."));
        found.push(self.can_write().await);
        match self.blocking(|engine| engine.store.ask(|tx| stored(engine, tx))).await {
            Ok(more) => found.extend(more),
            Err(error) => found.push(unreadable("tables", "They", &error)),
        }
        found.extend(self.configured_at_run_time().await);
        match self.look_for_anomalies().await {
            Ok(looked) => found.extend(looked.found.iter().map(anomaly)),
            Err(error) => found.push(unreadable("alarms", "They", &error)),
        }
        found
    }

    /// What the busiest of the variants lack that a function of the host's configures. What is in order is not said of each.
    async fn configured_at_run_time(self: &Arc<Self>) -> Vec<Finding> {
        let read = self.blocking(|engine| engine.store.ask(|tx| Ok(busiest(engine, &in_span(engine, tx)?)))).await;
        let names = match read {
            Ok(names) => names,
            Err(error) => return vec![unreadable("variants", "They", &error)],
        };
        let held = self.load_all(&names, AT_LEISURE).await;
        let lost = names.iter().filter(|name| !held.iter().any(|(held, _)| held == *name));
        let lost = lost.map(|name| {
            let end = if self.has_none(name) { "answered 404" } else { "sent away to come again" };
            let why = format!("{}. Its deliveries are {end}.", self.why_lacking(name));
            Finding::new(format!("variant:{name}"), Severity::Fault, why)
        });
        let wrong = held.iter().flat_map(|(name, variant)| configuration(name, variant));
        lost.chain(wrong.filter(|finding| finding.severity != Severity::Fine)).collect()
    }

    /// Writes when it last was here: a disk that is full shows at a row, not at a statement that finds none.
    async fn can_write(self: &Arc<Self>) -> Finding {
        let now = self.now();
        match self.write(move |tx| tx.claim_chore("doctor", now, now)).await {
            Ok(_) => Finding::new("writing", Severity::Fine, "The database takes writes."),
            Err(error) => Finding::new("writing", Severity::Fault, format!("The database takes no writes: {error}.")),
        }
    }
}

/// What a variant lacks.
fn configuration(name: &str, variant: &Variant) -> Vec<Finding> {
    let setup = variant.gateway.setup();
    let unset: Vec<&str> = setup.secrets.iter().filter(|it| !it.is_set).map(|it| it.label.as_str()).collect();
    let mut found = vec![if unset.is_empty() {
        Finding::new(format!("secret:{name}"), Severity::Fine, "Every signing secret is set.")
    } else {
        let text = format!("Not set: {}. Deliveries that they sign are refused.", unset.join(", "));
        Finding::new(format!("secret:{name}"), Severity::Fault, text)
    }];
    if setup.api_key == Some(false) {
        let text = "No API key is set: payments can't be started, refunded or asked about from here.";
        found.push(Finding::new(format!("api-key:{name}"), Severity::Warning, text));
    }
    found
}

fn stored(engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<Finding>, Error> {
    let now = engine.now();
    let mut found = vec![worker(tx, now)?];
    found.extend(machines(tx, now)?);
    let at_run_time = if engine.has_source() { busiest(engine, &in_span(engine, tx)?) } else { Vec::new() };
    for name in engine.fixed_names().iter().chain(&at_run_time) {
        match last_delivery(tx, name) {
            Ok(last) => found.extend(last),
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => found.push(unreadable(&format!("delivery:{name}"), "The last one", &error)),
        }
    }
    found.extend(grown(engine, tx)?);
    found.extend(erasures(engine, tx)?);
    Ok(found)
}

fn unreadable(name: &str, what: &str, error: &Error) -> Finding {
    Finding::new(name, Severity::Fault, format!("{what} can't be read: {error}."))
}

fn anomaly(anomaly: &Anomaly) -> Finding {
    let worded = anomaly.wording(&Wording::plain());
    let severity = if worded.is_urgent { Severity::Fault } else { Severity::Warning };
    Finding { path: Some(worded.path), ..Finding::new(anomaly.key(), severity, worded.text) }
}

/// How large the tables are, and whether they meet the host's bound soon.
fn grown(engine: &Engine, tx: &mut dyn Tx) -> Result<Option<Finding>, Error> {
    let Some(report) = growth(engine, tx)? else { return Ok(None) };
    let is_soon = report.days_left.is_some_and(|days| days < SOON);
    let severity = if is_soon { Severity::Warning } else { Severity::Fine };
    let found = Finding::new("growth", severity, format!("{}.", report.sentence()));
    Ok(Some(Finding { path: Some("data".to_owned()), ..found }))
}

/// Whether this process recognises persons who were erased.
fn erasures(engine: &Engine, tx: &mut dyn Tx) -> Result<Option<Finding>, Error> {
    if engine.erasures.has_key() || tx.count_marks()? == 0 {
        return Ok(None);
    }
    let text = "Persons were erased, and without their erasure key this process stores what comes of them anew.";
    Ok(Some(Finding::new("erasure-key", Severity::Fault, text)))
}

fn worker(tx: &mut dyn Tx, now: Timestamp) -> Result<Finding, Error> {
    let workers = tx.workers(now - SEEN)?.len();
    Ok(if workers == 0 {
        Finding::new("worker", Severity::Fault, "None was seen within a minute, so that events are not processed.")
    } else {
        Finding::new("worker", Severity::Fine, format!("{workers} seen within a minute."))
    })
}

/// A machine whose clock is ahead claims what is not due yet.
fn machines(tx: &mut dyn Tx, now: Timestamp) -> Result<Option<Finding>, Error> {
    let ahead = tx.workers(now + AHEAD)?.into_iter().max_by_key(|worker| worker.seen_at);
    Ok(ahead.map(|worker| {
        let seconds = (worker.seen_at - now).whole_seconds();
        let machine = worker.name.split(':').next().unwrap_or_default();
        let text = format!("The clock of {machine} is {seconds} s ahead of this one.");
        Finding::new("clock", Severity::Fault, text)
    }))
}

/// When the gateway last delivered, and how far its clock was from this machine's.
fn last_delivery(tx: &mut dyn Tx, variant: &str) -> Result<Vec<Finding>, Error> {
    let event = tx.last_event_of(variant)?.filter(|event| event.kind != TEST_KIND);
    let Some(event) = event.filter(|event| event.source == Source::Delivery) else {
        return Ok(Vec::new());
    };
    let name = format!("delivery:{variant}");
    let text = format!("The last was {}, received {}.", event.kind, (Wording::plain().at)(event.last_delivered_at));
    let mut found = vec![Finding::new(name, Severity::Fine, text)];
    if let Some(skew) = event.skew_seconds.filter(|skew| skew.abs() > SKEW) {
        let text = format!("The last delivery was signed {skew} s away from this machine's clock.");
        found.push(Finding::new(format!("clock:{variant}"), Severity::Fault, text));
    }
    Ok(found)
}

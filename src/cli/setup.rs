//! Setting up: `migrate`, `hash-password`, and `send` to see whether it works.

use std::io::BufRead;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::options::{Acting, Common};
use super::output::{Output, Table};
use crate::admin::hash_password;
use crate::domain::event::EventState;
use crate::engine::act;
use crate::error::{Error, ErrorKind};
use crate::payments::Payments;
use crate::store::audit::NewAct;

#[derive(Debug, Clone, Args)]
pub struct Migrate {
    /// Only print the SQL of the steps that would be taken, each to be run in a transaction: for a DBA.
    #[arg(long)]
    sql: bool,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

impl Migrate {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let mut pending = payments.migrations().await?;
        pending.retain(|step| step.is_pending);
        if self.sql {
            let sql: Vec<String> =
                pending.iter().map(|step| format!("-- {}\n{}", step.name, step.sql.trim())).collect();
            return Ok(Output::text(self.common.json, sql.join("\n\n"), || json!({ "sql": sql })));
        }
        let names: Vec<&str> = pending.iter().map(|step| step.name).collect();
        if !self.acting.dry_run {
            payments.migrate().await?;
            note(payments, &self.acting, &names).await?;
        }
        let mut table = Table::new(&[if self.acting.dry_run { "would be taken" } else { "taken" }]);
        names.iter().for_each(|name| table.row([(*name).to_owned()]));
        let table = table.below(names.is_empty().then(|| "The tables are up to date.".to_owned()));
        Ok(Output::table(self.common.json, table, || json!({ "steps": names })))
    }
}

/// Writes into the audit who took these steps. Before them, there may be no audit.
async fn note(payments: &Payments, acting: &Acting, names: &[&str]) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    let (engine, detail) = (payments.engine(), Some(names.join(", ")));
    let row = NewAct { detail, ..act("migrate", &acting.actor(), None, None, engine.now()) };
    engine.write(move |tx| tx.add_act(&row)).await
}

#[derive(Debug, Clone, Args)]
pub struct HashPassword {
    #[command(flatten)]
    common: Common,
}

impl HashPassword {
    pub(super) fn run(self) -> Result<Output, Error> {
        let unread = |e| Error::new(ErrorKind::Refused, "no password came on standard input").with_source(e);
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(unread)?;
        let hash = hash_password(line.trim_end_matches(['\r', '\n']))?;
        Ok(Output::text(self.common.json, hash.clone(), || json!({ "hash": hash })))
    }
}

#[derive(Debug, Clone, Args)]
pub struct Send {
    /// The variant to send it to.
    variant: String,
    /// The endpoint, as this machine reaches it over plain http: http://127.0.0.1:8080/payments/stripe/
    ///
    /// By default the address that the app was configured with.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

/// How long a worker may take to process it, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

impl Send {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let (engine, json, name) = (payments.engine(), self.common.json, self.variant);
        let endpoint = self.to.unwrap_or_else(|| engine.address_of(&name));
        if !endpoint.starts_with("http") {
            return Err(Error::new(ErrorKind::Refused, "say by --to where the endpoint is: http://host:port/path"));
        }
        if self.acting.dry_run {
            let text = format!("would send a test event to {endpoint}");
            return Ok(Output::text(json, text.clone(), || json!({ "would": text })));
        }
        let sent = engine.test_variant(&name, &endpoint, self.acting.actor()).await?;
        let answer =
            sent.answer.map_err(|why| Error::new(ErrorKind::Unavailable, format!("it was not sent: {why}")))?;
        let mut state = None;
        let begun = std::time::Instant::now();
        while answer.status == 200 && begun.elapsed() < PATIENCE {
            let event = engine.checkup(&name, Some(sent.id.clone())).await?.and_then(|checkup| checkup.test);
            state = event.map(|event| event.state);
            if state.is_some_and(is_end) {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        let became = state.map_or("not in this database", |state| state.as_str());
        let reason = answer.reason.clone().unwrap_or_default();
        let text = match answer.status {
            200 => format!("{endpoint} answered 200; the event {} is {became}", sent.id),
            status => format!("{endpoint} answered {status} {reason}"),
        };
        let value = || json!({ "status": answer.status, "reason": answer.reason, "event": sent.id, "state": became });
        let is_fine = answer.status == 200 && state.is_some_and(|it| is_end(it) && it != EventState::Discarded);
        Ok(Output::text(json, text, value).found(!is_fine))
    }
}

fn is_end(state: EventState) -> bool {
    matches!(state, EventState::Completed | EventState::Ignored | EventState::Discarded)
}

//! A command line for operators, which a host mounts in its own program with one match arm: handlers and variants live
//! there, so a program of our own could not know them.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use actix_payments::{Payments, cli};
//! use clap::Parser;
//!
//! /// The shop. Without a command it serves.
//! #[derive(Parser)]
//! struct Shop {
//!     #[command(subcommand)]
//!     command: Option<cli::Command>,
//! }
//!
//! async fn run(payments: Payments) -> ExitCode {
//!     match Shop::parse().command {
//!         Some(command) => command.run(&payments).await,
//!         None => ExitCode::SUCCESS, // serve
//!     }
//! }
//! ```
//!
//! A host with commands of its own takes these in by `#[command(flatten)]`. Build the payments as the server does, with
//! the same handlers, and run the command before `migrate()` and before a worker is started. It works beside a
//! running server, on the same database.
//!
//! Exit codes: 0 all is well · 1 something was found, differs, or was refused · 2 the command was not understood · 3
//! the database or a gateway could not be asked.

mod acts;
mod doctor;
mod drift;
mod events;
mod options;
mod output;
mod payments;
mod persons;
mod rebuild;
mod setup;
mod status;
mod subscriptions;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Subcommand;

use crate::error::{Error, ErrorKind};
use crate::payments::Payments;

/// The commands.
#[derive(Debug, Clone, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Look for faults: database, migrations, worker, secrets, clocks, deliveries, and all that is an alarm.
    ///
    /// Each line is a part and how it is. Exits with 1 when a fault was found, so that a monitor can run it; with
    /// --strict for a warning too, and with 3 when the database does not answer.
    Doctor(doctor::Doctor),
    /// Say what was received, processed and rejected in the last 24 hours, and what waits.
    Status(status::Status),
    /// Send a signed test event through a variant's real endpoint, and say what became of it.
    ///
    /// It goes over HTTP to the running server. It changes no payment.
    Send(setup::Send),
    /// List events, newest first, or show one.
    Events(events::Events),
    /// List payments, newest first, or show one.
    Payments(payments::PaymentsList),
    /// List subscriptions, newest first, or show one.
    Subscriptions(subscriptions::SubscriptionsList),
    /// Make events run again, from their first attempt: those named, or all that match.
    ///
    /// Handlers that are done with an event stay done. Running events are left alone.
    Requeue(acts::Requeue),
    /// Give up events that wait: those named, or all that match. A requeue brings them back.
    ///
    /// Events that were given up by themselves are no alarm any more once they were discarded on purpose.
    Discard(acts::Discard),
    /// Fetch from the gateway's list the events that were never delivered.
    Reconcile(acts::Reconcile),
    /// Compare payments and subscriptions with their gateways, and repair what differs.
    ///
    /// Finds what no event tells any more, such as what happened while the endpoint was off for longer than the gateway
    /// lists its events. Repairs by a refresh of each; with --dry-run it only says what differs. Exits with 1 when
    /// something differs and was not repaired, or could not be compared.
    Drift(drift::DriftArgs),
    /// Ask the gateway how a payment stands; the answer is processed like every event.
    Refresh(acts::Refresh),
    /// Delete the bodies and kept headers that are older than the app's retention says.
    Prune(acts::Prune),
    /// Write all that is held of a person, as one JSON document.
    ///
    /// The audit says that it was done, and not of whom.
    Export(persons::Export),
    /// Erase a person: names, addresses, free texts and bodies go, amounts, times and ids stay.
    ///
    /// What comes of them later is reduced before it is stored. It can't be taken back; look with --dry-run first.
    Erase(persons::Erase),
    /// Create or upgrade the tables.
    Migrate(setup::Migrate),
    /// Hash a password for the admin pages, read from standard input.
    HashPassword(setup::HashPassword),
    /// Compare payments with what their events make of them, and repair what differs.
    Rebuild(rebuild::Rebuild),
}

/// What a command answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The exit code: 0 all is well, 1 something was found or refused, 3 it could not be asked.
    pub code: u8,
    /// For standard output: text, or JSON where that was asked for. Ends with a line feed, if it is not empty.
    pub text: String,
    /// For standard error: why it could not be done, a sentence.
    pub problem: Option<String>,
}

impl Command {
    /// Does it, prints the answer, and says how the process should end. Tables are aligned and coloured on a terminal
    /// only (and not where `NO_COLOR` is set); elsewhere columns are separated by tabs.
    pub async fn run(self, payments: &Payments) -> ExitCode {
        let answer = self.answer(payments, std::io::stdout().is_terminal()).await;
        let printed = std::io::stdout().lock().write_all(answer.text.as_bytes());
        if let Some(problem) = &answer.problem {
            eprintln!("{problem}");
        }
        // Who reads it may have read enough, as `head` does.
        if printed.is_err() && answer.code == 0 { ExitCode::SUCCESS } else { ExitCode::from(answer.code) }
    }

    /// Does it, and answers instead of printing: for a terminal, or for programs.
    pub async fn answer(self, payments: &Payments, terminal: bool) -> Answer {
        let done = match self {
            Self::Doctor(it) => it.run(payments).await,
            Self::Status(it) => it.run(payments).await,
            Self::Send(it) => it.run(payments).await,
            Self::Events(it) => it.run(payments).await,
            Self::Payments(it) => it.run(payments).await,
            Self::Subscriptions(it) => it.run(payments).await,
            Self::Requeue(it) => it.run(payments).await,
            Self::Discard(it) => it.run(payments).await,
            Self::Reconcile(it) => it.run(payments).await,
            Self::Drift(it) => it.run(payments).await,
            Self::Refresh(it) => it.run(payments).await,
            Self::Prune(it) => it.run(payments).await,
            Self::Export(it) => it.run(payments).await,
            Self::Erase(it) => it.run(payments).await,
            Self::Migrate(it) => it.run(payments).await,
            Self::HashPassword(it) => it.run(),
            Self::Rebuild(it) => it.run(payments).await,
        };
        match done {
            Ok(output) => Answer { code: output.code, text: output.render(terminal), problem: None },
            Err(error) => Answer { code: code(&error), text: String::new(), problem: Some(sentence(&error)) },
        }
    }
}

fn code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Refused | ErrorKind::NotFound | ErrorKind::Configuration => 1,
        _ => 3,
    }
}

/// The error with what caused it.
fn sentence(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        let why = source.to_string();
        if !text.contains(&why) {
            text = format!("{text}: {why}");
        }
        next = source.source();
    }
    text
}

//! A command line for operators, which a host mounts in its own program with one match arm: handlers and variants live
//! there, so a program of our own could not know them.
//!
//! ```
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
//! async fn run(shop: Shop, payments: Payments) -> ExitCode {
//!     match shop.command {
//!         Some(command) => command.run(&payments).await,
//!         None => ExitCode::SUCCESS, // serve
//!     }
//! }
//! # use actix_payments::{Database, gateways::dummy::Dummy};
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let database = Database::from_url(&format!("sqlite://{}", folder.path().join("shop.db").display()))?;
//! # let payments = Payments::builder(database).variant("dummy", Dummy::new("a secret of 20 letters")).build()?;
//! # let ends = |code: ExitCode| format!("{code:?}");
//! # let untouched = run(Shop::try_parse_from(["shop", "doctor"])?, payments.clone()).await;
//! # assert_eq!(ends(untouched), ends(ExitCode::from(1)));
//! # let migrated = run(Shop::try_parse_from(["shop", "migrate"])?, payments.clone()).await;
//! # assert_eq!(ends(migrated), ends(ExitCode::SUCCESS));
//! # let served = run(Shop::try_parse_from(["shop"])?, payments).await;
//! # assert_eq!(ends(served), ends(ExitCode::SUCCESS));
//! # Ok(())
//! # }
//! ```
//!
//! The doc comment of `Shop` is what `--help` says about the program. Without it, and without `about`, `--help` shows
//! that of [`Command`].
//!
//! `run(Shop::parse(), payments)` is all that is left to do, and [`Command::unopened`] where there are no payments because
//! the database can't be opened.
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
use output::Output;

/// The commands.
#[derive(Debug, Clone, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Look for faults: database, migrations, worker, secrets, clocks, deliveries, and all that is an alarm.
    ///
    /// Each line is a part and how it is. Exits with 1 when a fault was found, so that a monitor can run it; with
    /// --strict for a warning too, and with 3 when the database does not answer.
    #[command(after_help = "Examples:\n  doctor\n  doctor --strict --json")]
    Doctor(doctor::Doctor),
    /// Say what was received, processed and rejected in the last 24 hours, and what waits.
    #[command(after_help = "Examples:\n  status\n  status --json")]
    Status(status::Status),
    /// Send a signed test event through a variant's real endpoint, and say what became of it.
    ///
    /// It goes over HTTP to the running server. It changes no payment.
    #[command(after_help = "Example:\n  send cards --to http://127.0.0.1:8080/payments/cards/")]
    Send(setup::Send),
    /// List events, newest first, or show one.
    #[command(after_help = "Examples:\n  events --state discarded --variant cards\n  events 17 --json")]
    Events(events::Events),
    /// List payments, newest first, or show one.
    #[command(after_help = "Examples:\n  payments --search customer@example.com\n  payments pay_4f9a2c --json")]
    Payments(payments::PaymentsList),
    /// List subscriptions, newest first, or show one.
    #[command(after_help = "Examples:\n  subscriptions --owner user-7\n  subscriptions psub_4f9a2c --json")]
    Subscriptions(subscriptions::SubscriptionsList),
    /// Make events run again, from their first attempt: those named, or all that match.
    ///
    /// Handlers that are done with an event stay done. Running events are left alone.
    #[command(after_help = "Examples:\n  requeue 17 18\n  requeue --state discarded --dry-run")]
    Requeue(acts::Requeue),
    /// Give up events that wait: those named, or all that match. A requeue brings them back.
    ///
    /// Events that were given up by themselves are no alarm any more once they were discarded on purpose.
    #[command(after_help = "Examples:\n  discard 17 --actor anna\n  discard --state discarded --kind payout.paid")]
    Discard(acts::Discard),
    /// Fetch from the gateway's list the events that were never delivered.
    #[command(after_help = "Examples:\n  reconcile\n  reconcile cards --dry-run")]
    Reconcile(acts::Reconcile),
    /// Compare payments and subscriptions with their gateways, and repair what differs.
    ///
    /// Finds what no event reports any more, such as what happened while the endpoint was off for longer than the
    /// gateway lists its events. Repairs each difference by a refresh; with --dry-run it only says what differs. Exits
    /// with 1 when something differs and was not repaired, or could not be compared.
    #[command(after_help = "Examples:\n  drift --variant cards --since 40d --dry-run\n  drift --each --per-second 5")]
    Drift(drift::DriftArgs),
    /// Ask the gateway how a payment stands; the answer is processed like every event.
    #[command(after_help = "Example:\n  refresh pay_4f9a2c")]
    Refresh(acts::Refresh),
    /// Delete the bodies and kept headers that are older than the app's retention says.
    #[command(after_help = "Example:\n  prune --dry-run")]
    Prune(acts::Prune),
    /// Write everything that is stored about a person, as one JSON document.
    ///
    /// The audit records that it was done, and not for whom.
    #[command(after_help = "Examples:\n  export --email mia@example.com\n  export --customer cus_NffrFeUfNV2Hib")]
    Export(persons::Export),
    /// Erase a person: names, addresses, free texts and bodies are deleted, amounts, times and ids stay.
    ///
    /// Their personal data is removed from what comes later before it is stored. It can't be taken back; try --dry-run
    /// first.
    #[command(after_help = "Examples:\n  erase --email mia@example.com --dry-run\n  erase --payment pay_4f9a2c")]
    Erase(persons::Erase),
    /// Create or upgrade the tables.
    #[command(after_help = "Examples:\n  migrate --dry-run\n  migrate --sql")]
    Migrate(setup::Migrate),
    /// Hash a password for the admin pages, read from standard input.
    #[command(after_help = "Example:\n  hash-password < password.txt")]
    HashPassword(setup::HashPassword),
    /// Compare payments with what their events make of them, and repair what differs.
    #[command(after_help = "Examples:\n  rebuild --all --check\n  rebuild pay_4f9a2c")]
    Rebuild(rebuild::Rebuild),
}

/// For whom an answer is written.
///
/// See [`Command::answer`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reader {
    /// A person at a terminal: aligned, and coloured unless `NO_COLOR` is set.
    Terminal,
    /// A program: columns are separated by tabs.
    Program,
}

/// What a command answers.
///
/// [`Command::answer`] returns it and has an example.
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

impl Reader {
    fn of_stdout() -> Self {
        if std::io::stdout().is_terminal() { Self::Terminal } else { Self::Program }
    }
}

impl Command {
    /// Does it, prints the answer, and says how the process should end. The [`Reader`] is the terminal where standard
    /// output is one.
    pub async fn run(self, payments: &Payments) -> ExitCode {
        print(&self.answer(payments, Reader::of_stdout()).await)
    }

    /// For a host that can't build its payments, because the database can't be opened: prints why, and says how the process
    /// should end. `doctor` has it as its finding.
    pub fn unopened(self, error: &Error) -> ExitCode {
        print(&match self {
            Self::Doctor(it) if code(error) == 3 => rendered(&it.unopened(error), Reader::of_stdout()),
            _ => failed(error),
        })
    }

    /// Does it, and answers instead of printing.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// use actix_payments::cli::{Command, Reader};
    /// use clap::Parser;
    ///
    /// #[derive(Parser)]
    /// struct Shop {
    ///     #[command(subcommand)]
    ///     command: Command,
    /// }
    ///
    /// let shop = Shop::parse_from(["shop", "events", "--json"]);
    /// let answer = shop.command.answer(&payments, Reader::Program).await;
    /// assert_eq!((answer.code, answer.problem), (0, None));
    /// println!("{}", answer.text);
    /// # Ok(()) }) }
    /// ```
    pub async fn answer(self, payments: &Payments, reader: Reader) -> Answer {
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
        done.map_or_else(|error| failed(&error), |output| rendered(&output, reader))
    }
}

fn rendered(output: &Output, reader: Reader) -> Answer {
    Answer { code: output.code, text: output.render(reader == Reader::Terminal), problem: None }
}

fn failed(error: &Error) -> Answer {
    Answer { code: code(error), text: String::new(), problem: Some(sentence(error)) }
}

fn print(answer: &Answer) -> ExitCode {
    let printed = std::io::stdout().lock().write_all(answer.text.as_bytes());
    if let Some(problem) = &answer.problem {
        eprintln!("{problem}");
    }
    // Who reads it may have read enough, as `head` does.
    if printed.is_err() && answer.code == 0 { ExitCode::SUCCESS } else { ExitCode::from(answer.code) }
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

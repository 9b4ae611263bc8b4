//! `doctor`: everything that can be known to be wrong, by name.

use clap::Args;
use serde_json::json;

use super::options::Common;
use super::output::{Output, Table, link};
use crate::error::Error;
use crate::payments::Payments;
use crate::reports::{Finding, Severity};

#[derive(Debug, Clone, Args)]
pub struct Doctor {
    #[command(flatten)]
    common: Common,
    /// Exit with 1 for warnings too.
    #[arg(long)]
    strict: bool,
}

impl Doctor {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let found = payments.engine().diagnose().await;
        Ok(self.output(&found, |path| link(payments, path)))
    }

    /// What is found where the database can't be opened.
    pub(super) fn unopened(self, error: &Error) -> Output {
        self.output(&[Finding::no_answer(error)], str::to_owned)
    }

    fn output(self, found: &[Finding], link: impl Fn(&str) -> String) -> Output {
        let bad = |it: &&Finding| it.severity == Severity::Fault || self.strict && it.severity == Severity::Warning;
        let faults = found.iter().filter(bad).count();
        let is_silent = found.first().is_some_and(|first| first.severity == Severity::Fault);
        let mut table = Table::new(&["", "part", "how it is"]);
        for it in found {
            table.row([word(it.severity).to_owned(), it.name.clone(), it.text.clone()]);
        }
        let value = || {
            let all = found.iter().map(|it| {
                json!({
                    "name": it.name, "state": word(it.severity).to_lowercase(), "text": it.text,
                    "link": it.path.as_ref().map(|path| link(path)),
                })
            });
            json!({ "ok": faults == 0, "checks": all.collect::<Vec<_>>() })
        };
        let mut output = Output::table(self.common.json, table, value).found(faults > 0);
        if is_silent {
            output.code = 3;
        }
        output
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Fine => "ok",
        Severity::Warning => "WARNING",
        Severity::Fault => "FAULT",
    }
}

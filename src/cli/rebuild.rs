//! `rebuild`: is what is stored what the events say, and if not, make it so?

use clap::Args;
use serde_json::json;

use super::options::{Acting, Common};
use super::output::{Output, Table};
use crate::error::{Error, ErrorKind};
use crate::payments::Payments;
use crate::reports::Rebuilt;

/// What is said of a payment of which nothing differs but fees.
const UNREAD_FEES: &str = "only fees differ, which an older release did not read, or put on another day";

#[derive(Debug, Clone, Args)]
pub struct Rebuild {
    /// The payment's token.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    token: Option<String>,
    /// Every payment.
    #[arg(long)]
    all: bool,
    /// Only compare, and exit with 1 when something differs. The same as --dry-run.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

impl Rebuild {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let compares = self.check || self.acting.dry_run;
        let (mut compared, mut found) = (0, Vec::new());
        if let Some(token) = &self.token {
            compared = 1;
            found.extend(Some(payments.rebuild(&token.into()).await?).filter(|rebuilt| !rebuilt.same));
        } else {
            let mut after = None;
            loop {
                let part = payments.differing(after).await?;
                compared += part.compared;
                found.extend(part.found);
                after = part.next;
                if after.is_none() {
                    break;
                }
            }
        }
        let all_found = found.len();
        if self.token.is_none() {
            // Of these nobody can say whether they differ, and a retention makes more of them every day.
            found.retain(|rebuilt| rebuilt.refusal.is_none());
        }
        let pruned = all_found - found.len();
        let mut table = Table::new(&["payment", "stored", "by its events", "what was done"]);
        let mut all = Vec::new();
        for rebuilt in &found {
            let done = if compares { "compared" } else { self.order(payments, rebuilt).await? };
            let done = if rebuilt.only_fees { format!("{done}; {UNREAD_FEES}") } else { done.to_owned() };
            let why = rebuilt.refusal.as_ref().map_or(done, |why| format!("not rebuilt: {why}"));
            let (stored, rebuilt_to) = (rebuilt.stored.status.as_str(), rebuilt.rebuilt.status.as_str());
            let cells = [&rebuilt.stored.token, stored, rebuilt_to, &why];
            table.row(cells.map(str::to_owned));
            all.push(json!({
                "token": rebuilt.stored.token, "stored": stored, "rebuilt": rebuilt_to, "done": why,
                "registers": rebuilt.registers.len(), "only_fees": rebuilt.only_fees,
            }));
        }
        let mut below = format!("{} compared, {} differ.", compared - pruned, found.len());
        if pruned > 0 {
            below.push_str(&format!(" {pruned} can't be compared: bodies of their events were pruned."));
        }
        let said = || json!({ "compared": compared - pruned, "pruned": pruned, "differing": all });
        let output = Output::table(self.common.json, table.below(Some(below)), said);
        let is_left = found.iter().any(|rebuilt| compares || rebuilt.refusal.is_some());
        Ok(output.found(is_left))
    }

    /// Orders a payment to be rebuilt, where it can be.
    async fn order(&self, payments: &Payments, rebuilt: &Rebuilt) -> Result<&'static str, Error> {
        if rebuilt.refusal.is_some() {
            return Ok("");
        }
        match payments.engine().order_rebuild(&rebuilt.stored.token, self.acting.actor()).await {
            Ok(_) => Ok("ordered; a worker does it"),
            // It came right meanwhile.
            Err(error) if error.kind() == ErrorKind::Refused => Ok("no longer differs"),
            Err(error) => Err(error),
        }
    }
}

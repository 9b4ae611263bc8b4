//! `status`: the last day in numbers.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::options::Common;
use super::output::{Output, Table, json_time, link, moment};
use crate::domain::scope::Scope;
use crate::engine::tally::{DUPLICATE, MISSED, RECEIVED, REJECTED};
use crate::error::Error;
use crate::payments::Payments;
use crate::reports::{Overview, Span, Wording};

#[derive(Debug, Clone, Args)]
pub struct Status {
    #[command(flatten)]
    common: Common,
}

/// Every number that is shown: its word, and how the counter's outcome begins.
const COUNTED: [&str; 8] = [RECEIVED, DUPLICATE, REJECTED, MISSED, "completed", "ignored", "retryable", "discarded"];

impl Status {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let found = payments.engine().overview(Span::Day, Scope::All).await?;
        let counted = COUNTED.map(|outcome| (outcome.trim_end_matches(':'), sum(&found, outcome)));
        let mut table = Table::new(&["what", "how many"]);
        for (word, number) in counted {
            table.row([format!("{word} in 24 h"), number.to_string()]);
        }
        for (state, number) in &found.open {
            table.row([format!("{} now", state.as_str()), number.to_string()]);
        }
        for (variant, event) in &found.last {
            let last = event.as_ref().map_or_else(|| "never".to_owned(), |event| moment(event.last_delivered_at));
            table.row([format!("last event of {variant}"), last]);
        }
        let alarms: Vec<String> = found.anomalies.iter().map(|it| it.wording(&Wording::plain()).text).collect();
        let below = (!alarms.is_empty()).then(|| alarms.join("\n"));
        let value = || {
            json!({
                "day": counted.iter().map(|(word, number)| (*word, *number)).collect::<BTreeMap<_, _>>(),
                "now": found.open.iter().map(|(state, number)| (state.as_str(), *number))
                    .collect::<BTreeMap<_, _>>(),
                "last_event": found.last.iter()
                    .map(|(name, event)| (name.clone(), json_time(event.as_ref().map(|event| event.last_delivered_at))))
                    .collect::<serde_json::Map<String, Value>>(),
                "oldest_waiting": json_time(found.oldest.as_ref().map(|event| event.received_at)),
                "alarms": found.anomalies.iter()
                    .map(|it| {
                        let worded = it.wording(&Wording::plain());
                        json!({ "key": it.key(), "sentence": worded.text, "link": link(payments, &worded.path) })
                    })
                    .collect::<Vec<_>>(),
            })
        };
        Ok(Output::table(self.common.json, table.below(below), value))
    }
}

fn sum(found: &Overview, outcome: &str) -> i64 {
    let is_it = |counted: &str| counted == outcome || outcome == REJECTED && counted.starts_with(outcome);
    found.sums.iter().filter(|sum| is_it(&sum.outcome)).fold(0, |all, sum| all.saturating_add(sum.count))
}

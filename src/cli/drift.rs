//! `drift`: do payments and subscriptions stand here as they do at the gateway, and if not, make it so?

use clap::Args;
use serde_json::{Value, json};

use super::options::{Acting, Common};
use super::output::{Output, Table, link};
use crate::domain::{Timestamp, parse_rfc3339};
use crate::engine::drift::Comparable;
use crate::engine::request::Requester;
use crate::error::{Error, ErrorKind};
use crate::operations::{Difference, Drift, DriftQuery, Outcome};
use crate::payments::Payments;

#[derive(Debug, Clone, Args)]
pub struct DriftArgs {
    /// Only this variant; may be given several times. By default all whose gateways can be asked.
    #[arg(long = "variant", value_name = "NAME")]
    variants: Vec<String>,
    /// Compare what was created since then: a day (2026-10-01), a moment (2026-10-01T08:00:00Z) or an age (40d).
    ///
    /// However old, what is pending, authorized or subscribed to is compared, too.
    #[arg(long, value_name = "WHEN", default_value = "90d", value_parser = parse_since)]
    since: Since,
    /// Ask about each payment, even where the gateway lists its own: finds those that it does not know.
    #[arg(long)]
    each: bool,
    /// How many requests a second, at the most.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    per_second: u32,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    common: Common,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    At(Timestamp),
    Days(i64),
}

fn parse_since(text: &str) -> Result<Since, String> {
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u16>().ok()) {
        return Ok(Since::Days(i64::from(days)));
    }
    let moment = parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}T00:00:00Z")));
    moment.map(Since::At).ok_or_else(|| "expected a day, a moment or an age, like 2026-10-01 or 40d".to_owned())
}

impl DriftArgs {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        let engine = payments.engine();
        let names = if self.variants.is_empty() {
            engine.able_variants(|variant| Comparable::of(variant).is_ok()).await?
        } else {
            self.variants.clone()
        };
        if names.is_empty() {
            return Err(Error::new(ErrorKind::Refused, "no variant here has a gateway that can be asked"));
        }
        let since = match self.since {
            Since::At(at) => at,
            Since::Days(days) => engine.now() - time::Duration::days(days),
        };
        let heading = ["variant", "what", "name", "value", "here", "at the gateway", "what was done", "where"];
        let mut table = Table::new(&heading);
        let (mut all, mut lines, mut is_left) = (Vec::new(), Vec::new(), false);
        for name in names {
            let query = DriftQuery::new(&name).since(since).per_second(self.per_second);
            let query = if self.each { query.each() } else { query };
            let repairer = (!self.acting.dry_run).then(|| Requester::Operator(self.acting.actor()));
            let drift = engine.drift(query, repairer).await?;
            let link = |it: &Difference| {
                engine.link_of_difference(&name, it.subject, &it.name, |path| link(payments, path)).unwrap_or_default()
            };
            drift.differences.iter().for_each(|it| rows(&mut table, &name, it, &link(it)));
            let left = drift.differences.iter().filter(|it| it.repaired != Some(Ok(Outcome::Done))).count();
            is_left |= left + drift.unanswered.len() > 0;
            lines.push(below(&name, &drift));
            all.push(json(&name, &drift, link));
        }
        // The process ends before the counters would be written by themselves.
        engine.flush().await;
        let table = table.below(Some(lines.join("\n")));
        Ok(Output::table(self.common.json, table, || json!({ "compared": all })).found(is_left))
    }
}

/// A row for each value that differs.
fn rows(table: &mut Table, variant: &str, it: &Difference, link: &str) {
    for value in &it.values {
        let cells = [variant, it.subject.as_str(), &it.name, &value.field, &value.ours, &value.theirs, &done(it), link];
        table.row(cells.map(str::to_owned));
    }
}

fn done(it: &Difference) -> String {
    match &it.repaired {
        None => "compared".to_owned(),
        Some(Ok(Outcome::Done)) => "repaired".to_owned(),
        Some(Ok(Outcome::Underway)) => "asked; a worker asks again".to_owned(),
        Some(Err(why)) => format!("not repaired: {why}"),
    }
}

fn below(variant: &str, drift: &Drift) -> String {
    let Drift { compared, differences, unanswered } = drift;
    let mut text = format!("{variant}: {compared} compared, {} differ.", differences.len());
    if let Some(why) = unanswered.first() {
        text += &format!(" {} could not be compared, the first: {why}", unanswered.len());
    }
    text
}

fn json(variant: &str, drift: &Drift, link: impl Fn(&Difference) -> String) -> Value {
    let difference = |it: &Difference| {
        let values: Vec<Value> = it
            .values
            .iter()
            .map(|value| json!({ "field": value.field, "ours": value.ours, "theirs": value.theirs }))
            .collect();
        json!({ "what": it.subject.as_str(), "name": it.name, "values": values, "done": done(it), "link": link(it) })
    };
    let differing: Vec<Value> = drift.differences.iter().map(difference).collect();
    json!({
        "variant": variant, "compared": drift.compared, "differing": differing, "unanswered": drift.unanswered,
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_beginning_is_a_day_a_moment_or_an_age() {
        assert_eq!(parse_since("40d"), Ok(Since::Days(40)));
        assert_eq!(parse_since("2026-10-01"), Ok(Since::At(datetime!(2026-10-01 0:00 UTC))));
        assert_eq!(parse_since("2026-10-01T08:00:00+02:00"), Ok(Since::At(datetime!(2026-10-01 6:00 UTC))));
        assert!(parse_since("soon").is_err() && parse_since("-3d").is_err());
    }
}

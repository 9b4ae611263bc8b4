//! `events`: the list of the admin, and one event with what became of it.

use clap::Args;
use serde_json::{Value, json};

use super::options::Common;
use super::output::{Output, Table, json_time, moment};
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::domain::scope::Scope;
use crate::error::{Error, ErrorKind};
use crate::payments::Payments;
use crate::reports::{EventStory, EventView, Place};
use crate::store::filters::EventFilter;
use crate::store::rows::EventRow;

#[derive(Debug, Clone, Args)]
pub struct Events {
    /// Show the event with this number instead.
    id: Option<i64>,
    #[command(flatten)]
    chosen: ChosenEvents,
    /// How many at the most, 1 to 1000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Go on after this event, as the last answer said.
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    #[command(flatten)]
    common: Common,
}

/// Which events.
#[derive(Debug, Clone, Args)]
pub(super) struct ChosenEvents {
    /// Those in this state: available, running, retryable, parked, completed, ignored or discarded.
    #[arg(long, value_parser = state)]
    state: Option<EventState>,
    /// Those of this variant.
    #[arg(long)]
    variant: Option<String>,
    /// Those of this kind, or whose kind begins so where it ends with *.
    #[arg(long)]
    kind: Option<String>,
    /// Those with this gateway's id, reference, or payment.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

fn state(word: &str) -> Result<EventState, String> {
    EventState::parse(word).ok_or_else(|| {
        let all: Vec<&str> = EventState::ALL.iter().map(|state| state.as_str()).collect();
        format!("expected one of {}", all.join(", "))
    })
}

impl ChosenEvents {
    /// Whether nothing is said, so that all would be meant.
    pub(super) fn is_all(&self) -> bool {
        self.state.is_none() && self.variant.is_none() && self.kind.is_none() && self.search.is_none()
    }

    pub(super) fn view(&self) -> EventView {
        let filter = EventFilter {
            state: self.state,
            variant: self.variant.clone(),
            kind: self.kind.clone(),
            ..EventFilter::default()
        };
        EventView { filter, search: self.search.clone() }
    }
}

impl Events {
    pub(super) async fn run(self, payments: &Payments) -> Result<Output, Error> {
        if let Some(id) = self.id {
            let unknown = || Error::new(ErrorKind::NotFound, format!("there is no event {id}"));
            let story = payments.engine().event_story(EventId(id), Scope::All).await?.ok_or_else(unknown)?;
            return Ok(one(self.common.json, &story));
        }
        let place = self.after.map(|id| Place { id, back: false, with: false });
        let page = payments.engine().event_page(self.chosen.view(), place, usize::from(self.limit)).await?;
        let further = page.further.map(|place| place.id);
        let below = further.map(|id| format!("More with --after {id}"));
        Ok(list(self.common.json, &page.rows, below, further))
    }
}

/// A table of events.
pub(super) fn list(json: bool, rows: &[EventRow], below: Option<String>, further: Option<i64>) -> Output {
    let mut table = Table::new(&["id", "received", "state", "variant", "kind", "outcome"]);
    for row in rows {
        table.row([
            row.id.to_string(),
            moment(row.received_at),
            row.state.as_str().to_owned(),
            row.variant.clone(),
            row.kind.clone(),
            row.outcome.clone().unwrap_or_default(),
        ]);
    }
    let value = || json!({ "events": rows.iter().map(value).collect::<Vec<_>>(), "next": further });
    Output::table(json, table.below(below), value)
}

pub(super) fn value(row: &EventRow) -> Value {
    json!({
        "id": row.id.0, "variant": row.variant, "gateway_event_id": row.gateway_event_id, "kind": row.kind,
        "source": row.source.as_str(), "state": row.state.as_str(), "outcome": row.outcome,
        "livemode": row.livemode, "occurred_at": json_time(row.occurred_at),
        "received_at": json_time(Some(row.received_at)), "finished_at": json_time(row.finished_at),
        "due_at": json_time(row.due_at), "deliveries": row.deliveries, "attempts": row.attempts,
    })
}

fn one(json: bool, story: &EventStory) -> Output {
    let row = &story.event;
    let said = match &story.said {
        Ok(said) => said.summary.clone(),
        Err(why) => format!("not known: {why}"),
    };
    let mut table = Table::new(&["", ""]);
    let mut line = |name: &str, text: String| table.row([name.to_owned(), text]);
    line("event", format!("{} {}", row.id, row.gateway_event_id));
    line("variant", row.variant.clone());
    line("kind", row.kind.clone());
    line("state", row.state.as_str().to_owned());
    line("outcome", row.outcome.clone().unwrap_or_default());
    line("received", moment(row.received_at));
    line("payment", story.payment.as_ref().map(|it| it.token.clone()).unwrap_or_default());
    line("says", said.clone());
    for attempt in &story.attempts {
        let error = attempt.error.as_deref().unwrap_or_default();
        line("attempt", format!("{} {} {error}", moment(attempt.started_at), attempt.handler));
    }
    let value = || {
        let mut all = value(row);
        all["payment"] = json!(story.payment.as_ref().map(|it| &it.token));
        all["says"] = json!(said);
        all["references"] = json!(story.references);
        let attempts = story.attempts.iter().map(
            |it| json!({ "handler": it.handler, "started_at": json_time(Some(it.started_at)), "error": it.error }),
        );
        all["tries"] = attempts.collect();
        all
    };
    Output::table(json, table, value)
}

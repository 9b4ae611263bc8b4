//! How does an operator act on many events? The ticked rows of the list, or all that match its filter: what exactly
//! will change is said first, and said again when it is no longer so.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::events::view;
use crate::admin::asked::Asked;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::badge::straight;
use crate::admin::views::confirm::{Confirm, ConfirmRow, Done};
use crate::admin::views::parts::{Badge, Link};
use crate::admin::views::words::grouped;
use crate::acts::{BULK_LIMIT, Bulk, Chosen, Sample, Tally};
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::reports::EventView;
use crate::store::rows::EventRow;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::act("events/bulk", |visit| Box::pin(ask(visit))).scoped()];

/// What a form of the list asks for.
struct Wish {
    bulk: Bulk,
    /// The ticked rows; `None` for all that match the filter.
    ids: Option<Vec<EventId>>,
    /// The list's query.
    view: String,
}

impl Wish {
    /// Buttons say `requeue`, `requeue-all`, `discard` or `discard-all`.
    fn of(form: &Fields) -> Option<Self> {
        let act = form.get("act")?;
        let (word, all) = act.strip_suffix("-all").map_or((act.as_str(), false), |word| (word, true));
        let bulk = [Bulk::Requeue, Bulk::Discard].into_iter().find(|bulk| bulk.as_str() == word)?;
        let ids = (!all).then(|| form.all("id").filter_map(|id| id.parse().ok().map(EventId)).collect());
        Some(Self { bulk, ids, view: form.get("view").unwrap_or_default() })
    }

    fn chosen(&self, visit: &Visit, highest: Option<EventId>) -> Chosen {
        match &self.ids {
            Some(ids) => Chosen::Ids(ids.clone(), visit.scope()),
            None => Chosen::All(self.listed(visit, &mut Asked::from(Fields::parse(&self.view))), highest),
        }
    }

    /// The events of the list.
    fn listed(&self, visit: &Visit, asked: &mut Asked) -> EventView {
        view(asked, &visit.frame(), &visit.scope())
    }

    fn back(&self, frame: &Frame) -> Link {
        let query = if self.view.is_empty() { String::new() } else { format!("?{}", self.view) };
        Link::new("Events", frame.href(&format!("events{query}")))
    }

    /// The fields with which the page asks for the same again.
    fn fields(&self, sample: &Sample) -> Vec<(String, String)> {
        let all = if self.ids.is_none() { "-all" } else { "" };
        let mut fields = vec![
            ("act".to_owned(), format!("{}{all}", self.bulk.as_str())),
            ("view".to_owned(), self.view.clone()),
            ("count".to_owned(), sample.changing().to_string()),
            ("states".to_owned(), states(sample)),
            ("highest".to_owned(), sample.highest.map(|id| id.to_string()).unwrap_or_default()),
        ];
        fields.extend(self.ids.iter().flatten().map(|id| ("id".to_owned(), id.to_string())));
        fields
    }
}

async fn ask(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let wish = Wish::of(&visit.form).ok_or(Failure::NotFound("There is no such act."))?;
    let mut asked = Asked::from(Fields::parse(&wish.view));
    let is_filtered = wish.listed(&visit, &mut asked).is_filtered();
    // What can't be read would be left out, and more events meant than anybody saw.
    if let Some(problem) = asked.problem() {
        return Err(Failure::Refused(format!("The filter can't be read; {problem}.")));
    }
    if wish.ids.is_none() && !is_filtered {
        return Err(Failure::Refused("Filter the list first: these buttons never mean every event.".to_owned()));
    }
    let number = |name: &str| visit.form.get(name).and_then(|text| text.parse::<i64>().ok());
    let (highest, confirmed) = (number("highest").map(EventId), number("count").and_then(|count| usize::try_from(count).ok()));
    let sample = visit.engine().sample(wish.bulk, wish.chosen(&visit, highest)).await?;
    if let Some((title, text)) = impossible(&wish, &sample) {
        return Ok(frame.notice(StatusCode::CONFLICT, title, &text));
    }
    if confirmed != Some(sample.changing()) || visit.form.get("states") != Some(states(&sample)) {
        return Ok(frame.render(&question(&visit, &wish, &sample, confirmed)));
    }
    let tally = visit.engine().bulk(wish.bulk, wish.chosen(&visit, highest), visit.actor()).await?;
    Ok(frame.render(&done(&frame, &wish, &tally)))
}

fn impossible(wish: &Wish, sample: &Sample) -> Option<(&'static str, String)> {
    match (sample.count, &wish.ids) {
        (0, Some(_)) => Some(("Nothing is ticked", "Go back and tick the events that you mean.".to_owned())),
        (0, None) => Some(("No events match", "No event matches the filter any more.".to_owned())),
        (count, _) if count > BULK_LIMIT => {
            let limit = grouped(&BULK_LIMIT.to_string());
            Some(("Too many events", format!("More than {limit} events match. Narrow the filter and try again.")))
        }
        _ if sample.changing() == 0 => Some(("Nothing would change", staying(&sample.stays).join(" "))),
        _ => None,
    }
}

/// How many would change in each state, in a field of the form.
fn states(sample: &Sample) -> String {
    sample.changes.iter().map(|(state, count)| format!("{state} {count}")).collect::<Vec<_>>().join(", ")
}

/// How many stay as they are, a sentence for each reason.
fn staying(reasons: &BTreeMap<&'static str, usize>) -> Vec<String> {
    let sentence = |(why, count): (&&str, &usize)| {
        let stay = if *count == 1 { "stays as it is" } else { "stay as they are" };
        format!("{} {stay}: {why}", events(*count))
    };
    reasons.iter().map(sentence).collect()
}

fn question(visit: &Visit, wish: &Wish, sample: &Sample, confirmed: Option<usize>) -> Confirm {
    let frame = &visit.frame();
    let (verb, meaning, icon) = match wish.bulk {
        Bulk::Requeue => (
            "Requeue",
            "A worker runs each of them again, from its first attempt. Handlers that are done do not run again.",
            "retry",
        ),
        Bulk::Discard => (
            "Discard",
            "Each is given up until somebody requeues it.",
            "stop",
        ),
    };
    let what = events(sample.changing());
    let changed = confirmed.map(|count| match events(count) {
        before if before == what => "Their states have changed in the meantime.".to_owned(),
        before => format!("It changed in the meantime: it was {before} and is {what} now."),
    });
    let beside = sample.changing() - sample.rows.len();
    let badge = |word: &str| EventState::parse(word).map(Badge::from);
    Confirm {
        page: frame.page(&format!("{verb} {what}"), "events"),
        back: wish.back(frame),
        question: format!("{verb} {what}?"),
        meaning,
        changes: sample.changes.iter().filter_map(|(state, count)| Some((badge(state)?, events(*count)))).collect(),
        stays: staying(&sample.stays),
        changed,
        button: format!("{verb} {what}"),
        icon,
        action: frame.href("events/bulk"),
        fields: wish.fields(sample),
        rows: sample.rows.iter().map(|event| row(visit, frame, event)).collect(),
        more: (beside > 0).then(|| format!("and {beside} more")),
    }
}

fn row(visit: &Visit, frame: &Frame, event: &EventRow) -> ConfirmRow {
    let shown = |outcome: &str| straight(&visit.shown(&event.variant, outcome));
    ConfirmRow {
        state: event.state.into(),
        event: Link::new(&event.kind, frame.href(&format!("events/{}", event.id))),
        outcome: event.outcome.as_deref().map(shown).unwrap_or_else(|| "waits for a worker".to_owned()),
        received: frame.moment(event.received_at),
    }
}

fn done(frame: &Frame, wish: &Wish, tally: &Tally) -> Done {
    let verb = if wish.bulk == Bulk::Requeue { "requeued" } else { "discarded" };
    let were = if tally.done == 1 { "was" } else { "were" };
    let title = format!("{} {were} {verb}", events(tally.done));
    Done { page: frame.page(&title, "events"), back: wish.back(frame), title, sentences: staying(&tally.refused) }
}

fn events(count: usize) -> String {
    format!("{} event{}", grouped(&count.to_string()), if count == 1 { "" } else { "s" })
}

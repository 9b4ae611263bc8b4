//! What would an event do now, before it is requeued? Open to all who may look: it changes nothing.

use actix_web::HttpResponse;

use super::event::{fact_row, id, requeue_act};
use super::rebuild::states;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::compare::Compare;
use crate::admin::views::dry_run::DryRun;
use crate::admin::views::event::{Explain, ReferenceRow};
use crate::admin::views::parts::{Change, Code, Link};
use crate::domain::event::EventState;
use crate::reports::Forecast;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("events/{id}/dry-run", |visit| Box::pin(show(visit)))];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let forecast = visit.engine().dry_run(id(&visit)?).await?;
    let event = &forecast.event;
    let page = DryRun {
        page: frame.page(&format!("Dry run of {}", event.kind), "events"),
        back: Link::new("The event", frame.href(&format!("events/{}", event.id))),
        kind: event.kind.clone(),
        state: event.state.into(),
        end: forecast.state.into(),
        due: forecast.due_at.map(|at| frame.moment(at)),
        explain: explain(&visit, &frame, &forecast),
        compare: forecast.change.as_ref().map(|change| Compare {
            caption: "The payment before and after the event",
            sides: ["Now", "After it"],
            rows: states(&change.before, &change.after),
        }),
        besides: besides(&forecast),
        handlers: forecast.handlers.iter().map(|due| (due.name.clone(), when(due.in_transaction))).collect(),
        acts: if visit.may_act() { vec![requeue_act(&frame, event, true)] } else { Vec::new() },
    };
    Ok(frame.render(&page))
}

fn when(in_transaction: bool) -> &'static str {
    if in_transaction { "in the transaction; it could refuse" } else { "after the commit" }
}

fn explain(visit: &Visit, frame: &Frame, forecast: &Forecast) -> Explain {
    let change = forecast.change.as_ref();
    let matched_by = |text: &String| forecast.matched_by.as_ref() == Some(text);
    let steps = change.filter(|change| change.before.status != change.after.status);
    let shown = |text: &str| visit.shown(&forecast.event.variant, text);
    let outcome = shown(&forecast.outcome);
    let before = told_before(forecast);
    let why = match (steps, change) {
        _ if before => "The status would stay: the event did this when it was first processed.",
        (Some(_), _) => "The step would be recorded with the outcome above as its cause.",
        (None, Some(change)) if change.is_step => "The status would stay, but a flag or a concern beside it would change.",
        (None, Some(_)) => "The status would stay: the outcome above says which rule stops it.",
        (None, None) => "No payment would change.",
    };
    Explain {
        outcome: if before { format!("Done before: {outcome}") } else { outcome },
        code: Some(forecast.code.to_owned()),
        summary: forecast.summary.as_deref().map(shown).unwrap_or_default(),
        references: forecast
            .references
            .iter()
            .map(|text| ReferenceRow { code: Code::new(text, "reference"), matched: matched_by(text) })
            .collect(),
        // A payment that would only be made by this event has no page yet.
        payment: change.filter(|_| forecast.matched_by.is_some()).map(|change| {
            let token = &change.payment.token;
            Link::new(token, frame.href(&format!("payments/{token}")))
        }),
        matched: matched(forecast),
        facts: change.iter().flat_map(|change| &change.effects).map(|(fact, made)| fact_row(fact, Some(*made))).collect(),
        change: steps.map(|change| Change::of(change.before.status, change.after.status)),
        change_why: why.to_owned(),
        ..Explain::default()
    }
}

/// Whether the outcome tells of an earlier attempt's step, which this one would not take again.
fn told_before(forecast: &Forecast) -> bool {
    let Some(change) = &forecast.change else { return false };
    !change.is_step && change.earlier.as_ref() == Some(&forecast.outcome)
}

fn matched(forecast: &Forecast) -> String {
    match (&forecast.matched_by, &forecast.change, forecast.state) {
        (Some(by), ..) => format!("it would be found by {by}"),
        (None, Some(_), _) => "no payment bears one of its references, so one would be made from it (adopted)".to_owned(),
        (None, None, EventState::Parked) => "no payment bears one of its references yet, so it would wait".to_owned(),
        (None, None, EventState::Ignored) => "it would be about no payment here".to_owned(),
        (None, None, _) => "it would find none".to_owned(),
    }
}

fn besides(forecast: &Forecast) -> Vec<String> {
    let Some(change) = &forecast.change else { return Vec::new() };
    let absorbed = change.absorbed.iter().map(|token| format!("The adopted payment {token} would turn out to be this one."));
    let woken = (change.woken > 0).then(|| match change.woken {
        1 => "One event that waits would be processed again.".to_owned(),
        many => format!("{many} events that wait would be processed again."),
    });
    absorbed.chain(woken).collect()
}

//! What is one event, what became of it, and why?

use actix_web::HttpResponse;

use super::payment::amount;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::badge::spaced;
use crate::admin::views::event::{AttemptRow, DeliveryInfo, Event, Explain, FactRow, ReferenceRow};
use crate::admin::views::page::Flash;
use crate::admin::views::parts::{Act, Badge, Change, Code, Link};
use crate::admin::views::{json, words};
use crate::domain::event::EventState;
use crate::domain::payment::Status;
use crate::payments::EventStory;
use crate::store::rows;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("events/{id}", |visit| Box::pin(show(visit))),
    Route::act("events/{id}/requeue", |visit| Box::pin(requeue(visit))),
];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let story = visit.payments.event_story(id(&visit)?).await?;
    let story = story.ok_or(Failure::NotFound("There is no event with this number."))?;
    let (body, body_note) = body(&visit, &story);
    let state = EventState::parse(&story.event.state);
    let mut around = frame.page(&story.event.kind, "events");
    if Fields::of(&visit.req).get("done").as_deref() == Some("requeue") {
        around.flash = Some(Flash::done("Requeued: the next worker takes it up. Handlers that are done stay done."));
    }
    let page = Event {
        page: around,
        back: Link::new("Events", frame.href("events")),
        kind: story.event.kind.clone(),
        state: state.map_or_else(|| Badge::new(&story.event.state, "neutral", "dot"), Badge::from),
        mode: Badge::mode(story.event.livemode),
        acts: if visit.may_act() { vec![requeue_act(&frame, &story, state)] } else { Vec::new() },
        explain: explain(&frame, &story),
        delivery: delivery(&frame, &story.event),
        attempts: story.attempts.iter().map(|run| attempt(&frame, run)).collect(),
        body,
        body_note,
        headers: headers(&visit, &story),
    };
    Ok(frame.render(&page))
}

async fn requeue(visit: Visit) -> Result<HttpResponse, Failure> {
    let id = id(&visit)?;
    visit.payments.requeue(id, visit.actor()).await?;
    Ok(respond::see(&visit.frame().href(&format!("events/{id}?done=requeue"))))
}

fn id(visit: &Visit) -> Result<i64, Failure> {
    visit.part("id").parse().map_err(|_| Failure::NotFound("There is no event with this number."))
}

fn requeue_act(frame: &Frame, story: &EventStory, state: Option<EventState>) -> Act {
    let why_not = match state {
        Some(EventState::Running) => Some("It is running; it can be requeued when it is done."),
        Some(EventState::Available) => Some("It waits for a worker already."),
        _ if story.body.is_none() => Some("Its body was pruned, so it can't be read again."),
        _ => None,
    };
    Act {
        label: "Requeue".to_owned(),
        icon: "retry",
        action: frame.href(&format!("events/{}/requeue", story.event.id)),
        fields: Vec::new(),
        why_not: why_not.map(str::to_owned),
    }
}

fn explain(frame: &Frame, story: &EventStory) -> Explain {
    let event = &story.event;
    let (summary, facts) = match &story.facts {
        Ok((summary, facts)) => (summary.clone(), facts.as_slice()),
        Err(why) => (why.clone(), &[][..]),
    };
    let step = story.transitions.last();
    let word = |word: &str| Status::parse(word).unwrap_or(Status::Pending);
    let payment = story.payment.as_ref();
    Explain {
        outcome: event.outcome.clone().unwrap_or_else(|| "It waits for a worker.".to_owned()),
        code: event.outcome_code.clone(),
        summary,
        secret: event.secret.clone(),
        skew: event.skew_seconds.map(words::skew),
        references: story.references.iter().map(|text| reference(event, text)).collect(),
        payment: payment.map(|p| Link::new(&p.token, frame.href(&format!("payments/{}", p.token)))),
        matched: match (payment, &event.matched_by) {
            (Some(_), Some(by)) => format!("found by {by}"),
            (Some(_), None) => "linked".to_owned(),
            (None, _) if event.state == EventState::Parked.as_str() => {
                "no payment bears one of its references yet".to_owned()
            }
            (None, _) => "it is about no payment here".to_owned(),
        },
        facts: facts
            .iter()
            .map(|fact| FactRow {
                aspect: spaced(fact.aspect.as_str()),
                object: fact.gateway_ref.clone(),
                state: fact.state.into(),
                amount: amount(fact),
                effect: effect(story, fact),
            })
            .collect(),
        change: step
            .map(|step| (word(&step.from_status), word(&step.to_status)))
            .filter(|(from, to)| from != to)
            .map(|(from, to)| Change::of(from, to)),
        change_why: match step {
            Some(step) => step.cause.clone(),
            None => "It changed no status: what became of it says why.".to_owned(),
        },
    }
}

/// What the ledger made of a fact.
fn effect(story: &EventStory, fact: &crate::domain::fact::Fact) -> String {
    let kept = story.ledger.iter().find(|kept| kept.aspect == fact.aspect && kept.gateway_ref == fact.gateway_ref);
    match kept {
        None => "not in a ledger".to_owned(),
        Some(kept) if kept.event_id == fact.event_id => "in the ledger".to_owned(),
        Some(kept) if kept.state == fact.state => "known from another event".to_owned(),
        Some(kept) => format!("outranked by {}", spaced(kept.state.as_str())),
    }
}

fn reference(event: &rows::EventRow, text: &str) -> ReferenceRow {
    ReferenceRow { code: Code::new(text, "reference"), matched: event.matched_by.as_deref() == Some(text) }
}

fn delivery(frame: &Frame, event: &rows::EventRow) -> DeliveryInfo {
    let waits = [EventState::Retryable, EventState::Parked].map(EventState::as_str).contains(&event.state.as_str());
    DeliveryInfo {
        id: Code::new(&event.gateway_event_id, "event id"),
        variant: event.variant.clone(),
        source: event.source.clone(),
        occurred: event.occurred_at.map(|at| frame.moment(at)),
        received: frame.moment(event.received_at),
        deliveries: event.deliveries.to_string(),
        last_delivered: (event.deliveries > 1).then(|| frame.moment(event.last_delivered_at)),
        next_attempt: event.due_at.filter(|_| waits).map(|at| frame.moment(at)),
        account: event.account.clone(),
        api_version: event.api_version.clone(),
    }
}

fn attempt(frame: &Frame, run: &rows::AttemptRow) -> AttemptRow {
    let took = (run.finished_at - run.started_at).whole_milliseconds();
    AttemptRow {
        handler: run.handler.clone(),
        outcome: Badge::attempt(&run.outcome),
        number: run.attempt.to_string(),
        error: run.error.clone(),
        took: (took > 0).then(|| format!("{took} ms")),
        started: frame.moment(run.started_at),
    }
}

fn body(visit: &Visit, story: &EventStory) -> (Option<String>, String) {
    match &story.body {
        None => (None, "pruned".to_owned()),
        Some((_, body)) => {
            let text = String::from_utf8_lossy(body);
            let shown = visit.redacted("body", &story.event.variant, &text);
            (Some(json::pretty(&shown)), format!("{} bytes", body.len()))
        }
    }
}

/// The header fields that were kept, as the host wants them shown.
fn headers(visit: &Visit, story: &EventStory) -> Vec<(String, String)> {
    let kept = story.body.as_ref().map(|(headers, _)| headers.as_str()).unwrap_or_default();
    let kept: serde_json::Map<String, serde_json::Value> = serde_json::from_str(kept).unwrap_or_default();
    let shown = |(name, value): (String, serde_json::Value)| {
        let text = value.as_str().unwrap_or_default();
        let shown = visit.redacted(&format!("header:{name}"), &story.event.variant, text).into_owned();
        (name, shown)
    };
    kept.into_iter().map(shown).collect()
}

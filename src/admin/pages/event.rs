//! What is one event, what became of it, and why?

use actix_web::HttpResponse;

use super::act_entries;
use crate::domain::delivery::is_secret_header;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::badge::straight;
use crate::admin::views::event::{
    AttemptRow, Body, DeliveryInfo, Event, Explain, FactRow, FetchInfo, PrunedAt, ReferenceRow,
};
use crate::admin::views::curl;
use crate::admin::views::json::{self, Tree};
use crate::admin::views::page::Flash;
use crate::admin::views::parts::{Act, Amount, Badge, Change, Code, Link};
use crate::admin::views::words;
use crate::domain::event::{EventState, Source};
use crate::domain::fact::{Fact, State};
use crate::domain::ledger::Effect;
use crate::domain::id::EventId;
use crate::domain::payment::register_words;
use crate::acts::{PRUNED, why_no_discard, why_no_requeue};
use crate::reports::{EventStory, FetchStory};
use crate::store::bodies::Differing;
use crate::store::rows;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("events/{id}", |visit| Box::pin(show(visit))),
    Route::act("events/{id}/requeue", |visit| Box::pin(requeue(visit))),
    Route::act("events/{id}/discard", |visit| Box::pin(discard(visit))),
];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let story = visit.engine().event_story(id(&visit)?, visit.scope()).await?;
    let story = story.ok_or(Failure::NotFound("There is no event with this number."))?;
    let mut around = frame.page(&story.event.kind, "events");
    let fields = Fields::of(&visit.req);
    around.flash = flash(fields.get("done").as_deref());
    let event = &story.event;
    let page = Event {
        page: around,
        back: frame.back(&fields.opened_from(("events", "Events"), &[])),
        kind: event.kind.clone(),
        state: event.state.into(),
        mode: Badge::mode(event.livemode),
        dry_run: story.body.is_some().then(|| frame.href(&format!("events/{}/dry-run", event.id))),
        acts: if visit.may_act() { acts(&visit, &story) } else { Vec::new() },
        explain: explain(&visit, &frame, &story),
        delivery: delivery(&frame, event, story.differing.as_ref()),
        note: act_entries::form(&visit, &format!("events/{}", event.id)),
        history: story.acts.iter().map(|act| act_entries::entry(&frame, act, None)).collect(),
        attempts: story.attempts.iter().map(|run| attempt(&visit, &event.variant, run)).collect(),
        pruned: story.pruned.map(|pruned| PrunedAt {
            at: frame.moment(pruned.pruned_at),
            kept: (pruned.kept_seconds > 0).then(|| words::span(pruned.kept_seconds.unsigned_abs())),
        }),
        curl: curl(&visit, &story).await,
        body: body(&visit, &story),
        headers: headers(&visit, &story),
    };
    Ok(frame.render(&page))
}

/// What an act that led here did.
fn flash(done: Option<&str>) -> Option<Flash> {
    Some(Flash::done(match done? {
        "requeue" => "Requeued: a worker runs it again soon. Handlers that are done do not run again.",
        "discard" => "Discarded: no worker runs it. Requeue it to bring it back.",
        "rebuild" => "Ordered: the next worker rebuilds the payment; this event says what came of it.",
        _ => return None,
    }))
}

async fn requeue(visit: Visit) -> Result<HttpResponse, Failure> {
    let id = id(&visit)?;
    visit.engine().requeue(id, visit.actor()).await?;
    Ok(respond::see(&visit.staying(&format!("events/{id}?done=requeue"))))
}

async fn discard(visit: Visit) -> Result<HttpResponse, Failure> {
    let id = id(&visit)?;
    visit.engine().discard(id, visit.actor()).await?;
    Ok(respond::see(&visit.staying(&format!("events/{id}?done=discard"))))
}

pub(super) fn id(visit: &Visit) -> Result<EventId, Failure> {
    let no_number = |_| Failure::NotFound("There is no event with this number.");
    visit.part("id").parse().map(EventId).map_err(no_number)
}

fn acts(visit: &Visit, story: &EventStory) -> Vec<Act> {
    let (event, fields) = (&story.event, Fields::of(&visit.req));
    let discard = Act {
        label: "Discard".to_owned(),
        icon: "stop",
        action: visit.staying(&format!("events/{}/discard", event.id)),
        fields: Vec::new(),
        why_not: why_no_discard(event).map(str::to_owned),
    };
    let requeue = requeue_act(&visit.frame(), event, story.body.is_some());
    vec![Act { action: fields.staying(&requeue.action), ..requeue }, discard]
}

pub(super) fn requeue_act(frame: &Frame, event: &rows::EventRow, readable: bool) -> Act {
    let why_not = why_no_requeue(event.state).or((!readable).then_some(PRUNED));
    Act {
        label: "Requeue".to_owned(),
        icon: "retry",
        action: frame.href(&format!("events/{}/requeue", event.id)),
        fields: Vec::new(),
        why_not: why_not.map(str::to_owned),
    }
}

fn explain(visit: &Visit, frame: &Frame, story: &EventStory) -> Explain {
    let event = &story.event;
    let (summary, facts) = match &story.said {
        Ok(said) => (&said.summary, said.facts.as_slice()),
        Err(why) => (why, &[][..]),
    };
    let shown = |text: &str| visit.shown(&event.variant, text);
    let step = story.transitions.last();
    let of_subscription = story.subscription_steps.last();
    let payment = story.payment.as_ref();
    Explain {
        outcome: match &event.outcome {
            Some(outcome) => frame.with_next_attempt(&straight(&shown(outcome)), event),
            None => "It waits for a worker.".to_owned(),
        },
        code: event.outcome_code.clone(),
        summary: shown(summary),
        unsigned: (event.source == Source::Operator).then_some("An operator's act in these pages, so none."),
        secret: event.secret.clone(),
        skew: event.skew_seconds.map(words::skew),
        references: story.references.iter().map(|text| reference(event, text)).collect(),
        payment: payment.map(|p| Link::new(&p.token, frame.href(&format!("payments/{}", p.token)))),
        subscription: story.subscription.as_ref().map(|subscription| {
            let text = subscription.gateway_ref.as_deref().unwrap_or(&subscription.token);
            Link::new(text, frame.href(&format!("subscriptions/{}", subscription.token)))
        }),
        matched: match (payment, &event.matched_by) {
            (Some(_), Some(by)) => format!("found by {by}"),
            (Some(_), None) => "linked".to_owned(),
            (None, _) if story.fetch.is_some() && event.state == EventState::Parked => {
                "the gateway's answer will say which one".to_owned()
            }
            (None, _) if event.state == EventState::Parked => {
                "no payment bears one of its references yet".to_owned()
            }
            (None, _) => "it is about no payment here".to_owned(),
        },
        facts: facts.iter().map(|(fact, effect)| fact_row(fact, *effect)).collect(),
        change: step.map_or_else(
            || of_subscription.and_then(|step| change(step.from_status, step.to_status)),
            |step| change(step.from_status, step.to_status),
        ),
        fetch: story.fetch.as_ref().map(|asked| fetch(visit, frame, asked)),
        answers_to: story.answers_to.iter().map(|event| link(frame, event)).collect(),
        change_why: match (step, of_subscription) {
            (Some(step), _) => shown(&step.cause),
            (None, Some(step)) => shown(&step.cause),
            (None, None) => "It changed no status: what became of it says why.".to_owned(),
        },
    }
}

/// What the gateway is asked to show, and how far that is.
fn fetch(visit: &Visit, frame: &Frame, story: &FetchStory) -> FetchInfo {
    let FetchStory { fetch, answers, cannot, is_waiting } = story;
    let tries = tries(fetch.attempts);
    let outcome = fetch.outcome.as_deref().map(|outcome| visit.shown(&fetch.variant, outcome));
    let words = match (cannot, fetch.finished_at, outcome) {
        (Some(why), None, _) => format!("It waits until the gateway can be asked: {why}."),
        (None, None, Some(outcome)) => format!("It waits for the gateway's answer. After {tries}: {outcome}."),
        (None, None, None) => "It waits for the gateway's answer.".to_owned(),
        (_, Some(_), _) if !answers.is_empty() && *is_waiting => {
            "The gateway has answered. It waits until that is in the ledger.".to_owned()
        }
        (_, Some(_), Some(outcome)) => format!("After {tries}: {outcome}."),
        (_, Some(_), None) => format!("Ended after {tries}."),
    };
    let is_open = fetch.finished_at.is_none() && cannot.is_none();
    FetchInfo {
        object: format!("{} {}", fetch.object_type, fetch.gateway_ref),
        state: fetch.state.into(),
        words: straight(&words),
        next: fetch.due_at.filter(|_| is_open).map(|at| frame.moment(at)),
        answers: answers.iter().map(|event| link(frame, event)).collect(),
    }
}

fn tries(attempts: i64) -> String {
    if attempts == 1 { "one try".to_owned() } else { format!("{attempts} tries") }
}

fn link(frame: &Frame, event: &rows::EventRow) -> Link {
    Link::new(format!("{} {}", event.kind, event.gateway_event_id), frame.href(&format!("events/{}", event.id)))
}

/// A step from one status to another, if they differ.
fn change<S: Copy + PartialEq + Into<Badge>>(from: S, to: S) -> Option<Change> {
    (from != to).then(|| Change { from: from.into(), to: to.into() })
}

/// A fact, and what the ledger made of it, where that is on record.
pub(super) fn fact_row(fact: &Fact, effect: Option<Effect>) -> FactRow {
    let (aspect, object) = register_words(fact);
    let word = |held: State| Badge::from(&Fact { state: held, ..fact.clone() }).word;
    FactRow {
        aspect,
        object: object.map(str::to_owned),
        state: fact.into(),
        amount: Amount::of(fact),
        effect: match effect {
            None => "not on record".to_owned(),
            Some(Effect::New) => "new to the ledger".to_owned(),
            Some(Effect::Replaced(held)) => format!("in place of {}", word(held)),
            Some(Effect::Known) => "already known".to_owned(),
            Some(Effect::Older(held) | Effect::Outranked(held)) if held == fact.state => {
                "known from another event".to_owned()
            }
            Some(Effect::Older(held)) => format!("older than {}", word(held)),
            Some(Effect::Outranked(held)) => format!("outranked by {}", word(held)),
        },
    }
}

fn reference(event: &rows::EventRow, text: &str) -> ReferenceRow {
    ReferenceRow { code: Code::new(text, "reference"), matched: event.matched_by.as_deref() == Some(text) }
}

fn delivery(frame: &Frame, event: &rows::EventRow, differing: Option<&Differing>) -> DeliveryInfo {
    let waits = matches!(event.state, EventState::Retryable | EventState::Parked);
    DeliveryInfo {
        id: Code::new(&event.gateway_event_id, "event id"),
        variant: event.variant.clone(),
        source: event.source.as_str().to_owned(),
        occurred: event.occurred_at.map(|at| frame.moment(at)),
        received: frame.moment(event.received_at),
        late: words::late(event),
        processed: event.finished_at.map(|at| {
            let seconds = (at - event.received_at).whole_seconds().unsigned_abs();
            (frame.moment(at), format!("{} after it came", words::span(seconds)))
        }),
        deliveries: event.deliveries.to_string(),
        last_delivered: (event.deliveries > 1).then(|| frame.moment(event.last_delivered_at)),
        differing: differing.map(|other| {
            let deliveries = if other.count == 1 { "delivery" } else { "deliveries" };
            let words = format!("{} {deliveries} bore this id and another body; the first body is kept", other.count);
            (words, other.last_hash.chars().take(16).collect())
        }),
        next_attempt: event.due_at.filter(|_| waits).map(|at| frame.moment(at)),
        account: event.account.clone(),
        api_version: event.api_version.clone(),
    }
}

fn attempt(visit: &Visit, variant: &str, run: &rows::AttemptRow) -> AttemptRow {
    let took = (run.finished_at - run.started_at).whole_milliseconds();
    AttemptRow {
        handler: run.handler.clone(),
        outcome: run.outcome.into(),
        number: run.attempt.to_string(),
        error: run.error.as_deref().map(|error| visit.shown(variant, error)),
        took: (took > 0).then(|| format!("{took} ms")),
        started: visit.frame().moment(run.started_at),
    }
}

/// The body, as the host wants it shown.
fn body(visit: &Visit, story: &EventStory) -> Option<Body> {
    let (_, bytes) = story.body.as_ref()?;
    let text = String::from_utf8_lossy(bytes);
    let shown = visit.redacted("body", &story.event.variant, &text);
    Some(Body { size: format!("{} bytes", bytes.len()), tree: Tree::of(&shown), text: json::pretty(&shown) })
}

/// A command that sends the event again, signed now. Not of a body that the host wants hidden, and for nobody who may
/// not act: it would be taken.
async fn curl(visit: &Visit, story: &EventStory) -> Option<String> {
    let (_, bytes) = story.body.as_ref().filter(|_| visit.may_act())?;
    let text = String::from_utf8_lossy(bytes);
    if visit.redacted("body", &story.event.variant, &text) != text || story.event.source != Source::Delivery {
        return None;
    }
    let headers = visit.engine().sign(&story.event.variant, bytes).await?;
    Some(curl::command(&visit.address_of(&story.event.variant), &headers, bytes))
}

/// The header fields that were kept, as the host wants them shown. Earlier releases kept some that are secrets.
fn headers(visit: &Visit, story: &EventStory) -> Vec<(String, String)> {
    let kept = story.body.as_ref().map(|(headers, _)| headers.as_str()).unwrap_or_default();
    let kept: serde_json::Map<String, serde_json::Value> = serde_json::from_str(kept).unwrap_or_default();
    let shown = |(name, value): (String, serde_json::Value)| {
        let text = if is_secret_header(&name) { "(not shown: a secret)" } else { value.as_str().unwrap_or_default() };
        let shown = visit.redacted(&format!("header:{name}"), &story.event.variant, text).into_owned();
        (name, shown)
    };
    kept.into_iter().map(shown).collect()
}

//! A payment's page.

use std::time::Duration;

use actix_web::HttpResponse;
use tokio::task::JoinSet;

use super::operation::{address, icon, title};
use super::{act_entries, payment_answer, review};
use crate::reports;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::badge::{sentence, spaced};
use crate::admin::views::page::Flash;
use crate::admin::views::parts::{Amount, Badge, Change, Code, Link};
use crate::admin::views::words;
use crate::admin::views::payment::{Ask, DetailRow, Entry, Figure, LedgerRow, Payment as Page};
use crate::domain::Timestamp;
use crate::domain::event::{EventState, Source};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::domain::operation::OperationState;
use crate::domain::payer::Payer;
use crate::gateways::Verb;
use crate::engine::Payment;
use crate::reports::PaymentStory;
use crate::store::calls::OperationRow;
use crate::store::rows::{EventRow, TransitionRow};

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("payments/{token}", |visit| Box::pin(show(visit)))];

/// How long the host's own rows may take.
const PATIENCE: Duration = Duration::from_secs(1);

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (frame, wanted) = (visit.frame(), Fields::of(&visit.req).get("words"));
    let story = visit.engine().payment_story(visit.part("token")).await?;
    let story = story.ok_or(Failure::NotFound("There is no payment with this token."))?;
    let payment = Payment::of(&story.payment);
    let mut flags = Vec::new();
    flags.extend(payment.needs_review().then(Badge::needs_review));
    flags.extend(payment.disputed.then(Badge::disputed));
    flags.extend(payment.adopted.then(|| Badge::new("adopted", "neutral", "merge")));
    let gateway = story.gateway.unwrap_or("gateway");
    let details = details(&visit, &payment).await;
    let mut around = frame.page(&format!("Payment {}", payment.reference.as_ref().unwrap_or(&payment.token)), "payments");
    around.flash = flash(Fields::of(&visit.req).get("done").as_deref(), gateway, &story);
    let (asks, no_asks) = if visit.may_act() { asks(&frame, &story, &payment) } else { Default::default() };
    let page = Page {
        page: around,
        back: Link::new("Payments", frame.href("payments")),
        answer: payment_answer::answer(&story, &payment),
        payer: payer(&story),
        amount: Amount::new(payment.amount),
        status: payment.status.into(),
        flags,
        concerns: payment.concerns.clone(),
        decide: (visit.may_act() && review::is_open(&payment)).then(|| Link::new("Decide", review::at(&frame, &payment))),
        unapplied: unapplied(&frame, &story),
        figures: Figure::all(&payment, &story.permissions),
        token: Code::new(&payment.token, "token"),
        reference: payment.reference.as_deref().map(|text| Code::new(text, "reference")),
        gateway_refs: story
            .references
            .iter()
            .map(|(text, page)| Code::new(text, "gateway ref").with_dashboard(gateway, page.clone()))
            .collect(),
        customer: payment.customer.clone(),
        variant: payment.variant.clone(),
        mode: Badge::mode(payment.livemode),
        created: frame.moment(payment.created_at),
        subscription: story
            .subscription
            .as_ref()
            .map(|token| Link::new(token, frame.href(&format!("subscriptions/{token}")))),
        neighbours: neighbours(&frame, &story),
        rebuild: Link::new("Rebuild", frame.href(&format!("payments/{}/rebuild", payment.token))),
        details,
        asks,
        no_asks,
        note: act_entries::form(&visit, &format!("payments/{}", payment.token)),
        note_search: act_entries::search(&frame, &story, wanted.as_deref()),
        timeline: match &wanted {
            Some(words) => act_entries::notes(&frame, &story, words),
            None => timeline(&visit, &story, &payment),
        },
        timeline_note: story.cut.then(|| {
            let text = format!("The {} newest events and what they did; all of them are in the list.", story.events.len());
            Link::new(text, frame.found("events", &payment.token))
        }),
        ledger: story.facts.iter().map(|fact| ledger_row(&frame, &story, fact)).collect(),
    };
    Ok(frame.render(&page))
}

/// The events that failed before they were applied, as where a handler in the transaction refuses them: the gateway has
/// said what the payment does not show.
fn unapplied(frame: &Frame, story: &PaymentStory) -> Vec<(Link, String)> {
    let is_applied = |event: &EventRow| story.transitions.iter().any(|step| step.event_id == Some(event.id));
    let failed = story.events.iter().filter(|event| {
        let code = event.outcome_code.as_deref().unwrap_or_default();
        matches!(event.state, EventState::Retryable | EventState::Discarded) && FAILED.contains(&code)
    });
    let line = |event: &EventRow| {
        let why = event.outcome.clone().unwrap_or_default();
        (Link::new(&event.kind, frame.href(&format!("events/{}", event.id))), why)
    };
    failed.filter(|event| !is_applied(event)).map(line).collect()
}

/// The codes of failures, not of what an operator gave up.
const FAILED: [&str; 4] = ["failed", "handler_failed", "handler_discarded", "malformed"];

/// What came of an operation that led here.
fn flash(done: Option<&str>, gateway: &str, story: &PaymentStory) -> Option<Flash> {
    if done == Some("review") {
        return Some(Flash::done("Decided. The timeline shows what changed."));
    }
    let verb = Verb::parse(done?);
    let newest = story.operations.iter().filter(|it| (Some(it.verb), it.state) == (verb, OperationState::Done));
    let minor = newest.max_by_key(|operation| operation.id).and_then(|operation| operation.amount);
    let money = minor.map(|minor| Money::new(minor, story.payment.currency));
    let money = money.map(|money| format!(" {}", money.said())).unwrap_or_default();
    Some(Flash::done(match verb {
        Some(Verb::Capture) => format!("Captured{money} by {gateway}. The timeline shows what changed."),
        Some(Verb::Cancel) => format!("Canceled by {gateway}. The timeline shows what changed."),
        Some(Verb::Refund) => format!("Refunded{money} by {gateway}. The timeline shows what changed."),
        Some(Verb::Complete) => format!("Completed by {gateway}. The timeline shows what changed."),
        Some(Verb::Refresh) => format!("{gateway} was asked; what it knows of this payment is here now."),
        None if done == Some(OperationState::Underway.as_str()) => {
            let text = format!(
                "{gateway} has not answered, so it may have acted or not. A worker asks again until that is known; \
                 do not ask for the same once more."
            );
            return Some(Flash { tone: "warn", icon: "hourglass", text });
        }
        None => return None,
    }))
}

/// What is known of whoever paid, as label and text.
fn payer(story: &PaymentStory) -> Vec<(&'static str, String)> {
    let Payer { name, card_brand, card_last_four, decline, gateway_ref } = &story.payer;
    let card = match (card_brand, card_last_four) {
        (Some(brand), Some(digits)) => Some(format!("{brand} ending in {digits}")),
        (None, Some(digits)) => Some(format!("ending in {digits}")),
        (brand, None) => brand.clone(),
    };
    let known = [
        ("Name", name.clone()),
        ("Card", card),
        ("Declined", decline.clone()),
        ("Gateway's customer", gateway_ref.clone()),
    ];
    known.into_iter().filter_map(|(label, text)| Some((label, text?))).collect()
}

/// What the gateway can be asked for, and then what it can't be, with the reason.
fn asks(frame: &Frame, story: &PaymentStory, payment: &Payment) -> (Vec<Ask>, Vec<String>) {
    let ask = |ask: &reports::Permission| Ask {
        label: title(ask.verb),
        icon: icon(ask.verb),
        leads: ask.may.as_ref().map(|_| address(frame, payment, ask.verb)).map_err(|why| sentence(why)),
    };
    Ask::offered(story.permissions.iter().map(ask))
}

/// The payments beside this one.
fn neighbours(frame: &Frame, story: &PaymentStory) -> Vec<Link> {
    let beside = &story.neighbours;
    let ways = [
        ("Newer payment", &beside.newer),
        ("Older payment", &beside.older),
        ("Newer of this customer", &beside.customers_newer),
        ("Older of this customer", &beside.customers_older),
    ];
    let link = |(text, token): (&str, &Option<String>)| {
        Some(Link::new(text, frame.href(&format!("payments/{}", token.as_ref()?))))
    };
    ways.into_iter().filter_map(link).collect()
}

/// The host's own rows. Its code may fail, panic or never come to an end, and the page goes on.
async fn details(visit: &Visit, payment: &Payment) -> Option<Vec<DetailRow>> {
    let find = visit.details()?;
    let mut task = JoinSet::new();
    let payment = payment.clone();
    task.spawn_local(async move { find(payment).await.map_err(|error| error.to_string()) });
    let why = match tokio::time::timeout(PATIENCE, task.join_next()).await {
        Ok(Some(Ok(Ok(found)))) => return Some(found.into_iter().map(DetailRow::from).collect()),
        Ok(Some(Ok(Err(error)))) => error,
        Ok(Some(Err(panic))) => panic.to_string(),
        Ok(None) | Err(_) => format!("took longer than {} s", PATIENCE.as_secs()),
    };
    log::error!("payments: the host's rows of a payment are not available: {why}");
    Some(vec![DetailRow::not_available()])
}

/// Everything that happened, newest first. What one event did is told from its end to its start: handlers, the
/// step of the status, the event.
fn timeline(visit: &Visit, story: &PaymentStory, payment: &Payment) -> Vec<Entry> {
    let frame = &visit.frame();
    let shown = |text: &str| visit.redacted("error", &payment.variant, text).into_owned();
    let mut all: Vec<(Timestamp, u8, Entry)> = Vec::new();
    for event in &story.events {
        let href = frame.href(&format!("events/{}", event.id));
        // What a step of the status says already is not said twice.
        let told =
            |step: &&TransitionRow| step.event_id == Some(event.id) && Some(&step.cause) == event.outcome.as_ref();
        let why = match (story.transitions.iter().find(told), &event.outcome) {
            (Some(_), _) => String::new(),
            (None, Some(outcome)) => frame.with_next_attempt(&shown(outcome), event),
            (None, None) => "waits for a worker".to_owned(),
        };
        let (badge, at) = (event.state.into(), frame.moment(event.received_at));
        let entry = Entry::event(&event.kind, href, badge, why, at).late(words::late(event));
        let is_check = event.source == Source::Answer && event.outcome_code.as_deref() == Some("no_change");
        all.push((event.received_at, 1, Entry { is_check, ..entry }));
    }
    for step in &story.transitions {
        all.push((step.created_at, 2, transition(frame, story, step)));
    }
    for run in &story.attempts {
        let at = frame.moment(run.finished_at);
        let href = frame.href(&format!("events/{}", run.event_id));
        let why = if run.attempt > 1 { format!("attempt {}", run.attempt) } else { String::new() };
        let entry = Entry::attempt(&run.handler, href, run.outcome.into(), why, at);
        all.push((run.finished_at, 3, entry.with_error(run.error.as_deref().map(shown))));
    }
    // What the gateway was asked for is told by the operation, with its actor.
    for act in story.acts.iter().filter(|act| Verb::parse(&act.act).is_none()) {
        all.push((act.created_at, 4, act_entries::of_payment(frame, story, act)));
    }
    for operation in &story.operations {
        let at = frame.moment(operation.created_at);
        let amount = operation.amount.map(|minor| format!(" of {}", Money::new(minor, payment.amount.currency).said()));
        let of = refunded_capture(story, operation).map(|id| format!(" from {id}"));
        let (amount, of) = (amount.unwrap_or_default(), of.unwrap_or_default());
        let title = format!("{}{amount}{of} asked for", operation.verb.as_str());
        let came = operation.outcome.as_deref().map_or_else(|| "no answer yet".to_owned(), shown);
        let reason = operation.reason.as_deref().map(|reason| format!(", reason: {}", spaced(reason)));
        let why = format!("by {}{}; {came}", operation.actor, reason.unwrap_or_default());
        let is_check = (operation.verb, operation.state) == (Verb::Refresh, OperationState::Done);
        let entry = Entry::operation(title, operation.state.into(), why, at);
        all.push((operation.created_at, 0, Entry { is_check, ..entry }));
    }
    for absorbed in &story.absorbed {
        let why = format!("{} turned out to be this payment", absorbed.token);
        let at = frame.moment(absorbed.updated_at);
        all.push((absorbed.updated_at, 2, Entry::absorbed("An adopted payment was absorbed", why, at)));
    }
    let (title, why) = if payment.adopted {
        ("Adopted", "made from an event that no payment here was waiting for".to_owned())
    } else {
        ("Created", format!("{} through {}", payment.amount.said(), payment.variant))
    };
    all.push((payment.created_at, 0, Entry::created(title, why, frame.moment(payment.created_at))));
    all.sort_by_key(|(at, order, _)| std::cmp::Reverse((*at, *order)));
    folded(all.into_iter().map(|(_, _, entry)| entry).collect())
}

/// How many checks in a row are told one by one.
const APART: usize = 3;

/// The same with checks that changed nothing as one entry, where many follow each other.
fn folded(entries: Vec<Entry>) -> Vec<Entry> {
    let mut told = Vec::new();
    let mut entries = entries.into_iter().peekable();
    while let Some(entry) = entries.next() {
        if !entry.is_check {
            told.push(entry);
            continue;
        }
        let mut checks = vec![entry];
        checks.extend(std::iter::from_fn(|| entries.next_if(|next| next.is_check)));
        let newest = checks[0].at.clone();
        if checks.len() > APART { told.push(Entry::checks(checks, newest)) } else { told.extend(checks) }
    }
    told
}

/// The capture that a refund takes from, where the payment has several.
fn refunded_capture(story: &PaymentStory, operation: &OperationRow) -> Option<String> {
    let is_capture = |fact: &&Fact| (fact.aspect, fact.state) == (Aspect::Capture, State::Succeeded);
    let captures: Vec<&str> = story.facts.iter().filter(is_capture).map(|fact| fact.gateway_ref.as_str()).collect();
    let is_one_of_several = operation.verb == Verb::Refund && captures.len() > 1;
    operation.refs().into_iter().find(|id| is_one_of_several && captures.contains(&id.as_str()))
}

/// A step of the status, or of a flag beside it.
fn transition(frame: &Frame, story: &PaymentStory, step: &TransitionRow) -> Entry {
    let (from, to) = (step.from_status, step.to_status);
    let (why, at) = (step.cause.clone(), frame.moment(step.created_at));
    if let Some(dispute) = step.dispute.filter(|_| from == to) {
        return Entry::stays(to.into(), dispute.into(), why, at);
    }
    match (from == to, step.disputed, step.needs_review) {
        (false, ..) => Entry::transition(Change::of(from, to), why, at),
        (true, true, _) => Entry::stays(to.into(), Badge::disputed(), why, at),
        (true, false, true) => Entry::stays(to.into(), Badge::needs_review(), why, at),
        (true, false, false) => Entry::stays(to.into(), Badge::new(cleared(story, step), "neutral", "flag"), why, at),
    }
}

/// What a step that left no flag has ended.
fn cleared(story: &PaymentStory, step: &TransitionRow) -> &'static str {
    let before = story.transitions.iter().filter(|other| other.id < step.id).max_by_key(|other| other.id);
    match before.map(|before| (before.disputed, before.needs_review)) {
        Some((true, false)) => "dispute closed",
        Some((true, true)) => "dispute closed, nothing to review",
        Some((false, _)) | None => "nothing to review",
    }
}

fn ledger_row(frame: &Frame, story: &PaymentStory, fact: &Fact) -> LedgerRow {
    let event = story.events.iter().find(|event| event.gateway_event_id == fact.event_id);
    let href = event.map_or_else(
        || frame.found("events", &fact.event_id),
        |event| frame.href(&format!("events/{}", event.id)),
    );
    LedgerRow {
        aspect: spaced(fact.aspect.as_str()),
        object: fact.gateway_ref.clone(),
        state: fact.state.into(),
        amount: Amount::of(fact),
        at: frame.moment(fact.occurred_at),
        event: Link::new(event.map_or(&fact.event_id, |event| &event.kind), href),
    }
}

//! A payment's page.

use std::time::Duration;

use actix_web::HttpResponse;
use tokio::task::JoinSet;

use super::operation::{address, icon, title};
use super::{act_entries, payment_answer, payment_timeline, payments, review};
use crate::reports;
use crate::admin::asked::Asked;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::{Fields, OpenedFrom};
use crate::admin::routes::Route;
use crate::admin::views::badge::{sentence, spaced};
use crate::admin::views::page::Flash;
use crate::admin::views::parts::{Amount, Badge, Code, Link};
use crate::admin::views::payment::{Ask, DetailRow, Figure, LedgerRow, Payment as Page};
use crate::domain::event::EventState;
use crate::domain::fact::Fact;
use crate::domain::money::Money;
use crate::domain::operation::OperationState;
use crate::domain::payer::Payer;
use crate::domain::payment::register_words;
use crate::gateways::Verb;
use crate::engine::Payment;
use crate::reports::PaymentStory;
use crate::store::rows::EventRow;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("payments/{token}", |visit| Box::pin(show(visit)))];

/// The lists whose rows lead to payments, as path and name: the payments' own, and others.
const PAYMENTS: (&str, &str) = ("payments", "Payments");
const ELSEWHERE: &[(&str, &str)] = &[("disputes", "Disputes"), ("books", "Books")];

/// How long the host's own rows may take.
const PATIENCE: Duration = Duration::from_secs(1);

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (frame, fields) = (visit.frame(), Fields::of(&visit.req));
    let (wanted, from) = (fields.get("words"), fields.opened_from(PAYMENTS, ELSEWHERE));
    let story = visit.engine().payment_story(visit.part("token"), visit.scope()).await?;
    let story = story.ok_or(Failure::NotFound("There is no payment with this token."))?;
    let payment = Payment::of(&story.payment);
    let mut flags = Vec::new();
    flags.extend(payment.needs_review().then(Badge::needs_review));
    flags.extend(payment.disputed.then(Badge::disputed));
    flags.extend(payment.adopted.then(|| Badge::new("adopted", "neutral", "merge")));
    let gateway = story.gateway.unwrap_or("gateway");
    let details = details(&visit, &payment).await;
    let mut around = frame.page(&format!("Payment {}", payment.reference.as_deref().unwrap_or(&payment.token)), "payments");
    around.flash = flash(fields.get("done").as_deref(), gateway, &story);
    let (asks, no_asks) = if visit.may_act() { asks(&visit, &story, &payment) } else { Default::default() };
    let page = Page {
        page: around,
        back: frame.back(&from),
        answer: payment_answer::answer(&visit, &story, &payment),
        payer: payer(&visit, &frame, &story, &payment),
        amount: Amount::new(payment.amount),
        status: payment.status.into(),
        flags,
        concerns: payment.concerns.clone(),
        decide: (visit.may_act() && payment.awaits_decision()).then(|| Link::new("Decide", review::at(&visit, &payment))),
        unapplied: unapplied(&visit, &frame, &story),
        figures: Figure::all(&payment, &story.permissions),
        token: Code::new(&payment.token, "token"),
        reference: payment.reference.as_deref().map(|text| Code::new(text, "reference")),
        gateway_refs: story
            .references
            .iter()
            .map(|(text, page)| Code::new(text, "gateway ref").with_dashboard(gateway, page.clone()))
            .collect(),
        customer: payment.customer.as_ref().map(|text| Link::new(text, frame.customer("payments", &payment.token))),
        variant: payment.variant.to_string(),
        account: payment.account.as_deref().map(|account| frame.of_account(account)),
        mode: Badge::mode(payment.livemode),
        created: frame.moment(payment.created_at),
        subscription: story
            .subscription
            .as_ref()
            .map(|token| Link::new(token, frame.href(&format!("subscriptions/{token}")))),
        neighbours: neighbours(&visit, &story, &from).await?,
        rebuild: Link::new("Rebuild", visit.staying(&format!("payments/{}/rebuild", payment.token))),
        details,
        asks,
        no_asks,
        note: act_entries::form(&visit, &format!("payments/{}", payment.token)),
        note_search: act_entries::search(&visit, &story, wanted.as_deref()),
        timeline: match &wanted {
            Some(words) => act_entries::notes(&frame, &story, words),
            None => payment_timeline::of(&visit, &story, &payment),
        },
        timeline_note: story.cut.then(|| {
            let text = format!("The {} newest events and what they did; all of them are in the list.", story.events.len());
            Link::new(text, frame.found("events", &payment.token))
        }),
        ledger: story.facts.iter().map(|fact| ledger_row(&visit, &frame, &story, fact)).collect(),
    };
    Ok(frame.render(&page))
}

/// The events that failed before they were applied, as where a handler in the transaction refuses them: the gateway has
/// said what the payment does not show.
fn unapplied(visit: &Visit, frame: &Frame, story: &PaymentStory) -> Vec<(Link, String)> {
    let is_applied = |event: &EventRow| story.transitions.iter().any(|step| step.event_id == Some(event.id));
    let failed = story.events.iter().filter(|event| {
        let code = event.outcome_code.as_deref().unwrap_or_default();
        matches!(event.state, EventState::Retryable | EventState::Discarded) && FAILED.contains(&code)
    });
    let line = |event: &EventRow| {
        let why = event.outcome.as_deref().unwrap_or_default();
        (Link::new(&event.kind, frame.href(&format!("events/{}", event.id))), visit.shown(&event.variant, why))
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
    let money = money.map(|money| format!(" {}", money)).unwrap_or_default();
    Some(Flash::done(match verb {
        Some(Verb::Capture) => format!("Captured{money} by {gateway}. The timeline shows what changed."),
        Some(Verb::Cancel) => format!("Canceled by {gateway}. The timeline shows what changed."),
        Some(Verb::Refund) => format!("Refunded{money} by {gateway}. The timeline shows what changed."),
        Some(Verb::Complete) => format!("Completed by {gateway}. The timeline shows what changed."),
        Some(Verb::Refresh) => format!("{gateway} was asked, and this page shows what it answered."),
        None if done == Some(OperationState::Underway.as_str()) => {
            let text = format!(
                "{gateway} has not answered, so it may have acted or not. A worker asks again until that is known; \
                 do not ask for it again."
            );
            return Some(Flash { tone: "warn", icon: "hourglass", text });
        }
        None => return None,
    }))
}

/// What is known of whoever paid, as label and text. Where no address is known, the gateway's customer leads to all
/// there is of them.
fn payer(visit: &Visit, frame: &Frame, story: &PaymentStory, payment: &Payment) -> Vec<(&'static str, Link)> {
    let Payer { name, card_brand, card_last_four, decline, gateway_ref } = &story.payer;
    let card = match (card_brand, card_last_four) {
        (Some(brand), Some(digits)) => Some(format!("{brand} ending in {digits}")),
        (None, Some(digits)) => Some(format!("ending in {digits}")),
        (brand, None) => brand.clone(),
    };
    let known = [
        ("Name", name.clone()),
        ("Card", card),
        ("Declined", decline.as_deref().map(|why| visit.shown(&payment.variant, why))),
    ];
    let known = known.into_iter().filter_map(|(label, text)| Some((label, Link::new(text?, ""))));
    let all = if payment.customer.is_none() { frame.customer("payments", &payment.token) } else { String::new() };
    known.chain(gateway_ref.iter().map(|id| ("Gateway's customer", Link::new(id, all.clone())))).collect()
}

/// What the gateway can be asked for, and then what it can't be, with the reason.
fn asks(visit: &Visit, story: &PaymentStory, payment: &Payment) -> (Vec<Ask>, Vec<String>) {
    let ask = |ask: &reports::Permission| Ask {
        label: title(ask.verb),
        icon: icon(ask.verb),
        leads: ask.may.as_ref().map(|_| address(visit, payment, ask.verb)).map_err(|why| sentence(why)),
    };
    Ask::offered(story.permissions.iter().map(ask))
}

/// The payments beside this one: in the list that it was opened from, and of the same customer.
async fn neighbours(visit: &Visit, story: &PaymentStory, from: &OpenedFrom) -> Result<Vec<Link>, Failure> {
    let list = if from.path == PAYMENTS.0 { from.view.clone() } else { Fields::default() };
    let (frame, beside) = (visit.frame(), &story.neighbours);
    let mut asked = Asked::from(list.clone());
    let view = payments::view(&mut asked, &frame, &visit.scope());
    let is_of_list = list.with("", "", None).starts_with('?') && asked.problem().is_none();
    let in_list = if is_of_list {
        let [before, after] = visit.engine().payments_beside(view, story.payment.id).await?;
        [("Previous in the list", before), ("Next in the list", after)]
    } else {
        [("Newer payment", beside.newer.clone()), ("Older payment", beside.older.clone())]
    };
    let link = |text: &str, token: String| Link::new(text, frame.href(&format!("payments/{token}")));
    let in_list = in_list.into_iter().filter_map(|(text, token)| {
        let Link { text, href } = link(text, token?);
        Some(Link { href: list.leading(&href), text })
    });
    let of_customer = [
        ("Newer payment of this customer", beside.customers_newer.clone()),
        ("Older payment of this customer", beside.customers_older.clone()),
    ];
    let of_customer = of_customer.into_iter().filter_map(|(text, token)| Some(link(text, token?)));
    Ok(in_list.chain(of_customer).collect())
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

fn ledger_row(visit: &Visit, frame: &Frame, story: &PaymentStory, fact: &Fact) -> LedgerRow {
    let event = story.events.iter().find(|event| event.gateway_event_id == fact.event_id);
    let href = event.map_or_else(
        || frame.found("events", &fact.event_id),
        |event| frame.href(&format!("events/{}", event.id)),
    );
    let (aspect, object) = register_words(fact);
    LedgerRow {
        aspect,
        object: object.map(str::to_owned),
        state: fact.into(),
        amount: Amount::of(fact),
        reason: fact.reason.as_deref().map(|code| spaced(&visit.shown(&story.payment.variant, code))),
        at: frame.moment(fact.occurred_at),
        event: Link::new(event.map_or(&fact.event_id, |event| &event.kind), href),
    }
}

//! How does a person have a subscription ended, resumed or asked about? The page says what will be asked of the gateway
//! and what it means; what was confirmed is done once, however often the form is sent.

use actix_web::HttpResponse;

use super::operation::is_key;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::operation::{Operation, Step};
use crate::admin::views::parts::{Badge, Link};
use crate::domain::Timestamp;
use crate::domain::operation::{OperationState, SubscriptionVerb};
use crate::domain::subscription::{SubscriptionState, SubscriptionStatus};
use crate::engine::request::{Requester, idempotency_key};
use crate::operations::{Outcome, SubscriptionOrder};
use crate::error::ErrorKind;
use crate::reports::SubscriptionStory;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("subscriptions/{token}/{verb}", |visit| Box::pin(show(visit))),
    Route::act("subscriptions/{token}/{verb}", |visit| Box::pin(order(visit))),
];

const NO_SUBSCRIPTION: Failure = Failure::NotFound("There is no subscription with this token.");

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (verb, frame) = (verb(&visit)?, visit.frame());
    if !visit.may_act() {
        return Err(Failure::Refused("Your access is read-only.".to_owned()));
    }
    let story = visit.engine().subscription_story(visit.part("token")).await?.ok_or(NO_SUBSCRIPTION)?;
    let may = story.permissions.iter().find(|(known, _)| *known == verb).map(|(_, may)| may.clone());
    may.unwrap_or(Ok(())).map_err(Failure::Refused)?;
    let (row, gateway) = (&story.row, story.gateway.unwrap_or("The gateway"));
    let step = Step::Confirm {
        note: None,
        meaning: vec![meaning(verb, gateway, &story.subscription.state, visit.engine().now())],
        fields: vec![("key", idempotency_key()?)],
        button: title(verb).to_owned(),
        icon: icon(verb),
    };
    let page = Operation {
        page: frame.page(title(verb), "subscriptions"),
        back: Link::new("The subscription", frame.href(&format!("subscriptions/{}", row.token))),
        question: format!("{}?", title(verb)),
        badges: badges(&story),
        whose: [&row.owner, &row.customer, &row.gateway_ref].into_iter().flatten().cloned().collect(),
        warnings: Vec::new(),
        figures: Vec::new(),
        action: address(&frame, &row.token, verb),
        within: Vec::new(),
        step,
    };
    Ok(frame.render(&page))
}

/// Where the subscription stands, with all that speaks for a second look.
fn badges(story: &SubscriptionStory) -> Vec<Badge> {
    let (row, state) = (&story.row, &story.subscription.state);
    let ends = state.ended_at.is_none() && state.ends_at().is_some();
    let flags = [ends.then(Badge::ends), (!row.certain).then(Badge::not_certain), Badge::mode(row.livemode)];
    [Some(row.status.into())].into_iter().chain(flags).flatten().collect()
}

/// Does what was confirmed, and leads back to the subscription, whose timeline says what came of it.
async fn order(visit: Visit) -> Result<HttpResponse, Failure> {
    let (verb, token) = (verb(&visit)?, visit.part("token").to_owned());
    let why = "It was not confirmed, so nothing was done. Open the subscription and try again.";
    let unconfirmed = || Failure::Refused(why.to_owned());
    let key = visit.form.get("key").filter(|key| is_key(key)).ok_or_else(unconfirmed)?;
    let order = SubscriptionOrder {
        verb,
        change: None,
        requester: Requester::Operator(visit.actor()),
        key: Some(key),
    };
    let asked = visit.engine().operate_subscription(&token, order);
    let done = match asked.await {
        Ok(Outcome::Done) => verb.as_str(),
        Ok(Outcome::Underway) => OperationState::Underway.as_str(),
        Err(error) if error.kind() == ErrorKind::Gateway => {
            let found = visit.payments.subscription(&token.as_str().into()).await?;
            return Err(visit.failed_at(found.as_ref().map_or("", |found| &found.variant), error));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(respond::see(&visit.frame().href(&format!("subscriptions/{token}?done={done}"))))
}

fn verb(visit: &Visit) -> Result<SubscriptionVerb, Failure> {
    // What to change to is said by the host's own code.
    let verb = SubscriptionVerb::parse(visit.part("verb")).filter(|verb| *verb != SubscriptionVerb::Change);
    verb.ok_or(Failure::NotFound("There is nothing here."))
}

/// Where a verb is asked for.
pub(super) fn address(frame: &Frame, token: &str, verb: SubscriptionVerb) -> String {
    frame.href(&format!("subscriptions/{token}/{}", verb.as_str()))
}

/// The verb as a button says it, and its icon.
pub(super) fn title(verb: SubscriptionVerb) -> &'static str {
    match verb {
        SubscriptionVerb::Cancel => "Cancel now",
        SubscriptionVerb::CancelAtEnd => "Cancel at the period's end",
        SubscriptionVerb::Resume => "Resume",
        SubscriptionVerb::Pause => "Pause",
        SubscriptionVerb::Unpause => "Unpause",
        SubscriptionVerb::Change => "Change",
        SubscriptionVerb::Refresh => "Refresh",
    }
}

pub(super) fn icon(verb: SubscriptionVerb) -> &'static str {
    match verb {
        SubscriptionVerb::Cancel => "slash",
        SubscriptionVerb::CancelAtEnd => "hourglass",
        SubscriptionVerb::Resume | SubscriptionVerb::Unpause => "running",
        SubscriptionVerb::Pause => "pause",
        SubscriptionVerb::Change => "part",
        SubscriptionVerb::Refresh => "retry",
    }
}

fn meaning(verb: SubscriptionVerb, gateway: &str, state: &SubscriptionState, now: Timestamp) -> String {
    let is_running = state.period.is_some_and(|period| now < period.end);
    match verb {
        SubscriptionVerb::Cancel => {
            format!("{gateway} ends the subscription now and returns no money. That can't be taken back.")
        }
        SubscriptionVerb::CancelAtEnd => {
            format!("{gateway} lets the subscription end with the period under way. Until then it can be resumed.")
        }
        SubscriptionVerb::Resume => format!("{gateway} lets the subscription go on, and charges for the next period."),
        SubscriptionVerb::Pause => format!(
            "{gateway} charges nothing until the subscription is unpaused. Until then it counts as active only if \
             {gateway} leaves its status active, and not if it becomes paused."
        ),
        SubscriptionVerb::Unpause if state.status == SubscriptionStatus::Paused && !is_running => format!(
            "{gateway} lets the subscription go on. No period of it is under way, so a new one may begin and be \
             charged at once."
        ),
        SubscriptionVerb::Unpause => format!("{gateway} charges again, from the next period on."),
        SubscriptionVerb::Change => {
            format!("{gateway} changes what is subscribed to, and bills the rest of the period as it does by itself.")
        }
        SubscriptionVerb::Refresh => {
            format!("That changes nothing at {gateway}. What it answers is processed like every event.")
        }
    }
}

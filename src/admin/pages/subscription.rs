//! What is the story of one subscription?

use actix_web::HttpResponse;

use super::subscription_details::{details, invoices, item, sentence};
use super::subscription_operation::{address, icon, title};
use super::subscription_timeline;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::page::Flash;
use crate::admin::views::parts::{Badge, Link};
use crate::admin::views::payment::Ask;
use crate::admin::views::subscription::Subscription as Page;
use crate::domain::operation::SubscriptionVerb;
use crate::engine::request::Requester;
use crate::reports::SubscriptionStory;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("subscriptions/{token}", |visit| Box::pin(show(visit))),
    Route::act("subscriptions/{token}/owner", |visit| Box::pin(give_owner(visit))),
];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (frame, fields) = (visit.frame(), Fields::of(&visit.req));
    let story = visit.engine().subscription_story(visit.part("token")).await?;
    let story = story.ok_or(Failure::NotFound("There is no subscription with this token."))?;
    let (row, state) = (&story.row, &story.subscription.state);
    let mut flags = Vec::new();
    flags.extend((state.ended_at.is_none() && state.ends_at().is_some()).then(Badge::ends));
    flags.extend(state.pause.is_some().then(|| Badge::new("charging paused", "moved", "pause")));
    flags.extend(row.adopted.then(|| Badge::new("adopted", "neutral", "merge")));
    flags.extend(Badge::mode(row.livemode));
    let name = state.owner.as_ref().or(state.customer.as_ref()).or(row.gateway_ref.as_ref()).unwrap_or(&row.token);
    let mut around = frame.page(&format!("Subscription {name}"), "subscriptions");
    around.flash = flash(fields.get("done").as_deref(), story.gateway.unwrap_or("the gateway"));
    let owner = state.owner.clone().unwrap_or_default();
    let give_owner = (frame.href(&format!("subscriptions/{}/owner", row.token)), owner);
    let (asks, no_asks) = if visit.may_act() { asks(&frame, &story) } else { Default::default() };
    let page = Page {
        page: around,
        back: frame.back(&fields.opened_from(("subscriptions", "Subscriptions"), &[])),
        name: name.clone(),
        status: row.status.into(),
        flags,
        sentence: sentence(&frame, &story),
        doubt: state.doubt.as_deref().map(crate::admin::views::badge::sentence),
        asks,
        no_asks,
        items: state.items.iter().map(item).collect(),
        invoices: invoices(&frame, &story),
        invoices_note: story.has_more_invoices.then(|| format!("The {} newest invoices.", story.invoices.len())),
        details: details(&frame, &story),
        give_owner: (visit.may_act() && row.gateway_ref.is_some()).then_some(give_owner),
        timeline: subscription_timeline::of(&visit, &story),
        timeline_note: story.cut.then(|| {
            let text = format!("The {} newest events and what they did; all are in the list.", story.events.len());
            Link::new(text, frame.found("events", row.gateway_ref.as_deref().unwrap_or_default()))
        }),
    };
    Ok(frame.render(&page))
}

/// What an act that led here did.
fn flash(done: Option<&str>, gateway: &str) -> Option<Flash> {
    let told = "and the timeline says what came of it.";
    Some(Flash::done(match done? {
        "owner" => "The owner was given; a worker runs the handlers of subscriptions.".to_owned(),
        "underway" => {
            let text = "The gateway has not answered, so it may have acted or not. A worker asks again until that is \
                        known; do not ask for it again.";
            return Some(Flash { tone: "warn", icon: "hourglass", text: text.to_owned() });
        }
        word => format!("{}: done by {gateway}, {told}", title(SubscriptionVerb::parse(word)?)),
    }))
}

async fn give_owner(visit: Visit) -> Result<HttpResponse, Failure> {
    let (token, owner) = (visit.part("token").to_owned(), visit.form.get("owner").unwrap_or_default());
    visit.engine().give_owner(&token, &owner, Requester::Operator(visit.actor())).await?;
    Ok(respond::see(&visit.frame().href(&format!("subscriptions/{token}?done=owner"))))
}

/// What the gateway can be asked for, and then what it can't be, with the reason.
fn asks(frame: &Frame, story: &SubscriptionStory) -> (Vec<Ask>, Vec<String>) {
    let ask = |(verb, may): &(SubscriptionVerb, Result<(), String>)| Ask {
        label: title(*verb),
        icon: icon(*verb),
        leads: may.clone().map(|()| address(frame, &story.row.token, *verb)),
    };
    Ask::offered(story.permissions.iter().map(ask))
}

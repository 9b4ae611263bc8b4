//! Answers requests to a subscription's page. A GET shows how it stands and where its clock can go; a POST moves it
//! there and sends the event.

use askama::Template;

use super::checkout::{encode, genuine, signed, value};
use super::plan::{Choice, NAMES, Plan};
use super::verify;
use super::visit::{deliver, file, html, leave, random_id};
use crate::domain::Timestamp;
use crate::domain::subscription::SubscriptionStatus;
use crate::gateways::signature::Secret;
use crate::gateways::{PageRequest, PageResponse};

/// The page's path below the variant's address.
pub(super) const PATH: &str = "subscription";
/// What is signed in the place of a time, as for the checkout.
const PURPOSE: &str = "subscription";

/// The subscription's page. Its form posts `choice` and the hidden fields.
#[derive(Debug, Template)]
#[template(path = "dummy_subscription.html")]
struct SubscriptionPage {
    css: String,
    icon: String,
    /// What it costs: `12.50 EUR every month`.
    price: String,
    /// Whose it is.
    owner: String,
    /// How it stands, in a sentence.
    sentence: String,
    /// Where its clock stands.
    clock: String,
    action: String,
    fields: Vec<(String, String)>,
    /// The choices: the word that is posted, and the button's text.
    choices: Vec<(&'static str, String)>,
    /// Where the customer goes back to.
    back: Option<String>,
    error: Option<String>,
}

/// The address of the page of this plan.
pub(super) fn link(secret: &Secret, address: &str, plan: &Plan) -> String {
    format!("{address}/{PATH}?{}", encode(&signed(secret, PURPOSE, plan.fields())))
}

/// Answers a request to the page.
pub(super) async fn answer(secret: &Secret, request: &PageRequest) -> PageResponse {
    let fields = if request.post { &request.form } else { &request.query };
    let plan = genuine(secret, PURPOSE, &NAMES, fields).and_then(|fields| Plan::read(&fields));
    let Some(mut plan) = plan else {
        let why = "This link to the subscription is incomplete or was altered. Please start again from the shop.";
        return PageResponse::Error(400, why.to_owned());
    };
    // Its clock is never behind the real one.
    plan.clock = plan.clock.max(request.now);
    if request.post { choose(secret, request, plan).await } else { show(secret, request, &plan, None) }
}

fn show(secret: &Secret, request: &PageRequest, plan: &Plan, error: Option<&str>) -> PageResponse {
    let is_new = plan.status == SubscriptionStatus::Incomplete;
    let back = plan.return_url.as_deref().and_then(super::ending::destination);
    let mut choices: Vec<_> = plan.choices().into_iter().map(|choice| (choice.as_str(), words(plan, choice))).collect();
    choices.extend(is_new.then(|| ("walk_away", "Walk away".to_owned())));
    html(&SubscriptionPage {
        css: file(request, "dummy.css"),
        icon: file(request, "icon.svg"),
        price: format!("{} every {}", plan.due(), plan.interval),
        owner: plan.owner.clone().unwrap_or_else(|| plan.id.clone()),
        sentence: sentence(plan),
        clock: day(plan.clock),
        action: format!("{}/{PATH}", request.address),
        fields: signed(secret, PURPOSE, plan.fields()),
        choices,
        back: back.filter(|_| !is_new).map(str::to_owned),
        error: error.map(str::to_owned),
    })
}

async fn choose(secret: &Secret, request: &PageRequest, plan: Plan) -> PageResponse {
    let given = value(&request.form, "choice");
    if given == Some("walk_away") {
        let message = "Nothing was sent to the shop: for all it knows, you are still about to subscribe.";
        return leave(request, plan.cancel_url.as_deref(), "You walked away", message);
    }
    let choice = given.and_then(Choice::parse).filter(|choice| plan.choices().contains(choice));
    let Some(choice) = choice else {
        return show(secret, request, &plan, Some("Please choose where the clock should go."));
    };
    let Some(id) = random_id() else {
        return PageResponse::Error(500, "The demo gateway found no randomness for its event's id.".to_owned());
    };
    let (plan, event) = plan.moved(choice, id);
    // Signed now, whatever the subscription's own clock says.
    let delivery = verify::delivery(secret, event.body(plan.clock), request.now);
    if let Err(why) = deliver(&request.endpoint, delivery).await {
        return PageResponse::Error(502, why);
    }
    if choice == Choice::Subscribe {
        let message = format!("The shop has heard: {}. You can close this page.", plan.status);
        return leave(request, plan.return_url.as_deref(), "Thank you", &message);
    }
    PageResponse::Redirect(link(secret, &request.address, &plan))
}

/// What a choice does, as its button says it.
fn words(plan: &Plan, choice: Choice) -> String {
    let is_due = matches!(plan.status, SubscriptionStatus::PastDue | SubscriptionStatus::Unpaid);
    let due = plan.due();
    match choice {
        Choice::Subscribe if plan.trial_days > 0 => format!("Begin the trial of {} days", plan.trial_days),
        Choice::Subscribe => format!("Subscribe for {due}"),
        Choice::Fail if plan.status == SubscriptionStatus::Incomplete => "Let the first payment fail".to_owned(),
        Choice::Renew if is_due => format!("Two days on: {due} are paid"),
        Choice::Fail if is_due => "Two days on: the payment fails again".to_owned(),
        Choice::Renew => format!("Next renewal: {due} are paid"),
        Choice::Fail => "Next renewal: the payment fails".to_owned(),
        Choice::End if is_due || plan.status == SubscriptionStatus::Paused => "End it".to_owned(),
        Choice::End => "The period's end: it ends".to_owned(),
    }
}

fn sentence(plan: &Plan) -> String {
    let until = plan.period.map(|(_, end)| day(end));
    let until = until.as_deref().unwrap_or("an unknown day");
    match (plan.status, plan.cancel_at) {
        (SubscriptionStatus::Incomplete, _) => "Not begun yet.".to_owned(),
        (SubscriptionStatus::Trialing, None) => format!("In its trial until {until}."),
        (SubscriptionStatus::Active, None) => format!("Paid until {until}."),
        (SubscriptionStatus::Trialing | SubscriptionStatus::Active, Some(end)) => format!("Ends on {}.", day(end)),
        (SubscriptionStatus::PastDue, _) => format!("Not paid, tried {} times so far.", plan.attempts),
        (SubscriptionStatus::Unpaid, _) => "Not paid, and not tried again by itself.".to_owned(),
        (SubscriptionStatus::Paused, _) => "Paused.".to_owned(),
        _ => "It has ended.".to_owned(),
    }
}

/// A day in UTC: `2026-12-01`.
fn day(at: Timestamp) -> String {
    at.date().to_string()
}

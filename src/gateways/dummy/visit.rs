//! Answers requests to the checkout page. A GET shows the choices; a POST sends the chosen event and redirects the
//! customer.

use askama::Template;

use super::checkout::{Checkout, value};
use super::ending::{EndPage, destination};
use super::event::{DummyEvent, Kind};
use super::page::CheckoutPage;
use super::verify;
use crate::domain::delivery::Delivery;
use crate::gateways::signature::Secret;
use crate::gateways::{CaptureMethod, PageRequest, PageResponse, send};

/// The page's path below the variant's address.
pub(super) const PATH: &str = "checkout";

/// Answers a request to the variant's address; `None` means not found.
pub(super) async fn answer(secret: &Secret, request: &PageRequest) -> Option<PageResponse> {
    if request.path != PATH {
        return None;
    }
    let fields = if request.post { &request.form } else { &request.query };
    let Some(checkout) = Checkout::read(secret, fields) else {
        let why = "This link to the checkout is incomplete or was altered. Please start again from the shop.";
        return Some(PageResponse::Error(400, why.to_owned()));
    };
    let response =
        if request.post { choose(secret, request, &checkout).await } else { show(secret, request, &checkout, None) };
    Some(response)
}

fn show(secret: &Secret, request: &PageRequest, checkout: &Checkout, error: Option<&str>) -> PageResponse {
    html(&CheckoutPage {
        css: file(request, "dummy.css"),
        icon: file(request, "icon.svg"),
        amount: checkout.amount.to_string(),
        reference: checkout.reference.as_ref().unwrap_or(&checkout.token).clone(),
        action: format!("{}/{PATH}", request.address),
        fields: checkout.signed_fields(secret),
        error: error.map(str::to_owned),
    })
}

/// Carries out the customer's choice. Walking away sends no event, as in life: the payment stays pending.
async fn choose(secret: &Secret, request: &PageRequest, checkout: &Checkout) -> PageResponse {
    let kind = match value(&request.form, "choice") {
        Some("pay") if checkout.capture == CaptureMethod::Manual => Kind::Authorized,
        Some("pay") => Kind::Paid,
        Some("fail") => Kind::Failed,
        Some("authorize") => Kind::Authorized,
        Some("walk_away") => {
            let message = "Nothing was sent to the shop: for all it knows, you are still about to pay.";
            return leave(request, checkout.cancel_url.as_deref(), "You walked away", message);
        }
        _ => return show(secret, request, checkout, Some("Please choose how the payment should end.")),
    };
    // A new id each time: choosing twice makes two events, as it would at a real gateway.
    let Some(id) = random_id() else {
        return PageResponse::Error(500, "The demo gateway found no randomness for its event's id.".to_owned());
    };
    let event = DummyEvent::new(id, kind, checkout.token.as_str(), checkout.amount);
    match deliver(&request.endpoint, verify::delivery(secret, event.body(request.now), request.now)).await {
        Ok(()) => {
            let message = format!("The shop has heard: {}. You can close this page.", kind.as_str());
            leave(request, checkout.return_url.as_deref(), "Thank you", &message)
        }
        Err(why) => PageResponse::Error(502, why),
    }
}

/// Sends the event. A missing answer, or one other than 200, is an error with a text for the page.
pub(super) async fn deliver(endpoint: &str, delivery: Delivery) -> Result<(), String> {
    let lost = |why| format!("The demo gateway's event did not reach the webhook endpoint: {why}.");
    match send::send(endpoint, delivery).await.map_err(lost)? {
        answer if answer.status == 200 => Ok(()),
        answer => {
            let reason = answer.reason.map(|code| format!(" ({code})")).unwrap_or_default();
            Err(format!("The webhook endpoint answered {}{reason} to the demo gateway's event.", answer.status))
        }
    }
}

/// Redirects the customer to `url`, or shows the last page if there is no safe address.
pub(super) fn leave(request: &PageRequest, url: Option<&str>, heading: &str, message: &str) -> PageResponse {
    match url.and_then(destination) {
        Some(url) => PageResponse::Redirect(url.to_owned()),
        None => html(&EndPage {
            css: file(request, "dummy.css"),
            icon: file(request, "icon.svg"),
            heading: heading.to_owned(),
            message: message.to_owned(),
        }),
    }
}

/// The address of a static file. They are served beside the variants: `/payments/static/dummy.css` for
/// `/payments/dummy`.
pub(super) fn file(request: &PageRequest, name: &str) -> String {
    let mount = request.address.rsplit_once('/').map_or("", |(mount, _)| mount);
    format!("{mount}/static/{name}")
}

pub(super) fn html(page: &impl Template) -> PageResponse {
    match page.render() {
        Ok(html) => PageResponse::Html(html),
        Err(_) => PageResponse::Error(500, "The demo gateway's page could not be written.".to_owned()),
    }
}

pub(super) fn random_id() -> Option<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).ok()?;
    Some(format!("de_{:032x}", u128::from_be_bytes(random)))
}

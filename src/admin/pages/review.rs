//! How does a person decide about a payment that needs review? The page says what was agreed, what came, and what each
//! decision does; a decision is refused where the amount is not the one that was shown.

use actix_web::HttpResponse;

use super::operation::address;
use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::parts::{Badge, Link};
use crate::admin::views::payment::Figure;
use crate::admin::views::review::Review;
use crate::domain::note;
use crate::engine::Payment;
use crate::engine::request::Requester;
use crate::gateways::Verb;
use crate::operations::Resolution;
use crate::reports::Permissions;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("payments/{token}/review", |visit| Box::pin(show(visit))),
    Route::act("payments/{token}/review", |visit| Box::pin(decide(visit))),
];

const NO_PAYMENT: Failure = Failure::NotFound("There is no payment with this token.");

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    if !visit.may_act() {
        return Err(Failure::Refused("Your access is read-only.".to_owned()));
    }
    let found = visit.engine().permissions(visit.part("token")).await?.ok_or(NO_PAYMENT)?;
    let payment = &found.payment;
    if !payment.awaits_decision() {
        return Err(Failure::Refused("This payment needs no review.".to_owned()));
    }
    let flags = [Some(payment.status.into()), payment.disputed.then(Badge::disputed), Badge::mode(payment.livemode)];
    let page = Review {
        page: frame.page("Review a payment", "payments"),
        back: Link::new("The payment", visit.staying(&format!("payments/{}", payment.token))),
        badges: flags.into_iter().flatten().collect(),
        whose: [payment.reference.as_deref(), payment.customer.as_deref()].into_iter().flatten().map(str::to_owned).collect(),
        figures: Figure::all(payment, &found.verbs),
        concerns: payment.concerns.clone(),
        action: at(&visit, payment),
        seen: micros(payment),
        longest: note::LONGEST,
        accept: acceptance(payment),
        give_back: give_back(&visit, &found),
    };
    Ok(frame.render(&page))
}

async fn decide(visit: Visit) -> Result<HttpResponse, Failure> {
    let found = visit.engine().permissions(visit.part("token")).await?.ok_or(NO_PAYMENT)?;
    let payment = &found.payment;
    let note = visit.form.get("note").unwrap_or_default();
    let unclear = || Failure::Refused("Nothing was decided. Open the payment and try again.".to_owned());
    let resolution = match visit.form.get("decision").as_deref() {
        Some("accept") => Resolution::accept(note),
        Some("dismiss") => Resolution::dismiss(note),
        _ => return Err(unclear()),
    };
    let seen = visit.form.get("seen").ok_or_else(unclear)?;
    if seen != micros(payment) {
        let why = "The payment has changed in the meantime. Look at it again before you decide.";
        return Err(Failure::Refused(why.to_owned()));
    }
    let requester = Requester::Operator(visit.actor());
    let decided = visit.engine().resolve_review(&payment.token, resolution.seen(payment.updated_at), requester).await?;
    Ok(respond::see(&visit.staying(&format!("payments/{}?done=review", decided.token))))
}

/// When the payment changed last, by which it is known whether it is the one that was seen.
fn micros(payment: &Payment) -> String {
    (payment.updated_at.unix_timestamp_nanos() / 1_000).to_string()
}

/// Where it is decided.
pub(super) fn at(visit: &Visit, payment: &Payment) -> String {
    visit.staying(&format!("payments/{}/review", payment.token))
}

/// What can be accepted, and what that means.
fn acceptance(payment: &Payment) -> Option<(String, String)> {
    let Payment { amount, captured, status, .. } = payment;
    if captured.minor <= 0 || captured == amount || payment.remaining() != *captured {
        return None;
    }
    let then = if status.was_paid() { "" } else { ": it is paid then, and handlers run" };
    let came = format!("{amount} were agreed, and {captured} came.");
    Some((captured.to_string(), format!("{came} Accepting makes that the payment's amount{then}.")))
}

fn give_back(visit: &Visit, found: &Permissions) -> Option<Link> {
    let refund = found.verbs.iter().find(|ask| ask.verb == Verb::Refund).filter(|ask| ask.may.is_ok())?;
    Some(Link::new("Refund", address(visit, &found.payment, refund.verb)))
}

//! What is in the list that one looks at, as a file? The same filter as the list's, all of its rows.

use actix_web::HttpResponse;
use time::macros::format_description;

use super::{events, payments};
use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::sheet::Cell::{Ours, Theirs};
use crate::admin::sheet::{Sheet, Way, download};
use crate::admin::views::words::machine;
use crate::error::Error;
use crate::payments::Payment;
use crate::store::rows::{EventRow, PaymentRow};

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("payments.csv", |visit| Box::pin(payments_csv(visit))),
    Route::page("events.csv", |visit| Box::pin(events_csv(visit))),
];

const PAYMENTS: &[&str] = &[
    "created", "token", "reference", "variant", "status", "amount", "captured", "refunded", "currency", "mode",
    "customer", "disputed", "concerns", "adopted", "updated",
];

const EVENTS: &[&str] = &[
    "received", "event", "kind", "variant", "state", "code", "outcome", "payment", "mode", "deliveries", "attempts",
    "occurred", "finished",
];

async fn payments_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let (way, response) = download(&file("payments", &visit));
    actix_rt::spawn(async move { end(send_payments(visit, &way).await, &way).await });
    Ok(response)
}

async fn events_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let (way, response) = download(&file("events", &visit));
    actix_rt::spawn(async move { end(send_events(visit, &way).await, &way).await });
    Ok(response)
}

/// What the file is of, and when it was made.
fn file(what: &str, visit: &Visit) -> String {
    let now = visit.payments.now().format(format_description!("[year]-[month]-[day]T[hour]-[minute]Z"));
    format!("{what}-{}.csv", now.unwrap_or_default())
}

/// A file that could not be finished is broken off, so that nobody takes it for the whole.
async fn end(sent: Result<(), Error>, way: &Way) {
    if let Err(error) = sent {
        log::error!("payments: a CSV was broken off: {error}");
        let _ = way.send(Err(error)).await;
    }
}

async fn send_payments(visit: Visit, way: &Way) -> Result<(), Error> {
    let (filter, mut before) = (payments::filter(&Fields::of(&visit.req)), None);
    let mut sheet = Sheet::new(visit, PAYMENTS);
    while sheet.send(way).await {
        let rows = sheet.visit().payments.export_payments(filter.clone(), before).await?;
        let Some(last) = rows.last() else { break };
        before = Some(last.id);
        for row in &rows {
            add_payment(&mut sheet, row)?;
        }
    }
    Ok(())
}

fn add_payment(sheet: &mut Sheet, row: &PaymentRow) -> Result<(), Error> {
    let payment = Payment::of(row)?;
    let cells = [
        Ours(machine(payment.created_at)),
        Ours(payment.token),
        Theirs(payment.reference),
        Ours(payment.variant),
        Ours(payment.status.to_string()),
        Ours(payment.amount.decimal()),
        Ours(payment.captured.decimal()),
        Ours(payment.refunded.decimal()),
        Ours(payment.amount.currency.to_string()),
        Ours(mode(payment.livemode)),
        Theirs(payment.customer),
        Ours(payment.disputed.to_string()),
        Theirs(Some(payment.concerns.join("\n"))),
        Ours(payment.adopted.to_string()),
        Ours(machine(payment.updated_at)),
    ];
    sheet.row(&row.variant, cells);
    Ok(())
}

async fn send_events(visit: Visit, way: &Way) -> Result<(), Error> {
    let (filter, mut before) = (events::filter(&Fields::of(&visit.req)), None);
    let mut sheet = Sheet::new(visit, EVENTS);
    while sheet.send(way).await {
        let rows = sheet.visit().payments.export_events(filter.clone(), before).await?;
        let Some((last, _)) = rows.last() else { break };
        before = Some(last.id);
        rows.into_iter().for_each(|(row, token)| add_event(&mut sheet, row, token));
    }
    Ok(())
}

fn add_event(sheet: &mut Sheet, row: EventRow, token: Option<String>) {
    let time = |at: Option<_>| Ours(at.map(machine).unwrap_or_default());
    let variant = row.variant.clone();
    let cells = [
        time(Some(row.received_at)),
        Theirs(Some(row.gateway_event_id)),
        Theirs(Some(row.kind)),
        Ours(row.variant),
        Ours(row.state),
        Ours(row.outcome_code.unwrap_or_default()),
        Theirs(row.outcome),
        Ours(token.unwrap_or_default()),
        Ours(mode(row.livemode)),
        Ours(row.deliveries.to_string()),
        Ours(row.attempts.to_string()),
        time(row.occurred_at),
        time(row.finished_at),
    ];
    sheet.row(&variant, cells);
}

fn mode(livemode: Option<bool>) -> String {
    livemode.map_or("", |live| if live { "live" } else { "test" }).to_owned()
}

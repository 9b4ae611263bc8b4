//! What is in the list that one looks at, as a file? The same filter as the list's, all of its rows.

use actix_web::HttpResponse;

use super::{books, events, payments, subscriptions};
use crate::admin::asked::Asked;
use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::sheet::Cell::{Ours, Theirs};
use crate::admin::sheet::{Sheet, download};
use crate::admin::views::words::machine;
use crate::domain::money::{Currency, Money};
use crate::engine::{Payment, Subscription};
use crate::error::{Error, ErrorKind};
use crate::reports::{Beside, Place};
use crate::store::books::{BookPlace, MovementRow};
use crate::store::filters::AmountKey;
use crate::store::rows::{EventRow, PaymentRow};
use crate::store::subscriptions::SubscriptionRow;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("payments.csv", |visit| Box::pin(payments_csv(visit))).scoped(),
    Route::page("books.csv", |visit| Box::pin(books_csv(visit))).scoped(),
    Route::page("events.csv", |visit| Box::pin(events_csv(visit))).scoped(),
    Route::page("subscriptions.csv", |visit| Box::pin(subscriptions_csv(visit))).scoped(),
];

/// How many rows are read at a time: some hundred kilobytes.
pub(super) const CHUNK: usize = 1_000;

const PAYMENTS: &[&str] = &[
    "created", "token", "reference", "variant", "status", "amount", "captured", "refunded", "currency", "mode",
    "customer", "disputed", "concerns", "adopted", "updated", "account",
];

const BOOK: &[&str] = &[
    "moved", "kind", "amount", "currency", "variant", "mode", "payment", "gateway_id", "net", "rate", "account",
];

const EVENTS: &[&str] = &[
    "received", "event", "kind", "variant", "state", "code", "outcome", "payment", "mode", "deliveries", "attempts",
    "occurred", "finished", "account",
];

const SUBSCRIPTIONS: &[&str] = &[
    "created", "token", "gateway_ref", "variant", "status", "owner", "customer", "customer_ref", "items", "monthly",
    "currency", "period_end", "trial_end", "ends", "due_since", "mode", "certain", "adopted", "updated", "account",
];

async fn payments_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let mut asked = Asked::of(&visit.req);
    let mut view = readable(payments::view(&mut asked, &visit.frame(), &visit.scope()), &asked)?;
    // Of some variants' payments only so many are put in order by amount, and a file has all.
    view.order.by_amount &= visit.scope().is_all();
    let part = async move |sheet: &mut Sheet, place: Option<Place>| -> Result<Option<Place>, Error> {
        let page = sheet.visit().engine().payment_page(view.clone(), place, CHUNK).await?;
        page.rows.iter().for_each(|row| add_payment(sheet, row));
        view.last_seen = page.rows.last().map(AmountKey::of);
        Ok(page.further)
    };
    Ok(download(visit, "payments", PAYMENTS, part))
}

async fn books_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let mut asked = Asked::of(&visit.req);
    let view = readable(books::asked_for(&mut asked, &visit), &asked)?;
    let part = async move |sheet: &mut Sheet, place: Option<BookPlace>| -> Result<Option<BookPlace>, Error> {
        let (page, beside) = sheet.visit().engine().book_page(view.clone(), place, CHUNK).await?;
        let last = page.rows.last().filter(|_| page.further.is_some());
        let next = last.map(|row| BookPlace { at: row.moved_at, id: row.id, back: false, with: false });
        page.rows.into_iter().for_each(|row| add_movement(sheet, row, &beside));
        Ok(next)
    };
    Ok(download(visit, "books", BOOK, part))
}

async fn events_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let mut asked = Asked::of(&visit.req);
    let view = readable(events::view(&mut asked, &visit.frame(), &visit.scope()), &asked)?;
    let part = async move |sheet: &mut Sheet, place: Option<Place>| -> Result<Option<Place>, Error> {
        let page = sheet.visit().engine().event_page(view.clone(), place, CHUNK).await?;
        let of = page.rows.iter().filter_map(|row| row.payment_id).collect();
        let tokens = sheet.visit().engine().tokens_of(of).await?;
        for row in page.rows {
            let token = row.payment_id.and_then(|id| tokens.get(&id).cloned());
            add_event(sheet, row, token);
        }
        Ok(page.further)
    };
    Ok(download(visit, "events", EVENTS, part))
}

async fn subscriptions_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let mut asked = Asked::of(&visit.req);
    let mut view = readable(subscriptions::view(&mut asked, visit.engine().now(), visit.scope()), &asked)?;
    let part = async move |sheet: &mut Sheet, place: Option<Place>| -> Result<Option<Place>, Error> {
        let page = sheet.visit().engine().subscription_page(view.clone(), place, CHUNK).await?.page;
        if page.lost {
            // It would begin anew.
            return Err(Error::new(ErrorKind::Conflict, "the list changed while it was written"));
        }
        view = view.clone().past(page.rows.last());
        page.rows.into_iter().for_each(|row| add_subscription(sheet, row));
        Ok(page.further)
    };
    Ok(download(visit, "subscriptions", SUBSCRIPTIONS, part))
}

/// A file of other rows than were meant is worse than none.
pub(super) fn readable<T>(view: T, asked: &Asked) -> Result<T, Failure> {
    match asked.problem() {
        Some(problem) => Err(Failure::Refused(format!("The filter can't be read; {problem}."))),
        None => Ok(view),
    }
}

fn add_payment(sheet: &mut Sheet, row: &PaymentRow) {
    let payment = Payment::of(row);
    let cells = [
        Ours(machine(payment.created_at)),
        Ours(payment.token.into()),
        Theirs(payment.reference.map(String::from)),
        Ours(payment.variant.to_string()),
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
        Theirs(payment.account),
    ];
    sheet.row(&row.variant, cells);
}

fn add_movement(sheet: &mut Sheet, row: MovementRow, beside: &Beside) {
    let (variant, decimal) = (row.variant.clone(), |minor| Money::new(minor, row.currency).decimal());
    let (net, rate) = (beside.net(&row).map(decimal), beside.rate(&row));
    let token = beside.tokens.get(&row.payment_id).cloned();
    let cells = [
        Ours(machine(row.moved_at)),
        Ours(row.kind.as_str().to_owned()),
        Ours(decimal(row.amount)),
        Ours(row.currency.to_string()),
        Ours(row.variant),
        Ours(row.mode),
        Ours(token.unwrap_or_default()),
        Theirs(Some(row.gateway_ref)),
        Ours(net.unwrap_or_default()),
        Ours(rate.unwrap_or_default()),
        Theirs(beside.accounts.get(&row.payment_id).cloned()),
    ];
    sheet.row(&variant, cells);
}

fn add_event(sheet: &mut Sheet, row: EventRow, token: Option<String>) {
    let time = |at: Option<_>| Ours(at.map(machine).unwrap_or_default());
    let variant = row.variant.clone();
    let cells = [
        time(Some(row.received_at)),
        Theirs(Some(row.gateway_event_id)),
        Theirs(Some(row.kind)),
        Ours(row.variant),
        Ours(row.state.as_str().to_owned()),
        Ours(row.outcome_code.unwrap_or_default()),
        Theirs(row.outcome),
        Ours(token.unwrap_or_default()),
        Ours(mode(row.livemode)),
        Ours(row.deliveries.to_string()),
        Ours(row.attempts.to_string()),
        time(row.occurred_at),
        time(row.finished_at),
        Theirs(row.account),
    ];
    sheet.row(&variant, cells);
}

fn add_subscription(sheet: &mut Sheet, row: SubscriptionRow) {
    let time = |at: Option<_>| Ours(at.map(machine).unwrap_or_default());
    let currency = row.monthly_currency.as_deref().and_then(|code| Currency::parse(code).ok());
    let monthly = row.monthly_amount.zip(currency).map(|(minor, currency)| Money::new(minor, currency).decimal());
    let variant = row.variant.clone();
    let items = subscriptions::items(&row);
    let account = Subscription::of(&row).ok().and_then(|subscription| subscription.account);
    let ends = row.ended_at.or(row.cancel_at).or(row.period_end.filter(|_| row.cancel_at_period_end));
    let cells = [
        time(Some(row.created_at)),
        Ours(row.token),
        Theirs(row.gateway_ref),
        Ours(row.variant),
        Ours(row.status.to_string()),
        Theirs(row.owner),
        Theirs(row.customer),
        Theirs(row.customer_ref),
        Theirs(Some(items)),
        Ours(monthly.unwrap_or_default()),
        Ours(row.monthly_currency.unwrap_or_default()),
        time(row.period_end),
        time(row.trial_end),
        time(ends),
        time(row.due_since),
        Ours(mode(row.livemode)),
        Ours(row.certain.to_string()),
        Ours(row.adopted.to_string()),
        time(Some(row.updated_at)),
        Theirs(account),
    ];
    sheet.row(&variant, cells);
}

pub(super) fn mode(livemode: Option<bool>) -> String {
    livemode.map_or("", |live| if live { "live" } else { "test" }).to_owned()
}

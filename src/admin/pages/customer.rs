//! All that there is of one customer. The page's address names a payment or subscription, never the customer: addresses
//! of pages stand in logs and in the browser's history.

use actix_web::HttpResponse;

use super::{payment_totals, payments, subscriptions};
use crate::admin::asked::Asked;
use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::customer::Customer;
use crate::admin::views::list::{self, Paging};
use crate::admin::views::parts::Link;
use crate::reports::{COUNT_CAP, CustomerOf, Order};

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("payments/{token}/customer", |visit| Box::pin(of_payment(visit))),
    Route::page("subscriptions/{token}/customer", |visit| Box::pin(of_subscription(visit))),
];

async fn of_payment(visit: Visit) -> Result<HttpResponse, Failure> {
    let of = CustomerOf::Payment(visit.part("token").to_owned());
    show(visit, of, "payments", "Payment").await
}

async fn of_subscription(visit: Visit) -> Result<HttpResponse, Failure> {
    let of = CustomerOf::Subscription(visit.part("token").to_owned());
    show(visit, of, "subscriptions", "Subscription").await
}

async fn show(visit: Visit, of: CustomerOf, section: &str, what: &str) -> Result<HttpResponse, Failure> {
    let (frame, mut asked, token) = (visit.frame(), Asked::of(&visit.req), visit.part("token"));
    let found = visit.engine().customer_story(of, asked.place(), visit.scope()).await?;
    let found = found.ok_or(Failure::NotFound("No customer is known here."))?;
    let paging = asked.fields.paging(&frame.customer(section, token), "payment", &found.page, Order::default());
    let all_subscriptions = || Link::new("More subscriptions", frame.found("subscriptions", &found.name));
    let page = Customer {
        page: frame.page("Customer", section),
        back: Link::new(what, frame.href(&format!("{section}/{token}"))),
        sums: found.sums.iter().map(payment_totals::of).collect(),
        sums_note: found.is_part.then(|| format!("Of the newest {COUNT_CAP} payments.")),
        rows: list::readable(found.page.each(|row| payments::row(&frame, row)), "Payment"),
        paging: Paging { csv: None, ..paging },
        subscriptions: found.subscriptions.iter().map(|row| subscriptions::line(&frame, row)).collect(),
        more_subscriptions: found.has_more_subscriptions.then(all_subscriptions),
        name: found.name,
        variant: found.variant,
    };
    Ok(frame.render(&page))
}

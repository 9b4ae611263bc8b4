//! The monthly tea box: who subscribes, and the page that only active subscribers see.

use actix_payments::{ActiveSubscription, NewSubscription, Payments, RequireActive, SubscriptionQuery};
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::customer::{cookie, customer};
use crate::pages::{Failure, new_customer, page, root};
use crate::settings::TeaPrices;

/// What the box costs on the dummy gateway, in cents.
pub(crate) const PRICE: i64 = 1250;

pub(crate) fn routes(payments: Payments, prices: TeaPrices) -> impl FnOnce(&mut web::ServiceConfig) {
    let subscribers = RequireActive::new(payments, customer)
        .otherwise(|_| HttpResponse::SeeOther().insert_header((LOCATION, "/tea")).finish());
    move |config| {
        config
            .app_data(web::Data::new(prices))
            .route("/tea", web::get().to(offer))
            .route("/tea", web::post().to(subscribe))
            .route("/tea/manage", web::post().to(manage))
            .service(web::scope("/tea/box").wrap(subscribers).route("", web::get().to(this_month)));
    }
}

#[derive(Template)]
#[template(path = "../examples/shop/tea.html")]
struct Offer {
    variants: Vec<String>,
    /// How the customer's newest subscription stands, if there is one.
    status: Option<String>,
}

#[derive(Template)]
#[template(path = "../examples/shop/box.html")]
struct ThisMonth {
    owner: String,
}

#[derive(Deserialize)]
struct Subscribe {
    variant: String,
}

async fn offer(req: HttpRequest, payments: Payments, prices: web::Data<TeaPrices>) -> Result<HttpResponse, Failure> {
    let status = newest(&req, &payments).await?.map(|one| one.status().to_string().replace('_', " "));
    page(&Offer { variants: prices.0.iter().map(|(variant, _)| variant.clone()).collect(), status })
}

async fn newest(req: &HttpRequest, payments: &Payments) -> Result<Option<actix_payments::Subscription>, Failure> {
    let Some(owner) = customer(req) else { return Ok(None) };
    let list = payments.subscriptions(SubscriptionQuery::new().owner(owner).limit(1)).await?;
    Ok(list.subscriptions.into_iter().next())
}

async fn subscribe(
    req: HttpRequest,
    form: web::Form<Subscribe>,
    payments: Payments,
    prices: web::Data<TeaPrices>,
) -> Result<HttpResponse, Failure> {
    let price = prices.0.iter().find(|(variant, _)| *variant == form.variant);
    let (variant, price) = price.ok_or(Failure::bad("the tea box is not sold that way"))?;
    let owner = customer(&req).map_or_else(new_customer, Ok)?;
    let back = root(&req);
    let new = NewSubscription::new(variant, price)
        .owner(&owner)
        .return_url(format!("{back}/tea/box"))
        .cancel_url(format!("{back}/tea"));
    let next = payments.subscribe(new).await?.next;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, next.url().unwrap_or("/tea"))).cookie(cookie(owner)).finish())
}

/// The gateway's own page, where the customer changes or ends the subscription.
async fn manage(req: HttpRequest, payments: Payments) -> Result<HttpResponse, Failure> {
    let subscription = newest(&req, &payments).await?.ok_or(Failure::bad("there is no subscription"))?;
    let link = payments.portal_link(&subscription.token, &format!("{}/tea", root(&req))).await?;
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, link)).finish())
}

async fn this_month(active: ActiveSubscription) -> Result<HttpResponse, Failure> {
    page(&ThisMonth { owner: active.owner })
}

//! Is a company taken in that signs nothing and says no more than an id?

mod calls;
pub(crate) mod fake;
mod hints;
mod payments;
mod trouble;

use actix_payments::domain::payment::Status;
use actix_payments::{Builder, CaptureMethod, NewPayment};
use actix_web::http::Method;

use crate::app::{Answer, App, Kind, NOW};
use crate::scenes::money;
use fake::Fake;

/// An app whose Mollie is a fake.
async fn app(kind: Kind) -> (App, Fake) {
    app_with(kind, |builder| builder).await
}

async fn app_with(
    kind: Kind,
    configure: impl FnOnce(Builder<actix_payments::AnyConnection>) -> Builder<actix_payments::AnyConnection>,
) -> (App, Fake) {
    let fake = Fake::new(NOW);
    let gateway = fake.gateway();
    (App::bare(kind, |builder| configure(builder.variant("mollie", gateway))).await, fake)
}

/// A payment of 50 euros that waits for its customer: its token and Mollie's id.
async fn begun(app: &App, capture: CaptureMethod) -> (String, String) {
    let new = NewPayment::new("mollie", money(5000, "EUR")).return_url("https://shop.example/thanks").capture(capture);
    let token = app.payments.create(new).await.unwrap().payment.token;
    let id = app.texts(&format!(
        "SELECT gateway_ref AS t FROM pay_references AS r JOIN pay_payments AS p ON p.id = r.payment_id \
         WHERE p.token = '{token}' AND gateway_ref LIKE 'tr_%'"
    ));
    (token.to_string(), id.into_iter().next().unwrap())
}

/// Mollie's own webhook, or anybody's.
async fn hint(app: &App, id: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    app.request(Method::POST, "/payments/mollie/", &headers, format!("id={id}").as_bytes()).await
}

/// A hint that is taken, and what follows from it.
async fn told(app: &App, id: &str) {
    let answer = hint(app, id).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{id}");
    app.drain().await;
}

async fn is(app: &App, token: &str, status: Status) {
    assert_eq!(app.status(token).await, status, "{:?}", app.outcomes());
    app.same(token).await;
}

/// The page of the event that came first, as people read it.
async fn first_page(app: &App) -> String {
    let id = app.number("SELECT min(id) FROM pay_events");
    app.get(&format!("/payments/admin/events/{id}")).await.text()
}

//! The shop's own tests, with the crate's test kit: each has a database of its own, and the payment company's deliveries
//! come through the shop's routes, signed, in whatever order.

use actix_payments::domain::payment::Status;
use actix_payments::testing::{Company, Story, TestDatabase, settle};
use actix_payments::{AnyConnection, Database, Payment, Payments, SubscriptionQuery};
use actix_web::dev::ServiceResponse;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, web};
use serde_json::Value;

use crate::orders::{self, Order};
use crate::settings::Settings;
use crate::{pages, payments, tea};

/// The shop on a database of its own.
struct Shop {
    payments: Payments,
    database: Database<AnyConnection>,
    stripe: Company,
    _test: TestDatabase,
}

impl Shop {
    async fn open() -> Self {
        let test = TestDatabase::sqlite().expect("a database");
        let database = Database::from_url(test.url()).expect("it opens");
        let payments = payments::build(database.clone(), &Settings::of_test()).expect("it is configured");
        orders::create_table(&database).expect("a table");
        payments.migrate().await.expect("tables");
        let stripe = Company::stripe(&payments, "stripe");
        Self { payments, database, stripe, _test: test }
    }

    /// Sends a request to the shop's own routes.
    async fn ask(&self, request: TestRequest) -> ServiceResponse {
        let app = App::new().app_data(self.payments.clone()).app_data(web::Data::new(self.database.clone()));
        let app = app.service(self.payments.mount("/payments")).configure(pages::routes);
        call_service(&init_service(app).await, request.to_request()).await
    }

    /// Buys a kettle; answers the order's id and its payment.
    async fn buy(&self) -> (String, Payment) {
        let form = [("item", "kettle"), ("variant", "stripe")];
        let request = TestRequest::post().uri("/orders").insert_header(("accept", "application/json")).set_form(form);
        let answer: Value = read_body_json(self.ask(request).await).await;
        let token = answer["token"].as_str().expect("a token");
        let payment = self.payments.payment(&token.into()).await.expect("it is read").expect("it is there");
        (answer["order"].as_str().expect("an order").to_owned(), payment)
    }

    /// Lets Stripe send this, and all be done that is due.
    async fn after(&self, story: Story) {
        for request in story.requests().await {
            assert_eq!(self.ask(request).await.status(), 200);
        }
        settle(&self.payments).await.expect("all is done");
    }

    fn order(&self, id: &str) -> Order {
        let mut conn = self.database.connection().expect("a connection");
        orders::find(conn.lent(), id).expect("it is read").expect("it is there")
    }
}

#[actix_web::test]
async fn a_paid_order_gets_one_receipt_however_its_events_come() {
    let shop = Shop::open().await;
    for seed in 0..5 {
        let (id, payment) = shop.buy().await;
        let story = shop.stripe.paid(&payment).then(shop.stripe.refunded(&payment, 10_00));
        shop.after(story.twice().shuffled(seed)).await;
        let order = shop.order(&id);
        assert_eq!((order.status.as_str(), order.receipts), ("partially_refunded", 1), "in order {seed}");
    }
}

#[actix_web::test]
async fn an_order_whose_card_was_declined_can_still_be_paid() {
    let shop = Shop::open().await;
    let (id, payment) = shop.buy().await;
    shop.after(shop.stripe.failed(&payment)).await;
    assert_eq!((shop.order(&id).status.as_str(), shop.order(&id).receipts), (Status::Failed.as_str(), 0));
    shop.after(shop.stripe.paid(&payment)).await;
    assert_eq!((shop.order(&id).status.as_str(), shop.order(&id).receipts), (Status::Paid.as_str(), 1));
}

#[actix_web::test]
async fn a_delivery_that_nobody_signed_changes_nothing() {
    let shop = Shop::open().await;
    let (id, payment) = shop.buy().await;
    let body = shop.stripe.paid(&payment).deliveries().await.remove(0).body;
    let forged = TestRequest::post().uri("/payments/stripe/").set_payload(body);
    assert_eq!(shop.ask(forged).await.status(), 400);
    settle(&shop.payments).await.expect("nothing is due");
    assert_eq!(shop.order(&id).status, Status::Pending.as_str());
}

#[actix_web::test]
async fn the_tea_box_is_somebodys_for_as_long_as_it_is_paid() {
    let shop = Shop::open().await;
    let price = actix_payments::domain::money::Money::new(tea::PRICE, actix_payments::domain::money::Currency::EUR);
    let ann = shop.stripe.subscriber("ann", price);
    shop.after(shop.stripe.started(&ann)).await;
    assert!(shop.payments.active("ann").await.expect("it is read"));
    shop.after(shop.stripe.ended(&ann)).await;
    assert!(!shop.payments.active("ann").await.expect("it is read"));
    let all = shop.payments.subscriptions(SubscriptionQuery::new()).await.expect("they are read").subscriptions;
    assert_eq!(all.len(), 1);
}

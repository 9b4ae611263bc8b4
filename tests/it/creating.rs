//! A payment that is created under a key of the host's is created once.

use actix_payments::domain::payment::Status;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::{Created, Error, ErrorKind, NewPayment, Next};

use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::{completed, money};
use crate::stripe::fake::Fake;

fn kettle(variant: &str, key: &str) -> NewPayment {
    NewPayment::new(variant, money(4999, "EUR")).reference("order-10042").key(key).return_url("https://shop.example/")
}

async fn with_dummy(kind: Kind) -> App {
    let app = App::with(kind, |builder| builder.variant("dummy", Dummy::new("secret"))).await;
    let _ = app.payments.mount("/payments");
    app
}

fn refused(created: Result<Created, Error>) -> String {
    let error = created.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    error.to_string()
}

on_both_databases! {
    async fn created_again_under_its_key_it_is_the_same_payment_at_the_same_page(kind) {
        let app = with_dummy(kind).await;
        let first = app.payments.create(kettle("dummy", "order-10042-1")).await.unwrap();
        let again = app.payments.create(kettle("dummy", "order-10042-1")).await.unwrap();
        assert_eq!((&again.payment.token, &again.next), (&first.payment.token, &first.next));
        assert!(matches!(first.next, Next::Redirect(_)), "{:?}", first.next);
        let other = app.payments.create(kettle("dummy", "order-10042-2")).await.unwrap();
        assert_ne!(other.payment.token, first.payment.token);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 2);
    }

    async fn a_double_click_makes_one_payment(kind) {
        let app = with_dummy(kind).await;
        let clicks = (0..6).map(|_| {
            let payments = app.payments.clone();
            actix_web::rt::spawn(async move { payments.create(kettle("dummy", "order-10042-1")).await.unwrap() })
        });
        let mut tokens = Vec::new();
        for click in clicks.collect::<Vec<_>>() {
            tokens.push(click.await.unwrap().payment.token);
        }
        tokens.dedup();
        assert_eq!((tokens.len(), app.number("SELECT count(*) FROM pay_payments")), (1, 1));
    }

    async fn a_key_of_another_payment_is_refused(kind) {
        let app = with_dummy(kind).await;
        app.payments.create(kettle("dummy", "order-10042-1")).await.unwrap();
        let dearer = NewPayment::new("dummy", money(5999, "EUR")).reference("order-10042").key("order-10042-1");
        let why = refused(app.payments.create(dearer).await);
        let through = "got one that created a payment of 49.99 EUR through dummy for \"order-10042\"";
        assert!(why.contains(through), "{why}");
        for other in [kettle("stripe", "order-10042-1"), kettle("dummy", "order-10042-1").reference("order-3")] {
            refused(app.payments.create(other).await);
        }
        refused(app.payments.create(kettle("dummy", "")).await);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 1);
    }

    async fn a_payment_that_is_paid_is_not_started_again(kind) {
        let app = App::new(kind).await;
        let first = app.payments.create(kettle("stripe", "order-10042-1")).await.unwrap();
        app.deliver(&[&completed(&first.payment.token)]).await;
        let again = app.payments.create(kettle("stripe", "order-10042-1")).await.unwrap();
        assert_eq!((again.payment.status, again.next), (Status::Paid, Next::Done));
        assert_eq!(again.payment.token, first.payment.token);
    }

    async fn what_is_known_of_a_payment_is_not_asked_of_its_gateway_again(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let first = app.payments.create(kettle("stripe", "order-10042-1")).await.unwrap();
        let asked = fake.listener.heard().len();
        let again = app.payments.create(kettle("stripe", "order-10042-1")).await.unwrap();
        assert_eq!((&again.payment.token, &again.next), (&first.payment.token, &first.next));
        assert_eq!(fake.listener.heard().len(), asked);
        fake.pay(&first.payment.token);
        app.payments.catch_up(&first.payment.token).await.unwrap();
        let asked = fake.listener.heard().len();
        let paid = app.payments.create(kettle("stripe", "order-10042-1")).await.unwrap();
        assert_eq!((paid.payment.status, paid.next), (Status::Paid, Next::Done));
        assert_eq!(fake.listener.heard().len(), asked, "nobody is led to pay once more");
    }

    async fn what_was_begun_and_not_started_is_started_as_the_same_payment(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let first = app.payments.create(kettle("stripe", "order-10042-1")).await.unwrap();
        app.run("UPDATE pay_creations SET address = NULL");
        let again = app.payments.create(kettle("stripe", "order-10042-1")).await.unwrap();
        assert_eq!((&again.payment.token, &again.next), (&first.payment.token, &first.next), "the same session");
        assert_eq!(app.texts("SELECT address AS t FROM pay_creations").len(), 1);
    }
}

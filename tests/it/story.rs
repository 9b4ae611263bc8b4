//! Does a signed event end in the right payment, for a reason that can be read?

use actix_payments::NewPayment;
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::payment::Status;

use crate::app::{App, on_both_databases};
use crate::events::{checkout, fixture};

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

on_both_databases! {
    async fn a_completed_checkout_pays_its_payment(kind) {
        let app = App::new(kind).await;
        let payment = app.payments.create(NewPayment::new("stripe", eur(4999)).reference("10042")).await.unwrap().payment;
        app.deliver(&[&checkout("checkout.session.completed", &payment.token)]).await;
        let paid = app.payments.payment(&payment.token).await.unwrap().unwrap();
        assert_eq!((paid.status, paid.captured, paid.needs_review()), (Status::Paid, eur(4999), false));
        app.deliver(&[&fixture("payment_intent.succeeded").to_string(), &fixture("charge.succeeded").to_string()]).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_transitions"), 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state = 'completed'"), 3);
        assert!(app.payments.rebuild(&payment.token).await.unwrap().same);
    }
}

//! Is what the younger gateways tell of somebody who was erased reduced before it is stored, and believed all the same?

use actix_payments::domain::money::Money;
use actix_payments::domain::payment::Status;
use actix_payments::{NewPayment, Person};
use serde_json::{Value, json};

use super::{Company, adyen, events, lemon_squeezy, paddle, polar, razorpay, square, tell, variant};
use crate::app::{App, Kind, on_both_databases};
use crate::person::{EMAIL, with_key};
use crate::scenes::money;

/// The event with a person in each of its objects.
fn with_person(event: &mut Value) {
    match event {
        Value::Object(fields) => {
            fields.values_mut().for_each(with_person);
            fields.insert("customer_name".to_owned(), json!("Mia Kowalska"));
            fields.insert("email".to_owned(), json!(EMAIL));
        }
        Value::Array(all) => all.iter_mut().for_each(with_person),
        _ => {}
    }
}

/// Somebody is erased whose payment is still open, and then the event that pays it tells all about them.
async fn is_paid_and_reduced<C: Company>(kind: Kind, name: &str, due: Money) {
    let app = App::bare(kind, |builder| with_key(builder.variant(variant::<C>(0), C::gateway()))).await;
    let new = NewPayment::new(variant::<C>(0), due).customer(EMAIL).without_checkout();
    let token = app.payments.create(new).await.unwrap().payment.token;
    assert_eq!(app.payments.erase(&Person::email(EMAIL)).await.unwrap().payments, 1);
    let mut event: Value = serde_json::from_str(&C::of(&events::<C>()[name], &token)).unwrap();
    with_person(&mut event);
    tell::<C>(&app, name, &event.to_string()).await;
    let payment = app.payment(&token).await;
    assert_eq!(
        (payment.status, payment.customer.as_deref()),
        (Status::Paid, None),
        "{}: {:?}",
        C::NAME,
        app.outcomes()
    );
    assert!(app.number("SELECT count(*) FROM pay_event_bodies") > 0);
    assert_eq!(app.found(), Vec::<String>::new(), "{}", C::NAME);
}

on_both_databases! {
    async fn what_comes_later_of_the_erased_is_reduced_and_pays(kind) {
        is_paid_and_reduced::<adyen::Of>(kind, "AUTHORISATION", money(4999, "EUR")).await;
        is_paid_and_reduced::<lemon_squeezy::Of>(kind, "order_created", money(4999, "EUR")).await;
        is_paid_and_reduced::<paddle::Of>(kind, "transaction.completed", money(4999, "EUR")).await;
        is_paid_and_reduced::<polar::Of>(kind, "order.paid", money(4999, "EUR")).await;
        is_paid_and_reduced::<razorpay::Of>(kind, "payment.captured", money(4999, "INR")).await;
        is_paid_and_reduced::<square::Of>(kind, "payment.updated", money(4999, "EUR")).await;
    }
}

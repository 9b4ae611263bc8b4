//! Does the worker do its work until it is told to stop?

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_payments::NewPayment;
use actix_payments::domain::money::{Currency, Money};

use crate::app::{App, Kind};
use crate::events::checkout;

#[actix_web::test]
async fn a_worker_goes_on_when_nobody_holds_it() {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let count = move |_| {
        let before = counted.fetch_add(1, Ordering::SeqCst);
        async move { if before == 0 { Ok(()) } else { panic!("once is enough") } }
    };
    let app = App::with(Kind::Sqlite, |builder| builder.handler("count", count)).await;
    drop(app.payments.worker().start().unwrap());
    let amount = Money::new(4999, Currency::parse("EUR").unwrap());
    let token = app.payments.create(NewPayment::new("stripe", amount)).await.unwrap().payment.token;
    assert_eq!(app.stripe(&checkout("checkout.session.completed", &token)).await.status, 200);
    for _ in 0..250 {
        if app.number("SELECT count(*) FROM pay_events WHERE state = 'completed'") == 1 {
            return assert_eq!(runs.load(Ordering::SeqCst), 1);
        }
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the event was not completed within 5 s: {:?}", app.texts("SELECT state AS t FROM pay_events"));
}

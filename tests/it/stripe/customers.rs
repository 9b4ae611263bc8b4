//! Does a customer who comes back see that the payment is paid, whether Stripe's event has come or not, and is it paid
//! once?

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::{ErrorKind, HandlerError, NewPayment, Refund, Token};

use super::fake::{Fake, Fault};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::{Notes, execute, money};

/// An app that calls a fake, with a handler of each kind that notes when a payment is paid.
async fn app(kind: Kind) -> (App, Fake, [Notes; 2]) {
    let (fake, inside, after) = (Fake::new(NOW), Notes::default(), Notes::default());
    let (gateway, notes) = (fake.gateway(SECRET), [inside.clone(), after.clone()]);
    let app = App::bare(kind, |builder| {
        builder
            .variant("stripe", gateway)
            .handler_in_transaction("mark", move |conn, step| {
                execute(conn, "SELECT 1").map(drop).or_else(|_| Ok::<_, HandlerError>(()))?;
                if step.became(Status::Paid) {
                    inside.add(&step.payment.token);
                }
                Ok(())
            })
            .handler("ship", move |step| {
                let after = after.clone();
                async move {
                    if step.became(Status::Paid) {
                        after.add(&step.payment.token);
                    }
                    Ok(())
                }
            })
    })
    .await;
    (app, fake, notes)
}

async fn open(app: &App) -> Token {
    let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/thanks");
    app.payments.create(new).await.unwrap().payment.token
}

on_both_databases! {
    async fn who_comes_back_before_the_event_sees_that_it_is_paid(kind) {
        let (app, fake, [inside, after]) = app(kind).await;
        let token = open(&app).await;
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Pending, "nobody has paid yet");
        fake.pay(&token);
        let calls = fake.listener.heard().len();
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Pending);
        assert_eq!(fake.listener.heard().len(), calls, "it was asked just now");
        app.pass(2);
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Paid);
        assert_eq!((inside.count(), after.count()), (1, 0), "what takes time is a worker's");
        let calls = fake.listener.heard().len();
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Paid);
        assert_eq!(fake.listener.heard().len(), calls, "what is known is not asked for");
        app.drain().await;
        assert_eq!((inside.all(), after.all()), (vec![token.to_string()], vec![token.to_string()]));
        app.same(&token).await;
    }

    async fn a_gateway_that_does_not_answer_is_no_error(kind) {
        let (app, fake, _) = app(kind).await;
        let token = open(&app).await;
        fake.pay(&token);
        for fault in [Fault::CutBefore, Fault::RateLimit, Fault::Decline] {
            app.pass(2);
            fake.state().faults.push_back(Some(fault));
            assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Pending, "{fault:?}");
        }
        assert_eq!(app.payments.catch_up(&"nobody".into()).await.unwrap_err().kind(), ErrorKind::NotFound);
        app.pass(3600);
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Paid);
    }

    async fn event_and_customer_race_a_hundred_times_and_each_payment_is_paid_once(kind) {
        let (app, fake, [inside, after]) = app(kind).await;
        let worker = app.payments.worker().poll(Duration::from_millis(20)).start().unwrap();
        let mut tokens = Vec::new();
        for round in 0..100 {
            let token = open(&app).await;
            let before = fake.state().events.len();
            fake.pay(&token);
            let events: Vec<String> = fake.state().events[before..].iter().map(ToString::to_string).collect();
            let deliver = async {
                // One is first this time, the other the next time.
                tokio::time::sleep(Duration::from_millis(round % 7)).await;
                for event in &events {
                    assert_eq!(app.stripe(event).await.status, 200);
                }
            };
            let back = async {
                tokio::time::sleep(Duration::from_millis(round % 5)).await;
                app.payments.catch_up(&token).await.unwrap().status
            };
            let ((), status) = tokio::join!(deliver, back);
            assert_eq!(status, Status::Paid, "round {round}");
            tokens.push(token);
        }
        for _ in 0..200 {
            if app.number("SELECT count(*) FROM pay_events WHERE state <> 'completed'") == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        worker.stop().await;
        assert_eq!(app.outcomes().iter().filter(|outcome| !outcome.starts_with("completed")).count(), 0);
        assert_eq!(app.transitions(), vec!["pending → paid"; 100]);
        for notes in [inside, after] {
            let (mut noted, mut all) = (notes.all(), tokens.clone());
            noted.sort();
            all.sort();
            assert_eq!(noted, all, "each handler ran once for each");
        }
    }

    async fn a_handler_that_can_not_deliver_refunds(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let steps = Notes::default();
        let seen = steps.clone();
        let app = App::bare(kind, |builder| {
            builder.variant("stripe", gateway).handler("ship-or-refund", move |step| {
                let seen = seen.clone();
                async move {
                    seen.add(format!("{} → {}", step.from.as_str(), step.to.as_str()));
                    if step.became(Status::Paid) {
                        // Sold out meanwhile.
                        let refund = Refund::part(step.payment.captured).key("sold-out");
                        step.payments().refund(&step.payment.token, refund).await?;
                        let now = step.payments().payment(&step.payment.token).await?;
                        seen.add(format!("now {}", now.unwrap().status.as_str()));
                    }
                    Ok(())
                }
            })
        })
        .await;
        let token = open(&app).await;
        fake.pay(&token);
        let told: Vec<String> = fake.state().events.iter().map(ToString::to_string).collect();
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        let worked = tokio::time::timeout(Duration::from_secs(20), app.deliver(&told));
        worked.await.expect("no deadlock");
        assert_eq!(app.status(&token).await, Status::Refunded);
        assert_eq!(steps.all(), ["pending → paid", "now refunded", "paid → refunded"]);
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 1);
        // Run again, as after a crash before it was noted, it asks for the same refund.
        app.run("DELETE FROM pay_attempts");
        app.make_available();
        app.drain().await;
        assert_eq!((steps.count() > 3, app.status(&token).await), (true, Status::Refunded));
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 1);
    }

    async fn a_handler_in_the_transaction_that_calls_a_verb_is_refused_and_nothing_hangs(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let said = Notes::default();
        let seen = said.clone();
        let app = App::bare(kind, |builder| {
            builder.variant("stripe", gateway).handler_in_transaction("refund", move |_, step| {
                let payments = step.payments();
                let refund = payments.refund(&step.payment.token, Refund::all());
                let runtime = tokio::runtime::Builder::new_current_thread().build()?;
                seen.add(runtime.block_on(refund).unwrap_err().to_string());
                Ok(())
            })
        })
        .await;
        let token = open(&app).await;
        fake.pay(&token);
        let paid = tokio::time::timeout(Duration::from_secs(20), app.payments.catch_up(&token)).await;
        assert_eq!(paid.expect("no deadlock").unwrap().status, Status::Paid);
        assert!(said.all()[0].contains("after the commit"), "{:?}", said.all());
    }
}

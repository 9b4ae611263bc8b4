//! When PayPal's answers are late, lost, garbled or about something else: is no money asked for that may have moved already,
//! and is what its customer approved taken all the same?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_payments::domain::payment::Status;
use actix_payments::{
    CaptureMethod, ErrorKind, HandlerError, Mode, ModePolicy, NewPayment, Outcome, Refund, Token, Transition, Variant,
};
use serde_json::json;

use super::calls::{app, begun, operations, same, stands, tell, told};
use super::fake::{Fake, Fault};
use crate::app::{App, Kind, NOW, on_both_databases};
use crate::scenes::money;

/// A paid payment with a refund of 20.00 that PayPal made, and whose end nobody here knows.
async fn given_up(app: &App, fake: &Fake) -> Token {
    let token = begun(app, CaptureMethod::Immediate).await;
    fake.approve(&token);
    told(app, fake).await;
    fake.state().faults = [Some(Fault::CutAfter)].into();
    let part = Refund::part(money(2000, "EUR"));
    assert_eq!(app.payments.refund(&token, part).await.unwrap(), Outcome::Underway);
    app.pass(21 * 3600);
    token
}

fn refunds(app: &App) -> Vec<String> {
    app.texts("SELECT verb || ' ' || state AS t FROM pay_operations WHERE verb <> 'complete' ORDER BY id")
}

/// Another open order with the payment's token, as a host's own code may make one. Answers its id.
pub(super) fn another_order(fake: &Fake, token: &str) -> String {
    let mut state = fake.state();
    let first = state.orders.values().find(|order| order["purchase_units"][0]["custom_id"] == token).unwrap().clone();
    state.open(&json!({"intent": first["intent"], "purchase_units": [{"custom_id": token,
        "amount": first["purchase_units"][0]["amount"]}]}))["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(super) fn approve_order(fake: &Fake, id: &str) {
    let mut state = fake.state();
    let now = state.now;
    let order = state.orders.get_mut(id).unwrap();
    order["status"] = json!("APPROVED");
    order["update_time"] = json!(super::fake::time(now));
    let order = order.clone();
    state.tell("CHECKOUT.ORDER.APPROVED", "checkout-order", &order);
}

/// An app with books that may refuse what changes a payment.
pub(super) async fn with_books(kind: Kind) -> (App, Fake, Arc<AtomicBool>) {
    let fake = Fake::new(NOW);
    let (gateway, refusing) = (fake.gateway(), Arc::new(AtomicBool::new(false)));
    let refuses = refusing.clone();
    let app = App::bare(kind, |builder| {
        builder.variant("paypal", gateway).handler_in_transaction("books", move |_, _| {
            if refuses.load(Ordering::Relaxed) { Err(HandlerError::retry("not now")) } else { Ok(()) }
        })
    });
    (app.await, fake, refusing)
}

on_both_databases! {
    async fn a_refund_that_nobody_knows_of_counts_until_an_answer_could_be_read(kind) {
        let (app, fake) = app(kind).await;
        let token = given_up(&app, &fake).await;
        // It is given up, and the question how the payment stands is answered by what nobody can read.
        fake.state().faults = [Some(Fault::Garbled)].into();
        app.drain().await;
        assert_eq!(refunds(&app), ["refund unknown", "refresh underway"]);
        let more = || app.payments.refund(&token, Refund::part(money(4000, "EUR")));
        assert_eq!(more().await.unwrap_err().kind(), ErrorKind::Refused);
        let garbled = { fake.state().faults = [Some(Fault::Garbled)].into(); app.payments.refresh(&token).await };
        assert_eq!(garbled.unwrap_err().kind(), ErrorKind::Gateway);
        assert_eq!(more().await.unwrap_err().kind(), ErrorKind::Refused);
        // A worker asks until it is told.
        app.pass(60);
        app.drain().await;
        assert_eq!(stands(&app, &token).await.refunded.minor, 2000);
        assert_eq!(app.payments.refund(&token, Refund::part(money(3000, "EUR"))).await.unwrap(), Outcome::Done);
        assert_eq!(stands(&app, &token).await.status, Status::Refunded);
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count(), 2);
        same(&app, &token).await;
    }

    async fn an_answer_that_is_not_processed_tells_nothing_yet(kind) {
        let (app, fake, refusing) = with_books(kind).await;
        let token = given_up(&app, &fake).await;
        refusing.store(true, Ordering::Relaxed);
        app.drain().await;
        assert_eq!(refunds(&app), ["refund unknown", "refresh done"]);
        let more = || app.payments.refund(&token, Refund::part(money(4000, "EUR")));
        assert_eq!(more().await.unwrap_err().kind(), ErrorKind::Refused);
        refusing.store(false, Ordering::Relaxed);
        app.pass(3600);
        app.drain().await;
        assert_eq!(stands(&app, &token).await.refunded.minor, 2000);
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Done);
        assert_eq!(stands(&app, &token).await.refunded.minor, 5000);
    }

    async fn where_paypal_has_no_order_a_capture_with_refunds_tells_nothing(kind) {
        let (app, fake) = app(kind).await;
        let token = given_up(&app, &fake).await;
        fake.state().orders.clear();
        app.drain().await;
        assert_eq!(refunds(&app), ["refund unknown", "refresh declined"]);
        let refused = app.payments.refund(&token, Refund::part(money(4000, "EUR"))).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Refused);
        let refused = app.payments.refresh(&token).await.unwrap_err();
        assert!(format!("{refused:?}").contains("does not show its refunds"), "{refused:?}");
    }

    async fn a_customer_who_approves_anew_has_paid_though_no_event_arrives(kind) {
        let (app, fake) = app(kind).await;
        let pass = |seconds| { app.pass(seconds); fake.state().now += seconds; };
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        pass(5);
        fake.state().faults = [None, Some(Fault::Issue("INSTRUMENT_DECLINED"))].into();
        told(&app, &fake).await;
        assert_eq!(operations(&app), ["complete declined"]);
        pass(60);
        // Nothing has changed since.
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Pending);
        assert_eq!(operations(&app), ["complete declined"]);
        pass(60);
        fake.approve(&token);
        pass(5);
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Paid);
        assert_eq!(operations(&app), ["complete declined", "complete done"]);
        same(&app, &token).await;
    }

    async fn what_waited_a_day_for_a_worker_is_asked_for_all_the_same(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        app.payments.refresh(&token).await.unwrap();
        assert_eq!(operations(&app), ["complete underway"]);
        app.pass(21 * 3600);
        app.drain().await;
        assert_eq!((stands(&app, &token).await.status, operations(&app)), (Status::Paid, vec!["complete done".to_owned()]));
    }

    async fn what_does_not_get_through_or_is_not_seen_yet_is_asked_for_again(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        fake.state().faults = [Some(Fault::RateLimit)].into();
        told(&app, &fake).await;
        assert_eq!(operations(&app), ["complete underway"]);
        // PayPal's answer knows less than its event.
        let waits = |status: &str| fake.state().orders.values_mut().for_each(|order| order["status"] = json!(status));
        waits("PAYER_ACTION_REQUIRED");
        app.pass(60);
        app.drain().await;
        assert_eq!(operations(&app), ["complete underway"]);
        waits("APPROVED");
        app.pass(300);
        app.drain().await;
        assert_eq!((stands(&app, &token).await.status, operations(&app)), (Status::Paid, vec!["complete done".to_owned()]));
    }

    async fn what_paypal_does_not_show_approved_in_ten_minutes_is_declined(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        fake.state().faults = [Some(Fault::RateLimit)].into();
        told(&app, &fake).await;
        fake.state().orders.values_mut().for_each(|order| order["status"] = json!("VOIDED"));
        let mut tries = 0;
        while operations(&app) == ["complete underway"] {
            tries += 1;
            assert!(tries < 10, "it is asked for again and again");
            app.pass(300);
            app.drain().await;
        }
        assert_eq!((operations(&app), tries), (vec!["complete declined".to_owned()], 8));
    }

    async fn nobody_but_its_customer_makes_an_order_approved(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        let refused = app.payments.complete(&token).await.unwrap_err();
        assert!(format!("{refused:?}").contains("has not approved"), "{refused:?}");
        assert_eq!((operations(&app), fake.state().effects.len()), (vec!["complete declined".to_owned()], 1));
    }

    async fn a_final_capture_that_was_declined_closes_nothing(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Manual).await;
        fake.approve(&token);
        told(&app, &fake).await;
        fake.capture(3000);
        for status in ["DECLINED", "PENDING"] {
            {
                let mut state = fake.state();
                let shown = &mut state.orders.values_mut().next().unwrap()["purchase_units"][0]["payments"]["captures"];
                let (mut taken, mut rest) = (shown[0].clone(), shown[0].clone());
                taken["final_capture"] = json!(false);
                rest["id"] = json!("000000000000REST1");
                rest["status"] = json!(status);
                rest["amount"]["value"] = json!("20.00");
                rest["final_capture"] = json!(true);
                *shown = json!([taken, rest]);
            }
            app.pass(60);
            app.payments.refresh(&token).await.unwrap();
            let payment = stands(&app, &token).await;
            assert_eq!((payment.captured.minor, payment.needs_review()), (3000, true), "{status} {payment:?}");
        }
    }

    async fn an_approval_that_names_two_payments_is_a_persons_to_complete(kind) {
        let (app, fake) = app(kind).await;
        let (one, other) = (begun(&app, CaptureMethod::Immediate).await, begun(&app, CaptureMethod::Immediate).await);
        fake.approve(&one);
        let unit = |token: &str| json!({"custom_id": token, "amount": {"currency_code": "EUR", "value": "50.00"}});
        fake.state().events[0]["resource"]["purchase_units"] = json!([unit(&one), unit(&other)]);
        told(&app, &fake).await;
        assert_eq!((operations(&app).len(), fake.state().effects.len()), (0, 2));
        assert!(stands(&app, &one).await.needs_review());
        assert_eq!(app.payments.complete(&one).await.unwrap(), Outcome::Done);
        assert_eq!(stands(&app, &one).await.captured.minor, 5000);
    }

    async fn an_approval_of_the_other_mode_is_a_persons_to_complete(kind) {
        let fake = Fake::new(NOW);
        let variant = Variant::new(fake.gateway()).mode(Mode::Live, ModePolicy::Flag);
        let app = App::bare(kind, |builder| builder.variant("paypal", variant)).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        let second = another_order(&fake, &token);
        approve_order(&fake, &second);
        told(&app, &fake).await;
        assert_eq!((stands(&app, &token).await.needs_review(), operations(&app).len()), (true, 0));
        // Of two orders it is the one that was approved.
        assert_eq!(app.payments.complete(&token).await.unwrap(), Outcome::Done);
        assert_eq!(fake.state().effects.last().unwrap(), &format!("capture 50.00 of {second}"));
    }

    async fn of_two_orders_the_one_that_was_approved_is_completed(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        let first = fake.state().orders.keys().next().unwrap().clone();
        let second = another_order(&fake, &token);
        approve_order(&fake, &second);
        fake.state().faults = [None, Some(Fault::Issue("INSTRUMENT_DECLINED"))].into();
        told(&app, &fake).await;
        approve_order(&fake, &first);
        app.pass(60);
        told(&app, &fake).await;
        assert_eq!(fake.state().effects.last().unwrap(), &format!("capture 50.00 of {first}"));
        assert_eq!(stands(&app, &token).await.status, Status::Paid);
    }

    async fn a_second_order_waits_while_the_money_of_the_first_is_on_its_way(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        let pending = json!({"id": "WH-P", "event_type": "PAYMENT.CAPTURE.PENDING", "create_time": "2026-10-12T10:13:20Z",
            "resource_type": "capture", "resource_version": "2.0", "resource": {"id": "000000000000SLOW1", "status": "PENDING",
            "amount": {"currency_code": "EUR", "value": "50.00"}, "custom_id": token}});
        tell(&app, &pending.to_string()).await;
        app.drain().await;
        let second = another_order(&fake, &token);
        approve_order(&fake, &second);
        told(&app, &fake).await;
        assert_eq!((stands(&app, &token).await.status, operations(&app).len()), (Status::Pending, 0));
        let refused = app.payments.complete(&token).await.unwrap_err();
        assert!(refused.to_string().contains("on the way"), "{refused}");
    }

    async fn a_second_order_waits_until_the_answer_about_the_first_is_in_the_ledger(kind) {
        let (app, fake, refusing) = with_books(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        refusing.store(true, Ordering::Relaxed);
        told(&app, &fake).await;
        assert_eq!((stands(&app, &token).await.status, operations(&app)), (Status::Pending, vec!["complete done".to_owned()]));
        let second = another_order(&fake, &token);
        approve_order(&fake, &second);
        told(&app, &fake).await;
        assert_eq!(operations(&app), ["complete done"]);
        refusing.store(false, Ordering::Relaxed);
        app.pass(3600);
        app.drain().await;
        assert_eq!((stands(&app, &token).await.captured.minor, operations(&app).len()), (5000, 1));
    }

    async fn an_approval_that_came_beside_a_try_is_not_forgotten(kind) {
        let (app, fake) = app(kind).await;
        let pass = |seconds| { app.pass(seconds); fake.state().now += seconds; };
        for two_orders in [false, true] {
            let token = begun(&app, CaptureMethod::Immediate).await;
            fake.approve(&token);
            fake.state().faults = [None, Some(Fault::Trouble)].into();
            assert_eq!(app.payments.complete(&token).await.unwrap(), Outcome::Underway);
            if two_orders {
                let second = another_order(&fake, &token);
                approve_order(&fake, &second);
            }
            told(&app, &fake).await;
            // The try under which the approval was told ends with a no.
            pass(60);
            fake.state().faults = [None, Some(Fault::Issue("INSTRUMENT_DECLINED"))].into();
            app.drain().await;
            assert_eq!((stands(&app, &token).await.status, stands(&app, &token).await.captured.minor), (Status::Paid, 5000));
            let effects = fake.state().effects.iter().filter(|effect| effect.starts_with("capture")).count();
            assert_eq!(effects, 1 + usize::from(two_orders), "once for each payment");
        }
    }

    async fn all_orders_are_asked_for_what_became_of_the_payment(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Manual).await;
        let first = fake.state().orders.keys().next().unwrap().clone();
        let second = another_order(&fake, &token);
        approve_order(&fake, &second);
        fake.state().faults = [None, Some(Fault::Issue("INSTRUMENT_DECLINED"))].into();
        told(&app, &fake).await;
        app.pass(60);
        approve_order(&fake, &first);
        told(&app, &fake).await;
        app.payments.capture(&token, None).await.unwrap();
        fake.state().faults = [Some(Fault::CutAfter)].into();
        let part = Refund::part(money(2000, "EUR"));
        assert_eq!(app.payments.refund(&token, part).await.unwrap(), Outcome::Underway);
        app.pass(21 * 3600);
        app.drain().await;
        assert_eq!(stands(&app, &token).await.refunded.minor, 2000);
        assert_eq!(refunds(&app).iter().filter(|it| *it == "refund unknown").count(), 1);
    }

    async fn a_named_refund_that_did_not_get_through_is_made_later(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        told(&app, &fake).await;
        fake.state().faults = [Some(Fault::RateLimit)].into();
        let ask = || app.payments.refund(&token, Refund::part(money(1000, "EUR")).key("sold-out"));
        assert_eq!((ask().await.unwrap(), ask().await.unwrap()), (Outcome::Underway, Outcome::Underway));
        app.pass(60);
        app.drain().await;
        assert_eq!((ask().await.unwrap(), stands(&app, &token).await.refunded.minor), (Outcome::Done, 1000));
    }

    async fn what_async_handlers_are_about_is_not_counted_twice(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway();
        let app = App::bare(kind, |builder| {
            builder.variant("paypal", gateway).handler("late", |_: Transition| async { Err(HandlerError::retry("not yet")) })
        }).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        told(&app, &fake).await;
        for part in [1000, 2500, 1500] {
            assert_eq!(app.payments.refund(&token, Refund::part(money(part, "EUR"))).await.unwrap(), Outcome::Done);
            // PayPal's own event, of a moment later, takes the place of the answer.
            {
                let mut state = fake.state();
                let later = crate::paypal::fake::time(state.now + 2);
                state.events.last_mut().unwrap()["create_time"] = json!(later);
                state.now += 5;
            }
            app.pass(5);
            told(&app, &fake).await;
        }
        assert_eq!(stands(&app, &token).await.status, Status::Refunded);
    }

    async fn a_gateway_that_hangs_keeps_no_other_waiting(kind) {
        let (hangs, works) = (Fake::new(NOW), Fake::new(NOW));
        let gateways = (hangs.gateway(), works.gateway());
        let app = App::bare(kind, |builder| builder.variant("hangs", gateways.0).variant("works", gateways.1)).await;
        let mut tokens = Vec::new();
        for (variant, fake) in [("hangs", &hangs), ("works", &works)] {
            let new = NewPayment::new(variant, money(5000, "EUR")).return_url("https://shop.example/");
            let token = app.payments.create(new).await.unwrap().payment.token;
            fake.approve(&token);
            tokens.push(token);
        }
        app.payments.refresh(&tokens[0]).await.unwrap();
        // Who holds the fake's state keeps it from answering.
        let (held, (go_on, wait)) = (Arc::new(hangs), std::sync::mpsc::channel::<()>());
        let holding = std::thread::spawn(move || {
            let _state = held.state();
            wait.recv().unwrap();
        });
        let worker = actix_web::rt::spawn({
            let payments = app.payments.clone();
            async move { payments.worker().drain().await }
        });
        // Something of another gateway's becomes due while the worker waits.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        app.payments.refresh(&tokens[1]).await.unwrap();
        assert_eq!(operations(&app), ["complete underway", "complete underway"]);
        for _ in 0..100 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            if stands(&app, &tokens[1]).await.status == Status::Paid {
                break;
            }
        }
        assert_eq!(stands(&app, &tokens[1]).await.status, Status::Paid);
        assert_eq!(stands(&app, &tokens[0]).await.status, Status::Pending);
        go_on.send(()).unwrap();
        holding.join().unwrap();
        worker.await.unwrap().unwrap();
        assert_eq!(stands(&app, &tokens[0]).await.status, Status::Paid);
    }

    async fn a_page_that_many_load_at_once_asks_once(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        let before = fake.listener.heard().len();
        let load = || actix_web::rt::spawn({
            let (payments, token) = (app.payments.clone(), token.clone());
            async move { payments.catch_up(&token).await.unwrap().status }
        });
        let loads: Vec<_> = (0..6).map(|_| load()).collect();
        for load in loads {
            assert_eq!(load.await.unwrap(), Status::Pending);
        }
        assert_eq!(fake.listener.heard().len() - before, 1);
    }

    async fn a_list_with_events_of_no_time_or_of_one_comes_to_an_end(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, CaptureMethod::Immediate).await;
        fake.approve(&token);
        let approved = fake.state().events[0].clone();
        let add = |id: String, at: Option<i64>| {
            let mut other = approved.clone();
            other["id"] = json!(id);
            other["event_type"] = json!("CUSTOMER.MERCHANT-INTEGRATION.SELLER-ALREADY-INTEGRATED");
            match at {
                Some(at) => other["create_time"] = json!(crate::paypal::fake::time(at)),
                None => drop(other.as_object_mut().unwrap().remove("create_time")),
            }
            fake.state().events.push(other);
        };
        for at in 1..250 {
            add(format!("WH-OTHER-{at}"), Some(NOW + at));
        }
        add("WH-TIMELESS".to_owned(), None);
        assert_eq!(app.payments.reconcile("paypal").await.unwrap().found, 1);
        for number in 0..200 {
            add(format!("WH-BURST-{number}"), Some(NOW + 300));
        }
        let stuck = app.payments.reconcile("paypal").await.unwrap_err();
        assert!(format!("{stuck:?}").contains("doesn't go on"), "{stuck:?}");
        assert!(fake.listener.heard().len() < 20);
    }
}

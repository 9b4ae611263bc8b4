//! When a payment has several orders, as a host's own code may make them: is one of them taken, and only one?

use actix_payments::domain::payment::Status;
use actix_payments::{CaptureMethod, Mode, ModePolicy, Outcome, Variant};
use serde_json::json;

use super::calls::{app, begun, operations, stands, tell, told};
use super::fake::{Fake, Fault};
use super::trouble::{another_order, approve_order};
use crate::app::{App, NOW, on_both_databases};
use crate::scenes::execute;

fn captures(fake: &Fake) -> Vec<String> {
    let state = fake.state();
    state.effects.iter().filter(|effect| effect.starts_with("capture")).cloned().collect()
}

/// The payment's first order and another one.
async fn two(app: &App, fake: &Fake) -> (String, String, String) {
    let token = begun(app, CaptureMethod::Immediate).await;
    let first = fake.state().orders.keys().next().unwrap().clone();
    let second = another_order(fake, &token);
    (token.to_string(), first, second)
}

/// What PayPal tells of a capture of the payment's.
fn capture(token: &str, kind: &str, at: i64, order: &str) -> String {
    let status = kind.rsplit('.').next().unwrap();
    json!({"id": format!("WH-{kind}"), "event_type": kind, "create_time": super::fake::time(at), "resource_type": "capture",
        "resource_version": "2.0", "resource": {"id": "000000000000SLOW1", "status": status, "custom_id": token,
        "amount": {"currency_code": "EUR", "value": "50.00"}, "create_time": super::fake::time(at),
        "update_time": super::fake::time(at), "supplementary_data": {"related_ids": {"order_id": order}}}})
    .to_string()
}

on_both_databases! {
    async fn a_person_who_completes_takes_one_though_the_answer_is_lost(kind) {
        let fake = Fake::new(NOW);
        let variant = Variant::new(fake.gateway()).mode(Mode::Live, ModePolicy::Flag);
        let app = App::bare(kind, |builder| builder.variant("paypal", variant)).await;
        let (token, first, second) = two(&app, &fake).await;
        approve_order(&fake, &first);
        approve_order(&fake, &second);
        told(&app, &fake).await;
        assert_eq!(operations(&app).len(), 0);
        // Both are looked at, one is captured.
        fake.state().faults = [None, None, Some(Fault::CutAfter)].into();
        assert_eq!(app.payments.complete(&token.as_str().into()).await.unwrap(), Outcome::Underway);
        app.pass(60);
        app.drain().await;
        assert_eq!(operations(&app), ["complete done"]);
        assert_eq!((captures(&fake).len(), stands(&app, &token).await.captured.minor), (1, 5000));
    }

    async fn what_was_begun_is_left_where_another_order_was_taken_meanwhile(kind) {
        let (app, fake) = app(kind).await;
        let (token, first, second) = two(&app, &fake).await;
        approve_order(&fake, &second);
        // So that it is known.
        tell(&app, &fake.told()[0]).await;
        fake.state().faults = [None, Some(Fault::Issue("INSTRUMENT_DECLINED"))].into();
        app.drain().await;
        fake.state().now += 60;
        app.pass(60);
        fake.approve(&token);
        fake.state().orders.get_mut(&second).unwrap()["update_time"] = json!(crate::paypal::fake::time(NOW + 30));
        app.payments.refresh(&token.as_str().into()).await.unwrap();
        assert_eq!(operations(&app), ["complete declined", "complete underway"]);
        // Somebody captured the other one by another way.
        let other = if operation_is_about(&app, &first) { second } else { first };
        fake.state().orders.get_mut(&other).unwrap()["status"] = json!("APPROVED");
        fake.state().complete(&other, "capture").unwrap();
        let event = fake.told().pop().unwrap();
        tell(&app, &event).await;
        // The worker comes to the event first.
        put_due(&app, "NULL");
        app.drain().await;
        put_due(&app, "created_at");
        app.drain().await;
        assert_eq!(operations(&app), ["complete declined", "complete overtaken"]);
        assert_eq!((captures(&fake).len(), stands(&app, &token).await.captured.minor), (1, 5000));
    }

    async fn an_approval_is_remembered_though_the_answer_itself_says_declined(kind) {
        let (app, fake) = app(kind).await;
        let (token, first, second) = two(&app, &fake).await;
        approve_order(&fake, &first);
        fake.state().faults = [None, Some(Fault::Trouble)].into();
        told(&app, &fake).await;
        approve_order(&fake, &second);
        told(&app, &fake).await;
        fake.state().declines = true;
        app.pass(60);
        app.drain().await;
        assert_eq!(operations(&app), ["complete done", "complete done"]);
        assert_eq!((stands(&app, &token).await.status, captures(&fake)), (Status::Paid, vec![format!("capture 50.00 of {second}")]));
    }

    async fn what_was_begun_is_left_where_the_payment_needs_a_review_by_now(kind) {
        let (app, fake) = app(kind).await;
        let (token, other) = (begun(&app, CaptureMethod::Immediate).await, begun(&app, CaptureMethod::Immediate).await);
        fake.approve(&token);
        app.payments.refresh(&token).await.unwrap();
        put_due(&app, "NULL");
        claim_two(&app, &fake, &token, &other).await;
        put_due(&app, "created_at");
        app.drain().await;
        assert_eq!((operations(&app), captures(&fake).len()), (vec!["complete overtaken".to_owned()], 0));
    }

    async fn a_try_that_never_reached_the_gateway_is_left_like_one_that_was_never_begun(kind) {
        for unread in [true, false] {
            let (app, fake) = app(kind).await;
            let (token, other) = (begun(&app, CaptureMethod::Immediate).await, begun(&app, CaptureMethod::Immediate).await);
            fake.approve(&token);
            app.payments.refresh(&token).await.unwrap();
            if unread {
                // It is taken up, and the database does not say what is to be asked.
                app.run("ALTER TABLE pay_ledger RENAME TO away");
                app.drain().await;
                app.run("ALTER TABLE away RENAME TO pay_ledger");
            } else {
                fake.state().faults = [Some(Fault::RateLimit)].into();
                app.drain().await;
            }
            assert_eq!((operations(&app), captures(&fake).len()), (vec!["complete underway".to_owned()], 0));
            put_due(&app, "NULL");
            claim_two(&app, &fake, &token, &other).await;
            put_due(&app, "created_at");
            app.drain().await;
            assert_eq!((operations(&app), captures(&fake).len()), (vec!["complete overtaken".to_owned()], 0), "{unread}");
        }
    }

    async fn a_call_that_may_have_gone_out_is_made_again_whatever_came_meanwhile(kind) {
        let (app, fake) = app(kind).await;
        let (token, other) = (begun(&app, CaptureMethod::Immediate).await, begun(&app, CaptureMethod::Immediate).await);
        fake.approve(&token);
        app.payments.refresh(&token).await.unwrap();
        fake.state().faults = [None, Some(Fault::CutAfter)].into();
        app.drain().await;
        put_due(&app, "NULL");
        claim_two(&app, &fake, &token, &other).await;
        put_due(&app, "created_at");
        app.drain().await;
        assert_eq!((operations(&app), captures(&fake).len()), (vec!["complete done".to_owned()], 1));
    }

    async fn a_second_order_waits_while_nobody_knows_what_came_of_the_first(kind) {
        let (app, fake) = app(kind).await;
        let (token, first, second) = two(&app, &fake).await;
        approve_order(&fake, &first);
        fake.state().faults = [None, Some(Fault::CutAfter)].into();
        told(&app, &fake).await;
        let before = fake.told().len();
        app.pass(21 * 3600);
        fake.state().faults = [Some(Fault::Garbled)].into();
        app.drain().await;
        assert_eq!(operations(&app), ["complete unknown"]);
        approve_order(&fake, &second);
        tell(&app, &fake.told()[before]).await;
        app.drain().await;
        app.pass(3600);
        app.drain().await;
        assert_eq!((captures(&fake).len(), stands(&app, &token).await.captured.minor), (1, 5000));
    }

    async fn an_approval_is_remembered_though_the_money_of_the_first_order_fails(kind) {
        // The word may be older than the second approval, and come later.
        for (done, failed_at) in [(false, NOW + 20), (true, NOW + 20), (true, NOW + 5)] {
            let (app, fake) = app(kind).await;
            let (token, first, second) = two(&app, &fake).await;
            let pass = |seconds| { app.pass(seconds); fake.state().now += seconds; };
            if done {
                tell(&app, &capture(&token, "PAYMENT.CAPTURE.PENDING", NOW, &first)).await;
            } else {
                approve_order(&fake, &first);
                fake.state().faults = [None, Some(Fault::Trouble)].into();
                told(&app, &fake).await;
            }
            app.drain().await;
            pass(10);
            approve_order(&fake, &second);
            fake.state().faults = if done { [].into() } else { [None, Some(Fault::Trouble)].into() };
            told(&app, &fake).await;
            pass(10);
            tell(&app, &capture(&token, "PAYMENT.CAPTURE.DECLINED", failed_at, &first)).await;
            let no = Some(Fault::Issue("INSTRUMENT_DECLINED"));
            fake.state().faults = if done { [].into() } else { [None, no].into() };
            pass(60);
            app.drain().await;
            app.pass(60);
            app.drain().await;
            let payment = stands(&app, &token).await;
            assert_eq!((payment.status, captures(&fake)), (Status::Paid, vec![format!("capture 50.00 of {second}")]), "{done}");
        }
    }
}

/// An event names two payments at once, so that both need a review.
async fn claim_two(app: &App, fake: &Fake, token: &str, other: &str) {
    let unit = |token: &str| json!({"custom_id": token, "amount": {"currency_code": "EUR", "value": "50.00"}});
    let mut event: serde_json::Value = serde_json::from_str(&fake.told()[0]).unwrap();
    event["resource"]["purchase_units"] = json!([unit(token), unit(other)]);
    tell(app, &event.to_string()).await;
    app.drain().await;
}

/// Makes the one operation that is underway due then.
fn put_due(app: &App, then: &str) {
    let sql = format!("UPDATE pay_operations SET due_at = {then} WHERE state = 'underway'");
    assert_eq!(execute(app.database.connection().unwrap().lent(), &sql), Ok(1));
}

/// Whether the completion that is underway is about this order.
fn operation_is_about(app: &App, order: &str) -> bool {
    let refs = app.texts("SELECT gateway_refs AS t FROM pay_operations WHERE state = 'underway' AND verb = 'complete'");
    refs[0].starts_with(&format!("[\"{order}\""))
}

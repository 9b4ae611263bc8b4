//! What does a host hear in a bad night?

use std::sync::Arc;
use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{Chores, NewPayment, Refund, RunningWorker};
use actix_web::http::Method;

use super::{a_while, telling};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::{Notes, completed, money, until};
use crate::stripe::fake::{Fake, Fault};

const HOUR: i64 = 3_600;

pub(super) fn worker(app: &App) -> RunningWorker {
    app.payments.worker().poll(Duration::from_millis(10)).start().unwrap()
}

/// A delivery signed with the secret that the gateway has now.
async fn delivered(app: &App, number: usize) -> u16 {
    let body = format!(r#"{{"id":"evt_{number}","type":"ping"}}"#);
    let signature = sign_delivery("whsec_new", app.now(), body.as_bytes());
    let headers = [("stripe-signature", signature.as_str())];
    app.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes()).await.status
}

async fn restarted(app: App, kind: Kind, secret: &str, notes: &Notes) -> App {
    assert_eq!(kind == Kind::Sqlite, app.url.starts_with("sqlite"));
    let again = App::at(app.url.clone(), None, |builder| {
        telling(builder.variant("stripe", Stripe::new(secret)), notes, &Arc::default())
    });
    let again = again.await;
    again.pass(app.now() - NOW);
    // The folder of the file has to outlive it.
    std::mem::forget(app);
    again
}

on_both_databases! {
    async fn a_secret_that_is_rotated_wrongly_is_one_alarm_until_it_is_put_right(kind) {
        let notes = Notes::default();
        let app = App::bare(kind, |builder| {
            telling(builder.variant("stripe", Stripe::new("whsec_new")), &notes, &Arc::default())
        });
        let app = app.await;
        assert_eq!(delivered(&app, 1).await, 200);
        app.drain().await;
        app.pass(8 * HOUR);
        // Night falls, and somebody starts it with another secret than the gateway has.
        let wrong = restarted(app, kind, "whsec_typo", &notes).await;
        let running = worker(&wrong);
        for number in 2..12 {
            assert_eq!(delivered(&wrong, number).await, 400);
            wrong.pass(60);
        }
        wrong.counted("rejected:signature_mismatch", 10);
        wrong.pass_until(31, || notes.count() > 0).await;
        wrong.pass(HOUR);
        assert_eq!(delivered(&wrong, 12).await, 400);
        wrong.counted("rejected:signature_mismatch", 11);
        a_while().await;
        let told = notes.all();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("refused:stripe begins: stripe: "), "{told:?}");
        assert!(told[0].contains("none accepted since (signature_mismatch). Likely: the signing secret belongs"), "{told:?}");
        assert!(told[0].ends_with(" /payments/admin/variants/stripe"), "{told:?}");
        running.stop().await;

        let right = restarted(wrong, kind, "whsec_new", &notes).await;
        let running = worker(&right);
        for number in 2..13 {
            right.pass(1);
            assert_eq!(delivered(&right, number).await, 200);
        }
        right.counted("received", 12);
        right.pass(31);
        a_while().await;
        assert_eq!(notes.count(), 1, "good ones came, and bad ones may still come: {:?}", notes.all());
        right.pass(HOUR);
        a_while().await;
        right.pass_until(331, || notes.count() == 2).await;
        assert!(notes.all()[1].starts_with("refused:stripe over: "), "{:?}", notes.all());
        right.pass(HOUR);
        a_while().await;
        assert_eq!(notes.count(), 2, "{:?}", notes.all());
        running.stop().await;
    }

    async fn a_gateway_that_is_unreachable_for_an_hour_is_told_with_what_it_holds_up(kind) {
        let (notes, fake) = (Notes::default(), Fake::new(NOW));
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| {
            let chores = Chores::new().refresh_after(None);
            telling(builder.variant("stripe", gateway).chores(chores), &notes, &Arc::default())
        });
        let app = app.await;
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.pay(&token);
        app.payments.reconcile("stripe").await.unwrap();
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Paid);

        let running = worker(&app);
        a_while().await;
        fake.state().faults = vec![Some(Fault::CutBefore); 10_000].into();
        let _ = app.payments.refund(&token, Refund::all()).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_operations WHERE due_at IS NOT NULL AND verb = 'refund'"), 1);
        for quarter in 0..4 {
            assert!(quarter > 1 || notes.count() == 0, "{:?}", notes.all());
            app.pass(901);
            a_while().await;
            app.pass(31);
            a_while().await;
        }
        let mut told = notes.all();
        told.sort();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("chore:reconcile:stripe begins: stripe: the gateway's list of events can't be"), "{told:?}");
        assert!(told[0].ends_with("/payments/admin/variants/stripe"), "{told:?}");
        assert!(told[1].starts_with("operations begins: stripe: whether the gateway did a refund is not known"), "{told:?}");
        assert!(told[1].ends_with(&format!("/payments/admin/payments/{token}")), "{told:?}");

        fake.state().faults.clear();
        app.pass(HOUR);
        until(|| app.number("SELECT count(*) FROM pay_operations WHERE due_at IS NOT NULL") == 0).await;
        until(|| app.number("SELECT count(*) FROM pay_chores WHERE failing_since IS NOT NULL") == 0).await;
        let is_over = |key: &str| notes.all().iter().any(|note| note.starts_with(&format!("{key} over: ")));
        app.pass_until(331, || is_over("operations") && is_over("chore:reconcile:stripe")).await;
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.contains("refund")).count(), 1);
        running.stop().await;
    }

    async fn a_gateway_that_answers_no_question_is_told_without_a_list(kind) {
        let (notes, fake) = (Notes::default(), Fake::new(NOW));
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| {
            let chores = Chores::new().reconcile_every(None);
            telling(builder.variant("stripe", gateway).chores(chores), &notes, &Arc::default())
        });
        let app = app.await;
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
        app.payments.create(new).await.unwrap();
        fake.state().faults = vec![Some(Fault::CutBefore); 10_000].into();
        app.pass(HOUR + 1);
        let running = worker(&app);
        let failing = "SELECT count(*) FROM pay_chores WHERE name = 'refresh:stripe' AND failing_since IS NOT NULL";
        until(|| app.number(failing) == 1).await;
        // Looks at which there is nothing to ask about say nothing of the gateway.
        for _ in 0..5 {
            app.pass(301);
            a_while().await;
        }
        assert_eq!(app.number(failing), 1);
        let begins = || notes.all().iter().any(|note| note.starts_with("chore:refresh:stripe begins: "));
        app.pass_until(331, begins).await;
        fake.state().faults.clear();
        app.pass_until(331, || notes.all().iter().any(|note| note.starts_with("chore:refresh:stripe over: "))).await;
        running.stop().await;
    }

    async fn a_gateway_of_which_nothing_is_left_to_ask_is_no_alarm(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| {
            builder.variant("stripe", gateway).chores(Chores::new().reconcile_every(None))
        });
        let app = app.await;
        let new = NewPayment::new("stripe", money(4999, "EUR")).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.state().faults = vec![Some(Fault::CutBefore); 10_000].into();
        app.pass(HOUR + 1);
        let running = worker(&app);
        let failing = "SELECT count(*) FROM pay_chores WHERE name = 'refresh:stripe' AND failing_since IS NOT NULL";
        until(|| app.number(failing) == 1).await;
        app.deliver(&[&completed(&token)]).await;
        app.pass_until(301, || app.number(failing) == 0).await;
        running.stop().await;
    }
}

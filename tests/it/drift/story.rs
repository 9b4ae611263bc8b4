//! The endpoint was off for forty days, ten more than the gateway lists its events: what happened meanwhile is found,
//! said with both values, and repaired; subscriptions and strangers included.

use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::{CaptureMethod, Drift, DriftQuery, DriftSubject, NewPayment, Unmatched, Variant};

use super::world::{DAY, World};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::{Notes, money};
use crate::stripe::fake::Fake;

/// What became of three payments and two subscriptions before the endpoint went off.
struct Before {
    world: World,
    pending: String,
    paid: String,
    intent: String,
    renewed: String,
    ended: String,
    notes: Notes,
}

async fn before(kind: Kind) -> Before {
    let notes = Notes::default();
    let heard = notes.clone();
    let mut world = World::with(kind, |builder| {
        builder.handler("ship", move |step: actix_payments::Transition| {
            heard.add(format!("{} {}", step.payment.token, step.to));
            std::future::ready(Ok(()))
        })
    })
    .await;
    let pending = world.checkout(CaptureMethod::Immediate).await;
    let paid = world.checkout(CaptureMethod::Immediate).await;
    let intent = world.fake.pay(&paid);
    let renewed = world.billing.state().subscribe("user-1", false);
    let ended = world.billing.state().subscribe("user-2", false);
    world.deliver(|| true).await;
    Before { world, pending: pending.to_string(), paid: paid.to_string(), intent, renewed, ended, notes }
}

/// The differences as `name field: ours, theirs`.
fn said(drift: &Drift) -> Vec<String> {
    let one = |it: &actix_payments::Difference| {
        let value = |value: &actix_payments::DifferingValue| {
            format!("{} {}: {}, {}", it.name, value.field, value.ours, value.theirs)
        };
        it.values.iter().map(value).collect::<Vec<_>>()
    };
    drift.differences.iter().flat_map(one).collect()
}

on_both_databases! {
    async fn forty_days_without_an_endpoint_are_found_and_repaired(kind) {
        let Before { mut world, pending, paid, intent, renewed, ended, notes } = before(kind).await;
        world.pass(DAY);
        // The endpoint is off. The first happens within what is listed no more, the rest too.
        world.fake.pay(&pending);
        world.fake.refund(&intent, 2000);
        let stray = world.stray(1);
        world.billing.state().renew(&renewed);
        world.billing.state().pay(&renewed);
        world.billing.state().end(&ended);
        let stranger = world.billing.state().subscribe("user-3", false);
        world.pass(40 * DAY);
        world.lose_all();
        assert_eq!(world.app.payments.reconcile("stripe").await.unwrap().found, 0, "the list of events is no help");

        let [stripe, plans] = world.drift().await;
        let lines = said(&stripe);
        for line in [
            format!("{pending} status: pending, paid"),
            format!("{pending} captured: 0.00 EUR, 50.00 EUR"),
            format!("{paid} status: paid, partially_refunded"),
            format!("{paid} refunded: 0.00 EUR, 20.00 EUR"),
            format!("{stray} status: not known here, paid"),
        ] {
            assert!(lines.contains(&line), "{line} is not among {lines:#?}");
        }
        assert_eq!(stripe.differences.len(), 3, "{lines:#?}");
        let token = |id: &str| {
            let sql = format!("SELECT token AS t FROM pay_subscriptions WHERE gateway_ref = '{id}'");
            world.app.texts(&sql).remove(0)
        };
        let lines = said(&plans);
        for line in [
            format!("{} status: active, canceled", token(&ended)),
            format!("{stranger} status: not known here, active"),
        ] {
            assert!(lines.contains(&line), "{line} is not among {lines:#?}");
        }
        assert!(lines.iter().any(|line| line.starts_with(&format!("{} period ends", token(&renewed)))), "{lines:#?}");

        let told = notes.count();
        let repaired = world.repair().await;
        assert!(repaired.iter().flat_map(|it| &it.differences).all(|it| matches!(it.repaired, Some(Ok(_)))));
        world.app.drain().await;
        assert_eq!(world.app.status(&pending).await, Status::Paid);
        let refunded = world.app.payment(&paid).await;
        assert_eq!((refunded.status, refunded.refunded.minor), (Status::PartiallyRefunded, 2000));
        assert_eq!(world.app.payments.payment_at("stripe", &stray).await.unwrap().unwrap().status, Status::Paid);
        for (id, status) in [
            (&renewed, SubscriptionStatus::Active),
            (&ended, SubscriptionStatus::Canceled),
            (&stranger, SubscriptionStatus::Active),
        ] {
            let one = world.app.payments.subscription_at("plans", id).await.unwrap().unwrap();
            assert_eq!(one.status(), status, "{id}");
        }
        assert!(notes.count() > told && notes.all().contains(&format!("{pending} paid")), "handlers are told");
        for drift in world.drift().await {
            assert_eq!(said(&drift), [""; 0]);
        }
        for token in [&pending, &paid] {
            world.app.same(token).await;
        }
    }

    async fn what_was_created_before_the_span_is_compared_only_while_it_is_open(kind) {
        let Before { mut world, pending, paid, intent, .. } = before(kind).await;
        world.pass(50 * DAY);
        world.fake.pay(&pending);
        world.fake.refund(&intent, 2000);
        world.pass(DAY);
        world.lose_all();
        let since = |days: i64| {
            let at = actix_payments::domain::Timestamp::from_unix_timestamp(world.app.now() - days * DAY).unwrap();
            DriftQuery::new("stripe").per_second(10_000).since(at)
        };
        let names = |drift: &Drift| drift.differences.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        let short = world.app.payments.drift(since(10)).await.unwrap();
        // The intent of the old checkout is new, so the list shows it; the refunded one is as old as its payment.
        assert_eq!(names(&short), std::slice::from_ref(&pending));
        let long = world.app.payments.drift(since(60)).await.unwrap();
        assert!(names(&long).contains(&pending) && names(&long).contains(&paid), "{:?}", names(&long));
    }

    async fn a_payment_that_the_gateway_does_not_know_is_said_and_left_alone(kind) {
        let Before { mut world, pending, .. } = before(kind).await;
        world.pass(DAY);
        world.fake.state().sessions.clear();
        world.lose_all();
        let repaired = world.app.payments.repair_drift(DriftQuery::new("stripe").per_second(10_000)).await.unwrap();
        assert_eq!(said(&repaired), [""; 0]);
        assert_eq!(repaired.unanswered.len(), 1, "{:?}", repaired.unanswered);
        assert!(repaired.unanswered[0].starts_with(&pending) && repaired.unanswered[0].contains("declined"));
        assert_eq!(world.app.status(&pending).await, Status::Pending);
    }

    async fn strangers_are_adopted_only_where_the_variant_adopts(kind) {
        for (policy, expected) in [(Unmatched::Ignore, 0), (Unmatched::Park, 0), (Unmatched::Adopt, 1)] {
            let fake = Fake::new(NOW);
            let variant = Variant::new(fake.gateway(SECRET)).unmatched(policy);
            let app = App::bare(kind, |builder| builder.variant("stripe", variant)).await;
            let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
            let token = app.payments.create(new).await.unwrap().payment.token;
            fake.pay(&token);
            app.run("DELETE FROM pay_references");
            app.run("DELETE FROM pay_payments");
            app.pass(DAY);
            fake.state().now += DAY;
            let drift = app.payments.drift(DriftQuery::new("stripe").per_second(10_000)).await.unwrap();
            assert_eq!(drift.differences.len(), expected, "{policy:?}: {drift:?}");
            assert!(drift.differences.iter().all(|it| it.subject == DriftSubject::Object));
        }
    }

    async fn what_can_not_be_compared_says_why(kind) {
        let app = App::new(kind).await;
        let error = app.payments.drift(DriftQuery::new("stripe")).await.unwrap_err();
        assert!(error.to_string().contains("no API key"), "{error}");
        let error = app.payments.drift(DriftQuery::new("nobody")).await.unwrap_err();
        assert!(error.to_string().contains("nobody"), "{error}");
    }
}

//! Does an event find its payment, whichever of the two comes first, and never another's?

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Unmatched, Variant};

use crate::app::{App, Kind, SECRET, on_both_databases};
use crate::events::{changed, checkout, fixture};
use crate::scenes::{completed, completed_as, of_story};

async fn with_policy(kind: Kind, policy: Unmatched) -> App {
    App::bare(kind, |b| b.variant("stripe", Variant::new(Stripe::new(SECRET)).unmatched(policy))).await
}

fn intent() -> String {
    fixture("payment_intent.succeeded").to_string()
}

fn payments(app: &App) -> Vec<String> {
    let flags =
        "CASE WHEN adopted THEN ' adopted' ELSE '' END || CASE WHEN absorbed_by IS NULL THEN '' ELSE ' absorbed' END";
    app.texts(&format!("SELECT status || {flags} AS t FROM pay_payments ORDER BY id"))
}

on_both_databases! {
    async fn an_event_that_comes_before_its_session_waits_for_it(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&intent()]).await;
        assert_eq!(app.codes(), ["parked"]);
        assert!(app.outcomes()[0].contains("waits until a payment bears one of pi_3kNxQ46LHsTkP6q921vWNUTz"));
        app.deliver(&[&completed(&token)]).await;
        assert_eq!((app.events("completed"), payments(&app)), (2, vec!["paid".to_owned()]));
        assert_eq!(app.transitions(), ["pending → paid"]);
        app.same(&token).await;
    }

    async fn what_nobody_here_asked_for_is_adopted_after_the_grace_time(kind) {
        let app = App::new(kind).await;
        let charge = fixture("charge.succeeded").to_string();
        app.deliver(&[&charge, &intent()]).await;
        app.pass(59);
        assert_eq!((app.drain().await, payments(&app).len()), (0, 0));
        app.pass(1);
        app.drain().await;
        assert_eq!(payments(&app), ["paid adopted"], "one payment of the two");
        let adopted = app.payments.payment_at("stripe", "ch_3DY6gWGm0jbrDO67VSJZyX9G").await.unwrap().unwrap();
        assert_eq!((adopted.amount.to_string().as_str(), adopted.captured, adopted.needs_review()),
            ("49.99 EUR", adopted.amount, false));
        app.same(&adopted.token).await;
    }

    async fn without_a_grace_time_it_is_adopted_at_once(kind) {
        let variant = Variant::new(Stripe::new(SECRET)).grace(Duration::ZERO);
        let app = App::bare(kind, |b| b.variant("stripe", variant)).await;
        app.deliver(&[&completed("somebody-elses-order")]).await;
        assert_eq!(payments(&app), ["paid adopted"]);
    }

    async fn an_adopted_payment_that_turns_out_to_be_ours_is_absorbed(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&intent(), &fixture("charge.succeeded").to_string()]).await;
        app.pass(60);
        app.drain().await;
        let adopted = app.texts("SELECT token AS t FROM pay_payments WHERE adopted").remove(0);
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(payments(&app), ["paid", "paid adopted absorbed"]);
        assert_eq!(app.payment(&adopted).await.token, token, "the old token leads to the payment");
        let events = format!("SELECT count(*) FROM pay_events WHERE payment_id = (SELECT id FROM pay_payments WHERE token = '{token}')");
        assert_eq!(app.number(&events), 3);
        assert!(app.payments.payment_at("stripe", "pi_3kNxQ46LHsTkP6q921vWNUTz").await.unwrap().is_some());
        app.same(&token).await;
    }

    async fn a_variant_may_let_the_unmatched_wait_for_ever(kind) {
        let app = with_policy(kind, Unmatched::Park).await;
        let token = app.order().await.token;
        app.deliver(&[&intent()]).await;
        app.pass(1_000_000);
        assert_eq!((app.drain().await, app.events("parked")), (0, 1));
        app.deliver(&[&completed(&token)]).await;
        assert_eq!((app.events("completed"), payments(&app)), (2, vec!["paid".to_owned()]));
    }

    async fn a_variant_may_ignore_the_unmatched_and_says_so(kind) {
        let app = with_policy(kind, Unmatched::Ignore).await;
        app.deliver(&[&intent()]).await;
        app.pass(1_000_000);
        assert_eq!((app.drain().await, payments(&app).len(), app.codes()), (0, 0, vec!["unmatched".to_owned()]));
        assert!(app.outcomes()[0].contains("such events are to be ignored"), "{:?}", app.outcomes());
    }

    async fn what_was_ignored_counts_once_its_payment_is_known(kind) {
        let app = with_policy(kind, Unmatched::Ignore).await;
        let token = app.order().await.token;
        app.deliver(&[&fixture("charge.refunded.full").to_string()]).await;
        assert_eq!((app.status(&token).await, app.codes()), (Status::Pending, vec!["unmatched".to_owned()]));
        app.counted("ignored", 1);
        // The event that names the payment was late: its first deliveries failed.
        app.deliver(&[&completed(&token)]).await;
        assert_eq!((app.status(&token).await, app.events("ignored")), (Status::Refunded, 0), "{:?}", app.outcomes());
        // Two came. The one that was ignored is one of the two still, and ran again.
        app.counted("completed:again", 1);
        let page = app.get("/payments/admin/").await.text();
        for part in ["2 events were received, 2 completed or ignored, and 0 attempts failed", "and 1 ignored, 1 ran again"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        app.same(&token).await;
    }

    async fn a_payment_may_take_two_sessions(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let expired = checkout("checkout.session.expired", &token);
        app.deliver(&[&expired]).await;
        assert_eq!(app.status(&token).await, Status::Expired);
        app.deliver(&[&completed_as(2, &token)]).await;
        let paid = app.payment(&token).await;
        assert_eq!((paid.status, paid.captured, paid.needs_review()), (Status::Paid, paid.amount, false));
        app.same(&token).await;
    }

    async fn an_event_that_names_two_payments_goes_to_the_one_whose_token_it_bears_and_is_flagged(kind) {
        let app = App::new(kind).await;
        let (ours, other) = (app.order().await.token, app.order().await.token);
        app.deliver(&[&completed(&other)]).await;
        let same_intent = changed("checkout.session.completed", &[
            ("/id", "evt_2".into()),
            ("/data/object/id", "cs_2".into()),
            ("/data/object/client_reference_id", ours.as_str().into()),
        ]);
        app.deliver(&[&same_intent]).await;
        let flagged = app.payment(&ours).await;
        assert_eq!((flagged.status, flagged.concerns.len()), (Status::Paid, 1), "{flagged:?}");
        assert!(!app.payment(&other).await.needs_review());
        app.same(&ours).await;
        app.same(&other).await;
    }

    async fn sessions_of_others_with_one_reference_are_payments_of_their_own(kind) {
        let app = App::new(kind).await;
        app.deliver(&[&completed_as(1, "cart"), &completed_as(2, "cart"), &completed_as(3, "cart")]).await;
        app.pass(60);
        app.drain().await;
        assert_eq!(payments(&app), ["paid adopted"; 3]);
        // A reference is the host's word; a customer can put any text into a payment link's address.
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE reference IS NOT NULL"), 0);
    }

    async fn a_token_that_is_an_id_of_the_gateways_finds_nothing(kind) {
        let app = App::new(kind).await;
        let ours = app.order().await.token;
        app.deliver(&[&completed(&ours)]).await;
        let intent = app.texts("SELECT gateway_ref AS t FROM pay_references WHERE gateway_ref LIKE 'pi_%'").remove(0);
        app.deliver(&[&completed_as(7, &intent)]).await;
        app.pass(60);
        app.drain().await;
        assert_eq!(app.payment(&ours).await.captured.minor, 4999);
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE adopted"), 1);
    }

    async fn a_token_of_another_variant_finds_nothing(kind) {
        let app = App::with(kind, |b| b.variant("stripe-eu", Stripe::new("whsec_eu"))).await;
        let elsewhere = actix_payments::NewPayment::new("stripe-eu", crate::scenes::money(4999, "EUR"));
        let token = app.payments.create(elsewhere).await.unwrap().payment.token;
        app.deliver(&[&completed(&token)]).await;
        assert_eq!((app.status(&token).await, app.codes()), (Status::Pending, vec!["parked".to_owned()]));
    }

    async fn every_order_of_a_storys_events_ends_in_the_same_state(kind) {
        let app = App::new(kind).await;
        let names = ["checkout.session.completed", "payment_intent.succeeded", "charge.succeeded",
            "checkout.session.expired", "charge.refunded.partial", "refund.created"];
        for number in 0..24 {
            let token = app.order().await.token;
            let mut left = names.to_vec();
            let mut events = Vec::new();
            // The mixed radix digits of a number are a permutation; 29 and 720 have no common factor.
            let mut digits = number * 29 % 720;
            while !left.is_empty() {
                let name = left.remove(digits % left.len());
                digits /= left.len() + 1;
                events.push(of_story(name, number, &token));
            }
            let repeated = events[number % 6].clone();
            events.insert(number % 5, repeated);
            for event in &events {
                assert_eq!(app.stripe(event).await.status, 200);
                if number % 2 == 0 {
                    app.drain().await;
                }
            }
            app.drain().await;
            let end = app.payment(&token).await;
            assert_eq!((end.status, end.captured.minor, end.refunded.minor, end.concerns.len()),
                (Status::PartiallyRefunded, 4999, 1999, 0), "{number}: {end:?}");
            app.same(&token).await;
            let became_paid = "SELECT count(*) FROM pay_transitions t JOIN pay_payments p ON p.id = t.payment_id \
                               WHERE t.to_status IN ('paid', 'partially_refunded') AND t.from_status NOT IN \
                               ('paid', 'partially_refunded') AND p.token";
            assert_eq!(app.number(&format!("{became_paid} = '{token}'")), 1, "{number}");
        }
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state = 'completed'"), 24 * 6);
        let ledger = "SELECT count(DISTINCT n) FROM (SELECT count(*) AS n FROM pay_ledger GROUP BY payment_id) AS counts";
        assert_eq!(app.number(ledger), 1);
    }
}

//! An event of a subscription that waits for its payment, which may never come: is the subscription's step told?

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{HandlerError, SubscriptionTransition, Unmatched, Variant};

use super::story::{START, Story};
use crate::app::{App, Kind, SECRET, on_both_databases};
use crate::scenes::Notes;

/// An app that leaves what it can't match, and notes what its handlers are told. The first run of `access` for user-42
/// fails.
async fn app(kind: Kind, notes: &Notes) -> App {
    let (steps, events) = (notes.clone(), notes.clone());
    App::bare(kind, |builder| {
        builder
            .variant("stripe", Variant::new(Stripe::new(SECRET)).unmatched(Unmatched::Park))
            .subscription_handler("access", move |step: SubscriptionTransition| {
                let owner = step.subscription.owner().unwrap_or("nobody").to_owned();
                let is_first = owner == "user-42" && !steps.all().contains(&"user-42".to_owned());
                steps.add(owner);
                std::future::ready(if is_first { Err(HandlerError::retry("busy")) } else { Ok(()) })
            })
            .on_event("checkout.session.completed", "log", move |_| {
                events.add("session");
                std::future::ready(Ok(()))
            })
    })
    .await
}

on_both_databases! {
    async fn a_step_of_an_event_that_waits_for_its_payment_is_told_until_it_succeeds(kind) {
        let notes = Notes::default();
        let app = app(kind, &notes).await;
        let mut story = Story::new(1, "active");
        story.checkout(START + 1, "user-42");
        for event in &story.events {
            app.deliver(&[event]).await;
        }
        assert_eq!((notes.all(), app.events("retryable")), (vec!["nobody".to_owned(), "user-42".to_owned()], 1));
        for _ in 0..3 {
            app.pass(3_600);
            app.drain().await;
        }
        assert_eq!(notes.all(), ["nobody", "user-42", "user-42"], "and the session itself when its payment has come");
        assert_eq!(app.events("parked"), 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE due_at IS NOT NULL"), 0, "it only waits");
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 0);
    }
}

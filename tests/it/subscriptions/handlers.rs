//! Does the host's code run once for each step of a subscription, again when it failed, and with the very transaction?

use actix_payments::{HandlerError, SubscriptionTransition};
use serde_json::json;

use super::story::{DAY, START, Story};
use crate::app::{App, on_both_databases};
use crate::scenes::{Notes, execute};

fn note(step: &SubscriptionTransition) -> String {
    format!("{} → {} of {}", step.old.status, step.new.status, step.subscription.owner().unwrap_or("nobody"))
}

/// Active, then past due, then active again.
fn story() -> Story {
    let mut story = Story::new(1, "active");
    story.checkout(START + 1, "user-42");
    story.update(START + DAY, json!({"status": "past_due"})).update(START + 2 * DAY, json!({"status": "active"}));
    story
}

on_both_databases! {
    async fn a_handler_runs_once_for_each_step_and_is_told_what_was(kind) {
        let notes = Notes::default();
        let told = notes.clone();
        let app = App::with(kind, |builder| {
            builder.subscription_handler("access", move |step: SubscriptionTransition| {
                told.add(format!("{} ({})", note(&step), step.kind));
                std::future::ready(Ok(()))
            })
        }).await;
        for event in &story().events {
            app.deliver(&[event]).await;
            app.deliver(&[event]).await;
        }
        assert_eq!(notes.all(), [
            "incomplete → active of nobody (customer.subscription.created)",
            "active → active of user-42 (checkout.session.completed)",
            "active → past_due of user-42 (customer.subscription.updated)",
            "past_due → active of user-42 (customer.subscription.updated)",
        ]);
        assert_eq!(app.number("SELECT count(*) FROM pay_attempts WHERE subscription_transition_id IS NOT NULL"), 4);
        assert_eq!(app.number("SELECT count(*) FROM pay_attempts WHERE transition_id IS NOT NULL"), 0);
    }

    async fn a_failed_handler_is_tried_again_with_what_was_then(kind) {
        let notes = Notes::default();
        let told = notes.clone();
        let app = App::with(kind, |builder| {
            builder.subscription_handler("access", move |step: SubscriptionTransition| {
                told.add(note(&step));
                let is_second = told.count() == 2;
                std::future::ready(if is_second { Err(HandlerError::retry("busy")) } else { Ok(()) })
            })
        }).await;
        let story = story();
        app.deliver(&[&story.events[0], &story.events[2]]).await;
        assert_eq!(app.events("retryable"), 1);
        app.deliver(&[&story.events[3]]).await;
        app.pass(10);
        app.drain().await;
        assert_eq!(notes.all(), [
            "incomplete → active of nobody",
            "active → past_due of nobody",
            "past_due → active of nobody",
            "active → past_due of nobody",
        ]);
        assert_eq!((app.events("completed"), app.codes()), (3, vec!["applied".to_owned(); 3]));
    }

    async fn a_handler_in_the_transaction_writes_with_the_step_or_not_at_all(kind) {
        let app = App::with(kind, |builder| {
            builder.subscription_handler_in_transaction("seat", |conn, step| {
                if step.new.status.as_str() == "past_due" {
                    return Err(HandlerError::Discard("no seat".into()));
                }
                execute(conn, &format!("INSERT INTO seats VALUES ('{}')", step.new.status))?;
                Ok(())
            })
        }).await;
        app.run("CREATE TABLE seats (status TEXT NOT NULL)");
        app.deliver(&story().events.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(app.texts("SELECT status AS t FROM seats ORDER BY 1"), ["active", "active"]);
        // The event whose handler gave up changed nothing, and the later one says all the same how it stands.
        assert_eq!(app.events("discarded"), 1);
        assert_eq!(app.subscription("sub_1").await.status().as_str(), "active");
        let of_subscription = "SELECT count(*) FROM pay_events WHERE subscription_id IS NOT NULL";
        assert_eq!(app.number(of_subscription), 4, "also the one that was discarded");
    }

    async fn a_handler_of_events_gets_the_subscription(kind) {
        let notes = Notes::default();
        let told = notes.clone();
        let app = App::with(kind, |builder| {
            builder.on_event("customer.subscription.*", "note", move |event: actix_payments::Event| {
                told.add(event.subscription.map(|one| one.status().to_string()).unwrap_or_default());
                std::future::ready(Ok(()))
            })
        }).await;
        app.deliver(&[&story().events[0]]).await;
        assert_eq!(notes.all(), ["active"]);
    }
}

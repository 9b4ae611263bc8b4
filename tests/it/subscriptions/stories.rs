//! From HTTP to the row, in shuffled orders: does every order end in what is true?

use actix_payments::Subscription;
use actix_payments::domain::subscription::SubscriptionStatus;
use serde_json::json;

use super::story::{DAY, START, Story, items};
use crate::app::{App, on_both_databases};

/// All that follows from the events: not the ids and times of the row.
#[track_caller]
fn assert_all_alike(all: &[Subscription], status: SubscriptionStatus) {
    let first = &all[0];
    for one in all {
        let (mut this, that) = (one.state.clone(), first.state.clone());
        this.as_of_event.clone_from(&that.as_of_event);
        this.latest_invoice.clone_from(&that.latest_invoice);
        this.last_invoice.clone_from(&that.last_invoice);
        assert_eq!((&this, &one.livemode), (&that, &first.livemode));
        assert_eq!((one.status(), &one.state.doubt), (status, &None), "{one:?}");
        let paid = |one: &Subscription| one.state.last_invoice.as_ref().map(|invoice| (invoice.paid, invoice.attempts));
        assert_eq!(paid(one), paid(first));
    }
}

on_both_databases! {
    async fn a_trial_becomes_paid_then_past_due_then_recovers(kind) {
        let app = App::new(kind).await;
        let all = app.hear_in_all_orders(|number| {
            let mut story = Story::new(number, "trialing");
            story.update(START + 14 * DAY, json!({"status": "active", "items": items("price_tea", 1, START + 14 * DAY)}));
            story.update(START + 45 * DAY, json!({"status": "past_due", "items": items("price_tea", 1, START + 45 * DAY)}));
            story.invoice("payment_failed", START + 45 * DAY, json!({"attempt_count": 1}));
            story.update(START + 46 * DAY, json!({"status": "active"}));
            story.invoice("paid", START + 45 * DAY + 1, json!({"status": "paid", "created": START + 45 * DAY}));
            story
        }).await;
        assert_all_alike(&all, SubscriptionStatus::Active);
        let invoice = all[0].state.last_invoice.as_ref().unwrap();
        assert!(invoice.paid, "{invoice:?}");
        assert_eq!(all[0].state.period.unwrap().start.unix_timestamp(), START + 45 * DAY);
        // In the order in which it happened, each step says why.
        let in_order = &all[all.len() - 1];
        assert!(!app.steps_of(in_order).is_empty());
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state <> 'completed'"), 0);
    }

    async fn what_is_never_paid_becomes_unpaid_and_ends(kind) {
        let app = App::new(kind).await;
        let all = app.hear_in_all_orders(|number| {
            let mut story = Story::new(number, "active");
            story.update(START + 31 * DAY, json!({"status": "past_due"}));
            story.update(START + 40 * DAY, json!({"status": "unpaid"}));
            let end = json!({"status": "canceled", "ended_at": START + 60 * DAY, "canceled_at": START + 60 * DAY});
            story.send("deleted", START + 60 * DAY, end);
            story
        }).await;
        assert_all_alike(&all, SubscriptionStatus::Canceled);
        assert_eq!(all[0].state.ended_at.unwrap().unix_timestamp(), START + 60 * DAY);
    }

    async fn an_end_that_was_decided_is_taken_back(kind) {
        let app = App::new(kind).await;
        let all = app.hear_in_all_orders(|number| {
            let mut story = Story::new(number, "active");
            let end = json!({"cancel_at_period_end": true, "cancel_at": START + 31 * DAY, "canceled_at": START + DAY});
            story.update(START + DAY, end);
            // Within the very second.
            story.update(START + 2 * DAY, json!({"cancel_at_period_end": false, "cancel_at": null, "canceled_at": null}));
            story.update(START + 2 * DAY, json!({"metadata": {"owner": "user-42"}}));
            story
        }).await;
        assert_all_alike(&all, SubscriptionStatus::Active);
        assert_eq!((all[0].state.ends_at(), all[0].owner()), (None, Some("user-42")));
    }

    async fn an_upgrade_in_the_middle_of_a_period_is_seen(kind) {
        let app = App::new(kind).await;
        let all = app.hear_in_all_orders(|number| {
            let mut story = Story::new(number, "active");
            story.update(START + 5 * DAY, json!({"items": items("price_pro", 3, START)}));
            story.update(START + 5 * DAY, json!({"latest_invoice": format!("in_upgrade_{number}")}));
            story.update(START + 5 * DAY, json!({"status": "past_due"}));
            story
        }).await;
        assert_all_alike(&all, SubscriptionStatus::PastDue);
        let item = &all[0].state.items[0];
        assert_eq!((item.price.as_str(), item.quantity), ("price_pro", Some(3)));
        assert_eq!(item.amount.unwrap().to_string(), "20.00 USD");
    }

    async fn the_timeline_says_why_each_step_was_taken(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "trialing");
        story.checkout(START + 1, "user-42");
        story.update(START + 14 * DAY, json!({"status": "active", "items": items("price_tea", 2, START + 14 * DAY)}));
        story.update(START + 20 * DAY, json!({"cancel_at_period_end": true, "cancel_at": START + 45 * DAY}));
        story.invoice("payment_failed", START + 21 * DAY, json!({}));
        story.update(START + 3 * DAY, json!({"status": "trialing"}));
        story.send("deleted", START + 45 * DAY, json!({"status": "canceled", "ended_at": START + 45 * DAY}));
        story.update(START + 46 * DAY, json!({"status": "active"}));
        for event in &story.events {
            app.deliver(&[event]).await;
        }
        let subscription = app.subscription("sub_1").await;
        assert_eq!(app.steps_of(&subscription), [
            "incomplete → trialing: incomplete → trialing: 1 × price_1Bbswnz2GDegh9XYEyx294L2; billed until 2026-11-12",
            "trialing → trialing: still trialing: belongs to user-42",
            "trialing → active: trialing → active: 2 × price_tea instead of 1 × price_1Bbswnz2GDegh9XYEyx294L2; \
             billed until 2026-11-26",
            "active → active: still active: ends on 2026-11-26",
            "active → canceled: active → canceled: ended on 2026-11-26",
        ]);
        let outcomes = app.outcomes();
        assert_eq!(outcomes[1..], [
            "completed: checkout session completed and paid: 20.00 USD; pending → paid: 20.00 USD captured; \
             still trialing: belongs to user-42",
            "completed: subscription active; trialing → active: 2 × price_tea instead of \
             1 × price_1Bbswnz2GDegh9XYEyx294L2; billed until 2026-11-26",
            "completed: subscription active; still active: ends on 2026-11-26",
            "completed: an invoice event: kept for handlers, it states nothing of a payment; still active: the invoice \
             of 20.00 USD was not paid at the first attempt",
            "completed: subscription trialing; still active: later events say how it stands",
            "completed: subscription canceled; active → canceled: ended on 2026-11-26",
            "completed: subscription active; still canceled: it ended, and what ended does not come back",
        ]);
        assert_eq!(app.codes()[5..], ["outranked", "applied", "outranked"]);
    }
}

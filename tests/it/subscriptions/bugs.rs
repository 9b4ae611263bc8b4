//! Bugs that others had with subscriptions, each by its name: none of them is ours.

use actix_payments::domain::subscription::SubscriptionStatus;
use serde_json::json;

use super::story::{DAY, START, Story, items};
use crate::app::{App, on_both_databases};

on_both_databases! {
    /// `updated` (active) comes before `created` (incomplete), which then overwrites it: laravel/cashier#1201.
    async fn a_late_created_does_not_undo_active(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "incomplete");
        story.update(START, json!({"status": "active"}));
        app.deliver(&[&story.events[1], &story.events[0]]).await;
        let found = app.subscription("sub_1").await;
        assert_eq!((found.status(), &found.state.doubt), (SubscriptionStatus::Active, &None));
        assert_eq!(app.codes(), ["applied", "no_change"]);
    }

    /// An event about a subscription that is not stored yet fails, or makes a second one: pay-rails/pay#282.
    async fn an_update_of_an_unknown_subscription_makes_it_once(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "active");
        story.update(START + 1, json!({"latest_invoice": "in_2"})).update(START + 2, json!({"status": "past_due"}));
        app.deliver(&[&story.events[1], &story.events[2], &story.events[0]]).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), 1);
        assert_eq!(app.subscription("sub_1").await.status(), SubscriptionStatus::PastDue);
    }

    /// The events of one second come in any order: stripe/stripe-cli#418.
    async fn events_of_one_second_are_put_in_their_order(kind) {
        let app = App::new(kind).await;
        let all = app.hear_in_all_orders(|number| {
            let mut story = Story::new(number, "incomplete");
            story.update(START, json!({"latest_invoice": format!("in_other_{number}")}));
            story.update(START, json!({"status": "active"}));
            story.update(START, json!({"metadata": {"owner": "user-42"}}));
            story
        }).await;
        for one in all {
            assert_eq!((one.status(), one.owner(), &one.state.doubt), (SubscriptionStatus::Active, Some("user-42"), &None));
        }
    }

    /// A `deleted` is handled before a late `updated`, which revives it: langfuse/langfuse#17388.
    async fn what_ended_is_not_revived(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "active");
        story.send("deleted", START + DAY, json!({"status": "canceled", "ended_at": START + DAY}));
        story.update(START + DAY, json!({"status": "active"})).update(START + 2 * DAY, json!({"status": "active"}));
        app.hear(&story).await;
        assert_eq!(app.subscription("sub_1").await.status(), SubscriptionStatus::Canceled);
    }

    /// The end of an old subscription takes away what a newer one of the same customer gives:
    /// onetimesecret/onetimesecret#3692.
    async fn the_end_of_one_subscription_leaves_the_other(kind) {
        let app = App::new(kind).await;
        let (mut old, mut new) = (Story::new(1, "active"), Story::new(2, "active"));
        old.checkout(START, "user-42");
        new.checkout(START + DAY, "user-42");
        old.send("deleted", START + DAY, json!({"status": "canceled", "ended_at": START + DAY}));
        app.hear(&new).await;
        app.hear(&old).await;
        assert!(app.payments.active("user-42").await.unwrap());
    }

    /// A renewal that is delivered late moves the period back: soleur#2190.
    async fn a_late_renewal_does_not_move_the_period_back(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "active");
        story.update(START + 31 * DAY, json!({"items": items("price_tea", 1, START + 31 * DAY)}));
        story.update(START + 62 * DAY, json!({"items": items("price_tea", 1, START + 62 * DAY)}));
        app.deliver(&[&story.events[0], &story.events[2], &story.events[1]]).await;
        let period = app.subscription("sub_1").await.state.period.unwrap();
        assert_eq!(period.start.unix_timestamp(), START + 62 * DAY);
    }

    /// Periods moved from the subscription to its items with API version 2025-03-31.
    async fn the_period_is_read_of_either_api_version(kind) {
        let app = App::new(kind).await;
        for (name, number) in [("customer.subscription.updated", 1), ("customer.subscription.updated.api-2024-06-20", 2)] {
            let id = format!("sub_{number}");
            let event = crate::events::changed(name, &[("/data/object/id", id.as_str().into())]);
            app.deliver(&[&event]).await;
            assert_eq!(app.subscription(&id).await.state.period.unwrap().end.unix_timestamp(), 1_794_478_400, "{name}");
        }
        for name in ["invoice.payment_failed", "invoice.payment_failed.api-2024-06-20"] {
            let app = App::new(kind).await;
            app.deliver(&[&crate::events::fixture(name).to_string()]).await;
            let found = app.subscription("sub_1EztOAwnd3v8bjnOmeywkN22").await;
            assert_eq!((found.status(), found.state.doubt.is_some()), (SubscriptionStatus::Incomplete, true), "{name}");
            assert_eq!(found.state.last_invoice.unwrap().attempts, 1, "{name}");
        }
    }
}

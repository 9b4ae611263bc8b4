//! Does a host find its subscriptions, and may it say whose they are?

use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{ErrorKind, SubscriptionQuery, SubscriptionTransition, Unmatched, Variant};
use serde_json::json;

use super::story::{START, Story};
use crate::app::{App, SECRET, on_both_databases};
use crate::scenes::Notes;

on_both_databases! {
    async fn subscriptions_are_listed_by_owner_customer_and_status(kind) {
        let app = App::new(kind).await;
        for number in 1..=5 {
            let mut story = Story::new(number, if number == 3 { "past_due" } else { "active" });
            story.checkout(START, if number % 2 == 1 { "odd" } else { "even" });
            app.hear(&story).await;
        }
        let refs = async |query| {
            let list = app.payments.subscriptions(query).await.unwrap();
            let refs: Vec<String> = list.subscriptions.into_iter().map(|one| one.gateway_ref.unwrap().into()).collect();
            (refs.join(" "), list.next)
        };
        let all = SubscriptionQuery::new;
        assert_eq!(refs(all().owner("odd")).await.0, "sub_5 sub_3 sub_1");
        assert_eq!(refs(all().owner("odd").status(SubscriptionStatus::PastDue)).await.0, "sub_3");
        assert_eq!(refs(all().customer("jenny.rosen@example.com").limit(2)).await.0, "sub_5 sub_4");
        let (first, next) = refs(all().limit(3)).await;
        let (rest, end) = refs(all().limit(3).after(next.unwrap())).await;
        assert_eq!((first.as_str(), rest.as_str(), end), ("sub_5 sub_4 sub_3", "sub_2 sub_1", None));
        assert_eq!(refs(all().variant("other")).await.0, "");
    }

    async fn subscriptions_of_another_app_can_be_ignored(kind) {
        let stripe = Variant::new(Stripe::new(SECRET)).unmatched(Unmatched::Ignore);
        let app = App::bare(kind, |builder| builder.variant("stripe", stripe)).await;
        app.hear(&Story::new(1, "active")).await;
        assert_eq!((app.number("SELECT count(*) FROM pay_subscriptions"), app.codes()), (0, vec!["unmatched".to_owned()]));
        let why = "ignored: subscription active; no subscription here is sub_1, and such events are to be ignored";
        assert_eq!(app.outcomes(), [why]);
    }

    async fn an_adopted_subscription_is_given_its_owner(kind) {
        let notes = Notes::default();
        let told = notes.clone();
        let app = App::with(kind, |builder| {
            builder.subscription_handler("access", move |step: SubscriptionTransition| {
                told.add(format!("{:?} → {:?}", step.old.owner, step.new.owner));
                std::future::ready(Ok(()))
            })
        }).await;
        let mut story = Story::new(1, "active");
        app.hear(&story).await;
        let token = app.subscription("sub_1").await.token;
        assert!(!app.payments.active("user-42").await.unwrap());
        let given = app.payments.give_owner(&token, "user-42").await.unwrap();
        assert_eq!((given.owner(), app.payments.active("user-42").await.unwrap()), (Some("user-42"), true));
        app.drain().await;
        assert_eq!(notes.all(), ["None → None", "None → Some(\"user-42\")"]);
        // What the gateway's object says later does not outrank the host.
        story.update(START + 9, json!({"metadata": {"owner": "user-7"}}));
        app.deliver(&[&story.events[1]]).await;
        assert_eq!(app.subscription("sub_1").await.owner(), Some("user-42"));
        assert_eq!(app.payments.give_owner(&token, "").await.unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(app.payments.give_owner(&"psub_x".into(), "a").await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

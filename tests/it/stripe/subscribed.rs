//! Does a subscription come out right at a Stripe that we did not write, begun by Stripe's own command line? Its
//! scenarios `customer.subscription.*` and `invoice.payment_failed` need prices and upcoming invoices, which
//! localstripe lacks; so `stripe fixtures` is given a scenario with a plan.

use std::time::Instant;

use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::{Outcome, Subscription, SubscriptionQuery};
use actix_web::rt::time::sleep;
use serde_json::{Value, json};

use super::counterpart::{PATIENCE, Trade};
use crate::app::on_both_databases;

/// A customer with this card subscribes to a box of tea of 12.50 euros a month; then this happens to the subscription.
fn scenario(owner: &str, card: &str, then: &Value) -> Value {
    let step =
        |name: &str, path: &str, params: Value| json!({"name": name, "path": path, "method": "post", "params": params});
    let card = format!("/v1/payment_methods/{card}/attach");
    let plan = json!({"amount": 1250, "currency": "eur", "interval": "month", "product": {"name": "Tea box"}});
    let begun = json!({"customer": "${customer:id}", "items": [{"plan": "${plan:id}"}], "metadata": {"owner": owner}});
    let mut steps = vec![
        step("plan", "/v1/plans", plan),
        step("customer", "/v1/customers", json!({"email": "jenny.rosen@example.com"})),
        step("card", &card, json!({"customer": "${customer:id}"})),
        step(
            "default",
            "/v1/customers/${customer:id}",
            json!({"invoice_settings": {"default_payment_method": "${card:id}"}}),
        ),
        step("subscription", "/v1/subscriptions", begun),
    ];
    if !then.is_null() {
        steps.push(step("changed", "/v1/subscriptions/${subscription:id}", then.clone()));
    }
    json!({"_meta": {"template_version": 0}, "fixtures": steps})
}

impl Trade {
    /// Waits until the owner's subscription stands so.
    async fn subscribed(&self, owner: &str, stands: impl Fn(&Subscription) -> bool) -> Subscription {
        let begun = Instant::now();
        loop {
            let of_owner = SubscriptionQuery::new().owner(owner);
            let found = self.shop.payments.subscriptions(of_owner).await.unwrap().subscriptions;
            if let Some(found) = found.iter().find(|found| stands(found)) {
                return found.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "{found:?} {:?}", self.told());
            sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

on_both_databases! {
    async fn what_stripes_own_command_line_subscribes_to_stands_right_on_its_page_until_it_ends(kind) {
        let trade = Trade::new(kind).await;
        let (succeeded, said) =
            trade.stripe.fixtures(&scenario("user-42", "pm_card_visa", &json!({"cancel_at_period_end": true})));
        assert!(succeeded, "{said}");
        let told = ["payment_intent.succeeded", "customer.subscription.created", "customer.subscription.updated"];
        trade.heard(&told).await;
        let found = trade.subscribed("user-42", |found| found.state.cancel_at_period_end).await;
        assert_eq!((found.status(), &found.state.doubt), (SubscriptionStatus::Active, &None), "{found:?}");
        assert!(trade.shop.payments.active("user-42").await.unwrap());
        let page = trade.shop.get(&format!("/payments/admin/subscriptions/{}", found.token)).await.text();
        for words in ["user-42", "12.50 EUR", "customer.subscription.created", "customer.subscription.updated"] {
            assert!(page.contains(words), "no {words:?} in {page}");
        }
        // The office ends it; the answer and the webhook say so, and that is one step.
        assert_eq!(trade.office.payments.cancel_subscription(&found.token).await.unwrap(), Outcome::Done);
        trade
            .heard(&[
                "payment_intent.succeeded",
                "customer.subscription.created",
                "customer.subscription.updated",
                "customer.subscription.deleted",
            ])
            .await;
        let ended = trade.subscribed("user-42", |found| found.status() == SubscriptionStatus::Canceled).await;
        assert!(!trade.shop.payments.active("user-42").await.unwrap());
        let steps = trade.shop.steps_of(&ended);
        assert_eq!(steps.iter().filter(|step| step.contains("→ canceled:")).count(), 1, "{steps:?}");
    }

    async fn what_no_card_pays_is_begun_and_lets_nobody_in(kind) {
        let trade = Trade::new(kind).await;
        let failing = scenario("user-43", "pm_card_chargeCustomerFail", &Value::Null);
        let (succeeded, said) = trade.stripe.fixtures(&failing);
        assert!(succeeded, "{said}");
        let found = trade.subscribed("user-43", |_| true).await;
        assert_eq!(found.status(), SubscriptionStatus::Incomplete);
        assert!(!trade.shop.payments.active("user-43").await.unwrap());
        // The counterpart can't do more of what Stripe's scenarios do.
        for (scenario, why) in
            [("customer.subscription.updated", "404"), ("invoice.payment_failed", "No upcoming invoices")]
        {
            let (succeeded, said) = trade.stripe.trigger(scenario, &[]);
            assert!(!succeeded && said.contains(why), "{scenario} could be told by the counterpart now: {said}");
        }
    }
}

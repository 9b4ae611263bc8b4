//! Does a stand-in start subscriptions and act on them as a host's tests need: each call once, whatever becomes of its
//! answer?

use std::time::Duration;

use actix_payments::domain::subscription::{PlanChange, SubscriptionStatus};
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::lemon_squeezy::LemonSqueezy;
use actix_payments::gateways::paddle::Paddle;
use actix_payments::gateways::polar::Polar;
use actix_payments::gateways::razorpay::Razorpay;
use actix_payments::gateways::subscriptions::SubscriptionVerb;
use actix_payments::testing::{Answer, Company, StandIn, settle};
use actix_payments::{NewSubscription, Payments, Subscription, SubscriptionQuery};

use super::{Host, euros, stripe};
use crate::app::{Kind, on_both_databases};

const NAME: &str = "tea";

/// A host with a stand-in that sells tea, and the company that it stands in for.
struct Sold {
    host: Host,
    stand_in: StandIn,
    company: Company,
}

impl Sold {
    async fn new(kind: Kind, stand_in: StandIn, company: fn(&Payments, String) -> Company) -> Self {
        let stand_in = stand_in.price("price_tea", euros(20_00)).price("price_coffee", euros(30_00));
        let host = Host::new(kind, NAME, stand_in.clone()).await;
        let company = company(&host.payments, NAME.to_owned());
        Self { host, stand_in, company }
    }

    async fn at_stripe(kind: Kind) -> Self {
        Self::new(kind, StandIn::stripe(stripe()), Company::stripe).await
    }

    /// A subscription that the host started and the customer bought.
    async fn begun(&self) -> Subscription {
        let new = NewSubscription::new(NAME, "price_tea").owner("user-7");
        let begun = self.host.payments.subscribe(new).await.unwrap();
        assert_eq!(begun.next.url(), Some(format!("https://checkout.example/{}", begun.subscription.token).as_str()));
        self.bought(&begun.subscription).await
    }

    async fn bought(&self, subscription: &Subscription) -> Subscription {
        let ann = self.company.subscribed(subscription, euros(20_00)).price_id("price_tea");
        self.company.started(&ann).twice().reversed().deliver().await.unwrap();
        settle(&self.host.payments).await.unwrap();
        let all = self.host.payments.subscriptions(SubscriptionQuery::new()).await.unwrap().subscriptions;
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!((all[0].status(), all[0].owner()), (SubscriptionStatus::Active, Some("user-7")), "{all:?}");
        assert_eq!(all[0].token, subscription.token);
        self.now(&subscription.token).await
    }

    async fn now(&self, token: &str) -> Subscription {
        self.host.payments.subscription(&token.into()).await.unwrap().unwrap()
    }

    /// The keys of the calls with this verb.
    fn keys(&self, verb: SubscriptionVerb) -> Vec<String> {
        let calls = self.stand_in.subscription_calls().into_iter();
        calls.filter(|call| call.verb == verb).map(|call| call.idempotency_key).collect()
    }
}

on_both_databases! {
    async fn a_subscription_of_a_stand_in_is_resumed_changed_and_canceled(kind) {
        for sold in [
            Sold::at_stripe(kind).await,
            Sold::new(kind, StandIn::dummy(Dummy::new("for tests")), Company::dummy).await,
            Sold::new(kind, StandIn::lemon_squeezy(LemonSqueezy::new("for tests")), Company::lemon_squeezy).await,
            Sold::new(kind, StandIn::polar(Polar::new("polar_whs_for_tests")), Company::polar).await,
            Sold::new(kind, StandIn::paddle(Paddle::new("for tests")), Company::paddle).await,
        ] {
            let (payments, token) = (&sold.host.payments, sold.begun().await.token);
            assert_eq!(sold.stand_in.subscribed()[0].owner.as_deref(), Some("user-7"));
            payments.cancel_subscription_at_end(&token).await.unwrap();
            let scheduled = sold.now(&token).await;
            assert!(scheduled.state.cancel_at.is_some(), "{scheduled:?}");
            payments.resume_subscription(&token).await.unwrap();
            assert_eq!(sold.now(&token).await.state.cancel_at, None);
            let change = PlanChange::new().price("price_coffee").quantity(2);
            payments.change_subscription(&token, change).await.unwrap();
            let item = sold.now(&token).await.state.items.remove(0);
            assert_eq!(item.price, "price_coffee", "{item:?}");
            payments.cancel_subscription(&token).await.unwrap();
            let ended = sold.now(&token).await;
            assert_eq!((ended.status(), ended.owner()), (SubscriptionStatus::Canceled, Some("user-7")), "{ended:?}");
            // The company's own event of that changes nothing.
            sold.host.clock.pass(Duration::from_secs(60));
            let ann = sold.company.subscribed(&ended, euros(30_00)).price_id("price_coffee").quantity(2);
            sold.company.ended(&ann).deliver().await.unwrap();
            settle(payments).await.unwrap();
            assert_eq!(sold.now(&token).await.status(), SubscriptionStatus::Canceled);
        }
    }

    async fn a_subscription_of_razorpays_stand_in_ends_at_once_or_not_at_all(kind) {
        let sold = Sold::new(kind, StandIn::razorpay(Razorpay::new("for tests")), Company::razorpay).await;
        let (payments, token) = (&sold.host.payments, sold.begun().await.token);
        let refused = payments.cancel_subscription_at_end(&token).await.unwrap_err();
        assert!(refused.to_string().contains("Razorpay can't be asked"), "{refused}");
        assert_eq!(sold.now(&token).await.status(), SubscriptionStatus::Active);
        payments.cancel_subscription(&token).await.unwrap();
        assert_eq!(sold.now(&token).await.status(), SubscriptionStatus::Canceled);
    }

    async fn a_cancel_whose_answer_is_lost_is_made_once(kind) {
        let sold = Sold::at_stripe(kind).await;
        let token = sold.begun().await.token;
        sold.stand_in.answer(Answer::TimedOut);
        sold.stand_in.answer(Answer::Lost);
        sold.host.payments.cancel_subscription(&token).await.unwrap();
        assert_eq!(sold.now(&token).await.status(), SubscriptionStatus::Active, "nobody knows of it yet");
        for _ in 0..3 {
            sold.host.clock.pass(Duration::from_secs(3600));
            settle(&sold.host.payments).await.unwrap();
        }
        assert_eq!(sold.now(&token).await.status(), SubscriptionStatus::Canceled);
        let keys = sold.keys(SubscriptionVerb::Cancel);
        assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }

    async fn a_cancel_that_is_declined_or_reaches_nobody_ends_nothing(kind) {
        let sold = Sold::at_stripe(kind).await;
        let token = sold.begun().await.token;
        for (answer, why) in [
            (Answer::Declined("it is of last year".to_owned()), "it is of last year"),
            (Answer::Unreachable, "can't be reached"),
        ] {
            sold.stand_in.answer(answer);
            let refused = sold.host.payments.cancel_subscription(&token).await.unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
            assert_eq!(sold.now(&token).await.status(), SubscriptionStatus::Active);
        }
        sold.host.payments.cancel_subscription(&token).await.unwrap();
        assert_eq!(sold.now(&token).await.status(), SubscriptionStatus::Canceled);
    }

    async fn a_subscription_is_not_begun_where_the_stand_in_says_no(kind) {
        let sold = Sold::at_stripe(kind).await;
        let new = |price: &str| NewSubscription::new(NAME, price).owner("user-7");
        let refused = sold.host.payments.subscribe(new("price_beer")).await.unwrap_err();
        assert!(refused.to_string().contains("price_coffee, price_tea"), "{refused}");
        sold.stand_in.answer_start(Answer::Unreachable);
        assert!(sold.host.payments.subscribe(new("price_tea")).await.unwrap_err().to_string().contains("reached"));
        assert!(sold.stand_in.subscribed().is_empty());
    }

    async fn a_subscription_whose_start_was_lost_is_one_once_it_is_bought(kind) {
        let sold = Sold::at_stripe(kind).await;
        sold.stand_in.answer_start(Answer::Lost);
        let new = NewSubscription::new(NAME, "price_tea").owner("user-7");
        sold.host.payments.subscribe(new).await.unwrap_err();
        let all = sold.host.payments.subscriptions(SubscriptionQuery::new()).await.unwrap().subscriptions;
        assert_eq!(all[0].status(), SubscriptionStatus::Incomplete);
        assert_eq!(sold.stand_in.subscribed()[0].token, all[0].token);
        sold.bought(&all[0]).await;
    }
}

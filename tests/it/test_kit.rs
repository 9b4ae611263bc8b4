//! Does the test kit do what a host's own tests need: genuine events by verbs in any order, a clock, a database for each
//! test, a company that declines, is slow or loses its answer?

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::gateways::{Gateway, Verb};
use actix_payments::testing::{self, Answer, Clock, Company, StandIn, Story, TestDatabase, settle};
use actix_payments::{Database, HandlerError, NewPayment, Payment, Payments, Refund, SubscriptionQuery, Transition};
use actix_web::{App, test};

use crate::app::{Kind, on_both_databases};

mod companies;
mod subscriptions;

/// A host's app in a test: nothing but the kit.
struct Host {
    payments: Payments,
    clock: Clock,
    receipts: Arc<AtomicUsize>,
    database: TestDatabase,
}

fn database(kind: Kind) -> TestDatabase {
    match kind {
        Kind::Sqlite => TestDatabase::sqlite().unwrap(),
        Kind::Postgres => TestDatabase::postgres(&std::env::var("TEST_POSTGRES_URL").unwrap()).unwrap(),
    }
}

impl Host {
    async fn new(kind: Kind, variant: &str, gateway: impl Gateway) -> Self {
        let (database, clock, receipts) = (database(kind), Clock::new(), Arc::new(AtomicUsize::new(0)));
        let counted = receipts.clone();
        let receipt = move |step: Transition| {
            counted.fetch_add(usize::from(step.first_paid()), Ordering::SeqCst);
            std::future::ready(Ok::<(), HandlerError>(()))
        };
        let builder = Payments::builder(Database::from_url(database.url()).unwrap()).clock(clock.source());
        let payments = builder.variant(variant, gateway).handler("receipt", receipt).build().unwrap();
        payments.migrate().await.unwrap();
        Self { payments, clock, receipts, database }
    }

    async fn order(&self, variant: &str) -> Payment {
        let order = NewPayment::new(variant, euros(49_99)).without_checkout().customer("ann@example.com");
        self.payments.create(order).await.unwrap().payment
    }

    async fn after(&self, story: &Story, token: &str) -> Payment {
        story.deliver().await.unwrap();
        settle(&self.payments).await.unwrap();
        self.now(token).await
    }

    async fn now(&self, token: &str) -> Payment {
        self.payments.payment(&token.into()).await.unwrap().unwrap()
    }

    async fn subscriptions(&self) -> Vec<(SubscriptionStatus, Option<String>)> {
        let all = self.payments.subscriptions(SubscriptionQuery::new()).await.unwrap().subscriptions;
        all.iter().map(|one| (one.status(), one.owner().map(str::to_owned))).collect()
    }
}

fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn stripe() -> Stripe {
    Stripe::new("whsec_test")
}

on_both_databases! {
    async fn what_a_company_sends_ends_alike_in_each_of_its_orders_and_repeated(kind) {
        let host = Host::new(kind, "stripe", stripe()).await;
        let stripe = Company::stripe(&host.payments, "stripe");
        let story = |payment: &Payment| {
            stripe.paid(payment).without("charge.succeeded").then(stripe.refunded(payment, 10_00))
        };
        let orders = story(&host.order("stripe").await).orders().len();
        assert_eq!(orders, 24);
        for order in 0..orders {
            let payment = host.order("stripe").await;
            let payment = host.after(&story(&payment).orders().swap_remove(order).twice(), &payment.token).await;
            assert_eq!((payment.status, payment.refunded), (Status::PartiallyRefunded, euros(10_00)), "order {order}");
        }
        assert_eq!(host.receipts.load(Ordering::SeqCst), orders);
    }

    async fn each_verb_of_stripe_ends_in_its_state(kind) {
        let host = Host::new(kind, "stripe", stripe()).await;
        let stripe = Company::stripe(&host.payments, "stripe");
        let payment = host.order("stripe").await;
        let steps = [
            (stripe.failed(&payment), Status::Failed, 0, false),
            (stripe.paid(&payment), Status::Paid, 0, false),
            (stripe.disputed(&payment), Status::Paid, 0, true),
            (stripe.dispute_won(&payment), Status::Paid, 0, false),
            (stripe.refunded(&payment, 20_00), Status::PartiallyRefunded, 20_00, false),
            (stripe.refunded(&payment, 29_99), Status::Refunded, 49_99, false),
            (stripe.refund_failed(&payment), Status::PartiallyRefunded, 20_00, false),
        ];
        for (story, status, refunded, disputed) in steps {
            let now = host.after(&story, &payment.token).await;
            let seen = (now.status, now.refunded.minor, now.disputed);
            assert_eq!(seen, (status, refunded, disputed), "after {:?}", story.kinds());
            assert!(!now.needs_review(), "{:?}", now.concerns);
        }
        assert_eq!(host.now(&payment.token).await.customer.as_deref(), Some("ann@example.com"));

        let held = host.order("stripe").await;
        assert_eq!(host.after(&stripe.authorized(&held), &held.token).await.status, Status::Authorized);
        let taken = host.after(&stripe.captured(&held, 30_00), &held.token).await;
        assert_eq!((taken.status, taken.captured), (Status::Paid, euros(30_00)));
        let [expired, canceled] = [host.order("stripe").await, host.order("stripe").await];
        assert_eq!(host.after(&stripe.expired(&expired), &expired.token).await.status, Status::Expired);
        assert_eq!(host.after(&stripe.canceled(&canceled), &canceled.token).await.status, Status::Canceled);
        let taken = host.after(&stripe.refunded(&held, 30_00), &held.token).await;
        assert_eq!((taken.status, taken.captured), (Status::Refunded, euros(30_00)));
        let again = host.order("stripe").await;
        let story = stripe.paid(&again).then(stripe.refunded(&again, 20_00)).then(stripe.refund_failed(&again));
        let story = story.then(stripe.refunded(&again, 20_00)).reversed();
        assert_eq!(host.after(&story, &again.token).await.refunded, euros(20_00));
        let lost = host.order("stripe").await;
        let story = stripe.paid(&lost).then(stripe.disputed(&lost)).then(stripe.dispute_lost(&lost));
        let lost = host.after(&story.shuffled(3), &lost.token).await;
        assert_eq!((lost.lost, lost.disputed), (euros(49_99), true));
    }

    async fn each_verb_of_the_dummy_ends_in_its_state(kind) {
        let host = Host::new(kind, "dummy", Dummy::new("for tests")).await;
        let dummy = Company::dummy(&host.payments, "dummy");
        let payment = host.order("dummy").await;
        let story = dummy.authorized(&payment).then(dummy.captured(&payment, 40_00)).reversed();
        let now = host.after(&story, &payment.token).await;
        assert_eq!((now.status, now.captured), (Status::Paid, euros(40_00)));
        let now = host.after(&dummy.refunded(&payment, 1_00), &payment.token).await;
        assert_eq!((now.status, now.refunded), (Status::PartiallyRefunded, euros(1_00)));
        let ends = [Status::Failed, Status::Expired, Status::Canceled, Status::Paid];
        for (at, status) in ends.into_iter().enumerate() {
            let payment = host.order("dummy").await;
            let story = [dummy.failed(&payment), dummy.expired(&payment), dummy.canceled(&payment), dummy.paid(&payment)];
            assert_eq!(host.after(&story[at], &payment.token).await.status, status);
        }
    }

    async fn a_refund_whose_answer_is_lost_is_made_once(kind) {
        let stand_in = StandIn::stripe(stripe());
        let host = Host::new(kind, "stripe", stand_in.clone()).await;
        let stripe = Company::stripe(&host.payments, "stripe");
        let payment = host.order("stripe").await;
        host.after(&stripe.paid(&payment), &payment.token).await;

        stand_in.answer(Answer::Lost);
        stand_in.answer(Answer::TimedOut);
        host.payments.refund(&payment.token, Refund::part(euros(10_00))).await.unwrap();
        for _ in 0..3 {
            host.clock.pass(Duration::from_secs(3600));
            settle(&host.payments).await.unwrap();
        }
        let now = host.now(&payment.token).await;
        assert_eq!((now.status, now.refunded), (Status::PartiallyRefunded, euros(10_00)));
        assert_eq!((stand_in.refunded(&payment.token), stand_in.calls().len()), (10_00, 3));
        let keys = stand_in.calls().iter().map(|call| call.idempotency_key.clone()).collect::<Vec<_>>();
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        // The company's own event of that refund changes nothing.
        let again = host.after(&stripe.refunded(&payment, 10_00), &payment.token).await;
        assert_eq!(again.refunded, euros(10_00));
    }

    async fn a_refund_that_is_declined_or_reaches_nobody_moves_nothing(kind) {
        let stand_in = StandIn::stripe(stripe());
        let host = Host::new(kind, "stripe", stand_in.clone()).await;
        let stripe = Company::stripe(&host.payments, "stripe");
        let payment = host.order("stripe").await;
        host.after(&stripe.paid(&payment), &payment.token).await;
        stand_in.answer(Answer::Declined("the charge is disputed".to_owned()));
        let declined = host.payments.refund(&payment.token, Refund::part(euros(10_00))).await.unwrap_err();
        assert!(declined.to_string().contains("the charge is disputed"), "{declined}");
        assert_eq!((stand_in.refunded(&payment.token), host.now(&payment.token).await.status), (0, Status::Paid));

        stand_in.answer(Answer::Unreachable);
        let refund = || host.payments.refund(&payment.token, Refund::part(euros(5_00)));
        assert!(refund().await.unwrap_err().to_string().contains("can't be reached"));
        assert_eq!(stand_in.refunded(&payment.token), 0);
        refund().await.unwrap();
        assert_eq!(stand_in.refunded(&payment.token), 5_00);
        assert_eq!(host.now(&payment.token).await.refunded, euros(5_00));
        let verbs: Vec<Verb> = stand_in.calls().iter().map(|call| call.verb).collect();
        assert_eq!(verbs, [Verb::Refund; 3]);
    }

    async fn a_payment_of_a_connected_account_is_paid_and_refunded_there(kind) {
        let stand_in = StandIn::stripe(stripe().accounts(["acct_1"]));
        let host = Host::new(kind, "stripe", stand_in.clone()).await;
        let stripe = Company::stripe(&host.payments, "stripe");
        let order = NewPayment::new("stripe", euros(49_99)).account("acct_1");
        let payment = host.payments.create(order).await.unwrap().payment;
        assert_eq!(host.after(&stripe.paid(&payment), &payment.token).await.status, Status::Paid);
        host.payments.refund(&payment.token, Refund::part(euros(10_00))).await.unwrap();
        assert_eq!(host.now(&payment.token).await.refunded, euros(10_00));
        assert_eq!(stand_in.calls()[0].account.as_deref(), Some("acct_1"));
    }

    async fn a_stand_in_starts_captures_and_cancels(kind) {
        let stand_in = StandIn::dummy(Dummy::new("for tests"));
        let host = Host::new(kind, "dummy", stand_in.clone()).await;
        let dummy = Company::dummy(&host.payments, "dummy");
        let created = host.payments.create(NewPayment::new("dummy", euros(49_99)).reference("10042")).await.unwrap();
        assert_eq!(created.next.url(), Some(format!("https://checkout.example/{}", created.payment.token).as_str()));
        assert_eq!(stand_in.started()[0].reference.as_deref(), Some("10042"));
        let token = &created.payment.token;
        host.after(&dummy.authorized(&created.payment), token).await;
        host.payments.capture(token, Some(euros(30_00))).await.unwrap();
        assert_eq!(host.now(token).await.captured, euros(30_00));
        let other = host.order("dummy").await;
        host.after(&dummy.authorized(&other), &other.token).await;
        host.payments.cancel(&other.token).await.unwrap();
        assert_eq!(host.now(&other.token).await.status, Status::Canceled);
        stand_in.answer_start(Answer::Declined("no such currency".to_owned()));
        let refused = host.payments.create(NewPayment::new("dummy", euros(1))).await.unwrap_err();
        assert!(refused.to_string().contains("no such currency"), "{refused}");
    }

    async fn requests_go_through_the_hosts_own_app(kind) {
        let host = Host::new(kind, "stripe", stripe()).await;
        let app = test::init_service(App::new().service(host.payments.mount("/shop/pay"))).await;
        let stripe = Company::stripe(&host.payments, "stripe");
        let payment = host.order("stripe").await;
        for request in stripe.paid(&payment).requests().await {
            let response = test::call_service(&app, request.to_request()).await;
            assert_eq!(response.status(), 200);
        }
        settle(&host.payments).await.unwrap();
        assert_eq!(host.now(&payment.token).await.status, Status::Paid);
    }

    async fn a_database_is_gone_with_its_test(kind) {
        let first = Host::new(kind, "stripe", stripe()).await;
        let second = Host::new(kind, "stripe", stripe()).await;
        first.order("stripe").await;
        assert!(second.payments.list(Default::default()).await.unwrap().payments.is_empty(), "each has its own");
        let url = first.database.url().to_owned();
        drop(first);
        let opened = Database::from_url(&url).and_then(|database| database.connection().map(drop));
        let is_there = match kind {
            Kind::Sqlite => std::path::Path::new(url.trim_start_matches("sqlite://")).parent().unwrap().exists(),
            Kind::Postgres => opened.is_ok(),
        };
        assert!(!is_there, "{url}");
    }

    async fn a_handler_is_tested_alone_with_what_it_would_get(kind) {
        let host = Host::new(kind, "stripe", stripe()).await;
        let mut order = testing::payment("stripe", euros(49_99));
        order.reference = Some("10042".into());
        let step = testing::transition(&host.payments, order, Status::Pending, Status::Paid);
        assert!(step.first_paid() && step.became(Status::Paid));
        assert_eq!((step.payment.captured, step.payment.reference.as_deref()), (euros(49_99), Some("10042")));
        let event = testing::event(&host.payments, "stripe", "invoice.upcoming", r#"{"invoice": "in_1"}"#);
        assert_eq!(event.json::<serde_json::Value>().unwrap()["invoice"], "in_1");
        let tea = testing::subscription("stripe", "user-7", SubscriptionStatus::Active);
        let step = testing::subscription_transition(&host.payments, tea, SubscriptionStatus::PastDue);
        assert!(step.became(SubscriptionStatus::Active) && step.subscription.owner() == Some("user-7"));
    }
}

#[actix_web::test]
#[should_panic(expected = "the dummy gateway sends no event of Disputed")]
async fn a_verb_that_a_company_lacks_says_so() {
    let host = Host::new(Kind::Sqlite, "dummy", Dummy::new("for tests")).await;
    let payment = host.order("dummy").await;
    let _ = Company::dummy(&host.payments, "dummy").disputed(&payment);
}

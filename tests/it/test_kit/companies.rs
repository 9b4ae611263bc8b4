//! Does what each company of the test kit sends end in the right state, in any order and repeated?

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::adyen::Adyen;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::lemon_squeezy::LemonSqueezy;
use actix_payments::gateways::mercado_pago::MercadoPago;
use actix_payments::gateways::mollie::Mollie;
use actix_payments::gateways::paddle::Paddle;
use actix_payments::gateways::polar::Polar;
use actix_payments::gateways::razorpay::Razorpay;
use actix_payments::gateways::square::Square;
use actix_payments::testing::{Company, ObjectServer, Story, paypal, settle};
use actix_payments::{Payments, SubscriptionQuery, Token};

use super::{Host, euros, stripe};
use crate::app::{Kind, on_both_databases};

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const WEBHOOK: &str = "1JE4291016473214C";
const ADYEN_KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

/// A host with one variant, and the company that it is of.
struct Shop {
    host: Host,
    company: Company,
    name: &'static str,
}

impl Shop {
    async fn new(
        kind: Kind,
        name: &'static str,
        gateway: impl Gateway,
        company: fn(&Payments, String) -> Company,
    ) -> Self {
        let host = Host::new(kind, name, gateway).await;
        let company = company(&host.payments, name.to_owned());
        Self { host, company, name }
    }

    /// A payment is paid, and refunded in two parts.
    async fn refunds(&self, seed: u64) -> Token {
        let (host, company) = (&self.host, &self.company);
        host.receipts.store(0, Ordering::SeqCst);
        let payment = host.order(self.name).await;
        let story = company.paid(&payment).then(company.refunded(&payment, 10_00));
        let story = story.then(company.refunded(&payment, 5_00)).twice().shuffled(seed);
        let now = host.after(&story, &payment.token).await;
        let seen = (now.status, now.captured, now.refunded);
        assert_eq!(seen, (Status::PartiallyRefunded, euros(49_99), euros(15_00)), "{} {story:?}", self.name);
        assert!(!now.needs_review(), "{:?}", now.concerns);
        assert_eq!(host.receipts.load(Ordering::SeqCst), 1, "{}", self.name);
        payment.token
    }

    /// The same, and the second refund fails.
    async fn refunds_fail(&self, seed: u64) {
        let token = self.refunds(seed).await;
        let payment = self.host.now(&token).await;
        let now = self.host.after(&self.company.refund_failed(&payment), &token).await;
        assert_eq!((now.status, now.refunded), (Status::PartiallyRefunded, euros(10_00)), "{}", self.name);
    }

    async fn refunds_whole(&self) {
        let payment = self.host.order(self.name).await;
        let story = self.company.paid(&payment).then(self.company.refunded(&payment, 49_99)).reversed();
        let now = self.host.after(&story, &payment.token).await;
        assert_eq!((now.status, now.refunded), (Status::Refunded, euros(49_99)), "{}", self.name);
    }

    async fn disputes(&self, seed: u64) {
        let (host, company) = (&self.host, &self.company);
        let disputed = host.order(self.name).await;
        let story = company.paid(&disputed).then(company.disputed(&disputed)).twice().shuffled(seed);
        let now = host.after(&story, &disputed.token).await;
        assert!(now.disputed && now.status == Status::Paid, "{} {now:?}", self.name);
        let now = host.after(&company.dispute_won(&disputed), &disputed.token).await;
        assert!(!now.disputed && now.lost == euros(0), "{} {now:?}", self.name);

        let lost = host.order(self.name).await;
        let story = company.paid(&lost).then(company.disputed(&lost)).then(company.dispute_lost(&lost));
        let now = host.after(&story.shuffled(seed), &lost.token).await;
        assert_eq!((now.lost, now.disputed), (euros(49_99), true), "{}", self.name);
    }

    /// A part of what was authorized is captured.
    async fn captures(&self, minor: i64) {
        let (host, company) = (&self.host, &self.company);
        let held = host.order(self.name).await;
        assert_eq!(
            host.after(&company.authorized(&held), &held.token).await.status,
            Status::Authorized,
            "{}",
            self.name
        );
        let now = host.after(&company.captured(&held, minor), &held.token).await;
        assert_eq!((now.status, now.captured), (Status::Paid, euros(minor)), "{}", self.name);
        assert!(!now.needs_review(), "{:?}", now.concerns);
    }

    /// A payment ends without money.
    async fn ends(&self, verb: fn(&Company, &actix_payments::Payment) -> Story, status: Status) {
        let payment = self.host.order(self.name).await;
        let now = self.host.after(&verb(&self.company, &payment), &payment.token).await;
        assert_eq!((now.status, now.captured), (status, euros(0)), "{}", self.name);
    }

    /// What was authorized is given up.
    async fn cancels(&self) {
        let (host, company) = (&self.host, &self.company);
        let held = host.order(self.name).await;
        let story = company.authorized(&held).then(company.canceled(&held)).reversed();
        let now = host.after(&story, &held.token).await;
        assert_eq!((now.status, now.needs_review()), (Status::Canceled, false), "{} {:?}", self.name, now.concerns);
    }

    /// All that a payment's object shows, at a company whose events only name it.
    async fn shows_payments(&self) {
        self.captures(30_00).await;
        self.cancels().await;
        self.ends(Company::failed, Status::Failed).await;
        self.ends(Company::expired, Status::Expired).await;
        self.refunds_whole().await;
        self.refunds_fail(1).await;
        self.disputes(1).await;
    }

    /// A subscription renews, fails, recovers and ends.
    async fn subscribes(&self, owner: Option<&str>, schedules: bool, paid_at_last: SubscriptionStatus) {
        let (host, company) = (&self.host, &self.company);
        host.receipts.store(0, Ordering::SeqCst);
        let ann = company.subscriber("user-7", euros(20_00));
        let begun = company.started(&ann).twice().reversed();
        self.stands(begun, SubscriptionStatus::Active, owner).await;
        for (verb, status) in [
            (Company::renewed as fn(&Company, &_) -> Story, SubscriptionStatus::Active),
            (Company::renewal_failed, SubscriptionStatus::PastDue),
        ] {
            host.clock.pass(MONTH);
            self.stands(verb(company, &ann).twice(), status, owner).await;
        }
        self.stands(company.renewed(&ann), paid_at_last, owner).await;
        if schedules {
            for (story, is_to_end) in [
                (company.cancel_scheduled(&ann), true),
                (company.resumed(&ann), false),
                (company.cancel_scheduled(&ann), true),
            ] {
                self.stands(story, SubscriptionStatus::Active, owner).await;
                let all = host.payments.subscriptions(SubscriptionQuery::new()).await.unwrap().subscriptions;
                assert_eq!(all[0].state.cancel_at.is_some(), is_to_end, "{} {all:?}", self.name);
            }
        }
        host.clock.pass(MONTH);
        self.stands(company.ended(&ann).twice(), SubscriptionStatus::Canceled, owner).await;
        host.clock.pass(MONTH);
        assert!(!host.payments.active("user-7").await.unwrap(), "{}", self.name);
        // The three periods that were paid are three payments, once their grace time is over.
        settle(&host.payments).await.unwrap();
        assert_eq!(host.receipts.load(Ordering::SeqCst), 3, "{}", self.name);
    }

    async fn stands(&self, story: Story, status: SubscriptionStatus, owner: Option<&str>) {
        story.deliver().await.unwrap();
        settle(&self.host.payments).await.unwrap();
        let seen = self.host.subscriptions().await;
        assert_eq!(seen, [(status, owner.map(str::to_owned))], "{} {story:?}", self.name);
    }
}

on_both_databases! {
    async fn what_stripe_sends_ends_alike(kind) {
        let shop = Shop::new(kind, "stripe", stripe(), Company::stripe).await;
        shop.refunds_whole().await;
        shop.cancels().await;
        for seed in 0..3 {
            shop.refunds_fail(seed).await;
            shop.disputes(seed).await;
        }
        let shop = Shop::new(kind, "stripe", stripe(), Company::stripe).await;
        shop.subscribes(Some("user-7"), true, SubscriptionStatus::Active).await;
    }

    async fn what_the_dummy_sends_ends_alike(kind) {
        let shop = Shop::new(kind, "dummy", Dummy::new("for tests"), Company::dummy).await;
        shop.subscribes(Some("user-7"), true, SubscriptionStatus::Active).await;
        shop.refunds(1).await;
        shop.captures(30_00).await;
    }

    async fn what_paddle_sends_ends_alike(kind) {
        let shop = Shop::new(kind, "paddle", Paddle::new("for tests"), Company::paddle).await;
        shop.refunds_whole().await;
        shop.ends(Company::failed, Status::Failed).await;
        shop.ends(Company::canceled, Status::Canceled).await;
        for seed in 0..3 {
            shop.refunds_fail(seed).await;
            shop.disputes(seed).await;
        }
        let shop = Shop::new(kind, "paddle", Paddle::new("for tests"), Company::paddle).await;
        shop.subscribes(Some("user-7"), true, SubscriptionStatus::Active).await;
    }

    async fn what_razorpay_sends_ends_alike(kind) {
        let shop = Shop::new(kind, "razorpay", Razorpay::new("for tests"), Company::razorpay).await;
        shop.refunds_whole().await;
        shop.captures(49_99).await;
        shop.ends(Company::failed, Status::Failed).await;
        for seed in 0..3 {
            shop.refunds_fail(seed).await;
            shop.disputes(seed).await;
        }
        let shop = Shop::new(kind, "razorpay", Razorpay::new("for tests"), Company::razorpay).await;
        shop.subscribes(Some("user-7"), false, SubscriptionStatus::Active).await;
    }

    async fn what_square_sends_ends_alike(kind) {
        let square = Square::new("for tests", "https://shop.example/payments/square/");
        let shop = Shop::new(kind, "square", square, Company::square).await;
        shop.refunds_whole().await;
        shop.captures(49_99).await;
        shop.cancels().await;
        shop.ends(Company::failed, Status::Failed).await;
        for seed in 0..3 {
            shop.refunds_fail(seed).await;
            shop.disputes(seed).await;
        }
    }

    async fn what_lemon_squeezy_sends_ends_alike(kind) {
        let gateway = LemonSqueezy::new("for tests").stores(["7"]);
        let shop = Shop::new(kind, "lemon", gateway, |payments, name| {
            Company::lemon_squeezy(payments, name).account("7")
        })
        .await;
        shop.refunds_whole().await;
        for seed in 0..3 {
            shop.refunds(seed).await;
        }
        shop.subscribes(Some("user-7"), true, SubscriptionStatus::Active).await;
    }

    async fn what_polar_sends_ends_alike(kind) {
        let shop = Shop::new(kind, "polar", Polar::new("polar_whs_for_tests"), Company::polar).await;
        shop.refunds_whole().await;
        shop.ends(Company::failed, Status::Failed).await;
        shop.ends(Company::expired, Status::Expired).await;
        for seed in 0..3 {
            shop.refunds_fail(seed).await;
        }
        shop.subscribes(Some("user-7"), true, SubscriptionStatus::Active).await;
    }

    async fn what_adyen_sends_ends_alike(kind) {
        let gateway = Adyen::new(ADYEN_KEY).basic_auth("shop", "secret").merchant_accounts(["ShopECOM"]);
        let shop =
            Shop::new(kind, "adyen", gateway, |payments, name| Company::adyen(payments, name).account("ShopECOM")).await;
        shop.captures(30_00).await;
        shop.cancels().await;
        shop.ends(Company::failed, Status::Failed).await;
        shop.ends(Company::expired, Status::Expired).await;
        shop.refunds_whole().await;
        for seed in 0..3 {
            shop.refunds_fail(seed).await;
            shop.disputes(seed).await;
            }
    }

    async fn what_mollie_shows_ends_alike(kind) {
        let server = ObjectServer::start().unwrap();
        let gateway = Mollie::new().api_key("test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM");
        let gateway = gateway.webhook_url("https://shop.example/payments/mollie/").api_base(server.address());
        let host = Host::new(kind, "mollie", gateway).await;
        let shop = Shop { company: Company::mollie(&host.payments, "mollie", &server), host, name: "mollie" };
        shop.shows_payments().await;
    }

    async fn what_mercado_pago_shows_ends_alike(kind) {
        let server = ObjectServer::start().unwrap();
        let gateway = MercadoPago::new("for tests").access_token("APP_USR-1").api_base(server.address());
        let host = Host::new(kind, "mercado", gateway).await;
        let shop = Shop { company: Company::mercado_pago(&host.payments, "mercado", &server), host, name: "mercado" };
        shop.shows_payments().await;
        // Whoever asks for a payment gets the same.
        let payment = shop.host.order("mercado").await;
        drop(shop.company.paid(&payment));
        shop.host.payments.refresh(&payment.token).await.unwrap();
        assert_eq!(shop.host.now(&payment.token).await.status, Status::Paid);
    }

    async fn what_braintree_sends_ends_alike(kind) {
        let gateway = Braintree::new("merchant", "public_key", "private_key");
        let shop = Shop::new(kind, "braintree", gateway, Company::braintree).await;
        shop.refunds_whole().await;
        shop.ends(Company::failed, Status::Failed).await;
        for seed in 0..3 {
            shop.refunds_fail(seed).await;
            shop.disputes(seed).await;
            }
        shop.subscribes(None, false, SubscriptionStatus::Active).await;
    }

    async fn what_paypal_sends_ends_alike(kind) {
        let shop = Shop::new(kind, "paypal", paypal(WEBHOOK), |payments, name| {
            Company::paypal(payments, name, WEBHOOK)
        })
        .await;
        shop.captures(30_00).await;
        shop.cancels().await;
        shop.ends(Company::failed, Status::Failed).await;
        shop.refunds_whole().await;
        for seed in 0..3 {
            shop.refunds_fail(seed).await;
            shop.disputes(seed).await;
            }
        // A payment says nothing of how the subscription stands: whoever asks for it gets to know.
        shop.subscribes(Some("user-7"), false, SubscriptionStatus::PastDue).await;
    }
}

#[actix_web::test]
async fn the_chapter_on_testing_has_the_verbs_of_each_company() {
    let host = Host::new(Kind::Sqlite, "dummy", Dummy::new("for tests")).await;
    let (payments, server) = (&host.payments, ObjectServer::start().unwrap());
    let companies = [
        ("stripe", Company::stripe(payments, "")),
        ("paypal", Company::paypal(payments, "", WEBHOOK)),
        ("braintree", Company::braintree(payments, "")),
        ("mollie", Company::mollie(payments, "", &server)),
        ("adyen", Company::adyen(payments, "")),
        ("paddle", Company::paddle(payments, "")),
        ("lemon_squeezy", Company::lemon_squeezy(payments, "")),
        ("polar", Company::polar(payments, "")),
        ("square", Company::square(payments, "")),
        ("razorpay", Company::razorpay(payments, "")),
        ("mercado_pago", Company::mercado_pago(payments, "", &server)),
        ("dummy", Company::dummy(payments, "")),
    ];
    let row = |(name, company): &(&str, Company)| {
        let verbs = company.verbs();
        let first = verbs.iter().position(|verb| *verb == "started").unwrap_or(verbs.len());
        let cell = |verbs: &[&str]| verbs.iter().map(|verb| format!("`{verb}`")).collect::<Vec<_>>().join(", ");
        let row = format!("| `Company::{name}` | {} | {} |", cell(&verbs[..first]), cell(&verbs[first..]));
        row.replace("|  |", "| |")
    };
    let written = include_str!("../../../docs/how-to.md").lines().filter(|line| line.starts_with("| `Company::"));
    let expected: Vec<String> = companies.iter().map(row).collect();
    assert_eq!(written.collect::<Vec<_>>(), expected);
}

//! Does it work with a Stripe that we did not write? localstripe takes our calls and sends its own signed webhooks to
//! a host that listens, and Stripe's own command line drives it. What is added to it stands in
//! `tests/tools/counterpart.py`. It has no checkout sessions, so the host begins each payment without an API key and
//! makes the intent itself, with the payment's token in the metadata; a back office with a key does the rest.

use std::time::{Duration, Instant};

use actix_payments::domain::Timestamp;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{CaptureMethod, ErrorKind, NewPayment, Outcome, Payment, Refund, Token, Variant};
use actix_web::rt::time::sleep;
use serde_json::{Value, json};

use crate::app::{App, Kind, SECRET, fresh_database, on_both_databases};
use crate::browser::site::Site;
use crate::scenes::{PRICE, money};
use crate::tools::Counterpart;

/// A host in two parts on one database, and the Stripe that both deal with.
pub(super) struct Trade {
    /// Begins payments and takes webhooks; it has no API key, so nothing here asks Stripe unbidden.
    pub(super) shop: App,
    /// Has the API key.
    pub(super) office: App,
    site: Site,
    pub(super) stripe: Counterpart,
}

impl Trade {
    /// Stripe knows the shop's endpoint.
    pub(super) async fn new(kind: Kind) -> Self {
        let trade = Self::unannounced(kind).await;
        trade.announce("shop", SECRET);
        trade
    }

    /// Stripe knows of no endpoint.
    async fn unannounced(kind: Kind) -> Self {
        let stripe = Counterpart::start();
        let (url, folder) = fresh_database(kind);
        let keyed = Stripe::new(SECRET).api_key(Counterpart::API_KEY).api_base(&stripe.address).api_retries(0);
        // Its events bear the time of this machine.
        let clock = Timestamp::now_utc;
        let office = App::at(url.clone(), folder, |b| b.clock(clock).variant("stripe", keyed)).await;
        let plain = Variant::new(Stripe::new(SECRET)).grace(Duration::ZERO);
        let shop = App::at(url, None, |b| b.clock(clock).variant("stripe", plain)).await;
        let site = shop.serve();
        Self { shop, office, site, stripe }
    }

    /// Tells Stripe of the endpoint, the secret and the kinds that the setup page says to tick.
    fn announce(&self, id: &str, secret: &str) {
        let endpoint = json!({
            "url": self.site.at("/payments/stripe/"),
            "secret": secret,
            "events": Stripe::new(SECRET).setup().kinds,
        });
        let answer = agent().post(format!("{}/_config/webhooks/{id}", self.stripe.address)).send(endpoint.to_string());
        assert_eq!(answer.unwrap().status().as_u16(), 200);
    }

    /// What somebody else with the account's key does: the host's own code, or a person in the dashboard.
    fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let key = format!("Bearer {}", Counterpart::API_KEY);
        let request = agent().post(format!("{}{path}", self.stripe.address)).header("authorization", key);
        let mut answer = request.send_form(form.iter().copied()).unwrap();
        let body = answer.body_mut().read_to_string().unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path} answered {status} {body}")))
    }

    async fn begin(&self) -> Token {
        self.shop.order().await.token
    }

    /// The customer of the payment pays with this card; answers the status, and the intent's id.
    fn confirm(&self, token: &str, card: &str, capture: CaptureMethod) -> (u16, String) {
        let method = if capture == CaptureMethod::Manual { "manual" } else { "automatic" };
        let (amount, bearer) = (PRICE.to_string(), "metadata[payment_token]");
        let form = [("amount", &*amount), ("currency", "eur"), ("payment_method", card), (bearer, token)];
        let (status, made) = self.post("/v1/payment_intents", &[&form[..], &[("capture_method", method)]].concat());
        assert_eq!((status, made["status"].as_str()), (200, Some("requires_confirmation")), "{made}");
        let id = made["id"].as_str().unwrap().to_owned();
        (self.post(&format!("/v1/payment_intents/{id}/confirm"), &[]).0, id)
    }

    /// A payment that its webhook made paid, or authorized; with the intent's id.
    async fn paid(&self, capture: CaptureMethod) -> (String, String) {
        let token = self.begin().await;
        let (status, intent) = self.confirm(&token, "pm_card_visa", capture);
        assert_eq!(status, 200);
        let expected = if capture == CaptureMethod::Manual { Status::Authorized } else { Status::Paid };
        self.until(&token, expected, 0).await;
        (token.to_string(), intent)
    }

    /// Waits until the payment stands so, with this much refunded.
    async fn until(&self, token: &str, status: Status, refunded: i64) -> Payment {
        let begun = Instant::now();
        loop {
            let payment = self.shop.payment(token).await;
            if (payment.status, payment.refunded.minor) == (status, refunded) {
                return payment;
            }
            assert!(begun.elapsed() < PATIENCE, "expected {status:?}, {refunded}: {payment:?} {:?}", self.told());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until these were delivered and processed, in any order.
    pub(super) async fn heard(&self, kinds: &[&str]) {
        let mut expected: Vec<String> = kinds.iter().map(|kind| format!("delivery {kind} completed")).collect();
        expected.sort();
        let begun = Instant::now();
        loop {
            let mut told = self.told();
            told.retain(|told| told.starts_with("delivery "));
            told.sort();
            if told == expected {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "expected {expected:?}, got {told:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where each event came from, its kind and state, in the order of the inbox.
    pub(super) fn told(&self) -> Vec<String> {
        self.shop.texts("SELECT source || ' ' || kind || ' ' || state AS t FROM pay_events ORDER BY id")
    }
}

/// How long anything may take on a busy machine; localstripe waits a second before each delivery.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).timeout_global(Some(PATIENCE));
    ureq::Agent::new_with_config(config.build())
}

/// Takes out of Stripe's own fixtures what localstripe does not know.
fn removed() -> Vec<&'static str> {
    let unknown = [
        "payment_intent:description",
        "payment_intent:shipping",
        "payment_intent:return_url",
        "payment_intent:confirmation_method",
    ];
    unknown.into_iter().flat_map(|field| ["--remove", field]).collect()
}

fn eur(minor: i64) -> Refund {
    Refund::part(money(minor, "EUR"))
}

on_both_databases! {
    async fn a_signed_webhook_pays_the_payment_whose_token_the_intent_bears(kind) {
        let trade = Trade::new(kind).await;
        trade.announce("elsewhere", "whsec_of_another_endpoint");
        let other = trade.begin().await;
        let (token, intent) = trade.paid(CaptureMethod::Immediate).await;
        let payment = trade.shop.payment(&token).await;
        assert_eq!((payment.amount, payment.captured), (money(PRICE, "EUR"), money(PRICE, "EUR")));
        assert_eq!(trade.shop.status(&other).await, Status::Pending);
        assert_eq!(trade.shop.payments.payment_at("stripe", &intent).await.unwrap().unwrap().token, token);
        trade.heard(&["payment_intent.succeeded"]).await;
        trade.shop.counted("rejected:signature_mismatch", 1);
        trade.shop.same(&token).await;
    }

    async fn an_authorization_is_captured_in_part_and_refunded_in_parts(kind) {
        let trade = Trade::new(kind).await;
        let (token, intent) = trade.paid(CaptureMethod::Manual).await;
        let asked = trade.office.payments.capture(&token.as_str().into(), Some(money(3000, "EUR"))).await;
        assert_eq!(asked.unwrap(), Outcome::Done);
        assert_eq!(trade.until(&token, Status::Paid, 0).await.captured.minor, 3000);
        assert_eq!(trade.office.payments.refund(&token.as_str().into(), eur(1000)).await.unwrap(), Outcome::Done);
        trade.until(&token, Status::PartiallyRefunded, 1000).await;
        assert_eq!(trade.office.payments.refund(&token.as_str().into(), eur(2000)).await.unwrap(), Outcome::Done);
        trade.until(&token, Status::Refunded, 3000).await;
        // What the answers said is said once more by the webhooks, and counted once.
        trade
            .heard(&[
                "payment_intent.amount_capturable_updated",
                "payment_intent.succeeded",
                "refund.created",
                "charge.refunded",
                "refund.created",
                "charge.refunded",
            ])
            .await;
        let answers = trade.told().into_iter().filter(|told| told.starts_with("answer "));
        let expected = ["answer payment_intent.answered completed", "answer refund.answered completed"];
        assert_eq!(answers.collect::<Vec<_>>(), [expected[0], expected[1], expected[1]]);
        let payment = trade.shop.payment(&token).await;
        assert_eq!((payment.status, payment.captured.minor, payment.refunded.minor), (Status::Refunded, 3000, 3000));
        assert!(!payment.needs_review(), "{payment:?}");
        assert!(trade.shop.payments.payment_at("stripe", &intent).await.unwrap().is_some());
        trade.shop.same(&token).await;
    }

    async fn a_whole_capture_and_a_whole_refund(kind) {
        let trade = Trade::new(kind).await;
        let (token, _) = trade.paid(CaptureMethod::Manual).await;
        assert_eq!(trade.office.payments.capture(&token.as_str().into(), None).await.unwrap(), Outcome::Done);
        assert_eq!(trade.until(&token, Status::Paid, 0).await.captured.minor, PRICE);
        // It knows no reasons of refunds, so it says no.
        let declined = trade.office.payments.refund(&token.as_str().into(), Refund::all().reason("duplicate")).await.unwrap_err();
        assert_eq!(declined.kind(), ErrorKind::Gateway);
        assert!(declined.to_string().contains("400 invalid_request_error: Unexpected reason"), "{declined}");
        assert_eq!(trade.shop.status(&token).await, Status::Paid);
        assert_eq!(trade.office.payments.refund(&token.as_str().into(), Refund::all()).await.unwrap(), Outcome::Done);
        trade.until(&token, Status::Refunded, PRICE).await;
    }

    async fn a_refund_in_the_dashboard_is_told_by_its_webhooks(kind) {
        let trade = Trade::new(kind).await;
        let (token, intent) = trade.paid(CaptureMethod::Immediate).await;
        for (amount, status, refunded) in
            [("1500", Status::PartiallyRefunded, 1500), ("3499", Status::Refunded, PRICE)]
        {
            assert_eq!(trade.post("/v1/refunds", &[("payment_intent", &intent), ("amount", amount)]).0, 200);
            trade.until(&token, status, refunded).await;
        }
        let told = ["payment_intent.succeeded", "refund.created", "charge.refunded", "refund.created", "charge.refunded"];
        trade.heard(&told).await;
        assert_eq!(trade.shop.payment(&token).await.refunded.minor, PRICE);
        trade.shop.same(&token).await;
    }

    async fn a_declined_card_fails_with_its_reason_and_another_one_pays(kind) {
        let trade = Trade::new(kind).await;
        let token = trade.begin().await;
        assert_eq!(trade.confirm(&token, "pm_card_chargeCustomerFail", CaptureMethod::Immediate).0, 402);
        trade.until(&token, Status::Failed, 0).await;
        let page = trade.shop.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("payment intent had an attempt fail (card_declined)"), "{page}");
        // It can't try an intent with another card.
        assert_eq!(trade.confirm(&token, "pm_card_visa", CaptureMethod::Immediate).0, 200);
        assert_eq!(trade.until(&token, Status::Paid, 0).await.captured.minor, PRICE);
    }

    async fn an_authorization_is_canceled(kind) {
        let trade = Trade::new(kind).await;
        let (token, _) = trade.paid(CaptureMethod::Manual).await;
        assert_eq!(trade.office.payments.cancel(&token.as_str().into()).await.unwrap(), Outcome::Done);
        trade.until(&token, Status::Canceled, 0).await;
        trade.heard(&["payment_intent.amount_capturable_updated", "payment_intent.canceled"]).await;
        trade.shop.same(&token).await;
    }

    async fn what_no_webhook_told_is_listed_and_asked_for(kind) {
        let trade = Trade::unannounced(kind).await;
        let (first, second) = (trade.begin().await, trade.begin().await);
        let (_, intent) = trade.confirm(&first, "pm_card_visa", CaptureMethod::Immediate);
        // More than a page, of what is of no use here.
        for number in 0..110 {
            let name = format!("Kettle {number}");
            assert_eq!(trade.post("/v1/products", &[("name", &name), ("type", "service")]).0, 200);
        }
        let (_, held) = trade.confirm(&second, "pm_card_visa", CaptureMethod::Manual);
        let found = trade.office.payments.reconcile("stripe").await.unwrap();
        assert_eq!((found.listed, found.found), (112, 2));
        trade.until(&first, Status::Paid, 0).await;
        trade.until(&second, Status::Authorized, 0).await;
        assert_eq!(trade.office.payments.reconcile("stripe").await.unwrap().found, 0);
        // Things go on, and still no webhook comes.
        assert_eq!(trade.post("/v1/refunds", &[("payment_intent", &intent), ("amount", "999")]).0, 200);
        assert_eq!(trade.post(&format!("/v1/payment_intents/{held}/cancel"), &[]).0, 200);
        for token in [&first, &second] {
            assert_eq!(trade.office.payments.refresh(&token.into()).await.unwrap(), Outcome::Done);
        }
        trade.until(&first, Status::PartiallyRefunded, 999).await;
        trade.until(&second, Status::Canceled, 0).await;
        assert!(trade.told().iter().all(|told| !told.starts_with("delivery ")), "{:?}", trade.told());
    }

    async fn a_checkout_that_it_does_not_know_is_declined_and_the_payment_stays(kind) {
        let trade = Trade::new(kind).await;
        let new = NewPayment::new("stripe", money(PRICE, "EUR")).return_url("https://shop.example/");
        let error = trade.office.payments.create(new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Gateway);
        assert!(error.to_string().contains("404"), "{error}");
        assert_eq!(trade.shop.texts("SELECT status AS t FROM pay_payments"), ["pending"]);
    }

    async fn stripes_own_command_line_triggers_what_becomes_adopted_payments(kind) {
        let trade = Trade::new(kind).await;
        let removed = removed();
        for event in [
            "payment_intent.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "charge.refunded",
            "payment_intent.canceled",
        ] {
            let (succeeded, said) = trade.stripe.trigger(event, &removed);
            assert!(succeeded && said.contains("Trigger succeeded!"), "{event}: {said}");
        }
        // It has no card of that name, and calls a declined one a bad request, where Stripe has a type for it.
        let failing = [&removed[..], &["--override", "payment_intent:payment_method=pm_card_chargeCustomerFail"]].concat();
        let (succeeded, said) = trade.stripe.trigger("payment_intent.payment_failed", &failing);
        assert!(!succeeded && said.contains("card_declined"), "{said}");
        trade
            .heard(&[
                "payment_intent.succeeded",
                "payment_intent.amount_capturable_updated",
                "payment_intent.amount_capturable_updated",
                "payment_intent.succeeded",
                "payment_intent.succeeded",
                "refund.created",
                "charge.refunded",
                "payment_intent.canceled",
                "payment_intent.payment_failed",
            ])
            .await;
        let list = trade.shop.get("/payments/admin/payments.csv").await.body;
        let columns = |line: &str| line.split(',').skip(4).take(5).collect::<Vec<_>>().join(" ");
        let mut listed: Vec<String> = list.lines().skip(1).map(columns).collect();
        listed.sort();
        let expected = [
            "authorized 20.00 0.00 0.00 USD",
            "canceled 20.00 0.00 0.00 USD",
            "failed 20.00 0.00 0.00 USD",
            "paid 20.00 20.00 0.00 USD",
            "paid 20.00 20.00 0.00 USD",
            "refunded 1.00 1.00 1.00 USD",
        ];
        assert_eq!(listed, expected);
        assert_eq!(trade.shop.number("SELECT count(*) FROM pay_payments WHERE adopted AND NOT needs_review"), 6);
    }

    async fn stripes_own_command_line_pays_the_payment_whose_token_it_is_given(kind) {
        let trade = Trade::new(kind).await;
        let token = trade.shop.order_of(money(2000, "USD")).await.token;
        let bearer = format!("payment_intent:metadata[payment_token]={token}");
        let (succeeded, said) =
            trade.stripe.trigger("payment_intent.succeeded", &[&removed()[..], &["--add", &bearer]].concat());
        assert!(succeeded, "{said}");
        assert_eq!(trade.until(&token, Status::Paid, 0).await.captured, money(2000, "USD"));
        assert_eq!(trade.shop.number("SELECT count(*) FROM pay_payments"), 1);
    }
}

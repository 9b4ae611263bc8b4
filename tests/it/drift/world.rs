//! An app and the two companies that it sells through: a fake of Stripe's payments as the variant `stripe`, and one of
//! its subscriptions as `plans`. Their events arrive, or are lost, as a test says.

use actix_payments::domain::payment::Status;
use actix_payments::{AnyConnection, Builder, CaptureMethod, Drift, DriftQuery, NewPayment, Token};
use actix_web::http::Method;
use serde_json::json;

use crate::app::{App, Kind, NOW, SECRET};
use crate::scenes::money;
use crate::stripe::fake::{Fake, State};
use crate::subscriptions::billing::Billing;
use actix_payments::gateways::stripe::sign_delivery;

pub const DAY: i64 = 86_400;
pub const VARIANTS: [&str; 2] = ["stripe", "plans"];

pub struct World {
    pub app: App,
    pub fake: Fake,
    pub billing: Billing,
    /// How many events of each were delivered or lost.
    told: [usize; 2],
}

/// How much of an intent was refunded.
pub fn refunded(state: &State, intent: &str) -> i64 {
    let of = format!(" of {intent}");
    let sums = state.effects.iter().filter_map(|effect| effect.strip_prefix("refund ")?.strip_suffix(&of));
    sums.map(|sum| sum.parse::<i64>().unwrap()).sum()
}

impl World {
    pub async fn new(kind: Kind) -> Self {
        Self::with(kind, |builder| builder).await
    }

    pub async fn with(kind: Kind, configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>) -> Self {
        let (fake, billing) = (Fake::new(NOW), Billing::new(NOW));
        let (stripe, plans) = (fake.gateway(SECRET), billing.gateway(SECRET));
        let app = App::bare(kind, |builder| configure(builder.variant("stripe", stripe).variant("plans", plans))).await;
        Self { app, fake, billing, told: [0; 2] }
    }

    /// Lets time pass here and at both companies.
    pub fn pass(&self, seconds: i64) {
        self.app.pass(seconds);
        self.fake.state().now += seconds;
        self.billing.state().now += seconds;
    }

    /// A payment with an open checkout.
    pub async fn checkout(&self, capture: CaptureMethod) -> Token {
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/").capture(capture);
        self.app.payments.create(new).await.unwrap().payment.token
    }

    /// A paid checkout within the same account that nobody here asked for; answers the intent's id.
    pub fn stray(&self, number: usize) -> String {
        let token = format!("another-shop-{number}");
        let form = [
            ("line_items[0][price_data][unit_amount]", "700"),
            ("line_items[0][price_data][currency]", "eur"),
            ("line_items[0][quantity]", "1"),
            ("client_reference_id", token.as_str()),
        ];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        self.fake.state().open(&form);
        self.fake.pay(&token)
    }

    /// What both companies have to tell since the last time arrives, as far as `arrives` says.
    pub async fn deliver(&mut self, mut arrives: impl FnMut() -> bool) {
        let all = [self.fake.state().events.clone(), self.billing.state().events.clone()];
        for (at, (variant, events)) in VARIANTS.into_iter().zip(all).enumerate() {
            for event in &events[self.told[at]..] {
                if arrives() {
                    let body = event.to_string();
                    let signature = sign_delivery(SECRET, self.app.now(), body.as_bytes());
                    let headers = [("stripe-signature", signature.as_str())];
                    let path = format!("/payments/{variant}/");
                    let answer = self.app.request(Method::POST, &path, &headers, body.as_bytes()).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            }
            self.told[at] = events.len();
        }
        self.app.drain().await;
    }

    /// Nothing of what happened until now is told any more, not even by the lists of events.
    pub fn lose_all(&mut self) {
        self.fake.state().events.clear();
        self.billing.state().events.clear();
        self.told = [0; 2];
    }

    fn query(variant: &str) -> DriftQuery {
        DriftQuery::new(variant).per_second(10_000)
    }

    /// What differs, of both variants.
    pub async fn drift(&self) -> [Drift; 2] {
        let of = |variant| self.app.payments.drift(Self::query(variant));
        [of("stripe").await.unwrap(), of("plans").await.unwrap()]
    }

    /// Repairs all of it.
    pub async fn repair(&self) -> [Drift; 2] {
        let of = |variant| self.app.payments.repair_drift(Self::query(variant));
        [of("stripe").await.unwrap(), of("plans").await.unwrap()]
    }

    /// How each payment of the variant `stripe` stands here and by the state of its intents there.
    pub async fn standings(&self, tokens: &[String]) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for token in tokens {
            let ours = self.app.payment(token).await;
            let has_failed = ours.status == Status::Failed;
            let ours = format!("{} {} {}", ours.status, ours.captured.minor, ours.refunded.minor);
            let state = self.fake.state();
            let session = state.sessions.values().find(|it| it["client_reference_id"] == **token).unwrap();
            let intent = session["payment_intent"].as_str().map(|id| &state.intents[id]);
            let received = intent.map_or(0, |intent| intent["amount_received"].as_i64().unwrap());
            let refunds = intent.map_or(0, |intent| refunded(&state, intent["id"].as_str().unwrap()));
            let status = match (intent.map(|intent| intent["status"].as_str().unwrap()), refunds) {
                _ if session["status"] == json!("expired") => "expired",
                (None, _) => "pending",
                // The customer can try again. That an attempt failed is told by its event alone, and what an object shows
                // that waits again takes it back no more than it tells of it.
                (Some("requires_payment_method"), _) if has_failed => "failed",
                (Some("requires_payment_method"), _) => "pending",
                (Some("requires_capture"), _) => "authorized",
                (Some("canceled"), _) => "canceled",
                (Some(_), 0) => "paid",
                (Some(_), all) if all == received => "refunded",
                _ => "partially_refunded",
            };
            all.push((ours, format!("{status} {received} {refunds}")));
        }
        all
    }
}

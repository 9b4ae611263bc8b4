//! Does every gateway keep the promises of the trait, and does the suite see it when one does not?

use std::sync::atomic::{AtomicU64, Ordering};

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Envelope, Interpretation, Malformed, Recorded, Verified};
use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::gateways::conformance::{BrokenPromises, Conformance};
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::standard_webhooks::StandardWebhooks;
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::gateways::{Gateway, Setup, Verification};
use serde_json::json;

use crate::scenes::with;
use crate::{braintree, hmac_webhooks, paypal};

const NOW: i64 = 1_791_800_000;

fn now() -> Timestamp {
    Timestamp::from_unix_timestamp(NOW).unwrap()
}

fn delivery(headers: &[(&str, String)], body: impl Into<Vec<u8>>) -> Delivery {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect();
    Delivery::new(Into::<Vec<u8>>::into(body)).with_headers(headers)
}

async fn holds(gateway: &dyn Gateway, secret: &str, deliveries: impl IntoIterator<Item = Delivery>) {
    let suite = Conformance::new(gateway).secret(secret);
    let suite = deliveries.into_iter().fold(suite, |suite, delivery| suite.delivery(delivery, now()));
    suite.check().await.unwrap_or_else(|broken| panic!("{}: {broken}", gateway.name()));
}

#[actix_web::test]
async fn stripe_keeps_the_promises() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events/stripe");
    let bodies = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let signed = |body: Vec<u8>| {
        let signature = sign_delivery("whsec_hidden", NOW, &body);
        delivery(&[("stripe-signature", signature)], body)
    };
    holds(&Stripe::new("whsec_hidden"), "whsec_hidden", bodies.map(signed)).await;
}

#[actix_web::test]
async fn braintree_keeps_the_promises() {
    let deliveries =
        braintree::events().into_iter().filter(|(name, _)| !name.contains('.') || name.starts_with("real"));
    let deliveries = deliveries.map(|(_, xml)| delivery(&[], braintree::signed(&xml)));
    holds(&braintree::braintree(), braintree::PRIVATE, deliveries).await;
}

#[actix_web::test]
async fn paypal_keeps_the_promises() {
    let deliveries = paypal::events::events().into_values().map(|body| delivery(&paypal::events::signed(&body), body));
    holds(&paypal::events::paypal(), "no secret", deliveries).await;
}

#[actix_web::test]
async fn standard_webhooks_keep_the_promises() {
    let secret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    for gateway in [StandardWebhooks::new(secret), StandardWebhooks::text_key(secret).svix()] {
        let genuine = gateway.test_delivery("msg_1", now());
        holds(&gateway, secret, genuine).await;
    }
}

#[actix_web::test]
async fn hmac_webhooks_keep_the_promises() {
    let (body, signature) = hmac_webhooks::many();
    let gateway = hmac_webhooks::gocardless(&json!({"secret": "shh"}));
    holds(&gateway, "shh", [delivery(&[("webhook-signature", signature)], body)]).await;
}

#[actix_web::test]
async fn the_dummy_keeps_the_promises() {
    let dummy = Dummy::new("a secret of our own");
    let genuine = dummy.test_delivery("evt_1", now());
    holds(&dummy, "a secret of our own", genuine).await;
}

/// What a [`Bad`] gateway does wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    None,
    BelievesAnybody,
    BelievesAnyHeader,
    OneIdForAll,
    FreshIds,
    ReadsTheClock,
    OthersFacts,
    TellsTheSecret,
    RefusesUnknownKinds,
    Mute,
}

/// A gateway whose signature is the length of the body, with a secret before it.
struct Bad(Fault, AtomicU64);

impl Bad {
    fn verified(&self, delivery: &Delivery) -> Result<Verified, Rejection> {
        let sum = delivery.body.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        let given = delivery.header("sum").unwrap_or_default();
        let genuine = match self.0 {
            Fault::BelievesAnybody => true,
            Fault::BelievesAnyHeader => !given.is_empty(),
            _ => given == format!("hidden{sum}"),
        };
        let calls = self.1.fetch_add(1, Ordering::Relaxed);
        let id = match self.0 {
            Fault::OneIdForAll => "evt_1".to_owned(),
            Fault::FreshIds => format!("evt_{calls}"),
            _ => format!("evt_{sum}"),
        };
        let (body, kind) = (delivery.body.clone(), "paid".to_owned());
        let (occurred_at, livemode, account, api_version) = (None, None, None, None);
        let event = with(Envelope::new(id, kind, body), |it| {
            it.occurred_at = occurred_at;
            it.livemode = livemode;
            it.account = account;
            it.api_version = api_version;
        });
        match genuine {
            true => Ok(Verified::new(vec![event])),
            false => Err(Rejection::SignatureMismatch),
        }
    }
}

impl Gateway for Bad {
    fn name(&self) -> &'static str {
        "Bad"
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, _: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.kind != "paid" {
            return match self.0 {
                Fault::RefusesUnknownKinds => Err(Malformed("what is that?".to_owned())),
                _ => Ok(with(Interpretation::default(), |it| it.summary = "nothing".to_owned())),
            };
        }
        let calls = self.1.fetch_add(1, Ordering::Relaxed);
        let minor = if self.0 == Fault::ReadsTheClock { i64::try_from(calls).unwrap() } else { 5 };
        let id = if self.0 == Fault::OthersFacts { "evt_other" } else { event.id };
        let euro = actix_payments::domain::money::Currency::parse("EUR").unwrap();
        let fact = Fact::new(Aspect::Capture, "c1", State::Succeeded, event.occurred_at, id).with_amount(minor, euro);
        let summary = if self.0 == Fault::Mute { String::new() } else { "paid".to_owned() };
        Ok(with(Interpretation::default(), |it| {
            it.facts = vec![fact];
            it.summary = summary;
        }))
    }

    fn setup(&self) -> Setup {
        let steps = if self.0 == Fault::TellsTheSecret { vec!["type hidden".to_owned()] } else { Vec::new() };
        with(Setup::default(), |it| it.steps = steps)
    }
}

async fn judged(fault: Fault) -> Result<(), BrokenPromises> {
    let gateway = Bad(fault, AtomicU64::new(0));
    let signed = |body: &str| {
        let sum = body.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        delivery(&[("sum", format!("hidden{sum}"))], body)
    };
    let suite = Conformance::new(&gateway).secret("hidden");
    let suite = ["one body", "another body"].into_iter().fold(suite, |suite, body| suite.delivery(signed(body), now()));
    suite.check().await
}

#[actix_web::test]
async fn each_broken_promise_is_seen_and_said() {
    assert_eq!(judged(Fault::None).await, Ok(()));
    let cases = [
        (Fault::BelievesAnybody, "an empty delivery is accepted"),
        (Fault::BelievesAnyHeader, "a flipped bit at byte"),
        (Fault::OneIdForAll, r#"two events have the id "evt_1""#),
        (Fault::FreshIds, "verified with two results"),
        (Fault::ReadsTheClock, "interpreted in two ways"),
        (Fault::OthersFacts, "names another event"),
        (Fault::TellsTheSecret, "setup() contains a secret"),
        (Fault::RefusesUnknownKinds, "an unknown kind"),
        (Fault::Mute, "has no summary"),
    ];
    for (fault, expected) in cases {
        let broken = judged(fault).await.unwrap_err().to_string();
        assert!(broken.contains(expected), "{fault:?}: expected {expected:?} in {broken}");
        assert!(!broken.contains("hidden"), "{broken}");
    }
    let none = Conformance::new(&Bad(Fault::None, AtomicU64::new(0))).check().await.unwrap_err();
    assert_eq!(none.0, ["the suite was given no genuine delivery"]);
}

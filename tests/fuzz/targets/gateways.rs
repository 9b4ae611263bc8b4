//! Which gateways are there to send something to, and how is a body signed for each?

#![allow(dead_code, reason = "each target needs some of it")]

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::hmac_webhooks::{Field, HmacWebhooks, Part};
use actix_payments::gateways::paypal::PayPal;
use actix_payments::gateways::standard_webhooks::StandardWebhooks;
use actix_payments::gateways::stripe::Stripe;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

pub const NOW: i64 = 1_791_800_000;
const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
const ROOT: &[u8] = include_bytes!("../../fixtures/paypal/root.pem");
const LEAF: &[u8] = include_bytes!("../../fixtures/paypal/leaf.pem");

/// Every gateway, always in this order.
pub fn all() -> &'static [Box<dyn Gateway>] {
    static ALL: OnceLock<Vec<Box<dyn Gateway>>> = OnceLock::new();
    ALL.get_or_init(made)
}

fn made() -> Vec<Box<dyn Gateway>> {
    let address = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-test";
    let paddle = |name| Field::part("paddle-signature", ';', name);
    vec![
        Box::new(Stripe::new(SECRET)),
        Box::new(PayPal::new("1JE4291016473214C").roots(ROOT).certificate(address, LEAF)),
        Box::new(Braintree::new("merchant", "public", SECRET)),
        Box::new(StandardWebhooks::new(SECRET).svix()),
        Box::new(Dummy::new(SECRET)),
        Box::new(
            HmacWebhooks::new("Paddle", paddle("h1"), SECRET)
                .timestamp(paddle("ts"), Duration::from_secs(5))
                .signed([Part::Timestamp, Part::text(":"), Part::Body])
                .id("/event_id")
                .kind("/event_type")
                .occurred_at("/occurred_at"),
        ),
        Box::new(
            HmacWebhooks::new("GoCardless", Field::header("webhook-signature"), SECRET)
                .each("/events")
                .id_from(["/id", "/a~1b/c"])
                .kind_from(["/resource_type", "/action"])
                .occurred_at("/created_at"),
        ),
    ]
}

/// A genuine delivery of this body; `None` where only a certificate's owner can sign.
pub fn sign(number: usize, gateway: &dyn Gateway, body: &[u8], now: Timestamp) -> Option<Delivery> {
    let (headers, body) = match number {
        1 => return None,
        2 => (Vec::new(), braintree(body)),
        5 => {
            let header = format!("ts={NOW};h1={}", hex(&mac(&[format!("{NOW}:").as_bytes(), body].concat())));
            (vec![("paddle-signature".to_owned(), header)], body.to_vec())
        }
        6 => (vec![("webhook-signature".to_owned(), hex(&mac(body)))], body.to_vec()),
        _ => (gateway.sign(body, now)?, body.to_vec()),
    };
    let headers = headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
    Some(Delivery { headers, query: String::new(), body: body.into() })
}

/// A form of Braintree's with this XML.
fn braintree(xml: &[u8]) -> Vec<u8> {
    let payload = BASE64.encode(xml) + "\n";
    let mut mac = Hmac::<Sha1>::new_from_slice(&Sha1::digest(SECRET)).expect("any key");
    mac.update(payload.as_bytes());
    let coded = payload.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace('\n', "%0A");
    format!("bt_signature=public%7C{}&bt_payload={coded}", hex(&mac.finalize().into_bytes())).into_bytes()
}

fn mac(message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text can be stored as an id: 1 to 255 characters, none of control.
pub fn storable(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 255 && !text.chars().any(char::is_control)
}

/// What a future that waits for nothing answers.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits for something"),
    }
}

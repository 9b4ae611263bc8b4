//! Which gateways are there to send something to?

#![allow(dead_code, reason = "each target needs some of it")]

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::Verified;
use actix_payments::gateways::adyen::Adyen;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::hmac_webhooks::{
    Algorithm, Encoding, HeaderField, HmacWebhooks, KeyEncoding, SignedPart,
};
use actix_payments::gateways::lemon_squeezy::LemonSqueezy;
use actix_payments::gateways::mercado_pago::MercadoPago;
use actix_payments::gateways::paddle::Paddle;
use actix_payments::gateways::paypal::PayPal;
use actix_payments::gateways::polar::Polar;
use actix_payments::gateways::razorpay::Razorpay;
use actix_payments::gateways::square::Square;
use actix_payments::gateways::standard_webhooks::StandardWebhooks;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::gateways::{Gateway, Verification};

pub const NOW: i64 = 1_791_800_000;
/// No recorded delivery of the fixtures is signed with it, so that those are a stranger's here.
pub const SECRET: &str = "whsec_dGhlIHNlY3JldCBvZiB0aGUgZnV6emVkIGdhdGV3YXlz";
pub const HEX_KEY: &str = "00112233445566778899aabbccddeeff";
pub const WEBHOOK: &str = "1JE4291016473214C";
pub const CERTIFICATE: &str = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-test";
/// What Square signs before the body: the address in its settings.
pub const ADDRESS: &str = "https://shop.example/webhooks/square";
const ROOT: &[u8] = include_bytes!("../../fixtures/paypal/root.pem");
const LEAF: &[u8] = include_bytes!("../../fixtures/paypal/leaf.pem");

pub const BRAINTREE: usize = 2;
pub const DUMMY: usize = 4;
/// It signs the id in the address, and none of the body.
pub const MERCADO_PAGO: usize = 15;
/// Its notifications: each is signed within the body, and of each eight fields.
pub const ADYEN: usize = 16;

/// Every gateway, always in this order: seeds and findings name them by their number.
pub fn all() -> &'static [Box<dyn Gateway>] {
    static ALL: OnceLock<Vec<Box<dyn Gateway>>> = OnceLock::new();
    ALL.get_or_init(made)
}

/// The gateway that an input's first byte names, a digit or what follows the digits, with its number.
pub fn named(byte: u8) -> (usize, &'static dyn Gateway) {
    let number = usize::from(byte.wrapping_sub(b'0')) % all().len();
    (number, all()[number].as_ref())
}

fn made() -> Vec<Box<dyn Gateway>> {
    let sent = |name: &'static str, signature| HmacWebhooks::new(name, HeaderField::whole(signature), SECRET);
    let keyed = |name: &'static str, signature, key| HmacWebhooks::new(name, HeaderField::whole(signature), key);
    let base64 = SECRET.trim_start_matches("whsec_");
    vec![
        Box::new(Stripe::new(SECRET)),
        Box::new(PayPal::new(WEBHOOK).roots(ROOT).certificate(CERTIFICATE, LEAF)),
        Box::new(Braintree::new("merchant", "public", SECRET)),
        Box::new(StandardWebhooks::new(SECRET).svix()),
        Box::new(Dummy::new(SECRET)),
        Box::new(Paddle::new(SECRET)),
        Box::new(
            sent("GoCardless", "webhook-signature")
                .each("/events")
                .id_from(["/id", "/a~1b/c"])
                .kind_from(["/resource_type", "/action"])
                .occurred_at("/created_at"),
        ),
        Box::new(Razorpay::new(SECRET)),
        Box::new(Square::new(SECRET, ADDRESS)),
        Box::new(
            sent("Authorize.Net", "x-anet-signature")
                .algorithm(Algorithm::Sha512)
                .encoding(Encoding::HexUpper)
                .prefix("sha512=")
                .id("/notificationId")
                .kind("/eventType"),
        ),
        // Nobody's scheme: what the others leave out.
        Box::new(
            keyed("Acme", "acme-signature", "ff".repeat(16))
                .secret("next", HEX_KEY)
                .key(KeyEncoding::Hex)
                .algorithm(Algorithm::Sha1)
                .encoding(Encoding::Base64)
                .prefix("sha1=")
                .timestamp(HeaderField::whole("acme-time"), Duration::from_secs(300))
                .signed([SignedPart::Header(HeaderField::whole("acme-id")), SignedPart::Timestamp, SignedPart::Body])
                .id_header(HeaderField::whole("acme-id")),
        ),
        Box::new(
            keyed("Acme's batches", "acme-signature", base64.to_owned())
                .key(KeyEncoding::Base64)
                .algorithm(Algorithm::Sha512)
                .each("/data/events")
                .id_header(HeaderField::whole("acme-id"))
                .kind_from(["/type", "/version"]),
        ),
        Box::new(Polar::new(SECRET)),
        Box::new(LemonSqueezy::new(SECRET)),
        // What its platform sends, signed as a whole.
        Box::new(Adyen::new(HEX_KEY)),
        Box::new(MercadoPago::new(SECRET)),
        Box::new(Adyen::new(HEX_KEY)),
        Box::new(HmacWebhooks::coinbase_commerce(SECRET)),
        Box::new(HmacWebhooks::paystack(SECRET)),
        Box::new(HmacWebhooks::checkout_com(SECRET)),
    ]
}

/// Whether a delivery's events are parts of its body, and not all of it.
pub fn cuts(number: usize) -> bool {
    [6, 11, ADYEN].contains(&number)
}

/// The gateway's word on a delivery that it can judge by itself.
pub fn verify(gateway: &dyn Gateway, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
    match gateway.verify(delivery, now) {
        Verification::Ready(answer) => answer,
        _ => panic!("it can be decided here"),
    }
}

/// What a future that waits for nothing answers.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits for something"),
    }
}

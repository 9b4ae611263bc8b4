//! Does any certificate make PayPal's verification panic, or is a stranger's believed? The input is a certificate's
//! DER; it is served at an address of PayPal's, and trusted as a root as well.

#![no_main]

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::gateways::paypal::PayPal;
use actix_payments::gateways::{Gateway, Verification};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use libfuzzer_sys::fuzz_target;

const ADDRESS: &str = "https://api.paypal.com/v1/notifications/certs/CERT-1";
const ROOT: &[u8] = include_bytes!("../../fixtures/paypal/root.pem");

fuzz_target!(|data: &[u8]| {
    let (text, whole) = (BASE64.encode(data), data.first() == Some(&b'-'));
    let pem = match whole {
        true => data.to_vec(),
        false => format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").into_bytes(),
    };
    let headers = [
        ("paypal-transmission-id", "1".to_owned()),
        ("paypal-transmission-time", "2026-10-12T10:13:20Z".to_owned()),
        ("paypal-transmission-sig", BASE64.encode([7; 256])),
        ("paypal-cert-url", ADDRESS.to_owned()),
        ("paypal-auth-algo", "SHA256withRSA".to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).into();
    let delivery = Delivery::new(Vec::new()).with_headers(headers);
    let now = Timestamp::from_unix_timestamp(1_791_800_000).expect("a time");
    for roots in [&pem[..], ROOT] {
        let paypal = PayPal::new("1JE4291016473214C").roots(roots).certificate(ADDRESS, &pem);
        // A configuration that is refused would fall back to the system's roots, whose reading takes most of the time.
        if paypal.check().is_err() {
            continue;
        }
        if let Verification::Ready(answer) = paypal.verify(&delivery, now) {
            assert!(answer.is_err(), "a stranger's certificate is believed");
        }
    }
});

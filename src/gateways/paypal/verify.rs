//! Did PayPal sign this delivery? RSA-SHA256 over `id|time|webhook id|crc32 of the body` under the certificate that a
//! header names (format: <https://developer.paypal.com/api/rest/webhooks/rest/>, "Self verification method").
//!
//! There is no age in it: PayPal sends an event again for three days, and what was recorded is told apart by its
//! event's id alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::certificate;
use crate::domain::delivery::{Delivery, Rejection};

/// The only algorithm that PayPal names; its libraries would take weaker ones.
const ALGORITHM: &str = "SHA256withRSA";

/// What a delivery's headers claim, once they can be read.
pub(super) struct Claim {
    /// The address of the certificate, PayPal's own.
    pub(super) address: String,
    /// What was signed.
    pub(super) message: String,
    /// The signature's bytes.
    pub(super) signature: Vec<u8>,
}

/// Reads the five header fields. Nothing is fetched for a delivery that fails here.
pub(super) fn claim(delivery: &Delivery, webhook_id: &str) -> Result<Claim, Rejection> {
    let field = |name: &str| {
        let text = delivery.header(&format!("paypal-{name}")).filter(|text| !text.is_empty());
        text.ok_or(Rejection::SignatureMissing)
    };
    let (id, time) = (field("transmission-id")?, field("transmission-time")?);
    let (given, address, algorithm) = (field("transmission-sig")?, field("cert-url")?, field("auth-algo")?);
    let address = certificate::address(&address).filter(|_| algorithm == ALGORITHM);
    let folded = given.replace(['\r', '\n'], "");
    let (Some(address), Ok(signature)) = (address, BASE64.decode(folded)) else {
        return Err(Rejection::SignatureMalformed);
    };
    // Anybody's webhook has an empty id as well.
    if webhook_id.trim().is_empty() {
        return Err(Rejection::SignatureMismatch);
    }
    let sum = crc32fast::hash(&delivery.body);
    Ok(Claim { address, message: format!("{id}|{time}|{webhook_id}|{sum}"), signature })
}

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

/// The five header fields, as they came.
pub(super) struct Fields {
    pub(super) id: String,
    pub(super) time: String,
    pub(super) signature: String,
    pub(super) address: String,
    pub(super) algorithm: String,
}

/// Reads the header fields, of which none may be missing.
pub(super) fn fields(delivery: &Delivery) -> Result<Fields, Rejection> {
    let field = |name: &str| {
        let text = delivery.header(&format!("paypal-{name}")).filter(|text| !text.is_empty());
        text.map(Into::into).ok_or(Rejection::SignatureMissing)
    };
    Ok(Fields {
        id: field("transmission-id")?,
        time: field("transmission-time")?,
        signature: field("transmission-sig")?,
        address: field("cert-url")?,
        algorithm: field("auth-algo")?,
    })
}

/// Reads what the header fields claim. Nothing is fetched for a delivery that fails here.
pub(super) fn claim(delivery: &Delivery, webhook_id: &str) -> Result<Claim, Rejection> {
    let Fields { id, time, signature, address, algorithm } = fields(delivery)?;
    let address = certificate::address(&address).filter(|_| algorithm == ALGORITHM);
    let folded = signature.replace(['\r', '\n'], "");
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

//! The signature of a delivery: RSA-SHA256 over `id|time|webhook id|crc32 of the body`, made with the certificate that
//! a header names (format: <https://developer.paypal.com/api/rest/webhooks/rest/>, "Self verification method").
//!
//! The age of a signature is not checked, because PayPal sends an event again for up to three days. A replayed delivery
//! is recognized by its event's id.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::certificate;
use crate::domain::delivery::{Delivery, Rejection};

/// The only algorithm that PayPal documents. Its libraries would accept weaker ones.
const ALGORITHM: &str = "SHA256withRSA";

/// What a delivery's headers claim: readable, but not verified yet.
pub(super) struct ClaimedSignature {
    /// The address of the certificate, on one of PayPal's hosts.
    pub(super) address: String,
    /// The signed text.
    pub(super) message: String,
    /// The signature's bytes.
    pub(super) signature: Vec<u8>,
}

/// The five header fields of the signature, as they were received.
pub(super) struct SignatureHeaders {
    pub(super) id: String,
    pub(super) time: String,
    pub(super) signature: String,
    pub(super) address: String,
    pub(super) algorithm: String,
}

/// Reads the header fields. None may be missing or empty.
pub(super) fn signature_headers(delivery: &Delivery) -> Result<SignatureHeaders, Rejection> {
    let field = |name: &str| {
        let text = delivery.header(&format!("paypal-{name}")).filter(|text| !text.is_empty());
        text.map(Into::into).ok_or(Rejection::SignatureMissing)
    };
    Ok(SignatureHeaders {
        id: field("transmission-id")?,
        time: field("transmission-time")?,
        signature: field("transmission-sig")?,
        address: field("cert-url")?,
        algorithm: field("auth-algo")?,
    })
}

/// Parses the header fields. No certificate is fetched for a delivery that fails here.
pub(super) fn claimed_signature(delivery: &Delivery, webhook_id: &str) -> Result<ClaimedSignature, Rejection> {
    let SignatureHeaders { id, time, signature, address, algorithm } = signature_headers(delivery)?;
    let address = certificate::address(&address).filter(|_| algorithm == ALGORITHM);
    let unfolded = signature.replace(['\r', '\n'], "");
    let (Some(address), Ok(signature)) = (address, BASE64.decode(unfolded)) else {
        return Err(Rejection::SignatureMalformed);
    };
    // The id binds a signature to this webhook; a blank one would bind it to nothing.
    if webhook_id.trim().is_empty() {
        return Err(Rejection::SignatureMismatch);
    }
    let checksum = crc32fast::hash(&delivery.body);
    Ok(ClaimedSignature { address, message: format!("{id}|{time}|{webhook_id}|{checksum}"), signature })
}

//! Verifies each notification of a delivery
//! (<https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/>), and reads the
//! events. One that can't be verified refuses the delivery, so that Adyen sends all of it again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Value, json};

use super::item::Item;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Verified, storable};
use crate::gateways::json::{Object, short};
use crate::gateways::reading::time;
use crate::gateways::signature::{self, Secret};

/// Verifies the notifications, and reads which events they are.
pub(super) fn verified(keys: &[(String, Secret)], delivery: &Delivery) -> Result<Verified, Rejection> {
    let text = std::str::from_utf8(&delivery.body).map_err(|_| Rejection::SignatureMissing)?;
    let whole = Object::read(text, "a delivery").map_err(|_| Rejection::SignatureMissing)?;
    let items = whole.objects("notificationItems", "a notification").map_err(|_| Rejection::SignatureMissing)?;
    let (mut events, mut label) = (Vec::new(), None);
    for item in &items {
        let raw = item.raw("NotificationRequestItem").ok_or(Rejection::SignatureMissing)?;
        let object = Object::read(raw, "a notification").map_err(|_| Rejection::SignatureMissing)?;
        label = Some(signer(keys, &object)?);
        events.push(event(raw, &object)?);
    }
    match label {
        Some(label) => Ok(Verified { events, secret: Some(label.to_owned()), skew_seconds: None }),
        None => Err(Rejection::SignatureMissing),
    }
}

/// The label of the key that signed a notification.
fn signer<'a>(keys: &'a [(String, Secret)], object: &Object<'_>) -> Result<&'a str, Rejection> {
    let additional = object.object("additionalData", "additional data").ok().flatten();
    let given = additional.and_then(|additional| short(&additional, "hmacSignature"));
    let given = given.ok_or(Rejection::SignatureMissing)?;
    let item = Item::read(object).map_err(|_| Rejection::SignatureMalformed)?;
    let message = item.message();
    let matches = |key: &Secret| {
        let made = key_bytes(key).map(|key| BASE64.encode(signature::hmac_sha256(&key, [message.as_bytes()])));
        made.is_some_and(|made| signature::constant_time_eq(&made, given.as_bytes()))
    };
    let found = keys.iter().find(|(_, key)| matches(key));
    found.map(|(label, _)| label.as_str()).ok_or(Rejection::SignatureMismatch)
}

fn event(raw: &str, object: &Object<'_>) -> Result<Envelope, Rejection> {
    let item = Item::read(object).map_err(|_| Rejection::BodyMalformed)?;
    let id = item.id();
    if !storable(&id) || !storable(&item.kind) {
        return Err(Rejection::BodyMalformed);
    }
    let account = item.account().map(str::to_owned);
    let (livemode, api_version) = (None, None);
    Ok(Envelope {
        id,
        kind: item.kind,
        occurred_at: time(object, "eventDate"),
        livemode,
        account,
        api_version,
        body: Bytes::copy_from_slice(raw.as_bytes()),
    })
}

/// The key's bytes; `None` if it is not hexadecimal.
fn key_bytes(key: &Secret) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(key.expose()).ok()?;
    let is_hex = !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    pairs.collect::<Option<Vec<u8>>>().filter(|_| is_hex)
}

/// Checks the name and the password of basic authentication (RFC 7617).
pub(super) fn basic_auth(delivery: &Delivery, name: &str, password: &Secret) -> Result<(), Rejection> {
    let given = delivery.header("authorization").ok_or(Rejection::SignatureMissing)?;
    let is_right = signature::constant_time_eq(&credentials(name, password), given.as_bytes());
    if is_right { Ok(()) } else { Err(Rejection::SignatureMismatch) }
}

/// The value of the header field `Authorization`.
pub(super) fn credentials(name: &str, password: &Secret) -> String {
    format!("Basic {}", BASE64.encode([name.as_bytes(), b":", password.expose()].concat()))
}

/// A genuine delivery of one notification, whose signature stands in its own additional data.
pub(super) fn signed(key: &Secret, notification: &[u8]) -> Option<Delivery> {
    let text = std::str::from_utf8(notification).ok()?;
    let item = Item::read(&Object::read(text, "a notification").ok()?).ok()?;
    let made = BASE64.encode(signature::hmac_sha256(&key_bytes(key)?, [item.message().as_bytes()]));
    let mut notification: Value = serde_json::from_str(text).ok()?;
    notification["additionalData"]["hmacSignature"] = made.into();
    let body = json!({"live": "false", "notificationItems": [{"NotificationRequestItem": notification}]});
    let headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
    Some(Delivery { headers, query: String::new(), body: body.to_string().into() })
}

//! Verifies the `x-signature` header (format:
//! <https://www.mercadopago.com.br/developers/en/docs/your-integrations/notifications/webhooks>), and reads which
//! object a notification names. The id in the address is signed; the body is not, so it is not read.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Verified, storable};
use crate::domain::hex::hex;
use crate::gateways::TEST_KIND;
use crate::gateways::json::{Object, short};
use crate::gateways::json_api::is_plain;
use crate::gateways::reading::{ANSWERED, id_text};
use crate::gateways::signature::{self, Secret};

/// The header field with the signature, `ts=…,v1=…`.
const SIGNATURE: &str = "x-signature";
/// The header field with the id of the request, which is signed too.
const REQUEST_ID: &str = "x-request-id";

/// How many digits an id has at the most.
const LONGEST: usize = 20;

/// The event in a genuine delivery.
/// `aged` is how far the signature's time may be from which moment; without it, any time is.
pub(super) fn verified(
    secrets: &[(String, Secret)],
    delivery: &Delivery,
    aged: Option<(Duration, Timestamp)>,
) -> Result<Verified, Rejection> {
    let header = delivery.header(SIGNATURE).filter(|text| !text.trim().is_empty());
    let header = header.ok_or(Rejection::SignatureMissing)?;
    let time = part(&header, "ts").filter(|text| is_number(text)).ok_or(Rejection::SignatureMalformed)?;
    let given = part(&header, "v1").filter(|text| !text.is_empty()).ok_or(Rejection::SignatureMalformed)?;
    let object = parameter(&delivery.query, "data.id")?.filter(|id| is_plain(id)).ok_or(Rejection::BodyMalformed)?;
    let request = delivery.header(REQUEST_ID);
    let request = request.as_deref().map(str::trim).filter(|text| !text.is_empty());
    // By its documentation Mercado Pago signs an id with letters in lower case; its libraries sign it as it is.
    let messages = [object.to_owned(), object.to_ascii_lowercase()].map(|id| message(&id, request, time));
    let is_made_by =
        |secret: &Secret, message: &String| signature::constant_time_eq(&made(secret, message), given.as_bytes());
    let signed_by = |(_, secret): &&(String, Secret)| {
        !secret.is_blank() && messages.iter().any(|message| is_made_by(secret, message))
    };
    let (label, _) = secrets.iter().find(signed_by).ok_or(Rejection::SignatureMismatch)?;
    if let Some((tolerance, now)) = aged
        && time.parse::<u64>().map_or(u64::MAX, |time| time.abs_diff(now.unix_timestamp().unsigned_abs()))
            > tolerance.as_secs()
    {
        return Err(Rejection::SignatureStale);
    }
    let event = event(delivery, object, request.unwrap_or(time))?;
    Ok(Verified { events: vec![event], secret: Some(label.clone()), skew_seconds: None })
}

/// The event that a delivery is. What is signed tells it from others: the id of the object, and that of the request.
/// Mercado Pago's own id of the notification is in the body.
fn event(delivery: &Delivery, object: &str, request: &str) -> Result<Envelope, Rejection> {
    let topic = match parameter(&delivery.query, "type")? {
        Some(topic) => Some(topic),
        None => parameter(&delivery.query, "topic")?,
    };
    // No kind of Mercado Pago's is that of an answer to a call of ours, in which facts are read.
    let is_kind = |kind: &&str| storable(kind) && !kind.ends_with(ANSWERED) && (is_plain(kind) || *kind == TEST_KIND);
    let kind = topic.filter(is_kind).ok_or(Rejection::BodyMalformed)?;
    let id = if kind == TEST_KIND { object.to_owned() } else { format!("{object}:{request}") };
    if !storable(&id) {
        return Err(Rejection::BodyMalformed);
    }
    let (occurred_at, livemode, account, api_version) = (None, None, None, None);
    Ok(Envelope { id, kind: kind.to_owned(), occurred_at, livemode, account, api_version, body: delivery.body.clone() })
}

/// A part of the header. Its name is read in any case, and the last of several counts, as in Mercado Pago's libraries.
fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let parts = header.split(',').filter_map(|part| part.split_once('='));
    let of = parts.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    of.map(|(_, value)| value.trim()).next_back()
}

/// A parameter of the query. Those that are read here need no encoding. One that stands there twice is refused: which of
/// them is signed would be a matter of taste.
fn parameter<'a>(query: &'a str, name: &str) -> Result<Option<&'a str>, Rejection> {
    let mut values = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
    let first = values.next().map(|(_, value)| value);
    if values.next().is_some() { Err(Rejection::BodyMalformed) } else { Ok(first) }
}

/// What is signed. A request without an id has no such part.
fn message(object: &str, request: Option<&str>, time: &str) -> String {
    let request = request.map(|id| format!("request-id:{id};")).unwrap_or_default();
    format!("id:{object};{request}ts:{time};")
}

fn made(secret: &Secret, message: &str) -> String {
    let mac = signature::hmac_sha256(secret.expose(), [message.as_bytes()]);
    hex(&mac)
}

/// Whether a text is a number of Mercado Pago's: ASCII digits, and no more than such an id has.
pub(super) fn is_number(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A genuine delivery of a notification, under the id of a request.
pub(super) fn signed(secret: &Secret, (request, now): (&str, Timestamp), notification: &[u8]) -> Option<Delivery> {
    let whole = Object::read(std::str::from_utf8(notification).ok()?, "a notification").ok()?;
    let object = id_text(&whole.object("data", "what it names").ok()??, "id")?;
    let (topic, time) = (short(&whole, "type")?, now.unix_timestamp().to_string());
    let signature = format!("ts={time},v1={}", made(secret, &message(&object, Some(request), &time)));
    let headers = [("content-type", "application/json"), (SIGNATURE, signature.as_str()), (REQUEST_ID, request)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).into();
    let query = format!("data.id={object}&type={topic}");
    is_plain(&object).then(|| Delivery { headers, query, body: notification.to_vec().into() })
}

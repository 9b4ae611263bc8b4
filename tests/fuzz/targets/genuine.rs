//! How does each company sign what it sends? By what the companies document, and by none of the crate's own code.

use std::borrow::Cow;
use std::sync::OnceLock;

use actix_payments::domain::delivery::Delivery;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use sha1::{Digest, Sha1};

use crate::gateways::{self, ADDRESS, HEX_KEY, NOW, SECRET};
use crate::macs::{hex, sha1, sha256, sha512};

const LEAF_KEY: &[u8] = include_bytes!("../../fixtures/paypal/leaf.key.der");

/// What Mercado Pago's notification names.
const OBJECT: &str = "123456";

/// A delivery as its company would send it.
pub struct Genuine<'a> {
    pub delivery: Delivery,
    /// The event's id, where it stands beside the body.
    pub id: Option<&'a str>,
    /// What the company has to say: the body, or what the body carries in a form of its own.
    pub content: Cow<'a, [u8]>,
}

/// What the gateway of this number is sent. The senders whose ids stand beside the body have theirs in the input's
/// first line.
pub fn delivery(number: usize, input: &[u8]) -> Genuine<'_> {
    let named = [3, 10, 11, 12].contains(&number);
    let (id, content) = match named.then(|| first_line(input)).flatten() {
        Some((id, body)) => (id, body),
        None => ("msg_1", input),
    };
    let (fields, body, content) = match number {
        gateways::BRAINTREE => (Vec::new(), braintree(content), Cow::Borrowed(content)),
        gateways::ADYEN => {
            let body = adyen(content);
            (Vec::new(), body.clone(), Cow::Owned(body))
        }
        _ => (fields(number, id, content), content.to_vec(), Cow::Borrowed(content)),
    };
    let headers = fields.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    let is_in_address = number == gateways::MERCADO_PAGO;
    let query = if is_in_address { format!("data.id={OBJECT}&type=payment") } else { String::new() };
    let delivery = Delivery::new(body).with_headers(headers).with_query(query);
    Genuine { delivery, id: named.then_some(id), content }
}

fn first_line(input: &[u8]) -> Option<(&str, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n').filter(|end| *end > 0)?;
    Some((std::str::from_utf8(&input[..end]).ok()?, &input[end + 1..]))
}

/// The header fields by which a body is signed.
fn fields(number: usize, id: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    let (time, key) = (NOW.to_string(), SECRET.as_bytes());
    let signature = |key: &[u8], parts: &[&[u8]]| hex(&sha256(key, parts));
    let id_of = |name| (name, id.to_owned());
    match number {
        0 => vec![("stripe-signature", format!("t={time},v1={}", signature(key, &[time.as_bytes(), b".", body])))],
        1 => paypal(body),
        3 => {
            let key = BASE64.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
            let made = BASE64.encode(sha256(&key, &[id.as_bytes(), b".", time.as_bytes(), b".", body]));
            let names = match body.len() % 2 {
                0 => ["svix-id", "svix-timestamp", "svix-signature"],
                _ => ["webhook-id", "webhook-timestamp", "webhook-signature"],
            };
            names.into_iter().zip([id.to_owned(), time, format!("v1,{made}")]).collect()
        }
        4 => vec![("dummy-signature", format!("t={time},v1={}", signature(key, &[time.as_bytes(), b".", body])))],
        5 => vec![("paddle-signature", format!("ts={time};h1={}", signature(key, &[time.as_bytes(), b":", body])))],
        6 => vec![("webhook-signature", signature(key, &[body]))],
        7 => vec![("x-razorpay-signature", signature(key, &[body]))],
        8 => vec![("x-square-hmacsha256-signature", BASE64.encode(sha256(key, &[ADDRESS.as_bytes(), body])))],
        9 => vec![("x-anet-signature", format!("sha512={}", hex(&sha512(key, &[body])).to_uppercase()))],
        10 => {
            let made = BASE64.encode(sha1(&bytes(HEX_KEY), &[id.as_bytes(), time.as_bytes(), body]));
            vec![("acme-signature", format!("sha1={made}")), id_of("acme-id"), ("acme-time", time)]
        }
        11 => {
            let key = BASE64.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
            vec![("acme-signature", hex(&sha512(&key, &[body]))), id_of("acme-id")]
        }
        12 => {
            let made = BASE64.encode(sha256(key, &[id.as_bytes(), b".", time.as_bytes(), b".", body]));
            let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
            names.into_iter().zip([id.to_owned(), time, format!("v1,{made}")]).collect()
        }
        13 => vec![("x-signature", signature(key, &[body]))],
        14 => vec![("hmacsignature", BASE64.encode(sha256(&bytes(HEX_KEY), &[body])))],
        gateways::MERCADO_PAGO => {
            let message = format!("id:{OBJECT};ts:{time};");
            vec![("x-signature", format!("ts={time},v1={}", signature(key, &[message.as_bytes()])))]
        }
        17 => vec![("x-cc-webhook-signature", signature(key, &[body]))],
        18 => vec![("x-paystack-signature", hex(&sha512(key, &[body])))],
        19 => vec![("cko-signature", signature(key, &[body]))],
        _ => panic!("nobody signs for gateway {number}"),
    }
}

/// RSA under the leaf certificate of the tests' own authority.
fn paypal(body: &[u8]) -> Vec<(&'static str, String)> {
    static KEY: OnceLock<RsaKeyPair> = OnceLock::new();
    let key = KEY.get_or_init(|| RsaKeyPair::from_pkcs8(LEAF_KEY).expect("a key"));
    let (id, time) = ("69cd13f0-d67a-11e5-baa3-778b53f4ae55", "2026-10-12T10:13:20Z");
    let message = format!("{id}|{time}|{}|{}", gateways::WEBHOOK, crc32fast::hash(body));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("a signature");
    vec![
        ("paypal-transmission-id", id.to_owned()),
        ("paypal-transmission-time", time.to_owned()),
        ("paypal-transmission-sig", BASE64.encode(signature)),
        ("paypal-cert-url", gateways::CERTIFICATE.to_owned()),
        ("paypal-auth-algo", "SHA256withRSA".to_owned()),
    ]
}

/// A form with this XML.
fn braintree(xml: &[u8]) -> Vec<u8> {
    let payload = BASE64.encode(xml) + "\n";
    let made = hex(&sha1(&Sha1::digest(SECRET), &[payload.as_bytes()]));
    let coded = payload.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace('\n', "%0A");
    format!("bt_signature=public%7C{made}&bt_payload={coded}").into_bytes()
}

/// A delivery of notifications, a line each: the fields that are signed, with tabs between them, and members that are not.
fn adyen(lines: &[u8]) -> Vec<u8> {
    let items: Vec<String> = String::from_utf8_lossy(lines).lines().map(item).collect();
    format!(r#"{{"live":"false","notificationItems":[{}]}}"#, items.join(",")).into_bytes()
}

/// What is signed of a notification, in this order.
const SIGNED: [&str; 8] = [
    "pspReference", "originalReference", "merchantAccountCode", "merchantReference", "value", "currency", "eventCode", "success",
];

fn item(line: &str) -> String {
    let mut parts = line.splitn(SIGNED.len() + 1, '\t');
    let mut given: [String; 8] = std::array::from_fn(|_| parts.next().unwrap_or_default().to_owned());
    given[4] = given[4].parse::<i64>().unwrap_or_default().to_string();
    let made = BASE64.encode(sha256(&bytes(HEX_KEY), &[given.join(":").as_bytes()]));
    let quoted = |at: usize| format!("\"{}\":{}", SIGNED[at], text(&given[at]));
    let members: Vec<String> = [0, 1, 2, 3, 6, 7].map(quoted).into();
    let amount = format!(r#""amount":{{"value":{},{}}}"#, given[4], quoted(5));
    let others = parts.next().filter(|others| !others.is_empty()).map(|others| format!(",{others}")).unwrap_or_default();
    let additional = format!(r#""additionalData":{{"hmacSignature":"{made}"}}"#);
    format!(r#"{{"NotificationRequestItem":{{{},{amount},{additional}{others}}}}}"#, members.join(","))
}

/// Whether the notifications of an input are signed members alone, in letters that nobody writes in several ways.
pub fn is_plain_notification(lines: &[u8]) -> bool {
    let is_plain = |field: &str| field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let is_id = |field: &str| !field.is_empty() && field.len() <= 50;
    let is_one = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        fields.len() == SIGNED.len() && fields.iter().all(|field| is_plain(field)) && is_id(fields[0]) && is_id(fields[6])
    };
    let text = std::str::from_utf8(lines).unwrap_or_default();
    text.lines().count() > 0 && text.lines().all(is_one)
}

/// A text as JSON has it (RFC 8259 §7).
fn text(of: &str) -> String {
    let escaped = |char: char| match char {
        '"' | '\\' => format!("\\{char}"),
        '\0'..='\x1f' => format!("\\u{:04x}", u32::from(char)),
        _ => char.to_string(),
    };
    format!("\"{}\"", of.chars().map(escaped).collect::<String>())
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
    pairs.collect::<Result<_, _>>().expect("hex")
}

//! Thin events, which name an object without showing it (<https://docs.stripe.com/event-destinations#thin-events>):
//! which object, and under which address Stripe shows it.

use crate::domain::event::{Interpretation, Recorded, References};
use crate::domain::named::NamedObject;
use crate::gateways::json::{Object, short};

/// The folders of the objects in which facts are read, with the beginning of their ids. What else thin events name is
/// left to handlers.
const FOLDERS: [(&str, &str); 8] = [
    ("checkout/sessions", "cs_"),
    ("payment_intents", "pi_"),
    ("charges", ""),
    ("refunds", ""),
    ("disputes", ""),
    ("subscriptions", "sub_"),
    ("invoices", "in_"),
    ("invoice_payments", "inpay_"),
];

/// What a thin event says, if it names an object in which facts are read.
pub(super) fn interpret(event: &Recorded<'_>, whole: &Object<'_>, account: Option<String>) -> Option<Interpretation> {
    if !event.kind.starts_with("v1.") {
        return None;
    }
    let related = whole.object("related_object", "the object that it names").ok().flatten()?;
    let (folder, id) = place(&short(&related, "url")?)?;
    let object = NamedObject::new(folder, id.as_str()).of_account(account).shown_by(short(whole, "snapshot_event"));
    let summary = format!("a thin event: names {id} without showing it");
    let references = References { tokens: Vec::new(), gateway_refs: vec![id.into()] };
    Some(Interpretation { references, summary, object_to_fetch: Some(object), ..Interpretation::default() })
}

/// The address of an object, from what a thin event named; `None` for what is no object of ours to ask for.
pub(super) fn address(object: &NamedObject) -> Option<String> {
    let (folder, id) = place(&format!("/v1/{}/{}", object.object_type, object.gateway_ref))?;
    Some(format!("/v1/{folder}/{id}"))
}

/// The folder and the id in an address, if it is plainly that: it is what is asked for with the API key.
fn place(url: &str) -> Option<(&'static str, String)> {
    let (folder, id) = url.strip_prefix("/v1/")?.rsplit_once('/')?;
    let (folder, prefix) = FOLDERS.into_iter().find(|(known, _)| *known == folder)?;
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_plain && id.starts_with(prefix)).then(|| (folder, id.to_owned()))
}

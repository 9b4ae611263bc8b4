//! Mollie's classic webhook: a form with the id of a payment and no signature
//! (<https://docs.mollie.com/reference/webhooks>).

use crate::domain::delivery::Rejection;
use crate::domain::event::{Interpretation, Malformed, Recorded, References};
use crate::domain::named::NamedObject;
use crate::gateways::Hint;

/// How long the part of an id after its prefix may be. Mollie's have 10 to 22 letters and digits.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=40;

/// How long a hint may be, in bytes: Mollie's have the id and nothing else.
const LONGEST: usize = 256;

/// The payment that a delivery hints at. What can be no id of Mollie's is refused without asking anybody.
pub(super) fn read(body: &[u8]) -> Result<Hint, Rejection> {
    let gateway_ref = id(body).ok_or(Rejection::BodyMalformed)?;
    Ok(Hint::new(gateway_ref))
}

/// What a hint says: which payment to ask for, and nothing else.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    let expected = || Malformed("expected the id of a payment of Mollie's (id=tr_…), got another text".to_owned());
    let id = id(event.body).ok_or_else(expected)?;
    Ok(Interpretation {
        references: References { tokens: Vec::new(), gateway_refs: vec![id.into()] },
        summary: format!("an unsigned hint that something happened to {id}"),
        object_to_fetch: Some(NamedObject::new("payment", id)),
        ..Interpretation::default()
    })
}

/// The field `id` of the form, if it is the id of a payment. Such an id needs no encoding.
fn id(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LONGEST)?;
    let mut ids = text.trim_ascii_end().split('&').filter_map(|field| field.strip_prefix("id="));
    let id = ids.next().filter(|_| ids.next().is_none())?;
    is_payment(id).then_some(id)
}

/// Whether a text is plainly the id of a payment, so that it may be part of an address.
pub(super) fn is_payment(id: &str) -> bool {
    let rest = id.strip_prefix("tr_").unwrap_or_default();
    LENGTHS.contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

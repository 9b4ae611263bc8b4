//! Which events does a genuine body carry? JSON pointers (RFC 6901) say where each says who it is.

use bytes::Bytes;

use super::scheme::Field;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, storable};
use crate::gateways::json::{self, Members};

/// Where the parts of an event are.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) each: Option<String>,
    pub(super) id: Id,
    pub(super) kind: Vec<String>,
    pub(super) occurred_at: Option<String>,
}

/// Where the id of an event is.
#[derive(Debug, Clone)]
pub(super) enum Id {
    /// In members of the event, joined by colons.
    Pointers(Vec<String>),
    /// In a header field; the second and further events of a delivery get a number behind it.
    Header(Field),
}

impl Default for Places {
    fn default() -> Self {
        Self { each: None, id: Id::Pointers(vec!["/id".to_owned()]), kind: vec!["/type".to_owned()], occurred_at: None }
    }
}

impl Places {
    pub(super) fn check(&self) -> Result<(), String> {
        let ids: &[String] = match &self.id {
            Id::Pointers(pointers) if pointers.is_empty() => return Err("expected where an event's id is".to_owned()),
            Id::Pointers(pointers) => pointers,
            Id::Header(_) => &[],
        };
        if self.kind.is_empty() {
            return Err("expected where an event's kind is".to_owned());
        }
        let all = ids.iter().chain(&self.kind).chain(&self.occurred_at).chain(&self.each);
        match all.into_iter().find(|pointer| !pointer.starts_with('/')) {
            Some(pointer) => Err(format!("expected a JSON pointer like /data/id, got {pointer:?}")),
            None => Ok(()),
        }
    }

    /// The delivery's events. Refused as a whole if one of them can't be stored: the sender keeps what it sent.
    pub(super) fn events(&self, delivery: &Delivery) -> Result<Vec<Envelope>, Rejection> {
        let events = std::str::from_utf8(&delivery.body).ok().and_then(|text| match &self.each {
            None => Some(vec![self.event(text, 0, delivery)?]),
            Some(pointer) => {
                let events = json::elements(find(text, pointer)?)?;
                events.into_iter().enumerate().map(|(at, event)| self.event(event, at, delivery)).collect()
            }
        });
        events.ok_or(Rejection::BodyMalformed)
    }

    fn event(&self, text: &str, at: usize, delivery: &Delivery) -> Option<Envelope> {
        let id = match &self.id {
            Id::Pointers(pointers) => joined(text, pointers, ":")?,
            Id::Header(field) => match (&field.texts(delivery)[..], at) {
                ([id], 0) => id.clone(),
                ([id], at) => format!("{id}:{at}"),
                _ => return None,
            },
        };
        let kind = joined(text, &self.kind, ".")?;
        let occurred_at = self.occurred_at.as_ref().and_then(|pointer| json::moment(find(text, pointer)?));
        let body = Bytes::copy_from_slice(text.as_bytes());
        let (livemode, account, api_version) = (None, None, None);
        (storable(&id) && storable(&kind)).then_some(Envelope {
            id,
            kind,
            occurred_at,
            livemode,
            account,
            api_version,
            body,
        })
    }
}

/// The texts or numbers at these places, all of which must be there.
fn joined(text: &str, pointers: &[String], separator: &str) -> Option<String> {
    let scalar = |pointer: &String| {
        let raw = find(text, pointer)?;
        match json::text(raw) {
            Some(text) => Some(text.into_owned()),
            None => Some(raw.to_owned()).filter(|raw| raw.starts_with(|c: char| c.is_ascii_digit() || c == '-')),
        }
    };
    Some(pointers.iter().map(scalar).collect::<Option<Vec<_>>>()?.join(separator))
}

/// The value at a pointer, as it stands in the text. The whole text has to be one object: a member that comes twice has
/// its last value, as in JavaScript.
fn find<'a>(text: &'a str, pointer: &str) -> Option<&'a str> {
    let mut found = text;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        let (mut members, mut value) = (Members::of(found), None);
        while let Some((key, raw)) = members.next().ok()? {
            if json::text(key).is_some_and(|key| key == name) {
                value = Some(raw);
            }
        }
        found = value?;
    }
    Some(found)
}

//! Reads the events in a genuine body, at the places that JSON pointers (RFC 6901) name.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::scheme::HeaderField;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, storable};
use crate::domain::hex::hex;
use crate::domain::{Timestamp, storable_time};
use crate::gateways::json::{self, Members};

/// Where the fields of an event are.
#[derive(Debug, Clone)]
pub(super) struct EventPaths {
    /// The list of events; `None` if the body is one event.
    pub(super) each: Option<String>,
    pub(super) id: IdSource,
    /// The members that make up the kind, joined by dots.
    pub(super) kind: Vec<String>,
    pub(super) occurred_at: Option<String>,
    pub(super) account: Option<String>,
}

/// Where the id of an event comes from.
#[derive(Debug, Clone)]
pub(super) enum IdSource {
    /// Members of the event, joined by colons.
    Pointers(Vec<String>),
    /// The hash of the event's bytes, after its kind and a colon.
    Body,
    /// A header field. The second and further events of a delivery have their index appended.
    Header(HeaderField),
    /// A member, the first member that is present of several, and one more if it is present, joined by colons. With
    /// none of the several, the hash of the event's bytes.
    FirstOf {
        /// The member that every event has.
        before: String,
        /// The members of which the first counts.
        any: Vec<String>,
        /// The member that not every event has.
        after: String,
        /// The first members of events that come again about the same object as it stands: their bytes tell them apart.
        again: Vec<String>,
    },
}

impl Default for EventPaths {
    fn default() -> Self {
        let (id, kind) = (IdSource::Pointers(vec!["/id".to_owned()]), vec!["/type".to_owned()]);
        Self { each: None, id, kind, occurred_at: None, account: None }
    }
}

impl EventPaths {
    /// Checks that the pointers are usable.
    pub(super) fn check(&self) -> Result<(), String> {
        let ids: &[String] = match &self.id {
            IdSource::Pointers(pointers) if pointers.is_empty() => {
                return Err("expected where an event's id is".to_owned());
            }
            IdSource::Pointers(pointers) => pointers,
            IdSource::Body | IdSource::Header(_) | IdSource::FirstOf { .. } => &[],
        };
        if self.kind.is_empty() {
            return Err("expected where an event's kind is".to_owned());
        }
        let all = ids.iter().chain(&self.kind).chain(&self.occurred_at).chain(&self.account).chain(&self.each);
        match all.into_iter().find(|pointer| !pointer.starts_with('/')) {
            Some(pointer) => Err(format!("expected a JSON pointer like /data/id, got {pointer:?}")),
            None => Ok(()),
        }
    }

    /// The delivery's events. If one of them can't be stored the whole delivery is refused, so that the sender keeps
    /// it.
    pub(super) fn events(&self, delivery: &Delivery) -> Result<Vec<Envelope>, Rejection> {
        let text = std::str::from_utf8(&delivery.body).map_err(|_| Rejection::BodyMalformed)?;
        if let IdSource::Header(field) = &self.id
            && field.texts(delivery).is_empty()
        {
            return Err(Rejection::EventIdMissing);
        }
        let events = match &self.each {
            None => self.event(text, 0, delivery).map(|event| vec![event]),
            Some(pointer) => find(text, pointer).and_then(json::elements).and_then(|events| {
                events.into_iter().enumerate().map(|(at, event)| self.event(event, at, delivery)).collect()
            }),
        };
        events.ok_or(Rejection::BodyMalformed)
    }

    fn event(&self, text: &str, at: usize, delivery: &Delivery) -> Option<Envelope> {
        let kind = joined(text, &self.kind, ".")?;
        let id = match &self.id {
            IdSource::Body => format!("{kind}:{}", hash(text)),
            IdSource::Pointers(pointers) => joined(text, pointers, ":")?,
            IdSource::Header(field) => match (&field.texts(delivery)[..], at) {
                ([id], 0) => id.clone(),
                ([id], at) => format!("{id}:{at}"),
                _ => return None,
            },
            IdSource::FirstOf { before, any, after, again } => {
                let id = first_of(text, before, any, after)?;
                let comes_again = scalar(text, before).is_some_and(|first| again.contains(&first));
                if comes_again { format!("{id}:{}", hash(text)) } else { id }
            }
        };
        let occurred_at = self.occurred_at.as_ref().and_then(|pointer| time(find(text, pointer)?));
        let body = Bytes::copy_from_slice(text.as_bytes());
        let account = self.account.as_ref().and_then(|pointer| scalar(text, pointer));
        let (livemode, api_version) = (None, None);
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

/// An event's time. A number that would be after the year 5000 as seconds is milliseconds.
fn time(raw: &str) -> Option<Timestamp> {
    json::time(raw).filter(|at| at.year() < 5000).or_else(|| {
        let milliseconds: i64 = raw.parse().ok()?;
        Timestamp::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).ok().and_then(storable_time)
    })
}

/// The texts or numbers at these pointers, joined; `None` if one is missing or of another type.
fn joined(text: &str, pointers: &[String], separator: &str) -> Option<String> {
    let found = pointers.iter().map(|pointer| scalar(text, pointer));
    Some(found.collect::<Option<Vec<_>>>()?.join(separator))
}

/// An id of [`IdSource::FirstOf`].
fn first_of(text: &str, before: &str, any: &[String], after: &str) -> Option<String> {
    let before = scalar(text, before)?;
    let Some(object) = any.iter().find_map(|pointer| scalar(text, pointer)) else {
        return Some(format!("{before}:{}", hash(text)));
    };
    let parts = [Some(before), Some(object), scalar(text, after)];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(":"))
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// The text or number at a pointer.
fn scalar(text: &str, pointer: &str) -> Option<String> {
    let raw = find(text, pointer)?;
    match json::text(raw) {
        Some(text) => Some(text.into_owned()),
        None => Some(raw.to_owned()).filter(|raw| raw.starts_with(|c: char| c.is_ascii_digit() || c == '-')),
    }
}

/// The raw JSON text of the value at a pointer. The whole text must be one object. If a member occurs twice its last
/// value counts, as in JavaScript.
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

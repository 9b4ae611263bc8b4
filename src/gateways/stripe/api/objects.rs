//! Lists the objects that payments and subscriptions are made of, as they are now: intents with their newest charges
//! (<https://docs.stripe.com/api/payment_intents/list>), checkout sessions
//! (<https://docs.stripe.com/api/checkout/sessions/list>) and subscriptions
//! (<https://docs.stripe.com/api/subscriptions/list>), a hundred a page.

use super::answer::event;
use super::form::Form;
use super::{Api, Response};
use crate::domain::event::Malformed;
use crate::domain::named::NamedObject;
use crate::gateways::json::{Object, elements};
use crate::gateways::objects::{ListedObject, ObjectPage, ObjectQuery, ObjectSource};
use crate::gateways::{BoxFuture, GatewayError};

/// The lists one after the other: the folder, the beginning of its objects' ids, what else is asked for, and the object
/// within each that is an event of its own. Intents come before sessions, which name them.
const LISTS: [List; 3] = [
    List { folder: "payment_intents", extra: ("expand[0]", "data.latest_charge"), nested: Some("latest_charge") },
    List { folder: "checkout/sessions", extra: ("", ""), nested: None },
    List { folder: "subscriptions", extra: ("status", "all"), nested: None },
];

struct List {
    folder: &'static str,
    extra: (&'static str, &'static str),
    nested: Option<&'static str>,
}

impl ObjectSource for Api {
    fn page<'a>(&'a self, query: &'a ObjectQuery) -> BoxFuture<'a, Result<ObjectPage, GatewayError>> {
        Box::pin(self.objects(query))
    }
}

impl Api {
    /// A cursor is a folder, and behind a blank the last object of the page before, if that was of the same folder.
    async fn objects(&self, query: &ObjectQuery) -> Result<ObjectPage, GatewayError> {
        let cursor = query.cursor.as_deref().unwrap_or(LISTS[0].folder);
        let (folder, after) = cursor.split_once(' ').map_or((cursor, None), |(folder, id)| (folder, Some(id)));
        let unknown = || GatewayError::Declined("expected a place in a list of Stripe's, got another text".to_owned());
        let at = LISTS.iter().position(|list| list.folder == folder).ok_or_else(unknown)?;
        let mut form = Form::default();
        form.add("limit", "100");
        form.add("created[gte]", query.since.unix_timestamp().to_string());
        form.add("created[lte]", query.until.unix_timestamp().to_string());
        let (name, value) = LISTS[at].extra;
        form.add_optional(name, Some(value).filter(|value| !value.is_empty()));
        form.add_optional("starting_after", after);
        let answer = self.get(&format!("/v1/{folder}"), form).await?;
        let (objects, more) = read(&answer, &LISTS[at], &query.key)?;
        let last = objects.last().filter(|_| more).map(|last| format!("{folder} {}", last.object.gateway_ref));
        Ok(ObjectPage { objects, next: last.or_else(|| LISTS.get(at + 1).map(|list| list.folder.to_owned())) })
    }
}

/// The objects of a page, and whether there are more of them.
fn read(answer: &Response, list: &List, key: &str) -> Result<(Vec<ListedObject>, bool), GatewayError> {
    let malformed = |error: Malformed| GatewayError::Malformed(error.to_string());
    let page = Object::read(answer.text()?, "a list of objects").map_err(malformed)?;
    let listed = elements(page.raw("data").unwrap_or_default())
        .ok_or_else(|| GatewayError::Malformed("expected `data` of a list to be a list of objects".to_owned()))?;
    let (mut objects, mut count) = (Vec::new(), 0);
    for raw in listed {
        let object = Object::read(raw, "a listed object").map_err(malformed)?;
        let id = object.need_id("id").map_err(malformed)?;
        let inner = list.nested.and_then(|name| object.raw(name)).filter(|inner| inner.starts_with('{'));
        let mut events = Vec::new();
        for text in [Some(raw), inner].into_iter().flatten() {
            count += 1;
            events.push(event(format!("{key}-{count}"), text, answer.answered_at())?);
        }
        objects.push(ListedObject { object: NamedObject::new(list.folder, id), events });
    }
    Ok((objects, page.bool_or_false("has_more").map_err(malformed)?))
}

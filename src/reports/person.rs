//! All that is held of a person, as one JSON document.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use crate::domain::person::Person;
use crate::engine::{Engine, Holdings};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::persons::{HELD, Rows};

impl Engine {
    /// See [`Payments::export`](crate::Payments::export).
    pub(crate) async fn export(self: &Arc<Self>, person: Person) -> Result<String, Error> {
        let held = self.holdings(person.clone()).await?;
        let exported_at = self.now().format(&Rfc3339).unwrap_or_default();
        let tables = self.patiently(move |engine| engine.store.ask(|tx| tables(tx, &held))).await?;
        let mut document = Map::new();
        let named = Map::from_iter([(person.by.as_str().to_owned(), Value::String(person.text))]);
        document.insert("person".to_owned(), Value::Object(named));
        document.insert("exported_at".to_owned(), exported_at.into());
        document.extend(tables);
        let unsaid = |error| Error::new(ErrorKind::Storage, "what is held can't be said as JSON").with_source(error);
        serde_json::to_string_pretty(&document).map_err(unsaid)
    }
}

/// The rows by their tables.
fn tables(tx: &mut dyn Tx, held: &Holdings) -> Result<Map<String, Value>, Error> {
    let mut tables = Map::new();
    for (table, column, whose) in HELD {
        let ids = held.ids(whose);
        let rows = tx.as_json(Rows { table, column, ids: &ids })?;
        let rows = rows.into_iter().map(|row| serde_json::from_str(&row).unwrap_or(Value::String(row)));
        let list = tables.entry(table.trim_start_matches("pay_")).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            for row in rows {
                if !list.contains(&row) {
                    list.push(row);
                }
            }
        }
    }
    let bodies = tx.bodies_of(&held.events)?.into_iter().map(|(event, headers, body)| {
        let headers: Value = serde_json::from_str(&headers).unwrap_or(Value::String(headers));
        json!({ "event_id": event.0, "headers": headers, "body": String::from_utf8_lossy(&body) })
    });
    tables.insert("event_bodies".to_owned(), Value::Array(bodies.collect()));
    Ok(tables)
}

//! How is each verb said in SQL? These files are written once and compiled once for each database: `Connection`
//! and `Instant` are whatever the dialect file that includes them says. What the databases say differently is in
//! that dialect file.

mod acts;
mod alarms;
mod attempts;
mod bodies;
mod book_schema;
mod books;
mod browse;
mod checkup;
mod chores;
mod disputes;
mod drift;
mod drift_schema;
mod events;
mod failures;
mod fetch_schema;
mod fetches;
mod growth;
mod hours;
mod intake;
mod ledger;
mod lists;
pub(super) mod migrate;
mod operations;
mod payments;
mod persons;
mod recurring;
mod registry;
mod said;
pub(super) mod schema;
mod sets;
mod stream;
mod subscription_operations;
mod subscription_schema;
mod subscriptions;
mod variants;
mod words;

use super::dialect_error as failed;
use super::{ADDRESS, BYTEWISE, Backend, Connection, INDEXED, LATE, PAIRS, UNSEEN};

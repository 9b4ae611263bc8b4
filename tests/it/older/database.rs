//! The older database as its release left it, out of the files.

use std::collections::BTreeMap;

use actix_payments::{AnyConnection, AnyRef, Database};
use diesel::connection::SimpleConnection;

use crate::app::{Kind, fresh_database, texts};

/// The release that left the files.
const RELEASE: &str = "0.1.0";
/// How long that release had run, in seconds after the clock of every test begins.
pub const END: i64 = 86_400;

/// Where the files of a release are.
pub fn folder(release: &str) -> String {
    format!("{}/tests/fixtures/older/{release}", env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &str) -> String {
    let path = format!("{}/{name}", folder(RELEASE));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The older database as it was left, not yet migrated.
pub struct Left {
    pub url: String,
    pub folder: Option<tempfile::TempDir>,
    pub database: Database<AnyConnection>,
    /// What Stripe remembers of it.
    pub stripe: String,
}

pub fn left(kind: Kind) -> Left {
    let (url, folder) = fresh_database(kind);
    let database = Database::from_url(&url).unwrap();
    let mut conn = database.connection().unwrap();
    let stripe = match conn.lent() {
        AnyRef::Sqlite(conn) => {
            conn.batch_execute(&file("sqlite.sql")).unwrap();
            file("sqlite.stripe.json")
        }
        AnyRef::Postgres(conn) => {
            conn.batch_execute(&file("postgres.sql")).unwrap();
            file("postgres.stripe.json")
        }
        _ => unreachable!(),
    };
    drop(conn);
    Left { url, folder, database, stripe }
}

/// The columns of every table of ours, as they are now.
pub fn columns(database: &Database<AnyConnection>) -> BTreeMap<String, Vec<String>> {
    let sqlite = matches!(database.connection().unwrap().lent(), AnyRef::Sqlite(_));
    let named = if sqlite {
        "SELECT m.name || '.' || c.name AS t FROM sqlite_master m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name LIKE 'pay!_%' ESCAPE '!' ORDER BY m.name, c.cid"
    } else {
        "SELECT table_name || '.' || column_name AS t FROM information_schema.columns \
         WHERE table_name LIKE 'pay!_%' ESCAPE '!' ORDER BY table_name, ordinal_position"
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in texts(database, named) {
        let (table, column) = name.split_once('.').unwrap();
        tables.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    // Which steps were taken is what migrating adds to.
    tables.remove("pay_migrations").expect("an older database knows its steps");
    tables
}

/// What these columns hold, row by row.
pub fn stored(database: &Database<AnyConnection>, columns: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let sqlite = matches!(database.connection().unwrap().lent(), AnyRef::Sqlite(_));
    let rows = |(table, columns): (&String, &Vec<String>)| {
        let quoted =
            |column: &String| if sqlite { format!("quote({column})") } else { format!("quote_nullable({column})") };
        let row = columns.iter().map(quoted).collect::<Vec<_>>().join(" || ', ' || ");
        texts(database, &format!("SELECT '{table} ' || {row} AS t FROM {table} ORDER BY 1"))
    };
    columns.iter().flat_map(rows).collect()
}

//! A statement on a Postgres server that is not about this crate's own tables, for the databases of tests.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::error::{Error, ErrorKind};

/// Runs this on a connection of its own.
pub(crate) fn on_server(url: &str, sql: &str) -> Result<(), Error> {
    let failed = |why: String| Error::new(ErrorKind::Unavailable, format!("the Postgres server: {why}"));
    let mut connection = PgConnection::establish(url).map_err(|error| failed(error.to_string()))?;
    connection.batch_execute(sql).map_err(|error| failed(error.to_string()))
}

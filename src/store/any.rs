//! How does a program choose its database at run time? By the scheme of an address; what it then holds is one of
//! two connections, owned ([`AnyConnection`]) or lent to a handler ([`AnyRef`]).

use std::any::Any;
use std::fmt;
use std::path::PathBuf;

use diesel::r2d2::{ConnectionManager, Error as PoolError, ManageConnection};

use super::Work;
use super::address::beginning;
use super::database::Database;
use super::dialect::{Dialect, HostConnection};
use super::migrations::Migration;
use crate::error::Error;

/// A connection to the database that was chosen at run time; see [`Database::from_url`].
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// # #[cfg(feature = "sqlite")] {
/// use actix_payments::{AnyConnection, AnyRef, Database, Error};
/// # let folder = tempfile::tempdir()?;
/// # let url = format!("sqlite://{}", folder.path().join("shop.db").display());
///
/// let database: Database<AnyConnection> = Database::from_url(&url)?;
/// let name = database.run(|conn: &mut AnyConnection| match conn.lent() {
///     AnyRef::Sqlite(_) => Ok::<_, Error>("SQLite"),
///     _ => Ok("Postgres"),
/// });
/// assert_eq!(name.await?, "SQLite");
/// # }
/// # Ok(()) }) }
/// ```
#[non_exhaustive]
pub enum AnyConnection {
    /// The address was of SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(diesel::SqliteConnection),
    /// The address was of Postgres.
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
}

/// The connection of the running transaction, lent to a handler.
///
/// See [`AnyConnection`] for an example.
#[non_exhaustive]
pub enum AnyRef<'a> {
    /// The payments live in SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'a mut diesel::SqliteConnection),
    /// The payments live in Postgres.
    #[cfg(feature = "postgres")]
    Postgres(&'a mut diesel::PgConnection),
}

impl AnyConnection {
    /// The same connection in the form in which handlers get it, so that one function serves both.
    pub fn lent(&mut self) -> AnyRef<'_> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(conn) => AnyRef::Sqlite(conn),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => AnyRef::Postgres(conn),
        }
    }
}

impl HostConnection for AnyConnection {
    type Manager = AnyManager;
    type Lent<'a> = AnyRef<'a>;

    fn lend(conn: &mut dyn Any) -> Option<AnyRef<'_>> {
        #[cfg(feature = "sqlite")]
        if conn.is::<diesel::SqliteConnection>() {
            return conn.downcast_mut().map(AnyRef::Sqlite);
        }
        #[cfg(feature = "postgres")]
        if conn.is::<diesel::PgConnection>() {
            return conn.downcast_mut().map(AnyRef::Postgres);
        }
        None
    }
}

impl Database<AnyConnection> {
    /// The database that `url` names: `sqlite://path` or `postgres://…`, for programs that choose at run time.
    ///
    /// # Errors
    /// As [`Database::sqlite`] and [`Database::postgres`]; also when the crate was built without the feature.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                Database::sqlite(url)?;
                let path = super::database::sqlite_path(url)?.to_owned();
                Ok(Self::open(move || AnyManager(Managers::Sqlite(ConnectionManager::new(&path))), false))
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                let address = super::address::Address::checked(url)?;
                let manager = move || AnyManager(Managers::Postgres(ConnectionManager::new(&address.url)));
                Ok(Self::open(manager, address.shares_connections))
            }
            #[cfg(not(feature = "sqlite"))]
            "sqlite" => Err(not_built(scheme)),
            #[cfg(not(feature = "postgres"))]
            "postgres" | "postgresql" => Err(not_built(scheme)),
            _ => Err(Error::configuration(format!(
                "expected a database address that begins with sqlite:// or postgres://, got {}",
                beginning(url)
            ))),
        }
    }
}

#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
fn not_built(scheme: &str) -> Error {
    let message = format!("the address begins with {scheme:?}, but actix-payments was built without that feature");
    Error::configuration(message)
}

/// Makes connections of the kind that was chosen at run time.
///
/// The pool of a `Database<AnyConnection>` has it; see [`AnyConnection`] for an example of one.
pub struct AnyManager(Managers);

enum Managers {
    #[cfg(feature = "sqlite")]
    Sqlite(ConnectionManager<diesel::SqliteConnection>),
    #[cfg(feature = "postgres")]
    Postgres(ConnectionManager<diesel::PgConnection>),
}

/// Runs the same expression on whichever kind it is.
macro_rules! either {
    ($any:expr, $of:ident, $one:ident => $run:expr) => {
        match $any {
            #[cfg(feature = "sqlite")]
            $of::Sqlite($one) => $run,
            #[cfg(feature = "postgres")]
            $of::Postgres($one) => $run,
        }
    };
}

impl ManageConnection for AnyManager {
    type Connection = AnyConnection;
    type Error = PoolError;

    fn connect(&self) -> Result<AnyConnection, PoolError> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Managers::Sqlite(manager) => manager.connect().map(AnyConnection::Sqlite),
            #[cfg(feature = "postgres")]
            Managers::Postgres(manager) => manager.connect().map(AnyConnection::Postgres),
        }
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), PoolError> {
        use diesel::r2d2::R2D2Connection;
        either!(conn, AnyConnection, conn => conn.ping()).map_err(PoolError::QueryError)
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        use diesel::r2d2::R2D2Connection;
        std::thread::panicking() || either!(conn, AnyConnection, conn => conn.is_broken())
    }
}

impl Dialect for AnyConnection {
    fn prepare(&mut self) -> Result<(), Error> {
        either!(self, AnyConnection, conn => conn.prepare())
    }

    fn write(&mut self, work: Work<'_>) -> Result<(), Error> {
        either!(self, AnyConnection, conn => conn.write(work))
    }

    fn read(&mut self, work: Work<'_>) -> Result<(), Error> {
        either!(self, AnyConnection, conn => conn.read(work))
    }

    fn scour(&mut self) -> Result<Option<&'static str>, Error> {
        either!(self, AnyConnection, conn => conn.scour())
    }

    fn has_died(&mut self) -> bool {
        either!(self, AnyConnection, conn => conn.has_died())
    }

    fn is_alive(&mut self) -> bool {
        either!(self, AnyConnection, conn => conn.is_alive())
    }

    fn migrations(&mut self) -> Result<Vec<Migration>, Error> {
        either!(self, AnyConnection, conn => conn.migrations())
    }

    fn spoil(&mut self) {
        either!(self, AnyConnection, conn => conn.spoil())
    }

    fn listen(&mut self) {
        either!(self, AnyConnection, conn => conn.listen())
    }

    fn keep_no_statements(&mut self) {
        either!(self, AnyConnection, conn => conn.keep_no_statements())
    }

    fn file(&mut self) -> Option<PathBuf> {
        either!(self, AnyConnection, conn => conn.file())
    }

    fn one_writer(&self) -> bool {
        either!(self, AnyConnection, conn => conn.one_writer())
    }

    fn migrate(&mut self) -> Result<(), Error> {
        either!(self, AnyConnection, conn => conn.migrate())
    }
}

/// Which database it is: all that debug output says.
macro_rules! which {
    ($on:expr, $any:ident) => {
        match $on {
            #[cfg(feature = "sqlite")]
            $any::Sqlite(_) => "Sqlite",
            #[cfg(feature = "postgres")]
            $any::Postgres(_) => "Postgres",
        }
    };
}

impl fmt::Debug for AnyConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(which!(self, AnyConnection))
    }
}

impl fmt::Debug for AnyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(which!(self, AnyRef))
    }
}

impl fmt::Debug for AnyManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(which!(&self.0, Managers))
    }
}

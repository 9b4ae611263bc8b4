//! Which database, and how is it reached? Typed by the host's diesel connection, so that a handler in the
//! transaction gets that very connection. A mistyped address is an error here, never a stray file.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, Pool, R2D2Connection};

use super::Store;
use super::backend::Backend;
use super::dialect::{Dialect, HostConnection};
use super::failure::unavailable;
use crate::error::Error;

/// The database that payments live in, a pool of the host's connection type.
pub struct Database<C: HostConnection> {
    pool: Pool<C::Manager>,
    prepared: bool,
}

/// A connection out of the pool of a [`Database`].
pub type PooledConnection<C> = diesel::r2d2::PooledConnection<<C as HostConnection>::Manager>;

/// How many connections a pool of ours opens at the most.
const POOL_SIZE: u32 = 10;
/// How long one waits for a connection to become free.
const POOL_PATIENCE: Duration = Duration::from_secs(5);

impl<C: HostConnection> Database<C> {
    /// Borrows a connection, so that the host's own queries can share the pool.
    ///
    /// # Errors
    /// `Unavailable` when none becomes free within the pool's time-out (5 seconds for pools made here).
    pub fn connection(&self) -> Result<PooledConnection<C>, Error> {
        loop {
            let mut conn = self.pool.get().map_err(|e| unavailable("no database connection became free", e))?;
            // What the database closed meanwhile goes back to the pool, which drops it; new ones are made in its place.
            if conn.is_alive() || !conn.has_died() {
                return Ok(conn);
            }
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::new(Backend::<C> { pool: self.pool.clone(), prepared: self.prepared, turn: tokio::sync::Mutex::new(()) })
    }

    pub(super) fn open(manager: C::Manager) -> Result<Self, Error> {
        let pool = Pool::builder()
            .max_size(POOL_SIZE)
            .min_idle(Some(1))
            .connection_timeout(POOL_PATIENCE)
            .test_on_check_out(false)
            .connection_customizer(Box::new(Prepare))
            .build_unchecked(manager);
        Ok(Self { pool, prepared: true })
    }
}

impl<C> Database<C>
where
    C: HostConnection<Manager = ConnectionManager<C>> + R2D2Connection + 'static,
{
    /// The host's own pool, of either kind. Connections keep the settings that payments need of them.
    pub fn from_pool(pool: Pool<ConnectionManager<C>>) -> Self {
        Self { pool, prepared: false }
    }
}

impl<C: HostConnection> Clone for Database<C> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), prepared: self.prepared }
    }
}

/// What may be told of an address that was refused: it may hold a password, so only its scheme.
pub(super) fn beginning(url: &str) -> String {
    let plain = |scheme: &&str| !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    match url.split_once(':').map(|(scheme, _)| scheme).filter(plain) {
        Some(scheme) => format!("one that begins with {scheme:?}"),
        None => "one without a scheme".to_owned(),
    }
}

#[derive(Debug)]
struct Prepare;

impl<C: Dialect> CustomizeConnection<C, PoolError> for Prepare {
    fn on_acquire(&self, conn: &mut C) -> Result<(), PoolError> {
        let failed = |e: Error| PoolError::ConnectionError(diesel::ConnectionError::BadConnection(e.to_string()));
        conn.prepare().map_err(failed)
    }
}

#[cfg(feature = "sqlite")]
pub(super) use sqlite::checked as sqlite_path;

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::Path;

    use diesel::{Connection, SqliteConnection};

    use super::super::sqlite::into_wal;
    use super::*;

    impl HostConnection for SqliteConnection {
        type Manager = ConnectionManager<SqliteConnection>;
        type Lent<'a> = &'a mut SqliteConnection;

        fn lend(conn: &mut dyn Any) -> Option<&mut SqliteConnection> {
            conn.downcast_mut()
        }
    }

    impl Database<SqliteConnection> {
        /// SQLite in the file at `path`, which may also be written `sqlite://path`. The file is made when it is
        /// not there; its folder must be.
        ///
        /// # Errors
        /// `Configuration` when the folder doesn't exist, the path is a folder or looks like another database's
        /// address, or the file is no SQLite database.
        pub fn sqlite(path: impl AsRef<str>) -> Result<Self, Error> {
            let path = checked(path.as_ref())?;
            let refused = |e: String| Error::configuration(format!("can't use {path:?} as SQLite")).with_source(e);
            let mut conn = SqliteConnection::establish(path).map_err(|e| refused(e.to_string()))?;
            into_wal(&mut conn).map_err(|e| refused(e.to_string()))?;
            Self::open(ConnectionManager::new(path))
        }
    }

    /// The path without its scheme, if a database can be there.
    pub(in crate::store) fn checked(given: &str) -> Result<&str, Error> {
        let path = given.strip_prefix("sqlite://").or_else(|| given.strip_prefix("sqlite:")).unwrap_or(given);
        let expected = "expected the path of a SQLite file, like \"shop.db\" or \"sqlite:///var/lib/shop.db\"";
        let refused = |why: &str| Err(Error::configuration(format!("{expected}, got {why}")));
        if path.trim().is_empty() {
            return refused("nothing");
        }
        if path.contains("://") || path.starts_with("file:") {
            return refused(&format!("an address, {}", beginning(path)));
        }
        if path.contains('?') {
            return refused("a path with a question mark; settings are not part of it");
        }
        if path.contains(":memory:") {
            return refused("a database in memory, which every connection would have for itself");
        }
        let file = Path::new(path);
        if file.is_dir() {
            return refused(&format!("the folder {path:?}"));
        }
        match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
                refused(&format!("{path:?}, but there is no folder {:?}", parent.display().to_string()))
            }
            _ => Ok(path),
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::{Connection, PgConnection};

    use super::*;

    impl HostConnection for PgConnection {
        type Manager = ConnectionManager<PgConnection>;
        type Lent<'a> = &'a mut PgConnection;

        fn lend(conn: &mut dyn Any) -> Option<&mut PgConnection> {
            conn.downcast_mut()
        }
    }

    impl Database<PgConnection> {
        /// Postgres at `url`: `postgres://user:password@host:port/database`, as libpq reads it.
        ///
        /// # Errors
        /// `Configuration` when the address is of something else or nothing answers there.
        pub fn postgres(url: impl AsRef<str>) -> Result<Self, Error> {
            let url = checked(url.as_ref())?;
            PgConnection::establish(url)
                .map_err(|e| Error::configuration("can't connect to Postgres").with_source(e))?;
            Self::open(ConnectionManager::new(url))
        }
    }

    pub(super) fn checked(url: &str) -> Result<&str, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(url);
        }
        Err(Error::configuration(format!(
            "expected an address like postgres://user:password@host:5432/database, got {}",
            beginning(url)
        )))
    }
}

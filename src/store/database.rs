//! The database, and how to reach it. Its type parameter is the host's diesel connection, so that a handler in the
//! transaction gets that type of connection. A mistyped address is an error here, never a stray file.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, NopErrorHandler, Pool, R2D2Connection};

use super::Store;
#[cfg(feature = "sqlite")]
use super::address::beginning;
use super::backend::Backend;
use super::data_file::DataFile;
use super::dialect::{Dialect, HostConnection};
use super::pools::Pools;
use super::pulse::Pulse;
use super::threads;
use crate::error::{Error, ErrorKind};

/// The database that payments live in, a pool of the host's connection type.
pub struct Database<C: HostConnection> {
    pools: Arc<Pools<C::Manager>>,
    file: Arc<OnceLock<Option<DataFile>>>,
}

/// A connection from the pool of a [`Database`].
///
/// [`Database::connection`] returns one. In async code use [`Database::run`], which has an example.
pub type PooledConnection<C> = diesel::r2d2::PooledConnection<<C as HostConnection>::Manager>;

/// How many connections a pool of ours opens at the most.
const POOL_SIZE: u32 = 10;
/// How long one waits for a connection to become free.
const POOL_PATIENCE: Duration = Duration::from_secs(5);

impl<C: HostConnection> Database<C> {
    /// Runs the host's own queries on a connection of the pool, away from the async threads. For Actix's handlers and
    /// async handlers of payments, which must not block a thread that serves other requests.
    ///
    /// The error is a type of yours with a `From<Error>`, and for `?` on a query a `From<diesel::result::Error>`. A
    /// handler of Actix returns it if it is a `ResponseError`; in a handler of payments, `HandlerError` has all it
    /// needs.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sqlite")] mod shown {
    /// use actix_payments::Database;
    /// use diesel::prelude::*;
    /// use diesel::sql_types::Text;
    ///
    /// #[derive(Debug)]
    /// enum Failure {
    ///     Payments(actix_payments::Error),
    ///     Query(diesel::result::Error),
    /// }
    ///
    /// impl From<actix_payments::Error> for Failure {
    ///     fn from(error: actix_payments::Error) -> Self {
    ///         Self::Payments(error)
    ///     }
    /// }
    ///
    /// impl From<diesel::result::Error> for Failure {
    ///     fn from(error: diesel::result::Error) -> Self {
    ///         Self::Query(error)
    ///     }
    /// }
    ///
    /// impl std::fmt::Display for Failure {
    ///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    ///         f.write_str("something went wrong, please try again")
    ///     }
    /// }
    ///
    /// // A 500 with the words above; `error_response` is the place to write the error itself to the log.
    /// impl actix_web::ResponseError for Failure {}
    ///
    /// async fn insert(database: &Database<SqliteConnection>, number: String) -> Result<(), Failure> {
    ///     let insert = move |conn: &mut SqliteConnection| {
    ///         let sql = "INSERT INTO orders (number, status) VALUES ($1, 'open')";
    ///         diesel::sql_query(sql).bind::<Text, _>(number).execute(conn)?;
    ///         Ok::<_, Failure>(())
    ///     };
    ///     database.run(insert).await
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of `work`, and `Unavailable` if no connection becomes free within the pool's time-out (5 seconds for
    /// pools made here), or if the database does not answer for a long time.
    pub async fn run<T, E>(&self, work: impl FnOnce(&mut C) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (this, pulse) = (self.clone(), Pulse::beside(self.pools.silence()));
        let beating = pulse.clone();
        let call = threads::run(move || beating.during(|| work(&mut *this.connection()?)));
        let unavailable = |why: &str| E::from(Error::new(ErrorKind::Unavailable, why));
        match pulse.unless_silent(call).await {
            Some(Some(end)) => end,
            Some(None) => Err(unavailable("the call did not come to its end")),
            None => {
                self.pools.replace();
                Err(unavailable("the database does not answer"))
            }
        }
    }

    /// Borrows a connection. **This blocks**: it waits for one to become free, and queries wait for the database. In
    /// async code use [`Database::run`]; a handler of Actix that waits here holds up all other requests of its thread.
    ///
    /// # Errors
    /// `Unavailable` when none becomes free within the pool's time-out (5 seconds for pools made here).
    pub fn connection(&self) -> Result<PooledConnection<C>, Error> {
        loop {
            let mut conn = self.pools.get()?;
            // What the database closed meanwhile goes back to the pool, which drops it; new ones are made in its place.
            if conn.is_alive() || !conn.has_died() {
                return Ok(conn);
            }
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        let (pools, file) = (self.pools.clone(), self.file.clone());
        Arc::new(Backend::<C> { pools, file, turn: tokio::sync::Mutex::new(()) })
    }

    /// `shares_connections` is whether consecutive transactions may reach different connections of the server.
    pub(super) fn open(manager: impl Fn() -> C::Manager + Send + Sync + 'static, shares_connections: bool) -> Self {
        let file = Arc::<OnceLock<Option<DataFile>>>::default();
        let known = file.clone();
        let pool = move || {
            Pool::builder()
                .max_size(POOL_SIZE)
                .min_idle(Some(1))
                .connection_timeout(POOL_PATIENCE)
                .test_on_check_out(false)
                // Who waits for a connection is told what the last one failed with.
                .error_handler(Box::new(NopErrorHandler))
                .connection_customizer(Box::new(Prepare { file: known.clone(), shares_connections }))
                .build_unchecked(manager())
        };
        Self { pools: Arc::new(Pools::made_by(pool)), file }
    }
}

impl<C> Database<C>
where
    C: HostConnection<Manager = ConnectionManager<C>> + R2D2Connection + 'static,
{
    /// Uses the host's own pool, of either database. Its connections keep the settings that this crate makes on them.
    ///
    /// The pool's address then decides how soon a broken network to Postgres is noticed: give it `connect_timeout`,
    /// `keepalives_idle` and `tcp_user_timeout`, as [`Database::postgres`] does. Calls that get no answer are given up
    /// after 30 seconds, but the pool is not replaced. Behind PgBouncer in transaction mode, let the pool call diesel's
    /// `set_prepared_statement_cache_size(CacheSize::Disabled)` on each new connection.
    pub fn from_pool(pool: Pool<ConnectionManager<C>>) -> Self {
        Self { pools: Arc::new(Pools::of_host(pool)), file: Arc::default() }
    }
}

impl<C: HostConnection> Clone for Database<C> {
    fn clone(&self) -> Self {
        Self { pools: self.pools.clone(), file: self.file.clone() }
    }
}

/// Makes a new connection ready, unless its file is no longer the one that was opened first.
struct Prepare {
    file: Arc<OnceLock<Option<DataFile>>>,
    shares_connections: bool,
}

impl std::fmt::Debug for Prepare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepare")
    }
}

impl<C: Dialect> CustomizeConnection<C, PoolError> for Prepare {
    fn on_acquire(&self, conn: &mut C) -> Result<(), PoolError> {
        let failed = |e: Error| PoolError::ConnectionError(diesel::ConnectionError::BadConnection(e.to_string()));
        if let Some(Some(file)) = self.file.get() {
            file.check_file().map_err(failed)?;
        }
        conn.listen();
        if self.shares_connections {
            conn.keep_no_statements();
        }
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
        /// SQLite in the file at `path`, which may also be written `sqlite://path`. The file is created if it does not
        /// exist; its folder must exist.
        ///
        /// # Errors
        /// `Unavailable` when the folder doesn't exist, as of a disk that is not mounted, or the file can't be opened;
        /// `Configuration` when the path is a folder or looks like another database's address, or the file is no SQLite
        /// database.
        pub fn sqlite(path: impl AsRef<str>) -> Result<Self, Error> {
            let path = checked(path.as_ref())?;
            let error = |kind, e: String| Error::new(kind, format!("can't use {path:?} as SQLite")).with_source(e);
            let shut = |e: diesel::ConnectionError| error(ErrorKind::Unavailable, e.to_string());
            let mut conn = SqliteConnection::establish(path).map_err(shut)?;
            into_wal(&mut conn).map_err(|e| error(ErrorKind::Configuration, e.to_string()))?;
            let path = path.to_owned();
            Ok(Self::open(move || ConnectionManager::new(&path), false))
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
                let folder = parent.display().to_string();
                let why = format!("there is no folder {folder:?}, in which the SQLite file {path:?} is to be");
                Err(Error::new(ErrorKind::Unavailable, why))
            }
            _ => Ok(path),
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::PgConnection;

    use super::super::address::Address;
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
        /// Unless the address says otherwise, a connection attempt may take 5 seconds (`connect_timeout`), and a server
        /// that does not answer for some 10 seconds is given up (`keepalives_…`, `tcp_user_timeout`). Statements in
        /// this crate's transactions may take 5 seconds, and such a transaction may be idle for 8. A statement without
        /// an answer after 6 seconds is given up and its connection abandoned; all other connections are then replaced.
        ///
        /// Behind PgBouncer in transaction mode, add `pgbouncer=true` to the address: then no statement stays prepared,
        /// since the next transaction may get another server connection. For the same reason the host can't rely on a
        /// session's settings (`SET …`) and advisory locks there.
        ///
        /// # Errors
        /// `Configuration` if the address is not one of Postgres, `Unavailable` if no usable server answers there.
        pub fn postgres(url: impl AsRef<str>) -> Result<Self, Error> {
            let address = Address::checked(url.as_ref())?;
            Ok(Self::open(move || ConnectionManager::new(&address.url), address.shares_connections))
        }
    }
}

impl<C: HostConnection> fmt::Debug for Database<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

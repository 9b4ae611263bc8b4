//! Scratch databases: made empty or as a copy of a filled one, and deleted when they are dropped.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_payments::AnyConnection;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tempfile::TempDir;

/// Runs the same expression on whichever database it is.
macro_rules! on {
    ($conn:expr, $one:ident => $run:expr) => {
        match actix_payments::AnyConnection::lent($conn) {
            actix_payments::AnyRef::Sqlite($one) => $run,
            actix_payments::AnyRef::Postgres($one) => $run,
            _ => unreachable!("there are two databases"),
        }
    };
}
pub(crate) use on;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Where scratch databases are made.
pub(crate) enum Server {
    Sqlite(TempDir),
    /// The address of a database that one may connect to.
    Postgres(String),
}

impl Server {
    /// SQLite, and Postgres where the environment names one.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Sqlite(tempfile::tempdir().expect("a folder for SQLite"))];
        match std::env::var("TEST_POSTGRES_URL") {
            Ok(url) => all.push(Self::Postgres(url)),
            Err(_) => println!("TEST_POSTGRES_URL is not set: only SQLite is measured"),
        }
        all
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "Postgres",
        }
    }

    /// An empty database.
    pub(crate) fn scratch(&self) -> Scratch {
        let scratch = self.named();
        if let Scratch::Postgres { server, name } = &scratch {
            execute(&mut postgres(server), &format!("CREATE DATABASE {name}"));
        }
        scratch
    }

    /// A name that nobody has yet.
    fn named(&self) -> Scratch {
        let name = format!("pay_pipeline_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        match self {
            Self::Sqlite(folder) => Scratch::Sqlite(folder.path().join(name).with_extension("db")),
            Self::Postgres(server) => Scratch::Postgres { server: server.clone(), name },
        }
    }

    /// A copy of a database that nobody writes to, on the disk before this returns.
    pub(crate) fn copy(&self, of: &Scratch) -> Scratch {
        let copy = self.named();
        match (of, &copy) {
            (Scratch::Sqlite(from), Scratch::Sqlite(to)) => {
                // Held meanwhile: the last connection that closes would move pages.
                let mut held = of.connection();
                execute(&mut held, "PRAGMA wal_checkpoint(TRUNCATE)");
                fs::copy(from, to).expect("a copy");
                fs::File::open(to).and_then(|file| file.sync_all()).expect("a copy on the disk");
            }
            (Scratch::Postgres { server, name: from }, Scratch::Postgres { name: to, .. }) => {
                let mut conn = postgres(server);
                let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}'");
                let create = format!("CREATE DATABASE {to} TEMPLATE {from}");
                // Pools that were dropped close their connections a moment later, or open them anew.
                let mut tries = 0..100;
                while let Err(error) = on!(&mut conn, conn => conn.batch_execute(&create)) {
                    assert!(tries.next().is_some(), "{error}");
                    execute(&mut conn, &end);
                    std::thread::sleep(Duration::from_millis(50));
                }
                execute(&mut conn, "CHECKPOINT");
            }
            _ => unreachable!("both are of this server"),
        }
        copy
    }
}

/// A database of a bench's own.
pub(crate) enum Scratch {
    Sqlite(PathBuf),
    Postgres { server: String, name: String },
}

impl Scratch {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres { server, name } => {
                let (base, _) = server.rsplit_once('/').expect("an address with a database");
                format!("{base}/{name}")
            }
        }
    }

    /// A connection that commits as durably as the crate's own.
    pub(crate) fn connection(&self) -> AnyConnection {
        match self {
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy()).expect("a file");
                conn.batch_execute(
                    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
                )
                .expect("settings");
                AnyConnection::Sqlite(conn)
            }
            Self::Postgres { .. } => postgres(&self.url()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match self {
            Self::Sqlite(path) => {
                for end in ["", "-wal", "-shm"] {
                    // The folder is deleted at the end in any case.
                    let _ = fs::remove_file(format!("{}{end}", path.display()));
                }
            }
            Self::Postgres { server, name } => {
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                if let Err(error) = on!(&mut postgres(server), conn => conn.batch_execute(&drop)) {
                    eprintln!("{name} was not dropped: {error}");
                }
            }
        }
    }
}

fn postgres(url: &str) -> AnyConnection {
    let mut conn = PgConnection::establish(url).expect("Postgres answers");
    conn.batch_execute("SET synchronous_commit = on; SET client_min_messages = warning").expect("settings");
    AnyConnection::Postgres(conn)
}

/// Runs statements.
pub(crate) fn execute(conn: &mut AnyConnection, sql: &str) {
    on!(conn, conn => conn.batch_execute(sql)).expect(sql);
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The number that `expression` stands for, such as `(SELECT count(*) FROM pay_events)`.
pub(crate) fn number(conn: &mut AnyConnection, expression: &str) -> i64 {
    let sql = format!("SELECT CAST({expression} AS BIGINT) AS n");
    on!(conn, conn => diesel::sql_query(&sql).get_result::<Number>(conn)).expect("a number").n
}

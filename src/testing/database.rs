//! A database of a test's own, which is gone with it.

#[cfg(feature = "sqlite")]
use std::path::PathBuf;

use crate::domain::hex::hex;
use crate::error::{Error, ErrorKind};
#[cfg(feature = "postgres")]
use crate::store::server::on_server;

/// A database that nobody else uses. It is removed when this value is dropped, so a test keeps it until its end.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> Result<(), actix_payments::Error> {
/// use actix_payments::Database;
/// use actix_payments::testing::TestDatabase;
///
/// let test = TestDatabase::sqlite()?;
/// let database = Database::sqlite(test.path())?;
/// # drop(database);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    #[cfg(feature = "sqlite")]
    Folder(PathBuf),
    #[cfg(feature = "postgres")]
    Server { url: String, name: String },
}

impl TestDatabase {
    /// A new SQLite file in a folder of its own below the system's folder for temporary files.
    ///
    /// # Errors
    /// `Unavailable` when the folder can't be made.
    #[cfg(feature = "sqlite")]
    pub fn sqlite() -> Result<Self, Error> {
        let folder = std::env::temp_dir().join(format!("actix-payments-{}", random()?));
        let failed = |why: std::io::Error| {
            Error::new(ErrorKind::Unavailable, format!("can't make the folder {}: {why}", folder.display()))
        };
        std::fs::create_dir(&folder).map_err(failed)?;
        Ok(Self { url: format!("sqlite://{}", folder.join("test.db").display()), kind: Kind::Folder(folder) })
    }

    /// A new database on the Postgres server of `url`, made through the database that `url` names
    /// (`postgres://user@localhost/postgres`). Its user must be allowed to create databases.
    ///
    /// # Errors
    /// `Configuration` for an address without a database's name, `Unavailable` with what the server said.
    #[cfg(feature = "postgres")]
    pub fn postgres(url: &str) -> Result<Self, Error> {
        let name = format!("actix_payments_{}", random()?);
        let own = with_name(url, &name).ok_or_else(|| {
            Error::configuration(format!(
                "expected postgres://…/database, got {} characters of another form",
                url.len()
            ))
        })?;
        on_server(url, &format!("CREATE DATABASE {name}"))?;
        Ok(Self { url: own, kind: Kind::Server { url: url.to_owned(), name } })
    }

    /// Its address, for [`Database::from_url`](crate::Database::from_url) and for a host's own pool.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file, for [`Database::sqlite`](crate::Database::sqlite).
    ///
    /// # Panics
    /// When it is a database on a Postgres server, which has no file.
    #[cfg(feature = "sqlite")]
    pub fn path(&self) -> String {
        match &self.kind {
            Kind::Folder(folder) => folder.join("test.db").display().to_string(),
            #[cfg(feature = "postgres")]
            Kind::Server { .. } => panic!("a database on a Postgres server has no file: use `url`"),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A leftover hurts nobody, and a panic here would hide why the test failed.
        match &self.kind {
            #[cfg(feature = "sqlite")]
            Kind::Folder(folder) => drop(std::fs::remove_dir_all(folder)),
            #[cfg(feature = "postgres")]
            Kind::Server { url, name } => drop(on_server(url, &format!("DROP DATABASE {name} WITH (FORCE)"))),
        }
    }
}

fn random() -> Result<String, Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("no random bytes: {error}")))?;
    Ok(hex(&bytes))
}

/// The same address with another database's name.
#[cfg(feature = "postgres")]
fn with_name(url: &str, name: &str) -> Option<String> {
    let after_scheme = url.find("://")? + "://".len();
    let slash = after_scheme + url[after_scheme..].find('/')?;
    let options = url[slash..].find('?').map_or("", |at| &url[slash + at..]);
    Some(format!("{}/{name}{options}", &url[..slash]))
}

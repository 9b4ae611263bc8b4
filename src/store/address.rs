//! The addresses of databases: what may be told of one, and of a Postgres server what libpq is told besides and whether
//! a pooler stands before it.

#[cfg(feature = "postgres")]
pub(super) use postgres::Address;

/// What may be told of an address that was refused: it may hold a password, so only its scheme.
pub(super) fn beginning(url: &str) -> String {
    let plain = |scheme: &&str| !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    match url.split_once(':').map(|(scheme, _)| scheme).filter(plain) {
        Some(scheme) => format!("one that begins with {scheme:?}"),
        None => "one without a scheme".to_owned(),
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::{Connection, PgConnection};

    use super::beginning;
    use crate::error::{Error, ErrorKind};

    /// What makes libpq notice that the server is gone; what the address says itself comes first.
    const ATTENTIVE: [(&str, &str); 5] = [
        ("connect_timeout", "5"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "8000"),
    ];

    /// The word for a pooler in transaction mode. It is ours to understand: libpq refuses words that it doesn't know.
    const POOLER: &str = "pgbouncer";

    /// Where a server is, in words that libpq understands.
    #[derive(Debug, PartialEq)]
    pub(in crate::store) struct Address {
        pub(in crate::store) url: String,
        /// Whether consecutive transactions may reach different connections of the server.
        pub(in crate::store) shares_connections: bool,
    }

    impl Address {
        /// Of a server that answers.
        pub(in crate::store) fn checked(given: &str) -> Result<Self, Error> {
            let address = Self::read(given)?;
            PgConnection::establish(&address.url)
                .map_err(|e| Error::new(ErrorKind::Unavailable, "can't connect to Postgres").with_source(e))?;
            Ok(address)
        }

        fn read(given: &str) -> Result<Self, Error> {
            if !given.starts_with("postgres://") && !given.starts_with("postgresql://") {
                return Err(Error::configuration(format!(
                    "expected an address like postgres://user:password@host:5432/database, got {}",
                    beginning(given)
                )));
            }
            let (server, query) = given.split_once('?').unwrap_or((given, ""));
            let mut settings: Vec<String> = query.split('&').filter(|one| !one.is_empty()).map(str::to_owned).collect();
            let pooler = settings.iter().position(|one| name(one) == POOLER).map(|at| settings.remove(at));
            let shares_connections =
                match pooler.as_deref().map(|one| one.split_once('=').map_or("", |(_, value)| value)) {
                    None | Some("false") => false,
                    Some("true") => true,
                    Some(other) => {
                        let expected = "expected pgbouncer=true or pgbouncer=false in the address of Postgres";
                        return Err(Error::configuration(format!("{expected}, got {other:?}")));
                    }
                };
            for (missing, value) in ATTENTIVE {
                if !settings.iter().any(|one| name(one) == missing) {
                    settings.push(format!("{missing}={value}"));
                }
            }
            Ok(Self { url: format!("{server}?{}", settings.join("&")), shares_connections })
        }
    }

    fn name(setting: &str) -> &str {
        setting.split('=').next().unwrap_or_default()
    }

    #[cfg(test)]
    mod tests {
        use super::Address;

        const REST: &str = "keepalives_idle=5&keepalives_interval=2&keepalives_count=3&tcp_user_timeout=8000";

        fn read(given: &str) -> (String, bool) {
            let address = Address::read(given).expect("an address");
            (address.url, address.shares_connections)
        }

        #[test]
        fn what_an_address_says_itself_comes_first() {
            assert_eq!(read("postgres://h/d"), (format!("postgres://h/d?connect_timeout=5&{REST}"), false));
            let given = "postgres://h1,h2/d?target_session_attrs=read-write&connect_timeout=60";
            assert_eq!(read(given), (format!("{given}&{REST}"), false));
            assert_eq!(read("postgres:///d?"), (format!("postgres:///d?connect_timeout=5&{REST}"), false));
        }

        #[test]
        fn libpq_does_not_see_the_word_for_a_pooler() {
            let given = "postgres://h/d?pgbouncer=true&connect_timeout=60";
            assert_eq!(read(given), (format!("postgres://h/d?connect_timeout=60&{REST}"), true));
            assert_eq!(
                read("postgres://h/d?pgbouncer=false"),
                (format!("postgres://h/d?connect_timeout=5&{REST}"), false)
            );
            let refused = Address::read("postgres://h/d?pgbouncer=yes").expect_err("no such word").to_string();
            assert!(refused.contains("pgbouncer=true") && refused.contains("\"yes\""), "{refused}");
        }
    }
}

//! What does a host look like to a test? An app on a database of its own, SQLite or a real Postgres, with a clock
//! that the test moves and one method for each thing that a gateway or a browser does.

mod served;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use actix_payments::domain::Timestamp;
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{Admin, AnyConnection, AnyRef, BasicAuth, Builder, Database, Payments, basic_auth};
use actix_web::http::Method;
use actix_web::test;
use diesel::prelude::*;

use served::{Served, Service};

pub const SECRET: &str = "whsec_test_secret";
/// Where the clock of every test begins, a little after the fixtures' events.
pub const NOW: i64 = 1_791_800_100;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Makes two tests of one async function: one on SQLite, one on Postgres.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($kind:ident) $body:block)+) => {
        $(
            mod $name {
                use super::*;
                use crate::app::Kind;

                $(#[$meta])*
                async fn claim($kind: Kind) $body

                #[actix_web::test]
                async fn sqlite() {
                    claim(Kind::Sqlite).await;
                }

                #[actix_web::test]
                async fn postgres() {
                    claim(Kind::Postgres).await;
                }
            }
        )+
    };
}
pub(crate) use on_both_databases;

pub struct App {
    pub payments: Payments,
    pub database: Database<AnyConnection>,
    pub url: String,
    clock: Arc<AtomicI64>,
    staff: BasicAuth,
    served: Served,
    _folder: Option<tempfile::TempDir>,
}

/// A hash of `secret` that takes no time to check; a real one does.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHlzYWx0eXNhbHR5IQ$utapfufzPcu9wATcZvVVovbHBDpPnvu3w44ofDgPt44";

/// The policy of every test: one name, one password.
pub fn staff() -> BasicAuth {
    basic_auth("admin", PASSWORD_HASH).unwrap()
}

/// A database that nobody else uses; the folder lives as long as the test for SQLite.
pub fn fresh_database(kind: Kind) -> (String, Option<tempfile::TempDir>) {
    match kind {
        Kind::Sqlite => {
            let folder = tempfile::tempdir().unwrap();
            (format!("sqlite://{}", folder.path().join("test.db").display()), Some(folder))
        }
        Kind::Postgres => {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let server = std::env::var("TEST_POSTGRES_URL")
                .expect("TEST_POSTGRES_URL names the Postgres that tests run on; scripts/test starts one");
            let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
            let name = format!("pay_{}_{nanos}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let mut conn = PgConnection::establish(&server).unwrap();
            diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn).unwrap();
            let (base, _) = server.rsplit_once('/').unwrap();
            (format!("{base}/{name}"), None)
        }
    }
}

impl App {
    /// An app with the Stripe variant and nothing else.
    pub async fn new(kind: Kind) -> Self {
        Self::with(kind, |builder| builder).await
    }

    /// An app with the Stripe variant and what `configure` adds.
    pub async fn with(kind: Kind, configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>) -> Self {
        Self::bare(kind, |builder| configure(builder.variant("stripe", Stripe::new(SECRET)))).await
    }

    /// An app with what `configure` adds and nothing else.
    pub async fn bare(kind: Kind, configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>) -> Self {
        let (url, folder) = fresh_database(kind);
        Self::at(url, folder, configure).await
    }

    /// An app on a database that is there already.
    pub async fn at(
        url: String,
        folder: Option<tempfile::TempDir>,
        configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>,
    ) -> Self {
        let database = Database::from_url(&url).unwrap();
        let clock = Arc::new(AtomicI64::new(NOW));
        let ticks = clock.clone();
        let now = move || Timestamp::from_unix_timestamp(ticks.load(Ordering::SeqCst)).unwrap();
        let builder = Payments::builder(database.clone()).clock(now);
        let payments = configure(builder).build().unwrap();
        payments.migrate().await.unwrap();
        Self { payments, database, url, clock, staff: staff(), served: Served::new(), _folder: folder }
    }

    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Lets `seconds` pass.
    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Lets seconds pass, from wherever it is called.
    pub fn passing(&self) -> impl Fn(i64) + Send + 'static + use<> {
        let clock = self.clock.clone();
        move |seconds| {
            clock.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    /// One request to the app; answers status, headers as text, and body.
    pub async fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let service = self.served.here(&self.payments, self.staff.clone()).await;
        ask(&service, method, path, headers, body).await
    }

    /// The same with the host's own admin.
    pub async fn request_at(
        &self,
        admin: impl Into<Admin>,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        ask(&served::serve(&self.payments, admin).await, method, path, headers, body).await
    }

    /// The app with the host's own admin, for many requests.
    pub async fn behind(&self, admin: impl Into<Admin>) -> Behind {
        Behind(served::serve(&self.payments, admin).await)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[ADMIN], b"").await
    }

    /// Sends a form as the admin.
    pub async fn post(&self, path: &str, form: &str) -> Answer {
        let headers = [ADMIN, FORM];
        self.request(Method::POST, path, &headers, form.as_bytes()).await
    }

    /// Everything that is stored, row by row.
    pub fn dump(&self) -> Vec<String> {
        let sqlite = self.url.starts_with("sqlite");
        let tables = match sqlite {
            true => {
                "SELECT name AS t FROM sqlite_master WHERE type = 'table' AND name LIKE 'pay!_%' ESCAPE '!' ORDER BY 1"
            }
            false => "SELECT tablename::text AS t FROM pg_tables WHERE tablename LIKE 'pay!_%' ESCAPE '!' ORDER BY 1",
        };
        let rows = |table: String| {
            if !sqlite {
                return self.texts(&format!("SELECT '{table} ' || r::text AS t FROM {table} AS r ORDER BY 1"));
            }
            let columns = self.texts(&format!("SELECT 'quote(' || name || ')' AS t FROM pragma_table_info('{table}')"));
            let row = columns.join(" || ',' || ");
            self.texts(&format!("SELECT '{table} ' || {row} AS t FROM {table} ORDER BY 1"))
        };
        let tables = self.texts(tables);
        assert!(tables.len() >= 10, "{tables:?}");
        tables.into_iter().flat_map(rows).collect()
    }

    /// Posts `body` to the Stripe endpoint, signed now.
    pub async fn stripe(&self, body: &str) -> Answer {
        let signature = sign_delivery(SECRET, self.now(), body.as_bytes());
        self.request(Method::POST, "/payments/stripe/", &[("stripe-signature", &signature)], body.as_bytes()).await
    }

    /// Posts events to the Stripe endpoint, expects each to be taken, and processes all.
    pub async fn deliver(&self, events: &[&str]) {
        for event in events {
            let answer = self.stripe(event).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "of {event}");
        }
        self.drain().await;
    }

    pub async fn drain(&self) -> usize {
        self.payments.worker().drain().await.unwrap()
    }

    /// One number out of the database.
    pub fn number(&self, sql: &str) -> i64 {
        number(&self.database, sql)
    }

    /// Waits until so many were counted: counters are written a moment after the answer.
    #[track_caller]
    pub fn counted(&self, outcome: &str, count: i64) {
        let counted =
            format!("SELECT coalesce(CAST(sum(count) AS BIGINT), 0) FROM pay_hours WHERE outcome = '{outcome}'");
        for _ in 0..250 {
            if self.number(&counted) == count {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("{outcome} was not counted {count} times within 5 s");
    }

    /// Texts out of the database, from a query of one column named `t`.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        texts(&self.database, sql)
    }
}

/// An app as somebody sees it whom the host's own policy lets in.
pub struct Behind(Service);

impl Behind {
    pub async fn get(&self, path: &str) -> Answer {
        ask(&self.0, Method::GET, path, &[], b"").await
    }

    /// Sends a form from a page of the app's own.
    pub async fn post(&self, path: &str, form: &str) -> Answer {
        let headers = [FORM, ("sec-fetch-site", "same-origin")];
        ask(&self.0, Method::POST, path, &headers, form.as_bytes()).await
    }
}

async fn ask(service: &Service, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = test::TestRequest::default().method(method).uri(path).set_payload(body.to_vec());
    for (name, value) in headers {
        request = request.append_header((*name, *value));
    }
    let response = service(request).await;
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    Answer { status, headers, body: String::from_utf8_lossy(&test::read_body(response).await).into_owned() }
}

/// One number out of a database.
pub fn number(database: &Database<AnyConnection>, sql: &str) -> i64 {
    #[derive(QueryableByName)]
    struct One {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let sql = format!("SELECT ({sql}) AS n");
    let mut conn = database.connection().unwrap();
    let one: One = match conn.lent() {
        AnyRef::Sqlite(conn) => diesel::sql_query(sql).get_result(conn).unwrap(),
        AnyRef::Postgres(conn) => diesel::sql_query(sql).get_result(conn).unwrap(),
        _ => unreachable!(),
    };
    one.n
}

/// Texts out of a database, from a query of one column named `t`.
pub fn texts(database: &Database<AnyConnection>, sql: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct One {
        #[diesel(sql_type = diesel::sql_types::Text)]
        t: String,
    }
    let mut conn = database.connection().unwrap();
    let all: Vec<One> = match conn.lent() {
        AnyRef::Sqlite(conn) => diesel::sql_query(sql).load(conn).unwrap(),
        AnyRef::Postgres(conn) => diesel::sql_query(sql).load(conn).unwrap(),
        _ => unreachable!(),
    };
    all.into_iter().map(|one| one.t).collect()
}

/// What a form is sent as.
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The admin's name and password.
pub const ADMIN: (&str, &str) = ("authorization", "Basic YWRtaW46c2VjcmV0");

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// The body as people read it: without tags, each white space one space.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (at, piece) in self.body.split('<').enumerate() {
            text.push(' ');
            text.push_str(if at == 0 { piece } else { piece.split_once('>').map_or("", |(_, rest)| rest) });
        }
        for (escaped, plain) in [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")] {
            text = text.replace(escaped, plain);
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

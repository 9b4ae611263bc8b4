//! What the endpoint is measured against: the same verification without a store, and the same two rows in one
//! transaction for each request, through a pool, as one would write it first.

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::domain::event::Envelope;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::gateways::{Gateway, Verification};
use actix_web::{HttpRequest, HttpResponse, web};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};

/// The same rival for a connection type: its tables as far as a request writes them, and its one transaction.
macro_rules! rival {
    ($module:ident, $connection:ty, $instant:ident, $transaction:ident, $prepare:literal) => {
        mod $module {
            use super::*;

            pub(super) type OwnPool = Pool<ConnectionManager<$connection>>;

            diesel::table! {
                use diesel::sql_types::*;
                pay_events (id) {
                    id -> BigInt,
                    variant -> Text,
                    gateway_event_id -> Text,
                    source -> Text,
                    kind -> Text,
                    state -> Text,
                    livemode -> Nullable<Bool>,
                    api_version -> Nullable<Text>,
                    secret -> Nullable<Text>,
                    skew_seconds -> Nullable<BigInt>,
                    occurred_at -> Nullable<$instant>,
                    received_at -> $instant,
                    last_delivered_at -> $instant,
                    due_at -> Nullable<$instant>,
                    deliveries -> BigInt,
                }
            }

            diesel::table! {
                pay_event_bodies (event_id) {
                    event_id -> BigInt,
                    headers -> Text,
                    body -> Binary,
                }
            }

            #[derive(Debug)]
            struct Prepare;

            impl CustomizeConnection<$connection, diesel::r2d2::Error> for Prepare {
                fn on_acquire(&self, conn: &mut $connection) -> Result<(), diesel::r2d2::Error> {
                    conn.batch_execute($prepare).map_err(diesel::r2d2::Error::QueryError)
                }
            }

            pub(super) fn pool(address: &str) -> OwnPool {
                let pool =
                    Pool::builder().max_size(10).test_on_check_out(false).connection_customizer(Box::new(Prepare));
                pool.build(ConnectionManager::new(address)).expect("a pool")
            }

            pub(super) fn store(pool: &OwnPool, event: &Envelope, now: Timestamp) -> QueryResult<()> {
                let mut conn = pool.get().expect("a connection");
                conn.$transaction(|conn| {
                    use pay_event_bodies::dsl as b;
                    use pay_events::dsl as e;
                    let (id, deliveries): (i64, i64) = diesel::insert_into(e::pay_events)
                        .values((
                            e::variant.eq("stripe"),
                            e::gateway_event_id.eq(&event.id),
                            e::source.eq("delivery"),
                            e::kind.eq(&event.kind),
                            e::state.eq("available"),
                            e::livemode.eq(event.livemode),
                            e::api_version.eq(&event.api_version),
                            e::secret.eq("primary"),
                            e::skew_seconds.eq(0),
                            e::occurred_at.eq(event.occurred_at),
                            e::received_at.eq(now),
                            e::last_delivered_at.eq(now),
                            e::due_at.eq(now),
                        ))
                        .on_conflict((e::variant, e::gateway_event_id))
                        .do_update()
                        .set((e::deliveries.eq(e::deliveries + 1), e::last_delivered_at.eq(now)))
                        .returning((e::id, e::deliveries))
                        .get_result(conn)?;
                    if deliveries == 1 {
                        diesel::insert_into(b::pay_event_bodies)
                            .values((b::event_id.eq(id), b::headers.eq("{}"), b::body.eq(&event.body[..])))
                            .execute(conn)?;
                    }
                    Ok(())
                })
            }
        }
    };
}

rival!(
    sqlite,
    SqliteConnection,
    TimestamptzSqlite,
    immediate_transaction,
    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
);
rival!(postgres, PgConnection, Timestamptz, transaction, "SET synchronous_commit = on");

/// What the rival endpoints need.
#[derive(Clone)]
pub(crate) enum Rival {
    Sqlite(sqlite::OwnPool),
    Postgres(postgres::OwnPool),
}

impl Rival {
    pub(crate) fn new(url: &str) -> Self {
        match url.strip_prefix("sqlite://") {
            Some(path) => Self::Sqlite(sqlite::pool(path)),
            None => Self::Postgres(postgres::pool(url)),
        }
    }
}

/// A database of its own on the server.
pub(crate) fn fresh_postgres(server: &str) -> String {
    let name = format!("pay_bench_{}", std::process::id());
    let mut conn = PgConnection::establish(server).expect("Postgres answers");
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn).expect("a database");
    let (base, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{base}/{name}")
}

async fn verified(req: &HttpRequest, body: web::Bytes) -> Envelope {
    let headers = req.headers().iter();
    let delivery = Delivery::new(body)
        .with_headers(headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect());
    let stripe = Stripe::new(super::SECRET);
    let verified = match stripe.verify(&delivery, Timestamp::now_utc()) {
        Verification::Ready(verified) => verified,
        Verification::Later(verified) => verified.await,
        _ => unreachable!("Stripe signs"),
    };
    verified.expect("a genuine delivery").events.remove(0)
}

pub(crate) async fn verify_only(req: HttpRequest, body: web::Bytes) -> HttpResponse {
    let event = verified(&req, body).await;
    std::hint::black_box(event);
    HttpResponse::Ok().body("ok")
}

pub(crate) async fn one_transaction_each(req: HttpRequest, body: web::Bytes, rival: web::Data<Rival>) -> HttpResponse {
    let event = verified(&req, body).await;
    let stored = web::block(move || match &**rival {
        Rival::Sqlite(pool) => sqlite::store(pool, &event, Timestamp::now_utc()),
        Rival::Postgres(pool) => postgres::store(pool, &event, Timestamp::now_utc()),
    });
    stored.await.expect("the pool's thread").expect("the rows are stored");
    HttpResponse::Ok().body("ok")
}

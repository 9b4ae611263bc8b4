//! Which orders does the shop have? A table of the shop's own, in the same database as the payments.

use actix_payments::domain::Timestamp;
use actix_payments::{AnyConnection, AnyRef, Database, Token};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

#[derive(QueryableByName)]
pub(crate) struct Order {
    #[diesel(sql_type = Text)]
    pub(crate) id: String,
    #[diesel(sql_type = Text)]
    pub(crate) item: String,
    #[diesel(sql_type = Text)]
    pub(crate) variant: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) amount: i64,
    #[diesel(sql_type = Text)]
    pub(crate) currency: String,
    #[diesel(sql_type = Text)]
    pub(crate) status: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) token: Option<Token>,
    #[diesel(sql_type = BigInt)]
    pub(crate) receipts: i64,
}

/// Runs the same statement on whichever database it is.
macro_rules! on {
    ($conn:expr, $one:ident => $run:expr) => {
        match $conn {
            #[cfg(feature = "sqlite")]
            AnyRef::Sqlite($one) => $run,
            #[cfg(feature = "postgres")]
            AnyRef::Postgres($one) => $run,
            _ => Err(diesel::result::Error::NotFound),
        }
    };
}

pub(crate) fn create_table(database: &Database<AnyConnection>) -> Result<(), Box<dyn std::error::Error>> {
    let tables = [
        "CREATE TABLE IF NOT EXISTS shop_orders (
            id TEXT PRIMARY KEY, item TEXT NOT NULL, variant TEXT NOT NULL, amount BIGINT NOT NULL,
            currency TEXT NOT NULL, status TEXT NOT NULL, token TEXT, receipts BIGINT NOT NULL DEFAULT 0)",
        "CREATE TABLE IF NOT EXISTS shop_customers (
            order_id TEXT PRIMARY KEY, customer TEXT NOT NULL, bought_at BIGINT NOT NULL)",
    ];
    let mut conn = database.connection()?;
    for sql in tables {
        let mut create = || on!(conn.lent(), conn => diesel::sql_query(sql).execute(conn));
        // When two processes open at once, Postgres lets one of them fail at `IF NOT EXISTS`; the next time it exists.
        create().or_else(|_| create())?;
    }
    Ok(())
}

pub(crate) fn insert(conn: AnyRef<'_>, order: &Order) -> QueryResult<()> {
    let sql = "INSERT INTO shop_orders (id, item, variant, amount, currency, status) VALUES ($1, $2, $3, $4, $5, $6)";
    on!(conn, conn => diesel::sql_query(sql)
        .bind::<Text, _>(&order.id)
        .bind::<Text, _>(&order.item)
        .bind::<Text, _>(&order.variant)
        .bind::<BigInt, _>(order.amount)
        .bind::<Text, _>(&order.currency)
        .bind::<Text, _>(&order.status)
        .execute(conn))?;
    Ok(())
}

pub(crate) fn set_token(conn: AnyRef<'_>, order: &Order) -> QueryResult<()> {
    let sql = "UPDATE shop_orders SET token = $1 WHERE id = $2";
    on!(conn, conn => diesel::sql_query(sql).bind::<Nullable<Text>, _>(&order.token).bind::<Text, _>(&order.id).execute(conn))?;
    Ok(())
}

pub(crate) fn set_status(conn: AnyRef<'_>, id: &str, status: &str) -> QueryResult<()> {
    let sql = "UPDATE shop_orders SET status = $1 WHERE id = $2";
    on!(conn, conn => diesel::sql_query(sql).bind::<Text, _>(status).bind::<Text, _>(id).execute(conn))?;
    Ok(())
}

pub(crate) fn count_receipt(conn: AnyRef<'_>, id: &str) -> QueryResult<()> {
    let sql = "UPDATE shop_orders SET receipts = receipts + 1 WHERE id = $1";
    on!(conn, conn => diesel::sql_query(sql).bind::<Text, _>(id).execute(conn))?;
    Ok(())
}

/// Whose order it is.
pub(crate) fn give(conn: AnyRef<'_>, id: &str, customer: &str) -> QueryResult<()> {
    let sql = "INSERT INTO shop_customers (order_id, customer, bought_at) VALUES ($1, $2, $3)";
    let now = Timestamp::now_utc().unix_timestamp();
    on!(conn, conn => diesel::sql_query(sql)
        .bind::<Text, _>(id)
        .bind::<Text, _>(customer)
        .bind::<BigInt, _>(now)
        .execute(conn))?;
    Ok(())
}

/// The newest hundred orders of a customer.
pub(crate) fn of(conn: AnyRef<'_>, customer: &str) -> QueryResult<Vec<Order>> {
    let sql = "SELECT shop_orders.* FROM shop_customers JOIN shop_orders ON id = order_id WHERE customer = $1
        ORDER BY bought_at DESC LIMIT 100";
    on!(conn, conn => diesel::sql_query(sql).bind::<Text, _>(customer).load(conn))
}

pub(crate) fn find(conn: AnyRef<'_>, id: &str) -> QueryResult<Option<Order>> {
    let sql = "SELECT * FROM shop_orders WHERE id = $1";
    on!(conn, conn => diesel::sql_query(sql).bind::<Text, _>(id).get_result(conn).optional())
}

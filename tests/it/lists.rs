//! Do the two lists show what their address asks for, all of it and nothing else, page by page, forth and back?

mod desk;
mod filters;
mod mistakes;
pub mod plans;
mod subscriptions;
mod walks;
mod ways_back;

use actix_payments::gateways::stripe::Stripe;

use crate::app::{App, Kind, NOW, SECRET};

/// An app with two variants, `payments` payments and `events` events of all sorts, one a minute each until now.
pub async fn filled(kind: Kind, payments: i64, events: i64) -> App {
    let app = App::with(kind, |builder| builder.variant("stripe-eu", Stripe::new(SECRET))).await;
    for sql in rows(kind, payments, events) {
        app.run(&sql);
    }
    app
}

/// What fills the tables: ids from 1 on, and everything else a function of the id.
pub fn rows(kind: Kind, payments: i64, events: i64) -> [String; 4] {
    let at = |count: i64| {
        let begin = NOW - count * 60;
        match kind {
            Kind::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%S+00:00', {begin} + i * 60, 'unixepoch')"),
            Kind::Postgres => format!("to_timestamp({begin} + i * 60)"),
        }
    };
    let count =
        |to: i64| format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {to}) SELECT");
    let variant = "CASE WHEN i % 7 = 0 THEN 'stripe-eu' ELSE 'stripe' END";
    [
        format!(
            "INSERT INTO pay_payments (token, reference, variant, status, amount, currency, needs_review, customer, \
             livemode, created_at, updated_at, absorbed_by) {} 'pay_' || i, 'order-' || i, {variant}, \
             CASE i % 9 WHEN 0 THEN 'failed' WHEN 1 THEN 'pending' WHEN 2 THEN 'refunded' ELSE 'paid' END, \
             100 + (i * 7919) % 5000, CASE i % 5 WHEN 0 THEN 'JPY' WHEN 1 THEN 'USD' ELSE 'EUR' END, i % 101 = 0, \
             'Customer' || (i % 40) || '@Example.org', CASE WHEN i % 4 = 0 THEN NULL ELSE i % 4 = 1 END, {}, {}, \
             CASE WHEN i % 97 = 0 THEN 1 END FROM n",
            count(payments),
            at(payments),
            at(payments)
        ),
        format!(
            "INSERT INTO pay_events (variant, gateway_event_id, source, kind, state, outcome, payment_id, livemode, \
             received_at, last_delivered_at, deliveries) {} {variant}, 'evt_' || i, 'delivery', \
             CASE WHEN i % 500 = 0 THEN 'charge.expired' WHEN i % 50 = 0 THEN 'charge.refunded' \
             WHEN i % 3 = 0 THEN 'charge.succeeded' WHEN i % 3 = 1 THEN 'invoice.paid' ELSE 'payout.paid' END, \
             CASE WHEN i % 300 = 0 THEN 'discarded' WHEN i % 10 = 0 THEN 'ignored' ELSE 'completed' END, 'done', \
             CASE WHEN i <= {payments} THEN i END, CASE WHEN i % 4 = 0 THEN NULL ELSE i % 4 = 1 END, {}, {}, \
             CASE WHEN i % 60 = 0 THEN 2 ELSE 1 END FROM n",
            count(events),
            at(events),
            at(events)
        ),
        format!(
            "INSERT INTO pay_references (variant, gateway_ref, payment_id) {} {variant}, 'pi_' || i, i FROM n",
            count(payments)
        ),
        format!(
            "INSERT INTO pay_event_references (event_id, variant, gateway_ref) {} i, {variant}, 'ch_' || (i / 10) \
             FROM n",
            count(events)
        ),
    ]
}

/// Three thousand subscriptions of the gateway's test mode; the columns with times are those of the payments.
pub const SUBSCRIPTIONS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
     INSERT INTO pay_subscriptions (token, variant, gateway_ref, status, gateway_status, owner, customer, \
     customer_ref, items, period_start, period_end, cancel_at_period_end, latest_invoice, due_since, certain, as_of, \
     livemode, adopted, facts, version, created_at, updated_at, monthly_amount, monthly_currency) \
     SELECT 'psub_' || i, CASE WHEN i % 10 < 8 THEN 'stripe' ELSE 'stripe-eu' END, 'sub_' || i, \
     CASE i % 9 WHEN 0 THEN 'canceled' WHEN 1 THEN 'past_due' ELSE 'active' END, 'active', 'user-' || i, \
     'Customer' || i || '@Example.org', 'cus_' || i, \
     '[{\"price\":\"price_' || (i % 50) || '\",\"quantity\":1,\"interval\":\"month\"}]', created_at, CASE WHEN i <> 77 THEN created_at END, \
     i % 25 = 3, 'in_' || i, CASE WHEN i % 9 = 1 THEN created_at END, TRUE, created_at, FALSE, i % 3 = 0, '{}', 1, \
     created_at, created_at, 100 + i, 'EUR' FROM n, (SELECT created_at FROM pay_payments WHERE id = 1) AS first";

/// A page of a list, as far as a test looks at it.
#[derive(Debug)]
pub struct Listed {
    pub ids: Vec<i64>,
    /// The links to the neighbouring pages.
    pub next: Option<String>,
    pub back: Option<String>,
    pub html: String,
}

impl App {
    /// A page of a list: `payments?status=paid`.
    pub async fn list(&self, path: &str) -> Listed {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/payments/admin/{path}") };
        let answer = self.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let link = |rel: &str| {
            let (before, _) = answer.body.split_once(&format!("\" rel=\"{rel}\""))?;
            Some(before.rsplit_once("href=\"")?.1.replace("&#38;", "&"))
        };
        let rows = answer.body.split("<tr data-id=\"").skip(1);
        Listed {
            ids: rows.map(|row| row.split('"').next().unwrap().parse().unwrap()).collect(),
            next: link("next"),
            back: link("prev"),
            html: answer.body,
        }
    }

    /// The ids of a table for which `condition` holds, in this order.
    pub fn ids(&self, table: &str, condition: &str, order: &str) -> Vec<i64> {
        let sql = format!("SELECT CAST(id AS TEXT) AS t FROM {table} WHERE {condition} ORDER BY {order}");
        self.texts(&sql).iter().map(|id| id.parse().unwrap()).collect()
    }
}

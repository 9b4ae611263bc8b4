//! The host: a shop with an order for each payment, a handler in the transaction that marks it, and an async handler
//! that returns at once.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, AnyRef, Database, HandlerError, Payments, Transition};
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use diesel::prelude::*;

use crate::backlog::{SECRET, number_of};
use crate::databases::{Scratch, number};
use crate::load::block_on;

diesel::table! {
    bench_orders (number) {
        number -> Text,
        status -> Text,
    }
}

/// Which handlers the shop has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handlers {
    None,
    InTransaction,
    Both,
}

/// When handlers ran.
#[derive(Default)]
pub(crate) struct Seen {
    in_transaction: Mutex<Vec<Instant>>,
    after: Mutex<Vec<(u64, Instant)>>,
}

impl Seen {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// When the handler in the transaction ran.
    pub(crate) fn in_transaction(&self) -> Vec<Instant> {
        self.in_transaction.lock().expect("a list").clone()
    }

    /// For which payments the async handler ran, and when it began.
    pub(crate) fn after(&self) -> Vec<(u64, Instant)> {
        self.after.lock().expect("a list").clone()
    }

    fn count(&self, handlers: Handlers) -> usize {
        match handlers {
            Handlers::None => 0,
            Handlers::InTransaction => self.in_transaction.lock().expect("a list").len(),
            Handlers::Both => self.after.lock().expect("a list").len(),
        }
    }
}

/// The shop's payments.
pub(crate) fn build(url: &str, handlers: Handlers, seen: &Arc<Seen>) -> Payments {
    let database: Database<AnyConnection> = Database::from_url(url).expect("a database");
    let mut builder = Payments::builder(database).variant("stripe", Stripe::new(SECRET));
    if handlers != Handlers::None {
        let seen = seen.clone();
        builder = builder.handler_in_transaction("mark-order", move |conn: AnyRef<'_>, transition: &Transition| {
            seen.in_transaction.lock().expect("a list").push(Instant::now());
            mark_order(conn, transition)
        });
    }
    if handlers == Handlers::Both {
        let seen = seen.clone();
        builder = builder.handler("send-receipt", move |transition: Transition| {
            seen.after.lock().expect("a list").push((number_of(&transition.event_id), Instant::now()));
            async { Ok(()) }
        });
    }
    builder.build().expect("payments")
}

fn mark_order(conn: AnyRef<'_>, transition: &Transition) -> Result<(), HandlerError> {
    let Some(order) = &transition.payment.reference else { return Ok(()) };
    let order = bench_orders::table.find(order);
    let marked = bench_orders::status.eq(transition.to.as_str());
    let rows = match conn {
        AnyRef::Sqlite(conn) => diesel::update(order).set(marked).execute(conn)?,
        AnyRef::Postgres(conn) => diesel::update(order).set(marked).execute(conn)?,
        _ => unreachable!("there are two databases"),
    };
    assert_eq!(rows, 1, "each payment has an order");
    Ok(())
}

/// How far a worker came.
pub(crate) struct Progress {
    /// How many events are completed.
    pub(crate) completed: i64,
    pub(crate) took: Duration,
}

impl Progress {
    pub(crate) fn rate(&self) -> f64 {
        self.completed as f64 / self.took.as_secs_f64()
    }
}

pub(crate) const COMPLETED: &str = "(SELECT count(*) FROM pay_events WHERE state = 'completed')";

/// Waits until `events` events are completed, or the time is over; `start` is when it began.
pub(crate) fn wait(
    conn: &mut AnyConnection,
    (handlers, seen): (Handlers, &Seen),
    events: u64,
    (start, at_most): (Instant, Duration),
) -> Progress {
    // The database is asked only when the handlers have run: asking would be work beside the work.
    while seen.count(handlers) < events as usize && start.elapsed() < at_most {
        std::thread::sleep(Duration::from_millis(1));
    }
    loop {
        let open = number(conn, "(SELECT count(*) FROM pay_events WHERE state <> 'completed')");
        let took = start.elapsed();
        if open == 0 || took >= at_most {
            let completed = number(conn, COMPLETED);
            let paid = number(conn, "(SELECT count(*) FROM pay_payments WHERE status = 'paid')");
            assert!(paid >= completed, "{paid} of {completed} are paid");
            return Progress { completed, took };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Lets a worker process the backlog of `events` events; ends when it is done or the time is over.
pub(crate) fn work_off(
    scratch: &Scratch,
    events: u64,
    handlers: Handlers,
    at_most: Duration,
) -> (Progress, Instant, Arc<Seen>) {
    let seen = Seen::new();
    let shop = build(&scratch.url(), handlers, &seen);
    let mut conn = scratch.connection();
    let start = Instant::now();
    let worker = shop.worker().start().expect("a worker");
    let progress = wait(&mut conn, (handlers, &seen), events, (start, at_most));
    block_on(worker.stop());
    (progress, start, seen)
}

/// A server that takes deliveries for the shop.
pub(crate) struct Serving {
    pub(crate) port: u16,
    handle: ServerHandle,
}

pub(crate) const PATH: &str = "/payments/stripe/";

/// Opens the shop on threads of its own.
pub(crate) fn serve(shop: &Payments) -> Serving {
    let shop = shop.clone();
    let (started, starting) = mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app =
                move || App::new().service(shop.mount("/payments")).route("/", web::get().to(|| async { "shop" }));
            let server = HttpServer::new(app).workers(2).bind(("127.0.0.1", 0)).expect("a port");
            let port = server.addrs()[0].port();
            let server = server.run();
            started.send((port, server.handle())).expect("somebody waits");
            server.await.expect("the server");
        });
    });
    let (port, handle) = starting.recv().expect("the server started");
    Serving { port, handle }
}

impl Serving {
    pub(crate) fn stop(self) {
        block_on(self.handle.stop(false));
    }
}

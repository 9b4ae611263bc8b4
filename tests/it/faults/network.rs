//! A network between app and Postgres that goes silent: what was connected hangs, and new connections work.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_payments::gateways::stripe::Stripe;
use actix_web::rt::time::sleep;

use super::RECOVERY;
use crate::app::{App, Kind, SECRET, fresh_database};
use crate::scenes::completed;

/// How long a fault of the network may go unnoticed.
const NOTICED: Duration = Duration::from_secs(8);

/// A TCP proxy that can stop passing on what its connections say, without closing any.
struct Proxy {
    address: String,
    /// Connections older than this generation are silent.
    silent: Arc<AtomicUsize>,
    made: Arc<AtomicUsize>,
}

impl Proxy {
    /// Before the server at this address.
    fn before(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (silent, made) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (till, count) = (silent.clone(), made.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(&server) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to, till) = (from.try_clone().unwrap(), to.try_clone().unwrap(), till.clone());
                    std::thread::spawn(move || pass(from, to, number, &till));
                }
            }
        });
        Self { address, silent, made }
    }

    /// Silences all connections that there are.
    fn silence(&self) {
        self.silent.store(self.made.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, number: usize, silent: &AtomicUsize) {
    let mut bytes = [0; 16 * 1024];
    loop {
        let count = match from.read(&mut bytes) {
            Ok(count) if count > 0 => count,
            _ => break,
        };
        if number >= silent.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// An app that reaches Postgres through a proxy.
async fn app() -> (App, Proxy) {
    let (url, _) = fresh_database(Kind::Postgres);
    let (user, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let proxy = Proxy::before(server.to_owned());
    let through = format!("{user}@{}/{name}", proxy.address);
    (App::at(through, None, |builder| builder.variant("stripe", Stripe::new(SECRET))).await, proxy)
}

#[actix_web::test]
async fn connections_that_went_silent_are_replaced() {
    let (app, proxy) = app().await;
    let token = app.order().await.token;
    let worker = app.payments.worker().start().unwrap();
    // Several connections are in use and idle when the silence begins.
    let held: Vec<_> = (0..6).map(|_| app.database.connection().unwrap()).collect();
    drop(held);
    assert_eq!(app.stripe(&super::ping(0)).await.status, 200);
    proxy.silence();
    let begun = Instant::now();
    app.taken_again_within(1, NOTICED + RECOVERY).await;
    assert_eq!(app.stripe(&completed(&token)).await.status, 200);
    while app.status(&token).await.as_str() != "paid" {
        assert!(begun.elapsed() < NOTICED + RECOVERY, "the worker hangs: {:?}", app.outcomes());
        sleep(Duration::from_millis(200)).await;
    }
    worker.stop().await;
}

#[actix_web::test]
async fn pages_of_a_silent_database_say_come_again_within_a_limit() {
    let (app, proxy) = app().await;
    assert_eq!(app.get("/payments/admin/payments").await.status, 200);
    proxy.silence();
    let begun = Instant::now();
    let page = app.get("/payments/admin/payments").await;
    assert_eq!((page.status, page.header("retry-after")), (503, Some("5")), "{}", page.text());
    assert!(begun.elapsed() < NOTICED + Duration::from_secs(2), "{:?}", begun.elapsed());
    while app.get("/payments/admin/payments").await.status != 200 {
        assert!(begun.elapsed() < NOTICED + RECOVERY);
        sleep(Duration::from_millis(200)).await;
    }
}

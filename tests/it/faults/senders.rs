//! Senders that are slow, endless or many: over real connections, since limits of time and memory are what it is about.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_payments::gateways::stripe::sign_delivery;
use actix_payments::{AnyConnection, Builder};
use actix_web::rt::{spawn, task::spawn_blocking, time::sleep};
use actix_web::{App as ActixApp, HttpServer};

use super::ping;
use crate::app::{App, Kind, SECRET, on_both_databases, staff};
use crate::scenes::execute;

/// How long a server may go on with an endless sender, also where the machine is busy with other tests.
const ENOUGH: Duration = Duration::from_secs(10);

/// An app with a server, whose bodies may take a second.
async fn served(
    kind: Kind,
    configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>,
) -> (App, SocketAddr) {
    served_within(kind, Duration::from_secs(1), configure).await
}

/// The same, whose bodies may take as long as this.
async fn served_within(
    kind: Kind,
    limit: Duration,
    configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>,
) -> (App, SocketAddr) {
    let app = App::with(kind, configure).await;
    let payments = app.payments.clone();
    let server = HttpServer::new(move || {
        let mount = payments.mount("/payments").admin(staff()).payload_timeout(limit);
        ActixApp::new().service(mount)
    });
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    spawn(server.run());
    (app, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn head(path: &str, method: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: shop.example\r\n{fields}\r\n\r\n")
}

/// So many senders that announce a body of a million bytes and have sent so many of them.
async fn slow_senders(address: SocketAddr, count: usize, sent: usize) -> Vec<TcpStream> {
    let beginning = head("/payments/stripe/", "POST", "content-length: 1000000");
    let send = move |_| {
        let mut stream = connect(address);
        let body = vec![b'x'; sent];
        let _ = stream.write_all(beginning.as_bytes()).and_then(|()| stream.write_all(&body));
        stream
    };
    spawn_blocking(move || (0..count).map(send).collect()).await.unwrap()
}

/// Delivers a signed body on a connection of its own; answers what came back.
fn deliver(address: SocketAddr, now: i64, body: &str) -> String {
    let signature = sign_delivery(SECRET, now, body.as_bytes());
    let fields = format!("connection: close\r\nstripe-signature: {signature}\r\ncontent-length: {}", body.len());
    let mut stream = connect(address);
    stream.write_all(head("/payments/stripe/", "POST", &fields).as_bytes()).unwrap();
    // What is refused before all of it was sent may find the connection closed.
    let _ = stream.write_all(body.as_bytes());
    rest(&stream)
}

/// Whether a delivery is taken within so many tries; before that it is told to come again.
fn taken_after(tries: usize, deliver: impl Fn() -> String) -> bool {
    (0..tries).any(|_| {
        let answer = deliver();
        if answer.starts_with("HTTP/1.1 200") {
            return true;
        }
        let comes_again = answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 5");
        assert!(comes_again || answer.is_empty(), "{answer}");
        std::thread::sleep(Duration::from_millis(100));
        false
    })
}

/// Everything until the server closes the connection.
fn rest(mut stream: &TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a beginning and then the same again and again until the server has had enough; answers how many bytes it took,
/// how long that was, and what it said.
fn endless(address: SocketAddr, beginning: String, piece: Vec<u8>) -> (usize, Duration, String) {
    let mut stream = connect(address);
    let (begun, mut taken) = (Instant::now(), 0);
    stream.write_all(beginning.as_bytes()).unwrap();
    while begun.elapsed() < ENOUGH * 2 && stream.write_all(&piece).is_ok() {
        taken += piece.len();
    }
    (taken, begun.elapsed(), rest(&stream))
}

#[actix_web::test]
async fn a_body_that_stops_arriving_is_answered_408_and_its_connection_closed() {
    let (app, address) = served(Kind::Sqlite, |builder| builder).await;
    for (path, method, fields) in [
        ("/payments/stripe/", "POST", "content-length: 1000"),
        ("/payments/stripe/", "POST", "transfer-encoding: chunked"),
        ("/payments/nobody/", "POST", "content-length: 1000"),
        ("/payments/stripe/", "PUT", "content-length: 1000"),
    ] {
        let begun = Instant::now();
        let answer = spawn_blocking(move || {
            let mut stream = connect(address);
            stream.write_all(head(path, method, fields).as_bytes()).unwrap();
            stream.write_all(b"5\r\nhello").unwrap();
            rest(&stream)
        });
        let answer = answer.await.unwrap();
        let status = if path.contains("nobody") {
            "404"
        } else if method == "PUT" {
            "405"
        } else {
            "408"
        };
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path} {fields}: {answer:?}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
        assert!(begun.elapsed() < ENOUGH, "{:?}", begun.elapsed());
    }
    app.counted("rejected:too_slow", 2);
}

/// Actix reads on after such an answer for as long as the server's `client_disconnect_timeout`, a second by default.
#[actix_web::test]
async fn an_endless_body_is_not_drained() {
    let (_app, address) = served(Kind::Sqlite, |builder| builder).await;
    let chunk = [format!("{:x}\r\n", 64 * 1024).into_bytes(), vec![b'x'; 64 * 1024], b"\r\n".to_vec()].concat();
    let chunked = "transfer-encoding: chunked";
    for (method, path, status) in [
        ("POST", "/payments/stripe/", "413"),
        ("GET", "/payments/stripe/", "413"),
        ("GET", "/payments/static/admin.css", "200"),
        ("POST", "/payments/a/b/c/d", "404"),
        ("GET", "/payments/admin/", "401"),
        ("POST", "/payments/dummy/checkout", "404"),
    ] {
        let (beginning, piece) = (head(path, method, chunked), chunk.clone());
        let (taken, took, answer) = spawn_blocking(move || endless(address, beginning, piece)).await.unwrap();
        eprintln!("{method} {path}: {taken} bytes in {took:?}");
        assert!(took < ENOUGH, "{method} {path}: {taken} bytes in {took:?}");
        assert!(answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {answer}");
    }
}

#[actix_web::test]
async fn endless_chunk_extensions_and_trailers_end_at_the_deadline() {
    let (app, address) = served(Kind::Sqlite, |builder| builder).await;
    let chunked = head("/payments/stripe/", "POST", "transfer-encoding: chunked");
    for beginning in [format!("{chunked}5;a="), format!("{chunked}5\r\nhello\r\n0\r\nx: ")] {
        let piece = vec![b'y'; 16 * 1024];
        let (taken, took, _) = spawn_blocking(move || endless(address, beginning, piece)).await.unwrap();
        eprintln!("{taken} bytes in {took:?}");
        assert!(took < ENOUGH, "{taken} bytes in {took:?}");
    }
    app.counted("rejected:too_slow", 2);
}

#[actix_web::test]
async fn many_slow_senders_hold_no_more_than_the_limit_and_keep_no_genuine_delivery_waiting() {
    let (app, address) = served(Kind::Sqlite, |builder| builder.queue_bytes(4 * 1024 * 1024)).await;
    let streams = slow_senders(address, 30, 900_000).await;
    let (begun, now) = (Instant::now(), app.now());
    // The first second, those that came last have a right to their time; nobody who was slow has it after that.
    let answer = spawn_blocking(move || taken_after(20, || deliver(address, now, &ping(1))));
    assert!(answer.await.unwrap(), "the genuine delivery was not taken");
    assert!(begun.elapsed() < ENOUGH, "{:?}", begun.elapsed());
    let answers = spawn_blocking(move || streams.iter().map(rest).collect::<Vec<_>>()).await.unwrap();
    let refused = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 503")).count();
    let late = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 408")).count();
    assert!(refused >= 20 && refused + late == 30, "{refused} refused, {late} late");
    assert_eq!(app.number("SELECT count(*) FROM pay_events"), 1);
}

#[actix_web::test]
async fn slow_senders_give_way_to_a_long_delivery_and_not_only_at_their_deadline() {
    let limit = Duration::from_secs(600);
    let (app, address) = served_within(Kind::Sqlite, limit, |builder| builder.queue_bytes(4 * 1024 * 1024)).await;
    let mut streams = Vec::new();
    // One after the other: four of them fill all the room that there is.
    for _ in 0..6 {
        streams.extend(slow_senders(address, 1, 900_000).await);
        sleep(Duration::from_millis(300)).await;
    }
    let (now, pad) = (app.now(), "x".repeat(900_000));
    let body = format!(r#"{{"id":"evt_long","type":"ping","pad":"{pad}"}}"#);
    let taken = spawn_blocking(move || taken_after(100, || deliver(address, now, &body)));
    assert!(taken.await.unwrap(), "those who have had their second keep the room of others");
    assert_eq!(app.number("SELECT count(*) FROM pay_events"), 1);
}

/// `scripts/soak --senders 10000` is the long half of this.
#[actix_web::test]
async fn hundreds_of_slow_senders_keep_no_genuine_delivery_waiting() {
    let (app, address) = served_within(Kind::Sqlite, Duration::from_secs(60), |builder| builder).await;
    let mut streams = slow_senders(address, 300, 1_000).await;
    let now = app.now();
    let times = spawn_blocking(move || {
        let mut times = Vec::new();
        for number in 0..20 {
            streams.iter_mut().for_each(|stream| stream.write_all(b"x").unwrap());
            let begun = Instant::now();
            let answer = deliver(address, now, &ping(number));
            assert!(answer.starts_with("HTTP/1.1 200"), "at the first try: {answer}");
            times.push(begun.elapsed());
        }
        times
    });
    let slowest = times.await.unwrap().into_iter().max();
    // Those have a minute; `scripts/soak` holds it to a second.
    assert!(slowest < Some(ENOUGH), "{slowest:?}");
    assert_eq!(app.number("SELECT count(*) FROM pay_events"), 20);
}

on_both_databases! {
    async fn a_new_event_that_is_stored_together_with_a_known_one_keeps_its_body(kind) {
        let app = Rc::new(App::new(kind).await);
        assert_eq!(app.stripe(&ping(1)).await.status, 200);
        let mut holder = app.database.connection().unwrap();
        let hold: &[&str] = match kind {
            Kind::Sqlite => &["BEGIN IMMEDIATE"],
            Kind::Postgres => &["BEGIN", "LOCK TABLE pay_events"],
        };
        hold.iter().for_each(|sql| { execute(holder.lent(), sql).unwrap(); });
        // The first of them is waited for alone, the others gather behind it.
        let sending: Vec<_> = [2, 1, 3, 3, 4, 1].map(|number| {
            let app = app.clone();
            spawn(async move { app.stripe(&ping(number)).await.status })
        }).into();
        sleep(Duration::from_millis(500)).await;
        execute(holder.lent(), "ROLLBACK").unwrap();
        for sent in sending {
            assert_eq!(sent.await.unwrap(), 200);
        }
        app.drain().await;
        let seen = "SELECT CAST(deliveries AS TEXT) || ' ' || state || ' ' || length(body) AS t \
                    FROM pay_events JOIN pay_event_bodies ON event_id = id ORDER BY gateway_event_id";
        let size = ping(1).len();
        let expected = [3, 1, 2, 1].map(|deliveries| format!("{deliveries} ignored {size}"));
        assert_eq!(app.texts(seen), expected);
    }

    async fn what_waits_for_the_database_is_bounded_in_bytes(kind) {
        let app = Rc::new(App::with(kind, |builder| builder.queue_bytes(3 * 1024 * 1024)).await);
        let mut holder = app.database.connection().unwrap();
        let hold: &[&str] = match kind {
            Kind::Sqlite => &["BEGIN IMMEDIATE"],
            Kind::Postgres => &["BEGIN", "LOCK TABLE pay_events"],
        };
        hold.iter().for_each(|sql| { execute(holder.lent(), sql).unwrap(); });
        let large = |number| format!(r#"{{"id":"evt_{number}","type":"ping","pad":"{}"}}"#, "x".repeat(1_000_000));
        let sending: Vec<_> = (0..12).map(|number| {
            let app = app.clone();
            spawn(async move { app.stripe(&large(number)).await })
        }).collect();
        sleep(Duration::from_millis(700)).await;
        let refused = sending.iter().filter(|sent| sent.is_finished()).count();
        execute(holder.lent(), "ROLLBACK").unwrap();
        assert!(refused >= 9, "three of a million bytes each fit, {refused} were refused");
        let mut taken = 0;
        for sent in sending {
            let answer = sent.await.unwrap();
            taken += i64::from(answer.status == 200);
            assert!(answer.status == 200 || answer.header("retry-after") == Some("5"), "{answer:?}");
        }
        // On a machine so busy that it took longer than the database's own patience, none of the three may be left.
        assert!(taken <= 3, "{taken}");
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), taken);
    }
}

/// On Postgres alone: elsewhere one transaction is written at a time in any case.
#[actix_web::test]
async fn a_redelivery_of_an_event_that_is_being_processed_keeps_no_other_waiting() {
    let app = App::new(Kind::Postgres).await;
    assert_eq!(app.stripe(&ping(1)).await.status, 200);
    let mut holder = app.database.connection().unwrap();
    for sql in ["BEGIN", "UPDATE pay_events SET attempts = attempts + 1"] {
        execute(holder.lent(), sql).unwrap();
    }
    // Statements of ours are given up after five seconds, so whoever waits for this one is refused.
    for number in [1, 2, 1, 3] {
        assert_eq!(app.stripe(&ping(number)).await.status, 200);
    }
    execute(holder.lent(), "COMMIT").unwrap();
    assert_eq!(app.stripe(&ping(1)).await.status, 200);
    let deliveries = "SELECT CAST(deliveries AS TEXT) AS t FROM pay_events ORDER BY id";
    assert_eq!(app.texts(deliveries), ["2", "1", "1"], "those that came meanwhile are not counted, the later one is");
}

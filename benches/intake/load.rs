//! Who sends? As many keep-alive connections as asked for, each sending its next delivery when the last one was
//! answered. Deliveries are signed beforehand, each with an event id of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix_payments::gateways::stripe::sign_delivery;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

static NEXT: AtomicU64 = AtomicU64::new(0);

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// Accepted deliveries a second.
pub(crate) fn run(port: u16, path: &str, connections: usize, seconds: u64) -> f64 {
    let accepted = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    block_on(async {
        let all: Vec<_> =
            (0..connections).map(|_| tokio::spawn(connection(port, path.to_owned(), end, accepted.clone()))).collect();
        for one in all {
            one.await.expect("a connection");
        }
    });
    accepted.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

async fn connection(port: u16, path: String, end: Instant, accepted: Arc<AtomicU64>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
    stream.set_nodelay(true).expect("no delay");
    let mut answer = [0_u8; 2048];
    while Instant::now() < end {
        let request = request(&path, NEXT.fetch_add(1, Ordering::Relaxed));
        stream.write_all(&request).await.expect("the request is sent");
        // Answers are one short segment each.
        let read = stream.read(&mut answer).await.expect("an answer");
        let ok = answer[..read].starts_with(b"HTTP/1.1 200");
        assert!(ok, "{}", String::from_utf8_lossy(&answer[..read]));
        accepted.fetch_add(1, Ordering::Relaxed);
    }
}

/// A `payment_intent.succeeded` of the size that Stripe sends.
fn request(path: &str, number: u64) -> Vec<u8> {
    static FILLER: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "x".repeat(2_600));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let body = format!(
        r#"{{"id":"evt_bench_{number}_{now}","object":"event","api_version":"2026-10-28.endive","created":{now},"data":{{"object":{{"id":"pi_{number}","object":"payment_intent","amount":4999,"amount_received":4999,"currency":"eur","status":"succeeded","description":"{}"}}}},"livemode":false,"pending_webhooks":1,"type":"payment_intent.succeeded"}}"#,
        *FILLER
    );
    let signature = sign_delivery(super::SECRET, now as i64, body.as_bytes());
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nstripe-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

//! The load: signed requests, written beforehand or as they are sent, over as many keep-alive connections as asked for,
//! all on one thread; each connection sends its next request when the last one was answered.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

/// How long requests that were sent in time may still wait for their answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// One request with its head, as it goes over the wire.
pub(crate) fn request(path: &str, body: &[u8], signature: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n\
         content-type: application/json; charset=utf-8\r\nstripe-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A request that was answered 200.
#[allow(dead_code, reason = "not every bench asks which request it was")]
pub(crate) struct Answered {
    /// Which of the requests.
    pub(crate) request: usize,
    pub(crate) sent: Instant,
    pub(crate) took: Duration,
}

/// What came of a load.
pub(crate) struct Load {
    pub(crate) took: Duration,
    pub(crate) answered: Vec<Answered>,
}

impl Load {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answered.len() as f64 / self.took.as_secs_f64()
    }
}

/// What is sent.
#[allow(dead_code, reason = "not every bench sends both")]
pub(crate) enum Requests {
    /// These, each once.
    Ready(Vec<Vec<u8>>),
    /// These, again and again.
    Again(Vec<Vec<u8>>),
    /// What this writes, when its turn comes: the sender's work is part of the load then.
    Written(Box<dyn Fn() -> Vec<u8>>),
}

/// What all connections share.
struct Sender {
    requests: Requests,
    next: Cell<usize>,
    answered: RefCell<Vec<Answered>>,
    end: Instant,
}

impl Sender {
    /// The next request and its number, until all are sent or the time is over.
    fn next(&self) -> Option<(usize, Cow<'_, [u8]>)> {
        if Instant::now() >= self.end {
            return None;
        }
        let number = self.next.replace(self.next.get() + 1);
        let request = match &self.requests {
            Requests::Ready(all) => all.get(number)?.into(),
            Requests::Again(all) => (&all[number % all.len()]).into(),
            Requests::Written(write) => write().into(),
        };
        Some((number, request))
    }
}

/// Sends the requests until they are used up or the time is over.
pub(crate) fn run(port: u16, requests: Requests, connections: usize, at_most: Duration) -> Load {
    let start = Instant::now();
    let answered = RefCell::new(Vec::new());
    let sender = Rc::new(Sender { requests, next: Cell::new(0), answered, end: start + at_most });
    block_on(LocalSet::new().run_until(async {
        let mut all = JoinSet::new();
        for _ in 0..connections {
            all.spawn_local(connection(port, sender.clone()));
        }
        // One that is never answered would wait for ever.
        tokio::time::timeout(at_most + PATIENCE, all.join_all()).await.expect("all requests are answered");
    }));
    Load { took: start.elapsed(), answered: sender.answered.take() }
}

async fn connection(port: u16, sender: Rc<Sender>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
    stream.set_nodelay(true).expect("no delay");
    let mut answer = [0_u8; 2048];
    while let Some((number, request)) = sender.next() {
        let sent = Instant::now();
        stream.write_all(&request).await.expect("the request is sent");
        // Answers are one short segment each.
        let read = stream.read(&mut answer).await.expect("an answer");
        let ok = answer[..read].starts_with(b"HTTP/1.1 200");
        assert!(ok, "{}", String::from_utf8_lossy(&answer[..read]));
        sender.answered.borrow_mut().push(Answered { request: number, sent, took: sent.elapsed() });
    }
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The figure below which this part of the sorted figures lies.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> f64 {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

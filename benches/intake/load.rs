//! The load: signed requests, written beforehand or as they are sent, over as many keep-alive connections as asked for,
//! all on one thread; each connection sends its next request when the last one was answered.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

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
    /// Those that were answered 200.
    pub(crate) answered: Vec<Answered>,
    /// How long those have waited that were not answered when the time was over.
    unanswered: Vec<Duration>,
    /// How many were answered otherwise.
    pub(crate) refused: usize,
}

impl Load {
    /// Requests answered 200 a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answered.len() as f64 / self.took.as_secs_f64()
    }

    /// How long the requests waited for their 200, or for nothing until the time was over.
    pub(crate) fn waited(&self) -> impl Iterator<Item = Duration> {
        let answered = self.answered.iter().map(|answered| answered.took);
        answered.chain(self.unanswered.iter().copied())
    }
}

/// What is sent.
#[allow(dead_code, reason = "not every bench sends both")]
pub(crate) enum Requests {
    /// These, each once.
    Ready(Vec<Vec<u8>>),
    /// These, again and again.
    Again(Vec<Vec<u8>>),
    /// What this writes when their turn comes: signing is part of the sender's work then.
    Written(Box<dyn Fn() -> Vec<u8>>),
}

/// What all connections share.
struct Sender {
    requests: Requests,
    next: Cell<usize>,
    answered: RefCell<Vec<Answered>>,
    /// Since when each connection has waited.
    waiting: RefCell<Vec<Option<Instant>>>,
    refused: Cell<usize>,
}

impl Sender {
    /// The next request and its number, until all are sent.
    fn next(&self) -> Option<(usize, Cow<'_, [u8]>)> {
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
    let sender = Rc::new(Sender {
        requests,
        next: Cell::new(0),
        answered: RefCell::default(),
        waiting: RefCell::new(vec![None; connections]),
        refused: Cell::new(0),
    });
    let start = Instant::now();
    block_on(LocalSet::new().run_until(async {
        let mut all = JoinSet::new();
        for number in 0..connections {
            all.spawn_local(connection(port, number, sender.clone()));
        }
        // What is under way when the time is over is let go.
        let _ = tokio::time::timeout(at_most, all.join_all()).await;
    }));
    let took = start.elapsed();
    let unanswered = sender.waiting.take().into_iter().flatten().map(|since| since.elapsed()).collect();
    Load { took, answered: sender.answered.take(), unanswered, refused: sender.refused.get() }
}

async fn connection(port: u16, connection: usize, sender: Rc<Sender>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
    stream.set_nodelay(true).expect("no delay");
    let mut answer = [0_u8; 2048];
    while let Some((number, request)) = sender.next() {
        let sent = Instant::now();
        sender.waiting.borrow_mut()[connection] = Some(sent);
        stream.write_all(&request).await.expect("the request is sent");
        // Answers are one short segment each.
        let read = stream.read(&mut answer).await.expect("an answer");
        sender.waiting.borrow_mut()[connection] = None;
        if answer[..read].starts_with(b"HTTP/1.1 200") {
            sender.answered.borrow_mut().push(Answered { request: number, sent, took: sent.elapsed() });
        } else {
            let full = answer[..read].starts_with(b"HTTP/1.1 503");
            assert!(full, "{}", String::from_utf8_lossy(&answer[..read]));
            sender.refused.set(sender.refused.get() + 1);
        }
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

//! Who takes the events that the checkout page sends? A listener that keeps the one request it gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use crate::scenes::with;
use actix_payments::domain::delivery::Delivery;

/// A webhook endpoint that answers once.
pub(super) struct Endpoint {
    pub(super) url: String,
    taken: JoinHandle<Delivery>,
}

impl Endpoint {
    /// Answers the first request with this status line and body.
    pub(super) fn answering(status: &'static str, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/payments/dummy/", listener.local_addr().unwrap());
        let taken = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let delivery = read(&stream);
            let length = body.len();
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").unwrap();
            delivery
        });
        Self { url, taken }
    }

    /// The request that came.
    pub(super) fn taken(self) -> Delivery {
        self.taken.join().unwrap()
    }
}

fn read(stream: &TcpStream) -> Delivery {
    let mut stream = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    assert_eq!(line(), "POST /payments/dummy/ HTTP/1.1");
    let mut headers = Vec::new();
    while let Some((name, value)) = line().split_once(':') {
        headers.push((name.to_ascii_lowercase(), value.trim().as_bytes().to_vec()));
    }
    let delivery = Delivery::new("").with_headers(headers);
    let mut body = vec![0; delivery.header("content-length").unwrap().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    with(delivery, |it| it.body = body.into())
}

//! What did the client say, and what was it told? An HTTP server that keeps every request as it came and answers
//! what the test says to it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// An answer: status, header fields and body; or none at all, the connection closed.
#[derive(Debug, Clone)]
pub enum Say {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The same twice in a row, on a connection that stays open.
    Twice(u16, Vec<(&'static str, String)>, String),
    Nothing,
}

pub struct Listener {
    pub address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Listener {
    /// Answers these, the last one again and again.
    pub fn saying(answers: impl IntoIterator<Item = Say>) -> Self {
        let mut answers = answers.into_iter().collect::<VecDeque<_>>();
        let next = move || if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let next = Mutex::new(next);
        Self::answering(move |_| next.lock().unwrap()().expect("an answer"))
    }

    /// Answers what `say` says, one request after the other.
    pub fn answering(say: impl Fn(&Heard) -> Say + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for connection in listener.incoming() {
                let Some(request) = read(connection.as_ref().unwrap()) else { continue };
                kept.lock().unwrap().push(request.clone());
                open.extend(answer(connection.unwrap(), say(&request)));
            }
        });
        Self { address, heard }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut text = String::new();
        reader.read_line(&mut text).ok().filter(|length| *length > 0).map(|_| text.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { method, path, headers, body: String::from_utf8(body).unwrap() })
}

/// Answers; a connection that stays open is given back.
fn answer(mut stream: TcpStream, say: Say) -> Option<TcpStream> {
    let (times, close, status, headers, body) = match say {
        Say::Nothing => return None,
        Say::Answer(status, headers, body) => (1, "connection: close\r\n", status, headers, body),
        Say::Twice(status, headers, body) => (2, "", status, headers, body),
    };
    let fields: String = headers.into_iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{close}{fields}\r\n{body}", body.len());
    let _ = stream.write_all(answer.repeat(times).as_bytes());
    (times > 1).then_some(stream)
}

//! A server on this machine that shows objects, in place of a company's API.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use time::format_description::well_known::Rfc2822;

use crate::domain::Timestamp;

/// How long a request may be on its way.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the body of a request may be.
const LONGEST: u64 = 1 << 20;

/// The API of a company whose events only name an object, which is asked for then: a small server on this machine, of
/// one test. It shows what the verbs of a [`Company`](super::Company) say, and nobody can change anything through it.
/// It ends when this value is dropped, so a test keeps it until its end.
///
/// ```
/// use actix_payments::gateways::mollie::Mollie;
/// use actix_payments::testing::ObjectServer;
///
/// let server = ObjectServer::start().expect("a free port of this machine");
/// let mollie = Mollie::new()
///     .api_key("test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM")
///     .webhook_url("https://shop.example/payments/mollie/")
///     .api_base(server.address());
/// # drop(mollie);
/// ```
pub struct ObjectServer {
    address: SocketAddr,
    objects: Objects,
    ended: Arc<AtomicBool>,
}

/// What is shown, by its path.
#[derive(Clone, Default)]
pub(super) struct Objects(Arc<Mutex<BTreeMap<String, (Timestamp, Value)>>>);

impl ObjectServer {
    /// Listens on a free port of this machine.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (objects, ended) = (Objects::default(), Arc::new(AtomicBool::new(false)));
        let server = Self { address: listener.local_addr()?, objects: objects.clone(), ended: ended.clone() };
        std::thread::Builder::new().name("object-server".to_owned()).spawn(move || {
            for connection in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let objects = objects.clone();
                // Who is cut off asks again.
                std::thread::spawn(move || connection.and_then(|connection| serve(connection, &objects)));
            }
        })?;
        Ok(server)
    }

    /// Its address, for the `api_base` of a gateway.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn objects(&self) -> Objects {
        self.objects.clone()
    }
}

impl Drop for ObjectServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // So that it hears of it.
        drop(TcpStream::connect(self.address));
    }
}

impl fmt::Debug for ObjectServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectServer").field("address", &self.address).finish()
    }
}

impl Objects {
    /// Changes the object at `path` as of `at`; `null` where there is none yet. Answers the object.
    pub(super) fn change(&self, path: &str, at: Timestamp, change: impl FnOnce(&mut Value)) -> Value {
        let mut objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (changed, object) = objects.entry(path.to_owned()).or_insert((at, Value::Null));
        *changed = at;
        change(object);
        object.clone()
    }

    /// What is shown at this address: by the whole of it, by its first parameter, or by its path alone.
    fn shown(&self, address: &str) -> Option<(Timestamp, Value)> {
        let objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = |mark| address.split(mark).next().unwrap_or_default();
        [address, before('&'), before('?')].iter().find_map(|path| objects.get(*path).cloned())
    }
}

fn serve(mut connection: TcpStream, objects: &Objects) -> std::io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(connection.try_clone()?);
    let (mut first, mut length) = (String::new(), 0_u64);
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        length = line.strip_prefix("content-length:").and_then(|text| text.trim().parse().ok()).unwrap_or(length);
    }
    reader.take(length.min(LONGEST)).read_to_end(&mut Vec::new())?;
    let mut words = first.split(' ');
    let (method, address) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (status, at, body) = match objects.shown(address) {
        Some((at, object)) if method == "GET" => ("200 OK", Some(at), object),
        Some(_) => ("405 Method Not Allowed", None, refusal(405, "this server shows objects, and changes none")),
        None => ("404 Not Found", None, refusal(404, "there is no such object")),
    };
    let date =
        at.and_then(|at| at.format(&Rfc2822).ok()).map(|date| format!("Date: {}\r\n", date.replace("+0000", "GMT")));
    let (date, body) = (date.unwrap_or_default(), body.to_string());
    let length = body.len();
    write!(
        connection,
        "HTTP/1.1 {status}\r\n{date}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn refusal(status: u16, why: &str) -> Value {
    json!({"status": status, "title": "Refused", "detail": why, "message": why})
}

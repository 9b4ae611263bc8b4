//! What is the shop to a test? The built example as a process on a database of its own, killed when the test ends,
//! and a client that talks to it as browsers and Stripe do.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix_payments::gateways::stripe::sign_delivery;
use actix_payments::{AnyConnection, AnyRef, Database};
use diesel::RunQueryDsl;
use serde_json::Value;
use tempfile::TempDir;

use crate::app::{self, Answer, Kind};

/// The shop's two signing secrets, as while one is being replaced by the other.
pub(crate) const SECRET: &str = "whsec_shop_new";
pub(super) const OLD_SECRET: &str = "whsec_shop_old";
/// How long anything may take before the test gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A database for shops, which stays when they end.
pub(crate) struct Place {
    pub(super) database: Database<AnyConnection>,
    pub(crate) url: String,
    opened: AtomicU32,
    /// Where the shops' logs are.
    logs: TempDir,
    _folder: Option<TempDir>,
}

impl Place {
    pub(crate) fn fresh(kind: Kind) -> Self {
        let (url, folder) = app::fresh_database(kind);
        let database = Database::from_url(&url).unwrap();
        Self { database, url, opened: AtomicU32::new(0), logs: tempfile::tempdir().unwrap(), _folder: folder }
    }

    /// Starts a shop here and waits until it is open.
    pub(crate) fn open(&self) -> Shop {
        self.open_as("all")
    }

    /// The same with a role of its own.
    pub(super) fn open_as(&self, role: &str) -> Shop {
        let secrets = format!("{SECRET}, {OLD_SECRET}");
        self.open_with(&[("STRIPE_WEBHOOK_SECRET", &secrets), ("ADMIN_PASSWORD", "secret"), ("ROLE", role)])
    }

    /// Starts a shop with this environment instead of secrets that tests know.
    pub(super) fn open_with(&self, environment: &[(&str, &str)]) -> Shop {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let log = self.logs.path().join(format!("shop-{number}.log"));
        let mut child = Command::new(built())
            .current_dir(self.logs.path())
            .env_clear()
            .envs(["PATH", "LD_LIBRARY_PATH"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs([("DATABASE_URL", self.url.as_str()), ("BIND", "127.0.0.1:0"), ("RUST_LOG", "info")])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let (say, said) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| say.send(line)));
        let mut shop = Shop { child, root: String::new(), command: String::new(), log };
        // The last thing it prints is the command, with an empty line after it.
        while shop.command.is_empty() || !shop.command.ends_with("\n\n") {
            let Ok(line) = said.recv_timeout(PATIENCE) else { panic!("the shop did not open: {}", shop.log()) };
            if let Some((_, root)) = line.split_once("The shop ") {
                shop.root = root.trim().trim_end_matches('/').to_owned();
            }
            if line.starts_with("T=") || !shop.command.is_empty() {
                shop.command.push_str(&line);
                shop.command.push('\n');
            }
        }
        shop
    }

    /// One number out of the database.
    pub(super) fn number(&self, sql: &str) -> i64 {
        app::number(&self.database, sql)
    }

    /// One column of texts out of the database, named `t`.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        app::texts(&self.database, sql)
    }

    /// Changes the database behind the shops' backs, and answers how many rows that were.
    pub(super) fn execute(&self, sql: &str) -> usize {
        match self.database.connection().unwrap().lent() {
            AnyRef::Sqlite(conn) => diesel::sql_query(sql).execute(conn).unwrap(),
            AnyRef::Postgres(conn) => diesel::sql_query(sql).execute(conn).unwrap(),
            _ => unreachable!(),
        }
    }

    /// Waits until the database answers this number.
    pub(super) fn waits_for(&self, sql: &str, number: i64) {
        let begun = Instant::now();
        while self.number(sql) != number {
            assert!(begun.elapsed() < PATIENCE, "{sql}: {}", self.number(sql));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until nothing is left to do with any event.
    pub(crate) fn settled(&self) {
        let open = "SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')";
        let begun = Instant::now();
        while self.number(open) > 0 {
            let left = || {
                self.texts("SELECT state || ': ' || coalesce(outcome, '') AS t FROM pay_events WHERE state NOT IN ('completed', 'ignored')")
            };
            assert!(begun.elapsed() < PATIENCE, "events are still not done: {:#?}", left());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A shop that is open.
pub(crate) struct Shop {
    child: Child,
    /// Its address without the trailing slash.
    pub(crate) root: String,
    /// What it printed for people to paste.
    pub(super) command: String,
    log: PathBuf,
}

impl Shop {
    pub(super) fn client(&self) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build();
        Client { agent: ureq::Agent::new_with_config(config), root: self.root.clone() }
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// As `kill -9`: the process ends where it stands.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end, by the name of a signal, and waits until it does.
    pub(super) fn stop(mut self, signal: &str) -> ExitStatus {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the shop does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let telling: Vec<&str> = log.lines().filter(|line| !line.contains(" INFO ")).collect();
            eprintln!("the end of the shop's log:\n{}", telling[telling.len().saturating_sub(30)..].join("\n"));
        }
    }
}

/// Somebody who talks to a shop, with connections of its own.
#[derive(Clone)]
pub(super) struct Client {
    agent: ureq::Agent,
    root: String,
}

/// An order as the shop's JSON tells it.
#[derive(Debug, Clone)]
pub(super) struct Bought {
    pub(super) order: String,
    pub(super) token: String,
}

impl Client {
    /// Waits until it says that it is ready.
    pub(super) fn is_ready(&self) -> Answer {
        let begun = Instant::now();
        loop {
            let ready = self.get("/health/ready", "*/*");
            if ready.status == 200 {
                return ready;
            }
            assert!(begun.elapsed() < PATIENCE, "{}", ready.body);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn get(&self, path: &str, accept: &str) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.root)).header("accept", accept).call()).unwrap()
    }

    /// Asks for a page with these header fields.
    pub(super) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.agent.get(format!("{}{path}", self.root));
        answer(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).call()).unwrap()
    }

    /// Sends a form with these header fields.
    pub(super) fn form_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Answer, ureq::Error> {
        let request = self.agent.post(format!("{}{path}", self.root));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        answer(request.send_form(fields.iter().copied()))
    }

    pub(super) fn form(&self, path: &str, accept: &str, fields: &[(&str, &str)]) -> Result<Answer, ureq::Error> {
        let request = self.agent.post(format!("{}{path}", self.root)).header("accept", accept);
        answer(request.send_form(fields.iter().copied()))
    }

    /// Buys a kettle to be paid through Stripe, whose checkout the tests play.
    pub(super) fn buy(&self) -> Result<Bought, ureq::Error> {
        let bought = self.form("/orders", "application/json", &[("item", "kettle"), ("variant", "stripe")])?;
        assert_eq!(bought.status, 200, "{bought:?}");
        let bought: Value = serde_json::from_str(&bought.body).unwrap();
        let text = |name: &str| bought[name].as_str().unwrap().to_owned();
        Ok(Bought { order: text("order"), token: text("token") })
    }

    /// Posts `body` to the Stripe endpoint with this signature.
    pub(super) fn deliver(&self, signature: &str, body: &str) -> Result<Answer, ureq::Error> {
        let request = self.agent.post(format!("{}/payments/stripe/", self.root));
        answer(request.header("stripe-signature", signature).content_type("application/json").send(body))
    }

    /// Posts `body` to the Stripe endpoint, signed now.
    pub(super) fn stripe(&self, body: &str) -> Result<Answer, ureq::Error> {
        self.deliver(&sign_delivery(SECRET, now(), body.as_bytes()), body)
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, ureq::Error> {
    let mut response = response?;
    let headers = response.headers().iter();
    let headers = headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    Ok(Answer { status: response.status().as_u16(), headers, body: response.body_mut().read_to_string()? })
}

/// The time in Unix seconds, which is the shop's clock too.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// The example beside this test's own program. `cargo test --test it` alone does not build examples.
pub(crate) fn built() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let shop = tests.ancestors().nth(2).unwrap().join("examples/shop");
    let build = "run scripts/test, or: cargo build --all-features --example shop";
    assert!(shop.is_file(), "no shop in {}; {build}", shop.display());
    let changed = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    let sources = std::fs::read_to_string(shop.with_extension("d")).unwrap_or_default();
    for source in sources.split_whitespace().skip(1) {
        let newer = changed(Path::new(source)) > changed(&shop);
        assert!(!newer, "the shop in {} is older than {source}; {build}", shop.display());
    }
    shop
}

//! Pages that are read from a streaming standby: what is behind says so, acts go to the primary, and a standby that is
//! gone costs no page.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, Database};

use super::RECOVERY;
use crate::app::{App, SECRET, fresh_database, number, texts};
use crate::scenes::completed;

/// A primary with a standby, apart from the server of the other tests: that one holds all their databases.
struct Pair {
    folder: tempfile::TempDir,
    programs: PathBuf,
    primary: u16,
    standby: u16,
}

impl Pair {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = || std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let pair = Self { programs: programs(), primary: port(), standby: port(), folder };
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(pair.folder.path()).status().unwrap().success());
        }
        let (data, copy) = (pair.data(pair.primary), pair.data(pair.standby));
        pair.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"]);
        pair.start(pair.primary);
        let from = pair.primary.to_string();
        let source = ["-h", "127.0.0.1", "-p", &from, "-U", "postgres"];
        pair.run("pg_basebackup", &[&source[..], &["-R", "-c", "fast", "--no-sync", "-D", &copy]].concat());
        pair.start(pair.standby);
        pair
    }

    fn data(&self, port: u16) -> String {
        self.folder.path().join(format!("data-{port}")).display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if is_root() { Command::new("runuser") } else { Command::new(&program) };
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let ran = command.args(arguments).current_dir("/").stdout(Stdio::null()).stderr(log).status().unwrap();
        let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        assert!(ran.success(), "{program:?}: {}", log());
    }

    fn start(&self, port: u16) {
        let options = format!("-p {port} -k {} -c listen_addresses=127.0.0.1", self.folder.path().display());
        let log = self.folder.path().join(format!("log-{port}")).display().to_string();
        self.run("pg_ctl", &["-D", &self.data(port), "-l", &log, "-w", "-o", &options, "start"]);
    }

    fn stop(&self, port: u16) {
        self.run("pg_ctl", &["-D", &self.data(port), "-m", "immediate", "stop"]);
    }

    fn database(&self, port: u16) -> Database<AnyConnection> {
        Database::from_url(&format!("postgres://postgres@127.0.0.1:{port}/postgres")).unwrap()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for port in [self.standby, self.primary] {
            if Path::new(&self.data(port)).join("postmaster.pid").exists() {
                self.stop(port);
            }
        }
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0)
}

/// Where the server's programs are; on Debian they are not on the PATH.
fn programs() -> PathBuf {
    let found = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> = found.map(|entry| entry.path().join("bin")).collect();
    found.sort();
    found.pop().unwrap_or_default()
}

/// Waits until the replica has all that the primary has.
fn catch_up(replica: &Database<AnyConnection>, sql: &str, expected: i64) {
    let begun = Instant::now();
    while number(replica, sql) != expected {
        assert!(begun.elapsed() < RECOVERY, "the standby does not follow");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[actix_web::test]
async fn pages_are_read_from_the_replica_and_acts_go_to_the_primary() {
    let pair = Pair::begin();
    let replica = pair.database(pair.standby);
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", pair.primary);
    let configured = replica.clone();
    let app =
        App::at(url, None, |builder| builder.variant("stripe", Stripe::new(SECRET)).read_replica(configured)).await;
    let first = app.order().await.token;
    app.deliver(&[&completed(&first)]).await;
    catch_up(&replica, "SELECT count(*) FROM pay_payments WHERE status = 'paid'", 1);
    let page = app.get("/payments/admin/payments").await.text();
    assert!(page.contains(first.as_str()) && page.contains("Read from a replica"), "{page}");

    // The standby gets what is written and does not show it any more.
    texts(&replica, "SELECT pg_wal_replay_pause()::text AS t");
    let second = app.order().await.token;
    let page = app.get("/payments/admin/payments").await.text();
    assert!(page.contains(first.as_str()) && !page.contains(second.as_str()), "{page}");
    assert!(page.contains("behind."), "{page}");
    // What decides and what acts is the primary's.
    assert_eq!(app.payment(&second).await.status.as_str(), "pending");
    let event = app.number("SELECT id FROM pay_events WHERE kind = 'checkout.session.completed'");
    assert_eq!(app.post(&format!("/payments/admin/events/{event}/requeue"), "").await.status, 303);
    assert_eq!(app.events("available"), 1);
    assert_eq!(number(&replica, "SELECT count(*) FROM pay_events WHERE state = 'available'"), 0);
    texts(&replica, "SELECT pg_wal_replay_resume()::text AS t");
    catch_up(&replica, "SELECT count(*) FROM pay_events WHERE state = 'available'", 1);
    let page = app.get("/payments/admin/payments").await.text();
    assert!(page.contains(second.as_str()), "{page}");

    pair.stop(pair.standby);
    let begun = Instant::now();
    let page = app.get("/payments/admin/payments").await;
    assert!(page.status == 200 && page.text().contains(second.as_str()), "{}", page.text());
    assert!(page.text().contains("The replica does not answer"), "{}", page.text());
    assert!(begun.elapsed() < RECOVERY, "a page takes {:?} without the standby", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(app.get("/payments/admin/payments").await.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(4), "it is not asked again at once: {:?}", begun.elapsed());
}

#[actix_web::test]
async fn without_a_replica_no_page_speaks_of_one() {
    let (url, folder) = fresh_database(crate::app::Kind::Sqlite);
    let app = App::at(url, folder, |builder| builder.variant("stripe", Stripe::new(SECRET))).await;
    let page = app.get("/payments/admin/payments").await.text();
    assert!(!page.contains("replica"), "{page}");
}

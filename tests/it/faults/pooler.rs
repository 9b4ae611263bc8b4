//! A real PgBouncer in transaction mode between app and Postgres: each transaction may reach another connection.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_payments::gateways::stripe::Stripe;
use actix_web::rt::time::sleep;

use super::RECOVERY;
use crate::app::{App, Kind, SECRET, fresh_database, number};
use crate::deploying::examples;
use crate::scenes::{completed, completed_as};

/// What the app says to PgBouncer.
const PASSWORD: &str = "between-app-and-pooler";

/// PgBouncer before one database, with the settings of `docs/deploy.md`.
struct Pooler {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Pooler {
    /// Before the database at this address; answers with the address that leads through it.
    fn before(url: &str) -> (Self, String) {
        let (user, rest) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let (host, server_port) = server.split_once(':').unwrap();
        let (user, password) = match user.split_once(':') {
            Some((user, password)) => (user, format!(" password={password}")),
            None => (user, String::new()),
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let users = folder.path().join("userlist.txt");
        std::fs::write(&users, format!("\"{user}\" \"{PASSWORD}\"\n")).unwrap();
        let mut config = examples("ini").into_iter().find(|text| text.contains("[pgbouncer]")).unwrap();
        for (shown, here) in [
            ("host=10.0.0.5 port=5432", format!("host={host} port={server_port} dbname={name} user={user}{password}")),
            ("listen_addr = 0.0.0.0", "listen_addr = 127.0.0.1".to_owned()),
            ("listen_port = 6432", format!("listen_port = {port}")),
            ("/etc/pgbouncer/userlist.txt", users.display().to_string()),
            // Three connections, in turn: no two transactions of a test follow each other on one.
            ("default_pool_size = 20", "default_pool_size = 3\nserver_round_robin = 1\nunix_socket_dir =".to_owned()),
        ] {
            assert_eq!(config.matches(shown).count(), 1, "{shown} in the guide");
            config = config.replace(shown, &here);
        }
        std::fs::write(folder.path().join("pgbouncer.ini"), config).unwrap();
        let process = start(folder.path());
        (Self { folder, port, process }, format!("postgres://{user}:{PASSWORD}@127.0.0.1:{port}/shop?pgbouncer=true"))
    }

    fn stop(&mut self) {
        let children = Command::new("pgrep").arg("-P").arg(self.process.id().to_string()).output().unwrap();
        for child in String::from_utf8(children.stdout).unwrap().split_whitespace() {
            Command::new("kill").args(["-9", child]).status().unwrap();
        }
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }

    fn start(&mut self) {
        self.process = start(self.folder.path());
        self.answers();
    }

    fn answers(&self) {
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(begun.elapsed() < RECOVERY, "PgBouncer does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.stop();
    }
}

/// It refuses to run as root.
fn start(folder: &Path) -> Child {
    let program = if Path::new("/usr/sbin/pgbouncer").exists() { "/usr/sbin/pgbouncer" } else { "pgbouncer" };
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
    let mut command = if is_root { Command::new("runuser") } else { Command::new(program) };
    if is_root {
        assert!(Command::new("chown").args(["-R", "postgres"]).arg(folder).status().unwrap().success());
        command.args(["-u", "postgres", "--", program]);
    }
    let log = std::fs::File::create(folder.join("log")).unwrap();
    command.arg(folder.join("pgbouncer.ini")).current_dir("/").stdout(Stdio::null()).stderr(log);
    command.spawn().expect("PgBouncer is not installed; scripts/test installs it")
}

async fn app() -> (App, Pooler) {
    let (url, _) = fresh_database(Kind::Postgres);
    let (pooler, through) = Pooler::before(&url);
    pooler.answers();
    (App::at(through, None, |builder| builder.variant("stripe", Stripe::new(SECRET))).await, pooler)
}

#[actix_web::test]
async fn through_a_pooler_in_transaction_mode_payments_are_made_and_paid() {
    let (app, _pooler) = app().await;
    // The pooler has three connections from now on, and takes them in turn.
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| number(&app.database, "SELECT count(*) FROM pg_sleep(0.5)"));
        }
    });
    for number in 0..12 {
        let token = app.order().await.token;
        assert_eq!(app.stripe(&completed_as(number, &token)).await.status, 200);
        app.drain().await;
        assert_eq!(app.status(&token).await.as_str(), "paid", "{:?}", app.outcomes());
        for page in ["/payments/admin", "/payments/admin/events", "/payments/admin/payments"] {
            let page = app.get(page).await;
            assert_eq!(page.status, 200, "{}", page.text());
        }
    }
}

#[actix_web::test]
async fn a_pooler_that_is_restarted_costs_no_event() {
    let (app, mut pooler) = app().await;
    let token = app.order().await.token;
    let worker = app.payments.worker().start().unwrap();
    assert_eq!(app.stripe(&super::ping(0)).await.status, 200);
    pooler.stop();
    let refused = app.stripe(&super::ping(1)).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{refused:?}");
    pooler.start();
    let begun = Instant::now();
    app.taken_again_within(2, RECOVERY).await;
    assert_eq!(app.stripe(&completed(&token)).await.status, 200);
    while app.status(&token).await.as_str() != "paid" {
        assert!(begun.elapsed() < RECOVERY, "{:?}", app.outcomes());
        sleep(Duration::from_millis(200)).await;
    }
    worker.stop().await;
}

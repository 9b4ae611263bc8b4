//! Is a copy of SQLite's file that is made while deliveries come a backup: is all in it that was acknowledged before, and
//! is it processed on?

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_payments::gateways::stripe::Stripe;
use diesel::RunQueryDsl;

use crate::app::{App, Kind, SECRET};
use crate::scenes::completed_as;

/// How a copy is made.
#[derive(Clone, Copy)]
enum Way {
    /// `.backup` of SQLite's own command.
    Command,
    /// `VACUUM INTO`, on any connection.
    Statement,
}

async fn the_copy_is_a_backup(way: Way) {
    let app = App::new(Kind::Sqlite).await;
    let mut tokens = Vec::new();
    for _ in 0..60 {
        tokens.push(app.order().await.token);
    }
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    let worker = app.payments.worker().start().unwrap();
    let mut acknowledged = 0;
    for (number, token) in tokens[..20].iter().enumerate() {
        assert_eq!(app.stripe(&completed_as(number, token)).await.status, 200);
        acknowledged = number + 1;
    }
    let (file, to, done) = (app.url.replace("sqlite://", ""), copy.clone(), Arc::new(AtomicBool::new(false)));
    let (database, over) = (app.database.clone(), done.clone());
    let copying = std::thread::spawn(move || {
        match way {
            Way::Command => {
                let mut command = Command::new("sqlite3");
                command.args(["-cmd", ".timeout 10000"]).arg(&file).arg(format!(".backup '{}'", to.display()));
                let ran = command.output().expect("sqlite3 is not installed; scripts/test installs it");
                assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
            }
            Way::Statement => {
                let mut conn = database.connection().unwrap();
                let actix_payments::AnyRef::Sqlite(conn) = conn.lent() else { unreachable!() };
                diesel::sql_query(format!("VACUUM INTO '{}'", to.display())).execute(conn).unwrap();
            }
        }
        over.store(true, Ordering::SeqCst);
    });
    // Deliveries come all the while, and none is refused.
    for (number, token) in tokens.iter().enumerate().skip(20) {
        assert_eq!(app.stripe(&completed_as(number, token)).await.status, 200);
        if done.load(Ordering::SeqCst) {
            break;
        }
    }
    copying.join().unwrap();
    worker.stop().await;

    let restored =
        App::at(format!("sqlite://{}", copy.display()), None, |builder| builder.variant("stripe", Stripe::new(SECRET)))
            .await;
    assert_eq!(restored.texts("SELECT integrity_check AS t FROM pragma_integrity_check"), ["ok"]);
    for number in 0..acknowledged {
        let stored = format!("SELECT count(*) FROM pay_events WHERE gateway_event_id = 'evt_{number}'");
        assert_eq!(restored.number(&stored), 1, "event {number} was acknowledged before the backup began");
    }
    // A worker that was at work when the copy was made is gone; its leases run out.
    restored.pass(600);
    restored.drain().await;
    assert_eq!(restored.number("SELECT count(*) FROM pay_events WHERE state <> 'completed'"), 0);
    for token in &tokens[..acknowledged] {
        assert_eq!(restored.status(token).await.as_str(), "paid");
        restored.same(token).await;
    }
}

#[actix_web::test]
async fn a_copy_by_the_command_of_sqlite_is_a_backup_also_under_load() {
    the_copy_is_a_backup(Way::Command).await;
}

#[actix_web::test]
async fn a_copy_by_a_statement_is_a_backup_also_under_load() {
    the_copy_is_a_backup(Way::Statement).await;
}

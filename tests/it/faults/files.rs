//! SQLite's file and its WAL, moved, replaced and deleted under the running app.

use std::path::{Path, PathBuf};

use actix_payments::ReadyChecks;

use super::{RECOVERY, log, ping};
use crate::app::{App, Kind};

fn file(app: &App) -> PathBuf {
    app.url.trim_start_matches("sqlite://").into()
}

fn wal(file: &Path) -> PathBuf {
    format!("{}-wal", file.display()).into()
}

/// An app that has taken events, and a copy of its database from before.
async fn running() -> (App, PathBuf, PathBuf) {
    log::listen();
    let app = App::new(Kind::Sqlite).await;
    let file = file(&app);
    let backup = file.with_extension("backup");
    app.run(&format!("VACUUM INTO '{}'", backup.display()));
    for number in 0..5 {
        assert_eq!(app.stripe(&ping(number)).await.status, 200);
    }
    (app, file, backup)
}

/// Nothing is acknowledged, and the log says why in one clear line.
async fn refuses(app: &App, words: &str) {
    for number in 100..110 {
        let answer = app.stripe(&ping(number)).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{answer:?}");
    }
    let ready = app.payments.ready(&ReadyChecks::new()).await;
    assert!(!ready.is_ready() && app.payments.live(), "no delivery can be taken: {ready:?}");
    let told = log::lines(words);
    let name = file(app).display().to_string();
    let told: Vec<_> = told.iter().filter(|line| line.contains(&name)).collect();
    assert!((1..=4).contains(&told.len()) && told[0].starts_with("ERROR"), "{told:#?}");
}

#[actix_web::test]
async fn a_replaced_file_is_noticed_before_anything_is_acknowledged() {
    let (app, file, backup) = running().await;
    let kept = file.with_extension("kept");
    std::fs::rename(&file, &kept).unwrap();
    std::fs::rename(&backup, &file).unwrap();
    refuses(&app, "another file").await;
    std::fs::rename(&kept, &file).unwrap();
    app.taken_again_within(10, RECOVERY).await;
    assert!(app.number("SELECT count(*) FROM pay_events") >= 6, "the file that was there first is gone on with");
}

#[actix_web::test]
async fn a_file_that_is_renamed_over_is_noticed() {
    let (app, file, backup) = running().await;
    std::fs::rename(&backup, &file).unwrap();
    refuses(&app, "another file").await;
}

#[actix_web::test]
async fn a_deleted_file_is_noticed_and_not_made_anew() {
    let (app, file, _) = running().await;
    let kept = file.with_extension("kept");
    std::fs::rename(&file, &kept).unwrap();
    refuses(&app, "is gone").await;
    assert!(!file.exists(), "an empty database in its place would hide what happened");
    std::fs::rename(&kept, &file).unwrap();
    app.taken_again_within(10, RECOVERY).await;
}

#[actix_web::test]
async fn a_deleted_wal_is_noticed() {
    let (app, file, _) = running().await;
    std::fs::remove_file(wal(&file)).unwrap();
    refuses(&app, "-wal").await;
}

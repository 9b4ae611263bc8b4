//! Does the shop's command line work beside the running shop?

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::app::{Kind, on_both_databases};
use crate::shop::process::{Place, SECRET, built};

impl Place {
    fn command(&self, words: &[&str]) -> Output {
        self.run(Command::new(built()).args(words))
    }

    /// The same on a terminal, as `script` makes one.
    fn on_a_terminal(&self, words: &str, environment: &[(&str, &str)]) -> String {
        let typed = format!("{} {words}", built().display());
        let mut script = Command::new("script");
        let shown = self.run(script.args(["-qec", &typed, "/dev/null"]).envs(environment.iter().copied()));
        text(&shown.stdout)
    }

    /// Runs a program beside the shop, on the same database.
    fn run(&self, program: &mut Command) -> Output {
        let given: Vec<_> =
            program.get_envs().map(|(name, value)| (name.to_owned(), value.unwrap().to_owned())).collect();
        let secrets = [("STRIPE_WEBHOOK_SECRET", SECRET), ("ADMIN_PASSWORD", "secret"), ("USER", "anna")];
        program
            .env_clear()
            .envs(["PATH", "LD_LIBRARY_PATH"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("DATABASE_URL", &self.url)
            .envs(secrets)
            .envs(given)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

on_both_databases! {
    async fn the_shop_answers_operators_while_it_runs(kind) {
        let place = Place::fresh(kind);
        let shut = place.command(&["doctor"]);
        assert_eq!(shut.status.code(), Some(1), "{shut:?}");
        assert!(text(&shut.stdout).contains("FAULT\tmigrations\tNot run yet: none") || text(&shut.stdout).contains("0001_foundation"), "{shut:?}");
        let shop = place.open();
        let sent = place.command(&["send", "stripe", "--to", &format!("{}/payments/stripe/", shop.root)]);
        assert!(sent.status.success() && text(&sent.stdout).contains("answered 200"), "{sent:?}");
        let events = place.command(&["events", "--state", "ignored", "--json"]);
        let events: Value = serde_json::from_slice(&events.stdout).unwrap();
        let id = events["events"][0]["id"].to_string();
        let requeued = place.command(&["requeue", &id]);
        assert_eq!((requeued.status.code(), text(&requeued.stdout)), (Some(0), "1 requeued\n".to_owned()), "{requeued:?}");
        place.settled();
        assert_eq!(place.texts("SELECT actor AS t FROM pay_audit WHERE act = 'requeue_many'"), ["anna"]);
        let healthy = place.command(&["doctor"]);
        assert_eq!(healthy.status.code(), Some(0), "{healthy:?}");
        assert!(!text(&healthy.stdout).contains('\u{1b}'), "no colour where nobody sees it: {healthy:?}");
        let wrong = place.command(&["events", "--state", "lost"]);
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    }

    async fn colours_are_for_a_terminal_whose_user_wants_some(kind) {
        let place = Place::fresh(kind);
        let colored = "\u{1b}[31mFAULT\u{1b}[0m";
        let shown = place.on_a_terminal("doctor", &[]);
        assert!(shown.contains(colored) && shown.contains("HOW IT IS"), "{shown:?}");
        let shown = place.on_a_terminal("doctor", &[("NO_COLOR", "1")]);
        assert!(shown.contains("FAULT") && shown.contains("HOW IT IS") && !shown.contains('\u{1b}'), "{shown:?}");
        let shown = place.on_a_terminal("doctor", &[("NO_COLOR", "")]);
        assert!(shown.contains(colored), "set to nothing is not set: {shown:?}");
        let piped = text(&place.command(&["doctor"]).stdout);
        assert!(piped.contains("FAULT\t") && !piped.contains('\u{1b}'), "{piped:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_a_finding_of_the_doctor_and_ends_with_3() {
    let mut place = Place::fresh(Kind::Sqlite);
    place.url = "postgres://nobody@127.0.0.1:9/shop".to_owned();
    let said = place.command(&["doctor"]);
    assert_eq!(said.status.code(), Some(3), "{said:?}");
    assert!(text(&said.stdout).starts_with("FAULT\tdatabase\tIt does not answer: "), "{said:?}");
}

#[test]
fn a_missing_folder_of_the_file_is_named_by_every_verb_and_ends_with_3() {
    let mut place = Place::fresh(Kind::Sqlite);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("not-mounted").display().to_string();
    place.url = format!("sqlite://{folder}/shop.db");
    let why = format!("there is no folder {folder:?}");
    let doctor = place.command(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(3), "{doctor:?}");
    assert!(text(&doctor.stdout).starts_with("FAULT\tdatabase\t") && text(&doctor.stdout).contains(&why), "{doctor:?}");
    for words in [&["status"][..], &["events", "--json"], &["migrate"], &["requeue", "1"], &["rebuild", "--all"]] {
        let said = place.command(words);
        assert_eq!(said.status.code(), Some(3), "{words:?}: {said:?}");
        assert!(text(&said.stderr).contains(&why) && said.stdout.is_empty(), "{words:?}: {said:?}");
    }
    assert!(!home.path().join("not-mounted").exists());
}

#[test]
fn a_password_is_hashed_before_anything_is_set_up() {
    let mut shop = Command::new(built());
    let home = tempfile::tempdir().unwrap();
    shop.arg("hash-password").current_dir(home.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shop.env_remove("DATABASE_URL").spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
    let said = child.wait_with_output().unwrap();
    let hash = text(&said.stdout);
    assert!(said.status.success() && hash.starts_with("$argon2id$") && hash.lines().count() == 1, "{said:?}");
    assert!(actix_payments::basic_auth("admin", hash.trim()).is_ok());
}

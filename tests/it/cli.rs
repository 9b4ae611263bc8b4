//! Does the command line find faults, act, and say what programs and people need?

mod doctor;
mod shop;

use actix_payments::cli::Reader;
use actix_payments::cli::{Answer, Command};
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Database, Payments};
use clap::{CommandFactory, Parser};
use serde_json::{Value, json};

use crate::app::{App, NOW, SECRET, fresh_database, on_both_databases, texts};
use crate::events::{changed, fixture};
use crate::scenes::{completed, completed_as, money};
use crate::stripe::fake::Fake;

/// A host's program.
#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

impl App {
    /// Runs a command, its output for programs.
    pub(crate) async fn cli(&self, words: &str) -> Answer {
        let words = ["program"].into_iter().chain(words.split_whitespace());
        Program::try_parse_from(words).unwrap().command.answer(&self.payments, Reader::Program).await
    }

    /// The answer to `words` with `--json`.
    pub(crate) async fn json(&self, words: &str) -> Value {
        let answer = self.cli(&format!("{words} --json")).await;
        serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{words}: {error} in {answer:?}"))
    }

    fn acts(&self) -> Vec<String> {
        self.texts("SELECT act || ' by ' || actor || ' from ' || coalesce(address, '') AS t FROM pay_audit ORDER BY id")
    }
}

/// An event that can't be read.
fn broken(id: &str) -> String {
    changed("charge.succeeded", &[("/id", id.into()), ("/data/object/amount", "?".into())])
}

on_both_databases! {
    async fn lists_say_the_same_to_people_and_programs(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token), &broken("evt_broken")]).await;
        let answer = app.cli("events --state discarded").await;
        assert!(answer.code == 0 && answer.text.lines().count() == 1, "{answer:?}");
        assert_eq!(answer.text.split('\t').nth(4), Some("charge.succeeded"), "{answer:?}");
        let events = app.json("events --limit 1").await;
        assert_eq!((events["events"].as_array().unwrap().len(), events["events"][0]["id"].as_i64()), (1, Some(2)));
        let next = events["next"].as_i64().unwrap();
        let rest = app.json(&format!("events --after {next}")).await;
        assert_eq!(rest["events"][0]["state"], "completed");
        let one = app.json("events 1").await;
        assert_eq!((one["payment"].as_str(), one["state"].as_str()), (Some(&*token), Some("completed")));
        let payment = app.json(&format!("payments {token}")).await;
        assert_eq!((payment["status"].as_str(), payment["captured"].as_i64()), (Some("paid"), Some(4999)));
        assert_eq!(payment["transitions"][0]["to"], "paid");
        assert_eq!(app.json("payments --status paid").await["payments"][0]["token"], token.as_str());
        assert_eq!(app.json("payments --status refunded").await["payments"].as_array().unwrap().len(), 0);
        assert_eq!(app.json("status").await["now"]["retryable"], 0);
        let alarm = &app.json("status").await["alarms"][0];
        assert_eq!(alarm["key"], "discarded:stripe:charge.succeeded");
        assert_eq!(alarm["link"], "/payments/admin/events?state=discarded&variant=stripe");
        assert_eq!(app.json("subscriptions").await["subscriptions"].as_array().unwrap().len(), 0);
        let unknown = app.cli("events 99").await;
        assert_eq!((unknown.code, unknown.text.as_str(), unknown.problem.as_deref()), (1, "", Some("there is no event 99")));
    }

    async fn events_are_requeued_and_discarded_by_number_or_by_filter_and_the_audit_says_who(kind) {
        let app = App::new(kind).await;
        app.deliver(&[&broken("evt_1"), &broken("evt_2"), &fixture("payout.paid").to_string()]).await;
        assert_eq!(app.events("discarded"), 2);
        let dry = app.cli("requeue --state discarded --dry-run").await;
        assert!(dry.code == 0 && dry.text.lines().count() == 2 && app.acts().is_empty(), "{dry:?}");
        let done = app.cli("requeue --state discarded --actor anna").await;
        assert_eq!((done.code, done.text.as_str(), app.events("available")), (0, "2 requeued\n", 2));
        let by = |act: &str| format!("{act} by anna from command line");
        assert_eq!(app.acts(), [by("requeue_many")]);
        let done = app.cli("discard 1 3 --actor anna").await;
        assert_eq!((done.code, app.events("discarded")), (1, 1), "{done:?}");
        assert!(done.text.starts_with("1 discarded\n1 refused: It is "), "{done:?}");
        for wrong in ["requeue", "requeue 1 --state discarded", "discard 99"] {
            let answer = app.cli(wrong).await;
            assert!(answer.code == 1 && answer.problem.is_some(), "{wrong}: {answer:?}");
        }
    }

    async fn gateways_are_asked_and_a_dry_run_takes_nothing(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let new = actix_payments::NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.pay(&token);
        let events = app.number("SELECT count(*) FROM pay_events");
        assert_eq!(app.json("reconcile --dry-run").await["reconciled"][0]["missing"], 3);
        assert!(app.cli(&format!("refresh {token} --dry-run")).await.text.starts_with("would ask"));
        assert_eq!((app.number("SELECT count(*) FROM pay_events"), app.acts()), (events, Vec::new()));
        let refreshed = app.json(&format!("refresh {token} --actor anna")).await;
        assert_eq!((refreshed["before"].as_str(), refreshed["status"].as_str()), (Some("pending"), Some("paid")));
        assert_eq!(app.json("reconcile stripe --actor anna").await["reconciled"][0]["missing"], 3);
        assert_eq!(app.acts(), ["refresh by anna from command line", "reconcile by anna from command line"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_operations WHERE verb = 'refresh' AND actor = 'anna'"), 1);
        assert_eq!(app.cli("refresh pay_nobody").await.code, 1);
        assert_eq!(app.cli("reconcile paypal").await.code, 1);
    }

    async fn what_differs_is_found_and_put_right(kind) {
        let app = App::new(kind).await;
        let tokens = [app.order().await.token, app.order().await.token];
        app.deliver(&[&completed_as(1, &tokens[0]), &completed_as(2, &tokens[1])]).await;
        let fine = app.cli("rebuild --all --check").await;
        assert_eq!((fine.code, fine.text.as_str()), (0, ""));
        app.run(&format!("UPDATE pay_payments SET status = 'pending', captured_amount = 0 WHERE token = '{}'", tokens[1]));
        let found = app.json("rebuild --all --check").await;
        assert_eq!((found["compared"].as_i64(), found["differing"][0]["token"].as_str()), (Some(2), Some(&*tokens[1])));
        assert_eq!(app.cli(&format!("rebuild {} --check", tokens[1])).await.code, 1);
        assert_eq!(app.cli("rebuild --all --actor anna").await.code, 0);
        app.drain().await;
        assert_eq!(app.cli("rebuild --all --check").await.code, 0);
        assert_eq!(app.acts(), ["rebuild by anna from command line"]);
    }

    async fn old_bodies_are_counted_before_they_are_pruned(kind) {
        let age = std::time::Duration::from_secs(86_400);
        let app = App::with(kind, |builder| builder.retention(actix_payments::Retention::after(age))).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(app.json("prune --dry-run").await["prunable"], 0);
        app.pass(86_400);
        assert_eq!(app.json("prune --dry-run").await["prunable"], 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_event_bodies"), 1);
        assert_eq!(app.json("prune --actor anna").await["pruned"], 1);
        let left = app.json("rebuild --all --check").await;
        assert_eq!((left["compared"].as_i64(), left["pruned"].as_i64(), left["differing"].clone()), (Some(0), Some(1), json!([])));
        assert_eq!(app.cli("rebuild --all --check").await.code, 0, "a retention makes more of them every day");
        assert_eq!(app.cli(&format!("rebuild {token} --check")).await.code, 1, "of this one it was asked");
        assert_eq!(app.acts(), ["prune by anna from command line"]);
    }

    async fn tables_are_made_and_what_is_pending_is_listed_before(kind) {
        let app = App::new(kind).await;
        assert_eq!(app.cli("migrate --dry-run").await.text, "");
        app.run("DROP TABLE pay_alarms");
        app.run("DROP INDEX pay_ledger_disputes");
        app.run("DROP INDEX pay_operations_unknown");
        app.run("ALTER TABLE pay_chores DROP COLUMN failing_since");
        app.run("ALTER TABLE pay_chores DROP COLUMN failure");
        app.run("DELETE FROM pay_migrations WHERE name = '0021_alarms'");
        assert_eq!(app.cli("migrate --dry-run").await.text, "0021_alarms\n");
        let sql = app.cli("migrate --sql").await.text;
        assert!(sql.starts_with("-- 0021_alarms\n") && sql.contains("CREATE TABLE pay_alarms"), "{sql}");
        assert!(sql.contains("INSERT INTO pay_migrations"), "{sql}");
        assert_eq!(app.acts(), Vec::<String>::new(), "nobody has done anything yet");
        assert_eq!(app.json("migrate --actor anna").await["steps"][0], "0021_alarms");
        assert_eq!(app.cli("migrate --dry-run").await.text, "");
        assert_eq!(app.cli("migrate --actor bob").await.code, 0);
        assert_eq!(app.acts(), ["migrate by anna from command line"], "who finds all done has done nothing");
        assert_eq!(app.texts("SELECT detail AS t FROM pay_audit"), ["0021_alarms"]);
        let audit = app.get("/payments/admin/audit").await.text();
        assert!(audit.contains("migrate") && audit.contains("anna") && audit.contains("0021_alarms"), "{audit}");
    }

    async fn tables_are_made_before_there_is_an_audit_that_says_by_whom(kind) {
        let (url, _folder) = fresh_database(kind);
        let database = Database::from_url(&url).unwrap();
        let payments = Payments::builder(database.clone()).variant("stripe", Stripe::new(SECRET)).build().unwrap();
        let words = ["program", "migrate", "--actor", "anna"];
        let answer = Program::try_parse_from(words).unwrap().command.answer(&payments, Reader::Program).await;
        assert!(answer.code == 0 && answer.text.starts_with("0001_foundation\n"), "{answer:?}");
        let acts = "SELECT act || ' by ' || actor || ': ' || detail AS t FROM pay_audit";
        let acts = texts(&database, acts);
        assert!(acts.len() == 1 && acts[0].starts_with("migrate by anna: 0001_foundation, 0002_lists, "), "{acts:?}");
    }

    async fn states_have_colours_for_people_and_none_for_programs(kind) {
        let app = App::new(kind).await;
        app.deliver(&[&broken("evt_broken"), &fixture("payout.paid").to_string()]).await;
        for (words, painted) in [
            ("events", "\u{1b}[31mdiscarded\u{1b}[0m"),
            ("doctor", "\u{1b}[31mFAULT\u{1b}[0m"),
            ("doctor", "\u{1b}[33mWARNING\u{1b}[0m"),
            ("doctor", "\u{1b}[32mok\u{1b}[0m"),
        ] {
            let words = ["program", words];
            let shown = Program::try_parse_from(words).unwrap().command.answer(&app.payments, Reader::Terminal).await.text;
            assert!(shown.contains(painted), "{painted:?} in {shown:?}");
            let piped = Program::try_parse_from(words).unwrap().command.answer(&app.payments, Reader::Program).await.text;
            assert!(!piped.contains('\u{1b}') && piped.contains('\t'), "{piped:?}");
        }
    }
}

/// Every command, with its help.
fn helps() -> Vec<(String, String)> {
    let program = Program::command();
    let each =
        program.get_subcommands().map(|it| (it.get_name().to_owned(), it.clone().render_long_help().to_string()));
    each.collect()
}

#[test]
fn every_command_has_a_help_that_stands_alone() {
    let helps = helps();
    assert!(helps.len() >= 14, "{helps:?}");
    for (name, help) in &helps {
        let first = help.lines().next().unwrap();
        assert!(first.split(' ').count() > 3 && !first.starts_with("Usage"), "{name} says what it does: {help}");
        assert!(help.contains("--json"), "{name} can answer programs: {help}");
        let acts = [
            "requeue",
            "discard",
            "reconcile",
            "refresh",
            "prune",
            "rebuild",
            "send",
            "migrate",
            "drift",
            "erase",
            "export",
        ];
        assert_eq!(help.contains("--dry-run"), acts.contains(&name.as_str()), "{name}: {help}");
        let undocumented = help
            .lines()
            .zip(help.lines().skip(1))
            .filter(|(line, next)| line.trim_start().starts_with("--") && next.trim().is_empty());
        assert_eq!(undocumented.count(), 0, "{name}: {help}");
    }
}

#[test]
fn every_help_has_an_example_that_is_understood() {
    for (name, help) in helps() {
        let (_, examples) = help.split_once("\nExample").unwrap_or_else(|| panic!("{name} has no example: {help}"));
        let examples: Vec<&str> = examples.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect();
        assert!(!examples.is_empty(), "{name}: {help}");
        for example in examples {
            let typed = example.split(" < ").next().unwrap();
            assert!(typed == name || typed.starts_with(&format!("{name} ")), "{name}: {example}");
            let words = ["program"].into_iter().chain(typed.split(' '));
            let understood = Program::try_parse_from(words).map(drop);
            assert!(understood.is_ok(), "{example}: {}", understood.unwrap_err());
        }
    }
}

#[test]
fn what_is_mistyped_is_refused_with_what_was_expected() {
    let refused = |words: &str| Program::try_parse_from(words.split(' ')).err().unwrap().to_string();
    assert!(refused("program events --state lost").contains("expected one of available, running"));
    assert!(refused("program payments --status done").contains("expected one of pending"));
    assert!(refused("program rebuild").contains("<TOKEN>"));
}

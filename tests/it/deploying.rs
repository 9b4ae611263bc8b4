//! Is what the guide to deploying shows what the programs take that it is for? PgBouncer's settings are tried by
//! `faults/pooler.rs`, copies of SQLite's file by `backup.rs`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use actix_payments::cli;
use actix_web::test::{TestRequest, call_service, init_service};
use clap::Parser;
use yaml_rust2::{Yaml, YamlLoader};

use crate::app::{App, Kind};

/// How long requests and handlers may take that run when the shop is told to end: `shutdown_timeout` in the shop, and
/// `Worker::patience`.
const ENDING: i64 = 10 + 30;

/// The examples in this language in `docs/deploy.md`.
pub fn examples(language: &str) -> Vec<String> {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy.md")).unwrap();
    let begins = format!("\n```{language}\n");
    let found: Vec<String> =
        guide.split(&begins).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect();
    assert!(!found.is_empty(), "no example in {language}");
    found
}

/// The shop's sources, in which its settings are read.
const SETTINGS: &str = include_str!("../../examples/shop/settings.rs");

fn is_read_by_the_shop(name: &str) -> bool {
    SETTINGS.contains(&format!("given(\"{name}\")"))
}

/// A unit's lines in the guide: `TimeoutStopSec=50`.
fn line<'a>(unit: &'a str, key: &str) -> &'a str {
    let found = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {key} in {unit}"))
}

#[test]
fn systemd_takes_the_units_and_knows_every_word_of_them() {
    let units: Vec<String> = examples("ini").into_iter().filter(|text| text.starts_with("[Unit]")).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, words) in
        [("shop.service", "[Install]"), ("shop-backup.service", "Type=oneshot"), ("shop-backup.timer", "[Timer]")]
    {
        let is_it = |unit: &&String| unit.contains(words) && unit.contains("[Service]") == name.ends_with("service");
        let unit = units.iter().find(is_it).unwrap_or_else(|| panic!("no {name} in the guide"));
        // Of the programs that they run this one is on no machine yet.
        let program = std::env::current_exe().unwrap();
        let unit = unit.replace("/usr/local/bin/shop", program.to_str().unwrap());
        let file = folder.path().join(name);
        std::fs::write(&file, unit).unwrap();
        files.push(file);
    }
    assert_eq!(units.len(), files.len(), "all units are looked at");
    let mut verify = Command::new("systemd-analyze");
    let said = verify.args(["verify", "--man=no"]).args(&files).env("SYSTEMD_LOG_LEVEL", "warning").output();
    let said = said.expect("systemd-analyze, of Debian's package systemd; scripts/test installs it");
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    let ours: Vec<&str> = text.lines().filter(|line| line.contains("shop")).collect();
    assert!(said.status.success() && ours.is_empty(), "{text}");

    let service = units.iter().find(|unit| unit.contains("Restart=")).unwrap();
    let patience: i64 = line(service, "TimeoutStopSec").parse().unwrap();
    assert!(patience > ENDING, "systemd kills it after {patience} s, and its own patience is {ENDING} s");
    for given in line(service, "Environment").split(' ') {
        let name = given.split('=').next().unwrap();
        assert!(is_read_by_the_shop(name), "the shop does not read {name}");
    }
}

/// A value by the names and numbers that lead to it: `spec.template.spec.containers.0`.
fn at<'a>(object: &'a Yaml, path: &str) -> &'a Yaml {
    path.split('.').fold(object, |value, name| match name.parse::<usize>() {
        Ok(number) => &value[number],
        Err(_) => &value[name],
    })
}

fn text<'a>(object: &'a Yaml, path: &str) -> &'a str {
    at(object, path).as_str().unwrap_or_else(|| panic!("no text at {path} in {object:?}"))
}

fn number(object: &Yaml, path: &str) -> i64 {
    at(object, path).as_i64().unwrap_or_else(|| panic!("no number at {path} in {object:?}"))
}

/// A container's variables, by name.
fn environment(container: &Yaml) -> BTreeMap<&str, &str> {
    let given = at(container, "env").as_vec().map(Vec::as_slice).unwrap_or_default();
    given.iter().map(|one| (text(one, "name"), text(one, "value"))).collect()
}

/// A host's program.
#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    _command: cli::Command,
}

fn objects(kind: &str) -> Vec<Yaml> {
    let kubernetes = examples("yaml").into_iter().find(|text| text.contains("apiVersion")).unwrap();
    let all = YamlLoader::load_from_str(&kubernetes).unwrap();
    assert_eq!(all.len(), 4, "a job, two deployments and a service");
    let found: Vec<Yaml> = all.into_iter().filter(|object| text(object, "kind") == kind).collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

#[actix_web::test]
async fn kubernetes_asks_for_what_the_shop_answers_and_gives_it_its_time() {
    let app = App::new(Kind::Sqlite).await;
    let service = init_service(actix_web::App::new().service(app.payments.health("/health"))).await;
    for deployment in objects("Deployment") {
        assert_eq!(text(&deployment, "apiVersion"), "apps/v1");
        let labels = at(&deployment, "spec.template.metadata.labels");
        assert_eq!(at(&deployment, "spec.selector.matchLabels"), labels);
        let container = at(&deployment, "spec.template.spec.containers.0");
        let given = environment(container);
        assert!(given.keys().all(|name| is_read_by_the_shop(name)), "{given:?}");
        assert_eq!(given["ROLE"], text(labels, "role"));
        assert!(SETTINGS.contains(&format!("\"{}\" => Ok(", given["ROLE"])), "{given:?}");
        let port: i64 = given["BIND"].rsplit(':').next().unwrap().parse().unwrap();
        assert_eq!(number(container, "ports.0.containerPort"), port);
        let mut asked = Vec::new();
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            let get = at(container, &format!("{probe}.httpGet"));
            if get.is_badvalue() {
                continue;
            }
            assert_eq!(number(get, "port"), port, "{probe}");
            let path = text(get, "path");
            let answer = call_service(&service, TestRequest::with_uri(path).to_request()).await;
            assert_eq!(answer.status().as_u16(), 200, "{probe} asks for {path}");
            asked.push((probe, path.to_owned()));
        }
        let is_asked = |probe: &str, path: &str| asked.contains(&(probe, path.to_owned()));
        assert!(is_asked("livenessProbe", "/health/live"), "an outage of the database is no reason to start anew");
        assert_eq!(is_asked("readinessProbe", "/health/ready"), given["ROLE"] == "receive", "{asked:?}");
        let before = at(container, "lifecycle.preStop.exec.command.1").as_str().map_or(0, |time| time.parse().unwrap());
        let grace = number(&deployment, "spec.template.spec.terminationGracePeriodSeconds");
        assert!(grace > before + ENDING, "{grace} s are less than {before} and {ENDING}");
    }
}

#[test]
fn kubernetes_leads_to_those_who_receive_and_migrates_by_a_command_that_there_is() {
    let service = objects("Service").remove(0);
    let receives = objects("Deployment").into_iter().filter(|it| {
        let labels = at(it, "spec.template.metadata.labels");
        at(&service, "spec.selector")
            .as_hash()
            .unwrap()
            .iter()
            .all(|(name, value)| labels[name.as_str().unwrap()] == *value)
    });
    let receives: Vec<Yaml> = receives.collect();
    assert_eq!(receives.iter().map(|it| text(it, "metadata.name")).collect::<Vec<_>>(), ["shop-receive"]);
    let port = number(&receives[0], "spec.template.spec.containers.0.ports.0.containerPort");
    assert_eq!(number(&service, "spec.ports.0.targetPort"), port);
    let job = objects("Job").remove(0);
    let words = at(&job, "spec.template.spec.containers.0.args").as_vec().unwrap();
    let words = ["shop"].into_iter().chain(words.iter().map(|word| word.as_str().unwrap()));
    assert!(Program::try_parse_from(words).is_ok());
    assert_eq!(text(&job, "spec.template.spec.restartPolicy"), "Never", "a job that restarts in place is no job");
}

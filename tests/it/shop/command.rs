//! Does the command that the shop prints work when it is pasted?

use std::process::Command;

use super::process::{Place, Shop};
use crate::app::on_both_databases;

/// Runs what the shop printed, in a terminal that has this environment.
fn paste(shop: &Shop, environment: &[(&str, &str)]) -> String {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &shop.command]);
    let ran = bash.envs(environment.iter().copied()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{}\n{out}\n{err}", shop.command);
    out.into_owned()
}

fn is_taken_and_parked(place: &Place, answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\nok"), "{answer}");
    let waits = "SELECT count(*) FROM pay_events WHERE state = 'parked' AND due_at IS NOT NULL AND secret = 'primary'";
    let until = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while place.number(waits) != 1 {
        assert!(std::time::Instant::now() < until, "{:?}", place.texts("SELECT state AS t FROM pay_events"));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

on_both_databases! {
    async fn the_printed_command_sends_an_event_that_is_taken(kind) {
        let place = Place::fresh(kind);
        let shop = place.open_with(&[]);
        let answer = paste(&shop, &[]);
        is_taken_and_parked(&place, &answer);
    }

    async fn the_printed_command_works_where_the_secrets_are_in_the_environment(kind) {
        let place = Place::fresh(kind);
        let secrets = [("STRIPE_WEBHOOK_SECRET", "whsec_one,whsec_two")];
        let shop = place.open_with(&secrets);
        assert!(!shop.command.contains("whsec_"), "a given secret is printed: {}", shop.command);
        let answer = paste(&shop, &secrets);
        is_taken_and_parked(&place, &answer);
    }
}

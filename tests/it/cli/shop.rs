//! Does the shop's command line work beside the running shop?

use std::process::{Command, Output};

use serde_json::Value;

use crate::app::on_both_databases;
use crate::shop::process::{Place, SECRET};

impl Place {
    fn command(&self, words: &[&str]) -> Output {
        let secrets = [("STRIPE_WEBHOOK_SECRET", SECRET), ("ADMIN_PASSWORD", "secret"), ("USER", "anna")];
        Command::new(crate::shop::process::built())
            .args(words)
            .env_clear()
            .envs(["PATH", "LD_LIBRARY_PATH"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("DATABASE_URL", &self.url)
            .envs(secrets)
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
}

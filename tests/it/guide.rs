//! Does the guide say what is so: its pictures what the rules allow, its tables what is there?

use std::collections::BTreeSet;

use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::payment::{Status, derive};
use actix_payments::domain::subscription::{SubscriptionFact, SubscriptionFacts, SubscriptionStatus};
use actix_payments::gateways::adyen::Adyen;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::hmac_webhooks::HmacWebhooks;
use actix_payments::gateways::lemon_squeezy::LemonSqueezy;
use actix_payments::gateways::mercado_pago::MercadoPago;
use actix_payments::gateways::mollie::Mollie;
use actix_payments::gateways::paddle::Paddle;
use actix_payments::gateways::paypal::PayPal;
use actix_payments::gateways::polar::Polar;
use actix_payments::gateways::razorpay::Razorpay;
use actix_payments::gateways::square::Square;
use actix_payments::gateways::standard_webhooks::StandardWebhooks;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::gateways::{Gateway, Verb};

use crate::app::{App, on_both_databases};
use crate::ledger::stories::{DUE, child, fact, refund, terms};
use crate::subscriptions::facts::{content, snapshot};

/// A step between two states, by their names.
type Step = (String, String);

/// The states and the steps of a picture. A step may be drawn from and to several states at once, and in both
/// directions.
fn drawn(picture: &str) -> (BTreeSet<String>, BTreeSet<Step>) {
    fn value<'a>(line: &'a str, attribute: &str) -> Option<&'a str> {
        line.split_once(&format!(" {attribute}=\""))?.1.split('"').next()
    }
    let states = picture.lines().filter_map(|line| value(line, "data-state")).map(str::to_owned).collect();
    let mut steps = BTreeSet::new();
    for line in picture.lines() {
        let Some((from, to)) = value(line, "data-from").zip(value(line, "data-to")) else { continue };
        for (from, to) in from.split(' ').flat_map(|from| to.split(' ').map(move |to| (from, to))) {
            steps.insert((from.to_owned(), to.to_owned()));
            if value(line, "data-both").is_some() {
                steps.insert((to.to_owned(), from.to_owned()));
            }
        }
    }
    steps.retain(|(from, to)| from != to);
    (states, steps)
}

fn names<T: ToString>(all: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    all.into_iter().map(|one| one.to_string()).collect()
}

/// What may be said of one attempt to pay at this minute, after what was said before.
fn may_follow(before: &[Fact], minute: i64) -> Vec<Fact> {
    let state = derive(terms(), &Ledger::from_facts(before.iter().cloned()));
    let attempts = [State::Pending, State::Authorized, State::Failed, State::Canceled, State::Expired];
    let mut next: Vec<Fact> =
        attempts.into_iter().map(|state| fact(Aspect::Authorization, "pi_1", state, minute, DUE)).collect();
    next.push(child("pi_1", fact(Aspect::Capture, "ch_1", State::Succeeded, minute, DUE)));
    for (id, minor) in [("re_part", 1999), ("re_rest", 3000), ("re_all", DUE)] {
        let is_made = before.iter().any(|fact| fact.gateway_ref == id);
        if is_made {
            next.push(refund(id, State::Failed, 0, minute, minor));
        } else if state.status.was_paid() && minor <= state.remaining() {
            next.push(refund(id, State::Succeeded, minute, minute, minor));
        }
    }
    next
}

/// The steps of all lives of a payment with up to this many facts, each later than the one before.
fn steps_of_payments(facts: i64) -> BTreeSet<Step> {
    let mut steps = BTreeSet::new();
    let mut lives = vec![Vec::new()];
    for minute in 0..facts {
        let grown = lives.iter().flat_map(|life: &Vec<Fact>| {
            may_follow(life, minute).into_iter().map(|next| life.iter().cloned().chain([next]).collect())
        });
        lives = grown.collect::<Vec<Vec<Fact>>>();
        for life in &lives {
            let status = |facts: &[Fact]| derive(terms(), &Ledger::from_facts(facts.iter().cloned())).status;
            let (before, after) = (status(&life[..life.len() - 1]), status(life));
            if before != after {
                steps.insert((before.to_string(), after.to_string()));
            }
        }
    }
    steps
}

#[test]
fn the_picture_of_a_payment_shows_the_steps_that_the_rules_allow() {
    let (states, steps) = drawn(include_str!("../../docs/payment-states.svg"));
    assert_eq!(states, names(Status::ALL));
    assert_eq!(steps, steps_of_payments(4));
}

#[test]
fn a_second_attempt_takes_up_what_the_first_one_ended() {
    for end in [State::Failed, State::Canceled, State::Expired] {
        for (word, status) in [(State::Pending, Status::Pending), (State::Authorized, Status::Authorized)] {
            let first = fact(Aspect::Authorization, "pi_1", end, 1, DUE);
            let second = fact(Aspect::Authorization, "pi_2", word, 2, DUE);
            assert_eq!(derive(terms(), &Ledger::from_facts([first, second])).status, status, "{end:?}, {word:?}");
        }
    }
}

#[test]
fn the_picture_of_a_subscription_shows_the_steps_that_the_rules_allow() {
    let shown = |status, second| SubscriptionFact::Snapshot(Box::new(snapshot(content(status, 1), second, second)));
    let mut allowed = BTreeSet::new();
    for from in SubscriptionStatus::ALL {
        for to in SubscriptionStatus::ALL {
            let after = SubscriptionFacts::of([shown(from, 0), shown(to, 1)]).state().status;
            if after != from {
                allowed.insert((from.to_string(), after.to_string()));
            }
        }
    }
    let (states, steps) = drawn(include_str!("../../docs/subscription-states.svg"));
    assert_eq!(states, names(SubscriptionStatus::ALL));
    assert_eq!(steps, allowed);
}

#[test]
fn the_words_have_every_status_and_every_state_of_an_event() {
    let words = include_str!("../../docs/words.md");
    let states = ["available", "running", "retryable", "parked", "completed", "ignored", "discarded"];
    let statuses = names(Status::ALL).into_iter().chain(names(SubscriptionStatus::ALL));
    let statuses = statuses.map(|name| format!("| `{name}` |"));
    let rows = states.iter().map(|state| format!("| **{state}** |")).chain(statuses);
    assert_eq!(rows.filter(|row| !words.contains(row)).collect::<Vec<_>>(), [""; 0]);
}

/// The variants of an enum of this file, by its text.
fn variants<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
    let body = body.split("\n}").next().unwrap();
    let lines = body.lines().map(str::trim).filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    lines.filter_map(|line| line.split(|c: char| !c.is_alphanumeric()).next()).collect()
}

#[test]
fn the_chapter_on_errors_says_of_each_what_to_do() {
    let chapter = include_str!("../../docs/errors.md");
    for (heading, source, name, count) in [
        ("## Your calls", include_str!("../../src/error/mod.rs"), "ErrorKind", 7),
        ("## Your handlers", include_str!("../../src/engine/handler.rs"), "HandlerError", 3),
        ("## Your gateway", include_str!("../../src/gateways/call.rs"), "GatewayError", 5),
    ] {
        let section = chapter.split_once(heading).unwrap().1.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
        let rows: Vec<(&str, usize)> = rows.map(|(name, rest)| (name, rest.matches(" |").count())).collect();
        let listed: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, variants(source, name), "{heading}");
        assert_eq!(rows.len(), count);
        assert!(rows.iter().all(|(_, cells)| *cells >= 2), "{heading}: a row without its cells");
    }
}

/// Every gateway of the crate, with all that it needs to be asked.
fn gateways() -> Vec<(&'static str, Box<dyn Gateway>)> {
    let hmac = HmacWebhooks::paystack("sk_live_1");
    vec![
        ("Stripe", Box::new(Stripe::new("whsec_1").api_key("sk_test_1"))),
        ("Mollie", Box::new(Mollie::new().api_key("test_1"))),
        ("PayPal", Box::new(PayPal::new("1").client("id", "secret"))),
        ("Braintree", Box::new(Braintree::new("merchant", "public", "private"))),
        ("Paddle", Box::new(Paddle::new("pdl_ntfset_1").api_key("pdl_sdbx_apikey_1"))),
        ("Razorpay", Box::new(Razorpay::new("secret").api_key("rzp_test_1", "secret"))),
        ("Square", Box::new(Square::new("key", "https://shop.example/").access_token("token", "location"))),
        ("Adyen", Box::new(Adyen::new("00").api_key("key", "account"))),
        ("Lemon Squeezy", Box::new(LemonSqueezy::new("secret").api_key("key", "1").product_variant("1", "USD"))),
        ("Mercado Pago", Box::new(MercadoPago::new("secret").access_token("TEST-1"))),
        ("Polar", Box::new(Polar::new("whsec_1").access_token("polar_oat_1").product("1"))),
        ("Dummy", Box::new(Dummy::new("secret"))),
        ("Standard Webhooks", Box::new(StandardWebhooks::new("whsec_1"))),
        ("HMAC", Box::new(hmac)),
    ]
}

#[test]
fn the_table_of_gateways_says_what_each_can_be_asked_for() {
    let table = |text: &'static str, heading: &str| -> Vec<&'static str> {
        let (_, rest) = text.split_once(heading).unwrap();
        let rows = rest.lines().skip_while(|line| !line.starts_with('|'));
        rows.take_while(|line| line.starts_with('|')).skip(2).collect()
    };
    let rows = table(include_str!("../../docs/gateways.md"), "## What each can do\n");
    assert_eq!(table(include_str!("../../README.md"), "## Gateways\n"), rows, "the README has the same table");
    let mut expected = Vec::new();
    for (name, gateway) in gateways() {
        let mark = |can: bool| if can { "✓" } else { "–" };
        let verbs = [Verb::Capture, Verb::Cancel, Verb::Refund, Verb::Refresh];
        let mut cells: Vec<&str> = verbs.into_iter().map(|verb| mark(gateway.supports(verb).is_ok())).collect();
        cells.extend([mark(gateway.supports_list().is_ok()), mark(gateway.subscriptions().is_some())]);
        expected.push((name, cells));
    }
    let read = |row: &&'static str| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        // Whether a checkout can be opened, the second cell, shows only when the company is asked.
        (cells[0], cells[2..].to_vec())
    };
    assert_eq!(rows.iter().map(read).collect::<Vec<_>>(), expected);
}

/// The options that a file of the crate declares: methods that take what they are of, and give it back.
fn options(source: &str) -> Vec<String> {
    let source = source.replace("pub const fn", "pub fn");
    let declarations = source.split("\n    pub fn ").skip(1);
    let declared = declarations.filter_map(|rest| rest.split_once('{').map(|(signature, _)| signature));
    let is_option = |signature: &&str| signature.contains("mut self") && signature.contains("Self");
    declared.filter(is_option).filter_map(|signature| signature.split(['(', '<']).next()).map(str::to_owned).collect()
}

#[test]
fn the_reference_has_every_option() {
    let reference = include_str!("../../docs/reference.md");
    let sources = [
        include_str!("../../src/payments/builder.rs"),
        include_str!("../../src/payments/builder/alarms.rs"),
        include_str!("../../src/payments/builder/limits.rs"),
        include_str!("../../src/payments/builder/persons.rs"),
        include_str!("../../src/payments/builder/replica.rs"),
        include_str!("../../src/payments/builder/subscriptions.rs"),
        include_str!("../../src/engine/variant.rs"),
        include_str!("../../src/engine/health.rs"),
        include_str!("../../src/engine/chores.rs"),
        include_str!("../../src/engine/retention.rs"),
        include_str!("../../src/mount.rs"),
        include_str!("../../src/worker/mod.rs"),
        include_str!("../../src/admin/settings.rs"),
    ];
    let all: Vec<String> = sources.into_iter().flat_map(options).filter(|option| option != "link").collect();
    assert!(all.len() > 40, "the options were not found: {all:?}");
    let is_named =
        |option: &&String| reference.contains(&format!("`{option}`")) || reference.contains(&format!("`{option}("));
    let missing: Vec<_> = all.iter().filter(|option| !is_named(option)).collect();
    assert!(missing.is_empty(), "docs/reference.md lacks {missing:?}");
}

/// The names in backticks.
fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The columns that are a host's to read, each with its table.
fn promised(chapter: &str) -> Vec<(&str, &str)> {
    let section = chapter.split_once("## Yours to read").unwrap().1.split("\n## ").next().unwrap();
    let mut columns = Vec::new();
    for part in section.split("\n### `").skip(1) {
        let (table, text) = part.split_once("`\n").unwrap();
        // The first cell has the columns.
        for line in text.lines().filter(|line| line.starts_with("| `")) {
            columns.extend(in_backticks(line.split(" | ").next().unwrap()).map(|column| (table, column)));
        }
    }
    columns
}

on_both_databases! {
    async fn the_columns_that_hosts_may_read_are_there_and_no_table_is_left_out(kind) {
        let app = App::new(kind).await;
        let chapter = include_str!("../../docs/tables.md");
        let columns = promised(chapter);
        assert!(columns.len() > 40, "the columns were not found: {columns:?}");
        for (table, column) in columns {
            app.number(&format!("SELECT COUNT({column}) AS n FROM {table}"));
        }
        let tables = match kind {
            Kind::Sqlite => "SELECT name AS t FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 4) = 'pay_'",
            Kind::Postgres => "SELECT tablename::text AS t FROM pg_tables WHERE left(tablename, 4) = 'pay_' \
                               AND schemaname = current_schema()",
        };
        let listed: BTreeSet<&str> = in_backticks(chapter).filter(|name| name.starts_with("pay_")).collect();
        let there = app.texts(tables);
        assert!(there.len() > 30, "{there:?}");
        let missing: Vec<&String> = there.iter().filter(|table| !listed.contains(table.as_str())).collect();
        assert!(missing.is_empty(), "docs/tables.md lacks {missing:?}");
    }

    async fn the_statements_that_hosts_are_shown_run(kind) {
        let app = App::new(kind).await;
        app.run("CREATE TABLE orders (number TEXT)");
        let statements: Vec<&str> = include_str!("../../docs/tables.md")
            .split("```sql\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap().trim().trim_end_matches(';'))
            .collect();
        assert!(statements.len() >= 4);
        for statement in statements {
            app.number(&format!("SELECT COUNT(*) AS n FROM ({statement}) AS shown"));
        }
    }
}

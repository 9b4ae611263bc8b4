//! Is every mistake that can be known refused at once, with what was expected and what was given?

use std::time::Duration;

use actix_payments::domain::retry::Backoff;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::dummy::Dummy;
use actix_payments::gateways::hmac_webhooks::{HeaderField, HmacWebhooks};
use actix_payments::gateways::paypal::PayPal;
use actix_payments::gateways::standard_webhooks::StandardWebhooks;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, Builder, Database, ErrorKind, Event, Payments, Transition};
use diesel::{PgConnection, SqliteConnection};

use crate::app::{Kind, fresh_database};

type Configure = fn(Builder<AnyConnection>) -> Builder<AnyConnection>;

fn stripe(builder: Builder<AnyConnection>) -> Builder<AnyConnection> {
    builder.variant("stripe", Stripe::new("whsec_hidden"))
}

async fn ship(_: Transition) -> Result<(), actix_payments::HandlerError> {
    Ok(())
}

async fn listen(_: Event) -> Result<(), actix_payments::HandlerError> {
    Ok(())
}

#[test]
fn what_cannot_work_is_refused_in_words() {
    let cases: [(Configure, &str); 36] = [
        (|b| stripe(b).active_cache(Duration::from_secs(61)), "expected active_cache of at most 60 seconds, got 61"),
        (|b| b, "expected at least one variant, got none"),
        (
            |b| stripe(b).variant("", Stripe::new("w")),
            r#"expected a variant name of 1 to 64 lower-case letters, digits and inner hyphens, got """#,
        ),
        (|b| stripe(b).variant("Stripe", Stripe::new("w")), r#"got "Stripe""#),
        (|b| stripe(b).variant("a/b", Stripe::new("w")), r#"got "a/b""#),
        (|b| stripe(b).variant("a".repeat(65), Stripe::new("w")), "1 to 64"),
        (
            |b| stripe(b).variant("admin", Stripe::new("w")),
            r#"other than the reserved admin, process, static, got "admin""#,
        ),
        (|b| stripe(b).variant("process", Stripe::new("w")), r#"got "process""#),
        (|b| stripe(stripe(b)), r#"expected every variant to have a name of its own, got "stripe" twice"#),
        (
            |b| b.variant("stripe", Stripe::new(" ")),
            r#"variant "stripe" (Stripe): expected Stripe's signing secret (whsec_…) as "primary", got a blank text"#,
        ),
        (|b| b.variant("stripe", Stripe::new("sk_live_hidden")), "got an API key"),
        (|b| b.variant("stripe", Stripe::new("whsec_hidden").secret("primary", "w")), r#"got "primary" twice"#),
        (|b| stripe(b).handler("Ship", ship), r#"expected a handler name of 1 to 64"#),
        (
            |b| stripe(b).handler("ship", ship).on_event("*", "ship", listen),
            r#"expected every handler to have a name of its own, got "ship" twice"#,
        ),
        (|b| stripe(b).handler("process", ship), r#"other than the reserved "process""#),
        (|b| stripe(b).on_event("", "listen", listen), r#"expected handler "listen" to name a kind, got an empty one"#),
        (|b| b.variant("s", Stripe::new("whsec_hidden\n")), r#"as "primary", got one that ends in a line break"#),
        (|b| b.variant("s", Stripe::new("whsec_hidden ")), "got one that ends in white space"),
        (
            |b| b.variant("s", Stripe::new("whsec_a").secret("old", "\twhsec_hidden")),
            r#"as "old", got one that begins"#,
        ),
        (|b| b.variant("s", Stripe::new("whsec_a").api_key("sk_hidden\n")), "got one that ends in a line break"),
        (|b| b.variant("d", Dummy::new("hidden\r\n")), "got one that ends in a line break"),
        (|b| b.variant("w", StandardWebhooks::text_key("hidden\n")), "got one that ends in a line break"),
        (|b| b.variant("w", StandardWebhooks::polar("hidden\n")), "got one that ends in a line break"),
        (|b| b.variant("h", HmacWebhooks::new("H", HeaderField::whole("s"), "hidden\n")), "ends in a line break"),
        (|b| b.variant("b", Braintree::new("merchant", "public", "hidden\n")), "got one that ends in a line break"),
        (|b| b.variant("p", PayPal::new("WEBHOOK1").client("client", "hidden\n")), "got one that ends in a line break"),
        (|b| b.variant("p", PayPal::new("WEBHOOK1\n")), r#"expected the id of PayPal's webhook, got "WEBHOOK1\n""#),
        (
            |b| stripe(b).on_event("customer.*.deleted", "listen", listen),
            r#"followed by one *, got "customer.*.deleted""#,
        ),
        (|b| stripe(b).on_event("**", "listen", listen), r#"followed by one *, got "**""#),
        (|b| stripe(b).on_event("charge.refunded ", "listen", listen), r#"got "charge.refunded ""#),
        (|b| stripe(b).address("shop.example/payments"), r#"got "shop.example/payments""#),
        (|b| stripe(b).address("payments"), r#"expected an address like "/payments" or"#),
        (|b| stripe(b).queue_bytes(0), "queue_bytes"),
        (|b| stripe(b).queue(0), "queue"),
        (|b| stripe(b).handler_timeout(Duration::ZERO), "handler_timeout"),
        (|b| stripe(b).backoff(Backoff::new().attempts(0)), "backoff.attempts"),
    ];
    let (url, _folder) = fresh_database(Kind::Sqlite);
    let database = Database::from_url(&url).unwrap();
    for (configure, expected) in cases {
        let error = configure(Payments::builder(database.clone())).build().err().unwrap();
        let message = error.to_string();
        assert!(message.contains(expected) && !message.contains("hidden"), "expected {expected:?}, got {message:?}");
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Configuration, false));
    }
    assert!(stripe(Payments::builder(database)).build().is_ok());
}

#[test]
fn a_mistyped_address_is_refused_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("letter.txt"), "no database, just words ".repeat(50)).unwrap();
    let cases = [
        (at("none/shop.db"), "there is no folder"),
        (at(""), "the folder"),
        (at("letter.txt"), "can't use"),
        (String::new(), "got nothing"),
        ("mysql://root:hunter2@localhost/shop".into(), r#"begins with "mysql""#),
        (":memory:".into(), "in memory"),
    ];
    for (path, expected) in cases {
        let error = Database::sqlite(&path).err().unwrap();
        let message = error.to_string();
        // A disk may be mounted later; all else is a mistake in the address.
        let is_folder_missing = expected == "there is no folder";
        let kind = if is_folder_missing { ErrorKind::Unavailable } else { ErrorKind::Configuration };
        assert_eq!(error.kind(), kind, "{message}");
        assert!(message.contains(expected) && !message.contains("hunter2"), "{path}: {message}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read(at("letter.txt")).unwrap().len(), 24 * 50);
}

#[test]
fn an_address_of_nothing_is_refused_without_its_password() {
    let connect: [fn(&str) -> Option<actix_payments::Error>; 2] =
        [|url| Database::postgres(url).err(), |url| Database::from_url(url).err()];
    for connect in connect {
        for (url, expected) in [
            ("postgres://shop:hunter2@127.0.0.1:1/shop", "can't connect to Postgres"),
            ("mysql://shop:hunter2@127.0.0.1/shop", r#"begins with "mysql""#),
            ("host=localhost password=hunter2", "without a scheme"),
            ("host=localhost password=hunter2:", "without a scheme"),
            ("shop.db", "without a scheme"),
        ] {
            let message = connect(url).unwrap().to_string();
            assert!(message.contains(expected) && !message.contains("hunter2"), "{url}: {message}");
        }
    }
    assert!(!std::path::Path::new("shop.db").exists());
}

#[test]
fn secrets_show_nothing_of_themselves() {
    let shown = format!("{:?}", Stripe::new("whsec_hidden").secret("old", "whsec_other"));
    assert!(shown.contains("old") && !shown.contains("hidden") && !shown.contains("whsec"), "{shown}");
}

#[test]
fn a_mount_s_path_has_its_slash_whether_or_not_it_is_said() {
    let (url, _folder) = fresh_database(Kind::Sqlite);
    for (path, address) in [("payments", "/payments/stripe/"), ("/payments/", "/payments/stripe/"), ("/", "/stripe/")] {
        let payments = stripe(Payments::builder(Database::from_url(&url).unwrap())).build().unwrap();
        let _ = payments.mount(path);
        assert_eq!(payments.address_of("stripe"), address, "{path:?}");
    }
}

/// Both kinds of connection can be said in the same words.
#[test]
fn the_typed_ways_in_open_the_same_database() {
    let (url, _folder) = fresh_database(Kind::Sqlite);
    let typed: Database<SqliteConnection> = Database::sqlite(&url).unwrap();
    assert!(typed.connection().is_ok());
    let (url, _) = fresh_database(Kind::Postgres);
    let typed: Database<PgConnection> = Database::postgres(&url).unwrap();
    assert!(typed.connection().is_ok());
}

//! What becomes of a word in a column that no release of ours wrote: is it named to the host, shown to nobody else, and
//! no hindrance to other rows?

use actix_payments::gateways::dummy::Dummy;
use actix_payments::{ErrorKind, HandlerError, NewPayment, Token};

use crate::app::{App, Kind, SECRET, on_both_databases};
use crate::events::changed;
use crate::scenes::{completed_as, money};

const WORD: &str = "by-hand";

async fn app(kind: Kind) -> App {
    let ship = |_| async { Ok::<_, HandlerError>(()) };
    App::bare(kind, |builder| builder.variant("dummy", Dummy::new(SECRET)).handler("ship", ship)).await
}

/// A payment that was canceled at its gateway: with an event, an operation, a transition and an attempt.
async fn canceled(app: &App) -> Token {
    let new = NewPayment::new("dummy", money(500, "EUR")).without_checkout();
    let token = app.payments.create(new).await.unwrap().payment.token;
    app.payments.cancel(&token).await.unwrap();
    app.drain().await;
    token
}

/// What the host's calls fail with, of those that can't read a row.
async fn told(app: &App, token: &str) -> Vec<String> {
    let answers = [
        app.payments.payment(&token.into()).await.map(drop),
        app.payments.rebuild(&token.into()).await.map(drop),
        app.payments.cancel(&token.into()).await.map(drop),
    ];
    let broken = answers.into_iter().filter_map(Result::err).filter(|error| error.kind() == ErrorKind::Storage);
    broken.map(|error| error.to_string()).collect()
}

on_both_databases! {
    async fn a_word_that_no_release_wrote_is_told_to_the_host_with_its_column_and_shown_on_no_page(kind) {
        let app = app(kind).await;
        let token = canceled(&app).await;
        for (table, column, what) in [
            ("pay_payments", "status", "a status"),
            ("pay_payments", "currency", "a currency"),
            ("pay_events", "state", "a state"),
            ("pay_events", "source", "a source"),
            ("pay_operations", "state", "a state"),
            ("pay_operations", "verb", "a verb"),
            ("pay_ledger", "register", "a register"),
            ("pay_ledger", "state", "a state"),
            ("pay_ledger", "currency", "a currency"),
            ("pay_transitions", "from_status", ""),
            ("pay_transitions", "to_status", ""),
            ("pay_attempts", "outcome", ""),
        ] {
            let kept = app.texts(&format!("SELECT {column} AS t FROM {table}")).remove(0);
            app.run(&format!("UPDATE {table} SET {column} = '{WORD}'"));
            let told = told(&app, &token).await;
            // What only pages read is told by the log.
            assert_eq!(told.is_empty(), what.is_empty(), "{table}.{column}: {told:?}");
            let expected = format!("expected {what} that this release knows in {table}.{column}, got {WORD:?}");
            assert!(told.iter().all(|told| told.ends_with(&expected)), "{told:?}");
            let mut failed = 0;
            for path in [format!("payments/{token}"), "events/1".to_owned()] {
                let page = app.get(&format!("/payments/admin/{path}")).await;
                if page.status == 500 {
                    failed += 1;
                    assert!(page.text().contains("The database did not answer as it should."), "{}", page.text());
                    assert!(!page.body.contains(WORD) && !page.body.contains(table), "{}", page.body);
                }
            }
            assert!(failed > 0, "{table}.{column}");
            app.run(&format!("UPDATE {table} SET {column} = '{kept}'"));
        }
        assert_eq!(app.get("/payments/admin/events/1").await.status, 200);
    }

    async fn an_event_that_this_release_cannot_read_holds_up_no_other(kind) {
        let app = App::new(kind).await;
        for number in 0..3 {
            app.stripe(&changed("payout.paid", &[("/id", format!("evt_{number}").into())])).await;
        }
        app.run(&format!("UPDATE pay_events SET source = '{WORD}' WHERE id = 2"));
        app.drain().await;
        assert_eq!((app.events("ignored"), app.events("available")), (2, 1));
        app.run("UPDATE pay_events SET source = 'delivery'");
        app.pass(3_600);
        app.drain().await;
        assert_eq!(app.events("ignored"), 3, "once it is put right, it goes on");
    }

    async fn a_payment_that_this_release_cannot_read_holds_up_no_other(kind) {
        let app = App::new(kind).await;
        let (ours, theirs) = (app.order().await.token, app.order().await.token);
        app.deliver(&[&completed_as(1, &theirs)]).await;
        for (table, column) in [("pay_ledger", "register"), ("pay_ledger", "state"), ("pay_payments", "status")] {
            let kept = app.texts(&format!("SELECT {column} AS t FROM {table}")).remove(0);
            app.run(&format!("UPDATE {table} SET {column} = '{WORD}' WHERE {} = 2", if table == "pay_ledger" { "payment_id" } else { "id" }));
            let before = app.events("completed");
            // The one that can't get on comes first.
            let stuck = changed("payment_intent.succeeded", &[
                ("/id", format!("evt_{table}_{column}").into()), ("/data/object/id", "pi_1".into()),
            ]);
            let good = completed_as(10 + before as usize, &ours);
            app.deliver(&[&stuck, &good]).await;
            assert_eq!(app.events("completed"), before + 1, "{table}.{column}: {:?}", app.outcomes());
            let told = app.outcomes();
            assert!(told.iter().any(|it| it.starts_with("retryable: failed: ") && it.contains(WORD)), "{told:?}");
            app.run(&format!("UPDATE {table} SET {column} = '{kept}' WHERE {column} = '{WORD}'"));
            app.pass(3_600);
            app.drain().await;
            assert_eq!(app.events("completed"), before + 2, "once it is put right, it goes on: {:?}", app.outcomes());
        }
    }

    async fn a_state_that_no_release_wrote_is_replaced_when_the_event_is_claimed(kind) {
        let app = App::new(kind).await;
        app.stripe(&changed("payout.paid", &[])).await;
        app.run(&format!("UPDATE pay_events SET state = '{WORD}'"));
        app.drain().await;
        assert_eq!(app.events("ignored"), 1);
    }

    async fn an_operation_that_this_release_cannot_read_holds_up_no_other(kind) {
        let app = app(kind).await;
        canceled(&app).await;
        canceled(&app).await;
        app.run("UPDATE pay_operations SET state = 'underway', due_at = created_at");
        app.run(&format!("UPDATE pay_operations SET verb = '{WORD}' WHERE id = 1"));
        app.drain().await;
        assert_eq!(app.texts("SELECT state AS t FROM pay_operations ORDER BY id"), ["underway", "done"]);
    }

    async fn a_row_that_cannot_be_read_is_a_row_of_its_list_and_names_what_is_wrong(kind) {
        let app = App::new(kind).await;
        for number in 0..3 {
            app.stripe(&changed("payout.paid", &[("/id", format!("evt_{number}").into())])).await;
        }
        let tokens = [app.order().await.token, app.order().await.token, app.order().await.token];
        app.drain().await;
        app.run(&format!("UPDATE pay_events SET source = '{WORD}' WHERE id = 2"));
        app.run(&format!("UPDATE pay_payments SET status = '{WORD}' WHERE token = '{}'", tokens[1]));
        let events = app.get("/payments/admin/events").await;
        assert_eq!((events.status, events.body.matches("<tr data-id=").count()), (200, 2), "{}", events.text());
        let wrong = format!("Event 2 can't be read: expected a source that this release knows in pay_events.source, got {WORD:?}.");
        assert!(events.text().contains(&wrong), "{}", events.text());
        // Newest first, and in its place.
        let at = |what: &str| events.body.find(what).unwrap_or_else(|| panic!("{what}"));
        assert!(at("data-id=\"3\"") < at("Event 2") && at("Event 2") < at("data-id=\"1\""));
        let payments = app.get("/payments/admin/payments").await;
        let wrong = format!("Payment 2 can't be read: expected a status that this release knows in pay_payments.status, got {WORD:?}.");
        assert!(payments.status == 200 && payments.text().contains(&wrong), "{}", payments.text());
        assert!(payments.body.contains(tokens[0].as_str()) && payments.body.contains(tokens[2].as_str()));
        assert_eq!(app.get("/payments/admin/").await.status, 200);
    }
}

//! Does a dry run say what processing then does, and change nothing itself?

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{HandlerError, Unmatched, Variant};

use crate::app::{App, SECRET, on_both_databases};
use crate::events::{changed, fixture};
use crate::scenes::{Notes, completed, completed_as};

/// A story's events in an order of its own for each seed, some of them twice under another id.
fn shuffled(token: &str, seed: usize) -> Vec<String> {
    let event = |name: &str| fixture(name).to_string();
    let mut events = vec![
        completed(token),
        event("payment_intent.succeeded"),
        event("charge.succeeded"),
        event("charge.refunded.partial"),
        event("payment_intent.payment_failed"),
        event("charge.dispute.created"),
        event("payout.paid"),
        completed_as(7, token),
        changed("charge.succeeded", &[("/id", "evt_again".into())]),
        changed("charge.succeeded", &[("/id", "evt_odd".into()), ("/data/object/amount", "?".into())]),
    ];
    let mut state = seed as u64 * 2_654_435_761 + 1;
    for at in (1..events.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        events.swap(at, (state >> 33) as usize % (at + 1));
    }
    events
}

/// All that is stored but the counters, which are written a little later.
fn stored(app: &App) -> Vec<String> {
    app.dump().into_iter().filter(|row| !row.starts_with("pay_hours ")).collect()
}

on_both_databases! {
    async fn a_dry_run_changes_nothing_and_says_what_processing_then_does(kind) {
        let notes = Notes::default();
        for seed in 0..6 {
            let (inside, after) = (notes.clone(), notes.clone());
            let app = App::bare(kind, |builder| {
                let policy = [Unmatched::Adopt, Unmatched::Park, Unmatched::Ignore][seed % 3];
                let variant = Variant::new(Stripe::new(SECRET)).unmatched(policy);
                let variant = if seed == 3 { variant.grace(std::time::Duration::ZERO) } else { variant };
                builder
                    .variant("stripe", variant)
                    .handler_in_transaction("inside", move |_, step| {
                        inside.add(format!("inside {}", step.to));
                        Ok(())
                    })
                    .handler("after", move |step| {
                        after.add(format!("after {}", step.to));
                        async { Ok::<_, HandlerError>(()) }
                    })
            })
            .await;
            let token = app.order().await.token;
            for (number, event) in shuffled(&token, seed).iter().enumerate() {
                app.stripe(event).await;
                let path = format!("/payments/admin/events/{}/dry-run", number + 1);
                let (before, ran) = (stored(&app), notes.count());
                let foretold = app.get(&path).await;
                assert_eq!(foretold.status, 200, "{}", foretold.text());
                assert_eq!((stored(&app), notes.count()), (before, ran), "a dry run changed something");
                app.drain().await;
                let (id, foretold) = (number + 1, foretold.text());
                let outcome = &app.texts(&format!("SELECT outcome AS t FROM pay_events WHERE id = {id}"))[0];
                let state = &app.texts(&format!("SELECT state AS t FROM pay_events WHERE id = {id}"))[0];
                let outcome = outcome.trim_start_matches("discarded: could not be read: ");
                assert!(foretold.contains(outcome), "{outcome}\n{foretold}");
                assert!(foretold.contains(&format!("It would end {state}")), "{state}\n{foretold}");
                let to = app.texts(&format!("SELECT to_status AS t FROM pay_transitions WHERE event_id = {id} ORDER BY id"));
                assert_eq!(foretold.contains("inside in the transaction"), !to.is_empty(), "{foretold}");
                assert_eq!(foretold.contains("after after the commit"), !to.is_empty(), "{foretold}");
                if let Some((_, after)) = foretold.split_once("The payment before and after") {
                    let row = after.split_once("Status").unwrap().1.split_once("Total").unwrap().0.trim();
                    match to.last() {
                        Some(status) => assert!(row.ends_with(&status.replace('_', " ")), "{status} {row}"),
                        None => assert_eq!(row[..row.len() / 2].trim(), row[row.len() / 2..].trim(), "{row}"),
                    }
                }
            }
            let counted = app.counters();
            let count = |outcome: &str| -> i64 {
                let of = counted.iter().find_map(|count| count.strip_prefix(&format!("stripe {outcome} ")));
                of.map_or(0, |count| count.parse().unwrap())
            };
            // What was ignored at first and completed later counts beside the others.
            let completed = count("completed") + count("completed:again");
            assert_eq!((count("received"), completed), (10, app.events("completed")), "a dry run was counted: {counted:?}");
        }
    }

    async fn a_dry_run_of_what_was_applied_says_that_it_was_done_before(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.stripe(&completed(&token)).await;
        let page = app.get("/payments/admin/events/1/dry-run").await.text();
        assert!(page.contains("The step would be recorded") && !page.contains("Done before"), "{page}");
        app.drain().await;
        let page = app.get("/payments/admin/events/1/dry-run").await.text();
        let (_, end) = page.split_once("Done before: ").expect("the outcome of then");
        assert!(end.starts_with("checkout session completed and paid: 49.99 EUR; pending → paid"), "{end}");
        assert!(page.contains("The status would stay: the event did this when it was first processed."), "{page}");
        assert!(!page.contains("which rule stops it"), "{page}");
    }

    async fn a_dry_run_says_why_an_event_waits_or_is_too_late(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.stripe(&fixture("payment_intent.succeeded").to_string()).await;
        let page = app.get("/payments/admin/events/1/dry-run").await.text();
        assert!(page.contains("no payment bears one of its references yet, so it would wait"), "{page}");
        app.deliver(&[&completed(&token)]).await;
        let page = app.get("/payments/admin/events/2/dry-run").await.text();
        assert!(page.contains(&format!("it would be found by {token}")) && page.contains("already known"), "{page}");
        app.run("DELETE FROM pay_event_bodies WHERE event_id = 2");
        let answer = app.get("/payments/admin/events/2/dry-run").await;
        assert!(answer.status == 409 && answer.text().contains("was pruned"), "{}", answer.text());
        assert_eq!(app.get("/payments/admin/events/99/dry-run").await.status, 404);
        assert_eq!(app.status(&token).await, Status::Paid);
    }
}

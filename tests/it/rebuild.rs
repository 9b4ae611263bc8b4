//! Is a payment made what its events say, by the one way in, and only when they still say all?

use actix_payments::Token;
use actix_payments::domain::payment::Status;

use crate::app::{App, Kind, on_both_databases};
use crate::events::{changed, fixture};
use crate::scenes::{Notes, completed};

/// A paid payment that was tampered with: its status, a fact too few and one too many.
async fn tampered(kind: Kind) -> (App, Token, Notes) {
    let notes = Notes::default();
    let told = notes.clone();
    let app = App::with(kind, |builder| {
        builder.handler("tell", move |step| {
            told.add(format!("{} → {}: {}", step.from, step.to, step.cause));
            async { Ok::<_, actix_payments::HandlerError>(()) }
        })
    })
    .await;
    let token = app.order().await.token;
    app.deliver(&[&completed(&token), &fixture("payment_intent.succeeded").to_string()]).await;
    app.same(&token).await;
    app.run("UPDATE pay_payments SET status = 'pending', captured_amount = 0");
    app.run("DELETE FROM pay_ledger WHERE register = 'checkout'");
    app.run(
        "INSERT INTO pay_ledger (payment_id, register, gateway_ref, state, occurred_at, event_id) \
         SELECT 1, 'concern', 'ambiguous_reference', 'raised', received_at, 'evt_none' FROM pay_events WHERE id = 1",
    );
    (app, token, notes)
}

on_both_databases! {
    async fn the_difference_is_shown_and_an_event_of_the_operators_makes_it_good(kind) {
        let (app, token, notes) = tampered(kind).await;
        let path = format!("/payments/admin/payments/{token}/rebuild");
        let before = app.dump();
        let page = app.get(&path).await.text();
        assert_eq!(app.dump(), before, "looking changes nothing");
        for words in ["What is stored is not what its events say", "Status pending paid", "missing", "extra", "evt_none"] {
            assert!(page.contains(words), "{words} in {page}");
        }
        let answer = app.post(&path, "").await;
        assert_eq!((answer.status, app.status(&token).await), (303, Status::Pending), "only an event changes a payment");
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Paid);
        app.same(&token).await;
        let ordered = app.texts("SELECT source || ' ' || kind || ' ' || state || ' ' || outcome_code AS t FROM pay_events WHERE id = 3");
        assert_eq!(ordered, ["operator payment.rebuild completed rebuilt"]);
        let cause = app.texts("SELECT cause AS t FROM pay_transitions ORDER BY id DESC LIMIT 1").remove(0);
        assert!(cause.starts_with("rebuilt from its events by admin; pending → paid"), "{cause}");
        assert_eq!(notes.all().last().unwrap(), &format!("pending → paid: {cause}"));
        assert_eq!(app.texts("SELECT act || ' ' || actor AS t FROM pay_audit"), ["rebuild admin"]);
        let event = app.get("/payments/admin/events/3").await.text();
        assert!(event.contains("An operator's act in these pages") && !event.contains("Headers"), "{event}");
        let timeline = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(timeline.contains("payment.rebuild") && timeline.contains("rebuilt from its events by admin"), "{timeline}");
        // It is as it should be now, so there is nothing to do.
        assert!(app.get(&path).await.text().contains("What is stored is what its events say"));
        let again = app.post(&path, "").await;
        assert!(again.status == 409 && again.text().contains("what is stored is what its events say"), "{}", again.text());
    }

    async fn an_event_that_was_read_once_and_cannot_be_read_now_is_not_left_out(kind) {
        let (app, token, _) = tampered(kind).await;
        app.run("UPDATE pay_event_bodies SET body = body || body WHERE event_id = 1");
        let path = format!("/payments/admin/payments/{token}/rebuild");
        let page = app.get(&path).await.text();
        assert!(page.contains("event 1 was read once and can't be read now"), "{page}");
        let before = app.dump();
        assert_eq!(app.post(&path, "").await.status, 409);
        assert_eq!(app.dump(), before);
    }

    async fn what_would_lose_facts_is_refused(kind) {
        let (app, token, _) = tampered(kind).await;
        app.run("DELETE FROM pay_event_bodies WHERE event_id = 1");
        let path = format!("/payments/admin/payments/{token}/rebuild");
        let page = app.get(&path).await.text();
        assert!(page.contains("the bodies of 1 of its events were pruned"), "{page}");
        let before = app.dump();
        assert_eq!(app.post(&path, "").await.status, 409);
        assert_eq!(app.dump(), before);
    }

    async fn bodies_that_are_pruned_after_the_order_end_it_with_words(kind) {
        let (app, token, _) = tampered(kind).await;
        assert_eq!(app.post(&format!("/payments/admin/payments/{token}/rebuild"), "").await.status, 303);
        app.run("DELETE FROM pay_event_bodies WHERE event_id = 2");
        app.drain().await;
        assert_eq!((app.status(&token).await, app.events("discarded")), (Status::Pending, 1));
        assert!(app.outcomes()[2].contains("not rebuilt: the bodies of 1 of its events were pruned"), "{:?}", app.outcomes());
    }

    async fn all_payments_can_be_compared_with_their_events(kind) {
        let app = App::new(kind).await;
        let mut tokens = Vec::new();
        for number in 0..120 {
            let token = app.order().await.token;
            if number % 40 == 0 {
                let ids = [("/id", format!("evt_{number}")), ("/data/object/id", format!("cs_{number}")), ("/data/object/payment_intent", format!("pi_{number}"))];
                let mut changes: Vec<(&str, serde_json::Value)> = ids.into_iter().map(|(at, id)| (at, id.into())).collect();
                changes.push(("/data/object/client_reference_id", token.as_str().into()));
                app.deliver(&[&changed("checkout.session.completed", &changes)]).await;
            }
            tokens.push(token);
        }
        app.run(&format!("UPDATE pay_payments SET status = 'failed' WHERE token = '{}'", tokens[40]));
        let (mut compared, mut found, mut next) = (0, Vec::new(), None);
        loop {
            let some = app.payments.differing(next).await.unwrap();
            compared += some.compared;
            found.extend(some.found.into_iter().map(|rebuilt| (rebuilt.stored.token, rebuilt.rebuilt.status)));
            next = some.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!((compared, found), (120, vec![(tokens[40].clone(), Status::Paid)]));
    }
}

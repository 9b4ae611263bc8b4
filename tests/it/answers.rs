//! Does a payment's page say on top why it isn't paid, or where its money is?

use crate::app::{App, on_both_databases};
use crate::events::{changed, fixture};
use crate::scenes::{completed, of_story};

/// The sentence on top of the payment's page.
async fn answer(app: &App, token: &str) -> String {
    let page = app.get(&format!("/payments/admin/payments/{token}")).await.body;
    let sentence = page.split_once("<p class=\"answer\">").expect("an answer").1.split_once("</p>").unwrap().0;
    sentence.replace("&#39;", "'")
}

on_both_databases! {
    async fn the_page_answers_before_any_event_came_and_after_each(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        assert!(answer(&app, &token).await.starts_with("Not paid: no event has come from Stripe"));
        app.deliver(&[&changed("checkout.session.completed", &[
            ("/data/object/client_reference_id", token.as_str().into()), ("/data/object/payment_status", "unpaid".into()),
        ])])
        .await;
        let waits = answer(&app, &token).await;
        assert!(waits.contains("the last event from Stripe is checkout.session.completed"), "{waits}");
        app.deliver(&[&fixture("payment_intent.payment_failed").to_string()]).await;
        let declined = answer(&app, &token).await;
        assert!(declined.contains("Your card has insufficient funds"), "{declined}");
        app.deliver(&[&fixture("payment_intent.succeeded").to_string()]).await;
        assert_eq!(answer(&app, &token).await.split(". ").next(), Some("Paid: 49.99 EUR came in through Stripe"));
        app.deliver(&[&fixture("charge.refunded.partial").to_string()]).await;
        let back = answer(&app, &token).await;
        assert!(back.starts_with("Paid: ") && back.contains("went back to the customer"), "{back}");
    }

    async fn name_and_card_are_among_the_details(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token), &of_story("charge.succeeded", 1, &token)]).await;
        app.deliver(&[&fixture("payment_intent.succeeded").to_string(), &fixture("charge.succeeded").to_string()]).await;
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("Name Jenny Rosén") && page.contains("Card visa ending in 4242"), "{page}");
    }

    async fn what_came_late_says_how_late_on_the_payment_and_on_the_event(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(!page.contains(" late"), "{page}");
        app.pass(2 * 86_400);
        app.deliver(&[&fixture("payment_intent.succeeded").to_string()]).await;
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert_eq!(page.matches("arrived 2 days late").count(), 1, "{page}");
        let event = app.get("/payments/admin/events/2").await.text();
        assert!(event.contains("arrived 2 days late") && event.contains("Processed"), "{event}");
    }

    async fn checks_that_changed_nothing_are_one_entry(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let asked = |number: i64| format!(
            "INSERT INTO pay_operations (payment_id, variant, verb, gateway_refs, idempotency_key, actor, state, outcome, \
             attempts, created_at, finished_at) SELECT id, 'stripe', 'refresh', '[]', 'key{number}', 'worker', 'done', \
             'Stripe answered', 1, created_at, created_at FROM pay_payments"
        );
        for number in 0..3 {
            app.run(&asked(number));
        }
        let page = app.get(&format!("/payments/admin/payments/{token}")).await;
        assert!(!page.body.contains("class=\"folded\""), "three are told one by one");
        for number in 3..50 {
            app.run(&asked(number));
        }
        let page = app.get(&format!("/payments/admin/payments/{token}")).await;
        assert!(page.text().contains("50 entries about checks that changed nothing"), "{}", page.text());
        assert_eq!(page.body.matches("class=\"folded\"").count(), 1);
    }

    async fn an_event_and_the_step_that_it_caused_are_one_entry(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token), &fixture("charge.refunded.partial").to_string()]).await;
        let page = app.get(&format!("/payments/admin/payments/{token}")).await;
        assert_eq!(page.body.matches("<li class=\"entry").count(), 3, "{}", page.text());
        let text = page.text();
        for part in ["pending paid checkout.session.completed completed", "paid partially refunded charge.refunded"] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert_eq!(text.matches("pending \u{2192} paid").count(), 1, "why is said once: {text}");
    }

    async fn earlier_steps_of_an_event_are_folded_below_its_newest(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        app.run(
            "INSERT INTO pay_transitions (payment_id, event_id, from_status, to_status, needs_review, disputed, cause, \
             created_at) SELECT payment_id, event_id, 'paid', 'refunded', needs_review, disputed, 'a later step', \
             created_at FROM pay_transitions",
        );
        let page = app.get(&format!("/payments/admin/payments/{token}")).await;
        assert_eq!(page.body.matches("class=\"folded\"").count(), 1);
        let text = page.text();
        for part in ["paid refunded checkout.session.completed", "a later step", "Earlier steps of it pending paid"] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
    }

    async fn an_event_that_had_waited_says_when_it_was_received(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        assert_eq!(app.stripe(&completed(&token)).await.status, 200);
        app.pass(3 * 3_600);
        app.drain().await;
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("received 3 hours before"), "{page}");
    }

    async fn steps_of_an_absorbed_payment_stand_with_their_events(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&fixture("payment_intent.succeeded").to_string()]).await;
        app.pass(3_600);
        app.drain().await;
        app.deliver(&[&completed(&token)]).await;
        let page = app.get(&format!("/payments/admin/payments/{token}")).await;
        assert!(page.text().contains("An adopted payment was absorbed"), "{}", page.text());
        assert_eq!(page.body.matches("aria-label=\"Status\"").count(), 0, "{}", page.text());
    }
}

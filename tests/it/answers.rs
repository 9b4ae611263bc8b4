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
            ("/data/object/client_reference_id", token.clone().into()), ("/data/object/payment_status", "unpaid".into()),
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
}

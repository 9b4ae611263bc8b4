//! Is it known of each invoice what is due, paid, failed and tried next, and is its money a payment, in every order?

use serde_json::json;

use super::billing::Billing;
use super::story::{Story, orders};
use crate::app::{App, NOW, on_both_databases};

/// What is known of the invoices, oldest first: the gateway ref, its status, and how many payments bear it.
fn invoices(app: &App) -> Vec<String> {
    app.texts(
        "SELECT i.gateway_ref || ' ' || i.status || ' ' || (SELECT count(*) FROM pay_references r \
         JOIN pay_payments p ON p.id = r.payment_id WHERE r.gateway_ref = i.gateway_ref AND p.absorbed_by IS NULL) AS t \
         FROM pay_subscription_invoices i ORDER BY i.gateway_ref",
    )
}

on_both_databases! {
    async fn an_invoice_and_its_payment_find_each_other_in_every_order(kind) {
        for order in orders(4) {
            let app = App::new(kind).await;
            let billing = Billing::new(NOW);
            let told = {
                let mut state = billing.state();
                let id = state.subscribe("user-42", true);
                state.now += 10;
                state.renew(&id);
                state.pay(&id);
                // Made, paid, and the money: `finalized`, `succeeded`, `paid`, and the subscription itself.
                let kinds = ["invoice.finalized", "payment_intent.succeeded", "invoice.paid", "customer.subscription.created"];
                kinds.map(|kind| state.events.iter().find(|event| event["type"] == kind).unwrap().to_string())
            };
            for at in &order {
                app.deliver(&[&told[*at]]).await;
            }
            // An intent without a payment here waits for one, and is adopted after the grace time.
            app.pass(3600);
            app.drain().await;
            assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE status = 'paid'"), 1, "{order:?}");
            assert_eq!(invoices(&app).len(), 1, "{order:?}");
            assert!(invoices(&app)[0].ends_with(" paid 1"), "{order:?}: {:?}", invoices(&app));
            let subscription = app.payments.subscriptions(actix_payments::SubscriptionQuery::new()).await.unwrap().subscriptions.remove(0);
            let payment = app.texts("SELECT token AS t FROM pay_payments").remove(0);
            let page = app.get(&format!("/payments/admin/subscriptions/{}", subscription.token)).await.body;
            assert!(page.contains(&format!("payments/{payment}\"")), "{order:?}");
            let page = app.get(&format!("/payments/admin/payments/{payment}")).await.body;
            assert!(page.contains(&format!("subscriptions/{}\"", subscription.token)), "{order:?}");
        }
    }

    async fn the_first_invoice_is_paid_in_the_checkout(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "active");
        story.checkout(NOW, "user-42");
        story.invoice("paid", NOW + 1, json!({"status": "paid", "attempt_count": 1}));
        for event in story.events.iter().rev() {
            app.deliver(&[event]).await;
        }
        assert_eq!(invoices(&app), ["in_1 paid 1"]);
    }

    async fn the_page_says_what_is_due_failed_and_tried_next(kind) {
        let app = App::new(kind).await;
        let billing = Billing::new(NOW);
        let id = billing.state().subscribe("user-42", false);
        {
            let mut state = billing.state();
            state.now += 60;
            state.renew(&id);
            state.fail(&id);
            state.now += 60;
            state.fail(&id);
        }
        let told: Vec<String> = billing.state().events.iter().map(ToString::to_string).collect();
        app.deliver(&told.iter().rev().map(String::as_str).collect::<Vec<_>>()).await;
        let token = app.subscription(&id).await.token;
        let page = app.get(&format!("/payments/admin/subscriptions/{token}")).await.text();
        let table = page.split_once("Invoice Status Due Tries Payment Made").unwrap().1.trim_start();
        let (newer, older) = table.split_once(" in_").unwrap();
        assert!(newer.starts_with("in_") && newer.contains(" open 20.00 USD 2 times, next in 3 days "), "{page}");
        assert!(older.contains(" paid 20.00 USD once "), "{page}");
        // Each is found by its id, also when it is no more the newest.
        let first = invoices(&app)[0].split(' ').next().unwrap().to_owned();
        let found = app.get(&format!("/payments/admin/subscriptions?q={first}")).await.text();
        assert!(found.contains("user-42"), "{found}");
        // A late word of an attempt does not undo that it is paid.
        {
            let mut state = billing.state();
            state.now += 60;
            state.pay(&id);
        }
        let paid: Vec<String> = billing.state().events[told.len()..].iter().map(ToString::to_string).collect();
        app.deliver(&paid.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert!(invoices(&app).iter().all(|line| line.contains(" paid ")), "{:?}", invoices(&app));
    }

    async fn what_is_paid_stays_paid_whatever_comes_late(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "active");
        story.invoice("paid", NOW, json!({"status": "paid", "created": NOW - 9}));
        story.invoice("payment_failed", NOW + 5, json!({"status": "open", "created": NOW - 9}));
        app.hear(&story).await;
        assert_eq!(invoices(&app), ["in_1 paid 0"]);
    }
}

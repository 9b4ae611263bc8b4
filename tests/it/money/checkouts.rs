//! Checkout sessions: tax, discounts, other currencies, subscriptions.

use actix_payments::domain::payment::Status;
use serde_json::{Value, json};

use super::{charge, event, intent, session, sums};
use crate::app::{App, NOW, on_both_databases};
use crate::stripe::fake::Fake;

fn completed(token: &str, id: &str, changes: Value) -> String {
    event("checkout.session.completed", 0, session(id, token, changes))
}

fn details(discount: i64, shipping: i64, tax: i64) -> Value {
    json!({"amount_discount": discount, "amount_shipping": shipping, "amount_tax": tax})
}

async fn one(app: &App, changes: Value) -> actix_payments::Payment {
    let token = app.order().await.token;
    app.deliver(&[&completed(&token, &format!("cs_{token}"), changes)]).await;
    app.same(&token).await;
    app.payment(&token).await
}

on_both_databases! {
    async fn an_included_tax_asks_for_no_review(kind) {
        let app = App::new(kind).await;
        let included = one(&app, json!({"amount_total": 3999, "total_details": details(1000, 0, 638)})).await;
        assert_eq!((sums(&included), included.concerns), ((Status::Paid, [3999, 0, 0]), vec![]));
        let added = one(&app, json!({"amount_total": 5949, "total_details": details(0, 0, 950)})).await;
        assert_eq!((sums(&added), added.concerns), ((Status::Paid, [5949, 0, 0]), vec![]));
        // Some prices include their tax and others don't.
        let mixed = one(&app, json!({"amount_total": 5699, "total_details": details(0, 500, 700)})).await;
        assert_eq!((sums(&mixed), mixed.concerns), ((Status::Paid, [5699, 0, 0]), vec![]));
    }

    async fn a_subtotal_that_was_not_agreed_asks_for_a_review(kind) {
        let app = App::new(kind).await;
        let wrong = [
            json!({"amount_subtotal": 100, "amount_total": 1, "total_details": details(4998, 0, 0)}),
            json!({"amount_subtotal": 100, "amount_total": 1, "total_details": details(99, 0, 0)}),
            // The details don't explain the total.
            json!({"amount_total": 100, "total_details": details(0, 0, 0)}),
            json!({"amount_total": 100, "total_details": null}),
        ];
        for changes in wrong {
            let payment = one(&app, changes.clone()).await;
            assert_eq!((payment.status, payment.needs_review()), (Status::Pending, true), "{changes}");
        }
        let free = one(&app, json!({"amount_subtotal": 100, "amount_total": 0, "total_details": details(100, 0, 0)})).await;
        assert_eq!((free.status, free.needs_review()), (Status::Pending, true));
    }

    async fn a_session_of_nothing_is_paid_whatever_word_stripe_has_for_it(kind) {
        let app = App::new(kind).await;
        let free = json!({"amount_total": 0, "payment_intent": null, "total_details": details(4999, 0, 0)});
        let paid = one(&app, free.clone()).await;
        assert_eq!((sums(&paid), paid.concerns), ((Status::Paid, [0, 0, 0]), vec![]));
        assert!(app.outcomes()[0].contains("pending → paid: nothing was to be paid"), "{:?}", app.outcomes());
        app.deliver(&[&completed("of-somebody-else", "cs_adopted", free)]).await;
        app.pass(60);
        app.drain().await;
        let adopted = app.payments.payment_at("stripe", "cs_adopted").await.unwrap().unwrap();
        assert_eq!((adopted.status, adopted.adopted, adopted.needs_review()), (Status::Paid, true, false));
    }

    async fn a_converted_session_is_of_the_merchants_own_currency(kind) {
        let app = App::new(kind).await;
        let source = json!({"amount_subtotal": 4999, "amount_total": 4999, "source_currency": "eur", "fx_rate": "1.1004"});
        let dollars = json!({
            "currency": "usd", "amount_subtotal": 5501, "amount_total": 5501, "currency_conversion": source,
            "payment_intent": "pi_usd",
        });
        let paid = one(&app, dollars).await;
        assert_eq!((sums(&paid), paid.concerns), ((Status::Paid, [4999, 0, 0]), vec![]));
        // What the customer paid is in the customer's currency everywhere else.
        let usd = json!({"currency": "usd", "amount": 5501, "amount_received": 5501});
        app.deliver(&[&event("payment_intent.succeeded", 1, intent("pi_usd", usd))]).await;
        let paid = app.payment(&paid.token).await;
        assert_eq!((sums(&paid), paid.concerns), ((Status::Paid, [4999, 0, 0]), vec![]));
    }

    async fn a_refund_is_not_asked_for_in_another_currency_than_was_charged(kind) {
        let fake = Fake::new(NOW);
        let gateway = fake.gateway(crate::app::SECRET);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let source = json!({"amount_subtotal": 4999, "amount_total": 4999, "source_currency": "eur"});
        let dollars = json!({
            "currency": "usd", "amount_subtotal": 5501, "amount_total": 5501, "currency_conversion": source,
            "payment_intent": "pi_usd",
        });
        let token = app.begun().await;
        let usd = json!({"currency": "usd", "amount": 5501, "amount_received": 5501});
        let paid = event("payment_intent.succeeded", 1, intent("pi_usd", usd));
        app.deliver(&[&completed(&token, "cs_usd", dollars), &paid]).await;
        assert_eq!(app.status(&token).await, Status::Paid);
        let refused = app.payments.refund(&token, actix_payments::Refund::all()).await.unwrap_err();
        assert_eq!(refused.kind(), actix_payments::ErrorKind::Refused);
        assert!(refused.to_string().contains("charged in USD"), "{refused}");
    }

    async fn a_subscriptions_invoice_links_its_session_to_its_intent(kind) {
        let app = App::new(kind).await;
        let payment = app.made_of(|token, n| {
            let (cs, pi, ch, invoice) = (format!("cs_{n}"), format!("pi_{n}"), format!("ch_{n}"), format!("in_abc{n}"));
            let subscription = json!({"mode": "subscription", "invoice": invoice, "payment_intent": null});
            let details = json!({"latest_charge": ch, "payment_details": {"order_reference": invoice}});
            vec![
                completed(token, &cs, subscription),
                event("payment_intent.succeeded", 1, intent(&pi, details)),
                event("charge.succeeded", 1, charge(&ch, &pi, json!({}))),
                event("charge.refunded", 9, charge(&ch, &pi, json!({"amount_refunded": 4999, "refunded": true}))),
            ]
        }).await;
        assert_eq!((sums(&payment), payment.concerns), ((Status::Refunded, [4999, 4999, 0]), vec![]));
    }

    async fn a_reference_of_the_hosts_own_links_nothing(kind) {
        let app = App::new(kind).await;
        for (number, reference) in ["order-7", "in_", "in_stock 7", "pi_1"].into_iter().enumerate() {
            let details = json!({"payment_details": {"order_reference": reference}});
            app.deliver(&[&event("payment_intent.succeeded", 1, intent(&format!("pi_own{number}"), details))]).await;
        }
        assert_eq!(app.number("SELECT count(*) FROM pay_event_references"), 4, "each names itself alone");
    }
}

//! Do the pages say things in the words of those who read them?

use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind as Happened};
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{HandlerError, NewPayment, Token};
use serde_json::json;

use crate::acts::form;
use crate::app::{App, Kind, SECRET, on_both_databases};
use crate::events::{changed, fixture};
use crate::money::{event, session};
use crate::scenes::{completed, money};

/// An app whose handler of payouts fails, with a payment through the dummy gateway of which this happened.
async fn shop(kind: Kind, happened: Happened) -> (App, Token) {
    shop_of(kind, happened, 4999).await
}

async fn shop_of(kind: Kind, happened: Happened, minor: i64) -> (App, Token) {
    let app = App::with(kind, |builder| {
        builder
            .variant("dummy", Dummy::new("secret"))
            .on_event("payout.paid", "book", |_| async { Err::<(), _>(HandlerError::Retry("no such account".into())) })
    })
    .await;
    let _ = app.payments.mount("/payments");
    let token = app.payments.create(NewPayment::new("dummy", money(minor, "EUR"))).await.unwrap().payment.token;
    app.dummy_says(&DummyEvent::new("de_1", happened, &token, money(minor, "EUR"))).await;
    (app, token)
}

async fn page(app: &App, path: &str) -> String {
    let answer = app.get(&format!("/payments/admin/{path}")).await;
    assert!([200, 404].contains(&answer.status), "{path}: {}", answer.status);
    answer.text()
}

/// What pages said once, and nobody should have to puzzle over again.
const OLD: [&str; 17] = [
    "next is due later",
    "retryable",
    "Retryable",
    "64 bits",
    "the gateway did it",
    "flags cleared",
    "stays pending",
    "stays paid",
    "stays authorized",
    "stays active",
    "no flags",
    "The way in works",
    "Its events",
    "It names none",
    "It states none",
    "refuses of late",
    "Look at this payment",
];

on_both_databases! {
    async fn no_page_says_what_nobody_understood(kind) {
        let (app, token) = shop(kind, Happened::Paid).await;
        let order = app.order().await.token;
        app.deliver(&[&completed(&order), &fixture("charge.succeeded").to_string()]).await;
        app.deliver(&[&fixture("charge.dispute.created").to_string(), &fixture("payout.paid").to_string()]).await;
        let ends = fixture("customer.subscription.updated.cancel_at_period_end").to_string();
        app.deliver(&[&ends, &fixture("customer.subscription.created").to_string()]).await;
        let unpaid = app.order().await.token;
        let opened = |id: &str| {
            let ids = [("/id", id), ("/data/object/id", "cs_2"), ("/data/object/payment_intent", "pi_2")];
            let all = ids.into_iter().chain([("/data/object/client_reference_id", unpaid.as_str())]);
            changed("checkout.session.completed.unpaid", &all.map(|(at, id)| (at, id.into())).collect::<Vec<_>>())
        };
        app.deliver(&[&opened("evt_open"), &opened("evt_again"), &opened("evt_again_2")]).await;
        let odd = changed("charge.succeeded", &[("/id", "evt_x".into()), ("/data/object/amount", "49.99".into())]);
        app.deliver(&[&odd]).await;
        let subscription = app.texts("SELECT token AS t FROM pay_subscriptions").remove(0);
        let mut paths: Vec<String> = app.texts("SELECT 'events/' || id AS t FROM pay_events");
        paths.extend([&token, &order, &unpaid].map(|token| format!("payments/{token}")));
        paths.extend([format!("payments/{token}?done=refund"), format!("subscriptions/{subscription}?done=cancel")]);
        let lists = ["", "payments", "events", "subscriptions", "disputes", "books", "failures", "variants", "audit"];
        paths.extend(lists.map(str::to_owned));
        paths.extend(["payments?q=x", "events?state=retryable", "variants/stripe", "search?for=x"].map(str::to_owned));
        let mut faults = Vec::new();
        for path in paths {
            let text = page(&app, &path).await;
            faults.extend(OLD.iter().filter(|old| text.contains(**old)).map(|old| format!("{path}: {old}")));
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        let outcomes = app.outcomes();
        for outcome in ["already known; still pending", "still paid: dispute", "still active"] {
            assert!(outcomes.iter().any(|found| found.contains(outcome)), "{outcome}: {outcomes:#?}");
        }
    }

    async fn an_event_that_failed_says_when_it_is_tried_again(kind) {
        let (app, _) = shop(kind, Happened::Paid).await;
        app.deliver(&[&fixture("payout.paid").to_string()]).await;
        app.run("UPDATE pay_events SET due_at = '2026-10-12 10:20:05+00:00' WHERE state = 'retryable'");
        let told = "handler book failed: no such account; attempt 1 of 12, next attempt in 5 min";
        for path in ["events", "events/2", "events?state=retryable"] {
            let text = page(&app, path).await;
            assert!(text.contains(told) && text.to_lowercase().contains("waiting to retry"), "{path}: {text}");
        }
        app.pass(3_600);
        let text = page(&app, "events/2").await;
        assert!(text.contains("attempt 1 of 12, next attempt now"), "{text}");
    }

    async fn what_is_authorized_shows_what_can_be_captured(kind) {
        let (app, token) = shop(kind, Happened::Authorized).await;
        for rest in ["", "/capture", "/capture?amount=20.00"] {
            let text = page(&app, &format!("payments/{token}{rest}")).await;
            assert!(text.contains("Can be captured 49.99 EUR") && !text.contains("Remaining"), "{text}");
        }
        app.payments.capture(&token, None).await.unwrap();
        let text = page(&app, &format!("payments/{token}")).await;
        assert!(text.contains("Remaining 49.99 EUR") && !text.contains("Can be captured"), "{text}");
    }

    async fn a_dispute_that_ended_says_what_stands_still(kind) {
        let (app, _) = shop(kind, Happened::Paid).await;
        let order = app.order().await.token;
        app.deliver(&[&completed(&order), &fixture("charge.succeeded").to_string()]).await;
        app.deliver(&[&fixture("charge.dispute.created").to_string()]).await;
        app.run("UPDATE pay_transitions SET dispute = NULL");
        app.run("INSERT INTO pay_transitions (payment_id, from_status, to_status, needs_review, disputed, cause, created_at) \
                 SELECT payment_id, to_status, to_status, FALSE, FALSE, 'the dispute was won', created_at FROM pay_transitions \
                 ORDER BY id DESC LIMIT 1");
        let text = page(&app, &format!("payments/{order}")).await;
        assert!(text.contains("Still paid dispute closed") && text.contains("Still paid disputed"), "{text}");
    }

    async fn an_old_time_is_said_once(kind) {
        let (app, token) = shop(kind, Happened::Paid).await;
        app.pass(8 * 86_400);
        for path in [format!("payments/{token}"), "events/1".to_owned()] {
            let text = page(&app, &path).await;
            assert!(text.contains("12 Oct 2026 10:15:00 UTC") && !text.contains("12 Oct 2026 12 Oct 2026"), "{text}");
        }
    }

    async fn an_amount_is_written_in_one_way(kind) {
        let (app, token) = shop_of(kind, Happened::Paid, 999_999_999).await;
        let sure = app.get(&format!("/payments/admin/payments/{token}/refund?amount=1234567.89")).await;
        let done = app.post(&format!("/payments/admin/payments/{token}/refund"), &form(&sure.body)).await;
        assert_eq!(done.status, 303, "{}", done.text());
        let text = page(&app, &format!("payments/{token}?done=refund")).await;
        for words in [
            "Refunded 1,234,567.89 EUR by Dummy.",
            "refund of 1,234,567.89 EUR asked for",
            "1,234,567.89 EUR of 9,999,999.99 EUR refunded",
            "9,999,999.99 EUR captured",
            "9,999,999.99 EUR through dummy",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let review = app.order_of(money(999_999_999, "EUR")).await.token;
        let odd = json!({"amount_subtotal": 876_543_210, "amount_total": 876_543_210, "payment_intent": "pi_9"});
        app.deliver(&[&event("checkout.session.completed", 0, session("cs_9", &review, odd))]).await;
        app.deliver(&[&fixture("customer.subscription.created").to_string()]).await;
        let unpaid = [("/data/object/amount_due", 123_456_789.into()), ("/data/object/status", "open".into())];
        app.deliver(&[&changed("invoice.payment_failed", &unpaid)]).await;
        let subscription = app.texts("SELECT token AS t FROM pay_subscriptions").remove(0);
        let mut paths: Vec<String> = ["", "/refund", "/refund?amount=123456.78", "/refund?amount=99999999"]
            .map(|rest| format!("payments/{token}{rest}"))
            .to_vec();
        paths.extend(["", "/review"].map(|rest| format!("payments/{review}{rest}")));
        paths.push(format!("subscriptions/{subscription}"));
        paths.extend(app.texts("SELECT 'events/' || id AS t FROM pay_events WHERE kind <> 'customer.subscription.created'"));
        paths.extend(["", "payments", "events", "books?mode=test", "audit"].map(str::to_owned));
        for path in paths {
            let text = page(&app, &path).await;
            let bare = text.split_whitespace().filter(|word| {
                let whole = word.split_once('.').map_or("", |(whole, _)| whole);
                whole.len() > 3 && whole.bytes().all(|b| b.is_ascii_digit())
            });
            assert_eq!(bare.collect::<Vec<_>>(), [""; 0], "{path}: {text}");
            let amounts = ["1,234,567.89 EUR", "8,765,432.10 EUR", "9,999,999.99 EUR", "1,234,567.89 USD"];
            assert!(amounts.iter().any(|amount| text.contains(amount)), "{path}: {text}");
        }
    }

    async fn the_question_about_a_subscription_shows_its_flags(kind) {
        let app = App::bare(kind, |builder| builder.variant("stripe", Stripe::new(SECRET).api_key("sk_test_1"))).await;
        let ends = [("/data/object/cancel_at_period_end", true.into())];
        app.deliver(&[&changed("customer.subscription.created", &ends)]).await;
        app.run("UPDATE pay_subscriptions SET certain = FALSE");
        let token = app.texts("SELECT token AS t FROM pay_subscriptions").remove(0);
        let text = page(&app, &format!("subscriptions/{token}/refresh")).await;
        assert!(text.contains("ends") && text.contains("not certain"), "{text}");
    }
}

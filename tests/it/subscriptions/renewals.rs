//! Does the money of a renewal end in one payment that its subscription leads to, whatever Stripe's events name and in
//! whichever order they come, and whatever becomes of events that nothing matches? Also where several intents pay one
//! invoice.

use actix_payments::{Token, Unmatched};
use serde_json::{Value, json};

use super::invoices::the_one_payment;
use super::started::{at_stripe, begun};
use super::story::{Story, orders, some_orders};
use crate::app::{App, Kind, NOW, on_both_databases};
use crate::events::fixture;
use crate::stripe::listener::Listener;

/// How Stripe's objects name each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Before 2025-03-31: the intent and its charge name the invoice, and the invoice names both.
    BeforeBasil,
    /// Since then: only an invoice payment names an invoice and its intent.
    Basil,
    /// The intent has a reference of Stripe's own besides, which is the invoice's id.
    Referring,
}

/// A fixture with another id and these fields.
fn of(name: &str, id: &str, changes: Value) -> Value {
    let mut event: Value = fixture(name);
    event["id"] = json!(format!("evt_of_{id}"));
    event["data"]["object"]["id"] = json!(id);
    event["data"]["object"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}

/// What an intent that pays an invoice makes Stripe send: of the intent, its charge, and that it pays the invoice.
fn paying(version: Version, invoice: &str, intent: &str, minor: i64) -> Vec<String> {
    let charge = intent.replace("pi_", "ch_");
    let order = if version == Version::Referring { json!({"order_reference": invoice}) } else { Value::Null };
    let old = if version == Version::BeforeBasil { json!(invoice) } else { Value::Null };
    let of_intent = json!({"latest_charge": charge, "payment_details": order, "invoice": old, "metadata": {},
        "amount": minor, "amount_received": minor, "currency": "usd"});
    let of_charge = json!({"payment_intent": intent, "invoice": old, "metadata": {}, "amount": minor,
        "amount_captured": minor, "amount_refunded": 0, "currency": "usd"});
    let link = json!({"invoice": invoice, "payment": {"type": "payment_intent", "payment_intent": intent},
        "amount_paid": minor, "amount_requested": minor});
    let mut all = vec![of("payment_intent.succeeded", intent, of_intent), of("charge.succeeded", &charge, of_charge)];
    if version != Version::BeforeBasil {
        all.push(of("invoice_payment.paid", &intent.replace("pi_", "inpay_"), link));
    }
    all.iter().map(ToString::to_string).collect()
}

/// Adds that the next invoice of the subscription is paid.
fn paid_invoice(story: &mut Story, version: Version, number: usize, due: i64) -> String {
    let invoice = format!("in_{number}");
    story.update(NOW + 5, json!({"latest_invoice": invoice}));
    let mut changes = json!({"status": "paid", "amount_due": due, "amount_paid": due, "created": NOW});
    if version == Version::BeforeBasil {
        changes["payment_intent"] = json!(format!("pi_{number}"));
        changes["charge"] = json!(format!("ch_{number}"));
        changes["subscription"] = json!(story.id());
        changes["parent"] = Value::Null;
    }
    story.invoice("paid", NOW + 6, changes);
    story.events.last().unwrap().clone()
}

/// An app with a subscription that was started here and begins under this policy, and the subscription's token.
async fn started(kind: Kind, unmatched: Unmatched) -> (App, Listener, Story, Token) {
    let (app, listener) = at_stripe(kind, unmatched).await;
    let token = begun(&app).await;
    let mut story = Story::new(1, "active");
    story.update(NOW, json!({"metadata": {"subscription_token": token}}));
    app.deliver(&[&story.events[1]]).await;
    (app, listener, story, token)
}

/// Delivers events in this order: one by one, all at once, or with so much time between them that none waits any more.
async fn deliver(app: &App, events: &[String], order: &[usize], turn: usize) {
    for at in order {
        assert_eq!(app.stripe(&events[*at]).await.status, 200);
        if turn % 3 != 1 {
            app.drain().await;
        }
        if turn % 3 == 2 {
            app.pass(3_600);
            app.drain().await;
        }
    }
    app.drain().await;
}

/// Asserts that nothing waits or was left out.
fn all_is_done(app: &App, of: &str) {
    let left =
        app.texts("SELECT kind || ' ' || state || ': ' || outcome AS t FROM pay_events WHERE state <> 'completed'");
    assert_eq!(left, [""; 0], "{of}");
}

/// Asserts that the payment and the subscription lead to each other.
async fn lead_to_each_other(app: &App, payment: &str, subscription: &str) {
    let (payment, subscription) = (format!("payments/{payment}"), format!("subscriptions/{subscription}"));
    for (page, other) in [(&payment, &subscription), (&subscription, &payment)] {
        let body = app.get(&format!("/payments/admin/{page}")).await.body;
        assert!(body.contains(&format!("{other}\"")), "no {other} on {page}");
    }
}

async fn renewals_end_in_one_payment_each(kind: Kind, unmatched: Unmatched) {
    for version in [Version::BeforeBasil, Version::Basil, Version::Referring] {
        let (app, _listener, mut story, token) = started(kind, unmatched).await;
        let parts = if version == Version::BeforeBasil { 3 } else { 4 };
        for (turn, order) in orders(parts).iter().enumerate() {
            let (number, of) = (2_000 + turn, format!("{unmatched:?} {version:?} {order:?}"));
            let invoice = paid_invoice(&mut story, version, number, 2_000);
            let mut events = paying(version, &format!("in_{number}"), &format!("pi_{number}"), 2_000);
            events.push(invoice);
            deliver(&app, &events, order, turn).await;
            if unmatched == Unmatched::Adopt {
                app.pass(3_600);
                app.drain().await;
            }
            all_is_done(&app, &of);
            let payment = the_one_payment(&app, &["in", "pi", "ch"].map(|kind| format!("{kind}_{number}")));
            let found = app.payment(&payment).await;
            let sums = (found.status.as_str(), found.amount.minor, found.captured.minor);
            assert_eq!((sums, &found.concerns[..]), (("paid", 2_000, 2_000), &[][..]), "{of}");
            if turn % 5 == 0 {
                lead_to_each_other(&app, &payment, &token).await;
                app.same(&payment).await;
            }
        }
    }
}

/// Two intents that pay one invoice of 20.00, in many orders: what they come to, and what is to be reviewed.
async fn two_pay_one(kind: Kind, unmatched: Unmatched, (first, second): (i64, i64), concerns: &[&str]) {
    let (app, _listener, mut story, token) = started(kind, unmatched).await;
    for (turn, order) in some_orders(7, 24).iter().enumerate() {
        let (number, version) = (3_000 + turn, if turn % 2 == 0 { Version::Basil } else { Version::Referring });
        let invoice = format!("in_{number}");
        let mut events = paying(version, &invoice, &format!("pi_{number}a"), first);
        events.extend(paying(version, &invoice, &format!("pi_{number}b"), second));
        events.push(paid_invoice(&mut story, version, number, 2_000));
        deliver(&app, &events, order, turn).await;
        app.pass(3_600);
        app.drain().await;
        let of = format!("{unmatched:?} {version:?} {order:?}");
        all_is_done(&app, &of);
        let named = ["in_", "pi_", "ch_"].map(|kind| format!("{kind}{number}"));
        let [invoice, intent, charge] = &named;
        let both = |text: &String| [format!("{text}a"), format!("{text}b")];
        let all: Vec<String> = [invoice.clone()].into_iter().chain(both(intent)).chain(both(charge)).collect();
        let payment = the_one_payment(&app, &all);
        let found = app.payment(&payment).await;
        assert_eq!((found.status.as_str(), found.captured.minor), ("paid", first + second), "{of}");
        assert_eq!(found.concerns, concerns, "{of}");
        if turn % 8 == 0 {
            lead_to_each_other(&app, &payment, &token).await;
            app.same(&payment).await;
            let page = app.get(&format!("/payments/admin/payments/{payment}")).await.text();
            for (intent, minor) in both(intent).iter().zip([first, second]) {
                let amount = format!("{}.{:02} USD", minor / 100, minor % 100);
                assert!(page.contains(&format!("{intent} succeeded {amount}")), "{intent}: {amount} on {page}");
            }
        }
    }
}

on_both_databases! {
    async fn a_credit_note_lowers_what_an_invoice_asks_for_in_every_order(kind) {
        let (app, _listener, mut story, _) = started(kind, Unmatched::Adopt).await;
        for (turn, order) in some_orders(5, 24).iter().enumerate() {
            let number = 4_000 + turn;
            let mut events = paying(Version::Basil, &format!("in_{number}"), &format!("pi_{number}"), 2_000);
            events.push(paid_invoice(&mut story, Version::Basil, number, 1_500));
            story.invoice("finalized", NOW + 1, json!({"status": "open", "amount_due": 2_000, "created": NOW}));
            events.push(story.events.last().unwrap().clone());
            deliver(&app, &events, order, turn).await;
            app.pass(3_600);
            app.drain().await;
            let payment = the_one_payment(&app, &["in", "pi", "ch"].map(|kind| format!("{kind}_{number}")));
            let found = app.payment(&payment).await;
            assert_eq!((found.status.as_str(), found.captured.minor), ("paid", 2_000), "{order:?}");
            assert_eq!(found.concerns, ["20.00 USD were captured, the payment is of 15.00 USD"], "{order:?}");
            app.same(&payment).await;
        }
    }

    async fn the_money_of_a_renewal_ends_in_one_payment_where_others_are_parked(kind) {
        renewals_end_in_one_payment_each(kind, Unmatched::Park).await;
    }

    async fn the_money_of_a_renewal_ends_in_one_payment_where_others_are_ignored(kind) {
        renewals_end_in_one_payment_each(kind, Unmatched::Ignore).await;
    }

    async fn the_money_of_a_renewal_ends_in_one_payment_where_others_are_adopted(kind) {
        renewals_end_in_one_payment_each(kind, Unmatched::Adopt).await;
    }

    async fn the_link_makes_a_payment_where_nothing_else_was_heard_of_the_money(kind) {
        for unmatched in [Unmatched::Park, Unmatched::Ignore] {
            let (app, _listener, mut story, token) = started(kind, unmatched).await;
            let invoice = paid_invoice(&mut story, Version::Basil, 2_000, 2_000);
            let link = paying(Version::Basil, "in_2000", "pi_2000", 2_000).remove(2);
            app.deliver(&[&invoice, &link]).await;
            let payment = the_one_payment(&app, &["in_2000".to_owned(), "pi_2000".to_owned()]);
            let found = app.payment(&payment).await;
            assert_eq!((found.status.as_str(), found.amount.to_string(), found.captured.minor), ("paid", "20.00 USD".to_owned(), 2_000));
            lead_to_each_other(&app, &payment, &token).await;
        }
    }

    async fn a_link_of_an_invoice_that_is_not_ours_makes_nothing(kind) {
        for (unmatched, ended) in [(Unmatched::Park, "parked"), (Unmatched::Ignore, "ignored")] {
            let (app, _listener, _story, _token) = started(kind, unmatched).await;
            let link = paying(Version::Basil, "in_9", "pi_9", 2_000).remove(2);
            app.deliver(&[&link]).await;
            app.pass(3_600);
            app.drain().await;
            assert_eq!((app.events(ended), app.number("SELECT count(*) FROM pay_payments")), (1, 0), "{unmatched:?}");
            // It states money, and parked is kept for however long.
            app.pass(30 * 86_400);
            app.drain().await;
            assert_eq!(app.events(ended), 1, "{unmatched:?}");
        }
    }

    async fn two_parts_of_an_invoice_are_one_payment_with_the_right_sum(kind) {
        for unmatched in [Unmatched::Adopt, Unmatched::Park] {
            two_pay_one(kind, unmatched, (1_200, 800), &[]).await;
        }
    }

    async fn an_invoice_that_is_paid_twice_asks_for_a_review(kind) {
        for unmatched in [Unmatched::Adopt, Unmatched::Ignore] {
            two_pay_one(kind, unmatched, (2_000, 2_000), &["40.00 USD were captured, the payment is of 20.00 USD"]).await;
        }
    }

    async fn a_part_too_much_of_an_invoice_asks_for_a_review(kind) {
        let concern = ["23.00 USD were captured, the payment is of 20.00 USD"];
        two_pay_one(kind, Unmatched::Adopt, (1_500, 800), &concern).await;
    }
}

//! Is it known of each invoice what is due, paid, failed and tried next, and is its money a payment, in every order?

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Token, Unmatched, Variant};
use serde_json::{Value, json};

use super::billing::Billing;
use super::started::{at_stripe, begun};
use super::story::{DAY, Story, orders, some_orders};
use crate::app::{App, NOW, SECRET, on_both_databases};
use crate::events::fixture;

/// What is known of the invoices, oldest first: the gateway ref, its status, and how many payments bear it.
fn invoices(app: &App) -> Vec<String> {
    app.texts(
        "SELECT i.gateway_ref || ' ' || i.status || ' ' || (SELECT count(*) FROM pay_references r \
         JOIN pay_payments p ON p.id = r.payment_id WHERE r.gateway_ref = i.gateway_ref AND p.absorbed_by IS NULL) AS t \
         FROM pay_subscription_invoices i ORDER BY i.gateway_ref",
    )
}

/// How many orders are looked at, of more than five thousand, and what the stories' ids begin with.
const MANY: usize = 72;
const FIRST: usize = 1000;

/// All that Stripe tells of a subscription that begins in a checkout, where its first invoice is paid. With the token of
/// one that was started here, in the metadata that Stripe copies to its objects.
fn begins(number: usize, token: Option<&str>) -> Vec<String> {
    let id = FIRST + number;
    let mut story = Story::new(id, "incomplete");
    story.checkout(NOW + 1, "user-42");
    story.update(NOW + 2, json!({"status": "active"}));
    story.invoice("paid", NOW + 3, json!({"status": "paid", "amount_paid": 2000, "attempt_count": 1}));
    let own = json!({"tenant": "7", "subscription_token": token}).to_string();
    let bearing = |event: &String| match token {
        Some(_) => event.replace(r#"{"tenant":"7"}"#, &own),
        None => event.clone(),
    };
    let mut all: Vec<String> = story.events.iter().map(bearing).collect();
    let (invoice, intent, charge) = (format!("in_{id}"), format!("pi_{id}"), format!("ch_{id}"));
    // Older intents do not say which invoice they pay.
    let order = if number % 4 < 2 { json!(invoice) } else { Value::Null };
    let of_money = [
        (
            "invoice_payment.paid",
            json!({"id": format!("inpay_{id}"), "invoice": invoice,
            "payment": {"type": "payment_intent", "payment_intent": intent}}),
        ),
        (
            "payment_intent.succeeded.subscription",
            json!({"id": intent, "latest_charge": charge,
            "payment_details": {"order_reference": order}}),
        ),
        (
            "charge.succeeded",
            json!({"id": charge, "payment_intent": intent, "amount": 2000, "amount_captured": 2000,
            "currency": "usd", "metadata": {}}),
        ),
    ];
    for (name, changes) in of_money {
        let mut event: Value = fixture(name);
        event["id"] = json!(format!("evt_{name}_{id}"));
        event["data"]["object"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        all.push(event.to_string());
    }
    all
}

/// Tells the story of many subscriptions, each in an order of its own, one by one or at once: each ends as one payment,
/// and the subscription's page and the payment's lead to each other.
async fn one_payment_each(app: &App, tokens: &[Option<Token>]) {
    let tell = |number: usize| begins(number, tokens[number].as_deref());
    for (number, order) in some_orders(tell(0).len(), tokens.len()).iter().enumerate() {
        let told = tell(number);
        for at in order {
            assert_eq!(app.stripe(&told[*at]).await.status, 200);
            if number % 2 == 0 {
                app.drain().await;
            }
        }
    }
    app.drain().await;
    // What bears no token waits for a payment, and is adopted after the grace time.
    app.pass(3600);
    app.drain().await;
    assert_eq!(app.events("parked") + app.events("discarded"), 0, "{:?}", app.outcomes());
    let many = tokens.len() as i64;
    assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), many);
    assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE absorbed_by IS NULL"), many);
    let whole = "status = 'paid' AND amount = 2000 AND captured_amount = 2000 AND absorbed_by IS NULL";
    assert_eq!(app.number(&format!("SELECT count(*) FROM pay_payments WHERE {whole} AND NOT needs_review")), many);
    for (number, token) in tokens.iter().enumerate() {
        let subscription = app.subscription(&format!("sub_{}", FIRST + number)).await;
        assert_eq!(subscription.owner(), Some("user-42"), "{number}");
        assert!(token.as_ref().is_none_or(|token| *token == subscription.token), "{number}");
        let named = ["in", "pi", "ch"].map(|kind| format!("{kind}_{}", FIRST + number));
        let payment = the_one_payment(app, &named);
        let (subscription, payment) = (format!("subscriptions/{}", subscription.token), format!("payments/{payment}"));
        for (page, other) in [(&subscription, &payment), (&payment, &subscription)] {
            let page = app.get(&format!("/payments/admin/{page}")).await.body;
            assert!(page.contains(&format!("{other}\"")), "{number}: no {other} on {page}");
        }
    }
}

/// The token of the one payment that bears all of these.
pub fn the_one_payment(app: &App, refs: &[String]) -> String {
    let all: Vec<String> = refs.iter().map(|text| format!("'{text}'")).collect();
    let mut found = app.texts(&format!(
        "SELECT p.token || ' ' || count(*) AS t FROM pay_references r JOIN pay_payments p ON p.id = r.payment_id \
         WHERE r.gateway_ref IN ({}) AND p.absorbed_by IS NULL GROUP BY p.token",
        all.join(", ")
    ));
    assert_eq!(found.len(), 1, "{refs:?} are borne by {found:?}");
    let found = found.remove(0);
    let (token, count) = found.split_once(' ').unwrap();
    assert_eq!(count, refs.len().to_string(), "of {refs:?}");
    token.to_owned()
}

on_both_databases! {
    async fn the_first_invoice_ends_as_one_payment_in_every_order(kind) {
        one_payment_each(&App::new(kind).await, &vec![None; MANY]).await;
    }

    async fn the_first_invoice_of_what_was_started_here_ends_as_one_payment_in_every_order(kind) {
        for (unmatched, many) in [(Unmatched::Park, MANY), (Unmatched::Ignore, MANY / 3)] {
            let (app, _listener) = at_stripe(kind, unmatched).await;
            let mut tokens = Vec::new();
            for _ in 0..many {
                tokens.push(Some(begun(&app).await));
            }
            one_payment_each(&app, &tokens).await;
        }
    }

    async fn money_whose_intent_is_never_reported_is_a_payment(kind) {
        // Whether the intent, once it comes after all, says which invoice it pays, and whether any event of it comes.
        for (number, late) in [(0, false), (0, true), (2, true)] {
            let app = App::new(kind).await;
            let told = begins(number, None);
            // Not the session either, which says that its money came.
            for event in [&told[0], &told[2], &told[3], &told[4]] {
                app.deliver(&[event]).await;
            }
            assert_eq!(app.events("parked"), 1, "{:?}", app.outcomes());
            app.pass(3_600);
            app.drain().await;
            assert_eq!(app.events("parked"), 0, "{:?}", app.outcomes());
            let id = FIRST + number;
            let payment = the_one_payment(&app, &[format!("in_{id}"), format!("pi_{id}")]);
            if late {
                app.deliver(&[&told[5], &told[6]]).await;
                assert_eq!(the_one_payment(&app, &["in", "pi", "ch"].map(|kind| format!("{kind}_{id}"))), payment);
            }
            let found = app.payment(&payment).await;
            let sums = (found.status, found.amount.to_string(), found.captured.to_string());
            assert_eq!(sums, (Status::Paid, "20.00 USD".to_owned(), "20.00 USD".to_owned()), "{number} {late}");
            assert!(!found.needs_review(), "{:?}", found.concerns);
            assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 1);
            let page = app.get(&format!("/payments/admin/payments/{payment}")).await;
            let subscription = app.subscription(&format!("sub_{id}")).await.token;
            assert!(page.body.contains(&format!("subscriptions/{subscription}\"")), "{}", page.body);
            // What the invoice asks for is among what the ledger holds, in words.
            let page = page.text();
            assert!(page.contains(&format!("what the invoice asks for in_{id} due 20.00 USD")), "{page}");
            assert!(!page.contains("invoice in_") || !page.contains("concern"), "{page}");
        }
    }

    async fn an_open_invoice_that_is_refreshed_makes_no_payment(kind) {
        // Whether the subscription was started here, and in which order its paying is reported and asked about.
        for (is_ours, order) in orders(3).into_iter().flat_map(|order| [(false, order.clone()), (true, order)]) {
            let (app, billing, id) = crate::subscriptions::repairing::app(kind).await;
            if is_ours {
                app.run("UPDATE pay_subscriptions SET adopted = FALSE");
            }
            let token = app.subscription(&id).await.token;
            let (heard, paid) = {
                let mut state = billing.state();
                state.now += 31 * DAY;
                state.renew(&id);
                state.fail(&id);
                let heard = state.events.len();
                state.now += 60;
                (heard, heard..)
            };
            app.pass(31 * DAY + 60);
            app.drain().await;
            let payments = || app.texts("SELECT status AS t FROM pay_payments WHERE absorbed_by IS NULL ORDER BY id");
            assert_eq!(payments(), ["paid"]);
            let events: Vec<String> = billing.state().events[..heard].iter().map(ToString::to_string).collect();
            app.deliver(&events.iter().map(String::as_str).collect::<Vec<_>>()).await;
            app.payments.refresh_subscription(&token).await.unwrap();
            assert_eq!((payments(), app.events("parked")), (vec!["paid".to_owned()], 0), "{:?}", app.outcomes());
            billing.state().pay(&id);
            let events: Vec<String> = billing.state().events[paid].iter().map(ToString::to_string).collect();
            assert_eq!(events.len(), 3, "the intent, the invoice and the subscription");
            for what in &order {
                app.pass(5);
                billing.state().now += 5;
                match what {
                    2 => _ = app.payments.refresh_subscription(&token).await.unwrap(),
                    place => app.deliver(&[&events[*place]]).await,
                }
            }
            app.pass(3_600);
            app.drain().await;
            assert_eq!((payments(), app.events("parked")), (vec!["paid".to_owned(); 2], 0), "{is_ours} {order:?}");
            assert!(invoices(&app).iter().all(|line| line.ends_with(" paid 1")), "{:?}", invoices(&app));
        }
    }

    async fn what_is_ignored_leaves_nothing_that_a_payment_is_compared_with(kind) {
        // A payment of this host's bears the invoice of a subscription that was begun elsewhere.
        for (order, at_once) in orders(2).into_iter().flat_map(|order| [(order.clone(), false), (order, true)]) {
            let variant = Variant::new(Stripe::new(SECRET)).unmatched(Unmatched::Ignore);
            let app = App::bare(kind, |builder| builder.variant("stripe", variant)).await;
            let payment = app.order().await;
            let mut story = Story::new(1001, "active");
            story.invoice("finalized", NOW, json!({"amount_due": 777}));
            let mut intent: Value = fixture("payment_intent.succeeded");
            intent["data"]["object"]["metadata"] = json!({"payment_token": payment.token});
            intent["data"]["object"]["payment_details"] = json!({"order_reference": "in_1001"});
            let told = [story.events[1].clone(), intent.to_string()];
            for place in &order {
                assert_eq!(app.stripe(&told[*place]).await.status, 200);
                if !at_once {
                    app.drain().await;
                }
            }
            app.drain().await;
            app.pass(3_600);
            app.drain().await;
            assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), 0, "{order:?}");
            assert_eq!(app.number("SELECT count(*) FROM pay_references WHERE gateway_ref = 'in_1001'"), 1);
            let dues = app.texts("SELECT gateway_ref AS t FROM pay_ledger WHERE register = 'concern'");
            assert_eq!(dues, [""; 0], "{order:?} {at_once}");
        }
    }

    async fn an_event_of_both_is_in_both_timelines(kind) {
        let app = App::new(kind).await;
        let told = begins(1, None);
        app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let of_both = "SELECT CAST(id AS VARCHAR(20)) AS t FROM pay_events WHERE kind = 'invoice.paid'";
        let event = format!("href=\"/payments/admin/events/{}\"", app.texts(of_both).remove(0));
        let payment = app.texts("SELECT token AS t FROM pay_payments").remove(0);
        let subscription = app.subscription(&format!("sub_{}", FIRST + 1)).await.token;
        for page in [format!("payments/{payment}"), format!("subscriptions/{subscription}")] {
            let body = app.get(&format!("/payments/admin/{page}")).await.body;
            let timeline = body.split_once("<ol class=\"timeline\"").unwrap().1.split_once("</ol>").unwrap().0;
            assert_eq!(timeline.matches(&event).count(), 1, "{page}: {timeline}");
        }
    }

    async fn an_event_and_the_step_that_it_caused_are_one_entry(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "active");
        story.update(NOW, json!({"status": "past_due"}));
        app.hear(&story).await;
        let found = app.subscription(story.id()).await;
        assert_eq!(app.steps_of(&found).len(), 2);
        let body = app.get(&format!("/payments/admin/subscriptions/{}", found.token)).await.body;
        let timeline = body.split_once("<ol class=\"timeline\"").unwrap().1.split_once("</ol>").unwrap().0;
        let entries: Vec<&str> = timeline.split("<li").skip(1).collect();
        assert_eq!(entries.len(), 2, "{timeline}");
        for (entry, kind) in entries.iter().zip(["updated", "created"]) {
            assert!(entry.contains(&format!("customer.subscription.{kind}")), "{entry}");
        }
        assert!(entries[0].contains("past due"), "{}", entries[0]);
    }

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

//! How much does it take support staff, accountants and the one on call to finish their work? Each task begins on the
//! first page of the admin, and the browser counts clicks, fields filled and keys pressed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_payments::domain::payment::Status;
use actix_payments::{NewPayment, Token};
use serde_json::json;

use super::{Site, admin, assert_quiet, checkout, eur, open, order, settled, shop};
use crate::app::{App, Kind, on_both_databases};
use crate::events::{changed, fixture};
use crate::money::{charge, event, session};
use crate::scenes::{completed, completed_as};
use crate::tools::{Browser, View};

/// Where every task begins.
fn begin(browser: &mut Browser, site: &Site) {
    open(browser, site, "/payments/admin/", &View { width: 1280, ..admin() });
}

/// Types into the box that every page has.
fn find(browser: &mut Browser, text: &str) -> String {
    browser.fill(".find input", text);
    browser.enter(".find input")
}

/// The task is done, in so many steps and no more.
#[track_caller]
fn took(browser: &mut Browser, steps: u64) {
    let taken = browser.steps();
    assert!(taken <= steps, "{taken} steps, and {steps} are enough");
    assert_quiet(browser);
}

#[track_caller]
fn shows(browser: &mut Browser, parts: &[&str]) {
    let page = browser.text("main");
    for part in parts {
        assert!(page.contains(part), "{part:?} in {page}");
    }
}

/// 44.99 EUR of the 49.99 EUR that were agreed.
fn too_little(token: &str) -> String {
    let less = json!({"amount_subtotal": 4499, "amount_total": 4499, "payment_intent": "pi_1"});
    event("checkout.session.completed", 0, session("cs_1", token, less))
}

/// A shop in whose browser somebody has just paid for a kettle; and the payment's token.
async fn bought(kind: Kind) -> (App, Site, Browser, String) {
    let app = shop(kind).await;
    let site = app.serve();
    let mut browser = Browser::start();
    let (token, address) = checkout(&app, &site.at("/orders"), "kettle-1").await;
    open(&mut browser, &site, &address, &View::default());
    browser.click("button[value=pay]");
    settled(&app);
    (app, site, browser, token)
}

/// An order of this customer.
async fn order_of(app: &App, reference: &str, customer: &str) -> Token {
    let new = NewPayment::new("stripe", eur(4999)).reference(reference).customer(customer);
    app.payments.create(new).await.unwrap().payment.token
}

on_both_databases! {
    async fn a_review_is_resolved_in_five_steps(kind) {
        let app = shop(kind).await;
        let token = order(&app, "10042").await;
        app.deliver(&[&too_little(&token)]).await;
        let site = app.serve();
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        browser.click_text("Payments to review");
        browser.click(".row-link");
        shows(&mut browser, &["44.99 EUR", "49.99 EUR"]);
        browser.click_text("Decide");
        browser.fill("#note", "The old price was quoted");
        browser.click("button[value=accept]");
        shows(&mut browser, &["Paid: 44.99 EUR", "The old price was quoted"]);
        took(&mut browser, 5);
        assert_eq!(app.status(&token).await, Status::Paid);
        open(&mut browser, &site, "/payments/admin/", &admin());
        assert!(!browser.text(".anomalies").contains("Payments to review"), "the alarm has ended");
    }

    async fn a_dispute_with_its_deadline_is_one_step_away(kind) {
        let app = shop(kind).await;
        let token = order(&app, "10042").await;
        let due = json!({
            "id": "dp_1", "object": "dispute", "currency": "eur", "amount": 4999, "charge": "ch_1", "reason": "fraudulent",
            "payment_intent": "pi_1", "status": "needs_response", "evidence_details": {"due_by": 1_792_500_000},
        });
        let events = [
            event("checkout.session.completed", 0, session("cs_1", &token, json!({"payment_intent": "pi_1"}))),
            event("charge.succeeded", 0, charge("ch_1", "pi_1", json!({}))),
            event("charge.dispute.created", 9, due),
        ];
        let events = events.map(|event| event.replace("\"livemode\":false", "\"livemode\":true"));
        app.deliver(&events.each_ref().map(String::as_str)).await;
        let site = app.serve();
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        assert!(browser.text(".anomalies").contains("answer it at the gateway by 2026-10-20 12:40 UTC"), "{}", browser.text(".anomalies"));
        browser.click_text("Disputes");
        shows(&mut browser, &["49.99 EUR", "fraudulent", "10042"]);
        took(&mut browser, 1);
        browser.click("td.at-title a");
        shows(&mut browser, &["disputed", "20 Oct 2026"]);
        took(&mut browser, 2);
    }

    async fn a_note_is_written_in_five_steps_and_found_by_its_words_in_two(kind) {
        let app = shop(kind).await;
        order(&app, "10041").await;
        let token = order(&app, "10042").await;
        let site = app.serve();
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        find(&mut browser, "10042");
        browser.click("details.writing summary");
        browser.fill("#note", "The parcel went to the harbour");
        browser.click_text("Save the note");
        shows(&mut browser, &["The parcel went to the harbour", "by admin"]);
        took(&mut browser, 5);
        settled_words(&app).await;
        begin(&mut browser, &site);
        assert!(find(&mut browser, "HARBOUR").ends_with(token.as_str()), "{}", browser.url());
        took(&mut browser, 2);
    }

    async fn last_months_books_are_in_a_file_after_three_steps(kind) {
        let app = crate::books::in_the_autumn(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        browser.click_text("Books");
        browser.click_text("Last month");
        browser.fill("select[name=mode]", "test");
        browser.submit("form.filter");
        shows(&mut browser, &["October 2026", "Opening", "Captured", "Closing"]);
        let (name, text) = browser.download("Download CSV");
        assert!(name.starts_with("books-") && text.contains(",capture,49.99,EUR,"), "{name}: {text}");
        // Two more steps choose test money, which is all that there is here.
        took(&mut browser, 3 + 2);
    }

    async fn a_payment_is_found_by_whatever_a_customer_says_in_two_steps(kind) {
        let app = shop(kind).await;
        let mia = order_of(&app, "ORD-2026-001234", "Mia.Meier@shop.example").await;
        let zoe = NewPayment::new("stripe", eur(51)).reference("ORD-2026-009876").customer("zoe@example.org");
        app.payments.create(zoe).await.unwrap();
        app.deliver(&[
            &completed(&mia),
            &fixture("payment_intent.succeeded").to_string(),
            &changed("charge.succeeded", &[("/data/object/customer", "cus_Mia7".into())]),
        ])
        .await;
        let site = app.serve();
        settled_words(&app).await;
        let mut browser = Browser::start();
        for text in ["mia.mei", "#1234", "ord-2026-001234", "49.99", "49,99 €", "4242", "Jenny Rosén", "cus_Mia7", &mia] {
            begin(&mut browser, &site);
            assert!(find(&mut browser, text).ends_with(mia.as_str()), "{text}: {}", browser.url());
            took(&mut browser, 2);
        }
    }

    async fn all_failures_of_one_cause_are_requeued_in_four_steps(kind) {
        let is_up = Arc::new(AtomicBool::new(false));
        let app = crate::failures::failed(kind, is_up.clone()).await;
        let site = app.serve();
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        browser.click_text("Discarded events");
        browser.click_text("Failures by cause");
        shows(&mut browser, &["SMTP time-out", "send-receipt", "14"]);
        is_up.store(true, Ordering::SeqCst);
        browser.click_text("Requeue all of handler send-receipt failed");
        assert_eq!(browser.text("h1"), "Requeue 14 events?");
        browser.click("form.confirm button");
        assert_eq!(browser.text("h1"), "14 events were requeued");
        took(&mut browser, 4);
        app.until("SELECT count(*) FROM pay_events WHERE state = 'completed'", 14).await;
    }

    async fn why_a_payment_is_not_paid_is_one_sentence_two_steps_away(kind) {
        let app = shop(kind).await;
        let failed = order(&app, "10042").await;
        order(&app, "10043").await;
        let metadata = [("/data/object/metadata", json!({"payment_token": failed}))];
        app.deliver(&[&changed("payment_intent.payment_failed", &metadata)]).await;
        let site = app.serve();
        settled_words(&app).await;
        let mut browser = Browser::start();
        for (order, why) in [("10042", "Not paid: the last try failed: "), ("10043", "no event")] {
            begin(&mut browser, &site);
            find(&mut browser, order);
            let answer = browser.text(".answer");
            assert!(answer.contains(why), "{answer}");
            took(&mut browser, 2);
        }
    }

    async fn late_deliveries_are_one_step_away(kind) {
        let app = shop(kind).await;
        for (id, seconds) in [("evt_prompt", 2), ("evt_late", 2 * 86_400)] {
            let payout = [("/id", id.into()), ("/created", (app.now() - seconds).into())];
            app.deliver(&[&changed("payout.paid", &payout)]).await;
        }
        let site = app.serve();
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        shows(&mut browser, &["How long deliveries take"]);
        browser.click_text("Late ones");
        assert_eq!(browser.count("table.rows tbody tr"), 1);
        took(&mut browser, 1);
        browser.click(".row-link");
        shows(&mut browser, &["2 days"]);
        took(&mut browser, 2);
    }

    async fn all_of_a_customer_is_three_steps_away(kind) {
        let app = shop(kind).await;
        let first = order_of(&app, "10041", "Mia.Meier@shop.example").await;
        app.deliver(&[&completed_as(1, &first)]).await;
        order_of(&app, "10042", "mia.meier@shop.example").await;
        order_of(&app, "10043", "else@shop.example").await;
        let site = app.serve();
        settled_words(&app).await;
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        find(&mut browser, "mia.meier");
        browser.click("section[aria-labelledby=customers] a");
        assert_eq!(browser.count("table.payments tbody tr"), 2);
        shows(&mut browser, &["Captured 49.99 EUR"]);
        took(&mut browser, 3);
    }

    async fn what_two_statuses_came_to_last_month_takes_five_steps(kind) {
        let app = shop(kind).await;
        for number in 0..3 {
            let token = order(&app, &format!("1004{number}")).await;
            app.deliver(&[&completed_as(number, &token)]).await;
        }
        order(&app, "10050").await;
        app.pass(31 * 86_400);
        let site = app.serve();
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        browser.click("nav.sections a[href$='/payments']");
        browser.click_text("Last month");
        browser.fill("input[name=status]", "paid, refunded");
        browser.submit("form.filter");
        browser.click_text("Add these up");
        assert_eq!(browser.count("table.payments tbody tr"), 3);
        shows(&mut browser, &["3 payments", "Captured 149.97 EUR"]);
        took(&mut browser, 5);
    }

    async fn the_audit_is_in_a_file_after_two_steps(kind) {
        let app = shop(kind).await;
        let token = order(&app, "10042").await;
        assert_eq!(app.post(&format!("/payments/admin/payments/{token}/note"), "note=Asked+the+bank").await.status, 303);
        let site = app.serve();
        let mut browser = Browser::start();
        begin(&mut browser, &site);
        browser.click_text("Audit");
        let (name, text) = browser.download("Download CSV");
        assert!(name.starts_with("audit-") && text.contains(",note,admin,") && text.contains("Asked the bank"), "{name}: {text}");
        took(&mut browser, 2);
    }

    async fn a_refund_takes_five_steps(kind) {
        let (app, site, mut browser, token) = bought(kind).await;
        settled_words(&app).await;
        begin(&mut browser, &site);
        find(&mut browser, "kettle-1");
        browser.click(".acts a[href$=refund]");
        browser.submit("form.choose");
        browser.click("form.confirm button");
        shows(&mut browser, &["Refunded 49.99 EUR"]);
        took(&mut browser, 5);
        assert_eq!(app.payment(&token).await.refunded, eur(4999));
    }

    async fn the_way_back_to_the_filtered_list_stays_through_a_note_and_a_refund(kind) {
        let (_app, site, mut browser, token) = bought(kind).await;
        open(&mut browser, &site, "/payments/admin/payments?status=paid&variant=dummy", &admin());
        browser.click(".row-link");
        browser.click("details.writing summary");
        browser.fill("#note", "Sent back by post");
        browser.click_text("Save the note");
        browser.click(".acts a[href*=refund]");
        browser.fill("input[name=amount]", "10");
        browser.submit("form.choose");
        assert!(browser.click_text("The payment").contains(&token), "{}", browser.url());
        browser.click(".acts a[href*=refund]");
        browser.fill("input[name=amount]", "10");
        browser.submit("form.choose");
        browser.click("form.confirm button");
        shows(&mut browser, &["Refunded 10.00 EUR", "Sent back by post"]);
        let back = browser.click(".crumb a");
        assert!(back.ends_with("/payments/admin/payments?status=paid&variant=dummy"), "{back}");
        assert_quiet(&mut browser);
    }
}

/// Waits until what can be searched for has been written.
async fn settled_words(app: &App) {
    app.until("SELECT count(*) FROM pay_words_owed", 0).await;
}

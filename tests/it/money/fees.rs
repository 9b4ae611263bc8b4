//! Are the fees that a gateway tells in the books, beside the gross money, whatever the order of the events?

use serde_json::{Value, json};

use super::paypal::{Told, approved, told_of, up, v2};
use crate::app::{App, on_both_databases};

/// A capture of 49.99 EUR, of which PayPal keeps this.
fn captured(second: u32, fee: Option<&str>) -> Told {
    let mut capture = json!({"id": "C1", "status": "COMPLETED", "amount": v2("49.99"), "final_capture": true});
    capture["links"] = up("checkout/orders/O1");
    if let Some(fee) = fee {
        capture["seller_receivable_breakdown"] = json!({"gross_amount": v2("49.99"), "paypal_fee": v2(fee)});
    }
    ("PAYMENT.CAPTURE.COMPLETED", second, capture)
}

/// A refund of 10.00 EUR, with which PayPal gives this back.
fn refunded(kind: &'static str, second: u32, status: &str, fee: &str) -> Told {
    let breakdown: Value = json!({"gross_amount": v2("10.00"), "paypal_fee": v2(fee)});
    let refund = json!({
        "id": "R1", "status": status, "amount": v2("10.00"), "seller_payable_breakdown": breakdown,
        "links": up("payments/captures/C1"), "create_time": "2026-10-12T10:00:09Z",
    });
    (kind, second, refund)
}

impl App {
    /// The movements by kind, amount and object, in their order.
    fn moved(&self) -> Vec<String> {
        self.texts(
            "SELECT kind || ' ' || amount || ' ' || gateway_ref AS t FROM pay_movements ORDER BY moved_at, amount DESC",
        )
    }
}

const MOVED: [&str; 4] = ["capture 4999 C1", "fee -164 C1", "fee 30 R1", "refund -1000 R1"];

/// The same capture, of which PayPal keeps 1.80 USD.
fn kept_in_dollars() -> Told {
    let mut told = captured(3, Some("1.80"));
    told.2["seller_receivable_breakdown"]["paypal_fee"]["currency_code"] = json!("USD");
    told
}

on_both_databases! {
    async fn a_fee_in_another_currency_is_in_the_books_of_that_currency(kind) {
        let (app, token) = told_of(kind, &[approved(), kept_in_dollars()]).await;
        assert_eq!(app.moved(), ["capture 4999 C1", "fee -180 C1"]);
        app.months_agree();
        let page = app.get("/payments/admin/books?month=2026-10&mode=test").await.text();
        for part in [
            "Opening – 0.00 EUR Captured 1 49.99 EUR Closing – 49.99 EUR",
            "Opening – 0.00 USD Closing – 0.00 USD Fees reported by the gateways 1 -1.80 USD Moved, less these fees – -1.80 USD",
        ] {
            assert!(page.contains(part), "{part:?} in {page}");
        }
        assert!(!page.contains(" net "), "no amount in euros is known: {page}");
        let file = app.get("/payments/admin/books.csv?month=2026-10&mode=test").await.body;
        for row in [format!("capture,49.99,EUR,paypal,test,{token},C1,,,"), format!("fee,-1.80,USD,paypal,test,{token},C1,,,")] {
            assert!(file.lines().any(|line| line.trim_end().ends_with(&row)), "{row} in {file}");
        }
        let outcomes = app.outcomes();
        assert!(!outcomes.iter().any(|outcome| outcome.contains("review")), "{outcomes:?}");
    }

    async fn fees_are_movements_beside_the_gross_money(kind) {
        let events = [
            approved(), captured(3, Some("1.64")), refunded("PAYMENT.CAPTURE.REFUNDED", 9, "COMPLETED", "0.30"),
        ];
        let (app, token) = told_of(kind, &events).await;
        assert_eq!(app.moved(), MOVED);
        app.months_agree();
        assert_eq!(told_of(kind, events.iter().rev()).await.0.moved(), MOVED, "in the reverse order");
        let payment = app.payment(&token).await;
        assert_eq!((payment.captured.minor, payment.refunded.minor, payment.remaining().minor), (4999, 1000, 3999));
        let page = app.get("/payments/admin/books?month=2026-10&mode=test").await.text();
        for part in [
            "Opening – 0.00 EUR Captured 1 49.99 EUR Refunded 1 -10.00 EUR Closing – 39.99 EUR",
            "Fees reported by the gateways 2 -1.34 EUR Moved, less these fees – 38.65 EUR",
            "49.99 EUR 48.35 EUR net, rate 3.28 %", "-10.00 EUR -9.70 EUR net, rate 3.00 %",
        ] {
            assert!(page.contains(part), "{part:?} in {page}");
        }
        let next = app.get("/payments/admin/books?month=2026-11&mode=test").await.text();
        assert!(next.contains("Opening – 39.99 EUR Closing – 39.99 EUR"), "{next}");
        assert!(!next.contains("Fees reported") && !next.contains("Rate"), "{next}");
        let file = app.get("/payments/admin/books.csv?month=2026-10&mode=test").await.body;
        for row in [
            format!("capture,49.99,EUR,paypal,test,{token},C1,48.35,3.28,"), format!("fee,-1.64,EUR,paypal,test,{token},C1,,,"),
            format!("refund,-10.00,EUR,paypal,test,{token},R1,-9.70,3.00,"), format!("fee,0.30,EUR,paypal,test,{token},R1,,,"),
        ] {
            assert!(file.lines().any(|line| line.trim_end().ends_with(&row)), "{row} in {file}");
        }
    }

    async fn a_fee_that_comes_later_says_so_and_a_refund_that_fails_gives_none_back(kind) {
        let events = [approved(), captured(3, None), captured(5, Some("1.64"))];
        let (app, _) = told_of(kind, &events).await;
        assert_eq!(app.moved(), ["capture 4999 C1", "fee -164 C1"]);
        let outcomes = app.outcomes();
        assert!(outcomes.last().unwrap().ends_with("; still paid: a fee of 1.64 EUR is known"), "{outcomes:?}");
        // Whether that event repeats what was given back or not.
        let failed = refunded("PAYMENT.REFUND.FAILED", 20, "FAILED", "0.30");
        let mut silent = failed.clone();
        silent.2.as_object_mut().unwrap().remove("seller_payable_breakdown");
        for failed in [failed, silent] {
            let refunded = refunded("PAYMENT.CAPTURE.REFUNDED", 9, "COMPLETED", "0.30");
            let fails = [approved(), captured(3, Some("1.64")), refunded, failed];
            for events in [fails.to_vec(), fails.iter().rev().cloned().collect()] {
                let (app, _) = told_of(kind, &events).await;
                let sum = |of: &str| app.number(&format!("SELECT CAST(sum(amount) AS BIGINT) FROM pay_movements {of}"));
                assert_eq!((sum("WHERE kind = 'fee'"), sum("")), (-164, 4835), "{:?}", app.moved());
                app.months_agree();
            }
        }
    }

    async fn a_rebuild_finds_the_fees_of_events_that_were_stored_before(kind) {
        let events = [approved(), captured(3, Some("1.64"))];
        let (app, token) = told_of(kind, &events).await;
        app.run("DELETE FROM pay_movements WHERE kind = 'fee'");
        app.run("DELETE FROM pay_movement_months WHERE kind = 'fee'");
        app.run("DELETE FROM pay_ledger WHERE register = 'fee'");
        let found = app.payments.rebuild(&token).await.unwrap();
        assert!(!found.same && found.only_fees, "{:?}", found.registers);
        let page = app.get(&format!("/payments/admin/payments/{token}/rebuild")).await.text();
        assert!(page.contains("Only fees differ in the books, which an older release did not read, or put on another day"), "{page}");
        let answer = app.cli("rebuild --all --check").await;
        let said = "compared; only fees differ, which an older release did not read, or put on another day";
        assert!(answer.code == 1 && answer.text.contains(said), "{answer:?}");
        assert_eq!(app.json("rebuild --all --check").await["differing"][0]["only_fees"], true);
        // With more that differs, that is not all.
        app.run("UPDATE pay_payments SET captured_amount = 1");
        let found = app.payments.rebuild(&token).await.unwrap();
        assert!(!found.same && !found.only_fees);
        app.run("UPDATE pay_payments SET captured_amount = 4999");
        assert!(app.cli("rebuild --all").await.text.contains("ordered; a worker does it"));
        app.drain().await;
        assert_eq!(app.moved(), ["capture 4999 C1", "fee -164 C1"]);
        app.months_agree();
        assert_eq!(app.cli("rebuild --all --check").await.code, 0);
    }
}

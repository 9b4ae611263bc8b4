//! Is each company's fee on the books beside the money that it is of, and is money read in currencies without decimals
//! and with three?

use actix_payments::NewPayment;
use actix_payments::domain::payment::Status;
use serde_json::{Value, json};

use super::mercado_pago::fake::{Fake, refund};
use super::whole::app_with;
use super::{Company, adyen, ends, events, mercado_pago, paddle, polar, razorpay, square, story, told};
use crate::app::{App, Kind, on_both_databases};
use crate::scenes::money;

/// A fixture with another value at a place.
fn with_value<C: Company>(name: &str, place: &str, value: Value) -> (String, String) {
    let mut event: Value = serde_json::from_str(&events::<C>()[name]).unwrap();
    *event.pointer_mut(place).unwrap() = value;
    (name.to_owned(), event.to_string())
}

/// What moved, each with what the books call net: `capture 49.99 46.99`.
async fn books(app: &App) -> Vec<String> {
    let mode = app.texts("SELECT DISTINCT mode AS t FROM pay_movements").remove(0);
    let file = app.get(&format!("/payments/admin/books.csv?month=2026-10&mode={mode}")).await.body;
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        format!("{} {} {}", cells[1], cells[2], cells[8]).trim_end().to_owned()
    };
    let mut rows: Vec<String> = file.trim_end().lines().skip(1).map(row).collect();
    rows.sort();
    rows
}

/// The books of a payment of these events, whose page shows the nets too.
async fn books_of<C: Company>(kind: Kind, currency: &str, story: &[(String, String)]) -> Vec<String> {
    let (app, _) = told::<C>(kind, money(4999, currency), story).await;
    let rows = books(&app).await;
    let mode = app.texts("SELECT DISTINCT mode AS t FROM pay_movements").remove(0);
    let page = app.get(&format!("/payments/admin/books?month=2026-10&mode={mode}")).await.text();
    let net = rows.iter().find_map(|row| row.strip_prefix("capture 49.99 ")).expect("a net");
    assert!(page.contains(&format!("49.99 {currency} {net} {currency} net")), "{page}");
    rows
}

/// A chargeback at Paddle of 19.99, with which 0.80 of its fee comes back, as it stands on a day.
fn chargeback(status: &str, day: &str, payout: Value) -> (String, String) {
    let (name, body) =
        with_value::<paddle::Of>("adjustment.created.chargeback", "/data/totals/earnings", json!("1600"));
    let mut event: Value = serde_json::from_str(&body).unwrap();
    let at = json!(format!("{day}T08:53:19.621022Z"));
    (event["event_id"], event["occurred_at"]) = (json!(format!("evt_{status}_{day}")), at.clone());
    let data = &mut event["data"];
    (data["status"], data["updated_at"], data["payout_totals"]) = (json!(status), at, payout);
    (name, event.to_string())
}

/// What a payout shows of it, in the currency of the payouts.
fn payout(currency: &str) -> Value {
    json!({"subtotal": "1680", "tax": "319", "total": "1999", "fee": "80", "earnings": "1600",
        "chargeback_fee": {"amount": "1500", "original": null}, "currency_code": currency})
}

/// The reversal of a chargeback at Paddle of this amount.
fn reversal(total: &str) -> (String, String) {
    let (name, body) =
        with_value::<paddle::Of>("adjustment.created.chargeback_reverse", "/data/totals/earnings", json!("1600"));
    (name, body.replace("\"total\":\"1999\"", &format!("\"total\":\"{total}\"")))
}

/// What fees come to in these rows of the books, in cents.
fn kept(rows: &[String]) -> i64 {
    let cents = |row: &String| row.strip_prefix("fee ").map(|amount| amount.replace('.', "").parse::<i64>().unwrap());
    rows.iter().filter_map(cents).sum()
}

/// The fees on the books of a payment of these events.
async fn fees_of(kind: Kind, story: &[(String, String)]) -> Vec<String> {
    let (app, _) = app_with::<paddle::Of>(kind, paddle::Of::gateway(), money(4999, "EUR"), story).await;
    books(&app).await.into_iter().filter(|row| row.starts_with("fee")).collect()
}

on_both_databases! {
    async fn what_a_company_keeps_of_a_sale_and_gives_back_with_a_refund_is_on_the_books(kind) {
        let mut all = story::<paddle::Of>(&["transaction.completed"]);
        all.push(with_value::<paddle::Of>("adjustment.updated", "/data/totals/earnings", json!("1600")));
        let rows = books_of::<paddle::Of>(kind, "EUR", &all).await;
        assert_eq!(rows, ["capture 49.99 46.99", "fee -3.00", "fee 0.80", "refund -19.99 -19.19"]);

        let all = story::<polar::Of>(&["order.paid", "order.refunded.partial", "refund.updated"]);
        let rows = books_of::<polar::Of>(kind, "EUR", &all).await;
        assert_eq!(rows, ["capture 49.99 47.59", "fee -2.40", "refund -19.99"]);

        let all = story::<razorpay::Of>(&["payment.captured", "refund.processed"]);
        let rows = books_of::<razorpay::Of>(kind, "INR", &all).await;
        assert_eq!(rows, ["capture 49.99 48.81", "fee -1.18", "refund -19.99"]);

        let fee = json!([{"type": "INITIAL", "amount_money": {"amount": 175, "currency": "EUR"}}]);
        let (name, body) = with_value::<square::Of>("payment.updated", "/data/object/payment/card_details", json!(null));
        let body = body.replace("\"card_details\":null", &format!("\"processing_fee\":{fee}"));
        let mut all = vec![(name, body)];
        all.extend(story::<square::Of>(&["refund.updated"]));
        let rows = books_of::<square::Of>(kind, "EUR", &all).await;
        assert_eq!(rows, ["capture 49.99 48.24", "fee -1.75", "refund -19.99"]);
        let back = json!([{"type": "INITIAL", "amount_money": {"amount": -59, "currency": "EUR"}}]);
        let (name, body) = all.pop().unwrap();
        all.push((name, body.replace("\"location_id\":\"S8", &format!("\"processing_fee\":{back},\"location_id\":\"S8"))));
        let rows = books_of::<square::Of>(kind, "EUR", &all).await;
        assert_eq!(rows, ["capture 49.99 48.24", "fee -1.75", "fee 0.59", "refund -19.99 -19.40"]);

        let fake = Fake::new();
        let (app, token) = mercado_pago::app(kind, &fake).await;
        let fees = json!([{"type": "mercadopago_fee", "amount": 2.5, "fee_payer": "collector"}]);
        let refunds = json!([refund(1, json!(19.99), "approved")]);
        fake.pay(1, &token, "approved", json!({"fee_details": fees, "refunds": refunds, "transaction_amount_refunded": 19.99}));
        mercado_pago::notify(&app, "payment", "1", "r1").await;
        assert_eq!(books(&app).await, ["capture 49.99 47.49", "fee -2.50", "refund -19.99"]);
    }

    async fn what_a_chargeback_at_paddle_costs_is_on_the_books_and_what_its_reversal_takes_again(kind) {
        let of = |payout: Value| vec![story::<paddle::Of>(&["transaction.completed"]).remove(0), chargeback("approved", "2026-10-13", payout)];
        for (payout, net, own) in [
            (json!(null), "-19.19", None),
            (payout("EUR"), "-34.19", Some("fee -15.00")),
            // In the currency of the payouts, which is not the payment's.
            (payout("USD"), "-19.19", Some("fee -15.00")),
        ] {
            let rows = books_of::<paddle::Of>(kind, "EUR", &of(payout)).await;
            let lost = format!("dispute_withdrawn -19.99 {net}");
            let sale = ["capture 49.99 46.99", lost.as_str()].into_iter().chain(own);
            assert_eq!(rows, sale.chain(["fee -3.00", "fee 0.80"]).collect::<Vec<_>>());
        }
        let mut all = of(payout("EUR"));
        all.push(reversal("1999"));
        let rows = books_of::<paddle::Of>(kind, "EUR", &all).await;
        assert_eq!(kept(&rows), -1800, "{rows:?}");
        all.reverse();
        assert_eq!(books_of::<paddle::Of>(kind, "EUR", &all).await, rows);
    }

    async fn a_chargeback_at_paddle_that_is_reversed_both_ways_takes_the_fee_again_once(kind) {
        let mut all = story::<paddle::Of>(&["transaction.completed"]);
        all.extend([chargeback("approved", "2026-10-13", json!(null)), reversal("1999"), chargeback("reversed", "2026-10-20", json!(null))]);
        for _ in 0..all.len() {
            let fees = fees_of(kind, &all).await;
            assert_eq!(kept(&fees), -300, "{fees:?} of {all:?}");
            all.rotate_left(1);
        }
    }

    async fn a_reversal_at_paddle_takes_no_fee_again_of_which_nothing_had_come_back(kind) {
        let sold = story::<paddle::Of>(&["transaction.completed"]).remove(0);
        assert_eq!(fees_of(kind, &[sold.clone(), reversal("1999")]).await, ["fee -3.00"], "of no known chargeback");
        let other = [sold.clone(), chargeback("approved", "2026-10-13", json!(null)), reversal("1998")];
        assert_eq!(fees_of(kind, &other).await, ["fee -3.00", "fee 0.80"], "of another amount");
        let (name, body) = chargeback("approved", "2026-10-13", payout("EUR"));
        let all = [sold, (name, body.replace("\"earnings\":\"1600\",\"fee\":\"0\"", "\"fee\":\"0\"")), reversal("1999")];
        assert_eq!(fees_of(kind, &all).await, ["fee -15.00", "fee -3.00"], "of one that says nothing of its share");
    }

    async fn the_fee_of_a_chargeback_at_paddle_stays_where_a_later_event_does_not_show_it(kind) {
        let sold = story::<paddle::Of>(&["transaction.completed"]).remove(0);
        let mut all = vec![sold, chargeback("approved", "2026-10-13", payout("EUR")), chargeback("approved", "2026-10-14", json!(null))];
        assert_eq!(fees_of(kind, &all).await, ["fee -15.00", "fee -3.00", "fee 0.80"]);
        all.reverse();
        assert_eq!(fees_of(kind, &all).await, ["fee -15.00", "fee -3.00", "fee 0.80"]);
    }

    async fn currencies_without_decimals_and_with_three_are_read_in_each_companys_units(kind) {
        let paid = (Status::Paid, 4999, 0, false);
        let body = events::<paddle::Of>()["transaction.completed"].replace("\"EUR\"", "\"JPY\"");
        ends::<paddle::Of>(kind, money(4999, "JPY"), vec![("yen".to_owned(), body)], paid).await;
        let body = events::<polar::Of>()["order.paid"].replace("\"eur\"", "\"jpy\"");
        ends::<polar::Of>(kind, money(4999, "JPY"), vec![("yen".to_owned(), body)], paid).await;
        let body = events::<square::Of>()["payment.updated"].replace("\"EUR\"", "\"JPY\"");
        ends::<square::Of>(kind, money(4999, "JPY"), vec![("yen".to_owned(), body)], paid).await;
        for code in ["JPY", "KWD"] {
            let body = events::<razorpay::Of>()["payment.captured"].replace("\"INR\"", &format!("\"{code}\""));
            ends::<razorpay::Of>(kind, money(4999, code), vec![(code.to_owned(), body)], paid).await;
        }
        // Adyen counts these with as many decimals as its table says, and not ISO 4217.
        for (code, value) in [("JPY", 4999), ("KWD", 4999), ("ISK", 499_900), ("CLP", 499_900)] {
            let (_, body) = with_value::<adyen::Of>("AUTHORISATION", "/amount", json!({"value": value, "currency": code}));
            ends::<adyen::Of>(kind, money(4999, code), vec![(code.to_owned(), body)], paid).await;
        }
        let fake = Fake::new();
        let (app, _) = mercado_pago::app(kind, &fake).await;
        let order = NewPayment::new("mercado-pago", money(4999, "CLP")).without_checkout();
        let token = app.payments.create(order).await.unwrap().payment.token;
        fake.pay(1, &token, "approved", json!({"currency_id": "CLP", "transaction_amount": 4999}));
        mercado_pago::notify(&app, "payment", "1", "r1").await;
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.status, payment.captured), (Status::Paid, money(4999, "CLP")));
    }
}

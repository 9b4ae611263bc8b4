//! Is a list's file the whole list, and harmless in a spreadsheet?

mod moving;

use actix_payments::{Admin, NewPayment};
use actix_web::http::Method;

use crate::app::{ADMIN, Answer, App, on_both_databases, staff};
use crate::events::fixture;
use crate::scenes::{completed, money};

/// Reads a CSV as RFC 4180 says, and holds it to that.
pub(crate) fn parsed(answer: &Answer) -> Vec<Vec<String>> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let text = answer.body.strip_prefix('\u{FEFF}').expect("the mark of UTF-8");
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.peek() == Some(&'"') => cell.extend(chars.next()),
            (_, '"') => quoted = !quoted,
            (false, ',') => row.push(std::mem::take(&mut cell)),
            (false, '\r') => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (false, '\n') => panic!("a bare line feed in {text}"),
            _ => cell.push(c),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "the last line ends");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "every row has every column");
    rows
}

pub(crate) fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let at = rows[0].iter().position(|column| column == name).unwrap();
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

on_both_databases! {
    async fn a_spreadsheet_takes_no_text_for_a_formula_and_every_cell_is_whole(kind) {
        let app = App::new(kind).await;
        let hostile = ["=HYPERLINK(\"http://x\",\"y\")", "+1", "-2", "@SUM(A1)", " =1", "＝1", "a, \"b\"", "x;=1+1;y", "plain"];
        for reference in hostile {
            app.payments.create(NewPayment::new("stripe", money(123_456, "EUR")).reference(reference)).await.unwrap();
        }
        app.run("UPDATE pay_payments SET reference = 'two\nlines', captured_amount = 123456 WHERE reference = 'plain'");
        let answer = app.get("/payments/admin/payments.csv").await;
        let rows = parsed(&answer);
        let expected = ["two\nlines", "x;'=1+1;y", "a, \"b\"", "'＝1", "' =1", "'@SUM(A1)", "'-2", "'+1", "'=HYPERLINK(\"http://x\",\"y\")"];
        assert_eq!(column(&rows, "reference"), expected);
        assert_eq!((column(&rows, "amount")[0].as_str(), column(&rows, "captured")[0].as_str()), ("1234.56", "1234.56"));
        assert_eq!((column(&rows, "currency")[0].as_str(), column(&rows, "created")[0].as_str()), ("EUR", "2026-10-12T10:15:00Z"));
        let said = answer.header("content-disposition");
        assert_eq!(said, Some("attachment; filename=\"payments-2026-10-12T10-15Z.csv\""));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    }

    async fn three_thousand_rows_come_once_each_and_only_those_of_the_filter(kind) {
        let app = App::new(kind).await;
        app.run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) \
             INSERT INTO pay_payments (token, variant, status, amount, currency, created_at, updated_at) \
             SELECT 'pay_' || i, 'stripe', CASE WHEN i % 4 = 0 THEN 'failed' ELSE 'paid' END, i, 'EUR', \
             '2026-10-12 10:00:00+00:00', '2026-10-12 10:00:00+00:00' FROM n",
        );
        let page = app.get("/payments/admin/payments?status=paid&before=9").await.body;
        assert!(page.contains("href=\"/payments/admin/payments.csv?status=paid\""), "{page}");
        let tokens = column(&parsed(&app.get("/payments/admin/payments.csv?status=paid").await), "token");
        let expected: Vec<String> = (1..=4000).rev().filter(|i| i % 4 != 0).map(|i| format!("pay_{i}")).collect();
        assert!(tokens == expected, "{} rows", tokens.len());
    }

    async fn events_come_with_what_became_of_them(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token), r#"{"id":"=evt","type":"ping"}"#]).await;
        let rows = parsed(&app.get("/payments/admin/events.csv").await);
        assert_eq!(column(&rows, "event")[0], "'=evt");
        assert_eq!((column(&rows, "payment"), column(&rows, "state")), (vec![String::new(), token.to_string()], vec!["ignored".into(), "completed".into()]));
        let rows = parsed(&app.get("/payments/admin/events.csv?state=completed").await);
        assert_eq!(column(&rows, "kind"), ["checkout.session.completed"]);
    }

    async fn the_host_decides_what_leaves_in_a_cell(kind) {
        let app = App::new(kind).await;
        app.payments.create(NewPayment::new("stripe", money(5, "EUR")).customer("a@example.com")).await.unwrap();
        let admin = || Admin::new(staff()).redact(|stored| (stored.what == "csv:customer").then(|| "=hidden".to_owned()));
        let rows = parsed(&app.request_at(admin(), Method::GET, "/payments/admin/payments.csv", &[ADMIN], b"").await);
        assert_eq!((column(&rows, "customer"), column(&rows, "amount")), (vec!["'=hidden".to_owned()], vec!["0.05".to_owned()]));
        let closed = app.request(Method::GET, "/payments/admin/payments.csv", &[], b"").await;
        assert_eq!((closed.status, closed.body.as_str()), (401, "unauthorized"));
    }

    async fn the_audit_is_a_file_of_all_acts_of_the_filter(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        app.run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) \
             INSERT INTO pay_audit (actor, act, event_id, payment_id, detail, address, created_at) \
             SELECT '=mia', CASE WHEN i % 2 = 0 THEN 'requeue' ELSE 'discard' END, 1, 1, '@cmd', '192.0.2.1', \
             '2026-10-12 10:00:00+00:00' FROM n",
        );
        let page = app.get("/payments/admin/audit?act=requeue&before=900").await.body;
        assert!(page.contains("href=\"/payments/admin/audit.csv?act=requeue\""), "{page}");
        let answer = app.get("/payments/admin/audit.csv?act=requeue").await;
        let rows = parsed(&answer);
        let names = ["at", "act", "actor", "address", "variant", "event", "kind", "payment", "detail"];
        assert_eq!((rows[0].clone(), rows.len()), (names.map(str::to_owned).to_vec(), 601));
        let first = ["2026-10-12T10:00:00Z", "requeue", "'=mia", "192.0.2.1", "", "1", "checkout.session.completed", &token, "'@cmd"];
        assert_eq!(rows[1], first);
        assert!(answer.header("content-disposition").unwrap().contains("audit-2026"));
        assert_eq!(app.request(Method::GET, "/payments/admin/audit.csv", &[], b"").await.status, 401);
    }

    async fn the_disputes_are_a_file_of_those_that_stand_alike(kind) {
        let app = App::new(kind).await;
        let new = NewPayment::new("stripe", money(4999, "EUR")).reference("=10042").customer("mia@shop.example");
        let token = app.payments.create(new).await.unwrap().payment.token;
        app.deliver(&[&completed(&token), &fixture("charge.succeeded").to_string()]).await;
        app.deliver(&[&fixture("charge.dispute.created").to_string()]).await;
        let page = app.get("/payments/admin/disputes").await.body;
        assert!(page.contains("href=\"/payments/admin/disputes.csv\""), "{page}");
        let rows = parsed(&app.get("/payments/admin/disputes.csv").await);
        let names = [
            "dispute", "state", "amount", "currency", "since", "answer_by", "variant", "mode", "payment", "reference", "customer",
            "reason", "account",
        ];
        assert_eq!((rows[0].clone(), rows.len()), (names.map(str::to_owned).to_vec(), 2));
        assert_eq!((column(&rows, "state"), column(&rows, "payment")), (vec!["open".to_owned()], vec![token.to_string()]));
        assert_eq!((column(&rows, "amount")[0].as_str(), column(&rows, "reference")[0].as_str()), ("49.99", "'=10042"));
        assert_eq!(parsed(&app.get("/payments/admin/disputes.csv?state=lost").await).len(), 1);
    }
}

//! Is a file the whole list even when the rows at which it goes on move while it is read?

use std::future::poll_fn;
use std::pin::pin;

use actix_web::body::MessageBody;
use actix_web::{App as ActixApp, test};

use crate::app::{ADMIN, App, on_both_databases, staff};
use crate::books::filled;

/// The file with what is done once its first rows have arrived: two more thousands are read ahead at the most.
async fn file(app: &App, path: &str, meanwhile: impl FnOnce()) -> Vec<String> {
    let mount = app.payments.mount("/payments").admin(staff());
    let service = test::init_service(ActixApp::new().app_data(app.payments.clone()).service(mount)).await;
    let request = test::TestRequest::get().uri(path).append_header(ADMIN).to_request();
    let mut body = pin!(test::call_service(&service, request).await.into_body());
    let (mut text, mut meanwhile) = (Vec::new(), Some(meanwhile));
    while let Some(chunk) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        text.extend(chunk.unwrap_or_else(|_| panic!("the file was broken off")));
        if text.iter().filter(|byte| **byte == b'\n').count() > 1
            && let Some(meanwhile) = meanwhile.take()
        {
            meanwhile();
        }
    }
    String::from_utf8(text).unwrap().lines().skip(1).map(str::to_owned).collect()
}

/// The row at which each further thousand begins.
fn edges(ids: &[i64]) -> String {
    let edges = ids.chunks_exact(1_000).filter_map(<[i64]>::last);
    edges.map(i64::to_string).collect::<Vec<_>>().join(", ")
}

fn column(rows: &[String], at: usize) -> Vec<String> {
    let mut cells: Vec<String> = rows.iter().map(|row| row.split(',').nth(at).unwrap().to_owned()).collect();
    cells.sort();
    cells
}

on_both_databases! {
    async fn movements_that_are_booked_anew_meanwhile_are_in_the_file_once(kind) {
        let app = App::new(kind).await;
        app.order().await;
        for sql in filled(kind, 6_600) {
            app.run(&sql);
        }
        let ids = app.ids("pay_movements", "mode = 'live'", "moved_at DESC, id DESC");
        let edges = edges(&ids);
        let columns = "payment_id, variant, kind, amount, currency, mode, moved_at, gateway_ref";
        let rows = file(&app, "/payments/admin/books.csv?month=2026-10", || {
            app.run(&format!("INSERT INTO pay_movements ({columns}) SELECT {columns} FROM pay_movements WHERE id IN ({edges})"));
            app.run(&format!("DELETE FROM pay_movements WHERE id IN ({edges})"));
        });
        let refs = column(&rows.await, 7);
        let mut expected: Vec<String> = (1..=6_600).filter(|i| i % 11 != 0).map(|i| format!("<b>{i}")).collect();
        expected.sort();
        assert!(refs == expected, "{} rows of {}", refs.len(), expected.len());
    }

    async fn payments_by_amount_whose_amounts_change_meanwhile_are_in_the_file_once(kind) {
        let app = App::new(kind).await;
        app.run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) \
             INSERT INTO pay_payments (token, variant, status, amount, currency, created_at, updated_at) \
             SELECT 'pay_' || i, 'stripe', 'paid', i, 'EUR', '2026-10-12 10:00:00+00:00', '2026-10-12 10:00:00+00:00' FROM n",
        );
        let edges = edges(&app.ids("pay_payments", "1 = 1", "amount"));
        let rows = file(&app, "/payments/admin/payments.csv?sort=amount", || {
            app.run(&format!("UPDATE pay_payments SET amount = 1 WHERE id IN ({edges})"));
        });
        let tokens = column(&rows.await, 1);
        let mut once = tokens.clone();
        once.dedup();
        assert_eq!(once.len(), tokens.len(), "none is there twice");
        // What moved to where the file has been by then may be missing.
        assert!(tokens.len() >= 5_994, "{} rows", tokens.len());
    }
}

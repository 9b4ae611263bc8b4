//! What support staff ask of the list of payments: several statuses, days by their own clocks, and what it all comes to.

use actix_payments::Admin;
use actix_web::http::Method;

use super::filled;
use crate::app::{ADMIN, App, NOW, on_both_databases, staff};
use crate::events::fixture;
use crate::scenes::completed;

/// A page by the clocks of New York.
async fn in_new_york(app: &App, path: &str) -> String {
    let admin = Admin::new(staff()).time_zone("America/New_York").unwrap();
    let path = format!("/payments/admin/{path}");
    let answer = app.request_at(admin, Method::GET, &path, &[ADMIN], b"").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

on_both_databases! {
    async fn several_statuses_are_one_filter(kind) {
        let app = filled(kind, 300, 1).await;
        let wanted = app.ids("pay_payments", "status IN ('failed', 'refunded') AND absorbed_by IS NULL", "id DESC");
        let (mut found, mut next) = (Vec::new(), Some("payments?status=failed,refunded".to_owned()));
        while let Some(path) = next {
            let page = app.list(&path).await;
            found.extend(page.ids);
            next = page.next;
        }
        assert_eq!(found, wanted);
        let largest = app.ids("pay_payments", "status IN ('failed', 'refunded') AND absorbed_by IS NULL AND currency = 'EUR'",
            "amount DESC, id DESC");
        let list = app.list("payments?status=refunded,%20failed&currency=EUR&sort=-amount").await;
        assert_eq!(list.ids[..], largest[..list.ids.len()]);
        let unknown = app.get("/payments/admin/payments?status=paid,lost").await.text();
        assert!(unknown.contains("There is no status") && unknown.contains("paid,lost"), "{unknown}");
    }

    async fn the_list_says_how_much_went_back(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        assert!(!app.get("/payments/admin/payments").await.text().contains("EUR refunded"));
        app.deliver(&[&fixture("charge.refunded.partial").to_string()]).await;
        let refunded = app.payment(&token).await.refunded;
        let list = app.get("/payments/admin/payments").await.text();
        assert!(refunded.minor > 0 && list.contains(&format!("{refunded} refunded")), "{list}");
    }

    async fn days_begin_by_the_clocks_of_the_host(kind) {
        let app = filled(kind, 2 * 1_440, 1).await;
        // 0:00 in New York is 4:00 in UTC; the row of a minute is made at that minute.
        let begin = NOW - NOW % 86_400 + 4 * 3_600;
        let first = 2 * 1_440 - (NOW - begin) / 60;
        let list = in_new_york(&app, "payments?from=2026-10-12&until=2026-10-12&sort=created").await;
        let shown = list.split("<tr data-id=\"").nth(1).unwrap().split('"').next().unwrap();
        let expected = app.ids("pay_payments", &format!("id >= {first} AND absorbed_by IS NULL"), "id");
        assert_eq!(shown, expected[0].to_string());
        assert!(list.contains("Created from (America/New_York)"), "{list}");
    }

    async fn presets_are_links_that_keep_the_filter(kind) {
        let app = App::new(kind).await;
        // At 22:00 of the 31st in New York it is November in UTC already.
        app.pass(1_793_498_400 - NOW);
        let page = in_new_york(&app, "payments?status=paid&before=7").await.replace("&#38;", "&");
        for (text, days) in [
            ("Today", "from=2026-10-31&until=2026-10-31"), ("7 days", "from=2026-10-25&until=2026-10-31"),
            ("This month", "from=2026-10-01&until=2026-10-31"), ("Last month", "from=2026-09-01&until=2026-09-30"),
        ] {
            let link = format!("<a href=\"/payments/admin/payments?status=paid&{days}\">{text}</a>");
            assert!(page.contains(&link), "{link} in {page}");
        }
        let chosen = in_new_york(&app, "payments?from=2026-09-01&until=2026-09-30").await;
        assert_eq!(chosen.split("class=\"presets\"").nth(1).unwrap().split("</nav>").next().unwrap().matches("aria-current").count(), 1);
    }

    async fn the_payments_of_a_view_are_added_up_where_that_is_asked_for(kind) {
        let app = filled(kind, 1_200, 1).await;
        app.run("UPDATE pay_payments SET captured_amount = amount, refunded_amount = 50");
        let list = app.get("/payments/admin/payments?currency=JPY").await;
        assert!(list.text().contains("Add these up") && !list.text().contains("Captured"));
        let sum = app.number("SELECT CAST(sum(captured_amount) AS BIGINT) FROM pay_payments WHERE currency = 'JPY' \
            AND absorbed_by IS NULL AND livemode IS NOT FALSE");
        let count = app.number("SELECT count(*) FROM pay_payments WHERE currency = 'JPY' AND absorbed_by IS NULL \
            AND livemode IS NOT FALSE");
        let text = app.get("/payments/admin/payments?currency=JPY&totals=yes").await.text();
        let grouped = sum.to_string();
        let (thousands, rest) = grouped.split_at(grouped.len() - 3);
        assert!(text.contains(&format!("JPY, {count} payments")) && text.contains(&format!("Captured {thousands},{rest} JPY")), "{text}");
        assert!(text.contains("Of all these payments."), "{text}");
        let part = app.get("/payments/admin/payments?totals=yes").await.text();
        assert!(part.contains("Of the first 500 of these payments; there may be more."), "{part}");
    }
}

//! Does each filter leave exactly what it says?

use super::filled;
use crate::app::on_both_databases;

/// Nothing of it is ever listed.
const LISTED: &str = "absorbed_by IS NULL";

on_both_databases! {
    async fn each_filter_of_payments_leaves_what_it_says(kind) {
        let app = filled(kind, 400, 10).await;
        let days = app.texts("SELECT substr(CAST(created_at AS TEXT), 1, 10) AS t FROM pay_payments WHERE id = 300");
        let day = &days[0];
        let cases = [
            ("", "id > 0".to_owned()),
            ("status=failed", "status = 'failed'".into()),
            ("status=review", "needs_review".into()),
            ("variant=stripe-eu", "variant = 'stripe-eu'".into()),
            ("variant=nobody", "id < 0".into()),
            ("mode=test", "livemode = (1 = 0)".into()),
            ("mode=live", "livemode = (1 = 1)".into()),
            ("currency=jpy", "currency = 'JPY'".into()),
            ("currency=ABC", "id < 0".into()),
            ("currency=EUR&least=10&most=19.99", "currency = 'EUR' AND amount >= 1000 AND amount <= 1999".into()),
            ("least=45.005", "(currency = 'JPY' AND amount >= 46) OR (currency <> 'JPY' AND amount >= 4501)".into()),
            ("most=1,200", "(currency = 'JPY' AND amount <= 1200) OR (currency <> 'JPY' AND amount <= 120000)".into()),
            ("q=order-39", "reference >= 'order-39' AND reference < 'order-3a'".into()),
            ("q=pay_77", "id = 77".into()),
            ("q=pi_78", "id = 78".into()),
            ("q=cUSTOMER7%40", "id % 40 = 7".into()),
            ("q=customer7%40example.ORG&status=paid", "id % 40 = 7 AND status = 'paid'".into()),
            ("q=ustomer7%40", "id < 0".into()),
            ("status=paid&variant=stripe-eu&currency=EUR&mode=live",
             "status = 'paid' AND variant = 'stripe-eu' AND currency = 'EUR' AND livemode = (1 = 1)".into()),
        ];
        for (query, condition) in cases {
            let expected = app.ids("pay_payments", &format!("{LISTED} AND ({condition})"), "id DESC");
            let listed = app.list(&format!("payments?{query}")).await;
            assert_eq!(listed.ids, expected[..expected.len().min(50)], "{query}");
            assert_eq!(listed.next.is_some(), expected.len() > 50, "{query}");
        }
        let listed = app.list(&format!("payments?from={day}&until={day}")).await;
        let of_day = format!("{LISTED} AND substr(CAST(created_at AS TEXT), 1, 10) = '{day}'");
        let expected = app.ids("pay_payments", &of_day, "id DESC");
        assert_eq!(listed.ids, expected[..expected.len().min(50)]);
        assert!(listed.html.contains("<details class=\"more\" open>"), "what is used is not folded away");
    }

    async fn each_filter_of_events_leaves_what_it_says(kind) {
        let app = filled(kind, 10, 600).await;
        let cases = [
            ("", "id > 0"),
            ("state=discarded", "state = 'discarded'"),
            ("kind=charge.refunded", "kind = 'charge.refunded'"),
            ("kind=charge.*", "substr(kind, 1, 7) = 'charge.'"),
            ("kind=p*", "substr(kind, 1, 1) = 'p'"),
            ("kind=*", "id > 0"),
            ("kind=nothing.*", "id < 0"),
            ("variant=stripe-eu", "variant = 'stripe-eu'"),
            ("mode=test", "livemode = (1 = 0)"),
            ("seen=again", "deliveries > 1"),
            ("seen=again&kind=charge.*&variant=stripe-eu",
             "deliveries > 1 AND substr(kind, 1, 7) = 'charge.' AND variant = 'stripe-eu'"),
            ("q=evt_77", "id = 77"),
            ("q=ch_12", "id / 10 = 12"),
            ("q=ch_12&kind=charge.*", "id / 10 = 12 AND substr(kind, 1, 7) = 'charge.'"),
            ("q=order-7", "payment_id = 7"),
            ("q=pay_7", "payment_id = 7"),
            ("q=evt_", "id < 0"),
        ];
        for (query, condition) in cases {
            let expected = app.ids("pay_events", condition, "id DESC");
            let listed = app.list(&format!("events?{query}")).await;
            assert_eq!(listed.ids, expected[..expected.len().min(50)], "{query}");
        }
    }

    async fn amounts_are_sorted_within_their_currency_both_ways(kind) {
        let app = filled(kind, 300, 1).await;
        for (sort, way) in [("amount", "ASC"), ("-amount", "DESC")] {
            for (query, condition) in [("", "id > 0"), ("&status=failed", "status = 'failed'")] {
                let order = format!("currency {way}, amount {way}, id {way}");
                let expected = app.ids("pay_payments", &format!("{LISTED} AND {condition}"), &order);
                let listed = app.list(&format!("payments?sort={sort}{query}")).await;
                assert_eq!(listed.ids, expected[..expected.len().min(50)], "{sort}{query}");
                let size = if way == "ASC" { "smallest" } else { "largest" };
                let caption = format!("<caption class=\"unseen\">Payments, by currency, {size} amounts first</caption>");
                assert!(listed.html.contains(&caption), "{caption}");
                let chosen = format!("<option value=\"{sort}\" selected>By currency, {size} amounts first</option>");
                assert!(listed.html.contains(&chosen), "{chosen}");
                let said = if way == "ASC" { "ascending" } else { "descending" };
                assert_eq!(listed.html.matches(&format!("aria-sort=\"{said}\"")).count(), 1);
                assert!(!listed.html.contains("data-newest"), "only the newest first show what is new");
            }
        }
        assert_eq!(app.list("payments?sort=created").await.ids[..3], [1, 2, 3]);
    }

    async fn the_tabs_count_what_they_show(kind) {
        let app = filled(kind, 90, 1200).await;
        let payments = app.list("payments?variant=nobody").await.html;
        for (tab, condition) in [("All", "id > 0"), ("Failed", "status = 'failed'"), ("Needs review", "needs_review")] {
            let count = app.number(&format!("SELECT count(*) FROM pay_payments WHERE {LISTED} AND {condition}"));
            let shown = format!(">{tab} <span class=\"count\">{count}</span>");
            assert!(payments.contains(&shown), "{shown}");
        }
        let events = app.list("events").await.html;
        assert!(events.contains("<span class=\"count\">100+</span>") && events.contains("<span class=\"count\">4</span>"));
    }

    async fn new_rows_of_a_view_are_counted_and_no_others(kind) {
        let app = filled(kind, 200, 200).await;
        let cases = [
            ("payments?newer_than=200", "0"),
            ("payments?newer_than=195", "5"),
            ("payments?status=failed&newer_than=180&sort=amount", "2"),
            ("payments?newer_than=0", "50+"),
            ("events?newer_than=193", "7"),
            ("events?kind=charge.refunded&newer_than=0&before=3", "4"),
        ];
        for (path, expected) in cases {
            let answer = app.get(&format!("/payments/admin/{path}")).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, expected), "{path}");
            assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
        }
        assert!(app.list("events").await.html.contains("data-newest=\"200\""));
        assert!(!app.list("events?before=100").await.html.contains("data-newest"));
        assert_eq!(app.get("/payments/admin/events?newer_than=x").await.status, 400);
    }
}

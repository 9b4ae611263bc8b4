//! Does an address that can't be meant get clear words, and lose nothing of what was typed?

use super::filled;
use crate::app::{App, on_both_databases};
use crate::scenes::completed_as;

on_both_databases! {
    async fn what_cannot_be_read_is_said_and_stays_in_its_field(kind) {
        let app = filled(kind, 60, 60).await;
        let long = "k".repeat(10_000);
        let cases = [
            ("payments?least=abc&variant=stripe-eu", "expected an amount like 49.99, got &#34;abc&#34;"),
            ("payments?most=49,99", "expected an amount like 49.99, got &#34;49,99&#34;"),
            ("payments?from=2026-13-45", "expected a day like 2026-11-23, got &#34;2026-13-45&#34;"),
            ("payments?from=-9999-01-01", "expected a day like 2026-11-23, got &#34;-9999-01-01&#34;"),
            ("payments?until=1969-12-31", "expected a day like 2026-11-23, got &#34;1969-12-31&#34;"),
            ("events?from=-0001-01-01", "expected a day like 2026-11-23"),
            ("events?until=%2B10000-01-01", "expected a day like 2026-11-23"),
            ("payments?currency=EURO", "Expected a currency code of three letters (ISO 4217), got &#34;EURO&#34;."),
            ("payments?status=gone", "There is no status &#34;gone&#34;."),
            ("payments?mode=both", "There is no mode &#34;both&#34;."),
            ("payments?sort=up", "There is no sort &#34;up&#34;."),
            ("payments?before=abc", "&#34;abc&#34; is no place in the list, so this is its beginning."),
            ("payments?sort=amount&before=999999", "That place in the list is gone"),
            ("payments?after=99999999999999999999", "is no place in the list"),
            (&format!("payments?q={long}"), "expected 255 characters at the most, got 10000"),
            ("payments?q=a%00b", "expected a text of one line"),
            ("events?until=yesterday", "expected a day like 2026-11-23"),
            ("events?state=lost", "There is no state &#34;lost&#34;."),
            ("events?seen=never", "There is no seen &#34;never&#34;."),
            (&format!("events?kind={long}"), "expected 255 characters at the most, got 10000"),
            ("events?kind=%00*", "expected a text of one line"),
        ];
        for (path, words) in cases {
            let listed = app.list(path).await;
            assert!(listed.html.contains(words), "{}: {words}", &path[..path.len().min(60)]);
            assert!(!listed.ids.is_empty(), "{}: the rest of the filter holds", &path[..path.len().min(60)]);
        }
        let wrong = app.list("payments?least=abc&most=49.99&variant=stripe-eu").await;
        assert!(wrong.html.contains("value=\"abc\"") && wrong.html.contains("value=\"49.99\""));
        assert!(wrong.html.contains("aria-invalid=\"true\" aria-describedby=\"least-error\""));
        assert_eq!(wrong.ids, app.ids("pay_payments", "variant = 'stripe-eu' AND (amount <= 4999 OR currency = 'JPY' AND amount <= 49)
            AND NOT (currency = 'JPY' AND amount > 49) AND absorbed_by IS NULL", "id DESC"));
        for path in ["payments.csv?from=-9999-01-01", "events.csv?until=-9999-01-01", "payments.csv?until=1969-12-31"] {
            let refused = app.get(&format!("/payments/admin/{path}")).await;
            assert!(refused.status == 409 && refused.text().contains("expected a day like"), "{path}: {}", refused.text());
        }
        for path in ["payments?from=9999-12-31&until=9999-12-31", "events?from=1970-01-01", "audit?from=-9999-01-01", "?from=-9999-01-01"] {
            assert_eq!(app.get(&format!("/payments/admin/{path}")).await.status, 200, "{path}");
        }
        // Nothing of these can be there, and none of them is a mistake.
        for path in ["payments?before=-5", "events?before=1", "payments?q=%25", "events?q=%F0%9F%92%A9", "events?%ff=%ff&kind=%ff"] {
            assert_eq!(app.get(&format!("/payments/admin/{path}")).await.status, 200, "{path}");
        }
    }

    async fn a_search_that_finds_too_much_says_so(kind) {
        let app = filled(kind, 900, 1).await;
        let listed = app.list("payments?q=customer").await;
        assert!(listed.html.contains("The search found more than 500 payments"), "{}", listed.html);
        assert_eq!(listed.ids.len(), 50);
        assert!(!app.list("payments?q=customer7").await.html.contains("more than"));
    }

    async fn the_first_part_of_a_list_says_of_how_many_rows(kind) {
        let app = App::new(kind).await;
        for number in 0..51 {
            let token = app.order().await.token;
            app.deliver(&[&completed_as(number, &token)]).await;
        }
        let shown = async |path: &str| app.get(&format!("/payments/admin/{path}")).await.text();
        for (path, words) in [
            ("payments", "Showing payments 1–50 of 51"),
            ("payments?status=paid&sort=created", "Showing payments 1–50 of 51"),
            ("events", "Showing events 1–50 of 51"),
            ("events?state=completed", "Showing events 1–50 of 51"),
        ] {
            assert!(shown(path).await.contains(words), "{path}: {}", shown(path).await);
        }
        // The tabs count without the other filters, and later parts do not begin at the first row.
        for path in ["payments?variant=stripe", "events?variant=stripe", "payments?before=2", "events?before=2"] {
            assert!(!shown(path).await.contains(" of 51"), "{path}");
        }
        for _ in 0..50 {
            app.order().await;
        }
        assert!(shown("payments").await.contains("Showing payments 1–50 of 100+"), "{}", shown("payments").await);
    }

    async fn an_empty_list_says_what_to_do(kind) {
        let app = filled(kind, 1, 1).await;
        assert!(app.list("payments?q=nobody").await.html.contains("No payments match"));
        app.run("DELETE FROM pay_event_references");
        app.run("DELETE FROM pay_events");
        let html = app.list("events").await.html;
        assert!(html.contains("No events yet") && html.contains("/payments/stripe-eu/"), "{html}");
    }
}

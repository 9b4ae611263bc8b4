//! Do the books add up, by the day on which money moved? A month is added up by hand, and whatever happens to a
//! payment's events, its movements are the same.

mod filling;

use actix_payments::{Admin, Token};
use actix_web::http::Method;
use serde_json::json;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::app::{ADMIN, App, Kind, NOW, on_both_databases, staff};
use crate::money::{charge, event, refund, session};

/// Seconds from the beginning of all stories to this moment.
fn at(moment: OffsetDateTime) -> i64 {
    moment.unix_timestamp() - NOW
}

/// The events that pay 49.99 EUR by a session and its charge.
fn paid(token: &str, n: &str, at: i64) -> Vec<String> {
    let (pi, ch) = (format!("pi_{n}"), format!("ch_{n}"));
    vec![
        event("charge.succeeded", at, charge(&ch, &pi, json!({"metadata": {"payment_token": token}}))),
        event("checkout.session.completed", at, session(&format!("cs_{n}"), token, json!({"payment_intent": pi}))),
    ]
}

/// A refund of a charge, made at one moment and told of at another.
fn refunded(n: &str, id: &str, made: i64, at: i64, minor: i64, status: &str) -> String {
    event("refund.updated", at, refund(id, &format!("ch_{n}"), made, minor, json!({"status": status})))
}

fn dispute(n: &str, made: i64, at: i64, status: &str) -> String {
    let dispute = json!({
        "id": format!("dp_{n}"), "object": "dispute", "currency": "eur", "amount": 4999, "charge": format!("ch_{n}"),
        "payment_intent": format!("pi_{n}"), "created": NOW + made, "status": status, "reason": "fraudulent",
    });
    event("charge.dispute.closed", at, dispute)
}

/// All that happened in the autumn, a story each.
fn autumn(tokens: &[Token]) -> Vec<Vec<String>> {
    let refund_at = at(datetime!(2026-09-30 22:30 UTC));
    let (given_back, failed) = (at(datetime!(2026-10-06 12:00 UTC)), at(datetime!(2026-11-02 12:00 UTC)));
    let (asked, lost) = (at(datetime!(2026-10-01 12:00 UTC)), at(datetime!(2026-10-20 12:00 UTC)));
    let won = at(datetime!(2026-11-03 12:00 UTC));
    let and = |mut events: Vec<String>, more: Vec<String>| {
        events.extend(more);
        events
    };
    let back = vec![refunded("a", "re_a", refund_at, refund_at, 1000, "succeeded")];
    let twice = paid(&tokens[1], "b2", at(datetime!(2026-10-05 13:00 UTC)));
    let came_back = vec![
        refunded("b", "re_b", given_back, given_back, 4999, "succeeded"),
        refunded("b", "re_b", given_back, failed, 4999, "failed"),
    ];
    let restated = charge("ch_a", "pi_a", json!({"amount_refunded": 1000}));
    let later = vec![event("charge.updated", at(datetime!(2026-11-05 12:00 UTC)), restated)];
    vec![
        and(and(paid(&tokens[0], "a", at(datetime!(2026-09-20 12:00 UTC))), back), later),
        and(and(paid(&tokens[1], "b", at(datetime!(2026-10-05 12:00 UTC))), twice), came_back),
        paid(&tokens[2], "c", at(datetime!(2026-10-31 22:59:59 UTC))),
        paid(&tokens[3], "d", at(datetime!(2026-10-31 23:00 UTC))),
        and(
            paid(&tokens[4], "e", at(datetime!(2026-09-25 12:00 UTC))),
            vec![dispute("e", asked, lost, "lost"), dispute("e", asked, won, "won")],
        ),
    ]
}

/// An app in November, and the tokens of its five payments.
async fn in_november(kind: Kind) -> (App, Vec<Token>) {
    let app = App::new(kind).await;
    app.pass(at(datetime!(2026-11-10 12:00 UTC)));
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(app.order().await.token);
    }
    (app, tokens)
}

async fn deliver(app: &App, events: &[String]) {
    app.deliver(&events.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

/// An app in November in which all that happened in the autumn is booked.
pub(crate) async fn in_the_autumn(kind: Kind) -> App {
    let (app, tokens) = in_november(kind).await;
    deliver(&app, &autumn(&tokens).concat()).await;
    app
}

impl App {
    /// The movements, in the order in which they happened.
    pub(crate) fn movements(&self) -> Vec<String> {
        let text = "payment_id || ' ' || kind || ' ' || amount || ' ' || currency || ' ' || mode || ' ' || gateway_ref";
        self.texts(&format!(
            "SELECT {text} || ' ' || CAST(moved_at AS TEXT) AS t FROM pay_movements ORDER BY moved_at, 1"
        ))
    }

    /// Asserts that the totals of the months are those of the movements.
    pub(crate) fn months_agree(&self) {
        let total = "CAST(sum(count) AS TEXT) || ' ' || CAST(sum(amount) AS TEXT)";
        let of = "mode || ' ' || variant || ' ' || currency || ' ' || kind || ' '";
        let months = format!("SELECT {of} || {total} AS t FROM pay_movement_months WHERE count <> 0");
        let rows = format!("SELECT {of} || {} AS t FROM pay_movements", total.replace("sum(count)", "count(*)"));
        let group = "GROUP BY mode, variant, currency, kind ORDER BY 1";
        assert_eq!(self.texts(&format!("{months} {group}")), self.texts(&format!("{rows} {group}")));
    }

    async fn berlin(&self, path: &str) -> String {
        let admin = Admin::new(staff()).time_zone("Europe/Berlin").expect("a zone");
        let answer = self.request_at(admin, Method::GET, &format!("/payments/admin/{path}"), &[ADMIN], b"").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        if path.contains(".csv") { answer.body } else { answer.text() }
    }
}

const OCTOBER: &str = "EUR Movements Amount Opening – 99.98 EUR Captured 3 149.97 EUR Refunded 2 -59.99 EUR \
                       Lost to a dispute 1 -49.99 EUR Closing – 139.97 EUR";
const NOVEMBER: &str = "EUR Movements Amount Opening – 139.97 EUR Captured 1 49.99 EUR Refund failed 1 49.99 EUR \
                        Given back by a dispute 1 49.99 EUR Closing – 289.94 EUR";

on_both_databases! {
    async fn a_month_is_what_one_adds_up_by_hand(kind) {
        let (app, tokens) = in_november(kind).await;
        deliver(&app, &autumn(&tokens).concat()).await;
        let october = app.berlin("books?month=last&mode=test").await;
        assert!(october.contains("October 2026, by the clocks of Europe/Berlin: test money"), "{october}");
        assert!(october.contains(OCTOBER), "{october}");
        assert!(app.berlin("books?month=2026-10&mode=test").await.contains(OCTOBER));
        let november = app.berlin("books?mode=test").await;
        assert!(november.contains(NOVEMBER), "{november}");
        // By UTC the refund of the last evening of September is one of September, and all of the last one of October.
        let utc = app.get("/payments/admin/books?month=2026-10&mode=test").await.text();
        let words = "Opening – 89.98 EUR Captured 4 199.96 EUR Refunded 1 -49.99 EUR Lost to a dispute 1 -49.99 EUR Closing – 189.96 EUR";
        assert!(utc.contains(words), "{utc}");
        let mut left = 0;
        for token in &tokens {
            let payment = app.payment(token).await;
            left += payment.captured.minor - payment.refunded.minor - payment.lost.minor;
        }
        assert_eq!((left, app.number("SELECT CAST(sum(amount) AS BIGINT) FROM pay_movements")), (28_994, 28_994));
        app.months_agree();
    }

    async fn a_quarter_and_a_year_add_up_as_their_months_do(kind) {
        let app = in_the_autumn(kind).await;
        let third = "Opening – 0.00 EUR Captured 2 99.98 EUR Closing – 99.98 EUR";
        let fourth = "Opening – 99.98 EUR Captured 4 199.96 EUR Refunded 2 -59.99 EUR Refund failed 1 49.99 EUR \
                      Lost to a dispute 1 -49.99 EUR Given back by a dispute 1 49.99 EUR Closing – 289.94 EUR";
        let year = "Opening – 0.00 EUR Captured 6 299.94 EUR Refunded 2 -59.99 EUR Refund failed 1 49.99 EUR \
                    Lost to a dispute 1 -49.99 EUR Given back by a dispute 1 49.99 EUR Closing – 289.94 EUR";
        for (words, title, sums) in [
            ("last-quarter", "Q3 2026", third), ("2026-Q3", "Q3 2026", third),
            ("quarter", "Q4 2026", fourth), ("2026-Q4", "Q4 2026", fourth),
            ("year", "2026", year), ("2026", "2026", year),
        ] {
            let page = app.berlin(&format!("books?month={words}&mode=test")).await;
            let title = format!("{title}, by the clocks of Europe/Berlin: test money");
            assert!(page.contains(&title) && page.contains(sums), "{words}: {page}");
        }
        let file = app.berlin("books.csv?month=last-quarter&mode=test").await;
        assert_eq!(file.matches(",capture,").count(), 2, "{file}");
        let before = app.berlin("books?month=last-year&mode=test").await;
        assert!(before.contains("2025, by the clocks") && before.contains("No money moved"), "{before}");
        let page = app.berlin("books?month=2026-Q4&mode=test").await;
        for tab in ["This month", "Last month", "This quarter", "Last quarter", "This year", "Last year", "September 2026"] {
            assert!(page.contains(tab), "{tab} in {page}");
        }
        for unread in ["2026-Q5", "2026-Q", "2026-Q04", "202", "2026-", "last-week"] {
            let page = app.berlin(&format!("books?month={unread}")).await;
            assert!(page.contains(&format!("there is no month \"{unread}\"")), "{page}");
        }
    }

    async fn a_currency_of_which_nothing_moved_or_was_left_says_so(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let back = json!({"amount_refunded": 4999, "refunded": true});
        deliver(&app, &[
            event("checkout.session.completed", 0, session("cs_1", &token, json!({"payment_intent": "pi_1"}))),
            event("charge.succeeded", 0, charge("ch_1", "pi_1", json!({}))),
            event("charge.refunded", 9, charge("ch_1", "pi_1", back)),
        ]).await;
        app.pass(40 * 86_400);
        let page = app.get("/payments/admin/books?mode=test").await.text();
        assert!(page.contains("EUR: nothing moved, and nothing was left from before.") && !page.contains("Opening"), "{page}");
        let october = app.get("/payments/admin/books?mode=test&month=2026-10").await.text();
        assert!(october.contains("Opening – 0.00 EUR Captured 1 49.99 EUR Refunded 1 -49.99 EUR Closing – 0.00 EUR"), "{october}");
    }

    async fn the_file_has_every_movement_of_the_month(kind) {
        let (app, tokens) = in_november(kind).await;
        deliver(&app, &autumn(&tokens).concat()).await;
        let file = app.berlin("books.csv?month=2026-11&mode=test").await;
        let rows: Vec<&str> = file.trim_start_matches('\u{FEFF}').trim_end().split("\r\n").collect();
        let expected = [
            "moved,kind,amount,currency,variant,mode,payment,gateway_id,net,rate,account".to_owned(),
            format!("2026-11-03T12:00:00Z,dispute_reinstated,49.99,EUR,stripe,test,{},dp_e,,,", tokens[4]),
            format!("2026-11-02T12:00:00Z,refund_failed,49.99,EUR,stripe,test,{},re_b,,,", tokens[1]),
            format!("2026-10-31T23:00:00Z,capture,49.99,EUR,stripe,test,{},ch_d,,,", tokens[3]),
        ];
        assert_eq!(rows, expected);
    }

    async fn test_money_is_never_in_the_book_of_live_money(kind) {
        let (app, tokens) = in_november(kind).await;
        deliver(&app, &autumn(&tokens).concat()).await;
        let page = app.berlin("books").await;
        assert!(page.contains("No money moved") && !page.contains("Opening"), "{page}");
        let other = app.berlin("books?mode=test&variant=another").await;
        assert!(other.contains("No money moved") && !other.contains("Opening"), "{other}");
        assert!(app.berlin("books?mode=test&variant=stripe&currency=EUR").await.contains(NOVEMBER));
        let unread = app.berlin("books?month=2026-13").await;
        assert!(unread.contains("there is no month \"2026-13\""), "{unread}");
    }

    async fn movements_are_the_same_whatever_the_order_of_the_events(kind) {
        let (app, tokens) = in_november(kind).await;
        let stories = autumn(&tokens);
        deliver(&app, &stories.concat()).await;
        let expected = app.movements();
        assert_eq!(expected.len(), 11, "{expected:?}");
        for turn in 0..2 {
            let (app, tokens) = in_november(kind).await;
            let mut events = autumn(&tokens).concat();
            events.reverse();
            if turn == 0 {
                deliver(&app, &events).await;
            } else {
                for event in &events {
                    deliver(&app, std::slice::from_ref(event)).await;
                }
            }
            assert_eq!(app.movements(), expected);
            app.months_agree();
        }
    }

    async fn a_payment_that_is_absorbed_takes_its_movements_along(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        deliver(&app, &[event("charge.succeeded", 0, charge("ch_1", "pi_1", json!({})))]).await;
        app.pass(3600);
        app.drain().await;
        assert_eq!(app.texts("SELECT CAST(payment_id AS TEXT) AS t FROM pay_movements"), ["2"]);
        deliver(&app, &[event("checkout.session.completed", 5, session("cs_1", &token, json!({"payment_intent": "pi_1"})))]).await;
        let moved = app.texts("SELECT payment_id || ' ' || kind || ' ' || amount || ' ' || gateway_ref AS t FROM pay_movements");
        assert_eq!(moved, ["1 capture 4999 ch_1"]);
        app.months_agree();
    }

    async fn a_rebuild_finds_the_movements_again(kind) {
        let (app, tokens) = in_november(kind).await;
        deliver(&app, &autumn(&tokens).concat()).await;
        let expected = app.movements();
        app.run("DELETE FROM pay_movements");
        app.run("DELETE FROM pay_movement_months");
        app.run("UPDATE pay_ledger SET earlier = NULL");
        app.run("UPDATE pay_payments SET status = 'pending', captured_amount = 0");
        for token in &tokens {
            app.post(&format!("/payments/admin/payments/{token}/rebuild"), "").await;
            app.drain().await;
        }
        assert_eq!(app.movements(), expected);
        app.months_agree();
    }

    async fn a_worker_fills_the_books_of_payments_that_are_older(kind) {
        let (app, tokens) = in_november(kind).await;
        deliver(&app, &autumn(&tokens).concat()).await;
        let expected = app.movements();
        app.run("DELETE FROM pay_movements");
        app.run("DELETE FROM pay_movement_months");
        app.run("UPDATE pay_ledger SET earlier = NULL");
        let worker = app.payments.worker().poll(std::time::Duration::from_millis(10)).start().unwrap();
        for _ in 0..500 {
            if app.number("SELECT count(*) FROM pay_chores WHERE name = 'books' AND note IS NOT NULL") == 1 {
                break;
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        worker.stop().await;
        assert_eq!(app.movements(), expected);
        app.months_agree();
    }

    async fn the_list_goes_forth_and_back_and_shows_each_movement_once(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        for sql in filled(kind, 130) {
            app.run(&sql);
        }
        for (filter, condition) in [
            ("", "mode = 'live'"),
            ("&variant=stripe", "mode = 'live' AND variant = 'stripe'"),
            ("&currency=JPY", "mode = 'live' AND currency = 'JPY'"),
            ("&mode=test&variant=stripe-eu&currency=EUR", "mode = 'test' AND variant = 'stripe-eu' AND currency = 'EUR'"),
        ] {
            let expected = app.ids("pay_movements", condition, "moved_at DESC, id DESC");
            let (mut seen, mut next, mut pages) = (Vec::new(), Some(format!("books?month=2026-10{filter}")), Vec::new());
            while let Some(path) = next {
                let page = app.list(&path).await;
                seen.extend(page.ids.clone());
                next = page.next.clone();
                pages.push(page);
            }
            assert_eq!(seen, expected, "{filter}");
            for (before, after) in pages.iter().zip(pages.iter().skip(1)) {
                assert_eq!(app.list(after.back.as_ref().unwrap()).await.ids, before.ids, "{filter}");
            }
        }
        let page = app.list("books?month=2026-10").await.html;
        assert!(page.contains(token.as_str()) && page.contains("&#60;b&#62;") && !page.contains("<b>1"), "{page}");
    }
}

/// What fills the table with so many movements of October, three at each moment.
pub(super) fn filled(kind: Kind, count: i64) -> [String; 2] {
    let begin = datetime!(2026-10-02 00:00 UTC).unix_timestamp();
    let at = match kind {
        Kind::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%S+00:00', {begin} + (i / 3) * 60, 'unixepoch')"),
        Kind::Postgres => format!("to_timestamp({begin} + (i / 3) * 60)"),
    };
    [
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             INSERT INTO pay_movements (payment_id, variant, kind, amount, currency, mode, moved_at, gateway_ref) \
             SELECT 1, CASE WHEN i % 7 = 0 THEN 'stripe-eu' ELSE 'stripe' END, \
             CASE WHEN i % 9 = 0 THEN 'refund' ELSE 'capture' END, CASE WHEN i % 9 = 0 THEN -500 ELSE 4999 END, \
             CASE WHEN i % 5 = 0 THEN 'JPY' ELSE 'EUR' END, CASE WHEN i % 11 = 0 THEN 'test' ELSE 'live' END, {at}, \
             '<b>' || i FROM n"
        ),
        "INSERT INTO pay_movement_months (mode, month, variant, currency, kind, count, amount) \
         SELECT mode, '2026-10', variant, currency, kind, count(*), sum(amount) FROM pay_movements \
         GROUP BY mode, variant, currency, kind"
            .to_owned(),
    ]
}

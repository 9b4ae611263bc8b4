//! Does who walks a list to its end and back see every row that matches once and in order, whatever the filter?

use super::filled;
use crate::app::{App, on_both_databases};

/// The same choices in every run.
struct Dice(u64);

impl Dice {
    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all[(self.0 >> 33) as usize % all.len()]
    }
}

/// Follows the links to the end and back to the beginning.
async fn walk(app: &App, path: &str) -> (Vec<i64>, Vec<i64>, usize) {
    let (mut there, mut back, mut pages) = (Vec::new(), Vec::new(), 1);
    let mut page = app.list(path).await;
    there.extend(&page.ids);
    while let Some(next) = page.next.take() {
        page = app.list(&next).await;
        pages += 1;
        assert!(!page.ids.is_empty() || page.next.is_none() || page.html.contains("looked through"), "{next}");
        there.extend(&page.ids);
    }
    back.extend(page.ids.iter().rev());
    while let Some(before) = page.back.take() {
        page = app.list(&before).await;
        back.extend(page.ids.iter().rev());
    }
    back.reverse();
    (there, back, pages)
}

on_both_databases! {
    async fn every_event_is_met_once_on_the_way_and_once_on_the_way_back(kind) {
        let app = filled(kind, 5, 5_000).await;
        let mut dice = Dice(7);
        for _ in 0..14 {
            let parts = [
                dice.one_of(&["", "", "state=discarded|state = 'discarded'", "state=ignored|state = 'ignored'"]),
                dice.one_of(&["kind=charge.refunded|kind = 'charge.refunded'", "kind=charge.exp*|kind = 'charge.expired'",
                              "kind=charge.*|substr(kind, 1, 6) = 'charge' AND id % 3 > -1"]),
                dice.one_of(&["variant=stripe-eu|variant = 'stripe-eu'", "", "variant=none|id < 0"]),
                dice.one_of(&["mode=live|livemode = (1 = 1)", "mode=test|livemode = (1 = 0)"]),
                dice.one_of(&["seen=again|deliveries > 1", "", ""]),
            ];
            let parts: Vec<_> = parts.iter().filter_map(|part| part.split_once('|')).collect();
            let query: Vec<_> = parts.iter().map(|(query, _)| *query).collect();
            let condition: Vec<_> = parts.iter().map(|(_, condition)| *condition).collect();
            let expected = app.ids("pay_events", &condition.join(" AND "), "id DESC");
            let path = format!("events?{}", query.join("&"));
            let (there, back, _) = walk(&app, &path).await;
            assert_eq!(there, expected, "{path}");
            assert_eq!(back, expected, "back: {path}");
        }
    }

    async fn every_payment_is_met_once_in_every_order(kind) {
        let app = filled(kind, 4_000, 1).await;
        let mut dice = Dice(3);
        for _ in 0..14 {
            let (sort, order) = dice.one_of(&[
                "|id DESC", "created|id", "amount|currency, amount, id", "-amount|currency DESC, amount DESC, id DESC",
            ]).split_once('|').unwrap();
            let parts = [
                dice.one_of(&["status=failed|status = 'failed'", "status=review|needs_review", ""]),
                dice.one_of(&["variant=stripe-eu|variant = 'stripe-eu'", ""]),
                dice.one_of(&["mode=live|livemode = (1 = 1)", "least=48|amount >= 4800 AND currency <> 'JPY' OR (amount >= 48 AND currency = 'JPY')"]),
                dice.one_of(&["currency=JPY|currency = 'JPY'", "currency=USD|currency = 'USD'", "currency=XXX|id < 0"]),
            ];
            let parts: Vec<_> = parts.iter().filter_map(|part| part.split_once('|')).collect();
            let query: Vec<_> = parts.iter().map(|(query, _)| *query).collect();
            let condition: Vec<_> = parts.iter().map(|(_, condition)| format!("({condition})")).collect();
            let expected = app.ids("pay_payments", &format!("{} AND absorbed_by IS NULL", condition.join(" AND ")), order);
            let sort = if sort.is_empty() { String::new() } else { format!("sort={sort}&") };
            let path = format!("payments?{sort}{}", query.join("&"));
            let (there, back, _) = walk(&app, &path).await;
            assert_eq!(there, expected, "{path}");
            assert_eq!(back, expected, "back: {path}");
        }
    }

    async fn a_page_looks_at_so_many_rows_and_says_how_far_it_came(kind) {
        let app = filled(kind, 1, 4_000).await;
        // The one event that is not of this mode is the oldest.
        app.run("UPDATE pay_events SET livemode = (id > 1)");
        let first = app.list("events?mode=test").await;
        assert!(first.ids.is_empty() && first.next.is_some());
        assert!(first.html.contains("Many events were looked through as far as the one received on"), "{}", first.html);
        let (there, back, pages) = walk(&app, "events?mode=test").await;
        assert_eq!((there, back), (vec![1], vec![1]));
        assert!((6..=10).contains(&pages), "{pages} pages");
    }
}

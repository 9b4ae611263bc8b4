//! Does each filter of the list of subscriptions find all that it asks for, in pages that are full as long as there is
//! more, forth and back?

use super::SUBSCRIPTIONS;
use crate::app::{App, Kind, NOW, on_both_databases};

/// A day, and the moment of this second as the database has it.
const DAY: i64 = 86_400;

fn moment(kind: Kind, seconds: &str) -> String {
    match kind {
        Kind::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%S+00:00', {NOW} + {seconds}, 'unixepoch')"),
        Kind::Postgres => format!("to_timestamp({NOW} + {seconds})"),
    }
}

/// Three thousand subscriptions, of which few have what is asked for, and those far from each other.
async fn filled(kind: Kind) -> App {
    let app = crate::lists::filled(kind, 1, 1).await;
    app.run(SUBSCRIPTIONS);
    // Every hour one renews, in an order of their own; some are past due, the newest the longest.
    let end = moment(kind, "3600 * ((id * 7) % 3000)");
    app.run(&format!("UPDATE pay_subscriptions SET period_end = {end}"));
    let since = moment(kind, "(-60 * id)");
    app.run(&format!("UPDATE pay_subscriptions SET due_since = CASE WHEN id % 29 = 1 THEN {since} END"));
    app.run("UPDATE pay_subscriptions SET cancel_at_period_end = id % 41 = 3, livemode = id % 37 = 5");
    app.run("UPDATE pay_subscriptions SET owner = 'a team' WHERE id % 43 = 7");
    app.run(
        "UPDATE pay_subscriptions SET items = '[{\"price\":\"price_a\",\"product\":\"prod_rare\",\"quantity\":1},\
         {\"price\":\"price_rare\",\"product\":\"prod_rare\",\"quantity\":2}]' WHERE id % 47 = 9",
    );
    app
}

/// Walks a list to its end, and all the way back.
async fn walked(app: &App, path: &str) -> Vec<i64> {
    let (mut all, mut page) = (Vec::new(), app.list(path).await);
    loop {
        assert!(!page.html.contains("were looked through"), "{path}");
        assert!(page.ids.len() == 50 || page.next.is_none(), "{path}: a short page of {}", page.ids.len());
        all.extend(page.ids);
        let Some(next) = page.next else { break };
        page = app.list(&next).await;
    }
    let mut back = Vec::new();
    while let Some(before) = page.back {
        page = app.list(&before).await;
        back.splice(0..0, page.ids);
    }
    assert_eq!(back, all[..back.len()], "{path}: the way back");
    all
}

on_both_databases! {
    async fn each_filter_is_met_in_full_pages_forth_and_back(kind) {
        let app = filled(kind).await;
        let lasting = "ended_at IS NULL AND cancel_at IS NULL AND cancel_at_period_end = (1 = 0)";
        let ending = "ended_at IS NULL AND cancel_at_period_end = (1 = 1)";
        let until = moment(kind, &(7 * DAY).to_string());
        let now = moment(kind, "0");
        let renewing = format!("{lasting} AND period_end >= {now} AND period_end < {until}");
        let due = format!("due_since < {}", moment(kind, &(-DAY).to_string()));
        let cases = [
            ("price=price_rare", "id % 47 = 9", "id DESC"),
            ("price=prod_rare", "id % 47 = 9", "id DESC"),
            ("price=price_unknown", "id < 0", "id DESC"),
            ("ending=yes", ending, "id DESC"),
            ("ending=no", lasting, "id DESC"),
            ("mode=live", "id % 37 = 5", "id DESC"),
            ("mode=test", "id % 37 <> 5", "id DESC"),
            ("owner=a%20team", "id % 43 = 7", "id DESC"),
            ("status=past_due", "status = 'past_due'", "id DESC"),
            ("status=past_due&variant=stripe-eu", "status = 'past_due' AND variant = 'stripe-eu'", "id DESC"),
            ("renews=7", &renewing, "period_end, id"),
            ("due=1", &due, "due_since, id"),
            // Together, where one of them leaves few.
            ("price=price_rare&ending=no&status=active", &format!("id % 47 = 9 AND {lasting} AND status = 'active'"), "id DESC"),
            ("renews=7&owner=a%20team", &format!("id % 43 = 7 AND {renewing}"), "period_end, id"),
            ("due=1&price=price_rare", &format!("id % 47 = 9 AND {due}"), "due_since, id"),
        ];
        for (query, condition, order) in cases {
            let expected = app.ids("pay_subscriptions", condition, order);
            assert_eq!(walked(&app, &format!("subscriptions?{query}")).await, expected, "{query}");
            let csv = app.get(&format!("/payments/admin/subscriptions.csv?{query}")).await;
            assert_eq!(csv.body.lines().count(), expected.len() + 1, "{query}");
        }
    }

    async fn an_account_is_found_whatever_other_texts_the_facts_have(kind) {
        let app = filled(kind).await;
        let facts = |account: &str| format!(r#"{{"note":"\\u0000 \u0000","account":"{account}"}}"#);
        let found = async || app.list("subscriptions?account=acct_b").await.ids;
        app.run(&format!("UPDATE pay_subscriptions SET facts = '{}' WHERE id = 7", facts("acct_a")));
        app.run(&format!("UPDATE pay_subscriptions SET facts = '{}' WHERE id = 7", facts("acct_b")));
        assert_eq!(found().await, [7]);
        app.run("DROP TABLE pay_subscription_accounts");
        for name in ["added", "changed", "gone"] {
            app.run(&match kind {
                Kind::Sqlite => format!("DROP TRIGGER pay_subscription_accounts_{name}"),
                Kind::Postgres => {
                    format!("DROP TRIGGER IF EXISTS pay_subscription_accounts_{name} ON pay_subscriptions")
                }
            });
        }
        app.run("DELETE FROM pay_migrations WHERE name = '0052_subscription_accounts'");
        app.payments.migrate().await.unwrap();
        assert_eq!(found().await, [7], "after the migration");
    }

    async fn a_price_is_found_for_as_long_as_it_is_subscribed_to(kind) {
        let app = crate::lists::filled(kind, 1, 1).await;
        app.run(SUBSCRIPTIONS);
        let with = async |price: &str| app.list(&format!("subscriptions?price={price}")).await.ids;
        assert_eq!(with("price_7").await[..2], [2957, 2907]);
        app.run("UPDATE pay_subscriptions SET items = '[{\"price\":\"price_new\",\"product\":null}]' WHERE id = 2957");
        assert_eq!((with("price_new").await, with("price_7").await[0]), (vec![2957], 2907));
        app.run("DELETE FROM pay_subscriptions WHERE id = 2957");
        assert_eq!(with("price_new").await, Vec::<i64>::new());
        assert_eq!(app.number("SELECT count(*) FROM pay_subscription_prices WHERE id = 2957"), 0);
    }

    async fn a_list_goes_on_where_it_ended_though_its_last_row_renewed(kind) {
        let app = filled(kind).await;
        for (query, column, order) in [("renews=30", "period_end", "period_end, id"), ("due=1", "due_since", "due_since, id")] {
            let first = app.list(&format!("subscriptions?{query}")).await;
            let all = app.ids("pay_subscriptions", "1 = 1", order);
            let (last, next) = (*first.ids.last().unwrap(), first.next.unwrap());
            let at = all.iter().position(|id| *id == last).unwrap();
            let second = app.list(&next).await;
            // It moves to the end of the list, or has no place in it any more.
            for moved in [moment(kind, &(29 * DAY).to_string()), "NULL".to_owned()] {
                app.run(&format!("UPDATE pay_subscriptions SET {column} = {moved} WHERE id = {last}"));
                let now = app.list(&next).await;
                assert!(!now.html.contains("That place in the list is gone"), "{query}");
                assert_eq!(now.ids, second.ids, "{query}: after {last}, the {at}th");
                let back = app.list(&now.back.unwrap()).await;
                assert_eq!(back.ids, first.ids[..first.ids.len() - 1], "{query}: and back");
            }
        }
    }

    async fn at_a_place_that_is_gone_the_page_begins_anew(kind) {
        let app = filled(kind).await;
        for query in ["renews=7", "due=1"] {
            let first = app.list(&format!("subscriptions?{query}")).await;
            // None is left after the last of all, either.
            let last = app.ids("pay_subscriptions", "1 = 1", "id").pop().unwrap();
            for place in [999_999, last] {
                app.run(&format!("UPDATE pay_subscriptions SET period_end = NULL, due_since = NULL WHERE id = {last}"));
                let gone = app.list(&format!("subscriptions?{query}&before={place}")).await;
                assert!(gone.html.contains("That place in the list is gone, so this is its beginning."), "{query} {place}");
                assert_eq!(gone.ids, app.list(&format!("subscriptions?{query}")).await.ids, "{query} {place}");
                assert!(!first.ids.is_empty());
            }
        }
    }
}

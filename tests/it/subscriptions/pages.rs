//! Do the admin pages say of subscriptions what is true, and do they find each?

use serde_json::json;

use super::story::{DAY, START, Story, items};
use crate::app::{App, Kind, NOW, on_both_databases};

/// An app with a subscription in each of these statuses, of an owner each.
async fn app(kind: Kind, statuses: &[&str]) -> App {
    let app = App::new(kind).await;
    for (number, status) in statuses.iter().enumerate() {
        let mut story = Story::new(number, status);
        story.checkout(START, &format!("user-{number}"));
        app.hear(&story).await;
    }
    app
}

/// The owners in the list at this address, in its order.
async fn listed(app: &App, query: &str) -> Vec<String> {
    let answer = app.get(&format!("/payments/admin/subscriptions{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let rows = answer.body.split("<tr data-id=").skip(1);
    rows.map(|row| row.split_once("title=\"").unwrap().1.split_once('"').unwrap().0.to_owned()).collect()
}

on_both_databases! {
    async fn the_list_is_filtered_by_status_search_and_more(kind) {
        let app = app(kind, &["active", "past_due", "trialing"]).await;
        let mut ending = Story::new("ending", "active");
        ending.checkout(START, "leaving").update(START + 1, json!({"cancel_at_period_end": true}));
        ending.update(START + 2, json!({"items": items("price_tea", 1, START)}));
        app.hear(&ending).await;
        assert_eq!(listed(&app, "").await, ["leaving", "user-2", "user-1", "user-0"]);
        assert_eq!(listed(&app, "?status=past_due").await, ["user-1"]);
        for text in ["user-2", "sub_2", "in_2"] {
            assert_eq!(listed(&app, &format!("?q={text}")).await, ["user-2"], "{text}");
        }
        assert_eq!(listed(&app, "?q=jenny.rosen%40example.com&status=active").await, ["leaving", "user-0"]);
        assert_eq!(listed(&app, "?ending=yes").await, ["leaving"]);
        assert_eq!(listed(&app, "?ending=no").await, ["user-2", "user-1", "user-0"]);
        assert_eq!(listed(&app, "?price=price_tea").await, ["leaving"]);
        for word in ["price", "month", "price_te", "quantity", "USD"] {
            assert_eq!(listed(&app, &format!("?price={word}")).await, Vec::<String>::new(), "{word} is no price");
        }
        assert_eq!(listed(&app, "?owner=user-1").await, ["user-1"]);
        assert_eq!(listed(&app, "?owner=user").await, Vec::<String>::new());
        assert_eq!(listed(&app, "?renews=30").await, Vec::<String>::new());
        app.pass(2 * DAY);
        assert_eq!(listed(&app, "?renews=30").await, ["user-0", "user-1", "user-2"], "those first that renew first");
        assert_eq!(listed(&app, "?due=1").await, ["user-1"]);
        assert_eq!(listed(&app, "?status=active&due=1").await, Vec::<String>::new());
        let odd = app.get("/payments/admin/subscriptions?status=odd&renews=x").await.text();
        assert!(odd.contains("There is no status \"odd\"."), "{odd}");
    }

    async fn the_list_is_searched_by_token_and_by_the_gateways_customer(kind) {
        let app = App::new(kind).await;
        let mut stories: Vec<Story> = (0..3).map(|number| Story::new(number, "active")).collect();
        for (number, story) in stories.iter_mut().enumerate() {
            story.checkout(START, &format!("user-{number}"));
            story.update(START + 1, json!({"customer": format!("cus_{}", number / 2)}));
            // The checkout names another customer, as all fixtures do.
            story.events.iter_mut().for_each(|event| {
                *event = event.replace("cus_F1EF46kBRDxh4Y", &format!("cus_{}", number / 2));
            });
            app.hear(story).await;
        }
        let token = app.subscription("sub_1").await.token;
        assert_eq!(listed(&app, &format!("?q={token}")).await, ["user-1"]);
        assert_eq!(listed(&app, &format!("?q={}", &token[..token.len() - 1])).await, Vec::<String>::new());
        assert_eq!(listed(&app, "?q=cus_0").await, ["user-1", "user-0"]);
        assert_eq!(listed(&app, "?q=cus_1").await, ["user-2"]);
        assert_eq!(listed(&app, "?q=cus_1&status=past_due").await, Vec::<String>::new());
    }

    async fn the_list_goes_by_key_forth_and_back(kind) {
        let app = App::new(kind).await;
        let stories: Vec<Story> = (0..55).map(|number| Story::new(number, "active")).collect();
        for story in &stories {
            assert_eq!(app.stripe(&story.events[0]).await.status, 200);
        }
        app.drain().await;
        let page = async |query: &str| app.get(&format!("/payments/admin/subscriptions{query}")).await.body;
        let first = page("").await;
        assert_eq!(first.matches("<tr data-id=").count(), 50);
        let older = first.split("rel=\"next\"").next().unwrap().rsplit("subscriptions?").next().unwrap();
        let older = older.split('"').next().unwrap().replace("&#38;", "&");
        let second = page(&format!("?{older}")).await;
        assert_eq!(second.matches("<tr data-id=").count(), 5, "{older}");
        assert!(second.contains("rel=\"prev\"") && !second.contains("rel=\"next\""));
        let newer = second.split("rel=\"prev\"").next().unwrap().rsplit("subscriptions?").next().unwrap();
        let newer = newer.split('"').next().unwrap().replace("&#38;", "&");
        let back = page(&format!("?{newer}")).await;
        assert_eq!(back.matches("<tr data-id=").count(), 50, "{newer}");
        assert!(page("?before=1").await.contains("That place in the list is gone"));
        assert_eq!(app.get("/payments/admin/subscriptions?newer_than=50").await.body, "5");
    }

    async fn a_subscriptions_page_tells_its_story(kind) {
        let app = App::with(kind, |builder| {
            builder.subscription_handler("access", |_| std::future::ready(Ok::<(), actix_payments::HandlerError>(())))
        }).await;
        let mut story = Story::new(1, "active");
        story.checkout(START, "<b>user</b>");
        story.invoice("payment_failed", START + 5, json!({"next_payment_attempt": NOW + DAY}));
        story.update(START + 6, json!({"status": "past_due"}));
        app.hear(&story).await;
        let token = app.subscription("sub_1").await.token;
        let page = app.get(&format!("/payments/admin/subscriptions/{token}")).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<b>user"), "escaped");
        let text = page.text();
        let expected = [
            "<b>user</b>", "past due", "Money is due since", "the gateway tries again, and it counts as active.",
            "price_1Bbswnz2GDegh9XYEyx294L2", "20.00 USD", "every month", "jenny.rosen@example.com", "sub_1", "cus_F1EF46kBRDxh4Y",
            "open of 20.00 USD, tried once", "Tried next", "active → past due", "access ok", "customer.subscription.updated",
            "This variant has no API key",
        ];
        for words in expected {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        let event = app.get("/payments/admin/events/4").await.text();
        assert!(event.contains("Subscription sub_1") && event.contains("active past due"), "{event}");
        assert_eq!(app.get("/payments/admin/subscriptions/psub_no").await.status, 404);
        let dry = app.get("/payments/admin/events/4/dry-run").await;
        assert_eq!(dry.status, 200);
    }

    async fn an_operator_gives_an_owner_and_the_audit_says_so(kind) {
        let app = app(kind, &["active"]).await;
        let token = app.subscription("sub_0").await.token;
        let answer = app.post(&format!("/payments/admin/subscriptions/{token}/owner"), "owner=user-42").await;
        assert_eq!((answer.status, answer.header("location").is_some()), (303, true), "{}", answer.text());
        assert_eq!(app.subscription("sub_0").await.owner(), Some("user-42"));
        let acts = app.texts("SELECT actor || ' ' || act || ' ' || detail AS t FROM pay_audit");
        assert_eq!(acts, ["admin give_owner user-42"]);
        let page = app.get(&format!("/payments/admin/subscriptions/{token}")).await.text();
        assert!(page.contains("by admin on subscription.owner; user-42") && page.contains("belongs to user-42"), "{page}");
        assert!(app.get("/payments/admin/audit").await.text().contains("give owner"));
        let empty = app.post(&format!("/payments/admin/subscriptions/{token}/owner"), "owner=").await;
        assert_eq!(empty.status, 409);
    }

    async fn the_overview_says_how_subscriptions_stand_and_what_recurs(kind) {
        let app = app(kind, &["active", "past_due", "trialing"]).await;
        let mut many = Story::new("many", "active");
        many.update(START + 1, json!({"items": items("price_tea", 3, START)}));
        let mut paused = Story::new("paused", "active");
        paused.update(START + 1, json!({"pause_collection": {"behavior": "void", "resumes_at": null}}));
        let mut ended = Story::new("ended", "active");
        ended.send("deleted", START + 2, json!({"status": "canceled", "ended_at": START + 2}));
        for story in [&many, &paused, &ended] {
            app.hear(story).await;
        }
        let text = app.get("/payments/admin/").await.text();
        let tiles = [
            "Active 3 paid for, now", "Trialing 1 now", "Past due 1 and 0 unpaid", "Began 6 in 24 hours",
            "Ended 1 in 24 hours",
            // One active, one past due, and three of the third: not what is paused, in its trial or over.
            "100.00 USD test 3", "3 of the 4 subscriptions that are active or past due are in this sum",
            "6 test subscriptions began, 1 ended, and 1 became past due.",
        ];
        for words in tiles {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        // A subscription that is heard of again begins no second time.
        app.pass(60);
        many.update(NOW + 60, json!({"latest_invoice": "in_next"}));
        app.deliver(&[many.events.last().unwrap()]).await;
        assert!(app.get("/payments/admin/").await.text().contains("Began 6 in 24 hours"));
        let none = App::new(kind).await.get("/payments/admin/").await.text();
        assert!(!none.contains("Recurring in a month"), "{none}");
    }

    async fn what_began_and_ended_goes_by_the_gateways_time_and_mode_and_not_by_arrival(kind) {
        let app = App::new(kind).await;
        let real = |event: &String| event.replace("\"livemode\":false", "\"livemode\":true");
        let live = |story: Story| story.events.iter().map(real).collect::<Vec<_>>();
        let ended = |number: &str, start: i64, end: i64| {
            let mut story = Story::new(number, "active");
            story.update(start, json!({"start_date": start}));
            story.send("deleted", end, json!({"status": "canceled", "ended_at": end, "start_date": start}));
            story
        };
        // Of long ago, and heard of only now; its last event alone.
        let old = live(ended("old", NOW - 400 * DAY, NOW - 3 * DAY)).pop().unwrap();
        // Begun yesterday and over an hour ago, in the wrong order.
        let new = live(ended("new", NOW - DAY / 2, NOW - 3_600));
        app.deliver(&[&old, &new[2], &new[0], &new[1]]).await;
        let mut test = Story::new("test", "active");
        test.send("deleted", NOW, json!({"status": "canceled", "ended_at": NOW}));
        let mut other = Story::new("other", "active");
        other.update(NOW, json!({"status": "past_due"}));
        for story in [&test, &other] {
            app.hear(story).await;
        }
        let text = app.get("/payments/admin/").await.text();
        for words in [
            "Began 1 in 24 hours, and 2 of tests", "Ended 1 in 24 hours, and 1 of tests",
            "In the last 24 hours, 1 subscription began, 1 ended, and 0 became past due.",
        ] {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        let week = app.get("/payments/admin/?span=7d").await.text();
        assert!(week.contains("In the last 7 days, 1 subscription began, 2 ended"), "{week}");
    }

    async fn what_has_no_whole_amount_is_not_added_up_and_nothing_breaks_the_sum(kind) {
        let app = app(kind, &["active"]).await;
        let half = |price: serde_json::Value| {
            let mut items = items("price_tea", 1, START);
            let mut other = items["data"][0].clone();
            for (name, value) in price.as_object().unwrap() {
                other["price"][name] = value.clone();
            }
            items["data"].as_array_mut().unwrap().push(other);
            items
        };
        let prices = [
            json!({"unit_amount": null}),
            json!({"transform_quantity": {"divide_by": 10, "round": "up"}}),
            json!({"unit_amount": 9_000_000_000_000_000_000_i64}),
            json!({"unit_amount": 9_000_000_000_000_000_i64}),
        ];
        for (number, price) in prices.into_iter().enumerate() {
            let mut story = Story::new(format!("odd_{number}"), "active");
            story.update(START + 1, json!({"items": half(price)}));
            app.hear(&story).await;
        }
        let text = app.get("/payments/admin/").await.text();
        for words in ["20.00 USD test 1", "1 of the 5 subscriptions that are active"] {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
    }

    async fn the_list_is_a_file_too_and_of_the_same_filter(kind) {
        let app = app(kind, &["active", "past_due"]).await;
        let mut odd = Story::new("odd", "active");
        odd.checkout(START, "=1+1");
        app.hear(&odd).await;
        let link = app.get("/payments/admin/subscriptions?status=active").await.body;
        assert!(link.contains("subscriptions.csv?status=active"), "{link}");
        let file = app.get("/payments/admin/subscriptions.csv?status=active").await;
        let lines: Vec<&str> = file.body.trim_start_matches('\u{FEFF}').lines().collect();
        assert_eq!(lines.len(), 3, "{}", file.body);
        assert!(lines[0].starts_with("created,token,gateway_ref,variant,status,owner,"), "{}", lines[0]);
        assert!(lines[1].contains(",sub_odd,stripe,active,'=1+1,jenny.rosen@example.com,cus_F1EF46kBRDxh4Y,"), "{}", lines[1]);
        assert!(lines[2].contains(",user-0,") && lines[2].contains(",20.00,USD,2026-11-12T"), "{}", lines[2]);
        assert_eq!(app.get("/payments/admin/subscriptions.csv?status=odd").await.status, 409);
    }
}

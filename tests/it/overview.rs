//! Do the numbers of the overview add up, and does it say what is odd for as long as it is?

use actix_payments::domain::Timestamp;
use actix_payments::domain::payment::Status;
use actix_payments::domain::retry::Backoff;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::dummy::{self, Dummy, DummyEvent};
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{HandlerError, NewPayment, Unmatched, Variant};
use actix_web::http::Method;
use serde_json::Value;

use crate::app::{App, SECRET, on_both_databases};
use crate::asking::paid_at_stripe;
use crate::events::{changed, fixture};
use crate::scenes::{completed, completed_as, money, of_story};

const HOUR: i64 = 3_600;

/// A checkout of a story of its own, paid with so much.
fn paid(number: i64, token: &str, minor: i64, currency: &str, live: bool) -> String {
    changed(
        "checkout.session.completed",
        &[
            ("/id", format!("evt_{number}").into()),
            ("/livemode", live.into()),
            ("/data/object/id", format!("cs_{number}").into()),
            ("/data/object/payment_intent", format!("pi_{number}").into()),
            ("/data/object/client_reference_id", token.into()),
            ("/data/object/amount_total", minor.into()),
            ("/data/object/amount_subtotal", minor.into()),
            ("/data/object/currency", currency.into()),
        ],
    )
}

/// A part of what a story paid goes back.
fn refunded(number: i64, of: i64, minor: i64, currency: &str, live: bool) -> String {
    let numbers = [("amount", of), ("amount_captured", of), ("amount_refunded", minor)];
    let mut changes: Vec<(String, Value)> =
        numbers.map(|(name, value)| (format!("/data/object/{name}"), value.into())).to_vec();
    let texts =
        [("id", format!("ch_{number}")), ("payment_intent", format!("pi_{number}")), ("currency", currency.into())];
    changes.extend(texts.map(|(name, value)| (format!("/data/object/{name}"), value.into())));
    changes.extend([("/id".into(), format!("evt_re_{number}").into()), ("/livemode".into(), live.into())]);
    let changes: Vec<(&str, Value)> = changes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    changed("charge.refunded.partial", &changes)
}

impl App {
    pub(crate) async fn overview(&self) -> String {
        let answer = self.get("/payments/admin/").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// The numbers of these tiles.
    async fn tiles<const N: usize>(&self, names: [&str; N]) -> [String; N] {
        let page = self.overview().await;
        let number = |name: &str| {
            let (_, rest) =
                page.split_once(&format!(">{name}</a> <strong>")).unwrap_or_else(|| panic!("{name} in {page}"));
            rest.split_once('<').unwrap().0.to_owned()
        };
        names.map(number)
    }

    /// What the page says of money: real money and test money, paid / refunded.
    async fn money(&self) -> Vec<String> {
        let page = self.overview().await;
        let Some((_, table)) = page.split_once("Refunded</th></tr></thead>") else { return Vec::new() };
        let table = table.split_once("</table>").unwrap().0;
        let plain = |html: &str| {
            let texts = html.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
            texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
        };
        table.split("</tr>").map(plain).filter(|row| !row.is_empty()).collect()
    }

    /// The lines about what is odd.
    async fn odd(&self) -> Vec<String> {
        let page = self.overview().await;
        let lines = page.split_once("id=\"attention\"").unwrap().1.split_once("</section>").unwrap().0;
        lines.split("<bdi>").skip(1).map(|line| line.split_once('<').unwrap().0.to_owned()).collect()
    }

    async fn is_odd(&self, parts: &[&str]) {
        let odd = self.odd().await;
        let told = |part: &&str| odd.iter().any(|line| line.contains(*part));
        assert!(odd.len() == parts.len() && parts.iter().all(told), "{parts:?} in {odd:?}");
    }

    async fn forged(&self) {
        let body = r#"{"id":"evt_forged","type":"ping"}"#;
        let signature = sign_delivery("whsec_other", self.now(), body.as_bytes());
        let headers = [("stripe-signature", signature.as_str())];
        self.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes()).await;
        self.drain().await;
    }
}

on_both_databases! {
    async fn the_numbers_of_a_story_add_up(kind) {
        let app = App::new(kind).await;
        let euro = app.order().await.token;
        let yen = app.order_of(money(700, "JPY")).await.token;
        let test = app.order().await.token;
        let story = [paid(1, &euro, 4999, "eur", true), paid(2, &yen, 700, "jpy", true), paid(3, &test, 4999, "eur", false)];
        app.deliver(&story.each_ref().map(String::as_str)).await;
        app.deliver(&[&story[0], &story[0], &refunded(1, 4999, 1999, "eur", true), &refunded(2, 700, 200, "jpy", true)]).await;
        app.deliver(&[&fixture("payout.paid").to_string(), &fixture("charge.dispute.created").to_string()]).await;
        app.forged().await;
        let names = ["Waiting", "Parked", "Received", "Completed", "Discarded", "Rejected", "Duplicates"];
        assert_eq!(app.tiles(names).await, ["0", "1", "9", "5", "0", "1", "2"]);
        let expected = ["49.99 EUR 19.99 EUR", "700 JPY 200 JPY", "49.99 EUR test 0.00 EUR test"];
        assert_eq!(app.money().await, expected);
        let page = app.overview().await;
        assert!(page.contains("9 events were received, 6 completed or ignored, and 0 attempts failed"), "{page}");
        app.pass(24 * HOUR);
        assert_eq!((app.tiles(names).await, app.money().await.len()), (["0", "1", "0", "0", "0", "0", "0"].map(str::to_owned), 0));
        assert!(app.overview().await.contains("9 the day before"));
        let week = app.get("/payments/admin/?span=7d").await.body;
        assert!(week.contains("In the last 7 days, 9 events were received"), "{week}");
    }

    async fn what_ran_again_is_told_beside_what_completed_at_first(kind) {
        let plain = App::new(kind).await;
        let told = App::with(kind, |b| b.on_event("*", "books", |_| std::future::ready(Ok::<_, HandlerError>(())))).await;
        for app in [plain, told] {
            let token = app.order().await.token;
            app.deliver(&[&paid(1, &token, 4999, "eur", true), &fixture("payout.paid").to_string()]).await;
            let before = app.tiles(["Received", "Completed"]).await;
            for event in [1, 1, 2] {
                assert_eq!(app.post(&format!("/payments/admin/events/{event}/requeue"), "").await.status, 303);
                app.drain().await;
            }
            assert_eq!((before[0].as_str(), app.tiles(["Received", "Completed"]).await), ("2", before.clone()));
            let page = app.overview().await;
            assert!(page.contains("2 events were received, 2 completed or ignored"), "{page}");
            assert!(page.contains("3 ran again"), "{page}");
        }
    }

    async fn an_alarm_about_refused_deliveries_leads_to_their_cause(kind) {
        let app = App::new(kind).await;
        app.forged().await;
        let page = app.overview().await;
        assert!(page.contains("<a href=\"/payments/admin/variants/stripe\">See why</a>"), "{page}");
        assert!(app.get("/payments/admin/variants/stripe").await.text().contains("signature_mismatch"));
    }

    async fn money_counts_once_however_often_its_event_runs(kind) {
        let app = App::with(kind, |b| {
            b.handler("fails", |_| async { Err(HandlerError::retry("not now")) }).backoff(Backoff::new().attempts(3))
        }).await;
        let token = app.order().await.token;
        app.deliver(&[&paid(1, &token, 4999, "eur", true)]).await;
        for _ in 0..2 {
            app.pass(HOUR);
            app.drain().await;
        }
        assert_eq!(app.events("discarded"), 1);
        app.make_available();
        app.drain().await;
        assert_eq!(app.money().await, ["49.99 EUR 0.00 EUR"]);
        assert_eq!(app.number("SELECT CAST(sum(amount) AS BIGINT) FROM pay_hours"), 4999);
        assert_eq!(app.number("SELECT CAST(sum(count) AS BIGINT) FROM pay_hours WHERE outcome IN ('retryable', 'discarded')"), 4);
    }

    async fn a_handler_that_undoes_its_event_undoes_its_money(kind) {
        let app = App::with(kind, |b| b.handler_in_transaction("refuses", |_, _| Err(HandlerError::retry("no")))).await;
        let token = app.order().await.token;
        app.deliver(&[&paid(1, &token, 4999, "eur", true)]).await;
        assert_eq!(app.money().await, Vec::<String>::new());
    }

    async fn an_adopted_payment_counts_and_does_not_count_again_when_it_is_absorbed(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let charge = changed("charge.succeeded", &[("/livemode", true.into())]);
        app.deliver(&[&charge]).await;
        app.pass(61);
        app.drain().await;
        assert_eq!(app.money().await, ["49.99 EUR 0.00 EUR"], "the account took it");
        let live = changed("checkout.session.completed", &[
            ("/livemode", true.into()),
            ("/data/object/client_reference_id", token.as_str().into()),
        ]);
        app.deliver(&[&live]).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE absorbed_by IS NOT NULL"), 1);
        assert_eq!(app.money().await, ["49.99 EUR 0.00 EUR"]);
    }

    async fn nothing_odd_is_said_in_words(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let page = app.overview().await;
        assert!(page.contains("All is well") && app.odd().await.is_empty(), "{page}");
        assert!(page.contains("No money moved") || page.contains("Refunded"), "{page}");
        assert!(page.contains("checkout.session.completed</bdi>"), "the variant's last event: {page}");
    }

    async fn events_that_nobody_takes_are_odd_until_a_worker_runs(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        assert_eq!(app.stripe(&completed(&token)).await.status, 200);
        app.is_odd(&[]).await;
        app.pass(301);
        app.is_odd(&["1 event waited for longer than 5 minutes, due since 5 min ago. Does a worker run?"]).await;
        assert!(app.overview().await.contains("<p class=\"oldest\">"));
        app.drain().await;
        app.is_odd(&[]).await;
    }

    async fn a_wrong_secret_is_told_from_a_single_forgery(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.forged().await;
        app.is_odd(&["stripe: 1 delivery rejected, and none accepted since (signature_mismatch). Likely: the signing secret"]).await;
        app.pass(1);
        app.deliver(&[&completed(&token)]).await;
        app.is_odd(&["stripe: 1 delivery rejected beside good ones, the last just now (signature_mismatch)"]).await;
        app.pass(1);
        app.forged().await;
        app.is_odd(&["stripe: 2 deliveries rejected, and none accepted since"]).await;
        app.pass(25 * HOUR);
        app.is_odd(&[]).await;
    }

    async fn what_we_send_ourselves_silences_no_alarm(kind) {
        let app = App::new(kind).await;
        app.forged().await;
        app.pass(1);
        let now = Timestamp::from_unix_timestamp(app.now()).unwrap();
        let test = Stripe::new(SECRET).test_delivery("evt_test_1", now).unwrap();
        let headers = test.headers.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap()));
        let headers: Vec<_> = headers.collect();
        assert_eq!(app.request(Method::POST, "/payments/stripe/", &headers, &test.body).await.status, 200);
        app.drain().await;
        assert_eq!(app.events("ignored"), 1, "{:?}", app.outcomes());
        app.is_odd(&["stripe: 1 delivery rejected, and none accepted since (signature_mismatch)"]).await;
        assert!(!app.counters().iter().any(|counted| counted.contains("received")), "{:?}", app.counters());
    }

    async fn an_answer_that_we_asked_for_silences_no_alarm(kind) {
        let (app, _fake, token) = paid_at_stripe(kind).await;
        app.forged().await;
        app.pass(1);
        assert_eq!(app.payments.catch_up(&token).await.unwrap().status, Status::Paid);
        app.is_odd(&["stripe: 1 delivery rejected, and none accepted since (signature_mismatch)"]).await;
    }

    async fn what_was_given_up_is_odd_until_somebody_requeues_it_or_discards_it_on_purpose(kind) {
        let app = App::new(kind).await;
        let broken = changed("charge.succeeded", &[("/data/object/amount", "?".into())]);
        app.deliver(&[&broken]).await;
        assert_eq!(app.events("discarded"), 1, "{:?}", app.outcomes());
        app.is_odd(&["stripe: 1 event of charge.succeeded given up, the last just now"]).await;
        app.pass(25 * HOUR);
        app.is_odd(&["stripe: 1 event of charge.succeeded given up"]).await;
        assert_eq!(app.post("/payments/admin/events/1/requeue", "").await.status, 303);
        app.is_odd(&[]).await;
        app.drain().await;
        app.is_odd(&["stripe: 1 event of charge.succeeded given up"]).await;
        assert_eq!(app.post("/payments/admin/events/1/discard", "").await.status, 303);
        app.is_odd(&[]).await;
        let outcome = app.outcomes().remove(0);
        assert!(outcome.starts_with("discarded: discarded by admin; before: discarded: "), "{outcome}");
        let again = app.post("/payments/admin/events/1/discard", "").await;
        assert!(again.status == 409 && again.text().contains("It is discarded already"), "{}", again.text());
    }

    async fn payments_without_events_are_odd_until_one_comes(kind) {
        let app = App::new(kind).await;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(app.order().await.token);
        }
        app.is_odd(&[]).await;
        app.pass(HOUR + 60);
        app.is_odd(&["stripe: payments were created, but no event ever came. Is the address set?"]).await;
        app.deliver(&[&completed(&tokens[0])]).await;
        app.is_odd(&[]).await;
        app.pass(HOUR + 60);
        app.is_odd(&[]).await;
    }

    async fn what_needs_review_is_odd(kind) {
        let app = App::new(kind).await;
        let token = app.order_of(money(100, "EUR")).await.token;
        app.deliver(&[&completed_as(1, &token)]).await;
        app.is_odd(&["1 payment needs review."]).await;
    }

    async fn an_authorization_that_is_about_to_end_is_odd_until_it_is_captured(kind) {
        let app = App::bare(kind, |builder| builder.variant("dummy", Dummy::new("secret"))).await;
        let _ = app.payments.mount("/payments");
        let token = app.payments.create(NewPayment::new("dummy", money(4999, "EUR"))).await.unwrap().payment.token;
        app.dummy_says(&DummyEvent::new("de_1", dummy::Kind::Authorized, &token, money(4999, "EUR"))).await;
        app.pass(5 * 24 * HOUR);
        assert_eq!(app.odd().await, [""; 0]);
        app.pass(60);
        app.is_odd(&["1 payment is still authorized, the oldest 5 days ago, and may expire soon: capture or cancel."]).await;
        app.pass(2 * 24 * HOUR);
        app.is_odd(&["1 payment is still authorized, the oldest 12 Oct 2026, which has probably expired: capture or cancel."])
            .await;
        app.payments.capture(&token, None).await.unwrap();
        assert_eq!(app.odd().await, [""; 0]);
    }

    async fn what_is_parked_without_end_is_odd_after_a_day(kind) {
        let app = App::bare(kind, |b| b.variant("stripe", Variant::new(Stripe::new(SECRET)).unmatched(Unmatched::Park))).await;
        let token = app.order().await.token;
        app.deliver(&[&of_story("charge.succeeded", 1, "x")]).await;
        app.is_odd(&[]).await;
        app.pass(25 * HOUR);
        app.is_odd(&["1 event parked, the first 1 day ago: no payment here bears their references."]).await;
        app.deliver(&[&of_story("checkout.session.completed", 1, &token), &of_story("payment_intent.succeeded", 1, "x")]).await;
        app.is_odd(&[]).await;
    }

    async fn the_daily_counts_of_an_older_release_are_taken_over(kind) {
        let app = App::new(kind).await;
        app.run("DROP TABLE pay_hours");
        app.run("DELETE FROM pay_migrations WHERE name = '0003_hours'");
        app.run("INSERT INTO pay_counters (variant, day, outcome, count) VALUES ('stripe', '2026-10-10', 'received', 41)");
        app.payments.migrate().await.unwrap();
        app.deliver(&[r#"{"id":"evt_1","type":"ping"}"#]).await;
        let month = app.get("/payments/admin/?span=30d").await.body;
        assert!(month.contains("In the last 30 days, 42 events were received"), "{month}");
        assert!(month.contains("10 Oct 2026 UTC: 41 received"), "{month}");
        let same_hour = "SELECT count(*) FROM pay_hours WHERE outcome = 'received'";
        assert_eq!(app.number(same_hour), 2);
    }
}

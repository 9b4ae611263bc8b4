//! Is Square read as Square's own libraries read it, and asked as they ask?

use std::collections::BTreeMap;

use actix_payments::domain::fact::{Aspect, Fact};
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::payment::{Status, Terms, captures, derive, movements};
use actix_payments::gateways::square::Square;
use actix_payments::gateways::{Call, Gateway, GatewayError, Started, Verb};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Company, Stands, assert_as_recorded, base64, call, ends, events, hmac_sha256, ok, order, story, told};
use crate::app::{NOW, on_both_databases};
use crate::companies;
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

const ADDRESS: &str = "https://shop.example/payments/square/";

pub struct Of;

impl Company for Of {
    type Gateway = Square;
    const NAME: &'static str = "square";
    const SECRET: &'static str = "hidden signature key";

    fn gateway() -> Square {
        Square::new(Self::SECRET, ADDRESS)
    }

    fn signed(body: &str, _: &str) -> (Vec<(&'static str, String)>, String) {
        let signature = hmac_sha256(Self::SECRET.as_bytes(), format!("{ADDRESS}{body}").as_bytes());
        (vec![("x-square-hmacsha256-signature", base64(&signature))], body.to_owned())
    }

    fn of(body: &str, token: &str) -> String {
        body.replace("order-10042", token)
    }
}

#[test]
fn every_recorded_delivery_is_answered_as_it_should_be() {
    companies::answers_as_recorded("square", 24, &[], |vector| {
        let config = &vector["config"];
        Square::new(config["signature_key"].as_str().unwrap(), config["notification_url"].as_str().unwrap())
    });
}

#[test]
fn every_fixture_states_its_facts() {
    companies::every_fixture_states_its_facts::<Of>();
}

#[test]
fn the_kinds_to_tick_are_those_that_state_facts() {
    companies::the_kinds_to_tick_state_facts::<Of>(&[]);
}

#[actix_web::test]
async fn it_keeps_the_promises() {
    companies::keeps_the_promises::<Of>().await;
    companies::a_test_event_is_genuine::<Of>();
}

proptest! {
    #[test]
    fn no_order_makes_another_ledger(by: u64) {
        companies::no_order_makes_another_ledger::<Of>(by);
    }

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, cut in 0..2000usize, seed in 0..4096usize) {
        companies::no_bytes_make_it_panic::<Of>(&body, cut, seed);
    }
}

#[test]
fn what_cannot_work_is_refused_in_words_and_never_shown() {
    let refused = |square: Square| square.check().unwrap_err();
    assert!(refused(Square::new(" ", ADDRESS)).contains("signing secret"));
    assert!(refused(Square::new("k", "")).contains("notification URL"));
    assert!(refused(Of::gateway().notification_url("shop.example")).contains("notification URL"));
    assert!(refused(Of::gateway().access_token("t", "")).contains("location"));
    assert!(refused(Of::gateway().access_token("", "L1")).contains("API key of Square"));
    assert!(!format!("{:?}", Square::new("hidden", ADDRESS).access_token("hidden", "L1")).contains("hidden"));
}

#[test]
fn a_delivery_is_genuine_for_each_address_that_is_configured() {
    let moving = Square::new(Of::SECRET, "https://shop.example/new/").notification_url(ADDRESS);
    let delivery = companies::delivery::<Of>(&events::<Of>()["payment.created"], "");
    assert!(companies::verify(&moving, &delivery, NOW).is_ok());
    let moved = Square::new(Of::SECRET, "https://shop.example/new/");
    assert!(companies::verify(&moved, &delivery, NOW).is_err());
}

/// A fixture with other values of its object.
fn changed(name: &str, object: &str, values: Value) -> (String, String) {
    let mut event: Value = serde_json::from_str(&events::<Of>()[name]).unwrap();
    for (field, value) in values.as_object().unwrap() {
        event["data"]["object"][object][field] = value.clone();
    }
    event["event_id"] = format!("{name}-{values}").into();
    (format!("{name} {values}"), event.to_string())
}

#[test]
fn what_square_keeps_is_told_some_time_after_the_completion() {
    let fees = |parts: Value| {
        let (name, body) =
            changed("payment.updated", "payment", json!({"status": "COMPLETED", "processing_fee": parts}));
        let facts = companies::understand::<Of>(&name, &body).facts.into_iter();
        facts.filter(|fact| fact.aspect == Aspect::Fee).filter_map(|fact| fact.amount).collect::<Vec<_>>()
    };
    let part = |minor: i64| json!({"type": "INITIAL", "amount_money": {"amount": minor, "currency": "EUR"}});
    assert_eq!(fees(json!([part(175)])), [175]);
    assert_eq!(fees(json!([part(175), part(-25)])), [150], "an adjustment");
    let mut dated = part(175);
    dated["effective_at"] = json!("2026-10-12T08:00:00.000Z");
    let (name, body) = changed("payment.updated", "payment", json!({"status": "COMPLETED", "processing_fee": [dated]}));
    let facts = companies::understand::<Of>(&name, &body).facts;
    let taken = facts.iter().find(|fact| fact.aspect == Aspect::Fee).unwrap().since;
    assert_eq!(taken, Some(time::macros::datetime!(2026-10-12 08:00 UTC)));
    for none in [json!(null), json!([]), json!([{"amount_money": {"amount": "much"}}]), json!("much")] {
        assert_eq!(fees(none.clone()), [0; 0], "{none}");
    }
}

const PAID: Stands = (Status::Paid, 4999, 0, false);

/// A refund in the property below.
#[derive(Debug, Clone)]
struct Refunded {
    minor: i64,
    fails: bool,
    /// How many seconds Square's clock for refunds is ahead of that for payments when it is made and when it is decided.
    ahead: (i64, i64),
    /// Whether none of its events come.
    is_lost: bool,
    /// Whether the payment's events come that show it pending and decided.
    is_shown: (bool, bool),
}

impl Refunded {
    fn completed(&self) -> i64 {
        if self.fails { 0 } else { self.minor }
    }
}

fn refunds() -> impl Strategy<Value = Vec<Refunded>> {
    let one = (1..1500_i64, any::<bool>(), (-3..4_i64, -3..4_i64), any::<bool>(), any::<(bool, bool)>());
    let one =
        one.prop_map(|(minor, fails, ahead, is_lost, is_shown)| Refunded { minor, fails, ahead, is_lost, is_shown });
    proptest::collection::vec(one, 1..4)
}

/// The facts that come of a payment's refunds, one after the other: the payment is shown once each is pending, and once
/// it is decided.
fn facts_of(refunds: &[Refunded], counts_pending: bool) -> Vec<Fact> {
    let time = |seconds: i64| companies::at(1_791_795_200 + seconds).format(&Rfc3339).unwrap();
    let mut bodies = vec![changed("payment.updated", "payment", json!({}))];
    let (mut total, mut version, mut ids) = (0, 10, Vec::new());
    for (refund, n) in refunds.iter().zip(1_i64..) {
        let (made, decided) = (n * 100, n * 100 + 50);
        let of = |status: &str, at: i64| {
            json!({"id": format!("R{n}"), "status": status, "created_at": time(made + refund.ahead.0), "updated_at": time(at),
                "amount_money": {"amount": refund.minor, "currency": "EUR"}})
        };
        let end = if refund.fails { "FAILED" } else { "COMPLETED" };
        if !refund.is_lost {
            bodies.push(changed("refund.created", "refund", of("PENDING", made + refund.ahead.0)));
            bodies.push(changed("refund.updated", "refund", of(end, decided + refund.ahead.1)));
        }
        ids.push(format!("R{n}"));
        let pending = total + if counts_pending { refund.minor } else { 0 };
        total += refund.completed();
        for (is_shown, total, at) in [(refund.is_shown.0, pending, made), (refund.is_shown.1, total, decided)] {
            version += 1;
            let refunded = json!({"amount": total, "currency": "EUR"});
            let values =
                json!({"refunded_money": refunded, "refund_ids": ids, "updated_at": time(at), "version": version});
            bodies.extend(is_shown.then(|| changed("payment.updated.partially_refunded", "payment", values)));
        }
    }
    bodies.iter().flat_map(|(name, body)| companies::understand::<Of>(name, body).facts).collect()
}

/// The least and the most that was refunded as far as it can be known: one amount, but where a payment was last shown
/// while a refund was pending, and does not count it yet. What it shows may then be of this refund or of earlier ones.
fn knowable(refunds: &[Refunded], counts_pending: bool) -> (i64, i64) {
    let last = refunds.iter().rposition(|refund| refund.is_shown.0 || refund.is_shown.1);
    let later = refunds.iter().skip(last.map_or(0, |at| at + 1)).filter(|refund| !refund.is_lost);
    let later: i64 = later.map(Refunded::completed).sum();
    let Some(at) = last else { return (later, later) };
    let (earlier, it) = (refunds[..at].iter().map(Refunded::completed).sum::<i64>(), &refunds[at]);
    let (least, most) = match (it.is_shown.1, it.is_lost) {
        (true, _) => (it.completed(), it.completed()),
        (false, true) if counts_pending => (it.minor, it.minor),
        (false, true) => (0, 0),
        (false, false) if counts_pending => (it.completed(), it.completed()),
        (false, false) if it.fails => (-it.minor.min(earlier), 0),
        (false, false) => (0, it.minor),
    };
    (earlier + least + later, earlier + most + later)
}

proptest! {
    #[test]
    fn refunds_count_once_by_their_events_or_by_the_payment_in_every_order_and_repetition(
        (refunds, counts_pending, by) in (refunds(), any::<bool>(), any::<u64>())
    ) {
        let facts = facts_of(&refunds, counts_pending);
        let mut order: Vec<usize> = (0..facts.len()).chain(0..facts.len()).collect();
        order.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(by | 1).rotate_left(17));
        let ledger = Ledger::from_facts(order.into_iter().map(|at| facts[at].clone()));
        let state = derive(Terms::Agreed(money(4999, "EUR")), &ledger);
        let (least, most) = knowable(&refunds, counts_pending);
        prop_assert_eq!(state.captured, 4999);
        prop_assert!((least..=most).contains(&state.refunded), "{} to {}: {:?}", least, most, state);
        let left = captures(&ledger, state.amount.currency);
        prop_assert_eq!(left.iter().map(|capture| capture.remaining).sum::<i64>(), 4999 - state.refunded);
        let gone: i64 = movements(&ledger, state.amount.currency).iter().map(|one| one.amount).sum();
        prop_assert_eq!(gone, 4999 - state.refunded);
    }
}

on_both_databases! {
    async fn a_payment_is_approved_and_completed_in_any_order(kind) {
        let eur = money(4999, "EUR");
        ends::<Of>(kind, eur, story::<Of>(&["payment.created"]), (Status::Authorized, 0, 0, false)).await;
        ends::<Of>(kind, eur, story::<Of>(&["payment.created", "payment.updated"]), PAID).await;
        for (name, status) in [("payment.updated.canceled", Status::Canceled), ("payment.updated.failed", Status::Failed)] {
            // Square dates both alike, and only the version says which is later.
            ends::<Of>(kind, eur, story::<Of>(&["payment.created", name]), (status, 0, 0, false)).await;
        }
    }

    async fn a_payment_that_was_stored_without_the_version_is_the_same(kind) {
        let (app, payment) = told::<Of>(kind, money(4999, "EUR"), &story::<Of>(&["payment.updated"])).await;
        let same = async || app.payments.rebuild(&payment.token).await.unwrap().same;
        assert!(same().await);
        // As a release stored it that did not read the version.
        app.run(match kind {
            Kind::Sqlite => "UPDATE pay_ledger SET occurred_at = substr(occurred_at, 1, 23) || substr(occurred_at, 27)",
            Kind::Postgres => "UPDATE pay_ledger SET occurred_at = date_trunc('milliseconds', occurred_at)",
        });
        assert!(same().await);
        app.run("UPDATE pay_ledger SET occurred_at = '2026-10-12 08:00:00+00:00'");
        assert!(!same().await, "another time is another fact");
    }

    async fn a_tip_is_more_than_was_asked_for(kind) {
        let tip = json!({"total_money": {"amount": 5499, "currency": "EUR"}, "tip_money": {"amount": 500, "currency": "EUR"}});
        let all = vec![changed("payment.updated", "payment", tip)];
        ends::<Of>(kind, money(4999, "EUR"), all, (Status::Paid, 5499, 0, false)).await;
    }

    async fn a_refund_counts_once_it_is_completed(kind) {
        let eur = money(4999, "EUR");
        ends::<Of>(kind, eur, story::<Of>(&["payment.updated", "refund.created"]), PAID).await;
        let part = ["payment.updated", "refund.created", "refund.updated", "payment.updated.partially_refunded"];
        ends::<Of>(kind, eur, story::<Of>(&part), (Status::PartiallyRefunded, 4999, 1999, false)).await;
        let failed = ["payment.updated", "refund.created", "refund.updated.failed"];
        ends::<Of>(kind, eur, story::<Of>(&failed), PAID).await;
    }

    async fn a_refund_of_which_no_event_came_shows_in_the_payment_and_none_counts_twice(kind) {
        let (eur, name) = (money(4999, "EUR"), "payment.updated.partially_refunded");
        let partly = (Status::PartiallyRefunded, 4999, 1999, false);
        ends::<Of>(kind, eur, story::<Of>(&["payment.updated", name]), partly).await;
        ends::<Of>(kind, eur, story::<Of>(&[name]), partly).await;
        ends::<Of>(kind, eur, story::<Of>(&[name, "refund.updated"]), partly).await;
        ends::<Of>(kind, eur, story::<Of>(&[name, "refund.created", "refund.updated.failed"]), PAID).await;
        // It is not the one that failed.
        let other = changed(name, "payment", json!({"refund_ids": ["another"]}));
        let failed = story::<Of>(&["refund.created", "refund.updated.failed"]);
        ends::<Of>(kind, eur, [vec![other], failed].concat(), partly).await;
        // It comes to nothing again, and only the payment says so.
        let (later, none) = ("2026-10-14T08:53:20.27Z", json!(null));
        for nothing in [none, json!({"amount": 0, "currency": "EUR"})] {
            let values = json!({"updated_at": later, "version": 4, "refunded_money": nothing});
            let all = vec![story::<Of>(&[name]).remove(0), changed(name, "payment", values)];
            ends::<Of>(kind, eur, all, PAID).await;
        }
        let (app, payment) = told::<Of>(kind, eur, &story::<Of>(&[name, "refund.updated"])).await;
        let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
        assert!(page.contains("payment completed, 19.99 EUR refunded so far: 49.99 EUR"), "{page}");
        assert_eq!(app.texts("SELECT kind || ' ' || amount AS t FROM pay_movements ORDER BY amount"), ["refund -1999", "capture 4999"]);
        // As a release stored it that did not read the total.
        app.run("DELETE FROM pay_ledger WHERE register = 'refund_total'");
        assert!(app.payments.rebuild(&payment.token).await.unwrap().same);
    }

    async fn a_payment_whose_refunds_cannot_be_read_is_paid_all_the_same(kind) {
        for odd in [json!({"amount": 1999}), json!({"amount": "much", "currency": "EUR"}), json!({"amount": 1, "currency": "?"}), json!("much")] {
            let values = json!({"refunded_money": odd, "refund_ids": ["R1", 2]});
            let (app, payment) = told::<Of>(kind, money(4999, "EUR"), &[changed("payment.updated", "payment", values)]).await;
            assert_eq!((payment.status, payment.refunded.minor), (Status::Paid, 0));
            assert_eq!(app.texts("SELECT state AS t FROM pay_events"), ["completed"]);
        }
    }

    async fn a_page_shows_what_was_refunded_so_far_as_nothing_that_is_open(kind) {
        let (app, _) = told::<Of>(kind, money(4999, "EUR"), &story::<Of>(&["payment.updated.partially_refunded"])).await;
        let page = app.get("/payments/admin/events/1").await.text();
        assert!(page.contains("so far") && !page.contains(" open "), "{page}");
    }

    async fn a_dispute_ends_won_or_lost_whatever_comes_first(kind) {
        let eur = money(4999, "EUR");
        let begun = story::<Of>(&["payment.updated", "dispute.created"]);
        let (app, payment) = told::<Of>(kind, eur, &begun).await;
        assert!(payment.disputed);
        let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
        assert!(page.contains("dispute (NO_KNOWLEDGE) needs a response: 49.99 EUR"), "{page}");
        for (name, disputed) in [("dispute.state.updated.won", false), ("dispute.state.updated.lost", true)] {
            let mut all = begun.clone();
            all.push(changed(name, "dispute", json!({"updated_at": "2026-11-22T08:53:21.27Z"})));
            ends::<Of>(kind, eur, all, (Status::Paid, 4999, 0, disputed)).await;
        }
        let inquiry = changed("dispute.created", "dispute", json!({"state": "INQUIRY_EVIDENCE_REQUIRED"}));
        ends::<Of>(kind, eur, vec![begun[0].clone(), inquiry], PAID).await;
    }
}

fn asked(listener: &Listener) -> Square {
    Of::gateway().access_token("sq_1", "L1").api_base(&listener.address)
}

fn shown(status: &str, refunds: &str) -> Say {
    ok(format!(
        r#"{{"payment":{{"id":"pay_1","status":"{status}","order_id":"ord_1","total_money":{{"amount":4998,"currency":"EUR"}},
        "refunded_money":{{"amount":0,"currency":"EUR"}},"refund_ids":[{refunds}],"updated_at":"2026-10-12T09:00:00Z"}}}}"#
    ))
}

fn refund() -> Say {
    ok(
        r#"{"refund":{"id":"ref_1","status":"PENDING","payment_id":"pay_1","amount_money":{"amount":1999,"currency":"EUR"}}}"#,
    )
}

fn known(verb: Verb, aspect: Aspect, minor: Option<i64>) -> Call {
    let call = call(verb, &["LINK1", "ord_1", "pay_1"], minor.map(|minor| money(minor, "EUR")));
    with(call, |it| {
        it.aspects = BTreeMap::from([("pay_1".into(), aspect)]);
        it.reason = Some("broken".to_owned());
    })
}

#[actix_web::test]
async fn every_call_is_made_as_squares_library_makes_it() {
    let link = ok(r#"{"payment_link":{"id":"LINK1","order_id":"ord_1","url":"https://square.link/u/1"}}"#);
    let listener = Listener::saying([link]);
    let request = with(order("EUR"), |it| it.customer = Some("mia@shop.example".to_owned()));
    let started = asked(&listener).start(&request).await.unwrap();
    let (url, gateway_refs) = ("https://square.link/u/1".to_owned(), vec!["LINK1".into(), "ord_1".into()]);
    assert_eq!(started, Started::Redirect { url, gateway_refs });
    assert_as_recorded("square", "checkout", &listener.heard()[0]);
    let cases = [
        (
            known(Verb::Capture, Aspect::Authorization, None),
            shown("COMPLETED", ""),
            "capture",
            "payment completed: 49.98 EUR",
        ),
        (
            known(Verb::Cancel, Aspect::Authorization, None),
            shown("CANCELED", ""),
            "cancel",
            "payment canceled: 49.98 EUR",
        ),
        (known(Verb::Refund, Aspect::Capture, Some(1999)), refund(), "refund", "refund pending: 19.99 EUR"),
    ];
    for (call, say, name, words) in cases {
        let listener = Listener::saying([say]);
        let events = asked(&listener).call(&call).await.unwrap();
        assert_eq!(
            (events[0].id.as_str(), companies::interpret(&Of::gateway(), &events[0]).summary.as_str()),
            ("op_1", words)
        );
        assert_as_recorded("square", name, &listener.heard()[0]);
    }
}

#[actix_web::test]
async fn all_that_is_left_is_refunded_and_a_part_is_not_completed() {
    let listener = Listener::saying([shown("COMPLETED", ""), refund()]);
    asked(&listener).call(&known(Verb::Refund, Aspect::Capture, None)).await.unwrap();
    assert_as_recorded("square", "show", &listener.heard()[0]);
    assert!(listener.heard()[1].body.contains(r#""amount":4998"#));
    let part = asked(&listener).call(&known(Verb::Capture, Aspect::Authorization, Some(1000))).await;
    assert!(matches!(part, Err(GatewayError::Declined(_))));
    // A repeated completion is refused, and was made.
    let refusal =
        r#"{"errors":[{"category":"INVALID_REQUEST_ERROR","code":"BAD_REQUEST","detail":"already completed"}]}"#;
    let refused = Say::Answer(400, vec![], refusal.to_owned());
    let listener = Listener::saying([refused.clone(), shown("COMPLETED", "")]);
    assert!(asked(&listener).call(&known(Verb::Capture, Aspect::Authorization, None)).await.is_ok());
    let listener = Listener::saying([refused, shown("FAILED", "")]);
    let declined = asked(&listener).call(&known(Verb::Capture, Aspect::Authorization, None)).await;
    assert_eq!(declined, Err(GatewayError::Declined("400 BAD_REQUEST: already completed".to_owned())));
}

#[actix_web::test]
async fn a_refresh_reports_the_payment_of_an_order_and_its_refunds() {
    let listener = Listener::answering(|heard| match heard.path.as_str() {
        "/v2/orders/ord_1" => ok(r#"{"order":{"id":"ord_1","tenders":[{"id":"pay_1","payment_id":"pay_1"}]}}"#),
        "/v2/payments/pay_1" => shown("COMPLETED", "\"ref_1\""),
        "/v2/refunds/ref_1" => refund(),
        "/v2/disputes/dp_1" => ok(r#"{"dispute":{"id":"dp_1","state":"LOST","disputed_payment":{"payment_id":"pay_1"},
            "amount_money":{"amount":4998,"currency":"EUR"},"updated_at":"2026-11-12T09:00:00Z"}}"#),
        _ => Say::Answer(404, vec![], String::new()),
    });
    let refresh = with(call(Verb::Refresh, &["ord_1"], None), |it| {
        it.aspects = BTreeMap::from([("dp_1".into(), Aspect::Dispute)]);
    });
    let events = asked(&listener).call(&refresh).await.unwrap();
    let said: Vec<_> = events.iter().map(|event| companies::interpret(&Of::gateway(), event).summary).collect();
    assert_eq!(said, ["payment completed: 49.98 EUR", "refund pending: 19.99 EUR", "dispute was lost: 49.98 EUR"]);
    for (name, heard) in ["order", "show", "show_refund", "dispute"].iter().zip(listener.heard()) {
        assert_as_recorded("square", name, &heard);
    }
}

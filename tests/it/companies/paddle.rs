//! Is Paddle read as Paddle's own libraries read it, and asked as they ask?

use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::{SubscriptionFacts, SubscriptionStatus};
use actix_payments::gateways::paddle::Paddle;
use actix_payments::gateways::subscriptions::SubscriptionVerb;
use actix_payments::gateways::{CaptureMethod, Gateway, GatewayError, Started, Verb};
use proptest::prelude::*;

use super::{Company, Stands, assert_as_recorded, call, ends, events, hex, hmac_sha256, ok, order, story, told};
use crate::app::{NOW, on_both_databases};
use crate::companies;
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

pub struct Of;

impl Company for Of {
    type Gateway = Paddle;
    const NAME: &'static str = "paddle";
    const SECRET: &'static str = "pdl_ntfset_hidden";

    fn gateway() -> Paddle {
        Paddle::new(Self::SECRET)
    }

    fn signed(body: &str, _: &str) -> (Vec<(&'static str, String)>, String) {
        let signature = hex(&hmac_sha256(Self::SECRET.as_bytes(), format!("{NOW}:{body}").as_bytes()));
        (vec![("paddle-signature", format!("ts={NOW};h1={signature}"))], body.to_owned())
    }

    fn of(body: &str, token: &str) -> String {
        body.replace("\"payment_id\": \"42\"", &format!("\"payment_token\": \"{token}\""))
            .replace("\"payment_id\":\"42\"", &format!("\"payment_token\":\"{token}\""))
    }
}

#[test]
fn every_recorded_delivery_is_answered_as_it_should_be() {
    // Its libraries take a blank secret and a plus sign; of an unknown part of the header, which one of them refuses
    // and the other passes over, nothing is said.
    let but_for = ["secret_empty", "ts_plus", "unknown_key"];
    companies::answers_as_recorded("paddle", 31, &but_for, |vector| {
        let config = &vector["config"];
        let secrets = config["secrets"].as_array().cloned().unwrap_or_default();
        let paddle = Paddle::new(config["secret"].as_str().unwrap());
        secrets
            .iter()
            .zip(0..)
            .fold(paddle, |paddle, (secret, n)| paddle.secret(format!("old {n}"), secret.as_str().unwrap()))
    });
}

#[test]
fn every_fixture_states_its_facts() {
    companies::every_fixture_states_its_facts::<Of>();
}

#[test]
fn the_kinds_to_tick_are_those_that_state_facts() {
    companies::the_kinds_to_tick_state_facts::<Of>(&companies::kinds::paddles());
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
    fn no_bytes_make_it_panic(body: Vec<u8>, cut in 0..3000usize, seed in 0..4096usize) {
        companies::no_bytes_make_it_panic::<Of>(&body, cut, seed);
    }
}

#[test]
fn what_cannot_work_is_refused_in_words_and_never_shown() {
    let refused = |paddle: Paddle| paddle.check().unwrap_err();
    assert!(refused(Paddle::new(" ")).contains("signing secret"));
    assert!(refused(Paddle::new("hidden\n")).contains("line break"));
    assert!(refused(Of::gateway().api_key("")).contains("API key of Paddle"));
    assert!(refused(Of::gateway().api_key("k").api_base("http://evil.example")).contains("https://"));
    assert!(!format!("{:?}", Paddle::new("hidden").api_key("hidden")).contains("hidden"));
    assert_eq!(Of::gateway().live().api_key("pdl_live_apikey_1").check(), Ok(()));
}

#[test]
fn a_free_transaction_and_one_that_waits_for_the_customer_say_so() {
    let ready = &events::<Of>()["transaction.completed"];
    let free = ready.replace("\"grand_total\": \"4999\"", "\"grand_total\": \"0\"");
    let free = free.replace("\"grand_total\":\"4999\"", "\"grand_total\":\"0\"");
    assert_eq!(
        companies::understand::<Of>("free", &free).summary,
        "transaction completed, nothing was to be paid: 0.00 EUR"
    );
    let waiting = &events::<Of>()["transaction.payment_failed"];
    let waiting = waiting
        .replace("\"error\"", "\"action_required\"")
        .replace("transaction.payment_failed", "transaction.updated");
    let said = companies::understand::<Of>("waiting", &waiting);
    assert_eq!(said.summary, "transaction waits for the customer: 49.99 EUR");
}

/// The fixture with another time.
fn later(name: &str, time: &str) -> (String, String) {
    let body = events::<Of>()[name].replace("2026-10-12T08:53:19.621022Z", time);
    (name.to_owned(), body)
}

const PAID: Stands = (Status::Paid, 4999, 0, false);

on_both_databases! {
    async fn a_transaction_is_paid_in_any_order(kind) {
        let names = ["transaction.created", "transaction.ready", "transaction.billed", "transaction.paid", "transaction.completed"];
        ends::<Of>(kind, money(4999, "EUR"), story::<Of>(&names), PAID).await;
        // The price before tax is the amount that was asked for.
        ends::<Of>(kind, money(4201, "EUR"), story::<Of>(&["transaction.completed"]), PAID).await;
    }

    async fn the_books_say_that_what_is_net_still_includes_the_tax(kind) {
        let (app, _) = companies::told::<Of>(kind, money(4999, "EUR"), &story::<Of>(&["transaction.completed"])).await;
        let mode = app.texts("SELECT DISTINCT mode AS t FROM pay_movements").remove(0);
        let page = async |of: &str| app.get(&format!("/payments/admin/books?mode={mode}&{of}")).await.text();
        let note = "includes the sales tax that the company behind a variant pays for you. This holds for: paddle.";
        let all = page("month=2026-10").await;
        assert!(all.contains("49.99 EUR 46.99 EUR net, rate 6.00 %") && all.contains(note), "{all}");
        for of in ["month=2026-10&variant=stripe", "month=2026-11"] {
            let other = page(of).await;
            assert!(!other.contains("sales tax"), "{of}: {other}");
        }
    }

    async fn an_attempt_fails_and_the_next_one_pays(kind) {
        let failed = story::<Of>(&["transaction.created", "transaction.payment_failed"]);
        ends::<Of>(kind, money(4999, "EUR"), failed, (Status::Failed, 0, 0, false)).await;
        // What comes later shows the attempt that failed.
        let (name, body) = story::<Of>(&["transaction.payment_failed"]).remove(0);
        let body = body.replace("transaction.payment_failed", "transaction.updated").replace("2026-10-12T08:53:19.6", "2026-10-12T08:53:19.9");
        let mut failed = story::<Of>(&["transaction.created", "transaction.payment_failed"]);
        failed.push((format!("{name} later"), body.replace("evt_", "evt_later_")));
        ends::<Of>(kind, money(4999, "EUR"), failed, (Status::Failed, 0, 0, false)).await;
        let paid = story::<Of>(&["transaction.ready", "transaction.payment_failed", "transaction.completed"]);
        ends::<Of>(kind, money(4999, "EUR"), paid, PAID).await;
        for (name, status) in [("transaction.canceled", Status::Canceled), ("transaction.past_due", Status::Pending)] {
            ends::<Of>(kind, money(4999, "EUR"), story::<Of>(&["transaction.created", name]), (status, 0, 0, false)).await;
        }
    }

    async fn a_refund_counts_once_it_is_approved(kind) {
        let eur = money(4999, "EUR");
        let waits = ["transaction.completed", "adjustment.created"];
        ends::<Of>(kind, eur, story::<Of>(&waits), PAID).await;
        let approved = ["transaction.completed", "adjustment.created", "adjustment.updated"];
        ends::<Of>(kind, eur, story::<Of>(&approved), (Status::PartiallyRefunded, 4999, 1999, false)).await;
        let rejected = ["transaction.completed", "adjustment.created", "adjustment.updated.rejected"];
        ends::<Of>(kind, eur, story::<Of>(&rejected), PAID).await;
    }

    async fn a_chargeback_takes_the_money_and_its_reversal_gives_it_back(kind) {
        let lost = story::<Of>(&["transaction.completed", "adjustment.created.chargeback"]);
        ends::<Of>(kind, money(4999, "EUR"), lost.clone(), (Status::Paid, 4999, 0, true)).await;
        let (app, payment) = told::<Of>(kind, money(4999, "EUR"), &lost).await;
        assert_eq!(payment.lost.minor, 1999);
        let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
        assert!(page.contains("chargeback: the bank took the money back: 19.99 EUR"), "{page}");
        // As recorded, both bear one id and one time.
        let mut won = lost.clone();
        won.extend(story::<Of>(&["adjustment.created.chargeback_reverse"]));
        ends::<Of>(kind, money(4999, "EUR"), won, PAID).await;
        let mut won = lost;
        won.push(later("adjustment.created.chargeback_reverse", "2026-10-20T08:53:19Z"));
        ends::<Of>(kind, money(4999, "EUR"), won, PAID).await;
    }

    async fn a_renewal_is_not_the_first_payment_again(kind) {
        let mut all = story::<Of>(&["transaction.completed"]);
        let renewal = events::<Of>()["transaction.completed.subscription"].replace("txn_01hv8wptq8987qeep44cyrewp9", "txn_renewal");
        all.push(("renewal".to_owned(), renewal));
        ends::<Of>(kind, money(4999, "EUR"), all, PAID).await;
    }

    async fn a_subscription_stands_alike_in_every_order(kind) {
        let owned = |(name, body): (String, String)| (name, body.replace("\"tenant\"", "\"owner\""));
        let begun = [("subscription.created", "2026-10-12T08:53:19Z"), ("subscription.past_due", "2026-11-12T09:00:00Z")];
        let mut all: Vec<_> = begun.map(|(name, time)| owned(later(name, time))).into();
        let past_due = companies::subscribed::<Of>(kind, "sub_01hv8x29kz0t586xy6zn1a62ny", &all).await;
        assert!(past_due.iter().all(|one| one.status() == SubscriptionStatus::PastDue), "{past_due:?}");
        let change = r#"{"action":"cancel","effective_at":"2026-11-12T08:53:18.5Z","resume_at":null}"#;
        let (name, body) = owned(later("subscription.updated", "2026-11-12T10:00:00Z"));
        let body = body.replace("\"scheduled_change\": null", &format!("\"scheduled_change\": {change}"));
        all.push((name, body.replace("\"scheduled_change\":null", &format!("\"scheduled_change\":{change}"))));
        for one in companies::subscribed::<Of>(kind, "sub_01hv8x29kz0t586xy6zn1a62ny", &all).await {
            assert_eq!((one.status(), one.owner()), (SubscriptionStatus::Active, Some("7")));
            assert_eq!(one.state.ends_at(), one.state.period.map(|period| period.end));
        }
        all.push(owned(later("subscription.canceled", "2026-11-12T10:30:00Z")));
        all.push(owned(later("subscription.resumed", "2026-11-12T11:00:00Z")));
        for one in companies::subscribed::<Of>(kind, "sub_01hv8x29kz0t586xy6zn1a62ny", &all).await {
            assert_eq!(one.status(), SubscriptionStatus::Canceled, "what ended does not come back");
        }
    }
}

fn asked(listener: &Listener) -> Paddle {
    Of::gateway().api_key("pdl_sdbx_apikey_1").api_base(&listener.address)
}

/// A transaction as the API shows it, with these adjustments.
fn transaction(adjustments: &str) -> Say {
    ok(format!(
        r#"{{"data":{{"id":"txn_1","status":"completed","currency_code":"EUR","updated_at":"2026-10-12T09:00:00Z",
        "checkout":{{"url":"https://shop.example/pay?_ptxn=txn_1"}},
        "details":{{"totals":{{"grand_total":"4998"}},"line_items":[{{"id":"txnitm_1","totals":{{"total":"4998"}}}}]}},
        "adjustments":[{adjustments}]}}}}"#
    ))
}

fn adjustment(reason: &str) -> String {
    format!(
        r#"{{"id":"adj_1","action":"refund","transaction_id":"txn_1","status":"approved","currency_code":"EUR",
        "reason":"{reason}","totals":{{"total":"1999"}},"items":[{{"item_id":"txnitm_1","amount":"1999"}}]}}"#
    )
}

#[actix_web::test]
async fn a_checkout_and_a_cancellation_are_asked_for_as_paddles_library_asks() {
    let listener = Listener::saying([transaction("")]);
    let started = asked(&listener).start(&order("EUR")).await.unwrap();
    let url = "https://shop.example/pay?_ptxn=txn_1".to_owned();
    assert_eq!(started, Started::Redirect { url, gateway_refs: vec!["txn_1".into()] });
    let events = asked(&listener).call(&call(Verb::Cancel, &["adj_1", "txn_1"], None)).await.unwrap();
    assert_eq!((events[0].id.as_str(), events[0].kind.as_str()), ("op_1", "transaction.answered"));
    let heard = listener.heard();
    assert_as_recorded("paddle", "checkout", &heard[0]);
    assert_as_recorded("paddle", "cancel", &heard[1]);
    let held = with(order("EUR"), |it| it.capture = CaptureMethod::Manual);
    assert!(matches!(asked(&listener).start(&held).await, Err(GatewayError::Declined(_))));
}

#[actix_web::test]
async fn a_refund_is_looked_for_before_it_is_made() {
    let made = ok(format!(r#"{{"data":{}}}"#, adjustment("refund op_1")));
    for (amount, name) in [(None, "refund_all"), (Some(money(1999, "EUR")), "refund_part")] {
        let listener = Listener::saying([transaction(""), made.clone()]);
        let events = asked(&listener).call(&call(Verb::Refund, &["txn_1"], amount)).await.unwrap();
        assert_eq!((events[0].id.as_str(), events[0].kind.as_str()), ("op_1", "adjustment.answered"));
        let [looked, sent]: [_; 2] = listener.heard().try_into().unwrap();
        assert_as_recorded("paddle", "show", &looked);
        assert_as_recorded("paddle", name, &sent);
    }
    // The first try got through after all.
    let listener = Listener::saying([transaction(&adjustment("refund op_1"))]);
    let events = asked(&listener).call(&call(Verb::Refund, &["txn_1"], None)).await.unwrap();
    let said = companies::interpret(&Of::gateway(), &events[0]);
    assert_eq!((said.summary.as_str(), listener.heard().len()), ("refund approved: 19.99 EUR", 1));
    // Of what another refund left.
    let listener = Listener::saying([transaction(&adjustment("refund op_0")), made.clone()]);
    asked(&listener).call(&call(Verb::Refund, &["txn_1"], None)).await.unwrap();
    assert!(listener.heard()[1].body.contains(r#""amount":"2999""#), "{}", listener.heard()[1].body);
    let listener = Listener::saying([transaction(&adjustment("refund op_0"))]);
    let too_much = asked(&listener).call(&call(Verb::Refund, &["txn_1"], Some(money(3000, "EUR")))).await;
    assert!(matches!(too_much, Err(GatewayError::Declined(_))), "{too_much:?}");
    // What a bank took back and gave back is there to be refunded, and a warning took nothing.
    let of = |action: &str| adjustment("x").replace("\"refund\"", &format!("\"{action}\""));
    let all = [of("chargeback"), of("chargeback_reverse"), of("chargeback_warning"), of("credit")].join(",");
    let listener = Listener::saying([transaction(&all), made.clone()]);
    asked(&listener).call(&call(Verb::Refund, &["txn_1"], Some(money(4998, "EUR")))).await.unwrap();
    assert!(listener.heard()[1].body.contains(r#""amount":"4998""#), "{}", listener.heard()[1].body);
    // A chargeback that is reversed both ways is not there twice.
    let reversed = of("chargeback").replace("approved", "reversed");
    let all = [adjustment("refund op_0"), reversed, of("chargeback_reverse")].join(",");
    let listener = Listener::saying([transaction(&all), made.clone()]);
    asked(&listener).call(&call(Verb::Refund, &["txn_1"], None)).await.unwrap();
    assert!(listener.heard()[1].body.contains(r#""amount":"2999""#), "{}", listener.heard()[1].body);
    // A refund that got no answer is not sent again by itself.
    let listener = Listener::saying([transaction(""), Say::Nothing]);
    let lost = asked(&listener).call(&call(Verb::Refund, &["txn_1"], None)).await;
    assert!(matches!(lost, Err(GatewayError::OutcomeUnknown(_))), "{lost:?}");
    assert_eq!(listener.heard().len(), 2);
}

#[actix_web::test]
async fn a_refresh_reports_the_transaction_and_its_adjustments() {
    let listener = Listener::saying([transaction(&adjustment("broken"))]);
    let events = asked(&listener).call(&call(Verb::Refresh, &["txn_1"], None)).await.unwrap();
    let said: Vec<_> = events.iter().map(|event| companies::interpret(&Of::gateway(), event).summary).collect();
    assert_eq!(said, ["transaction completed: 49.98 EUR", "refund approved: 19.99 EUR"]);
    assert_eq!(events[1].id, "op_1-2");
}

#[actix_web::test]
async fn its_events_are_listed_newest_first() {
    let listed = r#"{"data":[{"event_id":"evt_3","event_type":"transaction.paid","occurred_at":"2026-10-12T09:00:00Z","data":{}},
        {"event_id":"evt_2","event_type":"transaction.ready","occurred_at":"2026-10-01T09:00:00Z","data":{}}]}"#;
    let listener = Listener::saying([ok(listed)]);
    let [mut before] = <[_; 1]>::try_from(companies::received::<Of>("x", &events::<Of>()["transaction.paid"])).unwrap();
    before.id = "evt_1".to_owned();
    let page = asked(&listener).list(companies::at(NOW - 86_400), Some(&before)).await.unwrap();
    assert_eq!(page.events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["evt_3"]);
    assert!(!page.more);
    assert_as_recorded("paddle", "events", &listener.heard()[0]);
}

#[actix_web::test]
async fn a_subscription_is_asked_about_as_paddles_library_asks() {
    let shown = ok(r#"{"data":{"id":"sub_1","status":"active","items":[]}}"#);
    let cases = [
        (SubscriptionVerb::Cancel, "subscription_cancel"),
        (SubscriptionVerb::CancelAtEnd, "subscription_cancel_at_end"),
        (SubscriptionVerb::Resume, "subscription_resume"),
        (SubscriptionVerb::Refresh, "subscription_refresh"),
    ];
    for (verb, name) in cases {
        let listener = Listener::saying([shown.clone()]);
        let paddle = asked(&listener);
        let events = paddle.subscriptions().unwrap().call(&companies::subscription_call(verb, "sub_1")).await.unwrap();
        assert_eq!(companies::interpret(&paddle, &events[0]).summary, "subscription active");
        assert_as_recorded("paddle", name, &listener.heard()[0]);
    }
    let listener = Listener::saying([transaction("")]);
    let paddle = asked(&listener);
    let request = companies::subscription_request("pri_1");
    paddle.subscriptions().unwrap().subscribe(&request).await.unwrap();
    assert_as_recorded("paddle", "subscribe", &listener.heard()[0]);
}

#[test]
fn only_discount_and_credit_explain_a_free_transaction() {
    let body = events::<Of>()["transaction.completed"].replace("\"grand_total\":\"4999\"", "\"grand_total\":\"0\"");
    let face = |body: &str| companies::understand::<Of>("free", body).facts[0].face;
    assert_eq!(face(&body), Some(0));
    let totals = r#""totals":{"subtotal":"4201","discount":"0","tax":"798","total":"4999","credit":"0""#;
    assert!(body.contains(totals));
    assert_eq!(face(&body.replace(totals, &totals.replace("\"credit\":\"0\"", "\"credit\":\"4999\""))), Some(4201));
}

/// It was paid before the subscription became past due.
#[test]
fn a_refresh_of_an_old_transaction_is_no_payment_of_today() {
    let of = |name: &str| companies::received::<Of>(name, &events::<Of>()[name]).remove(0);
    let completed = of("transaction.completed.subscription");
    let answered_at = Some(companies::at(1_795_000_000));
    let answer = with(completed, |it| {
        it.kind = "transaction.answered".to_owned();
        it.occurred_at = answered_at;
    });
    let stated = [of("subscription.past_due"), answer].map(|event| companies::interpret(&Of::gateway(), &event));
    let facts = stated.into_iter().flat_map(|said| said.subscription.unwrap().facts);
    let state = SubscriptionFacts::of(facts).state();
    let invoice = state.last_invoice.as_ref().unwrap();
    // When its money was captured, not when the transaction last changed.
    assert_eq!((invoice.paid, invoice.paid_at), (true, Some(companies::at(1_791_795_198))));
    assert_eq!(state.doubt, None);
    assert!(!state.is_active(companies::at(1_800_000_000), std::time::Duration::from_secs(3 * 86_400)));
}

#[actix_web::test]
async fn a_refund_that_cannot_be_looked_for_is_not_made() {
    let refund = call(Verb::Refund, &["txn_1"], Some(money(1999, "EUR")));
    let long = format!("{} op_1", "long ".repeat(80));
    let listener = Listener::saying([transaction(&adjustment(&long))]);
    assert_eq!(asked(&listener).call(&refund).await.unwrap()[0].id, "op_1");
    for shown in [transaction("1"), ok(r#"{"data":{"id":"txn_1","details":{}}}"#)] {
        let listener = Listener::saying([shown]);
        let unseen = asked(&listener).call(&refund).await;
        assert!(matches!(unseen, Err(GatewayError::Unavailable(_))), "{unseen:?}");
    }
    let listener = Listener::saying([Say::Answer(404, vec![], String::new())]);
    let again = with(refund.clone(), |it| it.tries = 2);
    assert!(matches!(asked(&listener).call(&again).await, Err(GatewayError::Unavailable(_))));
    let listener = Listener::saying([transaction(""), ok(format!(r#"{{"data":{}}}"#, adjustment("x op_1")))]);
    let wordy = with(refund, |it| it.reason = Some("too\nlong ".repeat(80)));
    asked(&listener).call(&wordy).await.unwrap();
    let sent: serde_json::Value = serde_json::from_str(&listener.heard()[1].body).unwrap();
    let reason = sent["reason"].as_str().unwrap();
    assert!(reason.len() < 200 && reason.ends_with(" op_1") && !reason.contains('\n'), "{reason}");
}

#[actix_web::test]
async fn a_refused_cancellation_was_made_where_the_transaction_is_canceled() {
    let refused = || Say::Answer(400, vec![], r#"{"error":{"code":"transaction_immutable"}}"#.to_owned());
    let cancel = call(Verb::Cancel, &["txn_1"], None);
    let canceled = ok(r#"{"data":{"id":"txn_1","status":"canceled","currency_code":"EUR"}}"#);
    assert!(asked(&Listener::saying([refused(), canceled])).call(&cancel).await.is_ok());
    let not = asked(&Listener::saying([refused(), transaction("")])).call(&cancel).await;
    assert!(matches!(not, Err(GatewayError::Declined(_))), "{not:?}");
}

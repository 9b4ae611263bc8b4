//! Does Stripe hear from us what it hears from its own library, and do we understand what it says?

use actix_payments::domain::Timestamp;
use actix_payments::domain::event::Envelope;
use actix_payments::domain::money::{Currency, Money};
use actix_payments::gateways::stripe::Stripe;
use actix_payments::gateways::{Call, CaptureMethod, Gateway, GatewayError, LineItem, PaymentRequest, Started, Verb};
use actix_payments::{ErrorKind, NewPayment, Next};
use serde_json::{Value, json};

use super::fixtures;
use super::listener::{Heard, Listener, Say};
use crate::app::{App, on_both_databases};
use crate::scenes::{money, with};

const SESSION: &str = r#"{"id":"cs_test_1","object":"checkout.session","url":"https://checkout.stripe.com/c/pay/cs_test_1","payment_intent":null,"new_field":{"x":[1]}}"#;

fn ok(body: &str) -> Say {
    Say::Answer(200, vec![("content-type", "application/json".to_owned())], body.to_owned())
}

fn stripe(listener: &Listener) -> Stripe {
    Stripe::new("whsec_test").api_key("sk_test_123").api_base(&listener.address)
}

pub(super) fn recorded() -> Value {
    let text = std::fs::read_to_string(fixtures().join("vectors/stripe_api_requests.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn order() -> PaymentRequest {
    with(PaymentRequest::new("order-10042", Money::new(4998, Currency::EUR)), |it| {
        it.return_url = Some("https://shop.example/thanks?cs={CHECKOUT_SESSION_ID}".to_owned());
        it.cancel_url = Some("https://shop.example/cancel".to_owned());
        it.items = vec![LineItem::new("Tasse ☕", 2, 2499)];
        it.capture = CaptureMethod::Manual;
        it.metadata = [("payment_id", "42"), ("note", "Zoë & Söhne")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        it.expires_at = Some(Timestamp::from_unix_timestamp(1_791_803_600).unwrap());
    })
}

/// A form's fields, decoded and sorted: in which order they come says nothing.
pub(super) fn fields(form: &str) -> Vec<(String, String)> {
    let mut fields = actix_web::web::Query::<Vec<(String, String)>>::from_query(form).unwrap().into_inner();
    fields.sort();
    fields
}

async fn start(stripe: &Stripe) -> Result<Started, GatewayError> {
    stripe.start(&order()).await
}

#[actix_web::test]
async fn a_checkout_is_asked_for_as_stripes_library_asks() {
    let listener = Listener::saying([ok(SESSION)]);
    let started = start(&stripe(&listener)).await.unwrap();
    let url = "https://checkout.stripe.com/c/pay/cs_test_1".to_owned();
    assert_eq!(started, Started::Redirect { url, gateway_refs: vec!["cs_test_1".into()] });

    let recorded = recorded();
    let theirs = &recorded["calls"][0];
    let [ours]: [Heard; 1] = listener.heard().try_into().unwrap();
    assert_eq!((ours.method.as_str(), ours.path.as_str()), ("POST", theirs["path"].as_str().unwrap()));
    let headers = theirs["headers"].as_object().unwrap();
    for (name, value) in
        headers.iter().filter(|(name, _)| !["idempotency-key", "content-length"].contains(&name.as_str()))
    {
        assert_eq!(ours.header(name), value.as_str(), "{name}");
    }
    assert_eq!(ours.header("idempotency-key"), Some("order-10042-checkout"));

    // Beside what the host attached, ours bears the token in both places; theirs bore one of two notes in the intent.
    let mut expected = fields(theirs["body"].as_str().unwrap());
    for (name, value) in [
        ("metadata[payment_token]", "order-10042"),
        ("payment_intent_data[metadata][payment_token]", "order-10042"),
        ("payment_intent_data[metadata][note]", "Zoë & Söhne"),
    ] {
        expected.push((name.to_owned(), value.to_owned()));
    }
    expected.sort();
    assert_eq!(fields(&ours.body), expected);
    // Brackets as they are, all else percent-encoded: the same bytes for what is the same.
    let written = |form: &str| form.split('&').map(str::to_owned).collect::<Vec<_>>();
    for field in written(theirs["body"].as_str().unwrap()) {
        assert!(written(&ours.body).contains(&field), "{field} in {}", ours.body);
    }
}

/// A call about a payment of which these ids are known.
fn call(verb: Verb, refs: &[&str], amount: Option<i64>, reason: Option<&str>) -> Call {
    with(
        Call::new(verb, "order-10042".to_owned(), money(4998, "EUR"), "op_1".to_owned(), Timestamp::UNIX_EPOCH),
        |it| {
            it.gateway_refs = refs.iter().map(|id| (*id).into()).collect();
            it.aspects = Default::default();
            it.amount = amount.map(|minor| money(minor, "EUR"));
            it.reason = reason.map(str::to_owned);
        },
    )
}

/// Asserts that what was heard is the recorded request `path`: its headers, and its fields but for those of `theirs`
/// that we do without and those of `ours` that bear our token.
fn assert_like_recorded(heard: &Heard, path: &str, without: &[&str], added: &[(&str, &str)]) {
    let recorded = recorded();
    let theirs = recorded["calls"].as_array().unwrap().iter().find(|call| call["path"].as_str().unwrap() == path);
    let theirs = theirs.expect("a recorded request");
    let ((our_path, our_query), (their_path, their_query)) =
        (heard.path.split_once('?').unwrap_or((&heard.path, "")), path.split_once('?').unwrap_or((path, "")));
    assert_eq!((heard.method.as_str(), our_path), (theirs["method"].as_str().unwrap(), their_path));
    for (name, value) in theirs["headers"].as_object().unwrap() {
        match name.as_str() {
            "content-length" => {}
            "idempotency-key" => assert_eq!(heard.header(name), Some("op_1")),
            _ => assert_eq!(heard.header(name), value.as_str(), "{name}"),
        }
    }
    let mut expected = fields(their_query);
    expected.extend(fields(theirs["body"].as_str().unwrap_or_default()));
    expected.retain(|(name, _)| !without.iter().any(|prefix| name.starts_with(prefix)));
    expected.extend(added.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    expected.sort();
    let mut sent = fields(our_query);
    sent.extend(fields(&heard.body));
    sent.sort();
    assert_eq!(sent, expected, "{path}");
}

#[actix_web::test]
async fn a_call_on_behalf_of_an_account_is_headed_as_stripes_library_heads_it() {
    let recorded = recorded();
    let calls = recorded["calls"].as_array().unwrap();
    let theirs = calls.iter().find(|call| call["call"] == "events.retrieve on a connected account").unwrap();
    let object = r#"{"id":"pi_x","object":"payment_intent","status":"succeeded"}"#;
    let listener = Listener::saying([ok(object)]);
    for verb in [Verb::Capture, Verb::Cancel, Verb::Refund, Verb::Refresh] {
        let of_account = with(call(verb, &["pi_x"], None, None), |call| call.account = Some("acct_1".to_owned()));
        let events = stripe(&listener).call(&of_account).await.unwrap();
        assert!(events.iter().all(|event| event.account.as_deref() == Some("acct_1")), "{events:?}");
    }
    let listener_of_checkout = Listener::saying([ok(SESSION)]);
    let order = with(order(), |order| order.account = Some("acct_1".to_owned()));
    stripe(&listener_of_checkout).start(&order).await.unwrap();
    let heard: Vec<Heard> = listener.heard().into_iter().chain(listener_of_checkout.heard()).collect();
    assert_eq!(heard.len(), 5);
    for heard in heard {
        for (name, value) in theirs["headers"].as_object().unwrap() {
            assert_eq!(heard.header(name), value.as_str(), "{name} of {} {}", heard.method, heard.path);
        }
        assert_eq!(heard.header("stripe-context"), None);
    }
}

#[actix_web::test]
async fn every_other_call_is_made_as_stripes_library_makes_it() {
    let intent = r#"{"id":"pi_x","object":"payment_intent","status":"succeeded"}"#;
    let session = r#"{"id":"cs_test_x","object":"checkout.session","status":"expired"}"#;
    let refund = r#"{"id":"re_1","object":"refund","status":"succeeded"}"#;
    let token = [("metadata[payment_token]", "order-10042")];
    let capture = call(Verb::Capture, &["pi_x"], Some(3000), None);
    let part = call(Verb::Refund, &["pi_x"], Some(1999), Some("requested_by_customer"));
    let session_path = "/v1/checkout/sessions/cs_test_x?expand[0]=payment_intent.latest_charge&expand[1]=line_items";
    let with_fee = [("expand[0]", "payment_intent.latest_charge.balance_transaction")];
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Call, &str, &str, &[&str], Fields<'_>); 5] = [
        (capture, intent, "/v1/payment_intents/pi_x/capture", &[], &[]),
        (call(Verb::Cancel, &["pi_x"], None, None), intent, "/v1/payment_intents/pi_x/cancel", &[], &[]),
        (call(Verb::Cancel, &["cs_test_x"], None, None), session, "/v1/checkout/sessions/cs_test_x/expire", &[], &[]),
        (call(Verb::Refund, &["pi_x"], None, None), refund, "/v1/refunds", &[], &token),
        // What we don't show needs no asking for; what Stripe keeps of the charge does.
        (call(Verb::Refresh, &["cs_test_x"], None, None), session, session_path, &["expand"], &with_fee),
    ];
    for (call, answer, path, without, added) in cases {
        let listener = Listener::saying([ok(answer)]);
        stripe(&listener).call(&call).await.unwrap();
        let [heard]: [Heard; 1] = listener.heard().try_into().unwrap();
        assert_like_recorded(&heard, path, without, added);
    }
    // Of two recorded refunds, the second is of a part, with a reason.
    let listener = Listener::saying([ok(refund)]);
    stripe(&listener).call(&part).await.unwrap();
    let recorded = recorded();
    let theirs =
        recorded["calls"].as_array().unwrap().iter().filter(|call| call["path"] == "/v1/refunds").nth(1).unwrap();
    let mut expected = fields(theirs["body"].as_str().unwrap());
    expected.retain(|(name, _)| name != "metadata[payment_id]");
    expected.push(("metadata[payment_token]".to_owned(), "order-10042".to_owned()));
    expected.sort();
    assert_eq!(fields(&listener.heard()[0].body), expected);
    // The list of events: ours leaves out what filters it.
    let listener = Listener::saying([ok(r#"{"object":"list","data":[],"has_more":false}"#)]);
    let since = Timestamp::from_unix_timestamp(1_791_700_000).unwrap();
    let earlier = Envelope::new("evt_1", "charge.refunded", "");
    stripe(&listener).list(since, Some(&earlier)).await.unwrap();
    let list = "/v1/events?limit=100&delivery_success=false&created[gte]=1791700000\
                &types[0]=checkout.session.completed&types[1]=charge.refunded&starting_after=evt_1";
    assert_like_recorded(&listener.heard()[0], list, &["delivery_success", "types"], &[]);
}

#[actix_web::test]
async fn what_is_tried_again_is_what_stripes_library_tries_again() {
    let recorded = recorded();
    let observed = recorded["retries"].as_array().unwrap();
    assert_eq!(observed.len(), 21);
    let seen = |case: &Value| case["maxNetworkRetries"] != json!(0);
    let cases = observed.iter().filter(|case| seen(case)).cloned().map(|case| async move {
        let say = match case["status"].as_u64() {
            None => Say::Nothing,
            Some(status) => {
                let word = case["stripe-should-retry"].as_str().map(|word| ("stripe-should-retry", word.to_owned()));
                let body = if status == 200 { SESSION } else { r#"{"error":{"type":"some_error"}}"# };
                Say::Answer(u16::try_from(status).unwrap(), word.into_iter().collect(), body.to_owned())
            }
        };
        let listener = Listener::saying([say]);
        let answer = start(&stripe(&listener)).await;
        let heard = listener.heard();
        assert_eq!(heard.len() as u64, case["attempts"].as_u64().unwrap(), "{case}");
        assert_eq!(answer.is_ok(), case["error"].is_null(), "{case}: {answer:?}");
        let keys: std::collections::BTreeSet<_> = heard.iter().map(|heard| heard.header("idempotency-key")).collect();
        assert_eq!(keys.len(), 1, "{case}");
    });
    // They wait between their tries, so all at once.
    let cases: Vec<_> = cases.map(actix_web::rt::spawn).collect::<Vec<_>>();
    for case in cases {
        case.await.unwrap();
    }
}

#[actix_web::test]
async fn an_error_says_what_stripe_said_and_whether_anything_may_have_happened() {
    let error = |kind: &str| {
        let body = format!(
            r#"{{"error":{{"type":"{kind}","code":"card_declined","decline_code":"insufficient_funds","message":"Your card has insufficient funds.","later":{{}}}}}}"#
        );
        (vec![("request-id", "req_7".to_owned())], body)
    };
    let say = |status: u16, kind: &str| {
        let (headers, body) = error(kind);
        Say::Answer(status, headers, body)
    };
    let ask = async |say: Say| start(&stripe(&Listener::saying([say])).api_retries(0)).await.unwrap_err();
    let declined = "402 card_error card_declined insufficient_funds: Your card has insufficient funds. (request req_7)";
    assert_eq!(ask(say(402, "card_error")).await, GatewayError::Declined(declined.to_owned()));
    assert!(matches!(ask(say(429, "rate_limit_error")).await, GatewayError::Unavailable(_)));
    assert!(matches!(ask(say(500, "api_error")).await, GatewayError::OutcomeUnknown(_)));
    assert!(matches!(ask(say(409, "idempotency_error")).await, GatewayError::OutcomeUnknown(_)));
    assert!(matches!(ask(Say::Nothing).await, GatewayError::OutcomeUnknown(_)));
    assert!(matches!(ask(Say::Answer(404, vec![], "<html>".to_owned())).await, GatewayError::Declined(_)));
    // Not looked at; on a later try that says nothing of the first.
    assert!(matches!(ask(Say::Answer(401, vec![], "<html>".to_owned())).await, GatewayError::Unavailable(_)));
    assert!(matches!(ask(ok("[]")).await, GatewayError::Malformed(_)));
    assert!(matches!(ask(ok(r#"{"id":"cs_1"}"#)).await, GatewayError::Malformed(_)));
    // A redirect is not followed: the key would go to wherever it leads.
    let redirect = Say::Answer(307, vec![("location", "http://127.0.0.1:1/".to_owned())], String::new());
    assert!(matches!(ask(redirect).await, GatewayError::Declined(_)));

    let nobody = Stripe::new("whsec_test").api_key("sk_test_123").api_base("http://127.0.0.1:1").api_retries(0);
    assert!(matches!(start(&nobody).await.unwrap_err(), GatewayError::Unavailable(_)));
}

#[actix_web::test]
async fn an_answer_that_comes_twice_answers_no_other_call() {
    let refund = r#"{"id":"re_1","object":"refund","status":"succeeded"}"#;
    let listener = Listener::saying([Say::Twice(200, vec![], SESSION.to_owned()), ok(refund)]);
    let stripe = stripe(&listener);
    start(&stripe).await.unwrap();
    let told = stripe.call(&call(Verb::Refund, &["pi_x"], None, None)).await.unwrap();
    assert_eq!((told[0].kind.as_str(), listener.heard().len()), ("refund.answered", 2));
}

#[actix_web::test]
async fn an_endless_answer_is_cut_off() {
    let endless = "x".repeat(9 * 1024 * 1024);
    let listener = Listener::saying([ok(&endless)]);
    let error = start(&stripe(&listener).api_retries(0)).await.unwrap_err();
    assert!(matches!(error, GatewayError::OutcomeUnknown(_)), "{error}");
}

#[test]
fn keys_and_addresses_that_cannot_work_are_refused_without_being_shown() {
    let check = |key: &str, base: &str| Stripe::new("whsec_test").api_key(key).api_base(base).check();
    for base in [
        "https://api.stripe.com",
        "https://proxy.example/stripe",
        "http://127.0.0.1:4010",
        "http://localhost",
        "http://[::1]:1/",
    ] {
        assert_eq!(check("rk_live_1", base), Ok(()), "{base}");
    }
    for base in ["http://api.stripe.com", "http://127.0.0.1.evil.example", "ftp://x", "", "https://", "https://user@x"]
    {
        assert!(check("sk_test_1", base).unwrap_err().contains("https://"), "{base}");
    }
    for key in ["", "whsec_secret", "pk_live_secret", " sk_live_secret", "sk_live\nsecret"] {
        let refused = check(key, "https://api.stripe.com").unwrap_err();
        assert!(!refused.contains("secret\"") && !refused.contains("live"), "{refused}");
    }
    let shown = format!("{:?}", Stripe::new("whsec_secret").api_key("sk_live_secret"));
    assert!(!shown.contains("_secret"), "{shown}");
}

on_both_databases! {
    async fn a_host_starts_a_hosted_checkout(kind) {
        let listener = Listener::saying([ok(SESSION)]);
        let gateway = stripe(&listener);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let new = NewPayment::new("stripe", money(4998, "EUR"))
            .reference("order-10042")
            .item("Tasse ☕", 2, 2499)
            .customer("mia@shop.example")
            .locale("de")
            .expires_in(std::time::Duration::from_secs(3600))
            .return_url("https://shop.example/thanks");
        let created = app.payments.create(new).await.unwrap();
        assert_eq!(created.next, Next::Redirect("https://checkout.stripe.com/c/pay/cs_test_1".to_owned()));
        let sent = fields(&listener.heard()[0].body);
        let sent = |name: &str| sent.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        assert_eq!(sent("client_reference_id"), Some(created.payment.token.as_str()));
        assert_eq!(sent("payment_intent_data[metadata][payment_token]"), Some(created.payment.token.as_str()));
        assert_eq!((sent("customer_email"), sent("locale")), (Some("mia@shop.example"), Some("de")));
        assert_eq!(sent("expires_at"), Some((app.now() + 3600).to_string().as_str()));
        assert_eq!(sent("cancel_url"), Some("https://shop.example/thanks"));
        // Its session leads to the payment from now on.
        assert_eq!(app.texts("SELECT gateway_ref AS t FROM pay_references"), ["cs_test_1"]);
    }

    async fn a_host_with_a_checkout_of_its_own_starts_none_here(kind) {
        let listener = Listener::saying([ok(SESSION)]);
        let gateway = stripe(&listener);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let created = app.payments.create(NewPayment::new("stripe", money(4998, "EUR")).without_checkout()).await.unwrap();
        assert_eq!((created.next, listener.heard().len()), (Next::Done, 0));
    }

    async fn nothing_is_sent_or_stored_that_cannot_work(kind) {
        let listener = Listener::saying([ok(SESSION)]);
        let gateway = stripe(&listener);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let new = || NewPayment::new("stripe", money(4998, "EUR")).return_url("https://shop.example/");
        for (new, words) in [
            (new().item("Cup", 1, 2499), "49.98 EUR together, got 24.99 EUR"),
            (new().item("Cup", 2, i64::MAX), "more than can be said"),
            (NewPayment::new("stripe", money(-1, "EUR")), "at least 0"),
        ] {
            let refused = app.payments.create(new).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Refused);
            assert!(refused.to_string().contains(words), "{refused}");
        }
        assert_eq!((app.number("SELECT count(*) FROM pay_payments"), listener.heard().len()), (0, 0));
    }
}

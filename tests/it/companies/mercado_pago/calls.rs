//! Does Mercado Pago hear from us what it hears from its own library?

use std::collections::BTreeMap;

use actix_payments::domain::fact::Aspect;
use actix_payments::domain::named::NamedObject;
use actix_payments::gateways::{Call, CaptureMethod, Fetch, Gateway, GatewayError, Started, Verb};
use serde_json::{Value, json};

use super::fake::payment;
use super::gateway;
use crate::companies::{self, assert_as_recorded, call, ok, order};
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

fn asked(listener: &Listener) -> impl Gateway {
    let gateway = gateway().access_token("APP_USR-1").api_base(&listener.address).api_retries(0);
    gateway.notification_url("https://shop.example/payments/mercado-pago/")
}

/// A call about a payment that is known by a fact of this aspect.
fn known(verb: Verb, aspect: Aspect, minor: Option<i64>) -> Call {
    let refs = ["preference_7-abc", "payment_2", "merchant_order_9", "payment_1"];
    let call = call(verb, &refs, minor.map(|minor| money(minor, "BRL")));
    with(call, |it| {
        it.aspects = BTreeMap::from([("payment_1".into(), aspect)]);
        it.total = money(4998, "BRL");
    })
}

fn shown(status: &str) -> Say {
    ok(payment(1, "tok_1", status).to_string())
}

#[actix_web::test]
async fn every_call_is_made_as_mercado_pagos_library_makes_it() {
    let preference = json!({"id": "7-abc", "init_point": "https://www.mercadopago.com.br/checkout/1",
        "sandbox_init_point": "https://sandbox.mercadopago.com.br/checkout/1"});
    let listener = Listener::saying([ok(preference.to_string())]);
    let request = with(order("BRL"), |it| {
        it.customer = Some("mia@shop.example".to_owned());
        it.expires_at = Some(companies::at(1_791_803_600));
    });
    let started = asked(&listener).start(&request).await.unwrap();
    let (url, gateway_refs) = ("https://www.mercadopago.com.br/checkout/1".to_owned(), vec!["preference_7-abc".into()]);
    assert_eq!(started, Started::Redirect { url, gateway_refs });
    assert_as_recorded("mercado_pago", "checkout", &listener.heard()[0]);
    let of_test = gateway().access_token("TEST-1").api_base(&listener.address).start(&request).await.unwrap();
    assert!(matches!(of_test, Started::Redirect { url, .. } if url.starts_with("https://sandbox.")));
    let held = with(order("BRL"), |it| it.capture = CaptureMethod::Manual);
    assert!(matches!(asked(&listener).start(&held).await, Err(GatewayError::Declined(_))));

    let refund = || ok(r#"{"id":3,"payment_id":1,"amount":19.99,"status":"approved"}"#);
    let cases = [
        (
            known(Verb::Capture, Aspect::Authorization, None),
            shown("approved"),
            "capture",
            "payment approved: 49.99 BRL",
        ),
        (known(Verb::Refund, Aspect::Capture, None), refund(), "refund_all", "refund made: 19.99 BRL"),
        (known(Verb::Refund, Aspect::Capture, Some(1999)), refund(), "refund_part", "refund made: 19.99 BRL"),
    ];
    for (call, say, name, words) in cases {
        let listener = Listener::saying([say]);
        let events = asked(&listener).call(&call).await.unwrap();
        let said = companies::interpret(&gateway(), &events[0]);
        assert_eq!((events[0].id.as_str(), said.summary.as_str()), ("op_1", words));
        assert!(said.references.gateway_refs.contains(&"payment_1".into()));
        assert_as_recorded("mercado_pago", name, &listener.heard()[0]);
    }
    let listener = Listener::saying([ok(preference.to_string())]);
    let events = asked(&listener).call(&call(Verb::Cancel, &["preference_7-abc"], None)).await.unwrap();
    assert_eq!(companies::interpret(&gateway(), &events[0]).summary, "checkout ended");
    assert_as_recorded("mercado_pago", "end", &listener.heard()[0]);
}

#[actix_web::test]
async fn a_cancel_ends_the_checkout_and_the_payments_that_wait() {
    let statuses = |statuses: [&'static str; 4], refuses: bool| {
        Listener::answering(move |heard| {
            if heard.path == "/checkout/preferences/7-abc" {
                return ok(r#"{"id":"7-abc","external_reference":"tok_1"}"#);
            }
            let id: u64 = heard.path.rsplit('/').next().unwrap().parse().unwrap();
            match heard.method.as_str() {
                "PUT" if refuses => Say::Answer(400, vec![], r#"{"message":"Invalid status"}"#.to_owned()),
                "PUT" => ok(payment(id, "tok_1", "cancelled").to_string()),
                _ => ok(payment(id, "tok_1", statuses[id as usize - 1]).to_string()),
            }
        })
    };
    let refs = ["payment_1", "payment_2", "preference_7-abc", "payment_3", "payment_4"];
    let cancel = call(Verb::Cancel, &refs, None);
    let listener = statuses(["pending", "rejected", "authorized", "approved"], false);
    let events = asked(&listener).call(&cancel).await.unwrap();
    let said: Vec<_> =
        events.iter().map(|event| (event.id.as_str(), companies::interpret(&gateway(), event).summary)).collect();
    let canceled = || "payment cancelled: 49.99 BRL".to_owned();
    assert_eq!(said, [("op_1", "checkout ended".to_owned()), ("op_1-2", canceled()), ("op_1-3", canceled())]);
    let heard = listener.heard();
    let changes: Vec<_> = heard.iter().filter(|heard| heard.method == "PUT").collect();
    let paths: Vec<_> = changes.iter().map(|heard| heard.path.as_str()).collect();
    assert_eq!(paths, ["/checkout/preferences/7-abc", "/v1/payments/1", "/v1/payments/3"]);
    assert_as_recorded("mercado_pago", "end", changes[0]);
    assert_as_recorded("mercado_pago", "cancel", changes[1]);

    // A customer whose card was refused could still pay in the checkout.
    let rejected = statuses(["rejected"; 4], false);
    let events = asked(&rejected).call(&cancel).await.unwrap();
    assert_eq!((events.len(), events[0].kind.as_str()), (1, "ended_preference.answered"));
    assert_eq!(rejected.heard().iter().filter(|heard| heard.method == "PUT").count(), 1);
    // What an earlier try did is done.
    let again = asked(&statuses(["cancelled"; 4], true)).call(&call(Verb::Cancel, &["payment_1"], None)).await;
    assert_eq!(again.unwrap()[0].id, "op_1");
    let nothing = asked(&rejected).call(&call(Verb::Cancel, &["payment_1"], None)).await;
    assert!(matches!(nothing, Err(GatewayError::Declined(_))), "{nothing:?}");
    // Refused for a payment, though the checkout is ended.
    let partly = asked(&statuses(["pending"; 4], true)).call(&cancel).await;
    assert!(matches!(partly, Err(GatewayError::OutcomeUnknown(_))), "{partly:?}");
}

#[actix_web::test]
async fn a_capture_takes_the_whole_or_nothing() {
    let capture = async |minor| {
        let listener = Listener::saying([shown("authorized"), shown("approved")]);
        let said = asked(&listener).call(&known(Verb::Capture, Aspect::Authorization, Some(minor))).await;
        (said, listener.heard())
    };
    let (said, heard) = capture(4999).await;
    assert_eq!(companies::interpret(&gateway(), &said.unwrap()[0]).summary, "payment approved: 49.99 BRL");
    assert_as_recorded("mercado_pago", "show", &heard[0]);
    assert_as_recorded("mercado_pago", "capture", &heard[1]);
    for part in [1, 3050, 4998, 5000] {
        let (said, heard) = capture(part).await;
        assert!(matches!(said, Err(GatewayError::Declined(why)) if why.contains("what a part does is not known")));
        assert_eq!((heard.len(), heard[0].method.as_str()), (1, "GET"));
    }
}

#[actix_web::test]
async fn a_refused_change_was_made_where_the_payment_shows_it() {
    let refused = || Say::Answer(400, vec![], r#"{"message":"Invalid status","error":"bad_request"}"#.to_owned());
    let capture = known(Verb::Capture, Aspect::Authorization, None);
    let said = async |look: Say| asked(&Listener::saying([refused(), look])).call(&capture).await;
    assert!(said(shown("approved")).await.is_ok());
    assert!(
        matches!(said(shown("rejected")).await, Err(GatewayError::Declined(why)) if why.contains("Invalid status"))
    );
    assert!(matches!(said(Say::Nothing).await, Err(GatewayError::OutcomeUnknown(_))));
}

#[actix_web::test]
async fn a_refresh_reports_all_payments_of_the_token_and_else_the_checkout() {
    let listener = Listener::answering(|heard| match heard.path.as_str() {
        "/v1/payments/search?external_reference=tok_1&limit=11" => ok(r#"{"results":[{"id":1},{"id":2}]}"#),
        "/v1/payments/1" => shown("rejected"),
        "/v1/payments/2" => ok(payment(2, "tok_1", "approved").to_string()),
        _ => Say::Answer(404, vec![], String::new()),
    });
    let events = asked(&listener).call(&call(Verb::Refresh, &["preference_7-abc", "payment_1"], None)).await.unwrap();
    let said: Vec<_> = events.iter().map(|event| companies::interpret(&gateway(), event).summary).collect();
    assert_eq!(said, ["payment rejected (accredited): 49.99 BRL", "payment approved: 49.99 BRL"]);
    assert_eq!(events[1].id, "op_1-2");
    let heard = listener.heard();
    assert_as_recorded("mercado_pago", "search", &heard[0]);
    assert_as_recorded("mercado_pago", "show", &heard[1]);
    let nothing = Listener::answering(|heard| match heard.path.as_str() {
        "/checkout/preferences/7-abc" => ok(
            r#"{"id":"7-abc","expires":true,"expiration_date_to":"2026-10-01T00:00:00Z","external_reference":"tok_1"}"#,
        ),
        _ => ok(r#"{"results":[]}"#),
    });
    let events = asked(&nothing).call(&call(Verb::Refresh, &["preference_7-abc"], None)).await.unwrap();
    assert_eq!(companies::interpret(&gateway(), &events[0]).summary, "checkout expired");
    assert_as_recorded("mercado_pago", "checkout_show", &nothing.heard()[1]);
    let many: Vec<Value> = (0..11).map(|id| json!({"id": id})).collect();
    let many = Listener::saying([ok(json!({"results": many}).to_string())]);
    assert!(matches!(asked(&many).call(&call(Verb::Refresh, &[], None)).await, Err(GatewayError::Declined(_))));
}

#[actix_web::test]
async fn amounts_are_numbers_in_the_main_unit() {
    let listener = Listener::saying([ok(r#"{"id":"7-abc","init_point":"https://x.example/"}"#)]);
    for (code, minor, number) in [("BRL", 2500, "25"), ("BRL", 2510, "25.1"), ("CLP", 4990, "4990"), ("BRL", 1, "0.01")]
    {
        let mut request = order(code);
        request.items[0].unit_amount = minor;
        asked(&listener).start(&request).await.unwrap();
        let body: Value = serde_json::from_str(&listener.heard().last().unwrap().body).unwrap();
        assert_eq!(body["items"][0]["unit_price"].to_string(), number);
    }
}

#[actix_web::test]
async fn what_a_notification_names_is_asked_for_as_mercado_pagos_library_asks() {
    let listener = Listener::saying([ok(r#"{"id":5,"payments":[],"order_status":"opened"}"#)]);
    for (family, gateway_ref) in [("chargeback", "chargeback_5"), ("merchant_order", "merchant_order_9")] {
        let fetch = Fetch::new(NamedObject::new(family, gateway_ref), "fetch_1".to_owned());
        assert_eq!(asked(&listener).fetch(&fetch).await.unwrap()[0].id, "fetch_1-1");
        assert_as_recorded("mercado_pago", family, listener.heard().last().unwrap());
    }
}

//! Does a host read what it needs for pages of its own?

use std::collections::BTreeSet;

use actix_payments::domain::Timestamp;
use actix_payments::domain::event::EventState;
use actix_payments::domain::fact::State;
use actix_payments::domain::payment::{MovementKind, Status};
use actix_payments::{EventQuery, Mode, NewPayment, PaymentQuery, Token, Walk};

use crate::app::{App, on_both_databases};
use crate::scenes::{completed, completed_as, money, of_story};

/// All that a walk brings.
async fn all<T: Unpin>(mut walk: Walk<T>) -> Vec<T> {
    let mut found = Vec::new();
    while let Some(one) = walk.next().await.unwrap() {
        found.push(one);
    }
    found
}

async fn tokens(app: &App, query: PaymentQuery) -> Vec<String> {
    app.payments
        .list(query)
        .await
        .unwrap()
        .payments
        .into_iter()
        .map(|payment| payment.token)
        .map(String::from)
        .collect()
}

/// A payment of this customer with this reference.
async fn order(app: &App, customer: &str, reference: &str) -> Token {
    let new = NewPayment::new("stripe", money(4999, "EUR")).customer(customer).reference(reference).without_checkout();
    app.payments.create(new).await.unwrap().payment.token
}

on_both_databases! {
    async fn a_customers_payments_are_listed_by_what_is_said_of_them(kind) {
        let app = App::new(kind).await;
        let paid = order(&app, "Mia@shop.example", "order-1").await;
        app.pass(60);
        let moment = Timestamp::from_unix_timestamp(app.now()).unwrap();
        let pending = order(&app, "mia@shop.example", "order-2").await;
        let other = order(&app, "ben@shop.example", "order-3").await;
        app.deliver(&[&completed(&paid)]).await;
        let of_mia = || PaymentQuery::new().customer("MIA@shop.example");
        assert_eq!(tokens(&app, PaymentQuery::new()).await, [other.clone(), pending.clone(), paid.clone()]);
        assert_eq!(tokens(&app, of_mia()).await, [pending.clone(), paid.clone()]);
        assert_eq!(tokens(&app, of_mia().oldest_first()).await, [paid.clone(), pending.clone()]);
        assert_eq!(tokens(&app, of_mia().status(Status::Paid)).await, std::slice::from_ref(&paid));
        assert_eq!(tokens(&app, of_mia().status(Status::Paid).status(Status::Pending)).await.len(), 2);
        assert_eq!(tokens(&app, PaymentQuery::new().created_from(moment)).await, [other, pending.clone()]);
        assert_eq!(tokens(&app, PaymentQuery::new().created_before(moment)).await, std::slice::from_ref(&paid));
        assert_eq!(tokens(&app, PaymentQuery::new().mode(Mode::Test)).await, std::slice::from_ref(&paid));
        assert!(tokens(&app, PaymentQuery::new().variant("paypal")).await.is_empty());
        assert!(tokens(&app, PaymentQuery::new().needs_review()).await.is_empty());
    }

    async fn a_walk_brings_each_payment_and_each_event_once_while_more_come(kind) {
        let app = App::new(kind).await;
        let mut known = BTreeSet::new();
        for number in 0..25 {
            let token = order(&app, "mia@shop.example", &format!("order-{number}")).await;
            app.deliver(&[&completed_as(number, &token)]).await;
            known.insert(token);
        }
        let first = app.payments.list(PaymentQuery::new().limit(10)).await.unwrap();
        assert_eq!(first.payments.len(), 10);
        order(&app, "mia@shop.example", "order-late").await;
        let rest = all(app.payments.walk(PaymentQuery::new().limit(4).after(first.next.unwrap()))).await;
        let tokens: Vec<Token> = first.payments.into_iter().chain(rest).map(|payment| payment.token).collect();
        assert_eq!((tokens.len(), tokens.into_iter().collect::<BTreeSet<_>>()), (25, known));
        let events = all(app.payments.walk_events(EventQuery::new().kind("checkout.*").limit(7))).await;
        let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!((events.len(), ids.len()), (25, 25));
        // Filtered so that a part looks at many rows and finds none.
        let pending = all(app.payments.walk(PaymentQuery::new().status(Status::Pending).limit(1))).await;
        assert_eq!(pending.len(), 1);
    }

    async fn a_payment_is_found_by_the_hosts_reference_and_by_the_gateways_ids(kind) {
        let app = App::new(kind).await;
        let token = order(&app, "mia@shop.example", "order-1").await;
        let again = order(&app, "order-1", "order-10").await;
        app.deliver(&[&of_story("checkout.session.completed", 1, &token)]).await;
        let found = app.payments.payments_with_reference(&"order-1".into()).await.unwrap();
        assert_eq!(found.iter().map(|payment| &payment.token).collect::<Vec<_>>(), [&token], "not {again}");
        let history = app.payments.history(&token).await.unwrap().unwrap();
        assert!(history.gateway_refs.len() >= 2, "{:?}", history.gateway_refs);
        for gateway_ref in &history.gateway_refs {
            assert_eq!(app.payments.payment_at("stripe", gateway_ref).await.unwrap().unwrap().token, token);
            assert_eq!(app.payments.payment_at("paypal", gateway_ref).await.unwrap(), None);
        }
        assert_eq!(app.payments.payment_at("stripe", "pi_unknown").await.unwrap(), None);
    }

    async fn the_history_of_a_payment_has_its_steps_refunds_disputes_and_events(kind) {
        let app = App::new(kind).await;
        let token = order(&app, "mia@shop.example", "order-1").await;
        let story = |name| of_story(name, 1, &token);
        let events = ["checkout.session.completed", "charge.succeeded", "refund.created", "charge.dispute.created"];
        app.deliver(&events.map(story).each_ref().map(String::as_str)).await;
        let history = app.payments.history(&token).await.unwrap().unwrap();
        assert_eq!(history.payment, app.payments.payment(&token).await.unwrap().unwrap());
        let steps: Vec<_> = history.transitions.iter().map(|step| (step.from, step.to)).collect();
        assert_eq!(steps.last(), Some(&(Status::Pending, Status::Paid)), "the oldest is the last: {steps:?}");
        assert_eq!(history.refunds.len(), 1);
        let refund = &history.refunds[0];
        assert!(refund.gateway_ref.starts_with("re_") && refund.amount.unwrap().minor > 0, "{refund:?}");
        assert_eq!((history.disputes.len(), history.disputes[0].state), (1, State::Open));
        assert!(history.disputes[0].until.is_some());
        assert_eq!(history.movements[0].kind, MovementKind::Capture);
        let kinds: BTreeSet<&str> = history.events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, BTreeSet::from(events));
        assert_eq!(app.payments.history(&"pay_unknown".into()).await.unwrap(), None);
    }

    async fn the_movements_of_a_payment_are_those_of_the_books(kind) {
        let app = App::new(kind).await;
        let token = order(&app, "mia@shop.example", "order-1").await;
        let story = |name: &str| of_story(name, 1, &token);
        let charge = story("charge.succeeded");
        // Reported again a month later, which moves nothing, and a refund that fails after all.
        let mut again: serde_json::Value = serde_json::from_str(&charge).unwrap();
        again["id"] = "evt_again".into();
        again["type"] = "charge.updated".into();
        again["created"] = (again["created"].as_i64().unwrap() + 30 * 86_400).into();
        let mut failed: serde_json::Value = serde_json::from_str(&story("refund.created")).unwrap();
        failed["id"] = "evt_failed".into();
        failed["type"] = "refund.failed".into();
        failed["created"] = (failed["created"].as_i64().unwrap() + 86_400).into();
        failed["data"]["object"]["status"] = "failed".into();
        let (again, failed) = (again.to_string(), failed.to_string());
        app.deliver(&[&story("checkout.session.completed"), &charge, &story("refund.created"), &again, &failed]).await;
        let history = app.payments.history(&token).await.unwrap().unwrap();
        let micros = |at: Timestamp| at.unix_timestamp_nanos() / 1_000;
        let own = history.movements.iter().map(|one| format!("{} {} {}", one.kind, one.amount, micros(one.moved_at)));
        let mut own: Vec<String> = own.collect();
        let rows = match kind {
            Kind::Sqlite => {
                "SELECT kind || ' ' || amount || ' ' || strftime('%s', moved_at) || '000000' AS t FROM pay_movements"
            }
            Kind::Postgres => {
                "SELECT kind || ' ' || amount || ' ' || (extract(epoch FROM moved_at) * 1000000)::bigint AS t FROM pay_movements"
            }
        };
        let mut books = app.texts(rows);
        own.sort();
        books.sort();
        assert_eq!(own, books);
        assert_eq!(own.len(), 3, "a capture, a refund and its failure: {own:?}");
        assert_eq!(history.refunds[0].state, State::Failed);
        let json = serde_json::to_value(&history).unwrap();
        assert_eq!((&json["refunds"][0]["state"], &json["movements"][0]["kind"]), (&"failed".into(), &"capture".into()));
    }

    async fn an_event_is_listed_with_what_became_of_it_and_read_with_its_body(kind) {
        let app = App::new(kind).await;
        let token = order(&app, "mia@shop.example", "order-1").await;
        let body = completed(&token);
        app.deliver(&[&body, &body]).await;
        let list = app.payments.events(EventQuery::new().variant("stripe").state(EventState::Completed)).await.unwrap();
        let [event] = &list.events[..] else { panic!("{list:?}") };
        assert_eq!((event.payment.as_ref(), event.deliveries), (Some(&token), 2));
        assert!(event.outcome.is_some());
        let (same, kept) = app.payments.event("stripe", &event.id).await.unwrap().unwrap();
        assert_eq!((&same, kept.as_deref()), (event, Some(body.as_bytes())));
        assert!(app.payments.event("stripe", "evt_unknown").await.unwrap().is_none());
        let moment = Timestamp::from_unix_timestamp(app.now() + 1).unwrap();
        assert!(app.payments.events(EventQuery::new().received_from(moment)).await.unwrap().events.is_empty());
        assert_eq!(app.payments.events(EventQuery::new().received_before(moment)).await.unwrap().events.len(), 1);
    }

    async fn what_a_host_shows_has_a_json_form(kind) {
        let app = App::new(kind).await;
        let token = order(&app, "mia@shop.example", "order-1").await;
        app.deliver(&[&completed(&token)]).await;
        let json = serde_json::to_value(app.payments.payment(&token).await.unwrap().unwrap()).unwrap();
        assert_eq!((&json["status"], &json["reference"]), (&"paid".into(), &"order-1".into()));
        assert_eq!(json["captured"], serde_json::json!({ "minor": 4999, "currency": "EUR" }));
        assert!(json["created_at"].as_str().unwrap().ends_with('Z'), "{json}");
        let events = app.payments.events(EventQuery::new()).await.unwrap().events;
        let json = serde_json::to_value(&events).unwrap();
        assert_eq!((&json[0]["state"], &json[0]["source"]), (&"completed".into(), &"delivery".into()));
    }
}

//! Are the spans nested, linked by the event's id, and silent about people?

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use actix_payments::{AnyRef, HandlerError, NewPayment, Outcome, Refund, Transition};
use actix_web::http::Method;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::app::{App, NOW, SECRET, on_both_databases};
use crate::mollie::fake::Fake as Mollie;
use crate::scenes::{Notes, money};
use crate::stripe::fake::{Fake, Fault};
use crate::subscriptions::billing::Billing;

/// A span: the place of its parent, and its name with its fields.
type Made = (Option<u64>, String);

/// Every span of this process.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Made>>>);

thread_local! {
    static ENTERED: std::cell::RefCell<Vec<u64>> = const { std::cell::RefCell::new(Vec::new()) };
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        *self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "payments" && metadata.is_span()
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut text = attributes.metadata().name().to_owned();
        attributes.record(&mut Fields(&mut text));
        let mut spans = self.0.lock().unwrap();
        spans.push((ENTERED.with_borrow(|entered| entered.last().copied()), text));
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()[span.into_u64() as usize - 1].1));
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, _: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.pop());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}
}

impl Spans {
    /// Each span behind those that it is in.
    fn paths(&self) -> Vec<String> {
        let spans = self.0.lock().unwrap();
        let path = |(parent, text): &Made| match parent {
            Some(parent) => {
                let (above, outer) = &spans[*parent as usize - 1];
                let top = above.map_or_else(String::new, |above| format!("{} > ", spans[above as usize - 1].1));
                format!("{top}{outer} > {text}")
            }
            None => text.clone(),
        };
        spans.iter().map(path).collect()
    }
}

on_both_databases! {
    async fn a_delivery_leads_to_its_event_its_handlers_and_the_calls_that_they_make(kind) {
        let (spans, fake, notes) = (Spans::default(), Fake::new(NOW), Notes::default());
        tracing::subscriber::set_global_default(spans.clone()).expect("a process of its own, as nextest gives each test");
        let (gateway, noted) = (fake.gateway(SECRET), notes.clone());
        let app = App::bare(kind, |builder| {
            let book = |_: AnyRef<'_>, _: &Transition| Ok::<(), HandlerError>(());
            let builder = builder.variant("stripe", gateway).handler_in_transaction("book", book);
            builder.handler("ask-again", move |step: Transition| {
                let noted = noted.clone();
                async move {
                    step.payments().refresh(&step.payment.token).await?;
                    noted.add("asked");
                    Ok(())
                }
            })
        });
        let app = app.await;
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/").customer("jenny@example.com");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.pay(&token);
        let event = fake.state().events.iter().find(|event| event["type"] == "checkout.session.completed").unwrap().clone();
        let id = event["id"].as_str().unwrap();
        app.deliver(&[&event.to_string()]).await;
        assert!(notes.count() > 0, "{:?}", app.outcomes());
        let paths = spans.paths();
        let has = |path: &str| assert!(paths.iter().any(|it| it == path), "{path} in {paths:#?}");
        has(r#"gateway_call variant="stripe" verb="create""#);
        has(&format!(r#"delivery variant="stripe" event="{id}""#));
        let outer = format!(r#"event variant="stripe" event="{id}" kind="checkout.session.completed""#);
        let inner = format!(r#"{outer} > handler handler="ask-again" event="{id}""#);
        has(&inner);
        has(&format!(r#"handler handler="book" event="{id}""#));
        // By the number of what is stored, what a worker tries again is found.
        let number = app.number("SELECT id FROM pay_operations WHERE verb = 'refresh'");
        has(&format!(r#"{inner} > gateway_call variant="stripe" verb="refresh" operation={number}"#));
        fake.state().faults = [Some(Fault::CutAfter)].into();
        assert_eq!(app.payments.refund(&token, Refund::all()).await.unwrap(), Outcome::Underway);
        app.pass(120);
        app.drain().await;
        let refund = app.number("SELECT id FROM pay_operations WHERE verb = 'refund'");
        let tried = format!(r#"gateway_call variant="stripe" verb="refund" operation={refund}"#);
        let paths = spans.paths();
        assert_eq!(paths.iter().filter(|path| **path == tried).count(), 2, "{tried} in {paths:#?}");
        let text = paths.join("\n");
        for word in ["jenny", "whsec_", "sk_test", "5000", &token] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    async fn calls_about_subscriptions_and_named_objects_bear_the_numbers_of_what_is_stored_of_them(kind) {
        let (spans, billing, mollie) = (Spans::default(), Billing::new(NOW), Mollie::new(NOW));
        tracing::subscriber::set_global_default(spans.clone()).expect("a process of its own, as nextest gives each test");
        let (plans, hinting) = (billing.gateway(SECRET), mollie.gateway());
        let app = App::bare(kind, |builder| builder.variant("stripe", plans).variant("mollie", hinting)).await;
        billing.state().subscribe("user-1", false);
        let events: Vec<String> = billing.state().events.iter().map(ToString::to_string).collect();
        app.deliver(&events.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let token = app.texts("SELECT token AS t FROM pay_subscriptions").remove(0);
        assert_eq!(app.payments.refresh_subscription(&token.as_str().into()).await.unwrap(), Outcome::Done);
        let new = NewPayment::new("mollie", money(5000, "EUR")).return_url("https://shop.example/");
        app.payments.create(new).await.unwrap();
        let id = app.texts("SELECT gateway_ref AS t FROM pay_references WHERE gateway_ref LIKE 'tr%'").remove(0);
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let hint = app.request(Method::POST, "/payments/mollie/", &form, format!("id={id}").as_bytes()).await;
        assert_eq!(hint.status, 200);
        app.drain().await;
        let (asked, question) = ("SELECT id FROM pay_subscription_operations", "SELECT id FROM pay_fetches");
        let asked = format!("verb=\"refresh\" subscription_operation={}", app.number(asked));
        let question = format!("verb=\"fetch\" question={}", app.number(question));
        let paths = spans.paths();
        for call in [format!("variant=\"stripe\" {asked}"), format!("variant=\"mollie\" {question}")] {
            let call = format!("gateway_call {call}");
            assert!(paths.contains(&call), "{call} in {paths:#?}");
        }
    }
}

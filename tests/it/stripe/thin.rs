//! Is what Stripe's thin events name asked for, once, and does it come out as snapshots would?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use actix_payments::domain::Timestamp;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{AnyConnection, Builder, NewPayment, Token};
use actix_web::http::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc2822;

use super::listener::{Heard, Listener, Say};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::events::{changed, fixture};
use crate::scenes::{Notes, PRICE, completed, money};

const THIN: &str = "whsec_thin_secret";

/// Stripe, as far as it shows objects and lists events.
#[derive(Default)]
struct Shelf {
    objects: BTreeMap<String, Value>,
    snapshots: Vec<Value>,
    thin: Vec<Value>,
    begun: usize,
    now: i64,
}

struct Fake {
    listener: Listener,
    shelf: Arc<Mutex<Shelf>>,
}

impl Fake {
    fn new() -> Self {
        let shelf = Arc::new(Mutex::new(Shelf { now: NOW, ..Shelf::default() }));
        let kept = shelf.clone();
        let listener = Listener::answering(move |heard| {
            let mut shelf = kept.lock().unwrap();
            let (path, query) = heard.path.split_once('?').unwrap_or((&heard.path, ""));
            let date = Timestamp::from_unix_timestamp(shelf.now).unwrap().format(&Rfc2822).unwrap();
            let date = vec![("date", date.replace("+0000", "GMT"))];
            let error = json!({"error": {"type": "invalid_request_error", "message": "No such object"}});
            let (status, body) = match path {
                "/v1/checkout/sessions" => {
                    shelf.begun += 1;
                    let id = format!("cs_begun_{}", shelf.begun);
                    (200, json!({"id": id, "url": "https://checkout.stripe.com/x", "payment_intent": null}))
                }
                "/v1/events" => (200, json!({"object": "list", "data": shelf.snapshots, "has_more": false})),
                "/v2/core/events" => (200, page(&shelf.thin, query)),
                _ => shelf.objects.get(path).map_or((404, error), |object| (200, object.clone())),
            };
            Say::Answer(status, date, body.to_string())
        });
        Self { listener, shelf }
    }

    fn gateway(&self) -> Stripe {
        self.called_by(Stripe::new(SECRET).thin_secret(THIN))
    }

    fn called_by(&self, gateway: Stripe) -> Stripe {
        gateway.api_key("sk_test_1").api_base(&self.listener.address).api_retries(0)
    }

    fn shows(&self, path: &str, object: Value) {
        self.shelf.lock().unwrap().objects.insert(path.to_owned(), object);
    }

    /// The requests that asked for an object.
    fn asked(&self) -> Vec<Heard> {
        let is_list = |path: &str| path.starts_with("/v1/events") || path.starts_with("/v2/");
        self.listener.heard().into_iter().filter(|heard| heard.method == "GET" && !is_list(&heard.path)).collect()
    }

    /// How often it was asked for an object.
    fn questions(&self) -> usize {
        self.asked().len()
    }
}

/// Three a page, newest first; a page goes on from a time.
fn page(all: &[Value], query: &str) -> Value {
    let query = actix_web::web::Query::<BTreeMap<String, String>>::from_query(query).unwrap().into_inner();
    let until = query.get("created[lte]").cloned().unwrap_or("9".to_owned());
    let older: Vec<&Value> =
        all.iter().rev().filter(|event| event["created"].as_str().unwrap() <= until.as_str()).collect();
    let next = (older.len() > 3).then_some("/v2/core/events?page=next");
    json!({"data": &older[..older.len().min(3)], "next_page_url": next, "previous_page_url": null})
}

async fn app(kind: Kind) -> (App, Fake) {
    app_with(kind, |builder| builder).await
}

async fn app_with(kind: Kind, configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>) -> (App, Fake) {
    let fake = Fake::new();
    let gateway = fake.gateway();
    (App::bare(kind, |builder| configure(builder.variant("stripe", gateway))).await, fake)
}

/// A payment that Stripe's page was begun for.
async fn begun(app: &App) -> Token {
    let new = NewPayment::new("stripe", money(PRICE, "EUR")).return_url("https://shop.example/thanks");
    app.payments.create(new).await.unwrap().payment.token
}

/// A thin event about the object at this address.
fn thin(number: usize, kind: &str, url: &str) -> Value {
    let id = url.rsplit('/').next().unwrap();
    json!({"id": format!("evt_test_{number}"), "object": "v2.core.event", "context": null, "type": kind,
        "created": format!("2026-10-12T10:00:00.{number:03}Z"), "livemode": false, "reason": null,
        "related_object": {"id": id, "type": "an_object", "url": url}})
}

async fn send(app: &App, event: &Value) {
    let body = event.to_string();
    let signature = sign_delivery(THIN, app.now(), body.as_bytes());
    let answer =
        app.request(Method::POST, "/payments/stripe/", &[("stripe-signature", &signature)], body.as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{body}");
}

async fn tell(app: &App, event: &Value) {
    send(app, event).await;
    app.drain().await;
}

/// The session that pays the payment, and where it is.
fn session(token: &str) -> (String, Value) {
    let event: Value = serde_json::from_str(&completed(token)).unwrap();
    let session = event["data"]["object"].clone();
    (format!("/v1/checkout/sessions/{}", session["id"].as_str().unwrap()), session)
}

on_both_databases! {
    async fn a_thin_event_pays_the_payment_once_stripe_has_shown_what_it_names(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app).await;
        let (url, object) = session(&token);
        fake.shows(&url, object);
        let event = thin(1, "v1.checkout.session.completed", &url);
        tell(&app, &event).await;
        assert_eq!(app.status(&token).await, Status::Paid);
        assert_eq!(app.transitions(), ["pending → paid"]);
        // The same delivered again is a duplicate.
        tell(&app, &event).await;
        assert_eq!(fake.questions(), 1);
        let heard = &fake.asked()[0];
        assert_eq!((heard.method.as_str(), heard.path.as_str()), ("GET", url.as_str()));
        assert_eq!(heard.header("stripe-version"), Some("2026-10-28.endive"));
        assert_eq!(heard.header("stripe-context"), None);
        let id = app.number("SELECT id FROM pay_events WHERE gateway_event_id = 'evt_test_1'");
        let page = app.get(&format!("/payments/admin/events/{id}")).await.text();
        for words in
            ["Matched the secret thin", "checkout/sessions cs_", "done by Stripe", "checkout.session.answered"]
        {
            assert!(page.contains(words), "{words}: {page}");
        }
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("v1.checkout.session.completed"), "{page}");
        app.same(&token).await;
    }

    async fn without_an_api_key_thin_events_wait_and_say_so(kind) {
        let app = App::bare(kind, |builder| builder.variant("stripe", Stripe::new(SECRET).thin_secret(THIN))).await;
        let token = begun(&app).await;
        let (url, object) = session(&token);
        tell(&app, &thin(1, "v1.checkout.session.completed", &url)).await;
        assert_eq!((app.events("parked"), app.codes()), (1, vec!["needs_api_key".to_owned()]));
        let needs = "this variant has no API key, with which Stripe shows what its thin events name";
        let id = app.number("SELECT min(id) FROM pay_events");
        for address in [&format!("events/{id}"), "variants/stripe", "", &format!("events/{id}/dry-run")] {
            let page = app.get(&format!("/payments/admin/{address}")).await.text();
            assert!(page.contains(needs), "{address}: {page}");
        }
        // The snapshot of the same happening needs no key.
        app.deliver(&[&completed(&token)]).await;
        assert_eq!((app.status(&token).await, app.events("parked")), (Status::Paid, 1));
        // With a key all ends.
        let fake = Fake::new();
        fake.shows(&url, object);
        let gateway = fake.gateway();
        let again = App::at(app.url.clone(), None, |builder| builder.variant("stripe", gateway)).await;
        again.drain().await;
        assert_eq!((again.events("parked"), fake.questions()), (0, 1));
        assert_eq!(again.transitions(), ["pending → paid"]);
    }

    async fn snapshot_and_thin_side_by_side_do_nothing_twice_in_any_order(kind) {
        // 0: the snapshot, 1: its twin, 2: a thin event that names no twin.
        let orders = [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [2, 0, 1]];
        for (place, order) in orders.into_iter().enumerate() {
            let notes = Notes::default();
            let kept = notes.clone();
            let (app, fake) = app_with(kind, |builder| {
                builder.handler("note", move |step| {
                    kept.add(format!("{} → {}", step.from, step.to));
                    async { Ok(()) }
                })
            })
            .await;
            let token = begun(&app).await;
            let (url, object) = session(&token);
            fake.shows(&url, object);
            let snapshot = completed(&token);
            let id = serde_json::from_str::<Value>(&snapshot).unwrap()["id"].clone();
            let mut twin = thin(1, "v1.checkout.session.completed", &url);
            twin["snapshot_event"] = id;
            let other = thin(2, "v1.checkout.session.completed", &url);
            for which in order {
                // All at once in half of the cases, and each is delivered twice.
                for _ in 0..2 {
                    match which {
                        0 => assert_eq!(app.stripe(&snapshot).await.status, 200),
                        1 => send(&app, &twin).await,
                        _ => send(&app, &other).await,
                    }
                }
                if place % 2 == 0 {
                    app.drain().await;
                }
            }
            app.drain().await;
            assert_eq!(notes.all(), ["pending → paid"], "{order:?}");
            assert_eq!((app.status(&token).await, app.events("parked")), (Status::Paid, 0), "{order:?}");
            app.same(&token).await;
            if order == [0, 1, 2] {
                assert_eq!(app.codes()[1], "shown_before");
                assert_eq!(fake.questions(), 1, "the twin needs no question");
            }
        }
    }

    async fn semantic_kinds_of_a_subscription_show_it_whole(kind) {
        let (app, fake) = app(kind).await;
        let mut object = fixture("customer.subscription.updated")["data"]["object"].take();
        let id = object["id"].as_str().unwrap().to_owned();
        let url = format!("/v1/subscriptions/{id}");
        let told = [
            ("trialing", "trialing"), ("active", "active"), ("past_due", "past_due"), ("item_price_changed", "active"),
        ];
        for (number, (verb, status)) in told.iter().enumerate() {
            object["status"] = json!(status);
            fake.shows(&url, object.clone());
            fake.shelf.lock().unwrap().now += 60;
            tell(&app, &thin(number, &format!("v1.customer.subscription.{verb}"), &url)).await;
            assert_eq!(app.texts("SELECT gateway_status AS t FROM pay_subscriptions"), [*status]);
        }
        let token = app.texts("SELECT token AS t FROM pay_subscriptions").remove(0);
        let page = app.get(&format!("/payments/admin/subscriptions/{token}")).await.text();
        assert!(page.contains("v1.customer.subscription.past_due"), "{page}");
        // Its invoice, when that comes by itself.
        let invoice = fixture("invoice.payment_failed")["data"]["object"].take();
        let invoice_url = format!("/v1/invoices/{}", invoice["id"].as_str().unwrap());
        fake.shows(&invoice_url, invoice);
        tell(&app, &thin(9, "v1.invoice.payment_failed", &invoice_url)).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions WHERE invoice IS NOT NULL"), 1);
        assert_eq!(app.events("parked") + app.events("discarded"), 0);
    }

    async fn two_hundred_thin_events_about_one_object_cost_one_question(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app).await;
        let (url, object) = session(&token);
        fake.shows(&url, object);
        for number in 0..200 {
            let body = thin(number, "v1.checkout.session.completed", &url).to_string();
            let signature = sign_delivery(THIN, app.now(), body.as_bytes());
            let headers = vec![("stripe-signature".to_owned(), signature.into_bytes())];
            let delivery =
                actix_payments::domain::delivery::Delivery::new(body).with_headers(headers);
            app.payments.receive("stripe", delivery).await.unwrap();
        }
        app.drain().await;
        assert_eq!((fake.questions(), app.events("completed") + app.events("ignored")), (1, 201));
        assert_eq!(app.transitions(), ["pending → paid"]);
    }

    async fn what_stripe_does_not_show_is_given_up_loudly_and_alone(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app).await;
        let (url, object) = session(&token);
        fake.shows(&url, object);
        send(&app, &thin(1, "v1.charge.refunded", "/v1/charges/ch_of_another_account")).await;
        tell(&app, &thin(2, "v1.checkout.session.completed", &url)).await;
        assert_eq!((app.status(&token).await, app.events("discarded")), (Status::Paid, 1));
        let id = app.number("SELECT id FROM pay_events WHERE state = 'discarded'");
        let page = app.get(&format!("/payments/admin/events/{id}")).await.text();
        assert!(page.contains("404 invalid_request_error: No such object"), "{page}");
    }

    async fn a_connected_account_is_asked_about_in_its_own_context_and_only_if_it_is_named(kind) {
        let fake = Fake::new();
        let gateway = fake.gateway().accounts(["acct_ours"]);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let new = NewPayment::new("stripe", money(PRICE, "EUR")).account("acct_ours").without_checkout();
        let token = app.payments.create(new).await.unwrap().payment.token;
        let (url, object) = session(&token);
        fake.shows(&url, object);
        let mut event = thin(1, "v1.checkout.session.completed", &url);
        event["context"] = json!("acct_theirs");
        tell(&app, &event).await;
        assert_eq!((app.status(&token).await, fake.questions()), (Status::Pending, 0));
        let mut event = thin(2, "v1.checkout.session.completed", &url);
        event["context"] = json!("acct_ours");
        tell(&app, &event).await;
        assert_eq!((app.status(&token).await, fake.questions()), (Status::Paid, 1));
        assert_eq!(fake.asked()[0].header("stripe-context"), Some("acct_ours"));
        assert_eq!(app.texts("SELECT account AS t FROM pay_events WHERE source = 'answer'"), ["acct_ours"]);
    }

    async fn missed_events_are_looked_for_in_both_lists(kind) {
        let (app, fake) = app(kind).await;
        let tokens = [begun(&app).await, begun(&app).await];
        let (url, object) = session(&tokens[0]);
        fake.shows(&url, object);
        let other = changed("checkout.session.completed", &[
            ("/id", "evt_snapshot".into()), ("/data/object/id", "cs_other".into()),
            ("/data/object/payment_intent", "pi_other".into()),
            ("/data/object/client_reference_id", tokens[1].as_str().into()),
            ("/created", NOW.into()),
        ]);
        {
            let mut shelf = fake.shelf.lock().unwrap();
            shelf.snapshots = vec![serde_json::from_str(&other).unwrap()];
            // Of seven thin events, some are none of ours.
            shelf.thin = (0..7).map(|number| thin(number, "v1.customer.updated", "/v1/customers/cus_1")).collect();
            shelf.thin[1] = thin(1, "v1.checkout.session.completed", &url);
        }
        let done = app.payments.reconcile("stripe").await.unwrap();
        assert_eq!(done.found, 2, "{done:?}");
        app.drain().await;
        for token in &tokens {
            assert_eq!(app.status(token).await, Status::Paid);
        }
        assert_eq!(app.payments.reconcile("stripe").await.unwrap().found, 0);
        let heard = fake.listener.heard();
        let v2 = heard.iter().find(|heard| heard.path.starts_with("/v2/core/events")).unwrap();
        assert_eq!(v2.header("content-type"), Some("application/json"));
    }

    async fn where_only_thin_events_are_sent_missed_ones_are_looked_for_in_their_list_alone(kind) {
        let fake = Fake::new();
        let gateway = fake.called_by(Stripe::thin(THIN));
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let tokens = [begun(&app).await, begun(&app).await];
        let told = [0, 1].map(|at| {
            let (_, mut object) = session(&tokens[at]);
            object["id"] = json!(format!("cs_{at}"));
            object["payment_intent"] = json!(format!("pi_{at}"));
            let url = format!("/v1/checkout/sessions/cs_{at}");
            fake.shows(&url, object);
            url
        });
        tell(&app, &thin(0, "v1.checkout.session.completed", &told[0])).await;
        {
            // Stripe lists a snapshot of each happening, whatever the destinations send.
            let mut shelf = fake.shelf.lock().unwrap();
            shelf.snapshots = vec![serde_json::from_str(&completed(&tokens[1])).unwrap()];
            shelf.thin = told.iter().zip(0..).map(|(url, at)| thin(at, "v1.checkout.session.completed", url)).collect();
        }
        let done = app.payments.reconcile("stripe").await.unwrap();
        assert_eq!((done.listed, done.found), (2, 1), "what was sent is not missed");
        app.drain().await;
        for token in &tokens {
            assert_eq!(app.status(token).await, Status::Paid);
        }
        assert!(!fake.listener.heard().iter().any(|heard| heard.path.starts_with("/v1/events")));
    }

    async fn each_kind_of_object_is_read_as_its_snapshots_are(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app).await;
        app.deliver(&[&completed(&token)]).await;
        let about = [
            ("charge.succeeded", "charges"), ("payment_intent.succeeded", "payment_intents"),
            ("refund.created", "refunds"), ("charge.dispute.created", "disputes"),
            ("invoice_payment.paid", "invoice_payments"),
        ];
        for (number, (name, folder)) in about.iter().enumerate() {
            let object = fixture(name)["data"]["object"].take();
            let url = format!("/v1/{folder}/{}", object["id"].as_str().unwrap());
            fake.shows(&url, object);
            send(&app, &thin(number, &format!("v1.{name}"), &url)).await;
        }
        app.drain().await;
        assert_eq!((app.events("discarded"), fake.questions()), (0, 5), "{:?}", app.outcomes());
        let registers = app.texts("SELECT DISTINCT register AS t FROM pay_ledger ORDER BY 1");
        for register in ["capture", "refund", "dispute"] {
            assert!(registers.iter().any(|one| one == register), "{register}: {registers:?}");
        }
        // What states nothing of a payment is left to handlers, and nobody is asked.
        tell(&app, &thin(20, "v1.customer.updated", "/v1/customers/cus_1")).await;
        tell(&app, &thin(21, "v1.invoice.upcoming", "/v1/invoices/upcoming")).await;
        tell(&app, &thin(22, "v1.charge.updated", "/v1/charges/../balance")).await;
        assert_eq!(fake.questions(), 5);
        assert_eq!(app.events("parked") + app.events("discarded"), 0);
    }
}

#[test]
fn the_kinds_to_tick_say_both_ways() {
    let snapshots = Stripe::new(SECRET).setup().kinds;
    let both = Stripe::new(SECRET).thin_secret(THIN).setup();
    let (thin, rest): (Vec<&str>, Vec<&str>) = both.kinds.iter().partition(|kind| kind.starts_with("v1."));
    assert_eq!(rest, snapshots);
    assert_eq!(Stripe::thin(THIN).setup().kinds, thin);
    for kind in snapshots {
        assert!(thin.contains(&format!("v1.{kind}").as_str()), "{kind}");
    }
    assert!(thin.contains(&"v1.customer.subscription.past_due"));
    assert!(both.steps.iter().any(|step| step.contains("thin_secret")));
}

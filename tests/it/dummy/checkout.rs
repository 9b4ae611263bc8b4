//! Does the checkout page send what the customer chose, for the price that the host set, and then lead back?

use std::net::TcpListener;

use actix_payments::domain::fact::{Aspect, State};
use actix_payments::gateways::{Gateway, GatewayError, PageRequest, PageResponse, PaymentRequest, Started};
use proptest::prelude::*;

use super::endpoint::Endpoint;
use super::{NOW, SECRET, at, delivery, dummy, eur, understand, verify};
use crate::scenes::with;

type Fields = Vec<(String, String)>;

fn order() -> PaymentRequest {
    with(PaymentRequest::new("tok_1", eur(4999)), |it| {
        it.reference = Some("order 7 & <more>".into());
        it.address = Some("/payments/dummy".to_owned());
        it.return_url = Some("/orders/7?paid=maybe".to_owned());
        it.cancel_url = Some("https://shop.example/cart".to_owned());
    })
}

/// The link's fields, decoded as a browser's request would bring them.
async fn link(order: &PaymentRequest) -> Fields {
    let Started::Redirect { url, gateway_refs } = dummy().start(order).await.unwrap() else { panic!("no redirect") };
    assert_eq!(gateway_refs, ["dp_tok_1"]);
    let query = url.strip_prefix("/payments/dummy/checkout?").unwrap();
    actix_web::web::Query::<Fields>::from_query(query).unwrap().into_inner()
}

fn open(query: Fields) -> PageRequest {
    with(PageRequest::get("/payments/dummy", "checkout", at(NOW)), |it| {
        it.endpoint = "http://127.0.0.1:9/".to_owned();
        it.query = query;
    })
}

fn chosen(mut fields: Fields, choice: &str, endpoint: &str) -> PageRequest {
    fields.push(("choice".to_owned(), choice.to_owned()));
    with(open(Vec::new()), |it| {
        it.post = true;
        it.endpoint = endpoint.to_owned();
        it.form = fields;
    })
}

async fn page(request: &PageRequest) -> PageResponse {
    dummy().page(request).await.unwrap()
}

fn status(response: &PageResponse) -> u16 {
    match response {
        PageResponse::Error(status, words) => {
            assert!(!words.contains(SECRET));
            *status
        }
        _ => 200,
    }
}

/// The hidden fields of a page's form.
fn hidden(html: &str) -> Fields {
    let inputs = html.split("<input type=\"hidden\" name=\"").skip(1);
    let pairs = inputs.map(|rest| rest.split('"').collect::<Vec<_>>());
    let decoded = |text: &str| text.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&");
    pairs.map(|parts| (parts[0].to_owned(), decoded(parts[2]))).collect()
}

#[actix_web::test]
async fn the_page_shows_the_price_and_carries_the_link_along() {
    let fields = link(&order()).await;
    let PageResponse::Html(html) = page(&open(fields.clone())).await else { panic!("no page") };
    assert!(html.contains("49.99 EUR"));
    assert!(html.contains("href=\"/payments/static/dummy.css\""));
    assert!(html.contains("action=\"/payments/dummy/checkout\""));
    assert_eq!(hidden(&html), fields);
    assert!(!html.contains("<more>") && !html.contains(SECRET));
}

#[actix_web::test]
async fn every_choice_sends_its_signed_event() {
    let choices = [
        ("pay", Aspect::Capture, State::Succeeded),
        ("fail", Aspect::Authorization, State::Failed),
        ("authorize", Aspect::Authorization, State::Authorized),
    ];
    let mut ids = Vec::new();
    for (choice, aspect, state) in choices {
        let endpoint = Endpoint::answering("200 OK", "");
        let answer = page(&chosen(link(&order()).await, choice, &endpoint.url)).await;
        assert_eq!(answer, PageResponse::Redirect("/orders/7?paid=maybe".to_owned()));

        let delivery = endpoint.taken();
        assert_eq!(delivery.header("content-type").unwrap(), "application/json");
        let said = understand(&delivery).unwrap();
        let fact = &said.facts[0];
        assert_eq!((fact.aspect, fact.state, fact.amount), (aspect, state, Some(4999)));
        assert_eq!((fact.gateway_ref.as_str(), &said.references.tokens[..]), ("dp_tok_1", &["tok_1".into()][..]));
        ids.push(fact.event_id.clone());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[actix_web::test]
async fn who_walks_away_sends_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let answer = page(&chosen(link(&order()).await, "walk_away", &endpoint)).await;
    assert_eq!(answer, PageResponse::Redirect("https://shop.example/cart".to_owned()));
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[actix_web::test]
async fn an_altered_link_is_refused_whichever_field_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let sound = link(&order()).await;
    assert_eq!(sound.len(), 7);
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at].1 = match changed[at].0.as_str() {
            "amount" => "1".to_owned(),
            "currency" => "JPY".to_owned(),
            _ => format!("{}0", changed[at].1),
        };
        let mut without = sound.clone();
        without.remove(at);
        for altered in [changed, without] {
            assert_eq!(status(&page(&chosen(altered.clone(), "pay", &endpoint)).await), 400, "{altered:?}");
            assert_eq!(status(&page(&open(altered)).await), 400);
        }
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[actix_web::test]
async fn a_field_cannot_be_smuggled_into_another() {
    let innocent = with(order(), |it| it.reference = Some("7&amount=1".into()));
    let mut fields = link(&innocent).await;
    assert_eq!(fields[1].1, "7&amount=1");
    fields[1].1 = "7".to_owned();
    fields.insert(2, ("amount".to_owned(), "1".to_owned()));
    assert_eq!(status(&page(&open(fields)).await), 400);
}

#[actix_web::test]
async fn a_link_is_no_event() {
    let Started::Redirect { url, .. } = dummy().start(&order()).await.unwrap() else { panic!("no redirect") };
    let (signed, signature) = url.split_once('?').unwrap().1.split_once("&signature=").unwrap();
    for time in ["checkout", "1"] {
        assert!(verify(&delivery(&format!("t={time},v1={signature}"), signed), NOW).is_err());
    }
}

#[actix_web::test]
async fn nobody_is_led_to_an_address_that_is_not_plain() {
    for url in ["//evil.example", "/\\evil.example", "javascript:alert(1)", "evil.example", "/\t/evil.example"] {
        let order = with(order(), |it| {
            it.return_url = Some(url.to_owned());
            it.cancel_url = Some(url.to_owned());
        });
        let endpoint = Endpoint::answering("200 OK", "");
        let paid = page(&chosen(link(&order).await, "pay", &endpoint.url)).await;
        assert!(matches!(&paid, PageResponse::Html(html) if html.contains("Thank you")), "{url}: {paid:?}");
        let left = page(&chosen(link(&order).await, "walk_away", "")).await;
        assert!(matches!(&left, PageResponse::Html(html) if html.contains("You walked away")), "{url}: {left:?}");
    }
}

#[actix_web::test]
async fn the_customer_is_told_what_the_endpoint_answered() {
    let told = async |endpoint: &str| page(&chosen(link(&order()).await, "pay", endpoint)).await;
    let cases = [
        ("400 Bad Request", "signature_mismatch", "answered 400 (signature_mismatch) to"),
        ("404 Not Found", "<h1>No such page</h1>", "answered 404 to"),
        ("204 No Content", "", "answered 204 to"),
        ("302 Found\r\nlocation: http://127.0.0.1:9/", "", "answered 302 to"),
    ];
    for (status, body, expected) in cases {
        let answer = told(&Endpoint::answering(status, body).url).await;
        assert!(matches!(&answer, PageResponse::Error(502, why) if why.contains(expected)), "{answer:?}");
    }
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    for (endpoint, expected) in [(closed.as_str(), "did not reach"), ("https://shop.example/", "over plain http")] {
        let answer = told(endpoint).await;
        assert!(matches!(&answer, PageResponse::Error(502, why) if why.contains(expected)), "{answer:?}");
    }
}

#[actix_web::test]
async fn a_choice_that_does_not_exist_is_asked_for_again() {
    let answer = page(&chosen(link(&order()).await, "steal", "")).await;
    assert!(matches!(&answer, PageResponse::Html(html) if html.contains("role=\"alert\"")), "{answer:?}");
}

#[actix_web::test]
async fn there_is_one_page() {
    for path in ["", "/", "checkout/", "Checkout"] {
        assert_eq!(dummy().page(&with(open(Vec::new()), |it| it.path = path.to_owned())).await, None, "{path}");
    }
}

#[actix_web::test]
async fn what_cannot_be_started_is_refused_in_words() {
    let unmounted = dummy().start(&with(order(), |it| it.address = None)).await;
    assert!(matches!(&unmounted, Err(GatewayError::Unsupported(why)) if why.contains("mounted")), "{unmounted:?}");
    let free = dummy().start(&with(order(), |it| it.amount = eur(0))).await;
    assert_eq!(free, Err(GatewayError::Declined("expected an amount above zero, got 0.00 EUR".to_owned())));
}

proptest! {
    #[test]
    fn whatever_the_order_says_the_link_brings_it_back(
        token in "\\PC{1,20}", reference: Option<String>, minor in 1..i64::MAX, cancel_url: Option<String>,
    ) {
        let order = with(order(), |it| { it.reference = reference.map(Into::into); it.token = token.into(); it.amount = eur(minor); it.cancel_url = cancel_url; });
        let runtime = actix_web::rt::Runtime::new().unwrap();
        let answer = runtime.block_on(async {
            let Started::Redirect { url, .. } = dummy().start(&order).await.unwrap() else { panic!("no redirect") };
            let query = url.split_once('?').unwrap().1;
            page(&open(actix_web::web::Query::<Fields>::from_query(query).unwrap().into_inner())).await
        });
        prop_assert!(matches!(answer, PageResponse::Html(html) if html.contains(&eur(minor).to_string())));
    }

    #[test]
    fn whatever_fields_come_nothing_panics(fields: Fields, post: bool) {
        let request = with(open(fields.clone()), |it| {
            it.post = post;
            it.form = fields;
        });
        let runtime = actix_web::rt::Runtime::new().unwrap();
        prop_assert_eq!(status(&runtime.block_on(page(&request))), 400);
    }
}

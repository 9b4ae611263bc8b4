//! What strangers, gateways and senders may put into the log and into stored headers: little, and no secret.

use actix_payments::gateways::dummy::Dummy;
use actix_payments::{ErrorKind, HandlerError, NewPayment};
use actix_web::http::Method;

use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::faults::log;
use crate::scenes::{completed, money};
use crate::stripe::fake::{Fake, Fault};

#[actix_web::test]
async fn refused_deliveries_do_not_fill_the_log() {
    log::listen();
    let app = App::new(Kind::Sqlite).await;
    let long = "v".repeat(60_000);
    for number in 0..100 {
        let path = format!("/payments/{number}{long}/");
        assert_eq!(app.request(Method::POST, &path, &[], b"{}").await.status, 404);
        app.request(Method::POST, "/payments/stripe/", &[("stripe-signature", "t=1,v1=0")], b"{}").await;
    }
    let lines = log::lines("");
    let size: usize = lines.iter().map(String::len).sum();
    assert!(size < 10_000, "{size} bytes: {:.500}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.contains("unknown_variant")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("reason=signature_mismatch")), "{lines:?}");
}

#[actix_web::test]
async fn what_a_gateway_says_is_logged_without_addresses() {
    log::listen();
    let fake = Fake::new(NOW);
    let gateway = fake.gateway(SECRET);
    let refuse = |_| async { Err(HandlerError::retry("SMTP: mailbox mia@shop.example is full")) };
    let app = App::bare(Kind::Sqlite, |builder| builder.variant("stripe", gateway).handler("send", refuse)).await;
    let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
    let token = app.payments.create(new).await.unwrap().payment.token;
    fake.pay(&token);
    app.payments.catch_up(&token).await.unwrap();
    let refused = app.payments.refund(&token, actix_payments::Refund::part(money(99_999, "EUR"))).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
    fake.state().faults.push_back(Some(Fault::Decline));
    app.payments.refresh(&token).await.unwrap_err();
    app.drain().await;
    assert!(
        log::lines("mailbox").iter().any(|line| line.contains("(an e-mail address) is full")),
        "{:?}",
        log::lines("")
    );
    for line in log::lines("") {
        assert!(!line.contains('@') && line.len() < 600, "{line}");
    }
}

on_both_databases! {
    async fn header_fields_that_are_secrets_are_neither_stored_nor_shown(kind) {
        let app = App::new(kind).await;
        let body = completed("x");
        let signature = actix_payments::gateways::stripe::sign_delivery(SECRET, app.now(), body.as_bytes());
        let headers = [
            ("stripe-signature", signature.as_str()), ("x-webhook-secret", "hidden"), ("x-webhook-token", "hidden"),
            ("webhook-authorization", "hidden"), ("x-signature-key", "hidden"), ("x-webhook-id", "shown"),
        ];
        assert_eq!(app.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes()).await.status, 200);
        let stored = app.texts("SELECT headers AS t FROM pay_event_bodies").remove(0);
        assert!(!stored.contains("hidden") && stored.contains("shown") && stored.contains("stripe-signature"), "{stored}");
        // What an earlier release stored is not shown.
        app.run(r#"UPDATE pay_event_bodies SET headers = '{"x-webhook-secret":"hidden","x-webhook-id":"seen"}'"#);
        let page = app.get("/payments/admin/events/1").await.text();
        assert!(page.contains("seen") && !page.contains("hidden"), "{page}");
    }
}

/// A gateway whose API sends customers wherever it says.
fn sending(to: &'static str) -> Sending {
    Sending(Dummy::new("secret"), to)
}

struct Sending(Dummy, &'static str);

impl actix_payments::gateways::Gateway for Sending {
    fn name(&self) -> &'static str {
        "Sending"
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    fn verify<'a>(
        &'a self,
        delivery: &'a actix_payments::domain::delivery::Delivery,
        now: actix_payments::domain::Timestamp,
    ) -> actix_payments::gateways::Verification<'a> {
        self.0.verify(delivery, now)
    }

    fn interpret(
        &self,
        event: &actix_payments::domain::event::Recorded<'_>,
    ) -> Result<actix_payments::domain::event::Interpretation, actix_payments::domain::event::Malformed> {
        self.0.interpret(event)
    }

    fn start<'a>(
        &'a self,
        _: &'a actix_payments::gateways::PaymentRequest,
    ) -> actix_payments::gateways::BoxFuture<
        'a,
        Result<actix_payments::gateways::Started, actix_payments::gateways::GatewayError>,
    > {
        let (url, gateway_refs) = (self.1.to_owned(), Vec::new());
        Box::pin(async move { Ok(actix_payments::gateways::Started::Redirect { url, gateway_refs }) })
    }
}

#[actix_web::test]
async fn nobody_is_sent_to_an_address_that_is_no_page_over_tls() {
    for (url, is_good) in [
        ("https://pay.example/s/1?a=b#c", true),
        ("http://127.0.0.1:9999/pay", true),
        ("http://localhost/pay", true),
        ("/payments/dummy/checkout?token=1", true),
        ("http://pay.example/", false),
        ("http://127.0.0.1@evil.example/", false),
        ("http://127.0.0.1.evil.example/", false),
        ("https://", false),
        ("https://shop.example@evil.example/", false),
        ("javascript:alert(1)", false),
        ("//evil.example/", false),
        ("/\\evil.example/", false),
        ("https://pay.example/\r\nset-cookie: a=b", false),
        ("HTTPS:pay.example", false),
        ("", false),
    ] {
        let app = App::bare(Kind::Sqlite, |builder| builder.variant("sending", sending(url))).await;
        let created = app.payments.create(NewPayment::new("sending", money(1, "EUR"))).await;
        assert_eq!(created.is_ok(), is_good, "{url:?}");
        let error = created.err();
        assert!(error.is_none_or(|error| error.kind() == ErrorKind::Gateway), "{url:?}");
    }
}

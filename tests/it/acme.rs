//! Is a gateway that was written by the guide alone as good as those of the crate? It is the example's, whole.

#[path = "../../examples/acme/gateway.rs"]
mod gateway;

use actix_payments::NewPayment;
use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::payment::Status;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::conformance::Conformance;
use actix_web::http::Method;
use gateway::Acme;

use crate::app::{App, NOW, on_both_databases};

fn event(id: &str, kind: &str, object: &str) -> String {
    format!(r#"{{"id":"{id}","kind":"{kind}","at":{NOW},"live":false,"object":{{{object}}}}}"#)
}

fn story(token: &str) -> [String; 3] {
    let payment = format!(r#""id":"pay_1","amount":"49.99","currency":"EUR","merchant_reference":"{token}""#);
    [
        event("evt_1", "payment.authorized", &payment),
        event("evt_2", "payment.paid", &payment),
        event("evt_3", "refund.done", r#""id":"re_1","payment":"pay_1","amount":"9.99","currency":"EUR""#),
    ]
}

#[actix_web::test]
async fn it_keeps_the_promises() {
    let (acme, now) = (Acme::new("hidden"), Timestamp::from_unix_timestamp(NOW).unwrap());
    let mut suite = Conformance::new(&acme).secret("hidden");
    for body in story("pay_token") {
        let headers = acme.sign(body.as_bytes(), now).unwrap().into_iter();
        let headers = headers.map(|(name, value)| (name, value.into_bytes())).collect();
        suite = suite.delivery(Delivery::new(body).with_headers(headers), now);
    }
    suite.check().await.unwrap();
    assert!(Acme::new(" ").check().is_err());
}

on_both_databases! {
    async fn its_events_end_in_the_right_payment_and_its_pages_are_there(kind) {
        let app = App::with(kind, |b| b.variant("acme", Acme::new("hidden"))).await;
        let eur = |minor| Money::new(minor, Currency::parse("EUR").unwrap());
        let token = app.payments.create(NewPayment::new("acme", eur(4999))).await.unwrap().payment.token;
        // The refund comes first: it waits for its payment.
        for body in story(&token).iter().rev() {
            let headers = Acme::new("hidden").sign(body.as_bytes(), Timestamp::from_unix_timestamp(app.now()).unwrap()).unwrap();
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(app.request(Method::POST, "/payments/acme/", &headers, body.as_bytes()).await.status, 200);
            app.drain().await;
        }
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.status, payment.captured, payment.refunded), (Status::PartiallyRefunded, eur(4999), eur(999)));
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("refunded: 9.99 EUR"), "{page}");
        let page = app.get("/payments/admin/variants/acme").await.text();
        assert!(page.contains("merchant_reference") && page.contains("payment.authorized"), "{page}");
    }
}

//! Do tokens and the other names go through a host's routes and tables as what they are?

use actix_payments::domain::person::Person;
use actix_payments::{AnyRef, EventQuery, GatewayRef, NewPayment, PaymentQuery, Payments, SubscriptionQuery, Token};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App as Web, HttpResponse, web};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::app::{App, on_both_databases};
use crate::scenes::{completed, money};

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Text)]
    token: Token,
}

#[derive(QueryableByName)]
struct Refund {
    #[diesel(sql_type = Text)]
    gateway_ref: GatewayRef,
}

/// Runs the same statement on whichever database it is.
macro_rules! on {
    ($conn:expr, $one:ident => $run:expr) => {
        match $conn {
            AnyRef::Sqlite($one) => $run,
            AnyRef::Postgres($one) => $run,
            _ => unreachable!("there are two"),
        }
    };
}

async fn status(payments: web::Data<Payments>, token: web::Path<Token>) -> HttpResponse {
    match payments.payment(&token).await.unwrap() {
        Some(payment) => HttpResponse::Ok().body(payment.status.as_str()),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn token_at(payments: web::Data<Payments>, gateway_ref: web::Path<GatewayRef>) -> HttpResponse {
    match payments.payment_at("stripe", &*gateway_ref).await.unwrap() {
        Some(payment) => HttpResponse::Ok().body(payment.token.to_string()),
        None => HttpResponse::NotFound().finish(),
    }
}

on_both_databases! {
    async fn a_token_goes_through_a_hosts_path_and_column_and_finds_its_payment(kind) {
        let app = App::new(kind).await;
        let new = NewPayment::new("stripe", money(4999, "EUR")).without_checkout();
        let token = app.payments.create(new).await.unwrap().payment.token;
        let service = Web::new().app_data(web::Data::new(app.payments.clone())).route("/{token}", web::get().to(status));
        let service = init_service(service).await;
        let found = call_service(&service, TestRequest::get().uri(&format!("/{token}")).to_request()).await;
        assert_eq!(read_body(found).await, "pending");
        for nobodys in ["nobody", "nobody%00"] {
            let answer = call_service(&service, TestRequest::get().uri(&format!("/{nobodys}")).to_request()).await;
            assert_eq!(answer.status(), 404, "{nobodys}");
        }

        let mut conn = app.database.connection().unwrap();
        let kept: Kept = on!(conn.lent(), conn => {
            diesel::sql_query("CREATE TABLE kept (token TEXT NOT NULL)").execute(conn).unwrap();
            diesel::sql_query("INSERT INTO kept VALUES ($1)").bind::<Text, _>(&token).execute(conn).unwrap();
            diesel::sql_query("SELECT token FROM kept").get_result(conn).unwrap()
        });
        assert_eq!(kept.token, token);
    }

    async fn a_gateways_id_goes_through_a_hosts_path_and_column_and_finds_its_payment(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let history = app.payments.history(&token).await.unwrap().unwrap();
        let known: &GatewayRef = history.gateway_refs.iter().find(|id| id.starts_with("pi_")).unwrap();
        let shown = serde_json::to_value(&history).unwrap();
        assert!(shown["gateway_refs"].as_array().unwrap().contains(&known.as_str().into()), "{shown}");
        let service = Web::new().app_data(web::Data::new(app.payments.clone())).route("/{id}", web::get().to(token_at));
        let service = init_service(service).await;
        let found = call_service(&service, TestRequest::get().uri(&format!("/{known}")).to_request()).await;
        assert_eq!(read_body(found).await, token.as_str());
        for nobodys in ["pi_nobodys", "pi_%00", "pi_%0A"] {
            let answer = call_service(&service, TestRequest::get().uri(&format!("/{nobodys}")).to_request()).await;
            assert_eq!(answer.status(), 404, "{nobodys}");
        }

        let mut conn = app.database.connection().unwrap();
        let kept: Refund = on!(conn.lent(), conn => {
            diesel::sql_query("CREATE TABLE refunds (gateway_ref TEXT NOT NULL)").execute(conn).unwrap();
            diesel::sql_query("INSERT INTO refunds VALUES ($1)").bind::<Text, _>(known).execute(conn).unwrap();
            diesel::sql_query("SELECT gateway_ref FROM refunds").get_result(conn).unwrap()
        });
        assert_eq!(kept.gateway_ref, *known);
    }

    async fn a_text_that_no_row_can_have_finds_nothing(kind) {
        let app = App::new(kind).await;
        let payments = &app.payments;
        assert_eq!(payments.history(&"a\0b".into()).await.unwrap(), None);
        assert_eq!(payments.payments_with_reference(&"a\0b".into()).await.unwrap(), []);
        assert_eq!(payments.payment_at("stripe\0", "pi_1").await.unwrap(), None);
        assert_eq!(payments.subscription_at("stripe", "sub_\0").await.unwrap(), None);
        assert_eq!(payments.subscription_at("stripe\0", "sub_1").await.unwrap(), None);
        assert_eq!(payments.subscription(&"a\0b".into()).await.unwrap(), None);
        assert!(payments.event("stripe", "evt_\0").await.unwrap().is_none());
        assert!(payments.event("stripe\0", "evt_1").await.unwrap().is_none());
        let refused = payments.cancel_subscription(&"a\0b".into()).await.unwrap_err();
        assert_eq!(refused.kind(), actix_payments::ErrorKind::NotFound, "{refused}");
        let refused = payments.refund(&"a\0b".into(), actix_payments::Refund::part(money(1, "EUR"))).await.unwrap_err();
        assert_eq!(refused.kind(), actix_payments::ErrorKind::NotFound, "{refused}");
        assert!(!payments.active("user\0").await.unwrap());
        for query in [PaymentQuery::new().customer("a\0"), PaymentQuery::new().account("a\0").variant("a\0")] {
            assert_eq!(payments.list(query).await.unwrap().payments, []);
        }
        let query = EventQuery::new().account("a\0").kind("a\0").variant("a\0");
        assert!(payments.events(query).await.unwrap().events.is_empty());
        let query = SubscriptionQuery::new().owner("a\0").customer("a\0").variant("a\0");
        assert!(payments.subscriptions(query).await.unwrap().subscriptions.is_empty());
        for nobody in [Person::customer("a\0"), Person::email("a\0")] {
            payments.export(&nobody).await.unwrap();
        }
        for address in ["payments/a%00", "subscriptions/a%00", "variants/a%00"] {
            assert_eq!(app.get(&format!("/payments/admin/{address}")).await.status, 404, "{address}");
        }
        for address in ["variants/stripe?test=%00", "variants?from=%00"] {
            assert_eq!(app.get(&format!("/payments/admin/{address}")).await.status, 200, "{address}");
        }
    }

    async fn a_name_that_can_be_no_variants_is_refused_by_whoever_takes_it(kind) {
        let app = App::new(kind).await;
        let unknown = app.payments.create(NewPayment::new("Not a name", money(1, "EUR"))).await.unwrap_err();
        assert_eq!(unknown.kind(), actix_payments::ErrorKind::NotFound);
        assert!("Not a name".parse::<actix_payments::VariantName>().is_err());
        let long = NewPayment::new("stripe", money(1, "EUR")).reference("x".repeat(256));
        assert_eq!(app.payments.create(long).await.unwrap_err().kind(), actix_payments::ErrorKind::Refused);
        assert!("x".repeat(256).parse::<actix_payments::Reference>().is_err());
    }
}

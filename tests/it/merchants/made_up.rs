//! Names that strangers make up: how often the host's function is asked for them.

use actix_payments::Payments;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_web::http::Method;

use super::directory::{Directory, market, secret_of};
use super::event;
use crate::app::{App, on_both_databases};

/// What comes of a delivery to this name from there.
async fn from(payments: &Payments, client: &str, name: &str) -> Rejection {
    payments.receive_from(name, Delivery::new("{}"), client).await.unwrap_err()
}

/// How many of these names of one client the function is asked for.
async fn asked_of(app: &App, directory: &Directory, client: &str, names: usize) -> usize {
    let before = directory.asked();
    for number in 0..names {
        let rejection = from(&app.payments, client, &format!("made-up-{client}-{number}")).await;
        assert!([Rejection::UnknownVariant, Rejection::TooManyNames].contains(&rejection), "{rejection}");
    }
    directory.asked() - before
}

on_both_databases! {
    async fn a_client_has_the_function_asked_for_so_many_names_a_minute_that_were_never_seen(kind) {
        let directory = Directory::of(["anna", "bert", "carl"].map(str::to_owned));
        let app = App::bare(kind, |builder| directory.source(builder).variants_never_seen(60)).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        assert_eq!(asked_of(&app, &directory, "a", 200).await, 60);
        assert_eq!(from(&app.payments, "a", "bert").await, Rejection::TooManyNames, "never seen either");
        // Another client has its own bound, and whoever was seen has none.
        assert_ne!(from(&app.payments, "b", "bert").await, Rejection::TooManyNames);
        assert_ne!(from(&app.payments, "a", "bert").await, Rejection::TooManyNames);
        assert_ne!(from(&app.payments, "a", "anna").await, Rejection::TooManyNames);
        // All together have ten times as much.
        let mut asked = 0;
        for client in 0..12 {
            asked += asked_of(&app, &directory, &format!("c{client}"), 60).await;
        }
        assert_eq!(asked, 538);
        assert_eq!(from(&app.payments, "d", "carl").await, Rejection::TooManyNames);
        app.pass(60);
        assert_ne!(from(&app.payments, "a", "carl").await, Rejection::TooManyNames);
        app.counted("rejected:too_many_names", 140 + 1 + 182 + 1);
    }

    async fn merchants_with_rows_are_never_starved_by_made_up_names_not_even_after_a_restart(kind) {
        let (app, directory) = market(kind, &["anna", "bert"]).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        let again = App::at(app.url.clone(), None, |builder| directory.source(builder).variants_never_seen(2)).await;
        assert_eq!(asked_of(&again, &directory, "a", 10).await, 2);
        assert_ne!(from(&again.payments, "a", "anna").await, Rejection::TooManyNames);
        assert_eq!(from(&again.payments, "a", "bert").await, Rejection::TooManyNames);
    }

    async fn merchants_with_rows_use_up_nothing_of_what_is_for_names_that_were_never_seen(kind) {
        let (app, directory) = market(kind, &["anna", "bert"]).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        let again = App::at(app.url.clone(), None, |builder| directory.source(builder).variants_never_seen(1)).await;
        assert_eq!(again.signed_with(&secret_of("anna"), "anna", &event("evt_2")).await, 200);
        assert_eq!(again.signed_with(&secret_of("bert"), "bert", &event("evt_1")).await, 200);
    }

    async fn whoever_asks_for_too_many_names_is_to_come_again_for_deliveries_as_for_pages(kind) {
        let directory = Directory::of(["anna".to_owned()]);
        let app = App::bare(kind, |builder| directory.source(builder).variants_never_seen(1)).await;
        assert_eq!(app.request(Method::POST, "/payments/made-up/", &[], b"{}").await.status, 404);
        for (method, path) in [(Method::POST, "/payments/other/"), (Method::GET, "/payments/another/checkout")] {
            let answer = app.request(method, path, &[], b"{}").await;
            assert_eq!((answer.status, answer.body.as_str()), (429, "too_many_names"), "{path}");
            assert!(answer.header("retry-after").is_some());
        }
        assert_eq!(directory.asked(), 1);
    }
}

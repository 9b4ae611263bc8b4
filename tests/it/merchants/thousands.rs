//! The lists of a marketplace of more merchants than anybody reads the names of.

use std::collections::BTreeSet;

use actix_payments::gateways::dummy::Dummy;
use actix_payments::{Access, Database, HostConnection, Payments, Variant};
use actix_web::{App as ActixApp, HttpRequest, test};
use diesel::connection::{Connection, SimpleConnection};
use diesel::r2d2::{ConnectionManager, Pool, R2D2Connection};

use super::directory::Directory;
use crate::app::{ADMIN, App, Kind, fresh_database, on_both_databases, staff};
use crate::lists::plans::{Listen, Statements};
use crate::lists::rows;

/// How many merchants have a payment, an event and references of each.
const MERCHANTS: i64 = 25_000;

/// What gives each of the rows to a merchant of its own.
const EACH: [&str; 4] = [
    "UPDATE pay_payments SET variant = 'merchant-' || (100000 + id), absorbed_by = NULL",
    "UPDATE pay_events SET variant = 'merchant-' || (100000 + id)",
    "UPDATE pay_references SET variant = 'merchant-' || (100000 + payment_id)",
    "UPDATE pay_event_references SET variant = 'merchant-' || (100000 + event_id)",
];

async fn late(_: HttpRequest) -> Result<Access, actix_web::Error> {
    Ok(Access::full("ann").only(["merchant-124990"]))
}

on_both_databases! {
    async fn the_ids_of_the_last_of_many_thousands_of_merchants_are_found(kind) {
        let directory = Directory::default();
        let app = App::bare(kind, |builder| directory.source(builder)).await;
        for sql in rows(kind, MERCHANTS, MERCHANTS).iter().map(String::as_str).chain(EACH) {
            app.run(sql);
        }
        let behind = app.behind(late).await;
        for (page, row) in
            [("events?q=evt_24990", "/events/24990"), ("events?q=ch_2499", "/events/24990"), ("payments?q=pi_24990", "/payments/pay_24990")]
        {
            for answer in [app.get(&format!("/payments/admin/{page}")).await, behind.get(&format!("/payments/admin/{page}")).await] {
                assert!(answer.body.contains(row), "{page}: {}", answer.text());
            }
        }
        for id in ["evt_24990", "pi_24990"] {
            for answer in [app.get(&format!("/payments/admin/search?for={id}")).await, behind.get(&format!("/payments/admin/search?for={id}")).await] {
                assert!(answer.header("location").unwrap_or(&answer.body).contains("24990"), "{id}: {}", answer.text());
            }
        }
        let other = behind.get("/payments/admin/events?q=evt_24989").await;
        assert!(!other.body.contains("/events/24989"), "{}", other.text());
    }

    async fn a_list_reads_no_names_of_merchants_unless_it_looks_for_an_id_among_all(kind) {
        match kind {
            Kind::Sqlite => list_without_names::<diesel::SqliteConnection>(kind).await,
            Kind::Postgres => list_without_names::<diesel::PgConnection>(kind).await,
        }
    }
}

/// Opens lists of all kinds; what they ask of the database steps through no names of variants.
async fn list_without_names<C>(kind: Kind)
where
    C: HostConnection<Manager = ConnectionManager<C>> + R2D2Connection + Connection + SimpleConnection + 'static,
{
    let (url, _folder) = fresh_database(kind);
    let address = url.trim_start_matches("sqlite://");
    let statements = Statements::default();
    let listen = Box::new(Listen(statements.clone()));
    let pool = Pool::builder().max_size(2).connection_customizer(listen).build(ConnectionManager::<C>::new(address));
    let payments = Payments::builder(Database::from_pool(pool.unwrap()))
        .variants_from(|_| async { Ok(Some(Variant::new(Dummy::new("secret")))) })
        .build()
        .unwrap();
    payments.migrate().await.unwrap();
    let mut conn = C::establish(address).unwrap();
    for sql in rows(kind, 3_000, 3_000).iter().map(String::as_str).chain(EACH) {
        conn.batch_execute(sql).unwrap();
    }
    let everybody = test::init_service(ActixApp::new().service(payments.mount("/payments").admin(staff()))).await;
    let ann = |_: HttpRequest| async { Ok::<_, actix_web::Error>(Access::full("ann").only(["merchant-102990"])) };
    let limited = test::init_service(ActixApp::new().service(payments.mount("/payments").admin(ann))).await;
    let lists = ["payments", "events", "subscriptions", "payments?newer_than=9", "events?newer_than=9", "payments.csv"];
    let chosen = ["events?variant=merchant-102990&q=evt_2990", "payments?variant=merchant-102990&q=pi_2990"];
    let own = ["events?q=evt_2990", "payments?q=pi_2990", "search?for=evt_2990", "failures", ""];
    let names_read = |statements: &Statements| {
        let all: BTreeSet<String> = std::mem::take(&mut statements.lock().unwrap());
        all.into_iter().filter(|sql| sql.contains("min(variant)")).collect::<Vec<_>>()
    };
    names_read(&statements);
    for page in lists.iter().chain(&chosen) {
        let request = test::TestRequest::get().uri(&format!("/payments/admin/{page}")).append_header(ADMIN);
        let response = test::call_service(&everybody, request.to_request()).await;
        assert_eq!(response.status(), 200, "{page}");
        test::read_body(response).await;
        assert_eq!(names_read(&statements), [""; 0], "{page}");
    }
    for page in lists.iter().chain(&chosen).chain(&own) {
        let request = test::TestRequest::get().uri(&format!("/payments/admin/{page}")).to_request();
        let response = test::call_service(&limited, request).await;
        assert!([200, 303].contains(&response.status().as_u16()), "{page}");
        test::read_body(response).await;
        assert_eq!(names_read(&statements), [""; 0], "limited: {page}");
    }
    // One that looks among all does, a bounded number of times.
    let request = test::TestRequest::get().uri("/payments/admin/events?q=evt_2990").append_header(ADMIN);
    let response = test::call_service(&everybody, request.to_request()).await;
    assert!(String::from_utf8_lossy(&test::read_body(response).await).contains("/events/2990"));
    assert_eq!(names_read(&statements).len(), 1);
}

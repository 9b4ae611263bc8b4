//! Can an operator look for a person, export what is held, and erase them, without a script and only who may?

use actix_payments::Access;
use actix_web::HttpRequest;
use actix_web::http::Method;

use super::{EMAIL, with_key};
use crate::app::{ADMIN, App, on_both_databases};

const FORM: &str = "by=email&who=mia.kowalska%40shop.example";

on_both_databases! {
    async fn an_operator_looks_exports_and_erases(kind) {
        let app = App::with(kind, with_key).await;
        let token = app.paid_by_mia(1).await;
        let data = app.get("/payments/admin/data").await;
        assert!(data.status == 200 && data.body.contains("action=\"/payments/admin/data/person\""), "{}", data.body);
        let found = app.post("/payments/admin/data/person", FORM).await;
        assert!(found.text().contains("Found: 1 payment, no subscriptions and 1 event."), "{}", found.text());
        assert!(found.body.contains(token.as_str()) && found.body.contains("/payments/admin/data/person/erase"), "{}", found.body);
        assert!(app.get("/payments/admin/data/person").await.status >= 404, "an address that can't be asked for");
        let export = app.post("/payments/admin/data/person/export", FORM).await;
        assert!(export.body.contains(EMAIL) && export.header("content-disposition").unwrap().contains("person.json"));
        assert_eq!(export.header("cache-control"), Some("no-store"));
        let done = app.post("/payments/admin/data/person/erase", FORM).await;
        assert!(done.status == 200 && done.text().contains("The person was erased"), "{}", done.text());
        assert_eq!(app.found(), Vec::<String>::new());
        let acts = app.texts("SELECT act || ' by ' || actor AS t FROM pay_audit ORDER BY id");
        assert_eq!(acts, ["export by admin", "erase by admin"]);
        let wrong = app.post("/payments/admin/data/person", "by=nothing&who=x").await;
        assert!(wrong.status == 409 && wrong.text().contains("Name a person"), "{}", wrong.text());
    }

    async fn nobody_else_does(kind) {
        let app = App::with(kind, with_key).await;
        app.paid_by_mia(1).await;
        let held = app.found().len();
        let read_only = || |_: HttpRequest| async { Ok(Access::ReadOnly("eve".to_owned())) };
        for path in ["person", "person/export", "person/erase"] {
            let path = format!("/payments/admin/data/{path}");
            let answer = app.request_at(read_only(), Method::POST, &path, &[], FORM.as_bytes()).await;
            assert_eq!(answer.status, 403, "{path}");
            let foreign = [ADMIN, ("sec-fetch-site", "cross-site")];
            assert_eq!(app.request(Method::POST, &path, &foreign, FORM.as_bytes()).await.status, 403, "{path}");
        }
        let page = app.request_at(read_only(), Method::GET, "/payments/admin/data", &[], b"").await;
        assert!(page.status == 200 && !page.body.contains("data/person"), "{}", page.body);
        assert_eq!((app.found().len(), app.number("SELECT count(*) FROM pay_audit")), (held, 0));
    }

    async fn without_a_key_the_page_says_so(kind) {
        let app = App::new(kind).await;
        let found = app.post("/payments/admin/data/person", FORM).await;
        assert!(found.text().contains("no erasure key") && !found.body.contains("person/erase"), "{}", found.text());
        let refused = app.post("/payments/admin/data/person/erase", FORM).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
    }

    async fn what_workers_do_from_time_to_time_is_seen(kind) {
        let app = App::with(kind, with_key).await;
        assert!(app.get("/payments/admin/data").await.body.contains("No worker has run yet."));
        let worker = app.payments.worker().poll(std::time::Duration::from_millis(10)).start().unwrap();
        app.until("SELECT count(*) FROM pay_chores WHERE name = 'growth' AND note IS NOT NULL", 1).await;
        worker.stop().await;
        app.run("UPDATE pay_chores SET failing_since = ran_at, failure = 'no <b>room' WHERE name = 'growth'");
        app.run("INSERT INTO pay_chores (name, due_at, note) SELECT 'erasure', due_at, 'all were <i>' FROM pay_chores WHERE name = 'growth'");
        let page = app.get("/payments/admin/data").await.body;
        for said in ["Measuring the tables", "Fails since", "no &#60;b&#62;room", "Looking through bodies for erased persons", "all were &#60;i&#62;"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        app.pass(1_900);
        let overview = app.get("/payments/admin/").await.body;
        assert!(overview.contains("Measuring the tables fails since") && overview.contains("/payments/admin/data#work"), "{overview}");
    }
}

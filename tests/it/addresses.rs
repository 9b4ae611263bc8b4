//! Does every address below the admin pages answer with a page, for those who come in and for those who don't?

use actix_payments::{Access, Admin};
use actix_web::HttpRequest;
use actix_web::http::Method;

use crate::app::{ADMIN, App, on_both_databases};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");

on_both_databases! {
    async fn an_unknown_address_is_a_page_with_a_way_back(kind) {
        let app = App::new(kind).await;
        for path in ["nothing", "nothing/", "payments/a/b/c", "static/none.css"] {
            for method in [Method::GET, Method::POST] {
                let path = format!("/payments/admin/{path}");
                let answer = app.request(method.clone(), &path, &[ADMIN], b"").await;
                assert_eq!((answer.status, answer.header("content-type")), (404, Some("text/html; charset=utf-8")), "{path}");
                assert!(answer.text().contains("There is nothing at this address."), "{}", answer.text());
                assert!(answer.body.contains("href=\"/payments/admin/events\""), "{path}: {}", answer.body);
                let closed = app.request(method, &path, &[], b"").await;
                assert_eq!((closed.status, closed.body.as_str()), (401, "unauthorized"), "{path}");
            }
        }
    }

    async fn who_is_kept_out_is_told_why_on_a_page(kind) {
        let app = App::new(kind).await;
        let at = "/payments/admin/payments";
        let asked = |answer: &crate::app::Answer| answer.header("www-authenticate").is_some();
        let closed = app.request(Method::GET, at, &[BROWSER], b"").await;
        assert_eq!((closed.status, asked(&closed)), (401, true));
        assert!(closed.body.starts_with("<!DOCTYPE html>") && closed.text().contains("Not signed in"), "{}", closed.body);
        assert!(!closed.body.contains("/admin/events") && closed.body.contains("/payments/static/"), "{}", closed.body);
        let of = |access: fn() -> Access| Admin::new(move |_: HttpRequest| async move { Ok(access()) });
        let denied = app.request_at(of(|| Access::Denied), Method::GET, at, &[BROWSER], b"").await;
        assert!(denied.status == 403 && denied.text().contains("These pages are not open to you"), "{}", denied.body);
        let wait = || Access::Wait(std::time::Duration::from_secs(8));
        let told = app.request_at(of(wait), Method::GET, at, &[BROWSER], b"").await;
        assert_eq!((told.status, told.header("retry-after")), (429, Some("8")));
        assert!(told.body.contains("<h1>") && told.text().contains("Try again in 8 seconds."), "{}", told.body);
        // Who is no browser gets a line of text.
        for (access, status, text) in [
            (Access::Challenge, 401, "unauthorized"), (Access::Denied, 403, "forbidden"),
        ] {
            let policy = Admin::new(move |_: HttpRequest| { let access = access.clone(); async move { Ok(access) } });
            let plain = app.request_at(policy, Method::GET, at, &[("accept", "*/*")], b"").await;
            assert_eq!((plain.status, plain.body.as_str()), (status, text));
        }
    }

    async fn an_address_sheds_its_empty_fields(kind) {
        let app = App::new(kind).await;
        for (path, leads) in [
            ("payments?q=&status=paid&variant=", "./payments?status=paid"), ("payments?q=", "./payments"),
            ("payments/?q=&from=%20&until=+", "./"), ("events?kind=a%26b&q=", "./events?kind=a%26b"),
            ("search?for=", "./search"),
        ] {
            let answer = app.get(&format!("/payments/admin/{path}")).await;
            assert_eq!((answer.status, answer.header("location")), (303, Some(leads)), "{path}");
        }
        for path in ["payments?status=paid", "payments?q=&newer_than=0", "payments.csv?q=", "payments?q", "payments?"] {
            assert_eq!(app.get(&format!("/payments/admin/{path}")).await.status, 200, "{path}");
        }
        let closed = app.request(Method::GET, "/payments/admin/payments?q=", &[], b"").await;
        assert_eq!(closed.status, 401, "nobody is led anywhere before access is decided");
    }
}

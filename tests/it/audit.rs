//! Is every act of an operator told: who, what, on what, when, and from where?

use actix_payments::{Access, Admin};
use actix_web::http::Method;
use actix_web::{App as ActixApp, HttpRequest, test};

use crate::app::{ADMIN, App, on_both_databases};
use crate::scenes::completed_as;

const HOSTILE: &str = "\"><script>alert(1)</script>\u{202e}";

async fn requeue(app: &App, event: i64) {
    let path = format!("/payments/admin/events/{event}/requeue");
    assert_eq!(app.request(Method::POST, &path, &[ADMIN], b"").await.status, 303);
}

/// Requeues the first event as somebody with an odd name and address.
async fn requeue_as_somebody_odd(app: &App) {
    let odd = |_: HttpRequest| async { Ok(Access::Full(HOSTILE.to_owned())) };
    let admin = Admin::new(odd).client_address(|_| Some(HOSTILE.to_owned()));
    let service = test::init_service(ActixApp::new().service(app.payments.mount("/payments").admin(admin))).await;
    let post = test::TestRequest::post().uri("/payments/admin/events/1/requeue").to_request();
    assert_eq!(test::call_service(&service, post).await.status(), 303);
}

on_both_databases! {
    async fn an_act_is_told_with_who_what_on_what_when_and_from_where(kind) {
        let app = App::new(kind).await;
        let empty = app.get("/payments/admin/audit").await.body;
        assert!(empty.contains("No acts yet"), "{empty}");
        let token = app.order().await.token;
        app.deliver(&[&completed_as(1, &token)]).await;
        requeue(&app, 1).await;
        app.pass(180);
        let page = app.get("/payments/admin/audit").await.body;
        let parts = [
            "requeue", "admin", "3 min ago", "1 act<", "href=\"/payments/admin/events/1\"", "checkout.session.completed",
            &format!("href=\"/payments/admin/payments/{token}\""),
        ];
        for part in parts {
            assert!(page.contains(part), "{part:?} in {page}");
        }
    }

    async fn acts_are_found_by_actor_and_act_and_paged_by_key(kind) {
        let app = App::new(kind).await;
        app.deliver(&[&completed_as(1, "nobody")]).await;
        requeue_as_somebody_odd(&app).await;
        for _ in 0..51 {
            requeue(&app, 1).await;
        }
        let first = app.get("/payments/admin/audit").await.body;
        assert!(first.contains("Showing acts 1–50"), "{first}");
        assert!(first.contains("?before=3"), "{first}");
        let second = app.get("/payments/admin/audit?before=3").await.body;
        assert!(second.contains("2 acts") && second.contains("?after=2"), "{second}");
        // The odd name is shown, whole and harmless, and leads nowhere by itself.
        assert!(second.contains("&#60;script&#62;alert(1)") && !second.contains("<script>alert"), "{second}");

        let mine = app.get("/payments/admin/audit?actor=admin&act=requeue&before=3").await.body;
        assert!(mine.contains("1 act<"), "{mine}");
        for nobody in ["actor=adm", "act=refund", "actor=%3Cscript%3E", "actor=admin&act=refund"] {
            let page = app.get(&format!("/payments/admin/audit?{nobody}")).await.body;
            assert!(page.contains("No acts match") && !page.contains("<script>"), "{nobody}: {page}");
        }
    }
}

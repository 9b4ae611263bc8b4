//! Is the endpoint where it should be, wherever and however the host mounts it?

use actix_payments::Mount;
use actix_payments::gateways::stripe::sign_delivery;
use actix_web::http::Method;
use actix_web::middleware::{NormalizePath, TrailingSlash};
use actix_web::{App as ActixApp, HttpResponse, test, web};

use crate::app::{App, Kind, SECRET};

const PING: &str = r#"{"id":"evt_1","type":"ping"}"#;

/// Sends a signed ping; answers status and body. A macro, because the type of a request can't be named here.
macro_rules! ask {
    ($service:expr, $app:expr, $method:expr, $path:expr) => {{
        let signature = sign_delivery(SECRET, $app.now(), PING.as_bytes());
        let request = test::TestRequest::default().method($method).uri($path).set_payload(PING);
        let request = request.insert_header(("stripe-signature", signature)).to_request();
        let response = test::call_service(&$service, request).await;
        let status = response.status().as_u16();
        (status, String::from_utf8_lossy(&test::read_body(response).await).into_owned())
    }};
}

/// An app with this mount alone.
macro_rules! serving {
    ($mount:expr) => {
        test::init_service(ActixApp::new().service($mount)).await
    };
}

async fn mounted() -> (App, Mount) {
    let app = App::new(Kind::Sqlite).await;
    let mount = app.payments.mount("/payments");
    (app, mount)
}

#[actix_web::test]
async fn every_way_of_normalizing_paths_reaches_the_endpoint() {
    let app = App::new(Kind::Sqlite).await;
    for mode in [TrailingSlash::Trim, TrailingSlash::Always, TrailingSlash::MergeOnly] {
        let host = ActixApp::new().wrap(NormalizePath::new(mode)).service(app.payments.mount("/payments/"));
        let service = test::init_service(host).await;
        for path in ["/stripe", "/stripe/", "/process/stripe", "/process/stripe/", "//stripe//", "/process//stripe"] {
            let path = format!("/payments{path}");
            assert_eq!(ask!(service, app, Method::POST, &path), (200, "ok".into()), "{mode:?} {path}");
        }
        assert_eq!(ask!(service, app, Method::POST, "/payments/stripes/").0, 404, "{mode:?}");
    }
}

#[actix_web::test]
async fn it_nests_in_scopes_and_is_mounted_twice() {
    let (app, mount) = mounted().await;
    let nested = web::scope("/shop").service(web::scope("/eu").service(mount));
    let host = ActixApp::new().service(nested).service(app.payments.mount("/hooks"));
    let host = host.default_service(web::to(|| async { HttpResponse::ImATeapot().finish() }));
    let service = test::init_service(host).await;
    for path in ["/shop/eu/payments/stripe/", "/shop/eu/payments/process/stripe", "/hooks/stripe", "/hooks/stripe/"] {
        assert_eq!(ask!(service, app, Method::POST, path), (200, "ok".into()), "{path}");
    }
    assert_eq!(app.number("SELECT deliveries FROM pay_events"), 4);
    assert_eq!(ask!(service, app, Method::POST, "/elsewhere").0, 418, "the rest is the host's");
    assert_eq!(ask!(service, app, Method::POST, "/payments/stripe").0, 418);
}

#[actix_web::test]
async fn the_hosts_own_routes_beside_the_mount_stay_its_own() {
    let (app, mount) = mounted().await;
    let own = web::resource("/payments-overview").to(|| async { "the host's" });
    let service = test::init_service(ActixApp::new().service(mount).service(own)).await;
    assert_eq!(ask!(service, app, Method::GET, "/payments-overview"), (200, "the host's".into()));
}

#[actix_web::test]
async fn the_payload_limit_is_the_mounts() {
    let (app, mount) = mounted().await;
    let service = serving!(mount.payload_limit(PING.len() - 1));
    assert_eq!(ask!(service, app, Method::POST, "/payments/stripe/"), (413, "too_large".into()));
    let service = serving!(app.payments.mount("/payments").payload_limit(PING.len()));
    assert_eq!(ask!(service, app, Method::POST, "/payments/stripe/"), (200, "ok".into()));
}

#[actix_web::test]
async fn without_a_policy_there_are_no_admin_pages() {
    let (app, mount) = mounted().await;
    let service = serving!(mount);
    for path in [
        "",
        "/",
        "/payments",
        "/payments/",
        "/events",
        "/events/1/",
        "/events/1/requeue",
        "/variants",
        "/variants/stripe/test",
        "/audit",
    ] {
        for method in [Method::GET, Method::POST] {
            let (status, _) = ask!(service, app, method.clone(), &format!("/payments/admin{path}"));
            assert_eq!(status, 404, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn webhooks_can_be_left_out_of_a_mount() {
    let (app, mount) = mounted().await;
    let service = serving!(mount.without_webhooks());
    assert_eq!(ask!(service, app, Method::POST, "/payments/stripe/"), (404, "not_found".into()));
}

#[actix_web::test]
async fn what_is_below_a_variant_is_not_its_endpoint() {
    let (app, mount) = mounted().await;
    let service = serving!(mount);
    for path in ["/payments/stripe/more", "/payments/stripe/more/yet", "/payments", "/payments/", "/payments/process"] {
        assert_eq!(ask!(service, app, Method::POST, path).0, 404, "{path}");
    }
    assert_eq!(app.number("SELECT count(*) FROM pay_events"), 0);
}

#[actix_web::test]
async fn at_the_root_it_leaves_all_other_paths_to_the_host() {
    for root in ["", "/"] {
        let app = App::new(Kind::Sqlite).await;
        let mount = || app.payments.mount(root).admin(crate::app::staff());
        let tea = || {
            let tea = web::resource(["/", "/tea", "/{a}/{b}", "/static/tea.css"]);
            tea.to(|| async { HttpResponse::ImATeapot().finish() })
        };
        let host = ActixApp::new().service(web::scope("/eu").service(mount()).service(tea()));
        let service = test::init_service(host.service(mount()).service(tea())).await;
        for path in ["/stripe", "/stripe/", "/process/stripe", "/eu/stripe/", "/eu/process/stripe/"] {
            assert_eq!(ask!(service, app, Method::POST, path), (200, "ok".into()), "{path}");
        }
        for path in
            ["/", "/tea", "/stripes/tea", "/static/tea.css", "/eu/", "/eu/tea", "/eu/tea/green", "/eu/static/tea.css"]
        {
            assert_eq!(ask!(service, app, Method::GET, path).0, 418, "{path}");
        }
        for path in ["/static/admin.css", "/static/0/admin.js", "/eu/static/icon.svg"] {
            assert_eq!(ask!(service, app, Method::GET, path).0, 200, "{path}");
        }
        for path in ["/admin/", "/admin/payments", "/eu/admin/"] {
            assert_eq!(ask!(service, app, Method::GET, path).0, 401, "{path}");
        }
    }
}

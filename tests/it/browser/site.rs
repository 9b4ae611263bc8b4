//! What does the browser open? A host that listens: pages of its own, payments mounted four times (for operators,
//! for those who may only look, for a merchant's own staff, and without admin pages), and a worker.

use std::time::Duration;

use actix_payments::{Access, Payments, RunningWorker};
use actix_web::dev::{ServerHandle, Service};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Condition, NormalizePath, TrailingSlash};
use actix_web::{App as ActixApp, HttpRequest, HttpResponse, HttpServer, web};
use serde::Deserialize;

use crate::app::App;

/// How the host mounts payments.
#[derive(Clone, Copy, Default)]
pub(super) struct Host {
    /// A scope around the mount.
    pub(super) scope: &'static str,
    /// What a proxy in front cuts off the path.
    pub(super) prefix: &'static str,
    /// Which paths are made one.
    pub(super) normalize: Option<TrailingSlash>,
}

/// A host that listens until it is dropped.
pub(crate) struct Site {
    port: u16,
    server: ServerHandle,
    worker: Option<RunningWorker>,
}

impl App {
    /// Serves the app on a port of its own.
    pub(crate) fn serve(&self) -> Site {
        self.serve_as(Host::default())
    }

    pub(super) fn serve_as(&self, host: Host) -> Site {
        let worker = self.payments.worker().poll(Duration::from_millis(100)).start().unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let payments = self.payments.clone();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = listen(payments, host);
                tell.send((server.1, server.0.handle())).unwrap();
                server.0.await.unwrap();
            });
        });
        let (port, server) = told.recv().unwrap();
        Site { port, server, worker: Some(worker) }
    }
}

impl Site {
    /// The address of a path on this host.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The address of a path on another host: what is there can't be told from this one, but for the browser it is
    /// another site.
    pub(super) fn elsewhere(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // The word is out at once; waiting for the end is what the future is for.
        drop(self.server.stop(false));
        let Some(worker) = self.worker.take() else { return };
        let stopped = std::thread::spawn(|| actix_web::rt::Runtime::new().unwrap().block_on(worker.stop()));
        let _ = stopped.join();
    }
}

fn listen(payments: Payments, host: Host) -> (actix_web::dev::Server, u16) {
    let staff = crate::app::staff();
    let server = HttpServer::new(move || {
        let mount = |path: &str| payments.mount(path);
        let looking = |_: HttpRequest| async { Ok(Access::ReadOnly("watcher".to_owned())) };
        // A merchant's own staff, of whom the pages show what is the merchant's.
        let acme = |_: HttpRequest| async { Ok(Access::full("ann").only(["acme", "acme-cash"])) };
        let all = web::scope(host.scope)
            .service(mount("/payments").admin(staff.clone()))
            .service(mount("/acme").admin(acme).without_webhooks())
            .service(mount("/watch").admin(looking).without_webhooks())
            .service(mount("/closed"));
        ActixApp::new()
            .app_data(payments.clone())
            .wrap(Condition::new(host.normalize.is_some(), NormalizePath::new(host.normalize.unwrap_or_default())))
            .wrap_fn(move |mut request, app| {
                cut_off(host.prefix, &mut request);
                app.call(request)
            })
            .service(web::resource(["/orders/{order}", "/orders/{order}/"]).to(thanks))
            .route("/form", web::get().to(form))
            .service(all)
    });
    let server = server.workers(2).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let port = server.addrs()[0].port();
    (server.run(), port)
}

/// What a proxy does that has `/prefix` for this host: the path comes without, and a header tells. The dummy gateway
/// alone reaches the host directly.
fn cut_off(prefix: &'static str, request: &mut actix_web::dev::ServiceRequest) {
    if prefix.is_empty() || request.headers().contains_key("dummy-signature") {
        return;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let rest = path.strip_prefix(prefix).unwrap_or("/not-through-the-proxy").parse().unwrap();
    request.match_info_mut().get_mut().update(&rest);
    request.head_mut().uri = rest;
    let header = HeaderName::from_static("x-forwarded-prefix");
    request.headers_mut().insert(header, HeaderValue::from_static(prefix));
}

fn page(main: &str) -> HttpResponse {
    let head = "<!DOCTYPE html><html lang=\"en\"><title>A host</title><link rel=\"icon\" href=\"data:,\">";
    let html = format!("{head}<main>{main}</main></html>");
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html)
}

async fn thanks(order: web::Path<String>) -> HttpResponse {
    page(&format!("<h1>Thank you for order {order}</h1>"))
}

#[derive(Deserialize)]
struct To {
    to: String,
}

/// A page with a form that posts to any address, as anybody can make one.
async fn form(to: web::Query<To>) -> HttpResponse {
    page(&format!("<h1>Win a kettle</h1><form method=\"post\" action=\"{}\"><button>Yes</button></form>", to.to))
}

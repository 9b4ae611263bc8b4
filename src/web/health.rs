//! The routes that say whether a process lives and whether it is ready.

use std::fmt;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::respond;
use crate::engine::{Readiness, ReadyChecks};
use crate::payments::Payments;

/// The routes `…/live` and `…/ready` below one path; hand it to `App::service`. They need no login and show no secret.
///
/// Both answer with JSON. `live` is 200 as long as the process needs no restart, even if the database is away: an
/// outage must not become a restart loop. `ready` is 200 or 503, and gives the state of each part.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// use actix_payments::ReadyChecks;
/// use actix_web::App;
///
/// let health = payments.health("/health").checks(ReadyChecks::new().needs_worker());
/// let app = App::new().service(health).service(payments.mount("/payments"));
/// # drop(app);
/// # Ok(()) }) }
/// ```
#[must_use = "routes serve nothing until they are an app's service"]
pub struct HealthRoutes {
    payments: Payments,
    path: String,
    checks: ReadyChecks,
}

impl Payments {
    /// The routes `<path>/live` and `<path>/ready`, for example below `/health`. Not part of a mount, so that they can
    /// be on a port of their own.
    pub fn health(&self, path: &str) -> HealthRoutes {
        let path = path.trim_end_matches('/').to_owned();
        HealthRoutes { payments: self.clone(), path, checks: ReadyChecks::default() }
    }
}

impl HealthRoutes {
    /// What is checked for readiness. Default [`ReadyChecks::default`].
    pub fn checks(mut self, checks: ReadyChecks) -> Self {
        self.checks = checks;
        self
    }
}

impl HttpServiceFactory for HealthRoutes {
    fn register(self, config: &mut AppService) {
        let Self { payments, path, checks } = self;
        let paths = |last: &str| vec![format!("{path}/{last}"), format!("{path}/{last}/")];
        let lives = payments.clone();
        let live = move || {
            let is_live = lives.live();
            async move { live(is_live) }
        };
        let ready = move || {
            let (payments, checks) = (payments.clone(), checks.clone());
            async move { ready(&payments.ready(&checks).await) }
        };
        let resource = web::resource(paths("live")).route(web::get().to(live.clone())).route(web::head().to(live));
        resource.register(config);
        let resource = web::resource(paths("ready")).route(web::get().to(ready.clone())).route(web::head().to(ready));
        resource.register(config);
    }
}

fn live(is_live: bool) -> HttpResponse {
    answer(is_live, &json!({ "status": if is_live { "live" } else { "not live" } }))
}

fn ready(readiness: &Readiness) -> HttpResponse {
    let word = |problem: &Option<String>| Value::from(problem.as_deref().unwrap_or("ok"));
    let parts: Map<String, Value> =
        readiness.parts.iter().map(|part| (part.name.to_owned(), word(&part.problem))).collect();
    let is_ready = readiness.is_ready();
    answer(is_ready, &json!({ "status": if is_ready { "ready" } else { "not ready" }, "parts": parts }))
}

fn answer(is_good: bool, body: &Value) -> HttpResponse {
    let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    respond::plain(status).insert_header((header::CONTENT_TYPE, "application/json")).body(body.to_string())
}

impl fmt::Debug for HealthRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthRoutes").field("path", &self.path).field("checks", &self.checks).finish_non_exhaustive()
    }
}

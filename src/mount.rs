//! Which addresses does a mount have? One scope with the webhook endpoint of every variant and, where the host
//! gives an access policy, the admin pages. The path is said once, where the host mounts it.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::web::{self, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, error};

use crate::admin::{self, Admin};
use crate::payments::Payments;
use crate::web::{page, respond, statics, webhook};

/// The most that a delivery's body may have by default, in bytes.
const PAYLOAD_LIMIT: usize = 1024 * 1024;

/// The routes of payments below one path; hand it to `App::service` or to a scope of the host's.
pub struct Mount {
    payments: Payments,
    path: String,
    payload_limit: usize,
    webhooks: bool,
    admin: Option<Rc<Admin>>,
}

impl Payments {
    /// Mounts payments at `path`, for example `/payments`: each variant's webhook endpoint is then
    /// `POST /payments/<variant>/`. It nests in any scope and may be mounted more than once.
    pub fn mount(&self, path: &str) -> Mount {
        let path = path.trim_end_matches('/').to_owned();
        self.mounted_at(&path);
        Mount { payments: self.clone(), path, payload_limit: PAYLOAD_LIMIT, webhooks: true, admin: None }
    }
}

impl Mount {
    /// Adds the admin pages at `<path>/admin/`: an access policy alone, or an [`Admin`] with more to say. The policy
    /// is asked on every request. Default: no policy, and then no admin routes at all.
    pub fn admin(mut self, admin: impl Into<Admin>) -> Self {
        self.admin = Some(Rc::new(admin.into()));
        self
    }

    /// How long a delivery's body may be, in bytes. Default 1 MiB, several times what any gateway sends.
    pub fn payload_limit(mut self, bytes: usize) -> Self {
        self.payload_limit = bytes;
        self
    }

    /// Whether the webhook endpoints are mounted here. Default yes; without them, the admin pages can have a path
    /// or a port of their own.
    pub fn webhooks(mut self, here: bool) -> Self {
        self.webhooks = here;
        self
    }
}

impl HttpServiceFactory for Mount {
    fn register(self, config: &mut AppService) {
        let mut scope = web::scope(&self.path).service(
            // A host may end every path in a slash, whatever its pages ask for.
            web::resource(["/static/{file}", "/static/{file}/", "/static/{hash}/{file}", "/static/{hash}/{file}/"])
                .route(web::get().to(async |req: HttpRequest| statics::serve(&req))),
        );
        if let Some(admin) = self.admin {
            scope = scope.service(admin::scope(self.payments.clone(), admin, self.webhooks));
        }
        if self.webhooks {
            let (payments, limit) = (self.payments, self.payload_limit);
            scope = scope
                .service(endpoint(&["/process/{variant}", "/process/{variant}/"], 2, payments.clone(), limit))
                .service(endpoint(&["/{variant}", "/{variant}/"], 1, payments.clone(), limit))
                .service(own_pages(payments));
        }
        let not_found = async || respond::plain(actix_web::http::StatusCode::NOT_FOUND).body("not_found");
        scope.default_service(web::to(not_found)).register(config);
    }
}

/// A variant's address: deliveries by POST, and by GET what a gateway has of its own there.
fn endpoint(paths: &[&str], below: usize, payments: Payments, limit: usize) -> actix_web::Resource {
    let answer = move |req: HttpRequest, payload: Payload| {
        let payments = payments.clone();
        async move {
            match *req.method() {
                Method::GET | Method::HEAD => page::page(&payments, below, &req, payload).await,
                _ => webhook::webhook(&payments, limit, &req, payload).await,
            }
        }
    };
    web::resource(paths.to_vec()).route(web::to(answer))
}

/// A gateway's own pages below its variant's address.
fn own_pages(payments: Payments) -> actix_web::Resource {
    let answer = move |req: HttpRequest, payload: Payload| -> std::pin::Pin<Box<dyn Future<Output = HttpResponse>>> {
        let payments = payments.clone();
        Box::pin(async move { page::page(&payments, 2, &req, payload).await })
    };
    web::resource(["/{variant}/{page}", "/{variant}/{page}/"]).route(web::to(answer))
}

/// Handlers of the host take `payments: Payments` as an argument, when the app was given it by
/// `.app_data(payments.clone())`.
impl FromRequest for Payments {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(req: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(req.app_data::<Payments>().cloned().ok_or_else(|| {
            log::error!("payments: a handler wants Payments, but the app has no .app_data(payments.clone())");
            error::ErrorInternalServerError("")
        }))
    }
}

//! The addresses of a mount: one scope with the webhook endpoint of every variant and, where the host gives an access
//! policy, the admin pages. The path is said once, where the host mounts it.

use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::time::Duration;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::web::{self, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, error};

use crate::admin::{self, Admin};
use crate::domain::identifier::VariantName;
use crate::payments::Payments;
use crate::web::body::{self, Limits};
use crate::web::client::{ClientAddress, client_address};
use crate::web::{page, respond, statics, webhook};

/// The most that a delivery's body may have by default, in bytes.
const PAYLOAD_LIMIT: usize = 1024 * 1024;

/// The routes of payments below one path; hand it to `App::service` or to a scope of the host's.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// use actix_web::App;
///
/// // Behind a proxy that sets this header, and only there.
/// let client = |request: &actix_web::HttpRequest| {
///     request.headers().get("x-real-ip").and_then(|value| value.to_str().ok()).map(str::to_owned)
/// };
/// let app = App::new().service(payments.mount("/payments").payload_limit(256 * 1024).client_address(client));
/// # drop(app);
/// # Ok(()) }) }
/// ```
#[must_use = "a mount serves nothing until it is an app's service"]
pub struct Mount {
    payments: Payments,
    path: String,
    limits: Limits,
    webhooks: bool,
    client_address: Option<ClientAddress>,
    admin: Option<Rc<Admin>>,
}

impl Payments {
    /// Mounts payments at `path`, for example `/payments`: each variant's webhook endpoint is then
    /// `POST /payments/<variant>/`. It nests in any scope (set [`Builder::address`](crate::Builder::address) then) and
    /// may be mounted more than once. At the root (`""` or `"/"`) it takes the paths of the variants, `/admin`,
    /// `/process` and `/static`, and leaves all others to the host. With
    /// [`Builder::variants_from`](crate::Builder::variants_from) it takes every path with one segment that could be a
    /// variant's name.
    pub fn mount(&self, path: &str) -> Mount {
        // Actix adds a missing slash before the path of a scope.
        let missing = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        let path = format!("{missing}{}", path.trim_end_matches('/'));
        self.mounted_at(&path);
        let limits = Limits { size: PAYLOAD_LIMIT, time: body::TIMEOUT };
        Mount { payments: self.clone(), path, limits, webhooks: true, client_address: None, admin: None }
    }
}

impl Mount {
    /// Adds the admin pages at `<path>/admin/`. Takes an access policy, or an [`Admin`] with further options. The
    /// policy is asked on every request. Default: no policy, and no admin routes at all.
    pub fn admin(mut self, admin: impl Into<Admin>) -> Self {
        self.admin = Some(Rc::new(admin.into()));
        self
    }

    /// How long a delivery's body may be, in bytes. Default 1 MiB, several times what any gateway sends.
    pub fn payload_limit(mut self, bytes: usize) -> Self {
        self.limits.size = bytes;
        self
    }

    /// How long a request's body may take to arrive, with its chunks' extensions and its trailers. Default 30 seconds,
    /// more than any gateway waits for an answer. A slower request is answered 408.
    ///
    /// If a request was not read to its end, its connection is closed after the answer. Before that, Actix reads and
    /// drops further bytes for the `HttpServer`'s `client_disconnect_timeout`, 1 second by default. Its
    /// `client_request_timeout` limits how long a request's header may take, and its `shutdown_timeout` how long a slow
    /// sender can delay the end of the process.
    pub fn payload_timeout(mut self, time: Duration) -> Self {
        self.limits.time = time;
        self
    }

    /// Mounts no webhook endpoints here, so that the admin pages can have a path or a port of their own. By default
    /// they are mounted.
    pub fn without_webhooks(mut self) -> Self {
        self.webhooks = false;
        self
    }

    /// Sets the function that returns the client's IP address of a delivery, or `None` if it is not known. Unsigned
    /// hints and unknown names of variants are rate-limited by this address. Default: [`Admin::client_address`] of this
    /// mount, otherwise the address at the other end of the connection, which behind a proxy is the proxy's. Only the
    /// host knows which header of which proxy can be trusted.
    pub fn client_address(mut self, of: impl Fn(&HttpRequest) -> Option<String> + 'static) -> Self {
        self.client_address = Some(Rc::new(of));
        self
    }

    fn intake(&self) -> Intake {
        let of_admin = || self.admin.as_ref().and_then(|admin| admin.client_address.clone());
        let client_address = self.client_address.clone().or_else(of_admin);
        Intake { payments: self.payments.clone(), limits: self.limits, client_address }
    }
}

/// What the addresses of the variants need.
#[derive(Clone)]
struct Intake {
    payments: Payments,
    limits: Limits,
    client_address: Option<ClientAddress>,
}

impl HttpServiceFactory for Mount {
    fn register(self, config: &mut AppService) {
        if self.path.is_empty() {
            self.register_at_root(config);
        } else {
            self.scope().register(config);
        }
    }
}

impl Mount {
    /// All below one path of our own.
    fn scope(self) -> actix_web::Scope {
        let intake = self.intake();
        let mut scope = web::scope(&self.path).service(statics(""));
        if let Some(admin) = self.admin {
            scope = scope.service(admin::scope(self.payments.clone(), admin, self.webhooks));
        }
        if self.webhooks {
            let [forwarded, endpoint, pages] = variants("{variant}", &intake);
            scope = scope.service(forwarded).service(endpoint).service(pages);
        }
        let not_found = async |payload: Payload| {
            body::without_body(payload, respond::plain(actix_web::http::StatusCode::NOT_FOUND).body("not_found"))
        };
        scope.default_service(web::to(not_found))
    }

    /// At the root, or right at a scope of the host's, all paths but those with our names are the host's.
    fn register_at_root(self, config: &mut AppService) {
        let intake = self.intake();
        statics(&format!(":{}", statics::names().join("|"))).register(config);
        if let Some(admin) = self.admin {
            admin::scope(self.payments.clone(), admin, self.webhooks).register(config);
        }
        if self.webhooks {
            // Whose name a function of the host's knows is not known here.
            let any = self.payments.engine().has_source().then_some("[a-z0-9-]+");
            let names: Vec<&str> = self.payments.variants().map(VariantName::as_str).chain(any).collect();
            let variant = format!("{{variant:{}}}", names.join("|"));
            variants(&variant, &intake).into_iter().for_each(|one| one.register(config));
        }
    }
}

/// The static files of these names, a pattern. A host may end every path in a slash, whatever its pages ask for.
fn statics(names: &str) -> actix_web::Resource {
    let file = format!("{{file{names}}}");
    let paths = ["", "/{hash}"].map(|hash| [format!("/static{hash}/{file}"), format!("/static{hash}/{file}/")]);
    let answer = async |req: HttpRequest, payload: Payload| body::without_body(payload, statics::serve(&req));
    web::resource(paths.concat()).route(web::get().to(answer))
}

/// The addresses of the variants: forwarded deliveries, deliveries, and the gateways' own pages.
fn variants(variant: &str, intake: &Intake) -> [actix_web::Resource; 3] {
    let paths = |before: &str| [format!("{before}/{variant}"), format!("{before}/{variant}/")];
    [
        endpoint(paths("/process"), 2, intake.clone()),
        endpoint(paths(""), 1, intake.clone()),
        own_pages([format!("/{variant}/{{page}}"), format!("/{variant}/{{page}}/")], intake.clone()),
    ]
}

/// A variant's address: deliveries by POST, and by GET what a gateway has of its own there.
fn endpoint(paths: [String; 2], below: usize, intake: Intake) -> actix_web::Resource {
    let answer = move |req: HttpRequest, payload: Payload| {
        let Intake { payments, limits, client_address: of } = intake.clone();
        async move {
            let client = client_address(of.as_ref(), &req);
            match *req.method() {
                Method::GET | Method::HEAD => page::page(&payments, below, limits, client, &req, payload).await,
                _ => webhook::webhook(&payments, limits, client, &req, payload).await,
            }
        }
    };
    web::resource(paths.to_vec()).route(web::to(answer))
}

/// A gateway's own pages below its variant's address.
fn own_pages(paths: [String; 2], intake: Intake) -> actix_web::Resource {
    let answer = move |req: HttpRequest, payload: Payload| -> std::pin::Pin<Box<dyn Future<Output = HttpResponse>>> {
        let Intake { payments, limits, client_address: of } = intake.clone();
        Box::pin(async move {
            let client = client_address(of.as_ref(), &req);
            page::page(&payments, 2, limits, client, &req, payload).await
        })
    };
    web::resource(paths.to_vec()).route(web::to(answer))
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

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount").field("path", &self.path).field("webhooks", &self.webhooks).finish_non_exhaustive()
    }
}

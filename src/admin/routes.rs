//! How does a page become a route? Each page's file says its own; the mount and the navigation are made from that.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header;
use actix_web::web::{self, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Resource};

use super::device::SetCookie;
use super::frame::Failure;
use super::guard::{self, Visit};
use crate::reports::Addressed;
use crate::web::body::Body;
use crate::web::{links, respond};

/// What a page answers.
type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>>>>;

/// The answer where somebody may see some variants and there is nothing, or it is of another.
const NOTHING: Failure = Failure::NotFound("There is nothing here that is open to you.");

/// An address below `/admin` and what answers there.
pub(super) struct Route {
    /// The path without a slash at either end; a part in braces is a parameter.
    path: &'static str,
    /// Its name in the navigation, if it is a section.
    pub(super) section: Option<&'static str>,
    /// Whether it changes something: a POST.
    act: bool,
    /// Whether it reads and changes only what a visit's scope allows.
    scoped: bool,
    answer: fn(Visit) -> Answer,
}

impl Route {
    /// A page that the navigation leads to.
    pub(super) const fn section(name: &'static str, path: &'static str, answer: fn(Visit) -> Answer) -> Self {
        Self { path, section: Some(name), act: false, scoped: false, answer }
    }

    /// A page that others lead to.
    pub(super) const fn page(path: &'static str, answer: fn(Visit) -> Answer) -> Self {
        Self { path, section: None, act: false, scoped: false, answer }
    }

    /// An act: only for those who may, and only from a page of this very site.
    pub(super) const fn act(path: &'static str, answer: fn(Visit) -> Answer) -> Self {
        Self { path, section: None, act: true, scoped: false, answer }
    }

    /// Opens it to those who may see some variants only: it reads, shows and changes nothing but what
    /// [`Visit::scope`] allows. One that is of a row which its path names is open to them where the row is; all others
    /// are closed.
    pub(super) const fn scoped(self) -> Self {
        Self { scoped: true, ..self }
    }

    /// Whether it is open to those who may see some variants only.
    pub(super) fn is_scoped(&self) -> bool {
        self.scoped
    }

    /// Keeps those who may see some variants to what is of these. What is of another is answered as what does not exist,
    /// before the page's own code runs.
    async fn admit(&self, visit: &Visit) -> Result<(), Failure> {
        let scope = visit.scope();
        if scope.is_all() {
            return Ok(());
        }
        let part = |name: &str| visit.part(name).to_owned();
        let mut segments = self.path.split('/');
        let row = match (segments.next(), segments.next()) {
            (Some("payments"), Some("{token}")) => Addressed::Payment(part("token")),
            (Some("subscriptions"), Some("{token}")) => Addressed::Subscription(part("token")),
            (Some("events"), Some("{id}")) => Addressed::Event(part("id")),
            (Some("variants"), Some("{variant}")) if scope.allows(visit.part("variant")) => return Ok(()),
            (Some("variants"), Some("{variant}")) => return Err(NOTHING),
            _ if self.scoped => return Ok(()),
            _ => return Err(Failure::Closed),
        };
        let variant = visit.engine().variant_of(row).await?;
        if variant.is_some_and(|variant| scope.allows(&variant)) { Ok(()) } else { Err(NOTHING) }
    }

    /// The path below `/admin`.
    pub(super) const fn path(&self) -> &'static str {
        self.path
    }

    /// Answers a request, if it may be answered. Access is decided before anything else is asked.
    async fn serve(&self, req: HttpRequest, payload: Payload) -> HttpResponse {
        let mut body = Body::new(payload);
        let response = self.respond(req.clone(), &mut body).await;
        body.answer(with_cookie(&req, response))
    }

    async fn respond(&self, req: HttpRequest, body: &mut Body) -> HttpResponse {
        let below = 1 + self.path.split('/').filter(|segment| !segment.is_empty()).count();
        let mount = links::mount(&req, below);
        let shorter = if self.act || self.path.ends_with(".csv") { None } else { without_empty_fields(&req) };
        let visit = match guard::visit(req, body, mount).await {
            Ok(visit) => visit,
            Err(refused) => return refused,
        };
        let frame = visit.frame();
        if let Err(failure) = self.admit(&visit).await {
            return frame.failure(failure);
        }
        if let Some(address) = shorter {
            return respond::see(&address);
        }
        match (self.answer)(visit).await {
            Ok(response) => response,
            Err(failure) => frame.failure(failure),
        }
    }
}

/// The answer with the cookie that the policy wants to be remembered by.
fn with_cookie(req: &HttpRequest, mut response: HttpResponse) -> HttpResponse {
    if let Some(SetCookie(cookie)) = req.extensions_mut().remove() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Where the address without its empty fields leads, if it has some: a form sends every field, and people share what
/// they see. Word of new rows is no address that anybody sees.
fn without_empty_fields(req: &HttpRequest) -> Option<String> {
    let is_empty = |field: &&str| {
        field.split_once('=').is_some_and(|(_, value)| value.replace("%20", "+").trim_matches('+').is_empty())
    };
    let (empty, kept): (Vec<&str>, Vec<&str>) = req.query_string().split('&').partition(is_empty);
    if empty.is_empty() || kept.iter().any(|field| field.starts_with("newer_than=")) {
        return None;
    }
    let own = req.uri().path().rsplit('/').next().unwrap_or_default();
    let query = kept.join("&");
    Some(if query.is_empty() { format!("./{own}") } else { format!("./{own}?{query}") })
}

/// Answers at an address below `/admin` at which there is nothing.
pub(super) async fn unknown(req: HttpRequest, payload: Payload) -> HttpResponse {
    // The scope has matched all before these segments.
    let below = 1 + req.match_info().unprocessed().split('/').filter(|segment| !segment.is_empty()).count();
    let (mount, mut body) = (links::mount(&req, below), Body::new(payload));
    let response = match guard::visit(req.clone(), &mut body, mount).await {
        Ok(visit) => visit.frame().failure(Failure::NotFound("There is nothing at this address.")),
        Err(refused) => refused,
    };
    body.answer(with_cookie(&req, response))
}

/// The resources of the routes, each with and without the slash at its end. Where a word and a parameter could both
/// answer, the word does; a page and an act may share a path.
pub(super) fn resources(routes: impl Iterator<Item = &'static Route>) -> Vec<Resource> {
    let mut routes: Vec<&Route> = routes.collect();
    routes.sort_by_key(|route| (route.path.contains('{'), route.path));
    let same_path = routes.chunk_by(|one, other| one.path == other.path);
    same_path.map(resource).collect()
}

fn resource(routes: &[&'static Route]) -> Resource {
    let path = routes.first().map(|route| route.path).filter(|path| !path.is_empty());
    let path = path.map(|path| format!("/{path}")).unwrap_or_default();
    routes.iter().fold(web::resource([path.clone(), format!("{path}/")]), |resource, &route| {
        let method = if route.act { web::post() } else { web::get() };
        resource.route(method.to(move |req: HttpRequest, payload: Payload| route.serve(req, payload)))
    })
}

//! Whether a request may see a page, and whether it may act. Asked on every request; every doubt is a no.

// A refusal is the answer itself, and on its way out at once.
#![allow(clippy::result_large_err)]

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;

use super::access::Access;
use super::basic_auth::Asking;
use super::frame::{Failure, Frame};
use super::query::Fields;
use super::settings::{Admin, Details, Stored};
use super::site::{Sections, Site};
use super::views::closed::Closed;
use super::views::list::Filter;
use super::views::parts::Code;
use crate::domain::scope::Scope;
use crate::engine::replica::ReadFrom;
use crate::engine::{Actor, Engine};
use crate::error::{Error, ErrorKind, repeated};
use crate::payments::Payments;
use crate::web::body::{self, Body, Limits};
use crate::web::respond;

/// The longest form that a page may send, in bytes: some thousand ticked rows.
const FORM: usize = 256 * 1024;

/// A request that was let in.
pub(super) struct Visit {
    pub(super) req: HttpRequest,
    pub(super) payments: Payments,
    /// What was sent with a POST.
    pub(super) form: Fields,
    admin: Rc<Admin>,
    sections: Sections,
    webhooks: bool,
    /// Where the mount is, as the browser sees it.
    mount: String,
    name: String,
    may_act: bool,
    /// The variants whose rows may be seen.
    scope: Scope,
    /// What its pages are read from, where there is a replica.
    read_from: Option<ReadFrom>,
}

/// Asks the policy.
pub(super) async fn visit(req: HttpRequest, body: &mut Body, mount: String) -> Result<Visit, HttpResponse> {
    let Some(site) = req.app_data::<Site>().cloned() else { return Err(denied(&req, &mount)) };
    let (address, now) = (site.admin.address_of(&req), site.payments.engine().now());
    let asking = Asking { address, now, path: format!("{mount}/admin") };
    req.extensions_mut().insert(asking);
    let access = site.admin.policy.access(req.clone()).await.unwrap_or_else(|error| {
        log::error!("payments: the access policy failed, so access is denied: {error}");
        Access::Denied
    });
    let (name, may_act, scope) = match access {
        Access::Full(name) => (name, true, Scope::All),
        Access::ReadOnly(name) => (name, false, Scope::All),
        Access::Limited(limited) => (limited.name, limited.may_act, Scope::Only(Arc::new(limited.variants))),
        Access::Denied => return Err(denied(&req, &mount)),
        Access::Challenge => return Err(challenge(&req, &mount)),
        Access::Wait(wait) => return Err(wait_for(&req, &mount, wait)),
        Access::Redirect(address) => return Err(respond::see(&address)),
    };
    let Site { payments, admin, sections, limited_sections, webhooks } = site;
    let (form, sections) = (Fields::default(), if scope.is_all() { sections } else { limited_sections });
    let visit = Visit { req, payments, form, admin, sections, webhooks, mount, name, may_act, scope, read_from: None };
    if *visit.req.method() == Method::POST {
        return with_form(may_post(visit)?, body).await;
    }
    let read_from = visit.engine().read_from().await;
    Ok(Visit { read_from, ..visit })
}

/// Reads what was sent, once it is clear that it may be.
async fn with_form(mut visit: Visit, body: &mut Body) -> Result<Visit, HttpResponse> {
    let limits = Limits { size: FORM, time: body::TIMEOUT };
    match body.read(&visit.req, limits, visit.engine()).await {
        Ok(form) => {
            visit.form = Fields::parse(&String::from_utf8_lossy(&form));
            Ok(visit)
        }
        Err(_) => {
            let text = "The form did not arrive whole or is too long, so nothing was done. Go back and try again.";
            Err(visit.frame().notice(StatusCode::PAYLOAD_TOO_LARGE, "Not done", text))
        }
    }
}

/// An act needs the right to act, and a page of this very site that asked for it.
fn may_post(visit: Visit) -> Result<Visit, HttpResponse> {
    let (title, text) = match (visit.may_act, same_site(&visit.req)) {
        (true, true) => return Ok(visit),
        (false, _) => ("Not allowed", "Your access is read-only, so this was not done."),
        (true, false) => (
            "Refused",
            "This request came from a page of another site, so it was not done. Open the page here and try again.",
        ),
    };
    Err(visit.frame().notice(StatusCode::FORBIDDEN, title, text))
}

/// Browsers say where a request comes from: in `Sec-Fetch-Site`, or where that is missing in `Origin`. A request
/// with neither is no browser's, and nobody can be tricked into sending it.
fn same_site(req: &HttpRequest) -> bool {
    let text = |name: header::HeaderName| req.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    match text(header::ORIGIN) {
        None => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host.to_owned());
            // A proxy may rewrite `Host` and keep what the browser sent beside it. No page of another site can set that.
            let kept = text(header::HeaderName::from_static("x-forwarded-host"));
            let own = text(header::HOST).or_else(|| Some(req.connection_info().host().to_owned()));
            host.is_some() && (host == own || host == kept)
        }
    }
}

fn challenge(req: &HttpRequest, mount: &str) -> HttpResponse {
    let text = "These pages ask for a name and a password. Load this one again to be asked once more.";
    let page = Closed::new(mount, "Not signed in", text);
    let mut response = closed(req, StatusCode::UNAUTHORIZED, "unauthorized", &page);
    let realm = header::HeaderValue::from_static("Basic realm=\"payments\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    response
}

fn wait_for(req: &HttpRequest, mount: &str, wait: Duration) -> HttpResponse {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let text = format!("Too many wrong tries came from your address. Try again in {seconds} seconds.");
    let page = Closed::new(mount, "Too many wrong tries", &text);
    let mut response = closed(req, StatusCode::TOO_MANY_REQUESTS, &text, &page);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

fn denied(req: &HttpRequest, mount: &str) -> HttpResponse {
    let line = format_args!("access to the admin pages at {mount} was denied");
    repeated::log(log::Level::Warn, "denied access", line);
    let text = "Whoever runs this app decides who may open them.";
    closed(req, StatusCode::FORBIDDEN, "forbidden", &Closed::new(mount, "These pages are not open to you", text))
}

/// A page for people, and a line of text for programs.
fn closed(req: &HttpRequest, status: StatusCode, text: &str, page: &Closed) -> HttpResponse {
    let accepted = req.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let page = accepted.contains("text/html").then(|| page.render().ok()).flatten();
    match page {
        Some(page) => respond::html(status, page),
        None => respond::plain(status).body(text.to_owned()),
    }
}

impl Visit {
    pub(in crate::admin) fn engine(&self) -> &Arc<Engine> {
        self.payments.engine()
    }

    /// What stands around the page.
    pub(super) fn frame(&self) -> Frame {
        let (admin, sections) = (self.admin.clone(), self.sections.clone());
        let frame = Frame::new(admin, sections, &self.mount, &self.name, self.may_act, self.engine().now());
        frame.reading(self.read_from).limited_to(&self.scope)
    }

    /// The address of a page of the row that is shown, from which the way back still leads to the list that the row was
    /// opened from.
    pub(super) fn staying(&self, path: &str) -> String {
        Fields::of(&self.req).staying(&self.frame().href(path))
    }

    pub(super) fn may_act(&self) -> bool {
        self.may_act
    }

    /// The variants whose rows may be seen: for everything that reads rows.
    pub(super) fn scope(&self) -> Scope {
        self.scope.clone()
    }

    /// The variants that are configured and may be seen.
    pub(super) fn variants(&self) -> Vec<String> {
        self.engine().names_seen(&self.scope)
    }

    /// Whether there may be more variants than a list of them has room for.
    fn types_variants(&self) -> bool {
        self.scope.is_all() && self.engine().has_source()
    }

    /// The form with a choice of variants.
    pub(super) fn by_variant(&self, fields: &Fields, form: Filter) -> Filter {
        fields.by_variant(&self.variants(), self.types_variants(), form)
    }

    /// Who is responsible for what is done.
    pub(super) fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), address: self.admin.address_of(&self.req) }
    }

    /// A stored text as the host wants it shown.
    pub(super) fn redacted<'a>(&self, what: &'a str, variant: &'a str, text: &'a str) -> Cow<'a, str> {
        self.admin.redacted(&Stored { what, variant, text })
    }

    /// What a gateway or a handler said, as the host wants it shown.
    pub(super) fn shown(&self, variant: &str, text: &str) -> String {
        self.redacted("error", variant, text).into_owned()
    }

    /// Why it could not be done: what the gateway said is for the operator, too.
    pub(super) fn failed_at(&self, variant: &str, error: Error) -> Failure {
        match error.kind() {
            ErrorKind::Gateway => Failure::Refused(self.shown(variant, &error.to_string())),
            _ => error.into(),
        }
    }

    /// Whether the webhook endpoints are mounted beside these pages.
    pub(super) fn has_webhooks(&self) -> bool {
        self.webhooks
    }

    /// The address to paste into the gateway's settings: what the host said, or else where the browser is.
    pub(super) fn address_of(&self, variant: &str) -> String {
        let known = self.payments.address_of(variant);
        if !known.starts_with('/') {
            return known;
        }
        let here = self.req.connection_info();
        let path = if self.webhooks { format!("{}/{variant}/", self.mount) } else { known };
        format!("{}://{}{path}", here.scheme(), here.host())
    }

    /// The addresses to paste into the gateways' settings, as far as variants are known by name.
    pub(super) fn webhook_addresses(&self) -> Vec<Code> {
        let address = |name: &str| Code::new(self.payments.address_of(name), format!("address of {name}"));
        let at_run_time = self.types_variants().then_some("{variant}");
        self.variants().iter().map(String::as_str).chain(at_run_time).map(address).collect()
    }

    /// What finds the host's own rows of a payment.
    pub(super) fn details(&self) -> Option<Details> {
        self.admin.details.clone()
    }

    /// A part of the path.
    pub(super) fn part(&self, name: &str) -> &str {
        self.req.match_info().get(name).unwrap_or_default()
    }
}

//! What stands around a page, and how does it become an answer?

use std::collections::BTreeSet;
use std::rc::Rc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use askama::Template;

use super::query::{Fields, OpenedFrom};
use super::settings::Admin;
use super::site::Sections;
use super::views::badge::straight;
use super::views::notice::Notice;
use super::views::page::{NavItem, Page};
use super::views::parts::{Link, Moment};
use super::views::words;
use crate::domain::Timestamp;
use crate::domain::scope::Scope;
use crate::engine::replica::ReadFrom;
use crate::error::{Error, ErrorKind};
use crate::store::replication::Behind;
use crate::store::rows::EventRow;
use crate::web::{respond, statics};

/// How many variants are named that somebody's access is limited to.
const NAMED: usize = 3;

/// Where the pages are, who looks, and when.
pub(super) struct Frame {
    admin: Rc<Admin>,
    sections: Sections,
    mount: String,
    actor: String,
    may_act: bool,
    /// Which variants may be seen, in words, if not all.
    limit: Option<String>,
    now: Timestamp,
    read_from: Option<String>,
}

/// Why a page could not be shown, or an act not be done.
pub(super) enum Failure {
    /// There is no such thing.
    NotFound(&'static str),
    /// It is about the whole installation, and whoever asks may see a part of it.
    Closed,
    /// It can't be done now; the words are for the operator.
    Refused(String),
    /// Something broke; the words are for the log.
    Broken(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound("There is nothing here."),
            ErrorKind::Refused => Self::Refused(error.to_string()),
            _ => Self::Broken(error),
        }
    }
}

impl Frame {
    pub(super) fn new(
        admin: Rc<Admin>,
        sections: Sections,
        mount: &str,
        actor: &str,
        may_act: bool,
        now: Timestamp,
    ) -> Self {
        let (mount, actor) = (mount.to_owned(), actor.to_owned());
        Self { admin, sections, mount, actor, may_act, limit: None, now, read_from: None }
    }

    /// The same for somebody who may see these variants.
    pub(super) fn limited_to(self, scope: &Scope) -> Self {
        let words = |names: &BTreeSet<String>| match names.len() {
            0 => "no variants".to_owned(),
            1..=NAMED => format!("{} only", Vec::from_iter(names.iter().map(String::as_str)).join(", ")),
            count => format!("{count} variants only"),
        };
        Self { limit: scope.names().map(words), ..self }
    }

    /// The same of pages that are read from there.
    pub(super) fn reading(self, from: Option<ReadFrom>) -> Self {
        let words = from.map(|from| match from {
            ReadFrom::Replica(Behind::Nothing) => "Read from a replica that has all.".to_owned(),
            ReadFrom::Replica(Behind::Seconds(1)) => "Read from a replica, 1 second behind.".to_owned(),
            ReadFrom::Replica(Behind::Seconds(count)) => format!("Read from a replica, {count} seconds behind."),
            ReadFrom::Replica(Behind::Unknown) => "Read from a replica; how far it is behind is unknown.".to_owned(),
            ReadFrom::Primary => "The replica does not answer, so this was read from the primary.".to_owned(),
        });
        Self { read_from: words, ..self }
    }

    /// The address of a path below `/admin`.
    pub(super) fn href(&self, path: &str) -> String {
        format!("{}/admin/{path}", self.mount)
    }

    /// The way back to the list that a page was opened from, as it was seen.
    pub(super) fn back(&self, from: &OpenedFrom) -> Link {
        Link::new(from.name, from.view.with(&self.href(from.path), "", None))
    }

    /// The address of the list at `path` with what a search for `text` finds.
    pub(super) fn found(&self, path: &str, text: &str) -> String {
        Fields::default().with(&self.href(path), "q", Some(text))
    }

    /// An account of the gateway's, which leads to all of its payments.
    pub(super) fn of_account(&self, account: &str) -> Link {
        Link::new(account, Fields::default().with(&self.href("payments"), "account", Some(account)))
    }

    /// The address of all that there is of the customer of the payment or subscription with this token; `list` is
    /// `payments` or `subscriptions`.
    pub(super) fn customer(&self, list: &str, token: &str) -> String {
        self.href(&format!("{list}/{token}/customer"))
    }

    /// When the page was asked for.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// A moment as seen from now.
    pub(super) fn moment(&self, at: Timestamp) -> Moment {
        Moment::new(at, self.now, &self.admin.zone)
    }

    /// The sentence on what became of an event, with when it is tried again.
    pub(super) fn with_next_attempt(&self, outcome: &str, event: &EventRow) -> String {
        format!("{outcome}{}", words::next_attempt(event, self.now).unwrap_or_default())
    }

    /// The moment as the clocks of the host's zone show it, and what they call that zone then.
    pub(super) fn local(&self, at: Timestamp) -> (Timestamp, String) {
        self.admin.zone.local(at)
    }

    /// The moment at which a day begins by the clocks of the host's zone.
    pub(super) fn start_of(&self, day: time::Date) -> Timestamp {
        self.admin.zone.start_of(day)
    }

    /// The zone of absolute times.
    pub(super) fn zone(&self) -> &str {
        self.admin.zone.name()
    }

    /// The frame of a page of this section.
    pub(super) fn page(&self, title: &str, section: &str) -> Page {
        let item =
            |(name, path): (&str, &str)| NavItem { link: Link::new(name, self.href(path)), current: path == section };
        Page {
            title: straight(title),
            brand: Link::new(&self.admin.title, self.href("")),
            css: statics::address(&self.mount, "admin.css"),
            extra_css: self.admin.stylesheet.clone(),
            script: statics::address(&self.mount, "admin.js"),
            icon: statics::address(&self.mount, "icon.svg"),
            nav: self.sections.iter().copied().map(item).collect(),
            search: Link::new("", self.href("search")),
            home: self.admin.home.as_ref().map(|(text, href)| Link::new(text, href)),
            actor: self.actor.clone(),
            access: self.access(),
            read_from: self.read_from.clone(),
            flash: None,
        }
    }

    /// What somebody may not do or see.
    fn access(&self) -> Option<String> {
        let read_only = (!self.may_act).then(|| "read-only".to_owned());
        let all: Vec<String> = read_only.into_iter().chain(self.limit.clone()).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// A page as an answer.
    pub(super) fn render(&self, page: &impl Template) -> HttpResponse {
        respond_with(StatusCode::OK, page)
    }

    /// A page of one message.
    pub(super) fn notice(&self, status: StatusCode, title: &str, text: &str) -> HttpResponse {
        let page = Notice {
            page: self.page(title, "notice"),
            tone: "warn",
            icon: "alert",
            title: title.to_owned(),
            text: text.to_owned(),
            link: Some(Link::new("All payments", self.href("payments"))),
        };
        respond_with(status, &page)
    }

    /// What an operator is told when a page fails: what they can do something about, and nothing else.
    pub(super) fn failure(&self, failure: Failure) -> HttpResponse {
        match failure {
            Failure::NotFound(text) => self.notice(StatusCode::NOT_FOUND, "Not found", text),
            Failure::Closed => {
                let text = "This is about the whole installation, and your access is limited to some variants.";
                self.notice(StatusCode::FORBIDDEN, "Not open to you", text)
            }
            Failure::Refused(why) => self.notice(StatusCode::CONFLICT, "Not done", &why),
            Failure::Broken(error) => {
                error.report("an admin page failed");
                if error.is_retryable() {
                    let text =
                        "The database does not answer at the moment. Try again in a few seconds; the log says more.";
                    let mut response = self.notice(StatusCode::SERVICE_UNAVAILABLE, "Not available now", text);
                    response
                        .headers_mut()
                        .insert(respond::COME_AGAIN.0, HeaderValue::from_static(respond::COME_AGAIN.1));
                    return response;
                }
                let text = "The database did not answer as it should. Try again; the log says more.";
                self.notice(StatusCode::INTERNAL_SERVER_ERROR, "Something failed", text)
            }
        }
    }
}

fn respond_with(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => respond::html(status, text),
        Err(error) => {
            log::error!("payments: a template failed: {error}");
            respond::plain(StatusCode::INTERNAL_SERVER_ERROR).body("failed")
        }
    }
}

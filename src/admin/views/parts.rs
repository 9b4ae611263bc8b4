//! What are pages put together from? Small pieces that render themselves, so that a page says `{{ row.created }}`.
//!
//! A piece implements [`HtmlSafe`]: its template has escaped every string already, and escaping the result again
//! would show its tags. Only structs whose `Display` is an `.html` template may do so.

use askama::Template;
use askama::filters::HtmlSafe;

use super::words::{absolute, machine, relative};
use crate::admin::zone::Zone;
use crate::domain::Timestamp;
use crate::domain::fact::Fact;
use crate::domain::money::{Currency, Money};

/// A text that leads somewhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    /// What it says.
    pub(crate) text: String,
    /// Where it leads.
    pub(crate) href: String,
}

impl Link {
    /// `text` that leads to `href`.
    pub(crate) fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into() }
    }
}

/// A state: never by colour alone, always with its word and icon.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/badge.html")]
pub(crate) struct Badge {
    /// The word.
    pub(crate) word: String,
    /// The class that colours it: `neutral`, `info`, `good`, `warn`, `bad` or `moved`.
    pub(crate) tone: &'static str,
    /// The icon's name in `parts/icons.html`.
    pub(crate) icon: &'static str,
}

/// A moment: relative for reading, absolute for pointing at, exact for machines.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/moment.html")]
pub(crate) struct Moment {
    /// RFC 3339, for the `datetime` attribute.
    pub(crate) datetime: String,
    /// `23 Nov 2026, 18:55:44 UTC`.
    pub(crate) absolute: String,
    /// `3 min ago`; the script keeps it current.
    pub(crate) text: String,
}

impl Moment {
    /// `at`, as seen from `now` in `zone`.
    pub(in crate::admin) fn new(at: Timestamp, now: Timestamp, zone: &Zone) -> Self {
        let (local, name) = zone.local(at);
        Self { datetime: machine(at), absolute: absolute(local, &name), text: relative(local, now) }
    }
}

impl Moment {
    /// What the absolute time says beside the text: only the time of day where that is the day already.
    pub(crate) fn exact(&self) -> &str {
        self.absolute.strip_prefix(&format!("{}, ", self.text)).unwrap_or(&self.absolute)
    }
}

/// An amount of money: digits in groups of three and the currency's code.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/amount.html")]
pub(crate) struct Amount {
    /// `1,249.00`; a dash while no event has stated a currency.
    pub(crate) number: String,
    /// `EUR`; empty while unknown.
    pub(crate) currency: String,
}

impl Amount {
    /// `money` as people read it.
    pub(crate) fn new(money: Money) -> Self {
        if money.currency == Currency::NONE {
            return Self { number: "–".to_owned(), currency: String::new() };
        }
        Self { number: super::words::grouped(&money.decimal()), currency: money.currency.to_string() }
    }

    /// What a fact says of money.
    pub(crate) fn of(fact: &Fact) -> Option<Self> {
        Some(Self::new(Money::new(fact.amount?, fact.currency?)))
    }
}

/// An id that people copy, and where the gateway's own dashboard shows it.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/code.html")]
pub(crate) struct Code {
    /// The id, whole.
    pub(crate) text: String,
    /// What it is, for the button's label: `token`.
    pub(crate) what: String,
    /// The gateway's dashboard: `Link::new("Stripe", "https://dashboard.stripe.com/…")`.
    pub(crate) dashboard: Option<Link>,
}

impl Code {
    /// The id `text`, which is a `what`.
    pub(crate) fn new(text: impl Into<String>, what: impl Into<String>) -> Self {
        Self { text: text.into(), what: what.into(), dashboard: None }
    }

    /// With the place where the gateway shows it.
    pub(crate) fn with_dashboard(mut self, gateway: &str, url: Option<String>) -> Self {
        self.dashboard = url.map(|url| Link::new(gateway, url));
        self
    }
}

/// From one state to another.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/change.html")]
pub(crate) struct Change {
    /// Before.
    pub(crate) from: Badge,
    /// After.
    pub(crate) to: Badge,
}

/// A button that changes something, as a form of its own.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/act.html")]
pub(crate) struct Act {
    /// What the button says.
    pub(crate) label: String,
    /// The icon's name.
    pub(crate) icon: &'static str,
    /// Where the form posts to.
    pub(crate) action: String,
    /// What goes along, as name and value.
    pub(crate) fields: Vec<(String, String)>,
    /// Why it can't be done now; the button is disabled and says so.
    pub(crate) why_not: Option<String>,
}

impl HtmlSafe for Badge {}
impl HtmlSafe for Moment {}
impl HtmlSafe for Amount {}
impl HtmlSafe for Code {}
impl HtmlSafe for Change {}
impl HtmlSafe for Act {}

//! What do the variants' pages say? Whether each is set up, what came through it, and what to do where nothing does.

use askama::Template;

use super::list::Filter;
use super::page::Page;
use super::parts::{Act, Badge, Code, Link, Moment};

/// The list of variants.
#[derive(Debug, Template)]
#[template(path = "variants.html")]
pub(crate) struct Variants {
    /// The frame.
    pub(crate) page: Page,
    /// What stands otherwise at the gateways.
    pub(crate) drift: Link,
    /// Where variants are configured at run time: from which name on they are shown.
    pub(crate) filter: Option<Filter>,
    /// Where the next ones are.
    pub(crate) next: Option<String>,
    /// The variants, by name.
    pub(crate) rows: Vec<VariantRow>,
    /// Deliveries to addresses of no variant, if there were any.
    pub(crate) nobody: Option<String>,
}

/// One variant in the list.
#[derive(Debug, Clone)]
pub(crate) struct VariantRow {
    /// Its page.
    pub(crate) href: String,
    /// Its name.
    pub(crate) name: String,
    /// The company.
    pub(crate) gateway: String,
    /// How it is doing.
    pub(crate) health: Badge,
    /// The address to paste.
    pub(crate) address: Code,
    /// When its last event came.
    pub(crate) last_event: Option<Moment>,
}

/// One variant.
#[derive(Debug, Template)]
#[template(path = "variant.html")]
pub(crate) struct Variant {
    /// The frame.
    pub(crate) page: Page,
    /// The list.
    pub(crate) back: Link,
    /// Its name.
    pub(crate) name: String,
    /// The company.
    pub(crate) gateway: String,
    /// How it is doing.
    pub(crate) health: Badge,
    /// The buttons.
    pub(crate) acts: Vec<Act>,
    /// What became of the test event that was sent.
    pub(crate) test: Option<Test>,
    /// The address to paste.
    pub(crate) address: Code,
    /// What is wrong with that address, as far as can be seen.
    pub(crate) address_note: Option<String>,
    /// What to do at the company.
    pub(crate) steps: Vec<String>,
    /// The kinds to tick.
    pub(crate) kinds: Vec<&'static str>,
    /// All of them, a line each.
    pub(crate) all_kinds: String,
    /// The signing secrets.
    pub(crate) secrets: Vec<SecretRow>,
    /// Whether there is an API key, where one is needed.
    pub(crate) api_key: Option<Badge>,
    /// What the gateway is asked for, and what that waits for.
    pub(crate) fetching: Option<(String, Moment)>,
    /// The last event: its page, its state, when it came.
    pub(crate) last_event: Option<(Link, Badge, Moment)>,
    /// What came of comparing the gateway's list with the inbox, and when.
    pub(crate) reconciled: Option<(String, Moment)>,
    /// Refused deliveries, by reason.
    pub(crate) refused: Vec<RefusedRow>,
    /// How far back those are told.
    pub(crate) refused_note: String,
    /// Where the company says more.
    pub(crate) docs: Vec<Link>,
}

/// A signing secret.
#[derive(Debug, Clone)]
pub(crate) struct SecretRow {
    /// Its label.
    pub(crate) label: String,
    /// Whether it is set.
    pub(crate) status: Badge,
    /// When it last matched.
    pub(crate) matched: Option<Moment>,
    /// What that means.
    pub(crate) advice: String,
}

/// Deliveries that were refused for one reason.
#[derive(Debug, Clone)]
pub(crate) struct RefusedRow {
    /// The reason code.
    pub(crate) code: String,
    /// How many.
    pub(crate) count: String,
    /// When the last one came.
    pub(crate) last: Moment,
    /// The likely cause.
    pub(crate) cause: String,
    /// What to do about it.
    pub(crate) next_step: String,
}

/// What became of a test event.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    /// `good`, `warn`, `bad` or `info`.
    pub(crate) tone: &'static str,
    /// The icon's name.
    pub(crate) icon: &'static str,
    /// In a few words.
    pub(crate) title: String,
    /// What that means, and what to do.
    pub(crate) text: String,
    /// The event, if it is there: its page and state.
    pub(crate) event: Option<(Link, Badge)>,
}

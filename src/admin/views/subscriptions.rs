//! What does the list of subscriptions say? Who has subscribed to what, how that stands, and until when.

use askama::Template;

use super::list::{Empty, Filter, Notes, Paging, Tabs};
use super::page::Page;
use super::parts::{Badge, Moment};

/// The list of subscriptions.
#[derive(Debug, Template)]
#[template(path = "subscriptions.html")]
pub(crate) struct Subscriptions {
    /// The frame.
    pub(crate) page: Page,
    /// By status.
    pub(crate) tabs: Tabs,
    /// By variant and search.
    pub(crate) filter: Filter,
    /// In which order they stand.
    pub(crate) order: &'static str,
    /// The subscriptions.
    pub(crate) rows: Vec<SubscriptionLine>,
    /// Instead of no rows.
    pub(crate) empty: Empty,
    /// What is to be known of them.
    pub(crate) notes: Notes,
    /// The id of the newest, where the list begins with it.
    pub(crate) newest: Option<i64>,
    /// The neighbours.
    pub(crate) paging: Paging,
}

/// One subscription in the list.
#[derive(Debug, Clone)]
pub(crate) struct SubscriptionLine {
    /// Its number in the list.
    pub(crate) id: i64,
    /// Its page.
    pub(crate) href: String,
    /// What is subscribed to.
    pub(crate) items: String,
    /// Where it stands.
    pub(crate) status: Badge,
    /// Ends, not certain, test.
    pub(crate) flags: Vec<Badge>,
    /// The host's own id of whom it belongs to.
    pub(crate) owner: Option<String>,
    /// The customer's email address.
    pub(crate) customer: Option<String>,
    /// Its variant.
    pub(crate) variant: String,
    /// The gateway's id of it, or else our token.
    pub(crate) code: String,
    /// The end of its period, or its own.
    pub(crate) until: Option<Moment>,
}

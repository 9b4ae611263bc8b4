//! What does a subscription's page say? What it is and until when, in a sentence; its items; one timeline that says
//! why.

use askama::Template;

use super::page::Page;
use super::parts::{Amount, Badge, Code, Link, Moment};
use super::payment::{Ask, Entry};

/// One subscription.
#[derive(Debug, Template)]
#[template(path = "subscription.html")]
pub(crate) struct Subscription {
    /// The frame.
    pub(crate) page: Page,
    /// The list that it is in.
    pub(crate) back: Link,
    /// What it is called: its owner, its customer, or its id.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) status: Badge,
    /// Ends, adopted, live or test.
    pub(crate) flags: Vec<Badge>,
    /// What it is and until when, in a sentence.
    pub(crate) sentence: String,
    /// Why this may not be how it stands.
    pub(crate) doubt: Option<String>,
    /// What its gateway can be asked for, for those who may ask.
    pub(crate) asks: Vec<Ask>,
    /// Why there is nothing that it can be asked for.
    pub(crate) no_asks: Vec<String>,
    /// What is subscribed to.
    pub(crate) items: Vec<ItemRow>,
    /// Its invoices, newest first.
    pub(crate) invoices: Vec<InvoiceLine>,
    /// What the invoices leave out.
    pub(crate) invoices_note: Option<String>,
    /// What is known of it, as label and text.
    pub(crate) details: Vec<(&'static str, Said)>,
    /// Where its owner is given, for those who may act; with the owner that it has.
    pub(crate) give_owner: Option<(String, String)>,
    /// What happened, newest first.
    pub(crate) timeline: Vec<Entry>,
    /// What the timeline leaves out, if it is cut off, and where the rest is.
    pub(crate) timeline_note: Option<Link>,
}

/// What a detail says.
#[derive(Debug)]
pub(crate) enum Said {
    /// A text.
    Text(String),
    /// An id.
    Code(Code),
    /// A moment.
    At(Moment),
    /// What leads elsewhere.
    Link(Link),
}

/// One invoice.
#[derive(Debug, Clone)]
pub(crate) struct InvoiceLine {
    /// The gateway's id of it.
    pub(crate) code: String,
    /// When the gateway made it.
    pub(crate) made: Moment,
    /// What was to be paid.
    pub(crate) due: Option<Amount>,
    /// Where it stands.
    pub(crate) status: Badge,
    /// How often it was tried, and when it is tried next.
    pub(crate) tries: String,
    pub(crate) next: Option<Moment>,
    /// The payment that pays it.
    pub(crate) payment: Option<Link>,
}

/// One price that is subscribed to.
#[derive(Debug, Clone)]
pub(crate) struct ItemRow {
    /// The gateway's id of the price.
    pub(crate) price: String,
    /// The gateway's id of the product.
    pub(crate) product: Option<String>,
    /// How many.
    pub(crate) quantity: Option<String>,
    /// What one costs.
    pub(crate) amount: Option<Amount>,
    /// How often: `a month`.
    pub(crate) interval: Option<String>,
}

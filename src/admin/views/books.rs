//! What does the book of a month say? What it opened with, what moved, and what it closed with.

use askama::Template;

use super::list::{Empty, Filter, Notes, Paging, Tabs};
use super::page::Page;
use super::parts::{Amount, Link, Moment};

/// The book of a month.
#[derive(Debug, Template)]
#[template(path = "books.html")]
pub(crate) struct Books {
    /// The frame.
    pub(crate) page: Page,
    /// The months next to now.
    pub(crate) tabs: Tabs,
    /// By month, variant, currency and mode.
    pub(crate) filter: Filter,
    /// What is to be known of it.
    pub(crate) notes: Notes,
    /// The period, and whose clocks it goes by.
    pub(crate) title: String,
    /// The totals, a currency each.
    pub(crate) currencies: Vec<CurrencyTotals>,
    /// The movements, newest first.
    pub(crate) rows: Vec<MovementRow>,
    /// Instead of no rows.
    pub(crate) empty: Empty,
    /// The neighbours.
    pub(crate) paging: Paging,
}

/// How the money of one currency moved.
#[derive(Debug, Clone)]
pub(crate) struct CurrencyTotals {
    /// Its code.
    pub(crate) currency: String,
    /// At the beginning of the period.
    pub(crate) opening: Amount,
    /// By kind: what it is, how many, and what they come to.
    pub(crate) kinds: Vec<(&'static str, String, Amount)>,
    /// At its end.
    pub(crate) closing: Amount,
    /// What gateways kept of it, where they tell.
    pub(crate) fees: Option<Fees>,
    /// Whether nothing moved and nothing was there before.
    pub(crate) is_blank: bool,
}

/// What gateways kept of the money that moved in the period.
#[derive(Debug, Clone)]
pub(crate) struct Fees {
    /// How many fees were told.
    pub(crate) count: String,
    /// What they come to.
    pub(crate) amount: Amount,
    /// What moved in the period, less the fees.
    pub(crate) net: Amount,
}

/// One movement.
#[derive(Debug, Clone)]
pub(crate) struct MovementRow {
    /// Its number in the list.
    pub(crate) id: i64,
    /// How much, with its sign.
    pub(crate) amount: Amount,
    /// What is left of it when the gateway has its fee, where that is told.
    pub(crate) net: Option<Amount>,
    /// What part of it the fee is, in per cent.
    pub(crate) rate: Option<String>,
    /// What it is.
    pub(crate) kind: &'static str,
    /// The payment, by its token.
    pub(crate) payment: Link,
    /// The variant.
    pub(crate) variant: String,
    /// The gateway's id of what told of it.
    pub(crate) gateway_ref: String,
    /// When it moved.
    pub(crate) at: Moment,
}

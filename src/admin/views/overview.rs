//! What does the overview say? The last day in numbers, its course, and what somebody should look at.

use askama::Template;

use super::chart::Chart;
use super::page::Page;
use super::parts::{Amount, Link, Moment};

/// The overview.
#[derive(Debug, Template)]
#[template(path = "overview.html")]
pub(crate) struct Overview {
    /// The frame.
    pub(crate) page: Page,
    /// What is odd, the most urgent first.
    pub(crate) anomalies: Vec<Line>,
    /// What is open at this moment.
    pub(crate) now: Vec<Tile>,
    /// The day's sums: of one moment and of a day no two numbers are to be compared.
    pub(crate) tiles: Vec<Tile>,
    /// The money, a row for each mode and currency.
    pub(crate) money: Vec<MoneyRow>,
    /// Whether any of it was lost to disputes.
    pub(crate) any_lost: bool,
    /// The spans that the chart can show, as name, address, and whether it does.
    pub(crate) spans: Vec<(Link, bool)>,
    /// The course of events.
    pub(crate) chart: Chart,
    /// How subscriptions stand, if there are any.
    pub(crate) subscriptions: Option<Subscriptions>,
    /// The variants and their last events.
    pub(crate) variants: Vec<VariantRow>,
    /// The event that has waited longest.
    pub(crate) oldest: Option<(Link, Moment)>,
    /// How long deliveries take, if there are any.
    pub(crate) latency: Option<LatencyTable>,
    /// How far pruning has come, if bodies are pruned.
    pub(crate) pruning: Option<Pruning>,
}

/// How far pruning has come.
#[derive(Debug)]
pub(crate) struct Pruning {
    /// What came of the last turn, and when that was.
    pub(crate) last: Option<(String, Moment)>,
    /// The page that says more.
    pub(crate) more: Link,
}

/// How subscriptions stand.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    /// The numbers.
    pub(crate) tiles: Vec<Tile>,
    /// What recurs in a month, a row for each mode and currency.
    pub(crate) monthly: Vec<MonthlyRow>,
    /// How many subscriptions these sums are of.
    pub(crate) summed: String,
    /// How many are active or past due.
    pub(crate) running: String,
    /// Whether only some of them were added up.
    pub(crate) is_cut: bool,
    /// What began, ended and became past due.
    pub(crate) chart: Chart,
}

/// What recurs in one currency.
#[derive(Debug)]
pub(crate) struct MonthlyRow {
    /// Whether it is of a test mode, and so no money.
    pub(crate) test: bool,
    /// The sum.
    pub(crate) amount: Amount,
    /// How many subscriptions it is of.
    pub(crate) count: String,
}

/// How long the newest deliveries took.
#[derive(Debug)]
pub(crate) struct LatencyTable {
    /// How many they are.
    pub(crate) deliveries: usize,
    /// From when until when, and within which time a half, 95 and 99 of a hundred are.
    pub(crate) rows: Vec<(&'static str, [String; 3])>,
    /// The ones that came late.
    pub(crate) late: Link,
}

/// Something that is odd, and where to do something about it.
#[derive(Debug)]
pub(crate) struct Line {
    /// `warn` or `bad`.
    pub(crate) tone: &'static str,
    /// The icon's name.
    pub(crate) icon: &'static str,
    /// What is odd, and what it may mean.
    pub(crate) text: String,
    /// Where to act.
    pub(crate) link: Link,
}

/// One number.
#[derive(Debug)]
pub(crate) struct Tile {
    /// What it is, and the list behind it.
    pub(crate) link: Link,
    /// The number.
    pub(crate) number: String,
    /// What to compare it with.
    pub(crate) note: String,
    /// `calm`, or `warn` or `bad` where it wants attention.
    pub(crate) tone: &'static str,
}

/// Money of one currency.
#[derive(Debug)]
pub(crate) struct MoneyRow {
    /// Whether it is of a test mode, and so no money.
    pub(crate) test: bool,
    /// What was paid.
    pub(crate) paid: Amount,
    /// What went back.
    pub(crate) refunded: Amount,
    /// What was lost to disputes, if anything was.
    pub(crate) lost: Option<Amount>,
}

/// A variant and its last event.
#[derive(Debug)]
pub(crate) struct VariantRow {
    /// Its name, and its events.
    pub(crate) link: Link,
    /// Its last event and when it came.
    pub(crate) last: Option<(Link, Moment)>,
}

//! What does a customer's page say? What the payments come to, and each of them and of the subscriptions.

use askama::Template;

use super::list::Paging;
use super::page::Page;
use super::parts::Link;
use super::payments::{PaymentRow, PaymentTotals};
use super::subscriptions::SubscriptionLine;

/// All that there is of one customer.
#[derive(Debug, Template)]
#[template(path = "customer.html")]
pub(crate) struct Customer {
    /// The frame.
    pub(crate) page: Page,
    /// The payment or subscription that names the customer.
    pub(crate) back: Link,
    /// The email address, or the gateway's id of the customer.
    pub(crate) name: String,
    /// Whose gateway's id it is.
    pub(crate) variant: Option<String>,
    /// What the payments come to, by currency and mode.
    pub(crate) sums: Vec<PaymentTotals>,
    /// Which payments were added up, where that is not all.
    pub(crate) sums_note: Option<String>,
    /// The payments, newest first; of one that can't be read, what is wrong with it.
    pub(crate) rows: Vec<Result<PaymentRow, String>>,
    /// The neighbours.
    pub(crate) paging: Paging,
    /// The newest subscriptions.
    pub(crate) subscriptions: Vec<SubscriptionLine>,
    /// The list with all of them, where there are more.
    pub(crate) more_subscriptions: Option<Link>,
}

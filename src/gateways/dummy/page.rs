//! What does the customer see at the dummy gateway? A page that asks how the payment should end.

use askama::Template;

/// The demo checkout. It posts `choice` (`pay`, `fail`, `authorize` or `walk_away`) and the hidden fields.
#[derive(Debug, Template)]
#[template(path = "dummy.html")]
pub(crate) struct CheckoutPage {
    /// The style sheet's address.
    pub(crate) css: String,
    /// The tab icon's address.
    pub(crate) icon: String,
    /// How much, with its currency: `24.90 EUR`.
    pub(crate) amount: String,
    /// What is paid for, in the host's own words.
    pub(crate) reference: String,
    /// Where the form posts to.
    pub(crate) action: String,
    /// What goes along, as name and value.
    pub(crate) fields: Vec<(String, String)>,
    /// What went wrong with the last choice.
    pub(crate) trouble: Option<String>,
}

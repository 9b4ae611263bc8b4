//! The checkout page of the dummy gateway, on which the customer chooses how the payment ends.

use askama::Template;

/// The checkout page. Its form posts `choice` (`pay`, `fail`, `authorize` or `walk_away`) and the hidden fields.
#[derive(Debug, Template)]
#[template(path = "dummy.html")]
pub(crate) struct CheckoutPage {
    /// The style sheet's address.
    pub(crate) css: String,
    /// The tab icon's address.
    pub(crate) icon: String,
    /// The amount with its currency: `24.90 EUR`.
    pub(crate) amount: String,
    /// The host's reference, or the token if there is none.
    pub(crate) reference: String,
    /// The address that the form posts to.
    pub(crate) action: String,
    /// The hidden fields: names and values.
    pub(crate) fields: Vec<(String, String)>,
    /// What was wrong with the last choice.
    pub(crate) error: Option<String>,
}

//! Where the customer goes after a payment or a subscription was begun.

/// What is to be done next on the customer's way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Send the customer to this address.
    Redirect(String),
    /// Nothing: the gateway reports by itself, or the host starts the gateway's checkout with the token.
    Done,
}

impl Next {
    /// The address to send the customer to, if there is one.
    ///
    /// ```
    /// # use actix_payments::Next;
    /// let next = Next::Redirect("https://checkout.example/1".to_owned());
    /// assert_eq!(next.url(), Some("https://checkout.example/1"));
    /// assert_eq!(Next::Done.url(), None);
    /// ```
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Redirect(url) => Some(url),
            Self::Done => None,
        }
    }
}

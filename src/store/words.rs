//! The words that a search finds payments and subscriptions by, and what is known of whoever paid.

use crate::domain::Timestamp;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::domain::payer::Payer;
use crate::domain::search::{self, Piece, Sought};
use crate::error::Error;

/// What a word finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Payment(PaymentId),
    Subscription(SubscriptionId),
}

impl Subject {
    /// Its two columns: the one that is not meant is zero.
    pub(super) fn columns(self) -> (i64, i64) {
        match self {
            Self::Payment(id) => (id.0, 0),
            Self::Subscription(id) => (0, id.0),
        }
    }
}

impl Texts {
    /// What a search finds it by.
    pub(crate) fn words(&self) -> impl Iterator<Item = (Subject, Piece)> {
        let mut pieces = self.reference.as_deref().map(search::of_reference).unwrap_or_default();
        pieces.extend(self.customer.as_deref().map(search::of_address).unwrap_or_default());
        let subject = self.subject;
        pieces.into_iter().map(move |piece| (subject, piece))
    }
}

/// A word as its row has it: payment, subscription, the word, and the character before it.
pub(super) type WordRow<'a> = (i64, i64, &'a str, &'a str);

/// A row with the texts that words are made of.
pub(crate) struct Texts {
    pub subject: Subject,
    /// The host's order number.
    pub reference: Option<String>,
    /// The customer's email address.
    pub customer: Option<String>,
}

/// What is known of whoever paid, and when it was last told.
pub(crate) struct KnownPayer {
    pub payment: PaymentId,
    pub payer: Payer,
    pub told_at: Timestamp,
}

/// Words and payers.
pub(crate) trait Words {
    /// Keeps words that are not kept yet.
    fn keep_words(&mut self, words: &[(Subject, Piece)]) -> Result<(), Error>;
    /// What has a word in this range, `cap` words at the most, in no order; and whether there may be more.
    fn with_words(&mut self, sought: &Sought, cap: i64) -> Result<(Vec<Subject>, bool), Error>;
    /// The next payments after this one, in the order of their ids.
    fn payment_texts(&mut self, after: PaymentId, limit: i64) -> Result<Vec<Texts>, Error>;
    /// As [`Words::payment_texts`], of subscriptions.
    fn subscription_texts(&mut self, after: SubscriptionId, limit: i64) -> Result<Vec<Texts>, Error>;
    /// Deletes the words of these payments and subscriptions, and what is known of who paid: the texts that they were
    /// made of are erased.
    fn forget_words(&mut self, payments: &[i64], subscriptions: &[i64]) -> Result<(), Error>;
    /// What is known of who paid these.
    fn payers_of(&mut self, payments: &[PaymentId]) -> Result<Vec<KnownPayer>, Error>;
    /// Writes what is known of who paid, each in the place of what was.
    fn keep_payers(&mut self, payers: &[KnownPayer]) -> Result<(), Error>;
}

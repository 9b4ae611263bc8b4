//! The words that a search finds payments and subscriptions by, and what is known of whoever paid.

use std::collections::BTreeSet;

use crate::domain::Timestamp;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::domain::payer::Payer;
use crate::domain::search::{self, Piece, Sought};
use crate::error::Error;
use crate::store::filters::Span;

/// What a word finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Payment(PaymentId),
    Subscription(SubscriptionId),
}

impl Subject {
    /// Its two columns: the one that is not meant is zero.
    pub(crate) fn columns(self) -> (i64, i64) {
        match self {
            Self::Payment(id) => (id.0, 0),
            Self::Subscription(id) => (0, id.0),
        }
    }
}

impl Texts {
    /// What a search finds it by.
    pub(crate) fn words(&self) -> impl Iterator<Item = (Subject, Piece)> {
        let subject = self.subject;
        self.pieces().into_iter().map(move |piece| (subject, piece))
    }

    /// The same without what it finds.
    pub(crate) fn pieces(&self) -> BTreeSet<Piece> {
        let mut pieces = self.reference.as_deref().map(search::of_reference).unwrap_or_default();
        pieces.extend(self.customer.as_deref().map(search::of_address).unwrap_or_default());
        pieces.extend(self.payer.pieces());
        pieces.extend(self.notes.iter().flat_map(|note| search::of_note(note)));
        pieces
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
    pub payer: Payer,
    /// What people wrote down about it.
    pub notes: Vec<String>,
}

/// A note that the words of a row are not written yet, by its number.
pub(crate) type Owed = (i64, Subject);

/// Which end of a list to begin at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Oldest,
    Newest,
}

/// What is known of whoever paid, and when it was last told.
pub(crate) struct KnownPayer {
    pub payment: PaymentId,
    pub payer: Payer,
    pub told_at: Timestamp,
}

/// Words and payers.
pub(crate) trait Words {
    /// Notes that the words of these are to be written: their texts are new or changed.
    fn owe_words(&mut self, subjects: &[Subject]) -> Result<(), Error>;
    /// Such notes, the oldest or the newest first.
    fn words_owed(&mut self, end: End, limit: i64) -> Result<Vec<Owed>, Error>;
    /// Deletes these notes.
    fn words_paid(&mut self, notes: &[i64]) -> Result<(), Error>;
    /// Holds these until the transaction ends.
    fn hold_subjects(&mut self, subjects: &[Subject]) -> Result<(), Error>;
    /// The texts of these as they are now, in no order; of what is there no more, none.
    fn texts_to_find(&mut self, subjects: &[Subject]) -> Result<Vec<Texts>, Error>;
    /// Keeps words that are not kept yet.
    fn keep_words(&mut self, words: &[(Subject, Piece)]) -> Result<(), Error>;
    /// What has a word in this range, `cap` words at the most, in no order; and whether there may be more.
    fn with_words(&mut self, sought: &Sought, cap: i64) -> Result<(Vec<Subject>, bool), Error>;
    /// The next payments after this one, or subscriptions, in the order of their ids.
    fn subjects_after(&mut self, last: Subject, limit: i64) -> Result<Vec<Subject>, Error>;
    /// Deletes the words of these payments and subscriptions, and what is known of who paid: the texts that they were
    /// made of are erased.
    fn forget_words(&mut self, payments: &[i64], subscriptions: &[i64]) -> Result<(), Error>;
    /// What is known of who paid these.
    fn payers_of(&mut self, payments: &[PaymentId]) -> Result<Vec<KnownPayer>, Error>;
    /// Payments of a variant whose payer has this id at the gateway, with ids between these two, `limit` at the most: the
    /// oldest or the newest of them.
    fn payments_of_payer(
        &mut self,
        payer: (&str, &str),
        ids: Span<i64>,
        end: End,
        limit: i64,
    ) -> Result<Vec<PaymentId>, Error>;
    /// Writes what is known of who paid, each in the place of what was.
    fn keep_payers(&mut self, payers: &[KnownPayer]) -> Result<(), Error>;
}

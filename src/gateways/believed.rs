//! Whose events are believed, where one webhook receives those of several accounts. Whoever connects an account chooses
//! what its objects bear, a payment's token among it.

use super::json::Object;
use super::reading::{ANSWERED, id_text, whole};
use crate::domain::event::{Interpretation, Malformed, Recorded, storable};

/// The accounts whose events are believed. With none, those of all are.
#[derive(Debug, Clone)]
pub(super) struct Believed {
    /// The company's word for an account.
    word: &'static str,
    /// Where an event names its account.
    path: &'static [&'static str],
    accounts: Vec<String>,
}

impl Believed {
    /// Nobody is named yet. `path` leads to the account in an event.
    pub(super) fn all(word: &'static str, path: &'static [&'static str]) -> Self {
        Self { word, path, accounts: Vec::new() }
    }

    /// Names accounts.
    pub(super) fn name(&mut self, accounts: impl IntoIterator<Item = impl Into<String>>) {
        self.accounts.extend(accounts.into_iter().map(Into::into));
    }

    /// Checks that the named accounts can be accounts.
    pub(super) fn check(&self, company: &str) -> Result<(), String> {
        let wrong = self.accounts.iter().find(|account| !storable(account) || account.trim() != account.as_str());
        match wrong {
            Some(wrong) => Err(format!("expected the id of a {} of {company}'s, got {wrong:?}", self.word)),
            None => Ok(()),
        }
    }

    /// The account that an event names.
    pub(super) fn account(&self, event: &Object<'_>) -> Option<String> {
        let (last, outer) = self.path.split_last()?;
        match outer {
            [] => id_text(event, last),
            [data] => id_text(&event.object(data, "a part of it").ok()??, last),
            [data, of, ..] => {
                let data = event.object(data, "a part of it").ok()??;
                id_text(&data.object(of, "a part of it").ok()??, last)
            }
        }
    }

    /// What `read` makes of an event, unless that states something and the event is of an account that is not believed.
    /// An answer to a call of ours is of the account that was asked.
    pub(super) fn heard(
        &self,
        event: &Recorded<'_>,
        read: impl FnOnce() -> Result<Interpretation, Malformed>,
    ) -> Result<Interpretation, Malformed> {
        if event.kind.ends_with(ANSWERED) { read() } else { self.heard_of(event, read) }
    }

    /// The same for answers too, where one that was asked may show what belongs to others.
    pub(super) fn heard_of(
        &self,
        event: &Recorded<'_>,
        read: impl FnOnce() -> Result<Interpretation, Malformed>,
    ) -> Result<Interpretation, Malformed> {
        let account = whole(event).ok().and_then(|event| self.account(&event));
        let is_believed = account.as_ref().is_some_and(|account| self.accounts.contains(account));
        if self.accounts.is_empty() {
            return read();
        }
        if is_believed {
            return Ok(Interpretation { account, ..read()? });
        }
        match read() {
            Ok(read) if read.facts.is_empty() && read.subscription.is_none() => {
                Ok(Interpretation { summary: read.summary, ..Interpretation::default() })
            }
            _ => Ok(match account {
                Some(account) => unbelieved(format_args!("the {} {account}", self.word)),
                None => unbelieved(format_args!("a {} without a readable id", self.word)),
            }),
        }
    }
}

/// The interpretation of an event of an account that is not believed.
pub(super) fn unbelieved(stranger: impl std::fmt::Display) -> Interpretation {
    let summary = format!("of {stranger}, which this variant does not name: nothing in it is believed");
    Interpretation { summary, ..Interpretation::default() }
}

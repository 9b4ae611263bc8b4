//! How does a person decide about a payment that needs review? By an event like any other, so that a rebuild keeps the
//! decision, its order makes no difference, and handlers are told.

use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::event::{Recorded, storable};
use crate::domain::fact::Fact;
use crate::domain::ledger::Ledger;
use crate::domain::money::Money;
use crate::domain::note;
use crate::domain::payment::{PaymentState, derive, open_concerns};
use crate::engine::request::Requester;
use crate::engine::{Engine, Payment, act, find, payment, random_word};
use crate::error::{Error, ErrorKind};
use crate::pipeline::order::{self, Decision, REVIEW, ReviewOrder};
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::rows::PaymentRow;

/// A decision about a payment that needs review, and why. To return the money, refund the payment instead: once
/// everything received went back, the amount needs no review any more.
///
/// See [`Payments::resolve_review`](crate::Payments::resolve_review) for an example.
#[derive(Debug, Clone)]
#[must_use = "nothing is decided until `Payments::resolve_review` is called"]
pub struct Resolution {
    decides: Decides,
    note: String,
    by: Option<String>,
    seen: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decides {
    Accept,
    Dismiss,
}

impl Resolution {
    /// Accepts the captured amount as the payment's amount, although another one was agreed. A payment that waits for
    /// money becomes paid. `note` says why, in 1 to 1,000 characters.
    pub fn accept(note: impl Into<String>) -> Self {
        Self { decides: Decides::Accept, note: note.into(), by: None, seen: None }
    }

    /// Dismisses the payment's present concerns; its status stays. A later concern needs a decision of its own, even if
    /// it reads the same. `note` says why, in 1 to 1,000 characters.
    pub fn dismiss(note: impl Into<String>) -> Self {
        Self { decides: Decides::Dismiss, ..Self::accept(note) }
    }

    /// Who decided, for the timeline, in 1 to 255 characters. Default `the app`.
    pub fn by(mut self, name: impl Into<String>) -> Self {
        self.by = Some(name.into());
        self
    }

    /// The [`Payment::updated_at`] that the person saw: if the payment has changed since, the decision is refused.
    /// Default: not checked.
    pub fn seen(mut self, updated_at: Timestamp) -> Self {
        self.seen = Some(updated_at);
        self
    }
}

impl Engine {
    /// Decides about a payment that needs review; the answer is how it stands then.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` for a note that can't be kept, a payment that needs no review, one
    /// that changed meanwhile, and an acceptance that would change nothing.
    pub(crate) async fn resolve_review(
        self: &Arc<Self>,
        token: &str,
        resolution: Resolution,
        requester: Requester,
    ) -> Result<Payment, Error> {
        check(&resolution)?;
        let (token, id) = (token.to_owned(), format!("review_{}", random_word(26)?));
        let (engine, wanted, named) = (self.clone(), token.clone(), id.clone());
        let write = move |tx: &mut dyn Tx| append(&engine, tx, &wanted, &resolution, &requester, &named);
        let variant = self.write(write).await?;
        self.process_now(variant, vec![id]).await;
        let read = move |tx: &mut dyn Tx| Ok(find::by_token(tx, &token)?.as_ref().map(Payment::of));
        self.read(read).await?.ok_or_else(not_found)
    }
}

fn check(resolution: &Resolution) -> Result<(), Error> {
    note::checked(&resolution.note).map_err(refused)?;
    match &resolution.by {
        Some(by) if !storable(by) => {
            Err(refused("expected a name of 1 to 255 characters without control characters".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Appends the event; answers its variant.
fn append(
    engine: &Engine,
    tx: &mut dyn Tx,
    token: &str,
    resolution: &Resolution,
    requester: &Requester,
    id: &str,
) -> Result<String, Error> {
    let row = find::by_token(tx, token)?.ok_or_else(not_found)?;
    let now = engine.now();
    let actor = resolution.by.clone().unwrap_or_else(|| requester.name().to_owned());
    let facts = tx.facts_of(row.id)?;
    let decision = decision(&row, &facts, resolution)?;
    let note = resolution.note.trim().to_owned();
    let order = ReviewOrder { token: row.token.clone(), actor, note: note.clone(), decision };
    if resolution.decides == Decides::Accept {
        check_it_helps(&row, facts, &order, Recorded { id, kind: REVIEW, occurred_at: now, body: &[] })?;
    }
    let event = order::event((REVIEW, id.to_owned()), (&row.variant, row.livemode), &order, now)?;
    let event = tx.append(&[event])?.first().map(|event| event.id);
    if let Some(event) = event {
        tx.assign(event, row.id, &row.token)?;
    }
    if let Requester::Operator(actor) = requester {
        let name = if resolution.decides == Decides::Accept { "accept_amount" } else { "dismiss_review" };
        tx.add_act(&NewAct { detail: Some(note), ..act(name, actor, event, Some(row.id), now) })?;
    }
    Ok(row.variant)
}

fn decision(row: &PaymentRow, facts: &[Fact], resolution: &Resolution) -> Result<Decision, Error> {
    let stored = Payment::of(row);
    if resolution.seen.is_some_and(|seen| seen != stored.updated_at) {
        return Err(refused("the payment has changed meanwhile: look at it again".to_owned()));
    }
    if resolution.decides == Decides::Dismiss {
        let ledger = Ledger::from_facts(facts.iter().cloned());
        let causes: Vec<String> =
            open_concerns(payment::terms(row), &ledger).into_iter().map(|concern| concern.cause).collect();
        return match causes.is_empty() {
            true => Err(refused("the payment needs no review".to_owned())),
            false => Ok(Decision::Dismiss { causes }),
        };
    }
    let Money { minor, currency } = stored.captured;
    if minor <= 0 {
        return Err(refused("nothing came in the payment's currency, so there is no amount to accept".to_owned()));
    }
    if stored.remaining() != stored.captured {
        return Err(refused("some of what came went back already, so it can't be accepted: dismiss it".to_owned()));
    }
    Ok(Decision::Accept { minor, currency: currency.to_string() })
}

/// Refuses an acceptance that would leave everything as it is.
fn check_it_helps(row: &PaymentRow, facts: Vec<Fact>, order: &ReviewOrder, event: Recorded<'_>) -> Result<(), Error> {
    let said = order.says(&event).map_err(refused)?;
    let state = |more| derive(payment::terms(row), &Ledger::from_facts(facts.iter().cloned().chain(more)));
    let (before, after): (PaymentState, PaymentState) = (state(Vec::new()), state(said.facts));
    if before.status == after.status && before.concerns == after.concerns {
        return Err(refused("its amount is not what needs review: dismiss it, with a note".to_owned()));
    }
    Ok(())
}

fn refused(why: String) -> Error {
    Error::new(ErrorKind::Refused, why)
}

fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such payment")
}

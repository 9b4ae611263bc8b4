//! What one event does: match it to its payment, merge its facts into the ledger, derive the state, and say what became
//! of it. Pure: a working set in memory, no database and no clock, so that processing, dry run and rebuild are one
//! code.
//!
//! This is the only place where a payment's status is decided.

use std::time::Duration;

use super::fetching::Fetching;
use super::held::Held;
use super::interpret::{Understood, concern};
use super::rebuild::Remade;
use super::stepped::{Change, Stepped};
use super::subscription_change::SubscriptionChange;
use super::working_set::{Match, WorkingSet, all, linkable};
use crate::domain::event::{EventState, Interpretation, SubscriptionStatement, storable};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::{Effect, Ledger};
use crate::domain::named::NamedObject;
use crate::domain::payment::{PaymentState, Status, Terms, derive};
use crate::domain::{Timestamp, explain, later};
use crate::engine::Unmatched;
use crate::engine::payment;
use crate::engine::tally::Moved;
use crate::error::Error;
use crate::store::rows::{Claimed, NewTransition, PaymentDraft, PaymentRow, Verdict};
use crate::store::told;

/// One event, and what decides about it besides the working set.
pub(crate) struct Step<'a> {
    pub(crate) event: &'a Claimed,
    pub(crate) read: &'a Understood,
    /// What becomes of it where nothing matches it, and how long it may wait for its payment before.
    pub(crate) unmatched: Unmatched,
    pub(crate) grace: Duration,
    /// Whether it names an invoice, which may tell later that its subscription was started here.
    pub(crate) names_invoice: bool,
    /// Whether a handler is for events of its kind.
    pub(crate) is_wanted: bool,
    /// Why its gateway can't be asked for an object, if it can't.
    pub(crate) can_fetch: Result<(), String>,
    /// The ledger that all events of its payment make, where an operator asked for that.
    pub(crate) remade: Option<&'a Remade>,
    pub(crate) now: Timestamp,
    /// Makes the token of a payment that is adopted.
    pub(crate) new_token: fn() -> Result<String, Error>,
}

impl Step<'_> {
    /// Takes the step in the working set. What bears the token of another account's payment is not about that.
    pub(crate) fn run(&self, set: &mut WorkingSet) -> Result<Stepped, Error> {
        let Interpretation { references, account, .. } = &self.read.interpretation;
        let anothers = set.token_of_another(&self.event.row.variant, references, account.as_deref());
        let mut stepped = self.step(set)?;
        if let Some(token) = anothers {
            let why = format!("; not of the payment {token}, which is of another account");
            stepped.verdict.outcome.push_str(&why);
        }
        Ok(stepped)
    }

    /// Its variant, and the account that it says.
    fn of(&self) -> (&str, Option<&str>) {
        self.read.of(&self.event.row.variant)
    }

    fn step(&self, set: &mut WorkingSet) -> Result<Stepped, Error> {
        let Understood { interpretation, is_ignored, rebuild } = self.read;
        let found = self.read.found(set, &self.event.row.variant);
        let statement = interpretation.subscription.as_ref();
        let is_known = |it: &SubscriptionStatement| set.subscriptions.find(self.of(), it).is_some();
        // Of a subscription that is to be ignored nothing is kept, so neither is what its invoices ask for.
        let left_out = statement.filter(|it| self.unmatched == Unmatched::Ignore && !is_known(it));
        if !*is_ignored && left_out.is_none() && self.names_invoice {
            set.dues.take(&self.event.row.variant, interpretation);
        }
        if *is_ignored {
            let why = "of the other mode than this variant is for, so it changes nothing";
            let matched = found.map(|found| (found.payment, found.matched_by));
            return Ok(Stepped { matched, ..self.ended(EventState::Ignored, "other_mode", why.to_owned()) });
        }
        if let Some(object) = &interpretation.object_to_fetch {
            return self.fetch(set, object, found);
        }
        let stepped = match (found, rebuild, self.remade) {
            (Some(found), Some(order), Some(remade)) => self.rebuild(set, found, &order.actor, remade),
            (Some(found), ..) => self.apply(set, found),
            (None, ..) if interpretation.is_link => self.link(set),
            (None, ..) if interpretation.facts.is_empty() => Ok(self.nothing_to_do()),
            (None, ..) => self.unmatched(set),
        }?;
        let Some(statement) = statement else { return Ok(stepped) };
        if left_out.is_some() {
            return Ok(stepped.of_ignored_subscription(&statement.gateway_ref));
        }
        let stated = (statement, interpretation.account.as_deref());
        let change = set.subscriptions.apply(&self.event.row, stated, self.now)?;
        let of = (self.event.row.variant.as_str(), change.row.livemode);
        set.changes.money.subscription(of, (&change.before, &change.after), self.now);
        Ok(self.with_subscription(stepped, change))
    }

    /// An object that the event names without showing it. What the answer says of a payment, the answer does.
    fn fetch(&self, set: &mut WorkingSet, object: &NamedObject, found: Option<Match>) -> Result<Stepped, Error> {
        let fetching = set.fetches.step(&self.event.row, object, self.can_fetch.clone(), found.is_some(), self.now)?;
        let Fetching { state, code, outcome, due_at, payment, subscription } = fetching;
        // Who wants to hear of it is told once it is done, and so that it finds all of it in the ledger.
        let is_over = matches!(state, EventState::Completed | EventState::Ignored);
        let state = if is_over && self.is_wanted { EventState::Completed } else { state };
        let ended = self.ended(state, code, outcome);
        let finished_at = ended.verdict.finished_at.filter(|_| state != EventState::Parked);
        let verdict = Verdict { finished_at, due_at, ..ended.verdict };
        let matched = found.map(|found| (found.payment, found.matched_by)).or(payment);
        Ok(Stepped { verdict, matched, shown_subscription: subscription, is_told: is_over, ..ended })
    }

    /// The end of an event that did this to its subscription besides. Of one that is parked for its payment only the
    /// subscription's step is told by then.
    fn with_subscription(&self, stepped: Stepped, change: SubscriptionChange) -> Stepped {
        let is_parked = stepped.verdict.state == EventState::Parked;
        let mut verdict = stepped.verdict;
        verdict.outcome = format!("{}; {}", verdict.outcome, change.why);
        if !is_parked {
            verdict.state = EventState::Completed;
        }
        if matches!(verdict.code, "noted" | "handled" | "nothing_to_do" | "unmatched") {
            verdict.code = change.code;
        }
        Stepped { verdict, is_told: !is_parked, subscription: Some(change), ..stepped }
    }

    /// No payment, and nothing that would change one.
    pub(super) fn nothing_to_do(&self) -> Stepped {
        let summary = self.read.interpretation.summary.clone();
        if self.is_wanted {
            Stepped { is_told: true, ..self.ended(EventState::Completed, "handled", summary) }
        } else {
            self.ended(EventState::Ignored, "nothing_to_do", summary)
        }
    }

    /// Facts, but no payment to put them to.
    fn unmatched(&self, set: &mut WorkingSet) -> Result<Stepped, Error> {
        let Interpretation { references, summary, .. } = &self.read.interpretation;
        let (named, row, grace) = (all(references).join(", "), &self.event.row, self.grace);
        let statement = self.read.interpretation.subscription.as_ref();
        let may_be_ours = self.names_invoice && !self.event.was_parked && !grace.is_zero();
        let is_ours = statement.is_some_and(|statement| set.subscriptions.is_started_here(self.of(), statement));
        match self.unmatched {
            // `subscribe` makes no payments, and it was asked for here.
            _ if is_ours || set.bills_ours(&row.variant, references) => self.adopt(set),
            Unmatched::Ignore if !may_be_ours => {
                let why = format!("{summary}; no payment here bears {named}, and such events are to be ignored");
                Ok(self.ended(EventState::Ignored, "unmatched", why))
            }
            // `create` makes no subscriptions, so no payment is on its way that such an event could wait for.
            Unmatched::Adopt if self.event.was_parked || grace.is_zero() || statement.is_some() => self.adopt(set),
            // The subscription is here, and an undecided checkout says nothing of money.
            Unmatched::Park if statement.is_some() && self.states_no_money() => Ok(self.nothing_to_do()),
            policy => {
                let is_looked_at = policy == Unmatched::Adopt || may_be_ours;
                let until = is_looked_at.then(|| later(row.received_at.max(self.now), grace));
                let then = match policy {
                    Unmatched::Adopt => "; after the grace time it is adopted",
                    Unmatched::Ignore => {
                        ", or its invoice turns out to be of a subscription started here; after the grace \
                                          time it is ignored"
                    }
                    Unmatched::Park => "",
                };
                let outcome = format!("{summary}; waits until a payment bears one of {named}{then}");
                let parked = self.ended(EventState::Parked, "parked", outcome);
                let verdict = Verdict { due_at: until, finished_at: None, ..parked.verdict };
                Ok(Stepped { verdict, ..parked })
            }
        }
    }

    /// Whether its facts leave open whether anybody pays.
    fn states_no_money(&self) -> bool {
        let mut facts = self.read.interpretation.facts.iter();
        facts.all(|fact| fact.aspect == Aspect::Checkout && fact.state == State::Pending)
    }

    /// Makes a payment from what the event states, and puts its facts to that.
    pub(super) fn adopt(&self, set: &mut WorkingSet) -> Result<Stepped, Error> {
        let interpretation = &self.read.interpretation;
        let state = derive(Terms::Adopted, &Ledger::from_facts(interpretation.facts.iter().cloned()));
        let payment = set.adopt(PaymentDraft {
            token: (self.new_token)()?,
            // Only the host gives references: a customer can put any text into a payment link's address.
            reference: None,
            variant: self.event.row.variant.clone(),
            status: Status::Pending,
            amount: state.amount.minor,
            currency: state.amount.currency,
            customer: interpretation.customer.clone().filter(|text| storable(text)),
            livemode: self.event.row.livemode,
            metadata: None,
            adopted: true,
            account: interpretation.account.clone(),
            created_at: self.now,
        });
        let by = linkable(&interpretation.references).into_iter().next().unwrap_or_default();
        self.apply(set, Match { payment, matched_by: by, same: Vec::new(), is_ambiguous: false })
    }

    /// Merges the facts into the payment's ledger and draws what follows from it.
    fn apply(&self, set: &mut WorkingSet, found: Match) -> Result<Stepped, Error> {
        let Match { payment, matched_by, same, is_ambiguous } = found;
        let Interpretation { references, facts, summary, .. } = &self.read.interpretation;
        let (mut moved, mut absorbed) = (Moved::default(), Vec::new());
        for adopted in &same {
            let row = set.payment(*adopted)?;
            moved.take(row, self.now);
            absorbed.push(row.token.clone());
            set.absorb(*adopted, payment)?;
        }
        set.link(&self.event.row.variant, references, payment);
        // The money of an object that another payment has is that payment's, whatever token the event bears.
        let variant = &self.event.row.variant;
        let is_ours = |fact: &&Fact| !set.belongs_elsewhere(variant, &fact.gateway_ref, payment);
        let mut facts: Vec<Fact> = facts.iter().filter(is_ours).cloned().collect();
        facts.extend(is_ambiguous.then(|| concern("ambiguous_reference", self.event)));
        let dues = set.dues.facts(variant, references);
        let held = set.held_mut(payment)?;
        let before = payment::state(&held.row);
        let effects: Vec<(Fact, Effect)> = facts.iter().map(|fact| (fact.clone(), held.insert(fact))).collect();
        let is_billed = dues.iter().filter(|due| held.replace(due)).count() > 0;
        let is_changed = !same.is_empty() || effects.iter().any(|(_, effect)| effect.changed());
        let after = derive(payment::terms(&held.row), &held.ledger);
        let (code, why) = if facts.is_empty() && before == after {
            ("noted", summary.clone())
        } else {
            let (code, why) = explain::why(&before, &after, is_changed, &effects);
            (code, format!("{summary}; {why}"))
        };
        moved.take(&held.row, self.now);
        if self.learn(held) || before != after || is_changed || is_billed {
            payment::put(&mut held.row, &after);
            held.row.updated_at = self.now;
            held.is_changed = true;
        }
        moved.put(&held.row, self.now);
        let row = held.row.clone();
        set.changes.money.join(moved);
        let change = self.changed(set, row, (before, after), &why, effects, absorbed);
        // What an earlier attempt of this event applied is still what came of it.
        let (code, why) = match (code, change.step, change.earlier.last()) {
            ("no_change", None, Some(earlier)) => ("applied", earlier.cause.clone()),
            _ => (code, why),
        };
        let ended = self.ended(EventState::Completed, code, why);
        Ok(Stepped { matched: Some((payment, matched_by)), change: Some(change), is_told: true, ..ended })
    }

    /// Puts what all stored events say in the place of the payment's ledger.
    fn rebuild(&self, set: &mut WorkingSet, found: Match, actor: &str, remade: &Remade) -> Result<Stepped, Error> {
        let matched = Some((found.payment, found.matched_by));
        if let Some(why) = &remade.refusal {
            let why = format!("not rebuilt: {why}");
            return Ok(Stepped { matched, ..self.ended(EventState::Discarded, "refused", why) });
        }
        let held = set.held_mut(found.payment)?;
        let before = payment::state(&held.row);
        let after = derive(payment::terms(&held.row), &remade.ledger);
        let is_changed = remade.ledger != held.ledger;
        let why = format!("rebuilt from its events by {actor}; {}", explain::rebuilt(&before, &after, is_changed));
        let mut moved = Moved::default();
        moved.take(&held.row, self.now);
        if before != after || is_changed {
            payment::put(&mut held.row, &after);
            held.row.updated_at = self.now;
            held.is_changed = true;
        }
        moved.put(&held.row, self.now);
        held.ledger = remade.ledger.clone();
        held.is_rebuilt = true;
        held.registers = held.ledger.facts().map(|fact| (fact.aspect, fact.gateway_ref.clone())).collect();
        let row = held.row.clone();
        set.changes.reread.extend(remade.told.iter().map(|one| (one.event, one.clone())));
        set.changes.money.join(moved);
        let change = self.changed(set, row, (before, after), &why, Vec::new(), Vec::new());
        let ended = self.ended(EventState::Completed, "rebuilt", why);
        Ok(Stepped { matched, change: Some(change), is_told: true, ..ended })
    }

    /// Takes over what the payment did not know yet.
    fn learn(&self, held: &mut Held) -> bool {
        let at = self.event.row.occurred_at.unwrap_or(self.event.row.received_at);
        held.told(&self.read.interpretation.payer, at);
        let row = &mut held.row;
        let before = (row.customer.clone(), row.livemode, row.account.clone());
        let customer = self.read.interpretation.customer.clone().filter(|text| storable(text));
        held.is_address_new |= row.customer.is_none() && customer.is_some();
        row.customer = row.customer.take().or(customer);
        row.livemode = row.livemode.or(self.event.row.livemode);
        row.account = row.account.take().or_else(|| self.read.interpretation.account.clone());
        before != (row.customer.clone(), row.livemode, row.account.clone())
    }

    /// What the event did, with the transition from one state to the other, if that is one.
    fn changed(
        &self,
        set: &mut WorkingSet,
        payment: PaymentRow,
        (before, after): (PaymentState, PaymentState),
        why: &str,
        effects: Vec<(Fact, Effect)>,
        absorbed: Vec<String>,
    ) -> Change {
        let visible = |state: &PaymentState| (state.status, state.disputed, state.lost, state.concerns.clone());
        let dispute = explain::disputes(&effects).last();
        let mut step = None;
        if dispute.is_some() || visible(&before) != visible(&after) {
            step = Some(set.changes.transitions.len());
            set.changes.transitions.push(NewTransition {
                payment_id: payment.id,
                event_id: Some(self.event.row.id),
                from_status: before.status,
                to_status: after.status,
                needs_review: payment.needs_review,
                disputed: payment.disputed,
                cause: why.to_owned(),
                created_at: self.now,
                dispute: dispute.map(|(fact, _)| fact.state),
                dispute_from: dispute.and_then(|(_, effect)| effect.before()),
                dispute_fact: dispute.map(|(fact, _)| told::to_json(fact)),
            });
        }
        let mut earlier = set.earlier.get(&self.event.row.id).cloned().unwrap_or_default();
        earlier.retain(|step| step.payment_id == payment.id);
        Change { payment, before, after, earlier, step, effects, absorbed }
    }

    /// An end at which no handler is told.
    pub(super) fn ended(&self, state: EventState, code: &'static str, outcome: String) -> Stepped {
        let verdict = Verdict { state, code, outcome, due_at: None, finished_at: Some(self.now) };
        Stepped { verdict, matched: None, change: None, subscription: None, shown_subscription: None, is_told: false }
    }
}

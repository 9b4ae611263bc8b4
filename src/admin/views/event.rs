//! What does an event's page say? What became of it and why: who signed it, which payment it found and by which
//! reference, what it states, and what each handler made of it.

use askama::Template;

use super::json::Tree;
use super::note::NoteForm;
use super::page::Page;
use super::parts::{Act, Amount, Badge, Change, Code, Link, Moment};
use super::payment::Entry;

/// One event.
#[derive(Debug, Template)]
#[template(path = "event.html")]
pub(crate) struct Event {
    /// The frame.
    pub(crate) page: Page,
    /// The list that it is in.
    pub(crate) back: Link,
    /// The gateway's own name for what happened.
    pub(crate) kind: String,
    /// Where it stands.
    pub(crate) state: Badge,
    /// Live or test.
    pub(crate) mode: Option<Badge>,
    /// Where it is shown what it would do now.
    pub(crate) dry_run: Option<String>,
    /// What the actor may do; empty when read-only.
    pub(crate) acts: Vec<Act>,
    /// Why it came out so.
    pub(crate) explain: Explain,
    /// How it came.
    pub(crate) delivery: DeliveryInfo,
    /// Where a note is written, for those who may.
    pub(crate) note: Option<NoteForm>,
    /// What operators did to it and noted about it, newest first.
    pub(crate) history: Vec<Entry>,
    /// The runs of the event itself and of each handler, newest first.
    pub(crate) attempts: Vec<AttemptRow>,
    /// What was received, unless it was pruned.
    pub(crate) body: Option<Body>,
    /// When and why it was, where that is known.
    pub(crate) pruned: Option<PrunedAt>,
    /// A command that sends it again, for those who may act.
    pub(crate) curl: Option<String>,
    /// The headers that were kept, by name.
    pub(crate) headers: Vec<(String, String)>,
}

/// When and why the body of an event was pruned.
#[derive(Debug)]
pub(crate) struct PrunedAt {
    pub(crate) at: Moment,
    /// How long such bodies were kept then: `90 days`; none where their person was erased.
    pub(crate) kept: Option<String>,
}

/// The body of an event.
#[derive(Debug)]
pub(crate) struct Body {
    /// How large it is: `3100 bytes`.
    pub(crate) size: String,
    /// As a tree, where it is JSON of a size that people open and close.
    pub(crate) tree: Option<Tree>,
    /// As text: indented JSON, or what else it was.
    pub(crate) text: String,
}

/// Why an event came out as it did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Explain {
    /// What became of it, in a sentence.
    pub(crate) outcome: String,
    /// The outcome's code.
    pub(crate) code: Option<String>,
    /// What the gateway says happened, in words.
    pub(crate) summary: String,
    /// Why no signature was asked for.
    pub(crate) unsigned: Option<&'static str>,
    /// Which secret matched: `current (whsec_…)` is never shown, only its label.
    pub(crate) secret: Option<String>,
    /// How far signing and arrival were apart, in words.
    pub(crate) skew: Option<String>,
    /// The references that it names.
    pub(crate) references: Vec<ReferenceRow>,
    /// The payment that was found.
    pub(crate) payment: Option<Link>,
    /// The subscription that it is about.
    pub(crate) subscription: Option<Link>,
    /// How it was found, or why none was.
    pub(crate) matched: String,
    /// What it states.
    pub(crate) facts: Vec<FactRow>,
    /// The step of status that it caused.
    pub(crate) change: Option<Change>,
    /// Why that step, or why none.
    pub(crate) change_why: String,
    /// What the gateway was asked to show.
    pub(crate) fetch: Option<FetchInfo>,
    /// The events that it answers.
    pub(crate) answers_to: Vec<Link>,
}

/// What a gateway is asked to show, because an event names it without showing it.
#[derive(Debug, Clone)]
pub(crate) struct FetchInfo {
    /// What it is: `payment_intents pi_1`.
    pub(crate) object: String,
    /// How far that is: underway, done, declined or unknown.
    pub(crate) state: Badge,
    /// What it waits for, or what came of it, in a sentence.
    pub(crate) words: String,
    /// When it is tried next.
    pub(crate) next: Option<Moment>,
    /// The events of the answer.
    pub(crate) answers: Vec<Link>,
}

/// One reference that an event names.
#[derive(Debug, Clone)]
pub(crate) struct ReferenceRow {
    /// The id.
    pub(crate) code: Code,
    /// Whether the payment was found by it.
    pub(crate) matched: bool,
}

/// One fact that an event states.
#[derive(Debug, Clone)]
pub(crate) struct FactRow {
    /// Which aspect: `capture`.
    pub(crate) aspect: String,
    /// The gateway's id of the object, where it is of one.
    pub(crate) object: Option<String>,
    /// The state that it states.
    pub(crate) state: Badge,
    /// How much, where it says.
    pub(crate) amount: Option<Amount>,
    /// What the ledger made of it: `new`, `already known`, `older than what is known`.
    pub(crate) effect: String,
}

/// One run, of the event itself or of a handler.
#[derive(Debug, Clone)]
pub(crate) struct AttemptRow {
    /// Whose run: the handler's name.
    pub(crate) handler: String,
    /// How it ended.
    pub(crate) outcome: Badge,
    /// Which attempt it was: `2 of 12`.
    pub(crate) number: String,
    /// What went wrong.
    pub(crate) error: Option<String>,
    /// How long it ran: `120 ms`.
    pub(crate) took: Option<String>,
    /// When it started.
    pub(crate) started: Moment,
}

/// How an event came.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryInfo {
    /// The gateway's id of the event.
    pub(crate) id: Code,
    /// Its variant.
    pub(crate) variant: String,
    /// Where it came from: `delivery`.
    pub(crate) source: String,
    /// When the gateway says that it happened.
    pub(crate) occurred: Option<Moment>,
    /// When it first came.
    pub(crate) received: Moment,
    /// How long after it happened it came, where that is long.
    pub(crate) late: Option<String>,
    /// When it was processed, and how long that was after it came.
    pub(crate) processed: Option<(Moment, String)>,
    /// How often it was delivered.
    pub(crate) deliveries: String,
    /// When it last came, if more than once.
    pub(crate) last_delivered: Option<Moment>,
    /// How many deliveries bore its id and another body, and the beginning of the last one's SHA-256.
    pub(crate) differing: Option<(String, String)>,
    /// When the next attempt is due.
    pub(crate) next_attempt: Option<Moment>,
    /// The gateway's account, where the gateway says it.
    pub(crate) account: Option<String>,
    /// The version of the gateway's format.
    pub(crate) api_version: Option<String>,
}

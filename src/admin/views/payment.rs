//! What does a payment's page say? How much moved, by which ids people know it, and one timeline that says why.

use askama::Template;
use askama::filters::HtmlSafe;

use super::note::{NoteForm, NoteSearch};
use super::page::Page;
use super::parts::{Amount, Badge, Change, Code, Link, Moment};
use crate::admin::settings::Detail;
use crate::domain::payment::Status;
use crate::engine;
use crate::gateways::Verb;
use crate::reports::Permission;

/// One payment.
#[derive(Debug, Template)]
#[template(path = "payment.html")]
pub(crate) struct Payment {
    /// The frame.
    pub(crate) page: Page,
    /// The list that it is in.
    pub(crate) back: Link,
    /// Why it isn't paid, or where its money is, in a sentence.
    pub(crate) answer: String,
    /// Name, card, decline reason and the gateway's id of the customer, where events told them; some lead further.
    pub(crate) payer: Vec<(&'static str, Link)>,
    /// How much it is about.
    pub(crate) amount: Amount,
    /// Where it stands.
    pub(crate) status: Badge,
    /// Disputed, needs review, adopted.
    pub(crate) flags: Vec<Badge>,
    /// Why a person should look at it, a sentence each.
    pub(crate) concerns: Vec<String>,
    /// Where that is decided, for those who may.
    pub(crate) decide: Option<Link>,
    /// Events that could not be applied, each with the reason.
    pub(crate) unapplied: Vec<(Link, String)>,
    /// Total, captured, refunded, remaining.
    pub(crate) figures: Vec<Figure>,
    /// Our public id.
    pub(crate) token: Code,
    /// The host's own id.
    pub(crate) reference: Option<Code>,
    /// The gateway's ids of its objects.
    pub(crate) gateway_refs: Vec<Code>,
    /// The customer's email address, and all there is of this customer.
    pub(crate) customer: Option<Link>,
    /// Its variant.
    pub(crate) variant: String,
    /// The gateway's account, where that is not the merchant's own, and all of its payments.
    pub(crate) account: Option<Link>,
    /// Live or test.
    pub(crate) mode: Option<Badge>,
    /// When it was created.
    pub(crate) created: Moment,
    /// The subscription that it pays for.
    pub(crate) subscription: Option<Link>,
    /// What its gateway can be asked for, for those who may ask.
    pub(crate) asks: Vec<Ask>,
    /// Why there is nothing that it can be asked for.
    pub(crate) no_asks: Vec<String>,
    /// Where a note is written, for those who may.
    pub(crate) note: Option<NoteForm>,
    /// Where notes are looked through, if there are any.
    pub(crate) note_search: Option<NoteSearch>,
    /// What happened, newest first; where words are looked for, the notes with them.
    pub(crate) timeline: Vec<Entry>,
    /// What the timeline leaves out, if it is cut off, and where the rest is.
    pub(crate) timeline_note: Option<Link>,
    /// The payments beside it.
    pub(crate) neighbours: Vec<Link>,
    /// Where it is compared with its events.
    pub(crate) rebuild: Link,
    /// The host's own rows, if it has any to show.
    pub(crate) details: Option<Vec<DetailRow>>,
    /// The facts that status and amounts are computed from.
    pub(crate) ledger: Vec<LedgerRow>,
}

/// A row of the host's own.
#[derive(Debug, Clone)]
pub(crate) struct DetailRow {
    /// What it is.
    pub(crate) label: String,
    /// The text.
    pub(crate) text: String,
    /// Where the text leads.
    pub(crate) href: Option<String>,
}

impl DetailRow {
    /// Instead of what the host could not say.
    pub(crate) fn not_available() -> Self {
        Self { label: "From the app".to_owned(), text: "not available".to_owned(), href: None }
    }
}

impl From<Detail> for DetailRow {
    /// A link may lead to the host's own pages or elsewhere on the web, and nowhere else.
    fn from(detail: Detail) -> Self {
        let leads = |href: &String| ["/", "https://", "http://"].iter().any(|start| href.starts_with(start));
        Self { label: detail.label, text: detail.text, href: detail.href.filter(leads) }
    }
}

/// Something that the gateway can be asked for, on a page of its own.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// What the button says.
    pub(crate) label: &'static str,
    /// The icon's name.
    pub(crate) icon: &'static str,
    /// Where it leads, or why it can't be asked for now.
    pub(crate) leads: Result<String, String>,
}

impl Ask {
    /// What can be asked for first; where that is nothing, why, each reason once, and no buttons.
    pub(crate) fn offered(asks: impl Iterator<Item = Self>) -> (Vec<Self>, Vec<String>) {
        let (mut can, can_not): (Vec<Self>, Vec<Self>) = asks.partition(|ask| ask.leads.is_ok());
        if can.is_empty() {
            let mut reasons: Vec<String> = Vec::new();
            for why in can_not.into_iter().filter_map(|ask| ask.leads.err()) {
                if !reasons.contains(&why) {
                    reasons.push(why);
                }
            }
            return (Vec::new(), reasons);
        }
        can.extend(can_not);
        (can, Vec::new())
    }
}

/// One of the amounts at the top.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// What it is: `Captured`.
    pub(crate) label: &'static str,
    /// How much.
    pub(crate) amount: Amount,
}

impl Figure {
    /// How much moved, what remains of it, and what can still be taken by what the gateway may be asked for.
    pub(crate) fn all(payment: &engine::Payment, asks: &[Permission]) -> Vec<Self> {
        let mut all = vec![("Total", payment.amount), ("Captured", payment.captured), ("Refunded", payment.refunded)];
        all.extend((payment.lost.minor > 0).then_some(("Lost to disputes", payment.lost)));
        let capture = asks.iter().find(|ask| ask.verb == Verb::Capture).and_then(|ask| ask.may.clone().ok().flatten());
        all.extend(capture.map(|most| ("Can be captured", most)));
        // Nothing can remain of what is not taken yet.
        let is_held = payment.status == Status::Authorized && payment.captured.minor == 0;
        all.extend((!is_held).then(|| ("Remaining", payment.remaining())));
        all.into_iter().map(|(label, money)| Self { label, amount: Amount::new(money) }).collect()
    }
}

/// One line of the timeline: an event, a transition, a handler's attempt, or an act.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/entry.html")]
pub(crate) struct Entry {
    /// The colour of its mark.
    pub(crate) tone: &'static str,
    /// The icon of its mark.
    pub(crate) icon: &'static str,
    /// What it is, for those who can't see the icon: `Event`.
    pub(crate) what: &'static str,
    /// The name of it: an event's kind, a handler's name. Empty where `step` says it all.
    pub(crate) title: String,
    /// Where it can be read in full.
    pub(crate) href: Option<String>,
    /// What it did to the status.
    pub(crate) step: Option<Step>,
    /// How it ended.
    pub(crate) badge: Option<Badge>,
    /// What became of it and why.
    pub(crate) why: String,
    /// What went wrong.
    pub(crate) error: Option<String>,
    /// When.
    pub(crate) at: Moment,
    /// How long after it happened it came, where that is long.
    pub(crate) late: Option<String>,
    /// Whether it only found that nothing had changed.
    pub(crate) is_check: bool,
    /// The entries that it stands for, newest first.
    pub(crate) folded: Vec<Entry>,
}

/// What an entry says of the status.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// It went from one to another.
    Changes(Change),
    /// It stayed, in words, and a flag beside it changed.
    Stays(String, Badge),
}

impl Step {
    /// The status stayed this one.
    pub(crate) fn stays(status: &Badge, flag: Badge) -> Self {
        Self::Stays(format!("Still {}", status.word), flag)
    }

    /// What stands there now.
    fn to(&self) -> &Badge {
        match self {
            Self::Changes(change) => &change.to,
            Self::Stays(_, flag) => flag,
        }
    }
}

impl Entry {
    /// Several checks that changed nothing, as of the newest.
    pub(crate) fn checks(folded: Vec<Self>, at: Moment) -> Self {
        let title = format!("{} entries about checks that changed nothing", folded.len());
        Self { folded, ..Self::plain("eye", "Checks", title, String::new(), at) }
    }

    /// With how late it came.
    pub(crate) fn late(mut self, late: Option<String>) -> Self {
        self.late = late;
        self
    }

    /// An event and what became of it; `state` is the badge of its state.
    pub(crate) fn event(
        kind: impl Into<String>,
        href: impl Into<String>,
        state: Badge,
        why: String,
        at: Moment,
    ) -> Self {
        // What went as it should stays quiet, so that the steps of the status and the troubles stand out.
        let tone = if state.tone == "good" { "neutral" } else { state.tone };
        let href = Some(href.into());
        Self { href, badge: Some(state), ..Self::plain("bolt", "Event", kind, why, at) }.with_tone(tone)
    }

    /// A step of the status.
    pub(crate) fn step(step: Step, why: String, at: Moment) -> Self {
        let Badge { tone, icon, .. } = *step.to();
        Self { step: Some(step), ..Self::plain(icon, "Status", "", why, at) }.with_tone(tone)
    }

    /// The same event as what caused a step. What went wrong with the event outshines the step.
    pub(crate) fn causing(self, step: Step) -> Self {
        let Badge { tone, icon, .. } = *step.to();
        let tone = if self.tone == "neutral" { tone } else { self.tone };
        Self { step: Some(step), icon, what: "Event and status", ..self }.with_tone(tone)
    }

    /// One run of a handler, told in full on its event's page.
    pub(crate) fn attempt(handler: &str, href: String, outcome: Badge, why: String, at: Moment) -> Self {
        // As with events: what went as it should stays quiet.
        let tone = if outcome.tone == "good" { "neutral" } else { outcome.tone };
        Self { href: Some(href), badge: Some(outcome), ..Self::plain("gear", "Handler", handler, why, at) }
            .with_tone(tone)
    }

    /// The payment was created or adopted.
    pub(crate) fn created(title: impl Into<String>, why: String, at: Moment) -> Self {
        Self::plain("plus", "Start", title, why, at)
    }

    /// An operator did something.
    pub(crate) fn act(title: impl Into<String>, why: String, at: Moment) -> Self {
        Self::plain("user", "Act", title, why, at).with_tone("info")
    }

    /// The gateway was asked to do something.
    pub(crate) fn operation(title: impl Into<String>, state: Badge, why: String, at: Moment) -> Self {
        let tone = if state.tone == "good" { "neutral" } else { state.tone };
        Self { badge: Some(state), ..Self::plain("out", "Operation", title, why, at) }.with_tone(tone)
    }

    /// Another payment turned out to be this one.
    pub(crate) fn absorbed(title: impl Into<String>, why: String, at: Moment) -> Self {
        Self::plain("merge", "Absorbed", title, why, at).with_tone("moved")
    }

    /// What went wrong in it.
    pub(crate) fn with_error(mut self, error: Option<String>) -> Self {
        self.error = error;
        self
    }

    fn with_tone(mut self, tone: &'static str) -> Self {
        self.tone = tone;
        self
    }

    fn plain(icon: &'static str, what: &'static str, title: impl Into<String>, why: String, at: Moment) -> Self {
        let (title, tone) = (title.into(), "neutral");
        let (href, step, badge, error, late) = (None, None, None, None, None);
        Self { tone, icon, what, title, href, step, badge, why, error, at, late, is_check: false, folded: Vec::new() }
    }
}

/// One register of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct LedgerRow {
    /// Which aspect: `capture`.
    pub(crate) aspect: String,
    /// The gateway's id of the object, where it is of one.
    pub(crate) object: Option<String>,
    /// The state that it is in.
    pub(crate) state: Badge,
    /// How much, where it says.
    pub(crate) amount: Option<Amount>,
    /// Why, of a refund or a dispute, in the gateway's own word.
    pub(crate) reason: Option<String>,
    /// When it happened, by the gateway's word.
    pub(crate) at: Moment,
    /// The event that stated it.
    pub(crate) event: Link,
}

impl HtmlSafe for Entry {}

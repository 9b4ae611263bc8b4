//! Which word, colour and icon has a state? The only place that maps the domain's states to what is seen.

use super::parts::{Badge, Change};
use crate::domain::event::{AttemptOutcome, EventState};
pub(crate) use crate::domain::explain::spaced;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::operation::OperationState;
use crate::domain::payment::{Status, is_invoiced};
use crate::domain::subscription::SubscriptionStatus;

impl Badge {
    /// A badge of these three.
    pub(crate) fn new(word: impl Into<String>, tone: &'static str, icon: &'static str) -> Self {
        Self { word: word.into(), tone, icon }
    }

    /// A payment is disputed.
    pub(crate) fn disputed() -> Self {
        Self::new("disputed", "bad", "flag")
    }

    /// A payment needs a person's eye.
    pub(crate) fn needs_review() -> Self {
        Self::new("needs review", "warn", "alert")
    }

    /// A subscription's end is decided.
    pub(crate) fn ends() -> Self {
        Self::new("ends", "moved", "hourglass")
    }

    /// It may not be as it is shown.
    pub(crate) fn not_certain() -> Self {
        Self::new("not certain", "warn", "alert")
    }

    /// Real money or not; `None` where the gateway doesn't say.
    pub(crate) fn mode(livemode: Option<bool>) -> Option<Self> {
        livemode
            .map(|live| if live { Self::new("live", "good", "live") } else { Self::new("test", "neutral", "flask") })
    }
}

impl From<OperationState> for Badge {
    fn from(state: OperationState) -> Self {
        let (tone, icon) = match state {
            OperationState::Done => ("good", "check"),
            OperationState::Underway => ("warn", "clock"),
            OperationState::Declined => ("bad", "cross"),
            OperationState::Unknown => ("bad", "alert"),
            OperationState::Overtaken => ("neutral", "dot"),
        };
        Self::new(state.as_str(), tone, icon)
    }
}

impl From<&Fact> for Badge {
    fn from(fact: &Fact) -> Self {
        match (fact.aspect, fact.state) {
            // Nothing is pending of it once the payment is paid.
            _ if is_invoiced(fact) => Self::new("due", "neutral", "dot"),
            // Nobody has to answer a sum.
            (Aspect::RefundTotal, State::Open) => Self::new("so far", "neutral", "dot"),
            (_, state) => state.into(),
        }
    }
}

impl From<AttemptOutcome> for Badge {
    fn from(outcome: AttemptOutcome) -> Self {
        let (tone, icon) = match outcome {
            AttemptOutcome::Ok => ("good", "check"),
            AttemptOutcome::Error | AttemptOutcome::RetryAfter => ("warn", "retry"),
            AttemptOutcome::Discard => ("bad", "stop"),
        };
        Self::new(spaced(outcome.as_str()), tone, icon)
    }
}

impl From<Status> for Badge {
    fn from(status: Status) -> Self {
        let (tone, icon) = match status {
            Status::Pending => ("neutral", "clock"),
            Status::Authorized => ("info", "lock"),
            Status::Paid => ("good", "check"),
            Status::PartiallyRefunded => ("moved", "part"),
            Status::Refunded => ("moved", "back"),
            Status::Failed => ("bad", "cross"),
            Status::Canceled => ("neutral", "slash"),
            Status::Expired => ("neutral", "hourglass"),
        };
        Self::new(spaced(status.as_str()), tone, icon)
    }
}

impl From<SubscriptionStatus> for Badge {
    fn from(status: SubscriptionStatus) -> Self {
        let (tone, icon) = match status {
            SubscriptionStatus::Incomplete => ("neutral", "clock"),
            SubscriptionStatus::Trialing => ("info", "hourglass"),
            SubscriptionStatus::Active => ("good", "check"),
            SubscriptionStatus::PastDue => ("warn", "retry"),
            SubscriptionStatus::Unpaid => ("bad", "cross"),
            SubscriptionStatus::Paused => ("moved", "pause"),
            SubscriptionStatus::Canceled => ("neutral", "slash"),
            SubscriptionStatus::Expired => ("neutral", "hourglass"),
            SubscriptionStatus::Unknown => ("bad", "alert"),
        };
        Self::new(spaced(status.as_str()), tone, icon)
    }
}

impl From<EventState> for Badge {
    fn from(state: EventState) -> Self {
        let (tone, icon) = match state {
            EventState::Available => ("neutral", "clock"),
            EventState::Running => ("info", "running"),
            EventState::Retryable => ("warn", "retry"),
            EventState::Parked => ("moved", "pause"),
            EventState::Completed => ("good", "check"),
            EventState::Ignored => ("neutral", "minus"),
            EventState::Discarded => ("bad", "stop"),
        };
        Self::new(state_of_event(state), tone, icon)
    }
}

/// What people call an event's state.
pub(crate) fn state_of_event(state: EventState) -> String {
    match state {
        EventState::Retryable => "waiting to retry".to_owned(),
        other => spaced(other.as_str()),
    }
}

impl From<State> for Badge {
    fn from(state: State) -> Self {
        let (tone, icon) = match state {
            State::Succeeded | State::Free | State::Won => ("good", "check"),
            State::Authorized => ("info", "lock"),
            State::Pending | State::ActionRequired => ("neutral", "clock"),
            State::Failed | State::Lost => ("bad", "cross"),
            State::Inquiry | State::Open => ("bad", "flag"),
            State::Raised => ("warn", "alert"),
            State::Accepted | State::Dismissed => ("good", "check"),
            State::Expired => ("neutral", "hourglass"),
            State::Canceled | State::Closed => ("neutral", "slash"),
        };
        Self::new(spaced(state.as_str()), tone, icon)
    }
}

impl Change {
    /// A payment went from one status to another.
    pub(crate) fn of(from: Status, to: Status) -> Self {
        Self { from: from.into(), to: to.into() }
    }
}

/// A text without the characters that turn the direction of what follows (UAX #9), for places where no element keeps
/// them apart: a title, the middle of a sentence.
pub(crate) fn straight(text: &str) -> String {
    text.replace(|c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'), "\u{FFFD}")
}

/// A sentence on its own: with a capital letter and a full stop.
pub(crate) fn sentence(words: &str) -> String {
    let words = &straight(words);
    let mut rest = words.trim_end_matches('.').chars();
    rest.next().map(|first| format!("{}{}.", first.to_uppercase(), rest.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_turns_the_direction_of_what_follows() {
        assert_eq!(straight("order \u{202E}10042\u{2066}"), "order \u{FFFD}10042\u{FFFD}");
        assert_eq!(sentence("paid \u{202E}"), "Paid \u{FFFD}.");
    }

    #[test]
    fn every_icon_that_a_state_names_is_drawn() {
        let drawn = include_str!("../../../templates/parts/icons.html");
        let statuses = Status::ALL.into_iter().map(Badge::from);
        let events = EventState::ALL.into_iter().map(Badge::from);
        let states = State::ALL.into_iter().map(Badge::from);
        let subscriptions = SubscriptionStatus::ALL.into_iter().map(Badge::from);
        let flags = [Badge::disputed(), Badge::needs_review(), Badge::ends(), Badge::not_certain()];
        let modes = [true, false].into_iter().filter_map(|live| Badge::mode(Some(live)));
        let attempts = AttemptOutcome::ALL.into_iter().map(Badge::from);
        let operations = OperationState::ALL.into_iter().map(Badge::from);
        let of_runs = attempts.chain(operations).chain(subscriptions);
        for badge in statuses.chain(events).chain(states).chain(flags).chain(modes).chain(of_runs) {
            assert!(drawn.contains(&format!("id=\"i-{}\"", badge.icon)), "{badge:?}");
        }
    }
}

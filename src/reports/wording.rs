//! What a person should look at, in words: one sentence each, and where its cause stands. Pages, alarms and the command
//! line say the same.

use super::anomaly::Anomaly;
use super::browse::COUNT_CAP;
use super::chores::chore_in_words;
use crate::domain::Timestamp;
use crate::domain::delivery::Rejection;
use crate::engine::chores::variant_of_chore;

/// How numbers and times are put.
pub(crate) struct Wording<'a> {
    /// A number that was counted up to [`COUNT_CAP`].
    pub count: &'a dyn Fn(i64) -> String,
    /// A time, as it stands after "since".
    pub at: &'a dyn Fn(Timestamp) -> String,
}

/// An anomaly in words.
pub(crate) struct Worded {
    pub is_urgent: bool,
    pub text: String,
    /// What stands at the path.
    pub link: &'static str,
    /// Below the admin pages.
    pub path: String,
}

impl Wording<'static> {
    /// Without a page around it.
    pub(crate) fn plain() -> Self {
        Self { count: &counted, at: &moment }
    }
}

impl Wording<'_> {
    fn many(&self, number: i64, one: &str, more: &str) -> String {
        format!("{} {}", (self.count)(number), if number == 1 { one } else { more })
    }

    fn events(&self, number: i64) -> String {
        self.many(number, "event", "events")
    }

    fn deliveries(&self, number: i64) -> String {
        self.many(number, "delivery", "deliveries")
    }
}

fn counted(number: i64) -> String {
    if number >= COUNT_CAP { format!("{COUNT_CAP}+") } else { number.to_string() }
}

fn moment(at: Timestamp) -> String {
    let minute = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    at.format(minute).unwrap_or_else(|_| at.unix_timestamp().to_string())
}

impl Anomaly {
    /// Which one it is, for as long as it lasts.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Overdue { .. } => "overdue".to_owned(),
            Self::Failing { .. } => "failing".to_owned(),
            Self::NoVariant { .. } => "no-variant".to_owned(),
            Self::Deadlock { .. } => "deadlock".to_owned(),
            Self::NoHandler { .. } => "no-handler".to_owned(),
            // The same secret may be wrong for some deliveries or for all.
            Self::OnlyRejected { variant, .. } | Self::BadSignatures { variant, .. } => format!("refused:{variant}"),
            Self::SentAway { variant, .. } => format!("sent-away:{variant}"),
            Self::Quiet { variant, .. } => format!("silence:{variant}"),
            Self::Missed { variant, .. } => format!("missed:{variant}"),
            Self::Drift { variant, .. } => format!("drift:{variant}"),
            Self::ChoreFails { name, .. } => format!("chore:{name}"),
            Self::LookFails { key, .. } => format!("look:{key}"),
            Self::OpenCalls { .. } => "operations".to_owned(),
            Self::Dispute { id, .. } => format!("dispute:{id}"),
            Self::MoreDisputes { .. } => "disputes".to_owned(),
            Self::TestDisputes { .. } => "test-disputes".to_owned(),
            Self::Discarded { variant, kind, .. } => format!("discarded:{variant}:{kind}"),
            Self::ParkedLong { .. } => "parked".to_owned(),
            Self::Unshown { variant, .. } => format!("unshown:{variant}"),
            Self::NotShown { variant, .. } => format!("not-shown:{variant}"),
            Self::Differing { variant, .. } => format!("differing:{variant}"),
            Self::AuthorizedLong { .. } => "authorized".to_owned(),
            Self::NeedReview { .. } => "review".to_owned(),
            Self::UnknownStatus { .. } => "unknown-status".to_owned(),
        }
    }

    /// When the same happened last, where each time is worth telling.
    pub(crate) fn happened_again(&self) -> Option<Timestamp> {
        match self {
            Self::Discarded { last, .. } => Some(*last),
            _ => None,
        }
    }

    /// Whether money or events may be lost while nobody looks.
    fn is_urgent(&self) -> bool {
        match self {
            Self::Overdue { .. } | Self::NoVariant { .. } | Self::NoHandler { .. } | Self::OnlyRejected { .. } => true,
            Self::Quiet { .. } | Self::ChoreFails { .. } | Self::OpenCalls { .. } | Self::Discarded { .. } => true,
            Self::Dispute { .. } | Self::MoreDisputes { .. } | Self::Deadlock { .. } | Self::Unshown { .. } => true,
            Self::NotShown { .. } | Self::Drift { .. } | Self::Failing { .. } => true,
            Self::BadSignatures { .. } | Self::SentAway { .. } | Self::Missed { .. } | Self::ParkedLong { .. } => false,
            Self::AuthorizedLong { .. } | Self::NeedReview { .. } | Self::UnknownStatus { .. } => false,
            Self::Differing { .. } | Self::LookFails { .. } | Self::TestDisputes { .. } => false,
        }
    }

    /// What it is in words.
    pub(crate) fn wording(&self, words: &Wording<'_>) -> Worded {
        let (link, path) = self.place();
        Worded { is_urgent: self.is_urgent(), text: self.sentence(words), link, path }
    }

    fn sentence(&self, words: &Wording<'_>) -> String {
        let at = |at: &Timestamp| (words.at)(*at);
        match self {
            Self::Overdue { count, since, minutes } => format!(
                "{} waited for longer than {minutes} minutes, due since {}. Does a worker run?",
                words.events(*count),
                at(since)
            ),
            Self::Failing { count, since, why } => format!(
                "{} kept failing and will be tried again, the first received {}{}. Mend the cause before the last attempt.",
                words.events(*count),
                at(since),
                why.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
            ),
            Self::NoVariant { variants } => {
                let names = variants.join(", ");
                format!("Events wait for variants that no worker has: {names}. Add them again, or discard.")
            }
            Self::NoHandler { handlers } => format!(
                "No worker has these handlers, and they are owed their runs: {}. Start one that does, or retire them.",
                handlers.join(", ")
            ),
            Self::Deadlock { handlers } => format!(
                "No event is processed: each worker lacks a handler in the transaction ({}). Retire what was renamed \
                 or removed, or start a worker that has all.",
                handlers.join(", ")
            ),
            Self::OnlyRejected { variant, count, reason } => {
                format!("{variant}: {} rejected, and none accepted since {}", words.deliveries(*count), likely(*reason))
            }
            Self::BadSignatures { variant, count, reason, last } => format!(
                "{variant}: {} rejected beside good ones, the last {} {}",
                words.deliveries(*count),
                at(last),
                likely(*reason)
            ),
            Self::SentAway { variant, count, reason, last } => format!(
                "{variant}: {} answered 503, to be sent again, the last {} {}",
                words.deliveries(*count),
                at(last),
                likely(*reason)
            ),
            Self::Quiet { variant, last: Some(last) } => {
                format!("{variant}: payments were created, but no event came since {}.", at(last))
            }
            Self::Quiet { variant, last: None } => {
                format!("{variant}: payments were created, but no event ever came. Is the address set?")
            }
            Self::Missed { variant, count, last } => format!(
                "{variant}: {} had not been delivered and were fetched from the gateway's list, the last {}. Is the \
                 endpoint on, and for all kinds?",
                words.events(*count),
                at(last)
            ),
            Self::ChoreFails { name, since, why } => format!("{} since {}: {why}.", chore(name), at(since)),
            Self::LookFails { about, why, .. } => {
                format!("Nobody can tell whether there are alarms about {about}: {why}.")
            }
            Self::OpenCalls { .. }
            | Self::Dispute { .. }
            | Self::MoreDisputes { .. }
            | Self::TestDisputes { .. }
            | Self::Unshown { .. }
            | Self::Drift { .. } => self.of_gateways(words),
            Self::NotShown { variant, count, .. } => format!(
                "{variant}: the gateway did not show what {}, and is not asked again automatically. \
                 Requeue to ask once more.",
                words.many(*count, "event names", "events name")
            ),
            Self::Discarded { variant, kind, count, last } => format!(
                "{variant}: {} of {kind} given up, the last {}: requeue when the cause is mended, or discard on purpose.",
                words.events(*count),
                at(last)
            ),
            Self::ParkedLong { count, since } => format!(
                "{} parked, the first {}: no payment here bears their references.",
                words.events(*count),
                at(since)
            ),
            Self::Differing { variant, count, last, .. } => format!(
                "{variant}: {} delivered again with another body, the last {}; the first body is kept. Does the \
                 gateway show the same event?",
                words.many(*count, "event was", "events were"),
                at(last)
            ),
            Self::AuthorizedLong { count, since, is_past } => format!(
                "{} authorized, the oldest {}, {}: capture or cancel.",
                words.many(*count, "payment is still", "payments are still"),
                at(since),
                if *is_past { "which has probably expired" } else { "and may expire soon" }
            ),
            Self::NeedReview { count } => {
                format!("{} review.", words.many(*count, "payment needs", "payments need"))
            }
            Self::UnknownStatus { count } => format!(
                "{} in a status that this release does not know, and let nobody in.",
                words.many(*count, "subscription is", "subscriptions are")
            ),
        }
    }

    fn of_gateways(&self, words: &Wording<'_>) -> String {
        match self {
            Self::OpenCalls { count, since, verb, variant, .. } => format!(
                "{variant}: whether the gateway did a {verb} is not known since {}, {} in all. Each is tried again \
                 under its own key: do not ask for it again.",
                (words.at)(*since),
                words.many(*count, "operation", "operations")
            ),
            Self::Unshown { variant, count, since, cannot } => format!(
                "{variant}: {} by events and not shown yet, the first {}. {}",
                words.many(*count, "object is named", "objects are named"),
                (words.at)(*since),
                match cannot {
                    Some(why) => format!("They wait: {why}."),
                    None => "The gateway does not answer.".to_owned(),
                }
            ),
            Self::Drift { variant, count, since } => format!(
                "{variant}: {} the gateway, found {}. Repair what differs.",
                words.many(*count, "object differs from", "objects differ from"),
                (words.at)(*since)
            ),
            Self::Dispute { money, until, .. } => {
                let over = money.as_ref().map_or_else(String::new, |money| format!(" over {money}"));
                let by = until.map_or_else(String::new, |until| format!(" by {}", moment(until)));
                format!("A dispute{over} is open: answer it at the gateway{by}, or it is lost.")
            }
            Self::MoreDisputes { count } => {
                format!("{} more.", words.many(*count, "dispute is open", "disputes are open"))
            }
            Self::TestDisputes { count } => format!(
                "{} in test mode: no money is at stake.",
                words.many(*count, "dispute is open", "disputes are open")
            ),
            _ => String::new(),
        }
    }

    /// What stands where its cause does, and the path below the admin pages.
    fn place(&self) -> (&'static str, String) {
        match self {
            Self::Overdue { .. } | Self::NoVariant { .. } => ("Waiting events", "events?state=available".to_owned()),
            Self::Deadlock { .. } | Self::NoHandler { .. } => ("Handlers", "handlers".to_owned()),
            Self::OnlyRejected { variant, .. } | Self::BadSignatures { variant, .. } => see_why(variant),
            Self::SentAway { variant, .. } | Self::Missed { variant, .. } => see_why(variant),
            Self::ChoreFails { name, .. } => match variant_of_chore(name) {
                Some(variant) => see_why(variant),
                None => ("Background work", "data#work".to_owned()),
            },
            Self::LookFails { .. } => ("Overview", String::new()),
            Self::Drift { .. } => ("What differs", "drift".to_owned()),
            Self::Unshown { variant, .. } => ("The variant", format!("variants/{variant}")),
            Self::NotShown { event, .. } | Self::Differing { event, .. } => {
                ("The last event", format!("events/{event}"))
            }
            Self::Quiet { variant, .. } => ("Payments created", format!("payments?variant={variant}")),
            Self::OpenCalls { token, on_subscription: true, .. } => ("The oldest", format!("subscriptions/{token}")),
            Self::OpenCalls { token, .. } => ("The oldest", format!("payments/{token}")),
            Self::Dispute { token, .. } => ("Its payment", format!("payments/{token}")),
            Self::MoreDisputes { .. } => ("Disputes", "disputes".to_owned()),
            Self::TestDisputes { .. } => ("Test disputes", "disputes?mode=test".to_owned()),
            Self::Discarded { variant, .. } => {
                ("Discarded events", format!("events?state=discarded&variant={variant}"))
            }
            Self::Failing { .. } => ("Failures", "failures".to_owned()),
            Self::ParkedLong { .. } => ("Parked events", "events?state=parked".to_owned()),
            Self::AuthorizedLong { .. } => ("Authorized payments", "payments?status=authorized".to_owned()),
            Self::NeedReview { .. } => ("Payments to review", "payments?status=review".to_owned()),
            Self::UnknownStatus { .. } => ("These subscriptions", "subscriptions?status=unknown".to_owned()),
        }
    }
}

fn see_why(variant: &str) -> (&'static str, String) {
    ("See why", format!("variants/{variant}"))
}

fn likely(reason: Rejection) -> String {
    format!("({reason}). Likely: {}.", reason.likely_cause())
}

fn chore(name: &str) -> String {
    match name.split_once(':') {
        Some(("reconcile", variant)) => format!("{variant}: the gateway's list of events can't be compared"),
        Some(("drift", variant)) => format!("{variant}: payments can't be compared with the gateway"),
        _ => format!("{} fails", chore_in_words(name)),
    }
}

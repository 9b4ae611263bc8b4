//! Tells the host what begins to be an alarm and what is over, once for each database: it is remembered there, so that
//! neither other processes nor a restart tell it again.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Timestamp, later};
use crate::engine::chores::variant_of_chore;
use crate::engine::guarded::guarded;
use crate::engine::{Alarm, AlarmHook, Engine, HandlerError, random_word};
use crate::error::Error;
use crate::reports::{Anomaly, Look, Looked, Wording};
use crate::store::alarms::AlarmRow;

/// The chore; held by one process at a time.
const NAME: &str = "alarms";
/// How often anomalies are looked for.
const EVERY: Duration = Duration::from_secs(30);
/// How long after an alarm has begun the same is told again, if it happens again.
const AGAIN: Duration = Duration::from_secs(3_600);
/// For how long nobody sees what is a variant's until it is over where this process lacks the variant: one that has it
/// may be restarting, or be seldom the one that looks.
const ELSEWHERE: Duration = Duration::from_secs(86_400);

impl Engine {
    /// Looks for anomalies and tells the host what it was not told yet, if that is due and no other process does so.
    pub(crate) async fn tell_alarms(self: &Arc<Self>) -> Result<(), Error> {
        let Some(hook) = &self.on_alarm else { return Ok(()) };
        let hold = self.lease + EVERY;
        if self.claim_chore(NAME.to_owned(), hold).await?.is_none() {
            return Ok(());
        }
        let Looked { found, failed } = self.look_for_anomalies().await?;
        let base = self.admin_path();
        let (now, calm) = (self.now(), self.thresholds.calm);
        let engine = self.clone();
        let due = self.write(move |tx| {
            let calm =
                |key: &str| if is_elsewhere(key, |name| engine.may_have(name)) { calm.max(ELSEWHERE) } else { calm };
            let again: Vec<_> = found.iter().filter_map(|one| Some(row(one, &base, one.happened_again()?))).collect();
            let (mut alarms, found) = (tx.alarms()?, found.iter().map(|one| row(one, &base, now)).collect());
            renew(&mut alarms, &again);
            // Nobody knows whether what a look that failed would have found is over.
            let (mut alarms, kept): (Vec<_>, Vec<_>) = alarms.into_iter().partition(|alarm| is_known(&failed, alarm));
            for changed in compare(&mut alarms, found, now, calm) {
                tx.keep_alarm(&alarms[changed])?;
            }
            let all = alarms.into_iter().chain(kept);
            Ok(all.filter(|alarm| alarm.due_at.is_some_and(|at| at <= now)).collect::<Vec<_>>())
        });
        for alarm in due.await? {
            self.tell(hook, alarm).await?;
            let until = later(self.now(), hold);
            self.write(move |tx| tx.pause_chore(NAME, until, None, "alarms are being reported")).await?;
        }
        let again = later(self.now(), EVERY);
        self.write(move |tx| tx.pause_chore(NAME, again, None, "every alarm has been reported")).await
    }

    /// Tells one, and keeps what came of it.
    async fn tell(self: &Arc<Self>, hook: &AlarmHook, mut row: AlarmRow) -> Result<(), Error> {
        let is_end = row.told;
        let alarm = Alarm {
            key: row.name.clone(),
            sentence: row.sentence.clone(),
            link: row.path.clone(),
            begun_at: row.begun_at,
            over_at: row.over_at.filter(|_| is_end),
        };
        let timeout = self.handler_timeout;
        let told = match tokio::time::timeout(timeout, guarded(hook(alarm))).await {
            Ok(told) => told.unwrap_or_else(|why| Err(HandlerError::panicked(&why))),
            Err(_) => Err(HandlerError::retry(format!("still running after {} s", timeout.as_secs()))),
        };
        let now = self.now();
        match self.failed(told, row.attempts + 1) {
            Some(wait) => {
                row.attempts += 1;
                row.due_at = Some(later(now, wait));
            }
            None if is_end => return self.write(move |tx| tx.forget_alarm(&row.name)).await,
            None => {
                (row.told, row.attempts) = (true, 0);
                row.due_at = row.over_at.map(|_| now);
            }
        }
        self.write(move |tx| tx.keep_alarm(&row)).await
    }

    /// How long to wait before the host is called again; `None` when it was told, or never will be.
    fn failed(&self, told: Result<(), HandlerError>, attempt: i64) -> Option<Duration> {
        let error = told.err()?;
        let jitter = random_word(1).ok().and_then(|word| word.bytes().next()).unwrap_or_default();
        let wait = match &error {
            HandlerError::Discard(_) => None,
            HandlerError::RetryAfter(wait, _) => Some(*wait),
            // An alarm is worth telling for as long as it takes.
            HandlerError::Retry(_) => {
                let wait = self.backoff.after(u32::try_from(attempt).unwrap_or(u32::MAX), jitter);
                Some(wait.unwrap_or(self.backoff.longest))
            }
        };
        log::error!("payments: an alarm could not be reported, attempt {attempt}: {}", error.sentence());
        wait
    }
}

fn row(anomaly: &Anomaly, base: &str, now: Timestamp) -> AlarmRow {
    let wording = anomaly.wording(&Wording::plain());
    AlarmRow {
        name: anomaly.key(),
        sentence: wording.text,
        path: format!("{base}{}", wording.path),
        begun_at: now,
        seen_at: now,
        over_at: None,
        told: false,
        attempts: 0,
        due_at: Some(now),
        urgent: wording.is_urgent,
    }
}

/// Whether the look was made that would have found it.
fn is_known(failed: &[Look], alarm: &AlarmRow) -> bool {
    !failed.iter().any(|look| look.is_of(&alarm.name))
}

/// Whether the alarm is of a variant that is not here.
fn is_elsewhere(key: &str, is_here: impl Fn(&str) -> bool) -> bool {
    // Another part behind the colon is the gateway's name of a dispute, which any process sees.
    let of_variants = ["drift", "refused", "sent-away", "silence", "missed", "unshown", "not-shown", "chore", "look"];
    let Some((kind, rest)) = key.split_once(':').filter(|(kind, _)| of_variants.contains(kind)) else { return false };
    // Of chores and looks, only those have a variant that name it behind their own name.
    let variant = if matches!(kind, "chore" | "look") { variant_of_chore(rest) } else { Some(rest) };
    variant.is_some_and(|variant| !is_here(variant))
}

/// Makes alarms new of which the same has happened again, long enough after the host was told.
fn renew(alarms: &mut [AlarmRow], again: &[AlarmRow]) {
    for alarm in alarms.iter_mut().filter(|alarm| alarm.told && alarm.over_at.is_none()) {
        if let Some(one) = again.iter().find(|one| one.name == alarm.name && one.begun_at > alarm.begun_at + AGAIN) {
            *alarm = one.clone();
        }
    }
}

/// Brings the alarms up to what was found; answers which were changed. `calm` is how long an alarm has not been seen
/// when it is over.
fn compare(
    alarms: &mut Vec<AlarmRow>,
    found: Vec<AlarmRow>,
    now: Timestamp,
    calm: impl Fn(&str) -> Duration,
) -> Vec<usize> {
    let mut changed = Vec::new();
    for (at, alarm) in alarms.iter_mut().enumerate() {
        if let Some(one) = found.iter().find(|one| one.name == alarm.name) {
            alarm.seen_at = now;
            if one.urgent && !alarm.urgent {
                // What was a warning, and may have been a stranger's doing, must not hide what it has become.
                let begun_at = alarm.begun_at;
                *alarm = AlarmRow { begun_at, ..one.clone() };
                changed.push(at);
                continue;
            }
            // It came back before its end was told: to the host it has never been gone.
            if alarm.over_at.take().is_some() && alarm.told {
                (alarm.due_at, alarm.attempts) = (None, 0);
            }
            changed.push(at);
        } else if alarm.over_at.is_none() && alarm.seen_at <= now - calm(&alarm.name) {
            alarm.over_at = Some(now);
            if alarm.told {
                alarm.due_at = Some(now);
            }
            changed.push(at);
        }
    }
    for new in found {
        if !alarms.iter().any(|alarm| alarm.name == new.name) {
            changed.push(alarms.len());
            alarms.push(new);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm(_: &str) -> Duration {
        Duration::from_secs(300)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_timestamp(1_000_000 + seconds).expect("a time")
    }

    fn found(seconds: i64) -> Vec<AlarmRow> {
        vec![row(&Anomaly::NeedReview { count: 1 }, "/admin/", at(seconds))]
    }

    #[test]
    fn an_alarm_begins_at_once_and_is_over_after_five_calm_minutes() {
        let mut alarms = Vec::new();
        assert_eq!(compare(&mut alarms, found(0), at(0), calm), [0]);
        assert_eq!((alarms[0].due_at, alarms[0].told), (Some(at(0)), false));
        (alarms[0].told, alarms[0].due_at) = (true, None);
        assert_eq!(compare(&mut alarms, found(30), at(30), calm), [0]);
        assert_eq!((alarms[0].begun_at, alarms[0].seen_at, alarms[0].due_at), (at(0), at(30), None));
        assert!(compare(&mut alarms, Vec::new(), at(329), calm).is_empty());
        assert_eq!(compare(&mut alarms, Vec::new(), at(330), calm), [0]);
        assert_eq!((alarms[0].over_at, alarms[0].due_at), (Some(at(330)), Some(at(330))));
        // Back again before that was told, it has never been gone.
        compare(&mut alarms, found(331), at(331), calm);
        assert_eq!((alarms.len(), alarms[0].over_at, alarms[0].due_at), (1, None, None));
    }

    #[test]
    fn what_is_over_before_it_was_told_is_still_told_from_its_beginning() {
        let mut alarms = found(0);
        alarms[0].due_at = Some(at(1_000));
        compare(&mut alarms, Vec::new(), at(600), calm);
        assert_eq!((alarms[0].over_at, alarms[0].due_at, alarms[0].told), (Some(at(600)), Some(at(1_000)), false));
    }

    #[test]
    fn what_is_a_variants_is_not_over_because_a_process_without_it_looked() {
        let is_here = |name: &str| name == "stripe";
        let elsewhere = [
            "drift:other",
            "refused:dummy",
            "silence:dummy",
            "unshown:dummy",
            "not-shown:dummy",
            "chore:reconcile:dummy",
            "look:deliveries:dummy",
        ];
        assert!(elsewhere.iter().all(|key| is_elsewhere(key, is_here)));
        let here = [
            "refused:stripe",
            "chore:reconcile:stripe",
            "chore:retention",
            "chore:words:owed",
            "look:drift",
            "dispute:dp_1",
            "review",
        ];
        assert!(!here.iter().any(|key| is_elsewhere(key, is_here)));
    }

    #[test]
    fn a_warning_is_told_again_when_it_becomes_urgent_and_only_then() {
        let mut alarms = found(0);
        (alarms[0].told, alarms[0].due_at) = (true, None);
        compare(&mut alarms, found(30), at(30), calm);
        assert_eq!(alarms[0].due_at, None);
        let worse = vec![AlarmRow { urgent: true, ..found(60).remove(0) }];
        compare(&mut alarms, worse.clone(), at(60), calm);
        assert_eq!((alarms[0].told, alarms[0].due_at, alarms[0].begun_at), (false, Some(at(60)), at(0)));
        (alarms[0].told, alarms[0].due_at) = (true, None);
        compare(&mut alarms, worse, at(90), calm);
        assert_eq!((alarms[0].told, alarms[0].due_at), (true, None));
    }
}

//! The charts of the overview: what each shows in a sentence, and how its columns are called.

use time::macros::format_description;

use crate::admin::frame::Frame;
use crate::admin::views::chart::{Chart, Numbers};
use crate::admin::views::words::grouped;
use crate::domain::Timestamp;
use crate::reports::{Bucket, Span, SubscriptionSums};

pub(super) fn name(span: Span) -> &'static str {
    match span {
        Span::Day => "24 hours",
        Span::Week => "7 days",
        Span::Month => "30 days",
    }
}

/// Events received, done and failed.
pub(super) fn events_chart(frame: &Frame, span: Span, buckets: &[Bucket]) -> Chart {
    let total = |of: fn(&Bucket) -> i64| total(buckets, of);
    let busiest = buckets.iter().max_by_key(|bucket| bucket.received).filter(|bucket| bucket.received > 0);
    let most = busiest
        .map(|b| format!(" The most came at {}: {}.", when(frame, span, b.at), grouped(&b.received.to_string())));
    let summary = format!(
        "In the last {}, {} events were received, {} completed or ignored, and {} attempts failed.{}",
        name(span),
        total(|b| b.received),
        total(|b| b.done),
        total(|b| b.failed),
        most.unwrap_or_default()
    );
    Chart::new(format!("Events in the last {}", name(span)), summary, frame.zone(), numbers(frame, span, buckets))
}

/// Subscriptions that began, ended, and became past due: real ones, or tests.
pub(super) fn subscriptions_chart(frame: &Frame, span: Span, found: &SubscriptionSums, is_test: bool) -> Chart {
    let (test, buckets) = if is_test { ("test ", &found.test_buckets) } else { ("", &found.buckets) };
    let total = |of: fn(&Bucket) -> i64| total(buckets, of);
    let began = total(|b| b.received);
    let plural = if began == "1" { "" } else { "s" };
    let summary = format!(
        "In the last {}, {began} {test}subscription{plural} began, {} ended, and {} became past due.",
        name(span),
        total(|b| b.done),
        total(|b| b.failed)
    );
    let whose = if is_test { "Test subscriptions" } else { "Subscriptions" };
    let title = format!("{whose} in the last {}", name(span));
    let words = ("Began", "Ended", "Became past due");
    Chart { id: "subscriptions", words, ..Chart::new(title, summary, frame.zone(), numbers(frame, span, buckets)) }
}

fn total(buckets: &[Bucket], of: fn(&Bucket) -> i64) -> String {
    grouped(&buckets.iter().fold(0_i64, |all, b| all.saturating_add(of(b))).to_string())
}

fn numbers(frame: &Frame, span: Span, buckets: &[Bucket]) -> Vec<Numbers> {
    let numbers = |(at, bucket): (usize, &Bucket)| Numbers {
        when: when(frame, span, bucket.at),
        label: label(frame, span, bucket.at).filter(|_| (1..buckets.len() - 1).contains(&at)),
        received: bucket.received,
        done: bucket.done,
        failed: bucket.failed,
    };
    buckets.iter().enumerate().map(numbers).collect()
}

/// When a column begins. That is the day alone where it is a day: columns begin with the days and hours of UTC.
fn when(frame: &Frame, span: Span, at: Timestamp) -> String {
    let hour = format_description!("[day padding:none] [month repr:short], [hour]:[minute]");
    let day = format_description!("[day padding:none] [month repr:short] [year]");
    let (local, zone) = frame.local(at);
    let is_day = span == Span::Month && local.time() == time::Time::MIDNIGHT;
    format!("{} {zone}", local.format(if is_day { day } else { hour }).unwrap_or_default())
}

/// What the axis says below the column that begins at `at`, if it is one of the few that are labeled. A day is that in
/// which most of the column lies.
fn label(frame: &Frame, span: Span, at: Timestamp) -> Option<String> {
    let hour = format_description!("[hour]:[minute]");
    let day = format_description!("[day padding:none] [month repr:short]");
    match span {
        Span::Day => {
            let (local, _) = frame.local(at);
            local.hour().is_multiple_of(6).then_some(local.format(hour).ok()?)
        }
        Span::Week => {
            let [(before, _), (local, _)] = [-3, 3].map(|hours| frame.local(at + time::Duration::hours(hours)));
            (before.date() != local.date()).then_some(local.format(day).ok()?)
        }
        Span::Month => {
            let (local, _) = frame.local(at + time::Duration::hours(12));
            (local.to_julian_day() % 5 == 0).then_some(local.format(day).ok()?)
        }
    }
}

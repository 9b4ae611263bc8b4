//! What the overview says of subscriptions: tiles, what recurs in a month, and a chart.

use super::charts::subscriptions_chart;
use crate::admin::frame::Frame;
use crate::admin::views::overview::{MonthlyRow, Subscriptions, Tile};
use crate::admin::views::parts::{Amount, Link};
use crate::admin::views::words::{count, grouped};
use crate::domain::money::{Currency, Money};
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::tally::{ENDED, STARTED, TEST};
use crate::reports::{Bucket, COUNT_CAP, Span, SubscriptionSums};
use crate::store::rows::Sum;
use crate::store::subscriptions::MonthlySum;

/// The section; `sums` are of the last day.
pub(super) fn subscriptions(frame: &Frame, span: Span, found: &SubscriptionSums, sums: &[Sum]) -> Subscriptions {
    let is_test = is_test(found);
    let day = |text: &str, path: &str, outcome: &str| {
        let [real, test] = ["", TEST].map(|mode| happened(sums, &format!("{outcome}{mode}")));
        let (number, note) = match (is_test, test) {
            (true, _) => (test, "in 24 hours, of tests".to_owned()),
            (false, 0) => (real, "in 24 hours".to_owned()),
            (false, _) => (real, format!("in 24 hours, and {} of tests", grouped(&test.to_string()))),
        };
        Tile { link: Link::new(text, frame.href(path)), number: grouped(&number.to_string()), note, tone: "calm" }
    };
    let of = |status: SubscriptionStatus| {
        let counted = found.counts.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count);
        (counted, count(counted.unsigned_abs(), COUNT_CAP.unsigned_abs()))
    };
    let tile = |text: &str, status: SubscriptionStatus, note: String, odd: &'static str| {
        let (counted, number) = of(status);
        let path = format!("subscriptions?status={status}");
        let tone = if counted > 0 { odd } else { "calm" };
        Tile { link: Link::new(text, frame.href(&path)), number, note, tone }
    };
    let [(active, _), (past_due, _)] = [SubscriptionStatus::Active, SubscriptionStatus::PastDue].map(of);
    let (_, unpaid) = of(SubscriptionStatus::Unpaid);
    Subscriptions {
        tiles: vec![
            tile("Active", SubscriptionStatus::Active, "paid for, now".to_owned(), "calm"),
            tile("Trialing", SubscriptionStatus::Trialing, "now".to_owned(), "calm"),
            tile("Past due", SubscriptionStatus::PastDue, format!("and {unpaid} unpaid"), "warn"),
            day("Began", "subscriptions", STARTED),
            day("Ended", "subscriptions?status=canceled", ENDED),
        ],
        monthly: found.monthly.iter().map(monthly).collect(),
        summed: grouped(&found.monthly.iter().map(|sum| sum.count).sum::<i64>().to_string()),
        running: count(active.saturating_add(past_due).unsigned_abs(), COUNT_CAP.unsigned_abs()),
        is_cut: found.monthly.iter().any(|sum| sum.is_cut),
        chart: subscriptions_chart(frame, span, found, is_test),
    }
}

/// Whether tests are shown, because there is nothing else.
fn is_test(found: &SubscriptionSums) -> bool {
    let any = |buckets: &[Bucket]| buckets.iter().any(|bucket| bucket.received + bucket.done + bucket.failed > 0);
    let is_real = any(&found.buckets) || found.monthly.iter().any(|sum| sum.livemode != Some(false));
    !is_real && (any(&found.test_buckets) || !found.monthly.is_empty())
}

/// How often something happened whose outcome is this.
fn happened(sums: &[Sum], outcome: &str) -> i64 {
    sums.iter().filter(|sum| sum.outcome == outcome).fold(0_i64, |all, sum| all.saturating_add(sum.count))
}

fn monthly(sum: &MonthlySum) -> MonthlyRow {
    let currency = Currency::parse(&sum.currency).unwrap_or(Currency::NONE);
    MonthlyRow {
        test: sum.livemode == Some(false),
        amount: Amount::new(Money::new(sum.amount, currency)),
        count: grouped(&sum.count.to_string()),
    }
}

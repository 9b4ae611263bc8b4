//! What the overview says of subscriptions: tiles, what recurs in a month, and a chart.

use super::charts::subscriptions_chart;
use crate::admin::frame::Frame;
use crate::admin::views::overview::{MonthlyRow, Subscriptions, Tile};
use crate::admin::views::parts::{Amount, Link};
use crate::admin::views::words::{count, grouped};
use crate::domain::money::{Currency, Money};
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::tally::{ENDED, STARTED};
use crate::reports::{COUNT_CAP, SUMMED, Span, SubscriptionSums};
use crate::store::rows::Sum;
use crate::store::subscriptions::MonthlySum;

/// The section; `sums` are of the last day.
pub(super) fn subscriptions(frame: &Frame, span: Span, found: &SubscriptionSums, sums: &[Sum]) -> Subscriptions {
    let day = |outcome: &str| {
        let all =
            sums.iter().filter(|sum| sum.outcome == outcome).fold(0_i64, |all, sum| all.saturating_add(sum.count));
        grouped(&all.to_string())
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
    let all = frame.href("subscriptions");
    let [(active, _), (past_due, _)] = [SubscriptionStatus::Active, SubscriptionStatus::PastDue].map(of);
    let modes = [Some(true), Some(false), None];
    let (_, unpaid) = of(SubscriptionStatus::Unpaid);
    Subscriptions {
        tiles: vec![
            tile("Active", SubscriptionStatus::Active, "paid for, now".to_owned(), "calm"),
            tile("Trialing", SubscriptionStatus::Trialing, "now".to_owned(), "calm"),
            tile("Past due", SubscriptionStatus::PastDue, format!("and {unpaid} unpaid"), "warn"),
            Tile { link: Link::new("Began", all), number: day(STARTED), note: "in 24 hours".to_owned(), tone: "calm" },
            Tile {
                link: Link::new("Ended", frame.href("subscriptions?status=canceled")),
                number: day(ENDED),
                note: "in 24 hours".to_owned(),
                tone: "calm",
            },
        ],
        monthly: found.monthly.iter().map(monthly).collect(),
        summed: grouped(&found.monthly.iter().map(|sum| sum.count).sum::<i64>().to_string()),
        running: count(active.saturating_add(past_due).unsigned_abs(), COUNT_CAP.unsigned_abs()),
        is_cut: modes.into_iter().any(|mode| {
            let of_it = found.monthly.iter().filter(|sum| sum.livemode == mode);
            of_it.map(|sum| sum.count).sum::<i64>() >= SUMMED
        }),
        chart: subscriptions_chart(frame, span, &found.buckets),
    }
}

fn monthly(sum: &MonthlySum) -> MonthlyRow {
    let currency = Currency::parse(&sum.currency).unwrap_or(Currency::NONE);
    MonthlyRow {
        test: sum.livemode == Some(false),
        amount: Amount::new(Money::new(sum.amount, currency)),
        count: grouped(&sum.count.to_string()),
    }
}

//! The events of the dummy gateway, which has no disputes.

use crate::domain::subscription::SubscriptionStatus;
use crate::gateways::dummy::{DummyEvent, DummyInvoice, DummySubscription, Kind};
use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, event_id};

pub(in crate::testing) struct Dummy;

impl Format for Dummy {
    fn name(&self) -> &'static str {
        "the dummy gateway"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let (token, amount) = (&deal.token, deal.amount);
        let id = event_id("de_", token);
        let plain = |kind| (kind, DummyEvent::new(&id, kind, token, amount));
        let (kind, event) = match step {
            Step::Authorized => plain(Kind::Authorized),
            Step::Paid => plain(Kind::Paid),
            Step::Failed => plain(Kind::Failed),
            Step::Expired => plain(Kind::Expired),
            Step::Canceled => plain(Kind::Canceled),
            Step::Captured if deal.part == amount => plain(Kind::Captured),
            Step::Captured => (Kind::Captured, DummyEvent::part_capture(&id, token, amount, deal.part.minor)),
            Step::Refunded => {
                (Kind::Refunded, DummyEvent::refund(&id, token, amount, deal.refund_id("dr_"), deal.part.minor))
            }
            Step::RefundFailed | Step::Disputed | Step::DisputeWon | Step::DisputeLost => return None,
        };
        let body = event.body(deal.at);
        Some(vec![Written { kind: kind.as_str().to_owned(), at: deal.at, account: None, body }])
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let status = match turn {
            Turn::Started | Turn::Renewed | Turn::CancelScheduled => SubscriptionStatus::Active,
            Turn::RenewalFailed => SubscriptionStatus::PastDue,
            Turn::Ended => SubscriptionStatus::Canceled,
        };
        let id = event_id("de_", &plan.id);
        let event = DummySubscription::new(&id, format!("ds_{}", plan.id), status)
            .owner(&plan.owner)
            .price("monthly")
            .amount(plan.price, "month")
            .period(plan.period.0, plan.period.1);
        let event = match turn {
            Turn::Started | Turn::Renewed => event.invoice(DummyInvoice::paid(plan.of_period("di_"), plan.price, 1)),
            Turn::RenewalFailed => {
                event.invoice(DummyInvoice::unpaid(plan.of_period("di_"), plan.price, plan.attempts))
            }
            Turn::CancelScheduled => event.cancel_at(plan.period.1),
            Turn::Ended => event,
        };
        let body = event.body(plan.at);
        Some(vec![Written { kind: "subscription.changed".to_owned(), at: plan.at, account: None, body }])
    }
}

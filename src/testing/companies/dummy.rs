//! The events of the dummy gateway, which has no disputes.

use crate::domain::subscription::SubscriptionStatus;
use crate::gateways::dummy::{DummyEvent, DummyInvoice, DummySubscription, Kind};
use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, event_id, of_bytes};

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
        Some(vec![of_bytes(kind.as_str(), deal.at, body)])
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let status = match turn {
            Turn::RenewalFailed => SubscriptionStatus::PastDue,
            Turn::Ended => SubscriptionStatus::Canceled,
            _ => SubscriptionStatus::Active,
        };
        let id = event_id("de_", &plan.id);
        let event = DummySubscription::new(&id, self.subscription_ref(&plan.id)?, status)
            .price(&plan.price_id)
            .quantity(plan.quantity)
            .amount(plan.price, "month")
            .period(plan.period.0, plan.period.1);
        let event = plan.token.iter().fold(event, |event, token| event.token(token));
        let event = plan.owner.iter().fold(event, |event, owner| event.owner(owner));
        let event = match turn {
            Turn::Started | Turn::Renewed => event.invoice(DummyInvoice::paid(plan.of_period("di_"), plan.cost(), 1)),
            Turn::RenewalFailed => {
                event.invoice(DummyInvoice::unpaid(plan.of_period("di_"), plan.cost(), plan.attempts))
            }
            Turn::CancelScheduled => event.cancel_at(plan.period.1),
            Turn::Resumed | Turn::Changed | Turn::Ended => event,
        };
        let body = event.body(plan.at);
        Some(vec![of_bytes("subscription.changed", plan.at, body)])
    }

    fn subscription_ref(&self, id: &str) -> Option<String> {
        Some(format!("ds_{id}"))
    }
}

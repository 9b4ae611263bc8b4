//! The notifications of Braintree: of transactions, disputes and subscriptions (fields: Braintree's libraries and
//! <https://developer.paypal.com/braintree/docs/reference/general/webhooks>).

use time::macros::format_description;

use crate::domain::Timestamp;
use crate::domain::money::Money;
use crate::testing::happening::{Deal, Format, Plan, Step, Turn, Written, number, of_bytes, rfc3339};

pub(in crate::testing) struct Braintree;

impl Format for Braintree {
    fn name(&self) -> &'static str {
        "Braintree"
    }

    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>> {
        let tell = |kind: &str, subject: &str| notification(kind, deal.at, deal.account.as_deref(), subject);
        Some(vec![match step {
            Step::Paid => tell("transaction_settled", &sale(deal, "settled")),
            Step::Failed => tell("transaction_settlement_declined", &sale(deal, "settlement_declined")),
            Step::Refunded => tell("transaction_settled", &credit(deal, "settled")),
            Step::RefundFailed => tell("refund_failed", &credit(deal, "settlement_declined")),
            Step::Disputed => tell("dispute_opened", &dispute(deal, "open")),
            Step::DisputeWon => tell("dispute_won", &dispute(deal, "won")),
            Step::DisputeLost => tell("dispute_lost", &dispute(deal, "lost")),
            Step::Authorized | Step::Captured | Step::Canceled | Step::Expired => return None,
        }])
    }

    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let tell = |kind: &str, status: &str| {
            notification(kind, plan.at, plan.account.as_deref(), &subscription(turn, plan, status))
        };
        Some(match turn {
            Turn::Started => {
                vec![tell("subscription_charged_successfully", "Active"), tell("subscription_went_active", "Active")]
            }
            Turn::Renewed if plan.has_failed => {
                vec![tell("subscription_charged_successfully", "Active"), tell("subscription_went_active", "Active")]
            }
            Turn::Renewed => vec![tell("subscription_charged_successfully", "Active")],
            Turn::RenewalFailed if plan.has_failed => vec![tell("subscription_charged_unsuccessfully", "Past Due")],
            Turn::RenewalFailed => vec![
                tell("subscription_charged_unsuccessfully", "Past Due"),
                tell("subscription_went_past_due", "Past Due"),
            ],
            Turn::Ended => vec![tell("subscription_canceled", "Canceled")],
            Turn::CancelScheduled | Turn::Resumed | Turn::Changed => return None,
        })
    }

    fn subscription_ref(&self, id: &str) -> Option<String> {
        Some(self::id(id))
    }
}

fn notification(kind: &str, at: Timestamp, account: Option<&str>, subject: &str) -> Written {
    let account = account.map(|account| element("source-merchant-id", account)).unwrap_or_default();
    let xml = format!(
        "<notification>{}{}{account}<subject>{subject}</subject></notification>",
        element("kind", kind),
        time("timestamp", at),
    );
    of_bytes(kind, at, xml.into_bytes())
}

fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

fn time(name: &str, at: Timestamp) -> String {
    format!(r#"<{name} type="datetime">{}</{name}>"#, rfc3339(at))
}

fn day(name: &str, at: Timestamp) -> String {
    let day = at.date().format(format_description!("[year]-[month]-[day]")).unwrap_or_default();
    format!(r#"<{name} type="date">{day}</{name}>"#)
}

/// Its ids are short.
fn id(of: &str) -> String {
    format!("{:010x}", number(of))
}

fn transaction(id: &str, kind: &str, status: &str, amount: Money, (at, more): (Timestamp, String)) -> String {
    let own = [
        element("id", id),
        element("status", status),
        element("type", kind),
        element("currency-iso-code", amount.currency.as_str()),
        element("amount", &amount.decimal()),
        element("merchant-account-id", "test_account"),
        time("created-at", at),
        time("updated-at", at),
        element("payment-instrument-type", "credit_card"),
        more,
    ];
    format!("<transaction>{}</transaction>", own.concat())
}

fn of_host(deal: &Deal) -> String {
    let email = deal.customer.as_deref().map(|email| element("email", email)).unwrap_or_default();
    let customer = format!("<customer>{}{email}</customer>", element("id", &id(&deal.id("customer"))));
    element("order-id", &deal.token) + &customer
}

fn sale(deal: &Deal, status: &str) -> String {
    transaction(&id(&deal.token), "sale", status, deal.amount, (deal.at, of_host(deal)))
}

fn credit(deal: &Deal, status: &str) -> String {
    let of = element("refunded-transaction-id", &id(&deal.token));
    transaction(&id(&deal.refund_id("refund")), "credit", status, deal.part, (deal.refunded_at, of_host(deal) + &of))
}

fn dispute(deal: &Deal, status: &str) -> String {
    let amount = deal.amount.decimal();
    let about =
        [element("id", &id(&deal.token)), element("amount", &amount), element("order-id", &deal.token)].concat();
    let own = [
        element("id", &id(&deal.id("dispute"))),
        element("amount", &amount),
        element("amount-disputed", &amount),
        element("currency-iso-code", deal.amount.currency.as_str()),
        element("kind", "chargeback"),
        element("merchant-account-id", "test_account"),
        element("reason", "fraud"),
        element("status", status),
        time("created-at", deal.at),
        time("updated-at", deal.at),
        format!("<transaction>{about}</transaction>"),
    ];
    format!("<dispute>{}</dispute>", own.concat())
}

fn subscription(turn: Turn, plan: &Plan, status: &str) -> String {
    let (begin, end) = plan.period;
    let last_day = end - time::Duration::DAY;
    // What is not paid yet was paid for until the day before.
    let paid_through = if turn == Turn::RenewalFailed { begin - time::Duration::DAY } else { last_day };
    let failures = if turn == Turn::RenewalFailed { plan.attempts } else { 0 };
    let charge = match turn {
        Turn::RenewalFailed => (format!("{}x{}", plan.of_period("charge"), plan.attempts), "processor_declined"),
        _ => (plan.of_period("charge"), "submitted_for_settlement"),
    };
    let customer = format!("<customer>{}</customer>", element("id", &id(&format!("customer{}", plan.id))));
    let more = element("subscription-id", &id(&plan.id)) + &customer;
    let made = if turn == Turn::Ended { begin } else { plan.at };
    let charged = transaction(&id(&charge.0), "sale", charge.1, plan.price, (made, more));
    let own = [
        element("id", &id(&plan.id)),
        day("billing-period-start-date", begin),
        day("billing-period-end-date", last_day),
        time("created-at", plan.started),
        time("updated-at", plan.at),
        element("current-billing-cycle", &plan.number.to_string()),
        element("failure-count", &failures.to_string()),
        day("first-billing-date", plan.started),
        day("next-billing-date", end),
        day("paid-through-date", paid_through),
        element("plan-id", &plan.price_id),
        element("price", &plan.price.decimal()),
        element("status", status),
        format!(r#"<transactions type="array">{charged}</transactions>"#),
        element("trial-period", "false"),
    ];
    format!("<subscription>{}</subscription>", own.concat())
}

//! What a subscription's page says of it besides the timeline: a sentence, items, invoices and details.

use crate::admin::frame::Frame;
use crate::admin::views::badge::spaced;
use crate::admin::views::parts::{Amount, Badge, Code, Link};
use crate::admin::views::subscription::{InvoiceLine, ItemRow, Said};
use crate::domain::Timestamp;
use crate::domain::subscription::{SubscriptionInvoice, SubscriptionItem, SubscriptionState, SubscriptionStatus};
use crate::reports::SubscriptionStory;

/// What it is and until when, and whether its mode lets anybody in.
pub(super) fn sentence(frame: &Frame, story: &SubscriptionStory) -> String {
    let sentence = standing(frame, story);
    if !story.is_of_other_mode {
        return sentence;
    }
    let mode = if story.row.livemode == Some(false) {
        "a test beside real money"
    } else {
        "real money in a variant for tests"
    };
    format!("{sentence} It is {mode}, so it does not count as active.")
}

fn standing(frame: &Frame, story: &SubscriptionStory) -> String {
    let state = &story.subscription.state;
    let day = |at: Timestamp| frame.moment(at).absolute;
    let period = state.period.map(|period| period.end).or(state.renews_at).map(day);
    let ends = state.ends_at().map(day);
    let due = state.due_since().map(|since| format!(" since {}", day(since))).unwrap_or_default();
    let access = if story.is_active { "counts as active" } else { "does not count as active" };
    match (state.status, ends) {
        (SubscriptionStatus::Canceled | SubscriptionStatus::Expired, Some(end)) if story.is_active => {
            format!("It will not renew; it is paid for until {end}, and {access} until then.")
        }
        (SubscriptionStatus::Canceled | SubscriptionStatus::Expired, Some(end)) => format!("It ended on {end}."),
        (SubscriptionStatus::Canceled | SubscriptionStatus::Expired, None) => "It ended.".to_owned(),
        (SubscriptionStatus::Incomplete, _) => "Its first payment is still to come.".to_owned(),
        (SubscriptionStatus::Trialing, Some(end)) => format!("In its trial, and it ends on {end}."),
        (SubscriptionStatus::Trialing, None) => match state.trial_end {
            Some(end) => format!("In its trial until {}; then it is charged.", day(end)),
            None => "In its trial.".to_owned(),
        },
        (SubscriptionStatus::Active, Some(end)) => format!("Paid for, and it ends on {end}."),
        (SubscriptionStatus::Active, None) if state.pause.is_some() => {
            format!("Active, and nothing is charged while charging is paused; it {access}.")
        }
        (SubscriptionStatus::Active, None) => {
            period.map_or("Paid for.".to_owned(), |end| format!("Paid for until {end}; then it renews."))
        }
        (SubscriptionStatus::PastDue, _) => format!("Money is due{due}; the gateway tries again, and it {access}."),
        (SubscriptionStatus::Unpaid, _) => format!("Money is due{due}, and the gateway gave up trying."),
        (SubscriptionStatus::Paused, _) => {
            format!("Paused: nothing is charged until it is unpaused, and it {access}.")
        }
        (SubscriptionStatus::Unknown, _) => {
            let word = state.gateway_status.as_deref().unwrap_or_default();
            format!("The gateway calls it {word:?}, which this release does not know, so it {access}.")
        }
    }
}

pub(super) fn item(item: &SubscriptionItem) -> ItemRow {
    let interval = item.interval.as_ref().map(|unit| match item.interval_count {
        None | Some(1) => format!("every {unit}"),
        Some(count) => format!("every {count} {unit}s"),
    });
    ItemRow {
        price: item.price.clone(),
        product: item.product.clone(),
        quantity: item.quantity.map(|quantity| quantity.to_string()),
        amount: item.amount.map(Amount::new),
        interval,
    }
}

pub(super) fn details(frame: &Frame, story: &SubscriptionStory) -> Vec<(&'static str, Said)> {
    let (row, state) = (&story.row, &story.subscription.state);
    let gateway = story.gateway.unwrap_or("gateway");
    let code = |text: &str, what: &str| Said::Code(Code::new(text, what));
    let at = |at: Timestamp| Said::At(frame.moment(at));
    let customer = |text: &str| Said::Link(Link::new(text, frame.customer("subscriptions", &row.token)));
    // Where no address is known, the gateway's customer leads to all there is of them.
    let at_gateway = |text: &str| if state.customer.is_some() { code(text, "customer") } else { customer(text) };
    let its_ref = row.gateway_ref.as_ref();
    let with_page = |text: &String| Code::new(text, "gateway ref").with_dashboard(gateway, story.dashboard.clone());
    let mut all: Vec<(&'static str, Option<Said>)> = vec![
        ("Owner", state.owner.as_ref().map(|owner| code(owner, "owner"))),
        ("Customer", state.customer.as_deref().map(customer)),
        ("Gateway ref", its_ref.map(|text| Said::Code(with_page(text)))),
        ("Gateway's customer", state.customer_ref.as_deref().map(at_gateway)),
        ("Token", Some(code(&row.token, "token"))),
        ("Variant", Some(Said::Text(row.variant.clone()))),
        ("Account", story.subscription.account.clone().map(Said::Text)),
        ("In a month", state.monthly().map(|money| Said::Text(money.to_string()))),
        ("Began", state.started_at.map(at)),
        ("Period began", state.period.map(|period| at(period.start))),
        ("Period ends", state.period.map(|period| at(period.end))),
        ("Renews", state.renews_at.map(at)),
        ("Trial ends", state.trial_end.map(at)),
        ("End decided", state.canceled_at.map(at)),
        ("Pause ends", state.pause.as_ref().and_then(|pause| pause.resumes_at).map(at)),
        ("Schedule", state.schedule.as_ref().map(|text| code(text, "schedule"))),
    ];
    all.extend(invoice(frame, story, state));
    all.push(("As of", state.as_of.map(at)));
    all.push(("Created here", Some(at(row.created_at))));
    all.into_iter().filter_map(|(label, said)| Some((label, said?))).collect()
}

fn invoice(frame: &Frame, story: &SubscriptionStory, state: &SubscriptionState) -> Vec<(&'static str, Option<Said>)> {
    let newest = state.latest_invoice.as_ref().map(|text| Said::Code(Code::new(text, "invoice")));
    let payment = story.payment.as_ref();
    let paid_by = payment.map(|token| Said::Link(Link::new(token, frame.href(&format!("payments/{token}")))));
    let told = state.last_invoice.as_ref().map(|invoice| {
        let due = invoice.due.map(|due| format!(" of {due}")).unwrap_or_default();
        let tries = match invoice.attempts {
            0 => String::new(),
            1 => ", tried once".to_owned(),
            attempts => format!(", tried {attempts} times"),
        };
        Said::Text(format!("{}{due}{tries}", spaced(&invoice.status)))
    });
    let next = state.last_invoice.as_ref().and_then(|invoice| invoice.next_attempt);
    vec![
        ("Newest invoice", newest),
        ("Last known invoice", told),
        ("Tried next", next.map(|at| Said::At(frame.moment(at)))),
        ("Payment of the invoice", paid_by),
    ]
}

/// The invoices, newest first.
pub(super) fn invoices(frame: &Frame, story: &SubscriptionStory) -> Vec<InvoiceLine> {
    let line = |(invoice, payment): &(SubscriptionInvoice, Option<String>)| InvoiceLine {
        code: invoice.gateway_ref.to_string(),
        made: frame.moment(invoice.created_at),
        due: invoice.due.map(Amount::new),
        status: badge(invoice),
        tries: match invoice.attempts {
            0 => "none yet".to_owned(),
            1 => "once".to_owned(),
            attempts => format!("{attempts} times"),
        },
        next: invoice.next_attempt.filter(|_| invoice.is_open()).map(|at| frame.moment(at)),
        payment: payment.as_ref().map(|token| Link::new(token, frame.href(&format!("payments/{token}")))),
    };
    story.invoices.iter().map(line).collect()
}

fn badge(invoice: &SubscriptionInvoice) -> Badge {
    let (tone, icon) = match (invoice.paid, invoice.closed, invoice.attempts) {
        (true, ..) => ("good", "check"),
        (_, true, _) => ("neutral", "slash"),
        (.., 0) => ("neutral", "clock"),
        _ => ("warn", "retry"),
    };
    Badge::new(spaced(&invoice.status), tone, icon)
}

//! One box that finds whatever people have of a payment: what is found alone opens at once.

use actix_web::HttpResponse;

use crate::admin::asked::Asked;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::parts::{Amount, Link};
use crate::admin::views::search::{Group, Hit, Search};
use crate::admin::views::words::grouped;
use crate::domain::money::Money;
use crate::reports::{FewOf, FoundCustomer, SEARCH_CAP, SearchFindings};
use crate::store::rows::{EventRow, PaymentRow};
use crate::store::subscriptions::SubscriptionRow;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("search", |visit| Box::pin(show(visit))).scoped()];

/// What the box looks at, as people name it.
const LOOKED_AT: &[&str] = &[
    "email addresses of customers: any part of three characters or more",
    "names of customers: how any word of them begins",
    "amounts of payments: 49.99, 49,99 €, .51",
    "the last four digits of cards",
    "notes on payments: how any word of them begins",
    "order numbers and other references: how any word of them begins, and how they end",
    "tokens, and ids of the gateway: of payments, refunds, invoices, subscriptions, customers and events, as a whole",
    "connected accounts of the gateway, as a whole",
];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (frame, mut asked) = (visit.frame(), Asked::of(&visit.req));
    let text = asked.text("for").unwrap_or_default();
    let mut page = Search {
        page: frame.page("Search", "search"),
        groups: Vec::new(),
        looked_at: LOOKED_AT.to_vec(),
        text,
    };
    if page.text.is_empty() {
        return Ok(frame.render(&page));
    }
    let found = visit.engine().search_all(&page.text, visit.scope()).await?;
    if let Some(address) = single(&frame, &found) {
        return Ok(respond::see(&address));
    }
    page.page.search.text = page.text.clone();
    page.groups = groups(&frame, &page.text, &found);
    Ok(frame.render(&page))
}

/// The page of what was found alone, or of what the text is the id of.
fn single(frame: &Frame, found: &SearchFindings) -> Option<String> {
    if let Some(token) = &found.named {
        return Some(frame.href(&format!("payments/{token}")));
    }
    if found.count() != 1 {
        return None;
    }
    let payments = found.payments.rows.iter().chain(&found.of_amount.rows).map(|row| payment_hit(frame, row));
    let subscriptions = found.subscriptions.rows.iter().map(|row| subscription_hit(frame, row));
    let events = found.events.rows.iter().map(|row| event_hit(frame, row));
    payments.chain(subscriptions).chain(events).next().map(|hit| hit.link.href)
}

fn groups(frame: &Frame, text: &str, found: &SearchFindings) -> Vec<Group> {
    let list = |path: &str| frame.found(path, text.trim().trim_start_matches('#').trim());
    let payments = group("Payments", "payments", &found.payments, list("payments"), |row| payment_hit(frame, row));
    let amounts = of_amount(frame, found);
    let subscriptions = group("Subscriptions", "subscriptions", &found.subscriptions, list("subscriptions"), |row| {
        subscription_hit(frame, row)
    });
    let events = group("Events", "events", &found.events, list("events"), |row| event_hit(frame, row));
    let customers = customers(frame, found);
    [payments, amounts, subscriptions, events, customers].into_iter().filter(|group| !group.hits.is_empty()).collect()
}

fn group<T>(title: &str, id: &'static str, few: &FewOf<T>, all: String, hit: impl Fn(&T) -> Hit) -> Group {
    let count = match few.is_more || few.count > SEARCH_CAP {
        true => format!("more than {}", grouped(&few.rows.len().max(few.count.min(SEARCH_CAP)).to_string())),
        false => few.count.to_string(),
    };
    let is_part = few.is_more || few.count > few.rows.len();
    let all = is_part.then(|| Link::new(format!("All of these {}", title.to_lowercase()), all));
    Group { title: title.to_owned(), id, count, hits: few.rows.iter().map(hit).collect(), all }
}

/// The payments of the amount that the text may be, and the list of them.
fn of_amount(frame: &Frame, found: &SearchFindings) -> Group {
    let list = frame.href("payments");
    let typed = found.numbers.first().map(ToString::to_string).unwrap_or_default();
    let code = found.currency.map(|currency| currency.to_string()).unwrap_or_default();
    let fields = Fields::parse(&format!("least={typed}&most={typed}&currency={code}"));
    let all = fields.with(&list, "", None);
    let mut group = group("Payments", "amount", &found.of_amount, all, |row| payment_hit(frame, row));
    group.title = "Payments of this amount".to_owned();
    group
}

fn customers(frame: &Frame, found: &SearchFindings) -> Group {
    let hit = |found: &FoundCustomer| Hit {
        link: Link::new(&found.address, frame.customer("payments", &found.token)),
        beside: vec![match found.payments {
            1 => "1 payment here".to_owned(),
            count => format!("{count} payments here"),
        }],
        amount: None,
        state: None,
        at: None,
    };
    let hits: Vec<Hit> = if found.payments.count > 1 { found.customers.iter().map(hit).collect() } else { Vec::new() };
    Group { title: "Customers".to_owned(), id: "customers", count: hits.len().to_string(), hits, all: None }
}

fn payment_hit(frame: &Frame, row: &PaymentRow) -> Hit {
    Hit {
        link: Link::new(
            row.reference.as_ref().unwrap_or(&row.token),
            frame.href(&format!("payments/{}", row.token)),
        ),
        beside: row.customer.iter().cloned().collect(),
        amount: Some(Amount::new(Money::new(row.amount, row.currency))),
        state: Some(row.status.into()),
        at: Some(frame.moment(row.created_at)),
    }
}

fn subscription_hit(frame: &Frame, row: &SubscriptionRow) -> Hit {
    Hit {
        link: Link::new(
            row.gateway_ref.as_ref().unwrap_or(&row.token),
            frame.href(&format!("subscriptions/{}", row.token)),
        ),
        beside: row.owner.iter().chain(&row.customer).chain(&row.customer_ref).cloned().collect(),
        amount: None,
        state: Some(row.status.into()),
        at: Some(frame.moment(row.created_at)),
    }
}

fn event_hit(frame: &Frame, row: &EventRow) -> Hit {
    Hit {
        link: Link::new(&row.kind, frame.href(&format!("events/{}", row.id))),
        beside: vec![row.gateway_event_id.clone()],
        amount: None,
        state: Some(row.state.into()),
        at: Some(frame.moment(row.received_at)),
    }
}

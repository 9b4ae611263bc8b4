//! Which payments are there?

use actix_web::HttpResponse;
use time::Date;

use super::payment_totals;
use crate::admin::asked::{Asked, FRESH_CAP, fresh};
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::badge::spaced;
use crate::admin::views::list::{self, Column, Empty, Field, Filter, Notes, Tabs};
use crate::admin::views::parts::{Amount, Badge, Link};
use crate::admin::views::payments::{PaymentRow, Payments, Totals};
use crate::admin::views::words;
use crate::domain::payment::Status;
use crate::domain::scope::Scope;
use crate::engine::Payment;
use crate::reports::{Order, PaymentList, PaymentView, SEARCH_CAP};
use crate::store::filters::PaymentFilter;
use crate::store::rows;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Payments", "payments", |visit| Box::pin(show(visit))).scoped()];

/// The word of the tab that cuts across the statuses.
const REVIEW: &str = "review";
/// The fields of the form that are typed into: what is wrong with them is said beside them.
const TYPED: &[&str] = &["q", "account", "least", "most", "from", "until"];
/// The fields that are folded away.
const MORE: &[&str] = &["account", "currency", "least", "most", "from", "until", "mode", "sort"];
/// How a list is sorted, as its address says it.
const ORDERS: [(&str, &str, Order); 3] = [
    ("created", "oldest first", Order { by_amount: false, rising: true }),
    ("-amount", "by currency, largest amounts first", Order { by_amount: true, rising: false }),
    ("amount", "by currency, smallest amounts first", Order { by_amount: true, rising: true }),
];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let mut asked = Asked::of(&visit.req);
    let frame = visit.frame();
    let view = view(&mut asked, &frame, &visit.scope());
    match asked.newer_than() {
        Some(Ok(id)) => return Ok(fresh(visit.engine().newer_payments(view, id, FRESH_CAP + 1).await?)),
        Some(Err(refused)) => return Ok(refused),
        None => {}
    }
    let (place, order) = (asked.place(), view.order);
    let list = frame.href("payments");
    let totals = totals(&visit, &asked, &list, &view).await?;
    let found = visit.engine().payment_list(view, place).await?;
    let at_newest = place.is_none() && order == Order::default();
    let tabs = tabs(&asked, &list, &found);
    let page = Payments {
        page: frame.page("Payments", "payments"),
        filter: form(&visit, &asked, &list, &found),
        notes: Notes { notes: notes(&frame, &asked, &found), fresh: at_newest.then(|| asked.fields.with(&list, "", None)), what: "payment" },
        presets: presets(&visit, &frame, &asked, &list),
        totals,
        newest: found.page.rows.first().map(|row| row.id.0).filter(|_| at_newest),
        by_amount: column(&asked, &list, order, true),
        by_age: column(&asked, &list, order, false),
        order: ORDERS.iter().find(|(.., known)| *known == order).map_or("newest first", |(_, words, _)| words),
        empty: empty(&visit, &asked, &list, &found),
        paging: asked.fields.paging(&list, "payment", &found.page, order).of(asked.fields.in_all(&tabs, "status")),
        tabs,
        rows: list::readable(found.page.each(|row| listed(&frame, &asked, row)), "Payment"),
    };
    Ok(frame.render(&page))
}

/// What an address asks for.
pub(in crate::admin) fn view(asked: &mut Asked, frame: &Frame, scope: &Scope) -> PaymentView {
    let statuses = |words: &str| words.split(',').map(|word| Status::parse(word.trim())).collect::<Option<Vec<_>>>();
    let status = asked.word("status", |words| if words == REVIEW { Some(None) } else { statuses(words).map(Some) });
    let order = asked.word("sort", |word| match word {
        "-created" => Some(Order::default()),
        _ => ORDERS.iter().find(|(known, ..)| *known == word).map(|(.., order)| *order),
    });
    PaymentView {
        filter: PaymentFilter {
            scope: scope.clone(),
            needs_review: status == Some(None),
            statuses: status.flatten().unwrap_or_default(),
            variant: asked.text("variant"),
            account: asked.text("account"),
            customer: None,
            livemode: asked.livemode(),
            currency: asked.currency(),
            amounts: None,
            from: asked.day("from", frame),
            until: asked.end_of_day("until", frame),
        },
        least: asked.amount("least"),
        most: asked.amount("most"),
        search: asked.text("q"),
        order: order.unwrap_or_default(),
        last_seen: None,
    }
}

/// Spans of days by the clocks of the host's zone, as links.
fn presets(visit: &Visit, frame: &Frame, asked: &Asked, list: &str) -> Vec<(Link, bool)> {
    let today = frame.local(visit.engine().now()).0.date();
    let first = |day: Date| day.replace_day(1).unwrap_or(day);
    let before = first(today).previous_day().unwrap_or(today);
    let week = today.checked_sub(time::Duration::days(6)).unwrap_or(today);
    let spans = [
        ("Today", today, today),
        ("7 days", week, today),
        ("This month", first(today), today),
        ("Last month", first(before), before),
    ];
    let is_chosen = |from: &str, until: &str| {
        asked.fields.get("from").as_deref() == Some(from) && asked.fields.get("until").as_deref() == Some(until)
    };
    let link = |(text, from, until): (&str, Date, Date)| {
        let (from, until) = (from.to_string(), until.to_string());
        let href = asked.fields.with_all(list, &[("from", Some(&from)), ("until", Some(&until))]);
        (Link::new(text, href), is_chosen(&from, &until))
    };
    spans.into_iter().map(link).collect()
}

/// What the payments of the view come to, where that is asked for: it costs more than the list.
async fn totals(visit: &Visit, asked: &Asked, list: &str, view: &PaymentView) -> Result<Totals, Failure> {
    if asked.fields.get("totals").is_none() {
        return Ok(Totals::At(Link::new("Add these up", asked.fields.with(list, "totals", Some("yes")))));
    }
    let (sums, is_part) = visit.engine().payment_sums(view.clone()).await?;
    let count: usize = sums.iter().map(|sum| sum.payments).sum();
    let note = match (is_part, count) {
        (false, _) => "Of all these payments.".to_owned(),
        (true, 0) => "There are none among the payments that were looked at.".to_owned(),
        (true, _) => format!("Of the first {count} of these payments; there may be more."),
    };
    Ok(Totals::Sums(sums.iter().map(payment_totals::of).collect(), note))
}

fn tabs(asked: &Asked, list: &str, found: &PaymentList) -> Tabs {
    let tab = |value: Option<&str>, text: &str, count| asked.fields.tab(list, "status", value, text, count);
    // Every payment is in one of the tabs, so that all of them are as exact as their sum.
    let all = found.counts.iter().map(|(_, count)| *count).sum();
    let mut review = tab(Some(REVIEW), "Needs review", found.needs_review);
    review.urgent = found.needs_review.count > 0;
    let mut tabs = vec![tab(None, "All", all), review];
    for (status, count) in &found.counts {
        let mut text = spaced(status.as_str());
        text[..1].make_ascii_uppercase();
        tabs.push(tab(Some(status.as_str()), &text, *count));
    }
    Tabs { label: "Status".to_owned(), tabs }
}

fn form(visit: &Visit, asked: &Asked, list: &str, found: &PaymentList) -> Filter {
    let currencies = found.currencies.iter().map(|code| (code.as_str(), code.as_str()));
    let sentence = |words: &str| format!("{}{}", words[..1].to_uppercase(), &words[1..]);
    let orders = ORDERS.map(|(value, words, _)| (value, sentence(words)));
    let frame = visit.frame();
    let zone = frame.zone();
    let form = Filter {
        action: list.to_owned(),
        hidden: Vec::new(),
        search: asked.field("q", "search", "Search", "Email, name, last four, order number or any id"),
        fields: Vec::new(),
        selects: Vec::new(),
        more: vec![
            Field {
                offers: Status::ALL.iter().map(|status| status.as_str().to_owned()).collect(),
                ..asked.field("status", "text", "Status, or several", "paid, refunded")
            },
            asked.account(),
            asked.field("least", "text", "Amount from", "10.00"),
            asked.field("most", "text", "Amount to", "49.99"),
            asked.field("from", "date", &format!("Created from ({zone})"), "2026-11-01"),
            asked.field("until", "date", &format!("Created until ({zone})"), "2026-11-30"),
        ],
        more_selects: vec![
            asked.fields.select("currency", "Currency", "Any currency", currencies),
            asked.fields.select("mode", "Mode", "Live and test", [("live", "Live"), ("test", "Test")]),
            asked.fields.select("sort", "Order", "Newest first", orders.each_ref().map(|(v, w)| (*v, w.as_str()))),
        ],
        open: asked.any(MORE),
        clear: (asked.any(MORE) || asked.any(&["q", "variant"])).then(|| list.to_owned()),
    };
    visit.by_variant(&asked.fields, form)

}

fn notes(frame: &Frame, asked: &Asked, found: &PaymentList) -> Vec<String> {
    let mut notes = asked.notes(TYPED);
    if found.page.lost {
        notes.push("That place in the list is gone, so this is its beginning.".to_owned());
    }
    if found.page.capped && asked.fields.get("q").is_none() {
        notes.push(format!("Only the newest {SEARCH_CAP} of these payments are put in order by amount."));
    } else if found.page.capped {
        notes.push(format!("The search found more than {SEARCH_CAP} payments, and the rest is left out: type more."));
    }
    notes.extend(found.page.stopped.map(|_| words::looked_through("payments", "created", found.stopped_at.map(|at| frame.local(at).0))));
    notes
}

fn column(asked: &Asked, list: &str, order: Order, by_amount: bool) -> Column {
    let here = order.by_amount == by_amount;
    let name = if by_amount { "amount" } else { "created" };
    let value = if here && !order.rising { name.to_owned() } else { format!("-{name}") };
    Column {
        text: if by_amount { "Amount" } else { "Created" },
        href: asked.fields.with(list, "sort", Some(value.as_str()).filter(|value| *value != "-created")),
        title: if by_amount {
            "Sort by amount, each currency by itself: amounts of different currencies do not compare"
        } else {
            "Sort by age"
        },
        sorted: here.then_some(if order.rising { "ascending" } else { "descending" }),
    }
}

/// A row of the list, from whose page the way back leads to this view.
fn listed(frame: &Frame, asked: &Asked, of: &rows::PaymentRow) -> PaymentRow {
    let row = row(frame, of);
    PaymentRow { href: asked.fields.leading(&row.href), ..row }
}

pub(super) fn row(frame: &Frame, row: &rows::PaymentRow) -> PaymentRow {
    let payment = Payment::of(row);
    let mut flags = Vec::new();
    flags.extend(payment.needs_review().then(Badge::needs_review));
    flags.extend(payment.disputed.then(Badge::disputed));
    flags.extend(Badge::mode(payment.livemode.filter(|live| !live)));
    PaymentRow {
        id: row.id.0,
        href: frame.href(&format!("payments/{}", payment.token)),
        amount: Amount::new(payment.amount),
        refunded: (payment.refunded.minor > 0).then(|| Amount::new(payment.refunded)),
        status: payment.status.into(),
        flags,
        reference: payment.reference.map(String::from),
        customer: payment.customer.map(|text| Link::new(text, frame.customer("payments", &payment.token))),
        variant: payment.variant.to_string(),
        token: payment.token.into(),
        created: frame.moment(payment.created_at),
    }
}

/// Where nothing is, the next step: the addresses for a new mount, or a way out of the filter.
fn empty(visit: &Visit, asked: &Asked, list: &str, found: &PaymentList) -> Empty {
    if found.page.stopped.is_some() {
        return Empty {
            title: "None so far".to_owned(),
            text: "Only a part of the list was looked through. Narrow it by status, variant or dates to get further \
                   at once."
                .to_owned(),
            codes: Vec::new(),
            link: None,
        };
    }
    if asked.any(&["q", "variant", "status"]) || asked.any(MORE) {
        return Empty {
            title: "No payments match".to_owned(),
            text: "Search finds any part of an email address, names and order numbers by how their words begin, the \
                   last four digits of cards, and whole ids."
                .to_owned(),
            codes: Vec::new(),
            link: Some(Link::new("All payments", list)),
        };
    }
    Empty {
        title: "No payments yet".to_owned(),
        text: "Paste these addresses into the gateways' webhook settings; what they report is listed here.".to_owned(),
        codes: visit.webhook_addresses(),
        link: None,
    }
}

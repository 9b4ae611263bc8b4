//! Which money moved in a month, by the clocks of the host's zone, and how that adds up?

use actix_web::HttpResponse;
use time::{Date, Month};

use crate::admin::asked::Asked;
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::books::{Books, CurrencyTotals, Fees, MovementRow};
use crate::admin::views::list::{Empty, Filter, Notes, Tab, Tabs};
use crate::admin::views::parts::{Amount, Link};
use crate::admin::views::words::grouped;
use crate::domain::money::Money;
use crate::domain::payment::MovementKind;
use crate::reports::{Book, BookView, CurrencyBook, MonthStart, Order};
use crate::store::books::{self, BookFilter};

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Books", "books", |visit| Box::pin(show(visit)))];

/// How many months have a tab.
const TABS: usize = 6;
/// The month before the one that runs, as an address says it.
const LAST: &str = "last";

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (mut asked, frame) = (Asked::of(&visit.req), visit.frame());
    let this = this_month(&visit);
    let month = month(&mut asked, this);
    let view = view(&mut asked, &frame, month);
    let list = frame.href("books");
    let (mode, filter) = (view.filter.mode, view.filter.clone());
    let found = visit.engine().book(view, asked.place()).await?;
    let page = Books {
        page: frame.page("Books", "books"),
        tabs: tabs(&asked, &list, this, month),
        filter: form(&visit, &asked, &list, &found),
        notes: Notes { notes: notes(&asked, &found, of_record(&visit, &filter)), fresh: None, what: "movement" },
        title: title(&frame, month, mode),
        currencies: found.currencies.iter().map(totals).collect(),
        empty: empty(&asked, &list, mode),
        paging: asked.fields.paging(&list, "movement", &found.page, Order::default()),
        rows: found.page.rows.iter().map(|row| self::row(&frame, &asked, row, &found)).collect(),
    };
    Ok(frame.render(&page))
}

/// The month, and whose clocks it goes by.
fn title(frame: &Frame, month: Date, mode: &str) -> String {
    let of_tests = if mode == "test" { ": test money" } else { "" };
    format!("{}, by the clocks of {}{of_tests}", named(month), frame.zone())
}

/// What an address asks for, of the months by the host's clocks.
pub(super) fn asked_for(asked: &mut Asked, visit: &Visit) -> BookView {
    let month = month(asked, this_month(visit));
    view(asked, &visit.frame(), month)
}

fn view(asked: &mut Asked, frame: &Frame, month: Date) -> BookView {
    let start = |first: Date| MonthStart {
        name: name(first),
        at: frame.start_of(first),
        utc: first.midnight().assume_utc(),
    };
    let is_live = asked.livemode().unwrap_or(true);
    BookView {
        filter: BookFilter {
            mode: if is_live { "live" } else { "test" },
            variant: asked.text("variant"),
            currency: asked.currency(),
        },
        from: start(month),
        until: start(next(month)),
    }
}

/// The month that is asked for, by its first day.
fn month(asked: &mut Asked, this: Date) -> Date {
    let parse = |text: &str| {
        let (year, month) = text.split_once('-').filter(|(year, month)| (year.len(), month.len()) == (4, 2))?;
        let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
        let first = Date::from_calendar_date(year.parse().ok()?, month, 1).ok()?;
        (1970..=9990).contains(&first.year()).then_some(first)
    };
    let known = |text: &str| if text == LAST { Some(before(this)) } else { parse(text) };
    asked.word("month", known).unwrap_or(this)
}

fn this_month(visit: &Visit) -> Date {
    let today = visit.frame().local(visit.engine().now()).0.date();
    today.replace_day(1).unwrap_or(today)
}

fn before(first: Date) -> Date {
    let last = first.previous_day().unwrap_or(first);
    last.replace_day(1).unwrap_or(last)
}

fn next(first: Date) -> Date {
    let year = first.year() + i32::from(first.month() == Month::December);
    Date::from_calendar_date(year, first.month().next(), 1).unwrap_or(first)
}

/// `2026-11`, of a month by its first day.
fn name(first: Date) -> String {
    format!("{:04}-{:02}", first.year(), u8::from(first.month()))
}

/// `November 2026`.
fn named(first: Date) -> String {
    format!("{} {}", first.month(), first.year())
}

fn tabs(asked: &Asked, list: &str, this: Date, month: Date) -> Tabs {
    let months = std::iter::successors(Some(this), |first| Some(before(*first))).take(TABS).enumerate();
    let tab = |(at, first): (usize, Date)| {
        let (value, text) = match at {
            0 => (None, "This month".to_owned()),
            1 => (Some(LAST.to_owned()), "Last month".to_owned()),
            _ => (Some(name(first)), named(first)),
        };
        let link = Link::new(text, asked.fields.with(list, "month", value.as_deref()));
        Tab { link, count: None, urgent: false, current: first == month }
    };
    Tabs { label: "Month".to_owned(), tabs: months.map(tab).collect() }
}

/// The variants in a book whose companies sell in their own name.
fn of_record(visit: &Visit, filter: &BookFilter) -> Vec<String> {
    let engine = visit.engine();
    let sells = |name: &String| engine.variant(name).is_some_and(|variant| variant.gateway.is_merchant_of_record());
    let is_shown = |name: &String| filter.variant.as_ref().is_none_or(|variant| variant == name);
    engine.variant_names().into_iter().filter(|name| is_shown(name) && sells(name)).collect()
}

fn notes(asked: &Asked, found: &Book, of_record: Vec<String>) -> Vec<String> {
    let has_net = !of_record.is_empty() && found.currencies.iter().any(|book| book.fees != books::Total::default());
    let taxed = has_net.then(|| {
        let names = of_record.join(", ");
        format!("What is net includes the sales tax that the company behind a variant pays for you. This holds for: {names}.")
    });
    let lost = "That place in the list is gone, so this is its beginning.";
    let lost = found.page.lost.then(|| lost.to_owned());
    asked.notes(&["month"]).into_iter().chain(lost).chain(taxed).collect()
}

fn form(visit: &Visit, asked: &Asked, list: &str, found: &Book) -> Filter {
    let currencies = found.offered.iter().map(|code| (code.as_str(), code.as_str()));
    Filter {
        action: list.to_owned(),
        search: asked.field("month", "text", "Month", "2026-11"),
        selects: vec![
            asked.fields.variants(&visit.payments),
            asked.fields.select("currency", "Currency", "Any currency", currencies),
            asked.fields.select("mode", "Mode", "Live", [("test", "Test")]),
        ],
        clear: asked.any(&["month", "variant", "currency", "mode"]).then(|| list.to_owned()),
        ..Filter::default()
    }
}

fn totals(book: &CurrencyBook) -> CurrencyTotals {
    let amount = |minor| Amount::new(Money::new(minor, book.currency));
    let kind = |(kind, total): &(MovementKind, books::Total)| {
        (kind_words(*kind), grouped(&total.count.to_string()), amount(total.amount))
    };
    CurrencyTotals {
        currency: book.currency.to_string(),
        opening: amount(book.opening),
        kinds: book.kinds.iter().map(kind).collect(),
        closing: amount(book.closing),
        fees: (book.fees != books::Total::default()).then(|| Fees {
            count: grouped(&book.fees.count.to_string()),
            amount: amount(book.fees.amount),
            net: amount(book.closing - book.opening + book.fees.amount),
        }),
    }
}

fn row(frame: &Frame, asked: &Asked, row: &books::MovementRow, found: &Book) -> MovementRow {
    let token = found.beside.tokens.get(&row.payment_id).cloned().unwrap_or_default();
    let amount = |minor| Amount::new(Money::new(minor, row.currency));
    MovementRow {
        id: row.id,
        amount: amount(row.amount),
        net: found.beside.fees.get(&row.id).map(|fee| amount(row.amount.saturating_add(*fee))),
        kind: kind_words(row.kind),
        payment: Link::new(token.as_str(), asked.fields.leading_from("books", &frame.href(&format!("payments/{token}")))),
        variant: row.variant.clone(),
        gateway_ref: row.gateway_ref.clone(),
        at: frame.moment(row.moved_at),
    }
}

fn kind_words(kind: MovementKind) -> &'static str {
    match kind {
        MovementKind::Capture => "Captured",
        MovementKind::Refund => "Refunded",
        MovementKind::RefundFailed => "Refund failed",
        MovementKind::DisputeWithdrawn => "Lost to a dispute",
        MovementKind::DisputeReinstated => "Given back by a dispute",
        MovementKind::Fee => "Fee",
    }
}

fn empty(asked: &Asked, list: &str, mode: &str) -> Empty {
    let (other, words) = if mode == "test" { (None, "Live money") } else { (Some("test"), "Test money") };
    Empty {
        title: "No money moved".to_owned(),
        text: "Captures, refunds and lost disputes are listed by the day on which they happened at the gateway."
            .to_owned(),
        codes: Vec::new(),
        link: Some(Link::new(words, asked.fields.with(list, "mode", other))),
    }
}

//! Which money moved in a month, a quarter or a year, by the clocks of the host's zone, and how that adds up?

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use time::Date;

use super::book_period::{self, Period};
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
use crate::engine::due::{self, AT_LEISURE};
use crate::domain::scope::Scope;
use crate::reports::{Book, BookView, CurrencyBook, MonthStart, Order};
use crate::store::books::{self, BookFilter};

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Books", "books", |visit| Box::pin(show(visit))).scoped()];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (mut asked, frame) = (Asked::of(&visit.req), visit.frame());
    let today = today(&visit);
    let period = period(&mut asked, today);
    let view = view(&mut asked, &frame, period, &visit.scope());
    let list = frame.href("books");
    let (mode, filter) = (view.filter.mode, view.filter.clone());
    let found = visit.engine().book(view, asked.place(), visit.scope()).await?;
    let page = Books {
        page: frame.page("Books", "books"),
        tabs: tabs(&asked, &list, today, period),
        filter: form(&visit, &asked, &list, &found),
        notes: Notes { notes: notes(&asked, &found, of_record(&visit, &filter, &found).await), fresh: None, what: "movement" },
        title: title(&frame, period, mode),
        currencies: found.currencies.iter().map(totals).collect(),
        empty: empty(&asked, &list, mode),
        paging: asked.fields.paging(&list, "movement", &found.page, Order::default()),
        rows: found.page.rows.iter().map(|row| self::row(&frame, &asked, row, &found)).collect(),
    };
    Ok(frame.render(&page))
}

/// The period, and whose clocks it goes by.
fn title(frame: &Frame, period: Period, mode: &str) -> String {
    let of_tests = if mode == "test" { ": test money" } else { "" };
    format!("{}, by the clocks of {}{of_tests}", period.title(), frame.zone())
}

/// What an address asks for, by the host's clocks.
pub(super) fn asked_for(asked: &mut Asked, visit: &Visit) -> BookView {
    let period = period(asked, today(visit));
    view(asked, &visit.frame(), period, &visit.scope())
}

fn view(asked: &mut Asked, frame: &Frame, period: Period, scope: &Scope) -> BookView {
    let start = |first: Date| MonthStart {
        name: book_period::name(first),
        at: frame.start_of(first),
        utc: first.midnight().assume_utc(),
    };
    let (from, until) = period.days();
    let is_live = asked.livemode().unwrap_or(true);
    BookView {
        filter: BookFilter {
            mode: if is_live { "live" } else { "test" },
            scope: scope.narrowed(asked.text("variant").as_deref()),
            currency: asked.currency(),
        },
        from: start(from),
        until: start(until),
    }
}

/// The period that is asked for.
fn period(asked: &mut Asked, today: Date) -> Period {
    asked.word("month", |text| Period::parse(text, today)).unwrap_or(Period::month(today))
}

fn today(visit: &Visit) -> Date {
    visit.frame().local(visit.engine().now()).0.date()
}

fn tabs(asked: &Asked, list: &str, today: Date, period: Period) -> Tabs {
    let tab = |(text, word, of): (String, Option<String>, Period)| {
        let link = Link::new(text, asked.fields.with(list, "month", word.as_deref()));
        Tab { link, count: None, urgent: false, current: of == period }
    };
    Tabs { label: "Period".to_owned(), tabs: book_period::tabs(today).into_iter().map(tab).collect() }
}

/// The variants in a book whose companies sell in their own name: of those that are configured at run time, who may be
/// thousands, the one that is asked for and those whose rows are shown.
async fn of_record(visit: &Visit, filter: &BookFilter, found: &Book) -> Vec<String> {
    let engine = visit.engine();
    let of_rows = found.page.rows.iter().map(|row| row.variant.clone());
    let names = engine.names_seen(&filter.scope).into_iter().chain(of_rows);
    let names: BTreeSet<String> = names.filter(|name| filter.scope.allows(name)).collect();
    let mut held = engine.load_all(&names.into_iter().collect::<Vec<_>>(), AT_LEISURE).await;
    held.retain(|(_, variant)| variant.gateway.is_merchant_of_record());
    held.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    due::names(&held)
}

fn notes(asked: &Asked, found: &Book, of_record: Vec<String>) -> Vec<String> {
    let has_net = !of_record.is_empty() && found.currencies.iter().any(|book| book.fees != books::Total::default());
    let taxed = has_net.then(|| {
        let names = of_record.join(", ");
        format!("Net includes the sales tax that the company behind a variant pays for you. This holds for: {names}.")
    });
    let lost = "That place in the list is gone, so this is its beginning.";
    let lost = found.page.lost.then(|| lost.to_owned());
    asked.notes(&["month"]).into_iter().chain(lost).chain(taxed).collect()
}

fn form(visit: &Visit, asked: &Asked, list: &str, found: &Book) -> Filter {
    let currencies = found.offered.iter().map(|code| (code.as_str(), code.as_str()));
    let form = Filter {
        action: list.to_owned(),
        search: asked.field("month", "text", "Month, quarter or year", "2026-11 or 2026-Q4"),
        selects: vec![
            asked.fields.select("currency", "Currency", "Any currency", currencies),
            asked.fields.select("mode", "Mode", "Live", [("test", "Test")]),
        ],
        clear: asked.any(&["month", "variant", "currency", "mode"]).then(|| list.to_owned()),
        ..Filter::default()
    };
    visit.by_variant(&asked.fields, form)

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
        is_blank: book.is_blank(),
    }
}

fn row(frame: &Frame, asked: &Asked, row: &books::MovementRow, found: &Book) -> MovementRow {
    let token = found.beside.tokens.get(&row.payment_id).cloned().unwrap_or_default();
    let amount = |minor| Amount::new(Money::new(minor, row.currency));
    MovementRow {
        id: row.id,
        amount: amount(row.amount),
        net: found.beside.net(row).map(amount),
        rate: found.beside.rate(row),
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

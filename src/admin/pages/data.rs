//! The data page: how the tables grow, what is held of a person, and exporting or erasing that.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};

use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::confirm::Done;
use crate::admin::views::data::{Data, Growth, GrowthRow, PersonFound, Work};
use crate::admin::views::parts::Link;
use crate::admin::views::words::grouped;
use crate::domain::person::{NamedBy, Person};
use crate::engine::chores::variant_of_chore;
use crate::engine::request::Requester;
use crate::engine::{Holdings, act};
use crate::error::{Error, ErrorKind};
use crate::reports::{GrowthReport, Grown, chore_in_words, size};
use crate::store::calls::ChoreRow;
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::section("Data", "data", |visit| Box::pin(show(visit))),
    // Not in the address: that would stand in logs and in the browser's history.
    Route::act("data/person", |visit| Box::pin(look(visit))),
    Route::act("data/person/export", |visit| Box::pin(export(visit))),
    Route::act("data/person/erase", |visit| Box::pin(erase(visit))),
];

/// How many payments and subscriptions of a person are shown.
const SHOWN: usize = 20;
/// How many days before the bound is met that is a warning.
const SOON: i64 = 30;

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let growth = visit.engine().growth().await?;
    let chores = visit.engine().read(|tx| tx.all_chores()).await?;
    let page = Data {
        page: frame.page("Data", "data"),
        look: visit.may_act().then(|| frame.href("data/person")),
        growth: growth.map(|report| grown(&frame, &report)),
        work: chores.into_iter().map(|row| work(&visit, &frame, row)).collect(),
    };
    Ok(frame.render(&page))
}

fn work(visit: &Visit, frame: &Frame, row: ChoreRow) -> Work {
    let note = row.failure.filter(|_| row.failing_since.is_some()).or(row.note).unwrap_or_default();
    let variant = variant_of_chore(&row.name).unwrap_or_default();
    let failing_since = row.failing_since.map(|at| frame.moment(at));
    Work {
        name: chore_in_words(&row.name),
        ran_at: row.ran_at.map(|at| frame.moment(at)),
        due_at: frame.moment(row.due_at),
        note: visit.shown(variant, &note),
        failing_since,
    }
}

fn grown(frame: &Frame, report: &GrowthReport) -> Growth {
    let count = |count: i64| grouped(&count.to_string());
    let row = |table: &Grown| GrowthRow {
        name: table.name.clone(),
        rows: table.rows.map(count),
        bytes: table.bytes.map(size),
        rows_a_day: table.rows_a_day.map(count),
        bytes_a_day: table.bytes_a_day.map(size),
    };
    Growth {
        sentence: format!("{}.", report.sentence()),
        is_warning: report.days_left.is_some_and(|days| days < SOON),
        at: frame.moment(report.at),
        rows: report.tables.iter().map(row).collect(),
    }
}

/// The person that a form names.
fn person(visit: &Visit) -> Result<Person, Failure> {
    let by = visit.form.get("by").unwrap_or_default();
    let by = NamedBy::ALL.into_iter().find(|it| it.as_str() == by);
    let text = visit.form.get("who");
    let (Some(by), Some(text)) = (by, text) else {
        return Err(Failure::Refused("Name a person: by an email address, a customer or a payment.".to_owned()));
    };
    Ok(Person::named(by, text))
}

async fn look(visit: Visit) -> Result<HttpResponse, Failure> {
    let (frame, person) = (visit.frame(), person(&visit)?);
    let wanted = person.clone();
    let held = visit.engine().read(move |tx| Holdings::find(tx, &wanted, &[])).await?;
    let payments = held.payments.iter().map(|row| ("payments", &row.token));
    let all = payments.chain(held.subscriptions.iter().map(|row| ("subscriptions", &row.token)));
    let found: Vec<Link> =
        all.clone().take(SHOWN).map(|(list, token)| Link::new(token, frame.href(&format!("{list}/{token}")))).collect();
    let beside = all.count() - found.len();
    let why_not = "Nobody can be erased: the app has no erasure key (Builder::erasure_key).";
    let page = PersonFound {
        page: frame.page("A person's data", "data"),
        back: Link::new("Data", frame.href("data")),
        name: person.text.clone(),
        sentence: held.sentence(),
        found,
        more: (beside > 0).then(|| format!("and {beside} more")),
        fields: vec![("by", person.by.as_str().to_owned()), ("who", person.text)],
        export: frame.href("data/person/export"),
        erase: frame.href("data/person/erase"),
        why_not: (!visit.engine().erasures.has_key()).then_some(why_not),
    };
    Ok(frame.render(&page))
}

async fn export(visit: Visit) -> Result<HttpResponse, Failure> {
    let document = visit.payments.export(&person(&visit)?).await?;
    let row = act("export", &visit.actor(), None, None, visit.engine().now());
    visit.engine().write(move |tx| tx.add_act(&row)).await?;
    let mut answer = respond::plain(StatusCode::OK);
    answer.insert_header((header::CONTENT_TYPE, "application/json"));
    Ok(answer.insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"person.json\"")).body(document))
}

async fn erase(visit: Visit) -> Result<HttpResponse, Failure> {
    let (frame, person) = (visit.frame(), person(&visit)?);
    let (engine, requester) = (visit.engine().clone(), Requester::Operator(visit.actor()));
    // Whoever leaves the page ends it no longer.
    let erased = actix_web::rt::spawn(async move { engine.erase_known(person, Vec::new(), requester).await });
    let unfinished = || Error::new(ErrorKind::Unavailable, "erasing did not come to its end");
    let erased = erased.await.map_err(|_| unfinished())??;
    let events = erased.events;
    let page = Done {
        page: frame.page("Erased", "data"),
        back: Link::new("Data", frame.href("data")),
        title: "The person was erased".to_owned(),
        sentences: vec![
            format!(
                "Personal data was erased from {} payments, {} subscriptions and {events} events.",
                erased.payments, erased.subscriptions
            ),
            "A worker looks through all other stored bodies. Their data that comes later is removed.".to_owned(),
        ],
    };
    Ok(frame.render(&page))
}

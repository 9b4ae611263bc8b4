//! What stands otherwise at the gateways, and how it is repaired: the page says what will be asked before it is asked.

use actix_web::HttpResponse;

use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::compare::{Cell, Compare, Row};
use crate::admin::views::drift::{ComparedRow, DifferenceView, DriftPage, RepairPage};
use crate::admin::views::page::Flash;
use crate::admin::views::parts::{Act, Link};
use crate::domain::difference::DriftSubject;
use crate::engine::request::Requester;
use crate::error::{Error, ErrorKind};
use crate::operations::Outcome;
use crate::reports::{ComparedVariant, NotedDifference};
use crate::web::respond;

pub(in crate::admin) const ROUTES: &[Route] = &[
    Route::page("drift", |visit| Box::pin(show(visit))).scoped(),
    Route::act("drift", |visit| Box::pin(compare(visit))).scoped(),
    Route::page("drift/repair", |visit| Box::pin(ask(visit))).scoped(),
    Route::act("drift/repair", |visit| Box::pin(repair(visit))).scoped(),
];

/// How many differences one form repairs: some seconds of questions.
const AT_ONCE: usize = 20;

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let found = visit.engine().drift_report(visit.scope()).await?;
    let mut page = frame.page("Drift", "");
    page.flash = flash(&Fields::of(&visit.req));
    let shown = found.differences.len();
    let page = DriftPage {
        page,
        back: Link::new("Variants", frame.href("variants")),
        variants: found.variants.iter().map(|it| compared(&visit, &frame, it)).collect(),
        differences: found.differences.iter().map(|it| difference(&visit, &frame, it)).collect(),
        more: found.more.then(|| format!("The first {shown}; the others are shown once these are repaired.")),
        repair: (visit.may_act() && shown > 0)
            .then(|| Link::new(repair_words(shown.min(AT_ONCE)), frame.href("drift/repair"))),
    };
    Ok(frame.render(&page))
}

/// Has a worker compare a variant with its gateway.
async fn compare(visit: Visit) -> Result<HttpResponse, Failure> {
    let variant = visit.form.get("variant").unwrap_or_default();
    if !visit.scope().allows(&variant) {
        return Err(Error::new(ErrorKind::NotFound, "there is no such variant").into());
    }
    visit.engine().order_comparison(&variant, visit.actor()).await?;
    Ok(respond::see(&visit.frame().href("drift?done=compare")))
}

/// Asks before anything is repaired: the one that is named, or the first ones.
async fn ask(visit: Visit) -> Result<HttpResponse, Failure> {
    if !visit.may_act() {
        return Err(Failure::Refused("Your access is read-only.".to_owned()));
    }
    let frame = visit.frame();
    let found = match Fields::of(&visit.req).get("id").and_then(|id| id.parse().ok()) {
        Some(id) => visit.engine().noted_difference(id, visit.scope()).await?.into_iter().collect(),
        None => visit.engine().drift_report(visit.scope()).await?.differences,
    };
    let found: Vec<NotedDifference> = found.into_iter().take(AT_ONCE).collect();
    if found.is_empty() {
        return Err(Failure::NotFound("This does not differ any more."));
    }
    let words = repair_words(found.len());
    let page = RepairPage {
        page: frame.page(&words, ""),
        back: Link::new("Drift", frame.href("drift")),
        question: format!("{words}?"),
        meaning: meaning(&found),
        button: words,
        action: frame.href("drift/repair"),
        fields: found.iter().map(|it| ("id".to_owned(), it.id.to_string())).collect(),
        differences: found.iter().map(|it| difference(&visit, &frame, it)).collect(),
    };
    Ok(frame.render(&page))
}

/// Repairs what was confirmed, one after the other; what is gone meanwhile is repaired already.
async fn repair(visit: Visit) -> Result<HttpResponse, Failure> {
    let ids: Vec<i64> = visit.form.all("id").filter_map(|id| id.parse().ok()).take(AT_ONCE).collect();
    let (mut done, mut left) = (0, 0);
    for id in ids {
        if visit.engine().noted_difference(id, visit.scope()).await?.is_none() {
            continue;
        }
        match visit.engine().repair_difference(id, Requester::Operator(visit.actor())).await {
            Ok(Outcome::Done) => done += 1,
            Ok(Outcome::Underway) => left += 1,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if matches!(error.kind(), ErrorKind::Gateway | ErrorKind::Refused) => {
                log::warn!("payments: a difference was not repaired: {}", crate::error::loggable(&error.to_string()));
                left += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(respond::see(&visit.frame().href(&format!("drift?done=repair&repaired={done}&left={left}"))))
}

fn flash(fields: &Fields) -> Option<Flash> {
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or_default();
    match fields.get("done")?.as_str() {
        "compare" => Some(Flash::done("A worker compares. Load the page again to see how far it is.")),
        "repair" if number("left") == 0 => Some(Flash::done(format!("Repaired: {}.", number("repaired")))),
        "repair" => Some(Flash {
            tone: "warn",
            icon: "alert",
            text: format!(
                "Repaired: {}. The gateway did not answer about {}; the log says why.",
                number("repaired"),
                number("left")
            ),
        }),
        _ => None,
    }
}

fn repair_words(count: usize) -> String {
    if count == 1 { "Repair this difference".to_owned() } else { format!("Repair {count} differences") }
}

fn meaning(found: &[NotedDifference]) -> String {
    let adopts = found.iter().any(|it| it.subject == DriftSubject::Object);
    let asked = "The gateway is asked about each, which changes nothing there, and its answers are processed like every \
                 event: handlers run for what changes.";
    if adopts { format!("{asked} What is not known here becomes a payment or a subscription.") } else { asked.to_owned() }
}

fn compared(visit: &Visit, frame: &Frame, it: &ComparedVariant) -> ComparedRow {
    let standing = match (&it.last, &it.cannot) {
        (_, Some(why)) => why.clone(),
        (None, None) => "Not compared yet.".to_owned(),
        (Some(row), None) => {
            let so_far = if row.ended_at.is_none() { " so far" } else { "" };
            let unanswered = match (row.unanswered, &row.why) {
                (0, _) => String::new(),
                (count, why) => {
                    let why = visit.shown(&it.name, why.as_deref().unwrap_or("unknown"));
                    format!(" {count} could not be compared, the last: {why}")
                }
            };
            format!("{} compared{so_far}.{unanswered}", row.compared)
        }
    };
    ComparedRow {
        variant: Link::new(&it.name, frame.href(&format!("variants/{}", it.name))),
        gateway: it.gateway,
        standing,
        at: it.last.as_ref().map(|row| frame.moment(row.ended_at.unwrap_or(row.begun_at))),
        act: visit.may_act().then(|| Act {
            label: "Compare".to_owned(),
            icon: "search",
            action: frame.href("drift"),
            fields: vec![("variant".to_owned(), it.name.clone())],
            why_not: it.cannot.clone(),
        }),
    }
}

fn difference(visit: &Visit, frame: &Frame, it: &NotedDifference) -> DifferenceView {
    let what = match it.subject {
        DriftSubject::Payment => "Payment",
        DriftSubject::Subscription => "Subscription",
        DriftSubject::Object => "Object that is not known here:",
    };
    let href = visit.engine().link_of_difference(&it.variant, it.subject, &it.name, |path| frame.href(path));
    let cell = |text: &String| Cell::Text(text.clone());
    let row = |value: &crate::domain::difference::DifferingValue| Row {
        label: value.field.clone().into(),
        sides: [cell(&value.ours), cell(&value.theirs)],
        differs: true,
    };
    let rows = it.values.iter().map(row).collect();
    DifferenceView {
        what,
        name: Link::new(&it.name, href.unwrap_or_default()),
        variant: it.variant.clone(),
        found: frame.moment(it.found_at),
        compare: Compare { caption: "Here and at the gateway", sides: ["Here", "At the gateway"], rows },
        repair: visit.may_act().then(|| Link::new("Repair", frame.href(&format!("drift/repair?id={}", it.id)))),
    }
}

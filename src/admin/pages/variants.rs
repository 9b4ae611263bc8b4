//! Which variants are there, and how is each doing?

use actix_web::HttpResponse;

use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::list::{Field, Filter};
use crate::admin::views::parts::{Badge, Code, Link};
use crate::admin::views::variants::{VariantRow, Variants};
use crate::reports::{REFUSED_DAYS, Standing, Standings};

pub(in crate::admin) const ROUTES: &[Route] =
    &[Route::section("Variants", "variants", |visit| Box::pin(show(visit))).scoped()];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (frame, fields, scope) = (visit.frame(), Fields::of(&visit.req), visit.scope());
    let is_open = scope.is_all() && visit.engine().has_source();
    let from = fields.get("from").filter(|_| is_open);
    let Standings { rows, nobody, next } = visit.engine().standings(from.clone(), scope).await?;
    let row = |standing: &Standing| {
        let name = &standing.name;
        VariantRow {
            href: frame.href(&format!("variants/{name}")),
            name: name.clone(),
            gateway: standing.configured.as_ref().map_or_else(|| "unknown".to_owned(), |(gateway, _)| (*gateway).to_owned()),
            health: health(standing),
            address: Code::new(visit.address_of(name), format!("address of {name}")),
            last_event: standing.last_event.as_ref().map(|event| frame.moment(event.received_at)),
        }
    };
    let page = Variants {
        page: frame.page("Variants", "variants"),
        drift: Link::new("Drift", frame.href("drift")),
        filter: is_open.then(|| Filter {
            action: frame.href("variants"),
            search: Field {
                name: "from".to_owned(),
                kind: "search",
                label: "From this name on".to_owned(),
                value: from.clone().unwrap_or_default(),
                ..Field::default()
            },
            clear: from.as_ref().map(|_| frame.href("variants")),
            ..Filter::default()
        }),
        next: next.map(|name| fields.with(&frame.href("variants"), "from", Some(&name))),
        rows: rows.iter().map(row).collect(),
        nobody: (nobody > 0).then(|| {
            let deliveries = if nobody == 1 { "1 delivery".to_owned() } else { format!("{nobody} deliveries") };
            format!("In the last {REFUSED_DAYS} days {deliveries} went to an address of no variant.")
        }),
    };
    Ok(frame.render(&page))
}

/// How a variant is doing, in two words.
pub(super) fn health(standing: &Standing) -> Badge {
    let refused_last = standing.refused.iter().map(|one| one.last).max();
    let taken_last = standing.last_real;
    let Some((_, setup)) = &standing.configured else { return Badge::new("not configured", "bad", "stop") };
    let is_set = setup.secrets.iter().all(|secret| secret.is_set);
    match (refused_last, taken_last) {
        _ if !is_set => Badge::new("secret missing", "bad", "lock"),
        (None, None) => Badge::new("no events yet", "neutral", "clock"),
        (Some(_), None) => Badge::new("rejecting all deliveries", "bad", "stop"),
        (Some(refused), Some(taken)) if refused > taken => Badge::new("rejecting deliveries", "bad", "stop"),
        (Some(_), Some(_)) => Badge::new("some rejected", "warn", "alert"),
        (None, Some(_)) => Badge::new("takes events", "good", "check"),
    }
}

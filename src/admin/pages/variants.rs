//! Which variants are there, and how is each doing?

use actix_web::HttpResponse;

use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::parts::{Badge, Code, Link};
use crate::admin::views::variants::{VariantRow, Variants};
use crate::reports::{REFUSED_DAYS, Standing};

pub(in crate::admin) const ROUTES: &[Route] =
    &[Route::section("Variants", "variants", |visit| Box::pin(show(visit)))];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let frame = visit.frame();
    let (standings, nobody) = visit.engine().standings().await?;
    let row = |standing: &Standing| {
        let name = &standing.name;
        VariantRow {
            href: frame.href(&format!("variants/{name}")),
            name: name.clone(),
            gateway: standing.gateway.to_owned(),
            health: health(standing),
            address: Code::new(visit.address_of(name), format!("address of {name}")),
            last_event: standing.last_event.as_ref().map(|event| frame.moment(event.received_at)),
        }
    };
    let page = Variants {
        page: frame.page("Variants", "variants"),
        drift: Link::new("Drift", frame.href("drift")),
        rows: standings.iter().map(row).collect(),
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
    let is_set = standing.setup.secrets.iter().all(|secret| secret.is_set);
    match (refused_last, taken_last) {
        _ if !is_set => Badge::new("secret missing", "bad", "lock"),
        (None, None) => Badge::new("no events yet", "neutral", "clock"),
        (Some(_), None) => Badge::new("rejecting all deliveries", "bad", "stop"),
        (Some(refused), Some(taken)) if refused > taken => Badge::new("rejecting deliveries", "bad", "stop"),
        (Some(_), Some(_)) => Badge::new("some rejected", "warn", "alert"),
        (None, Some(_)) => Badge::new("takes events", "good", "check"),
    }
}

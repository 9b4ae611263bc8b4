//! Which payments are there?

use actix_web::HttpResponse;

use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::badge::spaced;
use crate::admin::views::list::{Empty, Field, Filter, Tabs};
use crate::admin::views::parts::{Amount, Badge, Code};
use crate::admin::views::payments::{PaymentRow, Payments};
use crate::domain::payment::Status;
use crate::payments::{Payment, PaymentPage};
use crate::store::rows::PaymentFilter;

/// The word of the tab that cuts across the statuses.
const REVIEW: &str = "review";

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Payments", "payments", |visit| Box::pin(show(visit)))];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (fields, frame) = (Fields::of(&visit.req), visit.frame());
    let list = frame.href("payments");
    let found = visit.payments.browse_payments(filter(&fields), fields.place()).await?;
    let ids: Vec<i64> = found.rows.iter().map(|row| row.id).collect();
    let page = Payments {
        page: frame.page("Payments", "payments"),
        tabs: tabs(&fields, &list, &found),
        filter: Filter {
            action: list.clone(),
            hidden: fields.get("status").map(|status| ("status".to_owned(), status)).into_iter().collect(),
            search: Field {
                name: "q".to_owned(),
                label: "Search".to_owned(),
                value: fields.get("q").unwrap_or_default(),
                hint: "Reference, token, gateway ref or email".to_owned(),
                offers: Vec::new(),
            },
            fields: Vec::new(),
            selects: vec![fields.variants(visit.payments.variants())],
            clear: ["q", "variant"].iter().any(|name| fields.get(name).is_some()).then(|| list.clone()),
        },
        empty: empty(&visit, &fields),
        paging: fields.paging(&list, "payment", &ids, found.newer, found.older),
        rows: found.rows.iter().map(|row| Ok(self::row(&frame, row)?)).collect::<Result<_, Failure>>()?,
    };
    Ok(frame.render(&page))
}

/// Which payments the address asks for.
pub(super) fn filter(fields: &Fields) -> PaymentFilter {
    let status = fields.get("status");
    PaymentFilter {
        needs_review: status.as_deref() == Some(REVIEW),
        status: status.filter(|word| Status::parse(word).is_some()),
        variant: fields.get("variant"),
        search: fields.get("q"),
        ..PaymentFilter::default()
    }
}

fn tabs(fields: &Fields, list: &str, found: &PaymentPage) -> Tabs {
    let tab = |value: Option<&str>, text: &str, count| fields.tab(list, "status", value, text, count);
    let mut review = tab(Some(REVIEW), "Needs review", found.needs_review);
    review.urgent = found.needs_review > 0;
    let mut tabs = vec![tab(None, "All", found.all), review];
    for (status, count) in &found.counts {
        let mut text = spaced(status.as_str());
        text[..1].make_ascii_uppercase();
        tabs.push(tab(Some(status.as_str()), &text, *count));
    }
    Tabs { label: "Status".to_owned(), tabs }
}

fn row(frame: &Frame, row: &crate::store::rows::PaymentRow) -> Result<PaymentRow, crate::error::Error> {
    let payment = Payment::of(row)?;
    let mut flags = Vec::new();
    flags.extend(payment.needs_review().then(Badge::needs_review));
    flags.extend(payment.disputed.then(Badge::disputed));
    flags.extend(Badge::mode(payment.livemode.filter(|live| !live)));
    Ok(PaymentRow {
        href: frame.href(&format!("payments/{}", payment.token)),
        amount: Amount::new(payment.amount),
        status: payment.status.into(),
        flags,
        reference: payment.reference,
        customer: payment.customer,
        variant: payment.variant,
        token: payment.token,
        created: frame.moment(payment.created_at),
    })
}

/// Where nothing is, the next step: the addresses for a new mount, or a way out of the filter.
fn empty(visit: &Visit, fields: &Fields) -> Empty {
    let filtered = ["q", "variant", "status"].iter().any(|name| fields.get(name).is_some());
    if filtered {
        return Empty {
            title: "No payment is like that".to_owned(),
            text: "Search finds whole tokens, references, gateway refs and email addresses.".to_owned(),
            codes: Vec::new(),
            link: None,
        };
    }
    let address = |name: &str| Code::new(visit.payments.address_of(name), format!("address of {name}"));
    Empty {
        title: "No payments yet".to_owned(),
        text: "Paste these addresses into the gateways' webhook settings; what they report is listed here.".to_owned(),
        codes: visit.payments.variants().map(address).collect(),
        link: None,
    }
}

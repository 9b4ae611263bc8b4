//! The disputes that stand alike as a file.

use actix_web::HttpResponse;

use super::csv::{CHUNK, mode, readable};
use super::disputes;
use crate::admin::asked::Asked;
use crate::admin::frame::Failure;
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::sheet::Cell::{Ours, Theirs};
use crate::admin::sheet::{Sheet, download};
use crate::admin::views::words::machine;
use crate::domain::fact::State;
use crate::domain::money::{Currency, Money};
use crate::error::Error;
use crate::reports::Place;
use crate::store::disputes::DisputeRow;

pub(in crate::admin) const ROUTES: &[Route] = &[Route::page("disputes.csv", |visit| Box::pin(disputes_csv(visit))).scoped()];

const DISPUTES: &[&str] = &[
    "dispute", "state", "amount", "currency", "since", "answer_by", "variant", "mode", "payment", "reference",
    "customer", "reason", "account",
];

async fn disputes_csv(visit: Visit) -> Result<HttpResponse, Failure> {
    let mut asked = Asked::of(&visit.req);
    let view = readable(disputes::view(&mut asked, &visit.scope()), &asked)?;
    let part = async move |sheet: &mut Sheet, place: Option<Place>| -> Result<Option<Place>, Error> {
        let page = sheet.visit().engine().dispute_page(view.clone(), place, CHUNK).await?;
        page.rows.into_iter().for_each(|row| add(sheet, view.state, row));
        Ok(page.further)
    };
    Ok(download(visit, "disputes", DISPUTES, part))
}

fn add(sheet: &mut Sheet, state: State, row: DisputeRow) {
    let currency = row.currency.as_deref().and_then(|code| Currency::parse(code).ok());
    let amount = row.amount.zip(currency).map(|(minor, currency)| Money::new(minor, currency).decimal());
    let variant = row.variant.clone();
    let cells = [
        Theirs(Some(row.gateway_ref)),
        Ours(state.as_str().to_owned()),
        Ours(amount.unwrap_or_default()),
        Ours(row.currency.unwrap_or_default()),
        Ours(machine(row.occurred_at)),
        Ours(row.until.map(machine).unwrap_or_default()),
        Ours(row.variant),
        Ours(mode(row.livemode)),
        Ours(row.token),
        Theirs(row.reference),
        Theirs(row.customer),
        Theirs(row.reason),
        Theirs(row.account),
    ];
    sheet.row(&variant, cells);
}

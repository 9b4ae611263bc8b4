//! What did operators do? Every act, newest first.

use actix_web::HttpResponse;

use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::routes::Route;
use crate::admin::views::audit::{ActRow, Audit};
use crate::admin::views::badge::spaced;
use crate::admin::views::list::{Choice, Empty, Field, Filter, Select};
use crate::admin::views::parts::Link;
use crate::store::rows::{self, ActFilter};

pub(in crate::admin) const ROUTES: &[Route] = &[Route::section("Audit", "audit", |visit| Box::pin(show(visit)))];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let (fields, frame) = (Fields::of(&visit.req), visit.frame());
    let list = frame.href("audit");
    let filter = ActFilter { actor: fields.get("actor"), act: fields.get("act") };
    let found = visit.payments.audit(filter, fields.place()).await?;
    let ids: Vec<i64> = found.rows.iter().map(|(row, ..)| row.id).collect();
    let page = Audit {
        page: frame.page("Audit", "audit"),
        filter: filter_form(&fields, &list, &found.acts),
        empty: empty(&fields),
        paging: fields.paging(&list, "act", &ids, found.newer, found.older),
        rows: found.rows.iter().map(|(act, token, kind)| row(&frame, act, token.as_deref(), kind.as_deref())).collect(),
    };
    Ok(frame.render(&page))
}

fn filter_form(fields: &Fields, list: &str, acts: &[String]) -> Filter {
    let chosen = fields.get("act").unwrap_or_default();
    let choice =
        |value: &str, text: String| Choice { value: value.to_owned(), text, selected: chosen.as_str() == value };
    let any = std::iter::once(choice("", "Any act".to_owned()));
    let select = Select {
        name: "act".to_owned(),
        label: "Act".to_owned(),
        choices: any.chain(acts.iter().map(|act| choice(act, spaced(act)))).collect(),
    };
    Filter {
        action: list.to_owned(),
        hidden: Vec::new(),
        search: Field {
            name: "actor".to_owned(),
            label: "Who".to_owned(),
            value: fields.get("actor").unwrap_or_default(),
            hint: "A whole name".to_owned(),
            offers: Vec::new(),
        },
        fields: Vec::new(),
        selects: vec![select],
        clear: is_filtered(fields).then(|| list.to_owned()),
    }
}

fn row(frame: &Frame, act: &rows::ActRow, token: Option<&str>, kind: Option<&str>) -> ActRow {
    let mut on = Vec::new();
    if let (Some(id), Some(kind)) = (act.event_id, kind) {
        on.push(("event", Link::new(kind, frame.href(&format!("events/{id}")))));
    }
    if let Some(token) = token {
        on.push(("payment", Link::new(token, frame.href(&format!("payments/{token}")))));
    }
    if let Some(variant) = &act.variant {
        on.push(("variant", Link::new(variant, frame.href(&format!("variants/{variant}")))));
    }
    ActRow {
        act: spaced(&act.act),
        on,
        detail: act.detail.clone(),
        actor: act.actor.clone(),
        address: act.address.clone(),
        at: frame.moment(act.created_at),
    }
}

fn is_filtered(fields: &Fields) -> bool {
    ["actor", "act"].iter().any(|name| fields.get(name).is_some())
}

fn empty(fields: &Fields) -> Empty {
    let (title, text) = match is_filtered(fields) {
        true => ("Nobody did that", "A name is found whole, as the access policy gave it."),
        false => ("No acts yet", "What operators change here is written down: who, what, when, and from where."),
    };
    Empty { title: title.to_owned(), text: text.to_owned(), codes: Vec::new(), link: None }
}

//! Which subscriptions are there?

use actix_web::HttpResponse;

use crate::admin::asked::{Asked, FRESH_CAP, fresh};
use crate::admin::frame::{Failure, Frame};
use crate::admin::guard::Visit;
use crate::admin::routes::Route;
use crate::admin::views::badge::{sentence, spaced};
use crate::admin::query::SEEN;
use crate::admin::views::list::{Empty, Filter, Notes, Paging, Tabs};
use crate::admin::views::parts::{Badge, Link};
use crate::admin::views::subscriptions::{SubscriptionLine, Subscriptions};
use crate::admin::views::words;
use crate::domain::Timestamp;
use crate::domain::scope::Scope;
use crate::domain::subscription::{SubscriptionItem, SubscriptionStatus};
use crate::reports::{Order, ROWS, SEARCH_CAP, SubscriptionPage, SubscriptionView};
use crate::store::subscriptions::{SubscriptionFilter, SubscriptionRow, SubscriptionSort};

pub(in crate::admin) const ROUTES: &[Route] =
    &[Route::section("Subscriptions", "subscriptions", |visit| Box::pin(show(visit))).scoped()];

/// The fields of the form that are typed into: what is wrong with them is said beside them.
const TYPED: &[&str] = &["q", "owner", "price", "account"];
/// The fields that are folded away.
const MORE: &[&str] = &["owner", "price", "account", "renews", "due", "ending", "mode"];
/// The spans that a filter offers, in days.
const SPANS: [(&str, &str, i64); 3] = [("1", "1 day", 1), ("7", "7 days", 7), ("30", "30 days", 30)];

async fn show(visit: Visit) -> Result<HttpResponse, Failure> {
    let mut asked = Asked::of(&visit.req);
    let mut view = view(&mut asked, visit.engine().now(), visit.scope());
    match asked.newer_than() {
        Some(Ok(id)) => return Ok(fresh(visit.engine().newer_subscriptions(view, id, FRESH_CAP + 1).await?)),
        Some(Err(refused)) => return Ok(refused),
        None => {}
    }
    let (frame, place) = (visit.frame(), asked.place());
    let list = frame.href("subscriptions");
    let sort = view.sort();
    view.last_seen = asked.seen(place);
    let mut found = visit.engine().subscription_page(view.clone(), place, ROWS).await?;
    if place.is_some() && found.page.rows.is_empty() && found.page.stopped.is_none() {
        found = visit.engine().subscription_page(view, None, ROWS).await?;
        found.page.lost = true;
    }
    let at_newest = place.is_none() && sort == SubscriptionSort::Id;
    let order = Order { by_amount: false, rising: sort != SubscriptionSort::Id };
    let tabs = tabs(&asked, &list, &found);
    let shown = asked.fields.paging(&list, "subscription", &found.page, order).of(asked.fields.in_all(&tabs, "status"));
    let page = Subscriptions {
        page: frame.page("Subscriptions", "subscriptions"),
        tabs,
        filter: form(&visit, &asked, &list),
        notes: Notes {
            notes: notes(&frame, &asked, &found),
            fresh: at_newest.then(|| asked.fields.with(&list, "", None)),
            what: "subscription",
        },
        newest: found.page.rows.first().map(|row| row.id.0).filter(|_| at_newest),
        empty: empty(&visit, &asked, &list, &found),
        order: match sort {
            SubscriptionSort::Id => "newest first",
            SubscriptionSort::Renewal => "those first that renew first",
            SubscriptionSort::Due => "those first that are past due the longest",
        },
        paging: paging(shown, found.edges),
        rows: found.page.rows.iter().map(|row| listed(&frame, &asked, row)).collect(),
    };
    Ok(frame.render(&page))
}

/// The same links with the moments of the rows that they go on beside: those may have renewed by then.
fn paging(paging: Paging, edges: [Option<Timestamp>; 2]) -> Paging {
    let seen = |link: Option<String>, at: Option<Timestamp>| {
        let at = at.map(|at| format!("&{SEEN}={}", at.unix_timestamp_nanos() / 1_000)).unwrap_or_default();
        link.map(|link| link + &at)
    };
    let [further, back] = edges;
    Paging { further: seen(paging.further, further), back: seen(paging.back, back), ..paging }
}

/// What an address asks for.
pub(super) fn view(asked: &mut Asked, now: Timestamp, scope: Scope) -> SubscriptionView {
    let span = |word: &str| SPANS.iter().find(|(value, ..)| *value == word);
    let days = |word: &str| span(word).map(|(.., days)| time::Duration::days(*days));
    let ending = |word: &str| ["no", "yes"].iter().position(|known| *known == word).map(|at| at == 1);
    SubscriptionView {
        filter: SubscriptionFilter {
            scope,
            statuses: asked.word("status", SubscriptionStatus::parse).into_iter().collect(),
            variant: asked.text("variant"),
            owner: asked.text("owner"),
            price: asked.text("price"),
            account: asked.text("account"),
            renews: asked.word("renews", days).and_then(|span| Some((now, now.checked_add(span)?))),
            due_before: asked.word("due", days).and_then(|span| now.checked_sub(span)),
            ending: asked.word("ending", ending),
            livemode: asked.livemode(),
            ..SubscriptionFilter::default()
        },
        search: asked.text("q"),
        last_seen: None,
    }
}

fn tabs(asked: &Asked, list: &str, found: &SubscriptionPage) -> Tabs {
    let tab = |value: Option<&str>, text: &str, count| asked.fields.tab(list, "status", value, text, count);
    let all = found.counts.iter().map(|(_, count)| *count).sum();
    let mut tabs = vec![tab(None, "All", all)];
    for (status, count) in &found.counts {
        // A word that no gateway has used is no tab.
        if *status != SubscriptionStatus::Unknown || count.count > 0 {
            let mut text = spaced(status.as_str());
            text[..1].make_ascii_uppercase();
            let mut tab = tab(Some(status.as_str()), &text, *count);
            tab.urgent = *status == SubscriptionStatus::Unknown;
            tabs.push(tab);
        }
    }
    Tabs { label: "Status".to_owned(), tabs }
}

fn form(visit: &Visit, asked: &Asked, list: &str) -> Filter {
    let select = |name, label, none, start: &str| {
        let choices = SPANS.map(|(value, words, _)| (value, format!("{start} {words}")));
        asked.fields.select(name, label, none, choices.each_ref().map(|(value, words)| (*value, words.as_str())))
    };
    let form = Filter {
        action: list.to_owned(),
        hidden: asked.fields.get("status").map(|status| ("status".to_owned(), status)).into_iter().collect(),
        search: asked.field("q", "search", "Search", "Owner, email, gateway ref, customer or invoice"),
        fields: Vec::new(),
        selects: Vec::new(),
        more: vec![
            asked.field("owner", "text", "Owner", "user-42"),
            asked.field("price", "text", "Price or product", "price_…"),
            asked.account(),
        ],
        more_selects: vec![
            select("renews", "Renews", "At any time", "Within"),
            select("due", "Past due", "Or not", "For more than"),
            asked.fields.select("ending", "End", "Decided or not", [("yes", "Will end"), ("no", "Goes on")]),
            asked.fields.select("mode", "Mode", "Live and test", [("live", "Live"), ("test", "Test")]),
        ],
        open: asked.any(MORE),
        clear: (asked.any(MORE) || asked.any(&["q", "variant"])).then(|| list.to_owned()),
    };
    visit.by_variant(&asked.fields, form)

}

fn notes(frame: &Frame, asked: &Asked, found: &SubscriptionPage) -> Vec<String> {
    let mut notes = asked.notes(TYPED);
    if found.page.lost {
        notes.push("That place in the list is gone, so this is its beginning.".to_owned());
    }
    if found.page.capped {
        notes.push(format!("The search found more than {SEARCH_CAP} subscriptions, and the rest is left out."));
    }
    let stopped = found.stopped_at.map(|at| frame.local(at).0);
    notes.extend(found.page.stopped.map(|_| words::looked_through("subscriptions", "created", stopped)));
    notes
}

/// A row of the list, from whose page the way back leads to this view.
fn listed(frame: &Frame, asked: &Asked, row: &SubscriptionRow) -> SubscriptionLine {
    let line = line(frame, row);
    SubscriptionLine { href: asked.fields.leading(&line.href), ..line }
}

pub(super) fn line(frame: &Frame, row: &SubscriptionRow) -> SubscriptionLine {
    let mut flags = Vec::new();
    flags.extend(ends(row).then(Badge::ends));
    flags.extend((!row.certain).then(Badge::not_certain));
    flags.extend(Badge::mode(row.livemode.filter(|live| !live)));
    let until = row.ended_at.or(row.cancel_at).or(row.period_end);
    SubscriptionLine {
        id: row.id.0,
        href: frame.href(&format!("subscriptions/{}", row.token)),
        items: items(row),
        status: row.status.into(),
        flags,
        owner: row.owner.clone(),
        customer: row.customer.clone(),
        variant: row.variant.clone(),
        code: row.gateway_ref.clone().unwrap_or_else(|| row.token.clone()),
        until: until.map(|at| frame.moment(at)),
    }
}

/// Whether its end is decided and still to come.
fn ends(row: &SubscriptionRow) -> bool {
    row.ended_at.is_none() && (row.cancel_at.is_some() || row.cancel_at_period_end)
}

/// `2 × price_1, price_2`.
pub(super) fn items(row: &SubscriptionRow) -> String {
    let items: Vec<SubscriptionItem> = serde_json::from_str(&row.items).unwrap_or_default();
    let item = |item: &SubscriptionItem| {
        let quantity = item.quantity.filter(|quantity| *quantity != 1);
        quantity.map(|quantity| format!("{quantity} × ")).unwrap_or_default() + &item.price
    };
    let words: Vec<String> = items.iter().map(item).collect();
    if words.is_empty() { "–".to_owned() } else { words.join(", ") }
}

/// Where nothing is, the next step: the addresses for a new mount, or a way out of the filter.
fn empty(visit: &Visit, asked: &Asked, list: &str, found: &SubscriptionPage) -> Empty {
    if found.page.stopped.is_some() {
        return Empty {
            title: "None so far".to_owned(),
            text: "Only a part of the list was looked through. Narrow it by status or variant to get further \
                   at once."
                .to_owned(),
            codes: Vec::new(),
            link: None,
        };
    }
    if asked.any(&["q", "variant", "status"]) || asked.any(MORE) {
        return Empty {
            title: "No subscriptions match".to_owned(),
            text: sentence("search finds whole ids, owners and email addresses"),
            codes: Vec::new(),
            link: Some(Link::new("All subscriptions", list)),
        };
    }
    Empty {
        title: "No subscriptions yet".to_owned(),
        text: "Paste these addresses into the gateways' webhook settings; what they report of subscriptions is listed \
               here."
            .to_owned(),
        codes: visit.webhook_addresses(),
        link: None,
    }
}

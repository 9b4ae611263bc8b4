//! The list of subscriptions, page by page. A page looks at so many rows and then says how far it came, whatever the
//! filter.

use std::sync::Arc;

use super::browse::{COUNT_CAP, DEPTH, Page, Place, SEARCH_CAP, by_words};
use crate::domain::Timestamp;
use crate::domain::id::SubscriptionId;
use crate::domain::subscription::{SubscriptionItem, SubscriptionStatus};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::subscriptions::{SubscriptionFilter, SubscriptionPlace, SubscriptionRow};

/// All that an address says of a list of subscriptions, apart from the place in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SubscriptionView {
    /// What an index serves.
    pub filter: SubscriptionFilter,
    /// A token, an owner, an email address, or a gateway's id of the subscription, its customer or its newest invoice.
    pub search: Option<String>,
    /// The gateway's id of a price or product among its items.
    pub price: Option<String>,
    /// Those whose period ends before this moment, and has not ended.
    pub renews: Option<(Timestamp, Timestamp)>,
    /// Those that are past due since before this moment.
    pub due_before: Option<Timestamp>,
    /// Those whose end is decided, or isn't.
    pub ending: Option<bool>,
    pub livemode: Option<bool>,
}

/// A page of the list.
pub(crate) struct SubscriptionPage {
    pub page: Page<SubscriptionRow>,
    /// When the row was created where the looking stopped.
    pub stopped_at: Option<Timestamp>,
    /// How many there are in each status, counted up to [`COUNT_CAP`].
    pub counts: Vec<(SubscriptionStatus, i64)>,
}

impl SubscriptionView {
    /// Whether only some of the rows that an index finds match.
    fn is_narrow(&self) -> bool {
        let texts = self.price.is_some() || self.livemode.is_some();
        texts || self.renews.is_some() || self.due_before.is_some() || self.ending.is_some()
    }

    fn matches(&self, row: &SubscriptionRow) -> bool {
        let is_ending = row.ended_at.is_none() && (row.cancel_at.is_some() || row.cancel_at_period_end);
        let renews = |(from, until): (Timestamp, Timestamp)| {
            row.period_end.is_some_and(|end| from <= end && end < until) && row.ended_at.is_none() && !is_ending
        };
        let sells = |it: &SubscriptionItem, sought: &String| it.price == *sought || it.product.as_ref() == Some(sought);
        // A cheap look first: few rows have the text at all.
        let has = |sought: &String| {
            let items = || serde_json::from_str::<Vec<SubscriptionItem>>(&row.items).unwrap_or_default();
            row.items.contains(sought.as_str()) && items().iter().any(|it| sells(it, sought))
        };
        self.price.as_ref().is_none_or(has)
            && self.livemode.is_none_or(|live| row.livemode == Some(live))
            && self.renews.is_none_or(renews)
            && self.due_before.is_none_or(|at| row.due_since.is_some_and(|since| since < at))
            && self.ending.is_none_or(|ending| ending == is_ending)
    }
}

impl Engine {
    /// A page of the subscriptions that match, of up to `most`.
    pub(crate) async fn subscription_page(
        self: &Arc<Self>,
        view: SubscriptionView,
        place: Option<Place>,
        most: usize,
    ) -> Result<SubscriptionPage, Error> {
        self.look(move |tx| {
            let mut view = view.clone();
            let mut capped = false;
            if let Some(text) = &view.search {
                let words = by_words(tx, text)?;
                let mut found = tx.find_subscriptions(text, SEARCH_CAP as i64)?;
                found.extend(words.subscriptions);
                capped = found.len() >= SEARCH_CAP || words.is_more;
                view.filter.among = Some(found);
            }
            let (mut page, stopped_at) = match look(tx, &view, place, most)? {
                (page, _) if page.rows.is_empty() && place.is_some() && page.stopped.is_none() => {
                    let (first, stopped_at) = look(tx, &view, None, most)?;
                    (Page { lost: true, ..first }, stopped_at)
                }
                found => found,
            };
            page.capped = capped;
            let counts = tx.count_subscriptions(&SubscriptionStatus::ALL, COUNT_CAP)?;
            let counts = SubscriptionStatus::ALL.into_iter().zip(counts).collect();
            Ok(SubscriptionPage { page, stopped_at, counts })
        })
        .await
    }

    /// How many subscriptions that match are newer than this one, counted up to `cap`.
    pub(crate) async fn newer_subscriptions(
        self: &Arc<Self>,
        view: SubscriptionView,
        than: i64,
        cap: usize,
    ) -> Result<usize, Error> {
        self.look(move |tx| {
            let from = Some(SubscriptionPlace::After(SubscriptionId(than)));
            let rows = tx.list_subscriptions(&view.filter, from, cap as i64)?;
            Ok(rows.iter().filter(|row| view.matches(row)).count())
        })
        .await
    }
}

/// The page at this place, and when the row was created where the looking stopped.
fn look(
    tx: &mut dyn Tx,
    view: &SubscriptionView,
    place: Option<Place>,
    most: usize,
) -> Result<(Page<SubscriptionRow>, Option<Timestamp>), Error> {
    let is_back = place.is_some_and(|place| place.back);
    let from = place.map(|Place { id, back, with }| {
        let (id, with) = (SubscriptionId(id), i64::from(with));
        if back {
            SubscriptionPlace::After(SubscriptionId(id.0 - with))
        } else {
            SubscriptionPlace::Before(SubscriptionId(id.0 + with))
        }
    });
    let enough = most as i64 + 1;
    let depth = if view.is_narrow() { DEPTH.max(enough) } else { enough };
    let seen = tx.list_subscriptions(&view.filter, from, depth)?;
    let is_all = (seen.len() as i64) < depth;
    let edge = seen.last().map(|row| (row.id.0, row.created_at));
    let mut rows: Vec<SubscriptionRow> = seen.into_iter().filter(|row| view.matches(row)).collect();
    let is_more = rows.len() > most;
    rows.truncate(most);
    let stopped = edge.filter(|_| !is_more && !is_all && rows.len() < most);
    let on = match (is_more || !is_all, rows.last()) {
        (false, _) => None,
        (true, Some(row)) if stopped.is_none() => Some(row.id.0),
        (true, _) => edge.map(|(id, _)| id),
    };
    let came_from = rows.first().map(|row| row.id.0).or(place.map(|place| place.id));
    let beside = |id: Option<i64>, back| id.map(|id| Place { id, back, with: false });
    let came_from = came_from.filter(|_| place.is_some());
    let (further, back) = if is_back {
        rows.reverse();
        (beside(came_from, false), beside(on, true))
    } else {
        (beside(on, false), beside(came_from, true))
    };
    let page = Page {
        rows,
        further,
        back,
        stopped: stopped.map(|(id, _)| id),
        capped: false,
        lost: false,
        unreadable: Vec::new(),
    };
    Ok((page, stopped.map(|(_, at)| at)))
}

//! Which pages are there? A file each, and a word in the list below, from which routes and navigation are made.

use super::routes::Route;

mod act_entries;
mod book_period;
mod charts;
mod payment_answer;
mod payment_timeline;
mod payment_totals;
mod subscription_details;
mod subscription_sums;
mod subscription_timeline;
mod timeline;

/// The files, in the order of the navigation.
macro_rules! pages {
    ($($page:ident),+ $(,)?) => {
        $(mod $page;)+

        /// All routes, page by page.
        pub(super) fn routes() -> impl Iterator<Item = &'static Route> {
            [$($page::ROUTES),+].into_iter().flatten()
        }
    };
}

pages! {
    overview,
    payments,
    payment,
    customer,
    operation,
    rebuild,
    review,
    note,
    disputes,
    books,
    subscriptions,
    subscription,
    subscription_operation,
    events,
    bulk,
    event,
    dry_run,
    handlers,
    variants,
    variant,
    drift,
    audit,
    data,
    csv,
    audit_csv,
    disputes_csv,
    search,
    failures,
}

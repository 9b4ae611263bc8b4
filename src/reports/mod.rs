//! What the pages read. Nothing here writes.

mod addressed;
mod anomalies;
mod anomaly;
mod at_run_time;
mod audit;
mod books;
mod browse;
mod checkup;
mod chores;
mod customer;
#[cfg(feature = "cli")]
mod diagnosis;
mod disputes;
mod drift;
mod dry_run;
mod failures;
mod fetch_story;
mod growth;
mod handlers;
mod latency;
mod looks;
mod overview;
mod payment_sums;
mod permissions;
mod person;
pub(crate) mod reading;
mod rebuild;
mod refusals;
mod search;
mod span;
mod stories;
mod subscription_story;
mod subscription_sums;
mod subscriptions;
mod wording;

pub(crate) use addressed::Addressed;
pub(crate) use anomaly::Anomaly;
pub(crate) use audit::{Acts, is_on_many};
pub(crate) use books::{Beside, Book, BookView, CurrencyBook, MonthStart};
pub(crate) use browse::{
    COUNT_CAP, Counted, DEPTH, EventList, EventView, Order, Page, PaymentList, PaymentView, Place, ROWS, SEARCH_CAP,
    SubscriptionPage, SubscriptionView, Unreadable, event_rows,
};
pub(crate) use checkup::{Checkup, REFUSED_DAYS, SECRETS_OF, Standing, Standings};
pub(crate) use chores::chore_in_words;
pub(crate) use customer::CustomerOf;
#[cfg(feature = "cli")]
pub(crate) use diagnosis::{Finding, Severity};
pub(crate) use disputes::{DISPUTE_STATES, DisputeList, DisputeView};
pub(crate) use drift::{ComparedVariant, NotedDifference};
pub(crate) use dry_run::Forecast;
pub(crate) use failures::FailureGroup;
pub(crate) use fetch_story::FetchStory;
pub(crate) use growth::{Grown, GrowthReport, size};
pub(crate) use latency::{Latency, Percentiles};
pub(crate) use looks::{Look, Looked};
pub(crate) use overview::Overview;
pub(crate) use payment_sums::PaymentSum;
pub(crate) use permissions::{Permission, Permissions};
pub use rebuild::{Differing, Rebuilt};
pub(crate) use rebuild::{compare, known};
pub(crate) use search::{FewOf, FoundCustomer, SearchFindings};
pub(crate) use span::{Bucket, Span};
pub(crate) use stories::{EventStory, PaymentStory};
pub(crate) use subscription_story::SubscriptionStory;
pub(crate) use subscription_sums::SubscriptionSums;
pub use subscriptions::{SubscriptionList, SubscriptionQuery};
pub(crate) use wording::{Worded, Wording};

//! The steps that make the tables: the folders below `migrations/`, compiled in. A step only adds, so an older release
//! goes on working against a newer schema.

/// A migration that creates or changes the `pay_` tables; see [`Payments::migrations`](crate::Payments::migrations).
///
/// See [`Payments::migrations`](crate::Payments::migrations) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Its name; sorting by name gives the order of the migrations.
    pub name: &'static str,
    /// Its SQL, with the row in `pay_migrations` that records it. Run it in one transaction.
    pub sql: String,
    /// Whether it has not been run yet.
    pub is_pending: bool,
}

/// One step, by the name of its folder.
pub(super) struct Step {
    pub(super) name: &'static str,
    up: &'static str,
}

/// Where it is remembered which steps were taken: a table of our own, which the host's diesel migrations neither see
/// nor revert.
const TAKEN: &str = "CREATE TABLE IF NOT EXISTS pay_migrations (\
                     name TEXT PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);";

impl Step {
    /// All that it takes.
    pub(super) fn sql(&self) -> String {
        let Self { name, up } = self;
        format!("{TAKEN}\n\n{}\n\nINSERT INTO pay_migrations (name) VALUES ('{name}');\n", up.trim())
    }

    pub(super) fn described(&self, done: &[String]) -> Migration {
        Migration { name: self.name, sql: self.sql(), is_pending: !done.iter().any(|name| name == self.name) }
    }
}

macro_rules! migrations {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(Step {
            name: $name,
            up: include_str!(concat!("../../migrations/", $folder, "/", $name, "/up.sql")),
        }),+]
    };
}

/// The folders, in their order.
macro_rules! all {
    ($folder:literal) => {
        migrations!(
            $folder: "0001_foundation", "0002_lists", "0003_hours", "0004_audit", "0005_operations", "0006_chores",
            "0007_series", "0008_awaited", "0009_requeued", "0010_event_facts", "0011_lean", "0012_money",
            "0013_handlers", "0015_subscriptions", "0016_creations", "0017_retention", "0018_differing",
            "0019_fetches", "0020_subscriptions", "0021_alarms", "0024_one_status_index", "0027_erasure",
            "0028_operating", "0029_drift", "0030_books", "0031_disputes", "0033_search", "0034_failures",
            "0035_failure_index", "0036_differing_lately",
            "0037_words_owed", "0039_subscription_email", "0040_acts_on_many", "0041_customers",
            "0042_late", "0043_dispute_reasons", "0044_dispute_changes", "0045_subscription_lists",
            "0046_sums_owed", "0047_real_subscriptions", "0048_retired_chores",
            "0049_variants_of_acts", "0050_gateway_customers",
            "0051_doubts",
            "0052_subscription_accounts", "0054_accounts", "0055_given_up"
        )
    };
}

#[cfg(feature = "sqlite")]
pub(super) const SQLITE: &[Step] = all!("sqlite");
#[cfg(feature = "postgres")]
pub(super) const POSTGRES: &[Step] = all!("postgres");

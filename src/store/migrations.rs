//! Which steps make the tables? The folders below `migrations/`, compiled in. A step only adds, so an older
//! release goes on working against a newer schema.

/// One step, by the name of its folder.
pub(super) struct Migration {
    pub(super) name: &'static str,
    pub(super) up: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(Migration {
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
            "0007_series", "0008_awaited", "0009_requeued", "0010_event_facts", "0011_lean", "0013_handlers",
            "0016_creations"
        )
    };
}

#[cfg(feature = "sqlite")]
pub(super) const SQLITE: &[Migration] = all!("sqlite");
#[cfg(feature = "postgres")]
pub(super) const POSTGRES: &[Migration] = all!("postgres");

//! In which time zone are absolute times said?

use time::UtcOffset;

use crate::domain::Timestamp;
use crate::error::{Error, ErrorKind};

/// A time zone.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    /// The default.
    Utc,
    /// One of the system's.
    Named(String, tz::TimeZone),
}

impl Zone {
    /// The zone of this name in the IANA database.
    pub(super) fn named(name: &str) -> Result<Self, Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
        let unknown = || {
            let message = format!("expected a time zone of this system, as Europe/Berlin, got {name:?}");
            Error::new(ErrorKind::Configuration, message)
        };
        if name.is_empty() || name.starts_with('/') || !name.chars().all(plain) {
            return Err(unknown());
        }
        let zone = tz::TimeZone::from_posix_tz(name).map_err(|e| unknown().with_source(e))?;
        Ok(Self::Named(name.to_owned(), zone))
    }

    /// Its name in the database, whatever the season.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Named(name, _) => name,
        }
    }

    /// The moment at which a day begins by the zone's clocks.
    pub(super) fn start_of(&self, day: time::Date) -> Timestamp {
        let midnight = day.midnight().assume_utc();
        let by = |at: Timestamp| {
            let offset = self.local(at).0.offset().whole_seconds();
            midnight.checked_sub(time::Duration::seconds(offset.into()))
        };
        // Where the clocks are changed in between, the offset at the first guess is not that of midnight.
        by(midnight).and_then(by).unwrap_or(midnight)
    }

    /// The moment as the zone's clocks show it, and the zone's short name at that moment: `CET`.
    pub(super) fn local(&self, at: Timestamp) -> (Timestamp, String) {
        let utc = (at.to_offset(UtcOffset::UTC), "UTC".to_owned());
        let Self::Named(_, zone) = self else { return utc };
        let Ok(local) = zone.find_local_time_type(at.unix_timestamp()) else { return utc };
        // Where the calendar ends, it ends by the clocks of UTC.
        match UtcOffset::from_whole_seconds(local.ut_offset()).ok().and_then(|offset| at.checked_to_offset(offset)) {
            Some(here) => (here, local.time_zone_designation().to_owned()),
            None => utc,
        }
    }
}

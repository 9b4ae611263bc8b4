//! What configured numbers and spans may be.

use std::time::Duration;

use crate::engine::configured::SourceLimits;
use crate::error::Error;

/// How long a variant's configuration may be kept: what was taken back counts no longer than that.
const LONGEST_KEPT: Duration = Duration::from_secs(3600);
/// How long a function that gives it may take: gateways wait some 10 to 30 seconds for the answer to a delivery.
const SLOWEST: Duration = Duration::from_secs(30);

/// Refuses 0, of which nothing would go on.
pub(super) fn positive(what: &str, given: u128, unit: &str) -> Result<(), Error> {
    match given {
        0 => Err(Error::configuration(format!("expected {what} of at least one of {unit}, got 0"))),
        _ => Ok(()),
    }
}

/// Refuses a span that is longer.
pub(super) fn at_most(what: &str, given: Duration, longest: Duration) -> Result<(), Error> {
    if given <= longest {
        return Ok(());
    }
    let (longest, given) = (longest.as_secs(), given.as_secs());
    Err(Error::configuration(format!("expected {what} of at most {longest} seconds, got {given}")))
}

/// Refuses bounds under which no variant can be configured at run time.
pub(super) fn of_source(limits: SourceLimits) -> Result<(), Error> {
    positive("variants_cache", limits.kept.as_millis(), "milliseconds")?;
    at_most("variants_cache", limits.kept, LONGEST_KEPT)?;
    positive("variants_cache", limits.most as u128, "variants")?;
    positive("variants_never_seen", u128::from(limits.never_seen), "names")?;
    positive("variants_timeout", limits.timeout.as_millis(), "milliseconds")?;
    at_most("variants_timeout", limits.timeout, SLOWEST)
}

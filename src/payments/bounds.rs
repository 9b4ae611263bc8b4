//! What configured numbers and spans may be.

use std::time::Duration;

use crate::error::Error;

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

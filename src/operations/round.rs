//! A round of questions to a gateway about what is stale, which ends early where it does not answer.

use std::time::{Duration, Instant};

use super::tries::Outcome;
use crate::error::{Error, ErrorKind};
use crate::gateways::GatewayError;

/// After how many answers in a row that say nothing a gateway is left alone until the next look, and for how long it is
/// asked at the most. The next look goes on where this one ended: what was asked about is left alone then.
const IN_VAIN: usize = 3;
const ROUND: Duration = Duration::from_secs(60);

/// How a chore ended that did not fail itself.
pub(super) enum Ended {
    /// There was nothing to ask about, so nothing is known of the gateway.
    Unasked,
    Well,
    /// The gateway answered nothing; why it is left alone.
    InVain(String),
}

impl Ended {
    /// The same, or that all is well where nothing is left that could be asked about.
    pub(super) fn or_well(self, is_nothing_left: bool) -> Self {
        if matches!(self, Self::Unasked) && is_nothing_left { Self::Well } else { self }
    }
}

/// The time in which a gateway is asked about what is stale.
pub(super) struct Round {
    until: Instant,
    asked: usize,
    in_vain: usize,
    /// Whether the gateway answered anything, be it that it refuses.
    is_answered: bool,
}

impl Round {
    pub(super) fn begin() -> Self {
        Self { until: Instant::now() + ROUND, asked: 0, in_vain: 0, is_answered: false }
    }

    pub(super) fn is_over_after(&mut self, asked: &Result<Outcome, Error>) -> bool {
        let is_silent = match asked {
            Ok(outcome) => *outcome != Outcome::Done,
            // What can't even be asked says nothing of the gateway, and is among the first of the next round, too.
            Err(error) => matches!(error.kind(), ErrorKind::Gateway | ErrorKind::Unavailable),
        };
        self.asked += 1;
        self.is_answered |= !is_silent || asked.as_ref().is_err_and(is_refusal);
        self.in_vain = if is_silent { self.in_vain + 1 } else { 0 };
        self.in_vain == IN_VAIN || Instant::now() >= self.until
    }

    pub(super) fn ended(&self) -> Ended {
        match self.asked {
            0 => Ended::Unasked,
            asked if !self.is_answered && (self.in_vain == IN_VAIN || self.in_vain == asked) => {
                Ended::InVain(format!("the gateway answered none of its last {} questions", self.in_vain))
            }
            _ => Ended::Well,
        }
    }
}

/// Whether the gateway answered that it refuses.
fn is_refusal(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<GatewayError>());
    matches!(source, Some(GatewayError::Declined(_) | GatewayError::Unsupported(_)))
}

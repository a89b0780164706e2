//! What an entry of the journal says of the call that it is the outcome of.

use std::sync::Arc;

use port::Rejection;

use super::event::Event;
use super::failure::Failure;

impl Event {
    /// How long the call took that it is the outcome of.
    pub(crate) fn ms(&self) -> Option<u64> {
        match self {
            Self::StepSucceeded { ms, .. }
            | Self::StepFailed { ms, .. }
            | Self::StepCompensated { ms, .. } => Some(*ms),
            _ => None,
        }
    }

    /// The member of a group that acted, or may have.
    pub(crate) fn member(&self) -> Option<&Arc<str>> {
        match self {
            Self::StepBlocked { member, .. }
            | Self::StepSucceeded { member, .. }
            | Self::StepCompensated { member, .. }
            | Self::TellDelivered { member, .. } => member.as_ref(),
            _ => self.failure()?.member.as_ref(),
        }
    }

    /// The guard that kept a call in.
    pub(crate) fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::StepBlocked { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// Why a call, or the run, failed.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match self {
            Self::StepRetried { error, .. }
            | Self::StepUnfinished { error, .. }
            | Self::StepFailed { error, .. }
            | Self::StepExhausted { error, .. }
            | Self::StepUnknown { error, .. }
            | Self::StepHeld { error, .. }
            | Self::CompensationParked { error, .. } => Some(error),
            Self::RunEnded(ended) => ended.error.as_ref(),
            _ => None,
        }
    }
}

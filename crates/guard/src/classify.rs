//! What an outcome says about the system.

use std::time::Duration;

use port::{Fault, Kind};

/// What an outcome says about the system that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Good,
    /// It does not.
    Bad {
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// Nothing: the caller's input was wrong, the caller went away, or the defect is ours.
    Neutral,
    /// It works, and asks for a pause.
    Throttled {
        /// How long.
        pause: Option<Duration>,
    },
}

/// Judges by the kind of fault, never by its text.
#[inline]
pub(crate) fn verdict(outcome: Result<(), &Fault>) -> Verdict {
    let fault = match outcome {
        Ok(()) => return Verdict::Good,
        Err(fault) if fault.rejection.is_some() => return Verdict::Neutral,
        Err(fault) => fault,
    };
    let bad = Verdict::Bad { retry_after: fault.retry_after };
    match fault.kind {
        Kind::Connect | Kind::Timeout | Kind::Unavailable => bad,
        Kind::Throttled => Verdict::Throttled { pause: fault.retry_after },
        Kind::Protocol if fault.status.is_some_and(|status| status >= 500) => bad,
        Kind::Protocol
        | Kind::Refused
        | Kind::Unauthorised
        | Kind::NotFound
        | Kind::Conflict
        | Kind::Invalid
        | Kind::Internal => Verdict::Neutral,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use port::{Landed, Rejection};

    use super::*;

    #[test]
    fn b17_only_a_system_that_does_not_answer_counts_as_down() {
        let judge = |kind| verdict(Err(&Fault::new(kind, Landed::Unknown, "test")));
        for kind in [Kind::Connect, Kind::Timeout, Kind::Unavailable] {
            assert_eq!(judge(kind), Verdict::Bad { retry_after: None }, "{kind:?}");
        }
        for kind in [Kind::Refused, Kind::Unauthorised, Kind::NotFound, Kind::Conflict, Kind::Invalid] {
            assert_eq!(judge(kind), Verdict::Neutral, "{kind:?}");
        }
        assert_eq!(judge(Kind::Internal), Verdict::Neutral);
        assert_eq!(judge(Kind::Protocol), Verdict::Neutral);
        assert_eq!(judge(Kind::Throttled), Verdict::Throttled { pause: None });
    }

    #[test]
    fn a_rejection_by_an_inner_guard_says_nothing_about_the_system() {
        assert_eq!(verdict(Err(&Fault::rejected(Rejection::BreakerOpen, None))), Verdict::Neutral);
    }
}

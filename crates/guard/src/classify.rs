//! What an outcome says about the system.

use std::time::Duration;

use port::{Fault, Kind};

use crate::policy::{Class, Classify};

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

/// Judges by the status and the kind of the fault, never by its text.
#[inline]
pub(crate) fn verdict(outcome: Result<(), &Fault>, differs: &Classify) -> Verdict {
    match outcome {
        Ok(()) => Verdict::Good,
        Err(fault) if fault.rejection.is_some() => Verdict::Neutral,
        Err(fault) => match differs.of(fault).unwrap_or_else(|| usual(fault)) {
            Class::Failure => Verdict::Bad { retry_after: fault.retry_after },
            Class::Neutral => Verdict::Neutral,
            Class::Throttle => Verdict::Throttled { pause: fault.retry_after },
        },
    }
}

fn usual(fault: &Fault) -> Class {
    match fault.kind {
        Kind::Connect | Kind::Timeout | Kind::Unavailable => Class::Failure,
        Kind::Throttled => Class::Throttle,
        Kind::Protocol if fault.status.is_some_and(|status| status >= 500) => Class::Failure,
        Kind::Protocol
        | Kind::Refused
        | Kind::Unauthorised
        | Kind::NotFound
        | Kind::Conflict
        | Kind::InProgress
        | Kind::Invalid
        | Kind::Internal => Class::Neutral,
    }
}

/// Whether the system itself turned the call down: it is there and understands what it is asked.
pub(crate) fn answers(fault: &Fault) -> bool {
    let turned_down = matches!(
        fault.kind,
        Kind::Refused
            | Kind::Unauthorised
            | Kind::NotFound
            | Kind::Conflict
            | Kind::InProgress
            | Kind::Invalid
    );
    turned_down && fault.status.is_some() && fault.rejection.is_none()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use port::{Landed, Rejection};

    use super::{Class, Classify, Duration, Fault, Kind, Verdict};
    use crate::policy::Sign;

    fn verdict(outcome: Result<(), &Fault>) -> Verdict {
        super::verdict(outcome, &Classify::default())
    }

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

    #[test]
    fn a_system_may_say_it_in_its_own_way_and_a_status_before_a_kind() {
        let mut differs = Classify::default();
        differ(&mut differs, Class::Failure, &[Sign::Kind(Kind::NotFound), Sign::Kind(Kind::Throttled)]);
        differ(&mut differs, Class::Neutral, &[Sign::Kind(Kind::Unavailable), Sign::Status(14)]);
        differ(&mut differs, Class::Throttle, &[Sign::Status(503)]);
        let wait = Some(Duration::from_secs(3));
        let judge = |kind, status: Option<u16>| {
            let fault = Fault { status, ..Fault::new(kind, Landed::No, "test").after(wait) };
            super::verdict(Err(&fault), &differs)
        };
        assert_eq!(judge(Kind::NotFound, Some(404)), Verdict::Bad { retry_after: wait });
        assert_eq!(judge(Kind::Throttled, Some(429)), Verdict::Bad { retry_after: wait });
        assert_eq!(judge(Kind::Unavailable, Some(500)), Verdict::Neutral);
        assert_eq!(judge(Kind::Unavailable, Some(503)), Verdict::Throttled { pause: wait });
        assert_eq!(judge(Kind::Throttled, Some(503)), Verdict::Throttled { pause: wait });
        assert_eq!(judge(Kind::Connect, Some(14)), Verdict::Neutral);
        assert_eq!(judge(Kind::Connect, None), Verdict::Bad { retry_after: wait });
        assert_eq!(judge(Kind::Conflict, Some(409)), Verdict::Neutral);
    }

    #[test]
    fn what_is_said_later_replaces_what_was_said_about_the_same_sign() {
        let mut differs = Classify::default();
        differ(&mut differs, Class::Neutral, &[Sign::Kind(Kind::Timeout), Sign::Status(503)]);
        differ(&mut differs, Class::Failure, &[Sign::Status(503)]);
        assert_eq!(differs.written(Class::Neutral), "timeout");
        assert_eq!(differs.written(Class::Failure), "503");
    }

    #[test]
    fn what_nobody_let_out_says_nothing_whatever_is_configured() {
        let mut differs = Classify::default();
        differ(&mut differs, Class::Failure, &[Sign::Kind(Kind::Unavailable)]);
        let rejected = Fault::rejected(Rejection::BulkheadFull, None);
        assert_eq!(super::verdict(Err(&rejected), &differs), Verdict::Neutral);
    }

    fn differ(differs: &mut Classify, class: Class, signs: &[Sign]) {
        differs.differ(signs.iter().map(|sign| (*sign, class)));
    }
}

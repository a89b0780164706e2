//! What a timer is for, and how that is kept: the only place that writes the names of timers and reads them back.

use jiff::Timestamp;
use port::Rejection;
use store::{Timer, TimerOp};

use super::lines::Whom;
use super::stuck::GUARDS;
use crate::core::TimerKind;

/// Between the path of a step and whom its call is for.
const AGAIN_AT: &str = "#again@";
/// The same of timers that do not say whom.
const AGAIN: &str = "#again";
const SLA: &str = "#sla";
/// Between that, since when the call is held, and by which guard.
const SINCE: char = '\t';

/// What a timer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The run has taken as long as it may.
    Sla,
    /// A step waits until then.
    Step { path: String, kind: TimerKind },
    /// A step's call is made again.
    Again { path: String, asked: Option<Asked> },
}

/// Whom a call is for that is made again. Timers that were set before that was written say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// As the step names it.
    pub(super) system: String,
    pub(super) operation: String,
    pub(super) tenant: String,
    /// Since when it is held, and by which guard.
    pub(super) held: Option<(Timestamp, Rejection)>,
}

impl Asked {
    pub(super) fn whom(&self) -> Whom {
        Whom::of(&self.system, &self.operation, &self.tenant)
    }
}

impl Due {
    pub(super) fn step(path: &str, kind: TimerKind) -> Self {
        Self::Step { path: path.to_owned(), kind }
    }

    pub(super) fn again(path: &str, asked: Option<Asked>) -> Self {
        Self::Again { path: path.to_owned(), asked }
    }

    /// The timer's row.
    pub(super) fn row(&self, run: &str, due: Timestamp) -> Timer {
        Timer { id: self.id(run), run: run.to_owned(), step: self.written(), due }
    }

    pub(super) fn clear(&self, run: &str) -> TimerOp {
        TimerOp::Clear { id: self.id(run) }
    }

    /// One step has one timer of a kind, whomever its call is for.
    pub(super) fn id(&self, run: &str) -> String {
        match self {
            Self::Again { path, .. } => format!("{run}/{path}{AGAIN}"),
            Self::Sla | Self::Step { .. } => format!("{run}/{}", self.written()),
        }
    }

    /// As it is kept.
    fn written(&self) -> String {
        match self {
            Self::Sla => SLA.to_owned(),
            Self::Step { path, kind } => format!("{path}#{}", kind.as_str()),
            Self::Again { path, asked: None } => format!("{path}{AGAIN}"),
            Self::Again { path, asked: Some(Asked { system, operation, tenant, held }) } => {
                let held = held.map(|(since, guard)| {
                    format!("{SINCE}{}{SINCE}{}", since.as_millisecond(), guard.as_str())
                });
                format!("{path}{AGAIN_AT}{system}.{operation} {tenant}{}", held.unwrap_or_default())
            }
        }
    }

    /// Reads what was kept; `None` when no version has kept anything like it.
    pub(super) fn read(step: &str) -> Option<Self> {
        if step == SLA {
            return Some(Self::Sla);
        }
        if let Some((path, call)) = step.split_once(AGAIN_AT) {
            return Some(Self::again(path, read_asked(call)));
        }
        if let Some(path) = step.strip_suffix(AGAIN) {
            return Some(Self::again(path, None));
        }
        let (path, kind) = step.rsplit_once('#')?;
        Some(Self::step(path, TimerKind::parse(kind)?))
    }
}

fn read_asked(call: &str) -> Option<Asked> {
    let (call, rest) = call.split_once(' ')?;
    let (system, operation) = call.split_once('.')?;
    let (tenant, held) = rest.split_once(SINCE).unwrap_or((rest, ""));
    let [system, operation, tenant] = [system, operation, tenant].map(str::to_owned);
    Some(Asked { system, operation, tenant, held: read_held(held) })
}

fn read_held(held: &str) -> Option<(Timestamp, Rejection)> {
    let (since, guard) = held.split_once(SINCE)?;
    let guard = GUARDS.into_iter().find(|known| known.as_str() == guard)?;
    Some((Timestamp::from_millisecond(since.parse().ok()?).ok()?, guard))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(held: Option<(Timestamp, Rejection)>) -> Option<Asked> {
        let [system, operation, tenant] = ["Payments", "charge", "acme corp"].map(str::to_owned);
        Some(Asked { system, operation, tenant, held })
    }

    /// The names are those of every version: a store in flight goes on.
    #[test]
    fn what_is_kept_of_a_timer_stays_as_it_is_and_is_read_back() {
        let since = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        let kept = [
            (Due::Sla, "run_1/#sla", "#sla"),
            (Due::step("a/b[0]", TimerKind::Wait), "run_1/a/b[0]#wait", "a/b[0]#wait"),
            (Due::step("a", TimerKind::Retry), "run_1/a#retry", "a#retry"),
            (Due::step("a", TimerKind::Timeout), "run_1/a#timeout", "a#timeout"),
            (Due::again("a", None), "run_1/a#again", "a#again"),
            (Due::again("a", asked(None)), "run_1/a#again", "a#again@Payments.charge acme corp"),
            (
                Due::again("a", asked(Some((since, Rejection::BreakerOpen)))),
                "run_1/a#again",
                "a#again@Payments.charge acme corp\t1700000000123\tbreaker_open",
            ),
        ];
        for (due, id, step) in kept {
            let row = due.row("run_1", since);
            assert_eq!((row.id.as_str(), row.step.as_str()), (id, step));
            assert_eq!(Due::read(step), Some(due));
        }
    }

    #[test]
    fn a_call_that_cannot_be_read_is_made_again_all_the_same_and_nothing_else_is_guessed() {
        assert_eq!(Due::read("a#again@nobody"), Some(Due::again("a", None)));
        assert_eq!(Due::read("a#again@p.c t\tx\ty").map(|due| due.id("r")), Some("r/a#again".into()));
        assert_eq!([Due::read("a"), Due::read("a#someday")], [None, None]);
    }
}

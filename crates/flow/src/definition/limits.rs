//! How often a step is tried again, durably, and what happens when that was in vain.

use std::time::Duration;

use diag::Node;

/// What a run does when a step has exhausted its attempts, or nobody knows whether it landed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExhausted {
    /// Waits, visibly, until a person resumes, replays or cancels it.
    #[default]
    Pause,
    /// Ends as failed; what was done stays done.
    Fail,
    /// Raises the error: a `catch` may take it, otherwise everything is undone.
    Compensate,
}

impl OnExhausted {
    pub(super) fn read(node: &Node) -> Option<Self> {
        match node.text()? {
            "pause" => Some(Self::Pause),
            "fail" => Some(Self::Fail),
            "compensate" => Some(Self::Compensate),
            _ => None,
        }
    }
}

/// What a run does when an expression fails on the data at hand, or an input does not fit, after something was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnFault {
    /// Waits, visibly, until a person resumes, restarts or cancels it.
    #[default]
    Pause,
    /// Undoes everything.
    Compensate,
}

impl OnFault {
    pub(super) fn read(node: &Node) -> Option<Self> {
        match node.text()? {
            "pause" => Some(Self::Pause),
            "compensate" => Some(Self::Compensate),
            _ => None,
        }
    }
}

/// What a run does that finds another of its key ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Busy {
    /// Waits for its turn.
    #[default]
    Wait,
    /// Fails at once.
    Reject,
    /// Hands its input over, as the signal `busy`, and ends.
    Signal,
    /// Cancels those ahead, then goes.
    Cancel,
}

impl Busy {
    pub(super) fn read(node: &Node) -> Option<Self> {
        match node.text()? {
            "wait" => Some(Self::Wait),
            "reject" => Some(Self::Reject),
            "signal" => Some(Self::Signal),
            "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }
}

/// Durable rounds: each is one guarded call with all the guard's own attempts, and survives a restart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retry {
    pub(crate) attempts: u32,
    pub(crate) wait: Duration,
    pub(crate) max: Duration,
    pub(crate) kinds: Vec<String>,
}

impl Retry {
    /// One round: the guard has retried already, and there is one owner of retries.
    pub(crate) const STEP: Self =
        Self { attempts: 1, wait: Duration::from_secs(1), max: Duration::from_secs(60), kinds: Vec::new() };
    /// Undoing is worth more patience.
    pub(crate) const COMPENSATION: Self =
        Self { attempts: 10, wait: Duration::from_secs(1), max: Duration::from_secs(60), kinds: Vec::new() };

    pub(super) fn read(node: &Node, base: &Self) -> Self {
        let number = |key| node.get(key).and_then(Node::u64).and_then(|n| u32::try_from(n).ok());
        Self {
            attempts: number("attempts").unwrap_or(base.attempts).max(1),
            wait: node.get("wait").and_then(Node::duration).unwrap_or(base.wait),
            max: node.get("max").and_then(Node::duration).unwrap_or(base.max),
            kinds: node
                .get("kinds")
                .map(|kinds| kinds.texts().map(str::to_owned).collect())
                .unwrap_or_default(),
        }
    }

    /// How long to wait before round `round + 1`: doubling from `wait` up to `max`, between half and all of it.
    pub(crate) fn backoff(&self, round: u32, unit: f64) -> Duration {
        let doubled = self.wait.saturating_mul(1u32 << round.saturating_sub(1).min(20)).min(self.max);
        doubled.mul_f64(0.5 + unit.clamp(0.0, 1.0) / 2.0)
    }

    /// Whether a fault of this kind is tried again; no list means every kind that may pass.
    pub(crate) fn covers(&self, kind: Option<port::Kind>) -> bool {
        match kind {
            Some(kind) if self.kinds.is_empty() => kind.may_pass(),
            Some(kind) => self.kinds.iter().any(|wanted| wanted == kind.as_str()),
            None => false,
        }
    }
}

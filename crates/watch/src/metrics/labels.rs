//! Label sets. Every value is admitted by [`super::names`] or comes from a closed list, so their number is bounded.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;

use super::{Breaker, Outcome};

pub(super) type CallStatus = &'static str;
pub(super) type Name = Arc<str>;

pub(super) const BREAKER_STATES: [(Breaker, &str); 3] =
    [(Breaker::Closed, "closed"), (Breaker::Open, "open"), (Breaker::HalfOpen, "half_open")];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Act {
    pub(super) act_type: Name,
    pub(super) status: CallStatus,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ActType {
    pub(super) act_type: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Call {
    pub(super) system: Name,
    pub(super) operation: Name,
    pub(super) status: CallStatus,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Refused {
    pub(super) code: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Timed {
    pub(super) system: Name,
    pub(super) operation: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Error {
    pub(super) error_type: Name,
    pub(super) system: Name,
    pub(super) recoverable: bool,
}

/// The union of two traditions' labels: `integration` and `adapter_id` are the same name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Request {
    integration: Name,
    adapter_id: Name,
    operation: Name,
    status: &'static str,
}

impl Request {
    pub(super) fn new(system: &Name, operation: &Name, outcome: Outcome) -> Self {
        let status = match outcome {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
        };
        Self { integration: system.clone(), adapter_id: system.clone(), operation: operation.clone(), status }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Latency {
    integration: Name,
    operation: Name,
}

impl From<Timed> for Latency {
    fn from(timed: Timed) -> Self {
        Self { integration: timed.system, operation: timed.operation }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Integration {
    pub(super) integration: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Adapter {
    pub(super) adapter_id: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AdapterError {
    pub(super) adapter_id: Name,
    pub(super) error_type: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AdapterState {
    pub(super) adapter_id: Name,
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Flow {
    pub(super) flow: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Reason {
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LimitStore {
    pub(super) store: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LimitFallback {
    pub(super) store: Name,
    pub(super) adapter_id: Name,
    pub(super) fallback: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Status {
    pub(super) status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct FlowStatus {
    pub(super) flow: Name,
    pub(super) status: Name,
}

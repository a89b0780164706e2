//! What a journal's entry is called, which step it is about, and whether its run is over with it.

use std::sync::Arc;

use super::event::Event;

impl Event {
    /// The event's name in the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "RunStarted",
            Self::RunTaken => "RunTaken",
            Self::StepStarted { .. } => "StepStarted",
            Self::StepUnfinished { .. } => "StepUnfinished",
            Self::OutcomeLookedUp { .. } => "OutcomeLookedUp",
            Self::StepSettled { .. } => "StepSettled",
            Self::StepBlocked { .. } => "StepBlocked",
            Self::TellDelivered { .. } => "TellDelivered",
            Self::TellDied { .. } => "TellDied",
            Self::TellLost { .. } => "TellLost",
            Self::DeliveryAwaited { .. } => "DeliveryAwaited",
            Self::StepRetried { .. } => "StepRetried",
            Self::StepSucceeded { .. } => "StepSucceeded",
            Self::StepFailed { .. } => "StepFailed",
            Self::StepExhausted { .. } => "StepExhausted",
            Self::StepUnknown { .. } => "StepUnknown",
            Self::OutcomeFound { .. } => "OutcomeFound",
            Self::StepDropped { .. } => "StepDropped",
            Self::StepWaiting { .. } => "StepWaiting",
            Self::TopicRead { .. } => "TopicRead",
            Self::StepHeld { .. } => "StepHeld",
            Self::QuestionAsked { .. } => "QuestionAsked",
            Self::QuestionClosed { .. } => "QuestionClosed",
            Self::ChildStarted { .. } => "ChildStarted",
            Self::ChildUnknown { .. } => "ChildUnknown",
            Self::TimerSet { .. } => "TimerSet",
            Self::TimerFired { .. } => "TimerFired",
            Self::SignalTaken { .. } => "SignalTaken",
            Self::StepCompensated { .. } => "StepCompensated",
            Self::CompensationParked { .. } => "CompensationParked",
            Self::StepReplayed { .. } => "StepReplayed",
            Self::RunPaused { .. } => "RunPaused",
            Self::RunResumed { .. } => "RunResumed",
            Self::RunCancelling { .. } => "RunCancelling",
            Self::RunRestarted { .. } => "RunRestarted",
            Self::RunUndoing { .. } => "RunUndoing",
            Self::UndoRefused { .. } => "UndoRefused",
            Self::KeyReleased { .. } => "KeyReleased",
            Self::SlaBreached => "SlaBreached",
            Self::RunEnded(_) => "RunEnded",
        }
    }

    /// Whether the run is over with it.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::RunEnded(_) | Self::UndoRefused { .. })
    }

    /// The step it is about.
    pub(crate) fn path(&self) -> Option<&Arc<str>> {
        match self {
            Self::StepStarted { path, .. }
            | Self::StepUnfinished { path, .. }
            | Self::OutcomeLookedUp { path, .. }
            | Self::StepSettled { path, .. }
            | Self::StepBlocked { path, .. }
            | Self::TellDelivered { path, .. }
            | Self::TellDied { path, .. }
            | Self::TellLost { path }
            | Self::DeliveryAwaited { path, .. }
            | Self::StepRetried { path, .. }
            | Self::StepSucceeded { path, .. }
            | Self::StepFailed { path, .. }
            | Self::StepExhausted { path, .. }
            | Self::StepUnknown { path, .. }
            | Self::OutcomeFound { path, .. }
            | Self::StepDropped { path }
            | Self::StepWaiting { path, .. }
            | Self::TopicRead { path, .. }
            | Self::StepHeld { path, .. }
            | Self::QuestionAsked { path, .. }
            | Self::QuestionClosed { path, .. }
            | Self::ChildStarted { path, .. }
            | Self::ChildUnknown { path, .. }
            | Self::TimerSet { path, .. }
            | Self::TimerFired { path, .. }
            | Self::SignalTaken { path, .. }
            | Self::StepCompensated { path, .. }
            | Self::CompensationParked { path, .. }
            | Self::StepReplayed { path, .. }
            | Self::RunRestarted { path, .. } => Some(path),
            Self::RunStarted(_)
            | Self::RunTaken
            | Self::RunPaused { .. }
            | Self::RunResumed { .. }
            | Self::RunCancelling { .. }
            | Self::RunUndoing { .. }
            | Self::UndoRefused { .. }
            | Self::KeyReleased { .. }
            | Self::SlaBreached
            | Self::RunEnded(_) => None,
        }
    }
}

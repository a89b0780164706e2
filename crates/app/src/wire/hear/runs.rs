//! What the engine tells of runs.

use std::time::Duration;

use flow::Transition;
use store::{DeadLetter, RunStatus};

use super::{Ears, millis};

/// Runs whose duration is being measured; beyond these a run's duration is not counted.
const MOST_RUNS: usize = 100_000;

/// One line about a transition. What a system answered may be personal: the line has the error's code, the run's view
/// has its words.
macro_rules! line {
    ($level:ident, $told:expr, $took:expr, $message:literal) => {
        tracing::$level!(
            correlation_id = $told.correlation,
            trace_id = $told.span.map(|span| format!("{:032x}", span.trace_id)),
            span_id = $told.span.map(|span| format!("{:016x}", span.span_id)),
            run = $told.run,
            flow = $told.flow,
            event = $told.event,
            step = $told.step,
            integration_system = $told.system,
            integration_operation = $told.operation,
            duration_ms = $took.map(millis),
            attempts = $told.failure.map(|failure| failure.attempts),
            rejection = $told.rejection.map(port::Rejection::as_str),
            error_type = $told.failure.map(|failure| failure.code.as_str()),
            status = $told.status.as_str(),
            $message
        )
    };
}

impl flow::Listener for Ears {
    fn wrote(&self, told: &Transition<'_>) {
        match told.event {
            "RunStarted" => {
                self.started(told.run);
                line!(info, told, told.took, "run started");
            }
            "RunEnded" => self.ended(told),
            "StepExhausted" | "CompensationParked" => {
                self.metrics.dead_letter(told.system.unwrap_or(told.flow));
                line!(error, told, told.took, "needs a person: see `cardan dead list`");
            }
            "StepUnknown" | "StepHeld" | "SlaBreached" | "StepRetried" | "StepFailed" => {
                line!(warn, told, told.took, "run needs attention");
            }
            "StepCompensated" => {
                self.metrics.compensated(told.flow);
                line!(info, told, told.took, "run went on");
            }
            // Steps that call nothing, and what a step does on its way.
            "StepSucceeded" if told.system.is_none() => line!(debug, told, told.took, "run went on"),
            "RunTaken" | "StepStarted" | "TopicRead" | "TimerSet" | "TimerFired" => {
                line!(debug, told, told.took, "run went on");
            }
            _ => line!(info, told, told.took, "run went on"),
        }
    }

    fn recorder(&self) -> &dyn port::Recorder {
        &*self.recorder
    }

    fn undeliverable(&self, letter: &DeadLetter) {
        self.metrics.dead_letter(&letter.system);
        let (run, step) = letter.source.split_once('/').unwrap_or((&letter.source, ""));
        tracing::error!(
            correlation_id = letter.correlation,
            run,
            step,
            integration_system = letter.system,
            integration_operation = letter.operation,
            error_type = letter.code,
            dead = letter.id,
            "needs a person: see `cardan dead list`"
        );
    }
}

impl Ears {
    fn started(&self, run: &str) {
        let mut runs = self.runs.lock();
        if runs.len() < MOST_RUNS {
            runs.insert(run.to_owned(), self.clock.instant());
        }
    }

    fn ended(&self, told: &Transition<'_>) {
        let started = self.runs.lock().remove(told.run);
        let took = started.map(|started| self.clock.instant().saturating_duration_since(started));
        self.metrics.run_ended(told.flow, told.status.as_str(), took.unwrap_or(Duration::ZERO));
        match told.status {
            RunStatus::Succeeded => line!(info, told, took, "run ended"),
            _ => line!(warn, told, took, "run ended"),
        }
    }
}

//! Why the engine would not do what it was asked.

/// Why the engine would not do what it was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// No flow has this name.
    #[error("unknown flow {0:?}")]
    UnknownFlow(String),
    /// No run has this id.
    #[error("unknown run {0:?}")]
    UnknownRun(String),
    /// The run has no such step.
    #[error("run {run}: unknown step {step:?}")]
    UnknownStep {
        /// The run.
        run: String,
        /// What was asked for.
        step: String,
    },
    /// No dead letter has this id, or it was resolved already.
    #[error("dead letter {0:?} is unknown or resolved")]
    UnknownDead(String),
    /// The run is not in a state that allows it.
    #[error("run {run} is {status}: {wanted}")]
    Status {
        /// The run.
        run: String,
        /// Where it stands.
        status: &'static str,
        /// What would be right.
        wanted: &'static str,
    },
    /// A step may have landed and must not be repeated: somebody has to say what became of it.
    #[error(
        "run {run}: nobody knows whether `{step}` landed: settle it (`cardan flow settle`), or say that it is sent again"
    )]
    Unsettled {
        /// The run.
        run: String,
        /// The step.
        step: String,
    },
    /// The pinned definition of a run is not in the store.
    #[error("run {run}: its definition {hash} is not in the store")]
    NoDefinition {
        /// The run.
        run: String,
        /// The hash it pins.
        hash: String,
    },
    /// A journal entry cannot be read.
    #[error("run {run}: journal entry {version}: {cause}")]
    Journal {
        /// The run.
        run: String,
        /// Which entry.
        version: u64,
        /// What is wrong with it.
        cause: String,
    },
    /// The flow's `key` has no value for this input.
    #[error("evaluating the key of flow {flow}: {cause}")]
    Key {
        /// The flow.
        flow: String,
        /// Why.
        cause: String,
    },
    /// The flow runs once ever per key, and there is a run of this one.
    #[error("flow {flow} runs once per key: {run} is the run of this one")]
    Once {
        /// The flow.
        flow: String,
        /// The run.
        run: String,
    },
    /// Too many signals wait for the run; it hears none of them.
    #[error("run {run}: {waiting} signals wait for it, which is as many as may")]
    Signals {
        /// The run.
        run: String,
        /// How many wait.
        waiting: u64,
    },
    /// The signal is too large.
    #[error("a signal of {size} bytes, allowed are {limit}")]
    SignalSize {
        /// How large it is, in bytes of JSON.
        size: usize,
        /// How large it may be.
        limit: usize,
    },
    /// A later run with the same key stands, which the undo might meet.
    #[error(
        "run {run}: run {later} came after it with the same key and stands: undo that one first, or force it"
    )]
    LaterRun {
        /// The run that was to be undone.
        run: String,
        /// The run that stands.
        later: String,
    },
    /// The run belongs to the one that began it, which would not hear of this.
    #[error("run {run}: `{step}` of run {parent} began it: {wanted}")]
    Child {
        /// The run.
        run: String,
        /// The run that began it.
        parent: String,
        /// The step that did.
        step: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// Waiting for the key would be waiting for ever.
    #[error("run {run} would wait for key {key:?} for ever: {why}")]
    KeyCycle {
        /// The run.
        run: String,
        /// The key.
        key: String,
        /// Who waits for whom.
        why: String,
    },
    /// The run has too many messages waiting; try again shortly.
    #[error("run {0} is busy: try again shortly")]
    Busy(String),
    /// The engine is stopping.
    #[error("flow engine is stopping")]
    Stopping,
    /// The store would not.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownFlow(_) => "flow.unknown_flow",
            Self::UnknownRun(_) => "flow.unknown_run",
            Self::UnknownStep { .. } => "flow.unknown_step",
            Self::UnknownDead(_) => "flow.unknown_dead_letter",
            Self::Status { .. } => "flow.status",
            Self::Unsettled { .. } => "flow.unsettled",
            Self::NoDefinition { .. } => "flow.no_definition",
            Self::Journal { .. } => "flow.journal",
            Self::Key { .. } => "flow.key",
            Self::Once { .. } => "flow.once",
            Self::Signals { .. } => "flow.signals",
            Self::SignalSize { .. } => "flow.signal_size",
            Self::LaterRun { .. } => "flow.later_run",
            Self::Child { .. } => "flow.child",
            Self::KeyCycle { .. } => "flow.key_cycle",
            Self::Busy(_) => "flow.busy",
            Self::Stopping => "flow.stopping",
            Self::Store(_) => "store",
        }
    }
}

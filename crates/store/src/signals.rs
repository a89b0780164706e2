//! Signals: what a waiting run is told.

/// Delivers or takes a signal with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalOp {
    /// Delivers a signal. One with the same run and id is left as it is, also after it was taken.
    Put(Signal),
    /// Takes a signal, so that it is not seen again.
    Take {
        /// The run it was for.
        run: String,
        /// Its id.
        id: String,
    },
}

impl SignalOp {
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Put(signal) => signal.payload.len() + signal.id.len() + 64,
            Self::Take { .. } => 64,
        }
    }
}

/// A signal that was delivered and not yet taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The run it is for.
    pub run: String,
    /// Unique for its run; a second delivery with the same id has no effect.
    pub id: String,
    /// The step or name the run waits under.
    pub name: String,
    /// JSON.
    pub payload: Vec<u8>,
}

//! Bugs on purpose: with the feature `mutants`, `CARDAN_MUTANT=name` switches one on, and a test has to go red.
//!
//! A bug that only a power cut shows (`skip-fsync`) survives `kill -9`; the block-image harness has to find it.

/// The bugs that can be planted in this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// `synchronous=OFF`.
    SkipFsync,
    /// Acknowledges before the commit.
    AckEarly,
    /// Does not write the idempotency record.
    DropKeyRow,
    /// Appends whatever the stream's version.
    IgnoreExpectedVersion,
    /// Does not compare checksums.
    IgnoreChecksum,
    /// Takes a batch whatever its lease.
    NoFence,
}

impl Mutant {
    /// Whether this bug is switched on.
    #[inline(always)]
    pub(crate) fn is_on(self) -> bool {
        mutant(match self {
            Self::SkipFsync => "skip-fsync",
            Self::AckEarly => "ack-early",
            Self::DropKeyRow => "drop-key-row",
            Self::IgnoreExpectedVersion => "ignore-expected-version",
            Self::IgnoreChecksum => "ignore-checksum",
            Self::NoFence => "no-fence",
        })
    }
}

/// Whether the bug of this name is switched on, also one of another crate; never, in a build without the feature.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub fn mutant(_name: &str) -> bool {
    false
}

/// Whether the bug of this name is switched on, also one of another crate.
#[cfg(feature = "mutants")]
pub fn mutant(name: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("CARDAN_MUTANT").ok()).as_deref() == Some(name)
}

//! Checksums of rows, so that what changed on disk is never taken for what was written.

use super::fault::Fault;
use crate::mutants::Mutant;

/// XXH3 over the parts in order; where one part ends and the next begins matters.
///
/// Put the longest part first: without a seed it is hashed fastest.
pub(super) fn of(parts: &[&[u8]]) -> i64 {
    parts.iter().fold(0, |seed, part| xxhash_rust::xxh3::xxh3_64_with_seed(part, seed)) as i64
}

/// Compares, and says which row is not what was written.
pub(super) fn check(kept: i64, parts: &[&[u8]], row: impl FnOnce() -> String) -> Result<(), Fault> {
    if kept == of(parts) || Mutant::IgnoreChecksum.is_on() {
        return Ok(());
    }
    Err(Fault::corrupt(format!("{} is not what was written", row())))
}

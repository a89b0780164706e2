//! What acts are judged and decided by.

/// What acts are judged and decided by.
pub struct Deciding {
    /// How strictly acts are read.
    pub acts: act::Rules,
    /// What they change.
    pub rules: react::Rules,
}

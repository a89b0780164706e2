//! Keeps label values few: after a set number of distinct values of one kind, and for odd ones, it says `other`.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::RwLock;

/// The longest label value that is taken as it stands.
const LONGEST: usize = 64;

/// Label values seen so far, per kind of label.
#[derive(Debug)]
pub(super) struct Names {
    act_types: Seen,
    systems: Seen,
    operations: Seen,
    errors: Seen,
    flows: Seen,
    stores: Seen,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            act_types: Seen::new(32),
            systems: Seen::new(256),
            operations: Seen::new(256),
            errors: Seen::new(64),
            flows: Seen::new(256),
            stores: Seen::new(64),
        }
    }
}

impl Names {
    pub(super) fn act_type(&self, name: &str) -> Arc<str> {
        self.act_types.admit(name)
    }
    pub(super) fn system(&self, name: &str) -> Arc<str> {
        self.systems.admit(name)
    }
    pub(super) fn operation(&self, name: &str) -> Arc<str> {
        self.operations.admit(name)
    }
    pub(super) fn error(&self, name: &str) -> Arc<str> {
        self.errors.admit(name)
    }
    pub(super) fn flow(&self, name: &str) -> Arc<str> {
        self.flows.admit(name)
    }
    pub(super) fn store(&self, name: &str) -> Arc<str> {
        self.stores.admit(name)
    }
}

#[derive(Debug)]
struct Seen {
    limit: usize,
    names: RwLock<HashSet<Arc<str>>>,
}

impl Seen {
    fn new(limit: usize) -> Self {
        Self { limit, names: RwLock::default() }
    }

    /// Names that are known, or one too many, are only read: they come with every call.
    fn admit(&self, name: &str) -> Arc<str> {
        if let Some(told) = self.told(&self.names.read(), name) {
            return told;
        }
        let mut names = self.names.write();
        // Another may have been quicker.
        self.told(&names, name).unwrap_or_else(|| {
            let name: Arc<str> = name.into();
            names.insert(name.clone());
            name
        })
    }

    /// What is said for a name; `None` when it is new and there is room.
    fn told(&self, names: &HashSet<Arc<str>>, name: &str) -> Option<Arc<str>> {
        let full = || (name.len() > LONGEST || names.len() >= self.limit).then(|| "other".into());
        names.get(name).cloned().or_else(full)
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Seen};

    #[test]
    fn values_beyond_the_limit_become_other() {
        let seen = Seen::new(2);
        let admitted: Vec<_> = ["a", "b", "c", "a"].iter().map(|name| seen.admit(name).to_string()).collect();
        assert_eq!(admitted, ["a", "b", "other", "a"]);
    }

    #[test]
    fn one_too_many_waits_for_nobody_who_reads() {
        let seen = Seen::new(1);
        seen.admit("a");
        let _reading = seen.names.read();
        assert_eq!(&*seen.admit("b"), "other");
    }

    #[test]
    fn a_very_long_value_becomes_other() {
        assert_eq!(&*Names::default().act_type(&"x".repeat(65)), "other");
    }
}

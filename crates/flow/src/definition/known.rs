//! The names a flow may use: systems with their operations, topics, other flows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use expr::Ty;
use port::{Repeat, Spec, normalised};
use serde_json::Value;

use super::Input;

/// What exists around a flow, for checking it without starting anything.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Systems by name (`-` equals `_`), each with its operations.
    pub systems: BTreeMap<String, BTreeMap<String, KnownOperation>>,
    /// The systems that are made of others: the names of their members. Any of them may be the one that acts.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Topics that are declared; empty means that any name is a topic.
    pub topics: BTreeSet<String>,
    /// The names of all flows.
    pub flows: BTreeSet<String>,
}

/// What a flow must know of an operation.
#[derive(Clone, Debug)]
pub struct KnownOperation {
    /// How safe a repeat is.
    pub repeat: Repeat,
    /// The operation that undoes it.
    pub undo: Option<String>,
    /// How to find out whether it landed, as it is written at the operation.
    pub verify: Option<Value>,
    /// How long after a call of unknown outcome its effect may still appear.
    pub settles_within: Duration,
    /// How long the system may say that it is still at an earlier request with the same key.
    pub in_progress_until: Duration,
    /// How its system knows a repeat; empty when that cannot change.
    pub keyed_as: std::sync::Arc<str>,
    /// What it wants.
    pub input: Input,
    /// What it answers.
    pub output: Ty,
}

impl KnownOperation {
    /// An operation that takes and answers anything, and that nothing undoes.
    pub fn new(repeat: Repeat) -> Self {
        Self {
            repeat,
            undo: None,
            verify: None,
            settles_within: port::SETTLES_WITHIN,
            in_progress_until: port::IN_PROGRESS_UNTIL,
            keyed_as: "".into(),
            input: Input::default(),
            output: Ty::Any,
        }
    }
}

impl Known {
    /// Learns the operations of systems from their specs.
    pub fn from_specs<'a>(specs: impl IntoIterator<Item = &'a Spec>) -> Self {
        let systems = specs.into_iter().map(|spec| (normalised(&spec.system), operations(spec))).collect();
        Self { systems, ..Self::default() }
    }

    pub(crate) fn system(&self, name: &str) -> Option<&BTreeMap<String, KnownOperation>> {
        self.systems.get(name).or_else(|| self.systems.get(&normalised(name)))
    }

    /// The members of a group; none when it is a plain system.
    pub(crate) fn members(&self, system: &str) -> &[String] {
        self.groups.get(&normalised(system)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn operation(&self, system: &str, operation: &str) -> Option<&KnownOperation> {
        self.system(system)?.get(operation)
    }
}

fn operations(spec: &Spec) -> BTreeMap<String, KnownOperation> {
    let known = |operation: &port::Operation| KnownOperation {
        repeat: operation.repeat,
        undo: operation.undo.as_deref().map(str::to_owned),
        verify: operation.verify.clone(),
        settles_within: operation.settles_within,
        in_progress_until: operation.in_progress_until,
        keyed_as: operation.keyed_as.clone(),
        input: Input::from_schema(operation.input.document()),
        output: Ty::from_schema(operation.output.document()),
    };
    spec.operations.iter().map(|operation| (operation.name.to_string(), known(operation))).collect()
}
